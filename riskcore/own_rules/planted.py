"""Runs the kernel, and the laws that a replay checks, with a file's rules in place of the kernel's.

Nothing of the kernel is written: for as long as it lasts, the names by which its modules and the
specification's know a function stand for the file's.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from riskcore import liquidation, trading
from riskcore.events import Event
from riskcore.monitor import Monitor, Violation
from riskcore.own_rules.files import KERNELS, RulesFile, describe
from riskcore.own_rules.given import check_result
from riskcore.ranking import Candidate, Score
from riskcore.state import State
from riskcore.step import Outcome
from specs import allocation as parts
from specs import liquidation as liquidations
from specs import ranking as ranks
from specs import tiers as requirements
from specs import trading as trades

#: Where a fee is charged, and said to be: a rate of an amount, which elsewhere is a requirement.
FEES: tuple[tuple[ModuleType, str], ...] = (
    (trading, "apply_rate"),
    (liquidation, "apply_rate"),
    (trades, "rate_of"),
    (liquidations, "rate_of"),
)


@contextmanager
def planted(file: RulesFile) -> Iterator[None]:
    """Run the block with the file's rules."""
    pairs = [*_get_replacements(file)]
    fees = [(module, name, getattr(module, name)) for module, name in FEES]
    _replace({id(original): own for original, own in pairs})
    if "get_fee" in file.functions:
        for module, name in FEES:
            setattr(module, name, _checked(file, "get_fee"))
    try:
        yield
    finally:
        for module, name, original in fees:
            setattr(module, name, original)
        # in every module that there is by now: one that came in meanwhile has the file's too
        _replace({id(own): original for original, own in pairs})


def _replace(replaced: Mapping[int, Callable[..., Any]]) -> None:
    """Let each name of the package's modules that stands for one function stand for another."""
    for module in [*sys.modules.values()]:
        if isinstance(module, ModuleType) and module.__name__.partition(".")[0] in ("riskcore", "specs"):
            for name, value in [*vars(module).items()]:
                if id(value) in replaced:
                    setattr(module, name, replaced[id(value)])


def _checked(file: RulesFile, name: str) -> Callable[..., Any]:
    """The file's function, whose result is looked at."""
    function = file.functions[name]
    return lambda *arguments: check_result(name, function(*arguments))


def _get_replacements(file: RulesFile) -> Iterator[tuple[Callable[..., Any], Callable[..., Any]]]:
    """Each function that the file's take the place of, the specification's included, with what takes it."""
    for name in file.functions:
        yield KERNELS[name], _checked(file, name)
    plain: dict[str, Callable[..., Any]] = {
        "get_maintenance_requirement": requirements.maintenance_requirement,
        "get_initial_requirement": requirements.initial_requirement,
        "get_score": ranks.score,
        "get_weight": parts.weight_of,
    }
    for name, specified in plain.items():
        if name in file.functions:
            yield specified, _checked(file, name)
    if "is_ahead" in file.functions:
        yield ranks.ahead, _get_ahead(_checked(file, "is_ahead"))
    if {"get_exact_part", "get_weight"} & {*file.functions}:
        yield parts.exact_part_of, _get_exact_part_of(file)


def _get_ahead(is_ahead: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *figures: is_ahead(_candidate(*figures[:3]), _candidate(*figures[3:]))


def _candidate(score: tuple[int, int], size: int, id: Any) -> Candidate:
    return Candidate(Score(*score), size, id)


def _get_exact_part_of(file: RulesFile) -> Callable[..., Any]:
    weigh, part = file.get("get_weight"), file.get("get_exact_part")

    def exact_part_of(policy: Any, size: int, cost: int, mark: int, equity: int, lots: int, per: int) -> Any:
        return part(policy, size, weigh(policy, size, cost, mark, equity), lots, per)

    return exact_part_of


class RulesMonitor(Monitor):
    """A monitor to whom an exception is a broken law: none but a rejection may escape (REJ-1)."""

    def step(self, state: State, event: Event) -> Outcome:
        try:
            return super().step(state, event)
        except Exception as error:  # whatever a rule does to the kernel is a finding
            self.tallies["REJ-1"].checked += 1
            self.tallies["REJ-1"].violations += 1
            clause = f"no exception but a rejection escapes; {describe(error)}"
            self.violations.append(Violation("REJ-1", self._sentences["REJ-1"], event, clause, "", ""))
            return Outcome(state, (), None)
