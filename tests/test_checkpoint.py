"""A replay that was ended at any moment goes on from its checkpoint, and ends as if it never had been."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner, Result

from riskcore import checkpoint as checkpoint_module
from riskcore import cli
from riskcore import events as ev
from riskcore.checkpoint import Checkpoint, describe_run
from riskcore.convert import convert_log
from riskcore.log import write_log
from riskcore.monitor import Monitor
from riskcore.replay import Replay, replay
from riskcore.report import get_json
from riskcore.state import State
from tests.log_cases import RULEBOOK, UNITS, Script, SeeingMonitor, make_waterfall_events, write_snapshot_log

#: How often a replay is killed; more by hand.
KILLS = int(os.environ.get("RISKCORE_KILLS", "10"))
EVERY = 20


def make_events(count: int) -> list[ev.Event]:
    """Every stage of the waterfall, and then trades, of which some are rejected."""
    script = Script()
    script.events = make_waterfall_events()
    random = Random(1)
    script.add(ev.Deposit, "late", 9_000)
    while len(script.events) < count:
        taker, maker = random.sample(("maker", "short", "quiet", "late"), 2)
        script.add(ev.Fill, taker, maker, "BTC", random.randint(1, 3) * random.choice((1, -1)), 830)
        script.add(ev.MarkPrice, "ETH", random.randint(90, 110))
    return script.events


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("checkpoint") / "log.jsonl"
    write_log(path, RULEBOOK, UNITS, make_events(800))
    return path


def make_keeper(path: Path, tell: Callable[[int], None] = lambda events: None) -> Checkpoint:
    return Checkpoint(path, describe_run(True, EVERY, None), tell)


def run_kept(log: Path, file: Path, tell: Callable[[int], None] = lambda events: None) -> Replay:
    return replay(log, Monitor, checkpoint_every=EVERY, keeper=make_keeper(file, tell))


def to_report(result: Replay) -> dict[str, Any]:
    """All that is reported, but for the time that it took."""
    report = get_json(result, "log")
    del report["seconds"]
    return report


def run(log: Path, *options: str) -> Result:
    return CliRunner().invoke(cli.main, ["replay", str(log), *options])


class Ended(BaseException):
    """An end in the middle of everything."""


def end_after(monkeypatch: pytest.MonkeyPatch, saves: int) -> None:
    """Have a replay end right after so many saves, each of which is made."""
    keep, made = Checkpoint.keep, [0]

    def keep_and_end(self: Checkpoint, *arguments: Any) -> None:
        self._next = 0.0
        keep(self, *arguments)
        made[0] += 1
        if made[0] == saves:
            raise Ended

    monkeypatch.setattr(Checkpoint, "keep", keep_and_end)


def leave_one(log: Path, file: Path, saves: int = 3) -> None:
    """The checkpoint that a replay leaves which ends after so many."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Ended):
        end_after(patch, saves)
        run_kept(log, file)


# It ends the same


def test_a_replay_goes_on_where_it_was_saved_and_reports_the_same(log: Path, tmp_path: Path) -> None:
    expected = to_report(replay(log, Monitor, checkpoint_every=EVERY))
    for saves in (1, 2, 39):
        told: list[int] = []
        file = tmp_path / f"{saves}"
        leave_one(log, file, saves)
        actual = to_report(run_kept(log, file, told.append))

        assert [saves * EVERY] == told
        assert expected == actual
    # the prefix has all of it: stages, close-outs, rejections
    assert expected["close_outs"] and expected["rejections"] and expected["waterfall"]["vault"]["steps"]


@pytest.mark.parametrize("name", ["log.jsonl.gz", "log.jsonl.zst", "log.parquet"])
def test_so_does_that_of_another_format(log: Path, tmp_path: Path, name: str) -> None:
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow")
    other, told = tmp_path / name, list[int]()
    convert_log(log, other)
    leave_one(other, tmp_path / "file", 30)
    actual = to_report(run_kept(other, tmp_path / "file", told.append))

    assert [30 * EVERY] == told
    assert to_report(replay(log, Monitor, checkpoint_every=EVERY)) == actual


def test_so_does_one_that_starts_from_a_snapshot(tmp_path: Path) -> None:
    log, file = write_snapshot_log(tmp_path, "e10"), tmp_path / "file"
    keeper = Checkpoint(file, describe_run(True, 3, None), lambda events: None)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Ended):
        end_after(patch, 2)
        replay(log, Monitor, checkpoint_every=3, keeper=keeper)
    actual = to_report(replay(log, Monitor, checkpoint_every=3, keeper=keeper))

    assert 6 == keeper.saved or keeper.saved > 6
    assert to_report(replay(log, Monitor, checkpoint_every=3)) == actual


def test_a_log_may_have_grown_since(log: Path, tmp_path: Path) -> None:
    lines = log.read_bytes().splitlines(keepends=True)
    growing, file, told = tmp_path / "growing.jsonl", tmp_path / "file", list[int]()
    growing.write_bytes(b"".join(lines[:401]))
    leave_one(growing, file, 20)
    growing.write_bytes(b"".join(lines))
    actual = to_report(run_kept(growing, file, told.append))

    assert [400] == told
    assert to_report(replay(log, Monitor, checkpoint_every=EVERY)) == actual


def test_names_that_only_rejected_events_used_stay_known(tmp_path: Path) -> None:
    """An inadmissible listing names its market, a rejected transfer its payee, and their ids are used up."""
    script, file = Script(), tmp_path / "file"
    script.events = make_waterfall_events()
    script.add(ev.Transfer, "quiet", "nobody", 10**9)
    script.add(ev.Withdraw, "nobody", 5)
    path = tmp_path / "log"
    write_log(path, RULEBOOK, UNITS, script.events)
    keeper = Checkpoint(file, describe_run(True, 26, None), lambda events: None)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Ended):
        end_after(patch, 1)
        replay(path, Monitor, checkpoint_every=26, keeper=keeper)
    names = json.loads(file.read_bytes().splitlines()[0])["names"]

    assert {"ids": ["e12", "e18", "e26"], "accounts": ["nobody"], "markets": []} == names
    assert 27 == replay(path, Monitor, checkpoint_every=26, keeper=keeper).events


# Killed


def test_a_replay_killed_at_any_moment_ends_the_same(log: Path, tmp_path: Path) -> None:
    file, random = tmp_path / "file", Random(7)
    begun = time.perf_counter()
    expected = to_report(replay(log, Monitor, checkpoint_every=EVERY))
    whole = time.perf_counter() - begun
    told: list[int] = []
    moments = 0
    while moments < KILLS:
        file.unlink(missing_ok=True)
        for _ in range(random.randint(1, 3)):
            moments += kill_one(log, file, random.uniform(0, whole / 2))
        actual = to_report(run_kept(log, file, told.append))

        assert expected == actual
    assert told, "no kill left a checkpoint"
    assert {path.name for path in tmp_path.iterdir()} <= {"file", "file.new"}


def kill_one(log: Path, file: Path, seconds: float) -> bool:
    """Begin a replay, or go on with one, and kill it after so long; whether it was still at it."""
    child = multiprocessing.get_context("fork").Process(target=run_kept, args=(log, file))
    child.start()
    time.sleep(seconds)
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    return child.exitcode == -signal.SIGKILL


def test_a_save_that_is_cut_short_leaves_the_one_before(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    leave_one(log, file)
    before = file.read_bytes()

    def end(descriptor: int) -> None:
        raise Ended

    monkeypatch.setattr(os, "fsync", end)
    with pytest.raises(Ended):
        run_kept(log, file)

    assert before == file.read_bytes()
    assert (tmp_path / "file.new").exists()
    monkeypatch.undo()
    assert to_report(replay(log, Monitor, checkpoint_every=EVERY)) == to_report(run_kept(log, file))


def test_who_interrupts_is_told_that_it_is_saved(log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep, options = Checkpoint.keep, ("--checkpoint", str(tmp_path / "file"), "--checkpoint-every", str(EVERY))

    def keep_and_interrupt(self: Checkpoint, *arguments: Any) -> None:
        keep(self, *arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoint, "keep", keep_and_interrupt)
    result = run(log, *options)
    monkeypatch.undo()
    again = run(log, *options)

    told = "Saved after event 20: the same command goes on from there.\nInterrupted.\n"
    assert (130, "", told) == (result.exit_code, result.stdout, result.stderr)
    assert (0, "Going on after event 20.\n") == (again.exit_code, again.stderr)
    assert "800 events, " in again.stdout


# What is not saved


def test_a_violation_is_found_again_not_saved(log: Path, tmp_path: Path) -> None:
    """The atom comes from nowhere at event 9, behind the first save."""
    keeper = Checkpoint(tmp_path / "file", describe_run(True, 2, None), lambda events: None)
    monitor: Callable[[State], SeeingMonitor] = SeeingMonitor
    first = replay(log, monitor, checkpoint_every=2, keeper=keeper)
    saved = keeper.saved
    second = replay(log, monitor, checkpoint_every=2, keeper=keeper)

    assert 0 < saved <= 8
    assert first.failure is not None
    assert first.failure == second.failure
    assert to_report(first) == to_report(second)


# What is refused


def test_a_changed_log_is_refused(log: Path, tmp_path: Path) -> None:
    file, other = tmp_path / "file", tmp_path / "other.jsonl"
    leave_one(log, file)
    other.write_text(log.read_text().replace('"amount":5000', '"amount":5001'))
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:10]))
    sentence = (
        "log: expected a checkpoint of this log's first 60 events (remove the file to begin anew), got one of others"
    )
    for path in (other, cut):
        result = run(path, "--checkpoint", str(file), "--checkpoint-every", str(EVERY))

        assert (2, "", f"Error: {file}: {sentence}\n") == (result.exit_code, result.stdout, result.stderr)


def test_a_changed_snapshot_is_refused(tmp_path: Path) -> None:
    log, file = write_snapshot_log(tmp_path, "e10"), tmp_path / "file"
    options = ("--checkpoint", str(file), "--checkpoint-every", "3")
    run(log, *options)
    snapshot = tmp_path / "any.json"
    snapshot.write_text(snapshot.read_text() + " ")

    result = run(log, *options)

    assert 2 == result.exit_code
    assert "log: expected a checkpoint of this log's first" in result.stderr


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--no-laws",), "laws: expected a checkpoint with no law checked"),
        (("--checkpoint-every", "30"), "checks: expected a checkpoint with --checkpoint-every 30"),
        (("--rules", "own.py"), "rules: expected a checkpoint with --rules as they are, "),
    ],
)
def test_another_kind_of_replay_is_refused(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text((Path(__file__).parent.parent / "examples/rules/progressive.py").read_text())
    leave_one(log, tmp_path / "file")

    result = run(log, "--checkpoint", "file", "--checkpoint-every", str(EVERY), *options)

    assert (2, "") == (result.exit_code, result.stdout)
    assert result.stderr.startswith(f"Error: file: {sentence}")


def test_another_riskcore_is_refused(log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_one(log, tmp_path / "file")
    monkeypatch.setattr(checkpoint_module, "_hash_sources", lambda: "another")

    result = run(log, "--checkpoint", str(tmp_path / "file"), "--checkpoint-every", str(EVERY))

    assert 2 == result.exit_code
    assert "riskcore: expected a checkpoint with riskcore as it is here, another" in result.stderr


@pytest.mark.parametrize("data", [b"", b"\n", b"x", b"{}\n" + b"0" * 64 + b"\n", None], ids=repr)
def test_what_is_no_checkpoint_is_refused_and_kept(log: Path, tmp_path: Path, data: bytes | None) -> None:
    file = tmp_path / "file"
    if data is None:
        leave_one(log, file)
        spoilt = bytearray(file.read_bytes())
        spoilt[len(spoilt) // 2] ^= 1
        data = bytes(spoilt)
    file.write_bytes(data)

    result = run(log, "--checkpoint", str(file))

    expected = f"Error: {file}: expected a checkpoint of riskcore replay, got another file, or a damaged one\n"
    assert (2, "", expected) == (result.exit_code, result.stdout, result.stderr)
    assert data == file.read_bytes()


def test_a_place_that_cannot_be_written_is_said_before_the_replay(log: Path, tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "file"

    result = run(log, "--checkpoint", str(file))

    assert f"Error: {file}: expected a place for a checkpoint, got no such folder\n" == result.stderr
    assert 2 == result.exit_code


def test_the_log_is_no_place_for_its_checkpoint(log: Path) -> None:
    result = run(log, "--checkpoint", str(log))

    assert 2 == result.exit_code
    assert "expected another file than the log" in result.stderr


def test_a_checkpoint_is_no_place_for_a_snapshot(log: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    leave_one(log, file)
    before = file.read_bytes()

    result = run(log, "--no-laws", "--save-state", str(file))

    assert (2, before) == (result.exit_code, file.read_bytes())
    assert f"Error: {file}: expected a new file, or an earlier snapshot, got another file\n" == result.stderr


def test_a_page_of_every_step_is_not_kept_on_its_way(log: Path, tmp_path: Path) -> None:
    result = run(log, "--checkpoint", str(tmp_path / "file"), "--report", str(tmp_path / "page.html"))

    assert 2 == result.exit_code
    assert "--report shows every step, and --checkpoint may begin in the middle" in result.stderr
