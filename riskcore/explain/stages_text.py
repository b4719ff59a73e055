"""The stages, and who took the lots, as tables."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from rich.table import Table

from riskcore.bad_input import printable
from riskcore.columns import add_row, make_table
from riskcore.explain.stages import Close, StageLeft
from riskcore.explain.tables import Scale

_AMOUNTS = ("available", "available_for_accounts", "stock", "equity", "initial", "position_limit")
_PRICES = ("mark", "bankruptcy_price", "worst_price", "best_price")
_ROOM = {True: "yes", False: "no", None: "not known"}


def list_stages(stages: tuple[StageLeft, ...], scale: Scale) -> Table:
    """A row for each stage: whether it had room, and the figures that this rests on."""
    table = make_table(["market", "stage", "room"], [], ["because"])
    for stage in stages:
        figures = [_show(stage.market, name, value, scale) for name, value in stage.figures.items()]
        because = ", ".join([*figures, *([stage.note] if stage.note else [])])
        add_row(table, printable(stage.market), stage.stage, _ROOM[stage.has_room], because)
    return table


def _show(market: str, name: str, value: Any, scale: Scale) -> str:
    shown = printable(str(value))
    if name in _PRICES:
        shown = scale.price(market, value)
    elif name in _AMOUNTS:
        shown = scale.amount(value)
    elif isinstance(value, bool) or value is None:
        shown = {True: "yes", False: "no", None: "nobody"}[value]
    return f"{name.replace('_', ' ')} {shown}"


def list_closes(closes: tuple[Close, ...], scale: Scale) -> Table:
    """Who took lots of whom, at which price against mark, what it paid, and what it forwent or gained."""
    table = make_table(["stage", "account", "to"], ["lots", "price", "mark", "for", "against mark"])
    for close in closes:
        names = close.stage, printable(close.account), printable(close.counterparty)
        prices = scale.price(close.market, close.price), scale.price(close.market, Fraction(close.mark))
        amounts = scale.amount(close.amount), _show_result(close, scale)
        add_row(table, *names, f"{close.lots:,}", *prices, *amounts)
    return table


def _show_result(close: Close, scale: Scale) -> str:
    if close.against_mark == 0:
        return "even"
    return f"{'forwent' if close.forgone else 'gained'} {scale.amount(abs(close.against_mark))}"
