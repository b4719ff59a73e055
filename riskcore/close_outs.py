"""Why an account was deleveraged, and what that cost it: read off the state before a step and the step's effects.

A tool, not the kernel: the place in the queue and the score behind it are those that the kernel certified when
the queue was opened. All figures are exact.
"""

from __future__ import annotations

from fractions import Fraction

from attrs import field, frozen

from riskcore.allocation import get_exact_part, get_weight
from riskcore.choices import Allocation, RankPolicy
from riskcore.journal import Reason, Stage, Trade
from riskcore.margin import get_margin
from riskcore.markets import get_market
from riskcore.quantities import AccountId, Atoms, Lots, MarketId
from riskcore.ranking import get_chance, get_score
from riskcore.state import State
from riskcore.step import Outcome

#: Lights that venues show their users: each stands for as large a part of the contracts in the queue.
LIGHTS = 5


@frozen
class Standing:
    """Where the head of an open queue stands.

    ``place``: the first is 1, ``of`` how many. ``score``: its rank under ``policy``, higher ones first.
    ``mark_price``: of the market, at which the queue was certified. ``allocation``: how its lots are parted, and
    ``part``: its exact lots of them; in a queue, all that it has.
    """

    account: AccountId
    counterparty: AccountId
    market: MarketId
    policy: RankPolicy
    place: int
    of: int
    score: Fraction
    mark_price: Atoms
    allocation: Allocation
    part: Fraction


@frozen
class CloseOutStep:
    """One step of a deleveraging, as its counterparty sees it.

    ``reason``: always a close-out, which is what the effects say. ``price``: atoms per lot, exact. ``forgone``: atoms
    that the counterparty got less than mark; below zero, more. ``overshoot``: what of it is the insurance fund's.
    """

    standing: Standing
    reason: Reason
    lots: Lots
    price: Fraction
    forgone: Atoms
    overshoot: Atoms = field(default=Atoms(0))


def get_standing(state: State) -> Standing | None:
    """The next in the open queue; None where none is open, or nobody is left in it.

    To be asked before the step: a state on mutable tables is used up by it.
    """
    episode = state.deleveraging
    if episode is None or episode.head == len(episode.queue):
        return None
    id, rulebook, market = episode.queue[episode.head], state.rulebook, get_market(state, episode.market)
    account = state.accounts.get(id)
    position = account.positions.get(episode.market)
    chance = get_chance(rulebook.adl_rank, rulebook.adl_seed, episode.sequence, id)
    figures = position.size, position.cost, market.mark_price, get_margin(account, state.markets).equity
    score = get_score(rulebook.adl_rank, *figures, position.opened, chance)
    policy, level = rulebook.adl_allocation, (episode.level_lots, episode.level_weight)
    part = get_exact_part(policy, position.size, get_weight(policy, *figures), *level)
    return Standing(
        account=episode.account,
        counterparty=id,
        market=episode.market,
        policy=rulebook.adl_rank,
        place=episode.head + 1,
        of=len(episode.queue),
        score=Fraction(*score),
        mark_price=Atoms(market.mark_price),
        allocation=policy,
        part=Fraction(part, episode.level_weight),
    )


def get_close_out(standing: Standing | None, outcome: Outcome) -> CloseOutStep | None:
    """What the step did that consumed this head; None where the outcome is of no such step."""
    closes = [line for line in outcome.effects if isinstance(line, Trade) and line.stage is Stage.DELEVERAGING]
    if standing is None or not closes:
        return None
    (close,) = closes
    dearer = close.amount - close.lots * standing.mark_price
    passed_on = sum(line.amount for line in outcome.effects if line.reason is Reason.OVERSHOOT)
    return CloseOutStep(
        standing=standing,
        reason=close.reason,
        lots=close.lots,
        price=Fraction(close.amount, close.lots),
        forgone=Atoms(dearer if close.buyer == standing.counterparty else -dearer),
        overshoot=Atoms(passed_on),
    )


def get_light(lots_until: int, lots: int, lights: int = LIGHTS) -> int:
    """The light, 1 for who goes first, of who has ``lots_until`` of the queue's ``lots`` up to his own last one."""
    return -(-lots_until * lights // lots)
