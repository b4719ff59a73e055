"""At which price of its market a position is below maintenance, all else fixed.

A tool, not the kernel. At the prices of one bracket the requirement is a rate of the
notional less a deduction, and so the price has a formula; which bracket is looked for.
``missing`` is what the account needs besides this position: the maintenance requirement
of its others, less what it is worth without the lots.
"""

from __future__ import annotations

from typing import NamedTuple

from riskcore.choices import TierRule
from riskcore.quantities import RATE_ONE, Price, divide_down, divide_up
from riskcore.rulebook import MarketRules
from riskcore.tiers import get_maintenance_rates


class Line(NamedTuple):
    """A bracket at the prices above ``low`` and up to ``high``, the last one without end.

    ``deduction`` is in millionths of an atom.
    """

    low: int
    high: int | None
    rate: int
    deduction: int


def get_lines(rules: MarketRules, lots: int) -> list[Line]:
    """The brackets by the price of ``lots``; one that no integer price is in is left out."""
    floors = [0, *(tier.floor for tier in rules.tiers)]
    deduction = below = 0
    lines = []
    for floor, ceiling, rate in zip(floors, [*floors[1:], None], get_maintenance_rates(rules), strict=True):
        if rules.tier_rule is TierRule.MARGINAL:
            deduction += (rate - below) * floor
        below = rate
        low, high = floor // lots, None if ceiling is None else ceiling // lots
        if high is None or low < high:
            lines.append(Line(low, high, rate, deduction))
    return lines


def get_short_price(rules: MarketRules, lots: int, missing: int) -> Price:
    """The smallest price at which a short of ``lots`` is below: it is at every higher one too."""
    for line in get_lines(rules, lots):
        covered, slope = line.deduction - missing * RATE_ONE, lots * (RATE_ONE + line.rate)
        price = max(divide_down(covered, slope) + 1, line.low + 1)
        if line.high is None or price <= line.high:
            return Price(price)
    raise AssertionError("the last bracket has no end")


def get_long_price(rules: MarketRules, lots: int, missing: int, mark: int, is_below: bool) -> Price | None:
    """The price at which a long of ``lots`` is first below on the way down from the mark.

    Where it is below already, the last on the way up; None where there is no such price.
    """
    lines = get_lines(rules, lots)
    if is_below:
        for line in lines:
            last = _get_last_below(line, lots, missing)
            if line.high is None or (line.high >= mark and last != line.high):
                return last
    for line in reversed(lines):
        last = _get_last_below(line, lots, missing)
        if line.low < mark and last is not None and last > line.low:
            return last
    return None


def _get_last_below(line: Line, lots: int, missing: int) -> Price | None:
    """The largest price of a bracket at which a long is below; its ``low`` where there is none, None without end.

    It is below at all lower prices of the bracket too.
    """
    needed, slope = missing * RATE_ONE - line.deduction, lots * (RATE_ONE - line.rate)
    if slope == 0 and needed > 0:
        return None if line.high is None else Price(line.high)
    price = max(divide_up(needed, slope) - 1, line.low) if slope else line.low
    return Price(price if line.high is None else min(price, line.high))
