"""All figures are carried, each is played or left out with a reason, and what plays them can fail."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.vectors.play import FOLDER, Case, Verdict, find_differences, get_kind, load, play, to_number
from tests.vectors.table import LEFT_OUT, SUBJECTS, count, show

ALL = [case for subject in SUBJECTS for case in load(subject)]


def test_all_files_are_played() -> None:
    assert set(SUBJECTS) == {path.stem for path in FOLDER.glob("*.json")}


def test_all_cases_are_carried_once() -> None:
    assert 496 == len(ALL) == len({case.id for case in ALL})


def test_each_case_has_a_runner_or_a_reason() -> None:
    for subject, runners in SUBJECTS.items():
        for case in load(subject):
            assert case.id in LEFT_OUT or get_kind(runners, case.id)


def test_few_are_left_out_each_with_a_reason_and_all_there() -> None:
    assert len(LEFT_OUT) <= 26
    assert set(LEFT_OUT) <= {case.id for case in ALL}
    assert all(LEFT_OUT.values())


@pytest.mark.parametrize("subject", SUBJECTS)
def test_nothing_fails(subject: str) -> None:
    row = count(subject)

    assert {} == row.failures
    assert len(load(subject)) == row.total


def test_the_table_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert show()
    assert "496" in capsys.readouterr().out


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.id)
def test_a_figure_that_is_another_is_found(case: Case) -> None:
    runners = next(runners for subject, runners in SUBJECTS.items() if case in load(subject))
    actual = runners[get_kind(runners, case.id)](case.inputs)
    changed = change(case.expected)

    assert find_differences(changed, actual, case.tolerance)


def change(value: Any) -> Any:
    """The value with its first figure made another one."""
    if isinstance(value, dict):
        # what a step expects of nobody is nothing to change
        key = next(key for key in value if value[key] not in ({}, []))
        return {**value, key: change(value[key])}
    if isinstance(value, list):
        if not value:
            return ["another"]
        place = next((place for place, entry in enumerate(value) if entry != {}), 0)
        return [*value[:place], change(value[place]), *value[place + 1 :]]
    if isinstance(value, bool) or value is None:
        return not value
    number = to_number(value)
    return "another" if number is None else f"{3 * number + 1}"


@pytest.mark.parametrize(
    ("expected", "actual", "verdict"),
    [
        ("0.5", Fraction(1, 2), Verdict.EXACT),
        ("0.33", Fraction(1, 3), Verdict.PRINTED),
        ("0.34", Fraction(1, 3), Verdict.PRINTED),
        ("0.35", Fraction(1, 3), Verdict.TOLERATED),
        (1, Fraction(9, 10), Verdict.TOLERATED),
    ],
)
def test_a_verdict_says_how_close_a_figure_is(expected: Any, actual: Fraction, verdict: Verdict) -> None:
    case = Case("a-1", {}, {"x": expected}, "0.1", False)

    assert (verdict, []) == play({"a-": lambda inputs: {"x": actual}}, case)


def test_a_figure_beyond_the_tolerance_and_one_that_is_missing_are_differences() -> None:
    assert [".x: 2 is not 1"] == find_differences({"x": 1}, {"x": 2}, "0.5")
    assert [".x is missing"] == find_differences({"x": 1}, {}, None)
    assert find_differences({"x": [1, 2]}, {"x": [1]}, None)
    assert find_differences({"x": True}, {"x": 1}, None)


def test_a_file_that_is_not_there_is_no_figure(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load("margin", tmp_path)
