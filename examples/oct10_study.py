"""Who pays: 19,337 real winners of 10 October 2025, deleveraged by each ranking.

    python examples/oct10_study.py ACCOUNTS.csv [--save DIRECTORY]

(or the file's folder in the environment variable RISKCORE_DATA). Its rows are the accounts that
Hyperliquid deleveraged on 10 October 2025, 21:15-21:27 UTC: notional closed, realised profit and
account value, from the public reconstruction ConejoCapital/HyperMultiAssetedADL. They are put
into one market, as shorts that are still open:

    mark         1 US dollar a lot
    size         notional closed, in whole lots (rounded down)
    entry price  mark * (1 + profit / notional), as cost of the lots kept, rounded to an atom
    equity       account value

A row cannot be realised where it has no whole lot, where its entry price would not be above
zero (a loss of its whole notional or more), or where the account value is not above zero (it
would be bankrupt itself, and no counterparty of anybody).

Against them stands one bankrupt long of 10, 25 and 50 % of their size, short of equity by
2 % of its notional; a hundred healthy accounts are long the rest. Its position is closed against
the queue by profit x leverage, by leverage, and by size.
"""

from __future__ import annotations

import argparse
import csv
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import NamedTuple

from attrs import evolve
from rich.console import Console
from rich.table import Table

from riskcore import (
    Account,
    BeginDeleveraging,
    Deleverage,
    EndDeleveraging,
    Market,
    MarketRules,
    Position,
    Positions,
    RankPolicy,
    Reserves,
    Rulebook,
    State,
    Trade,
    genesis,
    step,
)
from riskcore.planner import compute_queue
from riskcore.quantities import RATE_ONE, AccountId, Atoms, EventId, Lots, MarketId, Price, Rate, Time
from riskcore.snapshot import get_state_hash, load_state, save_state

FILE = "oct10_deleveraged_accounts.csv"
VARIABLE = "RISKCORE_DATA"

DOLLAR = 1_000_000
MARK = Price(DOLLAR)
MARKET, BANKRUPT = MarketId("WINNERS"), AccountId("bankrupt")
RULES = MarketRules(Rate(100_000), Rate(50_000), Rate(450), Rate(150), Rate(5_000))
#: The orders that the figures can tell apart: they hold no opening times, and a draw is no policy to compare.
POLICIES = (RankPolicy.PROFIT_TIMES_LEVERAGE, RankPolicy.LEVERAGE, RankPolicy.SIZE)
SHARES_PPM = (100_000, 250_000, 500_000)
DEFICIT_PPM = 20_000
HOLDERS = 100

NO_LOT = "less than one lot"
NO_ENTRY = "entry price not above zero"
NO_VALUE = "account value not above zero"


class Winner(NamedTuple):
    """A short: lots held, profit in atoms, account value in atoms."""

    id: AccountId
    lots: int
    profit: int
    equity: int


class Winners(NamedTuple):
    """The rows that can be realised, and why the others cannot."""

    rows: list[Winner]
    excluded: Counter[str]


class Result(NamedTuple):
    """One deleveraging. ``top10``, ``top100``: share of the closed lots, of those who closed most.

    ``closed``: lots; ``forgone``: atoms that counterparties paid; ``unpaid``: atoms booked to uncovered.
    """

    policy: RankPolicy
    lots: int
    queue: int
    touched: int
    closed: int
    top10: Fraction
    top100: Fraction
    forgone: int
    unpaid: int
    state_hash: str
    seconds: float


def read_winners(lines: Iterable[str]) -> Winners:
    """The rows of the data file as shorts of one market."""
    rows: list[Winner] = []
    excluded: Counter[str] = Counter()
    for row in csv.DictReader(lines):
        notional, profit, value = (
            Fraction(Decimal(row[name])) for name in ("adl_notional_usd", "closed_pnl_usd", "account_value_usd")
        )
        lots = int(notional)
        equity = int(value * DOLLAR)
        if lots == 0:
            excluded[NO_LOT] += 1
        elif profit <= -notional:
            excluded[NO_ENTRY] += 1
        elif equity <= 0:
            excluded[NO_VALUE] += 1
        else:
            rows.append(Winner(AccountId(row["account"]), lots, int(profit * DOLLAR * lots / notional), equity))
    return Winners(rows, excluded)


def make_state(winners: list[Winner], share_ppm: int, policy: RankPolicy) -> State:
    """The winners short; one bankrupt account long ``share_ppm`` of their size, healthy ones the rest."""
    state = genesis(make_rulebook(policy))
    whole = sum(winner.lots for winner in winners)
    bankrupt = whole * share_ppm // RATE_ONE
    accounts = {winner.id: make_account(-winner.lots, winner.profit, winner.equity) for winner in winners}
    deficit = bankrupt * MARK * DEFICIT_PPM // RATE_ONE
    accounts[BANKRUPT] = make_account(bankrupt, -2 * deficit, -deficit)
    for place, lots in enumerate(split_evenly(whole - bankrupt, HOLDERS)):
        accounts[AccountId(f"holder{place}")] = make_account(lots, 0, lots * MARK)
    table = state.accounts
    for id, account in accounts.items():
        table = table.put(id, account)
    market = Market(RULES, MARK, Atoms(0), 0, Time(0), Lots(whole))
    cash = sum(account.balance for account in accounts.values())
    reserves = Reserves(Atoms(-cash), Atoms(0), Atoms(0), Atoms(0), Atoms(0))
    return evolve(state, accounts=table, markets=state.markets.put(MARKET, market), reserves=reserves)


def make_rulebook(policy: RankPolicy) -> Rulebook:
    """Nothing but deleveraging: no vault, no fund, and everybody pays who has the equity."""
    return Rulebook(
        vault=AccountId("vault"),
        vault_position_limit=Atoms(0),
        insurance_floor=Atoms(0),
        insurance_backs_fills=False,
        insurance_fill_band=Rate(1_000_000),
        insurance_before_adl=False,
        adl_solvent=False,
        adl_requires_profit=False,
        adl_rank=policy,
        funding_interval=Time(28_800_000),
        funding_rate_cap=Rate(40_000),
    )


def make_account(size: int, profit: int, equity: int) -> Account:
    """An account whose one position, at mark, has this profit, and which has this equity."""
    position = Position(Lots(size), Atoms(size * MARK - profit), Atoms(0))
    return Account(Atoms(equity - size * MARK), Positions({MARKET: position}))


def split_evenly(lots: int, parts: int) -> list[int]:
    """``lots`` in nearly equal parts."""
    return [lots // parts + (place < lots % parts) for place in range(parts)]


def deleverage(state: State) -> Result:
    """Close the bankrupt account's position against the queue of the state's ranking."""
    lots = state.accounts.get(BANKRUPT).positions.get(MARKET).size
    start = perf_counter()
    queue = compute_queue(state, BANKRUPT, MARKET)
    closed: Counter[AccountId] = Counter()
    forgone = 0
    state = step(state, BeginDeleveraging(EventId("begin"), 1, Time(0), BANKRUPT, MARKET, queue)).state
    while (episode := state.deleveraging) is not None:
        kind = Deleverage if episode.head < len(queue) else EndDeleveraging
        outcome = step(state, kind(EventId(f"e{state.sequence}"), state.sequence + 1, Time(0)))
        for line in outcome.effects:
            if isinstance(line, Trade):
                closed[line.buyer] += line.lots
                forgone += abs(line.amount - line.lots * MARK)
        state = outcome.state
    return Result(
        policy=state.rulebook.adl_rank,
        lots=lots,
        queue=len(queue),
        touched=len(closed),
        closed=sum(closed.values()),
        top10=get_concentration(closed, 10),
        top100=get_concentration(closed, 100),
        forgone=forgone,
        unpaid=-state.reserves.uncovered,
        state_hash=get_state_hash(state),
        seconds=perf_counter() - start,
    )


def get_concentration(closed: Counter[AccountId], accounts: int) -> Fraction:
    """The share of all closed lots that fell on the accounts with the most."""
    whole = sum(closed.values())
    return Fraction(sum(lots for _, lots in closed.most_common(accounts)), whole) if whole else Fraction(0)


def study(winners: list[Winner], directory: Path) -> Iterator[Result]:
    """Each ranking against each size, each from a snapshot file that is written to ``directory`` and read back."""
    for share_ppm in SHARES_PPM:
        for policy in POLICIES:
            path = directory / f"{policy.value}-{share_ppm // 10_000}.json"
            save_state(make_state(winners, share_ppm, policy), path)
            yield deleverage(load_state(path))


def describe(winners: Winners) -> list[str]:
    """What was loaded and what was not."""
    lines = [f"{len(winners.rows):,} accounts short {sum(row.lots for row in winners.rows):,} lots of 1 US dollar"]
    lines += [f"{count:,} rows excluded: {reason}" for reason, count in sorted(winners.excluded.items())]
    losers = sum(row.profit <= 0 for row in winners.rows)
    weak = sum(row.equity * RATE_ONE < row.lots * MARK * RULES.maintenance_margin_rate for row in winners.rows)
    lines.append(f"{losers:,} of the accounts are at a loss, {weak:,} below maintenance margin themselves")
    return lines


def make_table(results: Iterable[Result]) -> Table:
    """One row for each deleveraging."""
    table = Table()
    for name in (
        "bankrupt lots",
        "ranking",
        "touched",
        "top 10",
        "top 100",
        "forgone US$",
        "unpaid US$",
        "seconds",
        "state",
    ):
        table.add_column(name, justify="left" if name in ("ranking", "state") else "right")
    for result in results:
        table.add_row(
            f"{result.lots:,}",
            result.policy.value,
            f"{result.touched:,}",
            format_share(result.top10),
            format_share(result.top100),
            format_dollars(result.forgone),
            format_dollars(result.unpaid),
            f"{result.seconds:.2f}",
            result.state_hash[:16],
        )
    return table


def format_share(share: Fraction) -> str:
    tenths = share.numerator * 1_000 // share.denominator
    return f"{tenths // 10}.{tenths % 10} %"


def format_dollars(atoms: int) -> str:
    return f"{atoms // DOLLAR:,}.{atoms % DOLLAR // 10_000:02}"


def find_data(given: Path | None) -> Path | None:
    """The data file: the one given, or that in the folder which the environment names."""
    folder = os.environ.get(VARIABLE)
    path = given if given is not None else Path(folder) / FILE if folder else None
    return path if path is not None and path.is_file() else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("accounts", type=Path, nargs="?")
    parser.add_argument("--save", type=Path, help="keep the state snapshots in this directory")
    chosen = parser.parse_args()
    path = find_data(chosen.accounts)
    if path is None:
        parser.exit(2, f"no data file: name {FILE}, or its folder in {VARIABLE}\n")
    with path.open(encoding="utf-8", newline="") as lines:
        winners = read_winners(lines)
    console = Console(width=140)
    for line in describe(winners):
        console.print(line)
    with TemporaryDirectory() as directory:
        console.print(make_table(study(winners.rows, chosen.save or Path(directory))))


if __name__ == "__main__":
    main()
