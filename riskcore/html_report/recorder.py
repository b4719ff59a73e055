"""Watches a replay for its page: steps with their differences, deleveragings, and samples over time."""

from __future__ import annotations

from typing import Any

from attrs import define, field

from riskcore.events import Event
from riskcore.html_report.changes import get_changes
from riskcore.html_report.episodes import Episodes
from riskcore.html_report.noted import Noted, note
from riskcore.html_report.series import Series
from riskcore.html_report.steps import Seen, Steps
from riskcore.log import LogHeader
from riskcore.replay import Monitor
from riskcore.state import State
from riskcore.step import Outcome
from riskcore.waterfall import Waterfall


@define
class Recorder:
    """``riskcore.replay.Recorder``. ``steps`` says where the explorer begins, and how much it holds.

    ``broken``: of each law the first event that broke it, and its clause. ``marks``: of each market the first.
    """

    steps: Steps = field(factory=Steps)
    episodes: Episodes = field(factory=Episodes)
    series: Series = field(factory=Series)
    events: int = 0
    broken: dict[str, tuple[int, str]] = field(factory=dict)
    _tables: dict[str, Noted[Any, Any]] = field(factory=dict)
    _watch: Monitor | None = None
    _checked: list[int] = field(factory=list)
    _violations: int = 0

    def begin(self, header: LogHeader, state: State, watch: Monitor | None) -> State:
        noted, self._tables = note(state)
        self._watch = watch
        self.series.add(0, noted, Waterfall())
        return noted

    def before(self) -> None:
        for table in self._tables.values():
            table.written.clear()
        if self._watch is not None:
            self._checked = [tally.checked for tally in self._watch.tallies.values()]
            self._violations = len(self._watch.violations)

    def after(self, before: State, event: Event, outcome: Outcome, waterfall: Waterfall) -> None:
        self.events += 1
        laws, broken = self._get_laws()
        for law, clause in broken:
            self.broken.setdefault(law, (self.events, clause))
        if self.steps.wants(self.events):
            changes = tuple(get_changes(before, outcome.state, self._tables))
            self.steps.add(Seen(event, outcome, changes, laws, broken))
        self.episodes.take(self.events, before, outcome)
        self.series.take(self.events, outcome.state, waterfall)

    def finish(self, state: State, waterfall: Waterfall) -> None:
        """The log is at its end, in this state."""
        self.series.add(self.events, state, waterfall)

    def _get_laws(self) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
        """The laws that were checked of the step that was just taken, and those that it broke with the clause."""
        watch = self._watch
        if watch is None:
            return (), ()
        counts = zip(watch.tallies.items(), self._checked, strict=True)
        laws = tuple(law for (law, tally), checked in counts if tally.checked > checked)
        return laws, tuple((one.law, one.clause) for one in watch.violations[self._violations :])
