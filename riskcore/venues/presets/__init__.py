"""Venues as rulebooks: one file each, in the format of ``rulebook_file``, with the source of every figure.

A preset is VERIFIED where published cases have at least five of its own figures. Its file says of each which case has
it, and where in the case: ``hl-tier-ETH#expected.table[1].mm_rate``. The tests play them. Figures that no source
fixes say "chosen here", and why.
"""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import Final

from riskcore.bad_input import get_hint
from riskcore.rulebook_file import RulebookFile, read_rulebook_file

#: Figures that published cases must have before a preset counts as verified.
ENOUGH: Final = 5
VERIFIED, UNVERIFIED = "VERIFIED", "UNVERIFIED"
#: What a source begins with that is none.
CHOSEN: Final = "chosen here"


def get_preset_names() -> tuple[str, ...]:
    """All presets, sorted."""
    names = (entry.name for entry in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".json") for name in names if name.endswith(".json")))


def load_preset(name: str) -> RulebookFile:
    """The preset of that name; ``KeyError`` with the known names where there is none."""
    if name not in get_preset_names():
        known = get_preset_names()
        raise KeyError(f"there is no preset {name}{get_hint(name, known)}; known: {', '.join(known)}")
    with as_file(files(__name__) / f"{name}.json") as path:
        return read_rulebook_file(path)


def split_reference(reference: str) -> tuple[str, str]:
    """A case's id, and the place in it that has the figure; ``ValueError`` where no place is said."""
    id, mark, place = reference.partition("#")
    if not mark or not place:
        raise ValueError(f"an id, # and a place in the case are expected, not {reference}")
    return id, place


def get_status(file: RulebookFile) -> str:
    """Whether cases have enough of the figures. What was chosen here does not count."""
    own = [path for path in file.cases if not (file.get_source(path) or CHOSEN).startswith(CHOSEN)]
    return VERIFIED if len(own) >= ENOUGH else UNVERIFIED
