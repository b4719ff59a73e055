"""Who pays of a loss that is shared out, and how much."""

from __future__ import annotations

from typing import Any

from riskcore import events
from riskcore.journal import Stage
from specs.arithmetic import every, implies
from specs.case import Case
from specs.laws.law import Law
from specs.sharing import due, members_of, part, weight


def members_pay_their_part(case: Case) -> Any:
    """The weight's part of the amount to within an atom, or all equity where that is less; its lots stay."""
    sharing, before, after = case.before.sharing, case.before.account(case.member), case.after.account(case.member)
    exact, paid = sharing.amount * weight(case, before), before.equity - after.equity
    return every(
        paid >= 0,
        (paid - 1) * sharing.weight < exact,
        implies(after.equity > 0, (paid + 1) * sharing.weight > exact),
        after.equity >= 0,
        after.size == before.size,
        after.maintenance == before.maintenance,
    )


def _nobody_shares_outside(case: Case) -> Any:
    return all(line.stage is not Stage.SHARING for line in case.effects)


def _the_loss_falls_by_what_is_paid(case: Case) -> Any:
    """By no more than is left of the amount; who owes anything pays something; with the last, all is due."""
    sharing, before, after = case.before.sharing, case.before.account(case.member), case.after.account(case.member)
    owed, paid = part(case), before.equity - after.equity
    done = sharing.done + weight(case, before)
    return every(
        case.after.reserves.uncovered - case.before.reserves.uncovered == paid,
        paid <= owed,
        owed <= sharing.amount - due(sharing, sharing.done),
        implies(owed > 0, paid > 0),
        implies(paid < owed, after.equity == 0),
        implies(sharing.head + 1 == members_of(sharing), due(sharing, done) == sharing.amount),
    )


def _sharing_stays_certified(case: Case) -> Any:
    """Everyone who has weight is a member, once, in the order of ids; what is left to pay is what they weigh."""
    return case.members_are_certified()


LAWS = (
    Law(
        "LOSS-2",
        "who shares a loss pays its weight's part to within an atom, or all its equity where that is less",
        frozenset({events.ShareLoss}),
        members_pay_their_part,
        _nobody_shares_outside,
    ),
    Law(
        "LOSS-3",
        "a shared loss falls by exactly what members pay, together no more than was to be shared, and no less but for "
        "members without equity left",
        frozenset({events.ShareLoss}),
        _the_loss_falls_by_what_is_paid,
        _nobody_shares_outside,
    ),
    Law(
        "LOSS-4",
        "everyone with weight in the market shares the loss, each once, in the order of their ids",
        frozenset({events.BeginLossSharing, events.ShareLoss}),
        _sharing_stays_certified,
        lambda case: case.after.sharing is None,
    ),
)
