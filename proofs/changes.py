"""What a change of rules may do at once: where the kernel says that nobody needs more maintenance, nobody does.

The kernel compares rates where brackets start. That no notional has a higher rate follows for each, and from that, by
slabs or by parts, that none needs more.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from riskcore import tiers
from riskcore.choices import TierRule
from riskcore.prover.lemma import Lemma, assume
from riskcore.prover.symbols import new_bool, new_int
from riskcore.prover.tracer import Tracer
from riskcore.rulebook import MarketRules, Tier
from specs.arithmetic import RATE_ONE, both_ways, every, implies, larger, smaller
from specs.tiers import admissible_tiers, maintenance_brackets, maintenance_rate_at, needs_no_more

BOUNDED = "PROVED-BOUNDED(two brackets on each side, either rule), any figures"


def any_rules(tracer: Tracer, name: str) -> Any:
    """Admissible rules of one bracket or two, of either rule."""
    initial, maintenance, floor, high, low = (new_int(f"{name}.{part}") for part in ("i", "m", "floor", "high", "low"))
    fees: Any = dict.fromkeys(("taker_fee_rate", "maker_fee_rate", "liquidation_fee_rate"), 0)
    is_tiered = bool(new_bool(f"{name}.is_tiered"))
    rule = TierRule.SLAB if bool(new_bool(f"{name}.is_slab")) else TierRule.MARGINAL
    brackets = (Tier(floor, high, low),) if is_tiered else ()
    rules = MarketRules(initial, maintenance, **fees, tiers=brackets, tier_rule=rule)
    assume(tracer, maintenance > 0, maintenance <= initial, initial <= RATE_ONE, admissible_tiers(rules))
    return rules


def _is_as_specified(tracer: Tracer) -> Any:
    """And then no notional's rate is higher, wherever it is."""
    old, new, notional = any_rules(tracer, "old"), any_rules(tracer, "new"), new_int("notional")
    assume(tracer, notional > 0)
    is_relaxed = bool(tiers.needs_no_more(old, new))
    is_no_higher = maintenance_rate_at(new, notional) <= maintenance_rate_at(old, notional)
    return both_ways(is_relaxed, needs_no_more(old, new)) & implies(is_relaxed, is_no_higher)


def _parts(rules: Any, notional: Any, edges: list[Any]) -> list[Any]:
    """Of the notional, what lies between each two of these edges, and beyond the last."""
    ends = [*edges[1:], larger(notional, edges[-1])]
    return [larger(smaller(notional, end) - start, 0) for start, end in zip(edges, ends, strict=True)]


def _nobody_needs_more(tracer: Tracer) -> Any:
    """Products of what is known to be no less: proven in ``margin/products_are_monotone``."""
    old, new = any_rules(tracer, "old"), any_rules(tracer, "new")
    notional = new_int("notional")
    assume(tracer, notional >= 0)
    if not bool(tiers.needs_no_more(old, new)):
        return True
    floors = [floor for rules in (old, new) for floor, _ in maintenance_brackets(rules)[1:]]
    if len(floors) == 2 and not bool(floors[0] <= floors[1]):
        floors.reverse()
    edges = [0, *floors]
    # on each way the same brackets are reached
    for edge in floors:
        bool(notional > edge)
    for part, edge in zip(_parts(old, notional, edges), edges, strict=True):
        lower, higher = maintenance_rate_at(new, edge + 1), maintenance_rate_at(old, edge + 1)
        assume(tracer, implies(lower <= higher, part * lower <= part * higher))
    lower, higher = maintenance_rate_at(new, notional), maintenance_rate_at(old, notional)
    assume(tracer, implies(lower <= higher, notional * lower <= notional * higher))
    assume(tracer, *(start <= end for start, end in pairwise(edges)))
    required = [
        tiers.get_tiered_requirement(rules, notional, tiers.get_maintenance_rates(rules)) for rules in (old, new)
    ]
    return every(required[1] <= required[0])


LEMMAS = (
    Lemma(
        "relaxed_as_specified",
        "LIFE-5",
        "rules need no more exactly where no notional's maintenance rate is higher by them",
        _is_as_specified,
        BOUNDED,
    ),
    Lemma(
        "nobody_needs_more",
        "LIFE-5",
        "what takes effect at once needs no more maintenance of any notional than what it takes the place of",
        _nobody_needs_more,
        BOUNDED,
    ),
)
