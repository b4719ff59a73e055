"""Whether a state's order books are ones on which the kernel's transitions are defined.

Each side a list from its best order to its worst, of which every order is a part, and each account's
counts those of its orders. Anything else the kernel would follow into nothing.
"""

from __future__ import annotations

from collections import Counter

from riskcore.bad_input import Fault, printable, quote, within
from riskcore.orders import NO_ORDER, NOTHING_RESTS, Order, Resting
from riskcore.quantities import AccountId, EventId, MarketId
from riskcore.state import Market, State


def check_book(state: State) -> None:
    """``Fault`` for the first thing that is wrong with the orders, or with what markets and accounts say of them."""
    orders = {id: order for id, order in state.orders.items() if order is not None}
    for id, order in sorted(orders.items()):
        with within(f"orders.{printable(id)}"):
            _check_order(id, order, state)
    listed: set[EventId] = set()
    for market_id, market in sorted(state.markets.items()):
        if market is not None:
            listed |= {*_check_side(market_id, market, True, orders), *_check_side(market_id, market, False, orders)}
            if 0 < market.ask_price <= market.bid_price:
                expected = f"a price above {market.bid_price}, that of the best bid"
                raise Fault(expected, str(market.ask_price), f"markets.{printable(market_id)}.ask_price")
    if unlisted := sorted(orders.keys() - listed):
        raise Fault("an order that its market's best leads to", "another", f"orders.{printable(unlisted[0])}")
    _check_counts(state, orders)


def _check_order(id: EventId, order: Order, state: State) -> None:
    """One order by itself."""
    if state.markets.get(order.market) is None:
        raise Fault("a market of this snapshot", quote(order.market), "market")
    if not state.seen.get(id):
        raise Fault("the id of an accepted event", "another")
    if order.size == 0:
        raise Fault("a size that is not zero", "0", "size")
    if order.price <= 0:
        raise Fault("a price above zero", str(order.price), "price")
    if order.reserved not in (0, abs(order.size)):
        raise Fault(f"0 or all lots, {abs(order.size)}", str(order.reserved), "reserved")
    if order.sequence > state.sequence:
        raise Fault("a number that is not after the snapshot's", str(order.sequence), "sequence")


def _check_side(market_id: MarketId, market: Market, is_bid: bool, orders: dict[EventId, Order]) -> list[EventId]:
    """The ids of a side, best first; each order stands behind a better or an older one, which it names."""
    side, price = ("best_bid", market.bid_price) if is_bid else ("best_ask", market.ask_price)
    id: EventId = getattr(market, side)
    place = f"markets.{printable(market_id)}.{side}"
    if price != (orders[id].price if id in orders else 0):
        raise Fault("the price of the side's best order, or 0 where there is none", str(price), place)
    found: list[EventId] = []
    last, last_rank = NO_ORDER, (0, 0)
    while id != NO_ORDER:
        order = orders.get(id)
        if order is None or order.market != market_id or (order.size > 0) != is_bid:
            raise Fault("an order of this side", quote(id), place)
        place = f"orders.{printable(id)}"
        if order.ahead != last:
            raise Fault(f"the order that it stands behind, {quote(last)}", quote(order.ahead), f"{place}.ahead")
        rank = (-order.price if is_bid else order.price, order.sequence)
        if found and rank <= last_rank:
            raise Fault("a place behind better prices and older orders", "another", place)
        found.append(id)
        last, last_rank, place = id, rank, f"{place}.behind"
        id = order.behind
    return found


def _check_counts(state: State, orders: dict[EventId, Order]) -> None:
    bids: Counter[tuple[AccountId, MarketId]] = Counter()
    asks, numbers = bids.copy(), bids.copy()
    for order in orders.values():
        key = order.account, order.market
        numbers[key] += 1
        (bids if order.size > 0 else asks)[key] += order.reserved
    said = {
        (id, market_id): resting
        for id, account in state.accounts.items()
        for market_id, resting in account.resting.items()
    }
    for key in sorted({*numbers, *said}):
        expected = Resting(bids[key], asks[key], numbers[key])
        if said.get(key, NOTHING_RESTS) != expected:
            place = "accounts.{}.resting.{}".format(*map(printable, key))
            raise Fault(f"what its orders are, {_show(expected)}", _show(said.get(key, NOTHING_RESTS)), place)


def _show(resting: Resting) -> str:
    return f"bids {resting.bids}, asks {resting.asks}, orders {resting.orders}"
