"""Hypothesis strategies of price paths that are out to do harm."""

from __future__ import annotations

from hypothesis import strategies as st

from riskcore.quantities import RATE_ONE

#: Of a move that goes on, in parts per million of the price.
_DRIFT = 20_000
#: How often a price multiplies, or divides, in one gap at most.
_GAP = 1_000


@st.composite
def price_paths(draw: st.DrawFn, start: int = 1_000, most: int = 50, limit: int = 0) -> tuple[int, ...]:
    """Prices one after the other, from ``start`` on, ``most`` at most; each at least one atom per lot.

    Runs, gaps to a thousand times or a thousandth, spikes that come back, steps of one atom, the first price again, a
    price of one. ``limit``: parts per million of the price before that a move may make, as in a market's
    ``mark_move_limit``; it is often used to the full, and rounded so that it is never passed. 0 is none.
    """
    path = [start]
    for move in draw(st.lists(st.sampled_from(_MOVES), max_size=most - 1)):
        wanted = max(1, move(draw, path))
        room = path[-1] * limit // RATE_ONE if limit else abs(wanted - path[-1])
        path.append(max(path[-1] - room, min(wanted, path[-1] + room)))
    return tuple(path)


def _go_on(draw: st.DrawFn, path: list[int]) -> int:
    """In the direction of the last move."""
    falls = len(path) > 1 and path[-1] < path[-2]
    step = path[-1] * draw(st.integers(0, _DRIFT)) // RATE_ONE + 1
    return path[-1] - step if falls else path[-1] + step


def _turn(draw: st.DrawFn, path: list[int]) -> int:
    """Against the last move."""
    return 2 * path[-1] - _go_on(draw, path)


def _jump(draw: st.DrawFn, path: list[int]) -> int:
    return path[-1] * draw(st.integers(2, _GAP))


def _crash(draw: st.DrawFn, path: list[int]) -> int:
    return path[-1] // draw(st.integers(2, _GAP))


def _come_back(draw: st.DrawFn, path: list[int]) -> int:
    """What it was before the last move: the move was a spike."""
    return path[-2] if len(path) > 1 else path[-1]


def _begin_again(draw: st.DrawFn, path: list[int]) -> int:
    return path[0]


def _nudge(draw: st.DrawFn, path: list[int]) -> int:
    return path[-1] + draw(st.sampled_from((1, -1, 0)))


def _vanish(draw: st.DrawFn, path: list[int]) -> int:
    return 1


#: The simplest first, to which Hypothesis shrinks.
_MOVES = (_nudge, _go_on, _turn, _come_back, _begin_again, _crash, _jump, _vanish)
