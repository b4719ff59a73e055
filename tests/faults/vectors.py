"""The suite ``faults`` of conformance vectors: for each planted fault the shortest case that shows it, under its name.

``python -m tests.faults.vectors DIR`` adds it to the vectors in DIR, and says which faults none of their cases shows.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from attrs import evolve

from riskcore.bad_input import LogError
from riskcore.conformance.cases import MANIFEST, Case, case_to_text, list_cases, load_case, make_index
from riskcore.conformance.suites import FAULTS as SUITE
from riskcore.conformance.vectors import get_kernel, write_folder
from riskcore.snapshot import get_state_hash
from riskcore.step import step
from tests.faults.catalogue import FAULTS
from tests.faults.planting import Fault, plant


def shows(case: Case, expected: str) -> bool:
    """Whether the kernel, as it is now, makes something else of the case; what raises does."""
    state, outcomes = case.pre, []
    try:
        for event in case.events:
            outcome = step(state, event)
            outcomes.append(None if outcome.rejected is None else outcome.rejected.name)
            state = outcome.state
        return tuple(outcomes) != case.outcomes or get_state_hash(state) != expected
    except Exception:
        # a fault may raise anything, which is something else than the case says
        return True


def find_cases(cases: Sequence[Case], faults: Iterable[Fault]) -> Iterator[tuple[Fault, Case | None]]:
    """Each fault with the shortest case that shows it, of a whole state if there is one; None where none does."""
    known = [(case, get_state_hash(case.post)) for case in cases]
    ordered = sorted(known, key=lambda one: (one[0].partial is not None, len(one[0].events), one[0].name))
    for fault in faults:
        # those of the event that the proofs see it in come first
        first = sorted(ordered, key=lambda one: one[0].handler != fault.unit)
        with plant(fault):
            found = next((case for case, expected in first if shows(case, expected)), None)
        yield fault, found


def main(folder: Path) -> int:
    """Write the suite; the exit code."""
    try:
        paths = [path for path in list_cases(folder) if path.parent.name != SUITE]
        cases = [load_case(path) for path in paths]
        files = {str(path.relative_to(folder)): path.read_text() for path in paths}
        kernel, unseen, counts = get_kernel(), [], dict[str, int]()
        for fault, case in find_cases(cases, FAULTS):
            if case is None:
                unseen.append(fault.name)
                continue
            config, runner, handler, _, _ = case.place
            place = config, runner, handler, SUITE, fault.name
            files[f"{'/'.join(place)}.json"] = case_to_text(evolve(case, place=place, words=fault.words), kernel)
            counts[handler] = counts.get(handler, 0) + 1
        manifest = json.loads((folder / MANIFEST).read_text())
        for handler, number in counts.items():
            manifest["counts"].setdefault(handler, {})[SUITE] = str(number)
        files[MANIFEST] = make_index(list(files), kernel, manifest)
        write_folder(folder, files)
    except LogError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    print(
        f"{sum(counts.values())} of {len(FAULTS)} faults are shown by a case; not by any: {', '.join(unseen) or 'none'}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
