"""What runs on symbols must not be able to tell them from integers, nor one choice of a rulebook from another.

An event is traced on symbols and under one value of each choice that is a word, such as the
rank policy. That stands for all of them because nothing in the kernel looks: this is read off
the code of its functions, as it is loaded. What they may use is listed; all else is an offence.
"""

from __future__ import annotations

import builtins
import dis
import enum
import sys
import typing
from collections.abc import Iterator
from itertools import pairwise
from types import CodeType, FunctionType, GetSetDescriptorType, MemberDescriptorType, ModuleType
from typing import Any

import attrs
from attrs.validators import instance_of
from rpds import HashTrieMap

from riskcore import choices, events, tables
from riskcore.margin import Margin
from riskcore.orders import NO_ORDER
from riskcore.prover.book import symbolic_len
from riskcore.prover.kernel import MODULES
from riskcore.prover.lemma import Lemma
from riskcore.prover.symbols import symbolic_max, symbolic_min
from riskcore.prover.tracer import Tracer

KERNEL = (*MODULES, choices, events, tables)
#: Builtins that treat a symbol as the integer it stands for, or refuse it.
HARMLESS = {"abs", "all", "any", "frozenset", "iter", "len", "max", "min", "sum", "super", "tuple", "zip"}
#: What stands in the modules' namespaces while they run on symbols.
SYMBOLIC = {"min": symbolic_min, "max": symbolic_max, "len": symbolic_len}
#: What the kernel's functions use of other packages, and what only its classes are made with.
PURE = (attrs.evolve, pairwise, HashTrieMap)
MAKERS = (attrs.field, attrs.frozen, instance_of, enum.Enum, enum.StrEnum, typing.NamedTuple, typing.NewType)
#: Where types and functions that are only written in annotations, or made by these, come from.
LIBRARIES = {"builtins", "typing", "enum", "collections", "collections.abc", "attr._make"}
#: Attributes of lists, dicts and maps that may be read, and of an exception; fields and methods may be too,
#: but for those that integers, text or symbols have themselves. A score has two that integers have.
ATTRIBUTES = {"append", "copy", "get", "insert", "items", "pop", "rule"}
TELLING = ({"term", "value", "name"} | set(dir(int)) | set(dir(str))) - {"numerator", "denominator"}
OPERATORS = {"+", "-", "*", "//", "&", "|"}
#: Instructions by which a value's type is seen, or a name is spelt, cut, or written for all.
ODD = {
    ("FORMAT_", "CONVERT_", "BUILD_STRING", "BUILD_TEMPLATE", "BUILD_INTERPOLATION"): "a format",
    ("BUILD_SLICE", "BINARY_SLICE", "STORE_SLICE", "UNPACK_EX"): "a slice",
    ("BINARY_SUBSCR", "STORE_SUBSCR", "DELETE_SUBSCR"): "an index",
    ("IMPORT_",): "an import",
    ("PUSH_EXC_INFO", "CHECK_EXC", "CHECK_EG", "BEFORE_WITH", "LOAD_SPECIAL"): "a handler",
    ("MATCH_", "GET_LEN", "LOAD_BUILD_CLASS", "STORE_GLOBAL", "DELETE_ATTR", "DELETE_GLOBAL", "LOAD_LOCALS"): "a look",
}
#: How a named tuple keeps a field.
TUPLE_FIELD = type(vars(Margin)["equity"])
CONSTANTS = {str: "a string", slice: "a slice"}
_CHECK = {"type", "__name__", "name", "a format", "a string", "an identity"}
#: What a field's check may not do besides: so that no value of a kind is told from another, but for what is empty.
WEIGHING = ("COMPARE_OP", "CONTAINS_OP", "BINARY_", "UNARY_NEGATIVE", "UNARY_INVERT", "LOAD_SMALL_INT")
#: From 3.14 on what is asked of any part is run in place, and ends with a truth value.
NUMBERS = (int, float) if sys.version_info >= (3, 14) else (int, float, bool)
#: Where a type is looked at, or a name spelt, and how: fields' checks, which symbols pass by, events' classes,
#: reserves' names. Where an entry is taken, and the one handler.
LOOKS: dict[str, set[str]] = {
    "quantities.exact_int": {*_CHECK, "int"},
    "quantities.exact_bool": {*_CHECK, "bool"},
    "quantities.some_text": {*_CHECK, "str"},
    "rules.Rejected.__init__": {"__init__", "value"},
    "events._queue": _CHECK,
    "events._queue.<locals>.<genexpr>": {"type", "str", "an identity"},
    "rulebook._tiers": _CHECK,
    "rulebook._tiers.<locals>.<genexpr>": {"type", "an identity"},
    "state.genesis": {"a format", "a string"},
    "per_market.PerMarket.get": {"ABSENT"},
    "per_market.PerMarket.is_nothing": {"ABSENT", "bool"},
    "per_market.PerMarket.put": {"type", "an index"},
    "per_market.PerMarket.__eq__": {"type", "an identity", "a special method"},
    "per_market.PerMarket.__hash__": {"hash", "a special method"},
    "per_market.PerMarket.__repr__": {"type", "__name__", "a format", "a string", "a special method"},
    "tables.DictTable.put": {"an index", "an identity"},
    "tables.PersistentTable.put": {"an identity", "discard"},
    "tiers.get_tiered_requirement": {"an index", "a slice"},
    "ranking.get_chance": {"encode", "a string"},
    "ranking.certify.<locals>.<listcomp>": {"an index"},
    "ranking.is_ranked": {"an index"},
    "ranking.is_ranked.<locals>.<listcomp>": {"an index"},
    "sharing.get_total_weight.<locals>.<listcomp>": {"an index"},
    "sharing.process_share_loss": {"an index"},
    "deleveraging.process_deleverage": {"an index"},
    "step.apply": {"type", "isinstance", "an index"},
    "step.step": {"type", "a format", "a string", "a handler"},
    "step.get_effects": {"type", "an identity"},
    "step.get_effects.<locals>.<genexpr>": {"type", "an identity"},
    "journal.Journal.reserve": {"getattr", "value", "an index"},
    "journal.Journal._balance_after": {"getattr", "value"},
}
CHECKS = {path for path, looks in LOOKS.items() if looks >= _CHECK}
_TIER_RULE = {"tiers.get_tiered_requirement", "tiers.is_continuous", "tiers.needs_no_more"}
_BRACKETS = {
    "tiers.get_initial_rates",
    "tiers.get_maintenance_rates",
    "tiers.get_step_floor",
    "tiers.get_rate_above",
    "tiers.get_rate_above.<locals>.<genexpr>",
    "tiers.needs_no_more.<locals>.<genexpr>",
    "rulebook.has_admissible_tiers",
}
_SHORT_WAYS = {"margin.get_initial_requirement", "margin.get_maintenance_requirement"}
#: These compare a word that is a symbol, so that events are traced under all of them.
_CLOSE_OUT = {"close_out.is_price_fresh", "close_out.get_fixed_price", "close_out.get_terms"}
_ALLOCATION = {"ranking.get_candidate", "ranking.certify", "deleveraging.get_head_part"}
_ADL_SIZE = {"close_out.are_lots_to_close"}
#: A market's, which is a symbol too.
_STATUS = {
    "state.Market.settling",
    "journal.Journal.trade",
    "markets.get_trading_market",
    "markets.is_enterable",
    "settlement.process_settle_market",
    "life.process_set_market_status",
    "life.process_delist_market",
}
#: The choices that are words, and tiers, and the only functions that read them; events know all others by contract, or
#: are traced under each word, as those of a loss that is shared out.
CHOICES = {
    "adl_rank": {"ranking.get_candidate"},
    "RankPolicy": {"ranking.get_score", "ranking.get_chance"},
    "adl_close_out": _CLOSE_OUT,
    "CloseOut": _CLOSE_OUT,
    "adl_size": _ADL_SIZE,
    "AdlSize": _ADL_SIZE,
    "adl_allocation": _ALLOCATION,
    "Allocation": {"allocation.get_weight", "allocation.get_exact_part", "allocation.get_remainder"},
    "loss_sharing": {"sharing.get_account_weight", "sharing.process_begin_loss_sharing"},
    "LossSharing": {"sharing.get_weight", "sharing.process_begin_loss_sharing"},
    "tier_rule": _TIER_RULE,
    "TierRule": _TIER_RULE,
    "status": _STATUS,
    "MarketStatus": _STATUS,
    "tiers": _TIER_RULE | _BRACKETS | _SHORT_WAYS,
}


class Kernel:
    """The kernel's functions and classes as they are loaded, and the attributes that they may read."""

    def __init__(self) -> None:
        self.functions: list[tuple[str, FunctionType]] = []
        self.classes: list[type] = []
        self.attributes = set(ATTRIBUTES)
        for module in KERNEL:
            self._add_names(module.__name__.removeprefix("riskcore."), module, module)
        self._known = {id(function) for _, function in self.functions} | {id(one) for one in self.classes}
        self.attributes -= TELLING

    def _add_names(self, path: str, owner: ModuleType | type, module: ModuleType) -> None:
        for name, value in list(vars(owner).items()):
            if isinstance(value, type) and value.__module__ == module.__name__ and value not in self.classes:
                self.classes.append(value)
                self.attributes |= _get_fields(value)
                self._add_names(f"{path}.{name}", value, module)
            for function in _unwrap(value):
                if isinstance(owner, type) and any(function.__globals__ is vars(one) for one in KERNEL):
                    self.functions.append((f"{path}.{name}", function))
                    self.attributes.add(name)
                elif function.__globals__ is vars(module):
                    self.functions.append((f"{path}.{name}", function))

    def is_known(self, value: Any) -> bool:
        """Whether a global is of the kernel, a plain constant, or one of the few imports."""
        if isinstance(value, FunctionType | type):
            return id(value) in self._known or any(value is one for one in PURE)
        if isinstance(value, dict):
            return all(self.is_known(part) for pair in value.items() for part in pair)
        return isinstance(value, typing.NewType) or value is attrs.evolve or self.is_constant(value)

    def is_constant(self, value: Any) -> bool:
        """Whether it is nothing but integers, truths and classes of the kernel: no word, and no text but no order's id.

        That one symbols know.
        """
        if value is None or type(value) in (int, bool) or value is NO_ORDER:
            return True
        if type(value) is tuple:
            return all(id(part) in self._known or self.is_constant(part) for part in value)
        if type(value) is dict:
            return not value
        names = getattr(type(value), "__slots__", None)
        if type(value) not in self.classes or not isinstance(names, tuple) or isinstance(value, enum.Enum):
            return False
        return all(self.is_constant(getattr(value, name)) for name in names if name != "__weakref__")


def _get_fields(owner: type) -> set[str]:
    """Names of its fields and, of an enumeration, its members."""
    slots: tuple[str, ...] = getattr(owner, "__slots__", ())
    return {*slots, *getattr(owner, "_fields", ()), *getattr(owner, "__members__", ())} - {"__weakref__"}


def _unwrap(value: Any) -> Iterator[FunctionType]:
    """The functions that a method or a property is, or the function itself."""
    parts: tuple[Any, ...] = (value.fget, value.fset, value.fdel) if type(value) is property else (value,)
    if isinstance(value, type) and attrs.has(value):
        parts = tuple(getattr(one.default, "factory", None) for one in attrs.fields(value))
    for part in parts:
        plain = part.__func__ if isinstance(part, staticmethod | classmethod) else part
        if isinstance(plain, FunctionType):
            yield plain


def get_offences() -> list[str]:
    """Every use that is not listed, by function, class or module."""
    kernel = Kernel()
    checks: list[Iterator[str]] = [_check_function(kernel, *named) for named in kernel.functions]
    checks += [_check_class(kernel, owner) for owner in kernel.classes]
    checks += [_check_module(kernel, module) for module in KERNEL]
    return sorted({offence for check in checks for offence in check})


def _check_function(kernel: Kernel, path: str, function: FunctionType) -> Iterator[str]:
    """What its code uses, and that nothing else comes with it: no other default, closure or attribute."""
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    for value in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values(), *cells):
        if not kernel.is_constant(value) and value not in kernel.classes:
            yield f"{path} is given {value!r}"
    if vars(function):
        yield f"{path} has attributes"
    yield from _check_code(kernel, path, function.__code__, function.__globals__)


def _check_code(kernel: Kernel, path: str, code: CodeType, namespace: dict[str, Any]) -> Iterator[str]:
    own = path.rpartition(".")[2]
    words = set(_get_words(kernel, code, namespace))
    if own.startswith("__") and own not in ("__init__", "__len__"):
        words.add("a special method")
    if path.partition(".<locals>")[0] in CHECKS:
        words |= set(_get_weighing(code))
    for word in words:
        if path not in CHOICES[word] if word in CHOICES else word not in _get_looks(path):
            yield f"{path} uses {word}"
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _check_code(kernel, f"{path}.<locals>.{constant.co_name}", constant, namespace)


def _get_weighing(code: CodeType) -> Iterator[str]:
    """How a check's code weighs a value, if it does."""
    for one in dis.get_instructions(code):
        is_number = one.opname == "LOAD_CONST" and type(one.argval) in NUMBERS
        if is_number or one.opname.startswith(WEIGHING) or one.argval in HARMLESS - {"any", "tuple"}:
            yield f"a value: {one.opname} {one.argrepr}"


def _get_looks(path: str) -> set[str]:
    """What a function may use beyond what all may; its lists' too, where their code is part of its own."""
    inlined = LOOKS.get(f"{path}.<locals>.<listcomp>", set()) if sys.version_info >= (3, 12) else set()
    return LOOKS.get(path, set()) | inlined


def _get_words(kernel: Kernel, code: CodeType, namespace: dict[str, Any]) -> Iterator[str]:
    """Whatever the code uses that is not open to every function of the kernel."""
    steps = [one for one in dis.get_instructions(code) if one.opname not in ("EXTENDED_ARG", "CACHE", "NOP")]
    for place, one in enumerate(steps):
        name, argument = one.opname, one.argval
        if name in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield from _get_global(kernel, argument, namespace)
        elif name in ("LOAD_ATTR", "LOAD_METHOD", "LOAD_SUPER_ATTR", "LOAD_SUPER_METHOD", "STORE_ATTR"):
            if argument in CHOICES or argument not in kernel.attributes:
                yield argument
        elif name == "KW_NAMES" or (name == "LOAD_CONST" and steps[place + 1].opname.startswith("CALL_KW")):
            yield from (word for word in code.co_consts[one.arg or 0] if word in CHOICES)
        elif name in ("LOAD_CONST", "RETURN_CONST"):
            if not isinstance(argument, CodeType) and not kernel.is_constant(argument):
                yield CONSTANTS.get(type(argument), f"the constant {argument!r}")
        elif name == "IS_OP":
            if one.is_jump_target or not _is_word(kernel, steps[max(place - 2, 0) : place], namespace):
                yield "an identity"
        elif name == "BINARY_OP" and one.argrepr.rstrip("=") not in OPERATORS:
            yield "an index" if one.argrepr == "[]" else f"the operator {one.argrepr}"
        else:
            yield from (word for starts, word in ODD.items() if name.startswith(starts))


def _get_global(kernel: Kernel, name: str, namespace: dict[str, Any]) -> Iterator[str]:
    """The global's name, if not every function may load it."""
    value = namespace.get(name, getattr(builtins, name, None))
    is_error = isinstance(value, type) and issubclass(value, BaseException)
    if isinstance(value, enum.EnumMeta) and value.__name__ in CHOICES:
        yield value.__name__
    elif name in CHOICES or (name not in namespace and name not in HARMLESS and not is_error):
        yield name
    elif name in namespace and not kernel.is_known(value) and value is not SYMBOLIC.get(name):
        yield f"the global {name}"


def _is_word(kernel: Kernel, steps: list[dis.Instruction], namespace: dict[str, Any]) -> bool:
    """Whether what was loaded last is ``None`` or an enumeration's member."""
    if steps[-1].opname == "LOAD_COMMON_CONSTANT":
        # before it runs a generator in place the compiler asks whether ``tuple``, ``all`` or ``any`` is the builtin
        return True
    if steps[-1].opname == "LOAD_CONST":
        return steps[-1].argval is None
    kind = namespace.get(steps[0].argval) if steps[0].opname == "LOAD_GLOBAL" else None
    is_own = isinstance(kind, enum.EnumMeta) and kernel.is_known(kind) and not steps[-1].is_jump_target
    return is_own and steps[-1].opname == "LOAD_ATTR" and steps[-1].argval in getattr(kind, "__members__", ())


def _check_class(kernel: Kernel, owner: type) -> Iterator[str]:
    """No base, metaclass, field or method of it is another's."""
    for kind in (*owner.__mro__, type(owner)):
        if not kernel.is_known(kind) and kind.__module__ not in LIBRARIES | {"abc"}:
            yield f"{owner.__name__} is a {kind.__name__}"
    for one in vars(owner).get("__attrs_attrs__", ()):
        if not _is_plain(kernel, one):
            yield f"{owner.__name__}.{one.name} converts, compares or checks in its own way"
    for value in vars(owner).get("_field_defaults", {}).values():
        if not kernel.is_constant(value):
            yield f"{owner.__name__} is given {value!r}"
    for name, value in vars(owner).items():
        if not _is_listed(kernel, owner, name, value):
            yield f"{owner.__name__}.{name} is another's"


def _is_plain(kernel: Kernel, one: Any) -> bool:
    """Whether a field's value is kept and compared as it is; its check may be of the kernel, or of a class."""
    check, default = one.validator, one.default
    is_checked = check is None or kernel.is_known(getattr(check, "type", check))
    is_made = kernel.is_constant(default) or type(default) in kernel.classes or default is attrs.NOTHING
    ways = (one.converter, one.eq_key, one.order_key, one.on_setattr)
    return ways == (None,) * 4 and is_checked and (is_made or kernel.is_known(getattr(default, "factory", str)))


def _is_listed(kernel: Kernel, owner: type, name: str, value: Any) -> bool:
    """Whether what a class has under a name is the kernel's, a field, or was made with the class."""
    functions = list(_unwrap(value)) if not isinstance(value, type) else []
    if functions:
        return all(kernel.is_known(one) or (name.startswith("_") and _is_made(one)) for one in functions)
    if issubclass(owner, enum.Enum) and name != "__call__" and (name.startswith("_") or isinstance(value, owner)):
        return True
    if isinstance(value, MemberDescriptorType | GetSetDescriptorType | TUPLE_FIELD):
        return True
    return not (callable(value) or hasattr(value, "__get__")) or kernel.is_known(value)


def _is_made(function: FunctionType) -> bool:
    """Whether attrs, a named tuple, a protocol or an enumeration made it, and its code is in no file of ours."""
    home = function.__globals__.get("__name__", "")
    return function.__code__.co_filename.startswith("<attrs") or home in LIBRARIES or home.startswith("namedtuple_")


def _check_module(kernel: Kernel, module: ModuleType) -> Iterator[str]:
    """Whatever can be called in it is of the kernel, or a listed import."""
    for name, value in vars(module).items():
        is_written = type(value).__module__ == "typing" or getattr(value, "__module__", "") in LIBRARIES - {"builtins"}
        is_import = any(value is one for one in (*MAKERS, *PURE, SYMBOLIC.get(name))) or is_written
        if callable(value) and not name.startswith("__") and not is_import and not kernel.is_known(value):
            yield f"{module.__name__} has {name}"


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
