"""An engine against the kernel: on vectors, then on walks made up as they go. The first divergence is minimised."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

from attrs import define, field, frozen

from riskcore.bad_input import LogError
from riskcore.conformance.cases import Case, load_case
from riskcore.conformance.compare import Divergence, compare
from riskcore.conformance.engine import PARTIAL
from riskcore.conformance.families import Family, get_families
from riskcore.conformance.peer import EngineFailure, Failing, Limits
from riskcore.conformance.session import Hello, Session, Unsupported
from riskcore.conformance.shrink import SECONDS, shrink
from riskcore.conformance.walks import ALL_KINDS, SETUP_KINDS, Walk, walk_on
from riskcore.conformance.wire import get_event_name
from riskcore.events import Event
from riskcore.state import State

#: Events of a walk, setup included, and events before it that the engine is not told of, on every other walk.
_ROUND: Final = 80
_UNTOLD: Final = 80
_PRIME: Final = 1_000_003


class Finding(StrEnum):
    CONFORMS = "conforms"
    DIVERGES = "diverges"
    NOT_APPLICABLE = "not applicable"


class Verdict(StrEnum):
    CONFORMS = "CONFORMS"
    DIVERGES = "DIVERGES"
    INCONCLUSIVE = "INCONCLUSIVE"


@frozen
class Result:
    """What came of a case. ``why``: where it diverges, or is not applicable."""

    name: str
    handler: str
    finding: Finding
    why: str = ""


@frozen
class Found:
    """The first divergence. ``source``: the case, or the walk. ``events``: the fewest that show it from ``pre`` on, out
    of ``original``. ``is_repeated``: whether they show it again each time.
    """

    source: str
    pre: State
    events: tuple[Event, ...]
    original: int
    divergence: Divergence
    is_repeated: bool


@frozen
class Stopped:
    """Where the engine took no part any more: ``events`` from ``pre`` on, on the last of which it failed.

    They are the fewest that were found, out of ``original``; as many where it did not fail so again.
    """

    failure: EngineFailure
    source: str
    pre: State | None = None
    events: tuple[Event, ...] = ()
    original: int = 0


@define
class Report:
    """``steps``: events of walks on which both were compared. ``refused``: families that the engine cannot hold, and
    why. ``is_late``: the run's time was up.
    """

    hello: Hello | None = None
    results: list[Result] = field(factory=list)
    steps: int = 0
    walks: int = 0
    refused: dict[str, str] = field(factory=dict)
    found: Found | None = None
    stopped: Stopped | None = None
    is_late: bool = False
    seconds: float = 0.0

    @property
    def verdict(self) -> Verdict:
        """``INCONCLUSIVE`` where the engine took no part, or nothing could be compared."""
        if self.found is not None:
            return Verdict.DIVERGES
        is_checked = self.steps > 0 or any(result.finding is Finding.CONFORMS for result in self.results)
        return Verdict.CONFORMS if is_checked and self.stopped is None and not self.is_late else Verdict.INCONCLUSIVE


@frozen
class Order:
    """What is asked for. ``paths``: of cases. ``events``: names, None for all. ``steps``: events of walks."""

    command: tuple[str, ...]
    paths: tuple[Path, ...] = ()
    events: frozenset[str] | None = None
    steps: int = 0
    seed: int = 0
    limits: Limits = field(factory=Limits)
    seconds: float = 900.0


def conform(order: Order, progress: Callable[[int, int], None] | None = None) -> Report:
    """Vectors first, then walks; walks are left out where a vector diverges.

    ``LogError`` where a file holds no case, or one of another kernel, and where the command cannot be run. The
    engine is ended in any case.
    """
    report, started = Report(), time.monotonic()
    try:
        with Session(order.command, order.limits) as session:
            report.hello = session.hello
            _Run(order, report, session, started + order.seconds, progress).run()
    except EngineFailure as failure:
        if failure.kind is Failing.NOT_STARTED and report.hello is None:
            raise LogError(order.command[0], None, None, "a command that can be run", failure.words) from None
        report.stopped = Stopped(failure, "at the start")
    report.seconds = time.monotonic() - started
    return report


class _Run:
    """A run under way; what it finds goes into the report."""

    def __init__(
        self,
        order: Order,
        report: Report,
        session: Session,
        deadline: float,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self._order, self._report, self._session = order, report, session
        self._deadline = deadline
        self._tell = progress or (lambda done, total: None)
        self._total = len(order.paths) + order.steps
        taken = session.hello.events & (order.events if order.events is not None else session.hello.events)
        self._kinds = frozenset(kind for kind in ALL_KINDS if get_event_name(kind) in taken)

    def run(self) -> None:
        self._run_vectors()
        if self._report.found is None and not self._is_over:
            self._run_walks()

    @property
    def _is_over(self) -> bool:
        self._report.is_late = self._report.is_late or time.monotonic() > self._deadline
        return self._report.stopped is not None or self._report.is_late

    def _run_vectors(self) -> None:
        for number, path in enumerate(self._order.paths, start=1):
            case = load_case(path)
            if self._order.events is None or case.handler in self._order.events:
                self._report.results.append(self._run_case(case))
            self._tell(number, self._total)
            if self._is_over:
                return

    def _run_case(self, case: Case) -> Result:
        missing = self._get_missing(case)
        if missing is not None:
            return Result(case.name, case.handler, Finding.NOT_APPLICABLE, missing)
        answer = self._compare(case.name, case.pre, case.events)
        if isinstance(answer, Divergence):
            if self._report.found is None:
                self._report.found = self._minimise(case.name, case.pre, case.events, answer)
            return Result(case.name, case.handler, Finding.DIVERGES, describe(answer))
        if isinstance(answer, Unsupported):
            return Result(case.name, case.handler, Finding.NOT_APPLICABLE, answer.reason)
        if self._report.stopped is not None:
            return Result(case.name, case.handler, Finding.NOT_APPLICABLE, str(self._report.stopped.failure))
        return Result(case.name, case.handler, Finding.CONFORMS)

    def _get_missing(self, case: Case) -> str | None:
        """What the engine does not say it can of what a case takes."""
        names = sorted({get_event_name(type(event)) for event in case.events} - self._session.hello.events)
        if names:
            return "takes no " + ", ".join(names)
        return "takes no partial states" if case.partial and PARTIAL not in self._session.hello.features else None

    def _compare(self, source: str, pre: State, events: Sequence[Event]) -> Divergence | Unsupported | None:
        """As ``compare``; where the engine fails, that is noted."""
        try:
            return compare(self._session, pre, events)
        except EngineFailure as failure:
            told = list(events[: failure.events + 1])
            few = self._minimise_failure(pre, told, failure.kind)
            self._report.stopped = Stopped(failure, source, pre, tuple(few), len(told))
            return None

    def _minimise_failure(self, pre: State, told: list[Event], kind: Failing) -> list[Event]:
        """The fewest events on the last of which the engine, started anew each time, fails in the same way."""

        def fails(some: Sequence[Event]) -> bool:
            try:
                compare(self._session, pre, some)
            except EngineFailure as failure:
                return failure.kind is kind and failure.events + 1 == len(some)
            return False

        return shrink(told, fails, self._get_seconds())

    def _get_seconds(self) -> float:
        """What a minimisation may take: little enough that the run's time is not passed by much."""
        return max(min(SECONDS, self._deadline - time.monotonic()), 1.0)

    def _run_walks(self) -> None:
        families = list(get_families())
        number = 0
        while families and self._kinds and self._report.steps < self._order.steps and not self._is_over:
            family = families[number % len(families)]
            number += 1
            source = f"walk {number} of seed {self._order.seed}, {family.config}"
            pre, events = self._make_walk(family, number)
            if not events:
                families.remove(family)
                continue
            answer = self._compare(source, pre, events)
            if isinstance(answer, Unsupported):
                self._report.refused[family.config] = answer.reason
                families.remove(family)
                continue
            if isinstance(answer, Divergence):
                self._report.found = self._minimise(source, pre, events, answer)
                return
            if self._report.stopped is None:
                self._report.steps += len(events)
                self._report.walks += 1
            self._tell(min(len(self._order.paths) + self._report.steps, self._total), self._total)

    def _make_walk(self, family: Family, number: int) -> tuple[State, list[Event]]:
        """A walk from an empty venue; every other one, and all where the engine takes no setup, from further on."""
        walk = Walk(family, self._order.seed * _PRIME + number, self._kinds)
        is_empty = number % 2 == 1 and self._kinds >= SETUP_KINDS
        setup = list(walk.set_up_and_play())
        if is_empty:
            pre, events = walk.start, setup
        else:
            for _ in walk_on(walk, _UNTOLD):
                pass
            pre, events = walk.state, []
        most = min(_ROUND, self._order.steps - self._report.steps)
        events += [event for _, event, _ in walk_on(walk, max(most - len(events), 0))]
        return pre, events[:most]

    def _minimise(self, source: str, pre: State, events: Sequence[Event], first: Divergence) -> Found:
        """The fewest events that show a divergence of the first one's sort, if it shows again at all."""

        def diverge(some: Sequence[Event]) -> Divergence | None:
            try:
                answer = compare(self._session, pre, some, watch=True)
            except EngineFailure:
                return None
            return answer if isinstance(answer, Divergence) and answer.sort == first.sort else None

        told = events[: first.index + 1]
        few = shrink(told, lambda some: diverge(some) is not None, self._get_seconds())
        last = diverge(few)
        if last is None:
            return Found(source, pre, tuple(told), len(events), first, False)
        return Found(source, pre, tuple(few[: last.index + 1]), len(events), last, True)


def describe(divergence: Divergence) -> str:
    """In one line."""
    verdicts = [rule or "accepted" for rule in (divergence.ours, divergence.theirs)]
    if divergence.what in ("outcome", "rule"):
        return f"{divergence.what}: {verdicts[0]} by riskcore, {verdicts[1]} by the engine"
    paths = ", ".join(difference.path for difference in divergence.differences[:4])
    return f"{divergence.what}: {paths or 'no figure, only its encoding'}"


def count_findings(results: Iterable[Result]) -> Iterator[tuple[str, dict[Finding, int]]]:
    """By event, in the order of their names, how many cases had each finding."""
    counts: dict[str, dict[Finding, int]] = {}
    for result in results:
        own = counts.setdefault(result.handler, dict.fromkeys(Finding, 0))
        own[result.finding] += 1
    yield from sorted(counts.items())
