"""Markets are listed and marked; time passes."""

from __future__ import annotations

from typing import Any

from riskcore import events
from riskcore.choices import MarketStatus
from riskcore.rules import Rule
from specs.arithmetic import RATE_ONE, either, every, implies, magnitude, negate, some
from specs.case import Case
from specs.contract import Contract, Effect, header_guard
from specs.status import is_ending
from specs.tiers import admissible_tiers


def admissible(rules: Any) -> Any:
    """The range of a market's rates for which every law is claimed.

    0 < maintenance <= initial <= 1, and so in each tier; fees within one; a maker's rebate is paid by
    the taker; open interest scales from a floor to a cap above it, or not at all; some part of a large
    position may be liquidated at once, and one lot is no dust.
    """
    low, high = rules.open_interest_floor, rules.open_interest_cap
    return every(
        rules.maintenance_margin_rate > 0,
        rules.maintenance_margin_rate <= rules.initial_margin_rate,
        rules.initial_margin_rate <= RATE_ONE,
        rules.taker_fee_rate >= 0,
        rules.taker_fee_rate <= RATE_ONE,
        0 - rules.taker_fee_rate <= rules.maker_fee_rate,
        rules.maker_fee_rate <= RATE_ONE,
        rules.liquidation_fee_rate >= 0,
        rules.liquidation_fee_rate <= RATE_ONE,
        rules.mark_move_limit >= 0,
        rules.mark_age_limit >= 0,
        rules.fill_price_band >= 0,
        every(low >= 0, low < high) | every(low == 0, high == 0),
        rules.liquidation_share >= 1,
        rules.liquidation_share <= RATE_ONE,
        rules.liquidation_share_floor >= 0,
        rules.minimum_size >= 1,
        rules.liquidation_block_limit >= 0,
        rules.vault_position_limit >= 0,
        rules.mark_index_band >= 0,
        rules.open_interest_limit >= 0,
        rules.index_age_limit >= 0,
        rules.index_move_limit >= 0,
        admissible_tiers(rules),
    )


def admissible_rulebook(rulebook: Any) -> Any:
    """The range of a rulebook's figures for which every law is claimed."""
    window, cooldown = rulebook.liquidation_window, rulebook.liquidation_cooldown
    return every(
        rulebook.vault_position_limit >= 0,
        rulebook.insurance_floor >= 0,
        rulebook.insurance_fill_band >= 0,
        rulebook.insurance_fill_band <= RATE_ONE,
        rulebook.funding_interval > 0,
        rulebook.funding_rate_cap >= 0,
        rulebook.takeover_rate >= 0,
        rulebook.takeover_rate <= RATE_ONE,
        rulebook.vault_deposit_notice >= 0,
        rulebook.vault_redemption_notice >= 0,
        rulebook.vault_request_window >= 0,
        rulebook.vault_deposit_minimum >= 1,
        rulebook.insurance_fee_share >= 0,
        rulebook.insurance_fee_share <= RATE_ONE,
        rulebook.insurance_draw_limit >= 0,
        rulebook.insurance_draw_window >= 0,
        implies(rulebook.insurance_draw_limit > 0, rulebook.insurance_draw_window > 0),
        cooldown >= 0,
        (window == 0) | (window >= cooldown),
        (rulebook.liquidation_target == 0) | (rulebook.liquidation_target >= RATE_ONE),
        rulebook.liquidation_block_limit >= 0,
        implies(rulebook.vault_takes_deficits, negate(rulebook.insurance_before_adl)),
        rulebook.rules_notice >= 0,
        rulebook.withdrawal_limit >= 0,
        rulebook.withdrawal_window >= 0,
        implies(rulebook.withdrawal_limit > 0, rulebook.withdrawal_window > 0),
    )


LIST_MARKET = Contract(
    event=events.ListMarket,
    guard=lambda case: {
        **header_guard(case),
        Rule.MARKET_LISTED: case.before.market is None,
        Rule.RULES_INADMISSIBLE: admissible(case.event.rules),
        Rule.PRICE_NOT_POSITIVE: case.event.mark_price > 0,
    },
    effect=lambda case: Effect(
        market={
            "rules": case.event.rules,
            "mark_price": case.event.mark_price,
            "funding_index": 0,
            "funding_remainder": 0,
            "funding_time": case.event.timestamp,
            "open_interest": 0,
            "status": MarketStatus.OPEN,
            "mark_time": case.event.timestamp,
            "insurance_used": 0,
            "sold": 0,
            "sold_time": 0,
            "previous_mark_price": case.event.mark_price,
            "index_price": case.event.mark_price,
            "index_time": case.event.timestamp,
            "insurance": 0,
            "pending": None,
            "pending_time": 0,
        }
    ),
)


def known_market(case: Case) -> dict[Rule, Any]:
    return {Rule.UNKNOWN_MARKET: case.before.market is not None}


def open_market(case: Case) -> dict[Rule, Any]:
    """The event's market is listed and does not end."""
    market, rules = case.before.market, known_market(case)
    return rules if market is None else {**rules, Rule.MARKET_SETTLING: negate(is_ending(market))}


def trading_market(case: Case) -> dict[Rule, Any]:
    """The event's market is one in which contracts may move."""
    market, rules = case.before.market, open_market(case)
    return rules if market is None else {**rules, Rule.MARKET_PAUSED: market.status != MarketStatus.PAUSED}


def if_close_only(case: Case, *reduces: Any) -> dict[Rule, Any]:
    """Where the event's market is close-only, all of these hold."""
    is_close_only = case.before.market.status == MarketStatus.CLOSE_ONLY
    return {Rule.MARKET_CLOSE_ONLY: implies(is_close_only, every(*reduces))}


def fresh(case: Case) -> Any:
    """Whether the event's market has a mark price that is not stale."""
    market, age = case.before.market, case.event.timestamp - case.before.market.mark_time
    return (market.rules.mark_age_limit == 0) | (age <= market.rules.mark_age_limit)


def within_band(case: Case, rule: Rule, limit: str) -> dict[Rule, Any]:
    """The event's price is within the market's limit of mark; at zero the limit bounds nothing."""
    market = case.before.market
    if market is None:
        return {}
    rate, distance = getattr(market.rules, limit), magnitude(case.event.price - market.mark_price)
    return {rule: (rate == 0) | (distance * RATE_ONE <= rate * market.mark_price)}


def index_fresh(case: Case) -> Any:
    """Whether the event's market has an index price that is not stale: by a limit of its own, or else the mark's."""
    rules, age = case.before.market.rules, case.event.timestamp - case.before.market.index_time
    limit = either(rules.index_age_limit > 0, rules.index_age_limit, rules.mark_age_limit)
    return (limit == 0) | (age <= limit)


def index_within_reach(case: Case) -> Any:
    """Whether the event's price is within the market's limit of the last index; at zero it bounds nothing."""
    market = case.before.market
    limit, last = market.rules.index_move_limit, market.index_price
    return (limit == 0) | (magnitude(case.event.price - last) * RATE_ONE <= limit * last)


def _index_guard(case: Case) -> dict[Rule, Any]:
    """A mark that is bound to the index is near it, or nearer than the last was."""
    market = case.before.market
    if market is None:
        return {}
    band, index = market.rules.mark_index_band, market.index_price
    distance, last = magnitude(case.event.price - index), magnitude(market.mark_price - index)
    is_near = some(distance * RATE_ONE <= band * index, distance < last)
    return {
        Rule.INDEX_STALE: implies(band > 0, index_fresh(case)),
        Rule.MARK_OFF_INDEX: implies(band > 0, is_near),
    }


MARK_PRICE = Contract(
    event=events.MarkPrice,
    guard=lambda case: {
        **header_guard(case),
        **open_market(case),
        Rule.PRICE_NOT_POSITIVE: case.event.price > 0,
        **within_band(case, Rule.MARK_JUMP, "mark_move_limit"),
        **_index_guard(case),
    },
    effect=lambda case: Effect(
        market={
            "mark_price": case.event.price,
            "mark_time": case.event.timestamp,
            "previous_mark_price": case.before.market.mark_price,
        }
    ),
)

INDEX_PRICE = Contract(
    event=events.IndexPrice,
    guard=lambda case: {
        **header_guard(case),
        **open_market(case),
        Rule.PRICE_NOT_POSITIVE: case.event.price > 0,
        Rule.INDEX_JUMP: case.before.market is None or index_within_reach(case),
    },
    effect=lambda case: Effect(market={"index_price": case.event.price, "index_time": case.event.timestamp}),
)

ADVANCE_TIME = Contract(event=events.AdvanceTime, guard=header_guard, effect=lambda case: Effect())

CONTRACTS = (LIST_MARKET, MARK_PRICE, INDEX_PRICE, ADVANCE_TIME)
