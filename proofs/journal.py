"""The memos of cost and of when a position opened, which events know by contract: they are the specification's."""

from __future__ import annotations

from typing import Any

from riskcore import journal
from riskcore.prover.book import World
from riskcore.prover.lemma import Lemma
from riskcore.prover.symbols import new_int
from riskcore.prover.tracer import Tracer
from specs.arithmetic import both_ways, every, implies, magnitude, negate, opened_after


def _cost_is_exact(tracer: Tracer) -> Any:
    size, cost, lots, debit = (new_int(name) for name in ("size", "cost", "lots", "debit"))
    after = size + lots
    result: Any = journal.get_cost(size, cost, lots, debit)
    grows = ((size >= 0) & (lots >= 0)) | ((size <= 0) & (lots <= 0))
    shrinks = ((size > 0) & (lots < 0) & (after > 0)) | ((size < 0) & (lots > 0) & (after < 0))
    crosses = ((size > 0) & (after <= 0)) | ((size < 0) & (after >= 0))
    kept = every(
        result * magnitude(size) <= cost * magnitude(after), (result + 1) * magnitude(size) > cost * magnitude(after)
    )
    new = every(
        result * magnitude(lots) <= debit * magnitude(after), (result + 1) * magnitude(lots) > debit * magnitude(after)
    )
    return every(implies(grows, result == cost + debit), implies(shrinks, kept), implies(crosses & (lots != 0), new))


def _closing_leaves_no_cost(tracer: Tracer) -> Any:
    size, cost, debit = (new_int(name) for name in ("size", "cost", "debit"))
    result: Any = journal.get_cost(size, cost, -size, debit)
    return implies(size != 0, result == 0)


def _opened_is_as_specified(tracer: Tracer) -> Any:
    before, after, opened, sequence = (new_int(name) for name in ("before", "after", "opened", "sequence"))
    result: Any = journal.get_opened(before, after, opened, sequence)
    return result == opened_after(before, after, opened, sequence)


def _one_account_is_one_party(tracer: Tracer) -> Any:
    """However often an account is taken out, and under whatever name, there is one working copy."""
    world = World(tracer, None, deleveraging=False, is_step=False)
    first, second = new_int("first"), new_int("second")
    book = journal.Journal(world.get_state())
    one, two = book.account(first), book.account(second)
    return both_ways(first == second, one is two)


def _one_stake_is_one_holder(tracer: Tracer) -> Any:
    """However often a stake is taken out, there is one working copy of it."""
    world = World(tracer, None, deleveraging=False, is_step=False)
    first, second = new_int("first"), new_int("second")
    book = journal.Journal(world.get_state())
    one, two = book.holder(first), book.holder(second)
    return both_ways(first == second, one is two)


def _one_order_is_one_slot(tracer: Tracer) -> Any:
    """However often the place of an order is taken out, there is one working copy of it, with what rests there."""
    world = World(tracer, None, deleveraging=False, is_step=False)
    first, second = new_int("first"), new_int("second")
    book = journal.Journal(world.get_state())
    one, two = book.slot(first), book.slot(second)
    order: Any = one.order
    rests = world.symbolic_orders.rests(first)
    return every(both_ways(first == second, one is two), negate(rests) if order is None else rests)


LEMMAS = (
    Lemma(
        "one_order_is_one_slot",
        "BOOK-5",
        "the place of an order taken out twice is one working copy",
        _one_order_is_one_slot,
    ),
    Lemma(
        "one_stake_is_one_holder",
        "SHARE-1",
        "a stake taken out twice is one working copy",
        _one_stake_is_one_holder,
    ),
    Lemma(
        "one_account_is_one_party",
        "CASH-1",
        "an account taken out twice is one working copy",
        _one_account_is_one_party,
    ),
    Lemma(
        "cost_is_exact",
        "EFFECT",
        "growing adds, shrinking keeps the share that stays, crossing starts anew",
        _cost_is_exact,
    ),
    Lemma(
        "opened_is_as_specified",
        "EFFECT",
        "a position keeps the time at which it opened while it keeps its side",
        _opened_is_as_specified,
    ),
    Lemma("closing_leaves_no_cost", "BAL-2", "a closed position has no cost", _closing_leaves_no_cost),
)
