"""The order book: who comes before whom, what an order reserves, and what placing and cancelling change.

Each side of a market's book is one list, from its best order to its worst: the market knows the first, each order
its neighbours. Of two orders of a side the one of the better price comes before, of one price the older.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import permutations
from typing import Any

from riskcore import events
from riskcore.orders import NO_ORDER
from riskcore.rules import Rule
from specs.arithmetic import both_ways, either, every, implies, magnitude, negate, smaller
from specs.case import AccountView, Case, OrderView, Snapshot
from specs.contract import Contract, Effect, header_guard, toward_zero
from specs.markets import fresh, if_close_only, trading_market
from specs.tiers import exposure, initial_requirement


def before(is_bid: Any, one: OrderView, other: OrderView) -> Any:
    """Whether one order of a side comes before another."""
    better = either(is_bid, one.price - other.price, other.price - one.price)
    return (better > 0) | ((better == 0) & (one.sequence < other.sequence))


def rests_in(order: OrderView, is_bid: Any, market_id: Any) -> Any:
    """Whether it rests on a side of a market's book."""
    return every(order.rests, order.market == market_id, both_ways(order.size > 0, is_bid))


def best_of(market: Any, is_bid: bool) -> tuple[Any, Any]:
    """The first order of a side, and its price."""
    return (market.best_bid, market.bid_price) if is_bid else (market.best_ask, market.ask_price)


def order_is_possible(order: OrderView, id: Any, snapshot: Snapshot) -> Any:
    """It has lots, a price and a past; what is reserved for it is all of it, or nothing."""
    is_reserved = (order.reserved == 0) | (order.reserved == magnitude(order.size))
    possible = every(
        order.size != 0,
        order.price > 0,
        order.sequence <= snapshot.sequence,
        is_reserved,
        snapshot.seen(id),
        id != NO_ORDER,
    )
    return implies(order.rests, possible)


def side_is_listed(snapshot: Snapshot, market_id: Any, is_bid: bool, ids: Iterable[Any]) -> Any:
    """That a side of a market's book is one list in its order, said of any two orders and of the first.

    Its first has nobody ahead, and everyone else of the side comes behind it. Neighbours know each other, and
    nobody comes between them.
    """
    best, price = best_of(snapshot.market, is_bid)
    first = snapshot.order(best)
    is_empty = best == NO_ORDER
    facts = [
        implies(is_empty, price == 0),
        implies(negate(is_empty), every(rests_in(first, is_bid, market_id), first.ahead == NO_ORDER)),
        implies(negate(is_empty), every(first.price == price, price > 0)),
    ]
    views = [(id, snapshot.order(id)) for id in ids]
    for id, order in views:
        mine = rests_in(order, is_bid, market_id)
        ahead, behind = snapshot.order(order.ahead), snapshot.order(order.behind)
        is_first, is_last = order.ahead == NO_ORDER, order.behind == NO_ORDER
        is_led = every(rests_in(ahead, is_bid, market_id), ahead.behind == id, before(is_bid, ahead, order))
        is_followed = every(rests_in(behind, is_bid, market_id), behind.ahead == id, before(is_bid, order, behind))
        is_behind_best = every(negate(is_empty), (id == best) | before(is_bid, first, order))
        facts += [
            implies(mine, both_ways(is_first, id == best)),
            implies(mine, is_first | is_led),
            implies(mine, is_last | is_followed),
            implies(mine, is_behind_best),
        ]
    for (id, order), (other_id, other) in permutations(views, 2):
        behind = snapshot.order(order.behind)
        is_next = (order.behind != NO_ORDER) & ((other_id == order.behind) | before(is_bid, behind, other))
        both = every(rests_in(order, is_bid, market_id), rests_in(other, is_bid, market_id), id != other_id)
        facts.append(implies(both, before(is_bid, other, order) | (before(is_bid, order, other) & is_next)))
    return every(*facts)


def book_is_sorted(snapshot: Snapshot, market_id: Any, ids: tuple[Any, ...]) -> Any:
    """Both sides are lists, no bid is at or above an ask, and nothing rests where no market is listed."""
    possible = every(*(order_is_possible(snapshot.order(id), id, snapshot) for id in ids))
    if snapshot.market is None:
        return possible & every(
            *(implies(snapshot.order(id).rests, snapshot.order(id).market != market_id) for id in ids)
        )
    sides = every(*(side_is_listed(snapshot, market_id, is_bid, ids) for is_bid in (True, False)))
    return every(possible, sides, is_not_crossed(snapshot.market))


def is_not_crossed(market: Any) -> Any:
    return (market.ask_price == 0) | (market.bid_price < market.ask_price)


def resting_is_possible(account: AccountView) -> Any:
    """What an account's orders reserve is not below zero, and nothing where it has none."""
    is_none = every(account.bids == 0, account.asks == 0)
    return every(account.bids >= 0, account.asks >= 0, account.orders >= 0, implies(account.orders == 0, is_none))


def is_part_of(order: Any, account: Any) -> Any:
    """What an order's account has in the book is no less than the order, and no more where it is the only one."""
    is_bid, left = order.size > 0, order.reserved
    is_all = every(account.bids == either(is_bid, left, 0), account.asks == either(is_bid, 0, left))
    return every(
        account.orders >= 1,
        either(is_bid, account.bids, account.asks) >= left,
        implies(account.orders == 1, is_all),
    )


def changed(account: AccountView, is_bid: Any, lots: Any, orders: Any) -> dict[str, Any]:
    """What an account has in the book once so many reserved lots and orders of a side have come, or gone."""
    return {
        "bids": account.bids + either(is_bid, lots, 0),
        "asks": account.asks + either(is_bid, 0, lots),
        "orders": account.orders + orders,
    }


def would_be_first(market: Any, is_bid: Any, price: Any) -> Any:
    """Whether an order at a price would be the best of its side."""
    return either(is_bid, price - market.bid_price, either(market.ask_price == 0, 1, market.ask_price - price)) > 0


def would_trade(market: Any, is_bid: Any, price: Any) -> Any:
    """Whether an order at a price meets the other side's best."""
    lifts = every(market.ask_price > 0, price >= market.ask_price)
    return (is_bid & lifts) | (negate(is_bid) & (price <= market.bid_price))


def reserved_for(case: Case) -> Any:
    return either(case.event.reduce_only, 0, magnitude(case.event.size))


def added(case: Case, account: AccountView) -> Any:
    """Atoms by which the order raises what the account's position and orders need; below zero, lowers."""
    event, market = case.event, case.before.market
    after = changed(account, event.size > 0, reserved_for(case), 1)
    figures = market.open_interest, account.leverage
    old = initial_requirement(market, exposure(account.size, account.bids, account.asks), *figures)
    return initial_requirement(market, exposure(account.size, after["bids"], after["asks"]), *figures) - old


def next_behind(case: Case) -> Any:
    """The order that the new one goes ahead of."""
    event = case.event
    if event.ahead is None:
        return best_of(case.before.market, event.size > 0)[0]
    return case.before.order(event.ahead).behind


def is_in_place(case: Case) -> Any:
    """Behind the order that it names, of its side and of no worse price, and ahead of what is behind that."""
    event, snapshot, is_bid = case.event, case.before, case.event.size > 0
    if event.ahead is None:
        return would_be_first(snapshot.market, is_bid, event.price)
    ahead, behind = snapshot.order(event.ahead), snapshot.order(next_behind(case))

    def is_better(order: OrderView) -> Any:
        """Whether the new order's price is better than the order's."""
        return either(is_bid, event.price - order.price, order.price - event.price) > 0

    return every(
        rests_in(ahead, is_bid, event.market),
        negate(is_better(ahead)),
        (ahead.behind == NO_ORDER) | is_better(behind),
    )


def _place_guard(case: Case) -> dict[Rule, Any]:
    event = case.event
    rules = {**header_guard(case), **trading_market(case)}
    if case.before.market is None:
        return rules
    rules |= {
        **if_close_only(case, case.event.reduce_only),
        Rule.NO_BOOK: case.rulebook.has_book,
        Rule.SIZE_ZERO: event.size != 0,
        Rule.PRICE_NOT_POSITIVE: event.price > 0,
        Rule.ORDER_CROSSES: negate(would_trade(case.before.market, event.size > 0, event.price)),
    }
    if case.rejected in rules:
        return rules
    account = case.before.account(event.account)
    more = added(case, account)
    is_opposite = every(event.size > 0, account.size < 0) | every(event.size < 0, account.size > 0)
    return {
        **rules,
        Rule.NOT_REDUCING: negate(event.reduce_only) | is_opposite,
        Rule.MARK_STALE: (more <= 0) | (fresh(case) & account.marks_are_fresh(event.timestamp)),
        Rule.BELOW_INITIAL_MARGIN: (more <= 0) | (account.equity >= account.initial + more),
        Rule.ORDER_OUT_OF_PLACE: is_in_place(case),
    }


def linked(case: Case, is_bid: bool, ahead: Any, behind: Any, links: dict[str, Any]) -> dict[str, Any]:
    """The first order and the price of a side once two orders are neighbours; ``links`` are those of new orders.

    Only where nobody is ahead does the one behind become the first.
    """
    best, price = ("best_bid", "bid_price") if is_bid else ("best_ask", "ask_price")
    old, old_price = best_of(case.before.market, is_bid)
    is_first = ahead == NO_ORDER
    new_price = links["price"] if "price" in links else either(behind == NO_ORDER, 0, case.before.order(behind).price)
    return {best: either(is_first, behind, old), price: either(is_first, new_price, old_price)}


def _place_effect(case: Case) -> Effect:
    event, is_bid = case.event, bool(case.event.size > 0)
    account, behind = case.before.account(event.account), next_behind(case)
    ahead = NO_ORDER if event.ahead is None else event.ahead
    terms = {"account": event.account, "market": event.market, "size": event.size, "price": event.price}
    own = {"rests": True, **terms, "sequence": event.sequence, "reserved": reserved_for(case)}
    orders = [(event.id, {**own, "ahead": ahead, "behind": behind})]
    if event.ahead is not None:
        orders.append((event.ahead, {"behind": event.id}))
    if behind != NO_ORDER:
        orders.append((behind, {"ahead": event.id}))
    return Effect(
        accounts=((event.account, changed(account, is_bid, reserved_for(case), 1)),),
        market=linked(case, is_bid, ahead, event.id, {"price": event.price}),
        orders=tuple(orders),
    )


def removed(case: Case, id: Any, is_bid: bool) -> tuple[dict[str, Any], tuple[tuple[Any, dict[str, Any]], ...]]:
    """What taking an order out changes: of the market's first orders, and of the orders."""
    order = case.before.order(id)
    orders: list[tuple[Any, dict[str, Any]]] = [(id, {"rests": False})]
    if order.behind != NO_ORDER:
        orders.append((order.behind, {"ahead": order.ahead}))
    if order.ahead != NO_ORDER:
        orders.append((order.ahead, {"behind": order.behind}))
    return linked(case, is_bid, order.ahead, order.behind, {}), tuple(orders)


def _cancel_guard(case: Case) -> dict[Rule, Any]:
    rules = {**header_guard(case), Rule.UNKNOWN_MARKET: case.before.market is not None}
    if case.before.market is None:
        return rules
    order = case.before.order(case.event.order)
    return {**rules, Rule.UNKNOWN_ORDER: every(order.rests, order.market == case.event.market)}


def _cancel_effect(case: Case) -> Effect:
    order = case.before.order(case.event.order)
    is_bid = bool(order.size > 0)
    account = case.before.account(order.account)
    market, orders = removed(case, case.event.order, is_bid)
    fields = changed(account, is_bid, 0 - order.reserved, -1)
    return Effect(accounts=((order.account, fields),), market=market, orders=orders)


def hit_guard(case: Case, size: Any) -> dict[Rule, Any]:
    """What a trade of signed ``size`` for its taker needs of the order that it takes from."""
    event, has_book = case.event, case.rulebook.has_book
    if event.order is None:
        return {Rule.OFF_BOOK: negate(has_book)}
    order, market = case.before.order(event.order), case.before.market
    maker = case.before.account(event.maker)
    reduces = toward_zero(maker.size, maker.size - size)
    return {
        Rule.OFF_BOOK: has_book,
        Rule.NOT_THE_BEST_ORDER: event.order == either(size > 0, market.best_ask, market.best_bid),
        Rule.NOT_THE_ORDERS_TERMS: every(order.account == event.maker, order.price == event.price),
        Rule.SIZE_EXCEEDS_ORDER: magnitude(size) <= magnitude(order.size),
        Rule.NOT_REDUCING: (order.reserved > 0) | reduces,
    }


def freed_by(case: Case, size: Any) -> Any:
    """Lots that need no longer be reserved once the trade took ``size`` from the order."""
    return smaller(magnitude(size), case.before.order(case.event.order).reserved)


def resting_after(case: Case, maker: AccountView, size: Any) -> dict[str, Any]:
    """What the maker has in the book once a trade took ``size`` from its order, if it took from one."""
    if case.event.order is None:
        return changed(maker, size < 0, 0, 0)
    left = case.before.order(case.event.order).size + size
    return changed(maker, size < 0, 0 - freed_by(case, size), either(left == 0, -1, 0))


def hit_effect(case: Case, size: Any) -> tuple[dict[str, Any], tuple[tuple[Any, dict[str, Any]], ...]]:
    """What that changes of the market's first orders, and of the orders: the order shrinks, or is gone."""
    id = case.event.order
    if id is None:
        return {}, ()
    order = case.before.order(id)
    left = order.size + size
    if left == 0:
        return removed(case, id, bool(size < 0))
    return {}, ((id, {"size": left, "reserved": order.reserved - freed_by(case, size)}),)


CONTRACTS = (
    Contract(event=events.PlaceOrder, guard=_place_guard, effect=_place_effect),
    Contract(event=events.CancelOrder, guard=_cancel_guard, effect=_cancel_effect),
)
