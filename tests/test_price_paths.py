"""Price paths: what they keep to, what they reach, and a venue that lives through them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from riskcore import events
from riskcore.planner import resolve
from riskcore.quantities import RATE_ONE
from riskcore.testing.desk import Desk
from riskcore.testing.laws.catalogue import check
from riskcore.testing.properties.prices import price_paths


@given(price_paths(1_000, 20))
def test_a_path_begins_where_it_should_and_stays_a_price(path: tuple[int, ...]) -> None:
    assert 1_000 == path[0]
    assert 1 <= len(path) <= 20
    assert min(path) >= 1


@given(st.data(), st.integers(1, 10**12), st.integers(1, 300_000))
def test_a_path_keeps_to_its_limit(data: st.DataObject, start: int, limit: int) -> None:
    path = data.draw(price_paths(start, limit=limit))

    assert all(abs(after - before) * RATE_ONE <= limit * before for before, after in pairwise(path))


@pytest.mark.parametrize(
    "wanted",
    [
        lambda path: any(after > 500 * before for before, after in pairwise(path)),
        lambda path: any(after * 500 < before for before, after in pairwise(path)),
        lambda path: any(a == c and abs(a - b) > a // 2 for a, b, c in zip(path, path[1:], path[2:], strict=False)),
        lambda path: len(path) > 6 and all(before < after for before, after in pairwise(path[-6:])),
        lambda path: len(path) > 2 and path[-1] == 1 and max(path) > 10**6,
    ],
    ids=["gap up", "gap down", "spike", "run", "to nothing from high"],
)
def test_paths_do_their_worst(wanted: object) -> None:
    assert callable(wanted)

    assert find(price_paths(), wanted, settings=settings(max_examples=2_000, database=None))


def test_a_limit_is_used_to_the_full() -> None:
    path = find(price_paths(1_000, limit=50_000), lambda path: 950 in path, settings=settings(database=None))

    assert (1_000, 950) == path


@settings(max_examples=15)
@given(price_paths(1_000, 8))
def test_every_law_holds_on_any_path(path: tuple[int, ...]) -> None:
    desk = Desk()
    desk.open("BTC", 1_000, amber=20_000, birch=20_000, cedar=50_000, vault=30_000)
    desk.must(events.Fill, "amber", "birch", "BTC", 100, 1_000)
    for price in path:
        desk.must(events.MarkPrice, "BTC", price)
        for event in resolve(desk.state).events:
            desk.step(event)
    for passage in desk.passages:
        check(passage)
    equities = [desk.view.get_health(account) for account in desk.view.accounts]

    assert all(own.equity >= own.maintenance for own in equities)
