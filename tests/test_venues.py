"""Venues' rules beyond the figures that they publish: boundaries, shorts, refusals, and what the kernel says."""

from __future__ import annotations

import ast
from collections.abc import Callable
from fractions import Fraction
from inspect import getdoc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskcore import queries
from riskcore.events import Deposit, Fill, Withdraw
from riskcore.monitor import Monitor
from riskcore.quantities import RATE_ONE, AccountId, EventId, Lots, MarketId, Price, Time
from riskcore.venues import (
    VENUES,
    binance,
    bitmex,
    bluefin,
    brackets,
    bybit,
    drift,
    dydx,
    ethereal,
    formulas,
    get_venue,
    hyperliquid,
    okx,
    paradex,
    percolator,
    ranks,
    starkex,
    vega,
)
from riskcore.venues.exact import exact, round_down, round_toward_zero, round_up
from riskcore.venues.scene import REST, Held, Holding, Listing, hold, make_scene

FOLDER = Path(formulas.__file__).parent


# Shape


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_no_float_is_in_a_venue(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float | complex))
        assert not (isinstance(node, ast.Name) and node.id in ("float", "round"))


def test_each_module_of_a_venue_is_listed() -> None:
    tools = {"accounts", "answers", "brackets", "exact", "formulas", "loading", "pricing", "ranks", "scene"}

    assert {path.stem for path in FOLDER.glob("*.py")} - tools == {"__init__", *VENUES}
    with pytest.raises(KeyError):
        get_venue("formulas")


@pytest.mark.parametrize("name", VENUES)
def test_a_venue_names_its_source(name: str) -> None:
    document = getdoc(get_venue(name))

    assert document is not None
    assert "Source" in document or "arXiv" in document


@pytest.mark.parametrize("name", ["binance", "bybit", "gate", "hyperliquid", "okx"])
def test_a_liquidation_price_has_one_name(name: str) -> None:
    venue = get_venue(name)

    assert callable(venue.get_liquidation_price)
    assert callable(venue.get_bankruptcy_price)


# Numbers


def test_numbers_are_exact() -> None:
    assert Fraction(1, 10) == exact("0.1")
    assert Fraction(-5, 2) == exact("-5/2")
    assert Fraction(1, 10**8) == exact("1e-8")
    for wrong in ("", "1.", ".5", "abc", "1/0", "0x1", "1_000", " 1"):
        with pytest.raises(ValueError):
            exact(wrong)
    for other in (0.1, True, None):
        with pytest.raises(TypeError):
            exact(other)  # type: ignore[arg-type]


@given(st.fractions())
def test_rounding_says_its_direction(number: Fraction) -> None:
    assert round_down(number) <= number <= round_up(number)
    assert round_up(number) - round_down(number) == (number.denominator != 1)
    assert abs(round_toward_zero(number)) <= abs(number)


# Prices


@pytest.mark.parametrize("size", ["2", "-2"])
def test_at_its_liquidation_price_a_position_is_at_its_requirement(size: str) -> None:
    price = formulas.get_liquidation_price(size, 100, 50, "0.05", deduction=3, others_maintenance=4, others_pnl=-5)

    assert price is not None
    needed = formulas.get_notional(size, price) * exact("0.05") - 3 + 4
    assert needed == formulas.get_equity(size, 100, 50, price) - 5


def test_prices_of_nothing_are_refused_and_at_a_rate_of_one_a_long_has_none() -> None:
    assert formulas.get_liquidation_price(1, 100, 10, 1) is None
    assert Fraction(110, 2) == formulas.get_liquidation_price(-1, 100, 10, 1)
    with pytest.raises(ValueError):
        formulas.get_bankruptcy_price(0, 100, 10)
    with pytest.raises(ValueError):
        formulas.get_liquidation_price(0, 100, 10, "0.1")
    with pytest.raises(ValueError):
        formulas.get_pnl(1, -1, 1)


def test_no_price_bankrupts_a_long_without_debt() -> None:
    assert 0 == formulas.get_bankruptcy_price(1, 100, 150)
    assert 250 == formulas.get_bankruptcy_price(-1, 100, 150)


def test_bybit_takes_the_notional_at_entry() -> None:
    assert exact("9.1") == bybit.get_liquidation_price(1, 10, 10, "0.01")
    assert exact("10.9") == bybit.get_liquidation_price(-1, 10, 10, "0.01")
    with pytest.raises(ValueError):
        bybit.get_liquidation_price(1, 10, 0, "0.01")


@pytest.mark.parametrize(("oracle", "long", "short"), [(3500, 3600, 3500), (3700, 3700, 3700), (5000, 5000, 4400)])
def test_ethereal_closes_at_the_oracle_up_to_bankruptcy(oracle: int, long: int, short: int) -> None:
    assert long == ethereal.get_close_out_price(10, 4000, 4000, oracle)
    assert short == ethereal.get_close_out_price(-10, 4000, 4000, oracle)


LEVELS = st.lists(
    st.tuples(st.integers(1, 10**6), st.integers(1, 900_000)), min_size=0, max_size=3, unique_by=lambda level: level[0]
)


@given(
    LEVELS,
    st.integers(1, 500_000),
    st.integers(-1000, 1000).filter(bool),
    st.integers(1, 5000),
    st.integers(0, 10**6),
)
def test_the_price_found_in_brackets_is_the_kernels(
    levels: list[tuple[int, int]], base: int, size: int, entry: int, collateral: int
) -> None:
    rates = sorted({base, *(base + added for _, added in levels if base + added <= RATE_ONE)})
    floors = [0, *sorted(floor for floor, _ in levels)]
    table = [(Fraction(floor), Fraction(rate, RATE_ONE)) for floor, rate in zip(floors, rates, strict=False)]
    made = brackets.make_brackets(table)
    tiers = tuple((floor, rate, rate) for floor, rate in table[1:])
    listing = Listing(Fraction(entry), table[0][1], table[0][1], tiers=tiers)
    scene = make_scene({"X": listing}, {"a": hold(collateral, X=(size, entry))}, grain=RATE_ONE)
    price = brackets.find_liquidation_price(made, size, entry, collateral)
    found = scene.get_liquidation_price("a", "X")

    assert brackets.is_continuous(made)
    assert scene.get_maintenance_margin("a") == brackets.get_maintenance_margin(made, abs(size) * entry)
    if price is None or found is None:
        # the kernel has only whole prices above zero
        assert price is None or price <= 2 * scene.atom
        assert found is None or found <= 2 * scene.atom
    else:
        assert abs(price - found) <= 2 * scene.atom


def test_brackets_start_at_zero_and_rise() -> None:
    for wrong in ([], [(1, "0.1")], [(0, "0.1"), (0, "0.2")], [(0, "0.1"), (5, "0.2"), (4, "0.3")]):
        with pytest.raises(ValueError):
            brackets.make_brackets(wrong)
    assert not brackets.is_continuous(brackets.make_slabs([(0, "0.1"), (5, "0.2")]))
    assert 1 == brackets.get_maintenance_margin(brackets.make_slabs([(0, "0.1"), (5, "0.2")]), 5)
    with pytest.raises(ValueError):
        brackets.get_rate("1/3")


def test_hyperliquid_takes_tiers_or_a_leverage() -> None:
    tiers = hyperliquid.make_tiers([(0, 50), (100, 10)])

    assert hyperliquid.get_liquidation_price(1, 100, 10, tiers=tiers) == hyperliquid.get_liquidation_price(
        1, 100, 10, 50
    )
    assert Fraction(1000 - 4) / Fraction(95, 10) == hyperliquid.get_liquidation_price(10, 100, 0, tiers=tiers)
    with pytest.raises(ValueError):
        hyperliquid.get_liquidation_price(1, 100, 10)
    with pytest.raises(ValueError):
        hyperliquid.get_maintenance_rate(0)
    assert exact("0.04") == hyperliquid.get_hourly_rate(1)


def test_the_fund_of_okx_and_bybit_at_the_boundary() -> None:
    assert okx.is_adl_triggered(400_000, "0.3", 280_000)
    assert not okx.is_adl_triggered(400_000, "0.3", 280_001)
    assert bybit.is_adl_triggered(100, -30, 70)
    assert not bybit.is_adl_triggered(100, -29, 71)
    assert bybit.is_adl_triggered(100, 0, 0)
    assert not bybit.is_adl_over(100, -25, 75)
    assert bybit.is_adl_over(100, -24, 76)


# Scenes


def test_a_scene_is_a_state_of_the_kernel() -> None:
    listings = {
        "X": Listing(exact("12.5"), exact("0.1"), exact("0.05"), exact("0.01"), funding_index=exact("0.3")),
        "Y": Listing(exact("3"), exact("0.2"), exact("0.1")),
    }
    holdings = {
        "a": Holding(exact("100.1"), {"X": Held(exact("1.5")), "Y": Held(exact(-7), exact("-20.5"))}),
        "b": Holding(exact(50), {"X": Held(exact("-0.25"), entry_index=exact("0.1"))}),
    }
    scene = make_scene(listings, holdings, insurance="7.5")

    # the laws are checked of what a fill leaves, in each of the markets
    for market in listings:
        monitor, price = Monitor(scene.state), scene.to_native_price(market, listings[market].price)
        header = EventId(f"f-{market}"), 1, Time(0)
        outcome = monitor.step(
            scene.state, Fill(*header, AccountId("b"), REST, MarketId(market), Lots(1), Price(price))
        )
        assert outcome.rejected is None
        assert [] == monitor.violations
    assert exact("100.1") + exact("1.5") * (exact("12.5") - exact("0.3")) - 21 == scene.get_equity("a")
    assert exact("-0.25") * (exact("12.5") - exact("0.2")) + 50 == scene.get_equity("b")
    assert exact("-0.5") == scene.get_pnl("a", "Y")
    after, rejected = scene.ask(Deposit, "a", 10)
    assert rejected is None and after.get_cash("a") == scene.get_cash("a") + 10 * scene.atom
    _, rejected = scene.ask(Withdraw, "b", 10**30)
    assert rejected is not None
    assert scene.get_lots(REST, "Y") == 7


def test_a_scene_refuses_what_the_kernel_cannot_hold() -> None:
    listing = Listing(exact(3), exact("0.2"), exact("0.1"))
    for wrong in (
        Listing(exact(0), exact("0.2"), exact("0.1")),
        Listing(exact(3), exact("0.1"), exact("0.2")),
        Listing(exact(3), exact("1/3"), exact("0.1")),
    ):
        with pytest.raises(ValueError):
            make_scene({"X": wrong}, {})
    with pytest.raises(ValueError):
        make_scene({"X": listing}, {"a": hold(1, X=("0.5", 3))})
    with pytest.raises(ValueError):
        make_scene({"X": listing}, {"a": hold("0.1")}, atom=1)


@given(st.integers(-(10**12), 10**12), st.integers(-(10**9), 10**9), st.integers(1, 10**6))
def test_the_kernel_and_dydx_agree_who_is_liquidatable(cash: int, size: int, price: int) -> None:
    market = dydx.Perpetual(price, "0.2", "0.1")
    account = dydx.Subaccount(cash, {"X": size} if size else {})
    listing = Listing(Fraction(price), market.initial, market.maintenance)
    scene = make_scene({"X": listing}, {"a": Holding(Fraction(cash), {"X": Held(Fraction(size))})})
    risk = dydx.get_risk({"X": market}, account)

    assert risk.net_collateral == scene.get_equity("a")
    assert risk.initial == scene.get_initial_margin("a")
    assert risk.maintenance == scene.get_maintenance_margin("a")
    expected = queries.is_liquidatable(scene.state, AccountId("a")) and size != 0
    assert expected == dydx.is_liquidatable(risk)


# dYdX


@given(st.integers(-(10**6), 10**6), st.integers(1, 10**4), st.data())
def test_dydx_closes_a_position_at_bankruptcy_in_any_parts_for_no_more_than_all(
    cash: int, size: int, data: st.DataObject
) -> None:
    markets = {"X": dydx.Perpetual(100, "0.2", "0.1")}
    account = dydx.Subaccount(cash, {"X": size})
    part = data.draw(st.integers(1, size))
    whole = dydx.get_bankruptcy_quote(markets, account, "X", -size)
    first = dydx.get_bankruptcy_quote(markets, account, "X", -part)

    assert whole == -cash
    assert 0 == dydx.move(account, "X", -size, whole).cash
    if part < size:
        rest = dydx.move(account, "X", -part, first)
        assert first + dydx.get_bankruptcy_quote(markets, rest, "X", part - size) == whole


def test_dydx_fillable_price_is_between_oracle_and_bankruptcy_where_the_spread_is_at_most_the_requirement() -> None:
    markets = {"X": dydx.Perpetual(100, "0.2", "0.1")}
    for account in (dydx.Subaccount(-9050, {"X": 100}), dydx.Subaccount(10_950, {"X": -100})):
        price = dydx.get_fillable_price(markets, account, "X", RATE_ONE, RATE_ONE)
        bankruptcy = dydx.get_bankruptcy_price(markets, account, "X")

        oracle = Fraction(100)

        assert min(oracle, bankruptcy) <= price <= max(oracle, bankruptcy)
    with pytest.raises(dydx.Invalid):
        dydx.get_fillable_price(markets, dydx.Subaccount(5), "X", RATE_ONE, RATE_ONE)


def test_dydx_passes_over_a_maker_without_margin() -> None:
    markets = {"X": dydx.Perpetual(100, "0.2", "0.1")}
    book = dydx.Book(dydx.Subaccount(-9050, {"X": 100}), {"poor": dydx.Subaccount(1), "rich": dydx.Subaccount(9000)}, 0)
    orders = [dydx.Order("poor", 100, 100), dydx.Order("rich", 100, 60)]
    after = dydx.liquidate(markets, book, "X", orders, dydx.Limits(0, RATE_ONE, RATE_ONE, 1, RATE_ONE))

    assert (40, 60) == (after.account.sizes["X"], after.others["rich"].sizes["X"])
    assert book.others["poor"] == after.others["poor"]


def test_dydx_lets_an_account_only_get_better() -> None:
    risk = dydx.Risk
    assert dydx.is_valid_update(risk(50, 20, 10), risk(20, 20, 10))
    assert not dydx.is_valid_update(risk(50, 20, 10), risk(19, 20, 10))
    assert dydx.is_valid_update(risk(-10, 20, 10), risk(-5, 10, 5))
    assert not dydx.is_valid_update(risk(-10, 20, 10), risk(-6, 10, 5))
    assert not dydx.is_valid_update(risk(-10, 20, 10), risk(-1, 0, 0))
    assert not dydx.is_valid_update(risk(15, 20, 10), risk(19, 22, 11))
    assert dydx.is_valid_update(risk(-2, 0, 0), risk(-1, 0, 0))
    assert not dydx.is_valid_update(risk(-2, 0, 0), risk(-2, 0, 0))


def test_dydx_caps_of_open_interest_are_in_order() -> None:
    assert RATE_ONE == dydx.get_adjusted_initial_margin_ppm(200_000, 10**30, 1, 2)
    with pytest.raises(ValueError):
        dydx.get_adjusted_initial_margin_ppm(200_000, 1, 2, 2)


# Ranks


def test_ties_go_to_the_larger_size_then_to_the_smaller_id() -> None:
    assert ["b", "a", "c"] == ranks.sort_by_score({"a": 1, "b": 1, "c": 1}, {"a": 1, "b": -2, "c": 1})
    assert ["2", "10"] == ranks.sort_by_score({"10": 1, "2": 1}, {"10": 1, "2": 1})


def test_losers_are_last_and_the_largest_leverage_of_them_first_of_all() -> None:
    mild, bold = ranks.make_ranked(1, 100, 80), ranks.make_ranked(1, 100, 8)

    assert bitmex.get_adl_score(mild, 90) < bitmex.get_adl_score(bold, 90) < 0
    assert 0 == hyperliquid.get_engine_adl_score(mild, 90)
    assert 0 == binance.get_adl_score(mild, 90, "0.01")
    with pytest.raises(ValueError):
        binance.get_adl_score(ranks.make_ranked(1, 100, 0), 110, "0.01")
    with pytest.raises(ValueError):
        ranks.get_percentiles([], {})


# Bluefin


def make_ledger() -> bluefin.Ledger:
    ledger = bluefin.set_oracle(bluefin.Ledger(bluefin.Rules("0.0625", "0.05", 0, 0, "0.1")), 100)
    for name in ("a", "b", "c"):
        ledger = bluefin.deposit(ledger, name, 1000)
    return ledger


def get_code(refused: pytest.ExceptionInfo[bluefin.Refused]) -> int:
    return refused.value.code


def test_bluefin_margin_follows_the_leverage() -> None:
    ledger = bluefin.trade(make_ledger(), "a", "b", 10, 100, 4)
    ledger = bluefin.adjust_leverage(bluefin.set_oracle(ledger, 110), "a", 5)
    held = ledger.get_position("a")

    assert 120 == held.margin
    assert Fraction(1, 5) == bluefin.get_margin_ratio(held, 110)
    assert 1000 - 250 + 130 == ledger.get_bank("a")
    assert 88 == bluefin.get_bankruptcy_price(held)
    price = bluefin.get_liquidation_price(held, "0.05")
    assert Fraction(5, 100) == bluefin.get_margin_ratio(held, price)
    assert held == bluefin.remove_margin(bluefin.add_margin(ledger, "a", 10), "a", 10).get_position("a")


def test_bluefin_refuses_with_the_contracts_codes() -> None:
    ledger = bluefin.trade(make_ledger(), "a", "b", 10, 100, 4)
    moves: dict[int, Callable[[], object]] = {
        41: lambda: bluefin.trade(ledger, "c", "b", 1, 100, 5),
        42: lambda: bluefin.trade(ledger, "a", "b", 1, 100, 0),
        500: lambda: bluefin.add_margin(ledger, "a", -1),
        503: lambda: bluefin.remove_margin(ledger, "a", 1),
        504: lambda: bluefin.adjust_leverage(ledger, "a", 0),
        510: lambda: bluefin.liquidate(ledger, "b", "c", 1, 1),
        512: lambda: bluefin.add_margin(ledger, "c", 1),
        600: lambda: bluefin.trade(ledger, "c", "b", 100, 100, 4),
        603: lambda: bluefin.add_margin(ledger, "a", 751),
        703: lambda: bluefin.liquidate(ledger, "c", "a", 1, 1),
        800: lambda: bluefin.deleverage(ledger, "a", "b", 1),
    }
    for code, move in moves.items():
        with pytest.raises(bluefin.Refused) as refused:
            move()
        assert code == get_code(refused)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-20, 20), st.integers(1, 200)), max_size=8))
def test_bluefin_makes_no_cash(steps: list[tuple[int, int, int]]) -> None:
    ledger = make_ledger()
    for kind, lots, price in steps:
        ledger = bluefin.set_oracle(ledger, price)
        try:
            if kind == 0:
                ledger = bluefin.trade(ledger, "a", "b", lots, price, 4)
            elif kind == 1:
                ledger = bluefin.trade(ledger, "c", "b", lots, price, 4)
            elif kind == 2:
                ledger, _ = bluefin.liquidate(ledger, "c", "a", lots or 1, 4)
            else:
                ledger, _ = bluefin.deleverage(ledger, "a", "b", lots or 1)
        except bluefin.Refused:
            continue

        assert 3000 == sum(ledger.banks.values(), ledger.market + ledger.fees + ledger.insurance)
        assert 0 == sum(position.size for position in ledger.positions.values())
        assert all(position.margin >= 0 for position in ledger.positions.values())


# The others


def test_starkex_boundaries() -> None:
    assert starkex.Health.HEALTHY is starkex.get_health(starkex.Standing(2, 2))
    assert starkex.Health.LIQUIDATABLE is starkex.get_health(starkex.Standing(0, 2))
    before = starkex.Standing(-2, 2)
    assert starkex.is_fair_deleverage(before, starkex.Standing(0, 1))
    assert not starkex.is_fair_deleverage(before, starkex.Standing(1, 1))
    assert not starkex.is_fair_deleverage(before, starkex.Standing(-2, 1))
    assert not starkex.is_fair_deleverage(before, starkex.Standing(1, 0))
    assert not starkex.is_fair_deleverage(starkex.Standing(0, 2), starkex.Standing(0, 0))
    assert starkex.is_healthier(starkex.Standing(1, 3), starkex.Standing(1, 2))
    assert not starkex.is_healthier(starkex.Standing(2, 4), starkex.Standing(0, 1))
    assert not starkex.is_healthier(starkex.Standing(1, 3), starkex.Standing(2, 4))
    assert [Fraction(1), Fraction(2), Fraction(2)] == [
        starkex.get_risk_factor([1, 2], 10, 5, notional) for notional in (9, 10, 10**30)
    ]
    assert -1 == starkex.get_funding_payment(1, "0.5") and 0 == starkex.get_funding_payment(-1, "0.5")


def test_drift_boundaries() -> None:
    assert (0, 1) == drift.get_rebase(0, 5)
    assert (30, 10**30) == drift.get_rebase(10**31, 1)
    with pytest.raises(ValueError):
        drift.get_rebase(5, 0)
    assert 7 == drift.get_shares(7, 0, 0)
    with pytest.raises(ValueError):
        drift.get_shares(7, 1, 0)
    with pytest.raises(ValueError):
        drift.get_amount(2, 1, 5)
    assert drift.get_liquidation_size(1, 100, 10_000, 0, 10**8, 10**6) is None
    assert 20_000 == drift.get_liquidator_fee(20_000, 50_000, 1499)
    assert 21_500 == drift.get_liquidator_fee(20_000, 50_000, 1500)
    assert 50_000 == drift.get_liquidator_fee(20_000, 50_000, 10**9)
    assert drift.PCT_ONE == drift.get_max_pct(50 * drift.QUOTE_ONE - 1)
    assert 1000 == drift.get_max_pct(50 * drift.QUOTE_ONE)
    with pytest.raises(ValueError):
        drift.resolve_bankruptcy(1, 0, 0, 0, 0)
    assert drift.Bankruptcy(Fraction(1), Fraction(0), Fraction(0), Fraction(0)) == drift.resolve_bankruptcy(
        -1, 5, 5, 0, 0
    )


def test_losses_are_shared_out_to_the_last_quantum() -> None:
    assert {"a": 3, "b": 7} == vega.socialize({"x": (10, 10)}, {"a": 3, "b": 7})
    assert {"a": 1, "b": 4} == vega.socialize({"x": (10, 5)}, {"a": 3, "b": 7})
    with pytest.raises(ValueError):
        formulas.share_out(5, (0, 0))
    assert 0 == paradex.get_bankruptcy_amount(5, 9)
    with pytest.raises(ValueError):
        paradex.get_haircut_rate(0, 0)
    assert paradex.liquidate(1, 10, 1, 1).ratio is None


def test_percolator_conserves_where_it_is_told_to() -> None:
    terms = 1_000_000, 200_000, 100_000, 200_000, 500_000

    assert Fraction(7, 12) == percolator.resolve(*terms).haircut
    assert Fraction(5, 12) == percolator.resolve(*terms, conserving=True).haircut
    assert 1 == percolator.get_profit_factor(5, 0)
    assert 2 == percolator.get_withdrawable_profit(11, percolator.get_profit_factor(50, 200))
