"""Rulebooks as files: one JSON object with a rulebook and the rules of its markets, or a log that has them.

A file may say of each of its figures where it comes from, and which cases check it (``venues/presets``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from attrs import field, frozen

from riskcore.bad_input import Fault, LogError, Malformed, get_cause, printable, within
from riskcore.codec import RULES, Source, check_version, read_rulebook, read_text, require_fields
from riskcore.events import ListMarket
from riskcore.files import get_length
from riskcore.log import LogReader, read_units
from riskcore.log_files import read_start
from riskcore.quantities import MarketId
from riskcore.rulebook import MarketRules, Rulebook, is_admissible_market
from riskcore.snapshot import check_rules
from riskcore.strict_json import LOG_DIGITS, describe, read_object
from riskcore.units import Units

T = TypeVar("T")

SCHEMA_VERSION: Final = 1
VERSION: Final = "riskcore_rulebook"
_OPTIONAL: Final = ("units", "venue", "date", "sources", "cases", "equity_against")
#: What a liquidation price may hold equity against.
EQUITY_AGAINST: Final = ("price", "price_and_fee", "entry")
#: Longer than any rulebook that a person writes; a log may be longer.
_MOST: Final = 16_000_000


@frozen
class RulebookFile:
    """A venue's choices, and those of each of its markets by name.

    ``units``: what atoms and lots are worth, where that is said. ``equity_against``: what the venue's own liquidation
    price holds equity against: the requirement at that ``price``, ``price_and_fee`` of closing, or that at ``entry``.
    ``venue``, ``date``: whose rules they are, and as of when. ``sources``: by a figure's path
    (``rulebook.takeover_rate``, ``markets.BTC.tiers``), that of a whole object covers what is in it, where it comes
    from. ``cases``: by a figure's path, the published cases that have it, as ``id#place in the case``. ``figures``:
    every figure as it is written, by its path.
    """

    rulebook: Rulebook
    markets: dict[MarketId, MarketRules]
    units: Units | None = None
    venue: str | None = None
    date: str | None = None
    sources: dict[str, str] = field(factory=dict)
    cases: dict[str, tuple[str, ...]] = field(factory=dict)
    figures: dict[str, object] = field(factory=dict)
    equity_against: str = "price"

    def get_source(self, path: str) -> str | None:
        """Where a figure comes from: what is said of it, or of what it is a part of; None where nothing is."""
        while path and path not in self.sources:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.sources.get(path)


def read_rulebook_file(path: Path) -> RulebookFile:
    """What the file holds: ``{"riskcore_rulebook": 1, "rulebook": {...}, "markets": {...}}``, or a log.

    Optional are ``"venue"`` and ``"date"``, ``"sources"``, an object of texts by the figures' paths, ``"cases"``, one
    of arrays of texts, and ``"equity_against"``. A log's rules are those of its header and of the markets that it
    lists or starts with. An optional ``"units"``, as in a log's header, lets figures be decimal strings. Raises
    ``LogError`` where the file, or what it says, is not admissible.
    """
    file = str(path)
    length = get_length(path, "a readable file")
    try:
        with open(path, "rb") as stream:
            first = stream.readline(_MOST)
            if b'"riskcore_log"' in first or b'"riskcore_log"' in read_start(path, _MOST):
                return _read_log(path)
            if length > _MOST:
                raise LogError(file, None, None, f"a rulebook of at most {_MOST:,} bytes", f"{length:,}")
            data = first + stream.read()
    except OSError as error:
        raise LogError(file, None, None, "a readable file", get_cause(error)) from None
    try:
        return decode_rulebook(data)
    except Malformed as fault:
        raise LogError(file, fault.row, None, fault.expected, fault.got) from None
    except Fault as fault:
        raise LogError(file, None, fault.field, fault.expected, fault.got) from None


def decode_rulebook(data: bytes) -> RulebookFile:
    """What the text of a rulebook's file says; ``Fault`` where it is not admissible."""
    return read_object(data, LOG_DIGITS, _decode)


def _read_log(path: Path) -> RulebookFile:
    with LogReader(path) as log:
        markets = {id: market.rules for id, market in log.state.markets.items() if market is not None}
        for event in log:
            # what is not admissible is rejected, and lists nothing
            if isinstance(event, ListMarket) and is_admissible_market(event.rules):
                markets.setdefault(event.market, event.rules)
        return RulebookFile(log.header.rulebook, dict(sorted(markets.items())), log.header.units)


def _decode(members: dict[str, object]) -> RulebookFile:
    check_version(members, VERSION, SCHEMA_VERSION)
    require_fields(members, ("rulebook", "markets"), "a rulebook file", _OPTIONAL)
    units = None
    if "units" in members:
        with within("units"):
            units = read_units(members["units"])
    source = Source(units, LOG_DIGITS)
    with within("rulebook"):
        rulebook = read_rulebook(members["rulebook"], source)
    markets: dict[MarketId, MarketRules] = {}
    with within("markets"):
        listed = members["markets"]
        if type(listed) is not dict or not listed:
            raise Fault("an object with at least one market", describe(listed))
        for name, value in listed.items():
            with within(printable(name)):
                rules = RULES.read(value, source, name)
                check_rules(rules)
                markets[MarketId(name)] = rules
    against = members.get("equity_against", EQUITY_AGAINST[0])
    if against not in EQUITY_AGAINST:
        raise Fault("one of " + ", ".join(EQUITY_AGAINST), describe(against), "equity_against")
    written = {name: members[name] for name in ("rulebook", "markets", "equity_against") if name in members}
    figures = dict(list_figures(written))
    texts: dict[str, str | None] = {}
    for name in ("venue", "date"):
        with within(name):
            texts[name] = read_text(members[name], source) if name in members else None
    sources = _read_paths("sources", members, figures, partial(read_text, source=source))
    cases = _read_paths("cases", members, figures, partial(_read_ids, source=source))
    return RulebookFile(rulebook, markets, units, texts["venue"], texts["date"], sources, cases, figures, str(against))


def list_figures(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every value that is no object and no array, by its path."""
    if isinstance(value, dict):
        for name, entry in value.items():
            yield from list_figures(entry, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for place, entry in enumerate(value):
            yield from list_figures(entry, f"{path}[{place}]")
    else:
        yield path, value


def _read_paths(
    name: str, members: dict[str, object], figures: Mapping[str, object], read: Callable[[object], T]
) -> dict[str, T]:
    """What is said by path; ``Fault`` for a path at which there is nothing."""
    told: dict[str, T] = {}
    with within(name):
        value = members.get(name, {})
        if type(value) is not dict:
            raise Fault("an object", describe(value))
        for path, entry in value.items():
            with within(printable(path)):
                if path != "units" and not any(_ends(figure, path) for figure in figures):
                    raise Fault("the path of a figure, like rulebook.takeover_rate", "nothing there")
                told[path] = read(entry)
    return told


def _ends(figure: str, path: str) -> bool:
    """Whether the figure is at the path or within what is there."""
    return figure == path or (figure.startswith(path) and figure[len(path)] in ".[")


def _read_ids(value: object, source: Source) -> tuple[str, ...]:
    if type(value) is not list or not value:
        raise Fault("an array with at least one id of a case", describe(value))
    return tuple(read_text(entry, source) for entry in value)
