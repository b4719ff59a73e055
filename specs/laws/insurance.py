"""What the insurance fund pays and gets: all that it may, no more, and to the atom."""

from __future__ import annotations

from typing import Any

from riskcore import events
from riskcore.journal import Pay, Reason, Reserve, Trade
from specs.arithmetic import RATE_ONE, every, implies, negate, smaller
from specs.case import Case
from specs.contract import available, available_there
from specs.deleveraging import unpaid
from specs.domains import has_part, shared, stock
from specs.invariant import draws_are_possible, part_is_possible, parts_are_of_the_fund
from specs.laws.law import Law
from specs.liquidation import equity_share, toward
from specs.sharing import covered_first

#: The events by which the fund pays.
DRAWING = frozenset({events.LiquidationFill, events.CoverDeficit, events.EndDeleveraging, events.BeginLossSharing})


def _insurance_pays_the_deficit_or_what_it_has(case: Case) -> Any:
    event, before = case.event, case.before
    drop = before.reserves.insurance - case.after.reserves.insurance
    if isinstance(event, events.CoverDeficit):
        return drop == smaller(-before.account(event.account).equity, available(case))
    if isinstance(event, events.EndDeleveraging):
        return drop == smaller(unpaid(case), available_there(case))
    if isinstance(event, events.BeginLossSharing):
        return drop == covered_first(case)
    account = before.account(event.account)
    loss = toward(account, event.size) * (event.price - before.market.mark_price)
    missing = loss - equity_share(case, account, event.size)
    is_paid = (drop == missing) & (drop <= available_there(case))
    return every(implies(missing > 0, is_paid), implies(missing <= 0, drop <= 0))


def _insurance_does_not_fall(case: Case) -> Any:
    return case.after.reserves.insurance >= case.before.reserves.insurance


def _paid(case: Case) -> Any:
    """Atoms that the lines take out of the fund."""
    return sum(line.amount for line in case.effects if isinstance(line, Pay) and line.payer is Reserve.INSURANCE)


def _the_fund_is_drawn_within_its_bounds(case: Case) -> Any:
    """What it pays leaves its floor, and is counted in a window that runs, which holds no more than the limit."""
    rulebook, before, after, paid = case.rulebook, case.before.draws, case.after.draws, _paid(case)
    is_limited = (paid > 0) & (rulebook.insurance_draw_limit > 0)
    is_same_window = after.since == before.since
    return every(
        draws_are_possible(case.after),
        paid >= 0,
        implies(paid > 0, _is_above_its_floor(case)),
        implies(negate(is_limited), (after.drawn == before.drawn) & is_same_window),
        implies(is_limited, after.drawn <= rulebook.insurance_draw_limit),
        implies(is_limited, case.event.timestamp < after.since + rulebook.insurance_draw_window),
        implies(is_limited & is_same_window, after.drawn == before.drawn + paid),
        implies(is_limited & negate(is_same_window), _begins_anew(case, paid)),
    )


def _is_above_its_floor(case: Case) -> Any:
    """A separate market's part pays to the last atom for that market, the shared one for all else down to the floor."""
    is_there = not isinstance(case.event, events.CoverDeficit | events.BeginLossSharing)
    return stock(case.after, case.rulebook, case.after.market if is_there else None) >= 0


def _begins_anew(case: Case, paid: Any) -> Any:
    """A window begins with a payment, and only where none runs that holds any."""
    before, after, time = case.before.draws, case.after.draws, case.event.timestamp
    is_over = time >= before.since + case.rulebook.insurance_draw_window
    return every(after.since == time, after.drawn == paid, is_over | (before.drawn == 0))


def _the_fund_is_not_drawn(case: Case) -> Any:
    before, after = case.before.draws, case.after.draws
    is_kept = (after.drawn == before.drawn) & (after.since == before.since)
    return every(draws_are_possible(case.after), is_kept, _paid(case) == 0)


def _its_share_of_fees_is_exact(case: Case) -> Any:
    """The rate of taker's and maker's fee together, a fraction of an atom staying with the fees."""
    paid = sum(line.amount for line in case.effects if isinstance(line, Pay) and line.reason is Reason.FEE)
    exact = paid * case.rulebook.insurance_fee_share
    share = case.after.reserves.insurance - case.before.reserves.insurance
    return every(
        share >= 0,
        share * RATE_ONE <= exact,
        (share + 1) * RATE_ONE > exact,
        case.after.reserves.fees + share == case.before.reserves.fees + paid,
    )


def _fees_stand(case: Case) -> Any:
    """Outside: what was taken as fees stays."""
    return case.after.reserves.fees == case.before.reserves.fees


def _a_markets_use_is_what_was_paid_there(case: Case) -> Any:
    """For its fills and deleveragings; the cover of a whole account's deficit is no market's."""
    before, after = case.before.market, case.after.market
    if before is None or after is None:
        return True
    return after.insurance_used == before.insurance_used + _paid(case)


def _use_stands(case: Case) -> Any:
    """Outside: where no lots are closed by force, no use is recorded, and only a whole account is covered."""
    before, after = case.before.market, case.after.market
    is_kept = True if before is None or after is None else after.insurance_used == before.insurance_used
    is_traded = any(isinstance(line, Trade) for line in case.effects)
    return every(is_kept, implies(is_traded, _paid(case) == 0))


def _parts_are_possible(case: Case) -> Any:
    market = case.after.market
    return every(parts_are_of_the_fund(case.after), True if market is None else part_is_possible(market))


def _what_a_market_has_is_what_came_and_went_there(case: Case) -> Any:
    """Of two parts, the market's own and what is shared, its event moves the one and leaves the other."""
    before, after = case.before, case.after
    if before.market is None or after.market is None:
        return _nothing_of_the_parts_moves(case)
    gained = after.market.insurance - before.market.insurance
    total = after.reserves.insurance - before.reserves.insurance
    is_separate = has_part(before.market)
    return every(
        _parts_are_possible(case),
        gained == after.separate_insurance - before.separate_insurance,
        implies(is_separate, every(gained == total, shared(after) == shared(before))),
        implies(negate(is_separate), gained == 0),
    )


def _what_a_market_has_is_shared_when_it_ends(case: Case) -> Any:
    before, after = case.before, case.after
    return every(
        _parts_are_possible(case),
        after.market.insurance == 0,
        shared(after) == shared(before) + before.market.insurance,
        after.reserves.insurance == before.reserves.insurance,
    )


def _its_own_events_alone_move_a_part(case: Case) -> Any:
    if isinstance(case.event, events.SettleMarket):
        return _what_a_market_has_is_shared_when_it_ends(case)
    return _what_a_market_has_is_what_came_and_went_there(case)


def _nothing_of_the_parts_moves(case: Case) -> Any:
    """Outside: every part stands, and what the fund pays or gets is shared."""
    before, after = case.before, case.after
    had = 0 if before.market is None else before.market.insurance
    has = 0 if after.market is None else after.market.insurance
    return every(_parts_are_possible(case), has == had, after.separate_insurance == before.separate_insurance)


LAWS = (
    Law(
        "INS-1",
        "the fund pays exactly the deficit, or what is available: what its limit leaves of what a separate market has "
        "for that market's own, of what is shared and above its floor for all else",
        DRAWING,
        _insurance_pays_the_deficit_or_what_it_has,
        _insurance_does_not_fall,
    ),
    Law(
        "INS-2",
        "what is shared of the fund is never drawn below its floor, a market's own never below zero, nor all of it "
        "beyond its limit in a window",
        DRAWING,
        _the_fund_is_drawn_within_its_bounds,
        _the_fund_is_not_drawn,
    ),
    Law(
        "INS-3",
        "the fund's share of a fill's fees is exact, rounded down",
        frozenset({events.Fill}),
        _its_share_of_fees_is_exact,
        _fees_stand,
    ),
    Law(
        "INS-4",
        "a market's recorded use of the fund is what it paid for fills and deleveragings there",
        frozenset({events.LiquidationFill, events.EndDeleveraging}),
        _a_markets_use_is_what_was_paid_there,
        _use_stands,
    ),
    Law(
        "INS-5",
        "separate markets' parts are never negative, together no more than the fund, and each moves only by what that "
        "market's own events bring and take, until it ends and its part is shared",
        frozenset(
            {
                events.FundInsurance,
                events.Fill,
                events.LiquidationFill,
                events.Deleverage,
                events.EndDeleveraging,
                events.SettleMarket,
            }
        ),
        _its_own_events_alone_move_a_part,
        _nothing_of_the_parts_moves,
    ),
)
