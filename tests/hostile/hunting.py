"""One case: a reader's files in a folder of their own, one of them spoilt, the command run, and what is wrong then."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from resource import RUSAGE_SELF, getrusage
from tempfile import TemporaryDirectory
from typing import Final
from xml.etree import ElementTree

from attrs import field, frozen
from click.testing import CliRunner, Result

from riskcore.cli import main
from tests.hostile.mutations import spoil
from tests.hostile.readers import Reader

#: Seconds and kilobytes that a small file may cost.
SECONDS: Final = 10
_MEMORY: Final = 300_000


@frozen
class Case:
    """``data``: the spoilt bytes of ``file``. ``wrong``: what is wrong with how they were met, if anything."""

    reader: Reader
    file: str
    data: bytes = field(repr=False)
    words: tuple[str, ...]
    result: Result = field(repr=False)
    wrong: tuple[str, ...]


class TooSlow(Exception):
    """A command took longer than it may."""


def try_case(reader: Reader, random: Random) -> Case:
    """Spoil a file and run the command."""
    file = random.choice(reader.spoilt)
    data = spoil(random, reader.files[file])
    words = (*reader.words, "--format", "json") if reader.has_json and random.random() < 0.3 else reader.words
    if "--" in words and words[-2] == "--format":
        words = reader.words
    return run_case(reader, file, data, words)


def run_case(reader: Reader, file: str, data: bytes, words: tuple[str, ...]) -> Case:
    with TemporaryDirectory(prefix="hostile-") as folder, inside(Path(folder)):
        for name, text in {**reader.files, file: data}.items():
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_bytes(text)
        before, memory, started = list_files(), getrusage(RUSAGE_SELF).ru_maxrss, time.monotonic()
        with ended_after(SECONDS):
            result = CliRunner().invoke(main, words)
        wrong = list(list_wrong(reader, result))
        if time.monotonic() - started > SECONDS / 2:
            wrong.append(f"it took {time.monotonic() - started:.1f} seconds")
        if (grown := getrusage(RUSAGE_SELF).ru_maxrss - memory) > _MEMORY:
            wrong.append(f"it took {grown:,} kB")
        if result.exit_code == 2 and (left := list_files() - before):
            wrong.append(f"refused, and yet it left {sorted(left)}")
        if reader.made is not None and Path(reader.made).exists():
            wrong += list_wrong_in_file(Path(reader.made))
    return Case(reader, file, data, words, result, tuple(wrong))


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    old = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(old)


@contextmanager
def ended_after(seconds: int) -> Iterator[None]:
    def end(number: int, frame: object) -> None:
        raise TooSlow(f"more than {seconds} seconds")

    old = signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, old)


def list_files() -> set[str]:
    return {str(path) for path in Path().rglob("*")}


def list_wrong(reader: Reader, result: Result) -> Iterator[str]:
    """What of an exit code and of what was printed is not as it is promised."""
    error = result.exception
    if error is not None and not isinstance(error, SystemExit):
        yield f"{type(error).__name__} escapes: {str(error)[:200]}"
        return
    if result.exit_code not in (0, 1, 2, 3):
        yield f"the exit code is {result.exit_code}"
    if strange := {character for character in result.output if not character.isprintable()} - {"\n"}:
        yield f"a terminal would obey {sorted(strange)!r}"
    if "Traceback" in result.output:
        yield "a traceback is shown"
    if result.exit_code != 2:
        return
    if result.stdout:
        yield f"refused, and yet it prints {result.stdout[:80]!r}"
    if result.stderr.count("\n") != 1 or not result.stderr.startswith("Error: "):
        yield f"not one sentence: {result.stderr[:300]!r}"
    if len(result.stderr) > 2_000:
        yield f"a sentence of {len(result.stderr):,} characters"
    # a file that is named in one of them may be the bad one
    place = result.stderr.removeprefix("Error: ").partition(": ")[0]
    if not any(Path(name).name in result.stderr for name in reader.files) and "/" not in place:
        yield f"no file is named: {result.stderr[:300]!r}"


def list_wrong_in_file(path: Path) -> Iterator[str]:
    """What a file that was written does to whoever opens it."""
    data = path.read_bytes()
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        yield f"{path} is not UTF-8: {error}"
        return
    if strange := {character for character in text if not character.isprintable()} - {"\n"}:
        yield f"{path} has {sorted(strange)!r}"
    if path.suffix == ".svg":
        try:
            tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(text).iter()}
        except ElementTree.ParseError as error:
            yield f"{path} is no XML: {error}"
            return
        if "script" in tags:
            yield f"{path} has a script"
