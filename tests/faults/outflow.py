"""Faults of the limit to withdrawals."""

from __future__ import annotations

from tests.faults.planting import Fault

FAULTS = (
    Fault(
        name="withdrawals_without_their_limit",
        words="a withdrawal passes the rulebook's limit",
        kinds=(12,),
        module="cash",
        old="require(has_way_out(state.rulebook, state.outflow, leaving, event.timestamp),",
        new="require(True,",
        unit="withdraw",
        kills=("CASH-4",),
    ),
    Fault(
        name="withdrawals_uncounted",
        words="what is withdrawn is not counted against the limit",
        kinds=(),
        module="cash",
        old="    journal.count_outflow(leaving, event.timestamp)\n",
        new="",
        unit="withdraw",
        kills=("CASH-4", "effect/outflow.drawn"),
    ),
    Fault(
        name="deposits_bank_room_to_withdraw",
        words="deposits let more than the limit out later",
        kinds=(),
        module="outflow",
        old="Atoms(max(taken + amount, 0))",
        new="Atoms(taken + amount)",
        unit="lemma:cash",
        kills=("outflow_is_as_specified",),
    ),
    Fault(
        name="every_withdrawal_begins_a_window",
        words="each withdrawal begins its window anew, with what was taken out before",
        kinds=(),
        module="outflow",
        old="outflow.since if taken > 0 else time",
        new="time",
        unit="lemma:cash",
        kills=("outflow_is_as_specified",),
    ),
    Fault(
        name="withdrawals_of_a_window_that_is_over",
        words="a window of withdrawals never ends",
        kinds=(16,),
        module="outflow",
        old="time < outflow.since + rulebook.withdrawal_window",
        new="time >= outflow.since",
        unit="lemma:cash",
        kills=("outflow_is_as_specified",),
    ),
    Fault(
        name="each_withdrawal_within_the_limit",
        words="each withdrawal is held to the limit by itself, and not with those before it",
        kinds=(),
        module="outflow",
        old="(limit == 0) | (get_taken_out(rulebook, outflow, time) + amount <= limit)",
        new="(limit == 0) | (amount <= limit)",
        unit="withdraw",
        kills=("CASH-4",),
    ),
    Fault(
        name="deposits_counted_as_withdrawals",
        words="what comes in is counted as if it had gone out",
        kinds=(28,),
        module="journal",
        old="get_outflow_after(self.state.rulebook, self.outflow, amount, time)",
        new="get_outflow_after(self.state.rulebook, self.outflow, abs(amount), time)",
        unit="deposit",
        kills=("CASH-4", "effect/outflow.drawn"),
    ),
)
