"""Paradex: liquidation by shares with a penalty, and the haircut of withdrawals while a loss is uncovered.

Exact, in quote units. Source: tradeparadex/paradex-docs, pages liquidations and socialized-losses of its risk
system. The second one's own example does not follow its formula; this is the formula.
"""

from __future__ import annotations

from fractions import Fraction

from attrs import frozen

from riskcore.venues.exact import Number, exact


@frozen
class Liquidation:
    """An account after a share of it was liquidated; ``ratio`` is requirement per value, None at no value."""

    maintenance: Fraction
    penalty: Fraction
    value: Fraction
    ratio: Fraction | None


def liquidate(value: Number, maintenance: Number, share: Number, fee: Number) -> Liquidation:
    """Close a share of all positions at mark; the penalty is ``fee`` of the requirement that is released."""
    released = exact(share) * exact(maintenance)
    penalty, rest = released * exact(fee), exact(maintenance) - released
    left = exact(value) - penalty
    return Liquidation(rest, penalty, left, rest / left if left > 0 else None)


def get_bankruptcy_amount(deficits: Number, insurance: Number) -> Fraction:
    """What the fund cannot pay of all accounts' deficits."""
    return max(exact(deficits) - exact(insurance), Fraction(0))


def get_haircut_rate(bankruptcy_amount: Number, total: Number) -> Fraction:
    """The part of a withdrawal that stays behind: the uncovered amount over all there is and the amount.

    ``ValueError`` where both are zero together.
    """
    whole = exact(total) + exact(bankruptcy_amount)
    if whole <= 0:
        raise ValueError("there is nothing to withdraw from")
    return exact(bankruptcy_amount) / whole


def get_withdrawal(amount: Number, haircut_rate: Number) -> Fraction:
    """What is paid out of an amount."""
    return exact(amount) * (1 - exact(haircut_rate))
