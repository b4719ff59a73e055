"""Who is deleveraged first, as the rulebook's policy says.

A position's rank is a ratio, compared cross-multiplied; ties go to the larger size,
then to the smaller account id.
"""

from __future__ import annotations

from riskcore.choices import RankPolicy
from specs.arithmetic import larger, magnitude

PRIME = 2**127 - 1
#: The golden ratio's first digits, in binary.
CONSTANT = 210306068529402873165736369884012333109


def chance(policy: RankPolicy, seed: int, sequence: int, id: str) -> int:
    """An account's number in the draw of an episode: fifth powers modulo a prime, of its id, seed, sequence and id."""
    if policy is not RankPolicy.PSEUDO_RANDOM:
        return 0
    name = int.from_bytes(b"\x01" + id.encode("utf-8", "surrogatepass"), "big")
    result = 0
    for word in (name, seed, sequence, name):
        result = pow(result + word + CONSTANT, 5, PRIME)
    return result


def score(
    policy: RankPolicy, size: int, cost: int, mark: int, equity: int, opened: int, number: int
) -> tuple[int, int]:
    """The rank as numerator and denominator, the latter above zero.

    With entry for what the position cost, each as its name says; and nothing where equity, or for policies
    of profit the profit, is no gain. A signed profit that is a loss counts less the higher the leverage.
    """
    notional, profit, entry = abs(size) * mark, size * mark - cost, larger(magnitude(cost), 1)
    unconditional = {
        RankPolicy.SIZE: (notional, 1),
        RankPolicy.FIFO: (0 - opened, 1),
        RankPolicy.PSEUDO_RANDOM: (number, 1),
    }
    if policy in unconditional:
        return unconditional[policy]
    if equity <= 0:
        return 0, 1
    of_equity = {
        RankPolicy.LEVERAGE: (notional, equity),
        RankPolicy.PRICE_RATIO_TIMES_LEVERAGE: (notional * notional, entry * equity),
    }
    if policy in of_equity:
        return of_equity[policy]
    if profit <= 0:
        is_signed = policy is RankPolicy.SIGNED_PROFIT_TIMES_LEVERAGE
        return (profit * equity, entry * larger(notional, 1)) if is_signed else (0, 1)
    return {
        RankPolicy.PROFIT_TIMES_LEVERAGE: (profit * notional, entry * equity),
        RankPolicy.SIGNED_PROFIT_TIMES_LEVERAGE: (profit * notional, entry * equity),
        RankPolicy.PROFIT_TIMES_NOTIONAL_TO_EQUITY: (profit * notional, equity),
        RankPolicy.PROFIT_TO_EQUITY: (profit, equity),
        RankPolicy.PROFIT_RATIO: (profit, entry),
    }[policy]


def ahead(
    first: tuple[int, int], first_size: int, first_id: str, second: tuple[int, int], second_size: int, second_id: str
) -> bool:
    """Whether the first ranks before the second."""
    left, right = first[0] * second[1], second[0] * first[1]
    # the smaller id of two equals ranks first, so it is compared the other way around
    return (left, abs(first_size), second_id) > (right, abs(second_size), first_id)
