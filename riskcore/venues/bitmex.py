"""BitMEX: the ADL score, its queue and lights, and closing at bankruptcy price from the head.

Exact. Source: BitMEX documentation on auto-deleveraging, and doc.sat.is, Priority Ranking Calculation and ADL System.
"""

from riskcore.venues import ranks
from riskcore.venues.formulas import get_bankruptcy_price
from riskcore.venues.ranks import consume, get_percentiles, sort_by_score

__all__ = ["consume", "get_adl_score", "get_bankruptcy_price", "get_percentiles", "sort_by_score"]

get_adl_score = ranks.get_profit_or_loss_by_leverage
