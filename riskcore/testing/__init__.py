"""The fuzz kit: a naive model, seeded walks, Hypothesis strategies and machines, and every law checked on one step.

What is named here needs nothing beyond riskcore; ``riskcore.testing.properties`` needs Hypothesis:
``pip install 'riskcore[testing]'``.
"""

from riskcore.testing.desk import Desk, Passage
from riskcore.testing.laws.catalogue import LAWS, check
from riskcore.testing.naive.venue import Venue
from riskcore.testing.naive.views import View
from riskcore.testing.observation import observe
from riskcore.testing.proposing.proposer import Proposer
from riskcore.testing.rulebooks import make_rulebook, make_rules
from riskcore.testing.scenarios import Scenario, draw_scenario, open_desk
from riskcore.testing.walks import walk

__all__ = [
    "LAWS",
    "Desk",
    "Passage",
    "Proposer",
    "Scenario",
    "Venue",
    "View",
    "check",
    "draw_scenario",
    "make_rulebook",
    "make_rules",
    "observe",
    "open_desk",
    "walk",
]

if not __debug__:
    raise ImportError("riskcore.testing checks laws by assertions, which python -O leaves out: run it without -O")
