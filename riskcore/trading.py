"""Two accounts trade. Each is judged at mark, after fees."""

from __future__ import annotations

from riskcore.events import Fill
from riskcore.journal import Journal, Reason, Reserve, Stage
from riskcore.margin import get_margin, is_bearable
from riskcore.markets import get_open_market
from riskcore.quantities import apply_rate
from riskcore.rules import Rule, require
from riskcore.state import State


def process_fill(state: State, event: Fill) -> Journal:
    # Guard
    market = get_open_market(state, event.market)
    require(event.taker != event.maker, Rule.SELF_TRADE)
    require(event.size != 0, Rule.SIZE_ZERO)
    require(event.price > 0, Rule.PRICE_NOT_POSITIVE)
    journal = Journal(state, event.market, market)
    taker, maker = journal.account(event.taker), journal.account(event.maker)
    notional = abs(event.size) * event.price
    taker_fee = apply_rate(notional, market.rules.taker_fee_rate)
    maker_fee = apply_rate(notional, market.rules.maker_fee_rate)
    gain = event.size * (market.mark_price - event.price)
    held = taker.positions.get(event.market).size
    margin = get_margin(taker.balance, taker.positions, state.markets)
    require(is_bearable(margin, market, held, held + event.size, gain - taker_fee), Rule.TAKER_MARGIN)
    held = maker.positions.get(event.market).size
    margin = get_margin(maker.balance, maker.positions, state.markets)
    require(is_bearable(margin, market, held, held - event.size, -gain - maker_fee), Rule.MAKER_MARGIN)
    # Effect
    fees = journal.reserve(Reserve.FEES)
    buyer, seller = (taker, maker) if event.size > 0 else (maker, taker)
    journal.trade(buyer, seller, abs(event.size), notional, Reason.FILL, Stage.ORDINARY)
    journal.pay(taker, fees, taker_fee, Reason.FEE, Stage.ORDINARY)
    journal.pay(maker, fees, maker_fee, Reason.FEE, Stage.ORDINARY)
    return journal
