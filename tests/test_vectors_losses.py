"""Peers' figures of who bears a loss: insurance, shares of a fund, everybody; and how much is liquidated at once.

Deficits, fills and withdrawals that the kernel knows are played by it.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from riskcore import queries
from riskcore.events import CoverDeficit, LiquidationFill, SettleMarket, SettlePair, WriteOff
from riskcore.quantities import Atoms, Rate
from riskcore.venues import bybit, drift, dydx, okx, paradex, percolator, starkex, vega
from riskcore.venues.exact import exact
from riskcore.venues.scene import REST, Held, Holding, Listing, Scene, hold, make_rulebook, make_scene
from tests.test_vectors_margin import make_dydx
from tests.vectors.play import Case, load, play

SUBJECTS = ("insurance_fund", "vault_shares", "socialized_loss", "partial_liquidation")


# Insurance


def run_dydx_insurance(case: dict[str, Any]) -> dict[str, Any]:
    markets, account = make_dydx(case)
    size, price = account.sizes["BTC"], exact(case["fill_price_usd"]) / 100
    bankruptcy = dydx.get_bankruptcy_quote(markets, account, "BTC", -size)
    delta = dydx.get_insurance_delta(int(size * price), bankruptcy, case["max_liquidation_fee_ppm"])
    if dydx.is_liquidatable(dydx.get_risk(markets, account)):
        assert abs(delta - get_kernel_delta(markets["BTC"], account, price, case["max_liquidation_fee_ppm"])) <= 1
    return {"insurance_fund_delta_quantums": delta}


def get_kernel_delta(market: dydx.Perpetual, account: dydx.Subaccount, price: Fraction, fee_ppm: int) -> Fraction:
    """What the kernel's fund gains when the whole position is filled; its fee is rounded up, and dYdX's down."""
    fund, size = 10**12, account.sizes["BTC"]
    listing = Listing(market.price, market.initial, market.maintenance, liquidation_fee=Fraction(fee_ppm, 10**6))
    holding = Holding(Fraction(account.cash), {"BTC": Held(Fraction(size))})
    rulebook = make_rulebook(insurance_backs_fills=True, insurance_fill_band=Rate(10**6))
    scene = make_scene({"BTC": listing}, {"a": holding}, rulebook, insurance=fund, grain=price.denominator)
    native = scene.to_native_price("BTC", price)
    scene, rejected = scene.ask(LiquidationFill, "a", REST, "BTC", abs(size), native)
    assert rejected is None
    return scene.to_amount(scene.state.reserves.insurance) - fund


def run_dydx_validity(case: dict[str, Any]) -> dict[str, Any]:
    return {"valid": dydx.is_valid_insurance_delta(case["balance"], case["delta"])}


def run_drift_fee(case: dict[str, Any]) -> dict[str, Any]:
    fee = drift.get_insurance_fee(
        case["margin_shortage_usd"] * drift.QUOTE_ONE,
        case["base_1e9"],
        int(exact(case["margin_ratio"]) * 10**4),
        case["liquidator_fee_1e6"],
        int(exact(case["oracle"]) * drift.PRICE_ONE),
        int(exact(case["quote_price"]) * drift.PRICE_ONE),
        case["max_if_fee_1e6"],
    )
    return {"if_fee_1e6": fee}


def make_bankrupt(case: dict[str, Any], fund: Any, equity: Any, multiplier: int = 1) -> Scene:
    rate = Fraction(5, 1000)
    listing = Listing(exact(case["mark"]), rate, rate)
    held = hold(equity, X=(case["size"] * multiplier, case["entry"]))
    return make_scene({"X": listing}, {"a": held}, insurance=fund)


def run_deficit(case: dict[str, Any]) -> dict[str, Any]:
    """The fund pays what it can; the position is closed at mark, and what nobody pays is written off."""
    fund = exact(case["fund"])
    scene = make_bankrupt(case, fund, case["equity"])
    if fund > 0 and scene.get_equity("a") < 0:
        scene, rejected = scene.ask(CoverDeficit, "a")
        assert rejected is None
    scene = close_at_mark(scene)
    if scene.get_cash("a") < 0:
        scene, rejected = scene.ask(WriteOff, "a")
        assert rejected is None
    left = scene.to_amount(scene.state.reserves.insurance)
    uncovered = -scene.to_amount(scene.state.reserves.uncovered)
    return {"fund_after": left, "fund_delta": left - fund, "uncovered": uncovered}


def close_at_mark(scene: Scene, name: str = "a", market: str = "X") -> Scene:
    """The market ends at its mark, and a position in it is closed."""
    size = scene.get_lots(name, market)
    listed = scene.state.markets.get(market)  # type: ignore[arg-type]
    assert listed is not None
    scene, rejected = scene.ask(SettleMarket, market, listed.mark_price)
    assert rejected is None
    scene, rejected = scene.ask(SettlePair, market, *((name, REST) if size > 0 else (REST, name)))
    assert rejected is None
    return scene


def run_multiplied(case: dict[str, Any]) -> dict[str, Any]:
    scene = make_bankrupt(case, 0, case["margin"], case["multiplier"])
    return {"deficit": max(-scene.get_equity("a"), Fraction(0))}


def run_bybit(case: dict[str, Any]) -> dict[str, Any]:
    pool = case["max_balance_8h"], case["symbol_pnl_8h"]
    return {"ratio": bybit.get_drawdown(*pool), "adl": bybit.is_adl_triggered(*pool, case["balance"])}


def run_okx(case: dict[str, Any]) -> dict[str, Any]:
    terms = case["reference"], case["drop"]
    return {"threshold": okx.get_adl_threshold(*terms), "adl": okx.is_adl_triggered(*terms, case["current"])}


# Shares of a fund


def run_rebase(case: dict[str, Any]) -> dict[str, Any]:
    exponent, divisor = drift.get_rebase(case["total_shares"], case["vault_balance"])
    return {"exponent": exponent, "divisor": divisor}


def run_shares_lost(case: dict[str, Any]) -> dict[str, Any]:
    request = case["request_shares"], case["request_value"]
    return {"shares_lost": drift.get_shares_lost(*request, case["total_shares"], case["vault_balance"])}


# Everybody


def run_resolve(case: dict[str, Any]) -> dict[str, Any]:
    held = exact(case["base_long"]), exact(case["base_short"])
    result = drift.resolve_bankruptcy(case["loss"], case["insurance"], case["amm_fee_pool"], *held)
    return {
        "per_base_charge": result.charge,
        "total_socialized": result.socialized,
        "long_user_quote_after": exact(case["long_user_quote_before"]) - abs(held[0]) * result.charge,
        "short_user_quote_after": exact(case["short_user_quote_before"]) - abs(held[1]) * result.charge,
    }


def run_haircut(case: dict[str, Any]) -> dict[str, Any]:
    """One user's loss becomes a deficit, insurance pays what it has, and the rest cuts a withdrawal."""
    users = {name: exact(amount) for name, amount in case["users"].items()}
    upnl, insurance = exact(case["alice_upnl"]), exact(case["insurance"])
    deficit = max(-(users["alice"] + upnl), Fraction(0))
    amount = paradex.get_bankruptcy_amount(deficit, insurance)
    rate = paradex.get_haircut_rate(amount, sum(users.values(), insurance))
    withdrawn = paradex.get_withdrawal(case["withdraw"], rate)
    # alice is long one contract; who has the other side starts with nothing and shares the pool
    mark = 2 * abs(upnl) + 1
    entry = mark - upnl
    listing = Listing(mark, Fraction(1, 10), Fraction(1, 10))
    holdings = {name: hold(cash) for name, cash in users.items()} | {"alice": hold(users["alice"], X=(1, entry))}
    holdings["rival"] = hold(0, X=(-1, entry))
    rulebook = make_rulebook(withdrawals_are_cut=True)
    scene = make_scene({"X": listing}, holdings, rulebook, insurance=insurance, rest=0)
    scene = settle_loss(scene, "alice", "rival")
    assert withdrawn == exact(case["withdraw"]) - scene.to_amount(
        queries.haircut(scene.state, Atoms(int(exact(case["withdraw"]) / scene.atom)))
    )
    return {"exchange_bankruptcy_amount": amount, "factor": rate, "withdrawn": withdrawn}


def settle_loss(scene: Scene, loser: str, winner: str) -> Scene:
    """Close the loser against the winner at mark; insurance pays what it has, the rest is uncovered."""
    listed = scene.state.markets.get("X")  # type: ignore[arg-type]
    assert listed is not None
    for event in ((SettleMarket, "X", listed.mark_price), (SettlePair, "X", loser, winner)):
        scene, rejected = scene.ask(*event)
        assert rejected is None
    for kind in (CoverDeficit, WriteOff):
        if scene.get_cash(loser) < 0 and not (kind is CoverDeficit and scene.state.reserves.insurance == 0):
            scene, rejected = scene.ask(kind, loser)
            assert rejected is None
    return scene


def run_vega(case: dict[str, Any]) -> dict[str, Any]:
    losses = {name: (loss["due"], loss["balance"]) for name, loss in case["losses"].items()}
    paid = vega.socialize(losses, case["wins"])
    return {**paid, "sum": sum(paid.values())}


def run_percolator(case: dict[str, Any]) -> dict[str, Any]:
    terms = case["principal"], case["realized"], case["unvested"], case["insurance"], case["collateral"]
    crisis = percolator.resolve(*terms)
    return {
        "deficit": crisis.deficit,
        "burned": crisis.burned,
        "insurance_draw": crisis.insurance_draw,
        "rho": crisis.haircut,
    }


def run_percolator_factor(case: dict[str, Any]) -> dict[str, Any]:
    return {"h": percolator.get_profit_factor(case["residual"], case["matured_positive_pnl"])}


# How much at once


def run_dydx_limit(case: dict[str, Any]) -> dict[str, Any]:
    terms = case["position_notional"], case["min_position_notional_liquidated"], case["max_position_portion_ppm"]
    least, most = dydx.get_liquidatable_notional(*terms)
    return {"min": least, "max": most}


def run_dydx_block(case: dict[str, Any]) -> dict[str, Any]:
    def ask(rule: Any, *terms: int) -> int | str:
        try:
            return int(rule(*terms))
        except dydx.Invalid:
            return "error"

    return {
        "max_notional_left": ask(dydx.get_notional_left, case["max_notional_liquidated"], case["previous_notional"]),
        "max_insurance_left": ask(
            dydx.get_insurance_left, case["max_insurance_lost"], case["previous_insurance_delta"]
        ),
    }


def run_drift_size(case: dict[str, Any]) -> dict[str, Any]:
    terms = case["margin_shortage"], case["margin_ratio"], case["liquidation_fee"], case["if_fee"]
    return {"base_amount": drift.get_liquidation_size(*terms, case["oracle_price"], case["quote_price"])}


def run_drift_ramp(case: dict[str, Any]) -> dict[str, Any]:
    slots = case["current_slot"] - case["user_slot"]
    terms = case["base_fee_1e6"], case["max_fee_1e6"], slots, case["grace_slots"], case["increase_per_slot_1e6"]
    return {"fee_1e6": drift.get_liquidator_fee(*terms)}


def run_drift_pct(case: dict[str, Any]) -> dict[str, Any]:
    pct = drift.get_max_pct(int(exact(case["margin_shortage_usd"]) * drift.QUOTE_ONE))
    return {"pct": Fraction(pct, drift.PCT_ONE)}


def run_drift_takeover(case: dict[str, Any]) -> dict[str, Any]:
    user, liquidator = drift.take_over(case["base"], case["quote"], case["oracle"], case["liquidator_fee"])
    return {
        "user_base": user.base,
        "user_quote": user.quote,
        "liquidator_base": liquidator.base,
        "liquidator_quote": liquidator.quote,
    }


def run_starkex(case: dict[str, Any]) -> dict[str, Any]:
    position, table, verdicts = starkex.Position(case["collateral"], case["size"]), [], []
    before = starkex.get_standing(position, case["price"], case["risk_factor"])
    for step in case["steps"]:
        position = starkex.trade(position, step["base"], step["quote"], step["fee"])
        after = starkex.get_standing(position, case["price"], case["risk_factor"])
        table.append([after.value, after.risk])
        verdicts.append(starkex.is_healthier(before, after))
        before = after
    return {"tv_tr": table, "accepted": all(verdicts)}


def run_paradex(case: dict[str, Any]) -> dict[str, Any]:
    result = paradex.liquidate(case["account_value"], case["mmr"], case["share"], case["liquidation_fee"])
    return {
        "new_mmr": result.maintenance,
        "penalty": result.penalty,
        "new_value": result.value,
        "new_ratio": result.ratio,
    }


RUNNERS = {
    "dydx-ifdelta": run_dydx_insurance,
    "dydx-ifvalid": run_dydx_validity,
    "drift-iffee": run_drift_fee,
    "flox-if": run_deficit,
    "flox-if-2": run_multiplied,
    "bybit-trigger": run_bybit,
    "okx-trigger": run_okx,
    "drift-rebase": run_rebase,
    "drift-shareslost": run_shares_lost,
    "drift-resolve": run_resolve,
    "paradex-slf": run_haircut,
    "vega-lossoc": run_vega,
    "percolator-waterfall": run_percolator,
    "percolator-h": run_percolator_factor,
    "dydx-poslimit": run_dydx_limit,
    "dydx-blocklimit": run_dydx_block,
    "drift-base": run_drift_size,
    "drift-feeramp": run_drift_ramp,
    "drift-maxpct": run_drift_pct,
    "drift-liq": run_drift_takeover,
    "starknet-liq": run_starkex,
    "paradex-share": run_paradex,
}


@pytest.mark.parametrize("case", [case for name in SUBJECTS for case in load(name)], ids=lambda case: case.id)
def test_the_figure_is_that_of_the_source(case: Case) -> None:
    _, differences = play(RUNNERS, case)

    assert [] == differences
