"""Cash and contracts are neither made nor lost, time moves on, and the induction closes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from riskcore import events
from riskcore.journal import Pay, Reserve, Trade
from specs.arithmetic import RATE_ONE, either, every, implies, larger
from specs.case import Case, Ledger
from specs.invariant import (
    episode_fits,
    episode_is_possible,
    every_atom_has_one_owner,
    longs_equal_shorts,
    market_is_possible,
    nothing_is_sold_back,
    open_interest_is_held,
    parts_are_of_the_fund,
    position_is_possible,
    reserves_keep_their_sign,
    sharing_is_possible,
)
from specs.laws.law import ALL_EVENTS, Law
from specs.outflow import taken_out
from specs.sharing import members_of


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


def _open_interest_is_what_is_held(case: Case) -> Any:
    after = case.after
    return every(
        open_interest_is_held(after), *(position_is_possible(after.market, after.account(id)) for id in case.touched)
    )


def _claims_equal_the_pool(case: Case) -> Any:
    """Equities, reserves and uncovered against the pool, at the mark that the state has.

    Balances plus positions at mark less funding owed; sizes sum to zero, so the mark
    and the index drop out, whatever they are.
    """
    after = case.after
    mark = 0 if after.market is None else after.market.mark_price - after.market.funding_index
    equities = after.sum_balances + after.sum_sizes * mark + after.sum_entries
    reserves = after.reserves
    return equities + reserves.insurance + reserves.fees + reserves.escrow + reserves.uncovered == -reserves.outside


def _time_moves_forward(case: Case) -> Any:
    return every(
        case.after.timestamp >= case.before.timestamp,
        case.after.sequence > case.before.sequence,
        case.after.seen(case.event.id),
    )


def _funding_is_zero_sum(case: Case) -> Any:
    """The index's growth and its remainder are exactly what accrued; all accounts together owe none of it."""
    before, after = case.before.market, case.after.market
    growth = after.funding_index - before.funding_index
    elapsed = after.funding_time - before.funding_time
    unit = RATE_ONE * case.rulebook.funding_interval
    return every(
        growth * unit + after.funding_remainder
        == _get_funded_price(case) * case.event.rate * elapsed + before.funding_remainder,
        after.funding_remainder >= 0,
        after.funding_remainder < unit,
        elapsed > 0,
        case.after.sum_sizes * growth == 0,
    )


def _get_funded_price(case: Case) -> Any:
    market = case.before.market
    return either(case.rulebook.funding_on_index, market.index_price, market.mark_price)


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


def _outflow_is_within_its_limit(case: Case) -> Any:
    """What left the pool is counted, what came in gives room back, and no more is taken out than the limit."""
    before, after, rulebook = case.before, case.after, case.rulebook
    left = after.reserves.outside - before.reserves.outside
    counted = taken_out(rulebook, before.outflow, case.event.timestamp)
    is_limited, is_out = rulebook.withdrawal_limit > 0, isinstance(case.event, events.Withdraw)
    is_counted = after.outflow.drawn >= counted + left
    most = rulebook.withdrawal_limit if is_out else larger(counted, 0)
    return implies(is_limited, every(is_counted, after.outflow.drawn <= most))


def _outflow_stands(case: Case) -> Any:
    before, after = case.before.outflow, case.after.outflow
    return every(after.drawn == before.drawn, after.since == before.since)


def _the_next_event_may_assume_it(case: Case) -> Any:
    """The induction closes: what a proof assumes of the state before, the event leaves behind."""
    after, episode, sharing = case.after, case.after.deleveraging, case.after.sharing
    sold = (nothing_is_sold_back(after.account(id).sold) for id in case.touched)
    market = every(market_is_possible(after, case.rulebook.funding_interval), *sold)
    if sharing is not None:
        possible = sharing_is_possible(sharing, -after.reserves.uncovered, members_of(sharing))
        return every(market, possible, episode is None, after.market is not None)
    if episode is None:
        return market
    fits = episode_fits(episode, after.market, after.account(episode.account), case.rulebook)
    return every(market, episode_is_possible(episode, case.rulebook), fits)


def _reserves_keep_their_sign(case: Case) -> Any:
    """The fund is no less than what markets have of it, which is not negative."""
    return every(reserves_keep_their_sign(case.after), parts_are_of_the_fund(case.after))


def _afterwards(invariant: Callable[[Ledger], Any]) -> Callable[[Case], Any]:
    return lambda case: invariant(case.after)


LAWS = (
    Law(
        "CASH-1",
        "every atom has one owner: all balances sum to zero",
        ALL_EVENTS,
        _afterwards(every_atom_has_one_owner),
        _afterwards(every_atom_has_one_owner),
    ),
    Law(
        "CASH-2",
        "insurance, fees, escrow and pool are never negative; uncovered is never a claim; transit is what positions "
        "entered at",
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
    Law(
        "BAL-1",
        "in every market longs equal shorts",
        ALL_EVENTS,
        _afterwards(longs_equal_shorts),
        _afterwards(longs_equal_shorts),
    ),
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
        "FUND-1",
        "funding on mark or index sums to zero to the atom, its remainder is carried, and time only moves forward",
        frozenset({events.ApplyFunding}),
        _funding_is_zero_sum,
        _settled_funding_goes_through_transit,
    ),
    Law(
        "CASH-4",
        "within a window withdrawals take out of the pool no more than the rulebook's limit and what deposits bring in",
        frozenset({events.Withdraw, events.Deposit}),
        _outflow_is_within_its_limit,
        _outflow_stands,
    ),
    Law(
        "INV-1",
        "what the next proof assumes of markets and of an open deleveraging or sharing holds after every event",
        ALL_EVENTS,
        _the_next_event_may_assume_it,
        _the_next_event_may_assume_it,
    ),
)
