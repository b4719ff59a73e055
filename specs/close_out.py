"""On which terms a deleveraging closes: the counterparties' share, what of it is the fund's, and how many lots."""

from __future__ import annotations

from typing import Any

from riskcore.choices import AdlSize, CloseOut
from specs.arithmetic import either, every, floor_ratio, implies, is_plain, larger, magnitude, named, smaller
from specs.tiers import maintenance_requirement


def lots_or_all(size: Any, asked: Any) -> Any:
    """Lots to close: where the event names none, all; of no position one, which it has not."""
    return either(asked == 0, larger(magnitude(size), 1), asked)


def price_worth(rulebook: Any, market: Any, size: Any, lots: Any) -> Any:
    """Atoms by which ``lots`` are worth more to their owner at the rulebook's fixed price than at mark."""
    previous, index = market.previous_mark_price - market.mark_price, market.index_price - market.mark_price
    better = either(rulebook.adl_close_out == CloseOut.PREVIOUS_MARK, previous, 0)
    better = better + either(rulebook.adl_close_out == CloseOut.INDEX, index, 0)
    return either(size > 0, lots, -lots) * better


def share_of(rulebook: Any, market: Any, size: Any, lots: Any, lost: Any) -> Any:
    """Atoms against mark that counterparties pay together for ``lots`` that have ``lost`` so much of equity.

    At bankruptcy price just that. Else what the lots are worth at the price that is fixed; but the
    counterparties get no more than the equity that the lots still have, and nothing where they have none.
    """
    fixed = larger(price_worth(rulebook, market, size, lots), smaller(lost, 0))
    return named("share", either(rulebook.adl_close_out == CloseOut.BANKRUPTCY, lost, fixed))


def excess_of(rulebook: Any, market: Any, size: Any, lots: Any, lost: Any) -> Any:
    """Atoms of it that the lots have not lost, and so are the fund's."""
    too_much = larger(share_of(rulebook, market, size, lots, lost) - larger(lost, 0), 0)
    return named("excess", either(rulebook.adl_close_out == CloseOut.BANKRUPTCY, 0, too_much))


def spare_after(rulebook: Any, market: Any, size: Any, lots: Any, equity: Any, maintenance: Any) -> Any:
    """Atoms above maintenance of who has so much equity and maintenance, once ``lots`` of ``size`` are closed out."""
    rest = maintenance_requirement(market, magnitude(size) - lots)
    released = maintenance_requirement(market, size) - rest
    lost = -floor_ratio(equity * released, maintenance)
    share, excess = (figure(rulebook, market, size, lots, lost) for figure in (share_of, excess_of))
    return equity + share - excess - (maintenance - released)


def is_enough(rulebook: Any, market: Any, size: Any, lots: Any, equity: Any, maintenance: Any) -> Any:
    """Whether an account of which so many lots are closed is at maintenance then, or has none left."""
    spare = spare_after(rulebook, market, size, lots, equity, maintenance)
    return (lots == magnitude(size)) | (spare >= 0)


def is_fewest(rulebook: Any, market: Any, size: Any, lots: Any, equity: Any, maintenance: Any) -> Any:
    """Whether ``lots`` are enough to be at maintenance, or all; and one less is not."""
    less = spare_after(rulebook, market, size, lots - 1, equity, maintenance)
    return every(less < 0, is_enough(rulebook, market, size, lots, equity, maintenance))


def are_lots_to_close(rulebook: Any, market: Any, size: Any, lots: Any, equity: Any, maintenance: Any) -> Any:
    """Whether a deleveraging closes so many: all; of who has equity left, where the rulebook says so, the fewest.

    For the prover the fewest are known by name.
    """
    is_whole = (rulebook.adl_size == AdlSize.WHOLE) | (equity <= 0)
    figures = size, lots, equity, maintenance
    if is_plain(*figures):
        return lots == magnitude(size) if is_whole else is_fewest(rulebook, market, *figures)
    return every(implies(is_whole, lots == magnitude(size)), is_whole | are_fewest(*figures))


def are_fewest(size: Any, lots: Any, equity: Any, maintenance: Any) -> Any:
    """That lots are the fewest, by name."""
    return size.call("are_fewest", size, lots, equity, maintenance) == 1


def fewest_are_enough(rulebook: Any, market: Any, size: Any, lots: Any, equity: Any, maintenance: Any) -> Any:
    """What is known of the name where some of a position's lots are closed: it stands for ``is_fewest``."""
    figures = size, lots, equity, maintenance
    is_possible = every(lots >= 1, lots <= magnitude(size), maintenance > 0)
    return implies(is_possible & are_fewest(*figures), is_enough(rulebook, market, *figures))
