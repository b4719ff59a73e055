"""Event logs: a header first, then events, each an object of JSON (``log_files.py`` has how files keep them).

Reading is strict and streams: the first line that is wrong ends it with a
``LogError``. What a single event can be judged by is judged by the codec; here
stands what takes the lines before it: ids are new, markets and accounts known.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Final, get_type_hints

from attrs import evolve, frozen

from riskcore.bad_input import Fault, LogError, quote, within
from riskcore.codec import (
    Source,
    check_rulebook,
    check_version,
    decode_event,
    encode,
    get_line,
    read_rulebook,
    read_text,
    require_fields,
)
from riskcore.events import Deposit, Event, Header, ListMarket, Transfer
from riskcore.log_files import new_log, open_records
from riskcore.quantities import AccountId, EventId, MarketId
from riskcore.rulebook import Rulebook
from riskcore.snapshot import load_state
from riskcore.state import State, genesis
from riskcore.strict_json import LOG_DIGITS, describe
from riskcore.transitions import TRANSITIONS
from riskcore.units import NoLot, Units

SCHEMA_VERSION: Final = 1
_LISTING: Final = "list_market"
_LISTED: Final = "a market that was listed before"


@frozen
class LogHeader:
    """The first line. ``snapshot``: path of the state that the log starts from, relative to the log's folder."""

    units: Units
    rulebook: Rulebook
    snapshot: str | None = None


class LogReader:
    """A log open for reading: its header, the state it starts from, and its events, once.

    ``line`` is the number of the line read last, ``bytes_read`` how far into the
    file that is, ``size`` the file's length. Everything raises ``LogError`` where the
    input is bad. A context manager.
    """

    def __init__(self, path: Path, *, mutable: bool = True) -> None:
        self._path, self._file = path, str(path)
        self._records = open_records(path)
        try:
            self.header = self._records.read_header(_decode_header)
            self.state = self._get_start(path, mutable)
        except BaseException:
            self._records.close()
            raise
        self._source = Source(self.header.units, LOG_DIGITS)
        self._known = _Known(self.state)

    @property
    def line(self) -> int:
        return self._records.line

    @property
    def bytes_read(self) -> int:
        return self._records.bytes_read

    @property
    def size(self) -> int:
        return self._records.size

    @property
    def digest(self) -> str:
        """A hash of what was read so far, or of Parquet of the whole file, and of the snapshot that it starts from."""
        return self._records.digest + self._snapshot_digest

    @cached_property
    def _snapshot_digest(self) -> str:
        if self.header.snapshot is None:
            return ""
        return ":" + hashlib.sha256((self._path.parent / self.header.snapshot).read_bytes()).hexdigest()

    def get_names(self) -> Names:
        """The names known so far that a state which all events were applied to does not hold."""
        return self._known.get_names()

    def resume(self, events: int, names: Names, state: State) -> None:
        """Pass over so many events, which led to ``state``: what follows is read as if they had been."""
        self._records.skip(events)
        self.state, self._known = state, _Known(state, names)

    def __enter__(self) -> LogReader:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._records.close()

    def __iter__(self) -> Iterator[Event]:
        read, decode = self._records.read, self._decode_event
        while (event := read(decode)) is not None:
            yield event

    def _decode_event(self, members: dict[str, object]) -> Event:
        market = members.get("market")
        is_listing = members.get("event") == _LISTING
        try:
            event = decode_event(members, self._source)
        except NoLot:
            if not is_listing and type(market) is str and market not in self._known.markets:
                raise Fault(_LISTED, quote(market), "market") from None
            raise
        self._known.check(event)
        return event

    def _get_start(self, path: Path, mutable: bool) -> State:
        name = self.header.snapshot
        if name is None:
            return genesis(self.header.rulebook, mutable=mutable)
        try:
            folder = path.parent.resolve()
            is_inside = (folder / name).resolve().is_relative_to(folder)
        except (OSError, ValueError, RuntimeError):
            is_inside = False
        if not is_inside:
            raise LogError(self._file, 1, "snapshot", "a relative path that stays in the log's folder", quote(name))
        try:
            state = load_state(path.parent / name, mutable=mutable)
        except LogError as error:
            raise LogError(self._file, 1, f"snapshot: {error.place}", error.expected, error.got) from None
        own, theirs = self.header.rulebook.adl_allocation, state.rulebook.adl_allocation
        if state.deleveraging is not None and theirs is not own:
            expected = f"{theirs}, by which the snapshot's open deleveraging goes on"
            raise LogError(self._file, 1, "rulebook.adl_allocation", expected, own)
        if state.sharing is not None and state.rulebook.loss_sharing is not self.header.rulebook.loss_sharing:
            expected = f"{state.rulebook.loss_sharing}, by which the snapshot's open sharing goes on"
            raise LogError(self._file, 1, "rulebook.loss_sharing", expected, self.header.rulebook.loss_sharing)
        return evolve(state, rulebook=self.header.rulebook)


def _decode_header(members: dict[str, object]) -> LogHeader:
    if "event" in members:
        raise Fault(f'the header with "riskcore_log": {SCHEMA_VERSION}', "an event", "event")
    check_version(members, "riskcore_log", SCHEMA_VERSION)
    require_fields(members, ("units", "rulebook"), "the header", ("snapshot",))
    with within("units"):
        units = read_units(members["units"])
    with within("rulebook"):
        rulebook = read_rulebook(members["rulebook"], Source(units, LOG_DIGITS))
    with within("snapshot"):
        snapshot = read_text(members["snapshot"], Source(units, LOG_DIGITS)) if "snapshot" in members else None
    return LogHeader(units, rulebook, snapshot)


def read_units(value: object) -> Units:
    """What the native units are worth; ``Fault`` where that is not said as it should."""
    if type(value) is not dict:
        raise Fault("an object", describe(value))
    require_fields(value, ("cash",), "the units", ("lots",))
    return Units(value["cash"], value.get("lots", {}))


def _get_names(kind: type[Header], hint: object) -> tuple[str, ...]:
    return tuple(name for name, type_ in get_type_hints(kind).items() if type_ == hint)


_ACCOUNTS: Final = {kind: _get_names(kind, AccountId) for kind in TRANSITIONS}
_QUEUES: Final = {kind: _get_names(kind, tuple[AccountId, ...]) for kind in TRANSITIONS}
_MARKETS: Final = {kind: _get_names(kind, MarketId) for kind in TRANSITIONS}


@frozen
class Names:
    """Ids, accounts and markets that events have named, and that no state holds."""

    ids: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    markets: frozenset[str] = frozenset()


class _Known:
    """Which ids, markets and accounts a log has named so far, its snapshot and rulebook included.

    A mutable state that the events are applied to takes the accepted ids in as they come; what it holds is not held
    here again.
    """

    def __init__(self, state: State, names: Names = Names()) -> None:
        self._state = state
        self._last: EventId | None = None
        self.ids: set[str] = {*names.ids}
        self.markets: set[str] = {id for id, _ in state.markets.items()} | names.markets
        self.accounts: set[str] = {id for id, _ in state.accounts.items()} | names.accounts
        self.accounts.add(state.rulebook.vault)

    def get_names(self) -> Names:
        """Those that the state does not hold by now."""
        self._take_last()
        markets, accounts = self._state.markets, self._state.accounts
        return Names(
            frozenset(self.ids),
            frozenset(self.accounts - {id for id, _ in accounts.items()}),
            frozenset(self.markets - {id for id, _ in markets.items()}),
        )

    def _take_last(self) -> None:
        """Hold the id of the last event, unless the state took it in."""
        if self._last is not None and not self._state.seen.get(self._last):
            self.ids.add(self._last)
        self._last = None

    def check(self, event: Event) -> None:
        """Take the event in; ``Fault`` where it uses an id twice, or a name not known."""
        kind = type(event)
        self._take_last()
        if event.id in self.ids or self._state.seen.get(event.id):
            raise Fault("an id that no line before has", quote(event.id), "id")
        if isinstance(event, ListMarket):
            self.markets.add(event.market)
        elif isinstance(event, Deposit):
            self.accounts.add(event.account)
        elif isinstance(event, Transfer):
            self.accounts.add(event.payee)
        for name in _MARKETS[kind]:
            if getattr(event, name) not in self.markets:
                raise Fault(_LISTED, quote(getattr(event, name)), name)
        self._check_accounts(event)
        self._last = event.id

    def _check_accounts(self, event: Event) -> None:
        first: str | None = None
        for name in _ACCOUNTS[type(event)]:
            account: str = getattr(event, name)
            if account not in self.accounts:
                raise Fault("an account known by a deposit or a transfer", quote(account), name)
            if account == first:
                raise Fault("two different accounts", f"{quote(account)} twice", name)
            first = account
        for name in _QUEUES[type(event)]:
            for index, account in enumerate(getattr(event, name)):
                if account not in self.accounts:
                    raise Fault("an account known by a deposit or a transfer", quote(account), f"{name}[{index}]")


def write_log(
    path: Path, rulebook: Rulebook, units: Units, events: Iterable[Event], *, snapshot: str | None = None
) -> int:
    """Write a log in native units, as its name says (``log_files.FORMATS``); how many events it holds.

    ``snapshot`` is a path relative to the log's folder, of a file that ``save_state``
    wrote. Raises ``ValueError`` for a rulebook that is not admissible, an id that stands
    twice, and an event that the format cannot hold; the file is then as it was. Which
    markets and accounts are known is not looked at.
    """
    check_rulebook(rulebook)
    header: dict[str, object] = {
        "riskcore_log": SCHEMA_VERSION,
        "units": {"cash": units.cash, "lots": encode(dict(units.lots), LOG_DIGITS)},
        "rulebook": encode(rulebook, LOG_DIGITS),
    }
    if snapshot is not None:
        header["snapshot"] = encode(snapshot, LOG_DIGITS)
    ids: set[str] = set()
    with new_log(path, header) as add:
        for event in events:
            if event.id in ids:
                raise Fault("an id that no event before has", quote(event.id), "id")
            ids.add(event.id)
            add(get_line(event))
    return len(ids)
