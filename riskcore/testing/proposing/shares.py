"""Proposals of who owns the vault."""

from __future__ import annotations

from riskcore import events
from riskcore.events import Event
from riskcore.testing.proposing.standing import Standing


class Shares(Standing):
    """Requests for shares, and what comes of them."""

    def _wait_for(self, span: tuple[int, int]) -> int:
        """Until a moment inside the span, mostly, or on one side of it."""
        first, last = (moment - self.venue.time for moment in span)
        return max(0, self.random.choice((first, first, first, last, 0, first - 1, last + 1)))

    def _one_of(self, accounts: list[str]) -> str:
        """One of these, mostly, if there are any."""
        return self.random.choice(accounts) if accounts and self.random.random() < 0.9 else self._any_trader()

    def request_vault_deposit(self) -> Event:
        account = self._any_trader()
        health = self.venue.get_health(account)
        free = max(1, health.equity - health.initial)
        amount = self.random.choice((free // 2, free // 9, self.random.randint(1, free), free + 1, 1))
        return self._make(events.RequestVaultDeposit, account, amount)

    def execute_vault_deposit(self) -> Event:
        account = self._one_of(self._waiting_deposits())
        return self._make(
            events.ExecuteVaultDeposit, account, after=self._wait_for(self.venue.get_deposit_span(account))
        )

    def cancel_vault_deposit(self) -> Event:
        account = self._one_of(self._waiting_deposits())
        last = self.venue.get_deposit_span(account)[1]
        return self._make(events.CancelVaultDeposit, account, after=self._wait_for((last + 1, last)))

    def request_vault_redemption(self) -> Event:
        account = self._one_of([name for name, stake in sorted(self.venue.stakes.items()) if stake.shares])
        return self._make(events.RequestVaultRedemption, account, self._part(self.venue.get_stake(account).shares))

    def execute_vault_redemption(self) -> Event:
        account = self._one_of(self._waiting_redemptions())
        return self._make(
            events.ExecuteVaultRedemption, account, after=self._wait_for(self.venue.get_redemption_span(account))
        )

    def _waiting_deposits(self) -> list[str]:
        return [name for name, stake in sorted(self.venue.stakes.items()) if stake.deposit]

    def move_shares(self) -> Event:
        """What leads on: carry out what waits, or ask."""
        venue, vault = self.venue, self.venue.rulebook.vault
        holders = sum(stake.shares > 0 for name, stake in venue.stakes.items() if name != vault)
        lapsed = sum(venue.get_deposit_span(name)[1] < venue.time for name in self._waiting_deposits())
        kinds = ["request_vault_deposit"]
        kinds += ["cancel_vault_deposit"] * lapsed
        kinds += ["execute_vault_deposit"] * 2 * (len(self._waiting_deposits()) - lapsed)
        kinds += ["request_vault_redemption"] * holders
        kinds += ["execute_vault_redemption"] * 2 * len(self._waiting_redemptions())
        event: Event = getattr(self, self.random.choice(kinds))()
        return event

    def _waiting_redemptions(self) -> list[str]:
        """Those that have not lapsed, where there are any."""
        waiting = [name for name, stake in sorted(self.venue.stakes.items()) if stake.redemption]
        live = [name for name in waiting if self.venue.get_redemption_span(name)[1] >= self.venue.time]
        return live or waiting
