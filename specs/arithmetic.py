"""The arithmetic of the specification, for integers and for the prover's symbols alike.

On symbols a condition never branches: it becomes part of the formula. Quotients are
defined by their inequalities; requirements (``tiers.py``) and cost are named functions there, whose
facts ``proofs/`` proves of the kernel's own.
"""

from __future__ import annotations

from typing import Any

RATE_ONE = 1_000_000


def is_plain(*values: Any) -> bool:
    """Whether none of the values is a symbol."""
    return all(type(value) in (int, bool) for value in values)


def negate(condition: Any) -> Any:
    return (not condition) if type(condition) is bool else ~condition


def implies(condition: Any, conclusion: Any) -> Any:
    return negate(condition) | conclusion


def either(condition: Any, then: Any, otherwise: Any) -> Any:
    """``then`` where the condition holds, else ``otherwise``."""
    if type(condition) is bool:
        return then if condition else otherwise
    return condition.choose(then, otherwise)


def both_ways(first: Any, second: Any) -> Any:
    """Whether two truth values are the same."""
    return implies(first, second) & implies(second, first)


def every(*conditions: Any) -> Any:
    result: Any = True
    for condition in conditions:
        result = result & condition
    return result


def some(*conditions: Any) -> Any:
    result: Any = False
    for condition in conditions:
        result = result | condition
    return result


def smaller(first: Any, second: Any) -> Any:
    return either(first <= second, first, second)


def larger(first: Any, second: Any) -> Any:
    return either(first >= second, first, second)


def magnitude(value: Any) -> Any:
    return either(value >= 0, value, -value)


def floor_ratio(numerator: Any, denominator: Any) -> Any:
    """The largest n with ``n * denominator <= numerator``; the denominator is above zero."""
    return numerator // denominator


def ceiling_ratio(numerator: Any, denominator: Any) -> Any:
    """The least n with ``n * denominator >= numerator``; the denominator is above zero."""
    return -((-numerator) // denominator)


def rate_of(amount: Any, rate: Any) -> Any:
    """A rate in parts per million of an amount, rounded up."""
    return ceiling_ratio(amount * rate, RATE_ONE)


def cost_after(size: Any, cost: Any, lots: Any, debit: Any) -> Any:
    """The cost memo of a position of ``size`` after ``lots`` more for ``debit`` atoms, all signed."""
    if is_plain(size, cost, lots, debit):
        after = size + lots
        if size * lots >= 0:
            return cost + debit
        if size * after > 0:
            return floor_ratio(cost * magnitude(after), magnitude(size))
        return floor_ratio(debit * magnitude(after), magnitude(lots))
    symbol = next(value for value in (size, cost, lots, debit) if not is_plain(value))
    return symbol.call("cost", size, cost, lots, debit)


def opened_after(before: Any, after: Any, opened: Any, sequence: Any) -> Any:
    """When a position opened that changes its size: as before while it is on the same side, else now."""
    stays = every(before > 0, after > 0) | every(before < 0, after < 0)
    return either(stays, opened, sequence)


def named(kind: str, value: Any) -> Any:
    """The value itself; for the prover, under a name, so that products of it stay short."""
    return value if is_plain(value) else value.named(kind)
