"""The two tables are one map, and a state on either goes the same way."""

from copy import deepcopy
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskcore.leverages import NO_LEVERAGES
from riskcore.quantities import Atoms, Lots, MarketId
from riskcore.state import NO_POSITION, Position, Positions, State, genesis
from riskcore.step import step
from riskcore.tables import DictTable, PersistentTable, Table
from riskcore.testing.desk import Desk
from riskcore.testing.naive.views import View
from riskcore.testing.observation import observe
from riskcore.testing.properties.strategies import randoms
from riskcore.testing.proposing.proposer import Proposer
from riskcore.testing.rulebooks import make_rulebook
from riskcore.testing.scenarios import draw_scenario, open_desk
from riskcore.testing.walks import walk

SEEDS = range(12)

# The map

writes = st.lists(st.tuples(st.sampled_from("abcdef"), st.integers()))


@given(writes)
def test_a_table_is_a_total_map(entries: list[tuple[str, int]]) -> None:
    made: list[Table[str, int]] = [DictTable(-7), PersistentTable(-7)]
    for empty in made:
        table = empty
        for key, value in entries:
            table = table.put(key, value)

        assert dict(entries) == dict(table.items())
        assert len(dict(entries)) == len(table)
        assert [dict(entries).get(key, -7) for key in "abcdefg"] == [table.get(key) for key in "abcdefg"]


@given(writes)
def test_a_persistent_table_keeps_every_version(entries: list[tuple[str, int]]) -> None:
    tables = [PersistentTable[str, int](0)]
    for key, value in entries:
        tables.append(tables[-1].put(key, value))

    for count, table in enumerate(tables):
        # what is absent leaves no entry
        assert {key: value for key, value in dict(entries[:count]).items() if value != 0} == dict(table.items())


#: More than any proof takes, and some that differ in case alone.
NAMES = [f"{letter}{number}" for number in range(100) for letter in "bAa"]


def test_a_large_table_is_a_total_map() -> None:
    made: list[Table[str, int]] = [DictTable(-7), PersistentTable(-7)]
    for empty in made:
        table = empty
        for count, name in enumerate(NAMES):
            table = table.put(name, count)
        for count, name in enumerate(NAMES[::2]):
            table = table.put(name, -count)
        expected = dict(zip(NAMES, range(len(NAMES)), strict=True))
        expected |= {name: -count for count, name in enumerate(NAMES[::2])}

        assert expected == dict(table.items())
        assert len(expected) == len(table)
        assert list(expected.values()) == [table.get(name) for name in expected]
        assert -7 == table.get("B1")


def test_many_positions_are_a_total_map() -> None:
    names = [MarketId(name) for name in NAMES[:30]]
    held = {name: Position(Lots(count), Atoms(count), Atoms(0)) for count, name in enumerate(names, start=1)}
    positions = Positions()
    for name, position in held.items():
        positions = positions.put(name, position)

    assert held == dict(positions.items())
    assert Positions(held) == positions
    for name in names[::2]:
        positions = positions.put(name, NO_POSITION)
    assert {name: held[name] for name in names[1::2]} == dict(positions.items())
    assert [NO_POSITION, held[names[1]]] == [positions.get(name) for name in names[:2]]


def test_what_an_account_has_by_market_equals_its_like_only() -> None:
    market, kept = MarketId("BTC"), Position(Lots(1), Atoms(2), Atoms(0))

    assert Positions().put(market, kept) == Positions().put(market, kept)
    assert Positions().put(market, kept) != Positions()
    assert NO_LEVERAGES != Positions()


def test_a_dict_table_writes_in_place() -> None:
    table = DictTable[str, int](0)

    assert table is table.put("a", 1)
    assert 1 == table.get("a")


def test_a_read_leaves_no_entry_behind() -> None:
    for table in (DictTable[str, int](0), PersistentTable[str, int](0)):
        table.get("a")

        assert 0 == len(table)


# States on them


def test_genesis_chooses_the_table() -> None:
    assert isinstance(genesis(make_rulebook()).accounts, PersistentTable)
    assert isinstance(genesis(make_rulebook(), mutable=True).accounts, DictTable)


def replay(desk: Desk, state: State) -> list[tuple[object, View]]:
    """The desk's events again from ``state``: each outcome with the view after it."""
    told: list[tuple[object, View]] = []
    for passage in desk.passages:
        outcome = step(state, passage.event)
        state = outcome.state
        told.append(((outcome.rejected, outcome.effects), observe(state)))
    return told


@pytest.mark.parametrize("seed", SEEDS)
def test_both_tables_go_the_same_way(seed: int) -> None:
    scenario = draw_scenario(Random(seed))._replace(debts={})
    desk = open_desk(scenario)
    proposer = Proposer(desk.venue, Random(seed))
    for _ in range(100):
        desk.step(proposer.propose())

    persistent = replay(desk, genesis(scenario.rulebook))
    assert persistent == replay(desk, genesis(scenario.rulebook, mutable=True))
    assert any(passage.rejected for passage in desk.passages)
    assert persistent[-1][1] == desk.view


@given(randoms)
def test_a_rejected_event_leaves_a_dict_table_as_it_was(random: Random) -> None:
    desk = open_desk(draw_scenario(random))
    proposer = Proposer(desk.venue, random)
    for _ in range(25):
        event = proposer.propose()
        before = deepcopy(desk.mutable)
        outcome = step(deepcopy(desk.mutable), event)
        if outcome.rejected is not None:
            assert list(before.accounts.items()) == list(outcome.state.accounts.items())
            assert list(before.markets.items()) == list(outcome.state.markets.items())
            assert list(before.seen.items()) == list(outcome.state.seen.items())
            assert observe(before) == observe(outcome.state)
        desk.step(event)


@pytest.mark.parametrize("seed", SEEDS)
def test_old_persistent_states_stay_valid(seed: int) -> None:
    passages = walk(seed, 100).passages

    for passage in passages:
        assert passage.before == observe(passage.old)
        assert passage.after == observe(passage.new)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_old_state_can_go_another_way(seed: int) -> None:
    # every event of the walk is tried again on the state half way, which must not notice
    passages = walk(seed, 60).passages
    half = passages[len(passages) // 2]
    for passage in passages:
        step(half.new, passage.event)

    assert half.after == observe(half.new)
