"""dYdX's end-to-end cases of order book, insurance, deleveraging and settlement, every balance exact.

The figures are in ``vectors/waterfall_dydx.json``, which names their source. Each case is played by
``riskcore.step`` alone: the log names the sizes that dYdX's rules per block and per position
arrive at, and a limit on what insurance may lose becomes the floor that it must keep. In the
last case the market ends, and a healthy account's position is closed at the oracle price.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from riskcore import (
    BeginDeleveraging,
    Deleverage,
    Deposit,
    Event,
    Fill,
    FundInsurance,
    LiquidationFill,
    ListMarket,
    MarketRules,
    MarkPrice,
    RankPolicy,
    Rule,
    Rulebook,
    SettleMarket,
    SettlePair,
    State,
    genesis,
    step,
)
from riskcore.quantities import AccountId, Atoms, EventId, MarketId, Rate, Time

VECTORS = json.loads(Path(__file__).with_name("vectors").joinpath("waterfall_dydx.json").read_text(encoding="utf-8"))
CASES: list[dict[str, Any]] = VECTORS["cases"]

BTC, LIQUIDATED, REST = MarketId("BTC"), AccountId("liquidated"), AccountId("rest")
#: Atoms per lot at which longs and shorts entered: such that they could, with the cash that the case leaves them.
LONG_ENTRY, SHORT_ENTRY = 700, 400


def make_rulebook(insurance_floor: int) -> Rulebook:
    """dYdX as these cases see it: no vault, and a fund that backs fills and nothing else."""
    return Rulebook(
        vault=AccountId("vault"),
        vault_position_limit=Atoms(0),
        insurance_floor=Atoms(insurance_floor),
        insurance_backs_fills=True,
        insurance_fill_band=Rate(10_000),
        insurance_before_adl=False,
        adl_solvent=False,
        adl_requires_profit=False,
        adl_rank=RankPolicy.PROFIT_TIMES_LEVERAGE,
        funding_interval=Time(28_800_000),
        funding_rate_cap=Rate(0),
    )


def make_rules(rates: dict[str, int]) -> MarketRules:
    return MarketRules(
        initial_margin_rate=Rate(rates["initial_margin"]),
        maintenance_margin_rate=Rate(rates["maintenance_margin"]),
        taker_fee_rate=Rate(0),
        maker_fee_rate=Rate(0),
        liquidation_fee_rate=Rate(rates["liquidation_fee"]),
    )


class Play:
    """A case under way."""

    def __init__(self, rulebook: Rulebook) -> None:
        self.state: State = genesis(rulebook)

    def ask(self, kind: type[Event], *fields: object) -> Rule | None:
        """The rule that the event breaks, if it does."""
        sequence = self.state.sequence + 1
        outcome = step(self.state, kind(EventId(f"e{sequence}"), sequence, Time(0), *fields))  # type: ignore[arg-type]
        self.state = outcome.state
        return outcome.rejected

    def does(self, kind: type[Event], *fields: object) -> None:
        rejected = self.ask(kind, *fields)
        assert rejected is None, (kind, fields, rejected)

    def enter(self, id: AccountId, cash: int, lots: int) -> None:
        """Bring an account to ``cash`` and ``lots`` by a deposit and a trade with the rest of the world."""
        entry = LONG_ENTRY if lots > 0 else SHORT_ENTRY
        self.does(MarkPrice, BTC, entry)
        self.does(Deposit, id, cash + lots * entry)
        if lots:
            self.does(Fill, id, REST, BTC, lots, entry)

    def take_step(self, named: dict[str, Any]) -> Rule | None:
        if named["event"] == "liquidation_fill":
            return self.ask(LiquidationFill, LIQUIDATED, named["maker"], BTC, named["lots"], named["price"])
        if named["event"] == "begin_deleveraging":
            return self.ask(BeginDeleveraging, LIQUIDATED, BTC, tuple(named["queue"]))
        if named["event"] == "settle_market":
            return self.ask(SettleMarket, BTC, named["price"])
        if named["event"] == "settle_pair":
            return self.ask(SettlePair, BTC, named["long"], named["short"])
        assert named["event"] == "deleverage"
        return self.ask(Deleverage)

    def get_holdings(self) -> dict[str, dict[str, int]]:
        return {
            id: {"cash": account.balance, "lots": account.positions.get(BTC).size}
            for id, account in self.state.accounts.items()
        }


def set_up(case: dict[str, Any]) -> Play:
    """The state that the case begins with, reached by events."""
    play = Play(make_rulebook(case["fund"]["floor"]))
    play.does(ListMarket, BTC, make_rules(VECTORS["rates"]), case["mark"])
    play.does(Deposit, REST, 10**12)
    if case["fund"]["balance"]:
        play.does(FundInsurance, case["fund"]["balance"])
    for id, held in case["before"].items():
        play.enter(AccountId(id), held["cash"], held["lots"])
    play.does(MarkPrice, BTC, case["mark"])
    return play


def choose(holdings: dict[str, dict[str, int]], ids: dict[str, Any]) -> dict[str, dict[str, int]]:
    return {id: holdings[id] for id in ids}


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_every_balance_is_that_of_the_source(case: dict[str, Any]) -> None:
    play = set_up(case)
    assert choose(play.get_holdings(), case["before"]) == case["before"]

    for named in case["steps"]:
        rejected = play.take_step(named)
        assert rejected is (None if named["rejected"] is None else Rule[named["rejected"]])

    assert choose(play.get_holdings(), case["after"]) == case["after"]


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_what_the_accounts_lose_the_fund_gains(case: dict[str, Any]) -> None:
    play = set_up(case)
    for named in case["steps"]:
        play.take_step(named)
    before, after = (sum(held["cash"] for held in case[when].values()) for when in ("before", "after"))

    assert play.state.reserves.insurance == case["fund"]["balance"] + before - after
    assert play.state.reserves.uncovered == 0


def test_all_ten_cases_are_carried() -> None:
    assert len({case["id"] for case in CASES}) == 10
