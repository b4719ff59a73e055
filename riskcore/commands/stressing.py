"""``riskcore stress``: one scenario many times, under several rulebooks."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from attrs import evolve
from rich.console import Console

from riskcore.bad_input import printable
from riskcore.commands.output import check_apart, check_place, refusing, render, say, show, show_progress, writing
from riskcore.files import write_whole
from riskcore.html_report import is_installed
from riskcore.units import Units

if TYPE_CHECKING:
    from riskcore.stress.family import Family
    from riskcore.stress.paths import Row
    from riskcore.stress.summary import Summary

#: How the page begins: what begins otherwise is not replaced by one.
MARK: Final = b"<!doctype html>\n<!-- a stress run by riskcore -->\n"


@click.command("stress")
@click.argument("family", type=click.Path(path_type=Path))
@click.option("--paths", type=click.IntRange(min=2, max=1_000_000), help="Instead of the family's own number.")
@click.option("--seed", type=click.IntRange(min=0, max=2**63 - 1), help="Instead of the family's own.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="A row of each path: .csv or .parquet.")
@click.option("--report", type=click.Path(path_type=Path), metavar="FILE.html", help="Draw it as a page.")
@click.option("--jobs", type=click.IntRange(min=1), default=None, help="Processes; default: one per core.")
@click.option("--dask", "address", metavar="ADDRESS", help="A Dask scheduler, instead of processes here.")
@click.option("--format", "output", type=click.Choice(["text", "json", "md"]), default="text", show_default=True)
def stress_command(
    family: Path,
    paths: int | None,
    seed: int | None,
    out: Path | None,
    report: Path | None,
    jobs: int | None,
    address: str | None,
    output: str,
) -> None:
    """Play FAMILY, a TOML file of a scenario and of what varies in it, under each of its rulebooks: STRESS.md.

    The same family, paths and seed give the same figures everywhere. Exit codes: 0, 2 bad input.
    """
    from riskcore.stress.family import read_family
    from riskcore.stress.paths import play_all
    from riskcore.stress.report import print_summary, to_json, to_markdown
    from riskcore.stress.saving import check_place as check_table
    from riskcore.stress.saving import save
    from riskcore.stress.summary import summarise

    check_apart((("--out", out), ("--report", report)))
    if report is not None and not is_installed():
        raise click.UsageError("--report needs more packages: pip install 'riskcore[report]'")
    with refusing():
        read = read_family(family)
        read = evolve(read, paths=paths or read.paths, seed=read.seed if seed is None else seed)
        if out is not None:
            check_table(out)
        if report is not None:
            check_place(report, MARK, "page of a stress run")
        units = read.make({}, 0).units
        with _open(address, jobs) as (executor, count), show_progress(Console(stderr=True), "playing") as progress:
            rows = play_all(read, executor, count, progress)
        if out is not None:
            save(out, rows)
        summaries = summarise(rows)
        if report is not None:
            _write_page(report, make_pieces(read, units, rows, summaries))
    if output == "json":
        show(json.dumps(to_json(read, units, summaries), indent=1) + "\n")
    elif output == "md":
        show("\n".join(to_markdown(summaries, units)) + "\n")
    else:
        show(render(lambda console: print_summary(read, units, summaries, console)))
    if out is not None:
        say(f"{printable(str(out))}: {len(rows):,} rows")
    if report is not None:
        say(f"The page was written to {printable(str(report))}.")


def make_pieces(family: Family, units: Units, rows: list[Row], summaries: list[Summary]) -> Iterator[str]:
    """The page's text; the libraries that draw it are loaded only now."""
    from riskcore.stress.page import make_page

    return make_page(family, units, rows, summaries, MARK)


def _write_page(target: Path, pieces: Iterator[str]) -> None:
    with writing(target, MARK, "page of a stress run"), write_whole(target) as file:
        for piece in pieces:
            file.write(piece.encode())


@contextmanager
def _open(address: str | None, jobs: int | None) -> Iterator[tuple[Executor, int]]:
    """Where paths are played, and how many at once."""
    from riskcore.pool import new_pool
    from riskcore.testing.fuzzing.executors import open_cluster

    if address is not None:
        with open_cluster(address) as cluster:
            yield cluster
        return
    count = jobs or os.cpu_count() or 1
    with new_pool(count) as pool:
        yield pool, count
