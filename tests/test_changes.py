"""ChangeRules, ApplyRules: who may need more maintenance is told before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskcore.bad_input import Fault
from riskcore.events import ApplyRules, ChangeRules, Fill, ListMarket, MarkPrice, SettleMarket, Takeover
from riskcore.margin import get_maintenance_requirement
from riskcore.quantities import Atoms, Lots, MarketId, Price, Rate, Time
from riskcore.rulebook import MarketRules, is_admissible_rulebook
from riskcore.rules import Rule
from riskcore.snapshot import load_state, save_state
from riskcore.state import Market
from riskcore.testing.desk import Desk
from riskcore.testing.properties.strategies import market_rules
from riskcore.testing.rulebooks import make_rulebook, make_rules
from riskcore.tiers import needs_no_more

DAY = 86_400_000
RULES = make_rules(100_000, 50_000)
HARSHER, MILDER = make_rules(100_000, 60_000), make_rules(100_000, 40_000)


def with_long(notice: int = DAY) -> Desk:
    """amber long 10 at 100, with equity of 55: above maintenance of 50, and below one of 60."""
    desk = Desk(make_rulebook(rules_notice=Time(notice)))
    desk.open("BTC", 100, RULES, amber=105, birch=2000, vault=5000)
    desk.must(Fill, "amber", "birch", "BTC", 10, 100)
    desk.must(MarkPrice, "BTC", 95)
    return desk


def get_rules(desk: Desk) -> tuple[MarketRules, MarketRules | None, int]:
    market = desk.get_market("BTC")
    return market.rules, market.pending, market.pending_time


# At once


def test_rules_by_which_nobody_needs_more_take_effect_at_once() -> None:
    desk = with_long()
    outcome = desk.must(ChangeRules, "BTC", MILDER)

    assert (MILDER, None, 0) == get_rules(desk)
    assert () == outcome.effects


def test_so_do_any_where_nobody_has_a_position_or_the_rulebook_gives_no_notice() -> None:
    empty = Desk(make_rulebook(rules_notice=Time(DAY)))
    empty.open("BTC", 100, RULES)
    hasty = with_long(notice=0)
    for desk in (empty, hasty):
        desk.must(ChangeRules, "BTC", HARSHER)

        assert (HARSHER, None, 0) == get_rules(desk)


def test_other_figures_than_maintenance_change_at_once() -> None:
    desk = with_long()
    fees = attrs.evolve(RULES, initial_margin_rate=Rate(200_000), taker_fee_rate=Rate(10))
    desk.must(ChangeRules, "BTC", fees)

    assert fees == desk.get_market("BTC").rules


# After a notice


def test_rules_by_which_somebody_may_need_more_wait_for_the_notice() -> None:
    desk = with_long()
    desk.must(ChangeRules, "BTC", HARSHER)
    now = desk.state.timestamp

    assert (RULES, HARSHER, now + DAY) == get_rules(desk)
    assert Rule.RULES_NOTICE_RUNS == desk.do(ApplyRules, "BTC", after=DAY - 1).rejected
    assert Rule.NOT_LIQUIDATABLE == desk.do(Takeover, "amber", "BTC", 10, after=0).rejected
    desk.must(ApplyRules, "BTC", after=DAY)
    assert (HARSHER, None, 0) == get_rules(desk)
    assert desk.do(Takeover, "amber", "BTC", 10, after=0).rejected is None


def test_trades_leave_what_was_announced() -> None:
    desk = with_long()
    desk.must(ChangeRules, "BTC", HARSHER)
    waiting = get_rules(desk)
    desk.must(Fill, "birch", "amber", "BTC", 1, 95)

    assert waiting == get_rules(desk)


def test_the_latest_word_counts() -> None:
    desk = with_long()
    desk.must(ChangeRules, "BTC", HARSHER)
    desk.must(ChangeRules, "BTC", attrs.evolve(HARSHER, maintenance_margin_rate=Rate(70_000)), after=DAY - 1)
    assert Rule.RULES_NOTICE_RUNS == desk.do(ApplyRules, "BTC", after=DAY - 1).rejected
    desk.must(ChangeRules, "BTC", MILDER)

    assert (MILDER, None, 0) == get_rules(desk)
    assert Rule.NO_RULES_PENDING == desk.do(ApplyRules, "BTC", after=DAY).rejected


# Rejected


@pytest.mark.parametrize(
    ("rules", "rule"),
    [
        (make_rules(maintenance=0), Rule.RULES_INADMISSIBLE),
        (attrs.evolve(RULES, insurance_separate=True), Rule.INSURANCE_PART_FIXED),
    ],
)
def test_rules_that_no_market_may_have_or_that_move_its_part_of_the_fund(rules: MarketRules, rule: Rule) -> None:
    assert rule == with_long().do(ChangeRules, "BTC", rules).rejected


def test_a_market_that_is_not_listed_or_ends_keeps_its_rules() -> None:
    desk = with_long()
    assert Rule.UNKNOWN_MARKET == desk.do(ChangeRules, "ETH", RULES).rejected
    assert Rule.UNKNOWN_MARKET == desk.do(ApplyRules, "ETH").rejected
    desk.must(ChangeRules, "BTC", HARSHER)
    desk.must(SettleMarket, "BTC", 95)

    assert Rule.MARKET_SETTLING == desk.do(ChangeRules, "BTC", MILDER).rejected
    assert Rule.MARKET_SETTLING == desk.do(ApplyRules, "BTC", after=DAY).rejected


def test_a_notice_is_not_below_zero() -> None:
    assert not is_admissible_rulebook(make_rulebook(rules_notice=Time(-1)))


# Which rules need no more

TIERED = make_rules(tiers=((1000, 100_000, 60_000), (3000, 100_000, 80_000)))


@pytest.mark.parametrize(
    ("tiers", "expected"),
    [
        ((), True),
        (((1000, 100_000, 60_000), (3000, 100_000, 80_000)), True),
        (((2000, 100_000, 60_000), (3000, 100_000, 80_000)), True),
        (((1000, 100_000, 60_000),), True),
        (((1000, 100_000, 55_000), (2000, 100_000, 60_000), (4000, 100_000, 80_000)), True),
        (((999, 100_000, 60_000), (3000, 100_000, 80_000)), False),
        (((1000, 100_000, 60_001), (3000, 100_000, 80_000)), False),
        (((2000, 100_000, 60_001), (3000, 100_000, 80_000)), False),
        (((1000, 100_000, 60_000), (3000, 100_000, 80_000), (9000, 100_000, 80_001)), False),
    ],
)
def test_brackets_are_compared_where_they_start(tiers: tuple[tuple[int, int, int], ...], expected: bool) -> None:
    assert expected == needs_no_more(TIERED, make_rules(tiers=tiers))


@given(old=market_rules(), new=market_rules(), lots=st.integers(0, 10**6), mark=st.integers(1, 10**20))
def test_who_has_any_position_needs_no_more(old: MarketRules, new: MarketRules, lots: int, mark: int) -> None:
    if not needs_no_more(old, new):
        new = attrs.evolve(new, tiers=(), maintenance_margin_rate=old.maintenance_margin_rate)
    before, after = (
        get_maintenance_requirement(Market(rules, Price(mark), Atoms(0), 0, Time(0), Lots(0)), lots)
        for rules in (old, new)
    )

    assert after <= before


# Snapshots


def test_what_waits_is_in_a_snapshot(tmp_path: Path) -> None:
    desk = with_long()
    desk.must(ChangeRules, "BTC", HARSHER)
    save_state(desk.state, tmp_path / "s.json")

    assert desk.get_market("BTC") == load_state(tmp_path / "s.json").markets.get(MarketId("BTC"))


@pytest.mark.parametrize(
    ("change", "field"),
    [({"maintenance_margin_rate": 0}, "maintenance_margin_rate"), ({"insurance_separate": True}, "insurance_separate")],
)
def test_rules_that_could_not_wait_are_refused(tmp_path: Path, change: dict[str, Any], field: str) -> None:
    desk = with_long()
    desk.must(ListMarket, "ETH", RULES, 100)
    market = attrs.evolve(desk.get_market("ETH"), pending=attrs.evolve(RULES, **change))
    state = attrs.evolve(desk.state, markets=desk.state.markets.put(MarketId("ETH"), market))

    with pytest.raises(Fault) as caught:
        save_state(state, tmp_path / "s.json")

    assert f"markets.ETH.pending.{field}" == caught.value.field
