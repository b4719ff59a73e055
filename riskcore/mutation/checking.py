"""Hunts a mutant by the tests: the plain example and the module's own tests, then those of the kernel, then walks.

From a checkout only. The tests are loaded once; each mutant then has a process of its own, forked from this one,
which a fault may take down with it.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from riskcore.bad_input import LogError
from riskcore.mutation.hunting import Fate, Finding, planted
from riskcore.mutation.mutants import Mutant
from riskcore.mutation.types import KERNEL

#: The folder that has the tests, where this is a checkout.
ROOT = Path(__file__).parent.parent.parent
EXAMPLE = "tests/test_faults.py::test_the_plain_example_reaches_every_stage_and_agrees_with_the_model"
WALKS = "tests/test_state_machine.py::TestVenue"
#: Seconds of work for one stage of one mutant: who needs more was led into a loop, and is found.
PATIENCE = 120

_OPTIONS = (
    "-x",
    "-q",
    "-n0",
    "-m",
    "not slow",
    "-p",
    "no:cacheprovider",
    "--no-header",
    "--hypothesis-profile=mutants",
)


def is_checkout() -> bool:
    return (ROOT / "tests" / "test_state_machine.py").exists()


def get_stages(module: str) -> Iterator[tuple[str, ...]]:
    """What is run one after another, each only if the one before found nothing."""
    own = f"tests/test_{module}.py"
    others = tuple(path for name in KERNEL if (ROOT / (path := f"tests/test_{name}.py")).exists() and path != own)
    yield (EXAMPLE, own) if (ROOT / own).exists() else (EXAMPLE,)
    yield others
    yield (WALKS,)


class Checker:
    """Loads the tests once, and asks them about one mutant after another."""

    def __init__(self) -> None:
        self._is_loaded = False

    def check(self, mutant: Mutant) -> Finding:
        """Whether some test fails on the kernel with this mutant in it."""
        if not self._is_loaded:
            self._load()
        for stage in get_stages(mutant.module):
            found = _run_apart(mutant, stage)
            if found:
                return Finding(Fate.KILLED, found)
        return Finding(Fate.SURVIVED)

    def _load(self) -> None:
        """Collect them all, on the kernel as it is: they must be there."""
        sys.path.insert(0, str(ROOT))
        paths = tuple(path for stage in get_stages("quantities") for path in stage)
        code, report = _run_tests((*paths, "--collect-only"))
        if code:
            last = report.strip().splitlines()[-1:] or ["nothing was told"]
            raise LogError(str(ROOT / "tests"), None, None, "tests that can be loaded", last[0])
        self._is_loaded = True


def _run_apart(mutant: Mutant, paths: tuple[str, ...]) -> str:
    """The first test that fails, in a process of its own; empty where all pass."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _answer(mutant, paths, writer)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return "no end" if os.WTERMSIG(status) == signal.SIGPROF else "a crash"
    return told


def _answer(mutant: Mutant, paths: tuple[str, ...], writer: int) -> None:
    """In the child: tell the parent which test fails, and end."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, PATIENCE)
    found = "a crash"
    try:
        with planted(mutant, mutant.get_code()):
            code, report = _run_tests(paths)
        failed = [line.split()[1] for line in report.splitlines() if line.startswith(("FAILED", "ERROR"))]
        found = (failed[0] if failed else "a crash") if code else ""
    finally:
        os.write(writer, found.encode())
        os._exit(0)


def _run_tests(arguments: tuple[str, ...]) -> tuple[int, str]:
    """pytest's exit code and what it printed."""
    import pytest

    heard, folder = io.StringIO(), Path.cwd()
    os.chdir(ROOT)
    try:
        with redirect_stdout(heard), redirect_stderr(heard):
            code = pytest.main([*arguments, *_OPTIONS])
    finally:
        os.chdir(folder)
    return int(code), heard.getvalue()
