"""A state of the kernel from a venue's own figures: decimals in, atoms and lots inside, exact fractions out.

The atom is chosen so fine that every amount is a whole number of atoms. One more account takes
the other side of all positions, so that the laws hold of the state that is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import lcm

from attrs import evolve, field, frozen

from riskcore import queries
from riskcore.choices import RankPolicy, TierRule
from riskcore.events import Event
from riskcore.margin import get_initial_requirement, get_maintenance_requirement
from riskcore.markets import get_market
from riskcore.quantities import RATE_ONE, AccountId, Atoms, EventId, Lots, MarketId, Price, Rate, Time
from riskcore.rulebook import MarketRules, Rulebook, Tier, is_admissible_market
from riskcore.rules import Rule
from riskcore.state import Account, Market, Position, Positions, Reserves, State, genesis
from riskcore.step import step
from riskcore.venues.exact import Number, exact

#: The other side of every position.
REST = AccountId("rest")
#: The account that would take positions over.
VAULT = AccountId("vault")


@frozen
class Listing:
    """A market as it is quoted: price and funding index in quote units of one base unit, rates of notional.

    ``lot``: base units of a lot. ``tiers``: floors in quote units, initial and maintenance rates.
    """

    price: Fraction
    initial: Fraction
    maintenance: Fraction
    lot: Fraction = Fraction(1)
    liquidation_fee: Fraction = Fraction(0)
    funding_index: Fraction = Fraction(0)
    tiers: tuple[tuple[Fraction, Fraction, Fraction], ...] = ()
    slab: bool = False


@frozen
class Held:
    """A position: base units, signed; its cost in quote units (at mark where none is given) and index at entry."""

    size: Fraction
    cost: Fraction | None = None
    entry_index: Fraction = Fraction(0)


@frozen
class Holding:
    """An account: ``cash`` is what its balance is, so equity is cash plus the positions at mark."""

    cash: Fraction
    positions: Mapping[str, Held] = field(factory=dict)


def hold(collateral: Number, **positions: tuple[Number, Number]) -> Holding:
    """An account of ``collateral`` without profit, and positions of (size, entry price)."""
    held = {id: Held(exact(size), exact(size) * exact(entry)) for id, (size, entry) in positions.items()}
    costs = sum((position.cost or Fraction(0) for position in held.values()), Fraction(0))
    return Holding(exact(collateral) - costs, held)


def make_rulebook(**choices: object) -> Rulebook:
    """A venue without a vault, whose fund covers deficits of open accounts, with the named choices instead."""
    fields: dict[str, object] = {
        "vault": VAULT,
        "vault_position_limit": Atoms(0),
        "insurance_floor": Atoms(0),
        "insurance_backs_fills": False,
        "insurance_fill_band": Rate(0),
        "insurance_before_adl": True,
        "adl_solvent": False,
        "adl_requires_profit": False,
        "adl_rank": RankPolicy.PROFIT_TIMES_LEVERAGE,
        "funding_interval": Time(28_800_000),
        "funding_rate_cap": Rate(RATE_ONE),
    }
    return Rulebook(**{**fields, **choices})  # type: ignore[arg-type]


@frozen
class Scene:
    """A state, and what its units are worth: quote units of an atom, base units of each market's lot."""

    state: State
    atom: Fraction
    lots: Mapping[str, Fraction]

    def to_amount(self, atoms: int) -> Fraction:
        """Atoms in quote units."""
        return atoms * self.atom

    def to_price(self, market: str, price: int | Fraction) -> Fraction:
        """Atoms per lot in quote units of one base unit."""
        return price * self.atom / self.lots[market]

    def to_native_price(self, market: str, price: Number) -> int:
        """Quote units of one base unit in atoms per lot; ``ValueError`` where that is no whole number."""
        return _to_whole(exact(price) * self.lots[market] / self.atom)

    def to_lots(self, market: str, size: Number) -> int:
        """Base units in lots; ``ValueError`` where that is no whole number."""
        return _to_whole(exact(size) / self.lots[market])

    def get_equity(self, account: str) -> Fraction:
        """Cash and positions at mark, less the funding they owe."""
        return self.to_amount(queries.equity(self.state, AccountId(account)))

    def get_maintenance_margin(self, account: str) -> Fraction:
        """Each position's part rounded up to an atom."""
        return self.to_amount(queries.maintenance_margin(self.state, AccountId(account)))

    def get_initial_margin(self, account: str) -> Fraction:
        """Each position's part rounded up to an atom."""
        return self.to_amount(queries.initial_margin(self.state, AccountId(account)))

    def get_requirements(self, account: str, market: str) -> tuple[Fraction, Fraction]:
        """Initial and maintenance requirement of one position."""
        listed, size = get_market(self.state, MarketId(market)), self.get_lots(account, market)
        leverage = self.state.accounts.get(AccountId(account)).leverages.get(MarketId(market))
        initial = get_initial_requirement(listed, size, listed.open_interest, leverage)
        maintenance = get_maintenance_requirement(listed, size)
        return self.to_amount(initial), self.to_amount(maintenance)

    def get_lots(self, account: str, market: str) -> int:
        """The position's size in the kernel's unit, signed."""
        return self.state.accounts.get(AccountId(account)).positions.get(MarketId(market)).size

    def get_size(self, account: str, market: str) -> Fraction:
        """Base units, signed."""
        return self.get_lots(account, market) * self.lots[market]

    def get_cash(self, account: str) -> Fraction:
        """The balance, without positions."""
        return self.to_amount(self.state.accounts.get(AccountId(account)).balance)

    def get_pnl(self, account: str, market: str) -> Fraction:
        """The position at mark less its cost, without funding."""
        return self.to_amount(queries.unrealised_pnl(self.state, AccountId(account), MarketId(market)))

    def get_liquidation_price(self, account: str, market: str) -> Fraction | None:
        """The first whole price of the kernel at which the account is below maintenance."""
        price = queries.liquidation_price(self.state, AccountId(account), MarketId(market))
        return None if price is None else self.to_price(market, price)

    def get_bankruptcy_price(self, account: str, market: str) -> Fraction | None:
        """The price at which closing costs the position's share of equity; may lie below zero."""
        price = queries.bankruptcy_price(self.state, AccountId(account), MarketId(market))
        return None if price is None else self.to_price(market, price)

    def ask(self, kind: type[Event], *fields: object, time: int = 0) -> tuple[Scene, Rule | None]:
        """The scene after an event, and the rule that the event breaks, if it does."""
        sequence = self.state.sequence + 1
        outcome = step(
            self.state,
            kind(EventId(f"e{sequence}"), sequence, Time(time), *fields),  # type: ignore[arg-type]
        )
        return evolve(self, state=outcome.state), outcome.rejected


def make_scene(
    listings: Mapping[str, Listing],
    holdings: Mapping[str, Holding],
    rulebook: Rulebook | None = None,
    *,
    insurance: Number = 0,
    atom: Number | None = None,
    grain: int = 1,
    rest: Number | None = None,
) -> Scene:
    """The state of these markets and accounts.

    ``atom``: quote units of one; by default the coarsest in which every amount is whole, parted by ``grain``.
    ``rest``: quote units of the account that takes the other side; by default more than any price takes from it.
    ``ValueError`` where something is no whole number of atoms, lots or parts per million, a price not above zero,
    or rates that the kernel does not admit.
    """
    lots = {id: listing.lot for id, listing in listings.items()}
    unit = exact(atom) if atom is not None else Fraction(1, _get_scale(listings, holdings, exact(insurance)) * grain)
    scene = Scene(genesis(rulebook or make_rulebook()), unit, lots)
    accounts = {AccountId(id): _make_account(scene, listings, holding) for id, holding in holdings.items()}
    accounts[REST] = _make_rest(scene, listings, accounts.values(), rest)
    state, table = scene.state, scene.state.accounts
    for account_id, account in accounts.items():
        table = table.put(account_id, account)
    markets, seen = state.markets, _get_open_interest(listings, accounts.values())
    for id, listing in listings.items():
        markets = markets.put(MarketId(id), _make_market(scene, id, listing, seen[id]))
    fund = _to_whole(exact(insurance) / unit)
    transit = sum(
        position.size * position.entry_index
        for account in accounts.values()
        for _, position in account.positions.items()
    )
    balances = sum(account.balance for account in accounts.values())
    outside = -(balances + fund + transit)
    reserves = Reserves(Atoms(outside), Atoms(fund), Atoms(0), Atoms(transit), Atoms(0))
    return evolve(scene, state=evolve(state, accounts=table, markets=markets, reserves=reserves))


def _get_scale(listings: Mapping[str, Listing], holdings: Mapping[str, Holding], insurance: Fraction) -> int:
    """The least number of atoms of a quote unit such that every amount is whole."""
    amounts = [insurance]
    for listing in listings.values():
        amounts += [listing.price * listing.lot, listing.funding_index * listing.lot]
        amounts += [floor for floor, _, _ in listing.tiers]
    for holding in holdings.values():
        amounts.append(holding.cash)
        for id, held in holding.positions.items():
            amounts += [held.cost or Fraction(0), held.entry_index * listings[id].lot]
    return lcm(*(amount.denominator for amount in amounts))


def _make_account(scene: Scene, listings: Mapping[str, Listing], holding: Holding) -> Account:
    positions = {}
    for id, held in holding.positions.items():
        cost = held.size * listings[id].price if held.cost is None else held.cost
        entry_index = _to_whole(held.entry_index * listings[id].lot / scene.atom)
        size = Lots(scene.to_lots(id, held.size))
        positions[MarketId(id)] = Position(size, Atoms(_to_whole(cost / scene.atom)), Atoms(entry_index))
    return Account(Atoms(_to_whole(holding.cash / scene.atom)), Positions(positions))


def _make_rest(
    scene: Scene, listings: Mapping[str, Listing], accounts: Iterable[Account], cash_given: Number | None
) -> Account:
    """The other side, at mark."""
    positions, cash = {}, 1
    held = [account.positions for account in accounts]
    for id, listing in listings.items():
        size = -sum(positions_of.get(MarketId(id)).size for positions_of in held)
        price, index = (
            scene.to_native_price(id, listing.price),
            _to_whole(listing.funding_index * listing.lot / scene.atom),
        )
        positions[MarketId(id)] = Position(Lots(size), Atoms(size * price), Atoms(index))
        cash += abs(size) * price * 1000
    if cash_given is not None:
        cash = _to_whole(exact(cash_given) / scene.atom)
    return Account(Atoms(cash), Positions(positions))


def _get_open_interest(listings: Mapping[str, Listing], accounts: Iterable[Account]) -> dict[str, int]:
    held = [account.positions for account in accounts]
    return {id: sum(max(positions.get(MarketId(id)).size, 0) for positions in held) for id in listings}


def _make_market(scene: Scene, id: str, listing: Listing, open_interest: int) -> Market:
    tiers = tuple(
        Tier(Atoms(_to_whole(floor / scene.atom)), _to_rate(initial), _to_rate(maintenance))
        for floor, initial, maintenance in listing.tiers
    )
    rules = MarketRules(
        _to_rate(listing.initial),
        _to_rate(listing.maintenance),
        Rate(0),
        Rate(0),
        _to_rate(listing.liquidation_fee),
        tiers=tiers,
        tier_rule=TierRule.SLAB if listing.slab else TierRule.MARGINAL,
    )
    if not is_admissible_market(rules):
        raise ValueError(f"the rates are outside the admissible range: {rules}")
    price = scene.to_native_price(id, listing.price)
    if price <= 0:
        raise ValueError(f"a price above zero is expected, not {listing.price}")
    index = _to_whole(listing.funding_index * listing.lot / scene.atom)
    return Market(rules, Price(price), Atoms(index), 0, Time(0), Lots(open_interest))


def _to_rate(rate: Fraction) -> Rate:
    return Rate(_to_whole(rate * RATE_ONE))


def _to_whole(number: Fraction) -> int:
    if number.denominator != 1:
        raise ValueError(f"a whole number of units is expected, not {number}")
    return number.numerator
