"""Ethereal: deleveraging at the oracle's price, but no worse for the winner than the loser's bankruptcy price.

Exact, in quote units. Source: Ethereal documentation on auto-deleveraging.
"""

from __future__ import annotations

from fractions import Fraction

from riskcore.venues.exact import Number, exact, exact_price
from riskcore.venues.formulas import get_bankruptcy_price

__all__ = ["get_bankruptcy_price", "get_close_out_price"]


def get_close_out_price(size: Number, entry: Number, collateral: Number, oracle: Number) -> Fraction:
    """The price of the account deleveraged: the oracle's, where it is beyond bankruptcy that of bankruptcy."""
    bound, price = get_bankruptcy_price(size, entry, collateral), exact_price(oracle)
    return max(price, bound) if exact(size) > 0 else min(price, bound)
