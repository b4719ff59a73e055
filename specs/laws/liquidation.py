"""Who may be liquidated, and what a forced close may cost."""

from __future__ import annotations

from typing import Any

from riskcore import events
from riskcore.journal import Pay, Reserve, Stage, Trade
from specs.arithmetic import RATE_ONE, every, implies, larger, magnitude, some
from specs.case import Case
from specs.contract import toward_zero
from specs.deleveraging import step_lots
from specs.laws.law import Law
from specs.liquidation import equity_share, toward

#: The events that close a position by force.
FORCED = frozenset({events.LiquidationFill, events.Takeover, events.Deleverage})


def get_liquidated(case: Case) -> Any:
    """The id whose position is closed by force."""
    event = case.event
    return event.account if hasattr(event, "account") else case.before.deleveraging.account


def _healthy_accounts_are_never_liquidated(case: Case) -> Any:
    account = case.before.account(get_liquidated(case))
    return account.equity < account.maintenance


def _forced_lots(case: Case) -> Any:
    return step_lots(case) if isinstance(case.event, events.Deleverage) else case.event.size


def _liquidation_only_shrinks(case: Case) -> Any:
    before, after = case.before.account(get_liquidated(case)), case.after.account(get_liquidated(case))
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
    band = case.rulebook.insurance_fill_band * event.size * case.before.market.mark_price
    return every(
        fund == missing,
        implies(missing > 0, case.rulebook.insurance_backs_fills & (loss * RATE_ONE <= band)),
        implies(before.equity >= 0, after.equity >= 0),
        implies(before.equity < 0, after.equity >= before.equity),
    )


def _equity_per_requirement_does_not_fall(case: Case) -> Any:
    before, after = case.before.account(get_liquidated(case)), case.after.account(get_liquidated(case))
    return after.equity * before.maintenance >= before.equity * after.maintenance


#: The stages that close an account's position because of what it is worth.
FORCED_STAGES = (Stage.BOOK, Stage.VAULT, Stage.DELEVERAGING)


def no_forced_trade(case: Case) -> Any:
    """Outside of forced closes: contracts move only where both sides want it, or the market ends."""
    return all(line.stage not in FORCED_STAGES for line in case.effects if isinstance(line, Trade))


def only_the_open_episode_is_closed(case: Case) -> Any:
    """Outside of LIQ-1: nothing is closed by force but what an open deleveraging was begun for."""
    forced = [line for line in case.effects if isinstance(line, Trade) and line.stage in FORCED_STAGES]
    if not forced:
        return True
    episode = case.before.deleveraging
    if episode is None:
        return False
    return every(*((line.buyer == episode.account) | (line.seller == episode.account) for line in forced))


def _closed_lots_have_one_taker(case: Case) -> Any:
    id = get_liquidated(case)
    moved_lots = [case.after.account(other).size - case.before.account(other).size for other in case.touched]
    closed = case.after.account(id).size - case.before.account(id).size
    takers = [(case.after.account(other).size - case.before.account(other).size) == -closed for other in case.touched]
    return every(sum(moved_lots, start=0) == 0, some(*takers), len(case.touched) == 2)


LAWS = (
    Law(
        "LIQ-1",
        "an account at or above maintenance is never liquidated",
        frozenset({events.LiquidationFill, events.Takeover, events.BeginDeleveraging}),
        _healthy_accounts_are_never_liquidated,
        only_the_open_episode_is_closed,
    ),
    Law(
        "LIQ-2",
        "liquidation only shrinks a position, never flips it, and closes what was asked",
        FORCED,
        _liquidation_only_shrinks,
        no_forced_trade,
    ),
    Law(
        "LIQ-3",
        "a liquidation fill is no worse than bankruptcy price, or within a band the fund pays exactly the difference",
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
        "CLOSE-1",
        "each lot closed on a liquidated account lands on exactly one taker",
        FORCED,
        _closed_lots_have_one_taker,
        no_forced_trade,
    ),
)
