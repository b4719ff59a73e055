"""``riskcore import``: read, reconcile, and make the log."""

from __future__ import annotations

from pathlib import Path

from riskcore.bad_input import Fault, LogError
from riskcore.importing.ccxt import read_ccxt, read_ccxt_positions
from riskcore.importing.hyperliquid import read_hyperliquid, read_hyperliquid_state
from riskcore.importing.json_rows import Progress
from riskcore.importing.log_events import NoLog, make_log, require_whole
from riskcore.importing.mapping import read_mapping
from riskcore.importing.reconcile import Reconciliation, reconcile
from riskcore.importing.records import ACCOUNT, Data
from riskcore.importing.report import Imported
from riskcore.importing.rules import Margins
from riskcore.importing.table import read_table
from riskcore.log import write_log


def import_hyperliquid(
    paths: tuple[Path, ...], before: Path | None, after: Path | None, progress: Progress | None
) -> Reconciliation:
    """Fills and misc events, with states before the first and after the last of them."""
    data = read_hyperliquid(paths, progress)
    account = _get_only_account(data)
    states = [None if path is None else read_hyperliquid_state(path, account) for path in (before, after)]
    return reconcile(data, states[0], states[1])


def import_ccxt(paths: tuple[Path, ...], positions: Path | None, progress: Progress | None) -> Reconciliation:
    """Trades, a file an account, with what ``fetch_positions`` says after the last of them."""
    if positions is None:
        return reconcile(read_ccxt(paths, {}, progress))
    if len(paths) > 1:
        raise LogError("--positions", None, None, "trades of one account", f"{len(paths)} files of trades")
    after, sizes = read_ccxt_positions(positions, ACCOUNT)
    return reconcile(read_ccxt(paths, sizes, progress), None, after)


def import_table(path: Path, mapping: Path, progress: Progress | None) -> Reconciliation:
    """A CSV file, read as its mapping says."""
    return reconcile(read_table(path, read_mapping(mapping), progress))


def _get_only_account(data: Data) -> str:
    accounts = {trade.account for trade in data.trades} | {flow.account for flow in data.flows}
    return accounts.pop() if len(accounts) == 1 else ACCOUNT


def finish_import(result: Reconciliation, out: Path | None, margins: Margins) -> Imported:
    """Make the log where ``out`` says, or see whether one can be.

    ``LogError`` where it cannot be written, or ``margins`` has none for a market.
    """
    try:
        if out is None:
            require_whole(result)
            return Imported(result, None, None, None)
        log = make_log(result, margins)
        write_log(out, log.rulebook, log.units, log.events)
    except NoLog as why:
        return Imported(result, None, None, str(why))
    except Fault as fault:
        return Imported(result, None, None, f"figures are too large for one: expected {fault.expected}")
    return Imported(result, log, str(out), None)
