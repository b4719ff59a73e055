"""``step`` on the dict table against a hand-written mutable loop that does the same arithmetic.

    python benchmarks/step.py [--fills 40000] [--profile]

Fills between random accounts, each with positions in eight markets. The loop works on plain
dicts and lists: funding settled, cost memo, open interest, fees, equity with initial and
maintenance margin of both parties before and after. It makes no values, writes no effects and
checks nothing. The two run by turns in one process; at the end their balances must be equal.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
from random import Random
from statistics import median
from time import process_time
from typing import NamedTuple

from riskcore import (
    Account,
    ApplyFunding,
    Fill,
    Market,
    MarketRules,
    Position,
    Positions,
    RankPolicy,
    Rulebook,
    State,
    genesis,
    step,
)
from riskcore.quantities import AccountId, Atoms, EventId, Lots, MarketId, Price, Rate, Time

ACCOUNTS, MARKETS, ROUNDS = 1000, 8, 20
MARK = 1_000_000
HOUR = 3_600_000
RULES = MarketRules(Rate(50_000), Rate(30_000), Rate(450), Rate(-100), Rate(10_000))
RULEBOOK = Rulebook(
    vault=AccountId("vault"),
    vault_position_limit=Atoms(0),
    insurance_floor=Atoms(0),
    insurance_backs_fills=True,
    insurance_fill_band=Rate(1_000_000),
    insurance_before_adl=True,
    adl_solvent=True,
    adl_requires_profit=True,
    adl_rank=RankPolicy.PROFIT_TIMES_LEVERAGE,
    funding_interval=Time(8 * HOUR),
    funding_rate_cap=Rate(40_000),
)


def get_size(account: int, market: int) -> int:
    """Neighbours hold opposite sides, sizes differ by pair and market."""
    lots = 100 + 7 * (account // 2 % 13) + market
    return lots if (account + market) % 2 == 0 else -lots


def make_state() -> State:
    """Every account holds every market, at index zero."""
    state = genesis(RULEBOOK, mutable=True)
    accounts, markets = state.accounts, state.markets
    for number in range(ACCOUNTS):
        positions = {}
        for market in range(MARKETS):
            size = get_size(number, market)
            positions[MarketId(f"M{market}")] = Position(Lots(size), Atoms(size * MARK), Atoms(0))
        balance = 10**12 - sum(position.cost for position in positions.values())
        accounts = accounts.put(AccountId(f"account{number}"), Account(Atoms(balance), Positions(positions)))
    for market in range(MARKETS):
        held = sum(max(get_size(number, market), 0) for number in range(ACCOUNTS))
        listed = Market(RULES, Price(MARK + market), Atoms(0), 0, Time(0), Lots(held))
        markets = markets.put(MarketId(f"M{market}"), listed)
    return state


class Order(NamedTuple):
    """A fill in plain values, as the loop reads it."""

    taker: str
    maker: str
    market: str
    size: int
    price: int


def draw_orders(count: int, random: Random) -> list[Order]:
    orders = []
    for _ in range(count):
        taker, maker = random.sample(range(ACCOUNTS), 2)
        size = random.randint(1, 20) * random.choice((1, -1))
        price = MARK + random.randint(-500, 500)
        orders.append(Order(f"account{taker}", f"account{maker}", f"M{random.randrange(MARKETS)}", size, price))
    return orders


def make_events(orders: list[Order], sequence: int) -> list[Fill]:
    return [
        Fill(
            EventId(f"fill{sequence + number}"),
            sequence + number,
            Time(8 * HOUR),
            AccountId(order.taker),
            AccountId(order.maker),
            MarketId(order.market),
            Lots(order.size),
            Price(order.price),
        )
        for number, order in enumerate(orders)
    ]


# The hand-written loop


class PlainPosition:
    __slots__ = ("cost", "entry_index", "size")

    def __init__(self, size: int, cost: int, entry_index: int) -> None:
        self.size = size
        self.cost = cost
        self.entry_index = entry_index


class PlainMarket:
    __slots__ = ("funding_index", "initial", "maintenance", "maker_fee", "mark", "open_interest", "taker_fee")

    def __init__(self, market: Market) -> None:
        self.mark: int = market.mark_price
        self.funding_index: int = market.funding_index
        self.open_interest: int = market.open_interest
        self.initial: int = market.rules.initial_margin_rate
        self.maintenance: int = market.rules.maintenance_margin_rate
        self.taker_fee: int = market.rules.taker_fee_rate
        self.maker_fee: int = market.rules.maker_fee_rate


class PlainVenue:
    """Balances and positions by name, changed in place."""

    def __init__(self, state: State) -> None:
        self.balances: dict[str, int] = {}
        self.positions: dict[str, dict[str, PlainPosition]] = {}
        self.markets: dict[str, PlainMarket] = {}
        self.fees = 0
        self.transit = 0
        for id, account in state.accounts.items():
            self.balances[id] = account.balance
            self.positions[id] = {
                market: PlainPosition(position.size, position.cost, position.entry_index)
                for market, position in account.positions.items()
            }
        for name, market in state.markets.items():
            assert market is not None
            self.markets[name] = PlainMarket(market)

    def get_margin(self, account: str) -> tuple[int, int, int]:
        markets = self.markets
        equity, initial, maintenance = self.balances[account], 0, 0
        for name, position in self.positions[account].items():
            market = markets[name]
            size, mark = position.size, market.mark
            equity += size * (mark - market.funding_index + position.entry_index)
            notional = abs(size) * mark
            initial -= -notional * market.initial // 1_000_000
            maintenance -= -notional * market.maintenance // 1_000_000
        return equity, initial, maintenance

    def trade(self, account: str, name: str, market: PlainMarket, lots: int, debit: int, fee: int) -> None:
        """One side of a fill: funding, cost, size, cash."""
        held = self.positions[account]
        position = held.get(name)
        if position is None:
            position = held[name] = PlainPosition(0, 0, market.funding_index)
        size = position.size
        owed = size * (market.funding_index - position.entry_index)
        after = size + lots
        if size * lots >= 0:
            position.cost += debit
        elif size * after > 0:
            position.cost = position.cost * abs(after) // abs(size)
        else:
            position.cost = debit * abs(after) // abs(lots)
        market.open_interest += max(after, 0) - max(size, 0)
        position.size = after
        position.entry_index = market.funding_index
        if after == 0:
            del held[name]
        self.balances[account] -= owed + debit + fee
        self.transit += owed
        self.fees += fee

    def run(self, orders: list[Order]) -> int:
        """Fill all orders; a sum over the margins, so that none is left out."""
        seen = 0
        for taker, maker, name, size, price in orders:
            market = self.markets[name]
            seen += sum(self.get_margin(taker)) + sum(self.get_margin(maker))
            notional = abs(size) * price
            taker_fee = -(-notional * market.taker_fee // 1_000_000)
            maker_fee = -(-notional * market.maker_fee // 1_000_000)
            self.trade(taker, name, market, size, size * price, taker_fee)
            self.trade(maker, name, market, -size, -size * price, maker_fee)
            seen += sum(self.get_margin(taker)) + sum(self.get_margin(maker))
        return seen


# The two by turns


def run_steps(state: State, events: list[Fill]) -> State:
    for event in events:
        state = step(state, event).state
    return state


def start() -> State:
    """The state after funding, so that every first fill has some to settle."""
    state = make_state()
    for market in range(MARKETS):
        event = ApplyFunding(
            EventId(f"funding{market}"), market + 1, Time(8 * HOUR), MarketId(f"M{market}"), Rate(100 * market - 300)
        )
        outcome = step(state, event)
        assert outcome.rejected is None
        state = outcome.state
    return state


def compare(state: State, venue: PlainVenue) -> None:
    """Both must have done the same."""
    assert {id: account.balance for id, account in state.accounts.items()} == venue.balances
    assert (state.reserves.fees, state.reserves.transit) == (venue.fees, venue.transit)
    for id, account in state.accounts.items():
        held = {name: (position.size, position.cost) for name, position in account.positions.items()}
        assert held == {name: (position.size, position.cost) for name, position in venue.positions[id].items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fills", type=int, default=40_000)
    parser.add_argument("--profile", action="store_true", help="where the time of step goes, instead of the ratio")
    arguments = parser.parse_args()
    random = Random(1)
    state = start()
    venue = PlainVenue(state)
    chunk = arguments.fills // ROUNDS
    if arguments.profile:
        events = make_events(draw_orders(arguments.fills, random), 100)
        profile = cProfile.Profile()
        profile.runcall(run_steps, state, events)
        pstats.Stats(profile).sort_stats("tottime").print_stats(22)
        return
    stepped, looped = [], []
    for turn in range(ROUNDS):
        orders = draw_orders(chunk, random)
        events = make_events(orders, 100 + turn * chunk)
        gc.collect()
        begun = process_time()
        state = run_steps(state, events)
        between = process_time()
        venue.run(orders)
        ended = process_time()
        stepped.append((between - begun) / chunk)
        looped.append((ended - between) / chunk)
    compare(state, venue)
    assert state.sequence == 100 + ROUNDS * chunk - 1, "a fill was rejected"
    ratios = [step_time / loop_time for step_time, loop_time in zip(stepped, looped, strict=True)]
    print(f"step  {median(stepped) * 1e6:6.2f} us a fill")
    print(f"loop  {median(looped) * 1e6:6.2f} us a fill")
    print(f"ratio {median(ratios):6.2f} (from {min(ratios):.2f} to {max(ratios):.2f} in {ROUNDS} turns)")


if __name__ == "__main__":
    main()
