"""Between JSON objects and the kernel's values, derived from the attrs classes themselves.

A class's fields and their types say how each is read, so a new event or field
needs no line here, and one of an unforeseen type fails when this is imported.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import partial
from itertools import groupby
from types import SimpleNamespace, UnionType
from typing import Any, Final, Generic, TypeAlias, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import attrs
from attrs import frozen

from riskcore.bad_input import Fault, escape, get_hint, printable, within
from riskcore.events import Event, Fill, PlaceOrder
from riskcore.orders import Order
from riskcore.quantities import RATE_ONE, AccountId, Atoms, EventId, Leverage, Lots, MarketId, Price, Rate, Shares, Time
from riskcore.rulebook import MarketRules, Rulebook, is_admissible_rulebook
from riskcore.state import Deleveraging, Draws, Market, Position, Reserves, Sharing, Stake
from riskcore.strict_json import LOG_DIGITS, SNAPSHOT_DIGITS, describe
from riskcore.transitions import TRANSITIONS
from riskcore.units import Quantity, Units

T = TypeVar("T")


@frozen
class Source:
    """What the values come from. ``units`` is ``None`` where only integers are written."""

    units: Units | None
    digits: int


SNAPSHOT: Final = Source(None, SNAPSHOT_DIGITS)

#: Reads a JSON value of a source; the market, where there is one, gives the size of a lot.
Read: TypeAlias = Callable[[object, Source, str | None], Any]

_QUANTITIES: Final[dict[object, Quantity]] = {
    Atoms: Quantity.AMOUNT,
    Lots: Quantity.SIZE,
    Price: Quantity.PRICE,
    Rate: Quantity.RATE,
}
_NOUNS: Final = {
    Quantity.AMOUNT: "an amount, in atoms as an integer or in quote currency as a decimal string",
    Quantity.SIZE: "a size, in lots as an integer or in base units as a decimal string",
    Quantity.PRICE: "a price, in atoms per lot as an integer or in quote currency as a decimal string",
    Quantity.RATE: "a rate, in parts per million as an integer or as a decimal string",
}
_SMALL: Final = 1 << 64
#: The defaults of the classes that are read and written, filled in by their records.
_DEFAULTS: Final[dict[type[Any], dict[str, object]]] = {}


def _check_digits(value: int, digits: int) -> int:
    if -_SMALL < value < _SMALL or abs(value) < 10**digits:
        return value
    raise Fault(f"an integer of at most {digits:,} digits", f"one of {value.bit_length():,} bits")


def read_integer(value: object, source: Source, market: str | None = None) -> int:
    if type(value) is not int:
        raise Fault(f"an integer of at most {source.digits:,} digits", describe(value))
    return _check_digits(value, source.digits)


def read_text(value: object, source: Source, market: str | None = None) -> str:
    """A string that is not empty and that UTF-8 can hold."""
    if type(value) is not str or not value:
        raise Fault("a string that is not empty", describe(value))
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Fault("a string without lone surrogates", describe(value)) from None
    return value


def read_flag(value: object, source: Source, market: str | None = None) -> bool:
    if type(value) is not bool:
        raise Fault("true or false", describe(value))
    return value


def _read_texts(value: object, source: Source, market: str | None = None) -> tuple[str, ...]:
    if type(value) is not list:
        raise Fault("an array of strings", describe(value))
    for index, entry in enumerate(value):
        if type(entry) is not str or not entry or not entry.isascii():
            with within(f"[{index}]"):
                read_text(entry, source)
    return tuple(value)


def _make_quantity_reader(quantity: Quantity) -> Read:
    def read(value: object, source: Source, market: str | None) -> int:
        if type(value) is int:
            return _check_digits(value, source.digits)
        if type(value) is str and source.units is not None:
            return source.units.to_native(quantity, market, value)
        integer = f"an integer of {quantity.plural}, {source.digits:,} digits at most"
        raise Fault(_NOUNS[quantity] if source.units is not None else integer, describe(value))

    return read


def _make_choice_reader(choices: type[StrEnum]) -> Read:
    def read(value: object, source: Source, market: str | None) -> StrEnum:
        for choice in choices:
            if choice.value == value:
                return choice
        raise Fault("one of " + ", ".join(choices), describe(value))

    return read


def _make_array_reader(record: Record[Any]) -> Read:
    def read(value: object, source: Source, market: str | None) -> tuple[Any, ...]:
        if type(value) is not list:
            raise Fault("an array of objects", describe(value))
        entries = []
        for index, entry in enumerate(value):
            with within(f"[{index}]"):
                entries.append(record.read(entry, source, market))
        return tuple(entries)

    return read


def _get_reader(hint: Any) -> Read:
    if hint in _QUANTITIES:
        return _make_quantity_reader(_QUANTITIES[hint])
    if hint in (int, Time, Shares, Leverage):
        return read_integer
    if hint in (AccountId, MarketId, EventId):
        return read_text
    if hint is bool:
        return read_flag
    if get_origin(hint) is tuple and get_args(hint) == (AccountId, ...):
        return _read_texts
    if get_origin(hint) is tuple and attrs.has(get_args(hint)[0]) and get_args(hint)[1:] == (...,):
        return _make_array_reader(Record(get_args(hint)[0]))
    if attrs.has(hint):
        return Record(hint).read
    if get_origin(hint) in (Union, UnionType) and get_args(hint)[1:] == (type(None),):
        # None is a default, and what is at its default is not written
        return _get_reader(get_args(hint)[0])
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return _make_choice_reader(hint)
    raise TypeError(f"no reader for {hint}")


class Record(Generic[T]):
    """How an object becomes a value of an attrs class: every field once, and no other key.

    A field that the class has a default for may be left out, and is left out where it has it:
    a value is written in one way only, and as it was before the class had the field.
    """

    __slots__ = ("defaults", "fields", "make", "name")

    def __init__(self, kind: type[Any]) -> None:
        hints = get_type_hints(kind)
        self.make: Callable[..., T] = kind
        self.name = re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()
        self.fields: dict[str, Read] = {
            attribute.name: _get_reader(hints[attribute.name]) for attribute in attrs.fields(kind)
        }
        #: a default that is made depends on the fields before it
        self.defaults: dict[str, object] = {
            attribute.name: attribute.default
            for attribute in attrs.fields(kind)
            if attribute.default is not attrs.NOTHING
        }
        _DEFAULTS[kind] = self.defaults

    def read(self, value: object, source: Source, market: str | None = None) -> T:
        if type(value) is not dict:
            raise Fault("an object", describe(value))
        return self.make(*self.read_fields(value, source, market))

    def read_fields(self, members: dict[str, object], source: Source, market: str | None) -> list[object]:
        """The values in the class's order; ``Fault`` names the first field that is wrong."""
        if members.keys() != self.fields.keys():
            required = [name for name in self.fields if name not in self.defaults]
            require_fields(members, required, self.name, tuple(self.defaults))
        values: list[object] = []
        for name, read in self.fields.items():
            if name not in members:
                so_far = SimpleNamespace(**dict(zip(self.fields, values, strict=False)))
                values.append(get_default(self.defaults[name], so_far))
                continue
            try:
                values.append(read(members[name], source, market))
            except Fault as fault:
                raise fault.under(name) from None
        return values


def get_default(default: object, value: object) -> object:
    """A field's default in a value of which the fields before it are known."""
    # attrs declares Factory as a function, and it is a class
    return cast(Any, default).factory(value) if isinstance(default, attrs.Factory) else default  # type: ignore[arg-type]


def require_fields(
    members: dict[str, object], fields: Iterable[str], noun: str, optional: tuple[str, ...] = ()
) -> None:
    """``Fault`` unless the members' names are those of ``fields``, the optional ones or not."""
    known = [*fields, *optional]
    for name in members:
        if name not in known:
            expected = f"only the fields of {noun} ({', '.join(known)})"
            raise Fault(expected, f"an unknown field{get_hint(name, known)}", printable(name[:60]))
    for name in fields:
        if name not in members:
            raise Fault(f"this field in {noun}", "none", name)


def check_version(members: dict[str, object], field: str, version: int) -> None:
    """Take ``field`` out of the members; ``Fault`` unless it holds the version."""
    if field not in members:
        raise Fault(f"this field, with the schema version {version}", "none", field)
    value = members.pop(field)
    if type(value) is not int or value != version:
        raise Fault(f"the schema version {version}", describe(value), field)


@frozen
class Sign:
    """What an event's figure must be beside a number."""

    expected: str
    below: bool = False

    def check(self, number: int, shown: str | None = None) -> None:
        """``Fault`` unless the number is above zero, or below it where that is allowed."""
        if number == 0 or (number < 0 and not self.below):
            raise Fault(self.expected, str(number) if shown is None else shown)


_ABOVE_ZERO: Final = {
    Atoms: Sign("an amount above zero"),
    Lots: Sign("a size above zero"),
    Price: Sign("a price above zero"),
    Shares: Sign("shares above zero"),
}
_DIRECTED: Final = Sign("a size that is not zero", below=True)


def _get_signs(kind: type[Any]) -> dict[str, Sign]:
    """Amounts, sizes, prices and shares are above zero, but that a fill and an order have a direction."""
    hints = get_type_hints(kind).items()
    return {
        name: _DIRECTED if kind in (Fill, PlaceOrder) and hint is Lots else _ABOVE_ZERO[hint]
        for name, hint in hints
        if hint in _ABOVE_ZERO
    }


def _require_sign(read: Read, sign: Sign) -> Read:
    def read_signed(value: object, source: Source, market: str | None) -> int:
        number: int = read(value, source, market)
        if number <= 0:
            sign.check(number, describe(value))
        return number

    return read_signed


def _make_event_record(kind: type[Any]) -> Record[Event]:
    record: Record[Event] = Record(kind)
    for name, sign in _SIGNS[kind].items():
        record.fields[name] = _require_sign(record.fields[name], sign)
    return record


_SIGNS: Final = {kind: _get_signs(kind) for kind in TRANSITIONS}
_RECORDS: Final = {kind: _make_event_record(kind) for kind in TRANSITIONS}
#: The events by the name that a log gives them.
EVENTS: Final = {record.name: record for record in _RECORDS.values()}

RULEBOOK: Final[Record[Rulebook]] = Record(Rulebook)
RULES: Final[Record[MarketRules]] = Record(MarketRules)
MARKET: Final[Record[Market]] = Record(Market)
POSITION: Final[Record[Position]] = Record(Position)
RESERVES: Final[Record[Reserves]] = Record(Reserves)
STAKE: Final[Record[Stake]] = Record(Stake)
ORDER: Final[Record[Order]] = Record(Order)
DRAWS: Final[Record[Draws]] = Record(Draws)
DELEVERAGING: Final[Record[Deleveraging]] = Record(Deleveraging)
SHARING: Final[Record[Sharing]] = Record(Sharing)


def read_rulebook(value: object, source: Source) -> Rulebook:
    """An admissible rulebook."""
    rulebook = RULEBOOK.read(value, source)
    check_rulebook(rulebook)
    return rulebook


def check_rulebook(rulebook: Rulebook) -> None:
    """``Fault`` unless admissible."""
    if rulebook.vault_takes_deficits and rulebook.insurance_before_adl:
        raise Fault("false where insurance_before_adl is true", "true", "vault_takes_deficits")
    check_admissible(rulebook, is_admissible_rulebook, "an admissible rulebook")


def check_admissible(value: T, is_admissible: Callable[[T], bool], expected: str, bounds: Iterable[int] = ()) -> None:
    """``Fault`` unless admissible; it names the field that alone is to blame, where one is, and what that may be.

    Otherwise it shows the fields of which one alone would put it right, or all where none would.
    A field is bounded by 0, 1, the rate one, another's number or minus that, or what ``bounds`` adds.
    """
    if is_admissible(value):
        return
    numbers = get_numbers(value)
    limits = {0, 1, RATE_ONE, *bounds, *numbers.values(), *(-number for number in numbers.values())}

    def is_good(name: str, number: int) -> bool:
        return is_admissible(attrs.evolve(cast(Any, value), **{name: number}))

    ranges = {name: _get_range(partial(is_good, name), limits) for name in numbers}
    suspects = [name for name in numbers if ranges[name]]
    culprits = suspects if len(suspects) == 1 else [name for name in suspects if is_good(name, 1)]
    if len(culprits) == 1:
        raise Fault(ranges[culprits[0]], str(numbers[culprits[0]]), culprits[0])
    raise Fault(expected, ", ".join(f"{name} {numbers[name]}" for name in suspects or numbers))


def get_numbers(value: object) -> dict[str, int]:
    """The integers among the fields of a class's value."""
    members = attrs.asdict(cast(Any, value), recurse=False)
    return {name: number for name, number in members.items() if type(number) is int}


def _get_range(is_good: Callable[[int], bool], limits: Iterable[int]) -> str:
    """The good numbers in words, nothing where there are none; a good one and a bad one only meet at a limit."""
    probes = sorted({limit + offset for limit in limits for offset in (-1, 0, 1)})
    runs = [list(run) for good, run in groupby(probes, is_good) if good]
    return ", or ".join(_describe_run(run[0], run[-1], probes[-1]) for run in runs)


def _describe_run(low: int, high: int, last: int) -> str:
    if high == last:
        return f"{low} or more"
    return str(low) if low == high else f"from {low} to {high}"


def decode_event(members: dict[str, object], source: Source) -> Event:
    """The event that a log's line describes; the line's object is used up. Raises ``Fault``."""
    if "event" not in members:
        raise Fault("this field in every line after the header", "none", "event")
    name = members.pop("event")
    record = EVENTS.get(name) if type(name) is str else None
    if record is None:
        hint = get_hint(name, EVENTS) if type(name) is str else ""
        raise Fault("one of " + ", ".join(EVENTS), describe(name) + hint, "event")
    market = members.get("market")
    return record.make(*record.read_fields(members, source, market if type(market) is str else None))


def encode(value: Any, digits: int | None) -> Any:
    """The JSON value of a kernel value. ``Fault`` for text, or an integer of more ``digits``, that no file may hold.

    Without ``digits`` any value is encoded: for what is shown or hashed, and not read again.
    """
    if type(value) is int and digits is not None:
        return _check_digits(value, digits)
    if attrs.has(type(value)):
        defaults = _DEFAULTS.get(type(value), {})
        members = ((attribute.name, getattr(value, attribute.name)) for attribute in attrs.fields(type(value)))
        return {
            name: _encode_entry(entry, name, digits)
            for name, entry in members
            if name not in defaults or entry != get_default(defaults[name], value)
        }
    if isinstance(value, dict):
        return {encode(key, digits): _encode_entry(entry, key, digits) for key, entry in value.items()}
    if isinstance(value, (tuple, list)):
        return [encode(entry, digits) for entry in value]
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, str):
        return value if digits is None else read_text(value, SNAPSHOT)
    return value if value is None or isinstance(value, bool) or digits is None else _check_digits(value, digits)


def _encode_entry(value: object, name: str, digits: int | None) -> Any:
    try:
        return encode(value, digits)
    except Fault as fault:
        raise fault.under(printable(name)) from None


def get_members(event: Event, digits: int | None = None) -> dict[str, Any]:
    """The event's JSON object, in native units; ``digits`` as for ``encode``."""
    return {"event": _RECORDS[type(event)].name, **encode(event, digits)}


def encode_event(event: Event) -> str:
    """The event's line of a log, without the newline. Raises as ``get_line`` does."""
    return to_json(get_line(event))


def get_line(event: Event) -> dict[str, Any]:
    """The object of the event's line of a log.

    Raises ``Fault``, a ``ValueError``, where the format cannot hold it.
    """
    defaults = _RECORDS[type(event)].defaults
    for name, sign in _SIGNS[type(event)].items():
        # what is at its default is not written
        if name not in defaults or getattr(event, name) != defaults[name]:
            with within(name):
                sign.check(getattr(event, name))
    return get_members(event, LOG_DIGITS)


def to_json(value: object) -> str:
    """Compact JSON on one line."""
    return escape(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
