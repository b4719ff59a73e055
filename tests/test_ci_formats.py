"""JUnit XML and Markdown of ``replay`` and ``verify``: well formed whatever is in them, and the same exit codes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from attrs import evolve
from click.testing import CliRunner, Result

from riskcore import cli, markdown, verify_run
from riskcore.commands import replaying
from riskcore.junit import Suite
from riskcore.ledger import Differences
from riskcore.prover.second import Opinion
from riskcore.replay import MonitorFactory
from riskcore.verify import Result as Proof
from riskcore.verify import Selection
from riskcore.verify_run import Order, Run
from tests.hostile_log import ACCOUNTS, DEED, write_hostile_log
from tests.log_cases import SeeingMonitor, SwindlingMonitor, write_waterfall_log

FORMATS = ("text", "json", "junit", "md")
ROOT = Path(__file__).parent.parent


def run(log: Path, *options: str, monitor: MonitorFactory | None = None) -> Result:
    with pytest.MonkeyPatch.context() as patch:
        if monitor is not None:
            patch.setattr(replaying, "_get_monitor", lambda: monitor)
        return CliRunner().invoke(cli.main, ["replay", str(log), *options])


def read(text: str) -> tuple[ElementTree.Element, dict[str, list[ElementTree.Element]]]:
    """A suite, whose counts are right, and its cases by what came of them."""
    suite = ElementTree.fromstring(text)
    cases: dict[str, list[ElementTree.Element]] = {"": [], "failure": [], "error": [], "skipped": []}
    for case in suite:
        cases["".join(outcome.tag for outcome in case)].append(case)
    assert suite.tag == "testsuite"
    assert len(suite) == int(suite.attrib["tests"])
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert len(cases[tag]) == int(suite.attrib[name])
    return suite, cases


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write_waterfall_log(tmp_path)


# Replay


@pytest.mark.parametrize(
    ("expected", "options", "monitor"), [(0, (), None), (1, (), SeeingMonitor), (3, ("--no-laws",), None)]
)
def test_a_replay_has_the_same_exit_code_in_every_form(
    log: Path, expected: int, options: tuple[str, ...], monitor: MonitorFactory | None
) -> None:
    codes = [run(log, "--format", form, *options, monitor=monitor).exit_code for form in FORMATS]

    assert [expected] * 4 == codes


@pytest.mark.parametrize("form", FORMATS)
def test_bad_input_is_an_error_in_every_form(log: Path, form: str) -> None:
    log.write_bytes(b"\x00")
    result = run(log, "--format", form)

    assert (2, "") == (result.exit_code, result.stdout)
    assert result.stderr.startswith("Error: ")


def test_each_law_is_a_test(log: Path) -> None:
    _, cases = read(run(log, "--format", "junit").stdout)
    laws = json.loads(run(log, "--format", "json").stdout)["laws"]
    checked = {law for law, tally in laws.items() if tally["checked"]}

    assert checked | {"claims equal the pool"} == {case.attrib["name"].split(":")[0] for case in cases[""]}
    assert laws.keys() - checked == {case.attrib["name"].split(":")[0] for case in cases["skipped"]}
    assert not cases["failure"] + cases["error"]


def test_a_broken_law_is_a_failure_with_its_counterexample(log: Path) -> None:
    _, cases = read(run(log, "--format", "junit", monitor=SeeingMonitor).stdout)
    law, pool = cases["failure"]

    assert law.attrib["name"].startswith("CASH-1")
    assert "credits == debits" == law[0].attrib["message"]
    assert law[0].text is not None
    assert '"id": "e9"' in law[0].text
    assert f"reproduce  riskcore replay {log}" in law[0].text
    assert "claims equal the pool" == pool.attrib["name"]


def test_where_nothing_was_checked_no_list_of_tests_is_green(log: Path) -> None:
    _, cases = read(run(log, "--format", "junit", "--no-laws").stdout)

    assert ["no law was checked"] == [case[0].attrib["message"] for case in cases["error"]]


def test_a_summary_says_first_what_matters(log: Path) -> None:
    text = run(log, "--format", "md").stdout
    broken = run(log, "--format", "md", monitor=SwindlingMonitor).stdout

    assert text.startswith("## riskcore replay: HOLDS\n")
    assert "<details><summary>79 laws</summary>" in text
    assert broken.startswith("## riskcore replay: VIOLATED\n")
    assert "### CASH-1 is VIOLATED" in broken
    assert "```sh\nriskcore replay " in broken


def test_hostile_names_are_texts_in_both(tmp_path: Path) -> None:
    log = write_hostile_log(tmp_path)
    _, cases = read(run(log, "--format", "junit").stdout)
    text = run(log, "--format", "md").stdout

    assert all("hostile & <b>bold.jsonl" in case.attrib["classname"] for case in cases[""])
    assert not re.findall(r"<(?!/?details>|/?summary>)", text)
    assert DEED in text and "&lt;/script&gt;&lt;script&gt;" in text


# To files


def test_other_forms_go_to_files(log: Path) -> None:
    also = {form: log.parent / f"found.{form}" for form in ("json", "junit", "md")}
    options = [word for form, path in also.items() for word in ("--also", f"{form}={path}")]
    first = run(log, *options)
    again = run(log, *options)

    assert [0, 0] == [first.exit_code, again.exit_code]
    assert first.stdout.startswith("Replay of ")
    assert "HOLDS" == json.loads(also["json"].read_text())["verdict"]
    assert 80 == len(read(also["junit"].read_text())[0])
    assert also["md"].read_text().startswith("## riskcore replay: HOLDS")


@pytest.mark.parametrize("command", ["replay", "verify"])
@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("junit={log}", "expected a new file, or an earlier result as junit, got another file"),
        ("md=nowhere/there.md", "expected a place for a result as md, got a folder that is not there"),
        ("json=.", "expected a place for a result as json, got a directory"),
        ("html=out.html", "expected json=FILE, junit=FILE, md=FILE, one of them"),
        ("junit", "expected json=FILE, junit=FILE, md=FILE, one of them"),
    ],
)
def test_what_cannot_be_written_is_said_before_the_work(
    log: Path, command: str, place: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "replay", lambda *_, **__: pytest.fail("the log was read"))
    monkeypatch.setattr(verify_run, "run", lambda *_: pytest.fail("something was proven"))
    before = log.read_bytes()
    given = [str(log)] if command == "replay" else []
    result = CliRunner().invoke(cli.main, [command, *given, "--also", place.format(log=log)])

    assert 2 == result.exit_code
    assert words in " ".join(result.stderr.replace("│", "").split())
    assert before == log.read_bytes()


@pytest.mark.parametrize(
    "words",
    [
        ("--save-state", "{one}", "--save-prefix", "{one}"),
        ("--also", "md={one}", "--also", "json={one}"),
        ("--checkpoint", "{one}", "--also", "md={other}"),
    ],
)
def test_two_results_need_two_files(log: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "replay", lambda *_, **__: pytest.fail("the log was read"))
    one, other = log.parent / "one", log.parent / "folder" / ".." / "one"
    result = CliRunner().invoke(cli.main, ["replay", str(log), *(word.format(one=one, other=other) for word in words)])

    assert 2 == result.exit_code
    assert "name the same file" in " ".join(result.stderr.replace("│", "").split())


# Verify


PROOF = Proof("withdraw/CASH-1", "CASH-1", "withdraw", "law", "PROVED", "any accounts", 3, 9, 0.25, None)
NASTY = "a = 1\nb = '\x00\x1b[31m ]]> <b>&\ud800\ufffe```'"


def make_run(*results: Proof) -> Run:
    return Run(Order(Selection(event="withdraw"), 1), list(results), None, 1.5)


def verify(found: Run, form: str, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.setattr(verify_run, "run", lambda *_: found)
    return CliRunner().invoke(cli.main, ["verify", "--event", "withdraw", "--format", form])


@pytest.mark.parametrize(
    ("expected", "results"),
    [
        (0, (PROOF,)),
        (1, (PROOF, evolve(PROOF, verdict="VIOLATED", counterexample=NASTY))),
        (3, (PROOF, evolve(PROOF, verdict="UNKNOWN"))),
        (3, (evolve(PROOF, verdict="VACUOUS"),)),
        (3, ()),
    ],
)
def test_verify_has_the_same_exit_code_in_every_form(
    expected: int, results: tuple[Proof, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = make_run(*results)
    done = {form: verify(found, form, monkeypatch) for form in FORMATS}
    _, cases = read(done["junit"].stdout)
    word = {0: "PROVED", 1: "VIOLATED", 3: "INCONCLUSIVE"}[expected]

    assert [expected] * 4 == [result.exit_code for result in done.values()]
    assert (expected == 0) == (not cases["failure"] + cases["error"])
    assert bool(cases["failure"]) == (expected == 1)
    assert done["md"].stdout.startswith(f"## riskcore verify: {word}\n")


def test_a_counterexample_is_shown_whole_and_harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    found = make_run(evolve(PROOF, verdict="VIOLATED", counterexample=NASTY))
    _, cases = read(verify(found, "junit", monkeypatch).stdout)
    text = verify(found, "md", monkeypatch).stdout
    (failure,) = cases["failure"]

    assert "VIOLATED: CASH-1, law" == failure[0].attrib["message"]
    assert "a = 1\nb = '\\u0000\\u001b[31m ]]> <b>&\\ud800\\ufffe```'" == failure[0].text
    # a fence that what it holds cannot close
    assert re.search(r"^````\na = 1\nb = .*```'\n````$", text, re.MULTILINE)


def test_who_disagrees_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    opinion = Opinion(agreed=1, silent=(), disagreed=("withdraw/CASH-1/2",), seconds=0.1)
    found = make_run(evolve(PROOF, opinion=opinion))
    result = verify(found, "junit", monkeypatch)

    assert 1 == result.exit_code
    assert 1 == len(read(result.stdout)[1]["failure"])


def test_rules_have_the_same_forms(tmp_path: Path) -> None:
    rules, target = ROOT / "examples" / "rules" / "rounded_down.py", tmp_path / "found.xml"
    command = ["verify", "--rules", str(rules), "--jobs", "1", "--format", "md", "--also", f"junit={target}"]
    text = CliRunner().invoke(cli.main, command)

    assert 1 == text.exit_code
    assert read(target.read_text())[1]["failure"]
    assert text.stdout.startswith("## riskcore verify --rules: VIOLATED\n")


# What both are made with


def test_a_suite_takes_any_text() -> None:
    suite = Suite("replay", 1)
    for account in ACCOUNTS:
        suite.add(account, account, "failure", account, account)
    read_back, cases = read(suite.to_xml())

    assert len(ACCOUNTS) == len(cases["failure"])
    assert ACCOUNTS[0] == cases["failure"][0].attrib["name"]
    assert "1.000" == read_back.attrib["time"]


def test_a_table_of_any_texts_keeps_its_cells() -> None:
    table = markdown.make_table([("account", False)], [[account] for account in ACCOUNTS])
    rows = table.split("\n")[2:]

    assert len(ACCOUNTS) == len(rows)
    assert all(2 == len(re.findall(r"(?<!\\)\|", row)) for row in rows)
    assert not re.search(r"(?<!\\)[`*@#]|<", "".join(rows))


def test_a_long_block_is_cut() -> None:
    block = markdown.fence(map(str, range(500)))

    assert "and 300 more lines" in block
    assert 203 == len(block.split("\n"))


def test_a_run_that_differs_from_the_ledger_has_every_form(monkeypatch: pytest.MonkeyPatch) -> None:
    differences = Differences(new=("a",), gone=(), verdict=(), changed=(), heavier=(), is_other_z3=False)
    found = evolve(make_run(PROOF), differences=differences)

    assert [0] * 4 == [verify(found, form, monkeypatch).exit_code for form in FORMATS]


def test_the_workflow_has_only_options_that_there_are() -> None:
    workflow = (ROOT / "examples" / "ci" / "riskcore.yml").read_text()
    commands = re.findall(r"riskcore (replay|verify) ((?:.|\n\s+(?=--))*)", workflow)

    assert ["replay", "verify"] == [name for name, _ in commands]
    for name, words in commands:
        known = {option for parameter in cli.main.commands[name].params for option in parameter.opts}
        assert {*re.findall(r"--[a-z-]+", words)} <= known
