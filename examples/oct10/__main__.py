"""The command: reads the data, plays the policies, says what was found, and writes the report."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import click
from rich.console import Console

from examples.oct10_study import FILE, SHARES_PPM, VARIABLE, read_winners
from riskcore import html_report
from riskcore.bad_input import LogError, printable
from riskcore.commands.output import check_place, refusing, say, show, show_progress, writing
from riskcore.files import write_whole
from riskcore.quantities import RATE_ONE


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), envvar=VARIABLE)
@click.option(
    "--report", required=True, type=click.Path(path_type=Path), metavar="FILE.html", help="Where to write it."
)
def main(folder: Path, report: Path) -> None:
    """What was published of 10 October 2025, what of it holds, and who pays under each policy.

    FOLDER holds the data (STUDY.md), or the environment's RISKCORE_DATA names it.
    """
    if not html_report.is_installed():
        raise click.UsageError("the report needs more packages: pip install 'riskcore[report]'")
    with refusing():
        _run(folder, report)


def _run(folder: Path, report: Path) -> None:
    # what draws is an extra, and is loaded only where it is there
    from examples.oct10.data import read_data
    from examples.oct10.laboratory import play_all
    from examples.oct10.page import MARK, make_page, make_study

    check_place(report, MARK, "report")
    data = read_data(folder)
    winners = read_winners(io.StringIO(data.text, newline=""))
    if sum(winner.lots for winner in winners.rows) * min(SHARES_PPM) < RATE_ONE:
        raise LogError(str(folder / FILE), None, None, "accounts that can be realised, of ten lots", "fewer")
    with show_progress(Console(stderr=True), "deleveraging") as tell:
        played = play_all(winners.rows, [wave.needed for wave in data.published.waves], tell)
    study = make_study(data, winners, played)
    with writing(report, MARK, "report"), write_whole(report) as file:
        for piece in make_page(study):
            file.write(piece.encode())
    show("".join(f"{head} {rest}\n" for head, rest in study.conclusions))
    say(f"The report was written to {printable(str(report))}.")


if __name__ == "__main__":
    # a program that is a package has a file's name for its own
    sys.exit(main(prog_name="python -m examples.oct10"))
