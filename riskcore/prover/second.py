"""A second opinion: each check asked of cvc5 too, in a process that is ended where it takes too long."""

from __future__ import annotations

import selectors
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from subprocess import PIPE, Popen
from time import perf_counter

from attrs import frozen

from riskcore.prover.smtlib import Check, write_script
from riskcore.prover.solver import Verdict

#: cvc5's ways of reasoning about products, tried in this order; each has its part of a check's seconds.
WAYS: tuple[tuple[str, float], ...] = (
    ("", 0.3),
    ("nl-ext-tplanes=true", 0.7),
)

#: By the clock a question may take so many times its seconds, and what a start may take.
PATIENCE, START_SECONDS = 10, 120

WORKER = Path(__file__).with_name("cvc5_worker.py")


class Reply(StrEnum):
    """What cvc5 says of a check; ``SILENT``: nothing within its seconds, or that it does not know."""

    UNSAT = "unsat"
    SAT = "sat"
    SILENT = "no answer"


@frozen
class Opinion:
    """On one obligation: how many checks cvc5 decides alike and otherwise, and those that it leaves open."""

    agreed: int
    disagreed: tuple[str, ...]
    silent: tuple[str, ...]
    seconds: float


def is_installed() -> bool:
    return find_spec("cvc5") is not None


class SecondSolver:
    """Asks cvc5, in one process after another: one that was ended is no more."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._process: Popen[bytes] | None = None
        self._known: dict[bytes, Reply] = {}

    def ask(self, check: Check) -> Reply:
        script = write_script([Check(check.facts, "")], is_expecting=False).encode()
        key = sha256(script).digest()
        if key not in self._known:
            self._known[key] = self._try(script)
        return self._known[key]

    def _try(self, script: bytes) -> Reply:
        for options, part in WAYS:
            reply = self._ask(script, options, self.seconds * part)
            if reply is not Reply.SILENT:
                return reply
        return Reply.SILENT

    def _ask(self, script: bytes, options: str, seconds: float) -> Reply:
        """The reply within so many seconds of the processor, in one way; the clock is for what does not end by them."""
        process = self._get_process()
        assert process.stdin is not None
        # if it has ended, that shows where nothing comes back
        with suppress(BrokenPipeError):
            process.stdin.write(f"{options}\n{seconds} {len(script)}\n".encode() + script)
            process.stdin.flush()
        answer = self._read(process, PATIENCE * seconds + START_SECONDS)
        if not answer:
            self.close()
        return Reply(answer) if answer in (Reply.UNSAT, Reply.SAT) else Reply.SILENT

    def _get_process(self) -> Popen[bytes]:
        if self._process is None:
            self._process = Popen([sys.executable, "-P", str(WORKER)], stdin=PIPE, stdout=PIPE)
            if self._read(self._process, START_SECONDS) != "ready":
                self.close()
                raise RuntimeError("cvc5 could not be started")
        return self._process

    @staticmethod
    def _read(process: Popen[bytes], seconds: float) -> str:
        """The next line, or nothing where the process has ended or the clock has run out."""
        assert process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            if not selector.select(seconds):
                return ""
        return process.stdout.readline().decode().strip()

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    with suppress(BrokenPipeError):
                        stream.close()
            self._process = None


@contextmanager
def asking(seconds: float) -> Iterator[SecondSolver]:
    """A second solver with so many seconds for each check, ended with the block."""
    solver = SecondSolver(seconds)
    try:
        yield solver
    finally:
        solver.close()


def get_opinion(solver: SecondSolver, verdict: str, checks: list[Check]) -> Opinion:
    """cvc5's on an obligation of which z3 has said ``verdict``.

    Where that is PROVED no check may have a model; where it is VIOLATED, one has to.
    """
    started = perf_counter()
    replies = [(check.note, solver.ask(check)) for check in checks]
    silent = tuple(note for note, reply in replies if reply is Reply.SILENT)
    models = [note for note, reply in replies if reply is Reply.SAT]
    if verdict != Verdict.VIOLATED:
        agreed, disagreed = len(checks) - len(silent) - len(models), models
    else:
        agreed, disagreed = len(checks) - len(silent), []
        if checks and not models and not silent:
            agreed, disagreed = 0, [note for note, _ in replies]
    return Opinion(agreed, tuple(disagreed), silent, round(perf_counter() - started, 3))
