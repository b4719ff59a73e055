"""A market ends: every position is closed at one last price, whatever its account is worth.

Longs are paired with shorts, in any order: at the settlement price, which is the mark,
a pair's trade changes no equity, so nobody gains by being first. What a settled
account then owes is covered or written off like any deficit.
"""

from __future__ import annotations

from attrs import evolve

from riskcore.choices import MarketStatus
from riskcore.events import SettleMarket, SettlePair
from riskcore.journal import Journal, Reason, Stage
from riskcore.markets import get_market, get_open_market
from riskcore.rules import Rule, require
from riskcore.state import State


def process_settle_market(state: State, event: SettleMarket) -> Journal:
    # Guard
    market = get_open_market(state, event.market)
    require(event.price > 0, Rule.PRICE_NOT_POSITIVE)
    # Effect: what it has of the insurance fund becomes shared once it settles (``domains.py``)
    settling = evolve(market, mark_price=event.price, mark_time=event.timestamp, status=MarketStatus.SETTLING)
    return Journal(state, event.market, settling)


def process_settle_pair(state: State, event: SettlePair) -> Journal:
    # Guard
    market = get_market(state, event.market)
    require(market.settling, Rule.MARKET_OPEN)
    journal = Journal(state, event.market, market)
    long, short = journal.account(event.long), journal.account(event.short)
    orders = long.resting.get(event.market).orders + short.resting.get(event.market).orders
    require(orders == 0, Rule.ORDERS_REST)
    bought, sold = long.positions.get(event.market).size, -short.positions.get(event.market).size
    require((bought > 0) & (sold > 0), Rule.NOT_OPPOSITE)
    # Effect
    lots = min(bought, sold)
    journal.trade(short, long, lots, lots * market.mark_price, Reason.SETTLEMENT, Stage.SETTLEMENT)
    return journal
