"""All that the model remembers, and how it is read from a view and shown as one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, Self

from riskcore.testing.naive.needs import MILLION
from riskcore.testing.naive.order_book import Book, Ticket
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
    from riskcore.rulebook import MarketRules, Rulebook


#: What a market stays that is one of these.
ENDS = ("settling", "delisted")


@dataclass
class Holding:
    """``owed``: funding that has left the cash since the size last changed."""

    size: int
    cost: int
    owed: int
    opened: int


@dataclass
class Listing:
    """``accrued``: funding per long lot since listing, never rounded. ``status``: as in its life.

    ``used``: of the insurance fund; ``own``: what of it is this market's alone. ``sold``: notional, then.
    ``previous``: the mark before.
    """

    rules: MarketRules
    mark: int
    time: int
    accrued: Fraction
    status: str = "open"
    mark_time: int = 0
    used: int = 0
    sold: int = 0
    sold_time: int = 0
    previous: int = 0
    index: int = 0
    index_time: int = 0
    own: int = 0
    pending: MarketRules | None = None
    pending_time: int = 0

    @property
    def settling(self) -> bool:
        """Whether it ends, or has ended, at its mark."""
        return self.status in ENDS

    def is_near(self, price: int) -> bool:
        """Whether a mark is within its band of the index, or nearer to it than the last one."""
        distance = abs(Fraction(price, self.index) - 1)
        band = Fraction(self.rules.mark_index_band, MILLION)
        return not band or distance <= band or distance < abs(Fraction(self.mark, self.index) - 1)


@dataclass
class Episode:
    account: str
    market: str
    lots: int
    share: int
    queue: list[str]
    done: int
    head: int
    excess: int
    sequence: int
    level: tuple[int, int]
    left_over: int

    def get_paid(self, done: int) -> int:
        return floor(Fraction(self.share, self.lots) * done)

    def get_overshoot(self, done: int) -> int:
        """Atoms of it that the account had no need of."""
        return floor(Fraction(self.excess, self.lots) * done)


class Ledger:
    """Who has what. It is never partly changed: an event is tried on a copy."""

    def __init__(self, rulebook: Rulebook) -> None:
        self.rulebook = rulebook
        self.cash: dict[str, int] = {}
        self.holdings: dict[str, dict[str, Holding]] = {}
        self.listings: dict[str, Listing] = {}
        self.pool = 0
        #: what is no market's own
        self.insurance = 0
        self.fees = 0
        self.losses = 0
        self.stakes: dict[str, StakeView] = {}
        self.liquidated: dict[str, int] = {}
        self.leverages: dict[str, dict[str, int]] = {}
        self.sold: dict[str, int] = {}
        self.episode: Episode | None = None
        self.seen: set[str] = set()
        self.sequence = 0
        self.time = 0
        self.draws = DrawsView(0, 0)
        self.outflow = DrawsView(0, 0)
        self.sharing: SharingView | None = None
        self.books: dict[str, Book] = {}

    @classmethod
    def read(cls, view: View) -> Self:
        """The venue that a view shows."""
        venue = cls(view.rulebook)
        for name, market in view.markets.items():
            accrued = market.funding_index + Fraction(market.remainder, MILLION * view.rulebook.funding_interval)
            venue.listings[name] = Listing(
                market.rules,
                market.mark,
                market.time,
                accrued,
                market.status,
                market.mark_time,
                used=market.insurance_used,
                sold=market.sold,
                sold_time=market.sold_time,
                previous=market.previous,
                index=market.index_price,
                index_time=market.index_time,
                own=market.insurance,
                pending=market.pending,
                pending_time=market.pending_time,
            )
        for account, (balance, positions, liquidated, leverages, sold, _) in view.accounts.items():
            venue.cash[account] = balance
            venue.sold[account] = sold
            if liquidated >= 0:
                venue.liquidated[account] = liquidated
            if leverages:
                venue.leverages[account] = dict(leverages)
            venue.holdings[account] = {}
            for name, (size, cost, entry_index, opened) in positions.items():
                owed = size * (view.markets[name].funding_index - entry_index)
                venue.holdings[account][name] = Holding(size, cost, owed, opened)
                venue.cash[account] -= owed
        venue.pool = -view.reserves["outside"]
        venue.insurance = view.get_shared()
        venue.fees = view.reserves["fees"]
        venue.losses = -view.reserves["uncovered"]
        venue.stakes = dict(view.stakes)
        if view.episode is not None:
            account, market_name, lots, share, done, queue, head, excess, sequence, level, over = view.episode
            terms = account, market_name, lots, share
            venue.episode = Episode(*terms, list(queue), done, head, excess, sequence, level, over)
        venue.seen = set(view.seen)
        venue.sequence, venue.time = view.sequence, view.time
        venue.draws = view.draws
        venue.outflow = view.outflow
        venue.sharing = view.sharing
        for id, order in view.orders.items():
            ticket = Ticket(id, order.account, order.size, order.price, order.sequence, not order.reserved)
            venue.get_book(order.market).add(ticket)
        return venue

    def copy(self) -> Self:
        other = type(self)(self.rulebook)
        other.__dict__.update(self.__dict__)
        other.cash = dict(self.cash)
        other.holdings = {
            account: {market: replace(holding) for market, holding in held.items()}
            for account, held in self.holdings.items()
        }
        other.listings = {name: replace(listing) for name, listing in self.listings.items()}
        other.episode = None if self.episode is None else replace(self.episode, queue=list(self.episode.queue))
        other.seen = set(self.seen)
        other.stakes = dict(self.stakes)
        other.liquidated = dict(self.liquidated)
        other.leverages = {account: dict(chosen) for account, chosen in self.leverages.items()}
        other.sold = dict(self.sold)
        other.books = {market: Book(list(book.tickets)) for market, book in self.books.items()}
        return other

    def view(self) -> View:
        """What the kernel's state must look like."""
        accounts, transit = {}, 0
        makers = {ticket.account for book in self.books.values() for ticket in book.tickets}
        for account in sorted({*self.cash, *self.holdings, *self.leverages, *makers}):
            balance, positions = self.cash.get(account, 0), {}
            for market, holding in self.holdings.get(account, {}).items():
                entry_index = self.get_index(market) - Fraction(holding.owed, holding.size)
                assert entry_index.denominator == 1
                positions[market] = PositionView(holding.size, holding.cost, int(entry_index), holding.opened)
                balance += holding.owed
                transit -= holding.owed
            liquidated = self.liquidated.get(account, -1)
            leverages = self.leverages.get(account, {})
            own = {market: book.count(account) for market, book in self.books.items()} if account in makers else {}
            resting = {market: count for market, count in own.items() if count.orders}
            if balance or positions or liquidated >= 0 or leverages or resting:
                sold = self.sold.get(account, 0)
                accounts[account] = AccountView(balance, positions, liquidated, leverages, sold, resting)
        episode, separate = self.episode, sum(listing.own for listing in self.listings.values())
        return View(
            self.rulebook,
            accounts,
            {name: self._view_market(name) for name in self.listings},
            {
                "outside": -self.pool,
                "insurance": self.insurance + separate,
                "fees": self.fees,
                "transit": transit,
                "uncovered": -self.losses,
                "escrow": sum(stake.deposit for stake in self.stakes.values()),
            },
            None
            if episode is None
            else EpisodeView(
                episode.account,
                episode.market,
                episode.lots,
                episode.share,
                episode.done,
                tuple(episode.queue),
                episode.head,
                episode.excess,
                episode.sequence,
                episode.level,
                episode.left_over,
            ),
            frozenset(self.seen),
            self.sequence,
            self.time,
            {account: stake for account, stake in self.stakes.items() if stake != StakeView()},
            self.count_shares(),
            self.draws,
            self.sharing,
            separate,
            self.outflow,
            {id: order for market, book in self.books.items() for id, order in book.view(market).items()},
        )

    def _view_market(self, name: str) -> MarketView:
        listing = self.listings[name]
        remainder = (listing.accrued - floor(listing.accrued)) * MILLION * self.rulebook.funding_interval
        assert remainder.denominator == 1
        long_lots = self._count_longs(name)
        return MarketView(
            listing.rules,
            listing.mark,
            floor(listing.accrued),
            int(remainder),
            listing.time,
            long_lots,
            listing.status,
            listing.mark_time,
            listing.used,
            listing.sold,
            listing.sold_time,
            listing.previous,
            listing.index,
            listing.index_time,
            listing.own,
            listing.pending,
            listing.pending_time,
            *self._view_best(name),
        )

    def _view_best(self, name: str) -> tuple[str, str, int, int]:
        book = self.get_book(name)
        bid, ask = book.get_best(True), book.get_best(False)
        ids = "" if bid is None else bid.id, "" if ask is None else ask.id
        return (*ids, book.get_price(True), book.get_price(False))

    def _count_longs(self, name: str) -> int:
        return sum(max(0, self.get_size(account, name)) for account in self.holdings)

    def get_index(self, market: str) -> int:
        return floor(self.listings[market].accrued)

    def get_size(self, account: str, market: str) -> int:
        holding = self.holdings.get(account, {}).get(market)
        return 0 if holding is None else holding.size

    def get_book(self, market: str) -> Book:
        return self.books.setdefault(market, Book([]))

    def get_stake(self, account: str) -> StakeView:
        return self.stakes.get(account, StakeView())

    def count_shares(self) -> int:
        return sum(stake.shares for stake in self.stakes.values())
