"""A log's lines: of a text file, or of one that gzip or Zstandard has compressed.

What a file is, its first bytes say; what is written, its name. Lines are read one at a time and have a limit of
length, so that neither a long log nor a small file that unpacks to a huge one takes more memory than a line does.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, BinaryIO, Final, TypeVar, cast

from riskcore.bad_input import Fault, LogError, Malformed, get_cause
from riskcore.files import get_length, write_whole
from riskcore.strict_json import LOG_DIGITS, read_object

if sys.version_info >= (3, 14):
    from compression.zstd import CompressionParameter, ZstdError, ZstdFile
else:
    from backports.zstd import CompressionParameter, ZstdError, ZstdFile

T = TypeVar("T")

#: Bytes of a line: a queue of a million accounts has some fifty million.
MOST: Final = 64_000_000
_BUFFER: Final = 1 << 16
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
#: What may stand before a Zstandard frame: one to be skipped, whose first byte varies.
_SKIPPED: Final = b"\x2a\x4d\x18"
_BROKEN: Final = (OSError, EOFError, zlib.error, ZstdError)


class Lines:
    """The objects of a file's lines, one after the other.

    ``line`` is the number of the line read last, ``bytes_read`` how far into the file that is, ``size`` the file's
    length, ``digest`` a hash of all lines so far. Everything raises ``LogError`` where the input is bad.
    """

    def __init__(self, path: Path) -> None:
        self._file = str(path)
        self._raw, self.size = open_regular(path)
        self._stream, self._form = _unpack(self._raw)
        self._digest = hashlib.sha256()
        self.line = self._end = 0

    @property
    def bytes_read(self) -> int:
        return self._end if self._raw.closed else self._raw.tell()

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()

    def close(self) -> None:
        self._end = self.bytes_read
        self._raw.close()

    def read(self, decode: Callable[[dict[str, object]], T]) -> T | None:
        """What ``decode`` makes of the next line's object; None where the file ends."""
        line = self.read_line()
        if not line:
            return None
        try:
            return read_object(line, LOG_DIGITS, decode)
        except Malformed as fault:
            is_cut = line.strip() and not line.endswith(b"\n")
            got = "a line cut in the middle, where the file ends" if is_cut else fault.got
            raise LogError(self._file, self.line, None, fault.expected, got) from None
        except Fault as fault:
            raise LogError(self._file, self.line, fault.field, fault.expected, fault.got) from None

    def read_line(self) -> bytes:
        """The next line as it stands there; nothing where the file ends."""
        try:
            line = self._stream.readline(MOST + 1)
        except EOFError:
            got = "one that ends in the middle"
            raise LogError(self._file, self.line + 1, None, f"a whole file of {self._form}", got) from None
        except _BROKEN as error:
            raise LogError(self._file, self.line + 1, None, *_explain(self._form, error)) from None
        self.line += 1
        if len(line) > MOST:
            raise LogError(self._file, self.line, None, f"a line of at most {MOST:,} bytes", "a longer one")
        self._digest.update(line)
        return line

    def skip(self, count: int) -> None:
        """Pass over so many lines, or all that there are."""
        for _ in range(count):
            if not self.read_line():
                break

    def read_header(self, decode: Callable[[dict[str, object]], T]) -> T:
        """What ``decode`` makes of the first line."""
        header = self.read(decode)
        if header is None:
            raise LogError(self._file, 1, None, "a header", "an empty file")
        return header


def open_regular(path: Path) -> tuple[BinaryIO, int]:
    """The file and its length; a regular file, since it may be read twice and shows its progress."""
    length = get_length(path, "a readable file")
    try:
        return open(path, "rb"), length
    except (OSError, ValueError) as error:
        raise LogError(str(path), None, None, "a readable file", get_cause(error)) from None


def _unpack(raw: BinaryIO) -> tuple[IO[bytes], str | None]:
    """The text of the file as a stream, and what it is compressed by."""
    try:
        start = raw.read(4)
        raw.seek(0)
    except OSError:
        # whoever reads the first line is told
        return raw, None
    if start.startswith(_GZIP):
        return io.BufferedReader(cast(io.RawIOBase, gzip.GzipFile(fileobj=raw)), _BUFFER), "gzip"
    if start == _ZSTD or start[1:] == _SKIPPED:
        return io.BufferedReader(cast(io.RawIOBase, ZstdFile(raw)), _BUFFER), "Zstandard"
    return raw, None


@contextmanager
def open_unpacked(path: Path) -> Iterator[tuple[IO[bytes], Callable[[], int]]]:
    """The bytes of a file, unpacked where it is compressed, and what says how far into it one is.

    ``LogError`` where it cannot be read.
    """
    raw, _ = open_regular(path)
    with raw:
        stream, form = _unpack(raw)
        try:
            yield stream, raw.tell
        except EOFError:
            raise LogError(str(path), None, None, f"a whole file of {form}", "one that ends in the middle") from None
        except _BROKEN as error:
            expected, got = _explain(form, error)
            raise LogError(str(path), None, None, expected.replace("line", "file"), got) from None


def _explain(form: str | None, error: Exception) -> tuple[str, str]:
    """What was expected and what was got where a line cannot be had."""
    if isinstance(error, OSError) and not isinstance(error, gzip.BadGzipFile):
        return "a readable line", get_cause(error)
    return f"a file of {form} and nothing else", "other bytes, or damaged ones"


def iter_lines(path: Path) -> Iterator[bytes]:
    """All lines as they stand there."""
    with closing(Lines(path)) as lines:
        while line := lines.read_line():
            yield line


@contextmanager
def write_lines(path: Path) -> Iterator[IO[bytes]]:
    """A new text file that takes the place of ``path`` as ``write_whole`` has it; compressed where its name ends so."""
    with write_whole(path) as file:
        if path.suffix == ".gz":
            # without name and time: the same log gives the same file
            with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0, compresslevel=6) as packed:
                yield cast(IO[bytes], packed)
        elif path.suffix == ".zst":
            with ZstdFile(file, "w", options={CompressionParameter.checksum_flag: 1}) as packed:
                yield cast(IO[bytes], packed)
        else:
            yield file
