"""Which function an event's transition is. ``step`` looks it up; nothing else is said here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from riskcore import (
    cash,
    changes,
    deleveraging,
    events,
    funding,
    insurance,
    life,
    liquidation,
    markets,
    order_book,
    settings,
    settlement,
    shares,
    sharing,
    trading,
    vault,
)
from riskcore.journal import Journal
from riskcore.state import State

#: The transition of each event.
TRANSITIONS: dict[type[events.Header], Callable[[State, Any], Journal]] = {
    events.ListMarket: markets.process_list_market,
    events.Deposit: cash.process_deposit,
    events.Withdraw: cash.process_withdraw,
    events.Transfer: cash.process_transfer,
    events.FundInsurance: cash.process_fund_insurance,
    events.RepayLoss: cash.process_repay_loss,
    events.AdvanceTime: markets.process_advance_time,
    events.MarkPrice: markets.process_mark_price,
    events.IndexPrice: markets.process_index_price,
    events.ApplyFunding: funding.process_apply_funding,
    events.Fill: trading.process_fill,
    events.LiquidationFill: liquidation.process_liquidation_fill,
    events.Takeover: vault.process_takeover,
    events.CoverDeficit: insurance.process_cover_deficit,
    events.BeginDeleveraging: deleveraging.process_begin_deleveraging,
    events.Deleverage: deleveraging.process_deleverage,
    events.EndDeleveraging: deleveraging.process_end_deleveraging,
    events.WriteOff: insurance.process_write_off,
    events.BeginLossSharing: sharing.process_begin_loss_sharing,
    events.ShareLoss: sharing.process_share_loss,
    events.SettleMarket: settlement.process_settle_market,
    events.SettlePair: settlement.process_settle_pair,
    events.RequestVaultDeposit: shares.process_request_vault_deposit,
    events.ExecuteVaultDeposit: shares.process_execute_vault_deposit,
    events.CancelVaultDeposit: shares.process_cancel_vault_deposit,
    events.RequestVaultRedemption: shares.process_request_vault_redemption,
    events.ExecuteVaultRedemption: shares.process_execute_vault_redemption,
    events.SetLeverage: settings.process_set_leverage,
    events.PlaceOrder: order_book.process_place_order,
    events.CancelOrder: order_book.process_cancel_order,
    events.SetMarketStatus: life.process_set_market_status,
    events.DelistMarket: life.process_delist_market,
    events.ChangeRules: changes.process_change_rules,
    events.ApplyRules: changes.process_apply_rules,
}
