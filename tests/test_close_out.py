"""At which price a deleveraging closes, whose the difference is, and how many lots it closes."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from riskcore.capacity import compute_close_out_size, compute_queue
from riskcore.choices import AdlSize, CloseOut
from riskcore.events import (
    AdvanceTime,
    BeginDeleveraging,
    CoverDeficit,
    Deleverage,
    EndDeleveraging,
    Fill,
    FundInsurance,
    IndexPrice,
    MarkPrice,
    WriteOff,
)
from riskcore.journal import Reason, Reserve, Stage
from riskcore.planner import resolve
from riskcore.quantities import AccountId, MarketId, Time
from riskcore.rules import Rule
from riskcore.state import Deleveraging
from riskcore.testing.desk import Desk, get_lines
from riskcore.testing.rulebooks import make_rulebook, make_rules


def with_long(mark: int, *, previous: int = 0, index: int = 0, **rulebook: Any) -> Desk:
    """amber long 10 from 1000 with 1000 paid in, so bankrupt below 900; birch short 6, cedar short 4, both rich."""
    desk = Desk(make_rulebook(insurance_before_adl=False, vault_position_limit=0, **rulebook))
    desk.open("BTC", 1000, amber=1000, birch=10**4, cedar=10**4)
    desk.must(Fill, "amber", "birch", "BTC", 6, 1000)
    desk.must(Fill, "amber", "cedar", "BTC", 4, 1000)
    if previous:
        desk.must(MarkPrice, "BTC", previous)
    desk.must(MarkPrice, "BTC", mark)
    if index:
        desk.must(IndexPrice, "BTC", index)
    return desk


def open_episode(desk: Desk, *size: int) -> Deleveraging:
    queue = compute_queue(desk.state, AccountId("amber"), MarketId("BTC"), *size)
    desk.must(BeginDeleveraging, "amber", "BTC", queue, *size)
    episode = desk.state.deleveraging
    assert episode is not None
    return episode


# Bankrupt: at 890 amber's equity is -100, 10 a lot; its bankruptcy price is 900


@pytest.mark.parametrize(
    ("close_out", "previous", "index", "share", "excess"),
    [
        (CloseOut.BANKRUPTCY, 960, 950, 100, 0),
        (CloseOut.MARK, 960, 950, 0, 0),
        # 960 is 70 above mark: 700, of which amber needs 100
        (CloseOut.PREVIOUS_MARK, 960, 950, 700, 600),
        (CloseOut.INDEX, 960, 950, 600, 500),
        # between mark and bankruptcy price all of it is amber's
        (CloseOut.INDEX, 960, 896, 60, 0),
        (CloseOut.INDEX, 960, 900, 100, 0),
        (CloseOut.INDEX, 960, 901, 110, 10),
        # a price below mark would deepen the deficit: amber gives nothing
        (CloseOut.INDEX, 960, 870, 0, 0),
        (CloseOut.PREVIOUS_MARK, 880, 950, 0, 0),
    ],
)
def test_a_bankrupt_account_gets_what_it_has_lost_and_no_more(
    close_out: CloseOut, previous: int, index: int, share: int, excess: int
) -> None:
    desk = with_long(890, previous=previous, index=index, adl_close_out=close_out)
    episode = open_episode(desk)

    assert (share, excess) == (episode.share, episode.excess)


def test_what_is_paid_beyond_the_deficit_is_the_funds() -> None:
    # at 960, 70 above mark: cedar pays 280 and birch 420; 240 and 360 of it are the fund's
    desk = with_long(890, previous=960, adl_close_out=CloseOut.PREVIOUS_MARK)
    episode = open_episode(desk)
    first, second = desk.do(Deleverage), desk.do(Deleverage)

    assert ("birch", "cedar") == episode.queue
    assert [
        ("birch", "amber", "BTC", 6, 6 * 960, Reason.CLOSE_OUT, Stage.DELEVERAGING),
        ("amber", Reserve.INSURANCE, 360, Reason.OVERSHOOT, Stage.DELEVERAGING),
    ] == get_lines(first)
    assert [
        ("cedar", "amber", "BTC", 4, 4 * 960, Reason.CLOSE_OUT, Stage.DELEVERAGING),
        ("amber", Reserve.INSURANCE, 240, Reason.OVERSHOOT, Stage.DELEVERAGING),
    ] == get_lines(second)
    assert (0, 600) == (desk.get_balance("amber"), desk.state.reserves.insurance)
    assert (10**4 + 6 * 40, 10**4 + 4 * 40) == (desk.get_balance("birch"), desk.get_balance("cedar"))


def test_a_bankrupt_short_likewise() -> None:
    # amber short 3 from 1000 with 300 paid in; at 1110 equity -30. At 1050 the counterparty gives 60 a lot
    desk = Desk(make_rulebook(insurance_before_adl=False, adl_close_out=CloseOut.INDEX))
    desk.open("BTC", 1000, amber=300, birch=10**4)
    desk.must(Fill, "amber", "birch", "BTC", -3, 1000)
    desk.must(MarkPrice, "BTC", 1110)
    desk.must(IndexPrice, "BTC", 1050)
    desk.must(BeginDeleveraging, "amber", "BTC", ("birch",))
    outcome = desk.do(Deleverage)

    assert [
        ("amber", "birch", "BTC", 3, 3 * 1050, Reason.CLOSE_OUT, Stage.DELEVERAGING),
        ("amber", Reserve.INSURANCE, 150, Reason.OVERSHOOT, Stage.DELEVERAGING),
    ] == get_lines(outcome)
    assert (0, 150) == (desk.get_balance("amber"), desk.state.reserves.insurance)


def test_a_shortfall_stays_a_deficit_that_is_covered_when_flat() -> None:
    desk = with_long(890, index=896, adl_close_out=CloseOut.INDEX)
    desk.must(FundInsurance, 15)
    open_episode(desk)
    desk.must(Deleverage)
    desk.must(Deleverage)

    assert -40 == desk.get_balance("amber")
    desk.must(CoverDeficit, "amber")
    desk.must(WriteOff, "amber")
    assert (0, 0, -25) == (desk.get_balance("amber"), desk.state.reserves.insurance, desk.state.reserves.uncovered)


def test_parts_of_share_and_excess_both_telescope() -> None:
    # 7 lots in steps of 3 and 4; share 7 * 13, of which 7 * 13 - 60 is the fund's: neither part is whole
    desk = Desk(make_rulebook(insurance_before_adl=False, adl_close_out=CloseOut.INDEX))
    desk.open("BTC", 1000, amber=710, birch=10**4, cedar=10**4)
    desk.must(Fill, "amber", "birch", "BTC", 3, 1000)
    desk.must(Fill, "amber", "cedar", "BTC", 4, 1000)
    desk.must(MarkPrice, "BTC", 890)
    desk.must(IndexPrice, "BTC", 903)
    episode = open_episode(desk)
    desk.must(Deleverage)
    between = desk.state.reserves.insurance
    desk.must(Deleverage)

    assert (91, 31) == (episode.share, episode.excess)
    assert 31 * 4 // 7 == between
    assert (0, 31) == (desk.get_balance("amber"), desk.state.reserves.insurance)


def test_a_queue_that_ends_early_books_what_the_account_was_to_get() -> None:
    # nobody has made 120 a lot: amber was to get its deficit of 100, the fund's 1100 are nobody's debt
    desk = with_long(890, index=1010, adl_close_out=CloseOut.INDEX, adl_requires_profit=True)
    desk.must(FundInsurance, 30)
    episode = open_episode(desk)
    desk.must(EndDeleveraging)

    assert ((), 1200, 1100) == (episode.queue, episode.share, episode.excess)
    assert (0, -70) == (desk.state.reserves.insurance, desk.state.reserves.uncovered)


def test_where_the_account_gets_nothing_an_empty_queue_has_nothing_to_book() -> None:
    # below mark the counterparties receive nothing and pay nothing; but both are in debt, and so in no queue
    desk = Desk(make_rulebook(insurance_before_adl=False, adl_close_out=CloseOut.INDEX))
    desk.open("BTC", 1000, amber=1000, birch=1000)
    desk.open("ETH", 1000, birch=1000, cedar=10**4)
    desk.must(Fill, "amber", "birch", "BTC", 10, 1000)
    desk.must(Fill, "birch", "cedar", "ETH", 10, 1000)
    desk.must(MarkPrice, "BTC", 890)
    desk.must(MarkPrice, "ETH", 600)
    desk.must(IndexPrice, "BTC", 870)

    assert -900 == desk.get_equity("birch")
    assert Rule.NOTHING_TO_BOOK is desk.do(BeginDeleveraging, "amber", "BTC", ()).rejected


# Equity left: at 920 amber has 200 and is below maintenance of 460


@pytest.mark.parametrize(
    ("close_out", "index", "share", "excess"),
    [
        (CloseOut.BANKRUPTCY, 900, -200, 0),
        (CloseOut.MARK, 900, 0, 0),
        (CloseOut.INDEX, 905, -150, 0),
        (CloseOut.INDEX, 900, -200, 0),
        # worse than bankruptcy price: no more than it has
        (CloseOut.INDEX, 880, -200, 0),
        # better than mark is no gain of its own
        (CloseOut.INDEX, 925, 50, 50),
    ],
)
def test_an_account_with_equity_left_gives_no_more_than_that_and_gets_nothing(
    close_out: CloseOut, index: int, share: int, excess: int
) -> None:
    desk = with_long(920, index=index, adl_close_out=close_out)
    episode = open_episode(desk)
    desk.must(Deleverage)
    desk.must(Deleverage)

    assert (share, excess) == (episode.share, episode.excess)
    assert 200 + share - excess == desk.get_balance("amber")
    assert excess == desk.state.reserves.insurance


# The index


@pytest.mark.parametrize(("close_out", "rejected"), [(CloseOut.INDEX, Rule.INDEX_STALE), (CloseOut.MARK, None)])
def test_a_stale_index_closes_nobody_where_it_is_the_price(close_out: CloseOut, rejected: Rule | None) -> None:
    rules = attrs.evolve(make_rules(), mark_age_limit=Time(5000))
    desk = Desk(make_rulebook(insurance_before_adl=False, adl_close_out=close_out))
    desk.open("BTC", 1000, rules, amber=1000, birch=10**4)
    desk.must(Fill, "amber", "birch", "BTC", 10, 1000)
    desk.must(AdvanceTime, after=5000)
    desk.must(MarkPrice, "BTC", 890)

    assert rejected is desk.do(BeginDeleveraging, "amber", "BTC", ("birch",)).rejected


def test_a_fresh_index_does() -> None:
    rules = attrs.evolve(make_rules(), mark_age_limit=Time(5000))
    desk = Desk(make_rulebook(insurance_before_adl=False, adl_close_out=CloseOut.INDEX))
    desk.open("BTC", 1000, rules, amber=1000, birch=10**4)
    desk.must(Fill, "amber", "birch", "BTC", 10, 1000)
    desk.must(AdvanceTime, after=5000)
    desk.must(MarkPrice, "BTC", 890)
    desk.must(IndexPrice, "BTC", 910)
    desk.must(BeginDeleveraging, "amber", "BTC", ("birch",), after=4000)


# The size rule


def make_needy(mark: int = 940, **rulebook: Any) -> Desk:
    return with_long(mark, adl_size=AdlSize.NEEDED, **rulebook)


def test_at_mark_the_fewest_lots_that_are_enough() -> None:
    # equity 400 at 940 is maintenance (5 %) of 8.5 lots: 8 may stay, so 2 are closed
    desk = make_needy(adl_close_out=CloseOut.MARK)
    computed = compute_close_out_size(desk.state, AccountId("amber"), MarketId("BTC"))
    episode = open_episode(desk, 2)
    desk.must(Deleverage)

    assert 2 == computed
    assert (2, 0) == (episode.lots, episode.share)
    assert 8 == desk.get_position("amber", "BTC")[0]
    assert desk.state.deleveraging is None


@pytest.mark.parametrize("size", [0, 1, 3, 10])
def test_more_or_fewer_are_refused(size: int) -> None:
    desk = make_needy(adl_close_out=CloseOut.MARK)

    assert Rule.NOT_THE_LOTS_TO_CLOSE is desk.do(BeginDeleveraging, "amber", "BTC", ("birch", "cedar"), size).rejected


def test_at_bankruptcy_price_no_part_is_enough() -> None:
    # what is closed takes its equity along, so only all of it is
    desk = make_needy()

    assert 10 == compute_close_out_size(desk.state, AccountId("amber"), MarketId("BTC"))
    assert 10 == open_episode(desk).lots


def test_a_bankrupt_account_is_closed_whole() -> None:
    desk = make_needy(890, adl_close_out=CloseOut.MARK)

    assert 10 == open_episode(desk).lots


def test_whole_means_whole() -> None:
    desk = with_long(940, adl_close_out=CloseOut.MARK)

    assert Rule.NOT_THE_LOTS_TO_CLOSE is desk.do(BeginDeleveraging, "amber", "BTC", ("birch", "cedar"), 2).rejected
    assert 10 == open_episode(desk, 10).lots


@pytest.mark.parametrize(("size", "rule"), [(-1, Rule.SIZE_NOT_POSITIVE), (11, Rule.SIZE_EXCEEDS_POSITION)])
def test_a_size_that_is_none_is_refused(size: int, rule: Rule) -> None:
    desk = make_needy(adl_close_out=CloseOut.MARK)

    assert rule is desk.do(BeginDeleveraging, "amber", "BTC", ("birch", "cedar"), size).rejected


def test_the_planner_closes_what_is_needed() -> None:
    desk = make_needy(adl_close_out=CloseOut.MARK)
    resolution = resolve(desk.state)

    assert () == resolution.unresolved
    assert 8 == resolution.state.accounts.get(AccountId("amber")).positions.get(MarketId("BTC")).size
