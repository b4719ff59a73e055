"""SettleMarket, SettlePair: a market ends, in any order and whatever its accounts are worth."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskcore import Event, State, step
from riskcore.events import (
    ApplyFunding,
    BeginDeleveraging,
    CoverDeficit,
    Deposit,
    Fill,
    FundInsurance,
    LiquidationFill,
    MarkPrice,
    SettleMarket,
    SettlePair,
    Takeover,
    WriteOff,
)
from riskcore.journal import Reason, Reserve, Stage
from riskcore.pairing import compute_pairs
from riskcore.quantities import MarketId
from riskcore.queries import equity
from riskcore.rules import Rejected, Rule
from riskcore.testing.desk import Desk, get_lines
from riskcore.testing.properties.states import states
from riskcore.testing.rulebooks import HOUR, make_rulebook

X = MarketId("X")


def with_book() -> Desk:
    """amber is long 10 lots; birch is short 6 of them and cedar 4. All bought and sold at 1000."""
    desk = Desk()
    desk.open("BTC", 1000, amber=2000, birch=2000, cedar=2000)
    desk.must(Fill, "amber", "birch", "BTC", 6, 1000)
    desk.must(Fill, "amber", "cedar", "BTC", 4, 1000)
    return desk


def with_end(price: int = 1100) -> Desk:
    """The same, and the market ends."""
    desk = with_book()
    desk.must(SettleMarket, "BTC", price)
    return desk


# SettleMarket


def test_a_market_ends_at_its_last_price() -> None:
    desk = with_book()
    outcome = desk.do(SettleMarket, "BTC", 1100)

    assert outcome.rejected is None
    assert () == outcome.effects
    assert (1100, True, 10) == (
        desk.get_market("BTC").mark_price,
        desk.get_market("BTC").settling,
        desk.get_market("BTC").open_interest,
    )
    assert 3000 == desk.get_equity("amber")


def test_a_market_ends_once() -> None:
    assert Rule.MARKET_SETTLING == with_end().do(SettleMarket, "BTC", 1200).rejected


@pytest.mark.parametrize("price", [0, -1])
def test_a_market_does_not_end_without_a_price(price: int) -> None:
    assert Rule.PRICE_NOT_POSITIVE == with_book().do(SettleMarket, "BTC", price).rejected


def test_a_market_that_is_not_there_does_not_end() -> None:
    assert Rule.UNKNOWN_MARKET == Desk().do(SettleMarket, "BTC", 1).rejected


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        (MarkPrice, ("BTC", 1000)),
        (ApplyFunding, ("BTC", 100)),
        (Fill, ("amber", "birch", "BTC", -1, 1100)),
        (LiquidationFill, ("birch", "amber", "BTC", 1, 1100)),
        (Takeover, ("birch", "BTC", 1)),
        (BeginDeleveraging, ("birch", "BTC", ("amber",))),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_in_a_market_that_ends_nothing_else_happens(kind: Callable[..., Event], arguments: tuple[Any, ...]) -> None:
    # birch has 2000 - 6 * 340 < 0 left
    desk = with_end(1340)

    assert Rule.MARKET_SETTLING == desk.do(kind, *arguments).rejected


def test_other_markets_go_on() -> None:
    desk = with_end()
    desk.open("ETH", 100)

    assert desk.do(Fill, "amber", "birch", "ETH", 1, 100).rejected is None
    assert desk.do(MarkPrice, "ETH", 101).rejected is None
    assert Rule.MARKET_OPEN == desk.do(SettlePair, "ETH", "amber", "birch").rejected


def test_a_deleveraging_is_finished_first() -> None:
    desk = with_book()
    desk.must(MarkPrice, "BTC", 1340)
    desk.must(BeginDeleveraging, "birch", "BTC", ("amber",))

    assert Rule.DELEVERAGING_OPEN == desk.do(SettleMarket, "BTC", 1340).rejected


# SettlePair


def test_the_smaller_side_is_closed_against_the_other() -> None:
    desk = with_end()
    outcome = desk.do(SettlePair, "BTC", "amber", "birch")

    assert [("birch", "amber", "BTC", 6, 6600, Reason.SETTLEMENT, Stage.SETTLEMENT)] == get_lines(outcome)
    # amber keeps 4 of 10 lots with their part of the cost
    assert (4, 4000, 0) == desk.get_position("amber", "BTC")
    assert (0, 0, 0) == desk.get_position("birch", "BTC")
    assert 2000 - 6 * 100 == desk.get_balance("birch")
    assert 4 == desk.get_market("BTC").open_interest


def test_when_the_last_pair_is_closed_all_is_cash() -> None:
    desk = with_end()
    desk.must(SettlePair, "BTC", "amber", "birch")
    desk.must(SettlePair, "BTC", "amber", "cedar")

    assert [3000, 1400, 1600] == [desk.get_balance(account) for account in ("amber", "birch", "cedar")]
    assert 0 == desk.get_market("BTC").open_interest
    assert Rule.NOT_OPPOSITE == desk.do(SettlePair, "BTC", "amber", "cedar").rejected


def test_funding_is_settled_with_the_position() -> None:
    desk = with_book()
    # 1 % of 1000 for an interval: ten atoms a lot, longs pay
    desk.must(ApplyFunding, "BTC", 10_000, after=8 * HOUR)
    desk.must(SettleMarket, "BTC", 1000)
    outcome = desk.do(SettlePair, "BTC", "amber", "birch")

    assert [
        ("birch", Reserve.TRANSIT, -60, Reason.FUNDING, Stage.ORDINARY),
        ("amber", Reserve.TRANSIT, 100, Reason.FUNDING, Stage.ORDINARY),
        ("birch", "amber", "BTC", 6, 6000, Reason.SETTLEMENT, Stage.SETTLEMENT),
    ] == get_lines(outcome)
    assert 2060 == desk.get_balance("birch")


def test_a_bankrupt_account_is_settled_like_any_other_and_its_debt_booked_after() -> None:
    desk = with_book()
    desk.must(FundInsurance, 30)
    # birch has 2000 - 6 * 340 = -40, cedar 2000 - 4 * 340 = 640
    desk.must(SettleMarket, "BTC", 1340)
    desk.must(SettlePair, "BTC", "amber", "birch")

    assert -40 == desk.get_balance("birch")
    assert Rule.INSURANCE_NOT_EXHAUSTED == desk.do(WriteOff, "birch").rejected
    assert desk.do(CoverDeficit, "birch").rejected is None
    assert desk.do(WriteOff, "birch").rejected is None
    assert (0, -10) == (desk.get_balance("birch"), desk.state.reserves.uncovered)
    desk.must(SettlePair, "BTC", "amber", "cedar")
    assert 2000 + 10 * 340 == desk.get_balance("amber")


def test_where_nobody_is_eligible_the_end_of_the_market_is_the_last_resort() -> None:
    # both sides are in debt elsewhere or here: no queue, and a share that is nobody's to pay
    desk = Desk(make_rulebook(vault_position_limit=0))
    desk.open("BTC", 1000, amber=1000, birch=1000, cedar=9000)
    desk.open("ETH", 1000)
    desk.must(Fill, "amber", "birch", "BTC", 4, 1000)
    desk.must(Fill, "birch", "cedar", "ETH", 5, 1000)
    desk.must(MarkPrice, "ETH", 790)
    # birch is 1000 - 1050 below zero, amber is healthy at 1000 - 900 < 5 % of 4 * 775
    desk.must(MarkPrice, "BTC", 775)
    assert (1000 - 900, 1000 - 1050 + 900) == (desk.get_equity("amber"), desk.get_equity("birch"))
    desk.must(MarkPrice, "ETH", 600)
    assert desk.get_equity("birch") < 0 < desk.get_equity("amber") < 155
    assert Rule.NOTHING_TO_BOOK == desk.do(BeginDeleveraging, "amber", "BTC", ()).rejected

    desk.must(SettleMarket, "BTC", 775)
    assert desk.do(SettlePair, "BTC", "amber", "birch").rejected is None
    assert (100, 0) == (desk.get_balance("amber"), desk.get_market("BTC").open_interest)


@pytest.mark.parametrize(
    ("long", "short"),
    [("birch", "amber"), ("birch", "cedar"), ("amber", "amber"), ("amber", "nobody"), ("nobody", "birch")],
    ids=["swapped", "same side", "itself", "no short", "no long"],
)
def test_a_pair_is_a_long_and_a_short(long: str, short: str) -> None:
    assert Rule.NOT_OPPOSITE == with_end().do(SettlePair, "BTC", long, short).rejected


def test_in_an_open_market_nobody_is_settled() -> None:
    assert Rule.MARKET_OPEN == with_book().do(SettlePair, "BTC", "amber", "birch").rejected


def test_in_a_market_that_is_not_there_nobody_is_settled() -> None:
    assert Rule.UNKNOWN_MARKET == Desk().do(SettlePair, "BTC", "amber", "birch").rejected


def test_a_settled_account_trades_on_elsewhere_and_a_settled_market_stays_closed() -> None:
    desk = with_end()
    desk.must(SettlePair, "BTC", "amber", "birch")
    desk.must(SettlePair, "BTC", "amber", "cedar")
    desk.must(Deposit, "amber", 5)

    assert Rule.MARKET_SETTLING == desk.do(Fill, "amber", "birch", "BTC", 1, 1100).rejected


# Any order


def settle_in_any_order(state: State, random: Random) -> State:
    """Pairs at random until no position is left in X."""
    while True:
        sizes = {id: account.positions.get(X).size for id, account in sorted(state.accounts.items())}
        longs = [id for id, size in sizes.items() if size > 0]
        shorts = [id for id, size in sizes.items() if size < 0]
        if not longs:
            assert not shorts
            return state
        state = does(state, SettlePair, X, random.choice(longs), random.choice(shorts))


def does(state: State, kind: Callable[..., Event], *arguments: object) -> State:
    sequence = state.sequence + 1
    outcome = step(state, kind(f"e{sequence}", sequence, state.timestamp, *arguments))
    assert outcome.rejected is None, outcome.rejected
    return outcome.state


@given(states(), st.integers(1, 3_000), st.randoms(use_true_random=False), st.randoms(use_true_random=False))
def test_any_order_of_pairs_gives_the_same_balances(state: State, price: int, one: Random, other: Random) -> None:
    state = does(state, SettleMarket, X, price)
    settled = [settle_in_any_order(state, random) for random in (one, other)]
    planned = state
    for long, short in compute_pairs(state, X):
        planned = does(planned, SettlePair, X, long, short)

    for after in (*settled, planned):
        assert sorted(after.accounts.items()) == sorted(settled[0].accounts.items())
        assert after.reserves == settled[0].reserves
        for id, account in after.accounts.items():
            assert 0 == account.positions.get(X).size
            assert equity(state, id) == equity(after, id)


# The planner's order


def test_pairs_are_met_in_the_order_of_ids() -> None:
    desk = with_end()

    assert (("amber", "birch"), ("amber", "cedar")) == compute_pairs(desk.state, MarketId("BTC"))


def test_where_nobody_holds_anything_there_are_no_pairs() -> None:
    desk = Desk()
    desk.open("BTC", 1000, amber=2000)

    assert () == compute_pairs(desk.state, MarketId("BTC"))
    with pytest.raises(Rejected, match="not listed"):
        compute_pairs(desk.state, MarketId("ETH"))


@given(states())
def test_there_are_fewer_pairs_than_positions(state: State) -> None:
    held = sum(1 for _, account in state.accounts.items() if account.positions.get(X).size)

    assert len(compute_pairs(state, X)) <= max(held - 1, 0)
