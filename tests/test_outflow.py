"""The limit to what withdrawals take out of the pool within a window."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from riskcore.bad_input import Fault
from riskcore.events import Deposit, FundInsurance, Transfer, Withdraw
from riskcore.quantities import Atoms, Time
from riskcore.rulebook import is_admissible_rulebook
from riskcore.rules import Rule
from riskcore.snapshot import get_state_hash, load_state, save_state
from riskcore.state import Draws
from riskcore.testing.desk import Desk
from riskcore.testing.rulebooks import make_rulebook

HOUR = 3_600_000


def with_cash(limit: int = 100) -> Desk:
    """amber and birch have 1000 each; the deposits were a window ago."""
    desk = Desk(make_rulebook(withdrawal_limit=Atoms(limit), withdrawal_window=Time(HOUR)))
    desk.open("BTC", 100, amber=1000, birch=1000)
    return desk


def get_taken(desk: Desk) -> int:
    return desk.state.outflow.drawn


def test_withdrawals_of_all_together_stay_within_the_limit() -> None:
    desk = with_cash()
    desk.must(Withdraw, "amber", 60, after=HOUR)

    assert Rule.WITHDRAWAL_LIMIT == desk.do(Withdraw, "birch", 41).rejected
    desk.must(Withdraw, "birch", 40)
    assert 100 == get_taken(desk)
    assert Rule.WITHDRAWAL_LIMIT == desk.do(Withdraw, "amber", 1).rejected


def test_a_new_window_begins_when_the_last_is_over() -> None:
    desk = with_cash()
    desk.must(Withdraw, "amber", 100, after=HOUR)
    began = desk.state.timestamp

    assert Rule.WITHDRAWAL_LIMIT == desk.do(Withdraw, "amber", 1, after=HOUR - 1).rejected
    desk.must(Withdraw, "amber", 100, after=HOUR)
    assert Draws(Atoms(100), Time(began + HOUR)) == desk.state.outflow


def test_deposits_give_room_back_and_bank_none() -> None:
    desk = with_cash()
    desk.must(Withdraw, "amber", 100, after=HOUR)
    desk.must(Deposit, "birch", 30)
    assert 70 == get_taken(desk)
    desk.must(Withdraw, "birch", 30)
    desk.must(Deposit, "birch", 500)

    assert 0 == get_taken(desk)
    assert Rule.WITHDRAWAL_LIMIT == desk.do(Withdraw, "birch", 101).rejected


def test_what_is_no_withdrawal_counts_nothing() -> None:
    desk = with_cash()
    desk.must(Withdraw, "amber", 100, after=HOUR)
    desk.must(Transfer, "amber", "birch", 500)
    desk.must(FundInsurance, 50)

    assert 100 == get_taken(desk)


def test_without_a_limit_nothing_is_counted() -> None:
    desk = with_cash(limit=0)
    desk.must(Withdraw, "amber", 1000)

    assert Draws() == desk.state.outflow


@pytest.mark.parametrize(("limit", "window"), [(-1, 1), (1, 0), (1, -1), (0, -1)])
def test_a_limit_has_a_window(limit: int, window: int) -> None:
    assert not is_admissible_rulebook(make_rulebook(withdrawal_limit=Atoms(limit), withdrawal_window=Time(window)))


def test_what_was_taken_out_is_in_a_snapshot_and_in_the_hash(tmp_path: Path) -> None:
    desk = with_cash()
    before = get_state_hash(attrs.evolve(desk.state, outflow=Draws()))
    desk.must(Withdraw, "amber", 60, after=HOUR)
    save_state(desk.state, tmp_path / "s.json")
    loaded = load_state(tmp_path / "s.json")

    assert desk.state.outflow == loaded.outflow
    assert len({before, get_state_hash(loaded), get_state_hash(attrs.evolve(loaded, outflow=Draws()))}) == 3


@pytest.mark.parametrize(("outflow", "field"), [(Draws(Atoms(-1)), "drawn"), (Draws(Atoms(1), Time(10**15)), "since")])
def test_an_outflow_below_zero_or_from_the_future_is_refused(tmp_path: Path, outflow: Draws, field: str) -> None:
    with pytest.raises(Fault) as caught:
        save_state(attrs.evolve(with_cash().state, outflow=outflow), tmp_path / "s.json")

    assert f"outflow.{field}" == caught.value.field
