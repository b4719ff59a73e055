"""Separate markets have parts of the insurance fund of their own: who feeds them, and who draws on them."""

from pathlib import Path

import pytest
from attrs import evolve

from riskcore.bad_input import Fault, LogError
from riskcore.choices import CloseOut, LossSharing
from riskcore.codec import SNAPSHOT, decode_event, encode_event
from riskcore.events import (
    BeginDeleveraging,
    BeginLossSharing,
    CoverDeficit,
    Deleverage,
    Deposit,
    EndDeleveraging,
    Fill,
    FundInsurance,
    LiquidationFill,
    MarkPrice,
    SettleMarket,
    SettlePair,
    WriteOff,
)
from riskcore.insurance import get_available
from riskcore.monitor import Monitor
from riskcore.planner import Liquidity, Offer, resolve
from riskcore.quantities import AccountId, Atoms, EventId, Lots, MarketId, Price, Rate, Time
from riskcore.queries import insurance_fund
from riskcore.rulebook import MarketRules
from riskcore.rules import Rule
from riskcore.snapshot import get_state_hash, load_state, save_state
from riskcore.state import Market, State
from riskcore.testing.desk import Desk
from riskcore.testing.rulebooks import make_rulebook, make_rules
from riskcore.waterfall import get_solvency

BTC = MarketId("BTC")
#: Of a market with a part of its own; fills pay a tenth of a per cent, liquidations one.
SEPARATE = evolve(make_rules(taker=1000, liquidation=10_000), insurance_separate=True)


def with_parts(own: int = 0, shared: int = 0, rules: MarketRules = SEPARATE, **rulebook: object) -> Desk:
    """amber long 10 BTC from 1000 with 1000 paid in; a fund of two parts; ETH has none."""
    desk = Desk(make_rulebook(**rulebook))
    desk.open("BTC", 1000, evolve(rules, taker_fee_rate=Rate(0)), amber=1000, birch=10**5, daisy=10**5)
    desk.open("ETH", 1000)
    if own:
        desk.must(FundInsurance, own, "BTC")
    if shared:
        desk.must(FundInsurance, shared)
    desk.must(Fill, "amber", "birch", "BTC", 10, 1000)
    return desk


def get_parts(desk: Desk) -> tuple[int, int, int]:
    """What BTC has, what ETH has, and what is shared."""
    state = desk.state
    shared = state.reserves.insurance - state.separate_insurance
    return desk.get_market("BTC").insurance, desk.get_market("ETH").insurance, shared


# FundInsurance


def test_money_comes_in_for_a_market_or_for_all() -> None:
    desk = with_parts(own=70, shared=30)

    assert (70, 0, 30) == get_parts(desk)
    assert (100, 70) == (desk.state.reserves.insurance, desk.state.separate_insurance)


@pytest.mark.parametrize(
    ("amount", "market", "rule"),
    [
        (0, "BTC", Rule.AMOUNT_NOT_POSITIVE),
        (1, "DOGE", Rule.UNKNOWN_MARKET),
        (1, "ETH", Rule.INSURANCE_NOT_SEPARATE),
    ],
)
def test_money_for_a_market_that_cannot_have_it_is_refused(amount: int, market: str, rule: Rule) -> None:
    assert rule == with_parts().do(FundInsurance, amount, market).rejected


def test_a_market_that_ends_gets_nothing_more() -> None:
    desk = with_parts()
    desk.must(SettleMarket, "BTC", 1000)

    assert Rule.MARKET_SETTLING == desk.do(FundInsurance, 1, "BTC").rejected


# What feeds a part


def test_a_fills_fees_feed_its_own_market() -> None:
    desk = Desk(make_rulebook(insurance_fee_share=500_000))
    desk.open("BTC", 1000, SEPARATE, amber=10**4, birch=10**4)
    desk.open("ETH", 1000, make_rules(taker=1000))
    desk.must(Fill, "amber", "birch", "BTC", 10, 1000)
    desk.must(Fill, "amber", "birch", "ETH", 4, 1000)

    # half of 10, and of 4
    assert (5, 0, 2) == get_parts(desk)


def test_a_liquidations_fee_feeds_its_own_market() -> None:
    desk = with_parts()
    desk.must(MarkPrice, "BTC", 940)
    desk.must(LiquidationFill, "amber", "daisy", "BTC", 10, 940)

    assert (94, 0, 0) == get_parts(desk)


def test_an_overshoot_feeds_its_own_market() -> None:
    desk = with_parts(shared=1000, adl_close_out=CloseOut.PREVIOUS_MARK, insurance_before_adl=False)
    desk.must(MarkPrice, "BTC", 890)
    desk.must(BeginDeleveraging, "amber", "BTC", ("birch",))
    desk.must(Deleverage)

    # birch pays 110 a lot, and amber owes 100 in all
    assert (1000, 0, 1000) == get_parts(desk)


# What draws on a part


def test_a_fill_is_paid_for_by_its_own_market() -> None:
    desk = with_parts(own=60, shared=1000)
    desk.must(MarkPrice, "BTC", 890)
    desk.must(LiquidationFill, "amber", "daisy", "BTC", 4, 890)

    assert (20, 0, 1000) == get_parts(desk)
    assert 40 == desk.get_market("BTC").insurance_used


def test_a_fill_that_its_own_market_cannot_pay_for_is_refused() -> None:
    desk = with_parts(own=39, shared=1000)
    desk.must(MarkPrice, "BTC", 890)

    assert Rule.WORSE_THAN_BANKRUPTCY == desk.do(LiquidationFill, "amber", "daisy", "BTC", 4, 890).rejected


def test_a_shortfall_is_paid_by_its_own_market_and_the_rest_by_nobody() -> None:
    desk = with_parts(own=60, shared=1000, insurance_before_adl=False, adl_requires_profit=True)
    desk.must(MarkPrice, "BTC", 890)
    # the only short sold at a loss, so nobody is in the queue
    desk.must(Fill, "birch", "daisy", "BTC", 10, 880)
    desk.must(BeginDeleveraging, "amber", "BTC", ())
    desk.must(EndDeleveraging)

    assert (0, 0, 1000) == get_parts(desk)
    assert -40 == desk.state.reserves.uncovered


def test_accounts_are_covered_by_what_is_shared() -> None:
    desk = with_parts(own=1000, shared=60)
    desk.must(MarkPrice, "BTC", 890)
    desk.must(CoverDeficit, "amber")

    assert (1000, 0, 0) == get_parts(desk)
    assert Rule.INSURANCE_EXHAUSTED == desk.do(CoverDeficit, "amber").rejected
    assert desk.do(BeginDeleveraging, "amber", "BTC", ("birch",)).rejected is None


def test_a_debt_is_written_off_though_markets_have_parts() -> None:
    desk = Desk(make_rulebook(), debts={"debtor": 50})
    desk.open("BTC", 1000, SEPARATE, amber=1000)
    desk.must(FundInsurance, 1000, "BTC")
    desk.must(WriteOff, "debtor")

    assert (1000, -50) == (desk.get_market("BTC").insurance, desk.state.reserves.uncovered)


def test_a_loss_is_shared_after_what_is_shared_has_paid() -> None:
    desk = Desk(make_rulebook(loss_sharing=LossSharing.CONTRACTS), debts={"debtor": 50})
    desk.open("BTC", 1000, SEPARATE, amber=1000, birch=1000)
    desk.must(FundInsurance, 1000, "BTC")
    desk.must(Fill, "amber", "birch", "BTC", 2, 1000)
    desk.must(WriteOff, "debtor")
    desk.must(FundInsurance, 20)
    desk.must(BeginLossSharing, "BTC", ("amber", "birch"))

    assert desk.state.sharing is not None
    assert (1000, 30) == (desk.get_market("BTC").insurance, desk.state.sharing.amount)


def test_the_floor_is_kept_of_what_is_shared_alone() -> None:
    desk = with_parts(own=60, shared=1000, insurance_floor=990)

    assert 10 == get_available(desk.state, desk.state.timestamp)
    assert 60 == get_available(desk.state, desk.state.timestamp, desk.get_market("BTC"))
    assert 10 == get_available(desk.state, desk.state.timestamp, desk.get_market("ETH"))


def test_the_limit_to_draws_is_one_for_all_parts() -> None:
    desk = with_parts(own=60, shared=1000, insurance_draw_limit=50, insurance_draw_window=10_000)
    desk.must(MarkPrice, "BTC", 890)
    desk.must(LiquidationFill, "amber", "daisy", "BTC", 4, 890)

    assert 10 == get_available(desk.state, desk.state.timestamp)
    assert 10 == get_available(desk.state, desk.state.timestamp, desk.get_market("BTC"))


# Its end


def test_a_market_that_ends_leaves_its_part_to_all() -> None:
    desk = with_parts(own=60, shared=40)
    desk.must(SettleMarket, "BTC", 890)

    assert (0, 0, 100) == get_parts(desk)
    desk.must(SettlePair, "BTC", "amber", "birch")
    desk.must(CoverDeficit, "amber")
    assert (0, 0, 0) == get_parts(desk)


# Around the kernel


def test_the_fund_by_part() -> None:
    desk = with_parts(own=60, shared=1000, insurance_draw_limit=50, insurance_draw_window=10_000)
    fund = insurance_fund(desk.state)

    assert (1060, 50) == (fund.balance, fund.available)
    assert ({BTC: 60}, {BTC: 50}) == (fund.parts, fund.available_there)


def test_the_statement_says_what_of_the_fund_is_some_markets_own() -> None:
    solvency = get_solvency(with_parts(own=60, shared=1000).state)

    assert (1060, 60, True) == (solvency.insurance, solvency.separate, solvency.ties)


def test_the_planner_sells_as_much_as_the_market_can_pay_for() -> None:
    desk = with_parts(own=45, shared=10**5, insurance_before_adl=False)
    desk.must(MarkPrice, "BTC", 890)
    bids = {BTC: (Offer(AccountId("daisy"), Price(890), Lots(100)),)}
    resolution = resolve(desk.state, Liquidity(bids=bids), partial=False)
    market = resolution.state.markets.get(BTC)

    assert market is not None
    assert (40, 5) == (market.insurance_used, market.insurance)


def test_an_event_names_the_market_or_leaves_it_out() -> None:
    header = EventId("e"), 1, Time(1)
    one, all = FundInsurance(*header, Atoms(5), BTC), FundInsurance(*header, Atoms(5))
    wanted = {"event": "fund_insurance", "id": "e", "sequence": 1, "timestamp": 1, "amount": 5}

    assert one == decode_event({**wanted, "market": "BTC"}, SNAPSHOT)
    assert all == decode_event(dict(wanted), SNAPSHOT)
    assert "market" not in encode_event(all)
    assert '"market":"BTC"' in encode_event(one)
    with pytest.raises(Fault):
        decode_event({**wanted, "market": None}, SNAPSHOT)
    with pytest.raises(TypeError):
        FundInsurance(*header, Atoms(5), MarketId(""))


def test_a_snapshot_keeps_the_parts(tmp_path: Path) -> None:
    state = with_parts(own=60, shared=1000).state
    save_state(state, tmp_path / "state.json")
    loaded = load_state(tmp_path / "state.json")

    assert (60, 60) == (_get_market(loaded).insurance, loaded.separate_insurance)
    assert get_state_hash(state) == get_state_hash(loaded)


def _get_market(state: State) -> Market:
    market = state.markets.get(BTC)
    assert market is not None
    return market


@pytest.mark.parametrize(
    ("part", "total", "field"),
    [
        (-1, 60, "markets.BTC.insurance"),
        (61, 60, "markets.BTC.insurance"),
        (60, 1061, "separate_insurance"),
        (0, -1, "markets.BTC.insurance"),
    ],
)
def test_a_snapshot_of_impossible_parts_is_refused(part: int, total: int, field: str, tmp_path: Path) -> None:
    state = with_parts(own=60, shared=1000).state
    market = state.markets.get(BTC)
    assert market is not None
    markets = state.markets.put(BTC, evolve(market, insurance=Atoms(part)))
    unfit = evolve(state, markets=markets, separate_insurance=Atoms(total))

    with pytest.raises(Fault) as caught:
        save_state(unfit, tmp_path / "state.json")

    assert field == caught.value.field


def test_a_snapshot_with_a_part_of_no_separate_market_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    save_state(with_parts(own=60).state, path)
    path.write_text(path.read_text().replace('"insurance_separate":true', '"insurance_separate":false'))

    with pytest.raises(LogError) as caught:
        load_state(path)

    assert "markets.BTC.insurance" == caught.value.field


def test_the_monitor_sees_parts_that_do_not_add_up() -> None:
    state = with_parts(own=60, shared=1000).state
    sound, unsound = Monitor(state), Monitor(state)
    sound.checkpoint(state)
    unsound.checkpoint(evolve(state, separate_insurance=Atoms(59)))

    assert [] == sound.violations
    assert "INS-5" in {violation.law for violation in unsound.violations}


def test_the_monitor_counts_the_parts_on() -> None:
    desk = with_parts(own=60, shared=1000)
    monitor, state = Monitor(desk.state), desk.state
    desk.must(MarkPrice, "BTC", 890)
    desk.must(LiquidationFill, "amber", "daisy", "BTC", 4, 890)
    desk.must(Deposit, "amber", 10_000)
    desk.must(SettleMarket, "BTC", 890)
    for passage in desk.passages[-4:]:
        state = monitor.step(state, passage.event).state
    monitor.checkpoint(state)

    assert [] == monitor.violations
    assert monitor.tallies["INS-5"].checked > 2
