"""What the kernel asks and divides while it runs: it runs as it is, and is only looked at.

No name is replaced and no function wrapped. The interpreter reports each call, so a rounding is the kernel's own
division, and a condition is the kernel's own, read with the values that it had at that moment.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from fractions import Fraction
from types import CodeType, FrameType
from typing import Any, Final, Generic, TypeVar

from attrs import field, frozen

from riskcore.explain.clauses import Clause, read_clause, read_raised
from riskcore.quantities import RATE_ONE, apply_rate, divide_down, divide_up
from riskcore.rules import Rejected, Rule, require

T = TypeVar("T")

_DIVISIONS: Final = {function.__code__: function.__name__ for function in (divide_down, divide_up, apply_rate)}


@frozen
class Division:
    """A division of the kernel's: ``module`` and ``function`` made it, through ``by``, which rounds one way.

    ``exact``: the quotient before it was rounded; ``rounded``: after.
    """

    module: str
    function: str
    by: str
    exact: Fraction
    rounded: int

    @property
    def is_exact(self) -> bool:
        return self.exact.denominator == 1


@frozen
class Watched(Generic[T]):
    """What a call gave, or the rule for which it was rejected; each condition that it asked, and each division."""

    result: T | None
    rejected: Rule | None
    clauses: tuple[Clause, ...] = field(default=())
    divisions: tuple[Division, ...] = field(default=())


def watch(call: Callable[[], T]) -> Watched[T]:
    """Make the call, with what the kernel asked and divided in it. Other exceptions than ``Rejected`` pass."""
    clauses: list[Clause] = []
    divisions: list[Division] = []

    def look(frame: FrameType, event: str, argument: Any) -> None:
        caller = frame.f_back
        if event != "call" or caller is None:
            return
        if frame.f_code is require.__code__:
            clauses.append(read_clause(caller, frame.f_locals["rule"], bool(frame.f_locals["condition"])))
        elif frame.f_code in _DIVISIONS:
            divisions.append(_read_division(frame, caller.f_code, caller.f_globals["__name__"]))

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        result, rejected = call(), None
    except Rejected as rejection:
        sys.setprofile(before)
        result, rejected = None, rejection.rule
        clauses += _read_raised(rejection)
    finally:
        sys.setprofile(before)
    return Watched(result, rejected, tuple(clauses), tuple(divisions))


def _read_raised(rejection: Rejected) -> list[Clause]:
    """The condition under which the kernel raised by itself; none where ``require`` did, which was seen."""
    raised = rejection.__traceback__
    assert raised is not None
    while raised.tb_next is not None:
        raised = raised.tb_next
    if raised.tb_frame.f_code is require.__code__:
        return []
    return [read_raised(raised.tb_frame, raised.tb_lineno, rejection.rule)]


def _read_division(frame: FrameType, caller: CodeType, module: str) -> Division:
    by, values = _DIVISIONS[frame.f_code], frame.f_locals
    if by == apply_rate.__name__:
        exact = Fraction(values["amount"] * values["rate"], RATE_ONE)
        rounded = apply_rate(values["amount"], values["rate"])
    else:
        divide = divide_up if by == divide_up.__name__ else divide_down
        exact = Fraction(values["numerator"], values["denominator"])
        rounded = divide(values["numerator"], values["denominator"])
    # a comprehension is a function within the one that it stands in
    function = caller.co_qualname.partition(".<locals>")[0]
    return Division(module.rpartition(".")[2], function, by, exact, rounded)
