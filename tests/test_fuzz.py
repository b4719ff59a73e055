"""``riskcore fuzz``: what is planted is found, made short and saved; runs end, go on, and are the same everywhere."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from riskcore.bad_input import LogError
from riskcore.cli import main
from riskcore.testing.broken import Broken
from riskcore.testing.fuzzing import command
from riskcore.testing.fuzzing.command import Run, resume, start
from riskcore.testing.fuzzing.executors import open_processes
from riskcore.testing.fuzzing.progress import FILE
from riskcore.testing.fuzzing.report import get_verdict
from riskcore.testing.fuzzing.saving import get_test, save_finding
from riskcore.testing.fuzzing.session import Session, WorkersDied, add_finding, run_batch, run_on
from riskcore.testing.fuzzing.shrinking import list_numbers, list_simpler, reduce, shrink
from riskcore.testing.fuzzing.trial import Finding, Setting, play, run_trial
from tests.faults import fuzzed
from tests.faults.kinds import KINDS
from tests.faults.planting import Fault, plant

#: Of a walk, proposed events.
LENGTH = 40

#: Shows as soon as somebody pays anything.
DOUBLE = Fault("double", "a payer pays twice", (), "journal", "payer.balance -= amount", "payer.balance -= 2 * amount")
#: Shows when somebody trades through zero.
OPEN_INTEREST = Fault(
    "long_lots", "a short counts as a long", (), "journal", "return max(size, 0) - max(position.size, 0)", "return 1"
)


def planted(fault: Fault) -> Callable[[], AbstractContextManager[None]]:
    return partial(plant, fault)


def find(fault: Fault, trials: int = 20) -> Finding:
    """The first finding, with the fault planted."""
    with plant(fault):
        findings = (run_trial(Setting(5, LENGTH), trial)[1] for trial in range(trials))
        return next(finding for finding in findings if finding is not None)


def fuzz(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["fuzz", *arguments])


# Finding, shrinking, saving


def test_a_sound_kernel_has_no_findings(tmp_path: Path) -> None:
    run = start(100, 3, None, tmp_path / "run", LENGTH)
    run.go(1)

    assert "HOLDS" == get_verdict(run.session)
    assert run.session.coverage.steps >= 100


def test_a_planted_fault_is_found_shrunk_and_saved_as_a_log_that_replay_takes(tmp_path: Path) -> None:
    run = start(160, 5, None, tmp_path / "run", LENGTH)
    run.go(1, within=planted(OPEN_INTEREST))
    finding = next(iter(run.session.findings.values()))
    saved = run.saved[finding.signature]

    assert "VIOLATED" == get_verdict(run.session)
    assert 0 < len(finding.events) < finding.original
    assert saved.log is not None
    # the kernel that is not broken takes the same log
    assert 0 == CliRunner().invoke(main, ["replay", str(saved.log)]).exit_code
    with plant(OPEN_INTEREST):
        assert 1 == CliRunner().invoke(main, ["replay", str(saved.log)]).exit_code


def test_the_generated_test_fails_as_long_as_the_fault_is_there(tmp_path: Path) -> None:
    with plant(OPEN_INTEREST):
        finding = shrink(find(OPEN_INTEREST))
    names: dict[str, Any] = {}
    exec(compile(save_finding(finding, tmp_path, 5).test.read_text(), "generated", "exec"), names)
    (generated,) = (value for name, value in names.items() if name.startswith("test_"))

    generated()
    with plant(OPEN_INTEREST), pytest.raises(Broken, match=finding.law):
        generated()


def test_of_a_shrunk_finding_no_event_can_be_left_out() -> None:
    with plant(OPEN_INTEREST):
        finding = shrink(find(OPEN_INTEREST))
        for place in range(len(finding.events) - 1):
            play(finding.rulebook, finding.events[:place] + finding.events[place + 1 : -1], finding.debts)
        with pytest.raises(Broken, match=finding.law):
            play(finding.rulebook, finding.events, finding.debts)

    assert len(finding.events) <= 4


def test_numbers_of_a_shrunk_finding_are_simple_and_are_kept(tmp_path: Path) -> None:
    run = start(160, 5, None, tmp_path / "run", LENGTH)
    run.go(1, within=planted(OPEN_INTEREST))
    finding = next(iter(run.session.findings.values()))
    with plant(OPEN_INTEREST):
        again = next(iter(resume(tmp_path / "run", None).session.findings.values()))
    figures = [figure for event in finding.events for figure in map(partial(getattr, event), list_numbers(event))]

    assert finding.figures
    assert all(len(str(abs(figure)).rstrip("0")) <= 3 for figure in figures), figures
    assert (finding.events, finding.places, finding.figures) == (again.events, again.places, again.figures)


def test_a_kept_number_that_is_none_is_refused(tmp_path: Path) -> None:
    run = start(160, 5, None, tmp_path, LENGTH)
    run.go(1, within=planted(OPEN_INTEREST))
    text = (tmp_path / FILE).read_text()
    name = next(iter(run.session.findings.values())).figures[0].name
    for old, new in ((f'"{name}"', '"sequence"'), (f'"{name}",\n     "', f'"{name}",\n     "x')):
        assert old in text
        (tmp_path / FILE).write_text(text.replace(old, new, 1))

        with plant(OPEN_INTEREST), pytest.raises(LogError, match=r"findings\.figures"):
            resume(tmp_path, None)


def test_simpler_numbers_come_simplest_first() -> None:
    assert [-1, -10, -100, -1000, -4000, -4700] == list(list_simpler(-4712))[:6]
    assert [] == list(list_simpler(1))
    assert [1] == list(list_simpler(2))


def test_failures_of_other_laws_or_events_are_kept_apart_and_equal_ones_counted(tmp_path: Path) -> None:
    first, second = find(DOUBLE), find(OPEN_INTEREST)
    run = start(100, 5, None, tmp_path, LENGTH)
    for finding in (first, second, evolve(first, trial=first.trial + 1)):
        add_finding(run.session.findings, finding)
    run.save()

    assert {first.signature: 2, second.signature: 1} == {
        one.signature: one.times for one in run.session.findings.values()
    }
    assert first.trial == run.session.findings[first.signature].trial
    assert 2 == len(list(tmp_path.glob("test_*.py")))


def test_three_quotes_in_words_do_not_end_a_tests_docstring() -> None:
    words = 'a """ and a \\ and """'
    finding = find(DOUBLE)
    text = get_test(Finding(finding.law, words, finding.rulebook, finding.debts, finding.events, 0), 1)

    compile(text, "generated", "exec")


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.sets(st.integers(0, 9), max_size=3))
def test_what_is_reduced_holds_what_is_needed_and_no_more(items: list[int], wanted: set[int]) -> None:
    needed = wanted & set(items)
    reduced = reduce(items, lambda fewer: needed <= set(fewer))

    assert needed <= set(reduced)
    assert items[-1] == reduced[-1]
    assert sorted(needed | {items[-1]}) == sorted(reduced)


# Going on


def test_a_run_that_goes_on_ends_like_one_that_was_not_interrupted(tmp_path: Path) -> None:
    whole, part = start(320, 5, None, tmp_path / "whole", LENGTH), start(320, 5, None, tmp_path / "part", LENGTH)
    whole.go(1, within=planted(OPEN_INTEREST))
    with pytest.raises(KeyboardInterrupt):
        part.go(1, report=interrupt_after(2), within=planted(OPEN_INTEREST))
    with plant(OPEN_INTEREST):
        rest = resume(tmp_path / "part", None)
        rest.go(1)

    assert 2 == len(part.session.done) < len(rest.session.done)
    assert describe(whole) == describe(rest)


def interrupt_after(batches: int) -> Any:
    calls = iter(range(batches - 1))

    def report(done: int, total: int) -> None:
        if next(calls, None) is None:
            raise KeyboardInterrupt

    return report


def describe(run: Run) -> tuple[object, ...]:
    session = run.session
    return session.done, session.coverage.steps, session.coverage.counts, session.findings


def test_a_run_that_is_over_can_go_on_to_more_steps(tmp_path: Path) -> None:
    start(80, 3, None, tmp_path, LENGTH).go(1)
    longer = resume(tmp_path, 240)
    longer.go(1)
    whole = start(240, 3, None, tmp_path / "whole", LENGTH)
    whole.go(1)

    assert describe(whole) == describe(longer)


def test_an_interrupt_says_how_to_go_on_and_exits_with_130(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run_batch_then_interrupt(session: Session, report: Callable[[], None], within: object) -> None:
        session.take(run_batch(session.setting, 0))
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "run_here", run_batch_then_interrupt)
    result = fuzz("--steps", "1000000", "--jobs", "1", "--out", str(tmp_path))

    assert 130 == result.exit_code
    assert f"riskcore fuzz --resume {tmp_path} goes on" in result.output
    assert {0} == resume(tmp_path, None).session.done


# Elsewhere


def test_processes_find_what_one_finds(tmp_path: Path) -> None:
    alone, several = start(320, 5, None, tmp_path / "alone", LENGTH), start(320, 5, None, tmp_path / "several", LENGTH)
    alone.go(1, within=planted(OPEN_INTEREST))
    several.go(2, within=planted(OPEN_INTEREST))

    assert describe(alone) == describe(several)


def test_workers_that_die_leave_what_was_done(tmp_path: Path) -> None:
    run = start(2000, 5, None, tmp_path, LENGTH)
    with pytest.raises(WorkersDied), ThreadPoolExecutor(1) as threads:
        run_on(_Dying(threads, 3), 2, run.session, lambda: None)

    assert 1 <= len(run.session.done) <= 3
    assert "INCONCLUSIVE" == get_verdict(run.session)


class _Dying(Executor):
    """Stops working after so many tasks."""

    def __init__(self, executor: Executor, tasks: int) -> None:
        self.executor, self.left = executor, tasks

    def submit(self, fn: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
        self.left -= 1
        if self.left < 0:
            future: Future[Any] = Future()
            future.set_exception(BrokenProcessPool("a process was killed"))
            return future
        return self.executor.submit(fn, *arguments, **named)


def test_processes_end_with_an_interrupt() -> None:
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt), open_processes(1) as executor:
        executor.submit(time.sleep, 60)
        raise KeyboardInterrupt

    assert time.monotonic() - started < 20


@pytest.fixture
def cluster() -> Iterator[Any]:
    """Two workers, each a process of its own, on this machine."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        yield cluster


@pytest.mark.skipif(find_spec("distributed") is None, reason="needs Dask: riskcore[dask]")
def test_a_cluster_finds_the_same_also_when_a_worker_is_killed(cluster: Any, tmp_path: Path) -> None:
    here, there = start(240, 5, None, tmp_path / "here", LENGTH), start(240, 5, None, tmp_path / "there", LENGTH)
    here.go(1)

    def kill(done: int, total: int) -> None:
        worker = cluster.workers.get(0)
        if worker is not None and worker.process.is_alive():
            worker.process.process._process.kill()

    there.go(1, cluster.scheduler_address, kill)

    assert describe(here) == describe(there)


# What cannot be done


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--steps", "0"), "0 is not in the range"),
        (("--rulebook", "nowhere"), "expected a file, or one of"),
        (("--resume", "nowhere"), "expected a readable file, got no such file"),
        (("--resume", "nowhere", "--seed", "1"), "--seed is one too many"),
    ],
)
def test_bad_options_are_refused(arguments: tuple[str, ...], said: str) -> None:
    result = fuzz(*arguments)

    assert 2 == result.exit_code
    assert said in result.output


def test_a_cluster_that_is_not_there_leaves_no_folder_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def refuse(address: str) -> Iterator[None]:
        raise LogError(f"--dask {address}", None, None, "a Dask scheduler", "none")
        yield

    monkeypatch.setattr(command, "open_cluster", refuse)
    result = fuzz("--steps", "100", "--dask", "nowhere:1", "--out", str(tmp_path / "run"))

    assert 2 == result.exit_code
    assert "expected a Dask scheduler" in result.output
    assert not (tmp_path / "run").exists()


def test_another_run_is_not_written_over(tmp_path: Path) -> None:
    start(100, 3, None, tmp_path, LENGTH).go(1)
    before = (tmp_path / FILE).read_bytes()
    result = fuzz("--out", str(tmp_path))

    assert 2 == result.exit_code
    assert "got an earlier run" in result.output
    assert before == (tmp_path / FILE).read_bytes()


@pytest.mark.parametrize(
    ("done", "said"),
    [
        ("[[0, 1000000000000000]]", "done: expected at most 10,000,000 batches"),
        ("[[0, 7]]", "done: expected runs of numbers from 0 to"),
        ("[[-1, 0]]", "done: expected runs"),
        ("[[1, 0]]", "done: expected runs"),
    ],
)
def test_what_cannot_have_been_done_is_refused(done: str, said: str, tmp_path: Path) -> None:
    start(100, 3, None, tmp_path, LENGTH).go(1)
    told = json.loads((tmp_path / FILE).read_text())
    (tmp_path / FILE).write_text(json.dumps({**told, "done": json.loads(done)}))

    with pytest.raises(LogError, match=said):
        resume(tmp_path, None)


def test_a_count_of_what_has_no_name_is_refused(tmp_path: Path) -> None:
    start(100, 3, None, tmp_path, LENGTH).go(1)
    told = json.loads((tmp_path / FILE).read_text())
    (tmp_path / FILE).write_text(json.dumps({**told, "counts": {"law/\ud800": 1}}))

    with pytest.raises(LogError, match="counts: expected names of places"):
        resume(tmp_path, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "missing required field"),
        ("[1", "the progress of a run"),
        ('{"\\ud800": 1}', "the progress of a run"),
        ('{"seed": 1, "seed": 2}', "seed: expected each key once"),
        ('{"riskcore_fuzz": "1"}', "riskcore_fuzz"),
    ],
)
def test_a_progress_that_is_none_is_refused(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(text)

    with pytest.raises(LogError, match=said):
        resume(tmp_path, None)


def test_what_was_found_by_another_kernel_does_not_go_on(tmp_path: Path) -> None:
    start(200, 5, None, tmp_path, LENGTH).go(1, within=planted(DOUBLE))

    with pytest.raises(LogError, match="another riskcore"):
        resume(tmp_path, None)


def test_a_preset_is_walked_under() -> None:
    result = fuzz("--steps", "100", "--rulebook", "hyperliquid", "--jobs", "1", "--format", "json")

    assert 0 == result.exit_code
    assert "HOLDS" == json.loads(result.output)["verdict"]


def test_a_session_that_did_nothing_is_inconclusive() -> None:
    assert "INCONCLUSIVE" == get_verdict(Session(Setting(1), 0))


# How soon


def test_the_page_of_walks_has_every_kind_with_its_fault() -> None:
    rows = fuzzed.read_rows()

    assert list(KINDS) == sorted(rows)
    for kind, row in rows.items():
        assert f"| {kind} | {KINDS[kind]} | `{fuzzed.get_fault(kind).name}` |" in row
    assert fuzzed.PAGE.read_text(encoding="utf-8") == fuzzed.write_page(rows)


def test_a_row_is_found_again() -> None:
    fault = fuzzed.get_fault(15)
    with plant(fault):
        steps, finding = fuzzed.walk_until_found(0)

    assert finding is not None
    assert 1 == steps


def test_most_seeds_decide_the_median() -> None:
    # those that found nothing took longest
    assert 9 == fuzzed.Hunt([9, 5, 7], 5, "").median
    assert fuzzed.Hunt([9, 5], 5, "").median is None
