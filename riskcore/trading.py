"""Two accounts trade. Each is judged at mark, after fees."""

from __future__ import annotations

from riskcore.events import Fill
from riskcore.journal import Journal, Reason, Reserve, Stage
from riskcore.margin import get_margin, is_acceptable, is_reduction
from riskcore.markets import get_market
from riskcore.quantities import apply_rate
from riskcore.rules import Rule, require
from riskcore.state import State


def process_fill(state: State, event: Fill) -> Journal:
    # Guard
    market = get_market(state, event.market)
    require(event.taker != event.maker, Rule.SELF_TRADE)
    require(event.size != 0, Rule.SIZE_ZERO)
    require(event.price > 0, Rule.PRICE_NOT_POSITIVE)
    # Effect
    journal = Journal(state, event.market, market)
    taker, maker, fees = journal.account(event.taker), journal.account(event.maker), journal.reserve(Reserve.FEES)
    taker_size, maker_size = taker.positions.get(event.market).size, maker.positions.get(event.market).size
    taker_before = get_margin(taker.balance, taker.positions, state.markets)
    maker_before = get_margin(maker.balance, maker.positions, state.markets)
    notional = abs(event.size) * event.price
    buyer, seller = (taker, maker) if event.size > 0 else (maker, taker)
    journal.trade(buyer, seller, abs(event.size), notional, Reason.FILL, Stage.ORDINARY)
    journal.pay(taker, fees, apply_rate(notional, market.rules.taker_fee_rate), Reason.FEE, Stage.ORDINARY)
    journal.pay(maker, fees, apply_rate(notional, market.rules.maker_fee_rate), Reason.FEE, Stage.ORDINARY)
    # Guard on what would be
    taker_after = get_margin(taker.balance, taker.positions, state.markets)
    maker_after = get_margin(maker.balance, maker.positions, state.markets)
    taker_reduces = is_reduction(taker_size, taker_size + event.size)
    maker_reduces = is_reduction(maker_size, maker_size - event.size)
    require(is_acceptable(taker_before, taker_after, taker_reduces), Rule.TAKER_MARGIN)
    require(is_acceptable(maker_before, maker_after, maker_reduces), Rule.MAKER_MARGIN)
    return journal
