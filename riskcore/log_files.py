"""A log as a file, whichever way it is kept: as lines, compressed or not, or as rows of Parquet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from riskcore.bad_input import LogError
from riskcore.codec import to_json
from riskcore.log_lines import Lines, iter_lines, open_regular, write_lines
from riskcore.log_rows import MAGIC, Rows, write_rows

T = TypeVar("T")

FORMATS = "a name that ends in .parquet is Parquet, in .gz or .zst compressed lines, and any other lines"


class Records(Protocol):
    """The objects of a log: a header, then one for each event."""

    line: int
    size: int

    @property
    def bytes_read(self) -> int: ...

    @property
    def digest(self) -> str: ...

    def read_header(self, decode: Callable[[dict[str, object]], T]) -> T: ...

    def read(self, decode: Callable[[dict[str, object]], T]) -> T | None: ...

    def skip(self, count: int) -> None: ...

    def close(self) -> None: ...


def open_records(path: Path) -> Records:
    """A log open for reading; its first bytes say what it is."""
    return Rows(path) if _is_parquet(path) else Lines(path)


def _is_parquet(path: Path) -> bool:
    raw, _ = open_regular(path)
    with raw:
        try:
            return raw.read(len(MAGIC)) == MAGIC
        except OSError:
            return False


def iter_texts(path: Path) -> Iterator[bytes]:
    """A log's lines: as they stand there, or as they would, of rows."""
    if not _is_parquet(path):
        yield from iter_lines(path)
        return
    rows = Rows(path)
    try:
        yield to_json(rows.read_header(dict)).encode() + b"\n"
        while (members := rows.read(dict)) is not None:
            yield to_json(members).encode() + b"\n"
    finally:
        rows.close()


@contextmanager
def new_log(path: Path, header: dict[str, Any]) -> Iterator[Callable[[dict[str, Any]], None]]:
    """A new log that takes the place of ``path`` where the block ends well; the block adds its events' objects.

    Its name says how it is kept (``FORMATS``).
    """
    if path.suffix == ".parquet":
        with write_rows(path, to_json(header)) as add:
            yield add
        return
    with write_lines(path) as file:
        file.write(to_json(header).encode() + b"\n")
        yield lambda members: _write(file, members)


def _write(file: Any, members: dict[str, Any]) -> None:
    file.write(to_json(members).encode() + b"\n")


def read_start(path: Path, count: int) -> bytes:
    """The first bytes of what is in a file, unpacked; nothing where that cannot be read."""
    try:
        return next(iter_texts(path), b"")[:count]
    except LogError:
        return b""


def check_target(path: Path, target: Path, snapshot: str | None) -> None:
    """``LogError`` where ``target`` is the log, or the snapshot that it starts from, or would not find that.

    Raises ``OSError`` where either cannot be looked at.
    """
    if snapshot is not None and target.parent.resolve() != path.parent.resolve():
        expected, got = "a file in the log's folder, where its snapshot is", "another folder"
    elif target.exists() and target.samefile(path):
        expected, got = "another file than the log", "the log itself"
    elif snapshot is not None and target.exists() and target.samefile(path.parent / snapshot):
        expected, got = "another file than the log's snapshot", "the snapshot itself"
    else:
        return
    raise LogError(str(target), None, None, expected, got)
