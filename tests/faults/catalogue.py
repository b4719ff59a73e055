"""All faults."""

from __future__ import annotations

from tests.faults import conservation, forced, margin, prices, queues, ranks, sequence, shares
from tests.faults.planting import Fault

FAULTS: tuple[Fault, ...] = (
    *conservation.FAULTS,
    *sequence.FAULTS,
    *margin.FAULTS,
    *forced.FAULTS,
    *queues.FAULTS,
    *prices.FAULTS,
    *ranks.FAULTS,
    *shares.FAULTS,
)
