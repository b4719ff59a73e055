"""Peers' brackets: rates and deductions, open interest that scales, slabs. Requirements are the kernel's own."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from riskcore.quantities import RATE_ONE, Atoms
from riskcore.testing.rulebooks import make_rules
from riskcore.tiers import get_initial_rates
from riskcore.venues import binance, brackets, dydx, flox, hyperliquid, starkex
from riskcore.venues.exact import exact, round_down
from riskcore.venues.scene import Held, Holding, Listing, make_scene
from tests.vectors.play import Case, load, play


def run_dydx_maintenance(case: dict[str, Any]) -> dict[str, Any]:
    ppm = dydx.get_maintenance_margin_ppm(case["initial_margin_ppm"], case["maintenance_fraction_ppm"])
    return {"maintenance_margin_ppm": ppm}


def run_dydx_scaling(case: dict[str, Any]) -> dict[str, Any]:
    ppm, caps = case["base_initial_margin_ppm"], (case["lower"], case["upper"])
    adjusted = dydx.get_adjusted_initial_margin_ppm(ppm, case["open_interest_notional"], *caps)
    rules = make_rules(initial=ppm, maintenance=1, scaling=(Atoms(caps[0]), Atoms(caps[1])))
    assert get_initial_rates(rules, case["open_interest_notional"]) == (adjusted,)
    return {"adjusted_im_ppm": adjusted}


def get_kernel_requirement(levels: list[tuple[Fraction, Fraction]], notional: Fraction, slab: bool = False) -> Fraction:
    """What a notional needs by the kernel's own brackets of these floors and rates."""
    (_, base), *above = levels
    tiers = tuple((floor, rate, rate) for floor, rate in above)
    listing = Listing(Fraction(1), base, base, Fraction(1, notional.denominator), tiers=tiers, slab=slab)
    scene = make_scene({"X": listing}, {"a": Holding(notional, {"X": Held(notional)})}, grain=RATE_ONE)
    return scene.get_maintenance_margin("a")


def run_binance(case: dict[str, Any]) -> dict[str, Any]:
    floor, rate = exact(case["bracket_floor"]), exact(case["rate"])
    if case["previous_rate"] is None:
        return {"maintenance_amount": binance.make_brackets([(floor, rate)])[0].deduction}
    lower, lower_deduction = exact(case["previous_rate"]), exact(case["previous_deduction"])
    deduction = binance.get_deduction(floor, rate, lower, lower_deduction)
    # the kernel adds up what each bracket needs: less than the rate of all of it by the same growth of the deduction
    notional = 2 * floor
    needed = get_kernel_requirement([(Fraction(0), lower), (floor, rate)], notional)
    assert notional * rate - needed == deduction - lower_deduction
    return {"maintenance_amount": deduction}


def run_hyperliquid(case: dict[str, Any]) -> dict[str, Any]:
    levels = [(tier["lower_bound"], tier["max_leverage"]) for tier in case["tiers"]]
    tiers = hyperliquid.make_tiers(levels)
    table = [
        {"lower_bound": tier.floor, "max_leverage": leverage, "mm_rate": tier.rate, "deduction": tier.deduction}
        for (_, leverage), tier in zip(levels, tiers, strict=True)
    ]
    return {"continuous": brackets.is_continuous(tiers), "table": table}


def run_flox(case: dict[str, Any]) -> dict[str, Any]:
    levels = [(exact(floor), exact(rate)) for floor, rate in case["tiers"]]
    notional = exact(case["notional"])
    rate = brackets.get_bracket(flox.make_slabs(levels), notional).rate
    # at a floor the kernel's slab is still the one below
    if notional not in [floor for floor, _ in levels]:
        assert get_kernel_requirement(levels, notional, slab=True) == notional * rate
    return {"mm_fraction": rate}


def run_starkex(case: dict[str, Any]) -> dict[str, Any]:
    factor = starkex.get_risk_factor(
        case["risk_factors"], case["first_tier_boundary"], case["tier_size"], case["notional"]
    )
    above = range(len(case["risk_factors"]) - 1)
    floors = [0, *(case["first_tier_boundary"] - 1 + place * case["tier_size"] for place in above)]
    levels = [(Fraction(floor), exact(rate)) for floor, rate in zip(floors, case["risk_factors"], strict=True)]
    # the kernel's floors are the last notional of the slab below; and it rounds up, not down
    assert round_down(get_kernel_requirement(levels, exact(case["notional"]), slab=True)) == round_down(
        case["notional"] * factor
    )
    return {"total_risk": starkex.get_maintenance_margin(case["notional"], factor)}


RUNNERS = {
    "dydx-mmppm": run_dydx_maintenance,
    "dydx-adjim": run_dydx_scaling,
    "binance": run_binance,
    "hl-tier": run_hyperliquid,
    "flox-tier": run_flox,
    "starknet-risk": run_starkex,
}


@pytest.mark.parametrize("case", load("tiers"), ids=lambda case: case.id)
def test_the_figure_is_that_of_the_source(case: Case) -> None:
    _, differences = play(RUNNERS, case)

    assert [] == differences
