"""A finding made short: events are left out, in halves and then one by one, as long as the same thing breaks.

Ids, sequence numbers and times stay as they were, so that any part of a log is a log. What can be replayed is not
given up for what is shorter.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from attrs import evolve

from riskcore.testing.fuzzing.saving import can_be_replayed
from riskcore.testing.fuzzing.trial import Finding, find_break

T = TypeVar("T")

#: Of wall clock, for one finding. What is reached by then stands, and is a true finding like any other.
SECONDS = 60.0


def shrink(finding: Finding, seconds: float = SECONDS) -> Finding:
    """The same law broken at the same kind of event, in as few events as leaving some out leads to."""
    must_be_replayed = can_be_replayed(finding)
    shortest = finding

    def is_still_broken(places: list[int]) -> bool:
        nonlocal shortest
        found = find_break(finding, [finding.events[place] for place in places])
        if found is None or found.signature != finding.signature or len(found.events) != len(places):
            return False
        if must_be_replayed and not can_be_replayed(found):
            return False
        shortest = found
        return True

    places = reduce(list(range(len(finding.events))), is_still_broken, time.monotonic() + seconds)
    return evolve(shortest, original=len(finding.events), places=tuple(places))


def reduce(items: list[T], is_still_broken: Callable[[list[T]], bool], deadline: float = float("inf")) -> list[T]:
    """Fewer of the items for which it still holds: none of them, alone, can be left out, unless time ran out.

    The last item is what breaks, and stays.
    """
    size = len(items) // 2
    while size:
        end, has_shrunk = len(items) - 1, False
        while end > 0 and time.monotonic() < deadline:
            start = max(0, end - size)
            fewer = items[:start] + items[end:]
            if is_still_broken(fewer):
                items, has_shrunk = fewer, True
            end = start
        if time.monotonic() >= deadline:
            break
        if size == 1 and not has_shrunk:
            break
        size = max(1, size // 2)
    return items
