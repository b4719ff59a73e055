"""The sixteen waves, corrected: which loss is counted again, and what overshoot is against which baseline.

All of it is wealth, in dollars; what was closed, in contracts, no figure of a wave says.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from attrs import frozen

from examples.oct10.data import Published, Wave
from examples.oct10.published import sum_of


@frozen
class Counted:
    """``first``: the wave in which a largest loss of exactly as many cents stood before; None where it is new."""

    wave: Wave
    first: int | None

    @property
    def repeated(self) -> Fraction:
        return Fraction(0) if self.first is None else self.wave.largest

    @property
    def once(self) -> Fraction:
        return self.wave.deficit - self.repeated


@frozen
class Reading:
    """What overshoot is called: so many dollars of ``above`` less ``below``."""

    above: str
    below: str
    value: Fraction
    note: str = ""


def count_once(waves: Sequence[Wave]) -> tuple[Counted, ...]:
    """Each wave in order. A loss is a repeat where an earlier wave's largest is exactly the same, and above zero.

    Of a wave only the largest loss is published: repeats among smaller ones cannot be seen.
    """
    first: dict[Fraction, int] = {}
    counted = []
    for wave in waves:
        before = first.setdefault(wave.largest, wave.number)
        counted.append(Counted(wave, before if before != wave.number and wave.largest else None))
    return tuple(counted)


def get_once(counted: Sequence[Counted]) -> Fraction:
    """The deficit with each loss once."""
    return sum_of([one.once for one in counted])


def get_heaviest(waves: Sequence[Wave], count: int = 2) -> tuple[Wave, ...]:
    """The waves of the highest overshoot, in their order."""
    chosen = sorted(waves, key=lambda wave: (-wave.overshoot, wave.number))[:count]
    return tuple(sorted(chosen, key=lambda wave: wave.number))


def get_over(waves: Sequence[Wave]) -> Fraction:
    """What waves above needed were above it; those below do not make up for it."""
    return sum_of([max(wave.overshoot, Fraction(0)) for wave in waves])


def get_readings(published: Published, counted: Sequence[Counted]) -> tuple[Reading, ...]:
    """Each as dollars of winners' wealth, but the last, which is a model's."""
    totals, waves = published.totals, published.waves
    produced, needed = sum_of([wave.production for wave in waves]), sum_of([wave.needed for wave in waves])
    heaviest = get_heaviest(waves)
    rest = [wave for wave in waves if wave not in heaviest]
    names = " and ".join(str(wave.number) for wave in heaviest)
    under = sum_of([min(wave.overshoot, Fraction(0)) for wave in waves])
    once = get_once(counted)
    return (
        Reading("production of all waves", "needed", produced - needed, "as published"),
        Reading(
            "production of waves above needed", "needed", get_over(waves), "waves below needed do not make up for it"
        ),
        Reading("production of waves below needed", "needed", under, "less was taken than the gap"),
        Reading(f"production of all waves but {names}", "needed", sum_of([wave.overshoot for wave in rest])),
        Reading("production of all waves", "deficit as published", produced - totals["deficit"], "too little"),
        Reading("production of all waves", "deficit, each loss once", produced - once),
        Reading("needed of all waves", "deficit, each loss once", needed - once, "two measures of one shortfall"),
        Reading(
            "production valued later", "needed", totals["overshoot_high"], "published; the most of the later times"
        ),
        Reading("profit that a model of the queue takes", "the model's deficits", totals["queue_model"], "published"),
    )
