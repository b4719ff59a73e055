"""What a venue looks like in plain values: what the model and the kernel are compared by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from riskcore.testing.naive.needs import get_initial, get_maintenance, get_part, get_within_limit
from riskcore.testing.naive.order_book import OrderView, RestingView, get_exposed

if TYPE_CHECKING:
    from riskcore.rulebook import MarketRules, Rulebook


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


NO_ACCOUNT = AccountView(0, {})


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
        return self.accounts.get(account, NO_ACCOUNT)

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
