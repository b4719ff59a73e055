"""Rulebooks as files: one JSON object with a rulebook and the rules of its markets, or a log that has them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from attrs import frozen

from riskcore.bad_input import Fault, LogError, Malformed, get_cause, printable, within
from riskcore.codec import RULES, Source, check_version, read_rulebook, require_fields
from riskcore.events import ListMarket
from riskcore.files import get_length
from riskcore.log import LogReader, read_units
from riskcore.quantities import MarketId
from riskcore.snapshot import check_rules
from riskcore.state import MarketRules, Rulebook, is_admissible_market
from riskcore.strict_json import LOG_DIGITS, describe, read_object

SCHEMA_VERSION: Final = 1
_VERSION: Final = "riskcore_rulebook"
#: Longer than any rulebook that a person writes; a log may be longer.
_MOST: Final = 16_000_000


@frozen
class RulebookFile:
    """A venue's choices, and those of each of its markets by name."""

    rulebook: Rulebook
    markets: dict[MarketId, MarketRules]


def read_rulebook_file(path: Path) -> RulebookFile:
    """What the file holds: ``{"riskcore_rulebook": 1, "rulebook": {...}, "markets": {...}}``, or a log.

    A log's rules are those of its header and of the markets that it lists or starts with. An optional ``"units"``, as
    in a log's header, lets figures be decimal strings. Raises ``LogError`` where the file, or what it says, is
    not admissible.
    """
    file = str(path)
    length = get_length(path, "a readable file")
    try:
        with open(path, "rb") as stream:
            first = stream.readline(_MOST)
            if b'"riskcore_log"' in first:
                return _read_log(path)
            if length > _MOST:
                raise LogError(file, None, None, f"a rulebook of at most {_MOST:,} bytes", f"{length:,}")
            data = first + stream.read()
    except OSError as error:
        raise LogError(file, None, None, "a readable file", get_cause(error)) from None
    try:
        return read_object(data, LOG_DIGITS, _decode)
    except Malformed as fault:
        raise LogError(file, fault.row, None, fault.expected, fault.got) from None
    except Fault as fault:
        raise LogError(file, None, fault.field, fault.expected, fault.got) from None


def _read_log(path: Path) -> RulebookFile:
    with LogReader(path) as log:
        markets = {id: market.rules for id, market in log.state.markets.items() if market is not None}
        for event in log:
            # what is not admissible is rejected, and lists nothing
            if isinstance(event, ListMarket) and is_admissible_market(event.rules):
                markets.setdefault(event.market, event.rules)
        return RulebookFile(log.header.rulebook, dict(sorted(markets.items())))


def _decode(members: dict[str, object]) -> RulebookFile:
    check_version(members, _VERSION, SCHEMA_VERSION)
    require_fields(members, ("rulebook", "markets"), "a rulebook file", ("units",))
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
    return RulebookFile(rulebook, markets)
