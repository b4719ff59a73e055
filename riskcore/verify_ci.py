"""What ``riskcore verify`` proved as CI shows it: each obligation a test of JUnit's, and a summary in Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from riskcore import verify
from riskcore.junit import Suite
from riskcore.markdown import escape, fence, fold, from_table, join
from riskcore.verify import Result
from riskcore.verify_report import PROVED, get_matrix
from riskcore.verify_run import Run

#: Failures that a summary shows in full.
_SHOWN = 20


def get_junit(run: Run) -> str:
    """A test case for each obligation: what is violated has failed, what is unknown or vacuous is an error."""
    suite = Suite("verify", run.seconds)
    for result in run.results:
        tag, message = _judge(result)
        suite.add(result.event, result.name, tag, message, result.counterexample or "", result.seconds)
    verdict = verify.get_verdict(run.results, run.order.selection)
    if verdict == "INCONCLUSIVE" and all(not _judge(result)[0] for result in run.results):
        suite.add("selection", "something was proven", "error", "no obligation was selected")
    return suite.to_xml()


def _judge(result: Result) -> tuple[str, str]:
    """The tag of what did not pass, and why."""
    if result.opinion is not None and result.opinion.disagreed:
        return "failure", f"the second solver disagrees: {', '.join(map(str, result.opinion.disagreed))}"
    if result.verdict == PROVED:
        return "", ""
    return "failure" if result.verdict == "VIOLATED" else "error", f"{result.verdict}: {result.law}, {result.layer}"


def get_markdown(run: Run) -> str:
    """The verdict, every failure, and the matrix of laws and events folded."""
    return join(_get_parts(run))


def _get_parts(run: Run) -> Iterator[str]:
    results = run.results
    proved = sum(not _judge(result)[0] for result in results)
    yield f"## riskcore verify: {verify.get_verdict(results, run.order.selection)}"
    yield f"{proved:,} of {len(results):,} obligations proved, {run.seconds:.1f} s"
    failed = [result for result in results if _judge(result)[0]]
    for result in failed[:_SHOWN]:
        yield f"### {escape(result.name)}: {escape(_judge(result)[1])}"
        if result.counterexample is not None:
            yield fence(result.counterexample.split("\n"))
    if len(failed) > _SHOWN:
        yield f"and {len(failed) - _SHOWN:,} more"
    cells = [result for result in results if result.layer != "lemma"]
    if cells:
        yield fold("Laws and events", from_table(get_matrix(cells)))
    if not run.order.selection.is_everything:
        yield f"Assumed, and proven where nothing is selected: {', '.join(verify.INDUCTION)} of every event"
    yield fold("Trusted", "\n".join(f"* {escape(what)}" for what in verify.TRUSTED))
