"""The checks of fields: what no symbol passes through, decided by a value of each kind that a check tells apart.

A check looks at nothing of a value but its type, the types of a tuple's parts, and whether a text is empty: it
compares, counts and measures nothing, which is read off its code (``source``). So the values here stand for all.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import attrs

from riskcore import events, quantities, rulebook
from riskcore.prover.lemma import Lemma
from riskcore.prover.tracer import Tracer
from riskcore.quantities import Atoms, Rate
from riskcore.rulebook import Tier

Check = Callable[[object, Any, object], None]

BY_KIND = "PROVED-BOUNDED(a value of each kind that the check tells apart)"


class _Text(str):
    """Derived from the plain type, and so another."""

    __slots__ = ()


@attrs.frozen
class _Owner:
    field: object


FIELD = attrs.fields(_Owner).field
TIER = Tier(Atoms(1), Rate(1), Rate(1))
INTEGERS = (-1, 0, 1, 2**70)
TRUTHS = (True, False)
TEXTS = ("a", "two words")
#: Of none of the kinds that a field of the kernel may be.
OTHERS: tuple[object, ...] = (
    None,
    0.0,
    1.5,
    b"",
    b"a",
    [],
    ["a"],
    {},
    {"a": 1},
    {"a"},
    int,
    object(),
    _Text("a"),
    _Text(""),
)
TUPLES_OF_TEXT = (("a",), ("a", "b"), ("a", "a", "c"))
TUPLES_OF_TIERS = ((TIER,), (TIER, TIER))
#: Tuples with a part of another kind, wherever it stands.
MIXED = (("",), ("a", ""), ("", "a"), (1,), ("a", 1), (1, "a"), (_Text("a"),), ("a", TIER), (TIER, "a"), (None,), ((),))
EVERYTHING = (*INTEGERS, *TRUTHS, *TEXTS, "", *OTHERS, (), *TUPLES_OF_TEXT, *TUPLES_OF_TIERS, *MIXED)


def _is_taken(check: Check, value: object) -> bool:
    """Whether a field may be this value; one that may not is refused with a ``TypeError``."""
    try:
        check(_Owner(value), FIELD, value)
    except TypeError:
        return False
    return True


def _takes_just(check: Check, right: tuple[object, ...], tracer: Tracer) -> Any:
    # by identity, since equality takes True for one
    return all(_is_taken(check, value) == any(value is one for one in right) for value in EVERYTHING)


def _checks(name: str, check: Check, right: tuple[object, ...], sentence: str) -> Lemma:
    return Lemma(name, "LEMMA", sentence, partial(_takes_just, check, right), BY_KIND, contracts=True)


LEMMAS = (
    _checks(
        "exact_int_takes_integers",
        quantities.exact_int,
        INTEGERS,
        "a number is an exact integer: no truth value, no float, nothing derived",
    ),
    _checks("exact_bool_takes_truths", quantities.exact_bool, TRUTHS, "a truth value is True or False, and no number"),
    _checks("some_text_takes_text", quantities.some_text, TEXTS, "an id is a text that is not empty"),
    _checks("tiers_take_tuples_of_tiers", rulebook._tiers, ((), *TUPLES_OF_TIERS), "brackets are a tuple of brackets"),
    _checks("queue_takes_tuples_of_text", events._queue, ((), *TUPLES_OF_TEXT), "a queue is a tuple of ids"),
    _checks("text_or_none_takes_either", events._text_or_none, (None, *TEXTS), "an id that may be left out, or an id"),
)
