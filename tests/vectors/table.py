"""Every file of figures, with the tests that play it; what is left out, and why; and the count of both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from attrs import field, frozen
from rich.console import Console
from rich.table import Table

from tests import (
    test_vectors_bluefin,
    test_vectors_deleveraging,
    test_vectors_funding,
    test_vectors_losses,
    test_vectors_margin,
    test_vectors_prices,
    test_vectors_ranks,
    test_vectors_tiers,
)
from tests.vectors.play import FOLDER, Runners, Verdict, load, play

#: Cases that cannot apply, each with the reason. None is, so far.
LEFT_OUT: Mapping[str, str] = {}

SUBJECTS: Mapping[str, Runners] = {
    "waterfall_e2e": test_vectors_deleveraging.RUNNERS,
    "deleveraging": test_vectors_deleveraging.RUNNERS,
    "liquidation_price": test_vectors_prices.RUNNERS,
    "margin": test_vectors_margin.RUNNERS,
    "bankruptcy_price": test_vectors_prices.RUNNERS,
    "tiers": test_vectors_tiers.RUNNERS,
    "funding": test_vectors_funding.RUNNERS,
    "pnl": test_vectors_funding.RUNNERS,
    "insurance_fund": test_vectors_losses.RUNNERS,
    "vault_shares": test_vectors_losses.RUNNERS,
    "socialized_loss": test_vectors_losses.RUNNERS,
    "partial_liquidation": test_vectors_losses.RUNNERS,
    "adl_rank": test_vectors_ranks.RUNNERS,
    "bluefin_trades": test_vectors_bluefin.RUNNERS,
    "bluefin_margin": test_vectors_bluefin.RUNNERS,
    "bluefin_liquidation": test_vectors_bluefin.RUNNERS,
    "bluefin_adl": test_vectors_bluefin.RUNNERS,
}


@frozen
class Count:
    """Of one file: how many agree, by verdict, are left out, or flagged; and what does not agree."""

    exact: int
    printed: int
    tolerated: int
    left_out: int
    flagged: int
    failures: Mapping[str, str] = field(factory=dict)

    @property
    def total(self) -> int:
        return self.exact + self.printed + self.tolerated + self.left_out + len(self.failures)


def count(subject: str, folder: Path = FOLDER) -> Count:
    """Play one file. A case that no runner fits or that raises is a failure, not a surprise."""
    verdicts: Counter[Verdict] = Counter()
    failures: dict[str, str] = {}
    cases = load(subject, folder)
    played = [case for case in cases if case.id not in LEFT_OUT]
    for case in played:
        try:
            verdict, differences = play(SUBJECTS[subject], case)
        except Exception as error:
            failures[case.id] = f"{type(error).__name__}: {error}"
            continue
        if differences:
            failures[case.id] = "; ".join(differences)
        else:
            verdicts[verdict] += 1
    return Count(
        verdicts[Verdict.EXACT],
        verdicts[Verdict.PRINTED],
        verdicts[Verdict.TOLERATED],
        len(cases) - len(played),
        sum(case.flagged for case in cases),
        failures,
    )


COLUMNS = ("cases", "exact", "as printed", "tolerated", "left out", "flagged", "failed")


def get_cells(row: Count) -> tuple[int, ...]:
    """The numbers of a file, as the columns say."""
    return row.total, row.exact, row.printed, row.tolerated, row.left_out, row.flagged, len(row.failures)


def show(folder: Path = FOLDER) -> bool:
    """Print the count of each file; whether every case agrees or is left out."""
    table = Table("figures", *COLUMNS, min_width=100)
    rows = {name: count(name, folder) for name in SUBJECTS if folder.joinpath(f"{name}.json").exists()}
    cells = {name: get_cells(row) for name, row in rows.items()}
    for name, numbers in cells.items():
        table.add_row(name, *map(str, numbers))
    table.add_section()
    table.add_row("all", *(str(sum(column)) for column in zip(*cells.values(), strict=True)))
    console = Console(width=110)
    console.print(table)
    for id, reason in LEFT_OUT.items():
        console.print(f"left out: {id}: {reason}")
    for row in rows.values():
        for id, difference in row.failures.items():
            console.print(f"failed: {id}: {difference}")
    return not any(row.failures for row in rows.values())
