"""Bluefin's tables: every position, bank balance and pool after each step of trades, margins, liquidations, ADL.

Alice is the maker of an ordinary trade and Bob its taker, unless a step says the reverse. A step that is refused
leaves the ledger as it was; and nothing but deposits ever changes what there is in all.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest

from riskcore.venues import bluefin
from riskcore.venues.exact import exact
from tests.vectors.play import Case, load, play

SUBJECTS = ("bluefin_trades", "bluefin_margin", "bluefin_liquidation", "bluefin_adl")

ALICE, BOB = "alice", "bob"
#: Ratios where a table gives none.
INITIAL, MAINTENANCE = "0.0625", "0.05"


def make_ledger(case: dict[str, Any]) -> bluefin.Ledger:
    config, balances = case["config"], case["initial_balances"]
    rules = bluefin.Rules(
        config.get("initialMarginReq", INITIAL),
        config.get("maintenanceMarginReq", MAINTENANCE),
        config["defaultMakerFee"],
        config["defaultTakerFee"],
        config.get("insurancePoolRatio", 0),
    )
    ledger = bluefin.Ledger(rules)
    for name in (ALICE, BOB):
        ledger = bluefin.deposit(ledger, name, balances["traders"])
    # tables that do not say what cat and dog have do not ask for it
    for name in ("cat", "dog", "liquidator"):
        ledger = bluefin.deposit(ledger, name, balances.get(name, balances["traders"]))
    return ledger


class Play:
    """A table under way."""

    def __init__(self, ledger: bluefin.Ledger) -> None:
        self.ledger = ledger
        self.error: int | None = None
        self.pnl: Mapping[str, Fraction] = {}

    def take(self, step: dict[str, Any]) -> None:
        self.error, self.pnl = None, {}
        ledger = bluefin.set_oracle(self.ledger, step["pOracle"])
        self.ledger = ledger
        try:
            self.ledger = self.act(ledger, step)
        except bluefin.Refused as refused:
            self.error = refused.code

    def act(self, ledger: bluefin.Ledger, step: dict[str, Any]) -> bluefin.Ledger:
        # margin is moved by who took the trade
        if "addMargin" in step:
            return bluefin.add_margin(ledger, BOB, step["addMargin"])
        if "removeMargin" in step:
            return bluefin.remove_margin(ledger, BOB, step["removeMargin"])
        if "adjustLeverage" in step:
            return bluefin.adjust_leverage(ledger, BOB, step["adjustLeverage"])
        size = exact(step.get("size", 0))
        if size == 0:
            return ledger
        kind = step.get("tradeType", "normal")
        if kind == "liquidation":
            ledger, self.pnl = bluefin.liquidate(ledger, "liquidator", ALICE, size, step["leverage"])
            return ledger
        if kind == "deleveraging":
            ledger, self.pnl = bluefin.deleverage(ledger, ALICE, "cat", size)
            return ledger
        maker, taker = self.get_parties(kind, bool(step.get("isTaker")))
        if kind == "liquidator_bob" and ledger.get_position(BOB).size:
            ledger = bluefin.adjust_leverage(ledger, BOB, step["leverage"])
        return bluefin.trade(ledger, maker, taker, size, step["price"], step["leverage"])

    @staticmethod
    def get_parties(kind: str, is_reversed: bool) -> tuple[str, str]:
        if kind == "normal":
            return (BOB, ALICE) if is_reversed else (ALICE, BOB)
        first, _, second = kind.partition("_")
        return first, second

    def describe(self, step: dict[str, Any]) -> dict[str, Any]:
        """What a step may expect."""
        people = {"expectMaker": ALICE, "expectTaker": BOB, "expectCat": "cat", "expectLiquidator": "liquidator"}
        found: dict[str, Any] = {key: self.describe_account(name) for key, name in people.items()}
        found["expectSystem"] = {
            "fee": self.ledger.fees,
            "insurancePool": self.ledger.insurance,
            "perpetual": self.ledger.market,
        }
        if self.error is not None:
            found["expectError"] = self.error
        elif "expectError" not in step:
            return found
        else:
            found["expectError"] = "accepted"
        return found

    def describe_account(self, name: str) -> dict[str, Any]:
        held = self.ledger.get_position(name)
        return {
            "mro": held.rate,
            "oiOpen": held.open_notional,
            "qPos": held.size,
            "margin": held.margin,
            "marginRatio": bluefin.get_margin_ratio(held, self.ledger.oracle),
            "bankBalance": self.ledger.get_bank(name),
            "pPos": held.entry,
            "pnl": self.pnl.get(name, Fraction(0)),
        }

    def get_total(self) -> Fraction:
        return sum(self.ledger.banks.values(), self.ledger.fees + self.ledger.insurance + self.ledger.market)


def run(case: dict[str, Any]) -> dict[str, Any]:
    played, found = Play(make_ledger(case)), []
    total = played.get_total()
    for step in case["steps"]:
        played.take(step)
        found.append(played.describe(step))
        assert total == played.get_total()
        # a step is refused exactly where the table says so
        assert (played.error is not None) == ("expectError" in step), (step, played.error)
        sizes = [position.size for position in played.ledger.positions.values()]
        assert sum(sizes) == 0
    return {"steps": found}


RUNNERS = {"tradesandfee": run, "tradeandmargin": run, "tradeandloss": run, "marginratio": run, "adjustmargin": run}
RUNNERS |= {"liquidations": run, "liquidationswithloss": run, "adltrades": run}


@pytest.mark.parametrize("case", [case for name in SUBJECTS for case in load(name)], ids=lambda case: case.id)
def test_every_figure_of_every_step_is_that_of_the_source(case: Case) -> None:
    _, differences = play(RUNNERS, case)

    assert [] == differences
