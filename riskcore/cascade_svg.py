"""A cascade as a picture: four panels over one time axis, in SVG of the standard library's making.

The same samples give the same bytes everywhere: every coordinate is a whole number of tenths, rounded down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Final
from xml.etree import ElementTree

from attrs import frozen

from riskcore.bad_input import printable
from riskcore.cascade import DEPTH_RATE, Cascade, Sample, get_closed
from riskcore.journal import Stage
from riskcore.quantities import RATE_ONE
from riskcore.units import Units, format_decimal, place_point

WIDTH: Final = 860
_LEFT, _RIGHT, _TOP, _GAP, _BOTTOM = 76, 144, 34, 40, 34
#: Samples that are drawn: more would be narrower than a line.
_COLUMNS: Final = 600
_MINUTE: Final = 60_000
#: Pixels from one label to the next.
_LABEL: Final = 14
#: Colours that differ for all eyes (Okabe and Ito).
_BLACK, _GREY, _GREEN, _BLUE, _ORANGE, _RED = "#000000", "#bbbbbb", "#009e73", "#56b4e9", "#e69f00", "#d55e00"


@frozen
class Curve:
    """``name`` beside its end; ``get``: its value at a sample, None where there is none; ``width`` in pixels."""

    name: str
    colour: str
    get: Callable[[Sample], int | None]
    width: int = 2


@frozen
class Panel:
    """Curves over one vertical axis. ``unit``: what a value of one is worth in the unit that ``title`` names.

    ``is_stacked``: areas, each upon those before it; else lines. ``from_zero``: whether the axis begins there.
    """

    title: str
    height: int
    unit: Fraction
    curves: tuple[Curve, ...]
    is_stacked: bool = False
    from_zero: bool = True


@frozen
class Axis:
    """From ``low`` to ``high`` in native units, over ``length`` pixels."""

    low: int
    high: int
    length: int

    def place(self, value: int | Fraction) -> Fraction:
        """Pixels from the axis' beginning."""
        return Fraction(value - self.low) * self.length / (self.high - self.low)


def draw_cascade(cascade: Cascade) -> str:
    """The picture, as the text of an SVG file."""
    panels, samples = _make_panels(cascade), thin(cascade.samples)
    height = _TOP + sum(panel.height + _GAP for panel in panels) - _GAP + _BOTTOM
    root = ElementTree.Element("svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {WIDTH} {height}")
    root.set("font-family", "sans-serif")
    root.set("font-size", "12")
    title = f"{printable(cascade.market)}: from orders to auto-deleveraging"
    ElementTree.SubElement(root, "title").text = title
    ElementTree.SubElement(root, "rect", width=str(WIDTH), height=str(height), fill="#ffffff")
    start, end = samples[0].time, samples[-1].time
    across = Axis(start, max(end, start + 1), WIDTH - _LEFT - _RIGHT)
    _draw_time(root, across, _TOP, height - _BOTTOM)
    top = _TOP
    for panel in panels:
        _draw_panel(root, panel, samples, across, top)
        top += panel.height + _GAP
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def thin(samples: Sequence[Sample]) -> list[Sample]:
    """No more samples than columns: of each column's the last, and the first of all."""
    step = -(-len(samples) // _COLUMNS)
    kept = list(samples[::-step][::-1])
    return kept if kept[0] is samples[0] else [samples[0], *kept]


def _make_panels(cascade: Cascade) -> tuple[Panel, ...]:
    units, market = cascade.units, cascade.market
    cash, lot = Fraction(units.cash), _get_lot(units, market)
    base = "lots" if lot is None else printable(market)
    price = ("atoms per lot", Fraction(1)) if lot is None else ("quote currency", cash / lot)

    def closed(stage: Stage) -> Callable[[Sample], int]:
        return lambda sample: get_closed(sample, stage)

    stages = (
        Curve("deleveraged", _RED, closed(Stage.DELEVERAGING)),
        Curve("vault", _ORANGE, closed(Stage.VAULT)),
        Curve("order book", _BLUE, closed(Stage.BOOK)),
    )
    prices = (
        Curve("index", _GREY, lambda sample: sample.index, 7),
        Curve("best bid", _GREEN, lambda sample: sample.bid or None),
        Curve("mark", _BLACK, lambda sample: sample.mark),
    )
    within = format_decimal(Fraction(DEPTH_RATE * 100, RATE_ONE))
    depth = Curve("bids", _GREEN, lambda sample: sample.depth)
    fund = Curve("fund", _BLACK, lambda sample: sample.insurance)
    worth = lot or Fraction(1)
    return (
        Panel(f"Price, {price[0]}", 170, price[1], prices, from_zero=False),
        Panel(f"Bids within {within} % of mark, {base}", 80, worth, (depth,), is_stacked=True),
        Panel(f"Closed on liquidated accounts, {base}", 170, worth, stages[::-1], is_stacked=True),
        Panel("Insurance fund, quote currency", 70, cash, (fund,)),
    )


def _get_lot(units: Units, market: str) -> Fraction | None:
    return Fraction(units.lots[market]) if market in units.lots else None


def _draw_panel(root: ElementTree.Element, panel: Panel, samples: list[Sample], across: Axis, top: int) -> None:
    lines = [[curve.get(sample) for sample in samples] for curve in panel.curves]
    if panel.is_stacked:
        lines = _stack(lines)
    known = [value for line in lines for value in line if value is not None]
    low, high = (0 if panel.from_zero else min(known)), max(known)
    up = Axis(low, max(high, low + 1), panel.height)
    bottom = top + panel.height
    _write(root, panel.title, _LEFT, top - 10, anchor="start", weight="bold")
    for tick in get_ticks(low * panel.unit, up.high * panel.unit):
        y = bottom - up.place(tick / panel.unit)
        _draw_line(root, ((Fraction(_LEFT), y), (Fraction(_LEFT + across.length), y)), "#dddddd", 1)
        _write(root, format_number(tick), _LEFT - 6, y + 4, anchor="end")
    places = [_LEFT + across.place(sample.time) for sample in samples]
    if panel.is_stacked:
        floor: list[int | None] = [0] * len(samples)
        for curve, line in zip(panel.curves, lines, strict=True):
            _fill_between(root, places, floor, line, up, bottom, curve.colour)
            floor = line
    else:
        for curve, line in zip(panel.curves, lines, strict=True):
            _draw_curve(root, places, line, up, bottom, curve)
    ends = [bottom - up.place(_get_label_height(lines, place, panel.is_stacked)) for place in range(len(lines))]
    for curve, y in zip(panel.curves, spread_out(ends, bottom), strict=True):
        _write(root, curve.name, _LEFT + across.length + 8, y + 4, anchor="start", fill=curve.colour)


def _stack(lines: list[list[int | None]]) -> list[list[int | None]]:
    """Each line upon those before it."""
    below, stacked = [0] * len(lines[0]), []
    for line in lines:
        below = [low + (value or 0) for low, value in zip(below, line, strict=True)]
        stacked.append(list[int | None](below))
    return stacked


def _get_label_height(lines: list[list[int | None]], place: int, is_stacked: bool) -> Fraction:
    """The last value of a line; of an area the middle of its end."""
    last = next((value for value in reversed(lines[place]) if value is not None), 0)
    before = (lines[place - 1][-1] or 0) if is_stacked and place else 0
    return Fraction(last + before, 2) if is_stacked else Fraction(last)


def spread_out(places: list[Fraction], bottom: int) -> list[Fraction]:
    """The places of labels, moved so far apart that all can be read, none below the bottom."""
    ordered = sorted(range(len(places)), key=lambda number: (places[number], number))
    moved = list(places)
    for upper, lower in pairwise(ordered):
        moved[lower] = max(moved[lower], moved[upper] + _LABEL)
    lowest = Fraction(bottom)
    for number in reversed(ordered):
        moved[number] = min(moved[number], lowest)
        lowest = moved[number] - _LABEL
    return moved


def get_ticks(low: Fraction, high: Fraction) -> list[Fraction]:
    """Round numbers from low to high, a handful: a whole multiple each of 1, 2 or 5 of some power of ten."""
    step = Fraction(1)
    while step * 4 < high - low:
        step *= 10
    while step * 4 >= (high - low) * 10:
        step /= 10
    step = next(step / part for part in (5, 2, 1) if step / part * 5 >= high - low)
    first = -(-low // step)
    return [step * number for number in range(first, int(high // step) + 1)]


def format_number(number: Fraction) -> str:
    """The exact decimal text, its thousands parted."""
    whole, _, decimals = format_decimal(number).partition(".")
    return place_point(int(whole), 0, ",") + (f".{decimals}" if decimals else "")


def _draw_time(root: ElementTree.Element, across: Axis, top: int, bottom: int) -> None:
    """The minutes since the first sample, and a thin line at each through all panels."""
    for tick in get_ticks(Fraction(0), Fraction(across.high - across.low, _MINUTE)):
        x = _LEFT + across.place(across.low + tick * _MINUTE)
        _draw_line(root, ((x, Fraction(top)), (x, Fraction(bottom))), "#eeeeee", 1)
        _write(root, format_number(tick) + (" min" if tick == 0 else ""), x, bottom + 18, anchor="middle")


def _draw_curve(
    root: ElementTree.Element, places: list[Fraction], line: list[int | None], up: Axis, bottom: int, curve: Curve
) -> None:
    """A line with gaps where there is no value."""
    run: list[tuple[Fraction, Fraction]] = []
    for x, value in zip([*places, Fraction(0)], [*line, None], strict=True):
        if value is not None:
            run.append((x, bottom - up.place(value)))
        elif run:
            _draw_line(root, run, curve.colour, curve.width)
            run = []


def _fill_between(
    root: ElementTree.Element,
    places: list[Fraction],
    floor: list[int | None],
    line: list[int | None],
    up: Axis,
    bottom: int,
    colour: str,
) -> None:
    over = [(x, bottom - up.place(value or 0)) for x, value in zip(places, line, strict=True)]
    under = [(x, bottom - up.place(value or 0)) for x, value in zip(places, floor, strict=True)]
    points = _join([*over, *reversed(under)])
    ElementTree.SubElement(root, "polygon", {"points": points, "fill": colour, "stroke": "none"})


def _draw_line(root: ElementTree.Element, points: Iterable[tuple[Fraction, Fraction]], colour: str, width: int) -> None:
    members = {"points": _join(points), "fill": "none", "stroke": colour, "stroke-width": str(width)}
    ElementTree.SubElement(root, "polyline", members)


def _write(
    root: ElementTree.Element,
    text: str,
    x: int | Fraction,
    y: int | Fraction,
    *,
    anchor: str,
    fill: str = "#333333",
    weight: str = "normal",
) -> None:
    members = {"x": _place(x), "y": _place(y), "text-anchor": anchor, "fill": fill}
    if weight != "normal":
        members["font-weight"] = weight
    ElementTree.SubElement(root, "text", members).text = text


def _join(points: Iterable[tuple[Fraction, Fraction]]) -> str:
    return " ".join(f"{_place(x)},{_place(y)}" for x, y in points)


def _place(value: int | Fraction) -> str:
    """Pixels to a tenth, rounded down."""
    tenths = value * 10 // 1
    return place_point(int(tenths), 1)
