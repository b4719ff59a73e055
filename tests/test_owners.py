"""Sub-accounts: their ids say whose they are, and who trades with himself is told by owner."""

from __future__ import annotations

import pytest

from riskcore.events import Deposit, Transfer
from riskcore.order_planner import SelfTrade
from riskcore.owners import find_accounts, get_owner, have_one_owner
from riskcore.quantities import AccountId
from riskcore.rules import Rule
from riskcore.testing.desk import Desk
from tests.test_order_planner import Shop, get_kinds


@pytest.mark.parametrize(
    ("account", "owner"),
    [("amber", "amber"), ("amber/1", "amber"), ("amber/btc/hedge", "amber"), ("/1", "/1"), ("amber/", "amber")],
)
def test_the_id_says_whose_it_is(account: str, owner: str) -> None:
    assert owner == get_owner(AccountId(account))


def test_names_that_begin_alike_have_two_owners() -> None:
    assert have_one_owner(AccountId("amber/1"), AccountId("amber/2"))
    assert not have_one_owner(AccountId("amber"), AccountId("amber2"))


def test_an_owners_accounts_are_found() -> None:
    desk = Desk()
    desk.must(Deposit, "amber", 100)
    desk.must(Deposit, "amber2", 100)
    desk.must(Transfer, "amber", "amber/b", 20)
    desk.must(Transfer, "amber", "amber/a", 20)

    assert ("amber", "amber/a", "amber/b") == find_accounts(desk.state, AccountId("amber"))
    assert () == find_accounts(desk.state, AccountId("birch"))


def test_an_order_of_a_sub_account_is_ones_own() -> None:
    shop = Shop()
    shop.does(Transfer, "amber", "amber/1", 1000)
    shop.rests("amber/1", -2, 100)
    shop.rests("birch", -2, 101)
    execution = shop.order("amber", 3, 101)

    assert ["CancelOrder", "Fill", "PlaceOrder"] == get_kinds(execution.events)


def test_also_where_the_new_one_is_dropped() -> None:
    shop = Shop()
    shop.does(Transfer, "amber", "amber/1", 1000)
    shop.does(Transfer, "amber", "amber/2", 1000)
    shop.rests("amber/1", -2, 100)
    execution = shop.order("amber/2", 3, 101, self_trade=SelfTrade.CANCEL_NEWEST)

    assert (0, Rule.SELF_TRADE) == (execution.filled, execution.stopped)
    assert [("amber/1", -2, 100)] == shop.get_book(is_bid=False)
