"""Every event in any order, and every law after each step; that the walks reach all of it."""

from __future__ import annotations

from collections import Counter

from riskcore import events
from riskcore.rules import Rule
from riskcore.testing.desk import Passage
from riskcore.testing.laws.catalogue import LAWS, check
from riskcore.testing.laws.losses import loss_1
from riskcore.testing.laws.passages import get_close
from riskcore.testing.properties.machine import VenueMachine
from riskcore.testing.rulebooks import SUBACCOUNTS, TRADERS
from riskcore.testing.walks import walk
from riskcore.transitions import TRANSITIONS

TestVenue = VenueMachine.TestCase


# That the walks reach everything

WALKS, LENGTH = 410, 110

#: A sick account with equity left whose every opposite is in debt, and two fundings in one
#: millisecond: ``test_deleveraging`` and ``test_funding`` have them.
TOO_RARE = {Rule.NOTHING_TO_BOOK, Rule.FUNDING_NOT_DUE}
ACCEPTED_AT_LEAST = 25
TOLD_AT_LEAST = 50


def test_the_walks_reach_every_event_rule_and_law() -> None:
    accepted: Counter[str] = Counter()
    rejected: Counter[str] = Counter()
    told: Counter[str] = Counter()
    for seed in range(WALKS):
        for passage in walk(seed, LENGTH).passages:
            told.update(check(passage))
            if passage.rejected is None:
                accepted[type(passage.event).__name__] += 1
            else:
                rejected[passage.rejected] += 1

    assert [] == [kind.__name__ for kind in TRANSITIONS if accepted[kind.__name__] < ACCEPTED_AT_LEAST]
    assert [] == [rule.name for rule in Rule if not rejected[rule.name] and rule not in TOO_RARE]
    assert [] == [id for id in LAWS if told[id] < TOLD_AT_LEAST]


def is_bankrupt_settled(passage: Passage) -> bool:
    event, after = passage.event, passage.after
    if not isinstance(event, events.SettlePair) or passage.rejected is not None:
        return False
    return any(after.get_equity(id) < 0 and not after.get_account(id).positions for id in (event.long, event.short))


def is_settled_debt_booked(passage: Passage) -> bool:
    """Not of those that came in with debts."""
    event = passage.event
    if not isinstance(event, events.WriteOff | events.CoverDeficit) or passage.rejected is not None:
        return False
    return event.account in TRADERS and not passage.before.get_account(event.account).positions


def is_subaccount_closed(passage: Passage) -> bool:
    close = get_close(passage)
    return close is not None and close.account in SUBACCOUNTS


def test_the_walks_settle_the_bankrupt_cut_several_and_close_subaccounts() -> None:
    found: Counter[str] = Counter()
    for seed in range(WALKS):
        passages = walk(seed, LENGTH).passages
        for sought in (is_bankrupt_settled, is_settled_debt_booked, is_subaccount_closed):
            found[sought.__name__] += sum(map(sought, passages))
        cut = {p.event.account for p in passages if isinstance(p.event, events.Withdraw) and loss_1(p)}
        found["several are cut"] += len(cut) > 1

    assert 4 == len(found)
    assert min(found.values()) >= 3, found
