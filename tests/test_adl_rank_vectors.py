"""What engines and venues say of who is deleveraged first: each formula puts the same accounts in the same order.

The figures are in ``vectors/adl_rank.json``, which names their sources.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from riskcore.choices import RankPolicy
from riskcore.close_outs import get_light
from riskcore.quantities import AccountId
from riskcore.ranking import Candidate, Score, get_score, is_ahead

CASES: dict[str, dict[str, Any]] = {
    case["id"]: case
    for case in json.loads(Path(__file__).with_name("vectors").joinpath("adl_rank.json").read_text(encoding="utf-8"))[
        "cases"
    ]
}
#: What the flox engine calls its three formulas.
FLOX = {
    "pnl_ratio": RankPolicy.PROFIT_TO_EQUITY,
    "size": RankPolicy.SIZE,
    "binance": RankPolicy.PROFIT_TIMES_NOTIONAL_TO_EQUITY,
}
#: The published formulas of three venues. Binance multiplies profit with the margin ratio, which is a fixed rate of
#: notional over equity where a market has one rate, so that the order is the same.
VENUES = {
    "hl_score": RankPolicy.PROFIT_TIMES_LEVERAGE,
    "bitmex": RankPolicy.SIGNED_PROFIT_TIMES_LEVERAGE,
    "binance": RankPolicy.PROFIT_TIMES_NOTIONAL_TO_EQUITY,
}


def get_order(candidates: list[Candidate]) -> list[str]:
    """Ids, first to last, by the kernel's comparison alone: each stands behind as many as are ahead of it."""
    places = {one.id: sum(is_ahead(other, one) for other in candidates) for one in candidates}
    return [id for id, _ in sorted(places.items(), key=lambda entry: entry[1])]


def make_candidate(policy: RankPolicy, id: str, size: int, entry: int, mark: int, equity: int) -> Candidate:
    return Candidate(get_score(policy, size, size * entry, mark, equity, 0, 0), size, AccountId(id))


@pytest.mark.parametrize("id", ["flox-adl-08", "flox-adl-09", "flox-adl-10"])
def test_the_same_account_goes_first(id: str) -> None:
    inputs, expected = CASES[id]["inputs"], CASES[id]["expected"]["closed"]
    policy = FLOX[inputs["ranking"]]
    order = get_order(
        [
            make_candidate(policy, str(account), size, entry, inputs["mark"], equity)
            for account, size, entry, equity in inputs["candidates_id_size_entry_equity"]
        ]
    )

    assert [str(account) for account in expected] == order[:1]


@pytest.mark.parametrize("venue", VENUES)
def test_four_shorts_stand_in_each_venues_order(venue: str) -> None:
    case = CASES["rank-common-book"]
    order = get_order(
        [
            make_candidate(VENUES[venue], id, -one["size"], one["entry"], int(case["inputs"]["mark"]), one["equity"])
            for id, one in case["inputs"]["shorts"].items()
        ]
    )

    assert case["expected"][venue] == order


@pytest.mark.parametrize(
    ("policy", "name"),
    [(RankPolicy.PRICE_RATIO_TIMES_LEVERAGE, "documented"), (RankPolicy.PROFIT_TIMES_LEVERAGE, "decompiled")],
)
def test_what_is_documented_orders_otherwise_than_the_engine(policy: RankPolicy, name: str) -> None:
    case = CASES["rank-trap-hl"]
    scores, candidates = [], []
    for place, example in enumerate(case["inputs"]["example_long"]):
        # a lot bought at 1000, and the equity that gives the leverage
        mark = int(1000 * Fraction(example["mark_over_entry"]))
        equity = Fraction(mark, example["leverage"])
        score = get_score(policy, 10, 10 * 1000, mark, int(equity * 10), 0, 0)
        scores.append(Fraction(*score))
        candidates.append(Candidate(score, 10, AccountId(str(place))))

    assert [Fraction(score) for score in case["expected"][name]] == scores
    assert [str(place) for place in case["expected"][f"{name}_order"]] == get_order(candidates)


def test_six_accounts_and_their_lights() -> None:
    case = CASES["bitmex-queue"]
    accounts = case["inputs"]["accounts"]
    order = get_order(
        [Candidate(Score(one["rank_score"], 1), one["contracts"], AccountId(id)) for id, one in accounts.items()]
    )
    total = sum(one["contracts"] for one in accounts.values())
    until, buckets = 0, {}
    for id in order:
        until += accounts[id]["contracts"]
        buckets[id] = 20 * get_light(until, total)

    assert [str(id) for id in case["expected"]["order"]] == order
    assert case["expected"]["percentile_bucket"] == buckets
