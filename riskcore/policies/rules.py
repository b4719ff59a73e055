"""A policy is a function: what there is to close, and of whom, gives how many lots each closes.

The kernel's own policies are here the functions that the kernel itself ranks and parts by.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cmp_to_key
from typing import TypeAlias

from attrs import frozen

from riskcore.allocation import Held, get_exact_part, get_weight
from riskcore.capacity import compute_level
from riskcore.choices import Allocation, RankPolicy
from riskcore.quantities import AccountId
from riskcore.ranking import Candidate, get_chance, get_score, is_ahead


@frozen
class Standing:
    """One winner, as a policy sees it.

    ``size``: lots, below zero for a short. ``cost``: atoms that they were traded at, of the same sign. ``equity``,
    ``profit``, ``notional``: atoms at mark. ``opened``: when, milliseconds. ``offset``: lots of it that another
    position of the account gains what they lose.
    """

    account: str
    size: int
    cost: int
    profit: int
    notional: int
    equity: int
    opened: int = 0
    offset: int = 0


@frozen
class Task:
    """What there is to close. ``mark``: atoms per lot; ``lots`` above zero, no more than all have; ``deficit`` atoms.

    ``sequence``: the number of the last event, which a draw may be seeded with.
    """

    mark: int
    lots: int
    deficit: int
    winners: tuple[Standing, ...]
    sequence: int = 0


#: Lots that each winner closes, in the order of ``Task.winners``.
Rule: TypeAlias = Callable[[Task], Sequence[int]]


def make_rule(rank: RankPolicy, allocation: Allocation, seed: int = 0) -> Rule:
    """The kernel's policy as a function."""

    def close(task: Task) -> list[int]:
        candidates = {one.account: _rank(rank, allocation, seed, task, one) for one in task.winners}
        order = sorted(candidates.values(), key=cmp_to_key(_compare))
        held = [Held(abs(one.size), one.weight) for one in order]
        level = compute_level(allocation, held, task.lots)
        parts = [get_exact_part(allocation, one.size, one.weight, *level) for one in held]
        floors = [part // level[1] for part in parts]
        target = min(task.lots, sum(one.size for one in held))
        remainder = 0 if allocation is Allocation.QUEUE else target - sum(floors)
        closed: dict[str, int] = {}
        left = task.lots
        for one, part, floor in zip(order, parts, floors, strict=True):
            more = min(remainder, 1 if part % level[1] else 0)
            closed[one.id] = min(left, floor + more)
            left, remainder = left - closed[one.id], remainder - more
        return [closed[one.account] for one in task.winners]

    return close


def _compare(one: Candidate, other: Candidate) -> int:
    return -1 if is_ahead(one, other) else 1


def _rank(rank: RankPolicy, allocation: Allocation, seed: int, task: Task, one: Standing) -> Candidate:
    id = AccountId(one.account)
    chance = get_chance(rank, seed, task.sequence, id)
    score = get_score(rank, one.size, one.cost, task.mark, one.equity, one.opened, chance)
    return Candidate(score, one.size, id, get_weight(allocation, one.size, one.cost, task.mark, one.equity))
