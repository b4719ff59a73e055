"""What the obligations assume of margin requirements, proven of the kernel's own functions."""

from __future__ import annotations

from typing import Any

from riskcore import margin
from riskcore.prover.lemma import Lemma, assume
from riskcore.prover.symbols import new_int
from riskcore.prover.tracer import Tracer
from riskcore.state import Market, MarketRules
from specs.arithmetic import RATE_ONE, every, implies, magnitude
from specs.markets import admissible


def any_market(tracer: Tracer) -> Any:
    """A listed market with any admissible rules."""
    names = ("initial", "maintenance", "taker", "maker", "liquidation")
    rules = MarketRules(*(new_int(f"rate.{name}") for name in names))  # type: ignore[arg-type]
    fields = ("mark", "index", "remainder", "time", "interest")
    market: Any = Market(rules, *(new_int(f"market.{name}") for name in fields))  # type: ignore[arg-type]
    assume(tracer, admissible(rules), market.mark_price > 0)
    return market


def _is_rate_rounded_up(required: Any, size: Any, mark: Any, rate: Any) -> Any:
    exact = magnitude(size) * mark * rate
    return every(required * RATE_ONE >= exact, (required - 1) * RATE_ONE < exact)


def _maintenance_is_exact(tracer: Tracer) -> Any:
    market, size = any_market(tracer), new_int("size")
    required = margin.get_maintenance_requirement(market, size)  # type: ignore[arg-type]
    return _is_rate_rounded_up(required, size, market.mark_price, market.rules.maintenance_margin_rate)


def _initial_is_exact(tracer: Tracer) -> Any:
    market, size = any_market(tracer), new_int("size")
    required = margin.get_initial_requirement(market, size)  # type: ignore[arg-type]
    return _is_rate_rounded_up(required, size, market.mark_price, market.rules.initial_margin_rate)


def _zero_exactly_at_zero(tracer: Tracer) -> Any:
    market, size = any_market(tracer), new_int("size")
    required: Any = margin.get_maintenance_requirement(market, size)  # type: ignore[arg-type]
    initial: Any = margin.get_initial_requirement(market, size)  # type: ignore[arg-type]
    return every(
        required >= 0,
        implies(size == 0, (required == 0) & (initial == 0)),
        implies(size != 0, (required > 0) & (initial > 0)),
    )


def _initial_covers_maintenance(tracer: Tracer) -> Any:
    market, size = any_market(tracer), new_int("size")
    required: Any = margin.get_maintenance_requirement(market, size)  # type: ignore[arg-type]
    return margin.get_initial_requirement(market, size) >= required  # type: ignore[arg-type]


def _monotone_in_size(tracer: Tracer) -> Any:
    market, size, larger = any_market(tracer), new_int("size"), new_int("larger")
    notional, larger_notional = new_int("notional"), new_int("larger_notional")
    assume(
        tracer,
        magnitude(size) <= magnitude(larger),
        # the product is monotone: stated for z3, and true for any price above zero
        notional == magnitude(size) * market.mark_price,
        larger_notional == magnitude(larger) * market.mark_price,
    )
    small: Any = margin.get_maintenance_requirement(market, size)  # type: ignore[arg-type]
    large: Any = margin.get_maintenance_requirement(market, larger)  # type: ignore[arg-type]
    small_initial: Any = margin.get_initial_requirement(market, size)  # type: ignore[arg-type]
    large_initial: Any = margin.get_initial_requirement(market, larger)  # type: ignore[arg-type]
    return every(small <= large, small_initial <= large_initial)


def _continuous_in_size(tracer: Tracer) -> Any:
    """One lot more needs at most its own rate of a price, and an atom of rounding."""
    market, size = any_market(tracer), new_int("size")
    assume(tracer, size >= 0)
    step: Any = margin.get_maintenance_requirement(market, size + 1) - margin.get_maintenance_requirement(market, size)  # type: ignore[arg-type]
    return (step - 1) * RATE_ONE <= market.mark_price * market.rules.maintenance_margin_rate


LEMMAS = (
    Lemma(
        "maintenance_is_rate_rounded_up",
        "MARG-1",
        "maintenance is the rate of notional, rounded up",
        _maintenance_is_exact,
    ),
    Lemma(
        "initial_is_rate_rounded_up", "MARG-1", "initial margin is the rate of notional, rounded up", _initial_is_exact
    ),
    Lemma(
        "zero_exactly_at_zero",
        "MARG-1",
        "a requirement is zero at zero and above zero elsewhere",
        _zero_exactly_at_zero,
    ),
    Lemma(
        "initial_covers_maintenance", "MARG-1", "initial margin is at least maintenance", _initial_covers_maintenance
    ),
    Lemma("monotone_in_size", "MARG-1", "a larger size needs no less", _monotone_in_size),
    Lemma(
        "continuous_in_size",
        "MARG-1",
        "one lot more needs at most its rate of a price, and an atom",
        _continuous_in_size,
    ),
)
