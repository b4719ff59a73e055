"""Which leverage an account has chosen, by market: 0 where it has chosen none.

Kept apart from positions, for a choice is made before the first trade and outlives the last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from riskcore.quantities import Leverage, MarketId

NONE_CHOSEN = Leverage(0)


class Leverages:
    """One account's choices by market: total, immutable, and without entries of zero."""

    __slots__ = ("_entries",)

    def __init__(self, entries: Mapping[MarketId, Leverage] | None = None) -> None:
        self._entries: dict[MarketId, Leverage] = {
            market: leverage for market, leverage in (entries or {}).items() if leverage != 0
        }

    def get(self, market: MarketId) -> Leverage:
        return self._entries.get(market, NONE_CHOSEN)

    def put(self, market: MarketId, leverage: Leverage) -> Leverages:
        """The choices with ``leverage`` in ``market``; zero leaves no trace."""
        return Leverages({**self._entries, market: leverage})

    def items(self) -> Iterator[tuple[MarketId, Leverage]]:
        return iter(self._entries.items())

    def __len__(self) -> int:
        return len(self._entries)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Leverages) and self._entries == other._entries

    def __hash__(self) -> int:
        return hash(frozenset(self._entries.items()))

    def __repr__(self) -> str:
        return f"Leverages({self._entries!r})"


NO_LEVERAGES = Leverages()
