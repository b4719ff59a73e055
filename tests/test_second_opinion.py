"""A second solver: it agrees, disagrees or is silent, and each is told."""

from __future__ import annotations

import importlib.util
import io
import json
from importlib.machinery import ModuleSpec

import attrs
import pytest
import z3
from attrs import asdict
from click.testing import CliRunner
from rich.console import Console

from proofs.cross_check import write_page
from riskcore import verify
from riskcore.cli import main
from riskcore.ledger import make_ledger
from riskcore.prover.second import Opinion, Reply, SecondSolver, asking, get_opinion
from riskcore.prover.smtlib import Check, Reader, get_checks
from riskcore.prover.solver import Claim, Verdict
from riskcore.verify import Result, Selection, get_verdict
from riskcore.verify_run import print_opinions

A, B, C = z3.Ints("a b c")
HOLDS, FAILS = Claim((A > 0,), A >= 1, "holds"), Claim((A > 0,), A > 1, "fails")
#: Fermat's last theorem for cubes.
HARD = Claim((A > 0, B > 0, C > 0), A * A * A + B * B * B != C * C * C, "hard")


def get_check(claim: Claim) -> Check:
    (check,) = get_checks((claim,), Reader())
    return check


def test_it_agrees_disagrees_and_is_silent() -> None:
    with asking(2) as solver:
        hard = solver.ask(get_check(HARD))
        # the process that was ended is another now
        replies = [solver.ask(get_check(claim)) for claim in (HOLDS, FAILS)]

    assert Reply.SILENT == hard
    assert [Reply.UNSAT, Reply.SAT] == replies


def test_what_it_cannot_read_is_no_answer() -> None:
    with asking(20) as solver:
        reply = solver._ask(b"(assert nonsense)", "", 20)

    assert Reply.SILENT == reply


class Scripted(SecondSolver):
    """One whose replies are known: by the note of the check."""

    def ask(self, check: Check) -> Reply:
        return next(reply for reply in Reply if f": {reply}" in check.note)


def make_checks(*replies: Reply) -> list[Check]:
    return [Check((), f"path 1: {reply}") for reply in replies]


@pytest.mark.parametrize(
    ("verdict", "replies", "expected"),
    [
        (Verdict.PROVED, [Reply.UNSAT, Reply.UNSAT], (2, 0, 0)),
        (Verdict.PROVED, [Reply.UNSAT, Reply.SAT], (1, 1, 0)),
        (Verdict.PROVED, [Reply.UNSAT, Reply.SILENT], (1, 0, 1)),
        (Verdict.VIOLATED, [Reply.UNSAT, Reply.SAT], (2, 0, 0)),
        (Verdict.VIOLATED, [Reply.UNSAT, Reply.UNSAT], (0, 2, 0)),
        (Verdict.VIOLATED, [Reply.UNSAT, Reply.SILENT], (1, 0, 1)),
    ],
)
def test_replies_are_held_against_the_verdict(
    verdict: Verdict, replies: list[Reply], expected: tuple[int, int, int]
) -> None:
    opinion = get_opinion(Scripted(1), verdict, make_checks(*replies))

    assert expected == (opinion.agreed, len(opinion.disagreed), len(opinion.silent))


def make_result(opinion: Opinion) -> Result:
    return Result("event/LAW", "LAW", "event", "law", "PROVED", "any", 1, 0, 0.0, None, "", 3, opinion)


def test_to_disagree_is_a_violation_and_silence_is_not() -> None:
    disagreeing, silent = Opinion(2, ("path 3",), (), 0.1), Opinion(2, (), ("path 3",), 0.1)

    assert "VIOLATED" == get_verdict([make_result(disagreeing)], Selection())
    assert "PROVED" == get_verdict([make_result(silent)], Selection())


def test_counts_and_names_are_told() -> None:
    console = Console(file=io.StringIO(), width=100)
    with console.capture() as capture:
        print_opinions([make_result(Opinion(1, ("path 2",), ("path 3",), 4.2))], 3.0, console)
    said = capture.get()

    assert ["event", "3", "1", "1", "1", "4"] in [line.split() for line in said.splitlines()]
    assert "disagrees event/LAW: 1 of 3" in said
    assert "no answer event/LAW: 1 of 3" in said


def test_the_page_counts_names_and_says_what_was_not_asked() -> None:
    asked = asdict(make_result(Opinion(2, (), ("path 3",), 4.2)))
    other = attrs.evolve(make_result(Opinion(0, (), (), 0)), name="other/LAW", digest="1")
    page = list(write_page([asked], make_ledger([other])))

    assert "| event | 3 | 2 | 1 | 0 | 4 |" in page
    assert "* `event/LAW`: 1 of 3" in page
    assert "\nNot asked yet: 1 obligations, of other." in page


def test_an_event_is_cross_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "LEMMAS", {})
    arguments = ["verify", "--event", "deposit", "--law", "CASH-1", "--jobs", "1", "--cross-check", "--format", "json"]
    answer = CliRunner().invoke(main, arguments)
    (obligation,) = json.loads(answer.stdout)["obligations"]

    assert answer.exit_code == 0
    assert obligation["checks"] == obligation["opinion"]["agreed"] > 0
    assert "" == answer.stderr


def test_without_cvc5_it_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = importlib.util.find_spec

    def find_all_others(name: str) -> ModuleSpec | None:
        return None if name == "cvc5" else find_spec(name)

    monkeypatch.setattr("riskcore.prover.second.find_spec", find_all_others)
    answer = CliRunner().invoke(main, ["verify", "--cross-check"])

    assert answer.exit_code == 2
    assert "pip install 'riskcore[cross-check]'" in answer.output
