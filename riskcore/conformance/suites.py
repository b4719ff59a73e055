"""Where the vectors come from: a model of each path of each event, and what is new on seeded walks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from typing import Final

from attrs import frozen

from riskcore.bad_input import Fault
from riskcore.conformance.cases import STEP, WATERFALL, Case, case_to_text, make_case
from riskcore.conformance.families import Family, get_families
from riskcore.conformance.walks import Walk, walk_on
from riskcore.conformance.wire import (
    event_from_wire,
    event_to_wire,
    get_event_name,
    state_from_wire,
    state_to_wire,
)
from riskcore.events import BeginDeleveraging, CoverDeficit, Event, LiquidationFill, ShareLoss, Takeover, WriteOff
from riskcore.planner import find_below_maintenance, resolve
from riskcore.pool import new_pool
from riskcore.state import State
from riskcore.step import step

PATHS, WALKS, FAULTS = "paths", "walks", "faults"
#: The suites that are made here; that of planted faults takes a checkout (``tests/faults/vectors.py``).
SUITES: Final = (PATHS, WALKS)
#: The config of cases whose rulebook is any that a model chose.
ANY: Final = "any"
_SEEDS: Final = 12
_STEPS: Final = 160
#: Accepted cases of an event, and resolutions of a deepest stage, that one family's walks give at most.
_ACCEPTED, _RESOLUTIONS = 3, 2
#: The stages of a resolution by the event that shows them, the deepest first.
_STAGES: Final = (ShareLoss, WriteOff, BeginDeleveraging, CoverDeficit, Takeover, LiquidationFill)


@frozen
class Text:
    """A case as it is written: its path under the directory, and the file's text."""

    path: str
    text: str
    suite: str
    handler: str


@frozen
class Made:
    """``left_out``: paths whose model no file can hold, by why."""

    texts: tuple[Text, ...]
    left_out: tuple[str, ...] = ()


def make_vectors(
    events: Sequence[str], suites: Sequence[str], kernel: str, jobs: int, report: Callable[[int, int], None] | None
) -> list[Made]:
    """The texts of all cases, in an order that means nothing.

    Each event's paths are traced in a process of its own, so that no other's have a part in its models.
    """
    units: list[tuple[str, str, str]] = []
    if PATHS in suites:
        # those with the most paths first
        heavy = ("fill", "begin_deleveraging", "place_order", "liquidation_fill", "share_loss")
        units = [(PATHS, name, kernel) for name in sorted(events, key=lambda name: (name not in heavy, name))]
    if WALKS in suites:
        units += [(WALKS, family.config, kernel) for family in get_families()]
    made = []
    with new_pool(jobs, tasks_each=1) as pool:
        futures = [pool.submit(make_unit, *unit) for unit in units]
        for done, future in enumerate(as_completed(futures), start=1):
            made.append(keep(future.result(), events))
            if report is not None:
                report(done, len(units))
    return made


def make_unit(suite: str, name: str, kernel: str) -> Made:
    """The cases of an event's paths, or of a family's walks."""
    if suite == PATHS:
        return make_paths(name, kernel)
    (family,) = (family for family in get_families() if family.config == name)
    return Made(tuple(to_text(case, kernel) for case in walk_cases(family)))


def keep(made: Made, events: Sequence[str]) -> Made:
    """Those whose handler was asked for."""
    return Made(tuple(text for text in made.texts if text.handler in events), made.left_out)


def to_text(case: Case, kernel: str) -> Text:
    return Text(f"{case.name}.json", case_to_text(case, kernel), case.place[3], case.handler)


def make_paths(name: str, kernel: str) -> Made:
    """A case for each path of an event through the kernel: of the prover's model of it, as CPython ran it."""
    from riskcore.conformance.models import get_plain_witnesses
    from riskcore.verify import get_kind

    texts: list[Text] = []
    left_out: list[str] = []
    numbers: Counter[str] = Counter()
    for witness in get_plain_witnesses(get_kind(name)):
        outcome = "no_model" if witness is None else witness.path.lower()
        numbers[outcome] += 1
        case_name = f"{outcome}_{numbers[outcome]:03}"
        if witness is None:
            left_out.append(f"{name} {case_name}")
            continue
        words = "accepted" if outcome == "accepted" else f"rejected, {witness.path}"
        try:
            # as whoever reads the file will have them
            pre, event = state_from_wire(state_to_wire(witness.state)), event_from_wire(event_to_wire(witness.event))
        except Fault as fault:
            left_out.append(f"{name} {case_name}: {fault.field}: {fault}")
            continue
        case = make_case((ANY, STEP, name, PATHS, case_name), f"{name}: {words}", pre, [event])
        texts.append(to_text(case, kernel))
    return Made(tuple(texts), tuple(left_out))


def walk_cases(family: Family) -> Iterator[Case]:
    """Of a family's walks: each outcome of each event where it first comes up, and resolutions of each depth."""
    numbers: Counter[tuple[str, str]] = Counter()
    for seed in range(_SEEDS):
        walk = Walk(family, seed)
        for event in walk.set_up():
            yield from _keep_step(family, numbers, walk.state, event)
            walk.play(event)
        for before, event, _ in walk_on(walk, _STEPS):
            yield from _keep_step(family, numbers, before, event)
            if find_below_maintenance(walk.state):
                yield from _keep_resolution(family, numbers, walk.state)


def _keep_step(family: Family, numbers: Counter[tuple[str, str]], before: State, event: Event) -> Iterator[Case]:
    rule = step(before, event).rejected
    outcome, most = ("accepted", _ACCEPTED) if rule is None else (rule.name.lower(), 1)
    handler = get_event_name(type(event))
    if numbers[handler, outcome] < most:
        numbers[handler, outcome] += 1
        place = family.config, STEP, handler, WALKS, f"{outcome}_{numbers[handler, outcome]:03}"
        yield make_case(place, f"{handler}: {outcome}, on a walk", before, [event])


def _keep_resolution(family: Family, numbers: Counter[tuple[str, str]], state: State) -> Iterator[Case]:
    """The planner's resolution of a state without any offers but those of its book, under its deepest stage."""
    events = resolve(state).events
    deepest = next((kind for kind in _STAGES if any(isinstance(event, kind) for event in events)), None)
    if deepest is None:
        return
    handler = get_event_name(deepest)
    if numbers[WATERFALL, handler] < _RESOLUTIONS:
        numbers[WATERFALL, handler] += 1
        place = family.config, WATERFALL, handler, WALKS, f"resolution_{numbers[WATERFALL, handler]:03}"
        yield make_case(place, f"a resolution of {len(events)} events, down to {handler}", state, events)
