"""Events with one field that is likely wrong."""

from __future__ import annotations

from typing import Any

import attrs

from riskcore.choices import MarketStatus
from riskcore.events import Event
from riskcore.rulebook import MarketRules
from riskcore.testing.proposing.kinds import SOUND
from riskcore.testing.proposing.orders import Orders
from riskcore.testing.rulebooks import STRANGER, TRADERS, VAULT


class Spoiling(Orders):
    """What strict checks are there for."""

    def spoil(self) -> Event:
        """A likely event with one field that is likely wrong."""
        event = getattr(self, self.random.choice(SOUND))()
        names = [attribute.name for attribute in attrs.fields(type(event))]
        name = self.random.choice(names[3:] * 2 + names[:3])
        spoilt: Event = attrs.evolve(event, **{name: self._spoilt(name, getattr(event, name))})
        return spoilt

    def _spoilt(self, name: str, value: Any) -> Any:
        if isinstance(value, bool):
            return not value
        if isinstance(value, int):
            return self.random.choice((0, 0, -1, -value, value - 1, value * 1000, 10**40, -(10**40)))
        if isinstance(value, tuple):
            return (STRANGER, *value)
        if isinstance(value, MarketRules):
            return self._spoilt_rules(value)
        if isinstance(value, MarketStatus):
            return self.random.choice(tuple(MarketStatus))
        ids = [*(ticket.id for _, ticket in self._tickets()), STRANGER]
        choices: dict[str, list[Any]] = {
            "id": sorted(self.venue.seen) or ["e"],
            "market": [*sorted(self.venue.listings), "NONE"],
            "order": ids if value is None or len(ids) > 1 else [STRANGER],
            "ahead": [None, *ids],
        }
        return self.random.choice(choices.get(name, [*TRADERS, VAULT, STRANGER]))
