"""The stages in their order, what the vault gets, and that resolution gets somewhere."""

from __future__ import annotations

from typing import Any

from riskcore import events
from riskcore.choices import CloseOut
from riskcore.journal import Stage
from specs.arithmetic import RATE_ONE, every, implies, magnitude, negate
from specs.case import AccountView, Case, Snapshot
from specs.contract import available, available_there
from specs.deleveraging import closes_nothing
from specs.gates import cooled_down
from specs.invariant import length_of
from specs.laws.law import Law
from specs.laws.liquidation import get_liquidated, only_the_open_episode_is_closed
from specs.limits import block_has_room
from specs.liquidation import could_take_a_lot, equity_share
from specs.order_book import rests_in
from specs.sharing import covered_first
from specs.vault import could_take_over, within_limit


def _earlier_stages_are_exhausted(case: Case) -> Any:
    """A book in the state is looked at; another's exhaustion is the log's word, but one that has to wait is none.

    Vault and fund are looked at always.

    For a bankrupt account the book does not wait, whatever a block's limit leaves of it.

    A vault is exhausted when it cannot take one lot. Where an atom of rounding decides,
    it could still take more lots at once: one lot may bring it nothing and two an atom.
    """
    event, before, rulebook = case.event, case.before, case.rulebook
    if isinstance(event, events.Takeover):
        return rulebook.vault_takes_deficits | (before.account(event.account).equity >= 0)
    if isinstance(event, events.CoverDeficit):
        # a vault that takes deficits comes before a fund that is for the flat, and any other takes none
        account = before.account(event.account)
        is_flat = account.maintenance == 0
        return every(
            account.equity < 0,
            rulebook.insurance_before_adl | is_flat,
            negate(rulebook.vault_takes_deficits) | is_flat,
        )
    if isinstance(event, events.BeginDeleveraging):
        account = before.account(event.account)
        vault_is_free = (event.account != rulebook.vault) & could_take_over(case, account, 1)
        fund_is_next = rulebook.insurance_before_adl & (account.equity < 0)
        return every(
            negate(vault_is_free),
            implies(fund_is_next, available(case) == 0),
            _the_book_takes_nothing(case, account),
            cooled_down(case, account),
            (account.equity < 0) | block_has_room(case, account, 0),
            rulebook.adl_solvent | (account.equity <= 0),
        )
    if isinstance(event, events.EndDeleveraging):
        written_off = before.reserves.uncovered - case.after.reserves.uncovered
        is_exhausted = before.deleveraging.head >= length_of(before.deleveraging)
        return every(is_exhausted, implies(written_off > 0, available_there(case, case.after) == 0))
    if isinstance(event, events.WriteOff):
        return every(available(case) == 0, before.account(event.account).maintenance == 0)
    if isinstance(event, events.BeginLossSharing):
        return every(before.reserves.uncovered < 0, _the_fund_is_empty(case) | (case.after.reserves.uncovered == 0))
    if isinstance(event, events.ShareLoss):
        return before.sharing is not None
    return case.before.deleveraging is not None


def _the_book_takes_nothing(case: Case, account: AccountView) -> Any:
    """Where there is a book, and room in the block: of all orders of the other side none can be liquidated to."""
    orders = (case.before.order(id) for id in case.orders_to_check())
    is_bid = account.size > 0
    return implies(
        case.rulebook.has_book & block_has_room(case, account, 0),
        every(
            *(
                implies(
                    rests_in(order, is_bid, case.event.market), negate(could_take_a_lot(case, account, order.price))
                )
                for order in orders
            )
        ),
    )


def _the_fund_is_empty(case: Case) -> Any:
    return available(case, case.after) == 0


def _takeovers_respect_the_vault(case: Case) -> Any:
    vault_before = case.before.account(case.rulebook.vault)
    vault_after = case.after.account(case.rulebook.vault)
    given, account = case.before.account(case.event.account), case.after.account(case.event.account)
    return every(
        given.equity * RATE_ONE <= case.rulebook.takeover_rate * given.maintenance,
        within_limit(case, vault_before.size, vault_after.size),
        # what is not owed costs nothing, and what is owed no more than the vault has
        implies(given.equity >= 0, (vault_after.equity >= vault_before.equity) & (account.equity >= 0)),
        implies(given.equity < 0, account.equity >= given.equity),
        implies(vault_before.equity >= 0, vault_after.equity >= 0),
        implies(account.maintenance == 0, account.equity == 0),
    )


def _the_vault_earns_what_the_account_gives(case: Case) -> Any:
    before, after, vault = case.before, case.after, case.rulebook.vault
    gained = after.account(vault).equity - before.account(vault).equity
    given = before.account(case.event.account).equity - after.account(case.event.account).equity
    share = equity_share(case, before.account(case.event.account), case.event.size)
    return every(gained == given, gained == share)


def _only_takeovers_move_the_vault_by_force(case: Case) -> Any:
    return all(line.stage is not Stage.VAULT for line in case.effects)


def _what_ends_leaves_no_deficit(case: Case) -> Any:
    """An account whose last market is done with owes nothing."""
    event = case.event
    if isinstance(event, events.WriteOff):
        return case.after.account(event.account).equity == 0
    id = get_liquidated(case)
    after = case.after.account(id)
    if isinstance(event, events.Takeover):
        return implies(after.maintenance == 0, after.equity == 0)
    # a deficit that close-outs at other prices leave is covered or written off when the account is flat
    is_bankruptcy = case.rulebook.adl_close_out == CloseOut.BANKRUPTCY
    if isinstance(event, events.EndDeleveraging):
        return implies(is_bankruptcy & (after.rest_maintenance == 0), after.equity >= 0)
    return implies(is_bankruptcy & (after.maintenance == 0), after.equity == 0)


def _resolution_makes_progress(case: Case) -> Any:
    """Each step lowers what is left: open interest, lots to close by force, deficits, or what is uncovered.

    A queue is over with its lots, or when it is exhausted: lots were closed by then, or a deficit is booked.
    """
    event, before, after = case.event, case.before, case.after
    if isinstance(event, events.CoverDeficit | events.WriteOff):
        return after.account(event.account).equity > before.account(event.account).equity
    if isinstance(event, events.EndDeleveraging):
        episode = before.deleveraging
        is_booked = after.account(episode.account).equity > before.account(episode.account).equity
        return (episode.done > 0) | is_booked if after.deleveraging is None else False
    if isinstance(event, events.BeginLossSharing):
        return (after.sharing is not None) | (after.reserves.uncovered > before.reserves.uncovered)
    if isinstance(event, events.ShareLoss):
        return True if after.sharing is None else after.sharing.head > before.sharing.head
    id, opened = get_liquidated(case), after.market.open_interest
    if isinstance(event, events.Deleverage):
        is_further = True if after.deleveraging is None else after.deleveraging.head > before.deleveraging.head
        # a part may be no lot; then the queue moves on
        return is_further & (closes_nothing(case) or opened < before.market.open_interest)
    is_smaller = magnitude(after.account(id).size) < magnitude(before.account(id).size)
    return is_smaller & (opened <= before.market.open_interest)


def _who_stays_loses_no_more(case: Case) -> Any:
    """The uncovered loss over all accounts' equity does not rise by a withdrawal that is cut.

    A repayment lowers it by what came from outside, and no account pays any of that; nor of what the fund pays.
    Who shares it pays from its equity, atom by atom.
    """
    loss, equities = get_loss(case.before)
    loss_after, equities_after = get_loss(case.after)
    if isinstance(case.event, events.RepayLoss):
        return every(loss_after == loss - case.event.amount, loss_after >= 0, equities_after == equities)
    if isinstance(case.event, events.BeginLossSharing):
        return every(loss_after == loss - covered_first(case), loss_after >= 0, equities_after == equities)
    if isinstance(case.event, events.ShareLoss):
        return every(loss_after <= loss, loss_after >= 0, equities - equities_after == loss - loss_after)
    is_cut = case.rulebook.withdrawals_are_cut & (loss > 0)
    return every(
        loss_after <= loss,
        implies(is_cut, loss_after < loss),
        implies(is_cut & (equities_after >= 0), loss_after * equities <= loss * equities_after),
    )


def get_loss(snapshot: Snapshot) -> tuple[Any, Any]:
    """The uncovered loss, and what all accounts are worth with escrow: what the pool holds for them, and the loss."""
    reserves = snapshot.reserves
    loss = 0 - reserves.uncovered
    return loss, loss - reserves.outside - reserves.insurance - reserves.fees


LAWS = (
    Law(
        "LOSS-1",
        "an uncovered loss is paid only from outside, by the fund, by who shares it, or by a withdrawal that is cut, "
        "and its part of what stays is no higher then",
        frozenset({events.Withdraw, events.RepayLoss, events.BeginLossSharing, events.ShareLoss}),
        _who_stays_loses_no_more,
        lambda case: case.after.reserves.uncovered <= case.before.reserves.uncovered,
    ),
    Law(
        "WFALL-1",
        "a stage is entered only when the earlier ones have nothing left, or the rulebook names it",
        frozenset(
            {
                events.Takeover,
                events.CoverDeficit,
                events.BeginDeleveraging,
                events.Deleverage,
                events.EndDeleveraging,
                events.WriteOff,
                events.BeginLossSharing,
                events.ShareLoss,
            }
        ),
        _earlier_stages_are_exhausted,
        lambda case: all(line.stage in (Stage.ORDINARY, Stage.BOOK, Stage.SETTLEMENT) for line in case.effects),
    ),
    Law(
        "VAULT-1",
        "a takeover waits for its trigger, respects the vault's limits, costs it nothing but a deficit's share, never "
        "more than it has, and leaves the flat at zero",
        frozenset({events.Takeover}),
        _takeovers_respect_the_vault,
        _only_takeovers_move_the_vault_by_force,
    ),
    Law(
        "VAULT-3",
        "what the vault gains at mark in a takeover is what the account gives, its share to the atom",
        frozenset({events.Takeover}),
        _the_vault_earns_what_the_account_gives,
        _only_takeovers_move_the_vault_by_force,
    ),
    Law(
        "SOLV-1",
        "an account whose last market was closed or given up owes nothing (deleveraging: where it closes at bankruptcy "
        "price)",
        frozenset({events.Takeover, events.Deleverage, events.EndDeleveraging, events.WriteOff}),
        _what_ends_leaves_no_deficit,
        lambda case: all(line.stage not in (Stage.VAULT, Stage.DELEVERAGING, Stage.UNCOVERED) for line in case.effects),
    ),
    Law(
        "LIVE-1",
        "each step of a resolution lowers open interest, the lots to close, a deficit or what is uncovered; some next "
        "step is accepted (lemmas)",
        frozenset(
            {
                events.LiquidationFill,
                events.Takeover,
                events.CoverDeficit,
                events.Deleverage,
                events.EndDeleveraging,
                events.WriteOff,
                events.BeginLossSharing,
                events.ShareLoss,
            }
        ),
        _resolution_makes_progress,
        only_the_open_episode_is_closed,
    ),
)
