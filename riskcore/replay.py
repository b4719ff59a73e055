"""A log's events, stepped one by one under the eyes of a monitor.

The verdict, what the waterfall did, whether the pool covers its claims, and the
state hash. Where a law breaks, the shortest prefix of the log that shows it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from attrs import frozen

from riskcore.bad_input import LogError, get_cause
from riskcore.close_outs import CloseOutStep, get_close_out, get_standing
from riskcore.events import Deleverage, Event
from riskcore.files import write_whole
from riskcore.log import LogHeader, LogReader
from riskcore.quantities import MarketId
from riskcore.rules import Rule
from riskcore.snapshot import get_state_hash
from riskcore.state import State
from riskcore.step import Outcome, step
from riskcore.tiers import is_continuous
from riskcore.waterfall import Solvency, Waterfall, get_solvency

#: Events between two full checks.
CHECKPOINT_EVERY: Final = 10_000
_PROGRESS_EVERY: Final = 1000


class Tally(Protocol):
    """How often a law was checked, and how often it was broken."""

    @property
    def checked(self) -> int: ...

    @property
    def violations(self) -> int: ...


class Violation(Protocol):
    """A broken law: its id and sentence, the clause that failed, what was touched before and after."""

    @property
    def law(self) -> str: ...

    @property
    def sentence(self) -> str: ...

    @property
    def event(self) -> Event | None: ...

    @property
    def clause(self) -> str: ...

    @property
    def before(self) -> str: ...

    @property
    def after(self) -> str: ...


class Monitor(Protocol):
    """Steps the kernel and checks the laws: on what an event touched, and in full when asked."""

    @property
    def tallies(self) -> Mapping[str, Tally]: ...

    @property
    def violations(self) -> Sequence[Violation]: ...

    def step(self, state: State, event: Event) -> Outcome: ...

    def checkpoint(self, state: State) -> None: ...


class Recorder(Protocol):
    """Is shown a replay step by step, for a report that is more than its sums."""

    def begin(self, header: LogHeader, state: State, watch: Monitor | None) -> State:
        """The state to go on from: the same, on tables that may note what is written."""

    def before(self) -> None:
        """A step is about to be taken."""

    def after(self, before: State, event: Event, outcome: Outcome, waterfall: Waterfall) -> None:
        """It was taken. Tables of ``before`` may be used up; ``waterfall`` has the step in it."""


#: Makes a monitor of the state that a log starts from.
MonitorFactory: TypeAlias = Callable[[State], Monitor]


class Verdict(StrEnum):
    HOLDS = "HOLDS"
    VIOLATED = "VIOLATED"
    INCONCLUSIVE = "INCONCLUSIVE"


@frozen
class Failure:
    """The first violation, and how many events from the log's start show it."""

    violation: Violation
    events: int


@frozen
class Replay:
    """What a replay found. ``tallies`` is ``None`` where the laws were switched off.

    ``close_outs``: each step of each deleveraging.
    """

    header: LogHeader
    state: State
    events: int
    rejections: Mapping[Rule, int]
    waterfall: Waterfall
    solvency: Solvency
    tallies: Mapping[str, Tally] | None
    failure: Failure | None
    state_hash: str
    seconds: float
    close_outs: tuple[CloseOutStep, ...] = ()

    @property
    def rejected(self) -> int:
        return sum(self.rejections.values())

    @property
    def accounts(self) -> int:
        """Accounts that the state holds, those with nothing in them included."""
        return len(self.state.accounts)

    @property
    def jumps(self) -> list[MarketId]:
        """Markets in which one lot more may need more than its price (``tiers.is_continuous``), sorted."""
        markets = sorted(self.state.markets.items())
        return [id for id, market in markets if market is not None and not is_continuous(market.rules)]

    @property
    def verdict(self) -> Verdict:
        """``INCONCLUSIVE`` where nothing is known to be broken, but nothing was checked."""
        if self.failure is not None or not self.solvency.ties:
            return Verdict.VIOLATED
        if self.events == 0 or self.tallies is None or not any(tally.checked for tally in self.tallies.values()):
            return Verdict.INCONCLUSIVE
        return Verdict.HOLDS


def replay(
    path: Path,
    monitor: MonitorFactory | None = None,
    *,
    checkpoint_every: int = CHECKPOINT_EVERY,
    progress: Callable[[int, int], None] | None = None,
    recorder: Recorder | None = None,
) -> Replay:
    """Replay a log, under a monitor or without laws.

    ``recorder`` is shown each step. ``progress`` is told bytes read and the log's length, now and then. Raises
    ``LogError`` where the log cannot be read to its end.
    """
    started = time.perf_counter()
    with LogReader(path) as log:
        watch = monitor(log.state) if monitor is not None else None
        start = log.state if recorder is None else recorder.begin(log.header, log.state, watch)
        run = _Run(start, watch, checkpoint_every, recorder)
        for event in log:
            run.take(event)
            if progress is not None and run.events % _PROGRESS_EVERY == 0:
                progress(log.bytes_read, log.size)
        if run.events % checkpoint_every:
            run.check()
    failure = _find_failure(path, monitor, watch, run) if monitor is not None and watch is not None else None
    return Replay(
        header=log.header,
        state=run.state,
        events=run.events,
        rejections=run.rejections,
        waterfall=run.waterfall,
        solvency=get_solvency(run.state),
        tallies=watch.tallies if watch is not None else None,
        failure=failure,
        state_hash=get_state_hash(run.state),
        seconds=time.perf_counter() - started,
        close_outs=tuple(run.close_outs),
    )


class _Run:
    """The state as events come in, and what they did.

    ``failed``: events taken when the first violation was seen; ``clean``: events
    taken when the last full check before it found nothing.
    """

    def __init__(
        self, state: State, watch: Monitor | None, checkpoint_every: int, recorder: Recorder | None = None
    ) -> None:
        self.state = state
        self.events = 0
        self.rejections: Counter[Rule] = Counter()
        self.waterfall = Waterfall()
        self.close_outs: list[CloseOutStep] = []
        self.failed: int | None = None
        self.clean = 0
        self._watch = watch
        self._recorder = recorder
        self._checkpoint_every = checkpoint_every
        self._step = watch.step if watch is not None else step
        self.check()

    def take(self, event: Event) -> None:
        before = self.state
        standing = get_standing(before) if isinstance(event, Deleverage) else None
        if self._recorder is not None:
            self._recorder.before()
        outcome = self._step(before, event)
        self.state = outcome.state
        self.events += 1
        if outcome.rejected is not None:
            self.rejections[outcome.rejected] += 1
        elif outcome.effects:
            self.waterfall.record(before, event, outcome)
            if (close_out := get_close_out(standing, outcome)) is not None:
                self.close_outs.append(close_out)
        if self._recorder is not None:
            self._recorder.after(before, event, outcome, self.waterfall)
        if self.failed is None and self._watch is not None and self._watch.violations:
            self.failed = self.clean = self.events
        if self.events % self._checkpoint_every == 0:
            self.check()

    def check(self) -> None:
        """The full check, where there is a monitor."""
        if self._watch is None:
            return
        self._watch.checkpoint(self.state)
        if self.failed is None:
            if self._watch.violations:
                self.failed = self.events
            else:
                self.clean = self.events


def _find_failure(path: Path, monitor: MonitorFactory, watch: Monitor, run: _Run) -> Failure | None:
    """The first violation. One that only a full check saw is looked for between that check and the one before."""
    if run.failed is None:
        return None
    found = Failure(watch.violations[0], run.failed)
    clean = run.clean
    while found.events - clean > 1:
        middle = (clean + found.events) // 2
        violation = _probe(path, monitor, middle)
        if violation is None:
            clean = middle
        else:
            found = Failure(violation, middle)
    return found


def _probe(path: Path, monitor: MonitorFactory, events: int) -> Violation | None:
    """The violation that a full check after so many events sees."""
    with LogReader(path) as log:
        watch = monitor(log.state)
        state = log.state
        for event in islice(log, events):
            state = watch.step(state, event).state
        watch.checkpoint(state)
        return watch.violations[0] if watch.violations else None


def save_prefix(path: Path, target: Path, events: int) -> None:
    """Copy the header and the first ``events`` events of a log to ``target``.

    Raises ``LogError`` where ``target`` cannot be written, exists and is no earlier
    prefix of the log, or would not find the log's snapshot.
    """
    with LogReader(path) as log:
        snapshot = log.header.snapshot
    try:
        _protect(path, target, snapshot)
        with open(path, "rb") as source, write_whole(target) as prefix:
            prefix.writelines(islice(source, events + 1))
    except (OSError, ValueError) as error:
        raise LogError(str(target), None, None, "a file that can be written", get_cause(error)) from None


def _protect(path: Path, target: Path, snapshot: str | None) -> None:
    """``LogError`` where the prefix of the log must not go to ``target``."""

    def refuse(expected: str, got: str) -> LogError:
        return LogError(str(target), None, None, expected, got)

    if snapshot is not None and target.parent.resolve() != path.parent.resolve():
        raise refuse("a file in the log's folder, where its snapshot is", "another folder")
    if not target.exists():
        return
    if target.samefile(path):
        raise refuse("another file than the log", "the log itself")
    if snapshot is not None and target.samefile(path.parent / snapshot):
        raise refuse("another file than the log's snapshot", "the snapshot itself")
    if not target.is_file() or not _is_part(target, path):
        raise refuse("a new file, or an earlier prefix of this log", "a file with something else in it")


def _is_part(part: Path, whole: Path) -> bool:
    """Whether ``whole`` begins with all that is in ``part``."""
    with open(part, "rb") as left, open(whole, "rb") as right:
        while piece := left.read(1 << 20):
            if piece != right.read(len(piece)):
                return False
    return True
