"""A process at the other end of two pipes, which answers one line with one line.

Nothing that it does costs more than it may: each answer has a deadline and a longest line, all of them together a
length, of its standard error the end is kept. It is the leader of a process group, which is killed as a whole.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum
from typing import Final

from attrs import frozen

from riskcore.bad_input import get_cause, printable

_CHUNK: Final = 1 << 16
#: Bytes of standard error that are kept, and seconds that a process has to end by itself.
_TAIL: Final = 4_096
_GRACE: Final = 2.0


class Failing(StrEnum):
    """How an engine fails to take part at all."""

    NOT_STARTED = "could not be started"
    CRASHED = "ended before it answered"
    HUNG = "did not answer in time"
    GARBAGE = "answered with something else than the protocol's"
    FLOODED = "wrote more than it may"


class EngineFailure(Exception):
    """The engine took no part: ``kind``, and in words what it did; ``stderr``: the last that it said."""

    def __init__(self, kind: Failing, words: str, stderr: str = "") -> None:
        super().__init__(f"the engine {kind.value}: {words}")
        self.kind = kind
        self.words = words
        self.stderr = stderr
        #: How many events it had accepted or rejected since the last reset, for who knows.
        self.events = 0


@frozen
class Limits:
    """``seconds``: for one answer. ``line``: bytes of one answer. ``total``: bytes of all answers of a process."""

    seconds: float = 10.0
    line: int = 16_000_000
    total: int = 4_000_000_000


class Peer:
    """A running process. Everything raises ``EngineFailure`` where it does not answer as it should."""

    def __init__(self, command: Sequence[str], limits: Limits) -> None:
        self._limits = limits
        self._buffer = bytearray()
        self._tail = b""
        self._received = 0
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
            )
        except (OSError, ValueError) as error:
            raise EngineFailure(Failing.NOT_STARTED, get_cause(error)) from None
        assert self._process.stdin and self._process.stdout and self._process.stderr
        self._stdin, self._stdout, self._stderr = self._process.stdin, self._process.stdout, self._process.stderr
        self._selector = selectors.DefaultSelector()
        for pipe in (self._stdin, self._stdout, self._stderr):
            os.set_blocking(pipe.fileno(), False)
        self._selector.register(self._stdout, selectors.EVENT_READ)
        self._selector.register(self._stderr, selectors.EVENT_READ)

    def ask(self, line: bytes) -> bytes:
        """The line that answers ``line``; neither has its newline."""
        if self._buffer:
            raise self.fail(Failing.GARBAGE, f"a line that nobody asked for: {_shorten(bytes(self._buffer))}")
        left, deadline = memoryview(line + b"\n"), time.monotonic() + self._limits.seconds
        self._selector.register(self._stdin, selectors.EVENT_WRITE)
        try:
            while (end := self._buffer.find(b"\n")) < 0:
                left = self._exchange(left, deadline)
        finally:
            if not self._stdin.closed and self._stdin.fileno() in self._selector.get_map():
                self._selector.unregister(self._stdin)
        answer = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return answer

    def _exchange(self, left: memoryview, deadline: float) -> memoryview:
        """Write and read what can be at once; what is then still to be written."""
        remaining = deadline - time.monotonic()
        ready = self._selector.select(remaining) if remaining > 0 else []
        if not ready:
            raise self.fail(Failing.HUNG, f"no answer within {self._limits.seconds:g} seconds")
        for key, _ in ready:
            if key.fileobj is self._stdin:
                left = self._write(left)
            elif key.fileobj is self._stderr:
                self._drain_stderr()
            else:
                self._read()
        return left

    def _write(self, left: memoryview) -> memoryview:
        try:
            left = left[os.write(self._stdin.fileno(), left[:_CHUNK]) :]
        except BrokenPipeError:
            # it may have answered before it closed: whoever reads will see
            left = left[:0]
        if not left:
            self._selector.unregister(self._stdin)
        return left

    def _read(self) -> None:
        data = os.read(self._stdout.fileno(), _CHUNK)
        if not data:
            raise self.fail(Failing.CRASHED, self._describe_end())
        self._buffer += data
        self._received += len(data)
        if len(self._buffer) > self._limits.line:
            raise self.fail(Failing.FLOODED, f"a line of more than {self._limits.line:,} bytes")
        if self._received > self._limits.total:
            raise self.fail(Failing.FLOODED, f"more than {self._limits.total:,} bytes in all")

    def _drain_stderr(self) -> None:
        data = os.read(self._stderr.fileno(), _CHUNK)
        if not data:
            self._selector.unregister(self._stderr)
        self._tail = (self._tail + data)[-_TAIL:]

    def _describe_end(self) -> str:
        """How the process ended, or that it only closed its output."""
        try:
            code = self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            return "it closed its standard output"
        if code < 0:
            return f"killed by signal {signal.Signals(-code).name}"
        return f"exit code {code}"

    def fail(self, kind: Failing, words: str) -> EngineFailure:
        """The failure; the process is no more by then."""
        self.kill()
        return EngineFailure(kind, words, self._tail.decode(errors="replace").strip())

    def close(self) -> None:
        """Let it end: its input closes, and what is not gone soon is killed."""
        with suppress(OSError):
            self._stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE)
        self.kill()

    def kill(self) -> None:
        """End the process and all that it has started in its group."""
        if self._stdout.closed:
            return
        with suppress(OSError, KeyError, ValueError):
            self._drain_stderr()
        # the group lives as long as any of it does, so its id is not anybody else's
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._selector.close()
        for pipe in (self._stdin, self._stdout, self._stderr):
            with suppress(OSError):
                pipe.close()


def _shorten(line: bytes) -> str:
    text = line[:120].decode(errors="replace")
    return printable(text) + ("..." if len(line) > 120 else "")
