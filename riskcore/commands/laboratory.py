"""``riskcore policies``: what can be said of each rule for who is deleveraged."""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import click
from rich.console import Console

from riskcore.bad_input import LogError, printable
from riskcore.commands.output import refusing, render, say, show, show_progress


@click.command("policies")
@click.option(
    "--policy", "own", metavar="MODULE:NAME", help="A function of yours, or FILE.py:NAME, in place of those that come."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the cases that are drawn.")
@click.option("--draws", type=click.IntRange(min=1, max=1_000_000), default=1500, show_default=True, metavar="N")
@click.option("--logs", type=click.Path(path_type=Path), metavar="DIR", help="Write each refutation as logs there.")
@click.option("--jobs", type=click.IntRange(min=1), default=None, help="Processes; default: one per core.")
@click.option("--format", "output", type=click.Choice(["text", "json", "md"]), default="text", show_default=True)
def policies_command(own: str | None, seed: int, draws: int, logs: Path | None, jobs: int | None, output: str) -> None:
    """Say of each policy of deleveraging, and each property, whether it is proven or refuted: POLICIES.md.

    A policy of yours is a function of one task, and gives how many lots each winner closes.

    Exit codes: 0 the table has no open cell, 2 bad input or usage, 3 one is open.
    """
    from riskcore.policies.matrix import Finding, get_policies, run
    from riskcore.policies.report import print_table, to_json, to_markdown, write_logs
    from riskcore.pool import new_pool

    with refusing():
        policies = get_policies(own)
        with show_progress(Console(stderr=True), "trying") as progress, new_pool(jobs or os.cpu_count() or 1) as pool:
            try:
                rows = run(own, pool, seed, draws, progress)
            except BrokenProcessPool:
                got = "the end of its process"
                raise LogError(own or "policies", None, None, "a policy that answers", got) from None
        written = 0 if logs is None else write_logs(logs, policies, rows)
    if output == "json":
        show(json.dumps(to_json(policies, rows, seed), indent=1) + "\n")
    elif output == "md":
        show("\n".join(to_markdown(policies, rows)) + "\n")
    else:
        show(render(lambda console: print_table(policies, rows, console)))
    if logs is not None:
        say(f"{printable(str(logs))}: {written} logs")
    sys.exit(3 if any(cell.finding is Finding.OPEN for row in rows for cell in row) else 0)
