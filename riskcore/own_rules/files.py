"""Reads a file of rules: plain Python that defines functions by the kernel's names.

The file is run once, as Python runs a module; what is wrong with it is said by file and line, as of any input.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from attrs import frozen

from riskcore import allocation, margin, ranking
from riskcore.bad_input import LogError, get_cause, get_hint, list_names, printable
from riskcore.files import get_length
from riskcore.own_rules.lawful import Offence, get_attributes, get_offences
from riskcore.quantities import apply_rate


def get_fee(notional: int, rate: int) -> int:
    """What the kernel charges of a fill or a liquidation's fill; ``rate`` in parts per million, below zero a rebate."""
    return apply_rate(notional, rate)


#: What a file may define, with the kernel's own.
KERNELS: Mapping[str, Callable[..., Any]] = {
    "get_maintenance_requirement": margin.get_maintenance_requirement,
    "get_initial_requirement": margin.get_initial_requirement,
    "get_fee": get_fee,
    "get_score": ranking.get_score,
    "is_ahead": ranking.is_ahead,
    "get_weight": allocation.get_weight,
    "get_exact_part": allocation.get_exact_part,
}


@frozen
class RulesFile:
    """``functions``: those of ``KERNELS`` that the file defines, by name. ``attributes``: what is read in it of others.

    ``offences``: constructs in them that cannot be followed.
    """

    path: str
    functions: Mapping[str, Callable[..., Any]]
    attributes: frozenset[str]
    offences: tuple[Offence, ...]

    def get(self, name: str) -> Callable[..., Any]:
        """The file's function, or the kernel's where the file has none."""
        return self.functions.get(name, KERNELS[name])

    def get_line(self, error: BaseException) -> int | None:
        """The innermost line of the file that an exception came through."""
        frames = traceback.extract_tb(error.__traceback__)
        return next((frame.lineno for frame in reversed(frames) if frame.filename == self.path), None)


def read_rules(path: Path) -> RulesFile:
    """Read a file of rules. Raises ``LogError`` where it cannot be read, run, or has no function of the kernel's."""
    name = str(path)
    tree = _parse(name, _read(path))
    namespace = _run(name, tree)
    functions = {one: namespace[one] for one in KERNELS if inspect.isfunction(namespace.get(one))}
    lines = {node.name: node.lineno for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    own = {one: function for one, function in functions.items() if one in lines}
    if not own:
        hints = (get_hint(one, KERNELS) for one in lines)
        raise LogError(name, None, None, f"a function of {list_names(KERNELS)}", next(filter(None, hints), " none")[1:])
    for one, function in own.items():
        _check_parameters(name, lines[one], one, function)
    offences = get_offences(tree, own, namespace)
    return RulesFile(name, own, frozenset(get_attributes(tree)), tuple(offences))


def _read(path: Path) -> str:
    get_length(path, "a file that can be read")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise LogError(str(path), None, None, "Python in UTF-8", "other bytes") from None
    except (OSError, ValueError) as error:
        raise LogError(str(path), None, None, "a file that can be read", get_cause(error)) from None


def _parse(name: str, source: str) -> ast.Module:
    try:
        return ast.parse(source, name)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = error.lineno if isinstance(error, SyntaxError) else None
        words = (error.msg if isinstance(error, SyntaxError) else str(error)) or type(error).__name__
        raise LogError(name, line, None, "Python", printable(words)) from None


def _run(name: str, tree: ast.Module) -> dict[str, Any]:
    """The names of the file once it was run."""
    module = ModuleType(Path(name).stem)
    module.__file__ = name
    linecache.checkcache(name)
    try:
        exec(compile(tree, name, "exec", dont_inherit=True), vars(module))
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        line = next((frame.lineno for frame in reversed(frames) if frame.filename == name), None)
        line = line or getattr(error, "lineno", None)
        raise LogError(name, line, None, "a file that runs", printable(describe(error))) from None
    return vars(module)


def describe(error: BaseException) -> str:
    """An exception as its last line in a traceback."""
    words = str(error)
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def _check_parameters(name: str, line: int, own: str, function: Callable[..., Any]) -> None:
    expected, found = (_get_parameters(one) for one in (KERNELS[own], function))
    if expected != found:
        raise LogError(name, line, own, f"the parameters ({', '.join(expected)})", f"({', '.join(found)})")


def _get_parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    """Names of positional parameters without a default; any other kind as it is written."""
    signature = inspect.signature(function).parameters.values()
    plain = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return tuple(
        one.name if one.kind is plain and one.default is inspect.Parameter.empty else str(one) for one in signature
    )
