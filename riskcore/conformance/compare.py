"""The kernel and an engine side by side, and the first event on which they part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from attrs import frozen

from riskcore.conformance.engine import HASH, RULES, STATE, get_aggregates
from riskcore.conformance.peer import EngineFailure
from riskcore.conformance.session import Reply, Session, Unsupported
from riskcore.events import Event
from riskcore.snapshot import encode_state, get_state_hash
from riskcore.state import State
from riskcore.step import Outcome, step


@frozen
class Difference:
    """A figure at ``path``: before the event, after it by the kernel, and by the engine; None where there is none."""

    path: str
    before: Any
    ours: Any
    theirs: Any


@frozen
class Divergence:
    """``index``: which of the events it is. ``what``: what parts first: the outcome, the aggregates, the hash or the
    state. ``ours``, ``theirs``: the rule that rejects it, or None.
    """

    index: int
    event: Event
    what: str
    ours: str | None
    theirs: str | None
    differences: tuple[Difference, ...]

    @property
    def sort(self) -> tuple[str, str | None, str | None]:
        """Of which two divergences may be one and the same: by the same rules, or in figures."""
        is_ruled = self.what in ("outcome", "rule")
        return (self.what, self.ours, self.theirs) if is_ruled else ("figures", None, None)


def compare(
    session: Session, pre: State, events: Sequence[Event], *, watch: bool = False
) -> Divergence | Unsupported | None:
    """Send the events one by one; None where both do the same all along.

    The state is asked for at the end, or after each event where ``watch`` says so, of engines that show it. Where they
    tell its hash, that is enough until the end.
    """
    refusal = session.reset(pre)
    if refusal is not None:
        return refusal
    state = pre
    for index, event in enumerate(events):
        outcome = step(state, event)
        is_last = index + 1 == len(events)
        is_asked = session.shows_state and (is_last or (watch and HASH not in session.hello.features))
        try:
            reply = session.send(event)
            if isinstance(reply, Unsupported):
                return reply
            what = find_what(session, outcome, reply)
            theirs = session.get_state() if session.shows_state and (what or is_asked) else None
        except EngineFailure as failure:
            failure.events = index
            raise
        if what is None and theirs is not None and encode(theirs) != encode(outcome.state):
            what = STATE
        if what is not None:
            differences = list_differences(state, outcome.state, reply, theirs)
            return Divergence(index, event, what, get_rule(outcome), reply.rejected, tuple(differences))
        state = outcome.state
    return None


def find_what(session: Session, outcome: Outcome, reply: Reply) -> str | None:
    """What of a reply is not the kernel's: only which rule rejects, or which hash, where the engine tells."""
    rule = get_rule(outcome)
    if (rule is None) != (reply.rejected is None):
        return "outcome"
    if RULES in session.hello.features and rule != reply.rejected:
        return "rule"
    if reply.aggregates != get_aggregates(outcome.state):
        return "aggregates"
    if HASH in session.hello.features and reply.hash != get_state_hash(outcome.state):
        return "hash"
    return None


def get_rule(outcome: Outcome) -> str | None:
    return None if outcome.rejected is None else outcome.rejected.name


def encode(state: State) -> dict[str, Any]:
    """What of a state is compared: all that its hash covers."""
    return encode_state(state, whole=False)


def list_differences(before: State, ours: State, reply: Reply, theirs: State | None) -> Iterator[Difference]:
    """The figures in which two states differ; where the engine shows none, those of the aggregates."""
    sides: tuple[dict[str, Any], dict[str, Any], dict[str, Any]]
    if theirs is None:
        sides = get_aggregates(before), get_aggregates(ours), reply.aggregates
    else:
        sides = encode(before), encode(ours), encode(theirs)
    first, second, third = (dict(flatten(side)) for side in sides)
    for path in sorted(second.keys() | third.keys()):
        if second.get(path) != third.get(path):
            yield Difference(path, first.get(path), second.get(path), third.get(path))


def flatten(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value that is no object, by its path."""
    if isinstance(value, dict) and value:
        for name, entry in value.items():
            yield from flatten(entry, f"{path}.{name}" if path else name)
    else:
        yield path, value
