"""Gate: as OKX, the taker fee of closing is part of the requirement.

Exact, in quote units. Source: Gate help pages on liquidation; as in freqtrade/freqtrade, exchange/gate.py.
"""

from riskcore.venues.formulas import get_bankruptcy_price
from riskcore.venues.okx import get_liquidation_price

__all__ = ["get_bankruptcy_price", "get_liquidation_price"]
