"""Binance USD-M: brackets with a maintenance amount (``cum``), liquidation prices, marks.

Exact, in quote units: the venue prints two decimals. Source: Binance support articles on leverage and margin,
liquidation price, funding rate and mark price of USD-M futures.
"""

from __future__ import annotations

from fractions import Fraction

from riskcore.venues import ranks
from riskcore.venues.brackets import (
    find_liquidation_price,
    get_deduction,
    get_maintenance_margin,
    make_brackets,
)
from riskcore.venues.exact import Number, exact, exact_price
from riskcore.venues.formulas import (
    get_bankruptcy_price,
    get_funding_payment,
    get_funding_rate,
    get_liquidation_price,
    get_premium,
)

__all__ = [
    "find_liquidation_price",
    "get_adl_score",
    "get_bankruptcy_price",
    "get_deduction",
    "get_funding_payment",
    "get_funding_rate",
    "get_liquidation_price",
    "get_maintenance_margin",
    "get_mark_from_funding",
    "get_premium",
    "make_brackets",
]

get_adl_score = ranks.get_profit_times_margin_ratio


def get_mark_from_funding(index: Number, funding_rate: Number, until_funding: Number, interval: Number) -> Fraction:
    """The index moved by the part of the last funding rate that the time until the next one is of the interval.

    One of the prices whose median the mark is. ``ValueError`` where the interval is not above zero.
    """
    if exact(interval) <= 0:
        raise ValueError(f"an interval above zero is expected, not {interval}")
    return exact_price(index) * (1 + exact(funding_rate) * exact(until_funding) / exact(interval))
