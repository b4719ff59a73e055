"""An account's margin as it comes about: each position's value, what it needs and by which bracket, what is left."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from attrs import frozen

from riskcore import queries
from riskcore.choices import TierRule
from riskcore.explain.watch import Watched, watch
from riskcore.margin import (
    get_exposure,
    get_initial_requirement,
    get_maintenance_requirement,
    get_margin,
    get_position_value,
    is_below_maintenance,
)
from riskcore.markets import get_market
from riskcore.quantities import RATE_ONE, AccountId, MarketId
from riskcore.rulebook import MarketRules
from riskcore.state import Account, Market, State
from riskcore.tiers import get_initial_rates, get_maintenance_rates, get_marginal_term, get_slab_term


@frozen
class Bracket:
    """What the notional above ``floor`` atoms adds to a requirement: ``term`` atoms, exact, at ``rate`` in ppm."""

    floor: int
    rate: int
    term: Fraction


@frozen
class Requirement:
    """Atoms that ``lots`` worth ``notional`` need: the brackets' terms, their sum ``exact``, and that rounded up.

    ``by_leverage``: the notional over the leverage that the account has chosen, where it has; ``amount`` is the larger.
    """

    lots: int
    notional: int
    brackets: tuple[Bracket, ...]
    exact: Fraction
    amount: int
    by_leverage: Fraction | None = None


@frozen
class PositionMargin:
    """A position at mark. ``value``: its lots at mark less ``funding_owed``, which is what it adds to equity.

    ``initial`` is that of the position with its open orders. Prices are atoms per lot.
    """

    market: MarketId
    size: int
    mark: int
    notional: int
    cost: int
    entry_price: Fraction | None
    funding_owed: int
    value: int
    initial: Requirement
    maintenance: Requirement
    liquidation_price: int | None
    bankruptcy_price: Fraction | None


@frozen
class AccountMargin:
    """``equity`` is ``balance`` and the positions' values; ``spare`` is what is left of it above maintenance."""

    account: AccountId
    balance: int
    positions: tuple[PositionMargin, ...]
    equity: int
    initial: int
    maintenance: int
    spare: int
    is_liquidatable: bool


def get_account_margin(state: State, id: AccountId) -> AccountMargin:
    """The account at the marks of the state."""
    account = state.accounts.get(id)
    margin = get_margin(account, state.markets)
    markets = {market for market, _ in account.positions.items()} | {market for market, _ in account.resting.items()}
    return AccountMargin(
        id,
        account.balance,
        tuple(_get_position_margin(state, id, account, market) for market in sorted(markets)),
        *margin,
        margin.equity - margin.maintenance,
        is_below_maintenance(margin),
    )


def _get_position_margin(state: State, id: AccountId, account: Account, market_id: MarketId) -> PositionMargin:
    market, position = get_market(state, market_id), account.positions.get(market_id)
    size = position.size
    exposure, leverage = get_exposure(size, account.resting.get(market_id)), account.leverages.get(market_id)
    return PositionMargin(
        market_id,
        size,
        market.mark_price,
        abs(size) * market.mark_price,
        position.cost,
        queries.entry_price(state, id, market_id),
        queries.funding_owed(state, id, market_id),
        get_position_value(market, position),
        get_initial(market, exposure, leverage),
        get_maintenance(market, size),
        queries.liquidation_price(state, id, market_id),
        queries.bankruptcy_price(state, id, market_id),
    )


def get_maintenance(market: Market, size: int) -> Requirement:
    """The maintenance requirement of a position."""
    watched = watch(lambda: get_maintenance_requirement(market, size))
    return _make_requirement(market, size, get_maintenance_rates(market.rules), watched)


def get_initial(market: Market, exposure: int, leverage: int) -> Requirement:
    """The initial requirement of what a position and its open orders could become, at the market's open interest."""
    rates = get_initial_rates(market.rules, market.open_interest * market.mark_price)
    watched = watch(lambda: get_initial_requirement(market, exposure, market.open_interest, leverage))
    return _make_requirement(market, exposure, rates, watched)


def _make_requirement(market: Market, size: int, rates: Sequence[int], watched: Watched[int]) -> Requirement:
    # what rounds up is the requirement, and then that by leverage; a scaled rate rounds down
    exact, *by_leverage = [division.exact for division in watched.divisions if division.by != "divide_down"]
    assert watched.result is not None
    notional = abs(size) * market.mark_price
    brackets = _get_brackets(market.rules, notional, rates)
    return Requirement(abs(size), notional, brackets, exact, watched.result, *by_leverage)


def _get_brackets(rules: MarketRules, notional: int, rates: Sequence[int]) -> tuple[Bracket, ...]:
    """The brackets that count: each that the notional reaches, or of slabs the one that needs most."""
    floors = (0, *(tier.floor for tier in rules.tiers))
    if rules.tiers and rules.tier_rule is TierRule.SLAB:
        terms = [get_slab_term(notional, floor, rate) for floor, rate in zip(floors, rates, strict=True)]
        chosen = terms.index(max(terms))
        return (Bracket(floors[chosen], rates[chosen], Fraction(terms[chosen], RATE_ONE)),)
    ceilings = (*floors[1:], notional)
    found = (
        Bracket(floor, rate, Fraction(get_marginal_term(notional, floor, ceiling, rate), RATE_ONE))
        for floor, ceiling, rate in zip(floors, ceilings, rates, strict=True)
    )
    return tuple(bracket for bracket in found if bracket.term)


@frozen
class Figures:
    """An account in short: atoms, its positions' lots, what it has of the vault, and how many orders."""

    balance: int
    equity: int
    initial: int
    maintenance: int
    positions: dict[MarketId, int]
    shares: int
    escrow: int
    orders: int


def get_figures(state: State, id: AccountId) -> Figures:
    """The account in short, at the marks of the state."""
    account, stake = state.accounts.get(id), state.stakes.get(id)
    sizes = {market: int(position.size) for market, position in sorted(account.positions.items())}
    orders = sum(resting.orders for _, resting in account.resting.items())
    return Figures(account.balance, *get_margin(account, state.markets), sizes, stake.shares, stake.deposit, orders)
