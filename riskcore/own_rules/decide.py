"""Proves a clause of a rule for any inputs, or shows inputs at which CPython breaks it.

The rule runs on symbols once per path. What z3 says it breaks counts only once CPython, run on the
same inputs, has broken it; what the tracer cannot follow is no verdict about the rule, and says so.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import attrs
import z3
from attrs import frozen

from riskcore.choices import TierRule
from riskcore.own_rules.clauses import Clause
from riskcore.own_rules.files import RulesFile, describe
from riskcore.own_rules.given import PLAIN_RULES, Called, NotSo, PlainGiven, SymbolicGiven
from riskcore.own_rules.hints import get_hints
from riskcore.prover import solver
from riskcore.prover.solver import Claim, decide_claim
from riskcore.prover.symbols import to_bool
from riskcore.prover.tracer import Path, PathLimitExceeded, PathTooLong, Tracer, get_paths

#: Conditions that one path may meet; more are a loop that has no end in sight.
LONGEST_PATH = 150
#: z3's effort for one claim, and for each look for a counterexample.
RLIMIT, SEARCH_RLIMIT = 8_000_000, 2_000_000
#: Sizes of the integers that counterexamples are looked for with, and whether a market's rules are the plain ones.
TRIES: tuple[tuple[bool, int | None], ...] = (
    (True, 10),
    (True, 1_000),
    (False, 1_000),
    (True, 10**7),
    (False, 10**7),
    (False, None),
)
#: What a clause's verdict covers.
ANY = "any inputs, any admissible rules"
FEW_BRACKETS = "any inputs; PROVED-BOUNDED(up to three brackets, two where rules change)"


class Verdict(StrEnum):
    """The words of a clause's verdict. Only ``PROVED`` is a pass."""

    PROVED = "PROVED"
    VIOLATED = "VIOLATED"
    NOT_FOLLOWED = "NOT FOLLOWED"
    UNKNOWN = "UNKNOWN"
    VACUOUS = "VACUOUS"


@frozen
class Broken:
    """A counterexample as CPython ran it: the calls and their values, or what was raised and on which line."""

    calls: tuple[Called, ...]
    raised: str | None = None
    line: int | None = None


@frozen
class Finding:
    """A clause's verdict. ``reason`` and ``line``: what could not be followed or decided, and where."""

    clause: Clause
    verdict: Verdict
    scope: str
    paths: int
    rlimit: int
    seconds: float
    broken: Broken | None = None
    reason: str | None = None
    line: int | None = None


@frozen
class _Answer:
    """What came of one path."""

    verdict: Verdict
    rlimit: int = 0
    broken: Broken | None = None
    reason: str | None = None
    line: int | None = None


class _Decision:
    """One clause of one file, for one way to use brackets."""

    def __init__(self, clause: Clause, file: RulesFile, rule: TierRule) -> None:
        self._clause, self._file, self._rule = clause, file, rule
        self.looked_at_tiers = False
        self.paths = 0

    def decide(self) -> Iterator[_Answer]:
        """The answer of each path, and none beyond the first that breaks the clause."""
        try:
            for path in get_paths(self._run):
                self.paths += 1
                answer = self._judge(path)
                if answer is None:
                    continue
                yield answer
                if answer.verdict is Verdict.VIOLATED or isinstance(path.error, PathTooLong):
                    return
        except PathLimitExceeded as error:
            yield _Answer(Verdict.NOT_FOLLOWED, reason=f"{error}: fewer conditions")

    def _run(self, tracer: Tracer) -> tuple[z3.BoolRef, tuple[z3.BoolRef, ...]]:
        tracer.longest = LONGEST_PATH
        given = SymbolicGiven(tracer, self._file)
        try:
            conclusion = to_bool(self._clause.claim(given, self._rule))
        finally:
            self.looked_at_tiers = self.looked_at_tiers or given.looked_at_tiers
        return conclusion, get_hints(tracer, conclusion)

    def _judge(self, path: Path[tuple[z3.BoolRef, tuple[z3.BoolRef, ...]]]) -> _Answer | None:
        """None where the path is none: nothing leads to it."""
        if path.result is None:
            return self._judge_failure(path)
        conclusion, hints = path.result
        claim = Claim((*path.condition, *hints), conclusion, self._clause.sentence)
        answer = decide_claim(claim, RLIMIT)
        if answer.verdict is solver.Verdict.PROVED:
            return _Answer(Verdict.PROVED, answer.rlimit)
        broken = self._find(z3.And(*path.condition, z3.Not(conclusion)))
        if broken is not None:
            return _Answer(Verdict.VIOLATED, answer.rlimit, broken)
        return _Answer(Verdict.UNKNOWN, answer.rlimit, reason="the solver finds neither a proof nor a counterexample")

    def _judge_failure(self, path: Path[Any]) -> _Answer | None:
        """A path that raised: so does CPython at some of its inputs, or symbols cannot follow it."""
        assert path.error is not None
        condition = z3.And(*path.condition)
        broken = self._find(condition, raising=True)
        if broken is not None:
            return _Answer(Verdict.VIOLATED, broken=broken)
        if _find_values(condition, RLIMIT) == {}:
            return None
        return _Answer(Verdict.NOT_FOLLOWED, reason=get_reason(path.error), line=self._file.get_line(path.error))

    def _find(self, condition: z3.BoolRef, *, raising: bool = False) -> Broken | None:
        """Inputs of the condition at which CPython breaks the clause."""
        # that symbols cannot be followed is no sign of a fault: a short look is enough
        for is_plain, most in TRIES[:3] if raising else TRIES:
            values = _find_values(z3.And(condition, *_bound(condition, is_plain, most)), SEARCH_RLIMIT)
            if values:
                broken = run_plainly(self._clause, self._file, self._rule, values)
                if broken is not None and (broken.raised is not None or not raising):
                    return broken
        return None


def check(clause: Clause, file: RulesFile) -> Finding:
    """Prove or refute a clause of a file's rules."""
    started = time.perf_counter()
    answers: list[_Answer] = []
    paths, looked = 0, False
    for rule in TierRule:
        if rule is not TierRule.MARGINAL and not looked:
            continue
        decision = _Decision(clause, file, rule)
        answers += decision.decide()
        paths, looked = paths + decision.paths, looked or decision.looked_at_tiers
    worst = next((one for kind in _WORST for one in answers if one.verdict is kind), _Answer(Verdict.VACUOUS))
    spent = sum(answer.rlimit for answer in answers)
    seconds = round(time.perf_counter() - started, 3)
    scope = FEW_BRACKETS if looked else ANY
    return Finding(clause, worst.verdict, scope, paths, spent, seconds, worst.broken, worst.reason, worst.line)


_WORST = (Verdict.VIOLATED, Verdict.NOT_FOLLOWED, Verdict.UNKNOWN, Verdict.PROVED)


def run_plainly(clause: Clause, file: RulesFile, rule: TierRule, values: dict[str, Any]) -> Broken | None:
    """The clause at these inputs, run by CPython: how it breaks, or None where it holds."""
    given = PlainGiven(values, file)
    try:
        holds = clause.claim(given, rule)
    except NotSo:
        return None
    except Exception as error:  # whatever a rule raises is a counterexample
        return Broken(tuple(given.calls), describe(error), file.get_line(error))
    return None if holds else Broken(tuple(given.calls))


def get_reason(error: Exception) -> str:
    """What cannot be followed, and what to write instead."""
    if isinstance(error, PathTooLong):
        return "a loop with no bound among its constants: a loop over a tuple or a range of constants"
    if isinstance(error, ZeroDivisionError):
        return "a division by what may be zero or below it: a condition first, or max(..., 1)"
    if isinstance(error, RecursionError):
        return "a recursion with no bound among its constants: a loop over a tuple or a range of constants"
    return str(error) if isinstance(error, TypeError) else describe(error)


def _find_values(condition: z3.BoolRef, rlimit: int) -> dict[str, Any] | None:
    """A model's values by name; none at all where there is no model, ``None`` where z3 gives up."""
    found = z3.Solver()
    found.set("rlimit", rlimit)
    found.set("timeout", solver.TIMEOUT_MS)
    found.add(condition)
    result = found.check()
    if result != z3.sat:
        return {} if result == z3.unsat else None
    model = found.model()
    values: dict[str, Any] = {"": True}
    for symbol in _get_symbols(condition):
        value = model.eval(symbol, model_completion=True)
        values[symbol.decl().name()] = value.as_long() if z3.is_int(symbol) else z3.is_true(value)
    return values


def _bound(condition: z3.BoolRef, is_plain: bool, most: int | None) -> Iterator[z3.BoolRef]:
    """Small inputs, of which a person sees at once what is wrong."""
    for symbol in _get_symbols(condition):
        name = symbol.decl().name()
        field = name.partition(".")[2]
        if is_plain and name.startswith(("rules.", "old.", "new.")) and field in _PLAIN:
            yield symbol == _PLAIN[field]
        elif most is not None and z3.is_int(symbol) and not name.startswith("quotient"):
            yield symbol <= most
            yield symbol >= -most


_PLAIN = {name: value for name, value in attrs.asdict(PLAIN_RULES).items() if type(value) in (int, bool)}


def _get_symbols(condition: z3.ExprRef) -> list[z3.ExprRef]:
    found: dict[int, z3.ExprRef] = {}
    seen: set[int] = set()
    waiting = [condition]
    while waiting:
        term = waiting.pop()
        if term.get_id() in seen:
            continue
        seen.add(term.get_id())
        if z3.is_const(term) and term.decl().kind() == z3.Z3_OP_UNINTERPRETED:
            found[term.get_id()] = term
        waiting += term.children()
    return sorted(found.values(), key=str)
