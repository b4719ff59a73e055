"""The very last stage, where a rulebook has it: what is uncovered is shared out among those who hold positions.

All of it at once, after the insurance fund has paid what it can of it. Everyone with weight in the
market is a member; whoever plans lists them, the kernel checks the list once, when it opens, and then
each pays its part in turn. Parts are the differences of rounded-down shares, which telescope to the
whole, and nobody pays more than its equity: what a member cannot pay stays uncovered. While it is open
nothing else is accepted.
"""

from __future__ import annotations

from itertools import pairwise

from riskcore.choices import LossSharing
from riskcore.events import BeginLossSharing, ShareLoss
from riskcore.insurance import get_available
from riskcore.journal import Journal, Reason, Reserve, Stage
from riskcore.margin import get_margin
from riskcore.markets import get_market, is_fresh
from riskcore.quantities import AccountId, Atoms, MarketId, divide_down
from riskcore.rules import Rejected, Rule, require
from riskcore.state import Account, Market, Sharing, State


def get_weight(policy: LossSharing, size: int, cost: int, mark: int, equity: int) -> int:
    """By what a position of ``size`` lots in an account of ``equity`` atoms counts when a loss is shared out.

    ``PROFIT``: its profit at ``mark``, in atoms. ``CONTRACTS``: its lots, of either side.
    Nothing where there is no profit, or no equity to pay from.
    """
    if equity <= 0:
        return 0
    if policy is LossSharing.PROFIT:
        return max(size * mark - cost, 0)
    return abs(size) if policy is LossSharing.CONTRACTS else 0


def get_account_weight(state: State, market_id: MarketId, market: Market, account: Account) -> int:
    """An account's weight in a market, under the state's rulebook."""
    position = account.positions.get(market_id)
    if position.size == 0:
        return 0
    equity = get_margin(account, state.markets).equity
    return get_weight(state.rulebook.loss_sharing, position.size, position.cost, market.mark_price, equity)


def get_weights(state: State, market_id: MarketId, market: Market) -> dict[AccountId, int]:
    """The weight of every account that has any. One scan of the accounts.

    Nothing is carried from one account to the next: what is proven of any one is proven of all.
    """
    weights = ((id, get_account_weight(state, market_id, market, account)) for id, account in state.accounts.items())
    return {id: weight for id, weight in weights if weight > 0}


def get_total_weight(state: State, market_id: MarketId, market: Market, members: tuple[AccountId, ...]) -> int:
    """All members' weight; zero where they are not everyone who has any, each once, in the order of their ids.

    Rising ids rule out a duplicate, so equal counts mean that nobody is missing.
    """
    weights = get_weights(state, market_id, market)
    listed = [weights[id] for id in members if id in weights]
    are_rising = all(first < second for first, second in pairwise(members))
    return sum(listed) if are_rising and len(listed) == len(members) == len(weights) else 0


def get_due(sharing: Sharing, done: int) -> int:
    """Atoms due of the members who have ``done`` of the weight, rounded down."""
    return divide_down(sharing.amount * done, sharing.weight)


def process_begin_loss_sharing(state: State, event: BeginLossSharing) -> Journal:
    # Guard
    market = get_market(state, event.market)
    require(state.rulebook.loss_sharing is not LossSharing.NONE, Rule.LOSS_NOT_SHARED)
    require(market.settling | is_fresh(market, event.timestamp), Rule.MARK_STALE)
    loss = -state.reserves.uncovered
    require(loss > 0, Rule.NOTHING_UNCOVERED)
    weight = get_total_weight(state, event.market, market, event.members)
    require(weight > 0, Rule.MEMBERS_NOT_ALL)
    # Effect: what the fund has again since the loss was booked goes first
    journal = Journal(state)
    covered = min(loss, get_available(state, event.timestamp))
    journal.cover(journal.reserve(Reserve.UNCOVERED), covered, Stage.INSURANCE, event.timestamp)
    if covered < loss:
        journal.sharing = Sharing(event.market, Atoms(loss - covered), weight, 0, event.members, 0)
    return journal


def get_open_sharing(state: State) -> Sharing:
    """The open sharing; ``Rejected`` where there is none."""
    if state.sharing is None:
        raise Rejected(Rule.SHARING_NOT_OPEN)
    return state.sharing


def process_share_loss(state: State, event: ShareLoss) -> Journal:
    # Guard
    sharing = get_open_sharing(state)
    market = get_market(state, sharing.market)
    # Effect
    journal = Journal(state)
    id = sharing.members[sharing.head]
    member, uncovered = journal.account(id), journal.reserve(Reserve.UNCOVERED)
    done = sharing.done + get_account_weight(state, sharing.market, market, state.accounts.get(id))
    due = get_due(sharing, done) - get_due(sharing, sharing.done)
    paid = min(due, max(get_margin(member, state.markets).equity, 0))
    journal.pay(member, uncovered, paid, Reason.LOSS_SHARE, Stage.SHARING)
    is_last = sharing.head + 1 == len(sharing.members)
    journal.sharing = None
    if not is_last:
        moved_on = done, sharing.members, sharing.head + 1
        journal.sharing = Sharing(sharing.market, sharing.amount, sharing.weight, *moved_on)
    return journal
