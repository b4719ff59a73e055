"""Peers' deleveraging: who may be deleveraged, against whom, at which price, and dYdX's whole waterfall.

Where the kernel has the same rule (a bankrupt position closed whole against one opposite), it plays the case too.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest

from riskcore.events import BeginDeleveraging, Deleverage
from riskcore.planner import compute_queue
from riskcore.quantities import AccountId, MarketId
from riskcore.venues import bitmex, chitra, dydx, flox, starkex
from riskcore.venues.exact import exact
from riskcore.venues.formulas import get_pnl
from riskcore.venues.ranks import make_ranked
from riskcore.venues.scene import Held, Holding, Listing, make_rulebook, make_scene
from tests.vectors.play import Case, load, play

SUBJECTS = ("deleveraging", "waterfall_e2e")
BTC = "BTC"


def make_account(held: Mapping[str, Any]) -> dydx.Subaccount:
    sizes = {BTC: held["btc_quantums"], "ETH": held.get("eth_quantums", 0)}
    return dydx.Subaccount(to_quantums(held["usdc"]), {id: size for id, size in sizes.items() if size})


def make_markets(case: dict[str, Any]) -> dict[str, dydx.Perpetual]:
    """Prices in quote quantums of a base quantum. Where no rates are given they are those of the other tables."""
    rates = case.get("im", "0.2"), case.get("mm", "0.1")
    oracle = exact(case["btc_oracle" if "btc_oracle" in case else "oracle"])
    markets = {BTC: dydx.Perpetual(oracle / 100, *rates)}
    if "eth_oracle" in case:
        markets["ETH"] = dydx.Perpetual(exact(case["eth_oracle"]) / 1000, *rates)
    return markets


def to_quantums(dollars: str) -> int:
    return int(exact(dollars) * dydx.DOLLAR)


def to_dollars(quantums: int) -> Fraction:
    return Fraction(quantums, dydx.DOLLAR)


def run_close_out(case: dict[str, Any]) -> dict[str, Any]:
    account = dydx.Subaccount(to_quantums(case["usdc"]), {BTC: int(exact(case["btc"]) * 10**8)})
    close_out = dydx.get_close_out(make_markets(case), account, case["final_settlement"])
    return {
        "at_bankruptcy_price": close_out is dydx.CloseOut.BANKRUPTCY,
        "at_oracle_price": close_out is dydx.CloseOut.ORACLE,
    }


def make_process_runner(close_out: dydx.CloseOut) -> Any:
    def run(case: dict[str, Any]) -> dict[str, Any]:
        markets, delta = make_markets(case), case["delta_quantums"]
        accounts = make_account(case["liquidated"]), make_account(case["offsetting"])
        try:
            after = dydx.deleverage(markets, *accounts, BTC, delta, close_out)
        except dydx.Invalid as invalid:
            return {"error": str(invalid), "valid": False}
        if close_out is dydx.CloseOut.BANKRUPTCY:
            check_kernel(markets, accounts, after)
        return {
            "valid": True,
            "liquidated_usdc": to_dollars(after[0].cash),
            "liquidated_btc_quantums": after[0].sizes.get(BTC, 0),
            "offsetting_usdc": to_dollars(after[1].cash),
            "offsetting_btc_quantums": after[1].sizes.get(BTC, 0),
        }

    return run


def check_kernel(
    markets: Mapping[str, dydx.Perpetual],
    before: tuple[dydx.Subaccount, dydx.Subaccount],
    after: tuple[dydx.Subaccount, dydx.Subaccount],
) -> None:
    """Closed whole, and with equity on the other side as the kernel asks, its own deleveraging gives the same."""
    risks = [dydx.get_risk(markets, account) for account in before]
    if after[0].sizes or not dydx.is_liquidatable(risks[0]) or risks[1].net_collateral < 0:
        return
    listings = {id: Listing(market.price, market.initial, market.maintenance) for id, market in markets.items()}
    holdings = {
        name: Holding(Fraction(account.cash), {id: Held(Fraction(size)) for id, size in account.sizes.items()})
        for name, account in zip(("bankrupt", "winner"), before, strict=True)
    }
    rulebook = make_rulebook(adl_solvent=True, insurance_before_adl=False)
    scene = make_scene(listings, holdings, rulebook)
    queue = compute_queue(scene.state, AccountId("bankrupt"), MarketId(BTC))
    assert "winner" in queue
    scene, rejected = scene.ask(BeginDeleveraging, "bankrupt", BTC, queue)
    assert rejected is None
    while scene.state.deleveraging is not None:
        scene, rejected = scene.ask(Deleverage)
        assert rejected is None
    # dYdX cuts a worth to a quantum, and the kernel does not
    cash = zip(after, ("bankrupt", "winner"), strict=True)
    assert all(abs(account.cash - scene.get_cash(name)) < 1 for account, name in cash)
    assert [0, after[1].sizes.get(BTC, 0)] == [scene.get_lots("bankrupt", BTC), scene.get_lots("winner", BTC)]


def run_offset(case: dict[str, Any]) -> dict[str, Any]:
    candidates = [(name, make_account(held)) for name, held in case["candidates_in_order"]]
    markets, account = make_markets(case), make_account(case["liquidated"])
    ends = case.get("final_settlement", False)
    close_out = dydx.get_close_out(markets, account, ends) if ends else dydx.CloseOut.BANKRUPTCY
    result = dydx.offset(markets, account, candidates, BTC, case["delta_quantums"], close_out)
    return {
        "fills": result.fills,
        "remaining_quantums": result.remaining,
        "liquidated_usdc": to_dollars(result.account.cash),
        "others": [
            [name, to_dollars(result.others[name].cash), result.others[name].sizes.get(BTC, 0)]
            for name, _ in candidates
        ],
    }


def run_waterfall(case: dict[str, Any]) -> dict[str, Any]:
    config = case["config"]
    limits = dydx.Limits(
        config["max_liquidation_fee_ppm"],
        config["bankruptcy_adjustment_ppm"],
        config["spread_to_mm_ratio_ppm"],
        config["min_position_notional"],
        config["max_position_portion_ppm"],
        config["max_notional_per_block"],
        config["max_insurance_lost_per_block"],
    )
    orders = [
        dydx.Order(order["owner"], exact(order["price"]) / 100, order["quantums"])
        for order in case["resting_orders_in_priority"]
    ]
    others = {name: make_account(held) for name, held in case["others_in_order"].items()}
    book = dydx.Book(make_account(case["liquidated"]), others, to_quantums(config["insurance_fund_start"]))
    after = dydx.liquidate(make_markets(case), book, BTC, orders, limits, config["final_settlement"])
    total = sum(account.cash for account in (after.account, *after.others.values())) + after.insurance
    assert total == sum(account.cash for account in (book.account, *book.others.values())) + book.insurance
    return {
        "liquidated_usdc": to_dollars(after.account.cash),
        "liquidated_btc": after.account.sizes.get(BTC, 0),
        "others": {
            name: [to_dollars(account.cash), account.sizes.get(BTC, 0)] for name, account in after.others.items()
        },
        "insurance_fund": to_dollars(after.insurance),
    }


def run_starkex(case: dict[str, Any]) -> dict[str, Any]:
    position = starkex.Position(case["collateral"], case["size"])
    price, factor = case["price"], case["risk_factor"]
    standings, verdicts = [], []
    for base, quote in case["steps_base_quote"]:
        before = starkex.get_standing(position, price, factor)
        position = starkex.trade(position, base, quote)
        after = starkex.get_standing(position, price, factor)
        standings.append([after.value, after.risk])
        verdicts.append(starkex.is_fair_deleverage(before, after))
    return {"tv_tr_after_each": standings, "all_fair": all(verdicts), "accepted": all(verdicts)}


def run_flox(case: dict[str, Any]) -> dict[str, Any]:
    positions = {str(id): make_ranked(*held) for id, *held in case["candidates_id_size_entry_equity"]}
    result = flox.deleverage(positions, case["mark"], case["deficit"], case["ranking"])
    return {
        "closed": [int(id) for id in result.closed],
        "equity_after": result.equity_after,
        "uncovered": result.uncovered,
    }


def run_chitra_queue(case: dict[str, Any]) -> dict[str, Any]:
    budget = chitra.get_budget(case["deficit"], case["severity"])
    haircuts = chitra.get_haircuts_by_queue(case["haircut_capacity"], case["queue_order"], budget)
    return {"budget": budget, "haircuts": haircuts, "equity_after": cut(case["equities"], haircuts)}


def run_chitra_pro_rata(case: dict[str, Any]) -> dict[str, Any]:
    budget = chitra.get_budget(case["deficit"], case["severity"])
    rate, haircuts = chitra.get_haircuts_pro_rata(case["haircut_capacity"], budget)
    return {"h": rate, "haircuts": haircuts, "equity_after": cut(case["equities"], haircuts)}


def cut(equities: list[str], haircuts: tuple[Fraction, ...]) -> list[Fraction]:
    """What winners keep; they stand first."""
    return [exact(equity) - haircut for equity, haircut in zip(equities[: len(haircuts)], haircuts, strict=True)]


def run_bitmex(case: dict[str, Any]) -> dict[str, Any]:
    sizes = {id: account["contracts"] for id, account in case["accounts"].items()}
    order = bitmex.sort_by_score({id: account["rank_score"] for id, account in case["accounts"].items()}, sizes)
    closed = bitmex.consume(order, sizes, case["bankrupt_size"])
    left = {f"left_{id}": exact(sizes[id]) - closed.get(id, 0) for id in sizes}
    return {"closed": closed, "price": case["bankruptcy_price"], **left}


def run_budget(case: dict[str, Any]) -> dict[str, Any]:
    needed, planned = (abs(get_pnl(case["q"], case["bankruptcy"], case[price])) for price in ("execution", "estimate"))
    return {"needed": needed, "planned": planned, "uncovered": max(needed - planned, Fraction(0))}


RUNNERS = {
    "dydx-candelev": run_close_out,
    "dydx-process": make_process_runner(dydx.CloseOut.BANKRUPTCY),
    "dydx-rounding": make_process_runner(dydx.CloseOut.BANKRUPTCY),
    "dydx-oracle": make_process_runner(dydx.CloseOut.ORACLE),
    "dydx-offset": run_offset,
    "dydx-e2e": run_waterfall,
    "starknet-delev": run_starkex,
    "flox-adl": run_flox,
    "chitra-queue": run_chitra_queue,
    "chitra-prorata": run_chitra_pro_rata,
    "bitmex-close": run_bitmex,
    "numeraire": run_budget,
}


@pytest.mark.parametrize("case", [case for name in SUBJECTS for case in load(name)], ids=lambda case: case.id)
def test_the_figure_is_that_of_the_source(case: Case) -> None:
    _, differences = play(RUNNERS, case)

    assert [] == differences
