"""The shape of a law."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import frozen

from riskcore import events
from specs.case import Case


@frozen
class Law:
    """``sentence`` is what an auditor reads; ``holds`` decides it for an accepted event.

    ``outside``: what then holds of all other events; None where nothing is claimed of them.
    """

    id: str
    sentence: str
    applies: frozenset[type[events.Header]]
    holds: Callable[[Case], Any]
    outside: Callable[[Case], Any] | None


ALL_EVENTS = frozenset(
    {
        events.ListMarket,
        events.Deposit,
        events.Withdraw,
        events.Transfer,
        events.FundInsurance,
        events.RepayLoss,
        events.AdvanceTime,
        events.MarkPrice,
        events.IndexPrice,
        events.ApplyFunding,
        events.Fill,
        events.LiquidationFill,
        events.Takeover,
        events.CoverDeficit,
        events.BeginDeleveraging,
        events.Deleverage,
        events.EndDeleveraging,
        events.WriteOff,
        events.BeginLossSharing,
        events.ShareLoss,
        events.SettleMarket,
        events.SettlePair,
        events.RequestVaultDeposit,
        events.ExecuteVaultDeposit,
        events.CancelVaultDeposit,
        events.RequestVaultRedemption,
        events.ExecuteVaultRedemption,
        events.SetLeverage,
        events.PlaceOrder,
        events.CancelOrder,
        events.SetMarketStatus,
        events.DelistMarket,
        events.ChangeRules,
        events.ApplyRules,
    }
)
