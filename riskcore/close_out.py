"""What a deleveraging's close-out price means: who pays what against mark, and how many lots are closed.

At bankruptcy price the counterparties pay what the lots have lost of the account's equity. At any other price
they pay or get its distance from mark, and the account is not better off for it than at bankruptcy price nor
worse, whichever is the case: it never gives more than its lots still have, it never gets more than they have
lost, and one that owes gives nothing. What is paid beyond that is the insurance fund's; what is missing stays
a deficit.
"""

from __future__ import annotations

from typing import NamedTuple

from riskcore.choices import AdlSize, CloseOut
from riskcore.liquidation import get_equity_share
from riskcore.margin import Margin, get_maintenance_requirement
from riskcore.markets import is_index_fresh
from riskcore.quantities import AccountId, Atoms, Lots, MarketId
from riskcore.rulebook import Rulebook
from riskcore.state import Deleveraging, Market, State


class Terms(NamedTuple):
    """Atoms against mark: ``share`` is what the counterparties pay, ``excess`` is what of it is the fund's."""

    share: int
    excess: int


def is_price_fresh(rulebook: Rulebook, market: Market, time: int) -> bool:
    """Whether the price at which the rulebook closes may be relied on at ``time``, beside the mark."""
    return (rulebook.adl_close_out != CloseOut.INDEX) | is_index_fresh(market, time)


def get_lots(size: int, asked: int) -> int:
    """Lots of a position of ``size`` that are to be closed: where none are asked for, all, and of none one."""
    return max(abs(size), 1) if asked == 0 else asked


def get_fixed_price(rulebook: Rulebook, market: Market) -> int:
    """The price at which the rulebook closes; the mark where it closes at bankruptcy price."""
    if rulebook.adl_close_out == CloseOut.PREVIOUS_MARK:
        return market.previous_mark_price
    if rulebook.adl_close_out == CloseOut.INDEX:
        return market.index_price
    return market.mark_price


def get_terms(rulebook: Rulebook, market: Market, margin: Margin, size: int, lots: int) -> Terms:
    """The terms on which ``lots`` of a position of ``size``, in an account at ``margin``, are closed."""
    lost = -get_equity_share(margin, market, size, lots)
    if rulebook.adl_close_out == CloseOut.BANKRUPTCY:
        return Terms(lost, 0)
    better = lots * (get_fixed_price(rulebook, market) - market.mark_price)
    share = max(better if size > 0 else -better, min(lost, 0))
    return Terms(share, max(share - max(lost, 0), 0))


def make_episode(
    state: State,
    account: AccountId,
    market: MarketId,
    lots: int,
    terms: Terms,
    queue: tuple[AccountId, ...],
    level_lots: int = 0,
    level_weight: int = 1,
    remainder: int = 0,
) -> Deleveraging:
    """An episode that is to be opened on these terms."""
    figures, level = (Lots(lots), Atoms(terms.share), Lots(0)), (level_lots, level_weight, Lots(remainder))
    return Deleveraging(account, market, *figures, queue, 0, Atoms(terms.excess), state.sequence, *level)


def get_spare(rulebook: Rulebook, market: Market, margin: Margin, size: int, lots: int) -> int:
    """Atoms above maintenance once ``lots`` of the position of ``size``, in an account at ``margin``, are closed."""
    terms = get_terms(rulebook, market, margin, size, lots)
    rest = get_maintenance_requirement(market, abs(size) - lots)
    maintenance = margin.maintenance - get_maintenance_requirement(market, size) + rest
    return margin.equity + terms.share - terms.excess - maintenance


def are_lots_to_close(rulebook: Rulebook, market: Market, margin: Margin, size: int, lots: int) -> bool:
    """Whether a deleveraging closes so many: all; or, of an account with equity left, no lot more than is enough."""
    if (rulebook.adl_size == AdlSize.WHOLE) | (margin.equity <= 0):
        return lots == abs(size)
    is_fewest = get_spare(rulebook, market, margin, size, lots - 1) < 0
    return is_fewest & ((lots == abs(size)) | (get_spare(rulebook, market, margin, size, lots) >= 0))
