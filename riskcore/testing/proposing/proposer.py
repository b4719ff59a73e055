"""Which event comes next."""

from __future__ import annotations

from riskcore.events import Event
from riskcore.testing.proposing.kinds import BOOK, SOUND, WATERFALL
from riskcore.testing.proposing.life import Life
from riskcore.testing.proposing.shares import Shares
from riskcore.testing.proposing.spoiling import Spoiling
from riskcore.testing.proposing.trades import Trades
from riskcore.testing.proposing.waterfall import Waterfall


class Proposer(Trades, Waterfall, Life, Shares, Spoiling):
    """Proposes events that are likely to lead on, given where the venue stands, or spoilt ones."""

    def propose(self) -> Event:
        """Any of the above, more often one that fits."""
        kinds: tuple[str, ...] = SOUND
        if self.venue.sharing is not None and self.random.random() < 0.8:
            kinds = ("share_loss",)
        elif self.is_open() and self.random.random() < 0.8:
            kinds = ("deleverage", "deleverage", "deleverage", "end_deleveraging")
        elif self.is_pool_short() and self.random.random() < 0.2:
            kinds = ("run_on_the_pool",)
        elif self.has_sick() and self.random.random() < 0.6:
            kinds = WATERFALL + ("liquidation_fill",) * (6 * self.venue.rulebook.has_book)
        elif self.is_at_maintenance() and self.random.random() < 0.15:
            kinds = WATERFALL
        elif self.is_settling() and self.random.random() < 0.5:
            kinds = ("settle_pair",)
        elif self.has_flat_debtor() and self.random.random() < 0.2:
            kinds = ("cover_deficit", "write_off")
        elif self.shares_losses() and self.random.random() < 0.2:
            kinds = ("begin_loss_sharing", "begin_loss_sharing", "begin_loss_sharing", "share_wrongly")
        elif self.venue.losses and self.random.random() < 0.1:
            kinds = ("withdraw", "withdraw", "withdraw", "repay_loss")
        elif self._tickets() and self.random.random() < 0.35:
            kinds = BOOK
        elif self.random.random() < 0.1:
            kinds = ("move_shares",)
        elif self.random.random() < 0.06:
            kinds = ("draw_out", "draw_out", "gap")
        elif self._is_shut() and self.random.random() < 0.4:
            kinds = ("set_market_status", "reduce_fill", "reduce_fill")
        elif self.random.random() < 0.04:
            kinds = ("set_market_status", "set_market_status", "delist_market", "change_rules")
        elif self._has_pending() and self.random.random() < 0.5:
            kinds = ("apply_rules",)
        elif self.random.random() < 0.5:
            kinds = ("open_fill", "open_fill", "bargain", "crash", "reduce_fill", "open_fill", "crash", "set_leverage")
        elif self.random.random() < 0.3:
            kinds = ("spoil",)
        event: Event = getattr(self, self.random.choice(kinds))()
        return event
