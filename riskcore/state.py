"""What a venue knows: accounts, markets, reserves, the rulebook, an open deleveraging.

All values are frozen. The only mutable thing there can be is the table that a
state was made on (``tables.py``); which one is chosen in ``genesis``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import attrs
from attrs import field, frozen
from attrs.validators import instance_of

from riskcore.choices import AdlSize as AdlSize
from riskcore.choices import CloseOut as CloseOut
from riskcore.choices import LossSharing as LossSharing
from riskcore.choices import RankPolicy as RankPolicy
from riskcore.choices import TierRule as TierRule
from riskcore.leverages import NO_LEVERAGES, Leverages
from riskcore.quantities import (
    NEVER,
    RATE_ONE,
    AccountId,
    Atoms,
    EventId,
    Lots,
    MarketId,
    Price,
    Rate,
    Shares,
    Time,
    exact_bool,
    exact_int,
    some_text,
)
from riskcore.tables import DictTable, PersistentTable, Table


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
    ``mark_age_limit``: milliseconds after which a mark price is stale, and so an index price.
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
        & has_admissible_tiers(rules)
    )


_START = Time(0)
_NOTHING = Atoms(0)


def _get_mark(market: Market) -> Price:
    return market.mark_price


def _get_mark_time(market: Market) -> Time:
    return market.mark_time


@frozen
class Market:
    """A listed market.

    ``funding_index``: atoms that one long lot has paid, in sum, since listing.
    ``funding_remainder``: what the index's divisions left over, carried to the next.
    ``open_interest``: lots held long, which are as many as are held short.
    ``settling``: the market ends at its mark price, for good.
    ``mark_time``: when the mark price was set.
    ``insurance_used``: atoms that the insurance fund has paid for liquidation fills and deleveragings here.
    ``sold``: atoms of notional at mark that liquidation fills closed at ``sold_time``, where the market limits it.
    ``previous_mark_price``: the mark before the last ``MarkPrice``.
    ``index_price``, ``index_time``: the price of what the market is about, and when it was set. Until they
    are, all three are those of the mark.
    ``insurance``: atoms of the insurance fund that are this market's own (``domains.py``).
    """

    rules: MarketRules
    mark_price: Price
    funding_index: Atoms
    funding_remainder: int
    funding_time: Time
    open_interest: Lots
    settling: bool = False
    mark_time: Time = _START
    insurance_used: Atoms = _NOTHING
    sold: Atoms = _NOTHING
    sold_time: Time = _START
    previous_mark_price: Price = field(default=attrs.Factory(_get_mark, takes_self=True))
    index_price: Price = field(default=attrs.Factory(_get_mark, takes_self=True))
    index_time: Time = field(default=attrs.Factory(_get_mark_time, takes_self=True))
    insurance: Atoms = _NOTHING


@frozen
class Position:
    """``cost`` is a memo for entry price, profit and rank; no balance is computed from it.

    ``opened``: the sequence number of the last event before it opened or changed sides; a memo for rank.
    """

    size: Lots
    cost: Atoms
    entry_index: Atoms
    opened: int = 0


NO_POSITION = Position(Lots(0), Atoms(0), Atoms(0))


class Positions:
    """One account's positions by market: total, immutable, and without empty entries."""

    __slots__ = ("_entries",)

    def __init__(self, entries: Mapping[MarketId, Position] | None = None) -> None:
        self._entries: dict[MarketId, Position] = {
            market: position for market, position in (entries or {}).items() if position.size != 0
        }

    def get(self, market: MarketId) -> Position:
        return self._entries.get(market, NO_POSITION)

    def put(self, market: MarketId, position: Position) -> Positions:
        """The positions with ``position`` at ``market``; a size of zero leaves no trace."""
        changed = Positions()
        changed._entries = self._entries.copy()
        if position.size != 0:
            changed._entries[market] = position
        else:
            changed._entries.pop(market, None)
        return changed

    def items(self) -> Iterator[tuple[MarketId, Position]]:
        return iter(self._entries.items())

    def __len__(self) -> int:
        return len(self._entries)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Positions) and self._entries == other._entries

    def __hash__(self) -> int:
        return hash(frozenset(self._entries.items()))

    def __repr__(self) -> str:
        return f"Positions({self._entries!r})"


@frozen
class Account:
    """A participant: the vault is one, and so would a market maker be.

    ``liquidated``: when a liquidation fill last closed lots of it, where the rulebook has it remembered.
    ``leverages``: what it has chosen of leverage, by market, whether or not it has a position there.
    ``sold``: atoms of notional at mark that liquidation fills closed then.
    """

    balance: Atoms
    positions: Positions
    liquidated: Time = NEVER
    leverages: Leverages = NO_LEVERAGES
    sold: Atoms = _NOTHING


NO_ACCOUNT = Account(Atoms(0), Positions())


@frozen
class Reserves:
    """The owners of cash that are not accounts. With the accounts they sum to zero.

    ``outside``: the world; minus its balance is the pool, the cash that is really there.
    ``transit``: funding that one side has settled and the other has not yet; either sign.
    ``uncovered``: minus the losses that nobody could pay.
    ``escrow``: deposits that wait to become shares of the vault; still their depositors'.
    """

    outside: Atoms
    insurance: Atoms
    fees: Atoms
    transit: Atoms
    uncovered: Atoms
    escrow: Atoms = field(default=Atoms(0))


@frozen
class Draws:
    """What the insurance fund has paid out since the last window began: ``drawn`` atoms since ``since``.

    Kept where the rulebook limits it (``draws.py``).
    """

    drawn: Atoms = field(default=Atoms(0))
    since: Time = field(default=Time(0))


NO_DRAWS = Draws()


@frozen
class Stake:
    """An account's part in the vault. It is no part of the account's equity: shares are no margin.

    ``deposit``: atoms in escrow that wait to become shares, since ``deposit_time``.
    ``redemption``: shares that wait to be paid out, since ``redemption_time``; until then they
    are shares like all others. Where nothing waits, the time is zero.
    """

    shares: Shares
    deposit: Atoms
    deposit_time: Time
    redemption: Shares
    redemption_time: Time


NO_STAKE = Stake(Shares(0), Atoms(0), Time(0), Shares(0), Time(0))


@frozen
class Deleveraging:
    """An open deleveraging of ``account`` in ``market``; while it is open all else waits.

    ``lots``: lots to close; ``share``: atoms that the counterparties pay for all of them
    (they receive if it is negative); ``done``: lots closed so far.
    ``queue``: every eligible counterparty in rank order; ``head``: how many were consumed.
    ``excess``: atoms of the share that the account does not need, which are the insurance fund's.
    ``sequence``: the sequence number of the last event before it was opened.
    """

    account: AccountId
    market: MarketId
    lots: Lots
    share: Atoms
    done: Lots
    queue: tuple[AccountId, ...]
    head: int
    excess: Atoms = _NOTHING
    sequence: int = 0


@frozen
class Sharing:
    """A loss of ``amount`` atoms that is being shared out by positions in ``market``; until then all else waits.

    ``members``: everyone who has weight, in the order of their ids; ``weight``: all of theirs together.
    ``head``: how many have paid; ``done``: their weight.
    """

    market: MarketId
    amount: Atoms
    weight: int
    done: int
    members: tuple[AccountId, ...]
    head: int


@frozen
class State:
    """``vault_shares``: the shares of all stakes together.

    ``separate_insurance``: atoms of the insurance fund that are some market's own, all together.
    """

    rulebook: Rulebook
    accounts: Table[AccountId, Account]
    markets: Table[MarketId, Market | None]
    seen: Table[EventId, bool]
    reserves: Reserves
    deleveraging: Deleveraging | None
    sequence: int
    timestamp: Time
    stakes: Table[AccountId, Stake] = field(factory=lambda: PersistentTable(NO_STAKE))
    vault_shares: Shares = field(default=Shares(0))
    draws: Draws = field(default=NO_DRAWS)
    sharing: Sharing | None = None
    separate_insurance: Atoms = _NOTHING


def genesis(rulebook: Rulebook, *, mutable: bool = False) -> State:
    """An empty venue. ``mutable`` keeps it on plain dicts, for speed (see ``DictTable``).

    Raises ``ValueError`` where the rulebook is not admissible.
    """
    if not is_admissible_rulebook(rulebook):
        raise ValueError(f"the rulebook is outside the admissible range: {rulebook}")
    no_market: Market | None = None
    return State(
        rulebook=rulebook,
        accounts=DictTable(NO_ACCOUNT) if mutable else PersistentTable(NO_ACCOUNT),
        markets=DictTable(no_market) if mutable else PersistentTable(no_market),
        seen=DictTable(False) if mutable else PersistentTable(False),
        reserves=Reserves(Atoms(0), Atoms(0), Atoms(0), Atoms(0), Atoms(0)),
        deleveraging=None,
        sequence=0,
        timestamp=Time(0),
        stakes=DictTable(NO_STAKE) if mutable else PersistentTable(NO_STAKE),
    )
