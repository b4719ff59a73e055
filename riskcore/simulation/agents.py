"""Who trades in a simulation. Each agent is one account; it sees prices and its own position, and sends orders."""

from __future__ import annotations

from typing import Final, TypeAlias

from riskcore.events import Deposit, Withdraw
from riskcore.quantities import RATE_ONE, AccountId
from riskcore.queries import equity, max_withdrawable
from riskcore.rules import Rule
from riskcore.simulation.feeds import Feed
from riskcore.simulation.scenario import Followers, Group, Holders, Makers, Scenario, Span, Takers, get_members
from riskcore.simulation.session import Session

#: Steps that a holder goes on trying to open the rest of his position.
_TRIES: Final = 20
#: What says that a position is too large for its account.
_TOO_LARGE: Final = (Rule.TAKER_MARGIN, Rule.BELOW_INITIAL_MARGIN)


class Agent:
    """One account of a group, from its deposit to its withdrawal."""

    group: Group

    def __init__(self, group: Group, account: AccountId, session: Session) -> None:
        self.account, self.market_id = account, group.market
        self.arrives = draw(session, group.arrive)
        self.leaves = None if group.leave is None else draw(session, group.leave)
        self.is_gone = False

    def act(self, session: Session) -> None:
        """Come, trade, or go, as the step has it."""
        if self.is_gone or session.step < self.arrives:
            return
        if session.step == self.arrives:
            session.does(Deposit, self.account, self.group.cash)
        if self.leaves is not None and session.step >= max(self.leaves, self.arrives):
            self._leave(session)
        else:
            self._trade(session)

    def _trade(self, session: Session) -> None:
        raise NotImplementedError

    def _leave(self, session: Session) -> None:
        """Close the position as far as the book takes it; once it is closed, take the money home."""
        session.cancel_all(self.account)
        self._close(session)
        if self._get_size(session) == 0:
            amount = max_withdrawable(session.matcher.state, self.account)
            self.is_gone = amount == 0 or session.does(Withdraw, self.account, amount)

    def _get_feed(self, session: Session) -> Feed:
        return session.feeds[self.market_id]

    def _get_size(self, session: Session) -> int:
        return session.get_size(self.account, self.market_id)

    def _close(self, session: Session) -> None:
        if size := self._get_size(session):
            self._take(session, -size, reduces=True)

    def _take(self, session: Session, size: int, *, rests: bool = False, reduces: bool = False) -> Rule | None:
        """An order that goes into the book by the group's slippage; why a part of it was dropped."""
        price = self._get_feed(session).get_price(self.group.slippage, up=size > 0)
        return session.submit(self.account, self.market_id, size, price, rests=rests, reduces=reduces).stopped

    def _open(self, session: Session, leverage: Span, is_long: bool) -> None:
        """Take a position at a leverage of the account's equity; a smaller one where margin does not do."""
        lots = self._get_affordable(session, draw(session, leverage))
        while lots > 0 and self._take(session, lots if is_long else -lots) in _TOO_LARGE:
            lots //= 2

    def _get_affordable(self, session: Session, leverage: int) -> int:
        worth = max(equity(session.matcher.state, self.account), 0) * leverage
        return worth // session.get_market(self.market_id).mark_price


class Maker(Agent):
    """Quotes a ladder around the middle: takes its old orders out, and then, when all makers have, places new ones."""

    def __init__(self, group: Makers, account: AccountId, session: Session) -> None:
        super().__init__(group, account, session)
        self.group: Makers = group
        self._phase = session.random.randrange(group.refresh)

    def clear(self, session: Session) -> None:
        """Before the makers quote: no maker trades with what another is about to replace."""
        if self._is_due(session):
            session.cancel_all(self.account)

    def _is_due(self, session: Session) -> bool:
        return not self.is_gone and session.step % self.group.refresh == self._phase

    def _trade(self, session: Session) -> None:
        group, feed = self.group, self._get_feed(session)
        volatility = feed.volatility
        if not self._is_due(session) or volatility > group.leave_at:
            return
        fear = group.halved_at + volatility
        # makers differ by a quarter
        lots = group.size * group.halved_at * session.random.randrange(750, 1_251) // (fear * 1_000)
        size = self._get_size(session)
        for level in range(group.levels if lots else 0):
            rate = (group.spread + level * group.distance) * fear // group.halved_at
            if size < group.limit:
                session.submit(self.account, self.market_id, lots, feed.get_price(rate, up=False))
            if -size < group.limit:
                session.submit(self.account, self.market_id, -lots, feed.get_price(rate, up=True))


class Holder(Agent):
    """Opens a position, by orders that rest until the next step, and keeps it."""

    def __init__(self, group: Holders, account: AccountId, session: Session) -> None:
        super().__init__(group, account, session)
        self.group: Holders = group
        self._target: int | None = None
        self._tries = _TRIES

    def _trade(self, session: Session) -> None:
        if self._tries == 0:
            return
        if self._target is None:
            lots = self._get_affordable(session, draw(session, self.group.leverage))
            self._target = lots if self.group.is_long else -lots
        self._tries -= 1
        session.cancel_all(self.account)
        left = self._target - self._get_size(session)
        if left * self._target <= 0 or self._tries == 0:
            self._tries = 0
        elif self._take(session, left, rests=True) in _TOO_LARGE:
            # half of what is left, rounded down
            self._target -= (left + 1) // 2 if left > 0 else left // 2


class Follower(Agent):
    """Trades with the trend, and gets out when it turns."""

    def __init__(self, group: Followers, account: AccountId, session: Session) -> None:
        super().__init__(group, account, session)
        self.group: Followers = group

    def _trade(self, session: Session) -> None:
        if session.random.randrange(RATE_ONE) >= self.group.activity:
            return
        trend, size = self._get_feed(session).trend, self._get_size(session)
        if abs(trend) < self.group.trigger:
            return
        if size == 0:
            self._open(session, self.group.leverage, trend > 0)
        elif (size > 0) != (trend > 0):
            self._close(session)


class Taker(Agent):
    """Opens a position of either side, and closes it, for reasons of its own."""

    def __init__(self, group: Takers, account: AccountId, session: Session) -> None:
        super().__init__(group, account, session)
        self.group: Takers = group

    def _trade(self, session: Session) -> None:
        if session.random.randrange(RATE_ONE) >= self.group.activity:
            return
        if self._get_size(session):
            self._close(session)
        else:
            self._open(session, self.group.leverage, bool(session.random.getrandbits(1)))


class VaultTrader:
    """The vault's own trading: it offers a part of what it was left with, at the better side of the middle."""

    def __init__(self, scenario: Scenario) -> None:
        self.account, self.plan = scenario.rulebook.vault, scenario.vault

    def act(self, session: Session) -> None:
        session.cancel_all(self.account)
        for market_id, feed in session.feeds.items():
            size = session.get_size(self.account, market_id)
            lots = -(-abs(size) * self.plan.unwind // RATE_ONE)
            if lots:
                price = feed.get_price(self.plan.spread, up=size > 0)
                session.submit(self.account, market_id, -lots if size > 0 else lots, price, reduces=True)


Trader: TypeAlias = Maker | Holder | Follower | Taker


def make_agents(scenario: Scenario, session: Session) -> list[Trader]:
    """All agents, in the scenario's order."""
    return [make_agent(group, account, session) for group in scenario.groups for account in get_members(group)]


def make_agent(group: Group, account: AccountId, session: Session) -> Trader:
    if isinstance(group, Makers):
        return Maker(group, account, session)
    if isinstance(group, Holders):
        return Holder(group, account, session)
    if isinstance(group, Followers):
        return Follower(group, account, session)
    assert isinstance(group, Takers)
    return Taker(group, account, session)


def draw(session: Session, span: Span) -> int:
    """A number of the span, each as likely."""
    return session.random.randrange(span.first, span.last + 1)
