"""The leverage that an account chooses in a market: more margin than the rules need, and never less."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskcore import queries
from riskcore.events import (
    BeginDeleveraging,
    Deposit,
    Fill,
    LiquidationFill,
    ListMarket,
    MarkPrice,
    SetLeverage,
    SettleMarket,
    Transfer,
    Withdraw,
)
from riskcore.leverages import NO_LEVERAGES, Leverages
from riskcore.margin import get_initial_requirement, get_maintenance_requirement
from riskcore.monitor import Monitor
from riskcore.quantities import Leverage, MarketId, Time
from riskcore.rulebook import MarketRules
from riskcore.rules import Rule
from riskcore.snapshot import get_state_hash, load_state, save_state
from riskcore.state import Market
from riskcore.testing.desk import Desk
from riskcore.testing.properties.strategies import market_rules, markets
from riskcore.testing.rulebooks import VAULT, make_rules

BTC = MarketId("BTC")


def with_long(leverage: int = 0, cash: int = 1000) -> Desk:
    """amber long 10 at 100 against birch: 100 of initial margin at 10 %, and 50 of maintenance."""
    desk = Desk()
    desk.open("BTC", 100, amber=cash, birch=10_000, cedar=10_000)
    if leverage:
        desk.must(SetLeverage, "amber", "BTC", leverage)
    desk.must(Fill, "amber", "birch", "BTC", 10, 100)
    return desk


def get_initial(desk: Desk, account: str = "amber") -> int:
    return desk.view.get_health(account).initial


# What a position needs


@pytest.mark.parametrize(
    ("leverage", "initial"), [(0, 100), (1, 1000), (2, 500), (3, 334), (9, 112), (10, 100), (11, 100), (10**30, 100)]
)
def test_initial_margin_is_the_part_that_the_leverage_says_if_that_is_more(leverage: int, initial: int) -> None:
    desk = with_long(leverage)

    assert (initial, 50) == desk.view.get_health("amber")[1:]
    assert initial == queries.initial_margin(desk.state, "amber")  # type: ignore[arg-type]
    assert 100 == get_initial(desk, "birch")


@given(markets(market_rules()), st.integers(0, 10**12), st.integers(0, 10**9), st.integers(1, 200), st.integers(1, 200))
def test_a_higher_leverage_needs_no_more_and_any_covers_maintenance(
    market: Market, size: int, open_interest: int, low: int, more: int
) -> None:
    needs = [get_initial_requirement(market, size, open_interest, leverage) for leverage in (low, low + more, 0)]

    assert sorted(needs, reverse=True) == needs
    assert needs[-1] >= get_maintenance_requirement(market, size)
    assert all(needs) == (size != 0)


@pytest.mark.parametrize(("cash", "rejected"), [(334, None), (333, Rule.TAKER_MARGIN)])
def test_a_fill_is_judged_by_it(cash: int, rejected: Rule | None) -> None:
    desk = Desk()
    desk.open("BTC", 100, amber=cash, birch=10_000)
    desk.must(SetLeverage, "amber", "BTC", 3)

    assert rejected == desk.do(Fill, "amber", "birch", "BTC", 10, 100).rejected


@pytest.mark.parametrize(("cash", "rejected"), [(334, None), (333, Rule.MAKER_MARGIN)])
def test_so_is_the_maker_of_a_fill_and_of_a_liquidation(cash: int, rejected: Rule | None) -> None:
    desk = Desk()
    desk.open("BTC", 100, amber=140, birch=10_000, daisy=cash, elder=cash)
    for maker in ("daisy", "elder"):
        desk.must(SetLeverage, maker, "BTC", 3)

    assert rejected == desk.do(Fill, "birch", "daisy", "BTC", -10, 100).rejected
    desk.must(Fill, "amber", "birch", "BTC", 11, 100)
    # at 91 amber has 41 left, and needs 51; 11 lots need 334 of the maker from 91 * 11 / 3
    desk.must(MarkPrice, "BTC", 91)
    assert rejected == desk.do(LiquidationFill, "amber", "elder", "BTC", 11, 91).rejected


def test_what_leaves_an_account_is_judged_by_it() -> None:
    desk = with_long(2)

    assert Rule.BELOW_INITIAL_MARGIN == desk.do(Withdraw, "amber", 501).rejected
    assert Rule.BELOW_INITIAL_MARGIN == desk.do(Transfer, "amber", "birch", 501).rejected
    assert 500 == queries.max_withdrawable(desk.state, "amber")  # type: ignore[arg-type]
    assert desk.do(Withdraw, "amber", 500).rejected is None


def test_liquidation_does_not_know_it() -> None:
    desk, plain = with_long(1), with_long(0)
    ids = "amber", "BTC"

    assert queries.liquidation_price(plain.state, *ids) == queries.liquidation_price(desk.state, *ids)  # type: ignore[arg-type]
    desk.must(MarkPrice, "BTC", 6)
    # equity 60 of 1000 that the choice asks for, and of 3 that maintenance does
    assert Rule.NOT_LIQUIDATABLE == desk.do(LiquidationFill, "amber", "cedar", "BTC", 1, 6).rejected
    assert Rule.NOT_LIQUIDATABLE == desk.do(BeginDeleveraging, "amber", "BTC", ("birch",)).rejected


# Choosing


@pytest.mark.parametrize(
    ("cash", "leverage", "rejected"),
    [
        (334, 3, None),
        (333, 3, Rule.BELOW_INITIAL_MARGIN),
        (333, 4, None),
        (999, 1, Rule.BELOW_INITIAL_MARGIN),
        (100, 10, None),
        (1000, -1, Rule.LEVERAGE_NEGATIVE),
    ],
)
def test_a_choice_that_needs_more_needs_initial_margin(cash: int, leverage: int, rejected: Rule | None) -> None:
    desk = with_long(cash=cash)

    assert rejected == desk.do(SetLeverage, "amber", "BTC", leverage).rejected


def test_a_choice_that_needs_no_more_is_always_accepted() -> None:
    desk = with_long(2)
    desk.must(MarkPrice, "BTC", 30)
    # equity 300, of which 150 are needed; then 3 of 150, and 15 of maintenance
    desk.must(Withdraw, "amber", 150)
    desk.must(MarkPrice, "BTC", 16)

    assert (10, 80, 8) == desk.view.get_health("amber")
    assert Rule.BELOW_INITIAL_MARGIN == desk.do(SetLeverage, "amber", "BTC", 1).rejected
    assert [None] * 3 == [desk.do(SetLeverage, "amber", "BTC", leverage).rejected for leverage in (2, 3, 0)]
    assert 16 == get_initial(desk)


def test_a_choice_outlives_the_position_and_comes_before_the_first() -> None:
    desk = with_long(2)
    desk.must(Fill, "amber", "birch", "BTC", -10, 100)

    assert 0 == get_initial(desk)
    assert Leverages({BTC: Leverage(2)}) == desk.get_account("amber").leverages
    desk.must(SetLeverage, "amber", "BTC", 1)
    desk.must(Fill, "amber", "birch", "BTC", 10, 100)
    assert 1000 == get_initial(desk)
    desk.must(SetLeverage, "amber", "BTC", 0)
    assert NO_LEVERAGES == desk.get_account("amber").leverages


def test_a_choice_is_of_one_market_and_one_account() -> None:
    desk = with_long(2)
    desk.must(ListMarket, "ETH", make_rules(), 100)
    desk.must(Fill, "amber", "birch", "ETH", 4, 100)

    assert (540, 140) == (get_initial(desk), get_initial(desk, "birch"))


def test_at_a_stale_mark_only_what_needs_no_more_is_chosen() -> None:
    desk = Desk()
    rules = make_rules()
    desk.must(ListMarket, "ETH", rules, 50)
    desk.open("BTC", 100, rules_of_age(2000), amber=1000, birch=10_000)
    desk.must(SetLeverage, "amber", "ETH", 2)
    desk.must(SetLeverage, "amber", "BTC", 4, after=0)
    desk.must(Fill, "amber", "birch", "ETH", 4, 50, after=0)
    desk.must(MarkPrice, "BTC", 100)
    desk.must(Fill, "amber", "birch", "BTC", 4, 100)

    assert Rule.MARK_STALE == desk.do(SetLeverage, "amber", "BTC", 3, after=5000).rejected
    # the mark of another of its markets counts too
    assert Rule.MARK_STALE == desk.do(SetLeverage, "amber", "ETH", 1, after=5000).rejected
    assert desk.do(SetLeverage, "amber", "BTC", 5, after=5000).rejected is None
    # and none where it has no position
    desk.must(ListMarket, "DOGE", rules, 1)
    assert desk.do(SetLeverage, "amber", "DOGE", 1).rejected is None
    desk.must(MarkPrice, "BTC", 100)
    assert desk.do(SetLeverage, "amber", "BTC", 3).rejected is None


def rules_of_age(limit: int) -> MarketRules:
    """Rules under which a mark is stale after ``limit`` milliseconds."""
    return attrs.evolve(make_rules(), mark_age_limit=Time(limit))


def test_a_market_that_ends_can_still_be_chosen_in() -> None:
    desk = with_long(2)
    desk.must(SettleMarket, "BTC", 100)

    assert desk.do(SetLeverage, "amber", "BTC", 0).rejected is None
    assert desk.do(Withdraw, "amber", 900).rejected is None


def test_who_may_not_choose_and_where() -> None:
    desk = with_long()
    desk.must(Deposit, VAULT, 100)

    assert Rule.VAULT_LEVERAGE == desk.do(SetLeverage, VAULT, "BTC", 1).rejected
    assert Rule.UNKNOWN_MARKET == desk.do(SetLeverage, "amber", "DOGE", 1).rejected
    # somebody without anything may
    assert desk.do(SetLeverage, "nobody", "BTC", 5).rejected is None


# Kept


def test_a_choice_is_kept_in_a_snapshot_and_counts_in_the_hash(tmp_path: Path) -> None:
    desk, plain = with_long(5), with_long()
    save_state(desk.state, tmp_path / "state.json")
    loaded = load_state(tmp_path / "state.json")

    assert Leverage(5) == loaded.accounts.get("amber").leverages.get(BTC)  # type: ignore[arg-type]
    assert get_state_hash(desk.state) == get_state_hash(loaded)
    assert len({get_state_hash(desk.state), get_state_hash(plain.state)}) == 2


def test_the_monitor_checks_it() -> None:
    desk = with_long(5)
    monitor = Monitor(desk.state)
    sequence = desk.state.sequence + 1
    for leverage, rejected in ((2, None), (1, None), (-1, Rule.LEVERAGE_NEGATIVE), (0, None)):
        event = SetLeverage(f"m{sequence}", sequence, desk.state.timestamp, "amber", "BTC", leverage)  # type: ignore[arg-type]
        assert rejected == monitor.step(desk.state, event).rejected

    assert [] == monitor.violations
    assert 3 == monitor.tallies["MARG-5"].checked


def test_choices_are_a_value() -> None:
    chosen = Leverages({BTC: Leverage(3), MarketId("ETH"): Leverage(0)})

    assert 1 == len(chosen)
    assert Leverages({BTC: Leverage(3)}) == chosen
    assert hash(Leverages({BTC: Leverage(3)})) == hash(chosen)
    assert NO_LEVERAGES == chosen.put(BTC, Leverage(0))
    assert "Leverages({'BTC': 3})" == repr(chosen)
