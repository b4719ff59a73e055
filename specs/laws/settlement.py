"""How a market ends."""

from __future__ import annotations

from typing import Any

from riskcore import events
from riskcore.journal import Stage
from specs.arithmetic import every, implies
from specs.case import AccountView, Case
from specs.contract import toward_zero
from specs.laws.law import ALL_EVENTS, Law
from specs.status import is_ending


def settlement_moves_no_equity(case: Case) -> Any:
    """Both sides shrink by as many lots, one of them to nothing; neither is worth more or less, or needs more."""

    def law(before: AccountView, after: AccountView) -> Any:
        return every(
            toward_zero(before.size, after.size),
            after.equity == before.equity,
            after.initial <= before.initial,
            after.maintenance <= before.maintenance,
        )

    sides = (case.event.long, case.event.short)
    (long, long_after), (short, short_after) = ((case.before.account(id), case.after.account(id)) for id in sides)
    return every(
        law(long, long_after),
        law(short, short_after),
        long.size - long_after.size == short_after.size - short.size,
        (long_after.size == 0) | (short_after.size == 0),
        case.after.market.open_interest < case.before.market.open_interest,
    )


def _a_settling_market_stands_still(case: Case) -> Any:
    """It stays so, at its price and index, and nothing but settlement moves its contracts."""
    before, after = case.before.market, case.after.market
    if before is None or after is None:
        return True
    return implies(
        is_ending(before),
        every(
            is_ending(after),
            after.mark_price == before.mark_price,
            after.funding_index == before.funding_index,
            after.open_interest <= before.open_interest,
        ),
    )


LAWS = (
    Law(
        "SETTLE-1",
        "settlement moves no equity: a long and a short shrink by as many lots, one of them to nothing",
        frozenset({events.SettlePair}),
        settlement_moves_no_equity,
        lambda case: all(line.stage is not Stage.SETTLEMENT for line in case.effects),
    ),
    Law(
        "SETTLE-2",
        "a settling market stays so: its price and funding stand, and nobody enters",
        ALL_EVENTS,
        _a_settling_market_stands_still,
        _a_settling_market_stands_still,
    ),
)
