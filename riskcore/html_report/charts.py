"""The page's charts, as Vega-Lite specifications made with Altair.

A chart's places are floats: what is exact stands in the tables and in the explorer. Colours and fonts are the page's,
which knows whether it is light or dark: a chart has their names in the page's style.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any, Final, TypeAlias

import altair as alt

from riskcore.html_report.episodes import Episode
from riskcore.html_report.names import shorten
from riskcore.html_report.series import Sample
from riskcore.journal import Reason, Stage
from riskcore.quantities import MarketId
from riskcore.waterfall import CLOSING_STAGES, Waterfall

Rows: TypeAlias = list[dict[str, Any]]
Chart: TypeAlias = alt.Chart | alt.LayerChart | alt.FacetChart

#: Markets that a chart tells apart: those in which most was closed.
MARKETS: Final = 6
#: The furthest that a place may be from zero, which a double still holds.
_FAR: Final = 10**300
_KIND_COLOURS: Final = ["var(--whole)", "var(--paid)", "var(--left)"]
_STAGE_COLOURS: Final = ["var(--book)", "var(--vault)", "var(--deleveraging)", "var(--settlement)"]
_LINE_COLOURS: Final = [f"var(--line-{number})" for number in range(1, MARKETS + 1)]
_NEED_COLOURS: Final = ["var(--needed)", "var(--taken)"]
_QUEUE_COLOURS: Final = ["var(--before)", "var(--after)"]
#: What each bar of the loss waterfall is: a total, what somebody pays of it, what is left.
_KINDS: Final = ("total", "paid", "left")


def place(number: Fraction | int) -> float:
    """The nearest double."""
    return float(max(min(number, _FAR), -_FAR))


def get_losses(waterfall: Waterfall, uncovered: int, cash: Fraction) -> Rows:
    """Losses beyond the margin of those who had them, as bars from ``start`` to ``end`` in quote currency, in order.

    Deleveraged counterparties pay what they forwent, less what of it was passed on to the insurance fund. What was
    written off may be paid later: ``uncovered`` atoms are what nobody has paid at the end.
    """
    paid, repaid = _get_paid(waterfall), _get_repaid(waterfall)
    left = waterfall.written_off
    older = uncovered + sum(repaid.values()) - left
    at = sum(paid.values()) + left
    bars = [("losses beyond margin", "total", 0, at)]
    for name, atoms in paid.items():
        bars.append((name, "paid", at, at - atoms))
        at -= atoms
    bars.append(("written off", "left", left, 0))
    if older > 0:
        bars.append(("uncovered before", "total", left, left + older))
        at += older
    for name, atoms in repaid.items():
        bars.append((name, "paid", at, at - atoms))
        at -= atoms
    if at != left:
        bars.append(("still uncovered", "left", at, 0))
    return [
        {"what": name, "kind": kind, "start": place(start * cash), "end": place(end * cash),
         "amount": place(abs(start - end) * cash)}
        for name, kind, start, end in bars
        if start != end or kind == "left"
    ]  # fmt: skip


def _get_paid(waterfall: Waterfall) -> dict[str, int]:
    """Who bore losses when they came up."""
    vault, deleveraged = waterfall.get_total(Stage.VAULT), waterfall.get_total(Stage.DELEVERAGING)
    overshoot = waterfall.insurance_received[Reason.OVERSHOOT]
    deficits = sum(waterfall.insurance_paid.values()) - waterfall.insurance_paid[Stage.BOOK]
    return {
        "insurance fund: fills": waterfall.insurance_paid[Stage.BOOK],
        "insurance fund: deficits": deficits - waterfall.insurance_repaid,
        "vault": max(vault.forgone - vault.gained, 0),
        "deleveraged winners": max(deleveraged.forgone - overshoot, 0),
    }


def _get_repaid(waterfall: Waterfall) -> dict[str, int]:
    """Who bore what had been written off."""
    return {
        "insurance fund: later": waterfall.insurance_repaid,
        "shared": waterfall.shared,
        "cut withdrawals": waterfall.haircuts,
        "from outside": waterfall.repaid,
    }


def draw_losses(rows: Rows) -> Chart:
    """Who bore what went beyond margin: from the whole down to what nobody paid."""
    order = [row["what"] for row in rows]
    base = alt.Chart(_data(rows)).encode(
        x=alt.X("what:N", sort=order, title=None, axis=alt.Axis(labelAngle=0, labelLimit=150)),
    )
    bars = base.mark_bar(cornerRadius=2, size=46).encode(
        y=alt.Y("start:Q", title="quote currency"),
        y2="end:Q",
        color=alt.Color("kind:N", scale=alt.Scale(domain=list(_KINDS), range=_KIND_COLOURS), legend=None),
        tooltip=[alt.Tooltip("what:N", title="what"), _amount("amount", "quote currency")],
    )
    labels = base.mark_text(dy=-8).encode(
        y=alt.Y("top:Q"), text=alt.Text("amount:Q", format=",.2f")
    ).transform_calculate(top="max(datum.start, datum.end)")  # fmt: skip
    return alt.layer(bars, labels)


def get_funds(samples: Sequence[Sample], cash: Fraction) -> Rows:
    names = ("insurance fund", "vault equity", "uncovered loss")
    return [
        {"step": sample.number, "what": name, "amount": place(atoms * cash)}
        for sample in samples
        for name, atoms in zip(names, (sample.insurance, sample.vault, sample.uncovered), strict=True)
    ]


def draw_fund(rows: Rows, name: str) -> Chart:
    """One fund over the steps of the log."""
    own = [row for row in rows if row["what"] == name]
    base = alt.Chart(_data(own)).encode(x=_step(), y=alt.Y("amount:Q", title=None))
    area = base.mark_area(interpolate="step-after", opacity=0.16, line={"strokeWidth": 1.6})
    return _with_rule(base, area, [_amount("amount", name)])


def get_closed(samples: Sequence[Sample], cash: Fraction) -> Rows:
    return [
        {"step": sample.number, "stage": str(stage), "amount": place(atoms * cash), "order": place_in_order}
        for sample in samples
        for place_in_order, (stage, atoms) in enumerate(zip(CLOSING_STAGES, sample.closed, strict=True))
    ]


def draw_closed(rows: Rows) -> Chart:
    """Notional closed so far, stage upon stage."""
    stages = [str(stage) for stage in CLOSING_STAGES]
    chart: alt.Chart = (
        alt.Chart(_data(rows))
        .mark_area(interpolate="step-after")
        .encode(
            x=_step(),
            y=alt.Y("amount:Q", stack="zero", title="notional closed, quote currency"),
            color=alt.Color("stage:N", scale=alt.Scale(domain=stages, range=_STAGE_COLOURS), title=None),
            order="order:Q",
            tooltip=["step:Q", "stage:N", _amount("amount", "closed")],
        )
    )
    return chart


def get_cascade(samples: Sequence[Sample], cash: Fraction) -> Rows:
    """Each market's mark, the first being 100, against its notional closed so far; the most closed first."""
    last = samples[-1]
    most = sorted((id for id in last.sold if last.sold[id]), key=lambda id: (-last.sold[id], id))[:MARKETS]
    firsts: dict[MarketId, int] = {}
    for sample in samples:
        for id, mark in sample.marks.items():
            firsts.setdefault(id, mark)
    return [
        {
            "step": sample.number,
            "market": shorten(id),
            "mark": place(Fraction(100 * sample.marks[id], firsts[id])),
            "closed": place(sample.sold[id] * cash),
        }
        for id in most
        for sample in samples
        if id in sample.marks
    ]


def draw_cascade(rows: Rows) -> Chart:
    """Mark against closed notional, as the log goes: down and to the right is a cascade."""
    chart: alt.Chart = (
        alt.Chart(_data(rows))
        .mark_line(strokeWidth=1.8, strokeJoin="round", point={"size": 8, "filled": True})
        .encode(
            x=alt.X("closed:Q", title="notional closed so far, quote currency"),
            y=alt.Y("mark:Q", title="mark, first = 100", scale=alt.Scale(zero=False)),
            color=alt.Color("market:N", scale=alt.Scale(range=_LINE_COLOURS), title=None, sort=None),
            order="step:Q",
            tooltip=["market:N", "step:Q", alt.Tooltip("mark:Q", format=".2f"), _amount("closed", "closed")],
        )
    )
    return chart


def get_needs(episodes: Iterable[Episode], cash: Fraction, limit: int) -> Rows:
    """What was needed and taken so far, deleveraging by deleveraging; of many evenly chosen ones, and the last."""
    rows: Rows = []
    needed = taken = 0
    every = list(episodes)
    stride = -(-len(every) // limit) or 1
    for count, episode in enumerate(every, 1):
        needed, taken = needed + episode.needed, taken + episode.taken
        if count % stride == 0 or count == len(every):
            for name, atoms in (("needed", needed), ("taken", taken)):
                rows.append({"step": episode.number, "what": name, "amount": place(atoms * cash)})
    return rows


def draw_needs(rows: Rows) -> Chart:
    """Two lines, the wider one of what was needed: where one shows alone, more or less was taken."""
    base = alt.Chart(_data(rows)).encode(
        x=_step(),
        y=alt.Y("amount:Q", title="so far, quote currency"),
        color=alt.Color("what:N", scale=alt.Scale(domain=["needed", "taken"], range=_NEED_COLOURS), title=None),
        tooltip=["step:Q", "what:N", _amount("amount", "so far")],
    )
    needed = base.transform_filter("datum.what == 'needed'").mark_line(interpolate="step-after", strokeWidth=7)
    taken = base.transform_filter("datum.what == 'taken'").mark_line(interpolate="step-after", strokeWidth=1.6)
    return alt.layer(needed, taken)


def get_concentrations(episodes: Iterable[Episode], limit: int) -> Rows:
    """Of each deleveraging that ended, the largest ten's part of the queue's lots; of many evenly chosen ones."""
    ended = [episode for episode in episodes if episode.after is not None]
    stride = -(-len(ended) // limit) or 1
    return [
        {"step": episode.number, "when": when, "top": place(100 * own.top), "holders": own.holders}
        for episode in ended[::stride]
        for when, own in (("before", episode.before), ("after", episode.after))
        if own is not None and own.lots
    ]


def draw_concentrations(rows: Rows) -> Chart:
    """Each deleveraging twice: before and after."""
    chart: alt.Chart = (
        alt.Chart(_data(rows))
        .mark_point(filled=True, size=22, opacity=0.65)
        .encode(
            x=_step(),
            y=alt.Y("top:Q", title="largest ten, % of lots", scale=alt.Scale(zero=False)),
            color=alt.Color("when:N", scale=_before_after(), title=None),
            tooltip=["step:Q", "when:N", alt.Tooltip("top:Q", format=".1f"), "holders:Q"],
        )
    )
    return chart


def draw_queue() -> Chart:
    """One queue, place by place, before and after; the page gives it the rows of the chosen one."""
    chart: alt.Chart = (
        alt.Chart(alt.NamedData(name="queue"))
        .mark_bar(cornerRadiusTopLeft=1, cornerRadiusTopRight=1)
        .encode(
            x=alt.X("place:O", title="place in the queue", axis=alt.Axis(labelAngle=0, labelOverlap=True)),
            xOffset=alt.XOffset("when:N", sort=["before", "after"]),
            y=alt.Y("lots:Q", title="lots"),
            color=alt.Color("when:N", scale=_before_after(), title=None),
            tooltip=["place:O", "account:N", "when:N", alt.Tooltip("lots:Q", format=",")],
        )
    )
    return chart


def to_spec(chart: Chart, height: int, description: str) -> dict[str, Any]:
    """As wide as its place on the page; the schema's address is left out, for nobody is to look there."""
    spec: dict[str, Any] = chart.properties(width="container", height=height, description=description).to_dict()
    return {name: value for name, value in spec.items() if name not in ("$schema", "config")}


def _before_after() -> alt.Scale:
    return alt.Scale(domain=["before", "after"], range=_QUEUE_COLOURS)


def _data(rows: Rows) -> alt.InlineData:
    return alt.InlineData(values=rows)


def _step() -> alt.X:
    return alt.X(
        "step:Q", title="step", axis=alt.Axis(format=",d", tickMinStep=1), scale=alt.Scale(nice=False, zero=False)
    )


def _amount(field: str, title: str) -> alt.Tooltip:
    return alt.Tooltip(f"{field}:Q", title=title, format=",.2f")


def _with_rule(base: alt.Chart, mark: alt.Chart, figures: list[alt.Tooltip]) -> Chart:
    """The mark, with figures wherever the pointer is."""
    nearest = alt.selection_point(nearest=True, on="pointerover", fields=["step"], empty=False)
    rule = (
        base.mark_rule(strokeWidth=1)
        .encode(
            opacity=alt.when(nearest).then(alt.value(0.5)).otherwise(alt.value(0)),
            tooltip=["step:Q", *figures],
        )
        .add_params(nearest)
    )
    return alt.layer(mark, rule)
