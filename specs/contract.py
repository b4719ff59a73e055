"""The shape of a contract: when an event is accepted, and what exactly it then changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import field, frozen

from riskcore.events import Header
from riskcore.journal import Line, Pay, Reason, Reserve, Stage, Trade
from riskcore.rules import Rule
from specs.arithmetic import cost_after, either, every, larger, magnitude, named, opened_after
from specs.case import AccountView, Case, Snapshot
from specs.domains import part_after, stock
from specs.draws import drawn_after, may_pay_out
from specs.tiers import exposure, initial_requirement, maintenance_requirement


@frozen
class Effect:
    """New values. What is not named keeps its value: that is the event's footprint.

    ``accounts``: pairs of an id and the new values of that account's fields.
    ``deleveraging``, ``sharing``: whether the open one is what it must be, or None for unchanged.
    ``stakes``, ``orders``: as ``accounts``. ``vault_shares``: their total, or None for unchanged.
    ``draws``: new values of what the insurance fund has drawn; ``outflow``: of what withdrawals took out.
    ``separate_insurance``: the total of the separate markets' parts of the fund, or None for unchanged.
    ``lines``: what moved, in order, for which reason and in which stage; payments of nothing included.
    """

    accounts: tuple[tuple[Any, Mapping[str, Any]], ...] = ()
    reserves: Mapping[str, Any] = field(factory=dict)
    market: Mapping[str, Any] = field(factory=dict)
    deleveraging: Any = None
    lines: tuple[Line, ...] = ()
    stakes: tuple[tuple[Any, Mapping[str, Any]], ...] = ()
    vault_shares: Any = None
    draws: Mapping[str, Any] = field(factory=dict)
    sharing: Any = None
    separate_insurance: Any = None
    orders: tuple[tuple[Any, Mapping[str, Any]], ...] = ()
    outflow: Mapping[str, Any] = field(factory=dict)


@frozen
class Contract:
    """One event's contract.

    ``guard``: each rule with the condition that must hold; the event is accepted if
    and only if all do, and a rejection names one that does not.
    """

    event: type[Header]
    guard: Callable[[Case], Mapping[Rule, Any]]
    effect: Callable[[Case], Effect]


def header_guard(case: Case, *, while_deleveraging: bool = False, while_sharing: bool = False) -> dict[Rule, Any]:
    """What every event must satisfy."""
    before, event = case.before, case.event
    rules = {
        Rule.DUPLICATE_ID: before.seen(event.id) == False,  # noqa: E712  a symbol has no `not`
        Rule.SEQUENCE_NOT_AHEAD: event.sequence > before.sequence,
        Rule.TIME_BACKWARDS: event.timestamp >= before.timestamp,
    }
    if not while_deleveraging:
        rules[Rule.DELEVERAGING_OPEN] = before.deleveraging is None
    if not while_sharing:
        rules[Rule.SHARING_OPEN] = before.sharing is None
    return rules


def moved(case: Case, account: AccountView, lots: Any, debit: Any, fee: Any = 0) -> dict[str, Any]:
    """An account's new fields after its position settled funding and changed by signed ``lots``.

    ``debit`` atoms, signed, is what the lots cost it; ``fee`` comes on top.
    """
    index = case.before.market.funding_index
    size = account.size + lots
    return {
        "balance": account.balance - owed(case, account) - debit - fee,
        "size": size,
        "cost": either(size == 0, 0, cost_after(account.size, account.cost, lots, debit)),
        "entry_index": either(size == 0, 0, index),
        "opened": either(size == 0, 0, opened_after(account.size, size, account.opened, case.before.sequence)),
    }


def pay(payer: Any, payee: Any, amount: Any, reason: Reason, stage: Stage = Stage.ORDINARY) -> Line:
    return Pay(payer, payee, amount, reason, stage)


def trade(case: Case, id: Any, partner: Any, lots: Any, debit: Any, reason: Reason, stage: Stage) -> tuple[Line, ...]:
    """The lines of a trade that changes the position of ``id`` by signed ``lots`` at the cost of ``debit``.

    Buyer and seller, in this order, settle their funding first.
    """
    buyer, seller = (id, partner) if lots > 0 else (partner, id)
    market = case.before.deleveraging.market if stage is Stage.DELEVERAGING else case.event.market
    settled = (
        pay(one, Reserve.TRANSIT, owed(case, case.before.account(one)), Reason.FUNDING) for one in (buyer, seller)
    )
    amount = either(lots > 0, debit, -debit)
    return (*settled, Trade(buyer, seller, market, magnitude(lots), amount, reason, stage))


def owed(case: Case, account: AccountView) -> Any:
    """Atoms of funding that an account's position has not settled yet."""
    return account.size * (case.before.market.funding_index - account.entry_index)


def more_longs(size: Any, lots: Any) -> Any:
    """By how many lots the longs grow when a position of ``size`` changes by ``lots``."""
    return larger(size + lots, 0) - larger(size, 0)


def maintenance_of(case: Case, size: Any) -> Any:
    return maintenance_requirement(case.before.market, size)


def initial_of(case: Case, account: AccountView, exposed: Any, open_interest: Any) -> Any:
    return initial_requirement(case.before.market, exposed, open_interest, account.leverage)


def open_interest_left(case: Case, account: AccountView, size: Any, partner: AccountView) -> Any:
    """Lots that are open once an account has ``size``, having traded with its partner."""
    lots = size - account.size
    more = more_longs(account.size, lots) + more_longs(partner.size, -lots)
    return named("open_interest", case.before.market.open_interest + more)


def toward_zero(before: Any, after: Any) -> Any:
    """Whether a size shrank and did not change sign."""
    shrank = every(before > 0, after >= 0, after < before)
    return shrank | every(before < 0, after <= 0, after > before)


def bearable(
    case: Case,
    account: AccountView,
    equity: Any,
    size: Any,
    partner: AccountView,
    resting: Mapping[str, Any] | None = None,
) -> Any:
    """Whether an account may stand at ``equity`` with ``size`` lots after its own trade with a partner.

    At or above initial margin, at the open interest that the trade leaves and with the orders that it leaves,
    ``resting`` where those are others; or closer to zero, with no less equity per maintenance.
    """
    equity = named("equity", equity)
    found, left = case.before.market.open_interest, open_interest_left(case, account, size, partner)
    orders = {"bids": account.bids, "asks": account.asks} if resting is None else resting
    after, before = exposure(size, orders["bids"], orders["asks"]), exposure(account.size, account.bids, account.asks)
    own = initial_of(case, account, after, left) - initial_of(case, account, before, found)
    initial = named("initial", account.initial + own)
    maintenance = named(
        "maintenance", account.maintenance - maintenance_of(case, account.size) + maintenance_of(case, size)
    )
    safer = equity * account.maintenance >= account.equity * maintenance
    return (equity >= initial) | (toward_zero(account.size, size) & safer)


def available(case: Case, snapshot: Snapshot | None = None) -> Any:
    """Atoms that the fund's shared part may pay at the event's time, before it or as a snapshot has it."""
    found = case.before if snapshot is None else snapshot
    return may_pay_out(case.rulebook, stock(found, case.rulebook, None), found.draws, case.event.timestamp)


def available_there(case: Case, snapshot: Snapshot | None = None) -> Any:
    """Atoms that the fund may pay for the event's market, likewise: of its own part, where it is separate."""
    found = case.before if snapshot is None else snapshot
    return may_pay_out(case.rulebook, stock(found, case.rulebook, found.market), found.draws, case.event.timestamp)


def insured(case: Case, change: Any) -> Mapping[str, Any]:
    """The market's part of the fund once that changed by so many atoms in the event."""
    return {"insurance": part_after(case.before.market, change)}


def separate_after(case: Case, change: Any) -> Any:
    """The total of the parts then."""
    before = case.before
    return before.separate_insurance + part_after(before.market, change) - before.market.insurance


def drawn(case: Case, paid: Any) -> Mapping[str, Any]:
    """The draws after the fund has paid so many atoms."""
    return drawn_after(case.rulebook, case.before.draws, paid, case.event.timestamp)
