"""Walks: proposed events from a random scenario, all of it fixed by a seed."""

from __future__ import annotations

from random import Random

from riskcore.testing.desk import Desk
from riskcore.testing.proposing.proposer import Proposer
from riskcore.testing.scenarios import draw_scenario, open_desk


def walk(seed: int, length: int) -> Desk:
    """A desk after ``length`` proposed events from a random scenario, all of it fixed by the seed."""
    random = Random(seed)
    desk = open_desk(draw_scenario(random))
    proposer = Proposer(desk.venue, random)
    for _ in range(length):
        desk.step(proposer.propose())
    return desk
