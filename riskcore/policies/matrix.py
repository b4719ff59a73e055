"""The table of policies and properties: each cell proven, refuted by the smallest case found, bounded, or open."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, as_completed
from enum import StrEnum
from typing import TypeVar

from attrs import frozen

from proofs.lemmas import LEMMAS
from riskcore.ledger import SHIPPED, read_ledger
from riskcore.policies.cases import Case, is_playable, iter_grid
from riskcore.policies.catalogue import Policy, list_policies, load_policy
from riskcore.policies.evidence import Evidence, get_evidence
from riskcore.policies.playing import PolicyFault
from riskcore.policies.search import DRAWS, check_grid, is_refuted, search
from riskcore.policies.trials import Trial
from riskcore.prover.apart import apart
from riskcore.prover.solver import Verdict
from riskcore.verify import prove
from specs.policies import PROPERTIES, Closing, Property

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Finding(StrEnum):
    """What is known of a property of a policy."""

    PROVED = "PROVED"
    BOUNDED = "PROVED-BOUNDED"
    REFUTED = "REFUTED"
    OPEN = "OPEN"


@frozen
class Cell:
    """What is known, and why: ``reason``, in words.

    ``evidence``: what proves it. ``cases``: what refutes it, a trial on ``base``; ``closings``: of their rounds.
    """

    policy: str
    property: str
    finding: Finding
    reason: str
    evidence: Evidence | None = None
    base: Case | None = None
    cases: tuple[Case, ...] = ()
    closings: tuple[tuple[Closing, ...], ...] = ()


#: Properties that compare what might have been at one moment: there, a draw is one draw.
WHAT_IFS = ("monotonicity", "scale invariance", "early reduction")

#: What a rulebook may add.
ELSE = {
    "principal protection": "PROVED under a rulebook with adl_requires_profit, or one that closes at mark (IF-2)",
}

#: Cases of the grid that a policy is tried on whose draws only the kernel makes, which is slow.
DRAWN_GRID = 600


def get_lemma_names(policies: Iterable[Policy]) -> list[str]:
    """The lemmas that the table rests on, each once."""
    evidence = [get_evidence(policy, property) for policy in policies for property in PROPERTIES]
    return list(dict.fromkeys(name for one in evidence if one is not None for name in one.lemmas))


def prove_lemma(name: str) -> str:
    """The verdict on a lemma, decided now."""
    module, _, own = name.partition("/")
    with apart():
        return next(prove(one.get_obligation(module)).verdict for one in LEMMAS[module] if one.name == own)


def get_law_verdicts() -> dict[str, str]:
    """Of each law, what the ledger that comes with the proofs says: PROVED if it does of every obligation."""
    verdicts: dict[str, str] = {}
    for entry in read_ledger(SHIPPED).entries.values():
        if verdicts.get(entry.law, Verdict.PROVED) == Verdict.PROVED:
            verdicts[entry.law] = entry.verdict
    return verdicts


def make_cell(policy: Policy, property: Property, verdicts: dict[str, str], *, seed: int, draws: int = DRAWS) -> Cell:
    """What is known of the property; ``verdicts`` are those of laws and lemmas."""
    evidence = get_evidence(policy, property)
    if evidence is not None:
        failed = [name for name in (*evidence.laws, *evidence.lemmas) if verdicts.get(name) != Verdict.PROVED]
        if not failed:
            return Cell(policy.name, property.name, Finding.PROVED, evidence.argument, evidence)
        return Cell(policy.name, property.name, Finding.OPEN, f"not proved: {', '.join(failed)}", evidence)
    try:
        return _try(policy, property, seed, draws)
    except PolicyFault as fault:
        return Cell(policy.name, property.name, Finding.REFUTED, f"the policy gives no answer: {fault}")


def _try(policy: Policy, property: Property, seed: int, draws: int) -> Cell:
    def stands(trial: Trial) -> bool:
        return is_refuted(trial, lambda case: policy.play(case, in_kernel=not is_what_if))

    def play(case: Case) -> tuple[Closing, ...]:
        return policy.play(case, in_kernel=policy.draws and not is_what_if)

    is_what_if = policy.draws and property.name in WHAT_IFS
    found = search(property, play, stands, seed=seed, draws=draws // 5 if policy.draws else draws)
    if found is None:
        grid = [case for case in iter_grid() if is_playable(case)]
        tried, found = check_grid(property, play, grid[:: max(len(grid) // DRAWN_GRID, 1)] if policy.draws else grid)
        if found is None:
            tried_words = f"all {tried:,} cases of a grid of two winners, in what refuted others"
            reason = f"holds in {tried_words}, and in those of {draws:,} drawn ones that can be played"
            return Cell(policy.name, property.name, Finding.BOUNDED, reason)
    closings = tuple(policy.play(one, in_kernel=policy.kernel is not None) for one in found.trial.cases)
    reason = "; ".join(filter(None, (found.trial.says, ELSE.get(property.name, ""))))
    return Cell(policy.name, property.name, Finding.REFUTED, reason, None, found.case, found.trial.cases, closings)


# All cells, on as many processes as there are


@frozen
class Job:
    """``own``: the user's policy, by the name that it is loaded by; otherwise the policy's place in the table."""

    own: str | None
    place: int
    seed: int
    draws: int
    verdicts: dict[str, str]


def get_policies(own: str | None) -> tuple[Policy, ...]:
    return list_policies() if own is None else (load_policy(own),)


def run_job(job: Job) -> list[Cell]:
    """A policy's row."""
    policy = get_policies(job.own)[job.place]
    return [make_cell(policy, property, job.verdicts, seed=job.seed, draws=job.draws) for property in PROPERTIES]


def run(
    own: str | None, executor: Executor, seed: int, draws: int, report: Callable[[int, int], None] | None = None
) -> list[list[Cell]]:
    """The table's rows. First the lemmas are proved, then each policy is tried. ``report`` is told of each done."""
    policies = get_policies(own)
    names = get_lemma_names(policies)
    done, total = 0, len(names) + len(policies)
    verdicts = get_law_verdicts()
    for name, verdict in _run_all(executor, prove_lemma, names):
        verdicts[name] = verdict
        done += 1
        if report is not None:
            report(done, total)
    jobs = [Job(own, place, seed, draws, verdicts) for place in range(len(policies))]
    rows: dict[int, list[Cell]] = {}
    for job, row in _run_all(executor, run_job, jobs):
        rows[job.place] = row
        done += 1
        if report is not None:
            report(done, total)
    return [rows[place] for place in sorted(rows)]


def _run_all(
    executor: Executor, work: Callable[[Item], Answer], items: Sequence[Item]
) -> Iterator[tuple[Item, Answer]]:
    futures = {executor.submit(work, item): item for item in items}
    for future in as_completed(futures):
        yield futures[future], future.result()
