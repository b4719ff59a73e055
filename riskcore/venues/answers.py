"""JSON as venues and clients answer it, read member by member: decimals stay text, and a fault names its place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from riskcore.bad_input import Fault, LogError, Malformed, printable, within
from riskcore.files import get_length
from riskcore.log_lines import open_unpacked
from riskcore.strict_json import LOG_DIGITS, describe, read_pairs
from riskcore.units import format_decimal
from riskcore.venues.exact import exact

#: Longer than any answer of a venue.
_MOST = 64_000_000


def parse(text: str | bytes) -> Any:
    """JSON with its decimals as text. ``Malformed`` for what is none, ``Fault`` for a key that stands twice."""
    try:
        return json.loads(
            text, parse_float=str, parse_int=_read_integer, parse_constant=str, object_pairs_hook=read_pairs
        )
    except Fault:
        raise
    except json.JSONDecodeError as error:
        raise Malformed(f"none: {error.msg.lower()}", error.lineno, "JSON") from None
    except UnicodeDecodeError as error:
        row = error.object.count(b"\n", 0, error.start) + 1
        raise Malformed(f"invalid UTF-8 at byte {error.start + 1}", row, "JSON") from None
    except RecursionError:
        raise Malformed("deeper nesting than that", expected="JSON of some levels") from None
    except ValueError as error:
        raise Malformed(printable(str(error)), expected="JSON") from None


def _read_integer(text: str) -> int | str:
    """A number that is too long stays text, and is refused where it is used."""
    return int(text) if len(text) <= LOG_DIGITS else text


def read_data(path: Path) -> Any:
    """What a file of market data holds, compressed or not. ``LogError`` where it is no JSON, or cannot be read."""
    file = str(path)
    length = get_length(path, "a readable file")
    if length > _MOST:
        raise LogError(file, None, None, f"at most {_MOST:,} bytes", f"{length:,}")
    with open_unpacked(path) as (stream, _):
        data = stream.read(_MOST + 1)
    if len(data) > _MOST:
        raise LogError(file, None, None, f"at most {_MOST:,} bytes", "more")
    try:
        return parse(data)
    except Malformed as fault:
        raise LogError(file, fault.row, None, fault.expected, fault.got) from None
    except Fault as fault:
        raise LogError(file, None, fault.field, fault.expected, fault.got) from None


def find(value: object, name: str) -> Any:
    """The member, or None; ``Fault`` where the value is no object."""
    if not isinstance(value, Mapping):
        raise Fault("an object", describe(value))
    return value.get(name)


def get(value: object, name: str) -> Any:
    """The member; ``Fault`` where there is none."""
    found = find(value, name)
    if found is None:
        raise Fault("this field", "none", name)
    return found


def to_number(value: object) -> Fraction:
    """The number as it is written: of what a client has made a binary number of, its shortest decimal."""
    if isinstance(value, str) and len(value) > LOG_DIGITS:
        raise Fault(f"a decimal of at most {LOG_DIGITS} digits", f"one of {len(value):,}")
    if isinstance(value, bool | dict | list) or value is None:
        raise Fault("a decimal", describe(value))
    try:
        return exact(value if isinstance(value, int | str | Fraction) else str(value))
    except ValueError:
        raise Fault("a decimal", describe(value)) from None


def get_number(value: object, name: str) -> Fraction:
    """The member's number, exactly."""
    found = get(value, name)
    with within(name):
        return to_number(found)


def get_above_zero(value: object, name: str) -> Fraction:
    """The same, above zero."""
    number = get_number(value, name)
    if number <= 0:
        raise Fault("a number above zero", format_decimal(number), name)
    return number


def get_whole(value: object, name: str, most: int) -> int:
    """A whole number from zero to ``most``."""
    number = get_number(value, name)
    if number.denominator != 1 or not 0 <= number <= most:
        raise Fault(f"an integer from 0 to {most:,}", format_decimal(number), name)
    return int(number)


def get_text(value: object, name: str) -> str:
    """A text that is not empty."""
    text = get(value, name)
    if not isinstance(text, str) or not text:
        raise Fault("a string that is not empty", describe(text), name)
    return text


def get_entries(value: object) -> list[Any]:
    """The entries of an array."""
    if not isinstance(value, list | tuple):
        raise Fault("an array", describe(value))
    return list(value)
