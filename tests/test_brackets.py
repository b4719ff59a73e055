"""Where a position of several brackets is liquidated: against the definition, on random brackets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskcore.venues.brackets import (
    Bracket,
    find_liquidation_price,
    get_maintenance_margin,
    make_brackets,
    make_slabs,
)
from riskcore.venues.exact import exact

STARKEX = make_slabs([(0, "0.01"), (2001, "0.5"), (3001, 1)])
#: Nearer to a price than any other at which something changes, with the small numbers used here.
HAIR = Fraction(1, 10**12)


@pytest.mark.parametrize(
    ("size", "entry", "margin", "mark", "price"),
    [
        # 1900 at entry: 1 %; too low between 105.4 and 120 as well, which is the other way
        (19, 100, 760, None, Fraction(2000, 33)),
        (19, 100, 760, 150, 120),
        (19, 100, 760, 110, 120),
        # a short reaches the slab of one half at 2001
        (-20, 99, 320, None, Fraction(2001, 20)),
        (-20, 99, 2_000, None, Fraction(3_980, 30)),
        # all of the notional from 3001 on: nothing more is lost there, and under it half is enough
        (30, 110, 3_300, None, None),
        (1, 100, 200, None, None),
    ],
)
def test_the_price_is_the_first_from_where_the_account_is_healthy(
    size: int, entry: int, margin: int, mark: int | None, price: Fraction | None
) -> None:
    assert price == find_liquidation_price(STARKEX, size, entry, margin, mark=mark)


def test_without_a_position_there_is_none() -> None:
    with pytest.raises(ValueError, match="no position"):
        find_liquidation_price(STARKEX, 0, 100, 1)


@st.composite
def brackets_of(draw: st.DrawFn) -> Sequence[Bracket]:
    count = draw(st.integers(1, 4))
    floors = [0, *sorted(draw(st.sets(st.integers(1, 60), min_size=count - 1, max_size=count - 1)))]
    rates = sorted(draw(st.lists(st.integers(1, 10), min_size=count, max_size=count)))
    levels = [(floor, Fraction(rate, 10)) for floor, rate in zip(floors, rates, strict=True)]
    return (make_slabs if draw(st.booleans()) else make_brackets)(levels)


def is_healthy(brackets: Sequence[Bracket], size: int, cash: int, price: Fraction) -> bool:
    return cash + size * price >= get_maintenance_margin(brackets, abs(size) * price)


def get_corners(brackets: Sequence[Bracket], size: int, *prices: Fraction) -> Iterator[Fraction]:
    """Prices between which health changes once at most: each floor and each price, and what is next to it."""
    for corner in (*(bracket.floor / abs(size) for bracket in brackets), *prices):
        yield from (price for price in (corner - HAIR, corner, corner + HAIR) if price > 0)


@given(
    brackets=brackets_of(),
    size=st.integers(1, 5),
    side=st.sampled_from([1, -1]),
    entry=st.integers(1, 20),
    margin=st.integers(-20, 60),
    mark=st.integers(1, 20),
    others=st.integers(0, 5),
)
@settings(max_examples=300, deadline=None)
def test_the_price_is_what_its_definition_says(
    brackets: Sequence[Bracket], size: int, side: int, entry: int, margin: int, mark: int, others: int
) -> None:
    held, start = side * size, Fraction(mark)
    cash = margin - others - held * entry
    price = find_liquidation_price(brackets, held, entry, margin, others_maintenance=others, mark=mark)

    def healthy(at: Fraction) -> bool:
        return is_healthy(brackets, held, cash, at)

    # away from the mark: against the position from a healthy one, with it from one that is not
    downward = (side > 0) == healthy(start)
    end = price if price is not None else Fraction(0) if downward else exact(10_000)
    low, high = min(end, start), max(end, start)
    between = [at for at in get_corners(brackets, held, start, end) if low < at < high]

    assert price is None or (price > 0 and (price <= start if downward else price >= start))
    assert {healthy(at) for at in between} <= {healthy(start)}
    if price is not None:
        assert healthy(price + side * HAIR)
        assert price <= HAIR or not healthy(price - side * HAIR)
