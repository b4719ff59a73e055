"""Peers' margin figures: who is liquidatable, requirements, cross and isolated accounts.

What the kernel has a rule for goes through a state of the kernel; the venue's own rounding goes on top.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest

from riskcore import queries
from riskcore.quantities import AccountId
from riskcore.venues import chitra, dydx, flox, starkex
from riskcore.venues.exact import exact, round_up
from riskcore.venues.scene import Held, Holding, Listing, Scene, hold, make_scene
from tests.vectors.play import Case, load, play


def make_dydx(case: dict[str, Any]) -> tuple[dict[str, dydx.Perpetual], dydx.Subaccount]:
    """Markets and account of a case in dollars and base quantums (1e-8 bitcoin, 1e-9 ether)."""
    rates = exact(case["initial_margin"]), exact(case["maintenance_margin"])
    markets = {
        "BTC": dydx.Perpetual(exact(case["btc_oracle"]) / 100, *rates),
        "ETH": dydx.Perpetual(exact(case["eth_oracle"]) / 1000, *rates),
    }
    sizes = {"BTC": case["btc_quantums"], "ETH": case["eth_quantums"]}
    account = dydx.Subaccount(int(exact(case["usdc"]) * dydx.DOLLAR), {id: size for id, size in sizes.items() if size})
    return markets, account


def make_dydx_scene(markets: Mapping[str, dydx.Perpetual], account: dydx.Subaccount) -> Scene:
    """The same as a state of the kernel; amounts in quote quantums, lots of a base quantum."""
    listings = {id: Listing(market.price, market.initial, market.maintenance) for id, market in markets.items()}
    held = {id: Held(Fraction(size)) for id, size in account.sizes.items()}
    return make_scene(listings, {"a": Holding(Fraction(account.cash), held)})


def run_dydx_liquidatable(case: dict[str, Any]) -> dict[str, Any]:
    markets, account = make_dydx(case)
    scene, risk = make_dydx_scene(markets, account), dydx.get_risk(markets, account)
    # each position's worth is cut to a quote quantum, which the kernel does not need
    assert abs(scene.get_equity("a") - risk.net_collateral) <= len(account.sizes)
    # the kernel also lists who is flat and owes: there is a deficit to book, and nothing to liquidate
    is_open = scene.get_maintenance_margin("a") > 0
    return {"liquidatable": queries.is_liquidatable(scene.state, AccountId("a")) and is_open}


def run_dydx_requirement(case: dict[str, Any]) -> dict[str, Any]:
    units = case["price"], case["price_exponent"], case["atomic_resolution"]
    notional = dydx.get_notional_in_quote_quantums(case["base_quantums"], *units)
    open_notional = dydx.get_notional_in_quote_quantums(case["open_interest_quantums"], *units)
    ppm, fraction = case["initial_margin_ppm"], case["maintenance_fraction_ppm"]
    caps = case["oi_lower_cap"], case["oi_upper_cap"]
    return {
        "initial_margin": dydx.get_initial_margin(notional, ppm, open_notional, *caps),
        "maintenance_margin": dydx.get_maintenance_margin(notional, ppm, fraction),
    }


def run_dydx_initial(case: dict[str, Any]) -> dict[str, Any]:
    caps = case["oi_lower_cap"], case["oi_upper_cap"]
    ppm = case["initial_margin_ppm"]
    return {
        "initial_margin": dydx.get_initial_margin(case["quote_quantums"], ppm, case["open_interest_notional"], *caps)
    }


def run_dydx_net_collateral(case: dict[str, Any]) -> dict[str, Any]:
    def make_listing(price: Fraction, id: str, index: int) -> Listing:
        # a rate of zero, which no market of the kernel has, needs nothing
        initial, maintenance = exact(case[f"{id}_im"]) or Fraction(1), exact(case[f"{id}_mm"]) or Fraction(1)
        return Listing(price, initial, maintenance, funding_index=Fraction(index, 10**6))

    entry, index = case.get("position_funding_index", 0), case.get("current_funding_index", 0)
    listings = {
        "BTC": make_listing(exact(case["btc_oracle"]) / 100, "btc", index),
        "ETH": make_listing(exact(case["eth_oracle"]) / 1000, "eth", 0),
    }
    held = {
        "BTC": Held(Fraction(case["btc_quantums"]), entry_index=Fraction(entry, 10**6)),
        "ETH": Held(Fraction(case["eth_quantums"])),
    }
    scene = make_scene(listings, {"a": Holding(Fraction(case["usdc_quantums"]), held)})
    parts = {id.lower(): scene.get_requirements("a", id) for id in listings}
    return {
        "net_collateral": scene.get_equity("a"),
        "initial_margin": sum(round_up(part[0]) for id, part in parts.items() if exact(case[f"{id}_im"])),
        "maintenance_margin": sum(round_up(part[1]) for id, part in parts.items() if exact(case[f"{id}_mm"])),
    }


def run_starkex(case: dict[str, Any]) -> dict[str, Any]:
    position = starkex.Position(case["collateral"], case["size"])
    standing = starkex.get_standing(position, case["price"], case["risk_factor"])
    risk = exact(case["risk_factor"])
    listing = Listing(Fraction(case["price"]), risk, risk)
    scene = make_scene(
        {"X": listing}, {"a": Holding(Fraction(case["collateral"]), {"X": Held(Fraction(case["size"]))})}
    )
    return {
        "total_value": scene.get_equity("a"),
        "total_risk": standing.risk,
        "state": starkex.get_health(standing).value,
    }


def run_isolated(case: dict[str, Any]) -> dict[str, Any]:
    rate, collateral = exact(case["mm_fraction"]), case["equity" if "equity" in case else "isolated_margin"]
    listing = Listing(exact(case["mark"]), rate, rate)
    scene = make_scene({"X": listing}, {"a": hold(collateral, X=(case["size"], case["entry"]))})
    equity = flox.get_equity(case["size"], case["entry"], collateral, case["mark"])
    assert scene.get_equity("a") == equity
    return {"liquidated": queries.is_liquidatable(scene.state, AccountId("a"))}


def run_cross(case: dict[str, Any]) -> dict[str, Any]:
    rate = exact(case["mm_fraction"])
    legs = case["positions_size_entry_mark"]
    listings = {f"m{place}": Listing(exact(mark), rate, rate) for place, (_, _, mark) in enumerate(legs)}
    positions = {f"m{place}": (size, entry) for place, (size, entry, _) in enumerate(legs)}
    scene = make_scene(listings, {"a": hold(case["cash"], **positions)})
    return {
        "equity": scene.get_equity("a"),
        "mm": scene.get_maintenance_margin("a"),
        "liquidated": queries.is_liquidatable(scene.state, AccountId("a")),
    }


def run_chitra_leverage(case: dict[str, Any]) -> dict[str, Any]:
    prices = {"lev0": "1", "lev1": "1.4"}
    return {name: chitra.get_leverage(case["q"], case["collateral"], price) for name, price in prices.items()}


def make_chitra_runner(id: str) -> Any:
    def run(case: dict[str, Any]) -> dict[str, Any]:
        positions = {
            name: chitra.Position(exact(held["q"]) * held["side"], exact(held["collateral"]))
            for name, held in case["positions"].items()
        }
        gamma = chitra.get_funding_gamma([*positions.values()], case["p1"], case["spot1"], case["kappa"])
        equity = chitra.get_equity(positions[id], [case["p0"], case["p1"]], [gamma])
        threshold = chitra.get_maintenance_margin(positions[id].size, case["p1"], "0.1")
        return {"threshold": threshold, "liquidatable": equity < threshold}

    return run


RUNNERS = {
    "dydx-isliq": run_dydx_liquidatable,
    "dydx-mreq": run_dydx_requirement,
    "dydx-imq": run_dydx_initial,
    "dydx-nc": run_dydx_net_collateral,
    "starknet-tvtr": run_starkex,
    "flox-liq": run_isolated,
    "flox-iso": run_isolated,
    "flox-cross": run_cross,
    "chitra-lev": run_chitra_leverage,
    **{f"chitra-mm-{id}": make_chitra_runner(id) for id in "ABCDE"},
}


@pytest.mark.parametrize("case", load("margin"), ids=lambda case: case.id)
def test_the_figure_is_that_of_the_source(case: Case) -> None:
    _, differences = play(RUNNERS, case)

    assert [] == differences
