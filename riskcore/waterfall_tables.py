"""What the waterfall closed, who paid, and what the pool holds, as tables for terminals and pages alike."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from riskcore.bad_input import printable
from riskcore.columns import add_row, make_table
from riskcore.journal import Reason, Stage
from riskcore.quantities import AccountId
from riskcore.units import Units
from riskcore.waterfall import CLOSING_STAGES, Closed, Solvency, Waterfall


def get_closes(waterfall: Waterfall, units: Units) -> Table:
    """Each stage's lots by market, their worth at mark, and its part of all."""
    table = make_table(["stage", "market"], ["steps", "lots", "notional at mark", "share of notional"])
    whole = waterfall.get_notional()
    for stage in CLOSING_STAGES:
        for market, closed in sorted(waterfall.closed[stage].items()):
            add_row(table, stage, printable(market), *_get_close_cells(closed, whole, units))
        if not waterfall.closed[stage]:
            add_row(table, stage, "none", *_get_close_cells(Closed(), whole, units))
    return table


def _get_close_cells(closed: Closed, whole: int, units: Units) -> Iterator[str]:
    yield f"{closed.steps:,}"
    yield f"{closed.lots:,}"
    yield units.format_amount(closed.notional, 2)
    permille = (1000 * closed.notional + whole // 2) // whole if whole else 0
    yield f"{permille // 10}.{permille % 10} %"


def counted(number: int, one: str, many: str) -> str:
    """``1 law``, ``2 laws``."""
    return f"{number:,} {one if number == 1 else many}"


def get_payments(waterfall: Waterfall, units: Units) -> Table:
    """Each stage's gains, losses and payments, against mark."""
    table = make_table(["stage", "what"], ["amount"])
    book, vault, adl = (waterfall.get_total(stage) for stage in (Stage.BOOK, Stage.VAULT, Stage.DELEVERAGING))

    def by(who: dict[Stage, set[AccountId]], stage: Stage) -> str:
        names = ("maker", "makers") if stage is Stage.BOOK else ("counterparty", "counterparties")
        return f"by {counted(len(who[stage]), *names)}"

    sharers = counted(len(waterfall.sharers), "member", "members")
    rows = [
        (Stage.BOOK, f"gained {by(waterfall.gainers, Stage.BOOK)}, paid by the accounts closed", book.gained),
        (Stage.BOOK, f"forgone {by(waterfall.forgoers, Stage.BOOK)}", book.forgone),
        (Stage.BOOK, "paid by the insurance fund for fills beyond bankruptcy", waterfall.insurance_paid[Stage.BOOK]),
        (Stage.BOOK, "liquidation fees, received by the insurance fund", waterfall.liquidation_fees),
        (Stage.VAULT, "equity received by the vault with the lots", vault.gained - vault.forgone),
        (Stage.INSURANCE, "paid by the insurance fund for deficits", waterfall.insurance_paid[Stage.INSURANCE]),
        *_get_receipts(waterfall),
        (Stage.DELEVERAGING, f"forgone {by(waterfall.forgoers, Stage.DELEVERAGING)}", adl.forgone),
        (Stage.DELEVERAGING, f"gained {by(waterfall.gainers, Stage.DELEVERAGING)}", adl.gained),
        (Stage.UNCOVERED, "paid by nobody, written off", waterfall.written_off),
        (Stage.UNCOVERED, "paid back by withdrawals that were cut", waterfall.haircuts),
        *([(Stage.UNCOVERED, "paid back from outside", waterfall.repaid)] if waterfall.repaid else []),
        *([(Stage.SHARING, f"paid by {sharers}", waterfall.shared)] if waterfall.shared else []),
    ]
    for stage, what, atoms in rows:
        add_row(table, stage, what, units.format_amount(atoms, 2))
    return table


def _get_receipts(waterfall: Waterfall) -> Iterator[tuple[Stage, str, int]]:
    """What the insurance fund got besides liquidation fees, where it got any."""
    sources = (
        (Reason.DEPOSIT, "from outside"),
        (Reason.FEE_SHARE, "of trading fees"),
        (Reason.OVERSHOOT, "of close-outs beyond the deficit"),
    )
    for reason, source in sources:
        if received := waterfall.insurance_received[reason]:
            yield Stage.INSURANCE, f"received by the insurance fund {source}", received


def get_solvency_table(solvency: Solvency, units: Units) -> Table:
    """Claims against the pool, and whether they tie."""
    table = make_table(["", ""], [""])
    table.show_header = False
    difference = solvency.claims + solvency.uncovered - solvency.pool
    rows = [
        ("claims", "equity of all accounts", solvency.equities),
        ("", "insurance fund", solvency.insurance),
        *([("", "of it some market's own", solvency.separate)] if solvency.separate else []),
        ("", "fees", solvency.fees),
        *([("", "waiting for the vault", solvency.escrow)] if solvency.escrow else []),
        ("", "together", solvency.claims),
        ("uncovered", "losses that nobody paid", solvency.uncovered),
        ("pool", "cash that is there", solvency.pool),
    ]
    for name, what, atoms in rows:
        add_row(table, name, what, units.format_amount(atoms))
    verdict = "claims + uncovered = pool" if solvency.ties else "claims + uncovered differ from the pool by"
    add_row(table, "ties" if solvency.ties else "BROKEN", verdict, units.format_amount(difference))
    return table
