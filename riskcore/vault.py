"""The vault's stage: a participant takes over what the order book did not.

The lots come at mark with their share of the account's equity, which is what the
vault may earn; or, where the rulebook has it pay deficits, what it loses. It is an account
like any other: margined, limited, liquidatable.
"""

from __future__ import annotations

from riskcore.events import Takeover
from riskcore.journal import Journal, Party, Reason, Stage
from riskcore.liquidation import get_equity_share, give, require_liquidatable
from riskcore.margin import Margin, can_bear, get_margin, is_reduction
from riskcore.markets import get_trading_market, require_fresh
from riskcore.quantities import RATE_ONE, MarketId
from riskcore.rulebook import Rulebook
from riskcore.rules import Rule, require
from riskcore.state import Account, Market, State
from riskcore.tiers import get_open_interest_after


def is_within_limit(rulebook: Rulebook, market: Market, before: int, after: int) -> bool:
    """Whether the vault may hold ``after`` lots, having held ``before``: within its limits, or fewer."""
    notional, own = abs(after) * market.mark_price, market.rules.vault_position_limit
    is_within = (notional <= rulebook.vault_position_limit) & ((own == 0) | (notional <= own))
    return is_within | is_reduction(before, after)


def takes_equity(rulebook: Rulebook, margin: Margin) -> bool:
    """Whether the vault takes an account over at what it is worth: also at less than nothing, if it pays deficits."""
    return (margin.equity >= 0) | rulebook.vault_takes_deficits


def can_take_over(
    state: State, market_id: MarketId, market: Market, margin: Margin, size: int, lots: int, vault: Account | Party
) -> bool:
    """Whether the vault may take over ``lots`` of a position of ``size`` of an account at ``margin``."""
    held, moved = vault.positions.get(market_id).size, lots if size > 0 else -lots
    after, left = held + moved, get_open_interest_after(market, held, size, moved)
    share = get_equity_share(margin, market, size, lots)
    return (
        takes_equity(state.rulebook, margin)
        & is_within_limit(state.rulebook, market, held, after)
        & can_bear(vault, state, market_id, market, after, vault.resting.get(market_id), share, left)
    )


def is_due(rulebook: Rulebook, margin: Margin) -> bool:
    """Whether an account's equity has fallen to where the vault takes it over."""
    return margin.equity * RATE_ONE <= rulebook.takeover_rate * margin.maintenance


def process_takeover(state: State, event: Takeover) -> Journal:
    # Guard
    market = get_trading_market(state, event.market)
    require(event.account != state.rulebook.vault, Rule.SELF_TRADE)
    journal = Journal(state, event.market, market)
    account, vault = journal.account(event.account), journal.account(state.rulebook.vault)
    require(account.resting.is_empty, Rule.ORDERS_REST)
    size, held = account.positions.get(event.market).size, vault.positions.get(event.market).size
    require_fresh(state, account.positions, event.timestamp)
    margin = get_margin(account, state.markets)
    require_liquidatable(margin, size, event.size)
    require(is_due(state.rulebook, margin), Rule.VAULT_NOT_DUE)
    require(takes_equity(state.rulebook, margin), Rule.VAULT_TAKES_NO_DEFICIT)
    moved = event.size if size > 0 else -event.size
    after, left = held + moved, get_open_interest_after(market, held, size, moved)
    require(is_within_limit(state.rulebook, market, held, after), Rule.VAULT_LIMIT)
    share = get_equity_share(margin, market, size, event.size)
    place, resting = (state, event.market, market), vault.resting.get(event.market)
    require(can_bear(vault, *place, after, resting, share, left), Rule.VAULT_MARGIN)
    # Effect: longs come for their worth less the share, shorts for their worth more the share
    worth = event.size * market.mark_price
    amount = worth - share if size > 0 else worth + share
    give(journal, account, vault, size, event.size, amount, Reason.TAKEOVER, Stage.VAULT)
    return journal
