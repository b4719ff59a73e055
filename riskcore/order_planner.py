"""Orders as people know them, in the kernel's small steps: a fill with each best order, and a place for what is left.

A tool, not the kernel: it says with whom a trade is and where an order goes, and ``step`` judges each event. Whom it
skips by cancelling is its own word, and stands in the log.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from attrs import field, frozen

from riskcore.events import CancelOrder, Event, Fill, PlaceOrder
from riskcore.gates import leaves_no_dust
from riskcore.journal import Line
from riskcore.order_book import crosses, get_best
from riskcore.order_index import OrderIndex
from riskcore.orders import Order
from riskcore.overlay import lay_over
from riskcore.owners import have_one_owner
from riskcore.planner import Resolution, resolve
from riskcore.quantities import AccountId, EventId, Lots, MarketId, Price, Time
from riskcore.rules import Rule
from riskcore.state import State
from riskcore.step import Outcome, step


class TimeInForce(StrEnum):
    """What becomes of the lots that do not trade at once."""

    #: they rest until they are filled or cancelled
    GOOD_TILL_CANCELLED = "good_till_cancelled"
    #: they are dropped
    IMMEDIATE_OR_CANCEL = "immediate_or_cancel"
    #: all trade at once, or none does and nothing happens
    FILL_OR_KILL = "fill_or_kill"
    #: none trades at once: the order rests, or where it would trade nothing happens
    POST_ONLY = "post_only"


class SelfTrade(StrEnum):
    """What happens where an order would trade with one of its own account, or of another of the same owner."""

    #: the resting order is cancelled, and the new one goes on
    CANCEL_OLDEST = "cancel_oldest"
    #: what is left of the new order is dropped
    CANCEL_NEWEST = "cancel_newest"


@frozen
class LimitOrder:
    """``size`` lots, + buys, - sells, at ``price`` atoms per lot or better. Raises ``ValueError`` where there are none.

    ``reduce_only``: no more than brings the account's position to zero.
    """

    account: AccountId
    market: MarketId
    size: Lots
    price: Price
    time_in_force: TimeInForce = TimeInForce.GOOD_TILL_CANCELLED
    reduce_only: bool = False
    self_trade: SelfTrade = SelfTrade.CANCEL_OLDEST

    def __attrs_post_init__(self) -> None:
        if self.size == 0 or self.price <= 0:
            raise ValueError(f"an order needs a size that is not zero and a price above zero: {self}")


@frozen
class Execution:
    """What became of an order.

    ``filled``: lots of it that traded. ``resting``: its id in the book, where lots of it rest. ``stopped``: the rule
    for which the lots that neither traded nor rest were dropped; None where the order itself said so.
    """

    events: tuple[Event, ...] = ()
    effects: tuple[tuple[Line, ...], ...] = ()
    filled: Lots = field(default=Lots(0))
    resting: EventId | None = None
    stopped: Rule | None = None


class Matcher:
    """A venue's order entry: a state, and the index that finds an order's place in it.

    Events are numbered on from ``state.sequence`` and named ``prefix-number``, by the same number or the next that is
    free. A state on mutable tables is used up, as by ``step``.
    """

    def __init__(self, state: State, *, prefix: str = "order") -> None:
        self.state = state
        self.index = OrderIndex(state)
        self._prefix, self._taken = prefix, 0

    def step(self, event: Event) -> Outcome:
        """Any event, so that the index stays that of the state."""
        outcome = self.index.step(self.state, event)
        self.state = outcome.state
        return outcome

    def submit(self, order: LimitOrder, timestamp: Time | None = None) -> Execution:
        """Fill what can be filled at once, best price and oldest first, and rest with what is left.

        Orders in the way that cannot trade are cancelled: of a maker whose margin is gone, of one who has nothing to
        reduce or would keep dust, at a price beyond the market's band and better than mark.
        ``timestamp``: by default the state's.
        """
        time = self.state.timestamp if timestamp is None else timestamp
        if order.time_in_force is TimeInForce.FILL_OR_KILL:
            return self._fill_or_kill(order, time)
        market = self.state.markets.get(order.market)
        is_maker = order.time_in_force is TimeInForce.POST_ONLY
        if is_maker and market is not None and crosses(market, order.size > 0, order.price):
            return Execution(stopped=Rule.ORDER_CROSSES)
        matching = _Matching(self.state, order, time, self.index.step, self._name)
        matching.trade()
        if order.time_in_force is not TimeInForce.IMMEDIATE_OR_CANCEL:
            matching.rest(self.index)
        self.state = matching.state
        return matching.get_execution()

    def _fill_or_kill(self, order: LimitOrder, time: Time) -> Execution:
        """Try it beside the state, and let it happen where all of it was filled."""
        trial = _Matching(lay_over(self.state), order, time, step, self._name)
        trial.trade()
        if trial.left:
            return Execution(stopped=trial.stopped)
        for event in trial.events:
            outcome = self.step(event)
            assert outcome.rejected is None
        return trial.get_execution()

    def cancel(self, market_id: MarketId, id: EventId, timestamp: Time | None = None) -> Rule | None:
        """Take an order out of the book; the rule that it breaks where it does not rest there."""
        time = self.state.timestamp if timestamp is None else timestamp
        header = self._name(self.state), self.state.sequence + 1, time
        return self.step(CancelOrder(*header, market_id, id)).rejected

    def cancel_all(self, account: AccountId, timestamp: Time | None = None) -> int:
        """Take all orders of an account out of the books; how many there were."""
        orders = self.index.get_orders(account)
        for id, market in orders:
            self.cancel(market, id, timestamp)
        return len(orders)

    def resolve(self, *, timestamp: Time | None = None, partial: bool = True) -> Resolution:
        """Liquidate through the book, and then by the other stages, as ``riskcore.resolve`` does."""
        resolution = resolve(self.state, timestamp=timestamp, partial=partial, index=self.index)
        self.state = resolution.state
        return resolution

    def _name(self, state: State) -> EventId:
        """An id for the next event."""
        number = state.sequence + 1
        while state.seen.get(id := EventId(f"{self._prefix}-{number + self._taken}")):
            self._taken += 1
        return id


class _Matching:
    """One order under way: lots that are ``left`` of it, and what was done for it."""

    __slots__ = (
        "_apply",
        "_name",
        "effects",
        "events",
        "filled",
        "left",
        "order",
        "resting",
        "state",
        "stopped",
        "time",
    )

    def __init__(
        self,
        state: State,
        order: LimitOrder,
        time: Time,
        apply: Callable[[State, Event], Outcome],
        name: Callable[[State], EventId],
    ) -> None:
        self.state, self.order, self.time = state, order, time
        self._apply, self._name = apply, name
        self.events: list[Event] = []
        self.effects: list[tuple[Line, ...]] = []
        self.filled = 0
        self.left = abs(order.size)
        self.stopped: Rule | None = None
        self.resting: EventId | None = None
        if state.markets.get(order.market) is None:
            self.stopped = Rule.UNKNOWN_MARKET
        elif order.reduce_only:
            self.left = min(self.left, self._get_reducible(order.account, order.size))
            self.stopped = Rule.NOT_REDUCING if self.left == 0 else None

    def get_execution(self) -> Execution:
        return Execution(tuple(self.events), tuple(self.effects), Lots(self.filled), self.resting, self.stopped)

    def trade(self) -> None:
        """Take from the best order of the other side, again and again, while it is within the limit."""
        while self.left > 0 and self.stopped is None and (best := self._get_best()) is not None:
            self._meet(*best)

    def rest(self, index: OrderIndex) -> None:
        """Place what is left, behind all that is better or older."""
        order = self.order
        if self.left == 0 or self.stopped is not None:
            return
        header, size = self._make_header(), self._sign(self.left)
        ahead = index.get_ahead(order.market, order.size > 0, order.price)
        event = PlaceOrder(*header, order.account, order.market, size, order.price, order.reduce_only, ahead)
        self.stopped = self._propose(event)
        if self.stopped is None:
            self.resting = event.id

    def _get_best(self) -> tuple[EventId, Order] | None:
        market, is_bid = self.state.markets.get(self.order.market), self.order.size > 0
        if market is None or not crosses(market, is_bid, self.order.price):
            return None
        id = get_best(market, not is_bid)
        order = self.state.orders.get(id)
        assert order is not None
        return id, order

    def _meet(self, id: EventId, maker: Order) -> None:
        """Trade with an order, or clear it out of the way, or stop."""
        if have_one_owner(maker.account, self.order.account):
            if self.order.self_trade is SelfTrade.CANCEL_NEWEST:
                self.stopped = Rule.SELF_TRADE
            else:
                self._cancel(id)
            return
        lots, reducible = min(self.left, abs(maker.size)), self._get_reducible(maker.account, maker.size)
        if maker.reserved == 0:
            lots = min(lots, reducible)
        rule = self._fill(id, maker, lots)
        if rule is Rule.MAKER_MARGIN and 0 < reducible < lots:
            # who cannot open any more may still close
            rule = self._fill(id, maker, reducible)
        is_in_the_way = rule is Rule.MAKER_MARGIN or rule is Rule.NOT_REDUCING
        is_in_the_way |= rule is Rule.PRICE_BAND and self._is_beyond_mark(maker)
        if is_in_the_way or (rule is Rule.DUST and self._keeps_dust(maker, lots)):
            self._cancel(id)
        else:
            self.stopped = rule

    def _fill(self, id: EventId, maker: Order, lots: int) -> Rule | None:
        if lots == 0:
            return Rule.NOT_REDUCING
        order = self.order
        header, size = self._make_header(), self._sign(lots)
        rule = self._propose(Fill(*header, order.account, maker.account, order.market, size, maker.price, id))
        if rule is None:
            self.filled += lots
            self.left -= lots
        return rule

    def _keeps_dust(self, maker: Order, lots: int) -> bool:
        """Whether the order's account would be left with dust, and that by the order's whole size: not by a taker's."""
        market = self.state.markets.get(maker.market)
        assert market is not None
        held = self.state.accounts.get(maker.account).positions.get(maker.market).size
        after = held + (lots if maker.size > 0 else -lots)
        return lots < self.left and not leaves_no_dust(market.rules, held, after)

    def _is_beyond_mark(self, maker: Order) -> bool:
        """Whether the price is better than mark for the taker: then worse ones, in the band, may stand behind it."""
        market = self.state.markets.get(maker.market)
        assert market is not None
        return maker.price > market.mark_price if maker.size > 0 else maker.price < market.mark_price

    def _get_reducible(self, account: AccountId, size: int) -> int:
        """Lots of the account's position that an order of ``size`` is against."""
        held = self.state.accounts.get(account).positions.get(self.order.market).size
        return abs(held) if held * size < 0 else 0

    def _sign(self, lots: int) -> Lots:
        return Lots(lots if self.order.size > 0 else -lots)

    def _cancel(self, id: EventId) -> None:
        self.stopped = self._propose(CancelOrder(*self._make_header(), self.order.market, id))

    def _make_header(self) -> tuple[EventId, int, Time]:
        return self._name(self.state), self.state.sequence + 1, self.time

    def _propose(self, event: Event) -> Rule | None:
        """Hand the event to the kernel; the rule that it breaks, if it does."""
        outcome = self._apply(self.state, event)
        if outcome.rejected is None:
            self.state = outcome.state
            self.events.append(event)
            self.effects.append(outcome.effects)
        return outcome.rejected
