"""Proposals of fills between accounts."""

from __future__ import annotations

from riskcore import events
from riskcore.events import Event
from riskcore.testing.proposing.money import Money
from riskcore.testing.proposing.orders import Orders
from riskcore.testing.rulebooks import STRANGER


class Trades(Money, Orders):
    """Positions opened, reduced and turned."""

    def set_leverage(self) -> Event:
        """What an account's equity just bears in one of its markets, or does not; less or more, none, or anywhere."""
        account, market = self.random.choice((*self._holders(), (self._any_trader(), self._any_market())))
        notional = abs(self.venue.get_size(account, market)) * self.venue.listings[market].mark
        health = self.venue.get_health(account)
        chosen = self.venue.get_leverage(account, market)
        own = self.venue.get_initial(market, self.venue.get_size(account, market), chosen)
        bearable = -(-notional // max(1, health.equity - health.initial + own))
        usual = (0, 1, 2, 3, 5, 10, 25)
        leverage = self.random.choice((bearable, bearable, bearable - 1, chosen - 1, chosen + 1, *usual))
        return self._make(events.SetLeverage, account, market, leverage)

    def open_fill(self) -> Event:
        """Two accounts take on as much as they may, or a part of it, or as much as somebody else, for a tie."""
        market = self._any_market()
        taker, maker = self.random.sample(self._traders(), 2)
        most = min(self._capacity(taker, market), self._capacity(maker, market))
        if not most and self.random.random() < 0.7:
            return self.deposit()
        size = self.random.choice((most, most * 9 // 10, most * 2 // 3, most // 2, self.random.randint(0, most)))
        others = [abs(self.venue.get_size(account, name)) for account, name in self._holders() if name == market]
        ties = [lots for lots in others if lots <= most]
        if ties and self.random.random() < 0.3:
            size = self.random.choice(ties)
        return self._fill(taker, maker, market, max(1, size) * self.random.choice((1, -1)))

    def bargain(self) -> Event:
        """Off mark, about as many lots as one side's gain on them lets it hold, or up to that gain once more."""
        market = self._any_market()
        gainer, other = self.random.sample(self._traders(), 2)
        mark, side = self.venue.listings[market].mark, self.random.choice((1, -1))
        gain = mark * self.random.randint(1, 40) // 1000 + 1
        per_lot = self._per_lot(market)
        few, many = (self._free(gainer) // max(1, per_lot - times * gain) for times in (1, 2))
        size = side * max(1, self.random.choice((few, few + 1, self.random.randint(few, many))))
        price = max(1, mark - side * gain)
        if self.venue.rulebook.has_book:
            return self._meet(gainer, other, market, size, price)
        parties = (gainer, other, market, size) if self.random.random() < 0.7 else (other, gainer, market, -size)
        return self._make(events.Fill, *parties, price)

    def reduce_fill(self) -> Event:
        """An account trades against its position: a part, all, or through zero; often one that must."""
        holders = self._sick_holdings() if self.has_sick() and self.random.random() < 0.5 else self._open_holdings()
        if not holders:
            return self.open_fill()
        taker, market = self.random.choice(holders)
        size = self.venue.get_size(taker, market)
        everyone = self._holders()
        against = [
            other for other, name in everyone if name == market and self.venue.get_size(other, market) * size < 0
        ]
        maker = self.random.choice(against)
        lots = self._part(min(abs(size), abs(self.venue.get_size(maker, market))))
        if self.random.random() < 0.2:
            lots = abs(size) * 3 // 2
        return self._fill(taker, maker, market, -lots if size > 0 else lots)

    def _fill(self, taker: str, maker: str, market: str, size: int) -> Event:
        mark = self.venue.listings[market].mark
        price = self.random.choice((mark, mark, mark, mark * self.random.randint(970, 1030) // 1000, mark + 1))
        if self.random.random() < 0.5:
            taker, maker, size = maker, taker, -size
        if self.venue.rulebook.has_book:
            return self._meet(taker, maker, market, size, max(1, price))
        order = (STRANGER,) if self.random.random() < 0.005 else ()
        return self._make(events.Fill, taker, maker, market, size, max(1, price), *order)

    def take_order(self) -> Event:
        """Of a best order all, some, or one lot too many."""
        tickets = self._tickets()
        if not tickets or not self.venue.rulebook.has_book:
            return self.open_fill()
        able = [entry for entry in tickets if self._can_trade(entry[1].price, entry[0])]
        market, ticket = self.random.choice(able or tickets)
        best = self.venue.get_book(market).get_best(ticket.buys)
        if best is None or self.random.random() < 0.05:
            best = ticket
        lots = self._part(abs(best.size))
        takers = [account for account in self._traders() if account != best.account]
        # who has most room, or who closes
        against = [taker for taker in takers if self.venue.get_size(taker, market) * best.size > 0]
        roomy = max(takers, key=lambda taker: self._capacity(taker, market))
        taker = self.random.choice((roomy, self.random.choice(against or takers), self.random.choice(takers)))
        price = best.price if self.random.random() < 0.97 else best.price + 1
        size = -lots if best.buys else lots
        return self._make(events.Fill, taker, best.account, market, size, price, best.id)
