"""Every planted fault is found: by an obligation that dies, or else by a check of what proofs leave out."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from riskcore import State, genesis, step
from riskcore.mutation.planting import NotPlantable, get_functions
from riskcore.prover.solver import Verdict
from riskcore.quantities import MarketId, apply_rate
from riskcore.step import apply
from riskcore.tables import DictTable, PersistentTable
from riskcore.trading import apply_rate as imported_by_value  # type: ignore[attr-defined]
from tests.faults.catalogue import FAULTS
from tests.faults.examples import CHECKS, RULEBOOK, get_plain_example, play_plain_example
from tests.faults.hunting import get_full_name, hunt
from tests.faults.kinds import KINDS, NO_PLACE
from tests.faults.planting import Fault, get_changed, plant
from tests.faults.table import README, get_page, strip_seconds
from tests.test_architecture import KERNEL

PROVEN = [fault for fault in FAULTS if fault.unit]
UNSEEN = [fault for fault in FAULTS if not fault.unit]

#: Functions that no fault is planted in: what they do wrong would be no wrong rule.
PLUMBING = {
    "tables": {
        *(f"Table.{name}" for name in ("get", "put", "items", "__len__")),
        *(f"{table}.{name}" for table in ("DictTable", "PersistentTable") for name in ("__init__", "__len__")),
    },
    "journal": {"Holder.__init__", "Journal.__init__", "Journal.parties", "Journal.holders", "Journal.orders"},
    "events": {"_text_or_none"},
    "per_market": {f"PerMarket.{name}" for name in ("__len__", "__hash__", "__repr__")},
}


def name_of(fault: Fault) -> str:
    return fault.name


# Planting


def play(count: int) -> State:
    """The plain example's first events."""
    state = genesis(RULEBOOK)
    for event in get_plain_example()[:count]:
        state = step(state, event).state
    return state


def make_fault(module: str = "quantities", old: str = "// RATE_ONE)", new: str = "// RATE_ONE + 1)") -> Fault:
    return Fault("some_fault", "something is wrong", (), module, old, new)


def test_who_imported_a_function_by_value_meets_the_fault() -> None:
    with plant(make_fault()):
        assert (0, 0) == (apply_rate(1_000_000, 1), imported_by_value(1_000_000, 1))

    assert (1, 1) == (apply_rate(1_000_000, 1), imported_by_value(1_000_000, 1))


def test_a_fault_is_dug_out_when_the_block_fails() -> None:
    with pytest.raises(RuntimeError), plant(make_fault()):
        raise RuntimeError

    assert 1 == apply_rate(1_000_000, 1)


def test_methods_can_be_wrong() -> None:
    with plant(make_fault("journal", "payer.balance -= amount", "payer.balance -= 2 * amount")):
        state = play(2)

    assert -24_000 == state.reserves.outside


def test_static_methods_can_be_wrong() -> None:
    with plant(make_fault("journal", "return max(size, 0) - max(position.size, 0)", "return 1")):
        market = play(7).markets.get(MarketId("BTC"))

    assert market is not None
    assert 2 == market.open_interest


def test_properties_can_be_wrong() -> None:
    with plant(make_fault("journal", "return tuple(party.id for party in self._accounts)", "return ()")):
        journal = apply(play(1), get_plain_example()[1])

        assert not journal.parties
    assert ("amber",) == journal.parties


def test_defaults_can_be_wrong() -> None:
    with plant(make_fault("state", "mutable: bool = False", "mutable: bool = True")):
        assert isinstance(genesis(RULEBOOK).accounts, DictTable)

    assert isinstance(genesis(RULEBOOK).accounts, PersistentTable)


@pytest.mark.parametrize(
    ("module", "old"),
    [("quantities", "no such snippet"), ("quantities", "numerator"), ("quantities", "RATE_ONE = 1_000_000")],
    ids=["not there", "there twice", "in no function"],
)
def test_a_snippet_that_cannot_be_planted_is_refused(module: str, old: str) -> None:
    with pytest.raises(NotPlantable), plant(make_fault(module, old, "RATE_ONE = 2")):
        pass


# The catalogue


def test_every_kind_of_fault_is_planted() -> None:
    planted = {kind for fault in FAULTS for kind in fault.kinds}

    assert set(KINDS) == planted
    assert set(NO_PLACE) <= set(KINDS)


def test_faults_have_names_of_their_own_and_one_way_to_be_found() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert len({(fault.module, fault.old, fault.new) for fault in FAULTS}) == len(FAULTS)
    assert all(bool(fault.kills) == bool(fault.unit) != bool(fault.log) for fault in FAULTS)


def test_proofs_alone_kill_nearly_all() -> None:
    assert len(PROVEN) >= 20
    assert len(PROVEN) * 10 >= len(FAULTS) * 9


@pytest.mark.parametrize("module", KERNEL)
def test_every_function_that_can_be_wrong_is_wrong_once(module: str) -> None:
    # the package shows the function ``step``, not its module
    home = sys.modules[f"riskcore.{module}"]
    assert home.__file__ is not None
    functions = set(get_functions(Path(home.__file__).read_text(encoding="utf-8")))
    planted = {
        function.__qualname__ for fault in FAULTS if fault.module == module for function, _ in get_changed(home, fault)
    }

    assert functions - PLUMBING.get(module, set()) == planted


def test_the_table_is_current() -> None:
    page = README.read_text(encoding="utf-8")

    assert strip_seconds(get_page({fault.name: "0.0" for fault in PROVEN})) == strip_seconds(page)


# What a fault does


def test_the_plain_example_reaches_every_stage_and_agrees_with_the_model() -> None:
    play_plain_example()


@pytest.mark.parametrize("mutable", [False, True], ids=["persistent", "dict"])
def test_the_plain_example_runs_with_any_fault(mutable: bool) -> None:
    for fault in FAULTS:
        with plant(fault):
            state = genesis(RULEBOOK, mutable=mutable)
            for event in get_plain_example():
                state = step(state, event).state


@pytest.mark.parametrize("fault", PROVEN, ids=name_of)
def test_the_proofs_find(fault: Fault) -> None:
    results = hunt(fault)

    assert [get_full_name(fault.unit, name) for name in fault.kills] == [result.name for result in results]
    assert [] == [result for result in results if result.verdict != Verdict.VIOLATED]


@pytest.mark.parametrize("fault", UNSEEN, ids=name_of)
def test_a_check_shows(fault: Fault) -> None:
    CHECKS[fault.log]()

    with plant(fault), pytest.raises(AssertionError):
        CHECKS[fault.log]()
