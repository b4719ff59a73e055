"""Each proof path's model, realised as a state that every law allows, run by CPython."""

from __future__ import annotations

import pytest

from riskcore.events import Header
from riskcore.monitor import Monitor
from riskcore.prover.witness import get_witnesses
from specs.contracts import CONTRACTS


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(CONTRACTS), ids=lambda kind: kind.__name__)
def test_cpython_does_what_each_path_says(kind: type[Header]) -> None:
    witnesses = list(get_witnesses(kind))
    concrete = [witness for witness in witnesses if witness is not None]

    assert len(witnesses) == len(concrete), "a path has no model"
    assert [witness.mismatches for witness in concrete if witness.mismatches] == []
    assert any(witness.outcome.rejected is None for witness in concrete)
    for witness in concrete:
        monitor = Monitor(witness.state)
        monitor.checkpoint(witness.state)
        outcome = monitor.step(witness.state, witness.event)
        monitor.checkpoint(outcome.state)
        # an episode that is only in the way of another event is any episode, not one that could be
        is_open = (witness.state.deleveraging, witness.state.sharing) != (None, None)
        about_episodes = {"ADL-2", "ADL-7", "ADL-10", "LOSS-4", "INV-1"} if is_open else set()
        # of the books there are only the orders that the path asked for
        assert [] == [one for one in monitor.violations if one.law not in about_episodes | {"BOOK-5"}]
