"""A market's life: its status changes as long as it does not end, and once it has ended and is empty it is delisted."""

from __future__ import annotations

from typing import Any

from riskcore import events
from riskcore.choices import MarketStatus
from riskcore.rules import Rule
from specs.arithmetic import every
from specs.case import Case
from specs.contract import Contract, Effect, header_guard
from specs.markets import known_market, open_market
from specs.status import REVERSIBLE, is_one_of


def _delist_guard(case: Case) -> dict[Rule, Any]:
    rules, market = {**header_guard(case), **known_market(case)}, case.before.market
    if market is None:
        return rules
    return {
        **rules,
        Rule.MARKET_OPEN: market.status == MarketStatus.SETTLING,
        Rule.MARKET_NOT_FLAT: market.open_interest == 0,
        Rule.ORDERS_REST: every(market.bid_price == 0, market.ask_price == 0),
    }


CONTRACTS = (
    Contract(
        event=events.SetMarketStatus,
        guard=lambda case: {
            **header_guard(case),
            **open_market(case),
            Rule.STATUS_IS_AN_END: is_one_of(case.event.status, *REVERSIBLE),
        },
        effect=lambda case: Effect(market={"status": case.event.status}),
    ),
    Contract(
        event=events.DelistMarket,
        guard=_delist_guard,
        effect=lambda case: Effect(market={"status": MarketStatus.DELISTED}),
    ),
)
