"""The first lines of a log as a log of their own, which replaces nothing but an earlier one."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from riskcore.bad_input import LogError, get_cause
from riskcore.log import LogReader
from riskcore.log_files import check_target, iter_texts
from riskcore.log_lines import write_lines


def save_prefix(path: Path, target: Path, events: int) -> None:
    """Copy the header and the first ``events`` events of a log to ``target``.

    Raises ``LogError`` where ``target`` cannot be written, exists and is no earlier
    prefix of the log, or would not find the log's snapshot.
    """
    with LogReader(path) as log:
        snapshot = log.header.snapshot
    try:
        _protect(path, target, snapshot)
        with write_lines(target) as prefix:
            prefix.writelines(islice(iter_texts(path), events + 1))
    except (OSError, ValueError) as error:
        raise LogError(str(target), None, None, "a file that can be written", get_cause(error)) from None


def _protect(path: Path, target: Path, snapshot: str | None) -> None:
    """``LogError`` where the prefix of the log must not go to ``target``."""
    check_target(path, target, snapshot)
    if target.exists() and not (target.is_file() and _is_part(target, path)):
        expected = "a new file, or an earlier prefix of this log"
        raise LogError(str(target), None, None, expected, "a file with something else in it")


def _is_part(part: Path, whole: Path) -> bool:
    """Whether all lines of ``part`` are those that ``whole`` begins with."""
    rest = iter_texts(whole)
    try:
        return all(line == next(rest, None) for line in iter_texts(part))
    except LogError:
        return False
