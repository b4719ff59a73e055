"""What commands have in common: how they print, show progress, and refuse."""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TextIO

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from riskcore.bad_input import LogError, get_cause, printable

BAD_INPUT: Final = 2

INTERRUPTED: Final = 130

#: Columns of the text where no terminal says how many it has.
_WIDTH: Final = 100

FORMAT = click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True)


def show(text: str) -> None:
    """Print to standard output. Where that fails the exit code is no verdict, since nobody has seen one."""
    try:
        click.echo(text, nl=False, color=True)
    except OSError as error:
        _give_up(sys.stdout)
        if not isinstance(error, BrokenPipeError):
            say(f"Error: standard output: expected a place that can be written, got {get_cause(error)}")
        sys.exit(BAD_INPUT)


def say(text: str) -> None:
    """Print a line to standard error; where that fails there is nobody to tell."""
    try:
        click.echo(text, err=True)
    except OSError:
        _give_up(sys.stderr)


def _give_up(stream: TextIO) -> None:
    """Let what the stream still holds go nowhere, so that its last flush does not fail too."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def render(write: Callable[[Console], None]) -> str:
    """What is written to a console like the terminal, or else to a pipe of a fixed width."""
    screen = Console()
    width = screen.width if screen.is_terminal else _WIDTH
    console = Console(file=io.StringIO(), force_terminal=screen.is_terminal, width=width, highlight=False)
    with console.capture() as capture:
        write(console)
    return capture.get()


@contextmanager
def show_progress(
    console: Console, what: str = "replaying", *, in_bytes: bool = False
) -> Iterator[Callable[[int, int], None] | None]:
    """A bar that goes away when it is done, with the time that is left; ``None`` where nobody would see it.

    ``in_bytes``: what is counted is bytes, and their rate is shown.
    """
    if not console.is_terminal:
        yield None
        return
    rate = (TransferSpeedColumn(),) if in_bytes else ()
    columns = (TextColumn(what), BarColumn(), TaskProgressColumn(), *rate, TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def with_lasting_values() -> Iterator[None]:
    """The collector looks at young objects only: states hold no cycles, and to scan old ones costs a sixth more."""
    thresholds = gc.get_threshold()
    gc.set_threshold(50_000, 20, 1_000_000)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


@contextmanager
def refusing() -> Iterator[None]:
    """What cannot be read is said in one sentence, with exit code 2."""
    try:
        yield
    except LogError as error:
        say(f"Error: {error}")
        sys.exit(BAD_INPUT)
    except OSError as error:
        # a name that no file can have, a disk that is full, a folder that is gone by now
        place = "files" if error.filename is None else printable(str(error.filename))
        say(f"Error: {place}: expected what can be read or written, got {get_cause(error)}")
        sys.exit(BAD_INPUT)
    except KeyboardInterrupt:
        say("Interrupted.")
        sys.exit(INTERRUPTED)


@contextmanager
def writing(out: Path, mark: bytes, noun: str) -> Iterator[None]:
    """The block writes to ``out``, which must be new, or begin as an earlier one does: nothing else is replaced."""
    from riskcore.log_files import read_start

    expected = f"a place for a {noun}"
    try:
        if out.is_file():
            with open(out, "rb") as file:
                first = file.read(200)
            if first and mark not in first and mark not in read_start(out, 200):
                raise LogError(str(out), None, None, f"a new file, or an earlier {noun}", "another file")
        yield
    except (OSError, ValueError) as error:
        raise LogError(str(out), None, None, expected, get_cause(error)) from None


def check_place(out: Path, mark: bytes, noun: str) -> None:
    """Before the work is done: ``LogError`` where ``writing`` would not replace ``out``, or it has no folder."""
    if out.is_dir() or not out.parent.is_dir():
        got = "a directory" if out.is_dir() else "a folder that is not there"
        raise LogError(str(out), None, None, f"a place for a {noun}", got)
    with writing(out, mark, noun):
        pass


def check_apart(outputs: Iterable[tuple[str, Path | None]]) -> None:
    """Before the work is done: ``UsageError`` where two options, each with what it names, name one file."""
    places: dict[str, str] = {}
    for option, path in outputs:
        place = "" if path is None else os.path.realpath(path)
        if place and place in places:
            raise click.UsageError(f"{places[place]} and {option} name the same file: each needs one of its own")
        places[place] = option


def check_name(option: str, value: str | None, known: tuple[str, ...]) -> None:
    if value is not None and value not in known:
        raise click.UsageError(f"{option} {value}: there is none of that name; known: {', '.join(known)}")
