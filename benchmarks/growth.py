"""Time of one event on the dict table, from 1,000 to 1,000,000 accounts.

    python benchmarks/growth.py [--accounts 1000000] [--events 20000]

Every account holds one position, longs and shorts by turns. The same mix of events (fills,
deposits, withdrawals, marks, funding) meets accounts drawn from all of them; nothing in it
looks at more than the accounts it names. All sizes are kept at once and take turns, so that
a slow moment of the machine falls on all alike; the medians are compared.
"""

from __future__ import annotations

import argparse
import gc
from random import Random
from statistics import median
from time import process_time

import attrs

from riskcore import (
    Account,
    ApplyFunding,
    Deposit,
    Event,
    Fill,
    Market,
    MarketRules,
    MarkPrice,
    Position,
    Positions,
    RankPolicy,
    Reserves,
    Rulebook,
    State,
    Withdraw,
    genesis,
    step,
)
from riskcore.quantities import AccountId, Atoms, EventId, Lots, MarketId, Price, Rate, Time

TURNS = 10
MARK, LOTS, CASH = 1_000_000, 50, 10**9
HOUR = 3_600_000
BTC = MarketId("BTC")
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


def make_state(count: int) -> State:
    """``count`` accounts, an even number, each with what it paid in."""
    state = genesis(RULEBOOK, mutable=True)
    accounts = state.accounts
    for number in range(count):
        size = LOTS if number % 2 else -LOTS
        position = Position(Lots(size), Atoms(size * MARK), Atoms(0))
        account = Account(Atoms(CASH - size * MARK), Positions({BTC: position}))
        accounts = accounts.put(AccountId(f"account{number}"), account)
    market = Market(RULES, Price(MARK), Atoms(0), 0, Time(0), Lots(count // 2 * LOTS))
    reserves = Reserves(Atoms(-CASH * count), Atoms(0), Atoms(0), Atoms(0), Atoms(0))
    return attrs.evolve(state, accounts=accounts, markets=state.markets.put(BTC, market), reserves=reserves)


def draw_events(state: State, count: int, random: Random) -> list[Event]:
    """``count`` events for a state whose accounts are numbered."""
    accounts = len(state.accounts)
    events: list[Event] = []
    for number in range(count):
        sequence = state.sequence + 1 + number
        id, time = EventId(f"event{sequence}"), Time(sequence * 1000)
        taker, maker = (AccountId(f"account{drawn}") for drawn in random.sample(range(accounts), 2))
        kind = random.random()
        if kind < 0.7:
            size = Lots(random.randint(1, 5) * random.choice((1, -1)))
            events.append(Fill(id, sequence, time, taker, maker, BTC, size, Price(MARK)))
        elif kind < 0.8:
            events.append(Deposit(id, sequence, time, taker, Atoms(1000)))
        elif kind < 0.9:
            events.append(Withdraw(id, sequence, time, taker, Atoms(10)))
        elif kind < 0.95:
            events.append(MarkPrice(id, sequence, time, BTC, Price(MARK + random.randint(-900, 900))))
        else:
            events.append(ApplyFunding(id, sequence, time, BTC, Rate(random.randint(-300, 300))))
    return events


def run(state: State, events: list[Event]) -> tuple[State, float, int]:
    """The state after the events, seconds for each, and how many were rejected."""
    rejected = 0
    begun = process_time()
    for event in events:
        outcome = step(state, event)
        state = outcome.state
        rejected += outcome.rejected is not None
    return state, (process_time() - begun) / len(events), rejected


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=20_000, help="for each number of accounts")
    arguments = parser.parse_args()
    sizes = [count for count in (1000, 10_000, 100_000, 1_000_000) if count <= arguments.accounts]
    states = {count: make_state(count) for count in sizes}
    seconds: dict[int, list[float]] = {count: [] for count in sizes}
    rejected = 0
    # what was built stays: the collector need not look through it again and again
    gc.freeze()
    random = Random(1)
    for _ in range(TURNS):
        for count in sizes:
            events = draw_events(states[count], arguments.events // TURNS, random)
            gc.collect()
            states[count], taken, refused = run(states[count], events)
            seconds[count].append(taken)
            rejected += refused
    first = median(seconds[sizes[0]])
    for count in sizes:
        taken = median(seconds[count])
        print(f"{count:>9,} accounts {taken * 1e6:6.2f} us an event, ratio {taken / first:4.2f}")
    print(f"{rejected} of {len(sizes) * TURNS * (arguments.events // TURNS)} events rejected")


if __name__ == "__main__":
    main()
