"""The vault's shares."""

from __future__ import annotations

from fractions import Fraction

from riskcore import events
from riskcore.testing.desk import Passage

SHARE_EVENTS = (
    events.RequestVaultDeposit,
    events.ExecuteVaultDeposit,
    events.CancelVaultDeposit,
    events.RequestVaultRedemption,
    events.ExecuteVaultRedemption,
)


def share_1(passage: Passage) -> bool:
    """Shares and escrow are the sums of the stakes, and nobody has less than nothing or promises more than he has."""
    after = passage.after
    assert after.vault_shares == sum(stake.shares for stake in after.stakes.values())
    assert after.reserves["escrow"] == sum(stake.deposit for stake in after.stakes.values())
    for stake in after.stakes.values():
        assert min(stake.shares, stake.deposit, stake.redemption, stake.shares - stake.redemption) >= 0
    return bool(after.stakes)


def vault_2(passage: Passage) -> bool:
    """Nobody's own move lowers what a share of the others is worth, nor costs himself a whole atom."""
    event, before, after = passage.event, passage.before, passage.after
    vault = before.rulebook.vault
    worth, worth_after = before.get_equity(vault), after.get_equity(vault)
    total, total_after = before.vault_shares, after.vault_shares
    if isinstance(event, events.Withdraw) and event.account == vault and passage.rejected is None:
        assert total == before.get_stake(vault).shares
        return True
    if not isinstance(event, SHARE_EVENTS):
        assert total == total_after
        return False
    if passage.rejected is not None or total == total_after:
        return False
    cash = after.get_account(event.account).balance - before.get_account(event.account).balance
    made = after.get_stake(event.account).shares - before.get_stake(event.account).shares
    price = Fraction(worth, total) if total else Fraction(1)
    cost = before.get_stake(event.account).deposit - after.get_stake(event.account).deposit - cash

    assert 0 <= cost - made * price < 1
    if total and total_after:
        assert Fraction(worth_after, total_after) >= price
    if not total:
        assert worth == after.get_stake(vault).shares
    return True


def vault_4(passage: Passage) -> bool:
    """Money joins or leaves within the window behind its notice; a deposit comes back only after it."""
    event, before = passage.event, passage.before
    rulebook = before.rulebook
    if passage.rejected is not None or not isinstance(event, SHARE_EVENTS):
        return False
    stake = before.get_stake(event.account)
    if isinstance(event, events.ExecuteVaultDeposit | events.CancelVaultDeposit):
        since = event.timestamp - stake.deposit_time - rulebook.vault_deposit_notice
        assert stake.deposit >= rulebook.vault_deposit_minimum
        assert (since > rulebook.vault_request_window) == isinstance(event, events.CancelVaultDeposit)
        assert since >= 0
        assert passage.after.get_stake(event.account).deposit == 0
    if isinstance(event, events.ExecuteVaultRedemption):
        since = event.timestamp - stake.redemption_time - rulebook.vault_redemption_notice
        assert 0 <= since <= rulebook.vault_request_window
        assert stake.redemption == before.vault_shares - passage.after.vault_shares > 0
    return True
