"""A state of the kernel in the model's plain values: the one place where both are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskcore.testing.naive.order_book import OrderView, RestingView
from riskcore.testing.naive.views import (
    AccountView,
    DrawsView,
    EpisodeView,
    MarketView,
    PositionView,
    SharingView,
    StakeView,
    View,
)

if TYPE_CHECKING:
    from riskcore.state import State


def observe(state: State) -> View:
    """Read a state of the kernel."""
    accounts = {}
    for account, value in state.accounts.items():
        positions = {
            str(market): PositionView(position.size, position.cost, position.entry_index, position.opened)
            for market, position in value.positions.items()
        }
        leverages = {str(market): int(leverage) for market, leverage in value.leverages.items()}
        resting = {str(market): RestingView(*counts) for market, counts in value.resting.items()}
        if value.balance or positions or value.liquidated >= 0 or leverages or resting:
            past = value.liquidated, leverages, value.sold
            accounts[str(account)] = AccountView(value.balance, positions, *past, resting)
    markets = {
        str(market): MarketView(
            value.rules,
            value.mark_price,
            value.funding_index,
            value.funding_remainder,
            value.funding_time,
            value.open_interest,
            value.status.value,
            value.mark_time,
            value.insurance_used,
            value.sold,
            value.sold_time,
            value.previous_mark_price,
            value.index_price,
            value.index_time,
            value.insurance,
            value.pending,
            value.pending_time,
            value.best_bid,
            value.best_ask,
            value.bid_price,
            value.ask_price,
        )
        for market, value in state.markets.items()
        if value is not None
    }
    reserves = state.reserves
    open_episode = state.deleveraging
    episode = None
    if open_episode is not None:
        episode = EpisodeView(
            open_episode.account,
            open_episode.market,
            open_episode.lots,
            open_episode.share,
            open_episode.done,
            tuple(open_episode.queue),
            open_episode.head,
            open_episode.excess,
            open_episode.sequence,
            (open_episode.level_lots, open_episode.level_weight),
            open_episode.remainder,
        )
    return View(
        state.rulebook,
        accounts,
        markets,
        {
            "outside": reserves.outside,
            "insurance": reserves.insurance,
            "fees": reserves.fees,
            "transit": reserves.transit,
            "uncovered": reserves.uncovered,
            "escrow": reserves.escrow,
        },
        episode,
        frozenset(str(id) for id, seen in state.seen.items() if seen),
        state.sequence,
        state.timestamp,
        observe_stakes(state),
        state.vault_shares,
        DrawsView(state.draws.drawn, state.draws.since),
        observe_sharing(state),
        state.separate_insurance,
        DrawsView(state.outflow.drawn, state.outflow.since),
        observe_orders(state),
    )


def observe_orders(state: State) -> dict[str, OrderView]:
    return {
        str(id): OrderView(
            order.account,
            order.market,
            order.size,
            order.price,
            order.sequence,
            order.reserved,
            order.ahead,
            order.behind,
        )
        for id, order in state.orders.items()
        if order is not None
    }


def observe_sharing(state: State) -> SharingView | None:
    sharing = state.sharing
    if sharing is None:
        return None
    figures = sharing.amount, sharing.weight, sharing.done
    return SharingView(sharing.market, *figures, tuple(sharing.members), sharing.head)


def observe_stakes(state: State) -> dict[str, StakeView]:
    """The stakes that are not empty."""
    stakes = {
        str(account): StakeView(
            stake.shares, stake.deposit, stake.deposit_time, stake.redemption, stake.redemption_time
        )
        for account, stake in state.stakes.items()
    }
    return {account: stake for account, stake in stakes.items() if stake != StakeView()}
