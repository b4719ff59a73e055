"""``riskcore rulebook from``: a rulebook's file out of market data as clients and venues give it.

The markets come from the data, and what holds for all of them from a preset or another rulebook. The file is written
whole once it has been read back, or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, get_type_hints

import attrs
from attrs import frozen

from riskcore.bad_input import Fault, LogError, escape, get_cause, printable, within
from riskcore.files import write_whole
from riskcore.quantities import RATE_ONE, Atoms, MarketId, Rate
from riskcore.rulebook import MarketRules
from riskcore.rulebook_diff import carry_over
from riskcore.rulebook_file import SCHEMA_VERSION, VERSION, RulebookFile, decode_rulebook
from riskcore.rulebook_show import find_rulebook
from riskcore.units import format_decimal
from riskcore.venues.answers import read_data
from riskcore.venues.loading import (
    Loaded,
    load_binance_brackets,
    load_ccxt,
    load_hyperliquid_meta,
    read_binance_symbols,
)

#: The shapes of data, with the files that each takes and the preset whose choices are the default.
SHAPES: Final[Mapping[str, tuple[tuple[str, ...], str | None]]] = {
    "ccxt": (("TIERS", "MARKETS"), None),
    "binance": (("BRACKETS", "[EXCHANGE_INFO]"), "binance"),
    "hyperliquid": (("META",), "hyperliquid"),
}


@frozen
class Order:
    """What is to be made: fees are rates of notional, ``atom`` is quote currency; None where the data may say it."""

    shape: str
    files: tuple[Path, ...]
    like: str | None
    atom: Fraction
    taker: Fraction | None
    maker: Fraction | None
    liquidation_fee: Fraction | None


@frozen
class _Market:
    rules: MarketRules
    lot: Fraction | None


def make_rulebook_file(order: Order) -> dict[str, object]:
    """The members of the file. ``LogError`` names the file and the field that is missing or wrong."""
    like = order.like or SHAPES[order.shape][1]
    if like is None:
        raise LogError("--like", None, None, f"a preset or a rulebook, as {order.shape} says nothing of it", "none")
    base = find_rulebook(like)
    if base.units is None:
        raise LogError(like, None, "units", "units, which say what an atom is worth", "none")
    base = carry_over(base, like, order.atom)
    markets = _load(order)
    lots = {id: format_decimal(market.lot) for id, market in markets.items() if market.lot is not None}
    members: dict[str, object] = {
        VERSION: SCHEMA_VERSION,
        "venue": f"{order.shape}, with the choices of {like}",
        "units": {"cash": format_decimal(order.atom), "lots": lots},
        "rulebook": _to_members(base.rulebook, order.atom),
        "markets": {id: _to_members(market.rules, order.atom) for id, market in markets.items()},
        "sources": {"rulebook": f"as {like}"} | _get_sources(order, markets),
    }
    return members | ({"equity_against": base.equity_against} if base.equity_against != "price" else {})


def _get_sources(order: Order, markets: Mapping[MarketId, _Market]) -> dict[str, str]:
    names = ", ".join(path.name for path in order.files)
    return {f"markets.{id}": f"{order.shape}: {printable(names)}" for id in markets}


def _to_members(value: Any, atom: Fraction) -> dict[str, object]:
    """A rulebook's or a market's fields as they are written, those that are the default left out."""
    hints, members = get_type_hints(type(value)), {}
    for field in attrs.fields(type(value)):
        figure = getattr(value, field.name)
        if figure != field.default:
            members[field.name] = _to_figure(figure, hints[field.name], atom)
    return members


def _to_figure(figure: Any, hint: object, atom: Fraction) -> object:
    if isinstance(figure, tuple):
        return [_to_members(tier, atom) for tier in figure]
    if hint is Rate:
        return format_decimal(Fraction(figure, RATE_ONE))
    if hint is Atoms:
        return format_decimal(figure * atom)
    return figure if isinstance(figure, bool | int) else str(figure)


def _load(order: Order) -> dict[MarketId, _Market]:
    expected = SHAPES[order.shape][0]
    least = sum(not name.startswith("[") for name in expected)
    if not least <= len(order.files) <= len(expected):
        raise LogError(f"from {order.shape}", None, None, "the files " + " ".join(expected), f"{len(order.files)}")
    data = [read_data(path) for path in order.files]
    try:
        return {"ccxt": _load_ccxt, "binance": _load_binance, "hyperliquid": _load_hyperliquid}[order.shape](
            order, data
        )
    except Fault as fault:
        raise _blame(order, fault) from None


def _blame(order: Order, fault: Fault) -> LogError:
    """The fault in the file that it lies in: those of several files begin with what the file is."""
    field, place = fault.field or "", 0
    for number, name in enumerate(("tiers", "markets") if order.shape == "ccxt" else ("brackets", "symbols")):
        if field == name or field.startswith((f"{name}.", f"{name}[")):
            place = min(number, len(order.files) - 1)
            # of an exchange's information that is its own name
            field = field if name == "symbols" else field[len(name) :].lstrip(".")
            break
    if field.startswith("--"):
        return LogError(field, None, None, fault.expected, fault.got)
    return LogError(str(order.files[place]), None, field or None, fault.expected, fault.got)


def _load_ccxt(order: Order, data: list[Any]) -> dict[MarketId, _Market]:
    return _from_loaded(load_ccxt(data[0], data[1], order.atom, liquidation_fee=order.liquidation_fee or 0))


def _load_hyperliquid(order: Order, data: list[Any]) -> dict[MarketId, _Market]:
    taker, maker = _get_fees(order)
    return _from_loaded(load_hyperliquid_meta(data[0], order.atom, taker_fee=taker, maker_fee=maker))


def _from_loaded(loaded: Mapping[MarketId, Loaded]) -> dict[MarketId, _Market]:
    if not loaded:
        raise Fault("at least one market", "none")
    return {id: _Market(market.rules, market.lot) for id, market in loaded.items()}


def _load_binance(order: Order, data: list[Any]) -> dict[MarketId, _Market]:
    taker, maker = _get_fees(order)
    with within("symbols"):
        symbols = read_binance_symbols(data[1]) if len(data) > 1 else {}
    with within("brackets"):
        rules = load_binance_brackets(
            data[0],
            order.atom,
            taker_fee=taker,
            maker_fee=maker,
            liquidation_fee=order.liquidation_fee or 0,
            symbols=symbols,
        )
        if not rules:
            raise Fault("at least one market", "none")
    return {id: _Market(rule, symbols[id].lot if id in symbols else None) for id, rule in rules.items()}


_LOADERS: Final = {"ccxt": _load_ccxt, "binance": _load_binance, "hyperliquid": _load_hyperliquid}


def _get_fees(order: Order) -> tuple[Fraction, Fraction]:
    for name, fee in (("--taker", order.taker), ("--maker", order.maker)):
        if fee is None:
            raise Fault("a rate, as the data says no fees", "none", name)
    assert order.taker is not None and order.maker is not None
    return order.taker, order.maker


def save_rulebook_file(members: dict[str, object], path: Path) -> RulebookFile:
    """Write the file once it has been read back. ``LogError`` where it is not admissible or cannot be written."""
    text = escape(json.dumps(members, indent=1, ensure_ascii=False)) + "\n"
    try:
        file = decode_rulebook(text.encode())
    except Fault as fault:
        raise LogError(str(path), None, fault.field, fault.expected, fault.got) from None
    try:
        with write_whole(path) as stream:
            stream.write(text.encode())
    except OSError as error:
        raise LogError(str(path), None, None, "a file that can be written", get_cause(error)) from None
    return file
