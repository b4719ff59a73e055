"""``riskcore import``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from riskcore.commands.output import (
    FORMAT,
    refusing,
    render,
    show,
    show_progress,
    with_lasting_values,
    writing,
)

if TYPE_CHECKING:
    from riskcore.importing.reconcile import Reconciliation


@click.group("import")
def import_group() -> None:
    """Fills as venues and clients give them: checked against their own columns, and made into a log (IMPORT.md).

    Exit codes: 0 all reconciled, 1 divergences, 2 bad input, 3 nothing could be checked.
    """


_OUT = click.option("--out", type=click.Path(path_type=Path), metavar="LOG", help="Where the log is written.")

_RULES = click.option(
    "--rules", metavar="NAME|FILE", help="With --out: whose margin rates; default: 10 % initial, 5 % maintenance."
)

_FILES = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))


@import_group.command("hyperliquid")
@_FILES
@click.option("--before", type=click.Path(path_type=Path), metavar="STATE", help="clearinghouseState before the first.")
@click.option("--after", type=click.Path(path_type=Path), metavar="STATE", help="clearinghouseState after the last.")
@_OUT
@_RULES
@FORMAT
def import_hyperliquid_command(
    files: tuple[Path, ...], before: Path | None, after: Path | None, out: Path | None, rules: str | None, output: str
) -> None:
    """Fills and misc events, as nodes write them or the API answers them; a state may be an object of them by user.

    Exit codes: 0 all reconciled, 1 divergences, 2 bad input, 3 nothing could be checked.
    """
    from riskcore.importing.run import import_hyperliquid

    _import(lambda progress: import_hyperliquid(files, before, after, progress), out, rules, output)


@import_group.command("ccxt")
@_FILES
@click.option("--positions", type=click.Path(path_type=Path), metavar="FILE", help="fetch_positions after the last.")
@_OUT
@_RULES
@FORMAT
def import_ccxt_command(
    files: tuple[Path, ...], positions: Path | None, out: Path | None, rules: str | None, output: str
) -> None:
    """What fetch_my_trades gives; each of several files is an account.

    Exit codes: 0 all reconciled, 1 divergences, 2 bad input, 3 nothing could be checked.
    """
    from riskcore.importing.run import import_ccxt

    _import(lambda progress: import_ccxt(files, positions, progress), out, rules, output)


@import_group.command("csv")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--mapping", required=True, type=click.Path(path_type=Path), metavar="MAP.toml", help="What columns mean."
)
@_OUT
@_RULES
@FORMAT
def import_csv_command(file: Path, mapping: Path, out: Path | None, rules: str | None, output: str) -> None:
    """A CSV file of fills, whose columns, words and units a TOML file names.

    Exit codes: 0 all reconciled, 1 divergences, 2 bad input, 3 nothing could be checked.
    """
    from riskcore.importing.run import import_table

    _import(lambda progress: import_table(file, mapping, progress), out, rules, output)


def _import(
    read: Callable[[Callable[[int, int], None] | None], Reconciliation],
    out: Path | None,
    rules: str | None,
    output: str,
) -> None:
    from riskcore.importing.report import print_import, to_json
    from riskcore.importing.rules import find_margins
    from riskcore.importing.run import finish_import

    if rules is not None and out is None:
        raise click.UsageError("--rules goes with --out: they are those of the log")
    with refusing(), nullcontext() if out is None else writing(out, b'"riskcore_log"', "log"):
        margins = find_margins(rules)
        with with_lasting_values(), show_progress(Console(stderr=True), "reading") as progress:
            result = read(progress)
        imported = finish_import(result, out, margins)
    if output == "json":
        show(json.dumps(to_json(imported)) + "\n")
    else:
        show(render(lambda console: print_import(imported, console)))
    sys.exit(result.findings.exit_code)
