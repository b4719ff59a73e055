"""``riskcore vectors``, ``riskcore conform`` and ``riskcore fuzz``: the kernel against others."""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from riskcore.bad_input import printable
from riskcore.commands.output import (
    FORMAT,
    check_name,
    refusing,
    render,
    say,
    show,
    show_progress,
)


@click.command("vectors")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--event", "events", multiple=True, metavar="NAME", help="Only the cases of this event; may be repeated.")
@click.option("--suite", type=click.Choice(["paths", "walks"]), help="Only this suite.")
@click.option("--jobs", type=click.IntRange(min=1), default=None, help="Processes; default: one per core.")
def vectors_command(folder: Path, events: tuple[str, ...], suite: str | None, jobs: int | None) -> None:
    """Write conformance vectors into DIR, for engines in any language: CONFORMANCE.md has the format.

    DIR is new or empty, or has vectors, which are replaced. Exit codes: 0, 2 bad input, 3 a path is left out for want
    of a model.
    """
    from riskcore.conformance.suites import SUITES, make_vectors
    from riskcore.conformance.vectors import check_target, get_kernel, write_vectors
    from riskcore.conformance.wire import EVENT_NAMES

    for event in events:
        check_name("--event", event, EVENT_NAMES)
    with refusing():
        check_target(folder)
        with show_progress(Console(stderr=True), "tracing") as progress:
            suites, kernel = SUITES if suite is None else (suite,), get_kernel()
            made = make_vectors(events or EVENT_NAMES, suites, kernel, jobs or os.cpu_count() or 1, progress)
        written = write_vectors(folder, made, kernel)
    for line in written.left_out:
        say(f"Left out: {line}")
    show(f"{printable(str(folder))}: {written.cases:,} cases of {len(written.counts)} events, kernel {kernel}\n")
    sys.exit(0 if written.cases and not any("no_model" in line for line in written.left_out) else 3)


@click.command("conform")
@click.argument("command", nargs=-1, required=True, metavar="-- CMD ...")
@click.option(
    "--vectors", type=click.Path(path_type=Path), metavar="DIR", help="Run the cases that vectors wrote there."
)
@click.option("--events", metavar="A,B", help="Only cases of these events, and walks of these.")
@click.option("--fuzz", type=click.IntRange(min=0), metavar="N", help="Events of random walks; 2000 without vectors.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the walks.")
@click.option("--timeout", type=click.FloatRange(min=0.01), default=10.0, show_default=True, help="Seconds per answer.")
@click.option("--time-limit", type=click.FloatRange(min=1), default=900.0, show_default=True, help="Seconds in all.")
@click.option("--save", type=click.Path(path_type=Path), metavar="DIR", help="Write the divergence there.")
@click.option("--format", "output", type=click.Choice(["text", "json", "junit"]), default="text", show_default=True)
def conform_command(
    command: tuple[str, ...],
    vectors: Path | None,
    events: str | None,
    fuzz: int | None,
    seed: int,
    timeout: float,
    time_limit: float,
    save: Path | None,
    output: str,
) -> None:
    """Drive the engine CMD over standard input and output, and compare it with the kernel event by event.

    Exit codes: 0 conforms, 1 diverges, 2 bad input, 3 inconclusive. CONFORMANCE.md has the protocol.
    """
    from riskcore.conformance.cases import list_cases
    from riskcore.conformance.conform import Order, conform
    from riskcore.conformance.keep import keep
    from riskcore.conformance.peer import Limits
    from riskcore.conformance.report import EXIT_CODES, get_json, get_junit, print_report
    from riskcore.conformance.wire import EVENT_NAMES

    wanted = None if events is None else frozenset(events.split(","))
    for event in sorted(wanted or ()):
        check_name("--events", event, EVENT_NAMES)
    with refusing():
        paths = () if vectors is None else tuple(list_cases(vectors))
        steps = (0 if paths else 2_000) if fuzz is None else fuzz
        order = Order(command, paths, wanted, steps, seed, Limits(timeout), time_limit)
        with show_progress(Console(stderr=True), "comparing") as progress:
            report = conform(order, progress)
        found = report.found or report.stopped
        kept = keep(found, save) if save is not None and found is not None else None
    if output == "json":
        show(json.dumps(get_json(report, kept)) + "\n")
    elif output == "junit":
        show(get_junit(report))
    else:
        show(render(lambda console: print_report(report, kept, console)))
    sys.exit(EXIT_CODES[report.verdict])


@click.command("fuzz")
@click.option("--steps", type=click.IntRange(min=1), help="Events to propose.  [default: 10000]")
@click.option("--seed", type=click.IntRange(min=0, max=2**64 - 1), help="What all walks come from.  [default: 0]")
@click.option("--rulebook", metavar="NAME|FILE", help="A preset, a file or a log; default: each walk draws its own.")
@click.option("--jobs", type=click.IntRange(min=1), default=None, help="Processes; default: one per core.")
@click.option("--dask", "address", metavar="ADDRESS", help="Instead, the Dask scheduler of several machines.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="For findings; default: riskcore-fuzz.")
@click.option("--resume", "folder", type=click.Path(path_type=Path), metavar="DIR", help="Go on with the run there.")
@FORMAT
def fuzz_command(jobs: int | None, address: str | None, folder: Path | None, output: str, **options: Any) -> None:
    """Walk at random and check every law after each step, against a naive model.

    What breaks a law is made short, and saved as a log for replay and as a test for pytest. With --resume, --steps
    makes a run longer.

    Exit codes: 0 all hold, 1 one is violated, 2 bad input, 3 inconclusive, 130 interrupted.
    """
    if not __debug__:
        raise click.UsageError("laws are checked by assertions, which python -O leaves out: run it without -O")
    given = [name for name in ("seed", "rulebook", "out") if options[name] is not None]
    if folder is not None and given:
        raise click.UsageError(f"--resume goes on with a run as it was begun, so --{given[0]} is one too many")
    from riskcore.testing.fuzzing.command import resume, start
    from riskcore.testing.fuzzing.report import get_verdict, print_report, to_json
    from riskcore.testing.fuzzing.session import WorkersDied

    with refusing():
        run = start(**options) if folder is None else resume(folder, options["steps"])
        try:
            with show_progress(Console(stderr=True), "fuzzing") as progress:
                run.go(jobs or os.cpu_count() or 1, address, progress)
        except WorkersDied:
            place = printable(str(run.folder))
            say(f"Processes ended before their work was done. riskcore fuzz --resume {place} goes on.")
        except KeyboardInterrupt:
            say(f"What was found is saved: riskcore fuzz --resume {printable(str(run.folder))} goes on.")
            raise
    show(json.dumps(to_json(run)) + "\n" if output == "json" else render(partial(print_report, run)))
    sys.exit({"HOLDS": 0, "VIOLATED": 1}.get(get_verdict(run.session), 3))
