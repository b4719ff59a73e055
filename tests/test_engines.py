"""An engine of somebody else's, through an adapter: one that is right has no findings, one that is wrong has."""

from __future__ import annotations

import runpy
import unittest
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, settings

from riskcore import events
from riskcore.events import Event
from riskcore.quantities import MarketId
from riskcore.rulebook import Rulebook
from riskcore.state import genesis
from riskcore.step import step
from riskcore.testing.broken import Broken
from riskcore.testing.engine import DIFFERENCES, Answer, Bench, Engine
from riskcore.testing.observation import observe
from riskcore.testing.properties.engines import make_test
from riskcore.testing.rulebooks import make_rulebook, make_rules
from riskcore.testing.scenarios import draw_scenario

ROOT = Path(__file__).parent.parent

HEAD = ("e1", 1, 1000)


class Right:
    """The kernel in an adapter's clothes."""

    def __init__(self, rulebook: Rulebook) -> None:
        self.state = genesis(rulebook, mutable=True)

    def apply(self, event: Event) -> Answer:
        outcome = step(self.state, event)
        self.state = outcome.state
        view = observe(self.state)
        sizes = {(id, name): one.size for id, own in view.accounts.items() for name, one in own.positions.items()}
        balances = {id: own.balance for id, own in view.accounts.items()}
        equities = {id: view.get_equity(id) for id in view.accounts}
        return Answer(outcome.rejected is None, balances, equities, sizes, view.reserves)


class Generous(Right):
    """Lets everybody withdraw what he likes."""

    def apply(self, event: Event) -> Answer:
        answer = super().apply(event)
        return Answer(True) if isinstance(event, events.Withdraw) else answer


class Fixed:
    """Always says the same."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def apply(self, event: Event) -> Answer:
        return self.answer


class Crashing(Right):
    def apply(self, event: Event) -> Answer:
        raise ZeroDivisionError("by zero")


def run(case: Any, max_examples: int = 3) -> unittest.TestResult:
    """A few examples of a test, not shrunk."""
    case.settings = settings(
        case.settings, max_examples=max_examples, stateful_step_count=10, phases=[Phase.generate], derandomize=True
    )
    result = unittest.TestResult()
    case("runTest").run(result)
    return result


def test_an_adapter_is_an_engine() -> None:
    assert isinstance(Right(make_rulebook()), Engine)


def test_a_right_engine_has_no_findings() -> None:
    assert run(make_test(Right)).wasSuccessful()


def test_a_wrong_engine_is_found() -> None:
    result = run(make_test(Generous, kinds=("withdraw", "deposit")), max_examples=8)

    ((_, failure),) = result.failures
    assert "ACCEPTED: expected rejected by" in failure


def test_one_rulebook_is_fuzzed_with_its_markets() -> None:
    case = make_test(Right, make_rulebook(), {MarketId("BTC"): make_rules()})

    assert run(case).wasSuccessful()
    with pytest.raises(ValueError, match="go together"):
        make_test(Right, make_rulebook())


@pytest.mark.parametrize(
    ("answer", "law"),
    [
        (Answer(False), "ACCEPTED"),
        (Answer(True, balances={"amber": 4}), "BALANCE"),
        (Answer(True, balances={"amber": 5.0}), "BALANCE"),  # type: ignore[dict-item]
        (Answer(True, equities={"amber": 6}), "EQUITY"),
        (Answer(True, sizes={("amber", "BTC"): 1}), "SIZE"),
        (Answer(True, reserves={"outside": 5}), "RESERVE"),
        (Answer(True, reserves={"nowhere": 5}), "RESERVE"),
    ],
)
def test_each_difference_has_its_name(answer: Answer, law: str) -> None:
    bench = Bench(Fixed(answer), make_rulebook())

    with pytest.raises(Broken) as broken:
        bench.take(events.Deposit(*HEAD, "amber", 5))  # type: ignore[arg-type]
    assert law == broken.value.law
    assert law in DIFFERENCES


def test_what_an_engine_does_not_say_is_not_compared() -> None:
    Bench(Fixed(Answer(True)), make_rulebook()).take(events.Deposit(*HEAD, "amber", 5))  # type: ignore[arg-type]


def test_an_engine_that_crashes_is_told_so() -> None:
    bench = Bench(Crashing(make_rulebook()), draw_scenario(Random(1)).rulebook)

    with pytest.raises(Broken, match="CRASH: ZeroDivisionError: by zero"):
        bench.take(events.Deposit(*HEAD, "amber", 5))  # type: ignore[arg-type]


def test_the_example_runs() -> None:
    case = runpy.run_path(str(ROOT / "examples" / "pytest" / "test_my_engine.py"))["TestEngine"]

    assert run(case).wasSuccessful()
