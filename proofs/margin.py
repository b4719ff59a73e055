"""What the obligations assume of margin requirements, proven of the kernel's own functions.

Here a market has its base rates alone; ``tiers.py`` proves the same where it has more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import attrs

from riskcore import margin
from riskcore.choices import MarketStatus
from riskcore.leverages import Leverages
from riskcore.orders import Resting, RestingOrders
from riskcore.prover.book import SymChoice
from riskcore.prover.lemma import Lemma, assume
from riskcore.prover.symbols import new_int
from riskcore.prover.tracer import Tracer
from riskcore.quantities import NEVER, Atoms, MarketId, apply_rate
from riskcore.rulebook import MarketRules
from riskcore.state import NO_POSITION, Account, Market, Position, Positions
from riskcore.tables import DictTable
from specs.arithmetic import RATE_ONE, both_ways, either, every, implies, magnitude
from specs.contract import toward_zero
from specs.markets import admissible
from specs.tiers import exposure

#: The fold is run over up to three positions; more are the same addition again.
BOUNDED = "PROVED-BOUNDED(three positions), any sizes and rules"
FIELDS = ("size", "cost", "entry_index", "opened")


def any_market(tracer: Tracer, name: str = "market") -> Any:
    """A listed market with any admissible rules and any figures; another name is another market."""
    names = ("initial", "maintenance", "taker", "maker", "liquidation")
    limits = {limit: new_int(f"{name}.{limit}") for limit in ("mark_move_limit", "mark_age_limit", "fill_price_band")}
    rules = MarketRules(*(new_int(f"{name}.rate.{rate}") for rate in names), **limits)
    market = get_any_figures(rules, name)
    assume(tracer, admissible(rules), market.mark_price > 0)
    return market


def get_any_figures(rules: MarketRules, name: str) -> Any:
    """A market of these rules, whatever else there is of it."""
    figures: dict[str, Any] = {field.name: new_int(f"{name}.{field.name}") for field in attrs.fields(Market)}
    return Market(**{**figures, "rules": rules, "status": SymChoice(f"{name}.status", MarketStatus)})


def _is_rate_rounded_up(required: Any, size: Any, mark: Any, rate: Any) -> Any:
    exact = magnitude(size) * mark * rate
    return every(required * RATE_ONE >= exact, (required - 1) * RATE_ONE < exact)


def _maintenance_is_exact(tracer: Tracer) -> Any:
    market, size = any_market(tracer), new_int("size")
    required = margin.get_maintenance_requirement(market, size)
    return _is_rate_rounded_up(required, size, market.mark_price, market.rules.maintenance_margin_rate)


def _initial_is_exact(tracer: Tracer) -> Any:
    market, size, open_interest = any_market(tracer), new_int("size"), new_int("open_interest")
    required = margin.get_initial_requirement(market, size, open_interest, 0)
    return _is_rate_rounded_up(required, size, market.mark_price, market.rules.initial_margin_rate)


def _leverage_is_exact(tracer: Tracer) -> Any:
    """The larger of two: what the rules need, and the least whole amount of which the notional is the multiple."""
    market, size = any_market(tracer), new_int("size")
    open_interest, leverage = new_int("open_interest"), new_int("leverage")
    required: Any = margin.get_initial_requirement(market, size, open_interest, leverage)
    plain: Any = margin.get_initial_requirement(market, size, open_interest, 0)
    notional = magnitude(size) * market.mark_price
    is_part = every(required * leverage >= notional, (required - 1) * leverage < notional)
    return every(
        required >= plain,
        implies(leverage <= 0, required == plain),
        implies(leverage > 0, required * leverage >= notional),
        implies((leverage > 0) & (required > plain), is_part),
    )


def _higher_leverage_needs_no_more(tracer: Tracer) -> Any:
    """Nor does none at all: so that a choice can always be raised or taken back."""
    market, size, open_interest = any_market(tracer), new_int("size"), new_int("open_interest")
    leverage, higher, notional = new_int("leverage"), new_int("higher"), new_int("notional")
    assume(
        tracer,
        notional == magnitude(size) * market.mark_price,
        leverage > 0,
        (higher <= 0) | (leverage <= higher),
    )
    low: Any = margin.get_initial_requirement(market, size, open_interest, leverage)
    high: Any = margin.get_initial_requirement(market, size, open_interest, higher)
    # a figure times one that is not negative: proven in ``products_are_monotone``
    assume(tracer, implies(higher >= leverage, low * higher >= low * leverage))
    return high <= low


def _bearable_at_less_open_interest(tracer: Tracer) -> Any:
    """What a trade may do where a higher requirement is left, it may where a lower is: less is asked afterwards."""
    market, gained = any_market(tracer), new_int("gained")
    before, after = (margin.Stance(new_int(name), new_int(f"{name}.exposure")) for name in ("before", "after"))
    found = margin.Margin(*map(new_int, ("equity", "initial", "maintenance")))
    leverage, more = new_int("leverage"), new_int("more")
    at_less, at_more, then = new_int("at_less"), new_int("at_more"), new_int("then")
    # a requirement is no higher at less open interest: proven in ``tiers/monotone_in_open_interest``
    assume(tracer, at_less <= at_more)
    needs = {id(market.open_interest): new_int("at_found"), id(more): at_more, id(then): at_less}

    def required(of: Any, size: Any, open_interest: Any, chosen: Any) -> Any:
        asked = (before if open_interest is market.open_interest else after).exposure
        if of is not market or chosen is not leverage or size is not asked:
            raise TypeError("another requirement was asked for")
        return needs[id(open_interest)]

    with patch.object(margin, "get_initial_requirement", required):
        is_hard = margin.is_bearable(found, market, before, after, gained, more, leverage)
        is_easy = margin.is_bearable(found, market, before, after, gained, then, leverage)
    return implies(is_hard, is_easy)


def _exposure_is_the_larger(tracer: Tracer) -> Any:
    """Of what all bids and what all asks would make of a position; and so no less than the position itself."""
    size, bids, asks = new_int("size"), new_int("bids"), new_int("asks")
    assume(tracer, bids >= 0, asks >= 0)
    result: Any = margin.get_exposure(size, Resting(bids, asks, new_int("orders")))
    bought, sold = magnitude(size + bids), magnitude(size - asks)
    stance: Any = margin.get_stance(size, Resting(bids, asks, new_int("orders")))
    return every(
        result >= magnitude(size),
        result == either(bought >= sold, bought, sold),
        result == exposure(size, bids, asks),
        stance.size == size,
        stance.exposure == result,
        implies((bids == 0) & (asks == 0), result == magnitude(size)),
    )


def _zero_exactly_at_zero(tracer: Tracer) -> Any:
    market, size = any_market(tracer), new_int("size")
    required: Any = margin.get_maintenance_requirement(market, size)
    initial: Any = margin.get_initial_requirement(market, size, new_int("open_interest"), new_int("leverage"))
    return every(
        required >= 0,
        implies(size == 0, (required == 0) & (initial == 0)),
        implies(size != 0, (required > 0) & (initial > 0)),
    )


def _initial_covers_maintenance(tracer: Tracer) -> Any:
    market, size = any_market(tracer), new_int("size")
    required: Any = margin.get_maintenance_requirement(market, size)
    return margin.get_initial_requirement(market, size, new_int("open_interest"), new_int("leverage")) >= required


def _monotone_in_size(tracer: Tracer) -> Any:
    market, size, bigger = any_market(tracer), new_int("size"), new_int("bigger")
    notional, bigger_notional = new_int("notional"), new_int("bigger_notional")
    assume(
        tracer,
        magnitude(size) <= magnitude(bigger),
        # the product is monotone: stated for z3, and true for any price above zero
        notional == magnitude(size) * market.mark_price,
        bigger_notional == magnitude(bigger) * market.mark_price,
    )
    small: Any = margin.get_maintenance_requirement(market, size)
    large: Any = margin.get_maintenance_requirement(market, bigger)
    open_interest, leverage = new_int("open_interest"), new_int("leverage")
    small_initial: Any = margin.get_initial_requirement(market, size, open_interest, leverage)
    large_initial: Any = margin.get_initial_requirement(market, bigger, open_interest, leverage)
    return every(small <= large, small_initial <= large_initial)


def _continuous_in_size(tracer: Tracer) -> Any:
    """One lot more needs at most its own rate of a price, and an atom of rounding."""
    market, size = any_market(tracer), new_int("size")
    assume(tracer, size >= 0)
    step: Any = margin.get_maintenance_requirement(market, size + 1) - margin.get_maintenance_requirement(market, size)
    return (step - 1) * RATE_ONE <= market.mark_price * market.rules.maintenance_margin_rate


def _sum_over(count: int) -> Callable[[Tracer], Any]:
    """The fold over an account's positions is the sum of what each adds, whatever its requirements are."""

    def margin_is_the_sum(tracer: Tracer) -> Any:
        ids = [MarketId(f"market{number}") for number in range(count)]
        held = {id: Position(*(new_int(f"{id}.{field}") for field in FIELDS)) for id in ids}
        quoted = MarketId("quoted")
        chosen: dict[MarketId, Any] = {id: new_int(f"{id}.leverage") for id in (*ids, quoted)}
        # an order beside each position, and one where there is none
        resting = {id: Resting(*(new_int(f"{id}.{field}") for field in ("bids", "asks", "orders"))) for id in chosen}
        no_market: Market | None = None
        table: DictTable[MarketId, Market | None] = DictTable(no_market)
        balance: Any = new_int("balance")
        equity, initial, maintenance = balance, 0, 0
        places: list[tuple[Any, MarketId]] = []
        for id in chosen:
            position = held.get(id, NO_POSITION)
            rules = MarketRules(**{field.name: new_int(f"{id}.{field.name}") for field in attrs.fields(MarketRules)})
            market = get_any_figures(rules, id)
            places.append((market, id))
            assume(tracer, chosen[id] != 0, resting[id].orders != 0)
            if id in held:
                assume(tracer, position.size != 0)
            table = table.put(id, market)
            equity += position.size * market.mark_price
            equity -= position.size * (market.funding_index - position.entry_index)
            initial += new_int(f"{id}.initial_requirement")
            if id in held:
                maintenance += new_int(f"{id}.maintenance_requirement")

        def require(kind: str) -> Callable[..., Any]:
            """The requirement of a market's own position; of another size, open interest or leverage it is another."""

            def required(market: Any, size: Any, *others: Any) -> Any:
                id = next(id for known, id in places if known is market)
                own = (market.open_interest, chosen[id]) if kind == "initial_requirement" else ()
                asked = exposures[id] if own else held[id].size
                is_own = size is asked and all(one is two for one, two in zip(others, own, strict=True))
                return new_int(f"{id}.{kind}" if is_own else f"another.{kind}")

            return required

        account = Account(balance, Positions(held), NEVER, Leverages(chosen), Atoms(0), RestingOrders(resting))
        exposures = {id: new_int(f"{id}.exposure") for id in chosen}

        def get_exposure(size: Any, orders: Any) -> Any:
            """The exposure of a market's own position and orders; of another it is another."""
            id = next(id for id in chosen if resting[id] is orders)
            is_own = size is held[id].size if id in held else type(size) is int and size == 0
            return exposures[id] if is_own else new_int("another.exposure")

        with (
            patch.object(margin, "get_exposure", get_exposure),
            patch.object(margin, "get_initial_requirement", require("initial_requirement")),
            patch.object(margin, "get_maintenance_requirement", require("maintenance_requirement")),
        ):
            total: Any = margin.get_margin(account, table)
        return every(total.equity == equity, total.initial == initial, total.maintenance == maintenance)

    return margin_is_the_sum


def _bounded_moves_leave_the_healthy_solvent(tracer: Tracer) -> Any:
    """ENV-1 of one position, summed over all: a move of ``d`` at most, and the fee at the new mark.

    The rate is the base rate, which is the lowest: with tiers a requirement is no less
    (``tiers/no_less_than_the_base_rate``), so what is shown here holds with them too.

    In exact parts per million: d + fee * (1 + d) <= maintenance rate implies that the
    kernel's requirement at the old mark pays for the loss and its fee at the new, to the atom.
    """
    market, size, moved, d = any_market(tracer), new_int("size"), new_int("moved"), new_int("d")
    mark, fee = market.mark_price, market.rules.liquidation_fee_rate
    rate = market.rules.maintenance_margin_rate
    notional, move = new_int("notional"), new_int("move")
    # inequalities times what is not negative: stated for z3, and proven in ``products_are_monotone``
    monotone = (
        move * RATE_ONE <= d * notional,
        fee * (size * moved) <= fee * (notional + move),
        (d * RATE_ONE + fee * (RATE_ONE + d)) * notional <= rate * RATE_ONE * notional,
        fee * move * RATE_ONE <= fee * d * notional,
    )
    assume(
        tracer,
        size > 0,
        moved > 0,
        d >= 0,
        # rates in parts per million, so fee * (1 + d) is over a million twice
        d * RATE_ONE + fee * (RATE_ONE + d) <= rate * RATE_ONE,
        notional == size * mark,
        move == size * magnitude(moved - mark),
        magnitude(moved - mark) * RATE_ONE <= d * mark,
        *monotone,
    )
    required: Any = margin.get_maintenance_requirement(market, size)
    taken: Any = apply_rate(size * moved, fee)
    return move + taken <= required


def _products_are_monotone(tracer: Tracer) -> Any:
    """A smaller figure times one that is not negative is no larger: all that ``bounded_moves`` states of products."""
    small, large, factor = (new_int(name) for name in ("small", "large", "factor"))
    assume(tracer, small <= large, factor >= 0)
    return small * factor <= large * factor


def _reduction_is_toward_zero(tracer: Tracer) -> Any:
    before, after = new_int("before"), new_int("after")
    return both_ways(margin.is_reduction(before, after), toward_zero(before, after))


LEMMAS = (
    Lemma(
        "reduction_is_toward_zero",
        "MARG-2",
        "a reduction shrinks a size and keeps its sign; what stays as it is is none",
        _reduction_is_toward_zero,
    ),
    Lemma(
        "exposure_is_the_larger",
        "BOOK-4",
        "exposure is the larger of what all bids and all asks would make of a position, and no less than it",
        _exposure_is_the_larger,
    ),
    Lemma(
        "products_are_monotone", "ENV-1", "a smaller figure times one not negative is no larger", _products_are_monotone
    ),
    *(
        Lemma(
            f"sum_over_{count}_positions",
            "MARG-1",
            "an account's margin is its balance and the sum over its positions",
            _sum_over(count),
            BOUNDED,
        )
        for count in range(4)
    ),
    Lemma(
        "bounded_moves",
        "ENV-1",
        "moves within d leave the healthy solvent, fee included, if d + fee * (1 + d) <= lowest maintenance rate",
        _bounded_moves_leave_the_healthy_solvent,
    ),
    Lemma(
        "maintenance_is_rate_rounded_up",
        "MARG-1",
        "without tiers maintenance is the rate of notional, rounded up",
        _maintenance_is_exact,
    ),
    Lemma(
        "initial_is_rate_rounded_up",
        "MARG-1",
        "without tiers initial margin is the rate of notional, rounded up",
        _initial_is_exact,
    ),
    Lemma(
        "leverage_is_exact",
        "MARG-1",
        "with a leverage, initial margin is what the rules need or the notional over it, rounded up, if that is more",
        _leverage_is_exact,
    ),
    Lemma(
        "higher_leverage_needs_no_more",
        "MARG-1",
        "a higher leverage needs no more, and none no more than any",
        _higher_leverage_needs_no_more,
    ),
    Lemma(
        "bearable_at_less_open_interest",
        "MARG-4",
        "what may be done where more is required of what is left, may be done where less is",
        _bearable_at_less_open_interest,
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
