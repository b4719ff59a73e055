"""States and events as other languages read them: JSON in which every integer is a string of decimal digits.

The names of the fields are those of snapshots and logs. Which strings are numbers follows from the names: the kernel's
classes say which of their fields hold text.
"""

from __future__ import annotations

import re
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from riskcore.bad_input import Fault, printable, within
from riskcore.codec import SNAPSHOT, Record, get_members
from riskcore.events import Event, Header
from riskcore.orders import Order
from riskcore.quantities import AccountId, EventId, MarketId
from riskcore.rulebook import MarketRules, Rulebook
from riskcore.snapshot import decode_state, encode_state
from riskcore.state import Deleveraging, Market, Sharing, State
from riskcore.strict_json import SNAPSHOT_DIGITS, describe
from riskcore.transitions import TRANSITIONS

#: Objects whose keys are ids.
_BY_ID: Final = ("accounts", "leverages", "markets", "open_interest", "orders", "positions", "resting", "stakes")
#: What only messages and cases have of text, besides the kernel's own fields.
_TEXTS: Final = ("event", "seen", "rejected")
_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)", re.ASCII)


def _is_text(hint: object) -> bool:
    if get_origin(hint) in (Union, UnionType):
        return any(_is_text(part) for part in get_args(hint) if part is not NoneType)
    if get_origin(hint) is tuple:
        return get_args(hint)[0] is AccountId
    return hint in (AccountId, MarketId, EventId) or (isinstance(hint, type) and issubclass(hint, StrEnum))


def _list_texts() -> frozenset[str]:
    """The names of all fields that hold ids or words."""
    kinds = (*TRANSITIONS, Rulebook, MarketRules, Market, Order, Deleveraging, Sharing)
    hints = (get_type_hints(kind).items() for kind in kinds)
    return frozenset((*_TEXTS, *(name for members in hints for name, hint in members if _is_text(hint))))


TEXT_FIELDS: Final = _list_texts()


def to_wire(value: Any) -> Any:
    """A JSON value with its integers as strings."""
    if isinstance(value, dict):
        return {name: to_wire(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_wire(entry) for entry in value]
    return str(value) if type(value) is int else value


def from_wire(value: Any, name: str | None = None) -> Any:
    """A JSON value with the strings that are integers as such; ``Fault`` for another string in such a place."""
    if isinstance(value, dict):
        is_by_id = name in _BY_ID
        members = {}
        for key, entry in value.items():
            with within(printable(key)):
                members[key] = from_wire(entry, None if is_by_id else key)
        return members
    if isinstance(value, list):
        return [from_wire(entry, name) for entry in value]
    if isinstance(value, str) and name not in TEXT_FIELDS:
        return _read_integer(value)
    if value is None or isinstance(value, (bool, str)):
        return value
    raise Fault("an integer as a string of decimal digits", describe(value))


def _read_integer(text: str) -> int:
    if len(text) > SNAPSHOT_DIGITS + 1 or not _INTEGER.fullmatch(text):
        raise Fault(f"an integer as a string of at most {SNAPSHOT_DIGITS} decimal digits", describe(text))
    return int(text)


#: Unlike in a log, an event's figures may have any sign: whether they can be accepted is for the engine to say.
_RECORDS: Final = {kind: Record[Event](kind) for kind in TRANSITIONS}
_EVENTS: Final = {record.name: record for record in _RECORDS.values()}
EVENT_NAMES: Final = tuple(_EVENTS)


def get_event_name(kind: type[Header]) -> str:
    """As in logs: ``liquidation_fill``."""
    return _RECORDS[kind].name


def event_to_wire(event: Event) -> dict[str, Any]:
    members: dict[str, Any] = to_wire(get_members(event))
    return members


def event_from_wire(value: object) -> Event:
    """``Fault`` where the object describes no event."""
    if type(value) is not dict:
        raise Fault("an object", describe(value))
    members = from_wire(value)
    name = members.pop("event", None)
    if name not in _EVENTS:
        raise Fault("one of " + ", ".join(_EVENTS), describe(name), "event")
    record = _EVENTS[name]
    return record.make(*record.read_fields(members, SNAPSHOT, None))


def state_to_wire(state: State) -> dict[str, Any]:
    members: dict[str, Any] = to_wire(encode_state(state))
    return members


def state_from_wire(value: object) -> State:
    """``Fault`` where the object describes no state. ``seen`` may be missing: nothing was accepted before."""
    if type(value) is not dict:
        raise Fault("an object", describe(value))
    return decode_state(from_wire({"seen": [], **value}))
