"""Two accounts trade. Each is judged at mark, after fees."""

from __future__ import annotations

from riskcore.events import Fill
from riskcore.gates import leaves_no_dust
from riskcore.journal import Journal, Reason, Reserve, Stage
from riskcore.margin import can_bear, is_reduction
from riskcore.markets import get_trading_market, has_room, is_enterable, is_fresh, is_within_band
from riskcore.order_book import get_hit, get_resting_after, may_hit, take
from riskcore.quantities import RATE_ONE, apply_rate, divide_down
from riskcore.rules import Rule, require
from riskcore.state import State
from riskcore.tiers import get_open_interest_after


def process_fill(state: State, event: Fill) -> Journal:
    # Guard
    market = get_trading_market(state, event.market)
    require(event.taker != event.maker, Rule.SELF_TRADE)
    require(event.size != 0, Rule.SIZE_ZERO)
    require(event.price > 0, Rule.PRICE_NOT_POSITIVE)
    require(is_within_band(market, event.price, market.rules.fill_price_band), Rule.PRICE_BAND)
    hit = get_hit(state, market, event.order, event.maker, event.size, event.price)
    journal = Journal(state, event.market, market)
    taker, maker = journal.account(event.taker), journal.account(event.maker)
    held, against = taker.positions.get(event.market).size, maker.positions.get(event.market).size
    require(may_hit(hit, against), Rule.NOT_REDUCING)
    reduces = is_reduction(held, held + event.size) & is_reduction(against, against - event.size)
    require(is_enterable(market) | reduces, Rule.MARKET_CLOSE_ONLY)
    require(is_fresh(market, event.timestamp) | reduces, Rule.MARK_STALE)
    is_clean = leaves_no_dust(market.rules, held, held + event.size)
    require(is_clean & leaves_no_dust(market.rules, against, against - event.size), Rule.DUST)
    notional = abs(event.size) * event.price
    taker_fee = apply_rate(notional, market.rules.taker_fee_rate)
    maker_fee = apply_rate(notional, market.rules.maker_fee_rate)
    gain = event.size * (market.mark_price - event.price)
    left = get_open_interest_after(market, held, against, event.size)
    require(has_room(market, left), Rule.OPEN_INTEREST_LIMIT)
    place, resting = (state, event.market, market), taker.resting.get(event.market)
    require(can_bear(taker, *place, held + event.size, resting, gain - taker_fee, left), Rule.TAKER_MARGIN)
    resting = get_resting_after(maker.resting.get(event.market), hit)
    require(can_bear(maker, *place, against - event.size, resting, -gain - maker_fee, left), Rule.MAKER_MARGIN)
    # Effect
    fees = journal.reserve(Reserve.FEES)
    buyer, seller = (taker, maker) if event.size > 0 else (maker, taker)
    journal.trade(buyer, seller, abs(event.size), notional, Reason.FILL, Stage.ORDINARY)
    journal.pay(taker, fees, taker_fee, Reason.FEE, Stage.ORDINARY)
    journal.pay(maker, fees, maker_fee, Reason.FEE, Stage.ORDINARY)
    if hit is not None:
        take(journal, maker, hit)
    rate = state.rulebook.insurance_fee_share
    if rate > 0:
        share = divide_down((taker_fee + maker_fee) * rate, RATE_ONE)
        journal.pay(fees, journal.reserve(Reserve.INSURANCE), share, Reason.FEE_SHARE, Stage.ORDINARY)
    return journal
