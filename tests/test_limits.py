"""How far one fill may go: to a target, to the floor of a bracket, within a block; and a vault that pays deficits."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from riskcore.capacity import compute_fill_sizes, compute_takeover_size
from riskcore.events import (
    BeginDeleveraging,
    CoverDeficit,
    Deposit,
    Fill,
    FundInsurance,
    LiquidationFill,
    ListMarket,
    MarkPrice,
    Takeover,
)
from riskcore.planner import Liquidity, Offer, resolve
from riskcore.quantities import NEVER, RATE_ONE, AccountId, Atoms, Lots, MarketId, Price, Rate, Time
from riskcore.rulebook import MarketRules, is_admissible_market, is_admissible_rulebook
from riskcore.rules import Rule
from riskcore.state import genesis
from riskcore.testing.desk import Desk
from riskcore.testing.rulebooks import make_rulebook, make_rules

AMBER, BTC = AccountId("amber"), MarketId("BTC")
#: Where the vault pays deficits, the fund is for the flat.
PAYS: dict[str, Any] = {"insurance_before_adl": False, "vault_takes_deficits": True}


def make_limits(minimum: int = 1, block: int = 0, own: int = 0, step: bool = False) -> MarketRules:
    """5 % maintenance up to 5000 atoms of notional and 6 % above, if the market steps; else 5 % of all."""
    rules = make_rules(tiers=((5000, 100_000, 60_000),) if step else (), gates=(RATE_ONE, 0, minimum))
    return attrs.evolve(
        rules,
        liquidation_tier_step=step,
        liquidation_block_limit=Atoms(block),
        vault_position_limit=Atoms(own),
    )


def with_sick_long(rules: MarketRules | None = None, mark: int = 920, **rulebook: object) -> Desk:
    """amber long 10 from 1000 with 1000 paid in, so at 920: equity 200, maintenance 46 a lot."""
    desk = Desk(make_rulebook(**rulebook))
    desk.open("BTC", 1000, rules, amber=1000, birch=10**5, cedar=10**5)
    desk.must(Fill, "amber", "birch", "BTC", 10, 1000)
    desk.must(MarkPrice, "BTC", mark)
    return desk


def sell(desk: Desk, lots: int, after: int = 1000, account: str = "amber") -> Rule | None:
    mark = desk.get_market("BTC").mark_price
    return desk.do(LiquidationFill, account, "cedar", "BTC", lots, mark, after=after).rejected


def find_most(desk: Desk, lots: int = 10) -> int:
    """The most that the kernel lets be sold, which is what the planner finds."""
    time = desk.venue.time + 1000
    sizes = compute_fill_sizes(desk.state, AMBER, AccountId("cedar"), BTC, lots, time)
    most = next(lots for lots in range(lots, -1, -1) if lots == 0 or sell(desk, lots) is None)

    assert most == (sizes[0][1] if sizes else 0)
    return most


# The target


@pytest.mark.parametrize(("target", "most"), [(0, 10), (RATE_ONE, 6), (1_250_000, 7), (2 * RATE_ONE, 8), (10**9, 10)])
def test_a_fill_sells_what_the_target_takes(target: int, most: int) -> None:
    # 200 are 46 a lot for 4 lots, 57.5 for 3 and 92 for 2
    if most < 10:
        assert Rule.LIQUIDATION_TARGET == sell(with_sick_long(liquidation_target=target), most + 1)
    assert most == find_most(with_sick_long(liquidation_target=target))


@pytest.mark.parametrize(("deposited", "most"), [(29, 6), (30, 5), (31, 5)])
def test_exactly_at_the_target_is_enough(deposited: int, most: int) -> None:
    desk = with_sick_long(liquidation_target=RATE_ONE)
    desk.must(Deposit, "amber", deposited)

    assert most == find_most(desk)


def test_a_bankrupt_account_has_no_target_to_reach() -> None:
    desk = with_sick_long(liquidation_target=RATE_ONE)
    desk.must(FundInsurance, 10**5)
    desk.must(MarkPrice, "BTC", 880)

    assert sell(desk, 10) is None


def test_the_target_is_of_all_that_the_account_has() -> None:
    # BTC and ETH need 460 each: without any BTC there would still be 460, and 400 are there
    desk = Desk(make_rulebook(liquidation_target=RATE_ONE))
    desk.open("BTC", 1000, amber=2000, birch=10**5, cedar=10**5)
    desk.open("ETH", 1000)
    for market in ("BTC", "ETH"):
        desk.must(Fill, "amber", "birch", market, 10, 1000)
    for market in ("BTC", "ETH"):
        desk.must(MarkPrice, market, 920)

    assert (400, 920) == (desk.get_equity("amber"), desk.view.get_health("amber").maintenance)
    assert sell(desk, 10) is None


@pytest.mark.parametrize(
    ("minimum", "lots", "rejected"), [(4, 10, Rule.LIQUIDATION_TARGET), (5, 10, None), (5, 6, Rule.DUST)]
)
def test_all_goes_where_the_least_that_may_be_left_is_too_much(minimum: int, lots: int, rejected: Rule | None) -> None:
    assert rejected == sell(with_sick_long(make_limits(minimum), liquidation_target=RATE_ONE), lots)


def test_a_position_of_the_minimum_size_goes_whole() -> None:
    assert sell(with_sick_long(make_limits(10), liquidation_target=RATE_ONE), 10) is None


# The step


def test_a_fill_sells_down_to_the_floor_of_its_bracket_and_the_next_all() -> None:
    # 6 lots are worth 5520, 5 are worth 4600
    assert Rule.LIQUIDATION_STEP == sell(with_sick_long(make_limits(step=True)), 6)
    desk = with_sick_long(make_limits(step=True))

    assert [5, 5] == [find_most(desk), find_most(desk, 5)]


def test_exactly_at_the_floor_is_below_it() -> None:
    # 5 lots are worth 5000 at 1000: a short of 10 loses there what it has
    desk = Desk()
    desk.open("BTC", 940, make_limits(step=True), amber=1000, birch=10**5, cedar=10**5)
    desk.must(Fill, "amber", "birch", "BTC", -10, 940)
    desk.must(MarkPrice, "BTC", 1000)

    assert 5 == find_most(desk)


def test_a_step_to_dust_is_one_to_nothing() -> None:
    assert sell(with_sick_long(make_limits(6, step=True)), 10) is None
    assert Rule.LIQUIDATION_STEP == sell(with_sick_long(make_limits(5, step=True)), 10)


# The block


def test_an_account_is_sold_up_to_the_blocks_limit_and_then_waits_for_the_next() -> None:
    # two lots are worth 1840, the third passes 2000
    desk = with_sick_long(liquidation_block_limit=2000)

    assert [Rule.LIQUIDATION_BLOCK, None] == [sell(desk, 4), sell(desk, 2, after=0)]
    assert (1840, desk.venue.time) == (desk.get_account("amber").sold, desk.get_account("amber").liquidated)
    assert [Rule.LIQUIDATION_BLOCK, None, Rule.LIQUIDATION_BLOCK] == [sell(desk, n, after=0) for n in (2, 1, 1)]
    assert sell(desk, 3, after=1) is None
    assert 2760 == desk.get_account("amber").sold


def test_one_lot_of_each_block_may_always_go() -> None:
    desk = with_sick_long(liquidation_block_limit=1)

    assert [None, Rule.LIQUIDATION_BLOCK, None] == [sell(desk, 1, after=after) for after in (1, 0, 1)]


def test_an_accounts_block_is_of_all_its_markets() -> None:
    desk = Desk(make_rulebook(liquidation_block_limit=1000))
    desk.open("BTC", 1000, amber=2000, birch=10**5, cedar=10**5)
    desk.open("ETH", 1000)
    for market in ("BTC", "ETH"):
        desk.must(Fill, "amber", "birch", market, 10, 1000)
    for market in ("BTC", "ETH"):
        desk.must(MarkPrice, market, 920)
    desk.must(LiquidationFill, "amber", "cedar", "ETH", 2, 920)

    assert Rule.LIQUIDATION_BLOCK == sell(desk, 1, after=0)
    assert sell(desk, 1, after=1) is None


def test_a_market_has_a_limit_for_all_its_accounts() -> None:
    desk = with_sick_long(make_limits(block=2000))
    desk.must(Deposit, "daisy", 1000)
    desk.must(MarkPrice, "BTC", 1000)
    desk.must(Fill, "daisy", "birch", "BTC", 10, 1000)
    desk.must(MarkPrice, "BTC", 920)

    assert [None, None] == [sell(desk, 2), sell(desk, 1, after=0, account="daisy")]
    assert Rule.LIQUIDATION_BLOCK == sell(desk, 1, after=0, account="daisy")
    assert (2760, desk.venue.time) == (desk.get_market("BTC").sold, desk.get_market("BTC").sold_time)
    assert NEVER == desk.get_account("amber").liquidated
    assert sell(desk, 3, after=1, account="daisy") is None


@pytest.mark.parametrize(("after", "rejected"), [(0, Rule.LIQUIDATION_BLOCK), (1, None)])
def test_a_deleveraging_waits_for_the_next_block(after: int, rejected: Rule | None) -> None:
    desk = with_sick_long(liquidation_block_limit=1, vault_position_limit=0)
    sell(desk, 1)

    assert rejected == desk.do(BeginDeleveraging, "amber", "BTC", ("birch",), after=after).rejected


def test_the_bankrupt_are_deleveraged_though_the_block_is_full() -> None:
    desk = with_sick_long(liquidation_block_limit=1, vault_position_limit=0)
    sell(desk, 1)
    desk.must(MarkPrice, "BTC", 880, after=0)

    assert Rule.LIQUIDATION_BLOCK == sell(desk, 1, after=0)
    assert desk.do(BeginDeleveraging, "amber", "BTC", ("birch",), after=0).rejected is None


def test_the_vault_takes_over_though_the_block_is_full() -> None:
    desk = with_sick_long(make_limits(block=1, step=True), liquidation_block_limit=1, liquidation_target=RATE_ONE)
    desk.must(Deposit, "vault", 10**5)
    sell(desk, 1)

    assert desk.do(Takeover, "amber", "BTC", 9, after=0).rejected is None


# The vault's limit in a market, and deficits


@pytest.mark.parametrize(
    ("limit", "own", "most"), [(10**9, 0, 10), (10**9, 4600, 5), (4600, 10**9, 5), (0, 0, 0), (0, 9, 0)]
)
def test_the_smaller_of_two_limits_binds_the_vault(limit: int, own: int, most: int) -> None:
    desk = with_sick_long(make_limits(own=own), vault_position_limit=limit)
    desk.must(Deposit, "vault", 10**5)

    assert most == compute_takeover_size(desk.state, AMBER, BTC)
    if most < 10:
        assert Rule.VAULT_LIMIT == desk.do(Takeover, "amber", "BTC", most + 1).rejected
    if most > 0:
        assert desk.do(Takeover, "amber", "BTC", most).rejected is None


def test_a_vault_that_takes_deficits_pays_their_share_to_the_atom() -> None:
    # at 880 amber owes 200, of which 3 lots of 10 are 60
    desk = with_sick_long(mark=880, **PAYS)
    desk.must(Deposit, "vault", 10**5)
    desk.must(Takeover, "amber", "BTC", 3)

    assert (10**5 - 60, -140) == (desk.get_equity("vault"), desk.get_equity("amber"))
    desk.must(Takeover, "amber", "BTC", 7)
    assert (10**5 - 200, 0) == (desk.get_equity("vault"), desk.get_equity("amber"))


def test_no_other_vault_takes_deficits() -> None:
    desk = with_sick_long(mark=880, insurance_before_adl=False)
    desk.must(Deposit, "vault", 10**5)

    assert Rule.VAULT_TAKES_NO_DEFICIT == desk.do(Takeover, "amber", "BTC", 1).rejected
    assert 0 == compute_takeover_size(desk.state, AMBER, BTC)


def test_the_vault_pays_within_its_margin_and_what_is_left_is_deleveraged() -> None:
    # each lot costs 20 and needs 88: of 500, four lots leave 420 for 352
    desk = with_sick_long(mark=880, **PAYS)
    desk.must(Deposit, "vault", 500)

    assert 4 == compute_takeover_size(desk.state, AMBER, BTC)
    assert Rule.VAULT_MARGIN == desk.do(Takeover, "amber", "BTC", 5).rejected
    assert Rule.VAULT_NOT_EXHAUSTED == desk.do(BeginDeleveraging, "amber", "BTC", ("birch",)).rejected
    desk.must(Takeover, "amber", "BTC", 4)
    assert desk.do(BeginDeleveraging, "amber", "BTC", ("birch",)).rejected is None


def test_the_fund_that_holds_positions_is_deleveraged_itself() -> None:
    desk = with_sick_long(mark=880, **PAYS)
    desk.must(Deposit, "vault", 500)
    desk.must(Takeover, "amber", "BTC", 4)
    desk.must(MarkPrice, "BTC", 780)

    assert 20 == desk.get_equity("vault")
    assert desk.do(BeginDeleveraging, "vault", "BTC", ("birch",)).rejected is None


def test_the_fund_of_cash_is_then_for_the_flat() -> None:
    desk = with_sick_long(mark=880, **PAYS)
    desk.must(FundInsurance, 10**5)

    assert Rule.INSURANCE_OPEN_POSITION == desk.do(CoverDeficit, "amber").rejected


# What is admissible


@pytest.mark.parametrize(
    ("changes", "admissible"),
    [
        ({"liquidation_target": RATE_ONE - 1}, False),
        ({"liquidation_target": 1}, False),
        ({"liquidation_target": RATE_ONE}, True),
        ({"liquidation_block_limit": -1}, False),
        ({"vault_takes_deficits": True}, False),
        (PAYS, True),
    ],
)
def test_a_rulebook_with_limits_is_admissible(changes: dict[str, Any], admissible: bool) -> None:
    rulebook = make_rulebook(**changes)

    assert admissible == is_admissible_rulebook(rulebook)
    if not admissible:
        with pytest.raises(ValueError, match="outside the admissible range"):
            genesis(rulebook)


@pytest.mark.parametrize("field", ["liquidation_block_limit", "vault_position_limit"])
def test_a_market_with_a_limit_below_zero_is_not_listed(field: str) -> None:
    changes: dict[str, Any] = {field: -1}
    rules = attrs.evolve(make_rules(), **changes)

    assert not is_admissible_market(rules)
    assert Rule.RULES_INADMISSIBLE == Desk().do(ListMarket, "BTC", rules, 1000).rejected


# The planner


def make_bids(*bids: tuple[str, int, int]) -> Liquidity:
    return Liquidity(
        bids={BTC: tuple(Offer(AccountId(maker), Price(price), Lots(lots)) for maker, price, lots in bids)}
    )


def test_the_planner_sells_to_the_target() -> None:
    desk = with_sick_long(liquidation_target=Rate(1_250_000))
    found = resolve(desk.state, make_bids(("cedar", 920, 10)))

    assert [7] == [event.size for event in found.events if isinstance(event, LiquidationFill)]
    assert () == found.unresolved


def test_the_planner_waits_for_the_next_block() -> None:
    # three lots a block; after six the account is healthy
    desk = with_sick_long(liquidation_block_limit=2000)
    desk.must(Deposit, "vault", 10**5)
    first = resolve(desk.state, make_bids(("cedar", 920, 10)))
    second = resolve(first.state, first.liquidity, timestamp=Time(first.state.timestamp + 1))

    assert ((AMBER,), ()) == (first.unresolved, second.unresolved)
    assert [3, 3] == [getattr(event, "size", 0) for event in (*first.events, *second.events)]


def test_the_planner_hands_the_bankrupt_to_a_vault_that_pays() -> None:
    desk = with_sick_long(mark=880, **PAYS)
    desk.must(Deposit, "vault", 500)
    found = resolve(desk.state)

    assert [Takeover, BeginDeleveraging] == [type(event) for event in found.events[:2]]
    assert () == found.unresolved
