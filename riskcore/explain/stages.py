"""What each stage of the waterfall had left for a position, and what who took its lots forwent for it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from attrs import frozen

from riskcore import queries
from riskcore.capacity import can_close, compute_opening, compute_takeover_size
from riskcore.domains import get_stock
from riskcore.events import Event, Fill, LiquidationFill, SettlePair, Takeover
from riskcore.insurance import get_available
from riskcore.journal import Line, Stage, Trade
from riskcore.liquidation import can_take_a_lot
from riskcore.margin import get_margin
from riskcore.markets import get_market
from riskcore.quantities import AccountId, MarketId, Time
from riskcore.state import State
from riskcore.step import DELEVERAGING_STEPS
from riskcore.vault import can_take_over, is_due

_NO_BOOK = "ASSUMED(log): the state holds no resting orders, so that the book had nothing is the log's word"


@frozen
class StageLeft:
    """``has_room``: whether the stage could take a lot, or pay an atom; None where the state does not say.

    ``figures``: what that rests on; atoms, lots, prices in atoms per lot.
    """

    market: MarketId
    stage: Stage
    has_room: bool | None
    figures: dict[str, Any]
    note: str = ""


def get_stages(state: State, id: AccountId, market_id: MarketId, time: Time) -> tuple[StageLeft, ...]:
    """The stages for an account's position, in their order; none where it has none there, or nothing can be closed."""
    account = state.accounts.get(id)
    market = state.markets.get(market_id)
    if market is None or account.positions.get(market_id).size == 0 or not can_close(market):
        return ()
    insurance = {
        "available": get_available(state, time, market),
        "stock": get_stock(state, market),
        "available_for_accounts": get_available(state, time),
        "before_deleveraging": state.rulebook.insurance_before_adl,
    }
    opening = compute_opening(state, id, market_id)
    queue = {"eligible": len(opening.queue), "first": opening.queue[0] if opening.queue else None}
    return (
        _get_book(state, id, market_id, time),
        _get_vault(state, id, market_id),
        StageLeft(market_id, Stage.INSURANCE, insurance["available"] > 0, insurance),
        StageLeft(market_id, Stage.DELEVERAGING, bool(opening.queue), queue),
    )


def _get_book(state: State, id: AccountId, market_id: MarketId, time: Time) -> StageLeft:
    market, account = get_market(state, market_id), state.accounts.get(id)
    size, margin = account.positions.get(market_id).size, get_margin(account, state.markets)
    figures: dict[str, Any] = {
        "mark": market.mark_price,
        "bankruptcy_price": queries.bankruptcy_price(state, id, market_id),
        "worst_price": queries.bankruptcy_tick(state, id, market_id),
    }
    if not state.rulebook.has_book:
        return StageLeft(market_id, Stage.BOOK, None, figures, _NO_BOOK)
    figures["best_price"] = (market.bid_price if size > 0 else market.ask_price) or None
    return StageLeft(market_id, Stage.BOOK, can_take_a_lot(state, market, margin, size, time), figures)


def _get_vault(state: State, id: AccountId, market_id: MarketId) -> StageLeft:
    rulebook, market, account = state.rulebook, get_market(state, market_id), state.accounts.get(id)
    if id == rulebook.vault:
        return StageLeft(market_id, Stage.VAULT, False, {}, "the account is the vault itself")
    size, margin = account.positions.get(market_id).size, get_margin(account, state.markets)
    vault = state.accounts.get(rulebook.vault)
    own = get_margin(vault, state.markets)
    figures = {
        "lots": compute_takeover_size(state, id, market_id),
        "held": vault.positions.get(market_id).size,
        "equity": own.equity,
        "initial": own.initial,
        "position_limit": rulebook.vault_position_limit,
        "is_due": is_due(rulebook, margin),
    }
    return StageLeft(market_id, Stage.VAULT, can_take_over(state, market_id, market, margin, size, 1, vault), figures)


@frozen
class Close:
    """Lots of ``account`` that ``counterparty`` took for ``amount`` atoms in all, at ``price`` atoms per lot.

    ``against_mark``: atoms that the counterparty did better than mark. Where that is below zero it forwent
    ``lots * |mark - price|``, which is ``forgone``; else nothing.
    """

    stage: Stage
    account: AccountId
    counterparty: AccountId
    market: MarketId
    lots: int
    amount: int
    price: Fraction
    mark: int
    against_mark: int
    forgone: int


def get_closes(before: State, event: Event, lines: tuple[Line, ...]) -> tuple[Close, ...]:
    """The forced closes among an event's lines."""
    account = get_closed_account(before, event)
    found = (line for line in lines if isinstance(line, Trade) and line.stage is not Stage.ORDINARY)
    return tuple(_make_close(before, account, line) for line in found)


def get_closed_account(before: State, event: Event) -> AccountId | None:
    """Whose position the event closes by force, or would; of a settled pair the long one."""
    if isinstance(event, DELEVERAGING_STEPS) and before.deleveraging is not None:
        return before.deleveraging.account
    return event.long if isinstance(event, SettlePair) else getattr(event, "account", None)


def _make_close(before: State, account: AccountId | None, line: Trade) -> Close:
    is_long = line.seller == account
    closed, taker = (line.seller, line.buyer) if is_long else (line.buyer, line.seller)
    mark = get_market(before, line.market).mark_price
    better = line.lots * mark - line.amount
    gained = better if is_long else -better
    figures = line.lots, line.amount, Fraction(line.amount, line.lots), mark, gained, max(-gained, 0)
    return Close(line.stage, closed, taker, line.market, *figures)


def get_choice(before: State, event: Event) -> str | None:
    """Why this one trades with the account, where it does at a price of its own; None of all other events."""
    if isinstance(event, Takeover):
        return f"{before.rulebook.vault} is the rulebook's vault"
    if not isinstance(event, Fill | LiquidationFill):
        return None
    market = before.markets.get(event.market)
    if not before.rulebook.has_book or market is None:
        return f"ASSUMED(log): the state holds no resting orders, so that {event.maker} was the best is the log's word"
    best = {market.best_bid: market.bid_price, market.best_ask: market.ask_price}
    price = None if event.order is None else best.get(event.order)
    if price is None:
        return f"the order that it names is not the best of a side of {event.market}"
    return f"order {event.order} of {event.maker} is the best of its side, at {price} atoms per lot"
