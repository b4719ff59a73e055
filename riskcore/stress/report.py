"""What a stress run says: for each rulebook and measure, what is to be expected and how bad it gets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from rich.console import Console
from rich.text import Text

from riskcore.columns import add_row, make_table
from riskcore.stress.family import Family
from riskcore.stress.summary import Estimate, Summary
from riskcore.units import Units

#: Measures in atoms, shown in quote currency.
AMOUNTS = ("sold", "taken_over", "deleveraged", "forwent", "insurance", "uncovered")
#: Measures in parts per million, shown in per cent.
SHARES = ("largest",)
COLUMNS = ("measure", "rulebook"), ("mean", "+-", "above zero", "median", "19 in 20", "worst"), ("difference",)


def print_summary(family: Family, units: Units, summaries: Sequence[Summary], console: Console) -> None:
    """A table, and how to read it."""
    table = make_table(*COLUMNS)
    for one in summaries:
        add_row(table, *get_cells(one, units))
    console.print(Text(f"{family.name}: {family.paths:,} paths, seed {family.seed}", style="bold"))
    console.print(table)
    console.print(
        "means, and half the width of their 95 % confidence intervals; differences from the first rulebook, path by "
        "path, with * where the interval leaves zero out",
        soft_wrap=True,
    )


def get_cells(one: Summary, units: Units) -> tuple[str, ...]:
    return (
        one.measure,
        one.rulebook,
        show(one.estimate.mean, one.measure, units),
        show(one.estimate.reach, one.measure, units),
        f"{100 * one.hit:.1f} %",
        *(show(value, one.measure, units) for value in (one.median, one.worst_20th, one.worst)),
        show_difference(one.difference, one.measure, units),
    )


def show(value: float, measure: str, units: Units) -> str:
    if measure in SHARES:
        return f"{value / 10_000:.1f} %"
    if measure in AMOUNTS:
        return f"{value * float(Fraction(units.cash)):,.0f}"
    return f"{value:,.2f}"


def show_difference(difference: Estimate | None, measure: str, units: Units) -> str:
    if difference is None:
        return ""
    sign = "+" if difference.mean > 0 else ""
    mark = " *" if difference.is_apart_from_zero else ""
    return f"{sign}{show(difference.mean, measure, units)} +- {show(difference.reach, measure, units)}{mark}"


def to_markdown(summaries: Sequence[Summary], units: Units) -> Iterator[str]:
    heads = [name for group in COLUMNS for name in group]
    yield "| " + " | ".join(heads) + " |"
    yield "|---|---|" + "---:|" * 6 + "---|"
    for one in summaries:
        yield "| " + " | ".join(get_cells(one, units)) + " |"


def to_json(family: Family, units: Units, summaries: Sequence[Summary]) -> dict[str, Any]:
    """Amounts in atoms."""
    return {
        "family": family.name,
        "paths": family.paths,
        "seed": family.seed,
        "atom": units.cash,
        "summaries": [
            {
                "rulebook": one.rulebook,
                "measure": one.measure,
                "mean": one.estimate.mean,
                "reach": one.estimate.reach,
                "above_zero": one.hit,
                "median": str(one.median),
                "worst_20th": str(one.worst_20th),
                "worst": str(one.worst),
                "difference": None if one.difference is None else [one.difference.mean, one.difference.reach],
            }
            for one in summaries
        ],
    }
