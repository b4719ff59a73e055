"""Hunts a mutant by the proofs: the cheapest units first, an accepting path first, until the first claim that fails.

An event is asked for its guard, its effect and its frame, which say all that it does; the laws over them add no
more that a mutant could break, and cost most. So a mutant that survives here might still die of a whole ``verify``
(of a law that z3 cannot follow, or of a path's model run by CPython), and one that dies here dies there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from types import CodeType

import z3
from attrs import frozen

from proofs.lemmas import LEMMAS
from riskcore.events import Header
from riskcore.mutation.mutants import MARK, Mutant
from riskcore.mutation.reach import Unit, get_units_of
from riskcore.mutation.types import KERNEL
from riskcore.prover.case import EPISODES, SymCase, run_event
from riskcore.prover.lemma import Lemma
from riskcore.prover.obligations import Collector, collect_effect, collect_guard, get_event_name
from riskcore.prover.solver import TIMEOUT_MS, Claim, Verdict, decide_claim
from riskcore.prover.symbols import get_run
from riskcore.prover.tracer import Decision, NotRepeatable, Path, PathLimitExceeded, Tracer, get_paths
from specs.contracts import CONTRACTS

#: z3's effort for a claim: less than a proof has, for a fault shows quickly or hardly ever.
HUNT_RLIMIT = 2_000_000


class Fate(StrEnum):
    """What became of a mutant. Only ``KILLED`` is a kill; ``UNKNOWN`` is where z3 gave up and nothing else found it."""

    KILLED = "KILLED"
    SURVIVED = "SURVIVED"
    UNKNOWN = "UNKNOWN"


@frozen
class Finding:
    """``by``: the obligation or the test that found it."""

    fate: Fate
    by: str = ""


@contextmanager
def planted(mutant: Mutant, code: CodeType) -> Iterator[None]:
    """Run the block on a kernel with this code in the mutant's function."""
    function = mutant.get_function()
    right = function.__code__
    function.__code__ = code
    try:
        yield
    finally:
        function.__code__ = right


class Hunter:
    """Remembers what killed a function's other mutants, and asks that first."""

    def __init__(self) -> None:
        self._kills: dict[str, list[Unit]] = {}

    def hunt(self, mutant: Mutant) -> Finding:
        """Whether some obligation fails on the kernel with this mutant in it."""
        units = get_units_of(mutant.get_function())
        recent = self._kills.setdefault(f"{mutant.module}:{mutant.function}", [])
        ordered = sorted(units, key=lambda unit: recent.index(unit) if unit in recent else len(recent))
        is_open = False
        for unit in ordered:
            finding = hunt_in(mutant, unit)
            if finding.fate is Fate.KILLED:
                if unit in recent:
                    recent.remove(unit)
                recent.insert(0, unit)
                return finding
            is_open = is_open or finding.fate is Fate.UNKNOWN
        return Finding(Fate.UNKNOWN if is_open else Fate.SURVIVED)


def hunt_in(mutant: Mutant, unit: Unit) -> Finding:
    """Whether an obligation of one unit fails."""
    if unit.kind:
        lemma = next(one for one in LEMMAS[unit.kind] if one.name == unit.name)
        return _hunt_lemma(mutant, lemma, unit)
    kind = next(one for one in CONTRACTS if get_event_name(one) == unit.name)
    return EventHunt(kind, mutant).hunt()


class Reached:
    """Whether a mutant's statement is about to run, or did, since this was last set to False."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant
        self.now = False
        #: how many decisions were taken when it was reached for the first time
        self.place: int | None = None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Run the block on a kernel with the mutant in it, and a call that tells of it."""
        namespace = vars(KERNEL[self._mutant.module])
        namespace[MARK] = self._tell
        try:
            with planted(self._mutant, self._mutant.get_code(marked=True)):
                yield
        finally:
            del namespace[MARK]

    def _tell(self) -> None:
        if not self.now:
            self.now = True
            run = get_run()
            assert isinstance(run, Tracer)
            self.place = len(run.taken) if self.place is None else self.place


def _hunt_lemma(mutant: Mutant, lemma: Lemma, unit: Unit) -> Finding:
    """One that reads the code itself must meet it as it is; of all others, paths past the mutant are not asked."""
    reads_code = unit.kind == "source"
    reached, is_open = Reached(mutant), False
    on_mutant = planted(mutant, mutant.get_code()) if reads_code else reached.watched()
    with on_mutant, suppress(PathLimitExceeded, NotRepeatable):
        for claim in lemma.get_claims():
            is_asked, reached.now = reads_code or reached.now, False
            verdict = decide_claim(claim, HUNT_RLIMIT).verdict if is_asked else Verdict.PROVED
            if verdict is Verdict.VIOLATED:
                return Finding(Fate.KILLED, unit.full_name)
            is_open = is_open or verdict is Verdict.UNKNOWN
        return Finding(Fate.UNKNOWN if is_open else Fate.SURVIVED)
    return Finding(Fate.UNKNOWN)


class EventHunt:
    """One event's paths with a mutant planted. A path that does not reach the mutant's statement is asked nothing."""

    def __init__(self, kind: type[Header], mutant: Mutant) -> None:
        self._kind, self._name = kind, get_event_name(kind)
        self._reached, self._is_open = Reached(mutant), False
        self._broken: set[str] = set()
        self._kept: set[str] = set()
        self._is_accepted = False

    def hunt(self) -> Finding:
        with self._reached.watched(), suppress(PathLimitExceeded, NotRepeatable):
            return self._hunt_paths()
        return Finding(Fate.UNKNOWN)

    def _hunt_paths(self) -> Finding:
        for episode in EPISODES:
            # mypy infers no type for a function with a default that is written in place
            for path in get_paths(lambda tracer, open=episode: self._run(tracer, open), self._choose):  # type: ignore[misc]
                failed = self._ask(path)
                if failed:
                    return Finding(Fate.KILLED, f"{self._name}/{failed}")
        # the gate fails a clause that no path breaks, and an event that is never accepted
        if not self._is_accepted:
            return Finding(Fate.KILLED, f"{self._name}/REJ-1")
        idle = sorted(self._kept - self._broken)
        if idle:
            return Finding(Fate.KILLED, f"{self._name}/{idle[0]}")
        return Finding(Fate.UNKNOWN if self._is_open else Fate.SURVIVED)

    def _run(self, tracer: Tracer, episode: str | None) -> tuple[SymCase, Collector]:
        self._reached.now = False
        case = run_event(tracer, self._kind, episode=episode)
        collector = Collector(self._kind)
        if self._reached.now:
            collect_guard(collector, CONTRACTS[self._kind], case)
            if case.rejected is None:
                collect_effect(collector, CONTRACTS[self._kind], case)
        return case, collector

    def _choose(self, scripts: list[list[Decision]]) -> int:
        """Other ways out of the mutant's statement first, then what is decided after it, then all else."""
        place = self._reached.place
        if place is None:
            return len(scripts) - 1
        return min(
            range(len(scripts)), key=lambda one: (len(scripts[one]) <= place, abs(len(scripts[one]) - 1 - place))
        )

    def _ask(self, path: Path[tuple[SymCase, Collector]]) -> str:
        """The name of an obligation that fails on this path, if one does."""
        if path.result is None:
            return self._decide(Group(path.condition, {"REJ-1": z3.BoolVal(False)})) if self._reached.now else ""
        case, collector = path.result
        if case.rejected is not None:
            self._broken.add(f"guard/{case.rejected.name}")
            world = case.world
            if any(table.written for table in (world.accounts, world.markets, world.seen, world.stakes, world.orders)):
                return "REJ-1"
        self._is_accepted = self._is_accepted or case.rejected is None
        for group in _get_groups(collector):
            if case.rejected is None:
                self._kept |= {name for name in group.conclusions if name.startswith("guard/")}
            failed = self._decide(group)
            if failed:
                return failed
        return ""

    def _decide(self, group: Group) -> str:
        verdict, failed = refute(group)
        self._is_open = self._is_open or verdict is Verdict.UNKNOWN
        return failed


@frozen
class Group:
    """Claims under the same premises, by the names of their obligations."""

    premises: tuple[z3.BoolRef, ...]
    conclusions: dict[str, z3.BoolRef]


def _get_groups(collector: Collector) -> Iterator[Group]:
    """The claims about one path: its guard's, and its effect's with its frame."""
    for layers in (("guard",), ("effect", "law")):
        entries = {key[2]: found[0] for key, found in collector.claims.items() if key[0] in layers}
        for tracer, facts, *_ in list(entries.values())[:1]:
            premises = (*tracer.assumptions, *tracer.decisions, *facts)
            yield Group(premises, {name: entry[2] for name, entry in entries.items()})


def refute(group: Group) -> tuple[Verdict, str]:
    """Whether all follow, asked at once; where not, the name of one that does not."""
    wanted = {name: z3.simplify(one) for name, one in group.conclusions.items()}
    wanted = {name: one for name, one in wanted.items() if not z3.is_true(one)}
    if not wanted:
        return Verdict.PROVED, ""
    context = z3.Context()
    solver = z3.Solver(ctx=context)
    solver.set("rlimit", HUNT_RLIMIT)
    solver.set("timeout", TIMEOUT_MS)
    for premise in group.premises:
        solver.add(premise.translate(context))
    theirs = {name: one.translate(context) for name, one in wanted.items()}
    solver.add(z3.Not(z3.And(*theirs.values())))
    answer = solver.check()
    if answer == z3.unsat:
        return Verdict.PROVED, ""
    if answer == z3.sat:
        model = solver.model()
        wrong = [name for name, one in theirs.items() if not z3.is_true(model.eval(one, model_completion=True))]
        return Verdict.VIOLATED, wrong[0] if wrong else next(iter(theirs))
    return _refute_each(group.premises, wanted)


def _refute_each(premises: tuple[z3.BoolRef, ...], conclusions: dict[str, z3.BoolRef]) -> tuple[Verdict, str]:
    """Likewise, one by one."""
    is_open = False
    for name, conclusion in conclusions.items():
        verdict = decide_claim(Claim(premises, conclusion, name), HUNT_RLIMIT).verdict
        if verdict is Verdict.VIOLATED:
            return verdict, name
        is_open = is_open or verdict is Verdict.UNKNOWN
    return (Verdict.UNKNOWN if is_open else Verdict.PROVED), ""
