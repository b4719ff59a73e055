"""Which proofs run which functions, read off the code as it is loaded.

A function is run by an event, or by a lemma, that names it or a function that names it. What stands for its
contract while events are traced is left out there, as the prover does it. More may be named than is run: a
hunt there finds nothing, and costs time.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from types import CodeType, FunctionType, ModuleType
from typing import Any, TypeAlias

from attrs import frozen

from proofs.lemmas import LEMMAS
from riskcore.mutation.planting import find, get_function_nodes, get_source
from riskcore.mutation.types import KERNEL
from riskcore.prover import kernel
from riskcore.prover.obligations import get_event_name
from riskcore.transitions import TRANSITIONS
from specs.contracts import CONTRACTS

Function: TypeAlias = FunctionType

_STEP = KERNEL["step"]

#: Methods that run without being named.
UNNAMED = ("__init__", "__eq__", "__hash__", "__len__")


@frozen
class Unit:
    """An event, or one lemma of a module. ``weight``: how many functions it may run, which its cost goes by."""

    kind: str
    name: str
    weight: int

    @property
    def full_name(self) -> str:
        return f"{self.kind}/{self.name}" if self.kind else self.name


@cache
def get_functions() -> dict[Function, tuple[str, str]]:
    """Every function and method of the kernel, with its module and qualified name."""
    return {
        find(module, name): (short, name)
        for short, module in KERNEL.items()
        for name, _ in get_function_nodes(ast.parse(get_source(module)))
    }


@cache
def get_methods() -> dict[str, tuple[Function, ...]]:
    """The kernel's methods by their names: whose one is called is not told apart."""
    methods: dict[str, tuple[Function, ...]] = {}
    for function in get_functions():
        if "." in function.__qualname__:
            methods[function.__name__] = (*methods.get(function.__name__, ()), function)
    return methods


def get_names(code: CodeType) -> set[str]:
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= get_names(constant)
    return names


def get_called(function: Function, *, contracts: bool) -> Iterator[Function]:
    """The functions that a function's code names, those of contracts in place of what they stand for."""
    values = vars(kernel)["CONTRACTS"] if contracts else {}
    for name in get_names(function.__code__):
        value = function.__globals__.get(name)
        if isinstance(value, FunctionType):
            is_original = function.__globals__ is vars(kernel)
            yield value if is_original else values.get(value, value)
        elif isinstance(value, type):
            # what operators call is named nowhere
            yield from (one for name in UNNAMED if isinstance(one := getattr(value, name, None), FunctionType))
        yield from get_methods().get(name, ())
        for module in (one for one in function.__globals__.values() if isinstance(one, ModuleType)):
            value = vars(module).get(name)
            if isinstance(value, FunctionType) and module.__name__.startswith("riskcore."):
                yield values.get(value, value)


def get_reached(starts: list[Function], *, contracts: bool) -> set[Function]:
    """The kernel's functions that these may run."""
    left, known = list(starts), set(starts)
    while left:
        for called in get_called(left.pop(), contracts=contracts):
            home = called.__globals__.get("__name__", "")
            if called not in known and (home.startswith(("riskcore.", "proofs.")) or called in get_functions()):
                known.add(called)
                # how the prover works is no part of the kernel, but for the functions of its contracts
                if home == kernel.__name__ or not home.startswith("riskcore.prover"):
                    left.append(called)
    return {function for function in known if function in get_functions()}


@cache
def get_units() -> dict[Unit, frozenset[Function]]:
    """Every unit of proof with the functions that it may run."""
    found: dict[Unit, frozenset[Function]] = {}
    for module, lemmas in LEMMAS.items():
        for lemma in lemmas:
            reached = get_reached(list(_unfold(lemma.claim)), contracts=False)
            found[Unit(module, lemma.name, len(reached))] = frozenset(reached)
    for kind in CONTRACTS:
        starts = [vars(_STEP)["apply"], TRANSITIONS[kind], find(KERNEL["journal"], "Journal.post")]
        reached = get_reached(starts, contracts=True)
        found[Unit("", get_event_name(kind), len(reached))] = frozenset(reached)
    return found


def _unfold(value: Any) -> Iterator[Function]:
    """The functions that a lemma's claim is made of: closures hold others, or the kernel's own."""
    function = getattr(value, "func", value)
    for part in (*getattr(value, "args", ()), *getattr(value, "keywords", {}).values()):
        if isinstance(part, FunctionType):
            yield part
    if isinstance(function, FunctionType):
        yield function
        for cell in function.__closure__ or ():
            if isinstance(cell.cell_contents, FunctionType) and cell.cell_contents is not function:
                yield from _unfold(cell.cell_contents)


def get_units_of(function: Function) -> list[Unit]:
    """The units that may run a function: its own module's lemmas, then whatever runs the least."""
    module, _ = get_functions()[function]
    units = [unit for unit, reached in get_units().items() if function in reached]
    return sorted(units, key=lambda unit: (unit.kind != module, unit.weight, unit.full_name))
