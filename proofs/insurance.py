"""What events know of the insurance fund by contract: what it may pay, and how that is counted."""

from __future__ import annotations

from typing import Any

from riskcore import draws, insurance
from riskcore.prover.book import World
from riskcore.prover.lemma import Lemma, assume
from riskcore.prover.symbols import new_int
from riskcore.prover.tracer import Tracer
from specs.arithmetic import every, implies
from specs.draws import drawn_after, may_pay_out


def _new_world(tracer: Tracer) -> World:
    return World(tracer, None, deleveraging=False, is_step=False)


def _available_is_exact(tracer: Tracer) -> Any:
    world, time = _new_world(tracer), new_int("time")
    available: Any = insurance.get_available(world.get_state(), time)
    return available == may_pay_out(world.rulebook, world.reserves.insurance, world.draws, time)


def _draws_are_exact(tracer: Tracer) -> Any:
    world, amount, time = _new_world(tracer), new_int("amount"), new_int("time")
    after = draws.get_draws_after(world.rulebook, world.draws, amount, time)
    expected = drawn_after(world.rulebook, world.draws, amount, time)
    return every(*(getattr(after, name) == value for name, value in expected.items()))


def _what_is_available_fits_in_the_window(tracer: Tracer) -> Any:
    """Paying it, or a part, takes the fund not below its floor, and what a window holds not beyond the limit."""
    world, amount, time = _new_world(tracer), new_int("amount"), new_int("time")
    rulebook = world.rulebook
    available: Any = insurance.get_available(world.get_state(), time)
    after: Any = draws.get_draws_after(rulebook, world.draws, amount, time)
    assume(tracer, amount > 0, amount <= available, time >= world.timestamp)
    limit = rulebook.insurance_draw_limit
    return every(
        world.reserves.insurance - amount >= rulebook.insurance_floor,
        implies(limit > 0, (after.drawn >= amount) & (after.drawn <= limit)),
        implies(limit > 0, (after.since <= time) & (time < after.since + rulebook.insurance_draw_window)),
    )


LEMMAS = (
    Lemma(
        "available_is_exact",
        "INS-1",
        "available is what stands above the floor, and within what the limit leaves in the window that runs",
        _available_is_exact,
    ),
    Lemma(
        "draws_are_exact",
        "INS-2",
        "a payment is counted in the window that runs, or begins one",
        _draws_are_exact,
    ),
    Lemma(
        "what_is_available_fits_in_the_window",
        "INS-2",
        "whatever the fund pays of what is available leaves its floor, and its window within the limit",
        _what_is_available_fits_in_the_window,
    ),
)
