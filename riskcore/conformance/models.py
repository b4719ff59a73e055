"""A state and an event for each path of an event through the kernel, as plain as the path lets them be.

Any model of a path would do to show it. But one that happens to have an order book, or a market with a part of the
insurance fund of its own, where the path does not ask, keeps engines without these from taking the case.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import z3
from attrs import evolve

from riskcore.choices import Allocation, MarketStatus
from riskcore.events import Header
from riskcore.prover.case import EPISODES, SymCase, run_event
from riskcore.prover.realisation import Realisation, Witness
from riskcore.prover.symbols import to_bool, to_int
from riskcore.prover.tracer import Path, Tracer, get_paths
from riskcore.prover.witness import PINS, get_bounds, get_definitions, get_witness
from riskcore.quantities import MarketId
from riskcore.refute import empty_books
from riskcore.state import Market
from riskcore.tables import Table

#: A market that realised states have for what is left of the insurance fund's separate parts.
_FUND: Final = MarketId("filler-fund")
#: Of the solver, for one try: a fraction of a second.
_STEPS: Final = 1_500_000
_NO_MARKET: Final[Market | None] = None


def get_plain_witnesses(kind: type[Header]) -> Iterator[Witness | None]:
    """As the prover's witnesses, one for each path in the same order; None where no model was found."""
    for episode in EPISODES:

        def run(tracer: Tracer, open: str | None = episode) -> SymCase:
            return run_event(tracer, kind, episode=open)

        for path in get_paths(run):
            yield get_plain_witness(path)


def get_plain_witness(path: Path[SymCase]) -> Witness | None:
    case = path.result
    if case is None:
        return None
    plain: list[z3.BoolRef] = []
    for group in _list_plain(case):
        wanted = [*plain, *group]
        # the path's own condition says at once what it does not let be
        if _solve([*path.condition, *wanted]) is not None:
            plain = wanted
    facts = [*path.condition, *plain, to_bool(case.world.get_part_facts()), *get_definitions(case), *get_bounds(case)]
    pinned = ([z3.Int(name) == value for name, value in pins.items()] for pins in PINS[:2])
    model = next((found for found in (_solve([*facts, *pins]) for pins in pinned) if found is not None), None)
    if model is None:
        return get_witness(path)
    witness = Realisation(model, case).check()
    return evolve(witness, state=evolve(witness.state, markets=_drop_empty_fund(witness.state.markets)))


def _solve(facts: list[z3.BoolRef]) -> z3.ModelRef | None:
    """A model that is found soon: by steps of the solver, and not by a clock, so that it is the same everywhere."""
    solver = z3.Solver()
    solver.set("rlimit", _STEPS)
    solver.add(*facts)
    return solver.model() if solver.check() == z3.sat else None


def _list_plain(case: SymCase) -> Iterator[Iterator[z3.BoolRef]]:
    """Groups of facts, each of which spares the state a mechanism."""
    yield iter([z3.Not(to_bool(case.rulebook.has_book)), *empty_books(case)])
    yield _share_the_fund(case)
    yield iter([to_int(case.rulebook.adl_allocation.place) == tuple(Allocation).index(Allocation.QUEUE)])
    yield _stay_open(case)


def _share_the_fund(case: SymCase) -> Iterator[z3.BoolRef]:
    """No market has a part of the insurance fund of its own."""
    world, market = case.world, case.world.market
    yield to_int(world.separate_insurance) == 0
    yield to_int(world.sum_insurance) == 0
    if market is not None:
        yield z3.Not(to_bool(market.rules.insurance_separate))


def _stay_open(case: SymCase) -> Iterator[z3.BoolRef]:
    market: Any = case.world.market
    if market is not None:
        yield to_int(market.status.place) == tuple(MarketStatus).index(MarketStatus.OPEN)


def _drop_empty_fund(markets: Table[MarketId, Market | None]) -> Table[MarketId, Market | None]:
    """Without the market that is there for parts of the fund, where there are none."""
    fund = markets.get(_FUND)
    return markets.put(_FUND, _NO_MARKET) if fund is not None and fund.insurance == 0 else markets
