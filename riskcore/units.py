"""Decimal strings of human units, and the integers that they stand for.

A log may write ``"12.5"`` in quote currency where the kernel counts atoms. The
conversion is exact: what is no whole number of atoms, lots, atoms per lot or
parts per million is refused, never rounded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from fractions import Fraction
from typing import Any

from attrs import field, frozen

from riskcore.bad_input import Fault, printable, quote, within
from riskcore.quantities import RATE_ONE
from riskcore.strict_json import LOG_DIGITS, describe

_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_TOO_LARGE: int = 10**LOG_DIGITS


class Quantity(StrEnum):
    """What a decimal string can measure; the value is its native unit."""

    AMOUNT = "atom"
    SIZE = "lot"
    PRICE = "atom per lot"
    RATE = "part per million"

    @property
    def plural(self) -> str:
        """Many of the unit, as ``atoms per lot``."""
        unit, space, rest = self.value.partition(" ")
        return f"{unit}s{space}{rest}"


def parse_decimal(text: str) -> tuple[int, int]:
    """The number that a decimal string like ``-12.5`` denotes: an integer over a power of ten.

    Raises ``Fault`` where it is none: no exponent, no sign but ``-``, digits on
    both sides of the point, ``LOG_DIGITS`` digits at most.
    """
    if not _DECIMAL.fullmatch(text):
        raise Fault("a decimal string like 12.5", quote(text))
    digits = sum(map(text.count, "0123456789")) if len(text) > LOG_DIGITS else len(text)
    if digits > LOG_DIGITS:
        raise Fault(f"a decimal string of at most {LOG_DIGITS} digits", f"one of {digits:,}")
    whole, _, decimals = text.partition(".")
    return int(whole + decimals), 10 ** len(decimals)


def format_decimal(number: Fraction) -> str:
    """The shortest exact decimal text; ``1/3`` where there is none."""
    numerator, denominator = number.as_integer_ratio()
    decimals = 0
    while denominator != 1 and decimals < LOG_DIGITS:
        decimals += 1
        numerator, denominator = (number * 10**decimals).as_integer_ratio()
    return str(number) if denominator != 1 else place_point(numerator, decimals)


def place_point(number: int, decimals: int, separator: str = "") -> str:
    """The integer shown as so many ``decimals``, thousands parted by ``separator``."""
    whole, rest = divmod(abs(number), 10**decimals)
    digits = f"{whole:,}".replace(",", separator)
    return ("-" if number < 0 else "") + digits + (f".{rest:0{decimals}d}" if decimals else "")


def _check_unit(text: object) -> None:
    if not isinstance(text, str) or parse_decimal(text)[0] <= 0:
        raise Fault("a decimal string above zero", describe(text))


def _check_cash(units: object, attribute: object, text: Any) -> None:
    with within("cash"):
        _check_unit(text)


def _check_lots(units: object, attribute: object, lots: Any) -> None:
    with within("lots"):
        if not isinstance(lots, Mapping):
            raise Fault("an object", describe(lots))
        for market, text in lots.items():
            with within(printable(market)):
                _check_unit(text)


class NoLot(Fault):
    """A decimal string of a market whose lot the header does not give."""

    def __init__(self) -> None:
        expected = "an integer, as units.lots of the header has no lot of this market"
        super().__init__(expected, "a decimal string")


@frozen
class Units:
    """What the native units are worth, as decimal strings above zero; ``Fault`` otherwise.

    ``cash``: one atom, in quote currency. ``lots``: one lot of each market, in
    base units; only markets that use decimal strings need one.
    """

    cash: str = field(validator=_check_cash)
    lots: Mapping[str, str] = field(factory=dict, validator=_check_lots)
    _known: dict[tuple[Quantity, str | None], Fraction] = field(factory=dict, init=False, eq=False, repr=False)

    def to_native(self, quantity: Quantity, market: str | None, text: str) -> int:
        """The integer of native units that ``text`` denotes; ``Fault`` where there is none."""
        digits, scale = parse_decimal(text)
        unit = self._known.get((quantity, market))
        if unit is None:
            unit = self._known[quantity, market] = self._get_unit(quantity, market)
        native, rest = divmod(digits * unit.denominator, scale * unit.numerator)
        if rest:
            raise Fault(f"a multiple of {format_decimal(unit)} (one {quantity})", quote(text))
        if abs(native) >= _TOO_LARGE:
            raise Fault(f"at most {LOG_DIGITS} digits of {quantity.plural}", f"{len(str(abs(native)))} digits")
        return native

    def format_amount(self, atoms: int, decimals: int | None = None) -> str:
        """Atoms as quote currency: exact, or rounded to so many decimals (half away from zero)."""
        digits, scale = parse_decimal(self.cash)
        exact = len(str(scale)) - 1
        if decimals is None or decimals >= exact:
            return place_point(atoms * digits, exact, ",")
        grain = 10 ** (exact - decimals)
        rounded = (2 * abs(atoms) * digits + grain) // (2 * grain)
        return place_point(rounded if atoms >= 0 else -rounded, decimals, ",")

    def _get_unit(self, quantity: Quantity, market: str | None) -> Fraction:
        """One native unit in human units."""
        if quantity is Quantity.RATE:
            return Fraction(1, RATE_ONE)
        if quantity is Quantity.AMOUNT:
            return Fraction(self.cash)
        lot = self.lots.get(market) if market is not None else None
        if lot is None:
            raise NoLot
        return Fraction(lot) if quantity is Quantity.SIZE else Fraction(self.cash) / Fraction(lot)
