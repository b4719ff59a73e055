"""What an account is worth, and what it must be worth.

Everything that decides about margin reads one ``Margin``, measured at the marks
of the state: equity with funding owed, initial and maintenance requirement. Each
position's requirement is rounded up, so it is above zero while the position is open.

``get_margin`` alone makes equity of an account's cash: collateral in several assets would be valued there.
"""

from __future__ import annotations

from typing import NamedTuple

from riskcore.journal import Party
from riskcore.orders import Resting
from riskcore.quantities import MarketId, apply_rate, divide_up
from riskcore.state import Account, Market, Position, State
from riskcore.tables import Table
from riskcore.tiers import get_initial_rates, get_maintenance_rates, get_tiered_requirement


class Margin(NamedTuple):
    """Atoms. ``maintenance`` is above zero exactly while a position is open."""

    equity: int
    initial: int
    maintenance: int


class Stance(NamedTuple):
    """A position of ``size`` lots, which its open orders could make one of ``exposure``, of either side."""

    size: int
    exposure: int


def get_exposure(size: int, resting: Resting) -> int:
    """The most lots, of either side, that a position of ``size`` and all orders of one side can become."""
    return max(size + resting.bids, resting.asks - size)


def get_stance(size: int, resting: Resting) -> Stance:
    return Stance(size, get_exposure(size, resting))


def get_initial_requirement(market: Market, size: int, open_interest: int, leverage: int) -> int:
    """Atoms needed to open ``size`` lots at mark, rounded up.

    By the market's rules where ``open_interest`` lots are open, or by the ``leverage`` that the account has
    chosen, above zero where it has, if that needs more.
    """
    rules, notional = market.rules, abs(size) * market.mark_price
    if not rules.tiers and rules.open_interest_cap == 0:
        required = apply_rate(notional, rules.initial_margin_rate)
    else:
        required = get_tiered_requirement(rules, notional, get_initial_rates(rules, open_interest * market.mark_price))
    return max(required, divide_up(notional, leverage)) if leverage > 0 else required


def get_maintenance_requirement(market: Market, size: int) -> int:
    """Atoms below which ``size`` lots are liquidated at mark, rounded up."""
    rules, notional = market.rules, abs(size) * market.mark_price
    if not rules.tiers:
        return apply_rate(notional, rules.maintenance_margin_rate)
    return get_tiered_requirement(rules, notional, get_maintenance_rates(rules))


def get_position_value(market: Market, position: Position) -> int:
    """Atoms that the position adds to equity: its lots at mark less the funding it owes."""
    return position.size * (market.mark_price - market.funding_index + position.entry_index)


def get_positions_margin(owner: Account | Party, markets: Table[MarketId, Market | None]) -> Margin:
    """The sums over all positions and open orders of an account; ``equity`` here is their value without the balance."""
    value = initial = maintenance = 0
    leverages, resting = owner.leverages, owner.resting
    for market_id, position in owner.positions.items():
        market = markets.get(market_id)
        assert market is not None
        value += get_position_value(market, position)
        exposure = get_exposure(position.size, resting.get(market_id))
        initial += get_initial_requirement(market, exposure, market.open_interest, leverages.get(market_id))
        maintenance += get_maintenance_requirement(market, position.size)
    for market_id, orders in resting.items():
        market = markets.get(market_id)
        assert market is not None
        if owner.positions.get(market_id).size == 0:
            exposure = get_exposure(0, orders)
            initial += get_initial_requirement(market, exposure, market.open_interest, leverages.get(market_id))
    return Margin(value, initial, maintenance)


def get_margin(owner: Account | Party, markets: Table[MarketId, Market | None]) -> Margin:
    """The margin of an account, also of one that an event has taken out."""
    value, initial, maintenance = get_positions_margin(owner, markets)
    return Margin(owner.balance + value, initial, maintenance)


def get_margin_after(
    margin: Margin, market: Market, before: Stance, after: Stance, gained: int, open_interest: int, leverage: int
) -> Margin:
    """The margin once a position has gone from ``before`` to ``after`` and equity has ``gained`` atoms.

    ``open_interest`` lots are open then; ``leverage`` is what the account has chosen. Settling funding
    changes no equity, so lots at mark, price and fee are all there is to gain.
    """
    initial = get_initial_requirement(market, after.exposure, open_interest, leverage)
    initial -= get_initial_requirement(market, before.exposure, market.open_interest, leverage)
    maintenance = get_maintenance_requirement(market, after.size) - get_maintenance_requirement(market, before.size)
    return Margin(margin.equity + gained, margin.initial + initial, margin.maintenance + maintenance)


def is_below_maintenance(margin: Margin) -> bool:
    """Whether the account may be liquidated. At the boundary it may not."""
    return margin.equity < margin.maintenance


def is_reduction(before: int, after: int) -> bool:
    """Whether a position moved toward zero and not through it."""
    return ((after >= 0) & (after < before)) | ((after <= 0) & (after > before))


def is_bearable(
    margin: Margin, market: Market, before: Stance, after: Stance, gained: int, left: int, leverage: int
) -> bool:
    """Whether an account at ``margin`` may go from ``before`` to ``after``, gaining ``gained`` atoms at mark.

    At initial margin afterwards, its open orders counted, with ``left`` lots open then and by its ``leverage``; or
    a reduction after which equity per maintenance is no lower, compared cross-multiplied.
    """
    result = get_margin_after(margin, market, before, after, gained, left, leverage)
    return (result.equity >= result.initial) | (
        is_reduction(before.size, after.size)
        & (result.equity * margin.maintenance >= margin.equity * result.maintenance)
    )


def can_bear(
    owner: Account | Party,
    state: State,
    market_id: MarketId,
    market: Market,
    size: int,
    resting: Resting,
    gained: int,
    left: int,
) -> bool:
    """Whether an account may have ``size`` lots and ``resting`` in a market, likewise."""
    before = get_stance(owner.positions.get(market_id).size, owner.resting.get(market_id))
    margin, chosen = get_margin(owner, state.markets), owner.leverages.get(market_id)
    return is_bearable(margin, market, before, get_stance(size, resting), gained, left, chosen)
