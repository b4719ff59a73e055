"""A replay at the size of a real window: 3,240,000 events over 437,723 accounts, every law on.

    python benchmarks/scale.py [--part 10] [--no-laws] [--folder DIR]
    python benchmarks/scale.py --part 100 --profile

The size is that of 10 October 2025 on Hyperliquid, 21:15 to 21:27 UTC; the log is made up, a function of its seed,
and written as a stream. Beside the replay runs a bare loop, which parses each line with ``json.loads`` and adds floats
to balances and sizes; the ratio is of processor time. Each runs in a process of its own, so that memory is its own too:
the most that the process held, less what it held before it read a line. Sizes are a tenth, a third and the whole, or
the one of ``--part``. An account trades in a market of its own, and every tenth time in another: those who were
deleveraged then were so in 1.7 coins each (ConejoCapital/HyperMultiAssetedADL). No queue is in the log: what one costs
is ``benchmarks/planner.py``'s question.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import resource
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

from riskcore import (
    AdvanceTime,
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
from riskcore.replay import Replay, Verdict, replay
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
        self.homes = {market: self.names[place :: len(MARKETS)] for place, market in enumerate(MARKETS)}
        self.marks = {market: random.randint(500_000, 5_000_000) for market in MARKETS}
        self.funded: dict[MarketId, Time] = {}
        self.sequence, self._events = 0, events

    def head(self) -> tuple[EventId, int, Time]:
        """What every event begins with."""
        self.sequence += 1
        return EventId(f"e{self.sequence}"), self.sequence, Time(START + WINDOW * self.sequence // self._events)

    def mark(self, market: MarketId, price: int) -> Event:
        return MarkPrice(*self.head(), market, Price(price))

    def fund(self, market: MarketId) -> Event:
        """Funding, or where the market had it in this millisecond nothing but time."""
        head = self.head()
        if self.funded.get(market) == head[2]:
            return AdvanceTime(*head)
        self.funded[market] = head[2]
        return ApplyFunding(*head, market, Rate(self.random.randint(-300, 300)))

    def draw(self) -> Iterator[Event]:
        """One event, or the few of a liquidation."""
        random, market = self.random, self.random.choice(MARKETS)
        taker, maker = random.sample(self.homes[market] if random.random() < 0.9 else self.names, 2)
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
            yield self.fund(market)
        else:
            yield from self.liquidate(self.thin.pop(), market, mark, maker)

    def liquidate(self, account: AccountId, market: MarketId, mark: int, maker: AccountId) -> Iterator[Event]:
        """One on thin margin, who is closed against a maker or the vault as the mark falls by a tenth."""
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


def write(path: Path, part: int) -> None:
    write_log(path, RULEBOOK, Units("0.01"), make_events(ACCOUNTS // part, EVENTS // part))


def run_bare(path: Path) -> int:
    """What anybody would write: parse, and add."""
    balances: dict[str, float] = defaultdict(float)
    sizes: dict[tuple[str, str], float] = defaultdict(float)
    with open(path, "rb") as log:
        log.readline()
        for line in log:
            event = json.loads(line)
            if "maker" in event:
                taker, maker, market = event.get("taker") or event["account"], event["maker"], event["market"]
                size, price = float(event["size"]), float(event["price"])
                balances[taker] -= size * price
                balances[maker] += size * price
                sizes[taker, market] += size
                sizes[maker, market] -= size
            elif "amount" in event:
                balances[event.get("account", "")] += float(event["amount"])
    return len(balances)


def run_replay(path: Path, laws: bool) -> Replay:
    with with_lasting_values():
        result = replay(path, Monitor if laws else None)
    assert result.verdict is (Verdict.HOLDS if laws else Verdict.INCONCLUSIVE), result.failure
    assert not result.rejected, result.rejections
    return result


def describe(result: Replay) -> dict[str, Any]:
    state = result.state
    return {
        "accounts": result.accounts,
        "events": result.events,
        "hash": result.state_hash,
        "positions": sum(len(account.positions) for _, account in state.accounts.items()),
        # of each its text, and its place in the table
        "ids": sum(sys.getsizeof(id) for id, _ in state.seen.items()) + sys.getsizeof(dict(state.seen.items())),
    }


def measure(run: Callable[[], Any]) -> dict[str, Any]:
    """Seconds of processor time, the bytes that it held at most, and what a replay found."""
    before, begun = get_resident(), process_time()
    result = run()
    figures = {
        "seconds": process_time() - begun,
        "bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before,
    }
    return figures | (describe(result) if isinstance(result, Replay) else {})


def get_resident() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def run_apart(what: str, path: Path, part: int) -> dict[str, Any]:
    command = [sys.executable, __file__, "--do", what, "--log", str(path), "--part", str(part)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    found: dict[str, Any] = json.loads(output) if output else {}
    return found


def show(part: int, folder: Path, laws: bool) -> None:
    path = folder / f"scale{part}.jsonl"
    if not path.exists():
        run_apart("write", path, part)
    bare, kept = run_apart("bare", path, part), run_apart("laws" if laws else "no-laws", path, part)
    events, accounts = kept["events"], kept["accounts"]
    print(
        f"{events:>9,} events {accounts:>7,} accounts: {kept['seconds'] / events * 1e6:5.0f} us an event, "
        f"bare {bare['seconds'] / events * 1e6:4.1f} us, ratio {kept['seconds'] / bare['seconds']:3.0f}; "
        f"{kept['bytes'] / accounts:5,.0f} bytes an account of {kept['positions'] / accounts:.1f} positions, "
        f"{kept['ids'] / accounts:,.0f} of them ids of events; {kept['seconds']:,.0f} s, {kept['hash'][:12]}",
        flush=True,
    )


def profile(path: Path, part: int) -> None:
    write(path, part)
    profiler = cProfile.Profile()
    profiler.runcall(run_replay, path, True)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(40)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", type=int, help="only the size divided by this")
    parser.add_argument("--no-laws", action="store_true")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--folder", type=Path, help="where logs are kept, and found again")
    parser.add_argument("--do", choices=["write", "bare", "laws", "no-laws"], help=argparse.SUPPRESS)
    parser.add_argument("--log", type=Path, help=argparse.SUPPRESS)
    order = parser.parse_args()
    if order.do == "write":
        write(order.log, order.part)
    elif order.do is not None:
        runs: dict[str, Callable[[], Any]] = {
            "bare": lambda: run_bare(order.log),
            "laws": lambda: run_replay(order.log, True),
            "no-laws": lambda: run_replay(order.log, False),
        }
        print(json.dumps(measure(runs[order.do])))
    else:
        with TemporaryDirectory() as spare:
            folder = order.folder or Path(spare)
            if order.profile:
                profile(folder / "profile.jsonl", order.part or 100)
                return
            for part in PARTS if order.part is None else (order.part,):
                show(part, folder, not order.no_laws)


if __name__ == "__main__":
    main()
