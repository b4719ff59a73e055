"""What an event's effects are made of: who owns cash, what moved, and why."""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import NamedTuple, TypeAlias

from riskcore.quantities import AccountId, Atoms, Lots, MarketId


class Reserve(Enum):
    """An owner of cash that is no account."""

    OUTSIDE = "outside"
    INSURANCE = "insurance"
    FEES = "fees"
    TRANSIT = "transit"
    UNCOVERED = "uncovered"
    ESCROW = "escrow"


Owner: TypeAlias = AccountId | Reserve


class Stage(StrEnum):
    """The waterfall's stages, in order, and ordinary business before them."""

    ORDINARY = "ordinary"
    BOOK = "book"
    VAULT = "vault"
    INSURANCE = "insurance"
    DELEVERAGING = "deleveraging"
    SETTLEMENT = "settlement"
    UNCOVERED = "uncovered"
    SHARING = "sharing"


class Reason(StrEnum):
    """Why a line was written."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    HAIRCUT = "haircut"
    TRANSFER = "transfer"
    FUNDING = "funding"
    FILL = "fill"
    FEE = "fee"
    FEE_SHARE = "fee_share"
    LIQUIDATION = "liquidation"
    LIQUIDATION_FEE = "liquidation_fee"
    TAKEOVER = "takeover"
    COVER = "cover"
    CLOSE_OUT = "close_out"
    OVERSHOOT = "overshoot"
    SETTLEMENT = "settlement"
    WRITE_OFF = "write_off"
    REPAYMENT = "repayment"
    LOSS_SHARE = "loss_share"
    VAULT_REQUEST = "vault_request"
    VAULT_DEPOSIT = "vault_deposit"
    VAULT_RETURN = "vault_return"
    VAULT_REDEMPTION = "vault_redemption"


class Pay(NamedTuple):
    """``amount`` atoms went from ``payer`` to ``payee``; below zero, the other way."""

    payer: Owner
    payee: Owner
    amount: Atoms
    reason: Reason
    stage: Stage


class Trade(NamedTuple):
    """``lots`` contracts went from ``seller`` to ``buyer`` for ``amount`` atoms in all."""

    buyer: AccountId
    seller: AccountId
    market: MarketId
    lots: Lots
    amount: Atoms
    reason: Reason
    stage: Stage


Line: TypeAlias = Pay | Trade
