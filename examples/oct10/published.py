"""The published figures, each beside the same figure made anew from the rows; and the quotients that were debated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from fractions import Fraction

from attrs import frozen

from examples.oct10.data import Data, Row
from specs.policies import Space

CENT = Fraction(1, 100)
#: The deficit that the paper itself divides by (arXiv 2512.01112, introduction: "true negative equity"), in dollars.
PAPER_DEFICIT = Fraction(23_200_000)
#: The multiples that the debate used; the first is in the paper's abstract.
DEBATED = (28, 13, 8)


PROFIT, NEGATIVE, GAP, LOST = (
    "US$ of profit",
    "US$ of losers' negative equity",
    "US$ of gap between mark and execution",
    "US$ of winners' wealth",
)
LESS, MODEL = "US$ of winners' wealth less gap", "US$ of profit in a model"
#: Units of wealth; all others are of contracts, or count accounts.
WEALTH = {PROFIT, NEGATIVE, GAP, LOST, LESS, MODEL}


class Verdict(StrEnum):
    AGREES = "agrees"
    DIFFERS = "DIFFERS"
    NOT_HERE = "not in the data"


@frozen
class Check:
    """A figure of wealth, or else of contracts and accounts.

    ``found``: None where the data has nothing to make the figure of. ``tolerance``: what rounding can do to it.
    """

    what: str
    unit: str
    published: Fraction
    found: Fraction | None
    tolerance: Fraction
    how: str

    @property
    def space(self) -> Space:
        return Space.WEALTH if self.unit in WEALTH else Space.CONTRACTS

    @property
    def verdict(self) -> Verdict:
        if self.found is None:
            return Verdict.NOT_HERE
        return Verdict.AGREES if abs(self.found - self.published) <= self.tolerance else Verdict.DIFFERS


@frozen
class Figure:
    """A total that may be divided by another; one of wealth says what a dollar of it is."""

    name: str
    space: Space
    value: Fraction


@frozen
class Quotient:
    above: Figure
    below: Figure

    @property
    def value(self) -> Fraction:
        return self.above.value / self.below.value

    @property
    def is_mixed(self) -> bool:
        return self.above.space is not self.below.space


def get_step(number: Fraction) -> Fraction:
    """The place of the last digit that a published number has, trailing zeros not counted."""
    step = Fraction(1)
    while number % step:
        step /= 10
    while number and not number % (step * 10):
        step *= 10
    return step


def make_checks(data: Data) -> Iterator[Check]:
    """Every published total that speaks of the accounts, the coins or the waves."""
    yield from _check_accounts(data)
    yield from _check_coins(data)
    yield from _check_waves(data)
    yield from _check_nothing(data)


def _check_accounts(data: Data) -> Iterator[Check]:
    totals, rows = data.published.totals, data.rows
    counts = len(rows), sum(row.fills for row in rows)
    yield Check("accounts deleveraged", "accounts", totals["accounts"], Fraction(counts[0]), Fraction(0), "rows")
    yield Check("fills that deleveraged", "fills", totals["fills"], Fraction(counts[1]), Fraction(0), "sum of the rows")
    notional, profit = sum_of(row.notional for row in rows), sum_of(row.profit for row in rows)
    yield _rounded("notional closed", "US$ notional", totals["notional"], notional, "sum of the rows")
    yield _rounded(
        "notional closed, to the cent", "US$ notional", totals["exact_notional"], notional, "sum of the rows"
    )
    yield _rounded("profit realised by force", PROFIT, totals["profit"], profit, "sum of the rows")
    winning = Fraction(sum(row.profit > 0 for row in rows), len(rows))
    yield _rounded("accounts closed at a profit", "share of accounts", totals["profitable"], winning, "profit above 0")
    for name, words, places in _get_tops(len(rows)):
        share = get_share(rows, places)
        yield _rounded(f"notional of the {words}", "share of notional", totals[name], share, f"largest {places:,}")
    largest = max(row.notional for row in rows)
    yield _rounded("notional of the largest account", "US$ notional", totals["largest"], largest, "largest row")
    leverages = sorted(row.notional / row.value for row in rows if row.value > 0)
    if leverages:
        how = "notional closed / account value, where above 0; how the published one was made is not in the data"
        yield _rounded("median leverage", "multiple", totals["leverage"], leverages[len(leverages) // 2], how)


def _check_coins(data: Data) -> Iterator[Check]:
    totals, coins = data.published.totals, data.published.coins
    yield Check("coins", "coins", totals["coins"], Fraction(len(coins)), Fraction(0), "coins listed")
    words, slack = f"sum of {len(coins)} coins", CENT * (len(coins) + 1) / 2
    notional, profit = sum_of(coin.notional for coin in coins), sum_of(coin.profit for coin in coins)
    yield Check("notional, coin by coin", "US$ notional", totals["exact_notional"], notional, slack, words)
    yield Check(
        "profit, coin by coin", PROFIT, sum_of(row.profit for row in data.rows), profit, slack,
        f"{words}, against the sum of the rows",
    )  # fmt: skip
    fills = Fraction(sum(coin.fills for coin in coins))
    yield Check("fills, coin by coin", "fills", totals["fills"], fills, Fraction(0), words)


def _check_waves(data: Data) -> Iterator[Check]:
    totals, waves = data.published.totals, data.published.waves
    words, slack = f"sum of {len(waves)} waves", CENT * (len(waves) + 1) / 2
    for name, unit in (
        ("deficit", NEGATIVE),
        ("needed", GAP),
        ("production", LOST),
        ("overshoot", LESS),
    ):
        found = sum_of(getattr(wave, name) for wave in waves)
        yield Check(f"{name}, wave by wave", unit, totals[name], found, slack, words)
    differing = sum(abs(wave.production - wave.needed - wave.overshoot) > CENT * 3 / 2 for wave in waves)
    how = "production less needed, to the cent"
    yield Check("waves whose overshoot is another", "waves", Fraction(0), Fraction(differing), Fraction(0), how)
    below = Fraction(sum(wave.production < wave.needed for wave in waves))
    listed = Fraction(len(data.published.below))
    yield Check("waves below needed", "waves", listed, below, Fraction(0), "production less than needed")


def _check_nothing(data: Data) -> Iterator[Check]:
    """What is published and cannot be made of the rows."""
    totals = data.published.totals
    for name, words, unit, how in (
        ("liquidated", "notional liquidated", "US$ notional", "no row of a liquidation"),
        ("liquidated_loss", "profit of the liquidated", PROFIT, "no row of a liquidation"),
        ("overshoot_high", "overshoot valued later, the most", LESS, "no later price"),
        ("queue_model", "overshoot of the queue model", MODEL, "no profit by position and shock"),
    ):
        yield Check(words, unit, totals[name], None, Fraction(0), how)


def _rounded(what: str, unit: str, published: Fraction, found: Fraction, how: str) -> Check:
    """Against the published digits, the last of which may be rounded."""
    return Check(what, unit, published, found, get_step(published) / 2, how)


def _get_tops(accounts: int) -> tuple[tuple[str, str, int], ...]:
    return ("top10", "largest 10", 10), ("top100", "largest 100", 100), ("top1pct", "largest 1 %", accounts // 100)


def get_share(rows: Sequence[Row], places: int) -> Fraction:
    """The part of all notional that the largest so many rows have."""
    largest = sorted((row.notional for row in rows), reverse=True)
    whole = sum_of(largest)
    return sum_of(largest[:places]) / whole if whole else Fraction(0)


def sum_of(numbers: Iterator[Fraction] | Sequence[Fraction]) -> Fraction:
    return sum(numbers, Fraction(0))


def get_figures(data: Data, once: Fraction) -> tuple[Figure, ...]:
    """What the debate divides; ``once``: the deficit with each loss counted once."""
    totals = data.published.totals
    contracts, wealth = Space.CONTRACTS, Space.WEALTH
    return (
        Figure("notional closed by deleveraging", contracts, totals["exact_notional"]),
        Figure("notional liquidated", contracts, totals["liquidated"]),
        Figure("overshoot of the queue model", wealth, totals["queue_model"]),
        Figure("profit realised by force", wealth, sum_of(row.profit for row in data.rows)),
        Figure("deficit as published", wealth, totals["deficit"]),
        Figure("deficit, each loss once", wealth, once),
        Figure("deficit in the paper", wealth, PAPER_DEFICIT),
        Figure("needed", wealth, totals["needed"]),
        Figure("production", wealth, totals["production"]),
        Figure("overshoot at once", wealth, totals["overshoot"]),
        Figure("overshoot valued later, the most", wealth, totals["overshoot_high"]),
    )


def find_quotients(figures: Sequence[Figure], multiple: int) -> list[Quotient]:
    """Every quotient of two figures that rounds to the multiple, one at least of wealth, the nearest first."""
    found = [
        Quotient(above, below)
        for above in figures
        for below in figures
        if Space.WEALTH in (above.space, below.space)
        and below.value > 0
        and 2 * multiple - 1 <= 2 * above.value / below.value < 2 * multiple + 1
    ]
    return sorted(found, key=lambda one: abs(one.value - multiple))
