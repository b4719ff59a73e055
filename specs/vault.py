"""The vault's stage: lots come at mark with their share of the account's equity."""

from __future__ import annotations

from typing import Any

from riskcore import events
from riskcore.journal import Reason, Stage
from riskcore.rules import Rule
from specs.arithmetic import RATE_ONE, every, implies, magnitude
from specs.case import AccountView, Case
from specs.contract import Contract, Effect, bearable, header_guard, more_longs, moved, owed, toward_zero, trade
from specs.liquidation import equity_share, forced_guard, toward
from specs.markets import trading_market


def within_limit(case: Case, before: Any, after: Any) -> Any:
    """Whether the vault's notional is within the rulebook's limit and the market's, or shrinks."""
    notional, limit = magnitude(after) * case.before.market.mark_price, case.before.market.rules.vault_position_limit
    is_within = every(notional <= case.rulebook.vault_position_limit, implies(limit != 0, notional <= limit))
    return is_within | toward_zero(before, after)


def within_margin(case: Case, account: AccountView, lots: Any) -> Any:
    """Whether the vault may hold ``lots`` of the account's position with their share of equity."""
    vault = case.before.account(case.rulebook.vault)
    equity = vault.equity + equity_share(case, account, lots)
    return bearable(case, vault, equity, vault.size - toward(account, lots), account)


def may_pay_for(case: Case, account: AccountView) -> Any:
    """Whether the account owes nothing, or the vault takes deficits."""
    return case.rulebook.vault_takes_deficits | (account.equity >= 0)


def could_take_over(case: Case, account: AccountView, lots: Any) -> Any:
    """Whether the vault has room for ``lots`` of an account that it may take over."""
    vault = case.before.account(case.rulebook.vault)
    return every(
        may_pay_for(case, account),
        within_limit(case, vault.size, vault.size - toward(account, lots)),
        within_margin(case, account, lots),
    )


def _guard(case: Case) -> dict[Rule, Any]:
    event, before = case.event, case.before
    rules = {**header_guard(case), **trading_market(case)}
    if before.market is None:
        return rules
    account, vault = before.account(event.account), before.account(case.rulebook.vault)
    rules |= {
        Rule.SELF_TRADE: event.account != case.rulebook.vault,
        Rule.ORDERS_REST: account.has_no_orders,
        **forced_guard(case, account, event.size),
    }
    if case.rejected in rules:
        return rules
    return {
        **rules,
        Rule.VAULT_NOT_DUE: account.equity * RATE_ONE <= case.rulebook.takeover_rate * account.maintenance,
        Rule.VAULT_TAKES_NO_DEFICIT: may_pay_for(case, account),
        Rule.VAULT_LIMIT: within_limit(case, vault.size, vault.size - toward(account, event.size)),
        Rule.VAULT_MARGIN: within_margin(case, account, event.size),
    }


def _effect(case: Case) -> Effect:
    event, before = case.event, case.before
    account, vault = before.account(event.account), before.account(case.rulebook.vault)
    change = toward(account, event.size)
    debit = change * before.market.mark_price + equity_share(case, account, event.size)
    return Effect(
        accounts=(
            (event.account, moved(case, account, change, debit)),
            (case.rulebook.vault, moved(case, vault, -change, -debit)),
        ),
        reserves={"transit": before.reserves.transit + owed(case, account) + owed(case, vault)},
        market={
            "open_interest": before.market.open_interest
            + more_longs(account.size, change)
            + more_longs(vault.size, -change)
        },
        lines=trade(case, event.account, case.rulebook.vault, change, debit, Reason.TAKEOVER, Stage.VAULT),
    )


CONTRACTS = (Contract(event=events.Takeover, guard=_guard, effect=_effect),)
