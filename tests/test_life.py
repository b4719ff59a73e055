"""SetMarketStatus, DelistMarket: a market's life, and what may happen in it; the limit of open interest."""

from __future__ import annotations

import attrs
import pytest

from riskcore.choices import MarketStatus
from riskcore.events import (
    ApplyFunding,
    BeginDeleveraging,
    DelistMarket,
    Deposit,
    Fill,
    FundInsurance,
    IndexPrice,
    LiquidationFill,
    ListMarket,
    MarkPrice,
    SetLeverage,
    SetMarketStatus,
    SettleMarket,
    SettlePair,
    Takeover,
    Withdraw,
)
from riskcore.planner import Liquidity, Offer, resolve
from riskcore.quantities import AccountId, Atoms, Lots, MarketId, Price
from riskcore.rulebook import MarketRules
from riskcore.rules import Rule
from riskcore.testing.desk import Desk
from riskcore.testing.rulebooks import VAULT, make_rulebook, make_rules

BTC = MarketId("BTC")
OPEN, CLOSE_ONLY, PAUSED, SETTLING, DELISTED = MarketStatus
MOVING = (OPEN, CLOSE_ONLY, PAUSED)


def with_pair(status: MarketStatus = OPEN, rules: MarketRules | None = None) -> Desk:
    """amber long 10 and birch short 10 at 100; cedar and the vault have cash. The market's status is set last."""
    desk = Desk(make_rulebook())
    desk.open("BTC", 100, rules, amber=200, birch=2000, cedar=5000, vault=5000)
    desk.must(Fill, "amber", "birch", "BTC", 10, 100)
    if status is not OPEN:
        desk.must(SetMarketStatus, "BTC", status)
    return desk


def with_sick(status: MarketStatus) -> Desk:
    """amber is below maintenance at 84, with 40 of equity left."""
    desk = with_pair()
    desk.must(MarkPrice, "BTC", 84)
    if status is not OPEN:
        desk.must(SetMarketStatus, "BTC", status)
    return desk


# SetMarketStatus


@pytest.mark.parametrize("before", MOVING)
@pytest.mark.parametrize("after", MOVING)
def test_open_close_only_and_paused_follow_each_other_in_any_order(before: MarketStatus, after: MarketStatus) -> None:
    desk = with_pair(before)
    market = desk.get_market("BTC")
    outcome = desk.must(SetMarketStatus, "BTC", after)

    assert attrs.evolve(market, status=after) == desk.get_market("BTC")
    assert () == outcome.effects


@pytest.mark.parametrize("status", [SETTLING, DELISTED])
def test_no_status_ends_a_market(status: MarketStatus) -> None:
    assert Rule.STATUS_IS_AN_END == with_pair().do(SetMarketStatus, "BTC", status).rejected


@pytest.mark.parametrize("status", MarketStatus)
def test_a_market_that_ends_has_no_other_status(status: MarketStatus) -> None:
    desk = with_pair()
    desk.must(SettleMarket, "BTC", 100)

    assert Rule.MARKET_SETTLING == desk.do(SetMarketStatus, "BTC", status).rejected


def test_an_unknown_market_has_none() -> None:
    assert Rule.UNKNOWN_MARKET == Desk().do(SetMarketStatus, "BTC", PAUSED).rejected


# Close-only


def test_in_a_close_only_market_both_sides_of_a_fill_reduce() -> None:
    desk = with_pair(CLOSE_ONLY)
    desk.must(Fill, "birch", "amber", "BTC", 4, 100)

    assert (6, -6) == (desk.get_position("amber", "BTC")[0], desk.get_position("birch", "BTC")[0])


@pytest.mark.parametrize(
    ("taker", "maker", "size"),
    [
        ("cedar", "birch", -1),
        ("cedar", "amber", -1),
        ("amber", "cedar", -1),
        ("amber", "birch", 1),
        ("amber", "birch", -11),
    ],
    ids=["one leaves and one enters", "both enter", "enters and leaves", "both grow", "both change sides"],
)
def test_nobody_enters_a_close_only_market(taker: str, maker: str, size: int) -> None:
    assert Rule.MARKET_CLOSE_ONLY == with_pair(CLOSE_ONLY).do(Fill, taker, maker, "BTC", size, 100).rejected


def test_a_close_only_market_sells_who_is_below_maintenance_to_whom_it_closes() -> None:
    desk = with_sick(CLOSE_ONLY)

    assert Rule.MARKET_CLOSE_ONLY == desk.do(LiquidationFill, "amber", "cedar", "BTC", 10, 84).rejected
    assert Rule.MARKET_CLOSE_ONLY == desk.do(LiquidationFill, "amber", VAULT, "BTC", 10, 84).rejected
    assert desk.do(LiquidationFill, "amber", "birch", "BTC", 10, 84).rejected is None
    assert 0 == desk.get_market("BTC").open_interest


def test_the_vault_takes_over_and_positions_are_deleveraged_in_a_close_only_market() -> None:
    desk = with_sick(CLOSE_ONLY)
    desk.must(Takeover, "amber", "BTC", 10)

    assert 10 == desk.get_position(VAULT, "BTC")[0]
    poor = Desk(make_rulebook(vault_position_limit=0))
    poor.open("BTC", 100, amber=200, birch=2000)
    poor.must(Fill, "amber", "birch", "BTC", 10, 100)
    poor.must(MarkPrice, "BTC", 70)
    poor.must(SetMarketStatus, "BTC", CLOSE_ONLY)
    assert poor.do(BeginDeleveraging, "amber", "BTC", ("birch",)).rejected is None


# Paused


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        (Fill, ("birch", "amber", "BTC", 1, 84)),
        (LiquidationFill, ("amber", "birch", "BTC", 10, 84)),
        (Takeover, ("amber", "BTC", 10)),
        (BeginDeleveraging, ("amber", "BTC", ("birch",))),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_in_a_paused_market_no_contract_moves_until_it_goes_on(kind: type, arguments: tuple[object, ...]) -> None:
    desk = with_sick(PAUSED)

    assert Rule.MARKET_PAUSED == desk.do(kind, *arguments).rejected
    desk.must(SetMarketStatus, "BTC", OPEN)
    assert desk.do(kind, *arguments).rejected not in (Rule.MARKET_PAUSED, Rule.MARKET_CLOSE_ONLY)


def test_marks_funding_and_cash_go_on_in_a_pause() -> None:
    desk = with_pair(PAUSED)
    desk.must(MarkPrice, "BTC", 105)
    desk.must(IndexPrice, "BTC", 104)
    desk.must(ApplyFunding, "BTC", 100)
    desk.must(Withdraw, "amber", 1)
    desk.must(Deposit, "amber", 1)
    desk.must(SetLeverage, "amber", "BTC", 5)

    assert 105 == desk.get_market("BTC").mark_price


def test_a_paused_market_can_be_settled() -> None:
    desk = with_sick(PAUSED)
    desk.must(SettleMarket, "BTC", 84)
    desk.must(SettlePair, "BTC", "amber", "birch")

    assert 0 == desk.get_market("BTC").open_interest


# DelistMarket


def test_a_settled_market_that_is_flat_is_delisted_for_good() -> None:
    desk = with_pair()
    desk.must(SettleMarket, "BTC", 100)
    assert Rule.MARKET_NOT_FLAT == desk.do(DelistMarket, "BTC").rejected
    desk.must(SettlePair, "BTC", "amber", "birch")
    outcome = desk.must(DelistMarket, "BTC")

    assert DELISTED is desk.get_market("BTC").status
    assert () == outcome.effects
    assert Rule.MARKET_OPEN == desk.do(DelistMarket, "BTC").rejected
    assert Rule.MARKET_LISTED == desk.do(ListMarket, "BTC", make_rules(), 100).rejected
    assert Rule.NOT_OPPOSITE == desk.do(SettlePair, "BTC", "amber", "birch").rejected
    for kind, arguments in (
        (MarkPrice, ("BTC", 100)),
        (Fill, ("amber", "birch", "BTC", 1, 100)),
        (SettleMarket, ("BTC", 100)),
        (SetMarketStatus, ("BTC", OPEN)),
        (FundInsurance, (1, "BTC")),
    ):
        assert Rule.MARKET_SETTLING == desk.do(kind, *arguments).rejected


@pytest.mark.parametrize("status", MOVING)
def test_a_market_is_settled_before_it_is_delisted(status: MarketStatus) -> None:
    desk = Desk()
    desk.open("BTC", 100)
    desk.must(SetMarketStatus, "BTC", status)

    assert Rule.MARKET_OPEN == desk.do(DelistMarket, "BTC").rejected
    assert Rule.UNKNOWN_MARKET == desk.do(DelistMarket, "ETH").rejected


def test_a_part_of_the_fund_is_shared_before_its_market_is_delisted() -> None:
    desk = Desk()
    desk.open("BTC", 100, attrs.evolve(make_rules(), insurance_separate=True))
    desk.must(FundInsurance, 50, "BTC")
    desk.must(SettleMarket, "BTC", 100)
    desk.must(DelistMarket, "BTC")

    assert (0, 0, 50) == (
        desk.get_market("BTC").insurance,
        desk.state.separate_insurance,
        desk.state.reserves.insurance,
    )


# Open interest


def with_limit(limit: int) -> Desk:
    """10 lots are open at 100, worth 1000."""
    return with_pair(rules=attrs.evolve(make_rules(), open_interest_limit=Atoms(limit)))


@pytest.mark.parametrize(("size", "rejected"), [(1, None), (2, None), (3, Rule.OPEN_INTEREST_LIMIT)])
def test_a_fill_raises_open_interest_to_no_more_than_the_limit(size: int, rejected: Rule | None) -> None:
    assert rejected == with_limit(1200).do(Fill, "cedar", "birch", "BTC", size, 100).rejected


def test_beyond_the_limit_positions_change_hands_and_shrink() -> None:
    desk = with_limit(1000)
    desk.must(MarkPrice, "BTC", 110)
    assert Rule.OPEN_INTEREST_LIMIT == desk.do(Fill, "cedar", "birch", "BTC", 1, 110).rejected
    desk.must(Fill, "cedar", "amber", "BTC", 3, 110)
    desk.must(Fill, "birch", "amber", "BTC", 2, 110)

    assert 8 == desk.get_market("BTC").open_interest
    # 880 are open: one lot more passes, two do not
    assert Rule.OPEN_INTEREST_LIMIT == desk.do(Fill, "cedar", "birch", "BTC", 2, 110).rejected
    assert desk.do(Fill, "cedar", "birch", "BTC", 1, 110).rejected is None


def test_forced_closes_pass_beyond_the_limit() -> None:
    desk = with_limit(1000)
    desk.must(MarkPrice, "BTC", 290)
    assert Rule.OPEN_INTEREST_LIMIT == desk.do(Fill, "cedar", "birch", "BTC", 1, 290).rejected
    desk.must(MarkPrice, "BTC", 295)

    assert desk.do(LiquidationFill, "birch", "cedar", "BTC", 5, 295).rejected is None
    assert desk.do(Takeover, "birch", "BTC", 1).rejected is None


def test_a_limit_is_not_below_zero() -> None:
    rules = attrs.evolve(make_rules(), open_interest_limit=Atoms(-1))

    assert Rule.RULES_INADMISSIBLE == Desk().do(ListMarket, "BTC", rules, 100).rejected


# The planner


def test_the_planner_closes_nobody_in_a_paused_market_and_all_once_it_is_open() -> None:
    desk = with_sick(PAUSED)
    assert () == resolve(desk.state, timestamp=desk.state.timestamp).events
    desk.must(SetMarketStatus, "BTC", OPEN)

    assert (Takeover,) == tuple(map(type, resolve(desk.state, timestamp=desk.state.timestamp).events))


def test_the_planner_offers_a_close_only_position_to_whom_it_closes() -> None:
    desk = with_sick(CLOSE_ONLY)
    offers = (
        Offer(AccountId("cedar"), Price(85), Lots(10)),
        Offer(AccountId("birch"), Price(84), Lots(50)),
    )
    found = resolve(desk.state, Liquidity(bids={BTC: offers}), timestamp=desk.state.timestamp)

    assert [(LiquidationFill, "birch", 1)] == [(type(e), e.maker, e.size) for e in found.events]  # type: ignore[union-attr]
