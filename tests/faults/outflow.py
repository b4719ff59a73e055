"""Faults of the limit to withdrawals."""

from __future__ import annotations

from tests.faults.planting import Fault

FAULTS = (
    Fault(
        name="withdrawals_without_their_limit",
        words="a withdrawal passes the rulebook's limit",
        kinds=(),
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
)
