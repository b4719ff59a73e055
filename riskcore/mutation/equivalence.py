"""Proves that a mutant is no fault: original and mutant run on the same symbols, one after the other, and agree.

For functions of numbers, truths, words and the values made of them; of a whole state or a journal nothing is asked.
"""

from __future__ import annotations

import inspect
from enum import Enum, StrEnum
from types import FunctionType
from typing import Any, NewType

import attrs
import z3

from riskcore.choices import TierRule
from riskcore.mutation.mutants import Mutant
from riskcore.mutation.types import get_fields, get_hints, strip_optional
from riskcore.prover.book import Opaque, SymChoice, new_rules
from riskcore.prover.kernel import on_symbols
from riskcore.prover.solver import Claim, Verdict, decide_claim
from riskcore.prover.symbols import SymBool, SymInt, new_bool, new_int, to_bool, to_int
from riskcore.prover.tracer import PathLimitExceeded, Tracer, get_paths
from riskcore.rulebook import MarketRules
from riskcore.rules import Rejected


class NotComparable(Exception):
    """The function takes or gives what this prover has no symbols for."""


def prove_equivalence(mutant: Mutant) -> Verdict:
    """PROVED: the mutant gives the same result, or raises the same, for all arguments.

    VIOLATED where it does not for some, whether or not the kernel ever calls it so. Raises ``NotComparable``.
    """
    right = mutant.get_function()
    wrong = FunctionType(mutant.get_code(), right.__globals__, right.__name__, right.__defaults__, right.__closure__)
    wrong.__kwdefaults__ = right.__kwdefaults__

    def run(tracer: Tracer) -> z3.BoolRef:
        with on_symbols(contracts=False):
            arguments = make_arguments(right)
            return z3.And(*are_same(_call(right, arguments), _call(wrong, arguments)))

    verdict = Verdict.PROVED
    try:
        for path in get_paths(run):
            if path.result is None:
                raise NotComparable(str(path.error)) from path.error
            found = decide_claim(Claim(path.condition, path.result, mutant.name)).verdict
            if found is Verdict.VIOLATED:
                return found
            verdict = verdict if found is Verdict.PROVED else found
    except PathLimitExceeded:
        return Verdict.UNKNOWN
    return verdict


def make_arguments(function: FunctionType) -> dict[str, Any]:
    """Any arguments that the annotations allow."""
    hints = get_hints(function)
    return {name: make(name, hints.get(name)) for name in inspect.signature(function).parameters}


def make(name: str, kind: Any) -> Any:
    """Any value of a type."""
    inner = strip_optional(kind)
    if inner is not kind:
        return make(name, inner) if new_bool(f"{name}_is_there") else None
    if isinstance(kind, NewType):
        kind = kind.__supertype__
    if kind in (int, str):
        return new_int(name)
    if kind is bool:
        return new_bool(name)
    if kind is MarketRules:
        # tiers refuse to be looked at, and so does this prover then
        return attrs.evolve(new_rules(name), tier_rule=make(f"{name}.tier_rule", TierRule))
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        # the words themselves, each on its path: a symbol is none of them, so what asks by identity would not see it
        *others, last = kind
        return next((word for word in others if new_bool(f"{name}_is_{word.name}")), last)
    fields = get_fields(kind) if isinstance(kind, type) else ()
    if not fields:
        raise NotComparable(f"{name} is a {kind}")
    return kind(**{field: make(f"{name}.{field}", part) for field, part in fields})


def _call(function: FunctionType, arguments: dict[str, Any]) -> Any:
    """What it returns, or the rule or the error that it ends with."""
    try:
        return function(**arguments)
    except Rejected as rejection:
        return rejection.rule
    except (ZeroDivisionError, AssertionError) as error:
        return type(error)


def are_same(one: Any, two: Any) -> list[z3.BoolRef]:
    """What has to hold for two results to be one."""
    if isinstance(one, bool | SymBool) and isinstance(two, bool | SymBool):
        return [to_bool(one) == to_bool(two)]
    if isinstance(one, int | SymInt) and isinstance(two, int | SymInt):
        return [to_int(one) == to_int(two)]
    if one is two:
        return [z3.BoolVal(True)]
    if one is None or two is None or isinstance(one, type | Enum) or isinstance(two, type | Enum):
        return [z3.BoolVal(False)]
    if isinstance(one, Opaque | SymChoice) or isinstance(two, Opaque | SymChoice):
        raise NotComparable("the result holds a value that symbols do not open")
    parts = _get_parts(one), _get_parts(two)
    if type(one) is not type(two) or len(parts[0]) != len(parts[1]):
        return [z3.BoolVal(False)]
    return [same for pair in zip(*parts, strict=True) for same in are_same(*pair)]


def _get_parts(value: Any) -> tuple[Any, ...]:
    if isinstance(value, tuple):
        return value
    if attrs.has(type(value)):
        return tuple(getattr(value, one.name) for one in attrs.fields(type(value)))
    raise NotComparable(f"the result is a {type(value).__name__}")
