"""Somebody else's engine, held against the reference: an adapter says what it did, and every difference is a failure.

An engine takes part in three ways, each of its choice: it says whether it accepted an event, what some accounts have,
and what the venue has as a whole. What it does not say is not compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol, runtime_checkable

from attrs import field, frozen

from riskcore.events import Event
from riskcore.rulebook import Rulebook
from riskcore.testing.broken import Broken
from riskcore.testing.desk import Desk
from riskcore.testing.naive.views import View


@frozen
class Answer:
    """What an engine made of an event. Atoms and lots, as integers.

    ``balances``, ``equities``: by account, of as many as it likes. ``sizes``: signed lots by account and market.
    ``reserves``: by the names of ``riskcore.Reserves`` (``insurance``, ``fees``, ...).
    """

    accepted: bool
    balances: Mapping[str, int] = field(factory=dict)
    equities: Mapping[str, int] = field(factory=dict)
    sizes: Mapping[tuple[str, str], int] = field(factory=dict)
    reserves: Mapping[str, int] = field(factory=dict)


@runtime_checkable
class Engine(Protocol):
    """One run of an engine from nothing under a rulebook. Events are those of ``riskcore.events``, in native units."""

    def apply(self, event: Event) -> Answer:
        """Let the event happen or reject it, and say how things stand. An exception is a failure of the engine."""


#: The ids under which differences from the reference are reported.
DIFFERENCES: Final = ("ACCEPTED", "BALANCE", "EQUITY", "SIZE", "RESERVE", "CRASH")


class Bench:
    """The reference and an engine side by side. ``Broken`` at the first difference."""

    def __init__(self, engine: Engine, rulebook: Rulebook) -> None:
        self.engine = engine
        self.desk = Desk(rulebook)

    def take(self, event: Event) -> None:
        outcome = self.desk.step(event)
        self.desk.passages.clear()
        try:
            answer = self.engine.apply(event)
        except Exception as error:
            raise Broken("CRASH", f"{type(error).__name__}: {error}; {event}") from error
        reason = "" if outcome.rejected is None else f" by {outcome.rejected.name}"
        if answer.accepted != (outcome.rejected is None):
            said = ("rejected" + reason, "accepted")
            want, got = said if outcome.rejected is not None else said[::-1]
            raise Broken("ACCEPTED", f"expected {want}, got {got.removesuffix(reason)}; {event}")
        compare(answer, self.desk.view, event)


def compare(answer: Answer, view: View, event: Event) -> None:
    """``Broken`` where something that the engine said is not so."""
    for account, balance in answer.balances.items():
        _require("BALANCE", account, view.get_account(account).balance, balance, event)
    for account, equity in answer.equities.items():
        _require("EQUITY", account, view.get_equity(account), equity, event)
    for (account, market), size in answer.sizes.items():
        _require("SIZE", f"{account} in {market}", view.get_size(account, market), size, event)
    for name, amount in answer.reserves.items():
        if name not in view.reserves:
            raise Broken("RESERVE", f"expected one of {', '.join(view.reserves)}, got {name}")
        _require("RESERVE", name, view.reserves[name], amount, event)


def _require(law: str, place: str, expected: int, got: int, event: Event) -> None:
    if type(got) is not int or expected != got:
        raise Broken(law, f"{place}: expected {expected}, got {got!r}; {event}")
