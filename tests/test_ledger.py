"""The ledger: written and read back, and what it says of obligations that are not as recorded."""

from __future__ import annotations

import io
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner
from rich.console import Console

from riskcore.bad_input import LogError
from riskcore.cli import main
from riskcore.ledger import NEGLIGIBLE, SHIPPED, Differences, Ledger, compare, make_ledger, read_ledger, write_ledger
from riskcore.verify import Result, get_law_ids
from riskcore.verify_run import print_differences

HEAVY = 10 * NEGLIGIBLE


def make_result(name: str, rlimit: int = HEAVY, verdict: str = "PROVED", digest: str = "0" * 64) -> Result:
    return Result(name, "LAW", "event", "law", verdict, "any", 1, rlimit, 0.0, None, digest)


def make(*results: Result) -> Ledger:
    return make_ledger(list(results))


RECORDED = make(make_result("event/B"), make_result("event/A"))
NOTHING = Differences((), (), (), (), (), False)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    write_ledger(tmp_path / "ledger.tsv", RECORDED)

    assert RECORDED == read_ledger(tmp_path / "ledger.tsv")
    assert ["event/A", "event/B"] == [
        line.split("\t")[0] for line in (tmp_path / "ledger.tsv").read_text().splitlines()[2:]
    ]


def test_an_obligation_that_is_no_formula_has_no_hash() -> None:
    assert "-" == make(make_result("event/WITNESS", digest="")).entries["event/WITNESS"].hash


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (RECORDED, NOTHING),
        (
            make(make_result("event/A"), make_result("event/B"), make_result("event/C")),
            attrs.evolve(NOTHING, new=("event/C",)),
        ),
        (make(make_result("event/A")), attrs.evolve(NOTHING, gone=("event/B",))),
        (
            make(make_result("event/A"), make_result("event/B", verdict="UNKNOWN")),
            attrs.evolve(NOTHING, verdict=("event/B",)),
        ),
        (
            make(make_result("event/A"), make_result("event/B", digest="1" * 64)),
            attrs.evolve(NOTHING, changed=("event/B",)),
        ),
        (
            make(make_result("event/A"), make_result("event/B", 2 * HEAVY + 1)),
            attrs.evolve(NOTHING, heavier=("event/B",)),
        ),
        (make(make_result("event/A"), make_result("event/B", 2 * HEAVY)), NOTHING),
    ],
)
def test_each_difference_is_named(found: Ledger, expected: Differences) -> None:
    assert expected == compare(RECORDED, found)


def test_growth_below_what_matters_is_none() -> None:
    light, grown = make(make_result("event/A", 1)), make(make_result("event/A", NEGLIGIBLE))

    assert NOTHING == compare(light, grown)


def test_another_z3_spends_another_effort() -> None:
    other = attrs.evolve(make(make_result("event/A"), make_result("event/B", 9 * HEAVY)), z3="0.0")

    assert attrs.evolve(NOTHING, is_other_z3=True) == compare(RECORDED, other)


def say(differences: Differences) -> str:
    console = Console(file=io.StringIO(), width=100)
    with console.capture() as capture:
        print_differences(differences, 7, console)
    return capture.get()


def test_differences_are_told() -> None:
    assert "ledger    7 obligations, as recorded\n" == say(NOTHING)
    assert "ledger    1 new: event/C\n" == say(attrs.evolve(NOTHING, new=("event/C",)))
    assert "warning: more than twice the effort: event/C" in say(attrs.evolve(NOTHING, heavier=("event/C",)))
    assert "recorded with another z3" in say(attrs.evolve(NOTHING, is_other_z3=True))


TITLE = "# riskcore ledger 1, z3 5.0\n"
COLUMNS = "obligation\tlaw\tverdict\trlimit\thash\n"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", ":1"),
        ("# something else\n", ":1"),
        (TITLE, ":2"),
        (TITLE + "name\n", ":2"),
        (TITLE + COLUMNS + "event/A\tLAW\tPROVED\t1\n", ":3"),
        (TITLE + COLUMNS + "event/A\tLAW\tPROVED\t-1\t0\n", ":3"),
        (TITLE + COLUMNS + 2 * "event/A\tLAW\tPROVED\t1\t0\n", ":4"),
    ],
)
def test_what_is_no_ledger_is_refused_with_its_line(text: str, place: str, tmp_path: Path) -> None:
    (tmp_path / "ledger.tsv").write_text(text)
    with pytest.raises(LogError) as refusal:
        read_ledger(tmp_path / "ledger.tsv")

    assert f"ledger.tsv{place}: expected" in str(refusal.value)


def test_no_other_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(LogError):
        write_ledger(tmp_path / "notes.txt", RECORDED)

    assert "mine" == (tmp_path / "notes.txt").read_text()


def test_a_ledger_of_a_part_is_refused() -> None:
    answer = CliRunner().invoke(main, ["verify", "--event", "deposit", "--write-ledger", "some.tsv"])

    assert answer.exit_code == 2
    assert "goes without --law and --event" in answer.output


def test_a_place_that_will_not_do_is_told_before_anything_is_proven(tmp_path: Path) -> None:
    answer = CliRunner().invoke(main, ["verify", "--write-ledger", str(tmp_path)])

    assert answer.exit_code == 2
    assert "got a directory" in answer.output


def test_the_shipped_ledger_has_nothing_but_proofs() -> None:
    shipped = read_ledger(SHIPPED)

    assert {"PROVED"} == {one.verdict for one in shipped.entries.values()}
    assert {one.law for one in shipped.entries.values()} <= set(get_law_ids())
    assert list(shipped.entries) == sorted(shipped.entries)
