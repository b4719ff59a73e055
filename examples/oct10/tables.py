"""The report's tables. Lots and dollars never share a column; a column of dollars says of what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from examples.oct10.data import Coin, Published
from examples.oct10.figures import atoms, clock, decimals, dollars, percent, plain, times
from examples.oct10.laboratory import LEFT_OUT, VENUE, Course, Kernel, Outcome, Played, compare
from examples.oct10.published import Check, Quotient, sum_of
from examples.oct10.waves import Counted, Reading, get_over
from examples.oct10_study import DOLLAR, Winners
from riskcore.columns import add_row, make_table
from riskcore.html_report.shown import to_table
from specs.policies import Space

#: A table as the page's template shows it.
Shown = dict[str, Any]


def _make(left: Sequence[str], right: Sequence[str], rows: Iterable[Sequence[str]], last: Sequence[str] = ()) -> Shown:
    table = make_table(left, right, last)
    for row in rows:
        add_row(table, *row)
    return to_table(table)


# Published


def show_checks(checks: Sequence[Check], space: Space) -> Shown:
    rows = (
        (
            one.what, one.unit, plain(one.published), "" if one.found is None else plain(one.found),
            one.verdict.value, one.how,
        )
        for one in checks
        if one.space is space
    )  # fmt: skip
    return _make(("figure", "unit"), ("published", "from the rows"), rows, ("verdict", "how"))


def show_coins(coins: Sequence[Coin]) -> Shown:
    rows = [
        (one.name, dollars(one.notional), dollars(one.profit), f"{one.accounts:,}", f"{one.fills:,}") for one in coins
    ]
    notional, profit = sum_of([one.notional for one in coins]), sum_of([one.profit for one in coins])
    accounts, fills = sum(one.accounts for one in coins), sum(one.fills for one in coins)
    rows.append(("all", dollars(notional), dollars(profit), f"{accounts:,}", f"{fills:,}"))
    names = ("notional closed, US$", "profit realised, US$", "accounts, each once a coin", "fills")
    return _make(("coin",), names, rows)


def show_quotients(quotients: Sequence[tuple[int, Quotient]]) -> Shown:
    """Those of wealth by wealth."""
    rows = (
        (f"{multiple}x", f"{one.above.name} / {one.below.name}", dollars(one.above.value), dollars(one.below.value),
         times(one.value))
        for multiple, one in quotients
        if not one.is_mixed
    )  # fmt: skip
    right = ("above, US$ of wealth", "below, US$ of wealth", "quotient")
    return _make(("multiple", "quotient that rounds to it"), right, rows)


def show_mixed(quotients: Sequence[tuple[int, Quotient]]) -> Shown:
    """Those of one space by the other."""
    rows = []
    for multiple, one in quotients:
        if one.is_mixed:
            contracts, wealth = sorted((one.above, one.below), key=lambda figure: figure.space)
            figures = dollars(contracts.value), dollars(wealth.value), times(one.value)
            rows.append((f"{multiple}x", f"{one.above.name} / {one.below.name}", *figures))
    right = ("contracts, US$ of notional", "wealth, US$", "quotient")
    return _make(("multiple", "quotient that mixes the spaces"), right, rows)


# Corrected


def show_deficits(counted: Sequence[Counted]) -> Shown:
    rows = [
        (
            str(one.wave.number), clock(one.wave.start), dollars(one.wave.deficit), dollars(one.wave.largest),
            "" if one.first is None else f"wave {one.first}", dollars(one.once),
        )
        for one in counted
    ]  # fmt: skip
    published, once = sum_of([one.wave.deficit for one in counted]), sum_of([one.once for one in counted])
    rows.append(("all", "", dollars(published), "", "", dollars(once)))
    left = ("wave", "from, UTC")
    right = (
        "deficit as published, US$",
        "largest loss in it, US$",
        "the same loss as in",
        "deficit, each loss once, US$",
    )
    return _make(left, right, rows)


def show_overshoot(counted: Sequence[Counted]) -> Shown:
    waves = [one.wave for one in counted]
    total, over = sum_of([wave.overshoot for wave in waves]), get_over(waves)
    rows = [
        (
            str(wave.number), dollars(wave.needed), dollars(wave.production), dollars(wave.overshoot),
            times(wave.production / wave.needed) if wave.needed else "",
            percent(wave.overshoot / over) if wave.overshoot > 0 else "",
            "below needed" if wave.production < wave.needed else "",
        )
        for wave in waves
    ]  # fmt: skip
    needed, production = sum_of([wave.needed for wave in waves]), sum_of([wave.production for wave in waves])
    rows.append(
        ("all", dollars(needed), dollars(production), dollars(total), times(production / needed),
         "", "")
    )  # fmt: skip
    right = (
        "needed, US$ of gap",
        "production, US$ of wealth",
        "overshoot, US$",
        "production / needed",
        "of what was above needed",
    )
    return _make(("wave",), right, rows, ("",))


def show_readings(readings: Sequence[Reading]) -> Shown:
    rows = ((f"US$ of {one.above}, less {one.below}", dollars(one.value), one.note) for one in readings)
    return _make(("overshoot in wealth: unit, and baseline",), ("US$",), rows, ("",))


def show_contracts(published: Published) -> Shown:
    totals = published.totals
    closed, liquidated = totals["exact_notional"], totals["liquidated"]
    rows = [
        ("US$ of notional closed by deleveraging, from nothing", dollars(closed)),
        ("US$ of notional liquidated, from nothing", dollars(liquidated)),
    ]
    if liquidated:
        rows.append(("notional deleveraged, of each 100 liquidated", decimals(100 * closed / liquidated, 1)))
    rows.append(
        ("lots deleveraged beyond the lots of those liquidated against them", "none: they are two sides of a trade")
    )
    rows.append(("lots deleveraged that the book could have taken", "not in the data"))
    return _make(("overshoot in contracts: unit, and baseline",), ("",), rows)


# Policies


def show_loaded(winners: Winners) -> Shown:
    rows = [("in the study", f"{len(winners.rows):,}")]
    rows += [(f"left out: {reason}", f"{number:,}") for reason, number in sorted(winners.excluded.items())]
    return _make(("rows of the accounts' file",), ("accounts",), rows)


def show_left_out() -> Shown:
    return _make(("policy left out",), (), ((name(policy), why) for policy, why in LEFT_OUT.items()), ("why",))


def show_closings(outcomes: Sequence[Outcome]) -> Shown:
    rows = (
        (
            name(one.policy), f"{one.touched:,}", f"{one.whole:,}", percent(one.get_top(10)), percent(one.get_top(100)),
            f"{sum(one.closed):,}", f"{sum(one.closed) - one.lots:,}",
        )
        for one in outcomes
    )  # fmt: skip
    right = (
        "accounts touched",
        "closed whole",
        "top 10",
        "top 100",
        "lots closed",
        "overshoot: lots closed less lots to close",
    )
    return _make(("policy, in contracts",), right, rows)


def show_costs(outcomes: Sequence[Outcome]) -> Shown:
    rows = (
        (
            name(one.policy), atoms(one.forgone), atoms(one.forgone - one.deficit), atoms(one.realised),
            times(Fraction(one.realised, one.deficit)) if one.deficit else "", f"{one.burdened:,}", atoms(one.beyond),
        )
        for one in outcomes
    )  # fmt: skip
    right = (
        "forgone against mark, US$", "overshoot: forgone less deficit, US$", "profit realised by force, US$",
        "profit realised / deficit", "accounts that forgo more than their profit", "beyond profit, US$",
    )  # fmt: skip
    return _make(("policy, in wealth",), right, rows)


def show_shifts(played: Played, share_ppm: int) -> Shown:
    venue = played.get(VENUE, share_ppm)
    rows = []
    for one in played.outcomes:
        if one.share_ppm == share_ppm and one.policy != VENUE:
            shift = compare(venue.closed, one.closed)
            same = len(one.closed) - shift.fewer - shift.more
            moved = percent(Fraction(shift.moved, one.lots)) if one.lots else ""
            rows.append(
                (name(one.policy), f"{shift.fewer:,}", f"{shift.more:,}", f"{same:,}", f"{shift.moved:,}", moved)
            )
    right = ("close fewer: better off", "close more: worse off", "close the same", "lots that move", "of all closed")
    return _make(("policy, against the venue's rule",), right, rows)


def show_courses(courses: Sequence[Course]) -> Shown:
    rows = (
        (
            name(one.policy), f"{one.at_once:,}", f"{one.in_waves:,}", f"{one.shift.fewer:,}", f"{one.shift.more:,}",
            f"{one.shift.moved:,}", percent(Fraction(one.shift.moved, sum(one.sizes))) if sum(one.sizes) else "",
        )
        for one in courses
    )  # fmt: skip
    right = (
        "accounts touched at once", "in waves", "close fewer in waves", "close more in waves", "lots that move",
        "of all closed",
    )  # fmt: skip
    return _make(("policy, in contracts",), right, rows)


def show_sizes(counted: Sequence[Counted], sizes: Sequence[int]) -> Shown:
    rows = ((str(one.wave.number), f"{lots:,}") for one, lots in zip(counted, sizes, strict=True))
    return _make(("wave",), ("lots, by assumption",), rows)


def show_kernel(rows: Sequence[Kernel]) -> Shown:
    cells = (
        (
            one.result.policy.value, f"{one.result.lots:,}", f"{one.result.touched:,}",
            decimals(Fraction(one.result.forgone, DOLLAR), 2), decimals(Fraction(one.result.unpaid, DOLLAR), 2),
            "the same" if one.is_same else "DIFFERS", one.result.state_hash[:16],
        )
        for one in rows
    )  # fmt: skip
    right = ("lots", "accounts touched", "forgone, US$", "unpaid, US$")
    return _make(("ranking, by the kernel",), right, cells, ("as the function", "state hash"))


def name(policy: str) -> str:
    """A policy as people read it."""
    return policy.replace("_", " ") + (" (the venue's)" if policy == VENUE else "")
