"""The insurance fund's stage, and the last account of all: losses that nobody could pay."""

from __future__ import annotations

from riskcore.events import CoverDeficit, WriteOff
from riskcore.journal import Journal, Reason, Reserve, Stage
from riskcore.margin import get_margin
from riskcore.quantities import Atoms
from riskcore.rules import Rule, require
from riskcore.state import State


def get_available(state: State) -> Atoms:
    """Atoms that the insurance fund may pay out: what it has above its floor."""
    return Atoms(max(state.reserves.insurance - state.rulebook.insurance_floor, 0))


def process_cover_deficit(state: State, event: CoverDeficit) -> Journal:
    # Guard
    journal = Journal(state)
    account = journal.account(event.account)
    margin = get_margin(account.balance, account.positions, state.markets)
    available = get_available(state)
    require(margin.equity < 0, Rule.NO_DEFICIT)
    require(state.rulebook.insurance_before_adl | (margin.maintenance == 0), Rule.INSURANCE_OPEN_POSITION)
    require(available > 0, Rule.INSURANCE_EXHAUSTED)
    # Effect
    insurance = journal.reserve(Reserve.INSURANCE)
    journal.pay(insurance, account, min(-margin.equity, available), Reason.COVER, Stage.INSURANCE)
    return journal


def process_write_off(state: State, event: WriteOff) -> Journal:
    # Guard
    journal = Journal(state)
    account = journal.account(event.account)
    margin = get_margin(account.balance, account.positions, state.markets)
    require(margin.equity < 0, Rule.NO_DEFICIT)
    require(margin.maintenance == 0, Rule.NOT_FLAT)
    require(get_available(state) == 0, Rule.INSURANCE_NOT_EXHAUSTED)
    # Effect
    uncovered = journal.reserve(Reserve.UNCOVERED)
    journal.pay(uncovered, account, -margin.equity, Reason.WRITE_OFF, Stage.UNCOVERED)
    return journal
