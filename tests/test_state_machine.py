"""Every event in any order, and every law after each step; that the walks reach all of it."""

from __future__ import annotations

import pytest

from riskcore import events
from riskcore.events import Event
from riskcore.testing.coverage import PER, PLACES, Coverage
from riskcore.testing.desk import Passage
from riskcore.testing.laws.catalogue import LAWS, check
from riskcore.testing.laws.losses import loss_1
from riskcore.testing.properties.machine import VenueMachine
from riskcore.testing.proposing.proposer import Proposer
from riskcore.testing.walks import walk

TestVenue = VenueMachine.TestCase

WALKS, LENGTH = 410, 110


def cover(walks: int) -> tuple[Coverage, int]:
    """What walks reach, and in how many of them withdrawals of several accounts are cut."""
    coverage, several = Coverage(), 0
    for seed in range(walks):
        cut = set()
        for passage in walk(seed, LENGTH).passages:
            coverage.add(passage, check(passage))
            if isinstance(passage.event, events.Withdraw) and loss_1(passage):
                cut.add(passage.event.account)
        several += len(cut) > 1
    return coverage, several


def test_the_walks_reach_every_stage_branch_and_law() -> None:
    coverage, several = cover(WALKS)

    assert coverage.steps > 4 * PER
    assert [] == coverage.get_unreached()
    assert several >= 3


def test_a_generator_that_stops_reaching_a_stage_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def deposit_instead(proposer: Proposer) -> Event:
        return proposer.deposit()

    monkeypatch.setattr(Proposer, "takeover", deposit_instead)
    unreached = {(row.place.sort, row.place.name) for row in cover(12)[0].get_unreached()}

    assert {("stage", "vault"), ("event", "Takeover"), ("law", "VAULT-1")} <= unreached


def test_every_law_is_a_place() -> None:
    assert list(LAWS) == [place.name for place in PLACES if place.sort == "law"]


def test_of_two_coverages_steps_and_counts_add_up() -> None:
    passages: list[Passage] = walk(1, 30).passages
    whole, first, second = Coverage(), Coverage(), Coverage()
    for number, passage in enumerate(passages):
        told = check(passage)
        whole.add(passage, told)
        (first if number % 2 else second).add(passage, told)
    first.merge(second)

    assert (whole.steps, whole.counts) == (first.steps, first.counts)
