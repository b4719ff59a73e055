"""One position under a venue's rules: where it is liquidated, where it is bankrupt, what it needs, how it ranks.

Exact, in quote units: nothing is rounded to atoms, ticks or lots, as the venues' published formulas do not. The
position has its margin to itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from fractions import Fraction
from math import lcm

from attrs import field, frozen

from riskcore.bad_input import Fault, get_hint, list_names, printable
from riskcore.choices import RankPolicy, TierRule
from riskcore.quantities import RATE_ONE
from riskcore.ranking import get_score
from riskcore.rulebook import MarketRules
from riskcore.rulebook_file import RulebookFile
from riskcore.tiers import get_maintenance_rates
from riskcore.venues import formulas
from riskcore.venues.brackets import Bracket, find_crossing, get_deduction, get_maintenance_margin
from riskcore.venues.exact import Number, exact


class Basis(StrEnum):
    """What equity is held against: the requirement at the price, that and the fee of closing, or that at entry.

    A rulebook's file says which (``equity_against``).
    """

    PRICE = "price"
    PRICE_AND_FEE = "price_and_fee"
    ENTRY = "entry"


FORMULAS = {
    Basis.PRICE: "(size * entry - margin - deduction) / (size - |size| * rate)",
    Basis.PRICE_AND_FEE: "(size * entry - margin - deduction) / (size - |size| * (rate + fee))",
    Basis.ENTRY: "entry - (margin - (|size| * entry * rate - deduction)) / size",
}


@frozen
class Position:
    """Base units, signed, from a price, with a margin in quote units, at a mark."""

    size: Fraction = field(converter=exact)
    entry: Fraction = field(converter=exact)
    margin: Fraction = field(converter=exact)
    mark: Fraction = field(converter=exact)


@frozen
class Quote:
    """Quote units, exact. ``liquidation_price``: None where no price above zero separates health from not.

    ``rate``, ``deduction`` and ``fee``: the terms of that price by ``basis``, of the bracket that the notional is in
    there. ``required``: what equity at mark is held against. ``leverage``: notional over equity, None where equity is
    not above zero. ``adl_score``: None where the rank is no matter of one position's figures.
    """

    position: Position
    basis: Basis
    rate: Fraction
    deduction: Fraction
    fee: Fraction
    liquidation_price: Fraction | None
    bankruptcy_price: Fraction
    equity: Fraction
    initial_margin: Fraction
    maintenance_margin: Fraction
    required: Fraction
    leverage: Fraction | None
    adl_rank: RankPolicy
    adl_score: Fraction | None

    @property
    def is_liquidatable(self) -> bool:
        """Whether equity at mark is below what the venue requires."""
        return self.equity < self.required


def make_position(side: str, size: Number, entry: Number, margin: Number, mark: Number | None = None) -> Position:
    """A ``long`` or a ``short``; marked at its entry where no mark is given. ``Fault`` names what is wrong."""
    if side not in ("long", "short"):
        raise Fault("long or short", repr(side), "side")
    numbers = {"size": size, "entry": entry, "margin": margin, "mark": entry if mark is None else mark}
    values: dict[str, Fraction] = {}
    for name, number in numbers.items():
        try:
            values[name] = exact(number)
        except (TypeError, ValueError):
            raise Fault("a decimal string like 12.5", repr(number), name) from None
        if values[name] < 0 or (values[name] == 0 and name != "margin"):
            bound = "zero or more" if name == "margin" else "above zero"
            raise Fault(f"a decimal {bound}", str(number), name)
    return Position(values["size"] * (1 if side == "long" else -1), values["entry"], values["margin"], values["mark"])


def get_brackets(rules: MarketRules, rates: Sequence[int], atom: Fraction) -> tuple[Bracket, ...]:
    """The market's brackets of these rates, in quote units."""
    made: list[Bracket] = []
    for floor, rate in zip((0, *(tier.floor for tier in rules.tiers)), rates, strict=True):
        below = made[-1] if made else Bracket(Fraction(0), Fraction(rate, RATE_ONE), Fraction(0))
        at, share = floor * atom, Fraction(rate, RATE_ONE)
        is_marginal = rules.tier_rule is TierRule.MARGINAL
        deduction = get_deduction(at, share, below.rate, below.deduction) if is_marginal else Fraction(0)
        made.append(Bracket(at, share, deduction))
    return tuple(made)


def compute_quote(file: RulebookFile, market: str, position: Position) -> Quote:
    """All figures of a position by a rulebook. ``Fault`` for a market that is not there, or a file without units."""
    rules = next((rules for name, rules in file.markets.items() if name == market), None)
    if rules is None:
        raise Fault(list_names(file.markets), printable(market) + get_hint(market, file.markets), "market")
    if file.units is None:
        raise Fault("units, which say what an atom is worth", "none", "units")
    atom, basis = Fraction(file.units.cash), Basis(file.equity_against)
    initial_rates = (rules.initial_margin_rate, *(tier.initial_margin_rate for tier in rules.tiers))
    brackets = get_brackets(rules, get_maintenance_rates(rules), atom)
    size, notional = position.size, abs(position.size) * position.mark
    fee = Fraction(rules.taker_fee_rate, RATE_ONE) if basis is Basis.PRICE_AND_FEE else Fraction(0)
    price = _find_price(brackets, position, basis, fee)
    at = position.entry if basis is Basis.ENTRY else price if price is not None else position.mark
    bracket = get_bracket_below(brackets, abs(size) * at)
    maintenance = get_requirement(brackets, notional)
    at_entry = get_requirement(brackets, abs(size) * position.entry)
    equity = formulas.get_equity(size, position.entry, position.margin, position.mark)
    return Quote(
        position,
        basis,
        bracket.rate,
        bracket.deduction,
        fee,
        price,
        formulas.get_bankruptcy_price(size, position.entry, position.margin),
        equity,
        get_requirement(get_brackets(rules, initial_rates, atom), notional),
        maintenance,
        at_entry if basis is Basis.ENTRY else maintenance + fee * notional,
        formulas.get_leverage(notional, equity),
        file.rulebook.adl_rank,
        get_adl_score(file.rulebook.adl_rank, position, equity),
    )


def get_bracket_below(brackets: Sequence[Bracket], notional: Fraction) -> Bracket:
    """The bracket of a notional as the kernel has it: at a floor it is the one below."""
    return next((bracket for bracket in reversed(brackets) if bracket.floor < notional), brackets[0])


def get_requirement(brackets: Sequence[Bracket], notional: Fraction) -> Fraction:
    bracket = get_bracket_below(brackets, notional)
    return get_maintenance_margin([Bracket(Fraction(0), bracket.rate, bracket.deduction)], notional)


def _find_price(brackets: Sequence[Bracket], position: Position, basis: Basis, fee: Fraction) -> Fraction | None:
    size, entry, margin = position.size, position.entry, position.margin
    if basis is Basis.ENTRY:
        price = entry - (margin - get_requirement(brackets, abs(size) * entry)) / size
        return price if price > 0 else None
    charged = [Bracket(bracket.floor, bracket.rate + fee, bracket.deduction) for bracket in brackets]
    missing, mark = size * entry - margin, position.mark
    is_below = size * mark - missing < get_requirement(charged, abs(size) * mark)
    return find_crossing(charged, size, missing, mark, is_below, floors_are_below=True)


def get_adl_score(policy: RankPolicy, position: Position, equity: Fraction) -> Fraction | None:
    """The kernel's score; None for ranks by age or by a draw."""
    if policy in (RankPolicy.FIFO, RankPolicy.PSEUDO_RANDOM):
        return None
    lots = position.size.denominator
    amounts = (position.mark / lots, position.size * position.entry, equity)
    atoms = lcm(*(amount.denominator for amount in amounts))
    mark, cost, worth = (int(amount * atoms) for amount in amounts)
    score = Fraction(*get_score(policy, int(position.size * lots), cost, mark, worth, 0, 0))
    # these two are amounts, and not ratios
    is_amount = policy in (RankPolicy.SIZE, RankPolicy.PROFIT_TIMES_NOTIONAL_TO_EQUITY)
    return score / atoms if is_amount else score
