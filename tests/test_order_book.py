"""The order book: orders rest by price and age, reserve margin, and are taken from the best."""

from __future__ import annotations

from typing import Any

import pytest

from riskcore.events import (
    BeginDeleveraging,
    CancelOrder,
    Deleverage,
    Deposit,
    Fill,
    LiquidationFill,
    ListMarket,
    MarkPrice,
    PlaceOrder,
    SetLeverage,
    SettleMarket,
    SettlePair,
    Takeover,
    Withdraw,
)
from riskcore.journal import Reason, Reserve, Stage
from riskcore.order_index import iter_side
from riskcore.orders import NO_RESTING_ORDERS, NOTHING_RESTS, Resting, RestingOrders
from riskcore.quantities import EventId, MarketId
from riskcore.rulebook import MarketRules
from riskcore.rules import Rule
from riskcore.step import Outcome
from riskcore.testing.desk import Desk, get_lines
from riskcore.testing.rulebooks import VAULT, make_rulebook, make_rules

BTC = MarketId("BTC")
OTHER_SIDE = pytest.mark.parametrize("side", [1, -1], ids=["bids", "asks"])


def with_book(rules: MarketRules | None = None, cash: int = 1000, **changes: Any) -> Desk:
    """BTC at 100, 10 % initial and 5 % maintenance margin; four accounts with ``cash`` each."""
    desk = Desk(make_rulebook(has_book=True, **changes))
    desk.open("BTC", 100, rules, amber=cash, birch=cash, cedar=cash, daisy=cash)
    return desk


def try_place(
    desk: Desk, account: str, size: int, price: int, ahead: str | None = None, *, reduces: bool = False
) -> Rule | None:
    return desk.do(PlaceOrder, account, "BTC", size, price, reduces, ahead).rejected


def place(
    desk: Desk, account: str, size: int, price: int, ahead: str | None = None, *, reduces: bool = False
) -> EventId:
    """The id of an order that rests now."""
    desk.must(PlaceOrder, account, "BTC", size, price, reduces, ahead)
    return EventId(f"e{desk.state.sequence}")


def take(desk: Desk, taker: str, maker: str, size: int, price: int, order: str | None) -> Outcome:
    return desk.do(Fill, taker, maker, "BTC", size, price, order)


def cancel(desk: Desk, order: str) -> Rule | None:
    return desk.do(CancelOrder, "BTC", order).rejected


def open_positions(desk: Desk, buyer: str, seller: str, lots: int, price: int = 100) -> None:
    """By an order of the buyer's that the seller takes."""
    order = place(desk, buyer, lots, price)
    desk.must(Fill, seller, buyer, "BTC", -lots, price, order)


def get_ids(desk: Desk, side: int) -> list[str]:
    return [str(id) for id, _ in iter_side(desk.state, BTC, side > 0)]


def get_resting(desk: Desk, account: str) -> Resting:
    return desk.get_account(account).resting.get(BTC)


# Placing


@OTHER_SIDE
def test_an_order_rests_and_moves_nothing(side: int) -> None:
    desk = with_book()
    outcome = desk.do(PlaceOrder, "amber", "BTC", 3 * side, 90 if side > 0 else 110)
    order = desk.state.orders.get(EventId("e6"))
    assert order is not None

    assert () == outcome.effects
    assert ("amber", "BTC", 3 * side, 6, 3, "", "") == (
        *(order.account, order.market, order.size, order.sequence, order.reserved),
        *(order.ahead, order.behind),
    )
    assert ["e6"] == get_ids(desk, side)
    assert (Resting(3, 0, 1) if side > 0 else Resting(0, 3, 1)) == get_resting(desk, "amber")
    assert (1000, 30, 0) == desk.view.get_health("amber")


@OTHER_SIDE
def test_better_prices_come_first_and_of_equal_ones_the_older(side: int) -> None:
    desk = with_book()
    first = place(desk, "amber", side, 100 - 10 * side)
    worst = place(desk, "birch", side, 100 - 20 * side, first)
    younger = place(desk, "cedar", side, 100 - 10 * side, first)
    best = place(desk, "daisy", side, 100 - 5 * side)

    assert [best, first, younger, worst] == get_ids(desk, side)
    market = desk.get_market("BTC")
    assert (best, 100 - 5 * side) == (
        (market.best_bid, market.bid_price) if side > 0 else (market.best_ask, market.ask_price)
    )


@OTHER_SIDE
@pytest.mark.parametrize(
    ("price", "place_of_ahead", "rejected"),
    [
        (80, 0, Rule.ORDER_OUT_OF_PLACE),  # ahead of an older one of its price
        (80, 1, None),
        (81, 1, Rule.ORDER_OUT_OF_PLACE),  # behind a worse one
        (81, 0, None),
        (79, 1, None),
        (79, 0, Rule.ORDER_OUT_OF_PLACE),  # ahead of a better one
        (79, None, Rule.ORDER_OUT_OF_PLACE),
        (90, None, Rule.ORDER_OUT_OF_PLACE),
        (91, None, None),
        (90, 0, None),
        (70, 1, Rule.ORDER_OUT_OF_PLACE),  # ahead of an older one of its price
        (70, 2, None),
        (69, 2, None),
        (69, 3, Rule.ORDER_OUT_OF_PLACE),  # nobody has that id
        (1, 2, None),
    ],
)
def test_an_orders_place_is_one(side: int, price: int, place_of_ahead: int | None, rejected: Rule | None) -> None:
    # 90, 80, 70; for asks mirrored at 100
    desk = with_book()
    ids: list[str] = []
    for resting in (90, 80, 70):
        ids.append(place(desk, "amber", side, resting if side > 0 else 200 - resting, ids[-1] if ids else None))
    ahead = None if place_of_ahead is None else [*ids, "nobody"][place_of_ahead]

    assert rejected == try_place(desk, "birch", side, price if side > 0 else 200 - price, ahead)


@OTHER_SIDE
def test_an_order_stands_behind_none_of_the_other_side_nor_market(side: int) -> None:
    desk = with_book()
    desk.must(ListMarket, "ETH", make_rules(), 100)
    other = place(desk, "amber", -side, 100 + 10 * side)
    desk.must(PlaceOrder, "amber", "ETH", side, 90 if side > 0 else 110)
    elsewhere = f"e{desk.state.sequence}"

    for ahead in (other, elsewhere, f"e{desk.state.sequence + 1}"):
        assert Rule.ORDER_OUT_OF_PLACE == desk.do(PlaceOrder, "birch", "BTC", side, 100, False, ahead).rejected


@OTHER_SIDE
def test_an_order_that_would_trade_at_once_does_not_rest(side: int) -> None:
    desk = with_book()
    place(desk, "amber", side, 100)

    assert Rule.ORDER_CROSSES == try_place(desk, "birch", -side, 100)
    assert Rule.ORDER_CROSSES == try_place(desk, "birch", -side, 100 - side)
    assert try_place(desk, "birch", -side, 100 + side) is None


@pytest.mark.parametrize(
    ("size", "price", "rejected"),
    [
        (0, 100, Rule.SIZE_ZERO),
        (1, 0, Rule.PRICE_NOT_POSITIVE),
        (-1, -5, Rule.PRICE_NOT_POSITIVE),
        (1, 10**40, None),
        (-1, 1, None),
        (10**40, 1, Rule.BELOW_INITIAL_MARGIN),
    ],
)
def test_an_order_has_a_size_and_a_price(size: int, price: int, rejected: Rule | None) -> None:
    assert rejected == try_place(with_book(), "amber", size, price)


def test_there_is_a_book_where_the_rulebook_has_one() -> None:
    desk = Desk()
    desk.open("BTC", 100, amber=1000, birch=1000)

    assert Rule.NO_BOOK == try_place(desk, "amber", 1, 100)
    assert Rule.UNKNOWN_MARKET == desk.do(PlaceOrder, "amber", "ETH", 1, 100).rejected
    assert Rule.UNKNOWN_MARKET == desk.do(CancelOrder, "ETH", "e1").rejected
    assert Rule.OFF_BOOK == take(desk, "amber", "birch", 1, 100, "e1").rejected
    assert take(desk, "amber", "birch", 1, 100, None).rejected is None


def test_no_order_is_placed_in_a_market_that_ends() -> None:
    desk = with_book()
    order = place(desk, "amber", 1, 90)
    desk.must(SettleMarket, "BTC", 100)

    assert Rule.MARKET_SETTLING == try_place(desk, "amber", 1, 80, order)
    assert cancel(desk, order) is None


def test_an_id_is_not_used_again() -> None:
    desk = with_book()
    order = place(desk, "amber", 1, 90)
    desk.must(CancelOrder, "BTC", order)
    header = order, desk.state.sequence + 1, desk.state.timestamp
    again = desk.step(PlaceOrder(*header, "amber", BTC, 1, 90))  # type: ignore[arg-type]

    assert Rule.DUPLICATE_ID == again.rejected
    assert Rule.UNKNOWN_ORDER == cancel(desk, order)


# Cancelling


@OTHER_SIDE
@pytest.mark.parametrize("gone", [0, 1, 2])
def test_a_cancelled_order_leaves_its_neighbours_to_each_other(side: int, gone: int) -> None:
    desk = with_book()
    ids: list[str] = []
    for step in (1, 2, 3):
        ids.append(place(desk, "amber", side, 100 - 10 * step * side, ids[-1] if ids else None))
    desk.must(CancelOrder, "BTC", ids[gone])
    left = [id for id in ids if id != ids[gone]]

    assert left == get_ids(desk, side)
    assert 2 == get_resting(desk, "amber").orders
    assert 20 == desk.view.get_health("amber").initial
    assert Rule.UNKNOWN_ORDER == cancel(desk, ids[gone])


def test_the_last_order_leaves_nothing() -> None:
    desk = with_book()
    before = desk.view.accounts, desk.view.markets
    place(desk, "amber", 1, 90)
    desk.must(CancelOrder, "BTC", f"e{desk.state.sequence}")

    assert before == (desk.view.accounts, desk.view.markets)
    assert desk.get_account("amber").resting.is_empty


def test_an_order_is_cancelled_in_its_own_market() -> None:
    desk = with_book()
    desk.must(ListMarket, "ETH", make_rules(), 100)
    order = place(desk, "amber", 1, 90)

    assert Rule.UNKNOWN_ORDER == desk.do(CancelOrder, "ETH", order).rejected


# Taking


@OTHER_SIDE
def test_a_fill_takes_from_the_best_order(side: int) -> None:
    desk = with_book()
    order = place(desk, "amber", 5 * side, 100)
    outcome = take(desk, "birch", "amber", -2 * side, 100, order)
    left = desk.state.orders.get(order)
    assert left is not None

    buyer, seller = ("amber", "birch") if side > 0 else ("birch", "amber")
    assert [(buyer, seller, "BTC", 2, 200, Reason.FILL, Stage.ORDINARY)] == get_lines(outcome)
    assert (3 * side, 3) == (left.size, left.reserved)
    assert (2 * side, -2 * side) == tuple(desk.get_position(id, "BTC")[0] for id in ("amber", "birch"))
    # 2 lots held and 3 more to come: the same 5 lots as before
    assert (1000, 50, 10) == desk.view.get_health("amber")


@OTHER_SIDE
def test_a_partly_filled_order_keeps_its_place_until_its_last_lot(side: int) -> None:
    desk = with_book()
    first = place(desk, "amber", 5 * side, 100)
    second = place(desk, "birch", 5 * side, 100, first)

    assert take(desk, "cedar", "amber", -2 * side, 100, first).rejected is None
    assert Rule.NOT_THE_BEST_ORDER == take(desk, "cedar", "birch", -1 * side, 100, second).rejected
    assert [first, second] == get_ids(desk, side)
    assert Rule.SIZE_EXCEEDS_ORDER == take(desk, "cedar", "amber", -4 * side, 100, first).rejected
    assert take(desk, "cedar", "amber", -3 * side, 100, first).rejected is None
    assert [second] == get_ids(desk, side)
    assert NOTHING_RESTS == get_resting(desk, "amber")
    assert take(desk, "cedar", "birch", -1 * side, 100, second).rejected is None


@OTHER_SIDE
def test_a_fill_is_on_the_orders_terms(side: int) -> None:
    desk = with_book()
    order = place(desk, "amber", 5 * side, 100)

    assert Rule.OFF_BOOK == take(desk, "birch", "amber", -side, 100, None).rejected
    assert Rule.NOT_THE_BEST_ORDER == take(desk, "birch", "amber", side, 100, order).rejected
    assert Rule.NOT_THE_BEST_ORDER == take(desk, "birch", "amber", -side, 100, "e1").rejected
    assert Rule.NOT_THE_ORDERS_TERMS == take(desk, "birch", "cedar", -side, 100, order).rejected
    assert Rule.NOT_THE_ORDERS_TERMS == take(desk, "birch", "amber", -side, 101, order).rejected
    assert Rule.SELF_TRADE == take(desk, "amber", "amber", -side, 100, order).rejected


def test_a_maker_whose_margin_is_gone_is_not_filled() -> None:
    # 100 free; 10 lots need 100. The mark falls to 80: 10 lots bought at 100 cost 200
    desk = with_book(cash=100)
    order = place(desk, "amber", 10, 100)
    desk.must(MarkPrice, "BTC", 80)
    desk.must(Deposit, "birch", 1000)

    assert Rule.MAKER_MARGIN == take(desk, "birch", "amber", -10, 100, order).rejected
    # one lot at 100 loses 20 and needs 8, and the nine that still rest 72: exactly the 100 that there are
    assert take(desk, "birch", "amber", -1, 100, order).rejected is None
    assert (80, 80, 4) == desk.view.get_health("amber")
    # the next would leave 60 against the same 80
    assert Rule.MAKER_MARGIN == take(desk, "birch", "amber", -1, 100, order).rejected


# What is reserved


@OTHER_SIDE
def test_an_order_needs_what_the_position_that_it_makes_would(side: int) -> None:
    desk = with_book(cash=100)

    assert Rule.BELOW_INITIAL_MARGIN == try_place(desk, "amber", 11 * side, 100)
    order = place(desk, "amber", 10 * side, 100)
    assert Rule.BELOW_INITIAL_MARGIN == desk.do(Withdraw, "amber", 1).rejected
    assert Rule.BELOW_INITIAL_MARGIN == try_place(desk, "amber", side, 100 - side, order)
    # the other side is free up to as much: only one of the two positions can come
    assert try_place(desk, "amber", -10 * side, 100 + side) is None
    assert (100, 100, 0) == desk.view.get_health("amber")


@OTHER_SIDE
def test_an_order_that_closes_needs_nothing_up_to_twice_the_position(side: int) -> None:
    # long or short 10 with 100: all of it is needed
    desk = with_book(cash=100)
    holder, other = ("amber", "birch") if side > 0 else ("birch", "amber")
    open_positions(desk, "amber", "birch", 10)
    first = place(desk, holder, -10 * side, 100 + side)

    assert 100 == desk.view.get_health(holder).initial
    # to 10 of the other side it would need the same again
    second = place(desk, holder, -10 * side, 100 + 2 * side, first)
    assert 100 == desk.view.get_health(holder).initial
    assert Rule.BELOW_INITIAL_MARGIN == try_place(desk, holder, -1 * side, 100 + 3 * side, second)
    assert Rule.BELOW_INITIAL_MARGIN == try_place(desk, holder, side, 100 - side)
    assert 100 == desk.view.get_health(other).initial


def test_orders_reserve_by_the_brackets_of_what_they_may_make() -> None:
    # 10 % up to 1,000 atoms, 20 % beyond; bought in parts, each counts from where the last one ended
    desk = with_book(make_rules(tiers=((1000, 200_000, 100_000),)))
    first = place(desk, "amber", 8, 100)
    assert 80 == desk.view.get_health("amber").initial
    place(desk, "amber", 7, 99, first)

    # 1,500: 100 of the first 1,000, 100 of the other 500
    assert 200 == desk.view.get_health("amber").initial
    assert take(desk, "birch", "amber", -8, 100, first).rejected is None
    assert (1000, 200, 40) == desk.view.get_health("amber")


def test_orders_reserve_by_the_leverage_that_the_account_chose() -> None:
    desk = with_book()
    place(desk, "amber", 6, 100)
    desk.must(SetLeverage, "amber", "BTC", 2)

    assert (1000, 300, 0) == desk.view.get_health("amber")
    desk.must(Withdraw, "amber", 500)
    assert Rule.BELOW_INITIAL_MARGIN == desk.do(SetLeverage, "amber", "BTC", 1).rejected


def test_orders_of_all_markets_add() -> None:
    desk = with_book()
    desk.must(ListMarket, "ETH", make_rules(), 10)
    place(desk, "amber", 6, 100)
    desk.must(PlaceOrder, "amber", "ETH", -50, 10)

    assert (1000, 60 + 50, 0) == desk.view.get_health("amber")
    assert 2 == len(desk.get_account("amber").resting)


def test_the_open_interest_that_a_fill_leaves_counts_for_who_rests() -> None:
    # from 10 % at nothing to 100 % at 1,000 atoms
    desk = with_book(make_rules(scaling=(0, 1000)), cash=100)
    order = place(desk, "amber", 5, 100)
    assert 50 == desk.view.get_health("amber").initial

    # with 500 atoms open the rate is 55 %: 275 for 5 lots, and amber has 100
    assert Rule.TAKER_MARGIN == take(desk, "birch", "amber", -5, 100, order).rejected
    desk.must(Deposit, "birch", 900)
    assert Rule.MAKER_MARGIN == take(desk, "birch", "amber", -5, 100, order).rejected


def test_a_stale_mark_measures_no_order_of_who_has_a_position() -> None:
    desk = with_book(MarketRules(100_000, 50_000, 0, 0, 0, mark_age_limit=60_000))  # type: ignore[arg-type]
    open_positions(desk, "amber", "birch", 1)
    stale = desk.do(PlaceOrder, "amber", "BTC", 1, 90, after=10**6)

    assert Rule.MARK_STALE == stale.rejected
    # who closes needs nothing
    assert try_place(desk, "amber", -1, 110) is None


# Only to reduce


@OTHER_SIDE
def test_an_order_that_may_only_reduce_reserves_nothing(side: int) -> None:
    desk = with_book(cash=100)
    open_positions(desk, "amber", "birch", 10)
    holder, other = ("amber", "birch") if side < 0 else ("birch", "amber")

    assert Rule.NOT_REDUCING == try_place(desk, other, side, 100 - 9 * side, reduces=True)
    assert Rule.NOT_REDUCING == try_place(desk, "cedar", side, 100 - 9 * side, reduces=True)
    order = place(desk, holder, 25 * side, 100 - 9 * side, reduces=True)
    assert Resting(0, 0, 1) == get_resting(desk, holder)
    assert (100, 100, 50) == desk.view.get_health(holder)
    desk.must(MarkPrice, "BTC", 100 - 9 * side)
    desk.must(Deposit, "cedar", 1000)
    # more than there is to reduce, though the order is large enough; then all of it
    assert Rule.NOT_REDUCING == take(desk, "cedar", holder, -11 * side, 100 - 9 * side, order).rejected
    assert take(desk, "cedar", holder, -10 * side, 100 - 9 * side, order).rejected is None
    # what is left of it is in the way
    assert Rule.NOT_REDUCING == take(desk, "cedar", holder, -1 * side, 100 - 9 * side, order).rejected
    assert [order] == get_ids(desk, side)
    assert cancel(desk, order) is None


# Liquidation


def with_sick(mark: int = 94, cash: int = 100, **changes: Any) -> Desk:
    """amber long 10 at 100 with ``cash`` against birch; at 94 its equity is 40 and 47 is needed."""
    desk = with_book(**changes)
    desk.must(Withdraw, "amber", 1000 - cash)
    open_positions(desk, "amber", "birch", 10)
    desk.must(MarkPrice, "BTC", mark)
    return desk


def liquidate(desk: Desk, maker: str, size: int, price: int, order: str | None) -> Rule | None:
    return desk.do(LiquidationFill, "amber", maker, "BTC", size, price, order).rejected


def test_a_liquidated_account_is_sold_to_the_best_order() -> None:
    desk = with_sick()
    order = place(desk, "cedar", 6, 93)
    worse = place(desk, "daisy", 6, 92, order)

    assert Rule.OFF_BOOK == liquidate(desk, "cedar", 6, 93, None)
    assert Rule.NOT_THE_BEST_ORDER == liquidate(desk, "daisy", 6, 92, worse)
    assert Rule.NOT_THE_ORDERS_TERMS == liquidate(desk, "cedar", 6, 92, order)
    assert Rule.SIZE_EXCEEDS_ORDER == liquidate(desk, "cedar", 7, 93, order)
    outcome = desk.must(LiquidationFill, "amber", "cedar", "BTC", 6, 93, order)
    assert [("cedar", "amber", "BTC", 6, 558, Reason.LIQUIDATION, Stage.BOOK)] == get_lines(outcome)
    assert [worse] == get_ids(desk, 1)
    # 6 below mark on 6 lots; and now 34 of equity for 4 lots
    assert (34, 38, 19) == desk.view.get_health("amber")
    assert Rule.NOT_LIQUIDATABLE == liquidate(desk, "daisy", 4, 92, worse)


def test_a_short_is_sold_to_the_best_ask() -> None:
    desk = with_book()
    desk.must(Withdraw, "amber", 900)
    open_positions(desk, "birch", "amber", 10)
    desk.must(MarkPrice, "BTC", 106)
    bid, ask = place(desk, "daisy", 10, 105), place(desk, "cedar", -10, 107)

    assert Rule.NOT_THE_BEST_ORDER == liquidate(desk, "daisy", 10, 105, bid)
    assert liquidate(desk, "cedar", 10, 107, ask) is None


def test_its_own_orders_are_cancelled_first() -> None:
    desk = with_book(cash=200)
    desk.must(Withdraw, "amber", 40)
    open_positions(desk, "amber", "birch", 10)
    own = place(desk, "amber", 5, 90)
    order = place(desk, "cedar", 10, 91)
    desk.must(MarkPrice, "BTC", 88)

    assert Rule.ORDERS_REST == liquidate(desk, "cedar", 10, 91, order)
    assert Rule.ORDERS_REST == desk.do(Takeover, "amber", "BTC", 10).rejected
    assert Rule.ORDERS_REST == desk.do(BeginDeleveraging, "amber", "BTC", ("birch",)).rejected
    assert cancel(desk, own) is None
    assert liquidate(desk, "cedar", 10, 91, order) is None


def test_an_order_that_only_reduces_takes_no_more_of_the_liquidated() -> None:
    desk = with_sick()
    order = place(desk, "birch", 12, 94, reduces=True)

    assert Rule.SIZE_EXCEEDS_POSITION == liquidate(desk, "birch", 11, 94, order)
    assert liquidate(desk, "birch", 10, 94, order) is None
    assert Rule.NOT_REDUCING == take(desk, "cedar", "birch", -1, 94, order).rejected


def test_a_worse_price_than_its_share_of_equity_is_the_funds_or_refused() -> None:
    # equity 40 of 10 lots: 4 a lot for all, 19 for the 5 that release 23 of 47
    desk = with_sick(insurance_backs_fills=False)
    order = place(desk, "cedar", 10, 90)

    assert Rule.WORSE_THAN_BANKRUPTCY == liquidate(desk, "cedar", 5, 90, order)
    assert liquidate(desk, "cedar", 10, 90, order) is None


# The book before the queue


@pytest.mark.parametrize(
    ("price", "rejected"),
    [(91, Rule.BOOK_NOT_EXHAUSTED), (90, None), (95, Rule.BOOK_NOT_EXHAUSTED), (None, None)],
)
def test_a_deleveraging_begins_where_the_book_takes_no_lot(price: int | None, rejected: Rule | None) -> None:
    # equity 40 of 10 lots: a lot alone has 3 of it, rounded down
    desk = with_sick(insurance_backs_fills=False, vault_position_limit=0)
    if price is not None:
        place(desk, "cedar", 1, price)

    assert rejected == desk.do(BeginDeleveraging, "amber", "BTC", ("birch",)).rejected


def test_who_cannot_bear_his_order_holds_the_queue_up_until_it_is_cancelled() -> None:
    # cedar asked for 1 lot at far above mark: nobody would sell elsewhere, and cedar cannot pay
    desk = with_sick(vault_position_limit=0)
    desk.must(Withdraw, "cedar", 980)
    order = place(desk, "cedar", 1, 10**6)

    assert Rule.MAKER_MARGIN == liquidate(desk, "cedar", 1, 10**6, order)
    assert Rule.BOOK_NOT_EXHAUSTED == desk.do(BeginDeleveraging, "amber", "BTC", ("birch",)).rejected
    assert cancel(desk, order) is None
    assert desk.do(BeginDeleveraging, "amber", "BTC", ("birch",)).rejected is None


def test_a_deleveraged_counterparty_keeps_its_orders() -> None:
    desk = with_sick(vault_position_limit=0)
    order = place(desk, "birch", -30, 120)
    desk.must(BeginDeleveraging, "amber", "BTC", ("birch",))
    desk.must(Deleverage)

    assert [order] == get_ids(desk, -1)
    assert (Resting(0, 30, 1), 0) == (get_resting(desk, "birch"), desk.get_position("birch", "BTC")[0])
    assert 30 * 94 // 10 == desk.view.get_health("birch").initial


def test_the_vaults_orders_count_for_what_it_may_take_over() -> None:
    # 100 of the vault's 140 are for its order: with it 14 lots at 10 % would be too many
    desk = with_sick()
    desk.must(Deposit, VAULT, 132)
    place(desk, VAULT, 10, 90)

    assert (132, 94, 0) == desk.view.get_health(VAULT)
    # 4 lots more, and 16 of equity with them: 148 for 14
    assert Rule.VAULT_MARGIN == desk.do(Takeover, "amber", "BTC", 10).rejected
    assert desk.do(Takeover, "amber", "BTC", 6).rejected is None


# A market's end


def test_who_has_orders_in_a_market_that_ends_is_not_settled() -> None:
    desk = with_book()
    open_positions(desk, "amber", "birch", 10)
    orders = place(desk, "amber", 1, 90), place(desk, "birch", -1, 110)
    desk.must(SettleMarket, "BTC", 100)

    for order in orders:
        assert Rule.ORDERS_REST == desk.do(SettlePair, "BTC", "amber", "birch").rejected
        assert cancel(desk, order) is None
    assert desk.do(SettlePair, "BTC", "amber", "birch").rejected is None


# Fees, and values


def test_maker_and_taker_pay_their_fees() -> None:
    desk = with_book(make_rules(taker=10_000, maker=-5_000))
    order = place(desk, "amber", 10, 100)
    outcome = take(desk, "birch", "amber", -10, 100, order)

    assert [
        ("amber", "birch", "BTC", 10, 1000, Reason.FILL, Stage.ORDINARY),
        ("birch", Reserve.FEES, 10, Reason.FEE, Stage.ORDINARY),
        ("amber", Reserve.FEES, -5, Reason.FEE, Stage.ORDINARY),
    ] == get_lines(outcome)


def test_what_rests_is_a_value() -> None:
    resting = RestingOrders({BTC: Resting(1, 0, 1), MarketId("ETH"): NOTHING_RESTS})

    assert 1 == len(resting)
    assert RestingOrders({BTC: Resting(1, 0, 1)}) == resting
    assert hash(RestingOrders({BTC: Resting(1, 0, 1)})) == hash(resting)
    assert NO_RESTING_ORDERS == resting.put(BTC, NOTHING_RESTS)
    assert "RestingOrders({'BTC': Resting(bids=1, asks=0, orders=1)})" == repr(resting)
