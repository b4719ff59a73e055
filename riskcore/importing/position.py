"""A position as fills build it: closed profit at average entry, and by first in, first out for comparison."""

from __future__ import annotations

from collections import deque
from fractions import Fraction

from attrs import define, field, frozen

from riskcore.venues.exact import round_down

#: Decimals to which an average that has grown longer than ``_LONG`` is rounded, far below any venue's grain.
_DECIMALS = 40
_LONG = 10**80


@frozen
class Step:
    """What a fill did. ``closed``: base units of the position that it closed, with the position's sign.

    ``profit``: at average entry, None where that is unknown; ``by_first_in``: by the oldest lots.
    """

    closed: Fraction
    turned: bool
    profit: Fraction | None
    by_first_in: Fraction | None


@define
class Position:
    """``entry``: average price, None where fills that are not here made it. ``blur``: by how much it may be off.

    ``fills``: since the position was flat, each of which the venue may have rounded.
    """

    size: Fraction = Fraction(0)
    entry: Fraction | None = None
    blur: Fraction = Fraction(0)
    fills: int = 0
    _lots: deque[tuple[Fraction, Fraction]] | None = field(factory=deque)

    def put(self, size: Fraction, entry: Fraction | None, blur: Fraction = Fraction(0)) -> None:
        """Start from a size and an entry that somebody tells."""
        self.size, self.entry, self.blur, self.fills = size, entry, blur, 0
        self._lots = None if entry is None and size != 0 else deque([(size, entry)] if size and entry else [])

    def learn(self, entry: Fraction, blur: Fraction) -> None:
        """The average entry, known after all."""
        self.entry, self.blur = entry, blur

    def book(self, size: Fraction, price: Fraction) -> Step:
        """Trade ``size`` at a price: what is opposite closes at average entry, the rest opens or adds."""
        held, end = self.size, self.size + size
        closes = held != 0 and (held > 0) != (size > 0)
        turned = closes and end != 0 and (end > 0) != (held > 0)
        closed = (held if turned else -size) if closes else Fraction(0)
        profit = Fraction(0) if not closes else None if self.entry is None else (price - self.entry) * closed
        step = Step(closed, turned, profit, self._take_lots(closed, price))
        self._settle(held, size, end, price, closes, turned)
        return step

    def _settle(
        self, held: Fraction, size: Fraction, end: Fraction, price: Fraction, closes: bool, turned: bool
    ) -> None:
        self.size, self.fills = end, self.fills + 1
        if end == 0:
            self.put(Fraction(0), None)
        elif turned or held == 0:
            self.put(end, price)
            self.fills = 1
        elif not closes:
            self.entry = None if self.entry is None else (self.entry * held + price * size) / end
            self._shorten()
            if self._lots is not None:
                self._lots.append((size, price))

    def _shorten(self) -> None:
        """Keep the average from growing with every fill of a position that is never flat."""
        if self.entry is not None and self.entry.denominator > _LONG:
            self.entry = Fraction(round_down(self.entry * 10**_DECIMALS), 10**_DECIMALS)
            self.blur += Fraction(1, 10**_DECIMALS)

    def _take_lots(self, closed: Fraction, price: Fraction) -> Fraction | None:
        """The profit of closing the oldest lots."""
        if self._lots is None:
            return Fraction(0) if closed == 0 else None
        profit, left = Fraction(0), closed
        while left != 0:
            size, entry = self._lots.popleft()
            part = size if abs(size) <= abs(left) else left
            profit += (price - entry) * part
            left -= part
            if part != size:
                self._lots.appendleft((size - part, entry))
        return profit
