"""One mark update and the deleveraging of k counterparties, at 1,000 to 1,000,000 accounts.

    python benchmarks/planner.py [--accounts 1000000] [--counterparties 1000]

A long whale goes bankrupt; everybody else is healthy, half of them short. Printed: whole scans
of the accounts (one to find the whale, one to sort its queue, and the kernel's own to certify
it), seconds of each part, and microseconds for each counterparty closed and for each account.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import pairwise
from time import perf_counter

from riskcore import (
    Account,
    Deleverage,
    Event,
    Market,
    MarketRules,
    MarkPrice,
    Position,
    Positions,
    RankPolicy,
    Reserves,
    Rulebook,
    State,
    genesis,
    step,
)
from riskcore.planner import compute_queue, find_below_maintenance, resolve
from riskcore.quantities import AccountId, Atoms, EventId, Lots, MarketId, Price, Rate, Time
from riskcore.tables import DictTable

BTC = MarketId("BTC")
WHALE = AccountId("whale")
ENTRY, MARK, LOTS = 1_000, 900, 10

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
    funding_interval=Time(28_800_000),
    funding_rate_cap=Rate(40_000),
)
RULES = MarketRules(Rate(20_000), Rate(10_000), Rate(500), Rate(0), Rate(5_000))


class CountingTable(DictTable[AccountId, Account]):
    """A dict table that counts how often it is gone through."""

    __slots__ = ("scans",)

    def __init__(self, absent: Account) -> None:
        super().__init__(absent)
        self.scans = 0

    def items(self) -> Iterator[tuple[AccountId, Account]]:
        self.scans += 1
        return super().items()


def make_state(accounts: int, counterparties: int) -> tuple[State, CountingTable]:
    """Half of the accounts short ten lots, the other half long what the whale does not hold."""
    state = genesis(RULEBOOK, mutable=True)
    table = CountingTable(Account(Atoms(0), Positions()))
    shorts, longs = accounts // 2, accounts - accounts // 2 - 1
    whale_lots = LOTS * counterparties
    rest = LOTS * shorts - whale_lots
    sizes = [rest // longs + (place < rest % longs) for place in range(longs)]
    for place in range(shorts):
        put(table, f"s{place}", -LOTS, 10_000 + place % 997)
    for place, size in enumerate(sizes):
        put(table, f"l{place}", size, size * 300 + 100)
    put(table, WHALE, whale_lots, whale_lots * 90)
    cash = sum(account.balance for _, account in table.items())
    table.scans = 0
    market = Market(RULES, Price(ENTRY), Atoms(0), 0, Time(0), Lots(LOTS * shorts))
    state.markets.put(BTC, market)
    reserves = Reserves(Atoms(-cash), Atoms(0), Atoms(0), Atoms(0), Atoms(0))
    return State(RULEBOOK, table, state.markets, state.seen, reserves, None, 0, Time(0)), table


def put(table: CountingTable, id: str, size: int, equity: int) -> None:
    position = Position(Lots(size), Atoms(size * ENTRY), Atoms(0))
    table.put(AccountId(id), Account(Atoms(equity - size * ENTRY), Positions({BTC: position})))


def run(accounts: int, counterparties: int) -> None:
    state, table = make_state(accounts, counterparties)
    start = perf_counter()
    marked = step(state, MarkPrice(EventId("mark"), 1, Time(1), BTC, Price(MARK))).state
    resolution = resolve(marked)
    total = perf_counter() - start
    seconds = time_parts(make_state(accounts, counterparties)[0], resolution.events)
    closed = sum(isinstance(event, Deleverage) for event in resolution.events)
    print(
        f"{accounts:>9,} {closed:>6,} {table.scans:>5}"
        + "".join(f" {part:>9.3f}" for part in seconds)
        + f" {total:>8.3f} {seconds[-1] / closed * 1e6:>8.1f} {total / accounts * 1e6:>10.2f}"
    )


def time_parts(state: State, events: tuple[Event, ...]) -> list[float]:
    """Seconds to find who is below maintenance, to sort the queue, to certify it, to close."""
    state = step(state, MarkPrice(EventId("mark"), 1, Time(1), BTC, Price(MARK))).state
    ticks = [perf_counter()]
    find_below_maintenance(state)
    ticks.append(perf_counter())
    compute_queue(state, WHALE, BTC)
    ticks.append(perf_counter())
    for event in events:
        if isinstance(event, Deleverage) and len(ticks) == 3:
            ticks.append(perf_counter())
        state = step(state, event).state
    ticks.append(perf_counter())
    return [after - before for before, after in pairwise(ticks)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--counterparties", type=int, default=1_000)
    chosen = parser.parse_args()
    print(" accounts closed scans    find s   queue s certify s   close s  total s us/close us/account")
    sizes = [size for size in (1_000, 10_000, 100_000, 1_000_000) if size < chosen.accounts]
    for accounts in [*sizes, chosen.accounts]:
        run(accounts, min(chosen.counterparties, accounts // 4))


if __name__ == "__main__":
    main()
