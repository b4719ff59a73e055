"""Writes the table of ``POLICIES.md``, and what refutes each of its cells: ``python -m tests.policy_table``.

It takes minutes. What is written is checked by the tests: every refutation again, in the kernel.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from attrs import asdict

from riskcore.policies.known import RECORD
from riskcore.policies.matrix import Cell, run
from riskcore.policies.report import make_markdown_table
from riskcore.policies.search import DRAWS
from riskcore.pool import new_pool

PAGE = Path(__file__).parent.parent / "POLICIES.md"
START, END = "<!-- the table, written by python -m tests.policy_table -->", "<!-- end of the table -->"


def to_record(rows: list[list[Cell]]) -> dict[str, list[dict[str, Any]]]:
    return {
        row[0].policy: [
            {
                "property": cell.property,
                "finding": cell.finding.value,
                "base": None if cell.base is None else asdict(cell.base),
            }
            for cell in row
        ]
        for row in rows
    }


def get_table(page: str) -> str:
    return page[page.index(START) + len(START) : page.index(END)]


def main() -> None:
    with new_pool(os.cpu_count() or 1) as pool:
        rows = run(None, pool, 0, DRAWS)
    lines = (json.dumps(name) + ": " + json.dumps(cells) for name, cells in to_record(rows).items())
    RECORD.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    table = "\n\n" + "\n".join(make_markdown_table(rows)) + "\n\n"
    PAGE.write_text(page.replace(get_table(page), table), encoding="utf-8")


if __name__ == "__main__":
    main()
