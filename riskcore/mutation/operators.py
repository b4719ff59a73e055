"""What a mutant changes: one expression or statement of a function, like for like.

Each operator gives another text for a node, or several. They are the slips that real engines were broken by:
a sign, a side, a boundary, a rounding, a field of the same type, a line that was left out.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from copy import deepcopy
from enum import Enum, EnumMeta
from types import ModuleType
from typing import TypeAlias, TypeVar

from riskcore.journal import Party
from riskcore.mutation.types import Scope, Type, get_fields, get_owner, is_integer, is_like

#: The operator's name, and the text that takes the node's place.
Change: TypeAlias = tuple[str, str]

_ARITHMETIC: dict[type[ast.operator], ast.operator] = {
    ast.Add: ast.Sub(),
    ast.Sub: ast.Add(),
    ast.Mult: ast.Add(),
    ast.BitAnd: ast.BitOr(),
    ast.BitOr: ast.BitAnd(),
}
_BOUNDARY: dict[type[ast.cmpop], ast.cmpop] = {
    ast.Lt: ast.LtE(),
    ast.LtE: ast.Lt(),
    ast.Gt: ast.GtE(),
    ast.GtE: ast.Gt(),
}
_REVERSAL: dict[type[ast.cmpop], ast.cmpop] = {
    ast.Lt: ast.Gt(),
    ast.LtE: ast.GtE(),
    ast.Gt: ast.Lt(),
    ast.GtE: ast.LtE(),
    ast.Eq: ast.NotEq(),
    ast.NotEq: ast.Eq(),
    ast.Is: ast.IsNot(),
    ast.IsNot: ast.Is(),
}
#: Functions that stand beside each other, one for each direction.
_TWINS = {"divide_down": "divide_up", "divide_up": "divide_down"}
_EXTREMES = {"min": "max", "max": "min", "any": "all", "all": "any"}

Node = TypeVar("Node", bound=ast.AST)


def get_changes(node: ast.AST, scope: Scope, module: ModuleType) -> Iterator[Change]:
    """Every change of one node. Statements become statements, expressions expressions in brackets if need be."""
    match node:
        case ast.BinOp():
            yield from _change_operation(node)
        case ast.AugAssign(op=ast.Add() | ast.Sub()):
            other = deepcopy(node)
            other.op = _ARITHMETIC[type(node.op)]
            yield "arithmetic", ast.unparse(other)
            yield "dropped", "pass"
        case ast.Compare(ops=[operator]):
            yield from _change_comparison(node, operator)
        case ast.BoolOp():
            other_way: ast.boolop = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield "boolean", _bracket(ast.BoolOp(other_way, node.values))
            yield from (("dropped", _bracket(_without(node, place))) for place in range(len(node.values)))
        case ast.UnaryOp(op=ast.USub()):
            yield "sign", _bracket(node.operand)
        case ast.UnaryOp(op=ast.Not() | ast.Invert()):
            yield "negation", _bracket(node.operand)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yield "negation", _bracket(ast.IfExp(test, orelse, body))
        case ast.If(test=test):
            pass
        case ast.Call():
            yield from _change_call(node, scope, module)
        case ast.Tuple(elts=[first, second], ctx=ast.Load()):
            if is_like(scope.get_type(first), scope.get_type(second)) and not _is_same(first, second):
                yield _name_swap(scope, first), _bracket(ast.Tuple([second, first], ast.Load()))
        case ast.Constant():
            yield from _change_constant(node)
        case ast.Attribute(ctx=ast.Load()):
            yield from _change_attribute(node, scope, module)
        case ast.Name(ctx=ast.Load()):
            yield from _change_name(node, scope)
        # without a call of super() a function closes over nothing, and is no code for the one that did
        case ast.Expr(value=ast.Call()) | ast.Assign(targets=[ast.Attribute()]) if "super()" not in ast.unparse(node):
            yield "dropped", "pass"


def get_condition_changes(condition: ast.expr) -> Iterator[Change]:
    """What a branch goes by, the other way round."""
    if not isinstance(condition, ast.Compare | ast.UnaryOp):
        yield "negation", f"not ({ast.unparse(condition)})"


def get_value_changes(value: ast.expr, kind: Type) -> Iterator[Change]:
    """An integer that is returned, kept or moved: off by one."""
    if is_integer(kind) and not isinstance(value, ast.Constant):
        yield "off_by_one", f"({ast.unparse(value)}) + 1"


def _change_operation(node: ast.BinOp) -> Iterator[Change]:
    operator = type(node.op)
    if operator in (ast.BitAnd, ast.BitOr):
        yield "boolean", _bracket(ast.BinOp(node.left, _ARITHMETIC[operator], node.right))
        yield "dropped", _bracket(node.right)
        yield "dropped", _bracket(node.left)
    elif operator in _ARITHMETIC:
        yield "arithmetic", _bracket(ast.BinOp(node.left, _ARITHMETIC[operator], node.right))
    if operator is ast.Sub:
        yield "sign", _bracket(ast.BinOp(node.right, node.op, node.left))
    if operator is ast.FloorDiv:
        left, right = ast.unparse(node.left), ast.unparse(node.right)
        yield "rounding", f"(-(-({left}) // ({right})))"


def _change_comparison(node: ast.Compare, operator: ast.cmpop) -> Iterator[Change]:
    for name, table in (("boundary", _BOUNDARY), ("reversal", _REVERSAL)):
        if type(operator) in table:
            yield name, _bracket(ast.Compare(node.left, [table[type(operator)]], node.comparators))


def _change_call(node: ast.Call, scope: Scope, module: ModuleType) -> Iterator[Change]:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    for operator, table in (("rounding", _TWINS), ("extreme", _EXTREMES)):
        if name in table and (operator == "extreme" or table[name] in vars(module)):
            yield operator, _call(node, ast.Name(table[name]), node.args)
    if name in ("abs", "max", "min") and not isinstance(node.args[0], ast.GeneratorExp | ast.Starred):
        yield ("sign" if name == "abs" else "extreme"), _bracket(node.args[0])
    if name in _EXTREMES:
        return
    for place in range(len(node.args) - 1):
        first, second = node.args[place : place + 2]
        if is_like(scope.get_type(first), scope.get_type(second)) and not _is_same(first, second):
            swapped = [*node.args[:place], second, first, *node.args[place + 2 :]]
            yield _name_swap(scope, first), _call(node, node.func, swapped)


def _name_swap(scope: Scope, one: ast.expr) -> str:
    return "parties" if scope.get_type(one) is Party else "arguments"


def _change_constant(node: ast.Constant) -> Iterator[Change]:
    if type(node.value) is bool:
        yield "constant", str(not node.value)
    elif type(node.value) is int:
        yield "constant", str(node.value + 1)
        if node.value != 0:
            yield "constant", str(node.value - 1)


def _change_attribute(node: ast.Attribute, scope: Scope, module: ModuleType) -> Iterator[Change]:
    word = vars(module).get(node.value.id) if isinstance(node.value, ast.Name) else None
    if isinstance(word, EnumMeta):
        members = [one.name for one in _get_members(word)]
        if node.attr in members and len(members) > 1:
            yield "word", _read(node, members[(members.index(node.attr) + 1) % len(members)])
        return
    owner = scope.get_type(node.value)
    owner = owner if isinstance(owner, type) else get_owner(node.attr)
    fields = dict(get_fields(owner)) if owner is not None else {}
    if node.attr in fields:
        alike = [name for name, kind in fields.items() if kind == fields[node.attr]]
        if len(alike) > 1:
            yield "field", _read(node, alike[(alike.index(node.attr) + 1) % len(alike)])


def _get_members(word: EnumMeta) -> list[Enum]:
    return list(word)


def _change_name(node: ast.Name, scope: Scope) -> Iterator[Change]:
    kind = scope.names.get(node.id)
    alike = [name for name, other in scope.names.items() if kind is not None and other == kind]
    if len(alike) > 1:
        yield "name", alike[(alike.index(node.id) + 1) % len(alike)]


def _read(node: ast.Attribute, name: str) -> str:
    return ast.unparse(ast.Attribute(node.value, name, ast.Load()))


def _call(node: ast.Call, function: ast.expr, arguments: list[ast.expr]) -> str:
    return ast.unparse(ast.Call(function, arguments, node.keywords))


def _without(node: ast.BoolOp, place: int) -> ast.expr:
    rest = [*node.values[:place], *node.values[place + 1 :]]
    return rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)


def _is_same(one: ast.expr, two: ast.expr) -> bool:
    return ast.dump(one) == ast.dump(two)


def _bracket(node: ast.expr) -> str:
    text = ast.unparse(node)
    return text if isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Constant) else f"({text})"
