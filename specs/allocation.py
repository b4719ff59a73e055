"""How the lots of a deleveraging are parted among its queue."""

from __future__ import annotations

from typing import Any

from riskcore.choices import Allocation
from specs.arithmetic import ceiling_ratio, either, floor_ratio, is_plain, larger, magnitude, smaller


def weight_of(policy: Any, size: Any, cost: Any, mark: Any, equity: Any) -> Any:
    """Lots, profit at mark in atoms, or equity; at least one."""
    by_size = either(policy == Allocation.CONTRACTS, magnitude(size), equity)
    return larger(either(policy == Allocation.PROFIT, size * mark - cost, by_size), 1)


def exact_part_of(policy: Any, size: Any, cost: Any, mark: Any, equity: Any, lots: Any, per: Any) -> Any:
    """The part of a position, in ``per``-th parts of a lot, where ``lots`` lots belong to ``per`` of weight.

    What belongs to its weight, or what that leaves of it where leverages are brought to one level; from nothing to all.
    In a queue all.
    """
    own, whole = lots * weight_of(policy, size, cost, mark, equity), magnitude(size) * per
    closed = either(policy == Allocation.LEVERAGE, larger(whole - own, 0), smaller(own, whole))
    return either(policy == Allocation.QUEUE, whole, closed)


def part(policy: Any, size: Any, *figures: Any) -> tuple[Any, Any]:
    """The part in lots, rounded down and rounded up; for the prover by name."""
    if is_plain(size, *figures):
        exact, per = exact_part_of(policy, size, *figures), figures[-1]
        return floor_ratio(exact, per), ceiling_ratio(exact, per)
    symbol = next(value for value in (size, *figures) if not is_plain(value))
    least, most = (symbol.call(name, _place_of(policy), size, *figures) for name in ("part_least", "part_most"))
    return least, most


def part_in(case: Any, episode: Any, account: Any) -> tuple[Any, Any]:
    """An account's part in an episode, likewise, at the marks of the state before."""
    mark = case.before.market.mark_price
    figures = account.size, account.cost, mark, account.equity
    return part(case.rulebook.adl_allocation, *figures, episode.level_lots, episode.level_weight)


def is_queue(case: Any) -> Any:
    return case.rulebook.adl_allocation == Allocation.QUEUE


def _place_of(policy: Any) -> Any:
    return tuple(Allocation).index(policy) if isinstance(policy, Allocation) else policy.place
