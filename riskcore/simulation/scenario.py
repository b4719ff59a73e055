"""What a simulation is told: a venue, the course of each market's index, and who trades there.

Values only; ``scenario_file`` reads them from TOML, ``play`` plays them. Amounts are atoms, sizes lots, prices
atoms per lot, rates parts per million; a step is one round in which the index moves and everybody acts.
"""

from __future__ import annotations

from attrs import frozen

from riskcore.quantities import RATE_ONE, AccountId, Atoms, Lots, MarketId, Price, Rate, Time
from riskcore.rulebook import MarketRules, Rulebook
from riskcore.units import Units


@frozen
class Segment:
    """The index changes by ``change`` of itself over ``steps``, in a straight line.

    ``noise``: the most by which it is pushed off that line at a step, of which a tenth is gone at the next.
    """

    steps: int
    change: Rate
    noise: Rate


@frozen
class Course:
    """A market and what happens to it. Beyond its last segment the index stays, with that segment's noise.

    ``impact``: rate of the last trade's distance from the index that is left in the makers' quotes a step later.
    ``window``: steps over whose highest and lowest index volatility is measured.
    ``funding_every``: steps from one funding to the next; zero: never.
    """

    market: MarketId
    rules: MarketRules
    price: Price
    path: tuple[Segment, ...]
    impact: Rate
    window: int
    funding_every: int


@frozen
class Span:
    """A step from ``first`` to ``last``, which is drawn for each agent."""

    first: int
    last: int


@frozen
class Group:
    """``count`` accounts, ``name`` with a number, of one kind in one market.

    ``cash``: what each brings. ``arrive``: when it does; ``leave``: when it closes its position, to withdraw all of it;
    None: never. ``slippage``: by how much worse than the quotes' middle its own orders may trade.
    """

    name: str
    market: MarketId
    count: int
    cash: Atoms
    arrive: Span
    leave: Span | None
    slippage: Rate


@frozen
class Makers(Group):
    """They quote both sides at ``levels``: ``size`` lots at each, the first ``spread`` from the middle, the others at
    ``distance`` from each other.

    In volatility, a rate, they quote less and wider: at ``halved_at`` half the lots at twice the distances; above
    ``leave_at`` nothing. ``limit``: lots of a position beyond which they do not add to it. ``refresh``: steps from one
    quote to the next.
    """

    levels: int
    size: Lots
    spread: Rate
    distance: Rate
    halved_at: Rate
    leave_at: Rate
    limit: Lots
    refresh: int


@frozen
class Holders(Group):
    """They open a position, long or short, at a leverage drawn from ``leverage``, and keep it."""

    is_long: bool
    leverage: Span


@frozen
class Followers(Group):
    """They buy what has risen by ``trigger`` over the market's window, sell what has fallen, and close when it turns.

    ``activity``: at what rate of the steps one looks.
    """

    leverage: Span
    trigger: Rate
    activity: Rate


@frozen
class Takers(Group):
    """They open a position of either side, and close it again, at ``activity`` of the steps."""

    leverage: Span
    activity: Rate


@frozen
class VaultPlan:
    """``cash``: what the vault starts with. Each step it offers ``unwind`` of what it holds, ``spread`` from the
    middle on the better side.
    """

    cash: Atoms
    unwind: Rate
    spread: Rate


@frozen
class Scenario:
    """``seed``: that of the draws, where no other is asked for. ``start``: when the first step is, ``step``:
    milliseconds from one to the next. ``insurance``: what the fund starts with.
    """

    rulebook: Rulebook
    units: Units
    seed: int
    start: Time
    step: Time
    steps: int
    insurance: Atoms
    vault: VaultPlan
    courses: tuple[Course, ...]
    groups: tuple[Group, ...]


def get_members(group: Group) -> list[AccountId]:
    """The accounts of a group."""
    return [AccountId(f"{group.name}-{number}") for number in range(1, group.count + 1)]


def grow(price: int, rate: int) -> int:
    """A price after a change by ``rate``, an atom per lot at least."""
    return max(price * (RATE_ONE + rate) // RATE_ONE, 1)
