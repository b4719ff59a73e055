"""What came of all paths: means with their confidence intervals, quantiles, and differences path by path."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import fmean, stdev

from attrs import frozen

from riskcore.stress.paths import MEASURES, Row

#: Standard errors to either side that hold the mean of 95 in 100 samples, where there are many.
REACH = 1.959964


@frozen
class Estimate:
    """A mean, and half the width of its 95 % confidence interval; for reading, so floats."""

    mean: float
    reach: float

    @property
    def is_apart_from_zero(self) -> bool:
        return abs(self.mean) > self.reach


@frozen
class Summary:
    """A measure under a rulebook. ``hit``: rate of the paths in which it is above zero. ``difference``: its mean less
    that under the first rulebook, path by path; None for that itself.
    """

    rulebook: str
    measure: str
    estimate: Estimate
    hit: float
    median: int
    worst_20th: int
    worst: int
    difference: Estimate | None


def summarise(rows: Sequence[Row]) -> list[Summary]:
    """Every measure under every rulebook, measure by measure."""
    by_name: dict[str, list[Row]] = {}
    for row in rows:
        by_name.setdefault(row.rulebook, []).append(row)
    first, *_ = by_name
    return [
        make_summary(
            name, measure, get_values(by_name[name], measure), get_values(by_name[first], measure), name == first
        )
        for measure in MEASURES
        for name in by_name
    ]


def get_values(rows: Sequence[Row], measure: str) -> list[int]:
    return [int(getattr(row, measure)) for row in rows]


def make_summary(name: str, measure: str, values: list[int], others: list[int], is_first: bool) -> Summary:
    """``others``: what the first rulebook came to, path by path."""
    order = sorted(values)
    differences = [one - other for one, other in zip(values, others, strict=True)]
    return Summary(
        name,
        measure,
        estimate(values),
        sum(value > 0 for value in values) / len(values),
        order[(len(order) - 1) // 2],
        order[-(-len(order) * 19 // 20) - 1],
        order[-1],
        None if is_first else estimate(differences),
    )


def estimate(values: Sequence[int]) -> Estimate:
    """By the central limit theorem: so of many paths, and with care where few of them are above zero."""
    return Estimate(fmean(values), REACH * stdev(values) / sqrt(len(values)))
