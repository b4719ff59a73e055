"""JSON as people have it: one document, or a document a line. Every value comes with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

from riskcore.bad_input import Fault, LogError, Malformed
from riskcore.files import get_length
from riskcore.importing.records import Place
from riskcore.log_lines import open_unpacked
from riskcore.venues.answers import parse, read_data

#: Called with bytes read and bytes in all.
Progress: TypeAlias = Callable[[int, int], None]

#: Bytes of a line: a block's funding may have some twenty million.
_MOST: Final = 64_000_000


def read_values(path: Path, progress: Progress | None = None) -> Iterator[tuple[Place, Any]]:
    """The values of a file: its lines, if its first is a value and not all there is; else the document.

    ``LogError`` for what is no JSON, a line that is too long, and a file that holds nothing.
    """
    file = str(path)
    length = get_length(path, "a readable file")
    found = False
    if _is_one_document(path):
        found = True
        yield Place(file), read_data(path)
    else:
        for number, line in _read_lines(path, length, progress):
            found = True
            yield Place(file, number), _parse(file, number, line)
    if not found:
        raise LogError(file, None, None, "fills", "an empty file")


def _is_one_document(path: Path) -> bool:
    """Whether the first line that has something is no value by itself, or the only one."""
    with open_unpacked(path) as (stream, _):
        first = next((line for line in iter(lambda: stream.readline(_MOST), b"") if line.strip()), b"")
        rest = any(line.strip() for line in iter(lambda: stream.readline(_MOST), b""))
    if not first or not rest:
        return bool(first)
    try:
        parse(first)
    except Malformed:
        # a document over several lines begins with a bracket and little more; a broken first line of many is a line
        return first.strip() in (b"[", b"{") or first.rstrip().endswith((b",", b"[", b"{"))
    except Fault:
        return False
    return False


def _read_lines(path: Path, length: int, progress: Progress | None) -> Iterator[tuple[int, bytes]]:
    with open_unpacked(path) as (stream, tell):
        for number, line in enumerate(iter(lambda: stream.readline(_MOST + 1), b""), start=1):
            if len(line) > _MOST:
                raise LogError(str(path), number, None, f"a line of at most {_MOST:,} bytes", "a longer one")
            if progress is not None and number % 1_000 == 0:
                progress(tell(), length)
            if line.strip():
                yield number, line


def _parse(file: str, number: int, line: bytes) -> Any:
    try:
        return parse(line)
    except Malformed as fault:
        raise LogError(file, number, None, fault.expected, fault.got) from None
    except Fault as fault:
        raise LogError(file, number, fault.field, fault.expected, fault.got) from None
