"""What ``riskcore verify --rules`` prints: each rule's clauses, the calls that break one, and what a verdict covers."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from riskcore.bad_input import printable
from riskcore.own_rules.decide import Broken, Finding, Verdict
from riskcore.own_rules.files import KERNELS, RulesFile
from riskcore.own_rules.given import Called
from riskcore.ranking import Candidate
from riskcore.rulebook import MarketRules
from riskcore.state import Market

#: What the proofs of the kernel's events know of each function, and what of it no verdict here speaks of.
COVERED: Final = {
    "get_maintenance_requirement": "events know a requirement by these clauses alone, so with it every law of "
    "riskcore verify holds; but MARG-1's continuity, which is the kernel's formula's, is not claimed",
    "get_initial_requirement": "likewise",
    "get_fee": "fill and liquidation_fill were proven with fees known by the clauses of CASH-2 alone; their exact "
    "effects then speak of this fee",
    "get_score": "events know a score by these clauses alone; that it is the policy's formula (the lemmas "
    "*_is_its_formula) is not claimed",
    "is_ahead": "a queue is in the order that this function gives; that it is by score, size and id is not claimed",
    "get_weight": "events know a part by the clauses of get_exact_part alone; that a weight is the policy's is not "
    "claimed",
    "get_exact_part": "that a part is the policy's formula is not claimed, nor that parts have no leap: "
    "a queue may not open (LIVE-1)",
}
NOT_COVERED: Final = (
    "tools that have formulas of their own: liquidation prices, venues, the planner's search",
    "whoever calls the file's functions otherwise than the kernel does",
)
RESTS_ON: Final = "riskcore verify, of the kernel as it is installed; and what TRUST.md names"
_COLOURS: Final = {"PROVED": "bold green", "VIOLATED": "bold red", "INCONCLUSIVE": "bold yellow"}


def get_verdict(file: RulesFile, findings: Sequence[Finding]) -> str:
    """PROVED, VIOLATED, or INCONCLUSIVE where something is not followed or not known."""
    verdicts = {finding.verdict for finding in findings}
    if Verdict.VIOLATED in verdicts:
        return "VIOLATED"
    return "PROVED" if verdicts == {Verdict.PROVED} and not file.offences else "INCONCLUSIVE"


def print_findings(file: RulesFile, findings: Sequence[Finding], seconds: float, console: Console) -> None:
    def say(text: str, style: str = "") -> None:
        console.print(Text(text, style), soft_wrap=True)

    path = printable(file.path)
    for offence in file.offences:
        say(f"{path}:{offence.line}: {printable(offence.construct)} is not followed; instead: {offence.instead}")
    for name in file.functions:
        own = [finding for finding in findings if finding.clause.function == name]
        proved = sum(finding.verdict is Verdict.PROVED for finding in own)
        say(f"{name}: {proved} of {len(own)} clauses proved" if own else f"{name}: nothing was asked", "bold")
    for finding in findings:
        clause = finding.clause
        if finding.verdict is Verdict.PROVED:
            continue
        say(f"\n{finding.verdict} {clause.function}/{clause.name} ({clause.law}): {clause.sentence}", "bold red")
        if finding.broken is not None:
            for line in get_lines(finding.broken, file):
                say(f"  {line}")
        elif finding.reason is not None:
            say(f"  {path}{'' if finding.line is None else f':{finding.line}'}: {printable(finding.reason)}")
    verdict = get_verdict(file, findings)
    say("")
    if verdict == "PROVED":
        for name in file.functions:
            say(f"covers    {name}: {COVERED[name]}")
    for scope in sorted({finding.scope for finding in findings}):
        say(f"scope     {sum(one.scope == scope for one in findings)} clauses: {scope}")
    for what in NOT_COVERED:
        say(f"not       {what}")
    say(f"rests on  {RESTS_ON}")
    say(f"verdict   {verdict} ({seconds:.1f} s)", _COLOURS[verdict])


def get_lines(broken: Broken, file: RulesFile) -> list[str]:
    """A counterexample as plain calls with their values; and what was raised."""
    shown = get_shown_fields(file)
    lines = [f"{get_call(one, shown)} = {_show(one.value, shown)}" for one in broken.calls]
    if broken.raised is not None:
        place = "" if broken.line is None else f", line {broken.line}"
        lines.append(f"then raised {printable(broken.raised)}{place}")
    return lines


def get_shown_fields(file: RulesFile) -> frozenset[str]:
    """The fields of a market and its rules that the file reads."""
    return frozenset({"mark_price"} | file.attributes)


def get_call(called: Called, shown: frozenset[str]) -> str:
    names = inspect.signature(KERNELS[called.function]).parameters
    pairs = zip(names, called.arguments, strict=True)
    return f"{called.function}({', '.join(f'{name}={_show(value, shown)}' for name, value in pairs)})"


def _show(value: Any, shown: frozenset[str]) -> str:
    if isinstance(value, Market | MarketRules):
        # a market's rules are shown with it where the file reads any of them
        fields = [one for one in type(value).__attrs_attrs__ if one.name in shown]
        return f"({', '.join(f'{one.name}={_show(getattr(value, one.name), shown)}' for one in fields)})"
    if isinstance(value, Candidate):
        return f"(score={value.score[0]}/{value.score[1]}, size={value.size}, id={value.id})"
    if isinstance(value, str):
        return str(value)
    return printable(repr(value))


def to_json(file: RulesFile, findings: Sequence[Finding], seconds: float) -> dict[str, Any]:
    """The object that ``--format json`` prints."""
    return {
        "verdict": get_verdict(file, findings),
        "file": file.path,
        "functions": [*file.functions],
        "not_followed": [
            {"line": one.line, "construct": one.construct, "instead": one.instead} for one in file.offences
        ],
        "clauses": [_get_finding_json(finding, file) for finding in findings],
        "covered": {name: COVERED[name] for name in file.functions},
        "not_covered": [*NOT_COVERED],
        "rests_on": RESTS_ON,
        "seconds": round(seconds, 3),
    }


def _get_finding_json(finding: Finding, file: RulesFile) -> dict[str, Any]:
    clause, broken = finding.clause, finding.broken
    return {
        "function": clause.function,
        "name": clause.name,
        "law": clause.law,
        "sentence": clause.sentence,
        "verdict": finding.verdict.value,
        "scope": finding.scope,
        "paths": finding.paths,
        "rlimit": finding.rlimit,
        "reason": finding.reason,
        "line": finding.line if broken is None else broken.line,
        "raised": None if broken is None else broken.raised,
        "counterexample": None if broken is None else get_lines(broken, file),
    }
