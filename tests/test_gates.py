"""How much a fill may close, how long an account waits, and dust: all off unless the rules say otherwise."""

from __future__ import annotations

import pytest

from riskcore.events import (
    BeginDeleveraging,
    Deposit,
    Fill,
    FundInsurance,
    LiquidationFill,
    ListMarket,
    MarkPrice,
    Takeover,
)
from riskcore.quantities import NEVER, RATE_ONE
from riskcore.rulebook import is_admissible_market, is_admissible_rulebook
from riskcore.rules import Rule
from riskcore.state import genesis
from riskcore.testing.desk import Desk
from riskcore.testing.rulebooks import make_rulebook, make_rules


def with_sick_long(share: int = RATE_ONE, floor: int = 0, minimum: int = 1, **rulebook: object) -> Desk:
    """amber long 10 from 1000 with 1000 paid in, so at 920: equity 200, maintenance 5 % of 9200 = 460."""
    desk = Desk(make_rulebook(**rulebook))
    rules = make_rules(gates=(share, floor, minimum))
    desk.open("BTC", 1000, rules, amber=1000, birch=10**5, cedar=10**5)
    desk.must(Fill, "amber", "birch", "BTC", 10, 1000)
    desk.must(MarkPrice, "BTC", 920)
    return desk


def sell(desk: Desk, lots: int, after: int = 1000, maker: str = "cedar") -> Rule | None:
    """Whether amber's lots are sold at mark, ``after`` milliseconds later."""
    mark = desk.get_market("BTC").mark_price
    return desk.do(LiquidationFill, "amber", maker, "BTC", lots, mark, after=after).rejected


def get_size(desk: Desk, account: str) -> int:
    return desk.get_position(account, "BTC")[0]


# Off


def test_nothing_is_gated_or_remembered_where_the_rules_do_not_say_so() -> None:
    desk = with_sick_long()

    assert [None, None] == [sell(desk, 4, after=0), sell(desk, 6, after=0)]
    assert NEVER == desk.get_account("amber").liquidated


# The share


@pytest.mark.parametrize(
    ("share", "most"), [(200_000, 2), (200_001, 3), (250_000, 3), (1, 1), (999_999, 10), (RATE_ONE, 10)]
)
def test_a_fill_closes_the_share_rounded_up(share: int, most: int) -> None:
    if most < 10:
        assert Rule.LIQUIDATION_SHARE == sell(with_sick_long(share), most + 1)
    assert sell(with_sick_long(share), most) is None


def test_the_next_share_is_one_of_what_is_left() -> None:
    # 10: 2; 8: 1.6, so 2; 6: 1.2, so 2; the 4 that are left need 184, and 200 are there
    desk = with_sick_long(200_000)
    taken = []
    for _ in range(3):
        lots = next(lots for lots in range(10, 0, -1) if sell(desk, lots) is None)
        taken.append(lots)

    assert [2, 2, 2] == taken
    assert Rule.NOT_LIQUIDATABLE == sell(desk, 1)


@pytest.mark.parametrize(("floor", "rejected"), [(9199, Rule.LIQUIDATION_SHARE), (9200, None)])
def test_a_position_worth_no_more_than_the_floor_is_closed_whole(floor: int, rejected: Rule | None) -> None:
    assert rejected == sell(with_sick_long(200_000, floor), 10)


def test_a_short_is_closed_by_shares_too() -> None:
    desk = Desk()
    desk.open("BTC", 1000, make_rules(gates=(200_000, 0, 1)), amber=1000, birch=10**5, cedar=10**5)
    desk.must(Fill, "amber", "birch", "BTC", -10, 1000)
    desk.must(MarkPrice, "BTC", 1080)

    assert [Rule.LIQUIDATION_SHARE, None] == [sell(desk, 3), sell(desk, 2)]


def test_the_vault_takes_over_more_than_a_share() -> None:
    desk = with_sick_long(200_000, liquidation_window=9000, liquidation_cooldown=9000)
    desk.must(Deposit, "vault", 10**5)
    desk.must(LiquidationFill, "amber", "cedar", "BTC", 1, 920)
    desk.must(Takeover, "amber", "BTC", 9)

    assert 0 == get_size(desk, "amber")


# The window


@pytest.mark.parametrize(("after", "rejected"), [(0, None), (5000, None), (5001, Rule.LIQUIDATION_SHARE)])
def test_within_the_window_the_rest_is_closed_whole(after: int, rejected: Rule | None) -> None:
    desk = with_sick_long(200_000, liquidation_window=5000)

    assert [Rule.LIQUIDATION_SHARE, None] == [sell(desk, 3), sell(desk, 2)]
    assert rejected == sell(desk, 8, after=after)


def test_the_window_is_the_accounts_in_all_markets_and_nobody_elses() -> None:
    # daisy is as sick as amber; amber has as much of ETH
    desk = Desk(make_rulebook(liquidation_window=5000))
    rules = make_rules(gates=(200_000, 0, 1))
    desk.open("BTC", 1000, rules, amber=2000, daisy=1000, birch=10**5, cedar=10**5)
    desk.open("ETH", 1000, rules)
    for account, market in (("amber", "BTC"), ("amber", "ETH"), ("daisy", "BTC")):
        desk.must(Fill, account, "birch", market, 10, 1000)
    desk.must(MarkPrice, "BTC", 920)
    desk.must(MarkPrice, "ETH", 920)
    desk.must(LiquidationFill, "amber", "cedar", "BTC", 2, 920)

    assert desk.venue.time == desk.get_account("amber").liquidated
    assert [NEVER, NEVER] == [desk.get_account(id).liquidated for id in ("cedar", "daisy")]
    assert Rule.LIQUIDATION_SHARE == desk.do(LiquidationFill, "daisy", "cedar", "BTC", 10, 920).rejected
    assert desk.do(LiquidationFill, "amber", "cedar", "ETH", 10, 920).rejected is None


def test_each_fill_begins_the_window_anew() -> None:
    desk = with_sick_long(200_000, liquidation_window=5000)

    assert [None] * 3 == [sell(desk, 2), sell(desk, 1, after=4000), sell(desk, 7, after=4000)]


def test_what_else_happens_to_an_account_is_not_forgotten() -> None:
    desk = with_sick_long(200_000, liquidation_window=5000)
    sell(desk, 2)
    since = desk.venue.time
    desk.must(Deposit, "amber", 1)
    desk.must(Fill, "amber", "birch", "BTC", -1, 920)

    assert since == desk.get_account("amber").liquidated


# The cooldown


@pytest.mark.parametrize(
    ("after", "rejected"), [(0, Rule.LIQUIDATION_COOLDOWN), (2999, Rule.LIQUIDATION_COOLDOWN), (3000, None)]
)
def test_between_two_fills_lies_the_cooldown(after: int, rejected: Rule | None) -> None:
    desk = with_sick_long(liquidation_cooldown=3000)

    assert sell(desk, 4) is None
    assert rejected == sell(desk, 6, after=after)


def test_with_a_window_the_rest_is_closed_whole_when_the_cooldown_is_over() -> None:
    desk = with_sick_long(200_000, liquidation_window=5000, liquidation_cooldown=5000)

    assert [None, Rule.LIQUIDATION_COOLDOWN] == [sell(desk, 2), sell(desk, 8, after=4999)]
    assert sell(desk, 8, after=5000) is None


def test_the_bankrupt_do_not_wait() -> None:
    # 6 lots left with 120: at 900 they have lost it all, at 899 six more
    desk = with_sick_long(liquidation_cooldown=10**6)
    desk.must(FundInsurance, 100)
    sell(desk, 4)
    desk.must(MarkPrice, "BTC", 887)

    assert 2 == desk.get_equity("amber")
    assert Rule.LIQUIDATION_COOLDOWN == sell(desk, 6)
    desk.must(MarkPrice, "BTC", 886)
    assert -4 == desk.get_equity("amber")
    assert sell(desk, 6) is None


def test_a_deleveraging_waits_with_the_book() -> None:
    desk = with_sick_long(liquidation_cooldown=3000, vault_position_limit=0)
    sell(desk, 4)

    assert Rule.LIQUIDATION_COOLDOWN == desk.do(BeginDeleveraging, "amber", "BTC", ("birch",), after=2999).rejected
    assert desk.do(BeginDeleveraging, "amber", "BTC", ("birch",), after=3000).rejected is None


def test_a_deleveraging_of_the_bankrupt_does_not_wait() -> None:
    desk = with_sick_long(liquidation_cooldown=10**6)
    sell(desk, 4)
    desk.must(MarkPrice, "BTC", 880)

    assert desk.do(BeginDeleveraging, "amber", "BTC", ("birch",)).rejected is None


# Dust


@pytest.mark.parametrize(("lots", "rejected"), [(7, None), (8, Rule.DUST), (9, Rule.DUST), (10, None)])
def test_a_liquidation_fill_leaves_the_minimum_or_nothing(lots: int, rejected: Rule | None) -> None:
    assert rejected == sell(with_sick_long(minimum=3), lots)


@pytest.mark.parametrize(("lots", "rejected"), [(2, Rule.DUST), (3, None)])
def test_a_maker_is_left_with_the_minimum_or_nothing(lots: int, rejected: Rule | None) -> None:
    assert rejected == sell(with_sick_long(minimum=3), lots)
    assert sell(with_sick_long(minimum=3), lots, maker="birch") is None


@pytest.mark.parametrize(
    ("lots", "rejected"), [(-7, None), (-8, Rule.DUST), (-10, None), (-11, Rule.DUST), (-12, Rule.DUST), (-13, None)]
)
def test_a_fill_leaves_neither_side_with_dust(lots: int, rejected: Rule | None) -> None:
    desk = Desk()
    desk.open("BTC", 1000, make_rules(gates=(RATE_ONE, 0, 3)), amber=10**6, birch=10**6, cedar=10**6)
    desk.must(Fill, "amber", "birch", "BTC", 10, 1000)
    twin = Desk()
    twin.open("BTC", 1000, make_rules(gates=(RATE_ONE, 0, 3)), amber=10**6, birch=10**6, cedar=10**6)
    twin.must(Fill, "amber", "birch", "BTC", 10, 1000)

    assert rejected == desk.do(Fill, "amber", "cedar", "BTC", lots, 1000).rejected
    # birch, short 10, buys as many
    assert rejected == twin.do(Fill, "cedar", "birch", "BTC", lots, 1000).rejected


def with_dust() -> Desk:
    """amber has 2 lots where 3 are the least: the vault took 8."""
    desk = with_sick_long(minimum=3)
    desk.must(Deposit, "vault", 10**5)
    desk.must(Takeover, "amber", "BTC", 8)
    desk.must(Deposit, "amber", 10**5)
    return desk


@pytest.mark.parametrize(
    ("lots", "rejected"), [(-1, None), (-2, None), (-3, Rule.DUST), (-4, Rule.DUST), (-5, None), (1, None)]
)
def test_dust_may_shrink_go_or_become_enough(lots: int, rejected: Rule | None) -> None:
    desk = with_dust()

    assert 2 == get_size(desk, "amber")
    assert rejected == desk.do(Fill, "amber", "birch", "BTC", lots, 920).rejected


def test_a_share_that_leaves_dust_is_all() -> None:
    # half of 10 leaves 5, where 6 are the least
    assert Rule.DUST == sell(with_sick_long(500_000, minimum=6), 5)
    assert sell(with_sick_long(500_000, minimum=6), 10) is None
    assert Rule.LIQUIDATION_SHARE == sell(with_sick_long(500_000, minimum=5), 10)


# What is admissible


@pytest.mark.parametrize(
    ("window", "cooldown", "admissible"), [(0, 9, True), (5, 5, True), (5, 6, False), (0, -1, False), (-1, 0, False)]
)
def test_a_cooldown_is_over_while_the_window_runs(window: int, cooldown: int, admissible: bool) -> None:
    rulebook = make_rulebook(liquidation_window=window, liquidation_cooldown=cooldown)

    assert admissible == is_admissible_rulebook(rulebook)
    if not admissible:
        with pytest.raises(ValueError, match="outside the admissible range"):
            genesis(rulebook)


@pytest.mark.parametrize("gates", [(0, 0, 1), (RATE_ONE + 1, 0, 1), (1, -1, 1), (1, 0, 0)])
def test_a_market_without_a_share_or_a_lot_is_not_listed(gates: tuple[int, int, int]) -> None:
    rules = make_rules(gates=gates)

    assert not is_admissible_market(rules)
    assert Rule.RULES_INADMISSIBLE == Desk().do(ListMarket, "BTC", rules, 1000).rejected
    assert is_admissible_market(make_rules(gates=(1, 0, 1)))
