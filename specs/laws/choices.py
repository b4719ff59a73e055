"""What holds only where the rulebook chooses so, and what it is that else does not.

Each is a law with a condition on the rulebook, proven under it. For a rulebook that
chooses otherwise the claim is refuted, by a log that ``riskcore rulebook check`` finds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import frozen

from riskcore import events
from riskcore.choices import CloseOut
from specs.arithmetic import RATE_ONE, implies, magnitude, negate
from specs.case import Case
from specs.contract import available
from specs.deleveraging import step_lots
from specs.laws.law import Law
from specs.laws.waterfall import get_loss


@frozen
class Choice:
    """``sentence`` is claimed for every rulebook that makes the choice, and ``condition`` says which.

    ``is_made`` decides it from the rulebook and the rules of the event's market, ``holds`` is the claim on its
    own.
    """

    id: str
    sentence: str
    condition: str
    applies: frozenset[type[events.Header]]
    is_made: Callable[[Any, Any], Any]
    holds: Callable[[Case], Any]

    def as_law(self) -> Law:
        """The claim under its condition."""
        return Law(
            self.id,
            f"where {self.condition}: {self.sentence}",
            self.applies,
            lambda case: implies(self.is_made(case.rulebook, _get_rules(case)), self.holds(case)),
            None,
        )


def _get_rules(case: Case) -> Any:
    return None if case.before.market is None else case.before.market.rules


def _whoever_is_closed_owes_nothing(case: Case) -> Any:
    episode = case.before.deleveraging
    after = case.after.account(episode.account)
    is_closed = (episode.done + step_lots(case) == episode.lots) & (after.maintenance == 0)
    return implies(is_closed, after.equity >= 0)


def _payers_have_the_profit(case: Case) -> Any:
    head, head_after = case.before.account(case.head), case.after.account(case.head)
    payment = head.equity - head_after.equity
    profit = head.size * case.before.market.mark_price - head.cost
    return implies((head_after.size == 0) & (payment > 0), profit >= payment)


def _the_solvent_cost_the_fund_nothing(case: Case) -> Any:
    is_solvent = case.before.account(case.event.account).equity >= 0
    return implies(is_solvent, case.after.reserves.insurance >= case.before.reserves.insurance)


def _nobody_with_equity_is_deleveraged(case: Case) -> Any:
    return case.before.account(case.event.account).equity <= 0


def _the_fund_pays_first(case: Case) -> Any:
    return implies(case.before.account(case.event.account).equity < 0, available(case) == 0)


def _a_loss_stays_with_those_who_leave(case: Case) -> Any:
    """The loss, over what all accounts are worth, is no higher for those who stay."""
    loss, worth = get_loss(case.before)
    loss_after, worth_after = get_loss(case.after)
    return implies(worth_after >= 0, loss_after * worth <= loss * worth_after)


def _nobody_joins_what_he_sees_coming(case: Case) -> Any:
    return case.event.timestamp > case.before.stake(case.event.account).deposit_time


def _nobody_leaves_before_what_he_sees_coming(case: Case) -> Any:
    return case.event.timestamp > case.before.stake(case.event.account).redemption_time


def _maintenance_bears_a_move(case: Case) -> Any:
    """The worse side's loss on a lot and its fee for the close are within maintenance at the mark before."""
    rules, before, after = case.before.market.rules, case.before.market.mark_price, case.after.market.mark_price
    moved = magnitude(after - before)
    cost = moved * RATE_ONE + rules.liquidation_fee_rate * after
    return cost <= rules.maintenance_margin_rate * before


def _moves_are_bearable(rulebook: Any, rules: Any) -> Any:
    move, fee = rules.mark_move_limit, rules.liquidation_fee_rate
    return (move > 0) & (move * RATE_ONE + fee * (RATE_ONE + move) <= rules.maintenance_margin_rate * RATE_ONE)


CHOICES = (
    Choice(
        "IF-1",
        "who is deleveraged to the last lot owes nothing",
        "deleveraging closes at bankruptcy price",
        frozenset({events.Deleverage}),
        lambda rulebook, rules: rulebook.adl_close_out == CloseOut.BANKRUPTCY,
        _whoever_is_closed_owes_nothing,
    ),
    Choice(
        "IF-2",
        "who pays in a deleveraging pays out of the profit of the position that is closed",
        "`adl_requires_profit`, or deleveraging closes at mark, where nobody pays",
        frozenset({events.Deleverage}),
        lambda rulebook, rules: rulebook.adl_requires_profit | (rulebook.adl_close_out == CloseOut.MARK),
        _payers_have_the_profit,
    ),
    Choice(
        "IF-3",
        "an account with equity left costs the insurance fund nothing when it is sold",
        "the fund backs no fills, or none worse than mark",
        frozenset({events.LiquidationFill}),
        lambda rulebook, rules: negate(rulebook.insurance_backs_fills) | (rulebook.insurance_fill_band == 0),
        _the_solvent_cost_the_fund_nothing,
    ),
    Choice(
        "IF-4",
        "nobody with equity left is deleveraged",
        "not `adl_solvent`",
        frozenset({events.BeginDeleveraging}),
        lambda rulebook, rules: negate(rulebook.adl_solvent),
        _nobody_with_equity_is_deleveraged,
    ),
    Choice(
        "IF-5",
        "nobody is deleveraged for a deficit that the insurance fund could pay a part of",
        "`insurance_before_adl`",
        frozenset({events.BeginDeleveraging}),
        lambda rulebook, rules: rulebook.insurance_before_adl,
        _the_fund_pays_first,
    ),
    Choice(
        "IF-6",
        "who withdraws while a loss is uncovered leaves no larger part of it to those who stay",
        "`withdrawals_wait` or `withdrawals_are_cut`",
        frozenset({events.Withdraw}),
        lambda rulebook, rules: rulebook.withdrawals_wait | rulebook.withdrawals_are_cut,
        _a_loss_stays_with_those_who_leave,
    ),
    Choice(
        "IF-7",
        "money joins the vault later than it was committed",
        "`vault_deposit_notice` is above zero",
        frozenset({events.ExecuteVaultDeposit}),
        lambda rulebook, rules: rulebook.vault_deposit_notice > 0,
        _nobody_joins_what_he_sees_coming,
    ),
    Choice(
        "IF-8",
        "money leaves the vault later than it was asked for",
        "`vault_redemption_notice` is above zero",
        frozenset({events.ExecuteVaultRedemption}),
        lambda rulebook, rules: rulebook.vault_redemption_notice > 0,
        _nobody_leaves_before_what_he_sees_coming,
    ),
    Choice(
        "IF-9",
        "no mark moves so far at once that a position at maintenance cannot bear it and the fee of its close",
        "`mark_move_limit` is set, and with the liquidation fee within the maintenance rate",
        frozenset({events.MarkPrice}),
        _moves_are_bearable,
        _maintenance_bears_a_move,
    ),
)

#: As laws, each under its condition.
LAWS = tuple(choice.as_law() for choice in CHOICES)
