"""A market's life: open, close-only or paused, and back, for as long as it is not settled; then delisted.

In a close-only market whoever trades reduces, so that it empties; liquidations, takeovers, funding and marks go on. In
a paused one no contract moves, by choice or by force: nobody is closed who could not close himself, and no pause keeps
the order book out while the vault takes over. Marks, funding and cash go on, since what is held gains and loses all the
same. From any of the three a market can be settled (``settlement.py``), and nothing leads back from there.
"""

from __future__ import annotations

from attrs import evolve

from riskcore.choices import MarketStatus
from riskcore.events import DelistMarket, SetMarketStatus
from riskcore.journal import Journal
from riskcore.markets import get_market, get_open_market
from riskcore.rules import Rule, require
from riskcore.state import State


def process_set_market_status(state: State, event: SetMarketStatus) -> Journal:
    # Guard
    market = get_open_market(state, event.market)
    is_end = (event.status == MarketStatus.SETTLING) | (event.status == MarketStatus.DELISTED)
    require(not is_end, Rule.STATUS_IS_AN_END)
    # Effect
    return Journal(state, event.market, evolve(market, status=event.status))


def process_delist_market(state: State, event: DelistMarket) -> Journal:
    """Nothing of it is left by then: no position, so no funding in transit, no order, no part of the insurance fund."""
    # Guard
    market = get_market(state, event.market)
    require(market.status == MarketStatus.SETTLING, Rule.MARKET_OPEN)
    require(market.open_interest == 0, Rule.MARKET_NOT_FLAT)
    require((market.bid_price == 0) & (market.ask_price == 0), Rule.ORDERS_REST)
    # Effect
    return Journal(state, event.market, evolve(market, status=MarketStatus.DELISTED))
