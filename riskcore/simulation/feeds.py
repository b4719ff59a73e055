"""What a simulation knows of a market beside its state: where its index is and has been, and the last trade."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from random import Random

from riskcore.quantities import RATE_ONE, Price
from riskcore.simulation.scenario import Course, grow


def iter_line(course: Course) -> Iterator[tuple[int, int]]:
    """The path without its noise, step by step and without end: price, and the noise there."""
    start = int(course.price)
    for segment in course.path:
        end = grow(start, segment.change)
        for done in range(1, segment.steps + 1):
            yield start + (end - start) * done // segment.steps, segment.noise
        start = end
    while True:
        yield start, course.path[-1].noise


class Feed:
    """``index`` and ``last`` trade, atoms per lot; ``premiums``: one for each step since the last funding."""

    def __init__(self, course: Course) -> None:
        self.course = course
        self.index = int(course.price)
        self.last = self.index
        self._line = iter_line(course)
        self._displacement = self._pressure = 0
        self._past = deque([self.index], course.window + 1)
        self.premiums: list[int] = []

    def move(self, random: Random) -> None:
        """The next step of the index."""
        price, noise = next(self._line)
        self._displacement = self._displacement * 9 // 10 + random.randrange(-noise, noise + 1)
        self.index = grow(price, self._displacement)
        kept = abs(self._pressure) * self.course.impact // RATE_ONE
        self._pressure = kept if self._pressure > 0 else -kept
        self._past.append(self.index)

    def note_trade(self, price: int) -> None:
        """The last trade is now one at this price."""
        self.last, self._pressure = price, price - self.index

    @property
    def volatility(self) -> int:
        """From the lowest to the highest index of the window, as a rate of the lowest."""
        low = min(self._past)
        return (max(self._past) - low) * RATE_ONE // low

    @property
    def trend(self) -> int:
        """How far the index has moved over the window, as a signed rate."""
        return (self.index - self._past[0]) * RATE_ONE // self._past[0]

    @property
    def middle(self) -> int:
        """Around what makers quote: the index, and what is left of the distance at which the last trade was."""
        return max(self.index + self._pressure, 1)

    def get_price(self, rate: int, *, up: bool) -> Price:
        """The price at a distance from the middle, rounded away from it; an atom per lot at least."""
        if up:
            return Price(-(-self.middle * (RATE_ONE + rate) // RATE_ONE))
        return Price(max(self.middle * (RATE_ONE - rate) // RATE_ONE, 1))
