"""Who owns the vault: shares add up, nobody's move costs the others, and no money jumps the notice."""

from __future__ import annotations

from typing import Any

from riskcore import events
from specs.arithmetic import every, implies
from specs.case import Case
from specs.invariant import shares_and_escrow_add_up, stake_is_possible
from specs.laws.law import ALL_EVENTS, Law
from specs.shares import lapses_at

#: The events that are about an account's part in the vault.
SHARE_EVENTS = frozenset(
    {
        events.RequestVaultDeposit,
        events.ExecuteVaultDeposit,
        events.CancelVaultDeposit,
        events.RequestVaultRedemption,
        events.ExecuteVaultRedemption,
    }
)


def _shares_add_up(case: Case) -> Any:
    after = case.after
    return every(shares_and_escrow_add_up(after), *(stake_is_possible(after.stake(id)) for id in case.holders))


def _others_keep_their_worth(case: Case) -> Any:
    """Value per share before and after, cross-multiplied, and what the move costs whoever makes it."""
    event, before, vault = case.event, case.before, case.rulebook.vault
    worth, total = before.account(vault).equity, before.vault_shares
    gained = case.after.account(vault).equity - worth
    if isinstance(event, events.Withdraw | events.Transfer):
        return implies(before.stake(vault).shares != total, gained >= 0)
    own = event.account
    made = case.after.stake(own).shares - before.stake(own).shares
    if isinstance(event, events.ExecuteVaultRedemption):
        paid, burned = -gained, -made
        return every(
            paid * total <= burned * worth,
            (paid + 1) * total > burned * worth,
            worth - paid >= before.account(vault).initial,
            _only_move(case, (own,)),
        )
    if total == 0:
        return every(
            case.after.stake(vault).shares == worth,
            made == before.stake(own).deposit,
            gained == made,
            _only_move(case, (own, vault)),
        )
    rest = before.stake(own).deposit - gained
    return every(
        gained * total >= made * worth,
        (gained - 1) * total < made * worth,
        rest >= 0,
        rest * total < worth,
        _only_move(case, (own,)),
    )


def _only_move(case: Case, ids: tuple[Any, ...]) -> Any:
    """Whether nobody's shares changed but theirs, and the total by what theirs did."""
    before, after = case.before, case.after
    moved = [after.stake(id).shares - before.stake(id).shares for id in ids]
    others = [every(*(id != known for known in ids)) for id in case.holders]
    kept = [after.stake(id).shares == before.stake(id).shares for id in case.holders]
    return every(
        after.vault_shares - before.vault_shares == sum(moved, start=0),
        *(implies(is_other, is_kept) for is_other, is_kept in zip(others, kept, strict=True)),
    )


def _no_shares_move(case: Case) -> Any:
    return _only_move(case, ())


def _requests_take_their_notice(case: Case) -> Any:
    """Money that joins or leaves was announced a notice ago, and no longer ago than a window more."""
    event, rulebook, now = case.event, case.rulebook, case.event.timestamp
    before, after = case.before.stake(event.account), case.after.stake(event.account)
    deposit_lapses = lapses_at(case, before.deposit_time, rulebook.vault_deposit_notice)
    redemption_lapses = lapses_at(case, before.redemption_time, rulebook.vault_redemption_notice)
    if isinstance(event, events.RequestVaultDeposit):
        return every(
            before.deposit == 0,
            after.deposit == event.amount,
            event.amount >= rulebook.vault_deposit_minimum,
            after.deposit_time == now,
        )
    if isinstance(event, events.ExecuteVaultDeposit):
        return every(
            before.deposit_time + rulebook.vault_deposit_notice <= now,
            now <= deposit_lapses,
            before.deposit > 0,
            after.deposit == 0,
        )
    if isinstance(event, events.CancelVaultDeposit):
        return every(now > deposit_lapses, before.deposit > 0, after.deposit == 0)
    if isinstance(event, events.RequestVaultRedemption):
        return every(
            (before.redemption == 0) | (now > redemption_lapses),
            after.redemption == event.shares,
            after.redemption_time == now,
        )
    return every(
        before.redemption_time + rulebook.vault_redemption_notice <= now,
        now <= redemption_lapses,
        before.shares - after.shares == before.redemption,
        after.redemption == 0,
    )


def _no_stake_is_touched(case: Case) -> Any:
    return every(
        len(case.holders) == 0,
        case.after.vault_shares == case.before.vault_shares,
        case.after.reserves.escrow == case.before.reserves.escrow,
    )


LAWS = (
    Law(
        "SHARE-1",
        "the vault's shares are the sum of the stakes, escrow that of the waiting deposits, and none is negative",
        ALL_EVENTS,
        _shares_add_up,
        _shares_add_up,
    ),
    Law(
        "VAULT-2",
        "a deposit, a redemption or cash that the vault pays out leaves the others' value per share no lower, "
        "and costs who acts less than an atom",
        frozenset({events.ExecuteVaultDeposit, events.ExecuteVaultRedemption, events.Withdraw, events.Transfer}),
        _others_keep_their_worth,
        _no_shares_move,
    ),
    Law(
        "VAULT-4",
        "money joins or leaves the vault after its notice and before it lapses, whole, and comes back only after",
        SHARE_EVENTS,
        _requests_take_their_notice,
        _no_stake_is_touched,
    ),
)
