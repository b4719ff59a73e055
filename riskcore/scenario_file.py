"""Scenarios as TOML files: read strictly, every figure exact, and what is wrong named by its place.

Figures are in human units, as numbers or as texts: ``0.05`` and ``"0.05"`` are the same, and neither is ever a float.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import Final, TypeVar

from attrs import evolve, frozen

from riskcore.bad_input import Fault, LogError, get_cause, get_hint, printable, quote, within
from riskcore.files import get_length
from riskcore.quantities import RATE_ONE, Atoms, Lots, MarketId, Price, Rate, Time
from riskcore.rulebook_file import RulebookFile, read_rulebook_file
from riskcore.scenario import (
    Course,
    Followers,
    Group,
    Holders,
    Makers,
    Scenario,
    Segment,
    Span,
    Takers,
    VaultPlan,
    get_members,
    grow,
)
from riskcore.strict_json import describe
from riskcore.units import Quantity, Units, format_decimal
from riskcore.venues.presets import get_preset_names, load_preset

T = TypeVar("T")

SCHEMA_VERSION: Final = 1
#: Bytes of a scenario, more than any that a person writes.
_MOST_BYTES: Final = 200_000
#: Native units that a figure may have, and a price on its way: what grows out of them fits in a log.
_MOST: Final = 10**30
MOST_STEPS: Final = 100_000
#: Accounts times steps: what a run costs even where nobody trades.
MOST_TURNS: Final = 5_000_000
_MOST_ACCOUNTS: Final = 10_000
_MOST_LEVELS: Final = 50
_MOST_LEVERAGE: Final = 1_000
#: Rates up to a thousandfold.
_MOST_RATE: Final = 1_000 * RATE_ONE
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_LINE: Final = re.compile(r"(.*) \(at line (\d+), column (\d+)\)", re.DOTALL)


class Members:
    """A table whose members are taken one by one; ``finish`` finds those that nobody asked for."""

    def __init__(self, value: object, noun: str) -> None:
        if not isinstance(value, dict):
            raise Fault("a table", describe_toml(value))
        self.noun = noun
        self._left: dict[str, object] = dict(value)
        self._known: list[str] = []

    def take(self, name: str, read: Callable[[object], T], default: T | None = None) -> T:
        """What ``read`` makes of a member; without a default it must be there."""
        self._known.append(name)
        if name not in self._left:
            if default is None:
                raise Fault(f"this key in {self.noun}", "none" + self._get_likely(name), name)
            return default
        with within(name):
            return read(self._left.pop(name))

    def take_or_none(self, name: str, read: Callable[[object], T]) -> T | None:
        """The same, but that without the member there is none."""
        self._known.append(name)
        if name not in self._left:
            return None
        with within(name):
            return read(self._left.pop(name))

    def finish(self) -> None:
        for name in self._left:
            expected = f"only the keys of {self.noun} ({', '.join(self._known)})"
            raise Fault(expected, f"an unknown key{get_hint(name, self._known)}", printable(name[:60]))

    def _get_likely(self, name: str) -> str:
        """A key that may be meant by one that is there."""
        hint = get_hint(name, set(self._left) - set(self._known))
        return hint.replace("did you mean", "but there is").replace("?)", ")")


def describe_toml(value: object) -> str:
    """What was found, in words that fit behind "got"."""
    if isinstance(value, (dict, list)):
        return "a table" if isinstance(value, dict) else "an array"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _MOST:
        return f"an integer of more than {len(str(_MOST)) - 1} digits"
    return describe(value) if isinstance(value, (bool, int, str)) else f"the time {value}"


@frozen
class Figures:
    """How figures are read: a market's in its own units."""

    units: Units
    market: MarketId | None = None

    def read(self, quantity: Quantity, low: int, high: int = _MOST) -> Callable[[object], int]:
        """Native units within these bounds."""

        def read_figure(value: object) -> int:
            if isinstance(value, bool) or not isinstance(value, (int, str)):
                raise Fault("a number like 12.5", describe_toml(value))
            if isinstance(value, int) and abs(value) >= _MOST:
                raise Fault("a number", describe_toml(value))
            native = self.units.to_native(quantity, self.market, str(value))
            if not low <= native <= high:
                raise Fault(_bound(quantity, low, high), str(value))
            return native

        return read_figure

    def read_cash(self, value: object) -> Atoms:
        return Atoms(self.read(Quantity.AMOUNT, 0)(value))

    def read_size(self, value: object) -> Lots:
        return Lots(self.read(Quantity.SIZE, 1)(value))

    def read_price(self, value: object) -> Price:
        return Price(self.read(Quantity.PRICE, 1)(value))

    def read_rate(self, value: object) -> Rate:
        return Rate(self.read(Quantity.RATE, 0, _MOST_RATE)(value))

    def read_part(self, value: object) -> Rate:
        return Rate(self.read(Quantity.RATE, 0, RATE_ONE)(value))

    def read_some(self, value: object) -> Rate:
        return Rate(self.read(Quantity.RATE, 1, _MOST_RATE)(value))

    def read_change(self, value: object) -> Rate:
        return Rate(self.read(Quantity.RATE, 1 - RATE_ONE, _MOST_RATE)(value))


def _bound(quantity: Quantity, low: int, high: int) -> str:
    """What a figure must be, in human units."""
    if quantity is Quantity.RATE:
        return f"a rate from {format_decimal(Fraction(low, RATE_ONE))} to {format_decimal(Fraction(high, RATE_ONE))}"
    sign = "above zero" if low else "of zero or more"
    return f"a number {sign}, of at most {len(str(high)) - 1} digits of {quantity.plural}"


def whole(low: int, high: int) -> Callable[[object], int]:
    """A whole number within these bounds."""

    def read(value: object) -> int:
        if type(value) is not int or not low <= value <= high:
            raise Fault(f"a whole number from {low:,} to {high:,}", describe_toml(value))
        return value

    return read


def span(low: int, high: int) -> Callable[[object], Span]:
    """One whole number, or an array of two of which the second is no less."""
    read_one = whole(low, high)

    def read(value: object) -> Span:
        ends = value if isinstance(value, list) and len(value) == 2 else [value, value]
        if isinstance(value, list) and len(value) != 2:
            raise Fault("a whole number, or an array of two", f"an array of {len(value)}")
        first, last = map(read_one, ends)
        if first > last:
            raise Fault("two numbers that do not fall", f"{first} and {last}")
        return Span(first, last)

    return read


def read_text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise Fault("a text", describe_toml(value))
    return value


def read_name(value: object) -> str:
    """A word that may begin an account's name."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise Fault("a name of up to 40 letters, digits, _ . or -", describe_toml(value))
    return value


def one_of(*words: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str) or value not in words:
            hint = get_hint(value, words) if isinstance(value, str) else ""
            raise Fault("one of " + ", ".join(words), describe_toml(value) + hint)
        return value

    return read


def read_scenario(path: Path) -> Scenario:
    """The scenario in the file; ``LogError`` where it, or the rulebook that it names, cannot be read as one."""
    file = str(path)
    length = get_length(path, "a readable file")
    if length > _MOST_BYTES:
        raise LogError(file, None, None, f"a scenario of at most {_MOST_BYTES:,} bytes", f"{length:,}")
    try:
        data = path.read_bytes().decode()
        members = tomllib.loads(data, parse_float=lambda text: text.replace("_", ""))
    except OSError as error:
        raise LogError(file, None, None, "a readable file", get_cause(error)) from None
    except UnicodeDecodeError as error:
        raise LogError(file, None, None, "a TOML document", f"invalid UTF-8 at byte {error.start + 1}") from None
    except RecursionError:
        raise LogError(file, None, None, "a TOML document", "arrays or tables nested too deeply") from None
    except tomllib.TOMLDecodeError as error:
        raise _explain(file, str(error)) from None
    try:
        return _decode(members, path.parent)
    except Fault as fault:
        raise LogError(file, None, fault.field, fault.expected, fault.got) from None


def _explain(file: str, message: str) -> LogError:
    found = _LINE.fullmatch(message)
    line = int(found[2]) if found else None
    cause = f"{found[1]} at column {found[3]}" if found else message
    return LogError(file, line, None, "a TOML document", printable(cause[:1].lower() + cause[1:]))


def _decode(value: object, folder: Path) -> Scenario:
    members = Members(value, "a scenario")
    members.take("riskcore_scenario", whole(SCHEMA_VERSION, SCHEMA_VERSION))
    venue = _find_rulebook(members.take("rulebook", read_text), folder)
    units = venue.units
    if units is None:
        raise Fault("a rulebook with units", "one without", "rulebook")
    figures = Figures(units)
    steps = members.take("steps", whole(1, MOST_STEPS))
    courses = members.take("markets", lambda value: _read_courses(value, venue, units, steps))
    listed = {course.market: Figures(units, course.market) for course in courses}
    no_groups: tuple[Group, ...] = ()
    groups = members.take("agents", lambda value: _read_groups(value, listed, steps), no_groups)
    scenario = Scenario(
        rulebook=evolve(venue.rulebook, has_book=True),
        units=units,
        seed=members.take("seed", whole(0, 2**64 - 1), 0),
        start=Time(members.take("start", whole(0, 10**15), 0)),
        step=Time(members.take("step", whole(1, 10**10))),
        steps=steps,
        insurance=members.take("insurance", figures.read_cash, Atoms(0)),
        vault=members.take("vault", lambda value: _read_vault(value, figures), NO_VAULT),
        courses=courses,
        groups=groups,
    )
    members.finish()
    _check_accounts(scenario)
    return scenario


NO_VAULT: Final = VaultPlan(Atoms(0), Rate(200_000), Rate(0))


def _find_rulebook(name: str, folder: Path) -> RulebookFile:
    """The preset of that name, or the file, relative to the scenario's folder, with its own errors."""
    if name in get_preset_names():
        return load_preset(name)
    path = folder / name
    if not path.exists():
        expected = f"a file beside the scenario, or one of {', '.join(get_preset_names())}"
        raise Fault(expected, quote(name) + get_hint(name, get_preset_names()), "rulebook")
    return read_rulebook_file(path)


def _read_vault(value: object, figures: Figures) -> VaultPlan:
    members = Members(value, "the vault")
    plan = VaultPlan(
        members.take("cash", figures.read_cash),
        members.take("unwind", figures.read_part, NO_VAULT.unwind),
        members.take("spread", figures.read_part, NO_VAULT.spread),
    )
    members.finish()
    return plan


def _read_courses(value: object, venue: RulebookFile, units: Units, steps: int) -> tuple[Course, ...]:
    if not isinstance(value, dict) or not value:
        raise Fault("a table with at least one market", describe_toml(value) if value else "none")
    courses: list[Course] = []
    for name, table in value.items():
        with within(printable(name)):
            rules = venue.markets.get(MarketId(name))
            if rules is None:
                known = ", ".join(venue.markets)
                raise Fault(f"a market of the rulebook ({known})", quote(name) + get_hint(name, venue.markets))
            figures, members = Figures(units, MarketId(name)), Members(table, "a market")
            price = members.take("price", figures.read_price)
            course = Course(
                market=MarketId(name),
                rules=rules,
                price=price,
                path=members.take("path", lambda value, f=figures, p=price: _read_path(value, f, p, steps)),  # type: ignore[misc]
                impact=members.take("impact", figures.read_part, Rate(0)),
                window=members.take("window", whole(1, 1_000), 6),
                funding_every=members.take("funding_every", whole(0, MOST_STEPS), 0),
            )
            members.finish()
            courses.append(course)
    return tuple(courses)


def _read_path(value: object, figures: Figures, price: Price, steps: int) -> tuple[Segment, ...]:
    segments: list[Segment] = []
    for place, table in enumerate(_read_array(value, "at least one segment")):
        with within(f"[{place}]"):
            members = Members(table, "a segment")
            segment = Segment(
                members.take("steps", whole(1, MOST_STEPS)),
                members.take("change", figures.read_change, Rate(0)),
                Rate(members.take("noise", figures.read(Quantity.RATE, 0, RATE_ONE // 20), 0)),
            )
            members.finish()
            segments.append(segment)
            ends = accumulate((segment.change for segment in segments), grow, initial=int(price))
            if max(ends) >= _MOST:
                raise Fault(f"a price below 10^{len(str(_MOST)) - 1} atoms per lot", "a higher one", "change")
    if (length := sum(segment.steps for segment in segments)) > steps:
        raise Fault(f"at most {steps:,} steps together, as the scenario has", f"{length:,}")
    return tuple(segments)


def _read_array(value: object, expected: str) -> list[object]:
    if not isinstance(value, list) or not value:
        raise Fault(f"an array with {expected}", "an empty one" if value == [] else describe_toml(value))
    return value


def _read_groups(value: object, listed: dict[MarketId, Figures], steps: int) -> tuple[Group, ...]:
    if value == []:
        return ()
    groups: list[Group] = []
    for place, table in enumerate(_read_array(value, "tables of agents")):
        with within(f"[{place}]"):
            groups.append(_read_group(table, listed, steps))
    return tuple(groups)


def _read_group(value: object, listed: dict[MarketId, Figures], steps: int) -> Group:
    members = Members(value, "agents")
    kind = members.take("kind", one_of(*_KINDS))
    members.noun = f"agents of kind {kind}"
    market = MarketId(members.take("market", one_of(*listed)))
    figures = listed[market]
    name = members.take("name", read_name, f"{market}-{kind}")
    base = (
        name,
        market,
        members.take("count", whole(0, _MOST_ACCOUNTS)),
        Atoms(members.take("cash", figures.read(Quantity.AMOUNT, 1))),
        members.take("arrive", span(0, steps), Span(0, 0)),
        members.take_or_none("leave", span(0, steps)),
        members.take("slippage", figures.read_part, Rate(10_000)),
    )
    group = _KINDS[kind](members, figures, base)
    members.finish()
    return group


Base = tuple[str, MarketId, int, Atoms, Span, Span | None, Rate]


def _read_makers(members: Members, figures: Figures, base: Base) -> Makers:
    return Makers(
        *base,
        levels=members.take("levels", whole(1, _MOST_LEVELS)),
        size=members.take("size", figures.read_size),
        spread=members.take("spread", figures.read_part),
        distance=members.take("distance", figures.read_part),
        halved_at=members.take("halved_at", figures.read_some, Rate(20_000)),
        leave_at=members.take("leave_at", figures.read_rate, Rate(_MOST_RATE)),
        limit=members.take("limit", figures.read_size, Lots(_MOST)),
        refresh=members.take("refresh", whole(1, MOST_STEPS), 1),
    )


def _read_holders(members: Members, figures: Figures, base: Base) -> Holders:
    is_long = members.take("side", one_of("long", "short")) == "long"
    return Holders(*base, is_long, members.take("leverage", _LEVERAGE))


def _read_followers(members: Members, figures: Figures, base: Base) -> Followers:
    leverage, trigger = members.take("leverage", _LEVERAGE), members.take("trigger", figures.read_some)
    return Followers(*base, leverage, trigger, members.take("activity", figures.read_part, Rate(RATE_ONE)))


def _read_takers(members: Members, figures: Figures, base: Base) -> Takers:
    return Takers(*base, members.take("leverage", _LEVERAGE), members.take("activity", figures.read_part))


_LEVERAGE: Final = span(1, _MOST_LEVERAGE)
_KINDS: Final[dict[str, Callable[[Members, Figures, Base], Group]]] = {
    "makers": _read_makers,
    "holders": _read_holders,
    "followers": _read_followers,
    "takers": _read_takers,
}


def _check_accounts(scenario: Scenario) -> None:
    """No account twice, and not too many for the steps."""
    count = sum(group.count for group in scenario.groups)
    if count > _MOST_ACCOUNTS or count * scenario.steps > MOST_TURNS:
        expected = f"at most {_MOST_ACCOUNTS:,} accounts, and {MOST_TURNS:,} of accounts times steps"
        raise Fault(expected, f"{count:,} accounts and {scenario.steps:,} steps", "agents")
    known = {str(scenario.rulebook.vault)}
    for place, group in enumerate(scenario.groups):
        for id in get_members(group):
            if id in known:
                raise Fault("a name of its own for each group", f"a second {quote(id)}", f"agents[{place}].name")
            known.add(id)
