"""The running example of Chitra, Autodeleveraging: Impossibilities and Optimization (arXiv 2512.01112).

Its own funding rate, margin test, and three ways to share a budget of haircuts. Exact. Source: the paper, and the
corrected text in pluriholonomic/autodeleveraging-analysis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from fractions import Fraction

from attrs import frozen

from riskcore.venues.exact import Number, exact, within
from riskcore.venues.formulas import get_bankruptcy_price, get_funding_payment, get_notional, get_pnl

__all__ = [
    "Position",
    "Weight",
    "get_bankruptcy_price",
    "get_budget",
    "get_equity",
    "get_funding_gamma",
    "get_funding_payment",
    "get_haircuts_by_queue",
    "get_haircuts_pro_rata",
    "get_leverage",
    "get_maintenance_margin",
    "get_risk_shares",
    "get_total_pnl",
]


@frozen
class Position:
    """Signed size, and collateral in quote units."""

    size: Fraction
    collateral: Fraction


def get_leverage(size: Number, collateral: Number, price: Number) -> Fraction:
    """Notional per collateral, whatever the profit."""
    return get_notional(size, price) / exact(collateral)


def get_maintenance_margin(size: Number, price: Number, rate: Number) -> Fraction:
    """A rate of the notional."""
    return get_notional(size, price) * exact(rate)


def get_funding_gamma(positions: Sequence[Position], price: Number, spot: Number, kappa: Number) -> Fraction:
    """kappa * (longs / shorts - price / spot); below zero longs pay. ``ValueError`` without shorts."""
    longs = sum((position.size for position in positions if position.size > 0), Fraction(0))
    shorts = -sum((position.size for position in positions if position.size < 0), Fraction(0))
    if shorts == 0:
        raise ValueError("there are no shorts")
    return exact(kappa) * (longs / shorts - exact(price) / exact(spot))


def get_total_pnl(size: Number, prices: Sequence[Number], gammas: Sequence[Number]) -> Fraction:
    """Profit from the first price to the last, with the funding of each step at its price."""
    funding = (get_funding_payment(size, price, -exact(gamma)) for price, gamma in zip(prices[1:], gammas, strict=True))
    return get_pnl(size, prices[0], prices[-1]) + sum(funding, Fraction(0))


def get_equity(position: Position, prices: Sequence[Number], gammas: Sequence[Number]) -> Fraction:
    """Collateral and profit with funding."""
    return position.collateral + get_total_pnl(position.size, prices, gammas)


def get_budget(deficit: Number, severity: Number) -> Fraction:
    """The part of a deficit that is taken from winners."""
    return exact(deficit) * exact(severity)


def get_haircuts_by_queue(capacities: Sequence[Number], order: Sequence[int], budget: Number) -> tuple[Fraction, ...]:
    """Each as much as it can bear, in an order of places counted from one, until the budget is met."""
    left, cuts = exact(budget), [Fraction(0)] * len(capacities)
    for place in order:
        cuts[place - 1] = min(exact(capacities[place - 1]), left)
        left -= cuts[place - 1]
    return tuple(cuts)


def get_haircuts_pro_rata(capacities: Sequence[Number], budget: Number) -> tuple[Fraction, tuple[Fraction, ...]]:
    """The common rate, at most one, and each one's part. ``ValueError`` where nobody can bear anything."""
    bearable = [exact(capacity) for capacity in capacities]
    total = sum(bearable, Fraction(0))
    if total <= 0:
        raise ValueError("nobody can bear anything")
    rate = within(exact(budget) / total, 0, 1)
    return rate, tuple(rate * capacity for capacity in bearable)


class Weight(StrEnum):
    """How much more a risk-aware policy takes from higher leverage."""

    LINEAR = "linear"
    POWER = "power"
    CVAR = "cvar"


#: Leverage above which the last of the weights counts.
CVAR_THRESHOLD = Fraction(9, 10)

_WEIGHTS: Mapping[Weight, Callable[[Fraction], Fraction]] = {
    Weight.LINEAR: lambda leverage: leverage,
    Weight.POWER: lambda leverage: leverage * leverage,
    Weight.CVAR: lambda leverage: max(leverage - CVAR_THRESHOLD, Fraction(0)),
}


def get_risk_shares(
    equities: Mapping[str, Number], leverages: Mapping[str, Number], weight: Weight
) -> dict[str, Fraction]:
    """Shares in proportion to equity * leverage * weight(leverage). ``ValueError`` where all are zero."""
    parts = {
        id: exact(equity) * exact(leverages[id]) * _WEIGHTS[weight](exact(leverages[id]))
        for id, equity in equities.items()
    }
    total = sum(parts.values(), Fraction(0))
    if total == 0:
        raise ValueError("nobody has a part")
    return {id: part / total for id, part in parts.items()}
