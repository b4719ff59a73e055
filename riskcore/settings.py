"""What an account chooses for itself: the leverage that it takes in a market.

A choice only adds to what the market's rules need of initial margin. It touches neither maintenance, and so
no liquidation, nor anybody's rank.
"""

from __future__ import annotations

from riskcore.events import SetLeverage
from riskcore.journal import Journal
from riskcore.margin import get_exposure, get_initial_requirement, get_margin
from riskcore.markets import are_marks_fresh, get_market
from riskcore.rules import Rule, require
from riskcore.state import State


def process_set_leverage(state: State, event: SetLeverage) -> Journal:
    """Free where it needs no more margin than before; else as if the position were opened anew."""
    # Guard
    market = get_market(state, event.market)
    require(event.leverage >= 0, Rule.LEVERAGE_NEGATIVE)
    require(event.account != state.rulebook.vault, Rule.VAULT_LEVERAGE)
    journal = Journal(state)
    account = journal.account(event.account)
    size, chosen = account.positions.get(event.market).size, account.leverages.get(event.market)
    exposure = get_exposure(size, account.resting.get(event.market))
    required = get_initial_requirement(market, exposure, market.open_interest, event.leverage)
    added = required - get_initial_requirement(market, exposure, market.open_interest, chosen)
    is_fresh = are_marks_fresh(account.positions, state.markets, event.timestamp)
    require((added <= 0) | is_fresh, Rule.MARK_STALE)
    margin = get_margin(account, state.markets)
    require((added <= 0) | (margin.equity >= margin.initial + added), Rule.BELOW_INITIAL_MARGIN)
    # Effect
    journal.choose(account, event.market, event.leverage)
    return journal
