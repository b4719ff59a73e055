"""Each path's model, realised as a state and an event, and run by plain CPython.

``step`` on it must do what the path says. A path without a model would be vacuous.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

import z3

from riskcore.choices import Allocation, CloseOut, LossSharing
from riskcore.events import BeginDeleveraging, BeginLossSharing, ChangeRules, Header
from riskcore.prover.case import EPISODES, SymCase, run_event
from riskcore.prover.realisation import Realisation, Witness
from riskcore.prover.solver import new_solver
from riskcore.prover.symbols import to_bool, to_int
from riskcore.prover.tracer import (
    ARE_FEWEST,
    BRACKET_FLOOR,
    COST,
    INITIAL,
    MAINTENANCE,
    PART_LEAST,
    PART_MOST,
    Path,
    Tracer,
    get_paths,
)
from riskcore.quantities import RATE_ONE

#: z3's effort for one try at a model; what it does not find so is tried less pinned, then ABSTRACT.
TRY_RLIMIT = 20_000_000

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


#: What a function's value is at the arguments of one call: facts of the case, the value, the arguments.
Definition: TypeAlias = Callable[..., Iterator[z3.BoolRef]]


class UnknownFunction(Exception):
    """A path knows a function by contract of which no definition is known: its models would be made up."""


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
        # in a context of its own, so that the model does not depend on what the process did before
        solver = new_solver(TRY_RLIMIT)
        solver.add(*(fact.translate(solver.ctx) for fact in facts))
        solver.add(*(z3.Int(name, solver.ctx) == value for name, value in pins.items()))
        if solver.check() == z3.sat:
            return solver.model().translate(z3.main_ctx())
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
        if name not in DEFINITIONS:
            raise UnknownFunction(f"no definition of {name}, which the path knows by contract")
        yield from DEFINITIONS[name](case, value, *arguments)


def get_requirement_definition(case: SymCase, value: Any, size: Any, mark: Any) -> Iterator[z3.BoolRef]:
    yield is_rounded_up(value, size * mark * get_maintenance_rate(case), RATE_ONE)


def get_maintenance_rate(case: SymCase) -> Any:
    market: Any = case.world.market
    return to_int(market.rules.maintenance_margin_rate)


def get_initial_definition(
    case: SymCase, value: Any, size: Any, mark: Any, open_interest: Any, leverage: Any
) -> Iterator[z3.BoolRef]:
    """What the rules need, or the leverage if that is more: one of a few, so that models are quick to find."""
    market: Any = case.world.market
    notional, required = size * mark, z3.Int(f"required_for_{value}")
    yield is_rounded_up(required, notional * to_int(market.rules.initial_margin_rate), RATE_ONE)
    yield z3.Or(leverage == 0, *(leverage == one for one in LEVERAGES))
    yield z3.Implies(leverage == 0, value == required)
    for one in LEVERAGES:
        part = z3.Int(f"part_{one}_for_{value}")
        yield is_rounded_up(part, notional, one)
        yield z3.Implies(leverage == one, value == z3.If(part > required, part, required))


def is_rounded_up(value: Any, exact: Any, denominator: int) -> z3.BoolRef:
    return z3.And(value * denominator >= exact, (value - 1) * denominator < exact)


def get_cost_definition(case: SymCase, value: Any, size: Any, cost: Any, lots: Any, debit: Any) -> Iterator[z3.BoolRef]:
    after = size + lots
    kept = is_floor(value, cost * absolute(after), absolute(size))
    new = is_floor(value, debit * absolute(after), absolute(lots))
    yield z3.If(size * lots >= 0, value == cost + debit, z3.If(size * after > 0, kept, new))


def get_fewest_definition(
    case: SymCase, value: Any, size: Any, lots: Any, equity: Any, maintenance: Any
) -> Iterator[z3.BoolRef]:
    """One where so many lots are enough, or all, and one less is not; nobody asks of who has no equity left."""
    is_asked = z3.And(equity > 0, maintenance > 0, lots >= 1, lots <= absolute(size))
    spare, less = (z3.Int(f"spare_{closed}_for_{value}") for closed in ("by_all", "by_one_less"))
    for kept, closed in ((spare, lots), (less, lots - 1)):
        yield z3.Implies(is_asked, is_spare(case, kept, size, closed, equity, maintenance))
    is_fewest = z3.And(less < 0, z3.Or(lots == absolute(size), spare >= 0))
    yield z3.Implies(is_asked, (value == 1) == is_fewest)


def is_spare(case: SymCase, value: Any, size: Any, lots: Any, equity: Any, maintenance: Any) -> z3.BoolRef:
    """Whether the value is what the account has above maintenance once ``lots`` are closed at the rulebook's price."""
    market: Any = case.world.market
    mark, rate = to_int(market.mark_price), get_maintenance_rate(case)
    whole, rest, given = (z3.Int(f"{figure}_for_{value}") for figure in ("whole", "rest", "given"))
    facts = (
        is_rounded_up(whole, absolute(size) * mark * rate, RATE_ONE),
        is_rounded_up(rest, (absolute(size) - lots) * mark * rate, RATE_ONE),
        is_floor(given, equity * (whole - rest), maintenance),
    )
    at = {choice: to_int(case.rulebook.adl_close_out.place) == place for place, choice in enumerate(CloseOut)}
    price = z3.If(at[CloseOut.INDEX], to_int(market.index_price), mark)
    price = z3.If(at[CloseOut.PREVIOUS_MARK], to_int(market.previous_mark_price), price)
    worth = z3.If(size > 0, lots, -lots) * (price - mark)
    # the lots still have their part of the equity: the account gives no more, and gets nothing
    kept = z3.If(at[CloseOut.BANKRUPTCY], -given, z3.If(worth > 0, 0, at_least(worth, -given)))
    return z3.And(*facts, value == equity + kept - (maintenance - whole + rest))


def get_part_definition(name: str) -> Definition:
    """Of a part, rounded down or up."""

    def get_definition(
        case: SymCase, value: Any, policy: Any, size: Any, cost: Any, mark: Any, equity: Any, lots: Any, per: Any
    ) -> Iterator[z3.BoolRef]:
        place = tuple(Allocation).index
        counted = z3.If(policy == place(Allocation.CONTRACTS), absolute(size), equity)
        weight = at_least(z3.If(policy == place(Allocation.PROFIT), size * mark - cost, counted), 1)
        own, whole = weight * lots, absolute(size) * per
        closed = z3.If(policy == place(Allocation.LEVERAGE), at_least(whole - own, 0), z3.If(own < whole, own, whole))
        exact = z3.If(policy == place(Allocation.QUEUE), whole, closed)
        yield is_floor(value, exact, per) if name == PART_LEAST else is_rounded_up(value, exact, per)

    return get_definition


def get_no_definition(case: SymCase, value: Any, notional: Any) -> Iterator[z3.BoolRef]:
    """Any floor that the facts allow: the realised market has just that bracket."""
    return iter(())


#: Each function that paths know by contract, as it really is.
DEFINITIONS: dict[str, Definition] = {
    INITIAL: get_initial_definition,
    MAINTENANCE: get_requirement_definition,
    PART_LEAST: get_part_definition(PART_LEAST),
    PART_MOST: get_part_definition(PART_MOST),
    BRACKET_FLOOR: get_no_definition,
    COST: get_cost_definition,
    ARE_FEWEST: get_fewest_definition,
}


def at_least(term: Any, least: int) -> Any:
    return z3.If(term >= least, term, least)


def absolute(term: Any) -> Any:
    return z3.If(term >= 0, term, -term)


def is_floor(value: Any, numerator: Any, denominator: Any) -> z3.BoolRef:
    return z3.And(value * denominator <= numerator, (value + 1) * denominator > numerator)


def get_size_of(case: SymCase, id: Any) -> Any:
    """The position in the event's market of an account that the event took out."""
    table = case.world.accounts
    owners = (owner for key, owner in zip(table.keys, table.first, strict=True) if key.term.eq(id.term))
    return next(owners).positions.position.size.term


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
    if isinstance(case.event, BeginDeleveraging) and case.rejected is None:
        # a filler is opposite, and so in the queue
        size = get_size_of(case, case.event.account)
        yield z3.And(
            z3.Implies(size > 0, shorts < world.sum_longs.term), z3.Implies(size < 0, longs < world.sum_longs.term)
        )
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
