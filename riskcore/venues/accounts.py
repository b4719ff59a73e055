"""Accounts of several positions under a venue's rules: where each position would liquidate, all else as it is.

Exact, in quote units, as ``pricing`` is for one position with a margin of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from attrs import frozen

from riskcore.bad_input import Fault, list_names, printable, within
from riskcore.quantities import RATE_ONE, MarketId
from riskcore.rulebook import MarketRules
from riskcore.rulebook_file import RulebookFile
from riskcore.tiers import get_maintenance_rates
from riskcore.venues.brackets import Bracket, find_crossing
from riskcore.venues.loading import Accounts
from riskcore.venues.pricing import Basis, Position, get_adl_score, get_brackets, get_requirement
from riskcore.venues.scene import Held, Holding


@frozen
class PositionQuote:
    """``told``: the liquidation price that the data itself gives. ``bankruptcy_price``: where the account's equity is
    zero. Others as in ``pricing.Quote``.
    """

    market: str
    size: Fraction
    entry: Fraction
    mark: Fraction
    liquidation_price: Fraction | None
    told: Fraction | None
    bankruptcy_price: Fraction | None
    maintenance_margin: Fraction
    adl_score: Fraction | None


@frozen
class AccountQuote:
    """An account at mark. ``required``: what equity is held against."""

    id: str
    equity: Fraction
    maintenance_margin: Fraction
    required: Fraction
    leverage: Fraction | None
    positions: tuple[PositionQuote, ...]

    @property
    def is_liquidatable(self) -> bool:
        """Whether equity at mark is below what the venue requires."""
        return self.equity < self.required


def find_market(file: RulebookFile, name: str) -> MarketRules:
    """The rules of a market as data names it: by its name, or by the base currency of a symbol of a client.

    ``Fault`` where the file has neither.
    """
    for known in (name, name.partition("/")[0]):
        if known in file.markets:
            return file.markets[MarketId(known)]
    expected = f"{list_names(file.markets)}, or a rulebook that has it (riskcore rulebook from)"
    raise Fault(expected, printable(name), "market")


@frozen
class _Leg:
    """A position with its market's brackets, which have the fee of closing in them where that counts."""

    market: str
    held: Held
    entry: Fraction
    mark: Fraction
    brackets: tuple[Bracket, ...]
    fee: Fraction
    basis: Basis

    @property
    def maintenance(self) -> Fraction:
        """At mark, without a fee."""
        notional = abs(self.held.size) * self.mark
        return get_requirement(self.brackets, notional) - self.fee * notional

    @property
    def required(self) -> Fraction:
        """What the venue holds equity against, of this position."""
        price = self.entry if self.basis is Basis.ENTRY else self.mark
        return get_requirement(self.brackets, abs(self.held.size) * price)


def quote_accounts(file: RulebookFile, data: Accounts) -> list[AccountQuote]:
    """Every account with a position. ``Fault`` for a market that the file has not, or a file without units."""
    if file.units is None:
        raise Fault("units, which say what an atom is worth", "none", "units")
    atom, quotes = Fraction(file.units.cash), []
    for id, holding in data.holdings.items():
        legs = []
        for market, held in holding.positions.items():
            with within(printable(id)):
                legs.append(_make_leg(file, atom, market, held, data.marks[market]))
        if legs:
            quotes.append(_quote(file, id, holding, legs, data.told))
    return quotes


def _make_leg(file: RulebookFile, atom: Fraction, market: str, held: Held, mark: Fraction) -> _Leg:
    rules, basis = find_market(file, market), Basis(file.equity_against)
    fee = Fraction(rules.taker_fee_rate, RATE_ONE) if basis is Basis.PRICE_AND_FEE else Fraction(0)
    made = get_brackets(rules, get_maintenance_rates(rules), atom)
    brackets = tuple(Bracket(bracket.floor, bracket.rate + fee, bracket.deduction) for bracket in made)
    entry = mark if held.cost is None else held.cost / held.size
    return _Leg(market, held, entry, mark, brackets, fee, basis)


def _quote(
    file: RulebookFile, id: str, holding: Holding, legs: list[_Leg], told: Mapping[tuple[str, str], Fraction]
) -> AccountQuote:
    worth = sum((leg.held.size * leg.mark for leg in legs), Fraction(0))
    notional = sum((abs(leg.held.size) * leg.mark for leg in legs), Fraction(0))
    equity, required = holding.cash + worth, sum((leg.required for leg in legs), Fraction(0))
    positions = tuple(_quote_leg(file, leg, equity, required, told.get((id, leg.market))) for leg in legs)
    leverage = notional / equity if equity > 0 else None
    maintenance = sum((leg.maintenance for leg in legs), Fraction(0))
    return AccountQuote(id, equity, maintenance, required, leverage, positions)


def _quote_leg(
    file: RulebookFile, leg: _Leg, equity: Fraction, required: Fraction, told: Fraction | None
) -> PositionQuote:
    size, mark = leg.held.size, leg.mark
    # what the account would be worth without the position, and needs besides it
    rest, others = equity - size * mark, required - leg.required
    if leg.basis is Basis.ENTRY:
        price: Fraction | None = (required - rest) / size
        price = price if price is not None and price > 0 else None
    else:
        price = find_crossing(leg.brackets, size, others - rest, mark, equity < required, floors_are_below=True)
    bankruptcy = -rest / size
    score = get_adl_score(file.rulebook.adl_rank, Position(size, leg.entry, equity, mark), equity)
    return PositionQuote(
        leg.market,
        size,
        leg.entry,
        mark,
        price,
        told,
        bankruptcy if bankruptcy > 0 else None,
        leg.maintenance,
        score,
    )
