"""An explanation as one JSON object: exact integers, ratios as ``"p/q"``, rules by their names."""

from __future__ import annotations

from enum import Enum
from fractions import Fraction
from typing import Any

import attrs

from riskcore.codec import get_members
from riskcore.explain.explanation import Explanation
from riskcore.rules import Rule


def to_json(found: Explanation) -> dict[str, Any]:
    """The object that ``explain --format json`` prints."""
    moment = found.moment
    head = {"log": moment.file, "number": moment.number, "line": moment.line, "event": get_members(moment.event)}
    accepted = {"accepted": found.rejected is None, "because": None if found.rejected is None else found.rejected.value}
    members = {field.name: getattr(found, field.name) for field in attrs.fields(Explanation) if field.name != "moment"}
    return head | accepted | {name: plain(value) for name, value in members.items()}


def plain(value: Any) -> Any:
    """The value in what JSON has; a figure that is worked out of others is not repeated."""
    if isinstance(value, Rule):
        return value.name
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    if attrs.has(type(value)):
        return {field.name: plain(getattr(value, field.name)) for field in attrs.fields(type(value))}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: plain(entry) for name, entry in value._asdict().items()}
    if isinstance(value, dict):
        return {name: plain(entry) for name, entry in value.items()}
    return [plain(entry) for entry in value] if isinstance(value, tuple | list) else value
