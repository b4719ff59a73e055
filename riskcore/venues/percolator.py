"""Percolator: profits that have not vested are burned first, then the insurance fund pays, then equity is cut.

The model of October 2025 counts insurance as an asset and takes it away when it is drawn, so
drawing destroys money; ``conserving`` says what a rule would give that does not. Integers and exact ratios. Source:
aeyakovenko/percolator, crates/model_safety; dcccrypto/percolator, README.
"""

from __future__ import annotations

from fractions import Fraction

from attrs import frozen

from riskcore.venues.exact import round_down


@frozen
class Crisis:
    """What a shortage is met with; ``haircut`` is the part of equity that is cut."""

    deficit: int
    burned: int
    insurance_draw: int
    haircut: Fraction


def resolve(
    principal: int, realized: int, unvested: int, insurance: int, collateral: int, *, conserving: bool = False
) -> Crisis:
    """Meet what liabilities are above collateral and insurance: the deficit is taken anew after each of the two."""
    deficit = max(principal + realized + unvested - collateral - insurance, 0)
    burned = min(unvested, deficit)
    drawn = min(insurance, deficit - burned)
    assets = collateral + insurance - (0 if conserving else drawn)
    left, equity = max(principal + realized + unvested - burned - assets, 0), principal + realized
    return Crisis(deficit, burned, drawn, Fraction(min(left, equity), equity) if equity > 0 else Fraction(0))


def get_profit_factor(residual: int, matured_profit: int) -> Fraction:
    """The part of matured profits that what is left beside capital and insurance can pay; one where there are none."""
    if matured_profit <= 0:
        return Fraction(1)
    return Fraction(min(max(residual, 0), matured_profit), matured_profit)


def get_withdrawable_profit(profit: int, factor: Fraction) -> int:
    """Rounded down."""
    return round_down(profit * factor)
