"""``riskcore replay`` and ``riskcore explain``."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from rich.console import Console

from riskcore.bad_input import LogError, printable
from riskcore.commands.forms import ALSO, FORM, Also, check_places, tell
from riskcore.commands.output import (
    BAD_INPUT,
    INTERRUPTED,
    check_apart,
    check_place,
    refusing,
    render,
    say,
    show,
    show_progress,
    with_lasting_values,
    writing,
)
from riskcore.files import write_whole
from riskcore.html_report import MARK, is_installed
from riskcore.log_prefix import save_prefix
from riskcore.replay import MonitorFactory, Recorder, Replay, Verdict, replay
from riskcore.replay_ci import get_junit, get_markdown
from riskcore.report import get_json, print_replay

if TYPE_CHECKING:
    from riskcore.checkpoint import Checkpoint
    from riskcore.html_report.recorder import Recorder as PageRecorder

EXIT_CODES: Final = {Verdict.HOLDS: 0, Verdict.VIOLATED: 1, Verdict.INCONCLUSIVE: 3}


@click.command("replay")
@click.argument("log", type=click.Path(path_type=Path))
@FORM
@ALSO
@click.option("--laws/--no-laws", default=True, show_default=True, help="Check the laws after each event.")
@click.option(
    "--checkpoint-every",
    type=click.IntRange(min=1),
    metavar="N",
    help="Events between two checks of everything; default: 10,000, or as many as there are accounts.",
)
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Save the replay there on its way, after checks of everything; where it was saved, go on from there.",
)
@click.option(
    "--save-prefix",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where a law breaks, write the shortest part of the log that shows it.",
)
@click.option(
    "--save-state", type=click.Path(path_type=Path), metavar="FILE", help="Write the last state there, as a snapshot."
)
@click.option("--rules", type=click.Path(path_type=Path), metavar="FILE.py", help="Run with the rules of this file.")
@click.option("--report", type=click.Path(path_type=Path), metavar="FILE.html", help="Write it as a page (REPORT.md).")
@click.option(
    "--report-from",
    type=click.IntRange(min=1),
    default=None,
    metavar="N",
    help="With --report: the first step that can be looked at in the page.  [default: 1]",
)
def replay_command(
    log: Path,
    output: str,
    laws: bool,
    checkpoint_every: int | None,
    checkpoint: Path | None,
    save_prefix: Path | None,
    save_state: Path | None,
    rules: Path | None,
    report: Path | None,
    report_from: int | None,
    also: tuple[Also, ...],
) -> None:
    """Replay LOG, an event log, and check every law on the way. It may be JSONL, also as .gz or .zst, or Parquet.

    Exit codes: 0 all laws hold, 1 one is violated, 2 bad input, 3 inconclusive.
    """
    if str(log) == "-":
        raise click.UsageError("standard input is not supported: a log may be read twice, so name a file")
    if checkpoint is not None and report is not None:
        raise click.UsageError("--report shows every step, and --checkpoint may begin in the middle: name one of them")
    if report is None and report_from is not None:
        raise click.UsageError("--report-from chooses what --report shows: name a page too")
    named = ("--checkpoint", checkpoint), ("--save-prefix", save_prefix), ("--save-state", save_state)
    check_apart((*named, ("--report", report), *((f"--also {form}", path) for form, path in also)))
    own_rules = None if rules is None else str(rules)
    recorder = None if report is None else _get_recorder(report_from or 1)
    try:
        check_places(also)
        if report is not None:
            check_place(report, MARK, "report")
        with _with_rules(rules) as get_monitor:
            keeper = None if checkpoint is None else _get_keeper(checkpoint, log, laws, checkpoint_every, rules)
            result = _replay(log, get_monitor if laws else None, checkpoint_every, keeper, recorder)
        if report is not None and recorder is not None:
            _write_page(report, result, recorder, log, rules)
        saved = None if save_prefix is None else _save(result, log, save_prefix)
        if save_state is not None:
            _save_state(result, log, save_state)
        told = result, str(log), saved, own_rules
        forms = {
            "text": lambda: render(lambda console: print_replay(result, str(log), console, saved, own_rules)),
            "json": lambda: json.dumps(get_json(*told)) + "\n",
            "junit": lambda: get_junit(*told),
            "md": lambda: get_markdown(*told),
        }
        tell(output, also, forms)
    except LogError as error:
        say(f"Error: {error}")
        sys.exit(BAD_INPUT)
    except KeyboardInterrupt:
        say("Interrupted.")
        sys.exit(INTERRUPTED)
    sys.exit(EXIT_CODES[result.verdict])


@contextmanager
def _with_rules(rules: Path | None) -> Iterator[Callable[[], MonitorFactory]]:
    """The block runs with a file's rules, and the monitor is one that knows; without a file, as ever."""
    if rules is None:
        yield _get_monitor
        return
    from riskcore.own_rules.files import read_rules
    from riskcore.own_rules.planted import RulesMonitor, planted

    with planted(read_rules(rules)):
        yield lambda: RulesMonitor


def _get_monitor() -> MonitorFactory:
    from riskcore.monitor import Monitor

    return Monitor


def _get_keeper(path: Path, log: Path, laws: bool, every: int | None, rules: Path | None) -> Checkpoint:
    from riskcore.checkpoint import Checkpoint, describe_run

    if os.path.exists(path) and os.path.exists(log) and os.path.samefile(path, log):
        raise click.UsageError("--checkpoint: expected another file than the log")
    return Checkpoint(path, describe_run(laws, every, rules), _tell_resumed)


def _tell_resumed(events: int) -> None:
    say(f"Going on after event {events:,}.")


def _replay(
    log: Path,
    get_monitor: Callable[[], MonitorFactory] | None,
    every: int | None,
    keeper: Checkpoint | None,
    recorder: Recorder | None,
) -> Replay:
    monitor = None if get_monitor is None else get_monitor()
    try:
        with with_lasting_values(), show_progress(Console(stderr=True), in_bytes=True) as progress:
            return replay(log, monitor, checkpoint_every=every, progress=progress, keeper=keeper, recorder=recorder)
    except KeyboardInterrupt:
        if keeper is not None and keeper.saved:
            say(f"Saved after event {keeper.saved:,}: the same command goes on from there.")
        raise


def _get_recorder(first: int) -> PageRecorder:
    """What watches for the page. Without the libraries that draw it, the command says which to install."""
    from riskcore.html_report.recorder import Recorder as PageRecorder
    from riskcore.html_report.steps import Steps

    if not is_installed():
        raise click.UsageError("--report needs more packages: pip install 'riskcore[report]'")
    return PageRecorder(Steps(first=first))


def _write_page(target: Path, result: Replay, recorder: PageRecorder, log: Path, rules: Path | None) -> None:
    from riskcore.html_report.page import Origin, make_page

    origin = Origin(log.name, None if rules is None else rules.name)
    with writing(target, MARK, "report"), write_whole(target) as file:
        for piece in make_page(result, recorder, origin):
            file.write(piece.encode())
    steps = recorder.steps
    say(f"The report was written to {printable(str(target))}.")
    if steps.count < result.events:
        last = steps.first + steps.count - 1
        held = f"steps {steps.first:,} to {last:,}" if steps.count else "none"
        say(f"Of its {result.events:,} steps it has {held} to look at; --report-from N chooses others.")


def _save(result: Replay, log: Path, target: Path) -> str | None:
    """Where the prefix was saved. One that cannot be is said so, and does not change the verdict."""
    if result.failure is None:
        return None
    try:
        save_prefix(log, target, result.failure.events)
    except LogError as error:
        say(f"The prefix was not saved: {error}")
        return None
    say(f"The prefix was saved to {printable(str(target))}.")
    return str(target)


def _save_state(result: Replay, log: Path, target: Path) -> None:
    from riskcore.log_files import check_target
    from riskcore.snapshot import save_state

    with writing(target, b'{"accounts":{', "snapshot"):
        check_target(log, target, result.header.snapshot)
        save_state(result.state, target)


@click.command("explain")
@click.argument("log", type=click.Path(path_type=Path))
@click.option(
    "--event", "wanted", required=True, metavar="N|ID", help="Its number, from 1, or its id (of digits: id:7)."
)
@click.option("--account", metavar="ID", help="Whose margin; default: the account that the event is about.")
@click.option(
    "--under", "rulebook", metavar="NAME|FILE", help="And what this preset or rulebook would have made of it."
)
@click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def explain_command(log: Path, wanted: str, account: str | None, rulebook: str | None, output: str) -> None:
    """Say why event N of LOG did what it did, or was rejected: margin, stages, queue, roundings, laws.

    LOG is replayed up to the event, and not read beyond it. Exit codes: 0, 1 a law is violated by the event, 2 bad
    input.
    """
    from riskcore.explain.as_json import to_json
    from riskcore.explain.explanation import explain
    from riskcore.explain.moment import reach
    from riskcore.explain.text import print_explanation

    with refusing():
        with with_lasting_values(), show_progress(Console(stderr=True), in_bytes=True) as progress:
            moment = reach(log, wanted, progress)
        found = explain(moment, account, rulebook)
        if output == "json":
            show(json.dumps(to_json(found)) + "\n")
        else:
            show(render(lambda console: print_explanation(found, console)))
    sys.exit(0 if found.is_lawful else 1)
