"""Which function an event's transition is. ``step`` looks it up; nothing else is said here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from riskcore import events
from riskcore.cash import (
    process_deposit,
    process_fund_insurance,
    process_repay_loss,
    process_transfer,
    process_withdraw,
)
from riskcore.changes import process_apply_rules, process_change_rules
from riskcore.deleveraging import process_begin_deleveraging, process_deleverage, process_end_deleveraging
from riskcore.funding import process_apply_funding
from riskcore.insurance import process_cover_deficit, process_write_off
from riskcore.journal import Journal
from riskcore.life import process_delist_market, process_set_market_status
from riskcore.liquidation import process_liquidation_fill
from riskcore.markets import process_advance_time, process_index_price, process_list_market, process_mark_price
from riskcore.order_book import process_cancel_order, process_place_order
from riskcore.settings import process_set_leverage
from riskcore.settlement import process_settle_market, process_settle_pair
from riskcore.shares import (
    process_cancel_vault_deposit,
    process_execute_vault_deposit,
    process_execute_vault_redemption,
    process_request_vault_deposit,
    process_request_vault_redemption,
)
from riskcore.sharing import process_begin_loss_sharing, process_share_loss
from riskcore.state import State
from riskcore.trading import process_fill
from riskcore.vault import process_takeover

#: The transition of each event.
TRANSITIONS: dict[type[events.Header], Callable[[State, Any], Journal]] = {
    events.ListMarket: process_list_market,
    events.Deposit: process_deposit,
    events.Withdraw: process_withdraw,
    events.Transfer: process_transfer,
    events.FundInsurance: process_fund_insurance,
    events.RepayLoss: process_repay_loss,
    events.AdvanceTime: process_advance_time,
    events.MarkPrice: process_mark_price,
    events.IndexPrice: process_index_price,
    events.ApplyFunding: process_apply_funding,
    events.Fill: process_fill,
    events.LiquidationFill: process_liquidation_fill,
    events.Takeover: process_takeover,
    events.CoverDeficit: process_cover_deficit,
    events.BeginDeleveraging: process_begin_deleveraging,
    events.Deleverage: process_deleverage,
    events.EndDeleveraging: process_end_deleveraging,
    events.WriteOff: process_write_off,
    events.BeginLossSharing: process_begin_loss_sharing,
    events.ShareLoss: process_share_loss,
    events.SettleMarket: process_settle_market,
    events.SettlePair: process_settle_pair,
    events.RequestVaultDeposit: process_request_vault_deposit,
    events.ExecuteVaultDeposit: process_execute_vault_deposit,
    events.CancelVaultDeposit: process_cancel_vault_deposit,
    events.RequestVaultRedemption: process_request_vault_redemption,
    events.ExecuteVaultRedemption: process_execute_vault_redemption,
    events.SetLeverage: process_set_leverage,
    events.PlaceOrder: process_place_order,
    events.CancelOrder: process_cancel_order,
    events.SetMarketStatus: process_set_market_status,
    events.DelistMarket: process_delist_market,
    events.ChangeRules: process_change_rules,
    events.ApplyRules: process_apply_rules,
}
