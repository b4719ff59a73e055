"""``riskcore picture``: what is drawn of a log is what happened, and the committed picture is the command's."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from riskcore import cli
from riskcore.bad_input import LogError
from riskcore.cascade import Cascade, Sample, get_closed, read_cascade
from riskcore.cascade_svg import draw_cascade, format_number, get_ticks, spread_out, thin
from riskcore.events import Deposit, Event, FundInsurance, IndexPrice, ListMarket, MarkPrice
from riskcore.journal import Stage
from riskcore.log import write_log
from riskcore.order_planner import LimitOrder, Matcher
from riskcore.quantities import AccountId, Lots, MarketId, Price, Time
from riskcore.replay import replay
from riskcore.simulation.play import simulate
from riskcore.simulation.scenario_file import read_scenario
from riskcore.state import genesis
from riskcore.testing.rulebooks import make_rulebook, make_rules
from riskcore.units import Units

SCENARIOS = Path(__file__).parent.parent / "examples" / "scenarios"
BTC, ETH = MarketId("BTC"), MarketId("ETH")
UNITS = Units("0.01", {"BTC": "0.1"})


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(cli.main, ["picture", *map(str, words)])


class Venue:
    """BTC at 100 and ETH at 50, and a log of what happens."""

    def __init__(self) -> None:
        self.matcher = Matcher(genesis(make_rulebook(has_book=True)), prefix="e")
        self.events: list[Event] = []
        self.does(ListMarket, 1_000, BTC, make_rules(), 100)
        self.does(ListMarket, 1_000, ETH, make_rules(), 50)

    def does(self, kind: Callable[..., Event], time: int, *fields: object) -> None:
        sequence = self.matcher.state.sequence + 1
        event = kind(f"e-{sequence}", sequence, time, *fields)
        assert self.matcher.step(event).rejected is None
        self.events.append(event)

    def order(self, account: str, size: int, price: int, time: int) -> None:
        order = LimitOrder(AccountId(account), BTC, Lots(size), Price(price))
        self.events.extend(self.matcher.submit(order, Time(time)).events)

    def resolve(self, time: int) -> None:
        self.events.extend(self.matcher.resolve(timestamp=Time(time)).events)

    def write(self, path: Path) -> Path:
        write_log(path, self.matcher.state.rulebook, UNITS, self.events)
        return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A long of 10 lots from 100 with 150 atoms; bids come, the mark falls to 89, and the best of them takes a lot."""
    venue = Venue()
    for account, cash in (("long", 150), ("maker", 10_000), ("short", 10_000)):
        venue.does(Deposit, 1_000, account, cash)
    venue.does(FundInsurance, 1_000, 70)
    venue.order("long", 10, 100, 1_000)
    venue.order("short", -10, 100, 1_000)
    for price, size in ((100, 1), (99, 4), (97, 8)):
        venue.order("maker", size, price, 61_000)
    venue.does(IndexPrice, 121_000, BTC, 91)
    venue.does(MarkPrice, 121_000, BTC, 89)
    venue.resolve(121_000)
    return venue.write(tmp_path / "log.jsonl")


# The samples


def test_there_is_a_sample_of_each_timestamp_with_what_was_done_by_then(log: Path) -> None:
    cascade = read_cascade(log)

    assert BTC == cascade.market
    assert (
        Sample(Time(1_000), 100, 100, 0, 0, (0, 0, 0, 0), 70),
        # within 2 % of 100: the bids at 100 and 99
        Sample(Time(61_000), 100, 100, 100, 5, (0, 0, 0, 0), 70),
        # within 2 % of 89: those that are left
        Sample(Time(121_000), 91, 89, 99, 12, (1, 0, 0, 0), 70),
    ) == cascade.samples
    assert 1 == get_closed(cascade.samples[-1], Stage.BOOK) == replay(log).waterfall.closed[Stage.BOOK][BTC].lots


def test_a_market_may_be_asked_for(log: Path) -> None:
    cascade = read_cascade(log, "ETH")

    assert [50, 50, 50] == [sample.mark for sample in cascade.samples]
    with pytest.raises(LogError, match=r"expected one of its markets \(BTC, ETH\), got \"ETC\" \(did you mean"):
        read_cascade(log, "ETC")


def test_a_log_without_a_market_has_no_picture(tmp_path: Path) -> None:
    write_log(tmp_path / "log.jsonl", make_rulebook(), UNITS, [])

    with pytest.raises(LogError, match="expected a log that lists a market, got none"):
        read_cascade(tmp_path / "log.jsonl")


# The drawing


def get_texts(picture: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(picture).iter() if element.tag.endswith("text")]


def test_the_picture_names_its_curves_and_units(log: Path) -> None:
    texts = get_texts(draw_cascade(read_cascade(log)))

    assert {"index", "mark", "best bid", "bids", "order book", "vault", "deleveraged", "fund"} <= set(texts)
    assert "Closed on liquidated accounts, BTC" in texts
    # an atom per lot is 0.01 / 0.1 of quote currency per base unit
    assert {"9", "9.5", "10"} <= set(texts)


def test_a_market_whose_lot_is_not_told_is_drawn_in_lots(log: Path) -> None:
    texts = get_texts(draw_cascade(read_cascade(log, "ETH")))

    assert "Price, atoms per lot" in texts
    assert "Closed on liquidated accounts, lots" in texts


def test_a_single_sample_is_drawn() -> None:
    sample = Sample(Time(5), 100, 100, 0, 0, (0, 0, 0, 0), 0)

    assert "best bid" in get_texts(draw_cascade(Cascade(BTC, UNITS, (sample,))))


def test_a_name_is_escaped() -> None:
    sample = Sample(Time(5), 100, 100, 0, 0, (0, 0, 0, 0), 0)
    name = MarketId("<b>&\x1b")
    picture = draw_cascade(Cascade(name, Units("1", {name: "1"}), (sample,)))

    assert "Closed on liquidated accounts, <b>&\\u001b" in get_texts(picture)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (Fraction(0), Fraction(10), ["0", "2", "4", "6", "8", "10"]),
        (Fraction(0), Fraction(33), ["0", "10", "20", "30"]),
        (Fraction(99_400), Fraction(117_000), ["100,000", "105,000", "110,000", "115,000"]),
        (Fraction(1, 1000), Fraction(5, 1000), ["0.001", "0.002", "0.003", "0.004", "0.005"]),
    ],
)
def test_ticks_are_round(low: Fraction, high: Fraction, ticks: list[str]) -> None:
    assert ticks == [format_number(tick) for tick in get_ticks(low, high)]


def test_labels_do_not_meet() -> None:
    places = [Fraction(98), Fraction(100), Fraction(20)]

    assert [86, 100, 20] == spread_out(places, 100)


def test_many_samples_are_thinned_to_columns_of_which_the_first_and_last_stay() -> None:
    samples = [Sample(Time(number), 1, 1, 0, 0, (0, 0, 0, 0), 0) for number in range(1_801)]
    thinned = thin(samples)

    assert len(thinned) <= 601
    assert (samples[0], samples[-1]) == (thinned[0], thinned[-1])
    assert samples[:5] == thin(samples[:5])


# The command


def test_the_command_writes_what_the_log_gives(log: Path, tmp_path: Path) -> None:
    out = tmp_path / "picture.svg"

    assert [0, 0] == [run(log, "--out", out).exit_code for _ in range(2)]
    assert draw_cascade(read_cascade(log)) == out.read_text(encoding="utf-8")


def test_nothing_but_a_picture_is_replaced(log: Path) -> None:
    before = log.read_bytes()
    result = run(log, "--out", log)

    assert 2 == result.exit_code
    assert "expected a new file, or an earlier picture, got another file" in result.stderr
    assert before == log.read_bytes()


def test_the_committed_picture_is_that_of_the_committed_crash(tmp_path: Path) -> None:
    scenario = read_scenario(SCENARIOS / "crash.toml")
    path = tmp_path / "crash.jsonl"
    write_log(path, scenario.rulebook, scenario.units, simulate(scenario))
    cascade = read_cascade(path)
    is_same = draw_cascade(cascade) == (SCENARIOS / "crash.svg").read_text(encoding="utf-8")

    assert is_same, "run riskcore simulate and riskcore picture as the README says"
    last, before = cascade.samples[-1], cascade.samples[0]
    whole = sum(last.closed)
    for stage in (Stage.BOOK, Stage.VAULT, Stage.DELEVERAGING):
        assert 0 == get_closed(before, stage)
        assert whole < 20 * get_closed(last, stage)
    assert last.insurance < before.insurance
