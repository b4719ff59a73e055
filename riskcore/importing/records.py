"""What every reader makes of a file: trades, cash that moves without one, and what was not read.

Figures are exact, in base units and quote currency, whatever the file's own units are.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from fractions import Fraction

from attrs import field, frozen

from riskcore.bad_input import Fault, within
from riskcore.strict_json import describe
from riskcore.units import format_decimal
from riskcore.venues.answers import find, get, to_number

#: The account of a file that names none.
ACCOUNT = "account"
#: Digits before the point, and behind it, that a figure may have.
DIGITS = 30
_LARGE = 10**DIGITS
#: Milliseconds up to the year 9999.
_LAST_TIME = 253_402_300_799_999


@frozen
class Place:
    """Where something stands: a file, with its line or its path within the JSON; ``str()`` shows both."""

    file: str
    line: int | None = None
    path: str = ""

    def __str__(self) -> str:
        line = "" if self.line is None else f":{self.line}"
        return f"{self.file}{line}" + (f": {self.path}" if self.path else "")


class Movement(StrEnum):
    """Why cash moves without a trade."""

    FUNDING = "funding"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"


@frozen
class Trade:
    """One account's side of a trade. ``size``: base units, + bought, - sold. ``fee``: + paid, - received.

    ``before``, ``after``, ``closed_pnl`` and ``balance`` are the venue's own figures, None where it gives none;
    ``before`` and ``after`` are the position around the trade, ``balance`` is the account's after it. ``direction``:
    the venue's word for what the trade does. ``told_cost``: its price times size. ``is_forced``: whether the venue says
    that the account was liquidated or deleveraged by it.
    """

    place: Place
    account: str
    market: str
    size: Fraction
    price: Fraction
    fee: Fraction
    time: int
    id: str | None = None
    is_taker: bool | None = None
    before: Fraction | None = None
    after: Fraction | None = None
    closed_pnl: Fraction | None = None
    balance: Fraction | None = None
    direction: str | None = None
    told_cost: Fraction | None = None
    is_forced: bool = False

    @property
    def content(self) -> tuple[object, ...]:
        """All but where it stands."""
        return (self.account, self.market, self.size, self.price, self.fee, self.time, self.before, self.closed_pnl)


@frozen
class Flow:
    """Cash that an account gets (+) or gives (-) without a trade. ``balance``: as of a trade."""

    place: Place
    account: str
    time: int
    amount: Fraction
    kind: Movement
    balance: Fraction | None = None


@frozen
class Convention:
    """How a venue counts. ``grain``: the last place of its figures. ``pnl_is_net``: closed profit is after the fee.

    ``directions``: its words for what a trade does, with what each means (``reconcile``); None where it has none.
    """

    venue: str
    grain: Fraction
    pnl_is_net: bool = False
    directions: Mapping[str, str] | None = None


@frozen
class Unread:
    """Rows or members that mean nothing here: how many, and where the first is."""

    count: int
    first: Place


@frozen
class Snapshot:
    """What a venue says that accounts have: sizes and entry prices by account and market.

    ``cash``: by account, what is left of equity without the positions at mark, a long's being below zero; None where
    it does not say. Whoever is not in it is not spoken of.
    """

    place: Place
    cash: Mapping[str, Fraction | None]
    positions: Mapping[tuple[str, str], tuple[Fraction, Fraction]]


@frozen
class Data:
    """Everything that was read. ``unread``: by what it is called."""

    convention: Convention
    trades: list[Trade] = field(factory=list)
    flows: list[Flow] = field(factory=list)
    unread: dict[str, Unread] = field(factory=dict)
    notes: list[str] = field(factory=list)

    def leave_out(self, what: str, place: Place) -> None:
        """Count something that is not read."""
        known = self.unread.get(what)
        self.unread[what] = Unread(1, place) if known is None else Unread(known.count + 1, known.first)


# Figures


def is_bounded(number: Fraction) -> bool:
    """Whether it is a decimal of ``DIGITS`` places at most on each side of the point."""
    return bool(abs(number) < _LARGE and _LARGE % number.denominator == 0)


def to_decimal(value: object) -> Fraction:
    """The number that an integer or a decimal's text is; ``Fault`` for any other, and for one that is not bounded."""
    number = to_number(value)
    if isinstance(value, str) and "/" in value:
        raise Fault("a decimal", describe(value))
    if not is_bounded(number):
        raise Fault(f"a decimal of at most {DIGITS} digits on each side of the point", describe(value))
    return number


def get_figure(value: object, name: str) -> Fraction:
    """The member's number."""
    found = get(value, name)
    with within(name):
        return to_decimal(found)


def find_figure(value: object, name: str) -> Fraction | None:
    """The member's number; None where there is no such member or it is null."""
    return None if find(value, name) is None else get_figure(value, name)


def require_above_zero(number: Fraction) -> Fraction:
    """The number; ``Fault`` where it is not above zero."""
    if number <= 0:
        raise Fault("a number above zero", format_decimal(number))
    return number


def get_above_zero(value: object, name: str) -> Fraction:
    """The member's number, above zero."""
    with within(name):
        found = find(value, name)
        if found is None:
            raise Fault("this field", "none")
        return require_above_zero(to_decimal(found))


def to_time(number: Fraction) -> int:
    """Milliseconds since 1970; what is finer is left off. ``Fault`` for a time before that or after the year 9999."""
    if not 0 <= number <= _LAST_TIME:
        raise Fault("milliseconds since 1970, up to the year 9999", format_decimal(number))
    return number.numerator // number.denominator


def get_time(value: object, name: str) -> int:
    """The member's milliseconds."""
    number = get_figure(value, name)
    with within(name):
        return to_time(number)
