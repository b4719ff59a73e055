"""What events know of requirements in a market with tiers, proven of the kernel's own functions.

One bracket's term is proven for any bracket: not below zero, monotone, above zero from its
floor. Sums and maxima of such terms are so too, however many; the kernel's own assembly of them
is run with none to two tiers of either rule: for the facts, on terms of which no more is known
than was proven, and for its exact figures on the terms as they are. That each requirement is the
assembly at its own rates is proven last, so the facts are those of requirements.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any
from unittest.mock import patch

import attrs

from proofs.margin import get_any_figures
from riskcore import margin, rulebook, tiers
from riskcore.choices import TierRule
from riskcore.prover.lemma import Lemma, assume
from riskcore.prover.symbols import new_bool, new_int
from riskcore.prover.tracer import Tracer
from riskcore.rulebook import MarketRules, Tier
from specs.arithmetic import RATE_ONE, both_ways, either, every, implies, larger, magnitude
from specs.contract import toward_zero
from specs.tiers import (
    admissible_tier,
    chosen,
    initial_brackets,
    maintenance_brackets,
    scaled_rate,
    step_floor,
    tiered,
)

ANY_BRACKET = "any bracket, any notional"
BOUNDED = "PROVED-BOUNDED(three brackets, either rule), any figures; a bracket's term is proven of any bracket"
MOST_TIERS = 2


def any_tier(name: str) -> Any:
    fields: Any = (new_int(f"{name}.{field}") for field in ("floor", "initial", "maintenance"))
    return Tier(*fields)


RATES = ("initial", "maintenance", "taker", "maker", "liquidation")


def any_rules(*, rule: TierRule | None = None) -> Any:
    """Market rules with none to two tiers, of a given rule or of either; nothing is assumed of them."""
    count = next((number for number in range(MOST_TIERS) if bool(new_bool(f"are_{number}"))), MOST_TIERS)
    if rule is None:
        rule = TierRule.SLAB if bool(new_bool("is_slab")) else TierRule.MARGINAL
    tiers: Any = tuple(any_tier(f"tier{number}") for number in range(count))
    return _make_rules(tiers, rule)


def _make_rules(tiers: tuple[Tier, ...], rule: TierRule) -> MarketRules:
    initial, maintenance, taker, maker, liquidation = (new_int(f"rate.{name}") for name in RATES)
    low, high = new_int("open_interest_floor"), new_int("open_interest_cap")
    limits = {name: new_int(name) for name in ("mark_move_limit", "mark_age_limit", "fill_price_band")}
    return MarketRules(
        initial,
        maintenance,
        taker,
        maker,
        liquidation,
        **limits,
        tiers=tiers,
        tier_rule=rule,
        open_interest_floor=low,
        open_interest_cap=high,
    )


def any_brackets(tracer: Tracer, *, rule: TierRule | None = None) -> tuple[Any, list[Any], list[Any]]:
    """Rules, the floors of their brackets, and rates for them that do not fall: those of either kind."""
    rules = any_rules(rule=rule)
    floors = [floor for floor, _ in maintenance_brackets(rules)]
    rates = [new_int(f"bracket{number}.rate") for number in range(len(floors))]
    assume(tracer, *(lower < floor for lower, floor in pairwise(floors)))
    assume(tracer, rates[0] > 0, rates[-1] <= RATE_ONE, *(lower <= rate for lower, rate in pairwise(rates)))
    return rules, floors, rates


# One bracket's term, any bracket


def _marginal_term(tracer: Tracer) -> Any:
    """The part of the notional above the floor and up to the ceiling, times the rate."""
    notional, floor, ceiling, rate = (new_int(name) for name in ("notional", "floor", "ceiling", "rate"))
    assume(tracer, floor >= 0, rate >= 0, (floor < ceiling) | (ceiling == notional))
    term: Any = tiers.get_marginal_term(notional, floor, ceiling, rate)
    return every(
        term >= 0,
        implies(notional <= floor, term == 0),
        implies(every(floor < notional, notional <= ceiling), term == (notional - floor) * rate),
        implies(every(floor < ceiling, ceiling < notional), term == (ceiling - floor) * rate),
        implies(every(notional > floor, rate > 0), term > 0),
    )


def _slab_term(tracer: Tracer) -> Any:
    """All of the notional times the rate, from above the floor."""
    notional, floor, rate = (new_int(name) for name in ("notional", "floor", "rate"))
    assume(tracer, floor >= 0, rate >= 0)
    term: Any = tiers.get_slab_term(notional, floor, rate)
    return every(
        term >= 0,
        implies(notional <= floor, term == 0),
        implies(notional > floor, term == notional * rate),
        implies(every(notional > floor, rate > 0), term > 0),
    )


def _two_notionals(tracer: Tracer) -> tuple[Any, ...]:
    """A floor; and two notionals, two ceilings and two rates, the second of each no smaller."""
    names = ("floor", "notional", "larger", "ceiling", "higher", "rate", "dearer")
    floor, notional, more, ceiling, higher, rate, dearer = (new_int(name) for name in names)
    assume(tracer, floor >= 0, rate >= 0, notional <= more, ceiling <= higher, rate <= dearer)
    return floor, notional, more, ceiling, higher, rate, dearer


def _marginal_term_is_monotone(tracer: Tracer) -> Any:
    floor, notional, more, ceiling, higher, rate, dearer = _two_notionals(tracer)
    small: Any = tiers.get_marginal_term(notional, floor, ceiling, rate)
    return small <= tiers.get_marginal_term(more, floor, higher, dearer)


def _slab_term_is_monotone(tracer: Tracer) -> Any:
    floor, notional, more, _, _, rate, dearer = _two_notionals(tracer)
    small: Any = tiers.get_slab_term(notional, floor, rate)
    return small <= tiers.get_slab_term(more, floor, dearer)


def _may_follow(tracer: Tracer) -> Any:
    """The kernel lets one bracket follow another exactly where the specification does."""
    lower, tier = any_tier("lower"), any_tier("tier")
    plain = [(one.floor, one.initial_margin_rate, one.maintenance_margin_rate) for one in (lower, tier)]
    return both_ways(rulebook.is_admissible_tier(lower, tier), admissible_tier(*plain))


def _any_scaling(tracer: Tracer) -> Any:
    """Rules whose initial rates open interest scales."""
    rules: Any = _make_rules((), TierRule.MARGINAL)
    assume(tracer, rules.open_interest_floor >= 0, rules.open_interest_floor < rules.open_interest_cap)
    return rules


def _scaled_rate_is_specified(tracer: Tracer) -> Any:
    rules, notional, rate = _any_scaling(tracer), new_int("notional"), new_int("rate")
    assume(tracer, notional >= 0, rate > 0, rate <= RATE_ONE)
    scaled: Any = tiers.get_scaled_rate(rules, notional, rate)
    return every(rate <= scaled, scaled <= RATE_ONE, scaled == scaled_rate(rules, notional, rate))


def _scaled_rate_is_monotone(tracer: Tracer) -> Any:
    rules, notional, more, rate, dearer = _any_scaling(tracer), *map(new_int, ("notional", "more", "rate", "dearer"))
    assume(tracer, notional <= more, rate > 0, rate <= dearer, dearer <= RATE_ONE)
    scaled: Any = tiers.get_scaled_rate(rules, notional, rate)
    return every(
        scaled <= tiers.get_scaled_rate(rules, more, rate), scaled <= tiers.get_scaled_rate(rules, notional, dearer)
    )


def _open_interest_after_is_exact(tracer: Tracer) -> Any:
    """The longs of the two that trade change, nobody else's; it falls or stands where one of them only reduces."""
    market = get_any_figures(_make_rules((), TierRule.MARGINAL), "market")
    held, against, lots = (new_int(name) for name in ("held", "against", "lots"))
    left: Any = tiers.get_open_interest_after(market, held, against, lots)
    longs = larger(held, 0) + larger(against, 0)
    longs_after = larger(held + lots, 0) + larger(against - lots, 0)
    reduces = toward_zero(held, held + lots) | toward_zero(against, against - lots)
    return every(left - market.open_interest == longs_after - longs, implies(reduces, left <= market.open_interest))


# The kernel's assembly of terms


def _opaque(tracer: Tracer) -> tuple[Any, Any]:
    """The two terms by what is proven of them, and nothing else."""
    known: list[tuple[Any, ...]] = []

    def term(kind: str, notional: Any, floor: Any, ceiling: Any, rate: Any) -> Any:
        value = new_int(f"term{len(known)}")
        assume(
            tracer,
            value >= 0,
            implies(notional <= floor, value == 0),
            implies((notional > floor) & (rate > 0), value > 0),
        )
        for other_kind, other_notional, other_floor, other_ceiling, other_rate, other in known:
            if kind != other_kind:
                continue
            is_below = every(notional <= other_notional, ceiling <= other_ceiling, rate <= other_rate)
            is_above = every(notional >= other_notional, ceiling >= other_ceiling, rate >= other_rate)
            same = floor == other_floor
            assume(tracer, implies(same & is_below, value <= other), implies(same & is_above, value >= other))
        known.append((kind, notional, floor, ceiling, rate, value))
        return value

    def marginal(notional: Any, floor: Any, ceiling: Any, rate: Any) -> Any:
        return term("marginal", notional, floor, ceiling, rate)

    def slab(notional: Any, floor: Any, rate: Any) -> Any:
        return term("slab", notional, floor, 0, rate)

    return marginal, slab


def _on_terms(claim: Callable[..., Any]) -> Callable[[Tracer], Any]:
    """Run a claim about the assembly on opaque terms; no tiers is one bracket without an end."""

    def run(tracer: Tracer) -> Any:
        rules, _, rates = any_brackets(tracer)
        marginal, slab = _opaque(tracer)
        with (
            patch.object(tiers, "get_marginal_term", marginal),
            patch.object(tiers, "get_slab_term", slab),
            patch.object(tiers, "apply_rate", lambda amount, rate: -(-marginal(amount, 0, amount, rate) // RATE_ONE)),
        ):
            return claim(tracer, rules, rates)

    return run


def _zero_exactly_at_zero(tracer: Tracer, rules: Any, rates: Any) -> Any:
    notional = new_int("notional")
    assume(tracer, notional >= 0)
    required: Any = tiers.get_tiered_requirement(rules, notional, rates)
    return every(required >= 0, implies(notional == 0, required == 0), implies(notional > 0, required > 0))


def _monotone_in_notional(tracer: Tracer, rules: Any, rates: Any) -> Any:
    notional, more = new_int("notional"), new_int("more")
    assume(tracer, notional >= 0, notional <= more)
    small: Any = tiers.get_tiered_requirement(rules, notional, rates)
    return small <= tiers.get_tiered_requirement(rules, more, rates)


def _monotone_in_rates(tracer: Tracer, rules: Any, rates: Any) -> Any:
    """So initial, whose rate is no lower in any bracket, covers maintenance."""
    notional = new_int("notional")
    dearer = [new_int(f"bracket{number}.dearer") for number in range(len(rates))]
    assume(tracer, notional >= 0, *(low <= high for low, high in zip(rates, dearer, strict=True)))
    small: Any = tiers.get_tiered_requirement(rules, notional, rates)
    return small <= tiers.get_tiered_requirement(rules, notional, dearer)


# The assembly with its terms as they are


def _as_specified(rule: TierRule) -> Callable[[Tracer], Any]:
    def claim(tracer: Tracer) -> Any:
        rules, floors, rates = any_brackets(tracer, rule=rule)
        notional = new_int("notional")
        assume(tracer, notional >= 0)
        required: Any = tiers.get_tiered_requirement(rules, notional, rates)
        return required == tiered(rule, notional, list(zip(floors, rates, strict=True)))

    return claim


def _continuous_where_marginal(tracer: Tracer) -> Any:
    rules, floors, rates = any_brackets(tracer, rule=TierRule.MARGINAL)
    return _is_step_bounded(tracer, rules, floors, rates)


def _continuous_where_slabs_are_alike(tracer: Tracer) -> Any:
    rules, floors, rates = any_brackets(tracer, rule=TierRule.SLAB)
    return _is_step_bounded(tracer, rules, floors, [rates[0] for _ in rates])


def _is_step_bounded(tracer: Tracer, rules: Any, floors: list[Any], rates: list[Any]) -> Any:
    """One lot more needs at most the highest rate of a price, and an atom of rounding."""
    notional, price, lower = new_int("notional"), new_int("price"), 0
    assume(tracer, notional >= 0, price > 0)
    for floor, rate in zip(floors, rates, strict=True):
        part = larger(notional + price - floor, 0) - larger(notional - floor, 0)
        # a figure times one that is not negative: proven in ``margin/products_are_monotone``
        assume(tracer, (rate - lower) * part <= (rate - lower) * price)
        lower = rate
    step: Any = tiers.get_tiered_requirement(rules, notional + price, rates)
    step -= tiers.get_tiered_requirement(rules, notional, rates)
    return (step - 1) * RATE_ONE <= price * rates[-1]


def _step_floor_is_specified(tracer: Tracer) -> Any:
    """The highest floor that the notional is above, zero where there is none or no step: and so below it."""
    rules, _, _ = any_brackets(tracer)
    rules = attrs.evolve(rules, liquidation_tier_step=bool(new_bool("steps")))
    notional = new_int("notional")
    assume(tracer, notional >= 0)
    floor: Any = tiers.get_step_floor(rules, notional)
    return every(floor == step_floor(rules, notional), floor >= 0, implies(notional > 0, floor < notional))


def _highest_floor_grows_by_brackets(tracer: Tracer) -> Any:
    """One bracket more above any number of others: its floor where that is reached, else the highest of those."""
    reached, lower, floor, notional = (new_int(name) for name in ("reached", "lower", "floor", "notional"))
    assume(tracer, notional > 0, reached >= 0, reached <= lower, lower < floor)
    assume(tracer, reached < notional, (lower >= notional) | (reached == lower))
    after = either(notional > floor, floor, reached)
    return every(after <= floor, after < notional, (floor >= notional) | (after == floor), after >= reached)


def _is_continuous(tracer: Tracer) -> Any:
    """The kernel says so exactly where parts are margined apart, or all brackets have the same rates."""
    rules = any_rules()
    rates = [(rules.initial_margin_rate, rules.maintenance_margin_rate)]
    rates += [(tier.initial_margin_rate, tier.maintenance_margin_rate) for tier in rules.tiers]
    alike = every(*(one == other for pair in pairwise(rates) for one, other in zip(*pair, strict=True)))
    return both_ways((rules.tier_rule is TierRule.MARGINAL) | alike, bool(tiers.is_continuous(rules)))


def _no_less_than_the_base_rate(tracer: Tracer) -> Any:
    """Why ENV-1 speaks of the base rate: no bracket has a lower one."""
    rules, floors, rates = any_brackets(tracer)
    notional, lower = new_int("notional"), rates[0]
    assume(tracer, notional >= 0)
    for floor, rate in zip(floors, rates, strict=True):
        # of two figures that are not negative: proven in ``margin/products_are_monotone``
        assume(tracer, (rate - lower) * larger(notional - floor, 0) >= 0)
        lower = rate
    required: Any = tiers.get_tiered_requirement(rules, notional, rates)
    return required * RATE_ONE >= notional * rates[0]


def _requirements_are_at_their_own_rates(tracer: Tracer) -> Any:
    """Of the notional at mark: maintenance at the brackets' own rates, initial at those scaled by open interest.

    And initial no less than what a chosen leverage needs.
    """
    rules, size, open_interest, leverage = any_rules(), *map(new_int, ("size", "open_interest", "leverage"))
    market = get_any_figures(rules, "market")
    low, high = rules.open_interest_floor, rules.open_interest_cap
    assume(tracer, every(low >= 0, low < high) | every(low == 0, high == 0))
    asked: list[tuple[Any, Any, Any]] = []
    answers: list[Any] = [new_int("first_answer"), new_int("second_answer")]

    def answer(*arguments: Any) -> Any:
        asked.append(arguments)
        return answers[len(asked) - 1]

    with (
        patch.object(margin, "get_tiered_requirement", answer),
        patch.object(margin, "apply_rate", lambda notional, rate: answer(rules, notional, (rate,))),
    ):
        maintenance: Any = margin.get_maintenance_requirement(market, size)
        initial: Any = margin.get_initial_requirement(market, size, open_interest, leverage)
    notional = magnitude(size) * market.mark_price
    wanted = (maintenance_brackets(rules), initial_brackets(rules, open_interest * market.mark_price))
    return every(
        len(asked) == 2 and maintenance is answers[0],
        initial == chosen(notional, leverage, answers[1]),
        *(given is rules for given, _, _ in asked),
        *(given == notional for _, given, _ in asked),
        *(len(rates) == len(brackets) for (_, _, rates), brackets in zip(asked, wanted, strict=True)),
        *(
            rate == expected
            for (_, _, rates), brackets in zip(asked, wanted, strict=True)
            for rate, (_, expected) in zip(rates, brackets, strict=True)
        ),
    )


def _monotone_in_open_interest(tracer: Tracer) -> Any:
    """By what is proven of rates that are scaled and of requirements at rates, and nothing else of them."""
    rules, names = any_rules(), ("size", "open_interest", "more", "leverage")
    size, open_interest, more, leverage = (new_int(name) for name in names)
    market = get_any_figures(rules, "market")
    mark: Any = market.mark_price
    # a figure times one that is not negative: proven in ``margin/products_are_monotone``
    assume(tracer, open_interest <= more, open_interest * mark <= more * mark)
    scaled: list[tuple[Any, Any, Any]] = []
    needed: list[tuple[Any, Any, Any]] = []

    def scale(of: Any, notional: Any, rate: Any) -> Any:
        value = new_int(f"scaled{len(scaled)}")
        for other_notional, other_rate, other in scaled:
            assume(tracer, implies((notional >= other_notional) & (rate == other_rate), value >= other))
        scaled.append((notional, rate, value))
        return value

    def need(of: Any, notional: Any, rates: Any) -> Any:
        value = new_int(f"needed{len(needed)}")
        for other_notional, other_rates, other in needed:
            dearer = (high >= low for low, high in zip(other_rates, rates, strict=True))
            assume(tracer, implies(every(notional == other_notional, *dearer), value >= other))
        needed.append((notional, rates, value))
        return value

    with patch.object(tiers, "get_scaled_rate", scale), patch.object(margin, "get_tiered_requirement", need):
        small: Any = margin.get_initial_requirement(market, size, open_interest, leverage)
        large: Any = margin.get_initial_requirement(market, size, more, leverage)
    return small <= large


LEMMAS = (
    Lemma(
        "marginal_term",
        "MARG-1",
        "a bracket's rate of the part within it, and above zero from its floor",
        _marginal_term,
        ANY_BRACKET,
    ),
    Lemma("slab_term", "MARG-1", "a bracket's rate of the whole, from its floor", _slab_term, ANY_BRACKET),
    Lemma(
        "marginal_term_is_monotone",
        "MARG-1",
        "a bracket needs no less for more notional, a higher ceiling or a higher rate",
        _marginal_term_is_monotone,
        ANY_BRACKET,
    ),
    Lemma(
        "slab_term_is_monotone",
        "MARG-1",
        "a slab needs no less for more notional or a higher rate",
        _slab_term_is_monotone,
        ANY_BRACKET,
    ),
    Lemma(
        "bracket_may_follow",
        "LEMMA",
        "the kernel lets a bracket follow another exactly where the theorems do",
        _may_follow,
        ANY_BRACKET,
    ),
    Lemma(
        "scaled_rate_is_specified",
        "MARG-1",
        "an initial rate rises with open interest from its own to one, in proportion, rounded down",
        _scaled_rate_is_specified,
        ANY_BRACKET,
    ),
    Lemma(
        "scaled_rate_is_monotone",
        "MARG-1",
        "more open interest or a higher rate scales to no lower a rate",
        _scaled_rate_is_monotone,
        ANY_BRACKET,
    ),
    Lemma(
        "open_interest_after_is_exact",
        "MARG-4",
        "open interest changes by the longs of the two that trade, and not upward where one only reduces",
        _open_interest_after_is_exact,
    ),
    Lemma(
        "zero_exactly_at_zero",
        "MARG-1",
        "a requirement is zero without notional, and above zero with any",
        _on_terms(_zero_exactly_at_zero),
        BOUNDED,
    ),
    Lemma("monotone_in_notional", "MARG-1", "more notional needs no less", _on_terms(_monotone_in_notional), BOUNDED),
    Lemma(
        "monotone_in_rates",
        "MARG-1",
        "rates that are higher in each bracket need no less: initial covers maintenance",
        _on_terms(_monotone_in_rates),
        BOUNDED,
    ),
    Lemma(
        "marginal_is_rate_less_deduction",
        "MARG-1",
        "the sum over brackets is the rate of the notional less a deduction, rounded up once",
        _as_specified(TierRule.MARGINAL),
        BOUNDED,
    ),
    Lemma(
        "slab_is_rate_of_bracket_reached",
        "MARG-1",
        "the largest slab is the rate of the highest bracket reached, of all the notional, rounded up",
        _as_specified(TierRule.SLAB),
        BOUNDED,
    ),
    Lemma(
        "continuous_where_marginal",
        "MARG-1",
        "with brackets one lot more needs at most the highest rate of a price, and an atom",
        _continuous_where_marginal,
        BOUNDED,
    ),
    Lemma(
        "continuous_where_slabs_are_alike",
        "MARG-1",
        "so it does with slabs of the same rates; with others it need not",
        _continuous_where_slabs_are_alike,
        BOUNDED,
    ),
    Lemma(
        "continuous_is_its_definition",
        "MARG-1",
        "rules are called continuous where they have brackets, or slabs of the same rates",
        _is_continuous,
        BOUNDED,
    ),
    Lemma(
        "step_floor_is_specified",
        "LIQ-8",
        "a liquidation steps down to the highest floor below the notional, to zero in the lowest bracket",
        _step_floor_is_specified,
        BOUNDED,
    ),
    Lemma(
        "highest_floor_grows_by_brackets",
        "LIQ-8",
        "with one bracket more the highest floor reached is its own, or that of the brackets below",
        _highest_floor_grows_by_brackets,
        ANY_BRACKET,
    ),
    Lemma(
        "no_less_than_the_base_rate",
        "ENV-1",
        "with tiers a requirement is at least the base rate of the notional, which is the lowest",
        _no_less_than_the_base_rate,
        BOUNDED,
    ),
    Lemma(
        "monotone_in_open_interest",
        "MARG-1",
        "more open interest needs no less, whatever leverage is chosen",
        _monotone_in_open_interest,
        BOUNDED,
    ),
    Lemma(
        "requirements_are_at_their_own_rates",
        "MARG-1",
        "maintenance at the brackets' rates, initial at theirs as scaled, of the notional at mark",
        _requirements_are_at_their_own_rates,
        BOUNDED,
    ),
)
