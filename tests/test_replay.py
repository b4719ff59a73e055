"""Replay: what it counts, what it prints, its verdicts, and what it shows where a law breaks."""

from __future__ import annotations

import gc
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from click.testing import CliRunner, Result
from rich.console import Console

from riskcore import cli, replay_run
from riskcore import events as ev
from riskcore.commands import output, replaying
from riskcore.events import Event
from riskcore.journal import Stage
from riskcore.log import LogReader, write_log
from riskcore.monitor import Monitor as KernelMonitor
from riskcore.quantities import AccountId, Atoms, EventId, Lots, MarketId, Price, Rate, Time
from riskcore.replay import Monitor, Replay, Verdict, replay
from riskcore.report import get_json, print_replay
from riskcore.rules import Rule
from riskcore.snapshot import get_state_hash, load_state, save_state
from riskcore.state import Account, Market, Position, Positions, State, genesis
from riskcore.step import Outcome, step
from riskcore.units import Units
from riskcore.waterfall import Closed, Solvency, get_solvency
from tests.log_cases import (
    RULEBOOK,
    RULES,
    UNITS,
    PlainMonitor,
    PlainTally,
    Script,
    SeeingMonitor,
    SwindlingMonitor,
    make_waterfall_events,
    with_one_more_atom,
    write_snapshot_log,
    write_waterfall_log,
)

BTC = MarketId("BTC")
SWINDLE = 9
"""The event at which ``SwindlingMonitor`` conjures an atom."""


class LateMonitor(SeeingMonitor):
    """Conjures its atom behind the snapshot of ``write_snapshot_log``."""

    at = "e22"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write_waterfall_log(tmp_path)


def run(path: Path, *options: str, monitor: Callable[[State], Monitor] = PlainMonitor) -> Result:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replaying, "_get_monitor", lambda: monitor)
        return CliRunner().invoke(cli.main, ["replay", str(path), *options])


def run_json(path: Path, *options: str, monitor: Callable[[State], Monitor] = PlainMonitor) -> dict[str, Any]:
    result = run(path, "--format", "json", *options, monitor=monitor)
    assert result.stderr == ""
    report: dict[str, Any] = json.loads(result.stdout)
    return report


# What it counts


def test_the_replay_ends_where_the_kernel_does(log: Path) -> None:
    state = genesis(RULEBOOK)
    for event in make_waterfall_events():
        state = step(state, event).state

    result = replay(log, PlainMonitor)

    assert get_state_hash(state) == result.state_hash
    assert (result.events, result.rejected, result.accounts) == (25, 2, 5)
    assert result.rejections == {Rule.BELOW_INITIAL_MARGIN: 1, Rule.SIZE_EXCEEDS_POSITION: 1}


def test_every_stage_is_told_apart(log: Path) -> None:
    """By hand: lots times mark, and what the takers paid less than that, or more."""
    waterfall = replay(log).waterfall
    expected = {
        # 30 at 925 where the mark is 930; 10 at 829 where it is 830
        Stage.BOOK: {BTC: Closed(steps=2, lots=40, notional=30 * 930 + 10 * 830, gained=150 + 10, forgone=0)},
        # equity 11,600 - 50 - 7,000 - 150 - 139 - 2,800 = 1,461; of it 890 parts in 3,215
        Stage.VAULT: {BTC: Closed(steps=1, lots=20, notional=20 * 890, gained=404, forgone=0)},
        # deficit 1,943 + 10 - 381 - 758 = 814; of it 1,660 parts in 1,760
        Stage.DELEVERAGING: {BTC: Closed(steps=1, lots=40, notional=40 * 830, gained=0, forgone=768)},
    }

    assert expected == waterfall.closed
    assert {Stage.BOOK: {"maker"}, Stage.VAULT: {"vault"}, Stage.DELEVERAGING: {"short"}} == waterfall.takers
    assert {Stage.BOOK: {"maker"}, Stage.VAULT: {"vault"}} == waterfall.gainers
    assert {Stage.DELEVERAGING: {"short"}} == waterfall.forgoers
    assert waterfall.insurance_paid == {Stage.BOOK: 381, Stage.INSURANCE: 758}
    assert (waterfall.liquidation_fees, waterfall.written_off) == (139, 46)


def mirror(event: Event) -> Event:
    """Long becomes short, and prices move as far the other way from 1,000."""
    if isinstance(event, ev.MarkPrice):
        return evolve(event, price=Price(2000 - event.price))
    if isinstance(event, ev.LiquidationFill):
        return evolve(event, price=Price(2000 - event.price))
    if isinstance(event, ev.Fill):
        return evolve(event, size=Lots(-event.size))
    return event


def test_a_bankrupt_short_is_tallied_like_a_long(tmp_path: Path) -> None:
    """Those who take its lots sell them, dear."""
    write_log(tmp_path / "log", RULEBOOK, UNITS, map(mirror, make_waterfall_events()))
    expected = {
        Stage.BOOK: {BTC: Closed(steps=2, lots=40, notional=30 * 1070 + 10 * 1170, gained=150 + 10, forgone=0)},
        # equity 11,600 - 50 - 7,000 - 150 - 162 - 2,800 = 1,438; of it 1,110 parts in 3,985
        Stage.VAULT: {BTC: Closed(steps=1, lots=20, notional=20 * 1110, gained=400, forgone=0)},
        # deficit 1,962 + 10 - 390 - 772 = 810; of it 2,340 parts in 2,440
        Stage.DELEVERAGING: {BTC: Closed(steps=1, lots=40, notional=40 * 1170, gained=0, forgone=777)},
    }

    waterfall = replay(tmp_path / "log").waterfall

    assert expected == waterfall.closed
    assert waterfall.insurance_paid == {Stage.BOOK: 390, Stage.INSURANCE: 772}
    assert (waterfall.liquidation_fees, waterfall.written_off) == (162, 33)


def test_a_solvent_account_deleveraged_pays_its_counterparties(tmp_path: Path) -> None:
    """Below maintenance, with 550 atoms of equity left: they go with the lots."""
    script = Script()
    script.add(ev.ListMarket, "BTC", RULES, 1000)
    for account, amount in {"long": 11_600, "short": 20_000}.items():
        script.add(ev.Deposit, account, amount)
    script.add(ev.Fill, "long", "short", "BTC", 100, 1000)
    script.add(ev.MarkPrice, "BTC", 890)
    script.add(ev.BeginDeleveraging, "long", "BTC", ("short",))
    script.add(ev.Deleverage)
    write_log(tmp_path / "log", RULEBOOK, UNITS, script.events)
    expected = {BTC: Closed(steps=1, lots=100, notional=89_000, gained=550, forgone=0)}

    result = replay(tmp_path / "log")

    assert result.rejected == 0
    assert expected == result.waterfall.closed[Stage.DELEVERAGING]


def test_a_settlement_and_the_withdrawals_cut_after_it_are_tallied(tmp_path: Path) -> None:
    script = Script()
    script.add(ev.ListMarket, "BTC", RULES, 1000)
    for account, amount in {"long": 11_600, "short": 20_000}.items():
        script.add(ev.Deposit, account, amount)
    script.add(ev.Fill, "long", "short", "BTC", 100, 1000)
    # 11,600 - 50 of fee - 12,000
    script.add(ev.SettleMarket, "BTC", 880)
    script.add(ev.SettlePair, "BTC", "long", "short")
    script.add(ev.WriteOff, "long")
    # of 32,000 that short has 450 are lost: 14.06 of 1,000
    script.add(ev.Withdraw, "short", 1000)
    rulebook = evolve(RULEBOOK, withdrawals_are_cut=True)
    write_log(tmp_path / "log", rulebook, UNITS, script.events)

    waterfall = replay(tmp_path / "log").waterfall

    assert {BTC: Closed(steps=1, lots=100, notional=88_000)} == waterfall.closed[Stage.SETTLEMENT]
    assert set() == waterfall.takers[Stage.SETTLEMENT]
    assert (450, 15) == (waterfall.written_off, waterfall.haircuts)


def test_the_pool_ties_to_its_claims(log: Path) -> None:
    result = replay(log)
    expected = Solvency(pool=117_600, equities=117_595, insurance=0, fees=51, uncovered=-46)

    assert expected == result.solvency
    assert result.solvency.claims == 117_646
    assert result.solvency.ties


def test_solvency_is_that_of_the_last_marks() -> None:
    events = make_waterfall_events()
    for count in range(len(events)):
        state = genesis(RULEBOOK)
        for event in events[:count]:
            state = step(state, event).state

        assert get_solvency(state).ties


def test_the_laws_do_not_change_what_is_counted(log: Path) -> None:
    with_laws, without = run_json(log), run_json(log, "--no-laws")
    for report in (with_laws, without):
        del report["seconds"], report["verdict"], report["laws"]

    assert with_laws == without


def test_a_replay_makes_nothing_that_a_cycle_collector_would_find(log: Path) -> None:
    """The command keeps the collector from looking at what has lived for long."""
    replay(log)
    gc.collect()
    gc.disable()
    try:
        result = replay(log)
        del result

        assert gc.collect() == 0
    finally:
        gc.enable()


# Verdicts and exit codes


def test_all_laws_hold_on_the_example(log: Path) -> None:
    result = CliRunner().invoke(cli.main, ["replay", str(log), "--format", "json", "--checkpoint-every", "1"])
    report = json.loads(result.stdout)

    assert result.exit_code == 0
    assert {"CASH-1", "BAL-1", "ZERO-1", "LIQ-1", "WFALL-1", "ADL-2"} <= set(report["laws"])
    # no market ends in it, nobody shares its vault or a loss, and its only withdrawal is rejected
    idle = {id for id, tally in report["laws"].items() if not tally["checked"]}
    shared = {"LOSS-1", "LOSS-2", "LOSS-3", "LOSS-4", "SETTLE-1", "VAULT-2", "VAULT-4"}
    assert {"IF-6", "IF-7", "IF-8", "LIFE-1", "LIFE-5", "MARG-5", *shared} == idle


def test_all_laws_find_an_atom_from_nowhere(log: Path) -> None:
    class Swindling(KernelMonitor):
        def step(self, state: State, event: Event) -> Outcome:
            outcome = super().step(state, event)
            return with_one_more_atom(outcome) if event.id == f"e{SWINDLE}" else outcome

    result = replay(log, Swindling)

    assert (result.verdict, result.tallies is None) == (Verdict.VIOLATED, False)
    assert result.failure is not None
    assert SWINDLE <= result.failure.events <= SWINDLE + 1


def test_a_log_whose_laws_hold_exits_with_0(log: Path) -> None:
    result = run(log)

    assert result.exit_code == 0
    assert "verdict     HOLDS" in result.stdout


def test_without_laws_the_verdict_is_inconclusive(log: Path) -> None:
    result = run(log, "--no-laws")

    assert result.exit_code == 3
    assert "verdict     INCONCLUSIVE: no law was checked" in result.stdout
    assert "CASH-1" not in result.stdout


def test_a_log_without_events_is_inconclusive(tmp_path: Path) -> None:
    write_log(tmp_path / "log", RULEBOOK, UNITS, [])

    result = run(tmp_path / "log")

    assert result.exit_code == 3
    assert "verdict     INCONCLUSIVE: the log holds no event" in result.stdout


@pytest.mark.parametrize("monitor", [SeeingMonitor, SwindlingMonitor])
def test_a_broken_law_exits_with_1(log: Path, monitor: Callable[[State], Monitor]) -> None:
    assert run(log, monitor=monitor).exit_code == 1


def test_a_pool_that_does_not_tie_is_a_violation_without_laws_too(tmp_path: Path) -> None:
    path = write_snapshot_log(tmp_path)
    state = load_state(tmp_path / "any.json")
    save_state(
        evolve(state, accounts=state.accounts.put(AccountId("x"), Account(Atoms(5), Positions()))),
        tmp_path / "any.json",
    )

    result = run(path, "--no-laws")

    assert result.exit_code == 1
    assert re.search(r"BROKEN +claims \+ uncovered differ from the pool by +0\.05\n", result.stdout)


def test_the_state_that_a_log_starts_from_is_checked(tmp_path: Path) -> None:
    path = write_snapshot_log(tmp_path)
    state = load_state(tmp_path / "any.json")
    save_state(
        evolve(state, accounts=state.accounts.put(AccountId("x"), Account(Atoms(5), Positions()))),
        tmp_path / "any.json",
    )

    result = replay(path, PlainMonitor)

    assert result.failure is not None
    assert (result.verdict, result.failure.events) == (Verdict.VIOLATED, 0)
    assert "prefix     0 events, the state that the log starts from" in run(path).stdout


# JSON


def test_json_is_one_object_of_the_documented_shape(log: Path) -> None:
    report = run_json(log)
    seconds = report.pop("seconds")
    events = report.pop("state_hash")
    expected = {
        "verdict": "HOLDS",
        "events": 25,
        "rejected": 2,
        "rejections": {"BELOW_INITIAL_MARGIN": 1, "SIZE_EXCEEDS_POSITION": 1},
        "accounts": 5,
        "laws": {"CASH-1": {"checked": 27, "violations": 0}},
        "jumps": [],
        "close_outs": [
            {
                "account": "long",
                "counterparty": "short",
                "market": "BTC",
                "policy": "profit_times_leverage",
                "place": 1,
                "of": 1,
                "score": "1411/3700",
                "mark_price": 830,
                "allocation": "queue",
                "part": "100",
                "reason": "close_out",
                "lots": 40,
                "price": "4246/5",
                "forgone": 768,
                "overshoot": 0,
            }
        ],
        "waterfall": {
            "book": {
                **get_stage(steps=2, lots=40, notional=36_200, gained=160, forgone=0),
                "insurance_paid": 381,
                "liquidation_fees": 139,
            },
            "vault": get_stage(steps=1, lots=20, notional=17_800, gained=404, forgone=0),
            "deleveraging": get_stage(steps=1, lots=40, notional=33_200, gained=0, forgone=768),
            "settlement": {"steps": 0, "lots": 0, "notional": 0, "gained": 0, "forgone": 0, "takers": 0, "markets": {}},
            "insurance": {"paid": 758, "deposits": 1000, "fee_share": 0, "overshoot": 0},
            "uncovered": {"written_off": 46, "haircuts": 0, "repaid": 0, "shared": 0, "sharers": 0},
        },
        "solvency": {
            "pool": 117_600,
            "equities": 117_595,
            "insurance": 0,
            "separate": 0,
            "fees": 51,
            "uncovered": -46,
            "escrow": 0,
            "claims": 117_646,
            "ties": True,
        },
        "failure": None,
    }

    assert expected == report
    assert 0 < seconds < 60
    assert replay(log).state_hash == events


def get_stage(**closed: int) -> dict[str, Any]:
    return {**closed, "takers": 1, "markets": {"BTC": closed}}


def test_json_shows_a_violation(log: Path) -> None:
    report = run_json(log, monitor=SeeingMonitor)
    event = json.loads(log.read_text().splitlines()[SWINDLE])
    expected = {
        "law": "CASH-1",
        "sentence": "every atom has one owner: all balances sum to zero",
        "clause": "credits == debits",
        "event": event,
        "before": "long -88450",
        "after": "long -88449",
        "prefix_events": SWINDLE,
        "reproduce": f"riskcore replay {log}",
    }

    assert expected == report["failure"]
    assert report["verdict"] == "VIOLATED"
    assert report["laws"]["CASH-1"]["violations"] >= 1


def test_json_keeps_integers_above_64_bits(tmp_path: Path) -> None:
    huge = 10**77
    events = [ev.Deposit(*make_header(1), AccountId("a"), Atoms(huge))]
    write_log(tmp_path / "log", RULEBOOK, UNITS, events)

    assert huge == run_json(tmp_path / "log", "--no-laws")["solvency"]["pool"]


def make_header(number: int) -> tuple[EventId, int, Time]:
    return EventId(f"e{number}"), number, Time(number)


# Text


def test_the_text_reads_as_intended(log: Path) -> None:
    result = replay(log, PlainMonitor)
    expected = f"""\
Replay of crash.jsonl
25 events, 23 accepted, 2 rejected; 5 accounts; {result.seconds:.2f} s

Rejected
rule                   events  because
BELOW_INITIAL_MARGIN        1  the account would be below its initial margin
SIZE_EXCEEDS_POSITION       1  more lots than the position has

Closed, stage by stage (in quote currency to 0.01; exact with --format json)
stage         market  steps  lots  notional at mark  share of notional
book          BTC         2    40            362.00             41.5 %
vault         BTC         1    20            178.00             20.4 %
deleveraging  BTC         1    40            332.00             38.1 %
settlement    none        0     0              0.00              0.0 %

Who paid, and what was forgone, against mark
stage         what                                                    amount
book          gained by 1 maker, paid by the accounts closed            1.60
book          forgone by 0 makers                                       0.00
book          paid by the insurance fund for fills beyond bankruptcy    3.81
book          liquidation fees, received by the insurance fund          1.39
vault         equity received by the vault with the lots                4.04
insurance     paid by the insurance fund for deficits                   7.58
insurance     received by the insurance fund from outside              10.00
deleveraging  forgone by 1 counterparty                                 7.68
deleveraging  gained by 0 counterparties                                0.00
uncovered     paid by nobody, written off                               0.46
uncovered     paid back by withdrawals that were cut                    0.00

Deleveraged, the most forgone first
account  against  market  by                      place  lots   of  atoms per lot  forgone
short    long     BTC     profit_times_leverage  1 of 1    40  100          849.2     7.68

Solvency (in quote currency, exact)
claims     equity of all accounts     1,175.95
           insurance fund                 0.00
           fees                           0.51
           together                   1,176.46
uncovered  losses that nobody paid       -0.46
pool       cash that is there         1,176.00
ties       claims + uncovered = pool      0.00

Laws
law     checked  violations  verdict
CASH-1       27           0  REPLAYED(25)
WFALL-1, order book: ASSUMED(log). The state holds no resting orders, so that the book was exhausted
before the next stage is the log's word.

state hash  {result.state_hash}
verdict     HOLDS: 1 law, 27 checks, no violation
"""

    text = print_to_text(result)

    assert expected.splitlines() == [line.rstrip() for line in text.splitlines()]


def print_to_text(result: Replay, **options: Any) -> str:
    stream = io.StringIO()
    print_replay(result, "crash.jsonl", Console(file=stream, width=100, highlight=False, **options))
    return stream.getvalue()


@pytest.mark.parametrize("monitor", [PlainMonitor, SeeingMonitor])
def test_the_text_fits_100_columns_and_has_no_colours_in_a_pipe(log: Path, monitor: Callable[[State], Monitor]) -> None:
    text = run(log, monitor=monitor).stdout

    assert max(len(line) for line in text.splitlines()) <= 100
    assert "\x1b" not in text


def test_a_violation_is_explained(log: Path) -> None:
    text = run(log, monitor=SeeingMonitor).stdout
    section = text.split("CASH-1 is VIOLATED: ")[1].split("\n\n")[0]

    assert section.startswith("every atom has one owner: all balances sum to zero\nclause     credits == debits\n")
    assert '\nevent      {"event": "fill", "id": "e9", ' in section
    assert "\nprefix     9 events, to line 10 of the log\n" in section
    assert "\n  - long -88450\n  + long -88449\nreproduce  riskcore replay " in section


def test_a_state_diff_keeps_what_is_the_same(log: Path) -> None:
    text = run(log, monitor=SwindlingMonitor).stdout

    assert "\n  - sum 0\n  + sum 1\n    rest\n" in text


def test_a_long_line_of_a_state_stays_to_the_right_of_its_mark(log: Path) -> None:
    class Wordy(PlainMonitor):
        def step(self, state: State, event: Event) -> Outcome:
            self.report(event, "clause " * 30, "x " * 60 + "old", "x" * 120 + "new")
            return super().step(state, event)

    section = run(log, monitor=Wordy).stdout.split("is VIOLATED")[1].split("\nreproduce")[0]

    assert "\n  - x x x" in section
    assert re.search(r"\n    (x )+old\n  \+ x{96}\n    x{24}new$", section)
    assert re.search(r"\nclause     (clause )+clause\n {11}clause", section)


def test_a_state_that_fails_as_a_whole_shows_its_numbers(log: Path) -> None:
    class Whole(PlainMonitor):
        def checkpoint(self, state: State) -> None:
            self.report(None, "all balances sum to zero", "", "balances 5\nreserves -4")

    text = run(log, monitor=Whole).stdout

    assert "\n    balances 5\n    reserves -4\nreproduce  " in text


def test_a_law_that_was_not_checked_claims_nothing_of_the_book(log: Path) -> None:
    class Idle(PlainMonitor):
        def __init__(self, state: State) -> None:
            super().__init__(state)
            self.tallies["WFALL-1"] = PlainTally()

    class Busy(Idle):
        def __init__(self, state: State) -> None:
            super().__init__(state)
            self.tallies["WFALL-1"].checked = 1

    assert re.search(r"WFALL-1 +0 +0  NOT CHECKED *\n", run(log, monitor=Idle).stdout)
    assert re.search(r"WFALL-1 +1 +0  REPLAYED\(25\), the book ASSUMED\(log\) *\n", run(log, monitor=Busy).stdout)


def test_a_terminal_gets_colours(log: Path) -> None:
    text = print_to_text(replay(log, SeeingMonitor), force_terminal=True, color_system="standard")

    assert "\x1b[31m  - long -88450" in text
    assert "\x1b[32m  + long -88449" in text


def test_names_cannot_command_a_terminal(tmp_path: Path) -> None:
    path = write_waterfall_log(tmp_path)
    path.write_text(path.read_text().replace('"BTC"', json.dumps("\x1b[2J[bold]B")))

    text = run(path).stdout

    assert "\x1b" not in text
    assert "\\u001b[2J[bold]B" in text


# Full checks


def test_full_checks_are_as_far_apart_as_there_are_accounts(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After events 1, 2, 3 and 4, when there are 0, 0, 1 and 2 accounts, then 6 (4), 10 (5), 15, 20 and 25."""
    monkeypatch.setattr(replay_run, "CHECKPOINT_EVERY", 1)
    report = to_tallies(replay(log, PlainMonitor))
    often = to_tallies(replay(log, PlainMonitor, checkpoint_every=1))

    # the first of all is that of the state that the log starts from
    assert {"CASH-1": 25 + 1 + 9} == report
    assert {"CASH-1": 25 + 1 + 25} == often


def to_tallies(result: Replay) -> dict[str, int]:
    return {law: tally.checked for law, tally in (result.tallies or {}).items()}


# The shortest prefix


@pytest.mark.parametrize("every", [1, 2, 3, 7, 8, 9, 10, 11, 1000])
def test_a_violation_that_only_a_full_check_sees_is_traced_to_its_event(log: Path, every: int) -> None:
    result = replay(log, SwindlingMonitor, checkpoint_every=every)

    assert result.failure is not None
    assert result.failure.events == SWINDLE
    assert result.failure.violation.clause == "sum == 0 (it is 1)"


def test_a_prefix_can_be_saved_and_shows_the_same(log: Path, tmp_path: Path) -> None:
    target = tmp_path / "prefix.jsonl"

    result = run(log, "--save-prefix", str(target), monitor=SwindlingMonitor)

    assert result.exit_code == 1
    assert f"The prefix was saved to {target}.\n" == result.stderr
    assert log.read_text().splitlines()[: SWINDLE + 1] == target.read_text().splitlines()
    assert run(target, monitor=SwindlingMonitor).exit_code == 1


def test_nothing_is_saved_where_the_laws_hold(log: Path, tmp_path: Path) -> None:
    target = tmp_path / "prefix.jsonl"

    result = run(log, "--save-prefix", str(target))

    assert result.exit_code == 0
    assert not target.exists()


def test_a_prefix_does_not_overwrite_its_log(log: Path) -> None:
    before = log.read_bytes()

    result = run(log, "--save-prefix", str(log), monitor=SeeingMonitor)

    assert result.exit_code == 1
    expected = f"The prefix was not saved: {log}: expected another file than the log, got the log itself\n"
    assert expected == result.stderr
    assert before == log.read_bytes()


@pytest.mark.parametrize("link", ["symlink_to", "hardlink_to"])
def test_a_prefix_does_not_overwrite_the_snapshot_of_its_log(tmp_path: Path, link: str) -> None:
    path = write_snapshot_log(tmp_path)
    target = tmp_path / "innocent"
    getattr(target, link)(tmp_path / "any.json")
    before = target.read_bytes()

    result = run(path, "--save-prefix", str(target), monitor=LateMonitor)

    assert result.exit_code == 1
    assert "expected another file than the log's snapshot, got the snapshot itself" in result.stderr
    assert before == target.read_bytes()


def test_a_prefix_overwrites_nothing_but_an_earlier_prefix(log: Path, tmp_path: Path) -> None:
    target = tmp_path / "p.jsonl"
    target.write_text("mine")
    refused = run(log, "--save-prefix", str(target), monitor=SeeingMonitor)
    kept = target.read_text()
    target.write_text("".join(log.read_text().splitlines(keepends=True)[:3]))
    saved = run(log, "--save-prefix", str(target), monitor=SeeingMonitor)

    assert (1, 1) == (refused.exit_code, saved.exit_code)
    assert "expected a new file, or an earlier prefix of this log, got a file with something else" in refused.stderr
    assert kept == "mine"
    assert len(target.read_text().splitlines()) == SWINDLE + 1
    assert ["crash.jsonl", "p.jsonl"] == sorted(path.name for path in tmp_path.iterdir())


def test_a_prefix_does_not_take_the_place_of_a_device_or_folder(log: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for target in (pipe, tmp_path):
        result = run(log, "--save-prefix", str(target), monitor=SeeingMonitor)

        assert result.exit_code == 1
        assert "The prefix was not saved" in result.stderr
    assert pipe.is_fifo()


def test_the_command_to_reproduce_names_the_saved_prefix(log: Path, tmp_path: Path) -> None:
    target = tmp_path / "p.jsonl"
    options = ("--save-prefix", str(target))
    text = run(log, *options, monitor=SeeingMonitor)
    report = json.loads(run(log, "--format", "json", *options, monitor=SeeingMonitor).stdout)
    lost = run(log, "--save-prefix", str(tmp_path / "no" / "p.jsonl"), monitor=SeeingMonitor)

    assert f"reproduce  riskcore replay {target}" in text.stdout.replace("\n", " ").replace("replay  ", "replay ")
    assert report["failure"]["reproduce"] == f"riskcore replay {target}"
    assert str(target) not in lost.stdout


def test_a_prefix_that_cannot_be_written_does_not_change_the_verdict(log: Path, tmp_path: Path) -> None:
    target = tmp_path / "nowhere" / "prefix.jsonl"

    result = run(log, "--save-prefix", str(target), monitor=SeeingMonitor)

    assert result.exit_code == 1
    assert (
        f"The prefix was not saved: {target}: expected a file that can be written, got no such file\n" == result.stderr
    )


def test_a_prefix_is_saved_only_where_its_snapshot_is(tmp_path: Path) -> None:
    path = write_snapshot_log(tmp_path)
    (tmp_path / "else").mkdir()

    result = run(path, "--save-prefix", str(tmp_path / "else" / "p.jsonl"), monitor=LateMonitor)
    beside = run(path, "--save-prefix", str(tmp_path / "p.jsonl"), monitor=LateMonitor)

    assert result.exit_code == 1
    assert "expected a file in the log's folder, where its snapshot is, got another folder" in result.stderr
    assert len((tmp_path / "p.jsonl").read_text().splitlines()) == 2
    assert beside.stderr.startswith("The prefix was saved to ")


# Progress and interruption


def test_progress_is_told_now_and_then(tmp_path: Path) -> None:
    events = [ev.AdvanceTime(*make_header(number)) for number in range(1, 2501)]
    path = tmp_path / "log"
    write_log(path, RULEBOOK, UNITS, events)
    told: list[tuple[int, int]] = []

    replay(path, progress=lambda done, total: told.append((done, total)))

    size = path.stat().st_size
    assert len(told) == 2
    assert 0 < told[0][0] < told[1][0] < size
    assert {size} == {total for _, total in told}


def test_progress_is_shown_on_a_terminal_only() -> None:
    terminal = Console(file=io.StringIO(), force_terminal=True)
    pipe = Console(file=io.StringIO())

    with output.show_progress(terminal) as shown:
        assert shown is not None
        shown(1, 2)
    with output.show_progress(pipe) as silent:
        assert silent is None

    assert isinstance(terminal.file, io.StringIO) and isinstance(pipe.file, io.StringIO)
    assert "replaying" in terminal.file.getvalue()
    assert pipe.file.getvalue() == ""


def test_an_interrupted_replay_says_so_and_exits_with_130(log: Path) -> None:
    thresholds = gc.get_threshold()

    class Interrupted(PlainMonitor):
        def step(self, state: State, event: Event) -> Outcome:
            raise KeyboardInterrupt

    result = run(log, monitor=Interrupted)

    assert (result.exit_code, result.stdout, result.stderr) == (130, "", "Interrupted.\n")
    assert thresholds == gc.get_threshold()


# Enormous numbers

HUGE = 10**399
GREAT = 10**77


def write_enormous_log(folder: Path) -> Path:
    """A market in which every number is as long as a snapshot or log allows, and a deleveraging in it."""
    rulebook = evolve(
        RULEBOOK,
        vault_position_limit=Atoms(0),
        funding_interval=Time(1),
        funding_rate_cap=Rate(GREAT),
        adl_requires_profit=False,
        insurance_before_adl=False,
    )
    market = Market(RULES, Price(HUGE), Atoms(HUGE), 0, Time(-HUGE), Lots(HUGE))
    long, short, state = AccountId("long"), AccountId("short"), genesis(rulebook)
    for id, size, balance in ((long, HUGE, -HUGE), (short, -HUGE, HUGE + 1)):
        positions = Positions({BTC: Position(Lots(size), Atoms(-HUGE), Atoms(-HUGE))})
        state = evolve(state, accounts=state.accounts.put(id, Account(Atoms(balance), positions)))
    save_state(evolve(state, markets=state.markets.put(BTC, market)), folder / "huge.json")
    events: list[Event] = [
        ev.ApplyFunding(EventId("e1"), 1, Time(GREAT), BTC, Rate(GREAT)),
        ev.BeginDeleveraging(EventId("e2"), 2, Time(GREAT), long, BTC, (short,)),
        ev.Deleverage(EventId("e3"), 3, Time(GREAT)),
    ]
    path = folder / "huge.jsonl"
    units = Units("0." + "0" * 76 + "7", {"BTC": "0." + "0" * 76 + "7"})
    write_log(path, rulebook, units, events, snapshot="huge.json")
    return path


@pytest.mark.parametrize("format", ["text", "json"])
@pytest.mark.parametrize("limit", ["640", "4300"])
def test_numbers_as_long_as_can_be_are_shown(format: str, limit: str, tmp_path: Path) -> None:
    """Whatever limit Python has for what it shows; an atom in the snapshot is nobody's."""
    command = [sys.executable, "-m", "riskcore", "replay", str(write_enormous_log(tmp_path)), "--format", format]
    environment = os.environ | {"PYTHONINTMAXSTRDIGITS": limit}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert (1, "") == (result.returncode, result.stderr)
    assert "VIOLATED" in result.stdout


def test_the_library_shows_such_numbers_under_the_usual_limit(tmp_path: Path) -> None:
    class Telling(PlainMonitor):
        def step(self, state: State, event: Event) -> Outcome:
            outcome = super().step(state, event)
            self.report(event, "told", str(state.markets.get(BTC)), str(outcome))
            return outcome

    usual = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(4300)
    try:
        result = replay(write_enormous_log(tmp_path), Telling)
        report = json.dumps(get_json(result, "log"))
        text = print_to_text(result)
    finally:
        sys.set_int_max_str_digits(usual)

    assert result.rejected == 0
    assert result.waterfall.closed[Stage.DELEVERAGING][BTC].notional == HUGE * HUGE
    assert str(HUGE * HUGE) in report
    assert "VIOLATED" in text
    with pytest.raises(ValueError, match="at most 400 digits"):
        save_state(result.state, tmp_path / "after.json")


# Output that goes nowhere

ROOT = Path(__file__).parent.parent


#: The command line with few lemmas to prove: what is asked for is how its output ends.
BRIEF = """
from riskcore import verify
verify.LEMMAS = {"tables": verify.LEMMAS["tables"]}
from riskcore.cli import main
main()
"""


def start(*arguments: str, output: str = "/dev/full") -> subprocess.CompletedProcess[str]:
    """The command as a process of its own, so that its very end is seen too."""
    with open(output, "w") as stream:
        return subprocess.run(
            [sys.executable, "-c", BRIEF, *arguments],
            cwd=ROOT,
            stdout=stream,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )


VERIFY = ("verify", "--event", "advance_time", "--law", "CASH-1", "--jobs", "1")


@pytest.mark.parametrize("options", [(), ("--format", "json")])
@pytest.mark.parametrize("command", ["replay", "verify"])
def test_output_that_cannot_be_written_is_no_verdict(log: Path, command: str, options: tuple[str, ...]) -> None:
    arguments = ("replay", str(log)) if command == "replay" else VERIFY
    expected = "Error: standard output: expected a place that can be written, got no space left on device\n"

    result = start(*arguments, *options)

    assert (2, expected) == (result.returncode, result.stderr)


@pytest.mark.parametrize("command", ["replay", "verify"])
def test_a_closed_pipe_ends_it_quietly_and_is_no_verdict(log: Path, command: str) -> None:
    arguments = ("replay", str(log)) if command == "replay" else VERIFY
    reader, writer = os.pipe()
    os.close(reader)
    try:
        result = start(*arguments, output=f"/dev/fd/{writer}")
    finally:
        os.close(writer)

    assert (2, "") == (result.returncode, result.stderr)


def test_an_error_that_nobody_can_read_is_still_one(tmp_path: Path) -> None:
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "riskcore", "replay", str(tmp_path / "no")]
        result = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=full, text=True, check=False)

    assert (2, "") == (result.returncode, result.stdout)


# The command line


def test_the_version_is_that_of_the_distribution() -> None:
    result = CliRunner().invoke(cli.main, ["--version"])

    assert (0, f"riskcore {cli.get_version()}\n") == (result.exit_code, result.stdout)


def test_without_a_distribution_the_version_is_said_to_be_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(cli, "version", find)

    assert cli.get_version() == "(not installed)"


def test_standard_input_is_said_not_to_be_supported() -> None:
    result = CliRunner().invoke(cli.main, ["replay", "-"])

    assert result.exit_code == 2
    assert "standard input is not supported" in result.stderr


# The library


def test_a_replay_can_be_had_as_json_from_the_library(log: Path) -> None:
    result = replay(log, PlainMonitor)

    assert run_json(log)["waterfall"] == json.loads(json.dumps(get_json(result, str(log))))["waterfall"]


def test_a_reader_may_start_on_persistent_tables(log: Path) -> None:
    with LogReader(log, mutable=False) as reader:
        start = reader.state
        state = start
        for event in reader:
            state = step(state, event).state

    assert len(start.accounts) == 0
    assert replay(log).state_hash == get_state_hash(state)
