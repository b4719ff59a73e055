"""Venues' own rules as exact functions: what a figure that a venue publishes is computed by.

One module for each venue, with the same name for the same thing (``get_liquidation_price``,
``get_bankruptcy_price``, ``get_maintenance_margin``, ``get_adl_score`` ...); the mathematics that they share is in
``formulas``, ``brackets`` and ``ranks``, so that venues differ by data and rounding. ``scene`` makes a state of
the kernel from a venue's figures, ``presets`` has venues as rulebooks, ``pricing`` asks them of one position,
``accounts`` of several, and ``loading`` reads market data as clients give it. Tools beside the kernel, which knows
nothing of them.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

#: Modules by name; ``chitra`` is a paper's model, the others are venues or engines.
VENUES = (
    "binance",
    "bitmex",
    "bluefin",
    "bybit",
    "chitra",
    "drift",
    "dydx",
    "ethereal",
    "flox",
    "gate",
    "hyperliquid",
    "okx",
    "paradex",
    "percolator",
    "starkex",
    "vega",
)


def get_venue(name: str) -> ModuleType:
    """The venue's module; ``KeyError`` for one that is not there."""
    if name not in VENUES:
        raise KeyError(name)
    return import_module(f"riskcore.venues.{name}")
