"""Pay and trade, the two verbs that move everything, and the cost memo."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskcore.events import AdvanceTime, ApplyFunding, Deposit, Fill, FundInsurance
from riskcore.journal import Journal, Reason, Reserve, Stage, Trade, get_cost
from riskcore.quantities import AccountId, EventId, MarketId, Time
from riskcore.state import NO_POSITION, Positions
from riskcore.testing.desk import Desk
from riskcore.testing.naive.needs import get_cost_after
from riskcore.testing.observation import observe
from riskcore.testing.rulebooks import HOUR, make_positions

AMBER, BIRCH, BTC = AccountId("amber"), AccountId("birch"), MarketId("BTC")
LATER = AdvanceTime(EventId("later"), 10**6, Time(10**9))


def with_trade() -> Desk:
    """amber long 3, birch short 3, both from 1000."""
    desk = Desk()
    desk.open("BTC", 1000, amber=1000, birch=1000)
    desk.must(Fill, "amber", "birch", "BTC", 3, 1000)
    return desk


def open_journal(desk: Desk) -> Journal:
    return Journal(desk.state, BTC, desk.get_market("BTC"))


# Pay


def test_what_one_pays_the_other_gets() -> None:
    desk = with_trade()
    journal = open_journal(desk)
    amber, fees = journal.account(AMBER), journal.reserve(Reserve.FEES)
    journal.pay(amber, fees, 7, Reason.FEE, Stage.ORDINARY)

    assert (1000 - 3000 - 7, 7) == (amber.balance, fees.balance)
    assert [("amber", Reserve.FEES, 7, Reason.FEE, Stage.ORDINARY)] == [tuple(line) for line in journal.lines]


def test_a_payment_to_oneself_changes_nothing() -> None:
    journal = open_journal(with_trade())
    amber = journal.account(AMBER)
    journal.pay(amber, amber, 7, Reason.FEE, Stage.ORDINARY)

    assert -2000 == amber.balance


def test_the_same_owner_is_taken_out_once() -> None:
    journal = open_journal(with_trade())

    assert journal.account(AMBER) is journal.account(AMBER)
    assert journal.reserve(Reserve.FEES) is journal.reserve(Reserve.FEES)


def test_an_account_named_like_a_reserve_is_an_account() -> None:
    desk = Desk()
    desk.must(Deposit, "insurance", 5)
    desk.must(FundInsurance, 7)

    assert (5, 7) == (desk.get_balance("insurance"), desk.state.reserves.insurance)


# Trade


def test_a_trade_moves_lots_cash_and_open_interest() -> None:
    journal = open_journal(with_trade())
    amber, birch = journal.account(AMBER), journal.account(BIRCH)
    journal.trade(amber, birch, 2, 2100, Reason.FILL, Stage.ORDINARY)

    assert (5, -5) == (amber.positions.get(BTC).size, birch.positions.get(BTC).size)
    assert (-2000 - 2100, 4000 + 2100) == (amber.balance, birch.balance)
    assert journal.market is not None
    assert 5 == journal.market.open_interest


@pytest.mark.parametrize("amount", [0, -500])
def test_a_trade_may_be_for_nothing_or_less(amount: int) -> None:
    journal = open_journal(with_trade())
    amber, birch = journal.account(AMBER), journal.account(BIRCH)
    journal.trade(birch, amber, 3, amount, Reason.CLOSE_OUT, Stage.DELEVERAGING)

    assert (-2000 + amount, 4000 - amount) == (amber.balance, birch.balance)
    assert (0, 0) == (len(amber.positions), len(birch.positions))


def test_open_interest_follows_the_longs() -> None:
    # amber long 3 sells 5 to birch short 3: 2 short, 2 long
    journal = open_journal(with_trade())
    journal.trade(journal.account(BIRCH), journal.account(AMBER), 5, 5000, Reason.FILL, Stage.ORDINARY)

    assert journal.market is not None
    assert 2 == journal.market.open_interest


def test_both_sides_settle_before_their_size_changes() -> None:
    desk = with_trade()
    last = desk.get_market("BTC").funding_time
    desk.must(ApplyFunding, "BTC", 10_000, after=last + 8 * HOUR - desk.state.timestamp)
    journal = open_journal(desk)
    amber, birch = journal.account(AMBER), journal.account(BIRCH)
    journal.trade(amber, birch, 1, 1000, Reason.FILL, Stage.ORDINARY)

    # 10 a lot
    assert (-2000 - 30 - 1000, 4000 + 30 + 1000) == (amber.balance, birch.balance)
    assert 0 == journal.reserve(Reserve.TRANSIT).balance
    assert (10, 10) == (amber.positions.get(BTC).entry_index, birch.positions.get(BTC).entry_index)


# Post


def test_a_journal_is_private_until_it_is_posted() -> None:
    desk = with_trade()
    before = observe(desk.mutable)
    journal = Journal(desk.mutable, BTC, desk.get_market("BTC"))
    journal.trade(journal.account(AMBER), journal.account(BIRCH), 1, 1, Reason.FILL, Stage.ORDINARY)
    journal.pay(journal.account(AMBER), journal.reserve(Reserve.FEES), 1, Reason.FEE, Stage.ORDINARY)

    assert before == observe(desk.mutable)
    after = observe(journal.post(LATER))
    assert (4, 1) == (after.get_size("amber", "BTC"), after.reserves["fees"])
    assert (10**6, 10**9) == (after.sequence, after.time)
    assert "later" in after.seen


def test_an_empty_journal_writes_the_header_alone() -> None:
    desk = with_trade()
    after = Journal(desk.state).post(LATER)

    assert desk.state.reserves is after.reserves
    assert desk.state.accounts is after.accounts
    assert desk.state.markets is after.markets


def test_lines_of_nothing_are_no_effects() -> None:
    # no fees, no funding: of the five lines of a fill one is left
    desk = with_trade()
    outcome = desk.do(Fill, "amber", "birch", "BTC", -1, 1000)

    assert [Trade] == [type(line) for line in outcome.effects]


# Positions


def test_positions_are_total_immutable_and_without_empty_entries() -> None:
    held = make_positions(BTC=(3, 3000, 1), ETH=(0, 5, 5))
    grown = held.put(MarketId("ETH"), held.get(BTC))

    assert NO_POSITION == held.get(MarketId("ETH"))
    assert (1, 2) == (len(held), len(grown))
    assert make_positions(BTC=(3, 3000, 1)) == grown.put(MarketId("ETH"), NO_POSITION)
    assert Positions() == held.put(BTC, NO_POSITION)
    assert hash(held) == hash(make_positions(BTC=(3, 3000, 1)))


# Cost


@pytest.mark.parametrize(
    ("size", "cost", "lots", "debit", "after"),
    [
        (0, 0, 3, 3000, 3000),
        (0, 0, -3, -3000, -3000),
        (3, 3000, 2, 2200, 5200),
        (-3, -3000, -2, -2200, -5200),
        (3, 3001, -1, -9, 2000),
        (-3, -3001, 1, 9, -2001),
        (3, 3000, -3, -9, 0),
        (3, 3000, -5, -5501, -2201),
        (-3, -3000, 5, 5501, 2200),
        (3, -30, -1, 7, -20),
    ],
)
def test_costs_by_hand(size: int, cost: int, lots: int, debit: int, after: int) -> None:
    # 3001 * 2 / 3 = 2000.7; -5501 * 2 / 5 = -2200.4, down
    assert after == get_cost(size, cost, lots, debit)


numbers = st.one_of(st.integers(-9, 9), st.integers(-(10**25), 10**25))


@given(numbers, numbers, numbers, numbers)
def test_costs_are_averages_rounded_down(size: int, cost: int, lots: int, debit: int) -> None:
    if size == 0:
        cost = 0
    if size + lots == 0 and size != 0:
        assert 0 == get_cost(size, cost, lots, debit)
    elif lots != 0:
        assert get_cost_after(size, cost, lots, debit) == get_cost(size, cost, lots, debit)


@given(st.integers(1, 10**9), st.integers(-(10**18), 10**18), st.data())
def test_what_is_kept_costs_no_more_than_all_did(size: int, cost: int, data: st.DataObject) -> None:
    part = data.draw(st.integers(0, size))
    kept = get_cost(size, cost, -part, 0)

    assert abs(kept) <= abs(cost)
    assert kept * size <= cost * (size - part) < (kept + 1) * size
