"""Tables of texts as a page shows them; nothing here needs what draws."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from riskcore.columns import get_header, get_rows
from riskcore.html_report.names import TEXT, shorten


def to_table(table: Table) -> dict[str, Any]:
    """A table of texts as the template ``table.html`` shows it."""
    header = get_header(table) if table.show_header else None
    return {
        "header": header,
        "rows": [[shorten(cell, TEXT) for cell in row] for row in get_rows(table)],
        "right": [right for _, right in get_header(table)],
    }
