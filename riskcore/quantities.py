"""Units, and the one place where a division rounds.

Everything is an exact ``int``. A product of lots and a price is an amount of
atoms, so trading never rounds; only rates and shares do, and each of those
divisions goes through a function of this file that names its direction.
"""

from __future__ import annotations

from typing import Any, NewType

import attrs

AccountId = NewType("AccountId", str)
MarketId = NewType("MarketId", str)
EventId = NewType("EventId", str)

#: Smallest unit of cash. Signed where a balance is meant.
Atoms = NewType("Atoms", int)
#: Smallest unit of a market's contracts. Positions are signed: + long, - short.
Lots = NewType("Lots", int)
#: Atoms per lot, above zero: a notional is ``abs(size) * price``, exactly.
Price = NewType("Price", int)
#: Parts per million.
Rate = NewType("Rate", int)
#: Milliseconds.
Time = NewType("Time", int)
#: The most notional per initial margin, a whole number; 0 where nothing but the market's rules says.
Leverage = NewType("Leverage", int)
#: Parts of the vault, of which all together own its equity.
Shares = NewType("Shares", int)

#: When something happened that never has: before every time that there is.
NEVER = Time(-1)

#: The denominator of every rate.
RATE_ONE = 1_000_000


def divide_down(numerator: int, denominator: int) -> int:
    """The quotient rounded toward minus infinity; ``denominator`` above zero."""
    return numerator // denominator


def divide_up(numerator: int, denominator: int) -> int:
    """The quotient rounded toward plus infinity; ``denominator`` above zero."""
    return -(-numerator // denominator)


def apply_rate(amount: int, rate: int) -> int:
    """``rate`` of ``amount``, rounded up: who owes it pays the fraction of an atom.

    Fees and margin requirements are computed with it; both favour the venue.
    """
    return -(-amount * rate // RATE_ONE)


def exact_int(owner: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """A field's check: an exact ``int``, and so neither a ``bool`` nor a float."""
    if type(value) is not int:
        raise TypeError(f"{type(owner).__name__}.{attribute.name} must be an int, not {value!r}")


def exact_bool(owner: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """A field's check: ``True`` or ``False``."""
    if type(value) is not bool:
        raise TypeError(f"{type(owner).__name__}.{attribute.name} must be a bool, not {value!r}")


def some_text(owner: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """A field's check: a ``str`` that is not empty."""
    if type(value) is not str or not value:
        raise TypeError(f"{type(owner).__name__}.{attribute.name} must be a non-empty str, not {value!r}")
