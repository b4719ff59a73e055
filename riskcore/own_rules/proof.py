"""All clauses of a file's rules, on as many processes as asked for."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import as_completed
from pathlib import Path

from riskcore.own_rules.clauses import get_clauses
from riskcore.own_rules.decide import Finding, check
from riskcore.own_rules.files import RulesFile, read_rules
from riskcore.pool import new_pool


def check_all(file: RulesFile, jobs: int, report: Callable[[int, int], None] | None = None) -> tuple[Finding, ...]:
    """Each clause's verdict, in order; none where a construct of the file cannot be followed.

    ``report`` is told how many are done, and of how many.
    """
    if file.offences:
        return ()
    clauses = get_clauses(file.functions)
    found: dict[int, Finding] = {}
    if jobs == 1:
        for number, clause in enumerate(clauses):
            found[number] = check(clause, file)
            if report is not None:
                report(len(found), len(clauses))
        return tuple(found.values())
    with new_pool(jobs) as pool:
        futures = {pool.submit(_check, file.path, number): number for number in range(len(clauses))}
        for future in as_completed(futures):
            found[futures[future]] = future.result()
            if report is not None:
                report(len(found), len(clauses))
    return tuple(found[number] for number in range(len(clauses)))


def _check(path: str, number: int) -> Finding:
    """In a process of its own, which reads the file itself: its functions do not travel."""
    file = read_rules(Path(path))
    return check(get_clauses(file.functions)[number], file)
