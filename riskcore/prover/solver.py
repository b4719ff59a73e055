"""Decides claims: each in a fresh z3 context, under an effort limit that is no clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum

import z3
from attrs import evolve, frozen

#: z3's effort for one claim on one path; deterministic, unlike seconds.
RLIMIT = 20_000_000

#: What most claims take far less than; past it, premises that do not matter are left out.
SOON = 2_000_000

#: A guard against what the effort limit does not see; past it the claim is UNKNOWN, a failure.
TIMEOUT_MS = 30_000


class Verdict(StrEnum):
    """The words of a verdict. Only ``PROVED`` is a pass."""

    PROVED = "PROVED"
    VIOLATED = "VIOLATED"
    UNKNOWN = "UNKNOWN"
    VACUOUS = "VACUOUS"


@frozen
class Claim:
    """``conclusion`` follows from ``premises``: one obligation on one path."""

    premises: tuple[z3.BoolRef, ...]
    conclusion: z3.BoolRef
    where: str


@frozen
class Answer:
    verdict: Verdict
    rlimit: int
    counterexample: str | None = None


def decide_claim(claim: Claim, rlimit: int = RLIMIT) -> Answer:
    """Whether the negated conclusion contradicts the premises.

    What is not decided soon may follow from the premises that have to do with the conclusion: those that share a symbol
    with it, or with one that does. The others only lead z3 astray. Where it does not, all premises decide.
    """
    conclusion = z3.simplify(claim.conclusion)
    if z3.is_true(conclusion):
        return Answer(Verdict.PROVED, 0)
    spent = 0
    for premises, limit in ((_whole, min(SOON, rlimit)), (_get_relevant, rlimit), (_whole, rlimit)):
        answer = _decide(premises(claim.premises, conclusion), conclusion, limit, claim.where)
        spent += answer.rlimit
        # a model of some of the premises need not be one of all
        is_decided = answer.verdict is not Verdict.UNKNOWN and premises is _whole
        if is_decided or answer.verdict is Verdict.PROVED:
            break
    return evolve(answer, rlimit=spent)


def _decide(premises: Sequence[z3.BoolRef], conclusion: z3.BoolRef, rlimit: int, where: str) -> Answer:
    context = z3.Context()
    solver = z3.Solver(ctx=context)
    solver.set("rlimit", rlimit)
    solver.set("timeout", TIMEOUT_MS)
    for premise in premises:
        solver.add(premise.translate(context))
    solver.add(z3.Not(conclusion.translate(context), context))
    result = solver.check()
    spent = _get_rlimit(solver)
    if result == z3.unsat:
        return Answer(Verdict.PROVED, spent)
    if result == z3.sat:
        return Answer(Verdict.VIOLATED, spent, _print_model(solver.model(), where))
    return Answer(Verdict.UNKNOWN, spent, f"{where}: {solver.reason_unknown()}")


def _whole(premises: Sequence[z3.BoolRef], conclusion: z3.BoolRef) -> Sequence[z3.BoolRef]:
    return premises


def _get_relevant(premises: Sequence[z3.BoolRef], conclusion: z3.BoolRef) -> Sequence[z3.BoolRef]:
    """The parts of the premises that share a symbol with the conclusion, or with such a part, in their order."""
    parts = [(part, _get_symbols(part)) for premise in premises for part in _split(z3.simplify(premise))]
    found, size = _get_symbols(conclusion), -1
    while len(found) > size:
        size = len(found)
        for _, symbols in parts:
            if symbols & found:
                found |= symbols
    return [part for part, symbols in parts if symbols & found]


def _split(premise: z3.BoolRef) -> Iterator[z3.BoolRef]:
    """What a conjunction is made of."""
    if z3.is_and(premise):
        for part in premise.children():
            yield from _split(part)
    else:
        yield premise


def _get_symbols(term: z3.ExprRef) -> set[str]:
    """The names of the constants and functions in a term that z3 knows nothing else of."""
    symbols: set[str] = set()
    seen: set[int] = set()
    left = [term]
    while left:
        one = left.pop()
        if one.get_id() not in seen:
            seen.add(one.get_id())
            left += one.children()
            if one.decl().kind() == z3.Z3_OP_UNINTERPRETED:
                symbols.add(str(one.decl().name()))
    return symbols


def _get_rlimit(solver: z3.Solver) -> int:
    statistics = solver.statistics()
    return int(statistics.get_key_value("rlimit count")) if "rlimit count" in statistics.keys() else 0  # noqa: SIM118


def _print_model(model: z3.ModelRef, where: str) -> str:
    values = sorted((str(symbol.name()), str(model[symbol])) for symbol in model.decls() if symbol.arity() == 0)
    return f"{where}\n" + "\n".join(f"  {name} = {value}" for name, value in values)


def is_satisfiable(premises: tuple[z3.BoolRef, ...], rlimit: int = RLIMIT) -> bool | None:
    """Whether the premises have a model; None where z3 gives up."""
    context = z3.Context()
    solver = z3.Solver(ctx=context)
    solver.set("rlimit", rlimit)
    solver.set("timeout", TIMEOUT_MS)
    for premise in premises:
        solver.add(premise.translate(context))
    result = solver.check()
    return None if result == z3.unknown else bool(result == z3.sat)
