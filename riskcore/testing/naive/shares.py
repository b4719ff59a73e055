"""Who owns the vault: deposits and redemptions, asked for and carried out."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

from riskcore.testing.naive.needs import get_broken
from riskcore.testing.naive.worth import Worth

if TYPE_CHECKING:
    from riskcore import events


class Shares(Worth):
    """The vault's shares."""

    def get_deposit_span(self, account: str) -> tuple[int, int]:
        """The first and the last moment at which a waiting deposit may become shares."""
        due = self.get_stake(account).deposit_time + self.rulebook.vault_deposit_notice
        return due, due + self.rulebook.vault_request_window

    def get_redemption_span(self, account: str) -> tuple[int, int]:
        due = self.get_stake(account).redemption_time + self.rulebook.vault_redemption_notice
        return due, due + self.rulebook.vault_request_window

    def request_vault_deposit(self, event: events.RequestVaultDeposit) -> set[str]:
        stake = self.get_stake(event.account)
        broken = get_broken(
            VAULT_ITSELF=event.account != self.rulebook.vault,
            VAULT_DEPOSIT_TOO_SMALL=event.amount >= self.rulebook.vault_deposit_minimum,
            VAULT_DEPOSIT_WAITING=not stake.deposit,
        )
        self.cash[event.account] = self.cash.get(event.account, 0) - event.amount
        self.stakes[event.account] = stake._replace(deposit=event.amount, deposit_time=event.timestamp)
        health = self.get_health(event.account)
        return broken | get_broken(
            BELOW_INITIAL_MARGIN=health.equity >= health.initial,
            MARK_STALE=self._are_marks_fresh(event.account, event.timestamp),
        )

    def execute_vault_deposit(self, event: events.ExecuteVaultDeposit) -> set[str]:
        stake, vault = self.get_stake(event.account), self.rulebook.vault
        first, last = self.get_deposit_span(event.account)
        worth, total = self.get_equity(vault), self.count_shares()
        broken = get_broken(
            VAULT_ITSELF=event.account != vault,
            NO_VAULT_DEPOSIT=stake.deposit > 0,
            VAULT_NOTICE_RUNS=event.timestamp >= first,
            VAULT_REQUEST_LAPSED=event.timestamp <= last,
            VAULT_WORTHLESS=worth > 0 if total else worth >= 0,
            MARK_STALE=self._are_marks_fresh(vault, event.timestamp),
        )
        if "VAULT_WORTHLESS" in broken:
            return broken
        if not total and worth:
            # what was there before the first depositor stays the house's
            self.stakes[vault] = self.get_stake(vault)._replace(shares=worth)
        price = Fraction(worth, total) if total else Fraction(1)
        bought = floor(stake.deposit / price)
        cost = ceil(bought * price)
        self.cash[vault] = self.cash.get(vault, 0) + cost
        self.cash[event.account] = self.cash.get(event.account, 0) + stake.deposit - cost
        self.stakes[event.account] = stake._replace(shares=stake.shares + bought, deposit=0, deposit_time=0)
        return broken | get_broken(VAULT_SHARE_TOO_DEAR=bought > 0)

    def cancel_vault_deposit(self, event: events.CancelVaultDeposit) -> set[str]:
        stake, (_, last) = self.get_stake(event.account), self.get_deposit_span(event.account)
        self.cash[event.account] = self.cash.get(event.account, 0) + stake.deposit
        self.stakes[event.account] = stake._replace(deposit=0, deposit_time=0)
        return get_broken(NO_VAULT_DEPOSIT=stake.deposit > 0, VAULT_REQUEST_STANDS=event.timestamp > last)

    def request_vault_redemption(self, event: events.RequestVaultRedemption) -> set[str]:
        stake, (_, last) = self.get_stake(event.account), self.get_redemption_span(event.account)
        self.stakes[event.account] = stake._replace(redemption=event.shares, redemption_time=event.timestamp)
        return get_broken(
            VAULT_ITSELF=event.account != self.rulebook.vault,
            AMOUNT_NOT_POSITIVE=event.shares > 0,
            VAULT_REDEMPTION_WAITING=not stake.redemption or event.timestamp > last,
            VAULT_SHARES_EXCEEDED=event.shares <= stake.shares,
        )

    def execute_vault_redemption(self, event: events.ExecuteVaultRedemption) -> set[str]:
        stake, vault = self.get_stake(event.account), self.rulebook.vault
        first, last = self.get_redemption_span(event.account)
        worth, total = self.get_equity(vault), self.count_shares()
        broken = get_broken(
            VAULT_ITSELF=event.account != vault,
            NO_VAULT_REDEMPTION=stake.redemption > 0,
            VAULT_NOTICE_RUNS=event.timestamp >= first,
            VAULT_REQUEST_LAPSED=event.timestamp <= last,
            VAULT_WORTHLESS=worth > 0,
            MARK_STALE=self._are_marks_fresh(vault, event.timestamp),
        )
        if not total:
            return broken
        paid = floor(Fraction(worth, total) * stake.redemption)
        self.cash[vault] = self.cash.get(vault, 0) - paid
        self.cash[event.account] = self.cash.get(event.account, 0) + paid
        self.stakes[event.account] = stake._replace(
            shares=stake.shares - stake.redemption, redemption=0, redemption_time=0
        )
        health = self.get_health(vault)
        return broken | get_broken(VAULT_CAPITAL_IN_USE=health.equity >= health.initial)
