"""Exact numbers: decimals as people write them, and divisions that name their direction."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TypeAlias

#: What every function of a venue takes: an integer, a fraction, or the text of a decimal or of ``p/q``.
Number: TypeAlias = int | Fraction | str

_TEXT = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,3})?|-?[0-9]+/[0-9]+")


def exact(number: Number) -> Fraction:
    """The number itself, never a neighbour.

    Raises ``TypeError`` for a float or a ``bool``, ``ValueError`` for text that is no decimal and no fraction.
    """
    if type(number) is int or type(number) is Fraction:
        return Fraction(number)
    if type(number) is not str:
        raise TypeError(f"an int, a Fraction or a decimal string is expected, not {number!r}")
    if not _TEXT.fullmatch(number):
        raise ValueError(f"a decimal like 12.5 or a fraction like 5/2 is expected, not {number!r}")
    try:
        return Fraction(number)
    except ZeroDivisionError:
        raise ValueError(f"a fraction over zero: {number!r}") from None


def exact_price(number: Number) -> Fraction:
    """A price: ``ValueError`` where it is below zero."""
    price = exact(number)
    if price < 0:
        raise ValueError(f"a price of zero or more is expected, not {number}")
    return price


def round_down(number: Fraction) -> int:
    """Toward minus infinity."""
    return number.numerator // number.denominator


def round_up(number: Fraction) -> int:
    """Toward plus infinity."""
    return -(-number.numerator // number.denominator)


def round_toward_zero(number: Fraction) -> int:
    """Whichever of the two is nearer to zero."""
    return round_down(number) if number >= 0 else round_up(number)


def within(number: Fraction, low: Number, high: Number) -> Fraction:
    """The number, or the bound that it is beyond."""
    return max(exact(low), min(number, exact(high)))
