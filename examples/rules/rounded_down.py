"""A maintenance requirement with one fault: it is rounded down, so that the smallest positions need nothing.

``riskcore verify --rules examples/rules/rounded_down.py`` says of which, and
``riskcore replay --rules examples/rules/rounded_down.py examples/rules/rounded_down.jsonl`` what comes of it.
"""

from riskcore.quantities import RATE_ONE
from riskcore.state import Market


def get_maintenance_requirement(market: Market, size: int) -> int:
    return abs(size) * market.mark_price * market.rules.maintenance_margin_rate // RATE_ONE
