"""Snapshots and the state hash: what comes back is what went in, and the hash means the state and nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from riskcore.bad_input import Fault, LogError
from riskcore.choices import MarketStatus
from riskcore.codec import check_admissible, check_rulebook, get_numbers
from riskcore.events import Event
from riskcore.log import LogReader
from riskcore.quantities import AccountId, Atoms, EventId, Lots, MarketId, Price, Shares, Time
from riskcore.replay import replay
from riskcore.rulebook import is_admissible_market, is_admissible_rulebook
from riskcore.snapshot import get_state_hash, load_state, save_state
from riskcore.state import Account, Draws, Position, Positions, Stake, State, genesis
from riskcore.step import step
from riskcore.testing.properties.states import states
from tests.log_cases import RULEBOOK, RULES, make_waterfall_events, write_snapshot_log, write_waterfall_log

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
    later, no_size = Time(state.timestamp + 1), evolve(market.rules, minimum_size=Lots(0))
    stake = Stake(Shares(0), Atoms(1), later, Shares(0), Time(0))
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
        "markets.BTC.mark_time": evolve(state, markets=state.markets.put(btc, evolve(market, mark_time=later))),
        "markets.BTC.rules.minimum_size": evolve(state, markets=state.markets.put(btc, evolve(market, rules=no_size))),
        "accounts.long.liquidated": with_account(AccountId("long"), evolve(long, liquidated=later)),
        "draws.since": evolve(state, draws=Draws(Atoms(1), later)),
        "stakes.long.deposit_time": evolve(state, stakes=state.stakes.put(AccountId("long"), stake)),
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
    expected = "d66c922ea873fd40a35479e5c054244397082c556e584833f6dddd0b7b9914b3"

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
PAST = "expected a time that is not after the snapshot's"
WAITING = "expected a time, zero or more and not after the snapshot's"
STAKE = {"shares": 0, "deposit": 5, "deposit_time": 0, "redemption": 0, "redemption_time": 0}
BASE = (
    "initial_margin_rate",
    "maintenance_margin_rate",
    "taker_fee_rate",
    "maker_fee_rate",
    "liquidation_fee_rate",
)
TIER = {"floor": 50, "initial_margin_rate": 200_000, "maintenance_margin_rate": 60_000}
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
        f"accounts.long.liquidated: {PAST}, or -1 for never, got 1760000000022",
    ),
    "liquidated before all time": (
        "accounts.long.liquidated",
        -2,
        f"accounts.long.liquidated: {PAST}, or -1 for never, got -2",
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
        f"markets.BTC.funding_time: {PAST}, got 1760000000022",
    ),
    "marked later": (
        "markets.BTC.mark_time",
        1_760_000_000_022,
        f"markets.BTC.mark_time: {PAST}, got 1760000000022",
    ),
    "drawn later": ("draws", {"drawn": 5, "since": 1_760_000_000_022}, f"draws.since: {PAST}, got 1760000000022"),
    "less than nothing drawn": ("draws", {"drawn": -5}, "draws.drawn: expected an amount, zero or more, got -5"),
    "deposited later": (
        "stakes",
        {"long": STAKE | {"deposit_time": 1_760_000_000_022}},
        f"stakes.long.deposit_time: {WAITING}, got 1760000000022",
    ),
    "deposited before all time": (
        "stakes",
        {"long": STAKE | {"deposit_time": -1}},
        f"stakes.long.deposit_time: {WAITING}, got -1",
    ),
    "redemption asked for later": (
        "stakes",
        {"long": STAKE | {"redemption_time": 1_760_000_000_022}},
        f"stakes.long.redemption_time: {WAITING}, got 1760000000022",
    ),
    "redemption asked for before all time": (
        "stakes",
        {"long": STAKE | {"redemption_time": -1}},
        f"stakes.long.redemption_time: {WAITING}, got -1",
    ),
    "before all time": ("timestamp", -1, "timestamp: expected a time, zero or more, got -1"),
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
        "markets.BTC.rules.maintenance_margin_rate: expected from 1 to 100000, got 0",
    ),
    "maintenance above initial": (
        "markets.BTC.rules.maintenance_margin_rate",
        100_001,
        "markets.BTC.rules.maintenance_margin_rate: expected from 1 to 100000, got 100001",
    ),
    "initial above one": (
        "markets.BTC.rules.initial_margin_rate",
        1_000_001,
        "markets.BTC.rules.initial_margin_rate: expected from 50000 to 1000000, got 1000001",
    ),
    "rebate above the fee": (
        "markets.BTC.rules.maker_fee_rate",
        -600,
        "markets.BTC.rules.maker_fee_rate: expected from -500 to 1000000, got -600",
    ),
    "floor of open interest without a cap": (
        "markets.BTC.rules.open_interest_floor",
        5,
        "markets.BTC.rules: expected admissible rules, got open_interest_floor 5, open_interest_cap 0",
    ),
    "rules wrong twice": (
        "markets.BTC.rules",
        dict.fromkeys(BASE, 1) | {"taker_fee_rate": -1, "mark_age_limit": -2},
        "markets.BTC.rules: expected admissible rules, got initial_margin_rate 1, maintenance_margin_rate 1, "
        "taker_fee_rate -1, maker_fee_rate 1, liquidation_fee_rate 1, mark_move_limit 0, mark_age_limit -2, "
        "fill_price_band 0, open_interest_floor 0, open_interest_cap 0, liquidation_share 1000000, "
        "liquidation_share_floor 0, minimum_size 1, liquidation_block_limit 0, vault_position_limit 0, "
        "mark_index_band 0, open_interest_limit 0, index_age_limit 0, index_move_limit 0",
    ),
    "tier at zero": (
        "markets.BTC.rules.tiers",
        [TIER | {"floor": 0}],
        "markets.BTC.rules.tiers[0].floor: expected 1 or more, got 0",
    ),
    "tier below the one before": (
        "markets.BTC.rules.tiers",
        [TIER, TIER | {"floor": 40}],
        "markets.BTC.rules.tiers[1].floor: expected 51 or more, got 40",
    ),
    "tier of a rate that falls": (
        "markets.BTC.rules.tiers",
        [TIER | {"maintenance_margin_rate": 49_999}],
        "markets.BTC.rules.tiers[0].maintenance_margin_rate: expected from 50000 to 200000, got 49999",
    ),
    "tier wrong twice": (
        "markets.BTC.rules.tiers",
        [TIER | {"floor": 0, "initial_margin_rate": 99_999}],
        "markets.BTC.rules.tiers[0]: expected a bracket above the last one, of no lower rates, got floor 0, "
        "initial_margin_rate 99999, maintenance_margin_rate 60000",
    ),
    "reserve missing": ("reserves.transit", ..., "reserves.transit: expected this field in reserves, got none"),
    "rulebook": (
        "rulebook.insurance_floor",
        -1,
        "rulebook.insurance_floor: expected 0 or more, got -1",
    ),
    "rulebook rate": ("rulebook.takeover_rate", -1, "rulebook.takeover_rate: expected from 0 to 1000000, got -1"),
    "cooldown below zero": (
        "rulebook.liquidation_cooldown",
        -1,
        "rulebook.liquidation_cooldown: expected 0 or more, got -1",
    ),
    "limit without a window": (
        "rulebook.insurance_draw_limit",
        -1,
        "rulebook.insurance_draw_limit: expected 0, got -1",
    ),
    "episode in no market": (
        "deleveraging.market",
        "DOGE",
        'deleveraging.market: expected a market of this snapshot, got "DOGE"',
    ),
    "episode of other lots": (
        "deleveraging.lots",
        41,
        "deleveraging.lots: expected lots less those done, above zero and no more than the account holds, got 41",
    ),
    "episode of no lots": (
        "deleveraging.lots",
        0,
        "deleveraging.lots: expected lots less those done, above zero and no more than the account holds, got 0",
    ),
    "episode done with more than it has": (
        "deleveraging.done",
        -1,
        "deleveraging.lots: expected lots less those done, above zero and no more than the account holds, got 40",
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


def test_times_up_to_the_snapshots_are_loaded(tmp_path: Path) -> None:
    write_snapshot_log(tmp_path)
    file = tmp_path / "any.json"
    members = json.loads(file.read_text())
    now = members["timestamp"]
    members["accounts"]["long"]["liquidated"] = now
    members["markets"]["BTC"] |= {"mark_time": now, "funding_time": now}
    members["draws"] = {"drawn": 5, "since": now}
    members["stakes"] = {"long": STAKE | {"deposit_time": now, "redemption_time": now}}
    file.write_text(json.dumps(members))
    state = load_state(file)
    save_state(state, file)

    assert get_state_hash(state) == get_state_hash(load_state(file))
    assert (now, now) == (state.draws.since, state.stakes.get(AccountId("long")).deposit_time)


# What a number may be


NUMBERS = st.sampled_from([-(10**9), -700, -500, -2, -1, 0, 1, 2, 5, 500, 999_999, 1_000_000, 1_000_001, 10**9])


def is_told(sentence: str, number: int) -> bool:
    """Whether what a message expects, such as "0, or from 5 to 9", takes the number."""
    return any(
        int(low or only) <= number and (bool(more) or number <= int(high or only))
        for low, high, only, more in re.findall(r"from (-?\d+) to (-?\d+)|(-?\d+)( or more)?", sentence)
    )


@settings(max_examples=300)
@given(data=st.data(), is_rulebook=st.booleans(), number=NUMBERS | st.integers())
def test_the_range_that_is_told_is_the_admissible_one(data: st.DataObject, is_rulebook: bool, number: int) -> None:
    value: Any = RULEBOOK if is_rulebook else RULES
    is_admissible: Any = is_admissible_rulebook if is_rulebook else is_admissible_market
    names = st.sampled_from(sorted(get_numbers(value)))
    value = evolve(value, **data.draw(st.dictionaries(names, NUMBERS, min_size=1, max_size=3)))

    try:
        check_admissible(value, is_admissible, "others")
    except Fault as fault:
        assert not is_admissible(value)
        if fault.field is not None:
            changed = evolve(value, **{fault.field: number})
            assert is_admissible(changed) == is_told(fault.expected, number)
    else:
        assert is_admissible(value)


def test_a_range_with_a_gap_is_told_in_parts() -> None:
    with pytest.raises(Fault) as caught:
        check_rulebook(evolve(RULEBOOK, liquidation_window=Time(-1), liquidation_cooldown=Time(5)))

    assert "expected 0, or 5 or more, got -1" == str(caught.value)


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
    for status in reversed(MarketStatus):
        state = run(make_waterfall_events()[:2])
        for id, market in list(state.markets.items()):
            assert market is not None
            state = evolve(state, markets=state.markets.put(id, evolve(market, status=status)))
        save_state(state, file)

        assert sorted(state.markets.items()) == sorted(load_state(file).markets.items())
    file.write_text(file.read_text().replace(',"status":"open"', ""))
    assert "status" not in file.read_text()
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
