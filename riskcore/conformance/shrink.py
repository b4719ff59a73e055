"""The fewest of a list's events on which two engines still part: delta debugging."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

T = TypeVar("T")

#: Lists that are tried at most, and seconds.
TRIES: Final = 600
SECONDS: Final = 60.0


def shrink(entries: Sequence[T], shows: Callable[[list[T]], bool], seconds: float = SECONDS) -> list[T]:
    """A part of ``entries`` that still ``shows`` it, and none of whose entries can be left out.

    Where tries or seconds run out, the smallest found so far. The entries keep their order.
    """
    left, tries, deadline = list(entries), 0, time.monotonic() + seconds
    width = max(len(left) // 2, 1)
    while len(left) > 1:
        found = False
        place = 0
        while place < len(left):
            if tries >= TRIES or time.monotonic() > deadline:
                return left
            shorter = [*left[:place], *left[place + width :]]
            tries += 1
            if shorter and shows(shorter):
                left, found = shorter, True
            else:
                place += width
        if width == 1 and not found:
            break
        width = max(width // 2, 1)
    return left
