"""What a search through the order books needs: the last order at each price, and each account's orders.

The kernel is told behind which order a new one goes. Here that is found: by bisection among the prices of
a side, of which each knows the last order that rests there.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator

from riskcore.events import CancelOrder, Event, Fill, LiquidationFill, PlaceOrder
from riskcore.order_book import get_best
from riskcore.orders import NO_ORDER, Order
from riskcore.quantities import AccountId, EventId, MarketId, Price
from riskcore.state import Market, State
from riskcore.step import Outcome, step


def iter_side(state: State, market_id: MarketId, is_bid: bool) -> Iterator[tuple[EventId, Order]]:
    """The orders of one side of a market's book, best first; none where the market is not listed."""
    market: Market | None = state.markets.get(market_id)
    id = NO_ORDER if market is None else get_best(market, is_bid)
    while id != NO_ORDER:
        order = state.orders.get(id)
        assert order is not None
        yield id, order
        id = order.behind


class Side:
    """The prices at which orders of one side rest, and the last order at each."""

    __slots__ = ("is_bid", "last", "prices")

    def __init__(self, is_bid: bool) -> None:
        self.is_bid = is_bid
        self.prices: list[Price] = []
        self.last: dict[Price, EventId] = {}

    def get_ahead(self, price: Price) -> EventId | None:
        """The order that a new one at ``price`` goes behind; None where it is the best."""
        last = self.last.get(price)
        if last is not None:
            return last
        # prices rise, so that of bids the better ones come after it, of asks before it
        place = bisect_right(self.prices, price) if self.is_bid else bisect_left(self.prices, price) - 1
        return self.last[self.prices[place]] if 0 <= place < len(self.prices) else None

    def add(self, price: Price, id: EventId) -> None:
        if price not in self.last:
            insort(self.prices, price)
        self.last[price] = id

    def remove(self, price: Price) -> None:
        """Nothing rests at the price any more."""
        del self.last[price]
        del self.prices[bisect_left(self.prices, price)]


class OrderIndex:
    """An index of all orders of a state, kept up by letting its events happen through ``step``.

    A search is a bisection. Where a price is new, or nothing rests there any more, one list of prices moves by one
    place: the only cost that grows with them, and a small one.
    """

    __slots__ = ("_owned", "_sides")

    def __init__(self, state: State) -> None:
        """From a state: one walk through its books."""
        self._sides: dict[tuple[MarketId, bool], Side] = {}
        # dicts for their order: an account's orders come in that in which they were placed
        self._owned: dict[AccountId, dict[EventId, MarketId]] = {}
        found: list[tuple[int, EventId, Order]] = []
        for market_id, _ in state.markets.items():
            for is_bid in (True, False):
                found += ((order.sequence, id, order) for id, order in iter_side(state, market_id, is_bid))
        for _, id, order in sorted(found, key=lambda entry: entry[0]):
            self._add(id, order.account, order.market, order.size > 0, order.price)

    def _get_side(self, market_id: MarketId, is_bid: bool) -> Side:
        side = self._sides.get((market_id, is_bid))
        if side is None:
            side = self._sides[market_id, is_bid] = Side(is_bid)
        return side

    def get_ahead(self, market_id: MarketId, is_bid: bool, price: Price) -> EventId | None:
        """The order that a new one goes behind; None where it is the best of its side."""
        return self._get_side(market_id, is_bid).get_ahead(price)

    def get_orders(self, account: AccountId) -> list[tuple[EventId, MarketId]]:
        """An account's orders with their markets, oldest first."""
        return list(self._owned.get(account, {}).items())

    def step(self, state: State, event: Event) -> Outcome:
        """What ``riskcore.step`` gives, and the index is then that of the new state."""
        if isinstance(event, (Fill, LiquidationFill, CancelOrder)) and event.order is not None:
            order = state.orders.get(event.order)
            outcome = step(state, event)
            if outcome.rejected is None and outcome.state.orders.get(event.order) is None:
                assert order is not None
                self._remove(outcome.state, event.order, order)
            return outcome
        outcome = step(state, event)
        if outcome.rejected is None and isinstance(event, PlaceOrder):
            self._add(event.id, event.account, event.market, event.size > 0, event.price)
        return outcome

    def _add(self, id: EventId, account: AccountId, market_id: MarketId, is_bid: bool, price: Price) -> None:
        self._get_side(market_id, is_bid).add(price, id)
        self._owned.setdefault(account, {})[id] = market_id

    def _remove(self, after: State, id: EventId, order: Order) -> None:
        """An order is gone: who stood ahead of it at its price is now the last there."""
        side = self._get_side(order.market, order.size > 0)
        if side.last[order.price] == id:
            ahead = after.orders.get(order.ahead)
            if ahead is not None and ahead.price == order.price:
                side.last[order.price] = order.ahead
            else:
                side.remove(order.price)
        owned = self._owned[order.account]
        del owned[id]
        if not owned:
            del self._owned[order.account]
