"""A condition of the kernel's, read off its source, with the number that stood on each side.

``require(margin.equity < margin.maintenance, ...)`` is read as it stands there, and its sides are evaluated in the
frame in which the kernel just did so. A condition that is a call, or a name for one, is followed to where it compares;
where one part decides about the whole, it is that part.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from functools import cache
from types import CodeType, FrameType, FunctionType
from typing import Any, Final

from attrs import frozen

from riskcore.rules import Rule

#: How far calls within calls are followed.
_DEPTH: Final = 6
_SIGNS: Final[dict[type[ast.cmpop], str]] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}


@frozen
class Comparison:
    """A part of a condition: ``text`` as the source has it, ``numbers`` the same with values, ``where`` it stands.

    ``holds``: whether it is true. ``sides``: the values, one for each side; of what is no comparison, none.
    """

    text: str
    numbers: str
    holds: bool
    where: str
    sides: tuple[Any, ...] = ()


@frozen
class Clause:
    """A condition that the kernel required, ``text`` as ``where`` has it, and the rule that it stands for."""

    rule: Rule
    text: str
    holds: bool
    where: str
    comparisons: tuple[Comparison, ...]


@frozen
class _Scope:
    """Where an expression stands: the values of its names, the function around it, and before which line of it."""

    values: Mapping[str, Any]
    function: ast.FunctionDef | None
    line: int
    where: str

    def evaluate(self, node: ast.expr) -> Any:
        code = compile(ast.fix_missing_locations(ast.Expression(node)), self.where, "eval")
        # names that a comprehension reads must be global to it
        return eval(code, dict(self.values))


def read_clause(caller: FrameType, rule: Rule, holds: bool) -> Clause:
    """The condition of the ``require`` that ``caller`` is at."""
    function, offset = _parse(caller.f_code)
    line = caller.f_lineno - offset
    calls = (node for node in ast.walk(function) if isinstance(node, ast.Call) and _calls(node, "require"))
    call = next(node for node in calls if node.lineno <= line <= (node.end_lineno or 0))
    condition, scope = call.args[0], _get_scope(caller, function, call.lineno)
    return Clause(rule, ast.unparse(condition), holds, scope.where, tuple(_compare(condition, scope, _DEPTH)))


def read_raised(frame: FrameType, line: int, rule: Rule) -> Clause:
    """The condition of the ``if`` in which ``frame`` raised the rejection at ``line`` itself."""
    function, offset = _parse(frame.f_code)
    branches = (node for node in ast.walk(function) if isinstance(node, ast.If))
    branch = next(node for node in branches if node.lineno <= line - offset <= (node.end_lineno or 0))
    scope = _get_scope(frame, function, branch.lineno)
    comparisons = tuple(_compare(branch.test, scope, _DEPTH))
    return Clause(rule, f"not ({ast.unparse(branch.test)})", False, scope.where, comparisons)


def _get_scope(frame: FrameType, function: ast.FunctionDef, line: int) -> _Scope:
    where = _name(frame.f_globals["__name__"], frame.f_code.co_name)
    return _Scope({**frame.f_globals, **frame.f_locals}, function, line, where)


def explain_call(function: Callable[..., bool], *arguments: Any) -> tuple[Comparison, ...]:
    """What a predicate of the kernel's compares for these arguments, on the way that it takes."""
    assert isinstance(function, FunctionType)
    return tuple(_follow(function, inspect.signature(function).bind(*arguments).arguments, _DEPTH) or ())


def _name(module: str, function: str) -> str:
    return f"{module.rpartition('.')[2]}.{function}"


@cache
def _parse(code: CodeType) -> tuple[ast.FunctionDef, int]:
    """The function's tree, and how many lines of its file are before it."""
    lines, start = inspect.getsourcelines(code)
    (function,) = ast.parse(textwrap.dedent("".join(lines))).body
    assert isinstance(function, ast.FunctionDef)
    return function, start - 1


def _calls(node: ast.Call, name: str) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id == name


def _compare(node: ast.expr, scope: _Scope, depth: int) -> Iterator[Comparison]:
    """The comparisons that decide a condition: all, or the first that is enough for it to hold, or to fail."""
    operands, is_either = _get_operands(node)
    if isinstance(node, ast.UnaryOp):
        yield from _compare(node.operand, scope, depth)
    elif operands:
        # what comes behind the one that decides may not be evaluated, as the kernel did not
        decides = next((one for one in operands if bool(scope.evaluate(one)) is is_either), None)
        for operand in operands if decides is None else [decides]:
            yield from _compare(operand, scope, depth)
    elif isinstance(node, ast.Compare):
        yield _read_comparison(node, scope)
    else:
        within = tuple(_look_into(node, scope, depth) or ()) if depth else ()
        value = scope.evaluate(node)
        yield from within or (Comparison(ast.unparse(node), _show(value), bool(value), scope.where),)


def _get_operands(node: ast.expr) -> tuple[list[ast.expr], bool]:
    """What is joined by ``or``, ``and`` or their bitwise kind, and whether one of them is enough."""
    if isinstance(node, ast.BoolOp):
        return node.values, isinstance(node.op, ast.Or)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr):
        return [node.left, node.right], isinstance(node.op, ast.BitOr)
    return [], False


def _read_comparison(node: ast.Compare, scope: _Scope) -> Comparison:
    sides = tuple(scope.evaluate(side) for side in (node.left, *node.comparators))
    shown = [_show(side) for side in sides]
    signs = [_SIGNS[type(op)] for op in node.ops]
    numbers = shown[0] + "".join(f" {sign} {side}" for sign, side in zip(signs, shown[1:], strict=True))
    plain = tuple(side if type(side) in (int, bool) else text for side, text in zip(sides, shown, strict=True))
    return Comparison(ast.unparse(node), numbers, bool(scope.evaluate(node)), scope.where, plain)


def _show(value: Any) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    return str(value) if value is None or type(value) in (int, bool, str) else f"({type(value).__name__})"


def _look_into(node: ast.expr, scope: _Scope, depth: int) -> Iterator[Comparison] | None:
    """What a call, or a name for one, compares; None where there is nothing to be seen."""
    if isinstance(node, ast.Name):
        assigned = _find_assigned(node.id, scope)
        # one that another way through the function set is not what the name stands for
        is_it = assigned is not None and scope.evaluate(assigned) is scope.evaluate(node)
        return _compare(assigned, scope, depth - 1) if is_it and assigned is not None else None
    if not isinstance(node, ast.Call) or node.keywords:
        return None
    function = scope.evaluate(node.func)
    if not isinstance(function, FunctionType) or not function.__module__.startswith("riskcore."):
        return None
    arguments: list[Any] = []
    for argument in node.args:
        if isinstance(argument, ast.Starred):
            arguments += scope.evaluate(argument.value)
        else:
            arguments.append(scope.evaluate(argument))
    return _follow(function, inspect.signature(function).bind(*arguments).arguments, depth - 1)


def _find_assigned(name: str, scope: _Scope) -> ast.expr | None:
    """What a name was last set to before the line."""
    found: ast.expr | None = None
    for node in ast.walk(scope.function) if scope.function is not None else ():
        if isinstance(node, ast.Assign) and node.lineno < scope.line and len(node.targets) == 1:
            target = node.targets[0]
            if isinstance(target, ast.Name) and target.id == name:
                found = node.value
    return found


def _follow(function: FunctionType, arguments: Mapping[str, Any], depth: int) -> Iterator[Comparison] | None:
    """What the function compares in the expression that it returns; None where it takes a way that is no formula."""
    tree, _ = _parse(function.__code__)
    values = {**function.__globals__, **arguments}
    where = _name(function.__module__, function.__name__)
    statements = list(tree.body)
    while statements:
        statement = statements.pop(0)
        scope = _Scope(values, tree, statement.lineno, where)
        if isinstance(statement, ast.Return) and statement.value is not None:
            return _compare(statement.value, scope, depth)
        if isinstance(statement, ast.If):
            statements = (statement.body if scope.evaluate(statement.test) else statement.orelse) + statements
        elif isinstance(statement, ast.Assign | ast.Expr):
            exec(compile(ast.Module([statement], []), where, "exec"), values)
        else:
            return None
    return None
