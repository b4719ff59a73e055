"""Deposit, Withdraw, Transfer, FundInsurance, RepayLoss."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskcore.events import (
    AdvanceTime,
    Deposit,
    Fill,
    FundInsurance,
    LiquidationFill,
    MarkPrice,
    RepayLoss,
    Transfer,
    Withdraw,
    WriteOff,
)
from riskcore.journal import Reason, Reserve, Stage
from riskcore.rules import Rule
from riskcore.testing.desk import Desk, get_lines
from riskcore.testing.rulebooks import make_rulebook


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


# Transfer


def test_a_transfer_goes_from_account_to_account() -> None:
    desk = Desk()
    desk.must(Deposit, "amber", 100)
    outcome = desk.do(Transfer, "amber", "amber/1", 60)

    assert [("amber", "amber/1", 60, Reason.TRANSFER, Stage.ORDINARY)] == get_lines(outcome)
    assert (40, 60) == (desk.get_balance("amber"), desk.get_balance("amber/1"))
    assert -100 == desk.state.reserves.outside


def test_a_transfer_may_leave_exactly_the_initial_margin_and_no_atom_less() -> None:
    # equity 1300, initial margin 1000
    desk = with_long(1300)

    assert Rule.BELOW_INITIAL_MARGIN == desk.do(Transfer, "amber", "amber/1", 301).rejected
    assert desk.do(Transfer, "amber", "amber/1", 300).rejected is None


def test_a_transfer_may_help_an_account_that_is_below_its_margin() -> None:
    desk = with_long(1000)
    desk.must(MarkPrice, "BTC", 940)
    assert 400 == desk.get_equity("amber")

    assert Rule.BELOW_INITIAL_MARGIN == desk.do(Transfer, "amber", "birch", 1).rejected
    assert desk.do(Transfer, "birch", "amber", 600).rejected is None
    assert 1000 == desk.get_equity("amber")


@pytest.mark.parametrize("amount", [0, -1, -(10**40)])
def test_a_transfer_of_nothing_or_less_is_rejected(amount: int) -> None:
    desk = Desk()
    desk.must(Deposit, "amber", 100)

    assert Rule.AMOUNT_NOT_POSITIVE == desk.do(Transfer, "amber", "birch", amount).rejected


def test_nobody_pays_himself() -> None:
    desk = Desk()
    desk.must(Deposit, "amber", 100)

    assert Rule.SELF_TRANSFER == desk.do(Transfer, "amber", "amber", 1).rejected


def test_a_debtor_and_a_stranger_have_nothing_to_transfer() -> None:
    desk = Desk(debts={"debtor": 5})

    assert Rule.BELOW_INITIAL_MARGIN == desk.do(Transfer, "debtor", "amber", 1).rejected
    assert Rule.BELOW_INITIAL_MARGIN == desk.do(Transfer, "nobody", "amber", 1).rejected


def test_an_isolated_position_loses_its_own_margin_and_no_more() -> None:
    # 10 lots in a sub-account with 1000, beside 10000 that amber keeps
    desk = Desk(make_rulebook(vault_position_limit=0))
    desk.open("BTC", 1000, amber=11_000, birch=50_000)
    desk.must(Transfer, "amber", "amber/1", 1000)
    desk.must(Fill, "amber/1", "birch", "BTC", 10, 1000)
    desk.must(Fill, "amber", "birch", "BTC", 2, 1000)
    mine = desk.get_account("amber")
    # the sub-account is worth 1000 - 1200, and 10 * 880 are sold at their bankruptcy price or worse
    desk.must(FundInsurance, 500)
    desk.must(MarkPrice, "BTC", 880)
    desk.must(LiquidationFill, "amber/1", "birch", "BTC", 10, 880)

    assert 0 == desk.get_balance("amber/1")
    assert 300 == desk.state.reserves.insurance
    assert mine == desk.get_account("amber")
    assert 10_000 - 2 * 120 == desk.get_equity("amber")


# Withdraw while a loss is uncovered


def with_loss(**rules: bool) -> Desk:
    """100 are uncovered of the 800 that creditor, amber and birch have: 100, 400 and 300."""
    desk = Desk(make_rulebook(**rules), debts={"debtor": 100})
    desk.must(Deposit, "amber", 400)
    desk.must(Deposit, "birch", 300)
    desk.must(WriteOff, "debtor")
    assert (-700, -100) == (desk.state.reserves.outside, desk.state.reserves.uncovered)
    return desk


def test_where_the_rulebook_says_nothing_the_last_to_withdraw_bears_the_loss() -> None:
    desk = with_loss()
    desk.must(Withdraw, "amber", 400)
    desk.must(Withdraw, "birch", 300)

    assert Rule.POOL_EXHAUSTED == desk.do(Withdraw, "creditor", 100).rejected
    assert -100 == desk.state.reserves.uncovered


def test_a_withdrawal_leaves_the_losss_part_behind() -> None:
    # an eighth is lost: 50 of 400; of the 400 that stay then, 50 are lost, 37.5 of 300
    desk = with_loss(withdrawals_are_cut=True)

    assert [
        ("amber", Reserve.UNCOVERED, 50, Reason.HAIRCUT, Stage.ORDINARY),
        ("amber", Reserve.OUTSIDE, 350, Reason.WITHDRAWAL, Stage.ORDINARY),
    ] == get_lines(desk.do(Withdraw, "amber", 400))
    assert -50 == desk.state.reserves.uncovered
    assert [38, 262] == [line.amount for line in desk.do(Withdraw, "birch", 300).effects]
    assert [12, 88] == [line.amount for line in desk.do(Withdraw, "creditor", 100).effects]
    assert (0, 0) == (desk.state.reserves.uncovered, desk.state.reserves.outside)


def test_a_part_of_an_atom_is_a_whole_one() -> None:
    desk = with_loss(withdrawals_are_cut=True)

    # 9 / 8 is more than one
    assert [2, 7] == [line.amount for line in desk.do(Withdraw, "amber", 9).effects]


def test_where_nothing_is_uncovered_nothing_is_cut() -> None:
    desk = Desk(make_rulebook(withdrawals_are_cut=True, withdrawals_wait=True))
    desk.must(Deposit, "amber", 400)

    assert [("amber", Reserve.OUTSIDE, 400, Reason.WITHDRAWAL, Stage.ORDINARY)] == get_lines(
        desk.do(Withdraw, "amber", 400)
    )


def test_no_more_is_cut_than_the_loss() -> None:
    # late owes 350 that nobody has booked: all accounts together have 150, the creditor alone 450
    desk = Desk(make_rulebook(withdrawals_are_cut=True, insurance_floor=70), debts={"debtor": 100, "late": 350})
    desk.must(Deposit, "amber", 50)
    desk.must(FundInsurance, 70)
    desk.must(WriteOff, "debtor")

    # 160 * 100 / 150 would be 107
    assert [100, 60] == [line.amount for line in desk.do(Withdraw, "creditor", 160).effects]
    assert 0 == desk.state.reserves.uncovered


def test_where_the_loss_is_all_that_there_is_nobody_withdraws() -> None:
    # creditor and late have 100 together, as much as is lost; the 70 are the fund's
    desk = Desk(make_rulebook(withdrawals_are_cut=True, insurance_floor=70), debts={"debtor": 100, "late": 350})
    desk.must(FundInsurance, 70)
    desk.must(WriteOff, "debtor")

    assert Rule.POOL_EXHAUSTED == desk.do(Withdraw, "creditor", 1).rejected
    desk.must(Deposit, "amber", 1)
    assert [1] == [line.amount for line in desk.do(Withdraw, "creditor", 1).effects]


def test_what_is_cut_counts_against_margin_and_what_is_paid_against_the_pool() -> None:
    desk = with_loss(withdrawals_are_cut=True)

    assert Rule.BELOW_INITIAL_MARGIN == desk.do(Withdraw, "amber", 401).rejected
    assert Rule.POOL_EXHAUSTED == desk.do(Withdraw, "amber", 10**6).rejected


def test_nobody_withdraws_while_the_rulebook_makes_them_wait() -> None:
    desk = with_loss(withdrawals_wait=True)

    assert Rule.LOSS_UNCOVERED == desk.do(Withdraw, "amber", 1).rejected
    assert desk.do(Transfer, "amber", "birch", 1).rejected is None
    assert desk.do(Deposit, "amber", 1).rejected is None
    assert desk.do(AdvanceTime).rejected is None


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=6), st.integers(1, 10**6), st.data())
def test_whoever_comes_first_or_last_loses_the_same_part(amounts: list[int], debt: int, data: st.DataObject) -> None:
    desk = Desk(make_rulebook(withdrawals_are_cut=True), debts={"debtor": debt})
    owned = {"creditor": debt, **{f"owner{number}": amount for number, amount in enumerate(amounts)}}
    for owner, amount in list(owned.items())[1:]:
        desk.must(Deposit, owner, amount)
    desk.must(WriteOff, "debtor")
    part = Fraction(debt, sum(owned.values()))

    for earlier, owner in enumerate(data.draw(st.permutations(list(owned)))):
        desk.must(Withdraw, owner, owned[owner])
        before, after = (view.reserves["uncovered"] for view in (desk.passages[-1].before, desk.view))
        # an atom for this one's rounding, and at most one less for each that was rounded up before
        assert -earlier <= after - before - part * owned[owner] < 1
    assert 0 == desk.state.reserves.outside


# RepayLoss


def with_debt_written_off(loss: int, **rulebook: object) -> Desk:
    """A written-off debt of so many atoms, owed to ``creditor``."""
    desk = Desk(make_rulebook(**rulebook), debts={"debtor": loss})
    desk.must(Deposit, "birch", 1000)
    desk.must(WriteOff, "debtor")
    return desk


def test_a_loss_is_repaid_from_outside() -> None:
    desk = with_debt_written_off(70)
    outcome = desk.do(RepayLoss, 30)

    assert [(Reserve.OUTSIDE, Reserve.UNCOVERED, 30, Reason.REPAYMENT, Stage.ORDINARY)] == get_lines(outcome)
    assert (-1030, -40) == (desk.state.reserves.outside, desk.state.reserves.uncovered)


def test_a_loss_repaid_opens_the_gate() -> None:
    desk = with_debt_written_off(70, withdrawals_wait=True)
    desk.must(RepayLoss, 69)

    assert Rule.LOSS_UNCOVERED == desk.do(Withdraw, "birch", 1).rejected
    desk.must(RepayLoss, 1)
    desk.must(Withdraw, "birch", 1000)
    desk.must(Withdraw, "creditor", 70)
    assert (0, 0) == (desk.state.reserves.outside, desk.state.reserves.uncovered)


def test_a_loss_repaid_is_cut_from_nobody() -> None:
    desk = with_debt_written_off(70, withdrawals_are_cut=True)
    desk.must(RepayLoss, 70)
    outcome = desk.do(Withdraw, "birch", 1000)

    assert [("birch", Reserve.OUTSIDE, 1000, Reason.WITHDRAWAL, Stage.ORDINARY)] == get_lines(outcome)


@pytest.mark.parametrize("loss", [0, 70])
def test_no_more_is_repaid_than_is_uncovered(loss: int) -> None:
    desk = with_debt_written_off(loss) if loss else Desk()

    assert Rule.NOT_UNCOVERED == desk.do(RepayLoss, loss + 1).rejected


@pytest.mark.parametrize("amount", [0, -1])
def test_nothing_or_less_is_no_repayment(amount: int) -> None:
    assert Rule.AMOUNT_NOT_POSITIVE == with_debt_written_off(70).do(RepayLoss, amount).rejected
