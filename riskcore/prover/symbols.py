"""Integers and booleans that stand for any value, with the operators of ``int`` and ``bool``.

A condition that the kernel branches on asks the running ``Tracer`` which way this
run goes. A division introduces a named quotient, so that Python's floor is what is
meant for every sign of the numerator, and only a positive divisor is let through.
"""

from __future__ import annotations

from functools import reduce
from typing import Any, NoReturn, Protocol, TypeAlias

import z3

from riskcore.orders import NO_ORDER

IntLike: TypeAlias = "int | str | SymInt"
BoolLike: TypeAlias = "bool | SymBool"


class Decider(Protocol):
    """What a symbol needs from the run it belongs to."""

    def assume(self, *facts: z3.BoolRef) -> None: ...

    def decide(self, condition: z3.BoolRef) -> bool: ...

    def get_quotient(self, numerator: z3.ArithRef, denominator: z3.ArithRef) -> z3.ArithRef: ...

    def name(self, kind: str, term: z3.ArithRef) -> z3.ArithRef: ...

    def is_known(self, condition: z3.BoolRef) -> bool: ...

    def call(self, name: str, arguments: tuple[z3.ArithRef, ...]) -> z3.ArithRef: ...


#: What stands for the id of no order. Ids are symbols, and of what there is none is this.
NO_ID = -1

_running: list[Decider] = []


def start_run(decider: Decider) -> None:
    """Make ``decider`` answer for symbols until ``end_run``."""
    _running.append(decider)


def end_run() -> None:
    _running.pop()


def get_run() -> Decider:
    if not _running:
        raise RuntimeError("a symbol was used where no run is tracing it")
    return _running[-1]


def to_int(value: IntLike) -> z3.ArithRef:
    """The z3 term of an integer; anything but an exact ``int`` or a symbol is refused."""
    if isinstance(value, SymInt):
        return value.term
    if type(value) is int:
        return z3.IntVal(value)
    if type(value) is str and value == NO_ORDER:
        return z3.IntVal(NO_ID)
    raise TypeError(f"an integer symbol met {value!r}")


def to_bool(value: BoolLike) -> z3.BoolRef:
    """The z3 term of a truth value."""
    if isinstance(value, SymBool):
        return value.term
    if type(value) is bool:
        return z3.BoolVal(value)
    raise TypeError(f"a truth symbol met {value!r}")


def _choose(condition: z3.BoolRef, then: z3.ArithRef, otherwise: z3.ArithRef) -> z3.ArithRef:
    """A conditional value, shortened where the run's path already settles the condition."""
    run = get_run()
    if run.is_known(condition):
        return then
    if run.is_known(z3.Not(condition)):
        return otherwise
    return z3.If(condition, then, otherwise)


def _refuse(what: str, instead: str) -> Any:
    """A method that raises: what it would give on integers has no symbol."""

    def refuse(self: object, *arguments: object) -> NoReturn:
        raise TypeError(f"{what} of a symbol was asked for: {instead}")

    return refuse


class SymBool:
    """A truth value; branching on it asks the tracer."""

    __slots__ = ("term",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, term: z3.BoolRef) -> None:
        self.term = term

    def __bool__(self) -> bool:
        return get_run().decide(self.term)

    def __and__(self, other: BoolLike) -> SymBool:
        return SymBool(z3.And(self.term, to_bool(other)))

    def __or__(self, other: BoolLike) -> SymBool:
        return SymBool(z3.Or(self.term, to_bool(other)))

    def __invert__(self) -> SymBool:
        return SymBool(z3.Not(self.term))

    __rand__ = __and__
    __ror__ = __or__

    def __eq__(self, other: object) -> SymBool:  # type: ignore[override]
        return SymBool(self.term == to_bool(other))  # type: ignore[arg-type]

    def __ne__(self, other: object) -> SymBool:  # type: ignore[override]
        return SymBool(self.term != to_bool(other))  # type: ignore[arg-type]

    def choose(self, then: IntLike, otherwise: IntLike) -> SymInt:
        """``then`` where this holds, else ``otherwise``, without a fork."""
        return SymInt(_choose(self.term, to_int(then), to_int(otherwise)))

    def __repr__(self) -> str:
        return f"SymBool({self.term})"

    __str__ = _refuse("the text", "nothing in a rule needs one")
    __format__ = _refuse("the text", "nothing in a rule needs one")
    __int__ = __index__ = _refuse("the number", "1 if a condition holds, else 0")
    __xor__ = __rxor__ = _refuse("the exclusive or", "compare the two with !=")


class SymInt:
    """Any integer. It has no truth value and no hash: both would lose generality silently."""

    __slots__ = ("term",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, term: z3.ArithRef) -> None:
        self.term = term

    def __bool__(self) -> NoReturn:
        raise TypeError("the truth value of an integer symbol was asked for; compare it with 0")

    def __index__(self) -> NoReturn:
        raise TypeError("an integer symbol was used as a plain index or bound: loop over a tuple or constants")

    def __add__(self, other: IntLike) -> SymInt:
        return SymInt(self.term + to_int(other))

    def __radd__(self, other: IntLike) -> SymInt:
        return SymInt(to_int(other) + self.term)

    def __sub__(self, other: IntLike) -> SymInt:
        return SymInt(self.term - to_int(other))

    def __rsub__(self, other: IntLike) -> SymInt:
        return SymInt(to_int(other) - self.term)

    def __mul__(self, other: IntLike) -> SymInt:
        return SymInt(self.term * to_int(other))

    __rmul__ = __mul__

    def __neg__(self) -> SymInt:
        return SymInt(-self.term)

    def __abs__(self) -> SymInt:
        return SymInt(_choose(self.term >= 0, self.term, -self.term))

    def __floordiv__(self, other: IntLike) -> SymInt:
        return SymInt(get_run().get_quotient(self.term, to_int(other)))

    def __rfloordiv__(self, other: IntLike) -> SymInt:
        return SymInt(get_run().get_quotient(to_int(other), self.term))

    def __mod__(self, other: IntLike) -> SymInt:
        return self - (self // other) * other

    def __rmod__(self, other: IntLike) -> SymInt:
        return other - self.__rfloordiv__(other) * self

    def __divmod__(self, other: IntLike) -> tuple[SymInt, SymInt]:
        return self // other, self % other

    def __rdivmod__(self, other: IntLike) -> tuple[SymInt, SymInt]:
        quotient = self.__rfloordiv__(other)
        return quotient, other - quotient * self

    def __pos__(self) -> SymInt:
        return self

    def named(self, kind: str) -> SymInt:
        """This value under a short name of its own."""
        return SymInt(get_run().name(kind, self.term))

    def call(self, name: str, *arguments: IntLike) -> SymInt:
        """The named function of a contract, at these arguments."""
        return SymInt(get_run().call(name, tuple(z3.simplify(to_int(argument)) for argument in arguments)))

    def __lt__(self, other: IntLike) -> SymBool:
        return SymBool(self.term < to_int(other))

    def __le__(self, other: IntLike) -> SymBool:
        return SymBool(self.term <= to_int(other))

    def __gt__(self, other: IntLike) -> SymBool:
        return SymBool(self.term > to_int(other))

    def __ge__(self, other: IntLike) -> SymBool:
        return SymBool(self.term >= to_int(other))

    def __eq__(self, other: object) -> SymBool:  # type: ignore[override]
        return SymBool(self.term == to_int(other))  # type: ignore[arg-type]

    def __ne__(self, other: object) -> SymBool:  # type: ignore[override]
        return SymBool(self.term != to_int(other))  # type: ignore[arg-type]

    def __repr__(self) -> str:
        return f"SymInt({self.term})"

    __pow__ = __rpow__ = _refuse("a power", "multiply it as often")
    __truediv__ = __rtruediv__ = _refuse("an inexact quotient", "divide with //")
    __lshift__ = __rlshift__ = _refuse("a shift", "multiply by a power of two")
    __rshift__ = __rrshift__ = _refuse("a shift", "divide by a power of two with //")
    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = __invert__ = _refuse(
        "a combination of bits", "combine conditions, not integers"
    )
    __int__ = __trunc__ = __floor__ = __ceil__ = __round__ = _refuse("the rounded value", "it is an integer already")
    __float__ = __complex__ = _refuse("an inexact value", "integers alone are exact")
    __str__ = _refuse("the text", "nothing in a rule needs one")
    __format__ = _refuse("the text", "nothing in a rule needs one")


def new_int(name: str) -> Any:
    """Any integer. To the type checker it is whatever the kernel asks for: it stands in for an ``int``."""
    return SymInt(z3.Int(name))


def new_bool(name: str) -> Any:
    """Any truth value, likewise."""
    return SymBool(z3.Bool(name))


def symbolic_max(first: Any, *others: Any) -> Any:
    """``max``, without a fork where one is a symbol."""
    if len(others) != 1:
        return reduce(symbolic_max, (first, *others) if others else first)
    second = others[0]
    if isinstance(first, SymInt) or isinstance(second, SymInt):
        return SymInt(_choose(to_int(second) > to_int(first), to_int(second), to_int(first)))
    return max(first, second)


def symbolic_min(first: Any, second: Any) -> Any:
    """``min`` of two, without a fork where one is a symbol."""
    if isinstance(first, SymInt) or isinstance(second, SymInt):
        return SymInt(_choose(to_int(second) < to_int(first), to_int(second), to_int(first)))
    return min(first, second)
