"""``riskcore verify --export``: scripts that mean what was proven, the same each time, and a folder that is whole."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
import z3
from click.testing import CliRunner

from riskcore import verify
from riskcore.cli import main
from riskcore.export import INDEX, exporting, get_script
from riskcore.prover.obligations import ANY_ACCOUNTS, Obligation
from riskcore.prover.smtlib import Reader, UnknownOperator, get_checks, write_script
from riskcore.prover.solver import Claim
from riskcore.verify import collect

A, B, C = z3.Ints("a b c")
SHARED = A * B + C


def write(*claims: Claim) -> str:
    return write_script(list(get_checks(claims, Reader())))


def decide(script: str) -> list[str]:
    """What z3 says to a script on its own, question by question."""
    context = z3.Context()
    said: str = z3.Z3_eval_smtlib2_string(context.ref(), script)
    return said.split()


def test_a_script_declares_shares_and_asks() -> None:
    claim = Claim((A > 0, B > 0), A * B > 0, "accepted")

    expected = """(set-logic QF_UFNIA)
(declare-fun a () Int)
(declare-fun b () Int)
; path 1: accepted
(assert (> a 0))
(assert (> b 0))
(assert (not (> (* a b) 0)))
(set-info :status unsat)
(check-sat)
"""

    assert expected == write(claim)


def test_each_path_is_asked_on_its_own() -> None:
    positive, negative = Claim((A > 0,), A >= 1, "up"), Claim((A < 0,), A <= -1, "down")

    assert ["unsat", "unsat"] == decide(write(positive, negative))


def test_what_does_not_follow_has_a_model() -> None:
    with pytest.raises(z3.Z3Exception, match=r"sat.*check annotation that says unsat"):
        decide(write(Claim((A > 0,), A > 1, "")))


def test_what_occurs_twice_is_defined_once() -> None:
    script = write(Claim((SHARED > 0, SHARED < 9), SHARED != 9, ""))

    assert 1 == script.count("(* a b)")
    assert "(define-fun $1 () Int (+ (* a b) c))" in script


def test_what_commutes_is_written_in_one_order() -> None:
    one = Claim((A + B + C > 0,), z3.And(A == B, B == C), "")
    other = Claim((A + B + C > 0,), z3.And(B == A, B == C), "")

    assert write(one) == write(other)


def test_what_holds_by_itself_is_asked_without_premises() -> None:
    script = write(Claim((A > 0,), z3.Or(B > 0, B <= 0), "accepted"))

    assert "a" not in [line.split()[1] for line in script.splitlines() if line.startswith("(declare-fun")]
    assert ["unsat"] == decide(script)


def test_functions_negative_numbers_and_odd_names_are_written() -> None:
    function = z3.Function("queue at", z3.IntSort(), z3.IntSort())
    script = write(Claim((function(A) == -5,), function(A) < -4, ""))

    assert "(declare-fun |queue at| (Int) Int)" in script
    assert "(- 5)" in script
    assert ["unsat"] == decide(script)


def test_an_operator_that_is_not_known_is_refused() -> None:
    with pytest.raises(UnknownOperator):
        write(Claim((), z3.ToReal(A) > 0, ""))


def test_every_operator_means_the_same() -> None:
    """What is written is read back by z3, and equal to what it was written from."""
    condition = z3.Xor(A > B, z3.Implies(B >= C, A / 3 == B % 5))
    term = z3.If(condition, A - B, -C) + z3.Sum(A, B, 7)
    claim = Claim((z3.Distinct(A, B, C), term <= 3), z3.And(A < 0, B != 2), "")
    (read,) = [z3.And(*z3.parse_smt2_string(write(claim)))]

    assert z3.unsat == z3.Solver().check(read != z3.And(*claim.premises, z3.Not(claim.conclusion)))


@pytest.fixture
def no_lemmas(monkeypatch: pytest.MonkeyPatch) -> None:
    """For all are proven with whatever is selected."""
    monkeypatch.setattr(verify, "LEMMAS", {})


def export(folder: Path, *more: str) -> tuple[int, str]:
    arguments = ["verify", "--event", "deposit", "--law", "CASH-1", "--jobs", "1", "--export", str(folder), *more]
    answer = CliRunner().invoke(main, arguments)
    return answer.exit_code, answer.output


@pytest.mark.usefixtures("no_lemmas")
def test_a_folder_has_each_obligation_an_index_and_how_to_decide_them(tmp_path: Path) -> None:
    code, said = export(tmp_path / "out")
    rows = [line.split("\t") for line in (tmp_path / "out" / INDEX).read_text().splitlines()]
    script = (tmp_path / "out" / "deposit" / "CASH-1.smt2").read_bytes()

    assert code == 0, said
    assert ["deposit/CASH-1", "CASH-1", "PROVED"] == rows[1][:3]
    assert [sha256(script).hexdigest(), "deposit/CASH-1.smt2"] == rows[1][4:]
    assert ["unsat"] * int(rows[1][3]) == decide(script.decode())
    assert "z3" in (tmp_path / "out" / "README.txt").read_text()
    assert script.startswith(b"; deposit/CASH-1\n; CASH-1: every atom has one owner")
    assert {"out"} == {path.name for path in tmp_path.iterdir()}


@pytest.mark.usefixtures("no_lemmas")
def test_an_earlier_export_is_replaced(tmp_path: Path) -> None:
    first, _ = export(tmp_path / "out")
    written = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    again, _ = export(tmp_path / "out")

    assert (0, 0) == (first, again)
    assert written == {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["notes.txt", "deposit/own.smt2"])
def test_what_is_no_export_is_refused_and_kept(name: str, tmp_path: Path) -> None:
    (tmp_path / "deposit").mkdir()
    (tmp_path / name).write_text("mine")
    code, said = export(tmp_path)

    assert code == 2
    assert "expected a new or empty folder, or an earlier export, got a folder with other things in it" in said
    assert "mine" == (tmp_path / name).read_text()


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    code, said = export(tmp_path / "out")

    assert (code, "mine") == (2, (tmp_path / "out").read_text())
    assert "got another file" in said


def test_a_folder_that_was_broken_off_leaves_no_trace(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), exporting(tmp_path / "out") as folder:
        (folder / "half").write_text("half")
        raise KeyboardInterrupt

    assert [] == list(tmp_path.iterdir())


def get_scripts(unit: str) -> dict[str, str]:
    reader = Reader()
    return {one.name: get_script(one, list(get_checks(one.claims, reader))) for one in collect(unit)}


def test_scripts_do_not_depend_on_what_was_done_before() -> None:
    first = get_scripts("deposit")
    collect("transfer")
    litter = [[number] for number in range(10_000)]

    assert first == get_scripts("deposit")
    assert litter


def test_the_shape_of_an_obligation_is_in_its_script() -> None:
    nothing = Obligation("deposit/EFFECT", "EFFECT", "deposit", "effect", ANY_ACCOUNTS, (), 0)

    assert "; EFFECT: each field has exactly the new value" in get_script(nothing, [])
