"""How the text of an explanation shows tables, amounts and prices."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from attrs import frozen

from riskcore.explain.clauses import Comparison
from riskcore.units import Units, format_decimal


@frozen
class Scale:
    """Amounts in quote currency and prices per base unit, exact."""

    units: Units

    def amount(self, atoms: int) -> str:
        return self.units.format_amount(atoms)

    def price(self, market: str, price: Fraction | int | None) -> str:
        """In quote currency per base unit; in atoms per lot where nothing says what a lot is."""
        if price is None:
            return "none"
        lot = self.units.lots.get(market)
        if lot is None:
            return f"{format_decimal(Fraction(price))} atoms per lot"
        return format_decimal(price * Fraction(self.units.cash) / Fraction(lot))


def join_comparisons(comparisons: Iterable[Comparison]) -> str:
    """The comparisons that decide a condition, behind each other, each with its numbers; ``(no)`` where one fails."""
    return "; ".join(map(_show_comparison, comparisons))


def _show_comparison(one: Comparison) -> str:
    if not one.sides:
        return f"{one.text}: {'yes' if one.holds else 'no'}"
    return f"{one.text}: {one.numbers}{'' if one.holds else ' (no)'}"
