"""How the lots of a deleveraging are parted among its queue: all of each in turn, or everyone its part.

A part is a fraction of lots: so many for so much weight, which is the level, and at most all that there is; or what
is left of a position, where leverages are brought down to one level. Whoever plans names the level; the kernel checks
once, when the queue opens, that the parts sum exactly to what can be closed, so no other parts do. Everyone
closes its part rounded down, and of the lots which that leaves over, one more each, in rank order, whose part has a
fraction.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from riskcore.choices import Allocation
from riskcore.quantities import divide_down, divide_up
from riskcore.state import Deleveraging

#: What ``get_remainder`` says of a level that is not exact.
NOT_EXACT = -1


class Held(NamedTuple):
    """A position's lots, and its weight."""

    size: int
    weight: int


class Part(NamedTuple):
    """Lots: a part rounded down, and rounded up."""

    least: int
    most: int


def get_weight(policy: Allocation, size: int, cost: int, mark: int, equity: int) -> int:
    """By what a position of ``size`` lots in an account of ``equity`` atoms counts; one at least, or it had no part.

    ``CONTRACTS``: its lots. ``PROFIT``: its profit at ``mark``, in atoms. ``EQUITY``, ``LEVERAGE``: the equity.
    """
    if policy == Allocation.PROFIT:
        return max(size * mark - cost, 1)
    if policy == Allocation.CONTRACTS:
        return max(abs(size), 1)
    return max(equity, 1)


def get_exact_part(policy: Allocation, size: int, weight: int, level_lots: int, level_weight: int) -> int:
    """The part of a position, in lots times ``level_weight``, at ``level_lots`` lots for so much weight.

    The weight's lots, at most all; for ``LEVERAGE`` they are those that it keeps. In a queue, all.
    """
    whole = abs(size) * level_weight
    if policy == Allocation.QUEUE:
        return whole
    counted = min(whole, weight * level_lots)
    return whole - counted if policy == Allocation.LEVERAGE else counted


def get_part(
    policy: Allocation, size: int, cost: int, mark: int, equity: int, level_lots: int, level_weight: int
) -> Part:
    """The part of a position of ``size`` lots in an account of ``equity`` atoms, rounded either way.

    ``level_weight`` is above zero.
    """
    weight = get_weight(policy, size, cost, mark, equity)
    exact = get_exact_part(policy, size, weight, level_lots, level_weight)
    return Part(divide_down(exact, level_weight), divide_up(exact, level_weight))


def get_lots_more(episode: Deleveraging, part: Part) -> int:
    """The lot that the head closes beyond its part rounded down: one, if that has a fraction and any is left over."""
    return min(episode.remainder, part.most - part.least)


def get_step_lots(episode: Deleveraging, part: Part) -> int:
    """Lots that the head closes of its part."""
    return min(episode.lots - episode.done, part.least + get_lots_more(episode, part))


def get_remainder(policy: Allocation, episode: Deleveraging, held: Collection[Held]) -> int:
    """Lots that go one each to those whose part has a fraction; ``NOT_EXACT`` where the level is not.

    ``held`` are the positions of all in the queue. Exact is a level at which the parts sum to the lots to close, or to
    all that there are if those are fewer; in a queue there is none, which zero for a weight of one says.
    """
    lots, per = episode.level_lots, episode.level_weight
    if policy == Allocation.QUEUE:
        return 0 if lots == 0 and per == 1 else NOT_EXACT
    if per <= 0 or lots < 0:
        return NOT_EXACT
    target = min(episode.lots, sum(abs(size) for size, _ in held))
    parts = [get_exact_part(policy, size, weight, lots, per) for size, weight in held]
    return target - sum(divide_down(part, per) for part in parts) if sum(parts) == target * per else NOT_EXACT
