"""Other rules for a market: at once, or after the notice that the rulebook gives those who may need more for it."""

from __future__ import annotations

from typing import Any

from riskcore import events
from riskcore.rules import Rule
from specs.arithmetic import both_ways
from specs.case import Case
from specs.contract import Contract, Effect, header_guard
from specs.markets import admissible, open_market
from specs.tiers import needs_no_more


def may_change_at_once(case: Case) -> Any:
    """Nobody is in the market, nobody needs more for it, or the rulebook gives no notice."""
    market = case.before.market
    is_harmless = (market.open_interest == 0) | needs_no_more(market.rules, case.event.rules)
    return (case.rulebook.rules_notice == 0) | is_harmless


def _change_guard(case: Case) -> dict[Rule, Any]:
    rules, market = {**header_guard(case), **open_market(case)}, case.before.market
    if market is None:
        return rules
    separate = both_ways(case.event.rules.insurance_separate, market.rules.insurance_separate)
    return {
        **rules,
        Rule.RULES_INADMISSIBLE: admissible(case.event.rules),
        Rule.INSURANCE_PART_FIXED: separate,
    }


def _change_effect(case: Case) -> Effect:
    event = case.event
    if may_change_at_once(case):
        return Effect(market={"rules": event.rules, "pending": None, "pending_time": 0})
    due = event.timestamp + case.rulebook.rules_notice
    return Effect(market={"pending": event.rules, "pending_time": due})


def _apply_guard(case: Case) -> dict[Rule, Any]:
    rules, market = {**header_guard(case), **open_market(case)}, case.before.market
    if market is None:
        return rules
    return {
        **rules,
        Rule.NO_RULES_PENDING: market.pending is not None,
        Rule.RULES_NOTICE_RUNS: (market.pending is None) | (case.event.timestamp >= market.pending_time),
    }


CONTRACTS = (
    Contract(event=events.ChangeRules, guard=_change_guard, effect=_change_effect),
    Contract(
        event=events.ApplyRules,
        guard=_apply_guard,
        effect=lambda case: Effect(market={"rules": case.before.market.pending, "pending": None, "pending_time": 0}),
    ),
)
