"""The reference engine, served over the protocol: one JSON object a line, an answer to each.

``python -m riskcore.conformance.engine`` is a peer for engines and for the runner's own tests.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final, TextIO

import attrs

from riskcore.bad_input import Fault, Malformed
from riskcore.conformance.wire import EVENT_NAMES, event_from_wire, state_from_wire, state_to_wire, to_wire
from riskcore.events import Event
from riskcore.snapshot import get_state_hash
from riskcore.state import State
from riskcore.step import Outcome, step
from riskcore.strict_json import SNAPSHOT_DIGITS, describe, parse_object

PROTOCOL: Final = 1
#: What an engine may add to the least: its whole state, the state's hash, the rule by which it rejects, and that it
#: takes states of which only what the event looks at is there.
STATE, HASH, RULES, PARTIAL = "state", "hash", "rules", "partial_states"
FEATURES: Final = (STATE, HASH, RULES, PARTIAL)


def get_aggregates(state: State) -> dict[str, Any]:
    """The totals that every engine tells after each event: the reserves, all balances, and open interest by market."""
    markets = sorted(state.markets.items())
    return {
        **attrs.asdict(state.reserves),
        "balances": sum(account.balance for _, account in state.accounts.items()),
        "open_interest": {id: market.open_interest for id, market in markets if market is not None},
    }


class Server:
    """One conversation. ``step`` is the kernel's, or whatever stands for it."""

    def __init__(self, apply: Callable[[State, Event], Outcome] = step, name: str = "riskcore") -> None:
        self._apply = apply
        self._name = name
        self._state: State | None = None

    def answer(self, message: dict[str, object]) -> dict[str, object]:
        """The answer to a message; ``Fault`` where it is none of the protocol's."""
        kind = message.get("type")
        if kind == "hello":
            says = {"protocol": str(PROTOCOL), "engine": self._name}
            return {"type": "hello", **says, "events": list(EVENT_NAMES), "features": list(FEATURES)}
        if kind == "reset":
            self._state = state_from_wire(message.get("state"))
            return {"type": "ready"}
        if self._state is None or kind not in ("event", "state"):
            raise Fault("hello, reset, event or state, the last two after a reset", describe(kind), "type")
        if kind == "state":
            return {"type": "state", "state": state_to_wire(self._state)}
        outcome = self._apply(self._state, event_from_wire(message.get("event")))
        self._state = outcome.state
        rejected = None if outcome.rejected is None else outcome.rejected.name
        told = {"aggregates": to_wire(get_aggregates(self._state)), "hash": get_state_hash(self._state)}
        return {"type": "outcome", "rejected": rejected, **told}

    def run(self, messages: TextIO) -> Iterator[str]:
        """An answer to each line, until there are no more or one cannot be understood."""
        for line in messages:
            try:
                answer = self.answer(parse_object(line.encode(), SNAPSHOT_DIGITS))
            except (Fault, Malformed) as fault:
                answer = {"type": "error", "message": str(fault)}
            yield json.dumps(answer, separators=(",", ":")) + "\n"


def serve(server: Server) -> None:
    sys.set_int_max_str_digits(0)
    for answer in server.run(sys.stdin):
        sys.stdout.write(answer)
        sys.stdout.flush()


if __name__ == "__main__":
    serve(Server())
