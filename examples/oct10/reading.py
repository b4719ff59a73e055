"""Members of a data file, each read as what it should be; a ``Fault`` where it is something else."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, NoReturn, TypeVar

from riskcore.bad_input import Fault, Malformed, quote, within

T = TypeVar("T")

#: Far beyond any account or total: what is longer is no figure of this day.
_LONGEST = 40


def read_number(value: object) -> Fraction:
    """A finite decimal number. Raises ``Fault``."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise Fault("a number", describe(value))
    text = str(value)
    try:
        number = Decimal(text) if text.isascii() and text == text.strip() and "_" not in text else Decimal("nan")
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite():
        raise Fault("a number", quote(text))
    if len(text) > _LONGEST or abs(number.adjusted()) > _LONGEST:
        raise Fault(f"a number of at most {_LONGEST} digits", quote(text))
    return Fraction(number)


def read_count(value: object) -> int:
    """A whole number, not below zero. Raises ``Fault``."""
    number = read_number(value)
    if number < 0 or number.denominator != 1:
        raise Fault("a whole number, not below zero", quote(str(value)))
    return int(number)


def read_positive(value: object) -> Fraction:
    number = read_number(value)
    if number < 0:
        raise Fault("a number, not below zero", quote(str(value)))
    return number


def read_text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise Fault("a text", describe(value))
    return value


def read_flag(value: object) -> bool:
    if value not in ("True", "False"):
        raise Fault("True or False", quote(str(value)))
    return value == "True"


def describe(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    return quote(str(value))


def take(members: object, name: str, read: Callable[[Any], T]) -> T:
    """What ``read`` makes of one member; its faults lie under its name."""
    if not isinstance(members, dict):
        raise Fault("an object", describe(members))
    if name not in members:
        raise Fault("a value", "none", name)
    with within(name):
        return read(members[name])


def read_list(read: Callable[[Any], T]) -> Callable[[Any], tuple[T, ...]]:
    """A reader of an array, each of whose values ``read`` reads."""

    def read_all(value: object) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise Fault("an array", describe(value))
        found = []
        for place, own in enumerate(value):
            with within(f"[{place}]"):
                found.append(read(own))
        return tuple(found)

    return read_all


def parse(text: str) -> object:
    """JSON, each number a decimal. Raises ``Fault``."""
    try:
        return json.loads(
            text, parse_float=Decimal, parse_int=_parse_integer, parse_constant=_refuse, object_pairs_hook=_pair
        )
    except json.JSONDecodeError as error:
        raise Malformed(f"malformed JSON at column {error.colno}", error.lineno) from None
    except RecursionError:
        raise Malformed("arrays or objects nested too deeply") from None


def _parse_integer(text: str) -> Decimal:
    return Decimal(text)


def _refuse(text: str) -> NoReturn:
    raise Fault("numbers", text)


def _pair(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise Fault("each key once", "one twice")
    return members
