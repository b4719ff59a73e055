"""LiquidationFill: an account below maintenance is sold to makers, within its bankruptcy price."""

import pytest

from riskcore.events import ApplyFunding, Deposit, Fill, FundInsurance, LiquidationFill, MarkPrice
from riskcore.journal import Reason, Reserve, Stage
from riskcore.rules import Rule
from riskcore.testing.desk import Desk, get_lines
from riskcore.testing.rulebooks import HOUR, VAULT, make_rulebook, make_rules


def with_sick_long(mark: int = 920, fee: int = 0, **rulebook: object) -> Desk:
    """amber long 10 from 1000 with 1000 paid in, so at 920: equity 200, maintenance 5 % of 9200 = 460."""
    desk = Desk(make_rulebook(**rulebook))
    desk.open("BTC", 1000, make_rules(liquidation=fee), amber=1000, birch=10**5, cedar=10**5)
    desk.must(Fill, "amber", "birch", "BTC", 10, 1000)
    desk.must(MarkPrice, "BTC", mark)
    return desk


def with_sick_short(mark: int = 1080, fee: int = 0, **rulebook: object) -> Desk:
    """amber short 10 from 1000 with 1000 paid in, so at 1080: equity 200, maintenance 5 % of 10800 = 540."""
    desk = Desk(make_rulebook(**rulebook))
    desk.open("BTC", 1000, make_rules(liquidation=fee), amber=1000, birch=10**5, cedar=10**5)
    desk.must(Fill, "amber", "birch", "BTC", -10, 1000)
    desk.must(MarkPrice, "BTC", mark)
    return desk


# The plain case


def test_a_long_is_sold_to_the_maker() -> None:
    # at 920, 4 lots for 910: worth 3640, 40 below mark; fee 1 % of 3640 = 36.4, so 37
    desk = with_sick_long(fee=10_000)
    outcome = desk.do(LiquidationFill, "amber", "cedar", "BTC", 4, 910)

    assert [
        ("cedar", "amber", "BTC", 4, 3640, Reason.LIQUIDATION, Stage.BOOK),
        ("amber", Reserve.INSURANCE, 37, Reason.LIQUIDATION_FEE, Stage.BOOK),
    ] == get_lines(outcome)
    assert (6, 4) == (desk.get_position("amber", "BTC")[0], desk.get_position("cedar", "BTC")[0])
    assert 200 - 40 - 37 == desk.get_equity("amber")
    assert 37 == desk.state.reserves.insurance
    assert 10 == desk.get_market("BTC").open_interest


def test_a_short_is_bought_back_from_the_maker() -> None:
    # at 1080, 4 lots for 1090: worth 4360, 40 above mark; fee 1 % of 4360 = 43.6, so 44, capped at 80 - 40 = 40
    desk = with_sick_short(fee=10_000)
    outcome = desk.do(LiquidationFill, "amber", "cedar", "BTC", 4, 1090)

    assert [
        ("amber", "cedar", "BTC", 4, 4360, Reason.LIQUIDATION, Stage.BOOK),
        ("amber", Reserve.INSURANCE, 40, Reason.LIQUIDATION_FEE, Stage.BOOK),
    ] == get_lines(outcome)
    assert 200 - 40 - 40 == desk.get_equity("amber")


def test_equity_per_maintenance_does_not_fall() -> None:
    # 200 of 460 before; 123 of 276 after: 123 * 460 = 56580 >= 200 * 276 = 55200
    desk = with_sick_long(fee=10_000)
    desk.must(LiquidationFill, "amber", "cedar", "BTC", 4, 910)
    health = desk.view.get_health("amber")

    assert (123, 276) == (health.equity, health.maintenance)


def test_the_whole_position_may_go() -> None:
    # 10 lots at 900: 200 below mark, all that amber has
    desk = with_sick_long(fee=10_000)
    desk.must(LiquidationFill, "amber", "cedar", "BTC", 10, 900)

    assert (0, 0) == (desk.get_balance("amber"), len(desk.get_account("amber").positions))
    assert 0 == desk.state.reserves.insurance


def test_a_maker_may_close_his_own_side() -> None:
    # birch is short 10 and takes 4 of amber's longs: both shrink, open interest with them
    desk = with_sick_long()
    desk.must(LiquidationFill, "amber", "birch", "BTC", 4, 920)

    assert (6, -6) == (desk.get_position("amber", "BTC")[0], desk.get_position("birch", "BTC")[0])
    assert 6 == desk.get_market("BTC").open_interest


def test_a_price_better_than_mark_is_welcome() -> None:
    # 4 lots at 930: 40 gained; spare 80 + 40, the fee of 1 % of 3720 = 37.2, so 38
    desk = with_sick_long(fee=10_000)
    desk.must(LiquidationFill, "amber", "cedar", "BTC", 4, 930)

    assert 200 + 40 - 38 == desk.get_equity("amber")


# The boundary of maintenance


@pytest.mark.parametrize(("mark", "rejected"), [(948, Rule.NOT_LIQUIDATABLE), (947, None)])
def test_an_account_is_liquidated_below_maintenance_only(mark: int, rejected: Rule | None) -> None:
    # 948: equity 480, maintenance 474. 947: equity 470, maintenance 473.5, so 474
    assert rejected == with_sick_long(mark).do(LiquidationFill, "amber", "cedar", "BTC", 1, mark).rejected


def test_an_account_exactly_at_maintenance_is_safe() -> None:
    # at 920 equity 200 + 260 = 460, maintenance 460
    desk = with_sick_long()
    desk.must(Deposit, "amber", 259)
    twin = with_sick_long()
    twin.must(Deposit, "amber", 260)

    assert Rule.NOT_LIQUIDATABLE == twin.do(LiquidationFill, "amber", "cedar", "BTC", 1, 920).rejected
    assert desk.do(LiquidationFill, "amber", "cedar", "BTC", 1, 920).rejected is None


def test_funding_alone_can_make_an_account_liquidatable() -> None:
    # at 950 equity 500, maintenance 475; funding of 1 % of 950 = 9.5, so 9 a lot: equity 410
    desk = with_sick_long(950)

    assert Rule.NOT_LIQUIDATABLE == desk.do(LiquidationFill, "amber", "cedar", "BTC", 1, 950).rejected
    last = desk.get_market("BTC").funding_time
    desk.must(ApplyFunding, "BTC", 10_000, after=last + 8 * HOUR - desk.state.timestamp)
    assert 410 == desk.get_equity("amber")
    assert desk.do(LiquidationFill, "amber", "cedar", "BTC", 1, 950).rejected is None


# The bankruptcy price


def test_the_fee_is_capped_by_what_the_fill_leaves() -> None:
    # 4 lots release 460 - 276 = 184: share floor(200 * 184 / 460) = 80; at 905 the loss is 60; fee 37 capped at 20
    desk = with_sick_long(fee=10_000)
    desk.must(LiquidationFill, "amber", "cedar", "BTC", 4, 905)

    assert 200 - 60 - 20 == desk.get_equity("amber")
    assert 20 == desk.state.reserves.insurance


@pytest.mark.parametrize(("price", "rejected"), [(900, None), (899, Rule.WORSE_THAN_BANKRUPTCY)])
def test_a_long_is_sold_at_bankruptcy_price_or_better(price: int, rejected: Rule | None) -> None:
    # share 80 over 4 lots: 20 a lot
    desk = with_sick_long(insurance_backs_fills=False)
    desk.must(FundInsurance, 1000)

    assert rejected == desk.do(LiquidationFill, "amber", "cedar", "BTC", 4, price).rejected


@pytest.mark.parametrize(("price", "rejected"), [(1100, None), (1101, Rule.WORSE_THAN_BANKRUPTCY)])
def test_a_short_is_bought_at_bankruptcy_price_or_better(price: int, rejected: Rule | None) -> None:
    # T(10) = 540, T(6) = 324: share floor(200 * 216 / 540) = 80, 20 a lot
    desk = with_sick_short(insurance_backs_fills=False)

    assert rejected == desk.do(LiquidationFill, "amber", "cedar", "BTC", 4, price).rejected


def test_the_fund_pays_exactly_what_the_price_is_worse() -> None:
    # at 898 the loss is 88, the share 80: the fund pays 8
    desk = with_sick_long(fee=10_000)
    desk.must(FundInsurance, 8)
    outcome = desk.do(LiquidationFill, "amber", "cedar", "BTC", 4, 898)

    assert [
        ("cedar", "amber", "BTC", 4, 3592, Reason.LIQUIDATION, Stage.BOOK),
        (Reserve.INSURANCE, "amber", 8, Reason.COVER, Stage.BOOK),
    ] == get_lines(outcome)
    assert 200 - 80 == desk.get_equity("amber")
    assert 0 == desk.state.reserves.insurance


@pytest.mark.parametrize(("band", "rejected"), [(23_913, Rule.WORSE_THAN_BANKRUPTCY), (23_914, None)])
def test_the_fund_backs_no_price_beyond_its_band(band: int, rejected: Rule | None) -> None:
    # 898 is 22 of 920 below mark: 0.0239130...
    desk = with_sick_long(insurance_fill_band=band)
    desk.must(FundInsurance, 10**6)

    assert rejected == desk.do(LiquidationFill, "amber", "cedar", "BTC", 4, 898).rejected


def test_a_fund_without_a_band_pays_true_deficits_only() -> None:
    # at 880 equity is -200: a fill at mark costs nothing, and 80 of the debt goes with 4 lots
    desk = with_sick_long(mark=880, insurance_fill_band=0)
    desk.must(FundInsurance, 10**6)

    assert Rule.WORSE_THAN_BANKRUPTCY == desk.do(LiquidationFill, "amber", "cedar", "BTC", 4, 879).rejected
    desk.must(LiquidationFill, "amber", "cedar", "BTC", 4, 880)
    assert 10**6 - 80 == desk.state.reserves.insurance


def test_the_fund_does_not_pay_what_it_does_not_have() -> None:
    desk = with_sick_long()
    desk.must(FundInsurance, 7)

    assert Rule.WORSE_THAN_BANKRUPTCY == desk.do(LiquidationFill, "amber", "cedar", "BTC", 4, 898).rejected


def test_the_fund_keeps_its_floor() -> None:
    desk = with_sick_long(insurance_floor=100)
    desk.must(FundInsurance, 107)

    assert Rule.WORSE_THAN_BANKRUPTCY == desk.do(LiquidationFill, "amber", "cedar", "BTC", 4, 898).rejected
    desk.must(FundInsurance, 1)
    assert desk.do(LiquidationFill, "amber", "cedar", "BTC", 4, 898).rejected is None
    assert 100 == desk.state.reserves.insurance


def test_a_share_of_equity_is_rounded_down() -> None:
    # equity 200 + 1; 3 lots release 460 - 322 = 138: 201 * 138 / 460 = 60.3, so 60: 20 a lot
    desk = with_sick_long(insurance_backs_fills=False)
    desk.must(Deposit, "amber", 1)

    assert Rule.WORSE_THAN_BANKRUPTCY == desk.do(LiquidationFill, "amber", "cedar", "BTC", 3, 899).rejected
    assert desk.do(LiquidationFill, "amber", "cedar", "BTC", 3, 900).rejected is None


def test_a_debtor_is_sold_above_mark_only() -> None:
    # at 890 equity -100, maintenance 445; 4 lots release 445 - 267 = 178: share -40, so 10 a lot above mark
    desk = with_sick_long(890)

    assert Rule.WORSE_THAN_BANKRUPTCY == desk.do(LiquidationFill, "amber", "cedar", "BTC", 4, 899).rejected
    assert desk.do(LiquidationFill, "amber", "cedar", "BTC", 4, 900).rejected is None
    assert -60 == desk.get_equity("amber")


def test_the_fund_may_pay_a_debtors_fill() -> None:
    # at mark: loss 0, share -40: the fund pays 40
    desk = with_sick_long(890)
    desk.must(FundInsurance, 50)
    desk.must(LiquidationFill, "amber", "cedar", "BTC", 4, 890)

    assert (-60, 10) == (desk.get_equity("amber"), desk.state.reserves.insurance)


# The maker


def test_the_maker_needs_initial_margin() -> None:
    # 4 lots at 920 need 368; bought at mark
    desk = with_sick_long()
    desk.must(Deposit, "daisy", 367)

    assert Rule.MAKER_MARGIN == desk.do(LiquidationFill, "amber", "daisy", "BTC", 4, 920).rejected
    desk.must(Deposit, "daisy", 1)
    assert desk.do(LiquidationFill, "amber", "daisy", "BTC", 4, 920).rejected is None


def test_the_makers_bargain_counts_toward_its_margin() -> None:
    # bought at 900, 20 a lot below mark: 288 + 80 = 368
    desk = with_sick_long()
    desk.must(Deposit, "daisy", 288)

    assert desk.do(LiquidationFill, "amber", "daisy", "BTC", 4, 900).rejected is None


def test_a_maker_without_money_is_none() -> None:
    assert Rule.MAKER_MARGIN == with_sick_long().do(LiquidationFill, "amber", "nobody", "BTC", 1, 920).rejected


def test_a_sick_maker_may_reduce_against_a_sick_account() -> None:
    # birch's short is paid for up to 1090: at 1080 both sides of the market can be sick
    desk = Desk()
    desk.open("BTC", 1000, amber=1000, birch=1000)
    desk.open("ETH", 1000, cedar=10**6)
    desk.must(Fill, "amber", "birch", "BTC", 5, 1000)
    desk.must(Fill, "amber", "cedar", "ETH", 5, 1000)
    desk.must(MarkPrice, "ETH", 820)
    desk.must(MarkPrice, "BTC", 1190)
    # amber: 1000 + 950 - 900 = 1050; move ETH on until it is sick
    desk.must(MarkPrice, "ETH", 640)
    health, maker = desk.view.get_health("amber"), desk.view.get_health("birch")

    # amber 1000 + 950 - 1800 = 150 of 298 + 160; birch 1000 - 950 = 50 of 298
    assert (150, 458) == (health.equity, health.maintenance)
    assert (50, 298) == (maker.equity, maker.maintenance)
    assert desk.do(LiquidationFill, "amber", "birch", "BTC", 2, 1190).rejected is None
    assert Rule.MAKER_MARGIN == desk.do(LiquidationFill, "amber", "birch", "BTC", 2, 1230).rejected


# Rejections


def test_what_is_not_listed_is_not_liquidated() -> None:
    assert Rule.UNKNOWN_MARKET == with_sick_long().do(LiquidationFill, "amber", "cedar", "ETH", 1, 920).rejected


def test_an_account_is_not_its_own_maker() -> None:
    assert Rule.SELF_TRADE == with_sick_long().do(LiquidationFill, "amber", "amber", "BTC", 1, 920).rejected


@pytest.mark.parametrize("price", [0, -920])
def test_a_fill_at_no_price_is_rejected(price: int) -> None:
    desk = with_sick_long()

    assert Rule.PRICE_NOT_POSITIVE == desk.do(LiquidationFill, "amber", "cedar", "BTC", 1, price).rejected


@pytest.mark.parametrize("size", [0, -1, -(10**40)])
def test_a_fill_of_nothing_or_less_is_rejected(size: int) -> None:
    desk = with_sick_long()

    assert Rule.SIZE_NOT_POSITIVE == desk.do(LiquidationFill, "amber", "cedar", "BTC", size, 920).rejected


@pytest.mark.parametrize("size", [11, 10**40])
def test_no_more_is_closed_than_there_is(size: int) -> None:
    desk = with_sick_long()

    assert Rule.SIZE_EXCEEDS_POSITION == desk.do(LiquidationFill, "amber", "cedar", "BTC", size, 920).rejected


def test_a_healthy_account_is_left_alone() -> None:
    assert Rule.NOT_LIQUIDATABLE == with_sick_long().do(LiquidationFill, "birch", "cedar", "BTC", 1, 920).rejected


def test_an_account_without_positions_is_left_alone() -> None:
    assert Rule.NOT_LIQUIDATABLE == with_sick_long().do(LiquidationFill, "nobody", "cedar", "BTC", 1, 920).rejected


# Corners


def test_the_vault_is_liquidated_like_anyone() -> None:
    desk = Desk()
    desk.open("BTC", 1000, vault=1000, birch=10**5, cedar=10**5)
    desk.must(Fill, VAULT, "birch", "BTC", 10, 1000)
    desk.must(MarkPrice, "BTC", 920)
    desk.must(LiquidationFill, VAULT, "cedar", "BTC", 10, 900)

    assert 0 == desk.get_balance(VAULT)


def test_the_vault_may_be_a_maker_like_anyone() -> None:
    desk = with_sick_long(vault_position_limit=0)
    desk.must(Deposit, VAULT, 368)

    assert desk.do(LiquidationFill, "amber", VAULT, "BTC", 4, 920).rejected is None


def test_a_cross_account_gives_up_only_the_markets_share() -> None:
    # BTC 10 from 1000 at 900: -1000; ETH short 100 from 50 at 52: -200; 1500 paid in: equity 300
    # maintenance 450 + 260 = 710; all of BTC may cost floor(300 * 450 / 710) = 190: 19 a lot
    desk = Desk(make_rulebook(insurance_backs_fills=False))
    desk.open("BTC", 1000, amber=1500, birch=10**6)
    desk.open("ETH", 50)
    desk.must(Fill, "amber", "birch", "BTC", 10, 1000)
    desk.must(Fill, "amber", "birch", "ETH", -100, 50)
    desk.must(MarkPrice, "BTC", 900)
    desk.must(MarkPrice, "ETH", 52)

    assert Rule.WORSE_THAN_BANKRUPTCY == desk.do(LiquidationFill, "amber", "birch", "BTC", 10, 880).rejected
    desk.must(LiquidationFill, "amber", "birch", "BTC", 10, 881)
    # the rest: 110 of 260, no worse than 300 of 710
    assert (110, 260) == (desk.get_equity("amber"), desk.view.get_health("amber").maintenance)
    assert Rule.WORSE_THAN_BANKRUPTCY == desk.do(LiquidationFill, "amber", "birch", "ETH", 100, 54).rejected
    desk.must(LiquidationFill, "amber", "birch", "ETH", 100, 53)
    assert 10 == desk.get_balance("amber")


def test_a_partial_fill_can_cure() -> None:
    # equity 459 of 460: after one lot at mark 459 of 414
    desk = with_sick_long()
    desk.must(Deposit, "amber", 259)
    desk.must(LiquidationFill, "amber", "cedar", "BTC", 1, 920)

    assert Rule.NOT_LIQUIDATABLE == desk.do(LiquidationFill, "amber", "cedar", "BTC", 1, 920).rejected


def test_dust_can_be_closed() -> None:
    # one lot worth one atom: maintenance 0.05, so 1; equity 0; closing it at 1 costs nothing
    desk = Desk()
    desk.open("BTC", 2, make_rules(500_000, 50_000), amber=1, birch=10, cedar=10)
    desk.must(Fill, "amber", "birch", "BTC", 1, 2)
    desk.must(MarkPrice, "BTC", 1)

    assert 0 == desk.get_equity("amber")
    desk.must(LiquidationFill, "amber", "cedar", "BTC", 1, 1)
    assert 0 == desk.get_balance("amber")
