"""Market data in the shapes that clients and venues give it: what becomes of it, what is said of what is missing."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from fractions import Fraction
from typing import Any

import pytest

from riskcore import AccountId, MarketId, queries
from riskcore.bad_input import Fault
from riskcore.choices import TierRule
from riskcore.venues.answers import parse
from riskcore.venues.loading import (
    load_binance_brackets,
    load_ccxt,
    load_ccxt_positions,
    load_hyperliquid_meta,
    load_hyperliquid_state,
)
from riskcore.venues.presets import load_preset

BTC = "BTC/USDT:USDT"
TIERS: Any = {
    BTC: [
        {"tier": 1, "minNotional": 0, "maxNotional": 50_000, "maintenanceMarginRate": 0.004, "maxLeverage": 125.0},
        {"tier": 2, "minNotional": 50_000, "maxNotional": 250_000, "maintenanceMarginRate": 0.005, "maxLeverage": 100},
        {"tier": 3, "minNotional": 250_000, "maxNotional": None, "maintenanceMarginRate": 0.01, "maxLeverage": 30},
    ]
}
for tier, cum in zip(TIERS[BTC], ("0.0", "50.0", "1300.0"), strict=True):
    tier["info"] = {"cum": cum}
MARKETS: Any = {
    BTC: {"taker": 0.0005, "maker": 0.0002, "linear": True, "contractSize": 1.0, "precision": {"amount": 0.001}}
}
BRACKETS: Any = [
    {
        "symbol": "BTCUSDT",
        "brackets": [
            {"notionalFloor": 0, "notionalCap": 50_000, "maintMarginRatio": 0.004, "initialLeverage": 125, "cum": 0.0},
            {
                "notionalFloor": 50_000,
                "notionalCap": 90_000,
                "maintMarginRatio": 0.005,
                "initialLeverage": 100,
                "cum": 50,
            },
        ],
    }
]
META: Any = {
    "universe": [
        {"name": "BTC", "szDecimals": 5, "maxLeverage": 40, "marginTableId": 56},
        {"name": "MAV", "szDecimals": 0, "maxLeverage": 3, "marginTableId": 3},
        {"name": "OLD", "szDecimals": 0, "maxLeverage": 3, "marginTableId": 3, "isDelisted": True},
    ],
    "marginTables": [
        [
            56,
            {
                "description": "tiered 40x",
                "marginTiers": [
                    {"lowerBound": "0.0", "maxLeverage": 40},
                    {"lowerBound": "150000000.0", "maxLeverage": 20},
                ],
            },
        ]
    ],
}
ANSWER: Any = {
    "assetPositions": [
        {
            "type": "oneWay",
            "position": {
                "coin": "BTC",
                "szi": "0.5",
                "entryPx": "100000.0",
                "positionValue": "47500.0",
                "leverage": {"type": "cross", "value": 20},
            },
        },
        {
            "type": "oneWay",
            "position": {
                "coin": "MAV",
                "szi": "-100",
                "entryPx": "0.05",
                "positionValue": "6.0",
                "leverage": {"type": "isolated", "value": 3, "rawUsd": "7.5"},
            },
        },
    ],
    "crossMarginSummary": {"accountValue": "2500.0", "totalRawUsd": "-45000.0"},
}
POSITION: Any = {
    "symbol": BTC, "side": "long", "contracts": 2, "contractSize": 1, "entryPrice": 50_000.0, "markPrice": 49_000.0,
    "marginMode": "cross", "collateral": 3_000,
}  # fmt: skip
FEES: Any = {"taker_fee": "0.00045", "maker_fee": "0.00015"}


def test_ccxts_tiers_become_rules_of_their_parts() -> None:
    loaded = load_ccxt(TIERS, MARKETS, "0.01")[MarketId(BTC)]
    rules = loaded.rules

    assert (8_000, 4_000, 500, 200) == (
        rules.initial_margin_rate, rules.maintenance_margin_rate, rules.taker_fee_rate, rules.maker_fee_rate
    )  # fmt: skip
    # one over thirty is rounded up
    assert [(5_000_000, 10_000, 5_000), (25_000_000, 33_334, 10_000)] == [
        (tier.floor, tier.initial_margin_rate, tier.maintenance_margin_rate) for tier in rules.tiers
    ]
    assert TierRule.MARGINAL == rules.tier_rule
    assert Fraction(1, 1000) == loaded.lot


def test_json_and_floats_give_the_same() -> None:
    read = parse(json.dumps(TIERS)), parse(json.dumps(MARKETS))

    assert "0.004" == read[0][BTC][0]["maintenanceMarginRate"]
    assert load_ccxt(TIERS, MARKETS, "0.01") == load_ccxt(*read, "0.01")


def test_no_deductions_mean_slabs_and_missing_ones_are_asked_for() -> None:
    tiers = deepcopy(TIERS)
    for tier in tiers[BTC]:
        tier["info"]["cum"] = 0

    assert TierRule.SLAB == load_ccxt(tiers, MARKETS, "0.01")[MarketId(BTC)].rules.tier_rule
    del tiers[BTC][1]["info"]["cum"]
    with pytest.raises(Fault) as caught:
        load_ccxt(tiers, MARKETS, "0.01")
    assert f"tiers.{BTC}[1]" == caught.value.field and "or a tier_rule" in caught.value.expected
    given = load_ccxt(tiers, MARKETS, "0.01", tier_rule=TierRule.MARGINAL)
    assert load_ccxt(TIERS, MARKETS, "0.01") == given


def change(value: Any, *path: Any) -> Any:
    """A copy with the last of ``path`` at the rest of it; ``...`` takes it away."""
    copied = deepcopy(value)
    *way, name, new = path
    place = copied
    for step in way:
        place = place[step]
    if new is ...:
        del place[name]
    else:
        place[name] = new
    return copied


BAD: dict[str, tuple[Callable[[], object], str, str]] = {
    "no fee": (
        lambda: load_ccxt(TIERS, change(MARKETS, BTC, "taker", None), "0.01"),
        f"markets.{BTC}.taker",
        "this field",
    ),
    "no market": (lambda: load_ccxt(TIERS, {}, "0.01"), f"markets.{BTC}", "this field"),
    "inverse": (
        lambda: load_ccxt(TIERS, change(MARKETS, BTC, "linear", False), "0.01"),
        f"markets.{BTC}.linear",
        "a linear",
    ),
    "no step": (
        lambda: load_ccxt(TIERS, change(MARKETS, BTC, "precision", {}), "0.01"),
        f"markets.{BTC}.precision.amount",
        "this field",
    ),
    "no rate": (
        lambda: load_ccxt(change(TIERS, BTC, 1, "maintenanceMarginRate", ...), MARKETS, "0.01"),
        f"tiers.{BTC}[1].maintenanceMarginRate",
        "this field",
    ),
    "a gap": (
        lambda: load_ccxt(change(TIERS, BTC, 1, "minNotional", 60_000), MARKETS, "0.01"),
        f"tiers.{BTC}[1]",
        "a floor that follows",
    ),
    "a wrong deduction": (
        lambda: load_ccxt(change(TIERS, BTC, 2, "info", "cum", "1200"), MARKETS, "0.01"),
        f"tiers.{BTC}[2]",
        "a deduction of 1300",
    ),
    "a falling rate": (
        lambda: load_ccxt(
            change(TIERS, BTC, 1, "maintenanceMarginRate", "0.003"), MARKETS, "0.01", tier_rule=TierRule.SLAB
        ),
        f"tiers.{BTC}.tiers[0].maintenance_margin_rate",
        "from 4000",
    ),
    "no object": (lambda: load_ccxt(change(TIERS, BTC, [1]), MARKETS, "0.01"), f"tiers.{BTC}[0]", "an object"),
    "text": (
        lambda: load_ccxt(change(TIERS, BTC, 0, "maxLeverage", "many"), MARKETS, "0.01"),
        f"tiers.{BTC}[0].maxLeverage",
        "a decimal",
    ),
    "no number": (
        lambda: load_ccxt(change(TIERS, BTC, 0, "maxLeverage", float("nan")), MARKETS, "0.01"),
        f"tiers.{BTC}[0].maxLeverage",
        "a decimal",
    ),
    "no leverage": (
        lambda: load_ccxt(change(TIERS, BTC, 0, "maxLeverage", 0), MARKETS, "0.01"),
        f"tiers.{BTC}[0].maxLeverage",
        "a number above zero",
    ),
    "large atoms": (lambda: load_ccxt(TIERS, MARKETS, 3), f"tiers.{BTC}[1]", "a floor in whole atoms of 3"),
    "a coefficient": (
        lambda: load_binance_brackets(change(BRACKETS, 0, "notionalCoef", 1.5), "0.01", **FEES),
        "[0].notionalCoef",
        "1, or none",
    ),
    "no cum": (
        lambda: load_binance_brackets(change(BRACKETS, 0, "brackets", 1, "cum", ...), "0.01", **FEES),
        "[0].brackets[1].cum",
        "this field",
    ),
    "no brackets": (lambda: load_binance_brackets({"symbol": "X"}, "0.01", **FEES), "[0].brackets", "this field"),
    "no table": (
        lambda: load_hyperliquid_meta(change(META, "marginTables", []), "0.01", **FEES),
        "universe[0].marginTableId",
        "the id of one",
    ),
    "no universe": (
        lambda: load_hyperliquid_meta(change(META, "universe", ...), "0.01", **FEES),
        "universe",
        "this field",
    ),
    "another value": (
        lambda: load_account(change(ANSWER, "crossMarginSummary", "accountValue", "2600")),
        "0xa.crossMarginSummary.accountValue",
        "cash and positions (2500)",
    ),
    "no size": (
        lambda: load_account(change(ANSWER, "assetPositions", 0, "position", "szi", "0")),
        "0xa.assetPositions[0].position.szi",
        "a size",
    ),
    "no raw dollars": (
        lambda: load_account(change(ANSWER, "assetPositions", 1, "position", "leverage", "rawUsd", ...)),
        "0xa.assetPositions[1].position.leverage.rawUsd",
        "this field",
    ),
    "no wallet": (lambda: load_position(POSITION), "[0].wallet", "a wallet"),
    "no side": (lambda: load_position(change(POSITION, "side", "both"), wallet=1), "[0].side", "long or short"),
    "no mark": (lambda: load_position(change(POSITION, "markPrice", None), wallet=1), "[0].markPrice", "this field"),
}


def load_account(answer: Any) -> Any:
    return load_hyperliquid_state({"0xa": answer}, load_hyperliquid_meta(META, "0.000001", **FEES))


def load_position(position: Any, **terms: Any) -> Any:
    return load_ccxt_positions([position], load_ccxt(TIERS, MARKETS, "0.01"), {}, **terms)


@pytest.mark.parametrize("name", BAD)
def test_what_is_missing_or_wrong_is_named(name: str) -> None:
    load, field, expected = BAD[name]

    with pytest.raises(Fault) as caught:
        load()
    assert field == caught.value.field
    assert caught.value.expected.startswith(expected)


def test_binances_brackets_are_the_first_of_its_preset() -> None:
    rules = load_binance_brackets(BRACKETS, "0.000001", **FEES)[MarketId("BTCUSDT")]
    preset = load_preset("binance").markets[MarketId("BTC")]

    assert preset.tiers[:1] == rules.tiers
    assert preset.maintenance_margin_rate == rules.maintenance_margin_rate
    assert {MarketId("BTCUSDT"): rules} == load_binance_brackets(BRACKETS[0], "0.000001", **FEES)


def test_hyperliquids_meta_gives_the_tiers_of_its_preset() -> None:
    loaded = load_hyperliquid_meta(META, "0.000001", **FEES)
    preset = load_preset("hyperliquid").markets[MarketId("BTC")]

    assert ["BTC", "MAV"] == list(loaded)
    assert preset.tiers == loaded[MarketId("BTC")].rules.tiers
    assert preset.maintenance_margin_rate == loaded[MarketId("BTC")].rules.maintenance_margin_rate
    # three times: a third and a sixth, rounded up
    assert (333_334, 166_667) == (
        loaded[MarketId("MAV")].rules.initial_margin_rate, loaded[MarketId("MAV")].rules.maintenance_margin_rate
    )  # fmt: skip
    assert 1 == loaded[MarketId("MAV")].lot


def test_a_hyperliquid_account_has_its_equity_and_its_margin() -> None:
    scene = load_account(ANSWER)

    assert 2_500 == scene.get_equity("0xa")
    assert Fraction("593.75") == scene.get_maintenance_margin("0xa")
    assert -2_500 == scene.get_pnl("0xa", "BTC")
    # alone with its margin: 7.5 of cash, less 6 for what it owes
    assert Fraction("1.5") == scene.get_equity("0xa/MAV")
    assert Fraction("1.000002") == scene.get_maintenance_margin("0xa/MAV")
    assert not queries.is_liquidatable(scene.state, AccountId("0xa"))


def test_ccxts_positions_share_a_wallet_or_have_their_own() -> None:
    scene = load_position(POSITION, wallet="5000")

    assert 3_000 == scene.get_equity("account")
    assert 2 == scene.get_size("account", BTC)
    # 98,000 in the second bracket: half a percent less 50
    assert 440 == scene.get_maintenance_margin("account")
    alone = load_position(change(POSITION, "marginMode", "isolated"))
    assert 3_000 == alone.get_equity(f"account/{BTC}")


def test_a_position_of_no_contracts_is_left_out() -> None:
    scene = load_position(change(POSITION, "contracts", 0), wallet=10)

    assert 10 == scene.get_equity("account")


def test_a_contracts_size_may_come_from_elsewhere() -> None:
    position = change(POSITION, "contractSize", None)
    scene = load_ccxt_positions([position], load_ccxt(TIERS, MARKETS, "0.01"), {BTC: "0.1"}, wallet=5_000)

    assert Fraction("0.2") == scene.get_size("account", BTC)


def test_a_market_without_rules_is_refused() -> None:
    with pytest.raises(Fault, match="a market whose rules are given"):
        load_ccxt_positions([POSITION], {}, {}, wallet=1)


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(Fault, match="JSON"):
        parse("{")
