"""Proposals of a market's life and end."""

from __future__ import annotations

import attrs

from riskcore import events
from riskcore.choices import MarketStatus
from riskcore.events import Event
from riskcore.quantities import Rate
from riskcore.testing.proposing.orders import Orders
from riskcore.testing.rulebooks import STRANGER, TRADERS
from riskcore.testing.scenarios import draw_rules


class Life(Orders):
    """Status, rules, settlement."""

    def settle_market(self) -> Event:
        """At the mark, or at a price at which one of its accounts is at a bound, such as bankrupt."""
        holders = self._open_holdings()
        if not holders or self.random.random() < 0.1:
            market = self._any_market()
            return self._make(events.SettleMarket, market, self.venue.listings[market].mark)
        account, market = self.random.choice(holders)
        mark = self.venue.listings[market].mark
        price = self.random.choice((mark, self._bound(account, market), self._bound(account, market)))
        return self._make(events.SettleMarket, market, price)

    def settle_pair(self) -> Event:
        """A long and a short in a market that ends; sometimes two of one side, or in a market that is open."""
        settling = self._settling()
        anywhere = not settling or self.random.random() < 0.05
        market = self._any_market() if anywhere else self.random.choice(settling)
        longs = [
            account for account, name in self._holders() if name == market and self.venue.get_size(account, name) > 0
        ]
        shorts = [account for account, name in self._holders() if name == market and account not in longs]
        if not longs or not shorts or self.random.random() < 0.05:
            longs = shorts = [*TRADERS, STRANGER]
        long, short = self.random.choice(longs), self.random.choice(shorts)
        return self._clear(long, short, market=market) or self._make(events.SettlePair, market, long, short)

    def set_market_status(self) -> Event:
        """Of a market that does not end; one that is not open is mostly opened again."""
        listings = self.venue.listings
        market = self._any_market()
        shut = [name for name in sorted(listings) if listings[name].status in ("close_only", "paused")]
        if shut and self.random.random() < 0.8:
            return self._make(events.SetMarketStatus, self.random.choice(shut), MarketStatus.OPEN)
        usual = (MarketStatus.CLOSE_ONLY, MarketStatus.CLOSE_ONLY, MarketStatus.PAUSED)
        status = self.random.choice((*usual, *usual, *MarketStatus))
        return self._make(events.SetMarketStatus, market, status)

    def delist_market(self) -> Event:
        """One that ends and is empty, if there is one."""
        listings = self.venue.listings
        held = {market for _, market in self._holders()}
        ending = [name for name in sorted(listings) if listings[name].status == "settling"]
        empty = [name for name in ending if name not in held]
        choices = empty if empty and self.random.random() < 0.8 else ending or [*sorted(listings), "NONE"]
        market = self.random.choice(choices)
        return self._make(events.DelistMarket, market)

    def change_rules(self) -> Event:
        """A market's: with rates that are half or twice what they were, others altogether, or out of range."""
        market = self._any_market()
        rules = self.venue.listings[market].rules
        halved = rules.maintenance_margin_rate // 2 + 1
        doubled = min(rules.initial_margin_rate, rules.maintenance_margin_rate * 2)
        if rules.tiers:
            doubled = min(doubled, rules.tiers[0].maintenance_margin_rate)
        changed = self.random.choice(
            (
                attrs.evolve(rules, maintenance_margin_rate=Rate(min(halved, rules.maintenance_margin_rate))),
                attrs.evolve(rules, maintenance_margin_rate=Rate(doubled)),
                attrs.evolve(rules, maintenance_margin_rate=Rate(doubled)),
                attrs.evolve(rules, tiers=()),
                attrs.evolve(draw_rules(self.random), insurance_separate=rules.insurance_separate),
                attrs.evolve(rules, insurance_separate=not rules.insurance_separate),
            )
        )
        return self._make(
            events.ChangeRules, market, self._spoilt_rules(changed) if self.random.random() < 0.1 else changed
        )

    def apply_rules(self) -> Event:
        """Of a market for which some wait, if there is one, when their notice is over or just not."""
        listings = self.venue.listings
        waiting = [name for name in sorted(listings) if listings[name].pending is not None]
        market = self.random.choice(waiting) if waiting else self._any_market()
        rest = listings[market].pending_time - self.venue.time
        return self._make(events.ApplyRules, market, after=max(0, self.random.choice((rest, rest, rest - 1))))
