"""StarkEx perpetuals (Extended): slabs of risk, total value and total risk, fair deleveraging, funding.

Integers of the venue's own quantums. Risk is rounded toward zero, funding down for both
sides, so that a quantum may be lost and none is made. Source: x10xchange/starknet-perpetual, contracts/src/core.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from fractions import Fraction

from attrs import frozen

from riskcore.venues.exact import Number, exact, round_down


class Health(StrEnum):
    """What may be done with an account."""

    HEALTHY = "healthy"
    LIQUIDATABLE = "liquidatable"
    DELEVERAGABLE = "deleveragable"


@frozen
class Position:
    """Quantums of collateral and of the synthetic asset, signed."""

    collateral: int
    size: int


@frozen
class Standing:
    """Total value and total risk."""

    value: int
    risk: int


def get_risk_factor(factors: Sequence[Number], first_boundary: int, tier_size: int, notional: int) -> Fraction:
    """The factor of the whole notional: the first below the boundary, then one per tier, the last for all above."""
    place = 0 if notional < first_boundary else (notional - first_boundary) // tier_size + 1
    return exact(factors[min(place, len(factors) - 1)])


def get_maintenance_margin(notional: int, risk_factor: Number) -> int:
    """Total risk of a position, rounded down."""
    return round_down(abs(notional) * exact(risk_factor))


def get_standing(position: Position, price: int, risk_factor: Number) -> Standing:
    """Value with the position at its price, and the risk of it."""
    worth = position.size * price
    return Standing(position.collateral + worth, get_maintenance_margin(worth, risk_factor))


def get_health(standing: Standing) -> Health:
    """Below zero deleveragable, below its risk liquidatable; at the boundary healthy."""
    if standing.value < 0:
        return Health.DELEVERAGABLE
    return Health.LIQUIDATABLE if standing.value < standing.risk else Health.HEALTHY


def trade(position: Position, base: int, quote: int, fee: int = 0) -> Position:
    """The position after so much of each was received, and a fee paid."""
    return Position(position.collateral + quote - fee, position.size + base)


def is_fair_deleverage(before: Standing, after: Standing) -> bool:
    """Whether value per risk stays, but for a quantum in the account's favour; without risk, value is zero.

    Only for an account that is deleveragable.
    """
    if get_health(before) is not Health.DELEVERAGABLE:
        return False
    if after.risk == 0:
        return after.value == 0
    return (after.value - 1) * before.risk <= before.value * after.risk <= after.value * before.risk


def is_healthier(before: Standing, after: Standing) -> bool:
    """Whether a liquidation may end so: healthy, or with no more risk and no less value per risk."""
    if get_health(after) is Health.HEALTHY:
        return True
    return after.risk <= before.risk and after.value * before.risk >= before.value * after.risk


def get_funding_payment(size: int, index_delta: Number) -> int:
    """Quantums that the position receives, rounded down; longs pay where the index has risen."""
    return round_down(-size * exact(index_delta))


def get_bankruptcy_price(position: Position) -> Fraction:
    """The price at which total value is zero; ``ValueError`` without a position."""
    if position.size == 0:
        raise ValueError("there is no position")
    return Fraction(-position.collateral, position.size)
