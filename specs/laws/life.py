"""Where a market is in its life, what may happen in it there, and how many contracts there may be."""

from __future__ import annotations

from typing import Any

from riskcore import events
from riskcore.choices import MarketStatus
from specs.arithmetic import both_ways, every, implies, is_plain, magnitude, negate
from specs.case import AccountView, Case
from specs.changes import may_change_at_once
from specs.contract import toward_zero
from specs.laws.law import Law
from specs.laws.prices import no_trade_by_choice
from specs.status import ENDS, REVERSIBLE, is_ending, is_one_of

#: Where contracts move, or are about to, that no settlement moves.
MOVES = frozenset({events.Fill, events.LiquidationFill, events.Takeover, events.BeginDeleveraging})


def _is_kept(case: Case) -> Any:
    """The same word as before; a market is listed open."""
    before, after = case.before.market, case.after.market
    if before is None or after is None:
        return after is None or after.status == MarketStatus.OPEN
    return every(*(both_ways(before.status == word, after.status == word) for word in MarketStatus))


def _life_goes_on(case: Case) -> Any:
    """One word into another as the events say, and nobody holds anything of what is delisted."""
    before, after, event = case.before.market, case.after.market, case.event
    if isinstance(event, events.SetMarketStatus):
        return every(negate(is_ending(before)), is_one_of(after.status, *REVERSIBLE))
    if isinstance(event, events.SettleMarket):
        return every(negate(is_ending(before)), after.status == MarketStatus.SETTLING)
    ids = case.orders_to_check()
    return every(
        before.status == MarketStatus.SETTLING,
        after.status == MarketStatus.DELISTED,
        case.after.sum_longs == 0,
        after.insurance == 0,
        *(negate(case.after.order(id).rests & (case.after.order(id).market == event.market)) for id in ids),
    )


def _nothing_moves_in_a_pause(case: Case) -> Any:
    return negate(is_one_of(case.before.market.status, MarketStatus.PAUSED, *ENDS))


def _nobody_enters_what_closes(case: Case) -> Any:
    """The vault may, when it takes over."""
    takes_over = isinstance(case.event, events.Takeover)

    def may(id: Any) -> Any:
        return takes_over & (id == case.rulebook.vault)

    stays = every(*(may(id) | _is_closer(case.before.account(id), case.after.account(id)) for id in case.touched))
    return implies(case.before.market.status == MarketStatus.CLOSE_ONLY, stays)


def _is_closer(before: AccountView, after: AccountView) -> Any:
    """Whether a position is no larger, and on no other side."""
    return toward_zero(before.size, after.size) | (before.size == after.size)


def _forced_closes_open_nothing(case: Case) -> Any:
    before, after = case.before, case.after
    return every(*(magnitude(after.account(id).size) <= magnitude(before.account(id).size) for id in case.touched))


def _same(value: Any, expected: Any) -> Any:
    """Whether two are the same rules, or none; of symbols that are not the same nothing is known."""
    if value is expected or value is None or expected is None:
        return value is expected
    return is_plain(value.initial_margin_rate) and value == expected


def _who_needs_more_is_told(case: Case) -> Any:
    """Either the market has the new rules, or they wait; and none of them are of effect before their time."""
    before, after, event = case.before.market, case.after.market, case.event
    nothing_waits = after.pending is None
    if isinstance(event, events.ApplyRules):
        return every(_same(after.rules, before.pending), event.timestamp >= before.pending_time, nothing_waits)
    if nothing_waits:
        return every(_same(after.rules, event.rules), may_change_at_once(case))
    is_told = after.pending_time - event.timestamp >= case.rulebook.rules_notice
    return every(_same(after.rules, before.rules), _same(after.pending, event.rules), is_told)


def _rules_stand(case: Case) -> Any:
    before, after = case.before.market, case.after.market
    if before is None or after is None:
        return after is None or after.pending is None
    is_kept = (_same(getattr(after, name), getattr(before, name)) for name in ("rules", "pending"))
    return every(*is_kept, after.pending_time == before.pending_time)


def _open_interest_has_room(case: Case) -> Any:
    market, opened = case.before.market, case.after.market.open_interest
    limit = market.rules.open_interest_limit
    is_within = (limit == 0) | (opened * market.mark_price <= limit)
    return (opened <= market.open_interest) | is_within


def _open_interest_does_not_rise(case: Case) -> Any:
    before, after = case.before.market, case.after.market
    if before is None:
        return after is None or after.open_interest == 0
    return after.open_interest <= before.open_interest


LAWS = (
    Law(
        "LIFE-1",
        "a market is listed open; open, close-only and paused follow each other until it is settled, and nothing does "
        "but to be delisted, when nobody holds anything of it, no order rests and no part of the insurance fund is "
        "its own",
        frozenset({events.SetMarketStatus, events.SettleMarket, events.DelistMarket}),
        _life_goes_on,
        _is_kept,
    ),
    Law(
        "LIFE-2",
        "in a paused market no contract moves, by choice or by force, until it goes on or is settled",
        MOVES,
        _nothing_moves_in_a_pause,
        no_trade_by_choice,
    ),
    Law(
        "LIFE-3",
        "in a close-only market nobody's position grows or changes sides, but the vault's in a takeover",
        frozenset({events.Fill, events.LiquidationFill, events.Takeover}),
        _nobody_enters_what_closes,
        _forced_closes_open_nothing,
    ),
    Law(
        "LIFE-4",
        "open interest rises in a fill alone, and to no more than the market's limit at mark",
        frozenset({events.Fill}),
        _open_interest_has_room,
        _open_interest_does_not_rise,
    ),
    Law(
        "LIFE-5",
        "a market's rules change only where they are changed: at once if nobody is in it, or needs more maintenance by "
        "them at any size and mark (a lemma), else no sooner than the rulebook's notice after they were announced",
        frozenset({events.ChangeRules, events.ApplyRules}),
        _who_needs_more_is_told,
        _rules_stand,
    ),
)
