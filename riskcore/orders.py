"""What rests in the order book, and what of it is an account's.

A market's bids, and its asks, are a list from the best order to the worst, each order knowing its
neighbours: who places one says behind which, so that nothing is searched. Better is the higher bid, the
lower ask, and of equal prices the older.
"""

from __future__ import annotations

from typing import NamedTuple

from attrs import frozen

from riskcore.per_market import PerMarket
from riskcore.quantities import AccountId, EventId, Lots, MarketId, Price

#: No order: before the best of a side, behind the worst, and the best of an empty one.
NO_ORDER = EventId("")


@frozen
class Order:
    """A resting limit order, known by the id of the event that placed it.

    ``size``: lots that are left of it, + buys, - sells. ``sequence``: that of the event that placed it.
    ``reserved``: lots of it that its account's margin is asked for: all; or none, where it may only reduce a position.
    ``ahead``, ``behind``: its neighbours on its side of the book, the better one and the worse one.
    """

    account: AccountId
    market: MarketId
    size: Lots
    price: Price
    sequence: int
    reserved: Lots
    ahead: EventId = NO_ORDER
    behind: EventId = NO_ORDER


def between(order: Order, ahead: EventId, behind: EventId) -> Order:
    """The order with these neighbours."""
    return Order(order.account, order.market, order.size, order.price, order.sequence, order.reserved, ahead, behind)


def reduced(order: Order, size: int, reserved: int) -> Order:
    """The order with so many lots left of it."""
    terms = order.price, order.sequence, Lots(reserved)
    return Order(order.account, order.market, Lots(size), *terms, order.ahead, order.behind)


class Resting(NamedTuple):
    """An account's orders in one market.

    ``bids``, ``asks``: lots that its orders buy, and sell, but for those that may only reduce; none below zero.
    ``orders``: how many it has there, all counted.
    """

    bids: int = 0
    asks: int = 0
    orders: int = 0


NOTHING_RESTS = Resting()


class RestingOrders(PerMarket[Resting]):
    """One account's orders by market."""

    __slots__ = ()

    ABSENT = NOTHING_RESTS

    @property
    def is_empty(self) -> bool:
        """Whether the account has no order anywhere."""
        return len(self) == 0


NO_RESTING_ORDERS = RestingOrders()
