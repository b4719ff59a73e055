"""What a step changed: each figure that differs, under a name that people read, before and after."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeAlias

import attrs
from attrs import frozen

from riskcore.codec import encode, to_json
from riskcore.html_report.names import shorten
from riskcore.html_report.noted import Noted
from riskcore.per_market import PerMarket
from riskcore.state import State

#: A figure as it is shown: None where there is none.
Figure: TypeAlias = int | str | bool | None

#: What a state has besides its tables and where it stands in the log.
_LEDGER: Final = (
    "reserves",
    "draws",
    "outflow",
    "deleveraging",
    "sharing",
    "vault_shares",
    "separate_insurance",
)
#: Fields whose own name says nothing beside those within.
_PLAIN: Final = {"positions": "", "leverages": "leverage"}


@frozen
class Change:
    """Of an owner, one of ``noted.OWNERS`` or the ``venue`` itself (which has no ``id``), the figure ``name``."""

    owner: str
    id: str
    name: str
    before: Figure
    after: Figure


def get_changes(before: State, after: State, tables: dict[str, Noted[Any, Any]]) -> Iterator[Change]:
    """What one step changed, owner by owner. Tables of ``before`` are not looked at: ``tables`` have what was there."""
    for owner, table in tables.items():
        for id, old in table.written.items():
            for name, was, now in _compare(old, table.get(id), ""):
                yield Change(owner, id, name, was, now)
    for field in _LEDGER:
        own = "" if field == "reserves" else field
        for name, was, now in _compare(getattr(before, field), getattr(after, field), own):
            yield Change("venue", "", name, was, now)


def _compare(old: Any, new: Any, name: str) -> Iterator[tuple[str, Figure, Figure]]:
    if old is new or old == new:
        return
    kind = type(new if old is None else old)
    if attrs.has(kind):
        for attribute in attrs.fields(kind):
            field = attribute.name
            within = _join(name, _PLAIN.get(field, field))
            yield from _compare(getattr(old, field, None), getattr(new, field, None), within)
    elif issubclass(kind, PerMarket):
        absent = kind()
        old, new = absent if old is None else old, absent if new is None else new
        for market in sorted({market for side in (old, new) for market, _ in side.items()}):
            yield from _compare(old.get(market), new.get(market), _join(name, shorten(market)))
    else:
        yield name, show(old), show(new)


def _join(name: str, field: str) -> str:
    return f"{name} {field}".strip()


def show(value: Any) -> Figure:
    """A figure as it is shown; of many ids only how many they are."""
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, tuple) and value and isinstance(value[0], str):
        return f"{len(value):,} accounts"
    return to_json(encode(value, None))
