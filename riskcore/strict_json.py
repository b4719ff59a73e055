"""One JSON object, read without guessing.

Duplicate keys are refused. Integers keep every digit up to a stated number of them.
A number that is no integer, ``NaN`` and an integer that is too long come out as
``Odd``, so that whoever knows the field can say what belongs there.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import msgspec

from riskcore.bad_input import Fault, Malformed, printable, quote

T = TypeVar("T")

#: Digits of an integer in a log: every number of 256 bits has at most as many.
LOG_DIGITS = 78
#: Digits of an integer in a snapshot. What a log leads to from nothing has fewer: at most a price
#: times a rate, a time and a size, each as long as a log allows, and sums of those.
SNAPSHOT_DIGITS = 400


class Odd:
    """A number that this project has no use for, with the words that describe it."""

    __slots__ = ("description",)

    def __init__(self, description: str) -> None:
        self.description = description


def describe(value: object) -> str:
    """What was found, in words that fit behind "got"."""
    if isinstance(value, Odd):
        return value.description
    if value is None:
        return "null"
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, dict):
        return "an object"
    return "an array" if isinstance(value, list) else str(value)


def _read_integer(limit: int) -> Callable[[str], int | Odd]:
    def read(text: str) -> int | Odd:
        digits = len(text.lstrip("-"))
        return int(text) if digits <= limit else Odd(f"an integer of {digits:,} digits")

    return read


def _read_float(text: str) -> Odd:
    return Odd(f"the float {text}" if len(text) <= 40 else f"the float {text[:37]}...")


def read_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The members of an object; ``Fault`` where a key stands twice."""
    members = dict(pairs)
    if len(members) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise Fault("each key once", "the key twice", printable(twice))
    return members


def _make_decoder(limit: int) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=read_pairs, parse_int=_read_integer(limit), parse_float=_read_float, parse_constant=Odd
    )


_DECODERS = {limit: _make_decoder(limit) for limit in (LOG_DIGITS, SNAPSHOT_DIGITS)}


def parse_object(data: bytes, limit: int = LOG_DIGITS) -> dict[str, object]:
    """The object that ``data`` holds; ``limit`` is one of the two above.

    Raises ``Malformed`` where it is no JSON, ``Fault`` where it is no object or a key stands twice.
    """
    value = parse_value(data, limit)
    if type(value) is not dict:
        raise Fault("one JSON object", describe(value))
    return value


def parse_value(data: bytes, limit: int = LOG_DIGITS) -> object:
    """As ``parse_object``, of any value."""
    try:
        value: object = _DECODERS[limit].decode(data.decode())
    except UnicodeDecodeError as error:
        raise Malformed(f"invalid UTF-8 at byte {error.start + 1}", data.count(b"\n", 0, error.start) + 1) from None
    except json.JSONDecodeError as error:
        raise Malformed(_explain(data, error), error.lineno) from None
    except RecursionError:
        raise Malformed("arrays or objects nested too deeply") from None
    return value


def _explain(data: bytes, error: json.JSONDecodeError) -> str:
    if not data.strip():
        return "an empty line"
    if data.startswith(b"\xef\xbb\xbf"):
        return "a byte order mark"
    return f"malformed JSON at column {error.colno}: {error.msg[0].lower()}{error.msg[1:]}"


_decode_quickly = msgspec.json.Decoder().decode


def read_object(data: bytes, limit: int, decode: Callable[[dict[str, object]], T]) -> T:
    """What ``decode`` makes of the object that ``data`` holds.

    The quick parser's answer counts only where nothing is wrong; all else is read
    again by ``parse_object``, whose faults these are.
    """
    members = _parse_quickly(data)
    if members is not None:
        with suppress(Fault):
            return decode(members)
    return decode(parse_object(data, limit))


def _parse_quickly(data: bytes) -> dict[str, object] | None:
    """The object, or ``None``. Floats stay floats here, and no field takes one.

    Every pair of ``data`` has a colon: where there are as many colons as keys, no key
    stands twice.
    """
    try:
        value = _decode_quickly(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return value if type(value) is dict and data.count(b":") == _count_keys(value) else None


def _count_keys(members: dict[str, object]) -> int:
    count = len(members)
    for member in members.values():
        if type(member) is dict:
            count += _count_keys(member)
    return count
