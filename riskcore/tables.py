"""The book protocol: where a state keeps its accounts, markets and event ids.

A transition reaches an account only through ``get`` and ``put``. ``get`` is
total: an absent key is the table's ``absent`` value, so there is no "unknown
account" path through the kernel. Two tables are here, a third (symbols) is the
prover's; one kernel source runs on all three.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from rpds import HashTrieMap

K = TypeVar("K", bound=str)
V = TypeVar("V")


class Table(Protocol[K, V]):
    """A total map from ids to values."""

    def get(self, key: K) -> V:
        """The value at ``key``, or the table's absent value."""

    def put(self, key: K, value: V) -> Table[K, V]:
        """The table with ``value`` at ``key``; the absent value itself leaves no trace."""

    def items(self) -> Iterator[tuple[K, V]]:
        """Every pair, in no particular order: sort before you hash or print.

        Only named folds and tools call it; a transition does not.
        """

    def __len__(self) -> int: ...


class DictTable(Generic[K, V]):
    """A table over a plain dict: ``put`` writes in place and returns the table itself.

    For speed. A state that holds it is used up by the step that consumes it; a
    rejected step leaves it as it was, because guards come before the first write.
    """

    __slots__ = ("_absent", "_entries")

    def __init__(self, absent: V) -> None:
        self._absent = absent
        self._entries: dict[K, V] = {}

    def get(self, key: K) -> V:
        return self._entries.get(key, self._absent)

    def put(self, key: K, value: V) -> DictTable[K, V]:
        if value is self._absent:
            self._entries.pop(key, None)
        else:
            self._entries[key] = value
        return self

    def items(self) -> Iterator[tuple[K, V]]:
        return iter(self._entries.items())

    def __len__(self) -> int:
        return len(self._entries)


class PersistentTable(Generic[K, V]):
    """A table that is a value: ``put`` returns a new table, the old one stays valid."""

    __slots__ = ("_absent", "_entries")

    def __init__(self, absent: V, entries: HashTrieMap[K, V] | None = None) -> None:
        self._absent = absent
        self._entries: HashTrieMap[K, V] = HashTrieMap() if entries is None else entries

    def get(self, key: K) -> V:
        return self._entries.get(key, self._absent)

    def put(self, key: K, value: V) -> PersistentTable[K, V]:
        if value is self._absent:
            return PersistentTable(self._absent, self._entries.discard(key))
        return PersistentTable(self._absent, self._entries.insert(key, value))

    def items(self) -> Iterator[tuple[K, V]]:
        return iter(self._entries.items())

    def __len__(self) -> int:
        return len(self._entries)
