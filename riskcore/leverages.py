"""Which leverage an account has chosen, by market: 0 where it has chosen none.

Kept apart from positions, for a choice is made before the first trade and outlives the last.
"""

from __future__ import annotations

from riskcore.per_market import PerMarket
from riskcore.quantities import Leverage

NONE_CHOSEN = Leverage(0)


class Leverages(PerMarket[Leverage]):
    """One account's choices by market."""

    __slots__ = ()

    ABSENT = NONE_CHOSEN


NO_LEVERAGES = Leverages()
