"""ListMarket, MarkPrice, IndexPrice, AdvanceTime."""

import attrs
import pytest

from riskcore.choices import MarketStatus
from riskcore.events import AdvanceTime, Deposit, Fill, IndexPrice, ListMarket, MarkPrice, SettleMarket
from riskcore.orders import NO_ORDER
from riskcore.quantities import RATE_ONE, Price, Rate, Time
from riskcore.rulebook import MarketRules
from riskcore.rules import Rule
from riskcore.state import Market
from riskcore.testing.desk import Desk
from riskcore.testing.rulebooks import make_rules

# ListMarket


def test_a_listed_market_is_empty_and_its_funding_counts_from_now() -> None:
    desk = Desk()
    rules = make_rules(taker=500, maker=-100)
    desk.must(ListMarket, "BTC", rules, 1000, after=77)
    sold, prices = (0, 0), (1000, 1000, 77)
    book = (NO_ORDER, NO_ORDER, 0, 0)
    figures = (rules, 1000, 0, 0, 77, 0, MarketStatus.OPEN, 77, 0, *sold, *prices, 0, *book, None, 0)

    assert figures == attrs.astuple(desk.get_market("BTC"), recurse=False)


def test_two_markets_stand_side_by_side() -> None:
    desk = Desk()
    desk.must(ListMarket, "BTC", make_rules(), 1000)
    desk.must(ListMarket, "ETH", make_rules(200_000, 1), 3)

    assert (1000, 3) == (desk.get_market("BTC").mark_price, desk.get_market("ETH").mark_price)


def test_a_market_is_listed_once() -> None:
    desk = Desk()
    desk.must(ListMarket, "BTC", make_rules(), 1000)

    assert Rule.MARKET_LISTED == desk.do(ListMarket, "BTC", make_rules(), 1000).rejected


@pytest.mark.parametrize("mark", [0, -1])
def test_a_market_without_a_price_is_rejected(mark: int) -> None:
    assert Rule.PRICE_NOT_POSITIVE == Desk().do(ListMarket, "BTC", make_rules(), mark).rejected


@pytest.mark.parametrize(
    "rules",
    [
        make_rules(maintenance=0),
        make_rules(maintenance=-1),
        make_rules(initial=50_000, maintenance=50_001),
        make_rules(initial=RATE_ONE + 1),
        make_rules(taker=-1, maker=1),
        make_rules(taker=RATE_ONE + 1),
        make_rules(taker=500, maker=-501),
        make_rules(maker=RATE_ONE + 1),
        make_rules(liquidation=-1),
        make_rules(liquidation=RATE_ONE + 1),
    ],
)
def test_rules_outside_the_range_are_rejected(rules: MarketRules) -> None:
    assert Rule.RULES_INADMISSIBLE == Desk().do(ListMarket, "BTC", rules, 1000).rejected


@pytest.mark.parametrize(
    "rules",
    [
        make_rules(RATE_ONE, RATE_ONE, RATE_ONE, -RATE_ONE, RATE_ONE),
        make_rules(RATE_ONE, 1, RATE_ONE, RATE_ONE, RATE_ONE),
        make_rules(1, 1, 0, 0, 0),
    ],
)
def test_rules_at_the_ends_of_the_range_are_accepted(rules: MarketRules) -> None:
    assert Desk().do(ListMarket, "BTC", rules, 1).rejected is None


# MarkPrice


def test_a_mark_changes_the_price_and_nothing_else() -> None:
    desk = Desk()
    desk.open("BTC", 1000, amber=1000, birch=1000)
    desk.must(Fill, "amber", "birch", "BTC", 3, 1000)
    before = desk.get_market("BTC")
    outcome = desk.do(MarkPrice, "BTC", 1100)

    assert () == outcome.effects
    now = desk.state.timestamp
    assert attrs.evolve(
        before, mark_price=Price(1100), mark_time=now, previous_mark_price=Price(1000)
    ) == desk.get_market("BTC")
    assert 1300 == desk.get_equity("amber")
    assert 700 == desk.get_equity("birch")


@pytest.mark.parametrize("mark", [0, -1, -(10**40)])
def test_a_mark_that_is_no_price_is_rejected(mark: int) -> None:
    desk = Desk()
    desk.open("BTC", 1000)

    assert Rule.PRICE_NOT_POSITIVE == desk.do(MarkPrice, "BTC", mark).rejected


def test_what_is_not_listed_is_not_marked() -> None:
    assert Rule.UNKNOWN_MARKET == Desk().do(MarkPrice, "BTC", 1000).rejected


# AdvanceTime


def test_time_passes_and_nothing_else() -> None:
    desk = Desk()
    desk.must(Deposit, "amber", 1)
    before = desk.state
    outcome = desk.do(AdvanceTime, after=5000)

    assert () == outcome.effects
    assert (before.accounts, before.markets, before.reserves) == (
        desk.state.accounts,
        desk.state.markets,
        desk.state.reserves,
    )
    assert (before.sequence + 1, before.timestamp + 5000) == (desk.state.sequence, desk.state.timestamp)


def test_time_may_stand_still() -> None:
    assert Desk().do(AdvanceTime, after=0).rejected is None


def test_a_market_is_a_value() -> None:
    desk = Desk()
    desk.open("BTC", 1000)
    market = desk.get_market("BTC")

    assert isinstance(market, Market)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        market.mark_price = market.mark_price  # type: ignore[misc]


# The index


def test_a_market_opens_with_its_mark_for_index_and_previous_mark() -> None:
    desk = Desk()
    desk.open("BTC", 1000)
    market = desk.get_market("BTC")

    assert (1000, 1000, market.mark_time) == (market.previous_mark_price, market.index_price, market.index_time)


def test_an_index_moves_nothing_else() -> None:
    desk = Desk()
    desk.open("BTC", 1000)
    before, outcome = desk.get_market("BTC"), desk.must(IndexPrice, "BTC", 1100)
    now = desk.state.timestamp

    assert () == outcome.effects
    assert attrs.evolve(before, index_price=Price(1100), index_time=now) == desk.get_market("BTC")


@pytest.mark.parametrize(
    ("market", "price", "rule"),
    [("BTC", 0, Rule.PRICE_NOT_POSITIVE), ("BTC", -1, Rule.PRICE_NOT_POSITIVE), ("ETH", 1, Rule.UNKNOWN_MARKET)],
)
def test_an_index_that_cannot_be_is_refused(market: str, price: int, rule: Rule) -> None:
    desk = Desk()
    desk.open("BTC", 1000)

    assert rule is desk.do(IndexPrice, market, price).rejected


def test_a_market_that_ends_has_its_last_index() -> None:
    desk = Desk()
    desk.open("BTC", 1000)
    desk.must(SettleMarket, "BTC", 900)

    assert Rule.MARKET_SETTLING is desk.do(IndexPrice, "BTC", 900).rejected
    assert (900, 1000) == (desk.get_market("BTC").mark_price, desk.get_market("BTC").previous_mark_price)


def with_band(move: int = 0, age: int = 0) -> Desk:
    rules = attrs.evolve(
        make_rules(), mark_index_band=Rate(50_000), mark_move_limit=Rate(move), mark_age_limit=Time(age)
    )
    desk = Desk()
    desk.open("BTC", 1000, rules)
    return desk


@pytest.mark.parametrize(
    ("price", "rejected"),
    [(1050, None), (950, None), (1051, Rule.MARK_OFF_INDEX), (949, Rule.MARK_OFF_INDEX)],
)
def test_a_mark_stays_in_its_band_around_the_index(price: int, rejected: Rule | None) -> None:
    assert rejected is with_band().do(MarkPrice, "BTC", price).rejected


@pytest.mark.parametrize(
    ("price", "rejected"), [(1001, None), (1200, None), (1000, Rule.MARK_OFF_INDEX), (999, Rule.MARK_OFF_INDEX)]
)
def test_where_the_index_has_run_away_a_mark_may_come_nearer(price: int, rejected: Rule | None) -> None:
    # within 5 % of 1250 is from 1188 on
    desk = with_band()
    desk.must(IndexPrice, "BTC", 1250)

    assert rejected is desk.do(MarkPrice, "BTC", price).rejected


def test_a_mark_that_moves_by_steps_can_follow_the_index() -> None:
    desk = with_band(move=20_000)
    desk.must(IndexPrice, "BTC", 1100)
    for price in (1020, 1040, 1060, 1080, 1100):
        desk.must(MarkPrice, "BTC", price)


def test_a_stale_index_bounds_no_mark() -> None:
    desk = with_band(age=3000)
    desk.must(AdvanceTime, after=3000)

    assert Rule.INDEX_STALE is desk.do(MarkPrice, "BTC", 1000).rejected
    desk.must(IndexPrice, "BTC", 1000)
    desk.must(MarkPrice, "BTC", 1000)


def test_without_a_band_the_index_is_not_asked() -> None:
    desk = Desk()
    desk.open("BTC", 1000, attrs.evolve(make_rules(), mark_age_limit=Time(1)))
    desk.must(AdvanceTime)
    desk.must(MarkPrice, "BTC", 5000)


# The index's own limits


def with_index(**limits: int) -> Desk:
    desk = Desk()
    band = {"mark_index_band": Rate(50_000)}
    desk.open("BTC", 1000, attrs.evolve(make_rules(), **band, **limits))  # type: ignore[arg-type]
    return desk


@pytest.mark.parametrize(
    ("price", "rejected"), [(1050, None), (950, None), (1051, Rule.INDEX_JUMP), (949, Rule.INDEX_JUMP)]
)
def test_an_index_moves_within_its_limit(price: int, rejected: Rule | None) -> None:
    assert rejected is with_index(index_move_limit=50_000).do(IndexPrice, "BTC", price).rejected


def test_an_index_that_jumps_leaves_the_last_which_ages() -> None:
    desk = with_index(index_move_limit=50_000, index_age_limit=3000)
    desk.must(AdvanceTime, after=3000)
    rejected = desk.do(IndexPrice, "BTC", 2000).rejected

    assert (Rule.INDEX_JUMP, 1000) == (rejected, desk.get_market("BTC").index_price)
    assert Rule.INDEX_STALE is desk.do(MarkPrice, "BTC", 1000).rejected


def test_without_a_limit_an_index_moves_as_far_as_it_likes() -> None:
    with_index().must(IndexPrice, "BTC", 10**9)


@pytest.mark.parametrize(
    ("limits", "rejected"),
    [
        # none of its own: the mark's
        ({"mark_age_limit": 3000}, Rule.INDEX_STALE),
        ({"mark_age_limit": 3001}, None),
        ({"mark_age_limit": 9000, "index_age_limit": 3000}, Rule.INDEX_STALE),
        ({"mark_age_limit": 9000, "index_age_limit": 3001}, None),
        ({"mark_age_limit": 3000, "index_age_limit": 3001}, None),
        ({"index_age_limit": 3000}, Rule.INDEX_STALE),
        ({"index_age_limit": 3001}, None),
        ({}, None),
    ],
)
def test_an_index_is_stale_by_its_own_limit_or_else_by_the_marks(limits: dict[str, int], rejected: Rule | None) -> None:
    desk = with_index(**limits)
    desk.must(AdvanceTime, after=3001 - (desk.state.timestamp - desk.get_market("BTC").index_time) - 1)

    assert rejected is desk.do(MarkPrice, "BTC", 1000, after=1).rejected


@pytest.mark.parametrize("limit", ["index_age_limit", "index_move_limit"])
def test_a_limit_of_the_index_is_not_below_zero(limit: str) -> None:
    rules = attrs.evolve(make_rules(), **{limit: -1})  # type: ignore[arg-type]

    assert Rule.RULES_INADMISSIBLE is Desk().do(ListMarket, "BTC", rules, 1000).rejected
