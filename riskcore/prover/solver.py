"""Decides claims: each in a fresh z3 context, under an effort limit that is no clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum

import z3
from attrs import evolve, frozen

#: z3's effort for one claim on one path, for each time that it is asked: no slow machine changes it.
RLIMIT = 20_000_000


#: A guard against what the effort limit does not see, far beyond it; past it the claim is UNKNOWN, a failure.
TIMEOUT_MS = 120_000

#: How often z3 is asked before what it gives up on is UNKNOWN.
TIMES = 4


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


def new_solver(rlimit: int, seed: int = 0) -> z3.Solver:
    """A solver in a context of its own, under an effort limit; what it is given has to be translated there."""
    solver = z3.Solver(ctx=z3.Context())
    solver.set("rlimit", rlimit)
    solver.set("timeout", TIMEOUT_MS)
    solver.set("random_seed", seed)
    return solver


def check(
    premises: Iterable[z3.BoolRef], rlimit: int, conclusion: z3.BoolRef | None = None
) -> tuple[z3.Solver, z3.CheckSatResult]:
    """What z3 says of the premises, together with the conclusion's negation; and the solver that it was asked in.

    Its effort hangs not on the question alone: also on where its symbols lie in memory, and so on what the process did
    before, whatever the context. So where it gives up it is asked anew, with another seed; each time with that effort.
    """
    known = list(premises)
    for seed in range(TIMES):
        solver = new_solver(rlimit, seed)
        for premise in known:
            solver.add(premise.translate(solver.ctx))
        if conclusion is not None:
            solver.add(z3.Not(conclusion.translate(solver.ctx), solver.ctx))
        result = solver.check()
        if result != z3.unknown:
            break
    return solver, result


def decide_claim(claim: Claim, rlimit: int = RLIMIT) -> Answer:
    """Whether the negated conclusion contradicts the premises.

    A conclusion of several parts is tried whole and, where that takes too long, part by part, each within the limit.
    """
    conclusion = z3.simplify(claim.conclusion)
    if z3.is_true(conclusion):
        return Answer(Verdict.PROVED, 0)
    parts = list(_get_parts(conclusion))
    if len(parts) == 1:
        return _decide(claim, conclusion, rlimit)
    answer = _decide(claim, conclusion, rlimit)
    if answer.verdict is not Verdict.UNKNOWN:
        return answer
    spent = answer.rlimit
    for part in parts:
        answer = _decide(claim, part, rlimit)
        spent += answer.rlimit
        if answer.verdict is not Verdict.PROVED:
            break
    return evolve(answer, rlimit=spent)


def _get_parts(conclusion: z3.BoolRef) -> Iterator[z3.BoolRef]:
    """What has to hold together, each on its own."""
    if not z3.is_and(conclusion):
        yield conclusion
        return
    for child in conclusion.children():
        yield from _get_parts(child)


def _decide(claim: Claim, conclusion: z3.BoolRef, rlimit: int) -> Answer:
    solver, result = check(claim.premises, rlimit, conclusion)
    spent = _get_rlimit(solver)
    if result == z3.unsat:
        return Answer(Verdict.PROVED, spent)
    if result == z3.sat:
        return Answer(Verdict.VIOLATED, spent, _print_model(solver.model(), claim.where))
    return Answer(Verdict.UNKNOWN, spent, f"{claim.where}: {solver.reason_unknown()}")


def _get_rlimit(solver: z3.Solver) -> int:
    statistics = solver.statistics()
    return int(statistics.get_key_value("rlimit count")) if "rlimit count" in statistics.keys() else 0  # noqa: SIM118


def _print_model(model: z3.ModelRef, where: str) -> str:
    values = sorted((str(symbol.name()), str(model[symbol])) for symbol in model.decls() if symbol.arity() == 0)
    return f"{where}\n" + "\n".join(f"  {name} = {value}" for name, value in values)


def is_satisfiable(premises: tuple[z3.BoolRef, ...], rlimit: int = RLIMIT) -> bool | None:
    """Whether the premises have a model; None where z3 gives up."""
    _, result = check(premises, rlimit)
    return None if result == z3.unknown else bool(result == z3.sat)
