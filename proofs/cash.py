"""LIVE-2: while nobody owes anything, whoever is flat can withdraw everything."""

from __future__ import annotations

from typing import Any

from riskcore.prover.book import AccountSymbols, World
from riskcore.prover.lemma import Lemma, assume
from riskcore.prover.symbols import new_int
from riskcore.prover.tracer import Tracer


def _the_pool_holds_a_flat_balance(tracer: Tracer) -> Any:
    """All equities sum to pool less reserves; where the others' are not negative, the pool holds this one's.

    Sizes sum to zero in each market, so positions add what they entered at: transit.
    """
    world = World(tracer, None, deleveraging=False, is_step=False)
    account = AccountSymbols(world, world.accounts.get(new_int("id")))
    reserves = world.reserves
    others_equity = world.sum_balances + world.sum_entries - account.equity
    assume(tracer, account.maintenance == 0, others_equity >= 0, reserves.uncovered == 0)
    return account.balance <= -reserves.outside


LEMMAS = (
    Lemma(
        "pool_holds_a_flat_balance",
        "LIVE-2",
        "if no equity is negative and nothing uncovered, the pool holds every flat balance",
        _the_pool_holds_a_flat_balance,
    ),
)
