"""A CSV file of fills, read as a mapping says: every cell that means something is exact, or refused by its place."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Final, TextIO

from attrs import frozen

from riskcore.bad_input import Fault, LogError, get_hint, list_names, printable, quote, within
from riskcore.files import get_length
from riskcore.importing.json_rows import Progress
from riskcore.importing.mapping import LIQUIDATION, TIME_UNITS, TRADE, Mapping
from riskcore.importing.records import Data, Flow, Movement, Place, Trade, require_above_zero, to_decimal, to_time
from riskcore.log_lines import MOST, open_unpacked
from riskcore.units import format_decimal

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SIGNS: Final = {"buy": 1, "sell": -1}


def read_table(path: Path, mapping: Mapping, progress: Progress | None = None) -> Data:
    """The rows of a file. ``LogError`` names file, line and column of what cannot be read."""
    file, data = str(path), Data(mapping.convention)
    length = get_length(path, "a readable file")
    try:
        with open_unpacked(path) as (packed, tell):
            stream = io.TextIOWrapper(packed, encoding="utf-8-sig", newline="")
            _read_rows(file, stream, mapping, data, progress and (lambda: progress(tell(), length)))
    except UnicodeDecodeError as error:
        raise LogError(file, None, None, "a CSV file in UTF-8", f"invalid UTF-8 at byte {error.start + 1}") from None
    return data


def _read_rows(file: str, stream: TextIO, mapping: Mapping, data: Data, tell: Callable[[], None] | None) -> None:
    reader = csv.reader(_iter_lines(file, stream), delimiter=mapping.delimiter, strict=True)
    rows = _guard(file, reader)
    header = next(rows, None)
    if header is None:
        raise LogError(file, None, None, "a header with the names of the columns", "an empty file")
    start, names = header
    try:
        _check_header(names, mapping, data, Place(file, start))
    except Fault as fault:
        raise LogError(file, start, fault.field, fault.expected, fault.got) from None
    for line, cells in rows:
        if tell is not None and line % 1_000 == 0:
            tell()
        try:
            if len(cells) != len(names):
                raise Fault(f"{len(names):,} cells as in the header", f"{len(cells):,}")
            _read_row(_Row(dict(zip(names, cells, strict=True)), mapping), Place(file, line), data)
        except Fault as fault:
            raise LogError(file, line, fault.field, fault.expected, fault.got) from None


def _iter_lines(file: str, stream: TextIO) -> Iterator[str]:
    """The lines, of which none may be as long as what a small file can unpack to."""
    for number, line in enumerate(iter(lambda: stream.readline(MOST + 1), ""), 1):
        if len(line) > MOST:
            raise LogError(file, number, None, f"a line of at most {MOST:,} characters", "a longer one")
        yield line


def _guard(file: str, reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, with their lines; of a row over several lines the last."""
    lines: int = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise LogError(file, lines + 1, None, "a row of CSV", printable(str(error))) from None
        lines = getattr(reader, "line_num", lines + 1)
        if any(cell.strip() for cell in cells):
            yield lines, cells


def _check_header(names: list[str], mapping: Mapping, data: Data, place: Place) -> None:
    twice = next((name for name, times in Counter(names).items() if times > 1), None)
    if twice is not None:
        raise Fault("each column once", f"{quote(twice)} twice")
    wanted = mapping.columns.get_names()
    for field, name in wanted.items():
        if name not in names:
            raise Fault(f"a column {quote(name)} for the {field}", list_names(names) + get_hint(name, names))
    for name in names:
        if name not in wanted.values() and name not in mapping.ignored:
            data.leave_out(f"column {printable(name)}", place)


@frozen
class _Row:
    """The cells of a row by column, with what they mean."""

    cells: dict[str, str]
    mapping: Mapping

    def get(self, field: str) -> str:
        """The text of a field; empty where there is no column or nothing in it."""
        name = getattr(self.mapping.columns, field)
        return "" if name is None else self.cells[name].strip()

    def name(self, field: str) -> str:
        """What an error calls the field: its column."""
        return quote(str(getattr(self.mapping.columns, field)))

    def need(self, field: str) -> str:
        text = self.get(field)
        if not text:
            raise Fault("something in this cell", "nothing", self.name(field))
        return text

    def find_number(self, field: str) -> Fraction | None:
        text = self.get(field)
        if not text:
            return None
        if self.mapping.thousands:
            text = text.replace(self.mapping.thousands, "")
        with within(self.name(field)):
            return to_decimal(text.removeprefix("+"))

    def get_number(self, field: str) -> Fraction:
        self.need(field)
        number = self.find_number(field)
        assert number is not None
        return number

    def find_size(self, field: str) -> Fraction | None:
        number = self.find_number(field)
        return None if number is None else number * self.mapping.size

    def find_word(self, field: str) -> str | None:
        """What the cell's word means; None where there is no column or nothing in it."""
        text, words = self.get(field), self.mapping.words[field]
        if not text:
            return None
        if text not in words:
            raise Fault(list_names(words), quote(text) + get_hint(text, words), self.name(field))
        return words[text]

    def get_time(self) -> int:
        text, form = self.need("time"), self.mapping.time
        with within(self.name("time")):
            if form in TIME_UNITS:
                return to_time(to_decimal(text) / TIME_UNITS[form])
            try:
                moment = datetime.fromisoformat(text) if form == "iso" else datetime.strptime(text, form)
            except ValueError:
                expected = "a time like 2025-10-10T21:15:00.250Z" if form == "iso" else f"a time like {form}"
                raise Fault(expected, quote(text)) from None
            aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
            return to_time(Fraction((aware - _EPOCH) // moment.resolution, 1_000))


def _read_row(row: _Row, place: Place, data: Data) -> None:
    kind = row.get("kind")
    if kind and kind not in row.mapping.words["kind"]:
        data.leave_out(f"rows of kind {printable(kind)}", place)
        return
    meaning = row.mapping.words["kind"][kind] if kind else TRADE
    account = row.get("account") or row.mapping.account
    if meaning not in (TRADE, LIQUIDATION):
        movement, amount = Movement(meaning), row.get_number("amount")
        if movement is not Movement.FUNDING:
            amount = -abs(amount) if movement is Movement.WITHDRAWAL else abs(amount)
        data.flows.append(Flow(place, account, row.get_time(), amount, movement, row.find_number("balance_after")))
        return
    role = row.find_word("role")
    fee = row.find_number("fee") or Fraction(0)
    price = row.get_number("price")
    with within(row.name("price")):
        require_above_zero(price)
    data.trades.append(
        Trade(
            place,
            account,
            row.mapping.market or row.need("market"),
            _get_size(row),
            price,
            row.mapping.fee_sign * fee,
            row.get_time(),
            row.get("id") or None,
            None if role is None else role == "taker",
            before=row.find_size("position_before"),
            after=row.find_size("position_after"),
            closed_pnl=row.find_number("closed_pnl"),
            balance=row.find_number("balance_after"),
            is_forced=meaning == LIQUIDATION,
        )
    )


def _get_size(row: _Row) -> Fraction:
    """Base units with their sign: the side's, or where there is no side the number's own."""
    size = row.get_number("size") * row.mapping.size
    if row.mapping.columns.side is not None:
        row.need("side")
    side = row.find_word("side")
    if size == 0 or (side is not None and size < 0):
        expected = "a size above zero, as the side is given" if side is not None else "a size that is not zero"
        raise Fault(expected, format_decimal(size / row.mapping.size), row.name("size"))
    return size if side is None else _SIGNS[side] * size
