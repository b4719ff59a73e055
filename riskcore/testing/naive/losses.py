"""Deficits that the fund covers, that are written off, or that are shared out."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

from riskcore.testing.naive.needs import get_broken
from riskcore.testing.naive.views import SharingView
from riskcore.testing.naive.worth import Worth

if TYPE_CHECKING:
    from riskcore import events


class Losses(Worth):
    """Where a loss goes that nobody's equity bears."""

    def cover_deficit(self, event: events.CoverDeficit) -> set[str]:
        deficit, available = -self.get_equity(event.account), self.get_available(event.timestamp)
        flat = not self.holdings.get(event.account)
        self._draw(event.account, min(deficit, available), event.timestamp)
        return get_broken(
            MARK_STALE=self._are_marks_fresh(event.account, event.timestamp),
            NO_DEFICIT=deficit > 0,
            INSURANCE_OPEN_POSITION=flat or self.rulebook.insurance_before_adl,
            INSURANCE_EXHAUSTED=available > 0,
        )

    def write_off(self, event: events.WriteOff) -> set[str]:
        broken = get_broken(
            NO_DEFICIT=self.get_equity(event.account) < 0,
            NOT_FLAT=not self.holdings.get(event.account),
            INSURANCE_NOT_EXHAUSTED=self.get_available(event.timestamp) == 0,
        )
        self.losses -= self.cash.get(event.account, 0)
        self.cash[event.account] = 0
        return broken

    def get_weights(self, market: str) -> dict[str, int]:
        """Profit at mark, or lots, of everyone in the market who has equity and any of it."""
        weights = {}
        for account in sorted(self.holdings):
            size = self.get_size(account, market)
            if size and self.get_equity(account) > 0:
                by_word = {"profit": self.get_profit(account, market), "contracts": abs(size)}
                weights[account] = by_word.get(self.rulebook.loss_sharing.value, 0)
        return {account: weight for account, weight in weights.items() if weight > 0}

    def begin_loss_sharing(self, event: events.BeginLossSharing) -> set[str]:
        if event.market not in self.listings:
            return {"UNKNOWN_MARKET"}
        weights = self.get_weights(event.market)
        paid = min(self.losses, self.get_available(event.timestamp))
        broken = get_broken(
            LOSS_NOT_SHARED=self.rulebook.loss_sharing.value != "none",
            MARK_STALE=self.listings[event.market].settling or self._is_fresh(event.market, event.timestamp),
            NOTHING_UNCOVERED=self.losses > 0,
            MEMBERS_NOT_ALL=bool(weights) and list(event.members) == sorted(weights),
        )
        if not broken:
            self._draw("", paid, event.timestamp)
            self.cash.pop("")
            self.losses -= paid
            if self.losses:
                total = sum(weights.values())
                self.sharing = SharingView(event.market, self.losses, total, 0, tuple(event.members), 0)
        return broken

    def share_loss(self, event: events.ShareLoss) -> set[str]:
        sharing = self.sharing
        if sharing is None:
            return {"SHARING_NOT_OPEN"}
        member = sharing.members[sharing.head]
        done = sharing.done + self.get_weights(sharing.market).get(member, 0)
        due = [floor(Fraction(weight, sharing.weight) * sharing.amount) for weight in (sharing.done, done)]
        paid = min(due[1] - due[0], max(0, self.get_equity(member)))
        self.cash[member] = self.cash.get(member, 0) - paid
        self.losses -= paid
        is_last = member == sharing.members[-1]
        self.sharing = None if is_last else sharing._replace(done=done, head=sharing.head + 1)
        return set()
