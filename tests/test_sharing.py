"""BeginLossSharing and ShareLoss: what nobody covered is paid by those who hold positions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from riskcore.capacity import compute_members
from riskcore.choices import LossSharing
from riskcore.events import (
    BeginDeleveraging,
    BeginLossSharing,
    CoverDeficit,
    Deleverage,
    Deposit,
    Fill,
    FundInsurance,
    MarkPrice,
    SettleMarket,
    ShareLoss,
    Withdraw,
    WriteOff,
)
from riskcore.journal import Pay, Reason, Reserve, Stage
from riskcore.monitor import Monitor
from riskcore.planner import resolve, settle
from riskcore.quantities import AccountId, MarketId, Price, Time
from riskcore.queries import max_withdrawable
from riskcore.rules import Rule
from riskcore.state import Sharing
from riskcore.testing.desk import Desk
from riskcore.testing.rulebooks import make_rulebook, make_rules
from riskcore.waterfall import Waterfall

VECTORS = json.loads(Path(__file__).with_name("vectors").joinpath("loss_sharing.json").read_text(encoding="utf-8"))


def get_id(case: dict[str, Any]) -> str:
    return str(case["id"])


def with_loss(
    loss: int = 100, policy: LossSharing = LossSharing.CONTRACTS, cash: int = 10_000, **rulebook: Any
) -> Desk:
    """Amber and birch are long one and three lots from 100, cedar short four; a debt is written off."""
    desk = Desk(make_rulebook(loss_sharing=policy, **rulebook), debts={"debtor": loss})
    desk.open("BTC", 100, amber=cash, birch=cash, cedar=cash)
    desk.must(Fill, "amber", "cedar", "BTC", 1, 100)
    desk.must(Fill, "birch", "cedar", "BTC", 3, 100)
    desk.must(WriteOff, "debtor")
    return desk


def share_all(desk: Desk, *members: str, market: str = "BTC") -> list[int]:
    """Open a sharing and let all pay; what each paid."""
    desk.must(BeginLossSharing, market, members)
    return [sum(line.amount for line in desk.must(ShareLoss).effects) for _ in members]


# BeginLossSharing


def test_all_that_is_uncovered_is_shared_out() -> None:
    desk = with_loss()
    outcome = desk.do(BeginLossSharing, "BTC", ("amber", "birch", "cedar"))

    assert (None, ()) == (outcome.rejected, outcome.effects)
    members = AccountId("amber"), AccountId("birch"), AccountId("cedar")
    assert Sharing(MarketId("BTC"), 100, 8, 0, members, 0) == desk.state.sharing  # type: ignore[arg-type]


def test_what_the_fund_has_again_goes_first() -> None:
    desk = with_loss(insurance_floor=10)
    desk.must(FundInsurance, 50)
    outcome = desk.do(BeginLossSharing, "BTC", ("amber", "birch", "cedar"))

    assert (Pay(Reserve.INSURANCE, Reserve.UNCOVERED, 40, Reason.COVER, Stage.INSURANCE),) == outcome.effects  # type: ignore[arg-type]
    assert desk.state.sharing is not None
    assert (60, -60) == (desk.state.sharing.amount, desk.state.reserves.uncovered)


def test_where_the_fund_has_it_all_nobody_shares() -> None:
    desk = with_loss()
    desk.must(FundInsurance, 150)
    desk.must(BeginLossSharing, "BTC", ("amber", "birch", "cedar"))

    assert (None, 0, 50) == (desk.state.sharing, desk.state.reserves.uncovered, desk.state.reserves.insurance)


@pytest.mark.parametrize(
    "members",
    [
        (),
        ("amber", "birch"),
        ("birch", "amber", "cedar"),
        ("amber", "birch", "cedar", "cedar"),
        ("amber", "birch", "cedar", "creditor"),
        ("amber", "amber", "birch"),
    ],
)
def test_members_who_are_not_all_are_refused(members: tuple[str, ...]) -> None:
    assert Rule.MEMBERS_NOT_ALL == with_loss().do(BeginLossSharing, "BTC", members).rejected


def test_where_nobody_has_weight_nothing_is_shared() -> None:
    desk = with_loss(policy=LossSharing.PROFIT)

    assert Rule.MEMBERS_NOT_ALL == desk.do(BeginLossSharing, "BTC", ()).rejected


def test_a_rulebook_may_share_nothing() -> None:
    desk = with_loss(policy=LossSharing.NONE)

    assert Rule.LOSS_NOT_SHARED == desk.do(BeginLossSharing, "BTC", ("amber", "birch", "cedar")).rejected


def test_no_loss_is_not_shared() -> None:
    desk = with_loss()
    share_all(desk, "amber", "birch", "cedar")

    assert Rule.NOTHING_UNCOVERED == desk.do(BeginLossSharing, "BTC", ("amber", "birch", "cedar")).rejected


def test_a_market_must_be_listed() -> None:
    assert Rule.UNKNOWN_MARKET == with_loss().do(BeginLossSharing, "XRP", ("amber",)).rejected


def test_a_stale_mark_weighs_nobody() -> None:
    desk = Desk(make_rulebook(loss_sharing=LossSharing.PROFIT), debts={"debtor": 100})
    rules = make_rules()
    desk.open("BTC", 100, evolve(rules, mark_age_limit=Time(5000)), amber=10_000, cedar=10_000)
    desk.must(Fill, "amber", "cedar", "BTC", 1, 100)
    desk.must(WriteOff, "debtor")
    desk.must(MarkPrice, "BTC", 120)

    assert Rule.MARK_STALE == desk.do(BeginLossSharing, "BTC", ("amber",), after=5001).rejected
    # of a market that ends the last mark counts
    desk.must(SettleMarket, "BTC", 110)
    assert desk.do(BeginLossSharing, "BTC", ("amber",), after=5001).rejected is None


def test_while_it_is_open_all_else_waits() -> None:
    desk = with_loss()
    desk.must(BeginLossSharing, "BTC", ("amber", "birch", "cedar"))

    for kind, arguments in (
        (Deposit, ("amber", 1)),
        (Withdraw, ("amber", 1)),
        (MarkPrice, ("BTC", 101)),
        (BeginLossSharing, ("BTC", ("amber", "birch", "cedar"))),
        (BeginDeleveraging, ("amber", "BTC", ())),
        (Deleverage, ()),
        (CoverDeficit, ("amber",)),
    ):
        assert Rule.SHARING_OPEN == desk.do(kind, *arguments).rejected
    assert 0 == max_withdrawable(desk.state, AccountId("amber"))


# ShareLoss


def test_contracts_pay_on_both_sides() -> None:
    desk = with_loss()

    # one, three and four of eight lots: 12.5, 37.5 and 50
    assert [12, 38, 50] == share_all(desk, "amber", "birch", "cedar")
    assert (9888, 9662, 10350) == tuple(desk.get_balance(id) for id in ("amber", "birch", "cedar"))
    assert (0, None) == (desk.state.reserves.uncovered, desk.state.sharing)


def test_profit_pays_and_losers_do_not() -> None:
    desk = with_loss(policy=LossSharing.PROFIT)
    desk.must(MarkPrice, "BTC", 120)

    assert [25, 75] == share_all(desk, "amber", "birch")


def test_a_part_is_paid_into_the_loss() -> None:
    desk = with_loss()
    desk.must(BeginLossSharing, "BTC", ("amber", "birch", "cedar"))

    assert (Pay(AccountId("amber"), Reserve.UNCOVERED, 12, Reason.LOSS_SHARE, Stage.SHARING),) == desk.do(  # type: ignore[arg-type]
        ShareLoss
    ).effects


def test_nobody_pays_more_than_its_equity() -> None:
    desk = with_loss(loss=20_000, cash=300)
    share_all(desk, "amber", "birch", "cedar")

    # 2,500, 7,500 and 10,000 were due
    assert (0, 0, 0) == tuple(desk.view.get_equity(id) for id in ("amber", "birch", "cedar"))
    assert -(20_000 - 900) == desk.state.reserves.uncovered


def test_what_one_cannot_pay_the_others_share_in_the_next() -> None:
    desk = with_loss(loss=400, cash=120)
    assert [50, 120, 120] == share_all(desk, "amber", "birch", "cedar")
    assert -110 == desk.state.reserves.uncovered

    # who has nothing left has no weight
    assert Rule.MEMBERS_NOT_ALL == desk.do(BeginLossSharing, "BTC", ("amber", "birch", "cedar")).rejected
    assert [70] == share_all(desk, "amber")
    assert -40 == desk.state.reserves.uncovered


def test_the_vault_is_a_member_like_anyone() -> None:
    desk = with_loss()
    desk.must(Deposit, "vault", 10_000)
    desk.must(Fill, "vault", "cedar", "BTC", 8, 100)

    assert [4, 12, 50, 34] == share_all(desk, "amber", "birch", "cedar", "vault")


def test_without_a_sharing_nobody_pays() -> None:
    assert Rule.SHARING_NOT_OPEN == with_loss().do(ShareLoss).rejected


def test_the_order_of_ids_moves_nobody_by_more_than_an_atom() -> None:
    """Thirteen lots and a loss that no part divides: each pays its part, rounded one way or the other."""
    for loss in (1, 5, 12, 100, 999):
        desk = Desk(make_rulebook(loss_sharing=LossSharing.CONTRACTS), debts={"debtor": loss})
        lots = {"a": 1, "b": 5, "c": 7}
        desk.open("BTC", 100, a=10**6, b=10**6, c=10**6, d=10**6)
        for id, size in lots.items():
            desk.must(Fill, id, "d", "BTC", size, 100)
        desk.must(WriteOff, "debtor")
        paid = share_all(desk, "a", "b", "c", "d")

        assert loss == sum(paid)
        assert all(abs(part * 26 - loss * size) < 26 for part, size in zip(paid, (1, 5, 7, 13), strict=True))


# Figures of other engines


@pytest.mark.parametrize("case", VECTORS["by_contracts"], ids=get_id)
def test_contracts_pay_what_others_charge(case: dict[str, Any]) -> None:
    loss, lots = case["loss"], case["lots"]
    desk = Desk(make_rulebook(loss_sharing=LossSharing.CONTRACTS), debts={"debtor": loss})
    # what was deposited comes on top of the quote that a trade leaves
    cash = 10_000
    desk.open("BTC", 100, long=cash, short=cash)
    desk.must(Fill, "long", "short", "BTC", lots, 100)
    desk.must(WriteOff, "debtor")
    if case["pool"]:
        desk.must(FundInsurance, case["pool"])
    assert case["long"][0] == desk.get_balance("long") - cash
    share_all(desk, "long", "short")

    assert case["long"][1] == desk.get_balance("long") - cash
    assert case["short"][1] == desk.get_balance("short") - cash


@pytest.mark.parametrize("case", VECTORS["by_profit"], ids=get_id)
def test_winners_keep_what_others_leave_them(case: dict[str, Any]) -> None:
    desk = Desk(make_rulebook(loss_sharing=LossSharing.PROFIT), debts={"debtor": case["loss"]})
    # ids in the order in which the source rounds; a lot each, from its own price
    ids = {name: f"{place}-{name}" for place, name in enumerate(case["order"])}
    desk.open("BTC", 10_000, loser=10**6)
    for id in ids.values():
        desk.must(Deposit, id, 10**6)
    for name, profit in case["profits"].items():
        desk.must(Fill, ids[name], "loser", "BTC", 1, 10_000 - profit)
    desk.must(WriteOff, "debtor")
    share_all(desk, *sorted(ids.values()))

    assert case["kept"] == {name: desk.view.get_equity(ids[name]) - 10**6 for name in case["profits"]}


def test_a_withdrawal_is_cut_as_a_bankruptcy_amount_over_value_says() -> None:
    """Paradex, at 9b82a75, risk-system/socialized-losses: 1,000 over 4,000 and 1,000 is a fifth; 400 are paid."""
    desk = Desk(make_rulebook(withdrawals_are_cut=True), debts={"alice": 2000})
    for account in ("bob", "charlie", "dora"):
        desk.must(Deposit, account, 1000)
    desk.must(FundInsurance, 1000)
    desk.must(CoverDeficit, "alice")
    desk.must(WriteOff, "alice")

    assert [100, 400] == [line.amount for line in desk.do(Withdraw, "bob", 500).effects]


# Planned, watched and told


def test_the_planner_shares_what_is_uncovered() -> None:
    resolution = resolve(with_loss(loss=100).state)

    assert (0, None) == (resolution.state.reserves.uncovered, resolution.state.sharing)
    assert [BeginLossSharing, ShareLoss, ShareLoss, ShareLoss] == [type(event) for event in resolution.events]


def test_the_planner_goes_on_until_nobody_can_pay() -> None:
    resolution = resolve(with_loss(loss=400, cash=120).state)

    assert -40 == resolution.state.reserves.uncovered
    assert () == compute_members(resolution.state, MarketId("BTC"))


def test_the_planner_ends_what_is_open() -> None:
    desk = with_loss()
    desk.must(BeginLossSharing, "BTC", ("amber", "birch", "cedar"))
    desk.must(ShareLoss)

    assert (ShareLoss, ShareLoss) == tuple(type(event) for event in resolve(desk.state).events)


def test_who_falls_below_maintenance_by_its_part_is_found() -> None:
    """Amber is left with 3 for a requirement of 5: the vault, which is as good as empty, does not take it."""
    desk = Desk(make_rulebook(loss_sharing=LossSharing.CONTRACTS, adl_solvent=True), debts={"debtor": 40})
    desk.open("BTC", 100, amber=23, cedar=10_000)
    desk.must(Fill, "amber", "cedar", "BTC", 1, 100)
    desk.must(WriteOff, "debtor")
    resolution = resolve(desk.state)

    assert [BeginLossSharing, ShareLoss, ShareLoss, BeginDeleveraging, Deleverage] == [
        type(event) for event in resolution.events
    ]
    assert () == resolution.unresolved


def test_a_loss_of_a_market_that_ends_is_shared_elsewhere() -> None:
    desk = Desk(make_rulebook(loss_sharing=LossSharing.CONTRACTS))
    desk.open("BTC", 100, amber=50, cedar=10_000)
    desk.open("ETH", 10, birch=1000)
    desk.must(Fill, "amber", "cedar", "BTC", 5, 100)
    desk.must(Fill, "birch", "cedar", "ETH", 4, 10)
    resolution = settle(desk.state, MarketId("BTC"), Price(80))

    assert 0 == resolution.state.reserves.uncovered
    paid = [line.amount for lines in resolution.effects for line in lines if line.reason is Reason.LOSS_SHARE]
    assert [25, 25] == paid


def test_the_waterfall_counts_what_is_shared() -> None:
    desk = with_loss()
    waterfall = Waterfall()
    share_all(desk, "amber", "birch", "cedar")
    for passage in desk.passages[-4:]:
        outcome: Any = type("Outcome", (), {"effects": passage.effects, "state": passage.new})
        waterfall.record(passage.old, passage.event, outcome)

    assert (100, {"amber", "birch", "cedar"}) == (waterfall.shared, waterfall.sharers)


def test_the_monitor_sees_members_who_were_swapped() -> None:
    desk = with_loss()
    desk.must(BeginLossSharing, "BTC", ("amber", "birch", "cedar"))
    assert desk.state.sharing is not None
    swapped = evolve(desk.state, sharing=evolve(desk.state.sharing, members=desk.state.sharing.members[:2]))
    monitor = Monitor(desk.state)
    monitor.checkpoint(desk.state)
    assert [] == monitor.violations
    monitor.checkpoint(swapped)

    assert {"LOSS-4"} == {violation.law for violation in monitor.violations}
