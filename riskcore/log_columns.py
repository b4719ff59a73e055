"""A log's columns, where it is a table: what each holds, and how cells become an event's object, and back."""

from __future__ import annotations

import re
from typing import Any, Final, get_args, get_origin, get_type_hints

from attrs import has

from riskcore.bad_input import Fault, quote, within
from riskcore.codec import to_json
from riskcore.log_lines import MOST
from riskcore.quantities import AccountId, EventId, MarketId
from riskcore.strict_json import LOG_DIGITS, parse_value
from riskcore.transitions import TRANSITIONS

#: Columns of 64-bit integers; all other integers are texts of their digits.
SMALL: Final = ("sequence", "timestamp")
_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)")
_WORDS: Final = (AccountId, MarketId, EventId, str)


def _get_kinds() -> dict[str, str]:
    """For each column what it holds: ``text``, ``flag``, ``integer``, or ``json`` for an object or array."""
    kinds = {"event": "text"}
    for kind in TRANSITIONS:
        for name, hint in get_type_hints(kind).items():
            kinds[name] = _get_kind(hint)
    return kinds


def _get_kind(hint: Any) -> str:
    if type(None) in get_args(hint):
        # what is not there is no cell
        hint = get_args(hint)[0]
    if hint is bool:
        return "flag"
    # an enum of words is a text too
    if hint in _WORDS or (isinstance(hint, type) and issubclass(hint, str)):
        return "text"
    return "json" if has(hint) or get_origin(hint) is tuple else "integer"


KINDS: Final = _get_kinds()


EXPECTED: Final = {
    "text": "a column of strings",
    "flag": "a column of booleans",
    "integer": "a column of integers, or of strings of their digits",
    "json": "a column of strings of JSON",
}


def is_of(kind: str, type_: Any) -> bool:
    """Whether a column of this type can hold what ``KINDS`` says."""
    from pyarrow import types

    value = type_.value_type if types.is_dictionary(type_) else type_
    if kind == "flag":
        return bool(types.is_boolean(value))
    return is_text(value) or (kind == "integer" and bool(types.is_integer(value)))


def is_text(type_: Any) -> bool:
    """Whether a column's type is one of the two of strings."""
    from pyarrow import types

    return bool(types.is_string(type_) or types.is_large_string(type_))


def fill_in(members: dict[str, object]) -> None:
    """Make integers, objects and arrays of the texts that stand for them. ``Fault`` where one stands for none."""
    for name, value in members.items():
        kind = KINDS[name]
        if kind == "integer" and type(value) is str:
            members[name] = _read_integer(name, value)
        elif kind == "json" and type(value) is str:
            with within(name):
                if len(value) > MOST:
                    raise Fault(f"a text of at most {MOST:,} characters", "a longer one")
                members[name] = parse_value(value.encode(), LOG_DIGITS)


def _read_integer(name: str, text: str) -> int:
    digits = len(text.lstrip("-"))
    if digits > LOG_DIGITS or not _INTEGER.fullmatch(text):
        got = f"one of {digits:,} digits" if text.lstrip("-").isdigit() and digits > LOG_DIGITS else quote(text)
        raise Fault(f"an integer in native units, of at most {LOG_DIGITS} digits", got, name)
    return int(text)


def to_cell(name: str, value: Any) -> Any:
    if name in SMALL:
        if not -(1 << 63) <= value < 1 << 63:
            raise Fault("a number of 64 bits, as Parquet has it", f"one of {value.bit_length():,} bits", name)
        return value
    kind = KINDS[name]
    return to_json(value) if kind == "json" else str(value) if kind == "integer" else value
