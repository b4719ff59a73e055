"""Whose part of the insurance fund is whose: separate markets' own, and what is shared."""

from __future__ import annotations

from typing import Any

from specs.arithmetic import either, every, negate
from specs.case import Ledger
from specs.status import is_ending


def has_part(market: Any) -> Any:
    """Whether a market's rules separate it, and it does not end."""
    return every(market.rules.insurance_separate, negate(is_ending(market)))


def shared(ledger: Ledger) -> Any:
    """Atoms of the fund that are no market's own."""
    return ledger.reserves.insurance - ledger.separate_insurance


def stock(ledger: Ledger, rulebook: Any, market: Any) -> Any:
    """Atoms that may be drawn on for a market, or where there is none for accounts; the floor is of what is shared."""
    above = shared(ledger) - rulebook.insurance_floor
    return above if market is None else either(market.rules.insurance_separate, market.insurance, above)


def part_after(market: Any, change: Any) -> Any:
    """A market's part once the fund changed by so much in an event of it; who has none, or ends, keeps none."""
    return either(has_part(market), market.insurance + change, 0)
