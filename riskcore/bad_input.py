"""What is said about input that cannot be read.

Every such error names the file, the line, the field, what was expected there and
what was found. Decoders raise ``Fault``, which knows the value; whoever knows
the file and the line turns it into the ``LogError`` that people see.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

#: Characters of a text that an error quotes at most.
_QUOTED = 60
#: Characters of a field's name, and of what was expected or found, that an error has at most.
_LONGEST = 1_200
#: Names that an error lists at most.
_NAMED = 12


class Fault(ValueError):
    """A value that is not what the format asks for, at ``field`` of what is being decoded."""

    def __init__(self, expected: str, got: str, field: str | None = None) -> None:
        super().__init__(f"expected {expected}, got {got}")
        self.expected = expected
        self.got = got
        self.field = field

    def under(self, name: str) -> Fault:
        """The fault as seen from one level up, where the value is called ``name``."""
        if self.field is not None:
            name += self.field if self.field.startswith("[") else f".{self.field}"
        self.field = name
        return self


@contextmanager
def within(name: str) -> Iterator[None]:
    """Faults of the block lie under ``name``."""
    try:
        yield
    except Fault as fault:
        raise fault.under(name) from None


class Malformed(Fault):
    """Text that is no JSON at all; ``row`` counts its lines from one."""

    def __init__(self, got: str, row: int = 1, expected: str = "one JSON object") -> None:
        super().__init__(expected, got)
        self.row = row


class LogError(Exception):
    """A file that cannot be read as what it should be. ``str()`` is one sentence.

    ``line`` counts from one and is ``None`` where no single line is at fault;
    ``field`` is ``None`` where no single field is; ``place`` is all three in one text.
    """

    def __init__(self, file: str, line: int | None, field: str | None, expected: str, got: str) -> None:
        place = printable(file) + (f":{line}" if line is not None else "")
        # whoever raised it has seen to what is quoted; that it is one sentence, of some length, does not hang on that
        self.place = place + (f": {cut(escape(field, ''))}" if field else "")
        super().__init__(f"{self.place}: expected {cut(escape(expected, ''))}, got {cut(escape(got, ''))}")
        self.file = file
        self.line = line
        self.field = field
        self.expected = expected
        self.got = got


def get_cause(error: OSError | ValueError) -> str:
    """Why a file cannot be opened, in words that fit behind "got"."""
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, IsADirectoryError):
        return "a directory"
    if isinstance(error, PermissionError):
        return "no permission"
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return printable(reason[:1].lower() + reason[1:])


def printable(text: str) -> str:
    """The text; escaped where it holds something that a terminal would not show, or would obey."""
    return text if text.isprintable() else json.dumps(text)[1:-1]


def escape(text: str, kept: str = "\n") -> str:
    """The text without what a terminal would not show, or would obey: escaped as in JSON, which says the same by it.

    ``kept``: characters that stay.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in kept else json.dumps(one)[1:-1] for one in text)


def cut(text: str) -> str:
    """The text, of which what is too long for a sentence is left off."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def quote(text: str) -> str:
    """The text in double quotes, escaped where needed, shortened where long."""
    shown = text if len(text) <= _QUOTED else text[: _QUOTED - 3] + "..."
    return f'"{shown}"' if shown.isprintable() and '"' not in shown else json.dumps(shown)


def list_names(names: Iterable[str]) -> str:
    """``one of`` the names; of many the first."""
    known = list(names)
    shown, more = known[:_NAMED], len(known) - _NAMED
    return (
        "one of " + ", ".join(printable(name[:_QUOTED]) for name in shown) + (f" and {more:,} more" if more > 0 else "")
    )


def get_hint(word: str, known: Iterable[str]) -> str:
    """`` (did you mean "fill"?)`` where a known word is close, else nothing."""
    close = difflib.get_close_matches(word[:_QUOTED], list(known), n=1)
    return f" (did you mean {quote(close[0])}?)" if close else ""
