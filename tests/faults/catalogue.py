"""All faults."""

from __future__ import annotations

from tests.faults import books, conservation, forced, lines, margin, queues, ranks, sequence
from tests.faults.planting import Fault

FAULTS: tuple[Fault, ...] = (
    *conservation.FAULTS,
    *lines.FAULTS,
    *books.FAULTS,
    *sequence.FAULTS,
    *margin.FAULTS,
    *forced.FAULTS,
    *queues.FAULTS,
    *ranks.FAULTS,
)
