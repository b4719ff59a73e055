"""Liquidation: who may be closed, how far, at which price."""

from __future__ import annotations

from fractions import Fraction

from riskcore import events
from riskcore.journal import Reason
from riskcore.quantities import RATE_ONE
from riskcore.testing.desk import Passage
from riskcore.testing.laws.margin import assert_safe
from riskcore.testing.laws.passages import (
    FORCED_EVENTS,
    get_close,
    get_closed_value,
    get_paid_for,
    get_proceeds,
    get_trade,
)
from riskcore.testing.naive.needs import get_maintenance
from riskcore.testing.naive.venue import Venue


def liq_1(passage: Passage) -> bool:
    """An account at or above maintenance is never liquidated, taken over or deleveraged."""
    if not isinstance(passage.event, FORCED_EVENTS):
        return False
    health = passage.before.get_health(passage.event.account)
    if health.equity < health.maintenance:
        return False

    assert passage.rejected is not None
    return True


def liq_2(passage: Passage) -> bool:
    """A forced close shrinks the position by the lots asked for and never flips it."""
    close = get_close(passage)
    if close is None:
        return False
    before = passage.before.get_size(close.account, close.market)
    after = passage.after.get_size(close.account, close.market)

    assert before * after >= 0
    assert close.lots == abs(before) - abs(after)
    return True


def liq_3(passage: Passage) -> bool:
    """A liquidation fill is within the account's share of equity, or the fund pays exactly the rest."""
    event, close = passage.event, get_close(passage)
    if not isinstance(event, events.LiquidationFill) or close is None:
        return False
    before, after = (view.get_equity(event.account) for view in (passage.before, passage.after))
    share = Venue.read(passage.before).get_share(event.account, event.market, event.size)
    loss = get_closed_value(passage, close) - get_proceeds(passage, close)
    fee = get_paid_for(passage, Reason.LIQUIDATION_FEE)

    assert max(0, loss - share) == get_paid_for(passage, Reason.COVER)
    assert 0 <= fee <= max(0, share - loss)
    assert after >= (0 if before >= 0 else before)
    return True


def liq_4(passage: Passage) -> bool:
    """A fill or takeover does not lower the account's equity per maintenance margin."""
    close = get_close(passage)
    if close is None or isinstance(passage.event, events.Deleverage):
        return False
    before, after = (view.get_health(close.account) for view in (passage.before, passage.after))

    assert after.equity * before.maintenance >= before.equity * after.maintenance
    return True


def liq_5(passage: Passage) -> bool:
    """A fill closes a share of a large position, rounded up, unless another came shortly before; and is remembered."""
    event, close, before = passage.event, get_close(passage), passage.before
    if not isinstance(event, events.LiquidationFill) or close is None:
        return False
    rulebook, (rules, mark) = before.rulebook, before.markets[event.market][:2]
    last = before.get_account(event.account).liquidated
    if rulebook.liquidation_window or rulebook.liquidation_cooldown:
        assert event.timestamp == passage.after.get_account(event.account).liquidated
    held = abs(before.get_size(event.account, event.market))
    if held * mark <= rules.liquidation_share_floor or rules.liquidation_share == RATE_ONE:
        return False
    exact = Fraction(held * rules.liquidation_share, RATE_ONE)
    is_just_liquidated = last >= 0 and 0 < rulebook.liquidation_window >= event.timestamp - last

    assert close.lots < exact + 1 or is_just_liquidated or held - exact < rules.minimum_size
    return True


def liq_6(passage: Passage) -> bool:
    """Between two fills of an account that is not bankrupt lies the cooldown, and no deleveraging begins in it."""
    event, before = passage.event, passage.before
    if not isinstance(event, events.LiquidationFill | events.BeginDeleveraging) or passage.rejected is not None:
        return False
    last, cooldown = before.get_account(event.account).liquidated, before.rulebook.liquidation_cooldown
    if last < 0 or not cooldown:
        return False

    assert event.timestamp - last >= cooldown or before.get_equity(event.account) < 0
    return True


def get_left(passage: Passage, event: events.LiquidationFill) -> int:
    """Lots that stood before the fill's last one, or the least that may stand where that is more."""
    held = abs(passage.before.get_size(event.account, event.market))
    least = passage.before.markets[event.market].rules.minimum_size
    return min(held, max(held - event.size + 1, least))


def liq_7(passage: Passage) -> bool:
    """Where there is a target, equity at mark had not reached it before the last lot."""
    event, before = passage.event, passage.before
    target = before.rulebook.liquidation_target
    if not isinstance(event, events.LiquidationFill) or passage.rejected is not None or not target:
        return False
    left, (rules, mark) = get_left(passage, event), before.markets[event.market][:2]
    health, size = before.get_health(event.account), before.get_size(event.account, event.market)
    required = health.maintenance - get_maintenance(rules, mark, size) + get_maintenance(rules, mark, left)

    assert Fraction(health.equity, required) < Fraction(target, RATE_ONE)
    return True


def liq_8(passage: Passage) -> bool:
    """Where there are steps, the position was still in its bracket before the last lot."""
    event, before = passage.event, passage.before
    if not isinstance(event, events.LiquidationFill) or passage.rejected is not None:
        return False
    rules, mark = before.markets[event.market][:2]
    notional = abs(before.get_size(event.account, event.market)) * mark
    floors = [0, *(tier.floor for tier in rules.tiers if tier.floor < notional)]
    if not rules.tiers or not rules.liquidation_tier_step:
        return False

    assert get_left(passage, event) * mark > floors[-1]
    return True


def liq_9(passage: Passage) -> bool:
    """Nothing is sold, and no deleveraging of who is not bankrupt begins, in a block that is used up."""
    event, before = passage.event, passage.before
    if not isinstance(event, events.LiquidationFill | events.BeginDeleveraging) or passage.rejected is not None:
        return False
    account, (rules, mark, *_) = before.get_account(event.account), before.markets[event.market]
    limits = (before.rulebook.liquidation_block_limit, rules.liquidation_block_limit)
    market, now = before.markets[event.market], event.timestamp
    sold = [account.sold * (account.liquidated == now), market.sold * (market.sold_time == now)]
    worth = 0
    if isinstance(event, events.LiquidationFill):
        worth = (abs(before.get_size(event.account, event.market)) - get_left(passage, event)) * mark
        after = passage.after.get_account(event.account).sold, passage.after.markets[event.market].sold
        made = [total == past + event.size * mark for total, past in zip(after, sold, strict=True)]
        assert all(is_made for limit, is_made in zip(limits, made, strict=True) if limit)
    elif before.get_equity(event.account) < 0:
        return False

    assert all(past + worth < limit for limit, past in zip(limits, sold, strict=True) if limit)
    return any(limits)


def dust_1(passage: Passage) -> bool:
    """A fill leaves nobody with fewer lots than the minimum, but none, or fewer than the few that he had."""
    event = passage.event
    if not isinstance(event, events.LiquidationFill | events.Fill) or passage.rejected is not None:
        return False
    minimum = passage.before.markets[event.market].rules.minimum_size
    for account in passage.after.accounts:
        before, after = (view.get_size(account, event.market) for view in (passage.before, passage.after))
        if before != after:
            assert after == 0 or abs(after) >= minimum or abs(after) < abs(before) < minimum
    return minimum > 1


def close_1(passage: Passage) -> bool:
    """Each lot closed lands on one maker at margin, the vault, or a deleveraged opposite."""
    close = get_close(passage)
    if close is None:
        return False
    trade = get_trade(passage)
    moved = passage.after.get_size(close.other, close.market) - passage.before.get_size(close.other, close.market)

    assert {close.account, close.other} == {trade.buyer, trade.seller}
    assert close.lots == trade.lots == abs(moved)
    if not isinstance(passage.event, events.Deleverage):
        assert_safe(passage, close.other, close.market)
    return True
