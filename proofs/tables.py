"""The two real books are total maps, and the prover's third is theirs: what was put is what one gets.

A table never looks at a value, so any values are stood for by symbols; keys are three.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from riskcore.prover.lemma import Lemma
from riskcore.prover.symbols import new_int
from riskcore.prover.tracer import Tracer
from riskcore.tables import DictTable, PersistentTable, Table

BOUNDED = "PROVED-BOUNDED(three keys), any values"
ABSENT, ONE, TWO, NEW = (object() for _ in range(4))


def _is_a_total_map(make: Callable[[object], Table[str, object]], *, keeps_the_old: bool) -> Callable[[Tracer], Any]:
    def claim(tracer: Tracer) -> Any:
        empty = make(ABSENT)
        absent = [empty.get(key) is ABSENT for key in ("one", "two", "three")]
        full = make(ABSENT).put("one", ONE).put("two", TWO)
        before = dict(full.items())
        changed = full.put("one", NEW)
        return (
            all(absent)
            and len(empty) == 0
            and before == {"one": ONE, "two": TWO}
            and dict(changed.items()) == {"one": NEW, "two": TWO}
            and [changed.get(key) for key in ("one", "two", "three")] == [NEW, TWO, ABSENT]
            and len(changed) == 2
            and dict(full.items()) == (before if keeps_the_old else dict(changed.items()))
            and (changed is full) != keeps_the_old
            and dict(changed.put("one", ABSENT).put("three", ABSENT).items()) == {"two": TWO}
        )

    return claim


def _a_value_is_not_looked_at(make: Callable[[object], Table[str, object]]) -> Callable[[Tracer], Any]:
    """A symbol has no truth value and no hash: a table that asked for one would raise here."""

    def claim(tracer: Tracer) -> Any:
        absent: Any = new_int("absent")
        values = [new_int("first"), new_int("second"), new_int("third")]
        table: Any = make(absent)
        for key, value in zip(("one", "two", "one"), values, strict=True):
            table = table.put(key, value)
        return table.get("one") is values[2] and table.get("two") is values[1] and table.get("three") is absent

    return claim


LEMMAS = (
    Lemma(
        "dict_table_is_a_total_map",
        "LEMMA",
        "what was put is what one gets, others stay, an absent key is the absent value; in place",
        _is_a_total_map(DictTable, keeps_the_old=False),
        BOUNDED,
    ),
    Lemma(
        "persistent_table_is_a_total_map",
        "LEMMA",
        "what was put is what one gets, others stay, an absent key is the absent value; the old table is unchanged",
        _is_a_total_map(PersistentTable, keeps_the_old=True),
        BOUNDED,
    ),
    Lemma(
        "dict_table_keeps_any_value", "LEMMA", "no value is looked at", _a_value_is_not_looked_at(DictTable), BOUNDED
    ),
    Lemma(
        "persistent_table_keeps_any_value",
        "LEMMA",
        "no value is looked at",
        _a_value_is_not_looked_at(PersistentTable),
        BOUNDED,
    ),
)
