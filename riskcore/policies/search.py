"""A search for the smallest case that refutes a property of a policy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from random import Random
from typing import TypeAlias

from attrs import frozen

from riskcore.policies.cases import Case, draw_case, is_playable, iter_grid, shrink
from riskcore.policies.known import get_known
from riskcore.policies.playing import Unplayable
from riskcore.policies.trials import Trial, iter_trials
from specs.policies import Closing, Property

#: Cases drawn for each policy and property, and how many times a refutation may not stand up in the kernel.
DRAWS, VAIN = 1500, 20


#: What a policy closes in a case, round by round.
Play: TypeAlias = Callable[[Case], tuple[Closing, ...]]


@frozen
class Found:
    """A trial that the property does not hold in."""

    case: Case
    trial: Trial


def find_trial(property: Property, case: Case, play: Play) -> Trial | None:
    """The first trial of the property on the case in which it does not hold."""
    return next((trial for trial in iter_trials(property, case) if is_refuted(trial, play)), None)


def is_refuted(trial: Trial, play: Play) -> bool:
    """Whether all its cases can be played, and the property does not hold of what became of them."""
    try:
        return not trial.holds([play(one) for one in trial.cases])
    except Unplayable:
        return False


def search(
    property: Property, play: Play, stands: Callable[[Trial], bool], *, seed: int = 0, draws: int = DRAWS
) -> Found | None:
    """A refutation made small, that ``stands``; None where none was found. What refuted before is tried first."""
    vain = 0
    for case in chain(get_known(property.name), draw_cases(seed, draws)):
        if find_trial(property, case, play) is None:
            continue
        found = _make_small(property, case, play, stands)
        if found is not None:
            return found
        vain += 1
        if vain == VAIN:
            return None
    return None


def draw_cases(seed: int, draws: int) -> Iterator[Case]:
    random = Random(seed)
    drawn = (draw_case(random) for _ in range(draws))
    return (case for case in drawn if is_playable(case))


def _make_small(property: Property, case: Case, play: Play, stands: Callable[[Trial], bool]) -> Found | None:
    def still(simpler: Case) -> bool:
        trial = find_trial(property, simpler, play)
        return trial is not None and stands(trial)

    if not still(case):
        return None
    smallest = shrink(case, still)
    trial = find_trial(property, smallest, play)
    return None if trial is None else Found(smallest, trial)


def check_grid(property: Property, play: Play, cases: Iterable[Case] | None = None) -> tuple[int, Found | None]:
    """How many cases of the grid were tried, and the first in which the property does not hold."""
    tried = 0
    for case in filter(is_playable, iter_grid() if cases is None else cases):
        tried += 1
        trial = find_trial(property, case, play)
        if trial is not None:
            return tried, Found(case, trial)
    return tried, None


def get_grid_size() -> int:
    return sum(1 for _ in islice(filter(is_playable, iter_grid()), None))
