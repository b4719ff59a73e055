"""All faults."""

from __future__ import annotations

from tests.faults import conservation, forced, margin, queues, ranks, sequence, tiers
from tests.faults.planting import Fault

FAULTS: tuple[Fault, ...] = (
    *conservation.FAULTS,
    *sequence.FAULTS,
    *margin.FAULTS,
    *forced.FAULTS,
    *queues.FAULTS,
    *ranks.FAULTS,
    *tiers.FAULTS,
)
