"""A divergence on disk: as a log that ``riskcore replay`` takes, and as a case among vectors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from attrs import frozen

from riskcore.bad_input import Fault, LogError, get_cause
from riskcore.conformance.cases import SEQUENCE, make_case
from riskcore.conformance.conform import Found, Stopped
from riskcore.conformance.suites import Made, to_text
from riskcore.conformance.vectors import check_target, get_kernel, write_vectors
from riskcore.conformance.wire import get_event_name
from riskcore.events import Event
from riskcore.log import LogReader, write_log
from riskcore.snapshot import encode_state, save_state
from riskcore.state import State, genesis
from riskcore.units import Units

_LOG: Final = "divergence.jsonl"
_STATE: Final = "divergence.state.json"


@frozen
class Kept:
    """``vectors``: the directory with the case. ``log``: None where no log can hold it, and ``why``."""

    vectors: Path
    log: Path | None
    why: str = ""


def keep(found: Found | Stopped, folder: Path) -> Kept | None:
    """Write both into ``folder``. ``LogError`` where that cannot be; None where there are no events to write."""
    if found.pre is None or not found.events:
        return None
    vectors = folder / "vectors"
    check_target(vectors)
    place = "any", SEQUENCE, get_event_name(type(found.events[-1])), "found", "divergence"
    words = f"on the last of these events an engine went another way, or stopped; from {found.source}"
    kernel = get_kernel()
    case = make_case(place, words, found.pre, found.events)
    write_vectors(vectors, [Made((to_text(case, kernel),))], kernel)
    try:
        log = _write_log(found.pre, found.events, folder)
    except (Fault, LogError) as error:
        for name in (_LOG, _STATE):
            (folder / name).unlink(missing_ok=True)
        return Kept(vectors, None, f"no log can hold it: {error}")
    except OSError as error:
        raise LogError(str(folder), None, None, "a directory that can be written", get_cause(error)) from None
    return Kept(vectors, log)


def _write_log(pre: State, events: Sequence[Event], folder: Path) -> Path:
    """A log that was read back; ``Fault`` or ``LogError`` where it cannot be."""
    log, is_empty = folder / _LOG, encode_state(pre) == encode_state(genesis(pre.rulebook))
    if not is_empty:
        save_state(pre, folder / _STATE)
    write_log(log, pre.rulebook, Units("1"), events, snapshot=None if is_empty else _STATE)
    with LogReader(log) as reader:
        for _ in reader:
            pass
    return log
