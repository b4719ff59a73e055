"""Fill: two accounts trade at a price, each judged at mark, after fees."""

import pytest

from riskcore.events import ApplyFunding, Deposit, Fill, MarkPrice
from riskcore.journal import Reason, Reserve, Stage
from riskcore.rulebook import MarketRules
from riskcore.rules import Rule
from riskcore.testing.desk import Desk, get_lines
from riskcore.testing.rulebooks import make_rules

EIGHT_HOURS = 8 * 3_600_000


def with_market(rules: MarketRules | None = None, **deposits: int) -> Desk:
    """BTC at a mark of 1000; 10 % initial and 5 % maintenance margin, no fees unless told."""
    desk = Desk()
    desk.open("BTC", 1000, rules, **deposits)
    return desk


# The plain case


def test_a_fill_moves_lots_one_way_and_their_price_the_other() -> None:
    desk = with_market(amber=1000, birch=1000)
    outcome = desk.do(Fill, "amber", "birch", "BTC", 3, 1010)

    # 3 * 1010 = 3030
    assert [("amber", "birch", "BTC", 3, 3030, Reason.FILL, Stage.ORDINARY)] == get_lines(outcome)
    assert (1000 - 3030, (3, 3030, 0)) == (desk.get_balance("amber"), desk.get_position("amber", "BTC"))
    assert (1000 + 3030, (-3, -3030, 0)) == (desk.get_balance("birch"), desk.get_position("birch", "BTC"))
    assert 3 == desk.get_market("BTC").open_interest


def test_a_taker_who_sells_is_the_seller() -> None:
    desk = with_market(amber=1000, birch=1000)
    outcome = desk.do(Fill, "amber", "birch", "BTC", -3, 990)

    assert [("birch", "amber", "BTC", 3, 2970, Reason.FILL, Stage.ORDINARY)] == get_lines(outcome)
    assert (-3, -2970, 0) == desk.get_position("amber", "BTC")


def test_equity_moves_by_the_distance_to_mark() -> None:
    # bought 3 lots 10 above mark: 30 lost to the seller
    desk = with_market(amber=1000, birch=1000)
    desk.must(Fill, "amber", "birch", "BTC", 3, 1010)

    assert (970, 1030) == (desk.get_equity("amber"), desk.get_equity("birch"))


# Fees


def test_both_pay_their_fee_rounded_up() -> None:
    # notional 3 * 1001 = 3003; 500 ppm is 1.5015, so 2; 200 ppm is 0.6006, so 1
    desk = with_market(make_rules(taker=500, maker=200), amber=1000, birch=1000)
    outcome = desk.do(Fill, "amber", "birch", "BTC", 3, 1001)

    assert [
        ("amber", "birch", "BTC", 3, 3003, Reason.FILL, Stage.ORDINARY),
        ("amber", Reserve.FEES, 2, Reason.FEE, Stage.ORDINARY),
        ("birch", Reserve.FEES, 1, Reason.FEE, Stage.ORDINARY),
    ] == get_lines(outcome)
    assert 3 == desk.state.reserves.fees


def test_a_rebate_is_rounded_in_the_venues_favour() -> None:
    # 500 ppm of 3003 is 1.5015, so 2; -500 ppm is -1.5015, rounded up -1: the venue keeps the atom
    desk = with_market(make_rules(taker=500, maker=-500), amber=1000, birch=1000)
    desk.must(Fill, "amber", "birch", "BTC", 3, 1001)

    assert 1 == desk.state.reserves.fees
    assert 1000 + 3003 + 1 == desk.get_balance("birch")


def test_a_fee_is_counted_before_margin_is_checked() -> None:
    # initial margin 1000 for 10 lots, fee 500 ppm of 10000 = 5
    rules = make_rules(taker=500)

    assert (
        Rule.TAKER_MARGIN
        == with_market(rules, amber=1004, birch=1000).do(Fill, "amber", "birch", "BTC", 10, 1000).rejected
    )
    assert with_market(rules, amber=1005, birch=1000).do(Fill, "amber", "birch", "BTC", 10, 1000).rejected is None


# Rejections


def test_what_is_not_listed_is_not_traded() -> None:
    assert Rule.UNKNOWN_MARKET == with_market(amber=1, birch=1).do(Fill, "amber", "birch", "ETH", 1, 1).rejected


def test_nobody_trades_with_himself() -> None:
    assert Rule.SELF_TRADE == with_market(amber=1000).do(Fill, "amber", "amber", "BTC", 1, 1000).rejected


def test_a_fill_of_nothing_is_rejected() -> None:
    assert Rule.SIZE_ZERO == with_market(amber=1000, birch=1000).do(Fill, "amber", "birch", "BTC", 0, 1000).rejected


@pytest.mark.parametrize("price", [0, -1000])
def test_a_fill_at_no_price_is_rejected(price: int) -> None:
    desk = with_market(amber=1000, birch=1000)

    assert Rule.PRICE_NOT_POSITIVE == desk.do(Fill, "amber", "birch", "BTC", 1, price).rejected


@pytest.mark.parametrize("size", [10, -10])
def test_the_taker_needs_initial_margin(size: int) -> None:
    # 10 % of 10 * 1000 = 1000
    assert (
        Rule.TAKER_MARGIN == with_market(amber=999, birch=1000).do(Fill, "amber", "birch", "BTC", size, 1000).rejected
    )


@pytest.mark.parametrize("size", [10, -10])
def test_the_maker_needs_initial_margin(size: int) -> None:
    assert (
        Rule.MAKER_MARGIN == with_market(amber=1000, birch=999).do(Fill, "amber", "birch", "BTC", size, 1000).rejected
    )


def test_exactly_the_initial_margin_is_enough() -> None:
    assert with_market(amber=1000, birch=1000).do(Fill, "amber", "birch", "BTC", 10, 1000).rejected is None


def test_a_requirement_is_rounded_up_to_the_atom() -> None:
    # 10 % of 1 * 1001 = 100.1, so 101
    desk = Desk()
    desk.open("BTC", 1001, amber=100, birch=101)

    assert Rule.TAKER_MARGIN == desk.do(Fill, "amber", "birch", "BTC", 1, 1001).rejected
    desk.must(Deposit, "amber", 1)
    assert desk.do(Fill, "amber", "birch", "BTC", 1, 1001).rejected is None


def test_margin_is_judged_at_mark_not_at_the_price() -> None:
    # sold 10 lots 100 below mark: equity 1000 - 1000 = 0
    desk = with_market(amber=1000, birch=1000)

    assert Rule.TAKER_MARGIN == desk.do(Fill, "amber", "birch", "BTC", -10, 900).rejected


# Reductions below initial margin


def with_weak_long(mark: int) -> Desk:
    """amber long 10 from 1000 with 1000 paid in; birch short; cedar rich."""
    desk = with_market(amber=1000, birch=1000, cedar=10**6)
    desk.must(Fill, "amber", "birch", "BTC", 10, 1000)
    desk.must(MarkPrice, "BTC", mark)
    return desk


def test_an_account_below_initial_margin_may_reduce() -> None:
    # equity 600, initial 960, maintenance 480; sells 4 at mark, maintenance 288
    desk = with_weak_long(960)

    assert desk.do(Fill, "amber", "cedar", "BTC", -4, 960).rejected is None
    assert 600 == desk.get_equity("amber")


def test_an_account_below_initial_margin_may_not_grow() -> None:
    assert Rule.TAKER_MARGIN == with_weak_long(960).do(Fill, "amber", "cedar", "BTC", 1, 960).rejected


def test_an_account_below_maintenance_may_reduce() -> None:
    # equity 200, maintenance 460
    assert with_weak_long(920).do(Fill, "amber", "cedar", "BTC", -1, 920).rejected is None


def test_a_reduction_may_not_lower_equity_per_maintenance() -> None:
    # equity 200 of 460. Sells 5 of 10, so that 230 remain: 100 or more must be left, so at most 20 a lot are lost
    assert with_weak_long(920).do(Fill, "amber", "cedar", "BTC", -5, 900).rejected is None
    assert Rule.TAKER_MARGIN == with_weak_long(920).do(Fill, "amber", "cedar", "BTC", -5, 899).rejected


def test_the_makers_reduction_is_judged_alike() -> None:
    assert with_weak_long(920).do(Fill, "cedar", "amber", "BTC", 5, 900).rejected is None
    assert Rule.MAKER_MARGIN == with_weak_long(920).do(Fill, "cedar", "amber", "BTC", 5, 899).rejected


def test_a_close_may_not_leave_a_debt() -> None:
    # equity 200: closing 10 lots at 900 leaves 0, at 899 it would leave -10
    assert with_weak_long(920).do(Fill, "amber", "cedar", "BTC", -10, 900).rejected is None
    assert Rule.TAKER_MARGIN == with_weak_long(920).do(Fill, "amber", "cedar", "BTC", -10, 899).rejected


def test_a_flip_is_no_reduction() -> None:
    # equity 200; 2 lots short need 184, 3 lots short 276
    assert with_weak_long(920).do(Fill, "amber", "cedar", "BTC", -12, 920).rejected is None
    assert Rule.TAKER_MARGIN == with_weak_long(920).do(Fill, "amber", "cedar", "BTC", -13, 920).rejected


def test_a_debtor_may_reduce_while_his_debt_per_requirement_does_not_grow() -> None:
    # equity -100, maintenance 445; sells half at 20 above mark: equity 0
    desk = with_weak_long(890)

    assert Rule.TAKER_MARGIN == desk.do(Fill, "amber", "cedar", "BTC", -5, 899).rejected
    assert desk.do(Fill, "amber", "cedar", "BTC", -5, 910).rejected is None
    assert 0 == desk.get_equity("amber")


# Positions


def test_growing_adds_to_the_cost() -> None:
    desk = with_market(amber=10**5, birch=10**5)
    desk.must(Fill, "amber", "birch", "BTC", 3, 1000)
    desk.must(Fill, "amber", "birch", "BTC", 2, 1100)

    assert (5, 5200, 0) == desk.get_position("amber", "BTC")
    assert (-5, -5200, 0) == desk.get_position("birch", "BTC")


def test_shrinking_keeps_the_average_rounded_down() -> None:
    # 3 lots for 3001: of the 2 that stay 2000.67, so 2000; of the short -2000.67, so -2001
    desk = with_market(amber=10**5, birch=10**5)
    desk.must(Fill, "amber", "birch", "BTC", 2, 1000)
    desk.must(Fill, "amber", "birch", "BTC", 1, 1001)
    desk.must(Fill, "amber", "birch", "BTC", -1, 1234)

    assert (2, 2000, 0) == desk.get_position("amber", "BTC")
    assert (-2, -2001, 0) == desk.get_position("birch", "BTC")


def test_a_close_leaves_no_trace() -> None:
    desk = with_market(amber=1000, birch=1000)
    desk.must(Fill, "amber", "birch", "BTC", 3, 1000)
    desk.must(Fill, "amber", "birch", "BTC", -3, 1005)

    assert (0, 0, 0) == desk.get_position("amber", "BTC")
    assert 0 == len(desk.get_account("amber").positions)
    assert (1015, 985) == (desk.get_balance("amber"), desk.get_balance("birch"))
    assert 0 == desk.get_market("BTC").open_interest


def test_a_flip_starts_the_cost_anew() -> None:
    # long 3 from 1000, sells 5 at 1100: 2 short, which brought 2200
    desk = with_market(amber=10**5, birch=10**5)
    desk.must(Fill, "amber", "birch", "BTC", 3, 1000)
    desk.must(Fill, "amber", "birch", "BTC", -5, 1100)

    assert (-2, -2200, 0) == desk.get_position("amber", "BTC")
    assert (2, 2200, 0) == desk.get_position("birch", "BTC")
    assert 2 == desk.get_market("BTC").open_interest


def test_a_position_that_changes_hands_leaves_open_interest_alone() -> None:
    desk = with_market(amber=10**5, birch=10**5, cedar=10**5)
    desk.must(Fill, "amber", "birch", "BTC", 7, 1000)
    desk.must(Fill, "cedar", "amber", "BTC", 4, 1000)

    assert (3, 4, -7) == tuple(desk.get_position(name, "BTC")[0] for name in ("amber", "cedar", "birch"))
    assert 7 == desk.get_market("BTC").open_interest


def test_both_settle_their_funding_first() -> None:
    # 1 % of 1000 is 10 a lot: the long of 4 owes 40, the short gets it
    desk = with_market(amber=10**5, birch=10**5, cedar=10**5)
    desk.must(Fill, "amber", "birch", "BTC", 4, 1000)
    desk.must(ApplyFunding, "BTC", 10_000, after=EIGHT_HOURS)
    outcome = desk.do(Fill, "amber", "cedar", "BTC", -1, 1000)

    assert [
        ("amber", Reserve.TRANSIT, 40, Reason.FUNDING, Stage.ORDINARY),
        ("cedar", "amber", "BTC", 1, 1000, Reason.FILL, Stage.ORDINARY),
    ] == get_lines(outcome)
    # 3 lots of amber and 1 of cedar at index 10: 40 settled and not yet paid out
    assert 40 == desk.state.reserves.transit
    assert (3, 3000, 10) == desk.get_position("amber", "BTC")
    assert (1, 1000, 10) == desk.get_position("cedar", "BTC")
    assert (-4, -4000, 0) == desk.get_position("birch", "BTC")
    assert 10**5 + 40 == desk.get_equity("birch")


# Several markets


def test_the_other_markets_count() -> None:
    # initial margin 10 % of 5 * 1000 = 500 and 20 % of 7 * 30 = 42
    desk = with_market(amber=541, birch=10**5)
    desk.open("ETH", 30, make_rules(200_000, 100_000))
    desk.must(Fill, "amber", "birch", "BTC", 5, 1000)

    assert Rule.TAKER_MARGIN == desk.do(Fill, "amber", "birch", "ETH", 7, 30).rejected
    desk.must(Deposit, "amber", 1)
    assert desk.do(Fill, "amber", "birch", "ETH", 7, 30).rejected is None
    assert 2 == len(desk.get_account("amber").positions)


def test_a_loss_elsewhere_forbids_growth_here() -> None:
    desk = with_market(amber=1100, birch=10**5)
    desk.open("ETH", 30)
    desk.must(Fill, "amber", "birch", "BTC", 10, 1000)
    desk.must(MarkPrice, "BTC", 980)

    # equity 900, initial 980
    assert Rule.TAKER_MARGIN == desk.do(Fill, "amber", "birch", "ETH", 1, 30).rejected
