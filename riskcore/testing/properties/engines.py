"""A Hypothesis machine for somebody else's engine, and pytest's ``TestCase`` of it.

    from riskcore.testing.properties.engines import make_test

    TestEngine = make_test(MyAdapter)

``MyAdapter(rulebook)`` makes an ``Engine`` (``riskcore.testing.engine``) with nothing in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from unittest import TestCase

from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from riskcore.quantities import MarketId
from riskcore.rulebook import MarketRules, Rulebook
from riskcore.testing.engine import Bench, Engine
from riskcore.testing.properties.strategies import randoms
from riskcore.testing.proposing.proposer import Proposer
from riskcore.testing.scenarios import Scenario, draw_scenario, draw_scenario_under, list_opening


def make_test(
    make_engine: Callable[[Rulebook], Engine],
    rulebook: Rulebook | None = None,
    markets: Mapping[MarketId, MarketRules] | None = None,
    kinds: tuple[str, ...] = ("propose",),
    max_examples: int = 50,
) -> type[TestCase]:
    """A test that pytest collects, of any rulebooks, or of one with its markets.

    ``kinds``: of events, as methods of ``Proposer``, where the engine does not know all. ``settings`` may be set on
    the class that comes back, as on any of Hypothesis' machines.
    """
    if (rulebook is None) != (markets is None):
        raise ValueError("a rulebook and markets go together")

    def draw(random: Random) -> Scenario:
        if rulebook is None or markets is None:
            scenario = draw_scenario(random)
        else:
            scenario = draw_scenario_under(random, rulebook, markets)
        # an engine begins with nothing, so nobody owes anything
        return scenario._replace(debts={})

    class EngineMachine(RuleBasedStateMachine):
        bench: Bench

        @initialize(random=randoms)
        def open(self, random: Random) -> None:
            scenario = draw(random)
            note(repr(scenario.rulebook))
            self.bench = Bench(make_engine(scenario.rulebook), scenario.rulebook)
            for kind, *fields in list_opening(scenario):
                self.bench.take(self.bench.desk.make(kind, *fields))

        @rule(random=randoms, count=st.integers(1, 12))
        def go_on(self, random: Random, count: int) -> None:
            for _ in range(count):
                proposer = Proposer(self.bench.desk.venue, random)
                event = getattr(proposer, random.choice(kinds))()
                note(repr(event))
                self.bench.take(event)

    quiet = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)
    case: type[TestCase] = EngineMachine.TestCase
    case.settings = settings(max_examples=max_examples, deadline=None, suppress_health_check=quiet)  # type: ignore[attr-defined]
    return case
