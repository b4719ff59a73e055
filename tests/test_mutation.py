"""``riskcore mutate``: which mutants there are, that they are planted and dug out, and what becomes of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import z3
from attrs import evolve
from click.testing import CliRunner, Result

from riskcore.bad_input import LogError
from riskcore.cli import main
from riskcore.mutation import campaign, selection
from riskcore.mutation.agreement import BOTH, Comparison, prove_agreement
from riskcore.mutation.campaign import RECORDED, Trial, is_equivalent
from riskcore.mutation.checking import get_stages
from riskcore.mutation.equivalence import NotComparable, prove_equivalence
from riskcore.mutation.hunting import Fate, Finding, Hunter, planted
from riskcore.mutation.mutants import Mutant, get_mutants
from riskcore.mutation.planting import get_source
from riskcore.mutation.reach import get_functions, get_units_of
from riskcore.mutation.records import find_record, read_records
from riskcore.mutation.score import get_exit_code, get_score, to_json, to_page, to_text
from riskcore.mutation.selection import get_changed_functions, get_touched_lines, take_sample
from riskcore.mutation.types import KERNEL
from riskcore.prover.solver import Verdict
from riskcore.quantities import divide_up
from riskcore.rules import Rejected, Rule

HEAD = """from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from riskcore.journal import Journal, Party, Reason, Stage
from riskcore.quantities import divide_down, divide_up
from riskcore.rules import Rule, require


class Pair(NamedTuple):
    one: int
    two: int
    text: str
"""


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ToyMaker:
    return ToyMaker(tmp_path / "toy.py", monkeypatch)


class ToyMaker:
    """Makes a module of a source, which stands among the kernel's."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._path, self._monkeypatch = path, monkeypatch

    def make(self, source: str) -> list[Mutant]:
        self._path.write_text(HEAD + source)
        module = ModuleType("riskcore.toy")
        module.__file__ = str(self._path)
        self._monkeypatch.setitem(sys.modules, "riskcore.toy", module)
        self._monkeypatch.setitem(KERNEL, "toy", module)
        exec(compile(HEAD + source, str(self._path), "exec"), vars(module))
        return get_mutants("toy")


def get_texts(mutants: list[Mutant], operator: str) -> list[str]:
    return [one.get_lines()[1] for one in mutants if one.operator == operator]


# Which there are


@pytest.mark.parametrize(
    ("signature", "line", "operator", "expected"),
    [
        ("a: int, b: str", "return a * 2", "arithmetic", ["return (a + 2)"]),
        ("a: int, b: str", "return a - 2", "arithmetic", ["return (a + 2)"]),
        ("a: int, b: str", "return a <= 2", "boundary", ["return (a < 2)"]),
        ("a: int, b: str", "return a <= 2", "reversal", ["return (a >= 2)"]),
        ("a: int, b: str", "return a == 2", "reversal", ["return (a != 2)"]),
        ("a: int, b: str", "return divide_up(a, 2)", "rounding", ["return divide_down(a, 2)"]),
        ("a: int, b: str", "return a // 2", "rounding", ["return (-(-(a) // (2)))"]),
        ("a: int, b: str", "return -a", "sign", ["return a"]),
        ("a: int, b: str", "return a - 2", "sign", ["return (2 - a)"]),
        ("a: int, b: str", "return abs(a)", "sign", ["return a"]),
        ("a: int, b: int", "return divide_up(a, b)", "arguments", ["return divide_up(b, a)"]),
        ("a: int, b: str", "return divide_up(a, b)", "arguments", []),
        ("j: Journal, a: Party, b: Party", "j.pay(a, b, 1, Reason.FEE, Stage.BOOK)", "parties", None),
        ("j: Journal, a: Party, b: Party", "j.pay(a, b, 1, Reason.FEE, Stage.BOOK)", "dropped", ["pass"]),
        ("a: int, b: str", "require(a > 0, Rule.DUST)", "dropped", ["pass"]),
        ("p: Pair, b: str", "return p.one", "field", ["return p.two"]),
        ("p: Pair, b: str", "return p.text", "field", []),
        ("a: int, b: int", "return a", "name", ["return b"]),
        ("a: int, b: str", "return a", "name", []),
        ("a: int, b: str", "return a", "off_by_one", None),
        ("a: int, b: str", "return 7", "constant", ["return 8", "return 6"]),
        ("a: int, b: str", "return True", "constant", ["return False"]),
        ("a: bool, b: bool", "return a and b", "boolean", ["return (a or b)"]),
        ("a: bool, b: bool", "return a & b", "dropped", ["return b", "return a"]),
        ("a: bool, b: str", "return not a", "negation", ["return a"]),
        ("a: bool, b: str", "return 1 if a else 2", "negation", ["return (2 if a else 1)"]),
        ("a: int, b: str", "return max(a, 0)", "extreme", ["return min(a, 0)", "return a"]),
        ("a: list, b: str", "return any(a)", "extreme", None),
        ("a: int, b: str", "return Rule.DUST", "word", ["return Rule.WORSE_THAN_BANKRUPTCY"]),
    ],
)
def test_an_operator_changes_like_for_like(
    toy: ToyMaker, signature: str, line: str, operator: str, expected: list[str] | None
) -> None:
    found = get_texts(toy.make(f"\n\ndef f({signature}) -> int:\n    {line}\n"), operator)
    told = {
        "parties": ["j.pay(b, a, 1, Reason.FEE, Stage.BOOK)"],
        "off_by_one": ["return (a) + 1"],
        "extreme": ["return all(a)"],
    }

    assert (told[operator] if expected is None else expected) == found


def test_names_hold_while_the_function_does(toy: ToyMaker) -> None:
    source = "\n\ndef f(a: int) -> int:\n    return a + 1 - 2\n"
    before = [one.name for one in toy.make(source)]
    after = [one.name for one in toy.make(f"# why\nX = 3\n{source}")]

    assert "toy:f:1:arithmetic" in before and "toy:f:2:arithmetic" in before
    assert before == after
    assert len(set(before)) == len(before)


def test_no_two_mutants_of_the_kernel_share_a_name_or_a_change() -> None:
    mutants = [one for module in KERNEL for one in get_mutants(module)]

    assert len(mutants) > 3_000
    assert len({one.name for one in mutants}) == len(mutants)
    assert len({(one.module, one.start, one.end, one.text) for one in mutants}) == len(mutants)


def test_every_mutant_of_a_module_is_a_change_that_runs() -> None:
    for mutant in get_mutants("insurance"):
        old, new = mutant.get_lines()

        assert old != new
        assert mutant.get_code() != mutant.get_function().__code__, mutant.name
        assert mutant.get_code(marked=True).co_qualname == mutant.function


# Planting


def pick(module: str, function: str, operator: str, ordinal: int = 1) -> Mutant:
    name = f"{module}:{function}:{ordinal}:{operator}"
    return next(one for one in get_mutants(module, function) if one.name == name)


def unchange(mutant: Mutant) -> Mutant:
    """A mutant that is the kernel as it is."""
    return evolve(mutant, text=get_source(KERNEL[mutant.module]).encode()[mutant.start : mutant.end].decode())


def test_a_mutant_is_planted_and_dug_out() -> None:
    mutant = pick("quantities", "divide_up", "off_by_one")
    with planted(mutant, mutant.get_code()):
        assert 4 == divide_up(5, 2)

    assert 3 == divide_up(5, 2)


def test_a_mutant_is_dug_out_when_the_block_fails() -> None:
    mutant = pick("quantities", "divide_up", "off_by_one")
    with pytest.raises(RuntimeError), planted(mutant, mutant.get_code()):
        raise RuntimeError

    assert 3 == divide_up(5, 2)


# Hunting


def test_the_proofs_find_a_fee_that_the_maker_does_not_pay() -> None:
    finding = Hunter().hunt(pick("cash", "process_deposit", "off_by_one"))

    assert Fate.KILLED == finding.fate
    assert finding.by.startswith("deposit/")


def test_a_boundary_of_a_lemmas_function_is_found() -> None:
    finding = Hunter().hunt(pick("margin", "is_below_maintenance", "boundary"))

    assert Fate.KILLED == finding.fate


def test_the_kernel_as_it_is_survives() -> None:
    assert Finding(Fate.SURVIVED) == Hunter().hunt(unchange(pick("cash", "process_deposit", "dropped")))


def test_every_function_but_a_few_is_in_reach_of_some_proof() -> None:
    beyond = {f"{module}.{name}" for function, (module, name) in get_functions().items() if not get_units_of(function)}

    assert {"per_market.PerMarket.__repr__", "journal.Journal.parties"} <= beyond
    assert not {name for name in beyond if name.startswith(("cash", "margin", "trading", "liquidation", "vault"))}


def test_a_modules_own_tests_are_asked_first() -> None:
    stages = list(get_stages("trading"))

    assert "tests/test_trading.py" in stages[0]
    assert "tests/test_cash.py" in stages[1] and "tests/test_trading.py" not in stages[1]
    assert all(Path(path.partition("::")[0]).exists() for stage in stages for path in stage)


# No faults


EQUIVALENCES = [
    ("a: int, b: int", "abs(a - b)", "toy:f:2:sign", Verdict.PROVED),
    ("a: int, b: int", "a - b", "toy:f:1:sign", Verdict.VIOLATED),
    ("a: int, b: int", "1 if a > 0 or a > 2 else 0", "toy:f:1:dropped", Verdict.VIOLATED),
    ("a: int, b: int", "1 if a > 0 or a > 2 else 0", "toy:f:2:dropped", Verdict.PROVED),
]


@pytest.mark.parametrize(("signature", "value", "name", "verdict"), EQUIVALENCES)
def test_what_is_no_fault_is_proven(toy: ToyMaker, signature: str, value: str, name: str, verdict: Verdict) -> None:
    mutants = {one.name: one for one in toy.make(f"\n\ndef f({signature}) -> int:\n    return {value}\n")}

    assert verdict is prove_equivalence(mutants[name])


@pytest.mark.parametrize("function", ["get_score", "get_chance"])
def test_another_word_is_another_result(function: str) -> None:
    words = [one for one in get_mutants("ranking", function) if one.operator == "word"]

    assert words
    assert not any(is_equivalent(one) for one in words)


def test_a_state_is_not_compared() -> None:
    with pytest.raises(NotComparable):
        prove_equivalence(pick("cash", "process_deposit", "off_by_one"))


AGREEMENTS = [
    # an order that rests has lots, and so is bid or ask: without that zero would be a bid
    ("order_book", "process_cancel_order", "boundary", 1, Verdict.PROVED),
    # the limit's own zero bounds nothing, whatever the age: the words within differ, and the whole does not
    ("markets", "is_index_fresh", "boundary", 2, Verdict.PROVED),
    ("order_book", "process_cancel_order", "reversal", 2, Verdict.VIOLATED),
    ("markets", "is_index_fresh", "boundary", 1, Verdict.VIOLATED),
]


@pytest.mark.parametrize(("module", "function", "operator", "ordinal", "verdict"), AGREEMENTS)
def test_what_has_the_same_value_in_every_event_is_proven(
    module: str, function: str, operator: str, ordinal: int, verdict: Verdict
) -> None:
    mutant = pick(module, function, operator, ordinal)
    right = mutant.get_function().__code__

    assert verdict is prove_agreement(mutant)
    assert right is mutant.get_function().__code__
    assert BOTH not in vars(KERNEL[module])


@pytest.mark.parametrize(
    ("module", "function", "operator", "ordinal"),
    [
        # money would move twice
        ("cash", "process_deposit", "dropped", 1),
        # events know it by contract, and never run it
        ("quantities", "divide_up", "off_by_one", 1),
        # genesis asks it too
        ("rulebook", "is_admissible_rulebook", "boundary", 1),
        # no event asks how many markets there are
        ("per_market", "PerMarket.__len__", "off_by_one", 1),
        # the contract of what is called says nothing of arguments that are the wrong way round
        ("trading", "process_fill", "arguments", 9),
    ],
)
def test_what_cannot_be_run_beside_itself_is_not_compared(
    module: str, function: str, operator: str, ordinal: int
) -> None:
    with pytest.raises(NotComparable):
        prove_agreement(pick(module, function, operator, ordinal))


def test_what_a_trace_does_not_see_is_not_compared() -> None:
    source, right = get_source(KERNEL["markets"]), "event.price > 0"
    place = source.index(right, source.index("def process_mark_price"))
    mutant = Mutant("markets", "process_mark_price", 1, "toy", place, place + len(right), "")

    # of waiting rules a trace has what cannot be looked at, and never none
    with pytest.raises(NotComparable):
        prove_agreement(evolve(mutant, text="(event.price > 0) & (market.pending is not None)"))
    assert Verdict.PROVED is prove_agreement(evolve(mutant, text="(event.price >= 1)"))


@pytest.mark.parametrize("name", ["journal:Journal.pay:1:name", "journal:Journal.pay:2:name"])
def test_what_is_written_to_is_not_computed_twice(name: str) -> None:
    with pytest.raises(NotComparable):
        prove_agreement(next(one for one in get_mutants("journal", "Journal.pay") if one.name == name))


def test_both_have_to_end_alike() -> None:
    def refuse(rule: Rule) -> None:
        raise Rejected(rule)

    comparison = Comparison()
    with pytest.raises(Rejected):
        comparison(lambda: refuse(Rule.DUST), lambda: refuse(Rule.DUST))
    with pytest.raises(Rejected):
        comparison(lambda: refuse(Rule.DUST), lambda: refuse(Rule.SELF_TRADE))
    assert 1 == comparison(lambda: 1, lambda: refuse(Rule.DUST))

    assert [True, False, False] == [z3.is_true(claim) for claim in comparison.claims]


def test_each_record_names_a_mutant_and_says_why() -> None:
    for record in read_records().values():
        module, function, *_ = record.name.split(":")
        (mutant,) = [one for one in get_mutants(module, function) if one.name == record.name]

        assert mutant.get_lines()[1] == record.becomes
        assert len(record.reason) > 20


def test_a_record_is_of_the_line_that_it_names(tmp_path: Path) -> None:
    mutant = pick("quantities", "divide_up", "off_by_one")
    path = tmp_path / "records.toml"
    path.write_text(
        f'[[mutant]]\nname = "{mutant.name}"\nbecomes = "{mutant.get_lines()[1]}"\nreason = "for no reason"\n'
    )
    records = read_records(path)

    assert find_record(mutant, records) is not None
    assert find_record(evolve(mutant, text="0"), records) is None
    assert find_record(pick("quantities", "divide_down", "off_by_one"), records) is None


# Which are asked for


def test_a_sample_is_spread_evenly_and_the_same_everywhere() -> None:
    mutants = get_mutants("cash")
    sample = take_sample(mutants, 10, 3)

    assert 10 == len(set(sample))
    assert sample == take_sample(mutants, 10, 3)
    assert sample != take_sample(mutants, 10, 4)
    assert mutants == take_sample(mutants, len(mutants), 3)


def test_changed_functions_are_read_off_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = get_source(KERNEL["cash"]).splitlines()
    line = 1 + next(number for number, text in enumerate(lines) if text.startswith("def process_transfer"))
    monkeypatch.setattr(selection, "read_difference", lambda path, base: f"@@ -1,2 +{line + 2} @@ def x\n")

    assert {"process_transfer"} == get_changed_functions("cash", "HEAD")
    assert [4] == get_touched_lines("@@ -1 +4 @@\n")
    assert [4, 5, 6] == get_touched_lines("@@ -1 +4,3 @@\n")
    # where lines were taken out, either neighbour may be of a changed function
    assert [4, 5] == get_touched_lines("@@ -4,2 +4,0 @@\n")
    assert [] == get_touched_lines("")


def test_a_commit_that_is_not_there_is_told(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    with pytest.raises(LogError, match="a commit of the repository"):
        selection.read_difference(tmp_path / "cash.py", "no-such-commit")


# The command


def mutate(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["mutate", "--jobs", "1", *arguments])


ONE = ("--module", "quantities", "--function", "divide_up", "--sample", "1", "--by", "proofs")


@pytest.fixture
def fates(monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    """What every hunt finds, in turn; when there is nothing left, that none is expected."""
    left: list[Finding] = []
    monkeypatch.setattr(Hunter, "hunt", lambda self, mutant: left.pop(0))
    monkeypatch.setattr(campaign, "is_equivalent", lambda mutant: False)
    return left


def test_a_kill_exits_with_0(fates: list[Finding]) -> None:
    fates.append(Finding(Fate.KILLED, "some/claim"))
    answer = mutate(*ONE)

    assert 0 == answer.exit_code
    assert "proofs alone     100.0 %  1 of 1 killed" in answer.stdout


def test_a_survivor_is_shown_and_exits_with_1(fates: list[Finding]) -> None:
    fates.append(Finding(Fate.SURVIVED))
    answer = mutate(*ONE)

    assert 1 == answer.exit_code
    assert "survivors\n  quantities:divide_up:" in answer.stdout
    assert "    - return -(-numerator // denominator)\n    + return " in answer.stdout


def test_what_is_unknown_is_no_kill_and_exits_with_3(fates: list[Finding]) -> None:
    fates.append(Finding(Fate.UNKNOWN))
    answer = mutate(*ONE)

    assert 3 == answer.exit_code
    assert "0.0 %  0 of 1 killed, 1 unknown" in answer.stdout


def test_the_tests_are_asked_of_what_the_proofs_do_not_find(
    fates: list[Finding], monkeypatch: pytest.MonkeyPatch
) -> None:
    two = (*ONE[:4], "--sample", "2", "--by", "either", "--format", "json")
    fates += [Finding(Fate.KILLED, "some/claim"), Finding(Fate.SURVIVED)]
    monkeypatch.setattr(campaign._checker, "check", lambda mutant: Finding(Fate.KILLED, "some test"))
    answer = mutate(*two)

    assert ["", "some test"] == [trial["test"] for trial in json.loads(answer.stdout)["trials"]]
    assert {"proofs": 1, "both": 2} == {
        side: one["killed"] for side, one in json.loads(answer.stdout)["scores"].items()
    }
    assert 0 == answer.exit_code


def test_a_survivor_that_agrees_is_no_fault_unless_a_test_finds_it(
    fates: list[Finding], monkeypatch: pytest.MonkeyPatch
) -> None:
    fates += [Finding(Fate.SURVIVED)] * 2
    monkeypatch.setattr(campaign, "is_agreed", lambda mutant: True)
    monkeypatch.setattr(campaign._checker, "check", lambda mutant: Finding(Fate.SURVIVED))
    agreed = mutate(*ONE[:-1], "both")
    monkeypatch.setattr(campaign._checker, "check", lambda mutant: Finding(Fate.KILLED, "some test"))
    found = mutate(*ONE[:-1], "both")

    assert (0, 1) == (agreed.exit_code, found.exit_code)
    assert "1 mutants, 1 of them no faults: 1 proven, 0 recorded" in agreed.stdout
    assert "proven as no fault, and killed: quantities:divide_up:" in found.stdout


def test_what_is_done_is_not_done_again(fates: list[Finding], tmp_path: Path) -> None:
    fates.append(Finding(Fate.KILLED, "some/claim"))
    out = str(tmp_path / "results.jsonl")
    first, second = (mutate(*ONE, "--out", out, "--format", "json") for _ in range(2))

    assert [0, 0] == [first.exit_code, second.exit_code]
    assert json.loads(first.stdout) == json.loads(second.stdout)


def test_results_of_another_source_are_refused(fates: list[Finding], tmp_path: Path) -> None:
    out = tmp_path / "results.jsonl"
    out.write_text('{"riskcore_mutants": 1, "source": "0", "by": "proofs"}\n')
    answer = mutate(*ONE, "--out", str(out))

    assert 2 == answer.exit_code
    assert "results of the source as it is" in answer.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--module", "nothing"],
        ["--function", "divide_up"],
        ["--module", "quantities", "--function", "nothing"],
        ["--sample", "0"],
        ["--by", "guessing"],
        ["--module", "quantities", "--changed", "no-such-commit"],
    ],
)
def test_wrong_usage_is_told_and_exits_with_2(arguments: list[str]) -> None:
    answer = mutate(*arguments)

    assert 2 == answer.exit_code
    assert "Traceback" not in answer.output


def make_trial(name: str = "cash:f:1:sign", **fields: Any) -> Trial:
    return evolve(Trial(name, "old", "new"), **fields)


def test_a_score_leaves_out_what_is_no_fault() -> None:
    trials = [
        make_trial(proofs="KILLED", tests="SURVIVED"),
        make_trial(proofs="UNKNOWN", tests="KILLED"),
        make_trial(proofs="SURVIVED", tests="SURVIVED", equivalent=RECORDED, reason="why"),
    ]

    assert ["50.0 %", "50.0 %", "100.0 %"] == [get_score(trials, side).rate for side in ("proofs", "tests", "both")]
    assert 0 == get_exit_code(trials)
    assert 1 == get_exit_code([*trials, make_trial(proofs="SURVIVED", tests="SURVIVED")])
    assert {"proven": 0, "recorded": 1} == to_json(trials, "both")["equivalent"]


def test_a_record_of_a_mutant_that_dies_is_wrong() -> None:
    trial = make_trial(proofs="KILLED", equivalent=RECORDED, reason="why")

    assert 1 == get_exit_code([trial])
    assert "recorded as no fault, and killed: cash:f:1:sign" in to_text([trial], "proofs")


def test_the_page_has_every_survivor_and_every_reason() -> None:
    page = to_page(
        [make_trial(proofs="SURVIVED"), make_trial("cash:g:1:sign", equivalent=RECORDED, reason="why")], "both", "cmd"
    )

    assert "    cmd\n" in page
    assert "* `cash:f:1:sign`: `old` becomes `new`\n" in page
    assert "* `cash:g:1:sign`: `old` becomes `new`: why\n" in page


# The gate


@pytest.mark.slow
def test_a_small_sample_of_the_kernel_dies_of_the_proofs() -> None:
    answer = mutate("--sample", "20", "--seed", "9", "--by", "proofs", "--format", "json")
    report = json.loads(answer.stdout)

    assert 20 == report["mutants"]
    assert [] == report["survivors"]
    assert 0 == answer.exit_code
