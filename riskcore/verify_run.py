"""One run of ``riskcore verify``: prove, write the obligations down, ask a second solver, compare with the ledger."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from attrs import asdict, frozen
from rich.console import Console
from rich.table import Table

from riskcore import verify
from riskcore.bad_input import list_names, printable
from riskcore.export import exporting, finish_export
from riskcore.ledger import SHIPPED, Differences, check_place, compare, make_ledger, read_ledger, write_ledger
from riskcore.prover.second import Opinion
from riskcore.verify import Extras, Result, Selection
from riskcore.verify_report import print_results


@frozen
class Order:
    """What was asked for. ``second``: seconds that cvc5 has for a question, if it is asked at all."""

    selection: Selection
    jobs: int
    export: Path | None = None
    second: float | None = None
    ledger: Path | None = None


@frozen
class Run:
    """What came of it. ``differences`` from the shipped ledger: None where only a part was asked for."""

    order: Order
    results: list[Result]
    differences: Differences | None
    seconds: float


def run(order: Order, report: Callable[[str, int, int], None] | None = None) -> Run:
    """Do it; ``LogError`` where a folder or a ledger cannot be read or written. An export is whole, or not there."""
    started = time.perf_counter()
    recorded = read_ledger(SHIPPED) if order.selection.is_everything and SHIPPED.exists() else None
    if order.ledger is not None:
        check_place(order.ledger)
    with ExitStack() as stack:
        folder = None if order.export is None else stack.enter_context(exporting(order.export))
        results = verify.verify(order.selection, order.jobs, report, Extras(folder, order.second))
        if folder is not None:
            rows = ((one.name, one.law, one.verdict, str(one.checks), one.digest) for one in results if one.digest)
            finish_export(folder, rows)
    found = make_ledger(results)
    if order.ledger is not None:
        write_ledger(order.ledger, found)
    differences = None if recorded is None else compare(recorded, found)
    return Run(order, results, differences, time.perf_counter() - started)


def get_exit_code(run: Run) -> int:
    verdict = verify.get_verdict(run.results, run.order.selection)
    return {"PROVED": 0, "VIOLATED": 1}.get(verdict, 3)


def to_json(run: Run) -> dict[str, object]:
    differences = None if run.differences is None else asdict(run.differences)
    return verify.to_json(run.results, run.order.selection, run.seconds) | {"ledger": differences}


def print_run(run: Run, console: Console) -> None:
    if run.order.second is not None:
        print_opinions(run.results, run.order.second, console)
    print_results(run.results, run.order.selection, run.seconds, console)
    if run.differences is not None:
        print_differences(run.differences, len(run.results), console)
    if run.order.export is not None:
        files = sum(bool(one.digest) for one in run.results)
        console.print(f"exported  {files:,} files to {printable(str(run.order.export))}", soft_wrap=True, markup=False)


def print_opinions(results: list[Result], seconds: float, console: Console) -> None:
    """What cvc5 says, event by event; whatever it leaves open, and where it says otherwise, by name."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("cvc5")
    for name in ("questions", "agrees", "no answer", "disagrees", "seconds"):
        table.add_column(name, justify="right")
    events: dict[str, list[Opinion]] = {}
    for result in results:
        if result.opinion is not None:
            events.setdefault(result.event, []).append(result.opinion)
    for event, opinions in [*events.items(), ("all", [one for row in events.values() for one in row])]:
        table.add_row(event, *map(str, get_counts(opinions)))
    console.print(table)
    console.print(f"no answer: none within {seconds:g} seconds", soft_wrap=True)
    for result in results:
        if result.opinion is not None:
            for word, notes in (("disagrees", result.opinion.disagreed), ("no answer", result.opinion.silent)):
                if notes:
                    console.print(f"{word} {result.name}: {len(notes)} of {result.checks}", soft_wrap=True)
    console.print()


def get_counts(opinions: list[Opinion]) -> tuple[int, int, int, int, int]:
    """Questions, and how many cvc5 answers alike, not at all, otherwise; and its seconds."""
    agreed = sum(one.agreed for one in opinions)
    silent = sum(len(one.silent) for one in opinions)
    disagreed = sum(len(one.disagreed) for one in opinions)
    return agreed + silent + disagreed, agreed, silent, disagreed, round(sum(one.seconds for one in opinions))


def print_differences(differences: Differences, count: int, console: Console) -> None:
    """In which way the obligations are not as recorded, with the first names of each."""
    words = {
        "new": "new",
        "gone": "gone",
        "verdict": "another verdict",
        "changed": "another text",
        "heavier": "warning: more than twice the effort",
    }
    said = [(text, getattr(differences, name)) for name, text in words.items() if getattr(differences, name)]
    for text, names in said:
        console.print(f"ledger    {len(names):,} {text}: {list_names(names).removeprefix('one of ')}", soft_wrap=True)
    if not said:
        console.print(f"ledger    {count:,} obligations, as recorded")
    if differences.is_other_z3:
        console.print("ledger    recorded with another z3, so efforts are not compared")
