"""Proposals of what happens to accounts below maintenance, stage by stage, and of losses shared out."""

from __future__ import annotations

from riskcore import events
from riskcore.choices import Allocation
from riskcore.events import Event
from riskcore.testing.proposing.orders import Orders
from riskcore.testing.rulebooks import STRANGER, TRADERS, VAULT


class Waterfall(Orders):
    """Liquidations, takeovers, cover, deleveraging."""

    def liquidation_fill(self) -> Event:
        sick = self._sick_holdings()
        again = [(account, market) for account, market in sick if account in self.venue.liquidated]
        if again and self.random.random() < 0.7:
            sick = again
        account, market = self.random.choice(sick or self._healthy_holdings() or [(STRANGER, "BTC")])
        if market not in self.venue.listings:
            return self._make(events.LiquidationFill, account, VAULT, market, 1, 1)
        if cancel := self._clear(account):
            return cancel
        held, mark = self.venue.get_size(account, market), self.venue.listings[market].mark
        maker = self._maker_for(account, market)
        lots = self._part(abs(held))
        most = self.venue.get_most(account, market, self.venue.time)
        if most < abs(held) and self.random.random() < 0.7:
            lots = self.random.choice((most, most, most + 1, max(1, most // 2)))
        worst = mark
        if self.venue.is_sick(account) and 0 < lots <= abs(held):
            share = self.venue.get_share(account, market, lots)
            worst = mark - share // lots if held > 0 else mark + share // lots
        better = 1 if held > 0 else -1
        price = self.random.choice((worst, worst, mark, worst - better, worst + better, (worst + mark) // 2))
        order: tuple[str, ...] = ()
        if self.venue.rulebook.has_book:
            best = self.venue.get_book(market).get_best(held > 0)
            if best is None:
                return self._place(maker, market, lots if held > 0 else -lots, max(1, price))
            maker, lots, price, order = best.account, min(lots, abs(best.size)), best.price, (best.id,)
        return self._make(
            events.LiquidationFill,
            *(account, maker, market, lots, max(1, price), *order),
            after=self._wait_to_sell(account),
        )

    def _wait_to_sell(self, account: str) -> int | None:
        """Until an account that was sold from may be again, mostly, or just not."""
        if account not in self.venue.liquidated:
            return None
        rest = self.venue.liquidated[account] + self.venue.rulebook.liquidation_cooldown - self.venue.time
        return max(0, self.random.choice((rest, rest, rest, rest - 1, 0)))

    def _maker_for(self, account: str, market: str) -> str:
        """Who has the most room, or who may close his own side against the account."""
        others = sorted({*TRADERS, VAULT} - {account})
        side = self.venue.get_size(account, market)
        against = [other for other in others if self.venue.get_size(other, market) * side < 0]
        richest = max(others, key=lambda other: self._capacity(other, market))
        return self.random.choice((richest, richest, self.random.choice(against or others)))

    def takeover(self) -> Event:
        """Of somebody solvent, if there is one, and as much as the vault can take; or any part."""
        sick = self._sick_holdings()
        takes_all = self.venue.rulebook.vault_takes_deficits
        solvent = [(account, market) for account, market in sick if takes_all or self.venue.get_equity(account) >= 0]
        account, market = self.random.choice(solvent or sick or self._healthy_holdings() or [(STRANGER, "BTC")])
        if cancel := self._clear(account):
            return cancel
        held = abs(self.venue.get_size(account, market))
        if solvent and self.random.random() < 0.7:
            lots = next(
                (n for n in (held, held // 2, held // 9, 1) if n and self.venue.can_vault_take(account, market, n)), 1
            )
        else:
            lots = self._part(held)
        return self._make(events.Takeover, account, market, lots)

    def _healthy_holdings(self) -> list[tuple[str, str]]:
        """Of whom nothing may be taken: those at maintenance, if there are any."""
        return self._holdings_at_maintenance() or self._holders()

    def cover_deficit(self) -> Event:
        return self._make(events.CoverDeficit, self._debtor())

    def write_off(self) -> Event:
        return self._make(events.WriteOff, self._debtor())

    def _debtor(self) -> str:
        debtors = [account for account in sorted(self.venue.cash) if self.venue.get_equity(account) < 0]
        flat = [account for account in debtors if not self.venue.holdings.get(account)]
        everyone = sorted({*TRADERS, VAULT})
        return self.random.choice(self.random.choice((flat or debtors, debtors)) or everyone)

    def begin_deleveraging(self) -> Event:
        owing = [pair for pair in self._sick_holdings() if self.venue.get_equity(pair[0]) < 0]
        if owing and self.random.random() < 0.9:
            # one whose queue ends before its position does, if there is one
            account, market = min(owing, key=lambda pair: (len(self._queue(*pair)), pair))
        else:
            account, market = self.random.choice(
                self._sick_holdings() or self._healthy_holdings() or [(STRANGER, "BTC")]
            )
        if cancel := self._clear(account):
            return cancel
        is_sick = self.venue.is_sick(account) and market in self.venue.listings
        if is_sick and self.venue.can_book_take(account, market, self.venue.time) and self.random.random() < 0.8:
            best = self.venue.get_book(market).get_best(self.venue.get_size(account, market) > 0)
            return self._make(events.CancelOrder, market, best.id if best else STRANGER)
        lots = self.venue.get_right_size(account, market) if market in self.venue.listings else 0
        if self.random.random() < 0.1:
            lots = max(1, lots + self.random.choice((-1, 1)))
        size = 0 if lots == abs(self.venue.get_size(account, market)) and self.random.random() < 0.5 else lots
        queue = self._queue(account, market, lots)
        level = self._level(queue, market, lots)
        if len(queue) > 1 and self.random.random() < 0.2:
            # all is right but the order of two
            place = self.random.randrange(len(queue) - 1)
            queue[place : place + 2] = queue[place + 1], queue[place]
        return self._make(events.BeginDeleveraging, account, market, tuple(queue), size, *level)

    def _level(self, queue: list[str], market: str, lots: int) -> tuple[int, int]:
        """The exact level, which is not always named in lowest terms; now and then another."""
        if self.venue.rulebook.adl_allocation is Allocation.QUEUE or not queue:
            return 0, 1
        level, times = self.venue.get_level(queue, market, lots), self.random.choice((1, 1, 1, 7))
        off = 1 if self.random.random() < 0.1 else 0
        return level.numerator * times + off, level.denominator * times

    def _queue(self, account: str, market: str, lots: int = 0) -> list[str]:
        held = abs(self.venue.get_size(account, market))
        lots = min(lots or held, held)
        if not lots:
            return []
        return self.venue.get_queue(account, market, lots, self.venue.get_terms(account, market, lots)[0])

    def begin_wrongly(self) -> Event:
        """With a queue that lacks somebody, names one twice, or is out of order."""
        account, market = self.random.choice(self._sick_holdings() or self._healthy_holdings() or [(STRANGER, "BTC")])
        queue = self._queue(account, market)
        wrong = self.random.choice(
            (queue[1:], queue[:-1], queue[::-1], queue * 2, [*queue, STRANGER], [*queue, account], sorted(TRADERS))
        )
        return self._make(events.BeginDeleveraging, account, market, tuple(wrong))

    def deleverage(self) -> Event:
        return self._make(events.Deleverage)

    def end_deleveraging(self) -> Event:
        return self._make(events.EndDeleveraging)

    def begin_loss_sharing(self) -> Event:
        market = self._any_market() if self._holders() else "BTC"
        if market not in self.venue.listings:
            return self._make(events.BeginLossSharing, market, ())
        return self._make(events.BeginLossSharing, market, tuple(sorted(self.venue.get_weights(market))))

    def share_wrongly(self) -> Event:
        """With members of whom one is missing, is none, comes twice or out of order."""
        market = self._any_market()
        members = sorted(self.venue.get_weights(market)) if market in self.venue.listings else []
        wrong = self.random.choice((members[1:], members[:-1], members[::-1], members * 2, [*members, STRANGER]))
        return self._make(events.BeginLossSharing, market, tuple(wrong))

    def share_loss(self) -> Event:
        return self._make(events.ShareLoss)
