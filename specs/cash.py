"""Deposits, withdrawals, transfers, and money for the insurance fund."""

from __future__ import annotations

from typing import Any

from riskcore import events
from riskcore.journal import Reason, Reserve
from riskcore.rules import Rule
from specs.arithmetic import ceiling_ratio, either, every, implies, negate, smaller
from specs.case import Case
from specs.contract import Contract, Effect, header_guard, pay
from specs.markets import open_market
from specs.outflow import may_leave, outflow_after


def _outflow(case: Case, amount: Any) -> dict[str, Any]:
    """The outflow after so many atoms have left the pool."""
    return outflow_after(case.rulebook, case.before.outflow, amount, case.event.timestamp)


DEPOSIT = Contract(
    event=events.Deposit,
    guard=lambda case: {**header_guard(case), Rule.AMOUNT_NOT_POSITIVE: case.event.amount > 0},
    effect=lambda case: Effect(
        accounts=(
            (case.event.account, {"balance": case.before.account(case.event.account).balance + case.event.amount}),
        ),
        reserves={"outside": case.before.reserves.outside - case.event.amount},
        lines=(pay(Reserve.OUTSIDE, case.event.account, case.event.amount, Reason.DEPOSIT),),
        outflow=_outflow(case, -case.event.amount),
    ),
)


def _fund_guard(case: Case) -> dict[Rule, Any]:
    rules = {**header_guard(case), Rule.AMOUNT_NOT_POSITIVE: case.event.amount > 0}
    if case.event.market is None:
        return rules
    rules |= open_market(case)
    market = case.before.market
    return rules if market is None else {**rules, Rule.INSURANCE_NOT_SEPARATE: market.rules.insurance_separate}


def _fund_effect(case: Case) -> Effect:
    before, amount = case.before, case.event.amount
    is_shared = case.event.market is None
    return Effect(
        reserves={
            "outside": before.reserves.outside - amount,
            "insurance": before.reserves.insurance + amount,
        },
        market={} if is_shared else {"insurance": before.market.insurance + amount},
        separate_insurance=None if is_shared else before.separate_insurance + amount,
        lines=(pay(Reserve.OUTSIDE, Reserve.INSURANCE, amount, Reason.DEPOSIT),),
    )


FUND_INSURANCE = Contract(event=events.FundInsurance, guard=_fund_guard, effect=_fund_effect)


REPAY_LOSS = Contract(
    event=events.RepayLoss,
    guard=lambda case: {
        **header_guard(case),
        Rule.AMOUNT_NOT_POSITIVE: case.event.amount > 0,
        Rule.NOT_UNCOVERED: case.before.reserves.uncovered + case.event.amount <= 0,
    },
    effect=lambda case: Effect(
        reserves={
            "outside": case.before.reserves.outside - case.event.amount,
            "uncovered": case.before.reserves.uncovered + case.event.amount,
        },
        lines=(pay(Reserve.OUTSIDE, Reserve.UNCOVERED, case.event.amount, Reason.REPAYMENT),),
    ),
)


def haircut(case: Case) -> Any:
    """What stays behind of a withdrawal: the uncovered loss over all equity and escrow, of the amount, rounded up."""
    reserves = case.before.reserves
    loss = 0 - reserves.uncovered
    equities = loss - reserves.outside - reserves.insurance - reserves.fees
    is_cut = every(case.rulebook.withdrawals_are_cut, loss > 0, equities > loss)
    return either(is_cut, smaller(ceiling_ratio(case.event.amount * loss, either(is_cut, equities, 1)), loss), 0)


def is_bankrupt(case: Case) -> Any:
    """Whether the pool holds nothing that is the accounts'."""
    reserves = case.before.reserves
    return 0 - reserves.outside - reserves.insurance - reserves.fees <= 0


def may_pay(case: Case, id: Any) -> Any:
    """Whether an account is not the vault, or the vault holds all of its shares itself."""
    vault = case.rulebook.vault
    return (id != vault) | (case.before.stake(vault).shares == case.before.vault_shares)


def _withdraw_guard(case: Case) -> dict[Rule, Any]:
    event, reserves, rulebook = case.event, case.before.reserves, case.rulebook
    account = case.before.account(event.account)
    is_cut = rulebook.withdrawals_are_cut & (reserves.uncovered < 0)
    return {
        **header_guard(case),
        Rule.AMOUNT_NOT_POSITIVE: event.amount > 0,
        Rule.LOSS_UNCOVERED: implies(rulebook.withdrawals_wait, reserves.uncovered == 0),
        Rule.POOL_EXHAUSTED: implies(is_cut, negate(is_bankrupt(case)))
        & (reserves.outside + event.amount - haircut(case) <= 0),
        Rule.WITHDRAWAL_LIMIT: may_leave(rulebook, case.before.outflow, event.amount - haircut(case), event.timestamp),
        Rule.VAULT_HAS_HOLDERS: may_pay(case, event.account),
        Rule.MARK_STALE: account.marks_are_fresh(event.timestamp),
        Rule.BELOW_INITIAL_MARGIN: account.equity >= account.initial + event.amount,
    }


def _withdraw_effect(case: Case) -> Effect:
    event, reserves = case.event, case.before.reserves
    kept = haircut(case)
    return Effect(
        accounts=((event.account, {"balance": case.before.account(event.account).balance - event.amount}),),
        reserves={"outside": reserves.outside + event.amount - kept, "uncovered": reserves.uncovered + kept},
        lines=(
            pay(event.account, Reserve.UNCOVERED, kept, Reason.HAIRCUT),
            pay(event.account, Reserve.OUTSIDE, event.amount - kept, Reason.WITHDRAWAL),
        ),
        outflow=_outflow(case, event.amount - kept),
    )


WITHDRAW = Contract(event=events.Withdraw, guard=_withdraw_guard, effect=_withdraw_effect)


def _transfer_guard(case: Case) -> dict[Rule, Any]:
    event, payer = case.event, case.before.account(case.event.payer)
    return {
        **header_guard(case),
        Rule.AMOUNT_NOT_POSITIVE: event.amount > 0,
        Rule.SELF_TRANSFER: event.payer != event.payee,
        Rule.VAULT_HAS_HOLDERS: may_pay(case, event.payer),
        Rule.MARK_STALE: payer.marks_are_fresh(event.timestamp),
        Rule.BELOW_INITIAL_MARGIN: payer.equity >= payer.initial + event.amount,
    }


TRANSFER = Contract(
    event=events.Transfer,
    guard=_transfer_guard,
    effect=lambda case: Effect(
        accounts=(
            (case.event.payer, {"balance": case.before.account(case.event.payer).balance - case.event.amount}),
            (case.event.payee, {"balance": case.before.account(case.event.payee).balance + case.event.amount}),
        ),
        lines=(pay(case.event.payer, case.event.payee, case.event.amount, Reason.TRANSFER),),
    ),
)

CONTRACTS = (DEPOSIT, WITHDRAW, TRANSFER, FUND_INSURANCE, REPAY_LOSS)
