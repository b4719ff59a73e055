"""What fuzzing costs: Hypothesis' machine against one with empty rules, raw walks against a bare loop.

    python benchmarks/fuzz.py [--examples 10] [--walks 20]

The empty machine has the same rules, draws and number of steps, and does nothing in them. The bare loop steps the
kernel alone through the events of the same walks, which were proposed before: no model, no laws, no second table.
Turns alternate, and the ratios are of processor time.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from random import Random
from statistics import median
from time import process_time
from typing import Final

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from riskcore.events import Event
from riskcore.rulebook import Rulebook
from riskcore.state import State
from riskcore.step import step
from riskcore.testing.laws.catalogue import check
from riskcore.testing.properties.machine import VenueMachine
from riskcore.testing.properties.strategies import randoms
from riskcore.testing.walks import walk

TURNS: Final = 3
STEPS: Final = 50


class Empty(RuleBasedStateMachine):
    """As many rules as the machine's, with the same draws."""


def _do_nothing(machine: Empty, random: Random, count: int = 1) -> None:
    """A rule without a body."""


for name in ("go_on", "settle"):
    setattr(Empty, name, rule(random=randoms, count=st.integers(1, 12))(_do_nothing))
for number in range(8):
    setattr(Empty, f"rule_{number}", rule(random=randoms)(_do_nothing))


class Counted(VenueMachine):
    """Counts events stepped."""

    events = 0

    def teardown(self) -> None:
        if hasattr(self, "desk"):
            Counted.events += len(self.desk.passages)


def run_machine(machine: type[RuleBasedStateMachine], examples: int) -> float:
    """Seconds of processor time."""
    quick = settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    started = process_time()
    run_state_machine_as_test(seed(1)(machine), settings=quick)
    return process_time() - started


def time_of(work: Callable[[], object]) -> float:
    started = process_time()
    work()
    return process_time() - started


def walk_and_check(walks: int) -> list[tuple[Rulebook, State, list[Event]]]:
    """Each walk's rulebook, the state that it started from, and its events."""
    walked = []
    for number in range(walks):
        passages = walk(number, 110).passages
        for passage in passages:
            check(passage)
        walked.append((passages[0].before.rulebook, passages[0].old, [passage.event for passage in passages]))
    return walked


def step_alone(walked: list[tuple[Rulebook, State, list[Event]]]) -> None:
    for _, state, events in walked:
        for event in events:
            state = step(state, event).state


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--examples", type=int, default=10)
    parser.add_argument("--walks", type=int, default=20)
    options = parser.parse_args()
    machines = [(run_machine(Counted, options.examples), run_machine(Empty, options.examples)) for _ in range(TURNS)]
    rate = Counted.events / sum(own for own, _ in machines)
    print(f"machine       {rate:,.0f} events/s")
    print(f"empty rules   {median(empty / own for own, empty in machines):.2f} of the machine's time")
    walked = walk_and_check(options.walks)
    events = sum(len(own) for *_, own in walked)
    turns = [
        (time_of(lambda: walk_and_check(options.walks)), time_of(lambda: step_alone(walked))) for _ in range(TURNS)
    ]
    print(f"raw walk      {events / median(own for own, _ in turns):,.0f} events/s")
    print(f"bare loop     {events / median(bare for _, bare in turns):,.0f} events/s")
    print(f"walk to loop  {median(own / bare for own, bare in turns):.0f} times its time")


if __name__ == "__main__":
    main()
