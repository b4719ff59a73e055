"""What ``riskcore verify`` prints: the matrix of events and laws, and what failed."""

from __future__ import annotations

from collections import Counter

from rich.console import Console
from rich.table import Table

from riskcore.prover.obligations import ANY_ACCOUNTS
from riskcore.prover.obligations import OUTSIDE as OUTSIDE_SCOPE
from riskcore.verify import INDUCTION, TRUSTED, Result, Selection, get_verdict

#: A cell of the matrix.
PROVED, OUTSIDE, FAILED = "PROVED", "outside", "FAILED"


def print_results(results: list[Result], selection: Selection, seconds: float, console: Console) -> None:
    """The verdict of each cell, the lemmas, every failure in full, and what is trusted."""
    cells = [result for result in results if result.layer != "lemma"]
    if cells:
        console.print(get_matrix(cells))
        console.print("outside: the event is outside the law's footprint, which was checked too.", soft_wrap=True)
    print_lemmas([result for result in results if result.layer == "lemma"], console)
    for result in results:
        if result.verdict != PROVED:
            print_failure(result, console)
    layers = Counter(result.layer for result in results)
    counts = ", ".join(f"{count} {layer}" for layer, count in sorted(layers.items()))
    paths = sum(result.paths for result in results)
    proved = sum(result.verdict == PROVED for result in results)
    console.print(f"\n{proved} of {len(results)} obligations proved ({counts}), on {paths:,} paths; {seconds:.1f} s")
    console.print(f"scope     {ANY_ACCOUNTS}")
    scopes = Counter(result.scope for result in results if result.scope not in (ANY_ACCOUNTS, OUTSIDE_SCOPE))
    for scope, count in scopes.items():
        console.print(f"          {count} of them: {scope}", soft_wrap=True)
    if not selection.is_everything:
        console.print(f"assumed   {', '.join(INDUCTION)} of every event; proven where nothing is selected")
    console.print(
        "assumed   where the rulebook has no order book, that it was exhausted when a log says so: ASSUMED(log)"
    )
    console.print("trusted   " + "\n          ".join(TRUSTED), soft_wrap=True)
    console.print(f"verdict   {get_verdict(results, selection)}", style="bold")


def get_matrix(results: list[Result]) -> Table:
    """A row per law, with the events it is proven for by name and those outside it counted."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("law")
    table.add_column("proved for", ratio=1)
    table.add_column("outside", justify="right")
    table.add_column("failed for", style="red")
    by_law: dict[str, list[Result]] = {}
    for result in results:
        by_law.setdefault(get_row(result), []).append(result)
    for law, row in by_law.items():
        proved = sorted({one.event for one in row if get_cell(one) == PROVED})
        outside = sum(get_cell(one) == OUTSIDE for one in row)
        failed = sorted({one.event for one in row if get_cell(one) == FAILED})
        everywhere = len(proved) == len({one.event for one in results}) > 1
        names = "every event" if everywhere else ", ".join(proved)
        table.add_row(law, names, str(outside or ""), ", ".join(failed))
    return table


def get_row(result: Result) -> str:
    """The law, or the layer where that is what was proven."""
    return {"effect": "exact effect", "guard": "guard"}.get(result.layer, result.law)


def get_cell(result: Result) -> str:
    if result.verdict != PROVED:
        return FAILED
    return OUTSIDE if result.scope.startswith("outside") else PROVED


def print_lemmas(results: list[Result], console: Console) -> None:
    """How many were proved, by the kernel's module; and how many paths CPython ran."""
    witnesses = [one for one in results if one.law == "WITNESS" and one.verdict == PROVED]
    lemmas = Counter(one.event for one in results if one.law != "WITNESS" and one.verdict == PROVED)
    console.print()
    if lemmas:
        counts = ", ".join(f"{count} on {module}" for module, count in lemmas.items())
        console.print(f"lemmas    {counts}: proved")
    if witnesses:
        paths = sum(one.paths for one in witnesses)
        console.print(
            f"witnesses {paths} paths of {len(witnesses)} events: a model of each, run by CPython, gives the same"
        )


def print_failure(result: Result, console: Console) -> None:
    console.print(f"\n{result.verdict} {result.name} ({result.law}, {result.layer})", style="bold red")
    if result.counterexample is not None:
        console.print(result.counterexample, soft_wrap=True, markup=False)
