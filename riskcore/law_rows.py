"""The laws of a replay as auditors table them: id, law, what it was tested on, verdict, how often."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from riskcore.codec import EVENTS
from riskcore.monitor import OTHER_LAWS
from riskcore.replay import Replay
from riskcore.report import get_law_verdict
from specs.laws import BY_ID

_NAMES: Final = {record.make: name for name, record in EVENTS.items()}


@frozen
class LawRow:
    """``tested``: the events after which the law is looked at, none for every event; ``runs``: how often it was."""

    id: str
    law: str
    tested: tuple[str, ...]
    verdict: str
    runs: int
    violations: int

    def get_tested(self, limit: int) -> str:
        """In words; of many events the first."""
        more = len(self.tested) - limit
        shown = ", ".join(self.tested[:limit]) + (f" and {more} more" if more > 0 else "")
        return shown or "every event"


def get_law_rows(replay: Replay) -> list[LawRow]:
    """A row for each law, by its id; none where laws were switched off."""
    return [
        LawRow(
            id,
            BY_ID[id].sentence if id in BY_ID else OTHER_LAWS.get(id, ""),
            _get_tested(id),
            get_law_verdict(replay, id, tally),
            tally.checked,
            tally.violations,
        )
        for id, tally in sorted((replay.tallies or {}).items())
    ]


def _get_tested(id: str) -> tuple[str, ...]:
    names = tuple(sorted(name for kind, name in _NAMES.items() if id in BY_ID and kind in BY_ID[id].applies))
    return names if len(names) < len(_NAMES) else ()
