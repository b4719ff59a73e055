"""Deleveraging: sides, order, price, size."""

from __future__ import annotations

from riskcore import events
from riskcore.choices import AdlSize, Allocation, CloseOut
from riskcore.journal import Reason
from riskcore.step import step
from riskcore.testing.desk import Passage
from riskcore.testing.laws.passages import Close, get_close, get_episode, get_episode_part, get_overshoot, get_proceeds
from riskcore.testing.naive.needs import is_reducing
from riskcore.testing.naive.venue import Venue


def adl_1(passage: Passage) -> bool:
    """Deleveraging closes opposite sides against each other; both shrink, neither flips."""
    close = get_close(passage)
    if close is None or not isinstance(passage.event, events.Deleverage):
        return False
    sides = 0
    for account in (close.account, close.other):
        before, after = (view.get_size(account, close.market) for view in (passage.before, passage.after))
        assert is_reducing(before, after)
        sides += 1 if before > 0 else -1

    assert sides == 0
    return True


def adl_2(passage: Passage) -> bool:
    """Nobody is touched while someone ahead of him still qualifies; nobody who qualifies is left out."""
    if passage.rejected is not None:
        return False
    if isinstance(passage.event, events.BeginDeleveraging):
        view = passage.after
    elif isinstance(passage.event, events.Deleverage | events.EndDeleveraging):
        view = passage.before
    else:
        return False
    episode = get_episode(view)
    queue = Venue.read(view).get_queue(episode.account, episode.market, episode.lots, episode.share)
    if view.rulebook.adl_allocation is not Allocation.QUEUE:
        # who had a part may still have lots
        queue = [id for id in queue if id not in episode.queue[: episode.head]]

    assert queue == list(episode.queue[episode.head :])
    return True


def adl_3(passage: Passage) -> bool:
    """A step costs the counterparty its part of the share, no fee, and never more than it has."""
    close = get_close(passage)
    if close is None or not isinstance(passage.event, events.Deleverage):
        return False
    before, after, episode = passage.before, passage.after, get_episode(passage.before)
    part = get_episode_part(episode, episode.done + close.lots) - get_episode_part(episode, episode.done)
    over = get_overshoot(episode, episode.done + close.lots) - get_overshoot(episode, episode.done)
    payers = {line.reason for line in passage.effects}

    assert before.get_equity(close.other) - part == after.get_equity(close.other) >= 0
    assert before.get_equity(close.account) + part - over == after.get_equity(close.account)
    assert over == after.reserves["insurance"] - before.reserves["insurance"] >= 0
    assert payers <= {Reason.CLOSE_OUT, Reason.FUNDING, Reason.OVERSHOOT}
    if before.rulebook.adl_requires_profit and episode.share > 0:
        assert get_realised(passage, close) >= -1
    return True


def get_realised(passage: Passage, close: Close) -> int:
    """What the counterparty made on the closed lots against their cost."""
    old = passage.before.get_account(close.other).positions[close.market].cost
    kept = passage.after.get_account(close.other).positions.get(close.market)
    return -get_proceeds(passage, close) - (old - (0 if kept is None else kept.cost))


def adl_4(passage: Passage) -> bool:
    """What the counterparties forgo is exactly the share: the deficit, where it is the last market's."""
    if passage.before.episode is None or passage.after.episode is not None:
        return False
    opened, episode = passage.opened, passage.before.episode
    assert opened is not None
    forgone = sum(opened.get_equity(other) - passage.after.get_equity(other) for other in episode.queue)
    booked = opened.reserves["insurance"] - passage.after.reserves["insurance"]
    booked += opened.reserves["uncovered"] - passage.after.reserves["uncovered"]
    received = passage.after.get_equity(episode.account) - opened.get_equity(episode.account)

    assert forgone + booked == received
    if isinstance(passage.event, events.Deleverage):
        assert (episode.share, -episode.excess) == (forgone, booked)
    if opened.rulebook.adl_close_out is CloseOut.MARK:
        assert (episode.share, episode.excess) == (0, 0)
    is_all = episode.lots == abs(opened.get_size(episode.account, episode.market))
    is_only = is_all and len(opened.get_account(episode.account).positions) == 1
    if is_only and opened.rulebook.adl_close_out is CloseOut.BANKRUPTCY:
        assert -opened.get_equity(episode.account) == episode.share
    return True


def adl_7(passage: Passage) -> bool:
    """A close-out is whole; or, where that is enough, of the fewest lots that bring the account to maintenance.

    There it stands when they are closed.
    """
    ended = passage.before.episode
    if ended is not None and isinstance(passage.event, events.Deleverage) and passage.after.episode is None:
        health = passage.after.get_health(ended.account)
        assert passage.after.get_size(ended.account, ended.market) == 0 or health.equity >= health.maintenance
    if passage.rejected is not None or not isinstance(passage.event, events.BeginDeleveraging):
        return False
    before, episode = passage.before, get_episode(passage.after)
    venue, size = Venue.read(before), abs(before.get_size(episode.account, episode.market))
    if before.rulebook.adl_size is AdlSize.WHOLE or before.get_equity(episode.account) <= 0:
        assert size == episode.lots
        return False
    assert not venue.is_cured_by(episode.account, episode.market, episode.lots - 1)
    assert episode.lots == size or venue.is_cured_by(episode.account, episode.market, episode.lots)
    return True


def adl_8(passage: Passage) -> bool:
    """In all, an account's equity comes nearer to zero by a deleveraging, and not through it."""
    if passage.before.episode is None or passage.after.episode is not None:
        return False
    opened, episode = passage.opened, passage.before.episode
    assert opened is not None
    before, after = (view.get_equity(episode.account) for view in (opened, passage.after))

    assert 0 <= after <= before if before >= 0 else before <= after <= 0
    return opened.rulebook.adl_close_out is not CloseOut.BANKRUPTCY


def adl_5(passage: Passage) -> bool:
    """Who has an open position has an opposite; a queue at its end can be ended."""
    after = passage.after
    for market in after.markets:
        sizes = [after.get_size(account, market) for account in after.accounts]
        assert any(size > 0 for size in sizes) == any(size < 0 for size in sizes)
    episode = after.episode
    if episode is None or episode.head < len(episode.queue):
        return False
    last = events.EndDeleveraging("last", after.sequence + 1, after.time)  # type: ignore[arg-type]

    assert step(passage.new, last).rejected is None
    return True
