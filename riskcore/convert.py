"""A log kept another way: the same header and events, in native units, as the new file's name says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from riskcore.bad_input import Fault, LogError
from riskcore.events import Event
from riskcore.log import LogReader, write_log
from riskcore.log_files import check_target

_PROGRESS_EVERY: Final = 1000


def convert_log(path: Path, target: Path, progress: Callable[[int, int], None] | None = None) -> int:
    """Write the log at ``path`` to ``target``; how many events it holds.

    Every line is checked as a replay would; where one is bad, ``LogError`` names it and ``target`` is as it was. A log
    that starts from a snapshot stays in its folder. Raises ``OSError`` where ``target`` cannot be written.
    """
    with LogReader(path) as log:
        header = log.header
        check_target(path, target, header.snapshot)
        try:
            return write_log(target, header.rulebook, header.units, _watch(log, progress), snapshot=header.snapshot)
        except Fault as fault:
            # a log can hold what a file of another kind cannot
            raise LogError(str(path), log.line, fault.field, fault.expected, fault.got) from None


def _watch(log: LogReader, progress: Callable[[int, int], None] | None) -> Iterator[Event]:
    for number, event in enumerate(log, 1):
        yield event
        if progress is not None and number % _PROGRESS_EVERY == 0:
            progress(log.bytes_read, log.size)
