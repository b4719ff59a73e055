"""How the lots of a deleveraging are parted: by contracts, profit, equity, or down to one leverage."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskcore.allocation import Held, get_exact_part, get_part
from riskcore.capacity import compute_level, compute_opening
from riskcore.choices import Allocation, RankPolicy
from riskcore.close_outs import get_standing
from riskcore.events import BeginDeleveraging, Deleverage, EndDeleveraging, Fill, MarkPrice
from riskcore.planner import resolve
from riskcore.rules import Rule
from riskcore.step import Outcome
from riskcore.testing.desk import Desk
from riskcore.testing.rulebooks import make_rulebook

#: By leverage times profit: each made a ninth of its entry, dara at 4.2 times, cedar at 3.2, birch at 2.7.
BY_LEVERAGE = ("dara", "cedar", "birch")
BY_SIZE = ("birch", "cedar", "dara")


def with_three_shorts(policy: Allocation, closing: int = 4, dara_at: int = 1000, **rulebook: object) -> Desk:
    """amber long, broke by 10 a lot at 890; birch short 5, cedar 3 and dara 2; the rest of the longs are elm's.

    Equities are 1100 + 550, 500 + 330 and 200 + 220, where all sold at 1000.
    """
    desk = Desk(make_rulebook(adl_allocation=policy, **rulebook))
    desk.open("BTC", 1000, amber=100 * closing, birch=1100, cedar=500, dara=200, elm=10**5)
    left = closing
    for name, lots, price in (("birch", 5, 1000), ("cedar", 3, 1000), ("dara", 2, dara_at)):
        own = min(left, lots) if price == 1000 else 0
        if own:
            desk.must(Fill, "amber", name, "BTC", own, price)
        if lots > own:
            desk.must(Fill, "elm", name, "BTC", lots - own, price)
        left -= own
    desk.must(MarkPrice, "BTC", 890)
    return desk


def get_size(desk: Desk, account: str) -> int:
    size, _, _ = desk.get_position(account, "BTC")
    return size


def close_all(desk: Desk) -> dict[str, int]:
    """Lots that each head closed, by every step until the episode is over."""
    closed: dict[str, int] = {}
    while (episode := desk.state.deleveraging) is not None:
        id = episode.queue[episode.head]
        before = abs(get_size(desk, id))
        desk.must(Deleverage)
        closed[id] = before - abs(get_size(desk, id))
    return closed


@pytest.mark.parametrize(
    ("policy", "level", "closed"),
    [
        # all that dara has, and what is then left
        (Allocation.QUEUE, (0, 1), {"dara": 2, "cedar": 2}),
        # 4 of 10 lots: 0.8, 1.2 and 2; the lot that is left over is dara's, the first
        (Allocation.CONTRACTS, (2, 5), {"dara": 1, "cedar": 1, "birch": 2}),
        # profits 220, 330 and 550, as the lots
        (Allocation.PROFIT, (1, 275), {"dara": 1, "cedar": 1, "birch": 2}),
        # equities 420, 830 and 1650: 0.58, 1.14 and 2.28
        (Allocation.EQUITY, (1, 725), {"dara": 1, "cedar": 1, "birch": 2}),
        # of 6 lots that stay 0.87, 1.72 and 3.41: 1.13, 1.28 and 1.59 go
        (Allocation.LEVERAGE, (3, 1450), {"dara": 2, "cedar": 1, "birch": 1}),
    ],
)
def test_each_closes_its_part(policy: Allocation, level: tuple[int, int], closed: dict[str, int]) -> None:
    desk = with_three_shorts(policy)
    opening = compute_opening(desk.state, "amber", "BTC")  # type: ignore[arg-type]
    desk.must(BeginDeleveraging, "amber", "BTC", BY_LEVERAGE, 0, *level)

    assert (BY_LEVERAGE, *level) == opening
    assert closed == close_all(desk)
    # each paid 10 a lot, which is what amber lacked
    assert 0 == desk.get_balance("amber")


def test_what_roundings_leave_over_goes_by_rank() -> None:
    # by size birch is the first; its part of 1.59 has a fraction
    desk = with_three_shorts(Allocation.LEVERAGE, adl_rank=RankPolicy.SIZE)
    desk.must(BeginDeleveraging, "amber", "BTC", BY_SIZE, 0, 3, 1450)

    assert {"birch": 2, "cedar": 1, "dara": 1} == close_all(desk)


def test_a_part_is_at_most_the_position() -> None:
    # dara sold at 2000 and made 2220 of 3100: 2.9 of 4 lots would be its part, and it has 2. Of the other two
    # birch has 550 of 880: 1.25, cedar 0.75
    desk = with_three_shorts(Allocation.PROFIT, dara_at=2000)
    queue = ("dara", "cedar", "birch")
    desk.must(BeginDeleveraging, "amber", "BTC", queue, 0, 1, 440)

    assert {"dara": 2, "cedar": 1, "birch": 1} == close_all(desk)


def test_a_head_without_a_part_is_passed_by() -> None:
    # 9 lots stay: birch keeps all 5 at 2.7 times, the others 4 for 1250 of equity. By size birch is the first
    desk = with_three_shorts(Allocation.LEVERAGE, closing=1, adl_rank=RankPolicy.SIZE)
    desk.must(BeginDeleveraging, "amber", "BTC", BY_SIZE, 0, 2, 625)
    before, outcome = desk.state, desk.do(Deleverage)
    after = outcome.state

    assert () == outcome.effects
    assert (before.accounts.get("birch"), before.markets.get("BTC"), before.reserves) == (  # type: ignore[arg-type]
        after.accounts.get("birch"),  # type: ignore[arg-type]
        after.markets.get("BTC"),  # type: ignore[arg-type]
        after.reserves,
    )
    assert after.deleveraging is not None
    assert (1, 0, 1) == (after.deleveraging.head, after.deleveraging.done, after.deleveraging.remainder)
    assert {"cedar": 1} == close_all(desk)


def test_a_queue_with_too_few_lots_closes_all_of_them() -> None:
    # amber is long 10, and of its counterparties only dara gains, who alone may be asked
    desk = Desk(make_rulebook(adl_allocation=Allocation.EQUITY, adl_requires_profit=True, insurance_before_adl=False))
    desk.open("BTC", 1000, amber=1000, birch=10**5, dara=10**4)
    desk.must(Fill, "amber", "birch", "BTC", 8, 800)
    desk.must(Fill, "amber", "dara", "BTC", 2, 1700)
    desk.must(MarkPrice, "BTC", 850)
    opening = compute_opening(desk.state, "amber", "BTC")  # type: ignore[arg-type]
    desk.must(BeginDeleveraging, "amber", "BTC", *opening[:1], 0, *opening[1:])

    assert ("dara",) == opening.queue
    assert {"dara": 2} == _step_once(desk)
    assert desk.do(EndDeleveraging).rejected is None


def _step_once(desk: Desk) -> dict[str, int]:
    before = abs(get_size(desk, "dara"))
    desk.must(Deleverage)
    return {"dara": before - abs(get_size(desk, "dara"))}


def test_a_level_may_be_named_in_any_terms() -> None:
    desk = with_three_shorts(Allocation.CONTRACTS)
    desk.must(BeginDeleveraging, "amber", "BTC", BY_LEVERAGE, 0, 14, 35)

    assert {"dara": 1, "cedar": 1, "birch": 2} == close_all(desk)


def test_a_standing_says_the_part() -> None:
    desk = with_three_shorts(Allocation.CONTRACTS)
    desk.must(BeginDeleveraging, "amber", "BTC", BY_LEVERAGE, 0, 2, 5)
    standing = get_standing(desk.state)

    assert standing is not None
    assert (Allocation.CONTRACTS, Fraction(4, 5)) == (standing.allocation, standing.part)


def test_the_planner_names_the_level() -> None:
    desk = with_three_shorts(Allocation.CONTRACTS)
    resolution = resolve(desk.state)

    assert [BeginDeleveraging, *[Deleverage] * 3] == [type(event) for event in resolution.events]


# Rejected


def open_at(policy: Allocation, level_lots: int, level_weight: int) -> Outcome:
    return with_three_shorts(policy).do(BeginDeleveraging, "amber", "BTC", BY_LEVERAGE, 0, level_lots, level_weight)


@pytest.mark.parametrize(
    ("policy", "level"),
    [
        (Allocation.QUEUE, (2, 5)),
        (Allocation.QUEUE, (0, 2)),
        # too much, too little, none, and no level
        (Allocation.CONTRACTS, (5, 12)),
        (Allocation.CONTRACTS, (3, 10)),
        (Allocation.CONTRACTS, (0, 1)),
        (Allocation.CONTRACTS, (-2, -5)),
        (Allocation.CONTRACTS, (4, 0)),
        # that of another policy
        (Allocation.LEVERAGE, (1, 725)),
        (Allocation.EQUITY, (3, 1450)),
    ],
)
def test_a_level_is_exact(policy: Allocation, level: tuple[int, int]) -> None:
    assert open_at(policy, *level).rejected is Rule.LEVEL_NOT_EXACT


# Any positions


@st.composite
def queues(draw: st.DrawFn) -> tuple[list[Held], int]:
    held = draw(st.lists(st.builds(Held, st.integers(1, 50), st.integers(1, 90)), min_size=1, max_size=6))
    return held, draw(st.integers(1, 320))


@given(st.sampled_from([policy for policy in Allocation if policy is not Allocation.QUEUE]), queues())
def test_the_level_that_is_found_is_exact(policy: Allocation, queue: tuple[list[Held], int]) -> None:
    held, lots = queue
    level_lots, level_weight = compute_level(policy, held, lots)
    parts = [get_exact_part(policy, size, weight, level_lots, level_weight) for size, weight in held]

    assert min(lots, sum(size for size, _ in held)) * level_weight == sum(parts)


def test_a_part_is_rounded_either_way() -> None:
    # 5 lots at 2 for 3 of weight, which is 4: 2.67
    figures = 5, 0, 1, 4, 2, 3

    assert (2, 3) == get_part(Allocation.EQUITY, *figures)
    assert (2, 3) == get_part(Allocation.LEVERAGE, *figures)
    assert (5, 5) == get_part(Allocation.QUEUE, *figures)
