"""Where the venue stands: who trades, who holds what, who is below maintenance, and how much is drawn."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, TypeVar

import attrs

from riskcore.choices import LossSharing
from riskcore.events import Event
from riskcore.quantities import RATE_ONE
from riskcore.rulebook import MarketRules, Tier
from riskcore.testing.naive.venue import Venue
from riskcore.testing.rulebooks import SUBACCOUNTS, TRADERS, VAULT

E = TypeVar("E", bound=Event)


class Standing:
    """What a proposal looks at. Sizes and prices are drawn around the bounds at which the model changes its mind."""

    def __init__(self, venue: Venue, random: Random) -> None:
        self.venue = venue
        self.random = random

    def _make(self, kind: Callable[..., E], *arguments: Any, after: int | None = None) -> E:
        sequence = self.venue.sequence + 1
        wait = self.random.choice((0, 1, 1000)) if after is None else after
        return kind(f"e{sequence}", sequence, self.venue.time + wait, *arguments)

    def _any_trader(self) -> str:
        return self.random.choice((*TRADERS, *TRADERS, VAULT))

    def _traders(self) -> list[str]:
        """Who may trade: sub-accounts once they have cash."""
        # three times, for few of them live long
        funded = [account for account in SUBACCOUNTS if self.venue.cash.get(account, 0) > 0]
        return [*TRADERS, VAULT, *(3 * funded)]

    def _any_market(self) -> str:
        """One that is open, nearly always where there is one."""
        listings = self.venue.listings
        still_open = [name for name in sorted(listings) if not listings[name].settling]
        return self.random.choice(still_open if still_open and self.random.random() < 0.97 else sorted(listings))

    def _holders(self) -> list[tuple[str, str]]:
        return [(account, market) for account, held in sorted(self.venue.holdings.items()) for market in sorted(held)]

    def _open_holdings(self) -> list[tuple[str, str]]:
        return [(account, market) for account, market in self._holders() if not self.venue.listings[market].settling]

    def _sick_holdings(self) -> list[tuple[str, str]]:
        """Positions of accounts below maintenance; those in deficit only, where there are any, half of the time."""
        below = {account for account, held in self.venue.holdings.items() if held and self.venue.is_sick(account)}
        sick = [
            (account, market)
            for account, market in self._holders()
            if account in below and not self.venue.listings[market].settling
        ]
        broke = [(account, market) for account, market in sick if self.venue.get_equity(account) < 0]
        return broke if broke and self.random.random() < 0.5 else sick

    def _holdings_at_maintenance(self) -> list[tuple[str, str]]:
        """Positions of accounts that stand exactly at maintenance, and so are not below it."""
        healths = {account: self.venue.get_health(account) for account, held in self.venue.holdings.items() if held}
        return [pair for pair in self._open_holdings() if (own := healths[pair[0]]).equity == own.maintenance]

    def is_at_maintenance(self) -> bool:
        """Whether somebody stands exactly there."""
        return bool(self._holdings_at_maintenance())

    def has_sick(self) -> bool:
        return bool(self._sick_holdings())

    def is_open(self) -> bool:
        return self.venue.episode is not None

    def shares_losses(self) -> bool:
        return self.venue.losses > 0 and self.venue.rulebook.loss_sharing is not LossSharing.NONE

    def _free(self, account: str) -> int:
        """Atoms of an account above its initial margin; none of the vault's while others have shares of it."""
        if account == VAULT and self.venue.has_holders():
            return 0
        health = self.venue.get_health(account)
        return max(0, health.equity - health.initial)

    def is_pool_short(self) -> bool:
        """Whether some are in debt, and others might withdraw more than there is."""
        accounts, venue = sorted(self.venue.cash), self.venue
        if all(venue.get_equity(account) >= 0 for account in accounts):
            return False
        return sum(map(self._free, accounts)) > venue.pool

    def _is_shut(self) -> bool:
        """Whether a market is close-only or paused."""
        return any(listing.status in ("close_only", "paused") for listing in self.venue.listings.values())

    def _has_pending(self) -> bool:
        return any(listing.pending is not None for listing in self.venue.listings.values())

    def _settling(self) -> list[str]:
        """Markets that end and in which somebody still has a position."""
        return sorted({market for _, market in self._holders() if self.venue.listings[market].settling})

    def is_settling(self) -> bool:
        return bool(self._settling())

    def has_flat_debtor(self) -> bool:
        cash, holdings = self.venue.cash, self.venue.holdings
        return any(balance < 0 and not holdings.get(account) for account, balance in cash.items())

    def _part(self, whole: int) -> int:
        """All of it, one, some of it, one too many, or nothing."""
        some = self.random.randint(1, max(1, whole))
        return self.random.choice((whole,) * 4 + (some,) * 4 + (1, 1, whole + 1, whole + 1, 0))

    def _bound(self, account: str, market: str) -> int:
        """A price of the market at which the account comes to stand at or beside a bound."""
        health, mark = self.venue.get_health(account), self.venue.listings[market].mark
        target = self.random.choice(
            (
                health.maintenance * 97 // 100,
                health.maintenance // 2,
                health.maintenance - 1,
                health.maintenance,
                0,
                -1,
                -health.maintenance // 4,
                -health.maintenance,
            )
        )
        moved = mark + (target - health.equity) // self.venue.get_size(account, market)
        return min(max(1, moved), mark * 3)

    def _capacity(self, account: str, market: str) -> int:
        """About how many lots the account may add."""
        health = self.venue.get_health(account)
        return max(0, health.equity - health.initial) // self._per_lot(market)

    def _per_lot(self, market: str) -> int:
        """About what one lot more needs, in the last tier, with its fee."""
        listing = self.venue.listings[market]
        fee = max(listing.rules.taker_fee_rate, listing.rules.maker_fee_rate, 0)
        rate = max(listing.rules.initial_margin_rate, *(tier.initial_margin_rate for tier in listing.rules.tiers), 0)
        return listing.mark * (rate + fee) // RATE_ONE + 1

    def _spoilt_rules(self, rules: MarketRules) -> MarketRules:
        """With one figure that is likely out of range, of a tier's where there are tiers."""
        wrong: Any = self.random.choice((-1, 0, RATE_ONE + 1, -RATE_ONE))
        if rules.tiers and self.random.random() < 0.5:
            place = self.random.randrange(len(rules.tiers))
            name = self.random.choice([attribute.name for attribute in attrs.fields(Tier)])
            spoilt = attrs.evolve(rules.tiers[place], **{name: wrong})
            return attrs.evolve(rules, tiers=(*rules.tiers[:place], spoilt, *rules.tiers[place + 1 :]))
        names = [name for name, value in attrs.asdict(rules).items() if type(value) is int]
        change: dict[str, Any] = {self.random.choice(names): wrong}
        return attrs.evolve(rules, **change)
