"""Markets listed, marks, indices, funding and the clock."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

from riskcore.testing.naive.ledger import Listing
from riskcore.testing.naive.needs import MILLION, get_broken, is_near, is_sane
from riskcore.testing.naive.worth import Worth

if TYPE_CHECKING:
    from riskcore import events


class Prices(Worth):
    """What markets say of prices and time."""

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
