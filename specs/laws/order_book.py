"""The order book keeps its order: what rests where, who is first, and what an order reserves."""

from __future__ import annotations

from typing import Any

from riskcore import events
from riskcore.journal import Stage
from riskcore.orders import NO_ORDER
from specs.arithmetic import both_ways, either, every, implies, negate
from specs.case import Case
from specs.contract import toward_zero
from specs.laws.law import Law
from specs.order_book import before, book_is_sorted, is_not_crossed, resting_is_possible, rests_in

#: What may change the order book.
BOOK_EVENTS = frozenset({events.PlaceOrder, events.CancelOrder, events.Fill, events.LiquidationFill})
TRADES = frozenset({events.Fill, events.LiquidationFill})


def _is_sorted(case: Case) -> Any:
    return book_is_sorted(case.after, case.event.market, case.orders_to_check())


def _is_untouched(case: Case) -> Any:
    """No order is touched, and no side has another first; a market that is listed has none."""
    old, new = case.before.market, case.after.market
    if case.touched_orders or new is None:
        return not case.touched_orders
    names = ("best_bid", "bid_price", "best_ask", "ask_price")
    nothing = (NO_ORDER, 0, NO_ORDER, 0)
    kept = nothing if old is None else tuple(getattr(old, name) for name in names)
    return every(*(getattr(new, name) == value for name, value in zip(names, kept, strict=True)))


def _is_never_crossed(case: Case) -> Any:
    """Not the first orders, and so not any two."""
    ids, after = case.orders_to_check(), case.after
    pairs = [(after.order(one), after.order(other)) for one in ids for other in ids if one is not other]
    bid_below_ask = (
        implies(
            rests_in(one, True, case.event.market) & rests_in(other, False, case.event.market), one.price < other.price
        )
        for one, other in pairs
    )
    return every(is_not_crossed(after.market), *bid_below_ask)


def _size_taken(case: Case) -> Any:
    """The trade's size for who takes, signed."""
    event = case.event
    if isinstance(event, events.Fill):
        return event.size
    return either(case.before.account(event.account).size > 0, 0 - event.size, event.size)


def _priority_is_kept(case: Case) -> Any:
    """Of all that rest on the other side none comes before the order that the trade takes from."""
    event, snapshot = case.event, case.before
    if event.order is None:
        return negate(case.rulebook.has_book)
    is_bid = _size_taken(case) < 0
    taken = snapshot.order(event.order)
    others = ((id, snapshot.order(id)) for id in case.orders_to_check())
    return every(
        case.rulebook.has_book,
        rests_in(taken, is_bid, event.market),
        *(
            implies(rests_in(other, is_bid, event.market), (id == event.order) | before(is_bid, taken, other))
            for id, other in others
        ),
    )


def _orders_keep_their_terms(case: Case) -> Any:
    """Only the order that the event names comes, goes or loses lots; each that stays keeps its terms."""
    terms = ("account", "market", "price", "sequence")
    event, claims = case.event, []
    is_placed, is_cancelled = (isinstance(event, kind) for kind in (events.PlaceOrder, events.CancelOrder))
    named = event.id if is_placed else event.order
    for id in case.touched_orders:
        old, new = case.before.order(id), case.after.order(id)
        is_named = False if named is None else id == named
        claims += [implies(old.rests & new.rests, getattr(old, name) == getattr(new, name)) for name in terms]
        claims.append(is_named | both_ways(old.rests, new.rests))
        claims.append(implies(old.rests & new.rests, is_named | (old.size == new.size)))
    if type(event) in TRADES:
        return every(*claims, named is None or _is_filled(case, named))
    return every(
        *claims,
        both_ways(case.before.order(named).rests, is_cancelled),
        both_ways(case.after.order(named).rests, is_placed),
    )


def _no_order_is_taken_from(case: Case) -> Any:
    """Who places or cancels one takes nothing from the others, and whatever else happens leaves all alone."""
    return _orders_keep_their_terms(case) if type(case.event) in BOOK_EVENTS else not case.touched_orders


def _is_filled(case: Case, id: Any) -> Any:
    """The order lost what the trade took, at its own price and for its own account, and is gone with its last lot."""
    event, old, new = case.event, case.before.order(id), case.after.order(id)
    left = old.size + _size_taken(case)
    return every(
        event.price == old.price,
        event.maker == old.account,
        toward_zero(old.size, left),
        both_ways(new.rests, left != 0),
        implies(new.rests, new.size == left),
    )


def _margin_is_what_orders_reserve(case: Case) -> Any:
    """What an account has in the book changed as its orders did: for any account, also one that was not touched."""
    market = getattr(case.event, "market", None)
    claims = []
    for id in case.accounts_to_check():
        old, new = case.before.account(id), case.after.account(id)
        bids, asks, count = 0, 0, 0
        for order_id in case.touched_orders:
            for order, sign in ((case.before.order(order_id), -1), (case.after.order(order_id), 1)):
                is_own = every(order.rests, order.account == id, order.market == market)
                bids = bids + either(is_own & (order.size > 0), sign * order.reserved, 0)
                asks = asks + either(is_own & (order.size < 0), sign * order.reserved, 0)
                count = count + either(is_own, sign, 0)
        claims += [
            new.bids == old.bids + bids,
            new.asks == old.asks + asks,
            new.orders == old.orders + count,
            resting_is_possible(new),
        ]
    return every(*claims)


def _nobody_reserves_else(case: Case) -> Any:
    names = ("bids", "asks", "orders")
    return every(
        not case.touched_orders,
        *(
            getattr(case.before.account(id), name) == getattr(case.after.account(id), name)
            for id in case.touched
            for name in names
        ),
    )


def _who_is_closed_has_no_orders(case: Case) -> Any:
    return case.before.account(case.event.account).has_no_orders


LAWS = (
    Law(
        "BOOK-1",
        "no bid rests at or above an ask",
        BOOK_EVENTS,
        _is_never_crossed,
        _is_untouched,
    ),
    Law(
        "BOOK-2",
        "where there is a book a trade takes from the order of the other side that none comes before, by price and "
        "then by age",
        TRADES,
        _priority_is_kept,
        _no_order_is_taken_from,
    ),
    Law(
        "BOOK-3",
        "an order keeps its account, price and age; it loses lots only to trades that take from it, at its price and "
        "never beyond its size, and goes only with its last lot or by being cancelled",
        BOOK_EVENTS,
        _orders_keep_their_terms,
        _is_untouched,
    ),
    Law(
        "BOOK-4",
        "what initial margin counts of an account's orders is what they are, side by side, but for those that may "
        "only reduce",
        BOOK_EVENTS,
        _margin_is_what_orders_reserve,
        _nobody_reserves_else,
    ),
    Law(
        "BOOK-5",
        "each side of a book is one list from its best order to its worst, without gap or stray",
        BOOK_EVENTS,
        _is_sorted,
        _is_untouched,
    ),
    Law(
        "BOOK-6",
        "the orders of an account are cancelled before lots of it are closed by force",
        frozenset({events.LiquidationFill, events.Takeover, events.BeginDeleveraging}),
        _who_is_closed_has_no_orders,
        lambda case: all(line.stage not in (Stage.BOOK, Stage.VAULT) for line in case.effects),
    ),
)
