"""What events know of parts by contract: the specification's weight and part, whole lots at most one apart.

That parts of many sum to the lots is checked when a queue opens; from any one's part the sum's properties follow term
by term, and are proven of two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from riskcore import allocation
from riskcore.allocation import Held
from riskcore.choices import Allocation
from riskcore.prover.lemma import Lemma, assume
from riskcore.prover.symbols import new_int
from riskcore.prover.tracer import Tracer
from riskcore.state import Deleveraging
from specs.allocation import exact_part_of, weight_of
from specs.arithmetic import both_ways, ceiling_ratio, every, floor_ratio, implies, magnitude, smaller

PARTED = tuple(policy for policy in Allocation if policy is not Allocation.QUEUE)
TWO = "PROVED-BOUNDED(two counterparties), any positions and weights"


def _new_figures(name: str = "") -> tuple[Any, ...]:
    return tuple(new_int(f"{name}{field}") for field in ("size", "cost", "mark", "equity"))


def _new_level(tracer: Tracer, name: str = "") -> tuple[Any, Any]:
    lots, per = new_int(f"{name}level_lots"), new_int(f"{name}level_weight")
    assume(tracer, lots >= 0, per > 0)
    return lots, per


def _weight(policy: Allocation) -> Callable[[Tracer], Any]:
    def is_the_specifications(tracer: Tracer) -> Any:
        figures = _new_figures()
        result: Any = allocation.get_weight(policy, *figures)
        return every(result == weight_of(policy, *figures), result >= 1)

    return is_the_specifications


def _part(policy: Allocation) -> Callable[[Tracer], Any]:
    """Of any position, at any level: the exact part rounded either way, within the position."""

    def is_rounded_either_way(tracer: Tracer) -> Any:
        (size, *others), (lots, per) = _new_figures(), _new_level(tracer)
        figures: tuple[Any, ...] = (*others, lots, per)
        part: Any = allocation.get_part(policy, size, *figures)
        exact: Any = exact_part_of(policy, size, *figures)
        low, high = part
        return every(
            low * per <= exact,
            exact < (low + 1) * per,
            high * per >= exact,
            exact > (high - 1) * per,
            low >= 0,
            low <= high,
            high <= low + 1,
            high <= magnitude(size),
            implies(policy is Allocation.QUEUE, low == magnitude(size)),
        )

    return is_rounded_either_way


def _new_held(tracer: Tracer, name: str) -> Any:
    size, weight = new_int(f"{name}.size"), new_int(f"{name}.weight")
    assume(tracer, weight >= 1)
    return Held(size, weight)


def _new_episode(lots: Any, level_lots: Any, level_weight: Any) -> Any:
    nobody: Any = None
    zero: Any = 0
    return Deleveraging(nobody, nobody, lots, zero, zero, (), 0, zero, 0, level_lots, level_weight)


def _remainder(policy: Allocation, members: int) -> Callable[[Tracer], Any]:
    """It is what roundings leave of the lots where parts sum to them exactly."""

    def is_what_roundings_leave(tracer: Tracer) -> Any:
        held = [_new_held(tracer, name) for name in ("a", "b")[:members]]
        lots, level_lots, per = new_int("lots"), new_int("level_lots"), new_int("level_weight")
        episode = _new_episode(lots, level_lots, per)
        result: Any = allocation.get_remainder(policy, episode, held)
        if policy is Allocation.QUEUE:
            return every(result <= 0, both_ways(result == 0, (level_lots == 0) & (per == 1)))
        if not (bool(per > 0) and bool(level_lots >= 0)):
            return result < 0
        # that each is the specification's is a lemma of its own
        parts: list[Any] = [allocation.get_exact_part(policy, one.size, one.weight, level_lots, per) for one in held]
        total: Any = sum((magnitude(one.size) for one in held), start=0)
        target = smaller(lots, total)
        is_exact = sum(parts, start=0) == target * per
        left = target - sum((part // per for part in parts), start=0)
        return every(both_ways(result >= 0, is_exact), implies(is_exact, result == left))

    return is_what_roundings_leave


def _roundings_leave_no_more_than_there_are_fractions(tracer: Tracer) -> Any:
    """Of parts that sum to whole lots: so that everyone with a fraction takes one lot at most, and none is left."""
    (one, two), per, lots = (new_int("one"), new_int("two")), new_int("level_weight"), new_int("lots")
    assume(tracer, per > 0, one + two == lots * per)
    least = floor_ratio(one, per) + floor_ratio(two, per)
    most = ceiling_ratio(one, per) + ceiling_ratio(two, per)
    return every(least <= lots, lots <= most)


def _parts_follow_the_level(policy: Allocation) -> Callable[[Tracer], Any]:
    """Of any position: at a higher level its part is no less; where parts are what is not kept, no more."""

    def part_is_monotone(tracer: Tracer) -> Any:
        held, (low, below), (high, above) = _new_held(tracer, ""), _new_level(tracer), _new_level(tracer, "other_")
        gap = new_int("gap")
        assume(tracer, gap == high * below - low * above, gap >= 0, held.weight * gap >= 0)
        one, two = (
            allocation.get_exact_part(policy, held.size, held.weight, *level) for level in ((low, below), (high, above))
        )
        left, right = one * above, two * below
        return left >= right if policy is Allocation.LEVERAGE else left <= right

    return part_is_monotone


def _halves_have_the_part_of_the_whole(tracer: Tracer) -> Any:
    """By contracts a position in two accounts has the part of one; each is rounded by itself."""
    one, two, level = new_int("one"), new_int("two"), _new_level(tracer)
    assume(tracer, one > 0, two > 0)
    policy = Allocation.CONTRACTS

    def get_exact(size: Any) -> Any:
        weight = allocation.get_weight(policy, size, 0, 1, 0)
        return allocation.get_exact_part(policy, size, weight, *level)

    return get_exact(one) + get_exact(two) == get_exact(one + two)


def _nobody_keeps_more_leverage_than_who_is_reduced(tracer: Tracer) -> Any:
    """Kept lots over equity: of whom lots are closed it is the level exactly, and of nobody more."""
    held, (lots, per) = _new_held(tracer, ""), _new_level(tracer)
    closed: Any = allocation.get_exact_part(Allocation.LEVERAGE, held.size, held.weight, lots, per)
    kept = magnitude(held.size) * per - closed
    return every(kept <= held.weight * lots, implies(closed > 0, kept == held.weight * lots))


LEMMAS = (
    *(
        Lemma(f"weight_by_{policy.value}", "ADL-9", "a position's weight is the specification's", _weight(policy))
        for policy in Allocation
    ),
    *(
        Lemma(
            f"part_by_{policy.value}",
            "ADL-9",
            "a part is the specification's, rounded down and up, from nothing to the whole position",
            _part(policy),
        )
        for policy in Allocation
    ),
    *(
        Lemma(
            f"remainder_by_{policy.value}_of_{members}",
            "ADL-10",
            "a level is accepted exactly where parts sum to what can be closed; the remainder is what roundings leave",
            _remainder(policy, members),
            TWO,
        )
        for policy in Allocation
        for members in (0, 1, 2)
    ),
    *(
        Lemma(
            f"{policy.value}_follow_the_level",
            "ADL-9",
            "parts only grow with the level, or only shrink: parts that sum to the same are the same, whatever level "
            "names them",
            _parts_follow_the_level(policy),
        )
        for policy in PARTED
    ),
    Lemma(
        "roundings_leave_no_more_than_fractions",
        "ADL-10",
        "what roundings leave of the lots is no more than there are fractions",
        _roundings_leave_no_more_than_there_are_fractions,
        TWO,
    ),
    Lemma(
        "halves_have_the_part_of_the_whole",
        "ADL-9",
        "by contracts the parts of two halves are that of the whole, but for rounding",
        _halves_have_the_part_of_the_whole,
    ),
    Lemma(
        "leverage_is_brought_to_one_level",
        "ADL-9",
        "by leverage whoever is reduced keeps the level's lots for its equity, and nobody keeps more",
        _nobody_keeps_more_leverage_than_who_is_reduced,
    ),
)
