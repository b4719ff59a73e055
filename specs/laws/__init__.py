"""The laws, each written once.

``holds`` is checked for the events in ``applies``. For every other event the law is
outside the footprint, which is a claim too: ``outside`` is what then must hold instead.
"""

from __future__ import annotations

from specs.laws import (
    choices,
    conservation,
    deleveraging,
    economics,
    insurance,
    life,
    liquidation,
    margin,
    order_book,
    prices,
    settlement,
    sharing,
    vault,
    waterfall,
)
from specs.laws.law import ALL_EVENTS, Law

LAWS: tuple[Law, ...] = (
    *conservation.LAWS,
    *prices.LAWS,
    *margin.LAWS,
    *order_book.LAWS,
    *liquidation.LAWS,
    *waterfall.LAWS,
    *insurance.LAWS,
    *deleveraging.LAWS,
    *sharing.LAWS,
    *settlement.LAWS,
    *life.LAWS,
    *vault.LAWS,
    *economics.LAWS,
    *choices.LAWS,
)

BY_ID = {law.id: law for law in LAWS}

__all__ = ["ALL_EVENTS", "BY_ID", "LAWS", "Law"]
