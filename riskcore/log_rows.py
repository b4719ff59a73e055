"""A log as a Parquet file: a row an event, a column a field, the header in the file's metadata.

Figures are in native units. ``sequence`` and ``timestamp`` are 64-bit integers, all other integers texts of their
digits, since Parquet has none that are long enough; objects and arrays are texts of JSON. Needs the extra ``parquet``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from riskcore.bad_input import Fault, LogError, get_hint, printable, quote
from riskcore.files import write_whole
from riskcore.log_columns import EXPECTED, KINDS, SMALL, fill_in, is_of, is_text, to_cell
from riskcore.log_lines import MOST, open_regular
from riskcore.strict_json import LOG_DIGITS, parse_object

if TYPE_CHECKING:
    from pyarrow import RecordBatch, Schema
    from pyarrow.parquet import ParquetFile

T = TypeVar("T")

MAGIC: Final = b"PAR1"
_KEY: Final = b"riskcore_log"
#: How many rows there are, as whoever wrote them counted: the format itself does not protect that number.
_COUNT: Final = b"riskcore_events"
#: Rows that are read, or written, together, and bytes of a column of such rows.
_ROWS: Final = 10_000
_BYTES: Final = 256_000_000
_NEEDED: Final = ("event", "id", "sequence", "timestamp")


def need_pyarrow(path: Path) -> tuple[Any, Any]:
    """The library and its part for these files; ``LogError`` where they are not installed."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        expected = "pyarrow, as the file is Parquet (pip install 'riskcore[parquet]')"
        raise LogError(str(path), None, None, expected, "none") from None
    return pyarrow, parquet


class Rows:
    """The objects of a file's rows, one after the other; beside that as ``log_lines.Lines``.

    ``line`` is one more than the number of the row read last, as the header would be the first line. ``digest`` is that
    of the whole file.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._file = path, str(path)
        self._raw, self.size = open_regular(path)
        self.line = 0
        try:
            self._parquet = self._open()
            self._read_row = self._iter_rows()
        except BaseException:
            self._raw.close()
            raise

    @property
    def bytes_read(self) -> int:
        rows = self._parquet.metadata.num_rows
        return self.size * max(self.line - 1, 0) // rows if rows else self.size

    @cached_property
    def digest(self) -> str:
        with open(self._path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @property
    def _metadata(self) -> dict[bytes, bytes]:
        return self._parquet.metadata.metadata or {}

    def close(self) -> None:
        self._raw.close()

    def read_header(self, decode: Callable[[dict[str, object]], T]) -> T:
        """What ``decode`` makes of the header in the file's metadata."""
        self.line = 1
        text = self._metadata.get(_KEY)
        if text is None:
            raise self._refuse("metadata", f"the log's header, as {_KEY.decode()}", "none")
        try:
            return decode(parse_object(text, LOG_DIGITS))
        except Fault as fault:
            raise self._refuse("metadata", fault.expected, fault.got, fault.field) from None

    def read(self, decode: Callable[[dict[str, object]], T]) -> T | None:
        """What ``decode`` makes of the next row's object; None where the file ends."""
        members = next(self._read_row, None)
        self.line += 1
        if members is None:
            return None
        try:
            fill_in(members)
            return decode(members)
        except Fault as fault:
            raise self._refuse(f"row {self.line - 1:,}", fault.expected, fault.got, fault.field) from None

    def skip(self, count: int) -> None:
        """Pass over so many rows, or all that there are; the header counts as one."""
        for _ in range(count - (self.line == 0)):
            self.line += 1
            if next(self._read_row, None) is None:
                break

    def _refuse(self, place: str, expected: str, got: str, field: str | None = None) -> LogError:
        return LogError(self._file, None, place + (f": {field}" if field else ""), expected, got)

    def _open(self) -> ParquetFile:
        """The file, after a look at what its columns are and how much there is in them."""
        pyarrow, parquet = need_pyarrow(self._path)
        try:
            # texts that repeat stand in memory once, as they do in the file
            schema = parquet.ParquetFile(self._raw).schema_arrow
            texts = [field.name for field in schema if is_text(field.type)]
            file = parquet.ParquetFile(self._raw, read_dictionary=texts, page_checksum_verification=True)
        except (pyarrow.ArrowException, OSError, ValueError) as error:
            raise LogError(self._file, None, None, "a Parquet file", _get_reason(error)) from None
        self._check_columns(file.schema_arrow)
        self._check_sizes(file)
        return file

    def _check_columns(self, schema: Schema) -> None:
        for name in schema.names:
            if name not in KINDS:
                got = f"an unknown column{get_hint(name, KINDS)}"
                raise self._refuse(f"column {quote(name)}", f"only the columns {', '.join(KINDS)}", got)
            if schema.names.count(name) > 1:
                raise self._refuse(f"column {quote(name)}", "each column once", "it twice")
        for name in _NEEDED:
            if name not in schema.names:
                raise self._refuse(f"column {quote(name)}", "this column", "none")
        for field in schema:
            if not is_of(KINDS[field.name], field.type):
                got = str(getattr(field.type, "value_type", field.type))
                raise self._refuse(f"column {quote(field.name)}", EXPECTED[KINDS[field.name]], got)

    def _check_sizes(self, file: ParquetFile) -> None:
        """Refuse what would unpack to more than memory should hold at once."""
        for group in range(file.metadata.num_row_groups):
            chunks = file.metadata.row_group(group)
            for column in range(chunks.num_columns):
                chunk = chunks.column(column)
                place = f"row group {group + 1:,}: column {quote(chunk.path_in_schema)}"
                if chunk.total_uncompressed_size > _BYTES:
                    got = f"{chunk.total_uncompressed_size:,}"
                    raise self._refuse(place, f"at most {_BYTES:,} bytes of a column in a row group", got)
                if "DELTA_BYTE_ARRAY" in chunk.encodings:
                    raise self._refuse(place, "plain texts, or a dictionary of them", "the encoding DELTA_BYTE_ARRAY")

    def _iter_rows(self) -> Iterator[dict[str, object]]:
        pyarrow, _ = need_pyarrow(self._path)
        batches = self._parquet.iter_batches(batch_size=_ROWS)
        while True:
            try:
                batch = next(batches, None)
                columns = {} if batch is None else _get_columns(batch)
            except (pyarrow.ArrowException, OSError, ValueError) as error:
                raise self._refuse(f"row {self.line:,} or behind", "a readable row", _get_reason(error)) from None
            if batch is None:
                self._check_count()
                return
            names = list(columns)
            # rows in which there is nothing are rows too
            for values in zip(*columns.values(), strict=True) if columns else repeat((), batch.num_rows):
                yield {name: value for name, value in zip(names, values, strict=True) if value is not None}

    def _check_count(self) -> None:
        """Refuse a file that has another number of rows than it says."""
        rows = self._parquet.metadata.num_rows
        counts = {str(rows), self._metadata.get(_COUNT, str(rows).encode()).decode(errors="replace")}
        if counts != {str(self.line - 1)}:
            raise self._refuse("metadata", f"{' and '.join(sorted(counts))} rows", f"{self.line - 1}")


def _get_columns(batch: RecordBatch) -> dict[str, list[Any]]:
    """The values of each column that has any."""
    columns = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if column.null_count == len(column):
            continue
        if hasattr(column, "dictionary"):
            words = column.dictionary.to_pylist()
            columns[name] = [None if index is None else words[index] for index in column.indices.to_pylist()]
        else:
            columns[name] = column.to_pylist()
    return columns


def _get_reason(error: Exception) -> str:
    """What the library says, on one line and without an end."""
    return printable(" ".join(str(error).split())[:200]) or "an unreadable one"


@contextmanager
def write_rows(path: Path, header: str) -> Iterator[Callable[[dict[str, Any]], None]]:
    """A new Parquet file that takes the place of ``path`` as ``write_whole`` has it; the block adds its rows."""
    pyarrow, parquet = need_pyarrow(path)
    small = pyarrow.int64()
    types = {"flag": pyarrow.bool_(), "integer": pyarrow.string(), "text": pyarrow.string(), "json": pyarrow.string()}
    fields = [(name, small if name in SMALL else types[kind]) for name, kind in KINDS.items()]
    schema = pyarrow.schema(fields, metadata={_KEY: header})
    rows: list[dict[str, Any]] = []
    held = count = 0

    def flush() -> None:
        nonlocal held
        if rows:
            writer.write_table(pyarrow.Table.from_pylist(rows, schema=schema))
            rows.clear()
            held = 0

    def add(members: dict[str, Any]) -> None:
        nonlocal held, count
        row = {name: to_cell(name, value) for name, value in members.items()}
        size = sum(len(value) for value in row.values() if type(value) is str)
        if len(rows) == _ROWS or held + size > MOST:
            flush()
        rows.append(row)
        held, count = held + size, count + 1

    with (
        write_whole(path) as file,
        parquet.ParquetWriter(file, schema, compression="zstd", write_page_checksum=True) as writer,
    ):
        yield add
        flush()
        writer.add_key_value_metadata({_COUNT: str(count)})
