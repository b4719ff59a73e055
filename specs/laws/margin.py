"""Nobody's own event, and nobody's trade with a willing partner, makes an account unsafe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from riskcore import events
from specs.arithmetic import every, implies
from specs.case import AccountView, Case
from specs.contract import toward_zero
from specs.laws.deleveraging import counterparties_pay_their_part_and_no_more, shares_telescope
from specs.laws.law import Law
from specs.laws.settlement import settlement_moves_no_equity
from specs.laws.sharing import members_pay_their_part


def _traders(case: Case) -> list[Any]:
    """Accounts that an event moves by their own or a partner's will."""
    event = case.event
    if isinstance(event, events.Fill):
        return [event.taker, event.maker]
    if isinstance(event, events.LiquidationFill):
        return [event.maker]
    if isinstance(event, events.Takeover):
        return [case.rulebook.vault]
    if isinstance(event, events.Withdraw | events.RequestVaultDeposit):
        return [event.account]
    if isinstance(event, events.Transfer):
        return [event.payer]
    if isinstance(event, events.ExecuteVaultRedemption):
        return [case.rulebook.vault]
    return []


def _per_trader(case: Case, law: Callable[[AccountView, AccountView], Any]) -> Any:
    return every(*(law(case.before.account(id), case.after.account(id)) for id in _traders(case)))


def _own_events_reach_initial_margin_or_reduce(case: Case) -> Any:
    def law(before: AccountView, after: AccountView) -> Any:
        safer = after.equity * before.maintenance >= before.equity * after.maintenance
        return (after.equity >= after.initial) | (toward_zero(before.size, after.size) & safer)

    return _per_trader(case, law)


def _own_events_leave_the_healthy_healthy(case: Case) -> Any:
    def law(before: AccountView, after: AccountView) -> Any:
        healthy = before.equity >= before.maintenance
        not_worse = after.equity * before.maintenance >= before.equity * after.maintenance
        return every(
            implies(healthy, after.equity >= after.maintenance),
            healthy | (after.equity >= after.maintenance) | not_worse,
        )

    return _per_trader(case, law)


def _nobody_loses_equity(case: Case) -> Any:
    """Outside of margin laws: the event lowers nobody's equity and changes no requirement.

    Save a deleveraging step, whose two parties are bound by ADL-3 and ADL-4, a settlement, bound by SETTLE-1, and
    a member's part of a loss, bound by LOSS-2.
    """
    if isinstance(case.event, events.Deleverage):
        return counterparties_pay_their_part_and_no_more(case) & shares_telescope(case)
    if isinstance(case.event, events.ShareLoss):
        return members_pay_their_part(case)
    if isinstance(case.event, events.SettlePair):
        return settlement_moves_no_equity(case)
    return every(
        *(
            (case.after.account(id).equity >= case.before.account(id).equity)
            & (case.after.account(id).maintenance == case.before.account(id).maintenance)
            for id in case.touched
        )
    )


#: What an account does, or agrees to.
OWN_EVENTS = frozenset(
    {
        events.Fill,
        events.Withdraw,
        events.Transfer,
        events.LiquidationFill,
        events.Takeover,
        events.RequestVaultDeposit,
        events.ExecuteVaultRedemption,
    }
)

LAWS = (
    Law(
        "MARG-2",
        "an own event ends at initial margin, or is a reduction that leaves equity per maintenance no lower",
        OWN_EVENTS,
        _own_events_reach_initial_margin_or_reduce,
        _nobody_loses_equity,
    ),
    Law(
        "MARG-3",
        "at or above maintenance before an own event, so after; below before, not worse after",
        OWN_EVENTS,
        _own_events_leave_the_healthy_healthy,
        _nobody_loses_equity,
    ),
)
