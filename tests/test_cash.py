"""Deposit, Withdraw, FundInsurance."""

import pytest

from riskcore.events import Deposit, Fill, FundInsurance, MarkPrice, Withdraw
from riskcore.journal import Reason, Reserve, Stage
from riskcore.rules import Rule
from tests.strategies import Desk, get_lines


def with_long(deposit: int) -> Desk:
    """amber holds 10 lots, bought at the mark of 1000: 10 % of 10 * 1000 = 1000 is initial margin."""
    desk = Desk()
    desk.open("BTC", 1000, amber=deposit, birch=5000)
    desk.must(Fill, "amber", "birch", "BTC", 10, 1000)
    return desk


# Deposit


def test_a_deposit_comes_from_outside() -> None:
    desk = Desk()
    outcome = desk.do(Deposit, "amber", 100)

    assert [(Reserve.OUTSIDE, "amber", 100, Reason.DEPOSIT, Stage.ORDINARY)] == get_lines(outcome)
    assert 100 == desk.get_balance("amber")
    assert -100 == desk.state.reserves.outside


def test_deposits_add_up() -> None:
    desk = Desk()
    desk.must(Deposit, "amber", 100)
    desk.must(Deposit, "amber", 10**40)

    assert 10**40 + 100 == desk.get_balance("amber")


@pytest.mark.parametrize("amount", [0, -1, -(10**40)])
def test_a_deposit_of_nothing_or_less_is_rejected(amount: int) -> None:
    assert Rule.AMOUNT_NOT_POSITIVE == Desk().do(Deposit, "amber", amount).rejected


# FundInsurance


def test_insurance_is_funded_from_outside() -> None:
    desk = Desk()
    outcome = desk.do(FundInsurance, 70)

    assert [(Reserve.OUTSIDE, Reserve.INSURANCE, 70, Reason.DEPOSIT, Stage.ORDINARY)] == get_lines(outcome)
    assert (-70, 70) == (desk.state.reserves.outside, desk.state.reserves.insurance)


@pytest.mark.parametrize("amount", [0, -1])
def test_insurance_is_not_funded_with_nothing_or_less(amount: int) -> None:
    assert Rule.AMOUNT_NOT_POSITIVE == Desk().do(FundInsurance, amount).rejected


# Withdraw


def test_a_flat_account_withdraws_everything() -> None:
    desk = Desk()
    desk.must(Deposit, "amber", 100)
    outcome = desk.do(Withdraw, "amber", 100)

    assert [("amber", Reserve.OUTSIDE, 100, Reason.WITHDRAWAL, Stage.ORDINARY)] == get_lines(outcome)
    assert 0 == desk.get_balance("amber")
    assert 0 == desk.state.reserves.outside


def test_a_withdrawal_may_leave_exactly_the_initial_margin() -> None:
    # equity 1300, initial margin 1000
    desk = with_long(1300)

    assert desk.do(Withdraw, "amber", 300).rejected is None
    assert 1000 == desk.get_equity("amber")


def test_a_withdrawal_may_not_leave_an_atom_less() -> None:
    assert Rule.BELOW_INITIAL_MARGIN == with_long(1300).do(Withdraw, "amber", 301).rejected


def test_gains_at_mark_can_be_withdrawn() -> None:
    # 10 * (1050 - 1000) = 500 gained, equity 1500, initial margin 10 % of 10500 = 1050
    desk = with_long(1000)
    desk.must(MarkPrice, "BTC", 1050)

    assert Rule.BELOW_INITIAL_MARGIN == desk.do(Withdraw, "amber", 451).rejected
    assert desk.do(Withdraw, "amber", 450).rejected is None
    assert 1000 - 10 * 1000 - 450 == desk.get_balance("amber")


def test_nobody_withdraws_more_than_the_pool_has() -> None:
    # amber's gain of 10 * 900 = 9000 stands against birch's deficit: of the pool's 6000 nothing more is there
    desk = with_long(1000)
    desk.must(MarkPrice, "BTC", 1900)
    free = desk.get_equity("amber") - 1900

    assert 8100 == free
    assert Rule.POOL_EXHAUSTED == desk.do(Withdraw, "amber", 6001).rejected
    assert desk.do(Withdraw, "amber", 6000).rejected is None
    assert 0 == desk.state.reserves.outside


def test_a_stranger_has_nothing_to_withdraw() -> None:
    desk = Desk()
    desk.must(Deposit, "amber", 100)

    assert Rule.BELOW_INITIAL_MARGIN == desk.do(Withdraw, "nobody", 1).rejected


@pytest.mark.parametrize("amount", [0, -1, -(10**40)])
def test_a_withdrawal_of_nothing_or_less_is_rejected(amount: int) -> None:
    desk = Desk()
    desk.must(Deposit, "amber", 100)

    assert Rule.AMOUNT_NOT_POSITIVE == desk.do(Withdraw, "amber", amount).rejected


def test_a_debtor_cannot_withdraw() -> None:
    desk = Desk(debts={"debtor": 5})
    desk.must(Deposit, "amber", 100)

    assert Rule.BELOW_INITIAL_MARGIN == desk.do(Withdraw, "debtor", 1).rejected
