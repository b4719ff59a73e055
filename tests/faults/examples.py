"""A plain example that goes through every stage, and one more log for each fault that no proof sees.

All are played on a ``Desk``, which compares each step with the naive model, so a log
shows a fault where kernel and model part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from riskcore import events
from riskcore.events import Event
from riskcore.quantities import AccountId, Lots, MarketId, Time
from tests.strategies import HOUR, Desk, make_rulebook, make_rules
from tests.test_state_machine import check

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


def play_funding_received() -> None:
    """A short settles funding that it receives, and every line of it is told."""
    desk = Desk(make_rulebook())
    desk.open("BTC", 1_000, amber=5_000, birch=5_000)
    desk.must(events.Fill, "amber", "birch", "BTC", 10, 1_000)
    desk.must(events.ApplyFunding, "BTC", 10_000, after=8 * HOUR)
    desk.must(events.Fill, "amber", "birch", "BTC", -4, 1_000)
    check(desk.passages[-1])


def try_inexact_fields() -> None:
    """A field that is no exact integer is refused when the event is made."""
    for inexact in (True, 1.0):
        made = True
        try:
            events.Fill("e1", 1, Time(0), AccountId("a"), AccountId("b"), MarketId("M"), Lots(1), inexact)  # type: ignore[arg-type]
        except TypeError:
            made = False
        assert not made, inexact


#: What a fault's ``log`` names. Each passes on the kernel as it is, and raises ``AssertionError`` with the fault.
CHECKS: dict[str, Callable[[], None]] = {
    play.__name__: play
    for play in (
        play_funding_received,
        try_inexact_fields,
    )
}
