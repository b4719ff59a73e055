"""ApplyFunding: one index per market, rounded once, its remainder carried."""

import attrs
import pytest

from riskcore.events import AdvanceTime, ApplyFunding, Deposit, Fill, IndexPrice, ListMarket, MarkPrice, Withdraw
from riskcore.quantities import Time
from riskcore.rules import Rule
from riskcore.testing.desk import Desk
from riskcore.testing.rulebooks import HOUR, make_rulebook, make_rules

INTERVAL = 8 * HOUR
WHOLE = 10**6 * INTERVAL


def with_open_positions(mark: int = 1000) -> Desk:
    """amber long 7; birch short 4, cedar short 3; funding is paid up to now."""
    desk = Desk()
    desk.open("BTC", mark, amber=mark * 100, birch=mark * 100, cedar=mark * 100)
    desk.must(Fill, "amber", "birch", "BTC", 4, mark)
    desk.must(Fill, "amber", "cedar", "BTC", 3, mark)
    desk.must(ApplyFunding, "BTC", 0)
    return desk


def get_funding(desk: Desk) -> tuple[int, int]:
    market = desk.get_market("BTC")
    return market.funding_index, market.funding_remainder


def pay_funding(desk: Desk, rate: int, milliseconds: int) -> None:
    desk.must(ApplyFunding, "BTC", rate, after=milliseconds)


# The plain case


def test_longs_pay_shorts_for_a_whole_interval() -> None:
    # 1 % of 1000 is 10 a lot
    desk = with_open_positions()
    pay_funding(desk, 10_000, INTERVAL)

    assert (10, 0) == get_funding(desk)
    assert (100_000 - 70, 100_000 + 40, 100_000 + 30) == tuple(
        desk.get_equity(name) for name in ("amber", "birch", "cedar")
    )


def test_shorts_pay_longs_where_the_rate_is_negative() -> None:
    desk = with_open_positions()
    pay_funding(desk, -10_000, INTERVAL)

    assert (-10, 0) == get_funding(desk)
    assert 100_000 + 70 == desk.get_equity("amber")


def test_a_part_of_an_interval_costs_a_part() -> None:
    # a quarter of 1 % of 1000: 2.5, so 2, and half of the denominator is carried
    desk = with_open_positions()
    pay_funding(desk, 10_000, INTERVAL // 4)

    assert (2, WHOLE // 2) == get_funding(desk)


def test_the_remainder_is_carried() -> None:
    # four quarters of 2.5: 2, 5, 7, 10
    desk = with_open_positions()
    seen = []
    for _ in range(4):
        pay_funding(desk, 10_000, INTERVAL // 4)
        seen.append(get_funding(desk))

    assert [(2, WHOLE // 2), (5, 0), (7, WHOLE // 2), (10, 0)] == seen


def test_a_negative_index_rounds_down_and_carries_upward() -> None:
    # -2.5: index -3, remainder +0.5
    desk = with_open_positions()
    pay_funding(desk, -10_000, INTERVAL // 4)

    assert (-3, WHOLE // 2) == get_funding(desk)
    # the longs get 7 * 3 = 21 and the shorts pay it: no atom is lost
    assert 21 == desk.get_equity("amber") - 100_000
    assert -21 == desk.get_equity("birch") + desk.get_equity("cedar") - 200_000


def test_no_atom_is_lost_over_many_small_payments() -> None:
    desk = with_open_positions()
    for _ in range(200):
        pay_funding(desk, 9_999, 1)

    assert (0, 200 * 1000 * 9_999) == get_funding(desk)


def test_no_balance_moves_until_a_size_does() -> None:
    desk = with_open_positions()
    before = [desk.get_account(name) for name in ("amber", "birch", "cedar")]
    outcome = desk.do(ApplyFunding, "BTC", 10_000, after=INTERVAL)

    assert () == outcome.effects
    assert before == [desk.get_account(name) for name in ("amber", "birch", "cedar")]
    assert 0 == desk.state.reserves.transit


def test_settled_accounts_meet_in_transit() -> None:
    # index 10. amber closes 4 with birch: amber settles 7 * 10, birch gets 4 * 10, cedar has 30 to come
    desk = with_open_positions()
    pay_funding(desk, 10_000, INTERVAL)
    desk.must(Fill, "amber", "birch", "BTC", -4, 1000)

    assert 3 * 10 == desk.state.reserves.transit
    desk.must(Fill, "amber", "cedar", "BTC", -3, 1000)
    assert 0 == desk.state.reserves.transit
    assert (100_000 - 70, 100_040, 100_030) == tuple(desk.get_balance(name) for name in ("amber", "birch", "cedar"))


def test_a_newcomer_pays_from_when_he_came() -> None:
    desk = with_open_positions()
    pay_funding(desk, 10_000, INTERVAL)
    desk.must(Deposit, "daisy", 100_000, after=0)
    desk.must(Fill, "daisy", "cedar", "BTC", 1, 1000, after=0)
    pay_funding(desk, 5_000, INTERVAL)

    assert 100_000 - 5 == desk.get_equity("daisy")


def test_funding_owed_counts_as_margin_used() -> None:
    # equity 100000 - 7 * 10 = 99930, initial margin 10 % of 7000 = 700
    desk = with_open_positions()
    pay_funding(desk, 10_000, INTERVAL)

    assert Rule.BELOW_INITIAL_MARGIN == desk.do(Withdraw, "amber", 99_231).rejected
    assert desk.do(Withdraw, "amber", 99_230).rejected is None


def test_the_current_mark_counts() -> None:
    desk = with_open_positions()
    desk.must(MarkPrice, "BTC", 2000, after=0)
    pay_funding(desk, 10_000, INTERVAL)

    assert (20, 0) == get_funding(desk)


def test_a_rate_of_zero_moves_only_the_time() -> None:
    desk = with_open_positions()
    before = desk.get_market("BTC")
    pay_funding(desk, 0, 5000)

    assert attrs.evolve(before, funding_time=desk.state.timestamp) == desk.get_market("BTC")


def test_each_market_has_its_own_clock() -> None:
    desk = with_open_positions()
    desk.must(ListMarket, "ETH", make_rules(), 500, after=INTERVAL)
    eth = desk.get_market("ETH")
    desk.must(ApplyFunding, "BTC", 10_000, after=0)

    assert 10 == desk.get_market("BTC").funding_index
    assert eth == desk.get_market("ETH")


# Rejections


def test_what_is_not_listed_is_not_funded() -> None:
    assert Rule.UNKNOWN_MARKET == Desk().do(ApplyFunding, "BTC", 0).rejected


def test_funding_is_not_due_where_no_time_has_passed() -> None:
    desk = with_open_positions()

    assert Rule.FUNDING_NOT_DUE == desk.do(ApplyFunding, "BTC", 100, after=0).rejected


@pytest.mark.parametrize("rate", [10_001, -10_001, 10**40])
def test_a_rate_beyond_the_cap_is_rejected(rate: int) -> None:
    assert Rule.FUNDING_RATE_CAPPED == with_open_positions().do(ApplyFunding, "BTC", rate).rejected


@pytest.mark.parametrize("rate", [10_000, -10_000])
def test_the_cap_itself_is_a_rate(rate: int) -> None:
    assert with_open_positions().do(ApplyFunding, "BTC", rate).rejected is None


def test_the_first_payment_counts_from_listing_not_from_time_zero() -> None:
    desk = Desk(make_rulebook(funding_interval=1000))
    desk.must(ListMarket, "BTC", make_rules(), 1000, after=10**9)
    desk.must(ApplyFunding, "BTC", 10_000, after=1000)

    assert (10, 0) == get_funding(desk)


# On the index


@pytest.mark.parametrize(("on_index", "growth"), [(True, 12), (False, 10)])
def test_a_rulebook_may_charge_funding_on_the_index(on_index: bool, growth: int) -> None:
    desk = Desk(make_rulebook(funding_on_index=on_index))
    desk.open("BTC", 1000)
    desk.must(ApplyFunding, "BTC", 0)
    desk.must(IndexPrice, "BTC", 1200, after=0)
    pay_funding(desk, 10_000, INTERVAL)

    assert (growth, 0) == get_funding(desk)


@pytest.mark.parametrize(("on_index", "rejected"), [(True, Rule.INDEX_STALE), (False, None)])
def test_no_funding_is_charged_on_a_stale_index(on_index: bool, rejected: Rule | None) -> None:
    desk = Desk(make_rulebook(funding_on_index=on_index))
    desk.open("BTC", 1000, attrs.evolve(make_rules(), mark_age_limit=Time(5000)))
    desk.must(AdvanceTime, after=5000)

    assert rejected is desk.do(ApplyFunding, "BTC", 100, after=1).rejected
    desk.must(IndexPrice, "BTC", 1000)
    desk.must(ApplyFunding, "BTC", 100, after=5000)
