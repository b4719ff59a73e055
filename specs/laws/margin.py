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
    if isinstance(event, events.Withdraw | events.RequestVaultDeposit | events.SetLeverage | events.PlaceOrder):
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
        reduces = toward_zero(before.size, after.size) & safer
        may_need_no_more = isinstance(case.event, events.SetLeverage | events.PlaceOrder)
        needs_no_more = may_need_no_more & (after.initial <= before.initial)
        return (after.equity >= after.initial) | reduces | needs_no_more

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


def _reductions_raise_no_open_interest(case: Case) -> Any:
    """So that a trade which only reduces a side is judged at no higher a rate than before."""

    def law(before: AccountView, after: AccountView) -> Any:
        reduces = toward_zero(before.size, after.size)
        return implies(reduces, case.after.market.open_interest <= case.before.market.open_interest)

    return _per_trader(case, law)


def _open_interest_grows_in_trades_only(case: Case) -> Any:
    before, after = case.before.market, case.after.market
    if before is None:
        return after is None or after.open_interest == 0
    return after.open_interest <= before.open_interest


def _leverage_is_its_accounts_choice(case: Case) -> Any:
    before, after = case.before.account(case.event.account), case.after.account(case.event.account)
    kept = (getattr(before, name) == getattr(after, name) for name in ("balance", "size", "equity", "maintenance"))
    return every(after.leverage == case.event.leverage, after.leverage >= 0, *kept)


def _no_leverage_changes(case: Case) -> Any:
    return every(*(case.after.account(id).leverage == case.before.account(id).leverage for id in case.touched))


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
        events.SetLeverage,
        events.PlaceOrder,
    }
)
#: Where contracts change hands by somebody's will.
TRADES = frozenset({events.Fill, events.LiquidationFill, events.Takeover})

LAWS = (
    Law(
        "MARG-2",
        "an own event ends at initial margin, at the open interest that it leaves; or is a reduction that leaves "
        "equity per maintenance no lower, or a choice of leverage or an order that needs no more",
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
    Law(
        "MARG-4",
        "a trade in which the taker, the maker or the vault only reduces leaves open interest no higher",
        TRADES,
        _reductions_raise_no_open_interest,
        _open_interest_grows_in_trades_only,
    ),
    Law(
        "MARG-5",
        "a leverage is its account's own choice, never below zero, and the choice moves no cash, lots or maintenance",
        frozenset({events.SetLeverage}),
        _leverage_is_its_accounts_choice,
        _no_leverage_changes,
    ),
)
