"""The policies of the table: the kernel's own, some that it has not, and those that users bring."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from attrs import frozen

from riskcore.bad_input import LogError, printable, quote
from riskcore.choices import Allocation, RankPolicy
from riskcore.policies.cases import Case
from riskcore.policies.examples import part_by_risk, spare_the_hedged
from riskcore.policies.playing import play_by_kernel, play_by_rule
from riskcore.policies.rules import Rule, make_rule
from specs.policies import Closing


@frozen
class Policy:
    """``words``: who closes first. ``kernel``: how a rulebook chooses it, where the kernel has it."""

    name: str
    words: str
    rule: Rule
    kernel: tuple[RankPolicy, Allocation] | None = None

    @property
    def draws(self) -> bool:
        """Whether chance decides: then each deleveraging of a history has a draw of its own."""
        return self.kernel is not None and self.kernel[0] is RankPolicy.PSEUDO_RANDOM

    def play(self, case: Case, *, in_kernel: bool = False) -> tuple[Closing, ...]:
        """What it closes in each round of a case, by the rule alone or by the kernel.

        Raises ``PolicyFault``, or ``Unplayable`` in the kernel.
        """
        if in_kernel and self.kernel is not None:
            return play_by_kernel(case, *self.kernel).closings
        return play_by_rule(case, self.rule)


#: What each rank says, and where it is from (``ranking.get_score`` has the formulas).
RANKS = {
    RankPolicy.PROFIT_TIMES_LEVERAGE: "profit ratio x leverage (Hyperliquid's engine)",
    RankPolicy.SIGNED_PROFIT_TIMES_LEVERAGE: "profit ratio x leverage, losses / leverage (BitMEX)",
    RankPolicy.PRICE_RATIO_TIMES_LEVERAGE: "mark / entry x leverage (Hyperliquid's documents)",
    RankPolicy.PROFIT_TIMES_NOTIONAL_TO_EQUITY: "profit x notional / equity (Binance)",
    RankPolicy.PROFIT_TO_EQUITY: "profit / equity",
    RankPolicy.PROFIT_RATIO: "profit / entry",
    RankPolicy.LEVERAGE: "notional / equity",
    RankPolicy.SIZE: "notional",
    RankPolicy.FIFO: "older positions first",
    RankPolicy.PSEUDO_RANDOM: "a draw (dYdX)",
}
PARTS = {
    Allocation.CONTRACTS: "everyone in proportion to lots",
    Allocation.PROFIT: "everyone in proportion to profit, at most all",
    Allocation.EQUITY: "everyone in proportion to equity, at most all (capped pro-rata)",
    Allocation.LEVERAGE: "the highest leverages are brought down to one (water-filling)",
}


def list_policies() -> tuple[Policy, ...]:
    """All that come with riskcore, in the order of the table."""
    queue = Allocation.QUEUE
    ranked = (
        Policy(f"queue_{rank}", f"queue: {words}", make_rule(rank, queue), (rank, queue))
        for rank, words in RANKS.items()
    )
    parted = (
        Policy(f"part_by_{allocation}", words, make_rule(RankPolicy.SIZE, allocation), (RankPolicy.SIZE, allocation))
        for allocation, words in PARTS.items()
    )
    others = (
        Policy("part_by_risk", "everyone by profit x leverage, at most all (risk-aware pro-rata)", part_by_risk),
        Policy("spare_the_hedged", "everyone in proportion to lots, hedged ones last", spare_the_hedged),
    )
    return (*ranked, *parted, *others)


def load_policy(name: str) -> Policy:
    """A user's function, named ``MODULE:NAME`` or ``FILE.py:NAME``. Raises ``LogError``."""
    place, colon, function = name.rpartition(":")
    if not colon or not place or not function:
        raise LogError("--policy", None, None, "MODULE:NAME or FILE.py:NAME", quote(name))
    # what it prints is not the table
    with redirect_stdout(sys.stderr):
        module = _load_module(place)
    rule = getattr(module, function, None)
    if not callable(rule):
        raise LogError(place, None, None, f"a function {printable(function)}", "none of that name")
    return Policy(function, _get_words(rule), rule)


def _get_words(rule: Callable[..., object]) -> str:
    """The first line of what the function says of itself."""
    words = rule.__doc__
    return (words.strip().splitlines() or [""])[0] if isinstance(words, str) else ""


def _load_module(place: str) -> ModuleType:
    try:
        if not place.endswith(".py"):
            if os.getcwd() not in sys.path:
                sys.path.insert(0, os.getcwd())
            return import_module(place)
        if not Path(place).is_file():
            raise LogError(place, None, None, "a file", "none there")
        spec = spec_from_file_location(Path(place).stem, place)
        if spec is None or spec.loader is None:
            raise LogError(place, None, None, "a Python file", "another file")
        module = module_from_spec(spec)
        # processes that the work is shared out to find it by its name
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        return module
    except LogError:
        raise
    except Exception as error:  # whatever a user's module does
        raise LogError(
            place, None, None, "a module that loads", f"{type(error).__name__}: {printable(str(error))}"
        ) from None
