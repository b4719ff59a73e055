"""What may be asked of a policy of deleveraging: of who closes how many lots, or of what that costs.

A property is of lots (contract space) or of atoms (wealth space), never of both, and says which figures it compares.
Where it compares several deleveragings, the winners in them stand in the same order, or as the property says. Winners
are those opposite to who is deleveraged, all of whom have equity left beyond their part: who cannot bear it is in no
queue, under any policy, and a rank that divides by equity says nothing where there is none.

Tolerances are what rounding can do: a lot for each time that a part is rounded. A queue rounds nothing, and is held
to the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from itertools import permutations

from attrs import frozen


class Space(StrEnum):
    """What a property's figures are: contracts, in lots; or wealth, in atoms."""

    CONTRACTS = "contracts"
    WEALTH = "wealth"


@frozen
class Part:
    """What one winner had, and what became of it.

    ``held``: lots. ``closed``: of them. ``entry``: atoms that they were traded at; ``notional``, ``profit`` and
    ``equity``: atoms at mark, before. ``forgone``: atoms that closing cost it against mark.
    """

    held: int
    closed: int
    entry: int
    notional: int
    profit: int
    equity: int
    forgone: int = 0


@frozen
class Closing:
    """A deleveraging: ``lots`` to close, the ``deficit`` in atoms that is to be covered, and everyone's part."""

    lots: int
    deficit: int
    parts: tuple[Part, ...]


def _total(values: Sequence[int]) -> int:
    return sum(values)


def is_conserved(closing: Closing) -> bool:
    """Nobody is flipped or grows, and no more is closed than there is to close: for each lot there is one opposite."""
    return all(0 <= part.closed <= part.held for part in closing.parts) and (
        _total([part.closed for part in closing.parts]) <= closing.lots
    )


def is_complete(closing: Closing) -> bool:
    """All lots are closed, or all that there are."""
    return _total([part.closed for part in closing.parts]) >= min(
        closing.lots, _total([part.held for part in closing.parts])
    )


def takes_no_more_than_the_deficit(closing: Closing) -> bool:
    return _total([part.forgone for part in closing.parts]) <= closing.deficit


def spares_principal(closing: Closing) -> bool:
    """What a winner forgoes comes out of its profit in that position, not out of what it paid in."""
    return all(part.forgone <= max(part.profit, 0) for part in closing.parts)


def leaves_nobody_in_debt(closing: Closing) -> bool:
    return all(part.forgone <= part.equity for part in closing.parts)


def dominates(one: Part, other: Part) -> bool:
    """More lots, more profit for what they were traded at, and more notional for its equity."""
    return (
        one.held > other.held
        and one.profit * other.entry > other.profit * one.entry
        and one.notional * other.equity > other.notional * one.equity
    )


def follows_rank(closing: Closing) -> bool:
    """Who has more size, a higher profit ratio and more leverage than another closes no fewer lots, but for one."""
    return all(one.closed >= other.closed - 1 for one, other in permutations(closing.parts, 2) if dominates(one, other))


def is_alike(one: Part, other: Part) -> bool:
    return (one.held, one.entry, one.profit, one.equity) == (other.held, other.entry, other.profit, other.equity)


def treats_alike(closing: Closing) -> bool:
    """Winners whose figures are the same close the same, but for a lot."""
    return all(
        abs(one.closed - other.closed) <= 1 for one, other in permutations(closing.parts, 2) if is_alike(one, other)
    )


def is_monotone(fewer: Closing, more: Closing) -> bool:
    """When there is more to close, nobody closes fewer, but for a lot."""
    return all(one.closed <= other.closed + 1 for one, other in zip(fewer.parts, more.parts, strict=True))


def scales(times: int, one: Closing, scaled: Closing) -> bool:
    """Of so many times as much of everything so many times as much is closed, but for a lot of the one."""
    return all(
        abs(times * part.closed - other.closed) <= times for part, other in zip(one.parts, scaled.parts, strict=True)
    )


def gains_nothing_by(before: Sequence[Part], after: Sequence[Part]) -> bool:
    """The same owner's accounts close no fewer lots after than before, but for one in each."""
    return _total([part.closed for part in after]) >= _total([part.closed for part in before]) - max(
        len(before), len(after)
    )


def is_path_independent(once: Closing, steps: Sequence[Closing]) -> bool:
    """What each closes in several deleveragings is what it does in one of all their lots, but for one in each."""
    closed = [_total([closing.parts[place].closed for closing in steps]) for place in range(len(once.parts))]
    return all(abs(one.closed - other) <= len(steps) for one, other in zip(once.parts, closed, strict=True))


def spares_the_hedged(hedged: Part, naked: Part) -> bool:
    """Of two alike, one of whom has an opposite position that gains what this one loses, that one comes last."""
    return hedged.closed == 0 or naked.closed == naked.held


def rewards_reducing(before: Part, after: Part) -> bool:
    """Who sold some lots at mark, before, closes no more than it would have with them, but for a lot."""
    return after.closed <= before.closed + 1


@frozen
class Property:
    """``statement``: of any winners, any lots and any deficit. ``judges``: the predicates above that say it."""

    name: str
    space: Space
    statement: str
    judges: tuple[Callable[..., bool], ...]


PROPERTIES = (
    Property(
        "conservation",
        Space.CONTRACTS,
        "nobody is flipped or grows, and as many lots are closed as there are to close, or as there are opposite",
        (is_conserved, is_complete),
    ),
    Property(
        "minimality",
        Space.WEALTH,
        "winners together forgo no more than the deficit",
        (takes_no_more_than_the_deficit,),
    ),
    Property(
        "principal protection",
        Space.WEALTH,
        "nobody forgoes more than the profit of the position that is closed",
        (spares_principal,),
    ),
    Property(
        "capacity feasibility",
        Space.WEALTH,
        "nobody is left in debt by what it forgoes",
        (leaves_nobody_in_debt,),
    ),
    Property(
        "rank faithfulness",
        Space.CONTRACTS,
        "who has more size, a higher profit ratio and more leverage than another closes no fewer lots, but for one",
        (follows_rank,),
    ),
    Property(
        "symmetry",
        Space.CONTRACTS,
        "winners whose figures are the same close the same, but for a lot",
        (treats_alike,),
    ),
    Property(
        "monotonicity",
        Space.CONTRACTS,
        "when there is a lot more to close, at the same price, nobody closes fewer, but for a lot",
        (is_monotone,),
    ),
    Property(
        "scale invariance",
        Space.CONTRACTS,
        "of so many times as much of everything so many times as much is closed, but for a lot of the one",
        (scales,),
    ),
    Property(
        "split resistance",
        Space.CONTRACTS,
        "who had parted its lots and its equity among two accounts closes no fewer lots, but for one in each",
        (gains_nothing_by,),
    ),
    Property(
        "merge resistance",
        Space.CONTRACTS,
        "who had put two accounts' lots and equity into one closes no fewer lots, but for one in each",
        (gains_nothing_by,),
    ),
    Property(
        "path independence",
        Space.CONTRACTS,
        "two deleveragings after each other close of each what one of all their lots does, but for a lot in each",
        (is_path_independent,),
    ),
    Property(
        "early reduction",
        Space.CONTRACTS,
        "who sold some of its lots at mark before closes no more than it would have with them, but for a lot",
        (rewards_reducing,),
    ),
    Property(
        "hedge awareness",
        Space.CONTRACTS,
        "of two winners alike, one of whom is hedged, that one closes lots only when the other has none left",
        (spares_the_hedged,),
    ),
    Property(
        "waterfall faithfulness",
        Space.WEALTH,
        "nobody is deleveraged for what an earlier stage of the waterfall could still pay",
        (),
    ),
)
