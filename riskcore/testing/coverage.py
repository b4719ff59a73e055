"""What walks reach, per 10,000 steps: stages of the waterfall, branches, laws.

A branch is an event accepted, a rule of rejection, or a corner that is looked for. Each has a floor, below which a
generator has stopped reaching it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from riskcore import events
from riskcore.journal import Pay, Reason
from riskcore.rules import Rule
from riskcore.testing.desk import Passage
from riskcore.testing.laws.catalogue import LAWS
from riskcore.testing.laws.losses import loss_1
from riskcore.testing.laws.passages import get_close
from riskcore.testing.rulebooks import SUBACCOUNTS, TRADERS
from riskcore.transitions import TRANSITIONS

PER: Final = 10_000


class Place(NamedTuple):
    """Where a walk can come. ``sort``: stage, event, rule, corner or law; ``least``: times in 10,000 steps."""

    sort: str
    name: str
    least: float


class Row(NamedTuple):
    """A place and how often it was reached: in all, and in 10,000 steps."""

    place: Place
    times: int
    rate: float

    @property
    def is_reached(self) -> bool:
        return self.times > 0 and self.rate >= self.place.least


# Stages


def is_booked(passage: Passage) -> bool:
    return isinstance(passage.event, events.LiquidationFill)


def is_resting_order_hit(passage: Passage) -> bool:
    return isinstance(passage.event, events.LiquidationFill) and passage.event.order is not None


def is_taken_over(passage: Passage) -> bool:
    return isinstance(passage.event, events.Takeover)


def is_insured(passage: Passage) -> bool:
    return any(isinstance(line, Pay) and line.reason is Reason.COVER for line in passage.effects)


def is_deleveraged(passage: Passage) -> bool:
    return isinstance(passage.event, events.Deleverage)


def is_left_uncovered(passage: Passage) -> bool:
    return passage.after.reserves["uncovered"] < passage.before.reserves["uncovered"]


def is_shared_out(passage: Passage) -> bool:
    return isinstance(passage.event, events.ShareLoss)


def is_settled(passage: Passage) -> bool:
    return isinstance(passage.event, events.SettlePair)


STAGES: Final[dict[str, Callable[[Passage], bool]]] = {
    "order book: a fill": is_booked,
    "order book: a resting order": is_resting_order_hit,
    "vault": is_taken_over,
    "insurance fund": is_insured,
    "deleveraging": is_deleveraged,
    "uncovered loss": is_left_uncovered,
    "loss shared out": is_shared_out,
    "settlement": is_settled,
}

# Corners


def is_bankrupt_settled(passage: Passage) -> bool:
    event, after = passage.event, passage.after
    if not isinstance(event, events.SettlePair):
        return False
    return any(after.get_equity(id) < 0 and not after.get_account(id).positions for id in (event.long, event.short))


def is_settled_debt_booked(passage: Passage) -> bool:
    """Not of those that came in with debts."""
    event = passage.event
    if not isinstance(event, events.WriteOff | events.CoverDeficit):
        return False
    return event.account in TRADERS and not passage.before.get_account(event.account).positions


def is_subaccount_closed(passage: Passage) -> bool:
    close = get_close(passage)
    return close is not None and close.account in SUBACCOUNTS


def is_withdrawal_cut(passage: Passage) -> bool:
    return isinstance(passage.event, events.Withdraw) and loss_1(passage)


CORNERS: Final[dict[str, Callable[[Passage], bool]]] = {
    "a bankrupt account settled": is_bankrupt_settled,
    "its debt booked": is_settled_debt_booked,
    "a sub-account closed": is_subaccount_closed,
    "a withdrawal cut": is_withdrawal_cut,
}

#: A sick account with equity left whose every opposite is in debt, and two fundings in one
#: millisecond: ``test_deleveraging`` and ``test_funding`` have them.
TOO_RARE: Final = {Rule.NOTHING_TO_BOOK, Rule.FUNDING_NOT_DUE}

PLACES: Final = (
    *(Place("stage", name, 10) for name in STAGES),
    *(Place("event", kind.__name__, 5.2) for kind in TRANSITIONS),
    *(Place("rule", rule.name, 0) for rule in Rule if rule not in TOO_RARE),
    *(Place("corner", name, 0.62) for name in CORNERS),
    *(Place("law", id, 10.3) for id in LAWS),
)


class Coverage:
    """Counts of steps and of places. ``add`` steps, or another's counts with ``merge``."""

    def __init__(self, steps: int = 0, counts: dict[tuple[str, str], int] | None = None) -> None:
        self.steps = steps
        self.counts: Counter[tuple[str, str]] = Counter(counts or {})

    def add(self, passage: Passage, told: list[str]) -> None:
        """A step, and the laws that had something to say of it."""
        self.steps += 1
        self.counts.update(("law", id) for id in told)
        if passage.rejected is not None:
            self.counts["rule", passage.rejected] += 1
            return
        self.counts["event", type(passage.event).__name__] += 1
        self.counts.update(("stage", name) for name, is_there in STAGES.items() if is_there(passage))
        self.counts.update(("corner", name) for name, is_there in CORNERS.items() if is_there(passage))

    def merge(self, other: Coverage) -> None:
        self.steps += other.steps
        self.counts.update(other.counts)

    def get_rows(self) -> Iterator[Row]:
        for place in PLACES:
            count = self.counts[place.sort, place.name]
            yield Row(place, count, count * PER / self.steps if self.steps else 0.0)

    def get_unreached(self) -> list[Row]:
        """Places reached less often than their floor; of rules those never met."""
        return [row for row in self.get_rows() if not row.is_reached]
