"""Scenarios as TOML files: read strictly, and what is wrong named by its place."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from attrs import evolve

from riskcore.bad_input import Fault, LogError, get_hint, printable, quote, within
from riskcore.quantities import RATE_ONE, Atoms, Lots, MarketId, Rate, Time
from riskcore.rulebook import MarketRules
from riskcore.rulebook_file import RulebookFile, read_rulebook_file
from riskcore.simulation.scenario import (
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
from riskcore.strict_toml import (
    MOST,
    MOST_RATE,
    Figures,
    Members,
    describe_toml,
    one_of,
    pair,
    read_array,
    read_name,
    read_text,
    read_toml,
    whole,
)
from riskcore.units import Quantity, Units
from riskcore.venues.presets import get_preset_names, load_preset

SCHEMA_VERSION: Final = 1
MOST_STEPS: Final = 100_000
#: Accounts times steps: what a run costs even where nobody trades.
MOST_TURNS: Final = 5_000_000
_MOST_ACCOUNTS: Final = 5_000
_MOST_LEVELS: Final = 50
_MOST_LEVERAGE: Final = 1_000


def read_scenario(path: Path) -> Scenario:
    """The scenario in the file; ``LogError`` where it, or the rulebook that it names, cannot be read as one."""
    file = str(path)
    members = read_toml(path)
    try:
        return decode_scenario(members, path.parent)
    except Fault as fault:
        raise LogError(file, None, fault.field, fault.expected, fault.got) from None


def decode_scenario(value: object, folder: Path) -> Scenario:
    """The scenario of a table; ``folder`` is where it names files from. Raises ``Fault``."""
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
    path, is_there = folder / name, False
    # a name that no file can have is one that none has
    with suppress(OSError, ValueError):
        is_there = path.exists()
    if not is_there:
        expected = f"a file beside the scenario, or one of {', '.join(get_preset_names())}"
        raise Fault(expected, quote(name) + get_hint(name, get_preset_names()), "rulebook")
    try:
        return read_rulebook_file(path)
    except LogError as error:
        raise Fault(error.expected, error.got, f"rulebook: {error.place}") from None


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
                known = ", ".join(map(printable, venue.markets))
                raise Fault(f"a market of the rulebook ({known})", quote(name) + get_hint(name, venue.markets))
            courses.append(_read_course(table, rules, Figures(units, MarketId(name)), steps))
    return tuple(courses)


def _read_course(value: object, rules: MarketRules, figures: Figures, steps: int) -> Course:
    members = Members(value, "a market")
    price = members.take("price", figures.read_price)
    assert figures.market is not None
    course = Course(
        market=figures.market,
        rules=rules,
        price=price,
        path=members.take("path", lambda value: _read_path(value, figures, price, steps)),
        impact=members.take("impact", figures.read_part, Rate(0)),
        window=members.take("window", whole(1, 1_000), 6),
        funding_every=members.take("funding_every", whole(0, MOST_STEPS), 0),
    )
    members.finish()
    return course


def _read_path(value: object, figures: Figures, price: int, steps: int) -> tuple[Segment, ...]:
    segments: list[Segment] = []
    for place, table in enumerate(read_array(value, "at least one segment")):
        with within(f"[{place}]"):
            members = Members(table, "a segment")
            segment = Segment(
                members.take("steps", whole(1, MOST_STEPS)),
                members.take("change", figures.read_change, Rate(0)),
                Rate(members.take("noise", figures.read(Quantity.RATE, 0, RATE_ONE // 20), 0)),
            )
            members.finish()
            segments.append(segment)
            price = grow(price, segment.change)
            if price >= MOST:
                raise Fault(
                    f"a price of at most {len(str(MOST)) - 1} digits of atoms per lot", "a higher one", "change"
                )
    if (length := sum(segment.steps for segment in segments)) > steps:
        raise Fault(f"at most {steps:,} steps together, as the scenario has", f"{length:,}")
    return tuple(segments)


def _read_groups(value: object, listed: dict[MarketId, Figures], steps: int) -> tuple[Group, ...]:
    if value == []:
        return ()
    groups: list[Group] = []
    for place, table in enumerate(read_array(value, "tables of agents")):
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


def span(low: int, high: int) -> Callable[[object], Span]:
    read = pair(low, high)
    return lambda value: Span(*read(value))


Base = tuple[str, MarketId, int, Atoms, Span, Span | None, Rate]


def _read_makers(members: Members, figures: Figures, base: Base) -> Makers:
    return Makers(
        *base,
        levels=members.take("levels", whole(1, _MOST_LEVELS)),
        size=members.take("size", figures.read_size),
        spread=members.take("spread", figures.read_part),
        distance=members.take("distance", figures.read_part),
        halved_at=members.take("halved_at", figures.read_some, Rate(20_000)),
        leave_at=members.take("leave_at", figures.read_rate, Rate(MOST_RATE)),
        limit=members.take("limit", figures.read_size, Lots(MOST)),
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
