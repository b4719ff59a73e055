"""Rulebooks, rules and positions for examples written by hand."""

from __future__ import annotations

from typing import Any

import attrs

from riskcore.choices import RankPolicy, TierRule
from riskcore.quantities import RATE_ONE, AccountId, Atoms, Lots, MarketId, Rate, Time
from riskcore.rulebook import MarketRules, Rulebook, Tier
from riskcore.state import Position, Positions

HOUR = 3_600_000


VAULT = "vault"


TRADERS = ("amber", "birch", "cedar", "daisy", "elder", "fir")


STRANGER = "nobody"


#: Whose owner has a position of its own there: an isolated one.
SUBACCOUNTS = ("amber/1", "birch/1")


def make_rulebook(**changes: Any) -> Rulebook:
    """A rulebook in which every stage is open: a rich vault limit, no floor, insurance before ADL."""
    plain = Rulebook(
        vault=AccountId(VAULT),
        vault_position_limit=Atoms(10**12),
        insurance_floor=Atoms(0),
        insurance_backs_fills=True,
        insurance_fill_band=Rate(1_000_000),
        insurance_before_adl=True,
        adl_solvent=True,
        adl_requires_profit=False,
        adl_rank=RankPolicy.PROFIT_TIMES_LEVERAGE,
        funding_interval=Time(8 * HOUR),
        funding_rate_cap=Rate(10_000),
        vault_deposit_notice=Time(0),
        vault_redemption_notice=Time(0),
    )
    return attrs.evolve(plain, **changes)


def make_rules(
    initial: int = 100_000,
    maintenance: int = 50_000,
    taker: int = 0,
    maker: int = 0,
    liquidation: int = 0,
    tiers: tuple[tuple[int, int, int], ...] = (),
    rule: TierRule = TierRule.MARGINAL,
    scaling: tuple[int, int] = (0, 0),
    gates: tuple[int, int, int] = (RATE_ONE, 0, 1),
) -> MarketRules:
    """10 % initial and 5 % maintenance margin and no fees, unless told otherwise; parts per million.

    ``tiers``: floor, initial and maintenance rate of each; ``scaling``: open interest's floor and cap;
    ``gates``: the share liquidated at once, the notional up to which it is all, and the minimum size.
    """
    rates = Rate(initial), Rate(maintenance), Rate(taker), Rate(maker), Rate(liquidation)
    brackets = tuple(Tier(Atoms(floor), Rate(one), Rate(other)) for floor, one, other in tiers)
    low, high = scaling
    share, floor, minimum = gates
    return MarketRules(
        *rates,
        tiers=brackets,
        tier_rule=rule,
        open_interest_floor=Atoms(low),
        open_interest_cap=Atoms(high),
        liquidation_share=Rate(share),
        liquidation_share_floor=Atoms(floor),
        minimum_size=Lots(minimum),
    )


def make_positions(**held: tuple[int, int, int]) -> Positions:
    """Positions by market, each of size, cost and entry index."""
    return Positions({MarketId(market): Position(Lots(s), Atoms(c), Atoms(i)) for market, (s, c, i) in held.items()})
