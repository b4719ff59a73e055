"""Peers' funding and profit: rates, index, settlement with the venue's rounding, and profits of real fills."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import pytest

from riskcore import oracle, queries
from riskcore.quantities import RATE_ONE, AccountId, MarketId
from riskcore.venues import binance, chitra, dydx, flox, formulas, hyperliquid, starkex
from riskcore.venues.exact import exact
from riskcore.venues.scene import Held, Holding, Listing, hold, make_scene
from tests.vectors.play import Case, load, play

SUBJECTS = ("funding", "pnl")


def get_settled(size: int, entry_index: Fraction, index: Fraction) -> Fraction:
    """What a position of the kernel is owed of funding."""
    listing = Listing(Fraction(1), Fraction(1), Fraction(1), funding_index=index)
    held = Held(Fraction(size), entry_index=entry_index)
    scene = make_scene({"X": listing}, {"a": Holding(Fraction(0), {"X": held})})
    return scene.to_amount(-queries.funding_owed(scene.state, AccountId("a"), MarketId("X")))


def run_dydx_clamp(case: dict[str, Any]) -> dict[str, Any]:
    terms = case["clamp_factor_ppm"], case["initial_margin_ppm"], case["maintenance_fraction_ppm"]
    return {"max_abs_funding_ppm": dydx.get_max_funding_rate_ppm(*terms)}


def run_dydx_settlement(case: dict[str, Any]) -> dict[str, Any]:
    size, entry, index = case["position_quantums"], case["position_index"], case["current_index"]
    settled = get_settled(size, Fraction(entry), Fraction(index))
    assert settled == dydx.get_funding_settlement_ppm(size, entry, index)
    return {"net_settlement_ppm": settled}


def run_dydx_index(case: dict[str, Any]) -> dict[str, Any]:
    units = case["price"], case["price_exponent"], case["atomic_resolution"]
    return {"index_delta": dydx.get_funding_index_delta(case["funding_rate_8h_ppm"], case["seconds"], *units)}


def run_starkex_rounding(case: dict[str, Any]) -> dict[str, Any]:
    delta = exact(case.get("index_delta", case.get("index_delta_cumulative", 0)))
    payment = starkex.get_funding_payment(case["size"], delta)
    # the kernel is exact, so the venue's payment is at most a quantum less
    assert 0 <= get_settled(case["size"], Fraction(0), delta) - payment < 1
    return {"collateral": case["collateral_after_trade"] + payment}


def run_payment(case: dict[str, Any]) -> dict[str, Any]:
    payment = flox.get_funding_payment(case["size"], case["mark"], case["rate"])
    settled = get_settled(case["size"], Fraction(0), exact(case["mark"]) * exact(case["rate"]))
    assert settled == payment
    return {"payment": payment}


def run_fee(case: dict[str, Any]) -> dict[str, Any]:
    size = case["size"] * (1 if case["side"] == "long" else -1)
    return {"fee_received": formulas.get_funding_payment(size, case["mark"], case["rate"])}


def get_rate(premium: Fraction, interest: Any, clamp: Any, cap: Any) -> Fraction:
    """By the venues' formula, and by the kernel's oracle where all are whole parts per million."""
    rate = flox.get_funding_rate(premium, interest, clamp, cap)
    native = [exact(value) * RATE_ONE for value in (premium, interest, clamp, cap)]
    if all(value.denominator == 1 for value in native):
        assert oracle.get_funding_rate(*(value.numerator for value in native)) == rate * RATE_ONE
    return rate


def run_rate(case: dict[str, Any]) -> dict[str, Any]:
    interest, clamp, cap = (case.get(name, usual) for name, usual in USUAL.items())
    if "samples" in case:
        premium = formulas.get_average(read_samples(case["samples"]))
    else:
        premium = flox.get_premium(case["index"], case["mark"], case["mark"])
    return {"rate": get_rate(premium, interest, clamp, cap)}


#: What a case means that does not say them.
USUAL = {"interest": "0.0001", "clamp": "0.0005", "cap": "0.0075"}


def read_samples(text: str) -> list[Fraction]:
    """Premiums from text like ``99x(100/100), 1x(150/100)``: how often, mark and index."""
    found = re.findall(r"([0-9]+)x\(([0-9.]+)/([0-9.]+)\)", text)
    return [flox.get_premium(index, mark, mark) for count, mark, index in found for _ in range(int(count))]


def run_hyperliquid_rate(case: dict[str, Any]) -> dict[str, Any]:
    bid = exact(case["impact_bid"])
    premium = hyperliquid.get_premium(case["oracle"], bid, case.get("impact_ask", max(bid, exact(case["oracle"]))))
    rate = hyperliquid.get_funding_rate(premium, case["interest_8h"], case["clamp"])
    return {"premium": premium, "funding_8h": rate, "hourly": hyperliquid.get_hourly_rate(premium)}


def run_mark(case: dict[str, Any]) -> dict[str, Any]:
    times = case["hours_to_funding"], case["interval"]
    return {"mark": binance.get_mark_from_funding(case["index"], case["funding_rate"], *times)}


# The paper's example


def read_chitra(case: dict[str, Any]) -> tuple[dict[str, chitra.Position], list[Fraction], list[Fraction]]:
    """Positions, prices and gammas of two steps."""
    positions = {
        name: chitra.Position(exact(held["q"]) * held["side"], exact(held["collateral"]))
        for name, held in case["positions"].items()
    }
    prices = [exact(case[name]) for name in ("p0", "p1", "p2")]
    gammas = [
        chitra.get_funding_gamma([*positions.values()], price, case[spot], case["kappa"])
        for price, spot in zip(prices[1:], ("spot1", "spot2"), strict=True)
    ]
    return positions, prices, gammas


def run_chitra_gamma(case: dict[str, Any]) -> dict[str, Any]:
    _, _, gammas = read_chitra(case)
    return {"gamma1": gammas[0], "gamma2": gammas[1]}


def make_chitra_funding(id: str) -> Any:
    def run(case: dict[str, Any]) -> dict[str, Any]:
        positions, prices, gammas = read_chitra(case)
        paid = [
            chitra.get_funding_payment(positions[id].size, price, -gamma)
            for price, gamma in zip(prices[1:], gammas, strict=True)
        ]
        return {"t1": paid[0], "t2": paid[1]}

    return run


def make_chitra_pnl(id: str) -> Any:
    def run(case: dict[str, Any]) -> dict[str, Any]:
        positions, prices, gammas = read_chitra(case)
        held = positions[id]
        first, second = (
            chitra.get_total_pnl(held.size, prices[:2], gammas[:1]),
            chitra.get_total_pnl(held.size, prices, gammas),
        )
        check_kernel_pnl(held, prices, gammas, held.collateral + second)
        return {
            "pnl_0_1": first,
            "pnl_0_2": second,
            "equity1": chitra.get_equity(held, prices[:2], gammas[:1]),
            "equity2": chitra.get_equity(held, prices, gammas),
        }

    return run


def check_kernel_pnl(held: chitra.Position, prices: list[Fraction], gammas: list[Fraction], equity: Fraction) -> None:
    """The kernel's equity with the same prices and index."""
    index = -sum((gamma * price for gamma, price in zip(gammas, prices[1:], strict=True)), Fraction(0))
    listing = Listing(prices[-1], Fraction(1), Fraction(1), funding_index=index)
    scene = make_scene({"X": listing}, {"a": hold(held.collateral, X=(held.size, prices[0]))})
    assert equity == scene.get_equity("a")


# Real fills


def get_closed_pnl(size: Fraction, entry: Any, price: Any) -> Fraction:
    """Profit of a position of the kernel that is marked to the price at which it is closed."""
    listing = Listing(exact(price), Fraction(1), Fraction(1), Fraction(1, size.denominator))
    scene = make_scene({"X": listing}, {"a": hold(0, X=(size, entry))})
    pnl = scene.get_pnl("a", "X")
    assert pnl == hyperliquid.get_pnl(size, entry, price)
    return pnl


def run_fill(case: dict[str, Any]) -> dict[str, Any]:
    side = 1 if exact(case["position_size"]) > 0 else -1
    return {"closed_pnl": get_closed_pnl(side * exact(case["adl_size"]), case["entry"], case["adl_price"])}


def run_implied_fill(case: dict[str, Any]) -> dict[str, Any]:
    start, bought = exact(case["start_position"]), exact(case["size"]) * (1 if case["side"] == "B" else -1)
    pnl = get_closed_pnl(-bought, case["entry_implied"], case["px"])
    return {"closed_pnl": pnl, "end_position": start + bought, "fee": 0}


RUNNERS = {
    "dydx-clamp": run_dydx_clamp,
    "dydx-settle": run_dydx_settlement,
    "dydx-idx": run_dydx_index,
    "starknet-fround": run_starkex_rounding,
    "flox-fund": run_payment,
    "flox-rate": run_rate,
    "hl-doc-rate": run_hyperliquid_rate,
    "freqtrade-fund": run_fee,
    "binance-mark": run_mark,
    "chitra-gamma": run_chitra_gamma,
    **{f"chitra-fund-{id}": make_chitra_funding(id) for id in "ABCDE"},
    **{f"chitra-pnl-{id}": make_chitra_pnl(id) for id in "ABCDE"},
    "hl-adl-fill": run_fill,
    "hl-fill": run_implied_fill,
}


@pytest.mark.parametrize("case", [case for name in SUBJECTS for case in load(name)], ids=lambda case: case.id)
def test_the_figure_is_that_of_the_source(case: Case) -> None:
    _, differences = play(RUNNERS, case)

    assert [] == differences
