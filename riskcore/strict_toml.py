"""TOML read without guessing: tables of which every key is asked for, and figures that are exact.

Figures are in human units, as numbers or as texts: ``0.05`` and ``"0.05"`` are the same, and neither is ever a float.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, TypeVar

from attrs import frozen

from riskcore.bad_input import Fault, LogError, get_cause, get_hint, printable, within
from riskcore.files import get_length
from riskcore.quantities import RATE_ONE, Atoms, Lots, MarketId, Price, Rate
from riskcore.strict_json import describe
from riskcore.units import Quantity, Units, format_decimal

T = TypeVar("T")

#: Bytes of a file, more than any that a person writes.
_MOST_BYTES: Final = 200_000
#: Native units that a figure may have, and one more: what grows out of them fits in a log.
MOST: Final = 10**30
#: Rates up to a thousandfold.
MOST_RATE: Final = 1_000 * RATE_ONE
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_LINE: Final = re.compile(r"(.*) \(at line (\d+), column (\d+)\)", re.DOTALL)


def read_toml(path: Path) -> dict[str, Any]:
    """The file's table, its floats as the texts that they are written as; ``LogError`` where it is none."""
    file = str(path)
    length = get_length(path, "a readable file")
    if length > _MOST_BYTES:
        raise LogError(file, None, None, f"a file of at most {_MOST_BYTES:,} bytes", f"{length:,}")
    try:
        return tomllib.loads(path.read_bytes().decode(), parse_float=lambda text: text.replace("_", ""))
    except OSError as error:
        raise LogError(file, None, None, "a readable file", get_cause(error)) from None
    except UnicodeDecodeError as error:
        raise LogError(file, None, None, "a TOML document", f"invalid UTF-8 at byte {error.start + 1}") from None
    except RecursionError:
        raise LogError(file, None, None, "a TOML document", "arrays or tables nested too deeply") from None
    except tomllib.TOMLDecodeError as error:
        raise _explain(file, str(error)) from None


def _explain(file: str, message: str) -> LogError:
    found = _LINE.fullmatch(message)
    line = int(found[2]) if found else None
    cause = f"{found[1]} at column {found[3]}" if found else message
    return LogError(file, line, None, "a TOML document", printable(cause[:1].lower() + cause[1:]))


class Members:
    """A table whose members are taken one by one; ``finish`` finds those that nobody asked for."""

    def __init__(self, value: object, noun: str) -> None:
        if not isinstance(value, dict):
            raise Fault("a table", describe_toml(value))
        self.noun = noun
        self._left: dict[str, object] = dict(value)
        self._known: list[str] = []

    def take(self, name: str, read: Callable[[object], T], default: T | None = None) -> T:
        """What ``read`` makes of a member; without a default it must be there."""
        self._known.append(name)
        if name not in self._left:
            if default is None:
                raise Fault(f"this key in {self.noun}", "none" + self._get_likely(name), name)
            return default
        with within(name):
            return read(self._left.pop(name))

    def take_or_none(self, name: str, read: Callable[[object], T]) -> T | None:
        """The same, but that without the member there is none."""
        self._known.append(name)
        if name not in self._left:
            return None
        with within(name):
            return read(self._left.pop(name))

    def finish(self) -> None:
        for name in self._left:
            expected = f"only the keys of {self.noun} ({', '.join(self._known)})"
            raise Fault(expected, f"an unknown key{get_hint(name, self._known)}", printable(name[:60]))

    def _get_likely(self, name: str) -> str:
        """A key that may be meant by one that is there."""
        hint = get_hint(name, set(self._left) - set(self._known))
        return hint.replace("did you mean", "but there is").replace("?)", ")")


def describe_toml(value: object) -> str:
    """What was found, in words that fit behind "got"."""
    if isinstance(value, (dict, list)):
        return "a table" if isinstance(value, dict) else "an array"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= MOST:
        return f"an integer of more than {len(str(MOST)) - 1} digits"
    return describe(value) if isinstance(value, (bool, int, str)) else f"the time {value}"


@frozen
class Figures:
    """How figures are read: a market's in its own units."""

    units: Units
    market: MarketId | None = None

    def read(self, quantity: Quantity, low: int, high: int = MOST) -> Callable[[object], int]:
        """Native units within these bounds."""

        def read_figure(value: object) -> int:
            if isinstance(value, bool) or not isinstance(value, (int, str)):
                raise Fault("a number like 12.5", describe_toml(value))
            if isinstance(value, int) and abs(value) >= MOST:
                raise Fault("a number", describe_toml(value))
            native = self.units.to_native(quantity, self.market, str(value))
            if not low <= native <= high:
                raise Fault(_bound(quantity, low, high), str(value))
            return native

        return read_figure

    def read_cash(self, value: object) -> Atoms:
        return Atoms(self.read(Quantity.AMOUNT, 0)(value))

    def read_size(self, value: object) -> Lots:
        return Lots(self.read(Quantity.SIZE, 1)(value))

    def read_price(self, value: object) -> Price:
        return Price(self.read(Quantity.PRICE, 1)(value))

    def read_rate(self, value: object) -> Rate:
        return Rate(self.read(Quantity.RATE, 0, MOST_RATE)(value))

    def read_part(self, value: object) -> Rate:
        return Rate(self.read(Quantity.RATE, 0, RATE_ONE)(value))

    def read_some(self, value: object) -> Rate:
        return Rate(self.read(Quantity.RATE, 1, MOST_RATE)(value))

    def read_change(self, value: object) -> Rate:
        return Rate(self.read(Quantity.RATE, 1 - RATE_ONE, MOST_RATE)(value))


def _bound(quantity: Quantity, low: int, high: int) -> str:
    """What a figure must be, in human units."""
    if quantity is Quantity.RATE:
        return f"a rate from {format_decimal(Fraction(low, RATE_ONE))} to {format_decimal(Fraction(high, RATE_ONE))}"
    sign = "above zero" if low else "of zero or more"
    return f"a number {sign}, of at most {len(str(high)) - 1} digits of {quantity.plural}"


def whole(low: int, high: int) -> Callable[[object], int]:
    """A whole number within these bounds."""

    def read(value: object) -> int:
        if type(value) is not int or not low <= value <= high:
            raise Fault(f"a whole number from {low:,} to {high:,}", describe_toml(value))
        return value

    return read


def pair(low: int, high: int) -> Callable[[object], tuple[int, int]]:
    """An array of two whole numbers of which the second is no less, or one that stands for both."""
    read_one = whole(low, high)

    def read(value: object) -> tuple[int, int]:
        ends = value if isinstance(value, list) and len(value) == 2 else [value, value]
        if isinstance(value, list) and len(value) != 2:
            raise Fault("a whole number, or an array of two", f"an array of {len(value)}")
        first, last = map(read_one, ends)
        if first > last:
            raise Fault("two numbers that do not fall", f"{first} and {last}")
        return first, last

    return read


def read_text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise Fault("a text", describe_toml(value))
    return value


def read_name(value: object) -> str:
    """A word that may begin an account's name."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise Fault("a name of up to 40 letters, digits, _ . or -", describe_toml(value))
    return value


def one_of(*words: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str) or value not in words:
            hint = get_hint(value, words) if isinstance(value, str) else ""
            raise Fault("one of " + ", ".join(words), describe_toml(value) + hint)
        return value

    return read


def read_array(value: object, expected: str) -> list[object]:
    if not isinstance(value, list) or not value:
        raise Fault(f"an array with {expected}", "an empty one" if value == [] else describe_toml(value))
    return value
