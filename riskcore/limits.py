"""How many lots one liquidation fill may close: to a target of margin, to the floor of a bracket, within a block.

A limit is not passed by the lot that reaches it: with one lot less it would not have been. So one lot
may always go, but in a block that is used up. Where the lots that may be left without dust would not
do, all may go. All of this is off unless the rules say otherwise.

Like the gates, these limits are the book's own. A deleveraging waits with the book for the next block,
unless the account is bankrupt.
"""

from __future__ import annotations

from riskcore.gates import is_remembered
from riskcore.journal import Journal, Party
from riskcore.margin import Margin, get_maintenance_requirement
from riskcore.quantities import RATE_ONE, Time
from riskcore.rulebook import Rulebook
from riskcore.rules import Rule, require
from riskcore.state import Account, Market
from riskcore.tiers import get_step_floor


def get_lots_before_last(market: Market, size: int, lots: int) -> int:
    """Lots of a position of ``size`` that are still there before the last one of a fill of ``lots`` goes.

    No fewer than may be left without dust: where those would not do, nor would any that may be left.
    """
    return min(max(abs(size) - lots + 1, market.rules.minimum_size), abs(size))


def is_short_of_target(rulebook: Rulebook, margin: Margin, market: Market, size: int, left: int) -> bool:
    """Whether an account below the target is still below it with ``left`` lots of ``size``, the rest gone at mark."""
    released = get_maintenance_requirement(market, size) - get_maintenance_requirement(market, left)
    target = rulebook.liquidation_target
    return (target == 0) | (margin.equity * RATE_ONE < target * (margin.maintenance - released))


def is_above_step(market: Market, size: int, left: int) -> bool:
    """Whether ``left`` lots of ``size`` are still in the bracket of all."""
    return left * market.mark_price > get_step_floor(market.rules, abs(size) * market.mark_price)


def get_sold(sold: int, since: int, time: int) -> int:
    """Atoms of notional sold at ``time``, where ``sold`` were ``since``."""
    return sold if since == time else 0


def is_block_open(rulebook: Rulebook, market: Market, account: Account | Party, closed: int, time: int) -> bool:
    """Whether, once fills of this block have closed ``closed`` lots more, it has room for another."""
    worth = closed * market.mark_price
    own, all_sold = rulebook.liquidation_block_limit, market.rules.liquidation_block_limit
    has_room = (own == 0) | (get_sold(account.sold, account.liquidated, time) + worth < own)
    return has_room & ((all_sold == 0) | (get_sold(market.sold, market.sold_time, time) + worth < all_sold))


def require_within_limits(
    rulebook: Rulebook, margin: Margin, market: Market, account: Party, size: int, lots: int, time: Time
) -> None:
    """The guard of a fill that closes ``lots`` of the account's position of ``size``."""
    left = get_lots_before_last(market, size, lots)
    require(is_short_of_target(rulebook, margin, market, size, left), Rule.LIQUIDATION_TARGET)
    require(is_above_step(market, size, left), Rule.LIQUIDATION_STEP)
    require(is_block_open(rulebook, market, account, abs(size) - left, time), Rule.LIQUIDATION_BLOCK)


def note_sale(journal: Journal, account: Party, market: Market, lots: int, time: Time) -> None:
    """Note that a fill closed ``lots`` of the account, where something depends on it."""
    worth = lots * market.mark_price
    if is_remembered(journal.state.rulebook):
        journal.remember(account, time, get_sold(account.sold, account.liquidated, time) + worth)
    if market.rules.liquidation_block_limit > 0:
        journal.count_sold(time, get_sold(market.sold, market.sold_time, time) + worth)
