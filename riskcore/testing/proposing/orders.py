"""Proposals of orders placed, met and cancelled."""

from __future__ import annotations

from riskcore import events
from riskcore.events import Event
from riskcore.testing.naive.needs import is_near
from riskcore.testing.naive.order_book import Ticket
from riskcore.testing.proposing.standing import Standing
from riskcore.testing.rulebooks import STRANGER


class Orders(Standing):
    """What rests, and what takes it."""

    def _tickets(self) -> list[tuple[str, Ticket]]:
        return [(market, ticket) for market, book in sorted(self.venue.books.items()) for ticket in book.tickets]

    def _meet(self, taker: str, maker: str, market: str, size: int, price: int) -> Event:
        """Take what the other side has best; the maker places what is to be taken where there is nothing."""
        best = self.venue.get_book(market).get_best(size < 0)
        if best is None or self.random.random() < 0.1:
            return self._place(maker, market, -size, price)
        if not self._can_trade(best.price, market) and self.random.random() < 0.7:
            return self._make(events.CancelOrder, market, best.id)
        taker = maker if taker == best.account else taker
        lots = min(abs(size), abs(best.size)) if self.random.random() < 0.97 else abs(size)
        return self._make(events.Fill, taker, best.account, market, lots if size > 0 else -lots, best.price, best.id)

    def _can_trade(self, price: int, market: str) -> bool:
        listing = self.venue.listings[market]
        return not listing.settling and is_near(price, listing.mark, listing.rules.fill_price_band)

    def _place(self, account: str, market: str, size: int, price: int, reduces: bool = False) -> Event:
        """In its place, mostly, and where it does not trade at once."""
        book, buys = self.venue.get_book(market), size > 0
        if book.would_trade(buys, price) and self.random.random() < 0.9:
            price = max(1, book.get_price(not buys) + (-1 if buys else 1))
        ticket = Ticket("", account, size, price, self.venue.sequence + 1, reduces)
        ahead = book.get_ahead(ticket)
        if self.random.random() < 0.03:
            ahead = self.random.choice([None, *(other.id for _, other in self._tickets()), STRANGER])
        return self._make(events.PlaceOrder, account, market, size, price, reduces, ahead)

    def place_order(self) -> Event:
        """Beside the mark or the best of its side, as large as margin bears, or a close that reserves nothing."""
        market = self._any_market()
        account, side = self.random.choice(self._traders()), self.random.choice((1, -1))
        mark, held = self.venue.listings[market].mark, self.venue.get_size(account, market)
        reduces = held != 0 and self.random.random() < 0.4
        if reduces:
            side = -1 if held > 0 else 1
        near = self.venue.get_book(market).get_price(side > 0) or mark
        away = mark * self.random.randint(900, 1100) // 1000
        price = self.random.choice((near, near, near + 1, near - 1, mark, away))
        lots = self._part(abs(held) if reduces else max(1, self._capacity(account, market) // 2))
        return self._place(account, market, side * lots, max(1, price), reduces)

    def cancel_order(self) -> Event:
        tickets = self._tickets()
        if not tickets or self.random.random() < 0.05:
            return self._make(events.CancelOrder, self._any_market(), STRANGER)
        market, ticket = self.random.choice(tickets)
        return self._make(events.CancelOrder, market, ticket.id)

    def _clear(self, *accounts: str, market: str | None = None) -> Event | None:
        """What cancels an order of theirs, nearly always where they have one."""
        own = [
            (place, ticket)
            for place, ticket in self._tickets()
            if ticket.account in accounts and market in (None, place)
        ]
        if not own or self.random.random() < 0.05:
            return None
        place, ticket = own[0]
        return self._make(events.CancelOrder, place, ticket.id)
