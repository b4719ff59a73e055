"""What events know of a loss that is shared out by contract: who has weight, how much, and that parts add up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from proofs.ranking import QUEUES, get_listed
from riskcore import sharing
from riskcore.choices import LossSharing
from riskcore.prover.book import AccountSymbols, World
from riskcore.prover.case import SymCase
from riskcore.prover.kernel import on_symbols
from riskcore.prover.lemma import Lemma, assume
from riskcore.prover.symbols import new_int
from riskcore.prover.tracer import Tracer
from riskcore.state import NO_ACCOUNT, Sharing
from specs.arithmetic import every, implies, magnitude
from specs.sharing import weight, weight_of

NAMES = ("size", "cost", "mark", "equity")


def _weight(policy: LossSharing) -> Callable[[Tracer], Any]:
    def is_the_specifications(tracer: Tracer) -> Any:
        figures = [new_int(name) for name in NAMES]
        size, cost, *_ = figures
        # what is not held has cost nothing
        assume(tracer, implies(size == 0, cost == 0))
        result: Any = sharing.get_weight(policy, *figures)
        return every(result == weight_of(policy, *figures), result >= 0)

    return is_the_specifications


def _profit_is_its_formula(tracer: Tracer) -> Any:
    size, cost, mark, equity = (new_int(name) for name in NAMES)
    assume(tracer, equity > 0)
    result: Any = sharing.get_weight(LossSharing.PROFIT, size, cost, mark, equity)
    profit = size * mark - cost
    return every(implies(profit > 0, result == profit), implies(profit <= 0, result == 0))


def _contracts_count_on_both_sides(tracer: Tracer) -> Any:
    """What one has long weighs what another has short, whatever both paid."""
    size, cost, mark, equity = (new_int(name) for name in NAMES)
    other_cost, other_equity = new_int("other_cost"), new_int("other_equity")
    assume(tracer, equity > 0, other_equity > 0)
    one: Any = sharing.get_weight(LossSharing.CONTRACTS, size, cost, mark, equity)
    other: Any = sharing.get_weight(LossSharing.CONTRACTS, -size, other_cost, mark, other_equity)
    return every(one == magnitude(size), one == other)


def _new_world(tracer: Tracer, policy: LossSharing) -> World:
    world = World(tracer, new_int("market"), deleveraging=False, is_step=True, sharing=True)
    world.rulebook = attrs.evolve(world.rulebook, loss_sharing=policy)
    return world


def _account_weight(policy: LossSharing) -> Callable[[Tracer], Any]:
    """Of any account: its weight is that of its position in the market, under the rulebook's word."""

    def is_the_specifications(tracer: Tracer) -> Any:
        world = _new_world(tracer, policy)
        account, market = world.accounts.get(new_int("id")), get_listed(world)
        with on_symbols(world):
            result: Any = sharing.get_account_weight(world.get_state(), world.focus, market, account)
        case: Any = SymCase(world, None, None, None, None)
        return result == weight(case, AccountSymbols(world, account))

    return is_the_specifications


class _TwoAccounts:
    """A table of two accounts, for the function that looks at all of them."""

    def __init__(self, world: World) -> None:
        self._accounts = {name: world.accounts.last[world.accounts.add(new_int(name))] for name in ("a", "b")}

    def get(self, id: str) -> Any:
        return self._accounts.get(id, NO_ACCOUNT)

    def items(self) -> Any:
        return reversed(self._accounts.items())


def _members(members: tuple[str, ...]) -> Callable[[Tracer], Any]:
    """Their total weight where they are exactly those who have any, once, by their ids; otherwise zero."""

    def is_the_sum(tracer: Tracer) -> Any:
        world = _new_world(tracer, LossSharing.CONTRACTS)
        accounts: Any = _TwoAccounts(world)
        state, market = attrs.evolve(world.get_state(), accounts=accounts), get_listed(world)
        case: Any = SymCase(world, None, None, None, None)
        with on_symbols(world, without=(sharing.get_total_weight,)):
            get_total: Any = sharing.get_total_weight
            total: Any = get_total(state, world.focus, market, members)
        weights = {name: weight(case, AccountSymbols(world, account)) for name, account in accounts.items()}
        are_all = every(*((own > 0) if name in members else (own == 0) for name, own in weights.items()))
        if list(members) != sorted(set(members)):
            return total == 0
        expected: Any = sum((weights[name] for name in members), start=0)
        return every(implies(are_all, total == expected), implies(~are_all, total == 0))

    return is_the_sum


def _any_sharing(tracer: Tracer) -> Any:
    amount, total, nobody = new_int("amount"), new_int("weight"), None
    assume(tracer, total > 0, amount >= 0)
    market: Any = nobody
    return Sharing(market, amount, total, 0, (), 0)


def _all_weight_is_the_amount(tracer: Tracer) -> Any:
    opened = _any_sharing(tracer)
    return every(sharing.get_due(opened, opened.weight) == opened.amount, sharing.get_due(opened, 0) == 0)


def _dues_are_rounded_down(tracer: Tracer) -> Any:
    opened, done = _any_sharing(tracer), new_int("done")
    due: Any = sharing.get_due(opened, done)
    exact = opened.amount * done
    return every(due * opened.weight <= exact, (due + 1) * opened.weight > exact)


def _the_order_moves_nobody_by_more_than_an_atom(tracer: Tracer) -> Any:
    """A member's part, wherever in the order it stands, is the same but for one atom."""
    opened, own = _any_sharing(tracer), new_int("own")
    first, second = new_int("first"), new_int("second")

    def get_part(before: Any) -> Any:
        return sharing.get_due(opened, before + own) - sharing.get_due(opened, before)

    gap = get_part(first) - get_part(second)
    return every(gap >= -1, gap <= 1)


LEMMAS = (
    *(
        Lemma(f"weight_by_{policy.value}", "LOSS-4", "a position's weight is the specification's", _weight(policy))
        for policy in LossSharing
    ),
    *(
        Lemma(
            f"account_weight_by_{policy.value}",
            "LOSS-4",
            "any account's weight is that of its position in the market, under the rulebook's word",
            _account_weight(policy),
            contracts=True,
        )
        for policy in LossSharing
    ),
    Lemma("profit_is_its_formula", "LOSS-4", "lots at mark less cost, or nothing", _profit_is_its_formula),
    Lemma(
        "contracts_count_on_both_sides", "LOSS-4", "lots weigh the same long and short", _contracts_count_on_both_sides
    ),
    *(
        Lemma(
            f"members_{'_'.join(members) or 'none'}",
            "LOSS-4",
            "members weigh what they weigh together where they are all who weigh anything, by their ids; else nothing",
            _members(members),
            "PROVED-BOUNDED(two accounts), any positions",
            contracts=True,
        )
        for members in QUEUES
    ),
    Lemma(
        "all_weight_is_the_amount", "LOSS-3", "no weight owes nothing, all owes the amount", _all_weight_is_the_amount
    ),
    Lemma("dues_are_rounded_down", "LOSS-2", "what some weight owes is its part, rounded down", _dues_are_rounded_down),
    Lemma(
        "the_order_moves_nobody_by_more_than_an_atom",
        "LOSS-2",
        "wherever a member stands in the order, its part is the same but for an atom",
        _the_order_moves_nobody_by_more_than_an_atom,
    ),
)
