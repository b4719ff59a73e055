"""Policies that the kernel has not, as the functions that a user would write."""

from __future__ import annotations

from collections.abc import Sequence

from riskcore.policies.rules import Task


def part_by_risk(task: Task) -> list[int]:
    """In proportion to profit times leverage, at most all: risk-aware pro-rata (Chitra, arXiv 2512.01112).

    Of the paper's risk densities the plain one, leverage itself; its budget of profit is here one of lots. Who has
    no profit has next to no weight, so that lots are left for it when all others have closed theirs.
    """
    return part_by_weight(task, [max(one.profit, 0) * one.notional // max(one.equity, 1) + 1 for one in task.winners])


def spare_the_hedged(task: Task) -> list[int]:
    """In proportion to lots; those that another position offsets are closed only when all others are."""
    naked = [abs(one.size) - one.offset for one in task.winners]
    first = part(min(task.lots, sum(naked)), naked, naked)
    left = task.lots - sum(first)
    offset = [one.offset for one in task.winners]
    return [one + other for one, other in zip(first, part(left, offset, offset), strict=True)]


def part_by_weight(task: Task, weights: Sequence[int]) -> list[int]:
    return part(task.lots, [abs(one.size) for one in task.winners], weights)


def part(lots: int, held: Sequence[int], weights: Sequence[int]) -> list[int]:
    """``lots`` in proportion to weights, each at most what is held; what roundings leave goes one each, in order.

    Whoever's part would be more than it has closes all of it, and the rest is parted anew among the others.
    """
    closed = [0] * len(held)
    active = [place for place, size in enumerate(held) if size > 0 and weights[place] > 0]
    left = min(lots, sum(held[place] for place in active))
    while True:
        whole = sum(weights[place] for place in active)
        full = [place for place in active if left * weights[place] >= held[place] * whole]
        if not full:
            break
        for place in full:
            closed[place] = held[place]
        left -= sum(held[place] for place in full)
        active = [place for place in active if place not in full]
    for place in active:
        closed[place] = left * weights[place] // whole
    for place in active[: left - sum(closed[place] for place in active)]:
        closed[place] += 1
    return closed
