"""Fills of accounts below maintenance, how far they go, and the vault's takeovers."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

from riskcore.testing.naive.needs import MILLION, get_broken, is_near, is_reducing, is_safe
from riskcore.testing.naive.trading import Trading

if TYPE_CHECKING:
    from riskcore import events


class Liquidation(Trading):
    """The waterfall's first two stages: the book and the vault."""

    def liquidation_fill(self, event: events.LiquidationFill) -> set[str]:
        if closed := self._check_trading(event.market):
            return closed
        listing = self.listings[event.market]
        broken = get_broken(
            SELF_TRADE=event.account != event.maker,
            PRICE_NOT_POSITIVE=event.price > 0,
            PRICE_BAND=is_near(event.price, listing.mark, listing.rules.fill_price_band),
        )
        broken |= self._check_close(event.account, event.market, event.size, event.timestamp)
        broken |= get_broken(ORDERS_REST=not self.has_orders(event.account))
        if broken:
            return broken
        sold = event.size if self.get_size(event.account, event.market) < 0 else -event.size
        if broken := self._check_hit(event.market, event.order, event.maker, sold, event.price):
            return broken
        broken = get_broken(
            LIQUIDATION_COOLDOWN=not self.is_waiting(event.account, event.timestamp),
            LIQUIDATION_SHARE=event.size <= self.get_most(event.account, event.market, event.timestamp),
            LIQUIDATION_TARGET=not self._is_enough(event, self._is_at_target),
            LIQUIDATION_STEP=not self._is_enough(event, self._is_at_step),
            LIQUIDATION_BLOCK=not self._is_enough(event, self.is_block_full),
        )
        share = self.get_share(event.account, event.market, event.size)
        maker_size, maker_before = self.get_size(event.maker, event.market), self.get_health(event.maker)
        sizes: dict[str, int] = {event.account: self.get_size(event.account, event.market), event.maker: maker_size}
        equity = self.get_equity(event.account)
        self._hand_over(event.account, event.maker, event.market, event.size, event.size * event.price)
        self._take(event.market, event.order, event.size)
        spare = self.get_equity(event.account) - (equity - share)
        if spare >= 0:
            rate = Fraction(self.listings[event.market].rules.liquidation_fee_rate, MILLION)
            fee = min(spare, ceil(rate * event.size * event.price))
            self.cash[event.account] -= fee
            self._feed(fee, event.market)
        else:
            worst = Fraction(self.rulebook.insurance_fill_band, MILLION) * event.size * self.listings[event.market].mark
            affordable = -spare <= self.get_available(event.timestamp, event.market)
            backed = self.rulebook.insurance_backs_fills and affordable and share - spare <= worst
            broken |= get_broken(WORSE_THAN_BANKRUPTCY=backed)
            self._draw(event.account, -spare, event.timestamp, event.market)
        broken |= self._check_dust(event.market, sizes)
        broken |= self._check_entry(event.market, (maker_size, self.get_size(event.maker, event.market)))
        self._remember_sale(event)
        reducing = is_reducing(maker_size, self.get_size(event.maker, event.market))
        return broken | get_broken(MAKER_MARGIN=is_safe(maker_before, self.get_health(event.maker), reducing))

    def _remember_sale(self, event: events.LiquidationFill) -> None:
        """The sale adds to what the account's and the market's block have, where the rules ask for it."""
        rulebook, listing, now = self.rulebook, self.listings[event.market], event.timestamp
        worth = event.size * listing.mark
        if rulebook.liquidation_window or rulebook.liquidation_cooldown or rulebook.liquidation_block_limit:
            self.sold[event.account] = self.get_sold(event.account, now) + worth
            self.liquidated[event.account] = now
        if listing.rules.liquidation_block_limit:
            listing.sold = worth + (listing.sold if listing.sold_time == now else 0)
            listing.sold_time = now

    def get_sold(self, account: str, now: int) -> int:
        """What of the account was sold in the block of ``now``."""
        return self.sold.get(account, 0) if self.liquidated.get(account) == now else 0

    def _is_enough(self, event: events.LiquidationFill, is_done: Callable[[str, str, int, int], bool]) -> bool:
        """Whether the fill's last lot is one too many; or, if dust may not be left, those beyond the least are."""
        held = abs(self.get_size(event.account, event.market))
        before_last = event.size - 1
        if held - before_last < self.listings[event.market].rules.minimum_size:
            before_last = max(0, held - self.listings[event.market].rules.minimum_size)
        return is_done(event.account, event.market, before_last, event.timestamp)

    def _is_at_target(self, account: str, market: str, closed: int, now: int) -> bool:
        """Whether closing so many lots at mark, for nothing, leaves the target's equity."""
        health, held = self.get_health(account), abs(self.get_size(account, market))
        freed = self.get_maintenance(market, held) - self.get_maintenance(market, held - closed)
        target = Fraction(self.rulebook.liquidation_target, MILLION)
        return target > 0 and health.equity >= target * (health.maintenance - freed)

    def _is_at_step(self, account: str, market: str, closed: int, now: int) -> bool:
        """Whether so many lots fewer are out of the bracket, if there is one below."""
        listing, held = self.listings[market], abs(self.get_size(account, market))
        below = [0, *(tier.floor for tier in listing.rules.tiers if tier.floor < held * listing.mark)]
        return listing.rules.liquidation_tier_step and (held - closed) * listing.mark <= below[-1]

    def is_block_full(self, account: str, market: str, closed: int, now: int) -> bool:
        """Whether so many lots more use up what may be sold of the account, or in the market, at this time."""
        listing = self.listings[market]
        worth = closed * listing.mark
        limits = self.rulebook.liquidation_block_limit, listing.rules.liquidation_block_limit
        sold = self.get_sold(account, now), listing.sold if listing.sold_time == now else 0
        return any(0 < limit <= worth + past for limit, past in zip(limits, sold, strict=True))

    def is_waiting(self, account: str, now: int) -> bool:
        """Whether it was sold to the book too short a time ago, and still has time."""
        last = self.liquidated.get(account)
        hurry = self.get_equity(account) < 0
        return last is not None and not hurry and now < last + self.rulebook.liquidation_cooldown

    def get_most(self, account: str, market: str, now: int) -> int:
        """Lots that may be sold to the book at once: of a large position not just sold from, a share and a bit."""
        rules, held = self.listings[market].rules, abs(self.get_size(account, market))
        last, window = self.liquidated.get(account), self.rulebook.liquidation_window
        if window and last is not None and now - last <= window:
            return held
        if held * self.listings[market].mark <= rules.liquidation_share_floor:
            return held
        most = ceil(Fraction(rules.liquidation_share, MILLION) * held)
        return most if held - most >= rules.minimum_size else held

    def takeover(self, event: events.Takeover) -> set[str]:
        if closed := self._check_trading(event.market):
            return closed
        broken = get_broken(SELF_TRADE=event.account != self.rulebook.vault)
        broken |= self._check_close(event.account, event.market, event.size, event.timestamp)
        trigger = Fraction(self.rulebook.takeover_rate, MILLION) * self.get_health(event.account).maintenance
        broken |= get_broken(
            VAULT_NOT_DUE=self.get_equity(event.account) <= trigger, ORDERS_REST=not self.has_orders(event.account)
        )
        return broken or self._take_over(event.account, event.market, event.size)

    def _take_over(self, account: str, market: str, lots: int) -> set[str]:
        vault, mark = self.rulebook.vault, self.listings[market].mark
        broken = get_broken(VAULT_TAKES_NO_DEFICIT=self.get_equity(account) >= 0 or self.rulebook.vault_takes_deficits)
        own_limit = self.listings[market].rules.vault_position_limit
        limit = min(own_limit, self.rulebook.vault_position_limit) if own_limit else self.rulebook.vault_position_limit
        held, before = self.get_size(vault, market), self.get_health(vault)
        share = self.get_share(account, market, lots)
        worth_less_share = lots * mark - share if self.get_size(account, market) > 0 else lots * mark + share
        self._hand_over(account, vault, market, lots, worth_less_share)
        after = self.get_size(vault, market)
        reducing = is_reducing(held, after)
        return broken | get_broken(
            VAULT_LIMIT=abs(after) * mark <= limit or reducing,
            VAULT_MARGIN=is_safe(before, self.get_health(vault), reducing),
        )

    def can_vault_take(self, account: str, market: str, lots: int) -> bool:
        """Whether the vault's stage would take ``lots`` of an account below maintenance."""
        return account != self.rulebook.vault and not self.copy()._take_over(account, market, lots)
