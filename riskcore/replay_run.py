"""Events stepped one by one, and what they did: the part of a replay that goes on as its log does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from attrs import Factory, define, frozen

from riskcore.close_outs import CloseOutStep, get_close_out, get_standing
from riskcore.events import Deleverage, Event
from riskcore.log import LogHeader
from riskcore.rules import Rule
from riskcore.state import State
from riskcore.step import Outcome, step
from riskcore.waterfall import Waterfall

#: Events between two full checks at least, and accounts that an event's part of them looks at.
CHECKPOINT_EVERY: Final = 10_000


class Tally(Protocol):
    """How often a law was checked, and how often it was broken."""

    @property
    def checked(self) -> int: ...

    @property
    def violations(self) -> int: ...


class Violation(Protocol):
    """A broken law: its id and sentence, the clause that failed, what was touched before and after."""

    @property
    def law(self) -> str: ...

    @property
    def sentence(self) -> str: ...

    @property
    def event(self) -> Event | None: ...

    @property
    def clause(self) -> str: ...

    @property
    def before(self) -> str: ...

    @property
    def after(self) -> str: ...


class Monitor(Protocol):
    """Steps the kernel and checks the laws: on what an event touched, and in full when asked."""

    @property
    def tallies(self) -> Mapping[str, Tally]: ...

    @property
    def violations(self) -> Sequence[Violation]: ...

    def step(self, state: State, event: Event) -> Outcome: ...

    def checkpoint(self, state: State) -> None: ...


class Recorder(Protocol):
    """Is shown a replay step by step, for a report that is more than its sums."""

    def begin(self, header: LogHeader, state: State, watch: Monitor | None) -> State:
        """The state to go on from: the same, on tables that may note what is written."""

    def before(self) -> None:
        """A step is about to be taken."""

    def after(self, before: State, event: Event, outcome: Outcome, waterfall: Waterfall) -> None:
        """It was taken. Tables of ``before`` may be used up; ``waterfall`` has the step in it."""


@define
class Figures:
    """What events did, but for the state that they led to. ``checked``: how often each law was, by earlier monitors."""

    events: int = 0
    rejections: Counter[Rule] = Factory(Counter)
    waterfall: Waterfall = Factory(Waterfall)
    close_outs: list[CloseOutStep] = Factory(list)
    checked: Counter[str] = Factory(Counter)
    seconds: float = 0.0


@frozen
class Checks:
    """A law's tally over all monitors of a run."""

    checked: int
    violations: int


class Run:
    """The state as events come in, and what they did.

    ``failed``: events taken when the first violation was seen; ``clean``: events
    taken when the last full check before it found nothing. Full checks are ``every`` so many events apart; where that
    is None, as many as there are accounts, and ``CHECKPOINT_EVERY`` at least, so that they cost an event the same
    however many accounts there are. Where ``figures`` are given, it goes on from a full check that found nothing.
    """

    def __init__(
        self,
        state: State,
        watch: Monitor | None,
        every: int | None,
        figures: Figures | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        self.state = state
        self.figures = Figures() if figures is None else figures
        self.failed: int | None = None
        self.clean = self.figures.events
        self._watch = watch
        self._every = every
        self._recorder = recorder
        self._step = watch.step if watch is not None else step
        if figures is None:
            self.check()
        self._plan()

    @property
    def events(self) -> int:
        return self.figures.events

    @property
    def is_checked(self) -> bool:
        """Whether everything was just checked."""
        return self.events == self._last

    @property
    def tallies(self) -> Mapping[str, Tally] | None:
        """How often each law was checked, by this monitor and earlier ones; ``None`` where none checks."""
        if self._watch is None:
            return None
        earlier = self.figures.checked
        return {
            law: Checks(tally.checked + earlier[law], tally.violations) for law, tally in self._watch.tallies.items()
        }

    def take(self, event: Event) -> None:
        before, figures = self.state, self.figures
        standing = get_standing(before) if isinstance(event, Deleverage) else None
        if self._recorder is not None:
            self._recorder.before()
        outcome = self._step(before, event)
        self.state = outcome.state
        figures.events += 1
        if outcome.rejected is not None:
            figures.rejections[outcome.rejected] += 1
        elif outcome.effects:
            figures.waterfall.record(before, event, outcome)
            if (close_out := get_close_out(standing, outcome)) is not None:
                figures.close_outs.append(close_out)
        if self._recorder is not None:
            self._recorder.after(before, event, outcome, figures.waterfall)
        if self.failed is None and self._watch is not None and self._watch.violations:
            self.failed = self.clean = figures.events
        if figures.events == self._next:
            self.check()
            self._plan()

    def finish(self) -> None:
        """The full check of the end, unless it was just done."""
        if not self.is_checked:
            self.check()

    def check(self) -> None:
        """The full check, where there is a monitor."""
        if self._watch is None:
            return
        self._watch.checkpoint(self.state)
        if self.failed is None:
            if self._watch.violations:
                self.failed = self.events
            else:
                self.clean = self.events

    def _plan(self) -> None:
        gap = max(CHECKPOINT_EVERY, len(self.state.accounts)) if self._every is None else self._every
        self._last, self._next = self.events, self.events + gap
