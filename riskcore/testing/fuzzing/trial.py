"""One walk from a seed, checked after each step; and what it found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from random import Random
from typing import Any, NamedTuple

from attrs import evolve, field, frozen

from riskcore.events import Event
from riskcore.quantities import MarketId
from riskcore.rulebook import MarketRules, Rulebook
from riskcore.testing.broken import Broken
from riskcore.testing.coverage import Coverage
from riskcore.testing.desk import Desk
from riskcore.testing.laws.catalogue import check
from riskcore.testing.proposing.proposer import Proposer
from riskcore.testing.scenarios import Scenario, draw_scenario, draw_scenario_under, list_opening

#: Events proposed in a walk: cascades need some tens, and longer walks mostly repeat themselves.
LENGTH = 110


@frozen
class Venue:
    """A rulebook and rules of markets that all walks of a run are under."""

    rulebook: Rulebook
    markets: Mapping[MarketId, MarketRules]


class Figure(NamedTuple):
    """A simpler number than was walked with: of the event of this number, counted from zero, the field's."""

    number: int
    name: str
    value: int


def change(event: Event, name: str, value: int) -> Event:
    """The event with another number."""
    changed: dict[str, Any] = {name: value}
    return evolve(event, **changed)


@frozen
class Finding:
    """Events from nothing to the one after which a law does not hold.

    ``original``: how many there were before they were shrunk, 0 where they are not. ``trial``: the walk's number.
    ``places``: where its events stand among those; ``figures``: what is not as it was there. ``times``: how often the
    same law broke at the same kind of event.
    """

    law: str
    words: str
    rulebook: Rulebook
    debts: Mapping[str, int]
    events: tuple[Event, ...]
    trial: int
    original: int = 0
    places: tuple[int, ...] = ()
    times: int = 1
    figures: tuple[Figure, ...] = ()

    @property
    def kind(self) -> str:
        return type(self.events[-1]).__name__

    @property
    def signature(self) -> tuple[str, str]:
        """What makes it another failure than others: the law and the kind of event."""
        return self.law, self.kind


@frozen
class Setting:
    """What all walks of a run share. ``venue``: ``None`` where each draws its own."""

    seed: int
    length: int = field(default=LENGTH)
    venue: Venue | None = None

    def get_random(self, trial: int) -> Random:
        return Random(f"{self.seed}/{trial}")


def run_trial(setting: Setting, trial: int) -> tuple[Coverage, Finding | None]:
    """Walk until something breaks, or the length is reached."""
    random = setting.get_random(trial)
    scenario = draw(random, setting.venue)
    walk = _Walk(scenario)
    try:
        for kind, *fields in list_opening(scenario):
            walk.take(walk.desk.make(kind, *fields))
        proposer = Proposer(walk.desk.venue, random)
        for _ in range(setting.length):
            walk.take(proposer.propose())
    except Exception as error:
        broken = error if isinstance(error, Broken) else Broken("KIT", f"{type(error).__name__}: {error}")
        events = tuple(walk.events)
        return walk.coverage, Finding(broken.law, broken.words, scenario.rulebook, scenario.debts, events, trial)
    return walk.coverage, None


def draw(random: Random, venue: Venue | None) -> Scenario:
    return draw_scenario(random) if venue is None else draw_scenario_under(random, venue.rulebook, venue.markets)


class _Walk:
    """A desk whose events are kept also where a step breaks."""

    def __init__(self, scenario: Scenario) -> None:
        self.desk = Desk(scenario.rulebook, scenario.debts)
        self.events: list[Event] = []
        self.coverage = Coverage()

    def take(self, event: Event) -> None:
        self.events.append(event)
        self.desk.step(event)
        passage = self.desk.passages.pop()
        self.coverage.add(passage, check(passage))


def play(rulebook: Rulebook, events: Iterable[Event], debts: Mapping[str, int] | None = None) -> Desk:
    """The events on a desk, every law checked after each. ``Broken`` where one does not hold."""
    desk = Desk(rulebook, dict(debts or {}))
    for event in events:
        desk.step(event)
        check(desk.passages[-1])
    return desk


def find_break(finding: Finding, events: Iterable[Event]) -> Finding | None:
    """The finding that other events of the same venue lead to, cut at the one that breaks."""
    taken: list[Event] = []
    desk = Desk(finding.rulebook, dict(finding.debts))
    try:
        for event in events:
            taken.append(event)
            desk.step(event)
            check(desk.passages.pop())
    except Broken as broken:
        return evolve(finding, law=broken.law, words=broken.words, events=tuple(taken))
    except Exception as error:
        return evolve(finding, law="KIT", words=f"{type(error).__name__}: {error}", events=tuple(taken))
    return None
