"""``--rules``: a user's own functions, proven, refuted with the calls that break them, or named as not followed."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import z3
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from riskcore import margin, trading
from riskcore.cli import main
from riskcore.own_rules.clauses import CLAUSES, Clause, get_clauses
from riskcore.own_rules.decide import Finding, Verdict, check
from riskcore.own_rules.files import KERNELS, read_rules
from riskcore.own_rules.hints import get_hints
from riskcore.own_rules.planted import planted
from riskcore.own_rules.report import COVERED, get_lines
from riskcore.prover.symbols import new_int
from riskcore.prover.tracer import Tracer, get_paths
from specs import tiers
from specs import trading as trades

EXAMPLES = Path(__file__).parent.parent / "examples" / "rules"

HEAD = """
from riskcore.choices import Allocation
from riskcore.quantities import RATE_ONE, apply_rate, divide_up
from riskcore.ranking import Score
"""
MAINTENANCE = "def get_maintenance_requirement(market, size):\n    return "
INITIAL = "def get_initial_requirement(market, size, open_interest, leverage):\n    return "
FEE = "def get_fee(notional, rate):\n    return "
AHEAD = "def is_ahead(first, second):\n    return "
PART = "def get_exact_part(policy, size, weight, level_lots, level_weight):\n    return "
RATE = "apply_rate(abs(size) * market.mark_price, market.rules.maintenance_margin_rate)"
OWN = "apply_rate(abs(size) * market.mark_price, market.rules.initial_margin_rate)"

#: For each clause a rule that keeps the others as well as it can, and breaks it.
WRONG = {
    "get_maintenance_requirement/nothing_needs_nothing": f"{MAINTENANCE}{RATE} + 1",
    "get_maintenance_requirement/a_position_needs_something": f"{MAINTENANCE}abs(size) * market.mark_price // 20",
    "get_maintenance_requirement/alike_for_both_sides": f"{MAINTENANCE}{RATE} + (1 if size < 0 else 0)",
    "get_maintenance_requirement/by_mark_and_rules_alone": f"{MAINTENANCE}{RATE} + max(market.funding_index, 0)",
    "get_maintenance_requirement/larger_needs_no_less": f"{MAINTENANCE}{RATE} + (abs(size) == 3 and 1000 or 0)",
    "get_maintenance_requirement/milder_rules_need_no_more": f"{MAINTENANCE}{RATE} + market.rules.minimum_size",
    "get_maintenance_requirement/at_least_the_base_rate": f"{MAINTENANCE}max({RATE} - 1, min(abs(size), 1))",
    "get_initial_requirement/nothing_needs_nothing": f"{INITIAL}{OWN} + 1",
    "get_initial_requirement/a_position_needs_something": f"{INITIAL}abs(size) * market.mark_price // 5",
    "get_initial_requirement/alike_for_both_sides": f"{INITIAL}{OWN} + (1 if size < 0 else 0)",
    "get_initial_requirement/by_mark_and_rules_alone": f"{INITIAL}{OWN} + max(market.open_interest, 0)",
    "get_initial_requirement/larger_needs_no_less": f"{INITIAL}{OWN} + (1000 if abs(size) == 3 else 0)",
    "get_initial_requirement/initial_is_no_less_than_maintenance": f"{INITIAL}max({OWN} - 1, min(abs(size), 1))",
    "get_initial_requirement/more_open_interest_needs_no_less": f"{INITIAL}{OWN} + (2 if open_interest < 5 else 1)",
    "get_initial_requirement/a_chosen_leverage_is_kept": f"{INITIAL}{OWN}",
    "get_initial_requirement/a_higher_leverage_needs_no_more": f"{INITIAL}{OWN} + max(leverage, 0)",
    "get_fee/a_fee_is_not_negative": f"{FEE}divide_up(notional * rate, RATE_ONE) - 1",
    "get_fee/a_rebate_is_paid_by_the_fee": f"{FEE}notional * rate // RATE_ONE",
    "get_fee/no_more_than_the_rate_rounded_up": f"{FEE}divide_up(notional * rate, RATE_ONE) + (1 if rate > 0 else 0)",
    "get_score/score_is_over_a_divisor_above_zero": "def get_score(policy, size, cost, mark, equity, opened, chance):\n"
    "    return Score(abs(size) * mark, equity)",
    "is_ahead/nobody_is_ahead_of_himself": f"{AHEAD}first.id <= second.id",
    "is_ahead/of_two_one_is_ahead": f"{AHEAD}first.size > second.size",
    "is_ahead/ahead_of_one_ahead_is_ahead": f"{AHEAD}first.id < second.id if first.size == second.size "
    "else (first.size > second.size) != (first.size - second.size == 2 or second.size - first.size == 2)",
    "get_weight/everyone_has_a_weight": "def get_weight(policy, size, cost, mark, equity):\n    return abs(size)",
    "get_exact_part/a_part_is_of_the_position": f"{PART}abs(size) * level_weight + 1",
    "get_exact_part/parts_follow_the_level": f"{PART}abs(size) * (level_lots if level_lots < 5 else 0)",
}


def write(folder: Path, source: str) -> Path:
    path = folder / "rules.py"
    path.write_text(HEAD + source + "\n", encoding="utf-8")
    return path


def get_clause(name: str) -> Clause:
    """The clause of this name; of those that are asked of each policy, one that is no queue's."""
    return [one for one in CLAUSES if f"{one.function}/{one.name}".startswith(name)][-1]


def get_finding(folder: Path, name: str, source: str) -> Finding:
    file = read_rules(write(folder, source))
    assert file.offences == ()
    return check(get_clause(name), file)


def run(*arguments: str) -> tuple[int, str]:
    answer = CliRunner().invoke(main, [*arguments])
    assert "Traceback" not in answer.output
    assert answer.exception is None or isinstance(answer.exception, SystemExit)
    return answer.exit_code, answer.output


@pytest.mark.parametrize("name", WRONG)
def test_each_clause_is_broken_by_some_rule(name: str, tmp_path: Path) -> None:
    finding = get_finding(tmp_path, name, WRONG[name])

    assert Verdict.VIOLATED == finding.verdict, finding
    # CPython ran the calls that are shown, and none of them raised
    assert finding.broken is not None and finding.broken.calls and finding.broken.raised is None


def test_every_clause_has_a_rule_that_breaks_it() -> None:
    names = {f"{one.function}/{one.name.partition('/')[0]}" for one in CLAUSES}

    assert names == {*WRONG}
    assert {one.function for one in CLAUSES} == {*KERNELS} == {*COVERED}


def test_what_breaks_is_shown_as_calls_with_their_values(tmp_path: Path) -> None:
    name = "get_maintenance_requirement/larger_needs_no_less"
    file = read_rules(write(tmp_path, f"{MAINTENANCE}max(20 - abs(size), 0) * min(abs(size), 1)"))
    finding = check(get_clause(name), file)

    assert finding.broken is not None
    small, large = finding.broken.calls
    assert small.arguments[1] < large.arguments[1] and small.value > large.value
    assert get_lines(finding.broken, file) == [
        f"get_maintenance_requirement(market=(mark_price={one.arguments[0].mark_price}), "
        f"size={one.arguments[1]}) = {one.value}"
        for one in (small, large)
    ]


def test_an_exception_is_a_counterexample(tmp_path: Path) -> None:
    source = "def get_weight(policy, size, cost, mark, equity):\n    return max(1000 // equity, 1)"
    finding = get_finding(tmp_path, "get_weight/everyone_has_a_weight", source)

    assert Verdict.VIOLATED == finding.verdict
    assert finding.broken is not None and finding.broken.line == 6
    assert finding.broken.raised is not None and finding.broken.raised.startswith("ZeroDivisionError")


@pytest.mark.parametrize("result", ["None", "1 == 1", "abs(size) * 1 == 3"])
def test_a_result_of_another_kind_is_a_counterexample(result: str, tmp_path: Path) -> None:
    source = f"def get_weight(policy, size, cost, mark, equity):\n    return {result}"
    finding = get_finding(tmp_path, "get_weight/everyone_has_a_weight", source)

    assert Verdict.VIOLATED == finding.verdict
    assert finding.broken is not None and finding.broken.raised == "WrongResult: gave no integer"


@pytest.mark.parametrize(
    ("body", "line", "reason"),
    [
        ("while notional > 0:\n        notional -= 1\n    return 0", 6, "a loop with no bound"),
        ("for _ in range(notional):\n        pass\n    return 0", 6, "loop over a tuple or constants"),
        ("return 0 if notional else 0", 6, "compare it with 0"),
        ("return notional ** 2 * 0", 6, "a power of a symbol"),
        ("return (notional >> 1) * 0", 6, "a shift of a symbol"),
        ("return (notional & 1) * 0", 6, "a combination of bits"),
        ("return get_fee(notional - 1, rate) if notional > 0 else 0", 6, "a loop with no bound"),
        ("return 0 * (1 // (-1 - notional))", 6, "a division by what may be zero"),
    ],
)
def test_what_only_fails_on_symbols_is_no_verdict(body: str, line: int, reason: str, tmp_path: Path) -> None:
    finding = get_finding(tmp_path, "get_fee/a_fee_is_not_negative", f"def get_fee(notional, rate):\n    {body}")

    assert (Verdict.NOT_FOLLOWED, line) == (finding.verdict, finding.line)
    assert finding.reason is not None and reason in finding.reason


@pytest.mark.parametrize(
    ("statement", "construct"),
    [
        ("int(rate)", "int"),
        ("round(rate)", "round"),
        ("rate / 2", "true division"),
        ("0.5", "the constant 0.5"),
        ("isinstance(rate, int)", "isinstance"),
        ("type(rate)", "type"),
        ("rate is notional", "is"),
        ("f'{rate}'", "a formatted text"),
        ("{rate: 1}", "a dict"),
        ("{rate}", "a set"),
        ("rate.bit_length()", "the method bit_length"),
        ("rate.term", "the attribute term"),
        ("getattr(rate, 'term')", "getattr"),
        ("map(int, (rate,))", "map"),
        ("SEEN.append(rate)", "the method append"),
        ("SEEN[0]", "SEEN, a list from outside the function"),
        ("isqrt(rate)", "isqrt, a builtin_function_or_method from outside the function"),
        ("helper(rate)", "round"),
        ("(lambda one: int(one))(rate)", "int"),
    ],
)
def test_a_construct_that_could_tell_a_symbol_is_named_with_its_line(
    statement: str, construct: str, tmp_path: Path
) -> None:
    head = "from math import isqrt\nSEEN = []\ndef helper(one):\n    return round(one)\ndef unused():\n    return 0.5\n"
    source = f"{head}def get_fee(notional, rate):\n    {statement}\n    return 0"
    file = read_rules(write(tmp_path, source))
    # the helper is read because the rule calls it, and who nobody calls is not
    line = 8 if "helper" in statement else 12

    assert {(construct, line)} <= {(one.construct, one.line) for one in file.offences}
    assert 10 not in {one.line for one in file.offences}
    assert all(one.instead for one in file.offences)


def test_what_a_clause_does_not_vary_no_rule_may_look_at(tmp_path: Path) -> None:
    """Or it would be proven for one value of it alone."""
    name = "get_maintenance_requirement/by_mark_and_rules_alone"
    finding = get_finding(tmp_path, name, f"{MAINTENANCE}{RATE} + (0 if market.pending is None else 1)")

    assert (Verdict.NOT_FOLLOWED, 6) == (finding.verdict, finding.line)


def test_brackets_are_asked_about_where_a_rule_looks_at_them(tmp_path: Path) -> None:
    """Also through a function of the kernel's: that slabs jump is seen."""
    source = (
        "from riskcore.tiers import is_continuous\ndef get_maintenance_requirement(market, size):\n"
        f"    return {RATE} if is_continuous(market.rules) else 0"
    )
    name = "get_maintenance_requirement/a_position_needs_something"
    finding = get_finding(tmp_path, name, source)
    plain = get_finding(tmp_path, name, MAINTENANCE + RATE)

    assert (Verdict.VIOLATED, Verdict.PROVED) == (finding.verdict, plain.verdict)
    assert "up to three brackets" in finding.scope and "up to three" not in plain.scope


@pytest.mark.parametrize(
    "statement",
    ["try:\n        pass\n    except Exception:\n        pass", "global SEEN", "yield 1", "lambda one=[]: one"],
)
def test_so_is_a_statement(statement: str, tmp_path: Path) -> None:
    file = read_rules(write(tmp_path, f"def get_fee(notional, rate):\n    {statement}\n    return 0"))

    assert [6] == [one.line for one in file.offences]


def test_what_is_not_followed_exits_with_3(tmp_path: Path) -> None:
    path = write(tmp_path, "def get_fee(notional, rate):\n    return round(notional * 0.5)")
    code, output = run("verify", "--jobs", "1", "--rules", str(path))

    assert 3 == code
    assert f"{path}:6: round is not followed; instead: " in output


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("def get_fee(notional, rate:", "rules.py:5: expected Python, got"),
        ("1 / 0", "rules.py:5: expected a file that runs, got ZeroDivisionError"),
        ("raise SystemExit", "rules.py:5: expected a file that runs, got SystemExit"),
        ("import no_such_package", "rules.py:5: expected a file that runs, got ModuleNotFoundError"),
        ("def get_fees(notional, rate):\n    return 0", 'did you mean "get_fee"?'),
        ("x = 1", "expected a function of one of get_maintenance_requirement"),
        (
            "def get_fee(rate):\n    return 0",
            "rules.py:5: get_fee: expected the parameters (notional, rate), got (rate)",
        ),
        ("def get_fee(notional, *rate):\n    return 0", "got (notional, *rate)"),
    ],
)
def test_a_file_that_cannot_be_used_is_bad_input(source: str, told: str, tmp_path: Path) -> None:
    code, output = run("verify", "--rules", str(write(tmp_path, source)))

    assert 2 == code
    assert told in output


def test_so_is_one_that_is_not_there(tmp_path: Path) -> None:
    assert 2 == run("verify", "--rules", str(tmp_path / "none.py"))[0]
    assert 2 == run("verify", "--rules", str(tmp_path))[0]
    assert 2 == run("verify", "--rules", str(EXAMPLES / "progressive.py"), "--law", "CASH-1")[0]


@pytest.mark.slow
def test_the_example_is_proven() -> None:
    code, output = run("verify", "--jobs", "1", "--format", "json", "--rules", str(EXAMPLES / "progressive.py"))
    report = json.loads(output)

    assert (0, "PROVED") == (code, report["verdict"])
    assert {"PROVED"} == {one["verdict"] for one in report["clauses"]}
    functions = ("get_maintenance_requirement", "get_initial_requirement", "get_score", "is_ahead")
    assert [*functions] == report["functions"]
    assert len(get_clauses(functions)) == len(report["clauses"])


def test_the_example_that_fails_names_the_calls(tmp_path: Path) -> None:
    code, output = run("verify", "--jobs", "1", "--rules", str(EXAMPLES / "rounded_down.py"))

    assert 1 == code
    assert "VIOLATED get_maintenance_requirement/a_position_needs_something (MARG-1)" in output
    assert "(maintenance_margin_rate=50000), mark_price=1), size=1) = 0" in output


def test_its_log_breaks_a_law_with_its_rule_and_none_without() -> None:
    log, rules = str(EXAMPLES / "rounded_down.jsonl"), str(EXAMPLES / "rounded_down.py")
    code, output = run("replay", "--format", "json", "--rules", rules, log)
    failure = json.loads(output)["failure"]

    assert 1 == code
    assert ("REJ-1", 6) == (failure["law"], failure["prefix_events"])
    assert "ZeroDivisionError" in failure["clause"]
    assert f"riskcore replay --rules {rules} {log}" == failure["reproduce"]
    assert 0 == run("replay", log)[0]


def test_a_log_is_judged_by_the_file_s_own_measure(tmp_path: Path) -> None:
    """A requirement that keeps its clauses breaks nothing; one above initial margin breaks what rests on that."""
    log = str(EXAMPLES / "rounded_down.jsonl")
    code, output = run("replay", "--rules", str(write(tmp_path, f"{MAINTENANCE}{OWN}\n{FEE}0")), log)
    wrong, told = run("replay", "--format", "json", "--rules", str(write(tmp_path, f"{MAINTENANCE}2 * {OWN}")), log)

    assert 0 == code, output
    assert (1, "MARG-3") == (wrong, json.loads(told)["failure"]["law"])


#: Names that a file's requirement and fee stand for, in the kernel and in the specification.
PLACES: tuple[tuple[ModuleType, str], ...] = (
    (margin, "get_maintenance_requirement"),
    (tiers, "maintenance_requirement"),
)
PLACES += ((trading, "apply_rate"), (trades, "rate_of"))


def test_nothing_is_left_planted(tmp_path: Path) -> None:
    kept = [getattr(module, name) for module, name in PLACES]
    with planted(read_rules(write(tmp_path, f"{MAINTENANCE}7\n{FEE}0"))):
        inside = [getattr(module, name) for module, name in PLACES]

    assert kept == [getattr(module, name) for module, name in PLACES]
    assert [7, 7, 0, 0] == [function(None, 1) for function in inside]


FIGURES = st.one_of(st.integers(-4, 4), st.integers(-(10**12), 10**12))


@settings(max_examples=40)
@given(top=FIGURES, bottom=FIGURES, other_top=FIGURES, other_bottom=FIGURES, factor=FIGURES)
def test_what_the_solver_is_told_of_products_and_quotients_is_true(
    top: int, bottom: int, other_top: int, other_bottom: int, factor: int
) -> None:
    values = {"top": top, "bottom": bottom, "other_top": other_top, "other_bottom": other_bottom, "factor": factor}

    def claim(tracer: Tracer) -> tuple[Any, Any]:
        one, two, three, four, five = (new_int(name) for name in values)
        tracer.assume(*(z3.Int(name) == value for name, value in values.items()))
        # conditions that a rule could have asked for, and a claim with both kinds of terms
        is_settled = [bool(condition) for condition in (one * five < three * two, five > one, one == three)]
        conclusion = one // two * five <= three // four * one + len(is_settled)
        return get_hints(tracer, conclusion.term), tracer.quotients

    def evaluate(term: Any, quotients: Any) -> bool:
        known = [(z3.Int(name), z3.IntVal(value)) for name, value in values.items()]
        named = [(name, z3.simplify(z3.substitute(over / under, *known))) for name, over, under in quotients]
        return bool(z3.is_true(z3.simplify(z3.substitute(term, *known, *named))))

    (path,) = get_paths(claim)

    assert (path.result is not None) == (bottom > 0 and other_bottom > 0)
    if path.result is not None:
        hints, quotients = path.result
        assert hints
        assert all(evaluate(hint, quotients) for hint in hints)
