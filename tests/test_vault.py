"""Takeover: the vault takes lots at mark with their share of the account's equity."""

import pytest

from riskcore.events import ApplyFunding, BeginDeleveraging, Deposit, Fill, MarkPrice, Takeover
from riskcore.journal import Reason, Reserve, Stage
from riskcore.quantities import AccountId, EventId, Lots, MarketId, Time
from riskcore.rules import Rule
from riskcore.step import step
from riskcore.testing.desk import Desk, get_lines
from riskcore.testing.rulebooks import HOUR, VAULT, make_rulebook, make_rules

HEAD = (EventId("other"), 10**6, Time(10**9))


def with_sick_long(vault: int = 10**5, mark: int = 920, **rulebook: object) -> Desk:
    """amber long 10 from 1000 with 1000 paid in, so at 920: equity 200, maintenance 5 % of 9200 = 460."""
    desk = Desk(make_rulebook(**rulebook))
    desk.open("BTC", 1000, amber=1000, birch=10**5)
    if vault:
        desk.must(Deposit, VAULT, vault)
    desk.must(Fill, "amber", "birch", "BTC", 10, 1000)
    desk.must(MarkPrice, "BTC", mark)
    return desk


# The plain case


def test_the_vault_takes_a_long_for_its_worth_less_the_share() -> None:
    # 4 of 10 lots release 460 - 276 = 184: share floor(200 * 184 / 460) = 80; 4 * 920 - 80 = 3600
    desk = with_sick_long()
    outcome = desk.do(Takeover, "amber", "BTC", 4)

    assert [(VAULT, "amber", "BTC", 4, 3600, Reason.TAKEOVER, Stage.VAULT)] == get_lines(outcome)
    assert (6, 4) == (desk.get_position("amber", "BTC")[0], desk.get_position(VAULT, "BTC")[0])
    assert (200 - 80, 10**5 + 80) == (desk.get_equity("amber"), desk.get_equity(VAULT))


def test_the_vault_takes_a_short_and_gets_its_worth_and_the_share() -> None:
    # amber short 10 from 1000 at 1080: equity 200 of 540; all 10 with all of it
    desk = Desk()
    desk.open("BTC", 1000, amber=1000, birch=10**5, vault=10**5)
    desk.must(Fill, "amber", "birch", "BTC", -10, 1000)
    desk.must(MarkPrice, "BTC", 1080)
    outcome = desk.do(Takeover, "amber", "BTC", 10)

    assert [("amber", VAULT, "BTC", 10, 11000, Reason.TAKEOVER, Stage.VAULT)] == get_lines(outcome)
    assert -10 == desk.get_position(VAULT, "BTC")[0]
    assert (0, 10**5 + 200) == (desk.get_balance("amber"), desk.get_equity(VAULT))


def test_an_account_without_lots_left_stands_at_zero() -> None:
    desk = with_sick_long()
    desk.must(Takeover, "amber", "BTC", 10)

    assert (0, 0) == (desk.get_balance("amber"), len(desk.get_account("amber").positions))


def test_piecewise_it_comes_to_the_same() -> None:
    # 3 lots release 138: floor(200 * 138 / 460) = 60; then 7 lots: 140 of 140
    desk = with_sick_long()
    for lots, left in ((3, 140), (7, 0)):
        desk.must(Takeover, "amber", "BTC", lots)
        assert left == desk.get_equity("amber")

    assert 10**5 + 200 == desk.get_equity(VAULT)


def test_rounding_leaves_the_atom_with_the_account_until_its_last_lot() -> None:
    # equity 201: of 3 of 10 lots 201 * 138 / 460 = 60.3, so 60
    desk = with_sick_long()
    desk.must(Deposit, "amber", 1)
    desk.must(Takeover, "amber", "BTC", 3)

    assert 141 == desk.get_equity("amber")
    desk.must(Takeover, "amber", "BTC", 7)
    assert (0, 10**5 + 201) == (desk.get_balance("amber"), desk.get_equity(VAULT))


def test_funding_goes_with_the_equity() -> None:
    # 1 % of 950 = 9.5, so 9 a lot: at 950 equity 500 - 90 = 410 of 475
    desk = with_sick_long(mark=950)
    last = desk.get_market("BTC").funding_time
    desk.must(ApplyFunding, "BTC", 10_000, after=last + 8 * HOUR - desk.state.timestamp)
    outcome = desk.do(Takeover, "amber", "BTC", 10)

    assert [
        ("amber", Reserve.TRANSIT, 90, Reason.FUNDING, Stage.ORDINARY),
        (VAULT, "amber", "BTC", 10, 9500 - 410, Reason.TAKEOVER, Stage.VAULT),
    ] == get_lines(outcome)
    assert (0, 10**5 + 410) == (desk.get_balance("amber"), desk.get_equity(VAULT))


# The vault's margin


def test_the_share_counts_toward_the_vaults_initial_margin() -> None:
    # 10 lots at 920 need 920: 720 and the share of 200
    assert Rule.VAULT_MARGIN == with_sick_long(vault=719).do(Takeover, "amber", "BTC", 10).rejected
    assert with_sick_long(vault=720).do(Takeover, "amber", "BTC", 10).rejected is None


def test_a_weak_vault_takes_what_it_can() -> None:
    # 5 lots need 460: 360 and 100
    assert Rule.VAULT_MARGIN == with_sick_long(vault=360).do(Takeover, "amber", "BTC", 6).rejected
    assert with_sick_long(vault=360).do(Takeover, "amber", "BTC", 5).rejected is None


def test_an_empty_vault_takes_nothing() -> None:
    assert Rule.VAULT_MARGIN == with_sick_long(vault=0).do(Takeover, "amber", "BTC", 1).rejected


def test_the_vaults_other_positions_count() -> None:
    # the vault is long 20 of ETH at 100: 200 of initial margin are taken
    desk = with_sick_long(vault=919)
    desk.open("ETH", 100)
    desk.must(Fill, VAULT, "birch", "ETH", 20, 100)

    assert Rule.VAULT_MARGIN == desk.do(Takeover, "amber", "BTC", 10).rejected
    desk.must(Deposit, VAULT, 1)
    assert desk.do(Takeover, "amber", "BTC", 10).rejected is None


def test_a_vault_below_initial_margin_may_reduce() -> None:
    # the vault is short 10 from 1000 with 1000 paid in; at 1010 it needs 1010 and has 900; amber's longs free it
    desk = Desk()
    desk.open("BTC", 1000, amber=1000, vault=1000, birch=10**5)
    desk.open("ETH", 1000)
    desk.must(Fill, "amber", VAULT, "BTC", 5, 1000)
    desk.must(Fill, "birch", VAULT, "BTC", 5, 1000)
    desk.must(Fill, "amber", "birch", "ETH", 5, 1000)
    desk.must(MarkPrice, "BTC", 1010)
    desk.must(MarkPrice, "ETH", 830)
    health, vault = desk.view.get_health("amber"), desk.view.get_health(VAULT)

    # amber 1000 + 50 - 850 = 200 of 253 + 208 (252.5 and 207.5, up)
    assert (200, 461) == (health.equity, health.maintenance)
    assert (900, 1010) == (vault.equity, vault.initial)
    assert Rule.VAULT_MARGIN == desk.do(Takeover, "amber", "ETH", 5).rejected
    assert desk.do(Takeover, "amber", "BTC", 5).rejected is None


# The vault's limit


@pytest.mark.parametrize(("limit", "rejected"), [(3680, None), (3679, Rule.VAULT_LIMIT)])
def test_the_limit_is_a_notional_at_mark(limit: int, rejected: Rule | None) -> None:
    # 4 lots at 920
    assert rejected == with_sick_long(vault_position_limit=limit).do(Takeover, "amber", "BTC", 4).rejected


def test_the_limit_counts_what_the_vault_holds_already() -> None:
    desk = with_sick_long(vault_position_limit=5 * 920)
    desk.must(Takeover, "amber", "BTC", 3)

    assert Rule.VAULT_LIMIT == desk.do(Takeover, "amber", "BTC", 3).rejected
    assert desk.do(Takeover, "amber", "BTC", 2).rejected is None


def test_a_vault_beyond_its_limit_may_reduce() -> None:
    # the vault is short 6, which is beyond a limit of nothing; it takes up to 6 longs but not 7
    desk = Desk(make_rulebook(vault_position_limit=0))
    desk.open("BTC", 1000, amber=1000, vault=10**5, birch=10**5)
    desk.must(Fill, "amber", VAULT, "BTC", 6, 1000)
    desk.must(Fill, "amber", "birch", "BTC", 4, 1000)
    desk.must(MarkPrice, "BTC", 920)

    assert Rule.VAULT_LIMIT == desk.do(Takeover, "amber", "BTC", 7).rejected
    assert desk.do(Takeover, "amber", "BTC", 5).rejected is None
    assert -1 == desk.get_position(VAULT, "BTC")[0]
    assert desk.do(Takeover, "amber", "BTC", 1).rejected is None
    assert 0 == desk.get_position(VAULT, "BTC")[0]


def test_shorts_taken_over_count_against_the_limit_of_shorts() -> None:
    # the vault is short 2 of at most 6 and takes 4 shorts but not 5, although 2 and 5 differ by 3 only
    desk = Desk(make_rulebook(vault_position_limit=6 * 1080))
    desk.open("BTC", 1000, amber=1000, vault=10**5, birch=10**5)
    desk.must(Fill, VAULT, "birch", "BTC", -2, 1000)
    desk.must(Fill, "amber", "birch", "BTC", -10, 1000)
    desk.must(MarkPrice, "BTC", 1080)

    assert Rule.VAULT_LIMIT == desk.do(Takeover, "amber", "BTC", 5).rejected
    assert desk.do(Takeover, "amber", "BTC", 4).rejected is None
    assert -6 == desk.get_position(VAULT, "BTC")[0]


# Rejections


def test_what_is_not_listed_is_not_taken_over() -> None:
    assert Rule.UNKNOWN_MARKET == with_sick_long().do(Takeover, "amber", "ETH", 1).rejected


def test_the_vault_does_not_take_over_itself() -> None:
    desk = Desk()
    desk.open("BTC", 1000, vault=1000, birch=10**5)
    desk.must(Fill, VAULT, "birch", "BTC", 10, 1000)
    desk.must(MarkPrice, "BTC", 920)

    assert Rule.SELF_TRADE == desk.do(Takeover, VAULT, "BTC", 1).rejected


@pytest.mark.parametrize("size", [0, -1])
def test_nothing_or_less_is_not_taken_over(size: int) -> None:
    assert Rule.SIZE_NOT_POSITIVE == with_sick_long().do(Takeover, "amber", "BTC", size).rejected


def test_no_more_is_taken_over_than_there_is() -> None:
    assert Rule.SIZE_EXCEEDS_POSITION == with_sick_long().do(Takeover, "amber", "BTC", 11).rejected


def test_a_healthy_account_is_not_taken_over() -> None:
    assert Rule.NOT_LIQUIDATABLE == with_sick_long().do(Takeover, "birch", "BTC", 1).rejected


def test_an_account_at_its_maintenance_margin_is_not_taken_over() -> None:
    desk = with_sick_long()
    desk.must(Deposit, "amber", 260)

    assert Rule.NOT_LIQUIDATABLE == desk.do(Takeover, "amber", "BTC", 1).rejected


def test_a_deficit_is_not_taken_over() -> None:
    # at 899 equity -10
    assert Rule.VAULT_TAKES_NO_DEFICIT == with_sick_long(mark=899).do(Takeover, "amber", "BTC", 1).rejected


def test_an_equity_of_zero_is_taken_over() -> None:
    desk = with_sick_long(mark=900)
    desk.must(Takeover, "amber", "BTC", 10)

    assert (0, 10**5) == (desk.get_balance("amber"), desk.get_equity(VAULT))


# Corners


def test_a_cross_account_is_handed_over_market_by_market() -> None:
    # equity 300; maintenance 450 of BTC and 260 of ETH: floor(300 * 450 / 710) = 190, then the other 110
    desk = Desk()
    desk.open("BTC", 1000, amber=1500, birch=10**6, vault=10**5)
    desk.open("ETH", 50)
    desk.must(Fill, "amber", "birch", "BTC", 10, 1000)
    desk.must(Fill, "amber", "birch", "ETH", -100, 50)
    desk.must(MarkPrice, "BTC", 900)
    desk.must(MarkPrice, "ETH", 52)
    desk.must(Takeover, "amber", "BTC", 10)

    assert 110 == desk.get_equity("amber")
    desk.must(Takeover, "amber", "ETH", 100)
    assert 0 == desk.get_balance("amber")
    assert (10, -100) == (desk.get_position(VAULT, "BTC")[0], desk.get_position(VAULT, "ETH")[0])
    assert 10**5 + 300 == desk.get_equity(VAULT)


def test_exhaustion_is_judged_by_one_lot_where_two_would_still_do() -> None:
    # initial and maintenance 10 % of 15 = 1.5: 2 for one lot, 3 for two. amber has 2 of 3.
    # One lot brings floor(2 * 1 / 3) = 0 and needs 2; two bring 2 and need 3: a vault of 1 can take two, not one.
    desk = Desk()
    desk.open("BTC", 16, make_rules(100_000, 100_000), amber=4, birch=100, vault=1)
    desk.must(Fill, "amber", "birch", "BTC", 2, 16)
    desk.must(MarkPrice, "BTC", 15)

    assert (2, 3) == desk.view.get_health("amber")[::2]
    assert Rule.VAULT_MARGIN == desk.do(Takeover, "amber", "BTC", 1).rejected
    assert step(desk.state, Takeover(*HEAD, AccountId("amber"), MarketId("BTC"), Lots(2))).rejected is None
    assert desk.do(BeginDeleveraging, "amber", "BTC", ("birch",)).rejected is None
