"""The mark's median and the funding rate, on figures that others publish."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskcore.oracle import get_average_premium, get_funding_rate, get_median_mark, get_premium

PRICES = st.integers(1, 10**12)
RATES = st.integers(-(10**7), 10**7)
BOUNDS = st.integers(0, 10**6)


@pytest.mark.parametrize("prices", [(1, 2, 3), (2, 1, 3), (3, 2, 1), (1, 3, 2), (2, 2, 9), (2, 2, 2)])
def test_the_middle_price_is_the_mark(prices: tuple[int, int, int]) -> None:
    assert get_median_mark(*prices) == 2


@given(PRICES, PRICES, PRICES, PRICES)
def test_one_price_alone_moves_the_mark_no_further_than_to_another(a: int, b: int, c: int, moved: int) -> None:
    assert min(b, c) <= get_median_mark(moved, b, c) <= max(b, c)


@pytest.mark.parametrize(
    ("mark", "rate"),
    # FLOX-Foundation/flox, venue/tests/test_venue_funding_rate.cpp: interest 0.01 %, clamp 0.05 %, cap 0.75 %
    [(100, 100), (150, 7_500), (50, -7_500)],
)
def test_a_premium_is_drawn_toward_interest_and_capped(mark: int, rate: int) -> None:
    assert rate == get_funding_rate(get_premium(100, mark, mark), 100, 500, 7_500)


def test_one_spike_among_a_hundred_samples_counts_as_one() -> None:
    # the same source: 99 samples at the index and one half above it
    premiums = [get_premium(100, 100, 100)] * 99 + [get_premium(100, 150, 150)]

    assert get_funding_rate(get_average_premium(premiums), 100, 500, 7_500) == 4_500


def test_an_impact_bid_one_percent_above_the_oracle() -> None:
    # Hyperliquid's documentation, "Funding": premium 1 %, so 0.95 % for eight hours, and a cap of 4 % an hour
    premium = get_premium(10_000, 10_100, 10_200)

    assert (premium, get_funding_rate(premium, 100, 500, 320_000)) == (10_000, 9_500)


@given(PRICES, PRICES, PRICES)
def test_the_premium_is_nothing_inside_the_spread_and_rounds_toward_zero(index: int, one: int, two: int) -> None:
    bid, ask = sorted((one, two))
    exact = Fraction(max(bid - index, 0) - max(index - ask, 0), index) * 10**6

    premium = get_premium(index, bid, ask)

    assert premium == int(exact)
    assert (premium == 0) or not bid <= index <= ask


@given(RATES, RATES, BOUNDS, BOUNDS)
def test_the_rate_lies_between_premium_and_interest_and_within_the_cap(
    premium: int, interest: int, clamp: int, cap: int
) -> None:
    rate = get_funding_rate(premium, interest, clamp, cap)

    assert abs(rate) <= cap
    if abs(rate) < cap:
        assert min(premium, interest) <= rate <= max(premium, interest)
        assert rate == interest or abs(rate - premium) == clamp


@pytest.mark.parametrize("figures", [(0, 1, 1), (-5, 1, 1), (10, 12, 11)])
def test_an_index_that_is_no_price_or_a_crossed_book_is_refused(figures: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="an index above zero"):
        get_premium(*figures)


def test_no_samples_and_negative_bounds_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one sample"):
        get_average_premium([])
    with pytest.raises(ValueError, match="a clamp and a cap"):
        get_funding_rate(1, 1, -1, 1)
