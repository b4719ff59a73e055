"""The kernel's modules while they run on symbols.

The source is untouched. In its modules' namespaces ``min``, ``max`` and ``len`` do not
branch on symbols, and some functions stand for their contracts, which ``proofs/``
proves of the originals.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from attrs import evolve

from riskcore import (
    allocation,
    cash,
    changes,
    close_out,
    deleveraging,
    domains,
    draws,
    funding,
    gates,
    insurance,
    journal,
    leverages,
    life,
    limits,
    lines,
    liquidation,
    margin,
    markets,
    order_book,
    orders,
    outflow,
    per_market,
    quantities,
    ranking,
    rulebook,
    rules,
    settings,
    settlement,
    shares,
    sharing,
    state,
    tiers,
    trading,
    transitions,
    vault,
)
from riskcore.margin import Margin, get_position_value
from riskcore.prover.book import SymPositions, World, is_own_mark_fresh, symbolic_len
from riskcore.prover.symbols import SymInt, get_run, symbolic_max, symbolic_min, to_int
from riskcore.state import Draws
from specs.allocation import part, weight_of
from specs.arithmetic import cost_after, implies, named, opened_after
from specs.close_out import are_lots_to_close, excess_of, lots_or_all, share_of
from specs.domains import part_after, stock
from specs.draws import drawn_after, may_pay_out
from specs.limits import sold_at
from specs.outflow import outflow_after, taken_out
from specs.tiers import exposure, initial_requirement, maintenance_requirement, needs_no_more, step_floor

MODULES: tuple[ModuleType, ...] = (
    quantities,
    rules,
    per_market,
    leverages,
    orders,
    rulebook,
    state,
    tiers,
    domains,
    draws,
    outflow,
    lines,
    journal,
    margin,
    markets,
    gates,
    limits,
    cash,
    order_book,
    trading,
    funding,
    insurance,
    liquidation,
    vault,
    allocation,
    ranking,
    close_out,
    deleveraging,
    sharing,
    settlement,
    shares,
    settings,
    life,
    changes,
    transitions,
    # the package shows the function of this name, not the module
    sys.modules["riskcore.step"],
)

_apply_rate = quantities.apply_rate
_get_margin, _get_margin_after = margin.get_margin, margin.get_margin_after
_get_step_lots = allocation.get_step_lots
_get_open_interest_after = tiers.get_open_interest_after

#: The world of the run in progress, for the one contract that speaks of all accounts.
_worlds: list[World] = []


def _initial_requirement(market: Any, size: Any, open_interest: Any, leverage: Any) -> Any:
    return initial_requirement(market, size, open_interest, leverage)


def _maintenance_requirement(market: Any, size: Any) -> Any:
    return maintenance_requirement(market, size)


def _are_admissible(rules: Any) -> Any:
    return rules.tiers.are_admissible


def _positions_margin(owner: Any, table: Any) -> Margin:
    """The event's market by the kernel's own formulas, all others by their totals."""
    positions: SymPositions = owner.positions
    rest: Any = positions.rest
    if positions.position is None:
        return Margin(rest.value, rest.initial, rest.maintenance)
    market = table.get(positions.focus)
    size: Any = positions.position.size
    resting = owner.resting.get(positions.focus)
    exposed = exposure(size, resting.bids, resting.asks)
    return Margin(
        rest.value + get_position_value(market, positions.position),
        rest.initial + _initial_requirement(market, exposed, market.open_interest, owner.leverages.leverage),
        rest.maintenance + _maintenance_requirement(market, size),
    )


def _exposure(size: Any, resting: Any) -> Any:
    return exposure(size, resting.bids, resting.asks)


def _named_fee(amount: Any, rate: Any) -> Any:
    return named("fee", _apply_rate(amount, rate))


def _named_margin(owner: Any, table: Any) -> Margin:
    return _name(_get_margin(owner, table))


def _named_margin_after(*arguments: Any) -> Margin:
    return _name(_get_margin_after(*arguments))


def _named_open_interest(*arguments: Any) -> Any:
    return named("open_interest", _get_open_interest_after(*arguments))


def _name(measured: Margin) -> Margin:
    """The same margin, its figures under names."""
    kinds: Any = ("equity", "initial", "maintenance")
    return Margin(*(named(kind, value) for kind, value in zip(kinds, measured, strict=True)))


def _are_marks_fresh(positions: SymPositions, table: Any, time: Any) -> Any:
    others = positions.rest.are_marks_fresh(time)
    if positions.position is None:
        return others
    size: Any = positions.position.size
    return others & ((size == 0) | is_own_mark_fresh(table.get(positions.focus), time))


def _cost(size: Any, cost: Any, lots: Any, debit: Any) -> Any:
    return cost_after(size, cost, lots, debit)


def _part(policy: Any, *figures: Any) -> Any:
    if not figures[-1] > 0:
        raise ZeroDivisionError("a level for no weight")
    return allocation.Part(*part(policy, *figures))


def _named_step_lots(*arguments: Any) -> Any:
    return named("lots", _get_step_lots(*arguments))


def _certify(state: Any, market: Any, size: Any, episode: Any) -> Any:
    world = _worlds[-1]
    if not world.is_untouched(state) or market is not world.market:
        raise TypeError("a queue was judged by another state than the one before the event")
    if episode.queue is not world.queue:
        raise TypeError("another queue than the event's was judged")
    judged: tuple[Any, Any] = world.is_ranked(size, episode), world.get_remainder(size, episode)
    return ranking.Certificate(*judged)


def _total_weight(state: Any, market_id: Any, market: Any, members: Any) -> Any:
    world = _worlds[-1]
    if not world.is_untouched(state) or market is not world.market or not market_id.term.eq(world.focus.term):
        raise TypeError("members were weighed in another state than the one before the event")
    if members is not world.members:
        raise TypeError("other members than the event's were weighed")
    world.assume(implies(world.total_weight > 0, members.length > 0))
    return world.total_weight


def _step_floor(rules: Any, notional: Any) -> Any:
    return step_floor(rules, notional)


def _sold(sold: Any, since: Any, time: Any) -> Any:
    return sold_at(sold, since, time)


def _available(state: Any, time: Any, market: Any = None) -> Any:
    return may_pay_out(state.rulebook, stock(state, state.rulebook, market), state.draws, time)


def _insured(market: Any, change: Any) -> Any:
    return evolve(market, insurance=part_after(market, change))


def _draws_after(rulebook: Any, drawn: Any, amount: Any, time: Any) -> Draws:
    return Draws(**drawn_after(rulebook, drawn, amount, time))


def _outflow_after(rulebook: Any, before: Any, amount: Any, time: Any) -> Draws:
    return Draws(**outflow_after(rulebook, before, amount, time))


def get_any_chance(policy: Any, seed: Any, sequence: Any, id: Any) -> Any:
    """Some number, which is all that an order depends on."""
    if isinstance(id, str):
        return seed.call(f"chance_of_{id}_by_{policy.value}", seed, sequence)
    return seed.call(f"chance_by_{policy.value}", seed, sequence, id)


def get_any_mix(state: Any, word: Any) -> Any:
    """Some number made of two."""
    return SymInt(get_run().call("mix", (to_int(state), to_int(word))))


def get_any_score(policy: Any, size: Any, *others: Any) -> ranking.Score:
    """A ratio over a divisor above zero; another policy, another ratio."""
    parts = (f"score_by_{policy.value}_{part}" for part in ("top", "bottom"))
    numerator, denominator = (size.call(part, size, *others) for part in parts)
    get_run().assume((denominator > 0).term)
    return ranking.Score(numerator, denominator)


def _terms(rulebook: Any, market: Any, margin: Any, size: Any, lots: Any) -> Any:
    lost = -liquidation.get_equity_share(margin, market, size, lots)
    share, excess = (figure(rulebook, market, size, lots, lost) for figure in (share_of, excess_of))
    return close_out.Terms(share, excess)


def _are_lots_to_close(rulebook: Any, market: Any, margin: Any, size: Any, lots: Any) -> Any:
    return are_lots_to_close(rulebook, market, size, lots, margin.equity, margin.maintenance)


CONTRACTS: dict[Callable[..., Any], Callable[..., Any]] = {
    margin.get_initial_requirement: _initial_requirement,
    margin.get_maintenance_requirement: _maintenance_requirement,
    margin.get_positions_margin: _positions_margin,
    margin.get_exposure: _exposure,
    rulebook.has_admissible_tiers: _are_admissible,
    quantities.apply_rate: _named_fee,
    margin.get_margin: _named_margin,
    margin.get_margin_after: _named_margin_after,
    tiers.get_open_interest_after: _named_open_interest,
    markets.are_marks_fresh: _are_marks_fresh,
    journal.get_cost: _cost,
    tiers.get_step_floor: _step_floor,
    tiers.needs_no_more: needs_no_more,
    limits.get_sold: _sold,
    journal.get_opened: opened_after,
    insurance.get_available: _available,
    domains.get_insured: _insured,
    draws.get_draws_after: _draws_after,
    ranking.certify: _certify,
    allocation.get_weight: weight_of,
    allocation.get_part: _part,
    allocation.get_step_lots: _named_step_lots,
    outflow.get_taken_out: taken_out,
    outflow.get_outflow_after: _outflow_after,
    sharing.get_total_weight: _total_weight,
    close_out.get_lots: lots_or_all,
    close_out.get_terms: _terms,
    close_out.are_lots_to_close: _are_lots_to_close,
    ranking.get_score: get_any_score,
    ranking.get_chance: get_any_chance,
    ranking.mix: get_any_mix,
}


def is_contracted(value: Any) -> bool:
    return callable(value) and not isinstance(value, type) and value in CONTRACTS


@contextmanager
def on_symbols(
    world: World | None = None, *, contracts: bool = True, without: tuple[Callable[..., Any], ...] = ()
) -> Iterator[None]:
    """Let the kernel run on symbols.

    ``contracts=False`` keeps every function as it is, ``without`` only those named.
    """
    saved: list[tuple[ModuleType, str, Any]] = []
    missing = object()

    def put(module: ModuleType, name: str, value: Any) -> None:
        saved.append((module, name, vars(module).get(name, missing)))
        setattr(module, name, value)

    for module in MODULES:
        for name, value in list(vars(module).items()):
            if contracts and is_contracted(value) and value not in without:
                put(module, name, CONTRACTS[value])
        for name, replacement in (("min", symbolic_min), ("max", symbolic_max), ("len", symbolic_len)):
            put(module, name, replacement)
    if world is not None:
        _worlds.append(world)
    try:
        yield
    finally:
        if world is not None:
            _worlds.pop()
        for module, name, value in reversed(saved):
            if value is missing:
                delattr(module, name)
            else:
                setattr(module, name, value)
