"""What type an expression of the kernel has, read off its annotations: enough to swap like for like."""

from __future__ import annotations

import ast
import inspect
import types
import typing
from enum import Enum
from functools import cache
from types import FunctionType, ModuleType
from typing import Any, NewType

import attrs

from riskcore import choices, events, tables
from riskcore.prover.kernel import MODULES

#: The kernel's modules by their short names, in reading order as far as they have functions.
KERNEL: dict[str, ModuleType] = {
    module.__name__.removeprefix("riskcore."): module for module in (*MODULES, choices, events, tables)
}

Type: typing.TypeAlias = Any


def is_integer(kind: Type) -> bool:
    """Whether values of this type are added and compared as integers."""
    return kind is int or (isinstance(kind, NewType) and kind.__supertype__ is int)


def is_like(one: Type, two: Type) -> bool:
    """Whether one may stand where the other does: of the same type, or both integers."""
    return one is not None and (one == two or (is_integer(one) and is_integer(two)))


@cache
def get_hints(owner: Any) -> dict[str, Type]:
    """The annotations of a class's fields or a function's arguments, as types; empty where they cannot be read."""
    try:
        return typing.get_type_hints(owner)
    except (NameError, TypeError):
        return {}


@cache
def get_fields(owner: Any) -> tuple[tuple[str, Type], ...]:
    """The fields of a value's class with their types: of attrs, of named tuples, of classes with slots."""
    hints = get_hints(owner)
    if attrs.has(owner):
        return tuple((one.name, hints.get(one.name)) for one in attrs.fields(owner))
    return tuple((name, hints.get(name)) for name in getattr(owner, "_fields", ()))


def strip_optional(kind: Type) -> Type:
    """The type of a value that is there."""
    origin: Any = typing.get_origin(kind)
    if origin is types.UnionType or origin is typing.Union:
        parts = [part for part in typing.get_args(kind) if part is not type(None)]
        return parts[0] if len(parts) == 1 else None
    return kind


class Scope:
    """The types of a function's names, as they are assigned on the way down."""

    def __init__(self, module: ModuleType, name: str, function: FunctionType) -> None:
        self._module = module
        hints = get_hints(function)
        owner = getattr(module, name.partition(".")[0]) if "." in name else None
        names = inspect.signature(function).parameters
        self.names: dict[str, Type] = {one: hints.get(one) for one in names}
        if "self" in self.names:
            self.names["self"] = owner

    def assign(self, target: ast.expr, value: ast.expr) -> None:
        """Learn what an assignment says of its names."""
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            for one, part in zip(target.elts, value.elts, strict=True):
                self.assign(one, part)
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.IfExp):
            self.assign(target, value.body)
        elif isinstance(target, ast.Tuple):
            kind = self.get_type(value)
            fields = get_fields(kind) if isinstance(kind, type) else ()
            for one, (_, part) in zip(target.elts, fields, strict=False):
                if isinstance(one, ast.Name):
                    self.names[one.id] = part
        elif isinstance(target, ast.Name):
            self.names[target.id] = self.get_type(value)

    def get_type(self, node: ast.expr) -> Type:
        """The type of an expression, or None where its annotations do not say."""
        match node:
            case ast.Name(id=name):
                return strip_optional(self.names[name]) if name in self.names else self._get_global(name)
            case ast.Constant(value=value):
                return type(value)
            case ast.Compare() | ast.UnaryOp(op=ast.Not()) | ast.BoolOp():
                return bool
            case ast.BinOp(op=ast.BitAnd() | ast.BitOr()):
                return bool
            case ast.BinOp() | ast.UnaryOp(op=ast.USub()):
                return int
            case ast.UnaryOp(operand=operand) | ast.NamedExpr(value=operand):
                return self.get_type(operand)
            case ast.IfExp(body=body):
                return self.get_type(body)
            case ast.Attribute(value=value, attr=name):
                return get_member_type(self.get_type(value), name)
            case ast.Call(func=function):
                return self._get_returned(function)
        return None

    def _get_global(self, name: str) -> Type:
        value = vars(self._module).get(name)
        return type(value) if type(value) in (int, bool) else None

    def _get_returned(self, function: ast.expr) -> Type:
        if isinstance(function, ast.Name):
            if function.id in ("min", "max", "abs", "sum", "len"):
                return int
            value = vars(self._module).get(function.id)
            if isinstance(value, type | NewType):
                return value
            return strip_optional(get_hints(value).get("return")) if isinstance(value, FunctionType) else None
        if isinstance(function, ast.Attribute):
            owner = self.get_type(function.value)
            if function.attr == "get":
                return get_entry_type(owner)
            method = inspect.getattr_static(owner, function.attr, None) if isinstance(owner, type) else None
            method = method.__func__ if isinstance(method, staticmethod) else method
            return strip_optional(get_hints(method).get("return")) if isinstance(method, FunctionType) else None
        return None


def get_member_type(owner: Type, name: str) -> Type:
    """The type of a field, slot or property; of a member of an enumeration, the enumeration."""
    if not isinstance(owner, type):
        return strip_optional(get_the_one_field(name))
    if issubclass(owner, Enum):
        return owner
    value, home = inspect.getattr_static(owner, name, None), typing.cast(Any, owner)
    if isinstance(value, property):
        return strip_optional(get_hints(value.fget).get("return"))
    return strip_optional(get_hints(home).get(name) or get_the_one_field(name))


def get_entry_type(owner: Type) -> Type:
    """What ``get`` gives of a table, or of what an account has by market."""
    if typing.get_origin(owner) is not None:
        return strip_optional(typing.get_args(owner)[-1])
    for base in getattr(owner, "__orig_bases__", ()):
        if typing.get_args(base):
            return typing.get_args(base)[-1]
    return None


@cache
def get_classes() -> tuple[type, ...]:
    """The kernel's classes of values."""
    return tuple(
        value
        for module in KERNEL.values()
        for value in vars(module).values()
        if isinstance(value, type) and value.__module__ == module.__name__ and get_fields(value)
    )


@cache
def get_the_one_field(name: str) -> Type:
    """The type of a field, if all classes that have one of this name agree."""
    kinds = [kind for owner in get_classes() for field, kind in get_fields(owner) if field == name]
    return kinds[0] if kinds and all(kind == kinds[0] for kind in kinds) else None


@cache
def get_owner(name: str) -> type | None:
    """The one class that has a field of this name."""
    owners = [owner for owner in get_classes() if name in dict(get_fields(owner))]
    return owners[0] if len(owners) == 1 else None
