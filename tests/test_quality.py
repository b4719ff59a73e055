"""The whole repository is typed and linted; what it ships speaks of itself alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = ("riskcore", "specs", "proofs", "tests", "benchmarks", "examples")


def run(*command: str) -> tuple[int, str]:
    result = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    return result.returncode, result.stdout + result.stderr


def test_mypy_finds_nothing() -> None:
    code, output = run("mypy", *FOLDERS)

    assert code == 0, output


def test_ruff_finds_nothing() -> None:
    code, output = run("ruff", "check", *FOLDERS)

    assert code == 0, output


def test_ruff_has_formatted_everything() -> None:
    code, output = run("ruff", "format", "--check", *FOLDERS)

    assert code == 0, output
