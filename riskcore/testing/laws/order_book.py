"""The order book's laws, recomputed in full from what a step showed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from riskcore import events
from riskcore.testing.desk import Passage
from riskcore.testing.naive.order_book import OrderView, RestingView
from riskcore.testing.naive.views import View

Listed = list[tuple[str, OrderView]]


def get_side(view: View, market: str, buys: bool) -> Listed:
    """A side by price and age, whatever the links say."""
    listed = [(id, order) for id, order in view.orders.items() if order.market == market and (order.size > 0) == buys]
    return sorted(listed, key=lambda entry: (-entry[1].price if buys else entry[1].price, entry[1].sequence))


def book_1(passage: Passage) -> bool:
    """No bid rests at or above an ask."""
    has_both = False
    for market in passage.after.markets:
        bids, asks = (get_side(passage.after, market, buys) for buys in (True, False))
        if bids and asks:
            assert bids[0][1].price < asks[0][1].price
            has_both = True
    return has_both


def book_2(passage: Passage) -> bool:
    """A trade takes from the best order of the other side, at its price."""
    event, before = passage.event, passage.before
    if not isinstance(event, events.Fill | events.LiquidationFill) or passage.rejected is not None:
        return False
    assert (event.order is not None) == before.rulebook.has_book
    if event.order is None:
        return False
    id, order = get_side(before, event.market, before.orders[event.order].size > 0)[0]

    assert event.order == id
    assert (event.maker, event.price) == (order.account, order.price)
    gained = passage.after.get_size(event.maker, event.market) - before.get_size(event.maker, event.market)
    assert gained * order.size > 0
    assert abs(gained) <= abs(order.size)
    return True


def book_3(passage: Passage) -> bool:
    """An order keeps its terms and age, loses the lots that are taken from it, and never more."""
    event, before, after = passage.event, passage.before, passage.after
    is_trade = isinstance(event, events.Fill | events.LiquidationFill) and passage.rejected is None
    taken = event.order if isinstance(event, events.Fill | events.LiquidationFill) and is_trade else None
    for id, old in before.orders.items():
        new = after.orders.get(id)
        if new is None:
            continue
        assert (old.account, old.market, old.price, old.sequence) == (new.account, new.market, new.price, new.sequence)
        assert (old.reserved == 0) == (new.reserved == 0)
        assert old.size == new.size or (id == taken and old.size * new.size > 0 and abs(new.size) < abs(old.size))
    gone, come = before.orders.keys() - after.orders.keys(), after.orders.keys() - before.orders.keys()
    if passage.rejected is not None or not isinstance(event, events.PlaceOrder):
        assert not come
    else:
        assert {event.id} == come
    if passage.rejected is not None or not isinstance(event, events.CancelOrder):
        assert gone <= {taken}
    else:
        assert {event.order} == gone
    return bool(before.orders)


def book_4(passage: Passage) -> bool:
    """What an account has in the book is what its orders are, side by side, but for those that only reduce."""
    after = passage.after
    counts: dict[tuple[str, str], RestingView] = {}
    for order in after.orders.values():
        key, lots = (order.account, order.market), order.reserved
        bids, asks, number = counts.get(key, RestingView())
        assert lots in (0, abs(order.size))
        counts[key] = RestingView(
            bids + lots if order.size > 0 else bids, asks if order.size > 0 else asks + lots, number + 1
        )
    said = {(id, market): own for id, view in after.accounts.items() for market, own in view.resting.items()}

    assert counts == said
    event = passage.event
    if isinstance(event, events.PlaceOrder) and passage.rejected is None:
        health, initial = after.get_health(event.account), passage.before.get_health(event.account).initial
        assert health.equity >= health.initial or health.initial <= initial
    return bool(counts)


def book_5(passage: Passage) -> bool:
    """Each side is one list from its best order to its worst, without gap or stray."""
    after = passage.after
    for name, market in after.markets.items():
        for buys, best, price in (
            (True, market.best_bid, market.bid_price),
            (False, market.best_ask, market.ask_price),
        ):
            side = get_side(after, name, buys)
            ids = ["", *(id for id, _ in side), ""]
            assert (ids[1], side[0][1].price if side else 0) == (best, price)
            for (ahead, id), behind in zip(pairwise(ids), ids[2:], strict=False):
                assert (after.orders[id].ahead, after.orders[id].behind) == (ahead, behind)
    return len(after.orders) > 1


def book_6(passage: Passage) -> bool:
    """Who is closed by force has no orders."""
    event, before = passage.event, passage.before
    forced = events.LiquidationFill | events.Takeover | events.BeginDeleveraging
    if not isinstance(event, forced) or passage.rejected is not None:
        return False
    assert not before.get_account(event.account).resting
    return before.rulebook.has_book


BOOK_LAWS: dict[str, Callable[[Passage], bool]] = {
    "BOOK-1": book_1,
    "BOOK-2": book_2,
    "BOOK-3": book_3,
    "BOOK-4": book_4,
    "BOOK-5": book_5,
    "BOOK-6": book_6,
}
