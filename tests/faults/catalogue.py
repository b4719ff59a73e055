"""All faults."""

from __future__ import annotations

from tests.faults import (
    allocation,
    audited,
    books,
    close_outs,
    conservation,
    domains,
    forced,
    fund,
    gates,
    limits,
    lines,
    margin,
    prices,
    queues,
    ranks,
    sequence,
    settings,
    settlement,
    shares,
    sharing,
    tiers,
)
from tests.faults.planting import Fault

FAULTS: tuple[Fault, ...] = (
    *audited.FAULTS,
    *conservation.FAULTS,
    *sequence.FAULTS,
    *margin.FAULTS,
    *prices.FAULTS,
    *forced.FAULTS,
    *gates.FAULTS,
    *limits.FAULTS,
    *queues.FAULTS,
    *ranks.FAULTS,
    *close_outs.FAULTS,
    *lines.FAULTS,
    *books.FAULTS,
    *settlement.FAULTS,
    *tiers.FAULTS,
    *shares.FAULTS,
    *fund.FAULTS,
    *domains.FAULTS,
    *settings.FAULTS,
    *sharing.FAULTS,
    *allocation.FAULTS,
)
