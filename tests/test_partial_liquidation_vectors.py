"""What venues say of partial liquidation: how much of a position, above which size, and what comes after.

The figures are in ``vectors/partial_liquidation.json``, which names their sources and where these
differ from what is played here. Each is played by ``riskcore.step`` on a position of a
thousand lots, which is sold at mark.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from riskcore import (
    Deposit,
    Event,
    Fill,
    LiquidationFill,
    ListMarket,
    MarketRules,
    MarkPrice,
    RankPolicy,
    Rule,
    Rulebook,
    State,
    genesis,
    queries,
    step,
)
from riskcore.quantities import RATE_ONE, AccountId, Atoms, EventId, MarketId, Rate, Time

VECTORS = json.loads(
    Path(__file__).with_name("vectors").joinpath("partial_liquidation.json").read_text(encoding="utf-8")
)

BTC, LIQUIDATED, MAKER = MarketId("BTC"), AccountId("liquidated"), AccountId("maker")
LOTS = 1000
#: Of all markets here: the maintenance rate.
MAINTENANCE = 100_000


class Play:
    """A long of ``lots`` at a mark and with an equity below maintenance; ``limits`` are the rulebook's."""

    def __init__(
        self,
        notional: int,
        equity: int,
        fee: int = 0,
        window: int = 0,
        lots: int = LOTS,
        limits: dict[str, Any] | None = None,
        **gates: Any,
    ) -> None:
        rulebook = Rulebook(
            vault=AccountId("vault"),
            vault_position_limit=Atoms(0),
            insurance_floor=Atoms(0),
            insurance_backs_fills=False,
            insurance_fill_band=Rate(0),
            insurance_before_adl=False,
            adl_solvent=False,
            adl_requires_profit=False,
            adl_rank=RankPolicy.PROFIT_TIMES_LEVERAGE,
            funding_interval=Time(28_800_000),
            funding_rate_cap=Rate(0),
            liquidation_window=Time(window),
            **(limits or {}),
        )
        rates = Rate(MAINTENANCE), Rate(MAINTENANCE), Rate(0), Rate(0), Rate(fee)
        self.state: State = genesis(rulebook)
        self.mark, remainder = divmod(notional, lots)
        assert remainder == 0
        self.does(ListMarket, BTC, MarketRules(*rates, **gates), 2 * self.mark)
        # at twice the mark the account has the worth of its lots more
        self.does(Deposit, LIQUIDATED, equity + notional)
        self.does(Deposit, MAKER, 10 * notional)
        self.does(Fill, LIQUIDATED, MAKER, BTC, lots, 2 * self.mark)
        self.does(MarkPrice, BTC, self.mark)

    def ask(self, kind: type[Event], *fields: object, after: int = 0) -> Rule | None:
        """The rule that the event breaks, if it does."""
        sequence, time = self.state.sequence + 1, Time(self.state.timestamp + after)
        outcome = step(self.state, kind(EventId(f"e{sequence}"), sequence, time, *fields))  # type: ignore[arg-type]
        self.state = outcome.state
        return outcome.rejected

    def does(self, kind: type[Event], *fields: object) -> None:
        assert self.ask(kind, *fields) is None

    def sell(self, lots: int, after: int = 0) -> Rule | None:
        return self.ask(LiquidationFill, LIQUIDATED, MAKER, BTC, lots, self.mark, after=after)


def get_cases(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", VECTORS[name], ids=[case["id"] for case in VECTORS[name]])


@get_cases("shares")
def test_a_share_and_its_fee_leave_what_the_table_says(case: dict[str, Any]) -> None:
    notional = case["maintenance"] * RATE_ONE // MAINTENANCE
    fee = case["fee_of_maintenance"] * MAINTENANCE // RATE_ONE
    play = Play(notional, case["equity"], fee, liquidation_share=Rate(case["share"]))
    lots = LOTS * case["share"] // RATE_ONE
    before = queries.equity(play.state, LIQUIDATED), queries.maintenance_margin(play.state, LIQUIDATED)

    assert (case["equity"], case["maintenance"]) == before
    assert Rule.LIQUIDATION_SHARE == play.sell(lots + 1)
    assert play.sell(lots) is None
    after, ratio = case["after"], queries.margin_ratio(play.state, LIQUIDATED)
    assert after["maintenance"] == queries.maintenance_margin(play.state, LIQUIDATED)
    assert after["fee"] == play.state.reserves.insurance
    assert after["equity"] == queries.equity(play.state, LIQUIDATED)
    assert ratio is not None
    assert abs(Fraction(after["ratio"]) - ratio) <= Fraction(1, 1000)


@get_cases("floors")
def test_a_large_position_is_closed_by_its_share_and_another_whole(case: dict[str, Any]) -> None:
    gates: dict[str, Any] = {"liquidation_share": Rate(case["share"]), "liquidation_share_floor": Atoms(case["floor"])}
    play = Play(case["notional"], case["notional"] // 20, **gates)
    lots, remainder = divmod(case["most"] * LOTS, case["notional"])

    assert remainder == 0
    assert (Rule.SIZE_EXCEEDS_POSITION if lots == LOTS else Rule.LIQUIDATION_SHARE) == play.sell(lots + 1)
    assert play.sell(lots) is None


@get_cases("windows")
def test_what_follows_within_the_window_is_for_all(case: dict[str, Any]) -> None:
    play = Play(10**9, 10**7, window=case["window"], liquidation_share=Rate(case["share"]))
    first = LOTS * case["share"] // RATE_ONE
    assert play.sell(first) is None
    assert (None if case["whole"] else Rule.LIQUIDATION_SHARE) == play.sell(LOTS - first, after=case["after"])


@get_cases("blocks")
def test_a_block_leaves_what_its_limit_has_left(case: dict[str, Any]) -> None:
    limits: dict[str, Any] = {"liquidation_block_limit": Atoms(case["limit"])}
    play = Play(case["lot"] * LOTS, 0, limits=limits)
    sold, left = case["sold"], case["left"]

    assert [Rule.LIQUIDATION_BLOCK, None] == [play.sell(sold + left + 1), play.sell(sold)]
    assert Rule.LIQUIDATION_BLOCK == play.sell(left + 1)
    if left:
        assert play.sell(left) is None
    assert play.sell(sold, after=1) is None


@get_cases("targets")
def test_a_shortage_takes_as_many_lots_as_it_is_margin_of(case: dict[str, Any]) -> None:
    notional = case["size"] * case["mark"]
    equity = notional * MAINTENANCE // RATE_ONE - case["shortage"]
    limits: dict[str, Any] = {"liquidation_target": Rate(RATE_ONE)}
    play = Play(notional, equity, lots=case["size"], limits=limits)

    assert [Rule.LIQUIDATION_TARGET, None] == [play.sell(case["most"] + 1), play.sell(case["most"])]
    assert Rule.NOT_LIQUIDATABLE == play.sell(1)
