"""The last stage: a certified queue of opposite positions closes what nobody else took."""

from __future__ import annotations

from typing import Any

from riskcore import events
from riskcore.choices import CloseOut
from riskcore.journal import Reason, Reserve, Stage
from riskcore.rules import Rule
from specs.allocation import part_in
from specs.arithmetic import either, every, floor_ratio, implies, larger, magnitude, named, negate, smaller
from specs.case import AccountView, Case
from specs.close_out import are_lots_to_close, excess_of, lots_or_all, share_of
from specs.contract import (
    Contract,
    Effect,
    available,
    available_there,
    drawn,
    header_guard,
    insured,
    more_longs,
    moved,
    owed,
    pay,
    separate_after,
    trade,
)
from specs.gates import cooled_down
from specs.invariant import left_to_get, length_of
from specs.limits import block_has_room
from specs.liquidation import could_take_a_lot, equity_share, forced_guard, toward
from specs.markets import index_fresh, trading_market
from specs.vault import could_take_over


def eligible(case: Case, account: AccountView, against: Any, share: Any, lots: Any) -> Any:
    """Whether an account can be closed against a position of sign ``against``.

    Its whole position at ``share / lots`` a lot must be within its equity and, where
    the rulebook says so and something is to be paid, within that position's profit.
    """
    mark = case.before.market.mark_price
    burden = share * magnitude(account.size)
    profit = account.size * mark - account.cost
    needs_profit = case.rulebook.adl_requires_profit & (share > 0)
    return every(
        ((account.size > 0) & (against < 0)) | ((account.size < 0) & (against > 0)),
        account.equity >= 0,
        account.equity * lots >= burden,
        implies(needs_profit, profit * lots >= burden),
    )


def paid(episode: Any, done: Any) -> Any:
    """Atoms paid by counterparties when ``done`` lots are closed."""
    return floor_ratio(episode.share * done, episode.lots)


def passed_on(episode: Any, done: Any) -> Any:
    """Atoms of that which the insurance fund has when ``done`` lots are closed."""
    return floor_ratio(episode.excess * done, episode.lots)


def lots_asked(case: Case, account: AccountView) -> Any:
    """Lots that the event is to close."""
    return lots_or_all(account.size, case.event.size)


def share_to_pay(case: Case, account: AccountView, lots: Any) -> Any:
    """Atoms against mark that counterparties pay together for ``lots``."""
    lost = -equity_share(case, account, lots)
    return share_of(case.rulebook, case.before.market, account.size, lots, lost)


def excess_to_pass(case: Case, account: AccountView, lots: Any) -> Any:
    """Atoms of it that are the insurance fund's."""
    lost = -equity_share(case, account, lots)
    return excess_of(case.rulebook, case.before.market, account.size, lots, lost)


def lots_to_close(case: Case, account: AccountView, lots: Any) -> Any:
    """Whether a deleveraging closes so many."""
    figures = account.size, lots, account.equity, account.maintenance
    return are_lots_to_close(case.rulebook, case.before.market, *figures)


def _begin_guard(case: Case) -> dict[Rule, Any]:
    event, before = case.event, case.before
    rules = {**header_guard(case), **trading_market(case)}
    if before.market is None:
        return rules
    account = before.account(event.account)
    lots = lots_asked(case, account)
    rules |= forced_guard(case, account, lots)
    if case.rejected in rules:
        return rules
    is_bankrupt, market = account.equity < 0, before.market
    best, has_room = either(account.size > 0, market.bid_price, market.ask_price), block_has_room(case, account, 0)
    from_vault = event.account == case.rulebook.vault
    return {
        **rules,
        Rule.ORDERS_REST: account.has_no_orders,
        Rule.LIQUIDATION_COOLDOWN: cooled_down(case, account),
        Rule.LIQUIDATION_BLOCK: is_bankrupt | has_room,
        Rule.BOOK_NOT_EXHAUSTED: implies(
            case.rulebook.has_book & has_room, negate(could_take_a_lot(case, account, best))
        ),
        Rule.ADL_SOLVENT: case.rulebook.adl_solvent | (account.equity <= 0),
        Rule.VAULT_NOT_EXHAUSTED: from_vault | negate(could_take_over(case, account, 1)),
        Rule.INSURANCE_NOT_EXHAUSTED: implies(case.rulebook.insurance_before_adl & is_bankrupt, available(case) == 0),
        Rule.INDEX_STALE: implies(case.rulebook.adl_close_out == CloseOut.INDEX, index_fresh(case)),
        Rule.NOT_THE_LOTS_TO_CLOSE: lots_to_close(case, account, lots),
        Rule.QUEUE_NOT_RANKED: case.is_ranked,
        Rule.LEVEL_NOT_EXACT: case.remainder >= 0,
        Rule.NOTHING_TO_BOOK: (share_to_pay(case, account, lots) > excess_to_pass(case, account, lots))
        | (length_of(event) > 0),
    }


def _begin_effect(case: Case) -> Effect:
    account, episode = case.before.account(case.event.account), case.after.deleveraging
    lots = lots_asked(case, account)
    return Effect(
        deleveraging=every(
            episode is not None,
            episode.account == case.event.account,
            episode.market == case.event.market,
            episode.lots == lots,
            episode.share == share_to_pay(case, account, lots),
            episode.done == 0,
            episode.queue is case.event.queue,
            episode.head == 0,
            episode.excess == excess_to_pass(case, account, lots),
            episode.sequence == case.before.sequence,
            episode.level_lots == case.event.level_lots,
            episode.level_weight == case.event.level_weight,
            episode.remainder == case.remainder,
        )
    )


def _step_guard(case: Case) -> dict[Rule, Any]:
    rules = header_guard(case, while_deleveraging=True)
    episode = case.before.deleveraging
    rules[Rule.DELEVERAGING_NOT_OPEN] = episode is not None
    if episode is not None:
        rules[Rule.QUEUE_EXHAUSTED] = episode.head < length_of(episode)
    return rules


def lots_more(case: Case) -> Any:
    """The lot that the head closes beyond its part rounded down: one, if its part has a fraction and any is left."""
    episode = case.before.deleveraging
    least, most = part_in(case, episode, case.before.account(case.head))
    return smaller(episode.remainder, most - least)


def step_lots(case: Case) -> Any:
    """Lots that the head closes: its part, as far as there are lots left to close."""
    episode = case.before.deleveraging
    least, _ = part_in(case, episode, case.before.account(case.head))
    return named("lots", smaller(episode.lots - episode.done, least + lots_more(case)))


def closes_nothing(case: Case) -> bool:
    """Whether the event is a step in which the head has no lot to close."""
    return isinstance(case.event, events.Deleverage) and not step_lots(case) > 0


def _step_effect(case: Case) -> Effect:
    before, episode = case.before, case.before.deleveraging
    account, head = before.account(episode.account), before.account(case.head)
    lots = step_lots(case)
    if closes_nothing(case):
        return Effect(deleveraging=_advanced(case, episode.done))
    payment = paid(episode, episode.done + lots) - paid(episode, episode.done)
    overshoot = passed_on(episode, episode.done + lots) - passed_on(episode, episode.done)
    change = toward(account, lots)
    debit = change * before.market.mark_price - payment
    return Effect(
        accounts=(
            (episode.account, moved(case, account, change, debit, overshoot)),
            (case.head, moved(case, head, -change, -debit)),
        ),
        reserves={
            "transit": before.reserves.transit + owed(case, account) + owed(case, head),
            "insurance": before.reserves.insurance + overshoot,
        },
        market={
            "open_interest": before.market.open_interest
            + more_longs(account.size, change)
            + more_longs(head.size, -change),
            **insured(case, overshoot),
        },
        separate_insurance=separate_after(case, overshoot),
        deleveraging=_advanced(case, episode.done + lots),
        lines=(
            *trade(case, episode.account, case.head, change, debit, Reason.CLOSE_OUT, Stage.DELEVERAGING),
            pay(episode.account, Reserve.INSURANCE, overshoot, Reason.OVERSHOOT, Stage.DELEVERAGING),
        ),
    )


def _advanced(case: Case, done: Any) -> Any:
    """The queue moved on by one head, or closed with the last lot."""
    episode, after = case.before.deleveraging, case.after.deleveraging
    if after is None:
        return done == episode.lots
    return every(
        done < episode.lots,
        after.account == episode.account,
        after.market == episode.market,
        after.lots == episode.lots,
        after.share == episode.share,
        after.done == done,
        after.queue is episode.queue,
        after.head == episode.head + 1,
        after.excess == episode.excess,
        after.sequence == episode.sequence,
        after.level_lots == episode.level_lots,
        after.level_weight == episode.level_weight,
        after.remainder == episode.remainder - lots_more(case),
    )


def _end_guard(case: Case) -> dict[Rule, Any]:
    rules = header_guard(case, while_deleveraging=True)
    episode = case.before.deleveraging
    rules[Rule.DELEVERAGING_NOT_OPEN] = episode is not None
    if episode is not None:
        rules[Rule.QUEUE_NOT_EXHAUSTED] = episode.head >= length_of(episode)
    return rules


def unpaid(case: Case) -> Any:
    """Atoms that the account was to get, and the queue could not pay."""
    return larger(left_to_get(case.before.deleveraging), 0)


def _end_effect(case: Case) -> Effect:
    before, episode = case.before, case.before.deleveraging
    account, missing = before.account(episode.account), unpaid(case)
    covered = smaller(missing, available_there(case))
    return Effect(
        accounts=((episode.account, {"balance": account.balance + missing}),),
        reserves={
            "insurance": before.reserves.insurance - covered,
            "uncovered": before.reserves.uncovered - (missing - covered),
        },
        market={"insurance_used": before.market.insurance_used + covered, **insured(case, -covered)},
        separate_insurance=separate_after(case, -covered),
        draws=drawn(case, covered),
        deleveraging=case.after.deleveraging is None,
        lines=(
            pay(Reserve.INSURANCE, episode.account, covered, Reason.COVER, Stage.INSURANCE),
            pay(Reserve.UNCOVERED, episode.account, missing - covered, Reason.WRITE_OFF, Stage.UNCOVERED),
        ),
    )


CONTRACTS = (
    Contract(event=events.BeginDeleveraging, guard=_begin_guard, effect=_begin_effect),
    Contract(event=events.Deleverage, guard=_step_guard, effect=_step_effect),
    Contract(event=events.EndDeleveraging, guard=_end_guard, effect=_end_effect),
)
