"""Who is deleveraged first.

A policy gives a score, a ratio compared cross-multiplied. Ties go to the larger
size, then to the smaller account id, so the order is total and no queue depends
on the order of a table.
"""

from __future__ import annotations

from typing import NamedTuple

from riskcore.margin import get_margin
from riskcore.quantities import AccountId, MarketId
from riskcore.state import Account, Deleveraging, Market, RankPolicy, State
from riskcore.tables import Table


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


def get_candidate(state: State, id: AccountId, account: Account, market_id: MarketId, market: Market) -> Candidate:
    position = account.positions.get(market_id)
    equity = get_margin(account.balance, account.positions, state.markets).equity
    score = get_score(state.rulebook.adl_rank, position.size, position.cost, market.mark_price, equity)
    return Candidate(score, position.size, id)


def is_ahead(first: Candidate, second: Candidate) -> bool:
    """Whether ``first`` is deleveraged before ``second``; a strict total order over ids."""
    left = first.score.numerator * second.score.denominator
    right = second.score.numerator * first.score.denominator
    if left != right:
        return left > right
    if abs(first.size) != abs(second.size):
        return abs(first.size) > abs(second.size)
    return first.id < second.id


def is_eligible(state: State, account: Account, market_id: MarketId, market: Market, share: int, size: int) -> bool:
    """Whether a counterparty can be deleveraged against a position of ``size`` that costs ``share``.

    It is on the opposite side, and can pay for its whole position out of its equity
    and, where the rulebook says so, out of that position's profit: then whatever part
    is closed, its equity does not fall below zero.
    """
    position = account.positions.get(market_id)
    if position.size * size >= 0:
        return False
    equity = get_margin(account.balance, account.positions, state.markets).equity
    return can_absorb(
        state.rulebook.adl_requires_profit, position.size, position.cost, market.mark_price, equity, share, size
    )


def can_absorb(requires_profit: bool, held: int, cost: int, mark: int, equity: int, share: int, size: int) -> bool:
    """Whether ``held`` lots can bear their part of ``share`` atoms over ``size`` lots."""
    lots, burden = abs(size), share * abs(held)
    profit = held * mark - cost
    pays_from_profit = (share <= 0) | (not requires_profit) | (profit * lots >= burden)
    return (equity >= 0) & (equity * lots >= burden) & pays_from_profit


def is_ranked(state: State, market: Market, size: int, episode: Deleveraging) -> bool:
    """Whether the episode's queue is every eligible counterparty, each ahead of the next.

    One scan of the accounts. Strict order rules out a duplicate, so equal counts
    mean that nobody is missing.
    """
    previous: Candidate | None = None
    for id in episode.queue:
        account = state.accounts.get(id)
        if not is_eligible(state, account, episode.market, market, episode.share, size):
            return False
        candidate = get_candidate(state, id, account, episode.market, market)
        if previous is not None and not is_ahead(previous, candidate):
            return False
        previous = candidate
    return count_eligible(state, market, size, episode) == len(episode.queue)


def count_eligible(state: State, market: Market, size: int, episode: Deleveraging) -> int:
    """How many accounts can be deleveraged."""
    accounts: Table[AccountId, Account] = state.accounts
    return sum(
        is_eligible(state, account, episode.market, market, episode.share, size) for _, account in accounts.items()
    )
