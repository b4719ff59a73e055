"""``riskcore convert`` and ``riskcore diff``: logs and states as files."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from rich.console import Console

from riskcore.bad_input import printable
from riskcore.commands.output import FORMAT, refusing, render, show, show_progress, with_lasting_values, writing


@click.command("convert")
@click.argument("log", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
def convert_command(log: Path, out: Path) -> None:
    """Write LOG to OUT in another way: .parquet is Parquet, .gz and .zst compressed lines, any other name lines.

    Figures come out in native units; the state hash is the same. Exit codes: 0, 2 bad input.
    """
    from riskcore.convert import convert_log

    bar = show_progress(Console(stderr=True), "converting", in_bytes=True)
    with refusing(), writing(out, b'"riskcore_log"', "log"), with_lasting_values(), bar as progress:
        count = convert_log(log, out, progress)
    show(f"{count:,} events in {printable(str(out))}\n")


@click.command("diff")
@click.argument("first", type=click.Path(path_type=Path))
@click.argument("second", type=click.Path(path_type=Path))
@FORMAT
def diff_command(first: Path, second: Path, output: str) -> None:
    """Which accounts, markets and fields differ between two states: snapshots, or logs for the states they lead to.

    Exit codes: 0 the same, 1 different, 2 bad input.
    """
    from riskcore.state_diff import compare_states, print_comparison, read_state, to_json

    with refusing():
        bar = show_progress(Console(stderr=True), in_bytes=True)
        with with_lasting_values(), bar as progress:
            comparison = compare_states(*(read_state(path, progress) for path in (first, second)))
        if output == "json":
            show(json.dumps(to_json(comparison)) + "\n")
        else:
            names = str(first), str(second)
            show(render(lambda console: print_comparison(comparison, names, console)))
    sys.exit(1 if comparison.differences else 0)
