"""``riskcore rulebook``: what presets and files say and promise, how two differ, one made of market data."""

from __future__ import annotations

import json
import os
import sys
from fractions import Fraction
from pathlib import Path

import click
from rich.console import Console

from riskcore.bad_input import Fault, LogError, get_cause, printable
from riskcore.commands.output import (
    BAD_INPUT,
    FORMAT,
    INTERRUPTED,
    refusing,
    render,
    say,
    show,
    show_progress,
)
from riskcore.units import parse_decimal


@click.group("rulebook")
def rulebook_group() -> None:
    """Presets and rulebooks: what they say, what they promise, how two differ."""


@rulebook_group.command("list")
@FORMAT
def list_command(output: str) -> None:
    """The presets: venue, whether published cases verify its figures, markets."""
    from riskcore.rulebook_show import print_list, to_list_json

    show(json.dumps(to_list_json()) + "\n" if output == "json" else render(print_list))


@rulebook_group.command("show")
@click.argument("name")
@FORMAT
def show_command(name: str, output: str) -> None:
    """Every figure of NAME, a preset or a file, with its source.

    Exit codes: 0, 2 bad input.
    """
    from riskcore.rulebook_show import find_rulebook, print_rulebook, to_show_json

    with refusing():
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

    with refusing():
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
@FORMAT
def diff_command(first: str, second: str, state: Path | None, atom: str, output: str) -> None:
    """How FIRST and SECOND, presets or files, differ; and what each makes of a state.

    Exit codes: 0, 2 bad input.
    """
    from riskcore.rulebook_diff import carry_over, get_differences, get_fate, print_diff, put_under, to_json
    from riskcore.rulebook_show import find_rulebook, get_shown_status
    from riskcore.snapshot import load_state

    names, fates = (first, second), None
    with refusing():
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
