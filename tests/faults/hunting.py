"""Proves the obligations that a fault should kill, and no others: the rest of its unit would cost minutes.

They are collected and decided as ``riskcore verify`` does it. What is left out is only
which laws, guards and effects are asked about while the paths are traced.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from unittest.mock import patch

from proofs.lemmas import LEMMAS
from riskcore.prover import obligations
from riskcore.prover.apart import apart
from riskcore.prover.solver import Verdict
from riskcore.verify import Result, get_kind, prove, replay_witnesses
from specs.laws import LAWS
from tests.faults.planting import Fault, plant


def hunt(fault: Fault) -> list[Result]:
    """The verdicts, with the fault planted, on the obligations that it names, in its order."""
    with plant(fault), apart():
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
        with asked_for(names):
            yield from prove_until_found(unit, {get_full_name(unit, name) for name in names})


def prove_until_found(unit: str, wanted: set[str]) -> Iterator[Result]:
    """The verdicts on an event's obligations, path by path: as soon as each has failed on one, the rest are left.

    A path's accepting end comes first, where most faults show. What fails on no path is decided on all.
    """
    collector = obligations.Collector(get_kind(unit))
    left, is_accepted = set(wanted), False
    for path in obligations.trace(collector):
        # before that there is none is no finding, but that none was traced yet
        is_accepted = is_accepted or (path.result is not None and path.result.rejected is None)
        asked = left if is_accepted else left - {get_full_name(unit, "REJ-1")}
        for result in prove_some(obligations.make_obligations(collector, [path]), asked):
            if result.verdict == Verdict.VIOLATED:
                left.remove(result.name)
                yield result
        if not left:
            return
    yield from prove_some(obligations.make_obligations(collector, collector.paths), left)


def prove_some(found: list[obligations.Obligation], wanted: set[str]) -> list[Result]:
    """The verdicts on those that are wanted and say something."""
    return [prove(obligation) for obligation in found if obligation.name in wanted and obligation.claims]


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
