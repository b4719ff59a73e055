"""Engines at the other end of a pipe: which conform, which diverge and on how little, which take no part."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from riskcore.cli import main
from riskcore.conformance.cases import list_cases, load_case
from riskcore.conformance.conform import Order, Report, Verdict, conform
from riskcore.conformance.peer import Failing, Limits
from riskcore.conformance.report import get_json, get_junit
from riskcore.conformance.shrink import shrink
from riskcore.conformance.wire import get_event_name

REFERENCE = (sys.executable, "-m", "riskcore.conformance.engine")


def get_double(name: str) -> tuple[str, ...]:
    return sys.executable, "-m", "tests.engine_doubles", name


def run(name: str, *, steps: int = 400, seconds: float = 20.0, line: int = 1_000_000) -> Report:
    return conform(Order(get_double(name), steps=steps, limits=Limits(seconds, line)))


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_the_reference_engine_conforms_to_itself() -> None:
    report = conform(Order(REFERENCE, steps=300))

    assert Verdict.CONFORMS == report.verdict
    assert 300 == report.steps
    assert {} == report.refused


def test_walks_are_the_same_for_the_same_seed() -> None:
    sent = [conform(Order(get_double("refuse_large_fills"), steps=400, seed=seed)) for seed in (3, 3, 4)]
    found = [(report.found.source, report.found.events) for report in sent if report.found is not None]

    assert found[0] == found[1] != found[2]


# What diverges


def test_a_divergence_is_brought_down_to_the_events_that_it_takes() -> None:
    report = run("refuse_large_fills")

    assert Verdict.DIVERGES == report.verdict
    assert report.found is not None and report.found.is_repeated
    kinds = [type(event).__name__ for event in report.found.events]
    # a market, cash for one or both, and the fill
    assert "Fill" == kinds[-1] and len(kinds) <= 4
    assert report.found.original > len(kinds)
    assert ("outcome", None, "DUST") == (
        report.found.divergence.what,
        report.found.divergence.ours,
        report.found.divergence.theirs,
    )


def test_the_figures_that_differ_are_shown_before_and_after() -> None:
    report = run("keep_an_atom", steps=1_000)
    assert report.found is not None
    rows = {row.path: row for row in report.found.divergence.differences}

    assert {"reserves.fees", "reserves.outside"} == rows.keys()
    fees = rows["reserves.fees"]
    assert fees.before == fees.ours == fees.theirs - 1


def test_an_engine_that_names_rules_names_the_kernels() -> None:
    report = run("name_another_rule", steps=600)

    assert report.found is not None
    assert "rule" == report.found.divergence.what


def test_the_divergence_is_saved_as_a_log_and_as_a_case(tmp_path: Path) -> None:
    command = ["--", *get_double("keep_an_atom")]
    found = invoke("conform", "--fuzz", "1000", "--save", str(tmp_path), *command)
    replayed = invoke("replay", str(tmp_path / "divergence.jsonl"))
    again = invoke("conform", "--vectors", str(tmp_path / "vectors"), *command)
    passed = invoke("conform", "--vectors", str(tmp_path / "vectors"), "--", *REFERENCE)

    assert (1, 0, 1, 0) == (found.exit_code, replayed.exit_code, again.exit_code, passed.exit_code), found.output
    assert "reserves.fees" in found.output and "originally" in found.output


# What is not asked


def test_what_an_engine_does_not_take_is_not_asked_and_gives_no_verdict() -> None:
    report = run("modest", steps=200)

    assert Verdict.CONFORMS == report.verdict
    assert report.hello is not None and "takeover" not in report.hello.events


def test_nothing_asked_is_inconclusive() -> None:
    result = invoke("conform", "--events", "takeover", "--", *get_double("modest"))

    assert 3 == result.exit_code
    assert "INCONCLUSIVE" in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("conform", "--events", "filll", "--", "true"),
        ("conform", "--vectors", "nowhere", "--", "true"),
        ("conform",),
        ("vectors", "anywhere", "--event", "filll"),
    ],
)
def test_bad_usage_is_said_in_a_sentence(arguments: tuple[str, ...]) -> None:
    result = invoke(*arguments)

    assert 2 == result.exit_code
    assert "Traceback" not in result.output


# What takes no part


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("crash", Failing.CRASHED, "exit code 9"),
        ("hang", Failing.HUNG, "no answer within 1.5 seconds"),
        ("babble", Failing.GARBAGE, "malformed JSON"),
        ("flood", Failing.FLOODED, "a line of more than 1,000,000 bytes"),
        ("flood_stderr", Failing.HUNG, "no answer"),
        ("answer_twice", Failing.GARBAGE, "a line that nobody asked for"),
        ("leave_a_child", Failing.HUNG, "no answer"),
    ],
)
def test_an_engine_that_takes_no_part_is_ended_in_time(name: str, kind: Failing, words: str) -> None:
    started = time.monotonic()
    report = run(name, seconds=1.5 if kind is Failing.HUNG else 20.0)

    assert Verdict.INCONCLUSIVE == report.verdict
    assert report.stopped is not None
    assert kind == report.stopped.failure.kind
    assert words in report.stopped.failure.words
    assert len(report.stopped.failure.stderr) <= 4_096
    assert time.monotonic() - started < 30


def test_an_engine_that_stops_reading_is_no_reason_to_wait() -> None:
    report = run("never_read", seconds=4.0)

    assert report.stopped is not None
    assert Failing.HUNG == report.stopped.failure.kind


def test_the_last_words_of_an_engine_are_shown() -> None:
    result = invoke("conform", "--", *get_double("crash"))

    assert 3 == result.exit_code
    assert "out of luck" in result.output


def test_a_missing_field_of_an_answer_is_named() -> None:
    report = run("half_a_state")

    assert report.stopped is not None
    assert Failing.GARBAGE == report.stopped.failure.kind
    assert "balances" in str(report.stopped.failure) or "balance" in str(report.stopped.failure)


def test_the_events_on_which_an_engine_falls_over_are_kept(tmp_path: Path) -> None:
    command = ["--", *get_double("forgetful")]
    result = invoke("conform", "--fuzz", "1000", "--save", str(tmp_path), *command)
    (case,) = list_cases(tmp_path / "vectors")

    assert 3 == result.exit_code
    assert "exit code 7" in result.output
    assert ["withdraw"] == [get_event_name(type(event)) for event in load_case(case).events]
    assert 3 == invoke("conform", "--vectors", str(tmp_path / "vectors"), *command).exit_code


def test_an_engine_that_falls_over_does_so_on_few_events() -> None:
    report = run("forgetful", steps=1_000)

    assert report.stopped is not None and report.stopped.pre is not None
    assert ["Withdraw"] == [type(event).__name__ for event in report.stopped.events]
    assert report.stopped.original > 1


def test_an_engine_that_hangs_is_asked_again_for_a_bounded_time() -> None:
    started = time.monotonic()
    order = Order(get_double("drowsy"), steps=1_000, limits=Limits(0.5), seconds=4.0)
    report = conform(order)

    assert report.stopped is not None
    assert Failing.HUNG == report.stopped.failure.kind
    assert len(report.stopped.events) < report.stopped.original
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("command", ["no-such-engine-anywhere", "/", __file__])
def test_a_command_that_is_none_is_bad_usage(command: str) -> None:
    result = invoke("conform", "--", command)

    assert 2 == result.exit_code
    assert f"Error: {command}: expected a command that can be run, got no " in result.output


# Shapes


def test_junit_has_each_case_and_the_walks() -> None:
    report = run("refuse_large_fills")
    suite = ElementTree.fromstring(get_junit(report))

    assert ("1", "0") == (suite.get("failures"), suite.get("errors"))
    assert suite.get("tests") == str(len(suite.findall("testcase")))


def test_junit_tells_an_engine_that_took_no_part_as_an_error() -> None:
    suite = ElementTree.fromstring(get_junit(run("crash")))

    assert "1" == suite.get("errors")


def test_json_has_the_divergence_and_no_integer_of_an_engines() -> None:
    members = get_json(run("keep_an_atom", steps=1_000), None)

    assert "DIVERGES" == members["verdict"]
    assert all(isinstance(row["engine"], str) for row in members["divergence"]["differences"])
    assert members == json.loads(json.dumps(members))


def test_shrinking_leaves_what_it_takes() -> None:
    few = shrink(list(range(100)), lambda some: {7, 31, 90} <= set(some))

    assert [7, 31, 90] == few


def test_shrinking_keeps_one_that_is_alone() -> None:
    assert [5] == shrink([5], lambda some: True)
