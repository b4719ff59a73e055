"""What a run found and reached, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rich.columns import Columns
from rich.console import Console
from rich.table import Table

from riskcore.bad_input import printable
from riskcore.testing.broken import ALIKE
from riskcore.testing.coverage import PER, Row
from riskcore.testing.fuzzing.command import Run
from riskcore.testing.fuzzing.saving import Saved
from riskcore.testing.fuzzing.session import Session
from riskcore.testing.fuzzing.trial import Finding
from riskcore.testing.laws.catalogue import LAWS

_SORTS: Final = {"stage": "stages", "event": "events accepted", "corner": "corners", "rule": "rules of rejection"}


def get_sentence(law: str) -> str:
    return ALIKE[law] if law in ALIKE else (LAWS[law].__doc__ or "").partition("\n")[0]


def to_json(run: Run) -> dict[str, object]:
    """The object that ``fuzz --format json`` prints."""
    session, coverage = run.session, run.session.coverage
    return {
        "verdict": get_verdict(session),
        "seed": session.setting.seed,
        "steps": coverage.steps,
        "steps_of_this_run": run.steps,
        "seconds": round(run.seconds, 3),
        "findings": [_finding_to_json(one, run.saved.get(one.signature)) for one in list_findings(session)],
        "coverage": [
            {"sort": row.place.sort, "name": row.place.name, "times": row.times, "per_10000": round(row.rate, 2)}
            for row in coverage.get_rows()
        ],
    }


def _finding_to_json(finding: Finding, saved: Saved | None) -> dict[str, object]:
    return {
        "law": finding.law,
        "event": finding.kind,
        "words": finding.words,
        "times": finding.times,
        "walk": finding.trial,
        "original_events": finding.original or len(finding.events),
        "shrunk_events": len(finding.events) if finding.original else None,
        "log": None if saved is None or saved.log is None else str(saved.log),
        "test": None if saved is None else str(saved.test),
    }


def get_verdict(session: Session) -> str:
    if session.findings:
        return "VIOLATED"
    return "HOLDS" if session.coverage.steps and session.is_over else "INCONCLUSIVE"


def list_findings(session: Session) -> list[Finding]:
    return sorted(session.findings.values(), key=lambda one: (-one.times, one.signature))


def print_report(run: Run, console: Console) -> None:
    session, speed = run.session, run.steps / max(run.seconds, 1e-9)
    steps, seed = session.coverage.steps, session.setting.seed
    console.print(
        f"{get_verdict(session)}: {steps:,} steps from seed {seed}; {run.seconds:,.1f} s, {speed:,.0f} steps/s\n"
    )
    for finding in list_findings(session):
        _print_finding(finding, run.saved.get(finding.signature), console)
    rows = list(session.coverage.get_rows())
    _print_places("stage", rows, console)
    _print_places("corner", rows, console)
    _print_laws(rows, console)
    _print_unreached(rows, steps, console)


def _print_finding(finding: Finding, saved: Saved | None, console: Console) -> None:
    length = f"{finding.original} events, shrunk to {len(finding.events)}" if finding.original else "not shrunk"
    console.print(f"{finding.law}, after {finding.kind} in walk {finding.trial}, {finding.times} in all: {length}")
    console.print(f"  {get_sentence(finding.law)}", markup=False)
    console.print(f"  {printable(finding.words)}", markup=False)
    if saved is not None:
        log = f"no log: {saved.why}" if saved.log is None else f"riskcore replay {printable(str(saved.log))}"
        console.print(f"  {log}\n  pytest {printable(str(saved.test))}", markup=False)
    console.print()


def _print_places(sort: str, rows: Iterable[Row], console: Console) -> None:
    table = Table(_SORTS[sort], "times", f"in {PER:,} steps", box=None, pad_edge=False)
    for row in rows:
        if row.place.sort == sort:
            table.add_row(row.place.name, f"{row.times:,}", f"{row.rate:,.1f}")
    console.print(table)
    console.print()


def _print_laws(rows: Iterable[Row], console: Console) -> None:
    console.print("laws, and how often each had something to say:")
    told = [f"{row.place.name} {row.times:,}" for row in rows if row.place.sort == "law"]
    console.print(Columns(told, padding=(0, 2)))
    console.print()


def _print_unreached(rows: Iterable[Row], steps: int, console: Console) -> None:
    """What was never there: of a short run, or under one rulebook, no wonder."""
    never = [f"{row.place.name}" for row in rows if not row.times and row.place.sort in ("event", "rule", "law")]
    if never:
        console.print(f"never reached in {steps:,} steps: {', '.join(never)}")
