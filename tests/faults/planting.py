"""A fault: one snippet of a module's source replaced, in the running kernel (``riskcore.mutation.planting``)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import FunctionType, ModuleType

from attrs import field, frozen

from riskcore.mutation.planting import NotPlantable, get_changed_by, get_source, swapped


@frozen
class Fault:
    """A wrong rule.

    ``kinds``: the numbers of the real faults it stands for (``kinds.py``), none where it is a
    class of its own. ``module``: the kernel module in which ``old`` becomes ``new``.
    ``unit``: the unit of ``riskcore.verify`` that sees it, by ``kills``: its obligations that
    die, the most telling one first. Where there are none, no proof sees the fault, and
    ``log``, a check of ``examples.py``, shows it.
    """

    name: str
    words: str
    kinds: tuple[int, ...]
    module: str
    old: str
    new: str
    unit: str = ""
    kills: tuple[str, ...] = ()
    log: str = field(default="")


@contextmanager
def plant(fault: Fault) -> Iterator[None]:
    """Run the block on a kernel with the fault in it. Raises ``NotPlantable``."""
    with swapped(get_changed(import_module(f"riskcore.{fault.module}"), fault)):
        yield


def get_changed(module: ModuleType, fault: Fault) -> list[tuple[FunctionType, FunctionType]]:
    """Each function of the module that the fault changes, with what it becomes. The snippet must occur once."""
    source = get_source(module)
    if source.count(fault.old) != 1:
        raise NotPlantable(f"{fault.name}: the snippet occurs {source.count(fault.old)} times in {module.__name__}")
    return get_changed_by(module, source.replace(fault.old, fault.new))
