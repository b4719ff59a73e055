"""What a failing step is called: the law that does not hold, and how two views differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from riskcore.testing.naive.views import View

#: Not laws of the list, but what the desk and the kit itself ask of every step.
ALIKE: Final = {
    "TABLES": "The persistent table and the dict table give the same.",
    "MODEL": "The kernel's state is the naive model's.",
    "DEBT": "Where deleveraging closes at bankruptcy price, no flat account falls into debt.",
    "KIT": "Nothing but the kernel fails.",
}


class Broken(AssertionError):
    """A step after which something does not hold. ``law``: its id, or one of ``ALIKE``; ``words``: how it shows."""

    def __init__(self, law: str, words: str) -> None:
        super().__init__(f"{law}: {words}")
        self.law = law
        self.words = words


def get_difference(expected: View, actual: View, most: int = 4) -> str:
    """Where two views differ, as ``path: expected, got``; the first few places."""
    places = list(_compare("", expected.__dict__, actual.__dict__))
    shown = "; ".join(places[:most])
    return f"{shown}; and {len(places) - most} more" if len(places) > most else shown


def _compare(path: str, expected: Any, actual: Any) -> Iterator[str]:
    if expected == actual:
        return
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in sorted({*expected, *actual}, key=str):
            yield from _compare(f"{path}.{key}".lstrip("."), expected.get(key), actual.get(key))
    elif hasattr(expected, "_fields") and type(expected) is type(actual):
        yield from _compare(path, expected._asdict(), actual._asdict())
    else:
        yield f"{path}: expected {expected}, got {actual}"
