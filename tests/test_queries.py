"""Queries agree with what the kernel then does, to the atom."""

from __future__ import annotations

from fractions import Fraction

import pytest
from attrs import evolve
from hypothesis import assume, given
from hypothesis import strategies as st

from riskcore import (
    ApplyFunding,
    BeginDeleveraging,
    Deposit,
    Event,
    Fill,
    FundInsurance,
    LiquidationFill,
    ListMarket,
    MarketRules,
    MarkPrice,
    RankPolicy,
    Rejected,
    Rule,
    Rulebook,
    SettleMarket,
    State,
    Withdraw,
    genesis,
    queries,
    step,
)
from riskcore.markets import get_market
from riskcore.planner import Liquidity, Offer
from riskcore.quantities import RATE_ONE, AccountId, Atoms, EventId, Lots, MarketId, Price, Rate, Time
from riskcore.testing.properties.states import states

A, B, C = (AccountId(name) for name in "abc")
BTC, ETH, DOGE = MarketId("BTC"), MarketId("ETH"), MarketId("DOGE")
RULES = MarketRules(Rate(100_000), Rate(50_000), Rate(0), Rate(0), Rate(5_000))
RULEBOOK = Rulebook(
    vault=AccountId("vault"),
    vault_position_limit=Atoms(0),
    insurance_floor=Atoms(0),
    insurance_backs_fills=False,
    insurance_fill_band=Rate(1_000_000),
    insurance_before_adl=True,
    adl_solvent=True,
    adl_requires_profit=False,
    adl_rank=RankPolicy.PROFIT_TIMES_LEVERAGE,
    funding_interval=Time(1_000),
    funding_rate_cap=Rate(40_000),
)


def ask(state: State, kind: type[Event], *fields: object) -> tuple[State, Rule | None]:
    """The state after the event, and the rule that it broke."""
    sequence = state.sequence + 1
    outcome = step(state, kind(EventId(f"e{sequence}"), sequence, Time(sequence * 1_000), *fields))  # type: ignore[arg-type]
    return outcome.state, outcome.rejected


def does(state: State, kind: type[Event], *fields: object) -> State:
    after, rejected = ask(state, kind, *fields)
    assert rejected is None, rejected
    return after


@pytest.fixture(params=[False, True], ids=["persistent", "dict"])
def venue(request: pytest.FixtureRequest) -> State:
    """``a`` long 100 BTC lots from 1,000 with 20,000 atoms, ``b`` short 70 and ``c`` short 30 of them."""
    state = genesis(RULEBOOK, mutable=request.param)
    state = does(state, ListMarket, BTC, RULES, 1_000)
    state = does(state, ListMarket, ETH, RULES, 500)
    state = does(state, FundInsurance, 1_000)
    for id, cash in ((A, 20_000), (B, 50_000), (C, 10_000), (RULEBOOK.vault, 10)):
        state = does(state, Deposit, id, cash)
    state = does(state, Fill, A, B, BTC, 70, 1_000)
    state = does(state, Fill, A, C, BTC, 30, 1_000)
    return does(state, MarkPrice, BTC, 990)


def test_worth_and_margin(venue: State) -> None:
    assert queries.equity(venue, A) == 19_000
    assert queries.initial_margin(venue, A) == 9_900
    assert queries.maintenance_margin(venue, A) == 4_950
    assert queries.free_collateral(venue, A) == 9_100
    assert queries.notional(venue, A) == 99_000
    assert queries.leverage(venue, A) == Fraction(99, 19)
    assert queries.margin_ratio(venue, A) == Fraction(495, 1_900)
    assert queries.entry_price(venue, A, BTC) == 1_000
    assert queries.unrealised_pnl(venue, A, BTC) == -1_000
    assert queries.unrealised_pnl(venue, B, BTC) == 700
    assert not queries.is_liquidatable(venue, A)


def test_an_unknown_account_is_empty_and_an_unknown_market_an_error(venue: State) -> None:
    nobody = AccountId("nobody")

    assert queries.equity(venue, nobody) == 0
    assert queries.max_withdrawable(venue, nobody) == 0
    assert queries.liquidation_price(venue, nobody, BTC) is None
    assert queries.bankruptcy_price(venue, nobody, BTC) is None
    assert queries.bankruptcy_tick(venue, nobody, BTC) is None
    assert queries.entry_price(venue, nobody, BTC) is None
    assert queries.leverage(venue, nobody) is None
    assert queries.margin_ratio(venue, nobody) is None
    assert queries.adl_queue(venue, nobody, BTC) == ()
    with pytest.raises(Rejected, match="not listed"):
        queries.liquidation_price(venue, A, DOGE)


def test_funding_is_in_equity_and_not_in_profit(venue: State) -> None:
    before = queries.equity(venue, A), queries.equity(venue, B), queries.unrealised_pnl(venue, A, BTC)
    # one second at 1 % per second would be 9.9 atoms per lot; 10 seconds have passed since listing
    funded = does(venue, ApplyFunding, BTC, 1_000)
    owed = queries.funding_owed(funded, A, BTC)
    after = queries.equity(funded, A), queries.equity(funded, B), queries.unrealised_pnl(funded, A, BTC)

    assert owed > 0
    assert after == (before[0] - owed, before[1] + owed * 7 // 10, before[2])


def test_prices_of_liquidation_and_bankruptcy(venue: State) -> None:
    # long: 20,000 - 100,000 + 100 p < 5 p at p <= 842; zero at 800. b: 120,000 - 70 p < 3.5 p from 1,633 on
    assert queries.liquidation_price(venue, A, BTC) == 842
    assert queries.bankruptcy_price(venue, A, BTC) == 800
    assert queries.bankruptcy_tick(venue, A, BTC) == 800
    assert queries.liquidation_price(venue, B, BTC) == 1_633
    assert queries.bankruptcy_price(venue, B, BTC) == Fraction(120_000, 70)
    assert queries.bankruptcy_tick(venue, B, BTC) == 1_714


def test_the_queue_and_places_in_it(venue: State) -> None:
    venue = does(venue, MarkPrice, BTC, 840)
    # profit per cost is the same; c is levered higher: 25,200 of 14,800 against 58,800 of 61,200
    assert queries.adl_queue(venue, A, BTC) == (C, B)
    assert queries.adl_place(venue, A, BTC, C) == 0
    assert queries.adl_place(venue, A, BTC, B) == 1
    assert queries.adl_place(venue, A, BTC, A) is None


def test_the_kernel_accepts_the_queue(venue: State) -> None:
    venue = does(venue, MarkPrice, BTC, 840)
    queue = queries.adl_queue(venue, A, BTC)
    _, rejected = ask(venue, BeginDeleveraging, A, BTC, queue[::-1])
    opened, accepted = ask(venue, BeginDeleveraging, A, BTC, queue)

    assert rejected is Rule.QUEUE_NOT_RANKED
    assert accepted is None
    assert queries.max_withdrawable(opened, B) == 0
    assert ask(opened, Withdraw, B, 1)[1] is Rule.DELEVERAGING_OPEN


def test_a_stress_shows_the_venue_before_and_after_and_leaves_the_state_alone(venue: State) -> None:
    held = sorted(venue.accounts.items())
    # 990 less a fifth is 792: a is 800 below zero
    report = queries.stress(venue, {BTC: Rate(-200_000)})

    assert report.marks == {BTC: 792}
    assert report.before.below_maintenance == (A,)
    assert report.before.deficits == 800
    assert report.before.equities == {A: -800, B: 64_560, C: 16_240, RULEBOOK.vault: 10}
    assert report.before.insurance == 1_000
    assert report.after.below_maintenance == ()
    assert report.after.deficits == 0
    assert report.after.insurance == 200
    assert report.after.equities == {A: 0, B: 64_560, C: 16_240, RULEBOOK.vault: 10}
    assert report.resolution.unresolved == ()
    assert sorted(venue.accounts.items()) == held


def test_a_stress_uses_the_liquidity_it_is_given(venue: State) -> None:
    offers = Liquidity(bids={BTC: (Offer(B, Price(800), Lots(100)),)})
    report = queries.stress(venue, {BTC: Rate(-160_000)}, offers, partial=False)

    assert [type(event) for event in report.resolution.events] == [LiquidationFill]
    assert report.after.below_maintenance == ()


def test_a_stress_refuses_what_cannot_be(venue: State) -> None:
    with pytest.raises(Rejected, match="not listed"):
        queries.stress(venue, {DOGE: Rate(1)})
    with pytest.raises(ValueError, match="a price must be above zero"):
        queries.stress(venue, {BTC: Rate(-1_000_000)})
    venue = does(venue, MarkPrice, BTC, 840)
    venue = does(venue, BeginDeleveraging, A, BTC, (C, B))
    with pytest.raises(ValueError, match="a deleveraging is open"):
        queries.stress(venue, {BTC: Rate(1)})


@given(states(), st.integers(0, 3_000), st.booleans())
def test_the_largest_withdrawal_is_accepted_and_an_atom_more_is_not(state: State, pool: int, is_cut: bool) -> None:
    # a pool that is nearly empty limits too: somebody else's claim is written off against it
    reserves = evolve(
        state.reserves,
        outside=Atoms(-pool),
        uncovered=Atoms(state.reserves.uncovered + state.reserves.outside + pool),
    )
    rulebook = evolve(state.rulebook, withdrawals_are_cut=is_cut)
    for venue in (state, evolve(state, reserves=reserves, rulebook=rulebook)):
        for id, _ in sorted(venue.accounts.items()):
            largest = queries.max_withdrawable(venue, id)

            assert largest == 0 or ask(venue, Withdraw, id, largest)[1] is None
            assert ask(venue, Withdraw, id, largest + 1)[1] in (Rule.BELOW_INITIAL_MARGIN, Rule.POOL_EXHAUSTED)


def test_nothing_can_be_withdrawn_while_the_rulebook_makes_withdrawals_wait(venue: State) -> None:
    reserves = evolve(venue.reserves, uncovered=Atoms(-5), outside=Atoms(venue.reserves.outside + 5))
    waiting = evolve(venue, reserves=reserves, rulebook=evolve(venue.rulebook, withdrawals_wait=True))

    assert queries.max_withdrawable(venue, B) > 0
    assert queries.max_withdrawable(waiting, B) == 0
    assert ask(waiting, Withdraw, B, 1)[1] is Rule.LOSS_UNCOVERED


def test_a_haircut_can_be_asked_for(venue: State) -> None:
    reserves = evolve(venue.reserves, uncovered=Atoms(-5), outside=Atoms(venue.reserves.outside + 5))
    cut = evolve(venue, reserves=reserves, rulebook=evolve(venue.rulebook, withdrawals_are_cut=True))

    assert queries.haircut(venue, Atoms(100)) == 0
    assert queries.haircut(cut, Atoms(100)) == 1


def test_in_a_market_that_ends_there_is_no_queue_and_no_shock(venue: State) -> None:
    ending = does(venue, SettleMarket, BTC, 840)

    assert queries.adl_queue(ending, A, BTC) == ()
    with pytest.raises(ValueError, match="being settled"):
        queries.stress(ending, {BTC: Rate(1)})


@given(states())
def test_the_liquidation_price_is_the_first_mark_that_is_below_maintenance(state: State) -> None:
    def is_below_at(id: AccountId, market: MarketId, mark: int) -> bool:
        return queries.is_liquidatable(does(state, MarkPrice, market, mark), id)

    for id, account in sorted(state.accounts.items()):
        for market, position in account.positions.items():
            price = queries.liquidation_price(state, id, market)
            toward = 1 if position.size > 0 else -1
            mark = get_market(state, market).mark_price
            is_below = queries.is_liquidatable(state, id)
            if price is not None:
                assert is_below_at(id, market, price)
                # from the mark up to there all prices are as the mark's: healthy, or below
                way = range(price + toward, mark + toward, toward) if not is_below else range(mark, price, toward)
                assert all(is_below_at(id, market, one) == is_below for one in [*way[:20], *way[-20:]] if one > 0)
                assert price + toward < 1 or not is_below_at(id, market, price + toward)
            else:
                # a long that is not below at any lower price, or whose requirement is all of its notional
                assert position.size > 0
                marks = (mark, mark + 1, 2 * mark, 10**9) if is_below else (1, 2, mark // 2, mark - 1)
                assert {is_below} == {is_below_at(id, market, max(one, 1)) for one in marks}


def without_gates(state: State) -> State:
    """The state in markets where a fill of any size may be accepted."""
    markets = state.markets
    for id, market in list(markets.items()):
        assert market is not None
        rules = evolve(
            market.rules,
            liquidation_share=Rate(RATE_ONE),
            minimum_size=Lots(1),
            liquidation_tier_step=False,
            liquidation_block_limit=Atoms(0),
        )
        markets = markets.put(id, evolve(market, rules=rules))
    return evolve(state, markets=markets)


@given(states())
def test_a_fill_at_the_bankruptcy_tick_needs_no_fund_and_one_tick_beyond_does(state: State) -> None:
    rulebook = evolve(
        state.rulebook,
        insurance_backs_fills=False,
        liquidation_target=Rate(0),
        liquidation_block_limit=Atoms(0),
    )
    state = without_gates(evolve(state, rulebook=rulebook))
    rich = AccountId("rich")
    # somebody who can be maker of anything
    state = does(state, Deposit, rich, 10**9)
    tried = 0
    for id, account in sorted(state.accounts.items()):
        for market, position in account.positions.items():
            tick = queries.bankruptcy_tick(state, id, market)
            assert tick is not None
            if not queries.is_liquidatable(state, id):
                continue
            size, worse = abs(position.size), tick - 1 if position.size > 0 else tick + 1
            for price, rule in ((tick, None), (worse, Rule.WORSE_THAN_BANKRUPTCY)):
                if price > 0:
                    tried += 1
                    assert ask(state, LiquidationFill, id, rich, market, size, price)[1] is rule
    assume(tried > 0)


@given(states(), st.integers(-900_000, 900_000).map(Rate))
def test_a_stress_is_marking_and_looking(state: State, shock: Rate) -> None:
    market_id, market = min(state.markets.items())
    assert market is not None
    mark = market.mark_price * (1_000_000 + shock) // 1_000_000
    assume(mark > 0)
    marked = does(state, MarkPrice, market_id, mark)
    report = queries.stress(state, {market_id: shock})

    assert report.before == queries.get_exposure(marked)
    assert report.before.equities == {id: queries.equity(marked, id) for id, _ in marked.accounts.items()}
    assert report.after == queries.get_exposure(report.resolution.state)
    assert set(report.after.below_maintenance) == set(report.resolution.unresolved)
