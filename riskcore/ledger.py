"""The ledger of verdicts: what every obligation came to when it was last recorded, one line each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import z3
from attrs import frozen

import proofs
from riskcore.bad_input import LogError, get_cause, quote
from riskcore.files import get_length, write_whole
from riskcore.verify import Result

#: The one that comes with the proofs.
SHIPPED = Path(proofs.__file__).with_name("ledger.tsv")
COLUMNS = ("obligation", "law", "verdict", "rlimit", "hash")
_TITLE = "# riskcore ledger 1, z3 "
#: Hexadecimal digits of a script's SHA-256 that are recorded.
HASH_LENGTH = 16

#: An obligation is heavier if it takes more than so many times the effort that was recorded, and more than so much.
GROWTH, NEGLIGIBLE = 2, 200_000


@frozen
class Entry:
    law: str
    verdict: str
    rlimit: int
    hash: str


@frozen
class Ledger:
    """``z3``: the version that decided, without which efforts do not compare."""

    z3: str
    entries: Mapping[str, Entry]


@frozen
class Differences:
    """The names of the obligations that are not as recorded, by how."""

    new: tuple[str, ...]
    gone: tuple[str, ...]
    verdict: tuple[str, ...]
    changed: tuple[str, ...]
    heavier: tuple[str, ...]
    is_other_z3: bool


def make_ledger(results: list[Result]) -> Ledger:
    entries = {
        one.name: Entry(one.law, one.verdict, one.rlimit, one.digest[:HASH_LENGTH] or "-")
        for one in sorted(results, key=lambda one: one.name)
    }
    return Ledger(z3.get_version_string(), entries)


def write_ledger(path: Path, ledger: Ledger) -> None:
    """Write it whole, sorted by name; ``LogError`` where it cannot be written, or another file is in its place."""
    check_place(path)
    rows = (f"{name}\t{one.law}\t{one.verdict}\t{one.rlimit}\t{one.hash}" for name, one in ledger.entries.items())
    try:
        with write_whole(path) as file:
            file.write("\n".join((_TITLE + ledger.z3, "\t".join(COLUMNS), *rows, "")).encode())
    except OSError as error:
        raise LogError(str(path), None, None, "a place for a ledger", get_cause(error)) from None


def check_place(path: Path) -> None:
    """``LogError`` where a ledger is not to be written: what is no ledger is not replaced."""
    expected = "a new file, or an earlier ledger"
    if path.exists() and (get_length(path, expected) == 0 or not path.read_bytes().startswith(_TITLE.encode())):
        raise LogError(str(path), None, None, expected, "another file")
    if not path.parent.is_dir():
        raise LogError(str(path), None, None, expected, "a folder that is not there")


def read_ledger(path: Path) -> Ledger:
    """``LogError`` names the line that is none of a ledger's."""
    get_length(path, "a ledger")
    try:
        first, *lines = path.read_text().splitlines() or [""]
    except (OSError, ValueError) as error:
        raise LogError(str(path), None, None, "a ledger", get_cause(error)) from None
    if not first.startswith(_TITLE):
        raise LogError(str(path), 1, None, f'"{_TITLE.strip()}" and a version', quote(first))
    if lines[:1] != ["\t".join(COLUMNS)]:
        raise LogError(str(path), 2, None, f"the columns {', '.join(COLUMNS)}", quote("".join(lines[:1])))
    entries: dict[str, Entry] = {}
    for number, line in enumerate(lines[1:], start=3):
        cells = line.split("\t")
        if len(cells) != len(COLUMNS) or not (cells[3].isascii() and cells[3].isdecimal()) or cells[0] in entries:
            raise LogError(str(path), number, None, "an obligation of its own, in five columns", quote(line))
        entries[cells[0]] = Entry(cells[1], cells[2], int(cells[3]), cells[4])
    return Ledger(first.removeprefix(_TITLE), entries)


def compare(recorded: Ledger, found: Ledger) -> Differences:
    """What is found, against what is recorded."""
    old, new = recorded.entries, found.entries
    both = [name for name in new if name in old]
    is_other_z3 = recorded.z3 != found.z3
    return Differences(
        new=tuple(name for name in new if name not in old),
        gone=tuple(name for name in old if name not in new),
        verdict=tuple(name for name in both if new[name].verdict != old[name].verdict),
        changed=tuple(name for name in both if (new[name].law, new[name].hash) != (old[name].law, old[name].hash)),
        heavier=() if is_other_z3 else tuple(name for name in both if is_heavier(old[name].rlimit, new[name].rlimit)),
        is_other_z3=is_other_z3,
    )


def is_heavier(recorded: int, found: int) -> bool:
    return found > NEGLIGIBLE and found > GROWTH * recorded
