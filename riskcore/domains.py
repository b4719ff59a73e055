"""Whose part of the insurance fund is whose: a market that its rules separate has one of its own.

All of the fund is one reserve. Separate markets' parts are kept with the markets, and their total in the state;
what is left of the reserve is the shared part. A market's part moves with the fund in the events of that market,
and in no others.
"""

from __future__ import annotations

from attrs import evolve

from riskcore.quantities import Atoms, MarketId
from riskcore.state import Market, State


def has_part(market: Market) -> bool:
    """Whether a market has a part of the fund: its rules separate it, and it does not end."""
    return market.rules.insurance_separate & (not market.settling)


def get_stock(state: State, market: Market | None) -> int:
    """Atoms that there are to pay with for a market, or for whole accounts: its part, or else the shared one.

    The floor is kept back of the shared part alone. Below zero, that much of it is missing.
    """
    if market is not None and market.rules.insurance_separate:
        return market.insurance
    return state.reserves.insurance - state.separate_insurance - state.rulebook.insurance_floor


def get_insured(market: Market, change: int) -> Market:
    """The market once the fund has changed by ``change`` atoms in an event of its own.

    One that ends gives its part up: to the shared part, since nothing can draw on it any more.
    """
    part = market.insurance + change if has_part(market) else 0
    return market if part == market.insurance else evolve(market, insurance=Atoms(part))


def get_separate(state: State, market_id: MarketId, market: Market) -> Atoms:
    """Atoms of all markets' parts together, once a market is as given."""
    before = state.markets.get(market_id)
    return Atoms(state.separate_insurance + market.insurance - (0 if before is None else before.insurance))
