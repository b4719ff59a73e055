"""Runs the kernel, and the laws that a replay checks, with a file's rules in place of the kernel's.

Nothing of the kernel is written: for as long as it lasts, the names by which its modules and the
specification's know a function stand for the file's.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
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
    put: list[tuple[ModuleType, str, Any, Any]] = []

    def replace(module: ModuleType, name: str, own: Any) -> None:
        put.append((module, name, getattr(module, name), own))
        setattr(module, name, own)

    replaced = {id(original): own for original, own in _get_replacements(file)}
    for module in [*sys.modules.values()]:
        if module is not None and module.__name__.startswith(("riskcore.", "specs.")):
            for name, value in [*vars(module).items()]:
                if id(value) in replaced:
                    replace(module, name, replaced[id(value)])
    if "get_fee" in file.functions:
        for module, name in FEES:
            replace(module, name, _checked(file, "get_fee"))
    try:
        yield
    finally:
        for module, name, value, _ in reversed(put):
            setattr(module, name, value)


def _checked(file: RulesFile, name: str) -> Callable[..., Any]:
    """The file's function, whose result is looked at."""
    function = file.functions[name]
    return lambda *arguments: check_result(name, function(*arguments))


def _get_replacements(file: RulesFile) -> Iterator[tuple[Callable[..., Any], Callable[..., Any]]]:
    """Each function that the file's take the place of, the specification's included, with what takes it."""
    own = {name: _checked(file, name) for name in file.functions}
    for name, function in own.items():
        yield KERNELS[name], function
    plain = {
        "get_maintenance_requirement": requirements.maintenance_requirement,
        "get_initial_requirement": requirements.initial_requirement,
        "get_score": ranks.score,
        "get_weight": parts.weight_of,
    }
    for name, specified in plain.items():
        if name in own:
            yield specified, own[name]
    if "is_ahead" in own:
        yield ranks.ahead, lambda *figures: own["is_ahead"](_candidate(*figures[:3]), _candidate(*figures[3:]))
    if "get_exact_part" in own or "get_weight" in own:
        yield parts.exact_part_of, _get_exact_part_of(file)


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
