"""Peers' ADL queues: scores, orders, lights, and shares of a risk-aware policy."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest

from riskcore.planner import compute_queue
from riskcore.quantities import AccountId, MarketId
from riskcore.venues import binance, bitmex, chitra, hyperliquid
from riskcore.venues.exact import exact
from riskcore.venues.ranks import Ranked, make_ranked, sort_by_score
from riskcore.venues.scene import Listing, hold, make_rulebook, make_scene
from tests.test_vectors_deleveraging import run_flox
from tests.vectors.play import Case, load, play


def run_queue(case: dict[str, Any]) -> dict[str, Any]:
    accounts = case["accounts"]
    sizes = {id: account["contracts"] for id, account in accounts.items()}
    order = bitmex.sort_by_score({id: account["rank_score"] for id, account in accounts.items()}, sizes)
    return {"order": [int(id) for id in order], "percentile_bucket": bitmex.get_percentiles(order, sizes)}


def run_documented(case: dict[str, Any]) -> dict[str, Any]:
    """Longs from an entry of one, with one unit of equity."""
    positions = {}
    for place, example in enumerate(case["example_long"]):
        mark = exact(example["mark_over_entry"])
        positions[str(place)] = make_ranked(exact(example["leverage"]) / mark, 1, 1), mark
    documented = {id: hyperliquid.get_documented_adl_score(*position) for id, position in positions.items()}
    engine = {id: hyperliquid.get_engine_adl_score(*position) for id, position in positions.items()}
    sizes = {id: position.size for id, (position, _) in positions.items()}
    return {
        "documented_order": [int(id) for id in sort_by_score(documented, sizes)],
        "decompiled_order": [int(id) for id in sort_by_score(engine, sizes)],
        "documented": list(documented.values()),
        "decompiled": list(engine.values()),
    }


def run_common_book(case: dict[str, Any]) -> dict[str, Any]:
    mark, rate = case["mark"], case["binance_mm_rate"]
    shorts = {id: make_ranked(-held["size"], held["entry"], held["equity"]) for id, held in case["shorts"].items()}
    sizes = {id: held.size for id, held in shorts.items()}
    order = sort_by_score({id: hyperliquid.get_engine_adl_score(held, mark) for id, held in shorts.items()}, sizes)
    assert order == get_kernel_order(shorts, exact(mark))
    return {
        "hl_score": order,
        "bitmex": sort_by_score({id: bitmex.get_adl_score(held, mark) for id, held in shorts.items()}, sizes),
        "binance": sort_by_score({id: binance.get_adl_score(held, mark, rate) for id, held in shorts.items()}, sizes),
    }


def get_kernel_order(positions: Mapping[str, Ranked], mark: Fraction) -> list[str]:
    """The queue of the kernel against a long that is bankrupt at the mark."""
    listing = Listing(mark, Fraction(1, 2), Fraction(1, 2))
    holdings = {
        id: hold(held.equity - held.size * (mark - held.entry), X=(held.size, held.entry))
        for id, held in positions.items()
    }
    holdings["bankrupt"] = hold(0, X=(1, mark))
    scene = make_scene({"X": listing}, holdings, make_rulebook())
    queue = compute_queue(scene.state, AccountId("bankrupt"), MarketId("X"))
    return [id for id in queue if id in positions]


def make_chitra_runner(weight: chitra.Weight) -> Any:
    def run(case: dict[str, Any]) -> dict[str, Any]:
        return chitra.get_risk_shares(case["equity"], case["leverage"], weight)

    return run


RUNNERS = {
    "flox-adl": run_flox,
    "bitmex-queue": run_queue,
    "rank-trap-hl": run_documented,
    "rank-common-book": run_common_book,
    **{f"chitra-rap-{weight.value}": make_chitra_runner(weight) for weight in chitra.Weight},
}


@pytest.mark.parametrize("case", load("adl_rank"), ids=lambda case: case.id)
def test_the_figure_is_that_of_the_source(case: Case) -> None:
    _, differences = play(RUNNERS, case)

    assert [] == differences
