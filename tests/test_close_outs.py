"""What a close-out was and why: place, rank, lots, price, and what was forgone."""

from __future__ import annotations

from fractions import Fraction

import pytest

from riskcore.choices import CloseOut, RankPolicy
from riskcore.close_outs import get_close_out, get_light, get_standing
from riskcore.events import BeginDeleveraging, Deleverage, Deposit, Fill, MarkPrice
from riskcore.journal import Reason
from riskcore.testing.desk import Desk
from riskcore.testing.rulebooks import make_rulebook


def with_open_queue(**rulebook: object) -> Desk:
    """amber long 10, broke by 100 at 890; cedar short 4 is ahead of birch, short 6."""
    desk = Desk(make_rulebook(**rulebook))
    desk.open("BTC", 1000, amber=1000, birch=1000, cedar=500)
    desk.must(Fill, "amber", "birch", "BTC", 6, 1000)
    desk.must(Fill, "amber", "cedar", "BTC", 4, 1000)
    desk.must(MarkPrice, "BTC", 930)
    desk.must(MarkPrice, "BTC", 890)
    desk.must(BeginDeleveraging, "amber", "BTC", ("cedar", "birch"))
    return desk


def test_a_step_says_who_where_and_at_what_price() -> None:
    desk = with_open_queue()
    standing = get_standing(desk.state)
    close_out = get_close_out(standing, desk.do(Deleverage))

    assert standing is not None and close_out is not None
    assert ("cedar", "amber", "BTC") == (standing.counterparty, standing.account, standing.market)
    assert (1, 2, RankPolicy.PROFIT_TIMES_LEVERAGE) == (standing.place, standing.of, standing.policy)
    assert Fraction(440, 4000) * Fraction(3560, 940) == standing.score
    assert (Reason.CLOSE_OUT, 4, Fraction(900), 40, 0) == (
        close_out.reason,
        close_out.lots,
        close_out.price,
        close_out.forgone,
        close_out.overshoot,
    )


def test_the_second_is_the_second() -> None:
    desk = with_open_queue()
    desk.must(Deleverage)
    standing = get_standing(desk.state)

    assert standing is not None
    assert ("birch", 2, 2) == (standing.counterparty, standing.place, standing.of)


def test_what_is_beyond_the_deficit_is_told_apart() -> None:
    # at the previous mark of 930, 40 above mark: cedar forgoes 160, of which amber needs 40
    desk = with_open_queue(adl_close_out=CloseOut.PREVIOUS_MARK)
    standing = get_standing(desk.state)
    close_out = get_close_out(standing, desk.do(Deleverage))

    assert close_out is not None
    assert (Fraction(930), 160, 120) == (close_out.price, close_out.forgone, close_out.overshoot)


def test_who_buys_back_dear_forgoes_too() -> None:
    # amber short 3 with equity -32 at 1111: birch sells 3 for 3333 - 32, and no integer price gives that
    desk = Desk(make_rulebook())
    desk.open("BTC", 1000, amber=301, birch=10**4)
    desk.must(Fill, "amber", "birch", "BTC", -3, 1000)
    desk.must(MarkPrice, "BTC", 1111)
    desk.must(BeginDeleveraging, "amber", "BTC", ("birch",))
    standing = get_standing(desk.state)
    close_out = get_close_out(standing, desk.do(Deleverage))

    assert close_out is not None
    assert (Fraction(3301, 3), 32) == (close_out.price, close_out.forgone)


def test_where_nothing_is_open_nobody_stands() -> None:
    desk = Desk()
    outcome = desk.do(Deposit, "amber", 1)

    assert get_standing(desk.state) is None
    assert get_close_out(None, outcome) is None


@pytest.mark.parametrize(("lots", "light"), [(1, 1), (20, 1), (21, 2), (100, 5)])
def test_a_light_is_a_fifth_of_the_queue(lots: int, light: int) -> None:
    assert light == get_light(lots, 100)
