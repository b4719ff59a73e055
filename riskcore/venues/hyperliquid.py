"""Hyperliquid: tiers from maximum leverages, liquidation price, hourly funding, and its two ADL scores.

Maintenance is half the initial rate at maximum leverage. Prices and cash in dollars, exact; nothing
is rounded. The ADL index of the documents and the score of the decompiled engine order differently, so both
are here by name. Sources: Hyperliquid documentation, pages Margin tiers, Liquidations, Funding, Auto-deleveraging;
osec.io/blog/hyperliquid-risk-engine for the engine's score.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from riskcore.venues import formulas, ranks
from riskcore.venues.brackets import Bracket, find_liquidation_price, make_brackets
from riskcore.venues.exact import Number, exact
from riskcore.venues.formulas import get_bankruptcy_price, get_funding_payment, get_pnl, get_premium

__all__ = [
    "CAP",
    "CLAMP",
    "INTEREST",
    "get_bankruptcy_price",
    "get_documented_adl_score",
    "get_engine_adl_score",
    "get_funding_payment",
    "get_funding_rate",
    "get_hourly_rate",
    "get_liquidation_price",
    "get_maintenance_rate",
    "get_pnl",
    "get_premium",
    "make_tiers",
]

#: Per eight hours.
INTEREST = Fraction(1, 10_000)
CLAMP = Fraction(5, 10_000)
#: Per hour, either sign.
CAP = Fraction(4, 100)

get_documented_adl_score = ranks.get_mark_times_leverage
get_engine_adl_score = ranks.get_profit_times_leverage


def get_maintenance_rate(max_leverage: Number) -> Fraction:
    """Half of the initial rate at the maximum leverage; ``ValueError`` where that is not above zero."""
    leverage = exact(max_leverage)
    if leverage <= 0:
        raise ValueError(f"a leverage above zero is expected, not {max_leverage}")
    return 1 / (2 * leverage)


def make_tiers(levels: Iterable[tuple[Number, Number]]) -> tuple[Bracket, ...]:
    """Continuous brackets from lower bounds in dollars and maximum leverages."""
    return make_brackets((floor, get_maintenance_rate(leverage)) for floor, leverage in levels)


def get_liquidation_price(
    size: Number, entry: Number, collateral: Number, max_leverage: Number | None = None, tiers: Sequence[Bracket] = ()
) -> Fraction | None:
    """The price at which a position of a margin of its own is liquidated; give the maximum leverage or the tiers.

    ``collateral``: its margin, in a cross account all of it. Not above zero, or with tiers None, where no price does.
    """
    if tiers:
        return find_liquidation_price(tiers, size, entry, collateral)
    if max_leverage is None:
        raise ValueError("a maximum leverage or tiers are needed")
    return formulas.get_liquidation_price(size, entry, collateral, get_maintenance_rate(max_leverage))


def get_funding_rate(premium: Number, interest: Number = INTEREST, clamp: Number = CLAMP) -> Fraction:
    """The rate of eight hours; an eighth of it is paid each hour (``get_hourly_rate``)."""
    return formulas.get_funding_rate(premium, interest, clamp)


def get_hourly_rate(premium: Number) -> Fraction:
    """What one hour's payment is a rate of, within the cap."""
    rate = get_funding_rate(premium) / 8
    return max(-CAP, min(rate, CAP))
