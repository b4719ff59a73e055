"""How much a fill may close at once, and when: what keeps a liquidation from emptying the order book.

A large position goes to the book by shares: the first fill closes no more than the market's
share of it, and whatever follows within the rulebook's window may close the rest. Between two
fills of an account lies the rulebook's cooldown, which a bankrupt account has no time for. And no
fill leaves dust. All of this is off unless the rules say otherwise.

These gates are the book's own. The vault takes over by its own trigger, and whole; a
deleveraging waits for a cooldown with the book, since until then the book has had no turn,
and like the vault closes whatever is left. How far one fill may go besides, ``limits.py`` says.
"""

from __future__ import annotations

from riskcore.margin import Margin, is_reduction
from riskcore.quantities import RATE_ONE, divide_up
from riskcore.rulebook import MarketRules, Rulebook
from riskcore.state import Market


def leaves_no_dust(rules: MarketRules, before: int, after: int) -> bool:
    """Whether a fill may take a position from ``before`` to ``after`` lots.

    To nothing, or to no less than the minimum size; dust that is there already may only shrink.
    """
    minimum = rules.minimum_size
    return (after == 0) | (abs(after) >= minimum) | ((abs(before) < minimum) & is_reduction(before, after))


def get_share_lots(market: Market, size: int) -> int:
    """The market's share of a position of ``size``, in lots, rounded up."""
    return divide_up(abs(size) * market.rules.liquidation_share, RATE_ONE)


def is_within_share(market: Market, size: int, lots: int) -> bool:
    """Whether one liquidation fill may close ``lots`` of a position of ``size``: no more than the market's share of it.

    Or all of them, where the position is worth no more than the floor, or what the share leaves would be dust.
    """
    part = get_share_lots(market, size)
    is_small = abs(size) * market.mark_price <= market.rules.liquidation_share_floor
    return (lots <= part) | is_small | (abs(size) - part < market.rules.minimum_size)


def is_remembered(rulebook: Rulebook) -> bool:
    """Whether an account keeps the time of its last liquidation: only where something depends on it."""
    return rulebook.liquidation_window + rulebook.liquidation_cooldown + rulebook.liquidation_block_limit > 0


def is_just_liquidated(rulebook: Rulebook, liquidated: int, time: int) -> bool:
    """Whether an account last liquidated at ``liquidated`` may be closed whole at ``time``: its share was sold."""
    window = rulebook.liquidation_window
    return (window > 0) & (liquidated >= 0) & (time - liquidated <= window)


def must_wait(rulebook: Rulebook, margin: Margin, liquidated: int, time: int) -> bool:
    """Whether the cooldown of an account last liquidated at ``liquidated`` still runs at ``time``.

    A bankrupt account does not wait.
    """
    return (margin.equity >= 0) & (liquidated >= 0) & (time - liquidated < rulebook.liquidation_cooldown)
