"""Snapshots and the state hash: what comes back is what went in, and the hash means the state and nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings

from riskcore.bad_input import Fault, LogError
from riskcore.events import Event
from riskcore.log import LogReader
from riskcore.quantities import AccountId, Atoms, EventId, Lots, MarketId, Price, Time
from riskcore.replay import replay
from riskcore.snapshot import get_state_hash, load_state, save_state
from riskcore.state import Account, Position, Positions, State, genesis
from riskcore.step import step
from tests.log_cases import RULEBOOK, make_waterfall_events, write_snapshot_log, write_waterfall_log
from tests.random_states import states

ROOT = Path(__file__).parent.parent


def run(events: list[Event], mutable: bool = False) -> State:
    state = genesis(RULEBOOK, mutable=mutable)
    for event in events:
        state = step(state, event).state
    return state


def get_content(state: State) -> tuple[object, ...]:
    """All that a state holds, whatever its tables."""
    tables = (state.accounts, state.markets, state.seen)
    contents: list[object] = [dict(table.items()) for table in tables]
    return (state.rulebook, *contents, state.reserves, state.deleveraging, state.sequence, state.timestamp)


# Files


@settings(max_examples=100)
@given(state=states())
def test_a_state_survives_a_file(state: State, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "state.json"
    save_state(state, path)

    assert get_content(state) == get_content(load_state(path))
    assert get_content(state) == get_content(load_state(path, mutable=True))


@pytest.mark.parametrize("count", range(len(make_waterfall_events()) + 1))
def test_a_replay_goes_on_from_any_snapshot(count: int, tmp_path: Path) -> None:
    """Also from the middle of a deleveraging."""
    events = make_waterfall_events()
    save_state(run(events[:count]), tmp_path / "state.json")
    state = load_state(tmp_path / "state.json", mutable=True)
    for event in events[count:]:
        state = step(state, event).state

    assert get_content(run(events)) == get_content(state)
    assert get_state_hash(run(events)) == get_state_hash(state)


def test_a_log_starts_from_its_snapshot(tmp_path: Path) -> None:
    whole = replay(write_waterfall_log(tmp_path))
    rest = replay(write_snapshot_log(tmp_path))

    assert whole.state_hash == rest.state_hash
    assert rest.events < whole.events


def test_the_rulebook_of_the_header_governs(tmp_path: Path) -> None:
    path = write_snapshot_log(tmp_path)
    path.write_text(path.read_text().replace('"insurance_floor":0', '"insurance_floor":7'))

    with LogReader(path) as log:
        assert evolve(RULEBOOK, insurance_floor=Atoms(7)) == log.state.rulebook


def test_an_id_that_the_snapshot_accepted_is_refused(tmp_path: Path) -> None:
    path = write_snapshot_log(tmp_path)
    path.write_text(path.read_text().replace('"id":"e25"', '"id":"e1"'))

    with pytest.raises(LogError) as caught:
        replay(path)

    assert str(caught.value) == f'{path}:5: id: expected an id that no line before has, got "e1"'


def test_integers_above_64_bits_survive_a_file(tmp_path: Path) -> None:
    huge = Account(
        Atoms(-(10**200)), Positions({MarketId("BTC"): Position(Lots(2**70), Atoms(-(2**90)), Atoms(2**65))})
    )
    state = run(make_waterfall_events())
    state = evolve(state, accounts=state.accounts.put(AccountId("huge"), huge))
    save_state(state, tmp_path / "state.json")

    assert huge == load_state(tmp_path / "state.json").accounts.get(AccountId("huge"))


def make_unfit(state: State) -> dict[str, State]:
    """States that no snapshot may hold."""
    btc = MarketId("BTC")
    market, episode = state.markets.get(btc), state.deleveraging
    assert market is not None and episode is not None
    long = state.accounts.get(AccountId("long"))
    lone, too_large = AccountId("\ud800"), 10**400
    doge = Positions({MarketId("DOGE"): Position(Lots(1), Atoms(1), Atoms(0))})
    giant = Positions({btc: Position(Lots(1), Atoms(too_large), Atoms(0))})

    def with_account(id: AccountId, account: Account) -> State:
        return evolve(state, accounts=state.accounts.put(id, account))

    return {
        f"accounts.{json.dumps(lone)[1:-1]}": with_account(lone, long),
        "accounts.quiet.positions.DOGE": with_account(AccountId("quiet"), Account(Atoms(1), doge)),
        "accounts.quiet.positions.BTC.cost": with_account(AccountId("quiet"), Account(Atoms(1), giant)),
        "accounts.quiet.balance": with_account(AccountId("quiet"), Account(Atoms(too_large), Positions())),
        "seen": evolve(state, seen=state.seen.put(EventId("\ud800"), True)),
        "sequence": evolve(state, sequence=too_large),
        "timestamp": evolve(state, timestamp=Time(too_large)),
        "reserves.fees": evolve(state, reserves=evolve(state.reserves, fees=Atoms(-too_large))),
        "rulebook.insurance_floor": evolve(state, rulebook=evolve(RULEBOOK, insurance_floor=Atoms(-1))),
        "markets.BTC.mark_price": evolve(state, markets=state.markets.put(btc, evolve(market, mark_price=Price(0)))),
        "deleveraging.head": evolve(state, deleveraging=evolve(episode, head=9)),
    }


@pytest.mark.parametrize("field", make_unfit(run(make_waterfall_events()[:21])))
def test_a_state_that_could_not_be_loaded_is_not_saved(field: str, tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text("old")
    unfit = make_unfit(run(make_waterfall_events()[:21]))

    with pytest.raises(Fault) as caught:
        save_state(unfit[field], path)

    assert (field, "old") == (caught.value.field, path.read_text())
    assert [path] == list(tmp_path.iterdir())


# The hash


def test_the_hash_is_that_of_the_documented_encoding(tmp_path: Path) -> None:
    state = run(make_waterfall_events()[:21])
    save_state(state, tmp_path / "state.json")
    members = json.loads((tmp_path / "state.json").read_text())
    del members["seen"], members["riskcore_snapshot"]
    members["accounts"] = {
        id: account for id, account in members["accounts"].items() if account != {"balance": 0, "positions": {}}
    }
    text = json.dumps(members, sort_keys=True, separators=(",", ":"))

    assert state.deleveraging is not None
    assert hashlib.sha256(text.encode()).hexdigest() == get_state_hash(state)


@settings(max_examples=50)
@given(state=states())
def test_the_hash_does_not_depend_on_the_tables(state: State, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "state.json"
    save_state(state, path)

    assert get_state_hash(state) == get_state_hash(load_state(path, mutable=True))


@pytest.mark.parametrize("mutable", [True, False])
def test_the_hash_does_not_depend_on_the_order_of_entry(mutable: bool) -> None:
    accounts = {AccountId(name): Account(Atoms(i + 1), Positions()) for i, name in enumerate("abcdef")}
    state, other = genesis(RULEBOOK, mutable=mutable), genesis(RULEBOOK, mutable=mutable)
    for id in accounts:
        state = evolve(state, accounts=state.accounts.put(id, accounts[id]))
    for id in reversed(accounts):
        other = evolve(other, accounts=other.accounts.put(id, accounts[id]))

    assert get_state_hash(state) == get_state_hash(other)


def test_the_hash_does_not_depend_on_the_hash_seed(tmp_path: Path) -> None:
    path = write_waterfall_log(tmp_path)
    code = "import sys, pathlib, riskcore.replay as r; print(r.replay(pathlib.Path(sys.argv[1])).state_hash)"
    found = {
        subprocess.run(
            [sys.executable, "-c", code, str(path)],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("0", "1", "4242")
    }

    assert {replay(path).state_hash} == found


def test_the_hash_of_the_example_is_what_it_always_was() -> None:
    # but for what BTC has used of the insurance fund, which it records
    expected = "7b1b3fbfedeebbc46930b24050ca8cfbe57691654f00a2d87c31f8a79331ff3e"

    assert expected == get_state_hash(run(make_waterfall_events()))


def test_empty_accounts_and_seen_ids_are_not_in_the_hash() -> None:
    state = run(make_waterfall_events())
    other = evolve(
        state,
        accounts=state.accounts.put(AccountId("nobody"), Account(Atoms(0), Positions())),
        seen=state.seen.put(EventId("more"), True),
    )

    assert get_state_hash(state) == get_state_hash(other)


@pytest.mark.parametrize("time", [0, 5])
def test_when_an_account_was_liquidated_is_kept_in_a_snapshot(tmp_path: Path, time: int) -> None:
    state = run(make_waterfall_events())
    holder = AccountId("flat")
    state = evolve(state, accounts=state.accounts.put(holder, Account(Atoms(0), Positions(), Time(time))))
    save_state(state, tmp_path / "state.json")

    assert time == load_state(tmp_path / "state.json").accounts.get(holder).liquidated
    assert get_state_hash(state) == get_state_hash(load_state(tmp_path / "state.json"))


def make_changes(state: State) -> dict[str, State]:
    account = state.accounts.get(AccountId("short"))
    position = account.positions.get(MarketId("BTC"))
    market = state.markets.get(MarketId("BTC"))
    assert market is not None and state.deleveraging is not None

    def with_account(changed: Account) -> State:
        return evolve(state, accounts=state.accounts.put(AccountId("short"), changed))

    def with_position(**values: Any) -> State:
        return with_account(
            evolve(account, positions=account.positions.put(MarketId("BTC"), evolve(position, **values)))
        )

    return {
        "balance": with_account(evolve(account, balance=Atoms(account.balance + 1))),
        "liquidated": with_account(evolve(account, liquidated=Time(1))),
        "size": with_position(size=Lots(position.size - 1)),
        "cost": with_position(cost=Atoms(position.cost - 1)),
        "entry": with_position(entry_index=Atoms(position.entry_index - 1)),
        "mark": evolve(state, markets=state.markets.put(MarketId("BTC"), evolve(market, mark_price=Price(1)))),
        "remainder": evolve(state, markets=state.markets.put(MarketId("BTC"), evolve(market, funding_remainder=-1))),
        "reserves": evolve(state, reserves=evolve(state.reserves, fees=Atoms(-9))),
        "head": evolve(state, deleveraging=evolve(state.deleveraging, head=1)),
        "closed": evolve(state, deleveraging=None),
        "sequence": evolve(state, sequence=99),
        "timestamp": evolve(state, timestamp=Time(99)),
        "rulebook": evolve(state, rulebook=evolve(RULEBOOK, adl_solvent=False)),
    }


def test_every_field_is_in_the_hash() -> None:
    state = run(make_waterfall_events()[:21])
    changes = make_changes(state)
    hashes = {get_state_hash(changed) for changed in changes.values()}

    assert len(changes) == len(hashes)
    assert get_state_hash(state) not in hashes


# Bad files


def set_at(members: Any, path: str, value: object) -> None:
    """Set or, with ``...``, remove what ``path`` leads to."""
    *folders, name = path.split(".")
    for folder in folders:
        members = members[folder]
    if value is ...:
        del members[name]
    else:
        members[name] = value


REMAINDER = "expected at least 0 and less than 3600000000000, a million times the funding interval"
NUMBER = "expected an integer of at most 400 digits"
#: What is changed in a snapshot, to what, and the sentence about it.
SPOILT: dict[str, tuple[str, object, str]] = {
    "no version": (
        "riskcore_snapshot",
        ...,
        "riskcore_snapshot: expected this field, with the schema version 1, got none",
    ),
    "another version": ("riskcore_snapshot", "1", 'riskcore_snapshot: expected the schema version 1, got "1"'),
    "missing": ("seen", ..., "seen: expected this field in a snapshot, got none"),
    "float": ("accounts.long.balance", 1.5, f"accounts.long.balance: {NUMBER}, got the float 1.5"),
    "true": ("sequence", True, f"sequence: {NUMBER}, got the boolean true"),
    "string": ("timestamp", "1", f'timestamp: {NUMBER}, got "1"'),
    "accounts no object": ("accounts", [], "accounts: expected an object, got an array"),
    "account no object": ("accounts.long", 5, "accounts.long: expected an object, got 5"),
    "account field missing": (
        "accounts.long.positions",
        ...,
        "accounts.long.positions: expected this field in an account, got none",
    ),
    "position field missing": (
        "accounts.long.positions.ETH.size",
        ...,
        "accounts.long.positions.ETH.size: expected this field in position, got none",
    ),
    "position of size zero": (
        "accounts.long.positions.ETH.size",
        0,
        "accounts.long.positions.ETH.size: expected a size that is not zero, got 0",
    ),
    "position in no market": (
        "markets.ETH",
        ...,
        "accounts.long.positions.ETH: expected a market of this snapshot, got another",
    ),
    "liquidated later": (
        "accounts.long.liquidated",
        1_760_000_000_022,
        "accounts.long.liquidated: expected a time that is not after the snapshot's, got 1760000000022",
    ),
    "liquidated before all time": (
        "accounts.long.liquidated",
        -2,
        "accounts.long.liquidated: expected a time that is not after the snapshot's, got -2",
    ),
    "liquidated at a float": (
        "accounts.long.liquidated",
        1.5,
        f"accounts.long.liquidated: {NUMBER}, got the float 1.5",
    ),
    "empty name": ("accounts..balance", 0, 'accounts: expected a string that is not empty, got ""'),
    "mark zero": ("markets.BTC.mark_price", 0, "markets.BTC.mark_price: expected a price above zero, got 0"),
    "remainder below zero": (
        "markets.BTC.funding_remainder",
        -1,
        f"markets.BTC.funding_remainder: {REMAINDER}, got -1",
    ),
    "remainder of a whole atom": (
        "markets.BTC.funding_remainder",
        3_600_000_000_000,
        f"markets.BTC.funding_remainder: {REMAINDER}, got 3600000000000",
    ),
    "funding to come": (
        "markets.BTC.funding_time",
        1_760_000_000_022,
        "markets.BTC.funding_time: expected a time that is not after the snapshot's, got 1760000000022",
    ),
    "open interest below zero": (
        "markets.BTC.open_interest",
        -7,
        "markets.BTC.open_interest: expected lots, zero or more, got -7",
    ),
    "decimal string": (
        "markets.BTC.mark_price",
        "12",
        'markets.BTC.mark_price: expected an integer of atoms per lot, 400 digits at most, got "12"',
    ),
    "rules": (
        "markets.BTC.rules.maintenance_margin_rate",
        0,
        "markets.BTC.rules: expected rates in the admissible range, got others",
    ),
    "reserve missing": ("reserves.transit", ..., "reserves.transit: expected this field in reserves, got none"),
    "rulebook": (
        "rulebook.insurance_floor",
        -1,
        "rulebook.insurance_floor: expected a number that an admissible rulebook can have, got -1",
    ),
    "episode in no market": (
        "deleveraging.market",
        "DOGE",
        'deleveraging.market: expected a market of this snapshot, got "DOGE"',
    ),
    "episode of other lots": (
        "deleveraging.lots",
        41,
        "deleveraging.lots: expected lots less those done, above zero and all that the account holds, got 41",
    ),
    "episode of no lots": (
        "deleveraging.lots",
        0,
        "deleveraging.lots: expected lots less those done, above zero and all that the account holds, got 0",
    ),
    "episode done with more than it has": (
        "deleveraging.done",
        -1,
        "deleveraging.lots: expected lots less those done, above zero and all that the account holds, got 40",
    ),
    "head below zero": ("deleveraging.head", -1, "deleveraging.head: expected a place in the queue, got -1"),
    "episode at its end": ("deleveraging.head", 2, "deleveraging.head: expected a place in the queue, got 2"),
    "episode against its own side": (
        "deleveraging.queue",
        ["vault"],
        "deleveraging.queue: expected different accounts on the opposite side behind the head, got others",
    ),
    "episode against a flat account": (
        "deleveraging.queue",
        ["quiet"],
        "deleveraging.queue: expected different accounts on the opposite side behind the head, got others",
    ),
    "episode against one twice": (
        "deleveraging.queue",
        ["short", "short"],
        "deleveraging.queue: expected different accounts on the opposite side behind the head, got others",
    ),
    "queue of numbers": (
        "deleveraging.queue",
        [1],
        "deleveraging.queue[0]: expected a string that is not empty, got 1",
    ),
    "ids no array": ("seen", {}, "seen: expected an array of strings, got an object"),
}


@pytest.mark.parametrize(("path", "value", "sentence"), SPOILT.values(), ids=SPOILT.keys())
def test_a_spoilt_snapshot_is_refused(path: str, value: object, sentence: str, tmp_path: Path) -> None:
    write_snapshot_log(tmp_path)
    file = tmp_path / "any.json"
    members = json.loads(file.read_text())
    if path.startswith("accounts.."):
        members["accounts"][""] = {"balance": 0, "positions": {}}
    else:
        set_at(members, path, value)
    file.write_text(json.dumps(members))

    with pytest.raises(LogError) as caught:
        load_state(file)

    assert str(caught.value) == f"{file}: {sentence}"


def test_a_malformed_snapshot_names_its_line(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    file.write_text('{"accounts": {},\n"markets" 5}')

    with pytest.raises(LogError) as caught:
        load_state(file)

    expected = f"{file}:2: expected one JSON object, got malformed JSON at column 11: expecting ':' delimiter"
    assert expected == str(caught.value)


def test_invalid_utf_8_in_a_snapshot_names_its_line(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    file.write_bytes(b'{"accounts": {},\n"\xff": 5}')

    with pytest.raises(LogError) as caught:
        load_state(file)

    assert str(caught.value) == f"{file}:2: expected one JSON object, got invalid UTF-8 at byte 19"


def test_a_market_that_ends_does_so_after_a_snapshot_and_one_that_says_nothing_does_not(tmp_path: Path) -> None:
    file = tmp_path / "any.json"
    for settling in (True, False):
        state = run(make_waterfall_events()[:2])
        for id, market in list(state.markets.items()):
            assert market is not None
            state = evolve(state, markets=state.markets.put(id, evolve(market, settling=settling)))
        save_state(state, file)

        assert sorted(state.markets.items()) == sorted(load_state(file).markets.items())
    file.write_text(file.read_text().replace(',"settling":false', ""))
    assert "settling" not in file.read_text()
    assert sorted(state.markets.items()) == sorted(load_state(file).markets.items())


def test_a_snapshot_with_a_key_twice_is_refused(tmp_path: Path) -> None:
    write_snapshot_log(tmp_path)
    file = tmp_path / "any.json"
    file.write_text(file.read_text().replace('"maker":', '"quiet":'))

    with pytest.raises(LogError) as caught:
        load_state(file)

    assert str(caught.value) == f"{file}: quiet: expected each key once, got the key twice"


def test_a_number_of_401_digits_is_refused(tmp_path: Path) -> None:
    write_snapshot_log(tmp_path)
    file = tmp_path / "any.json"
    file.write_text(file.read_text().replace('"sequence":21', '"sequence":' + "1" * 401))

    with pytest.raises(LogError) as caught:
        load_state(file)

    assert str(caught.value) == f"{file}: sequence: {NUMBER}, got an integer of 401 digits"
