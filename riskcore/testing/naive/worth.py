"""What accounts are worth and need, whether marks are fresh, and how cash and lots move."""

from __future__ import annotations

from fractions import Fraction
from math import floor

from riskcore.testing.naive.ledger import Holding, Ledger
from riskcore.testing.naive.needs import (
    get_broken,
    get_cost_after,
    get_initial,
    get_maintenance,
    get_part,
    get_scaling,
    get_within_limit,
    is_reducing,
)
from riskcore.testing.naive.order_book import get_exposed
from riskcore.testing.naive.views import DrawsView, Health


class Worth(Ledger):
    """The ledger, valued."""

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
        held = self.holdings.get(account, {})
        needed = sum(self.get_maintenance(market, holding.size) for market, holding in held.items())
        return self.get_equity(account) < needed

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

    def get_profit(self, account: str, market: str) -> int:
        holding = self.holdings[account][market]
        return holding.size * self.listings[market].mark - holding.cost

    def has_holders(self) -> bool:
        """Whether anybody but the vault has shares."""
        return any(stake.shares for account, stake in self.stakes.items() if account != self.rulebook.vault)

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

    def _exchange(self, first: str, second: str, market: str, lots: int, amount: int) -> None:
        """``first`` gets ``lots`` for ``amount``, both signed."""
        for account, change, debit in ((first, lots, amount), (second, -lots, -amount)):
            held = self.holdings.setdefault(account, {})
            old = held.pop(market, Holding(0, 0, 0, 0))
            self.cash[account] = self.cash.get(account, 0) - debit
            if size := old.size + change:
                opened = old.opened if old.size * size > 0 else self.sequence
                held[market] = Holding(size, get_cost_after(old.size, old.cost, change, debit), 0, opened)
