"""``riskcore verify`` and ``riskcore mutate``."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from riskcore.commands.forms import ALSO, FORM, Also, check_places, tell
from riskcore.commands.output import (
    check_name,
    refusing,
    render,
    show,
    show_progress,
)


@click.command("verify")
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
@FORM
@ALSO
@click.option("--rules", type=click.Path(path_type=Path), metavar="FILE.py", help="Prove the rules of this file.")
def verify_command(
    law: str | None, event: str | None, output: str, also: tuple[Also, ...], rules: Path | None, **options: Any
) -> None:
    """Prove every law of every event over the source that is installed here.

    With --rules, prove of a file's own functions what the laws rely on of the kernel's (RULES.md).

    Exit codes: 0 all proven, 1 one is violated, 2 bad input or usage, 3 inconclusive.
    """
    if rules is not None:
        if law or event or options["export"] or options["cross_check"] or options["write_ledger"]:
            raise click.UsageError("--rules goes without --law, --event, --export, --cross-check and --write-ledger")
        _verify_rules(rules, options["jobs"], output, also)
    from riskcore.prover.second import is_installed
    from riskcore.verify import Selection, get_law_ids, get_unit_names
    from riskcore.verify_ci import get_junit, get_markdown
    from riskcore.verify_run import Order, get_exit_code, print_run, run, to_json

    check_name("--law", law, get_law_ids())
    check_name("--event", event, tuple(name for name in get_unit_names() if not name.startswith("lemma:")))
    selection = Selection(law, event)
    if options["write_ledger"] is not None and not selection.is_everything:
        raise click.UsageError("--write-ledger records everything, so it goes without --law and --event")
    if options["cross_check"] and not is_installed():
        raise click.UsageError("--cross-check needs cvc5: pip install 'riskcore[cross-check]', or pip install cvc5")
    seconds = options["cross_check_seconds"] if options["cross_check"] else None
    order = Order(
        selection, options["jobs"] or os.cpu_count() or 1, options["export"], seconds, options["write_ledger"]
    )
    with refusing():
        check_places(also)
        with show_progress(Console(stderr=True), "proving") as progress:
            report = None if progress is None else (lambda unit, done, total: progress(done, total))
            done = run(order, report)
        forms = {
            "text": lambda: render(lambda console: print_run(done, console)),
            "json": lambda: json.dumps(to_json(done)) + "\n",
            "junit": lambda: get_junit(done),
            "md": lambda: get_markdown(done),
        }
        tell(output, also, forms)
    sys.exit(get_exit_code(done))


def _verify_rules(rules: Path, jobs: int | None, output: str, also: tuple[Also, ...]) -> None:
    from riskcore.own_rules.ci import get_junit, get_markdown
    from riskcore.own_rules.files import read_rules
    from riskcore.own_rules.proof import check_all
    from riskcore.own_rules.report import get_verdict, print_findings, to_json

    started = time.perf_counter()
    with refusing():
        check_places(also)
        file = read_rules(rules)
        with show_progress(Console(stderr=True), "proving") as progress:
            findings = check_all(file, jobs or os.cpu_count() or 1, progress)
        found = file, findings, time.perf_counter() - started
        forms = {
            "text": lambda: render(lambda console: print_findings(*found, console)),
            "json": lambda: json.dumps(to_json(*found)) + "\n",
            "junit": lambda: get_junit(*found),
            "md": lambda: get_markdown(*found),
        }
        tell(output, also, forms)
    sys.exit({"PROVED": 0, "VIOLATED": 1}.get(get_verdict(file, findings), 3))


@click.command("mutate")
@click.option("--module", metavar="NAME", help="Only mutants of this module of the kernel.")
@click.option("--function", metavar="NAME", help="Only of this function, or Class.method; with --module.")
@click.option("--changed", metavar="BASE", help="Only of functions that differ from this commit's.")
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="So many, spread evenly.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the sample.")
@click.option(
    "--by",
    type=click.Choice(["proofs", "tests", "both", "either"]),
    default="both",
    show_default=True,
    help="Either: the tests are asked only of what the proofs do not find.",
)
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
    check_name("--module", wanted.module, tuple(KERNEL))
    if wanted.function is not None:
        if wanted.module is None:
            raise click.UsageError("--function needs --module")
        check_name("--function", wanted.function, get_function_names(wanted.module))
    if by != "proofs" and not is_checkout():
        place = "in a checkout, python -m riskcore has them"
        raise click.UsageError(f"--by {by}: the tests are not installed; {place}; or --by proofs")
    with refusing():
        mutants = select(wanted)
        with show_progress(Console(stderr=True), "hunting") as progress:
            trials = run(mutants, by, jobs or os.cpu_count() or 1, out, progress)
    if output == "json":
        show(json.dumps(to_json(trials, by)) + "\n")
    else:
        show(to_page(trials, by, wanted.get_command(by)) if output == "page" else to_text(trials, by))
    sys.exit(get_exit_code(trials))
