"""A run of many walks, in batches on an executor: what is done, what was found, and how it goes on later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from attrs import define, evolve, field, frozen

from riskcore.testing.coverage import Coverage
from riskcore.testing.fuzzing.shrinking import shrink
from riskcore.testing.fuzzing.trial import Finding, Setting, run_trial

#: Walks of a batch: a quarter of a second or more, so that handing it over costs nothing beside it.
BATCH = 2

#: What surrounds each batch where it runs: nothing, or a fault that is planted meanwhile.
Within = Callable[[], AbstractContextManager[Any]]


@frozen
class Batch:
    """What the walks of a batch did. ``findings``: one for each signature."""

    number: int
    coverage: Coverage
    findings: tuple[Finding, ...]


def run_batch(setting: Setting, number: int, within: Within = nullcontext) -> Batch:
    coverage, findings = Coverage(), dict[tuple[str, str], Finding]()
    with within():
        for trial in range(number * BATCH, (number + 1) * BATCH):
            made, finding = run_trial(setting, trial)
            coverage.merge(made)
            if finding is not None:
                add_finding(findings, finding)
    return Batch(number, coverage, tuple(findings.values()))


def run_shrink(finding: Finding, within: Within = nullcontext) -> Finding:
    with within():
        return shrink(finding)


def add_finding(findings: dict[tuple[str, str], Finding], finding: Finding) -> None:
    """Of equal signatures the first walk's stays, and the times add up."""
    known = findings.get(finding.signature)
    if known is None:
        findings[finding.signature] = finding
        return
    kept = min(known, finding, key=lambda one: one.trial)
    findings[finding.signature] = evolve(kept, times=known.times + finding.times)


@define
class Session:
    """A run: ``batches`` of them in all, those ``done``, and what came of them."""

    setting: Setting
    batches: int
    done: set[int] = field(factory=set)
    coverage: Coverage = field(factory=Coverage)
    findings: dict[tuple[str, str], Finding] = field(factory=dict)

    @property
    def is_over(self) -> bool:
        return len(self.done) == self.batches and all(one.original for one in self.findings.values())

    def take(self, batch: Batch) -> None:
        self.done.add(batch.number)
        self.coverage.merge(batch.coverage)
        for finding in batch.findings:
            add_finding(self.findings, finding)

    def list_left(self) -> Iterator[int]:
        return (number for number in range(self.batches) if number not in self.done)


def count_batches(steps: int, length: int) -> int:
    """So many that at least ``steps`` events are proposed."""
    return -(-steps // (length * BATCH))


class WorkersDied(Exception):
    """Processes ended before their work was done: killed, or out of memory."""


def run_here(session: Session, report: Callable[[], None], within: Within = nullcontext) -> None:
    """Run what is left in this process. Interrupted, it has all but the batch that it was in."""
    for number in session.list_left():
        session.take(run_batch(session.setting, number, within))
        report()
    for finding in list_unshrunk(session):
        replace_finding(session, run_shrink(finding, within))


def run_on(
    executor: Executor, most: int, session: Session, report: Callable[[], None], within: Within = nullcontext
) -> None:
    """Run what is left on an executor, ``most`` batches at a time. Raises ``WorkersDied``."""
    left = session.list_left()
    waiting: set[Future[Batch]] = set()
    try:
        while True:
            while len(waiting) < most and (number := next(left, None)) is not None:
                waiting.add(executor.submit(run_batch, session.setting, number, within))
            if not waiting:
                break
            over, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in over:
                session.take(future.result())
            report()
        shrinking = [executor.submit(run_shrink, finding, within) for finding in list_unshrunk(session)]
        for shrunk in shrinking:
            replace_finding(session, shrunk.result())
    except BrokenExecutor as error:
        raise WorkersDied(str(error)) from None
    finally:
        for future in waiting:
            future.cancel()


def list_unshrunk(session: Session) -> list[Finding]:
    return [finding for finding in session.findings.values() if not finding.original]


def replace_finding(session: Session, shrunk: Finding) -> None:
    session.findings[shrunk.signature] = shrunk
