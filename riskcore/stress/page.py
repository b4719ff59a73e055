"""A stress run as one HTML page: of each measure the means with their intervals, and how it is spread over the paths.

Places are floats; the table has what the text has. The same run gives the same bytes with the same libraries.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import altair as alt

from riskcore.columns import add_row, make_table
from riskcore.html_report.charts import Chart, Rows, place, to_spec
from riskcore.html_report.names import TEXT, shorten
from riskcore.html_report.shell import read, render
from riskcore.html_report.shown import to_table
from riskcore.stress.family import Family
from riskcore.stress.paths import Row
from riskcore.stress.report import AMOUNTS, COLUMNS, SHARES, get_cells
from riskcore.stress.summary import Summary, get_values
from riskcore.units import Units

#: What is drawn, with its title and what it says.
DRAWN: Final = {
    "deleveraged": ("Closed against winners", "Notional at mark that deleveragings closed, in quote currency."),
    "touched": ("Winners touched", "Accounts that closed lots in a deleveraging."),
    "largest": ("The largest part", "Of all lots that winners closed, the part of who closed most, in per cent."),
    "forwent": ("Forgone", "What winners got less than mark, in quote currency."),
    "insurance": ("Insurance", "What the fund paid, in quote currency."),
    "uncovered": ("Uncovered", "What nobody paid, in quote currency."),
}
#: Places of a spread, from the least path to the worst.
PLACES: Final = 100
#: Colours that lines have on the page; with more rulebooks they come again.
COLOURS: Final = 6


def make_page(
    family: Family, units: Units, rows: Sequence[Row], summaries: Sequence[Summary], begin: bytes
) -> Iterator[str]:
    """The page's text, piece by piece."""
    specs: dict[str, Any] = {}
    for measure, (title, _) in DRAWN.items():
        chosen = [one for one in summaries if one.measure == measure]
        means = draw_means(chosen, units)
        specs[f"{measure}-means"] = to_spec(means, 26 * len(chosen) + 20, f"{title}: mean and interval by rulebook")
        specs[f"{measure}-spread"] = to_spec(draw_spread(rows, measure, units), 220, f"{title}: spread over the paths")
    table = make_table(*COLUMNS)
    for one in summaries:
        add_row(table, *get_cells(one, units))
    return render(
        Path(__file__).with_name("page.html").read_text(encoding="utf-8"),
        begin=begin,
        style=read("page.css"),
        script=read("charts.js") + 'drawInView(JSON.parse(document.getElementById("data-charts").textContent));\n',
        data={"charts": specs},
        name=shorten(family.name, TEXT),
        paths=f"{family.paths:,}",
        seed=family.seed,
        rulebooks=", ".join(shorten(choice.name, TEXT) for choice in family.choices),
        parts=[{"id": measure, "title": title, "words": words} for measure, (title, words) in DRAWN.items()],
        table=to_table(table),
    )


def to_scale(value: float, measure: str, units: Units) -> float:
    """As the table shows it: quote currency, per cent, or a count."""
    if measure in AMOUNTS:
        return place(Fraction(value) * Fraction(units.cash))
    return value / 10_000 if measure in SHARES else float(value)


def draw_means(summaries: Sequence[Summary], units: Units) -> Chart:
    """A point for each rulebook, and a line as wide as its interval."""
    rows: Rows = [
        {
            "rulebook": one.rulebook,
            "mean": to_scale(one.estimate.mean, one.measure, units),
            "low": to_scale(one.estimate.mean - one.estimate.reach, one.measure, units),
            "high": to_scale(one.estimate.mean + one.estimate.reach, one.measure, units),
        }
        for one in summaries
    ]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("rulebook:N", title=None, sort=[one.rulebook for one in summaries])
    )
    figures = [alt.Tooltip(f"{name}:Q", format=",.2f") for name in ("mean", "low", "high")]
    reach = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", title=None, scale=alt.Scale(zero=False)), x2="high:Q")
    points = base.mark_point(filled=True, size=70, color="var(--accent)", opacity=1).encode(
        x="mean:Q", tooltip=["rulebook:N", *figures]
    )
    both: Chart = reach + points
    return both


def draw_spread(rows: Sequence[Row], measure: str, units: Units) -> Chart:
    """For each rulebook what so many per cent of the paths do not exceed."""
    names = list(dict.fromkeys(row.rulebook for row in rows))
    drawn: Rows = []
    for name in names:
        values = sorted(get_values([row for row in rows if row.rulebook == name], measure))
        for percent in range(PLACES + 1):
            value = values[(len(values) - 1) * percent // PLACES]
            drawn.append({"rulebook": name, "paths": percent, "value": to_scale(value, measure, units)})
    colours = [f"var(--line-{place_of % COLOURS + 1})" for place_of in range(len(names))]
    lines: Chart = (
        alt.Chart(alt.InlineData(values=drawn))
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(
            x=alt.X("value:Q", title=None, scale=alt.Scale(zero=False)),
            y=alt.Y("paths:Q", title="per cent of the paths"),
            order="paths:Q",
            color=alt.Color("rulebook:N", title=None, scale=alt.Scale(domain=names, range=colours)),
            tooltip=["rulebook:N", alt.Tooltip("value:Q", format=",.2f"), "paths:Q"],
        )
    )
    return lines
