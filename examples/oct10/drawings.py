"""The report's charts. Places are floats; what is exact stands in the tables."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import altair as alt

from examples.oct10.figures import size
from examples.oct10.laboratory import PATH_PPM, VENUE, Outcome, Played, compare
from examples.oct10.tables import name
from examples.oct10.waves import Counted
from examples.oct10_study import DOLLAR, SHARES_PPM
from riskcore.html_report.charts import Chart, Rows, place, to_spec

_SIZES = [size(share) for share in SHARES_PPM]


def draw_all(counted: Sequence[Counted], played: Played) -> dict[str, Any]:
    """Each chart by the id of its place on the page."""
    outcomes = [one for one in played.outcomes if one.share_ppm == PATH_PPM]
    height = 26 * len(outcomes)
    return {
        "deficits": to_spec(draw_deficits(counted), 240, "Deficit of each wave, and what of it was counted before"),
        "needs": to_spec(draw_needs(counted), 240, "Needed and production of each wave"),
        "spread": to_spec(draw_spread(played.outcomes), height, "Part of the lots that the ten largest close"),
        "costs": to_spec(draw_costs(outcomes), height + 60, "Profit realised by force beside what was forgone"),
        "shifts": to_spec(draw_shifts(played), height, "Lots that move against the venue's rule"),
        "courses": to_spec(draw_courses(played), height, "Lots that move when one deleveraging comes in waves"),
    }


def draw_deficits(counted: Sequence[Counted]) -> Chart:
    parts = ["for the first time", "counted before"]
    rows: Rows = [
        {"wave": one.wave.number, "part": part, "order": order, "amount": place(amount)}
        for one in counted
        for order, (part, amount) in enumerate(zip(parts, (one.once, one.repeated), strict=True))
    ]
    return _bars(rows, "wave").encode(
        y=alt.Y("amount:Q", title="deficit, US$", stack="zero", axis=_short()),
        color=_colour("part", parts, ["var(--paid)", "var(--left)"]),
        order="order:Q",
        tooltip=["wave:O", alt.Tooltip("part:N", title="loss"), _amount("amount", "US$")],
    )


def draw_needs(counted: Sequence[Counted]) -> alt.Chart:
    kinds = ["needed", "production"]
    rows: Rows = [
        {"wave": one.wave.number, "what": kind, "amount": place(getattr(one.wave, kind))}
        for one in counted
        for kind in kinds
    ]
    return _bars(rows, "wave").encode(
        xOffset=alt.XOffset("what:N", sort=kinds),
        y=alt.Y("amount:Q", title="US$", axis=_short()),
        color=_colour("what", kinds, ["var(--needed)", "var(--taken)"]),
        tooltip=["wave:O", "what:N", _amount("amount", "US$")],
    )


def draw_spread(outcomes: Sequence[Outcome]) -> Chart:
    rows: Rows = [
        {
            "policy": name(one.policy),
            "size": size(one.share_ppm),
            "top": place(100 * one.get_top(10)),
            "touched": one.touched,
        }
        for one in outcomes
    ]
    base = alt.Chart(alt.InlineData(values=rows)).encode(y=_policies(rows))
    ends = base.mark_rule(strokeWidth=1, opacity=0.5).encode(x="min(top):Q", x2="max(top):Q")
    points = base.mark_point(filled=True, size=70, opacity=1).encode(
        x=alt.X("top:Q", title="the ten that close most, % of the lots closed", scale=_whole(), axis=_steps()),
        color=_colour("size", _SIZES, ["var(--line-2)", "var(--line-1)", "var(--line-3)"], "size of the bankrupt"),
        tooltip=["policy:N", "size:N", alt.Tooltip("top:Q", format=".1f", title="ten largest, %"), _count("touched")],
    )
    return alt.layer(ends, points)


def draw_costs(outcomes: Sequence[Outcome]) -> alt.Chart:
    kinds = ["forgone against mark", "profit realised by force"]
    rows: Rows = [
        {"policy": name(one.policy), "what": kind, "amount": place(Fraction(amount, DOLLAR))}
        for one in outcomes
        for kind, amount in zip(kinds, (one.forgone, one.realised), strict=True)
    ]
    return _across(rows).encode(
        yOffset=alt.YOffset("what:N", sort=kinds),
        x=alt.X("amount:Q", title="US$ of winners' wealth", axis=_short()),
        color=_colour("what", kinds, ["var(--left)", "var(--taken)"]),
        tooltip=["policy:N", "what:N", _amount("amount", "US$")],
    )


def draw_shifts(played: Played) -> alt.Chart:
    venue = played.get(VENUE, PATH_PPM)
    rows: Rows = []
    for one in played.outcomes:
        if one.share_ppm == PATH_PPM and one.policy != VENUE:
            shift = compare(venue.closed, one.closed)
            part = Fraction(100 * shift.moved, one.lots)
            rows.append({"policy": name(one.policy), "part": place(part), "fewer": shift.fewer, "more": shift.more})
    return _across(rows).encode(
        x=alt.X("part:Q", title="lots on other accounts than under the venue's rule, %", scale=_whole(), axis=_steps()),
        tooltip=["policy:N", alt.Tooltip("part:Q", format=".1f", title="%"), _count("fewer"), _count("more")],
    )


def draw_courses(played: Played) -> alt.Chart:
    rows: Rows = [
        {"policy": name(one.policy), "part": place(Fraction(100 * one.shift.moved, sum(one.sizes)))}
        for one in played.courses
    ]
    return _across(rows).encode(
        x=alt.X("part:Q", title="lots on other accounts in waves than at once, %", scale=_whole(), axis=_steps()),
        tooltip=["policy:N", alt.Tooltip("part:Q", format=".2f", title="%")],
    )


def _bars(rows: Rows, field: str) -> alt.Chart:
    chart: alt.Chart = alt.Chart(alt.InlineData(values=rows)).mark_bar(cornerRadius=1)
    return chart.encode(x=alt.X(f"{field}:O", title=field, axis=alt.Axis(labelAngle=0)))


def _across(rows: Rows) -> alt.Chart:
    chart: alt.Chart = alt.Chart(alt.InlineData(values=rows)).mark_bar(cornerRadius=1)
    return chart.encode(y=_policies(rows))


def _policies(rows: Rows) -> alt.Y:
    order = list(dict.fromkeys(row["policy"] for row in rows))
    return alt.Y("policy:N", sort=order, title=None, axis=alt.Axis(labelLimit=280, grid=False))


def _colour(field: str, names: list[str], colours: list[str], title: str | None = None) -> alt.Color:
    return alt.Color(f"{field}:N", scale=alt.Scale(domain=names, range=colours), title=title)


def _whole() -> alt.Scale:
    return alt.Scale(domain=[0, 100])


def _steps() -> alt.Axis:
    return alt.Axis(values=list(range(0, 101, 20)))


def _short() -> alt.Axis:
    """Numbers like 20M."""
    return alt.Axis(format="~s")


def _amount(field: str, title: str) -> alt.Tooltip:
    return alt.Tooltip(f"{field}:Q", title=title, format=",.2f")


def _count(field: str) -> alt.Tooltip:
    return alt.Tooltip(f"{field}:Q", format=",")
