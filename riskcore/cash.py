"""Cash comes in, moves between accounts, and goes out.

An isolated position is a position in an account of its own: ``Transfer`` moves its
margin in and out, and nothing else that happens to one account touches another.
"""

from __future__ import annotations

from riskcore.domains import has_part
from riskcore.events import Deposit, FundInsurance, RepayLoss, Transfer, Withdraw
from riskcore.journal import Journal, Party, Reason, Reserve, Stage
from riskcore.margin import get_margin
from riskcore.markets import get_open_market, require_fresh
from riskcore.outflow import has_way_out
from riskcore.quantities import divide_up
from riskcore.rules import Rule, require
from riskcore.state import State


def process_deposit(state: State, event: Deposit) -> Journal:
    # Guard
    require(event.amount > 0, Rule.AMOUNT_NOT_POSITIVE)
    # Effect
    journal = Journal(state)
    account = journal.account(event.account)
    journal.pay(journal.reserve(Reserve.OUTSIDE), account, event.amount, Reason.DEPOSIT, Stage.ORDINARY)
    journal.count_outflow(-event.amount, event.timestamp)
    return journal


def process_fund_insurance(state: State, event: FundInsurance) -> Journal:
    # Guard
    require(event.amount > 0, Rule.AMOUNT_NOT_POSITIVE)
    market = None if event.market is None else get_open_market(state, event.market)
    require(market is None or has_part(market), Rule.INSURANCE_NOT_SEPARATE)
    # Effect
    journal = Journal(state, event.market, market)
    outside, insurance = journal.reserve(Reserve.OUTSIDE), journal.reserve(Reserve.INSURANCE)
    journal.pay(outside, insurance, event.amount, Reason.DEPOSIT, Stage.ORDINARY)
    return journal


def process_repay_loss(state: State, event: RepayLoss) -> Journal:
    # Guard
    require(event.amount > 0, Rule.AMOUNT_NOT_POSITIVE)
    require(event.amount <= -state.reserves.uncovered, Rule.NOT_UNCOVERED)
    # Effect
    journal = Journal(state)
    outside, uncovered = journal.reserve(Reserve.OUTSIDE), journal.reserve(Reserve.UNCOVERED)
    journal.pay(outside, uncovered, event.amount, Reason.REPAYMENT, Stage.ORDINARY)
    return journal


def get_pooled(state: State) -> int:
    """Atoms of the pool that are the accounts': all but what insurance and fees have.

    What waits in escrow is theirs too, so that nobody's part of a loss depends on who waits.
    """
    reserves = state.reserves
    return -reserves.outside - reserves.insurance - reserves.fees


def get_haircut(state: State, amount: int) -> int:
    """Atoms of a withdrawal that stay behind for the uncovered loss, rounded up: nothing where nothing is uncovered.

    Its part of the amount is the loss over all accounts' equity. Both fall by the same rate with
    each withdrawal, so who withdraws later loses no more, and no less but for rounding.
    Raises ``Rejected`` where there is less in the pool for all accounts than nothing.
    """
    loss, pooled = -state.reserves.uncovered, get_pooled(state)
    if not state.rulebook.withdrawals_are_cut or loss == 0:
        return 0
    require(pooled > 0, Rule.POOL_EXHAUSTED)
    return min(divide_up(amount * loss, pooled + loss), loss)


def require_spare(state: State, payer: Party, amount: int, time: int) -> None:
    """The guard of cash that leaves an account: by marks that are not stale it stays at initial margin.

    A vault that others hold shares of parts with none at all.
    """
    vault = state.rulebook.vault
    is_all_its_own = state.stakes.get(vault).shares == state.vault_shares
    require((payer.id != vault) | is_all_its_own, Rule.VAULT_HAS_HOLDERS)
    require_fresh(state, payer.positions, time)
    margin = get_margin(payer, state.markets)
    require(margin.equity - amount >= margin.initial, Rule.BELOW_INITIAL_MARGIN)


def process_withdraw(state: State, event: Withdraw) -> Journal:
    # Guard
    require(event.amount > 0, Rule.AMOUNT_NOT_POSITIVE)
    require((not state.rulebook.withdrawals_wait) | (state.reserves.uncovered == 0), Rule.LOSS_UNCOVERED)
    journal = Journal(state)
    account, outside = journal.account(event.account), journal.reserve(Reserve.OUTSIDE)
    haircut = get_haircut(state, event.amount)
    leaving = event.amount - haircut
    require(leaving <= -outside.balance, Rule.POOL_EXHAUSTED)
    require(has_way_out(state.rulebook, state.outflow, leaving, event.timestamp), Rule.WITHDRAWAL_LIMIT)
    require_spare(state, account, event.amount, event.timestamp)
    # Effect
    uncovered = journal.reserve(Reserve.UNCOVERED)
    journal.pay(account, uncovered, haircut, Reason.HAIRCUT, Stage.ORDINARY)
    journal.pay(account, outside, leaving, Reason.WITHDRAWAL, Stage.ORDINARY)
    journal.count_outflow(leaving, event.timestamp)
    return journal


def process_transfer(state: State, event: Transfer) -> Journal:
    # Guard
    require(event.amount > 0, Rule.AMOUNT_NOT_POSITIVE)
    require(event.payer != event.payee, Rule.SELF_TRANSFER)
    journal = Journal(state)
    payer, payee = journal.account(event.payer), journal.account(event.payee)
    require_spare(state, payer, event.amount, event.timestamp)
    # Effect
    journal.pay(payer, payee, event.amount, Reason.TRANSFER, Stage.ORDINARY)
    return journal
