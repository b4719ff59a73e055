"""What a step was: whom a forced close was between, what was paid, and why."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import NamedTuple

from riskcore import events
from riskcore.journal import Pay, Reason, Trade
from riskcore.testing.desk import Passage
from riskcore.testing.naive.views import EpisodeView, SharingView, View

OWN_EVENTS = (events.Fill, events.Withdraw, events.Transfer, events.Deposit, events.RequestVaultDeposit)


FORCED_EVENTS = (events.LiquidationFill, events.Takeover, events.BeginDeleveraging)


class Close(NamedTuple):
    """A forced close that was accepted: who lost lots to whom."""

    account: str
    other: str
    market: str
    lots: int


def get_close(passage: Passage) -> Close | None:
    event, before = passage.event, passage.before
    if passage.rejected is not None:
        return None
    if isinstance(event, events.LiquidationFill):
        return Close(event.account, event.maker, event.market, event.size)
    if isinstance(event, events.Takeover):
        return Close(event.account, before.rulebook.vault, event.market, event.size)
    if isinstance(event, events.Deleverage):
        episode = get_episode(before)
        other = episode.queue[episode.head]
        sizes = (abs(view.get_size(other, episode.market)) for view in (before, passage.after))
        lots = next(sizes) - next(sizes)
        # a head whose part is no lot only moves the queue on
        return Close(episode.account, other, episode.market, lots) if lots else None
    return None


def get_episode(view: View) -> EpisodeView:
    assert view.episode is not None
    return view.episode


def get_sharing(view: View) -> SharingView:
    assert view.sharing is not None
    return view.sharing


def get_member(view: View) -> str:
    sharing = get_sharing(view)
    return sharing.members[sharing.head]


def get_trade(passage: Passage) -> Trade:
    (trade,) = (line for line in passage.effects if isinstance(line, Trade))
    return trade


def get_paid_for(passage: Passage, reason: Reason) -> int:
    return sum(line.amount for line in passage.effects if isinstance(line, Pay) and line.reason is reason)


def get_closed_value(passage: Passage, close: Close) -> int:
    """Atoms at mark that the closed lots were worth to the account; below zero for shorts."""
    side = 1 if passage.before.get_size(close.account, close.market) > 0 else -1
    return side * close.lots * passage.before.markets[close.market].mark


def get_proceeds(passage: Passage, close: Close) -> int:
    """Atoms that the account got for the closed lots; below zero where it paid."""
    trade = get_trade(passage)
    return trade.amount if trade.seller == close.account else -trade.amount


def get_episode_part(episode: EpisodeView, done: int) -> int:
    """What of the share falls on the first ``done`` lots, rounded down."""
    return floor(Fraction(episode.share, episode.lots) * done)


def get_overshoot(episode: EpisodeView, done: int) -> int:
    """What of that is the fund's."""
    return floor(Fraction(episode.excess, episode.lots) * done)
