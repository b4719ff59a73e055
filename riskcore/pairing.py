"""Which long is settled against which short: any pairing is lawful, and this one is cheap to repeat.

A tool for whoever plans: at the settlement price a pair moves no equity, so no order is better than another.
"""

from __future__ import annotations

from riskcore.markets import get_market
from riskcore.quantities import AccountId, MarketId
from riskcore.state import State


def compute_pairs(state: State, market_id: MarketId) -> tuple[tuple[AccountId, AccountId], ...]:
    """Longs and shorts in the order in which they are settled until no position is left.

    Both sides in the order of their ids; whoever is left with lots meets the next of the other side.
    One scan, and fewer pairs than there are positions. Raises ``Rejected`` where the market is not listed.
    """
    get_market(state, market_id)
    sizes = ((id, account.positions.get(market_id).size) for id, account in state.accounts.items())
    held: list[tuple[AccountId, int]] = sorted((id, size) for id, size in sizes if size)
    longs = [(id, size) for id, size in reversed(held) if size > 0]
    shorts = [(id, -size) for id, size in reversed(held) if size < 0]
    pairs = []
    while longs and shorts:
        (long, bought), (short, sold) = longs.pop(), shorts.pop()
        pairs.append((long, short))
        if bought > sold:
            longs.append((long, bought - sold))
        elif sold > bought:
            shorts.append((short, sold - bought))
    return tuple(pairs)
