"""Peers' figures as cases: read, played by a runner, compared exactly.

A case has inputs and what its source expects. The runner of its kind, the longest that the case's id
begins with, computes the same figures from the inputs through the public API.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

from attrs import evolve, frozen

from riskcore.venues.exact import exact

FOLDER = Path(__file__).with_name("cases")

#: Computes a case's figures from its inputs.
Runner: TypeAlias = Callable[[dict[str, Any]], Mapping[str, Any]]
Runners: TypeAlias = Mapping[str, Runner]


class Verdict(StrEnum):
    """How figures compare with those of their source.

    The same; or the same in all digits that the source prints; or within a tolerance that the source itself takes,
    as its inputs are rounded.
    """

    EXACT = "exact"
    PRINTED = "printed"
    TOLERATED = "tolerated"


@frozen
class Case:
    """``tolerance``: by how much a source's printed figure may differ, for all of them or by name."""

    id: str
    inputs: dict[str, Any]
    expected: dict[str, Any]
    tolerance: Any
    flagged: bool


def load(subject: str, folder: Path = FOLDER) -> list[Case]:
    """The cases of one file; decimals are kept as text."""
    cases = json.loads(folder.joinpath(f"{subject}.json").read_text(encoding="utf-8"), parse_float=str)["cases"]
    return [_make_case(case) for case in cases]


def _make_case(case: dict[str, Any]) -> Case:
    flagged = bool(case.get("flagged") or case.get("flags"))
    if "steps" not in case:
        return Case(case["id"], case["inputs"], case["expected"], case.get("tolerance"), flagged)
    # a table: what each step expects stands beside what it does
    expected = [{key: step[key] for key in step if key.startswith("expect")} for step in case["steps"]]
    return Case(case["id"], case, {"steps": expected}, TABLE_TOLERANCES, flagged)


#: Tables print positions to three decimals at least, and bank balances to six.
TABLE_TOLERANCES = {
    "oiOpen": "0.0005",
    "margin": "0.0005",
    "marginRatio": "0.0005",
    "pPos": "0.0005",
    "pnl": "0.0005",
    "mro": "0.0005",
    "qPos": "0",
    "bankBalance": "0.000001",
    "fee": "0.000001",
    "insurancePool": "0.000001",
    "perpetual": "0.000001",
}


def get_at(case: Case, place: str) -> Any:
    """What the case has at a place like ``expected.table[1].rate``; ``KeyError`` or ``IndexError`` for none."""
    found: Any = {"inputs": case.inputs, "expected": case.expected}
    for step in _get_steps(place):
        found = found[step]
    return found


def replace_at(case: Case, place: str, value: Any) -> Case:
    """The case with another value at a place."""
    root: Any = deepcopy({"inputs": case.inputs, "expected": case.expected})
    *way, last = _get_steps(place)
    found = root
    for step in way:
        found = found[step]
    found[last] = value
    return evolve(case, inputs=root["inputs"], expected=root["expected"])


def _get_steps(place: str) -> list[str | int]:
    parts = re.findall(r"[^.\[\]]+|\[[0-9]+\]", place)
    return [int(part[1:-1]) if part.startswith("[") else part for part in parts]


def get_kind(runners: Runners, id: str) -> str:
    """The runner's name; ``KeyError`` where no kind fits the id."""
    kinds = [kind for kind in runners if id.startswith(kind)]
    if not kinds:
        raise KeyError(id)
    return max(kinds, key=len)


def play(runners: Runners, case: Case) -> tuple[Verdict, list[str]]:
    """How the figures compare, and every difference beyond the source's own rounding."""
    actual = runners[get_kind(runners, case.id)](case.inputs)
    differences = find_differences(case.expected, actual, case.tolerance)
    if not find_differences(case.expected, actual, None):
        return Verdict.EXACT, differences
    is_printed = not find_differences(case.expected, actual, LAST_DIGIT)
    return Verdict.PRINTED if is_printed else Verdict.TOLERATED, differences


#: In place of a tolerance: less than one of the last digit of a decimal that is given as text.
LAST_DIGIT = "last digit"


def find_differences(expected: Any, actual: Any, tolerance: Any, name: str = "") -> list[str]:
    """Where what is expected is not what is there. A field that is not expected is not asked for."""
    if isinstance(expected, dict):
        if not isinstance(actual, Mapping):
            return [f"{name}: {actual!r} is no object"]
        return [
            difference
            for key, value in expected.items()
            for difference in (
                find_differences(value, actual[key], get_tolerance(tolerance, key), f"{name}.{key}")
                if key in actual
                else [f"{name}.{key} is missing"]
            )
        ]
    if isinstance(expected, list):
        if not isinstance(actual, list | tuple) or len(actual) != len(expected):
            return [f"{name}: {actual!r} is not {expected!r}"]
        pairs = zip(expected, actual, strict=True)
        return [
            difference
            for place, (value, other) in enumerate(pairs)
            for difference in find_differences(value, other, tolerance, f"{name}[{place}]")
        ]
    return [] if is_same(expected, actual, tolerance) else [f"{name}: {actual} is not {expected}"]


def get_tolerance(tolerance: Any, key: str) -> Any:
    """A field's: its own where they go by name, or none; what is within an object or a list has the whole's."""
    if not isinstance(tolerance, dict):
        return tolerance
    return tolerance.get(key, tolerance)


def is_same(expected: Any, actual: Any, tolerance: Any) -> bool:
    """Numbers are compared as exact fractions, everything else as it is."""
    if isinstance(expected, bool) or isinstance(actual, bool) or expected is None or actual is None:
        return expected is actual
    number, other = to_number(expected), to_number(actual)
    if number is None or other is None:
        return bool(expected == actual)
    if tolerance == LAST_DIGIT:
        decimals = len(expected.partition(".")[2]) if isinstance(expected, str) else 0
        return number == other or (decimals > 0 and abs(number - other) * 10**decimals < 1)
    allowed = Fraction(0) if tolerance is None or isinstance(tolerance, dict) else exact(tolerance)
    return abs(number - other) <= allowed


def to_number(value: Any) -> Fraction | None:
    try:
        return exact(value)
    except (TypeError, ValueError):
        return None
