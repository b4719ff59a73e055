"""Deposits, withdrawals, transfers, the fund's income, and losses paid back."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

from riskcore.testing.naive.needs import get_broken
from riskcore.testing.naive.views import DrawsView
from riskcore.testing.naive.worth import Worth

if TYPE_CHECKING:
    from riskcore import events


class Money(Worth):
    """Cash that comes, goes or changes hands."""

    def deposit(self, event: events.Deposit) -> set[str]:
        self.cash[event.account] = self.cash.get(event.account, 0) + event.amount
        self.pool += event.amount
        self._count_out(-event.amount, event.timestamp)
        return get_broken(AMOUNT_NOT_POSITIVE=event.amount > 0)

    def get_way_out(self, now: int) -> int | None:
        """What may still be withdrawn in the window of ``now``; None where nothing limits it."""
        limit = self.rulebook.withdrawal_limit
        return limit - self._get_taken(now) if limit else None

    def _get_taken(self, now: int) -> int:
        return self.outflow.drawn if now - self.outflow.since < self.rulebook.withdrawal_window else 0

    def _count_out(self, amount: int, now: int) -> None:
        if self.rulebook.withdrawal_limit:
            taken = self._get_taken(now)
            self.outflow = DrawsView(max(0, taken + amount), self.outflow.since if taken else now)

    def withdraw(self, event: events.Withdraw) -> set[str]:
        waits = self.rulebook.withdrawals_wait and self.losses > 0
        kept, is_bankrupt = self._cut(event.amount)
        broken = get_broken(
            AMOUNT_NOT_POSITIVE=event.amount > 0,
            LOSS_UNCOVERED=not waits,
            POOL_EXHAUSTED=not is_bankrupt and event.amount - kept <= self.pool,
        )
        self.cash[event.account] = self.cash.get(event.account, 0) - event.amount
        way_out = self.get_way_out(event.timestamp)
        broken |= get_broken(WITHDRAWAL_LIMIT=way_out is None or event.amount - kept <= way_out)
        self._count_out(event.amount - kept, event.timestamp)
        self.pool -= event.amount - kept
        self.losses -= kept
        health = self.get_health(event.account)
        is_free = event.account != self.rulebook.vault or not self.has_holders()
        return broken | get_broken(
            BELOW_INITIAL_MARGIN=health.equity >= health.initial,
            VAULT_HAS_HOLDERS=is_free,
            MARK_STALE=self._are_marks_fresh(event.account, event.timestamp),
        )

    def _cut(self, amount: int) -> tuple[int, bool]:
        """What of a withdrawal stays for the loss, and whether the loss is all that the accounts have."""
        if not self.rulebook.withdrawals_are_cut or self.losses == 0:
            return 0, False
        everybodys = sum(self.get_equity(account) for account in {*self.cash, *self.holdings})
        everybodys += sum(stake.deposit for stake in self.stakes.values())
        if everybodys <= self.losses:
            return 0, True
        return min(ceil(Fraction(self.losses, everybodys) * amount), self.losses), False

    def transfer(self, event: events.Transfer) -> set[str]:
        for account, received in ((event.payer, -event.amount), (event.payee, event.amount)):
            self.cash[account] = self.cash.get(account, 0) + received
        health = self.get_health(event.payer)
        return get_broken(
            VAULT_HAS_HOLDERS=event.payer != self.rulebook.vault or not self.has_holders(),
            MARK_STALE=self._are_marks_fresh(event.payer, event.timestamp),
            AMOUNT_NOT_POSITIVE=event.amount > 0,
            SELF_TRANSFER=event.payer != event.payee,
            BELOW_INITIAL_MARGIN=health.equity >= health.initial,
        )

    def fund_insurance(self, event: events.FundInsurance) -> set[str]:
        broken = get_broken(AMOUNT_NOT_POSITIVE=event.amount > 0)
        if event.market is not None:
            if closed := self._check_open(event.market):
                return broken | closed
            broken |= get_broken(INSURANCE_NOT_SEPARATE=self.listings[event.market].rules.insurance_separate)
        self._feed(event.amount, event.market or "")
        self.pool += event.amount
        return broken

    def repay_loss(self, event: events.RepayLoss) -> set[str]:
        broken = get_broken(AMOUNT_NOT_POSITIVE=event.amount > 0, NOT_UNCOVERED=event.amount <= self.losses)
        self.losses -= event.amount
        self.pool += event.amount
        return broken
