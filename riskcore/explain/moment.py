"""The moment of a log that is asked about: an event, and the state just before it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from attrs import frozen

from riskcore.bad_input import LogError, quote
from riskcore.events import BeginDeleveraging, Event
from riskcore.log import LogReader
from riskcore.queries import copy_state
from riskcore.state import State
from riskcore.step import step
from riskcore.units import Units

_PROGRESS_EVERY: Final = 1000
#: What an id of digits alone is told apart by.
_ID: Final = "id:"


@frozen
class Moment:
    """``number`` counts the log's events from one; ``line`` is that of the file.

    ``before``: the state that the event meets, a value of its own. ``opened``: which event opened the deleveraging
    that is open in it; None where none is, or the log starts with it.
    """

    file: str
    number: int
    line: int
    event: Event
    before: State
    units: Units
    opened: int | None


def reach(path: Path, wanted: str, progress: Callable[[int, int], None] | None = None) -> Moment:
    """Replay up to an event: its number where ``wanted`` is digits, else its id, also as ``id:7``.

    What stands behind it in the log is not read. Raises ``LogError`` where the log is bad up to there, or ends before.
    """
    number, id = 0, wanted.removeprefix(_ID)
    place = int(wanted) if wanted.isascii() and wanted.isdigit() else None
    with LogReader(path) as log:
        if place == 0:
            raise LogError(str(path), None, "--event", "a number from 1 on, or an id", wanted)
        state, opened = log.state, None
        for number, event in enumerate(log, 1):
            if number == place or (place is None and event.id == id):
                before = copy_state(state)
                opened = opened if state.deleveraging is not None else None
                return Moment(str(path), number, log.line, event, before, log.header.units, opened)
            outcome = step(state, event)
            state = outcome.state
            if isinstance(event, BeginDeleveraging) and outcome.rejected is None:
                opened = number
            if progress is not None and number % _PROGRESS_EVERY == 0:
                progress(log.bytes_read, log.size)
    if place is None:
        raise LogError(str(path), None, "--event", f"the id of one of its {number:,} events", quote(id))
    raise LogError(str(path), None, "--event", f"a number from 1 to {number:,}, which are its events", wanted)
