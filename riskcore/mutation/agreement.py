"""Proves that a mutant is no fault where the kernel runs it: its expression has the same value each time.

For a mutant that differs from the kernel for some arguments, but for none that an event gives. Every event that may
run the function is traced as for its obligations, with the expression as it is beside the one that is wrong. What the
prover knows by contract, or runs apart from events, is not seen there, and nothing is said of it; nor of what a trace
fixes or cannot see, which is whether something is there, an entry's place, and some words of a rulebook.
"""

from __future__ import annotations

import ast
import typing
from collections.abc import Callable, Iterator
from functools import cache, partial
from types import FunctionType
from typing import Any

import z3
from attrs import evolve

from riskcore import journal
from riskcore.mutation.equivalence import NotComparable, are_same
from riskcore.mutation.hunting import planted
from riskcore.mutation.mutants import Mutant, get_offsets, get_span
from riskcore.mutation.planting import find, get_function_nodes, get_source
from riskcore.mutation.reach import get_reached, get_units_of
from riskcore.mutation.types import KERNEL, get_hints
from riskcore.prover import kernel
from riskcore.prover.case import EPISODES, run_event
from riskcore.prover.obligations import get_event_name
from riskcore.prover.solver import Claim, Verdict, decide_claim
from riskcore.prover.tracer import NotRepeatable, PathLimitExceeded, Tracer, get_paths
from riskcore.rules import Rejected
from specs.contracts import CONTRACTS

#: What is called in place of the expression, with both.
BOTH = "__mutant_is_the_same__"

#: Builtins and methods that change nothing.
PURE = {"abs", "all", "any", "bool", "len", "max", "min", "sum"}
READING = {"get"}
#: What a trace has one value of, or none that can be looked at.
FIXED = {"adl_rank", "loss_sharing", "pending", "tier_rule", "tiers"}
#: Who is given one of these may change it, and to do so twice is not to do it once.
MUTABLE = (journal.Journal, journal.Party, journal.Holder, journal.Slot)


def prove_agreement(mutant: Mutant) -> Verdict:
    """PROVED: on no path of any event does the changed expression have another value. Raises ``NotComparable``.

    Asked of the widest expression around what is changed that can be computed twice: what differs within it may not
    matter to it.
    """
    if mutant.get_function() in get_unseen():
        raise NotComparable("it is run apart from events too")
    reason = NotComparable("what is changed is in no expression that can be computed twice")
    for wider in get_wider(mutant):
        try:
            return _compare(wider)
        except NotComparable as error:
            reason = error
    raise reason


def _compare(mutant: Mutant) -> Verdict:
    right = _get_text(mutant)
    both = evolve(mutant, text=f"{BOTH}(lambda: ({right}), lambda: ({mutant.text}))")
    comparison = Comparison()
    namespace = vars(KERNEL[mutant.module])
    namespace[BOTH] = comparison
    try:
        with planted(mutant, both.get_code()):
            for unit in get_units_of(mutant.get_function()):
                verdict = Verdict.PROVED if unit.kind else comparison.ask_event(unit.name)
                if verdict is not Verdict.PROVED:
                    return verdict
    except (PathLimitExceeded, NotRepeatable, SyntaxError) as error:
        raise NotComparable(str(error)) from error
    finally:
        del namespace[BOTH]
    if not comparison.is_computed:
        raise NotComparable("no event computes it")
    return Verdict.PROVED


class Comparison:
    """What is called for both expressions: it answers with the right one's value, and notes whether both agree."""

    def __init__(self) -> None:
        #: on a path that some state takes
        self.is_computed = False
        self.claims: list[z3.BoolRef] = []

    def __call__(self, right: Callable[[], Any], wrong: Callable[[], Any]) -> Any:
        value, refused = _evaluate(right)
        other, other_refused = _evaluate(wrong)
        if refused is None and other_refused is None:
            self.claims += are_same(value, other)
            return value
        self.claims.append(z3.BoolVal(_get_kind(refused) == _get_kind(other_refused)))
        if refused is not None:
            raise refused
        return value

    def ask_event(self, name: str) -> Verdict:
        """Whether they agree on every path of an event."""
        kind = next(one for one in CONTRACTS if get_event_name(one) == name)

        def run(tracer: Tracer, episode: str | None) -> tuple[z3.BoolRef, ...]:
            self.claims = []
            run_event(tracer, kind, episode=episode)
            return tuple(self.claims)

        for episode in EPISODES:
            for path in get_paths(partial(run, episode=episode)):
                if path.result is None:
                    raise NotComparable(str(path.error)) from path.error
                self.is_computed = self.is_computed or bool(path.result and _is_possible(path.condition, name))
                verdict = decide_claim(Claim(path.condition, z3.And(*path.result), name)).verdict
                if verdict is not Verdict.PROVED:
                    return verdict
        return Verdict.PROVED


def _is_possible(condition: tuple[z3.BoolRef, ...], name: str) -> bool:
    return decide_claim(Claim(condition, z3.BoolVal(False), name)).verdict is Verdict.VIOLATED


def _evaluate(expression: Callable[[], Any]) -> tuple[Any, Exception | None]:
    try:
        return expression(), None
    except (Rejected, ArithmeticError, AssertionError, AttributeError, LookupError, TypeError) as error:
        return None, error


def _get_kind(error: Exception | None) -> object:
    return error.rule if isinstance(error, Rejected) else type(error)


def get_wider(mutant: Mutant) -> Iterator[Mutant]:
    """The same change as one of each expression around it that changes nothing else, the widest first."""
    source, namespace = get_source(KERNEL[mutant.module]), vars(KERNEL[mutant.module])
    function = dict(get_function_nodes(ast.parse(source)))[mutant.function]
    offsets, text = get_offsets(source), source.encode()
    for node in ast.walk(function):
        if not isinstance(node, ast.expr) or not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            continue
        start, end = get_span(node, offsets)
        if start <= mutant.start and mutant.end <= end:
            wrong = text[start : mutant.start].decode() + mutant.text + text[mutant.end : end].decode()
            wider = evolve(mutant, start=start, end=end, text=wrong)
            if all(_is_pure(one, namespace) for one in (_get_text(wider), wrong)):
                yield wider


def _get_text(mutant: Mutant) -> str:
    return get_source(KERNEL[mutant.module]).encode()[mutant.start : mutant.end].decode()


def _is_pure(text: str, namespace: dict[str, Any]) -> bool:
    """Whether it is an expression that may be computed twice, and of which a trace sees all."""
    try:
        tree = ast.parse(f"({text})", mode="eval")
    except SyntaxError:
        return False
    return all(_is_pure_node(node, namespace) for node in ast.walk(tree))


def _is_pure_node(node: ast.AST, namespace: dict[str, Any]) -> bool:
    match node:
        case ast.Subscript() | ast.NamedExpr():
            return False
        case ast.Attribute(attr=name):
            return name not in FIXED
        case ast.Compare(ops=operators):
            return not any(isinstance(one, ast.Is | ast.IsNot | ast.In | ast.NotIn) for one in operators)
        case ast.Call():
            return _is_pure_call(node, namespace)
    return True


def _is_pure_call(call: ast.Call, namespace: dict[str, Any]) -> bool:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr in READING
    if not isinstance(call.func, ast.Name):
        return False
    value = namespace.get(call.func.id)
    if not isinstance(value, FunctionType):
        is_value = isinstance(value, type | typing.NewType) and value not in MUTABLE
        return is_value or (value is None and call.func.id in PURE)
    hints = get_hints(value)
    takes = [part for hint in hints.values() for part in (hint, *typing.get_args(hint))]
    # a contract's facts are true of what it may be asked, and the wrong expression may ask it anything
    asks_contracts = any(kernel.is_contracted(one) for one in get_reached([value], contracts=False))
    # of what has no annotations nothing is known
    gives = hints.get("return", type(None))
    return not (asks_contracts or gives is type(None) or any(part in MUTABLE for part in takes))


@cache
def get_unseen() -> frozenset[FunctionType]:
    """What runs besides events: what contracts stand for, and what makes a state."""
    starts = [one for one in vars(kernel)["CONTRACTS"] if isinstance(one, FunctionType)]
    return frozenset(get_reached([*starts, find(KERNEL["state"], "genesis")], contracts=False))
