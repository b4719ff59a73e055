"""Hunts many mutants, function by function, on as many processes as asked for; what is done can be kept in a file.

Each function's mutants stay together and in order, so that what is found does not depend on how the work is split.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import as_completed
from itertools import groupby
from pathlib import Path

from attrs import asdict, evolve, frozen

import proofs
import specs
from riskcore import mutation, prover
from riskcore.bad_input import LogError
from riskcore.files import get_length
from riskcore.mutation.agreement import prove_agreement
from riskcore.mutation.checking import Checker
from riskcore.mutation.equivalence import NotComparable, prove_equivalence
from riskcore.mutation.hunting import Fate, Hunter
from riskcore.mutation.mutants import Mutant
from riskcore.mutation.records import find_record, read_records
from riskcore.mutation.types import KERNEL
from riskcore.pool import new_pool
from riskcore.prover.solver import Verdict

#: What a mutant that survives may be: proven to be no fault, or recorded as none.
PROVEN, RECORDED = "proven", "recorded"


#: Who hunts, and by whom mutants are then said to be killed; ``either``: tests only what the proofs have not killed.
SIDES = {"proofs": ("proofs",), "tests": ("tests",), "both": ("proofs", "tests", "both"), "either": ("proofs", "both")}


@frozen
class Trial:
    """What became of one mutant. ``equivalent``: ``PROVEN``, ``RECORDED`` or empty; ``seconds`` of work."""

    name: str
    old: str
    new: str
    proofs: str = ""
    proof: str = ""
    tests: str = ""
    test: str = ""
    equivalent: str = ""
    reason: str = ""
    proof_seconds: float = 0.0

    @property
    def is_killed(self) -> bool:
        return Fate.KILLED in (self.proofs, self.tests)

    @property
    def is_gap(self) -> bool:
        """Neither killed nor known to be no fault."""
        return not self.is_killed and not self.equivalent


def run(
    mutants: Sequence[Mutant],
    by: str,
    jobs: int,
    out: Path | None = None,
    report: Callable[[int, int], None] | None = None,
) -> list[Trial]:
    """Try every mutant; ``by`` is one of ``SIDES``. ``report`` is told how many are done of how many."""
    known = {} if out is None else _read(out, by)
    left = [mutant for mutant in mutants if mutant.name not in known]
    found = dict(known)
    if report is not None:
        report(len(mutants) - len(left), len(mutants))
    for trials in _run_all(left, by, jobs):
        found.update((trial.name, trial) for trial in trials)
        if out is not None:
            _append(out, trials)
        if report is not None:
            report(sum(mutant.name in found for mutant in mutants), len(mutants))
    return [found[mutant.name] for mutant in mutants]


def _run_all(mutants: Sequence[Mutant], by: str, jobs: int) -> Iterator[list[Trial]]:
    chunks = [list(group) for _, group in groupby(mutants, key=lambda one: (one.module, one.function))]
    if jobs == 1:
        yield from (try_all(chunk, by) for chunk in chunks)
        return
    with new_pool(jobs) as pool:
        futures = [pool.submit(try_all, chunk, by) for chunk in chunks]
        for future in as_completed(futures):
            yield future.result()


_checker = Checker()


def try_all(mutants: list[Mutant], by: str) -> list[Trial]:
    """The trials of one function's mutants."""
    hunter, records = Hunter(), read_records()
    trials = []
    for mutant in mutants:
        trial = Trial(mutant.name, *mutant.get_lines())
        # to hunt what is no fault takes longest, since nothing ends it
        if is_equivalent(mutant):
            trials.append(evolve(trial, equivalent=PROVEN, reason="the same result for all arguments"))
            continue
        if by != "tests":
            started = time.process_time()
            found = hunter.hunt(mutant)
            seconds = round(time.process_time() - started, 3)
            trial = evolve(trial, proofs=str(found.fate), proof=found.by, proof_seconds=seconds)
            if found.fate is not Fate.KILLED and is_agreed(mutant):
                trial = evolve(trial, equivalent=PROVEN, reason="the same value wherever an event computes it")
        if by in ("tests", "both") or (by == "either" and not trial.is_killed):
            found = _checker.check(mutant)
            trial = evolve(trial, tests=str(found.fate), test=found.by)
        record = find_record(mutant, records)
        if record is not None and not trial.equivalent:
            trial = evolve(trial, equivalent=RECORDED, reason=record.reason)
        trials.append(trial)
    return trials


def is_equivalent(mutant: Mutant) -> bool:
    return _is_proven(prove_equivalence, mutant)


def is_agreed(mutant: Mutant) -> bool:
    return _is_proven(prove_agreement, mutant)


def _is_proven(prove: Callable[[Mutant], Verdict], mutant: Mutant) -> bool:
    try:
        return prove(mutant) is Verdict.PROVED
    except NotComparable:
        return False


def get_fingerprint() -> str:
    """What results stand for: the kernel, its prover, this tool, the specification and the proofs, as they read."""
    digest = hashlib.sha256()
    paths = [Path(str(module.__file__)) for module in KERNEL.values()]
    for package in (prover, mutation, specs, proofs):
        paths += sorted(Path(str(package.__file__)).parent.rglob("*.py"))
    for path in paths:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _read(out: Path, by: str) -> dict[str, Trial]:
    """The trials that a file has already. Raises ``LogError`` where it is of another source, or no such file."""
    try:
        if not out.exists():
            out.write_text(json.dumps({"riskcore_mutants": 1, "source": get_fingerprint(), "by": by}) + "\n")
        get_length(out, "a new file, or results of this command")
        head, *lines = out.read_text(encoding="utf-8").splitlines()
        told = json.loads(head)
        if told.get("riskcore_mutants") != 1 or told.get("by") != by:
            raise LogError(str(out), 1, None, f"results by {by}, or a new file", "other results")
        if told.get("source") != get_fingerprint():
            raise LogError(str(out), 1, None, "results of the source as it is", "results of another source")
        trials = [Trial(**json.loads(line)) for line in lines]
    except (OSError, ValueError, TypeError, AttributeError):
        raise LogError(str(out), None, None, "a new file, or results of this command", "something else") from None
    return {trial.name: trial for trial in trials}


def _append(out: Path, trials: Iterable[Trial]) -> None:
    with open(out, "a", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(trial)) + "\n" for trial in trials)
