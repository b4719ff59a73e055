"""What an import found, as text and as JSON."""

from __future__ import annotations

from attrs import frozen
from rich.console import Console
from rich.table import Table

from riskcore.bad_input import printable
from riskcore.importing.findings import HARMLESS, Example, Findings
from riskcore.importing.log_events import MadeLog
from riskcore.importing.reconcile import Reconciliation
from riskcore.units import format_decimal

#: Deposits that the text names one by one.
_NAMED = 6


@frozen
class Imported:
    """A reconciliation, and the log that was made of it: where it was written, or why there cannot be one."""

    result: Reconciliation
    log: MadeLog | None
    path: str | None
    no_log: str | None


def get_summary(findings: Findings) -> str:
    """The verdict, in a line."""
    causes = [cause for cause in findings.counts if cause not in HARMLESS]
    if causes:
        count = sum(findings.counts[cause] for cause in causes)
        return f"{count:,} divergences, of {len(causes)} causes" if count > 1 else "one divergence"
    total = findings.checked.total()
    return f"all of {total:,} figures reconciled" if total else "nothing could be checked"


def print_import(imported: Imported, console: Console) -> None:
    """What was read, what was checked, what differs and why, what was not read, and the log."""
    result, findings = imported.result, imported.result.findings
    trades, convention = result.trades, result.data.convention
    accounts, markets = {trade.account for trade in trades}, {trade.market for trade in trades}
    head = f"{convention.venue}: {len(trades):,} fills, {len(accounts):,} accounts, {len(markets):,} markets"
    _say(console, f"{head}; {len(result.flows):,} movements of cash without a trade")
    when = "after" if convention.pnl_is_net else "before"
    _say(console, f"closed profit: (price - average entry) * size closed, {when} fees; grain {_grain(imported)}")
    for note in result.notes:
        _say(console, f"note: {note}")
    _print_checks(findings, console)
    _print_causes(findings, console)
    for reason, count in findings.unchecked.items():
        _say(console, f"not checked: {reason} ({count:,})")
    for what, unread in result.data.unread.items():
        _say(console, f"not read: {what} ({unread.count:,}, first at {unread.first})")
    _print_log(imported, console)
    console.print()
    _say(console, get_summary(findings))


def _grain(imported: Imported) -> str:
    return format_decimal(imported.result.data.convention.grain)


def _say(console: Console, text: str) -> None:
    console.print(printable(text), soft_wrap=True, markup=False)


def _print_checks(findings: Findings, console: Console) -> None:
    if not findings.checked:
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("checked", "figures", "agree", "differ"):
        table.add_column(title, justify="left" if title == "checked" else "right")
    for check, count in findings.checked.items():
        agreed = findings.agreed[check]
        table.add_row(check.value, f"{count:,}", f"{agreed:,}", f"{count - agreed:,}")
    console.print()
    console.print(table)


def _print_causes(findings: Findings, console: Console) -> None:
    if not findings.counts:
        return
    console.print()
    _say(console, f"{'count':>7}  divergence")
    for cause, count in findings.counts.most_common():
        example = findings.examples[cause]
        _say(console, f"{count:>7,}  {cause.value}")
        first = (
            f"first at {printable(str(example.place))}: {example.what}: told {example.told}, computed {example.found}"
        )
        console.print(" " * 9 + first, soft_wrap=True, markup=False)


def _print_log(imported: Imported, console: Console) -> None:
    console.print()
    if imported.log is None:
        _say(console, f"no log: {imported.no_log or '--out LOG writes one, as both sides of every trade are there'}")
        return
    log = imported.log
    _say(console, f"log: {len(log.events):,} events in {imported.path}")
    for line in log.assumed:
        _say(console, f"assumed: {line}")
    for account, amount in list(log.deposits.items())[:_NAMED]:
        _say(console, f"  deposit of {printable(account)}: {format_decimal(amount)}")
    if len(log.deposits) > _NAMED:
        _say(console, f"  and {len(log.deposits) - _NAMED:,} more")


def to_json(imported: Imported) -> dict[str, object]:
    """The object that ``--format json`` prints; figures are decimal strings."""
    result, findings = imported.result, imported.result.findings
    log = imported.log
    return {
        "venue": result.data.convention.venue,
        "summary": get_summary(findings),
        "exit_code": findings.exit_code,
        "fills": len(result.trades),
        "accounts": len({trade.account for trade in result.trades}),
        "markets": len({trade.market for trade in result.trades}),
        "movements": len(result.flows),
        "grain": _grain(imported),
        "closed_pnl": "after_fee" if result.data.convention.pnl_is_net else "before_fee",
        "notes": result.notes,
        "checks": {
            check.value: {"figures": count, "agree": findings.agreed[check]}
            for check, count in findings.checked.items()
        },
        "divergences": {
            cause.name.lower(): {
                "cause": cause.value,
                "count": count,
                "harmless": cause in HARMLESS,
                "first": _to_members(findings.examples[cause]),
            }
            for cause, count in findings.counts.most_common()
        },
        "not_checked": dict(findings.unchecked),
        "not_read": {
            what: {"count": unread.count, "first": str(unread.first)} for what, unread in result.data.unread.items()
        },
        "log": None
        if log is None
        else {
            "path": imported.path,
            "events": len(log.events),
            "assumed": log.assumed,
            "deposits": {account: format_decimal(amount) for account, amount in log.deposits.items()},
        },
        "no_log": imported.no_log,
    }


def _to_members(example: Example) -> dict[str, object]:
    place = example.place
    return {
        "file": place.file,
        "line": place.line,
        "path": place.path or None,
        "what": example.what,
        "told": example.told,
        "computed": example.found,
    }
