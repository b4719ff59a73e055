"""The command line. Exit codes: 0 holds, 1 violated, 2 bad input or usage, 3 inconclusive."""

from __future__ import annotations

import gc
import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from fractions import Fraction
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from riskcore.bad_input import Fault, LogError, get_cause, printable
from riskcore.replay import CHECKPOINT_EVERY, MonitorFactory, Replay, Verdict, replay, save_prefix
from riskcore.report import get_json, print_replay
from riskcore.units import parse_decimal

if TYPE_CHECKING:
    from riskcore.importing.reconcile import Reconciliation

EXIT_CODES: Final = {Verdict.HOLDS: 0, Verdict.VIOLATED: 1, Verdict.INCONCLUSIVE: 3}
BAD_INPUT: Final = 2
INTERRUPTED: Final = 130

#: Columns of the text where no terminal says how many it has.
_WIDTH: Final = 100


def _show_version(context: click.Context, option: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        show(f"riskcore {get_version()}\n")
        context.exit()


def get_version() -> str:
    """The installed distribution's version."""
    try:
        return version("riskcore")
    except PackageNotFoundError:
        return "(not installed)"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show the version."
)
def main() -> None:
    """The reference risk engine for perpetual swaps: exact, proven, replayable."""
    # what is read has a limit of its own, and what grows out of that is bounded
    sys.set_int_max_str_digits(0)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@main.command("replay")
@click.argument("log", type=click.Path(path_type=Path))
@click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--laws/--no-laws", default=True, show_default=True, help="Check the laws after each event.")
@click.option(
    "--checkpoint-every",
    type=click.IntRange(min=1),
    default=CHECKPOINT_EVERY,
    show_default=True,
    metavar="N",
    help="Events between two checks of everything.",
)
@click.option(
    "--save-prefix",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where a law breaks, write the shortest part of the log that shows it.",
)
@click.option("--rules", type=click.Path(path_type=Path), metavar="FILE.py", help="Run with the rules of this file.")
def replay_command(
    log: Path, output: str, laws: bool, checkpoint_every: int, save_prefix: Path | None, rules: Path | None
) -> None:
    """Replay LOG, a JSONL event log, and check every law on the way.

    Exit codes: 0 all laws hold, 1 one is violated, 2 bad input, 3 inconclusive.
    """
    if str(log) == "-":
        raise click.UsageError("standard input is not supported: a log may be read twice, so name a file")
    try:
        with _with_rules(rules) as get_monitor:
            result = _replay(log, get_monitor if laws else None, checkpoint_every)
        saved = None if save_prefix is None else _save(result, log, save_prefix)
        _print(result, str(log), output, saved, None if rules is None else str(rules))
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


def _replay(log: Path, get_monitor: Callable[[], MonitorFactory] | None, checkpoint_every: int) -> Replay:
    with _with_lasting_values(), show_progress(Console(stderr=True)) as progress:
        monitor = None if get_monitor is None else get_monitor()
        return replay(log, monitor, checkpoint_every=checkpoint_every, progress=progress)


@contextmanager
def _with_lasting_values() -> Iterator[None]:
    """The collector looks at young objects only: states hold no cycles, and to scan old ones costs a sixth more."""
    thresholds = gc.get_threshold()
    gc.set_threshold(50_000, 20, 1_000_000)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


@contextmanager
def show_progress(console: Console, what: str = "replaying") -> Iterator[Callable[[int, int], None] | None]:
    """A bar that goes away when it is done; ``None`` where nobody would see it."""
    if not console.is_terminal:
        yield None
        return
    columns = (TextColumn(what), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _print(result: Replay, file: str, output: str, saved: str | None, rules: str | None) -> None:
    if output == "json":
        show(json.dumps(get_json(result, file, saved, rules)) + "\n")
        return
    show(render(lambda console: print_replay(result, file, console, saved, rules)))


def show(text: str) -> None:
    """Print to standard output. Where that fails the exit code is no verdict, since nobody has seen one."""
    try:
        click.echo(text, nl=False, color=True)
    except OSError as error:
        _give_up(sys.stdout)
        if not isinstance(error, BrokenPipeError):
            say(f"Error: standard output: expected a place that can be written, got {get_cause(error)}")
        sys.exit(BAD_INPUT)


def say(text: str) -> None:
    """Print a line to standard error; where that fails there is nobody to tell."""
    try:
        click.echo(text, err=True)
    except OSError:
        _give_up(sys.stderr)


def _give_up(stream: TextIO) -> None:
    """Let what the stream still holds go nowhere, so that its last flush does not fail too."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def render(write: Callable[[Console], None]) -> str:
    """What is written to a console like the terminal, or else to a pipe of a fixed width."""
    screen = Console()
    width = screen.width if screen.is_terminal else _WIDTH
    console = Console(file=io.StringIO(), force_terminal=screen.is_terminal, width=width, highlight=False)
    with console.capture() as capture:
        write(console)
    return capture.get()


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


@main.command("explain")
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

    with _refusing():
        with _with_lasting_values(), show_progress(Console(stderr=True)) as progress:
            moment = reach(log, wanted, progress)
        found = explain(moment, account, rulebook)
        if output == "json":
            show(json.dumps(to_json(found)) + "\n")
        else:
            show(render(lambda console: print_explanation(found, console)))
    sys.exit(0 if found.is_lawful else 1)


@main.command("verify")
@click.option("--law", metavar="ID", help="Only the obligations of one law.")
@click.option("--event", metavar="NAME", help="Only the obligations of one event, named as in logs.")
@click.option("--jobs", type=click.IntRange(min=1), default=None, help="Processes; default: one per core.")
@click.option("--export", type=click.Path(path_type=Path), metavar="DIR", help="Write each obligation as SMT-LIB 2.")
@click.option("--cross-check", is_flag=True, help="Ask cvc5 each question too; to disagree is a violation.")
@click.option(
    "--cross-check-seconds",
    type=click.FloatRange(min=0.1, max=3600),
    default=3.0,
    show_default=True,
    metavar="S",
    help="What cvc5 has for a question, before it counts as no answer.",
)
@click.option("--write-ledger", type=click.Path(path_type=Path), metavar="FILE", help="Record every verdict.")
@click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--rules", type=click.Path(path_type=Path), metavar="FILE.py", help="Prove the rules of this file.")
def verify_command(law: str | None, event: str | None, output: str, rules: Path | None, **options: Any) -> None:
    """Prove every law of every event over the source that is installed here.

    With --rules, prove of a file's own functions what the laws rely on of the kernel's (RULES.md).

    Exit codes: 0 all proven, 1 one is violated, 2 bad input or usage, 3 inconclusive.
    """
    if rules is not None:
        if law or event or options["export"] or options["cross_check"] or options["write_ledger"]:
            raise click.UsageError("--rules goes without --law, --event, --export, --cross-check and --write-ledger")
        _verify_rules(rules, options["jobs"], output)
    from riskcore.prover.second import is_installed
    from riskcore.verify import Selection, get_law_ids, get_unit_names
    from riskcore.verify_run import Order, get_exit_code, print_run, run, to_json

    _check_name("--law", law, get_law_ids())
    _check_name("--event", event, tuple(name for name in get_unit_names() if not name.startswith("lemma:")))
    selection = Selection(law, event)
    if options["write_ledger"] is not None and not selection.is_everything:
        raise click.UsageError("--write-ledger records everything, so it goes without --law and --event")
    if options["cross_check"] and not is_installed():
        raise click.UsageError("--cross-check needs cvc5: pip install 'riskcore[cross-check]', or pip install cvc5")
    seconds = options["cross_check_seconds"] if options["cross_check"] else None
    order = Order(
        selection, options["jobs"] or os.cpu_count() or 1, options["export"], seconds, options["write_ledger"]
    )
    with _refusing():
        with show_progress(Console(stderr=True), "proving") as progress:
            report = None if progress is None else (lambda unit, done, total: progress(done, total))
            done = run(order, report)
        if output == "json":
            show(json.dumps(to_json(done)) + "\n")
        else:
            show(render(lambda console: print_run(done, console)))
    sys.exit(get_exit_code(done))


@main.command("vectors")
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
        _check_name("--event", event, EVENT_NAMES)
    with _refusing():
        check_target(folder)
        with show_progress(Console(stderr=True), "tracing") as progress:
            suites, kernel = SUITES if suite is None else (suite,), get_kernel()
            made = make_vectors(events or EVENT_NAMES, suites, kernel, jobs or os.cpu_count() or 1, progress)
        written = write_vectors(folder, made, kernel)
    for line in written.left_out:
        say(f"Left out: {line}")
    show(f"{printable(str(folder))}: {written.cases:,} cases of {len(written.counts)} events, kernel {kernel}\n")
    sys.exit(0 if written.cases and not any("no_model" in line for line in written.left_out) else 3)


@main.command("conform")
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
        _check_name("--events", event, EVENT_NAMES)
    with _refusing():
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


def _verify_rules(rules: Path, jobs: int | None, output: str) -> None:
    from riskcore.own_rules.files import read_rules
    from riskcore.own_rules.proof import check_all
    from riskcore.own_rules.report import get_verdict, print_findings, to_json

    started = time.perf_counter()
    with _refusing():
        file = read_rules(rules)
        with show_progress(Console(stderr=True), "proving") as progress:
            findings = check_all(file, jobs or os.cpu_count() or 1, progress)
    seconds = time.perf_counter() - started
    if output == "json":
        show(json.dumps(to_json(file, findings, seconds)) + "\n")
    else:
        show(render(lambda console: print_findings(file, findings, seconds, console)))
    sys.exit({"PROVED": 0, "VIOLATED": 1}.get(get_verdict(file, findings), 3))


@main.command("mutate")
@click.option("--module", metavar="NAME", help="Only mutants of this module of the kernel.")
@click.option("--function", metavar="NAME", help="Only of this function, or Class.method; with --module.")
@click.option("--changed", metavar="BASE", help="Only of functions that differ from this commit's.")
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="So many, spread evenly.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the sample.")
@click.option("--by", type=click.Choice(["proofs", "tests", "both"]), default="both", show_default=True)
@click.option("--jobs", type=click.IntRange(min=1), default=None, help="Processes; default: one per core.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Keep results there, and go on from them.")
@click.option("--format", "output", type=click.Choice(["text", "json", "page"]), default="text", show_default=True)
def mutate_command(by: str, jobs: int | None, out: Path | None, output: str, **options: Any) -> None:
    """Plant small wrong changes in the kernel, and say which the proofs find, and which the tests.

    Tests are run from a checkout; proofs from anywhere.

    Exit codes: 0 all are found or known to be no faults, 1 one survives, 2 bad input or usage, 3 one is unknown.
    """
    from riskcore.mutation.campaign import run
    from riskcore.mutation.checking import is_checkout
    from riskcore.mutation.score import get_exit_code, to_json, to_page, to_text
    from riskcore.mutation.selection import Wanted, get_function_names, select
    from riskcore.mutation.types import KERNEL

    wanted = Wanted(**options)
    _check_name("--module", wanted.module, tuple(KERNEL))
    if wanted.function is not None:
        if wanted.module is None:
            raise click.UsageError("--function needs --module")
        _check_name("--function", wanted.function, get_function_names(wanted.module))
    if by != "proofs" and not is_checkout():
        raise click.UsageError(f"--by {by}: the tests are not installed; run it in a checkout, or --by proofs")
    with _refusing():
        mutants = select(wanted)
        with show_progress(Console(stderr=True), "hunting") as progress:
            trials = run(mutants, by, jobs or os.cpu_count() or 1, out, progress)
    if output == "json":
        show(json.dumps(to_json(trials, by)) + "\n")
    else:
        show(to_page(trials, by, wanted.get_command(by)) if output == "page" else to_text(trials, by))
    sys.exit(get_exit_code(trials))


@main.group("rulebook")
def rulebook_group() -> None:
    """Presets and rulebooks: what they say, what they promise, how two differ."""


_FORMAT = click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True)


@rulebook_group.command("list")
@_FORMAT
def list_command(output: str) -> None:
    """The presets: venue, whether published cases verify its figures, markets."""
    from riskcore.rulebook_show import print_list, to_list_json

    show(json.dumps(to_list_json()) + "\n" if output == "json" else render(print_list))


@rulebook_group.command("show")
@click.argument("name")
@_FORMAT
def show_command(name: str, output: str) -> None:
    """Every figure of NAME, a preset or a file, with its source.

    Exit codes: 0, 2 bad input.
    """
    from riskcore.rulebook_show import find_rulebook, print_rulebook, to_show_json

    with _refusing():
        file = find_rulebook(name)
        if output == "json":
            show(json.dumps(to_show_json(file, name)) + "\n")
        else:
            show(render(lambda console: print_rulebook(file, name, console)))


@rulebook_group.command("from")
@click.argument("shape", type=click.Choice(["ccxt", "binance", "hyperliquid"]))
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="FILE", help="Where the rulebook goes.")
@click.option("--like", metavar="NAME|FILE", help="Whose choices hold for all markets; default: the shape's preset.")
@click.option("--atom", default="0.000001", show_default=True, help="Quote currency of an atom.")
@click.option("--taker", metavar="RATE", help="Taker fee, as 0.0005, where the data has none.")
@click.option("--maker", metavar="RATE", help="Maker fee; below zero a rebate.")
@click.option("--liquidation-fee", metavar="RATE", help="Fee of a liquidation, where the data has none.")
def from_command(shape: str, files: tuple[Path, ...], out: Path, like: str | None, **options: str | None) -> None:
    """Make a rulebook's file out of market data.

    \b
    ccxt         TIERS MARKETS: what fetch_leverage_tiers and load_markets give; needs --like
    binance      BRACKETS [EXCHANGE_INFO]: leverageBracket and exchangeInfo; needs --taker and --maker
    hyperliquid  META: the answer meta; needs --taker and --maker

    Exit codes: 0, 2 bad input.
    """
    from riskcore.rulebook_make import Order, make_rulebook_file, save_rulebook_file

    with _refusing():
        fees = {name: _read_rate(name, options[name]) for name in ("taker", "maker", "liquidation_fee")}
        atom = _read_atom(options["atom"] or "")
        file = save_rulebook_file(make_rulebook_file(Order(shape, files, like, atom, **fees)), out)
        show(f"{printable(str(out))}: {len(file.markets)} markets, {', '.join(map(printable, file.markets))}\n")


def _read_rate(name: str, text: str | None) -> Fraction | None:
    if text is None:
        return None
    try:
        digits, scale = parse_decimal(text)
    except Fault:
        digits = scale = 1
    if abs(digits) >= scale:
        raise click.UsageError(f"--{name.replace('_', '-')} {text}: expected a rate like 0.0005, between -1 and 1")
    return Fraction(digits, scale)


@rulebook_group.command("diff")
@click.argument("first")
@click.argument("second")
@click.option("--state", type=click.Path(path_type=Path), metavar="SNAPSHOT", help="Liquidate this state under both.")
@click.option("--atom", default="0.01", show_default=True, help="Quote currency of one of the state's atoms.")
@_FORMAT
def diff_command(first: str, second: str, state: Path | None, atom: str, output: str) -> None:
    """How FIRST and SECOND, presets or files, differ; and what each makes of a state.

    Exit codes: 0, 2 bad input.
    """
    from riskcore.rulebook_diff import carry_over, get_differences, get_fate, print_diff, put_under, to_json
    from riskcore.rulebook_show import find_rulebook, get_shown_status
    from riskcore.snapshot import load_state

    names, fates = (first, second), None
    with _refusing():
        files = find_rulebook(first), find_rulebook(second)
        if state is not None:
            loaded, unit = load_state(state), _read_atom(atom)
            left, right = (carry_over(file, name, unit) for file, name in zip(files, names, strict=True))
            fates = get_fate(put_under(loaded, left, first)), get_fate(put_under(loaded, right, second))
        differences = get_differences(*files)
        statuses = get_shown_status(files[0], first), get_shown_status(files[1], second)
        if output == "json":
            show(json.dumps(to_json(names, differences, fates, statuses)) + "\n")
        else:
            show(render(lambda console: print_diff(names, differences, fates, statuses, console)))


def _read_atom(text: str) -> Fraction:
    try:
        digits, scale = parse_decimal(text)
    except Fault:
        digits = scale = 0
    if digits <= 0:
        raise click.UsageError(f"--atom {text}: expected a decimal string above zero")
    return Fraction(digits, scale)


@contextmanager
def _refusing() -> Iterator[None]:
    """What cannot be read is said in one sentence, with exit code 2."""
    try:
        yield
    except LogError as error:
        say(f"Error: {error}")
        sys.exit(BAD_INPUT)
    except KeyboardInterrupt:
        say("Interrupted.")
        sys.exit(INTERRUPTED)


@rulebook_group.command("check")
@click.argument("file")
@click.option("--harm", type=click.Path(path_type=Path), metavar="DIR", help="Write the log of each refutation there.")
@click.option("--jobs", type=click.IntRange(min=1), default=None, help="Processes; default: one per core.")
@click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def check_command(file: str, harm: Path | None, jobs: int | None, output: str) -> None:
    """Say which laws hang on the choices of FILE, a preset's name, a rulebook or a log, and prove or refute each.

    Exit codes: 0 each is proven or refuted, 1 a proof fails, 2 bad input, 3 one is open.
    """
    from riskcore.rulebook_check import check_rulebook, get_exit_code, print_promises, save_harms, to_json
    from riskcore.rulebook_show import find_rulebook, get_shown_status

    try:
        read = find_rulebook(file)
        with show_progress(Console(stderr=True), "checking") as progress:
            promises = check_rulebook(read, jobs or os.cpu_count() or 1, progress)
        saved = {} if harm is None else save_harms(promises, harm)
    except LogError as error:
        say(f"Error: {error}")
        sys.exit(BAD_INPUT)
    except OSError as error:
        say(f"Error: --harm {printable(str(harm))}: expected a folder that can be written, got {get_cause(error)}")
        sys.exit(BAD_INPUT)
    except KeyboardInterrupt:
        say("Interrupted.")
        sys.exit(INTERRUPTED)
    status = get_shown_status(read, file)
    if output == "json":
        show(json.dumps(to_json(promises, saved) | {"status": status}) + "\n")
    else:
        show(render(lambda console: print_promises(promises, printable(file), saved, console, status)))
    sys.exit(get_exit_code(promises))


@main.command("price")
@click.option("--venue", metavar="NAME|FILE", help="A preset, or a rulebook's file with units.")
@click.option("--market", metavar="NAME")
@click.option("--side", type=click.Choice(["long", "short"]))
@click.option("--size", metavar="DECIMAL", help="Base units.")
@click.option("--entry", metavar="DECIMAL", help="Price of the entry.")
@click.option("--margin", metavar="DECIMAL", help="Quote currency that the position can lose.")
@click.option("--mark", metavar="DECIMAL", help="Mark price; default: the entry.")
@click.option("--file", "path", type=click.Path(path_type=Path), help="A JSON object with these instead.")
@click.option("--positions", type=click.Path(path_type=Path), metavar="FILE", help="All of an account: see below.")
@click.option("--wallet", metavar="DECIMAL", help="With ccxt's --positions: balance that cross positions share.")
@_FORMAT
def price_command(
    path: Path | None, positions: Path | None, wallet: str | None, output: str, **options: str | None
) -> None:
    """Liquidation and bankruptcy price, margin, leverage and ADL score of one position by a venue's rules.

    With --positions, of every position of an account, as ccxt's fetch_positions or Hyperliquid's clearinghouseState
    give them, each while the others stay as they are; --venue says whose rules.

    Exit codes: 0, 2 bad input.
    """
    from riskcore.price_report import answer, make_question, print_quote, read_question, to_json

    if positions is not None:
        _price_accounts(positions, wallet, path, output, options)
        return
    if wallet is not None:
        raise click.UsageError("--wallet goes with --positions")
    members: dict[str, object] = {name: text for name, text in options.items() if text is not None}
    if path is not None and members:
        raise click.UsageError(f"--file has the whole position, so --{next(iter(members))} is one too many")
    with _refusing():
        place = f"{path}: " if path is not None else "--"
        try:
            question = make_question(members) if path is None else read_question(path)
            quote, status = answer(question)
        except Fault as fault:
            say(f"Error: {printable(place)}{fault.field}: expected {fault.expected}, got {fault.got}")
            sys.exit(BAD_INPUT)
        if output == "json":
            show(json.dumps(to_json(question, quote, status)) + "\n")
        else:
            show(render(lambda console: print_quote(question, quote, status, console)))


def _price_accounts(
    positions: Path, wallet: str | None, path: Path | None, output: str, options: dict[str, str | None]
) -> None:
    from riskcore.price_report import accounts_to_json, answer_accounts, print_accounts, read_accounts

    venue = options.pop("venue")
    others = [name for name, text in options.items() if text is not None] + (["file"] if path is not None else [])
    if others:
        raise click.UsageError(f"--positions has the positions, so --{others[0]} is one too many")
    if venue is None:
        raise click.UsageError("--positions needs --venue: whose rules are asked")
    with _refusing():
        data = read_accounts(positions, None if wallet is None else _read_wallet(wallet))
        quotes, status = answer_accounts(venue, data)
        if output == "json":
            show(json.dumps(accounts_to_json(venue, quotes, status)) + "\n")
        else:
            show(render(lambda console: print_accounts(venue, quotes, status, console)))


def _read_wallet(text: str) -> Fraction:
    try:
        return Fraction(*parse_decimal(text))
    except Fault as fault:
        raise click.UsageError(f"--wallet {text}: expected {fault.expected}") from None


@main.group("import")
def import_group() -> None:
    """Fills as venues and clients give them: checked against their own columns, and made into a log (IMPORT.md).

    Exit codes: 0 all reconciled, 1 divergences, 2 bad input, 3 nothing could be checked.
    """


_OUT = click.option("--out", type=click.Path(path_type=Path), metavar="LOG", help="Where the log is written.")
_FILES = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))


@import_group.command("hyperliquid")
@_FILES
@click.option("--before", type=click.Path(path_type=Path), metavar="STATE", help="clearinghouseState before the first.")
@click.option("--after", type=click.Path(path_type=Path), metavar="STATE", help="clearinghouseState after the last.")
@_OUT
@_FORMAT
def import_hyperliquid_command(
    files: tuple[Path, ...], before: Path | None, after: Path | None, out: Path | None, output: str
) -> None:
    """Fills and misc events, as nodes write them or the API answers them; a state may be an object of them by user.

    Exit codes: 0 all reconciled, 1 divergences, 2 bad input, 3 nothing could be checked.
    """
    from riskcore.importing.run import import_hyperliquid

    _import(lambda progress: import_hyperliquid(files, before, after, progress), out, output)


@import_group.command("ccxt")
@_FILES
@click.option("--positions", type=click.Path(path_type=Path), metavar="FILE", help="fetch_positions after the last.")
@_OUT
@_FORMAT
def import_ccxt_command(files: tuple[Path, ...], positions: Path | None, out: Path | None, output: str) -> None:
    """What fetch_my_trades gives; each of several files is an account.

    Exit codes: 0 all reconciled, 1 divergences, 2 bad input, 3 nothing could be checked.
    """
    from riskcore.importing.run import import_ccxt

    _import(lambda progress: import_ccxt(files, positions, progress), out, output)


@import_group.command("csv")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--mapping", required=True, type=click.Path(path_type=Path), metavar="MAP.toml", help="What columns mean."
)
@_OUT
@_FORMAT
def import_csv_command(file: Path, mapping: Path, out: Path | None, output: str) -> None:
    """A CSV file of fills, whose columns, words and units a TOML file names.

    Exit codes: 0 all reconciled, 1 divergences, 2 bad input, 3 nothing could be checked.
    """
    from riskcore.importing.run import import_table

    _import(lambda progress: import_table(file, mapping, progress), out, output)


def _import(read: Callable[[Callable[[int, int], None] | None], Reconciliation], out: Path | None, output: str) -> None:
    from riskcore.importing.report import print_import, to_json
    from riskcore.importing.run import finish_import

    with _refusing(), nullcontext() if out is None else _writing(out, b'"riskcore_log"', "log"):
        with _with_lasting_values(), show_progress(Console(stderr=True), "reading") as progress:
            result = read(progress)
        imported = finish_import(result, out)
    if output == "json":
        show(json.dumps(to_json(imported)) + "\n")
    else:
        show(render(lambda console: print_import(imported, console)))
    sys.exit(result.findings.exit_code)


@main.command("simulate")
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="LOG", help="Where the log is written.")
@click.option("--seed", type=click.IntRange(min=0, max=2**64 - 1), help="Instead of the scenario's own.")
@click.option(
    "--events",
    type=click.IntRange(min=1, max=10_000_000),
    default=1_000_000,
    show_default=True,
    metavar="N",
    help="End after the step with which there are so many.",
)
def simulate_command(scenario: Path, out: Path, seed: int | None, events: int) -> None:
    """Play SCENARIO, a TOML file of markets and agents, through orders, and write the log of it.

    The same scenario and seed give the same log everywhere. Exit codes: 0, 2 bad input.
    """
    from riskcore.log import write_log
    from riskcore.simulation.play import simulate
    from riskcore.simulation.scenario_file import read_scenario

    with _refusing(), _writing(out, b'"riskcore_log"', "log"):
        read = read_scenario(scenario)
        with _with_lasting_values(), show_progress(Console(stderr=True), "simulating") as progress:
            count = write_log(out, read.rulebook, read.units, simulate(read, seed, events, progress))
    show(f"{count:,} events in {printable(str(out))}, seed {read.seed if seed is None else seed}\n")


@main.command("picture")
@click.argument("log", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="FILE", help="Where the SVG is written.")
@click.option("--market", metavar="NAME", help="Default: that in which most was closed.")
def picture_command(log: Path, out: Path, market: str | None) -> None:
    """Draw LOG as one picture: prices, depth, what each stage of the waterfall closed, and the insurance fund.

    Exit codes: 0, 2 bad input.
    """
    from riskcore.cascade import read_cascade
    from riskcore.cascade_svg import draw_cascade
    from riskcore.files import write_whole

    with _refusing(), _writing(out, b"<svg", "picture"):
        with _with_lasting_values(), show_progress(Console(stderr=True), "drawing") as progress:
            cascade = read_cascade(log, market, progress)
        with write_whole(out) as file:
            file.write(draw_cascade(cascade).encode())
    show(f"{printable(cascade.market)} in {printable(str(out))}\n")


@main.command("fuzz")
@click.option("--steps", type=click.IntRange(min=1), help="Events to propose.  [default: 10000]")
@click.option("--seed", type=click.IntRange(min=0, max=2**64 - 1), help="What all walks come from.  [default: 0]")
@click.option("--rulebook", metavar="NAME|FILE", help="A preset, a file or a log; default: each walk draws its own.")
@click.option("--jobs", type=click.IntRange(min=1), default=None, help="Processes; default: one per core.")
@click.option("--dask", "address", metavar="ADDRESS", help="Instead, the Dask scheduler of several machines.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="For findings; default: riskcore-fuzz.")
@click.option("--resume", "folder", type=click.Path(path_type=Path), metavar="DIR", help="Go on with the run there.")
@_FORMAT
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

    with _refusing():
        run = start(**options) if folder is None else resume(folder, options["steps"])
        try:
            with show_progress(Console(stderr=True), "fuzzing") as progress:
                run.go(jobs or os.cpu_count() or 1, address, progress)
        except WorkersDied:
            say(f"Processes ended before their work was done. riskcore fuzz --resume {run.folder} goes on.")
        except KeyboardInterrupt:
            say(f"What was found is saved: riskcore fuzz --resume {run.folder} goes on.")
            raise
    show(json.dumps(to_json(run)) + "\n" if output == "json" else render(partial(print_report, run)))
    sys.exit({"HOLDS": 0, "VIOLATED": 1}.get(get_verdict(run.session), 3))


@contextmanager
def _writing(out: Path, mark: bytes, noun: str) -> Iterator[None]:
    """The block writes to ``out``, which must be new, or begin as an earlier one does: nothing else is replaced."""
    expected = f"a place for a {noun}"
    try:
        if out.is_file():
            with open(out, "rb") as file:
                first = file.read(200)
            if first and mark not in first:
                raise LogError(str(out), None, None, f"a new file, or an earlier {noun}", "another file")
        yield
    except (OSError, ValueError) as error:
        raise LogError(str(out), None, None, expected, get_cause(error)) from None


def _check_name(option: str, value: str | None, known: tuple[str, ...]) -> None:
    if value is not None and value not in known:
        raise click.UsageError(f"{option} {value}: there is none of that name; known: {', '.join(known)}")


if __name__ == "__main__":
    main()
