"""What other engines' insurance funds pay and get, in figures that they publish or test with.

The figures are in ``vectors/insurance.json``, which names the source of each. dYdX's fund takes a capped
fee of a liquidation, or pays what it is worse than bankruptcy price; a venue that begins to deleverage once its
fund has fallen by a rate of a reference is a rulebook whose limit for the window is that rate of it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from riskcore.events import (
    CoverDeficit,
    Deposit,
    Fill,
    FundInsurance,
    LiquidationFill,
    MarkPrice,
    SettleMarket,
    SettlePair,
    WriteOff,
)
from riskcore.insurance import get_available
from riskcore.quantities import Time
from riskcore.rules import Rule
from riskcore.testing.desk import Desk
from riskcore.testing.rulebooks import HOUR, make_rulebook, make_rules

VECTORS = json.loads(Path(__file__).with_name("vectors").joinpath("insurance.json").read_text(encoding="utf-8"))

#: Atoms of a quote quantum, so that prices of a base quantum are whole.
ATOMS = 100


def get_id(case: dict[str, Any]) -> str:
    return str(case["id"])


@pytest.mark.parametrize("case", VECTORS["fills"], ids=get_id)
def test_the_fund_gets_its_fee_or_pays_the_difference(case: dict[str, Any]) -> None:
    lots, cash = case["quantums"], case["cash"] * ATOMS
    # a quote unit is 1e6 quantums, a base unit 1e8: a price is as many atoms for a lot
    entry = 70_000 if lots > 0 else 40_000
    desk = Desk(make_rulebook())
    rules = make_rules(initial=200_000, maintenance=100_000, liquidation=case["fee_rate"])
    desk.open("BTC", entry, rules, liquidated=cash + lots * entry, other=10**15, maker=10**15)
    desk.must(FundInsurance, 10**12)
    desk.must(Fill, "liquidated", "other", "BTC", lots, entry)
    desk.must(MarkPrice, "BTC", case["oracle"])
    assert desk.get_balance("liquidated") == cash
    desk.must(LiquidationFill, "liquidated", "maker", "BTC", abs(lots), case["price"])

    assert 10**12 + case["delta"] * ATOMS == desk.state.reserves.insurance


@pytest.mark.parametrize("case", VECTORS["validity"], ids=get_id)
def test_a_fill_may_cost_the_fund_what_it_has(case: dict[str, Any]) -> None:
    # one lot from 1e11, whose fill at mark leaves the account exactly the delta
    delta, entry, deposit = case["delta"], 10**11, 2 * 10**10
    desk = Desk(make_rulebook())
    rules = make_rules(initial=200_000, maintenance=100_000, liquidation=1_000_000)
    desk.open("BTC", entry, rules, liquidated=deposit, other=10**15, maker=10**15)
    if case["balance"]:
        desk.must(FundInsurance, case["balance"])
    desk.must(Fill, "liquidated", "other", "BTC", 1, entry)
    mark = entry - deposit + delta
    desk.must(MarkPrice, "BTC", mark)
    outcome = desk.do(LiquidationFill, "liquidated", "maker", "BTC", 1, mark)

    assert (None if case["valid"] else Rule.WORSE_THAN_BANKRUPTCY) == outcome.rejected
    assert case["balance"] + (delta if case["valid"] else 0) == desk.state.reserves.insurance


@pytest.mark.parametrize("case", VECTORS["deficits"], ids=get_id)
def test_the_fund_pays_a_deficit_as_far_as_it_goes(case: dict[str, Any]) -> None:
    lots, entry, equity = case["lots"], case["entry"], case["equity"]
    desk = Desk()
    # who has nothing buys below a mark at which the gain is margin enough
    listed = entry if equity else entry * 6 // 5
    desk.open("BTC", listed, make_rules(initial=50_000, maintenance=25_000), other=10**9)
    if equity:
        desk.must(Deposit, "loser", equity)
    desk.must(FundInsurance, case["fund"])
    desk.must(Fill, "loser", "other", "BTC", lots, entry)
    desk.must(MarkPrice, "BTC", case["mark"])
    assert -case["deficit"] == desk.get_equity("loser")
    desk.must(CoverDeficit, "loser")
    desk.must(SettleMarket, "BTC", case["mark"])
    desk.must(SettlePair, "BTC", "loser", "other")
    if case["uncovered"]:
        desk.must(WriteOff, "loser")

    assert (case["fund_after"], case["uncovered"]) == (
        desk.state.reserves.insurance,
        -desk.state.reserves.uncovered,
    )


@pytest.mark.parametrize("case", VECTORS["triggers"], ids=get_id)
def test_a_fund_that_falls_by_a_rate_opens_the_next_stage(case: dict[str, Any]) -> None:
    reference, loss = case["reference"], case["loss"]
    limit = reference * 30 // 100
    desk = Desk(
        make_rulebook(insurance_draw_limit=limit, insurance_draw_window=8 * HOUR), debts={"first": loss - 1, "last": 1}
    )
    desk.must(FundInsurance, reference)
    desk.must(CoverDeficit, "first")
    if loss - 1 < limit:
        assert Rule.INSURANCE_NOT_EXHAUSTED == desk.do(WriteOff, "last").rejected
        desk.must(CoverDeficit, "last")

    assert 0 == get_available(desk.state, desk.state.timestamp)
    assert min(loss, limit) == reference - desk.state.reserves.insurance
    assert limit == get_available(desk.state, Time(desk.venue.time + 8 * HOUR))
