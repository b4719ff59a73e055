"""The order book's stage: a forced fill against a maker, priced against bankruptcy."""

from __future__ import annotations

from typing import Any

from riskcore import events
from riskcore.journal import Reason, Reserve, Stage
from riskcore.rules import Rule
from specs.arithmetic import RATE_ONE, either, every, floor_ratio, larger, magnitude, rate_of, smaller
from specs.case import AccountView, Case
from specs.contract import (
    Contract,
    Effect,
    available_there,
    bearable,
    drawn,
    header_guard,
    insured,
    maintenance_of,
    more_longs,
    moved,
    owed,
    pay,
    separate_after,
    toward_zero,
    trade,
)
from specs.gates import gates_guard, no_dust, remembers
from specs.limits import limits_guard, sold_in_market, sold_of_account
from specs.markets import if_close_only, trading_market, within_band
from specs.order_book import hit_effect, hit_guard, resting_after


def equity_share(case: Case, account: AccountView, lots: Any) -> Any:
    """Atoms of equity that go with ``lots``: in proportion to the maintenance they release."""
    rest = maintenance_of(case, magnitude(account.size) - lots)
    released = maintenance_of(case, account.size) - rest
    return floor_ratio(account.equity * released, account.maintenance)


def toward(account: AccountView, lots: Any) -> Any:
    """The signed change of a position that gives up ``lots``."""
    return either(account.size > 0, -lots, lots)


def liquidatable_guard(case: Case, account: AccountView, lots: Any) -> dict[Rule, Any]:
    """What a forced close of at least ``lots`` needs."""
    return {
        Rule.MARK_STALE: account.marks_are_fresh(case.event.timestamp),
        Rule.NOT_LIQUIDATABLE: account.equity < account.maintenance,
        Rule.SIZE_EXCEEDS_POSITION: lots <= magnitude(account.size),
    }


def forced_guard(case: Case, account: AccountView, lots: Any) -> dict[Rule, Any]:
    """What every forced close of ``lots`` that an event asks for needs."""
    return {Rule.SIZE_NOT_POSITIVE: lots > 0, **liquidatable_guard(case, account, lots)}


def _loss(case: Case) -> Any:
    """Atoms that the fill costs the account against mark."""
    event, account = case.event, case.before.account(case.event.account)
    return toward(account, event.size) * (event.price - case.before.market.mark_price)


def _spare(case: Case) -> Any:
    """Atoms that the account may still lose in this fill; below zero, what is missing."""
    return equity_share(case, case.before.account(case.event.account), case.event.size) - _loss(case)


def could_take_a_lot(case: Case, account: AccountView, price: Any) -> Any:
    """Whether an order at ``price`` on the other side is one that a lot of the account may be liquidated to."""
    market = case.before.market
    loss = toward(account, 1) * (price - market.mark_price)
    missing = loss - equity_share(case, account, 1)
    is_near = loss * RATE_ONE <= case.rulebook.insurance_fill_band * market.mark_price
    is_backed = every(case.rulebook.insurance_backs_fills, missing <= available_there(case), is_near)
    rate, distance = market.rules.fill_price_band, magnitude(price - market.mark_price)
    is_within = (rate == 0) | (distance * RATE_ONE <= rate * market.mark_price)
    return every(price > 0, (loss <= 0) | is_within, (missing <= 0) | is_backed)


def _worth(case: Case) -> Any:
    """Atoms that the fill's lots are worth at mark."""
    return case.event.size * case.before.market.mark_price


def is_backed_price(case: Case) -> Any:
    """Whether a fill's loss against mark is within the rate that the fund backs."""
    return _loss(case) * RATE_ONE <= case.rulebook.insurance_fill_band * _worth(case)


def _guard(case: Case) -> dict[Rule, Any]:
    event, before = case.event, case.before
    rules = {**header_guard(case), **trading_market(case)}
    if before.market is None:
        return rules
    account, maker = before.account(event.account), before.account(event.maker)
    rules |= {
        Rule.SELF_TRADE: event.account != event.maker,
        Rule.PRICE_NOT_POSITIVE: event.price > 0,
        **within_band(case, Rule.PRICE_BAND, "fill_price_band"),
        Rule.ORDERS_REST: account.has_no_orders,
        **forced_guard(case, account, event.size),
    }
    if case.rejected in rules:
        return rules
    change = -toward(account, event.size)
    equity = maker.equity + change * (before.market.mark_price - event.price)
    resting = resting_after(case, maker, -change)
    missing = -_spare(case)
    return {
        **rules,
        **hit_guard(case, -change),
        **if_close_only(case, toward_zero(maker.size, maker.size + change)),
        **gates_guard(case, account, event.size),
        **limits_guard(case, account, event.size),
        Rule.DUST: no_dust(case, account.size, account.size - change) & no_dust(case, maker.size, maker.size + change),
        Rule.WORSE_THAN_BANKRUPTCY: (missing <= 0)
        | (case.rulebook.insurance_backs_fills & (missing <= available_there(case)) & is_backed_price(case)),
        Rule.MAKER_MARGIN: bearable(case, maker, equity, maker.size + change, account, resting),
    }


def _effect(case: Case) -> Effect:
    event, before = case.event, case.before
    account, maker = before.account(event.account), before.account(event.maker)
    change = toward(account, event.size)
    debit = change * event.price
    spare = _spare(case)
    fee = smaller(rate_of(event.size * event.price, before.market.rules.liquidation_fee_rate), larger(spare, 0))
    cover = larger(-spare, 0)
    past = {
        "liquidated": either(remembers(case), event.timestamp, account.liquidated),
        "sold": either(remembers(case), sold_of_account(case, account) + _worth(case), account.sold),
    }
    is_counted = before.market.rules.liquidation_block_limit > 0
    first_orders, orders = hit_effect(case, change)
    return Effect(
        accounts=(
            (event.account, {**moved(case, account, change, debit, fee - cover), **past}),
            (event.maker, {**moved(case, maker, -change, -debit), **resting_after(case, maker, change)}),
        ),
        reserves={
            "insurance": before.reserves.insurance + fee - cover,
            "transit": before.reserves.transit + owed(case, account) + owed(case, maker),
        },
        market={
            "open_interest": before.market.open_interest
            + more_longs(account.size, change)
            + more_longs(maker.size, -change),
            "insurance_used": before.market.insurance_used + cover,
            **insured(case, fee - cover),
            "sold": either(is_counted, sold_in_market(case) + _worth(case), before.market.sold),
            "sold_time": either(is_counted, event.timestamp, before.market.sold_time),
            **first_orders,
        },
        orders=orders,
        separate_insurance=separate_after(case, fee - cover),
        draws=drawn(case, cover),
        lines=(
            *trade(case, event.account, event.maker, change, debit, Reason.LIQUIDATION, Stage.BOOK),
            pay(event.account, Reserve.INSURANCE, fee, Reason.LIQUIDATION_FEE, Stage.BOOK),
            pay(Reserve.INSURANCE, event.account, cover, Reason.COVER, Stage.BOOK),
        ),
    )


CONTRACTS = (Contract(event=events.LiquidationFill, guard=_guard, effect=_effect),)
