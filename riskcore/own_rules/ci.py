"""What ``riskcore verify --rules`` found as CI shows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from riskcore.junit import Suite
from riskcore.markdown import escape, fence, fold, join, make_table
from riskcore.own_rules.decide import Finding, Verdict
from riskcore.own_rules.files import RulesFile
from riskcore.own_rules.report import RESTS_ON, get_lines, get_verdict


def get_junit(file: RulesFile, findings: Sequence[Finding], seconds: float) -> str:
    """A test case for each clause, and an error for each line that cannot be followed."""
    suite = Suite("verify", seconds)
    for finding in findings:
        clause = finding.clause
        tag = {Verdict.PROVED: "", Verdict.VIOLATED: "failure"}.get(finding.verdict, "error")
        message = f"{finding.verdict}: {clause.sentence}" if tag else ""
        suite.add(clause.function, clause.name, tag, message, "\n".join(_get_why(finding, file)), finding.seconds)
    for offence in file.offences:
        suite.add(file.path, f"line {offence.line}", "error", f"{offence.construct} is not followed", offence.instead)
    if not findings and not file.offences:
        suite.add(file.path, "something was proven", "error", "nothing was asked")
    return suite.to_xml()


def _get_why(finding: Finding, file: RulesFile) -> list[str]:
    if finding.broken is not None:
        return get_lines(finding.broken, file)
    if finding.reason is None:
        return []
    return [finding.reason if finding.line is None else f"line {finding.line}: {finding.reason}"]


def get_markdown(file: RulesFile, findings: Sequence[Finding], seconds: float) -> str:
    """The verdict, every clause that is not proven with why, and all clauses folded."""
    return join(_get_parts(file, findings, seconds))


def _get_parts(file: RulesFile, findings: Sequence[Finding], seconds: float) -> Iterator[str]:
    proved = sum(finding.verdict is Verdict.PROVED for finding in findings)
    yield f"## riskcore verify --rules: {get_verdict(file, findings)}"
    yield f"{escape(file.path)}: {proved} of {len(findings)} clauses proved, {seconds:.1f} s"
    for offence in file.offences:
        yield f"Line {offence.line}: {escape(offence.construct)} is not followed; instead: {escape(offence.instead)}"
    for finding in findings:
        if finding.verdict is not Verdict.PROVED:
            clause = finding.clause
            yield f"### {finding.verdict} {escape(f'{clause.function}/{clause.name} ({clause.law})')}"
            yield escape(clause.sentence)
            yield fence(_get_why(finding, file))
    header = [("function", False), ("clause", False), ("law", False), ("verdict", False)]
    rows = [(one.clause.function, one.clause.name, one.clause.law, one.verdict.value) for one in findings]
    if rows:
        yield fold("Clauses", make_table(header, rows))
    yield escape(f"Rests on {RESTS_ON}")
