"""Deposits, withdrawals, and money for the insurance fund."""

from __future__ import annotations

from riskcore import events
from riskcore.journal import Reason, Reserve
from riskcore.rules import Rule
from specs.case import Case
from specs.contract import Contract, Effect, header_guard, pay

DEPOSIT = Contract(
    event=events.Deposit,
    guard=lambda case: {**header_guard(case), Rule.AMOUNT_NOT_POSITIVE: case.event.amount > 0},
    effect=lambda case: Effect(
        accounts=(
            (case.event.account, {"balance": case.before.account(case.event.account).balance + case.event.amount}),
        ),
        reserves={"outside": case.before.reserves.outside - case.event.amount},
        lines=(pay(Reserve.OUTSIDE, case.event.account, case.event.amount, Reason.DEPOSIT),),
    ),
)

FUND_INSURANCE = Contract(
    event=events.FundInsurance,
    guard=lambda case: {**header_guard(case), Rule.AMOUNT_NOT_POSITIVE: case.event.amount > 0},
    effect=lambda case: Effect(
        reserves={
            "outside": case.before.reserves.outside - case.event.amount,
            "insurance": case.before.reserves.insurance + case.event.amount,
        },
        lines=(pay(Reserve.OUTSIDE, Reserve.INSURANCE, case.event.amount, Reason.DEPOSIT),),
    ),
)


def _withdraw_guard(case: Case) -> dict[Rule, object]:
    account = case.before.account(case.event.account)
    return {
        **header_guard(case),
        Rule.AMOUNT_NOT_POSITIVE: case.event.amount > 0,
        Rule.POOL_EXHAUSTED: case.before.reserves.outside + case.event.amount <= 0,
        Rule.VAULT_HAS_HOLDERS: (case.event.account != case.rulebook.vault)
        | (case.before.stake(case.rulebook.vault).shares == case.before.vault_shares),
        Rule.BELOW_INITIAL_MARGIN: account.equity >= account.initial + case.event.amount,
    }


WITHDRAW = Contract(
    event=events.Withdraw,
    guard=_withdraw_guard,
    effect=lambda case: Effect(
        accounts=(
            (case.event.account, {"balance": case.before.account(case.event.account).balance - case.event.amount}),
        ),
        reserves={"outside": case.before.reserves.outside + case.event.amount},
        lines=(pay(case.event.account, Reserve.OUTSIDE, case.event.amount, Reason.WITHDRAWAL),),
    ),
)

CONTRACTS = (DEPOSIT, WITHDRAW, FUND_INSURANCE)
