"""What a notional needs where a market has several brackets of rates.

The base rates are the first bracket, from zero; each tier is one more, for the
notional above its floor. What is said of one bracket's term holds of their sum, and
of their maximum, however many there are.
"""

from __future__ import annotations

from collections.abc import Sequence

from riskcore.choices import TierRule
from riskcore.quantities import RATE_ONE, apply_rate, divide_down, divide_up
from riskcore.rulebook import MarketRules
from riskcore.state import Market


def get_marginal_term(notional: int, floor: int, ceiling: int, rate: int) -> int:
    """What a bracket needs of the part of ``notional`` within it, in millionths of an atom: exact."""
    return max(min(notional, ceiling) - floor, 0) * rate


def get_slab_term(notional: int, floor: int, rate: int) -> int:
    """What a bracket needs of the whole ``notional``, in millionths of an atom: exact, zero up to its floor."""
    return notional * rate if notional > floor else 0


def get_tiered_requirement(rules: MarketRules, notional: int, rates: Sequence[int]) -> int:
    """Atoms that ``notional`` needs, at one rate for each bracket; rounded up once.

    ``MARGINAL``: the sum of the brackets' terms. ``SLAB``: the largest of them, which is that
    of the highest bracket reached, as rates do not fall; it jumps where a bracket starts.
    """
    if not rules.tiers:
        return apply_rate(notional, rates[0])
    floors = (0, *(tier.floor for tier in rules.tiers))
    if rules.tier_rule is TierRule.SLAB:
        exact = max(get_slab_term(notional, floor, rate) for floor, rate in zip(floors, rates, strict=True))
    else:
        # nothing of the notional is above itself, so that is where the last bracket ends
        ceilings = (*floors[1:], notional)
        brackets = zip(floors, ceilings, rates, strict=True)
        exact = sum(get_marginal_term(notional, floor, ceiling, rate) for floor, ceiling, rate in brackets)
    return divide_up(exact, RATE_ONE)


def get_scaled_rate(rules: MarketRules, open_notional: int, rate: int) -> int:
    """An initial rate at an open interest worth ``open_notional`` atoms, in parts per million rounded down.

    From its own up to the market's floor it rises in proportion to one at its cap, which is above the floor.
    """
    low, high = rules.open_interest_floor, rules.open_interest_cap
    added = divide_down(max(open_notional - low, 0) * (RATE_ONE - rate), high - low)
    return min(rate + added, RATE_ONE)


def get_open_interest_after(market: Market, held: int, against: int, lots: int) -> int:
    """Lots that are open once ``lots``, signed, have gone from a position of ``against`` to one of ``held``."""
    bought, sold = max(held + lots, 0) - max(held, 0), max(against - lots, 0) - max(against, 0)
    return market.open_interest + bought + sold


def get_initial_rates(rules: MarketRules, open_notional: int) -> tuple[int, ...]:
    """The initial rate of each bracket, from the base, at an open interest worth ``open_notional`` atoms."""
    rates: tuple[int, ...] = (rules.initial_margin_rate,)
    if rules.tiers:
        rates += tuple(tier.initial_margin_rate for tier in rules.tiers)
    if rules.open_interest_cap == 0:
        return rates
    return tuple(get_scaled_rate(rules, open_notional, rate) for rate in rates)


def get_maintenance_rates(rules: MarketRules) -> tuple[int, ...]:
    """The maintenance rate of each bracket, from the base."""
    rates: tuple[int, ...] = (rules.maintenance_margin_rate,)
    if rules.tiers:
        rates += tuple(tier.maintenance_margin_rate for tier in rules.tiers)
    return rates


def get_rate_above(rules: MarketRules, floor: int) -> int:
    """The maintenance rate of the bracket that a notional just above ``floor`` is in."""
    reached = (tier.maintenance_margin_rate for tier in rules.tiers if tier.floor <= floor)
    return max((rules.maintenance_margin_rate, *reached))


def needs_no_more(old: MarketRules, new: MarketRules) -> bool:
    """Whether no position can need more maintenance by ``new`` than by ``old``: no notional has a higher rate.

    Rates do not fall, so that where a bracket starts decides for all of it. Parts and slabs do not compare, unless
    one rate is for all.
    """
    floors = (0, *(tier.floor for tier in new.tiers))
    rates = zip(floors, get_maintenance_rates(new), strict=True)
    is_alike = (new.tier_rule == old.tier_rule) | (not new.tiers)
    return is_alike & all(rate <= get_rate_above(old, floor) for floor, rate in rates)


def get_step_floor(rules: MarketRules, notional: int) -> int:
    """Atoms down to which a liquidation fill may bring ``notional``: the floor of the highest bracket reached.

    Zero in the lowest one, or where the market has no such steps.
    """
    if not rules.liquidation_tier_step:
        return 0
    return max((0, *(tier.floor for tier in rules.tiers if tier.floor < notional)))


def is_continuous(rules: MarketRules) -> bool:
    """Whether one lot more never needs more than the highest rate of a price, and an atom of rounding.

    Slabs of more than one rate jump: with them this law of margin (MARG-1) is refuted.
    """
    return rules.tier_rule is not TierRule.SLAB or all(
        (tier.initial_margin_rate == rules.initial_margin_rate)
        & (tier.maintenance_margin_rate == rules.maintenance_margin_rate)
        for tier in rules.tiers
    )
