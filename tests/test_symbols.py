"""The prover's integers against Python's own: same values, same rounding, same order."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import z3
from hypothesis import given, settings
from hypothesis import strategies as st

from riskcore.prover.symbols import SymBool, SymInt, new_bool, new_int, symbolic_max, symbolic_min, to_int
from riskcore.prover.tracer import (
    PATH_LIMIT,
    ClaimForked,
    PathLimitExceeded,
    PathTooLong,
    Tracer,
    get_paths,
    is_linear,
)
from specs.arithmetic import negate

INTEGERS = st.one_of(st.integers(-5, 5), st.integers(), st.integers(-(10**30), 10**30))
DIVISORS = INTEGERS.filter(lambda value: value > 0)


def evaluate(function: Callable[[Any, Any], Any], first: int, second: int) -> Any:
    """The one value that symbols equal to these integers give, on the one path that is possible."""

    def run(tracer: Tracer) -> Any:
        one, two = new_int("one"), new_int("two")
        tracer.assume(one.term == first, two.term == second)
        return function(one, two)

    (path,) = get_paths(run)
    if path.error is not None:
        raise path.error
    if isinstance(path.result, bool):
        return path.result
    solver = z3.Solver()
    solver.add(*path.condition)
    assert solver.check() == z3.sat
    result: Any = path.result
    term = result.term if isinstance(result, SymInt | SymBool) else to_int(result)
    value = solver.model().eval(term, model_completion=True)
    solver.add(term != value)
    assert solver.check() == z3.unsat
    return z3.is_true(value) if isinstance(path.result, SymBool) else value.as_long()


@pytest.mark.parametrize(
    "function",
    [
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, b: a * b,
        lambda a, b: -a + 3 * b - 2,
        lambda a, b: 7 - a,
        lambda a, b: abs(a) + abs(b),
        lambda a, b: a < b,
        lambda a, b: a <= b,
        lambda a, b: a > b,
        lambda a, b: a >= b,
        lambda a, b: a == b,
        lambda a, b: a != b,
        lambda a, b: (a < b) | (b < 0),
        lambda a, b: (a < b) & (b < 0),
        lambda a, b: 1 if a < b else (2 if a == b else 3),
    ],
)
@given(first=INTEGERS, second=INTEGERS)
def test_operators_are_those_of_int(function: Callable[[Any, Any], Any], first: int, second: int) -> None:
    expected = function(first, second)
    actual = evaluate(function, first, second)

    assert expected == actual


@pytest.mark.parametrize(
    "function",
    [
        lambda a, b: +a - +b,
        lambda a, b: 5 + a * 3 - (2 - b) * 7,
        lambda a, b: abs(a - b) * abs(b),
        lambda a, b: negate(a <= b) | (a == b),
        lambda a, b: (a < b) == (b > 0),
        lambda a, b: (a < b) != (b > 0),
        lambda a, b: -3 < a <= b < 7,
        lambda a, b: 0 if (a < 0 and b < 0) or not (a < b or a > b) else a + b,
        lambda a, b: 3 < a,
        lambda a, b: 3 >= a,
        lambda a, b: 3 == a,
        lambda a, b: 3 != a,
        lambda a, b: sum((a, b, -7)),
        lambda a, b: any(one > 3 for one in (a, b)),
        lambda a, b: all(one > 3 for one in (a, b)),
        lambda a, b: max(a, b, 3) - min(a, b, -3),
        lambda a, b: max((a, b), key=abs),
        lambda a, b: sorted((a, 2, b))[1],
        lambda a, b: a in (b, 1, 2),
        lambda a, b: (a, b) == (b, a),
        lambda a, b: (a, 1) < (b, 0),
        lambda a, b: tuple(one for one in (a, b) if one >= 0) == (),
    ],
)
@settings(max_examples=25)
@given(first=INTEGERS, second=INTEGERS)
def test_what_rules_may_write_is_as_of_int(function: Callable[[Any, Any], Any], first: int, second: int) -> None:
    expected = function(first, second)
    actual = evaluate(function, first, second)

    assert expected == actual


@given(first=INTEGERS, second=INTEGERS)
def test_min_and_max_are_those_of_int(first: int, second: int) -> None:
    assert min(first, second) == evaluate(symbolic_min, first, second)
    assert max(first, second) == evaluate(symbolic_max, first, second)


@given(numerator=INTEGERS, divisor=DIVISORS)
def test_division_floors_and_the_remainder_has_the_divisors_sign(numerator: int, divisor: int) -> None:
    assert numerator // divisor == evaluate(lambda a, b: a // b, numerator, divisor)
    assert numerator % divisor == evaluate(lambda a, b: a % b, numerator, divisor)
    assert -(-numerator // divisor) == evaluate(lambda a, b: -(-a // b), numerator, divisor)
    quotient, rest = divmod(numerator, divisor)
    assert quotient == evaluate(lambda a, b: divmod(a, b)[0], numerator, divisor)
    assert rest == evaluate(lambda a, b: divmod(a, b)[1], numerator, divisor)


@settings(max_examples=10)
@given(divisor=DIVISORS)
def test_a_plain_integer_is_divided_likewise(divisor: int) -> None:
    for numerator in (10**30, 7, 0, -7, -(10**30)):
        for divide in (divmod, lambda one, other: (one // other, one % other)):
            expected = divide(numerator, divisor)
            actual = tuple(evaluate(partial(_divide, divide, numerator, place), 0, divisor) for place in (0, 1))

            assert expected == actual


def _divide(divide: Callable[[Any, Any], Any], numerator: int, place: int, first: Any, second: Any) -> Any:
    return divide(numerator, second)[place]


@given(numerator=INTEGERS, divisor=INTEGERS.filter(lambda value: value <= 0))
def test_a_divisor_that_is_not_positive_is_refused(numerator: int, divisor: int) -> None:
    with pytest.raises(ZeroDivisionError):
        evaluate(lambda a, b: a // b, numerator, divisor)


def test_a_divisor_of_unknown_sign_is_a_path_of_its_own() -> None:
    paths = list(get_paths(lambda tracer: new_int("a") // new_int("b")))

    assert len(paths) == 2
    assert sum(isinstance(path.error, ZeroDivisionError) for path in paths) == 1


@pytest.mark.parametrize(
    "misuse",
    [
        lambda a: bool(a),
        lambda a: hash(a),
        lambda a: {a: 1},
        lambda a: [1, 2][a],
        lambda a: a + True,
        lambda a: a + 1.5,
        lambda a: a < "x",
        lambda a: a == None,  # noqa: E711
        lambda a: (a < 1) & 1,
        lambda a: a**2,
        lambda a: 2**a,
        lambda a: pow(a, 2, 7),
        lambda a: a / 2,
        lambda a: 1 / a,
        lambda a: a << 1,
        lambda a: 1 << a,
        lambda a: a >> 1,
        lambda a: 1 >> a,
        lambda a: a & 1,
        lambda a: 1 & a,
        lambda a: a | 1,
        lambda a: 1 | a,
        lambda a: a ^ 1,
        lambda a: 1 ^ a,
        lambda a: ~a,
        lambda a: int(a),
        lambda a: float(a),
        lambda a: complex(a),
        lambda a: round(a),
        lambda a: math.floor(a),
        lambda a: math.ceil(a),
        lambda a: math.trunc(a),
        lambda a: math.isqrt(a),
        lambda a: str(a),
        lambda a: f"{a}",
        lambda a: range(a),
        lambda a: [0] * a,
        lambda a: (a < 1) + 1,
        lambda a: (a < 1) ^ (a < 2),
        lambda a: (a < 1) < (a < 2),
        lambda a: int(a < 1),
        lambda a: f"{a < 1}",
        lambda a: {a < 1},
        lambda a: sum((a < 1, a < 2)),
        lambda a: (a < 1) == 1,
    ],
)
def test_what_would_lose_generality_raises(misuse: Callable[[Any], Any]) -> None:
    (path,) = get_paths(lambda tracer: misuse(new_int("a")))

    assert isinstance(path.error, TypeError)


#: Special methods of ``int`` that every object has, or that make or keep one and compute nothing.
OF_OBJECTS = set(dir(object)) | {"__getnewargs__"}
#: Those that symbols have, compared with ``int`` above.
COMPARED = {"add", "sub", "mul", "floordiv", "mod", "divmod"}
SAME = {f"__{side}{name}__" for name in COMPARED for side in ("", "r")} | {"__neg__", "__pos__", "__abs__"}
SAME |= {f"__{name}__" for name in ("eq", "ne", "lt", "le", "gt", "ge")}


@pytest.mark.parametrize("name", sorted(set(dir(int)) - {"__new__"}))
def test_what_integers_can_symbols_can_or_refuse(name: str) -> None:
    """A method of ``int`` is compared with it above, or raises on symbols, or is none that computes."""
    a = new_int("a")
    if name in SAME:
        assert name in vars(SymInt)
    elif name == "__hash__":
        assert SymInt.__hash__ is None
    elif name == "__repr__":
        # how a symbol shows itself in an error: rules cannot ask for it
        assert "SymInt(a)" == repr(a)
    elif name in OF_OBJECTS - {"__str__", "__format__", "__bool__"}:
        assert name not in vars(SymInt) or name in SAME | {"__init__", "__slots__", "__doc__"}
    elif not name.startswith("__"):
        assert not hasattr(a, name)
    else:
        with pytest.raises(TypeError, match="symbol"):
            getattr(a, name)(*[1] * (name not in ALONE))


#: Of those that are refused, the ones without another operand.
ALONE = {
    f"__{name}__" for name in ("bool", "index", "int", "float", "trunc", "floor", "ceil", "round", "invert", "str")
}


def test_a_path_that_goes_on_is_ended_where_its_run_says_so() -> None:
    def count(tracer: Tracer) -> int:
        tracer.longest = 5
        a, steps = new_int("a"), 0
        while a > 0:
            a, steps = a - 1, steps + 1
        return steps

    paths = list(get_paths(count))

    assert [0, 1, 2, 3, 4] == sorted(path.result for path in paths if path.result is not None)
    assert [PathTooLong] == [type(path.error) for path in paths if path.error is not None]


def test_every_path_is_taken_once() -> None:
    def classify(tracer: Tracer) -> str:
        a, b = new_int("a"), new_int("b")
        return ("low" if a < 0 else "high") + ("low" if b < a else "high")

    found = sorted(path.result or "" for path in get_paths(classify))

    assert found == ["highhigh", "highlow", "lowhigh", "lowlow"]


def test_impossible_branches_are_not_paths() -> None:
    def nested(tracer: Tracer) -> int:
        a = new_int("a")
        if a > 3:
            return 1 if a > 2 else 2
        return 3

    assert sorted(path.result or 0 for path in get_paths(nested)) == [1, 3]


def test_too_many_paths_are_an_error_and_no_silent_cut() -> None:
    def explode(tracer: Tracer) -> int:
        return sum(1 if bool(new_bool(f"b{number}")) else 0 for number in range(12))

    with pytest.raises(PathLimitExceeded):
        list(get_paths(explode))
    assert PATH_LIMIT < 2**12


def test_a_scope_forgets_what_was_assumed_in_it() -> None:
    tracer = Tracer([])
    a = new_int("a").term
    with tracer.scope() as facts:
        tracer.assume(a > 5)
        assert tracer.is_known(a > 4)

    assert not tracer.is_known(a > 4)
    assert len(facts) == 1
    assert tracer.assumptions == []


def test_a_claim_may_not_fork_and_leaves_no_decision_behind() -> None:
    tracer = Tracer([])
    a = new_int("a").term
    tracer.assume(a > 0)
    with tracer.scope() as facts:
        assert tracer.decide(a > -1)
        with pytest.raises(ClaimForked):
            tracer.decide(a > 1)

    assert [] == tracer.decisions
    assert 1 == len(facts)


def test_names_are_shared_by_what_is_proven_equal_and_by_nothing_else() -> None:
    tracer = Tracer([])
    a, b = new_int("a").term, new_int("b").term
    one = tracer.name("equity", (a + b) * (a - b))
    same = tracer.name("equity", a * a - b * b)
    other = tracer.name("equity", a * a - b * b + 1)
    another_kind = tracer.name("initial", a * a - b * b)

    assert one.eq(same)
    assert not one.eq(other)
    assert not one.eq(another_kind)


def test_products_of_unknowns_are_what_is_not_linear() -> None:
    a, b = new_int("a").term, new_int("b").term

    assert is_linear(3 * a + b > 2, {})
    assert not is_linear(a * b > 2, {})
    assert not is_linear(z3.If(a > 0, a * a, b) > 2, {})
