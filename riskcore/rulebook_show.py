"""What presets there are, and what a rulebook says: each figure in human units, with where it comes from."""

from __future__ import annotations

import os
from pathlib import Path

from attrs import frozen
from rich.console import Console
from rich.table import Table

from riskcore.bad_input import LogError, get_hint, printable
from riskcore.rulebook_file import RulebookFile, read_rulebook_file
from riskcore.venues.presets import UNVERIFIED, get_preset_names, get_status, load_preset


def find_rulebook(name: str) -> RulebookFile:
    """The preset of that name, else the file there; ``LogError`` where there is neither, or the file is bad."""
    if name in get_preset_names():
        return load_preset(name)
    path = Path(name)
    # of a name that no file can have this says that there is none
    if not os.path.exists(path) and path.name == name and not path.suffix:
        hint = get_hint(name, get_preset_names())
        raise LogError(name, None, None, "a file, or one of " + ", ".join(get_preset_names()), f"neither{hint}")
    return read_rulebook_file(path)


def get_shown_status(file: RulebookFile, name: str) -> str:
    """A preset's; nothing is verified of a file, whatever it says of itself."""
    return get_status(file) if name in get_preset_names() else UNVERIFIED


@frozen
class Figure:
    """One figure as it is written, with its source and the cases that check it."""

    path: str
    value: object
    source: str | None
    cases: tuple[str, ...]


def get_figures(file: RulebookFile) -> list[Figure]:
    """All that the file writes, in its order."""
    return [
        Figure(path, value, file.get_source(path), file.cases.get(path, ())) for path, value in file.figures.items()
    ]


def to_list_json() -> dict[str, object]:
    """The object that ``rulebook list --format json`` prints."""
    entries = []
    for name in get_preset_names():
        file = load_preset(name)
        entries.append(
            {
                "name": name,
                "venue": file.venue,
                "date": file.date,
                "status": get_status(file),
                "checked_figures": len(file.cases),
                "markets": list(file.markets),
            }
        )
    return {"presets": entries}


def print_list(console: Console) -> None:
    """The presets, one a line."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("name", "venue", "as of", "status", "figures with cases", "markets"):
        table.add_column(title, no_wrap=title in ("name", "status"))
    for name in get_preset_names():
        file = load_preset(name)
        count = f"{len(file.cases)} of {len(file.figures)}"
        table.add_row(name, file.venue, file.date, get_status(file), count, ", ".join(file.markets))
    console.print(table)


def to_show_json(file: RulebookFile, name: str) -> dict[str, object]:
    """The object that ``rulebook show --format json`` prints."""
    return {
        "name": name,
        "venue": file.venue,
        "date": file.date,
        "status": get_shown_status(file, name),
        "units": None if file.units is None else {"cash": file.units.cash, "lots": dict(file.units.lots)},
        "figures": [
            {"path": figure.path, "value": figure.value, "source": figure.source, "cases": list(figure.cases)}
            for figure in get_figures(file)
        ],
    }


def print_rulebook(file: RulebookFile, name: str, console: Console) -> None:
    """The rulebook's page: each figure, its source, how many cases check it."""
    venue = f" {printable(file.venue)}" if file.venue else ""
    date = f", as of {printable(file.date)}" if file.date else ""
    console.print(f"{printable(name)}:{venue}{date}. {get_shown_status(file, name)}\n", soft_wrap=True, markup=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("figure", "value", "source", "cases"):
        table.add_column(title)
    for figure in get_figures(file):
        source = "no source" if figure.source is None else printable(figure.source)
        table.add_row(printable(figure.path), _to_text(figure.value), source, str(len(figure.cases) or ""))
    console.print(table, markup=False)


def _to_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return printable(str(value))
