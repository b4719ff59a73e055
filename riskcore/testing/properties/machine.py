"""Hypothesis' machine: every event in any order, and every law after each step."""

from __future__ import annotations

from random import Random

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from riskcore.events import Event
from riskcore.testing.desk import Desk
from riskcore.testing.laws.catalogue import check
from riskcore.testing.properties.strategies import randoms
from riskcore.testing.proposing.kinds import MONEY, SHARES
from riskcore.testing.proposing.proposer import Proposer
from riskcore.testing.scenarios import draw_scenario, open_desk


class VenueMachine(RuleBasedStateMachine):
    """A venue that anything may happen to."""

    desk: Desk
    proposer: Proposer

    @initialize(random=randoms)
    def open(self, random: Random) -> None:
        scenario = draw_scenario(random)
        note(repr(scenario))
        self.desk = open_desk(scenario)
        for passage in self.desk.passages:
            check(passage)

    def happen(self, random: Random, *kinds: str) -> None:
        """One of the kinds of event happens, or is rejected."""
        proposer = Proposer(self.desk.venue, random)
        event: Event = getattr(proposer, random.choice(kinds))()
        note(repr(event))
        self.desk.step(event)
        check(self.desk.passages[-1])

    def is_sick(self) -> bool:
        return not self.is_deleveraging() and Proposer(self.desk.venue, Random(0)).has_sick()

    def is_deleveraging(self) -> bool:
        return self.desk.venue.episode is not None

    @rule(random=randoms, count=st.integers(1, 12))
    def go_on(self, random: Random, count: int) -> None:
        for _ in range(count):
            self.happen(random, "propose")

    @precondition(lambda self: not self.is_deleveraging())
    @rule(random=randoms)
    def trade(self, random: Random) -> None:
        self.happen(random, "open_fill", "open_fill", "reduce_fill", "set_leverage")

    @precondition(lambda self: self.desk.venue.rulebook.has_book and not self.is_deleveraging())
    @rule(random=randoms)
    def order(self, random: Random) -> None:
        self.happen(random, "place_order", "place_order", "take_order", "take_order", "cancel_order")

    @precondition(lambda self: not self.is_deleveraging())
    @rule(random=randoms)
    def move(self, random: Random) -> None:
        self.happen(random, "crash", "crash", "drift", "apply_funding")

    @rule(random=randoms)
    def pay(self, random: Random) -> None:
        self.happen(random, *MONEY, "write_off", "advance_time", "list_market")

    @precondition(lambda self: not self.is_deleveraging())
    @rule(random=randoms)
    def share(self, random: Random) -> None:
        self.happen(random, "move_shares", "move_shares", *SHARES)

    @precondition(is_sick)
    @rule(random=randoms)
    def liquidate(self, random: Random) -> None:
        self.happen(random, "liquidation_fill", "takeover")

    @precondition(is_sick)
    @rule(random=randoms)
    def begin(self, random: Random) -> None:
        self.happen(random, "begin_deleveraging", "begin_deleveraging", "cover_deficit", "begin_wrongly")

    @precondition(is_deleveraging)
    @rule(random=randoms)
    def deleverage(self, random: Random) -> None:
        self.happen(random, "deleverage", "deleverage", "end_deleveraging")

    @rule(random=randoms)
    def end_a_market(self, random: Random) -> None:
        self.happen(random, "settle_market")

    @precondition(lambda self: Proposer(self.desk.venue, Random(0)).is_settling())
    @rule(random=randoms, count=st.integers(1, 6))
    def settle(self, random: Random, count: int) -> None:
        for _ in range(count):
            self.happen(random, "settle_pair", "settle_pair", "cover_deficit", "write_off")

    @rule(random=randoms)
    def spoil(self, random: Random) -> None:
        self.happen(random, "spoil")
