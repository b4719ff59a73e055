"""How figures are written: exact ones to the cent, shares to a tenth of a percent, atoms as dollars."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction

from examples.oct10_study import DOLLAR


def decimals(number: Fraction, places: int) -> str:
    """Rounded to so many decimals, half to even, thousands apart."""
    scaled = round(number * 10**places)
    whole, rest = divmod(abs(scaled), 10**places)
    return f"{'-' if scaled < 0 else ''}{whole:,}" + (f".{rest:0{places}}" if places else "")


def dollars(number: Fraction) -> str:
    return decimals(number, 2)


def atoms(number: int) -> str:
    return decimals(Fraction(number, DOLLAR), 2)


def millions(number: Fraction) -> str:
    """In words: ``45.03 M``; below a million, dollars."""
    return f"{decimals(number / 10**6, 2)} M" if abs(number) >= 10**6 else dollars(number)


def million_atoms(number: int) -> str:
    return millions(Fraction(number, DOLLAR))


def percent(part: Fraction) -> str:
    return f"{decimals(100 * part, 1)} %"


def size(share_ppm: int) -> str:
    """A size of the study, like ``25 %``."""
    return f"{plain(Fraction(share_ppm, 10_000))} %"


def times(number: Fraction) -> str:
    return f"{decimals(number, 2)}x"


def plain(number: Fraction) -> str:
    """A figure that may be a count, a share or dollars: as many decimals as it needs, four at most."""
    if number.denominator == 1:
        return f"{int(number):,}"
    return decimals(number, 4 if abs(number) < 1 else 2)


def clock(milliseconds: int) -> str:
    """UTC, to the second; a time that no calendar has, as it is."""
    try:
        return f"{datetime.fromtimestamp(milliseconds // 1000, UTC):%H:%M:%S}"
    except (OverflowError, OSError, ValueError):
        return f"{milliseconds:,} ms"


def count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
