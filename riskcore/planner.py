"""Proposes the waterfall's next event until nobody is below maintenance.

A tool, not the kernel: it searches, sorts and guesses sizes, and ``step`` judges each
event that it proposes. A wrong planner can be slow or give up early; it cannot be unjust.

Why it ends: at fixed marks each round of ``resolve`` lowers (deficits and what is uncovered, open interest, lots of
accounts below maintenance, deficits not booked), compared in that order. A liquidation
fill and a takeover never raise open interest, take lots from an account below
maintenance, and leave the other party at initial margin or with fewer lots. A
deleverage step lowers open interest, and so does the settlement of a pair. Cover, write-off and the end of an exhausted
queue move neither lots nor marks, and book at least one atom of a deficit; a queue
that is empty and has nothing to book is never opened. An account for which nothing
can be done is set aside, and looked at again only after something else was done. A loss is shared
out when all that is done; each sharing lowers what is uncovered, and when nobody can pay any more, what that does
to its members is resolved.

Where the rulebook has an order book, its orders are the offers, and no others are taken. An account's own are cancelled
first; so is a best order that no size can be sold to, though its price is good enough: its maker has no margin for it,
or nothing to reduce. There are only so many orders.

An account that waits for its cooldown, or for the next block, is left to wait, below maintenance as it is: what the
book would take later goes to no later stage, but to the vault where the rulebook names a trigger for it below
maintenance.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping

from attrs import field, frozen

from riskcore.capacity import (
    Opening,
    can_close,
    compute_close_out_size,
    compute_fill_sizes,
    compute_opening,
    compute_takeover_size,
    find_boundary,
    iter_halves,
)
from riskcore.capacity import compute_members as compute_members
from riskcore.capacity import compute_queue as compute_queue
from riskcore.choices import LossSharing
from riskcore.events import (
    BeginDeleveraging,
    BeginLossSharing,
    CancelOrder,
    CoverDeficit,
    Deleverage,
    EndDeleveraging,
    Event,
    LiquidationFill,
    SettleMarket,
    SettlePair,
    ShareLoss,
    Takeover,
    WriteOff,
)
from riskcore.gates import must_wait
from riskcore.insurance import get_available
from riskcore.journal import Journal, Line, Reserve, Trade
from riskcore.limits import is_block_open
from riskcore.liquidation import can_take_a_lot
from riskcore.margin import Margin, get_maintenance_requirement, get_margin
from riskcore.margin import is_below_maintenance as is_below
from riskcore.markets import get_market
from riskcore.order_book import get_best
from riskcore.order_index import OrderIndex, iter_side
from riskcore.pairing import compute_pairs
from riskcore.quantities import RATE_ONE, AccountId, EventId, Lots, MarketId, Price, Time
from riskcore.rules import Rejected, Rule
from riskcore.state import State
from riskcore.step import apply


@frozen
class Offer:
    """A resting order: ``maker`` trades up to ``lots`` at ``price`` atoms per lot.

    ``order``: its id, where it rests in the state's own book.

    Raises ``ValueError`` where either is not above zero.
    """

    maker: AccountId
    price: Price
    lots: Lots
    order: EventId | None = None

    def __attrs_post_init__(self) -> None:
        if self.price <= 0 or self.lots <= 0:
            raise ValueError(f"an offer's price and lots must be above zero: {self}")


@frozen
class Liquidity:
    """Resting orders by market, best price first: ``bids`` buy, ``asks`` sell."""

    bids: Mapping[MarketId, tuple[Offer, ...]] = field(factory=dict)
    asks: Mapping[MarketId, tuple[Offer, ...]] = field(factory=dict)


@frozen
class Resolution:
    """What ``resolve`` did.

    ``effects``: the lines of each event. ``liquidity``: the offers that are left.
    ``unresolved``: accounts still below maintenance, for which no event is accepted, or that wait for a cooldown
    or a block.
    """

    state: State
    events: tuple[Event, ...]
    effects: tuple[tuple[Line, ...], ...]
    liquidity: Liquidity
    unresolved: tuple[AccountId, ...]


def resolve(
    state: State,
    liquidity: Liquidity | None = None,
    *,
    prefix: str = "resolve",
    timestamp: Time | None = None,
    partial: bool = True,
    index: OrderIndex | None = None,
) -> Resolution:
    """Run the waterfall at the marks of ``state``: book, vault, insurance, deleveraging, and sharing of the loss.

    Markets that end come first: their positions are closed in pairs, and in other ways are not touched.
    Events are numbered on from ``state.sequence`` and named ``prefix-number``, by the same number or,
    where such an id was accepted before, by the next that is free; their time is ``timestamp``, by
    default that of the state. ``partial`` sells to the book no more than
    makes the account healthy, or brings it to the rulebook's target; otherwise a fill is as large as the offer
    and the kernel allow.
    The order is fixed: lowest equity first, then id. A state on mutable tables is used up,
    as by ``step``. Where the rulebook has an order book, its orders are taken and ``liquidity`` is not;
    ``index`` is that of the state's orders, for who keeps one, and is made where it is None.

    It costs one scan of the accounts, one of the orders, one for each market that ends and still has positions, and
    one for each deleveraging, besides the kernel's own that certifies the queue; whatever else is done costs no
    more than the accounts that it touches.

    Raises ``ValueError`` where ``timestamp`` is in the past.
    """
    time = state.timestamp if timestamp is None else timestamp
    if time < state.timestamp:
        raise ValueError(f"timestamp {time}: {Rule.TIME_BACKWARDS.value}")
    return _Run(state, liquidity or Liquidity(), prefix, time, partial, index).finish()


def settle(
    state: State,
    market: MarketId,
    price: Price,
    liquidity: Liquidity | None = None,
    *,
    prefix: str = "settle",
    timestamp: Time | None = None,
    partial: bool = True,
) -> Resolution:
    """End a market at ``price`` atoms per lot: every position in it is closed, and then it is as in ``resolve``.

    What the settled accounts owe is covered or written off; those that are below maintenance in other
    markets go through the waterfall. The arguments are those of ``resolve``.

    Raises ``ValueError`` where ``timestamp`` is in the past, and ``Rejected`` where the market is not listed or
    ends already, the price is not above zero, or a deleveraging is open.
    """
    time = state.timestamp if timestamp is None else timestamp
    if time < state.timestamp:
        raise ValueError(f"timestamp {time}: {Rule.TIME_BACKWARDS.value}")
    run = _Run(state, liquidity or Liquidity(), prefix, time, partial)
    run.end(market, price)
    return run.finish()


#: Why a best order whose price is good enough, or too good for the band, is not to be sold to, whatever the size.
UNFILLABLE = (Rule.MAKER_MARGIN, Rule.NOT_REDUCING, Rule.DUST, Rule.WORSE_THAN_BANKRUPTCY, Rule.PRICE_BAND)


def find_below_maintenance(state: State) -> list[tuple[int, AccountId]]:
    """Equity and id of each account that may be liquidated, in no order. One scan.

    A flat account of negative balance is one of them: its deficit is not booked.
    """
    found: list[tuple[int, AccountId]] = []
    for id, account in state.accounts.items():
        if len(account.positions) or account.balance < 0:
            margin = get_margin(account, state.markets)
            if is_below(margin):
                found.append((margin.equity, id))
    return found


class _Run:
    """One resolution under way: the state so far, what was done, and whom to look at next."""

    def __init__(
        self,
        state: State,
        liquidity: Liquidity,
        prefix: str,
        timestamp: Time,
        partial: bool,
        index: OrderIndex | None = None,
    ) -> None:
        self.state = state
        self.index = OrderIndex(state) if index is None else index
        self.prefix, self.timestamp, self.partial = prefix, timestamp, partial
        self.taken = 0
        self.bids = {market: list(reversed(offers)) for market, offers in liquidity.bids.items()}
        self.asks = {market: list(reversed(offers)) for market, offers in liquidity.asks.items()}
        self.events: list[Event] = []
        self.effects: list[tuple[Line, ...]] = []
        self.waiting: list[tuple[int, AccountId]] = []
        self.set_aside: set[AccountId] = set()
        self.lost_in: MarketId | None = None

    def end(self, market_id: MarketId, price: Price) -> None:
        """Let a market end; ``Rejected`` where it cannot."""
        event = SettleMarket(*self._make_header(), market_id, price)
        apply(self.state, event)
        self._propose(event)

    def finish(self) -> Resolution:
        """Work until nobody is left, or nothing can be done for those who are."""
        if self.state.deleveraging is not None:
            self._consume_queue()
        self._consume_members()
        for market_id, market in sorted(self.state.markets.items()):
            if market is not None and market.settling and market.open_interest > 0:
                self._settle(market_id)
        self.waiting = find_below_maintenance(self.state)
        heapq.heapify(self.waiting)
        self._relieve_all()
        while self._share_loss():
            # who is left with equity pays again, before others' positions go
            while self._share_loss():
                pass
            self._relieve_all()
        return Resolution(
            self.state,
            tuple(self.events),
            tuple(self.effects),
            Liquidity(_get_offers(self.bids), _get_offers(self.asks)),
            tuple(sorted(self.set_aside)),
        )

    def _relieve_all(self) -> None:
        """Do what can be done for those who are below maintenance, until nothing more can."""
        done = -1
        while self.waiting or (self.set_aside and len(self.events) > done):
            done = len(self.events)
            for id in self.set_aside:
                self._look_at(id)
            self.set_aside = set()
            self._empty_heap()

    def _share_loss(self) -> bool:
        """Share out what is uncovered, where the rulebook does; whether anything of it was paid.

        By the market in which a deleveraging of this run booked a loss last, or else by that with the most open
        interest in which anybody has weight.
        """
        loss = -self.state.reserves.uncovered
        if loss == 0 or self.state.rulebook.loss_sharing is LossSharing.NONE:
            return False
        for market_id in self._get_sharing_markets():
            members = compute_members(self.state, market_id)
            if members and self._propose(BeginLossSharing(*self._make_header(), market_id, members)):
                self._consume_members()
                return -self.state.reserves.uncovered < loss
        return False

    def _get_sharing_markets(self) -> list[MarketId]:
        places = [
            (market_id != self.lost_in, -market.open_interest * market.mark_price, market_id)
            for market_id, market in self.state.markets.items()
            if market is not None and market.open_interest > 0
        ]
        return [market_id for _, _, market_id in sorted(places)]

    def _consume_members(self) -> None:
        """Let all members of an open sharing pay."""
        while self.state.sharing is not None:
            if not self._propose(ShareLoss(*self._make_header())):
                raise AssertionError(f"an open sharing cannot go on: {self.state.sharing}")

    def _settle(self, market_id: MarketId) -> None:
        """Close all positions in a market that ends, its orders cancelled first."""
        for is_bid in (True, False):
            for order_id, _ in list(iter_side(self.state, market_id, is_bid)):
                self._cancel(market_id, order_id)
        for long, short in compute_pairs(self.state, market_id):
            if not self._propose(SettlePair(*self._make_header(), market_id, long, short)):
                raise AssertionError(f"a market that ends cannot be settled: {market_id}, {long} with {short}")

    def _empty_heap(self) -> None:
        while self.waiting:
            equity, id = heapq.heappop(self.waiting)
            margin = self._get_margin(id)
            # an entry of another equity is stale: a newer one was pushed when it changed
            if margin.equity == equity and is_below(margin) and not self._relieve(id, margin):
                self.set_aside.add(id)

    def _get_margin(self, id: AccountId) -> Margin:
        account = self.state.accounts.get(id)
        return get_margin(account, self.state.markets)

    def _look_at(self, id: AccountId) -> None:
        margin = self._get_margin(id)
        if is_below(margin):
            heapq.heappush(self.waiting, (margin.equity, id))

    def _relieve(self, id: AccountId, margin: Margin) -> bool:
        """Do the next thing for an account below maintenance; whether there was one."""
        for order_id, market_id in self.index.get_orders(id):
            self._cancel(market_id, order_id)
        markets = self._get_markets(id)
        rulebook = self.state.rulebook
        if must_wait(rulebook, margin, self.state.accounts.get(id).liquidated, self.timestamp):
            return rulebook.takeover_rate < RATE_ONE and any(self._hand_over(id, market) for market in markets)
        if any(self._sell(id, market) for market in markets):
            return True
        # what the book would take in the next block goes to no later stage either
        free = [market for market in markets if margin.equity < 0 or self._is_open(id, market)]
        given = free if rulebook.takeover_rate == RATE_ONE else markets
        return (
            any(self._hand_over(id, market) for market in given)
            or self._cover(id, margin)
            or self._deleverage(id, margin, free)
        )

    def _is_open(self, id: AccountId, market_id: MarketId) -> bool:
        """Whether the block still has room for a lot of the account to be sold."""
        account, market = self.state.accounts.get(id), get_market(self.state, market_id)
        return is_block_open(self.state.rulebook, market, account, 0, self.timestamp)

    def _get_markets(self, id: AccountId) -> list[MarketId]:
        """The account's markets that neither end nor are paused, largest maintenance requirement first."""

        def place(market_id: MarketId, size: int) -> tuple[int, MarketId]:
            return -get_maintenance_requirement(get_market(self.state, market_id), size), market_id

        positions = self.state.accounts.get(id).positions.items()
        places = [
            place(market, position.size) for market, position in positions if can_close(get_market(self.state, market))
        ]
        return [market for _, market in sorted(places)]

    def _make_header(self) -> tuple[EventId, int, Time]:
        sequence = self.state.sequence + 1
        while self.state.seen.get(id := EventId(f"{self.prefix}-{sequence + self.taken}")):
            self.taken += 1
        return id, sequence, self.timestamp

    def _propose(self, event: Event) -> bool:
        """Hand the event to the kernel; whether it accepted."""
        outcome = self.index.step(self.state, event)
        if outcome.rejected is not None:
            return False
        self.state = outcome.state
        self.events.append(event)
        self.effects.append(outcome.effects)
        for id in _get_touched(outcome.effects):
            self._look_at(id)
        return True

    def _sell(self, id: AccountId, market_id: MarketId) -> bool:
        """Fill the best offer that takes the position; one that its maker cannot honour is dropped."""
        if self.state.rulebook.has_book:
            return self._sell_to_book(id, market_id)
        size = self.state.accounts.get(id).positions.get(market_id).size
        offers = (self.bids if size > 0 else self.asks).get(market_id, [])
        for place in reversed(range(len(offers))):
            offer = offers[place]
            if offer.maker == id:
                continue
            lots, rule = self._size_fill(id, market_id, offer)
            if lots:
                del offers[place]
                if lots < offer.lots:
                    offers.insert(place, Offer(offer.maker, offer.price, Lots(offer.lots - lots)))
                return self._propose(self._make_fill(id, market_id, offer, lots))
            if rule in (Rule.MAKER_MARGIN, Rule.MARKET_CLOSE_ONLY):
                del offers[place]
            elif rule is not Rule.DUST:
                return False
        return False

    def _sell_to_book(self, id: AccountId, market_id: MarketId) -> bool:
        """Fill the best order that takes the position; one that could by its price and cannot is cancelled."""
        if not self._is_open(id, market_id):
            return False
        size = self.state.accounts.get(id).positions.get(market_id).size
        while (offer := self._get_best_offer(market_id, size > 0)) is not None:
            lots, rule = self._size_fill(id, market_id, offer)
            if lots:
                return self._propose(self._make_fill(id, market_id, offer, lots))
            if offer.order is None or rule not in UNFILLABLE or not self._can_take_a_lot(id, market_id):
                return False
            self._cancel(market_id, offer.order)
        return False

    def _get_best_offer(self, market_id: MarketId, is_bid: bool) -> Offer | None:
        id = get_best(get_market(self.state, market_id), is_bid)
        order = self.state.orders.get(id)
        if order is None:
            return None
        return Offer(order.account, order.price, Lots(abs(order.size)), id)

    def _can_take_a_lot(self, id: AccountId, market_id: MarketId) -> bool:
        """Whether the kernel takes the book for one that is not exhausted."""
        market, margin = get_market(self.state, market_id), self._get_margin(id)
        size = self.state.accounts.get(id).positions.get(market_id).size
        return can_take_a_lot(self.state, market, margin, size, self.timestamp)

    def _cancel(self, market_id: MarketId, order_id: EventId) -> None:
        if not self._propose(CancelOrder(*self._make_header(), market_id, order_id)):
            raise AssertionError(f"an order that rests cannot be cancelled: {order_id} in {market_id}")

    def _make_fill(self, id: AccountId, market_id: MarketId, offer: Offer, lots: int) -> LiquidationFill:
        header = self._make_header()
        return LiquidationFill(*header, id, offer.maker, market_id, Lots(lots), offer.price, offer.order)

    def _size_fill(self, id: AccountId, market_id: MarketId, offer: Offer) -> tuple[int, Rule | None]:
        """The lots to sell, at most the offer's; or 0, and the rule that even the smallest size breaks."""

        def attempt(lots: int) -> Journal | Rule:
            try:
                return apply(self.state, self._make_fill(id, market_id, offer, lots))
            except Rejected as rejection:
                return rejection.rule

        def makes_healthy(lots: int) -> bool:
            journal = attempt(lots)
            if isinstance(journal, Rule):
                return False
            after = journal.account(id)
            left = get_margin(after, self.state.markets)
            return left.equity * RATE_ONE >= max(self.state.rulebook.liquidation_target, RATE_ONE) * left.maintenance

        fund = get_available(self.state, self.timestamp, self.state.markets.get(market_id))
        backed = self.state.rulebook.insurance_backs_fills and fund > 0
        sizes = compute_fill_sizes(
            self.state, id, offer.maker, market_id, self._get_most(market_id, offer), self.timestamp
        )
        found, rule = 0, Rule.DUST
        for least, last in sizes:
            most, broken = _find_most(attempt, least, last, backed)
            if broken is not None:
                rule = broken
            elif not (self.partial and makes_healthy(most)):
                return found or most, None
            else:
                found = find_boundary(makes_healthy, most, least - 1)
        return found, None if found else rule

    def _get_most(self, market_id: MarketId, offer: Offer) -> int:
        """The offer's lots; of an order that only reduces, those that it can."""
        order = None if offer.order is None else self.state.orders.get(offer.order)
        if order is None or order.reserved:
            return offer.lots
        held = self.state.accounts.get(offer.maker).positions.get(market_id).size
        return min(offer.lots, abs(held)) if held * order.size < 0 else 0

    def _hand_over(self, id: AccountId, market_id: MarketId) -> bool:
        """Give the vault as much of the position as it can take."""
        lots = compute_takeover_size(self.state, id, market_id)
        return lots > 0 and self._propose(Takeover(*self._make_header(), id, market_id, Lots(lots)))

    def _cover(self, id: AccountId, margin: Margin) -> bool:
        """Have insurance pay a deficit, or write off one that is nobody's to pay."""
        flat = margin.maintenance == 0
        if margin.equity >= 0:
            return False
        if get_available(self.state, self.timestamp) > 0 and (flat or self.state.rulebook.insurance_before_adl):
            return self._propose(CoverDeficit(*self._make_header(), id))
        return flat and self._propose(WriteOff(*self._make_header(), id))

    def _deleverage(self, id: AccountId, margin: Margin, markets: list[MarketId]) -> bool:
        """Close a position against its queue; where nobody is in any, book its share of the deficit."""
        if margin.equity > 0 and not self.state.rulebook.adl_solvent:
            return False
        for market_id in markets:
            lots = compute_close_out_size(self.state, id, market_id)
            opening = compute_opening(self.state, id, market_id, lots)
            if opening.queue and self._run_episode(id, market_id, opening, lots):
                return True
        return margin.equity < 0 and any(self._run_episode(id, market_id, Opening(())) for market_id in markets)

    def _run_episode(self, id: AccountId, market_id: MarketId, opening: Opening, lots: int = 0) -> bool:
        if lots == abs(self.state.accounts.get(id).positions.get(market_id).size):
            lots = 0
        if not self._propose(self._make_opening(id, market_id, opening, lots)):
            return False
        self._consume_queue()
        return True

    def _make_opening(self, id: AccountId, market_id: MarketId, opening: Opening, lots: int) -> BeginDeleveraging:
        queue, *level = opening
        return BeginDeleveraging(*self._make_header(), id, market_id, queue, Lots(lots), *level)

    def _consume_queue(self) -> None:
        """Take heads until the lots are closed, or the queue is exhausted: then end it."""
        while (episode := self.state.deleveraging) is not None:
            event = Deleverage if episode.head < len(episode.queue) else EndDeleveraging
            uncovered = self.state.reserves.uncovered
            if not self._propose(event(*self._make_header())):
                raise AssertionError(f"an open deleveraging cannot go on: {episode}")
            if self.state.reserves.uncovered < uncovered:
                self.lost_in = episode.market


def _get_touched(lines: tuple[Line, ...]) -> set[AccountId]:
    """The accounts that the lines moved anything of."""
    touched: set[AccountId] = set()
    for line in lines:
        owners = (line.buyer, line.seller) if isinstance(line, Trade) else (line.payer, line.payee)
        touched.update(owner for owner in owners if not isinstance(owner, Reserve))
    return touched


def _get_offers(stacks: dict[MarketId, list[Offer]]) -> dict[MarketId, tuple[Offer, ...]]:
    """The offers left, best price first again."""
    return {market: tuple(reversed(offers)) for market, offers in stacks.items() if offers}


def _find_most(
    attempt: Callable[[int], Journal | Rule], least: int, lots: int, backed: bool
) -> tuple[int, Rule | None]:
    """The most from ``least`` to ``lots`` that the kernel accepts; or 0, and the rule that was in the way.

    A smaller size helps where a maker lacks margin or may only close, or where a fund that backs fills has little left;
    it does not help a price that is worse than the bankruptcy price.
    """
    rule: Rule | None = None
    refused = lots + 1
    for size in iter_halves(lots, least):
        verdict = attempt(size)
        if isinstance(verdict, Journal):
            return find_boundary(lambda lots: isinstance(attempt(lots), Journal), size, refused), None
        rule, refused = verdict, size
        is_makers = rule in (Rule.MAKER_MARGIN, Rule.MARKET_CLOSE_ONLY)
        if not is_makers and not (backed and rule is Rule.WORSE_THAN_BANKRUPTCY):
            return 0, rule
    return 0, rule
