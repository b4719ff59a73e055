"""Cash comes in and goes out."""

from __future__ import annotations

from riskcore.events import Deposit, FundInsurance, Withdraw
from riskcore.journal import Journal, Reason, Reserve, Stage
from riskcore.margin import get_margin
from riskcore.rules import Rule, require
from riskcore.state import State


def process_deposit(state: State, event: Deposit) -> Journal:
    # Guard
    require(event.amount > 0, Rule.AMOUNT_NOT_POSITIVE)
    # Effect
    journal = Journal(state)
    account = journal.account(event.account)
    journal.pay(journal.reserve(Reserve.OUTSIDE), account, event.amount, Reason.DEPOSIT, Stage.ORDINARY)
    return journal


def process_fund_insurance(state: State, event: FundInsurance) -> Journal:
    # Guard
    require(event.amount > 0, Rule.AMOUNT_NOT_POSITIVE)
    # Effect
    journal = Journal(state)
    outside, insurance = journal.reserve(Reserve.OUTSIDE), journal.reserve(Reserve.INSURANCE)
    journal.pay(outside, insurance, event.amount, Reason.DEPOSIT, Stage.ORDINARY)
    return journal


def process_withdraw(state: State, event: Withdraw) -> Journal:
    # Guard
    require(event.amount > 0, Rule.AMOUNT_NOT_POSITIVE)
    journal = Journal(state)
    account, outside = journal.account(event.account), journal.reserve(Reserve.OUTSIDE)
    require(event.amount <= -outside.balance, Rule.POOL_EXHAUSTED)
    vault = state.rulebook.vault
    is_all_its_own = state.stakes.get(vault).shares == state.vault_shares
    require((event.account != vault) | is_all_its_own, Rule.VAULT_HAS_HOLDERS)
    margin = get_margin(account.balance, account.positions, state.markets)
    require(margin.equity - event.amount >= margin.initial, Rule.BELOW_INITIAL_MARGIN)
    # Effect
    journal.pay(account, outside, event.amount, Reason.WITHDRAWAL, Stage.ORDINARY)
    return journal
