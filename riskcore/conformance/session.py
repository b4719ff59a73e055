"""A conversation with an engine: what is asked, and what an answer must look like."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Final, TypeVar, cast

from attrs import frozen

from riskcore.bad_input import Fault, Malformed, within
from riskcore.codec import require_fields
from riskcore.conformance.engine import FEATURES, PROTOCOL, STATE
from riskcore.conformance.peer import EngineFailure, Failing, Limits, Peer
from riskcore.conformance.wire import EVENT_NAMES, event_to_wire, from_wire, state_from_wire, state_to_wire
from riskcore.events import Event
from riskcore.lines import Reserve
from riskcore.rules import Rule
from riskcore.state import State
from riskcore.strict_json import SNAPSHOT_DIGITS, describe, parse_object

T = TypeVar("T")

#: The totals of each outcome that are plain integers; ``open_interest`` is one by market.
TOTALS: Final = (*(reserve.value for reserve in Reserve), "balances")


@frozen
class Hello:
    """What an engine says of itself: the events that it takes, by the names of logs, and what it tells besides."""

    engine: str
    events: frozenset[str]
    features: frozenset[str]


@frozen
class Unsupported:
    """The engine does not do this, and says why. No verdict on it."""

    reason: str


@frozen
class Reply:
    """What an engine made of an event. ``hash`` is None where it tells none."""

    rejected: str | None
    aggregates: dict[str, Any]
    hash: str | None


class Session:
    """An engine under way. Everything raises ``EngineFailure`` where it breaks the protocol; it is then started anew
    by the next ``reset``. A context manager.
    """

    def __init__(self, command: Sequence[str], limits: Limits) -> None:
        self._command = command
        self._limits = limits
        self._peer: Peer | None = None
        self.hello = self._start()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._peer is not None:
            if error is None:
                self._peer.close()
            else:
                self._peer.kill()
            self._peer = None

    def _start(self) -> Hello:
        self._peer = Peer(self._command, self._limits)
        members = self._ask({"type": "hello", "protocol": str(PROTOCOL)}, ("hello",))
        return self._decoded("hello", members, _read_hello)

    def reset(self, state: State) -> Unsupported | None:
        """Begin anew from a state; not None where the engine cannot hold it."""
        if self._peer is None:
            self._start()
        members = self._ask({"type": "reset", "state": state_to_wire(state)}, ("ready", "unsupported"))
        return self._decoded("reset", members, _read_refusal)

    def send(self, event: Event) -> Reply | Unsupported:
        members = self._ask({"type": "event", "event": event_to_wire(event)}, ("outcome", "unsupported"))
        return self._decoded("event", members, _read_reply)

    def get_state(self) -> State:
        """The engine's state; only where it has the feature ``state``."""
        members = self._ask({"type": "state"}, ("state",))
        return self._decoded("state", members, lambda members: state_from_wire(members.get("state")))

    @property
    def shows_state(self) -> bool:
        return STATE in self.hello.features

    def _ask(self, message: dict[str, object], kinds: tuple[str, ...]) -> dict[str, object]:
        """The answer's members; its type is one of ``kinds``."""
        assert self._peer is not None
        try:
            answer = self._peer.ask(json.dumps(message, separators=(",", ":")).encode())
        except EngineFailure:
            self._peer = None
            raise
        try:
            members = parse_object(answer, SNAPSHOT_DIGITS)
            if members.get("type") not in kinds:
                raise Fault(" or ".join(f'"{kind}"' for kind in kinds), _describe(members), "type")
        except Fault as fault:
            raise self._break(str(message["type"]), fault, answer) from None
        return members

    def _decoded(self, asked: str, members: dict[str, object], decode: Callable[[dict[str, object]], T]) -> T:
        try:
            return decode(members)
        except Fault as fault:
            raise self._break(asked, fault) from None

    def _break(self, asked: str, fault: Fault, answer: bytes = b"") -> EngineFailure:
        """The failure of an engine that answers, but not as it should; it is ended."""
        assert self._peer is not None
        peer, self._peer = self._peer, None
        place = f" at {fault.field}" if fault.field else ""
        shown = f" in {json.dumps(answer[:100].decode(errors='replace'))}" if isinstance(fault, Malformed) else ""
        return peer.fail(Failing.GARBAGE, f"to {asked}{place}: {fault}{shown}")


def _describe(members: dict[str, object]) -> str:
    """An answer's type; of an error, what it says."""
    kind = describe(members.get("type"))
    return f"{kind} ({str(members.get('message'))[:200]})" if members.get("type") == "error" else kind


def _read_hello(members: dict[str, object]) -> Hello:
    if members.get("protocol") != str(PROTOCOL):
        raise Fault(f'"{PROTOCOL}"', describe(members.get("protocol")), "protocol")
    events = _read_names("events", members, EVENT_NAMES)
    return Hello(_read_string("engine", members), events, _read_names("features", members, FEATURES))


def _read_names(name: str, members: dict[str, object], known: Sequence[str]) -> frozenset[str]:
    with within(name):
        value = members.get(name)
        if type(value) is not list:
            raise Fault("an array of strings", describe(value))
        for entry in value:
            if entry not in known:
                raise Fault("one of " + ", ".join(known), describe(entry))
        return frozenset(value)


def _read_string(name: str, members: dict[str, object]) -> str:
    value = members.get(name)
    if type(value) is not str:
        raise Fault("a string", describe(value), name)
    return value


def _read_refusal(members: dict[str, object]) -> Unsupported | None:
    return Unsupported(_read_string("reason", members)[:200]) if members["type"] == "unsupported" else None


def _read_reply(members: dict[str, object]) -> Reply | Unsupported:
    refusal = _read_refusal(members)
    if refusal is not None:
        return refusal
    rejected = members.get("rejected", "")
    if rejected is not None and rejected not in Rule.__members__:
        raise Fault("null, or the name of a rule", describe(rejected), "rejected")
    hash = _read_string("hash", members) if "hash" in members else None
    with within("aggregates"):
        aggregates = from_wire(members.get("aggregates"), "aggregates")
        if type(aggregates) is not dict:
            raise Fault("an object", describe(aggregates))
        require_fields(aggregates, (*TOTALS, "open_interest"), "the aggregates")
        for name in TOTALS:
            if type(aggregates[name]) is not int:
                raise Fault("an integer", describe(aggregates[name]), name)
        if type(aggregates["open_interest"]) is not dict:
            raise Fault("an object of lots by market", describe(aggregates["open_interest"]), "open_interest")
    return Reply(cast("str | None", rejected), aggregates, hash)
