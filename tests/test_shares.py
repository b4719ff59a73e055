"""RequestVaultDeposit, ExecuteVaultDeposit, CancelVaultDeposit, RequestVaultRedemption, ExecuteVaultRedemption.

And the ways in which somebody might profit from them: each is a small log.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskcore import queries
from riskcore.bad_input import LogError
from riskcore.events import (
    CancelVaultDeposit,
    Deposit,
    ExecuteVaultDeposit,
    ExecuteVaultRedemption,
    Fill,
    MarkPrice,
    RequestVaultDeposit,
    RequestVaultRedemption,
    Takeover,
    Transfer,
    Withdraw,
)
from riskcore.journal import Reason, Reserve, Stage
from riskcore.log import write_log
from riskcore.monitor import Monitor
from riskcore.quantities import AccountId, Shares, Time
from riskcore.replay import replay
from riskcore.rules import Rule
from riskcore.snapshot import get_state_hash, load_state, save_state
from riskcore.state import Stake, State, genesis
from riskcore.step import Outcome, step
from riskcore.testing.desk import Desk, get_lines
from riskcore.testing.observation import observe
from riskcore.testing.rulebooks import HOUR, make_rulebook, make_rules
from riskcore.units import Units

AMBER = AccountId("amber")
NOTICE, WINDOW = 2 * HOUR, HOUR


def make_desk(**deposits: Any) -> Desk:
    """A venue whose vault wants notice of two hours and waits one more."""
    rulebook = make_rulebook(
        vault_deposit_notice=NOTICE,
        vault_redemption_notice=NOTICE,
        vault_request_window=WINDOW,
        vault_deposit_minimum=1,
    )
    desk = Desk(rulebook)
    desk.open("BTC", 1000, **deposits)
    return desk


def join(desk: Desk, account: str, amount: int, notice: int = NOTICE) -> Outcome:
    """Ask, wait, and let the deposit become shares."""
    desk.must(RequestVaultDeposit, account, amount)
    return desk.do(ExecuteVaultDeposit, account, after=notice)


def leave(desk: Desk, account: str, shares: int, notice: int = NOTICE) -> Outcome:
    desk.must(RequestVaultRedemption, account, shares)
    return desk.do(ExecuteVaultRedemption, account, after=notice)


def get_stake(desk: Desk, account: str) -> Stake:
    return desk.state.stakes.get(AccountId(account))


def get_shares(desk: Desk, account: str) -> int:
    return get_stake(desk, account).shares


def lose(desk: Desk, amount: int) -> None:
    """The vault loses an even number of atoms: it buys from fir, and the mark falls."""
    desk.must(Deposit, "fir", 10 * amount + 10_000)
    desk.must(Fill, "vault", "fir", "BTC", 2, 1000)
    desk.must(MarkPrice, "BTC", 1000 - amount // 2)
    desk.must(Fill, "fir", "vault", "BTC", 2, 1000 - amount // 2)


# RequestVaultDeposit


def test_a_requested_deposit_waits_in_escrow() -> None:
    desk = make_desk(amber=1000)
    outcome = desk.must(RequestVaultDeposit, "amber", 600)

    assert [("amber", Reserve.ESCROW, 600, Reason.VAULT_REQUEST, Stage.ORDINARY)] == get_lines(outcome)
    assert (400, 600) == (desk.get_balance("amber"), desk.state.reserves.escrow)
    assert Stake(0, 600, desk.state.timestamp, 0, 0) == get_stake(desk, "amber")  # type: ignore[arg-type]
    assert 0 == desk.state.vault_shares


def test_escrow_is_no_margin() -> None:
    # 4 lots at 1000 need 400
    desk = make_desk(amber=1000, birch=5000)
    desk.must(RequestVaultDeposit, "amber", 600)

    assert Rule.TAKER_MARGIN == desk.do(Fill, "amber", "birch", "BTC", 5, 1000).rejected
    assert desk.do(Fill, "amber", "birch", "BTC", 4, 1000).rejected is None


def test_a_deposit_may_leave_exactly_the_initial_margin() -> None:
    desk = make_desk(amber=1000, birch=5000)
    desk.must(Fill, "amber", "birch", "BTC", 4, 1000)

    assert Rule.BELOW_INITIAL_MARGIN == desk.do(RequestVaultDeposit, "amber", 601).rejected
    assert desk.do(RequestVaultDeposit, "amber", 600).rejected is None


@pytest.mark.parametrize("amount", [9, 0, -5])
def test_a_deposit_below_the_minimum_is_rejected(amount: int) -> None:
    desk = Desk(make_rulebook(vault_deposit_minimum=10))
    desk.must(Deposit, "amber", 100)

    assert Rule.VAULT_DEPOSIT_TOO_SMALL == desk.do(RequestVaultDeposit, "amber", amount).rejected
    assert desk.do(RequestVaultDeposit, "amber", 10).rejected is None


def test_the_vault_deposits_nothing_in_itself() -> None:
    desk = make_desk(vault=1000)

    assert Rule.VAULT_ITSELF == desk.do(RequestVaultDeposit, "vault", 10).rejected
    assert Rule.VAULT_ITSELF == desk.do(ExecuteVaultDeposit, "vault").rejected
    assert Rule.VAULT_ITSELF == desk.do(RequestVaultRedemption, "vault", 10).rejected
    assert Rule.VAULT_ITSELF == desk.do(ExecuteVaultRedemption, "vault").rejected


def test_a_second_deposit_waits_for_the_first() -> None:
    # else a long-standing request of one atom would carry a large one past the notice
    desk = make_desk(amber=1000)
    desk.must(RequestVaultDeposit, "amber", 1)

    assert Rule.VAULT_DEPOSIT_WAITING == desk.do(RequestVaultDeposit, "amber", 999, after=NOTICE - 1).rejected
    assert Rule.VAULT_DEPOSIT_WAITING == desk.do(RequestVaultDeposit, "amber", 999, after=2 * WINDOW).rejected


# ExecuteVaultDeposit


def test_the_first_depositor_gets_a_share_for_an_atom() -> None:
    desk = make_desk(amber=1000)
    outcome = join(desk, "amber", 600)

    assert [(Reserve.ESCROW, "vault", 600, Reason.VAULT_DEPOSIT, Stage.ORDINARY)] == get_lines(outcome)
    assert (600, 600) == (get_shares(desk, "amber"), desk.state.vault_shares)
    assert (400, 600, 0) == (desk.get_balance("amber"), desk.get_balance("vault"), desk.state.reserves.escrow)


def test_equity_that_is_there_before_is_the_houses() -> None:
    desk = make_desk(vault=300, amber=1000)
    join(desk, "amber", 600)

    assert (300, 600, 900) == (get_shares(desk, "vault"), get_shares(desk, "amber"), desk.state.vault_shares)


def test_whole_shares_are_bought_and_the_rest_comes_back() -> None:
    # 100 shares are worth 350 atoms: 40 atoms buy 11 shares, worth 38.5, for 39
    desk = make_desk(amber=100, birch=100)
    join(desk, "amber", 100)
    desk.must(Deposit, "vault", 250)
    outcome = join(desk, "birch", 40)

    assert [
        (Reserve.ESCROW, "vault", 39, Reason.VAULT_DEPOSIT, Stage.ORDINARY),
        (Reserve.ESCROW, "birch", 1, Reason.VAULT_RETURN, Stage.ORDINARY),
    ] == get_lines(outcome)
    assert (11, 111, 389) == (get_shares(desk, "birch"), desk.state.vault_shares, desk.get_balance("vault"))


def test_a_deposit_that_does_not_pay_for_a_share_waits_on() -> None:
    desk = make_desk(amber=1, birch=100)
    join(desk, "amber", 1)
    desk.must(Deposit, "vault", 50)

    assert Rule.VAULT_SHARE_TOO_DEAR == join(desk, "birch", 50).rejected
    assert 50 == get_stake(desk, "birch").deposit


@pytest.mark.parametrize(
    ("wait", "rule"),
    [
        (0, Rule.VAULT_NOTICE_RUNS),
        (NOTICE - 1, Rule.VAULT_NOTICE_RUNS),
        (NOTICE, None),
        (NOTICE + WINDOW, None),
        (NOTICE + WINDOW + 1, Rule.VAULT_REQUEST_LAPSED),
    ],
)
def test_a_deposit_is_carried_out_after_its_notice_and_before_it_lapses(wait: int, rule: Rule | None) -> None:
    desk = make_desk(amber=1000)

    assert rule == join(desk, "amber", 600, wait).rejected


def test_nothing_is_carried_out_that_nobody_asked_for() -> None:
    desk = make_desk(amber=1000)
    join(desk, "amber", 600)

    assert Rule.NO_VAULT_DEPOSIT == desk.do(ExecuteVaultDeposit, "amber", after=0).rejected
    assert Rule.NO_VAULT_DEPOSIT == desk.do(ExecuteVaultDeposit, "nobody").rejected
    assert Rule.NO_VAULT_REDEMPTION == desk.do(ExecuteVaultRedemption, "amber", after=0).rejected


@pytest.mark.parametrize("holders", [True, False])
def test_nobody_buys_into_a_vault_without_equity(holders: bool) -> None:
    """An old vault in debt, or one whose shares have lost everything."""
    desk = Desk(make_rulebook(), {} if holders else {"vault": 7})
    desk.open("BTC", 1000, amber=1000, birch=1000)
    if holders:
        join(desk, "amber", 500, notice=0)
        lose(desk, 500)
        assert (0, 500) == (desk.get_equity("vault"), desk.state.vault_shares)

    assert Rule.VAULT_WORTHLESS == join(desk, "birch", 100).rejected


# CancelVaultDeposit


def test_a_lapsed_deposit_goes_back() -> None:
    desk = make_desk(amber=1000)
    desk.must(RequestVaultDeposit, "amber", 600)
    outcome = desk.do(CancelVaultDeposit, "amber", after=NOTICE + WINDOW + 1)

    assert [(Reserve.ESCROW, "amber", 600, Reason.VAULT_RETURN, Stage.ORDINARY)] == get_lines(outcome)
    assert (1000, 0) == (desk.get_balance("amber"), desk.state.reserves.escrow)
    assert desk.do(RequestVaultDeposit, "amber", 700).rejected is None


@pytest.mark.parametrize("wait", [0, NOTICE, NOTICE + WINDOW])
def test_a_deposit_cannot_be_called_back_before(wait: int) -> None:
    # who could would ask always, and join only where it pays
    desk = make_desk(amber=1000)
    desk.must(RequestVaultDeposit, "amber", 600)

    assert Rule.VAULT_REQUEST_STANDS == desk.do(CancelVaultDeposit, "amber", after=wait).rejected


def test_nothing_is_cancelled_twice() -> None:
    desk = make_desk(amber=1000)
    desk.must(RequestVaultDeposit, "amber", 600)
    desk.must(CancelVaultDeposit, "amber", after=NOTICE + WINDOW + 1)

    assert Rule.NO_VAULT_DEPOSIT == desk.do(CancelVaultDeposit, "amber").rejected


# RequestVaultRedemption


def test_shares_that_wait_are_shares_like_all_others() -> None:
    desk = make_desk(amber=1000)
    join(desk, "amber", 600)
    outcome = desk.must(RequestVaultRedemption, "amber", 200)

    assert [] == get_lines(outcome)
    assert (600, 200) == (get_shares(desk, "amber"), get_stake(desk, "amber").redemption)
    assert 600 == desk.state.vault_shares


def test_more_than_is_held_cannot_be_redeemed() -> None:
    desk = make_desk(amber=1000, birch=1000)
    join(desk, "amber", 600)
    join(desk, "birch", 600)

    assert Rule.VAULT_SHARES_EXCEEDED == desk.do(RequestVaultRedemption, "amber", 601).rejected
    assert Rule.VAULT_SHARES_EXCEEDED == desk.do(RequestVaultRedemption, "nobody", 1).rejected
    assert desk.do(RequestVaultRedemption, "amber", 600).rejected is None


@pytest.mark.parametrize("shares", [0, -1])
def test_a_redemption_of_nothing_or_less_is_rejected(shares: int) -> None:
    desk = make_desk(amber=1000)
    join(desk, "amber", 600)

    assert Rule.AMOUNT_NOT_POSITIVE == desk.do(RequestVaultRedemption, "amber", shares).rejected


def test_a_redemption_stands_until_it_lapses() -> None:
    desk = make_desk(amber=1000)
    join(desk, "amber", 600)
    desk.must(RequestVaultRedemption, "amber", 200)

    assert Rule.VAULT_REDEMPTION_WAITING == desk.do(RequestVaultRedemption, "amber", 1, after=NOTICE + WINDOW).rejected
    assert desk.do(RequestVaultRedemption, "amber", 1, after=NOTICE + WINDOW + 1).rejected is None


# ExecuteVaultRedemption


def test_shares_are_paid_out_at_equity_rounded_down() -> None:
    # 100 shares are worth 350 atoms, 11 of them 38.5
    desk = make_desk(amber=100)
    join(desk, "amber", 100)
    desk.must(Deposit, "vault", 250)
    outcome = leave(desk, "amber", 11)

    assert [("vault", "amber", 38, Reason.VAULT_REDEMPTION, Stage.ORDINARY)] == get_lines(outcome)
    assert (89, 312) == (desk.state.vault_shares, desk.get_balance("vault"))


def test_the_last_holder_leaves_nothing() -> None:
    desk = make_desk(amber=100)
    join(desk, "amber", 100)
    desk.must(Deposit, "vault", 251)
    leave(desk, "amber", 7)
    leave(desk, "amber", 93)

    assert (0, 0, 351) == (desk.state.vault_shares, desk.get_balance("vault"), desk.get_balance("amber"))
    assert Stake(0, 0, 0, 0, 0) == get_stake(desk, "amber")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wait", "rule"),
    [
        (0, Rule.VAULT_NOTICE_RUNS),
        (NOTICE - 1, Rule.VAULT_NOTICE_RUNS),
        (NOTICE, None),
        (NOTICE + WINDOW, None),
        (NOTICE + WINDOW + 1, Rule.VAULT_REQUEST_LAPSED),
    ],
)
def test_a_redemption_is_carried_out_after_its_notice_and_before_it_lapses(wait: int, rule: Rule | None) -> None:
    desk = make_desk(amber=1000)
    join(desk, "amber", 600)

    assert rule == leave(desk, "amber", 600, wait).rejected


def test_a_worthless_share_is_not_paid_out() -> None:
    desk = make_desk(amber=500)
    join(desk, "amber", 500)
    lose(desk, 500)

    assert Rule.VAULT_WORTHLESS == leave(desk, "amber", 500).rejected


def test_redemptions_stop_at_the_vaults_own_initial_margin() -> None:
    # 5 lots at 1000 need 500 of the vault's 1000: who comes first gets what is free, the other waits
    desk = make_desk(amber=500, birch=500, fir=10_000)
    join(desk, "amber", 500)
    join(desk, "birch", 500)
    desk.must(Fill, "vault", "fir", "BTC", 5, 1000)
    desk.must(RequestVaultRedemption, "amber", 500)
    desk.must(RequestVaultRedemption, "birch", 500)

    assert desk.do(ExecuteVaultRedemption, "amber", after=NOTICE).rejected is None
    assert Rule.VAULT_CAPITAL_IN_USE == desk.do(ExecuteVaultRedemption, "birch", after=0).rejected
    assert (500, 500) == (desk.get_balance("amber"), desk.get_equity("vault"))


def test_who_races_out_of_a_losing_vault_bears_his_part_of_the_loss() -> None:
    desk = make_desk(amber=500, birch=500, fir=20_000)
    join(desk, "amber", 500)
    join(desk, "birch", 500)
    desk.must(Fill, "vault", "fir", "BTC", 4, 1000)
    desk.must(MarkPrice, "BTC", 900)
    # equity 600, initial margin 360: a quarter of the shares is 150
    assert Rule.VAULT_CAPITAL_IN_USE == leave(desk, "amber", 402).rejected
    desk.must(RequestVaultRedemption, "birch", 250)
    desk.must(ExecuteVaultRedemption, "birch", after=NOTICE)

    assert 150 == desk.get_balance("birch")
    assert Fraction(450, 750) == queries.get_vault_report(desk.state).value_per_share


# Withdraw


def test_the_vault_does_not_withdraw_what_others_own() -> None:
    desk = make_desk(vault=300, amber=1000)
    join(desk, "amber", 600)

    assert Rule.VAULT_HAS_HOLDERS == desk.do(Withdraw, "vault", 1).rejected
    assert 0 == queries.max_withdrawable(desk.state, AccountId("vault"))


def test_the_vault_withdraws_what_is_all_its_own() -> None:
    desk = make_desk(vault=300, amber=1000)
    join(desk, "amber", 600)
    leave(desk, "amber", 600)

    assert 300 == get_shares(desk, "vault") == queries.max_withdrawable(desk.state, AccountId("vault"))
    assert desk.do(Withdraw, "vault", 300).rejected is None


# Attacks


def test_a_donation_before_the_first_deposit_is_the_houses_and_nobodys_gain() -> None:
    desk = make_desk(amber=10, birch=1000)
    desk.must(Deposit, "vault", 1)
    desk.must(Deposit, "vault", 999)
    join(desk, "amber", 10)
    join(desk, "birch", 1000)

    assert (1000, 10, 1000) == tuple(get_shares(desk, name) for name in ("vault", "amber", "birch"))


@pytest.mark.parametrize("amount", [999, 1000, 1500, 1999, 2000])
def test_a_dear_first_share_takes_nothing_from_the_second_depositor(amount: int) -> None:
    """One atom for the only share, a donation of 999 atoms, and a victim whose money is no multiple of it."""
    desk = make_desk(amber=1, birch=amount)
    join(desk, "amber", 1)
    desk.must(Deposit, "vault", 999)
    joined = join(desk, "birch", amount)
    if joined.rejected is None:
        leave(desk, "birch", get_shares(desk, "birch"))

    assert amount == desk.get_balance("birch") + get_stake(desk, "birch").deposit
    assert 1000 == desk.get_equity("vault")


def test_money_that_sees_a_takeover_coming_is_too_late() -> None:
    """amber is about to be taken over with 500 atoms of equity; birch's request stands, not long enough."""
    desk = make_desk(amber=1000, cedar=50_000, daisy=10_000, birch=10_000)
    join(desk, "daisy", 10_000)
    desk.must(Fill, "amber", "cedar", "BTC", 10, 1000)
    desk.must(MarkPrice, "BTC", 945)
    desk.must(RequestVaultDeposit, "birch", 10_000)

    assert Rule.VAULT_NOTICE_RUNS == desk.do(ExecuteVaultDeposit, "birch").rejected
    desk.must(Takeover, "amber", "BTC", 10)
    assert Fraction(10_450, 10_000) == queries.get_vault_report(desk.state).value_per_share
    desk.must(ExecuteVaultDeposit, "birch", after=NOTICE)
    report = queries.get_vault_report(desk.state)
    assert report.value_per_share is not None and report.value_per_share >= Fraction(10_450, 10_000)
    assert report.get_worth(AccountId("birch")) <= 10_000


def test_a_request_that_always_stands_is_no_way_around_the_notice() -> None:
    """Deposits and redemptions asked for long ago, to be carried out when it pays: both have lapsed."""
    desk = make_desk(amber=1000, birch=1000)
    join(desk, "amber", 500)
    desk.must(RequestVaultDeposit, "birch", 500)
    desk.must(RequestVaultRedemption, "amber", 500)

    assert Rule.VAULT_REQUEST_LAPSED == desk.do(ExecuteVaultDeposit, "birch", after=10 * NOTICE).rejected
    assert Rule.VAULT_REQUEST_LAPSED == desk.do(ExecuteVaultRedemption, "amber", after=10 * NOTICE).rejected


def test_a_small_redemption_does_not_carry_a_large_one() -> None:
    desk = make_desk(amber=1000)
    join(desk, "amber", 500)
    desk.must(RequestVaultRedemption, "amber", 1)

    assert Rule.VAULT_REDEMPTION_WAITING == desk.do(RequestVaultRedemption, "amber", 500, after=NOTICE).rejected
    desk.must(ExecuteVaultRedemption, "amber", after=NOTICE)
    assert (501, 499) == (desk.get_balance("amber"), get_shares(desk, "amber"))


def test_many_tiny_moves_lose_a_coalition_its_dust() -> None:
    """Two take turns at a price of 7/3 atoms a share; cedar stays and gains what they drop."""
    desk = Desk(make_rulebook())
    desk.open("BTC", 1000, amber=500, birch=500, cedar=300)
    join(desk, "cedar", 300, notice=0)
    desk.must(Deposit, "vault", 400)
    start = get_wealth(desk, "amber", "birch")
    for turn in range(40):
        name = ("amber", "birch")[turn % 2]
        assert join(desk, name, 5 + turn % 3, notice=0).rejected is None
        assert leave(desk, name, 1, notice=0).rejected is None

    assert get_wealth(desk, "amber", "birch") < start
    assert get_wealth(desk, "amber", "birch") > start - 2 * 40
    assert queries.get_vault_report(desk.state).get_worth(AccountId("cedar")) > 700


def get_wealth(desk: Desk, *accounts: str) -> Fraction:
    """Cash, cash that waits, and what the shares are worth, to the fraction of an atom."""
    price = queries.get_vault_report(desk.state).value_per_share or Fraction(0)
    return sum(
        (desk.get_balance(id) + get_stake(desk, id).deposit + get_shares(desk, id) * price for id in accounts),
        start=Fraction(0),
    )


MOVES = st.tuples(
    st.sampled_from(("join", "leave", "donate")),
    st.sampled_from(("amber", "birch")),
    st.one_of(st.integers(1, 12), st.integers(1, 3_000)),
)


@given(house=st.sampled_from((0, 1, 37, 5_000)), moves=st.lists(MOVES, max_size=14))
def test_no_coalition_gains_at_fixed_marks(house: int, moves: list[tuple[str, str, int]]) -> None:
    """Deposits, redemptions and donations by two, a stranger in between: no move raises their wealth."""
    desk = Desk(make_rulebook())
    deposits: Any = {"amber": 20_000, "birch": 20_000, "cedar": 1_000} | ({"vault": house} if house else {})
    desk.open("BTC", 1000, make_rules(), **deposits)
    wealth, donated = Fraction(40_000), 0
    for turn, (move, name, figure) in enumerate(moves):
        if turn == len(moves) // 2:
            # the fraction of an atom that cedar drops is theirs too
            join(desk, "cedar", 333, notice=0)
            wealth = get_wealth(desk, "amber", "birch") - donated
        if move == "donate":
            desk.must(Deposit, "vault", figure)
            donated += figure
        elif move == "join" and not get_stake(desk, name).deposit:
            join(desk, name, figure, notice=0)
        elif get_shares(desk, name):
            leave(desk, name, min(figure, get_shares(desk, name)), notice=0)
        after = get_wealth(desk, "amber", "birch") - donated
        assert after <= wealth
        wealth = after


def test_the_vault_transfers_nothing_that_others_own() -> None:
    desk = make_desk(vault=300, amber=1000)
    join(desk, "amber", 600)
    now = desk.state.timestamp

    assert Rule.VAULT_HAS_HOLDERS == try_at(now, desk.state, Transfer, "vault", "amber", 1).rejected
    assert try_at(now, desk.state, Transfer, "amber", "vault", 1).rejected is None


def try_at(time: int, state: State, kind: Any, *arguments: Any) -> Outcome:
    """What the kernel alone makes of an event."""
    return step(state, kind(f"at{state.sequence}", state.sequence + 1, time, *arguments))


def test_shares_are_not_priced_at_a_stale_mark() -> None:
    """The vault holds lots whose mark is an hour old: neither way is open until it is renewed."""
    desk = Desk(make_rulebook())
    rules = attrs.evolve(make_rules(), mark_age_limit=Time(HOUR))
    desk.open("BTC", 1000, rules, amber=1000, birch=1000, fir=10_000)
    join(desk, "amber", 1000, notice=0)
    desk.must(Fill, "vault", "fir", "BTC", 2, 1000)
    desk.must(RequestVaultDeposit, "birch", 100)
    desk.must(RequestVaultRedemption, "amber", 100)
    later = desk.state.timestamp + 2 * HOUR
    renewed = try_at(later, desk.state, MarkPrice, "BTC", 1100).state

    assert Rule.MARK_STALE == try_at(later, desk.state, ExecuteVaultDeposit, "birch").rejected
    assert Rule.MARK_STALE == try_at(later, desk.state, ExecuteVaultRedemption, "amber").rejected
    assert try_at(later, renewed, ExecuteVaultDeposit, "birch").rejected is None
    assert try_at(later, renewed, ExecuteVaultRedemption, "amber").rejected is None


# Files and the monitor


def make_shared_desk() -> Desk:
    """Shares of the house and of amber; birch's deposit waits, and a part of amber's shares."""
    desk = make_desk(vault=300, amber=1000, birch=50)
    join(desk, "amber", 600)
    desk.must(Deposit, "vault", 100)
    desk.must(RequestVaultDeposit, "birch", 50)
    desk.must(RequestVaultRedemption, "amber", 20)
    return desk


def test_stakes_survive_a_snapshot(tmp_path: Path) -> None:
    state = make_shared_desk().state
    save_state(state, tmp_path / "state.json")
    loaded = load_state(tmp_path / "state.json")

    assert observe(state) == observe(loaded)
    assert get_state_hash(state) == get_state_hash(loaded)
    assert get_state_hash(state) != get_state_hash(attrs.evolve(state, stakes=genesis(state.rulebook).stakes))


def test_a_snapshot_from_before_there_were_shares_has_none(tmp_path: Path) -> None:
    desk = make_desk(amber=1000)
    save_state(desk.state, tmp_path / "state.json")
    members = json.loads((tmp_path / "state.json").read_text())
    for place, name in ((members, "stakes"), (members, "vault_shares"), (members["reserves"], "escrow")):
        place.pop(name, None)
    (tmp_path / "old.json").write_text(json.dumps(members))

    assert get_state_hash(desk.state) == get_state_hash(load_state(tmp_path / "old.json"))


@pytest.mark.parametrize(
    ("field", "value"), [("shares", 901), ("shares", -1), ("deposit", -1), ("redemption", 601), ("redemption", -1)]
)
def test_a_stake_that_cannot_be_is_refused(field: str, value: int, tmp_path: Path) -> None:
    save_state(make_shared_desk().state, tmp_path / "state.json")
    members = json.loads((tmp_path / "state.json").read_text())
    members["stakes"]["amber"][field] = value
    (tmp_path / "state.json").write_text(json.dumps(members))

    with pytest.raises(LogError) as refused:
        load_state(tmp_path / "state.json")
    assert f"stakes.amber.{field}" == refused.value.place.rpartition(": ")[2]


def test_a_log_of_shares_is_replayed_and_its_laws_hold(tmp_path: Path) -> None:
    desk = make_shared_desk()
    desk.must(ExecuteVaultRedemption, "amber", after=NOTICE)
    events = [passage.event for passage in desk.passages]
    write_log(tmp_path / "log.jsonl", desk.state.rulebook, Units("0.01", {}), events)
    result = replay(tmp_path / "log.jsonl", Monitor, checkpoint_every=1)

    assert result.failure is None and result.solvency.ties
    assert 50 == result.solvency.escrow
    assert get_state_hash(desk.state) == result.state_hash
    assert result.tallies is not None
    assert all(result.tallies[law].checked for law in ("SHARE-1", "VAULT-2", "VAULT-4"))


@pytest.mark.parametrize("change", [{"vault_shares": 901}, {"vault_shares": 0}])
def test_shares_that_do_not_add_up_show_at_the_checkpoint(change: dict[str, Any]) -> None:
    state = make_shared_desk().state
    monitor = Monitor(state)
    monitor.checkpoint(state)
    assert [] == monitor.violations
    monitor.checkpoint(attrs.evolve(state, **change))

    assert ["SHARE-1"] == [violation.law for violation in monitor.violations]


def test_a_stake_behind_the_monitors_back_shows_at_the_checkpoint() -> None:
    state = make_shared_desk().state
    monitor = Monitor(state)
    richer = attrs.evolve(state.stakes.get(AMBER), shares=Shares(601))
    monitor.checkpoint(attrs.evolve(state, stakes=state.stakes.put(AMBER, richer)))

    assert ["FRAME-1", "SHARE-1"] == [violation.law for violation in monitor.violations]


# Queries


def test_a_report_says_who_owns_the_vault() -> None:
    desk = make_desk(vault=300, amber=1000, birch=50)
    join(desk, "amber", 600)
    desk.must(Deposit, "vault", 100)
    desk.must(RequestVaultDeposit, "birch", 50)
    report = queries.get_vault_report(desk.state)

    assert (1000, 900, Fraction(10, 9), 50) == (report.equity, report.shares, report.value_per_share, report.waiting)
    assert {"amber": 600, "vault": 300} == report.holders
    assert (666, 0) == (report.get_worth(AccountId("amber")), report.get_worth(AccountId("nobody")))


def test_a_vault_without_shares_has_no_price() -> None:
    report = queries.get_vault_report(genesis(make_rulebook()))

    assert (None, {}, 0) == (report.value_per_share, report.holders, report.get_worth(AccountId("amber")))
