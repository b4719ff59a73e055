"""A fill between a taker and a maker, each at initial margin or safer afterwards."""

from __future__ import annotations

from typing import Any

from riskcore import events
from riskcore.journal import Line, Reason, Reserve, Stage
from riskcore.rules import Rule
from specs.arithmetic import RATE_ONE, every, floor_ratio, implies, magnitude, named, rate_of
from specs.case import Case
from specs.contract import (
    Contract,
    Effect,
    bearable,
    header_guard,
    insured,
    more_longs,
    moved,
    open_interest_left,
    owed,
    pay,
    separate_after,
    toward_zero,
    trade,
)
from specs.gates import no_dust
from specs.markets import fresh, if_close_only, trading_market, within_band
from specs.order_book import hit_effect, hit_guard, resting_after


def _fees(case: Case) -> tuple[Any, Any]:
    notional = magnitude(case.event.size) * case.event.price
    rules = case.before.market.rules
    fees = (rate_of(notional, rate) for rate in (rules.taker_fee_rate, rules.maker_fee_rate))
    taker_fee, maker_fee = (named("fee", fee) for fee in fees)
    return taker_fee, maker_fee


def _guard(case: Case) -> dict[Rule, Any]:
    event = case.event
    rules = {**header_guard(case), **trading_market(case)}
    if case.before.market is None:
        return rules
    taker, maker = case.before.account(event.taker), case.before.account(event.maker)
    market = case.before.market
    taker_reduces = toward_zero(taker.size, taker.size + event.size)
    maker_reduces = toward_zero(maker.size, maker.size - event.size)
    left, limit = open_interest_left(case, taker, taker.size + event.size, maker), market.rules.open_interest_limit
    rules |= {
        Rule.SELF_TRADE: event.taker != event.maker,
        Rule.SIZE_ZERO: event.size != 0,
        Rule.PRICE_NOT_POSITIVE: event.price > 0,
        **within_band(case, Rule.PRICE_BAND, "fill_price_band"),
        **hit_guard(case, event.size),
        **if_close_only(case, taker_reduces, maker_reduces),
        Rule.MARK_STALE: fresh(case) | (taker_reduces & maker_reduces),
        Rule.OPEN_INTEREST_LIMIT: implies(
            every(limit > 0, left > market.open_interest), left * market.mark_price <= limit
        ),
        Rule.DUST: no_dust(case, taker.size, taker.size + event.size)
        & no_dust(case, maker.size, maker.size - event.size),
    }
    if case.rejected in rules:
        return rules
    taker_fee, maker_fee = _fees(case)
    gain = event.size * (case.before.market.mark_price - event.price)
    return {
        **rules,
        Rule.TAKER_MARGIN: bearable(case, taker, taker.equity + gain - taker_fee, taker.size + event.size, maker),
        Rule.MAKER_MARGIN: bearable(
            case,
            maker,
            maker.equity - gain - maker_fee,
            maker.size - event.size,
            taker,
            resting_after(case, maker, event.size),
        ),
    }


def fee_share(case: Case) -> Any:
    """What the insurance fund gets of the fill's fees, rounded down."""
    return floor_ratio(sum(_fees(case)) * case.rulebook.insurance_fee_share, RATE_ONE)


def _effect(case: Case) -> Effect:
    event, before = case.event, case.before
    taker, maker = before.account(event.taker), before.account(event.maker)
    taker_fee, maker_fee = _fees(case)
    debit = event.size * event.price
    share = fee_share(case)
    first_orders, orders = hit_effect(case, event.size)
    shared: tuple[Line, ...] = ()
    if case.rulebook.insurance_fee_share > 0:
        shared = (pay(Reserve.FEES, Reserve.INSURANCE, share, Reason.FEE_SHARE),)
    return Effect(
        accounts=(
            (event.taker, moved(case, taker, event.size, debit, taker_fee)),
            (
                event.maker,
                {**moved(case, maker, -event.size, -debit, maker_fee), **resting_after(case, maker, event.size)},
            ),
        ),
        reserves={
            "fees": before.reserves.fees + taker_fee + maker_fee - share,
            "insurance": before.reserves.insurance + share,
            "transit": before.reserves.transit + owed(case, taker) + owed(case, maker),
        },
        market={
            "open_interest": before.market.open_interest
            + more_longs(taker.size, event.size)
            + more_longs(maker.size, -event.size),
            **insured(case, share),
            **first_orders,
        },
        orders=orders,
        separate_insurance=separate_after(case, share),
        lines=(
            *trade(case, event.taker, event.maker, event.size, debit, Reason.FILL, Stage.ORDINARY),
            pay(event.taker, Reserve.FEES, taker_fee, Reason.FEE),
            pay(event.maker, Reserve.FEES, maker_fee, Reason.FEE),
            *shared,
        ),
    )


CONTRACTS = (Contract(event=events.Fill, guard=_guard, effect=_effect),)
