"""What a reconciliation finds: how often each column was checked and agreed, and what differs, by cause."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from fractions import Fraction
from typing import Final

from attrs import define, field, frozen

from riskcore.bad_input import printable
from riskcore.importing.records import Place
from riskcore.price_report import show_number


class Cause(StrEnum):
    """Why a figure of the venue's is not the one that was computed; the value is what people read."""

    GAP = "missing fills: the position before is not what the fill before left"
    AFTER = "the position after is not the position before and the size"
    NET = "another convention: closed profit after the fee"
    GROSS = "another convention: closed profit before the fee"
    FIRST_IN = "another convention: closed profit by first in, first out"
    FLIP = "flip: closed profit of a fill that turns the position"
    PROFIT = "closed profit that nothing here explains"
    DIRECTION = "the word for the direction is unknown"
    MISDIRECTED = "the word for the direction is not what the fill does to the position"
    TWICE = "the same fill twice, booked once"
    REUSED = "one id for different fills"
    SIDES = "the two sides of a trade differ"
    COST = "cost is not price times size"
    FUNDING = "the balance differs, and no funding is in the file"
    BALANCE = "the balance differs"
    END = "the position at the end is not what the fills lead to"
    ENTRY = "the entry price at the end is not what the fills lead to"
    ROUNDING = "rounding: within the grain of the venue's figures"


#: What does not count as a divergence: the figures agree as far as they can say.
HARMLESS: Final = frozenset({Cause.ROUNDING})


class Check(StrEnum):
    """A figure of the venue's that can be checked."""

    POSITION = "position"
    CLOSED_PNL = "closed profit"
    DIRECTION = "direction"
    COST = "cost"
    SIDES = "both sides"
    BALANCE = "balance"
    END = "position at the end"


@frozen
class Example:
    """The first divergence of a cause. ``told``: the venue's figure, ``found``: what was computed."""

    place: Place
    what: str
    told: str
    found: str


@define
class Findings:
    """Counts that grow while fills are booked. ``unchecked``: figures that nothing can be held against, by reason."""

    checked: Counter[Check] = field(factory=Counter)
    agreed: Counter[Check] = field(factory=Counter)
    counts: Counter[Cause] = field(factory=Counter)
    examples: dict[Cause, Example] = field(factory=dict)
    unchecked: Counter[str] = field(factory=Counter)

    def agree(self, check: Check) -> None:
        self.checked[check] += 1
        self.agreed[check] += 1

    def differ(
        self, check: Check, cause: Cause, place: Place, what: str, told: Fraction | str, found: Fraction | str
    ) -> None:
        """Count a check that found something; within rounding it agrees all the same."""
        self.checked[check] += 1
        if cause in HARMLESS:
            self.agreed[check] += 1
        self.note(cause, place, what, told, found)

    def note(self, cause: Cause, place: Place, what: str, told: Fraction | str, found: Fraction | str) -> None:
        """Count a divergence that no figure was checked for."""
        self.counts[cause] += 1
        if cause not in self.examples:
            self.examples[cause] = Example(place, printable(what), _show(told), _show(found))

    @property
    def exit_code(self) -> int:
        """0 all that could be checked agrees, 1 something differs, 3 nothing could be checked."""
        if any(count for cause, count in self.counts.items() if cause not in HARMLESS):
            return 1
        return 0 if self.checked.total() else 3


def _show(figure: Fraction | str) -> str:
    """A figure that has no end is cut, and dots say so."""
    return printable(figure) if isinstance(figure, str) else show_number(figure)
