"""Whom a deleveraging closes, in which order, and what they pay."""

from __future__ import annotations

from typing import Any

from riskcore import events
from riskcore.choices import AdlSize, CloseOut
from riskcore.journal import Stage
from specs.allocation import is_queue, part_in
from specs.arithmetic import every, implies, larger, magnitude, negate, smaller
from specs.case import Case
from specs.close_out import price_worth
from specs.contract import toward_zero
from specs.deleveraging import closes_nothing, eligible, lots_to_close, paid, passed_on, step_lots
from specs.invariant import longs_equal_shorts
from specs.laws.law import Law
from specs.laws.liquidation import get_liquidated
from specs.liquidation import equity_share


def _deleveraging_closes_opposites(case: Case) -> Any:
    if closes_nothing(case):
        return not case.touched
    id = case.before.deleveraging.account
    account, head = case.before.account(id), case.before.account(case.head)
    account_after, head_after = case.after.account(id), case.after.account(case.head)
    return every(
        account.size * head.size < 0,
        toward_zero(account.size, account_after.size),
        toward_zero(head.size, head_after.size),
    )


def _queue_order_is_kept(case: Case) -> Any:
    """For any other account that still qualifies: the head ranks before it, or it had its part before."""
    episode = case.before.deleveraging
    against = case.before.account(episode.account).size
    checks = []
    for id in case.others():
        other = case.before.account(id)
        qualifies = eligible(case, other, against, episode.share, episode.lots)
        had_its_part = negate(is_queue(case)) & case.had_its_turn(id)
        checks.append(implies((id != case.head) & qualifies, had_its_part | case.is_ahead(case.head, id)))
    return every(*checks)


def counterparties_pay_their_part_and_no_more(case: Case) -> Any:
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


def shares_telescope(case: Case) -> Any:
    """What was paid before and in this step is the share's part of the lots done, all of it at the end."""
    episode = case.before.deleveraging
    account, after = case.before.account(episode.account), case.after.account(episode.account)
    done = episode.done + step_lots(case)
    payment = paid(episode, done) - paid(episode, episode.done)
    overshoot = passed_on(episode, done) - passed_on(episode, episode.done)
    is_last, is_bankruptcy = done == episode.lots, case.rulebook.adl_close_out == CloseOut.BANKRUPTCY
    return every(
        after.equity == account.equity + payment - overshoot,
        case.after.reserves.insurance == case.before.reserves.insurance + overshoot,
        overshoot >= 0,
        implies(is_last, payment == episode.share - paid(episode, episode.done)),
        implies(is_last, overshoot == episode.excess - passed_on(episode, episode.done)),
        implies(is_bankruptcy, overshoot == 0),
        implies(is_bankruptcy & is_last & (after.maintenance == 0), after.equity == 0),
    )


def _end_books_what_is_missing(case: Case) -> Any:
    episode = case.before.deleveraging
    account, after = case.before.account(episode.account), case.after.account(episode.account)
    had = paid(episode, episode.done) - passed_on(episode, episode.done)
    return after.equity == account.equity + larger(episode.share - episode.excess - had, 0)


def _adl_4(case: Case) -> Any:
    if isinstance(case.event, events.EndDeleveraging):
        return _end_books_what_is_missing(case)
    return shares_telescope(case)


def _no_lot_too_many(case: Case) -> Any:
    episode = case.after.deleveraging if case.before.deleveraging is None else case.before.deleveraging
    before, after = case.before.account(episode.account), case.after.account(episode.account)
    size = magnitude(before.size)
    if isinstance(case.event, events.Deleverage):
        return every(size - magnitude(after.size) <= episode.lots - episode.done, case.end_is_at_maintenance())
    is_whole = (case.rulebook.adl_size == AdlSize.WHOLE) | (before.equity <= 0)
    return every(
        episode.lots > 0,
        episode.lots <= size,
        implies(is_whole, episode.lots == size),
        lots_to_close(case, before, episode.lots),
        case.end_is_at_maintenance(),
    )


def _nobody_profits_from_his_deficit(case: Case) -> Any:
    episode = case.after.deleveraging if case.before.deleveraging is None else case.before.deleveraging
    kept = episode.share - episode.excess
    before, after = case.before.account(episode.account), case.after.account(episode.account)
    if isinstance(case.event, events.Deleverage):
        is_last = episode.done + step_lots(case) == episode.lots
        return every(
            case.after.reserves.insurance >= case.before.reserves.insurance,
            implies(is_last & (kept > 0), after.equity <= 0),
            implies(is_last & (kept < 0), after.equity >= 0),
        )
    lost = -equity_share(case, before, episode.lots)
    worth = price_worth(case.rulebook, case.before.market, before.size, episode.lots)
    least = smaller(lost, 0)
    is_bankruptcy = case.rulebook.adl_close_out == CloseOut.BANKRUPTCY
    return every(
        least <= kept,
        kept <= larger(lost, 0),
        episode.excess >= 0,
        implies(is_bankruptcy, kept == lost),
        is_bankruptcy | (episode.share == worth) | ((episode.share == least) & (worth < least)),
        implies(episode.excess > 0, kept == larger(lost, 0)),
    )


def _an_opposite_position_exists(case: Case) -> Any:
    """A position that is open has another on the opposite side: the rest sums to its negative."""
    account = case.before.account(get_liquidated(case))
    rest = case.before.sum_sizes - account.size
    return implies(account.size != 0, rest * account.size < 0)


def _queue_stays_certified(case: Case) -> Any:
    """The open queue's certificate, re-established after the event for any two accounts."""
    return case.certificate_holds()


def _everyone_closes_its_part(case: Case) -> Any:
    """All or what is left of the lots in a queue; else the part, rounded up as long as lots are left over."""
    episode, head = case.before.deleveraging, case.before.account(case.head)
    least, most = part_in(case, episode, head)
    closed = magnitude(head.size) - magnitude(case.after.account(case.head).size)
    in_turn = closed == smaller(episode.lots - episode.done, magnitude(head.size))
    parted = every(
        closed >= least,
        closed <= most,
        most <= least + 1,
        implies(episode.remainder > 0, closed == most),
        implies(episode.remainder == 0, closed == least),
    )
    return every(implies(is_queue(case), in_turn), is_queue(case) | parted)


def _all_that_can_be_closed_is(case: Case) -> Any:
    return case.allotment_ties()


LAWS = (
    Law(
        "ADL-1",
        "deleveraging closes opposite sides only; both shrink, neither flips",
        frozenset({events.Deleverage}),
        _deleveraging_closes_opposites,
        lambda case: all(line.stage is not Stage.DELEVERAGING for line in case.effects),
    ),
    Law(
        "ADL-2",
        "nobody is touched while someone ahead still qualifies, but where lots are parted and that one had its part; "
        "the queue stays certified",
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
        counterparties_pay_their_part_and_no_more,
        lambda case: all(line.stage is not Stage.DELEVERAGING for line in case.effects),
    ),
    Law(
        "ADL-4",
        "an episode's payments total the share exactly; overshoot goes to the insurance fund, a shortfall is booked "
        "by name",
        frozenset({events.Deleverage, events.EndDeleveraging}),
        _adl_4,
        lambda case: all(line.stage is not Stage.DELEVERAGING for line in case.effects),
    ),
    Law(
        "ADL-5",
        "while a position is open, an opposite one is too",
        frozenset({events.BeginDeleveraging, events.Deleverage}),
        _an_opposite_position_exists,
        lambda case: longs_equal_shorts(case.after),
    ),
    Law(
        "ADL-7",
        "a deleveraging closes all of a position; of an account with equity left, where the rulebook says so, the "
        "fewest lots that bring it to maintenance, where it stands when they are all closed",
        frozenset({events.BeginDeleveraging, events.Deleverage}),
        _no_lot_too_many,
        lambda case: case.after.deleveraging is None,
    ),
    Law(
        "ADL-8",
        "at any close-out price an account gets no more than its lots have lost, and gives no more than they still "
        "have: beyond that, what is paid is the insurance fund's and what is due lapses",
        frozenset({events.BeginDeleveraging, events.Deleverage}),
        _nobody_profits_from_his_deficit,
        lambda case: case.after.deleveraging is None,
    ),
    Law(
        "ADL-9",
        "in a queue each closes all that it has; where lots are parted, each its exact part, rounded down or up by one "
        "lot",
        frozenset({events.Deleverage}),
        _everyone_closes_its_part,
        lambda case: all(line.stage is not Stage.DELEVERAGING for line in case.effects),
    ),
    Law(
        "ADL-10",
        "what is closed, and what those to come are allotted, is at any moment all the lots or all that the queue had; "
        "an exhausted queue has closed that",
        frozenset({events.BeginDeleveraging, events.Deleverage, events.EndDeleveraging}),
        _all_that_can_be_closed_is,
        lambda case: case.after.deleveraging is None,
    ),
)
