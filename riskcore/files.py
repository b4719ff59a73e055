"""Files: read only where they are regular, and written whole or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from riskcore.bad_input import LogError, get_cause


def get_length(path: Path, expected: str) -> int:
    """Bytes of a regular file; ``LogError`` for any other, of which a pipe or device might never end."""
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise LogError(str(path), None, None, expected, get_cause(error)) from None
    if not stat.S_ISREG(status.st_mode):
        got = "a directory" if stat.S_ISDIR(status.st_mode) else "something else"
        raise LogError(str(path), None, None, expected, got)
    return status.st_size


@contextmanager
def write_whole(path: Path) -> Iterator[BinaryIO]:
    """A new file beside ``path`` that takes its place where the block ends well, and else leaves no trace.

    Raises ``OSError`` where it cannot be written, or where ``path`` is something other than a regular file.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        raise OSError("a directory" if target.is_dir() else "no regular file")
    with TemporaryDirectory(prefix=".riskcore-", dir=target.parent) as folder:
        new = Path(folder) / "new"
        with open(new, "wb") as file:
            yield file
        os.replace(new, target)


@contextmanager
def write_whole_folder(path: Path) -> Iterator[Path]:
    """A new folder beside ``path`` that takes its place where the block ends well, and else leaves no trace.

    What was at ``path`` is gone then. Raises ``OSError`` where it cannot be written, or where ``path`` is no folder.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_dir():
        raise OSError("no folder")
    with TemporaryDirectory(prefix=".riskcore-", dir=target.parent) as folder:
        new, old = Path(folder) / "new", Path(folder) / "old"
        new.mkdir()
        yield new
        if target.exists():
            os.replace(target, old)
        os.replace(new, target)
