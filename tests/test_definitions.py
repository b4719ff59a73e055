"""The functions that a path knows by contract, as its models have them: each by its own name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import product
from types import SimpleNamespace
from typing import Any

import attrs
import pytest
import z3

from riskcore.choices import AdlSize, CloseOut
from riskcore.events import BeginDeleveraging
from riskcore.margin import get_initial_requirement, get_maintenance_requirement
from riskcore.prover.case import SymCase, run_event
from riskcore.prover.realisation import Realisation
from riskcore.prover.symbols import to_bool, to_int
from riskcore.prover.tracer import ARE_FEWEST, Path, get_paths
from riskcore.prover.witness import UnknownFunction, find_model, get_definitions, get_fewest_definition
from riskcore.quantities import Lots, Rate, Time
from riskcore.rulebook import MarketRules
from riskcore.rules import Rule
from riskcore.state import Market
from riskcore.testing.rulebooks import make_rulebook
from specs.close_out import is_fewest


@cache
def get_openings() -> tuple[Path[SymCase], ...]:
    """The paths of a deleveraging's beginning that ask whether its lots are the fewest."""
    paths = get_paths(lambda tracer: run_event(tracer, BeginDeleveraging, episode=None))
    return tuple(path for path in paths if path.result is not None and get_fewest_calls(path.result))


def get_fewest_calls(case: SymCase) -> list[Any]:
    return [(arguments, value) for name, arguments, value in case.world.tracer.calls if name == ARE_FEWEST]


def get_case() -> Any:
    return next(path.result for path in get_openings())


FIGURES = list(product((10, -10), (1, 4, 9, 10), (1, 40, 99), (100, 130)))


@pytest.mark.parametrize("choice", CloseOut)
def test_the_fewest_are_those_of_the_specification(choice: CloseOut) -> None:
    case = get_case()
    prices = {"mark_price": 100, "previous_mark_price": 97, "index_price": 104}
    rules = MarketRules(Rate(200_000), Rate(100_000), Rate(0), Rate(0), Rate(0))
    market = attrs.evolve(Market(rules, 100, 0, 0, Time(0), Lots(0)), **prices)  # type: ignore[arg-type]
    rulebook = attrs.evolve(make_rulebook(), adl_close_out=choice, adl_size=AdlSize.NEEDED)
    pins = [to_int(getattr(case.world.market, name)) == price for name, price in prices.items()]
    pins += [to_int(case.world.market.rules.maintenance_margin_rate) == 100_000]
    value = z3.Int("value")
    found = []
    for figures in FIGURES:
        solver = z3.Solver()
        terms = map(z3.IntVal, figures)
        solver.add(*pins, to_bool(case.rulebook.adl_close_out == choice))
        solver.add(*get_fewest_definition(case, value, *terms))
        expected = bool(is_fewest(rulebook, market, *figures))
        found.append(expected)

        assert z3.sat == solver.check((value == 1) if expected else value != 1)
        assert z3.unsat == solver.check((value == 1) != expected)
    assert {True, False} == set(found)


@pytest.mark.parametrize("rejected", [None, Rule.NOT_THE_LOTS_TO_CLOSE])
def test_a_path_that_closes_a_part_has_a_state_that_does(rejected: Rule | None) -> None:
    found = [
        Realisation(model, path.result).check()
        for path in get_openings()
        if path.result is not None and path.result.rejected is rejected
        for model in get_models_of_a_part(path)
    ]

    assert found
    assert [()] * len(found) == [one.mismatches for one in found]
    assert {AdlSize.NEEDED} == {one.state.rulebook.adl_size for one in found}


def get_models_of_a_part(path: Path[SymCase]) -> Iterator[z3.ModelRef]:
    """At mark, where an account with equity left has more lots than are to be closed."""
    case: Any = path.result
    (size, lots, equity, _), _ = get_fewest_calls(case)[0]
    is_part = (lots < z3.If(size > 0, size, -size), equity > 0)
    rulebook = case.rulebook
    chosen = (rulebook.adl_size == AdlSize.NEEDED) & (rulebook.adl_close_out == CloseOut.MARK)
    model = find_model([*path.condition, *is_part, to_bool(chosen)], case)
    if model is not None:
        yield model


def test_a_function_without_a_definition_is_refused() -> None:
    case = get_case()
    calls = case.world.tracer.calls
    calls.append(("some_function", (z3.IntVal(1),), z3.Int("some_value")))
    try:
        with pytest.raises(UnknownFunction, match="some_function"):
            list(get_definitions(case))
    finally:
        calls.pop()


@pytest.mark.parametrize("unit", [1, 999_999, 10**6, 10**40])
@pytest.mark.parametrize(("maintenance", "over"), [(1, 0), (7, 5), (5, 7)])
def test_what_other_positions_need_is_made_up_at_any_size(unit: int, maintenance: int, over: int) -> None:
    """Two fillers at most, whatever numbers a model has; z3's choice of them is nobody's to foresee."""
    needs = {"value": -3 * unit, "initial": (maintenance + over) * unit, "maintenance": maintenance * unit}
    account = SimpleNamespace(positions=SimpleNamespace(rest=SimpleNamespace(is_fresh=True, **needs)))
    solver = z3.Solver()
    solver.check()
    fillers = list(Realisation(solver.model(), get_case()).get_rest(account))
    totals = {
        "value": sum(market.mark_price + position.entry_index for _, market, position in fillers),
        "initial": sum(get_initial_requirement(market, 1, Lots(1), 0) for _, market, _ in fillers),
        "maintenance": sum(get_maintenance_requirement(market, 1) for _, market, _ in fillers),
    }

    assert len(fillers) <= 2
    assert needs == totals
