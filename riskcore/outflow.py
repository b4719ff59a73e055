"""How fast cash may leave the venue: what withdrawals took out in a window, less what deposits brought in since.

Who brings cash in gives others room to take theirs out, so that nobody uses the limit up by going in circles. A window
begins with the first withdrawal that finds nothing taken out, and lasts as long as the rulebook says.
"""

from __future__ import annotations

from riskcore.quantities import Atoms, Time
from riskcore.rulebook import Rulebook
from riskcore.state import Draws


def get_taken_out(rulebook: Rulebook, outflow: Draws, time: Time) -> Atoms:
    """Atoms taken out on balance in the window that runs at ``time``; none where none runs."""
    is_running = time < outflow.since + rulebook.withdrawal_window
    return outflow.drawn if is_running else Atoms(0)


def has_way_out(rulebook: Rulebook, outflow: Draws, amount: int, time: Time) -> bool:
    """Whether ``amount`` atoms more may leave at ``time``."""
    limit = rulebook.withdrawal_limit
    return (limit == 0) | (get_taken_out(rulebook, outflow, time) + amount <= limit)


def get_outflow_after(rulebook: Rulebook, outflow: Draws, amount: int, time: Time) -> Draws:
    """The outflow once ``amount`` atoms have left; below zero, have come in. Without a limit it stands."""
    if rulebook.withdrawal_limit == 0:
        return outflow
    taken = get_taken_out(rulebook, outflow, time)
    return Draws(Atoms(max(taken + amount, 0)), outflow.since if taken > 0 else time)
