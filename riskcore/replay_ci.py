"""A replay as CI shows it: each law a test of JUnit's, and a summary in Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterator

from riskcore.codec import get_members
from riskcore.junit import Suite
from riskcore.markdown import escape, fence, fold, from_table, join, make_table
from riskcore.replay import Failure, Replay, Verdict
from riskcore.report import (
    get_command,
    get_counts,
    get_diff,
    get_rejections,
    get_verdict_words,
)
from riskcore.waterfall_tables import get_closes, get_payments

_NOT_CHECKED = "no event of the log is one that it speaks of"


def get_junit(replay: Replay, file: str, prefix: str | None = None, rules: str | None = None) -> str:
    """A test case for each law, and one for the solvency statement; ``file`` and the rest as for ``print_replay``."""
    from riskcore.law_rows import get_law_rows

    suite, failure = Suite("replay", replay.seconds), replay.failure
    for row in get_law_rows(replay):
        name = f"{row.id}: {row.law}" if row.law else row.id
        if not row.violations:
            suite.add(file, name, "" if row.runs else "skipped", _NOT_CHECKED)
        elif failure is not None and failure.violation.law == row.id:
            suite.add(file, name, "failure", failure.violation.clause, _get_details(failure, file, prefix, rules))
        else:
            suite.add(file, name, "failure", f"{row.violations:,} violations")
    ties = replay.solvency.ties
    suite.add(file, "claims equal the pool", "" if ties else "failure", "" if ties else str(replay.solvency))
    if replay.verdict is Verdict.INCONCLUSIVE:
        suite.add(file, "something was checked", "error", get_verdict_words(replay))
    return suite.to_xml()


def _get_details(failure: Failure, file: str, prefix: str | None, rules: str | None) -> str:
    violation = failure.violation
    lines = [f"{mark} {line}" for mark, line, _ in get_diff(violation.before, violation.after)]
    return "\n".join([f"event      {_get_event(failure)}", f"events     {failure.events}", *lines,
                      f"reproduce  {get_command(prefix or file, rules)}"])  # fmt: skip


def _get_event(failure: Failure) -> str:
    event = failure.violation.event
    return "none" if event is None else json.dumps(get_members(event), ensure_ascii=False)


def get_markdown(replay: Replay, file: str, prefix: str | None = None, rules: str | None = None) -> str:
    """What a person reads first, the rest folded; ``file`` and the rest as for ``print_replay``."""
    return join(_get_parts(replay, file, prefix, rules))


def _get_parts(replay: Replay, file: str, prefix: str | None, rules: str | None) -> Iterator[str]:
    from riskcore.law_rows import get_law_rows

    units, words = replay.header.units, get_verdict_words(replay)
    yield f"## riskcore replay: {replay.verdict.value}"
    yield escape(f"{file}: {get_counts(replay)}") + (f"  \n{escape(words)}" if words else "")
    if replay.failure is not None:
        violation = replay.failure.violation
        yield f"### {escape(violation.law)} is VIOLATED: {escape(violation.sentence)}"
        yield f"Clause: {escape(violation.clause)}"
        yield fence([_get_event(replay.failure)], "json")
        lines = get_diff(violation.before, violation.after)
        yield fence((f"{mark} {line}" for mark, line, _ in lines), "diff")
        yield f"The first {replay.failure.events:,} events of the log show it:"
        yield fence([get_command(prefix or file, rules)], "sh")
    elif not replay.solvency.ties:
        yield "### Claims differ from the pool"
        yield fence([str(replay.solvency)])
    yield from_table(get_payments(replay.waterfall, units))
    yield fold("Closed, stage by stage", from_table(get_closes(replay.waterfall, units)))
    if replay.rejections:
        yield fold("Rejected events", from_table(get_rejections(replay)))
    header = [("id", False), ("law", False), ("tested after", False), ("verdict", False), ("runs", True)]
    rows = [(row.id, row.law, row.get_tested(3), row.verdict, f"{row.runs:,}") for row in get_law_rows(replay)]
    if rows:
        yield fold(f"{len(rows)} laws", make_table(header, rows))
    yield f"State hash `{replay.state_hash}`"
