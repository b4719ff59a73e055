"""What a mark price may do, and what is done at a stale one."""

from __future__ import annotations

from typing import Any

from riskcore import events
from riskcore.choices import CloseOut
from riskcore.journal import Stage, Trade
from specs.arithmetic import RATE_ONE, every, implies, magnitude
from specs.case import Case
from specs.contract import toward_zero
from specs.laws.law import Law
from specs.markets import fresh, index_fresh
from specs.status import is_ending


def _marks_move_within_the_limit(case: Case) -> Any:
    before, after = case.before.market, case.after.market
    limit, moved = before.rules.mark_move_limit, magnitude(after.mark_price - before.mark_price)
    return every(
        after.mark_price > 0,
        after.mark_time == case.event.timestamp,
        implies(limit > 0, moved * RATE_ONE <= limit * before.mark_price),
        after.previous_mark_price == before.mark_price,
        implies(before.rules.mark_index_band > 0, _is_near_index(case)),
    )


def _is_near_index(case: Case) -> Any:
    """Within the band around the index; or nearer to it than before, as where it has run away."""
    before, index = case.before.market, case.before.market.index_price
    distance = magnitude(case.after.market.mark_price - index)
    is_within = distance * RATE_ONE <= before.rules.mark_index_band * index
    return is_within | (distance < magnitude(before.mark_price - index))


def _marks_stand(case: Case) -> Any:
    """Outside: only its listing and its end set a market's price otherwise."""
    before, after = case.before.market, case.after.market
    if before is None:
        return True
    previous = after.previous_mark_price == before.previous_mark_price
    if isinstance(case.event, events.SettleMarket):
        return previous
    return every(previous, after.mark_price == before.mark_price, after.mark_time == before.mark_time)


def _stale_indices_decide_nothing(case: Case) -> Any:
    event, rulebook = case.event, case.rulebook
    if isinstance(event, events.IndexPrice):
        return _index_moves_within_the_limit(case)
    decides = {
        events.MarkPrice: case.before.market.rules.mark_index_band > 0,
        events.ApplyFunding: rulebook.funding_on_index,
        events.BeginDeleveraging: rulebook.adl_close_out == CloseOut.INDEX,
    }
    return every(implies(decides[type(event)], index_fresh(case)), _index_stands(case))


def _index_moves_within_the_limit(case: Case) -> Any:
    before, after = case.before.market, case.after.market
    limit, moved = before.rules.index_move_limit, magnitude(after.index_price - before.index_price)
    return every(
        after.index_price > 0,
        after.index_time == case.event.timestamp,
        implies(limit > 0, moved * RATE_ONE <= limit * before.index_price),
    )


def _index_stands(case: Case) -> Any:
    before, after = case.before.market, case.after.market
    if before is None:
        return True
    return (after.index_price == before.index_price) & (after.index_time == before.index_time)


def _stale_marks_close_nobody(case: Case) -> Any:
    event = case.event
    if isinstance(event, events.ExecuteVaultDeposit | events.ExecuteVaultRedemption):
        return case.before.account(case.rulebook.vault).marks_are_fresh(event.timestamp)
    if isinstance(event, events.BeginLossSharing):
        return is_ending(case.before.market) | fresh(case)
    if isinstance(event, events.Withdraw | events.RequestVaultDeposit):
        return case.before.account(event.account).marks_are_fresh(event.timestamp)
    if isinstance(event, events.Transfer):
        return case.before.account(event.payer).marks_are_fresh(event.timestamp)
    if isinstance(event, events.SetLeverage | events.PlaceOrder):
        before, after = case.before.account(event.account), case.after.account(event.account)
        are_fresh = before.marks_are_fresh(event.timestamp)
        if isinstance(event, events.PlaceOrder):
            # the market's own too, where the order is the first that the account has there
            are_fresh = fresh(case) & are_fresh
        return (after.initial <= before.initial) | are_fresh
    if isinstance(event, events.Fill):
        parties = [(case.before.account(id).size, case.after.account(id).size) for id in (event.taker, event.maker)]
        return fresh(case) | every(*(toward_zero(before, after) for before, after in parties))
    return case.before.account(event.account).marks_are_fresh(event.timestamp)


def no_trade_by_choice(case: Case) -> Any:
    """Outside: contracts move only in a deleveraging that began at a fresh mark, or because the market ends."""
    if isinstance(case.event, events.Deleverage):
        return case.before.deleveraging is not None
    return all(line.stage is Stage.SETTLEMENT for line in case.effects if isinstance(line, Trade))


LAWS = (
    Law(
        "MARK-1",
        "a mark price is above zero, and moves by no more at once, and no further from the index, than its market's "
        "rules allow",
        frozenset({events.MarkPrice}),
        _marks_move_within_the_limit,
        _marks_stand,
    ),
    Law(
        "MARK-2",
        "at a stale mark nobody is liquidated, pays out cash, joins or leaves the vault, no loss is shared by it, no "
        "choice of leverage and no order needs more, and contracts move only where both sides reduce",
        frozenset(
            {
                events.Fill,
                events.LiquidationFill,
                events.Takeover,
                events.BeginDeleveraging,
                events.CoverDeficit,
                events.BeginLossSharing,
                events.Withdraw,
                events.Transfer,
                events.RequestVaultDeposit,
                events.ExecuteVaultDeposit,
                events.ExecuteVaultRedemption,
                events.SetLeverage,
                events.PlaceOrder,
            }
        ),
        _stale_marks_close_nobody,
        no_trade_by_choice,
    ),
    Law(
        "MARK-3",
        "an index price is above zero and moves by no more at once than its market's rules allow; a stale one bounds "
        "no mark, charges no funding and closes nobody",
        frozenset({events.IndexPrice, events.MarkPrice, events.ApplyFunding, events.BeginDeleveraging}),
        _stale_indices_decide_nothing,
        _index_stands,
    ),
)
