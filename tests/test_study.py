"""The study of 10 October 2025: exact where a hand can check it, whole on a made-up day, right on the real one."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from click.testing import CliRunner, Result

from examples.oct10 import figures, laboratory
from examples.oct10.__main__ import main
from examples.oct10.data import FIGURES, Data, Wave, read_data
from examples.oct10.laboratory import LEFT_OUT, VENUE, compare, list_chosen, make_standings, part, play, split
from examples.oct10.published import (
    DEBATED,
    Figure,
    Verdict,
    find_quotients,
    get_figures,
    get_step,
    make_checks,
    sum_of,
)
from examples.oct10.waves import count_once, get_heaviest, get_once, get_readings
from examples.oct10.words import say_repeats
from examples.oct10_study import DOLLAR, FILE, SHARES_PPM, VARIABLE, Winner, read_winners
from riskcore import html_report
from riskcore.policies.catalogue import Policy, list_policies
from riskcore.quantities import AccountId
from specs.policies import Space
from tests.study_data import LOSS, WAVES, make_figures, make_rows, write_day, write_figures, write_rows

DRAWS = pytest.mark.skipif(not html_report.is_installed(), reason="the extra report is not installed")


def make_wave(number: int, deficit: int, largest: int, needed: int = 1, production: int = 1) -> Wave:
    figures = map(Fraction, (deficit, largest, needed, production, production - needed))
    return Wave(number, 0, 0, *figures)


# Published


@pytest.mark.parametrize(
    ("number", "step"),
    [("834300000", "100000"), ("0.994", "0.001"), ("12.50", "0.1"), ("7", "1"), ("0", "1"), ("100.01", "0.01")],
)
def test_the_last_digit_that_was_published(number: str, step: str) -> None:
    assert Fraction(step) == get_step(Fraction(number))


@pytest.fixture
def day(tmp_path: Path) -> Data:
    return read_data(write_day(tmp_path))


def test_what_is_published_of_the_day_is_found_in_its_rows(day: Data) -> None:
    verdicts = {check.what: check.verdict for check in make_checks(day)}

    assert 25 == len(verdicts)
    assert 4 == list(verdicts.values()).count(Verdict.NOT_HERE)
    assert Verdict.DIFFERS not in verdicts.values()


@pytest.mark.parametrize(
    ("part", "name", "value", "what"),
    [
        ("adl_fills", "unique_users", 63, "accounts deleveraged"),
        ("adl_fills", "profitable_share", "0.5", "accounts closed at a profit"),
        ("concentration_recomputed", "top10", 0.9, "notional of the largest 10"),
        ("chitra_totals", "total_deficit", "1.00", "deficit, wave by wave"),
    ],
)
def test_what_is_not_so_differs(tmp_path: Path, part: str, name: str, value: object, what: str) -> None:
    rows = make_rows()
    members = make_figures(rows)
    members[part][name] = value
    write_rows(tmp_path, rows)
    write_figures(tmp_path, members)
    differing = {one.what for one in make_checks(read_data(tmp_path)) if one.verdict is Verdict.DIFFERS}

    assert what in differing


def test_quotients_that_round_to_a_multiple() -> None:
    wealth = [Figure(name, Space.WEALTH, Fraction(value)) for name, value in (("a", 85), ("b", 10), ("c", 0))]
    notional = Figure("n", Space.CONTRACTS, Fraction(750))

    def name(multiple: int) -> list[str]:
        found = find_quotients([*wealth, notional], multiple)
        return [f"{one.above.name}/{one.below.name}{' mixed' if one.is_mixed else ''}" for one in found]

    # 85 / 10 is 8.5, which is rounded up; 750 / 85 is 8.8
    assert ["n/a mixed", "a/b"] == name(9)
    assert [] == name(8)
    assert ["n/b mixed"] == name(75)


# Corrected


def test_a_loss_is_a_repeat_where_it_is_the_same_to_the_cent() -> None:
    waves = [make_wave(1, 50, 50), make_wave(2, 70, 50), make_wave(3, 51, 51), make_wave(4, 60, 50), make_wave(5, 0, 0)]
    counted = count_once([*waves, make_wave(6, 0, 0)])

    assert [None, 1, None, 1, None, None] == [one.first for one in counted]
    assert [50, 20, 51, 10, 0, 0] == [one.once for one in counted]
    assert 131 == get_once(counted)


def test_the_heaviest_waves_in_their_order() -> None:
    waves = [make_wave(1, 1, 1, 0, 9), make_wave(2, 1, 1, 5, 1), make_wave(3, 1, 1, 0, 30)]

    assert [1, 3] == [wave.number for wave in get_heaviest(waves)]
    assert [3] == [wave.number for wave in get_heaviest(waves, 1)]


def test_readings_say_less_what(day: Data) -> None:
    readings = get_readings(day.published, count_once(day.published.waves))
    needed, production = sum(wave[3] for wave in WAVES), sum(wave[4] for wave in WAVES)
    once = sum(wave[1] for wave in WAVES) - 2 * LOSS
    values = {(one.above, one.below): one.value * 100 for one in readings}

    assert production - needed == values["production of all waves", "needed"]
    assert production - once == values["production of all waves", "deficit, each loss once"]
    assert values["production of waves above needed", "needed"] == 30_000_00 + 500_00
    assert values["production of waves below needed", "needed"] == -15_000_00 - 3_500_00


# Policies


WINNERS = [
    Winner(AccountId("a"), 600, 300 * DOLLAR, 300 * DOLLAR),
    Winner(AccountId("b"), 300, 3 * DOLLAR, 900 * DOLLAR),
    Winner(AccountId("c"), 100, -10 * DOLLAR, 500 * DOLLAR),
]


def get_policy(name: str) -> Policy:
    return next(policy for policy in list_policies() if policy.name == name)


def test_all_policies_are_chosen_or_left_out_with_a_reason() -> None:
    assert {policy.name for policy in list_policies()} == {policy.name for policy in list_chosen()} | set(LEFT_OUT)
    assert 13 == len(list_chosen())


def test_a_deleveraging_in_lots_and_in_atoms() -> None:
    outcome = play(get_policy("part_by_contracts"), make_standings(WINNERS), 500_000)

    assert (500, 10 * DOLLAR) == (outcome.lots, outcome.deficit)
    assert (300, 150, 50) == outcome.closed
    assert (3, 0) == (outcome.touched, outcome.whole)
    # half of every profit and loss is realised; each pays 2 cents a lot: b 3 dollars of 3, c one beyond its none
    assert (151_500_000, 5 * DOLLAR) == (outcome.realised, outcome.lost)
    assert (10 * DOLLAR, DOLLAR, 1) == (outcome.forgone, outcome.beyond, outcome.burdened)
    assert Fraction(450, 500) == outcome.get_top(2)


def test_the_venues_rule_closes_the_highest_profit_and_leverage_first() -> None:
    outcome = play(get_policy(VENUE), make_standings(WINNERS), 500_000)

    assert (500, 0, 0) == outcome.closed


def vars_of(shift: laboratory.Shift) -> tuple[int, int, int]:
    return shift.fewer, shift.more, shift.moved


def test_who_cannot_bear_its_part_is_in_no_queue() -> None:
    poor = [*WINNERS, Winner(AccountId("poor"), 1_000, 500 * DOLLAR, DOLLAR)]
    outcome = play(get_policy(VENUE), make_standings(poor), 500_000)

    assert (600, 300, 100, 0) == outcome.closed
    assert 20 * DOLLAR == outcome.forgone == outcome.deficit


def test_from_one_outcome_to_another() -> None:
    assert (1, 2, 5) == vars_of(compare((5, 0, 3), (0, 2, 6)))
    assert (0, 0, 0) == vars_of(compare((5, 0), (5, 0)))


def test_a_deficit_is_parted_to_the_atom() -> None:
    assert [3, 3, 4] == part(10, 3, [1, 1, 1])
    assert [0, 6] == part(10, 3, [0, 2])
    assert [] == part(10, 3, [])


@pytest.mark.parametrize(
    ("lots", "weights", "parts"), [(10, (1, 1, 1), (4, 3, 3)), (7, (1, 0, 3), (2, 0, 5)), (0, (1, 2), (0, 0))]
)
def test_lots_are_split_by_weights(lots: int, weights: tuple[int, ...], parts: tuple[int, ...]) -> None:
    assert parts == split(lots, [Fraction(weight) for weight in weights])


def test_waves_close_as_many_lots_and_pay_as_much() -> None:
    standings, weights = make_standings(WINNERS), [Fraction(1), Fraction(0), Fraction(3)]
    for policy in list_chosen():
        whole = play(policy, standings, 250_000)
        course = laboratory.play_course(policy, standings, weights, whole)
        closed = laboratory.play_waves(policy, standings, course.sizes)

        assert 250 == sum(course.sizes) == sum(whole.closed) == sum(closed), policy.name
        assert course.shift == compare(whole.closed, closed)


def test_a_queue_by_leverage_closes_others_in_waves() -> None:
    """Of two that are nearly as leveraged, who is partly closed falls behind."""
    two = [
        Winner(AccountId("a"), 1_000, 0, 499 * DOLLAR),
        Winner(AccountId("b"), 1_000, 0, 500 * DOLLAR),
    ]
    standings = make_standings(two)
    whole = play(get_policy("queue_leverage"), standings, 250_000)

    assert (500, 0) == whole.closed
    assert (250, 250) == laboratory.play_waves(get_policy("queue_leverage"), standings, (250, 250))


# Words and figures


def test_figures_as_they_are_written() -> None:
    assert "-1,234.50" == figures.dollars(Fraction("-1234.5"))
    assert "45.03 M" == figures.millions(Fraction(45_028_665))
    assert "12.00" == figures.millions(Fraction(12))
    assert "25 %" == figures.size(250_000)
    assert ("1 wave", "2 waves") == (figures.count(1, "wave"), figures.count(2, "wave"))
    assert "21:16:04" == figures.clock(1_760_130_964_831)
    assert "1,000,000,000,000,000,000,000 ms" == figures.clock(10**21)


# The command


def run(folder: Path, target: Path) -> Result:
    return CliRunner().invoke(main, [str(folder), "--report", str(target)])


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    folder = tmp_path_factory.mktemp("day")
    target = folder / "out.html"
    return run(write_day(folder), target), target


@DRAWS
def test_the_report_of_a_day(report: tuple[Result, Path]) -> None:
    result, target = report
    page = target.read_text(encoding="utf-8")

    assert 0 == result.exit_code, result.output
    assert page.startswith("<!doctype html>\n<!-- a study by riskcore -->\n")
    assert "One loss is counted 3 times. In 3 of 4 waves the largest loss is exactly 90,000.00" in result.output
    assert "21 of 21 figures that the data can give are the same again" in result.output
    assert "DIFFERS" not in page
    assert 9 == page.count("<td>the same</td>")
    assert "&lt;script&gt;alert(1)" in page and "<script>alert(1)" not in page
    for policy in list_policies():
        assert policy.name.replace("_", " ") in page
    assert str(target.parent) not in page


@DRAWS
def test_the_same_day_gives_the_same_bytes(report: tuple[Result, Path], tmp_path: Path) -> None:
    _, first = report
    second = tmp_path / "second.html"
    # and takes the place of an earlier one
    second.write_bytes(first.read_bytes()[:5000])

    assert 0 == run(write_day(tmp_path), second).exit_code
    assert first.read_bytes() == second.read_bytes()


@DRAWS
def test_no_table_has_lots_beside_wealth(report: tuple[Result, Path]) -> None:
    page = report[1].read_text(encoding="utf-8")
    found = re.findall(r"<caption>(.*?)</caption>\s*<thead>(.*?)</thead>", page, re.DOTALL)
    contracts = [header for caption, header in found if "(contracts" in caption]
    wealth = [header for caption, header in found if "(wealth" in caption]

    assert (7, 5, 22) == (len(contracts), len(wealth), len(found))
    assert not [header for header in contracts if "US$" in header]
    assert not [header for header in wealth if "lots" in header]


def test_a_day_without_repeats_says_so(day: Data) -> None:
    waves = [evolve(wave, largest=Fraction(wave.number)) for wave in day.published.waves]

    assert ["No loss is seen twice."] == [head for head, _ in say_repeats(count_once(waves))]


# Broken data


def spoil_figures(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        members = make_figures(make_rows())
        change(members)
        write_figures(folder, members)

    return spoil


def spoil_row(place: int, text: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        rows = make_rows()
        rows[4][place] = text
        write_rows(folder, rows)

    return spoil


def put(name: str, data: bytes) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / name).write_bytes(data)

    return spoil


def remove(name: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / name).unlink()

    return spoil


def make_folder(name: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).mkdir()

    return spoil


BROKEN: dict[str, tuple[Callable[[Path], None], str]] = {
    "no accounts": (remove(FILE), f"{FILE}: expected a data file, got no such file"),
    "no figures": (remove(FIGURES), f"{FIGURES}: expected a data file, got no such file"),
    "a folder": (make_folder(FILE), "got a directory"),
    "empty": (put(FILE, b""), ":1: expected the columns"),
    "header only": (put(FILE, b"account,adl_notional_usd,closed_pnl_usd,account_value_usd,adl_fills,negative_equity\n"),
                    "expected an account, got none"),
    "binary": (put(FILE, bytes(range(256))), "expected UTF-8, got invalid UTF-8 at byte 129"),
    "zeros": (put(FILE, bytes(5000)), ":1: expected the columns"),
    "no number": (spoil_row(1, "much"), f'{FILE}:6: adl_notional_usd: expected a number, got "much"'),
    "not finite": (spoil_row(2, "NaN"), ':6: closed_pnl_usd: expected a number, got "NaN"'),
    "endless": (spoil_row(3, "1e999999999"), ":6: account_value_usd: expected a number of at most 40 digits"),
    "long": (spoil_row(3, "9" * 5000), ":6: account_value_usd: expected a number of at most 40 digits"),
    "below zero": (spoil_row(1, "-1"), ":6: adl_notional_usd: expected a number, not below zero"),
    "half a fill": (spoil_row(4, "1.5"), ":6: adl_fills: expected a whole number"),
    "no flag": (spoil_row(5, "maybe"), ':6: negative_equity: expected True or False, got "maybe"'),
    "twice": (spoil_row(0, "w1"), 'expected each account once, got "w1" twice'),
    "nameless": (spoil_row(0, ""), ":6: account: expected a text"),
    "a value more": (spoil_row(5, "False,1"), ":6: expected 6 values, got another number of them"),
    "open quote": (spoil_row(0, '"w'), "expected comma-separated values"),
    "truncated": (put(FIGURES, b'{"title": "x", '), ":1: expected one JSON object, got malformed JSON"),
    "an array": (put(FIGURES, b"[]"), "expected an object, got an array"),
    "deep": (put(FIGURES, b"[" * 100_000), "nested too deeply"),
    "a key twice": (put(FIGURES, b'{"a": 1, "a": 2}'), "expected each key once"),
    "not a number": (put(FIGURES, b'{"a": NaN}'), "expected numbers, got NaN"),
    "no waves": (spoil_figures(lambda members: members.update(waves_horizon0=[])), "waves_horizon0: expected waves"),
    "waves mixed up": (spoil_figures(lambda members: members["waves_horizon0"].reverse()), "waves_horizon0: expected"),
    "no total": (spoil_figures(lambda members: members["chitra_totals"].pop("total_needed")),
                 "chitra_totals.total_needed: expected a value, got none"),
    "a wave's text": (spoil_figures(lambda members: members["waves_horizon0"][1].update(needed="x")),
                      'waves_horizon0[1].needed: expected a number, got "x"'),
    "a loss too large": (spoil_figures(lambda members: members["waves_horizon0"][2].update(max_single_loss=10**9)),
                         "waves_horizon0[2].max_single_loss: expected no more than the deficit"),
    "nothing needed": (spoil_figures(lambda members: [wave.update(needed=0) for wave in members["waves_horizon0"]]),
                       "expected a wave with a needed budget"),
    "a band of one": (spoil_figures(lambda members: members["chitra_totals"].update(overshoot_band=["1"])),
                      "chitra_totals.overshoot_band: expected two numbers, got 1"),
    "no winner": (lambda folder: write_rows(folder, make_rows()[-2:]), "expected accounts that can be realised"),
}  # fmt: skip


@DRAWS
@pytest.mark.parametrize("name", BROKEN)
def test_broken_data_is_named_in_one_sentence(name: str, tmp_path: Path) -> None:
    spoil, words = BROKEN[name]
    spoil(write_day(tmp_path))
    result = run(tmp_path, tmp_path / "out.html")

    assert 2 == result.exit_code, result.output
    assert isinstance(result.exception, SystemExit)
    assert words in result.output
    assert 1 == result.output.count("\n")
    assert not (tmp_path / "out.html").exists()


@DRAWS
def test_a_place_that_is_not_the_reports_is_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "other.html"
    other.write_text("mine")

    assert 2 == run(write_day(tmp_path), other).exit_code
    assert "mine" == other.read_text()
    assert "a folder that is not there" in run(tmp_path, tmp_path / "none" / "out.html").output
    assert "expected a folder that holds" in run(tmp_path / "nowhere", tmp_path / "out.html").output


def test_without_the_extra_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html_report, "is_installed", lambda: False)
    result = run(tmp_path, tmp_path / "out.html")

    assert (2, True) == (result.exit_code, "pip install 'riskcore[report]'" in result.output)


# The real day


@pytest.fixture(scope="module")
def real() -> Data:
    folder = os.environ.get(VARIABLE)
    if not folder or not (Path(folder) / FIGURES).is_file():
        pytest.skip(f"{FIGURES} is not here: name its folder in {VARIABLE}")
    return read_data(Path(folder))


def test_the_real_totals_but_one_are_reproduced(real: Data) -> None:
    checks = list(make_checks(real))

    assert ["median leverage"] == [one.what for one in checks if one.verdict is Verdict.DIFFERS]
    assert 20 == sum(one.verdict is Verdict.AGREES for one in checks)
    assert 162 == len(real.published.coins)


def test_the_real_deficit_counts_one_loss_nine_times(real: Data) -> None:
    counted = count_once(real.published.waves)
    repeats = [one for one in counted if one.first is not None]

    assert {(1, Fraction("10925707.16"))} == {(one.first, one.wave.largest) for one in repeats}
    assert [2, 4, 5, 8, 10, 11, 13, 14] == [one.wave.number for one in repeats]
    assert "12,657,729.41" == figures.dollars(get_once(counted))
    assert any("without the repeats the sum is $12,657,729.41" in caution for caution in real.published.cautions)


def test_the_real_overshoot_is_in_two_waves_and_below_needed_in_six(real: Data) -> None:
    waves = real.published.waves
    below = [wave.number for wave in waves if wave.production < wave.needed]

    assert [8, 13] == [wave.number for wave in get_heaviest(waves)]
    assert "42,703,918.30" == figures.dollars(sum_of([wave.overshoot for wave in get_heaviest(waves)]))
    assert list(real.published.below) == below == [1, 2, 4, 5, 9, 10]


def test_the_real_multiples(real: Data) -> None:
    named = get_figures(real, get_once(count_once(real.published.waves)))
    quotients = {multiple: find_quotients(named, multiple)[0] for multiple in DEBATED}

    assert {
        28: ("overshoot of the queue model", "deficit in the paper"),
        13: ("overshoot of the queue model", "overshoot valued later, the most"),
        8: ("deficit as published", "deficit, each loss once"),
    } == {multiple: (one.above.name, one.below.name) for multiple, one in quotients.items()}


def test_real_policies_cost_the_same_and_realise_what_differs(real: Data) -> None:
    standings = make_standings(read_winners(io.StringIO(real.text)).rows)
    names = VENUE, "part_by_contracts"
    outcomes = [play(get_policy(name), standings, SHARES_PPM[1]) for name in names]

    assert [1_872, 18_575] == [one.touched for one in outcomes]
    assert {"10,463,392.88"} == {figures.atoms(one.forgone) for one in outcomes}
    assert ["129.62 M", "208.47 M"] == [figures.million_atoms(one.realised) for one in outcomes]
    assert (1_871, 16_706, 389_078_911) == vars_of(compare(outcomes[0].closed, outcomes[1].closed))
