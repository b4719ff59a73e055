"""How far one liquidation fill may go: to a target, to the floor of a bracket, to the end of a block's room."""

from __future__ import annotations

from typing import Any

from riskcore.rules import Rule
from specs.arithmetic import RATE_ONE, either, every, implies, larger, magnitude, smaller
from specs.case import AccountView, Case
from specs.contract import maintenance_of
from specs.tiers import step_floor


def before_the_last(case: Case, size: Any, lots: Any) -> Any:
    """Lots that stand before the last of ``lots`` goes, or what may stand at least, where that is more."""
    held = magnitude(size)
    return smaller(held, larger(held - (lots - 1), case.before.market.rules.minimum_size))


def target_is_ahead(case: Case, account: AccountView, left: Any) -> Any:
    """Whether with ``left`` lots, the others gone for nothing, equity is below the target of what is then required."""
    required = account.maintenance - maintenance_of(case, account.size) + maintenance_of(case, left)
    target = case.rulebook.liquidation_target
    return implies(target > 0, account.equity * RATE_ONE < required * target)


def step_is_ahead(case: Case, account: AccountView, left: Any) -> Any:
    """Whether with ``left`` lots the position is still above the floor of the bracket that it is in."""
    market = case.before.market
    return left * market.mark_price > step_floor(market.rules, magnitude(account.size) * market.mark_price)


def sold_at(sold: Any, since: Any, time: Any) -> Any:
    """Of what was sold at the time ``since``, what belongs to the block of ``time``."""
    return either(time == since, sold, 0)


def sold_of_account(case: Case, account: AccountView) -> Any:
    return sold_at(account.sold, account.liquidated, case.event.timestamp)


def sold_in_market(case: Case) -> Any:
    market = case.before.market
    return sold_at(market.sold, market.sold_time, case.event.timestamp)


def block_has_room(case: Case, account: AccountView, closed: Any) -> Any:
    """Whether neither limit of the block is reached once ``closed`` lots more are sold."""
    worth = closed * case.before.market.mark_price
    limit, market_limit = case.rulebook.liquidation_block_limit, case.before.market.rules.liquidation_block_limit
    return every(
        implies(limit > 0, sold_of_account(case, account) + worth < limit),
        implies(market_limit > 0, sold_in_market(case) + worth < market_limit),
    )


def limits_guard(case: Case, account: AccountView, lots: Any) -> dict[Rule, Any]:
    """What bounds a liquidation fill of ``lots``, beside the market's share."""
    left = before_the_last(case, account.size, lots)
    return {
        Rule.LIQUIDATION_TARGET: target_is_ahead(case, account, left),
        Rule.LIQUIDATION_STEP: step_is_ahead(case, account, left),
        Rule.LIQUIDATION_BLOCK: block_has_room(case, account, magnitude(account.size) - left),
    }
