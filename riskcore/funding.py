"""Longs pay shorts, or shorts longs, through one integer index per market.

The index is rounded once per market and its remainder carried; accounts settle
lazily, when their size changes. Sizes sum to zero, so funding does too, to the atom.
"""

from __future__ import annotations

from attrs import evolve

from riskcore.events import ApplyFunding
from riskcore.journal import Journal
from riskcore.markets import get_open_market, is_index_fresh
from riskcore.quantities import RATE_ONE, Atoms, divide_down
from riskcore.rules import Rule, require
from riskcore.state import State


def process_apply_funding(state: State, event: ApplyFunding) -> Journal:
    # Guard
    market = get_open_market(state, event.market)
    elapsed = event.timestamp - market.funding_time
    require(elapsed > 0, Rule.FUNDING_NOT_DUE)
    require(abs(event.rate) <= state.rulebook.funding_rate_cap, Rule.FUNDING_RATE_CAPPED)
    is_on_index = state.rulebook.funding_on_index
    require((not is_on_index) | is_index_fresh(market, event.timestamp), Rule.INDEX_STALE)
    # Effect
    price = market.index_price if is_on_index else market.mark_price
    denominator = RATE_ONE * state.rulebook.funding_interval
    accrued = price * event.rate * elapsed + market.funding_remainder
    growth = divide_down(accrued, denominator)
    funded = evolve(
        market,
        funding_index=Atoms(market.funding_index + growth),
        funding_remainder=accrued - growth * denominator,
        funding_time=event.timestamp,
    )
    return Journal(state, event.market, funded)
