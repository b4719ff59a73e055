"""The table of policies and properties as text, Markdown and JSON; refutations as logs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attrs import asdict
from rich.console import Console
from rich.table import Table
from rich.text import Text

from riskcore.bad_input import LogError, get_cause
from riskcore.log import write_log
from riskcore.policies.cases import Case
from riskcore.policies.catalogue import Policy
from riskcore.policies.matrix import Cell, Finding
from riskcore.policies.playing import Unplayable, play_by_kernel
from riskcore.units import Units
from specs.policies import PROPERTIES, Closing

#: A cell of the narrow table, and its colour.
SIGNS = {
    Finding.PROVED: ("P", "green"),
    Finding.BOUNDED: ("b", "cyan"),
    Finding.REFUTED: ("R", "red"),
    Finding.OPEN: ("?", "yellow"),
}

LEGEND = (
    "P  PROVED of any accounts, by laws as riskcore verify last recorded them, and lemmas, which were proved now",
    "b  PROVED-BOUNDED: every case of a grid, and many drawn ones; no more",
    "R  REFUTED by a small case: without any of its winners, or with a figure halved or one less, it does not",
    "?  OPEN",
)


#: What all of it is said of.
PREMISE = "all of winners with equity left beyond their part, for others may be in no queue, whatever the policy"


def print_table(policies: tuple[Policy, ...], rows: list[list[Cell]], console: Console) -> None:
    """The table, what each property says, and what proves or refutes each cell."""
    console.print(_make_grid(rows))
    for line in (*LEGEND, PREMISE):
        console.print(line, soft_wrap=True)
    console.print("\nProperties", style="bold")
    for number, one in enumerate(PROPERTIES, 1):
        console.print(Text(f"{number:2}  {one.name} ({one.space}): {one.statement}"), soft_wrap=True)
    for policy, row in zip(policies, rows, strict=True):
        console.print(Text(f"\n{policy.name}: {policy.words}", style="bold"), soft_wrap=True)
        for cell in row:
            console.print(Text(f"  {cell.finding.value:14} {cell.property}: {describe(cell)}"), soft_wrap=True)


def _make_grid(rows: list[list[Cell]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("policy")
    for number in range(1, len(PROPERTIES) + 1):
        table.add_column(str(number), justify="right")
    for row in rows:
        signs = (SIGNS[cell.finding] for cell in row)
        table.add_row(Text(row[0].policy), *(Text(sign, style=colour) for sign, colour in signs))
    return table


def describe(cell: Cell) -> str:
    """Why, in one line: what proves it, or the case that refutes it."""
    if cell.cases:
        shown = "; ".join(
            f"{describe_case(case)} -> {describe_closings(case, closings)}"
            for case, closings in zip(cell.cases, cell.closings, strict=True)
        )
        return f"{cell.reason + ': ' if cell.reason else ''}{shown}"
    if cell.evidence is None:
        return cell.reason
    return f"{cell.reason} ({', '.join((*cell.evidence.laws, *cell.evidence.lemmas))})"


def describe_case(case: Case) -> str:
    """Everybody's lots, entry prices and equity, at which mark, and what is to be closed."""
    winners = ", ".join(
        f"{one.name} {'+'.join(f'{lots}@{price}' for lots, price in one.sales)} equity {one.equity}"
        for one in case.winners
    )
    rounds = ", then ".join(
        f"close {one.lots}" + (f" at {one.shortfall} beyond mark" if one.shortfall else "") for one in case.rounds
    )
    return f"short {winners}; mark {case.mark}; {rounds}"


def describe_closings(case: Case, closings: tuple[Closing, ...]) -> str:
    return ", ".join(
        f"{winner.name} {'+'.join(str(one.parts[place].closed) for one in closings)}"
        for place, winner in enumerate(case.winners)
    )


def to_markdown(policies: tuple[Policy, ...], rows: list[list[Cell]]) -> Iterator[str]:
    """The table, then what is known of each cell that is not proven."""
    yield from make_markdown_table(rows)
    yield ""
    for policy, row in zip(policies, rows, strict=True):
        yield f"* `{policy.name}`: {policy.words}"
        for cell in row:
            if cell.finding is not Finding.PROVED:
                yield f"  * {cell.finding.value} {cell.property}: {describe(cell)}"


def make_markdown_table(rows: list[list[Cell]]) -> Iterator[str]:
    """A row for each policy, a column for each property."""
    yield "| policy | " + " | ".join(one.name for one in PROPERTIES) + " |"
    yield "|---|" + "---|" * len(PROPERTIES)
    for row in rows:
        yield f"| `{row[0].policy}` | " + " | ".join(_SHORT[cell.finding] for cell in row) + " |"


_SHORT = {
    Finding.PROVED: "PROVED",
    Finding.BOUNDED: "bounded",
    Finding.REFUTED: "**REFUTED**",
    Finding.OPEN: "OPEN",
}


def to_json(policies: tuple[Policy, ...], rows: list[list[Cell]], seed: int) -> dict[str, Any]:
    return {
        "seed": seed,
        "properties": [{"name": one.name, "space": one.space.value, "statement": one.statement} for one in PROPERTIES],
        "policies": [
            {"name": policy.name, "words": policy.words, "cells": [_to_members(cell) for cell in row]}
            for policy, row in zip(policies, rows, strict=True)
        ],
    }


def _to_members(cell: Cell) -> dict[str, Any]:
    evidence = cell.evidence
    return {
        "property": cell.property,
        "finding": cell.finding.value,
        "reason": cell.reason,
        "laws": [] if evidence is None else list(evidence.laws),
        "lemmas": [] if evidence is None else list(evidence.lemmas),
        "base": None if cell.base is None else asdict(cell.base),
        "cases": [
            {"case": asdict(case), "rounds": [asdict(one) for one in closings]}
            for case, closings in zip(cell.cases, cell.closings, strict=True)
        ],
    }


def write_logs(folder: Path, policies: tuple[Policy, ...], rows: list[list[Cell]]) -> int:
    """A log for each case of each refutation of a policy that the kernel has; how many were written.

    Raises ``LogError`` where one cannot be.
    """
    written = 0
    for policy, row in zip(policies, rows, strict=True):
        for cell in row if policy.kernel is not None else ():
            for number, case in enumerate(cell.cases, 1):
                path = folder / f"{policy.name}-{cell.property.replace(' ', '-')}-{number}.jsonl"
                _write_log(path, policy, case)
                written += 1
    return written


def _write_log(path: Path, policy: Policy, case: Case) -> None:
    assert policy.kernel is not None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        played = play_by_kernel(case, *policy.kernel)
        write_log(path, played.rulebook, Units("1"), played.events)
    except (OSError, Unplayable) as error:
        got = get_cause(error) if isinstance(error, OSError) else str(error)
        raise LogError(str(path), None, None, "a place for a log", got) from None
