"""The steps of a replay as the page's script reads them: differences only, each text once, in parts read on demand.

Parts, and what is said of all of them, are JSON. A figure is a number, or a text of digits where a script's numbers
end; ``[n]`` stands for the n-th of all texts. ``getStep`` in ``page.js`` reads what ``Steps`` writes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from attrs import define, field, frozen

from riskcore.codec import get_members
from riskcore.events import Event
from riskcore.html_report.changes import Change, show
from riskcore.html_report.names import TEXT, shorten
from riskcore.lines import Line, Pay, Reserve
from riskcore.step import Outcome

#: Steps in one part.
PART: Final = 1000
#: How many steps the explorer holds, and how many characters of them.
STEPS: Final = 200_000
CHARACTERS: Final = 96_000_000
#: Ids of a list that are shown.
_LISTED: Final = 8
_SAFE: Final = 2**53
#: Fields of an event that name an account.
_ACCOUNTS: Final = ("account", "taker", "maker", "payer", "payee", "long", "short")
_COMMON: Final = ("event", "id", "sequence", "timestamp")


@frozen
class Seen:
    """One step: what happened, what it changed, the laws that were checked of it, and the clauses that did not hold."""

    event: Event
    outcome: Outcome
    changes: tuple[Change, ...]
    laws: tuple[str, ...]
    broken: tuple[tuple[str, str], ...] = ()


class Texts:
    """Each text once, by its number; ``size`` characters. What a page would obey is escaped in what is shown."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self.size = 0

    def number(self, text: str) -> int:
        known = self._numbers.get(text)
        if known is not None:
            return known
        self.size += len(text)
        return self._numbers.setdefault(text, len(self._numbers))

    def listed(self) -> list[str]:
        """Each as it is shown; what is cut off, or reads like another, has its number behind it."""
        shown: dict[str, None] = {}
        for text, number in self._numbers.items():
            mark = f" #{number}"
            short = shorten(text, TEXT) + (mark if len(text) > TEXT else "")
            while short in shown:
                short += mark
            shown[short] = None
        return list(shown)


@define
class Steps:
    """Takes steps ``first``, ``first`` + 1, ... until it is full; ``parts`` are JSON, each of ``PART`` steps."""

    first: int = 1
    limit: int = STEPS
    characters: int = CHARACTERS
    count: int = 0
    parts: list[str] = field(factory=list)
    texts: Texts = field(factory=Texts)
    _open: list[str] = field(factory=list)
    _size: int = 0
    _sets: dict[tuple[str, ...], int] = field(factory=dict)
    _accounts: dict[int, list[int]] = field(factory=dict)
    _markets: dict[int, list[int]] = field(factory=dict)
    _rejected: list[int] = field(factory=list)
    _broken: list[int] = field(factory=list)

    @property
    def is_full(self) -> bool:
        return self.count >= self.limit or self._size + self.texts.size >= self.characters

    def wants(self, number: int) -> bool:
        """Whether the step of that number belongs here: none before ``first``, nor beyond what there is room for."""
        return number >= self.first and not self.is_full

    def add(self, seen: Seen) -> None:
        """Take in the next step."""
        place = self.count
        text = json.dumps(self._encode(seen), separators=(",", ":"))
        self._open.append(text)
        self._size += len(text)
        self.count += 1
        self._index(place, seen)
        if len(self._open) == PART:
            self._close()

    def _close(self) -> None:
        if self._open:
            self.parts.append(f"[{','.join(self._open)}]")
            self._open.clear()

    def finish(self) -> dict[str, Any]:
        """What the parts refer to, and where each account and market is met."""
        self._close()
        return {
            "first": self.first,
            "count": self.count,
            "part": PART,
            "texts": self.texts.listed(),
            "sets": list(self._sets),
            "accounts": _get_gaps(self._accounts),
            "markets": _get_gaps(self._markets),
            "rejected": self._rejected,
            "broken": self._broken,
        }

    def _encode(self, seen: Seen) -> list[Any]:
        event, outcome = seen.event, seen.outcome
        members = get_members(event)
        fields = ((name, value) for name, value in members.items() if name not in _COMMON)
        number = self.texts.number
        return [
            number(members["event"]),
            shorten(event.id, TEXT),
            self._figure(event.sequence),
            self._figure(event.timestamp),
            [entry for name, value in fields for entry in (number(name), self._member(value))],
            None if outcome.rejected is None else [number(outcome.rejected.name), number(outcome.rejected.value)],
            [self._line(line) for line in outcome.effects],
            [*self._group(seen.changes)],
            self._sets.setdefault(seen.laws, len(self._sets)),
            [[number(law), number(clause)] for law, clause in seen.broken],
        ]

    def _figure(self, value: Any) -> Any:
        if type(value) is int:
            return value if -_SAFE < value < _SAFE else str(value)
        return [self.texts.number(value)] if type(value) is str else value

    def _member(self, value: Any) -> Any:
        """An event's field; of a long list the first."""
        if isinstance(value, list) and all(type(entry) is str for entry in value):
            shown, more = ", ".join(map(shorten, value[:_LISTED])), len(value) - _LISTED
            value = f"{shown} and {more:,} more" if more > 0 else shown or "nobody"
        return self._figure(value if isinstance(value, int | str) else show(value))

    def _line(self, line: Line) -> list[Any]:
        number = self.texts.number
        why = [number(line.reason.value), number(line.stage.value)]
        if isinstance(line, Pay):
            return [self._owner(line.payer), self._owner(line.payee), self._figure(line.amount), *why]
        traded = [number(line.market), self._figure(line.lots)]
        return [number(line.seller), number(line.buyer), self._figure(line.amount), *why, *traded]

    def _owner(self, owner: Any) -> int:
        """An account's number; a reserve's with its sign turned, and one less, so that none is zero both ways."""
        return -1 - self.texts.number(owner.value) if isinstance(owner, Reserve) else self.texts.number(owner)

    def _group(self, changes: Iterable[Change]) -> Iterator[list[Any]]:
        number = self.texts.number
        groups: dict[tuple[str, str], list[Any]] = {}
        for change in changes:
            figures = number(change.name), self._figure(change.before), self._figure(change.after)
            groups.setdefault((change.owner, change.id), []).extend(figures)
        for (owner, id), figures_of in groups.items():
            yield [number(owner), number(id), figures_of]

    def _index(self, place: int, seen: Seen) -> None:
        event, outcome = seen.event, seen.outcome
        accounts = {getattr(event, name, None) for name in _ACCOUNTS}
        accounts |= {change.id for change in seen.changes if change.owner in ("account", "stake")}
        accounts |= {owner for line in outcome.effects for owner in line[:2] if not isinstance(owner, Reserve)}
        markets = {getattr(event, "market", None)}
        markets |= {change.id for change in seen.changes if change.owner == "market"}
        markets |= {line.market for line in outcome.effects if not isinstance(line, Pay)}
        for index, names in ((self._accounts, accounts), (self._markets, markets)):
            for name in sorted(filter(None, names)):
                index.setdefault(self.texts.number(name), []).append(place)
        if outcome.rejected is not None:
            self._rejected.append(place)
        if seen.broken:
            self._broken.append(place)


def _get_gaps(index: dict[int, list[int]]) -> list[list[int]]:
    """Each name's number, and its places: the first, then how far it is to each next."""
    return [
        [name, *(place - last for last, place in zip([0, *places], places, strict=False))]
        for name, places in index.items()
    ]
