"""Which mutants are known to be no faults: ``proofs/equivalents.toml``, each with its reason."""

from __future__ import annotations

import tomllib
from pathlib import Path

from attrs import frozen

import proofs
from riskcore.mutation.mutants import Mutant

RECORDS = Path(str(proofs.__file__)).parent / "equivalents.toml"


@frozen
class Record:
    """``becomes``: the changed line, which a record stands for as long as it is that of the mutant of this name."""

    name: str
    becomes: str
    reason: str


def read_records(path: Path = RECORDS) -> dict[str, Record]:
    """The recorded mutants by name."""
    with open(path, "rb") as file:
        entries = tomllib.load(file).get("mutant", [])
    records = [Record(**entry) for entry in entries]
    return {record.name: record for record in records}


def find_record(mutant: Mutant, records: dict[str, Record]) -> Record | None:
    """The mutant's record, unless the source has moved on under its name."""
    record = records.get(mutant.name)
    return record if record is not None and record.becomes == mutant.get_lines()[1] else None
