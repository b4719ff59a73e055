"""Proves the obligations that a fault should kill, and no others: the rest of its unit would cost minutes.

They are collected and decided as ``riskcore verify`` does it. What is left out is which laws, guards and effects
are asked about while the paths are traced, and the paths after those on which all of them have died: a claim that
fails on one path fails, whatever the others say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TypeVar
from unittest.mock import patch

from proofs.lemmas import LEMMAS
from riskcore import verify
from riskcore.events import Header
from riskcore.prover import obligations
from riskcore.prover.obligations import Collector
from riskcore.prover.solver import Answer, Claim, Verdict, decide_claim, is_satisfiable
from riskcore.prover.tracer import Path, Tracer, get_paths
from riskcore.verify import Result, collect, prove, replay_witnesses
from specs.laws import LAWS
from tests.faults.planting import Fault, plant

T = TypeVar("T")


def hunt(fault: Fault) -> list[Result]:
    """The verdicts, with the fault planted, on the obligations that it names, in its order."""
    with plant(fault):
        found = {result.name: result for result in prove_named(fault.unit, fault.kills)}
    return [found[get_full_name(fault.unit, name)] for name in fault.kills if get_full_name(fault.unit, name) in found]


def get_full_name(unit: str, name: str) -> str:
    """The name that ``riskcore verify`` prints."""
    return f"{unit.removeprefix('lemma:')}/{name}"


def prove_named(unit: str, names: tuple[str, ...]) -> Iterator[Result]:
    """The verdicts on some obligations of a unit."""
    if unit.startswith("lemma:"):
        module = unit.removeprefix("lemma:")
        yield from (prove(lemma.get_obligation(module)) for lemma in LEMMAS[module] if lemma.name in names)
        return
    if "WITNESS" in names:
        yield replay_witnesses(unit)
    if set(names) - {"WITNESS"}:
        wanted = {get_full_name(unit, name) for name in names}
        chase = Chase(names)
        with asked_for(names), chase.on():
            collected = collect(unit)
            yield from (prove(obligation) for obligation in collected if obligation.name in wanted)


class Chase:
    """Looks after each path which of the wanted obligations have died on it, and ends the tracing with the last."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._alive = {name for name in names if name != "WITNESS"}
        self._collectors: list[Collector] = []
        #: how many claims of each obligation were decided
        self._seen: dict[obligations.Key, int] = {}
        self._answers: dict[tuple[int, ...], tuple[Claim, Answer]] = {}

    def on(self) -> ExitStack:
        """While it is open, whoever collects obligations is followed; what was decided is not decided again."""
        stack = ExitStack()
        stack.enter_context(patch.object(obligations, "Collector", self._make_collector))
        stack.enter_context(patch.object(obligations, "get_paths", self._get_paths))
        stack.enter_context(patch.object(verify, "decide_claim", self._decide))
        return stack

    def _make_collector(self, kind: type[Header]) -> Collector:
        self._collectors.append(Collector(kind))
        return self._collectors[-1]

    def _get_paths(self, function: Callable[[Tracer], T]) -> Iterator[Path[T]]:
        if not self._alive:
            return
        for path in get_paths(function):
            yield path
            self._look_at(path)
            if not self._alive:
                return

    def _look_at(self, path: Path[T]) -> None:
        # what a path that broke off would have done is not known, and nothing claimed of it counts
        if path.result is None and is_satisfiable(path.condition):
            self._alive.discard("REJ-1")
        for key, entries in self._collectors[-1].claims.items():
            first = self._seen.get(key, 0)
            self._seen[key] = len(entries)
            if path.result is None or key[2] not in self._alive:
                continue
            for tracer, facts, conclusion, where in entries[first:]:
                claim = Claim((*tracer.assumptions, *tracer.decisions, *facts), conclusion, where)
                if self._decide(claim).verdict is Verdict.VIOLATED:
                    self._alive.discard(key[2])
                    break

    def _decide(self, claim: Claim) -> Answer:
        # the claim is kept, so that its terms keep their ids
        key = (claim.conclusion.get_id(), *(premise.get_id() for premise in claim.premises))
        if key not in self._answers:
            self._answers[key] = claim, decide_claim(claim)
        return self._answers[key][1]


def asked_for(names: tuple[str, ...]) -> ExitStack:
    """While it is open, an event's paths are asked about these obligations only."""
    stack = ExitStack()
    laws = tuple(law for law in LAWS if law.id in names)
    stack.enter_context(patch.object(obligations, "LAWS", laws))
    if not any(name.startswith("guard/") for name in names):
        stack.enter_context(patch.object(obligations, "collect_guard", _ask_nothing))
    if not any(name.startswith("effect/") or name == "FRAME-1" for name in names):
        stack.enter_context(patch.object(obligations, "collect_effect", _ask_nothing))
    return stack


def _ask_nothing(*arguments: object) -> None:
    """Stands for a layer that is left out."""
