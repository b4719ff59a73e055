"""Hyperliquid: fills and misc events as its nodes write them and its API answers them, and clearinghouse states.

A node's line is a pair of user and fill, or a block with ``events``; the API answers arrays of fills, of funding and of
ledger updates. ``closedPnl`` is told before the fee, at average entry, and ``fee`` has the builder's part in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from riskcore.bad_input import Fault, LogError, printable, within
from riskcore.importing.json_rows import Progress, read_values
from riskcore.importing.records import (
    ACCOUNT,
    Convention,
    Data,
    Flow,
    Movement,
    Place,
    Snapshot,
    Trade,
    find_figure,
    get_above_zero,
    get_figure,
    get_time,
    to_time,
)
from riskcore.strict_json import describe
from riskcore.venues.answers import find, get, get_text, read_data
from riskcore.venues.loading import Accounts, read_hyperliquid_account

#: What each word says of the position: opened, closed, flipped, or nothing that holds of every such fill.
DIRECTIONS: Final = {
    "Open Long": "open",
    "Open Short": "open",
    "Close Long": "close",
    "Close Short": "close",
    "Long > Short": "flip",
    "Short > Long": "flip",
    "Auto-Deleveraging": "close",
    "Liquidated Cross Long": "close",
    "Liquidated Cross Short": "close",
    "Liquidated Isolated Long": "close",
    "Liquidated Isolated Short": "close",
    "Settlement": "close",
}
#: How the words begin that say that the account is closed by force.
_FORCED: Final = ("Liquidated", "Auto-Deleveraging")
CONVENTION: Final = Convention("hyperliquid", Fraction(1, 10**6), directions=DIRECTIONS)
#: Members of a fill that have a use here, or that say nothing of positions and cash.
_KNOWN: Final = {
    *("user", "coin", "px", "sz", "side", "time", "startPosition", "dir", "closedPnl", "hash", "oid", "crossed", "fee"),
    *("tid", "feeToken", "liquidation", "cloid", "builder", "builderFee", "builder_fee", "twapId"),
}
#: Characters of a path within a line; of array within array it has three a level.
_DEEPEST: Final = 60
_SIDES: Final = {"B": 1, "A": -1}
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|\+00:00)?")


def read_hyperliquid(paths: Sequence[Path], progress: Progress | None = None) -> Data:
    """The fills and events of these files. Where none says whose it is, each of several files is an account.

    ``LogError`` names file, line and field of what cannot be read.
    """
    data = Data(CONVENTION)
    for path in paths:
        user = ACCOUNT if len(paths) == 1 else path.stem
        for place, value in read_values(path, progress):
            try:
                _read(value, place, data, user)
            except Fault as fault:
                raise LogError(place.file, place.line, fault.field, fault.expected, fault.got) from None
    return data


def _read(value: Any, place: Place, data: Data, user: str) -> None:
    """One value: whatever of the shapes it has."""
    if len(place.path) > _DEEPEST:
        raise Fault("arrays of a few levels", "deeper nesting")
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str):
        _read(value[1], place, data, value[0])
    elif isinstance(value, list):
        for number, entry, at in _number(value, place):
            with within(f"[{number}]"):
                _read(entry, at, data, user)
    elif not isinstance(value, dict):
        raise Fault("a fill, a block of events or an array of them", describe(value))
    elif "events" in value or "fills" in value:
        _read_envelope(value, place, data, user)
    elif isinstance(value.get("data"), dict):
        with within("data"):
            _read(value["data"], _under(place, "data"), data, user)
    elif "inner" in value:
        with within("inner"):
            _read_misc(value["inner"], _get_time(value), place, data)
    elif "delta" in value:
        with within("delta"):
            _read_delta(get(value, "delta"), _get_time(value), place, data, user)
    else:
        _read_fill(value, place, data, user)


def _number(entries: list[Any], place: Place) -> Iterator[tuple[int, Any, Place]]:
    for number, entry in enumerate(entries):
        yield number, entry, Place(place.file, place.line, f"{place.path}[{number}]")


def _read_envelope(value: dict[str, Any], place: Place, data: Data, user: str) -> None:
    name = "events" if "events" in value else "fills"
    owner = value["user"] if isinstance(value.get("user"), str) else user
    with within(name):
        if not isinstance(value[name], list):
            raise Fault("an array", describe(value[name]))
        _read(value[name], _under(place, name), data, owner)


def _under(place: Place, name: str) -> Place:
    return Place(place.file, place.line, f"{place.path}.{name}".lstrip("."))


def _read_fill(fill: dict[str, Any], place: Place, data: Data, user: str) -> None:
    coin = get_text(fill, "coin")
    if coin.startswith("@") or "/" in coin:
        data.leave_out("fills of spot markets", place)
        return
    side = get_text(fill, "side")
    if side not in _SIDES:
        raise Fault("B or A", describe(side), "side")
    for name in sorted(fill.keys() - _KNOWN):
        data.leave_out(f"column {printable(name)}", place)
    fee = find_figure(fill, "fee") or Fraction(0)
    if find(fill, "feeToken") not in (None, "USDC") and fee != 0:
        data.leave_out("fees in another token", place)
        fee = Fraction(0)
    id, crossed = find(fill, "tid"), find(fill, "crossed")
    if id is not None and (isinstance(id, bool) or not isinstance(id, int | str)):
        raise Fault("an integer or a text", describe(id), "tid")
    if crossed is not None and not isinstance(crossed, bool):
        raise Fault("true or false", describe(crossed), "crossed")
    direction = find(fill, "dir")
    data.trades.append(
        Trade(
            place,
            get_text(fill, "user") if find(fill, "user") is not None else user,
            coin,
            _SIDES[side] * get_above_zero(fill, "sz"),
            get_above_zero(fill, "px"),
            fee,
            _get_time(fill),
            None if id is None else str(id),
            crossed,
            before=find_figure(fill, "startPosition"),
            closed_pnl=find_figure(fill, "closedPnl"),
            direction=None if direction is None else get_text(fill, "dir"),
            is_forced=isinstance(direction, str) and direction.startswith(_FORCED),
        )
    )


def _get_time(value: object) -> int:
    """Milliseconds: a number of them, or a node's text, of which what is finer is left off."""
    time = get(value, "time")
    with within("time"):
        if isinstance(time, str) and (found := _TIME.fullmatch(time)) is not None:
            try:
                moment = datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
            except ValueError:
                raise Fault("a time", describe(time)) from None
            seconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // (moment.resolution * 10**6)
            return to_time(Fraction(seconds * 1000) + Fraction(int((found[2] or "0").ljust(9, "0")), 10**6))
    return get_time(value, "time")


# Cash without a trade


def _read_misc(inner: object, time: int, place: Place, data: Data) -> None:
    """A node's event; what touches no margin, such as staking, is counted by its name."""
    if not isinstance(inner, dict) or len(inner) != 1:
        raise Fault("an object of one member", describe(inner))
    ((name, body),) = inner.items()
    with within(name):
        if name == "Funding":
            deltas = get(body, "deltas")
            if not isinstance(deltas, list):
                raise Fault("an array", describe(deltas), "deltas")
            for number, delta, at in _number(deltas, place):
                with within(f"deltas[{number}]"):
                    amount = next((key for key in ("fundingAmount", "usdc") if find(delta, key)), "funding_amount")
                    _add(data, at, get_text(delta, "user"), time, get_figure(delta, amount), Movement.FUNDING)
        elif name == "LedgerUpdate":
            users, delta = get(body, "users"), get(body, "delta")
            if not isinstance(users, list) or not users or not isinstance(users[0], str):
                raise Fault("an array of users", describe(users), "users")
            with within("delta"):
                _read_delta(delta, time, place, data, users[0])
        else:
            data.leave_out(f"event {printable(name)}", place)


def _read_delta(delta: object, time: int, place: Place, data: Data, user: str) -> None:
    """An update of the ledger: what moves cash in and out of margin is booked, another is counted by its type."""
    kind = get_text(delta, "type")
    if kind == "funding":
        _add(data, place, user, time, get_figure(delta, "usdc"), Movement.FUNDING)
    elif kind == "deposit":
        _add(data, place, user, time, get_above_zero(delta, "usdc"), Movement.DEPOSIT)
    elif kind == "withdraw":
        gone = get_above_zero(delta, "usdc") + (find_figure(delta, "fee") or Fraction(0))
        _add(data, place, user, time, -gone, Movement.WITHDRAWAL)
    elif kind == "accountClassTransfer" and isinstance(find(delta, "toPerp"), bool):
        amount, comes = get_above_zero(delta, "usdc"), find(delta, "toPerp")
        sign, movement = (1, Movement.DEPOSIT) if comes else (-1, Movement.WITHDRAWAL)
        _add(data, place, user, time, sign * amount, movement)
    else:
        data.leave_out(f"ledger update {printable(kind)}", place)


def _add(data: Data, place: Place, user: str, time: int, amount: Fraction, kind: Movement) -> None:
    if amount != 0:
        data.flows.append(Flow(place, user, time, amount, kind))


# What accounts have


def read_hyperliquid_state(path: Path, account: str) -> Snapshot:
    """A ``clearinghouseState`` as of one account's, or an object of them by account. An isolated position is in it
    as any other, and the cash it has is the account's. ``LogError`` where it is neither or contradicts itself.
    """
    answer = read_data(path)
    if not isinstance(answer, dict):
        raise LogError(str(path), None, None, "a clearinghouseState, or an object of them", describe(answer))
    cash: dict[str, Fraction | None] = {}
    positions: dict[tuple[str, str], tuple[Fraction, Fraction]] = {}
    for id, state in ({account: answer} if "assetPositions" in answer else answer).items():
        accounts = Accounts({}, {}, {})
        try:
            with within(printable(id)):
                read_hyperliquid_account(state, id, accounts)
        except Fault as fault:
            raise LogError(str(path), None, fault.field, fault.expected, fault.got) from None
        cash[id] = sum((holding.cash for holding in accounts.holdings.values()), Fraction(0))
        for holding in accounts.holdings.values():
            for market, held in holding.positions.items():
                cost = held.cost if held.cost is not None else Fraction(0)
                positions[id, market] = held.size, cost / held.size
    return Snapshot(Place(str(path)), cash, positions)
