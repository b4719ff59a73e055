"""Each policy on the real winners: who closes, what that realises and costs, and what many waves change.

Atoms and lots are whole numbers: profit realised is rounded down for each winner, what is forgone sums to the deficit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

from attrs import frozen

from examples.oct10_study import (
    DEFICIT_PPM,
    MARK,
    POLICIES,
    SHARES_PPM,
    Result,
    Winner,
    deleverage,
    make_state,
)
from riskcore.policies.catalogue import Policy, list_policies
from riskcore.policies.playing import ask, reduce
from riskcore.policies.rules import Standing, Task
from riskcore.quantities import RATE_ONE
from riskcore.ranking import can_absorb

#: The venue's own rule, which all others are compared with.
VENUE = "queue_profit_times_leverage"
LEFT_OUT = {
    "queue_fifo": "the data holds no opening times",
    "queue_pseudo_random": "a draw is no policy to compare: any seed is as good as another",
    "spare_the_hedged": "the data holds no other positions of an account",
}
#: The size at which one deleveraging is compared with many.
PATH_PPM = 250_000


@frozen
class Outcome:
    """One deleveraging under one policy. Lots: ``lots`` to close, ``closed`` by each winner. Atoms: the rest.

    ``realised``: profit that the closed lots had, a winner's own; ``lost``: the losses that others realised.
    ``forgone``: what winners got less than mark; ``beyond``: of it what was more than a winner's profit, of
    ``burdened`` winners.
    """

    policy: str
    share_ppm: int
    lots: int
    deficit: int
    closed: tuple[int, ...]
    whole: int
    realised: int
    lost: int
    forgone: int
    beyond: int
    burdened: int

    @property
    def touched(self) -> int:
        return sum(lots > 0 for lots in self.closed)

    def get_top(self, places: int) -> Fraction:
        """The part of the closed lots that fell on the winners who closed most."""
        total = sum(self.closed)
        return Fraction(sum(sorted(self.closed, reverse=True)[:places]), total) if total else Fraction(0)


@frozen
class Shift:
    """From one outcome to another of the same winners: how many close fewer and more, and the lots that move."""

    fewer: int
    more: int
    moved: int


@frozen
class Course:
    """One deleveraging, and the same lots in waves of ``sizes``."""

    policy: str
    at_once: int
    in_waves: int
    shift: Shift
    sizes: tuple[int, ...]


def list_chosen() -> tuple[Policy, ...]:
    """The policies that the data can tell apart."""
    return tuple(policy for policy in list_policies() if policy.name not in LEFT_OUT)


def make_standings(winners: Sequence[Winner]) -> tuple[Standing, ...]:
    """The winners as policies see them: short, at mark."""
    return tuple(
        Standing(one.id, -one.lots, -one.lots * MARK - one.profit, one.profit, one.lots * MARK, one.equity)
        for one in winners
    )


def make_task(standings: Sequence[Standing], lots: int) -> Task:
    """Those lots to close, short by the study's part of their notional, of all who can bear their part of that."""
    deficit = lots * MARK * DEFICIT_PPM // RATE_ONE
    able = [one for one in standings if one.size and can_bear(one, deficit, lots)]
    return Task(MARK, min(lots, sum(abs(one.size) for one in able)), deficit, tuple(able))


def can_bear(one: Standing, deficit: int, lots: int) -> bool:
    return can_absorb(False, one.size, one.cost, MARK, one.equity, deficit, lots)


def play(policy: Policy, standings: Sequence[Standing], share_ppm: int) -> Outcome:
    """One deleveraging of that part of all lots."""
    lots = sum(abs(one.size) for one in standings) * share_ppm // RATE_ONE
    task = make_task(standings, lots)
    closed = ask(policy.rule, task) if task.lots else [0] * len(task.winners)
    forgone = part(task.deficit, lots, closed)
    realised = [one.profit * own // abs(one.size) for one, own in zip(task.winners, closed, strict=True)]
    beyond = [paid - max(one.profit, 0) for one, paid in zip(task.winners, forgone, strict=True)]
    by_account = dict(zip((one.account for one in task.winners), closed, strict=True))
    return Outcome(
        policy=policy.name,
        share_ppm=share_ppm,
        lots=lots,
        deficit=task.deficit,
        closed=tuple(by_account.get(one.account, 0) for one in standings),
        whole=sum(own == abs(one.size) for one, own in zip(task.winners, closed, strict=True)),
        realised=sum(max(own, 0) for own in realised),
        lost=-sum(min(own, 0) for own in realised),
        forgone=sum(forgone),
        beyond=sum(max(own, 0) for own in beyond),
        burdened=sum(own > 0 for own in beyond),
    )


def part(deficit: int, lots: int, closed: Sequence[int]) -> list[int]:
    """Each winner's atoms of the deficit by its lots, rounded so that all the lots together cost all of it."""
    done, paid, parts = 0, 0, []
    for own in closed:
        done += own
        parts.append(deficit * done // lots - paid)
        paid += parts[-1]
    return parts


def compare(one: Sequence[int], other: Sequence[int]) -> Shift:
    """From ``one`` to ``other``."""
    steps = [after - before for before, after in zip(one, other, strict=True)]
    return Shift(sum(step < 0 for step in steps), sum(step > 0 for step in steps), sum(map(abs, steps)) // 2)


def split(lots: int, weights: Sequence[Fraction]) -> tuple[int, ...]:
    """Lots by weights; what rounding leaves goes one each to the largest fractions, the first of equals first."""
    whole = sum(weights, Fraction(0))
    exact = [lots * weight / whole for weight in weights]
    parts = [int(own) for own in exact]
    order = sorted(range(len(parts)), key=lambda place: (parts[place] - exact[place], place))
    for place in order[: lots - sum(parts)]:
        parts[place] += 1
    return tuple(parts)


def play_waves(policy: Policy, standings: Sequence[Standing], sizes: Sequence[int]) -> tuple[int, ...]:
    """The lots that each winner closes in all waves; the price stands still, and what is forgone is gone."""
    left = {one.account: one for one in standings}
    for lots in sizes:
        task = make_task(list(left.values()), lots)
        if task.lots == 0:
            continue
        closed = ask(policy.rule, task)
        for one, own, paid in zip(task.winners, closed, part(task.deficit, lots, closed), strict=True):
            if own:
                left[one.account] = reduce(one, own, paid, MARK)
    return tuple(abs(one.size) - abs(left[one.account].size) for one in standings)


def play_course(policy: Policy, standings: Sequence[Standing], weights: Sequence[Fraction], whole: Outcome) -> Course:
    """One deleveraging against waves that part its lots by weights."""
    sizes = split(whole.lots, weights)
    closed = play_waves(policy, standings, sizes)
    touched = sum(lots > 0 for lots in closed)
    return Course(policy.name, whole.touched, touched, compare(whole.closed, closed), sizes)


@frozen
class Kernel:
    """The kernel's own deleveraging beside the function's: the same lots, accounts, concentration and cost."""

    result: Result
    is_same: bool


def play_kernel(winners: list[Winner], outcomes: Sequence[Outcome]) -> Iterator[Kernel]:
    """The rows that ``oct10_study`` has, by ``step``."""
    functions = {(one.policy, one.share_ppm): one for one in outcomes}
    for share_ppm in SHARES_PPM:
        for rank in POLICIES:
            result = deleverage(make_state(winners, share_ppm, rank))
            own = functions[f"queue_{rank}", share_ppm]
            figures = own.touched, sum(own.closed), own.get_top(10), own.get_top(100), own.forgone
            is_same = figures == (result.touched, result.closed, result.top10, result.top100, result.forgone)
            yield Kernel(result, is_same)


@frozen
class Played:
    outcomes: tuple[Outcome, ...]
    courses: tuple[Course, ...]
    kernel: tuple[Kernel, ...]

    def get(self, policy: str, share_ppm: int) -> Outcome:
        return next(one for one in self.outcomes if (one.policy, one.share_ppm) == (policy, share_ppm))


def play_all(winners: list[Winner], weights: Sequence[Fraction], tell: Callable[[int, int], None] | None) -> Played:
    """Everything; ``tell`` hears how much is done, and of how much."""
    standings, policies = make_standings(winners), list_chosen()
    total = len(policies) * (len(SHARES_PPM) + len(weights)) + 5 * len(SHARES_PPM) * len(POLICIES)
    done = 0

    def add(steps: int) -> None:
        nonlocal done
        done += steps
        if tell is not None:
            tell(done, total)

    outcomes, courses, kernel = [], [], []
    for policy in policies:
        for share_ppm in SHARES_PPM:
            outcomes.append(play(policy, standings, share_ppm))
            add(1)
        whole = next(one for one in outcomes[-len(SHARES_PPM) :] if one.share_ppm == PATH_PPM)
        courses.append(play_course(policy, standings, weights, whole))
        add(len(weights))
    for one in play_kernel(winners, outcomes):
        kernel.append(one)
        add(5)
    return Played(tuple(outcomes), tuple(courses), tuple(kernel))
