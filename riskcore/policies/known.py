"""Cases that have refuted something before: what comes first when a property is tried on any policy."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import msgspec
from attrs import frozen

import proofs
from riskcore.policies.cases import Case

RECORD = Path(proofs.__file__).with_name("policies.json")


@frozen
class Recorded:
    """A cell of the table. ``base``: the case that refutes the property, where one does."""

    policy: str
    property: str
    finding: str
    base: Case | None


@cache
def read_record() -> tuple[Recorded, ...]:
    """The table as it was last written."""
    return tuple(
        Recorded(policy, one["property"], one["finding"], one["base"] and msgspec.convert(one["base"], Case))
        for policy, cells in json.loads(RECORD.read_text(encoding="utf-8")).items()
        for one in cells
    )


def get_known(property: str) -> tuple[Case, ...]:
    """Those that refute the property of some policy."""
    return tuple(one.base for one in read_record() if one.property == property and one.base is not None)
