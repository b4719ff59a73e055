"""Every path as a row of a table: CSV, or Parquet where pyarrow is there."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from riskcore.bad_input import LogError, get_cause
from riskcore.files import write_whole
from riskcore.stress.paths import MEASURES, Row

FORMATS = (".csv", ".parquet")
#: How every such table begins.
_HEAD = b"path,rulebook,seed,"


def check_place(path: Path) -> None:
    """Raises ``LogError`` where rows will not be written: before any is played."""
    if path.suffix not in FORMATS:
        raise LogError(str(path), None, None, "a file named .csv or .parquet", path.suffix or "no ending")
    if not path.parent.is_dir() or path.is_dir():
        raise LogError(str(path), None, None, "a place for a table", "a folder" if path.is_dir() else "no such folder")
    if path.suffix == ".parquet":
        _load_parquet()
    if path.exists() and not _is_own(path):
        raise LogError(str(path), None, None, "a new file, or an earlier table of paths", "another file")


def _is_own(path: Path) -> bool:
    """Whether a file that is there is such a table."""
    if path.suffix == ".csv":
        with open(path, "rb") as file:
            return file.read(len(_HEAD)) == _HEAD
    try:
        names: list[str] = _load_parquet()[1].read_schema(path).names
    except (OSError, ValueError):  # pyarrow's own errors are of these kinds
        return False
    return names[:3] == _HEAD.decode().rstrip(",").split(",")


def _load_parquet() -> tuple[Any, Any]:
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise LogError(
            "--out", None, None, "pyarrow (pip install 'riskcore[parquet]'), or a .csv file", "none"
        ) from None


def save(path: Path, rows: Sequence[Row]) -> None:
    """Write all rows; big integers as texts, so that none is rounded. Raises ``LogError``."""
    table = [to_cells(row) for row in rows]
    try:
        if path.suffix == ".parquet":
            arrow, parquet = _load_parquet()
            parquet.write_table(arrow.Table.from_pylist(table), path)
            return
        text = io.StringIO()
        writer = csv.DictWriter(text, list(table[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
        with write_whole(path) as file:
            file.write(text.getvalue().encode())
    except OSError as error:
        raise LogError(str(path), None, None, "a place for a table", get_cause(error)) from None


def to_cells(row: Row) -> dict[str, int | str]:
    """Path, rulebook, seed, the figures drawn, then what came of it."""
    figures = {f"vary.{name}": figure for name, figure in row.figures.items()}
    counts: dict[str, int | str] = {"events": row.events}
    measures = {name: str(getattr(row, name)) for name in MEASURES}
    return {"path": row.path, "rulebook": row.rulebook, "seed": str(row.seed), **figures, **counts, **measures}
