"""What a rulebook promises: each law that hangs on a choice, proven where it is made, else refuted by a log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import as_completed
from pathlib import Path

from attrs import frozen
from rich.console import Console
from rich.table import Table

from riskcore.pool import new_pool
from riskcore.prover.obligations import get_event_name, get_obligations
from riskcore.prover.solver import Verdict
from riskcore.quantities import MarketId
from riskcore.refute import Harm, find_harm, save_harm
from riskcore.rulebook import MarketRules
from riskcore.rulebook_file import RulebookFile
from riskcore.verify import prove
from specs.laws.choices import CHOICES, Choice

REFUTED, OPEN = "REFUTED", "OPEN"


@frozen
class Promise:
    """One law of a rulebook's choice.

    ``verdict``: PROVED, REFUTED with ``harm`` that shows it, or OPEN where neither was found. ``market`` is the
    first for which the choice is not made, where it is the market's to make.
    """

    choice: str
    sentence: str
    condition: str
    verdict: str
    market: MarketId | None = None
    harm: Harm | None = None


def check_rulebook(file: RulebookFile, jobs: int, report: Callable[[int, int], None] | None = None) -> list[Promise]:
    """The verdict of each choice; ``report`` is told how many are done of how many."""
    found: dict[str, Promise] = {}
    for done, promise in enumerate(_run(file, jobs), start=1):
        found[promise.choice] = promise
        if report is not None:
            report(done, len(CHOICES))
    return [found[choice.id] for choice in CHOICES]


def _run(file: RulebookFile, jobs: int) -> Iterator[Promise]:
    if jobs == 1:
        for choice in CHOICES:
            yield judge(choice.id, file)
        return
    with new_pool(jobs) as pool:
        for future in as_completed([pool.submit(judge, choice.id, file) for choice in CHOICES]):
            yield future.result()


def judge(id: str, file: RulebookFile) -> Promise:
    """The verdict of one choice."""
    choice = next(choice for choice in CHOICES if choice.id == id)
    without = _find_without(choice, file)
    if without is None:
        return Promise(id, choice.sentence, choice.condition, _prove(choice))
    market, rules = without
    harm = find_harm(choice, file.rulebook, rules)
    verdict = OPEN if harm is None else REFUTED
    return Promise(id, choice.sentence, choice.condition, verdict, market, harm)


def _find_without(choice: Choice, file: RulebookFile) -> tuple[MarketId, MarketRules] | None:
    """The first market for which the choice is not made."""
    for market, rules in sorted(file.markets.items()):
        if not choice.is_made(file.rulebook, rules):
            return market, rules
    return None


def _prove(choice: Choice) -> str:
    """The verdict of the choice's obligations, over the source that is installed here."""
    for kind in sorted(choice.applies, key=get_event_name):
        for obligation in get_obligations(kind):
            if obligation.law == choice.id and (verdict := prove(obligation).verdict) != Verdict.PROVED:
                return verdict
    return Verdict.PROVED


def save_harms(promises: list[Promise], folder: Path) -> dict[str, Path]:
    """Write the log of each refutation, by the choice's id. Raises ``OSError``."""
    folder.mkdir(parents=True, exist_ok=True)
    return {promise.choice: save_harm(promise.harm, folder) for promise in promises if promise.harm is not None}


def print_promises(
    promises: list[Promise], name: str, saved: dict[str, Path], console: Console, status: str | None = None
) -> None:
    """The rulebook's page: each law, its condition, its verdict; and whether published cases verify its figures."""
    console.print(f"Rulebook of {name}: admissible, so every law of specs/README.md holds under it.", soft_wrap=True)
    if status is not None:
        console.print(f"Its figures against published cases: {status}.")
    console.print("What hangs on its choices:\n")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("id", "law", "holds where", "verdict"):
        table.add_column(title)
    for promise in promises:
        of = "" if promise.market is None else f" ({promise.market})"
        table.add_row(promise.choice, promise.sentence, promise.condition, f"{promise.verdict}{of}")
    console.print(table)
    for promise in promises:
        if promise.choice in saved:
            console.print(f"\n{promise.choice} is broken by the one event of {saved[promise.choice]}", soft_wrap=True)
    console.print(
        "\nREFUTED: from a state that every law allows, one event that the kernel accepts under this rulebook\n"
        "breaks the law; CPython ran it. The market of the log has its base rates alone."
    )


def to_json(promises: list[Promise], saved: dict[str, Path]) -> dict[str, object]:
    """The object that ``--format json`` prints."""
    return {
        "laws": [
            {
                "id": promise.choice,
                "law": promise.sentence,
                "holds_where": promise.condition,
                "verdict": promise.verdict,
                "market": promise.market,
                "log": str(saved[promise.choice]) if promise.choice in saved else None,
            }
            for promise in promises
        ]
    }


def get_exit_code(promises: list[Promise]) -> int:
    """0 where each is proven or refuted, 1 where a proof fails, else 3."""
    verdicts = {promise.verdict for promise in promises}
    if Verdict.VIOLATED in verdicts:
        return 1
    return 0 if verdicts <= {Verdict.PROVED, REFUTED} else 3
