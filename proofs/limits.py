"""What limits a liquidation fill stops no liquidation: some size always passes, and with a size every smaller one."""

from __future__ import annotations

from typing import Any

from riskcore import gates, limits
from riskcore.margin import Margin
from riskcore.prover.book import World
from riskcore.prover.kernel import on_symbols
from riskcore.prover.lemma import Lemma, assume
from riskcore.prover.symbols import new_int
from riskcore.prover.tracer import Tracer
from specs.arithmetic import every, implies, magnitude
from specs.limits import sold_at
from specs.tiers import maintenance_requirement


def _any_fill(tracer: Tracer) -> tuple[Any, Any, Any, Any, Any]:
    """A listed market, any account there with a position, its margin below maintenance, and a time."""
    world = World(tracer, new_int("event.market"), deleveraging=False, is_step=False)
    market: Any = world.market
    assume(tracer, market is not None)
    account: Any = world.accounts.get(new_int("event.account"))
    size, equity, rest = account.positions.position.size, new_int("equity"), new_int("rest")
    assume(tracer, size != 0, rest >= 0)
    maintenance = maintenance_requirement(market, size) + rest
    assume(tracer, equity < maintenance)
    return world, market, account, Margin(equity, maintenance, maintenance), new_int("event.timestamp")


def _passes(world: Any, market: Any, account: Any, margin: Any, time: Any, lots: Any) -> Any:
    """Whether share, target, step, block and dust let a fill of so many lots through."""
    size = account.positions.position.size
    left: Any = limits.get_lots_before_last(market, size, lots)
    after = size - lots if bool(size > 0) else size + lots
    return every(
        gates.is_within_share(market, size, lots),
        limits.is_short_of_target(world.rulebook, margin, market, size, left),
        limits.is_above_step(market, size, left),
        limits.is_block_open(world.rulebook, market, account, magnitude(size) - left, time),
        gates.leaves_no_dust(market.rules, size, after),
    )


def _some_size_passes(tracer: Tracer) -> Any:
    """One lot; or all, of a position of the minimum size, which one lot less would make dust."""
    world, market, account, margin, time = _any_fill(tracer)
    size = account.positions.position.size
    with on_symbols(world):
        assume(tracer, limits.is_block_open(world.rulebook, market, account, 0, time))
        lots = magnitude(size) if bool(magnitude(size) == market.rules.minimum_size) else 1
        return _passes(world, market, account, margin, time, lots)


def _a_new_block_is_open(tracer: Tracer) -> Any:
    """Whatever was sold before it."""
    world, market, account, _, time = _any_fill(tracer)
    assume(tracer, account.liquidated < time, market.sold_time < time)
    with on_symbols(world):
        return limits.is_block_open(world.rulebook, market, account, 0, time)


def _fewer_lots_pass(tracer: Tracer) -> Any:
    """What may be left before the last lot is no less with fewer lots, and with more left each limit is further."""
    world, market, account, margin, time = _any_fill(tracer)
    size, lots, fewer = account.positions.position.size, new_int("lots"), new_int("fewer")
    assume(tracer, fewer > 0, fewer <= lots, lots <= magnitude(size))
    with on_symbols(world):
        left: Any = limits.get_lots_before_last(market, size, lots)
        more: Any = limits.get_lots_before_last(market, size, fewer)
        # products with what is above zero: proven in ``margin/products_are_monotone``
        target, required = world.rulebook.liquidation_target, margin.maintenance - maintenance_requirement(market, size)
        one, two = (required + maintenance_requirement(market, kept) for kept in (left, more))
        assume(tracer, left * market.mark_price <= more * market.mark_price, target * one <= target * two)
        assume(tracer, (magnitude(size) - more) * market.mark_price <= (magnitude(size) - left) * market.mark_price)
        rules = world.rulebook
        return every(
            left <= more,
            one <= two,
            implies(
                limits.is_short_of_target(rules, margin, market, size, left),
                limits.is_short_of_target(rules, margin, market, size, more),
            ),
            implies(limits.is_above_step(market, size, left), limits.is_above_step(market, size, more)),
            implies(
                limits.is_block_open(rules, market, account, magnitude(size) - left, time),
                limits.is_block_open(rules, market, account, magnitude(size) - more, time),
            ),
        )


def _sold_is_exact(tracer: Tracer) -> Any:
    sold, since, time = (new_int(name) for name in ("sold", "since", "time"))
    counted: Any = limits.get_sold(sold, since, time)
    return every(counted == sold_at(sold, since, time), implies(since != time, counted == 0))


LEMMAS = (
    Lemma(
        "some_size_passes",
        "LIQ-7",
        "below maintenance one lot may be sold in a block with room, or all of a position of the minimum size",
        _some_size_passes,
        contracts=True,
    ),
    Lemma("a_new_block_is_open", "LIQ-9", "a new block has room for a lot", _a_new_block_is_open, contracts=True),
    Lemma(
        "fewer_lots_pass",
        "LIQ-7",
        "what target, step and block let through, they let through with fewer lots",
        _fewer_lots_pass,
        contracts=True,
    ),
    Lemma("sold_is_exact", "LIQ-9", "what was sold in another block does not count", _sold_is_exact),
)
