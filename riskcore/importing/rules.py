"""Margin rates of a log's markets: those of a preset or a rulebook's file, or the same for all where none is named."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Final

from attrs import evolve, frozen

from riskcore.bad_input import Fault, LogError
from riskcore.margin import get_initial_requirement
from riskcore.quantities import Atoms, Lots, Price, Rate, Time
from riskcore.rulebook import MarketRules
from riskcore.rulebook_file import RulebookFile
from riskcore.rulebook_show import find_rulebook
from riskcore.state import Market
from riskcore.venues.accounts import find_market

#: Fees are as the file of fills has them, not as rates; what stands in the way of a trade that was made is off.
PLAIN: Final = MarketRules(Rate(100_000), Rate(50_000), Rate(0), Rate(0), Rate(0))


@frozen
class Margins:
    """``name``: as it was asked for; None for the plain rates. ``cash``: quote currency of an atom of ``file``'s."""

    name: str | None = None
    file: RulebookFile | None = None
    cash: Fraction = Fraction(1)

    @property
    def words(self) -> str:
        """What is assumed."""
        if self.name is None:
            return "margin rates of 10 % initial and 5 % maintenance in every market"
        return f"margin rates and brackets of {self.name}, and none of its other rules"

    def make_rules(self, markets: Iterable[str], atom: Fraction) -> dict[str, MarketRules]:
        """The rules of each market, in atoms of so much. ``LogError`` where the rulebook has none of that name."""
        return {market: self._make(market, atom) for market in markets}

    def _make(self, market: str, atom: Fraction) -> MarketRules:
        if self.file is None:
            return PLAIN
        try:
            found = find_market(self.file, market)
        except Fault as fault:
            raise LogError(f"--rules {self.name}", None, fault.field, fault.expected, fault.got) from None
        floors = [tier.floor * self.cash / atom for tier in found.tiers]
        assert all(floor.denominator == 1 for floor in floors)
        tiers = tuple(evolve(tier, floor=Atoms(int(floor))) for tier, floor in zip(found.tiers, floors, strict=True))
        rates = found.initial_margin_rate, found.maintenance_margin_rate
        return MarketRules(*rates, Rate(0), Rate(0), Rate(0), tiers=tiers, tier_rule=found.tier_rule)


def find_margins(name: str | None) -> Margins:
    """Those of a preset or a file. ``LogError`` where there is none, or it does not say its units."""
    if name is None:
        return Margins()
    file = find_rulebook(name)
    if file.units is None:
        raise LogError(f"--rules {name}", None, "units", "a rulebook with units", "one without")
    return Margins(name, file, Fraction(file.units.cash))


def get_initial(rules: MarketRules, size: int, price: int) -> int:
    """Atoms of initial margin that so many lots need at a price."""
    return get_initial_requirement(Market(rules, Price(price), Atoms(0), 0, Time(0), Lots(0)), size, 0, 0)
