"""What events know of the insurance fund by contract: what it may pay, and how that is counted."""

from __future__ import annotations

from typing import Any

from attrs import fields

from riskcore import domains, draws, insurance
from riskcore.prover.book import World
from riskcore.prover.lemma import Lemma, assume
from riskcore.prover.symbols import new_bool, new_int
from riskcore.prover.tracer import Tracer
from riskcore.state import Market
from specs.arithmetic import every, implies
from specs.domains import part_after, stock
from specs.draws import drawn_after, may_pay_out


def _new_world(tracer: Tracer, market: Any = None) -> World:
    return World(tracer, market, deleveraging=False, is_step=False)


def _available_is_exact(tracer: Tracer) -> Any:
    """For accounts, and for any market."""
    world, time = _new_world(tracer, new_int("market")), new_int("time")
    market: Any = world.market if new_bool("is_for_a_market") else None
    available: Any = insurance.get_available(world.get_state(), time, market)
    return available == may_pay_out(world.rulebook, stock(world, world.rulebook, market), world.draws, time)


def _a_part_moves_as_specified(tracer: Tracer) -> Any:
    """Nothing else of the market does."""
    world, change = _new_world(tracer, new_int("market")), new_int("change")
    market: Any = world.market
    if market is None:
        return True
    after: Any = domains.get_insured(market, change)
    whole = ("rules", "status", "pending")
    names = (field.name for field in fields(Market) if field.name not in ("insurance", *whole))
    kept = every(*(getattr(after, name) == getattr(market, name) for name in names))
    same = all(getattr(after, name) is getattr(market, name) for name in whole)
    return every(same, kept, after.insurance == part_after(market, change))


def _draws_are_exact(tracer: Tracer) -> Any:
    world, amount, time = _new_world(tracer), new_int("amount"), new_int("time")
    after = draws.get_draws_after(world.rulebook, world.draws, amount, time)
    expected = drawn_after(world.rulebook, world.draws, amount, time)
    return every(*(getattr(after, name) == value for name, value in expected.items()))


def _what_is_available_fits_in_the_window(tracer: Tracer) -> Any:
    """Paying it, or less, takes what is shared not below its floor, a market's own part not below zero, and what a
    window holds not beyond the limit.
    """
    world, amount, time = _new_world(tracer, new_int("market")), new_int("amount"), new_int("time")
    rulebook = world.rulebook
    market: Any = world.market if new_bool("is_for_a_market") else None
    available: Any = insurance.get_available(world.get_state(), time, market)
    after: Any = draws.get_draws_after(rulebook, world.draws, amount, time)
    assume(tracer, amount > 0, amount <= available, time >= world.timestamp)
    limit = rulebook.insurance_draw_limit
    return every(
        stock(world, rulebook, market) >= amount,
        implies(limit > 0, (after.drawn >= amount) & (after.drawn <= limit)),
        implies(limit > 0, (after.since <= time) & (time < after.since + rulebook.insurance_draw_window)),
    )


LEMMAS = (
    Lemma(
        "available_is_exact",
        "INS-1",
        "available is what a separate market has, or what is shared and above the floor, within what the limit leaves "
        "in the window that runs",
        _available_is_exact,
    ),
    Lemma(
        "a_part_moves_as_specified",
        "INS-5",
        "a separate market's part moves with the fund, and is nothing once the market ends; nothing else moves with it",
        _a_part_moves_as_specified,
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
        "whatever the fund pays of what is available leaves the floor of what is shared, and its window within the "
        "limit",
        _what_is_available_fits_in_the_window,
    ),
)
