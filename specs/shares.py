"""The vault's shares: asked for, and after a notice bought and paid out at the vault's equity at mark."""

from __future__ import annotations

from typing import Any

from riskcore import events
from riskcore.journal import Reason, Reserve
from riskcore.rules import Rule
from specs.arithmetic import ceiling_ratio, every, floor_ratio
from specs.case import Case
from specs.contract import Contract, Effect, header_guard, pay


def lapses_at(case: Case, asked: Any, notice: Any) -> Any:
    """The last time at which a request can be carried out."""
    return asked + notice + case.rulebook.vault_request_window


def due_guard(case: Case, asked: Any, notice: Any) -> dict[Rule, Any]:
    now = case.event.timestamp
    return {
        Rule.VAULT_NOTICE_RUNS: now >= asked + notice,
        Rule.VAULT_REQUEST_LAPSED: now <= lapses_at(case, asked, notice),
    }


def itself_guard(case: Case) -> dict[Rule, Any]:
    return {Rule.VAULT_ITSELF: case.event.account != case.rulebook.vault}


# Deposits


def _request_deposit_guard(case: Case) -> dict[Rule, Any]:
    event, account = case.event, case.before.account(case.event.account)
    return {
        **header_guard(case),
        **itself_guard(case),
        Rule.VAULT_DEPOSIT_TOO_SMALL: event.amount >= case.rulebook.vault_deposit_minimum,
        Rule.VAULT_DEPOSIT_WAITING: case.before.stake(event.account).deposit == 0,
        Rule.MARK_STALE: account.marks_are_fresh(event.timestamp),
        Rule.BELOW_INITIAL_MARGIN: account.equity >= account.initial + event.amount,
    }


def _request_deposit_effect(case: Case) -> Effect:
    event, before = case.event, case.before
    return Effect(
        accounts=((event.account, {"balance": before.account(event.account).balance - event.amount}),),
        reserves={"escrow": before.reserves.escrow + event.amount},
        stakes=((event.account, {"deposit": event.amount, "deposit_time": event.timestamp}),),
        lines=(pay(event.account, Reserve.ESCROW, event.amount, Reason.VAULT_REQUEST),),
    )


def bought(case: Case) -> tuple[Any, Any]:
    """The shares that the waiting deposit buys, rounded down, and their price in atoms, rounded up.

    At the vault's equity per share; where there are no shares yet, an atom each.
    """
    before = case.before
    amount, total = before.stake(case.event.account).deposit, before.vault_shares
    if total == 0:
        return amount, amount
    equity = before.account(case.rulebook.vault).equity
    shares = floor_ratio(amount * total, equity)
    return shares, ceiling_ratio(shares * equity, total)


def _execute_deposit_guard(case: Case) -> dict[Rule, Any]:
    before = case.before
    stake, vault = before.stake(case.event.account), before.account(case.rulebook.vault)
    is_new = every(vault.equity == 0, before.vault_shares == 0)
    rules = {
        **header_guard(case),
        **itself_guard(case),
        Rule.NO_VAULT_DEPOSIT: stake.deposit > 0,
        **due_guard(case, stake.deposit_time, case.rulebook.vault_deposit_notice),
        Rule.MARK_STALE: vault.marks_are_fresh(case.event.timestamp),
        Rule.VAULT_WORTHLESS: (vault.equity > 0) | is_new,
    }
    if case.rejected in rules:
        return rules
    return {**rules, Rule.VAULT_SHARE_TOO_DEAR: bought(case)[0] > 0}


def _execute_deposit_effect(case: Case) -> Effect:
    before, account, vault = case.before, case.event.account, case.rulebook.vault
    stake, total = before.stake(account), before.vault_shares
    shares, price = bought(case)
    rest = stake.deposit - price
    stakes: tuple[Any, ...] = ((account, {"shares": stake.shares + shares, "deposit": 0, "deposit_time": 0}),)
    house: Any = 0
    if total == 0:
        house = before.account(vault).equity
        stakes = (*stakes, (vault, {"shares": before.stake(vault).shares + house}))
    return Effect(
        accounts=(
            (account, {"balance": before.account(account).balance + rest}),
            (vault, {"balance": before.account(vault).balance + price}),
        ),
        reserves={"escrow": before.reserves.escrow - stake.deposit},
        stakes=stakes,
        vault_shares=total + shares + house,
        lines=(
            pay(Reserve.ESCROW, vault, price, Reason.VAULT_DEPOSIT),
            pay(Reserve.ESCROW, account, rest, Reason.VAULT_RETURN),
        ),
    )


def _cancel_deposit_guard(case: Case) -> dict[Rule, Any]:
    stake = case.before.stake(case.event.account)
    last = lapses_at(case, stake.deposit_time, case.rulebook.vault_deposit_notice)
    return {
        **header_guard(case),
        Rule.NO_VAULT_DEPOSIT: stake.deposit > 0,
        Rule.VAULT_REQUEST_STANDS: case.event.timestamp > last,
    }


def _cancel_deposit_effect(case: Case) -> Effect:
    before, account = case.before, case.event.account
    amount = before.stake(account).deposit
    return Effect(
        accounts=((account, {"balance": before.account(account).balance + amount}),),
        reserves={"escrow": before.reserves.escrow - amount},
        stakes=((account, {"deposit": 0, "deposit_time": 0}),),
        lines=(
            pay(Reserve.ESCROW, account, 0, Reason.VAULT_DEPOSIT),
            pay(Reserve.ESCROW, account, amount, Reason.VAULT_RETURN),
        ),
    )


# Redemptions


def _request_redemption_guard(case: Case) -> dict[Rule, Any]:
    event, stake = case.event, case.before.stake(case.event.account)
    last = lapses_at(case, stake.redemption_time, case.rulebook.vault_redemption_notice)
    return {
        **header_guard(case),
        **itself_guard(case),
        Rule.AMOUNT_NOT_POSITIVE: event.shares > 0,
        Rule.VAULT_REDEMPTION_WAITING: (stake.redemption == 0) | (event.timestamp > last),
        Rule.VAULT_SHARES_EXCEEDED: event.shares <= stake.shares,
    }


def _request_redemption_effect(case: Case) -> Effect:
    event = case.event
    return Effect(stakes=((event.account, {"redemption": event.shares, "redemption_time": event.timestamp}),))


def paid_out(case: Case) -> Any:
    """Atoms that the waiting shares are worth at the vault's equity per share, rounded down."""
    before = case.before
    equity = before.account(case.rulebook.vault).equity
    return floor_ratio(before.stake(case.event.account).redemption * equity, before.vault_shares)


def _execute_redemption_guard(case: Case) -> dict[Rule, Any]:
    before = case.before
    stake, vault = before.stake(case.event.account), before.account(case.rulebook.vault)
    rules = {
        **header_guard(case),
        **itself_guard(case),
        Rule.NO_VAULT_REDEMPTION: stake.redemption > 0,
        **due_guard(case, stake.redemption_time, case.rulebook.vault_redemption_notice),
        Rule.MARK_STALE: vault.marks_are_fresh(case.event.timestamp),
        Rule.VAULT_WORTHLESS: vault.equity > 0,
    }
    if case.rejected in rules:
        return rules
    return {**rules, Rule.VAULT_CAPITAL_IN_USE: vault.equity >= vault.initial + paid_out(case)}


def _execute_redemption_effect(case: Case) -> Effect:
    before, account, vault = case.before, case.event.account, case.rulebook.vault
    stake, paid = before.stake(account), paid_out(case)
    return Effect(
        accounts=(
            (account, {"balance": before.account(account).balance + paid}),
            (vault, {"balance": before.account(vault).balance - paid}),
        ),
        stakes=((account, {"shares": stake.shares - stake.redemption, "redemption": 0, "redemption_time": 0}),),
        vault_shares=before.vault_shares - stake.redemption,
        lines=(pay(vault, account, paid, Reason.VAULT_REDEMPTION),),
    )


CONTRACTS = (
    Contract(
        event=events.RequestVaultDeposit,
        guard=_request_deposit_guard,
        effect=_request_deposit_effect,
    ),
    Contract(
        event=events.ExecuteVaultDeposit,
        guard=_execute_deposit_guard,
        effect=_execute_deposit_effect,
    ),
    Contract(
        event=events.CancelVaultDeposit,
        guard=_cancel_deposit_guard,
        effect=_cancel_deposit_effect,
    ),
    Contract(
        event=events.RequestVaultRedemption,
        guard=_request_redemption_guard,
        effect=_request_redemption_effect,
    ),
    Contract(
        event=events.ExecuteVaultRedemption,
        guard=_execute_redemption_guard,
        effect=_execute_redemption_effect,
    ),
)
