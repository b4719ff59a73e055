"""How fast the insurance fund may be drawn: what it has paid out in a window, against its limit.

A window begins with the first payment after the last one ended, and lasts as long as the rulebook says.
"""

from __future__ import annotations

from riskcore.quantities import Atoms, Time
from riskcore.rulebook import Rulebook
from riskcore.state import Draws


def get_drawn(rulebook: Rulebook, draws: Draws, time: Time) -> Atoms:
    """Atoms paid out in the window that runs at ``time``; none where none runs."""
    is_running = time < draws.since + rulebook.insurance_draw_window
    return draws.drawn if is_running else Atoms(0)


def get_draws_after(rulebook: Rulebook, draws: Draws, amount: int, time: Time) -> Draws:
    """The draws once ``amount`` atoms more are paid out. Where nothing is paid or no limit set, they stand."""
    if rulebook.insurance_draw_limit == 0 or amount == 0:
        return draws
    drawn = get_drawn(rulebook, draws, time)
    return Draws(Atoms(drawn + amount), draws.since if drawn > 0 else time)
