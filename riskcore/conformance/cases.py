"""A case: a state, events, and what must come of them. One JSON file each: ``config/runner/handler/suite/case.json``.

``CONFORMANCE.md`` says what stands in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from attrs import field, frozen

from riskcore.bad_input import Fault, LogError, Malformed, get_cause, within
from riskcore.conformance.wire import event_from_wire, event_to_wire, state_from_wire, state_to_wire, to_wire
from riskcore.events import Event
from riskcore.files import get_length
from riskcore.snapshot import check_state, encode_state, get_state_hash
from riskcore.state import State
from riskcore.step import Outcome, step
from riskcore.strict_json import SNAPSHOT_DIGITS, describe, parse_object

T = TypeVar("T")

#: The version of the files' format.
FORMAT: Final = 1
#: What the file at the root of a directory of vectors is called.
MANIFEST: Final = "vectors.json"
#: One event from a state; the events of a resolution; the events that a divergence was brought down to.
STEP, WATERFALL, SEQUENCE = "step", "waterfall", "sequence"
_PLACE: Final = ("config", "runner", "handler", "suite", "case")
#: Longer than any file that is written here.
_MOST: Final = 64_000_000


@frozen
class Case:
    """``place``: config, runner, handler, suite and name. ``words``: what the case is about.

    ``outcomes``: of each event the name of the rule that rejects it, or None; ``post``: the state after the last.
    ``partial``: why the state is not one of a whole venue; None where it is.
    """

    place: tuple[str, str, str, str, str]
    words: str
    pre: State
    events: tuple[Event, ...]
    outcomes: tuple[str | None, ...]
    post: State
    partial: str | None = field(default=None)

    @property
    def name(self) -> str:
        return "/".join(self.place)

    @property
    def handler(self) -> str:
        return self.place[2]


def make_case(place: tuple[str, str, str, str, str], words: str, pre: State, events: Sequence[Event]) -> Case:
    """The case as the kernel has it."""
    state, outcomes = pre, []
    for event in events:
        outcome: Outcome = step(state, event)
        outcomes.append(None if outcome.rejected is None else outcome.rejected.name)
        state = outcome.state
    return Case(place, words, pre, tuple(events), tuple(outcomes), state, get_gap(pre))


def get_gap(state: State) -> str | None:
    """Why a state is not one of a whole venue: it has only what an event looks at. None where it is one."""
    try:
        check_state(state)
    except Fault as fault:
        return f"{fault.field}: {fault}" if fault.field else str(fault)
    return None


def case_to_text(case: Case, kernel: str) -> str:
    """The file's text, the same for the same case and ``kernel``, which is its version."""
    meta: dict[str, object] = {"format": str(FORMAT), "kernel": kernel, "words": case.words}
    meta.update(zip(_PLACE, case.place, strict=True))
    if case.partial is not None:
        meta["partial"] = case.partial
    members: dict[str, object] = {
        "meta": meta,
        "pre": state_to_wire(case.pre),
        "events": [event_to_wire(event) for event in case.events],
        "outcomes": [{"rejected": rule} for rule in case.outcomes],
    }
    if case.post is not case.pre:
        members["post"] = to_wire(encode_state(case.post))
    members["post_hash"] = get_state_hash(case.post)
    return json.dumps(members, indent=1, sort_keys=True) + "\n"


def list_cases(folder: Path) -> list[Path]:
    """The files of a directory of vectors, sorted. ``LogError`` where it is none, or its index names others."""
    manifest = folder / MANIFEST
    if not folder.is_dir():
        raise LogError(str(folder), None, None, "a directory of vectors", "none" if not folder.exists() else "a file")
    if not manifest.is_file():
        raise LogError(str(folder), None, None, f"a directory of vectors, with {MANIFEST} in it", "none")
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.json") if path != manifest}
    listed = _read(manifest, "index", _decode_index)
    for name in sorted(listed ^ paths.keys()):
        if name in listed:
            raise LogError(str(manifest), None, f"files: {name}", "a file that is there", "none")
        raise LogError(str(folder / name), None, None, f"no file that {MANIFEST} does not list", "this one")
    if not paths:
        raise LogError(str(folder), None, None, "at least one case", "none")
    return sorted(paths.values())


def load_case(path: Path) -> Case:
    """The case of a file. ``LogError`` where it is none, or says something else than the kernel that runs here."""
    return _read(path, "case", _decode)


def _read(path: Path, noun: str, decode: Callable[[dict[str, object]], T]) -> T:
    """What ``decode`` makes of the object that a file holds; its faults come as ``LogError``."""
    expected = f"a readable {noun}"
    try:
        if get_length(path, expected) > _MOST:
            raise LogError(str(path), None, None, f"a {noun} of at most {_MOST:,} bytes", "more")
        return decode(parse_object(path.read_bytes(), SNAPSHOT_DIGITS))
    except OSError as error:
        raise LogError(str(path), None, None, expected, get_cause(error)) from None
    except Malformed as fault:
        raise LogError(str(path), fault.row, None, fault.expected, fault.got) from None
    except Fault as fault:
        raise LogError(str(path), None, fault.field, fault.expected, fault.got) from None


def make_index(files: Iterable[str], kernel: str, members: Mapping[str, object]) -> str:
    """The text of the file at the root, which names all others; ``members``: what it says besides."""
    listed = sorted(files)
    index = {**members, "cases": str(len(listed)), "files": listed, "format": str(FORMAT), "kernel": kernel}
    return json.dumps(index, indent=1, sort_keys=True) + "\n"


def _decode_index(members: dict[str, object]) -> frozenset[str]:
    """The cases that it names."""
    if members.get("format") != str(FORMAT):
        raise Fault(f'the format "{FORMAT}"', describe(members.get("format")), "format")
    files = members.get("files")
    if type(files) is not list:
        raise Fault("an array of the cases' paths", describe(files), "files")
    for place, name in enumerate(files):
        if type(name) is not str:
            raise Fault("a path", describe(name), f"files[{place}]")
    if members.get("cases") != str(len(set(files))):
        raise Fault(f'"{len(set(files))}", the number of files', describe(members.get("cases")), "cases")
    return frozenset(files)


def _decode(members: dict[str, object]) -> Case:
    with within("meta"):
        meta = members.get("meta")
        if type(meta) is not dict:
            raise Fault("an object", describe(meta))
        for name in (*_PLACE, "words"):
            if type(meta.get(name)) is not str:
                raise Fault("a string", describe(meta.get(name)), name)
        if meta.get("format") != str(FORMAT):
            raise Fault(f'the format "{FORMAT}"', describe(meta.get("format")), "format")
    with within("pre"):
        pre = state_from_wire(members.get("pre"))
    events = tuple(_read_events(members.get("events")))
    config, runner, handler, suite, name = (str(meta[part]) for part in _PLACE)
    case = make_case((config, runner, handler, suite, name), str(meta["words"]), pre, events)
    _check(case, members)
    return case


def _read_events(value: object) -> Iterator[Event]:
    if type(value) is not list or not value:
        raise Fault("an array with at least one event", describe(value), "events")
    for index, entry in enumerate(value):
        with within(f"events[{index}]"):
            yield event_from_wire(entry)


def _check(case: Case, members: dict[str, Any]) -> None:
    """``Fault`` where the file expects something else than the kernel gives: it is of another version, or changed."""
    wanted = [{"rejected": rule} for rule in case.outcomes]
    if members.get("outcomes") != wanted:
        shown = json.dumps(members.get("outcomes"))
        raise Fault(f"what this kernel gives, {json.dumps(wanted)[:200]}", shown[:200], "outcomes")
    if members.get("post_hash") != get_state_hash(case.post):
        raise Fault("the hash of the state that this kernel gives", describe(members.get("post_hash")), "post_hash")
    if "post" in members:
        with within("post"):
            post = state_from_wire(members["post"])
        if get_state_hash(post) != get_state_hash(case.post):
            raise Fault("the state that this kernel gives", "another", "post")
