"""Plants a fault in the running kernel, and digs it out again.

One snippet of a module's source is replaced, the module is compiled anew, and the
functions that came out different lend their code to the originals. Those stay the same
objects, so whoever imported one by value meets the fault too, the prover's contracts included.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from attrs import field, frozen


class NotPlantable(Exception):
    """A snippet that does not occur exactly once, or a replacement that changes no function."""


@frozen
class Fault:
    """A wrong rule.

    ``kinds``: the numbers of the real faults it stands for (``kinds.py``), none where it is a
    class of its own. ``module``: the kernel module in which ``old`` becomes ``new``.
    ``unit``: the unit of ``riskcore.verify`` that sees it, by ``kills``: its obligations that
    die, the most telling one first. Where there are none, no proof sees the fault, and
    ``log``, a check of ``examples.py``, shows it.
    """

    name: str
    words: str
    kinds: tuple[int, ...]
    module: str
    old: str
    new: str
    unit: str = ""
    kills: tuple[str, ...] = ()
    log: str = field(default="")


@contextmanager
def plant(fault: Fault) -> Iterator[None]:
    """Run the block on a kernel with the fault in it. Raises ``NotPlantable``."""
    changed = get_changed(import_module(f"riskcore.{fault.module}"), fault)
    saved = [(function, get_parts(function)) for function, _ in changed]
    for function, wrong in changed:
        set_parts(function, get_parts(wrong))
    try:
        yield
    finally:
        for function, parts in saved:
            set_parts(function, parts)


def get_parts(function: FunctionType) -> tuple[Any, ...]:
    """What a function does: its code and the defaults of its arguments."""
    return function.__code__, function.__defaults__, function.__kwdefaults__


def set_parts(function: FunctionType, parts: tuple[Any, ...]) -> None:
    function.__code__, function.__defaults__, function.__kwdefaults__ = parts


def get_changed(module: ModuleType, fault: Fault) -> list[tuple[FunctionType, FunctionType]]:
    """Each function of the module that the fault changes, with what it becomes."""
    assert module.__file__ is not None
    source = Path(module.__file__).read_text(encoding="utf-8")
    if source.count(fault.old) != 1:
        raise NotPlantable(f"{fault.name}: the snippet occurs {source.count(fault.old)} times in {module.__name__}")
    wrong_source = source.replace(fault.old, fault.new)
    right, wrong = get_functions(source), get_functions(wrong_source)
    changed = [name for name in right if name in wrong and right[name] != wrong[name]]
    if not changed or right.keys() != wrong.keys():
        raise NotPlantable(f"{fault.name}: what it replaces is not within functions of {module.__name__}")
    copy = load(module.__name__, wrong_source)
    return [(find(module, name), find(copy, name)) for name in changed]


def get_functions(source: str) -> dict[str, str]:
    """The functions and methods of a source by qualified name, as trees without line numbers."""
    found: dict[str, str] = {}

    def visit(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef):
                found[prefix + child.name] = ast.dump(child)
            elif isinstance(child, ast.ClassDef):
                visit(child, f"{prefix}{child.name}.")

    visit(ast.parse(source), "")
    return found


def load(name: str, source: str) -> ModuleType:
    """A module of its own from a source; ``sys.modules`` keeps the original."""
    module = ModuleType(name)
    module.__file__ = sys.modules[name].__file__
    exec(compile(source, f"<{name} with a fault>", "exec"), vars(module))
    return module


def find(module: ModuleType, name: str) -> FunctionType:
    """A function, method or static method by its qualified name."""
    owner, _, last = name.rpartition(".")
    place = getattr(module, owner) if owner else module
    value = vars(place)[last]
    if isinstance(value, staticmethod | classmethod):
        value = value.__func__
    function = value.fget if isinstance(value, property) else value
    assert isinstance(function, FunctionType)
    return function
