"""Who may be liquidated, and what a forced close may cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from riskcore import events
from riskcore.journal import Pay, Reserve, Stage, Trade
from specs.arithmetic import RATE_ONE, every, implies, larger, magnitude, smaller, some
from specs.case import AccountView, Case
from specs.contract import toward_zero
from specs.deleveraging import closes_nothing, step_lots
from specs.gates import just_liquidated, no_dust, remembers
from specs.laws.law import Law
from specs.limits import block_has_room, sold_in_market, sold_of_account, step_is_ahead, target_is_ahead
from specs.liquidation import equity_share, toward

#: The events that close a position by force.
FORCED = frozenset({events.LiquidationFill, events.Takeover, events.Deleverage})


def get_liquidated(case: Case) -> Any:
    """The id whose position is closed by force."""
    event = case.event
    return event.account if hasattr(event, "account") else case.before.deleveraging.account


def _healthy_accounts_are_never_liquidated(case: Case) -> Any:
    account = case.before.account(get_liquidated(case))
    return account.equity < account.maintenance


def _forced_lots(case: Case) -> Any:
    return step_lots(case) if isinstance(case.event, events.Deleverage) else case.event.size


def _liquidation_only_shrinks(case: Case) -> Any:
    before, after = case.before.account(get_liquidated(case)), case.after.account(get_liquidated(case))
    if closes_nothing(case):
        return not case.touched
    return every(
        toward_zero(before.size, after.size),
        magnitude(before.size) - magnitude(after.size) == _forced_lots(case),
    )


def _fills_are_no_worse_than_bankruptcy(case: Case) -> Any:
    event, before = case.event, case.before.account(case.event.account)
    after = case.after.account(case.event.account)
    loss = toward(before, event.size) * (event.price - case.before.market.mark_price)
    missing = larger(loss - equity_share(case, before, event.size), 0)
    fund = sum(line.amount for line in case.effects if isinstance(line, Pay) and line.payer is Reserve.INSURANCE)
    band = case.rulebook.insurance_fill_band * event.size * case.before.market.mark_price
    return every(
        fund == missing,
        implies(missing > 0, case.rulebook.insurance_backs_fills & (loss * RATE_ONE <= band)),
        implies(before.equity >= 0, after.equity >= 0),
        implies(before.equity < 0, after.equity >= before.equity),
    )


def _equity_per_requirement_does_not_fall(case: Case) -> Any:
    before, after = case.before.account(get_liquidated(case)), case.after.account(get_liquidated(case))
    return after.equity * before.maintenance >= before.equity * after.maintenance


#: The stages that close an account's position because of what it is worth.
FORCED_STAGES = (Stage.BOOK, Stage.VAULT, Stage.DELEVERAGING)


def no_forced_trade(case: Case) -> Any:
    """Outside of forced closes: contracts move only where both sides want it, or the market ends."""
    return all(line.stage not in FORCED_STAGES for line in case.effects if isinstance(line, Trade))


def only_the_open_episode_is_closed(case: Case) -> Any:
    """Outside of LIQ-1: nothing is closed by force but what an open deleveraging was begun for."""
    forced = [line for line in case.effects if isinstance(line, Trade) and line.stage in FORCED_STAGES]
    if not forced:
        return True
    episode = case.before.deleveraging
    if episode is None:
        return False
    return every(*((line.buyer == episode.account) | (line.seller == episode.account) for line in forced))


def _closed_lots_have_one_taker(case: Case) -> Any:
    if closes_nothing(case):
        return not case.touched
    id = get_liquidated(case)
    moved_lots = [case.after.account(other).size - case.before.account(other).size for other in case.touched]
    closed = case.after.account(id).size - case.before.account(id).size
    takers = [(case.after.account(other).size - case.before.account(other).size) == -closed for other in case.touched]
    return every(sum(moved_lots, start=0) == 0, some(*takers), len(case.touched) == 2)


def _fills_close_no_more_than_the_share(case: Case) -> Any:
    event, rules, mark = case.event, case.before.market.rules, case.before.market.mark_price
    before, after = case.before.account(event.account), case.after.account(event.account)
    held = magnitude(before.size)
    is_small = held * mark <= rules.liquidation_share_floor
    is_share = event.size * RATE_ONE < held * rules.liquidation_share + RATE_ONE
    # a share that leaves dust is as good as all
    is_rest_dust = held * (RATE_ONE - rules.liquidation_share) < rules.minimum_size * RATE_ONE
    return every(
        some(is_small, is_share, is_rest_dust, just_liquidated(case, before)),
        implies(remembers(case), after.liquidated == event.timestamp),
    )


def _no_lot_goes_beyond(is_ahead: Callable[[Case, AccountView, Any], Any]) -> Callable[[Case], Any]:
    """Before its last lot a fill was not there yet; or the least that may be left, which is then sold too, is not."""

    def holds(case: Case) -> Any:
        before, after = case.before.account(case.event.account), case.after.account(case.event.account)
        held, least = magnitude(before.size), case.before.market.rules.minimum_size
        left = magnitude(after.size) + 1
        is_least = implies(held > least, is_ahead(case, before, least))
        return is_ahead(case, before, left) | ((left < least) & is_least)

    return holds


def _a_block_is_left_its_room(case: Case) -> Any:
    """In a deleveraging: there was room for a lot. In a fill: but for its last lot there was, and all is counted."""
    before, market = case.before.account(case.event.account), case.before.market
    if isinstance(case.event, events.BeginDeleveraging):
        return (before.equity < 0) | block_has_room(case, before, 0)
    after, worth = case.after.account(case.event.account), case.event.size * market.mark_price
    held, least = magnitude(before.size), market.rules.minimum_size
    closed = smaller(case.event.size - 1, larger(held - least, 0))
    is_counted = case.after.market.sold == sold_in_market(case) + worth
    return every(
        block_has_room(case, before, closed),
        implies(remembers(case), after.sold == sold_of_account(case, before) + worth),
        implies(
            market.rules.liquidation_block_limit > 0, is_counted & (case.after.market.sold_time == case.event.timestamp)
        ),
    )


def _nothing_is_counted(case: Case) -> Any:
    """Outside: what was sold in a block stands."""
    before, after = case.before.market, case.after.market
    kept = [case.after.account(id).sold == case.before.account(id).sold for id in case.touched]
    if before is not None and after is not None:
        kept += [after.sold == before.sold, after.sold_time == before.sold_time]
    return every(*kept) & _nothing_goes_to_the_book(case)


def _nobody_is_marked_as_liquidated(case: Case) -> Any:
    """Outside of LIQ-5: nothing is sold to the book, and what accounts remember stands."""
    kept = [case.after.account(id).liquidated == case.before.account(id).liquidated for id in case.touched]
    return every(_nothing_goes_to_the_book(case), *kept)


def _nothing_goes_to_the_book(case: Case) -> Any:
    return all(line.stage is not Stage.BOOK for line in case.effects)


def _only_the_bankrupt_do_not_wait(case: Case) -> Any:
    account, cooldown = case.before.account(case.event.account), case.rulebook.liquidation_cooldown
    since = case.event.timestamp - account.liquidated
    return some(account.equity < 0, account.liquidated < 0, since >= cooldown)


def _no_stage_begins(case: Case) -> Any:
    """Outside of LIQ-6: nothing goes to the book, and counterparties close only in a deleveraging that had begun."""
    closes = [line for line in case.effects if line.stage is Stage.DELEVERAGING]
    return _nothing_goes_to_the_book(case) and (not closes or case.before.deleveraging is not None)


def _fills_leave_no_dust(case: Case) -> Any:
    sizes = [(case.before.account(id).size, case.after.account(id).size) for id in case.touched]
    return every(*(no_dust(case, before, after) for before, after in sizes))


def _no_fill(case: Case) -> Any:
    """Outside of DUST-1: what trades is no fill."""
    return all(line.stage not in (Stage.ORDINARY, Stage.BOOK) for line in case.effects if isinstance(line, Trade))


LAWS = (
    Law(
        "LIQ-1",
        "an account at or above maintenance is never liquidated",
        frozenset({events.LiquidationFill, events.Takeover, events.BeginDeleveraging}),
        _healthy_accounts_are_never_liquidated,
        only_the_open_episode_is_closed,
    ),
    Law(
        "LIQ-2",
        "liquidation only shrinks a position, never flips it, and closes what was asked",
        FORCED,
        _liquidation_only_shrinks,
        no_forced_trade,
    ),
    Law(
        "LIQ-3",
        "a liquidation fill is no worse than bankruptcy price, or within a band the fund pays exactly the difference",
        frozenset({events.LiquidationFill}),
        _fills_are_no_worse_than_bankruptcy,
        _nothing_goes_to_the_book,
    ),
    Law(
        "LIQ-4",
        "a forced close leaves equity per requirement no lower, fee included",
        frozenset({events.LiquidationFill, events.Takeover}),
        _equity_per_requirement_does_not_fall,
        lambda case: all(line.stage not in (Stage.BOOK, Stage.VAULT) for line in case.effects),
    ),
    Law(
        "LIQ-5",
        "one liquidation fill closes no more than the market's share of a large position, unless the account was just "
        "liquidated",
        frozenset({events.LiquidationFill}),
        _fills_close_no_more_than_the_share,
        _nobody_is_marked_as_liquidated,
    ),
    Law(
        "LIQ-6",
        "between two liquidation fills of an account lies the cooldown, in which it is not deleveraged either; "
        "a bankrupt account does not wait",
        frozenset({events.LiquidationFill, events.BeginDeleveraging}),
        _only_the_bankrupt_do_not_wait,
        _no_stage_begins,
    ),
    Law(
        "LIQ-7",
        "a liquidation fill closes no lot after the one that brings equity at mark to the rulebook's target; all, "
        "where what must be left would not",
        frozenset({events.LiquidationFill}),
        _no_lot_goes_beyond(target_is_ahead),
        _nothing_goes_to_the_book,
    ),
    Law(
        "LIQ-8",
        "where the market steps, a liquidation fill closes no lot after the one that brings the position to the floor "
        "of its bracket; all, where what must be left would not",
        frozenset({events.LiquidationFill}),
        _no_lot_goes_beyond(step_is_ahead),
        _nothing_goes_to_the_book,
    ),
    Law(
        "LIQ-9",
        "in one block no lot is sold after those that reach the limit of the account or of the market, nor is the "
        "account deleveraged then, unless it is bankrupt",
        frozenset({events.LiquidationFill, events.BeginDeleveraging}),
        _a_block_is_left_its_room,
        _nothing_is_counted,
    ),
    Law(
        "DUST-1",
        "a fill leaves no position below its market's minimum size, unless it was below and shrank",
        frozenset({events.Fill, events.LiquidationFill}),
        _fills_leave_no_dust,
        _no_fill,
    ),
    Law(
        "CLOSE-1",
        "each lot closed on a liquidated account lands on exactly one taker",
        FORCED,
        _closed_lots_have_one_taker,
        no_forced_trade,
    ),
)
