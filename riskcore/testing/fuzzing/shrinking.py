"""A finding made short: events are left out, in halves and then one by one, and their numbers are made simple, as long
as the same thing breaks.

Ids, sequence numbers and times stay as they were, so that any part of a log is a log. What can be replayed is not
given up for what is shorter.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import attrs
from attrs import evolve

from riskcore.events import Event
from riskcore.testing.fuzzing.saving import can_be_replayed
from riskcore.testing.fuzzing.trial import Figure, Finding, change, find_break

T = TypeVar("T")

#: Of wall clock, for one finding. What is reached by then stands, and is a true finding like any other.
SECONDS = 60.0
_FIXED = ("sequence", "timestamp")


def shrink(finding: Finding, seconds: float = SECONDS) -> Finding:
    """The same law broken at the same kind of event, in as few events, of as simple numbers, as are found."""
    must_be_replayed, deadline = can_be_replayed(finding), time.monotonic() + seconds
    shortest = finding

    def is_still_broken(items: Sequence[tuple[int, Event]]) -> bool:
        nonlocal shortest
        found = find_break(finding, [event for _, event in items])
        if found is None or found.signature != finding.signature or len(found.events) != len(items):
            return False
        if must_be_replayed and not can_be_replayed(found):
            return False
        shortest = found
        return True

    items = reduce(list(enumerate(finding.events)), is_still_broken, deadline)
    items = simplify(items, is_still_broken, deadline)
    # with other numbers some events are not needed any more
    items = reduce(items, is_still_broken, deadline)
    figures = [
        Figure(number, name, getattr(event, name))
        for number, (place, event) in enumerate(items)
        for name in list_numbers(event)
        if getattr(event, name) != getattr(finding.events[place], name)
    ]
    places = tuple(place for place, _ in items)
    return evolve(shortest, original=len(finding.events), places=places, figures=tuple(figures))


def simplify(
    items: Sequence[tuple[int, Event]],
    is_still_broken: Callable[[list[tuple[int, Event]]], bool],
    deadline: float = float("inf"),
) -> list[tuple[int, Event]]:
    """The same events, each number the simplest of its candidates with which it still holds."""
    simple = list(items)
    for number, (place, _) in enumerate(items):
        for name in list_numbers(simple[number][1]):
            for value in list_simpler(getattr(simple[number][1], name)):
                if time.monotonic() >= deadline:
                    return simple
                changed = change(simple[number][1], name, value)
                if is_still_broken([*simple[:number], (place, changed), *simple[number + 1 :]]):
                    simple[number] = place, changed
                    break
    return simple


def list_numbers(event: Event) -> list[str]:
    """The fields that are numbers, but for those of its place in the log."""
    names = (attribute.name for attribute in attrs.fields(type(event)))
    return [name for name in names if name not in _FIXED and type(getattr(event, name)) is int]


def list_simpler(number: int) -> Iterator[int]:
    """Powers of ten below a number, then its first digits with noughts behind, all of its sign; the simplest first."""
    sign, digits = (-1 if number < 0 else 1), str(abs(number))
    seen = {abs(number)}
    shorter = [10**place for place in range(len(digits))]
    for value in (*shorter, *(int(digits[:kept].ljust(len(digits), "0")) for kept in range(1, min(len(digits), 6)))):
        if value not in seen and value < abs(number):
            seen.add(value)
            yield sign * value


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
