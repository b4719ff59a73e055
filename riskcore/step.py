"""One event, one step. Everything that can happen to a state goes through here."""

from __future__ import annotations

from attrs import frozen

from riskcore import events
from riskcore.events import Event
from riskcore.journal import Journal, Line, Trade
from riskcore.rules import Rejected, Rule, require
from riskcore.state import State
from riskcore.transitions import TRANSITIONS

#: The events that an open deleveraging, or an open sharing of a loss, accepts; all others wait for its end.
DELEVERAGING_STEPS = (events.Deleverage, events.EndDeleveraging)
SHARING_STEPS = (events.ShareLoss,)


@frozen
class Outcome:
    """What a step gives: the new state and the lines that lead to it, or the rule it broke.

    ``state`` of a rejected event is the state that went in.
    """

    state: State
    effects: tuple[Line, ...]
    rejected: Rule | None


def apply(state: State, event: Event) -> Journal:
    """The journal of an accepted event; raises ``Rejected``. This is what is proven."""
    require(not state.seen.get(event.id), Rule.DUPLICATE_ID)
    require(event.sequence > state.sequence, Rule.SEQUENCE_NOT_AHEAD)
    require(event.timestamp >= state.timestamp, Rule.TIME_BACKWARDS)
    require(state.deleveraging is None or isinstance(event, DELEVERAGING_STEPS), Rule.DELEVERAGING_OPEN)
    require(state.sharing is None or isinstance(event, SHARING_STEPS), Rule.SHARING_OPEN)
    return TRANSITIONS[type(event)](state, event)


def step(state: State, event: Event) -> Outcome:
    """Apply one event.

    Gives the new state with its effects, lines of zero atoms left out; or, where a
    guard fails, the unchanged state and the rule. Raises nothing for any event, and
    ``TypeError`` for what is none.
    """
    if type(event) not in TRANSITIONS:
        raise TypeError(f"an event of riskcore is expected, not {event!r}")
    try:
        journal = apply(state, event)
    except Rejected as rejection:
        return Outcome(state, (), rejection.rule)
    return Outcome(journal.post(event), get_effects(journal), None)


def get_effects(journal: Journal) -> tuple[Line, ...]:
    """The journal's lines, payments of nothing left out."""
    return tuple(line for line in journal.lines if line.amount != 0 or type(line) is Trade)
