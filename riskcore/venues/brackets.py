"""Brackets of maintenance rates: marginal ones with a deduction each, and slabs that jump."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise

from attrs import frozen

from riskcore.quantities import RATE_ONE, Atoms, Rate
from riskcore.rulebook import Tier
from riskcore.venues.exact import Number, exact
from riskcore.venues.formulas import get_liquidation_price


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
) -> Fraction | None:
    """The price at which equity is the requirement of the bracket that the notional at that price is in.

    With continuous brackets there is one such price for a short and at most one above zero for a long (None
    where there is none). With slabs, which jump, it is the one that is met first on the way from the entry.
    """
    held, prices = exact(size), []
    ceilings = [*(bracket.floor for bracket in brackets[1:]), None]
    for bracket, ceiling in zip(brackets, ceilings, strict=True):
        price = get_liquidation_price(
            held,
            entry,
            collateral,
            bracket.rate,
            deduction=bracket.deduction,
            others_maintenance=others_maintenance,
            others_pnl=others_pnl,
        )
        if price is not None and price > 0:
            notional = abs(held) * price
            if bracket.floor <= notional and (ceiling is None or notional < ceiling):
                prices.append(price)
    return min(prices, key=lambda price: abs(price - exact(entry)), default=None)


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
