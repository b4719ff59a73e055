"""Where a rulebook chooses otherwise than a law's condition: the shortest log that shows the harm.

The prover looks for a state that every law allows and one event that the kernel accepts, under
exactly this rulebook, after which the claim is broken. What it finds is made a state of plain
integers, run by CPython, and judged by the same claim: only that counts as a refutation.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import z3
from attrs import frozen

from riskcore.events import Event, Header
from riskcore.log import write_log
from riskcore.monitor import Monitor
from riskcore.prover.book import SymChoice
from riskcore.prover.case import EPISODES, SymCase, run_event
from riskcore.prover.realisation import AMPLE, Realisation
from riskcore.prover.symbols import NO_ID, SymBool, SymInt, to_bool, to_int
from riskcore.prover.tracer import Tracer, get_paths
from riskcore.prover.witness import find_model
from riskcore.quantities import NEVER
from riskcore.rulebook import MarketRules, Rulebook
from riskcore.snapshot import save_state
from riskcore.state import State
from riskcore.units import Units
from specs.laws.choices import Choice
from specs.laws.law import Law

#: What the prover does not vary: an id, and brackets, which it realises as none.
FREE = ("vault", "tiers", "tier_rule", "open_interest_floor", "open_interest_cap")

#: The fields of events that name accounts and markets.
ROLES = ("account", "maker", "market")
#: Figures that make requirements linear; where they do not do, any.
TRIES: tuple[dict[str, int], ...] = ({"market.mark_price": 100, "market.funding_index": 0}, {})


@frozen
class Harm:
    """A state that every law allows, and the one event that breaks the claim."""

    law: str
    state: State
    event: Event


def find_harm(choice: Choice, rulebook: Rulebook, rules: MarketRules) -> Harm | None:
    """A refutation of the choice's claim under this rulebook and market; None where none is found.

    The market has its base rates alone.
    """
    for kind in sorted(choice.applies, key=lambda kind: kind.__name__):
        for episode in EPISODES:
            for case, broken in _get_accepted(kind, episode, choice):
                harm = _realise(choice, case, broken, rulebook, rules)
                if harm is not None:
                    return harm
    return None


def _get_accepted(
    kind: type[Header], episode: str | None, choice: Choice
) -> Iterator[tuple[SymCase, list[z3.BoolRef]]]:
    """The event's accepting paths, each with what it takes to break the claim on it."""

    def run(tracer: Tracer) -> tuple[SymCase, list[z3.BoolRef]]:
        case = run_event(tracer, kind, episode=episode)
        if case.rejected is not None:
            return case, [z3.BoolVal(False)]
        with tracer.scope() as facts:
            holds = to_bool(choice.holds(case))
        return case, [*facts, z3.Not(holds)]

    for path in get_paths(run):
        if path.result is not None and path.result[0].rejected is None:
            case, broken = path.result
            yield case, [*path.condition, *broken]


def _realise(
    choice: Choice, case: SymCase, facts: list[z3.BoolRef], rulebook: Rulebook, rules: MarketRules
) -> Harm | None:
    """The path's model as a state and an event, if CPython then breaks the claim."""
    pinned = [*facts, *_pin(case.rulebook, rulebook), case.world.timestamp.term >= 0, case.world.sequence.term >= 0]
    if case.world.market is not None:
        pinned += _pin(case.world.market.rules, rules)
    # accounts that are one and the same show less; where they must be, they are
    plain = [*pinned, *_close_with_the_head(case), *empty_books(case), *_date(case)]
    model = find_model([*plain, *_tell_apart(case)], case, TRIES) or find_model(plain, case, TRIES)
    if model is None:
        return None
    realisation = _Named(model, case, rulebook)
    state = realisation.get_state()
    event = realisation.get_event(state)
    monitor = Monitor(state, (Law(choice.id, choice.sentence, choice.applies, choice.holds, None),))
    outcome = monitor.step(state, event)
    is_broken = choice.id in {violation.law for violation in monitor.violations}
    return Harm(choice.id, state, event) if outcome.rejected is None and is_broken else None


def _close_with_the_head(case: SymCase) -> Iterator[z3.BoolRef]:
    """Of an open queue only the head is left: who else waits has no part in the event."""
    episode: Any = case.world.deleveraging
    if episode is not None:
        yield episode.queue.length.term == episode.head.term + 1


def _date(case: SymCase) -> Iterator[z3.BoolRef]:
    """Accounts were last liquidated at a time that a file can hold: never, or no later than the state's."""
    for account in case.world.accounts.first:
        yield to_int(account.liquidated) >= NEVER
        yield to_int(account.liquidated) <= case.world.timestamp.term


def empty_books(case: SymCase) -> Iterator[z3.BoolRef]:
    """Nobody has an order but whom the event needs one of: a book that is not empty is a list, which no model knows."""
    market: Any = case.world.market
    if market is not None and getattr(case.event, "order", None) is None:
        for side in ("bid", "ask"):
            yield getattr(market, f"best_{side}").term == NO_ID
            yield getattr(market, f"{side}_price").term == 0
    for account in case.world.accounts.first:
        yield to_bool(account.resting.is_empty)


def _tell_apart(case: SymCase) -> Iterator[z3.BoolRef]:
    """All ids differ: those of accounts, the market's and the event's."""
    world = case.world
    symbols = [*world.accounts.keys, case.rulebook.vault, case.event.id]
    if world.focus is not None:
        symbols.append(world.focus)
    # an account that is known to be the vault has the vault's symbol
    yield z3.Distinct(*{symbol.term.get_id(): symbol.term for symbol in symbols}.values())


class _Named(Realisation):
    """Accounts and the market bear the names that the rulebook and the event's fields have for them."""

    def __init__(self, model: z3.ModelRef, case: SymCase, rulebook: Rulebook) -> None:
        super().__init__(model, case)
        self._rulebook = rulebook
        self._names: dict[Any, str] = {}
        fields = (field.name for field in attrs.fields(type(case.event)))
        roles = {name: getattr(case.event, name) for name in fields if name in ROLES}
        episode: Any = case.world.deleveraging
        if episode is not None:
            roles |= {"market": episode.market, "counterparty": episode.queue[episode.head], "account": episode.account}
        for name, symbol in roles.items():
            self._names[self.value(symbol)] = name
        self._names[self.value(case.rulebook.vault)] = rulebook.vault

    def get_rulebook(self) -> Rulebook:
        """The rulebook itself, with its policies: a proof holds whichever they are."""
        return self._rulebook

    @property
    def _cushion(self) -> int:
        """Fillers that could be deleveraged would have to be in an open queue."""
        return super()._cushion if self._case.world.deleveraging is None else -AMPLE

    def id(self, symbol: Any) -> Any:
        return self._names.get(self.value(symbol)) or super().id(symbol)


def _pin(symbols: Any, values: Any) -> Iterator[z3.BoolRef]:
    """Each of the fields is what it is in the values."""
    for field in attrs.fields(type(values)):
        symbol, value = getattr(symbols, field.name), getattr(values, field.name)
        if field.name in FREE:
            continue
        if isinstance(symbol, SymInt | SymBool):
            yield symbol.term == value
        elif isinstance(symbol, SymChoice):
            yield to_bool(symbol == value)


def save_harm(harm: Harm, folder: Path) -> Path:
    """Write the state and a log of the one event; where to. Raises ``LogError`` where that fails."""
    path = folder / f"{harm.law}.jsonl"
    save_state(harm.state, folder / f"{harm.law}.state.jsonl")
    write_log(path, harm.state.rulebook, Units("1"), [harm.event], snapshot=f"{harm.law}.state.jsonl")
    return path
