"""What a position needs, in a market with brackets of rates.

A bracket is its floor and its rate, the first at zero. Written as venues publish it: the
rate of the notional less a deduction, or the rate of the bracket that it has reached.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from riskcore.choices import TierRule
from specs.arithmetic import (
    RATE_ONE,
    ceiling_ratio,
    either,
    every,
    floor_ratio,
    is_plain,
    larger,
    magnitude,
    rate_of,
    smaller,
)


def admissible_tier(lower: Any, tier: Any) -> Any:
    """Whether one bracket may follow another, each a floor, an initial rate and a maintenance rate."""
    floor, initial, maintenance = tier
    return every(
        floor > lower[0],
        lower[1] <= initial,
        lower[2] <= maintenance,
        maintenance <= initial,
        initial <= RATE_ONE,
    )


def admissible_tiers(rules: Any) -> Any:
    """Floors above zero that rise, rates that do not fall, and in each maintenance <= initial <= 1."""
    if not isinstance(rules.tiers, tuple):
        return rules.tiers.are_admissible
    base = (0, rules.initial_margin_rate, rules.maintenance_margin_rate)
    tiers = ((tier.floor, tier.initial_margin_rate, tier.maintenance_margin_rate) for tier in rules.tiers)
    return every(*(admissible_tier(lower, tier) for lower, tier in pairwise((base, *tiers))))


def marginal(notional: Any, brackets: Any) -> Any:
    """Millionths of an atom: each bracket adds, of what is above its floor, by how much its rate is higher."""
    total, lower = 0, 0
    for floor, rate in brackets:
        total, lower = total + (rate - lower) * larger(notional - floor, 0), rate
    return total


def slab(notional: Any, brackets: Any) -> Any:
    """Millionths of an atom: the rate of the highest bracket whose floor the notional is above, of all of it."""
    reached = 0
    for floor, rate in brackets:
        reached = either(notional > floor, rate, reached)
    return notional * reached


def tiered(rule: Any, notional: Any, brackets: Any) -> Any:
    """Atoms that ``notional`` needs, rounded up once."""
    if len(brackets) == 1:
        return rate_of(notional, brackets[0][1])
    return ceiling_ratio((slab if rule is TierRule.SLAB else marginal)(notional, brackets), RATE_ONE)


def scaled_rate(rules: Any, open_notional: Any, rate: Any) -> Any:
    """An initial rate at an open interest worth ``open_notional`` atoms, in parts per million, rounded down.

    The rate and, of what it is short of one, as large a part as the open interest has come from floor to cap.
    """
    low, high = rules.open_interest_floor, rules.open_interest_cap
    if high == 0:
        return rate
    grown = larger(open_notional, low) - low
    return smaller(floor_ratio(rate * (high - low) + grown * (RATE_ONE - rate), high - low), RATE_ONE)


def initial_brackets(rules: Any, open_notional: Any) -> Any:
    """Floor and initial rate of each bracket."""
    own = [(0, rules.initial_margin_rate), *((tier.floor, tier.initial_margin_rate) for tier in rules.tiers)]
    return [(floor, scaled_rate(rules, open_notional, rate)) for floor, rate in own]


def maintenance_brackets(rules: Any) -> Any:
    """Floor and maintenance rate of each bracket."""
    return [(0, rules.maintenance_margin_rate), *((tier.floor, tier.maintenance_margin_rate) for tier in rules.tiers)]


def maintenance_rate_at(rules: Any, notional: Any) -> Any:
    """The maintenance rate of the highest bracket that a notional above zero has reached."""
    reached = 0
    for floor, rate in maintenance_brackets(rules):
        reached = either(notional > floor, rate, reached)
    return reached


def needs_no_more(old: Any, new: Any) -> Any:
    """Whether every notional's maintenance rate is by new rules no higher than by old, and the rates mean the same.

    Just above each floor of either: between two of them no rate changes.
    """
    if not isinstance(new.tiers, tuple):
        return new.tiers.need_no_more
    starts = [floor + 1 for rules in (old, new) for floor, _ in maintenance_brackets(rules)]
    is_no_higher = every(*(maintenance_rate_at(new, one) <= maintenance_rate_at(old, one) for one in starts))
    return is_no_higher if not new.tiers or new.tier_rule is old.tier_rule else False


def bracket_floor(rules: Any, notional: Any) -> Any:
    """The floor of the highest bracket whose floor the notional is above."""
    if not is_plain(notional) and not isinstance(rules.tiers, tuple):
        return notional.call("bracket_floor", notional)
    reached = 0
    for tier in rules.tiers:
        reached = either(notional > tier.floor, tier.floor, reached)
    return reached


def step_floor(rules: Any, notional: Any) -> Any:
    """Down to which notional a fill may bring a position: the floor of its bracket, where the market steps."""
    return either(rules.liquidation_tier_step, bracket_floor(rules, notional), 0)


def maintenance_requirement(market: Any, size: Any) -> Any:
    """Atoms below which ``size`` lots are liquidated at mark."""
    mark = market.mark_price
    if is_plain(size, mark):
        return tiered(market.rules.tier_rule, magnitude(size) * mark, maintenance_brackets(market.rules))
    symbol = next(value for value in (size, mark) if not is_plain(value))
    return symbol.call("maintenance_requirement", magnitude(size), mark)


def chosen(notional: Any, leverage: Any, required: Any) -> Any:
    """What ``notional`` needs with a leverage of an account's own: its part of it, rounded up, if more is not required.

    A leverage of zero is none.
    """
    part = ceiling_ratio(notional, either(leverage > 0, leverage, 1))
    return larger(required, either(leverage > 0, part, required))


def exposure(size: Any, bids: Any, asks: Any) -> Any:
    """The most lots, of either side, that a position and all open orders of one side can become."""
    return larger(size + bids, asks - size)


def initial_requirement(market: Any, size: Any, open_interest: Any, leverage: Any) -> Any:
    """Atoms needed to open ``size`` lots at mark, at an open interest of so many lots and the account's leverage."""
    mark = market.mark_price
    if is_plain(size, mark, open_interest, leverage):
        brackets, notional = initial_brackets(market.rules, open_interest * mark), magnitude(size) * mark
        return chosen(notional, leverage, tiered(market.rules.tier_rule, notional, brackets))
    symbol = next(value for value in (size, mark, open_interest, leverage) if not is_plain(value))
    return symbol.call("initial_requirement", magnitude(size), mark, open_interest, leverage)
