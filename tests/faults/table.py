"""The table of planted faults: ``python -m tests.faults.table`` hunts them all and writes it anew."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.faults.catalogue import FAULTS
from tests.faults.hunting import get_full_name, hunt
from tests.faults.kinds import KINDS, NO_PLACE
from tests.faults.planting import Fault

README = Path(__file__).with_name("README.md")

_TOP = """# Planted faults

Each fault is one wrong rule, planted where the rule lives: a snippet of the kernel's source is replaced, the functions
that it changes are compiled anew, and everybody who has imported them runs the wrong rule. The plain example
(`examples.py`) still runs with each of them. What must then die is an obligation of `riskcore verify`.

`python -m tests.faults.table` hunts them all and writes this page; `tests/test_faults.py` hunts them one by one and
checks that the page is current. To plant one by hand:

```python
with plant(next(fault for fault in FAULTS if fault.name == "boundary_is_liquidated")):
    ...
```
"""


def get_seconds() -> dict[str, str]:
    """How long each fault lives: from planting it to the verdicts that it dies by."""
    seconds = {}
    for fault in FAULTS:
        if fault.unit:
            started = time.perf_counter()
            hunt(fault)
            seconds[fault.name] = f"{time.perf_counter() - started:.1f}"
    return seconds


def get_page(seconds: dict[str, str]) -> str:
    proven = [fault for fault in FAULTS if fault.unit]
    unseen = [fault for fault in FAULTS if not fault.unit]
    return "\n".join(
        (
            _TOP,
            f"## Killed by proofs: {len(proven)}\n",
            *_get_table(
                ("fault", "what is wrong", "kind", "module", "dies", "seconds"),
                ((*_get_start(fault), _get_deaths(fault), seconds.get(fault.name, "")) for fault in proven),
            ),
            f"\n## Killed by tests alone: {len(unseen)}\n",
            *_get_table(
                ("fault", "what is wrong", "kind", "module", "check of `examples.py`"),
                ((*_get_start(fault), f"`{fault.log}`") for fault in unseen),
            ),
            "\n## Kinds\n",
            *_get_table(
                ("kind", "in real engines", "faults", "what of it has no place here"),
                (
                    (str(kind), words, str(sum(kind in fault.kinds for fault in FAULTS)), NO_PLACE.get(kind, ""))
                    for kind, words in KINDS.items()
                ),
            ),
            "",
        )
    )


def _get_start(fault: Fault) -> tuple[str, ...]:
    kinds = ", ".join(str(kind) for kind in fault.kinds)
    return f"`{fault.name}`", fault.words, kinds, f"`{fault.module}`"


def _get_deaths(fault: Fault) -> str:
    return ", ".join(f"`{get_full_name(fault.unit, name)}`" for name in fault.kills)


def _get_table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def strip_seconds(page: str) -> str:
    """The page without what differs from run to run."""
    return re.sub(r"\| \d+\.\d \|$", "|  |", page, flags=re.MULTILINE)


if __name__ == "__main__":
    README.write_text(get_page(get_seconds()), encoding="utf-8")
