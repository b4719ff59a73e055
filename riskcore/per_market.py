"""What an account has of something in each market: total, immutable, and without entries of nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Generic, Self, TypeVar

from riskcore.quantities import MarketId

V = TypeVar("V")


class PerMarket(Generic[V]):
    """A total map from markets. Who derives from it says what there is where nothing is, and what counts as nothing."""

    __slots__ = ("_entries",)

    ABSENT: ClassVar[Any]

    def __init__(self, entries: Mapping[MarketId, V] | None = None) -> None:
        self._entries = {market: value for market, value in (entries or {}).items() if not self.is_nothing(value)}

    @classmethod
    def is_nothing(cls, value: V) -> bool:
        """Whether it leaves no trace."""
        return bool(value == cls.ABSENT)

    def get(self, market: MarketId) -> V:
        absent: V = self.ABSENT
        return self._entries.get(market, absent)

    def put(self, market: MarketId, value: V) -> Self:
        """The entries with ``value`` in ``market``; nothing leaves no trace."""
        changed = type(self)()
        changed._entries = self._entries.copy()
        if self.is_nothing(value):
            changed._entries.pop(market, None)
        else:
            changed._entries[market] = value
        return changed

    def items(self) -> Iterator[tuple[MarketId, V]]:
        return iter(self._entries.items())

    def __len__(self) -> int:
        return len(self._entries)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._entries == other._entries

    def __hash__(self) -> int:
        return hash(frozenset(self._entries.items()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._entries!r})"
