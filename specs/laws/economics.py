"""Nobody gains by an event what nobody gave: debts arise from prices and funding alone, and are all that reserves pay.

By ZERO-1 what the reserves lose in an event is what accounts and the outside gain in it together. So whatever some
accounts gain, others of the same event give, each within the laws that bind it (MARG-2, ADL-3, LOSS-2, SETTLE-1,
VAULT-2); and none of them is a reserve, but for the debts that end.
"""

from __future__ import annotations

from typing import Any

from riskcore import events
from riskcore.journal import Pay, Reserve, Stage
from specs.arithmetic import either, every, larger
from specs.case import AccountView, Case, Ledger
from specs.laws.law import ALL_EVENTS, Law

#: The events that change what positions are worth.
PRICES_MOVE = frozenset({events.MarkPrice, events.ApplyFunding})


def _debt(account: AccountView) -> Any:
    """Atoms that an account's equity is below zero."""
    return larger(-account.equity, 0)


def _backed(case: Case) -> Any:
    """What the fund pays towards a liquidation fill, so that it is no worse than bankruptcy price (LIQ-3)."""
    return sum(
        (
            line.amount
            for line in case.effects
            if isinstance(line, Pay) and line.payer is Reserve.INSURANCE and line.stage is Stage.BOOK
        ),
        start=0,
    )


def _reserves(ledger: Ledger) -> Any:
    """What belongs to no account: the fund and the fees, less the losses that nobody has paid."""
    reserves = ledger.reserves
    return reserves.insurance + reserves.fees + reserves.uncovered


def _reserves_pay_debts_alone(case: Case) -> Any:
    pairs = [(case.before.account(id), case.after.account(id)) for id in case.touched]
    ended: Any = 0
    for before, after in pairs:
        ended = ended + _debt(before) - _debt(after)
    lost, atom = _reserves(case.before) - _reserves(case.after), _rounding(case)
    return every(*(_debt(after) <= _debt(before) + atom for before, after in pairs), lost <= ended + _backed(case))


def _rounding(case: Case) -> Any:
    """What a step of a deleveraging with overshoot may ask of the account early: the episode's parts tie at its end.

    What counterparties pay and what is passed on to the fund are rounded each for itself, so that the first may be an
    atom behind the second.
    """
    episode = case.before.deleveraging
    return either(episode.excess > 0, 1, 0) if isinstance(case.event, events.Deleverage) else 0


def _nothing_changes_hands(case: Case) -> Any:
    return every(len(case.touched) == 0, _reserves(case.after) == _reserves(case.before))


LAWS = (
    Law(
        "ECON-1",
        "while prices stand no event makes a debt or deepens one, but by an atom where a deleveraging passes "
        "overshoot on; reserves lose no more than the debts that it ends and what the fund pays towards a backed fill; "
        "all else that some gain, others give",
        ALL_EVENTS - PRICES_MOVE,
        _reserves_pay_debts_alone,
        _nothing_changes_hands,
    ),
)
