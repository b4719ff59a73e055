"""How tests drive the kernel: ``Desk`` by hand, ``Proposer`` by a seeded walk, and Hypothesis strategies.

``Desk`` feeds every event to both tables and to the naive model and compares all three.
``Proposer`` looks at the model and proposes the event that leads on into deep states, or a
spoilt one.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple, TypeVar

import attrs
from hypothesis import strategies as st

from riskcore import events
from riskcore.choices import AdlSize, Allocation, CloseOut, LossSharing, MarketStatus, RankPolicy, TierRule
from riskcore.events import Event
from riskcore.journal import Line
from riskcore.quantities import RATE_ONE, AccountId, Atoms, Lots, MarketId, Price, Rate, Time
from riskcore.rulebook import MarketRules, Rulebook, Tier, is_admissible_market, is_admissible_rulebook
from riskcore.state import Account, Market, Position, Positions, State, genesis
from riskcore.step import Outcome, step
from tests.naive import Venue, View, is_near, observe
from tests.naive_book import Ticket

E = TypeVar("E", bound=Event)

HOUR = 3_600_000
VAULT = "vault"
TRADERS = ("amber", "birch", "cedar", "daisy", "elder", "fir")
STRANGER = "nobody"
#: Whose owner has a position of its own there: an isolated one.
SUBACCOUNTS = ("amber/1", "birch/1")


# Rulebooks and rules for tests written by hand


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


# By hand


class Passage(NamedTuple):
    """One step as everybody saw it.

    ``broken``: the rules that it breaks, says the model; ``rejected``: the one that the
    kernel names. ``opened``: the view in which the deleveraging that this event met began,
    ``shared``: that in which the last sharing did.
    """

    event: Event
    before: View
    after: View
    broken: frozenset[str]
    rejected: str | None
    effects: tuple[Line, ...]
    old: State
    new: State
    opened: View | None
    shared: View | None = None


class Desk:
    """A venue on the persistent table, on the dict table and in the model, which must agree."""

    def __init__(self, rulebook: Rulebook | None = None, debts: dict[str, int] | None = None) -> None:
        rulebook = make_rulebook() if rulebook is None else rulebook
        self.state = with_debts(genesis(rulebook), debts or {})
        self.mutable = with_debts(genesis(rulebook, mutable=True), debts or {})
        self.venue = Venue.read(observe(self.state))
        self.view = observe(self.state)
        self.opened: View | None = None
        self.shared: View | None = None
        self.passages: list[Passage] = []

    def step(self, event: Event) -> Outcome:
        """Let an event happen everywhere and compare."""
        before, old = self.view, self.state
        outcome, twin = step(self.state, event), step(self.mutable, event)
        broken = frozenset(self.venue.apply(event))
        self.state, self.mutable = outcome.state, twin.state
        self.view = observe(self.state)
        rejected = None if outcome.rejected is None else outcome.rejected.name
        assert (outcome.rejected, outcome.effects) == (twin.rejected, twin.effects), event
        assert self.view == observe(self.mutable), event
        assert rejected in broken if broken else rejected is None, (event, broken, rejected)
        assert self.venue.view() == self.view, event
        self.passages.append(
            Passage(
                event, before, self.view, broken, rejected, outcome.effects, old, self.state, self.opened, self.shared
            )
        )
        if rejected is None and isinstance(event, events.BeginDeleveraging):
            self.opened = self.view
        if rejected is None and isinstance(event, events.BeginLossSharing):
            self.shared = self.view
        return outcome

    def do(self, kind: Callable[..., Event], *arguments: Any, after: int = 1000) -> Outcome:
        """An event with the next id and sequence, ``after`` milliseconds later."""
        sequence = self.venue.sequence + 1
        return self.step(kind(f"e{sequence}", sequence, self.venue.time + after, *arguments))

    def must(self, kind: Callable[..., Event], *arguments: Any, after: int = 1000) -> Outcome:
        """As ``do``, for what sets a test up and may not be rejected."""
        outcome = self.do(kind, *arguments, after=after)
        assert outcome.rejected is None, (outcome.rejected, kind, arguments)
        return outcome

    def open(self, market: str, mark: int, rules: MarketRules | None = None, **deposits: int) -> None:
        """List a market and pay deposits in."""
        self.must(events.ListMarket, market, make_rules() if rules is None else rules, mark)
        for account, amount in deposits.items():
            self.must(events.Deposit, account, amount)

    def get_account(self, account: str) -> Account:
        return self.state.accounts.get(AccountId(account))

    def get_balance(self, account: str) -> int:
        return self.get_account(account).balance

    def get_position(self, account: str, market: str) -> tuple[int, int, int]:
        """Size, cost and entry index."""
        position = self.get_account(account).positions.get(MarketId(market))
        return position.size, position.cost, position.entry_index

    def get_market(self, market: str) -> Market:
        found = self.state.markets.get(MarketId(market))
        assert found is not None
        return found

    def get_equity(self, account: str) -> int:
        return self.view.get_equity(account)


def get_lines(outcome: Outcome) -> list[tuple[object, ...]]:
    """The effects as plain tuples."""
    return [tuple(line) for line in outcome.effects]


def with_debts(state: State, debts: dict[str, int]) -> State:
    """The state in which flat accounts owe atoms to one creditor, as an older venue may hand them over."""
    accounts = state.accounts
    for account, debt in debts.items():
        accounts = accounts.put(AccountId(account), Account(Atoms(-debt), Positions()))
    if debts:
        accounts = accounts.put(AccountId("creditor"), Account(Atoms(sum(debts.values())), Positions()))
    return attrs.evolve(state, accounts=accounts)


# Scenarios


class Scenario(NamedTuple):
    """Where a walk starts."""

    rulebook: Rulebook
    markets: dict[str, tuple[MarketRules, int]]
    deposits: dict[str, int]
    insurance: int
    debts: dict[str, int]


def draw_rate(random: Random, *usual: int) -> int:
    return random.choice(usual) if random.random() < 0.85 else random.randint(0, RATE_ONE)


def draw_rules(random: Random, wealth: int = 10**6) -> MarketRules:
    """Admissible rules: mostly usual rates, now and then any; none to three tiers that ``wealth`` atoms reach."""
    initial = max(1, draw_rate(random, 20_000, 50_000, 100_000, 200_000, 500_000))
    maintenance = max(1, initial * random.choice((1, 3, 5, 9, 10)) // 10)
    taker = draw_rate(random, 0, 350, 500, 1000)
    maker = random.choice((0, -taker, -taker // 3, taker // 2, min(taker * 3, RATE_ONE)))
    liquidation = draw_rate(random, 0, 5000, 12_500, 100_000)
    tiers = []
    floor, one, other = 0, initial, maintenance
    for _ in range(random.choice((0, 0, 0, 1, 2, 3))):
        floor += random.randint(1, 3 * wealth)
        one = random.choice((one, min(one * 2, RATE_ONE), random.randint(one, RATE_ONE)))
        other = random.choice((other, min(other * 2, one), random.randint(other, one)))
        tiers.append((floor, one, other))
    low = random.choice((0, random.randint(1, 5 * wealth)))
    scaling = random.choice((*[(0, 0)] * 4, (low, low + random.randint(1, 30 * wealth))))
    rule = random.choice(tuple(TierRule))
    share = random.choice((RATE_ONE, RATE_ONE, 200_000, random.randint(1, RATE_ONE)))
    gates = (
        share,
        random.choice((0, 0, random.randint(0, wealth))),
        random.choice((1, 1, 1, 1, 2, random.randint(1, 9))),
    )
    plain = make_rules(initial, maintenance, taker, maker, liquidation, tuple(tiers), rule, scaling, gates)
    return attrs.evolve(
        plain,
        mark_move_limit=Rate(random.choice((0, 0, 0, 0, 0, 200_000))),
        mark_age_limit=Time(random.choice((0, 0, 0, 0, 1500, 9 * HOUR))),
        fill_price_band=Rate(random.choice((0, 0, 0, 0, 0, 20_000))),
        liquidation_tier_step=random.random() < 0.8,
        liquidation_block_limit=Atoms(random.choice((0, 0, 0, 0, 0, random.randint(1, 2 * wealth)))),
        vault_position_limit=Atoms(random.choice((0, 0, 0, random.randint(1, wealth)))),
        mark_index_band=Rate(random.choice((0, 0, 0, 0, 0, 150_000))),
        # nothing is drawn for it, so that walks are as they were
        insurance_separate=(initial + taker + liquidation) % 3 == 0,
        open_interest_limit=Atoms((maintenance % 7 + 1) * wealth if (maintenance // 100 + taker) % 7 == 3 else 0),
        index_age_limit=Time((0, 0, 0, 2500, 9 * HOUR)[(initial // 100 + liquidation) % 5]),
        index_move_limit=Rate((0, 0, 0, 0, 50_000)[(maintenance + liquidation) % 5]),
    )


def draw_scenario(random: Random) -> Scenario:
    """An admissible venue with some money in it; units from a lot worth an atom to 1e15 atoms."""
    scale = 10 ** random.choice((0, 1, 2, 4, 8, 13))
    wealth = 10 ** random.choice((1, 2, 3, 5)) * scale
    markets = {
        name: (draw_rules(random, wealth), random.randint(1, 99) * max(1, scale // random.choice((1, 10, 100))))
        for name in ("BTC", "ETH", "DOGE")[: random.choice((1, 2, 2, 3))]
    }
    rulebook = Rulebook(
        vault=AccountId(VAULT),
        vault_position_limit=Atoms(random.choice((0, wealth // 3, wealth * 2, wealth * 10**6))),
        insurance_floor=Atoms(random.choice((0, 0, wealth // 50))),
        insurance_backs_fills=random.random() < 0.5,
        insurance_fill_band=Rate(random.choice((0, 5_000, 50_000, 1_000_000))),
        insurance_before_adl=(before_adl := random.random() < 0.5),
        adl_solvent=random.random() < 0.8,
        adl_requires_profit=random.random() < 0.65,
        adl_rank=random.choice(tuple(RankPolicy)),
        funding_interval=Time(random.choice((1, 7, 1000, 8 * HOUR))),
        funding_rate_cap=Rate(random.choice((0, 100, 10_000, 40_000))),
        takeover_rate=Rate(random.choice((RATE_ONE, RATE_ONE, RATE_ONE, 666_667, 0))),
        adl_close_out=random.choice((*[CloseOut.BANKRUPTCY] * 5, *CloseOut)),
        withdrawals_wait=random.random() < 0.2,
        withdrawals_are_cut=random.random() < 0.6,
        vault_deposit_notice=Time(random.choice((0, 0, 1, 2000))),
        vault_redemption_notice=Time(random.choice((0, 0, 1, 2000))),
        vault_request_window=Time(random.choice((0, 1000, 20 * HOUR, 20 * HOUR))),
        vault_deposit_minimum=Atoms(random.choice((1, 1, max(1, wealth // 1000)))),
        insurance_fee_share=Rate(random.choice((0, 0, 333_333, 1_000_000))),
        insurance_draw_limit=Atoms(random.choice((0, 0, max(1, wealth // 50), max(1, wealth // 5)))),
        insurance_draw_window=Time(random.choice((1, 2000, 2000, HOUR))),
        liquidation_window=Time(window := random.choice((0, 0, 1, 5000))),
        liquidation_cooldown=Time(random.choice((0, 1, min(window or 900, 900)))),
        loss_sharing=random.choice(tuple(LossSharing)),
        liquidation_target=Rate(random.choice((0, 0, 0, RATE_ONE, 1_250_000))),
        liquidation_block_limit=Atoms(random.choice((0, 0, 0, 0, random.randint(1, 2 * wealth)))),
        vault_takes_deficits=not before_adl and random.random() < 0.15,
        adl_size=random.choice((AdlSize.WHOLE, AdlSize.NEEDED, AdlSize.NEEDED)),
        adl_seed=(seed := random.randint(-(2**70), 2**70)),
        funding_on_index=random.random() < 0.3,
        # a draw of its own would change all that are drawn after it
        adl_allocation=(*[Allocation.QUEUE] * 4, *Allocation)[seed % 9],
        # nothing is drawn for it either
        has_book=(seed // 9) % 3 == 0,
        rules_notice=Time(random.choice((0, 1, 5000, 5000, 5000))),
        withdrawal_limit=Atoms(random.choice((0, 0, 0, max(1, wealth // 20)))),
        withdrawal_window=Time(9000),
    )
    deposits = {trader: random.randint(1, 100) * wealth // 20 for trader in TRADERS}
    if random.random() < 0.6:
        deposits[VAULT] = random.randint(1, 100) * wealth // 100
    debts = {f"debtor{n}": random.randint(1, wealth) for n in range(random.choice((0, 1, 2)))}
    return Scenario(rulebook, markets, deposits, random.choice((0, wealth // 20, wealth)), debts)


def open_desk(scenario: Scenario) -> Desk:
    """A desk on which the scenario's markets are listed and its deposits made."""
    desk = Desk(scenario.rulebook, scenario.debts)
    for name, (rules, mark) in scenario.markets.items():
        desk.must(events.ListMarket, name, rules, mark)
    for account, amount in scenario.deposits.items():
        if amount > 0:
            desk.must(events.Deposit, account, amount)
    if scenario.insurance > 0:
        desk.must(events.FundInsurance, scenario.insurance)
    return desk


# By a walk


class Proposer:
    """Proposes events that are likely to lead on, given where the venue stands.

    Sizes and prices are drawn around the bounds at which the model changes its mind.
    """

    def __init__(self, venue: Venue, random: Random) -> None:
        self.venue = venue
        self.random = random

    def _make(self, kind: Callable[..., E], *arguments: Any, after: int | None = None) -> E:
        sequence = self.venue.sequence + 1
        wait = self.random.choice((0, 1, 1000)) if after is None else after
        return kind(f"e{sequence}", sequence, self.venue.time + wait, *arguments)

    def _any_trader(self) -> str:
        return self.random.choice((*TRADERS, *TRADERS, VAULT))

    def _traders(self) -> list[str]:
        """Who may trade: sub-accounts once they have cash."""
        # three times, for few of them live long
        funded = [account for account in SUBACCOUNTS if self.venue.cash.get(account, 0) > 0]
        return [*TRADERS, VAULT, *(3 * funded)]

    def _any_market(self) -> str:
        """One that is open, nearly always where there is one."""
        listings = self.venue.listings
        still_open = [name for name in sorted(listings) if not listings[name].settling]
        return self.random.choice(still_open if still_open and self.random.random() < 0.97 else sorted(listings))

    def _holders(self) -> list[tuple[str, str]]:
        return [(account, market) for account, held in sorted(self.venue.holdings.items()) for market in sorted(held)]

    def _sick_holdings(self) -> list[tuple[str, str]]:
        """Positions of accounts below maintenance; those in deficit only, where there are any, half of the time."""
        sick = [
            (account, market)
            for account, market in self._holders()
            if self.venue.is_sick(account) and not self.venue.listings[market].settling
        ]
        broke = [(account, market) for account, market in sick if self.venue.get_equity(account) < 0]
        return broke if broke and self.random.random() < 0.5 else sick

    def has_sick(self) -> bool:
        return bool(self._sick_holdings())

    def is_open(self) -> bool:
        return self.venue.episode is not None

    def shares_losses(self) -> bool:
        return self.venue.losses > 0 and self.venue.rulebook.loss_sharing is not LossSharing.NONE

    def _is_shut(self) -> bool:
        """Whether a market is close-only or paused."""
        return any(listing.status in ("close_only", "paused") for listing in self.venue.listings.values())

    def _has_pending(self) -> bool:
        return any(listing.pending is not None for listing in self.venue.listings.values())

    def _settling(self) -> list[str]:
        """Markets that end and in which somebody still has a position."""
        return sorted({market for _, market in self._holders() if self.venue.listings[market].settling})

    def is_settling(self) -> bool:
        return bool(self._settling())

    def has_flat_debtor(self) -> bool:
        cash, holdings = self.venue.cash, self.venue.holdings
        return any(balance < 0 and not holdings.get(account) for account, balance in cash.items())

    def _part(self, whole: int) -> int:
        """All of it, one, some of it, one too many, or nothing."""
        some = self.random.randint(1, max(1, whole))
        return self.random.choice((whole,) * 4 + (some,) * 4 + (1, 1, whole + 1, whole + 1, 0))

    # Money

    def deposit(self) -> Event:
        most = max(1, self.venue.pool // 5)
        return self._make(events.Deposit, self._any_trader(), self.random.choice((1, self.random.randint(1, most))))

    def withdraw(self) -> Event:
        """What is free, an atom more, or more than all of the pool, by anybody or by who is owed most."""
        owners = sorted(self.venue.cash) or [STRANGER]
        account = self.random.choice((self.random.choice(owners), max(owners, key=self.venue.get_equity)))
        health = self.venue.get_health(account)
        free = max(1, health.equity - health.initial)
        amount = self.random.choice((free, free, free + 1, self.random.randint(1, free), self.venue.pool + 1))
        way_out = self.venue.get_way_out(self.venue.time)
        if way_out and self.random.random() < 0.7:
            amount = min(amount, self.random.choice((way_out, way_out + 1, way_out // 2 + 1)))
        return self._make(events.Withdraw, account, amount)

    def transfer(self) -> Event:
        """To a sub-account, back from it, or between any two; what is free, an atom more, or a part."""
        sub = self.random.choice(SUBACCOUNTS)
        pair = (sub.partition("/")[0], sub)
        pairs = (pair, pair, pair[::-1], (self._any_trader(), self._any_trader()))
        payer, payee = self.random.choice(pairs)
        health = self.venue.get_health(payer)
        free = max(1, health.equity - health.initial)
        return self._make(
            events.Transfer, payer, payee, self.random.choice((free, free + 1, free // 2 + 1, free // 5 + 1))
        )

    def fund_insurance(self) -> Event:
        markets = [*self.venue.listings, None, None]
        amount = self.random.randint(1, max(1, self.venue.pool // 50))
        return self._make(events.FundInsurance, amount, markets[amount % len(markets)])

    def repay_loss(self) -> Event:
        return self._make(events.RepayLoss, self._part(self.venue.losses))

    # Prices and time

    def advance_time(self) -> Event:
        return self._make(events.AdvanceTime)

    def list_market(self) -> Event:
        rules = draw_rules(self.random)
        return self._make(
            events.ListMarket,
            self.random.choice((*self.venue.listings, f"NEW{len(self.venue.listings)}")),
            self._spoilt_rules(rules) if self.random.random() < 0.2 else rules,
            self.random.randint(1, 10**6),
        )

    def drift(self) -> Event:
        market = self._any_market()
        mark = self.venue.listings[market].mark
        moved = mark * self.random.randint(850, 1150) // 1000
        return self._make(events.MarkPrice, market, max(1, moved))

    def index(self) -> Event:
        """At the mark, or beside it."""
        market = self._any_market()
        mark = self.venue.listings[market].mark
        moved = self.random.choice((mark, mark * self.random.randint(900, 1100) // 1000, mark + 1))
        return self._make(events.IndexPrice, market, max(1, moved))

    def crash(self) -> Event:
        """Mark a market at a bound of one of its accounts."""
        holders = self._open_holdings()
        if not holders:
            return self.drift()
        account, market = self.random.choice(holders)
        return self._make(events.MarkPrice, market, self._bound(account, market))

    def _open_holdings(self) -> list[tuple[str, str]]:
        return [(account, market) for account, market in self._holders() if not self.venue.listings[market].settling]

    def _bound(self, account: str, market: str) -> int:
        """A price of the market at which the account comes to stand at or beside a bound."""
        health, mark = self.venue.get_health(account), self.venue.listings[market].mark
        target = self.random.choice(
            (
                health.maintenance * 97 // 100,
                health.maintenance // 2,
                health.maintenance - 1,
                health.maintenance,
                0,
                -1,
                -health.maintenance // 4,
                -health.maintenance,
            )
        )
        moved = mark + (target - health.equity) // self.venue.get_size(account, market)
        return min(max(1, moved), mark * 3)

    def apply_funding(self) -> Event:
        cap = self.venue.rulebook.funding_rate_cap
        rate = self.random.choice((cap, -cap, cap + 1, self.random.randint(-cap, cap), self.random.randint(-cap, cap)))
        wait = self.random.choice((0, 1, 1000, self.venue.rulebook.funding_interval))
        listings = self.venue.listings
        market = self._any_market() if wait else max(listings, key=lambda name: (listings[name].time, name))
        return self._make(events.ApplyFunding, market, rate, after=wait)

    # Trades

    def _capacity(self, account: str, market: str) -> int:
        """About how many lots the account may add."""
        health, listing = self.venue.get_health(account), self.venue.listings[market]
        fee = max(listing.rules.taker_fee_rate, listing.rules.maker_fee_rate, 0)
        rate = max(listing.rules.initial_margin_rate, *(tier.initial_margin_rate for tier in listing.rules.tiers), 0)
        per_lot = listing.mark * (rate + fee) // RATE_ONE + 1
        return max(0, health.equity - health.initial) // per_lot

    def set_leverage(self) -> Event:
        """What an account's equity just bears in one of its markets, or does not; less or more, none, or anywhere."""
        account, market = self.random.choice((*self._holders(), (self._any_trader(), self._any_market())))
        notional = abs(self.venue.get_size(account, market)) * self.venue.listings[market].mark
        health = self.venue.get_health(account)
        chosen = self.venue.get_leverage(account, market)
        own = self.venue.get_initial(market, self.venue.get_size(account, market), chosen)
        bearable = -(-notional // max(1, health.equity - health.initial + own))
        usual = (0, 1, 2, 3, 5, 10, 25)
        leverage = self.random.choice((bearable, bearable, bearable - 1, chosen - 1, chosen + 1, *usual))
        return self._make(events.SetLeverage, account, market, leverage)

    def open_fill(self) -> Event:
        """Two accounts take on as much as they may, or a part of it, or as much as somebody else, for a tie."""
        market = self._any_market()
        taker, maker = self.random.sample(self._traders(), 2)
        most = min(self._capacity(taker, market), self._capacity(maker, market))
        if not most and self.random.random() < 0.7:
            return self.deposit()
        size = self.random.choice((most, most * 9 // 10, most * 2 // 3, most // 2, self.random.randint(0, most)))
        others = [abs(self.venue.get_size(account, name)) for account, name in self._holders() if name == market]
        ties = [lots for lots in others if lots <= most]
        if ties and self.random.random() < 0.3:
            size = self.random.choice(ties)
        return self._fill(taker, maker, market, max(1, size) * self.random.choice((1, -1)))

    def reduce_fill(self) -> Event:
        """An account trades against its position: a part, all, or through zero; often one that must."""
        holders = self._sick_holdings() if self.has_sick() and self.random.random() < 0.5 else self._open_holdings()
        if not holders:
            return self.open_fill()
        taker, market = self.random.choice(holders)
        size = self.venue.get_size(taker, market)
        everyone = self._holders()
        against = [
            other for other, name in everyone if name == market and self.venue.get_size(other, market) * size < 0
        ]
        maker = self.random.choice(against)
        lots = self._part(min(abs(size), abs(self.venue.get_size(maker, market))))
        if self.random.random() < 0.2:
            lots = abs(size) * 3 // 2
        return self._fill(taker, maker, market, -lots if size > 0 else lots)

    def _fill(self, taker: str, maker: str, market: str, size: int) -> Event:
        mark = self.venue.listings[market].mark
        price = self.random.choice((mark, mark, mark, mark * self.random.randint(970, 1030) // 1000, mark + 1))
        if self.random.random() < 0.5:
            taker, maker, size = maker, taker, -size
        if self.venue.rulebook.has_book:
            return self._meet(taker, maker, market, size, max(1, price))
        order = (STRANGER,) if self.random.random() < 0.005 else ()
        return self._make(events.Fill, taker, maker, market, size, max(1, price), *order)

    # The order book

    def _tickets(self) -> list[tuple[str, Ticket]]:
        return [(market, ticket) for market, book in sorted(self.venue.books.items()) for ticket in book.tickets]

    def _meet(self, taker: str, maker: str, market: str, size: int, price: int) -> Event:
        """Take what the other side has best; the maker places what is to be taken where there is nothing."""
        best = self.venue.get_book(market).get_best(size < 0)
        if best is None or self.random.random() < 0.1:
            return self._place(maker, market, -size, price)
        if not self._can_trade(best.price, market) and self.random.random() < 0.7:
            return self._make(events.CancelOrder, market, best.id)
        taker = maker if taker == best.account else taker
        lots = min(abs(size), abs(best.size)) if self.random.random() < 0.97 else abs(size)
        return self._make(events.Fill, taker, best.account, market, lots if size > 0 else -lots, best.price, best.id)

    def _can_trade(self, price: int, market: str) -> bool:
        listing = self.venue.listings[market]
        return not listing.settling and is_near(price, listing.mark, listing.rules.fill_price_band)

    def _place(self, account: str, market: str, size: int, price: int, reduces: bool = False) -> Event:
        """In its place, mostly, and where it does not trade at once."""
        book, buys = self.venue.get_book(market), size > 0
        if book.would_trade(buys, price) and self.random.random() < 0.9:
            price = max(1, book.get_price(not buys) + (-1 if buys else 1))
        ticket = Ticket("", account, size, price, self.venue.sequence + 1, reduces)
        ahead = book.get_ahead(ticket)
        if self.random.random() < 0.03:
            ahead = self.random.choice([None, *(other.id for _, other in self._tickets()), STRANGER])
        return self._make(events.PlaceOrder, account, market, size, price, reduces, ahead)

    def place_order(self) -> Event:
        """Beside the mark or the best of its side, as large as margin bears, or a close that reserves nothing."""
        market = self._any_market()
        account, side = self.random.choice(self._traders()), self.random.choice((1, -1))
        mark, held = self.venue.listings[market].mark, self.venue.get_size(account, market)
        reduces = held != 0 and self.random.random() < 0.4
        if reduces:
            side = -1 if held > 0 else 1
        near = self.venue.get_book(market).get_price(side > 0) or mark
        away = mark * self.random.randint(900, 1100) // 1000
        price = self.random.choice((near, near, near + 1, near - 1, mark, away))
        lots = self._part(abs(held) if reduces else max(1, self._capacity(account, market) // 2))
        return self._place(account, market, side * lots, max(1, price), reduces)

    def take_order(self) -> Event:
        """Of a best order all, some, or one lot too many."""
        tickets = self._tickets()
        if not tickets or not self.venue.rulebook.has_book:
            return self.open_fill()
        able = [entry for entry in tickets if self._can_trade(entry[1].price, entry[0])]
        market, ticket = self.random.choice(able or tickets)
        best = self.venue.get_book(market).get_best(ticket.buys)
        if best is None or self.random.random() < 0.05:
            best = ticket
        lots = self._part(abs(best.size))
        takers = [account for account in self._traders() if account != best.account]
        # who has most room, or who closes
        against = [taker for taker in takers if self.venue.get_size(taker, market) * best.size > 0]
        roomy = max(takers, key=lambda taker: self._capacity(taker, market))
        taker = self.random.choice((roomy, self.random.choice(against or takers), self.random.choice(takers)))
        price = best.price if self.random.random() < 0.97 else best.price + 1
        size = -lots if best.buys else lots
        return self._make(events.Fill, taker, best.account, market, size, price, best.id)

    def cancel_order(self) -> Event:
        tickets = self._tickets()
        if not tickets or self.random.random() < 0.05:
            return self._make(events.CancelOrder, self._any_market(), STRANGER)
        market, ticket = self.random.choice(tickets)
        return self._make(events.CancelOrder, market, ticket.id)

    def _clear(self, *accounts: str, market: str | None = None) -> Event | None:
        """What cancels an order of theirs, nearly always where they have one."""
        own = [
            (place, ticket)
            for place, ticket in self._tickets()
            if ticket.account in accounts and market in (None, place)
        ]
        if not own or self.random.random() < 0.05:
            return None
        place, ticket = own[0]
        return self._make(events.CancelOrder, place, ticket.id)

    # The waterfall

    def liquidation_fill(self) -> Event:
        sick = self._sick_holdings()
        again = [(account, market) for account, market in sick if account in self.venue.liquidated]
        if again and self.random.random() < 0.7:
            sick = again
        account, market = self.random.choice(sick or self._holders() or [(STRANGER, "BTC")])
        if market not in self.venue.listings:
            return self._make(events.LiquidationFill, account, VAULT, market, 1, 1)
        if cancel := self._clear(account):
            return cancel
        held, mark = self.venue.get_size(account, market), self.venue.listings[market].mark
        maker = self._maker_for(account, market)
        lots = self._part(abs(held))
        most = self.venue.get_most(account, market, self.venue.time)
        if most < abs(held) and self.random.random() < 0.7:
            lots = self.random.choice((most, most, most + 1, max(1, most // 2)))
        worst = mark
        if self.venue.is_sick(account) and 0 < lots <= abs(held):
            share = self.venue.get_share(account, market, lots)
            worst = mark - share // lots if held > 0 else mark + share // lots
        better = 1 if held > 0 else -1
        price = self.random.choice((worst, worst, mark, worst - better, worst + better, (worst + mark) // 2))
        order: tuple[str, ...] = ()
        if self.venue.rulebook.has_book:
            best = self.venue.get_book(market).get_best(held > 0)
            if best is None:
                return self._place(maker, market, lots if held > 0 else -lots, max(1, price))
            maker, lots, price, order = best.account, min(lots, abs(best.size)), best.price, (best.id,)
        return self._make(
            events.LiquidationFill,
            *(account, maker, market, lots, max(1, price), *order),
            after=self._wait_to_sell(account),
        )

    def _wait_to_sell(self, account: str) -> int | None:
        """Until an account that was sold from may be again, mostly, or just not."""
        if account not in self.venue.liquidated:
            return None
        rest = self.venue.liquidated[account] + self.venue.rulebook.liquidation_cooldown - self.venue.time
        return max(0, self.random.choice((rest, rest, rest, rest - 1, 0)))

    def _maker_for(self, account: str, market: str) -> str:
        """Who has the most room, or who may close his own side against the account."""
        others = sorted({*TRADERS, VAULT} - {account})
        side = self.venue.get_size(account, market)
        against = [other for other in others if self.venue.get_size(other, market) * side < 0]
        richest = max(others, key=lambda other: self._capacity(other, market))
        return self.random.choice((richest, richest, self.random.choice(against or others)))

    def takeover(self) -> Event:
        """Of somebody solvent, if there is one, and as much as the vault can take; or any part."""
        sick = self._sick_holdings()
        takes_all = self.venue.rulebook.vault_takes_deficits
        solvent = [(account, market) for account, market in sick if takes_all or self.venue.get_equity(account) >= 0]
        account, market = self.random.choice(solvent or sick or self._holders() or [(STRANGER, "BTC")])
        if cancel := self._clear(account):
            return cancel
        held = abs(self.venue.get_size(account, market))
        if solvent and self.random.random() < 0.7:
            lots = next(
                (n for n in (held, held // 2, held // 9, 1) if n and self.venue.can_vault_take(account, market, n)), 1
            )
        else:
            lots = self._part(held)
        return self._make(events.Takeover, account, market, lots)

    def cover_deficit(self) -> Event:
        return self._make(events.CoverDeficit, self._debtor())

    def write_off(self) -> Event:
        return self._make(events.WriteOff, self._debtor())

    def _debtor(self) -> str:
        debtors = [account for account in sorted(self.venue.cash) if self.venue.get_equity(account) < 0]
        flat = [account for account in debtors if not self.venue.holdings.get(account)]
        everyone = sorted({*TRADERS, VAULT})
        return self.random.choice(self.random.choice((flat or debtors, debtors)) or everyone)

    def begin_deleveraging(self) -> Event:
        owing = [pair for pair in self._sick_holdings() if self.venue.get_equity(pair[0]) < 0]
        if owing and self.random.random() < 0.9:
            # one whose queue ends before its position does, if there is one
            account, market = min(owing, key=lambda pair: (len(self._queue(*pair)), pair))
        else:
            account, market = self.random.choice(self._sick_holdings() or self._holders() or [(STRANGER, "BTC")])
        if cancel := self._clear(account):
            return cancel
        is_sick = self.venue.is_sick(account) and market in self.venue.listings
        if is_sick and self.venue.can_book_take(account, market, self.venue.time) and self.random.random() < 0.8:
            best = self.venue.get_book(market).get_best(self.venue.get_size(account, market) > 0)
            return self._make(events.CancelOrder, market, best.id if best else STRANGER)
        lots = self.venue.get_right_size(account, market) if market in self.venue.listings else 0
        if self.random.random() < 0.1:
            lots = max(1, lots + self.random.choice((-1, 1)))
        size = 0 if lots == abs(self.venue.get_size(account, market)) and self.random.random() < 0.5 else lots
        queue = self._queue(account, market, lots)
        level = self._level(queue, market, lots)
        return self._make(events.BeginDeleveraging, account, market, tuple(queue), size, *level)

    def _level(self, queue: list[str], market: str, lots: int) -> tuple[int, int]:
        """The exact level, which is not always named in lowest terms; now and then another."""
        if self.venue.rulebook.adl_allocation is Allocation.QUEUE or not queue:
            return 0, 1
        level, times = self.venue.get_level(queue, market, lots), self.random.choice((1, 1, 1, 7))
        off = 1 if self.random.random() < 0.1 else 0
        return level.numerator * times + off, level.denominator * times

    def _queue(self, account: str, market: str, lots: int = 0) -> list[str]:
        held = abs(self.venue.get_size(account, market))
        lots = min(lots or held, held)
        if not lots:
            return []
        return self.venue.get_queue(account, market, lots, self.venue.get_terms(account, market, lots)[0])

    def begin_wrongly(self) -> Event:
        """With a queue that lacks somebody, names one twice, or is out of order."""
        account, market = self.random.choice(self._sick_holdings() or self._holders() or [(STRANGER, "BTC")])
        queue = self._queue(account, market)
        wrong = self.random.choice(
            (queue[1:], queue[:-1], queue[::-1], queue * 2, [*queue, STRANGER], [*queue, account], sorted(TRADERS))
        )
        return self._make(events.BeginDeleveraging, account, market, tuple(wrong))

    # A loss that is shared out

    def begin_loss_sharing(self) -> Event:
        market = self._any_market() if self._holders() else "BTC"
        if market not in self.venue.listings:
            return self._make(events.BeginLossSharing, market, ())
        return self._make(events.BeginLossSharing, market, tuple(sorted(self.venue.get_weights(market))))

    def share_wrongly(self) -> Event:
        """With members of whom one is missing, is none, comes twice or out of order."""
        market = self._any_market()
        members = sorted(self.venue.get_weights(market)) if market in self.venue.listings else []
        wrong = self.random.choice((members[1:], members[:-1], members[::-1], members * 2, [*members, STRANGER]))
        return self._make(events.BeginLossSharing, market, tuple(wrong))

    def share_loss(self) -> Event:
        return self._make(events.ShareLoss)

    # A market's end

    def settle_market(self) -> Event:
        """At the mark, or at a price at which one of its accounts is at a bound, such as bankrupt."""
        holders = self._open_holdings()
        if not holders or self.random.random() < 0.1:
            market = self._any_market()
            return self._make(events.SettleMarket, market, self.venue.listings[market].mark)
        account, market = self.random.choice(holders)
        mark = self.venue.listings[market].mark
        price = self.random.choice((mark, self._bound(account, market), self._bound(account, market)))
        return self._make(events.SettleMarket, market, price)

    def settle_pair(self) -> Event:
        """A long and a short in a market that ends; sometimes two of one side, or in a market that is open."""
        settling = self._settling()
        anywhere = not settling or self.random.random() < 0.05
        market = self._any_market() if anywhere else self.random.choice(settling)
        longs = [
            account for account, name in self._holders() if name == market and self.venue.get_size(account, name) > 0
        ]
        shorts = [account for account, name in self._holders() if name == market and account not in longs]
        if not longs or not shorts or self.random.random() < 0.05:
            longs = shorts = [*TRADERS, STRANGER]
        long, short = self.random.choice(longs), self.random.choice(shorts)
        return self._clear(long, short, market=market) or self._make(events.SettlePair, market, long, short)

    # A market's life

    def set_market_status(self) -> Event:
        """Of a market that does not end; one that is not open is mostly opened again."""
        listings = self.venue.listings
        market = self._any_market()
        shut = [name for name in sorted(listings) if listings[name].status in ("close_only", "paused")]
        if shut and self.random.random() < 0.8:
            return self._make(events.SetMarketStatus, self.random.choice(shut), MarketStatus.OPEN)
        usual = (MarketStatus.CLOSE_ONLY, MarketStatus.CLOSE_ONLY, MarketStatus.PAUSED)
        status = self.random.choice((*usual, *usual, *MarketStatus))
        return self._make(events.SetMarketStatus, market, status)

    def delist_market(self) -> Event:
        """One that ends and is empty, if there is one."""
        listings = self.venue.listings
        held = {market for _, market in self._holders()}
        ending = [name for name in sorted(listings) if listings[name].status == "settling"]
        empty = [name for name in ending if name not in held]
        choices = empty if empty and self.random.random() < 0.8 else ending or [*sorted(listings), "NONE"]
        market = self.random.choice(choices)
        return self._make(events.DelistMarket, market)

    def change_rules(self) -> Event:
        """A market's: with rates that are half or twice what they were, others altogether, or out of range."""
        market = self._any_market()
        rules = self.venue.listings[market].rules
        halved = rules.maintenance_margin_rate // 2 + 1
        doubled = min(rules.initial_margin_rate, rules.maintenance_margin_rate * 2)
        if rules.tiers:
            doubled = min(doubled, rules.tiers[0].maintenance_margin_rate)
        changed = self.random.choice(
            (
                attrs.evolve(rules, maintenance_margin_rate=Rate(min(halved, rules.maintenance_margin_rate))),
                attrs.evolve(rules, maintenance_margin_rate=Rate(doubled)),
                attrs.evolve(rules, maintenance_margin_rate=Rate(doubled)),
                attrs.evolve(rules, tiers=()),
                attrs.evolve(draw_rules(self.random), insurance_separate=rules.insurance_separate),
                attrs.evolve(rules, insurance_separate=not rules.insurance_separate),
            )
        )
        return self._make(
            events.ChangeRules, market, self._spoilt_rules(changed) if self.random.random() < 0.1 else changed
        )

    def apply_rules(self) -> Event:
        """Of a market for which some wait, if there is one, when their notice is over or just not."""
        listings = self.venue.listings
        waiting = [name for name in sorted(listings) if listings[name].pending is not None]
        market = self.random.choice(waiting) if waiting else self._any_market()
        rest = listings[market].pending_time - self.venue.time
        return self._make(events.ApplyRules, market, after=max(0, self.random.choice((rest, rest, rest - 1))))

    # Deleveraging's own steps

    def deleverage(self) -> Event:
        return self._make(events.Deleverage)

    def end_deleveraging(self) -> Event:
        return self._make(events.EndDeleveraging)

    # The vault's shares

    def _wait_for(self, span: tuple[int, int]) -> int:
        """Until a moment inside the span, mostly, or on one side of it."""
        first, last = (moment - self.venue.time for moment in span)
        return max(0, self.random.choice((first, first, first, last, 0, first - 1, last + 1)))

    def _one_of(self, accounts: list[str]) -> str:
        """One of these, mostly, if there are any."""
        return self.random.choice(accounts) if accounts and self.random.random() < 0.9 else self._any_trader()

    def request_vault_deposit(self) -> Event:
        account = self._any_trader()
        health = self.venue.get_health(account)
        free = max(1, health.equity - health.initial)
        amount = self.random.choice((free // 2, free // 9, self.random.randint(1, free), free + 1, 1))
        return self._make(events.RequestVaultDeposit, account, amount)

    def execute_vault_deposit(self) -> Event:
        account = self._one_of(self._waiting_deposits())
        return self._make(
            events.ExecuteVaultDeposit, account, after=self._wait_for(self.venue.get_deposit_span(account))
        )

    def cancel_vault_deposit(self) -> Event:
        account = self._one_of(self._waiting_deposits())
        last = self.venue.get_deposit_span(account)[1]
        return self._make(events.CancelVaultDeposit, account, after=self._wait_for((last + 1, last)))

    def request_vault_redemption(self) -> Event:
        account = self._one_of([name for name, stake in sorted(self.venue.stakes.items()) if stake.shares])
        return self._make(events.RequestVaultRedemption, account, self._part(self.venue.get_stake(account).shares))

    def execute_vault_redemption(self) -> Event:
        account = self._one_of(self._waiting_redemptions())
        return self._make(
            events.ExecuteVaultRedemption, account, after=self._wait_for(self.venue.get_redemption_span(account))
        )

    def _waiting_deposits(self) -> list[str]:
        return [name for name, stake in sorted(self.venue.stakes.items()) if stake.deposit]

    def move_shares(self) -> Event:
        """What leads on: carry out what waits, or ask."""
        venue, vault = self.venue, self.venue.rulebook.vault
        holders = sum(stake.shares > 0 for name, stake in venue.stakes.items() if name != vault)
        lapsed = sum(venue.get_deposit_span(name)[1] < venue.time for name in self._waiting_deposits())
        kinds = ["request_vault_deposit"]
        kinds += ["cancel_vault_deposit"] * lapsed
        kinds += ["execute_vault_deposit"] * 2 * (len(self._waiting_deposits()) - lapsed)
        kinds += ["request_vault_redemption"] * holders
        kinds += ["execute_vault_redemption"] * 2 * len(self._waiting_redemptions())
        event: Event = getattr(self, self.random.choice(kinds))()
        return event

    def _waiting_redemptions(self) -> list[str]:
        """Those that have not lapsed, where there are any."""
        waiting = [name for name, stake in sorted(self.venue.stakes.items()) if stake.redemption]
        live = [name for name in waiting if self.venue.get_redemption_span(name)[1] >= self.venue.time]
        return live or waiting

    # Spoilt events

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

    def _spoilt_rules(self, rules: MarketRules) -> MarketRules:
        """With one figure that is likely out of range, of a tier's where there are tiers."""
        wrong: Any = self.random.choice((-1, 0, RATE_ONE + 1, -RATE_ONE))
        if rules.tiers and self.random.random() < 0.5:
            place = self.random.randrange(len(rules.tiers))
            name = self.random.choice([attribute.name for attribute in attrs.fields(Tier)])
            spoilt = attrs.evolve(rules.tiers[place], **{name: wrong})
            return attrs.evolve(rules, tiers=(*rules.tiers[:place], spoilt, *rules.tiers[place + 1 :]))
        names = [name for name, value in attrs.asdict(rules).items() if type(value) is int]
        change: dict[str, Any] = {self.random.choice(names): wrong}
        return attrs.evolve(rules, **change)

    # Which

    def propose(self) -> Event:
        """Any of the above, more often one that fits."""
        kinds: tuple[str, ...] = SOUND
        if self.venue.sharing is not None and self.random.random() < 0.8:
            kinds = ("share_loss",)
        elif self.is_open() and self.random.random() < 0.8:
            kinds = ("deleverage", "deleverage", "deleverage", "end_deleveraging")
        elif self.has_sick() and self.random.random() < 0.6:
            kinds = WATERFALL + ("liquidation_fill",) * (6 * self.venue.rulebook.has_book)
        elif self.is_settling() and self.random.random() < 0.5:
            kinds = ("settle_pair",)
        elif self.has_flat_debtor() and self.random.random() < 0.2:
            kinds = ("cover_deficit", "write_off")
        elif self.shares_losses() and self.random.random() < 0.2:
            kinds = ("begin_loss_sharing", "begin_loss_sharing", "begin_loss_sharing", "share_wrongly")
        elif self.venue.losses and self.random.random() < 0.1:
            kinds = ("withdraw", "withdraw", "withdraw", "repay_loss")
        elif self._tickets() and self.random.random() < 0.35:
            kinds = BOOK
        elif self.random.random() < 0.1:
            kinds = ("move_shares",)
        elif self._is_shut() and self.random.random() < 0.4:
            kinds = ("set_market_status", "reduce_fill", "reduce_fill")
        elif self.random.random() < 0.03:
            kinds = ("set_market_status", "set_market_status", "delist_market", "change_rules")
        elif self._has_pending() and self.random.random() < 0.5:
            kinds = ("apply_rules",)
        elif self.random.random() < 0.5:
            kinds = ("open_fill", "open_fill", "crash", "reduce_fill", "open_fill", "crash", "set_leverage")
        elif self.random.random() < 0.3:
            kinds = ("spoil",)
        event: Event = getattr(self, self.random.choice(kinds))()
        return event


MONEY = ("deposit", "withdraw", "transfer", "fund_insurance", "repay_loss")
PRICES = ("advance_time", "list_market", "drift", "index", "crash", "apply_funding")
TRADES = ("open_fill", "reduce_fill", "set_leverage")
#: Where orders rest: most are taken, so that positions come of them.
BOOK = ("take_order",) * 7 + ("place_order",) * 4 + ("cancel_order",)
WATERFALL = (
    "liquidation_fill",
    "liquidation_fill",
    "takeover",
    "takeover",
    "takeover",
    "cover_deficit",
    "write_off",
    "begin_deleveraging",
    "begin_deleveraging",
    "begin_deleveraging",
    "begin_deleveraging",
    "begin_deleveraging",
    "begin_wrongly",
)
STEPS = ("deleverage", "end_deleveraging", "share_loss", "begin_loss_sharing")
SETTLEMENT = ("settle_market", "settle_pair")
LIFE = ("set_market_status", "delist_market", "change_rules", "apply_rules")
SHARES = (
    "execute_vault_deposit",
    "cancel_vault_deposit",
    "request_vault_deposit",
    "request_vault_redemption",
    "execute_vault_redemption",
)
SOUND = (*MONEY, *PRICES, *TRADES, *WATERFALL, *STEPS, *SETTLEMENT, *SHARES, *LIFE, "place_order", "cancel_order")


def walk(seed: int, length: int) -> Desk:
    """A desk after ``length`` proposed events from a random scenario, all of it fixed by the seed."""
    random = Random(seed)
    desk = open_desk(draw_scenario(random))
    proposer = Proposer(desk.venue, random)
    for _ in range(length):
        desk.step(proposer.propose())
    return desk


# By Hypothesis

# A seed, not Hypothesis' own Random: its many small draws would leave no room for deep states,
# and a failing run still shrinks to few events.
randoms = st.integers(0, 2**32).map(Random)


@st.composite
def rulebooks(draw: st.DrawFn) -> Rulebook:
    """Any admissible rulebook."""
    window = draw(st.just(0) | st.integers(0, 10**12))
    before_adl = draw(st.booleans())
    rulebook = Rulebook(
        vault=AccountId(VAULT),
        vault_position_limit=Atoms(draw(st.integers(0, 10**30))),
        insurance_floor=Atoms(draw(st.integers(0, 10**30))),
        insurance_backs_fills=draw(st.booleans()),
        insurance_fill_band=Rate(draw(st.sampled_from((0, 20_000, 1_000_000)))),
        insurance_before_adl=before_adl,
        adl_solvent=draw(st.booleans()),
        adl_requires_profit=draw(st.booleans()),
        adl_rank=draw(st.sampled_from(RankPolicy)),
        funding_interval=Time(draw(st.integers(1, 10**12))),
        funding_rate_cap=Rate(draw(st.integers(0, 10**9))),
        takeover_rate=Rate(draw(st.integers(0, RATE_ONE))),
        loss_sharing=draw(st.sampled_from(LossSharing)),
        adl_close_out=draw(st.sampled_from(CloseOut)),
        withdrawals_wait=draw(st.booleans()),
        withdrawals_are_cut=draw(st.booleans()),
        vault_deposit_notice=Time(draw(st.integers(0, 10**12))),
        vault_redemption_notice=Time(draw(st.integers(0, 10**12))),
        vault_request_window=Time(draw(st.integers(0, 10**12))),
        vault_deposit_minimum=Atoms(draw(st.integers(1, 10**30))),
        insurance_fee_share=Rate(draw(st.integers(0, RATE_ONE))),
        insurance_draw_limit=Atoms(draw(st.just(0) | st.integers(0, 10**30))),
        insurance_draw_window=Time(draw(st.integers(1, 10**12))),
        liquidation_window=Time(window),
        liquidation_cooldown=Time(draw(st.integers(0, window or 10**12))),
        liquidation_target=Rate(draw(st.just(0) | st.integers(RATE_ONE, 10**9))),
        liquidation_block_limit=Atoms(draw(st.just(0) | st.integers(0, 10**30))),
        vault_takes_deficits=not before_adl and draw(st.booleans()),
        adl_size=draw(st.sampled_from(AdlSize)),
        adl_seed=draw(st.integers(-(10**30), 10**30)),
        funding_on_index=draw(st.booleans()),
        adl_allocation=draw(st.sampled_from(Allocation)),
        has_book=draw(st.booleans()),
        rules_notice=Time(draw(st.integers(0, 10**12))),
        withdrawal_limit=Atoms(draw(st.just(0) | st.integers(0, 10**30))),
        withdrawal_window=Time(draw(st.integers(1, 10**12))),
    )
    assert is_admissible_rulebook(rulebook)
    return rulebook


@st.composite
def market_rules(draw: st.DrawFn) -> MarketRules:
    """Any admissible market rules."""
    initial = draw(st.integers(1, RATE_ONE))
    maintenance = draw(st.integers(1, initial))
    taker = draw(st.integers(0, RATE_ONE))
    tiers: list[tuple[int, int, int]] = []
    floor, one, other = 0, initial, maintenance
    for _ in range(draw(st.integers(0, 3))):
        floor += draw(st.integers(1, 1000) | st.integers(1, 10**25))
        one = draw(st.integers(one, RATE_ONE))
        other = draw(st.integers(other, one))
        tiers.append((floor, one, other))
    low = draw(st.integers(0, 10**25))
    rules = make_rules(
        initial,
        maintenance,
        taker,
        draw(st.integers(-taker, RATE_ONE)),
        draw(st.integers(0, RATE_ONE)),
        tuple(tiers),
        draw(st.sampled_from(TierRule)),
        draw(st.sampled_from(((0, 0), (low, low + draw(st.integers(1, 10**25)))))),
        (draw(st.integers(1, RATE_ONE)), draw(st.integers(0, 10**25)), draw(st.integers(1, 100))),
    )
    bounded = attrs.evolve(
        rules,
        mark_move_limit=Rate(draw(st.sampled_from((0, 1, 10**5)) | st.integers(0, 10**9))),
        mark_age_limit=Time(draw(st.sampled_from((0, 1, 1000)) | st.integers(0, 10**12))),
        fill_price_band=Rate(draw(st.sampled_from((0, 1, 10**5)) | st.integers(0, 10**9))),
        liquidation_tier_step=draw(st.booleans()),
        liquidation_block_limit=Atoms(draw(st.just(0) | st.integers(0, 10**25))),
        vault_position_limit=Atoms(draw(st.just(0) | st.integers(0, 10**25))),
        insurance_separate=draw(st.booleans()),
        open_interest_limit=Atoms(draw(st.just(0) | st.integers(0, 10**25))),
        index_age_limit=Time(draw(st.sampled_from((0, 1, 1000)) | st.integers(0, 10**12))),
        index_move_limit=Rate(draw(st.sampled_from((0, 1, 10**5)) | st.integers(0, 10**9))),
    )
    assert is_admissible_market(bounded)
    return bounded


def markets(rules: st.SearchStrategy[MarketRules] | None = None) -> st.SearchStrategy[Market]:
    """Listed markets at any mark, without funding."""
    return st.builds(
        lambda rules, mark: Market(rules, Price(mark), Atoms(0), 0, Time(0), Lots(0)),
        market_rules() if rules is None else rules,
        st.integers(1, 10**20),
    )


amounts = st.one_of(st.integers(-3, 100), st.integers(-(10**6), 10**6), st.integers(-(10**60), 10**60))
names = st.sampled_from(("amber", "birch", "cedar", VAULT, STRANGER))


def any_events() -> st.SearchStrategy[Event]:
    """Any well-typed event, sensible or not: every integer of any size and sign."""
    market, id = st.sampled_from(("BTC", "ETH", "NONE")), st.sampled_from([f"e{n}" for n in range(40)])
    tiers = st.lists(st.tuples(amounts, amounts, amounts), max_size=3).map(tuple)
    figures, rule = (amounts for _ in range(5)), st.sampled_from(TierRule)
    pairs, gates = st.tuples(amounts, amounts), st.tuples(amounts, amounts, amounts)
    rules = st.one_of(market_rules(), st.builds(make_rules, *figures, tiers, rule, pairs, gates))
    head = (id, amounts, amounts)
    return st.one_of(
        st.builds(events.ListMarket, *head, market, rules, amounts),
        st.builds(events.Deposit, *head, names, amounts),
        st.builds(events.Withdraw, *head, names, amounts),
        st.builds(events.Transfer, *head, names, names, amounts),
        st.builds(events.FundInsurance, *head, amounts, st.none() | market),
        st.builds(events.RepayLoss, *head, amounts),
        st.builds(events.AdvanceTime, *head),
        st.builds(events.MarkPrice, *head, market, amounts),
        st.builds(events.IndexPrice, *head, market, amounts),
        st.builds(events.ApplyFunding, *head, market, amounts),
        st.builds(events.Fill, *head, names, names, market, amounts, amounts, st.none() | id),
        st.builds(events.LiquidationFill, *head, names, names, market, amounts, amounts, st.none() | id),
        st.builds(events.Takeover, *head, names, market, amounts),
        st.builds(events.CoverDeficit, *head, names),
        st.builds(
            events.BeginDeleveraging,
            *head,
            names,
            market,
            st.lists(names, max_size=4).map(tuple),
            amounts,
            *(2 * [amounts]),
        ),
        st.builds(events.Deleverage, *head),
        st.builds(events.EndDeleveraging, *head),
        st.builds(events.WriteOff, *head, names),
        st.builds(events.BeginLossSharing, *head, market, st.lists(names, max_size=4).map(tuple)),
        st.builds(events.ShareLoss, *head),
        st.builds(events.SettleMarket, *head, market, amounts),
        st.builds(events.SettlePair, *head, market, names, names),
        st.builds(events.RequestVaultDeposit, *head, names, amounts),
        st.builds(events.ExecuteVaultDeposit, *head, names),
        st.builds(events.CancelVaultDeposit, *head, names),
        st.builds(events.RequestVaultRedemption, *head, names, amounts),
        st.builds(events.ExecuteVaultRedemption, *head, names),
        st.builds(events.SetLeverage, *head, names, market, amounts),
        st.builds(events.PlaceOrder, *head, names, market, amounts, amounts, st.booleans(), st.none() | id),
        st.builds(events.CancelOrder, *head, market, id),
        st.builds(events.SetMarketStatus, *head, market, st.sampled_from(MarketStatus)),
        st.builds(events.DelistMarket, *head, market),
        st.builds(events.ChangeRules, *head, market, rules),
        st.builds(events.ApplyRules, *head, market),
    )
