"""The leverage that an account chooses in a market: it may need more margin, never less than the market's rules."""

from __future__ import annotations

from typing import Any

from riskcore import events
from riskcore.rules import Rule
from specs.case import AccountView, Case
from specs.contract import Contract, Effect, header_guard
from specs.tiers import exposure, initial_requirement


def added(case: Case, account: AccountView) -> Any:
    """Atoms by which the choice raises what the account's position needs; below zero, lowers."""
    market = case.before.market
    exposed = exposure(account.size, account.bids, account.asks)
    old = initial_requirement(market, exposed, market.open_interest, account.leverage)
    return initial_requirement(market, exposed, market.open_interest, case.event.leverage) - old


def _guard(case: Case) -> dict[Rule, Any]:
    event = case.event
    rules = {**header_guard(case), Rule.UNKNOWN_MARKET: case.before.market is not None}
    if case.before.market is None:
        return rules
    rules |= {Rule.LEVERAGE_NEGATIVE: event.leverage >= 0, Rule.VAULT_LEVERAGE: event.account != case.rulebook.vault}
    if case.rejected in rules:
        return rules
    account = case.before.account(event.account)
    more = added(case, account)
    return {
        **rules,
        Rule.MARK_STALE: (more <= 0) | account.marks_are_fresh(event.timestamp),
        Rule.BELOW_INITIAL_MARGIN: (more <= 0) | (account.equity >= account.initial + more),
    }


CONTRACTS = (
    Contract(
        event=events.SetLeverage,
        guard=_guard,
        effect=lambda case: Effect(accounts=((case.event.account, {"leverage": case.event.leverage}),)),
    ),
)
