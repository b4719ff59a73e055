"""OKX: the taker fee of closing is part of the requirement; ADL once a fund has fallen by a rate from its reference.

Exact, in quote units. Sources: OKX help pages on liquidation of futures and perpetual swaps, and Introduction to
auto-deleveraging; as computed in freqtrade/freqtrade, freqtrade/exchange/okx.py.
"""

from __future__ import annotations

from fractions import Fraction

from riskcore.venues import formulas
from riskcore.venues.exact import Number, exact
from riskcore.venues.formulas import get_bankruptcy_price

__all__ = ["get_adl_threshold", "get_bankruptcy_price", "get_liquidation_price", "is_adl_triggered"]


def get_liquidation_price(
    size: Number, entry: Number, collateral: Number, rate: Number, taker_fee: Number
) -> Fraction | None:
    """The price at which equity is requirement and closing fee at that price."""
    return formulas.get_liquidation_price(size, entry, collateral, exact(rate) + exact(taker_fee))


def get_adl_threshold(reference: Number, drop: Number) -> Fraction:
    """The fund's balance at which deleveraging begins."""
    return exact(reference) * (1 - exact(drop))


def is_adl_triggered(reference: Number, drop: Number, balance: Number) -> bool:
    """Whether the fund has fallen to the threshold, or to nothing."""
    return exact(balance) <= max(get_adl_threshold(reference, drop), Fraction(0))
