"""What runs on symbols must not be able to tell them from integers, nor one choice of a rulebook from another.

An event is traced on symbols and under one value of each choice that is a word, such as the
rank policy. That stands for all of them because nothing in the kernel looks: this is read off
the code of its functions, as it is loaded.
"""

from __future__ import annotations

import builtins
import dis
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

from riskcore import events, tables
from riskcore.prover.kernel import MODULES
from riskcore.prover.lemma import Lemma
from riskcore.prover.tracer import Tracer

#: Builtins that treat a symbol as the integer it stands for, or refuse it.
HARMLESS = {
    "abs",
    "all",
    "any",
    "dict",
    "frozenset",
    "iter",
    "len",
    "list",
    "max",
    "min",
    "sum",
    "super",
    "tuple",
    "zip",
}
#: Attributes by which a symbol, or the word that a choice is, could be told.
TELLING = {"value", "term", "__class__", "__dict__", "__name__", "__slots__"}
#: Where a type is looked at, or a name spelt: fields' checks, which symbols pass by, events' classes, reserves' names.
LOOKS = {
    "quantities.exact_int",
    "quantities.exact_bool",
    "quantities.some_text",
    "rules.Rejected.__init__",
    "events._queue",
    "events._queue.<locals>.<genexpr>",
    "state._tiers",
    "state._tiers.<locals>.<genexpr>",
    "state.genesis",
    "state.Positions.__eq__",
    "state.Positions.__hash__",
    "state.Positions.__repr__",
    "step.apply",
    "step.step",
    "step.get_effects",
    "step.get_effects.<locals>.<genexpr>",
    "journal.Journal.reserve",
    "journal.Journal._balance_after",
}
#: The choices that are words, and tiers, and the only functions that read them; events know these by contract.
CHOICES = {
    "adl_rank": {"ranking.get_candidate"},
    "RankPolicy": {"ranking.get_score"},
    "tier_rule": {"tiers.get_tiered_requirement", "tiers.is_continuous"},
    "TierRule": {"tiers.get_tiered_requirement", "tiers.is_continuous"},
    "tiers": {
        "state.has_admissible_tiers",
        "tiers.get_tiered_requirement",
        "tiers.get_initial_rates",
        "tiers.get_maintenance_rates",
        "tiers.is_continuous",
    },
}


def get_functions(module: ModuleType) -> Iterator[tuple[str, CodeType]]:
    """The module's functions and methods, nested ones too, with their names."""
    home = module.__name__.removeprefix("riskcore.")
    for owner in (module, *(value for value in vars(module).values() if isinstance(value, type))):
        if getattr(owner, "__module__", module.__name__) != module.__name__:
            continue
        for value in vars(owner).values():
            plain = getattr(value, "fget", None) or getattr(value, "__func__", value)
            if isinstance(plain, FunctionType) and plain.__module__ == module.__name__ and _is_written(plain):
                yield from _get_codes(home, plain.__code__)


def _is_written(function: FunctionType) -> bool:
    """Whether it is not made by attrs, a named tuple or an enumeration, whose code is in no file of ours."""
    home = function.__code__.co_filename
    return not home.startswith(("<attrs", "<string>")) and not home.endswith(("enum.py", "typing.py"))


def _get_codes(home: str, code: CodeType) -> Iterator[tuple[str, CodeType]]:
    yield f"{home}.{code.co_qualname}", code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _get_codes(home, constant)


def get_offences() -> list[str]:
    """Every look that is not allowed, by function."""
    return [
        f"{name} uses {word}"
        for module in (*MODULES, events, tables)
        for name, code in get_functions(module)
        for word in sorted(_get_words(code))
        if not _is_allowed(name, word)
    ]


def _get_words(code: CodeType) -> set[str]:
    """Builtins and attributes that the code reads and that tell something, and how it spells a value out."""
    words: set[str] = set()
    for instruction in dis.get_instructions(code):
        argument: Any = instruction.argval
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            if argument in CHOICES or (hasattr(builtins, argument) and _is_telling(argument)):
                words.add(argument)
        elif instruction.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            if argument in CHOICES or argument in TELLING:
                words.add(argument)
        elif instruction.opname == "FORMAT_VALUE":
            words.add("a format")
        elif instruction.opname == "IMPORT_NAME":
            words.add("an import")
    return words


def _is_telling(name: str) -> bool:
    value = getattr(builtins, name)
    is_error = isinstance(value, type) and issubclass(value, BaseException)
    return name not in HARMLESS and not is_error


def _is_allowed(function: str, word: str) -> bool:
    return function in CHOICES[word] if word in CHOICES else function in LOOKS


def _nothing_tells(tracer: Tracer) -> Any:
    offences = get_offences()
    if offences:
        raise AssertionError("; ".join(offences))
    return True


LEMMAS = (
    Lemma(
        "nothing_tells_a_symbol",
        "LEMMA",
        "the kernel looks at no value's type or spelling, and at a rulebook's words only where contracts stand for it",
        _nothing_tells,
        "the code of every function of the kernel, as loaded",
    ),
)
