"""What a venue computes before it sends an event: the mark price, and the funding rate of an interval.

Tools beside the kernel, in its units: prices in atoms per lot, rates in parts per
million, averages over samples rounded once. The kernel takes what they give, and
bounds it by the market's own limits.
"""

from __future__ import annotations

from collections.abc import Sequence

from riskcore.quantities import RATE_ONE, Price, Rate


def get_median_mark(first: int, second: int, third: int) -> Price:
    """The middle of three prices, such as index, mid of the book and last trade: no one of them can move it alone."""
    return Price(sorted((first, second, third))[1])


def get_premium(index: int, impact_bid: int, impact_ask: int) -> Rate:
    """By what rate the market is above its index, or below it where negative, rounded toward zero.

    ``impact_bid`` and ``impact_ask``: average prices at which a given notional would trade.
    Nothing while the index lies between them. ``ValueError`` where the index is not above zero, or the book is crossed.
    """
    if index <= 0 or impact_bid > impact_ask:
        raise ValueError(f"an index above zero and a bid not above the ask, not {index}, {impact_bid}, {impact_ask}")
    distance = max(impact_bid - index, 0) - max(index - impact_ask, 0)
    return Rate(_divide_toward_zero(distance * RATE_ONE, index))


def get_average_premium(premiums: Sequence[int]) -> Rate:
    """The mean over equally spaced samples, rounded toward zero. ``ValueError`` where there is none."""
    if not premiums:
        raise ValueError("at least one sample is needed")
    return Rate(_divide_toward_zero(sum(premiums), len(premiums)))


def get_funding_rate(premium: int, interest_rate: int, clamp: int, cap: int) -> Rate:
    """An interval's funding rate: the premium, drawn toward the interest rate by ``clamp`` at most, within ``cap``.

    ``premium + clamp(interest_rate - premium, -clamp, clamp)``, as Binance and Hyperliquid
    state it. ``ValueError`` where clamp or cap is below zero.
    """
    if clamp < 0 or cap < 0:
        raise ValueError(f"a clamp and a cap of zero or more, not {clamp} and {cap}")
    return Rate(_within(premium + _within(interest_rate - premium, clamp), cap))


def _within(value: int, bound: int) -> int:
    return max(-bound, min(value, bound))


def _divide_toward_zero(numerator: int, denominator: int) -> int:
    return numerator // denominator if numerator >= 0 else -(-numerator // denominator)
