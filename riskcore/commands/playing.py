"""``riskcore simulate`` and ``riskcore picture``."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from riskcore.bad_input import printable
from riskcore.commands.output import (
    refusing,
    show,
    show_progress,
    with_lasting_values,
    writing,
)


@click.command("simulate")
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

    with refusing(), writing(out, b'"riskcore_log"', "log"):
        read = read_scenario(scenario)
        with with_lasting_values(), show_progress(Console(stderr=True), "simulating") as progress:
            count = write_log(out, read.rulebook, read.units, simulate(read, seed, events, progress))
    show(f"{count:,} events in {printable(str(out))}, seed {read.seed if seed is None else seed}\n")


@click.command("picture")
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

    with refusing(), writing(out, b"<svg", "picture"):
        with with_lasting_values(), show_progress(Console(stderr=True), "drawing", in_bytes=True) as progress:
            cascade = read_cascade(log, market, progress)
        with write_whole(out) as file:
            file.write(draw_cascade(cascade).encode())
    show(f"{printable(cascade.market)} in {printable(str(out))}\n")
