"""CoverDeficit and WriteOff: the fund pays what it can, uncovered bears what nobody can."""

import pytest

from riskcore.events import (
    AdvanceTime,
    BeginDeleveraging,
    CoverDeficit,
    Deleverage,
    Deposit,
    EndDeleveraging,
    Fill,
    FundInsurance,
    LiquidationFill,
    MarkPrice,
    Withdraw,
    WriteOff,
)
from riskcore.insurance import get_available
from riskcore.journal import Reason, Reserve, Stage
from riskcore.planner import Liquidity, Offer, resolve
from riskcore.quantities import AccountId, Lots, MarketId, Price, Time
from riskcore.queries import InsuranceFund, insurance_fund
from riskcore.rules import Rule
from riskcore.testing.desk import Desk, get_lines
from riskcore.testing.rulebooks import VAULT, make_rulebook, make_rules


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


# Its share of fees


@pytest.mark.parametrize(
    ("share", "taker", "maker", "fees", "insurance"),
    [
        (0, 1000, 0, 10, 0),
        (250_000, 1000, 0, 8, 2),
        (250_000, 1000, -500, 4, 1),
        (1_000_000, 1000, -500, 0, 5),
        (1_000_000, 1000, -1000, 0, 0),
    ],
)
def test_the_fund_gets_its_share_of_what_fees_bring(
    share: int, taker: int, maker: int, fees: int, insurance: int
) -> None:
    # 10 lots at 1,000: a taker's fee of 10, 2.5 of which are rounded down
    desk = Desk(make_rulebook(insurance_fee_share=share))
    desk.open("BTC", 1000, make_rules(taker=taker, maker=maker), amber=10**4, birch=10**4)
    desk.must(Fill, "amber", "birch", "BTC", 10, 1000)

    assert (fees, insurance) == (desk.state.reserves.fees, desk.state.reserves.insurance)


def test_the_share_has_a_line_of_its_own() -> None:
    desk = Desk(make_rulebook(insurance_fee_share=250_000))
    desk.open("BTC", 1000, make_rules(taker=1000), amber=10**4, birch=10**4)
    outcome = desk.do(Fill, "amber", "birch", "BTC", 10, 1000)

    assert (Reserve.FEES, Reserve.INSURANCE, 2, Reason.FEE_SHARE, Stage.ORDINARY) == get_lines(outcome)[-1]


# The limit to its draws


def with_limit(limit: int, window: int = 10_000, **rulebook: object) -> Desk:
    """A rich fund that pays no more than ``limit`` in a window, and two accounts of equity -100 and -200."""
    limits = {"insurance_draw_limit": limit, "insurance_draw_window": window}
    desk = Desk(make_rulebook(**limits, **rulebook))
    desk.open("BTC", 1000, amber=1000, cedar=2000, birch=10**5)
    desk.must(FundInsurance, 10**6)
    desk.must(Fill, "amber", "birch", "BTC", 10, 1000)
    desk.must(Fill, "cedar", "birch", "BTC", 20, 1000)
    desk.must(MarkPrice, "BTC", 890)
    return desk


def get_draws(desk: Desk) -> tuple[int, int]:
    return desk.state.draws.drawn, desk.state.draws.since


def test_the_fund_pays_no_more_than_its_limit() -> None:
    desk = with_limit(150)
    desk.must(CoverDeficit, "amber")
    began = desk.venue.time
    desk.must(CoverDeficit, "cedar")

    assert (0, -150) == (desk.get_equity("amber"), desk.get_equity("cedar"))
    assert (150, began) == get_draws(desk)
    assert Rule.INSURANCE_EXHAUSTED == desk.do(CoverDeficit, "cedar").rejected


def test_it_pays_again_when_the_window_is_over() -> None:
    desk = with_limit(150)
    desk.must(CoverDeficit, "cedar")
    began = desk.venue.time

    assert Rule.INSURANCE_EXHAUSTED == desk.do(CoverDeficit, "cedar", after=9999).rejected
    desk.must(CoverDeficit, "cedar", after=10_000)
    assert 0 == desk.get_equity("cedar")
    assert (50, began + 10_000) == get_draws(desk)


def test_the_floor_binds_below_the_limit() -> None:
    desk = with_limit(150, insurance_floor=10**6 - 70)
    desk.must(CoverDeficit, "cedar")

    assert -130 == desk.get_equity("cedar")
    assert 10**6 - 70 == desk.state.reserves.insurance


def test_a_window_begins_with_a_payment() -> None:
    desk = with_limit(150)
    desk.must(AdvanceTime, after=123_456)
    desk.must(CoverDeficit, "amber", after=0)

    assert (100, desk.venue.time) == get_draws(desk)


def test_while_the_limit_holds_the_next_stage_is_open() -> None:
    desk = with_limit(150)
    desk.must(CoverDeficit, "cedar")
    desk.must(BeginDeleveraging, "amber", "BTC", ("birch",))
    desk.must(Deleverage)

    assert 0 == desk.get_equity("amber")


def test_while_the_fund_may_pay_the_next_stage_is_not_open() -> None:
    desk = with_limit(150)
    desk.must(CoverDeficit, "cedar")

    late = desk.do(BeginDeleveraging, "amber", "BTC", ("birch",), after=10_000)
    assert Rule.INSURANCE_NOT_EXHAUSTED == late.rejected


def test_a_debt_is_written_off_while_the_limit_holds() -> None:
    limits = {"insurance_draw_limit": 50, "insurance_draw_window": 10_000}
    desk = Desk(make_rulebook(**limits), debts={"debtor": 70})
    desk.must(FundInsurance, 1000)

    assert Rule.INSURANCE_NOT_EXHAUSTED == desk.do(WriteOff, "debtor").rejected
    desk.must(CoverDeficit, "debtor")
    assert Rule.INSURANCE_NOT_EXHAUSTED == desk.do(WriteOff, "debtor", after=10_000).rejected
    desk.must(WriteOff, "debtor")
    assert -20 == desk.state.reserves.uncovered


def test_a_fill_is_backed_within_the_limit() -> None:
    # at 890 amber's equity is -100: each lot closed at mark costs the fund 10
    desk = with_limit(75)
    desk.must(Deposit, "daisy", 10**5)

    assert Rule.WORSE_THAN_BANKRUPTCY == desk.do(LiquidationFill, "amber", "daisy", "BTC", 8, 890).rejected
    desk.must(LiquidationFill, "amber", "daisy", "BTC", 7, 890)
    assert 70 == get_draws(desk)[0]
    assert Rule.WORSE_THAN_BANKRUPTCY == desk.do(LiquidationFill, "amber", "daisy", "BTC", 1, 890).rejected


def test_without_a_limit_nothing_is_counted() -> None:
    desk = with_deficit(250)
    desk.must(CoverDeficit, "amber")

    assert (0, 0) == get_draws(desk)


def test_the_planner_sells_as_much_as_the_limit_lets_the_fund_back() -> None:
    desk = with_limit(75)
    desk.must(Deposit, "daisy", 10**5)
    bids = {MarketId("BTC"): (Offer(AccountId("daisy"), Price(890), Lots(100)),)}
    resolution = resolve(desk.state, Liquidity(bids=bids), partial=False)

    assert () == resolution.unresolved
    assert 75 >= resolution.state.draws.drawn > 65
    assert 0 == resolution.state.reserves.uncovered


# What each market has used


def test_a_market_records_what_its_fills_cost_the_fund() -> None:
    desk = with_deficit(500)
    desk.must(Deposit, "daisy", 10**5)
    desk.must(LiquidationFill, "amber", "daisy", "BTC", 4, 890)
    desk.must(CoverDeficit, "amber")

    assert 40 == desk.get_market("BTC").insurance_used
    assert 400 == desk.state.reserves.insurance


def test_a_market_records_what_its_deleveragings_cost_the_fund() -> None:
    # the only short sold at a loss, so nobody is in the queue
    desk = Desk(make_rulebook(insurance_before_adl=False, adl_requires_profit=True))
    desk.open("BTC", 1000, amber=1000, birch=10**5, cedar=10**5)
    desk.must(FundInsurance, 60)
    desk.must(Fill, "amber", "birch", "BTC", 10, 1000)
    desk.must(MarkPrice, "BTC", 890)
    desk.must(Fill, "birch", "cedar", "BTC", 10, 880)
    desk.must(BeginDeleveraging, "amber", "BTC", ())
    desk.must(EndDeleveraging)

    assert (60, -40) == (desk.get_market("BTC").insurance_used, desk.state.reserves.uncovered)


def test_the_fund_as_it_stands() -> None:
    desk = with_limit(150)
    desk.must(Deposit, "daisy", 10**5)
    desk.must(LiquidationFill, "amber", "daisy", "BTC", 4, 890)
    desk.must(CoverDeficit, "amber", after=0)
    time = desk.state.timestamp
    used = {MarketId("BTC"): 40}

    assert InsuranceFund(10**6 - 100, 50, 100, time + 10_000, used) == insurance_fund(desk.state)  # type: ignore[arg-type]
    assert InsuranceFund(10**6 - 100, 150, 0, None, used) == insurance_fund(desk.state, Time(time + 10_000))  # type: ignore[arg-type]
