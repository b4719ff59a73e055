"""A directory of vectors: written whole or not at all, the same bytes for the same kernel."""

from __future__ import annotations

import ast
import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory, mkdtemp

from attrs import frozen

from riskcore import transitions
from riskcore.bad_input import LogError, get_cause
from riskcore.conformance.cases import MANIFEST, make_index
from riskcore.conformance.suites import Made, Text


def get_kernel() -> str:
    """Version and source of the kernel that gives the expectations: ``0.1.0+`` and the start of a hash.

    The hash is the SHA-256 of the sources of all modules that ``riskcore.step`` is made of, by their names.
    """
    digest = hashlib.sha256()
    for name, source in sorted(_read_sources().items()):
        digest.update(f"{name}\n".encode() + source)
    try:
        number = version("riskcore")
    except PackageNotFoundError:
        number = "0"
    return f"{number}+{digest.hexdigest()[:16]}"


def _read_sources() -> dict[str, bytes]:
    """The source of the modules that the transitions import, and of those that they do."""
    folder = Path(str(transitions.__file__)).parent
    found: dict[str, bytes] = {}
    waiting = ["step"]
    while waiting:
        name = waiting.pop()
        source = (folder / f"{name}.py").read_bytes()
        found[name] = source
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom) and node.module == "riskcore":
                waiting += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("riskcore."):
                waiting.append((node.module or "").removeprefix("riskcore."))
        waiting = [name for name in waiting if name not in found]
    return found


@frozen
class Written:
    """``counts``: cases by event and suite. ``left_out``: as in ``Made``."""

    cases: int
    counts: dict[str, dict[str, int]]
    left_out: tuple[str, ...]


def write_vectors(folder: Path, made: Iterable[Made], kernel: str) -> Written:
    """Write all cases into ``folder``, in the place of vectors that are there.

    ``LogError`` where something else is there, or it cannot be written; it is then as it was.
    """
    made = list(made)
    texts = sorted((text for one in made for text in one.texts), key=lambda text: text.path)
    left_out = tuple(sorted(line for one in made for line in one.left_out))
    counts = count(texts)
    files = {text.path: text.text for text in texts}
    files[MANIFEST] = make_index(list(files), kernel, {"counts": _to_strings(counts), "left_out": left_out})
    write_folder(folder, files)
    return Written(len(texts), counts, left_out)


def count(texts: Sequence[Text]) -> dict[str, dict[str, int]]:
    """Cases by event and suite."""
    numbers = Counter((text.handler, text.suite) for text in texts)
    counts: dict[str, dict[str, int]] = {}
    for (handler, suite), number in sorted(numbers.items()):
        counts.setdefault(handler, {})[suite] = number
    return counts


def _to_strings(counts: dict[str, dict[str, int]]) -> dict[str, dict[str, str]]:
    return {handler: {suite: str(number) for suite, number in suites.items()} for handler, suites in counts.items()}


def write_folder(folder: Path, files: dict[str, str]) -> None:
    """A directory of vectors with exactly these files; ``LogError`` where it may not be, or cannot."""
    check_target(folder)
    new: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        new = Path(mkdtemp(prefix=".riskcore-", dir=folder.parent))
        for path, text in files.items():
            (new / "new" / path).parent.mkdir(parents=True, exist_ok=True)
            (new / "new" / path).write_bytes(text.encode())
        if folder.exists():
            os.replace(folder, new / "old")
        os.replace(new / "new", folder)
    except OSError as error:
        if new is not None and (new / "old").exists() and not folder.exists():
            os.replace(new / "old", folder)
        raise LogError(str(folder), None, None, "a directory that can be written", get_cause(error)) from None
    finally:
        if new is not None:
            with suppress(OSError):
                rmtree(new)


def check_target(folder: Path) -> None:
    """``LogError`` unless vectors may be written there: nothing is there, or nothing but vectors, and there is a place.

    To make them takes minutes, and so it is tried before.
    """
    if folder.is_dir():
        if any(folder.iterdir()) and not (folder / MANIFEST).is_file():
            raise LogError(str(folder), None, None, "a new or empty directory, or one of vectors", "other files")
    elif folder.exists() or folder.is_symlink():
        raise LogError(str(folder), None, None, "a directory", "a file")
    above = next(path for path in folder.absolute().parents if os.path.lexists(path))
    try:
        with TemporaryDirectory(prefix=".riskcore-", dir=above):
            pass
    except OSError as error:
        raise LogError(str(folder), None, None, "a directory that can be written", get_cause(error)) from None
