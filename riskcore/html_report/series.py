"""Funds, marks and what was closed as the log goes on: so many samples, however long it is."""

from __future__ import annotations

from typing import Final

from attrs import define, field, frozen

from riskcore.journal import Stage
from riskcore.margin import get_margin
from riskcore.quantities import MarketId
from riskcore.state import State
from riskcore.waterfall import CLOSING_STAGES, Waterfall

#: Samples that are kept; when there are twice as many, every second is forgotten.
SAMPLES: Final = 600


@frozen
class Sample:
    """After the log's event ``number``; amounts in atoms.

    ``vault``: its equity at mark. ``marks``: atoms per lot, by market; ``closed``: notional at mark that the waterfall
    closed so far, by stage in the order of ``CLOSING_STAGES``; ``sold``: the same by market, all stages together.
    """

    number: int
    time: int
    insurance: int
    vault: int
    uncovered: int
    marks: dict[MarketId, int]
    closed: tuple[int, ...]
    sold: dict[MarketId, int]


@define
class Series:
    """``samples`` of every ``stride``-th event."""

    samples: list[Sample] = field(factory=list)
    stride: int = 1

    def take(self, number: int, state: State, waterfall: Waterfall) -> None:
        """Take a sample where this event's turn has come."""
        if number % self.stride == 0:
            self.add(number, state, waterfall)

    def add(self, number: int, state: State, waterfall: Waterfall) -> None:
        """A sample, unless the last one is of this event."""
        if self.samples and self.samples[-1].number == number:
            return
        self.samples.append(_make_sample(number, state, waterfall))
        if len(self.samples) >= 2 * SAMPLES:
            self.stride *= 2
            first, *rest = self.samples
            self.samples = [first, *(sample for sample in rest if sample.number % self.stride == 0)]


def _make_sample(number: int, state: State, waterfall: Waterfall) -> Sample:
    vault = get_margin(state.accounts.get(state.rulebook.vault), state.markets).equity
    listed = {id: market for id, market in state.markets.items() if market is not None}
    # a waterfall makes room for whatever it is asked for: it is to stay as it is
    closed = [waterfall.closed.get(stage, {}) for stage in CLOSING_STAGES]
    sold = {id: sum(stage[id].notional for stage in closed if id in stage) for id in listed}
    return Sample(
        number=number,
        time=state.timestamp,
        insurance=state.reserves.insurance,
        vault=vault,
        uncovered=-state.reserves.uncovered,
        marks={id: market.mark_price for id, market in listed.items()},
        closed=tuple(sum(part.notional for part in stage.values()) for stage in closed),
        sold=sold,
    )


def get_stage(sample: Sample, stage: Stage) -> int:
    """Notional that the stage had closed by then."""
    return sample.closed[CLOSING_STAGES.index(stage)]
