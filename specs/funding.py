"""Funding moves a market's index, and nothing else: accounts settle when they are touched."""

from __future__ import annotations

from typing import Any

from riskcore import events
from riskcore.rules import Rule
from specs.arithmetic import RATE_ONE, either, floor_ratio, implies, magnitude
from specs.case import Case
from specs.contract import Contract, Effect, header_guard
from specs.markets import index_fresh, open_market


def _guard(case: Case) -> dict[Rule, Any]:
    rules = {**header_guard(case), **open_market(case)}
    if case.before.market is None:
        return rules
    return {
        **rules,
        Rule.FUNDING_NOT_DUE: case.event.timestamp > case.before.market.funding_time,
        Rule.FUNDING_RATE_CAPPED: magnitude(case.event.rate) <= case.rulebook.funding_rate_cap,
        Rule.INDEX_STALE: implies(case.rulebook.funding_on_index, index_fresh(case)),
    }


def funded_price(case: Case) -> Any:
    """The price at which notional is charged: the index where the rulebook says so, else the mark."""
    market = case.before.market
    return either(case.rulebook.funding_on_index, market.index_price, market.mark_price)


def _effect(case: Case) -> Effect:
    market = case.before.market
    elapsed = case.event.timestamp - market.funding_time
    accrued = funded_price(case) * case.event.rate * elapsed + market.funding_remainder
    unit = RATE_ONE * case.rulebook.funding_interval
    growth = floor_ratio(accrued, unit)
    return Effect(
        market={
            "funding_index": market.funding_index + growth,
            "funding_remainder": accrued - growth * unit,
            "funding_time": case.event.timestamp,
        }
    )


CONTRACTS = (Contract(event=events.ApplyFunding, guard=_guard, effect=_effect),)
