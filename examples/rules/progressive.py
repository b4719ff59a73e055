"""A venue's own rules: requirements that grow faster than the position, and a rank by loss-bearing leverage.

``riskcore verify --rules examples/rules/progressive.py`` proves what the laws rely on. Integers alone: the surcharge on
concentration is the square of the notional over a constant, which needs no root.
"""

from riskcore.choices import RankPolicy
from riskcore.quantities import RATE_ONE, divide_up
from riskcore.ranking import Candidate, Score
from riskcore.state import Market

#: Atoms of notional at which the surcharge is as large as the notional itself.
FULL_SURCHARGE = 10_000_000_000


def get_surcharge(notional: int) -> int:
    """Atoms that a notional needs beyond its rate; rounded up."""
    return divide_up(notional * notional, FULL_SURCHARGE)


def get_maintenance_requirement(market: Market, size: int) -> int:
    notional = abs(size) * market.mark_price
    return divide_up(notional * market.rules.maintenance_margin_rate, RATE_ONE) + get_surcharge(notional)


def get_initial_requirement(market: Market, size: int, open_interest: int, leverage: int) -> int:
    notional = abs(size) * market.mark_price
    required = divide_up(notional * market.rules.initial_margin_rate, RATE_ONE) + get_surcharge(notional)
    return max(required, divide_up(notional, leverage)) if leverage > 0 else required


def get_score(policy: RankPolicy, size: int, cost: int, mark: int, equity: int, opened: int, chance: int) -> Score:
    """Notional and profit over equity: who has won most with least behind it is first."""
    if equity <= 0:
        return Score(0, 1)
    return Score(abs(size) * mark + max(size * mark - cost, 0), equity)


def is_ahead(first: Candidate, second: Candidate) -> bool:
    """By score; of equals the larger position, then the smaller id."""
    left = first.score.numerator * second.score.denominator
    right = second.score.numerator * first.score.denominator
    if left != right:
        return left > right
    if abs(first.size) != abs(second.size):
        return abs(first.size) > abs(second.size)
    return first.id < second.id
