"""A market's end: no more trades but pairs of a long and a short, closed at the settlement price."""

from __future__ import annotations

from typing import Any

from riskcore import events
from riskcore.choices import MarketStatus
from riskcore.journal import Reason, Stage
from riskcore.rules import Rule
from specs.arithmetic import smaller
from specs.case import Case
from specs.contract import Contract, Effect, header_guard, moved, owed, trade
from specs.markets import known_market, open_market
from specs.status import is_ending

SETTLE_MARKET = Contract(
    event=events.SettleMarket,
    guard=lambda case: {
        **header_guard(case),
        **open_market(case),
        Rule.PRICE_NOT_POSITIVE: case.event.price > 0,
    },
    effect=lambda case: Effect(
        market={
            "mark_price": case.event.price,
            "status": MarketStatus.SETTLING,
            "mark_time": case.event.timestamp,
            "insurance": 0,
        },
        separate_insurance=case.before.separate_insurance - case.before.market.insurance,
    ),
)


def _pair_guard(case: Case) -> dict[Rule, Any]:
    event, before = case.event, case.before
    rules = {**header_guard(case), **known_market(case)}
    if before.market is None:
        return rules
    return {
        **rules,
        Rule.MARKET_OPEN: is_ending(before.market),
        Rule.ORDERS_REST: (before.account(event.long).orders == 0) & (before.account(event.short).orders == 0),
        Rule.NOT_OPPOSITE: (before.account(event.long).size > 0) & (before.account(event.short).size < 0),
    }


def _pair_effect(case: Case) -> Effect:
    event, before = case.event, case.before
    long, short = before.account(event.long), before.account(event.short)
    lots = smaller(long.size, -short.size)
    debit = lots * before.market.mark_price
    return Effect(
        accounts=(
            (event.long, moved(case, long, -lots, -debit)),
            (event.short, moved(case, short, lots, debit)),
        ),
        reserves={"transit": before.reserves.transit + owed(case, long) + owed(case, short)},
        market={"open_interest": before.market.open_interest - lots},
        lines=trade(case, event.short, event.long, lots, debit, Reason.SETTLEMENT, Stage.SETTLEMENT),
    )


CONTRACTS = (SETTLE_MARKET, Contract(event=events.SettlePair, guard=_pair_guard, effect=_pair_effect))
