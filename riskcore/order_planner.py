"""Orders as people know them, in the kernel's small steps: a fill with each best order, and a place for what is left.

A tool, not the kernel: it says with whom a trade is and where an order goes, and ``step`` judges each event. Whom it
skips by cancelling is its own word, and stands in the log.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from attrs import evolve, field, frozen

from riskcore.events import CancelOrder, Event, Fill, PlaceOrder
from riskcore.gates import leaves_no_dust
from riskcore.journal import Line
from riskcore.order_book import crosses, get_best
from riskcore.order_index import OrderIndex
from riskcore.orders import NO_ORDER, Order
from riskcore.planner import Resolution, resolve
from riskcore.quantities import AccountId, EventId, Lots, MarketId, Price, Time
from riskcore.rules import Rule
from riskcore.state import Market, State
from riskcore.step import Outcome
from riskcore.tables import Overlay


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
    """What happens where an account would trade with its own order."""

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

    ``filled``: lots of it that traded. ``resting``: its id in the book, where lots of it rest. ``stopped``: the rule for
    which the lots that neither traded nor rest were dropped; None where the order itself said so.
    """

    events: tuple[Event, ...] = ()
    effects: tuple[tuple[Line, ...], ...] = ()
    filled: Lots = field(default=Lots(0))
    resting: EventId | None = None
    stopped: Rule | None = None


#: Why a fill is refused for reasons of the order that it takes from: it has no business at the top of the book.
UNFILLABLE = (Rule.MAKER_MARGIN, Rule.NOT_REDUCING, Rule.PRICE_BAND)


class Matcher:
    """A venue's order entry: a state, and the index that finds an order's place in it.

    Events are numbered on from ``state.sequence`` and named ``prefix-number``, by the same number or the next that is
    free. A state on mutable tables is used up, as by ``step``.
    """

    def __init__(self, state: State, *, prefix: str = "order") -> None:
        self.state = state
        self.index = OrderIndex(state)
        self.prefix = prefix
        self._taken = 0

    def step(self, event: Event) -> Outcome:
        """Any event, so that the index stays that of the state."""
        outcome = self.index.step(self.state, event)
        self.state = outcome.state
        return outcome

    def submit(self, order: LimitOrder, timestamp: Time | None = None) -> Execution:
        """Fill what can be filled at once, best price and oldest first, and rest with what is left.

        Orders in the way that cannot trade are cancelled: of a maker whose margin is gone, of one who has nothing to
        reduce or would keep dust, at a price out of the market's band. ``timestamp``: by default the state's.
        """
        time = self.state.timestamp if timestamp is None else timestamp
        if order.time_in_force is TimeInForce.FILL_OR_KILL:
            return self._fill_or_kill(order, time)
        if order.time_in_force is TimeInForce.POST_ONLY:
            market = self.state.markets.get(order.market)
            if market is not None and crosses(market, order.size > 0, order.price):
                return Execution(stopped=Rule.ORDER_CROSSES)
        return _Matching(self, order, time).finish()

    def _fill_or_kill(self, order: LimitOrder, time: Time) -> Execution:
        """Try it on an overlay of the state, and let it happen where all of it was filled."""
        trial = Matcher.__new__(Matcher)
        # nothing is placed, so the index is not needed
        trial.state, trial.prefix, trial._taken = overlay(self.state), self.prefix, self._taken
        trial.index = OrderIndex.__new__(OrderIndex)
        raise NotImplementedError

    def cancel(self, market_id: MarketId, id: EventId, timestamp: Time | None = None) -> Rule | None:
        """Take an order out; the rule where it is not there."""
        time = self.state.timestamp if timestamp is None else timestamp
        return self.step(CancelOrder(*self.make_header(time), market_id, id)).rejected
