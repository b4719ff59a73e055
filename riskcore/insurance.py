"""The insurance fund's stage, and the last account of all: losses that nobody could pay."""

from __future__ import annotations

from riskcore.domains import get_stock
from riskcore.draws import get_drawn
from riskcore.events import CoverDeficit, WriteOff
from riskcore.journal import Journal, Reason, Reserve, Stage
from riskcore.margin import get_margin
from riskcore.markets import require_fresh
from riskcore.quantities import Atoms, Time
from riskcore.rules import Rule, require
from riskcore.state import Market, State


def get_available(state: State, time: Time, market: Market | None = None) -> Atoms:
    """Atoms that the insurance fund may pay out at ``time``, for a market or for accounts: what its limit leaves.

    A separate market has its own part, all others and all accounts what is shared and above the floor.
    """
    rulebook, available = state.rulebook, get_stock(state, market)
    if rulebook.insurance_draw_limit > 0:
        available = min(available, rulebook.insurance_draw_limit - get_drawn(rulebook, state.draws, time))
    return Atoms(max(available, 0))


def process_cover_deficit(state: State, event: CoverDeficit) -> Journal:
    # Guard
    journal = Journal(state)
    account = journal.account(event.account)
    require_fresh(state, account.positions, event.timestamp)
    margin = get_margin(account, state.markets)
    available = get_available(state, event.timestamp)
    require(margin.equity < 0, Rule.NO_DEFICIT)
    require(state.rulebook.insurance_before_adl | (margin.maintenance == 0), Rule.INSURANCE_OPEN_POSITION)
    require(available > 0, Rule.INSURANCE_EXHAUSTED)
    # Effect
    journal.cover(account, min(-margin.equity, available), Stage.INSURANCE, event.timestamp)
    return journal


def process_write_off(state: State, event: WriteOff) -> Journal:
    # Guard
    journal = Journal(state)
    account = journal.account(event.account)
    margin = get_margin(account, state.markets)
    require(margin.equity < 0, Rule.NO_DEFICIT)
    require(margin.maintenance == 0, Rule.NOT_FLAT)
    require(get_available(state, event.timestamp) == 0, Rule.INSURANCE_NOT_EXHAUSTED)
    # Effect
    uncovered = journal.reserve(Reserve.UNCOVERED)
    journal.pay(uncovered, account, -margin.equity, Reason.WRITE_OFF, Stage.UNCOVERED)
    return journal
