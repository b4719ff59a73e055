"""LIVE-2: while nobody owes anything, whoever is flat can withdraw everything."""

from __future__ import annotations

from typing import Any

from riskcore import cash, outflow
from riskcore.events import Withdraw
from riskcore.prover.book import AccountSymbols, World
from riskcore.prover.kernel import on_symbols
from riskcore.prover.lemma import Lemma, assume
from riskcore.prover.symbols import new_int
from riskcore.prover.tracer import Tracer
from riskcore.rules import Rejected
from specs.arithmetic import every
from specs.outflow import may_leave, outflow_after, taken_out


def _the_flat_can_leave(tracer: Tracer) -> Any:
    """The kernel pays a flat account's whole balance out.

    All equities sum to the pool less the reserves, since sizes sum to zero in each market and
    positions add what they entered at: transit. So where the others' equities are not negative
    and nothing is uncovered, the pool holds this account's.
    """
    world = World(tracer, None, deleveraging=False, is_step=False)
    id = new_int("id")
    account = AccountSymbols(world, world.accounts.get(id))
    others_equity = world.sum_balances + world.sum_entries - account.equity
    assume(tracer, account.maintenance == 0, account.has_no_orders, account.balance > 0)
    vault = world.rulebook.vault
    assume(tracer, (id != vault) | (world.stakes.get(vault).shares == world.vault_shares))
    assume(tracer, others_equity >= 0, world.reserves.uncovered == 0)
    header: dict[str, Any] = {name: new_int(f"event.{name}") for name in ("id", "sequence", "timestamp")}
    everything = account.balance, header["timestamp"]
    assume(tracer, may_leave(world.rulebook, world.outflow, *everything))
    with on_symbols(world):
        try:
            journal = cash.process_withdraw(world.get_state(), Withdraw(account=id, amount=account.balance, **header))
        except Rejected:
            return False
    return journal.account(id).balance == 0


def _outflow_is_as_specified(tracer: Tracer) -> Any:
    """At any time, for any amount that leaves or comes in."""
    world = World(tracer, None, deleveraging=False, is_step=False)
    rulebook, before, amount, time = world.rulebook, world.outflow, new_int("amount"), new_int("time")
    after: Any = outflow.get_outflow_after(rulebook, before, amount, time)
    expected = outflow_after(rulebook, before, amount, time)
    taken: Any = outflow.get_taken_out(rulebook, before, time)
    return every(
        after.drawn == expected["drawn"], after.since == expected["since"], taken == taken_out(rulebook, before, time)
    )


LEMMAS = (
    Lemma(
        "outflow_is_as_specified",
        "CASH-4",
        "what withdrawals took out on balance is what the specification says, in the window that runs or a new one",
        _outflow_is_as_specified,
    ),
    Lemma(
        "the_flat_can_leave",
        "LIVE-2",
        "nobody in debt, nothing uncovered: every flat account without orders can withdraw all that the rulebook's "
        "limit leaves room for, a vault unless others hold shares",
        _the_flat_can_leave,
        contracts=True,
    ),
)
