"""Who is deleveraged first.

A policy gives a score, a ratio compared cross-multiplied. Ties go to the larger
size, then to the smaller account id, so the order is total and no queue depends
on the order of a table.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

from riskcore.allocation import Held, get_remainder, get_weight
from riskcore.choices import RankPolicy
from riskcore.margin import get_margin
from riskcore.quantities import AccountId, divide_down
from riskcore.state import Account, Deleveraging, Market, State

#: A Mersenne prime; less one it is no multiple of five, so that each fifth power has one root.
_PRIME = 2**127 - 1
#: The golden ratio's first digits, in binary: it keeps small numbers from staying small.
_ODD = 0x9E3779B97F4A7C15F39CC0605CEDC835


class Score(NamedTuple):
    """``numerator / denominator``, the denominator above zero; higher is deleveraged first."""

    numerator: int
    denominator: int


def get_score(policy: RankPolicy, size: int, cost: int, mark: int, equity: int, opened: int, chance: int) -> Score:
    """The rank of a position of ``size`` lots in an account of ``equity`` atoms.

    ``opened``: when it did; ``chance``: its number in the draw, where there is one. With ``entry`` for
    ``abs(cost)``, what it was traded at, and the venues that publish the formula:

    * ``PROFIT_TIMES_LEVERAGE``: (profit / entry) * (notional / equity). Hyperliquid's engine.
    * ``SIGNED_PROFIT_TIMES_LEVERAGE``: the same, a loss being divided by leverage instead. BitMEX.
    * ``PRICE_RATIO_TIMES_LEVERAGE``: (notional / entry) * (notional / equity). Hyperliquid's documents: what they
      say of longs, it ranks shorts with a loss above those with a profit.
    * ``PROFIT_TIMES_NOTIONAL_TO_EQUITY``: profit * notional / equity. Binance, whose margin ratio is a rate of
      notional over equity.
    * ``PROFIT_TO_EQUITY``: profit / equity. ``PROFIT_RATIO``: profit / entry.
    * ``LEVERAGE``: notional / equity. ``SIZE``: notional.
    * ``FIFO``: older ones first. ``PSEUDO_RANDOM``: the higher number first.

    But for size and the last two, where equity is not above zero it is zero, and so for those of profit where
    that is not above zero, the signed one apart: after all gains, and ahead of its losses.
    """
    notional, profit, entry = abs(size) * mark, size * mark - cost, max(abs(cost), 1)
    if policy is RankPolicy.SIZE:
        return Score(notional, 1)
    if policy is RankPolicy.FIFO:
        return Score(-opened, 1)
    if policy is RankPolicy.PSEUDO_RANDOM:
        return Score(chance, 1)
    if equity <= 0:
        return Score(0, 1)
    if policy is RankPolicy.LEVERAGE:
        return Score(notional, equity)
    if policy is RankPolicy.PRICE_RATIO_TIMES_LEVERAGE:
        return Score(notional * notional, entry * equity)
    if profit <= 0:
        is_signed = policy is RankPolicy.SIGNED_PROFIT_TIMES_LEVERAGE
        return Score(profit * equity, entry * max(notional, 1)) if is_signed else Score(0, 1)
    if policy is RankPolicy.PROFIT_RATIO:
        return Score(profit, entry)
    if policy is RankPolicy.PROFIT_TO_EQUITY:
        return Score(profit, equity)
    if policy is RankPolicy.PROFIT_TIMES_NOTIONAL_TO_EQUITY:
        return Score(profit * notional, equity)
    return Score(profit * notional, entry * equity)


def mix(state: int, word: int) -> int:
    """The fifth power of what ``word`` makes of ``state``, modulo a prime, below which no two have the same."""
    base = state + word + _ODD
    power = base * base * base * base * base
    return power - divide_down(power, _PRIME) * _PRIME


def get_chance(policy: RankPolicy, seed: int, sequence: int, id: AccountId) -> int:
    """An account's number in the draw for the episode that opens after event ``sequence``; zero where there is none.

    Plain integers, so that it is the same on every machine. It depends on the sequence in full, so an id that is
    lucky in one episode is as likely as any other to be unlucky in the next: who chooses an id would have to know
    when the deleveraging comes. Who numbers the events does; the log shows every number that was left out.
    """
    if policy is not RankPolicy.PSEUDO_RANDOM:
        return 0
    name = 1
    for byte in id.encode("utf-8", "surrogatepass"):
        name = name * 256 + byte
    return mix(mix(mix(mix(0, name), seed), sequence), name)


class Candidate(NamedTuple):
    """A position in a queue; ``weight`` is that of its part (``allocation.py``)."""

    score: Score
    size: int
    id: AccountId
    weight: int = 1


def is_ahead(first: Candidate, second: Candidate) -> bool:
    """Whether ``first`` is deleveraged before ``second``; a strict total order over ids."""
    left = first.score.numerator * second.score.denominator
    right = second.score.numerator * first.score.denominator
    if left != right:
        return left > right
    if abs(first.size) != abs(second.size):
        return abs(first.size) > abs(second.size)
    return first.id < second.id


def can_absorb(requires_profit: bool, held: int, cost: int, mark: int, equity: int, share: int, lots: int) -> bool:
    """Whether ``held`` lots can bear their part of ``share`` atoms over ``lots``."""
    burden = share * abs(held)
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
    lots = episode.lots
    position = account.positions.get(episode.market)
    held, cost = position.size, position.cost
    if held * size >= 0:
        return None
    equity = get_margin(account, state.markets).equity
    if not can_absorb(rulebook.adl_requires_profit, held, cost, mark, equity, episode.share, lots):
        return None
    chance = get_chance(rulebook.adl_rank, rulebook.adl_seed, episode.sequence, id)
    score = get_score(rulebook.adl_rank, held, cost, mark, equity, position.opened, chance)
    return Candidate(score, held, id, get_weight(rulebook.adl_allocation, held, cost, mark, equity))


def get_candidates(state: State, market: Market, size: int, episode: Deleveraging) -> dict[AccountId, Candidate]:
    """Every account that ranks. One scan of the accounts, as ``sharing.get_weights`` is one; the kernel has no other.

    Nothing is carried from one account to the next: what is proven of any one is proven of all.
    """
    found = (get_candidate(state, market, size, episode, id, account) for id, account in state.accounts.items())
    return {candidate.id: candidate for candidate in found if candidate is not None}


class Certificate(NamedTuple):
    """What the scan says of an episode: whether its queue is right, and the remainder of its level."""

    is_ranked: bool
    remainder: int


def is_ranked(queue: tuple[AccountId, ...], candidates: Mapping[AccountId, Candidate]) -> bool:
    """Whether a queue is every eligible counterparty, each ahead of the next.

    Strict order rules out a duplicate, so equal counts mean that nobody is missing.
    """
    queued = [candidates[id] for id in queue if id in candidates]
    if not len(queued) == len(queue) == len(candidates):
        return False
    return all(is_ahead(first, second) for first, second in pairwise(queued))


def certify(state: State, market: Market, size: int, episode: Deleveraging) -> Certificate:
    """Judge the queue and the level of an episode against a position of ``size``."""
    candidates = get_candidates(state, market, size, episode)
    held = [Held(candidates[id].size, candidates[id].weight) for id in candidates]
    remainder = get_remainder(state.rulebook.adl_allocation, episode, held)
    return Certificate(is_ranked(episode.queue, candidates), remainder)
