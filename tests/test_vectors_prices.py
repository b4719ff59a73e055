"""Peers' liquidation, bankruptcy and fillable prices, each compared with the kernel's own where it has one."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from riskcore.quantities import AccountId, MarketId, divide_up
from riskcore.queries import bankruptcy_tick
from riskcore.venues import binance, bybit, chitra, dydx, ethereal, gate, hyperliquid, okx
from riskcore.venues.exact import exact
from riskcore.venues.scene import Listing, Scene, hold, make_scene
from tests.test_vectors_margin import make_dydx, make_dydx_scene
from tests.vectors.play import Case, load, play

SUBJECTS = ("liquidation_price", "bankruptcy_price")


def make_position(size: Fraction, entry: Any, collateral: Fraction, rate: Fraction) -> Scene:
    """One isolated position at its entry price, lots as fine as its size, atoms a thousandth of what is needed."""
    listing = Listing(exact(entry), rate, rate, Fraction(1, size.denominator))
    return make_scene({"X": listing}, {"a": hold(collateral, X=(size, entry))}, grain=10**6)


def check_kernel(price: Fraction | None, size: Fraction, entry: Any, collateral: Fraction, rate: Fraction) -> None:
    """The kernel's first price below maintenance is the exact one, to an atom of a lot."""
    if (rate * 10**6).denominator != 1 or price is None or price <= 0:
        return
    scene = make_position(size, entry, collateral, rate)
    found, step = scene.get_liquidation_price("a", "X"), scene.to_price("X", 1)
    assert found is not None and abs(found - price) <= 2 * step


def run_binance(case: dict[str, Any]) -> dict[str, Any]:
    held, other = case["position"], case["other_position"]
    others = {"others_maintenance": Fraction(0), "others_pnl": Fraction(0)}
    if other is not None:
        brackets = exact(other["mmr"]), exact(other["cum"])
        notional = exact(other["pos"]) * exact(other["mark"])
        others["others_maintenance"] = notional * brackets[0] - brackets[1]
        others["others_pnl"] = exact(other["pos"]) * (exact(other["mark"]) - exact(other["ep"]))
    size, wallet, rate, cum = exact(held["pos"]), exact(case["wallet_balance"]), exact(held["mmr"]), exact(held["cum"])
    price = binance.get_liquidation_price(size, held["ep"], wallet, rate, deduction=cum, **others)
    # at one bracket's prices its deduction is as good as cash
    spare = wallet + cum - others["others_maintenance"] + others["others_pnl"]
    check_kernel(price, size, held["ep"], spare, rate)
    return {"liquidation_price": price}


def run_binance_totals(case: dict[str, Any]) -> dict[str, Any]:
    size = exact(case["pos"]) * (1 if case["side"] == "long" else -1)
    price = binance.get_liquidation_price(
        size,
        case["entry"],
        case["wallet_balance"],
        case["mmr"],
        deduction=case.get("cum", 0),
        others_maintenance=case["tmm_other"],
        others_pnl=case["upnl_other"],
    )
    spare = exact(case["wallet_balance"]) - exact(case["tmm_other"]) + exact(case["upnl_other"])
    check_kernel(price, size, case["entry"], spare + exact(case.get("cum", 0)), exact(case["mmr"]))
    return {"liquidation_price": price}


def run_isolated(case: dict[str, Any]) -> dict[str, Any]:
    size = exact(case["size"]) * (1 if case["side"] == "long" else -1)
    entry, leverage = exact(case["entry"]), case["leverage"]
    margin = abs(size) * entry / leverage
    rate, cum, fee = (leading(case[name]) for name in ("maintenance_rate", "maintenance_amount", "taker_fee"))
    if case["exchange"] == "binance":
        price = binance.get_liquidation_price(size, entry, margin, rate, deduction=cum)
        check_kernel(price, size, entry, margin + cum, rate)
    elif case["exchange"] == "bybit":
        price = bybit.get_liquidation_price(size, entry, leverage, rate)
    else:
        venue = {"gate": gate, "okx": okx}[case["exchange"]]
        price = venue.get_liquidation_price(size, entry, margin, rate, fee)
        check_kernel(price, size, entry, margin, rate + fee)
    return {"liquidation_price": price}


def leading(text: str) -> Fraction:
    """The number that a text begins with."""
    return exact(text.split()[0])


def run_hyperliquid(case: dict[str, Any]) -> dict[str, Any]:
    size = exact(case["size"]) * (1 if case["side"] == "long" else -1)
    margin, leverage = exact(case["isolated_margin"]), case["max_leverage_at_capture"]
    price = hyperliquid.get_liquidation_price(size, case["entry"], margin, leverage)
    check_kernel(price, size, case["entry"], margin, hyperliquid.get_maintenance_rate(leverage))
    return {"liquidation_price": price}


def run_dydx_bankruptcy(case: dict[str, Any]) -> dict[str, Any]:
    markets, account = make_dydx(case)
    id, delta = case["close_perp"], case["delta_quantums"]
    try:
        quote = dydx.get_bankruptcy_quote(markets, account, id, delta)
    except dydx.Invalid as invalid:
        return {"error": str(invalid)}
    if delta == -account.sizes[id]:
        check_bankruptcy(make_dydx_scene(markets, account), id, quote, delta)
    return {"bankruptcy_quote_quantums": quote}


def check_bankruptcy(scene: Scene, id: str, quote: int, delta: int) -> None:
    """Closing all is worth to the kernel what it is to dYdX, but for the quantum to which that cuts a worth."""
    price = scene.get_bankruptcy_price("a", id)
    assert price is not None
    worth = -delta * price
    assert abs(divide_up(worth.numerator, worth.denominator) - quote) <= 1
    tick = bankruptcy_tick(scene.state, AccountId("a"), MarketId(id))
    assert tick is not None and -delta * scene.to_price(id, tick) >= quote - 1


def run_dydx_fillable(case: dict[str, Any]) -> dict[str, Any]:
    markets, account = make_dydx(case)
    terms = case["bankruptcy_adjustment_ppm"], case["spread_to_mm_ratio_ppm"]
    try:
        return {"fillable_price": dydx.get_fillable_price(markets, account, case["perp"], *terms)}
    except dydx.Invalid as invalid:
        return {"error": str(invalid)}


def run_chitra(case: dict[str, Any]) -> dict[str, Any]:
    size = exact(case["q"]) * case["side"]
    return {"bankruptcy_price": chitra.get_bankruptcy_price(size, case["entry"], case["collateral"])}


def run_bankruptcy(case: dict[str, Any]) -> dict[str, Any]:
    size, collateral = exact(case["size"]), sum(exact(case.get(name, 0)) for name in ("margin", "wallet", "collateral"))
    price = bybit.get_bankruptcy_price(size, case["entry"], collateral)
    # nothing else is held: the kernel's is where equity is zero, whatever the rates
    scene = make_position(size, case["entry"], exact(collateral), Fraction(1, 2))
    assert (
        price == ethereal.get_bankruptcy_price(size, case["entry"], collateral) == scene.get_bankruptcy_price("a", "X")
    )
    return {"bankruptcy_price": price}


RUNNERS = {
    "binance-lp": run_binance,
    "binance-lp-old": run_binance_totals,
    "cex-isolated": run_isolated,
    "hl-real": run_hyperliquid,
    "dydx-bankr": run_dydx_bankruptcy,
    "dydx-fillable": run_dydx_fillable,
    "chitra-bk": run_chitra,
    "bybit-bk": run_bankruptcy,
    "ethereal-cap": run_bankruptcy,
}


@pytest.mark.parametrize("case", [case for name in SUBJECTS for case in load(name)], ids=lambda case: case.id)
def test_the_figure_is_that_of_the_source(case: Case) -> None:
    _, differences = play(RUNNERS, case)

    assert [] == differences
