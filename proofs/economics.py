"""What splitting gains (ECON-2): a trade into several, an account into several, shown of the kernel's own functions.

Where rounding or a policy lets somebody gain, the lemma says by how much, or there is none and `specs/README.md`
says REFUTED. Two parts are enough: each may be split again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from riskcore import allocation, quantities, ranking, sharing
from riskcore.choices import Allocation, LossSharing, RankPolicy
from riskcore.prover.lemma import Lemma, assume
from riskcore.prover.symbols import new_int
from riskcore.prover.tracer import Tracer
from specs.arithmetic import every

#: Policies whose score is a ratio that a part has in common with its whole.
SCALE_FREE = (
    RankPolicy.PROFIT_TIMES_LEVERAGE,
    RankPolicy.SIGNED_PROFIT_TIMES_LEVERAGE,
    RankPolicy.PRICE_RATIO_TIMES_LEVERAGE,
    RankPolicy.PROFIT_TO_EQUITY,
    RankPolicy.PROFIT_RATIO,
    RankPolicy.LEVERAGE,
)


def _charges_of_parts(tracer: Tracer) -> Any:
    """Of any amounts at any rate, a rebate's too: rounded up each for itself."""
    one, other, rate = (new_int(name) for name in ("one", "other", "rate"))
    parts = quantities.apply_rate(one, rate) + quantities.apply_rate(other, rate)
    whole = quantities.apply_rate(one + other, rate)
    return every(whole <= parts, parts <= whole + 1)


def _two_positions(tracer: Tracer) -> tuple[tuple[Any, ...], ...]:
    """Size, cost and equity of two accounts on the same side, and of one that has what both have."""
    one, other = (
        tuple(new_int(f"{name}.{field}") for field in ("size", "cost", "equity")) for name in ("one", "other")
    )
    assume(tracer, one[0] * other[0] > 0, one[2] > 0, other[2] > 0)
    return one, other, tuple(first + second for first, second in zip(one, other, strict=True))


def _weights_of_parts(policy: LossSharing) -> Callable[[Tracer], Any]:
    def are_no_less(tracer: Tracer) -> Any:
        mark, accounts = new_int("mark"), _two_positions(tracer)
        one, other, whole = (sharing.get_weight(policy, size, cost, mark, equity) for size, cost, equity in accounts)
        return one + other >= whole

    return are_no_less


def _lots_of_parts(policy: Allocation) -> Callable[[Tracer], Any]:
    """Exact parts at one level. By contracts they add up; by leverage who moves cash between the two closes more."""

    def are_no_less(tracer: Tracer) -> Any:
        mark, lots, per = (new_int(name) for name in ("mark", "level_lots", "level_weight"))
        assume(tracer, lots >= 0, per > 0)
        parts = []
        for size, cost, equity in _two_positions(tracer):
            weight = allocation.get_weight(policy, size, cost, mark, equity)
            parts.append(allocation.get_exact_part(policy, size, weight, lots, per))
        one, other, whole = parts
        return one + other >= whole

    return are_no_less


def _score_of_a_part(policy: RankPolicy) -> Callable[[Tracer], Any]:
    """An account of ``times`` as much of everything ranks with a part of it."""

    def is_that_of_the_whole(tracer: Tracer) -> Any:
        size, cost, mark, equity, opened, chance, times = (
            new_int(name) for name in ("size", "cost", "mark", "equity", "opened", "chance", "times")
        )
        assume(tracer, times > 0, mark > 0, size != 0, cost != 0, equity > 0)
        part: Any = ranking.get_score(policy, size, cost, mark, equity, opened, chance)
        whole: Any = ranking.get_score(policy, times * size, times * cost, mark, times * equity, opened, chance)
        return part.numerator * whole.denominator == whole.numerator * part.denominator

    return is_that_of_the_whole


LEMMAS = (
    Lemma(
        "charges_of_parts",
        "ECON-2",
        "a fee or a requirement at one rate is no less for two parts than for the whole, and at most an atom more",
        _charges_of_parts,
    ),
    *(
        Lemma(
            f"weights_of_parts_by_{policy.value}",
            "ECON-2",
            "two accounts with equity weigh no less in a shared loss than one that has what both have",
            _weights_of_parts(policy),
        )
        for policy in LossSharing
    ),
    *(
        Lemma(
            f"lots_of_parts_by_{policy.value}",
            "ECON-2",
            "at one level two accounts are to close no less than one that has what both have, but for rounding",
            _lots_of_parts(policy),
        )
        for policy in (Allocation.CONTRACTS, Allocation.LEVERAGE)
    ),
    *(
        Lemma(
            f"score_of_a_part_by_{policy.value}",
            "ECON-2",
            "who has so many times as much of everything has the score of a part",
            _score_of_a_part(policy),
        )
        for policy in SCALE_FREE
    ),
)
