"""Runs a function once per path.

A run follows a list of decisions; where a condition is new and both ways are
possible, it takes one and leaves the other for a later run. A run's path condition,
with what was assumed of its symbols, is exact: no path is merged or guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeAlias, TypeVar

import attrs
import z3
from attrs import frozen

from riskcore.prover.symbols import end_run, start_run

T = TypeVar("T")

#: Work that z3 may spend on whether a branch is possible; past it, the branch is explored.
FEASIBILITY_RLIMIT = 200_000

#: More paths than this are an error, never a silent cut.
PATH_LIMIT = 2_000


class ClaimForked(Exception):
    """A claim about a path depends on something that the path does not decide."""


class NotRepeatable(Exception):
    """A run met other conditions than the run before it on the same path."""


class PathTooLong(Exception):
    """A path makes more decisions than its run allows."""


class PathLimitExceeded(Exception):
    """A function has more paths than ``PATH_LIMIT``."""


@frozen
class Path(Generic[T]):
    """One run: what was returned or raised, and under which condition."""

    result: T | None
    error: Exception | None
    assumptions: tuple[z3.BoolRef, ...]
    decisions: tuple[z3.BoolRef, ...]

    @property
    def condition(self) -> tuple[z3.BoolRef, ...]:
        return self.assumptions + self.decisions


#: A condition that was decided, and the way it went.
Decision: TypeAlias = tuple[z3.BoolRef, bool]


class Tracer:
    """One run of a path: follows ``script``, then takes the first possible way."""

    def __init__(self, script: list[Decision]) -> None:
        self.script = script
        self.taken: list[Decision] = []
        self.open: list[bool] = []
        #: most decisions that the path may make, where that is bounded
        self.longest: int | None = None
        self.assumptions: list[z3.BoolRef] = []
        self.decisions: list[z3.BoolRef] = []
        self._quotients: dict[tuple[int, int], tuple[z3.ArithRef, z3.ArithRef, z3.ArithRef]] = {}
        self.calls: list[tuple[str, tuple[z3.ArithRef, ...], z3.ArithRef]] = []
        self._names: list[tuple[str, z3.ArithRef, z3.ArithRef]] = []
        self._number = 0
        #: what claims found of a term: the path's own name for it, if it has one
        self._compared: dict[tuple[str, int], tuple[z3.ArithRef, z3.ArithRef | None]] = {}
        self._path_names = 0
        self._in_claim = False
        self._known: dict[int, tuple[z3.BoolRef, bool]] = {}
        #: how many facts were learned, and how many when a condition was last asked for in vain
        self._learned = 0
        self._unsettled: dict[int, int] = {}
        self._modelled = -1
        self._model: z3.ModelRef | None = None
        self._linear_terms: dict[int, tuple[z3.ExprRef, bool]] = {}
        self._kept: list[z3.BoolRef] = []
        self._solver = _new_solver()
        # products left out: sound for what it refutes, and quick
        self._linear = _new_solver()

    def assume(self, *facts: z3.BoolRef) -> None:
        """Add facts about symbols that the caller has named."""
        for fact in facts:
            self.assumptions.append(fact)
            self._learn(fact)

    @contextmanager
    def scope(self) -> Iterator[list[z3.BoolRef]]:
        """Forget at its end what was assumed in it; the list it yields is then filled with it.

        So that each claim about a path is decided with its own definitions only.
        """
        saved = (len(self.assumptions), len(self.calls), dict(self._quotients), dict(self._known))
        names = self._path_names = len(self._names)
        facts: list[z3.BoolRef] = []
        self._solver.push()
        self._linear.push()
        self._in_claim = True
        yield facts
        self._in_claim = False
        self._linear.pop()
        self._solver.pop()
        self._learned += 1
        facts.extend(self.assumptions[saved[0] :])
        del self.assumptions[saved[0] :], self.calls[saved[1] :], self._names[names:]
        self._quotients, self._known = saved[2], saved[3]

    def decide(self, asked: z3.BoolRef) -> bool:
        condition = z3.simplify(asked)
        if z3.is_true(condition) or z3.is_false(condition):
            return bool(z3.is_true(condition))
        known = self._known.get(condition.get_id())
        if known is not None:
            return known[1]
        if self._in_claim:
            return self._settle(condition)
        position = len(self.taken)
        if self.longest is not None and position >= self.longest:
            raise PathTooLong(f"more than {self.longest} conditions on one path")
        if position < len(self.script):
            (expected, way), both = self.script[position], False
            if not _is_same(asked, expected):
                raise NotRepeatable(f"{asked} was asked for, and before {expected}")
        else:
            possible = self._is_possible(condition)
            both = possible and self._is_possible(z3.Not(condition))
            way = possible
        self.taken.append((asked, way))
        self.open.append(both)
        fact = condition if way else z3.Not(condition)
        self.decisions.append(fact)
        self._learn(fact)
        self._remember(condition, way)
        return way

    def _settle(self, condition: z3.BoolRef) -> bool:
        """The one way a condition goes inside a claim, as a fact of that claim alone.

        A claim may not fork: its symbols are its own, so the path could not say which way it went.
        """
        for way, fact in ((True, condition), (False, z3.Not(condition))):
            if not self._is_possible(z3.simplify(z3.Not(fact))):
                self.assume(fact)
                return way
        raise ClaimForked(f"a claim asked for {condition}, which its path leaves open")

    def _remember(self, condition: z3.BoolRef, way: bool) -> None:
        negated = z3.simplify(z3.Not(condition))
        # the terms are kept alive with their ids, which z3 would otherwise reuse
        self._known[condition.get_id()] = (condition, way)
        self._known[negated.get_id()] = (negated, not way)

    def _learn(self, fact: z3.BoolRef) -> None:
        self._learned += 1
        self._solver.add(fact)
        if is_linear(fact, self._linear_terms):
            self._linear.add(fact)

    def _is_possible(self, condition: z3.BoolRef) -> bool:
        if is_linear(condition, self._linear_terms) and self._linear.check(condition) == z3.unsat:
            return False
        return bool(self._solver.check(condition) != z3.unsat)

    def is_known(self, condition: z3.BoolRef) -> bool:
        """Whether the path so far settles that the condition holds; False where z3 gives up."""
        condition = z3.simplify(condition)
        if z3.is_true(condition) or z3.is_false(condition):
            return bool(z3.is_true(condition))
        known = self._known.get(condition.get_id())
        if known is not None:
            return known[1]
        # nothing was learned since it was asked for in vain
        if self._unsettled.get(condition.get_id()) == self._learned:
            return False
        settled = is_linear(condition, self._linear_terms) and bool(self._linear.check(z3.Not(condition)) == z3.unsat)
        if settled:
            self._remember(condition, True)
        else:
            self._unsettled[condition.get_id()] = self._learned
            self._kept.append(condition)
        return settled

    def get_quotient(self, numerator: z3.ArithRef, denominator: z3.ArithRef) -> z3.ArithRef:
        """``numerator // denominator`` as a name; a divisor that may be <= 0 raises."""
        if not self.decide(denominator > 0):
            raise ZeroDivisionError("a divisor that is not above zero")
        numerator = z3.simplify(numerator, som=True)
        denominator = z3.simplify(denominator)
        key = (numerator.get_id(), denominator.get_id())
        if key not in self._quotients:
            quotient = z3.Int(f"quotient{self._new_number()}")
            self._quotients[key] = (quotient, numerator, denominator)
            rest = numerator - quotient * denominator
            self._define(quotient, numerator / denominator, rest >= 0, rest < denominator)
        return self._quotients[key][0]

    @property
    def quotients(self) -> tuple[tuple[z3.ArithRef, z3.ArithRef, z3.ArithRef], ...]:
        """Every quotient that the path has named, with what was divided by what."""
        return tuple(self._quotients.values())

    def _get_model(self) -> z3.ModelRef | None:
        """Some values that the path allows: what differs in them is not equal on it. None where z3 finds none."""
        if self._modelled != self._learned:
            self._modelled = self._learned
            self._model = self._solver.model() if self._solver.check() == z3.sat else None
        return self._model

    def name(self, kind: str, term: z3.ArithRef) -> z3.ArithRef:
        """A name for a value, the same for values of one kind that z3 proves equal on this path.

        Products of named values then agree to the letter, and need no reasoning about products.
        """
        term = z3.simplify(term, som=True)
        if z3.is_const(term):
            return term
        name = self._find_name(kind, term)
        if name is None:
            name = z3.Int(f"{kind}{self._new_number()}")
            self._names.append((kind, name, term))
            self._define(name, term, name == term)
        return name

    def _find_name(self, kind: str, term: z3.ArithRef) -> z3.ArithRef | None:
        """The name that a value of this kind has already.

        Which of the path's own names that is, or that none is, holds for all claims about the path: it is
        found once. A term that speaks of a claim's own names is no other claim's, for no two have the same.
        """
        alike = [(known, value) for known_kind, known, value in self._names if known_kind == kind]
        for known, value in alike:
            if value.eq(term):
                return known
        path_names = sum(one == kind for one, *_ in self._names[: self._path_names]) if self._in_claim else 0
        key = (kind, term.get_id())
        if self._in_claim and key not in self._compared:
            self._compared[key] = term, self._find_equal(alike[:path_names], term)
        if self._in_claim and self._compared[key][1] is not None:
            return self._compared[key][1]
        return self._find_equal(alike[path_names:], term)

    def _find_equal(self, named: list[tuple[z3.ArithRef, z3.ArithRef]], term: z3.ArithRef) -> z3.ArithRef | None:
        """The first name of a value that equals the term wherever the path allows."""
        model = self._get_model() if named else None
        for name, value in named:
            if model is not None and not z3.is_true(model.eval(value == term, model_completion=True)):
                continue
            if self._solver.check(value != term) == z3.unsat:
                return name
        return None

    def _new_number(self) -> int:
        """A number that no name of this run has, nor had in a claim that is done with."""
        self._number += 1
        return self._number

    def _define(self, name: z3.ArithRef, value: z3.ArithRef, *facts: z3.BoolRef) -> None:
        """Assume what a new name stands for: the values that the path allows then have one for it too."""
        model = self._model if self._modelled == self._learned else None
        self.assume(*facts)
        if model is not None:
            model.update_value(name, model.eval(value, model_completion=True))
            self._modelled = self._learned

    def call(self, name: str, arguments: tuple[z3.ArithRef, ...]) -> z3.ArithRef:
        """A function known by its contract: the same arguments give the same value."""
        function = z3.Function(name, *[z3.IntSort()] * (len(arguments) + 1))
        value = function(*arguments)
        if all(not value.eq(known) for _, _, known in self.calls):
            earlier = [*self.calls]
            self.calls.append((name, arguments, value))
            if name in (INITIAL, MAINTENANCE):
                self.assume(*get_requirement_facts(self.calls[-1], earlier))
            if name == BRACKET_FLOOR:
                self.assume(*get_bracket_facts(self.calls[-1]))
            if name == PART_MOST:
                self.assume(*get_part_facts(self.calls[-1]))
        return value


def _new_solver() -> z3.Solver:
    solver = z3.Solver()
    solver.set("rlimit", FEASIBILITY_RLIMIT)
    return solver


def _is_same(one: z3.BoolRef, two: z3.BoolRef) -> bool:
    """Whether two conditions are one; z3 may have written their parts in another order."""
    return bool(one.eq(two) or _new_solver().check(one != two) == z3.unsat)


def is_linear(term: z3.ExprRef, known: dict[int, tuple[z3.ExprRef, bool]]) -> bool:
    """Whether no two unknowns are multiplied anywhere in the term; ``known`` remembers what was found of its parts."""
    found = known.get(term.get_id())
    if found is not None:
        return found[1]
    children = term.children()
    result = not (z3.is_mul(term) and sum(not z3.is_int_value(child) for child in children) > 1)
    result = result and all(is_linear(child, known) for child in children)
    # the term is kept alive with its id, which z3 would otherwise reuse
    known[term.get_id()] = (term, result)
    return result


#: An earlier call of a function: its name, its arguments, its value.
Call: TypeAlias = tuple[str, tuple[z3.ArithRef, ...], z3.ArithRef]

INITIAL, MAINTENANCE = "initial_requirement", "maintenance_requirement"
BRACKET_FLOOR = "bracket_floor"
PART_LEAST, PART_MOST = "part_least", "part_most"
COST, ARE_FEWEST = "cost", "are_fewest"


def get_requirement_facts(call: Call, earlier: list[Call]) -> list[z3.BoolRef]:
    """What a margin requirement of admissible rules is known for: proven of the kernel's in ``proofs/tiers.py``.

    Zero at zero and above zero elsewhere, monotone in size and in open interest, and initial not below
    maintenance. Arguments are the size without sign, the mark and, for the initial requirement, the open interest
    and the leverage chosen.
    """
    name, (size, mark, *others), value = call
    facts = [value >= 0, z3.Implies(size == 0, value == 0), z3.Implies(z3.And(size > 0, mark > 0), value > 0)]
    for other_name, their_arguments, other in earlier:
        if other_name not in (INITIAL, MAINTENANCE):
            continue
        other_size, other_mark, *their_others = their_arguments
        if not mark.eq(other_mark):
            continue
        is_same = name == other_name and all(one.eq(two) for one, two in zip(others[1:], their_others[1:], strict=True))
        interest, other_interest = others[:1], their_others[:1]
        if is_same or (name, other_name) == (MAINTENANCE, INITIAL):
            no_more = [one <= two for one, two in zip(interest, other_interest, strict=False)]
            facts.append(z3.Implies(z3.And(size <= other_size, *no_more), value <= other))
        if is_same or (name, other_name) == (INITIAL, MAINTENANCE):
            no_less = [one >= two for one, two in zip(interest, other_interest, strict=False)]
            facts.append(z3.Implies(z3.And(size >= other_size, *no_less), value >= other))
    return facts


def get_bracket_facts(call: Call) -> list[z3.BoolRef]:
    """What the floor of the bracket that a notional is in is known for, likewise: below it, and not below zero."""
    _, (notional,), value = call
    return [value >= 0, z3.Implies(notional > 0, value < notional)]


def get_part_facts(call: Call) -> list[z3.BoolRef]:
    """What a part is known for, rounded down and up, at any level: proven of the kernel's in ``proofs/allocation.py``.

    No less than nothing and no more than the position, a lot apart at most; in a queue all of it.
    """
    _, arguments, most = call
    policy, size, *_, lots, weight = arguments
    least = z3.Function(PART_LEAST, *[z3.IntSort()] * (len(arguments) + 1))(*arguments)
    whole = z3.If(size >= 0, size, -size)
    is_level = z3.And(lots >= 0, weight > 0)
    order = z3.And(least >= 0, least <= most, most <= least + 1, most <= whole)
    return [z3.Implies(is_level, order), z3.Implies(z3.And(is_level, policy == 0), least == whole)]


def take_last(scripts: list[list[Decision]]) -> int:
    """The script that was left last."""
    return len(scripts) - 1


def get_paths(
    function: Callable[[Tracer], T], choose: Callable[[list[list[Decision]]], int] = take_last
) -> Iterator[Path[T]]:
    """Every path of ``function``, which sets its symbols up and runs what is traced.

    ``choose`` says which of those left is next; it changes their order and nothing else.
    """
    scripts: list[list[Decision]] = [[]]
    count = 0
    while scripts:
        count += 1
        if count > PATH_LIMIT:
            raise PathLimitExceeded(f"more than {PATH_LIMIT} paths")
        tracer = Tracer(scripts.pop(choose(scripts)))
        start_run(tracer)
        result: T | None = None
        error: Exception | None = None
        try:
            # fields hold symbols here, which are no exact int
            with attrs.validators.disabled():
                result = function(tracer)
        except NotRepeatable:
            raise
        except Exception as raised:  # an exception is a result: the laws say which may escape
            error = raised
        finally:
            end_run()
        for position in range(len(tracer.script), len(tracer.taken)):
            if tracer.open[position]:
                condition, way = tracer.taken[position]
                scripts.append([*tracer.taken[:position], (condition, not way)])
        yield Path(result, error, tuple(tracer.assumptions), tuple(tracer.decisions))
