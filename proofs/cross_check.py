"""Writes the page of what cvc5 said: ``riskcore verify --cross-check --format json`` in, ``CROSS_CHECK.md`` out.

``python -m proofs.cross_check FILE.json ... > proofs/CROSS_CHECK.md``: of several files each has a part.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from riskcore.ledger import SHIPPED, Ledger, read_ledger

HEAD = """# What cvc5 said

Each question of each obligation, asked of cvc5 too, as [SECOND_OPINION.md](SECOND_OPINION.md) tells. This page is
written by

```sh
riskcore verify --cross-check --cross-check-seconds 2 --format json > answers.json
python -m proofs.cross_check answers.json > proofs/CROSS_CHECK.md
```

"No answer" is none within the seconds of the processor that a question has, or that cvc5 does not know. Seconds are
those that all took by the clock.
"""


def get_counts(obligations: Iterable[dict[str, Any]]) -> tuple[int, int, int, int, int]:
    """Questions, and how many are answered alike, not at all, otherwise; and the seconds that all took."""
    opinions = [one["opinion"] for one in obligations]
    agreed = sum(one["agreed"] for one in opinions)
    silent, disagreed = (sum(len(one[word]) for one in opinions) for word in ("silent", "disagreed"))
    return agreed + silent + disagreed, agreed, silent, disagreed, round(sum(one["seconds"] for one in opinions))


def write_page(obligations: list[dict[str, Any]], ledger: Ledger) -> Iterator[str]:
    """The page's lines, for all obligations that cvc5 was asked about; and which of the ledger's it was not."""
    asked = {one["name"]: one for one in obligations if one["opinion"] is not None}
    events: dict[str, list[dict[str, Any]]] = {}
    for one in asked.values():
        kind = "lemmas on " if one["layer"] == "lemma" else ""
        events.setdefault(f"{kind}{one['event']}", []).append(one)
    yield HEAD
    yield "| event | questions | agrees | no answer | disagrees | seconds |"
    yield "|---|---|---|---|---|---|"
    for event, row in [*events.items(), ("**all**", list(asked.values()))]:
        yield f"| {event} | {' | '.join(f'{count:,}' for count in get_counts(row))} |"
    questions, _, silent, _, _ = get_counts(asked.values())
    share = 100 * silent / questions if questions else 0
    yield f"\nOf {len(asked):,} obligations. No answer: {share:.1f} % of the questions, of these obligations:\n"
    yield from list_silent(asked)
    left = [name for name, one in ledger.entries.items() if name not in asked and one.hash != "-"]
    if left:
        events_left = ", ".join(sorted({name.partition("/")[0] for name in left}))
        yield f"\nNot asked yet: {len(left):,} obligations, of {events_left}."


def list_silent(asked: dict[str, dict[str, Any]]) -> Iterator[str]:
    for name, one in sorted(asked.items()):
        count = len(one["opinion"]["silent"])
        if count:
            yield f"* `{name}`: {count} of {one['checks']}"


def main(files: list[str]) -> None:
    reports = [json.loads(Path(file).read_text()) for file in files]
    for line in write_page([one for report in reports for one in report["obligations"]], read_ledger(SHIPPED)):
        print(line)


if __name__ == "__main__":
    main(sys.argv[1:])
