"""Who is deleveraged first.

A policy gives a score, a ratio compared cross-multiplied. Ties go to the larger
size, then to the smaller account id, so the order is total and no queue depends
on the order of a table.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from riskcore.margin import get_margin
from riskcore.quantities import AccountId
from riskcore.state import Account, Deleveraging, Market, RankPolicy, State


class Score(NamedTuple):
    """``numerator / denominator``, the denominator above zero; higher is deleveraged first."""

    numerator: int
    denominator: int


def get_score(policy: RankPolicy, size: int, cost: int, mark: int, equity: int) -> Score:
    """The rank of a position of ``size`` lots in an account of ``equity`` atoms.

    ``PROFIT_TIMES_LEVERAGE``: (profit / abs(cost)) * (notional / equity).
    ``LEVERAGE``: notional / equity. ``SIZE``: notional.
    Where profit (for the first) or equity is not above zero it is last, at zero.
    """
    notional = abs(size) * mark
    if policy is RankPolicy.SIZE:
        return Score(notional, 1)
    if equity <= 0:
        return Score(0, 1)
    if policy is RankPolicy.LEVERAGE:
        return Score(notional, equity)
    profit = size * mark - cost
    if profit <= 0:
        return Score(0, 1)
    return Score(profit * notional, max(abs(cost), 1) * equity)


class Candidate(NamedTuple):
    """A position in a queue."""

    score: Score
    size: int
    id: AccountId


def is_ahead(first: Candidate, second: Candidate) -> bool:
    """Whether ``first`` is deleveraged before ``second``; a strict total order over ids."""
    left = first.score.numerator * second.score.denominator
    right = second.score.numerator * first.score.denominator
    if left != right:
        return left > right
    if abs(first.size) != abs(second.size):
        return abs(first.size) > abs(second.size)
    return first.id < second.id


def can_absorb(requires_profit: bool, held: int, cost: int, mark: int, equity: int, share: int, size: int) -> bool:
    """Whether ``held`` lots can bear their part of ``share`` atoms over ``size`` lots."""
    lots, burden = abs(size), share * abs(held)
    profit = held * mark - cost
    pays_from_profit = (share <= 0) | (not requires_profit) | (profit * lots >= burden)
    return (equity >= 0) & (equity * lots >= burden) & pays_from_profit


def get_candidate(
    state: State, market: Market, size: int, episode: Deleveraging, id: AccountId, account: Account
) -> Candidate | None:
    """The account's rank in the episode's queue, against a position of ``size``; None where it has none.

    It ranks where it is on the opposite side and can absorb its part.
    """
    rulebook, mark = state.rulebook, market.mark_price
    position = account.positions.get(episode.market)
    held, cost = position.size, position.cost
    if held * size >= 0:
        return None
    equity = get_margin(account, state.markets).equity
    if not can_absorb(rulebook.adl_requires_profit, held, cost, mark, equity, episode.share, size):
        return None
    return Candidate(get_score(rulebook.adl_rank, held, cost, mark, equity), held, id)


def get_candidates(state: State, market: Market, size: int, episode: Deleveraging) -> dict[AccountId, Candidate]:
    """Every account that ranks. One scan of the accounts, as ``sharing.get_weights`` is one; the kernel has no other.

    Nothing is carried from one account to the next: what is proven of any one is proven of all.
    """
    found = (get_candidate(state, market, size, episode, id, account) for id, account in state.accounts.items())
    return {candidate.id: candidate for candidate in found if candidate is not None}


def is_ranked(state: State, market: Market, size: int, episode: Deleveraging) -> bool:
    """Whether the episode's queue is every eligible counterparty, each ahead of the next.

    Strict order rules out a duplicate, so equal counts mean that nobody is missing.
    """
    candidates = get_candidates(state, market, size, episode)
    queued = [candidates[id] for id in episode.queue if id in candidates]
    if not len(queued) == len(episode.queue) == len(candidates):
        return False
    return all(is_ahead(first, second) for first, second in pairwise(queued))
