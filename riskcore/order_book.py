"""The order book: limit orders rest by price, then by age, and whoever trades takes the best of the other side.

An order that would trade at once does not rest: its owner fills what is there first, each fill an event of its
own, and rests with what is left. Resting, it asks for the margin of the position that its account's orders of one
side would make; filling, for what any fill does.
"""

from __future__ import annotations

from typing import NamedTuple

from riskcore.events import CancelOrder, PlaceOrder
from riskcore.journal import Journal, Party, Slot
from riskcore.margin import get_exposure, get_initial_requirement, get_margin, is_reduction
from riskcore.markets import are_marks_fresh, get_market, get_trading_market, is_enterable, is_fresh
from riskcore.orders import NO_ORDER, Order, Resting, between, reduced
from riskcore.quantities import AccountId, EventId, Lots, MarketId
from riskcore.rules import Rejected, Rule, require
from riskcore.state import Market, State


def get_best(market: Market, is_bid: bool) -> EventId:
    return market.best_bid if is_bid else market.best_ask


def is_ahead_of(is_bid: bool, price: int, best: int) -> bool:
    """Whether an order at ``price`` would be the best of a side whose best is at ``best``, zero where it is empty."""
    return price > best if is_bid else (best == 0) | (price < best)


def crosses(market: Market, is_bid: bool, price: int) -> bool:
    """Whether an order at ``price`` would trade at once."""
    return (market.ask_price > 0) & (price >= market.ask_price) if is_bid else price <= market.bid_price


def count(resting: Resting, is_bid: bool, lots: int, orders: int) -> Resting:
    """What rests once so many lots and orders of a side have come; below zero, have gone."""
    if is_bid:
        return Resting(resting.bids + lots, resting.asks, resting.orders + orders)
    return Resting(resting.bids, resting.asks + lots, resting.orders + orders)


def get_behind(journal: Journal, event: PlaceOrder, is_bid: bool) -> EventId:
    """The order that an event's is to go ahead of; ``Rejected`` where its place is not between two neighbours.

    Behind all of a better price and of its own, ahead of all of a worse: theirs come behind the one it names.
    """
    market = journal.market
    assert market is not None
    if event.ahead is None:
        best = market.bid_price if is_bid else market.ask_price
        require(is_ahead_of(is_bid, event.price, best), Rule.ORDER_OUT_OF_PLACE)
        return get_best(market, is_bid)
    ahead = journal.slot(event.ahead).order
    if ahead is None:
        raise Rejected(Rule.ORDER_OUT_OF_PLACE)
    is_beside = (ahead.market == event.market) & ((ahead.size > 0) == (event.size > 0))
    require(is_beside & (not is_ahead_of(is_bid, event.price, ahead.price)), Rule.ORDER_OUT_OF_PLACE)
    if ahead.behind != NO_ORDER:
        behind = journal.slot(ahead.behind).order
        assert behind is not None
        require(is_ahead_of(is_bid, event.price, behind.price), Rule.ORDER_OUT_OF_PLACE)
    return ahead.behind


def link(journal: Journal, is_bid: bool, ahead: EventId, behind: EventId) -> None:
    """Make two orders neighbours, or the best of a side or its worst of one."""
    price = 0
    if behind != NO_ORDER:
        slot = journal.slot(behind)
        assert slot.order is not None
        price = slot.order.price
        journal.keep(slot, between(slot.order, ahead, slot.order.behind))
    if ahead == NO_ORDER:
        journal.quote(is_bid, behind, price)
    else:
        slot = journal.slot(ahead)
        assert slot.order is not None
        journal.keep(slot, between(slot.order, slot.order.ahead, behind))


def remove(journal: Journal, slot: Slot) -> None:
    """Take an order out of the book, so that its neighbours are each other's."""
    order = slot.order
    assert order is not None
    link(journal, order.size > 0, order.ahead, order.behind)
    journal.keep(slot, None)


class Hit(NamedTuple):
    """A trade of signed ``size`` that takes from the resting order ``order``, known by its ``id``."""

    id: EventId
    order: Order
    size: int


def get_hit(state: State, market: Market, id: EventId | None, maker: AccountId, size: int, price: int) -> Hit | None:
    """The order that a trade takes from; None where the rulebook has no book.

    ``Rejected`` where it is not the best of its side, or the trade is not on the order's own terms.
    """
    require((id is not None) == state.rulebook.has_book, Rule.OFF_BOOK)
    if id is None:
        return None
    require(id == get_best(market, size < 0), Rule.NOT_THE_BEST_ORDER)
    order = state.orders.get(id)
    assert order is not None
    require((order.account == maker) & (order.price == price), Rule.NOT_THE_ORDERS_TERMS)
    require(abs(size) <= abs(order.size), Rule.SIZE_EXCEEDS_ORDER)
    return Hit(id, order, size)


def get_freed(hit: Hit) -> int:
    """Lots of the order that its account's margin need no longer be reserved for."""
    return min(abs(hit.size), hit.order.reserved)


def get_resting_after(resting: Resting, hit: Hit | None) -> Resting:
    """What an order's account has in the market's book after a trade that may take from it."""
    if hit is None:
        return resting
    return count(resting, hit.size < 0, -get_freed(hit), 0)


def may_hit(hit: Hit | None, before: int) -> bool:
    """Whether an order that may only reduce, if it is one, does so to its account's position of ``before`` lots."""
    return hit is None or (hit.order.reserved > 0) | is_reduction(before, before - hit.size)


def take(journal: Journal, maker: Party, hit: Hit) -> None:
    """Take a trade's lots from the resting order of ``maker``, which is gone with its last one."""
    order, market_id = hit.order, journal.market_id
    assert market_id is not None
    resting = get_resting_after(maker.resting.get(market_id), hit)
    slot, left = journal.slot(hit.id), order.size + hit.size
    if left == 0:
        remove(journal, slot)
        resting = count(resting, hit.size < 0, 0, -1)
    else:
        journal.keep(slot, reduced(order, left, order.reserved - get_freed(hit)))
    journal.count_orders(maker, market_id, resting)


def require_margin(journal: Journal, account: Party, market_id: MarketId, resting: Resting, time: int) -> None:
    """The guard of an order that is to rest: what it adds to the account's initial requirement, there must be."""
    market, state = journal.market, journal.state
    assert market is not None
    size, chosen = account.positions.get(market_id).size, account.leverages.get(market_id)
    before, after = get_exposure(size, account.resting.get(market_id)), get_exposure(size, resting)
    added = get_initial_requirement(market, after, market.open_interest, chosen)
    added -= get_initial_requirement(market, before, market.open_interest, chosen)
    are_fresh = is_fresh(market, time) & are_marks_fresh(account.positions, state.markets, time)
    require((added <= 0) | are_fresh, Rule.MARK_STALE)
    margin = get_margin(account, state.markets)
    require((added <= 0) | (margin.equity >= margin.initial + added), Rule.BELOW_INITIAL_MARGIN)


def process_place_order(state: State, event: PlaceOrder) -> Journal:
    # Guard
    market = get_trading_market(state, event.market)
    require(is_enterable(market) | event.reduce_only, Rule.MARKET_CLOSE_ONLY)
    require(state.rulebook.has_book, Rule.NO_BOOK)
    require(event.size != 0, Rule.SIZE_ZERO)
    require(event.price > 0, Rule.PRICE_NOT_POSITIVE)
    is_bid = event.size > 0
    require(not crosses(market, is_bid, event.price), Rule.ORDER_CROSSES)
    journal = Journal(state, event.market, market)
    account = journal.account(event.account)
    held = account.positions.get(event.market).size
    is_opposite = (held < 0) if is_bid else (held > 0)
    require((not event.reduce_only) | is_opposite, Rule.NOT_REDUCING)
    reserved = 0 if event.reduce_only else abs(event.size)
    resting = count(account.resting.get(event.market), is_bid, reserved, 1)
    require_margin(journal, account, event.market, resting, event.timestamp)
    behind = get_behind(journal, event, is_bid)
    # Effect
    ahead = NO_ORDER if event.ahead is None else event.ahead
    terms = event.account, event.market, event.size, event.price, event.sequence
    journal.keep(journal.slot(event.id), Order(*terms, Lots(reserved), ahead, behind))
    link(journal, is_bid, ahead, event.id)
    link(journal, is_bid, event.id, behind)
    journal.count_orders(account, event.market, resting)
    return journal


def process_cancel_order(state: State, event: CancelOrder) -> Journal:
    # Guard
    market = get_market(state, event.market)
    journal = Journal(state, event.market, market)
    slot = journal.slot(event.order)
    order = slot.order
    if order is None:
        raise Rejected(Rule.UNKNOWN_ORDER)
    require(order.market == event.market, Rule.UNKNOWN_ORDER)
    # Effect
    account = journal.account(order.account)
    resting = count(account.resting.get(event.market), order.size > 0, -order.reserved, -1)
    remove(journal, slot)
    journal.count_orders(account, event.market, resting)
    return journal
