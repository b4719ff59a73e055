"""``riskcore convert`` and ``riskcore diff``: logs and states as files."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from riskcore.bad_input import printable
from riskcore.commands.output import refusing, show, show_progress, with_lasting_values, writing


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
