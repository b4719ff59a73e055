"""How far a run has come, as ``progress.json`` beside what it found; from there it goes on.

A finding is kept as its walk's number and the places of its events in that walk, which is walked again when the run
goes on: no event is too odd to be kept, and one that does not come out again is noticed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
from attrs import evolve

from riskcore.bad_input import Fault, LogError, Malformed, get_cause, quote
from riskcore.events import Event
from riskcore.files import get_length, write_whole
from riskcore.rulebook_show import find_rulebook
from riskcore.strict_json import SNAPSHOT_DIGITS, parse_object
from riskcore.testing.coverage import Coverage
from riskcore.testing.fuzzing.session import Session
from riskcore.testing.fuzzing.shrinking import list_numbers
from riskcore.testing.fuzzing.trial import Figure, Finding, Setting, Venue, change, run_trial

VERSION: Final = 1
FILE: Final = "progress.json"
#: More than anybody has walked: two thousand million steps.
_MOST_BATCHES: Final = 10_000_000
#: Longer than any that is written here.
_MOST: Final = 64_000_000


class KeptFinding(msgspec.Struct, forbid_unknown_fields=True):
    """``places``: of its events in the walk; ``original``: their number before, 0 where they are not shrunk.

    ``figures``: of those events the number, the field and its simpler number, as text since it may be long.
    """

    law: str
    kind: str
    words: str
    trial: int
    times: int
    original: int
    places: list[int]
    figures: list[tuple[int, str, str]] = []


class Progress(msgspec.Struct, forbid_unknown_fields=True):
    """``done``: runs of batches, the first and the last of each. ``counts``: coverage by ``sort/name``."""

    riskcore_fuzz: int
    seed: int
    length: int
    batches: int
    rulebook: str | None
    rules_hash: str
    done: list[tuple[int, int]]
    steps: int
    counts: dict[str, int]
    findings: list[KeptFinding]


def load_venue(name: str | None) -> Venue | None:
    """The rulebook of a preset or a file. Raises ``LogError``."""
    if name is None:
        return None
    file = find_rulebook(name)
    return Venue(file.rulebook, file.markets)


def save_progress(session: Session, rulebook: str | None, folder: Path) -> None:
    """Write it into a folder that is there. Raises ``OSError``."""
    setting = session.setting
    progress = Progress(
        VERSION,
        setting.seed,
        setting.length,
        session.batches,
        rulebook,
        _hash(setting.venue),
        list(_get_runs(sorted(session.done))),
        session.coverage.steps,
        {f"{sort}/{name}": times for (sort, name), times in sorted(session.coverage.counts.items())},
        [_keep(finding) for finding in session.findings.values()],
    )
    with write_whole(folder / FILE) as file:
        file.write(msgspec.json.format(msgspec.json.encode(progress), indent=1) + b"\n")


def load_progress(folder: Path) -> tuple[Session, str | None]:
    """A folder's run, and its rulebook's name. ``LogError``, also where a finding does not come out again."""
    path = folder / FILE
    if get_length(path, "a readable file") > _MOST:
        raise LogError(str(path), None, None, f"a progress of at most {_MOST:,} bytes", "more")
    try:
        progress = msgspec.convert(parse_object(path.read_bytes(), SNAPSHOT_DIGITS), type=Progress)
    except OSError as error:
        raise LogError(str(path), None, None, "a readable file", get_cause(error)) from None
    except Malformed as fault:
        raise LogError(str(path), fault.row, None, "the progress of a run", fault.got) from None
    except Fault as fault:
        raise LogError(str(path), None, fault.field, fault.expected, fault.got) from None
    except (msgspec.MsgspecError, UnicodeEncodeError) as error:
        raise LogError(str(path), None, None, "the progress of a run", str(error)) from None
    if progress.riskcore_fuzz != VERSION:
        raise LogError(str(path), None, "riskcore_fuzz", f"the version {VERSION}", str(progress.riskcore_fuzz))
    if progress.length < 1 or progress.batches < 1:
        raise LogError(str(path), None, "length", "a run of at least one event", "none")
    try:
        venue = load_venue(progress.rulebook)
    except LogError as error:
        raise LogError(str(path), None, f"rulebook: {error.place}", error.expected, error.got) from None
    if _hash(venue) != progress.rules_hash:
        raise LogError(str(path), None, "rules_hash", f"the rulebook {progress.rulebook} as it was", "another")
    setting = Setting(progress.seed, progress.length, venue)
    if odd := next((key for key in progress.counts if not key.isprintable()), None):
        raise LogError(str(path), None, "counts", "names of places", quote(odd))
    counts = {(sort, name): times for key, times in progress.counts.items() for sort, _, name in [key.partition("/")]}
    findings = [_find_again(setting, kept, path) for kept in progress.findings]
    done = _read_runs(progress, path)
    session = Session(setting, progress.batches, done, Coverage(progress.steps, counts))
    session.findings = {finding.signature: finding for finding in findings}
    return session, progress.rulebook


def _hash(venue: Venue | None) -> str:
    return sha256(repr(venue).encode()).hexdigest()


def _get_runs(numbers: Sequence[int]) -> Iterable[tuple[int, int]]:
    first: int | None = None
    for place, number in enumerate(numbers):
        first = number if first is None else first
        if place + 1 == len(numbers) or numbers[place + 1] != number + 1:
            yield first, number
            first = None


def _keep(finding: Finding) -> KeptFinding:
    places = list(finding.places) if finding.original else list(range(len(finding.events)))
    figures = finding.trial, finding.times, finding.original
    simpler = [(figure.number, figure.name, str(figure.value)) for figure in finding.figures]
    return KeptFinding(finding.law, finding.kind, finding.words, *figures, places, simpler)


def _read_runs(progress: Progress, path: Path) -> set[int]:
    if sum(last - first for first, last in progress.done) > _MOST_BATCHES:
        raise LogError(str(path), None, "done", f"at most {_MOST_BATCHES:,} batches", "more")
    if any(not 0 <= first <= last < progress.batches for first, last in progress.done):
        raise LogError(str(path), None, "done", f"runs of numbers from 0 to {progress.batches - 1:,}", "others")
    return {number for first, last in progress.done for number in range(first, last + 1)}


def _find_again(setting: Setting, kept: KeptFinding, path: Path) -> Finding:
    whole = run_trial(setting, kept.trial)[1]
    if whole is None or whole.signature != (kept.law, kept.kind) or not kept.places:
        place = f"walk {kept.trial} breaks {kept.law} again; remove the folder and start anew"
        raise LogError(str(path), None, "findings", place, "another riskcore than the one that found it")
    places = tuple(place for place in kept.places if 0 <= place < len(whole.events))
    events, is_shrunk = [whole.events[place] for place in places], kept.original > 0
    figures = tuple(_read_figure(figure, events, path) for figure in kept.figures)
    for figure in figures:
        events[figure.number] = change(events[figure.number], figure.name, figure.value)
    own = evolve(whole, events=tuple(events), words=kept.words, times=kept.times, original=kept.original)
    return evolve(own, places=places if is_shrunk else (), figures=figures)


def _read_figure(kept: tuple[int, str, str], events: Sequence[Event], path: Path) -> Figure:
    number, name, text = kept
    if not 0 <= number < len(events) or name not in list_numbers(events[number]):
        raise LogError(str(path), None, "findings.figures", "a number of one of the events", f"{number}, {name}")
    try:
        return Figure(number, name, int(text))
    except ValueError:
        raise LogError(str(path), None, "findings.figures", "an integer", quote(text)) from None
