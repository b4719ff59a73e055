"""A seeded walk: events that mostly can be accepted, and some that just cannot, one after the other.

A tool, not the kernel. The state before decides what is proposed: sizes and amounts around what margin allows, the
planner's resolution where somebody is below maintenance, an open queue's steps. Only whole numbers are drawn, so that
a seed gives the same walk everywhere. Every event is one that a log can hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from attrs import evolve

from riskcore import events
from riskcore.bad_input import Fault
from riskcore.codec import encode_event
from riskcore.conformance.families import Family
from riskcore.conformance.proposals import DRAWN, MARKETS, TRADERS, Scene
from riskcore.events import Event, Header
from riskcore.planner import Liquidity, Offer, find_below_maintenance, resolve
from riskcore.quantities import EventId, Lots, MarketId, Price, Time
from riskcore.rules import Rejected
from riskcore.state import State
from riskcore.step import Outcome, step
from riskcore.transitions import TRANSITIONS

PRICES: Final = (1_000, 37)
#: How often each kind is proposed; all others once.
WEIGHTS: Final[dict[type[Header], int]] = {
    events.Fill: 14,
    events.MarkPrice: 10,
    events.IndexPrice: 4,
    events.LiquidationFill: 5,
    events.Takeover: 4,
    events.Withdraw: 4,
    events.ApplyFunding: 3,
    events.BeginDeleveraging: 3,
    events.PlaceOrder: 12,
    events.CancelOrder: 3,
    events.Deposit: 2,
    events.CoverDeficit: 2,
}
ALL_KINDS: Final = frozenset(TRANSITIONS)
SETUP_KINDS: Final = frozenset((events.ListMarket, events.Deposit, events.FundInsurance))


class Walk(Scene):
    """A venue under way. ``state`` is the kernel's after all events so far; ``start``: the empty one.
    ``kinds``: what may be proposed."""

    def __init__(self, family: Family, seed: int, kinds: frozenset[type[Header]] = ALL_KINDS) -> None:
        super().__init__(family, seed)
        self.start = self.state
        self.kinds = kinds
        self._count = 0
        self._planned: list[Event] = []
        usual = sorted(kinds - {events.ListMarket, events.SettleMarket}, key=lambda kind: kind.__name__)
        self._usual = [kind for kind in usual for _ in range(WEIGHTS.get(kind, 1))]

    def set_up(self) -> Iterator[Event]:
        """Markets, cash for everybody, and some for the fund."""
        for market, rules, price in zip(MARKETS, self.family.rules, PRICES, strict=True):
            yield self._make(events.ListMarket, market, rules, price)
        for account in (*TRADERS, self.family.rulebook.vault):
            yield self._make(events.Deposit, account, self.draw(2_000, 12_000))
        yield self._make(events.FundInsurance, self.draw(1, 3_000))

    def set_up_and_play(self) -> Iterator[Event]:
        """The same, each played."""
        for event in self.set_up():
            self.play(event)
            yield event

    def play(self, event: Event) -> Outcome:
        """The kernel's step, which leads on."""
        outcome = step(self.state, event)
        self.state = outcome.state
        if outcome.rejected is not None:
            self._planned.clear()
        return outcome

    def propose(self) -> Event | None:
        """The next event; None where nothing of the kinds asked for can be proposed."""
        for _ in range(50):
            event = self._try()
            if event is not None and type(event) in self.kinds and is_writable(event):
                return event
        return None

    def _try(self) -> Event | None:
        if self._planned:
            return self._renumber(self._planned.pop(0))
        if self.state.deleveraging is not None and self.draw(0, 19):
            episode = self.state.deleveraging
            is_left = episode.head < len(episode.queue)
            return self._make(events.Deleverage if is_left else events.EndDeleveraging)
        if self.state.sharing is not None and self.draw(0, 19):
            return self._make(events.ShareLoss)
        if not self.draw(0, 2) and find_below_maintenance(self.state):
            return self._plan()
        if not self.draw(0, 150) and events.SettleMarket in self.kinds:
            return self._make(events.SettleMarket, MARKETS[1], self.around(self.get_market(MARKETS[1]).mark_price, 20))
        if not self._usual:
            return None
        return self._propose_kind(self.pick(self._usual))

    def _plan(self) -> Event | None:
        """The first event of a resolution, the others to follow."""
        offers: dict[str, dict[MarketId, tuple[Offer, ...]]] = {"bids": {}, "asks": {}}
        for market_id in MARKETS:
            mark = self.get_market(market_id).mark_price
            for side, sign in (("bids", -1), ("asks", 1)):
                price = Price(max(mark + sign * mark * self.draw(-1, 8) // 100, 1))
                offer = Offer(self.pick(TRADERS), price, Lots(self.draw(1, 60)))
                offers[side][market_id] = (offer,) if self.draw(0, 2) else ()
        liquidity = Liquidity(offers["bids"], offers["asks"])
        planned: list[Event] = []
        for event in resolve(self.state, liquidity, timestamp=self.state.timestamp).events:
            if type(event) not in self.kinds:
                break
            planned.append(event)
        self._planned = planned
        return self._renumber(self._planned.pop(0)) if planned else None

    def _propose_kind(self, kind: type[Header]) -> Event | None:
        maker = DRAWN.get(kind)
        try:
            fields = maker(self) if maker is not None else None
        except (Rejected, LookupError, ValueError, ZeroDivisionError):
            return None
        return None if fields is None else self._make(kind, *fields)

    def _make(self, kind: Any, *fields: object) -> Event:
        """An event with the next header; now and then with a number that is not ahead, or in the past."""
        self._count += 1
        sequence, time = self.state.sequence + 1, self.state.timestamp + self.draw(0, 1) * self.draw(0, 400)
        if self._count > 12 and not self.draw(0, 99):
            sequence, time = (sequence - 1, time) if self.draw(0, 1) else (sequence, self.state.timestamp - 1)
        event: Event = kind(EventId(f"w{self._count}"), sequence, Time(time), *fields)
        return event

    def _renumber(self, event: Event) -> Event:
        """A planned event as one of this walk's."""
        self._count += 1
        id = EventId(f"w{self._count}")
        return evolve(event, id=id, sequence=self.state.sequence + 1, timestamp=self.state.timestamp)


def is_writable(event: Event) -> bool:
    """Whether a log can hold the event."""
    try:
        encode_event(event)
    except Fault:
        return False
    return True


def walk_on(walk: Walk, steps: int) -> Iterator[tuple[State, Event, Outcome]]:
    """So many events, each with the state before it and what the kernel made of it."""
    for _ in range(steps):
        event = walk.propose()
        if event is None:
            return
        before = walk.state
        yield before, event, walk.play(event)
