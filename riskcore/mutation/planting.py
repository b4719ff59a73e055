"""Puts a wrong source into the running kernel, and takes it out again.

The functions that came out different lend their code to the originals. Those stay the same
objects, so whoever imported one by value meets the fault too, the prover's contracts included.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any


class NotPlantable(Exception):
    """A replacement that changes no function, or something else as well."""


@cache
def get_source(module: ModuleType) -> str:
    assert module.__file__ is not None
    return Path(module.__file__).read_text(encoding="utf-8")


@contextmanager
def swapped(changed: Iterable[tuple[FunctionType, FunctionType]]) -> Iterator[None]:
    """Run the block with each first function doing what the second one does."""
    pairs = list(changed)
    saved = [(function, get_parts(function)) for function, _ in pairs]
    for function, wrong in pairs:
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


def get_changed_by(module: ModuleType, wrong_source: str) -> list[tuple[FunctionType, FunctionType]]:
    """Each function of the module that another source of it changes, with what it becomes. Raises ``NotPlantable``."""
    right, wrong = get_functions(get_source(module)), get_functions(wrong_source)
    changed = [name for name in right if name in wrong and right[name] != wrong[name]]
    if not changed or right.keys() != wrong.keys():
        raise NotPlantable(f"what is replaced is not within functions of {module.__name__}")
    copy = load(module.__name__, wrong_source)
    return [(find(module, name), find(copy, name)) for name in changed]


def get_functions(source: str) -> dict[str, str]:
    """The functions and methods of a source by qualified name, as trees without line numbers."""
    return {name: ast.dump(node) for name, node in get_function_nodes(ast.parse(source))}


def get_function_nodes(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.FunctionDef]]:
    """The functions and methods of a tree with their qualified names; those within functions are part of them."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.FunctionDef):
            yield prefix + child.name, child
        elif isinstance(child, ast.ClassDef):
            yield from get_function_nodes(child, f"{prefix}{child.name}.")


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
