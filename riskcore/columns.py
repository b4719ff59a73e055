"""Tables of texts in columns, as reports and explanations print them."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text


def make_table(left: Iterable[str], right: Iterable[str], last: Iterable[str] = ()) -> Table:
    """Columns aligned to the left, then to the right, then to the left again."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in left:
        table.add_column(name, overflow="fold")
    for name in right:
        table.add_column(name, justify="right", overflow="fold")
    for name in last:
        table.add_column(name, overflow="fold")
    return table


def add_row(table: Table, *cells: str) -> None:
    """A row of texts that are no markup."""
    table.add_row(*(Text(cell) for cell in cells))
