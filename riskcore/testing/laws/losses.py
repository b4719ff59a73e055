"""Losses that are booked, repaid or shared out, and who can withdraw."""

from __future__ import annotations

from fractions import Fraction

from riskcore import events
from riskcore.choices import LossSharing
from riskcore.journal import Reason
from riskcore.step import step
from riskcore.testing.desk import Passage
from riskcore.testing.laws.passages import get_member, get_paid_for, get_sharing
from riskcore.testing.naive.venue import Venue
from riskcore.testing.naive.views import View


def loss_1(passage: Passage) -> bool:
    """Repaying lowers the loss, sharing it, or a withdrawal that is cut, by the loss's part and under an atom more."""
    event, before, after = passage.event, passage.before, passage.after
    loss, loss_after = (-view.reserves["uncovered"] for view in (before, after))
    if isinstance(event, events.RepayLoss) and passage.rejected is None:
        assert 0 <= loss_after == loss - event.amount
        assert before.accounts == after.accounts
        return True
    if isinstance(event, events.BeginLossSharing | events.ShareLoss) and passage.rejected is None:
        assert 0 <= loss_after <= loss
        worth, worth_after = (sum(view.get_equity(id) for id in view.accounts) for view in (before, after))
        paid = get_paid_for(passage, Reason.COVER)
        assert loss - loss_after == paid + worth - worth_after
        return True
    if not isinstance(event, events.Withdraw) or passage.rejected is not None:
        assert loss_after >= loss
        return False
    cut = loss - loss_after
    if loss == 0 or not before.rulebook.withdrawals_are_cut:
        assert cut == 0
        return False
    equities, equities_after = (
        view.reserves["escrow"] + sum(view.get_equity(id) for id in view.accounts) for view in (before, after)
    )

    assert 0 <= cut - Fraction(loss, equities) * event.amount < 1 or cut == loss
    assert equities_after == equities - event.amount
    # who is paid more than all accounts are worth together leaves the others in debt, and no loss to share
    assert loss_after * equities <= loss * equities_after or (equities_after < 0 and loss_after == 0)
    assert before.get_account(event.account).balance - event.amount == after.get_account(event.account).balance
    return True


def weigh(view: View, account: str, market: str) -> int:
    """Profit at mark or lots of who has equity, as the rulebook's word says."""
    position = view.get_account(account).positions.get(market)
    if position is None or view.get_equity(account) <= 0:
        return 0
    if view.rulebook.loss_sharing is LossSharing.CONTRACTS:
        return abs(position.size)
    return max(0, position.size * view.markets[market].mark - position.cost)


def loss_2(passage: Passage) -> bool:
    """Who shares a loss pays its weight's part to within an atom, or all its equity."""
    if not isinstance(passage.event, events.ShareLoss) or passage.rejected is not None:
        assert get_paid_for(passage, Reason.LOSS_SHARE) == 0
        return False
    before, after = passage.before, passage.after
    sharing, member = get_sharing(before), get_member(before)
    part = Fraction(weigh(before, member, sharing.market), sharing.weight) * sharing.amount
    equity, paid = before.get_equity(member), get_paid_for(passage, Reason.LOSS_SHARE)

    assert equity - after.get_equity(member) == paid < part + 1
    assert paid > part - 1 or after.get_equity(member) == 0
    assert after.get_equity(member) >= 0
    return True


def loss_3(passage: Passage) -> bool:
    """A sharing that is over has been paid for, or leaves members at nothing."""
    if passage.rejected is not None or passage.before.sharing is None or passage.after.sharing is not None:
        return False
    sharing, after = passage.before.sharing, passage.after
    opened = passage.shared
    assert opened is not None
    paid = sum(opened.get_equity(id) - after.get_equity(id) for id in sharing.members)

    assert 0 < paid <= sharing.amount
    assert after.reserves["uncovered"] - opened.reserves["uncovered"] == paid
    assert paid == sharing.amount or any(after.get_equity(id) == 0 for id in sharing.members)
    return True


def loss_4(passage: Passage) -> bool:
    """Everyone with weight is a member, once, in the order of ids."""
    if not isinstance(passage.event, events.BeginLossSharing) or passage.rejected is not None:
        return False
    market, view = passage.event.market, passage.before
    weights = {account: weigh(view, account, market) for account in view.accounts}

    assert sorted(account for account, own in weights.items() if own) == list(passage.event.members)
    if passage.after.sharing is not None:
        assert sum(weights.values()) == passage.after.sharing.weight
    return True


def live_2(passage: Passage) -> bool:
    """Where nobody is in deficit and nothing is uncovered, a flat account can withdraw everything."""
    after = passage.after
    in_deficit = any(after.get_equity(account) < 0 for account in after.accounts)
    if (after.episode, after.sharing) != (None, None) or in_deficit or after.reserves["uncovered"] < 0:
        return False
    way_out = Venue.read(after).get_way_out(after.time)
    vault = after.rulebook.vault
    held = {vault} if after.vault_shares != after.get_stake(vault).shares else set()
    flat = [
        id
        for id, view in after.accounts.items()
        if not view.positions and not view.resting and view.balance > 0 and id not in held
    ]
    for account in flat:
        if way_out is not None and after.accounts[account].balance > way_out:
            continue
        head = ("all", after.sequence + 1, after.time)
        everything = events.Withdraw(*head, account, after.accounts[account].balance)  # type: ignore[arg-type]
        assert step(passage.new, everything).rejected is None
    return bool(flat)
