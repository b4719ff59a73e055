"""Values of the kernel as Python source: what a generated test file is made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

import attrs


def write_value(value: Any) -> str:
    """An expression that gives an equal value, with fields that have their default left out."""
    if isinstance(value, StrEnum):
        return f"{type(value).__name__}.{value.name}"
    if attrs.has(type(value)):
        return f"{type(value).__name__}({', '.join(_write_fields(value))})"
    if isinstance(value, tuple):
        inner = ", ".join(write_value(entry) for entry in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key!r}: {write_value(entry)}" for key, entry in value.items()) + "}"
    return repr(value)


def _write_fields(value: Any) -> Iterator[str]:
    for attribute in attrs.fields(type(value)):
        own = getattr(value, attribute.name)
        if attribute.default is attrs.NOTHING or own != attribute.default:
            yield f"{attribute.name}={write_value(own)}"


def list_names(value: Any) -> Iterator[str]:
    """The classes that the expression names; some more than once."""
    if isinstance(value, StrEnum):
        yield type(value).__name__
    elif attrs.has(type(value)):
        yield type(value).__name__
        for attribute in attrs.fields(type(value)):
            own = getattr(value, attribute.name)
            if attribute.default is attrs.NOTHING or own != attribute.default:
                yield from list_names(own)
    elif isinstance(value, tuple):
        for entry in value:
            yield from list_names(entry)
