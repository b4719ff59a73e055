"""A crash of our own making, from the first deposit to the last deleveraging, as an event log.

    python examples/crash.py [--seed 20251010] [--out examples/crash.jsonl]

Three unequal markets, thousands of accounts, twelve minutes. Prices fall, the order book
thins, the vault reaches its limit, the insurance fund runs out, and winners are deleveraged.
Large positions need more margin and go to the book by shares, marks move by steps and grow
stale, some positions are isolated, and the vault is its depositors', one of whom leaves in
the middle of it. A week later the smallest market ends. Every step of the waterfall is
proposed by ``resolve`` or ``settle`` and judged by the kernel; the log is a function of the seed alone.

What is taken from published reconstructions of 10 October 2025 on Hyperliquid
(ConejoCapital/HyperMultiAssetedADL, window 21:15-21:27 UTC): the window, and in ``PUBLISHED`` how
notional and accounts deleveraged compare between BTC, ETH and HYPE. Money is scaled to a
thousandth, accounts to an eighth. Prices, leverage and depth are made up, and tuned so that
the whole comes near the published 5.5 bn liquidated, of them 2.1 bn deleveraged, the first
62 seconds after the first liquidation.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import NamedTuple

from riskcore import (
    ApplyFunding,
    Deposit,
    Event,
    ExecuteVaultDeposit,
    ExecuteVaultRedemption,
    Fill,
    FundInsurance,
    IndexPrice,
    ListMarket,
    MarketRules,
    MarkPrice,
    RankPolicy,
    RequestVaultDeposit,
    RequestVaultRedemption,
    Rule,
    Rulebook,
    SetLeverage,
    State,
    Tier,
    Transfer,
    Withdraw,
    genesis,
    step,
)
from riskcore.log import write_log
from riskcore.oracle import get_funding_rate, get_premium
from riskcore.owners import get_owner
from riskcore.planner import Liquidity, Offer, Resolution, resolve, settle
from riskcore.quantities import RATE_ONE, AccountId, Atoms, EventId, Lots, MarketId, Price, Rate, Time
from riskcore.tiers import get_initial_rates, get_tiered_requirement
from riskcore.units import Units

SEED = 20251010
PATH = Path(__file__).with_name("crash.jsonl")

#: Atoms per US dollar.
DOLLAR = 1_000_000
#: 20:00, 21:15 and 21:27 UTC on 10 October 2025, in milliseconds.
OPENING, CRASH, CLOSE = Time(1_760_126_400_000), Time(1_760_130_900_000), Time(1_760_131_620_000)
HOUR = 3_600_000
WEEK = 168 * HOUR
TICK = 10_000
TICKS = (CLOSE - CRASH) // TICK


class Published(NamedTuple):
    """US dollars of notional deleveraged, and accounts deleveraged, in one coin."""

    notional: int
    users: int


PUBLISHED = {
    "BTC": Published(620_890_948, 2_081),
    "ETH": Published(458_008_925, 1_455),
    "HYPE": Published(189_932_888, 6_208),
}


class Listing(NamedTuple):
    """One market: rules, atoms per lot before the crash, and how far it falls (ppm of that) by tick.

    ``lot``: base units of a lot. ``leverage``: the most that longs use.
    """

    rules: MarketRules
    lot: str
    price: int
    path: tuple[tuple[int, int], ...]
    leverage: int


def make_rules(initial: int, maintenance: int, mark_move: int, large: int, open_interest: int = 0) -> MarketRules:
    """A market's rules. Above ``large`` dollars a position needs twice the margin, and is sold by shares.

    ``open_interest``: dollars of it above which initial margin rises; none where zero.
    """
    return MarketRules(
        initial_margin_rate=Rate(initial),
        maintenance_margin_rate=Rate(maintenance),
        taker_fee_rate=Rate(450),
        maker_fee_rate=Rate(150),
        liquidation_fee_rate=Rate(5_000),
        mark_move_limit=Rate(mark_move),
        mark_age_limit=Time(90_000),
        fill_price_band=Rate(20_000),
        mark_index_band=Rate(10_000),
        tiers=(Tier(Atoms(large * DOLLAR), Rate(2 * initial), Rate(2 * maintenance)),),
        open_interest_floor=Atoms(open_interest * DOLLAR),
        open_interest_cap=Atoms(open_interest * 20 * DOLLAR),
        liquidation_share=Rate(200_000),
        liquidation_share_floor=Atoms(large * DOLLAR),
    )


LISTINGS = {
    MarketId("BTC"): Listing(
        make_rules(25_000, 12_500, 100_000, 50_000),
        "0.001",
        117_000_000,
        ((0, 0), (2, 12_000), (6, 45_000), (9, 95_000), (18, 115_000), (30, 125_000), (48, 100_000), (72, 80_000)),
        30,
    ),
    MarketId("ETH"): Listing(
        make_rules(40_000, 20_000, 100_000, 50_000),
        "0.01",
        41_000_000,
        ((0, 0), (2, 16_000), (6, 65_000), (9, 140_000), (18, 165_000), (30, 180_000), (48, 145_000), (72, 120_000)),
        20,
    ),
    MarketId("HYPE"): Listing(
        make_rules(100_000, 50_000, 150_000, 10_000, 800_000),
        "0.1",
        4_100_000,
        ((0, 0), (2, 25_000), (6, 120_000), (9, 330_000), (18, 420_000), (24, 480_000), (48, 350_000), (72, 240_000)),
        9,
    ),
}

UNITS = Units(cash="0.000001", lots={market: listing.lot for market, listing in LISTINGS.items()})

RULEBOOK = Rulebook(
    vault=AccountId("vault"),
    vault_position_limit=Atoms(250_000 * DOLLAR),
    insurance_floor=Atoms(500 * DOLLAR),
    insurance_backs_fills=True,
    insurance_fill_band=Rate(10_000),
    insurance_before_adl=True,
    adl_solvent=False,
    adl_requires_profit=True,
    adl_rank=RankPolicy.PROFIT_TIMES_LEVERAGE,
    funding_interval=Time(28_800_000),
    funding_rate_cap=Rate(40_000),
    takeover_rate=Rate(666_667),
    withdrawals_are_cut=True,
    vault_deposit_notice=Time(HOUR),
    vault_redemption_notice=Time(HOUR // 3),
    vault_request_window=Time(HOUR // 6),
    vault_deposit_minimum=Atoms(100 * DOLLAR),
    funding_on_index=True,
    insurance_fee_share=Rate(100_000),
    insurance_draw_limit=Atoms(9_000 * DOLLAR),
    insurance_draw_window=Time(60_000),
    liquidation_window=Time(30_000),
    liquidation_cooldown=Time(TICK),
)
#: What the vault has of its operator, and of each depositor.
VAULT_DOLLARS, DEPOSITOR_DOLLARS, INSURANCE_DOLLARS = 80_000, 20_000, 12_000
DEPOSITORS = tuple(AccountId(f"depositor{number}") for number in range(6))
#: Who asks for the worth of his shares at 21:00, a quarter of an hour before the crash.
LEAVER = DEPOSITORS[0]
MAKERS = tuple(AccountId(f"maker{number}") for number in range(6))
MAKER_DOLLARS = 250_000
#: Open interest as a multiple of the notional that was deleveraged.
OPEN_INTEREST_MULTIPLE = 5
#: Atoms of it that initial margin is computed for when money is brought in: more than any market has.
OPEN_NOTIONAL = 4_000_000 * DOLLAR
#: Marks at which positions were opened, in ppm of the last before the crash.
ENTRIES = (905_000, 930_000, 955_000, 985_000, 1_020_000, 1_010_000, 990_000, 1_000_000)
#: Resting lots at each level per tick, in ppm of open interest: before, at the worst, and after.
DEPTH = ((0, 30_000), (4, 24_000), (8, 6_000), (30, 3_000), (48, 6_000), (72, 18_000))
#: Distance of each level from the mark, in ppm.
LEVELS = (1_000, 4_000, 9_000, 16_000)


class Venue:
    """The state so far and the events that led to it."""

    def __init__(self) -> None:
        self.state: State = genesis(RULEBOOK, mutable=True)
        self.events: list[Event] = []
        self.time = OPENING

    def does(self, kind: Callable[..., Event], *fields: object) -> None:
        """One event that the kernel must accept."""
        rejected = self.tries(kind, *fields)
        if rejected is not None:
            raise ValueError(f"{kind} {fields}: {rejected.value}")

    def tries(self, kind: Callable[..., Event], *fields: object) -> Rule | None:
        """One event that leaves no trace where the kernel rejects it; the rule it breaks."""
        sequence = self.state.sequence + 1
        event = kind(EventId(f"e{sequence}"), sequence, self.time, *fields)
        outcome = step(self.state, event)
        if outcome.rejected is None:
            self.state = outcome.state
            self.events.append(event)
        return outcome.rejected

    def sets_price(self, market_id: MarketId, mark: int) -> None:
        """The index, and the mark a little above it."""
        self.does(IndexPrice, market_id, get_index(mark))
        self.does(MarkPrice, market_id, mark)

    def has_asked(self, holder: AccountId) -> bool:
        """Whether shares of the holder wait to be paid out."""
        return self.state.stakes.get(holder).redemption > 0

    def resolve(self, liquidity: Liquidity) -> None:
        """Run the waterfall as far as it goes at these marks.

        Accounts that are below maintenance but solvent may have to wait for the book to fill.
        """
        self._take(resolve(self.state, liquidity, prefix="e", timestamp=self.time))

    def settle(self, market_id: MarketId, price: Price) -> None:
        """End a market: everybody in it is closed at this price."""
        self._take(settle(self.state, market_id, price, prefix="e", timestamp=self.time))

    def _take(self, resolution: Resolution) -> None:
        self.state = resolution.state
        self.events.extend(resolution.events)

    def get_mark(self, market_id: MarketId) -> Price:
        market = self.state.markets.get(market_id)
        assert market is not None
        return market.mark_price


def make_events(seed: int = SEED) -> list[Event]:
    """The whole story."""
    random = Random(seed)
    venue = Venue()
    open_venue(venue)
    for market_id in LISTINGS:
        open_positions(venue, random, market_id)
    for market_id in LISTINGS:
        venue.sets_price(market_id, venue.get_mark(market_id))
        venue.does(ApplyFunding, market_id, get_hourly_rate(venue.get_mark(market_id)))
    fill_vault(venue)
    for tick in range(1, TICKS + 1):
        venue.time = Time(CRASH + tick * TICK)
        for market_id, listing in LISTINGS.items():
            venue.sets_price(market_id, get_price(listing, tick, random))
        venue.resolve(make_liquidity(venue, random, tick))
        # the vault may need its capital for as long as the market falls
        if venue.has_asked(LEAVER):
            venue.tries(ExecuteVaultRedemption, LEAVER)
    end_smallest_market(venue)
    return venue.events


def open_venue(venue: Venue) -> None:
    """Markets, and the money of those who stand behind them."""
    for market_id, listing in LISTINGS.items():
        venue.does(ListMarket, market_id, listing.rules, listing.price)
    venue.does(FundInsurance, INSURANCE_DOLLARS * DOLLAR)
    venue.does(Deposit, RULEBOOK.vault, VAULT_DOLLARS * DOLLAR)
    for depositor in DEPOSITORS:
        venue.does(Deposit, depositor, DEPOSITOR_DOLLARS * DOLLAR)
        venue.does(RequestVaultDeposit, depositor, DEPOSITOR_DOLLARS * DOLLAR)
    for maker in MAKERS:
        venue.does(Deposit, maker, MAKER_DOLLARS * DOLLAR)


def fill_vault(venue: Venue) -> None:
    """The deposits of an hour ago become shares, and one depositor already wants out."""
    venue.time = Time(OPENING + HOUR)
    for depositor in DEPOSITORS:
        venue.does(ExecuteVaultDeposit, depositor)
    venue.does(RequestVaultRedemption, LEAVER, venue.state.stakes.get(LEAVER).shares)


def end_smallest_market(venue: Venue) -> None:
    """A week later there is a last price, and who was in that market takes his money home."""
    venue.time = Time(CLOSE + WEEK)
    market_id = min(LISTINGS, key=lambda id: PUBLISHED[id].notional)
    venue.settle(market_id, venue.get_mark(market_id))
    for id, account in sorted(venue.state.accounts.items()):
        if id.startswith(market_id) and len(account.positions) == 0 and account.balance > 0:
            venue.does(Withdraw, id, account.balance)


def open_positions(venue: Venue, random: Random, market_id: MarketId) -> None:
    """Longs of high leverage and shorts of low, matched at the marks of the hour before."""
    listing, published = LISTINGS[market_id], PUBLISHED[market_id]
    open_lots = published.notional * OPEN_INTEREST_MULTIPLE // 1_000 * DOLLAR // listing.price
    count = published.users // 8
    longs = split_lots(open_lots, count, random)
    shorts = split_lots(open_lots, count, random)
    entries = [listing.price * entry // RATE_ONE for entry in ENTRIES]
    entered: set[AccountId] = set()
    for long, short, lots in match_lots(longs, shorts):
        # some hold all three markets against one balance
        isolated = "/isolated" if long % 7 == 1 else ""
        buyer = AccountId(f"cross{long}" if long % 7 == 0 else f"{market_id}-long{long}{isolated}")
        seller = AccountId(f"{market_id}-short{short}")
        if buyer not in entered and long % (count // len(entries) + 1) == 0:
            venue.time = Time(venue.time + 60_000)
            venue.sets_price(market_id, entries.pop(0))
        # longs borrow, shorts hardly do: the published winners had a median leverage of 0.2
        if buyer not in entered:
            leverage = pick_leverage(random, listing.leverage)
            money = get_margin_money(listing.rules, longs[long] * listing.price, leverage)
            owner = get_owner(buyer)
            venue.does(Deposit, owner, money if owner == buyer else 3 * money)
            if owner != buyer:
                venue.does(Transfer, owner, buyer, money)
                venue.does(SetLeverage, buyer, market_id, leverage + 1)
        if seller not in entered:
            venue.does(Deposit, seller, shorts[short] * listing.price * random.randrange(1, 6))
        entered.update((buyer, seller))
        venue.does(Fill, buyer, seller, market_id, lots, venue.get_mark(market_id))


def get_index(mark: int) -> int:
    return mark * 9_999 // 10_000


def get_hourly_rate(mark: int) -> Rate:
    """Funding while impact bids are half a thousandth above the index."""
    index = get_index(mark)
    premium = get_premium(index, index * 10_005 // 10_000, index * 10_010 // 10_000)
    return get_funding_rate(premium, interest_rate=100, clamp=500, cap=RULEBOOK.funding_rate_cap)


def get_margin_money(rules: MarketRules, notional: int, leverage: int) -> int:
    """Atoms for a position of this notional, entered up to 2 % higher, and its fees; no less than it needs."""
    needed = get_tiered_requirement(rules, notional, get_initial_rates(rules, OPEN_NOTIONAL))
    return max(notional // leverage, needed) * 102 // 100 + notional // 500


def split_lots(lots: int, count: int, random: Random) -> list[int]:
    """Lots of each of ``count`` accounts: few have most, as in the published figures, none has none."""
    weights = [1_000_000 // (rank + 8) for rank in range(count)]
    random.shuffle(weights)
    whole = sum(weights)
    sizes = [1 + (lots - count) * weight // whole for weight in weights]
    sizes[0] += lots - sum(sizes)
    return sizes


def pick_leverage(random: Random, most: int) -> int:
    """Half of the longs are near the most that is allowed."""
    return random.randrange(most * 6 // 10, most + 1) if random.randrange(2) else random.randrange(2, most)


def match_lots(longs: list[int], shorts: list[int]) -> Iterator[tuple[int, int, int]]:
    """Pairs (long, short, lots) that fill both lists, which are equal in sum."""
    long, short, left, other = 0, 0, longs[0], shorts[0]
    while True:
        lots = min(left, other)
        yield long, short, lots
        left, other = left - lots, other - lots
        if left == 0:
            long += 1
            if long == len(longs):
                return
            left = longs[long]
        if other == 0:
            short += 1
            other = shorts[short]


def interpolate(points: tuple[tuple[int, int], ...], at: int) -> int:
    """The broken line through the points, rounded down."""
    for (left, low), (right, high) in pairwise(points):
        if at <= right:
            return low + (high - low) * (at - left) // (right - left)
    return points[-1][1]


def get_price(listing: Listing, tick: int, random: Random) -> int:
    """The mark at a tick, with some noise."""
    fall = interpolate(listing.path, tick) + random.randrange(-4_000, 4_001)
    return listing.price * (RATE_ONE - fall) // RATE_ONE


def make_liquidity(venue: Venue, random: Random, tick: int) -> Liquidity:
    """What rests in the three books for this tick: the makers', at a few levels."""
    bids: dict[MarketId, tuple[Offer, ...]] = {}
    asks: dict[MarketId, tuple[Offer, ...]] = {}
    for market_id in LISTINGS:
        market = venue.state.markets.get(market_id)
        assert market is not None
        mark, lots = market.mark_price, max(market.open_interest * interpolate(DEPTH, tick) // RATE_ONE, 1)
        makers = [random.choice(MAKERS) for _ in LEVELS]
        bids[market_id] = tuple(
            Offer(maker, Price(mark * (RATE_ONE - level) // RATE_ONE), Lots(lots))
            for maker, level in zip(makers, LEVELS, strict=True)
        )
        asks[market_id] = tuple(
            Offer(maker, Price(mark * (RATE_ONE + level) // RATE_ONE), Lots(lots))
            for maker, level in zip(makers, LEVELS, strict=True)
        )
    return Liquidity(bids, asks)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, default=PATH)
    chosen = parser.parse_args()
    count = write_log(chosen.out, RULEBOOK, UNITS, make_events(chosen.seed))
    print(f"{count:,} events in {chosen.out}")


if __name__ == "__main__":
    main()
