"""CoverDeficit and WriteOff: the fund pays what it can, uncovered bears what nobody can."""

import pytest

from riskcore.events import CoverDeficit, Deposit, Fill, FundInsurance, MarkPrice, Withdraw, WriteOff
from riskcore.insurance import get_available
from riskcore.journal import Reason, Reserve, Stage
from riskcore.rules import Rule
from tests.strategies import VAULT, Desk, get_lines, make_rulebook


def with_deficit(insurance: int, mark: int = 890, **rulebook: object) -> Desk:
    """amber long 10 from 1000 with 1000 paid in, so at 890: equity -100."""
    desk = Desk(make_rulebook(**rulebook))
    desk.open("BTC", 1000, amber=1000, birch=10**5)
    if insurance:
        desk.must(FundInsurance, insurance)
    desk.must(Fill, "amber", "birch", "BTC", 10, 1000)
    desk.must(MarkPrice, "BTC", mark)
    return desk


# What is available


@pytest.mark.parametrize(("insurance", "floor", "available"), [(100, 0, 100), (100, 30, 70), (30, 30, 0), (10, 30, 0)])
def test_available_is_what_stands_above_the_floor(insurance: int, floor: int, available: int) -> None:
    desk = Desk(make_rulebook(insurance_floor=floor))
    desk.must(FundInsurance, insurance)

    assert available == get_available(desk.state, desk.state.timestamp)


# CoverDeficit


def test_the_fund_pays_the_deficit() -> None:
    desk = with_deficit(insurance=250)
    outcome = desk.do(CoverDeficit, "amber")

    assert [(Reserve.INSURANCE, "amber", 100, Reason.COVER, Stage.INSURANCE)] == get_lines(outcome)
    assert (0, 150) == (desk.get_equity("amber"), desk.state.reserves.insurance)
    assert (10, 10_000, 0) == desk.get_position("amber", "BTC")


def test_the_fund_pays_all_it_has() -> None:
    desk = with_deficit(insurance=60)
    desk.must(CoverDeficit, "amber")

    assert (-40, 0) == (desk.get_equity("amber"), desk.state.reserves.insurance)


def test_the_fund_keeps_its_floor() -> None:
    desk = with_deficit(insurance=60, insurance_floor=50)
    desk.must(CoverDeficit, "amber")

    assert (-90, 50) == (desk.get_equity("amber"), desk.state.reserves.insurance)


def test_a_flat_debtor_is_covered_whatever_the_rulebook_says_of_open_ones() -> None:
    desk = Desk(make_rulebook(insurance_before_adl=False), debts={"debtor": 70})
    desk.must(FundInsurance, 100)
    desk.must(CoverDeficit, "debtor")

    assert (0, 30) == (desk.get_balance("debtor"), desk.state.reserves.insurance)


def test_the_vaults_deficit_is_covered_like_anyones() -> None:
    desk = Desk()
    desk.open("BTC", 1000, vault=1000, birch=10**5)
    desk.must(FundInsurance, 500)
    desk.must(Fill, VAULT, "birch", "BTC", 10, 1000)
    desk.must(MarkPrice, "BTC", 890)
    desk.must(CoverDeficit, VAULT)

    assert (0, 400) == (desk.get_equity(VAULT), desk.state.reserves.insurance)


@pytest.mark.parametrize("mark", [900, 920, 1000])
def test_where_there_is_no_deficit_there_is_no_cover(mark: int) -> None:
    # at 900 equity is exactly 0
    assert Rule.NO_DEFICIT == with_deficit(100, mark).do(CoverDeficit, "amber").rejected


def test_a_stranger_has_no_deficit() -> None:
    assert Rule.NO_DEFICIT == with_deficit(100).do(CoverDeficit, "nobody").rejected


def test_a_rulebook_may_keep_insurance_for_flat_accounts() -> None:
    desk = with_deficit(100, insurance_before_adl=False)

    assert Rule.INSURANCE_OPEN_POSITION == desk.do(CoverDeficit, "amber").rejected


@pytest.mark.parametrize(("insurance", "floor"), [(0, 0), (50, 50), (40, 50)])
def test_an_exhausted_fund_pays_nothing(insurance: int, floor: int) -> None:
    desk = with_deficit(insurance, insurance_floor=floor)

    assert Rule.INSURANCE_EXHAUSTED == desk.do(CoverDeficit, "amber").rejected


# WriteOff


def test_a_flat_debt_is_written_off() -> None:
    desk = Desk(debts={"debtor": 70})
    outcome = desk.do(WriteOff, "debtor")

    assert [(Reserve.UNCOVERED, "debtor", 70, Reason.WRITE_OFF, Stage.UNCOVERED)] == get_lines(outcome)
    assert (0, -70) == (desk.get_balance("debtor"), desk.state.reserves.uncovered)


def test_write_offs_add_up() -> None:
    desk = Desk(debts={"debtor": 70, "other": 5})
    desk.must(WriteOff, "debtor")
    desk.must(WriteOff, "other")

    assert -75 == desk.state.reserves.uncovered


def test_insurance_goes_first() -> None:
    desk = Desk(make_rulebook(insurance_floor=10), debts={"debtor": 70})
    desk.must(FundInsurance, 30)

    assert Rule.INSURANCE_NOT_EXHAUSTED == desk.do(WriteOff, "debtor").rejected
    desk.must(CoverDeficit, "debtor")
    desk.must(WriteOff, "debtor")
    assert (10, -50) == (desk.state.reserves.insurance, desk.state.reserves.uncovered)


def test_an_open_debt_is_not_written_off() -> None:
    assert Rule.NOT_FLAT == with_deficit(0).do(WriteOff, "amber").rejected


@pytest.mark.parametrize("account", ["creditor", "nobody"])
def test_who_owes_nothing_is_forgiven_nothing(account: str) -> None:
    assert Rule.NO_DEFICIT == Desk(debts={"debtor": 70}).do(WriteOff, account).rejected


def test_a_written_off_account_owes_nothing_twice() -> None:
    desk = Desk(debts={"debtor": 70})
    desk.must(WriteOff, "debtor")

    assert Rule.NO_DEFICIT == desk.do(WriteOff, "debtor").rejected


def test_the_pool_stays_short_by_what_is_uncovered() -> None:
    # the creditor is owed 70 that nobody paid in: with birch's 50 in the pool he gets 50
    desk = Desk(debts={"debtor": 70})
    desk.must(Deposit, "birch", 50)
    desk.must(WriteOff, "debtor")

    assert Rule.POOL_EXHAUSTED == desk.do(Withdraw, "creditor", 51).rejected
    desk.must(Withdraw, "creditor", 50)
    assert 0 == desk.state.reserves.outside
