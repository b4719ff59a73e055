"""What ``step`` adds to ``apply``, which the obligations are about: its effects, and the state of a rejection."""

from __future__ import annotations

import sys
from itertools import product
from typing import Any
from unittest.mock import patch

from riskcore import events
from riskcore.journal import Journal, Line, Pay, Reason, Reserve, Stage, Trade
from riskcore.prover.book import World
from riskcore.prover.case import new_event
from riskcore.prover.lemma import Lemma, assume
from riskcore.prover.symbols import new_int
from riskcore.prover.tracer import Tracer
from riskcore.quantities import AccountId, Atoms, Lots, MarketId
from riskcore.rules import Rejected, Rule

# the package shows the function of this name, not the module
step: Any = sys.modules["riskcore.step"]


def _effects_are_the_lines(tracer: Tracer) -> Any:
    """In order, each as it was written, whatever its reason and stage; only payments of nothing are left out."""
    amount = new_int("amount")
    journal = Journal(World(tracer, None, deleveraging=False, is_step=False).get_state())
    payer, payee, market = AccountId("payer"), AccountId("payee"), MarketId("market")
    kinds = list(product(Reason, Stage))
    pays: list[Line] = [Pay(payer, Reserve.FEES, amount, reason, stage) for reason, stage in kinds]
    trades: list[Line] = [
        Trade(payer, payee, market, new_int("lots"), amount, reason, stage) for reason, stage in kinds
    ]
    journal.lines = [*pays, *trades, *pays]
    is_something = bool(amount != 0)
    wanted = journal.lines if is_something else trades
    effects = step.get_effects(journal)
    return len(effects) == len(wanted) and all(one is other for one, other in zip(effects, wanted, strict=True))


class _Posted:
    """A journal of which only its posting is asked."""

    def __init__(self, after: object) -> None:
        ids = AccountId("buyer"), AccountId("seller"), MarketId("market")
        self.lines: list[Line] = [Trade(*ids, Lots(1), Atoms(1), Reason.FILL, Stage.ORDINARY)]
        self.events: list[object] = []
        self._after = after

    def post(self, event: object) -> object:
        self.events.append(event)
        return self._after


def _step_is_apply(tracer: Tracer) -> Any:
    """For every event: ``apply`` decides alone, and an accepted journal is posted once."""
    state = World(tracer, None, deleveraging=False, is_step=False).get_state()
    return all(_is_posted(state, new_event(kind)) for kind in step.TRANSITIONS)


def _is_posted(state: object, event: object) -> bool:
    after = object()
    journal, asked = _Posted(after), []

    def apply(*arguments: object) -> _Posted:
        asked.append(arguments)
        return journal

    with patch.object(step, "apply", apply):
        outcome = step.step(state, event)
    is_asked_once = len(asked) == 1 and asked[0][0] is state and asked[0][1] is event
    is_posted_once = len(journal.events) == 1 and journal.events[0] is event
    is_told = len(outcome.effects) == 1 and outcome.effects[0] is journal.lines[0]
    is_accepted = outcome.state is after and outcome.rejected is None
    return is_asked_once and is_posted_once and is_accepted and is_told


def _a_rejection_changes_nothing(tracer: Tracer) -> Any:
    """For every event and every rule: the very state that went in, no effects, and the rule."""
    state = World(tracer, None, deleveraging=False, is_step=False).get_state()
    return all(_is_left(state, new_event(kind), rule) for kind in step.TRANSITIONS for rule in Rule)


def _is_left(state: object, event: object, rule: Rule) -> bool:
    def apply(*arguments: object) -> Journal:
        raise Rejected(rule)

    with patch.object(step, "apply", apply):
        outcome = step.step(state, event)
    return outcome.state is state and (outcome.effects, outcome.rejected) == ((), rule)


def _only_a_broken_rule_is_a_rejection(tracer: Tracer) -> Any:
    """Whatever else a transition raises comes out of ``step`` as it is."""
    state: Any = World(tracer, None, deleveraging=False, is_step=False).get_state()
    event: Any = events.AdvanceTime(**{name: new_int(f"event.{name}") for name in ("id", "sequence", "timestamp")})
    assume(tracer, event.sequence > state.sequence, event.timestamp >= state.timestamp, ~state.seen.get(event.id))
    errors = (Rejected(Rule.NO_DEFICIT), ValueError(), AssertionError())
    return [_get_escape(state, event, error) for error in errors] == [Rule.NO_DEFICIT, ValueError, AssertionError]


def _get_escape(state: Any, event: Any, error: Exception) -> Any:
    """What ``step`` makes of a transition that raises this."""

    def transition(state: Any, event: Any) -> Any:
        raise error

    with patch.dict(step.TRANSITIONS, {type(event): transition}):
        try:
            return step.step(state, event).rejected
        except Exception as raised:
            return type(raised)


LEMMAS = (
    Lemma(
        "effects_are_the_lines",
        "CASH-3",
        "the effects are the journal's lines in order, without payments of nothing",
        _effects_are_the_lines,
        "lines of every reason and stage, any amounts",
    ),
    Lemma("step_is_apply", "REJ-1", "what apply accepts is posted once, and nothing else decides", _step_is_apply),
    Lemma(
        "a_rejection_changes_nothing",
        "REJ-1",
        "a rejection gives the very state that went in, and the rule",
        _a_rejection_changes_nothing,
    ),
    Lemma(
        "only_a_broken_rule_is_a_rejection",
        "REJ-1",
        "whatever else a transition raises comes out as it is",
        _only_a_broken_rule_is_a_rejection,
    ),
)
