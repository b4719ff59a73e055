"""A plain example that goes through every stage, and a check for each fault that no proof sees.

The example is played on a ``Desk``, which compares each step with the naive model. The
checks are of what proofs leave out: more accounts and markets than they take,
other rulebooks, and fields of other types.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from riskcore import events
from riskcore.choices import RankPolicy
from riskcore.events import Event
from riskcore.testing.desk import Desk
from riskcore.testing.laws.catalogue import check
from riskcore.testing.rulebooks import HOUR, make_rulebook, make_rules
from tests.test_margin import test_many_positions_add_up
from tests.test_ranking import test_of_all_queues_exactly_one_is_accepted
from tests.test_tables import test_a_large_table_is_a_total_map, test_many_positions_are_a_total_map

RULEBOOK = make_rulebook(insurance_floor=100, adl_requires_profit=True)
RULES = make_rules(initial=100_000, maintenance=50_000, taker=500, maker=-100, liquidation=10_000)


#: A kind of event, the milliseconds before it, and its fields.
Step: TypeAlias = tuple[Callable[..., Event], int, tuple[object, ...]]


def get_plain_example() -> tuple[Event, ...]:
    """A long is liquidated by all stages in turn: book, vault, insurance, two counterparties; the vault is shared."""
    steps: list[Step] = [
        (events.ListMarket, 0, ("BTC", RULES, 1_000)),
        (events.Deposit, 0, ("amber", 12_000)),
        (events.Deposit, 0, ("birch", 40_000)),
        (events.Deposit, 0, ("cedar", 40_000)),
        (events.Deposit, 0, ("vault", 30_000)),
        (events.FundInsurance, 0, (500,)),
        (events.Fill, 0, ("amber", "birch", "BTC", 60, 1_000)),
        (events.Fill, 0, ("amber", "cedar", "BTC", 40, 1_001)),
        (events.ApplyFunding, 8 * HOUR, ("BTC", 1_500)),
        (events.MarkPrice, 0, ("BTC", 920)),
        (events.LiquidationFill, 0, ("amber", "cedar", "BTC", 10, 915)),
        (events.Takeover, 0, ("amber", "BTC", 20)),
        (events.MarkPrice, 0, ("BTC", 870)),
        (events.CoverDeficit, 0, ("amber",)),
        (events.BeginDeleveraging, 0, ("amber", "BTC", ("birch", "cedar"))),
        (events.Deleverage, 0, ()),
        (events.Deleverage, 0, ()),
        (events.Withdraw, 0, ("birch", 10_000)),
        (events.RequestVaultDeposit, 0, ("cedar", 1_000)),
        (events.ExecuteVaultDeposit, 0, ("cedar",)),
        (events.RequestVaultRedemption, 0, ("cedar", 300)),
        (events.ExecuteVaultRedemption, 0, ("cedar",)),
        (events.RequestVaultDeposit, 0, ("birch", 1_000)),
        (events.CancelVaultDeposit, 48 * HOUR, ("birch",)),
    ]
    return tuple(_number(steps))


def _number(steps: list[Step]) -> Iterator[Event]:
    """The events, with ids, sequence numbers and times."""
    time = 1_000
    for number, (kind, after, arguments) in enumerate(steps, start=1):
        time += after
        yield kind(f"e{number}", number, time, *arguments)


def play_plain_example() -> None:
    desk = Desk(RULEBOOK)
    for event in get_plain_example():
        desk.step(event)
        check(desk.passages[-1])


def try_all_queues() -> None:
    """Of all queues of four counterparties exactly one is accepted."""
    for policy in RankPolicy:
        test_of_all_queues_exactly_one_is_accepted(policy)


#: What a fault's ``log`` names. Each passes on the kernel as it is, and raises ``AssertionError`` with the fault.
CHECKS: dict[str, Callable[[], None]] = {
    show.__name__: show
    for show in (
        try_all_queues,
        test_a_large_table_is_a_total_map,
        test_many_positions_are_a_total_map,
        test_many_positions_add_up,
    )
}
