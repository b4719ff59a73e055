"""The two verbs that move everything, and the only place that writes balances, sizes and shares.

A transition opens a journal on the state, takes the parties out, and moves cash
with ``pay`` and contracts with ``trade``. Whatever one side gives the other
receives, so nothing is made or lost. Of the vault's shares only ``issue`` changes
anybody's number, and the total with it. The state itself is written by ``post``, once,
after every guard has passed; the journal's lines are the event's effects.
"""

from __future__ import annotations

from attrs import evolve

from riskcore.domains import get_insured, get_separate
from riskcore.draws import get_draws_after
from riskcore.events import Event
from riskcore.lines import Line as Line
from riskcore.lines import Owner as Owner
from riskcore.lines import Pay as Pay
from riskcore.lines import Reason as Reason
from riskcore.lines import Reserve as Reserve
from riskcore.lines import Stage as Stage
from riskcore.lines import Trade as Trade
from riskcore.orders import Order, Resting
from riskcore.outflow import get_outflow_after
from riskcore.quantities import AccountId, Atoms, EventId, Leverage, Lots, MarketId, Price, Shares, Time, divide_down
from riskcore.state import Account, Deleveraging, Draws, Market, Position, Positions, Reserves, Sharing, Stake, State


class Party:
    """An owner during one event: what it holds so far."""

    __slots__ = ("balance", "id", "leverages", "liquidated", "positions", "resting", "sold")

    def __init__(self, id: Owner, account: Account) -> None:
        self.id = id
        self.balance: int = account.balance
        self.positions = account.positions
        self.liquidated = account.liquidated
        self.leverages = account.leverages
        self.sold: int = account.sold
        self.resting = account.resting


class Holder:
    """Who has a stake, during one event: the stake so far."""

    __slots__ = ("id", "stake")

    def __init__(self, id: AccountId, stake: Stake) -> None:
        self.id = id
        self.stake = stake


class Slot:
    """A place for an order, during one event: the order that rests there so far, if one does."""

    __slots__ = ("id", "order")

    def __init__(self, id: EventId, order: Order | None) -> None:
        self.id = id
        self.order = order


_NO_POSITIONS = Positions()


class Journal:
    """One event's working copy of the owners and the market it touches."""

    __slots__ = (
        "_accounts",
        "_holders",
        "_orders",
        "_reserves",
        "deleveraging",
        "draws",
        "lines",
        "market",
        "market_id",
        "outflow",
        "sharing",
        "state",
        "vault_shares",
    )

    def __init__(self, state: State, market_id: MarketId | None = None, market: Market | None = None) -> None:
        self.state = state
        self.market_id = market_id
        self.market = market
        self.deleveraging: Deleveraging | None = state.deleveraging
        self.sharing: Sharing | None = state.sharing
        self.lines: list[Line] = []
        self._accounts: list[Party] = []
        self._reserves: dict[Reserve, Party] = {}
        self._holders: list[Holder] = []
        self._orders: list[Slot] = []
        self.vault_shares: int = state.vault_shares
        self.draws: Draws = state.draws
        self.outflow: Draws = state.outflow

    def account(self, id: AccountId) -> Party:
        """The account, taken from the book at the first call."""
        for party in self._accounts:
            if party.id == id:
                return party
        party = Party(id, self.state.accounts.get(id))
        self._accounts.append(party)
        return party

    @property
    def parties(self) -> tuple[AccountId, ...]:
        """The accounts taken out so far."""
        # an owner may be a reserve, but none is ever among the accounts
        return tuple(party.id for party in self._accounts)  # type: ignore[misc]

    def reserve(self, reserve: Reserve) -> Party:
        party = self._reserves.get(reserve)
        if party is None:
            party = Party(reserve, Account(getattr(self.state.reserves, reserve.value), _NO_POSITIONS))
            self._reserves[reserve] = party
        return party

    def holder(self, id: AccountId) -> Holder:
        """The account's stake, taken out at the first call."""
        for holder in self._holders:
            if holder.id == id:
                return holder
        holder = Holder(id, self.state.stakes.get(id))
        self._holders.append(holder)
        return holder

    @property
    def holders(self) -> tuple[AccountId, ...]:
        """The accounts whose stakes were taken out so far."""
        return tuple(holder.id for holder in self._holders)

    @property
    def orders(self) -> tuple[EventId, ...]:
        """The places of orders taken out so far."""
        return tuple(slot.id for slot in self._orders)

    def pay(self, payer: Party, payee: Party, amount: int, reason: Reason, stage: Stage) -> None:
        """Move ``amount`` atoms from ``payer`` to ``payee``."""
        payer.balance -= amount
        payee.balance += amount
        self.lines.append(Pay(payer.id, payee.id, Atoms(amount), reason, stage))

    def trade(self, buyer: Party, seller: Party, lots: int, amount: int, reason: Reason, stage: Stage) -> None:
        """Move ``lots`` of the journal's market to ``buyer`` and ``amount`` atoms to ``seller``.

        ``amount`` is a total of either sign, so a close-out needs no integer price.
        Both settle their funding first.
        """
        market, market_id = self.market, self.market_id
        assert market is not None and market_id is not None
        self._settle(buyer, market_id, market)
        self._settle(seller, market_id, market)
        long_lots = self._resize(buyer, market_id, market, lots, amount)
        long_lots += self._resize(seller, market_id, market, -lots, -amount)
        buyer.balance -= amount
        seller.balance += amount
        self.market = Market(
            market.rules,
            market.mark_price,
            market.funding_index,
            market.funding_remainder,
            market.funding_time,
            Lots(market.open_interest + long_lots),
            market.status,
            market.mark_time,
            market.insurance_used,
            market.sold,
            market.sold_time,
            market.previous_mark_price,
            market.index_price,
            market.index_time,
            market.insurance,
            market.best_bid,
            market.best_ask,
            market.bid_price,
            market.ask_price,
            market.pending,
            market.pending_time,
        )
        # reserves never trade: they have no positions
        self.lines.append(
            Trade(buyer.id, seller.id, market_id, Lots(lots), Atoms(amount), reason, stage)  # type: ignore[arg-type]
        )

    @staticmethod
    def remember(party: Party, time: Time, sold: int) -> None:
        """Note when a liquidation fill closed lots of the party, and atoms of notional that fills closed then."""
        party.liquidated = time
        party.sold = sold

    def count_sold(self, time: Time, sold: int) -> None:
        """Note of the journal's market how many atoms of notional such fills closed at ``time``."""
        assert self.market is not None
        self.market = evolve(self.market, sold=Atoms(sold), sold_time=time)

    @staticmethod
    def choose(party: Party, market_id: MarketId, leverage: Leverage) -> None:
        """Note which leverage the party takes in a market."""
        party.leverages = party.leverages.put(market_id, leverage)

    def slot(self, id: EventId) -> Slot:
        """The place of an order, taken out at the first call."""
        for slot in self._orders:
            if slot.id == id:
                return slot
        slot = Slot(id, self.state.orders.get(id))
        self._orders.append(slot)
        return slot

    @staticmethod
    def keep(slot: Slot, order: Order | None) -> None:
        """Let an order rest in a place, or none."""
        slot.order = order

    def quote(self, is_bid: bool, best: EventId, price: int) -> None:
        """Note which order is the best of a side of the journal's market, and its price."""
        assert self.market is not None
        if is_bid:
            self.market = evolve(self.market, best_bid=best, bid_price=Price(price))
        else:
            self.market = evolve(self.market, best_ask=best, ask_price=Price(price))

    @staticmethod
    def count_orders(party: Party, market_id: MarketId, resting: Resting) -> None:
        """Note what the party has in the book of a market."""
        party.resting = party.resting.put(market_id, resting)

    def cover(self, payee: Party, amount: int, stage: Stage, time: Time) -> None:
        """Pay ``amount`` atoms out of the insurance fund, and count them: against its limit, and to the market."""
        self.pay(self.reserve(Reserve.INSURANCE), payee, amount, Reason.COVER, stage)
        self.draws = get_draws_after(self.state.rulebook, self.draws, amount, time)
        if self.market is not None:
            self.market = evolve(self.market, insurance_used=Atoms(self.market.insurance_used + amount))

    def count_outflow(self, amount: int, time: Time) -> None:
        """Count ``amount`` atoms that left the pool against the rulebook's limit; below zero, that came in."""
        self.outflow = get_outflow_after(self.state.rulebook, self.outflow, amount, time)

    def issue(self, holder: Holder, shares: int) -> None:
        """Make shares of the vault for a holder; below zero, take them back."""
        holder.stake = evolve(holder.stake, shares=Shares(holder.stake.shares + shares))
        self.vault_shares += shares

    def set_aside(self, payer: Party, holder: Holder, amount: int, time: Time) -> None:
        """Move ``amount`` atoms of the holder's account into escrow, where they wait from ``time`` on."""
        self.pay(payer, self.reserve(Reserve.ESCROW), amount, Reason.VAULT_REQUEST, Stage.ORDINARY)
        holder.stake = evolve(holder.stake, deposit=Atoms(holder.stake.deposit + amount), deposit_time=time)

    def release(self, holder: Holder, payee: Party, amount: int, owner: Party) -> None:
        """End the holder's wait: ``amount`` atoms of what it has in escrow to ``payee``, the rest back to ``owner``."""
        escrow = self.reserve(Reserve.ESCROW)
        self.pay(escrow, payee, amount, Reason.VAULT_DEPOSIT, Stage.ORDINARY)
        self.pay(escrow, owner, holder.stake.deposit - amount, Reason.VAULT_RETURN, Stage.ORDINARY)
        holder.stake = evolve(holder.stake, deposit=Atoms(0), deposit_time=Time(0))

    def ask(self, holder: Holder, shares: int, time: Time) -> None:
        """Let so many of the holder's shares wait to be paid out, from ``time`` on, in place of those that did."""
        holder.stake = evolve(holder.stake, redemption=Shares(shares), redemption_time=time)

    def _settle(self, party: Party, market_id: MarketId, market: Market) -> None:
        """Pay what the position owes of funding, so that its size may change."""
        position = party.positions.get(market_id)
        owed = position.size * (market.funding_index - position.entry_index)
        self.pay(party, self.reserve(Reserve.TRANSIT), owed, Reason.FUNDING, Stage.ORDINARY)

    def _resize(self, party: Party, market_id: MarketId, market: Market, lots: int, debit: int) -> int:
        """Change a settled position by signed ``lots``; by how many lots the longs grew."""
        position = party.positions.get(market_id)
        size = position.size + lots
        cost = get_cost(position.size, position.cost, lots, debit)
        opened = get_opened(position.size, size, position.opened, self.state.sequence)
        kept = Position(Lots(size), Atoms(cost), market.funding_index, opened)
        party.positions = party.positions.put(market_id, kept)
        return max(size, 0) - max(position.size, 0)

    def post(self, event: Event) -> State:
        """The new state: every touched owner, the market and the clock, written at once."""
        state = self.state
        accounts, markets = state.accounts, state.markets
        # who is taken out as an account has an account's id
        for party in self._accounts:
            accounts = accounts.put(
                party.id,  # type: ignore[arg-type]
                Account(
                    Atoms(party.balance),
                    party.positions,
                    party.liquidated,
                    party.leverages,
                    Atoms(party.sold),
                    party.resting,
                ),
            )
        separate = state.separate_insurance
        if self.market is not None and self.market_id is not None:
            change = self._balance_after(Reserve.INSURANCE) - state.reserves.insurance
            self.market = get_insured(self.market, change)
            separate = get_separate(state, self.market_id, self.market)
            markets = markets.put(self.market_id, self.market)
        stakes = state.stakes
        for holder in self._holders:
            stakes = stakes.put(holder.id, holder.stake)
        orders = state.orders
        for slot in self._orders:
            orders = orders.put(slot.id, slot.order)
        return State(
            state.rulebook,
            accounts,
            markets,
            state.seen.put(event.id, True),
            self._reserves_after(),
            self.deleveraging,
            event.sequence,
            event.timestamp,
            stakes,
            Shares(self.vault_shares),
            self.draws,
            self.sharing,
            separate,
            orders,
            self.outflow,
        )

    def _reserves_after(self) -> Reserves:
        if not self._reserves:
            return self.state.reserves
        return Reserves(*(self._balance_after(reserve) for reserve in Reserve))

    def _balance_after(self, reserve: Reserve) -> Atoms:
        party = self._reserves.get(reserve)
        balance: int = getattr(self.state.reserves, reserve.value) if party is None else party.balance
        return Atoms(balance)


def get_opened(before: int, after: int, opened: int, sequence: int) -> int:
    """When a position opened that goes from ``before`` to ``after`` lots: it keeps its time while it keeps its side."""
    return opened if before * after > 0 else sequence


def get_cost(size: int, cost: int, lots: int, debit: int) -> int:
    """The cost of a position of ``size`` after ``lots`` more for ``debit`` atoms, all signed.

    Growing adds the debit; shrinking keeps the share of the lots that stay; crossing
    zero starts anew with the share of the lots beyond it. Shares round down.
    """
    after = size + lots
    if size * lots >= 0:
        return cost + debit
    if size * after > 0:
        return divide_down(cost * abs(after), abs(size))
    return divide_down(debit * abs(after), abs(lots))
