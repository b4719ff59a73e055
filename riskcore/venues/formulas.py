"""The mathematics that venues share: profit, requirement, prices at which a position ends, funding.

Pure and exact. Sizes are signed, + long, - short, in base units; cash is in quote units. Nothing
here rounds: where a venue does, its own module says in which direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from riskcore.venues.exact import Number, exact, exact_price, round_down, within


def get_notional(size: Number, price: Number) -> Fraction:
    """Absolute worth of a position."""
    return abs(exact(size)) * exact_price(price)


def get_pnl(size: Number, entry: Number, price: Number) -> Fraction:
    """What a position has gained since its entry; below zero what it has lost."""
    return exact(size) * (exact_price(price) - exact_price(entry))


def get_equity(size: Number, entry: Number, collateral: Number, price: Number) -> Fraction:
    """Collateral and profit."""
    return exact(collateral) + get_pnl(size, entry, price)


def get_leverage(notional: Number, equity: Number) -> Fraction | None:
    """Notional per equity; None where equity is not above zero."""
    return exact(notional) / exact(equity) if exact(equity) > 0 else None


def get_bankruptcy_price(size: Number, entry: Number, collateral: Number) -> Fraction:
    """The price at which nothing is left of the collateral; zero for a long that no price can bankrupt.

    ``ValueError`` without a position.
    """
    return max(exact_price(entry) - exact(collateral) / _require_position(size), Fraction(0))


def get_liquidation_price(
    size: Number,
    entry: Number,
    collateral: Number,
    rate: Number,
    *,
    deduction: Number = 0,
    others_maintenance: Number = 0,
    others_pnl: Number = 0,
) -> Fraction | None:
    """The price at which equity is the requirement, ``rate`` of the notional at that price less a deduction.

    ``collateral``: what the position can lose, in a cross account all of its cash; ``others_maintenance``
    and ``others_pnl``: requirement and profit of that account's other positions. Not above zero where a long is
    healthy at every price. None where no price changes anything (a long at a rate of one).
    ``ValueError`` without a position.
    """
    held = _require_position(size)
    slope = abs(held) * exact(rate) - held
    if slope == 0:
        return None
    cushion = exact(collateral) - exact(others_maintenance) + exact(others_pnl) + exact(deduction)
    return (cushion - held * exact_price(entry)) / slope


def get_entry_rate_liquidation_price(size: Number, entry: Number, leverage: Number, rate: Number) -> Fraction:
    """The same where initial and maintenance margin are rates of the notional at entry.

    ``ValueError`` without a position, or where the leverage is not above zero.
    """
    side = 1 if _require_position(size) > 0 else -1
    if exact(leverage) <= 0:
        raise ValueError(f"a leverage above zero is expected, not {leverage}")
    return exact_price(entry) * (1 - side * (1 / exact(leverage) - exact(rate)))


def is_liquidatable(equity: Number, maintenance: Number) -> bool:
    """Whether equity is below the requirement; at the boundary it is not."""
    return exact(equity) < exact(maintenance)


def get_funding_payment(size: Number, price: Number, rate: Number) -> Fraction:
    """What the position receives at a funding rate; below zero it pays. Longs pay where the rate is above zero."""
    return -exact(size) * exact_price(price) * exact(rate)


def get_premium(index: Number, impact_bid: Number, impact_ask: Number) -> Fraction:
    """By what rate the market is above its index; nothing while the index lies between bid and ask.

    ``ValueError`` where the index is not above zero, or the book is crossed.
    """
    centre, bid, ask = exact_price(index), exact_price(impact_bid), exact_price(impact_ask)
    if centre == 0 or bid > ask:
        raise ValueError(f"an index above zero and a bid not above the ask, not {index}, {impact_bid}, {impact_ask}")
    return (max(bid - centre, Fraction(0)) - max(centre - ask, Fraction(0))) / centre


def get_average(samples: Sequence[Fraction]) -> Fraction:
    """The mean of equally spaced samples; ``ValueError`` where there is none."""
    if not samples:
        raise ValueError("at least one sample is needed")
    return sum(samples, Fraction(0)) / len(samples)


def get_funding_rate(premium: Number, interest: Number, clamp: Number, cap: Number | None = None) -> Fraction:
    """The premium, drawn toward the interest rate by ``clamp`` at most, within ``cap`` of either sign."""
    exact_premium, bound = exact(premium), exact(clamp)
    if bound < 0 or (cap is not None and exact(cap) < 0):
        raise ValueError(f"a clamp and a cap of zero or more, not {clamp} and {cap}")
    rate = exact_premium + within(exact(interest) - exact_premium, -bound, bound)
    return rate if cap is None else within(rate, -exact(cap), exact(cap))


def share_out(amount: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Whole parts of an amount in proportion, each rounded down, and the remainder to the last.

    ``ValueError`` where no weight is above zero, or one is below.
    """
    total = sum(weights)
    if total <= 0 or min(weights) < 0:
        raise ValueError(f"weights of zero or more and a sum above zero are expected, not {weights}")
    parts = [round_down(Fraction(amount * weight, total)) for weight in weights]
    parts[-1] += amount - sum(parts)
    return tuple(parts)


def _require_position(size: Number) -> Fraction:
    held = exact(size)
    if held == 0:
        raise ValueError("there is no position")
    return held
