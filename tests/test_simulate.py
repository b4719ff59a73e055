"""``riskcore simulate``: the same seed gives the same log, which replays with every law; what a scenario may say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import get_type_hints

import pytest
from attrs import evolve
from click.testing import CliRunner, Result

from riskcore import cli
from riskcore.commands.output import INTERRUPTED
from riskcore.events import (
    ApplyFunding,
    CoverDeficit,
    Deleverage,
    Event,
    Fill,
    IndexPrice,
    LiquidationFill,
    MarkPrice,
    PlaceOrder,
    Takeover,
    Withdraw,
)
from riskcore.log import write_log
from riskcore.monitor import Monitor
from riskcore.quantities import RATE_ONE, AccountId, Atoms, Lots, MarketId, Price, Rate
from riskcore.replay import Replay, Verdict, replay
from riskcore.rulebook import MarketRules
from riskcore.simulation.feeds import Feed
from riskcore.simulation.play import simulate
from riskcore.simulation.scenario import Course, Followers, Holders, Makers, Scenario, Segment, Takers, VaultPlan
from riskcore.simulation.scenario_file import read_scenario
from riskcore.state import genesis
from riskcore.step import step
from riskcore.testing.rulebooks import make_rules

ROOT = Path(__file__).parent.parent
SCENARIOS = ROOT / "examples" / "scenarios"
FORMAT = (ROOT / "SCENARIO.md").read_text(encoding="utf-8")
BTC = MarketId("BTC")
STAGES = (LiquidationFill, Takeover, CoverDeficit, Deleverage)

#: A short session of one market, to which each broken one differs in a line.
SMALL = f"""
riskcore_scenario = 1
rulebook = "{SCENARIOS / "venue.json"}"
seed = 3
step = 10_000
steps = 12

[markets.BTC]
price = 117_000
funding_every = 5
path = [{{ steps = 6, change = 0.001, noise = 0.0002 }}, {{ steps = 6, change = -0.002 }}]

[[agents]]
kind = "makers"
market = "BTC"
count = 2
cash = 100_000
levels = 2
size = 0.5
spread = 0.0005
distance = 0.001

[[agents]]
kind = "holders"
market = "BTC"
side = "long"
count = 3
cash = 2_000.50
leverage = [2, 5]
arrive = [0, 2]
leave = [8, 9]
"""


def write(folder: Path, text: str = SMALL) -> Path:
    path = folder / "scenario.toml"
    path.write_text(text, encoding="utf-8")
    return path


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(cli.main, list(map(str, words)))


@cache
def read_small_crash() -> Scenario:
    """The committed crash in BTC alone, with a third of its accounts, orders and reserves."""
    scenario = read_scenario(SCENARIOS / "crash.toml")
    groups = [evolve(group, count=-(-group.count // 3)) for group in scenario.groups if group.market == BTC]
    groups = [evolve(group, size=Lots(group.size // 2)) if isinstance(group, Makers) else group for group in groups]
    return evolve(
        scenario,
        courses=tuple(course for course in scenario.courses if course.market == BTC),
        groups=tuple(groups),
        rulebook=evolve(scenario.rulebook, vault_position_limit=Atoms(scenario.rulebook.vault_position_limit // 6)),
        insurance=Atoms(scenario.insurance // 3),
        vault=evolve(scenario.vault, cash=Atoms(scenario.vault.cash // 3)),
    )


@cache
def play_small_crash() -> tuple[Event, ...]:
    return tuple(simulate(read_small_crash()))


@cache
def play(name: str) -> tuple[Event, ...]:
    return tuple(simulate(read_scenario(SCENARIOS / f"{name}.toml")))


def replay_with_laws(scenario: Scenario, events: tuple[Event, ...], folder: Path) -> Replay:
    write_log(folder / "log.jsonl", scenario.rulebook, scenario.units, events)
    return replay(folder / "log.jsonl", Monitor)


# One log for each seed


def test_the_command_writes_a_log_that_replays_with_every_law(tmp_path: Path) -> None:
    out = tmp_path / "log.jsonl"
    result = run("simulate", write(tmp_path), "--out", out)

    assert 0 == result.exit_code, result.output
    assert f"events in {out}, seed 3\n" in result.stdout
    assert "" == result.stderr
    replayed = run("replay", out)
    assert 0 == replayed.exit_code, replayed.output
    assert " 0 rejected" in replayed.stdout
    # the state holds the orders
    assert "WFALL-1" in replayed.stdout and "ASSUMED" not in replayed.stdout


def test_the_same_seed_gives_the_same_log_under_any_hash_seed(tmp_path: Path) -> None:
    scenario, logs = write(tmp_path), []
    for number in ("1", "2"):
        out = tmp_path / f"{number}.jsonl"
        command = [sys.executable, "-m", "riskcore", "simulate", str(scenario), "--out", str(out)]
        environment = {**os.environ, "PYTHONHASHSEED": number, "PYTHONPATH": str(ROOT)}
        subprocess.run(command, check=True, capture_output=True, env=environment)
        logs.append(out.read_bytes())

    assert logs[0] == logs[1]


def test_another_seed_is_another_session(tmp_path: Path) -> None:
    scenario = read_scenario(write(tmp_path))
    own, other = list(simulate(scenario)), list(simulate(scenario, 4))

    assert own == list(simulate(scenario, 3))
    assert own != other
    assert other == list(simulate(scenario, 4))


def test_a_run_ends_with_the_step_that_reaches_the_events_asked_for(tmp_path: Path) -> None:
    scenario = read_scenario(write(tmp_path))
    whole, part = list(simulate(scenario)), list(simulate(scenario, most=60))

    assert 60 <= len(part) < len(whole)
    assert part == whole[: len(part)]
    assert part[-1].timestamp < whole[len(part)].timestamp


def test_progress_is_told_step_by_step(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    list(simulate(read_scenario(write(tmp_path)), progress=lambda done, steps: told.append((done, steps))))

    assert [(number, 12) for number in range(1, 13)] == told


# What a calm day and a crash look like


def test_nobody_is_liquidated_on_a_calm_day() -> None:
    kinds = Counter(map(type, play("calm")))

    assert [0, 0, 0, 0] == [kinds[stage] for stage in STAGES]
    assert 40 == kinds[Withdraw]
    assert 2 == kinds[ApplyFunding]
    assert kinds[Fill] > 300
    assert kinds[PlaceOrder] > 5 * kinds[Fill]


def test_a_calm_book_has_both_sides_and_a_narrow_spread() -> None:
    state, spreads = genesis(read_scenario(SCENARIOS / "calm.toml").rulebook, mutable=True), []
    for event in play("calm"):
        state = step(state, event).state
        market = state.markets.get(BTC)
        if isinstance(event, MarkPrice) and market is not None:
            assert 0 < market.bid_price < market.ask_price
            spreads.append((market.ask_price - market.bid_price) * RATE_ONE // market.mark_price)

    assert 1_440 == len(spreads)
    # twice the first level, with what volatility adds, and trades that have taken it
    assert 500 < sorted(spreads)[720] < 2_500
    assert spreads[-1] < max(spreads) < 10_000


def test_a_small_crash_reaches_each_stage_one_after_the_other() -> None:
    events = play_small_crash()
    first = {kind: next(event.sequence for event in events if isinstance(event, kind)) for kind in STAGES}

    assert sorted(first.values()) == [first[kind] for kind in STAGES]


def test_a_small_crash_replays_with_every_law(tmp_path: Path) -> None:
    result = replay_with_laws(read_small_crash(), play_small_crash(), tmp_path)

    assert Verdict.HOLDS is result.verdict
    assert 0 == result.rejected
    assert result.solvency.ties


@pytest.mark.slow
@pytest.mark.parametrize("name", ["calm", "crash"])
def test_the_committed_scenarios_replay_with_every_law(name: str, tmp_path: Path) -> None:
    result = replay_with_laws(read_scenario(SCENARIOS / f"{name}.toml"), play(name), tmp_path)

    assert Verdict.HOLDS is result.verdict
    assert 0 == result.rejected


def test_the_vault_sells_what_it_was_left_with() -> None:
    vault = read_small_crash().rulebook.vault
    orders = [event for event in play_small_crash() if isinstance(event, PlaceOrder) and event.account == vault]
    sold = [event for event in play_small_crash() if isinstance(event, Fill) and vault in (event.maker, event.taker)]

    assert orders and sold
    assert all(order.reduce_only and order.size < 0 for order in orders)


def test_who_leaves_takes_everything_home() -> None:
    """On a calm day: the holders of both sides, each flat and with nothing left."""
    state = genesis(read_scenario(SCENARIOS / "calm.toml").rulebook, mutable=True)
    for event in play("calm"):
        state = step(state, event).state
    gone = {event.account for event in play("calm") if isinstance(event, Withdraw)}

    assert {f"{side}-{number}" for side in ("long", "short") for number in range(1, 21)} == gone
    assert {(0, 0)} == {
        (account.balance, len(account.positions)) for id, account in state.accounts.items() if id in gone
    }


def test_makers_quote_less_and_wider_as_prices_move() -> None:
    """Per step, lots that makers place, and how far from the index the furthest of them are."""
    placed: Counter[int] = Counter()
    reach: Counter[int] = Counter()
    index = 0
    for event in play_small_crash():
        if isinstance(event, IndexPrice):
            index = event.price
        elif isinstance(event, PlaceOrder) and event.account.startswith("BTC-makers"):
            placed[event.timestamp] += abs(event.size)
            reach[event.timestamp] = max(reach[event.timestamp], abs(event.price - index) * RATE_ONE // index)
    scenario = read_small_crash()
    calm, falling, gap = (scenario.start + number * scenario.step for number in (5, 50, 65))

    assert placed[calm] > placed[falling] > 0 == placed[gap]
    assert reach[calm] < reach[falling]


def iter_states(events: tuple[Event, ...]) -> Iterator[tuple[Event, int, int]]:
    """Each event with mark and index after it."""
    state = genesis(read_small_crash().rulebook, mutable=True)
    for event in events:
        state = step(state, event).state
        market = state.markets.get(BTC)
        assert market is not None
        yield event, market.mark_price, market.index_price


def test_a_mark_keeps_to_the_bands_of_its_market_at_every_step() -> None:
    before = count = 0
    for event, mark, index in iter_states(play_small_crash()):
        if isinstance(event, MarkPrice):
            assert abs(mark - index) * 100 <= index
            assert before == 0 or abs(mark - before) * 10 <= before
            before, count = mark, count + 1

    assert read_small_crash().steps == count


def test_a_mark_follows_a_gap_by_the_steps_that_its_market_allows(tmp_path: Path) -> None:
    head = SMALL[: SMALL.index("\npath")] + "\npath = [{ steps = 1 }, { steps = 1, change = -0.3 }]\n"
    marks = [event.price for event in simulate(read_scenario(write(tmp_path, head))) if isinstance(event, MarkPrice)]

    # a tenth a step, until it is there; with nobody in it, the book's middle is the index, and outvotes the last trade
    assert [117_000_000, 117_000_000, 105_300_000, 94_770_000, 85_293_000, 81_900_000] == marks[:6]
    assert 12 == len(marks)


def test_trades_move_the_price_that_makers_quote() -> None:
    rules: MarketRules = make_rules()
    course = Course(BTC, rules, Price(1_000), (Segment(1, Rate(0), Rate(0)),), Rate(500_000), 3, 0)
    feed, random = Feed(course), Random(1)
    feed.note_trade(960)
    middles = [feed.middle]
    for _ in range(3):
        feed.move(random)
        middles.append(feed.middle)

    assert [960, 980, 990, 995] == middles
    assert 960 == feed.last


def test_a_path_is_a_line_through_its_segments_and_then_stays() -> None:
    path = (Segment(2, Rate(100_000), Rate(0)), Segment(1, Rate(-500_000), Rate(0)))
    feed, random, seen = Feed(Course(BTC, make_rules(), Price(1_000), path, Rate(0), 2, 0)), Random(1), []
    for _ in range(4):
        feed.move(random)
        seen.append((feed.index, feed.volatility, feed.trend))

    assert [
        (1_050, 50_000, 50_000),
        (1_100, 100_000, 100_000),
        (550, 1_000_000, -476_191),
        (550, 1_000_000, -500_000),
    ] == seen


# What SCENARIO.md says


def test_the_example_of_the_format_is_a_scenario(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", FORMAT, re.DOTALL)
    scenario = read_scenario(write(tmp_path, example))
    events = tuple(simulate(scenario))

    assert Verdict.HOLDS is replay_with_laws(scenario, events, tmp_path).verdict
    assert any(isinstance(event, LiquidationFill) for event in events)


@pytest.mark.parametrize("kind", [Scenario, Course, Segment, VaultPlan, Makers, Holders, Followers, Takers])
def test_the_format_names_every_key(kind: type) -> None:
    renamed = {"is_long": "side", "courses": "markets", "groups": "agents"}
    # what the rulebook gives
    given = {"units", "rules"} | ({"market"} if kind is Course else set())
    keys = {renamed.get(name, name) for name in get_type_hints(kind)} - given

    assert set() == {key for key in keys if f"`{key}`" not in FORMAT}


# Files that are no scenarios


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("price = 117_000", "price = = 1", "toml:9: expected a TOML document, got invalid value at column 9"),
        ("steps = 12\n", "", "toml: steps: expected this key in a scenario, got none"),
        ("seed = 3", "sede = 3", "toml: sede: expected only the keys of a scenario (riskcore_scenario, rulebook, "),
        ("steps = 12", "steps = 99_999_999", "toml: steps: expected a whole number from 1 to 100,000, got 99999999"),
        ("steps = 12", "steps = 12.5", 'toml: steps: expected a whole number from 1 to 100,000, got "12.5"'),
        ("steps = 12", "steps = 10", "toml: markets.BTC.path: expected at most 10 steps together, as the scenario has"),
        ("seed = 3", "seed = 1979-05-27", "toml: seed: expected a whole number from 0 to 18,446,744,073,709,551,615, "),
        ("markets.BTC", "markets.BTX", "toml: markets.BTX: expected a market of the rulebook (BTC, SOL), got"),
        ('"makers"', '"maker"', 'expected one of makers, holders, followers, takers, got "maker" (did you mean'),
        ("price = 117_000", "price = -1", "toml: markets.BTC.price: expected a number above zero, of at most 30 "),
        ("price = 117_000", "price = nan", "toml: markets.BTC.price: expected a decimal string like 12.5, got "),
        ("price = 117_000", f"price = {'9' * 5000}", "toml: markets.BTC.price: expected a number, got an integer of "),
        (
            "change = -0.002",
            "change = -1",
            "markets.BTC.path[1].change: expected a rate from -0.999999 to 1000, got -1",
        ),
        (
            "price = 117_000\nfunding_every = 5\npath = [",
            f"price = {10**23}\npath = [{{ steps = 1, change = 999 }}, {{ steps = 1, change = 999 }}, ",
            "markets.BTC.path[1].change: expected a price of at most 30 digits of atoms per lot, got a higher one",
        ),
        ("size = 0.5", "size = 0.00001", "toml: agents[0].size: expected a multiple of 0.001 (one lot), got "),
        ("levels = 2\n", "", "toml: agents[0].levels: expected this key in agents of kind makers, got none"),
        ("leverage = [2, 5]", "leverage = [5, 2]", "agents[1].leverage: expected two numbers that do not fall, got 5 "),
        ("count = 3", "count = true", "agents[1].count: expected a whole number from 0 to 5,000, got the boolean true"),
        ("count = 3", "count = 4_999", "toml: agents: expected at most 5,000 accounts, and 5,000,000 of accounts"),
        ('side = "long"', 'side = "long"\nname = "BTC-makers"', "agents[1].name: expected a name of its own for each "),
        ("seed = 3", "vault = 3", "toml: vault: expected a table, got 3"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(old: str, new: str, said: str, tmp_path: Path) -> None:
    assert 1 == SMALL.count(old)
    result = run("simulate", write(tmp_path, SMALL.replace(old, new)), "--out", tmp_path / "log.jsonl")

    assert 2 == result.exit_code
    assert said in result.stderr
    assert not (tmp_path / "log.jsonl").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("hyperlikuid", "expected a file beside the scenario, or one of binance, "),
        ("missing.json", 'got "missing.json"'),
        ("scenario.toml", "scenario.toml:2: expected one JSON object"),
        ("okx", "markets.BTC: expected a market of the rulebook (ETH, ADA, ETC)"),
        ("a" * 5_000, 'got "aaaa'),
    ],
)
def test_a_rulebook_that_is_none_is_said_so(name: str, said: str, tmp_path: Path) -> None:
    text = SMALL.replace(str(SCENARIOS / "venue.json"), name)
    result = run("simulate", write(tmp_path, text), "--out", tmp_path / "log.jsonl")

    assert 2 == result.exit_code
    assert said in result.stderr


@pytest.mark.parametrize("data", [b"", b"\xff", b"a = " + b"[" * 3_000 + b"]" * 3_000, b"#" * 300_000])
def test_what_is_no_toml_is_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "scenario.toml").write_bytes(data)
    result = run("simulate", tmp_path / "scenario.toml", "--out", tmp_path / "log.jsonl")

    assert 2 == result.exit_code
    assert result.stderr.startswith("Error: ")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("count = 3", "count = 0"),
        (SMALL[SMALL.index("[[agents]]") :], ""),
        ("price = 117_000", "price = 0.001"),
        ("price = 117_000", "price = 1" + "0" * 20),
        ("change = -0.002", "change = -0.999999"),
        ("change = -0.002", "change = 1000"),
        ("size = 0.5", "size = 1" + "0" * 20),
        ("cash = 2_000.50", "cash = 0.000001"),
        ("cash = 2_000.50", "cash = 1" + "0" * 20),
        ("leverage = [2, 5]", "leverage = 1_000"),
        ("leave = [8, 9]", "leave = 0\nslippage = 1"),
        ("spread = 0.0005", "spread = 1"),
        (str(SCENARIOS / "venue.json"), "hyperliquid"),
    ],
)
def test_absurd_figures_give_logs_that_hold(old: str, new: str, tmp_path: Path) -> None:
    scenario = read_scenario(write(tmp_path, SMALL.replace(old, new)))
    result = replay_with_laws(scenario, tuple(simulate(scenario)), tmp_path)

    assert Verdict.HOLDS is result.verdict
    assert 0 == result.rejected


def test_a_vault_that_is_left_out_has_nothing(tmp_path: Path) -> None:
    scenario = read_scenario(write(tmp_path))

    assert VaultPlan(Atoms(0), Rate(200_000), Rate(0)) == scenario.vault
    assert not any(isinstance(event, Takeover) for event in simulate(scenario))


# What is written, and what is not


def test_only_a_log_is_replaced(tmp_path: Path) -> None:
    scenario = write(tmp_path)
    result = run("simulate", scenario, "--out", scenario)

    assert 2 == result.exit_code
    assert "expected a new file, or an earlier log, got another file" in result.stderr
    assert SMALL == scenario.read_text(encoding="utf-8")
    out = tmp_path / "log.jsonl"
    assert [0, 0] == [run("simulate", scenario, "--out", out).exit_code for _ in range(2)]


def test_a_place_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    for out in (tmp_path, tmp_path / "nowhere" / "log.jsonl"):
        result = run("simulate", write(tmp_path), "--out", out)

        assert 2 == result.exit_code
        assert "expected a place for a log, got " in result.stderr


def test_a_run_that_is_interrupted_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*arguments: object) -> Iterator[Event]:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr("riskcore.simulation.play.simulate", interrupt)
    result = run("simulate", write(tmp_path), "--out", tmp_path / "log.jsonl")

    assert INTERRUPTED == result.exit_code
    assert ["scenario.toml"] == [path.name for path in tmp_path.iterdir()]


def test_accounts_are_named_after_their_group(tmp_path: Path) -> None:
    accounts = {event.account for event in simulate(read_scenario(write(tmp_path))) if isinstance(event, PlaceOrder)}

    assert {AccountId("BTC-makers-1"), AccountId("BTC-makers-2")} <= accounts
