"""Brackets of margin rates: by part or by slab, and initial rates that open interest scales."""

from __future__ import annotations

import json
from fractions import Fraction
from io import StringIO
from math import ceil
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from riskcore import events, genesis, queries
from riskcore.bad_input import Fault
from riskcore.capacity import compute_takeover_size
from riskcore.choices import TierRule
from riskcore.codec import SNAPSHOT, decode_event, get_members
from riskcore.log import write_log
from riskcore.margin import get_initial_requirement, get_maintenance_requirement
from riskcore.monitor import Monitor
from riskcore.quantities import RATE_ONE, AccountId, Atoms, EventId, Lots, MarketId, Price, Time
from riskcore.replay import replay
from riskcore.report import get_json, print_replay
from riskcore.rulebook import MarketRules, Tier, is_admissible_market
from riskcore.rules import Rule
from riskcore.snapshot import load_state, save_state
from riskcore.state import Market
from riskcore.testing.desk import Desk
from riskcore.testing.naive.needs import get_initial, get_maintenance
from riskcore.testing.properties.strategies import market_rules, markets
from riskcore.testing.rulebooks import VAULT, make_rulebook, make_rules
from riskcore.tiers import get_initial_rates, get_maintenance_rates, is_continuous
from riskcore.units import Units
from tests.test_margin import make_market

VECTORS = json.loads(Path(__file__).with_name("vectors").joinpath("tiers.json").read_text(encoding="utf-8"))

#: Above 1,000 atoms 20 % and 10 %, above 5,000 half and 30 %.
TIERS = ((1000, 200_000, 100_000), (5000, 500_000, 300_000))


def make_tiered(rule: TierRule, mark: int = 1, **changes: Any) -> Market:
    """A market of 10 % and 5 %, and ``TIERS``."""
    return make_market(mark, rules=make_rules(tiers=TIERS, rule=rule, **changes))


def get_both(market: Market, size: int) -> tuple[int, int]:
    return get_initial_requirement(market, size, market.open_interest, 0), get_maintenance_requirement(market, size)


# Brackets


@pytest.mark.parametrize(
    ("size", "marginal", "slab"),
    [
        (0, (0, 0), (0, 0)),
        (1, (1, 1), (1, 1)),
        (999, (100, 50), (100, 50)),
        # a notional at a floor is not above it
        (1000, (100, 50), (100, 50)),
        (1001, (101, 51), (201, 101)),
        (5000, (900, 450), (1000, 500)),
        (5001, (901, 451), (2501, 1501)),
        (7000, (1900, 1050), (3500, 2100)),
        (-7000, (1900, 1050), (3500, 2100)),
    ],
)
def test_parts_or_slabs(size: int, marginal: tuple[int, int], slab: tuple[int, int]) -> None:
    assert marginal == get_both(make_tiered(TierRule.MARGINAL), size)
    assert slab == get_both(make_tiered(TierRule.SLAB), size)


def test_brackets_are_of_notional_at_mark() -> None:
    assert (1900, 1050) == get_both(make_tiered(TierRule.MARGINAL, mark=7), 1000)


def test_parts_are_rounded_up_once_and_not_each() -> None:
    # a third of an atom of each of three brackets
    rules = make_rules(333_333, 333_333, tiers=((1, 333_333, 333_333), (2, 333_334, 333_334)))

    assert 1 == get_maintenance_requirement(make_market(1, rules=rules), 3)


@given(markets(market_rules()), st.integers(-(10**18), 10**18), st.integers(0, 10**9))
def test_requirements_are_those_of_exact_fractions(market: Market, size: int, open_interest: int) -> None:
    expected = get_initial(market.rules, market.mark_price, size, open_interest)

    assert expected == get_initial_requirement(market, size, open_interest, 0)
    assert get_maintenance(market.rules, market.mark_price, size) == get_maintenance_requirement(market, size)


@given(market_rules(), st.integers(0, 10**30))
def test_a_marginal_requirement_is_the_rate_less_a_deduction(rules: MarketRules, notional: int) -> None:
    rules = attrs.evolve(rules, tier_rule=TierRule.MARGINAL)
    brackets = [
        (0, rules.maintenance_margin_rate),
        *((tier.floor, tier.maintenance_margin_rate) for tier in rules.tiers),
    ]
    deduction, lower, needed = Fraction(0), 0, Fraction(0)
    for floor, rate in brackets:
        if notional > floor:
            deduction += Fraction((rate - lower) * floor, RATE_ONE)
            needed = Fraction(notional * rate, RATE_ONE) - deduction
        lower = rate

    assert ceil(needed) == get_maintenance_requirement(make_market(1, rules=rules), notional)


@given(market_rules(), st.integers(1, 10**30))
def test_no_requirement_is_less_than_at_the_base_rate(rules: MarketRules, notional: int) -> None:
    base = ceil(Fraction(notional * rules.maintenance_margin_rate, RATE_ONE))

    assert base <= get_maintenance_requirement(make_market(1, rules=rules), notional)


# Jumps


def test_slabs_of_two_rates_jump_by_more_than_any_rate_of_a_price() -> None:
    # the smallest there are: the third lot, at a price of an atom, needs all three
    rules = make_rules(500_000, 500_000, tiers=((2, 1_000_000, 1_000_000),), rule=TierRule.SLAB)
    market = make_market(1, rules=rules)
    steps = [
        get_maintenance_requirement(market, size + 1) - get_maintenance_requirement(market, size) for size in (0, 1, 2)
    ]

    assert [1, 0, 2] == steps
    assert not is_continuous(rules)


def test_the_jump_of_a_slab_is_as_large_as_its_floor() -> None:
    rules = make_rules(1, 1, tiers=((10**6, 1_000_000, 1_000_000),), rule=TierRule.SLAB)
    market = make_market(1, rules=rules)

    # the law would allow 2: the highest rate of a price, and an atom of rounding
    assert 10**6 == get_maintenance_requirement(market, 10**6 + 1) - get_maintenance_requirement(market, 10**6)
    assert not is_continuous(rules)


@pytest.mark.parametrize("rule", TierRule)
def test_rules_are_continuous_by_part_or_where_all_brackets_are_alike(rule: TierRule) -> None:
    alike = ((10, 100_000, 50_000), (20, 100_000, 50_000))

    assert is_continuous(make_rules(rule=rule))
    assert is_continuous(make_rules(tiers=alike, rule=rule))
    assert (rule is TierRule.MARGINAL) == is_continuous(make_rules(tiers=TIERS, rule=rule))
    assert (rule is TierRule.MARGINAL) == is_continuous(make_rules(tiers=((10, 100_000, 50_001),), rule=rule))
    assert (rule is TierRule.MARGINAL) == is_continuous(make_rules(tiers=((10, 100_001, 50_000),), rule=rule))


# What is admissible


@pytest.mark.parametrize(
    ("tiers", "scaling", "expected"),
    [
        (TIERS, (0, 0), True),
        (TIERS, (0, 1), True),
        (TIERS, (10, 11), True),
        (((1, 100_000, 50_000),), (0, 0), True),
        (((1, 1_000_000, 1_000_000),), (0, 0), True),
        (((0, 100_000, 50_000),), (0, 0), False),
        (((-1, 100_000, 50_000),), (0, 0), False),
        (((1, 99_999, 50_000),), (0, 0), False),
        (((1, 100_000, 49_999),), (0, 0), False),
        (((1, 100_000, 100_001),), (0, 0), False),
        (((1, 1_000_001, 50_000),), (0, 0), False),
        ((TIERS[0], TIERS[0]), (0, 0), False),
        ((TIERS[1], TIERS[0]), (0, 0), False),
        ((TIERS[0], (2000, 199_999, 100_000)), (0, 0), False),
        ((TIERS[0], (2000, 200_000, 99_999)), (0, 0), False),
        ((), (1, 1), False),
        ((), (1, 0), False),
        ((), (-1, 1), False),
        ((), (0, -1), False),
    ],
)
def test_admissible_tiers(tiers: tuple[tuple[int, int, int], ...], scaling: tuple[int, int], expected: bool) -> None:
    desk = Desk()
    outcome = desk.do(events.ListMarket, "BTC", make_rules(tiers=tiers, scaling=scaling), 100)

    assert expected == is_admissible_market(make_rules(tiers=tiers, scaling=scaling))
    assert (None if expected else Rule.RULES_INADMISSIBLE) == outcome.rejected


@pytest.mark.parametrize("tiers", [[], [Tier(1, 2, 3)], ((1, 2, 3),), None])  # type: ignore[arg-type]
def test_tiers_are_a_tuple_of_tier(tiers: Any) -> None:
    with pytest.raises(TypeError, match=r"MarketRules\.tiers must be a tuple of Tier"):
        attrs.evolve(make_rules(), tiers=tiers)


# Initial rates that open interest scales


@pytest.mark.parametrize(
    ("open_interest", "rate"),
    [(0, 100_000), (1000, 100_000), (1001, 100_900), (1500, 550_000), (2000, 1_000_000), (9999, 1_000_000)],
)
def test_initial_rates_rise_to_one_between_floor_and_cap(open_interest: int, rate: int) -> None:
    market = attrs.evolve(make_market(1, rules=make_rules(scaling=(1000, 2000))), open_interest=Lots(open_interest))

    assert (rate, 50_000) == get_both(market, 1_000_000)


def test_each_bracket_is_scaled_from_its_own_rate() -> None:
    rules = make_rules(tiers=TIERS, scaling=(0, 100))

    assert (550_000, 600_000, 750_000) == get_initial_rates(rules, 50)
    assert (50_000, 100_000, 300_000) == get_maintenance_rates(rules)


def test_a_trade_is_judged_at_the_open_interest_that_it_leaves() -> None:
    desk = Desk()
    desk.open("BTC", 100, make_rules(scaling=(0, 2_000)), amber=549, birch=1_000, cedar=900, daisy=10_000)
    # ten lots are half of the way to the cap: 55 % of 1,000, and not the 10 % of a market with nothing open

    assert Rule.TAKER_MARGIN == desk.do(events.Fill, "amber", "birch", "BTC", 10, 100).rejected
    assert Rule.MAKER_MARGIN == desk.do(events.Fill, "birch", "amber", "BTC", 10, 100).rejected
    desk.must(events.Deposit, "amber", 1)
    desk.must(events.Fill, "amber", "birch", "BTC", 10, 100)
    assert 550 == desk.view.get_health("amber").initial
    # at 20 lots the rate is one; at 19 it is 95.5 %, of 9 lots 860 rounded up
    assert Rule.TAKER_MARGIN == desk.do(events.Fill, "cedar", "daisy", "BTC", 10, 100).rejected
    assert desk.do(events.Fill, "cedar", "daisy", "BTC", 9, 100).rejected is None
    assert 860 == desk.view.get_health("cedar").initial
    assert Rule.BELOW_INITIAL_MARGIN == desk.do(events.Withdraw, "amber", 1).rejected


def test_splitting_a_trade_does_not_lower_what_it_needs() -> None:
    desk = Desk()
    desk.open("BTC", 100, make_rules(scaling=(0, 2_000)), amber=549, birch=10_000)

    assert [None] * 9 == [desk.do(events.Fill, "amber", "birch", "BTC", 1, 100).rejected for _ in range(9)]
    assert Rule.TAKER_MARGIN == desk.do(events.Fill, "amber", "birch", "BTC", 1, 100).rejected


def test_who_only_reduces_is_judged_at_no_more_than_before() -> None:
    desk = Desk()
    desk.open("BTC", 100, make_rules(scaling=(0, 2_000)), amber=1_000, birch=1_000, cedar=2_000, daisy=2_000)
    desk.must(events.Fill, "amber", "birch", "BTC", 10, 100)
    desk.must(events.Fill, "cedar", "daisy", "BTC", 10, 100)
    # everybody's rate is one now: amber hands on what it has, to who has it then, and open interest stands
    assert desk.do(events.Fill, "cedar", "amber", "BTC", 10, 100).rejected is None
    assert 20 == desk.get_market("BTC").open_interest
    # both sides reduce: open interest falls, and what is left needs 77.5 %
    assert desk.do(events.Fill, "birch", "cedar", "BTC", 5, 100).rejected is None
    assert (15, 388) == (desk.get_market("BTC").open_interest, desk.view.get_health("birch").initial)


def test_maintenance_is_never_scaled() -> None:
    market = attrs.evolve(make_market(100, rules=make_rules(scaling=(0, 1))), open_interest=Lots(10))

    assert (1000, 50) == get_both(market, 10)


# At work


@pytest.mark.parametrize(("rule", "price"), [(TierRule.MARGINAL, 86), (TierRule.SLAB, 88)])
def test_the_liquidation_price_of_a_long_is_in_its_bracket(rule: TierRule, price: int) -> None:
    desk = Desk()
    rules = make_rules(tiers=((1000, 200_000, 100_000),), rule=rule)
    desk.open("BTC", 100, rules, amber=400, birch=10_000)
    desk.must(events.Fill, "amber", "birch", "BTC", 20, 100)
    amber = AccountId("amber")

    assert price == queries.liquidation_price(desk.state, amber, MarketId("BTC"))
    desk.must(events.MarkPrice, "BTC", price + 1)
    assert not queries.is_liquidatable(desk.state, amber)
    desk.must(events.MarkPrice, "BTC", price)
    assert queries.is_liquidatable(desk.state, amber)


def test_with_slabs_a_long_may_be_below_at_a_higher_price() -> None:
    desk = Desk()
    rules = make_rules(100_000, 10_000, tiers=((1100, 1_000_000, 900_000),), rule=TierRule.SLAB)
    desk.open("BTC", 100, rules, amber=200, birch=10_000)
    desk.must(events.Fill, "amber", "birch", "BTC", 10, 100)
    amber, market = AccountId("amber"), MarketId("BTC")

    assert 80 == queries.liquidation_price(desk.state, amber, market)
    desk.must(events.MarkPrice, "BTC", 110)
    assert not queries.is_liquidatable(desk.state, amber)
    # profit carries it over a floor: at 111 it needs 999 of equity and has 310, until 800 + 10 a lot are there
    desk.must(events.MarkPrice, "BTC", 111)
    assert queries.is_liquidatable(desk.state, amber)
    assert 799 == queries.liquidation_price(desk.state, amber, market)


@pytest.mark.parametrize(("rule", "lots"), [(TierRule.MARGINAL, 8), (TierRule.SLAB, 6)])
def test_the_vault_is_offered_what_its_bracket_lets_it_take(rule: TierRule, lots: int) -> None:
    desk = Desk()
    rules = make_rules(100_000, 100_000, tiers=((500, 1_000_000, 100_000),), rule=rule)
    desk.open("BTC", 100, rules, amber=1_000, birch=10_000, **{VAULT: 380})
    desk.must(events.Fill, VAULT, "birch", "BTC", 5, 100)
    desk.must(events.Fill, "amber", "birch", "BTC", 10, 100)
    desk.must(events.MarkPrice, "BTC", 50)
    desk.must(events.Withdraw, "amber", 400)
    # at 44 amber has 40 of the 44 that it needs; the vault has 100, and 4 more with each lot
    desk.must(events.MarkPrice, "BTC", 44)

    assert lots == compute_takeover_size(desk.state, AccountId("amber"), MarketId("BTC"))
    assert Rule.VAULT_MARGIN == desk.do(events.Takeover, "amber", "BTC", lots + 1).rejected
    assert desk.do(events.Takeover, "amber", "BTC", lots).rejected is None


def get_event(rules: MarketRules) -> events.Event:
    desk = Desk()
    desk.open("BTC", 100, rules)
    return desk.passages[0].event


def test_a_log_has_tiers_or_leaves_them_out() -> None:
    event, plain = get_event(make_rules(tiers=TIERS, rule=TierRule.SLAB, scaling=(7, 9))), get_event(make_rules())
    members = get_members(plain)
    spelt_out = {"tiers": [], "tier_rule": "marginal", "open_interest_floor": 0, "open_interest_cap": 0}

    assert 5 == len(members["rules"])
    assert 9 == len(get_members(event)["rules"])
    assert event == decode_event(get_members(event), SNAPSHOT)
    assert plain == decode_event({**members, "rules": {**members["rules"], **spelt_out}}, SNAPSHOT)
    assert plain == decode_event(members, SNAPSHOT)


def test_a_snapshot_has_tiers(tmp_path: Path) -> None:
    desk = Desk()
    desk.open("BTC", 100, make_rules(tiers=TIERS, rule=TierRule.SLAB, scaling=(7, 9)))
    save_state(desk.state, tmp_path / "state.json")

    assert desk.get_market("BTC") == load_state(tmp_path / "state.json").markets.get(MarketId("BTC"))


@pytest.mark.parametrize(
    ("change", "field", "expected", "got"),
    [
        ({"tiers": {}}, "rules.tiers", "an array of objects", "an object"),
        ({"tiers": [7]}, "rules.tiers[0]", "an object", "7"),
        ({"tiers": [{}]}, "rules.tiers[0].floor", "this field in tier", "none"),
        (
            {"tiers": [{"floor": 1, "initial_margin_rate": 1, "maintenance_margin_rate": 1.5}]},
            "rules.tiers[0].maintenance_margin_rate",
            "an integer of parts per million",
            "1.5",
        ),
        ({"tier_rule": "slabs"}, "rules.tier_rule", "one of marginal, slab", "slabs"),
        ({"open_interest_cap": None}, "rules.open_interest_cap", "an integer of atoms", "null"),
        ({"open_interest_top": 1}, "rules.open_interest_top", "only the fields of market_rules", "an unknown field"),
    ],
)
def test_a_log_s_tiers_are_refused_by_field(change: dict[str, Any], field: str, expected: str, got: str) -> None:
    members = get_members(get_event(make_rules()))
    with pytest.raises(Fault) as caught:
        decode_event({**members, "rules": members["rules"] | change}, SNAPSHOT)

    assert field == caught.value.field
    assert expected in caught.value.expected
    assert got in caught.value.got


def make_log(path: Path, *rules: MarketRules) -> Path:
    listed = [
        events.ListMarket(EventId(f"e{number}"), number, Time(0), MarketId(f"M{number}"), one, Price(100))
        for number, one in enumerate(rules, start=1)
    ]
    write_log(path / "log.jsonl", make_rulebook(), Units("1"), listed)
    return path / "log.jsonl"


def test_a_replay_says_which_markets_have_jumps(tmp_path: Path) -> None:
    slab, marginal = (make_rules(tiers=TIERS, rule=rule) for rule in (TierRule.SLAB, TierRule.MARGINAL))
    run = replay(make_log(tmp_path, marginal, slab, make_rules(), slab), Monitor)
    output = StringIO()
    print_replay(run, "log.jsonl", Console(file=output, width=100))

    assert ["M2", "M4"] == run.jumps == get_json(run, "log.jsonl")["jumps"]
    assert "MARG-1, continuity: REFUTED by the rules of M2, M4." in output.getvalue()


def test_a_replay_without_slabs_says_nothing_of_jumps(tmp_path: Path) -> None:
    run = replay(make_log(tmp_path, make_rules(tiers=TIERS), make_rules(rule=TierRule.SLAB)), Monitor)
    output = StringIO()
    print_replay(run, "log.jsonl", Console(file=output, width=100))

    assert [] == run.jumps
    assert "MARG-1" not in output.getvalue()


def test_the_monitor_measures_at_the_open_interest_that_an_event_leaves() -> None:
    state = genesis(make_rulebook())
    monitor = Monitor(state)
    market, rules = MarketId("BTC"), make_rules(scaling=(0, 2_000))
    amber, birch = AccountId("amber"), AccountId("birch")
    head = ((EventId(f"e{number}"), number, Time(0)) for number in range(1, 5))
    for event in (
        events.ListMarket(*next(head), market, rules, Price(100)),
        events.Deposit(*next(head), amber, Atoms(550)),
        events.Deposit(*next(head), birch, Atoms(550)),
        # 100 of initial margin at no open interest, 550 at the one that it leaves
        events.Fill(*next(head), amber, birch, market, Lots(10), Price(100)),
    ):
        outcome = monitor.step(state, event)
        assert outcome.rejected is None
        state = outcome.state
    monitor.checkpoint(state)

    assert 550 == queries.initial_margin(state, amber)
    assert [] == monitor.violations
    assert monitor.tallies["MARG-2"].checked


# Figures of venues


def get_market(name: str, mark: int = 1, open_interest: int = 0) -> Market:
    """A market of the vectors."""
    listed = VECTORS["markets"][name]
    (_, initial, maintenance), *tiers = listed["brackets"]
    rule, scaling = TierRule(listed["rule"]), tuple(listed["scaling"])
    rules = make_rules(initial, maintenance, tiers=tuple(map(tuple, tiers)), rule=rule, scaling=scaling)
    assert is_admissible_market(rules)
    return attrs.evolve(make_market(mark, rules=rules), open_interest=Lots(open_interest))


@pytest.mark.parametrize("case", VECTORS["deductions"], ids=lambda case: str(case["id"]))
def test_brackets_deduct_what_venues_publish(case: dict[str, Any]) -> None:
    market, place = get_market(case["market"]), case["bracket"]
    brackets = VECTORS["markets"][case["market"]]["brackets"]
    floor, _, rate = brackets[place]
    ceiling = brackets[place + 1][0] if place + 1 < len(brackets) else 3 * floor
    for notional in (floor + 1_000_000, (floor + ceiling) // 2, ceiling):
        expected = ceil(Fraction(notional * rate, RATE_ONE)) - case["maintenance_deduction"]

        assert expected == get_maintenance_requirement(market, notional)
    assert is_continuous(market.rules)


@pytest.mark.parametrize("case", VECTORS["requirements"], ids=lambda case: str(case["id"]))
def test_requirements_are_what_venues_compute(case: dict[str, Any]) -> None:
    market = get_market(case["market"], case["mark"], case["open_interest"])
    initial, maintenance = get_both(market, -case["lots"])

    assert case.get("initial", initial) == initial
    assert case.get("maintenance", maintenance) == maintenance
    assert is_continuous(market.rules) == (VECTORS["markets"][case["market"]]["rule"] == "marginal")
