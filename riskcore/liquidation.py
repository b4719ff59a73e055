"""The order book's stage: an account below maintenance is sold to makers.

A fill may cost the account, against mark, its equity's share of the maintenance
requirement that the fill releases, and no more: then equity per requirement does
not fall, whatever its other markets hold, and a healthy rest stays healthy.
"""

from __future__ import annotations

from riskcore.events import LiquidationFill
from riskcore.gates import is_just_liquidated, is_within_share, leaves_no_dust, must_wait
from riskcore.insurance import get_available
from riskcore.journal import Journal, Party, Reason, Reserve, Stage
from riskcore.limits import note_sale, require_within_limits
from riskcore.margin import (
    Margin,
    can_bear,
    get_maintenance_requirement,
    get_margin,
    is_below_maintenance,
    is_reduction,
)
from riskcore.markets import get_trading_market, is_enterable, is_within_band, require_fresh
from riskcore.order_book import get_hit, get_resting_after, may_hit, take
from riskcore.quantities import RATE_ONE, Time, apply_rate, divide_down
from riskcore.rules import Rule, require
from riskcore.state import Market, State
from riskcore.tiers import get_open_interest_after


def get_equity_share(margin: Margin, market: Market, size: int, lots: int) -> int:
    """Atoms of equity that belong to ``lots`` of a position of ``size``, rounded down.

    The share by maintenance requirement released; all of the equity where the lots
    are all that the account has. The account must have a position.
    """
    rest = abs(size) - lots
    released = get_maintenance_requirement(market, size) - get_maintenance_requirement(market, rest)
    return divide_down(margin.equity * released, margin.maintenance)


def require_liquidatable(margin: Margin, size: int, lots: int) -> None:
    """The guard that every forced close of ``lots`` shares."""
    require(lots > 0, Rule.SIZE_NOT_POSITIVE)
    require(is_below_maintenance(margin), Rule.NOT_LIQUIDATABLE)
    require(lots <= abs(size), Rule.SIZE_EXCEEDS_POSITION)


def give(
    journal: Journal, giver: Party, taker: Party, size: int, lots: int, amount: int, reason: Reason, stage: Stage
) -> None:
    """Hand ``lots`` of the giver's position of ``size`` to the taker.

    ``amount`` atoms is what the lots are worth together: the taker pays it for longs,
    and receives it with shorts.
    """
    if size > 0:
        journal.trade(taker, giver, lots, amount, reason, stage)
    else:
        journal.trade(giver, taker, lots, amount, reason, stage)


def can_back(state: State, market: Market, lots: int, loss: int, missing: int, time: Time) -> bool:
    """Whether the fund pays, at ``time``, the ``missing`` atoms of a fill that loses ``loss`` against mark.

    The band keeps whoever owns both sides from naming a price that empties the fund.
    """
    rulebook = state.rulebook
    is_near = loss * RATE_ONE <= lots * market.mark_price * rulebook.insurance_fill_band
    return rulebook.insurance_backs_fills & (missing <= get_available(state, time, market)) & is_near


def get_loss(market: Market, size: int, lots: int, price: int) -> int:
    """Atoms that a position of ``size`` loses against mark where ``lots`` of it go at ``price``."""
    loss = lots * (market.mark_price - price)
    return loss if size > 0 else -loss


def can_take_a_lot(state: State, market: Market, margin: Margin, size: int, time: Time) -> bool:
    """Whether the best order against a position of ``size``, of an account at ``margin``, is one to liquidate to.

    By its price, which is the best there is. What else keeps a fill from it, such as its account's margin or a
    price too good for the band, is no reason to pass it by: it can be cancelled.
    """
    price = market.bid_price if size > 0 else market.ask_price
    loss, share = get_loss(market, size, 1, price), get_equity_share(margin, market, size, 1)
    is_priced = (loss <= 0) | is_within_band(market, price, market.rules.fill_price_band)
    return (price > 0) & is_priced & ((share >= loss) | can_back(state, market, 1, loss, loss - share, time))


def process_liquidation_fill(state: State, event: LiquidationFill) -> Journal:
    # Guard
    market = get_trading_market(state, event.market)
    require(event.account != event.maker, Rule.SELF_TRADE)
    require(event.price > 0, Rule.PRICE_NOT_POSITIVE)
    require(is_within_band(market, event.price, market.rules.fill_price_band), Rule.PRICE_BAND)
    journal = Journal(state, event.market, market)
    account, maker = journal.account(event.account), journal.account(event.maker)
    require(account.resting.is_empty, Rule.ORDERS_REST)
    size, maker_size = account.positions.get(event.market).size, maker.positions.get(event.market).size
    require_fresh(state, account.positions, event.timestamp)
    margin = get_margin(account, state.markets)
    require_liquidatable(margin, size, event.size)
    bought = event.size if size > 0 else -event.size
    hit = get_hit(state, market, event.order, event.maker, -bought, event.price)
    require(may_hit(hit, maker_size), Rule.NOT_REDUCING)
    require(is_enterable(market) | is_reduction(maker_size, maker_size + bought), Rule.MARKET_CLOSE_ONLY)
    rulebook, liquidated = state.rulebook, account.liquidated
    require(not must_wait(rulebook, margin, liquidated, event.timestamp), Rule.LIQUIDATION_COOLDOWN)
    is_free = is_just_liquidated(rulebook, liquidated, event.timestamp)
    require(is_free | is_within_share(market, size, event.size), Rule.LIQUIDATION_SHARE)
    require_within_limits(rulebook, margin, market, account, size, event.size, event.timestamp)
    is_clean = leaves_no_dust(market.rules, size, size - bought)
    require(is_clean & leaves_no_dust(market.rules, maker_size, maker_size + bought), Rule.DUST)
    worth, loss = event.size * event.price, get_loss(market, size, event.size, event.price)
    # what the account may lose in this fill and has not: below zero, the fund's part
    spare = get_equity_share(margin, market, size, event.size) - loss
    is_backed = can_back(state, market, event.size, loss, -spare, event.timestamp)
    require((spare >= 0) | is_backed, Rule.WORSE_THAN_BANKRUPTCY)
    # what the account loses against mark the maker gains, and its own money makes it stay
    left, resting = get_open_interest_after(market, maker_size, size, bought), maker.resting.get(event.market)
    place, resting = (state, event.market, market), get_resting_after(resting, hit)
    require(can_bear(maker, *place, maker_size + bought, resting, loss, left), Rule.MAKER_MARGIN)
    # Effect
    insurance = journal.reserve(Reserve.INSURANCE)
    give(journal, account, maker, size, event.size, worth, Reason.LIQUIDATION, Stage.BOOK)
    fee = min(apply_rate(worth, market.rules.liquidation_fee_rate), max(spare, 0))
    journal.pay(account, insurance, fee, Reason.LIQUIDATION_FEE, Stage.BOOK)
    journal.cover(account, max(-spare, 0), Stage.BOOK, event.timestamp)
    if hit is not None:
        take(journal, maker, hit)
    note_sale(journal, account, market, event.size, event.timestamp)
    return journal
