"""Formulas: what positions need, what may be paid, what is safe, near or sane; each a Fraction rounded in words."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import ceil, floor, isqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from riskcore.choices import TierRule
    from riskcore.rulebook import MarketRules, Rulebook
    from riskcore.testing.naive.views import DrawsView, Health


MILLION = 10**6


def get_requirement(rate: int, price: int, size: int) -> int:
    """``rate`` millionths of what ``size`` lots are worth, a fraction of an atom counting as one."""
    return ceil(Fraction(rate, MILLION) * abs(size) * price)


def get_tiered(rule: TierRule, notional: int, brackets: list[tuple[int, Fraction]]) -> int:
    """What ``notional`` needs with brackets of floor and rate; a fraction of an atom counts as one.

    In slabs the last one reached is for all of it. Else the notional is cut at the floors, from the top.
    """
    reached = [(bottom, rate) for bottom, rate in brackets if notional > bottom]
    if rule == "slab":
        return ceil(reached[-1][1] * notional) if reached else 0
    needed, left = Fraction(0), notional
    for bottom, rate in reversed(reached):
        needed += (left - bottom) * rate
        left = bottom
    return ceil(needed)


# the same few are asked for again and again, and they depend on nothing but what they are given
@lru_cache(maxsize=4096)
def get_maintenance(rules: MarketRules, price: int, size: int) -> int:
    brackets = [
        (0, rules.maintenance_margin_rate),
        *((tier.floor, tier.maintenance_margin_rate) for tier in rules.tiers),
    ]
    return get_tiered(
        rules.tier_rule, abs(size) * price, [(floor, Fraction(rate, MILLION)) for floor, rate in brackets]
    )


def get_scaling(rules: MarketRules) -> tuple[int, int]:
    return rules.open_interest_floor, rules.open_interest_cap


@lru_cache(maxsize=4096)
def get_initial(rules: MarketRules, price: int, size: int, open_interest: int) -> int:
    """At an open interest of so many lots, which raises the rates between its floor and its cap."""
    way = Fraction(0)
    if rules.open_interest_cap:
        beyond = max(0, open_interest * price - rules.open_interest_floor)
        way = min(Fraction(1), Fraction(beyond, rules.open_interest_cap - rules.open_interest_floor))
    brackets = [(0, rules.initial_margin_rate), *((tier.floor, tier.initial_margin_rate) for tier in rules.tiers)]
    # in whole parts per million, what is over being dropped
    scaled = [(floor, Fraction(int(rate + way * (MILLION - rate)), MILLION)) for floor, rate in brackets]
    return get_tiered(rules.tier_rule, abs(size) * price, scaled)


def get_part(notional: int, leverage: int) -> int:
    """What one part of ``leverage`` equal parts of a notional is worth at least, in whole atoms; nothing for none."""
    return ceil(Fraction(abs(notional), leverage)) if leverage else 0


def get_within_limit(rulebook: Rulebook, stock: int, draws: DrawsView, now: int) -> int:
    """What there is to pay with; where the fund has a limit, no more than the window that runs has left of it."""
    above = max(0, stock)
    if not rulebook.insurance_draw_limit:
        return above
    runs = now - draws.since < rulebook.insurance_draw_window
    return max(0, min(above, rulebook.insurance_draw_limit - (draws.drawn if runs else 0)))


def is_reducing(before: int, after: int) -> bool:
    """Whether a position comes nearer to zero and does not change sides."""
    return abs(after) < abs(before) and after * before >= 0


def is_safe(before: Health, after: Health, reducing: bool) -> bool:
    """At initial margin; or reducing, and equity per maintenance margin is no lower."""
    if after.equity >= after.initial:
        return True
    if not reducing:
        return False
    if after.maintenance == 0:
        return after.equity >= 0
    return Fraction(after.equity, after.maintenance) >= Fraction(before.equity, before.maintenance)


def is_near(price: int, mark: int, limit: int) -> bool:
    """Whether a price is within ``limit`` millionths of mark, where there is a limit."""
    return limit == 0 or abs(Fraction(price, mark) - 1) <= Fraction(limit, MILLION)


def get_broken(**rules: bool) -> set[str]:
    """The names of the rules that do not hold."""
    return {name for name, holds in rules.items() if not holds}


def get_cost_after(size: int, cost: int, change: int, debit: int) -> int:
    """What the lots held afterwards have cost: those kept at their average, those new at theirs."""
    after = size + change
    if size == 0 or (size > 0) == (change > 0):
        return cost + debit
    if abs(change) <= abs(size):
        return floor(Fraction(cost, size) * after)
    return floor(Fraction(debit, change) * after)


def is_sane(rules: MarketRules) -> bool:
    """Whether a market may have these rules."""
    rates = [(rules.initial_margin_rate, rules.maintenance_margin_rate)]
    rates += [(tier.initial_margin_rate, tier.maintenance_margin_rate) for tier in rules.tiers]
    floors = [0, *(tier.floor for tier in rules.tiers)]
    return (
        all(maintenance <= initial <= MILLION for initial, maintenance in rates)
        and all(list(kind) == sorted(kind) for kind in zip(*rates, strict=True))
        and floors == sorted(set(floors))
        and (0 <= rules.open_interest_floor < rules.open_interest_cap or not any(get_scaling(rules)))
        and 0 < rules.maintenance_margin_rate <= rules.initial_margin_rate <= MILLION
        and 0 <= rules.taker_fee_rate <= MILLION
        and -rules.taker_fee_rate <= rules.maker_fee_rate <= MILLION
        and 0 <= rules.liquidation_fee_rate <= MILLION
        and min(rules.mark_move_limit, rules.mark_age_limit, rules.fill_price_band) >= 0
        and 0 < rules.liquidation_share <= MILLION
        and rules.liquidation_share_floor >= 0
        and rules.minimum_size > 0
        and min(rules.liquidation_block_limit, rules.vault_position_limit) >= 0
        and min(rules.mark_index_band, rules.open_interest_limit) >= 0
        and min(rules.index_age_limit, rules.index_move_limit) >= 0
    )


def needs_no_more(old: MarketRules, new: MarketRules) -> bool:
    """Whether any notional's maintenance rate is no higher than it was: looked at just above every floor."""

    def get_rate(rules: MarketRules, notional: int) -> int:
        reached = [tier.maintenance_margin_rate for tier in rules.tiers if notional > tier.floor]
        return [rules.maintenance_margin_rate, *reached][-1]

    above = [1, *(tier.floor + 1 for rules in (old, new) for tier in rules.tiers)]
    means_the_same = new.tiers == () or old.tier_rule == new.tier_rule
    return means_the_same and all(get_rate(new, one) <= get_rate(old, one) for one in above)


def draw_number(seed: int, sequence: int, account: str) -> int:
    """An account's number in a draw: a chain of fifth powers modulo a Mersenne prime, begun and ended with its id.

    To each is added, beside what it is of, the golden ratio's fraction in 128 bits, made odd.
    """
    prime = (1 << 127) - 1
    golden = (isqrt(5 << 256) - (1 << 128)) // 2 | 1
    name = int("1" + "".join(f"{byte:08b}" for byte in account.encode("utf-8", "surrogatepass")), 2)
    number = 0
    for word in (name, seed, sequence, name):
        base = (number + word + golden) % prime
        number = base**5 % prime
    return number
