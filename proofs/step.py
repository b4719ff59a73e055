"""What ``step`` adds to ``apply``, which the obligations are about: its effects, and the state of a rejection."""

from __future__ import annotations

import sys
from typing import Any
from unittest.mock import patch

from riskcore import events
from riskcore.journal import Journal, Line, Pay, Reason, Reserve, Stage, Trade
from riskcore.prover.book import World
from riskcore.prover.lemma import Lemma, assume
from riskcore.prover.symbols import new_int
from riskcore.prover.tracer import Tracer
from riskcore.quantities import AccountId, MarketId
from riskcore.rules import Rejected, Rule

# the package shows the function of this name, not the module
step: Any = sys.modules["riskcore.step"]


def _effects_are_the_lines(tracer: Tracer) -> Any:
    """In order, each as it was written; only payments of nothing are left out."""
    amounts = [new_int(name) for name in ("first", "traded", "last")]
    journal = Journal(World(tracer, None, deleveraging=False, is_step=False).get_state())
    payer, payee, market = AccountId("payer"), AccountId("payee"), MarketId("market")
    lines: list[Line] = [
        Pay(payer, Reserve.FEES, amounts[0], Reason.FEE, Stage.ORDINARY),
        Trade(payer, payee, market, new_int("lots"), amounts[1], Reason.FILL, Stage.ORDINARY),
        Pay(Reserve.INSURANCE, payee, amounts[2], Reason.COVER, Stage.BOOK),
    ]
    journal.lines = [*lines]
    wanted = [line for line in lines if type(line) is Trade or bool(line.amount != 0)]
    effects = step.get_effects(journal)
    return len(effects) == len(wanted) and all(one is other for one, other in zip(effects, wanted, strict=True))


def _step_is_apply(tracer: Tracer) -> Any:
    """Accepted: the journal posted, and its lines. Rejected: the very state that went in, and the rule."""
    state: Any = World(tracer, None, deleveraging=False, is_step=False).get_state()
    names = ("id", "sequence", "timestamp", "account", "amount")
    event: Any = events.Deposit(**{name: new_int(f"event.{name}") for name in names})
    outcome = step.step(state, event)
    if outcome.rejected is not None:
        return outcome.state is state and outcome.effects == () and isinstance(outcome.rejected, Rule)
    return outcome.state is not state and outcome.state.sequence is event.sequence and len(outcome.effects) == 1


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
        "PROVED-BOUNDED(three lines), any amounts",
    ),
    Lemma("step_is_apply", "REJ-1", "a rejection gives the very state that went in", _step_is_apply),
    Lemma(
        "only_a_broken_rule_is_a_rejection",
        "REJ-1",
        "whatever else a transition raises comes out as it is",
        _only_a_broken_rule_is_a_rejection,
    ),
)
