"""A venue three times over: on the persistent table, on the dict table and in the naive model.

``Desk`` feeds every event to all three and compares them; ``Passage`` is what one step showed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import attrs

from riskcore import events
from riskcore.events import Event
from riskcore.journal import Line
from riskcore.quantities import AccountId, Atoms, MarketId
from riskcore.rulebook import MarketRules, Rulebook
from riskcore.state import Account, Market, Positions, State, genesis
from riskcore.step import Outcome, step
from riskcore.testing.broken import Broken, get_difference
from riskcore.testing.naive.venue import Venue
from riskcore.testing.naive.views import View
from riskcore.testing.observation import observe
from riskcore.testing.rulebooks import make_rulebook, make_rules


class Passage(NamedTuple):
    """One step as everybody saw it.

    ``broken``: the rules that it breaks, says the model; ``rejected``: the one that the
    kernel names. ``opened``: the view in which the deleveraging that this event met began,
    ``shared``: that in which the last sharing did.
    """

    event: Event
    before: View
    after: View
    broken: frozenset[str]
    rejected: str | None
    effects: tuple[Line, ...]
    old: State
    new: State
    opened: View | None
    shared: View | None = None


class Desk:
    """A venue on the persistent table, on the dict table and in the model, which must agree."""

    def __init__(self, rulebook: Rulebook | None = None, debts: dict[str, int] | None = None) -> None:
        rulebook = make_rulebook() if rulebook is None else rulebook
        self.state = with_debts(genesis(rulebook), debts or {})
        self.mutable = with_debts(genesis(rulebook, mutable=True), debts or {})
        self.venue = Venue.read(observe(self.state))
        self.view = observe(self.state)
        self.opened: View | None = None
        self.shared: View | None = None
        self.passages: list[Passage] = []

    def step(self, event: Event) -> Outcome:
        """Let an event happen everywhere and compare. ``Broken`` where the kernel fails or they differ."""
        before, old = self.view, self.state
        try:
            outcome, twin = step(self.state, event), step(self.mutable, event)
        except Exception as error:
            raise Broken("REJ-1", f"{type(error).__name__} escapes: {error}; {event}") from error
        broken = frozenset(self.venue.apply(event))
        self.state, self.mutable = outcome.state, twin.state
        rejected = None if outcome.rejected is None else outcome.rejected.name
        if (outcome.rejected, outcome.effects) != (twin.rejected, twin.effects):
            raise Broken("TABLES", f"another outcome on the dict table: {event}")
        if rejected not in broken if broken else rejected is not None:
            raise Broken("REJ-1", f"rejected by {rejected}, while {sorted(broken) or 'no rule'} should; {event}")
        self._compare_states(event, stays=rejected is not None and self.state is old)
        self.passages.append(
            Passage(
                event, before, self.view, broken, rejected, outcome.effects, old, self.state, self.opened, self.shared
            )
        )
        if rejected is None and isinstance(event, events.BeginDeleveraging):
            self.opened = self.view
        if rejected is None and isinstance(event, events.BeginLossSharing):
            self.shared = self.view
        return outcome

    def _compare_states(self, event: Event, stays: bool) -> None:
        """``stays``: the state is the very one that was compared before; the dict table need not be."""
        if not stays:
            self.view = observe(self.state)
        if self.view != (twin := observe(self.mutable)):
            raise Broken("TABLES", f"{get_difference(self.view, twin)}; {event}")
        if not stays and (said := self.venue.view()) != self.view:
            raise Broken("MODEL", f"{get_difference(said, self.view)}; {event}")

    def make(self, kind: Callable[..., Event], *arguments: Any, after: int = 1000) -> Event:
        """An event with the next id and sequence, ``after`` milliseconds later."""
        sequence = self.venue.sequence + 1
        return kind(f"e{sequence}", sequence, self.venue.time + after, *arguments)

    def do(self, kind: Callable[..., Event], *arguments: Any, after: int = 1000) -> Outcome:
        """Step an event that ``make`` makes."""
        return self.step(self.make(kind, *arguments, after=after))

    def must(self, kind: Callable[..., Event], *arguments: Any, after: int = 1000) -> Outcome:
        """As ``do``, for what sets a test up and may not be rejected."""
        outcome = self.do(kind, *arguments, after=after)
        assert outcome.rejected is None, (outcome.rejected, kind, arguments)
        return outcome

    def open(self, market: str, mark: int, rules: MarketRules | None = None, **deposits: int) -> None:
        """List a market and pay deposits in."""
        self.must(events.ListMarket, market, make_rules() if rules is None else rules, mark)
        for account, amount in deposits.items():
            self.must(events.Deposit, account, amount)

    def get_account(self, account: str) -> Account:
        return self.state.accounts.get(AccountId(account))

    def get_balance(self, account: str) -> int:
        return self.get_account(account).balance

    def get_position(self, account: str, market: str) -> tuple[int, int, int]:
        """Size, cost and entry index."""
        position = self.get_account(account).positions.get(MarketId(market))
        return position.size, position.cost, position.entry_index

    def get_market(self, market: str) -> Market:
        found = self.state.markets.get(MarketId(market))
        assert found is not None
        return found

    def get_equity(self, account: str) -> int:
        return self.view.get_equity(account)


def get_lines(outcome: Outcome) -> list[tuple[object, ...]]:
    """The effects as plain tuples."""
    return [tuple(line) for line in outcome.effects]


def with_debts(state: State, debts: dict[str, int]) -> State:
    """The state in which flat accounts owe atoms to one creditor, as an older venue may hand them over."""
    accounts = state.accounts
    for account, debt in debts.items():
        accounts = accounts.put(AccountId(account), Account(Atoms(-debt), Positions()))
    if debts:
        accounts = accounts.put(AccountId("creditor"), Account(Atoms(sum(debts.values())), Positions()))
    return attrs.evolve(state, accounts=accounts)
