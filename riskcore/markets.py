"""Markets are listed and marked, and time passes."""

from __future__ import annotations

from attrs import evolve

from riskcore.choices import MarketStatus
from riskcore.events import AdvanceTime, IndexPrice, ListMarket, MarkPrice
from riskcore.journal import Journal
from riskcore.quantities import RATE_ONE, Atoms, Lots, MarketId
from riskcore.rulebook import is_admissible_market
from riskcore.rules import Rejected, Rule, require
from riskcore.state import Market, Positions, State
from riskcore.tables import Table


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


def get_trading_market(state: State, market_id: MarketId) -> Market:
    """The market in which contracts may move, at somebody's will or by force; ``Rejected`` where there is none."""
    market = get_open_market(state, market_id)
    require(market.status != MarketStatus.PAUSED, Rule.MARKET_PAUSED)
    return market


def is_enterable(market: Market) -> bool:
    """Whether positions may grow by choice: only the vault's do in a close-only market, when it takes over."""
    return market.status != MarketStatus.CLOSE_ONLY


def has_room(market: Market, left: int) -> bool:
    """Whether ``left`` lots may be open after a trade: within the market's limit, or no more than before."""
    limit = market.rules.open_interest_limit
    return (limit == 0) | (left <= market.open_interest) | (left * market.mark_price <= limit)


def is_fresh(market: Market, time: int) -> bool:
    """Whether the mark price may be relied on at ``time``."""
    limit = market.rules.mark_age_limit
    return (limit == 0) | (time - market.mark_time <= limit)


def is_index_fresh(market: Market, time: int) -> bool:
    """Whether the index price is reliable at ``time``: by its own age limit; where it has none, by the mark's."""
    own, marks, age = market.rules.index_age_limit, market.rules.mark_age_limit, time - market.index_time
    return ((own == 0) & ((marks == 0) | (age <= marks))) | ((own > 0) & (age <= own))


def is_index_in_reach(market: Market, price: int) -> bool:
    """Whether ``price`` may be the next index: no further from the last than the market's rules allow at once."""
    limit, index = market.rules.index_move_limit, market.index_price
    return (limit == 0) | (abs(price - index) * RATE_ONE <= limit * index)


def is_near_index(market: Market, price: int) -> bool:
    """Whether ``price`` may be the mark: within the band around the index, or nearer to it than the mark is.

    Nearer is enough: where the index has run away, a mark that may move by steps only can follow.
    """
    rate, index = market.rules.mark_index_band, market.index_price
    distance = abs(price - index)
    return (rate == 0) | (distance * RATE_ONE <= rate * index) | (distance < abs(market.mark_price - index))


def are_marks_fresh(positions: Positions, markets: Table[MarketId, Market | None], time: int) -> bool:
    """Whether no position of an account is measured at a stale mark price. A market that ends has its last."""
    held = (markets.get(market_id) for market_id, _ in positions.items())
    return all(market is not None and (market.settling or is_fresh(market, time)) for market in held)


def require_fresh(state: State, positions: Positions, time: int) -> None:
    """The guard of what relies on all the marks of an account."""
    require(are_marks_fresh(positions, state.markets, time), Rule.MARK_STALE)


def is_within_band(market: Market, price: int, rate: int) -> bool:
    """Whether a price is within ``rate`` of mark; a rate of zero bounds nothing."""
    return (rate == 0) | (abs(price - market.mark_price) * RATE_ONE <= rate * market.mark_price)


def process_list_market(state: State, event: ListMarket) -> Journal:
    # Guard
    require(state.markets.get(event.market) is None, Rule.MARKET_LISTED)
    require(is_admissible_market(event.rules), Rule.RULES_INADMISSIBLE)
    require(event.mark_price > 0, Rule.PRICE_NOT_POSITIVE)
    # Effect: funding counts from now, not from time zero
    market = Market(event.rules, event.mark_price, Atoms(0), 0, event.timestamp, Lots(0), mark_time=event.timestamp)
    return Journal(state, event.market, market)


def process_mark_price(state: State, event: MarkPrice) -> Journal:
    # Guard
    market = get_open_market(state, event.market)
    require(event.price > 0, Rule.PRICE_NOT_POSITIVE)
    require(is_within_band(market, event.price, market.rules.mark_move_limit), Rule.MARK_JUMP)
    require((market.rules.mark_index_band == 0) | is_index_fresh(market, event.timestamp), Rule.INDEX_STALE)
    require(is_near_index(market, event.price), Rule.MARK_OFF_INDEX)
    # Effect
    marked = evolve(market, mark_price=event.price, mark_time=event.timestamp, previous_mark_price=market.mark_price)
    return Journal(state, event.market, marked)


def process_index_price(state: State, event: IndexPrice) -> Journal:
    # Guard
    market = get_open_market(state, event.market)
    require(event.price > 0, Rule.PRICE_NOT_POSITIVE)
    require(is_index_in_reach(market, event.price), Rule.INDEX_JUMP)
    # Effect
    return Journal(state, event.market, evolve(market, index_price=event.price, index_time=event.timestamp))


def process_advance_time(state: State, event: AdvanceTime) -> Journal:
    return Journal(state)
