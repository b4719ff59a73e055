"""The rulebooks that walks are made under: some of our own, one for each mechanism, and two venues' presets."""

from __future__ import annotations

from typing import Final

from attrs import evolve, frozen

from riskcore.choices import AdlSize, Allocation, CloseOut, LossSharing, RankPolicy, TierRule
from riskcore.quantities import RATE_ONE, AccountId, Atoms, Lots, Rate, Time
from riskcore.rulebook import MarketRules, Rulebook, Tier
from riskcore.rulebook_show import find_rulebook

_RANK: Final = RankPolicy.PROFIT_TIMES_LEVERAGE
_PLAIN: Final = Rulebook(
    AccountId("vault"), Atoms(30_000), Atoms(0), False, Rate(0), False, True, False, _RANK, Time(1_000), Rate(20_000)
)
_RULES: Final = MarketRules(Rate(100_000), Rate(50_000), Rate(500), Rate(-100), Rate(5_000))


@frozen
class Family:
    """A rulebook, and the rules of its two markets. ``config`` is the family's name in vectors."""

    config: str
    rulebook: Rulebook
    rules: tuple[MarketRules, MarketRules]


def _make_own() -> tuple[Family, ...]:
    tiers = (Tier(Atoms(20_000), Rate(200_000), Rate(100_000)), Tier(Atoms(60_000), Rate(500_000), Rate(200_000)))
    tiered = evolve(_RULES, tiers=tiers, liquidation_tier_step=True, minimum_size=Lots(3))
    slab = evolve(tiered, tier_rule=TierRule.SLAB, open_interest_floor=Atoms(50_000), open_interest_cap=Atoms(10**6))
    bounded = evolve(
        _RULES,
        mark_move_limit=Rate(150_000),
        mark_age_limit=Time(2_000),
        fill_price_band=Rate(100_000),
        mark_index_band=Rate(200_000),
        index_age_limit=Time(4_000),
        index_move_limit=Rate(150_000),
        open_interest_limit=Atoms(300_000),
        liquidation_block_limit=Atoms(20_000),
        vault_position_limit=Atoms(20_000),
    )
    backed = evolve(
        _PLAIN,
        insurance_floor=Atoms(500),
        insurance_backs_fills=True,
        insurance_fill_band=Rate(100_000),
        insurance_before_adl=True,
        insurance_fee_share=Rate(300_000),
        insurance_draw_limit=Atoms(3_000),
        insurance_draw_window=Time(3_000),
        adl_requires_profit=True,
        adl_rank=RankPolicy.LEVERAGE,
        withdrawals_wait=True,
        takeover_rate=Rate(700_000),
    )
    gated = evolve(
        _PLAIN,
        liquidation_window=Time(2_000),
        liquidation_cooldown=Time(1_000),
        liquidation_target=Rate(1_200_000),
        liquidation_block_limit=Atoms(30_000),
        withdrawal_limit=Atoms(5_000),
        withdrawal_window=Time(3_000),
        rules_notice=Time(2_000),
        adl_close_out=CloseOut.INDEX,
        adl_size=AdlSize.NEEDED,
        adl_rank=RankPolicy.SIZE,
        funding_on_index=True,
    )
    shared = evolve(
        _PLAIN,
        vault_position_limit=Atoms(0),
        loss_sharing=LossSharing.PROFIT,
        withdrawals_are_cut=True,
        adl_close_out=CloseOut.MARK,
        adl_rank=RankPolicy.PROFIT_TO_EQUITY,
    )
    parted = evolve(_PLAIN, adl_allocation=Allocation.LEVERAGE, vault_takes_deficits=True, adl_rank=RankPolicy.FIFO)
    pooled = evolve(
        _PLAIN,
        vault_deposit_notice=Time(500),
        vault_redemption_notice=Time(500),
        vault_request_window=Time(3_000),
        vault_deposit_minimum=Atoms(50),
    )
    half = evolve(_RULES, liquidation_share=Rate(RATE_ONE // 2))
    return (
        Family("plain", _PLAIN, (_RULES, tiered)),
        Family("backed", backed, (_RULES, half)),
        Family("separate", backed, (_RULES, evolve(half, insurance_separate=True))),
        Family("gated", gated, (bounded, slab)),
        Family("shared", shared, (_RULES, _RULES)),
        Family("parted", parted, (_RULES, tiered)),
        Family("pooled", pooled, (_RULES, _RULES)),
        Family("book", evolve(_PLAIN, has_book=True), (_RULES, evolve(_RULES, minimum_size=Lots(2)))),
    )


def get_families() -> tuple[Family, ...]:
    """All of them, in a fixed order."""
    return (*_make_own(), _make_preset("hyperliquid"), _make_preset("dydx"))


def _make_preset(name: str) -> Family:
    file = find_rulebook(name)
    first, second, *_ = file.markets.values()
    return Family(name, file.rulebook, (first, second))
