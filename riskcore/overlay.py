"""A state to try events on: what is written stays apart, and the state itself is as it was, whatever its tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from attrs import evolve

from riskcore.state import State
from riskcore.tables import Table

K = TypeVar("K", bound=str)
V = TypeVar("V")


class Overlay(Generic[K, V]):
    """A table over another: ``put`` writes here, ``get`` looks here first."""

    __slots__ = ("_below", "_written")

    def __init__(self, below: Table[K, V]) -> None:
        self._below = below
        self._written: dict[K, V] = {}

    def get(self, key: K) -> V:
        return self._written[key] if key in self._written else self._below.get(key)

    def put(self, key: K, value: V) -> Overlay[K, V]:
        self._written[key] = value
        return self

    def items(self) -> Iterator[tuple[K, V]]:
        yield from self._written.items()
        yield from ((key, value) for key, value in self._below.items() if key not in self._written)

    def __len__(self) -> int:
        return sum(1 for _ in self.items())


def lay_over(state: State) -> State:
    """The state on overlays; it is used up by the step that consumes it, like one on dicts."""
    return evolve(
        state,
        accounts=Overlay(state.accounts),
        markets=Overlay(state.markets),
        seen=Overlay(state.seen),
        stakes=Overlay(state.stakes),
        orders=Overlay(state.orders),
    )
