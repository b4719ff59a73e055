"""The forms in which ``replay`` and ``verify`` say what they found, for people, programs and CI."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, TypeAlias

import click

from riskcore.commands.output import check_place, show, writing
from riskcore.files import write_whole

#: What stands where a form begins: a file in which it does not is not replaced.
_MARKS: Final = {"json": b'{"verdict": ', "junit": b'<testsuite name="riskcore ', "md": b"## riskcore "}

FORM = click.option(
    "--format", "output", type=click.Choice(["text", *_MARKS]), default="text", show_default=True, help="What to print."
)

#: A form, and the file that it goes to.
Also: TypeAlias = tuple[str, Path]


def _read_also(context: click.Context, option: click.Parameter, values: Iterable[str]) -> tuple[Also, ...]:
    pairs = [value.partition("=") for value in values]
    for form, _, path in pairs:
        if form not in _MARKS or not path:
            raise click.BadParameter(f"expected {', '.join(f'{name}=FILE' for name in _MARKS)}, one of them")
    return tuple((form, Path(path)) for form, _, path in pairs)


ALSO = click.option(
    "--also", multiple=True, callback=_read_also, metavar="FORM=FILE", help="Write it in this form to a file as well."
)


def check_places(also: Iterable[Also]) -> None:
    """Before the work is done: ``LogError`` where a file cannot be written, or is something else."""
    for form, path in also:
        check_place(path, _MARKS[form], f"result as {form}")


def tell(output: str, also: Iterable[Also], forms: Mapping[str, Callable[[], str]]) -> None:
    """Write the files, each whole or not at all, and print the form that was asked for."""
    for form, path in also:
        with writing(path, _MARKS[form], f"result as {form}"), write_whole(path) as file:
            file.write(forms[form]().encode())
    show(forms[output]())
