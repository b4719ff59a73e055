"""A market's status: what it may be set to, and what it never leaves."""

from __future__ import annotations

from typing import Any

from riskcore.choices import MarketStatus
from specs.arithmetic import some

#: What a market may be set to, in any order.
REVERSIBLE = (MarketStatus.OPEN, MarketStatus.CLOSE_ONLY, MarketStatus.PAUSED)
#: What it never leaves.
ENDS = (MarketStatus.SETTLING, MarketStatus.DELISTED)


def is_one_of(status: Any, *words: MarketStatus) -> Any:
    return some(*(status == word for word in words))


def is_ending(market: Any) -> Any:
    """Whether the market is left to be settled at its mark price, or has been."""
    return is_one_of(market.status, *ENDS)
