"""``riskcore verify``: everything is proven, and what is not would show."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
import z3
from click.testing import CliRunner
from rich.console import Console

from proofs.lemmas import LEMMAS
from riskcore import verify
from riskcore.cli import main
from riskcore.prover import solver
from riskcore.prover.obligations import Obligation, get_event_name
from riskcore.prover.solver import Claim, Verdict, decide_claim
from riskcore.prover.symbols import new_int
from riskcore.verify import Result, Selection, get_law_ids, get_unit_names, get_verdict, prove, verify_unit
from riskcore.verify_report import print_results
from specs.contracts import CONTRACTS
from specs.laws import ALL_EVENTS, LAWS
from tests.faults.planting import Fault, plant


@pytest.mark.slow
def test_every_obligation_is_proven() -> None:
    answer = CliRunner().invoke(main, ["verify", "--format", "json"])
    report = json.loads(answer.stdout)

    assert answer.exit_code == 0, [one for one in report["obligations"] if one["verdict"] != "PROVED"]
    assert report["verdict"] == "PROVED"
    assert {"PROVED"} == {one["verdict"] for one in report["obligations"]}
    assert {"law", "effect", "guard", "lemma"} == {one["layer"] for one in report["obligations"]}
    assert len(report["obligations"]) >= 600
    assert report["trusted"]
    # else `riskcore verify --write-ledger proofs/ledger.tsv` records what is meant to have changed
    assert not any(report["ledger"][name] for name in ("new", "gone", "verdict")), report["ledger"]
    cells = {(one["event"], one["law"]) for one in report["obligations"]}
    events = [name for name in get_unit_names() if not name.startswith("lemma:")]
    claimed = {(event, law.id) for event in events for law in LAWS if law.outside is not None}
    chosen = {(get_event_name(kind), law.id) for law in LAWS for kind in law.applies}
    assert claimed | chosen <= cells
    assert all((event, law) in cells for event in events for law in ("FRAME-1", "REJ-1", "EFFECT", "WITNESS"))


def test_every_event_has_a_contract_and_a_place_in_the_matrix() -> None:
    assert set(CONTRACTS) == ALL_EVENTS


@pytest.fixture
def few_lemmas(monkeypatch: pytest.MonkeyPatch) -> None:
    """One module's, for all are proven with whatever is selected."""
    monkeypatch.setattr(verify, "LEMMAS", {"margin": LEMMAS["margin"]})


@pytest.mark.usefixtures("few_lemmas")
def test_one_event_and_one_law_can_be_asked_for() -> None:
    answer = CliRunner().invoke(main, ["verify", "--event", "deposit", "--law", "CASH-1", "--jobs", "1"])

    assert answer.exit_code == 0
    assert "(1 law, " in answer.stdout
    # what it rests on is proven with it, or named
    assert "on margin" in answer.stdout
    assert "assumed   CASH-1, CASH-2, BAL-1, BAL-2, INV-1, ADL-2 of every event" in answer.stdout


@pytest.mark.parametrize("unit", ["deposit", "withdraw"])
def test_where_a_path_breaks_off_nothing_is_proven(unit: str) -> None:
    snippet = "require(event.amount > 0, Rule.AMOUNT_NOT_POSITIVE)"
    head = f"def process_{unit}(state: State, event: {unit.title()}) -> Journal:\n    # Guard\n    {snippet}"
    fault = Fault("breaks_off", "an assertion fails", (), "cash", head, f"{head}\n    assert event.amount < 10\n")
    with plant(fault):
        results = [one for one in verify_unit(unit, Selection()) if one.law != "WITNESS"]

    assert {Verdict.VIOLATED} == {one.verdict for one in results}


@pytest.mark.parametrize("arguments", [["--law", "CASH-9"], ["--event", "Deposit"], ["--jobs", "0"], ["--no-such"]])
def test_wrong_usage_is_told_and_exits_with_2(arguments: list[str]) -> None:
    answer = CliRunner().invoke(main, ["verify", *arguments])

    assert answer.exit_code == 2
    assert "Traceback" not in answer.output


def test_a_law_of_lemmas_alone_has_no_matrix() -> None:
    lemma = Result("margin/MARG-1", "MARG-1", "margin", "lemma", "PROVED", "any", 1, 0, 0.0, None)
    alone = print_to_text([lemma])
    both = print_to_text([lemma, make_result("PROVED")])

    assert "outside" not in alone and "proved for" not in alone
    assert "1 on margin: proved" in alone
    assert "outside" in both and "proved for" in both


def print_to_text(results: list[Result]) -> str:
    console = Console(file=io.StringIO(), width=100)
    with console.capture() as capture:
        print_results(results, Selection(), 1.0, console)
    return capture.get()


@pytest.mark.usefixtures("few_lemmas")
def test_nothing_selected_is_inconclusive() -> None:
    answer = CliRunner().invoke(main, ["verify", "--event", "deposit", "--law", "ENV-1", "--jobs", "1"])

    assert answer.exit_code == 3


def test_names_are_those_of_logs_and_laws() -> None:
    assert "liquidation_fill" in get_unit_names()
    assert len(set(get_unit_names())) == len(get_unit_names())
    assert len(set(get_law_ids())) == len(get_law_ids())


def make_obligation(*claims: Claim) -> Obligation:
    return Obligation("event/LAW", "LAW", "event", "law", "any", claims, len(claims))


def test_a_claim_that_does_not_follow_is_violated_with_its_model() -> None:
    a = new_int("a").term
    result = prove(make_obligation(Claim((a > 0,), a > 1, "accepted")))

    assert result.verdict == Verdict.VIOLATED
    assert result.counterexample == "accepted\n  a = 1"


def test_no_claim_at_all_is_vacuous() -> None:
    assert prove(make_obligation()).verdict == Verdict.VACUOUS


def test_what_the_effort_limit_cuts_off_is_unknown() -> None:
    a, b, c = (new_int(name).term for name in "abc")
    claim = Claim((a > 0, b > 0, c > 0), a * a * a + b * b * b != c * c * c, "Fermat")

    assert decide_claim(claim, rlimit=20_000).verdict == Verdict.UNKNOWN


class Stopped:
    """A solver that gives up."""

    def __init__(self) -> None:
        self.ctx = z3.Context()

    def add(self, fact: z3.BoolRef) -> None:
        pass

    def check(self) -> z3.CheckSatResult:
        return z3.unknown

    def statistics(self) -> z3.Statistics:
        return z3.Solver(ctx=self.ctx).statistics()

    def reason_unknown(self) -> str:
        return "timeout"


@pytest.mark.parametrize(("stopped", "verdict"), [(3, Verdict.PROVED), (4, Verdict.UNKNOWN)])
def test_what_z3_gives_up_on_is_asked_anew(stopped: int, verdict: Verdict, monkeypatch: pytest.MonkeyPatch) -> None:
    solvers: Iterator[Any] = iter([*(Stopped() for _ in range(stopped)), solver.new_solver(10_000)])
    monkeypatch.setattr(solver, "new_solver", lambda rlimit, seed: next(solvers))
    one = z3.Int("one")

    assert verdict == decide_claim(Claim((one > 1,), one > 0, "somewhere"), rlimit=10_000).verdict


def make_result(verdict: str) -> Result:
    return Result("event/LAW", "LAW", "event", "law", verdict, "any", 1, 0, 0.0, None)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["PROVED"], "PROVED"),
        (["PROVED", "UNKNOWN"], "INCONCLUSIVE"),
        (["PROVED", "VACUOUS"], "INCONCLUSIVE"),
        (["UNKNOWN", "VIOLATED"], "VIOLATED"),
        ([], "INCONCLUSIVE"),
    ],
)
def test_only_proven_passes(verdicts: list[str], expected: str) -> None:
    assert expected == get_verdict([make_result(verdict) for verdict in verdicts], Selection())
