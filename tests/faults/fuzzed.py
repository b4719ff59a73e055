"""How soon walks alone find a fault of each kind: ``python -m tests.faults.fuzzed`` writes ``FUZZED.md`` anew.

Proofs are off. A kind's fault is the first that is planted for it; naming kinds (``... 1 2 3``) walks for these only
and keeps the other rows.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path
from statistics import median_low
from typing import Final, NamedTuple

from riskcore.testing.fuzzing.trial import Finding, Setting, run_trial
from tests.faults.catalogue import FAULTS
from tests.faults.kinds import KINDS
from tests.faults.planting import Fault, plant

PAGE: Final = Path(__file__).with_name("FUZZED.md")
SEEDS: Final = 5
#: Steps after which a seed has not found it.
CAP: Final = 10_000

_TOP = f"""# Planted faults and walks

How many steps random walks need to find a fault of each kind, with proofs switched off: each step is compared with the
naive model and checked by every law. Of {SEEDS} seeds the median, a step being one event; a seed gives up
after {CAP:,} steps, and after three that gave up no other is tried: the kind has no median. The fault of a kind is the
first that is planted for it ([README.md](README.md) has them all).

`python -m tests.faults.fuzzed` walks again and writes this page, `python -m tests.faults.fuzzed 1 2 3` only the rows
of these kinds.
"""


class Hunt(NamedTuple):
    """Steps of the seeds that found it, how many ``tried``, and how it showed most often."""

    steps: list[int]
    tried: int
    shown: str

    @property
    def median(self) -> int | None:
        missed = [CAP + 1] * (SEEDS - len(self.steps))
        middle = median_low([*self.steps, *missed])
        return middle if middle <= CAP else None


def get_fault(kind: int) -> Fault:
    return next(fault for fault in FAULTS if kind in fault.kinds)


def walk_until_found(seed: int, cap: int = CAP) -> tuple[int, Finding | None]:
    """Steps taken, and what broke."""
    steps, trial, setting = 0, 0, Setting(seed)
    while steps < cap:
        coverage, finding = run_trial(setting, trial)
        # the step that breaks is none that is covered
        steps += coverage.steps + (finding is not None)
        if finding is not None:
            return steps, finding if steps <= cap else None
        trial += 1
    return steps, None


def hunt(fault: Fault) -> Hunt:
    """With the fault planted; given up as soon as there can be no median."""
    found: list[int] = []
    shown: Counter[str] = Counter()
    with plant(fault):
        for seed in range(SEEDS):
            steps, finding = walk_until_found(seed)
            if finding is not None:
                found.append(steps)
                shown[f"{finding.law}, {finding.kind}"] += 1
            elif seed + 1 - len(found) > SEEDS // 2:
                break
    return Hunt(found, seed + 1, shown.most_common(1)[0][0] if shown else "")


def write_row(kind: int) -> str:
    fault = get_fault(kind)
    result = hunt(fault)
    middle = "not found" if result.median is None else f"{result.median:,}"
    seeds = f"{len(result.steps)} of {result.tried}"
    return f"| {kind} | {KINDS[kind]} | `{fault.name}` | {result.shown} | {seeds} | {middle} |"


def read_rows() -> dict[int, str]:
    """The page's rows by kind."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    return {int(row[1]): row[0] for row in re.finditer(r"^\| (\d+) \|.*$", text, re.MULTILINE)}


def write_page(rows: dict[int, str]) -> str:
    head = "| kind | in real engines | planted | shows as | seeds | median steps |"
    return "\n".join([_TOP, head, "|" + "---|" * 6, *(rows[kind] for kind in sorted(rows)), ""])


def main(kinds: list[int]) -> None:
    rows = read_rows()
    for kind in kinds or KINDS:
        rows[kind] = write_row(kind)
        print(rows[kind], flush=True)
        PAGE.write_text(write_page(rows), encoding="utf-8")


if __name__ == "__main__":
    main([int(kind) for kind in sys.argv[1:]])
