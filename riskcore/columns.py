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


def get_rows(table: Table) -> list[list[str]]:
    """The texts of a table, row by row."""
    columns = [
        [cell.plain if isinstance(cell, Text) else str(cell) for cell in column.cells] for column in table.columns
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def get_header(table: Table) -> list[tuple[str, bool]]:
    """Each column's name, and whether it is aligned to the right."""
    return [(str(column.header), column.justify == "right") for column in table.columns]
