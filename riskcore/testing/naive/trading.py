"""Orders, fills and the leverage that an account chooses."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

from riskcore.testing.naive.needs import MILLION, get_broken, is_near, is_reducing, is_safe
from riskcore.testing.naive.order_book import Ticket
from riskcore.testing.naive.worth import Worth

if TYPE_CHECKING:
    from riskcore import events


class Trading(Worth):
    """What accounts do of their own will."""

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

    def _check_dust(self, market: str, sizes: dict[str, int]) -> set[str]:
        """Nobody who had the ``sizes`` has fewer lots than the minimum now, but none, or fewer of fewer."""
        minimum = self.listings[market].rules.minimum_size
        clean = True
        for account, before in sizes.items():
            after = self.get_size(account, market)
            if 0 < abs(after) < minimum:
                clean = clean and abs(before) < minimum and is_reducing(before, after)
        return get_broken(DUST=clean)
