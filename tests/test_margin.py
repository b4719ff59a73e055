"""What an account is worth and must be worth."""

from fractions import Fraction
from math import ceil

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskcore.margin import (
    Margin,
    Stance,
    get_initial_requirement,
    get_maintenance_requirement,
    get_margin,
    get_position_value,
    get_positions_margin,
    is_bearable,
    is_below_maintenance,
    is_reduction,
)
from riskcore.quantities import RATE_ONE, Atoms, Lots, MarketId, Price, Time, apply_rate, divide_down, divide_up
from riskcore.rulebook import MarketRules
from riskcore.state import Account, Market, Position, Positions
from riskcore.tables import DictTable, Table
from riskcore.testing.naive.needs import get_initial, get_maintenance, is_reducing, is_safe
from riskcore.testing.naive.views import Health
from riskcore.testing.properties.strategies import market_rules, markets
from riskcore.testing.rulebooks import make_positions, make_rules
from riskcore.tiers import get_initial_rates, get_maintenance_rates, is_continuous


def make_market(mark: int, index: int = 0, rules: MarketRules | None = None) -> Market:
    return Market(make_rules() if rules is None else rules, Price(mark), Atoms(index), 0, Time(0), Lots(0))


def make_markets(**listed: Market) -> Table[MarketId, Market | None]:
    table: Table[MarketId, Market | None] = DictTable(None)
    for name, market in listed.items():
        table = table.put(MarketId(name), market)
    return table


amounts = st.one_of(st.integers(-20, 20), st.integers(-(10**30), 10**30))
sizes = st.one_of(st.integers(-20, 20), st.integers(-(10**18), 10**18))

# Rounding


@pytest.mark.parametrize(("numerator", "down", "up"), [(7, 3, 4), (-7, -4, -3), (6, 3, 3), (0, 0, 0), (-1, -1, 0)])
def test_each_division_says_its_direction(numerator: int, down: int, up: int) -> None:
    assert (down, up) == (divide_down(numerator, 2), divide_up(numerator, 2))


@given(amounts, st.integers(-RATE_ONE, RATE_ONE))
def test_a_rate_of_an_amount_is_rounded_up(amount: int, rate: int) -> None:
    assert ceil(Fraction(amount * rate, RATE_ONE)) == apply_rate(amount, rate)


# Requirements


def get_own_initial(market: Market, size: int) -> int:
    """At the market's open interest, with no leverage chosen."""
    return get_initial_requirement(market, size, market.open_interest, 0)


def test_requirements_are_rates_of_the_notional() -> None:
    # 10 * 1000 at 10 % and 5 %
    market = make_market(1000)

    assert (1000, 500) == (get_initial_requirement(market, 10, 0, 0), get_maintenance_requirement(market, 10))
    assert (1000, 500) == (get_initial_requirement(market, -10, 0, 0), get_maintenance_requirement(market, -10))


@pytest.mark.parametrize(("size", "initial", "maintenance"), [(0, 0, 0), (1, 1, 1), (10, 1, 1), (11, 2, 1), (21, 3, 2)])
def test_a_fraction_of_an_atom_is_an_atom(size: int, initial: int, maintenance: int) -> None:
    market = make_market(1)

    assert (initial, maintenance) == (
        get_initial_requirement(market, size, 0, 0),
        get_maintenance_requirement(market, size),
    )


@given(markets(market_rules()), sizes)
def test_requirements_are_monotone_without_jumps_but_those_of_slabs(market: Market, size: int) -> None:
    for get, rate in (
        (get_own_initial, get_initial_rates(market.rules, market.open_interest * market.mark_price)[-1]),
        (get_maintenance_requirement, get_maintenance_rates(market.rules)[-1]),
    ):
        small, large = get(market, abs(size)), get(market, abs(size) + 1)
        assert 0 <= small <= large
        assert large > 0
        if is_continuous(market.rules):
            assert large <= small + ceil(Fraction(rate * market.mark_price, RATE_ONE)) + 1
    assert get_own_initial(market, size) >= get_maintenance_requirement(market, size)


@given(markets(market_rules()), sizes, sizes)
def test_without_tiers_two_parts_never_need_less_than_the_whole(market: Market, first: int, second: int) -> None:
    market = attrs.evolve(market, rules=attrs.evolve(market.rules, tiers=()))
    parts = get_maintenance_requirement(market, first) + get_maintenance_requirement(market, second)

    assert get_maintenance_requirement(market, abs(first) + abs(second)) <= parts


# Equity


@pytest.mark.parametrize(
    ("size", "entry_index", "value"),
    # at 1000, index 7: a long that came at 2 owes 5 a lot, a short is owed it
    [(3, 2, 3000 - 15), (-3, 2, -3000 + 15), (3, 7, 3000), (3, 9, 3006), (0, 0, 0)],
)
def test_a_position_is_worth_its_lots_less_the_funding_it_owes(size: int, entry_index: int, value: int) -> None:
    position = Position(Lots(size), Atoms(123), Atoms(entry_index))

    assert value == get_position_value(make_market(1000, 7), position)


def test_a_cross_account_adds_up() -> None:
    # BTC 10 at 900: 9000, 900 and 450; ETH -100 at 52, index 1: -5200 + 100, 520 and 260
    listed = make_markets(BTC=make_market(900), ETH=make_market(52, 1))
    positions = make_positions(BTC=(10, 10_000, 0), ETH=(-100, -5000, 0))

    assert Margin(3900, 1420, 710) == get_positions_margin(Account(Atoms(-3500), positions), listed)
    assert Margin(400, 1420, 710) == get_margin(Account(Atoms(-3500), positions), listed)


def test_many_positions_add_up() -> None:
    """An account of any number of positions is worth the sum of accounts of one each."""
    names = [f"M{number}" for number in range(12)]
    listed = make_markets(**{name: make_market(900 + number, number) for number, name in enumerate(names)})
    held = {name: (number * (-1) ** number, 0, 3) for number, name in enumerate(names, start=1)}
    for count in range(len(names) + 1):
        parts = [get_margin(Account(Atoms(10), make_positions(**{name: held[name]})), listed) for name in names[:count]]
        positions = make_positions(**{name: held[name] for name in names[:count]})
        total = get_margin(Account(Atoms(10 * count), positions), listed)

        assert Margin(*(sum(part[figure] for part in parts) for figure in range(3))) == total


def test_a_flat_account_is_worth_its_balance() -> None:
    assert Margin(-5, 0, 0) == get_margin(Account(Atoms(-5), Positions()), make_markets())


def test_the_cost_is_a_memo_only() -> None:
    listed = make_markets(BTC=make_market(900))
    cheap, dear = make_positions(BTC=(10, 1, 0)), make_positions(BTC=(10, 10**9, 0))

    assert get_margin(Account(Atoms(0), cheap), listed) == get_margin(Account(Atoms(0), dear), listed)


# Bounds


@pytest.mark.parametrize(("equity", "below"), [(499, True), (500, False), (501, False), (-1, True)])
def test_at_maintenance_is_not_below_it(equity: int, below: bool) -> None:
    assert below == is_below_maintenance(Margin(equity, 1000, 500))


def test_a_flat_debt_is_below_maintenance() -> None:
    assert is_below_maintenance(Margin(-1, 0, 0))
    assert not is_below_maintenance(Margin(0, 0, 0))


@given(sizes, sizes)
def test_a_reduction_comes_nearer_to_zero_and_stays_on_its_side(before: int, after: int) -> None:
    assert is_reducing(before, after) == is_reduction(before, after)


@given(amounts, st.integers(0, 500), sizes, sizes, amounts, market_rules())
def test_bearable_is_at_initial_margin_or_safer(
    equity: int, other: int, before: int, after: int, gained: int, rules: MarketRules
) -> None:
    # ``other`` is what the account's other markets need, of initial and maintenance margin alike
    market = make_market(100, rules=rules)

    def get_needs(size: int) -> tuple[int, int]:
        return other + get_initial(rules, 100, size, 0), other + get_maintenance(rules, 100, size)

    old, new = Health(equity, *get_needs(before)), Health(equity + gained, *get_needs(after))
    expected = is_safe(old, new, is_reducing(before, after))

    assert expected == is_bearable(
        Margin(equity, *get_needs(before)), market, alone(before), alone(after), gained, 0, 0
    )


def alone(size: int) -> Stance:
    """A position without orders."""
    return Stance(size, abs(size))


@pytest.mark.parametrize(
    ("after", "gained", "bearable"),
    # mark 1000 at 10 % and 5 %, from 9 lots: equity 200, initial 900, maintenance 450
    [
        (10, 800, True),
        (10, 799, False),
        (8, -22, True),
        (8, -23, False),
        (0, -200, True),
        (0, -201, False),
        (-1, -100, True),
        (-1, -101, False),
    ],
)
def test_bearable_by_hand(after: int, gained: int, bearable: bool) -> None:
    market = make_market(1000)

    assert bearable == is_bearable(Margin(200, 900, 450), market, alone(9), alone(after), gained, 9, 0)


def test_a_market_without_positions_costs_nothing() -> None:
    market = attrs.evolve(make_market(10**30), funding_index=Atoms(10**30))

    assert Margin(7, 0, 0) == get_margin(Account(Atoms(7), Positions()), make_markets(BTC=market))
