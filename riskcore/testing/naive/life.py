"""A market's status, its rules, and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskcore.testing.naive.ledger import ENDS
from riskcore.testing.naive.needs import get_broken, is_sane, needs_no_more
from riskcore.testing.naive.worth import Worth

if TYPE_CHECKING:
    from riskcore import events


class Life(Worth):
    """How a market changes and ends."""

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
