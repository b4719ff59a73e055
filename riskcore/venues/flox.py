"""FLOX's liquidation engine: slabs of maintenance rates, an insurance fund, winners closed whole in rank order.

Exact, in quote units. A winner forgoes of its profit what the deficit still needs, and keeps the rest. Source:
FLOX-Foundation/flox, include/flox/backtest/liquidation_engine.h and tests/test_liquidation_engine.cpp.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from attrs import frozen

from riskcore.venues.brackets import get_maintenance_margin, make_slabs
from riskcore.venues.exact import Number, exact
from riskcore.venues.formulas import (
    get_equity,
    get_funding_payment,
    get_funding_rate,
    get_notional,
    get_pnl,
    get_premium,
    is_liquidatable,
)
from riskcore.venues.ranks import Ranked, get_profit_per_equity, sort_by_score

__all__ = [
    "RANKINGS",
    "Deleveraging",
    "deleverage",
    "get_adl_score",
    "get_equity",
    "get_funding_payment",
    "get_funding_rate",
    "get_maintenance_margin",
    "get_pnl",
    "get_premium",
    "is_liquidatable",
    "make_slabs",
]


def _get_profit_times_leverage(position: Ranked, mark: Number) -> Fraction:
    return get_profit_per_equity(position, mark) * get_notional(position.size, mark)


def _get_size(position: Ranked, mark: Number) -> Fraction:
    return abs(position.size)


#: The engine's rankings by name: profit per equity, that times notional, size.
RANKINGS: Mapping[str, Callable[[Ranked, Number], Fraction]] = {
    "pnl_ratio": get_profit_per_equity,
    "binance": _get_profit_times_leverage,
    "bybit": _get_profit_times_leverage,
    "size": _get_size,
}


def get_adl_score(ranking: str, position: Ranked, mark: Number) -> Fraction:
    """The score of a position, whose ``equity`` is without its profit; ``KeyError`` for an unknown ranking."""
    return RANKINGS[ranking](position, mark)


@frozen
class Deleveraging:
    """Who was closed, first to last, what equity each keeps, and what nobody could pay."""

    closed: tuple[str, ...]
    equity_after: Mapping[str, Fraction]
    uncovered: Fraction


def deleverage(positions: Mapping[str, Ranked], mark: Number, deficit: Number, ranking: str) -> Deleveraging:
    """Close winners whole until their profits have paid the deficit; who has none is left alone. Ties: smaller id."""
    left = exact(deficit)
    profits = {id: get_pnl(position.size, position.entry, mark) for id, position in positions.items()}
    scores = {id: get_adl_score(ranking, positions[id], mark) for id in positions if profits[id] > 0}
    closed, equities = [], {}
    for id in sort_by_score(scores, dict.fromkeys(scores, 0)):
        if left <= 0:
            break
        forgone = min(left, profits[id])
        left -= forgone
        closed.append(id)
        equities[id] = positions[id].equity + profits[id] - forgone
    return Deleveraging(tuple(closed), equities, left)
