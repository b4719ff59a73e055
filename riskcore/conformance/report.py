"""What a run found: as text, as one JSON object, and as JUnit's XML."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from riskcore.bad_input import printable
from riskcore.conformance.conform import Finding, Found, Report, Stopped, Verdict, count_findings, describe
from riskcore.conformance.keep import Kept
from riskcore.conformance.wire import event_to_wire, to_wire
from riskcore.junit import Suite

EXIT_CODES: Final = {Verdict.CONFORMS: 0, Verdict.DIVERGES: 1, Verdict.INCONCLUSIVE: 3}
_COLOURS: Final = {Verdict.CONFORMS: "bold green", Verdict.DIVERGES: "bold red", Verdict.INCONCLUSIVE: "bold yellow"}
#: Rows of a diff, and reasons, that are shown; the JSON has all.
_ROWS, _REASONS = 40, 12


def print_report(report: Report, kept: Kept | None, console: Console) -> None:
    """Engine, cases by event, what does not apply, walks, the divergence, the verdict."""
    for part in _get_parts(report, kept):
        console.print(part)


def _get_parts(report: Report, kept: Kept | None) -> Iterator[Text | Table]:
    if report.hello is not None:
        features = ", ".join(sorted(report.hello.features)) or "no features"
        yield Text(f"engine      {printable(report.hello.engine)}: {len(report.hello.events)} events, {features}")
    if report.results:
        yield Text()
        yield _get_cases(report)
        yield from _get_reasons(report)
        yield Text()
    if report.steps:
        yield Text(f"walks       {report.walks:,} of {report.steps:,} events, the same throughout")
    for family, reason in sorted(report.refused.items()):
        yield Text(f"walks       none under {family}: {printable(reason)}")
    if report.found is not None:
        yield from _get_found(report.found)
    if report.stopped is not None:
        yield from _get_stopped(report.stopped)
    if report.is_late:
        yield Text("time        was up before all was compared")
    yield from _get_kept(kept)
    yield Text("verdict     ").append(report.verdict.value, _COLOURS[report.verdict]).append(_get_sentence(report))


def _get_sentence(report: Report) -> str:
    if report.verdict is Verdict.DIVERGES:
        number = sum(result.finding is Finding.DIVERGES for result in report.results)
        return f": {number} cases" if number else ": on a walk"
    if report.verdict is Verdict.INCONCLUSIVE:
        if report.stopped is not None:
            return ": the engine took no part to the end"
        return "" if report.is_late else ": nothing that the engine supports was asked"
    number = sum(result.finding is Finding.CONFORMS for result in report.results)
    return f": {number:,} cases, {report.steps:,} events of walks"


def _get_cases(report: Report) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("cases of")
    for finding in Finding:
        table.add_column(finding.value, justify="right")
    for handler, counts in count_findings(report.results):
        table.add_row(handler, *(f"{counts[finding]:,}" if counts[finding] else "" for finding in Finding))
    return table


def _get_reasons(report: Report) -> Iterator[Text]:
    reasons = Counter(result.why for result in report.results if result.finding is Finding.NOT_APPLICABLE)
    if reasons:
        yield Text("\nnot applicable, and so without a verdict:")
    for reason, number in reasons.most_common(_REASONS):
        yield Text(f"  {number:6,}  {printable(reason)}")
    if len(reasons) > _REASONS:
        yield Text(f"  and {len(reasons) - _REASONS:,} more reasons")


def _get_found(found: Found) -> Iterator[Text | Table]:
    divergence = found.divergence
    yield Text()
    yield Text("divergence  ").append(describe(divergence), "bold red")
    yield Text(f"found in    {printable(found.source)}")
    if found.is_repeated:
        yield Text(f"events      {len(found.events):,}, of {found.original:,} originally")
    else:
        yield Text(f"events      {len(found.events):,}: it did not show again, so the engine is not deterministic")
    yield Text(f"event       {json.dumps(event_to_wire(divergence.event), ensure_ascii=True)}")
    if divergence.differences:
        table = Table(box=None, pad_edge=False)
        for title in ("figure", "before", "riskcore", "engine"):
            table.add_column(title, overflow="fold")
        for row in divergence.differences[:_ROWS]:
            cells = (Text(printable(row.path)), Text(_show(row.before), "dim"))
            table.add_row(*cells, Text(_show(row.ours), "green"), Text(_show(row.theirs), "red"))
        yield table
        if len(divergence.differences) > _ROWS:
            yield Text(f"and {len(divergence.differences) - _ROWS:,} more figures")


def _show(value: Any) -> str:
    return "-" if value is None else printable(str(value))


def _get_stopped(stopped: Stopped) -> Iterator[Text]:
    yield Text()
    yield Text("stopped     ").append(printable(str(stopped.failure)), "bold yellow")
    yield Text(f"at          {printable(stopped.source)}" + (f", event {stopped.original}" if stopped.events else ""))
    if stopped.events:
        yield Text(f"events      {len(stopped.events):,}, of {stopped.original:,} originally")
        yield Text(f"event       {json.dumps(event_to_wire(stopped.events[-1]), ensure_ascii=True)}")
    for line in stopped.failure.stderr.splitlines()[-10:]:
        yield Text(f"  stderr  {printable(line)}", "dim")


def _get_kept(kept: Kept | None) -> Iterator[Text]:
    if kept is None:
        return
    if kept.log is not None:
        yield Text(f"reproduce   riskcore replay {printable(str(kept.log))}")
    else:
        yield Text(f"log         none: {printable(kept.why)}")
    yield Text(f"            riskcore conform --vectors {printable(str(kept.vectors))} -- CMD ...")


def get_json(report: Report, kept: Kept | None) -> dict[str, Any]:
    """The object that ``--format json`` prints; figures of engines are strings."""
    return {
        "verdict": report.verdict.value,
        "engine": None if report.hello is None else report.hello.engine,
        "events": [] if report.hello is None else sorted(report.hello.events),
        "features": [] if report.hello is None else sorted(report.hello.features),
        "cases": {
            handler: {finding.value: number for finding, number in counts.items()}
            for handler, counts in count_findings(report.results)
        },
        "not_applicable": dict(
            sorted(Counter(one.why for one in report.results if one.finding is Finding.NOT_APPLICABLE).items())
        ),
        "diverging": {one.name: one.why for one in report.results if one.finding is Finding.DIVERGES},
        "walks": {"walks": report.walks, "steps": report.steps, "refused": report.refused},
        "divergence": None if report.found is None else _get_found_json(report.found),
        "stopped": None if report.stopped is None else _get_stopped_json(report.stopped),
        "is_late": report.is_late,
        "saved": None if kept is None else {"log": kept.log and str(kept.log), "vectors": str(kept.vectors)},
        "seconds": round(report.seconds, 3),
    }


def _get_found_json(found: Found) -> dict[str, Any]:
    divergence = found.divergence
    return {
        "source": found.source,
        "what": divergence.what,
        "riskcore": divergence.ours,
        "engine": divergence.theirs,
        "events": [event_to_wire(event) for event in found.events],
        "original": found.original,
        "is_repeated": found.is_repeated,
        "differences": [
            {
                "path": row.path,
                "before": to_wire(row.before),
                "riskcore": to_wire(row.ours),
                "engine": to_wire(row.theirs),
            }
            for row in divergence.differences
        ],
    }


def _get_stopped_json(stopped: Stopped) -> dict[str, Any]:
    failure = stopped.failure
    return {
        "kind": failure.kind.name,
        "words": str(failure),
        "source": stopped.source,
        "events": [event_to_wire(event) for event in stopped.events],
        "original": stopped.original,
        "stderr": failure.stderr,
    }


def get_junit(report: Report) -> str:
    """A test case for each case of vectors, one for the walks, and one for the engine's taking part."""
    suite = Suite("conform", report.seconds)
    tags = {Finding.CONFORMS: "", Finding.DIVERGES: "failure", Finding.NOT_APPLICABLE: "skipped"}
    for result in report.results:
        suite.add(result.handler, result.name, tags[result.finding], result.why)
    found = report.found
    if found is not None and not any(result.name == found.source for result in report.results):
        suite.add("walks", found.source, "failure", describe(found.divergence))
    elif report.steps:
        suite.add("walks", f"{report.steps} events of {report.walks} walks")
    if report.verdict is Verdict.INCONCLUSIVE:
        words = str(report.stopped.failure) if report.stopped is not None else _get_sentence(report)
        suite.add("engine", "takes part", "error", words)
    return suite.to_xml()
