"""Vega: where losers cannot pay what they owe, winners are paid in proportion, the remainder to the last.

Integers. Source: vegaprotocol/vega, core/collateral.
"""

from __future__ import annotations

from collections.abc import Mapping

from riskcore.venues.formulas import share_out


def socialize(losses: Mapping[str, tuple[int, int]], wins: Mapping[str, int]) -> dict[str, int]:
    """What each winner gets, rounded down, from losers of (due, balance); all of it where they can pay."""
    collected = sum(min(due, balance) for due, balance in losses.values())
    owed = sum(wins.values())
    if not wins or collected >= owed:
        return dict(wins)
    return dict(zip(wins, share_out(collected, tuple(wins.values())), strict=True))
