"""Who is deleveraged: on which terms, how much, in which order and by which parts."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from riskcore.testing.naive.needs import draw_number
from riskcore.testing.naive.worth import Worth


class Queues(Worth):
    """Terms, sizes, ranks and allotments."""

    def get_terms(self, account: str, market: str, lots: int) -> tuple[int, int]:
        """What the counterparties of ``lots`` pay together against mark, and what of it goes to the fund."""
        listing, lost = self.listings[market], -self.get_share(account, market, lots)
        if self.rulebook.adl_close_out == "bankruptcy":
            return lost, 0
        prices = {"mark": listing.mark, "previous_mark": listing.previous, "index": listing.index}
        side = 1 if self.get_size(account, market) > 0 else -1
        worth = side * lots * (prices[self.rulebook.adl_close_out] - listing.mark)
        # the account loses no more than it has, and gets no more than it has lost
        low, high = sorted((0, lost))
        kept = min(max(worth, low), high)
        return max(worth, kept), max(worth, kept) - kept

    def is_cured_by(self, account: str, market: str, lots: int) -> bool:
        """Whether it is at maintenance when ``lots`` are closed out."""
        share, excess = self.get_terms(account, market, lots)
        size = self.get_size(account, market)
        freed = self.get_maintenance(market, size) - self.get_maintenance(market, abs(size) - lots)
        health = self.get_health(account)
        return health.equity + share - excess >= health.maintenance - freed

    def is_right_size(self, account: str, market: str, lots: int) -> bool:
        size = abs(self.get_size(account, market))
        if self.rulebook.adl_size == "whole" or self.get_equity(account) <= 0:
            return lots == size
        return not self.is_cured_by(account, market, lots - 1) and (
            lots == size or self.is_cured_by(account, market, lots)
        )

    def get_right_size(self, account: str, market: str) -> int:
        """The fewest lots that are a right size to close; none for who is not below maintenance."""
        size = abs(self.get_size(account, market))
        if not self.is_sick(account):
            return size
        if self.is_right_size(account, market, size):
            return size
        low, high = 0, size
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.is_cured_by(account, market, middle) else (middle, high)
        return high

    def get_queue(self, account: str, market: str, lots: int, share: int) -> list[str]:
        """Everyone who can pay for a part of ``share`` against ``account``, first the one to go first."""
        side = self.get_size(account, market)
        eligible = [
            other
            for other in self.holdings
            if self.get_size(other, market) * side < 0 and self._can_pay(other, market, Fraction(share, lots))
        ]
        return sorted(eligible, key=lambda other: self._rank(other, market))

    def get_weight(self, account: str, market: str) -> int:
        """By what a position counts where the lots of a deleveraging are parted."""
        weights = {
            "contracts": abs(self.get_size(account, market)),
            "profit": self.get_profit(account, market),
        }
        return max(weights.get(self.rulebook.adl_allocation, self.get_equity(account)), 1)

    def get_part(self, account: str, market: str, level: Fraction) -> Fraction:
        """Its exact part in lots, where so many belong to each of weight."""
        size = abs(self.get_size(account, market))
        if self.rulebook.adl_allocation == "queue":
            return Fraction(size)
        own = level * self.get_weight(account, market)
        kept = max(size - own, Fraction(0))
        return kept if self.rulebook.adl_allocation == "leverage" else min(own, Fraction(size))

    def get_target(self, queue: list[str], market: str, lots: int) -> int:
        """Lots that a queue closes: those asked for, or all that there are."""
        return min(lots, sum(abs(self.get_size(other, market)) for other in queue))

    def get_level(self, queue: list[str], market: str, lots: int) -> Fraction:
        """The level at which parts sum to the lots, found between two of those at which somebody's part is all."""
        if self.rulebook.adl_allocation == "queue" or not queue:
            return Fraction(0)
        target = self.get_target(queue, market, lots)
        bends = [Fraction(abs(self.get_size(other, market)), self.get_weight(other, market)) for other in queue]
        points = [(self._sum_parts(queue, market, bend), bend) for bend in (Fraction(0), *sorted(bends))]
        for (low, start), (high, end) in pairwise(sorted(points)):
            if low <= target <= high and low != high:
                return start + (end - start) * (target - low) / (high - low)
        raise AssertionError("no level")

    def _sum_parts(self, queue: list[str], market: str, level: Fraction) -> Fraction:
        return sum((self.get_part(other, market, level) for other in queue), Fraction(0))

    def _is_level(self, queue: list[str], market: str, lots: int, over: int, per: int) -> bool:
        if self.rulebook.adl_allocation == "queue":
            return (over, per) == (0, 1)
        if per < 1 or over < 0:
            return False
        return self._sum_parts(queue, market, Fraction(over, per)) == self.get_target(queue, market, lots)

    def _can_pay(self, account: str, market: str, per_lot: Fraction) -> bool:
        price, equity = per_lot * abs(self.get_size(account, market)), self.get_equity(account)
        if equity < 0 or equity < price:
            return False
        return not (self.rulebook.adl_requires_profit and price > 0) or self.get_profit(account, market) >= price

    def _rank(self, account: str, market: str) -> tuple[Fraction, int, str]:
        size = abs(self.get_size(account, market))
        return -self._score(account, market), -size, account

    def _score(self, account: str, market: str) -> Fraction:
        notional = Fraction(abs(self.get_size(account, market)) * self.listings[market].mark)
        equity, profit = self.get_equity(account), self.get_profit(account, market)
        entry, rank = max(1, abs(self.holdings[account][market].cost)), self.rulebook.adl_rank
        if rank == "size":
            return notional
        if rank == "fifo":
            return Fraction(-self.holdings[account][market].opened)
        if rank == "pseudo_random":
            sequence = self.sequence if self.episode is None else self.episode.sequence
            return Fraction(draw_number(self.rulebook.adl_seed, sequence, account))
        if equity <= 0:
            return Fraction(0)
        leverage, ratio = notional / equity, Fraction(profit, entry)
        if rank == "signed_profit_times_leverage" and profit < 0:
            return ratio / leverage
        gain = max(profit, 0)
        return {
            "leverage": leverage,
            "price_ratio_times_leverage": notional / entry * leverage,
            "profit_times_leverage": Fraction(gain, entry) * leverage,
            "signed_profit_times_leverage": ratio * leverage,
            "profit_times_notional_to_equity": gain * leverage,
            "profit_to_equity": Fraction(gain, equity),
            "profit_ratio": Fraction(gain, entry),
        }[rank]
