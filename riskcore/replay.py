"""A log's events, stepped one by one under the eyes of a monitor.

The verdict, what the waterfall did, whether the pool covers its claims, and the
state hash. Where a law breaks, the shortest prefix of the log that shows it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from attrs import frozen

from riskcore.close_outs import CloseOutStep
from riskcore.log import LogHeader, LogReader
from riskcore.quantities import MarketId
from riskcore.replay_run import Figures, Run
from riskcore.replay_run import Monitor as Monitor
from riskcore.replay_run import Recorder as Recorder
from riskcore.replay_run import Tally as Tally
from riskcore.replay_run import Violation as Violation
from riskcore.rules import Rule
from riskcore.snapshot import get_state_hash
from riskcore.state import State
from riskcore.tiers import is_continuous
from riskcore.waterfall import Solvency, Waterfall, get_solvency

_PROGRESS_EVERY: Final = 1000


#: Makes a monitor of the state that a log starts from.
MonitorFactory: TypeAlias = Callable[[State], Monitor]


class Keeper(Protocol):
    """Keeps a replay on its way, and has it go on from there (``checkpoint.py``)."""

    def resume(self, log: LogReader) -> Figures | None: ...

    def keep(self, log: LogReader, run: Run, seconds: float) -> None: ...


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
    checkpoint_every: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    keeper: Keeper | None = None,
    recorder: Recorder | None = None,
) -> Replay:
    """Replay a log, under a monitor or without laws.

    ``checkpoint_every``: as for ``Run``. ``progress`` is told bytes read and the log's length, now and then.
    ``keeper`` has the replay go on from where it was kept, and keeps it on its way. ``recorder`` is shown each
    step, from where it goes on. Raises ``LogError`` where the log cannot be read to its end.
    """
    started = time.perf_counter()
    with LogReader(path) as log:
        figures = None if keeper is None else keeper.resume(log)
        watch = monitor(log.state) if monitor is not None else None
        start = log.state if recorder is None else recorder.begin(log.header, log.state, watch)
        run = Run(start, watch, checkpoint_every, figures, recorder)
        for event in log:
            run.take(event)
            if keeper is not None and run.is_checked and run.failed is None:
                keeper.keep(log, run, time.perf_counter() - started)
            if progress is not None and run.events % _PROGRESS_EVERY == 0:
                progress(log.bytes_read, log.size)
        run.finish()
    failure = _find_failure(path, monitor, watch, run) if monitor is not None and watch is not None else None
    return Replay(
        header=log.header,
        state=run.state,
        events=run.events,
        rejections=run.figures.rejections,
        waterfall=run.figures.waterfall,
        solvency=get_solvency(run.state),
        tallies=run.tallies,
        failure=failure,
        state_hash=get_state_hash(run.state),
        seconds=run.figures.seconds + time.perf_counter() - started,
        close_outs=tuple(run.figures.close_outs),
    )


def _find_failure(path: Path, monitor: MonitorFactory, watch: Monitor, run: Run) -> Failure | None:
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
