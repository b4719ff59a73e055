"""The monitor finds nothing where nothing is wrong, and what is wrong where something is."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from riskcore import (
    Account,
    Atoms,
    BeginDeleveraging,
    Deposit,
    Fill,
    MarkPrice,
    Rejected,
    Rule,
    State,
    genesis,
)
from riskcore.journal import Journal, Party, Reason, Stage
from riskcore.monitor import Monitor
from riskcore.quantities import AccountId
from riskcore.testing.desk import Desk
from riskcore.testing.rulebooks import make_rulebook
from riskcore.testing.walks import walk
from specs.laws import LAWS

ALICE = AccountId("alice")


def watch(seeds: range, length: int) -> list[Monitor]:
    """Monitors over random walks, each fed with the events that the walk proposed."""
    monitors = []
    for seed in seeds:
        passages = walk(seed, length).passages
        state = passages[0].old
        monitor = Monitor(state)
        monitor.checkpoint(state)
        for passage in passages:
            state = monitor.step(state, passage.event).state
        monitor.checkpoint(state)
        monitors.append(monitor)
    return monitors


def test_random_walks_break_no_law_and_every_law_is_looked_at() -> None:
    monitors = watch(range(90), 110)
    checked = {law.id: sum(monitor.tallies[law.id].checked for monitor in monitors) for law in LAWS}

    assert [] == [violation for monitor in monitors for violation in monitor.violations]
    assert [] == [id for id, count in checked.items() if count < 10]
    assert all(monitor.tallies["REJ-1"].checked > 50 for monitor in monitors)


def start() -> tuple[Monitor, State]:
    state = genesis(make_rulebook(), mutable=True)
    return Monitor(state), state


def deposit(number: int, amount: int) -> Deposit:
    return Deposit(f"e{number}", number, number, ALICE, amount)  # type: ignore[arg-type]


def get_broken(monitor: Monitor) -> set[str]:
    return {violation.law for violation in monitor.violations}


def test_a_minted_atom_breaks_conservation(monkeypatch: pytest.MonkeyPatch) -> None:
    def mint(self: Journal, payer: Party, payee: Party, amount: int, reason: Reason, stage: Stage) -> None:
        payer.balance -= amount
        payee.balance += amount + 1

    monkeypatch.setattr(Journal, "pay", mint)
    monitor, state = start()
    monitor.step(state, deposit(1, 5))

    assert {"CASH-1", "CASH-3", "ZERO-1"} == get_broken(monitor)
    violation = monitor.violations[0]
    assert violation.event == deposit(1, 5)
    assert "alice: balance 0" in violation.before
    assert "alice: balance 6" in violation.after


def test_a_change_behind_the_monitors_back_shows_at_the_checkpoint() -> None:
    monitor, state = start()
    state = monitor.step(state, deposit(1, 5)).state
    account = state.accounts.get(ALICE)
    state.accounts.put(ALICE, Account(Atoms(account.balance + 1), account.positions))

    assert set() == get_broken(monitor)
    monitor.checkpoint(state)
    assert {"FRAME-1", "CASH-1", "ZERO-1"} == get_broken(monitor)


@pytest.mark.parametrize(
    ("reserve", "law"), [("insurance", "CASH-2"), ("fees", "CASH-2"), ("transit", "CASH-2"), ("outside", "CASH-1")]
)
def test_a_reserve_that_is_off_shows_at_the_checkpoint(reserve: str, law: str) -> None:
    monitor, state = start()
    changed: Any = {reserve: -1}
    monitor.checkpoint(evolve(state, reserves=evolve(state.reserves, **changed)))

    assert law in get_broken(monitor)


def test_a_rejection_that_the_guard_does_not_bear_out_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(state: State, event: object) -> Journal:
        raise Rejected(Rule.AMOUNT_NOT_POSITIVE)

    monkeypatch.setattr("riskcore.monitor.apply", refuse)
    monitor, state = start()
    outcome = monitor.step(state, deposit(1, 5))

    assert outcome.rejected is Rule.AMOUNT_NOT_POSITIVE
    assert {"REJ-1"} == get_broken(monitor)


def test_a_rejection_that_is_right_is_none() -> None:
    monitor, state = start()
    outcome = monitor.step(state, deposit(1, 0))

    assert outcome.rejected is Rule.AMOUNT_NOT_POSITIVE
    assert outcome.state is state
    assert set() == get_broken(monitor)


def open_episode(**changes: Any) -> State:
    """A queue that opened lawfully, then changed."""
    desk = Desk(make_rulebook())
    desk.open("BTC", 1000, amber=1000, birch=2000)
    desk.must(Fill, "amber", "birch", "BTC", 10, 1000)
    desk.must(MarkPrice, "BTC", 890)
    desk.must(BeginDeleveraging, "amber", "BTC", ("birch",))
    assert desk.state.deleveraging is not None
    return evolve(desk.state, deleveraging=evolve(desk.state.deleveraging, **changes))


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({}, set()),
        ({"share": 10**20}, {"INV-1", "ADL-2"}),
        ({"lots": 9}, {"INV-1"}),
        ({"queue": ()}, {"ADL-2"}),
        ({"queue": ("birch", "birch")}, {"ADL-2"}),
        # one was consumed, and no lot closed
        ({"head": 1}, {"INV-1", "ADL-2"}),
        ({"done": -1}, {"INV-1"}),
    ],
)
def test_an_open_queue_is_looked_at_from_the_start(changes: dict[str, Any], broken: set[str]) -> None:
    state = open_episode(**changes)
    monitor = Monitor(state)
    monitor.checkpoint(state)

    assert broken == get_broken(monitor)


@pytest.mark.parametrize("changes", [{"funding_remainder": -5}, {"funding_time": 10**70}, {"mark_price": 0}])
def test_a_markets_figures_are_looked_at_from_the_start(changes: dict[str, Any]) -> None:
    state = walk(1, 5).state
    id, market = next((id, market) for id, market in state.markets.items() if market is not None)
    monitor = Monitor(state)
    wrong: Any = evolve(market, **changes)
    monitor.checkpoint(evolve(state, markets=state.markets.put(id, wrong)))

    assert {"INV-1"} == get_broken(monitor)
