"""Proves every obligation, event by event, on as many processes as asked for.

Each event's obligations are collected and decided in one process; nothing is shared,
so the verdicts and their effort do not depend on how the work is split.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import as_completed
from hashlib import sha256
from pathlib import Path

from attrs import asdict, evolve, frozen

from proofs.lemmas import LEMMAS, get_lemma_obligations
from riskcore.events import Header
from riskcore.export import get_script, save_script
from riskcore.pool import new_pool
from riskcore.prover.apart import apart
from riskcore.prover.obligations import Obligation, get_event_name, get_obligations
from riskcore.prover.second import Opinion, SecondSolver, asking, get_opinion
from riskcore.prover.smtlib import Reader, get_checks
from riskcore.prover.solver import Verdict, decide_claim, is_satisfiable
from riskcore.prover.witness import get_witnesses
from specs.contracts import CONTRACTS
from specs.laws import LAWS

#: What is believed without proof here; TRUST.md says why, and how each is checked.
TRUSTED = (
    "CPython and attrs run the kernel as its source reads",
    "z3 refutes only what is contradictory",
    "the tracer's integers behave as Python's (tests compare them)",
    "a sum over all accounts changes by what the written accounts change",
    "a queue in strict rank order, as long as the eligible accounts are many, is all of them in order",
    "the specification says what is meant",
)


#: The laws that say what a proof assumes of the state before its event.
INDUCTION = ("CASH-1", "CASH-2", "BAL-1", "BAL-2", "INV-1", "ADL-2")


#: z3's effort to find something that meets a lemma's hypotheses on one path.
HYPOTHESES_RLIMIT = 5_000_000


@frozen
class Result:
    """One obligation's verdict.

    ``digest``: SHA-256 of its script, in which ``checks`` questions are asked; none where it is no formula.
    """

    name: str
    law: str
    event: str
    layer: str
    verdict: str
    scope: str
    paths: int
    rlimit: int
    seconds: float
    counterexample: str | None
    digest: str = ""
    checks: int = 0
    opinion: Opinion | None = None


@frozen
class Extras:
    """What is done with each obligation besides proving it.

    ``export``: the folder that its script is written to. ``second``: seconds that cvc5 has for each of its checks.
    """

    export: Path | None = None
    second: float | None = None


@frozen
class Selection:
    """Which obligations are wanted; None means all.

    What is proven of a part rests on the whole: on the lemmas, which are proven with it, and on
    every event leaving behind what the part assumes of the state before (``INDUCTION``).
    """

    law: str | None = None
    event: str | None = None

    @property
    def is_everything(self) -> bool:
        return self.law is None and self.event is None

    def wants(self, law: str, event: str) -> bool:
        return self.law in (None, law) and self.event in (None, event)


def get_unit_names() -> tuple[str, ...]:
    """The names of the units of work: each event, and the lemmas."""
    return (*(get_event_name(kind) for kind in CONTRACTS), *(f"lemma:{name}" for name in LEMMAS))


def get_law_ids() -> tuple[str, ...]:
    ids = (
        *(law.id for law in LAWS),
        "FRAME-1",
        "REJ-1",
        "EFFECT",
        "WITNESS",
        *dict.fromkeys(lemma.law for lemmas in LEMMAS.values() for lemma in lemmas),
    )
    return tuple(dict.fromkeys(ids))


def collect(unit: str) -> list[Obligation]:
    """The obligations of one unit of work, the same whatever was collected before."""
    with apart():
        if unit.startswith("lemma:"):
            return get_lemma_obligations(unit.removeprefix("lemma:"))
        return get_obligations(get_kind(unit))


def prove(obligation: Obligation) -> Result:
    """Decide an obligation on each of its paths; the first that fails is its verdict."""
    started = time.perf_counter()
    verdict, spent, counterexample = Verdict.PROVED, 0, None
    if not obligation.claims or obligation.is_idle:
        verdict, counterexample = Verdict.VACUOUS, "no path of the kernel reaches this claim, or breaks this clause"
    for claim in obligation.claims:
        answer = decide_claim(claim)
        spent += answer.rlimit
        if answer.verdict is not Verdict.PROVED:
            verdict, counterexample = answer.verdict, answer.counterexample
            break
    if verdict is Verdict.PROVED and obligation.layer == "lemma" and not is_met(obligation):
        verdict, counterexample = Verdict.VACUOUS, "nothing is known to meet its hypotheses"
    return Result(
        obligation.name,
        obligation.law,
        obligation.event,
        obligation.layer,
        verdict.value,
        obligation.scope,
        obligation.paths,
        spent,
        round(time.perf_counter() - started, 3),
        counterexample,
    )


def is_met(obligation: Obligation) -> bool:
    """Whether something meets the hypotheses of a lemma; of an event's paths each has its witness."""
    return any(is_satisfiable(claim.premises, HYPOTHESES_RLIMIT) for claim in obligation.claims)


def verify_unit(unit: str, selection: Selection, extras: Extras | None = None) -> list[Result]:
    """Collect and prove one unit of work. Lemmas are proven whatever is selected: every obligation rests on them."""
    is_lemma, extras = unit.startswith("lemma:"), extras or Extras()
    obligations = [one for one in collect(unit) if is_lemma or selection.wants(one.law, one.event)]
    reader = Reader()
    with asking(extras.second or 0) as solver:
        results = [examine(obligation, reader, solver, extras) for obligation in obligations]
    if not is_lemma and selection.wants("WITNESS", unit):
        results.append(replay_witnesses(unit))
    return results


def examine(obligation: Obligation, reader: Reader, solver: SecondSolver, extras: Extras) -> Result:
    """Prove an obligation, write it down, and ask for a second opinion, as far as asked for."""
    result, checks = prove(obligation), list(get_checks(obligation.claims, reader))
    script = get_script(obligation, checks)
    if extras.export is not None:
        save_script(extras.export, obligation, script)
    opinion = None if extras.second is None else get_opinion(solver, result.verdict, checks)
    return evolve(result, digest=sha256(script.encode()).hexdigest(), checks=len(checks), opinion=opinion)


def replay_witnesses(unit: str) -> Result:
    """Run one model of each path of an event in CPython, on a real state.

    PROVED: each path has one, and CPython did what the path says; so no path is vacuous.
    """
    started = time.perf_counter()
    witnesses = list(get_witnesses(get_kind(unit)))
    verdict, counterexample = Verdict.PROVED, None
    if None in witnesses:
        verdict, counterexample = Verdict.UNKNOWN, f"{witnesses.count(None)} paths have no model: ABSTRACT"
    for witness in witnesses:
        if witness is not None and witness.mismatches:
            verdict, counterexample = Verdict.VIOLATED, f"{witness.path}: {'; '.join(witness.mismatches)}"
    seconds = round(time.perf_counter() - started, 3)
    scope = "one model of each path, realised as a state and run by CPython"
    return Result(
        f"{unit}/WITNESS", "WITNESS", unit, "lemma", verdict.value, scope, len(witnesses), 0, seconds, counterexample
    )


def get_kind(unit: str) -> type[Header]:
    return next(kind for kind in CONTRACTS if get_event_name(kind) == unit)


def verify(
    selection: Selection,
    jobs: int,
    report: Callable[[str, int, int], None] | None = None,
    extras: Extras | None = None,
) -> list[Result]:
    """Prove what is selected; ``report`` is told each finished unit, how many are done, and how many there are."""
    units = [unit for unit in get_unit_names() if unit.startswith("lemma:") or selection.event in (None, unit)]
    results: dict[str, list[Result]] = {}
    for done, (unit, found) in enumerate(_run(units, selection, jobs, extras), start=1):
        results[unit] = found
        if report is not None:
            report(unit, done, len(units))
    return [result for unit in units for result in results[unit]]


def _run(
    units: list[str], selection: Selection, jobs: int, extras: Extras | None
) -> Iterator[tuple[str, list[Result]]]:
    if jobs == 1:
        for unit in units:
            yield unit, verify_unit(unit, selection, extras)
        return
    # a process each: in one that has decided others, z3 now and then takes another way, and more or less effort
    with new_pool(jobs, tasks_each=1) as pool:
        # the events with the most paths first, so that none is left to the end alone
        heavy = ("fill", "begin_deleveraging", "liquidation_fill", "takeover", "deleverage")
        ordered = sorted(units, key=lambda unit: (heavy.index(unit) if unit in heavy else len(heavy), unit))
        futures = {pool.submit(verify_unit, unit, selection, extras): unit for unit in ordered}
        for future in as_completed(futures):
            yield futures[future], future.result()


def get_verdict(results: list[Result], selection: Selection) -> str:
    """PROVED, VIOLATED where one is or the solvers disagree, or INCONCLUSIVE.

    That is where something is unknown or vacuous, or nothing was selected. A second solver's silence changes nothing.
    """
    verdicts = {result.verdict for result in results}
    is_disputed = any(result.opinion is not None and result.opinion.disagreed for result in results)
    if Verdict.VIOLATED.value in verdicts or is_disputed:
        return "VIOLATED"
    is_asked = any(selection.wants(result.law, result.event) for result in results)
    return "PROVED" if is_asked and verdicts == {Verdict.PROVED.value} else "INCONCLUSIVE"


def to_json(results: list[Result], selection: Selection, seconds: float) -> dict[str, object]:
    """The object that ``--format json`` prints."""
    return {
        "verdict": get_verdict(results, selection),
        "assumed": [] if selection.is_everything else list(INDUCTION),
        "seconds": round(seconds, 3),
        "obligations": [asdict(result) for result in results],
        "trusted": list(TRUSTED),
    }
