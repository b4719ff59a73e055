"""What withdrawals take out in a window, on balance, and how much more of it may go."""

from __future__ import annotations

from typing import Any

from specs.arithmetic import either, implies, larger


def taken_out(rulebook: Any, outflow: Any, time: Any) -> Any:
    """Atoms taken out in the window that began at ``outflow.since``, if it has not ended by ``time``."""
    return either(time - outflow.since >= rulebook.withdrawal_window, 0, outflow.drawn)


def may_leave(rulebook: Any, outflow: Any, amount: Any, time: Any) -> Any:
    """Whether so many atoms more may; a limit of zero is none."""
    limit = rulebook.withdrawal_limit
    return implies(limit > 0, amount <= limit - taken_out(rulebook, outflow, time))


def outflow_after(rulebook: Any, outflow: Any, amount: Any, time: Any) -> dict[str, Any]:
    """The fields of the outflow once so many atoms have left; below zero, have come in, which gives room back."""
    before, is_counted = taken_out(rulebook, outflow, time), rulebook.withdrawal_limit != 0
    return {
        "drawn": either(is_counted, larger(before + amount, 0), outflow.drawn),
        "since": either(is_counted & (before <= 0), time, outflow.since),
    }
