"""Each path's model, realised as a state and an event, and run by plain CPython.

``step`` on it must do what the path says. A path without a model would be vacuous.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import z3

from riskcore.choices import Allocation, LossSharing
from riskcore.events import BeginLossSharing, ChangeRules, Header
from riskcore.prover.case import EPISODES, SymCase, run_event
from riskcore.prover.realisation import Realisation, Witness
from riskcore.prover.symbols import to_bool, to_int
from riskcore.prover.tracer import BRACKET_FLOOR, INITIAL, MAINTENANCE, PART_LEAST, PART_MOST, Path, Tracer, get_paths
from riskcore.quantities import RATE_ONE

#: z3's time for one try at a model; what it does not find so is tried less pinned, then ABSTRACT.
TRY_MS = 4_000

#: The leverages that models may choose, besides none.
LEVERAGES = (1, 2, 10)

#: Figures that make requirements linear, which models are found for in milliseconds.
PINS: tuple[dict[str, int], ...] = (
    {
        "market.mark_price": 100,
        "market.initial_margin_rate": 200_000,
        "market.maintenance_margin_rate": 100_000,
        "event.price": 97,
        "market.funding_index": 7,
    },
    {"market.mark_price": 100, "market.initial_margin_rate": 200_000, "market.maintenance_margin_rate": 100_000},
    {"market.mark_price": 3, "market.initial_margin_rate": 1_000_000, "market.maintenance_margin_rate": 1_000_000},
    {},
)


def get_witnesses(kind: type[Header]) -> Iterator[Witness | None]:
    """For each path of an event its witness, or None where no model was found: ABSTRACT."""
    for episode in EPISODES:

        def run(tracer: Tracer, open: str | None = episode) -> SymCase:
            return run_event(tracer, kind, episode=open)

        for path in get_paths(run):
            yield get_witness(path)


def get_witness(path: Path[SymCase]) -> Witness | None:
    if path.result is None:
        return None
    model = find_model(path.condition, path.result)
    return None if model is None else Realisation(model, path.result).check()


def find_model(
    condition: Iterable[z3.BoolRef], case: SymCase, tries: tuple[dict[str, int], ...] = PINS
) -> z3.ModelRef | None:
    """A model of a path's condition, with the contracts' functions as they really are."""
    facts = [*condition, to_bool(case.world.get_part_facts()), *get_definitions(case), *get_bounds(case)]
    for pins in tries:
        solver = z3.Solver()
        solver.set("timeout", TRY_MS)
        solver.add(*facts, *(z3.Int(name) == value for name, value in pins.items()))
        if solver.check() == z3.sat:
            return solver.model()
    return None


def get_definitions(case: SymCase) -> Iterator[z3.BoolRef]:
    """The exact values of the functions that the path knows by contract."""
    market: Any = case.world.market
    if market is not None:
        yield to_bool(market.status.is_one)
        if isinstance(case.event, ChangeRules):
            # and without tiers one rate decides
            rates = (to_int(one.maintenance_margin_rate) for one in (case.event.rules, market.rules))
            tiers: Any = case.event.rules.tiers
            yield to_bool(tiers.need_no_more) == (next(rates) <= next(rates))
        # realised at its base rates alone: no tiers of others, no scaling
        yield z3.And(to_int(market.rules.open_interest_floor) == 0, to_int(market.rules.open_interest_cap) == 0)
    for name, arguments, value in case.world.tracer.calls:
        if name in (INITIAL, MAINTENANCE):
            size, mark, *others = arguments
            rules = market.rules
            if name == INITIAL:
                yield from get_initial_definition(value, size * mark, to_int(rules.initial_margin_rate), others[-1])
            else:
                yield is_rounded_up(value, size * mark * to_int(rules.maintenance_margin_rate), RATE_ONE)
        elif name in (PART_LEAST, PART_MOST):
            yield get_part_definition(name, value, *arguments)
        elif name != BRACKET_FLOOR:
            yield get_cost_definition(value, *arguments)


def get_initial_definition(value: Any, notional: Any, rate: Any, leverage: Any) -> Iterator[z3.BoolRef]:
    """What the rules need, or the leverage if that is more: one of a few, so that models are quick to find."""
    required = z3.Int(f"required_for_{value}")
    yield is_rounded_up(required, notional * rate, RATE_ONE)
    yield z3.Or(leverage == 0, *(leverage == one for one in LEVERAGES))
    yield z3.Implies(leverage == 0, value == required)
    for one in LEVERAGES:
        part = z3.Int(f"part_{one}_for_{value}")
        yield is_rounded_up(part, notional, one)
        yield z3.Implies(leverage == one, value == z3.If(part > required, part, required))


def is_rounded_up(value: Any, exact: Any, denominator: int) -> z3.BoolRef:
    return z3.And(value * denominator >= exact, (value - 1) * denominator < exact)


def get_cost_definition(value: Any, size: Any, cost: Any, lots: Any, debit: Any) -> z3.BoolRef:
    after = size + lots
    kept = is_floor(value, cost * absolute(after), absolute(size))
    new = is_floor(value, debit * absolute(after), absolute(lots))
    return z3.If(size * lots >= 0, value == cost + debit, z3.If(size * after > 0, kept, new))


def get_part_definition(
    name: str, value: Any, policy: Any, size: Any, cost: Any, mark: Any, equity: Any, lots: Any, per: Any
) -> z3.BoolRef:
    """A part, rounded down or up."""
    place = tuple(Allocation).index
    counted = z3.If(policy == place(Allocation.CONTRACTS), absolute(size), equity)
    weight = at_least(z3.If(policy == place(Allocation.PROFIT), size * mark - cost, counted), 1)
    own, whole = weight * lots, absolute(size) * per
    closed = z3.If(policy == place(Allocation.LEVERAGE), at_least(whole - own, 0), z3.If(own < whole, own, whole))
    exact = z3.If(policy == place(Allocation.QUEUE), whole, closed)
    return is_floor(value, exact, per) if name == PART_LEAST else is_rounded_up(value, exact, per)


def at_least(term: Any, least: int) -> Any:
    return z3.If(term >= least, term, least)


def absolute(term: Any) -> Any:
    return z3.If(term >= 0, term, -term)


def is_floor(value: Any, numerator: Any, denominator: Any) -> z3.BoolRef:
    return z3.And(value * denominator <= numerator, (value + 1) * denominator > numerator)


def get_bounds(case: SymCase) -> Iterator[z3.BoolRef]:
    """What a filler can realise: requirements within a ratio, longs and shorts within open interest, a short queue."""
    world = case.world
    # fillers' markets were marked at time zero
    yield world.timestamp.term >= 0
    longs: Any = 0
    shorts: Any = 0
    for account in world.accounts.first:
        rest: Any = account.positions.rest
        yield rest.initial.term <= 1_000 * rest.maintenance.term
        position: Any = account.positions.position
        if position is not None:
            longs += z3.If(position.size.term > 0, position.size.term, 0)
            shorts += z3.If(position.size.term < 0, -position.size.term, 0)
            yield absolute(position.size.term) <= 1_000
    yield longs <= world.sum_longs.term
    yield shorts <= world.sum_longs.term
    episode: Any = world.deleveraging
    if episode is not None:
        yield z3.And(episode.head.term <= 3, episode.queue.length.term <= 5)
    sharing: Any = world.sharing
    if sharing is not None:
        yield sharing.members.length.term <= 5
    if isinstance(case.event, BeginLossSharing) and case.rejected is None:
        # two fillers hold all lots, at no cost: the long's are all profit
        market: Any = world.market
        lots = world.sum_longs
        is_by_profit = world.rulebook.loss_sharing is LossSharing.PROFIT
        yield to_int(world.total_weight) == to_int(lots * market.mark_price if is_by_profit else 2 * lots)
