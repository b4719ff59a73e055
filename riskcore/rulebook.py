"""What a venue chooses: a rulebook for all its markets, and rules for each. Data, with what is admissible.

Every law is proven for every rulebook and every market's rules that pass ``is_admissible_rulebook`` and
``is_admissible_market``.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import attrs
from attrs import field, frozen
from attrs.validators import instance_of

from riskcore.choices import AdlSize, Allocation, CloseOut, LossSharing, RankPolicy, TierRule
from riskcore.quantities import RATE_ONE, AccountId, Atoms, Lots, Rate, Time, exact_bool, exact_int, some_text


@frozen
class Rulebook:
    """A venue's choices, the same for all its markets. Data, never code.

    A field of another type raises ``TypeError``; whether the figures are admissible is
    for ``genesis`` to say.

    ``vault``: the account that takes positions over; marked and margined like any other.
    ``vault_position_limit``: atoms of notional at mark, per market, up to which the vault takes
    positions over; its own trades are bound by margin alone.
    ``insurance_floor``: atoms that the insurance fund keeps back, of what is no market's own.
    ``insurance_backs_fills``: the fund pays what a liquidation fill is worse than bankruptcy price,
    ``insurance_fill_band``: if the fill is worse than mark by no more than this rate of its notional.
    ``insurance_before_adl``: the fund covers open accounts, and is used up before deleveraging.
    ``adl_solvent``: accounts below maintenance may be deleveraged while their equity is above zero.
    ``adl_requires_profit``: who pays in a deleveraging must do so out of that position's profit.
    ``funding_interval``: milliseconds that a funding rate is quoted for.
    ``funding_rate_cap``: largest funding rate per interval, either sign.
    ``takeover_rate``: the vault takes an account over once its equity is at most this rate of maintenance.
    ``adl_close_out``: the price at which deleveraging closes; but for bankruptcy price it leaves a deficit.
    ``withdrawals_wait``: nobody withdraws while a loss is uncovered.
    ``withdrawals_are_cut``: whoever withdraws leaves the uncovered loss's part of the amount behind.
    ``vault_deposit_notice``, ``vault_redemption_notice``: milliseconds from a request for shares of
    the vault, or for their worth, to when it may be carried out.
    ``vault_request_window``: milliseconds from then to when it lapses.
    ``vault_deposit_minimum``: fewest atoms that a deposit into the vault may be.
    ``insurance_fee_share``: rate of each fill's fees that goes to the insurance fund.
    ``insurance_draw_limit``: most atoms that the fund pays out within ``insurance_draw_window``
    milliseconds of the first that it pays; zero where nothing limits it.
    ``liquidation_window``: milliseconds after a liquidation fill within which an account is closed whole,
    and not by shares; zero: never.
    ``liquidation_cooldown``: milliseconds that lie between two liquidation fills of an account that is not
    bankrupt. It is over while a window still runs: else the window would let nothing through.
    ``loss_sharing``: whether what is uncovered is shared out among those who hold positions in a market, and by what.
    ``liquidation_target``: rate of maintenance up to which equity, at mark, is brought by liquidation fills: none
    closes a lot more than that takes; zero: as many as it likes.
    ``liquidation_block_limit``: atoms of notional at mark up to which one account's positions are sold to the book
    at one time, in a block; zero where nothing limits it.
    ``vault_takes_deficits``: the vault takes over accounts of negative equity too, at bankruptcy price: what they
    owe it pays out of its own equity, within its margin. It is then the fund that comes before deleveraging, and
    ``insurance_before_adl`` cannot be.
    ``adl_size``: how many lots a deleveraging closes.
    ``adl_seed``: any integer; it decides which order ``RankPolicy.PSEUDO_RANDOM`` gives.
    ``funding_on_index``: funding is charged on notional at the index price; otherwise at mark.
    ``adl_allocation``: how the lots of a deleveraging are parted among its queue.
    ``has_book``: trades are with the best order that rests in the market's book; otherwise with whom the log says.
    ``withdrawal_limit``: most atoms that withdrawals take out of the pool, less what deposits bring in, within
    ``withdrawal_window`` milliseconds of the first; zero where nothing limits it.
    ``rules_notice``: milliseconds that a market's new rules wait, if a position may need more maintenance by them.
    """

    vault: AccountId = field(validator=some_text)
    vault_position_limit: Atoms = field(validator=exact_int)
    insurance_floor: Atoms = field(validator=exact_int)
    insurance_backs_fills: bool = field(validator=exact_bool)
    insurance_fill_band: Rate = field(validator=exact_int)
    insurance_before_adl: bool = field(validator=exact_bool)
    adl_solvent: bool = field(validator=exact_bool)
    adl_requires_profit: bool = field(validator=exact_bool)
    adl_rank: RankPolicy = field(validator=instance_of(RankPolicy))
    funding_interval: Time = field(validator=exact_int)
    funding_rate_cap: Rate = field(validator=exact_int)
    takeover_rate: Rate = field(default=Rate(RATE_ONE), validator=exact_int)
    adl_close_out: CloseOut = field(default=CloseOut.BANKRUPTCY, validator=instance_of(CloseOut))
    withdrawals_wait: bool = field(default=False, validator=exact_bool)
    withdrawals_are_cut: bool = field(default=False, validator=exact_bool)
    vault_deposit_notice: Time = field(default=Time(86_400_000), validator=exact_int)
    vault_redemption_notice: Time = field(default=Time(86_400_000), validator=exact_int)
    vault_request_window: Time = field(default=Time(86_400_000), validator=exact_int)
    vault_deposit_minimum: Atoms = field(default=Atoms(1), validator=exact_int)
    insurance_fee_share: Rate = field(default=Rate(0), validator=exact_int)
    insurance_draw_limit: Atoms = field(default=Atoms(0), validator=exact_int)
    insurance_draw_window: Time = field(default=Time(0), validator=exact_int)
    liquidation_window: Time = field(default=Time(0), validator=exact_int)
    liquidation_cooldown: Time = field(default=Time(0), validator=exact_int)
    loss_sharing: LossSharing = field(default=LossSharing.NONE, validator=instance_of(LossSharing))
    liquidation_target: Rate = field(default=Rate(0), validator=exact_int)
    liquidation_block_limit: Atoms = field(default=Atoms(0), validator=exact_int)
    vault_takes_deficits: bool = field(default=False, validator=exact_bool)
    adl_size: AdlSize = field(default=AdlSize.WHOLE, validator=instance_of(AdlSize))
    adl_seed: int = field(default=0, validator=exact_int)
    funding_on_index: bool = field(default=False, validator=exact_bool)
    adl_allocation: Allocation = field(default=Allocation.QUEUE, validator=instance_of(Allocation))
    has_book: bool = field(default=False, validator=exact_bool)
    rules_notice: Time = field(default=Time(0), validator=exact_int)
    withdrawal_limit: Atoms = field(default=Atoms(0), validator=exact_int)
    withdrawal_window: Time = field(default=Time(0), validator=exact_int)


def is_admissible_rulebook(rulebook: Rulebook) -> bool:
    """The hypothesis of the theorems: every law is proven for every rulebook that passes."""
    window, cooldown = rulebook.liquidation_window, rulebook.liquidation_cooldown
    return (
        (rulebook.vault_position_limit >= 0)
        & (rulebook.insurance_floor >= 0)
        & (rulebook.insurance_fill_band >= 0)
        & (rulebook.insurance_fill_band <= RATE_ONE)
        & (rulebook.funding_interval > 0)
        & (rulebook.funding_rate_cap >= 0)
        & (rulebook.takeover_rate >= 0)
        & (rulebook.takeover_rate <= RATE_ONE)
        & (rulebook.vault_deposit_notice >= 0)
        & (rulebook.vault_redemption_notice >= 0)
        & (rulebook.vault_request_window >= 0)
        & (rulebook.vault_deposit_minimum >= 1)
        & (rulebook.insurance_fee_share >= 0)
        & (rulebook.insurance_fee_share <= RATE_ONE)
        & (rulebook.insurance_draw_limit >= 0)
        & (rulebook.insurance_draw_window >= 0)
        & ((rulebook.insurance_draw_limit == 0) | (rulebook.insurance_draw_window > 0))
        & (cooldown >= 0)
        & ((window == 0) | (cooldown <= window))
        & ((rulebook.liquidation_target == 0) | (rulebook.liquidation_target >= RATE_ONE))
        & (rulebook.liquidation_block_limit >= 0)
        & (not (rulebook.vault_takes_deficits & rulebook.insurance_before_adl))
        & (rulebook.rules_notice >= 0)
        & (rulebook.withdrawal_limit >= 0)
        & (rulebook.withdrawal_window >= 0)
        & ((rulebook.withdrawal_limit == 0) | (rulebook.withdrawal_window > 0))
    )


@frozen
class Tier:
    """A bracket of margin rates, for a position's notional above ``floor`` atoms."""

    floor: Atoms = field(validator=exact_int)
    initial_margin_rate: Rate = field(validator=exact_int)
    maintenance_margin_rate: Rate = field(validator=exact_int)


def _tiers(rules: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if type(value) is not tuple or any(type(tier) is not Tier for tier in value):
        raise TypeError(f"{type(rules).__name__}.{attribute.name} must be a tuple of Tier, not {value!r}")


@frozen
class MarketRules:
    """One market's rates, in parts per million of notional, and its limits, which bound nothing at zero.

    ``maker_fee_rate`` may be negative, a rebate that the taker's fee pays for.
    ``mark_move_limit``: rate of the mark price by which the next may differ.
    ``mark_age_limit``: milliseconds after which a mark price is stale.
    ``fill_price_band``: rate of the mark price by which a fill's price may differ.
    ``tiers``: the brackets above that of the margin rates here, which starts at zero.
    ``tier_rule``: whether a bracket's rate is that of the part within it, or of the whole notional.
    ``open_interest_floor``, ``open_interest_cap``: atoms of open interest at mark between which initial
    rates rise from their own to one; both zero where they do not. A trade is judged at what it leaves.
    ``liquidation_share``: rate of a position's lots, rounded up, that one liquidation fill closes at most while
    ``liquidation_share_floor``: the position's notional at mark is above so many atoms.
    ``minimum_size``: fewest lots that a fill leaves a position with, unless it closes it.
    ``liquidation_tier_step``: no liquidation fill closes a lot more than brings the position's notional at mark
    down to the floor of the bracket that it is in.
    ``liquidation_block_limit``: atoms of notional at mark up to which all accounts' positions here are sold to the
    book at one time, in a block.
    ``vault_position_limit``: as the rulebook's, for this market alone; the smaller binds.
    ``mark_index_band``: rate of the index price by which a new mark price may differ from it.
    ``insurance_separate``: the market has a part of the insurance fund of its own, which its fees and overshoots
    feed, and on which its fills and deleveragings draw, and nothing else. Deficits of accounts are not its.
    ``open_interest_limit``: atoms of open interest at mark beyond which no fill raises it. What reduces passes.
    ``index_age_limit``: milliseconds after which an index price is stale; at zero ``mark_age_limit`` says so.
    ``index_move_limit``: rate of the index price by which the next may differ.
    """

    initial_margin_rate: Rate = field(validator=exact_int)
    maintenance_margin_rate: Rate = field(validator=exact_int)
    taker_fee_rate: Rate = field(validator=exact_int)
    maker_fee_rate: Rate = field(validator=exact_int)
    liquidation_fee_rate: Rate = field(validator=exact_int)
    mark_move_limit: Rate = field(default=Rate(0), validator=exact_int)
    mark_age_limit: Time = field(default=Time(0), validator=exact_int)
    fill_price_band: Rate = field(default=Rate(0), validator=exact_int)
    tiers: tuple[Tier, ...] = field(default=(), validator=_tiers)
    tier_rule: TierRule = field(default=TierRule.MARGINAL, validator=instance_of(TierRule))
    open_interest_floor: Atoms = field(default=Atoms(0), validator=exact_int)
    open_interest_cap: Atoms = field(default=Atoms(0), validator=exact_int)
    liquidation_share: Rate = field(default=Rate(RATE_ONE), validator=exact_int)
    liquidation_share_floor: Atoms = field(default=Atoms(0), validator=exact_int)
    minimum_size: Lots = field(default=Lots(1), validator=exact_int)
    liquidation_tier_step: bool = field(default=False, validator=exact_bool)
    liquidation_block_limit: Atoms = field(default=Atoms(0), validator=exact_int)
    vault_position_limit: Atoms = field(default=Atoms(0), validator=exact_int)
    mark_index_band: Rate = field(default=Rate(0), validator=exact_int)
    insurance_separate: bool = field(default=False, validator=exact_bool)
    open_interest_limit: Atoms = field(default=Atoms(0), validator=exact_int)
    index_age_limit: Time = field(default=Time(0), validator=exact_int)
    index_move_limit: Rate = field(default=Rate(0), validator=exact_int)


def is_admissible_tier(lower: Tier, tier: Tier) -> bool:
    """Whether ``tier`` may be the next bracket above ``lower``: it starts higher, and no rate falls."""
    return (
        (tier.floor > lower.floor)
        & (tier.initial_margin_rate >= lower.initial_margin_rate)
        & (tier.maintenance_margin_rate >= lower.maintenance_margin_rate)
        & (tier.maintenance_margin_rate <= tier.initial_margin_rate)
        & (tier.initial_margin_rate <= RATE_ONE)
    )


def has_admissible_tiers(rules: MarketRules) -> bool:
    """Whether each bracket may follow the one below it."""
    base = Tier(Atoms(0), rules.initial_margin_rate, rules.maintenance_margin_rate)
    return all(is_admissible_tier(lower, tier) for lower, tier in pairwise((base, *rules.tiers)))


def is_admissible_market(rules: MarketRules) -> bool:
    """The part of the theorems' hypothesis that speaks of one market."""
    low, high = rules.open_interest_floor, rules.open_interest_cap
    return (
        (rules.maintenance_margin_rate > 0)
        & (rules.maintenance_margin_rate <= rules.initial_margin_rate)
        & (rules.initial_margin_rate <= RATE_ONE)
        & (rules.taker_fee_rate >= 0)
        & (rules.taker_fee_rate <= RATE_ONE)
        & (rules.taker_fee_rate + rules.maker_fee_rate >= 0)
        & (rules.maker_fee_rate <= RATE_ONE)
        & (rules.liquidation_fee_rate >= 0)
        & (rules.liquidation_fee_rate <= RATE_ONE)
        & (rules.mark_move_limit >= 0)
        & (rules.mark_age_limit >= 0)
        & (rules.fill_price_band >= 0)
        & (low >= 0)
        & ((low < high) | ((low == 0) & (high == 0)))
        & (rules.liquidation_share > 0)
        & (rules.liquidation_share <= RATE_ONE)
        & (rules.liquidation_share_floor >= 0)
        & (rules.minimum_size >= 1)
        & (rules.liquidation_block_limit >= 0)
        & (rules.vault_position_limit >= 0)
        & (rules.mark_index_band >= 0)
        & (rules.open_interest_limit >= 0)
        & (rules.index_age_limit >= 0)
        & (rules.index_move_limit >= 0)
        & has_admissible_tiers(rules)
    )
