"""The proposals by what they are about: names of a proposer's methods."""

from __future__ import annotations

MONEY = ("deposit", "withdraw", "transfer", "fund_insurance", "repay_loss")


PRICES = ("advance_time", "list_market", "drift", "index", "crash", "apply_funding")


TRADES = ("open_fill", "reduce_fill", "set_leverage")


#: Where orders rest: most are taken, so that positions come of them.
BOOK = ("take_order",) * 7 + ("place_order",) * 4 + ("cancel_order",)


WATERFALL = (
    "liquidation_fill",
    "liquidation_fill",
    "takeover",
    "takeover",
    "takeover",
    "cover_deficit",
    "write_off",
    "begin_deleveraging",
    "begin_deleveraging",
    "begin_deleveraging",
    "begin_deleveraging",
    "begin_deleveraging",
    "begin_wrongly",
)


STEPS = ("deleverage", "end_deleveraging", "share_loss", "begin_loss_sharing")


SETTLEMENT = ("settle_market", "settle_pair")


LIFE = ("set_market_status", "delist_market", "change_rules", "apply_rules")


SHARES = (
    "execute_vault_deposit",
    "cancel_vault_deposit",
    "request_vault_deposit",
    "request_vault_redemption",
    "execute_vault_redemption",
)


SOUND = (*MONEY, *PRICES, *TRADES, *WATERFALL, *STEPS, *SETTLEMENT, *SHARES, *LIFE, "place_order", "cancel_order")
