"""Funding moves a market's index, and nothing else: accounts settle when they are touched."""

from __future__ import annotations

from typing import Any

from riskcore import events
from riskcore.rules import Rule
from specs.arithmetic import RATE_ONE, floor_ratio, magnitude
from specs.case import Case
from specs.contract import Contract, Effect, header_guard
from specs.markets import open_market


def _guard(case: Case) -> dict[Rule, Any]:
    rules = {**header_guard(case), **open_market(case)}
    if case.before.market is None:
        return rules
    return {
        **rules,
        Rule.FUNDING_NOT_DUE: case.event.timestamp > case.before.market.funding_time,
        Rule.FUNDING_RATE_CAPPED: magnitude(case.event.rate) <= case.rulebook.funding_rate_cap,
    }


def _effect(case: Case) -> Effect:
    market = case.before.market
    elapsed = case.event.timestamp - market.funding_time
    accrued = market.mark_price * case.event.rate * elapsed + market.funding_remainder
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
