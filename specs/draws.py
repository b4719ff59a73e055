"""What the insurance fund may pay of what it has for it, and no faster than its limit lets it."""

from __future__ import annotations

from typing import Any

from specs.arithmetic import either, every, larger, smaller


def counted(rulebook: Any, draws: Any, time: Any) -> Any:
    """Atoms paid out in the window that began at ``draws.since``, if it has not ended by ``time``."""
    return either(time - draws.since >= rulebook.insurance_draw_window, 0, draws.drawn)


def may_pay_out(rulebook: Any, stock: Any, draws: Any, time: Any) -> Any:
    """Atoms that may be paid of ``stock`` at ``time``. A limit of zero is none, and it is one for all parts."""
    left = rulebook.insurance_draw_limit - counted(rulebook, draws, time)
    return larger(either(rulebook.insurance_draw_limit == 0, stock, smaller(stock, left)), 0)


def drawn_after(rulebook: Any, draws: Any, paid: Any, time: Any) -> dict[str, Any]:
    """The fields of the draws after a payment: it goes into the window that runs, or begins one."""
    is_counted = every(rulebook.insurance_draw_limit != 0, paid != 0)
    before = counted(rulebook, draws, time)
    return {
        "drawn": either(is_counted, before + paid, draws.drawn),
        "since": either(is_counted & (before <= 0), time, draws.since),
    }
