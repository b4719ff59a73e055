"""ccxt: unified trades of one's own (``fetch_my_trades``), and positions (``fetch_positions``) for what is left.

An account has a file. Sizes are contracts; what a contract is in base units say the positions, or ``cost`` where all
trades of a symbol agree. Closed profit and the position before a trade are in ``info``, under the venue's own names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from attrs import evolve

from riskcore.bad_input import Fault, LogError, printable, within
from riskcore.importing.json_rows import Progress, read_values
from riskcore.importing.records import (
    ACCOUNT,
    Convention,
    Data,
    Place,
    Snapshot,
    Trade,
    find_figure,
    get_above_zero,
    get_figure,
    get_time,
    is_bounded,
)
from riskcore.strict_json import describe
from riskcore.units import format_decimal
from riskcore.venues.answers import find, get_entries, get_text, read_data

CONVENTION: Final = Convention("ccxt", Fraction(1, 10**8))
#: What venues call the profit of a trade, before its fee, in what ccxt hands on as ``info``.
_PROFITS: Final = ("closedPnl", "realizedPnl", "fillPnl")
_KNOWN: Final = {
    *("info", "id", "timestamp", "datetime", "symbol", "order", "type", "side", "takerOrMaker", "price", "amount"),
    *("cost", "fee", "fees"),
}


def read_ccxt(paths: Sequence[Path], sizes: Mapping[str, Fraction], progress: Progress | None = None) -> Data:
    """The trades of these files, each of an account. ``sizes``: base units of a contract, by symbol.

    ``LogError`` names file and field of what cannot be read.
    """
    data = Data(CONVENTION)
    for path in paths:
        account = ACCOUNT if len(paths) == 1 else path.stem
        for place, value in read_values(path, progress):
            try:
                for at, field, trade in _list_trades(value, place):
                    with within(field) if field else nullcontext():
                        _read_trade(trade, at, account, data)
            except Fault as fault:
                raise LogError(place.file, place.line, fault.field, fault.expected, fault.got) from None
    return _in_base_units(data, sizes)


def _list_trades(value: object, place: Place) -> Iterator[tuple[Place, str, Any]]:
    if isinstance(value, dict):
        yield place, "", value
        return
    for number, entry in enumerate(get_entries(value)):
        yield Place(place.file, place.line, f"[{number}]"), f"[{number}]", entry


def _read_trade(trade: object, place: Place, account: str, data: Data) -> None:
    if not isinstance(trade, Mapping):
        raise Fault("an object", describe(trade))
    symbol, side = get_text(trade, "symbol"), get_text(trade, "side")
    base, _, settle = symbol.partition("/")[0], *symbol.partition(":")[1:]
    if not settle:
        data.leave_out("trades of spot markets", place)
        return
    if settle.partition("-")[0] == base:
        raise Fault("a linear market, whose profit is in quote currency", printable(symbol), "symbol")
    if side not in ("buy", "sell"):
        raise Fault("buy or sell", describe(side), "side")
    for name in sorted(trade.keys() - _KNOWN):
        data.leave_out(f"column {printable(name)}", place)
    info, role, id = find(trade, "info"), find(trade, "takerOrMaker"), find(trade, "id")
    if role not in (None, "taker", "maker"):
        raise Fault("taker or maker", describe(role), "takerOrMaker")
    if id is not None and (isinstance(id, bool) or not isinstance(id, int | str)):
        raise Fault("a text", describe(id), "id")
    own = info if isinstance(info, Mapping) else {}
    with within("info"):
        profit = next((find_figure(own, name) for name in _PROFITS if own.get(name) not in (None, "")), None)
        before = find_figure(own, "startPosition")
    data.trades.append(
        Trade(
            place,
            account,
            symbol,
            get_above_zero(trade, "amount") * (1 if side == "buy" else -1),
            get_above_zero(trade, "price"),
            _read_fee(trade, settle.partition("-")[0], place, data),
            get_time(trade, "timestamp"),
            None if id is None else str(id),
            None if role is None else role == "taker",
            before=before,
            closed_pnl=profit,
            told_cost=find_figure(trade, "cost"),
        )
    )


def _read_fee(trade: object, settle: str, place: Place, data: Data) -> Fraction:
    """What was paid in the currency that margin is in; another is counted."""
    fee = find(trade, "fee")
    if fee is None:
        return Fraction(0)
    with within("fee"):
        cost = find_figure(fee, "cost") or Fraction(0)
        if cost != 0 and find(fee, "currency") not in (None, settle):
            data.leave_out("fees in another currency", place)
            return Fraction(0)
    return cost


def _in_base_units(data: Data, sizes: Mapping[str, Fraction]) -> Data:
    """The same with sizes in base units."""
    known = dict(sizes)
    by_symbol: dict[str, set[Fraction]] = {}
    for trade in data.trades:
        if trade.told_cost is not None:
            by_symbol.setdefault(trade.market, set()).add(trade.told_cost / abs(trade.size * trade.price))
    for symbol, ratios in by_symbol.items():
        ratio = ratios.pop()
        if symbol not in known and not ratios and ratio not in (0, 1) and is_bounded(ratio):
            known[symbol] = ratio
            size = format_decimal(ratio)
            data.notes.append(f"a contract of {printable(symbol)} is taken to be {size}: its cost says so")
    one = Fraction(1)
    scaled = [evolve(trade, size=trade.size * known.get(trade.market, one)) for trade in data.trades]
    return evolve(data, trades=scaled)


# Positions


def read_ccxt_positions(path: Path, account: str) -> tuple[Snapshot, dict[str, Fraction]]:
    """What ``fetch_positions`` says is left, and the base units of a contract by symbol. ``LogError`` as above."""
    positions: dict[tuple[str, str], tuple[Fraction, Fraction]] = {}
    sizes: dict[str, Fraction] = {}
    answer = read_data(path)
    try:
        for number, entry in enumerate(get_entries(answer)):
            with within(f"[{number}]"):
                symbol = get_text(entry, "symbol")
                contract = get_above_zero(entry, "contractSize") if find(entry, "contractSize") is not None else 1
                sizes[symbol] = Fraction(contract)
                if get_figure(entry, "contracts") == 0:
                    continue
                side = get_text(entry, "side")
                if side not in ("long", "short"):
                    raise Fault("long or short", describe(side), "side")
                if (account, symbol) in positions:
                    raise Fault("one position of a symbol", f"a second one of {printable(symbol)}", "symbol")
                size = get_above_zero(entry, "contracts") * contract * (1 if side == "long" else -1)
                positions[account, symbol] = size, get_above_zero(entry, "entryPrice")
    except Fault as fault:
        raise LogError(str(path), None, fault.field, fault.expected, fault.got) from None
    return Snapshot(Place(str(path)), {account: None}, positions), sizes
