"""The insurance fund pays what it can; what nobody can pay is booked to uncovered."""

from __future__ import annotations

from typing import Any

from riskcore import events
from riskcore.journal import Reason, Reserve, Stage
from riskcore.rules import Rule
from specs.arithmetic import smaller
from specs.case import Case
from specs.contract import Contract, Effect, available, drawn, header_guard, pay


def _cover_guard(case: Case) -> dict[Rule, Any]:
    account = case.before.account(case.event.account)
    return {
        **header_guard(case),
        Rule.MARK_STALE: account.marks_are_fresh(case.event.timestamp),
        Rule.NO_DEFICIT: account.equity < 0,
        Rule.INSURANCE_OPEN_POSITION: case.rulebook.insurance_before_adl | (account.maintenance == 0),
        Rule.INSURANCE_EXHAUSTED: available(case) > 0,
    }


def _cover_effect(case: Case) -> Effect:
    account = case.before.account(case.event.account)
    paid = smaller(-account.equity, available(case))
    return Effect(
        accounts=((case.event.account, {"balance": account.balance + paid}),),
        reserves={"insurance": case.before.reserves.insurance - paid},
        draws=drawn(case, paid),
        lines=(pay(Reserve.INSURANCE, case.event.account, paid, Reason.COVER, Stage.INSURANCE),),
    )


def _write_off_guard(case: Case) -> dict[Rule, Any]:
    account = case.before.account(case.event.account)
    return {
        **header_guard(case),
        Rule.NO_DEFICIT: account.equity < 0,
        Rule.NOT_FLAT: account.maintenance == 0,
        Rule.INSURANCE_NOT_EXHAUSTED: available(case) == 0,
    }


def _write_off_effect(case: Case) -> Effect:
    account = case.before.account(case.event.account)
    return Effect(
        accounts=((case.event.account, {"balance": 0}),),
        reserves={"uncovered": case.before.reserves.uncovered + account.balance},
        lines=(pay(Reserve.UNCOVERED, case.event.account, -account.balance, Reason.WRITE_OFF, Stage.UNCOVERED),),
    )


CONTRACTS = (
    Contract(event=events.CoverDeficit, guard=_cover_guard, effect=_cover_effect),
    Contract(event=events.WriteOff, guard=_write_off_guard, effect=_write_off_effect),
)
