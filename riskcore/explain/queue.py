"""Why this counterparty: the queue from it on, scores with their terms, who could not absorb its part, ties."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from attrs import frozen

from riskcore.allocation import get_exact_part
from riskcore.choices import Allocation, RankPolicy
from riskcore.explain.clauses import Comparison, explain_call
from riskcore.margin import get_margin
from riskcore.markets import get_market
from riskcore.quantities import AccountId, MarketId
from riskcore.ranking import Candidate, can_absorb, get_candidates, is_ahead
from riskcore.state import Deleveraging, State

#: Places that are shown from the head on: who had a turn has another standing by now.
_SHOWN: Final = 4
#: Accounts of the other side without a place that are shown, the largest first.
_LEFT_OUT: Final = 3


@frozen
class Place:
    """Who stands at ``place`` of a queue, the first being 1; its score's terms are those of the rank's policy.

    ``part``: its exact lots of those to close, at most; in a queue that is not parted, all that it has.
    ``absorbs``: what makes it eligible. ``ahead``: what puts it before the next; nothing of the last.
    """

    place: int
    account: AccountId
    size: int
    cost: int
    notional: int
    profit: int
    equity: int
    score: Fraction
    part: Fraction
    absorbs: tuple[Comparison, ...]
    ahead: tuple[Comparison, ...]


@frozen
class LeftOut:
    """An account of the other side that has no place, and what it could not absorb."""

    account: AccountId
    size: int
    absorbs: tuple[Comparison, ...]


@frozen
class Queue:
    """A queue against ``account``: ``places`` from the ``head`` on, of ``of``; ``lots`` to close for ``share`` atoms.

    ``ineligible``: how many of the other side have no place, of whom ``left_out`` are the largest.
    """

    account: AccountId
    market: MarketId
    policy: RankPolicy
    allocation: Allocation
    lots: int
    share: int
    head: int
    of: int
    places: tuple[Place, ...]
    ineligible: int
    left_out: tuple[LeftOut, ...]


def get_queue(state: State, episode: Deleveraging) -> Queue:
    """The queue of an episode, in the state in which its next step, or its opening, happens."""
    market, rulebook = get_market(state, episode.market), state.rulebook
    size = state.accounts.get(episode.account).positions.get(episode.market).size
    candidates = get_candidates(state, market, size, episode)
    upcoming = [candidates[id] for id in episode.queue[episode.head :][: _SHOWN + 1] if id in candidates]
    following = [*upcoming[1:], None]
    pairs = zip(upcoming[:_SHOWN], following, strict=False)
    places = tuple(
        _make_place(state, episode, own, place, after) for place, (own, after) in enumerate(pairs, episode.head + 1)
    )
    gone = {*episode.queue[: episode.head]}
    others = [
        (id, account.positions.get(episode.market).size)
        for id, account in state.accounts.items()
        if account.positions.get(episode.market).size * size < 0 and id not in candidates and id not in gone
    ]
    largest = sorted(others, key=lambda entry: (-abs(entry[1]), entry[0]))[:_LEFT_OUT]
    left_out = tuple(LeftOut(id, held, _explain_absorbing(state, episode, id)) for id, held in largest)
    figures = rulebook.adl_rank, rulebook.adl_allocation, episode.lots, episode.share, episode.head + 1
    return Queue(episode.account, episode.market, *figures, len(episode.queue), places, len(others), left_out)


def _make_place(state: State, episode: Deleveraging, own: Candidate, place: int, after: Candidate | None) -> Place:
    account, mark = state.accounts.get(own.id), get_market(state, episode.market).mark_price
    position, policy = account.positions.get(episode.market), state.rulebook.adl_allocation
    part = get_exact_part(policy, position.size, own.weight, episode.level_lots, episode.level_weight)
    return Place(
        place,
        own.id,
        position.size,
        position.cost,
        abs(position.size) * mark,
        position.size * mark - position.cost,
        get_margin(account, state.markets).equity,
        Fraction(*own.score),
        Fraction(part, episode.level_weight),
        _explain_absorbing(state, episode, own.id),
        () if after is None else explain_call(is_ahead, own, after),
    )


def _explain_absorbing(state: State, episode: Deleveraging, id: AccountId) -> tuple[Comparison, ...]:
    """What the kernel asks of who is to bear its part of the episode's share."""
    account, mark = state.accounts.get(id), get_market(state, episode.market).mark_price
    position, equity = account.positions.get(episode.market), get_margin(account, state.markets).equity
    figures = position.size, position.cost, mark, equity, episode.share, episode.lots
    return explain_call(can_absorb, state.rulebook.adl_requires_profit, *figures)
