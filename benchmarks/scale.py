"""A replay at the size of a real window: 3,240,000 events over 437,723 accounts, every law on.

    python benchmarks/scale.py [--part 10] [--profile] [--log FILE]

The size is that of 10 October 2025 on Hyperliquid, 21:15 to 21:27 UTC; the log is made up, a function of its seed,
and written as a stream. Beside the replay runs a bare loop, which parses each line with ``json.loads`` and adds floats
to balances and sizes. Each runs in a process of its own, so that memory is its own too; sizes are a tenth, a third and
the whole (``--part 10`` alone: the tenth). No queue is in it: what one costs is ``benchmarks/planner.py``'s question.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from riskcore import (
    ApplyFunding,
    Deposit,
    Event,
    Fill,
    ListMarket,
    MarketRules,
    MarkPrice,
    RankPolicy,
    Rulebook,
    Takeover,
    Withdraw,
)
from riskcore.commands.output import with_lasting_values
from riskcore.events import FundInsurance, LiquidationFill, SetLeverage
from riskcore.log import write_log
from riskcore.monitor import Monitor
from riskcore.quantities import AccountId, Atoms, EventId, Leverage, Lots, MarketId, Price, Rate, Time
from riskcore.replay import Verdict, replay
from riskcore.units import Units

EVENTS, ACCOUNTS = 3_240_000, 437_723
PARTS = (10, 3, 1)
START, WINDOW = 1_760_130_900_000, 720_000
MARKETS = tuple(map(MarketId, ("BTC", "ETH", "SOL", "HYPE", "XRP", "DOGE", "FARTCOIN", "PUMP")))
VAULT = AccountId("vault")
RULES = MarketRules(Rate(100_000), Rate(50_000), Rate(450), Rate(150), Rate(5_000))
RULEBOOK = Rulebook(
    vault=VAULT,
    vault_position_limit=Atoms(10**18),
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
#: Atoms that everybody pays in: enough for whatever is drawn for them.
CASH = 10**12
LOTS = 1000


class Tape:
    """Events one after the other, with ids, sequence numbers and times, and the marks that they have led to."""

    def __init__(self, accounts: int, events: int, random: Random) -> None:
        self.random = random
        names = [AccountId(f"0x{random.getrandbits(160):040x}") for _ in range(accounts)]
        # one in fifty comes later, on thin margin
        self.names, self.thin = names[accounts // 50 :], names[: accounts // 50]
        self.marks = {market: random.randint(500_000, 5_000_000) for market in MARKETS}
        self.sequence, self._events = 0, events

    def head(self) -> tuple[EventId, int, Time]:
        """What every event begins with."""
        self.sequence += 1
        return EventId(f"e{self.sequence}"), self.sequence, Time(START + WINDOW * self.sequence // self._events)

    def mark(self, market: MarketId, price: int) -> Event:
        return MarkPrice(*self.head(), market, Price(price))

    def draw(self) -> Iterator[Event]:
        """One event, or the few of a liquidation."""
        random, market = self.random, self.random.choice(MARKETS)
        taker, maker = random.sample(self.names, 2)
        mark, kind = self.marks[market], random.random()
        if kind < 0.80:
            size = Lots(random.randint(1, 50) * random.choice((1, -1)))
            yield Fill(*self.head(), taker, maker, market, size, Price(mark + random.randint(-99, 99)))
        elif kind < 0.90:
            self.marks[market] = max(400_000, mark + random.randint(-999, 999))
            yield self.mark(market, self.marks[market])
        elif kind < 0.93:
            yield Deposit(*self.head(), taker, Atoms(random.randint(1, 10**9)))
        elif kind < 0.96:
            yield Withdraw(*self.head(), taker, Atoms(random.randint(1, 10**6)))
        elif kind < 0.97:
            yield SetLeverage(*self.head(), taker, market, Leverage(random.randint(1, 9)))
        elif kind < 0.98 or not self.thin:
            yield ApplyFunding(*self.head(), market, Rate(random.randint(-300, 300)))
        else:
            yield from self.liquidate(self.thin.pop(), market, mark, maker)

    def liquidate(self, account: AccountId, market: MarketId, mark: int, maker: AccountId) -> Iterator[Event]:
        """Somebody comes in on thin margin, the mark falls by a tenth, and he is closed against a maker or the vault."""
        yield Deposit(*self.head(), account, Atoms(LOTS * mark * 12 // 100))
        yield Fill(*self.head(), account, maker, market, Lots(LOTS), Price(mark))
        yield self.mark(market, mark * 9 // 10)
        if self.random.random() < 0.5:
            yield LiquidationFill(*self.head(), account, maker, market, Lots(LOTS), Price(mark * 9 // 10))
        else:
            yield Takeover(*self.head(), account, market, Lots(LOTS))
        yield self.mark(market, mark)


def make_events(accounts: int, events: int, seed: int = 20251010) -> Iterator[Event]:
    """A stream of so many events; nothing of it is kept but names and marks."""
    tape = Tape(accounts, events, Random(seed))
    for market, mark in tape.marks.items():
        yield ListMarket(*tape.head(), market, RULES, Price(mark))
    yield Deposit(*tape.head(), VAULT, Atoms(10**6 * CASH))
    yield FundInsurance(*tape.head(), Atoms(CASH))
    for account in tape.names:
        yield Deposit(*tape.head(), account, Atoms(CASH))
    while tape.sequence < events:
        for event in tape.draw():
            if event.sequence <= events:
                yield event
