"""A second venue, written from the laws and not from the kernel.

Slow on purpose: plain dicts, every sum recomputed from all accounts, every division a
``Fraction`` that is then rounded in words. Where the kernel is lazy this is eager: funding
leaves an account's cash the moment it is due, and a rejected event is one whose trial copy
of the whole venue broke a rule. ``View`` is what both can be compared by.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor, isqrt
from typing import Any, NamedTuple

from riskcore import events
from riskcore.choices import AdlSize, Allocation, CloseOut, RankPolicy, TierRule
from riskcore.events import Event
from riskcore.rulebook import MarketRules, Rulebook
from riskcore.state import State
from tests.naive_book import Book, OrderView, RestingView, Ticket, get_exposed

MILLION = 10**6
#: What a market stays that is one of these.
ENDS = ("settling", "delisted")


class Health(NamedTuple):
    """Atoms."""

    equity: int
    initial: int
    maintenance: int


class PositionView(NamedTuple):
    """``opened``: after which event."""

    size: int
    cost: int
    entry_index: int
    opened: int = 0


class AccountView(NamedTuple):
    """``liquidated``: when it last was by a fill, or -1. ``leverages``: what it chose, by market.

    ``sold``: notional sold then. ``resting``: what it has in the books, by market.
    """

    balance: int
    positions: dict[str, PositionView]
    liquidated: int = -1
    leverages: dict[str, int] = {}  # noqa: RUF012  never written
    sold: int = 0
    resting: dict[str, RestingView] = {}  # noqa: RUF012  never written


class MarketView(NamedTuple):
    rules: MarketRules
    mark: int
    funding_index: int
    remainder: int
    time: int
    open_interest: int
    status: str
    mark_time: int
    insurance_used: int
    sold: int
    sold_time: int
    previous: int
    index_price: int
    index_time: int
    insurance: int
    pending: MarketRules | None
    pending_time: int
    best_bid: str = ""
    best_ask: str = ""
    bid_price: int = 0
    ask_price: int = 0


class EpisodeView(NamedTuple):
    account: str
    market: str
    lots: int
    share: int
    done: int
    queue: tuple[str, ...]
    head: int
    excess: int
    sequence: int
    level: tuple[int, int] = (0, 1)
    left_over: int = 0


class SharingView(NamedTuple):
    """A loss that is being shared out: who has paid, and their weight."""

    market: str
    amount: int
    weight: int
    done: int
    members: tuple[str, ...]
    head: int


class DrawsView(NamedTuple):
    """Atoms that the insurance fund has paid since its window began."""

    drawn: int
    since: int


NOTHING_DRAWN = DrawsView(0, 0)


class StakeView(NamedTuple):
    """Shares of the vault; atoms that wait to be some, shares that wait to be cash, and since when."""

    shares: int = 0
    deposit: int = 0
    deposit_time: int = 0
    redemption: int = 0
    redemption_time: int = 0


@dataclass(frozen=True)
class View:
    """All of a state in plain values, accounts and markets that hold nothing left out."""

    rulebook: Rulebook
    accounts: dict[str, AccountView]
    markets: dict[str, MarketView]
    reserves: dict[str, int]
    episode: EpisodeView | None
    seen: frozenset[str]
    sequence: int
    time: int
    stakes: dict[str, StakeView]
    vault_shares: int
    draws: DrawsView
    sharing: SharingView | None = None
    separate_insurance: int = 0
    outflow: DrawsView = NOTHING_DRAWN
    orders: dict[str, OrderView] = field(default_factory=dict)

    def get_stake(self, account: str) -> StakeView:
        return self.stakes.get(account, StakeView())

    def get_account(self, account: str) -> AccountView:
        return self.accounts.get(account, AccountView(0, {}))

    def get_size(self, account: str, market: str) -> int:
        position = self.get_account(account).positions.get(market)
        return 0 if position is None else position.size

    def get_equity(self, account: str, marks: dict[str, int] | None = None) -> int:
        """Balance, plus lots at mark, less the funding that the lots owe."""
        balance, positions, *_ = self.get_account(account)
        total = balance
        for market, position in positions.items():
            mark = self.markets[market].mark if marks is None else marks[market]
            total += position.size * mark
            total -= position.size * (self.markets[market].funding_index - position.entry_index)
        return total

    def get_health(self, account: str) -> Health:
        initial = maintenance = 0
        view = self.get_account(account)
        for market in {*view.positions, *view.resting}:
            listing, size = self.markets[market], self.get_size(account, market)
            exposed = get_exposed(size, view.resting.get(market, RestingView()))
            needed = get_initial(listing.rules, listing.mark, exposed, listing.open_interest)
            initial += max(needed, get_part(exposed * listing.mark, view.leverages.get(market, 0)))
            maintenance += get_maintenance(listing.rules, listing.mark, size)
        return Health(self.get_equity(account), initial, maintenance)

    def get_available(self, now: int, market: str = "") -> int:
        """Atoms that the insurance fund may pay for a market, or for accounts."""
        listing = self.markets.get(market)
        if listing is not None and listing.rules.insurance_separate:
            return get_within_limit(self.rulebook, listing.insurance, self.draws, now)
        return get_within_limit(self.rulebook, self.get_shared() - self.rulebook.insurance_floor, self.draws, now)

    def get_shared(self) -> int:
        """What of the fund is no market's."""
        return self.reserves["insurance"] - sum(listing.insurance for listing in self.markets.values())


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


def get_within_limit(rulebook: Rulebook, stock: int, draws: DrawsView, now: int) -> int:
    """What there is to pay with; where the fund has a limit, no more than the window that runs has left of it."""
    above = max(0, stock)
    if not rulebook.insurance_draw_limit:
        return above
    runs = now - draws.since < rulebook.insurance_draw_window
    return max(0, min(above, rulebook.insurance_draw_limit - (draws.drawn if runs else 0)))


def observe_stakes(state: State) -> dict[str, StakeView]:
    """The stakes that are not empty."""
    stakes = {
        str(account): StakeView(
            stake.shares, stake.deposit, stake.deposit_time, stake.redemption, stake.redemption_time
        )
        for account, stake in state.stakes.items()
    }
    return {account: stake for account, stake in stakes.items() if stake != StakeView()}


def get_requirement(rate: int, price: int, size: int) -> int:
    """``rate`` millionths of what ``size`` lots are worth, a fraction of an atom counting as one."""
    return ceil(Fraction(rate, MILLION) * abs(size) * price)


def get_tiered(rule: TierRule, notional: int, brackets: list[tuple[int, Fraction]]) -> int:
    """What ``notional`` needs with brackets of floor and rate; a fraction of an atom counts as one.

    In slabs the last one reached is for all of it. Else the notional is cut at the floors, from the top.
    """
    reached = [(bottom, rate) for bottom, rate in brackets if notional > bottom]
    if rule is TierRule.SLAB:
        return ceil(reached[-1][1] * notional) if reached else 0
    needed, left = Fraction(0), notional
    for bottom, rate in reversed(reached):
        needed += (left - bottom) * rate
        left = bottom
    return ceil(needed)


def get_maintenance(rules: MarketRules, price: int, size: int) -> int:
    brackets = [
        (0, rules.maintenance_margin_rate),
        *((tier.floor, tier.maintenance_margin_rate) for tier in rules.tiers),
    ]
    return get_tiered(
        rules.tier_rule, abs(size) * price, [(floor, Fraction(rate, MILLION)) for floor, rate in brackets]
    )


def get_scaling(rules: MarketRules) -> tuple[int, int]:
    return rules.open_interest_floor, rules.open_interest_cap


def get_initial(rules: MarketRules, price: int, size: int, open_interest: int) -> int:
    """At an open interest of so many lots, which raises the rates between its floor and its cap."""
    way = Fraction(0)
    if rules.open_interest_cap:
        beyond = max(0, open_interest * price - rules.open_interest_floor)
        way = min(Fraction(1), Fraction(beyond, rules.open_interest_cap - rules.open_interest_floor))
    brackets = [(0, rules.initial_margin_rate), *((tier.floor, tier.initial_margin_rate) for tier in rules.tiers)]
    # in whole parts per million, what is over being dropped
    scaled = [(floor, Fraction(int(rate + way * (MILLION - rate)), MILLION)) for floor, rate in brackets]
    return get_tiered(rules.tier_rule, abs(size) * price, scaled)


def get_part(notional: int, leverage: int) -> int:
    """What one part of ``leverage`` equal parts of a notional is worth at least, in whole atoms; nothing for none."""
    return ceil(Fraction(abs(notional), leverage)) if leverage else 0


def is_reducing(before: int, after: int) -> bool:
    """Whether a position comes nearer to zero and does not change sides."""
    return abs(after) < abs(before) and after * before >= 0


def is_safe(before: Health, after: Health, reducing: bool) -> bool:
    """At initial margin; or reducing, and equity per maintenance margin is no lower."""
    if after.equity >= after.initial:
        return True
    if not reducing:
        return False
    if after.maintenance == 0:
        return after.equity >= 0
    return Fraction(after.equity, after.maintenance) >= Fraction(before.equity, before.maintenance)


def is_near(price: int, mark: int, limit: int) -> bool:
    """Whether a price is within ``limit`` millionths of mark, where there is a limit."""
    return limit == 0 or abs(Fraction(price, mark) - 1) <= Fraction(limit, MILLION)


def get_broken(**rules: bool) -> set[str]:
    """The names of the rules that do not hold."""
    return {name for name, holds in rules.items() if not holds}


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


class Venue:
    """The model. ``apply`` one event after the other, compare ``view()``."""

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
    def read(cls, view: View) -> Venue:
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

    def copy(self) -> Venue:
        other = Venue(self.rulebook)
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
            counts = {market: book.count(account) for market, book in self.books.items()}
            resting = {market: count for market, count in counts.items() if count.orders}
            if balance or positions or liquidated >= 0 or leverages or resting:
                sold = self.sold.get(account, 0)
                accounts[account] = AccountView(balance, positions, liquidated, leverages, sold, resting)
        episode, own = self.episode, sum(listing.own for listing in self.listings.values())
        return View(
            self.rulebook,
            accounts,
            {name: self._view_market(name) for name in self.listings},
            {
                "outside": -self.pool,
                "insurance": self.insurance + own,
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
            own,
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

    # What things are worth

    def get_index(self, market: str) -> int:
        return floor(self.listings[market].accrued)

    def get_size(self, account: str, market: str) -> int:
        holding = self.holdings.get(account, {}).get(market)
        return 0 if holding is None else holding.size

    def get_equity(self, account: str) -> int:
        """Cash, funding already out of it, and what closing all at mark would bring."""
        held = self.holdings.get(account, {})
        return self.cash.get(account, 0) + sum(h.size * self.listings[market].mark for market, h in held.items())

    def get_maintenance(self, market: str, size: int) -> int:
        listing = self.listings[market]
        return get_maintenance(listing.rules, listing.mark, size)

    def get_initial(self, market: str, size: int, leverage: int) -> int:
        """At the open interest that there is by now."""
        listing = self.listings[market]
        lots = self._count_longs(market) if any(get_scaling(listing.rules)) else 0
        return max(get_initial(listing.rules, listing.mark, size, lots), get_part(size * listing.mark, leverage))

    def get_leverage(self, account: str, market: str) -> int:
        return self.leverages.get(account, {}).get(market, 0)

    def get_book(self, market: str) -> Book:
        return self.books.setdefault(market, Book([]))

    def has_orders(self, account: str, market: str | None = None) -> bool:
        """Somewhere, or in one market."""
        books = self.books.values() if market is None else [self.get_book(market)]
        return any(ticket.account == account for book in books for ticket in book.tickets)

    def get_exposed(self, account: str, market: str) -> int:
        return get_exposed(self.get_size(account, market), self.get_book(market).count(account))

    def get_health(self, account: str) -> Health:
        held = self.holdings.get(account, {})
        places = {*held, *(market for market in self.books if self.has_orders(account, market))}
        return Health(
            self.get_equity(account),
            sum(
                self.get_initial(market, self.get_exposed(account, market), self.get_leverage(account, market))
                for market in places
            ),
            sum(self.get_maintenance(market, holding.size) for market, holding in held.items()),
        )

    def is_sick(self, account: str) -> bool:
        """Whether it is below maintenance."""
        health = self.get_health(account)
        return health.equity < health.maintenance

    def get_available(self, now: int, market: str = "") -> int:
        """For a market, or for accounts."""
        listing = self.listings.get(market)
        is_own = listing is not None and listing.rules.insurance_separate
        stock = listing.own if listing is not None and is_own else self.insurance - self.rulebook.insurance_floor
        return get_within_limit(self.rulebook, stock, self.draws, now)

    def _feed(self, amount: int, market: str = "") -> None:
        """The fund gets something in a market, or from elsewhere."""
        if market and self.listings[market].rules.insurance_separate:
            self.listings[market].own += amount
        else:
            self.insurance += amount

    def _draw(self, account: str, amount: int, now: int, market: str = "") -> None:
        """The fund pays, for a market if one is named."""
        self.cash[account] = self.cash.get(account, 0) + amount
        self._feed(-amount, market)
        if market:
            self.listings[market].used += amount
        if amount and self.rulebook.insurance_draw_limit:
            drawn, since = self.draws
            if not drawn or now - since >= self.rulebook.insurance_draw_window:
                drawn, since = 0, now
            self.draws = DrawsView(drawn + amount, since)

    def get_share(self, account: str, market: str, lots: int) -> int:
        """Equity that goes with ``lots``, in proportion to the maintenance margin they free."""
        size = self.get_size(account, market)
        rest = abs(size) - lots
        freed = self.get_maintenance(market, size) - self.get_maintenance(market, rest)
        health = self.get_health(account)
        return floor(Fraction(freed, health.maintenance) * health.equity)

    # Who is deleveraged

    def get_terms(self, account: str, market: str, lots: int) -> tuple[int, int]:
        """What the counterparties of ``lots`` pay together against mark, and what of it goes to the fund."""
        listing, lost = self.listings[market], -self.get_share(account, market, lots)
        if self.rulebook.adl_close_out is CloseOut.BANKRUPTCY:
            return lost, 0
        prices = {CloseOut.MARK: listing.mark, CloseOut.PREVIOUS_MARK: listing.previous, CloseOut.INDEX: listing.index}
        side = 1 if self.get_size(account, market) > 0 else -1
        worth = side * lots * (prices[self.rulebook.adl_close_out] - listing.mark)
        # the account loses no more than it has, and gets no more than it has lost
        low, high = sorted((0, lost))
        kept = min(max(worth, low), high)
        return max(worth, kept), max(worth, kept) - kept

    def is_cured_by(self, account: str, market: str, lots: int) -> bool:
        """Whether it is at maintenance when ``lots`` are closed out."""
        share, excess = self.get_terms(account, market, lots)
        size = self.get_size(account, market)
        freed = self.get_maintenance(market, size) - self.get_maintenance(market, abs(size) - lots)
        health = self.get_health(account)
        return health.equity + share - excess >= health.maintenance - freed

    def is_right_size(self, account: str, market: str, lots: int) -> bool:
        size = abs(self.get_size(account, market))
        if self.rulebook.adl_size is AdlSize.WHOLE or self.get_equity(account) <= 0:
            return lots == size
        return not self.is_cured_by(account, market, lots - 1) and (
            lots == size or self.is_cured_by(account, market, lots)
        )

    def get_right_size(self, account: str, market: str) -> int:
        """The fewest lots that are a right size to close; none for who is not below maintenance."""
        size = abs(self.get_size(account, market))
        if not self.is_sick(account):
            return size
        if self.is_right_size(account, market, size):
            return size
        low, high = 0, size
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.is_cured_by(account, market, middle) else (middle, high)
        return high

    def get_queue(self, account: str, market: str, lots: int, share: int) -> list[str]:
        """Everyone who can pay for a part of ``share`` against ``account``, first the one to go first."""
        side = self.get_size(account, market)
        eligible = [
            other
            for other in self.holdings
            if self.get_size(other, market) * side < 0 and self._can_pay(other, market, Fraction(share, lots))
        ]
        return sorted(eligible, key=lambda other: self._rank(other, market))

    def get_weight(self, account: str, market: str) -> int:
        """By what a position counts where the lots of a deleveraging are parted."""
        weights = {
            Allocation.CONTRACTS: abs(self.get_size(account, market)),
            Allocation.PROFIT: self.get_profit(account, market),
        }
        return max(weights.get(self.rulebook.adl_allocation, self.get_equity(account)), 1)

    def get_part(self, account: str, market: str, level: Fraction) -> Fraction:
        """Its exact part in lots, where so many belong to each of weight."""
        size = abs(self.get_size(account, market))
        if self.rulebook.adl_allocation is Allocation.QUEUE:
            return Fraction(size)
        own = level * self.get_weight(account, market)
        kept = max(size - own, Fraction(0))
        return kept if self.rulebook.adl_allocation is Allocation.LEVERAGE else min(own, Fraction(size))

    def get_target(self, queue: list[str], market: str, lots: int) -> int:
        """Lots that a queue closes: those asked for, or all that there are."""
        return min(lots, sum(abs(self.get_size(other, market)) for other in queue))

    def get_level(self, queue: list[str], market: str, lots: int) -> Fraction:
        """The level at which parts sum to the lots, found between two of those at which somebody's part is all."""
        if self.rulebook.adl_allocation is Allocation.QUEUE or not queue:
            return Fraction(0)
        target = self.get_target(queue, market, lots)
        bends = [Fraction(abs(self.get_size(other, market)), self.get_weight(other, market)) for other in queue]
        points = [(self._sum_parts(queue, market, bend), bend) for bend in (Fraction(0), *sorted(bends))]
        for (low, start), (high, end) in pairwise(sorted(points)):
            if low <= target <= high and low != high:
                return start + (end - start) * (target - low) / (high - low)
        raise AssertionError("no level")

    def _sum_parts(self, queue: list[str], market: str, level: Fraction) -> Fraction:
        return sum((self.get_part(other, market, level) for other in queue), Fraction(0))

    def _is_level(self, queue: list[str], market: str, lots: int, over: int, per: int) -> bool:
        if self.rulebook.adl_allocation is Allocation.QUEUE:
            return (over, per) == (0, 1)
        if per < 1 or over < 0:
            return False
        return self._sum_parts(queue, market, Fraction(over, per)) == self.get_target(queue, market, lots)

    def _can_pay(self, account: str, market: str, per_lot: Fraction) -> bool:
        price, equity = per_lot * abs(self.get_size(account, market)), self.get_equity(account)
        if equity < 0 or equity < price:
            return False
        return not (self.rulebook.adl_requires_profit and price > 0) or self.get_profit(account, market) >= price

    def get_profit(self, account: str, market: str) -> int:
        holding = self.holdings[account][market]
        return holding.size * self.listings[market].mark - holding.cost

    def _rank(self, account: str, market: str) -> tuple[Fraction, int, str]:
        size = abs(self.get_size(account, market))
        return -self._score(account, market), -size, account

    def _score(self, account: str, market: str) -> Fraction:
        notional = Fraction(abs(self.get_size(account, market)) * self.listings[market].mark)
        equity, profit = self.get_equity(account), self.get_profit(account, market)
        entry, rank = max(1, abs(self.holdings[account][market].cost)), self.rulebook.adl_rank
        if rank is RankPolicy.SIZE:
            return notional
        if rank is RankPolicy.FIFO:
            return Fraction(-self.holdings[account][market].opened)
        if rank is RankPolicy.PSEUDO_RANDOM:
            sequence = self.sequence if self.episode is None else self.episode.sequence
            return Fraction(draw_number(self.rulebook.adl_seed, sequence, account))
        if equity <= 0:
            return Fraction(0)
        leverage, ratio = notional / equity, Fraction(profit, entry)
        if rank is RankPolicy.SIGNED_PROFIT_TIMES_LEVERAGE and profit < 0:
            return ratio / leverage
        gain = max(profit, 0)
        return {
            RankPolicy.LEVERAGE: leverage,
            RankPolicy.PRICE_RATIO_TIMES_LEVERAGE: notional / entry * leverage,
            RankPolicy.PROFIT_TIMES_LEVERAGE: Fraction(gain, entry) * leverage,
            RankPolicy.SIGNED_PROFIT_TIMES_LEVERAGE: ratio * leverage,
            RankPolicy.PROFIT_TIMES_NOTIONAL_TO_EQUITY: gain * leverage,
            RankPolicy.PROFIT_TO_EQUITY: Fraction(gain, equity),
            RankPolicy.PROFIT_RATIO: Fraction(gain, entry),
        }[rank]

    # What an event does

    def apply(self, event: Event) -> set[str]:
        """Let it happen, or leave all as it was and give the names of the rules it breaks."""
        broken = get_broken(
            DUPLICATE_ID=event.id not in self.seen,
            SEQUENCE_NOT_AHEAD=event.sequence > self.sequence,
            TIME_BACKWARDS=event.timestamp >= self.time,
            DELEVERAGING_OPEN=self.episode is None or isinstance(event, events.Deleverage | events.EndDeleveraging),
            SHARING_OPEN=self.sharing is None or isinstance(event, events.ShareLoss),
        )
        trial = self.copy()
        broken |= PROCESSES[type(event)](trial, event)
        if not broken:
            self.__dict__.update(trial.__dict__)
            self.seen.add(event.id)
            self.sequence, self.time = event.sequence, event.timestamp
        return broken

    def list_market(self, event: events.ListMarket) -> set[str]:
        rules, sane = event.rules, is_sane(event.rules)
        broken = get_broken(
            MARKET_LISTED=event.market not in self.listings,
            RULES_INADMISSIBLE=sane,
            PRICE_NOT_POSITIVE=event.mark_price > 0,
        )
        self.listings[event.market] = Listing(
            rules,
            event.mark_price,
            event.timestamp,
            Fraction(0),
            mark_time=event.timestamp,
            previous=event.mark_price,
            index=event.mark_price,
            index_time=event.timestamp,
        )
        return broken

    def deposit(self, event: events.Deposit) -> set[str]:
        self.cash[event.account] = self.cash.get(event.account, 0) + event.amount
        self.pool += event.amount
        self._count_out(-event.amount, event.timestamp)
        return get_broken(AMOUNT_NOT_POSITIVE=event.amount > 0)

    def get_way_out(self, now: int) -> int | None:
        """What may still be withdrawn in the window of ``now``; None where nothing limits it."""
        limit = self.rulebook.withdrawal_limit
        return limit - self._get_taken(now) if limit else None

    def _get_taken(self, now: int) -> int:
        return self.outflow.drawn if now - self.outflow.since < self.rulebook.withdrawal_window else 0

    def _count_out(self, amount: int, now: int) -> None:
        if self.rulebook.withdrawal_limit:
            taken = self._get_taken(now)
            self.outflow = DrawsView(max(0, taken + amount), self.outflow.since if taken else now)

    def withdraw(self, event: events.Withdraw) -> set[str]:
        waits = self.rulebook.withdrawals_wait and self.losses > 0
        kept, is_bankrupt = self._cut(event.amount)
        broken = get_broken(
            AMOUNT_NOT_POSITIVE=event.amount > 0,
            LOSS_UNCOVERED=not waits,
            POOL_EXHAUSTED=not is_bankrupt and event.amount - kept <= self.pool,
        )
        self.cash[event.account] = self.cash.get(event.account, 0) - event.amount
        way_out = self.get_way_out(event.timestamp)
        broken |= get_broken(WITHDRAWAL_LIMIT=way_out is None or event.amount - kept <= way_out)
        self._count_out(event.amount - kept, event.timestamp)
        self.pool -= event.amount - kept
        self.losses -= kept
        health = self.get_health(event.account)
        is_free = event.account != self.rulebook.vault or not self.has_holders()
        return broken | get_broken(
            BELOW_INITIAL_MARGIN=health.equity >= health.initial,
            VAULT_HAS_HOLDERS=is_free,
            MARK_STALE=self._are_marks_fresh(event.account, event.timestamp),
        )

    def _cut(self, amount: int) -> tuple[int, bool]:
        """What of a withdrawal stays for the loss, and whether the loss is all that the accounts have."""
        if not self.rulebook.withdrawals_are_cut or self.losses == 0:
            return 0, False
        everybodys = sum(self.get_equity(account) for account in {*self.cash, *self.holdings})
        everybodys += sum(stake.deposit for stake in self.stakes.values())
        if everybodys <= self.losses:
            return 0, True
        return min(ceil(Fraction(self.losses, everybodys) * amount), self.losses), False

    def transfer(self, event: events.Transfer) -> set[str]:
        for account, received in ((event.payer, -event.amount), (event.payee, event.amount)):
            self.cash[account] = self.cash.get(account, 0) + received
        health = self.get_health(event.payer)
        return get_broken(
            VAULT_HAS_HOLDERS=event.payer != self.rulebook.vault or not self.has_holders(),
            MARK_STALE=self._are_marks_fresh(event.payer, event.timestamp),
            AMOUNT_NOT_POSITIVE=event.amount > 0,
            SELF_TRANSFER=event.payer != event.payee,
            BELOW_INITIAL_MARGIN=health.equity >= health.initial,
        )

    def fund_insurance(self, event: events.FundInsurance) -> set[str]:
        broken = get_broken(AMOUNT_NOT_POSITIVE=event.amount > 0)
        if event.market is not None:
            if closed := self._check_open(event.market):
                return broken | closed
            broken |= get_broken(INSURANCE_NOT_SEPARATE=self.listings[event.market].rules.insurance_separate)
        self._feed(event.amount, event.market or "")
        self.pool += event.amount
        return broken

    def repay_loss(self, event: events.RepayLoss) -> set[str]:
        broken = get_broken(AMOUNT_NOT_POSITIVE=event.amount > 0, NOT_UNCOVERED=event.amount <= self.losses)
        self.losses -= event.amount
        self.pool += event.amount
        return broken

    def advance_time(self, event: events.AdvanceTime) -> set[str]:
        return set()

    def mark_price(self, event: events.MarkPrice) -> set[str]:
        if closed := self._check_open(event.market):
            return closed
        listing = self.listings[event.market]
        broken = get_broken(
            PRICE_NOT_POSITIVE=event.price > 0,
            MARK_JUMP=is_near(event.price, listing.mark, listing.rules.mark_move_limit),
            INDEX_STALE=not listing.rules.mark_index_band or self._is_index_fresh(event.market, event.timestamp),
            MARK_OFF_INDEX=listing.is_near(event.price),
        )
        listing.previous, listing.mark, listing.mark_time = listing.mark, event.price, event.timestamp
        return broken

    def index_price(self, event: events.IndexPrice) -> set[str]:
        if closed := self._check_open(event.market):
            return closed
        listing = self.listings[event.market]
        broken = get_broken(
            PRICE_NOT_POSITIVE=event.price > 0,
            INDEX_JUMP=is_near(event.price, listing.index, listing.rules.index_move_limit),
        )
        listing.index, listing.index_time = event.price, event.timestamp
        return broken

    def apply_funding(self, event: events.ApplyFunding) -> set[str]:
        if closed := self._check_open(event.market):
            return closed
        listing = self.listings[event.market]
        elapsed = event.timestamp - listing.time
        before = floor(listing.accrued)
        price = listing.index if self.rulebook.funding_on_index else listing.mark
        listing.accrued += price * Fraction(event.rate, MILLION) * Fraction(elapsed, self.rulebook.funding_interval)
        listing.time = event.timestamp
        growth = floor(listing.accrued) - before
        for account, held in self.holdings.items():
            if event.market in held:
                owed = held[event.market].size * growth
                held[event.market].owed += owed
                self.cash[account] -= owed
        is_fresh = self._is_index_fresh(event.market, event.timestamp)
        return get_broken(
            INDEX_STALE=is_fresh or not self.rulebook.funding_on_index,
            FUNDING_NOT_DUE=elapsed > 0,
            FUNDING_RATE_CAPPED=-self.rulebook.funding_rate_cap <= event.rate <= self.rulebook.funding_rate_cap,
        )

    def fill(self, event: events.Fill) -> set[str]:
        if closed := self._check_trading(event.market):
            return closed
        listing = self.listings[event.market]
        broken = get_broken(
            SELF_TRADE=event.taker != event.maker,
            SIZE_ZERO=event.size != 0,
            PRICE_NOT_POSITIVE=event.price > 0,
            PRICE_BAND=is_near(event.price, listing.mark, listing.rules.fill_price_band),
        )
        if broken := broken or self._check_hit(event.market, event.order, event.maker, event.size, event.price):
            return broken
        parties = (event.taker, event.maker)
        sizes = [self.get_size(party, event.market) for party in parties]
        both_reduce = is_reducing(sizes[0], sizes[0] + event.size) and is_reducing(sizes[1], sizes[1] - event.size)
        broken = get_broken(MARK_STALE=both_reduce or self._is_fresh(event.market, event.timestamp))
        broken |= self._check_entry(event.market, (sizes[0], sizes[0] + event.size), (sizes[1], sizes[1] - event.size))
        opened = self._count_longs(event.market)
        before = [self.get_health(party) for party in parties]
        notional = abs(event.size) * event.price
        self._exchange(event.taker, event.maker, event.market, event.size, event.size * event.price)
        self._take(event.market, event.order, event.size)
        rules, taken = self.listings[event.market].rules, 0
        now_open, most = self._count_longs(event.market), rules.open_interest_limit
        broken |= get_broken(OPEN_INTEREST_LIMIT=not most or now_open <= max(opened, most // listing.mark))
        for party, rate in zip(parties, (rules.taker_fee_rate, rules.maker_fee_rate), strict=True):
            fee = ceil(Fraction(rate, MILLION) * notional)
            self.cash[party] -= fee
            self.fees += fee
            taken += fee
        share = floor(Fraction(self.rulebook.insurance_fee_share, MILLION) * taken)
        self.fees -= share
        self._feed(share, event.market)
        broken |= self._check_dust(event.market, {str(party): size for party, size in zip(parties, sizes, strict=True)})
        safe = [
            is_safe(before[i], self.get_health(party), is_reducing(sizes[i], self.get_size(party, event.market)))
            for i, party in enumerate(parties)
        ]
        return broken | get_broken(TAKER_MARGIN=safe[0], MAKER_MARGIN=safe[1])

    def liquidation_fill(self, event: events.LiquidationFill) -> set[str]:
        if closed := self._check_trading(event.market):
            return closed
        listing = self.listings[event.market]
        broken = get_broken(
            SELF_TRADE=event.account != event.maker,
            PRICE_NOT_POSITIVE=event.price > 0,
            PRICE_BAND=is_near(event.price, listing.mark, listing.rules.fill_price_band),
        )
        broken |= self._check_close(event.account, event.market, event.size, event.timestamp)
        broken |= get_broken(ORDERS_REST=not self.has_orders(event.account))
        if broken:
            return broken
        sold = event.size if self.get_size(event.account, event.market) < 0 else -event.size
        if broken := self._check_hit(event.market, event.order, event.maker, sold, event.price):
            return broken
        broken = get_broken(
            LIQUIDATION_COOLDOWN=not self.is_waiting(event.account, event.timestamp),
            LIQUIDATION_SHARE=event.size <= self.get_most(event.account, event.market, event.timestamp),
            LIQUIDATION_TARGET=not self._is_enough(event, self._is_at_target),
            LIQUIDATION_STEP=not self._is_enough(event, self._is_at_step),
            LIQUIDATION_BLOCK=not self._is_enough(event, self.is_block_full),
        )
        share = self.get_share(event.account, event.market, event.size)
        maker_size, maker_before = self.get_size(event.maker, event.market), self.get_health(event.maker)
        sizes: dict[str, int] = {event.account: self.get_size(event.account, event.market), event.maker: maker_size}
        equity = self.get_equity(event.account)
        self._hand_over(event.account, event.maker, event.market, event.size, event.size * event.price)
        self._take(event.market, event.order, event.size)
        spare = self.get_equity(event.account) - (equity - share)
        if spare >= 0:
            rate = Fraction(self.listings[event.market].rules.liquidation_fee_rate, MILLION)
            fee = min(spare, ceil(rate * event.size * event.price))
            self.cash[event.account] -= fee
            self._feed(fee, event.market)
        else:
            worst = Fraction(self.rulebook.insurance_fill_band, MILLION) * event.size * self.listings[event.market].mark
            affordable = -spare <= self.get_available(event.timestamp, event.market)
            backed = self.rulebook.insurance_backs_fills and affordable and share - spare <= worst
            broken |= get_broken(WORSE_THAN_BANKRUPTCY=backed)
            self._draw(event.account, -spare, event.timestamp, event.market)
        broken |= self._check_dust(event.market, sizes)
        broken |= self._check_entry(event.market, (maker_size, self.get_size(event.maker, event.market)))
        self._remember_sale(event)
        reducing = is_reducing(maker_size, self.get_size(event.maker, event.market))
        return broken | get_broken(MAKER_MARGIN=is_safe(maker_before, self.get_health(event.maker), reducing))

    def _remember_sale(self, event: events.LiquidationFill) -> None:
        """The sale adds to what the account's and the market's block have, where the rules ask for it."""
        rulebook, listing, now = self.rulebook, self.listings[event.market], event.timestamp
        worth = event.size * listing.mark
        if rulebook.liquidation_window or rulebook.liquidation_cooldown or rulebook.liquidation_block_limit:
            self.sold[event.account] = self.get_sold(event.account, now) + worth
            self.liquidated[event.account] = now
        if listing.rules.liquidation_block_limit:
            listing.sold = worth + (listing.sold if listing.sold_time == now else 0)
            listing.sold_time = now

    def get_sold(self, account: str, now: int) -> int:
        """What of the account was sold in the block of ``now``."""
        return self.sold.get(account, 0) if self.liquidated.get(account) == now else 0

    def _is_enough(self, event: events.LiquidationFill, is_done: Callable[[str, str, int, int], bool]) -> bool:
        """Whether the fill's last lot is one too many; or, if dust may not be left, those beyond the least are."""
        held = abs(self.get_size(event.account, event.market))
        before_last = event.size - 1
        if held - before_last < self.listings[event.market].rules.minimum_size:
            before_last = max(0, held - self.listings[event.market].rules.minimum_size)
        return is_done(event.account, event.market, before_last, event.timestamp)

    def _is_at_target(self, account: str, market: str, closed: int, now: int) -> bool:
        """Whether closing so many lots at mark, for nothing, leaves the target's equity."""
        health, held = self.get_health(account), abs(self.get_size(account, market))
        freed = self.get_maintenance(market, held) - self.get_maintenance(market, held - closed)
        target = Fraction(self.rulebook.liquidation_target, MILLION)
        return target > 0 and health.equity >= target * (health.maintenance - freed)

    def _is_at_step(self, account: str, market: str, closed: int, now: int) -> bool:
        """Whether so many lots fewer are out of the bracket, if there is one below."""
        listing, held = self.listings[market], abs(self.get_size(account, market))
        below = [0, *(tier.floor for tier in listing.rules.tiers if tier.floor < held * listing.mark)]
        return listing.rules.liquidation_tier_step and (held - closed) * listing.mark <= below[-1]

    def is_block_full(self, account: str, market: str, closed: int, now: int) -> bool:
        """Whether so many lots more use up what may be sold of the account, or in the market, at this time."""
        listing = self.listings[market]
        worth = closed * listing.mark
        limits = self.rulebook.liquidation_block_limit, listing.rules.liquidation_block_limit
        sold = self.get_sold(account, now), listing.sold if listing.sold_time == now else 0
        return any(0 < limit <= worth + past for limit, past in zip(limits, sold, strict=True))

    def is_waiting(self, account: str, now: int) -> bool:
        """Whether it was sold to the book too short a time ago, and still has time."""
        last = self.liquidated.get(account)
        hurry = self.get_equity(account) < 0
        return last is not None and not hurry and now < last + self.rulebook.liquidation_cooldown

    def get_most(self, account: str, market: str, now: int) -> int:
        """Lots that may be sold to the book at once: of a large position not just sold from, a share and a bit."""
        rules, held = self.listings[market].rules, abs(self.get_size(account, market))
        last, window = self.liquidated.get(account), self.rulebook.liquidation_window
        if window and last is not None and now - last <= window:
            return held
        if held * self.listings[market].mark <= rules.liquidation_share_floor:
            return held
        most = ceil(Fraction(rules.liquidation_share, MILLION) * held)
        return most if held - most >= rules.minimum_size else held

    def _check_dust(self, market: str, sizes: dict[str, int]) -> set[str]:
        """Nobody who had the ``sizes`` has fewer lots than the minimum now, but none, or fewer of fewer."""
        minimum = self.listings[market].rules.minimum_size
        clean = True
        for account, before in sizes.items():
            after = self.get_size(account, market)
            if 0 < abs(after) < minimum:
                clean = clean and abs(before) < minimum and is_reducing(before, after)
        return get_broken(DUST=clean)

    def takeover(self, event: events.Takeover) -> set[str]:
        if closed := self._check_trading(event.market):
            return closed
        broken = get_broken(SELF_TRADE=event.account != self.rulebook.vault)
        broken |= self._check_close(event.account, event.market, event.size, event.timestamp)
        trigger = Fraction(self.rulebook.takeover_rate, MILLION) * self.get_health(event.account).maintenance
        broken |= get_broken(
            VAULT_NOT_DUE=self.get_equity(event.account) <= trigger, ORDERS_REST=not self.has_orders(event.account)
        )
        return broken or self._take_over(event.account, event.market, event.size)

    def _take_over(self, account: str, market: str, lots: int) -> set[str]:
        vault, mark = self.rulebook.vault, self.listings[market].mark
        broken = get_broken(VAULT_TAKES_NO_DEFICIT=self.get_equity(account) >= 0 or self.rulebook.vault_takes_deficits)
        own_limit = self.listings[market].rules.vault_position_limit
        limit = min(own_limit, self.rulebook.vault_position_limit) if own_limit else self.rulebook.vault_position_limit
        held, before = self.get_size(vault, market), self.get_health(vault)
        share = self.get_share(account, market, lots)
        worth_less_share = lots * mark - share if self.get_size(account, market) > 0 else lots * mark + share
        self._hand_over(account, vault, market, lots, worth_less_share)
        after = self.get_size(vault, market)
        reducing = is_reducing(held, after)
        return broken | get_broken(
            VAULT_LIMIT=abs(after) * mark <= limit or reducing,
            VAULT_MARGIN=is_safe(before, self.get_health(vault), reducing),
        )

    def can_vault_take(self, account: str, market: str, lots: int) -> bool:
        """Whether the vault's stage would take ``lots`` of an account below maintenance."""
        return account != self.rulebook.vault and not self.copy()._take_over(account, market, lots)

    def cover_deficit(self, event: events.CoverDeficit) -> set[str]:
        deficit, available = -self.get_equity(event.account), self.get_available(event.timestamp)
        flat = not self.holdings.get(event.account)
        self._draw(event.account, min(deficit, available), event.timestamp)
        return get_broken(
            MARK_STALE=self._are_marks_fresh(event.account, event.timestamp),
            NO_DEFICIT=deficit > 0,
            INSURANCE_OPEN_POSITION=flat or self.rulebook.insurance_before_adl,
            INSURANCE_EXHAUSTED=available > 0,
        )

    def begin_deleveraging(self, event: events.BeginDeleveraging) -> set[str]:
        if closed := self._check_trading(event.market):
            return closed
        lots = event.size or max(1, abs(self.get_size(event.account, event.market)))
        broken = self._check_close(event.account, event.market, lots, event.timestamp)
        if broken:
            return broken
        in_deficit = self.get_equity(event.account) < 0
        insured = self.rulebook.insurance_before_adl and in_deficit and self.get_available(event.timestamp) > 0
        share, excess = self.get_terms(event.account, event.market, lots)
        queue = self.get_queue(event.account, event.market, lots, share)
        is_right = self.is_right_size(event.account, event.market, lots)
        on_index = self.rulebook.adl_close_out is CloseOut.INDEX
        level, left_over = (event.level_lots, event.level_weight), 0
        is_exact = self._is_level(queue, event.market, lots, *level)
        if is_exact and self.rulebook.adl_allocation is not Allocation.QUEUE:
            parts = (floor(self.get_part(other, event.market, Fraction(*level))) for other in queue)
            left_over = self.get_target(queue, event.market, lots) - sum(parts)
        self.episode = Episode(
            event.account, event.market, lots, share, list(event.queue), 0, 0, excess, self.sequence, level, left_over
        )
        return get_broken(
            LEVEL_NOT_EXACT=is_exact,
            NOT_THE_LOTS_TO_CLOSE=is_right,
            ORDERS_REST=not self.has_orders(event.account),
            BOOK_NOT_EXHAUSTED=self.is_block_full(event.account, event.market, 0, event.timestamp)
            or not self.can_book_take(event.account, event.market, event.timestamp),
            INDEX_STALE=not on_index or self._is_index_fresh(event.market, event.timestamp),
            LIQUIDATION_COOLDOWN=not self.is_waiting(event.account, event.timestamp),
            LIQUIDATION_BLOCK=in_deficit or not self.is_block_full(event.account, event.market, 0, event.timestamp),
            ADL_SOLVENT=self.get_equity(event.account) <= 0 or self.rulebook.adl_solvent,
            VAULT_NOT_EXHAUSTED=not self.can_vault_take(event.account, event.market, 1),
            INSURANCE_NOT_EXHAUSTED=not insured,
            QUEUE_NOT_RANKED=list(event.queue) == queue,
            NOTHING_TO_BOOK=len(event.queue) > 0 or share - excess > 0,
        )

    def deleverage(self, event: events.Deleverage) -> set[str]:
        episode = self.episode
        if episode is None:
            return {"DELEVERAGING_NOT_OPEN"}
        if episode.head >= len(episode.queue):
            return {"QUEUE_EXHAUSTED"}
        other = episode.queue[episode.head]
        part = self.get_part(other, episode.market, Fraction(*episode.level))
        lots = floor(part)
        if part > lots and episode.left_over:
            lots, episode.left_over = lots + 1, episode.left_over - 1
        lots = min(lots, episode.lots - episode.done)
        payment = episode.get_paid(episode.done + lots) - episode.get_paid(episode.done)
        worth = lots * self.listings[episode.market].mark
        is_long = self.get_size(episode.account, episode.market) > 0
        if lots:
            amount = worth + payment if is_long else worth - payment
            self._hand_over(episode.account, other, episode.market, lots, amount)
        overshoot = episode.get_overshoot(episode.done + lots) - episode.get_overshoot(episode.done)
        self.cash[episode.account] -= overshoot
        self._feed(overshoot, episode.market)
        episode.done += lots
        episode.head += 1
        if episode.done == episode.lots:
            self.episode = None
        return set()

    def end_deleveraging(self, event: events.EndDeleveraging) -> set[str]:
        episode = self.episode
        if episode is None:
            return {"DELEVERAGING_NOT_OPEN"}
        got = episode.get_paid(episode.done) - episode.get_overshoot(episode.done)
        unpaid = max(0, episode.share - episode.excess - got)
        insured = min(unpaid, self.get_available(event.timestamp, episode.market))
        self._draw(episode.account, insured, event.timestamp, episode.market)
        self.cash[episode.account] += unpaid - insured
        self.losses += unpaid - insured
        self.episode = None
        return get_broken(QUEUE_NOT_EXHAUSTED=episode.head >= len(episode.queue))

    def write_off(self, event: events.WriteOff) -> set[str]:
        broken = get_broken(
            NO_DEFICIT=self.get_equity(event.account) < 0,
            NOT_FLAT=not self.holdings.get(event.account),
            INSURANCE_NOT_EXHAUSTED=self.get_available(event.timestamp) == 0,
        )
        self.losses -= self.cash.get(event.account, 0)
        self.cash[event.account] = 0
        return broken

    def get_weights(self, market: str) -> dict[str, int]:
        """Profit at mark, or lots, of everyone in the market who has equity and any of it."""
        weights = {}
        for account in sorted(self.holdings):
            size = self.get_size(account, market)
            if size and self.get_equity(account) > 0:
                by_word = {"profit": self.get_profit(account, market), "contracts": abs(size)}
                weights[account] = by_word.get(self.rulebook.loss_sharing.value, 0)
        return {account: weight for account, weight in weights.items() if weight > 0}

    def begin_loss_sharing(self, event: events.BeginLossSharing) -> set[str]:
        if event.market not in self.listings:
            return {"UNKNOWN_MARKET"}
        weights = self.get_weights(event.market)
        paid = min(self.losses, self.get_available(event.timestamp))
        broken = get_broken(
            LOSS_NOT_SHARED=self.rulebook.loss_sharing.value != "none",
            MARK_STALE=self.listings[event.market].settling or self._is_fresh(event.market, event.timestamp),
            NOTHING_UNCOVERED=self.losses > 0,
            MEMBERS_NOT_ALL=bool(weights) and list(event.members) == sorted(weights),
        )
        if not broken:
            self._draw("", paid, event.timestamp)
            self.cash.pop("")
            self.losses -= paid
            if self.losses:
                total = sum(weights.values())
                self.sharing = SharingView(event.market, self.losses, total, 0, tuple(event.members), 0)
        return broken

    def share_loss(self, event: events.ShareLoss) -> set[str]:
        sharing = self.sharing
        if sharing is None:
            return {"SHARING_NOT_OPEN"}
        member = sharing.members[sharing.head]
        done = sharing.done + self.get_weights(sharing.market).get(member, 0)
        due = [floor(Fraction(weight, sharing.weight) * sharing.amount) for weight in (sharing.done, done)]
        paid = min(due[1] - due[0], max(0, self.get_equity(member)))
        self.cash[member] = self.cash.get(member, 0) - paid
        self.losses -= paid
        is_last = member == sharing.members[-1]
        self.sharing = None if is_last else sharing._replace(done=done, head=sharing.head + 1)
        return set()

    def settle_market(self, event: events.SettleMarket) -> set[str]:
        if closed := self._check_open(event.market):
            return closed
        self.listings[event.market].mark = event.price
        self.listings[event.market].status = "settling"
        self.listings[event.market].mark_time = event.timestamp
        self.insurance += self.listings[event.market].own
        self.listings[event.market].own = 0
        return get_broken(PRICE_NOT_POSITIVE=event.price > 0)

    def settle_pair(self, event: events.SettlePair) -> set[str]:
        listing = self.listings.get(event.market)
        if listing is None:
            return {"UNKNOWN_MARKET"}
        bought, sold = self.get_size(event.long, event.market), -self.get_size(event.short, event.market)
        is_clear = not any(self.has_orders(account, event.market) for account in (event.long, event.short))
        broken = get_broken(MARKET_OPEN=listing.settling, NOT_OPPOSITE=bought > 0 and sold > 0, ORDERS_REST=is_clear)
        if not broken:
            lots = min(bought, sold)
            self._exchange(event.short, event.long, event.market, lots, lots * listing.mark)
        return broken

    # Who owns the vault

    def get_stake(self, account: str) -> StakeView:
        return self.stakes.get(account, StakeView())

    def count_shares(self) -> int:
        return sum(stake.shares for stake in self.stakes.values())

    def has_holders(self) -> bool:
        """Whether anybody but the vault has shares."""
        return any(stake.shares for account, stake in self.stakes.items() if account != self.rulebook.vault)

    def get_deposit_span(self, account: str) -> tuple[int, int]:
        """The first and the last moment at which a waiting deposit may become shares."""
        due = self.get_stake(account).deposit_time + self.rulebook.vault_deposit_notice
        return due, due + self.rulebook.vault_request_window

    def get_redemption_span(self, account: str) -> tuple[int, int]:
        due = self.get_stake(account).redemption_time + self.rulebook.vault_redemption_notice
        return due, due + self.rulebook.vault_request_window

    def request_vault_deposit(self, event: events.RequestVaultDeposit) -> set[str]:
        stake = self.get_stake(event.account)
        broken = get_broken(
            VAULT_ITSELF=event.account != self.rulebook.vault,
            VAULT_DEPOSIT_TOO_SMALL=event.amount >= self.rulebook.vault_deposit_minimum,
            VAULT_DEPOSIT_WAITING=not stake.deposit,
        )
        self.cash[event.account] = self.cash.get(event.account, 0) - event.amount
        self.stakes[event.account] = stake._replace(deposit=event.amount, deposit_time=event.timestamp)
        health = self.get_health(event.account)
        return broken | get_broken(
            BELOW_INITIAL_MARGIN=health.equity >= health.initial,
            MARK_STALE=self._are_marks_fresh(event.account, event.timestamp),
        )

    def execute_vault_deposit(self, event: events.ExecuteVaultDeposit) -> set[str]:
        stake, vault = self.get_stake(event.account), self.rulebook.vault
        first, last = self.get_deposit_span(event.account)
        worth, total = self.get_equity(vault), self.count_shares()
        broken = get_broken(
            VAULT_ITSELF=event.account != vault,
            NO_VAULT_DEPOSIT=stake.deposit > 0,
            VAULT_NOTICE_RUNS=event.timestamp >= first,
            VAULT_REQUEST_LAPSED=event.timestamp <= last,
            VAULT_WORTHLESS=worth > 0 if total else worth >= 0,
            MARK_STALE=self._are_marks_fresh(vault, event.timestamp),
        )
        if "VAULT_WORTHLESS" in broken:
            return broken
        if not total and worth:
            # what was there before the first depositor stays the house's
            self.stakes[vault] = self.get_stake(vault)._replace(shares=worth)
        price = Fraction(worth, total) if total else Fraction(1)
        bought = floor(stake.deposit / price)
        cost = ceil(bought * price)
        self.cash[vault] = self.cash.get(vault, 0) + cost
        self.cash[event.account] = self.cash.get(event.account, 0) + stake.deposit - cost
        self.stakes[event.account] = stake._replace(shares=stake.shares + bought, deposit=0, deposit_time=0)
        return broken | get_broken(VAULT_SHARE_TOO_DEAR=bought > 0)

    def cancel_vault_deposit(self, event: events.CancelVaultDeposit) -> set[str]:
        stake, (_, last) = self.get_stake(event.account), self.get_deposit_span(event.account)
        self.cash[event.account] = self.cash.get(event.account, 0) + stake.deposit
        self.stakes[event.account] = stake._replace(deposit=0, deposit_time=0)
        return get_broken(NO_VAULT_DEPOSIT=stake.deposit > 0, VAULT_REQUEST_STANDS=event.timestamp > last)

    def request_vault_redemption(self, event: events.RequestVaultRedemption) -> set[str]:
        stake, (_, last) = self.get_stake(event.account), self.get_redemption_span(event.account)
        self.stakes[event.account] = stake._replace(redemption=event.shares, redemption_time=event.timestamp)
        return get_broken(
            VAULT_ITSELF=event.account != self.rulebook.vault,
            AMOUNT_NOT_POSITIVE=event.shares > 0,
            VAULT_REDEMPTION_WAITING=not stake.redemption or event.timestamp > last,
            VAULT_SHARES_EXCEEDED=event.shares <= stake.shares,
        )

    def execute_vault_redemption(self, event: events.ExecuteVaultRedemption) -> set[str]:
        stake, vault = self.get_stake(event.account), self.rulebook.vault
        first, last = self.get_redemption_span(event.account)
        worth, total = self.get_equity(vault), self.count_shares()
        broken = get_broken(
            VAULT_ITSELF=event.account != vault,
            NO_VAULT_REDEMPTION=stake.redemption > 0,
            VAULT_NOTICE_RUNS=event.timestamp >= first,
            VAULT_REQUEST_LAPSED=event.timestamp <= last,
            VAULT_WORTHLESS=worth > 0,
            MARK_STALE=self._are_marks_fresh(vault, event.timestamp),
        )
        if not total:
            return broken
        paid = floor(Fraction(worth, total) * stake.redemption)
        self.cash[vault] = self.cash.get(vault, 0) - paid
        self.cash[event.account] = self.cash.get(event.account, 0) + paid
        self.stakes[event.account] = stake._replace(
            shares=stake.shares - stake.redemption, redemption=0, redemption_time=0
        )
        health = self.get_health(vault)
        return broken | get_broken(VAULT_CAPITAL_IN_USE=health.equity >= health.initial)

    # How cash and lots move

    def _check_open(self, market: str) -> set[str]:
        if market not in self.listings:
            return {"UNKNOWN_MARKET"}
        return get_broken(MARKET_SETTLING=not self.listings[market].settling)

    def _check_trading(self, market: str) -> set[str]:
        """Contracts move where the market is open to some."""
        is_paused = market in self.listings and self.listings[market].status == "paused"
        return self._check_open(market) or get_broken(MARKET_PAUSED=not is_paused)

    def _check_entry(self, market: str, *sizes: tuple[int, int]) -> set[str]:
        """Whoever goes from one size to another reduces, where the market only closes."""
        reduce = all(is_reducing(before, after) for before, after in sizes)
        return get_broken(MARKET_CLOSE_ONLY=reduce or self.listings[market].status != "close_only")

    def set_market_status(self, event: events.SetMarketStatus) -> set[str]:
        if closed := self._check_open(event.market):
            return closed
        self.listings[event.market].status = event.status.value
        return get_broken(STATUS_IS_AN_END=event.status.value not in ENDS)

    def delist_market(self, event: events.DelistMarket) -> set[str]:
        listing = self.listings.get(event.market)
        if listing is None:
            return {"UNKNOWN_MARKET"}
        broken = get_broken(
            MARKET_OPEN=listing.status == "settling",
            MARKET_NOT_FLAT=not any(event.market in held for held in self.holdings.values()),
            ORDERS_REST=all(self.get_book(event.market).get_best(is_bid) is None for is_bid in (True, False)),
        )
        listing.status = "delisted"
        return broken

    def change_rules(self, event: events.ChangeRules) -> set[str]:
        if closed := self._check_open(event.market):
            return closed
        listing, notice = self.listings[event.market], self.rulebook.rules_notice
        broken = get_broken(
            RULES_INADMISSIBLE=is_sane(event.rules),
            INSURANCE_PART_FIXED=event.rules.insurance_separate == listing.rules.insurance_separate,
        )
        nobody = not any(event.market in held for held in self.holdings.values())
        if nobody or not notice or needs_no_more(listing.rules, event.rules):
            listing.rules, listing.pending, listing.pending_time = event.rules, None, 0
        else:
            listing.pending, listing.pending_time = event.rules, event.timestamp + notice
        return broken

    def apply_rules(self, event: events.ApplyRules) -> set[str]:
        if closed := self._check_open(event.market):
            return closed
        listing = self.listings[event.market]
        if listing.pending is None:
            return {"NO_RULES_PENDING"}
        broken = get_broken(RULES_NOTICE_RUNS=event.timestamp >= listing.pending_time)
        listing.rules, listing.pending, listing.pending_time = listing.pending, None, 0
        return broken

    def _is_fresh(self, market: str, now: int) -> bool:
        listing = self.listings[market]
        return listing.rules.mark_age_limit == 0 or now <= listing.mark_time + listing.rules.mark_age_limit

    def _is_index_fresh(self, market: str, now: int) -> bool:
        listing = self.listings[market]
        limit = listing.rules.index_age_limit or listing.rules.mark_age_limit
        return limit == 0 or now - listing.index_time <= limit

    def _are_marks_fresh(self, account: str, now: int) -> bool:
        held = self.holdings.get(account, {})
        return all(self.listings[market].settling or self._is_fresh(market, now) for market in held)

    def _check_close(self, account: str, market: str, lots: int, now: int) -> set[str]:
        return get_broken(
            MARK_STALE=self._are_marks_fresh(account, now),
            SIZE_NOT_POSITIVE=lots > 0,
            NOT_LIQUIDATABLE=self.is_sick(account),
            SIZE_EXCEEDS_POSITION=lots <= abs(self.get_size(account, market)),
        )

    def _hand_over(self, giver: str, taker: str, market: str, lots: int, amount: int) -> None:
        """The taker gets ``lots`` of the giver's side; longs are paid for, with shorts the money comes along."""
        side = 1 if self.get_size(giver, market) > 0 else -1
        self._exchange(taker, giver, market, side * lots, side * amount)

    def set_leverage(self, event: events.SetLeverage) -> set[str]:
        if event.market not in self.listings:
            return {"UNKNOWN_MARKET"}
        broken = get_broken(LEVERAGE_NEGATIVE=event.leverage >= 0, VAULT_LEVERAGE=event.account != self.rulebook.vault)
        if broken:
            return broken
        before, chosen = self.get_health(event.account), self.leverages.pop(event.account, {})
        chosen = {market: leverage for market, leverage in chosen.items() if market != event.market}
        if event.leverage:
            chosen[event.market] = event.leverage
        if chosen:
            self.leverages[event.account] = chosen
        after = self.get_health(event.account)
        if after.initial <= before.initial:
            return set()
        fresh = self._are_marks_fresh(event.account, event.timestamp)
        return get_broken(MARK_STALE=fresh, BELOW_INITIAL_MARGIN=after.equity >= after.initial)

    # The order book

    def _check_hit(self, market: str, order: str | None, maker: str, size: int, price: int) -> set[str]:
        """What a trade breaks whose taker buys ``size``, or sells it if it is below zero."""
        if (order is None) == self.rulebook.has_book:
            return {"OFF_BOOK"}
        if order is None:
            return set()
        best = self.get_book(market).get_best(size < 0)
        if best is None or best.id != order:
            return {"NOT_THE_BEST_ORDER"}
        held = self.get_size(maker, market)
        return get_broken(
            NOT_THE_ORDERS_TERMS=(best.account, best.price) == (maker, price),
            SIZE_EXCEEDS_ORDER=abs(size) <= abs(best.size),
            NOT_REDUCING=not best.reduces or is_reducing(held, held - size),
        )

    def _take(self, market: str, order: str | None, size: int) -> None:
        if order is not None:
            self.get_book(market).take(order, abs(size))

    def can_book_take(self, account: str, market: str, now: int) -> bool:
        """Whether the best order has a price at which a lot may be sold to it."""
        held, listing = self.get_size(account, market), self.listings[market]
        best = self.get_book(market).get_best(held > 0)
        if best is None or not self.rulebook.has_book:
            return False
        loss = listing.mark - best.price if held > 0 else best.price - listing.mark
        # a price that is too good stands in the way, and is cancelled
        if loss > 0 and not is_near(best.price, listing.mark, listing.rules.fill_price_band):
            return False
        missing = loss - self.get_share(account, market, 1)
        near = loss <= Fraction(self.rulebook.insurance_fill_band, MILLION) * listing.mark
        backed = self.rulebook.insurance_backs_fills and missing <= self.get_available(now, market)
        return missing <= 0 or (backed and near)

    def place_order(self, event: events.PlaceOrder) -> set[str]:
        if closed := self._check_trading(event.market):
            return closed
        closes_only = self.listings[event.market].status == "close_only"
        broken = get_broken(
            NO_BOOK=self.rulebook.has_book,
            SIZE_ZERO=event.size != 0,
            PRICE_NOT_POSITIVE=event.price > 0,
            MARKET_CLOSE_ONLY=event.reduce_only or not closes_only,
        )
        if broken:
            return broken
        book, before = self.get_book(event.market), self.get_health(event.account)
        terms = event.account, event.size, event.price, event.sequence, event.reduce_only
        ticket = Ticket(event.id, *terms)
        held = self.get_size(event.account, event.market)
        broken = get_broken(
            ORDER_CROSSES=not book.would_trade(ticket.buys, ticket.price),
            NOT_REDUCING=not event.reduce_only or held * event.size < 0,
            ORDER_OUT_OF_PLACE=book.get_ahead(ticket) == event.ahead,
        )
        book.add(ticket)
        after = self.get_health(event.account)
        if after.initial > before.initial:
            fresh = self._is_fresh(event.market, event.timestamp)
            fresh = fresh and self._are_marks_fresh(event.account, event.timestamp)
            broken |= get_broken(MARK_STALE=fresh, BELOW_INITIAL_MARGIN=after.equity >= after.initial)
        return broken

    def cancel_order(self, event: events.CancelOrder) -> set[str]:
        if event.market not in self.listings:
            return {"UNKNOWN_MARKET"}
        book = self.get_book(event.market)
        broken = get_broken(UNKNOWN_ORDER=book.find(event.order) is not None)
        book.drop(event.order)
        return broken

    def _exchange(self, first: str, second: str, market: str, lots: int, amount: int) -> None:
        """``first`` gets ``lots`` for ``amount``, both signed."""
        for account, change, debit in ((first, lots, amount), (second, -lots, -amount)):
            held = self.holdings.setdefault(account, {})
            old = held.pop(market, Holding(0, 0, 0, 0))
            self.cash[account] = self.cash.get(account, 0) - debit
            if size := old.size + change:
                opened = old.opened if old.size * size > 0 else self.sequence
                held[market] = Holding(size, get_cost_after(old.size, old.cost, change, debit), 0, opened)


def is_sane(rules: MarketRules) -> bool:
    """Whether a market may have these rules."""
    rates = [(rules.initial_margin_rate, rules.maintenance_margin_rate)]
    rates += [(tier.initial_margin_rate, tier.maintenance_margin_rate) for tier in rules.tiers]
    floors = [0, *(tier.floor for tier in rules.tiers)]
    return (
        all(maintenance <= initial <= MILLION for initial, maintenance in rates)
        and all(list(kind) == sorted(kind) for kind in zip(*rates, strict=True))
        and floors == sorted(set(floors))
        and (0 <= rules.open_interest_floor < rules.open_interest_cap or not any(get_scaling(rules)))
        and 0 < rules.maintenance_margin_rate <= rules.initial_margin_rate <= MILLION
        and 0 <= rules.taker_fee_rate <= MILLION
        and -rules.taker_fee_rate <= rules.maker_fee_rate <= MILLION
        and 0 <= rules.liquidation_fee_rate <= MILLION
        and min(rules.mark_move_limit, rules.mark_age_limit, rules.fill_price_band) >= 0
        and 0 < rules.liquidation_share <= MILLION
        and rules.liquidation_share_floor >= 0
        and rules.minimum_size > 0
        and min(rules.liquidation_block_limit, rules.vault_position_limit) >= 0
        and min(rules.mark_index_band, rules.open_interest_limit) >= 0
        and min(rules.index_age_limit, rules.index_move_limit) >= 0
    )


def needs_no_more(old: MarketRules, new: MarketRules) -> bool:
    """Whether any notional's maintenance rate is no higher than it was: looked at just above every floor."""

    def get_rate(rules: MarketRules, notional: int) -> int:
        reached = [tier.maintenance_margin_rate for tier in rules.tiers if notional > tier.floor]
        return [rules.maintenance_margin_rate, *reached][-1]

    above = [1, *(tier.floor + 1 for rules in (old, new) for tier in rules.tiers)]
    means_the_same = new.tiers == () or old.tier_rule is new.tier_rule
    return means_the_same and all(get_rate(new, one) <= get_rate(old, one) for one in above)


def draw_number(seed: int, sequence: int, account: str) -> int:
    """An account's number in a draw: a chain of fifth powers modulo a Mersenne prime, begun and ended with its id.

    To each is added, beside what it is of, the golden ratio's fraction in 128 bits, made odd.
    """
    prime = (1 << 127) - 1
    golden = (isqrt(5 << 256) - (1 << 128)) // 2 | 1
    name = int("1" + "".join(f"{byte:08b}" for byte in account.encode("utf-8", "surrogatepass")), 2)
    number = 0
    for word in (name, seed, sequence, name):
        base = (number + word + golden) % prime
        number = base**5 % prime
    return number


def get_cost_after(size: int, cost: int, change: int, debit: int) -> int:
    """What the lots held afterwards have cost: those kept at their average, those new at theirs."""
    after = size + change
    if size == 0 or (size > 0) == (change > 0):
        return cost + debit
    if abs(change) <= abs(size):
        return floor(Fraction(cost, size) * after)
    return floor(Fraction(debit, change) * after)


PROCESSES: dict[type[events.Header], Callable[[Venue, Any], set[str]]] = {
    events.ListMarket: Venue.list_market,
    events.Deposit: Venue.deposit,
    events.Withdraw: Venue.withdraw,
    events.Transfer: Venue.transfer,
    events.FundInsurance: Venue.fund_insurance,
    events.RepayLoss: Venue.repay_loss,
    events.AdvanceTime: Venue.advance_time,
    events.MarkPrice: Venue.mark_price,
    events.IndexPrice: Venue.index_price,
    events.ApplyFunding: Venue.apply_funding,
    events.Fill: Venue.fill,
    events.LiquidationFill: Venue.liquidation_fill,
    events.Takeover: Venue.takeover,
    events.CoverDeficit: Venue.cover_deficit,
    events.BeginDeleveraging: Venue.begin_deleveraging,
    events.Deleverage: Venue.deleverage,
    events.EndDeleveraging: Venue.end_deleveraging,
    events.WriteOff: Venue.write_off,
    events.BeginLossSharing: Venue.begin_loss_sharing,
    events.ShareLoss: Venue.share_loss,
    events.SettleMarket: Venue.settle_market,
    events.SettlePair: Venue.settle_pair,
    events.RequestVaultDeposit: Venue.request_vault_deposit,
    events.ExecuteVaultDeposit: Venue.execute_vault_deposit,
    events.CancelVaultDeposit: Venue.cancel_vault_deposit,
    events.RequestVaultRedemption: Venue.request_vault_redemption,
    events.ExecuteVaultRedemption: Venue.execute_vault_redemption,
    events.SetLeverage: Venue.set_leverage,
    events.PlaceOrder: Venue.place_order,
    events.CancelOrder: Venue.cancel_order,
    events.SetMarketStatus: Venue.set_market_status,
    events.DelistMarket: Venue.delist_market,
    events.ChangeRules: Venue.change_rules,
    events.ApplyRules: Venue.apply_rules,
}
