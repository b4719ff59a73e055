"""What a rule may be written in, so that what runs on symbols is what runs on integers.

Read off the source: each construct by which a function could tell a symbol from an integer, remember something
from one call to the next, or leave exact integers, is an offence with its line and what to write instead. What is
left either works on symbols as on integers, or raises there.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum, EnumMeta
from functools import reduce
from itertools import accumulate, pairwise
from types import FunctionType, ModuleType
from typing import Any, NewType

from attrs import frozen

from riskcore import choices
from riskcore.prover.kernel import MODULES


@frozen
class Offence:
    """A construct that cannot be followed, on a line of the file, and what does instead."""

    line: int
    construct: str
    instead: str


#: Builtins that do with a symbol what they do with an integer, or raise.
BUILTINS = {"abs", "all", "any", "bool", "divmod", "enumerate", "len", "list", "max", "min", "range", "reversed"}
BUILTINS |= {"sorted", "sum", "tuple", "zip"}
#: What other packages may lend a rule.
LENT: tuple[Any, ...] = (pairwise, accumulate, reduce)
KERNEL = {module.__name__: module for module in (*MODULES, choices)}

NO_NEED = "nothing: all values are integers already"
INSTEAD = {
    "int": "nothing, or // where a quotient is rounded down",
    "round": "(2 * n + d) // (2 * d) for n / d to the nearest, or // and riskcore.quantities.divide_up",
    "float": "an integer in parts per million",
    "pow": "a product",
    "isinstance": NO_NEED,
    "type": NO_NEED,
    "str": "nothing: a rule knows no text but ids, and compares them",
    "dict": "a tuple of pairs, or if and elif",
    "set": "a tuple",
    "frozenset": "a tuple",
    "print": "nothing: a rule has no effect but its result",
}
MEMORY = "an argument or a constant: a rule remembers nothing from one call to the next"
PLAIN = "if, for over a tuple or a range of constants, comprehensions, and integers"

_NODES: dict[type[ast.AST], tuple[str, str]] = {
    ast.ClassDef: ("a class", "a tuple, or one of the kernel's own types"),
    ast.AsyncFunctionDef: ("an async function", "a plain function"),
    ast.Try: ("try", "a condition: a handler would also catch what the prover raises"),
    ast.TryStar: ("try", "a condition: a handler would also catch what the prover raises"),
    ast.With: ("with", PLAIN),
    ast.AsyncWith: ("with", PLAIN),
    ast.AsyncFor: ("async for", PLAIN),
    ast.Match: ("match", "if and elif"),
    ast.Global: ("global", MEMORY),
    ast.Nonlocal: ("nonlocal", MEMORY),
    ast.Yield: ("yield", "a tuple that is returned"),
    ast.YieldFrom: ("yield", "a tuple that is returned"),
    ast.Await: ("await", "a plain call"),
    ast.Import: ("an import within a function", "an import at the top of the file"),
    ast.ImportFrom: ("an import within a function", "an import at the top of the file"),
    ast.JoinedStr: ("a formatted text", INSTEAD["str"]),
    ast.Dict: ("a dict", INSTEAD["dict"]),
    ast.DictComp: ("a dict", INSTEAD["dict"]),
    ast.Set: ("a set", INSTEAD["set"]),
    ast.SetComp: ("a set", INSTEAD["set"]),
    ast.Delete: ("del", MEMORY),
    ast.Div: ("true division", "// which rounds down, or riskcore.quantities.divide_up"),
    ast.MatMult: ("@", "a sum of products"),
}
#: What a symbol has and an integer has not, and the reverse is not found on symbols.
_TELLING = {"term", "named", "call", "choose"}


def get_offences(tree: ast.Module, names: Iterable[str], namespace: Mapping[str, Any]) -> list[Offence]:
    """The offences in the functions of these names and in those that they call, in the order of lines.

    ``namespace`` is what the file's names stand for once it was run.
    """
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    found: list[Offence] = []
    seen: set[str] = set()
    waiting = [name for name in names if name in functions]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        reader = _Reader(functions[name], namespace)
        found += reader.get_offences()
        waiting += [used for used in reader.used if used in functions]
    return sorted(set(found), key=lambda offence: (offence.line, offence.construct))


def get_attributes(tree: ast.Module) -> set[str]:
    """Every attribute that is read anywhere in the file."""
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


class _Reader:
    """One function of the file, with what is nested in it."""

    def __init__(self, function: ast.FunctionDef | ast.AsyncFunctionDef, namespace: Mapping[str, Any]) -> None:
        self._function = function
        self._namespace = namespace
        self._local = set(_get_local_names(function))
        self.used: list[str] = []

    def get_offences(self) -> Iterator[Offence]:
        if isinstance(self._function, ast.AsyncFunctionDef):
            yield Offence(self._function.lineno, *_NODES[ast.AsyncFunctionDef])
        for node, line in _walk(self._function, self._function.lineno):
            if type(node) in _NODES and node is not self._function:
                yield Offence(line, *_NODES[type(node)])
            yield from self._look_at(node, line)

    def _look_at(self, node: ast.AST, line: int) -> Iterator[Offence]:
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            yield Offence(line, "a decorator", "the function as it is")
        elif isinstance(node, ast.arguments) and not all(map(_is_constant, (*node.defaults, *node.kw_defaults))):
            # one that can be written to would be a memory
            yield Offence(line, "a default that is no constant", MEMORY)
        elif isinstance(node, ast.Constant) and isinstance(node.value, float | complex | bytes):
            yield Offence(line, f"the constant {node.value!r}", "an integer, as in parts per million")
        elif isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            yield Offence(line, "a write to a part of something", "a new value")
        elif isinstance(node, ast.Attribute) and (node.attr in _TELLING or node.attr.startswith("_")):
            yield Offence(line, f"the attribute {node.attr}", "a field of the market, its rules or a candidate")
        elif isinstance(node, ast.Compare):
            yield from self._look_at_identities(node, line)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not self._is_module(node.func):
            yield Offence(line, f"the method {node.func.attr}", "a comprehension, sum, min, max or a function")
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id not in self._local:
            self.used.append(node.id)
            yield from self._look_at_name(node.id, line)

    def _look_at_identities(self, node: ast.Compare, line: int) -> Iterator[Offence]:
        """Integers have no identity to speak of, and symbols have another; words and ``None`` do."""
        for operator, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(operator, ast.Is | ast.IsNot) and not self._is_word(right):
                yield Offence(line, "is", "==")

    def _is_word(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Constant):
            return node.value is None
        if not (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)):
            return False
        return isinstance(self._namespace.get(node.value.id), EnumMeta)

    def _is_module(self, node: ast.Attribute) -> bool:
        return isinstance(node.value, ast.Name) and isinstance(self._namespace.get(node.value.id), ModuleType)

    def _look_at_name(self, name: str, line: int) -> Iterator[Offence]:
        if name in self._namespace:
            if not _is_lent(self._namespace[name], self._namespace):
                kind = type(self._namespace[name]).__name__
                what = "a constant integer or tuple, a function of this file, or one of the kernel's"
                yield Offence(line, f"{name}, a {kind} from outside the function", what)
        elif hasattr(builtins, name) and not _is_harmless(name):
            yield Offence(line, name, INSTEAD.get(name, PLAIN))


def _is_constant(node: ast.expr | None) -> bool:
    return node is None or isinstance(node, ast.Constant)


def _is_harmless(name: str) -> bool:
    value = getattr(builtins, name)
    return name in BUILTINS or (isinstance(value, type) and issubclass(value, Exception))


def _is_lent(value: Any, namespace: Mapping[str, Any]) -> bool:
    """Whether a rule may use what a name of its file stands for."""
    if value is None or type(value) in (int, bool, str) or isinstance(value, Enum | EnumMeta | NewType):
        return True
    if type(value) is tuple:
        return all(_is_lent(part, namespace) for part in value)
    if isinstance(value, FunctionType):
        return value.__globals__ is namespace or value.__module__ in KERNEL
    if isinstance(value, ModuleType):
        return KERNEL.get(value.__name__) is value
    if isinstance(value, type):
        return value.__module__ in KERNEL or issubclass(value, Exception)
    return any(value is lent for lent in LENT)


def _walk(node: ast.AST, line: int) -> Iterator[tuple[ast.AST, int]]:
    """Everything in a function but annotations, each with its line."""
    line = getattr(node, "lineno", line)
    yield node, line
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _walk(child, line)


def _get_local_names(function: ast.AST) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.FunctionDef) and node is not function:
            yield node.name
