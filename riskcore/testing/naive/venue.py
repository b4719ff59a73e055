"""The whole model: every event by the name of its kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from riskcore.testing.naive.deleveraging import Deleveraging
from riskcore.testing.naive.life import Life
from riskcore.testing.naive.losses import Losses
from riskcore.testing.naive.money import Money
from riskcore.testing.naive.needs import get_broken
from riskcore.testing.naive.prices import Prices
from riskcore.testing.naive.shares import Shares

if TYPE_CHECKING:
    from riskcore.events import Event


class Venue(Money, Prices, Deleveraging, Losses, Shares, Life):
    """The model. ``apply`` one event after the other, compare ``view()``."""

    def apply(self, event: Event) -> set[str]:
        """Let it happen, or leave all as it was and give the names of the rules it breaks."""
        kind = type(event).__name__
        broken = get_broken(
            DUPLICATE_ID=event.id not in self.seen,
            SEQUENCE_NOT_AHEAD=event.sequence > self.sequence,
            TIME_BACKWARDS=event.timestamp >= self.time,
            DELEVERAGING_OPEN=self.episode is None or kind in ("Deleverage", "EndDeleveraging"),
            SHARING_OPEN=self.sharing is None or kind == "ShareLoss",
        )
        trial = self.copy()
        broken |= PROCESSES[kind](trial, event)
        if not broken:
            self.__dict__.update(trial.__dict__)
            self.seen.add(event.id)
            self.sequence, self.time = event.sequence, event.timestamp
        return broken


PROCESSES: dict[str, Callable[[Venue, Any], set[str]]] = {
    "ListMarket": Venue.list_market,
    "Deposit": Venue.deposit,
    "Withdraw": Venue.withdraw,
    "Transfer": Venue.transfer,
    "FundInsurance": Venue.fund_insurance,
    "RepayLoss": Venue.repay_loss,
    "AdvanceTime": Venue.advance_time,
    "MarkPrice": Venue.mark_price,
    "IndexPrice": Venue.index_price,
    "ApplyFunding": Venue.apply_funding,
    "Fill": Venue.fill,
    "LiquidationFill": Venue.liquidation_fill,
    "Takeover": Venue.takeover,
    "CoverDeficit": Venue.cover_deficit,
    "BeginDeleveraging": Venue.begin_deleveraging,
    "Deleverage": Venue.deleverage,
    "EndDeleveraging": Venue.end_deleveraging,
    "WriteOff": Venue.write_off,
    "BeginLossSharing": Venue.begin_loss_sharing,
    "ShareLoss": Venue.share_loss,
    "SettleMarket": Venue.settle_market,
    "SettlePair": Venue.settle_pair,
    "RequestVaultDeposit": Venue.request_vault_deposit,
    "ExecuteVaultDeposit": Venue.execute_vault_deposit,
    "CancelVaultDeposit": Venue.cancel_vault_deposit,
    "RequestVaultRedemption": Venue.request_vault_redemption,
    "ExecuteVaultRedemption": Venue.execute_vault_redemption,
    "SetLeverage": Venue.set_leverage,
    "PlaceOrder": Venue.place_order,
    "CancelOrder": Venue.cancel_order,
    "SetMarketStatus": Venue.set_market_status,
    "DelistMarket": Venue.delist_market,
    "ChangeRules": Venue.change_rules,
    "ApplyRules": Venue.apply_rules,
}
