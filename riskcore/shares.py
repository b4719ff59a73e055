"""The vault's shares: who owns the equity of the account that takes positions over.

Cash comes in and goes out at the vault's equity at mark, a fraction of a share or of
an atom in favour of those who stay. Both ways take a notice, so that no money joins
for a takeover that it sees coming or leaves before a loss, and a request lapses soon
after it: one that stood for ever would make the notice a formality.

Shares are no margin, and waiting cash is none: both are off the account's equity.
"""

from __future__ import annotations

from riskcore.cash import require_spare
from riskcore.events import (
    CancelVaultDeposit,
    ExecuteVaultDeposit,
    ExecuteVaultRedemption,
    RequestVaultDeposit,
    RequestVaultRedemption,
)
from riskcore.journal import Journal, Reason, Stage
from riskcore.margin import get_margin
from riskcore.markets import require_fresh
from riskcore.quantities import Time, divide_down, divide_up
from riskcore.rules import Rule, require
from riskcore.state import State


def has_lapsed(state: State, asked: Time, notice: Time, now: Time) -> bool:
    """Whether a request of the time ``asked`` can no longer be carried out."""
    return now > asked + notice + state.rulebook.vault_request_window


def require_due(state: State, asked: Time, notice: Time, now: Time) -> None:
    """The guard of carrying a request out: after its notice, and before it lapses."""
    require(now >= asked + notice, Rule.VAULT_NOTICE_RUNS)
    require(not has_lapsed(state, asked, notice, now), Rule.VAULT_REQUEST_LAPSED)


def process_request_vault_deposit(state: State, event: RequestVaultDeposit) -> Journal:
    # Guard
    rulebook = state.rulebook
    require(event.account != rulebook.vault, Rule.VAULT_ITSELF)
    require(event.amount >= rulebook.vault_deposit_minimum, Rule.VAULT_DEPOSIT_TOO_SMALL)
    journal = Journal(state)
    account, holder = journal.account(event.account), journal.holder(event.account)
    require(holder.stake.deposit == 0, Rule.VAULT_DEPOSIT_WAITING)
    require_spare(state, account, event.amount, event.timestamp)
    # Effect
    journal.set_aside(account, holder, event.amount, event.timestamp)
    return journal


def process_execute_vault_deposit(state: State, event: ExecuteVaultDeposit) -> Journal:
    """Where there are no shares yet, equity that the vault has is the house's: shares of its own, one per atom."""
    # Guard
    rulebook, total = state.rulebook, state.vault_shares
    require(event.account != rulebook.vault, Rule.VAULT_ITSELF)
    journal = Journal(state)
    account, holder = journal.account(event.account), journal.holder(event.account)
    require(holder.stake.deposit > 0, Rule.NO_VAULT_DEPOSIT)
    require_due(state, holder.stake.deposit_time, rulebook.vault_deposit_notice, event.timestamp)
    vault = journal.account(rulebook.vault)
    require_fresh(state, vault.positions, event.timestamp)
    equity = get_margin(vault, state.markets).equity
    require((equity > 0) | ((equity == 0) & (total == 0)), Rule.VAULT_WORTHLESS)
    shares: int = holder.stake.deposit
    paid = shares
    if total > 0:
        # whole shares for what they are worth, rounded up: the fraction of a share goes back
        shares = divide_down(holder.stake.deposit * total, equity)
        paid = divide_up(shares * equity, total)
        require(shares > 0, Rule.VAULT_SHARE_TOO_DEAR)
    # Effect
    if total == 0:
        journal.issue(journal.holder(rulebook.vault), equity)
    journal.issue(holder, shares)
    journal.release(holder, vault, paid, account)
    return journal


def process_cancel_vault_deposit(state: State, event: CancelVaultDeposit) -> Journal:
    """Only once it has lapsed: whoever could call a deposit back before would wait to see whether it pays."""
    # Guard
    journal = Journal(state)
    account, holder = journal.account(event.account), journal.holder(event.account)
    require(holder.stake.deposit > 0, Rule.NO_VAULT_DEPOSIT)
    is_over = has_lapsed(state, holder.stake.deposit_time, state.rulebook.vault_deposit_notice, event.timestamp)
    require(is_over, Rule.VAULT_REQUEST_STANDS)
    # Effect
    journal.release(holder, account, 0, account)
    return journal


def process_request_vault_redemption(state: State, event: RequestVaultRedemption) -> Journal:
    # Guard
    rulebook = state.rulebook
    require(event.account != rulebook.vault, Rule.VAULT_ITSELF)
    require(event.shares > 0, Rule.AMOUNT_NOT_POSITIVE)
    journal = Journal(state)
    holder = journal.holder(event.account)
    is_over = has_lapsed(state, holder.stake.redemption_time, rulebook.vault_redemption_notice, event.timestamp)
    require((holder.stake.redemption == 0) | is_over, Rule.VAULT_REDEMPTION_WAITING)
    require(event.shares <= holder.stake.shares, Rule.VAULT_SHARES_EXCEEDED)
    # Effect
    journal.ask(holder, event.shares, event.timestamp)
    return journal


def process_execute_vault_redemption(state: State, event: ExecuteVaultRedemption) -> Journal:
    # Guard
    rulebook, total = state.rulebook, state.vault_shares
    require(event.account != rulebook.vault, Rule.VAULT_ITSELF)
    journal = Journal(state)
    account, holder = journal.account(event.account), journal.holder(event.account)
    shares = holder.stake.redemption
    require(shares > 0, Rule.NO_VAULT_REDEMPTION)
    require_due(state, holder.stake.redemption_time, rulebook.vault_redemption_notice, event.timestamp)
    vault = journal.account(rulebook.vault)
    require_fresh(state, vault.positions, event.timestamp)
    margin = get_margin(vault, state.markets)
    require(margin.equity > 0, Rule.VAULT_WORTHLESS)
    paid = divide_down(shares * margin.equity, total)
    require(margin.equity - paid >= margin.initial, Rule.VAULT_CAPITAL_IN_USE)
    # Effect
    journal.ask(holder, 0, Time(0))
    journal.issue(holder, -shares)
    journal.pay(vault, account, paid, Reason.VAULT_REDEMPTION, Stage.ORDINARY)
    return journal
