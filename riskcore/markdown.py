"""Markdown as CI shows it beside a run: texts from elsewhere are escaped, and are no markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from rich.table import Table

from riskcore.bad_input import printable
from riskcore.columns import get_header, get_rows

#: What begins markup, a mention, a reference or a link.
_ACTIVE: Final = re.compile(r"([\\`*_\[\]{}|~@#$!])|(:)(?=//)")
#: Lines of a block that are shown, and characters of each: a summary has a limit of its own.
_LINES: Final = 200
_LINE: Final = 1000


def escape(text: str) -> str:
    """The text on one line, as it reads."""
    safe = printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _ACTIVE.sub(r"\\\g<0>", safe)


def fence(lines: Iterable[str], language: str = "") -> str:
    """A block of lines as they are; of many the first."""
    every = [printable(line[:_LINE]) + ("..." if len(line) > _LINE else "") for line in lines]
    shown, more = every[:_LINES], len(every) - _LINES
    if more > 0:
        shown.append(f"and {more:,} more lines")
    longest = max((len(run) for line in shown for run in re.findall("`+", line)), default=0)
    ticks = "`" * max(longest + 1, 3)
    return "\n".join([ticks + language, *shown, ticks])


def make_table(header: Sequence[tuple[str, bool]], rows: Iterable[Sequence[str]]) -> str:
    """Columns by their names, and whether they are aligned to the right."""
    lines = [
        _join(escape(name) for name, _ in header),
        _join("---:" if right else "---" for _, right in header),
        *(_join(map(escape, row)) for row in rows),
    ]
    return "\n".join(lines)


def from_table(table: Table) -> str:
    """A table of texts as the terminal has it."""
    header = get_header(table)
    return make_table(header if table.show_header else [("", right) for _, right in header], get_rows(table))


def fold(title: str, content: str) -> str:
    """Content that is shown when it is asked for."""
    return f"<details><summary>{escape(title)}</summary>\n\n{content}\n\n</details>"


def join(parts: Iterable[str]) -> str:
    """Paragraphs, those of nothing left out."""
    return "\n\n".join(part for part in parts if part) + "\n"


def _join(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
