"""Orders as people know them: what trades at once, what rests, what is dropped, and who is cleared out of the way."""

from __future__ import annotations

from typing import Any, NamedTuple

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskcore import (
    Deposit,
    ListMarket,
    MarkPrice,
    Rule,
    SettleMarket,
    State,
    Withdraw,
    genesis,
    queries,
    resolve,
    settle,
)
from riskcore.book_check import check_book
from riskcore.events import (
    Event,
    Fill,
    LiquidationFill,
)
from riskcore.monitor import Monitor
from riskcore.order_index import OrderIndex, iter_side
from riskcore.order_planner import Execution, LimitOrder, Matcher, SelfTrade, TimeInForce
from riskcore.planner import Liquidity, Offer, find_below_maintenance
from riskcore.quantities import AccountId, EventId, Lots, MarketId, Price, Rate, Time
from riskcore.rulebook import MarketRules
from riskcore.snapshot import get_state_hash
from riskcore.testing.naive.venue import Venue
from riskcore.testing.observation import observe
from riskcore.testing.rulebooks import VAULT, make_rulebook, make_rules

BTC = MarketId("BTC")
GTC, IOC = TimeInForce.GOOD_TILL_CANCELLED, TimeInForce.IMMEDIATE_OR_CANCEL
FOK, POST = TimeInForce.FILL_OR_KILL, TimeInForce.POST_ONLY
NAMES = ("amber", "birch", "cedar", "daisy")


class Shop:
    """A matcher on a venue of BTC at 100, with four accounts of ``cash``; events by hand where a test needs them."""

    def __init__(
        self, rules: MarketRules | None = None, cash: int = 10_000, *, mutable: bool = False, **changes: Any
    ) -> None:
        self.matcher = Matcher(genesis(make_rulebook(has_book=True, **changes), mutable=mutable))
        self.does(ListMarket, BTC, make_rules() if rules is None else rules, 100)
        for name in NAMES:
            self.does(Deposit, name, cash)

    @property
    def state(self) -> State:
        return self.matcher.state

    def does(self, kind: Any, *fields: object) -> None:
        sequence = self.state.sequence + 1
        outcome = self.matcher.step(kind(f"e{sequence}", sequence, self.state.timestamp, *fields))
        assert outcome.rejected is None, (kind, fields, outcome.rejected)

    def order(
        self, account: str, size: int, price: int, kind: TimeInForce = GTC, *, reduces: bool = False, **more: Any
    ) -> Execution:
        terms = AccountId(account), BTC, Lots(size), Price(price)
        return self.matcher.submit(LimitOrder(*terms, kind, reduces, **more))

    def rests(self, account: str, size: int, price: int, *, reduces: bool = False) -> EventId:
        """The id of an order that rests whole."""
        execution = self.order(account, size, price, POST, reduces=reduces)
        assert execution.resting is not None, execution.stopped
        return execution.resting

    def trade(self, buyer: str, seller: str, lots: int, price: int = 100) -> None:
        self.rests(buyer, lots, price)
        assert lots == self.order(seller, -lots, price, IOC).filled

    def get_book(self, is_bid: bool) -> list[tuple[str, int, int]]:
        return [(str(order.account), order.size, order.price) for _, order in iter_side(self.state, BTC, is_bid)]

    def get_size(self, account: str) -> int:
        return self.state.accounts.get(AccountId(account)).positions.get(BTC).size


def get_kinds(events: tuple[Event, ...]) -> list[str]:
    return [type(event).__name__ for event in events]


# What trades and what rests


def test_an_order_takes_the_best_within_its_limit_and_rests_with_what_is_left() -> None:
    shop = Shop()
    for account, size, price in (("birch", -2, 101), ("cedar", -3, 100), ("birch", -4, 101), ("daisy", -5, 103)):
        shop.rests(account, size, price)
    execution = shop.order("amber", 11, 102)

    fills = [(event.maker, event.size, event.price) for event in execution.events if isinstance(event, Fill)]
    assert [("cedar", 3, 100), ("birch", 2, 101), ("birch", 4, 101)] == fills
    assert (9, None) == (execution.filled, execution.stopped)
    assert [("amber", 2, 102)] == shop.get_book(is_bid=True)
    assert [("daisy", -5, 103)] == shop.get_book(is_bid=False)
    assert 4 == len(execution.effects)
    assert execution.resting == execution.events[-1].id


def test_a_seller_takes_the_highest_bids() -> None:
    shop = Shop()
    for account, size, price in (("birch", 2, 99), ("cedar", 3, 100), ("daisy", 5, 97)):
        shop.rests(account, size, price)
    execution = shop.order("amber", -6, 98)

    assert [100, 99] == [event.price for event in execution.events if isinstance(event, Fill)]
    assert [("amber", -1, 98)] == shop.get_book(is_bid=False)


@pytest.mark.parametrize(
    ("kind", "filled", "bids", "asks"),
    [
        (GTC, 3, [("amber", 2, 100)], []),
        (IOC, 3, [], []),
        (FOK, 0, [], [("birch", -3, 100)]),
        (POST, 0, [], [("birch", -3, 100)]),
    ],
)
def test_what_does_not_trade_at_once(
    kind: TimeInForce, filled: int, bids: list[tuple[str, int, int]], asks: list[tuple[str, int, int]]
) -> None:
    shop = Shop()
    shop.rests("birch", -3, 100)
    execution = shop.order("amber", 5, 100, kind)

    assert filled == execution.filled == shop.get_size("amber")
    assert (bids, asks) == (shop.get_book(True), shop.get_book(False))
    assert execution.stopped is (Rule.ORDER_CROSSES if kind is POST else None)


@pytest.mark.parametrize("mutable", [False, True])
def test_an_order_to_fill_or_kill_that_is_killed_leaves_no_trace(mutable: bool) -> None:
    shop = Shop(mutable=mutable)
    shop.rests("birch", -3, 100)
    shop.rests("cedar", -3, 101)
    shop.rests("amber", -3, 102)
    before, count = get_state_hash(shop.state), len(list(shop.state.seen.items()))

    # 6 lots of others, and 3 of its own that would only be cancelled
    assert Execution() == shop.order("amber", 7, 102, FOK)
    assert (before, count) == (get_state_hash(shop.state), len(list(shop.state.seen.items())))
    execution = shop.order("amber", 6, 102, FOK)
    assert (6, 2) == (execution.filled, len(execution.events))
    assert 6 == shop.get_size("amber")
    assert [("amber", -3, 102)] == shop.get_book(is_bid=False)


def test_an_order_that_the_market_cannot_take_says_why() -> None:
    shop = Shop()
    elsewhere = LimitOrder(AccountId("amber"), MarketId("ETH"), Lots(1), Price(1))

    assert Execution(stopped=Rule.UNKNOWN_MARKET) == shop.matcher.submit(elsewhere)
    assert Rule.BELOW_INITIAL_MARGIN is shop.order("amber", 10_000, 1).stopped
    shop.does(SettleMarket, BTC, 100)
    assert Rule.MARKET_SETTLING is shop.order("amber", 1, 1).stopped
    plain = Matcher(genesis(make_rulebook()))
    plain.step(ListMarket(EventId("l"), 1, Time(0), BTC, make_rules(), Price(100)))
    order = LimitOrder(AccountId("amber"), BTC, Lots(1), Price(1))
    assert Rule.NO_BOOK is plain.submit(order).stopped
    for size, price in ((0, 1), (1, 0), (1, -1)):
        with pytest.raises(ValueError, match="an order needs"):
            LimitOrder(AccountId("amber"), BTC, Lots(size), Price(price))


def test_a_taker_without_margin_gets_what_he_can_pay_for_and_the_rest_is_dropped() -> None:
    shop = Shop()
    shop.does(Withdraw, "amber", 9_950)
    shop.rests("birch", -5, 100)
    shop.rests("cedar", -5, 101)
    execution = shop.order("amber", 10, 101)

    # 50 for the first 5 lots
    assert (5, Rule.TAKER_MARGIN, None) == (execution.filled, execution.stopped, execution.resting)
    assert [("cedar", -5, 101)] == shop.get_book(is_bid=False)


def test_events_are_named_by_the_next_number_that_is_free() -> None:
    state = Shop().state
    matcher = Matcher(state, prefix="e")
    order = LimitOrder(AccountId("amber"), BTC, Lots(1), Price(90))
    first = matcher.submit(order, Time(7))
    second = matcher.submit(order)

    assert ["e-6", "e-7"] == [first.resting, second.resting]
    assert 7 == matcher.state.timestamp
    assert Matcher(matcher.state, prefix="e").submit(order).resting == "e-8"


# Trading with oneself


def test_an_own_order_in_the_way_is_cancelled() -> None:
    shop = Shop()
    shop.rests("amber", -2, 100)
    shop.rests("birch", -2, 101)
    execution = shop.order("amber", 3, 101)

    assert ["CancelOrder", "Fill", "PlaceOrder"] == get_kinds(execution.events)
    assert [] == shop.get_book(is_bid=False)


def test_or_what_is_left_of_the_new_one_is_dropped() -> None:
    shop = Shop()
    shop.rests("birch", -2, 100)
    shop.rests("amber", -2, 101)
    execution = shop.order("amber", 3, 101, self_trade=SelfTrade.CANCEL_NEWEST)

    assert (2, Rule.SELF_TRADE, None) == (execution.filled, execution.stopped, execution.resting)
    assert [("amber", -2, 101)] == shop.get_book(is_bid=False)


# Only to reduce


def test_an_order_that_may_only_reduce_closes_no_more_than_there_is() -> None:
    shop = Shop()
    shop.trade("amber", "birch", 10)
    shop.rests("cedar", 4, 99)
    execution = shop.order("amber", -25, 99, reduces=True)

    assert (4, None) == (execution.filled, execution.stopped)
    assert [("amber", -6, 99)] == shop.get_book(is_bid=False)
    assert Rule.NOT_REDUCING is shop.order("amber", 1, 90, reduces=True).stopped
    assert Rule.NOT_REDUCING is shop.order("daisy", -1, 110, reduces=True).stopped


def test_a_resting_one_with_nothing_left_to_reduce_is_cleared_away() -> None:
    shop = Shop()
    shop.trade("amber", "birch", 10)
    shop.rests("amber", -10, 101, reduces=True)
    shop.rests("cedar", -5, 102)
    shop.rests("daisy", 4, 100)
    shop.order("amber", -4, 100, IOC)
    # 6 lots are left to reduce of an order of 10
    execution = shop.order("birch", 11, 102)

    assert ["Fill", "CancelOrder", "Fill"] == get_kinds(execution.events)
    assert 11 == execution.filled
    assert 0 == shop.get_size("amber")


# Orders that cannot trade


def test_a_maker_without_margin_is_cleared_away() -> None:
    shop = Shop()
    shop.rests("birch", 10, 100)
    shop.rests("cedar", 10, 99)
    shop.does(Withdraw, "birch", 9_900)
    shop.does(MarkPrice, BTC, 80)
    execution = shop.order("amber", -10, 99)

    assert ["CancelOrder", "Fill"] == get_kinds(execution.events)
    assert (10, 0) == (execution.filled, shop.get_size("birch"))


def test_but_it_closes_what_it_may_first() -> None:
    # birch is short 5 with 200 at the new mark, and bids for 15: the first 5 cost it 95, the others 190
    shop = Shop()
    shop.trade("amber", "birch", 5)
    shop.rests("birch", 15, 99)
    shop.does(Withdraw, "birch", 9_900)
    shop.does(MarkPrice, BTC, 80)
    execution = shop.order("cedar", -15, 99)

    assert ["Fill", "CancelOrder", "PlaceOrder"] == get_kinds(execution.events)
    assert (5, 0) == (execution.filled, shop.get_size("birch"))


def test_a_price_beyond_the_band_is_cleared_away_only_where_better_ones_cannot_hide_behind_it() -> None:
    rules = attrs.evolve(make_rules(), fill_price_band=Rate(50_000))
    shop = Shop(rules)
    for price in (95, 104, 106, 107):
        shop.rests("birch", -1, price)
    shop.does(MarkPrice, BTC, 101)
    execution = shop.order("amber", 4, 110)

    # 95 is too cheap for 101, 104 and 106 are near it, 107 and whatever is above it is too dear
    assert ["CancelOrder", "Fill", "Fill"] == get_kinds(execution.events)
    assert (2, Rule.PRICE_BAND) == (execution.filled, execution.stopped)
    assert [("birch", -1, 107)] == shop.get_book(is_bid=False)


def test_dust_of_the_takers_own_making_stops_him_and_clears_nobody_away() -> None:
    shop = Shop(make_rules(gates=(1_000_000, 0, 5)))
    shop.rests("birch", -10, 100)
    execution = shop.order("amber", 3, 100)

    assert (0, Rule.DUST) == (execution.filled, execution.stopped)
    assert [("birch", -10, 100)] == shop.get_book(is_bid=False)


def test_an_order_too_small_for_its_account_is_cleared_away() -> None:
    shop = Shop(make_rules(gates=(1_000_000, 0, 5)))
    shop.rests("birch", -3, 100)
    shop.rests("cedar", -7, 100)
    execution = shop.order("amber", 7, 100)

    assert ["CancelOrder", "Fill"] == get_kinds(execution.events)
    assert 7 == execution.filled


# Cancelling


def test_all_orders_of_an_account_go_oldest_first() -> None:
    shop = Shop()
    ids = [shop.rests("amber", 1, 90), shop.rests("amber", -1, 110), shop.rests("amber", 1, 95)]
    other = shop.rests("birch", 1, 95)

    assert [(id, BTC) for id in ids] == shop.matcher.index.get_orders(AccountId("amber"))
    assert 3 == shop.matcher.cancel_all(AccountId("amber"))
    assert [] == shop.matcher.index.get_orders(AccountId("amber"))
    assert Rule.UNKNOWN_ORDER is shop.matcher.cancel(BTC, ids[0])
    assert shop.matcher.cancel(BTC, other) is None


# Liquidation through the book


def with_sick(mark: int = 94, **changes: Any) -> Shop:
    """amber long 10 at 100 with 100 against birch: at 94 its equity is 40, and 47 is needed."""
    shop = Shop(**changes)
    shop.trade("amber", "birch", 10)
    shop.does(Withdraw, "amber", 9_900)
    shop.does(MarkPrice, BTC, mark)
    return shop


def test_a_liquidated_account_loses_its_orders_and_is_sold_to_the_best_ones() -> None:
    shop = with_sick(94 + 6)
    shop.rests("amber", -10, 120)
    shop.rests("amber", -5, 121, reduces=True)
    shop.rests("cedar", 4, 92)
    shop.rests("daisy", 1, 93)
    shop.does(MarkPrice, BTC, 94)
    resolution = shop.matcher.resolve()

    assert ["CancelOrder"] * 2 + ["LiquidationFill"] * 2 == get_kinds(resolution.events)
    sold = [(e.maker, e.size, e.price) for e in resolution.events if isinstance(e, LiquidationFill)]
    # no more than makes it healthy
    assert [("daisy", 1, 93), ("cedar", 2, 92)] == sold
    assert [] == find_below_maintenance(shop.state)
    assert [("cedar", 2, 92)] == shop.get_book(is_bid=True)


def test_a_short_is_sold_to_the_best_asks() -> None:
    shop = Shop()
    shop.trade("birch", "amber", 10)
    shop.does(Withdraw, "amber", 9_900)
    shop.rests("cedar", -20, 107)
    shop.does(MarkPrice, BTC, 106)
    resolution = shop.matcher.resolve(partial=False)

    assert [("cedar", 10)] == [(e.maker, e.size) for e in resolution.events if isinstance(e, LiquidationFill)]


def test_unfillable_orders_at_the_top_do_not_hold_the_book_up() -> None:
    # far above mark, by accounts that cannot pay for them; one that has nothing to reduce; then an honest one
    shop = with_sick(100, vault_position_limit=0)
    shop.rests("cedar", 3, 92)
    for price in (150, 200, 10**9):
        shop.rests("daisy", 1, price)
    shop.does(Withdraw, "daisy", 9_960)
    shop.does(MarkPrice, BTC, 94)
    resolution = shop.matcher.resolve()

    assert ["CancelOrder"] * 3 + ["LiquidationFill"] == get_kinds(resolution.events)
    assert "daisy" not in [event.maker for event in resolution.events if isinstance(event, LiquidationFill)]


def test_nor_the_queue() -> None:
    shop = with_sick(100, vault_position_limit=0)
    shop.rests("daisy", 1, 10**9)
    shop.does(Withdraw, "daisy", 9_990)
    shop.does(MarkPrice, BTC, 94)
    resolution = shop.matcher.resolve()

    assert ["CancelOrder", "BeginDeleveraging", "Deleverage"] == get_kinds(resolution.events)
    assert () == resolution.unresolved


def test_a_bad_price_is_left_in_the_book_and_the_next_stage_comes() -> None:
    shop = with_sick(100, insurance_backs_fills=False)
    shop.does(Deposit, VAULT, 1_000)
    shop.rests("cedar", 10, 80)
    shop.does(MarkPrice, BTC, 94)
    resolution = shop.matcher.resolve()

    assert ["Takeover"] == get_kinds(resolution.events)
    assert [("cedar", 10, 80)] == shop.get_book(is_bid=True)


def test_a_price_out_of_the_band_is_cleared_away_where_it_is_too_good() -> None:
    rules = attrs.evolve(make_rules(), fill_price_band=Rate(20_000))
    shop = with_sick(100, rules=rules, vault_position_limit=0)
    for price in (85, 93, 99):
        shop.rests("cedar", 2, price)
    shop.does(MarkPrice, BTC, 94)
    resolution = shop.matcher.resolve()

    assert ["CancelOrder", "LiquidationFill"] == get_kinds(resolution.events)[:2]
    assert [("cedar", 2, 85)] == shop.get_book(is_bid=True)[-1:]


def test_a_block_that_is_used_up_clears_nothing_away() -> None:
    shop = with_sick(100, liquidation_block_limit=1, vault_position_limit=0)
    for _ in range(3):
        shop.rests("cedar", 1, 94)
    shop.does(MarkPrice, BTC, 94)
    resolution = shop.matcher.resolve()

    # one lot may always go in a block
    assert ["LiquidationFill"] == get_kinds(resolution.events)
    assert (AccountId("amber"),) == resolution.unresolved
    assert 2 == len(shop.get_book(is_bid=True))
    later = shop.matcher.resolve(timestamp=Time(1))
    assert ["LiquidationFill"] == get_kinds(later.events)


def test_at_a_stale_mark_nothing_is_cleared_away() -> None:
    shop = with_sick(100, rules=attrs.evolve(make_rules(), mark_age_limit=Time(10)))
    shop.rests("cedar", 1, 94)
    shop.does(MarkPrice, BTC, 94)
    resolution = shop.matcher.resolve(timestamp=Time(100))

    assert () == resolution.events
    assert (AccountId("amber"),) == resolution.unresolved


def test_offers_beside_the_book_are_not_taken() -> None:
    shop = with_sick(vault_position_limit=0)
    offers = Liquidity(bids={BTC: (Offer(AccountId("cedar"), Price(94), Lots(10)),)})
    resolution = resolve(shop.state, offers)

    assert "LiquidationFill" not in get_kinds(resolution.events)
    assert offers == resolution.liquidity


def test_the_orders_of_a_market_that_ends_are_cancelled() -> None:
    shop = Shop()
    shop.trade("amber", "birch", 10)
    for price in (90, 91, 110):
        shop.rests("cedar", 1 if price < 100 else -1, price)
    resolution = settle(shop.state, BTC, Price(100))

    assert ["SettleMarket", *["CancelOrder"] * 3, "SettlePair"] == get_kinds(resolution.events)
    assert resolution.state.accounts.get(AccountId("cedar")).resting.is_empty


def test_a_bankrupt_loses_its_orders_too() -> None:
    shop = with_sick(100, vault_position_limit=0)
    shop.rests("amber", -1, 300)
    shop.does(MarkPrice, BTC, 80)
    resolution = shop.matcher.resolve()

    assert ["CancelOrder", "BeginDeleveraging", "Deleverage"] == get_kinds(resolution.events)
    assert () == resolution.unresolved


def test_stress_knows_the_book() -> None:
    shop = with_sick(100, mutable=True)
    shop.rests("cedar", 10, 93)
    before = get_state_hash(shop.state)
    stressed = queries.stress(shop.state, {BTC: Rate(-60_000)})

    assert ["LiquidationFill"] == get_kinds(stressed.resolution.events)
    assert before == get_state_hash(shop.state)


# Any sequence


class Ticket(NamedTuple):
    """A resting order in a list that is looked through."""

    id: str
    account: str
    size: int
    price: int


def match(tickets: list[Ticket], order: LimitOrder) -> tuple[list[Ticket], list[tuple[str, int, int]], int]:
    """What a plain list makes of an order of an account that can pay: what rests, trades, and what is left."""
    left, trades, gone = int(order.size), list[tuple[str, int, int]](), set[str]()
    side = [ticket for ticket in tickets if ticket.size * order.size < 0]
    for ticket in sorted(side, key=lambda ticket: ticket.price * (1 if order.size > 0 else -1)):
        reaches = ticket.price <= order.price if order.size > 0 else ticket.price >= order.price
        if not left or not reaches:
            break
        if ticket.account == order.account:
            if order.self_trade is SelfTrade.CANCEL_NEWEST:
                left = 0 if order.time_in_force is not FOK else left
                break
            gone.add(ticket.id)
            continue
        lots = min(abs(left), abs(ticket.size)) * (1 if order.size > 0 else -1)
        trades.append((ticket.id, lots, ticket.price))
        left -= lots
    taken = {id: lots for id, lots, _ in trades}
    rest = [t._replace(size=t.size + taken.get(t.id, 0)) for t in tickets if t.id not in gone]
    return [ticket for ticket in rest if ticket.size], trades, left


orders = st.builds(
    LimitOrder,
    st.sampled_from([AccountId(name) for name in NAMES]),
    st.just(BTC),
    st.integers(-9, 9).filter(bool).map(Lots),
    st.integers(96, 104).map(Price),
    st.sampled_from((GTC, GTC, GTC, GTC, IOC, FOK, POST)),
    st.just(False),
    st.sampled_from(SelfTrade),
)


def get_tickets(state: State) -> list[Ticket]:
    """Of both sides, in the order of age."""
    entries = [entry for is_bid in (True, False) for entry in iter_side(state, BTC, is_bid)]
    entries.sort(key=lambda entry: entry[1].sequence)
    return [Ticket(id, order.account, order.size, order.price) for id, order in entries]


@settings(max_examples=60)
@given(st.lists(orders | st.integers(0, 30), min_size=20, max_size=60))
def test_any_sequence_matches_as_a_plain_list_does(placed: list[LimitOrder | int]) -> None:
    shop, tickets = Shop(cash=10**9), list[Ticket]()
    for order in placed:
        if isinstance(order, int):
            if order < len(tickets):
                assert shop.matcher.cancel(BTC, EventId(tickets.pop(order).id)) is None
            continue
        after, trades, left = match(tickets, order)
        execution = shop.matcher.submit(order)
        fills = [(e.order, e.size, e.price) for e in execution.events if isinstance(e, Fill)]
        if order.time_in_force is POST and (trades or after != tickets or (not left)):
            assert Execution(stopped=Rule.ORDER_CROSSES) == execution
            continue
        if order.time_in_force is FOK and left:
            assert () == execution.events
            continue
        tickets = after
        if left and order.time_in_force is not IOC:
            assert execution.resting is not None
            tickets.append(Ticket(execution.resting, order.account, left, order.price))
        assert trades == fills
        assert tickets == get_tickets(shop.state)
    check_book(shop.state)
    fresh = OrderIndex(shop.state)
    for price in range(94, 107):
        for is_bid in (True, False):
            ahead = shop.matcher.index.get_ahead(BTC, is_bid, Price(price))
            assert fresh.get_ahead(BTC, is_bid, Price(price)) == ahead


@settings(max_examples=30)
@given(
    st.lists(orders, min_size=15, max_size=40),
    st.lists(st.integers(60, 140), min_size=1, max_size=4),
    st.lists(st.integers(0, 400), min_size=4, max_size=4),
)
def test_the_model_follows_orders_and_liquidations(placed: list[LimitOrder], marks: list[int], cash: list[int]) -> None:
    """Poor accounts, moving marks: each event of the planner's the list model accepts, and it breaks no law."""
    shop = Shop(cash=1, insurance_backs_fills=True)
    for name, amount in zip(NAMES, cash, strict=True):
        shop.does(Deposit, name, amount + 1)
    start = shop.state
    venue = Venue.read(observe(start))
    done: list[Event] = []
    every = max(1, len(placed) // len(marks))
    for place, order in enumerate(placed):
        done += shop.matcher.submit(order).events
        if place % every == every - 1 and marks:
            sequence = shop.state.sequence + 1
            mark = MarkPrice(EventId(f"m{sequence}"), sequence, Time(0), BTC, Price(marks[0]))
            marks = marks[1:]
            assert shop.matcher.step(mark).rejected is None
            resolution = shop.matcher.resolve()
            done += [mark, *resolution.events]
            assert () == resolution.unresolved
            assert [] == find_below_maintenance(shop.state)
    monitor, state = Monitor(start), start
    for event in done:
        assert set() == venue.apply(event)
        state = monitor.step(state, event).state
    monitor.checkpoint(state)

    assert [] == monitor.violations
    check_book(shop.state)
    assert observe(shop.state) == venue.view()
