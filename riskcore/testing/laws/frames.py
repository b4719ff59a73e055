"""What an event may change, and that a rejected one changes nothing."""

from __future__ import annotations

from typing import NamedTuple

from riskcore import events
from riskcore.events import Event
from riskcore.step import step
from riskcore.testing.desk import Passage
from riskcore.testing.laws.passages import get_episode, get_member
from riskcore.testing.naive.views import AccountView, MarketView, View


class Footprint(NamedTuple):
    """What an event may change: balances; in one market, positions and the market's fields; reserves; more.

    ``leverage``: whose, in that market.
    """

    balances: tuple[str, ...] = ()
    market: str = ""
    positions: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    reserves: tuple[str, ...] = ()
    episode: bool = False
    holders: tuple[str, ...] = ()
    draws: bool = False
    leverage: str = ""
    sharing: bool = False
    outflow: bool = False
    orders: bool = False


#: What a market knows of its book.
BEST = ("best_bid", "best_ask", "bid_price", "ask_price")


def get_footprint(event: Event, before: View) -> Footprint:
    match event:
        case events.ListMarket():
            return Footprint(market=event.market, fields=MarketView._fields)
        case events.Deposit():
            return Footprint((event.account,), reserves=("outside",), outflow=True)
        case events.Withdraw():
            return Footprint((event.account,), reserves=("outside", "uncovered"), outflow=True)
        case events.Transfer():
            return Footprint((event.payer, event.payee))
        case events.FundInsurance():
            own = ("insurance",) if event.market else ()
            return Footprint(market=event.market or "", fields=own, reserves=("outside", "insurance"))
        case events.RepayLoss():
            return Footprint(reserves=("outside", "uncovered"))
        case events.AdvanceTime():
            return Footprint()
        case events.MarkPrice():
            return Footprint(market=event.market, fields=("mark", "mark_time", "previous"))
        case events.IndexPrice():
            return Footprint(market=event.market, fields=("index_price", "index_time"))
        case events.ApplyFunding():
            return Footprint(market=event.market, fields=("funding_index", "remainder", "time"))
        case events.Fill():
            parties: tuple[str, ...] = (event.taker, event.maker)
            reserves: tuple[str, ...] = ("fees", "transit")
            if before.rulebook.insurance_fee_share:
                reserves = (*reserves, "insurance")
            moved: tuple[str, ...] = ("open_interest", "insurance", *BEST)
            return Footprint(parties, event.market, parties, moved, reserves, orders=event.order is not None)
        case events.LiquidationFill():
            parties = (event.account, event.maker)
            fields = ("open_interest", "insurance_used", "sold", "sold_time", "insurance", *BEST)
            drawn, has_order = ("insurance", "transit"), event.order is not None
            return Footprint(parties, event.market, parties, fields, drawn, draws=True, orders=has_order)
        case events.Takeover():
            parties = (event.account, before.rulebook.vault)
            return Footprint(parties, event.market, parties, ("open_interest",), ("transit",))
        case events.CoverDeficit():
            return Footprint((event.account,), reserves=("insurance",), draws=True)
        case events.BeginDeleveraging():
            return Footprint(episode=True)
        case events.Deleverage():
            episode = get_episode(before)
            parties = (episode.account, episode.queue[episode.head])
            reserves = ("transit", "insurance") if episode.excess else ("transit",)
            moved = ("open_interest", "insurance")
            return Footprint(parties, episode.market, parties, moved, reserves, episode=True)
        case events.EndDeleveraging():
            episode, reserves = get_episode(before), ("insurance", "uncovered")
            paid = ("insurance_used", "insurance")
            return Footprint((episode.account,), episode.market, (), paid, reserves, True, draws=True)
        case events.WriteOff():
            return Footprint((event.account,), reserves=("uncovered",))
        case events.BeginLossSharing():
            return Footprint(reserves=("insurance", "uncovered"), draws=True, sharing=True)
        case events.ShareLoss():
            return Footprint((get_member(before),), reserves=("uncovered",), sharing=True)
        case events.SettleMarket():
            return Footprint(market=event.market, fields=("mark", "status", "mark_time", "insurance"))
        case events.SettlePair():
            parties = (event.long, event.short)
            return Footprint(parties, event.market, parties, ("open_interest",), ("transit",))
        case events.RequestVaultDeposit() | events.CancelVaultDeposit():
            return Footprint((event.account,), reserves=("escrow",), holders=(event.account,))
        case events.ExecuteVaultDeposit():
            house = () if before.vault_shares else (before.rulebook.vault,)
            parties = (event.account, before.rulebook.vault)
            return Footprint(parties, reserves=("escrow",), holders=(event.account, *house))
        case events.RequestVaultRedemption():
            return Footprint(holders=(event.account,))
        case events.ExecuteVaultRedemption():
            return Footprint((event.account, before.rulebook.vault), holders=(event.account,))
        case events.SetLeverage():
            return Footprint(market=event.market, leverage=event.account)
        case events.PlaceOrder() | events.CancelOrder():
            return Footprint(market=event.market, fields=BEST, orders=True)
        case events.ChangeRules() | events.ApplyRules():
            return Footprint(market=event.market, fields=("rules", "pending", "pending_time"))
        case events.SetMarketStatus() | events.DelistMarket():
            return Footprint(market=event.market, fields=("status",))


def frame_1(passage: Passage) -> bool:
    """Nothing outside the footprint changes."""
    before, after, event = passage.before, passage.after, passage.event
    if passage.rejected is not None:
        return False
    footprint = get_footprint(event, before)
    assert before.rulebook == after.rulebook
    assert {*before.seen, event.id} == after.seen
    assert (event.sequence, event.timestamp) == (after.sequence, after.time)
    assert footprint.episode or before.episode == after.episode
    assert footprint.draws or before.draws == after.draws
    assert footprint.outflow or before.outflow == after.outflow
    assert footprint.sharing or before.sharing == after.sharing
    assert "insurance" in footprint.fields or before.separate_insurance == after.separate_insurance
    assert before.sharing is None or isinstance(event, events.ShareLoss)
    # what of the orders, BOOK-3 and BOOK-5 say
    assert footprint.orders or before.orders == after.orders
    assert footprint.holders or before.vault_shares == after.vault_shares
    for account in {*before.stakes, *after.stakes} - {*footprint.holders}:
        assert before.get_stake(account) == after.get_stake(account)
    for reserve, balance in before.reserves.items():
        assert reserve in footprint.reserves or balance == after.reserves[reserve]
    for name in {*before.markets, *after.markets}:
        if name != footprint.market:
            assert before.markets.get(name) == after.markets.get(name)
        elif name in before.markets:
            kept = set(MarketView._fields) - set(footprint.fields)
            assert all(getattr(before.markets[name], f) == getattr(after.markets[name], f) for f in kept)
    for account in {*before.accounts, *after.accounts}:
        old, new = before.get_account(account), after.get_account(account)
        sold = isinstance(event, events.LiquidationFill) and account == event.account
        assert sold or (old.liquidated, old.sold) == (new.liquidated, new.sold)
        assert account in footprint.balances or old.balance == new.balance
        assert drop(old, footprint, account) == drop(new, footprint, account)
        assert footprint.orders or old.resting == new.resting
        freely = footprint.market if account == footprint.leverage else None
        for name in {*old.leverages, *new.leverages} - {freely}:
            assert old.leverages.get(name) == new.leverages.get(name)
    return True


def drop(view: AccountView, footprint: Footprint, account: str) -> dict[str, object]:
    """The positions that the footprint leaves alone."""
    free = footprint.market if account in footprint.positions else None
    return {market: position for market, position in view.positions.items() if market != free}


def rej_1(passage: Passage) -> bool:
    """Rejected if and only if a rule is broken, and then nothing changed."""
    assert (passage.rejected is not None) == bool(passage.broken)
    if passage.rejected is None:
        return False

    assert passage.rejected in passage.broken
    assert passage.old is passage.new
    assert passage.before == passage.after
    assert passage.effects == ()
    return True


def det_1(passage: Passage) -> bool:
    """The same event on the same state gives the same, also long after."""
    again = step(passage.old, passage.event)

    assert passage.effects == again.effects
    assert passage.rejected == (None if again.rejected is None else again.rejected.name)
    return True
