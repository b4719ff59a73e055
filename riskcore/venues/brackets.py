"""Brackets of maintenance rates: marginal ones with a deduction each, and slabs that jump."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

from attrs import frozen

from riskcore.quantities import RATE_ONE, Atoms, Rate
from riskcore.rulebook import Tier
from riskcore.venues.exact import Number, exact, exact_price


@frozen
class Bracket:
    """Above ``floor`` of notional the requirement is ``rate`` of all of it less ``deduction`` (Binance's ``cum``)."""

    floor: Fraction
    rate: Fraction
    deduction: Fraction


def get_deduction(floor: Number, rate: Number, lower_rate: Number, lower_deduction: Number) -> Fraction:
    """The deduction of a bracket that leaves the requirement at its floor what the bracket below gives."""
    return exact(lower_deduction) + exact(floor) * (exact(rate) - exact(lower_rate))


def make_brackets(levels: Iterable[tuple[Number, Number]]) -> tuple[Bracket, ...]:
    """Continuous brackets from floors and rates, the first floor being zero.

    ``ValueError`` where the floors do not rise from zero.
    """
    made: list[Bracket] = []
    for floor, rate in levels:
        below = made[-1] if made else Bracket(Fraction(0), exact(rate), Fraction(0))
        deduction = get_deduction(floor, rate, below.rate, below.deduction)
        made.append(Bracket(exact(floor), exact(rate), deduction))
    _require_rising(made)
    return tuple(made)


def make_slabs(levels: Iterable[tuple[Number, Number]]) -> tuple[Bracket, ...]:
    """Brackets without deductions: the whole notional at the rate of the bracket that it reaches."""
    made = [Bracket(exact(floor), exact(rate), Fraction(0)) for floor, rate in levels]
    _require_rising(made)
    return tuple(made)


def get_bracket(brackets: Sequence[Bracket], notional: Number) -> Bracket:
    """The bracket of a notional; at a floor it is the one that starts there."""
    return next(bracket for bracket in reversed(brackets) if bracket.floor <= exact(notional))


def get_maintenance_margin(brackets: Sequence[Bracket], notional: Number) -> Fraction:
    """The requirement of a notional, exact."""
    bracket = get_bracket(brackets, notional)
    return exact(notional) * bracket.rate - bracket.deduction


def is_continuous(brackets: Sequence[Bracket]) -> bool:
    """Whether the requirement does not jump where a bracket starts."""
    return all(
        upper.floor * lower.rate - lower.deduction == upper.floor * upper.rate - upper.deduction
        for lower, upper in pairwise(brackets)
    )


def find_liquidation_price(
    brackets: Sequence[Bracket],
    size: Number,
    entry: Number,
    collateral: Number,
    *,
    others_maintenance: Number = 0,
    others_pnl: Number = 0,
    mark: Number | None = None,
) -> Fraction | None:
    """The first price below which a long, or above which a short, has less equity than its bracket requires.

    It is met on the way from ``mark`` (by default the entry) against the position. Where equity is too low at the
    mark already, it is the one met the other way, down to which the account would be healthy. None where no price
    above zero parts the two. ``ValueError`` without a position.
    """
    held, start = exact(size), exact_price(entry if mark is None else mark)
    missing = exact(others_maintenance) - exact(others_pnl) - exact(collateral) + held * exact_price(entry)
    if held == 0:
        raise ValueError("there is no position")
    is_below = held * start - missing < get_maintenance_margin(brackets, abs(held) * start)
    return find_crossing(brackets, held, missing, start, is_below)


def find_crossing(
    brackets: Sequence[Bracket],
    size: Fraction,
    missing: Fraction,
    start: Fraction,
    is_below: bool,
    *,
    floors_are_below: bool = False,
) -> Fraction | None:
    """Where ``size * price - missing`` and the requirement of the bracket at that price cross, as seen from ``start``.

    ``is_below``: whether the requirement is the higher at ``start``. ``floors_are_below``: a notional at a floor is in
    the bracket below it. Rates are at most one.
    """
    return (
        _find_short_crossing(brackets, -size, missing)
        if size < 0
        else _find_long_crossing(brackets, size, missing, start, is_below, floors_are_below)
    )


def _find_short_crossing(brackets: Sequence[Bracket], lots: Fraction, missing: Fraction) -> Fraction | None:
    """All prices above the first are too high; that may be one at which a slab starts."""
    for bracket, ceiling in _get_ranges(brackets):
        root = (bracket.deduction - missing) / (lots * (1 + bracket.rate))
        price = max(root, bracket.floor / lots)
        if ceiling is None or price < ceiling / lots:
            return price if price > 0 else None
    raise AssertionError("the last bracket has no end")


def _find_long_crossing(
    brackets: Sequence[Bracket],
    lots: Fraction,
    missing: Fraction,
    start: Fraction,
    is_below: bool,
    floors_are_below: bool,
) -> Fraction | None:
    """With slabs, which jump, a long may be too low at some prices and healthy under them."""
    prices = []
    for bracket, ceiling in _get_ranges(brackets):
        if bracket.rate == 1:
            continue
        notional = (missing - bracket.deduction) / (1 - bracket.rate)
        is_within = ceiling is None or notional < ceiling
        if notional == ceiling:
            # healthy at the floor of the next bracket alone is healthy where that floor is in this one
            is_within = not is_below or floors_are_below or _is_enough(brackets, notional, missing)
        if notional > bracket.floor and is_within:
            prices.append(notional / lots)
    if is_below:
        return min((price for price in prices if price >= start), default=None)
    return max((price for price in prices if price <= start), default=None)


def _is_enough(brackets: Sequence[Bracket], notional: Fraction, missing: Fraction) -> bool:
    return notional - missing >= get_maintenance_margin(brackets, notional)


def _get_ranges(brackets: Sequence[Bracket]) -> Iterator[tuple[Bracket, Fraction | None]]:
    """Each bracket, and the floor at which it ends."""
    return zip(brackets, [*(bracket.floor for bracket in brackets[1:]), None], strict=True)


def make_tiers(brackets: Sequence[Bracket], atom: Number) -> tuple[Tier, ...]:
    """All brackets but the first as the kernel's tiers, initial rates as maintenance; ``atom``: quote units of one.

    ``ValueError`` where a rate is no whole number of parts per million, or a floor of atoms.
    """
    return tuple(
        Tier(Atoms(_whole(bracket.floor / exact(atom))), get_rate(bracket.rate), get_rate(bracket.rate))
        for bracket in brackets[1:]
    )


def get_rate(rate: Number) -> Rate:
    """A rate in the kernel's parts per million; ``ValueError`` where it is no whole number of them."""
    return Rate(_whole(exact(rate) * RATE_ONE))


def _whole(number: Fraction) -> int:
    if number.denominator != 1:
        raise ValueError(f"a whole number is expected, not {number}")
    return number.numerator


def _require_rising(brackets: Sequence[Bracket]) -> None:
    if not brackets or brackets[0].floor != 0 or any(low.floor >= high.floor for low, high in pairwise(brackets)):
        raise ValueError("brackets start at zero, and their floors rise")
