"""A log in which every stage of the waterfall closes something, and a plain monitor to replay it under."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import define, evolve, frozen

from riskcore import events as ev
from riskcore.choices import RankPolicy
from riskcore.events import Event
from riskcore.log import write_log
from riskcore.quantities import AccountId, Atoms, EventId, Rate, Time
from riskcore.rulebook import MarketRules, Rulebook
from riskcore.snapshot import save_state
from riskcore.state import Account, State, genesis
from riskcore.step import Outcome, step
from riskcore.units import Units

RULEBOOK = Rulebook(
    vault=AccountId("vault"),
    vault_position_limit=Atoms(25_000),
    insurance_floor=Atoms(0),
    insurance_backs_fills=True,
    insurance_fill_band=Rate(1_000_000),
    insurance_before_adl=True,
    adl_solvent=True,
    adl_requires_profit=True,
    adl_rank=RankPolicy.PROFIT_TIMES_LEVERAGE,
    funding_interval=Time(3_600_000),
    funding_rate_cap=Rate(40_000),
)
UNITS = Units("0.01", {"BTC": "0.001"})
RULES = MarketRules(Rate(100_000), Rate(50_000), Rate(500), Rate(0), Rate(5_000))


class Script:
    """Events one after the other; each call makes one, with the next id, sequence and time."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def add(self, kind: Callable[..., Event], *values: Any) -> None:
        number = len(self.events) + 1
        self.events.append(kind(f"e{number}", number, 1_760_000_000_000 + number, *values))


def make_waterfall_events() -> list[Event]:
    """``long`` goes bankrupt in BTC and drags ETH along: book, vault, insurance, deleveraging, uncovered."""
    script = Script()
    script.add(ev.ListMarket, "BTC", RULES, 1000)
    script.add(ev.ListMarket, "ETH", RULES, 100)
    deposits = {"long": 11_600, "short": 20_000, "quiet": 5_000, "maker": 50_000, "vault": 30_000}
    for account, amount in deposits.items():
        script.add(ev.Deposit, account, amount)
    script.add(ev.FundInsurance, 1000)
    script.add(ev.Fill, "long", "short", "BTC", 100, 1000)
    script.add(ev.Fill, "quiet", "long", "ETH", -20, 100)
    script.add(ev.ApplyFunding, "BTC", 400)
    script.add(ev.Withdraw, "long", 11_999)  # rejected: below initial margin
    script.add(ev.MarkPrice, "BTC", 930)
    script.add(ev.LiquidationFill, "long", "maker", "BTC", 30, 925)
    script.add(ev.MarkPrice, "BTC", 890)
    script.add(ev.Takeover, "long", "BTC", 20)
    script.add(ev.MarkPrice, "BTC", 830)
    script.add(ev.LiquidationFill, "long", "maker", "BTC", 60, 830)  # rejected: more than the position has
    script.add(ev.LiquidationFill, "long", "maker", "BTC", 10, 829)  # beyond bankruptcy: the fund pays
    script.add(ev.CoverDeficit, "long")
    script.add(ev.BeginDeleveraging, "long", "BTC", ("short",))
    script.add(ev.Deleverage)
    script.add(ev.BeginDeleveraging, "long", "ETH", ())
    script.add(ev.EndDeleveraging)
    script.add(ev.AdvanceTime)
    return script.events


def write_waterfall_log(folder: Path, name: str = "crash.jsonl") -> Path:
    """The log of ``make_waterfall_events`` as a file."""
    path = folder / name
    write_log(path, RULEBOOK, UNITS, make_waterfall_events())
    return path


def write_snapshot_log(folder: Path, after: str = "e21") -> Path:
    """The events behind ``after``, by default in the middle of a deleveraging, and a snapshot of what was before."""
    events = make_waterfall_events()
    cut = [event.id for event in events].index(EventId(after)) + 1
    state = genesis(RULEBOOK)
    for event in events[:cut]:
        state = step(state, event).state
    save_state(state, folder / "any.json")
    path = folder / "rest.jsonl"
    write_log(path, RULEBOOK, UNITS, events[cut:], snapshot="any.json")
    return path


@define
class PlainTally:
    checked: int = 0
    violations: int = 0


@frozen
class PlainViolation:
    law: str
    sentence: str
    event: Event | None
    clause: str
    before: str
    after: str


class PlainMonitor:
    """Checks CASH-1 and nothing else: the lines of a step in passing, all balances at a checkpoint."""

    def __init__(self, state: State) -> None:
        self.tallies = {"CASH-1": PlainTally()}
        self.violations: list[PlainViolation] = []

    def step(self, state: State, event: Event) -> Outcome:
        self.tallies["CASH-1"].checked += 1
        return step(state, event)

    def checkpoint(self, state: State) -> None:
        self.tallies["CASH-1"].checked += 1
        reserves = state.reserves
        total: int = sum(account.balance for _, account in state.accounts.items())
        total += reserves.outside + reserves.insurance + reserves.fees + reserves.transit + reserves.uncovered
        if total != 0:
            self.report(None, f"sum == 0 (it is {total})", "sum 0\nrest", f"sum {total}\nrest")

    def report(self, event: Event | None, clause: str, before: str, after: str) -> None:
        sentence = "every atom has one owner: all balances sum to zero"
        self.tallies["CASH-1"].violations += 1
        self.violations.append(PlainViolation("CASH-1", sentence, event, clause, before, after))


def with_one_more_atom(outcome: Outcome) -> Outcome:
    """The outcome with a balance that nobody paid for."""
    state = outcome.state
    account = state.accounts.get(AccountId("long"))
    richer = Account(Atoms(account.balance + 1), account.positions)
    return evolve(outcome, state=evolve(state, accounts=state.accounts.put(AccountId("long"), richer)))


class SwindlingMonitor(PlainMonitor):
    """A venue that conjures an atom at one event; ``is_seen``: the incremental check notices."""

    at = "e9"
    is_seen = False

    def step(self, state: State, event: Event) -> Outcome:
        outcome = super().step(state, event)
        if event.id != self.at:
            return outcome
        if self.is_seen:
            balance = outcome.state.accounts.get(AccountId("long")).balance
            self.report(event, "credits == debits", f"long {balance}", f"long {balance + 1}")
        return with_one_more_atom(outcome)


class SeeingMonitor(SwindlingMonitor):
    is_seen = True
