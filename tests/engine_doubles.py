"""Engines that misbehave, one way each: ``python -m tests.engine_doubles NAME``; conform has a word for each."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from functools import partial

from attrs import evolve

from riskcore.conformance.engine import Server, serve
from riskcore.events import Event, Fill, Withdraw
from riskcore.quantities import Atoms
from riskcore.rules import Rule
from riskcore.state import State
from riskcore.step import Outcome, step


def keep_an_atom(state: State, event: Event) -> Outcome:
    """Whatever is withdrawn, an atom more of it is held back as fees."""
    outcome = step(state, event)
    if outcome.rejected is not None or not isinstance(event, Withdraw):
        return outcome
    reserves = outcome.state.reserves
    wrong = evolve(reserves, outside=Atoms(reserves.outside - 1), fees=Atoms(reserves.fees + 1))
    return evolve(outcome, state=evolve(outcome.state, reserves=wrong))


def refuse_large_fills(state: State, event: Event) -> Outcome:
    """A fill of more than twenty lots is not accepted."""
    outcome = step(state, event)
    is_large = isinstance(event, Fill) and abs(event.size) > 20
    return Outcome(state, (), Rule.DUST) if is_large and outcome.rejected is None else outcome


def name_another_rule(state: State, event: Event) -> Outcome:
    outcome = step(state, event)
    return outcome if outcome.rejected is None else evolve(outcome, rejected=Rule.SELF_TRADE)


class Modest(Server):
    """It tells the least that an engine may, and takes no takeovers."""

    def answer(self, message: dict[str, object]) -> dict[str, object]:
        answer = super().answer(message)
        if message.get("type") == "hello":
            events = answer["events"]
            assert isinstance(events, list)
            return {**answer, "events": [name for name in events if name != "takeover"], "features": []}
        answer.pop("hash", None)
        return answer


def crash() -> None:
    sys.stdin.readline()
    sys.stderr.write("out of luck\n")
    sys.stderr.flush()
    os._exit(9)


def hang() -> None:
    time.sleep(600)


def never_read() -> None:
    """It answers the first message and then leaves its input alone."""
    sys.stdout.write(next(iter(Server().run(sys.stdin))))
    sys.stdout.flush()
    time.sleep(600)


def babble() -> None:
    for _ in sys.stdin:
        sys.stdout.write("Ready. Type help for help.\n")
        sys.stdout.flush()


def flood() -> None:
    while True:
        os.write(1, b"x" * 65_536)


def flood_stderr() -> None:
    while True:
        os.write(2, b"lamentation\n" * 1_000)


def answer_twice() -> None:
    for answer in Server().run(sys.stdin):
        sys.stdout.write(answer + answer)
        sys.stdout.flush()


def leave_a_child() -> None:
    """A child in the background holds the pipes while the engine ends."""
    if os.fork() == 0:
        time.sleep(600)
    os._exit(3)


class Forgetful(Server):
    """It falls over at the first withdrawal."""

    def answer(self, message: dict[str, object]) -> dict[str, object]:
        event = message.get("event")
        if isinstance(event, dict) and event.get("event") == "withdraw":
            os._exit(7)
        return super().answer(message)


class Drowsy(Server):
    """It falls asleep at the first withdrawal."""

    def answer(self, message: dict[str, object]) -> dict[str, object]:
        event = message.get("event")
        if isinstance(event, dict) and event.get("event") == "withdraw":
            time.sleep(600)
        return super().answer(message)


def half_a_state() -> None:
    """It leaves a total out."""
    for answer in Server().run(sys.stdin):
        sys.stdout.write(answer.replace('"balances"', '"balance"'))
        sys.stdout.flush()


BROKEN = (crash, hang, never_read, babble, flood, flood_stderr, answer_twice, leave_a_child, half_a_state)
WRONG = (keep_an_atom, refuse_large_fills, name_another_rule)
SERVERS = {
    "modest": Modest(name="modest"),
    "forgetful": Forgetful(),
    "drowsy": Drowsy(),
    **{one.__name__: Server(one) for one in WRONG},
}
DOUBLES: dict[str, Callable[[], None]] = {
    **{one.__name__: one for one in BROKEN},
    **{name: partial(serve, server) for name, server in SERVERS.items()},
}

if __name__ == "__main__":
    DOUBLES[sys.argv[1]]()
