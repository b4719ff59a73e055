"""Deleveraging, from the certified queue to its last step."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

from riskcore.testing.naive.ledger import Episode
from riskcore.testing.naive.liquidation import Liquidation
from riskcore.testing.naive.needs import get_broken
from riskcore.testing.naive.queues import Queues

if TYPE_CHECKING:
    from riskcore import events


class Deleveraging(Liquidation, Queues):
    """An episode: opened, stepped through, ended."""

    def begin_deleveraging(self, event: events.BeginDeleveraging) -> set[str]:
        if closed := self._check_trading(event.market):
            return closed
        lots = event.size or max(1, abs(self.get_size(event.account, event.market)))
        broken = self._check_close(event.account, event.market, lots, event.timestamp)
        if broken:
            return broken
        in_deficit = self.get_equity(event.account) < 0
        insured = self.rulebook.insurance_before_adl and in_deficit and self.get_available(event.timestamp) > 0
        share, excess = self.get_terms(event.account, event.market, lots)
        queue = self.get_queue(event.account, event.market, lots, share)
        is_right = self.is_right_size(event.account, event.market, lots)
        on_index = self.rulebook.adl_close_out == "index"
        level, left_over = (event.level_lots, event.level_weight), 0
        is_exact = self._is_level(queue, event.market, lots, *level)
        if is_exact and self.rulebook.adl_allocation != "queue":
            parts = (floor(self.get_part(other, event.market, Fraction(*level))) for other in queue)
            left_over = self.get_target(queue, event.market, lots) - sum(parts)
        self.episode = Episode(
            event.account, event.market, lots, share, list(event.queue), 0, 0, excess, self.sequence, level, left_over
        )
        return get_broken(
            LEVEL_NOT_EXACT=is_exact,
            NOT_THE_LOTS_TO_CLOSE=is_right,
            ORDERS_REST=not self.has_orders(event.account),
            BOOK_NOT_EXHAUSTED=self.is_block_full(event.account, event.market, 0, event.timestamp)
            or not self.can_book_take(event.account, event.market, event.timestamp),
            INDEX_STALE=not on_index or self._is_index_fresh(event.market, event.timestamp),
            LIQUIDATION_COOLDOWN=not self.is_waiting(event.account, event.timestamp),
            LIQUIDATION_BLOCK=in_deficit or not self.is_block_full(event.account, event.market, 0, event.timestamp),
            ADL_SOLVENT=self.get_equity(event.account) <= 0 or self.rulebook.adl_solvent,
            VAULT_NOT_EXHAUSTED=not self.can_vault_take(event.account, event.market, 1),
            INSURANCE_NOT_EXHAUSTED=not insured,
            QUEUE_NOT_RANKED=list(event.queue) == queue,
            NOTHING_TO_BOOK=len(event.queue) > 0 or share - excess > 0,
        )

    def deleverage(self, event: events.Deleverage) -> set[str]:
        episode = self.episode
        if episode is None:
            return {"DELEVERAGING_NOT_OPEN"}
        if episode.head >= len(episode.queue):
            return {"QUEUE_EXHAUSTED"}
        other = episode.queue[episode.head]
        part = self.get_part(other, episode.market, Fraction(*episode.level))
        lots = floor(part)
        if part > lots and episode.left_over:
            lots, episode.left_over = lots + 1, episode.left_over - 1
        lots = min(lots, episode.lots - episode.done)
        payment = episode.get_paid(episode.done + lots) - episode.get_paid(episode.done)
        worth = lots * self.listings[episode.market].mark
        is_long = self.get_size(episode.account, episode.market) > 0
        if lots:
            amount = worth + payment if is_long else worth - payment
            self._hand_over(episode.account, other, episode.market, lots, amount)
        overshoot = episode.get_overshoot(episode.done + lots) - episode.get_overshoot(episode.done)
        self.cash[episode.account] -= overshoot
        self._feed(overshoot, episode.market)
        episode.done += lots
        episode.head += 1
        if episode.done == episode.lots:
            self.episode = None
        return set()

    def end_deleveraging(self, event: events.EndDeleveraging) -> set[str]:
        episode = self.episode
        if episode is None:
            return {"DELEVERAGING_NOT_OPEN"}
        got = episode.get_paid(episode.done) - episode.get_overshoot(episode.done)
        unpaid = max(0, episode.share - episode.excess - got)
        insured = min(unpaid, self.get_available(event.timestamp, episode.market))
        self._draw(episode.account, insured, event.timestamp, episode.market)
        self.cash[episode.account] += unpaid - insured
        self.losses += unpaid - insured
        self.episode = None
        return get_broken(QUEUE_NOT_EXHAUSTED=episode.head >= len(episode.queue))
