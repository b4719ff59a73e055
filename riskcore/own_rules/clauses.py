"""What each rule must keep: all that the kernel's proofs rely on of the function that it stands for.

A clause names the law that rests on it. The kernel's own functions keep each of them: that is proven of them in
``proofs/``, and here by the same means as of anybody's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from attrs import frozen

from riskcore.choices import Allocation, RankPolicy, TierRule
from riskcore.own_rules.given import Given, get_candidate, get_market, get_rules
from riskcore.quantities import RATE_ONE, apply_rate
from riskcore.tiers import needs_no_more
from specs.arithmetic import every, implies, magnitude, negate


@frozen
class Clause:
    """``claim`` says what must hold of any inputs, for each way to use brackets."""

    function: str
    name: str
    law: str
    sentence: str
    claim: Callable[[Given, TierRule], Any]


MAINTENANCE, INITIAL = "get_maintenance_requirement", "get_initial_requirement"


# Requirements: what events know of them is ``riskcore.prover.tracer.get_requirement_facts``


def _required(given: Given, function: str, market: Any, size: Any, suffix: str = "") -> Any:
    """A requirement at a size; the initial one at any open interest and leverage of this suffix."""
    if function == MAINTENANCE:
        return given.call(function, market, size)
    return given.call(
        function, market, size, given.integer(f"open_interest{suffix}"), given.integer(f"leverage{suffix}")
    )


def _nothing_needs_nothing(function: str, given: Given, rule: TierRule) -> Any:
    market = get_market(given, get_rules(given, tier_rule=rule))
    return _required(given, function, market, 0) == 0


def _a_position_needs_something(function: str, given: Given, rule: TierRule) -> Any:
    market, size = get_market(given, get_rules(given, tier_rule=rule)), given.integer("size")
    given.assume(size != 0)
    return _required(given, function, market, size) > 0


def _alike_for_both_sides(function: str, given: Given, rule: TierRule) -> Any:
    market, size = get_market(given, get_rules(given, tier_rule=rule)), given.integer("size")
    given.assume(size > 0)
    return _required(given, function, market, size) == _required(given, function, market, -size)


def _by_mark_and_rules_alone(function: str, given: Given, rule: TierRule) -> Any:
    rules, size = get_rules(given, tier_rule=rule), given.integer("size")
    market = get_market(given, rules)
    other = get_market(given, rules, "other", market.mark_price)
    given.assume(size > 0)
    return _required(given, function, market, size) == _required(given, function, other, size)


def _larger_needs_no_less(function: str, given: Given, rule: TierRule) -> Any:
    market, size, more = (
        get_market(given, get_rules(given, tier_rule=rule)),
        given.integer("size"),
        given.integer("more"),
    )
    given.assume(size >= 0, more > 0)
    return _required(given, function, market, size) <= _required(given, function, market, size + more)


def _at_least_the_base_rate(given: Given, rule: TierRule) -> Any:
    market, size = get_market(given, get_rules(given, tier_rule=rule)), given.integer("size")
    given.assume(size > 0)
    required = given.call(MAINTENANCE, market, size)
    return required * RATE_ONE >= size * market.mark_price * market.rules.maintenance_margin_rate


def _milder_rules_need_no_more(given: Given, rule: TierRule) -> Any:
    """Where brackets are not looked at, base rates that are no higher are all there is to milder rules."""
    old, new = get_rules(given, "old", rule), get_rules(given, "new", rule)
    market = get_market(given, old)
    then, size = get_market(given, new, "then", market.mark_price), given.integer("size")
    given.assume(size > 0, new.maintenance_margin_rate <= old.maintenance_margin_rate)
    before = given.call(MAINTENANCE, market, size)
    after = given.call(MAINTENANCE, then, size)
    if given.looked_at_tiers:
        given.assume(bool(needs_no_more(old, new)))
    return after <= before


def _initial_is_no_less_than_maintenance(given: Given, rule: TierRule) -> Any:
    """The kernel's own is least at its base rate: proven in ``tiers/no_less_than_the_base_rate``."""
    market, size = get_market(given, get_rules(given, tier_rule=rule)), given.integer("size")
    given.assume(size > 0)
    required = given.call(MAINTENANCE, market, size)
    if given.has(INITIAL) or given.looked_at_tiers:
        return _required(given, INITIAL, market, size) >= required
    return apply_rate(size * market.mark_price, market.rules.initial_margin_rate) >= required


def _more_open_interest_needs_no_less(given: Given, rule: TierRule) -> Any:
    market, size = get_market(given, get_rules(given, tier_rule=rule)), given.integer("size")
    open_interest, more, leverage = (given.integer(name) for name in ("open_interest", "more", "leverage"))
    given.assume(size > 0, more > 0)
    low = given.call(INITIAL, market, size, open_interest, leverage)
    return low <= given.call(INITIAL, market, size, open_interest + more, leverage)


def _a_chosen_leverage_is_kept(given: Given, rule: TierRule) -> Any:
    market, size = get_market(given, get_rules(given, tier_rule=rule)), given.integer("size")
    open_interest, leverage = given.integer("open_interest"), given.integer("leverage")
    given.assume(size > 0, leverage > 0)
    return given.call(INITIAL, market, size, open_interest, leverage) * leverage >= size * market.mark_price


def _a_higher_leverage_needs_no_more(given: Given, rule: TierRule) -> Any:
    market, size = get_market(given, get_rules(given, tier_rule=rule)), given.integer("size")
    open_interest, leverage, more = (given.integer(name) for name in ("open_interest", "leverage", "more"))
    given.assume(size > 0, leverage > 0, more > 0)
    low = given.call(INITIAL, market, size, open_interest, leverage)
    return every(
        given.call(INITIAL, market, size, open_interest, leverage + more) <= low,
        given.call(INITIAL, market, size, open_interest, 0) <= low,
    )


def _get_requirement_clauses(function: str) -> tuple[Clause, ...]:
    return tuple(
        Clause(function, claim.__name__.lstrip("_"), "MARG-1", sentence, partial(claim, function))
        for claim, sentence in (
            (_nothing_needs_nothing, "no position needs nothing"),
            (_a_position_needs_something, "any position needs more than nothing"),
            (_alike_for_both_sides, "a short needs what a long of the same size does"),
            (
                _by_mark_and_rules_alone,
                "of a market, only its mark price and its rules count"
                + (", and the open interest that is named" if function == INITIAL else ""),
            ),
            (_larger_needs_no_less, "a larger position needs no less"),
        )
    )


# Fees: what the events that charge them know of a fee is the first two


def _new_fee(given: Given) -> tuple[Any, Any]:
    notional, rate = given.integer("notional"), given.integer("rate")
    given.assume(notional >= 0, rate >= 0, rate <= RATE_ONE)
    return notional, rate


def _a_rate_above_zero_costs_nobody_below_zero(given: Given, rule: TierRule) -> Any:
    return given.call("get_fee", *_new_fee(given)) >= 0


def _a_rebate_is_paid_by_the_fee(given: Given, rule: TierRule) -> Any:
    notional, rate = _new_fee(given)
    other = given.integer("other_rate")
    given.assume(other >= -rate, other <= RATE_ONE)
    return given.call("get_fee", notional, rate) + given.call("get_fee", notional, other) >= 0


def _no_more_than_the_rate_rounded_up(given: Given, rule: TierRule) -> Any:
    notional, rate = _new_fee(given)
    return (given.call("get_fee", notional, rate) - 1) * RATE_ONE < notional * rate


# Ranks


def _score_is_over_a_divisor_above_zero(policy: RankPolicy, given: Given, rule: TierRule) -> Any:
    figures = [given.integer(name) for name in ("size", "cost", "mark", "equity", "opened", "chance")]
    given.assume(figures[2] > 0)
    return given.call("get_score", policy, *figures).denominator > 0


def _nobody_is_ahead_of_himself(given: Given, rule: TierRule) -> Any:
    one = get_candidate(given, "one")
    return negate(given.call("is_ahead", one, one))


def _of_two_one_is_ahead(given: Given, rule: TierRule) -> Any:
    one, two = get_candidate(given, "one"), get_candidate(given, "two")
    given.assume(one.id != two.id)
    # decided on the path, so that each path knows which comparison settled it
    return bool(given.call("is_ahead", one, two)) != bool(given.call("is_ahead", two, one))


def _ahead_of_one_ahead_is_ahead(given: Given, rule: TierRule) -> Any:
    one, two, three = (get_candidate(given, name) for name in ("one", "two", "three"))
    given.assume(one.id != two.id, two.id != three.id, one.id != three.id)
    if not (bool(given.call("is_ahead", one, two)) and bool(given.call("is_ahead", two, three))):
        return True
    return bool(given.call("is_ahead", one, three))


# Parts of a deleveraging


def _everyone_has_a_weight(policy: Allocation, given: Given, rule: TierRule) -> Any:
    figures = [given.integer(name) for name in ("size", "cost", "mark", "equity")]
    given.assume(figures[2] > 0)
    return given.call("get_weight", policy, *figures) >= 1


def _new_level(given: Given, name: str = "level") -> tuple[Any, Any]:
    lots, weight = given.integer(f"{name}_lots"), given.integer(f"{name}_weight")
    given.assume(lots >= 0, weight > 0)
    return lots, weight


def _new_position(given: Given) -> tuple[Any, Any]:
    size, weight = given.integer("size"), given.integer("weight")
    given.assume(weight >= 1)
    # on each path its side is settled
    bool(size >= 0)
    return size, weight


def _a_part_is_of_the_position(policy: Allocation, given: Given, rule: TierRule) -> Any:
    (size, weight), (lots, per) = _new_position(given), _new_level(given)
    part, whole = given.call("get_exact_part", policy, size, weight, lots, per), magnitude(size) * per
    return every(part >= 0, part <= whole, implies(policy is Allocation.QUEUE, part == whole))


def _parts_follow_the_level(policy: Allocation, given: Given, rule: TierRule) -> Any:
    """At a level of more lots for a weight nobody has less; where parts are what is not kept, nobody has more."""
    (size, weight), (lots, per), (more, other) = _new_position(given), _new_level(given), _new_level(given, "other")
    given.assume(more * per >= lots * other)
    one = given.call("get_exact_part", policy, size, weight, lots, per) * other
    two = given.call("get_exact_part", policy, size, weight, more, other) * per
    return one >= two if policy is Allocation.LEVERAGE else one <= two


CLAUSES: tuple[Clause, ...] = (
    *_get_requirement_clauses(MAINTENANCE),
    Clause(
        MAINTENANCE,
        "milder_rules_need_no_more",
        "LIFE-5",
        "rules that the kernel lets take effect at once need no more of any position",
        _milder_rules_need_no_more,
    ),
    Clause(
        MAINTENANCE,
        "at_least_the_base_rate",
        "ENV-1",
        "no position needs less than the market's maintenance rate of its notional",
        _at_least_the_base_rate,
    ),
    *_get_requirement_clauses(INITIAL),
    Clause(
        INITIAL,
        "initial_is_no_less_than_maintenance",
        "MARG-1",
        "initial margin is no less than maintenance, at any open interest and leverage",
        _initial_is_no_less_than_maintenance,
    ),
    Clause(
        INITIAL,
        "more_open_interest_needs_no_less",
        "MARG-1",
        "more open interest needs no less",
        _more_open_interest_needs_no_less,
    ),
    Clause(
        INITIAL,
        "a_chosen_leverage_is_kept",
        "MARG-1",
        "with a leverage chosen, a position needs no less than its notional over it",
        _a_chosen_leverage_is_kept,
    ),
    Clause(
        INITIAL,
        "a_higher_leverage_needs_no_more",
        "MARG-1",
        "a higher leverage needs no more, and none no more than any",
        _a_higher_leverage_needs_no_more,
    ),
    Clause(
        "get_fee",
        "a_fee_is_not_negative",
        "CASH-2",
        "a rate that is not below zero gives no fee below zero",
        _a_rate_above_zero_costs_nobody_below_zero,
    ),
    Clause(
        "get_fee",
        "a_rebate_is_paid_by_the_fee",
        "CASH-2",
        "a fee and a rebate of no higher a rate are together not below zero",
        _a_rebate_is_paid_by_the_fee,
    ),
    Clause(
        "get_fee",
        "no_more_than_the_rate_rounded_up",
        "ENV-1",
        "a fee is no more than the rate of the notional, rounded up",
        _no_more_than_the_rate_rounded_up,
    ),
    *(
        Clause(
            "get_score",
            f"score_is_over_a_divisor_above_zero/{policy.value}",
            "ADL-2",
            "a score's denominator is above zero",
            partial(_score_is_over_a_divisor_above_zero, policy),
        )
        for policy in RankPolicy
    ),
    Clause(
        "is_ahead",
        "nobody_is_ahead_of_himself",
        "ADL-2",
        "nobody is ahead of himself",
        _nobody_is_ahead_of_himself,
    ),
    Clause("is_ahead", "of_two_one_is_ahead", "ADL-2", "of any two, one is ahead", _of_two_one_is_ahead),
    Clause(
        "is_ahead",
        "ahead_of_one_ahead_is_ahead",
        "ADL-2",
        "who is ahead of one that is ahead of another is ahead of that too",
        _ahead_of_one_ahead_is_ahead,
    ),
    *(
        Clause(
            "get_weight",
            f"everyone_has_a_weight/{policy.value}",
            "ADL-9",
            "a weight is one at least",
            partial(_everyone_has_a_weight, policy),
        )
        for policy in Allocation
    ),
    *(
        Clause(
            "get_exact_part",
            f"a_part_is_of_the_position/{policy.value}",
            "ADL-9",
            "a part is between nothing and the position" + (", all of it" if policy is Allocation.QUEUE else ""),
            partial(_a_part_is_of_the_position, policy),
        )
        for policy in Allocation
    ),
    *(
        Clause(
            "get_exact_part",
            f"parts_follow_the_level/{policy.value}",
            "ADL-9",
            f"at a higher level nobody's part is {'larger' if policy is Allocation.LEVERAGE else 'smaller'}",
            partial(_parts_follow_the_level, policy),
        )
        for policy in Allocation
        if policy is not Allocation.QUEUE
    ),
)


def get_clauses(functions: Any) -> tuple[Clause, ...]:
    """The clauses of these functions; of either requirement, also what binds the two together."""
    both = {MAINTENANCE} & set(functions)
    return tuple(
        clause
        for clause in CLAUSES
        if clause.function in functions or (both and clause.name == "initial_is_no_less_than_maintenance")
    )
