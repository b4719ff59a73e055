"""What the laboratory's table (``riskcore policies``) says is PROVED of who closes how many lots, for any accounts.

By ADL-2, ADL-9 and ADL-10 a queue closes of each what its turn leaves, and a parting of each its exact part at one
level, rounded: so it is enough to look at one winner, or two, beside all the others together. Of those only this is
known: in a queue, the lots of who is ahead; where lots are parted, that what they close follows the level.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Any

from riskcore import allocation, ranking
from riskcore.choices import Allocation, RankPolicy
from riskcore.prover.lemma import Lemma, assume
from riskcore.prover.symbols import new_int
from riskcore.prover.tracer import Tracer
from riskcore.state import Deleveraging
from specs.arithmetic import every, implies, magnitude, smaller

#: How lots are parted where not in a queue.
PARTED = tuple(policy for policy in Allocation if policy is not Allocation.QUEUE)


def _get_turn(lots: Any, ahead: Any, held: Any) -> Any:
    """What a queue closes of a position of ``held`` lots when those ahead have had their turn: the kernel's own."""
    nobody: Any = None
    zero: Any = 0
    episode = Deleveraging(nobody, nobody, lots, zero, smaller(lots, ahead), (), 0, zero, 0, zero, 1, zero)
    return allocation.get_step_lots(episode, allocation.Part(held, held))


def _turns_follow(tracer: Tracer) -> Any:
    """More to close, fewer ahead, or more that it has: each closes no less. Fewer to close or more ahead: no more."""
    lots, ahead, held, more, fewer, larger = (
        new_int(name) for name in ("lots", "ahead", "held", "more_lots", "fewer_ahead", "larger")
    )
    assume(tracer, lots >= 0, ahead >= 0, held >= 0, more >= lots, fewer >= 0, fewer <= ahead, larger >= held)
    return _get_turn(lots, ahead, held) <= _get_turn(more, fewer, larger)


def _turns_join(tracer: Tracer) -> Any:
    """What two close, one ahead of the other, one with both their lots closes too, no further back than the first."""
    lots, ahead, between, one, other, now = (
        new_int(name) for name in ("lots", "ahead", "between", "one", "other", "now_ahead")
    )
    assume(tracer, lots >= 0, ahead >= 0, between >= 0, one >= 0, other >= 0, now >= 0, now <= ahead)
    parts = _get_turn(lots, ahead, one) + _get_turn(lots, ahead + one + between, other)
    return parts <= _get_turn(lots, now, one + other)


def _turns_add_up(tracer: Tracer) -> Any:
    """In an order that stays, two deleveragings close of each what one of all their lots does."""
    first, second, ahead, held = (new_int(name) for name in ("first", "second", "ahead", "held"))
    assume(tracer, first >= 0, second >= 0, ahead >= 0, held >= 0)
    once = _get_turn(first + second, ahead, held)
    before = _get_turn(first, ahead, held)
    # those ahead have closed what there was to close, or all that they had
    return once == before + _get_turn(second, ahead - smaller(first, ahead), held - before)


def _times_as_much_in_a_queue(tracer: Tracer) -> Any:
    lots, ahead, held, times = (new_int(name) for name in ("lots", "ahead", "held", "times"))
    assume(tracer, lots >= 0, ahead >= 0, held >= 0, times > 0)
    return _get_turn(times * lots, times * ahead, times * held) == times * _get_turn(lots, ahead, held)


class Side(IntEnum):
    SHORT = -1
    LONG = 1


def _new_position(name: str) -> tuple[Any, ...]:
    """Lots held, price that they were traded at, equity; all above zero."""
    return tuple(new_int(f"{name}.{field}") for field in ("held", "price", "equity"))


def _assume_dominance(tracer: Tracer, side: Side, mark: Any, one: tuple[Any, ...], other: tuple[Any, ...]) -> None:
    """One has more lots, a higher profit ratio and more leverage.

    A short's profit over entry is one less mark over price, a long's mark over price less one; and notional over
    equity is lots times mark over equity.
    """
    assume(tracer, mark > 0, *(figure > 0 for figure in (*one, *other)))
    better = one[1] > other[1] if side is Side.SHORT else one[1] < other[1]
    assume(tracer, one[0] > other[0], better, one[0] * other[2] > other[0] * one[2])


def _get_score(policy: RankPolicy, side: Side, held: Any, price: Any, mark: Any, equity: Any) -> Any:
    size = held * int(side)
    return ranking.get_score(policy, size, size * price, mark, equity, new_int("opened"), new_int("chance"))


def _is_no_lower(one: Any, other: Any) -> Any:
    return one.numerator * other.denominator >= other.numerator * one.denominator


def _more_ranks_no_lower(policy: RankPolicy, side: Side) -> Callable[[Tracer], Any]:
    def is_no_lower(tracer: Tracer) -> Any:
        mark, one, other = new_int("mark"), _new_position("one"), _new_position("other")
        _assume_dominance(tracer, side, mark, one, other)
        scores = (_get_score(policy, side, held, price, mark, equity) for held, price, equity in (one, other))
        return _is_no_lower(*scores)

    return is_no_lower


def _fewer_rank_no_higher(policy: RankPolicy, side: Side) -> Callable[[Tracer], Any]:
    """Some of whose lots were sold at mark before: its equity is the same, and so is its entry price."""

    def is_no_higher(tracer: Tracer) -> Any:
        mark, sold = new_int("mark"), new_int("sold")
        held, price, equity = _new_position("position")
        assume(tracer, mark > 0, held > 0, price > 0, equity > 0, sold > 0, sold < held)
        whole = _get_score(policy, side, held, price, mark, equity)
        return _is_no_lower(whole, _get_score(policy, side, held - sold, price, mark, equity))

    return is_no_higher


def _times_as_much_ranks_alike(policy: RankPolicy, side: Side) -> Callable[[Tracer], Any]:
    """The score of so many times as much of everything is that of the one, or so many times that."""

    def is_alike(tracer: Tracer) -> Any:
        mark, times = new_int("mark"), new_int("times")
        held, price, equity = _new_position("position")
        assume(tracer, mark > 0, held > 0, price > 0, equity > 0, times > 0)
        one: Any = _get_score(policy, side, held, price, mark, equity)
        many: Any = _get_score(policy, side, times * held, price, mark, times * equity)
        factor = times if policy in (RankPolicy.SIZE, RankPolicy.PROFIT_TIMES_NOTIONAL_TO_EQUITY) else 1
        return many.numerator * one.denominator == factor * one.numerator * many.denominator

    return is_alike


def _get_part(
    policy: Allocation, side: Side, held: Any, price: Any, mark: Any, equity: Any, level: tuple[Any, Any]
) -> Any:
    """The exact part of a position, in lots times the level's weight."""
    size = held * int(side)
    return allocation.get_exact_part(
        policy, size, allocation.get_weight(policy, size, size * price, mark, equity), *level
    )


def _new_level(tracer: Tracer) -> tuple[Any, Any]:
    lots, weight = new_int("level_lots"), new_int("level_weight")
    assume(tracer, lots >= 0, weight > 0)
    return lots, weight


def _more_has_no_smaller_part(policy: Allocation, side: Side) -> Callable[[Tracer], Any]:
    def is_no_smaller(tracer: Tracer) -> Any:
        mark, level = new_int("mark"), _new_level(tracer)
        one, other = _new_position("one"), _new_position("other")
        _assume_dominance(tracer, side, mark, one, other)
        first, second = (
            _get_part(policy, side, held, price, mark, equity, level) for held, price, equity in (one, other)
        )
        return first >= second

    return is_no_smaller


def _fewer_have_no_larger_part(policy: Allocation, side: Side) -> Callable[[Tracer], Any]:
    def is_no_larger(tracer: Tracer) -> Any:
        mark, sold, level = new_int("mark"), new_int("sold"), _new_level(tracer)
        held, price, equity = _new_position("position")
        assume(tracer, mark > 0, held > 0, price > 0, equity > 0, sold > 0, sold < held)
        whole = _get_part(policy, side, held, price, mark, equity, level)
        return whole >= _get_part(policy, side, held - sold, price, mark, equity, level)

    return is_no_larger


def _times_as_much_has_the_part(policy: Allocation, side: Side) -> Callable[[Tracer], Any]:
    """So many times the part, at one level: which is the level then, for the parts sum to so many times the lots."""

    def is_the_part(tracer: Tracer) -> Any:
        mark, times, level = new_int("mark"), new_int("times"), _new_level(tracer)
        held, price, equity = _new_position("position")
        assume(tracer, mark > 0, held > 0, price > 0, equity > 0, times > 0)
        one = _get_part(policy, side, held, price, mark, equity, level)
        return _get_part(policy, side, times * held, price, mark, times * equity, level) == times * one

    return is_the_part


def _joined_have_no_smaller_part(policy: Allocation, side: Side) -> Callable[[Tracer], Any]:
    """Of two positions in one account, at one level."""

    def is_no_smaller(tracer: Tracer) -> Any:
        mark, level = new_int("mark"), _new_level(tracer)
        one, other = _new_position("one"), _new_position("other")
        assume(tracer, mark > 0, *(figure > 0 for figure in (*one, *other)))
        first, second = (
            _get_part(policy, side, held, price, mark, equity, level) for held, price, equity in (one, other)
        )
        size = (one[0] + other[0]) * int(side)
        cost = (one[0] * one[1] + other[0] * other[1]) * int(side)
        whole = allocation.get_weight(policy, size, cost, mark, one[2] + other[2])
        return first + second <= allocation.get_exact_part(policy, size, whole, *level)

    return is_no_smaller


def _contracts_add_up(tracer: Tracer) -> Any:
    """Parted by contracts the level is the lots to close for the lots of all, in each round those that are left.

    Of any one, whose parts are rounded either way: in two rounds it closes what it does in one, but for a lot in each.
    """
    held, whole, first, second = (new_int(name) for name in ("held", "lots_of_all", "first", "second"))
    assume(tracer, held > 0, whole >= held, first > 0, second > 0, first + second <= whole)
    policy, once, before, after = Allocation.CONTRACTS, new_int("once"), new_int("before"), new_int("after")

    def assume_rounded(lots: Any, size: Any, level: Any, per: Any) -> None:
        exact: Any = allocation.get_exact_part(policy, size, allocation.get_weight(policy, size, 0, 1, 0), level, per)
        assume(tracer, lots * per < exact + per, lots * per > exact - per, lots >= 0, lots <= magnitude(size))

    assume_rounded(once, held, first + second, whole)
    assume_rounded(before, held, first, whole)
    assume_rounded(after, held - before, second, whole - first)
    return every(once <= before + after + 2, before + after <= once + 2)


def _levels_agree(tracer: Tracer) -> Any:
    """Who has no smaller part at one level closes no less at the level that is then right.

    For any one, and all others together, of whom it is known that they close no less at a level that is higher, and
    that all close the same lots in the end: what each closes exactly, before and after, and at the old level after.
    """
    own, after, same, others, others_after = (
        new_int(name) for name in ("own", "own_after", "own_after_at_the_old_level", "others", "others_after")
    )
    rise = new_int("rise")
    assume(tracer, same >= own, own + others == after + others_after)
    assume(tracer, implies(rise >= 0, every(after >= same, others_after >= others)))
    assume(tracer, implies(rise <= 0, every(after <= same, others_after <= others)))
    return after >= own


def _rounded_parts_stay_close(tracer: Tracer) -> Any:
    """Of one exact part no less than another, rounded either way, the lots are no fewer but for one."""
    one, other, per, more, less = (
        new_int(name) for name in ("one", "other", "level_weight", "rounded", "rounded_other")
    )
    assume(tracer, per > 0, one >= other)
    for exact, lots in ((one, more), (other, less)):
        assume(tracer, lots * per < exact + per, lots * per > exact - per)
    return more >= less - 1


def _make_lemmas(
    name: str,
    law: str,
    sentence: str,
    claim: Callable[[Any, Side], Callable[[Tracer], Any]],
    policies: Iterable[RankPolicy | Allocation],
) -> tuple[Lemma, ...]:
    """One for each policy and side."""
    return tuple(
        Lemma(f"{name}_by_{policy.value}_{side.name.lower()}", law, sentence, claim(policy, side))
        for policy in policies
        for side in Side
    )


#: Ranks that look at none of size, profit and leverage.
_BLIND = (RankPolicy.FIFO, RankPolicy.PSEUDO_RANDOM)

LEMMAS = (
    Lemma(
        "turns_follow",
        "ADL-2",
        "in a queue each closes no less where there is more to close, or fewer are ahead, or it has more",
        _turns_follow,
    ),
    Lemma(
        "turns_join",
        "ADL-2",
        "in a queue one with two's lots, no further back than the first of them, closes no less than they do",
        _turns_join,
    ),
    Lemma(
        "turns_add_up",
        "ADL-2",
        "in a queue whose order stays two deleveragings close of each what one of all their lots does",
        _turns_add_up,
    ),
    Lemma(
        "times_as_much_in_a_queue",
        "ADL-2",
        "in a queue so many times as much closes so many times as much",
        _times_as_much_in_a_queue,
    ),
    *_make_lemmas(
        "more_ranks_no_lower",
        "ADL-2",
        "a position of more lots, a higher profit ratio and more leverage scores no lower",
        _more_ranks_no_lower,
        (policy for policy in RankPolicy if policy not in (*_BLIND, RankPolicy.PRICE_RATIO_TIMES_LEVERAGE)),
    ),
    *_make_lemmas(
        "fewer_rank_no_higher",
        "ADL-2",
        "a position some of whose lots were sold at mark before scores no higher",
        _fewer_rank_no_higher,
        RankPolicy,
    ),
    *_make_lemmas(
        "times_as_much_ranks_alike",
        "ADL-2",
        "the score of so many times as much is that of the one, or so many times that",
        _times_as_much_ranks_alike,
        RankPolicy,
    ),
    *_make_lemmas(
        "more_has_no_smaller_part",
        "ADL-9",
        "a position of more lots, a higher profit ratio and more leverage has no smaller part",
        _more_has_no_smaller_part,
        (Allocation.CONTRACTS, Allocation.PROFIT, Allocation.LEVERAGE),
    ),
    *_make_lemmas(
        "fewer_have_no_larger_part",
        "ADL-9",
        "a position some of whose lots were sold at mark before has no larger part",
        _fewer_have_no_larger_part,
        PARTED,
    ),
    *_make_lemmas(
        "times_as_much_has_the_part",
        "ADL-9",
        "so many times as much has so many times the part",
        _times_as_much_has_the_part,
        (Allocation.CONTRACTS, Allocation.EQUITY, Allocation.LEVERAGE),
    ),
    *_make_lemmas(
        "joined_have_no_smaller_part",
        "ADL-9",
        "two positions in one account have no smaller part than apart",
        _joined_have_no_smaller_part,
        (Allocation.CONTRACTS, Allocation.EQUITY),
    ),
    Lemma(
        "contracts_add_up",
        "ADL-9",
        "parted by contracts two deleveragings close of each what one of all their lots does, but for a lot in each",
        _contracts_add_up,
    ),
    Lemma(
        "levels_agree",
        "ADL-9",
        "who has no smaller part at one level has none at the level that is then right",
        _levels_agree,
    ),
    Lemma(
        "rounded_parts_stay_close",
        "ADL-9",
        "of a part that is no smaller than another the rounded lots are no fewer but for one",
        _rounded_parts_stay_close,
    ),
)
