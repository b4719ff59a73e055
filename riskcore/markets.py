"""Markets are listed and marked, and time passes."""

from __future__ import annotations

from riskcore.events import AdvanceTime, ListMarket, MarkPrice
from riskcore.journal import Journal
from riskcore.quantities import Atoms, Lots, MarketId
from riskcore.rules import Rejected, Rule, require
from riskcore.state import Market, State, is_admissible_market


def get_market(state: State, market_id: MarketId) -> Market:
    """The listed market; ``Rejected`` where there is none."""
    market = state.markets.get(market_id)
    if market is None:
        raise Rejected(Rule.UNKNOWN_MARKET)
    return market


def get_open_market(state: State, market_id: MarketId) -> Market:
    """The listed market that is not being settled; ``Rejected`` where there is none."""
    market = get_market(state, market_id)
    require(not market.settling, Rule.MARKET_SETTLING)
    return market


def process_list_market(state: State, event: ListMarket) -> Journal:
    # Guard
    require(state.markets.get(event.market) is None, Rule.MARKET_LISTED)
    require(is_admissible_market(event.rules), Rule.RULES_INADMISSIBLE)
    require(event.mark_price > 0, Rule.PRICE_NOT_POSITIVE)
    # Effect: funding counts from now, not from time zero
    market = Market(event.rules, event.mark_price, Atoms(0), 0, event.timestamp, Lots(0))
    return Journal(state, event.market, market)


def process_mark_price(state: State, event: MarkPrice) -> Journal:
    # Guard
    market = get_open_market(state, event.market)
    require(event.price > 0, Rule.PRICE_NOT_POSITIVE)
    # Effect
    marked = Market(
        market.rules,
        event.price,
        market.funding_index,
        market.funding_remainder,
        market.funding_time,
        market.open_interest,
    )
    return Journal(state, event.market, marked)


def process_advance_time(state: State, event: AdvanceTime) -> Journal:
    return Journal(state)
