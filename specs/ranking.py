"""Who is deleveraged first, as the rulebook's policy says.

A position's rank is a ratio, compared cross-multiplied; ties go to the larger size,
then to the smaller account id.
"""

from __future__ import annotations

from riskcore.state import RankPolicy
from specs.arithmetic import larger, magnitude


def score(policy: RankPolicy, size: int, cost: int, mark: int, equity: int) -> tuple[int, int]:
    """The rank as numerator and denominator, the latter above zero.

    Profit x leverage: (profit / cost) * (notional / equity), nothing where either is no gain.
    Leverage: notional / equity. Size: notional.
    """
    notional, profit = abs(size) * mark, size * mark - cost
    if policy is RankPolicy.SIZE:
        return notional, 1
    if equity <= 0 or (policy is RankPolicy.PROFIT_TIMES_LEVERAGE and profit <= 0):
        return 0, 1
    if policy is RankPolicy.LEVERAGE:
        return notional, equity
    return profit * notional, larger(magnitude(cost), 1) * equity


def ahead(
    first: tuple[int, int], first_size: int, first_id: str, second: tuple[int, int], second_size: int, second_id: str
) -> bool:
    """Whether the first ranks before the second."""
    left, right = first[0] * second[1], second[0] * first[1]
    # the smaller id of two equals ranks first, so it is compared the other way around
    return (left, abs(first_size), second_id) > (right, abs(second_size), first_id)
