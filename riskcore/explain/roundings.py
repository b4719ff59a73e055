"""Every rounding that an event made, and who bears the fraction.

The table has each place of the kernel that divides; a test holds it against the kernel's source.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Final, NamedTuple

from attrs import frozen

from riskcore.explain.watch import Division

_NEED: Final = "the account, which needs that much more"
_NEXT: Final = "nobody for good: whoever is next pays it, and the last pays what is left of the whole"


class Site(NamedTuple):
    """What a place of the kernel divides, and who bears the fraction of it.

    ``moves``: whether cash, shares or lots move by it; else something is judged, or remembered, by it.
    """

    what: str
    borne_by: str
    moves: bool = False


#: By module, function, and the function of ``quantities`` through which it divides.
SITES: Final = {
    ("margin", "get_maintenance_requirement", "apply_rate"): Site("maintenance requirement", _NEED),
    ("margin", "get_initial_requirement", "apply_rate"): Site("initial requirement", _NEED),
    ("margin", "get_initial_requirement", "divide_up"): Site("initial requirement by the chosen leverage", _NEED),
    ("tiers", "get_tiered_requirement", "apply_rate"): Site("requirement at one rate", _NEED),
    ("tiers", "get_tiered_requirement", "divide_up"): Site("requirement over all brackets", _NEED),
    ("tiers", "get_scaled_rate", "divide_down"): Site(
        "what open interest adds to an initial rate", "the venue, which asks for that much less"
    ),
    ("gates", "get_share_lots", "divide_up"): Site(
        "lots of a large position that one fill may close", "the account: up to a lot more of it may go"
    ),
    ("journal", "get_cost", "divide_down"): Site("cost of the lots that stay", "nobody: it is a memo, no balance is"),
    ("trading", "process_fill", "apply_rate"): Site(
        "trading fee", "the trader: a fee is that much more, a rebate that much less", True
    ),
    ("trading", "process_fill", "divide_down"): Site("insurance fund's share of the fees", "the insurance fund", True),
    ("funding", "process_apply_funding", "divide_down"): Site(
        "growth of the funding index", "nobody: the remainder is carried to the next funding", True
    ),
    ("liquidation", "get_equity_share", "divide_down"): Site(
        "equity that goes with the lots", "who takes the lots: the fraction stays with the account", True
    ),
    ("liquidation", "process_liquidation_fill", "apply_rate"): Site("liquidation fee", "the account", True),
    ("deleveraging", "get_paid", "divide_down"): Site("what counterparties have paid", _NEXT, True),
    ("deleveraging", "get_passed_on", "divide_down"): Site("what the insurance fund has of it", _NEXT, True),
    ("allocation", "get_part", "divide_down"): Site("a head's part of the lots, at least", "who ranks last", True),
    ("allocation", "get_part", "divide_up"): Site("a head's part of the lots, at most", "who ranks first", True),
    ("allocation", "get_remainder", "divide_down"): Site(
        "a part of the lots", "who ranks first: what parts leave over goes to them, a lot each", True
    ),
    ("sharing", "get_due", "divide_down"): Site("what members owe of the loss", _NEXT, True),
    ("cash", "get_haircut", "divide_up"): Site("part of the uncovered loss", "who withdraws", True),
    ("shares", "process_execute_vault_deposit", "divide_down"): Site(
        "shares for the deposit", "the depositor, who gets the cash for it back", True
    ),
    ("shares", "process_execute_vault_deposit", "divide_up"): Site("price of the shares", "the depositor", True),
    ("shares", "process_execute_vault_redemption", "divide_down"): Site("worth of the shares", "who redeems", True),
}
#: Divides as well, but no quantity: it draws numbers.
DRAWS: Final = ("ranking", "mix", "divide_down")


@frozen
class Rounding:
    """A rounding: ``exact`` became ``rounded``, ``times`` in the event, in ``where`` of the kernel."""

    what: str
    where: str
    exact: Fraction
    rounded: int
    borne_by: str
    moves: bool
    times: int = 1


@frozen
class Roundings:
    """Those with a fraction, each once, what moves first; ``even``: how many divisions came out even."""

    made: tuple[Rounding, ...]
    even: int


def get_roundings(divisions: tuple[Division, ...]) -> Roundings:
    """The roundings among the kernel's divisions."""
    counted = Counter(division for division in divisions if (division.module, division.function, division.by) != DRAWS)
    made = [_make(division, times) for division, times in counted.items() if not division.is_exact]
    even = sum(times for division, times in counted.items() if division.is_exact)
    return Roundings(tuple(sorted(made, key=lambda one: not one.moves)), even)


def _make(division: Division, times: int) -> Rounding:
    site = SITES[division.module, division.function, division.by]
    where = f"{division.module}.{division.function}"
    return Rounding(site.what, where, division.exact, division.rounded, site.borne_by, site.moves, times)
