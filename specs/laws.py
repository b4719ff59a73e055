"""The laws, each written once.

``holds`` is checked for the events in ``applies``. For every other event the law is
outside the footprint, which is a claim too: ``outside`` is what then must hold instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import frozen

from riskcore import events
from riskcore.journal import Pay, Reserve, Stage, Trade
from specs.arithmetic import RATE_ONE, either, every, implies, larger, magnitude, smaller, some
from specs.case import AccountView, Case
from specs.contract import available, toward_zero
from specs.deleveraging import eligible, paid, queue_length, step_lots, unpaid
from specs.liquidation import equity_share, toward
from specs.markets import admissible
from specs.vault import could_take_over, within_limit


@frozen
class Law:
    """``sentence`` is what an auditor reads; ``holds`` decides it for an accepted event."""

    id: str
    sentence: str
    applies: frozenset[type[events.Header]]
    holds: Callable[[Case], Any]
    outside: Callable[[Case], Any]


ALL_EVENTS = frozenset(
    {
        events.ListMarket,
        events.Deposit,
        events.Withdraw,
        events.FundInsurance,
        events.AdvanceTime,
        events.MarkPrice,
        events.ApplyFunding,
        events.Fill,
        events.LiquidationFill,
        events.Takeover,
        events.CoverDeficit,
        events.BeginDeleveraging,
        events.Deleverage,
        events.EndDeleveraging,
        events.WriteOff,
    }
)
FORCED = frozenset({events.LiquidationFill, events.Takeover, events.Deleverage})


def _reserve_sum(reserves: Any) -> Any:
    return reserves.outside + reserves.insurance + reserves.fees + reserves.transit + reserves.uncovered


# Conservation -----------------------------------------------------------------


def _every_atom_has_one_owner(case: Case) -> Any:
    return case.after.sum_balances + _reserve_sum(case.after.reserves) == 0


def _reserves_keep_their_sign(case: Case) -> Any:
    reserves = case.after.reserves
    return every(
        reserves.insurance >= 0,
        reserves.fees >= 0,
        reserves.outside <= 0,
        reserves.uncovered <= 0,
        reserves.transit == case.after.sum_entries,
    )


def _received(case: Case, owner: Any) -> Any:
    """Atoms that the effects' lines bring to an owner."""
    total: Any = 0
    for line in case.effects:
        giver, taker = (line.payer, line.payee) if isinstance(line, Pay) else (line.buyer, line.seller)
        total = total + _if_same(taker, owner, line.amount) - _if_same(giver, owner, line.amount)
    return total


def _if_same(id: Any, owner: Any, value: Any) -> Any:
    if isinstance(id, Reserve) or isinstance(owner, Reserve):
        return value if id is owner else 0
    return either(id == owner, value, 0)


def _lots_received(case: Case, owner: Any) -> Any:
    total: Any = 0
    for line in case.effects:
        if isinstance(line, Trade):
            total = total + _if_same(line.buyer, owner, line.lots) - _if_same(line.seller, owner, line.lots)
    return total


def _lines_reproduce_every_balance(case: Case) -> Any:
    before, after = case.before, case.after
    accounts = [
        (after.account(id).balance == before.account(id).balance + _received(case, id))
        & (after.account(id).size == before.account(id).size + _lots_received(case, id))
        for id in case.touched
    ]
    reserves = [
        getattr(after.reserves, reserve.value) == getattr(before.reserves, reserve.value) + _received(case, reserve)
        for reserve in Reserve
    ]
    return every(*accounts, *reserves)


def _longs_equal_shorts(case: Case) -> Any:
    return case.after.sum_sizes == 0


def _open_interest_is_what_is_held(case: Case) -> Any:
    market = case.after.market
    interest = True if market is None else market.open_interest == case.after.sum_longs
    closed = [
        implies(
            case.after.account(id).size == 0,
            (case.after.account(id).cost == 0) & (case.after.account(id).entry_index == 0),
        )
        for id in case.touched
    ]
    return every(interest, *closed)


def _claims_equal_the_pool(case: Case) -> Any:
    """Equities, reserves and uncovered against the pool, at the mark that the state has.

    Balances plus positions at mark less funding owed; sizes sum to zero, so the mark
    and the index drop out, whatever they are.
    """
    after = case.after
    mark = 0 if after.market is None else after.market.mark_price - after.market.funding_index
    equities = after.sum_balances + after.sum_sizes * mark + after.sum_entries
    reserves = after.reserves
    return equities + reserves.insurance + reserves.fees + reserves.uncovered == -reserves.outside


def _time_moves_forward(case: Case) -> Any:
    return every(
        case.after.timestamp >= case.before.timestamp,
        case.after.sequence > case.before.sequence,
        case.after.seen(case.event.id),
    )


# Margin -----------------------------------------------------------------------


def _traders(case: Case) -> list[Any]:
    """Accounts that an event moves by their own or a partner's will."""
    event = case.event
    if isinstance(event, events.Fill):
        return [event.taker, event.maker]
    if isinstance(event, events.LiquidationFill):
        return [event.maker]
    if isinstance(event, events.Takeover):
        return [case.rulebook.vault]
    if isinstance(event, events.Withdraw):
        return [event.account]
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

    Save a deleveraging step, whose two parties are bound by ADL-3 and ADL-4.
    """
    if isinstance(case.event, events.Deleverage):
        return _counterparties_pay_their_part_and_no_more(case) & _shares_telescope(case)
    return every(
        *(
            (case.after.account(id).equity >= case.before.account(id).equity)
            & (case.after.account(id).maintenance == case.before.account(id).maintenance)
            for id in case.touched
        )
    )


# Liquidation ------------------------------------------------------------------


def _liquidated(case: Case) -> Any:
    """The id whose position is closed by force."""
    event = case.event
    return event.account if hasattr(event, "account") else case.before.deleveraging.account


def _healthy_accounts_are_never_liquidated(case: Case) -> Any:
    account = case.before.account(_liquidated(case))
    return account.equity < account.maintenance


def _forced_lots(case: Case) -> Any:
    return step_lots(case) if isinstance(case.event, events.Deleverage) else case.event.size


def _liquidation_only_shrinks(case: Case) -> Any:
    before, after = case.before.account(_liquidated(case)), case.after.account(_liquidated(case))
    return every(
        toward_zero(before.size, after.size),
        magnitude(before.size) - magnitude(after.size) == _forced_lots(case),
    )


def _fills_are_no_worse_than_bankruptcy(case: Case) -> Any:
    event, before = case.event, case.before.account(case.event.account)
    after = case.after.account(case.event.account)
    loss = toward(before, event.size) * (event.price - case.before.market.mark_price)
    missing = larger(loss - equity_share(case, before, event.size), 0)
    fund = sum(line.amount for line in case.effects if isinstance(line, Pay) and line.payer is Reserve.INSURANCE)
    return every(
        fund == missing,
        implies(before.equity >= 0, after.equity >= 0),
        implies(before.equity < 0, after.equity >= before.equity),
    )


def _equity_per_requirement_does_not_fall(case: Case) -> Any:
    before, after = case.before.account(_liquidated(case)), case.after.account(_liquidated(case))
    return after.equity * before.maintenance >= before.equity * after.maintenance


def _no_forced_trade(case: Case) -> Any:
    """Outside of forced closes: contracts move only where both sides want it."""
    return all(line.stage is Stage.ORDINARY for line in case.effects if isinstance(line, Trade))


def _only_the_open_episode_is_closed(case: Case) -> Any:
    """Outside of LIQ-1: nothing is closed by force but what an open deleveraging was begun for."""
    forced = [line for line in case.effects if isinstance(line, Trade) and line.stage is not Stage.ORDINARY]
    if not forced:
        return True
    episode = case.before.deleveraging
    if episode is None:
        return False
    return every(*((line.buyer == episode.account) | (line.seller == episode.account) for line in forced))


# The waterfall ----------------------------------------------------------------


def _earlier_stages_are_exhausted(case: Case) -> Any:
    """The book's exhaustion is the log's word; vault and fund are looked at.

    A vault is exhausted when it cannot take one lot. Where an atom of rounding decides,
    it could still take more lots at once: one lot may bring it nothing and two an atom.
    """
    event, before = case.event, case.before
    if isinstance(event, events.Takeover | events.CoverDeficit):
        account = before.account(event.account)
        # a vault takes no deficit, so the fund pays only where the vault could take nothing
        return (account.equity >= 0) if isinstance(event, events.Takeover) else (account.equity < 0)
    if isinstance(event, events.BeginDeleveraging):
        account = before.account(event.account)
        vault_is_free = (event.account != case.rulebook.vault) & could_take_over(case, account, 1)
        fund_is_next = case.rulebook.insurance_before_adl & (account.equity < 0)
        return every(implies(vault_is_free, False), implies(fund_is_next, available(case) == 0))
    if isinstance(event, events.EndDeleveraging):
        written_off = before.reserves.uncovered - case.after.reserves.uncovered
        left = larger(case.after.reserves.insurance - case.rulebook.insurance_floor, 0)
        return implies(written_off > 0, left == 0)
    if isinstance(event, events.WriteOff):
        return available(case) == 0
    return case.before.deleveraging is not None


def _closed_lots_have_one_taker(case: Case) -> Any:
    id = _liquidated(case)
    moved_lots = [case.after.account(other).size - case.before.account(other).size for other in case.touched]
    closed = case.after.account(id).size - case.before.account(id).size
    takers = [(case.after.account(other).size - case.before.account(other).size) == -closed for other in case.touched]
    return every(sum(moved_lots, start=0) == 0, some(*takers), len(case.touched) == 2)


def _takeovers_respect_the_vault(case: Case) -> Any:
    vault_before = case.before.account(case.rulebook.vault)
    vault_after = case.after.account(case.rulebook.vault)
    account = case.after.account(case.event.account)
    return every(
        within_limit(case, vault_before.size, vault_after.size),
        vault_after.equity >= vault_before.equity,
        implies(account.maintenance == 0, account.equity == 0),
        account.equity >= 0,
    )


def _the_vault_earns_what_the_account_gives(case: Case) -> Any:
    before, after, vault = case.before, case.after, case.rulebook.vault
    gained = after.account(vault).equity - before.account(vault).equity
    given = before.account(case.event.account).equity - after.account(case.event.account).equity
    share = equity_share(case, before.account(case.event.account), case.event.size)
    return every(gained == given, gained == share)


def _only_takeovers_move_the_vault_by_force(case: Case) -> Any:
    return all(line.stage is not Stage.VAULT for line in case.effects)


def _insurance_pays_the_deficit_or_what_it_has(case: Case) -> Any:
    event, before = case.event, case.before
    drop = before.reserves.insurance - case.after.reserves.insurance
    if isinstance(event, events.CoverDeficit):
        return drop == smaller(-before.account(event.account).equity, available(case))
    if isinstance(event, events.EndDeleveraging):
        return drop == smaller(unpaid(case), available(case))
    account = before.account(event.account)
    loss = toward(account, event.size) * (event.price - before.market.mark_price)
    missing = loss - equity_share(case, account, event.size)
    return every(implies(missing > 0, (drop == missing) & (drop <= available(case))), implies(missing <= 0, drop <= 0))


def _insurance_does_not_fall(case: Case) -> Any:
    return case.after.reserves.insurance >= case.before.reserves.insurance


# Deleveraging -----------------------------------------------------------------


def _deleveraging_closes_opposites(case: Case) -> Any:
    id = case.before.deleveraging.account
    account, head = case.before.account(id), case.before.account(case.head)
    account_after, head_after = case.after.account(id), case.after.account(case.head)
    return every(
        account.size * head.size < 0,
        toward_zero(account.size, account_after.size),
        toward_zero(head.size, head_after.size),
    )


def _queue_order_is_kept(case: Case) -> Any:
    """For any other account that still qualifies: the head ranks before it."""
    episode = case.before.deleveraging
    against = case.before.account(episode.account).size
    checks = []
    for id in case.others():
        other = case.before.account(id)
        qualifies = eligible(case, other, against, episode.share, episode.lots)
        checks.append(implies((id != case.head) & qualifies, case.is_ahead(case.head, id)))
    return every(*checks)


def _counterparties_pay_their_part_and_no_more(case: Case) -> Any:
    episode, lots = case.before.deleveraging, step_lots(case)
    head, head_after = case.before.account(case.head), case.after.account(case.head)
    payment = paid(episode, episode.done + lots) - paid(episode, episode.done)
    profit = head.size * case.before.market.mark_price - head.cost
    needs_profit = case.rulebook.adl_requires_profit & (episode.share > 0)
    whole = lots == magnitude(head.size)
    return every(
        head_after.equity == head.equity - payment,
        head_after.equity >= 0,
        case.after.reserves.fees == case.before.reserves.fees,
        implies(needs_profit & whole, profit >= payment),
    )


def _shares_telescope(case: Case) -> Any:
    """What was paid before and in this step is the share's part of the lots done, all of it at the end."""
    episode = case.before.deleveraging
    account, after = case.before.account(episode.account), case.after.account(episode.account)
    done = episode.done + step_lots(case)
    payment = paid(episode, done) - paid(episode, episode.done)
    return every(
        after.equity == account.equity + payment,
        implies(done == episode.lots, payment == episode.share - paid(episode, episode.done)),
        implies((done == episode.lots) & (after.maintenance == 0), after.equity == 0),
    )


def _end_books_what_is_missing(case: Case) -> Any:
    episode = case.before.deleveraging
    account, after = case.before.account(episode.account), case.after.account(episode.account)
    return after.equity == account.equity + larger(episode.share - paid(episode, episode.done), 0)


def _adl_4(case: Case) -> Any:
    if isinstance(case.event, events.EndDeleveraging):
        return _end_books_what_is_missing(case)
    return _shares_telescope(case)


def _an_opposite_position_exists(case: Case) -> Any:
    """A position that is open has another on the opposite side: the rest sums to its negative."""
    account = case.before.account(_liquidated(case))
    rest = case.before.sum_sizes - account.size
    return implies(account.size != 0, rest * account.size < 0)


def _queue_stays_certified(case: Case) -> Any:
    """The open queue's certificate, re-established after the event for any two accounts."""
    return case.certificate_holds()


# Resolution -----------------------------------------------------------------


def _what_ends_leaves_no_deficit(case: Case) -> Any:
    """An account whose last market is done with owes nothing."""
    event = case.event
    if isinstance(event, events.WriteOff):
        return case.after.account(event.account).equity == 0
    id = _liquidated(case)
    after = case.after.account(id)
    if isinstance(event, events.EndDeleveraging):
        return implies(after.rest_maintenance == 0, after.equity >= 0)
    return implies(after.maintenance == 0, after.equity == 0)


def _resolution_makes_progress(case: Case) -> Any:
    """Each step lowers what is left: lots to close by force, deficits, or the queue."""
    event, before, after = case.event, case.before, case.after
    if isinstance(event, events.CoverDeficit | events.WriteOff):
        return after.account(event.account).equity > before.account(event.account).equity
    if isinstance(event, events.EndDeleveraging):
        return after.deleveraging is None
    id = _liquidated(case)
    return magnitude(after.account(id).size) < magnitude(before.account(id).size)


def _the_next_event_may_assume_it(case: Case) -> Any:
    """The induction closes: what a proof assumes of the state before, the event leaves behind."""
    after, market, episode = case.after, case.after.market, case.after.deleveraging
    claims: list[Any] = []
    if market is not None:
        claims += [
            admissible(market.rules),
            market.mark_price > 0,
            market.funding_remainder >= 0,
            market.funding_remainder < RATE_ONE * case.rulebook.funding_interval,
            market.funding_time <= after.timestamp,
        ]
    if episode is not None:
        account = after.account(episode.account)
        left = episode.lots - episode.done
        claims += [
            episode.done >= 0,
            left > 0,
            episode.head >= 0,
            episode.head <= queue_length(episode),
            magnitude(account.size) == left,
            implies(account.rest_maintenance == 0, account.equity == paid(episode, episode.done) - episode.share),
        ]
    return every(*claims)


# Funding ------------------------------------------------------------


def _funding_is_zero_sum(case: Case) -> Any:
    """The index's growth and its remainder are exactly what accrued; all accounts together owe none of it."""
    before, after = case.before.market, case.after.market
    growth = after.funding_index - before.funding_index
    elapsed = after.funding_time - before.funding_time
    unit = RATE_ONE * case.rulebook.funding_interval
    return every(
        growth * unit + after.funding_remainder
        == before.mark_price * case.event.rate * elapsed + before.funding_remainder,
        after.funding_remainder >= 0,
        after.funding_remainder < unit,
        elapsed > 0,
        case.after.sum_sizes * growth == 0,
    )


def _settled_funding_goes_through_transit(case: Case) -> Any:
    """Outside of funding: the index stands, and what accounts settle is what transit gains."""
    before, after = case.before.market, case.after.market
    if before is None or after is None:
        return True
    settled: Any = 0
    for line in case.effects:
        if isinstance(line, Pay) and line.payee is Reserve.TRANSIT:
            settled = settled + line.amount
    return every(
        after.funding_index == before.funding_index,
        after.funding_remainder == before.funding_remainder,
        after.funding_time == before.funding_time,
        case.after.reserves.transit == case.before.reserves.transit + settled,
    )


LAWS: tuple[Law, ...] = (
    Law(
        "CASH-1",
        "every atom has one owner: all balances sum to zero",
        ALL_EVENTS,
        _every_atom_has_one_owner,
        _every_atom_has_one_owner,
    ),
    Law(
        "CASH-2",
        "insurance, fees and pool are never negative; uncovered is never a claim; transit is what positions entered at",
        ALL_EVENTS,
        _reserves_keep_their_sign,
        _reserves_keep_their_sign,
    ),
    Law(
        "CASH-3",
        "the effects' lines reproduce every balance and size",
        ALL_EVENTS,
        _lines_reproduce_every_balance,
        _lines_reproduce_every_balance,
    ),
    Law("BAL-1", "in every market longs equal shorts", ALL_EVENTS, _longs_equal_shorts, _longs_equal_shorts),
    Law(
        "BAL-2",
        "stored open interest is what is held long; a closed position has every field zero",
        ALL_EVENTS,
        _open_interest_is_what_is_held,
        _open_interest_is_what_is_held,
    ),
    Law(
        "ZERO-1",
        "at any marks, equities, reserves and uncovered equal the pool",
        ALL_EVENTS,
        _claims_equal_the_pool,
        _claims_equal_the_pool,
    ),
    Law(
        "TIME-1",
        "time and sequence move forward, and an accepted id is remembered",
        ALL_EVENTS,
        _time_moves_forward,
        _time_moves_forward,
    ),
    Law(
        "MARG-2",
        "an own event ends at initial margin, or is a reduction that leaves equity per maintenance no lower",
        frozenset({events.Fill, events.Withdraw, events.LiquidationFill, events.Takeover}),
        _own_events_reach_initial_margin_or_reduce,
        _nobody_loses_equity,
    ),
    Law(
        "MARG-3",
        "at or above maintenance before an own event, so after; below before, not worse after",
        frozenset({events.Fill, events.Withdraw, events.LiquidationFill, events.Takeover}),
        _own_events_leave_the_healthy_healthy,
        _nobody_loses_equity,
    ),
    Law(
        "LIQ-1",
        "an account at or above maintenance is never liquidated",
        frozenset({events.LiquidationFill, events.Takeover, events.BeginDeleveraging}),
        _healthy_accounts_are_never_liquidated,
        _only_the_open_episode_is_closed,
    ),
    Law(
        "LIQ-2",
        "liquidation only shrinks a position, never flips it, and closes what was asked",
        FORCED,
        _liquidation_only_shrinks,
        _no_forced_trade,
    ),
    Law(
        "LIQ-3",
        "a liquidation fill is no worse than the bankruptcy price, or the fund pays exactly the difference",
        frozenset({events.LiquidationFill}),
        _fills_are_no_worse_than_bankruptcy,
        lambda case: all(line.stage is not Stage.BOOK for line in case.effects),
    ),
    Law(
        "LIQ-4",
        "a forced close leaves equity per requirement no lower, fee included",
        frozenset({events.LiquidationFill, events.Takeover}),
        _equity_per_requirement_does_not_fall,
        lambda case: all(line.stage not in (Stage.BOOK, Stage.VAULT) for line in case.effects),
    ),
    Law(
        "WFALL-1",
        "a stage is entered only when the earlier ones have nothing left, or the rulebook names it",
        frozenset(
            {
                events.Takeover,
                events.CoverDeficit,
                events.BeginDeleveraging,
                events.Deleverage,
                events.EndDeleveraging,
                events.WriteOff,
            }
        ),
        _earlier_stages_are_exhausted,
        lambda case: all(line.stage in (Stage.ORDINARY, Stage.BOOK) for line in case.effects),
    ),
    Law(
        "CLOSE-1",
        "each lot closed on a liquidated account lands on exactly one taker",
        FORCED,
        _closed_lots_have_one_taker,
        _no_forced_trade,
    ),
    Law(
        "VAULT-1",
        "a takeover respects the vault's limit, costs it nothing, and leaves a flat account at exactly zero",
        frozenset({events.Takeover}),
        _takeovers_respect_the_vault,
        _only_takeovers_move_the_vault_by_force,
    ),
    Law(
        "INS-1",
        "the fund pays exactly the deficit, or what it has above its floor",
        frozenset({events.LiquidationFill, events.CoverDeficit, events.EndDeleveraging}),
        _insurance_pays_the_deficit_or_what_it_has,
        _insurance_does_not_fall,
    ),
    Law(
        "ADL-1",
        "deleveraging closes opposite sides only; both shrink, neither flips",
        frozenset({events.Deleverage}),
        _deleveraging_closes_opposites,
        lambda case: all(line.stage is not Stage.DELEVERAGING for line in case.effects),
    ),
    Law(
        "ADL-2",
        "nobody is touched while someone ahead still qualifies; the queue stays certified",
        frozenset({events.BeginDeleveraging, events.Deleverage}),
        lambda case: every(
            _queue_stays_certified(case),
            _queue_order_is_kept(case) if isinstance(case.event, events.Deleverage) else True,
        ),
        lambda case: case.after.deleveraging is None,
    ),
    Law(
        "ADL-3",
        "a step changes the counterparty's equity by exactly its part, takes no fee, and never leaves it below zero",
        frozenset({events.Deleverage}),
        _counterparties_pay_their_part_and_no_more,
        lambda case: all(line.stage is not Stage.DELEVERAGING for line in case.effects),
    ),
    Law(
        "ADL-4",
        "an episode's payments total the share exactly; a shortfall is booked by name",
        frozenset({events.Deleverage, events.EndDeleveraging}),
        _adl_4,
        lambda case: all(line.stage is not Stage.DELEVERAGING for line in case.effects),
    ),
    Law(
        "ADL-5",
        "while a position is open, an opposite one is too",
        frozenset({events.BeginDeleveraging, events.Deleverage}),
        _an_opposite_position_exists,
        _longs_equal_shorts,
    ),
    Law(
        "VAULT-3",
        "what the vault gains at mark in a takeover is what the account gives, its share to the atom",
        frozenset({events.Takeover}),
        _the_vault_earns_what_the_account_gives,
        _only_takeovers_move_the_vault_by_force,
    ),
    Law(
        "SOLV-1",
        "an account whose last market was closed or given up owes nothing",
        frozenset({events.Takeover, events.Deleverage, events.EndDeleveraging, events.WriteOff}),
        _what_ends_leaves_no_deficit,
        lambda case: all(line.stage in (Stage.ORDINARY, Stage.BOOK, Stage.INSURANCE) for line in case.effects),
    ),
    Law(
        "LIVE-1",
        "each step of a resolution lowers the lots to close, a deficit or the open queue",
        frozenset(
            {
                events.LiquidationFill,
                events.Takeover,
                events.CoverDeficit,
                events.Deleverage,
                events.EndDeleveraging,
                events.WriteOff,
            }
        ),
        _resolution_makes_progress,
        _only_the_open_episode_is_closed,
    ),
    Law(
        "INV-1",
        "what the next proof assumes of markets and of an open deleveraging holds after every event",
        ALL_EVENTS,
        _the_next_event_may_assume_it,
        _the_next_event_may_assume_it,
    ),
    Law(
        "FUND-1",
        "funding sums to zero to the atom, its remainder is carried, and time only moves forward",
        frozenset({events.ApplyFunding}),
        _funding_is_zero_sum,
        _settled_funding_goes_through_transit,
    ),
)

BY_ID = {law.id: law for law in LAWS}
