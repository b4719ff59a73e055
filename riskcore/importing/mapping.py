"""The TOML file that says what a venue's CSV has: columns by name, words for sides, units, and how time is written."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Final

from attrs import fields, frozen

from riskcore.bad_input import Fault, LogError, quote
from riskcore.importing.records import ACCOUNT, Convention, Movement, to_decimal
from riskcore.strict_toml import Members, describe_toml, one_of, read_array, read_text, read_toml, whole

SCHEMA_VERSION: Final = 1
VERSION: Final = "riskcore_import"
#: Words for a time that is a number, with how many of it a millisecond has.
TIME_UNITS: Final = {"s": Fraction(1, 1000), "ms": Fraction(1), "us": Fraction(1000), "ns": Fraction(10**6)}
#: What a row may be: a trade, one by which the account is closed by force, or cash without one.
TRADE: Final = "trade"
LIQUIDATION: Final = "liquidation"
KINDS: Final = (TRADE, LIQUIDATION, *(movement.value for movement in Movement))


@frozen
class Columns:
    """The names of a file's columns: ``side`` may be left out where sizes have a sign, and the rest where it has none.

    ``amount``: cash of a row that is no trade; ``kind``: which of the two a row is.
    """

    time: str
    size: str
    price: str
    market: str | None = None
    side: str | None = None
    account: str | None = None
    id: str | None = None
    fee: str | None = None
    role: str | None = None
    position_before: str | None = None
    position_after: str | None = None
    closed_pnl: str | None = None
    balance_after: str | None = None
    kind: str | None = None
    amount: str | None = None

    def get_names(self) -> dict[str, str]:
        """The columns that there are, by what is in them."""
        named = {column.name: getattr(self, column.name) for column in fields(Columns)}
        return {field: name for field, name in named.items() if name is not None}


@frozen
class Mapping:
    """How a CSV file is read. ``size``: base units of one in the size columns. ``time``: a word of ``TIME_UNITS``,
    ``iso``, or a pattern as of ``strptime``, in UTC. ``words``: by column, what a cell's text means.
    """

    convention: Convention
    columns: Columns
    time: str
    account: str
    market: str | None
    size: Fraction
    fee_sign: int
    delimiter: str
    thousands: str
    words: dict[str, dict[str, str]]
    ignored: frozenset[str]


def read_mapping(path: Path) -> Mapping:
    """The mapping of a file; ``LogError`` names the key that is missing, unknown or wrong."""
    members = read_toml(path)
    try:
        return _read(Members(members, "a mapping"))
    except Fault as fault:
        raise LogError(str(path), None, fault.field, fault.expected, fault.got) from None


def _read(members: Members) -> Mapping:
    members.take(VERSION, whole(SCHEMA_VERSION, SCHEMA_VERSION))
    venue, no_names = members.take("venue", read_text), list[str]()
    columns = members.take("columns", _read_columns)
    is_net = members.take("closed_pnl", one_of("before_fee", "after_fee"), "before_fee") == "after_fee"
    grain = members.take("grain", _read_above_zero, Fraction(1, 10**8))
    words = {
        "side": members.take("sides", _read_words("buy", "sell"), {"buy": "buy", "sell": "sell"}),
        "role": members.take("roles", _read_words("taker", "maker"), {"taker": "taker", "maker": "maker"}),
        "kind": members.take("kinds", _read_words(*KINDS), {kind: kind for kind in KINDS}),
    }
    mapping = Mapping(
        Convention(venue, grain, is_net),
        columns,
        members.take("time", read_text),
        members.take("account", read_text, ACCOUNT),
        members.take_or_none("market", read_text),
        members.take("size", _read_above_zero, Fraction(1)),
        1 if members.take("fee", one_of("paid", "received"), "paid") == "paid" else -1,
        members.take("delimiter", _read_character, ","),
        members.take("thousands", _read_character, ""),
        words,
        frozenset(members.take("ignored", _read_names, no_names)),
    )
    members.finish()
    _check(mapping)
    return mapping


def _check(mapping: Mapping) -> None:
    columns = mapping.columns
    if (columns.market is None) == (mapping.market is None):
        got = "neither" if mapping.market is None else "both"
        raise Fault("a column for the market, or one market for all rows", got, "market")
    if columns.kind is not None and columns.amount is None:
        raise Fault("a column for the amounts of rows that are no trades", "none", "columns.amount")
    if mapping.time not in (*TIME_UNITS, "iso") and "%" not in mapping.time:
        expected = f"one of {', '.join(TIME_UNITS)}, iso, or a pattern like %Y-%m-%d %H:%M:%S"
        raise Fault(expected, quote(mapping.time), "time")
    names = list(columns.get_names().values())
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise Fault("a column of its own for each field", f"{quote(twice)} twice", "columns")


def _read_columns(value: object) -> Columns:
    members = Members(value, "columns")
    needed = [members.take(name, read_text) for name in ("time", "size", "price")]
    others = [members.take_or_none(field.name, read_text) for field in fields(Columns)[len(needed) :]]
    members.finish()
    return Columns(needed[0], needed[1], needed[2], *others)


def _read_words(*meanings: str) -> Callable[[object], dict[str, str]]:
    """By each word of a file what it means; a word has one meaning."""

    def read(value: object) -> dict[str, str]:
        members, words, none = Members(value, "words"), dict[str, str](), list[str]()
        for meaning in meanings:
            for word in members.take(meaning, _read_names, none):
                if words.setdefault(word, meaning) != meaning:
                    raise Fault(f"one meaning of {quote(word)}", f"{words[word]} and {meaning}", meaning)
        members.finish()
        if not words:
            raise Fault("at least one word", "none")
        return words

    return read


def _read_names(value: object) -> list[str]:
    return [value] if isinstance(value, str) else [read_text(name) for name in read_array(value, "texts")]


def _read_above_zero(value: object) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Fault("a number like 0.001", describe_toml(value))
    number = to_decimal(value)
    if number <= 0:
        raise Fault("a number above zero", str(value))
    return number


def _read_character(value: object) -> str:
    if not isinstance(value, str) or len(value) != 1 or value in '"\r\n':
        raise Fault("one character", describe_toml(value))
    return value
