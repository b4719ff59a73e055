"""A simulated venue under way: what agents see of it and do in it."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from riskcore.events import CancelOrder, Event, Fill, LiquidationFill
from riskcore.order_planner import Execution, LimitOrder, Matcher, TimeInForce
from riskcore.quantities import AccountId, EventId, Lots, MarketId, Price
from riskcore.simulation.feeds import Feed
from riskcore.simulation.scenario import Scenario
from riskcore.state import Market, genesis


class Session:
    """A venue under way: its state behind a matcher, its feeds, and the events since they were last taken."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.scenario = scenario
        self.random = Random(seed)
        self.matcher = Matcher(genesis(scenario.rulebook, mutable=True), prefix="e")
        self.feeds = {course.market: Feed(course) for course in scenario.courses}
        self.time = scenario.start
        self.step = 0
        self._events: list[Event] = []

    def take_events(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def does(self, kind: Callable[..., Event], *fields: object) -> bool:
        """One event, which leaves no trace where the kernel rejects it; whether it is accepted."""
        sequence = self.matcher.state.sequence + 1
        event = kind(EventId(f"e-{sequence}"), sequence, self.time, *fields)
        accepted = self.matcher.step(event).rejected is None
        if accepted:
            self._events.append(event)
        return accepted

    def submit(
        self,
        account: AccountId,
        market_id: MarketId,
        size: int,
        price: Price,
        *,
        rests: bool = True,
        reduces: bool = False,
    ) -> Execution:
        """A limit order; what does not trade rests, or is dropped."""
        kind = TimeInForce.GOOD_TILL_CANCELLED if rests else TimeInForce.IMMEDIATE_OR_CANCEL
        execution = self.matcher.submit(LimitOrder(account, market_id, Lots(size), price, kind, reduces), self.time)
        self._add(execution.events)
        return execution

    def cancel_all(self, account: AccountId) -> None:
        for id, market_id in self.matcher.index.get_orders(account):
            self.does(CancelOrder, market_id, id)

    def resolve(self) -> None:
        """The waterfall, as far as it goes at these marks."""
        self._add(self.matcher.resolve(timestamp=self.time).events)

    def _add(self, events: tuple[Event, ...]) -> None:
        self._events.extend(events)
        for event in events:
            if isinstance(event, (Fill, LiquidationFill)):
                self.feeds[event.market].note_trade(event.price)

    def get_market(self, market_id: MarketId) -> Market:
        market = self.matcher.state.markets.get(market_id)
        assert market is not None
        return market

    def get_size(self, account: AccountId, market_id: MarketId) -> int:
        """Lots of the account's position, signed."""
        return self.matcher.state.accounts.get(account).positions.get(market_id).size
