"""``riskcore stress``: paths are the same everywhere, what varies keeps to its ends, and what is said of all is so."""

from __future__ import annotations

import csv
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from statistics import stdev

import pytest
from attrs import evolve
from click.testing import CliRunner, Result

from riskcore.bad_input import LogError
from riskcore.choices import Allocation, RankPolicy
from riskcore.cli import main
from riskcore.commands import stressing
from riskcore.log import write_log
from riskcore.simulation.play import simulate
from riskcore.stress.family import Family, Variation, read_family
from riskcore.stress.paths import MEASURES, play_all, play_path
from riskcore.stress.saving import save
from riskcore.stress.summary import estimate, make_summary, summarise

FOLDER = Path(__file__).parent.parent / "examples" / "stress"
FAMILIES = sorted(path for path in FOLDER.glob("*.toml") if not path.stem.endswith(".scenario"))


@pytest.fixture(scope="module")
def family() -> Family:
    return evolve(read_family(FOLDER / "gap.toml"), paths=4)


def test_there_is_a_family_for_each_kind_of_crisis() -> None:
    assert ["cascade", "correlated", "gap", "thin_book", "vault_run"] == [path.stem for path in FAMILIES]


@pytest.mark.parametrize("path", FAMILIES, ids=lambda path: path.stem)
def test_each_family_reaches_a_deleveraging(path: Path) -> None:
    family = read_family(path)
    rows = play_path(evolve(family, choices=family.choices[:1]), 3)

    assert [True] == [row.deleveraged > 0 and row.episodes > 0 and row.touched > 0 for row in rows]


def test_a_path_is_the_same_wherever_it_is_played(family: Family) -> None:
    two = evolve(family, choices=family.choices[:2])
    with ThreadPoolExecutor(2) as executor:
        rows = play_all(two, executor, 2, batch=1)

    assert [row for path in range(4) for row in play_path(two, path)] == rows
    assert len({row.seed for row in rows}) == 4
    assert [one.seed for one in rows[::2]] == [one.seed for one in rows[1::2]]


def test_a_rulebook_is_otherwise_only_as_told(family: Family) -> None:
    _, scenario = family.draw(0)
    changed = {choice.name: choice.apply(scenario.rulebook) for choice in family.choices}

    assert scenario.rulebook == changed["profit_x_leverage"]
    assert evolve(scenario.rulebook, adl_rank=RankPolicy.SIZE) == changed["size"]
    assert evolve(scenario.rulebook, adl_allocation=Allocation.CONTRACTS) == changed["by_contracts"]


def test_figures_are_within_their_ends_and_reach_them() -> None:
    one = Variation("x", ("x",), -1, 2, 2)  # type: ignore[arg-type]  # whole numbers are fractions
    drawn = {str(one.draw(Random(seed))) for seed in range(3000)}

    assert len(drawn) > 250
    assert ("-1.00", "2.00", "-0.01", "0.00") == (one.write(0), one.write(300), one.write(99), one.write(100))
    assert all(-1 <= float(figure) <= 2 for figure in drawn)
    assert 7 == Variation("x", ("x",), 7, 9, 0).write(0)  # type: ignore[arg-type]


def test_a_row_says_what_a_replay_of_the_path_says(family: Family, tmp_path: Path) -> None:
    only = evolve(family, choices=family.choices[2:3])
    (row,) = play_path(only, 2)
    _, scenario = only.draw(2)
    scenario = evolve(scenario, rulebook=only.choices[0].apply(scenario.rulebook))
    path = tmp_path / "path.jsonl"
    write_log(path, scenario.rulebook, scenario.units, simulate(scenario))
    answer = CliRunner().invoke(main, ["replay", str(path), "--format", "json"])
    told = json.loads(answer.stdout)

    assert 0 == answer.exit_code
    assert row.events == told["events"]


def test_a_mean_its_interval_and_its_quantiles() -> None:
    summary = make_summary("second", "touched", [*range(1, 20), 100], [0] * 20, False)

    assert (14.5, 10, 19, 100, 1.0) == (
        summary.estimate.mean,
        summary.median,
        summary.worst_20th,
        summary.worst,
        summary.hit,
    )
    assert summary.difference == summary.estimate
    assert summary.difference.is_apart_from_zero
    assert summary.estimate.reach == pytest.approx(1.959964 * stdev([*range(1, 20), 100]) / 20**0.5)
    assert not estimate([-1, 1, -1, 1]).is_apart_from_zero
    assert make_summary("first", "touched", [1, 2], [1, 2], True).difference is None


def test_measures_stand_side_by_side(family: Family) -> None:
    rows = [row for path in range(2) for row in play_path(evolve(family, choices=family.choices[:2]), path)]
    summaries = summarise(rows)

    assert [(measure, name) for measure in MEASURES for name in ("profit_x_leverage", "leverage")] == [
        (one.measure, one.rulebook) for one in summaries
    ]


# The command


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["stress", *words])


def test_a_table_and_a_page_need_two_files(tmp_path: Path) -> None:
    answer = run(str(tmp_path / "none.toml"), "--out", str(tmp_path / "x"), "--report", str(tmp_path / "x"))

    assert 2 == answer.exit_code
    assert "name the same file" in " ".join(answer.stderr.replace("│", "").split())


@pytest.fixture
def small(tmp_path: Path) -> Path:
    for name in ("gap.toml", "gap.scenario.toml", "venue.json"):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    path = tmp_path / "gap.toml"
    kept = path.read_text(encoding="utf-8").split("[[rulebooks]]")
    path.write_text("[[rulebooks]]".join(kept[:3]), encoding="utf-8")
    return path


def test_every_path_is_a_row_of_the_file(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    answer = run(str(small), "--paths", "2", "--seed", "9", "--jobs", "1", "--out", str(out), "--format", "json")
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    told = json.loads(answer.stdout)

    assert 0 == answer.exit_code, answer.output
    assert (2, 9) == (told["paths"], told["seed"])
    assert [("0", "profit_x_leverage"), ("0", "leverage"), ("1", "profit_x_leverage"), ("1", "leverage")] == [
        (row["path"], row["rulebook"]) for row in rows
    ]
    assert all(-0.3 <= float(row["vary.markets.BTC.path.1.change"]) <= -0.05 for row in rows)
    mean = next(one["mean"] for one in told["summaries"] if one["measure"] == "deleveraged")
    assert mean == sum(int(row["deleveraged"]) for row in rows[::2]) / 2


def test_text_and_markdown_name_every_measure(family: Family, small: Path) -> None:
    for form in ("text", "md"):
        answer = run(str(small), "--paths", "2", "--jobs", "1", "--format", form)

        assert 0 == answer.exit_code, answer.output
        assert all(measure in answer.stdout for measure in MEASURES)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("riskcore_stress = 1", "riskcore_stress = 2", "riskcore_stress: expected a whole number from 1 to 1"),
        ('"gap.scenario.toml"', '"none.toml"', "none.toml"),
        ("path.1.change", "path.7.change", "expected a place from 0 to 2 of an array"),
        ("path.1.change", "path.1.chnage", 'got "chnage" (did you mean "change"?)'),
        ("path.1.change", "path.1", "expected the name of a figure"),
        ("path.1.change", "path.1.change.more", "expected the end of the name"),
        ("[-0.3000, -0.0500]", "[-0.0500, -0.3000]", "two numbers that do not fall"),
        ("[-0.3000, -0.0500]", "-0.3", "an array of the lowest and the highest"),
        ("[-0.3000, -0.0500]", '[-0.3, "x"]', "a decimal string"),
        ("[-0.3000, -0.0500]", "[-1.5, -0.1]", "vary."),
        ('name = "leverage"', 'name = "profit_x_leverage"', "a name that no other has"),
        ('adl_rank = "leverage"', 'adl_rank = "leverag"', 'did you mean "leverage"?'),
        ('adl_rank = "leverage"', 'adl_solvent = "yes"', "expected true or false"),
        ('adl_rank = "leverage"', "vault_takes_deficits = true", "a rulebook that is admissible"),
        ('adl_rank = "leverage"', "fee = 3", "an unknown key"),
        ("paths = 1_000", "paths = 1", "from 2 to 1,000,000"),
        ("paths = 1_000", "path = 1", "an unknown key"),
    ],
)
def test_what_is_wrong_is_said_before_a_path_is_played(small: Path, old: str, new: str, said: str) -> None:
    text = small.read_text(encoding="utf-8")
    assert old in text
    small.write_text(text.replace(old, new), encoding="utf-8")
    answer = run(str(small))

    assert 2 == answer.exit_code
    assert said in answer.stderr
    assert "Traceback" not in answer.output


@pytest.mark.parametrize(
    ("out", "said"), [("rows.txt", "a file named .csv or .parquet"), ("none/rows.csv", "no such folder")]
)
def test_a_place_that_cannot_be_written_is_said_before_a_path_is_played(small: Path, out: str, said: str) -> None:
    answer = run(str(small), "--out", str(small.parent / out))

    assert 2 == answer.exit_code
    assert said in answer.stderr


def test_a_page_needs_its_libraries_and_replaces_only_a_page(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "notes.html"
    target.write_text("<p>mine</p>", encoding="utf-8")
    monkeypatch.setattr(stressing, "is_installed", lambda: True)
    kept = run(str(small), "--paths", "2", "--jobs", "1", "--report", str(target))
    monkeypatch.setattr(stressing, "is_installed", lambda: False)
    wanting = run(str(small), "--report", str(tmp_path / "page.html"))

    assert (2, 2) == (kept.exit_code, wanting.exit_code)
    assert "an earlier page of a stress run, got another file" in kept.stderr
    assert "<p>mine</p>" == target.read_text(encoding="utf-8")
    assert "pip install 'riskcore[report]'" in wanting.stderr


def test_another_file_is_not_replaced(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "fills.csv"
    out.write_text("time,price\n1,2\n", encoding="utf-8")
    answer = run(str(small), "--paths", "2", "--jobs", "1", "--out", str(out))

    assert 2 == answer.exit_code
    assert "expected a new file, or an earlier table of paths, got another file" in answer.stderr
    assert "time,price\n1,2\n" == out.read_text(encoding="utf-8")
    out.unlink()
    for _ in range(2):
        assert 0 == run(str(small), "--paths", "2", "--jobs", "1", "--out", str(out)).exit_code


def test_rows_are_kept_in_parquet_to_the_atom(family: Family, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = play_path(evolve(family, choices=family.choices[:1]), 0)
    save(tmp_path / "rows.parquet", rows)

    (row,) = parquet.read_table(tmp_path / "rows.parquet").to_pylist()
    assert (0, str(rows[0].deleveraged), rows[0].figures["insurance"]) == (
        row["path"],
        row["deleveraged"],
        row["vary.insurance"],
    )


def test_a_folder_is_no_table(family: Family, tmp_path: Path) -> None:
    with pytest.raises(LogError, match="a place for a table"):
        save(tmp_path / "none" / "rows.csv", play_path(evolve(family, choices=family.choices[:1]), 0))
