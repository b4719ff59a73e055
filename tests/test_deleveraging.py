"""BeginDeleveraging, Deleverage, EndDeleveraging: a certified queue, consumed head by head."""

import pytest

from riskcore.choices import RankPolicy
from riskcore.events import (
    AdvanceTime,
    ApplyFunding,
    BeginDeleveraging,
    CoverDeficit,
    Deleverage,
    Deposit,
    EndDeleveraging,
    Event,
    Fill,
    FundInsurance,
    LiquidationFill,
    ListMarket,
    MarkPrice,
    Takeover,
    Withdraw,
    WriteOff,
)
from riskcore.journal import Reason, Reserve, Stage, Trade
from riskcore.rules import Rule
from riskcore.testing.desk import Desk, get_lines
from riskcore.testing.rulebooks import HOUR, VAULT, make_rulebook, make_rules


def with_bankrupt_long(mark: int = 890, **rulebook: object) -> Desk:
    """amber long 10 from 1000 with 1000 paid in; birch short 6 with 1000, cedar short 4 with 500.

    At 890 amber's equity is -100: 10 a lot. birch: profit 660, equity 1660, notional 5340; rank
    (660 / 6000) * (5340 / 1660) = 0.354. cedar: 440, 940, 3560; (440 / 4000) * (3560 / 940) = 0.417.
    """
    desk = Desk(make_rulebook(**rulebook))
    desk.open("BTC", 1000, amber=1000, birch=1000, cedar=500)
    desk.must(Fill, "amber", "birch", "BTC", 6, 1000)
    desk.must(Fill, "amber", "cedar", "BTC", 4, 1000)
    desk.must(MarkPrice, "BTC", mark)
    return desk


def with_open_queue() -> Desk:
    desk = with_bankrupt_long()
    desk.must(BeginDeleveraging, "amber", "BTC", ("cedar", "birch"))
    return desk


def with_lonely_loser(insurance: int = 0, **rulebook: object) -> Desk:
    """amber long 10 with equity -100 at 890; the only short is cedar's, at a loss, who may not be asked."""
    desk = Desk(make_rulebook(insurance_before_adl=False, adl_requires_profit=True, **rulebook))
    desk.open("BTC", 1000, amber=1000, birch=10**5, cedar=10**5)
    if insurance:
        desk.must(FundInsurance, insurance)
    desk.must(Fill, "amber", "birch", "BTC", 10, 1000)
    desk.must(MarkPrice, "BTC", 890)
    desk.must(Fill, "birch", "cedar", "BTC", 10, 880)
    return desk


# The plain case


def test_an_episode_fixes_lots_share_and_queue() -> None:
    desk = with_bankrupt_long()
    outcome = desk.do(BeginDeleveraging, "amber", "BTC", ("cedar", "birch"))
    episode = desk.state.deleveraging

    assert () == outcome.effects
    assert episode is not None
    assert ("amber", "BTC", 10, 100, 0) == (
        episode.account,
        episode.market,
        episode.lots,
        episode.share,
        episode.done,
    )
    assert (("cedar", "birch"), 0) == (episode.queue, episode.head)


def test_each_head_closes_what_it_can_for_its_part_of_the_share() -> None:
    # cedar closes 4 lots: 4 * 890 + 40 = 3600; birch 6: 6 * 890 + 60 = 5400. Both at 900, where amber is broke
    desk = with_open_queue()
    first, second = desk.do(Deleverage), desk.do(Deleverage)

    assert [("cedar", "amber", "BTC", 4, 3600, Reason.CLOSE_OUT, Stage.DELEVERAGING)] == get_lines(first)
    assert [("birch", "amber", "BTC", 6, 5400, Reason.CLOSE_OUT, Stage.DELEVERAGING)] == get_lines(second)
    assert [0, 1600, 900] == [desk.get_balance(name) for name in ("amber", "birch", "cedar")]
    assert 0 == desk.get_market("BTC").open_interest
    assert desk.state.deleveraging is None


def test_a_short_is_closed_alike() -> None:
    # amber short 3 from 1000 with 300 paid in; at 1110 equity -30: 10 a lot
    desk = Desk()
    desk.open("BTC", 1000, amber=300, birch=10**4)
    desk.must(Fill, "amber", "birch", "BTC", -3, 1000)
    desk.must(MarkPrice, "BTC", 1110)
    desk.must(BeginDeleveraging, "amber", "BTC", ("birch",))
    outcome = desk.do(Deleverage)

    # birch sells 3 lots for 3 * 1110 - 30
    assert [("amber", "birch", "BTC", 3, 3300, Reason.CLOSE_OUT, Stage.DELEVERAGING)] == get_lines(outcome)
    assert (0, 10**4 + 330 - 30) == (desk.get_balance("amber"), desk.get_balance("birch"))


def test_the_last_head_closes_only_what_is_left() -> None:
    # birch is short 16 and only 6 are left when he comes
    desk = with_bankrupt_long()
    desk.must(Deposit, "birch", 10**5)
    desk.must(Deposit, "daisy", 10**5)
    desk.must(Fill, "birch", "daisy", "BTC", -10, 890)
    desk.must(BeginDeleveraging, "amber", "BTC", ("cedar", "birch"))
    desk.must(Deleverage)
    desk.must(Deleverage)

    assert -10 == desk.get_position("birch", "BTC")[0]
    assert (0, 0) == (desk.get_balance("amber"), desk.get_position("amber", "BTC")[0])
    assert desk.state.deleveraging is None


def test_parts_telescope_to_the_share() -> None:
    # share 100 over 3 lots, one each: 33, 66 - 33 = 33, 100 - 66 = 34
    desk = Desk(make_rulebook(adl_rank=RankPolicy.SIZE))
    desk.open("BTC", 1000, amber=320, birch=1000, cedar=1000, daisy=1000)
    for short in ("birch", "cedar", "daisy"):
        desk.must(Fill, "amber", short, "BTC", 1, 1000)
    desk.must(MarkPrice, "BTC", 860)
    desk.must(BeginDeleveraging, "amber", "BTC", ("birch", "cedar", "daisy"))
    amounts = [line.amount - 860 for _ in range(3) for line in desk.do(Deleverage).effects]

    assert -100 == 320 - 3 * 140
    assert [33, 33, 34] == amounts
    assert 0 == desk.get_balance("amber")


def test_funding_is_settled_on_the_way() -> None:
    # 1 % of 890 = 8.9, so 8 a lot: amber owes 80, its equity is -180
    desk = with_bankrupt_long()
    last = desk.get_market("BTC").funding_time
    desk.must(ApplyFunding, "BTC", 10_000, after=last + 8 * HOUR - desk.state.timestamp)
    desk.must(BeginDeleveraging, "amber", "BTC", ("cedar", "birch"))
    first = desk.do(Deleverage)

    # amber settles all 10 lots; cedar gets 4 * 8, then pays 4 * 890 + floor(180 * 4 / 10)
    assert [
        ("cedar", Reserve.TRANSIT, -32, Reason.FUNDING, Stage.ORDINARY),
        ("amber", Reserve.TRANSIT, 80, Reason.FUNDING, Stage.ORDINARY),
        ("cedar", "amber", "BTC", 4, 3560 + 72, Reason.CLOSE_OUT, Stage.DELEVERAGING),
    ] == get_lines(first)
    desk.must(Deleverage)
    assert (0, 0) == (desk.get_balance("amber"), desk.state.reserves.transit)


# A share of the other sign


def test_a_solvent_account_hands_its_equity_to_the_counterparties() -> None:
    # at 920 equity 200 of 460: the share is -200, 20 a lot. cedar pays 4 * 920 - 80, birch 6 * 920 - 120
    desk = with_bankrupt_long(mark=920)
    desk.must(BeginDeleveraging, "amber", "BTC", ("cedar", "birch"))
    first, second = desk.do(Deleverage), desk.do(Deleverage)

    assert [3600, 5400] == [line.amount for outcome in (first, second) for line in outcome.effects]
    assert 0 == desk.get_balance("amber")


def test_a_negative_share_is_rounded_against_the_counterparty_and_still_telescopes() -> None:
    # equity 100 over 3 lots: floor(-33.3) = -34, floor(-66.7) = -67, -100: the heads get 34, 33, 33
    desk = Desk(make_rulebook(adl_rank=RankPolicy.SIZE))
    desk.open("BTC", 1000, amber=400, birch=1000, cedar=1000, daisy=1000)
    for short in ("birch", "cedar", "daisy"):
        desk.must(Fill, "amber", short, "BTC", 1, 1000)
    desk.must(MarkPrice, "BTC", 900)
    desk.must(BeginDeleveraging, "amber", "BTC", ("birch", "cedar", "daisy"))
    amounts = [line.amount - 900 for _ in range(3) for line in desk.do(Deleverage).effects]

    assert [-34, -33, -33] == amounts
    assert 0 == desk.get_balance("amber")


def test_an_episode_without_counterparties_and_without_a_loss_is_refused() -> None:
    # as below, but both shorts are in debt: 1480 - 1485 and 1320 - 1386
    desk = with_bankrupt_long(mark=920)
    desk.open("ETH", 100, daisy=10**5)
    desk.must(Fill, "birch", "daisy", "ETH", 15, 100)
    desk.must(Fill, "cedar", "daisy", "ETH", 14, 100)
    desk.must(MarkPrice, "ETH", 1)

    assert desk.get_equity("birch") < 0
    assert desk.get_equity("cedar") < 0
    assert Rule.NOTHING_TO_BOOK == desk.do(BeginDeleveraging, "amber", "BTC", ()).rejected


def test_a_queue_that_was_to_receive_leaves_nothing_to_pay() -> None:
    # birch's 15 of ETH fall from 100 to 1: equity 1480 - 1485 = -5, so he is not asked. cedar's 4 lots bring him 80
    desk = with_bankrupt_long(mark=920)
    desk.open("ETH", 100, daisy=10**5)
    desk.must(Fill, "birch", "daisy", "ETH", 15, 100)
    desk.must(MarkPrice, "ETH", 1)
    desk.must(BeginDeleveraging, "amber", "BTC", ("cedar",))
    desk.must(Deleverage)
    outcome = desk.do(EndDeleveraging)

    assert () == outcome.effects
    assert (120, 6) == (desk.get_equity("amber"), desk.get_position("amber", "BTC")[0])
    assert 0 == desk.state.reserves.uncovered


@pytest.mark.parametrize(("mark", "rejected"), [(920, Rule.ADL_SOLVENT), (901, Rule.ADL_SOLVENT), (899, None)])
def test_a_rulebook_may_spare_accounts_with_equity_left(mark: int, rejected: Rule | None) -> None:
    # equity 200, 10, -10
    desk = with_bankrupt_long(mark, adl_solvent=False)

    assert rejected == desk.do(BeginDeleveraging, "amber", "BTC", ("cedar", "birch")).rejected


def test_nothing_left_is_not_solvent() -> None:
    # equity 0: closed at mark, in the order of profit, though the rulebook spares the solvent
    desk = with_bankrupt_long(900, adl_solvent=False)

    assert desk.do(BeginDeleveraging, "amber", "BTC", ("cedar", "birch")).rejected is None
    assert 0 == desk.state.deleveraging.share if desk.state.deleveraging else False


# The certificate


@pytest.mark.parametrize(
    "queue",
    [
        ("birch", "cedar"),
        ("cedar",),
        ("birch",),
        (),
        ("cedar", "cedar", "birch"),
        ("cedar", "birch", "birch"),
        ("cedar", "birch", "amber"),
        ("amber", "cedar", "birch"),
        ("cedar", "birch", "nobody"),
        ("cedar", "nobody"),
    ],
)
def test_a_queue_that_is_not_all_in_order_is_rejected(queue: tuple[str, ...]) -> None:
    assert Rule.QUEUE_NOT_RANKED == with_bankrupt_long().do(BeginDeleveraging, "amber", "BTC", queue).rejected


@pytest.mark.parametrize(
    ("policy", "queue"),
    [
        (RankPolicy.PROFIT_TIMES_LEVERAGE, ("cedar", "birch")),
        (RankPolicy.LEVERAGE, ("cedar", "birch")),
        (RankPolicy.SIZE, ("birch", "cedar")),
    ],
)
def test_each_policy_has_its_order(policy: RankPolicy, queue: tuple[str, ...]) -> None:
    # leverage: birch 5340 / 1660 = 3.2, cedar 3560 / 940 = 3.8; size: 6 and 4
    assert None is with_bankrupt_long(adl_rank=policy).do(BeginDeleveraging, "amber", "BTC", queue).rejected
    assert (
        Rule.QUEUE_NOT_RANKED
        == with_bankrupt_long(adl_rank=policy).do(BeginDeleveraging, "amber", "BTC", queue[::-1]).rejected
    )


def test_who_could_not_pay_is_not_in_the_queue() -> None:
    # cedar's 4 lots would cost 40. His ETH of 100 at 10 falls to 1: 940 - 900 = 40 is enough, 39 is not
    desk = with_bankrupt_long()
    desk.open("ETH", 10, make_rules(1, 1), daisy=10**5)
    desk.must(Fill, "cedar", "daisy", "ETH", 100, 10)
    desk.must(MarkPrice, "ETH", 1)

    assert 40 == desk.get_equity("cedar")
    assert Rule.QUEUE_NOT_RANKED == desk.do(BeginDeleveraging, "amber", "BTC", ("birch",)).rejected
    desk.must(Fill, "cedar", "daisy", "ETH", -99, 1)
    desk.must(Fill, "daisy", "cedar", "ETH", 1, 1)
    assert 40 == desk.get_equity("cedar")
    assert None is desk.do(BeginDeleveraging, "amber", "BTC", ("cedar", "birch")).rejected


def test_a_counterparty_may_be_left_with_nothing_but_not_with_less() -> None:
    desk = with_bankrupt_long()
    desk.open("ETH", 10, make_rules(1, 1), daisy=10**5)
    desk.must(Fill, "cedar", "daisy", "ETH", 100, 10)
    desk.must(MarkPrice, "ETH", 1)
    desk.must(BeginDeleveraging, "amber", "BTC", ("cedar", "birch"))
    desk.must(Deleverage)

    assert 0 == desk.get_equity("cedar")


def test_who_has_too_little_is_passed_over() -> None:
    desk = with_bankrupt_long()
    desk.open("ETH", 10, make_rules(1, 1), daisy=10**5)
    desk.must(Fill, "cedar", "daisy", "ETH", 101, 10)
    desk.must(MarkPrice, "ETH", 1)

    assert 31 == desk.get_equity("cedar")
    assert Rule.QUEUE_NOT_RANKED == desk.do(BeginDeleveraging, "amber", "BTC", ("cedar", "birch")).rejected
    assert None is desk.do(BeginDeleveraging, "amber", "BTC", ("birch",)).rejected


@pytest.mark.parametrize(("requires", "queue"), [(True, ()), (False, ("cedar",))])
def test_a_rulebook_may_spare_who_has_no_profit(requires: bool, queue: tuple[str, ...]) -> None:
    # cedar sold 10 at 880 and the mark is 890: a loss of 100
    desk = Desk(make_rulebook(insurance_before_adl=False, adl_requires_profit=requires))
    desk.open("BTC", 1000, amber=1000, birch=10**5, cedar=10**5)
    desk.must(Fill, "amber", "birch", "BTC", 10, 1000)
    desk.must(MarkPrice, "BTC", 890)
    desk.must(Fill, "birch", "cedar", "BTC", 10, 880)

    assert None is desk.do(BeginDeleveraging, "amber", "BTC", queue).rejected


@pytest.mark.parametrize(("price", "queue"), [(900, ("cedar",)), (899, ())])
def test_the_profit_must_pay_for_the_part(price: int, queue: tuple[str, ...]) -> None:
    # 10 lots sold at 900 are worth 100 at 890, which is the share
    desk = Desk(make_rulebook(adl_requires_profit=True))
    desk.open("BTC", 1000, amber=1000, birch=10**5, cedar=10**5)
    desk.must(Fill, "amber", "birch", "BTC", 10, 1000)
    desk.must(MarkPrice, "BTC", 890)
    desk.must(Fill, "birch", "cedar", "BTC", 10, price)

    assert None is desk.do(BeginDeleveraging, "amber", "BTC", queue).rejected


def test_the_vault_may_be_in_the_queue() -> None:
    desk = Desk()
    desk.open("BTC", 1000, amber=1000, vault=10**4)
    desk.must(Fill, "amber", VAULT, "BTC", 10, 1000)
    desk.must(MarkPrice, "BTC", 890)
    desk.must(BeginDeleveraging, "amber", "BTC", (VAULT,))
    desk.must(Deleverage)

    assert (0, 10**4 + 1100 - 100) == (desk.get_balance("amber"), desk.get_balance(VAULT))


def test_ties_go_to_the_smaller_id() -> None:
    desk = Desk()
    desk.open("BTC", 1000, amber=200, birch=500, cedar=500)
    desk.must(Fill, "amber", "birch", "BTC", 1, 1000)
    desk.must(Fill, "amber", "cedar", "BTC", 1, 1000)
    desk.must(MarkPrice, "BTC", 890)

    assert Rule.QUEUE_NOT_RANKED == desk.do(BeginDeleveraging, "amber", "BTC", ("cedar", "birch")).rejected
    assert None is desk.do(BeginDeleveraging, "amber", "BTC", ("birch", "cedar")).rejected


# What comes first


def test_the_vault_comes_first() -> None:
    # at 920 the vault could take a lot: 20 of share and 72 of its own make 92
    desk = with_bankrupt_long(mark=920)
    desk.must(Deposit, VAULT, 72)

    assert Rule.VAULT_NOT_EXHAUSTED == desk.do(BeginDeleveraging, "amber", "BTC", ("cedar", "birch")).rejected


def test_a_vault_that_cannot_take_a_lot_is_exhausted() -> None:
    desk = with_bankrupt_long(mark=920)
    desk.must(Deposit, VAULT, 71)

    assert None is desk.do(BeginDeleveraging, "amber", "BTC", ("cedar", "birch")).rejected


def test_a_vault_at_its_limit_is_exhausted() -> None:
    desk = with_bankrupt_long(mark=920, vault_position_limit=919)
    desk.must(Deposit, VAULT, 10**6)

    assert None is desk.do(BeginDeleveraging, "amber", "BTC", ("cedar", "birch")).rejected


def test_the_vault_takes_no_deficit_so_it_need_not_be_asked() -> None:
    desk = with_bankrupt_long()
    desk.must(Deposit, VAULT, 10**6)

    assert None is desk.do(BeginDeleveraging, "amber", "BTC", ("cedar", "birch")).rejected


def test_the_vault_itself_can_be_deleveraged_against() -> None:
    desk = Desk()
    desk.open("BTC", 1000, vault=1000, birch=10**5)
    desk.must(Fill, VAULT, "birch", "BTC", 10, 1000)
    desk.must(MarkPrice, "BTC", 920)
    desk.must(BeginDeleveraging, VAULT, "BTC", ("birch",))
    desk.must(Deleverage)

    assert 0 == desk.get_balance(VAULT)


def test_insurance_comes_first_where_the_rulebook_says_so() -> None:
    desk = with_bankrupt_long()
    desk.must(FundInsurance, 30)

    assert Rule.INSURANCE_NOT_EXHAUSTED == desk.do(BeginDeleveraging, "amber", "BTC", ("cedar", "birch")).rejected
    desk.must(CoverDeficit, "amber")
    desk.must(BeginDeleveraging, "amber", "BTC", ("cedar", "birch"))
    assert desk.state.deleveraging is not None
    assert 70 == desk.state.deleveraging.share


def test_insurance_need_not_come_first() -> None:
    desk = with_bankrupt_long(insurance_before_adl=False)
    desk.must(FundInsurance, 30)

    assert None is desk.do(BeginDeleveraging, "amber", "BTC", ("cedar", "birch")).rejected


# The end


def test_what_no_queue_pays_falls_on_insurance_then_on_uncovered() -> None:
    desk = with_lonely_loser(insurance=30)
    desk.must(BeginDeleveraging, "amber", "BTC", ())
    outcome = desk.do(EndDeleveraging)

    assert [
        (Reserve.INSURANCE, "amber", 30, Reason.COVER, Stage.INSURANCE),
        (Reserve.UNCOVERED, "amber", 70, Reason.WRITE_OFF, Stage.UNCOVERED),
    ] == get_lines(outcome)
    assert (0, -70) == (desk.get_equity("amber"), desk.state.reserves.uncovered)
    assert 10 == desk.get_position("amber", "BTC")[0]
    assert desk.state.deleveraging is None


def test_insurance_alone_may_be_enough() -> None:
    desk = with_lonely_loser(insurance=130)
    desk.must(BeginDeleveraging, "amber", "BTC", ())
    desk.must(EndDeleveraging)

    assert (30, 0) == (desk.state.reserves.insurance, desk.state.reserves.uncovered)


def test_the_floor_holds_at_the_end_too() -> None:
    desk = with_lonely_loser(insurance=30, insurance_floor=20)
    desk.must(BeginDeleveraging, "amber", "BTC", ())
    desk.must(EndDeleveraging)

    assert (20, -90) == (desk.state.reserves.insurance, desk.state.reserves.uncovered)


def test_only_the_unpaid_part_is_left_over() -> None:
    # birch keeps a short of 4 with profit and pays 40 of the 100; cedar's 6 are at a loss
    desk = Desk(make_rulebook(adl_requires_profit=True))
    desk.open("BTC", 1000, amber=1000, birch=10**5, cedar=10**5)
    desk.must(Fill, "amber", "birch", "BTC", 10, 1000)
    desk.must(MarkPrice, "BTC", 890)
    desk.must(Fill, "birch", "cedar", "BTC", 6, 880)
    desk.must(BeginDeleveraging, "amber", "BTC", ("birch",))
    desk.must(Deleverage)

    assert Rule.QUEUE_EXHAUSTED == desk.do(Deleverage).rejected
    desk.must(EndDeleveraging)
    assert (0, 6, -60) == (
        desk.get_equity("amber"),
        desk.get_position("amber", "BTC")[0],
        desk.state.reserves.uncovered,
    )


# Rejections


@pytest.mark.parametrize("kind", [Deleverage, EndDeleveraging])
def test_without_an_episode_there_is_nothing_to_do(kind: type[Event]) -> None:
    assert Rule.DELEVERAGING_NOT_OPEN == with_bankrupt_long().do(kind).rejected


def test_a_queue_is_not_ended_while_somebody_is_left() -> None:
    desk = with_open_queue()

    assert Rule.QUEUE_NOT_EXHAUSTED == desk.do(EndDeleveraging).rejected
    desk.must(Deleverage)
    assert Rule.QUEUE_NOT_EXHAUSTED == desk.do(EndDeleveraging).rejected


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        (AdvanceTime, ()),
        (Deposit, ("birch", 1)),
        (Withdraw, ("birch", 1)),
        (FundInsurance, (1,)),
        (ListMarket, ("ETH", make_rules(), 1)),
        (MarkPrice, ("BTC", 1000)),
        (ApplyFunding, ("BTC", 0)),
        (Fill, ("birch", "cedar", "BTC", 1, 890)),
        (LiquidationFill, ("amber", "birch", "BTC", 1, 900)),
        (Takeover, ("amber", "BTC", 1)),
        (CoverDeficit, ("amber",)),
        (BeginDeleveraging, ("amber", "BTC", ("cedar", "birch"))),
        (WriteOff, ("amber",)),
    ],
)
def test_everything_else_waits(kind: type[Event], arguments: tuple[object, ...]) -> None:
    assert Rule.DELEVERAGING_OPEN == with_open_queue().do(kind, *arguments).rejected


def test_what_is_not_listed_is_not_deleveraged() -> None:
    assert Rule.UNKNOWN_MARKET == with_bankrupt_long().do(BeginDeleveraging, "amber", "ETH", ()).rejected


def test_a_healthy_account_is_not_deleveraged() -> None:
    desk = with_bankrupt_long()

    assert Rule.NOT_LIQUIDATABLE == desk.do(BeginDeleveraging, "birch", "BTC", ("amber",)).rejected


def test_an_account_is_deleveraged_where_it_has_a_position() -> None:
    desk = with_bankrupt_long()
    desk.open("ETH", 10)

    assert Rule.SIZE_EXCEEDS_POSITION == desk.do(BeginDeleveraging, "amber", "ETH", ()).rejected


# Several markets


def test_a_cross_account_is_deleveraged_market_by_market() -> None:
    # BTC long 10 at 840: -1600; ETH short 100 from 50 at 52: -200; 1500 paid in: equity -300
    # maintenance 420 + 260 = 680; BTC's share -floor(-300 * 420 / 680) = -floor(-185.3) = 186, ETH's 114
    desk = Desk()
    desk.open("BTC", 1000, amber=1500, birch=10**6)
    desk.open("ETH", 50, cedar=10**6)
    desk.must(Fill, "amber", "birch", "BTC", 10, 1000)
    desk.must(Fill, "amber", "cedar", "ETH", -100, 50)
    desk.must(MarkPrice, "BTC", 840)
    desk.must(MarkPrice, "ETH", 52)
    desk.must(BeginDeleveraging, "amber", "BTC", ("birch",))
    first = desk.do(Deleverage)

    assert [8400 + 186] == [line.amount for line in first.effects if isinstance(line, Trade)]
    assert -114 == desk.get_equity("amber")
    desk.must(BeginDeleveraging, "amber", "ETH", ("cedar",))
    desk.must(Deleverage)
    assert (0, 0) == (desk.get_balance("amber"), len(desk.get_account("amber").positions))


# Rounding against profit


def test_a_part_of_a_position_may_realise_an_atom_less_than_nothing() -> None:
    # share 1 over 3 lots. birch first: 2 lots, floor(2 / 3) = 0. cedar has 2 lots and a profit of 1, enough for
    # his 2 / 3 of an atom; the one lot left costs him 1 - 0 = 1 and realises floor(1 / 2) of his profit: -1
    desk = Desk(make_rulebook(adl_requires_profit=True, adl_rank=RankPolicy.SIZE))
    desk.open("BTC", 10, make_rules(300_000, 100_000), amber=11, birch=100, cedar=100, daisy=100)
    desk.must(Fill, "amber", "birch", "BTC", 2, 10)
    desk.must(Fill, "amber", "daisy", "BTC", 1, 10)
    desk.must(MarkPrice, "BTC", 6)
    desk.must(Fill, "daisy", "cedar", "BTC", 1, 6)
    desk.must(Fill, "daisy", "cedar", "BTC", -1, 7)
    desk.must(Fill, "daisy", "cedar", "BTC", 1, 7)
    desk.must(Fill, "daisy", "cedar", "BTC", 1, 6)

    assert (-1, (-2, -13, 0)) == (desk.get_equity("amber"), desk.get_position("cedar", "BTC"))
    desk.must(BeginDeleveraging, "amber", "BTC", ("birch", "cedar"))
    desk.must(Deleverage)
    outcome = desk.do(Deleverage)
    # he buys one lot for 7 and his cost goes from -13 to floor(-6.5) = -7: he sold that lot for 6
    assert [("cedar", "amber", "BTC", 1, 7, Reason.CLOSE_OUT, Stage.DELEVERAGING)] == get_lines(outcome)
    assert (-1, -7, 0) == desk.get_position("cedar", "BTC")
