"""What a recorder keeps of a replay: every change once, laws step by step, queues before and after, samples."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from riskcore import events as ev
from riskcore.html_report.changes import get_changes
from riskcore.html_report.episodes import Concentration, Place, get_concentration
from riskcore.html_report.noted import note
from riskcore.html_report.recorder import Recorder
from riskcore.html_report.series import SAMPLES
from riskcore.html_report.steps import PART, Steps, Texts
from riskcore.log import LogReader, write_log
from riskcore.markets import get_market
from riskcore.monitor import Monitor
from riskcore.quantities import AccountId, Atoms, MarketId
from riskcore.replay import Replay, replay
from riskcore.snapshot import get_state_hash
from riskcore.state import genesis
from riskcore.step import step
from tests.log_cases import (
    RULEBOOK,
    RULES,
    UNITS,
    Script,
    SeeingMonitor,
    make_waterfall_events,
    write_snapshot_log,
    write_waterfall_log,
)


def record(path: Path, steps: Steps | None = None) -> tuple[Replay, Recorder]:
    recorder = Recorder(steps or Steps())
    result = replay(path, Monitor, recorder=recorder)
    recorder.finish(result.state, result.waterfall)
    return result, recorder


def read_steps(recorder: Recorder) -> tuple[dict[str, Any], list[Any]]:
    """What the page says of all steps, and each of them."""
    head = recorder.steps.finish()
    return head, [step for part in recorder.steps.parts for step in json.loads(part)]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write_waterfall_log(tmp_path)


# The replay is the same


def test_a_recorder_changes_nothing_of_a_replay(log: Path) -> None:
    plain, (watched, _) = replay(log, Monitor), record(log)

    assert plain.state_hash == watched.state_hash
    assert plain.waterfall == watched.waterfall
    assert plain.tallies == watched.tallies


def test_noted_tables_are_a_state_like_any_other(log: Path) -> None:
    with LogReader(log, mutable=False) as reader:
        state, _ = note(reader.state)
        for event in reader:
            state = step(state, event).state

    assert get_state_hash(state) == replay(log).state_hash


# Steps


def test_changes_lead_from_the_first_state_to_the_last(log: Path) -> None:
    """Every figure begins as the one before it ended, and ends as the state has it."""
    figures: dict[tuple[str, str, str], Any] = {}
    with LogReader(log) as reader:
        state, tables = note(reader.state)
        for event in reader:
            for table in tables.values():
                table.written.clear()
            before = state
            state = step(state, event).state
            for change in get_changes(before, state, tables):
                key = change.owner, change.id, change.name
                assert change.before != change.after
                assert key not in figures or figures[key] == change.before
                figures[key] = change.after

    for id, account in state.accounts.items():
        assert figures["account", id, "balance"] == account.balance
        for market, position in account.positions.items():
            assert figures["account", id, f"{market} size"] == position.size
    assert figures["venue", "", "insurance"] == state.reserves.insurance
    assert figures["venue", "", "uncovered"] == state.reserves.uncovered
    assert figures["market", "BTC", "mark_price"] == get_market(state, MarketId("BTC")).mark_price


def test_each_step_has_its_event_its_outcome_and_its_laws(log: Path) -> None:
    events = make_waterfall_events()
    head, steps = read_steps(record(log)[1])
    texts = head["texts"]

    assert [event.id for event in events] == [step[1] for step in steps]
    assert [event.timestamp for event in events] == [step[3] for step in steps]
    # a withdrawal below initial margin, and a fill of more than there is
    assert [11, 17] == head["rejected"]
    assert ["BELOW_INITIAL_MARGIN", "SIZE_EXCEEDS_POSITION"] == [texts[steps[n][5][0]] for n in head["rejected"]]
    assert ("REJ-1",) == head["sets"][steps[11][8]]
    assert {"CASH-1", "FUND-1", "REJ-1"} <= {*head["sets"][steps[10][8]]}
    assert not any(step[9] for step in steps)


def test_where_accounts_and_markets_are_met(log: Path) -> None:
    head, _ = read_steps(record(log)[1])

    def get_places(index: list[list[int]], name: str) -> list[int]:
        (gaps,) = [gaps for number, *gaps in index if head["texts"][number] == name]
        return [sum(gaps[: end + 1]) for end in range(len(gaps))]

    # deposit, fill, then takes nothing part in but its close-out
    assert [3, 8, 21] == get_places(head["accounts"], "short")
    assert [1, 9, 22] == get_places(head["markets"], "ETH")


def test_a_broken_law_is_at_its_step(log: Path) -> None:
    recorder = Recorder()
    result = replay(log, SeeingMonitor, recorder=recorder)
    head, steps = read_steps(recorder)

    assert result.failure is not None
    assert {"CASH-1"} == {*recorder.broken}
    first, clause = recorder.broken["CASH-1"]
    assert head["broken"][0] + 1 == first == result.failure.events
    assert [head["texts"].index("CASH-1"), head["texts"].index(clause)] in steps[first - 1][9]


def test_numbers_beyond_a_double_are_texts_of_digits(tmp_path: Path) -> None:
    script = Script()
    script.add(ev.Deposit, "rich", 10**40)
    write_log(tmp_path / "rich.jsonl", RULEBOOK, UNITS, script.events)
    _, steps = read_steps(record(tmp_path / "rich.jsonl")[1])

    (_, _, figures), *_ = steps[0][7]
    assert [0, str(10**40)] == figures[1:3]


def test_no_more_steps_than_there_is_room_for(log: Path) -> None:
    _, whole = read_steps(record(log)[1])
    head, some = read_steps(record(log, Steps(first=5, limit=7))[1])

    assert (5, 7) == (head["first"], head["count"])
    assert [step[1] for step in whole[4:11]] == [step[1] for step in some]


def test_no_more_characters_than_there_is_room_for(log: Path) -> None:
    recorder = record(log, Steps(characters=2000))[1]
    head, _ = read_steps(recorder)

    assert 0 < head["count"] < 25
    assert recorder.steps.is_full


def test_none_where_the_log_ends_before(log: Path) -> None:
    head, steps = read_steps(record(log, Steps(first=26))[1])

    assert ([], 0) == (steps, head["count"])


def test_steps_are_in_parts(tmp_path: Path) -> None:
    script = Script()
    for _ in range(PART + 1):
        script.add(ev.Deposit, "saver", 1)
    write_log(tmp_path / "long.jsonl", RULEBOOK, UNITS, script.events)
    recorder = record(tmp_path / "long.jsonl")[1]
    _, steps = read_steps(recorder)

    assert 2 == len(recorder.steps.parts)
    assert PART + 1 == len(steps)


def test_texts_are_shown_short_and_no_two_alike() -> None:
    texts = Texts()
    names = ["alice", "a\u2028b", "a\\u2028b", "m" * 10**6, "m" * 10**6 + "x", "a\\u2028b #2 #6", "a\\u2028b #2"]
    numbers = [texts.number(name) for name in [*names, *names]]
    shown = texts.listed()

    assert [*range(7), *range(7)] == numbers
    assert ["alice", "a\\u2028b", "a\\u2028b #2"] == shown[:3]
    assert 7 == len({*shown})
    assert max(map(len, shown)) < 220
    assert texts.size > 2 * 10**6


# Deleveragings


def test_a_deleveraging_before_and_after(log: Path) -> None:
    """By hand: the waterfall's own example, of whose 814 missing 768 fall on the queue and 46 on what follows."""
    first, second = record(log)[1].episodes.all

    assert (21, "long", "BTC", 40, 40) == (first.number, first.account, first.market, first.size, first.closed)
    assert (768, 768, 0, 1) == (first.needed, first.taken, first.given, first.steps)
    assert (Place(AccountId("short"), -100, -60),) == first.places
    assert Concentration(1, 100, Fraction(1), Fraction(1), Fraction(1)) == first.before
    assert first.after is not None and first.after.lots == 60
    assert (23, "ETH", 46, 0, 46) == (
        second.number,
        second.market,
        second.needed,
        second.taken,
        second.written_off + second.insured,
    )


def test_one_that_the_log_begins_in_the_middle_of_has_no_queue(tmp_path: Path) -> None:
    _, recorder = record(write_snapshot_log(tmp_path))

    assert ["ETH"] == [episode.market for episode in recorder.episodes.all]


def test_concentration_by_hand() -> None:
    expected = Concentration(3, 10, Fraction(1, 2), Fraction(1), Fraction(25 + 9 + 4, 100))

    assert expected == get_concentration([-5, 0, -3, -2])
    assert get_concentration([0]).lots == 0


# Samples


def test_every_step_is_a_sample_of_a_short_log(log: Path) -> None:
    result, recorder = record(log)
    samples = recorder.series.samples

    assert [*range(26)] == [sample.number for sample in samples]
    assert samples[-1].insurance == result.solvency.insurance
    assert samples[-1].uncovered == -result.solvency.uncovered
    assert sum(samples[-1].closed) == result.waterfall.get_notional() == sum(samples[-1].sold.values())


def test_a_long_log_has_so_many_samples_and_its_end(tmp_path: Path) -> None:
    script = Script()
    script.add(ev.ListMarket, "BTC", RULES, 1000)
    script.add(ev.Deposit, "saver", 1)
    while len(script.events) < 5 * SAMPLES + 1:
        script.add(ev.AdvanceTime)
    write_log(tmp_path / "long.jsonl", RULEBOOK, UNITS, script.events)
    series = record(tmp_path / "long.jsonl")[1].series

    assert SAMPLES // 2 <= len(series.samples) < 2 * SAMPLES
    assert 5 * SAMPLES + 1 == series.samples[-1].number
    assert {0} == {sample.number % series.stride for sample in series.samples[:-1]}


def test_a_change_of_nothing_is_none() -> None:
    state, tables = note(genesis(RULEBOOK))
    rich = evolve(state.reserves, outside=Atoms(-1))

    assert [] == [*get_changes(state, state, tables)]
    assert ["outside"] == [change.name for change in get_changes(state, evolve(state, reserves=rich), tables)]
