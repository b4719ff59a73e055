"""Bybit: isolated margin by the notional at entry, bankruptcy price, the triggers of its insurance pools.

Exact, in quote units. Sources: Bybit help centre, liquidation price of USDT contracts and Auto-Deleveraging mechanism.
"""

from __future__ import annotations

from fractions import Fraction

from riskcore.venues.exact import Number, exact
from riskcore.venues.formulas import get_bankruptcy_price
from riskcore.venues.formulas import get_entry_rate_liquidation_price as get_liquidation_price

__all__ = [
    "ADL_START",
    "ADL_STOP",
    "get_bankruptcy_price",
    "get_drawdown",
    "get_liquidation_price",
    "is_adl_over",
    "is_adl_triggered",
]

#: Drawdowns of a pool at which deleveraging starts, and above which it stops.
ADL_START, ADL_STOP = Fraction(-30, 100), Fraction(-25, 100)


def get_drawdown(peak: Number, pnl: Number) -> Fraction:
    """A pool's profit of eight hours per its highest balance in them; ``ValueError`` where that is not above zero."""
    if exact(peak) <= 0:
        raise ValueError(f"a balance above zero is expected, not {peak}")
    return exact(pnl) / exact(peak)


def is_adl_triggered(peak: Number, pnl: Number, balance: Number) -> bool:
    """Whether the pool is spent, or has lost 30 % of its peak."""
    return exact(balance) <= 0 or get_drawdown(peak, pnl) <= ADL_START


def is_adl_over(peak: Number, pnl: Number, balance: Number) -> bool:
    """Whether a deleveraging under way stops: less than 25 % lost, and something in the pool."""
    return exact(balance) > 0 and get_drawdown(peak, pnl) > ADL_STOP
