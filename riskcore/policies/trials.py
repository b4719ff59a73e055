"""How each property is tried on a case: as it is, or beside others that differ from it as the property says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import permutations
from typing import TypeAlias

from attrs import evolve, frozen

from riskcore.policies.cases import Case, Round, Winner, is_playable
from specs import policies as spec
from specs.policies import PROPERTIES, Closing, Part, Property

#: The closings of each case of a trial.
Closings: TypeAlias = Sequence[tuple[Closing, ...]]


@frozen
class Trial:
    """``holds`` says of the closings of all ``cases`` whether the property does; ``says``: how they differ, if so."""

    cases: tuple[Case, ...]
    says: str
    holds: Callable[[Closings], bool]


Make: TypeAlias = Callable[[Case], Iterator[Trial]]

#: So many times as much of everything.
TIMES = 3


def iter_trials(property: Property, case: Case) -> Iterator[Trial]:
    """Every trial of the property on the case that can be played."""
    for trial in TRIALS[property.name](case):
        if all(is_playable(one) for one in trial.cases):
            yield trial


def _judge_alone(judges: tuple[Callable[..., bool], ...]) -> Make:
    def make(case: Case) -> Iterator[Trial]:
        yield Trial((case,), "", lambda closings: all(judge(one) for judge in judges for one in closings[0]))

    return make


def _with_twins(case: Case) -> Iterator[Trial]:
    """With one more that is just like a winner, but that it opened last."""
    for winner in case.winners:
        twin = evolve(winner, name=f"{winner.name}-twin", opened=_get_last(case))
        yield Trial(
            (evolve(case, winners=(*case.winners, twin)),),
            f"{twin.name} is like {winner.name}",
            lambda closings: all(spec.treats_alike(one) for one in closings[0]),
        )


def _get_last(case: Case) -> int:
    return 1 + max(winner.opened for winner in case.winners)


def _with_a_lot_more(case: Case) -> Iterator[Trial]:
    first, *others = case.rounds
    more = evolve(case, rounds=(evolve(first, lots=first.lots + 1), *others))
    yield Trial(
        (case, more),
        "one lot more to close",
        lambda closings: spec.is_monotone(closings[0][0], closings[1][0]),
    )


def _scaled(case: Case) -> Iterator[Trial]:
    winners = tuple(
        evolve(one, sales=tuple((lots * TIMES, price) for lots, price in one.sales), equity=one.equity * TIMES)
        for one in case.winners
    )
    scaled = evolve(case, winners=winners, rounds=tuple(evolve(one, lots=one.lots * TIMES) for one in case.rounds))
    yield Trial(
        (case, scaled),
        f"{TIMES} times as much of everything",
        lambda closings: spec.scales(TIMES, closings[0][0], closings[1][0]),
    )


def _split(case: Case) -> Iterator[Trial]:
    """Half the lots in another account; with half of the equity, or with as little as it can be, in either."""
    for place, winner in enumerate(case.winners):
        if winner.held < 2:
            continue
        kept, given = _part_sales(winner, winner.held // 2)
        needed = sum(one.shortfall for one in case.rounds) + 1
        for equity in dict.fromkeys(
            (winner.equity // 2, _get_lots(given) * needed, winner.equity - _get_lots(kept) * needed)
        ):
            one = evolve(winner, sales=kept, equity=winner.equity - equity)
            other = evolve(winner, name=f"{winner.name}-2", sales=given, equity=equity)
            winners = (*case.winners[:place], one, *case.winners[place + 1 :], other)
            yield Trial(
                (case, evolve(case, winners=winners)),
                f"{winner.name} has parted what it has with {other.name}",
                _compare_owner((place,), (place, len(winners) - 1)),
            )


def _part_sales(winner: Winner, lots: int) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
    """Its trades but for the last so many lots, and those."""
    kept, given = list(winner.sales), []
    while lots:
        size, price = kept.pop()
        taken = min(size, lots)
        given.append((taken, price))
        lots -= taken
        if size > taken:
            kept.append((size - taken, price))
    return tuple(kept), tuple(given)


def _get_lots(sales: tuple[tuple[int, int], ...]) -> int:
    return sum(lots for lots, _ in sales)


def _merged(case: Case) -> Iterator[Trial]:
    for one, other in permutations(range(len(case.winners)), 2):
        # half a hedge is more than a case can say
        if case.winners[one].is_hedged != case.winners[other].is_hedged:
            continue
        whole = _merge(case.winners[one], case.winners[other])
        winners = tuple(
            whole if place == one else winner for place, winner in enumerate(case.winners) if place != other
        )
        yield Trial(
            (case, evolve(case, winners=winners)),
            f"{whole.name} has what {case.winners[other].name} had too",
            _compare_owner((one, other), (winners.index(whole),)),
        )


def _merge(one: Winner, other: Winner) -> Winner:
    return evolve(one, sales=one.sales + other.sales, equity=one.equity + other.equity)


def _compare_owner(before: tuple[int, ...], after: tuple[int, ...]) -> Callable[[Closings], bool]:
    def holds(closings: Closings) -> bool:
        (one,), (other,) = closings
        return spec.gains_nothing_by([one.parts[place] for place in before], [other.parts[place] for place in after])

    return holds


def _in_two_steps(case: Case) -> Iterator[Trial]:
    whole = case.rounds[0]
    for first in dict.fromkeys((1, whole.lots // 2, whole.lots - 1)):
        if 0 < first < whole.lots:
            rounds = (Round(first, whole.shortfall), Round(whole.lots - first, whole.shortfall))
            yield Trial(
                (case, evolve(case, rounds=rounds)),
                f"{first} of the lots first, then the rest",
                lambda closings: spec.is_path_independent(closings[0][0], closings[1]),
            )


def _reduced(case: Case) -> Iterator[Trial]:
    """A winner has bought back some lots at mark, before: its equity is what it was, and so is its entry price.

    Lots of several prices are left out: what is kept of their cost is no whole price.
    """
    for place, winner in enumerate(case.winners):
        if len({price for _, price in winner.sales}) > 1:
            continue
        for lots in dict.fromkeys((1, winner.held // 2, winner.held - 1)):
            if 0 < lots < winner.held:
                sales, _ = _part_sales(winner, lots)
                winners = (*case.winners[:place], evolve(winner, sales=sales), *case.winners[place + 1 :])
                yield Trial(
                    (case, evolve(case, winners=winners)),
                    f"{winner.name} has sold {lots} lots at mark before",
                    _compare_parts(place),
                )


def _compare_parts(place: int) -> Callable[[Closings], bool]:
    return lambda closings: spec.rewards_reducing(closings[0][0].parts[place], closings[1][0].parts[place])


def _hedged(case: Case) -> Iterator[Trial]:
    """Beside each winner one like it, of which one is hedged."""
    for place, winner in enumerate(case.winners):
        naked = evolve(winner, name=f"{winner.name}-naked", opened=_get_last(case), is_hedged=False)
        winners = (*case.winners[:place], evolve(winner, is_hedged=True), *case.winners[place + 1 :], naked)
        yield Trial(
            (evolve(case, winners=winners),),
            f"{winner.name} is hedged, {naked.name} is like it and not hedged",
            _spares(place),
        )


def _spares(place: int) -> Callable[[Closings], bool]:
    def holds(closings: Closings) -> bool:
        parts: tuple[Part, ...] = closings[0][0].parts
        return spec.spares_the_hedged(parts[place], parts[-1])

    return holds


def _nothing(case: Case) -> Iterator[Trial]:
    """Of what comes before a deleveraging no policy is asked."""
    return iter(())


TRIALS: dict[str, Make] = {
    **{one.name: _judge_alone(one.judges) for one in PROPERTIES},
    "symmetry": _with_twins,
    "monotonicity": _with_a_lot_more,
    "scale invariance": _scaled,
    "split resistance": _split,
    "merge resistance": _merged,
    "path independence": _in_two_steps,
    "early reduction": _reduced,
    "hedge awareness": _hedged,
    "waterfall faithfulness": _nothing,
}
