"""A state whose tables remember what was at each key before it was written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Generic, TypeVar

from attrs import evolve

from riskcore.state import State
from riskcore.tables import Table

K = TypeVar("K", bound=str)
V = TypeVar("V")

#: The tables whose values are shown, and what one of them is called.
OWNERS: Final = {"accounts": "account", "markets": "market", "stakes": "stake", "orders": "order"}


class Noted(Generic[K, V]):
    """A table over another, which it writes through to; ``written`` has what was there before, by key."""

    __slots__ = ("_below", "written")

    def __init__(self, below: Table[K, V]) -> None:
        self._below = below
        self.written: dict[K, V] = {}

    def get(self, key: K) -> V:
        return self._below.get(key)

    def put(self, key: K, value: V) -> Noted[K, V]:
        self.written.setdefault(key, self._below.get(key))
        self._below = self._below.put(key, value)
        return self

    def items(self) -> Iterator[tuple[K, V]]:
        return self._below.items()

    def __len__(self) -> int:
        return len(self._below)


def note(state: State) -> tuple[State, dict[str, Noted[Any, Any]]]:
    """The state on tables that remember, and these by the word for what they hold; ``state`` is used up."""
    tables = {owner: Noted[Any, Any](getattr(state, name)) for name, owner in OWNERS.items()}
    noted = evolve(
        state,
        accounts=tables["account"],
        markets=tables["market"],
        stakes=tables["stake"],
        orders=tables["order"],
    )
    return noted, tables
