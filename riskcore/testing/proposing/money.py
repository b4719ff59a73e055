"""Proposals of cash that moves, of prices and of time."""

from __future__ import annotations

from riskcore import events
from riskcore.events import Event
from riskcore.testing.proposing.standing import Standing
from riskcore.testing.rulebooks import STRANGER, SUBACCOUNTS, VAULT
from riskcore.testing.scenarios import draw_rules


class Money(Standing):
    """Deposits, withdrawals, marks and funding."""

    def deposit(self) -> Event:
        most = max(1, self.venue.pool // 5)
        return self._make(events.Deposit, self._any_trader(), self.random.choice((1, self.random.randint(1, most))))

    def withdraw(self) -> Event:
        """What is free, an atom more, or more than all of the pool, by anybody or by who is owed most."""
        owners = sorted(self.venue.cash) or [STRANGER]
        account = self.random.choice((self.random.choice(owners), max(owners, key=self.venue.get_equity)))
        health = self.venue.get_health(account)
        free = max(1, health.equity - health.initial)
        amount = self.random.choice((free, free, free + 1, self.random.randint(1, free), self.venue.pool + 1))
        way_out = self.venue.get_way_out(self.venue.time)
        if way_out and self.random.random() < 0.7:
            amount = min(amount, self.random.choice((way_out, way_out + 1, way_out // 2 + 1)))
        return self._make(events.Withdraw, account, amount)

    def draw_out(self) -> Event:
        """What leaves somebody with a position at a bound of his margin: the vault, where its money is its own."""
        exposed = sorted({account for account, _ in self._holders()})
        owns = VAULT in exposed and not self.venue.has_holders()
        account = VAULT if owns and self.random.random() < 0.7 else self.random.choice(exposed or [STRANGER])
        health = self.venue.get_health(account)
        free, most = health.equity - health.initial, health.equity - health.maintenance
        return self._make(events.Withdraw, account, max(1, self.random.choice((free, free + 1, most, most, most + 1))))

    def run_on_the_pool(self) -> Event:
        """Who is owed most takes all that is free, or an atom more than there is."""
        account = max(sorted(self.venue.cash), key=self._free)
        free, pool = self._free(account), self.venue.pool
        return self._make(events.Withdraw, account, min(free, self.random.choice((free, pool, pool + 1))))

    def transfer(self) -> Event:
        """To a sub-account, back from it, or between any two; what is free, an atom more, or a part."""
        sub = self.random.choice(SUBACCOUNTS)
        pair = (sub.partition("/")[0], sub)
        pairs = (pair, pair, pair[::-1], (self._any_trader(), self._any_trader()))
        payer, payee = self.random.choice(pairs)
        health = self.venue.get_health(payer)
        free = max(1, health.equity - health.initial)
        return self._make(
            events.Transfer, payer, payee, self.random.choice((free, free + 1, free // 2 + 1, free // 5 + 1))
        )

    def fund_insurance(self) -> Event:
        markets = [*self.venue.listings, None, None]
        amount = self.random.randint(1, max(1, self.venue.pool // 50))
        return self._make(events.FundInsurance, amount, markets[amount % len(markets)])

    def repay_loss(self) -> Event:
        return self._make(events.RepayLoss, self._part(self.venue.losses))

    def advance_time(self) -> Event:
        return self._make(events.AdvanceTime)

    def list_market(self) -> Event:
        rules = draw_rules(self.random)
        return self._make(
            events.ListMarket,
            self.random.choice((*self.venue.listings, f"NEW{len(self.venue.listings)}")),
            self._spoilt_rules(rules) if self.random.random() < 0.2 else rules,
            self.random.randint(1, 10**6),
        )

    def drift(self) -> Event:
        market = self._any_market()
        mark = self.venue.listings[market].mark
        moved = mark * self.random.randint(850, 1150) // 1000
        return self._make(events.MarkPrice, market, max(1, moved))

    def index(self) -> Event:
        """At the mark, or beside it."""
        market = self._any_market()
        mark = self.venue.listings[market].mark
        moved = self.random.choice((mark, mark * self.random.randint(900, 1100) // 1000, mark + 1))
        return self._make(events.IndexPrice, market, max(1, moved))

    def crash(self) -> Event:
        """Mark a market at a bound of one of its accounts."""
        holders = self._open_holdings()
        if not holders:
            return self.drift()
        account, market = self.random.choice(holders)
        return self._make(events.MarkPrice, market, self._bound(account, market))

    def gap(self) -> Event:
        """A mark so far off that whole sides are in debt before anybody can act."""
        market = self._any_market()
        mark, times = self.venue.listings[market].mark, self.random.randint(2, 30)
        return self._make(events.MarkPrice, market, self.random.choice((mark * times, max(1, mark // times))))

    def apply_funding(self) -> Event:
        cap = self.venue.rulebook.funding_rate_cap
        rate = self.random.choice((cap, -cap, cap + 1, self.random.randint(-cap, cap), self.random.randint(-cap, cap)))
        wait = self.random.choice((0, 1, 1000, self.venue.rulebook.funding_interval))
        listings = self.venue.listings
        market = self._any_market() if wait else max(listings, key=lambda name: (listings[name].time, name))
        return self._make(events.ApplyFunding, market, rate, after=wait)
