"""A cascade as it went: prices, what the book still held, and what each stage of the waterfall had closed by then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from attrs import frozen

from riskcore.bad_input import LogError, get_hint, printable, quote
from riskcore.journal import Stage
from riskcore.log import LogReader
from riskcore.order_index import iter_side
from riskcore.quantities import RATE_ONE, MarketId, Time
from riskcore.state import Market, State
from riskcore.step import step
from riskcore.units import Units
from riskcore.waterfall import CLOSING_STAGES, Waterfall

#: Rate of the mark price within which bids count as depth.
DEPTH_RATE: Final = 20_000
_PROGRESS_EVERY: Final = 1000


@frozen
class Sample:
    """One market when all that has its timestamp was done.

    Prices in atoms per lot, ``bid`` zero where there is none; ``depth``: lots of bids within ``DEPTH_RATE`` below mark;
    ``closed``: lots by stage, in the order of ``CLOSING_STAGES``, so far; ``insurance``: atoms of the fund.
    """

    time: Time
    index: int
    mark: int
    bid: int
    depth: int
    closed: tuple[int, ...]
    insurance: int


@frozen
class Cascade:
    """``samples`` of ``market``, one for each timestamp from its listing on."""

    market: MarketId
    units: Units
    samples: tuple[Sample, ...]


def read_cascade(path: Path, name: str | None = None, progress: Callable[[int, int], None] | None = None) -> Cascade:
    """The samples of a log's market: of ``name``, or of that in which most notional was closed, else the first by name.

    ``progress`` is told of bytes read, and how many there are. Raises ``LogError`` where the log is bad, or lists no
    market, or not that one.
    """
    samples: dict[MarketId, list[Sample]] = {}
    waterfall = Waterfall()
    with LogReader(path) as log:
        state = log.state
        for count, event in enumerate(log):
            if event.timestamp > state.timestamp:
                _add_samples(samples, state, waterfall)
            outcome = step(state, event)
            waterfall.record(state, event, outcome)
            state = outcome.state
            if progress is not None and count % _PROGRESS_EVERY == 0:
                progress(log.bytes_read, log.size)
        _add_samples(samples, state, waterfall)
        return Cascade(*_choose(str(path), name, samples, waterfall, log.header.units))


def _choose(
    file: str, name: str | None, samples: dict[MarketId, list[Sample]], waterfall: Waterfall, units: Units
) -> tuple[MarketId, Units, tuple[Sample, ...]]:
    if not samples:
        raise LogError(file, None, None, "a log that lists a market", "none")
    if name is not None and name not in samples:
        known = ", ".join(map(printable, sorted(samples)))
        raise LogError(file, None, None, f"one of its markets ({known})", quote(name) + get_hint(name, samples))

    def get_notional(market_id: MarketId) -> int:
        return sum(waterfall.closed[stage][market_id].notional for stage in CLOSING_STAGES)

    # of equals the first by name
    market_id = max(sorted(samples), key=get_notional) if name is None else MarketId(name)
    return market_id, units, tuple(samples[market_id])


def _add_samples(samples: dict[MarketId, list[Sample]], state: State, waterfall: Waterfall) -> None:
    for market_id, market in state.markets.items():
        if market is not None:
            closed = tuple(waterfall.closed[stage][market_id].lots for stage in CLOSING_STAGES)
            sample = Sample(
                time=state.timestamp,
                index=market.index_price,
                mark=market.mark_price,
                bid=market.bid_price,
                depth=_get_depth(state, market_id, market),
                closed=closed,
                insurance=state.reserves.insurance,
            )
            samples.setdefault(market_id, []).append(sample)


def _get_depth(state: State, market_id: MarketId, market: Market) -> int:
    """Lots of bids no further below mark than the rate."""
    depth = 0
    for _, order in iter_side(state, market_id, is_bid=True):
        if order.price * RATE_ONE < market.mark_price * (RATE_ONE - DEPTH_RATE):
            break
        depth += order.size
    return depth


def get_closed(sample: Sample, stage: Stage) -> int:
    """Lots that the stage had closed by then."""
    return sample.closed[CLOSING_STAGES.index(stage)]
