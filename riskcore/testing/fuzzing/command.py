"""``riskcore fuzz``: a run from its options to its files."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Final

from attrs import define, field

from riskcore.bad_input import LogError, get_cause
from riskcore.testing.fuzzing.executors import open_cluster, open_processes
from riskcore.testing.fuzzing.progress import FILE, load_progress, load_venue, save_progress
from riskcore.testing.fuzzing.saving import Saved, save_finding
from riskcore.testing.fuzzing.session import BATCH, Session, Within, count_batches, run_here, run_on
from riskcore.testing.fuzzing.trial import LENGTH, Setting

#: Told steps done and steps in all.
Report = Callable[[int, int], None]

STEPS: Final = 10_000
_SAVE_EVERY: Final = 10.0


@define
class Run:
    """A session with the folder that it is kept in; ``is_kept``: also where nothing was found.

    ``steps``, ``seconds``: of this run alone, where the session goes on from an earlier one.
    """

    session: Session
    rulebook: str | None
    folder: Path
    is_kept: bool
    saved: dict[tuple[str, str], Saved] = field(factory=dict)
    seconds: float = 0.0
    steps: int = 0
    _last: float = field(factory=time.monotonic)

    def go(
        self, jobs: int, address: str | None = None, report: Report | None = None, within: Within = nullcontext
    ) -> None:
        """Run what is left, and save. What was done is saved also where it is interrupted, or workers die."""
        started, before = time.perf_counter(), self.session.coverage.steps

        def tell() -> None:
            done = len(self.session.done), self.session.batches
            if report is not None:
                report(*(batches * BATCH * self.session.setting.length for batches in done))
            if self.is_kept and time.monotonic() - self._last > _SAVE_EVERY:
                self.save()

        try:
            if address is not None:
                with open_cluster(address) as (executor, threads):
                    run_on(executor, 2 * threads, self.session, tell, within)
            elif jobs == 1:
                run_here(self.session, tell, within)
            else:
                with open_processes(jobs) as executor:
                    run_on(executor, 2 * jobs, self.session, tell, within)
        except LogError:
            # nothing has begun, or nothing can be written: no folder is left that stands in the next run's way
            self.is_kept = False
            raise
        except BaseException:
            self.is_kept = True
            raise
        finally:
            self.seconds, self.steps = time.perf_counter() - started, self.session.coverage.steps - before
            if self.is_kept or self.session.findings:
                self.save()

    def save(self) -> None:
        """Write the progress and every finding. Raises ``LogError``."""
        self._last = time.monotonic()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for finding in self.session.findings.values():
                self.saved[finding.signature] = save_finding(finding, self.folder, self.session.setting.seed)
            save_progress(self.session, self.rulebook, self.folder)
        except OSError as error:
            place = str(self.folder)
            raise LogError(place, None, None, "a folder that can be written", get_cause(error)) from None


def start(
    steps: int | None = None,
    seed: int | None = None,
    rulebook: str | None = None,
    out: Path | None = None,
    length: int = LENGTH,
) -> Run:
    """A new run. Raises ``LogError`` for a rulebook that cannot be read, or a folder that has another run."""
    folder = Path("riskcore-fuzz") if out is None else out
    if (folder / FILE).exists():
        raise LogError(str(folder), None, None, "a new folder, or --resume to go on with its run", "an earlier run")
    setting = Setting(seed or 0, length, load_venue(rulebook))
    session = Session(setting, count_batches(STEPS if steps is None else steps, length))
    return Run(session, rulebook, folder, out is not None)


def resume(folder: Path, steps: int | None) -> Run:
    """A run that was interrupted, or one that goes on to more steps. Raises ``LogError``."""
    session, rulebook = load_progress(folder)
    if steps is not None:
        session.batches = max(count_batches(steps, session.setting.length), max(session.done, default=-1) + 1)
    return Run(session, rulebook, folder, True)
