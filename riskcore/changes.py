"""A market's rules change, and nobody is liquidated for it who was not told before.

What lets every position need no more maintenance takes effect at once, and so do the rules of a market in which nobody
has a position. Any other change is announced, and waits for the rulebook's notice; until it is applied, the rules that
there are hold. The latest word counts: it takes the place of what still waits.
"""

from __future__ import annotations

from attrs import evolve

from riskcore.events import ApplyRules, ChangeRules
from riskcore.journal import Journal
from riskcore.markets import get_open_market
from riskcore.quantities import Time
from riskcore.rulebook import MarketRules, is_admissible_market
from riskcore.rules import Rejected, Rule, require
from riskcore.state import Market, State
from riskcore.tiers import needs_no_more


def get_changed(market: Market, rules: MarketRules) -> Market:
    """The market with other rules in effect, and none waiting."""
    return evolve(market, rules=rules, pending=None, pending_time=Time(0))


def process_change_rules(state: State, event: ChangeRules) -> Journal:
    # Guard
    market, notice = get_open_market(state, event.market), state.rulebook.rules_notice
    require(is_admissible_market(event.rules), Rule.RULES_INADMISSIBLE)
    require(event.rules.insurance_separate == market.rules.insurance_separate, Rule.INSURANCE_PART_FIXED)
    # Effect
    changed = evolve(market, pending=event.rules, pending_time=Time(event.timestamp + notice))
    if (notice == 0) | (market.open_interest == 0) | needs_no_more(market.rules, event.rules):
        changed = get_changed(market, event.rules)
    return Journal(state, event.market, changed)


def process_apply_rules(state: State, event: ApplyRules) -> Journal:
    # Guard
    market = get_open_market(state, event.market)
    rules = market.pending
    if rules is None:
        raise Rejected(Rule.NO_RULES_PENDING)
    require(event.timestamp >= market.pending_time, Rule.RULES_NOTICE_RUNS)
    # Effect
    return Journal(state, event.market, get_changed(market, rules))
