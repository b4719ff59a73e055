"""The planner: whatever state it is given, it proposes what the kernel accepts, and it ends."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from riskcore import (
    Account,
    BeginDeleveraging,
    CoverDeficit,
    Deleverage,
    Deleveraging,
    Deposit,
    EndDeleveraging,
    Event,
    Fill,
    FundInsurance,
    LiquidationFill,
    ListMarket,
    Market,
    MarketRules,
    MarkPrice,
    Position,
    Positions,
    RankPolicy,
    Rejected,
    Resting,
    RestingOrders,
    Rule,
    Rulebook,
    SettleMarket,
    SettlePair,
    State,
    Takeover,
    WriteOff,
    genesis,
    step,
)
from riskcore.capacity import (
    TAKEOVER_PROBES,
    compute_fill_sizes,
    compute_opening,
    compute_queue,
    compute_takeover_size,
)
from riskcore.liquidation import get_equity_share
from riskcore.margin import get_margin, is_below_maintenance
from riskcore.monitor import Monitor
from riskcore.planner import (
    Liquidity,
    Offer,
    find_below_maintenance,
    resolve,
    settle,
)
from riskcore.quantities import AccountId, Atoms, EventId, Lots, MarketId, Price, Rate, Time
from riskcore.ranking import certify
from riskcore.tables import DictTable
from riskcore.testing.properties.states import VAULT, states
from riskcore.vault import can_take_over

A, B, C, D = (AccountId(name) for name in "abcd")
BTC, ETH = MarketId("BTC"), MarketId("ETH")
RULES = MarketRules(Rate(100_000), Rate(50_000), Rate(0), Rate(0), Rate(5_000))
RULEBOOK = Rulebook(
    vault=VAULT,
    vault_position_limit=Atoms(0),
    insurance_floor=Atoms(0),
    insurance_backs_fills=True,
    insurance_fill_band=Rate(1_000_000),
    insurance_before_adl=True,
    adl_solvent=True,
    adl_requires_profit=False,
    adl_rank=RankPolicy.PROFIT_TIMES_LEVERAGE,
    funding_interval=Time(28_800_000),
    funding_rate_cap=Rate(40_000),
)


@st.composite
def liquidity(draw: st.DrawFn) -> Liquidity:
    """Offers of anybody, the accounts in trouble among them, around any price."""
    ids = st.sampled_from([AccountId(name) for name in ("rich", "a", "b", "vault", "nobody")])
    offer = st.builds(
        Offer, ids, st.integers(1, 60).map(Price) | st.integers(1, 2_500).map(Price), st.integers(1, 50).map(Lots)
    )

    def side(sign: int) -> dict[MarketId, tuple[Offer, ...]]:
        return {
            MarketId(name): tuple(sorted(draw(st.lists(offer, max_size=4)), key=lambda offer: sign * offer.price))
            for name in "XYZ"
        }

    return Liquidity(bids=side(-1), asks=side(1))


def get_equities(state: State) -> dict[AccountId, int]:
    accounts = state.accounts.items()
    return {id: get_margin(account, state.markets).equity for id, account in accounts}


def get_measure(state: State) -> tuple[int, int, int, int]:
    """What each round lowers: deficits and what is uncovered, open interest, lots below maintenance, deficits."""
    below = [state.accounts.get(id) for _, id in find_below_maintenance(state)]
    open_interest = sum(market.open_interest for _, market in state.markets.items() if market is not None)
    lots = sum(abs(position.size) for account in below for _, position in account.positions.items())
    deficits = -sum(min(equity, 0) for equity in get_equities(state).values())
    return deficits - state.reserves.uncovered, open_interest, lots, deficits


def replay(state: State, events: tuple[Event, ...]) -> list[State]:
    """The state after each event; every one must be accepted."""
    passed = [state]
    for event in events:
        outcome = step(passed[-1], event)
        assert outcome.rejected is None, (event, outcome.rejected)
        passed.append(outcome.state)
    return passed


@given(states(adl_solvent=True), liquidity(), st.booleans())
def test_at_fixed_marks_nobody_is_left_below_maintenance(state: State, offers: Liquidity, partial: bool) -> None:
    resolution = resolve(state, offers, partial=partial)

    assert find_below_maintenance(resolution.state) == []
    assert resolution.unresolved == ()
    assert resolution.state.deleveraging is None


@given(states(), liquidity(), st.booleans())
def test_each_round_lowers_the_measure_and_every_event_is_the_kernels(
    state: State, offers: Liquidity, partial: bool
) -> None:
    resolution = resolve(state, offers, partial=partial)
    passed = replay(state, resolution.events)
    # a deleveraging is one round from its beginning to its end, and so is a sharing
    rounds = [get_measure(state) for state in passed if state.deleveraging is None and state.sharing is None]

    assert all(after < before for before, after in pairwise(rounds))
    assert sorted(passed[-1].accounts.items()) == sorted(resolution.state.accounts.items())
    assert passed[-1].reserves == resolution.state.reserves
    assert {id for _, id in find_below_maintenance(passed[-1])} == set(resolution.unresolved)


@given(states(adl_solvent=True, with_cooldown=True), liquidity(), st.booleans())
def test_who_waits_is_left_to_wait_and_found_when_time_has_passed(
    state: State, offers: Liquidity, partial: bool
) -> None:
    rulebook = state.rulebook
    left = resolve(state, offers, partial=partial)
    waiting = {id for id in left.unresolved if left.state.accounts.get(id).liquidated == left.state.timestamp}
    later = Time(left.state.timestamp + max(rulebook.liquidation_cooldown, 1))
    done = resolve(left.state, timestamp=later)

    assert waiting == set(left.unresolved)
    assert rulebook.liquidation_cooldown + rulebook.liquidation_block_limit > 0 or not waiting
    assert replay(state, left.events)[-1].reserves == left.state.reserves
    assert done.unresolved == ()


@given(states(), liquidity())
def test_nothing_is_made_or_lost_and_longs_equal_shorts(state: State, offers: Liquidity) -> None:
    after = resolve(state, offers).state
    reserves = after.reserves
    owned = reserves.outside + reserves.insurance + reserves.fees + reserves.transit + reserves.uncovered

    assert owned + sum(account.balance for _, account in after.accounts.items()) == 0
    for market_id, _ in after.markets.items():
        assert sum(account.positions.get(market_id).size for _, account in after.accounts.items()) == 0


@given(states(adl_solvent=True))
def test_the_queue_is_the_one_that_the_kernel_certifies(state: State) -> None:
    for id, account in sorted(state.accounts.items()):
        margin = get_margin(account, state.markets)
        for market_id, position in account.positions.items():
            market = state.markets.get(market_id)
            assert market is not None
            lots = abs(position.size)
            share = -get_equity_share(margin, market, position.size, lots)
            queue, level_lots, level_weight = compute_opening(state, id, market_id)
            figures = id, market_id, Lots(lots), Atoms(share), Lots(0)
            episode = Deleveraging(*figures, queue, 0, Atoms(0), 0, level_lots, level_weight)
            certificate = certify(state, market, position.size, episode)

            assert certificate.is_ranked
            assert certificate.remainder >= 0


@given(states(), st.just((0, 0)) | st.tuples(st.integers(0, 40), st.integers(0, 40)))
def test_the_vault_is_offered_the_most_it_can_take(state: State, orders: tuple[int, int]) -> None:
    resting = RestingOrders({market_id: Resting(*orders, max(orders)) for market_id, _ in state.markets.items()})
    vault_account = evolve(state.accounts.get(VAULT), resting=resting)
    state = evolve(state, accounts=state.accounts.put(VAULT, vault_account))
    vault = get_margin(vault_account, state.markets)
    for id, account in sorted(state.accounts.items()):
        margin = get_margin(account, state.markets)
        for market_id, position in account.positions.items():
            if id == VAULT or not is_below_maintenance(margin):
                continue
            market = state.markets.get(market_id)
            assert market is not None
            sizes = [
                lots
                for lots in range(1, abs(position.size) + 1)
                if can_take_over(state, market_id, market, margin, position.size, lots, vault_account)
            ]
            found = compute_takeover_size(state, id, market_id)

            if vault.equity >= 0:
                assert max(sizes, default=0) == found
            else:
                assert found in sizes or (found == 0 and 1 not in sizes)


def test_where_rounding_decides_over_many_lots_the_size_is_accepted_and_nearly_the_most() -> None:
    # initial equals maintenance and equity is an atom short of it: a lot costs the vault next to nothing
    rules = MarketRules(Rate(50_000), Rate(50_000), Rate(0), Rate(0), Rate(0))
    lots = 1_000_000
    held = Positions({BTC: Position(Lots(lots), Atoms(lots), Atoms(0))})
    state = genesis(evolve(RULEBOOK, vault_position_limit=Atoms(10**9)))
    accounts = state.accounts.put(A, Account(Atoms(49_999 - lots), held)).put(VAULT, Account(Atoms(1), Positions()))
    market = Market(rules, Price(1), Atoms(0), 0, Time(0), Lots(lots))
    state = evolve(state, accounts=accounts, markets=state.markets.put(BTC, market))
    size = compute_takeover_size(state, A, BTC)
    header = EventId("t"), 1, Time(0)

    assert size >= TAKEOVER_PROBES // 2
    assert step(state, Takeover(*header, A, BTC, Lots(size))).rejected is None


# The plain cases: a is long 100 lots from 1,000 with 11,000 atoms, below maintenance from 936 down.


class Venue:
    """A state that is driven by events without headers."""

    def __init__(self, rulebook: Rulebook = RULEBOOK, mutable: bool = False) -> None:
        self.state = genesis(rulebook, mutable=mutable)
        self.does(ListMarket, BTC, RULES, 1_000)
        for id, cash in ((A, 11_000), (B, 50_000), (C, 100_000)):
            self.does(Deposit, id, cash)

    def does(self, event: type[Event], *fields: object) -> None:
        sequence = self.state.sequence + 1
        outcome = step(self.state, event(EventId(f"e{sequence}"), sequence, Time(sequence), *fields))  # type: ignore[arg-type]
        assert outcome.rejected is None, outcome.rejected
        self.state = outcome.state


def make_venue(mark: int, rulebook: Rulebook = RULEBOOK, insurance: int = 0, mutable: bool = False) -> State:
    """``a`` long 100 lots from 1,000, ``b`` short 60 and ``c`` short 40, marked to ``mark``."""
    venue = Venue(rulebook, mutable)
    if insurance:
        venue.does(FundInsurance, insurance)
    venue.does(Fill, A, B, BTC, 60, 1_000)
    venue.does(Fill, A, C, BTC, 40, 1_000)
    venue.does(MarkPrice, BTC, mark)
    return venue.state


def bid(*offers: tuple[AccountId, int, int]) -> Liquidity:
    return Liquidity(bids={BTC: tuple(Offer(maker, Price(price), Lots(lots)) for maker, price, lots in offers)})


def get_kinds(events: tuple[Event, ...]) -> list[type[Event]]:
    return [type(event) for event in events]


def get_fills(events: tuple[Event, ...]) -> list[tuple[AccountId, int]]:
    return [(event.maker, event.size) for event in events if isinstance(event, LiquidationFill)]


def test_a_healthy_venue_needs_nothing() -> None:
    state = make_venue(mark=937)
    resolution = resolve(state, bid((C, 936, 50)))

    assert resolution.events == ()
    assert resolution.state is state
    assert resolution.liquidity == bid((C, 936, 50))


def test_a_partial_fill_stops_where_the_account_is_healthy() -> None:
    # at 935: equity 4,500 of 4,675; each lot sold frees 46.75 and costs a fee of 4.675
    resolution = resolve(make_venue(mark=935), bid((C, 935, 50)))

    assert get_fills(resolution.events) == [(C, 5)]
    assert resolution.liquidity == bid((C, 935, 45))


def test_a_full_fill_takes_all_that_is_offered() -> None:
    resolution = resolve(make_venue(mark=935), bid((C, 935, 120)), partial=False)

    assert get_fills(resolution.events) == [(C, 100)]
    assert resolution.liquidity == bid((C, 935, 20))


def test_a_full_fill_that_heals_the_account_is_its_last() -> None:
    resolution = resolve(make_venue(mark=935), bid((C, 935, 70), (B, 934, 70)), partial=False)

    assert get_fills(resolution.events) == [(C, 70)]
    assert resolution.liquidity == bid((B, 934, 70))


def test_the_best_price_is_used_first_and_a_price_beyond_bankruptcy_not_at_all() -> None:
    # bankruptcy is at 890
    rulebook = evolve(RULEBOOK, insurance_backs_fills=False)
    resolution = resolve(make_venue(mark=900, rulebook=rulebook), bid((C, 891, 40), (B, 889, 60)), partial=False)

    assert get_fills(resolution.events) == [(C, 40)]
    assert resolution.liquidity == bid((B, 889, 60))
    assert BeginDeleveraging in get_kinds(resolution.events)


def test_what_the_fund_has_decides_how_much_is_filled_beyond_bankruptcy() -> None:
    # a lot at 885 costs the fund 5 atoms
    resolution = resolve(make_venue(mark=900, insurance=103), bid((C, 885, 50)), partial=False)

    assert get_fills(resolution.events)[0] == (C, 20)
    assert resolution.state.reserves.insurance == 3


def test_an_account_does_not_take_its_own_offer() -> None:
    resolution = resolve(make_venue(mark=935), bid((A, 936, 50), (C, 935, 50)))

    assert get_fills(resolution.events) == [(C, 5)]
    assert resolution.liquidity == bid((A, 936, 50), (C, 935, 45))


def test_an_offer_that_its_maker_cannot_honour_is_dropped() -> None:
    resolution = resolve(make_venue(mark=935), bid((D, 936, 50), (C, 935, 50)))

    assert get_fills(resolution.events) == [(C, 5)]
    assert resolution.liquidity == bid((C, 935, 45))


def test_a_maker_takes_what_its_margin_allows() -> None:
    venue = Venue()
    venue.does(Deposit, D, 935)
    venue.does(Fill, A, B, BTC, 100, 1_000)
    venue.does(MarkPrice, BTC, 935)
    resolution = resolve(venue.state, bid((D, 935, 50)), partial=False)

    assert get_fills(resolution.events) == [(D, 10)]
    assert resolution.liquidity == bid((D, 935, 40))


def test_the_vault_takes_over_up_to_its_limit_and_the_rest_is_deleveraged() -> None:
    rulebook = evolve(RULEBOOK, vault=C, vault_position_limit=Atoms(935 * 25))
    resolution = resolve(make_venue(mark=935, rulebook=rulebook))

    # c sheds its 40 short lots, and takes 25 more
    assert get_kinds(resolution.events) == [Takeover, BeginDeleveraging, Deleverage]
    assert resolution.state.accounts.get(C).positions.get(BTC).size == 25
    assert resolution.state.accounts.get(A).positions == Positions()


def test_insurance_covers_before_anyone_is_deleveraged() -> None:
    resolution = resolve(make_venue(mark=880, insurance=1_500))

    assert get_kinds(resolution.events) == [CoverDeficit, BeginDeleveraging, Deleverage, Deleverage]
    assert resolution.state.reserves.insurance == 500


def test_a_deficit_that_no_queue_can_bear_is_booked_and_the_lots_are_closed() -> None:
    rulebook = evolve(RULEBOOK, adl_requires_profit=True)
    venue = Venue(rulebook)
    venue.does(Fill, A, B, BTC, 100, 1_000)
    venue.does(MarkPrice, BTC, 500)
    # b sells its profit and is short anew, without any
    venue.does(Deposit, D, 200_000)
    venue.does(Fill, D, B, BTC, -100, 500)
    resolution = resolve(venue.state)

    assert get_kinds(resolution.events) == [BeginDeleveraging, EndDeleveraging, BeginDeleveraging, Deleverage]
    assert resolution.state.reserves.uncovered == -39_000
    assert resolution.state.accounts.get(A) == Account(Atoms(0), Positions())


def test_the_debt_of_a_flat_account_is_covered_as_far_as_it_goes_and_then_written_off() -> None:
    state = make_venue(mark=880, rulebook=evolve(RULEBOOK, insurance_before_adl=False), insurance=400)
    indebted = Account(Atoms(-900), Positions())
    state = evolve(state, accounts=state.accounts.put(D, indebted))
    resolution = resolve(state)

    # a owes 1,000 and comes first, but is open: its counterparties pay
    assert get_kinds(resolution.events)[-2:] == [CoverDeficit, WriteOff]
    assert resolution.state.reserves.uncovered == -500
    assert resolution.state.accounts.get(D).balance == 0


def test_where_the_rulebook_spares_the_solvent_the_account_stays_unresolved() -> None:
    resolution = resolve(make_venue(mark=935, rulebook=evolve(RULEBOOK, adl_solvent=False)))

    assert resolution.events == ()
    assert resolution.unresolved == (A,)


def test_a_counterparty_left_below_maintenance_is_found_by_the_same_resolution() -> None:
    venue = Venue()
    venue.does(ListMarket, ETH, RULES, 1_000)
    venue.does(Fill, A, B, BTC, 100, 1_000)
    venue.does(Fill, B, C, ETH, 200, 1_000)
    venue.does(MarkPrice, BTC, 840)
    venue.does(MarkPrice, ETH, 730)
    # b has 12,000 of 11,500; it pays 5,000 for a, which frees 4,200 only
    assert [id for _, id in find_below_maintenance(venue.state)] == [A]
    resolution = resolve(venue.state)
    opened = [event.account for event in resolution.events if isinstance(event, BeginDeleveraging)]

    assert opened == [A, B]
    assert find_below_maintenance(resolution.state) == []


def test_an_open_deleveraging_is_finished_first() -> None:
    state = make_venue(mark=880)
    queue = compute_queue(state, A, BTC)
    opened = step(state, BeginDeleveraging(EventId("begin"), 99, Time(99), A, BTC, queue)).state
    resolution = resolve(opened)

    assert get_kinds(resolution.events) == [Deleverage, Deleverage]
    assert resolution.state.deleveraging is None


def test_events_are_numbered_on_and_named_after_the_prefix() -> None:
    state = make_venue(mark=880)
    resolution = resolve(state, prefix="crash", timestamp=Time(77))
    first = state.sequence + 1

    assert [(event.id, event.sequence, event.timestamp) for event in resolution.events] == [
        (f"crash-{sequence}", sequence, 77) for sequence in range(first, first + 3)
    ]


def test_ids_that_were_accepted_before_are_passed_over() -> None:
    state = make_venue(mark=880)
    plain = resolve(state)
    first = state.sequence + 1
    seen = state.seen
    for number in (first, first + 2):
        seen = seen.put(EventId(f"resolve-{number}"), True)
    resolution = resolve(evolve(state, seen=seen))
    expected = [f"resolve-{number}" for number in (first + 1, first + 3, first + 4)]

    assert expected == [event.id for event in resolution.events]
    assert [event.sequence for event in plain.events] == [event.sequence for event in resolution.events]


def test_a_past_time_is_an_error_also_where_there_is_nothing_to_do() -> None:
    with pytest.raises(ValueError, match="the timestamp must not be before"):
        resolve(make_venue(mark=880), timestamp=Time(1))
    with pytest.raises(ValueError, match="the timestamp must not be before"):
        resolve(genesis(RULEBOOK), timestamp=Time(-5))


@pytest.mark.parametrize(("price", "lots"), [(0, 1), (1, 0), (-1, 1), (1, -1)])
def test_an_offer_has_a_price_and_lots(price: int, lots: int) -> None:
    with pytest.raises(ValueError, match="must be above zero"):
        Offer(A, Price(price), Lots(lots))


def test_both_tables_give_the_same_events() -> None:
    offers = bid((C, 891, 40))
    persistent = resolve(make_venue(mark=880, insurance=50), offers)
    mutable = resolve(make_venue(mark=880, insurance=50, mutable=True), offers)

    assert persistent.events == mutable.events
    assert persistent.effects == mutable.effects


# Markets that end


@given(states(), liquidity(), st.data())
def test_when_all_markets_have_ended_nobody_holds_or_owes_anything(
    state: State, offers: Liquidity, data: st.DataObject
) -> None:
    ends = []
    for number, (market, listed) in enumerate(sorted(state.markets.items())):
        assert listed is not None
        price = Price(data.draw(st.integers(1, 2 * listed.mark_price)))
        sequence = state.sequence + number + 1
        ends.append(SettleMarket(EventId(f"end-{number}"), sequence, state.timestamp, market, price))
    ended = replay(state, tuple(ends))[-1]
    resolution = resolve(ended, offers)
    monitor = Monitor(state)
    watched = state
    for event in (*ends, *resolution.events):
        watched = monitor.step(watched, event).state
    monitor.checkpoint(watched)

    assert monitor.violations == []
    assert resolution.unresolved == ()
    assert {type(event) for event in resolution.events} <= {SettlePair, CoverDeficit, WriteOff}
    for _, account in resolution.state.accounts.items():
        assert len(account.positions) == 0
        assert account.balance >= 0
    assert all(market.open_interest == 0 for _, market in resolution.state.markets.items() if market is not None)


@given(states(adl_solvent=True), liquidity(), st.integers(1, 3_000))
def test_one_market_ends_and_the_others_are_resolved(state: State, offers: Liquidity, price: int) -> None:
    market = MarketId("X")
    resolution = settle(state, market, Price(price), offers)
    passed = replay(state, resolution.events)

    assert isinstance(resolution.events[0], SettleMarket)
    assert sorted(passed[-1].accounts.items()) == sorted(resolution.state.accounts.items())
    assert find_below_maintenance(resolution.state) == []
    assert all(account.positions.get(market).size == 0 for _, account in resolution.state.accounts.items())
    # none but pairs in that market, and pairs in none other
    assert {market} >= {event.market for event in resolution.events if isinstance(event, SettlePair)}
    rest = [event for event in resolution.events[1:] if getattr(event, "market", None) == market]
    assert {SettlePair} >= {type(event) for event in rest}


def test_a_market_ends_before_anything_is_liquidated_elsewhere() -> None:
    venue = Venue()
    venue.does(ListMarket, ETH, RULES, 1_000)
    venue.does(Fill, A, B, BTC, 50, 1_000)
    venue.does(Fill, A, C, ETH, 50, 1_000)
    venue.does(MarkPrice, ETH, 850)
    # a is 2,500 above zero at 850; the end of BTC at 1,100 brings it 5,000
    resolution = settle(venue.state, BTC, Price(1_100))

    assert get_kinds(resolution.events) == [SettleMarket, SettlePair]
    assert resolution.events[1] == SettlePair(*get_header(resolution.events[1]), BTC, A, B)


def get_header(event: Event) -> tuple[EventId, int, Time]:
    return event.id, event.sequence, event.timestamp


def test_what_the_settled_owe_is_covered_and_written_off() -> None:
    # a has 11,000 for 100 lots: at 880 it owes 1,000, of which insurance has 500
    resolution = settle(make_venue(mark=1_000, insurance=500), BTC, Price(880))

    assert get_kinds(resolution.events) == [SettleMarket, SettlePair, SettlePair, CoverDeficit, WriteOff]
    assert resolution.state.reserves.uncovered == -500
    assert resolution.state.accounts.get(A).balance == 0


def test_an_open_deleveraging_is_finished_before_a_market_that_ends_is_settled() -> None:
    venue = Venue()
    venue.does(ListMarket, ETH, RULES, 1_000)
    venue.does(Fill, A, B, BTC, 100, 1_000)
    venue.does(Fill, C, B, ETH, 10, 1_000)
    venue.does(SettleMarket, ETH, 1_000)
    venue.does(MarkPrice, BTC, 880)
    queue = compute_queue(venue.state, A, BTC)
    venue.does(BeginDeleveraging, A, BTC, queue)
    resolution = resolve(venue.state)

    assert get_kinds(resolution.events) == [Deleverage, SettlePair]


def test_in_a_market_that_ends_nothing_can_be_taken_over_and_nobody_is_in_the_queue() -> None:
    state = make_venue(mark=940, rulebook=evolve(RULEBOOK, vault_position_limit=Atoms(10**9)))
    assert compute_queue(state, A, BTC)
    event = SettleMarket(EventId("end"), state.sequence + 1, state.timestamp, BTC, Price(940))
    ended = step(state, event).state

    assert compute_queue(ended, A, BTC) == ()
    assert compute_takeover_size(ended, A, BTC) == 0


def test_a_market_that_cannot_end_is_an_error() -> None:
    state = make_venue(mark=940)
    ended = settle(state, BTC, Price(940)).state

    with pytest.raises(Rejected, match="not listed"):
        settle(state, ETH, Price(940))
    with pytest.raises(Rejected, match="above zero"):
        settle(state, BTC, Price(0))
    with pytest.raises(Rejected, match="being settled"):
        settle(ended, BTC, Price(940))
    with pytest.raises(ValueError, match="the timestamp must not be before"):
        settle(state, BTC, Price(940), timestamp=Time(1))


class CountingTable(DictTable[AccountId, Account]):
    """Counts how often it is gone through."""

    scans = 0

    def items(self) -> Iterator[tuple[AccountId, Account]]:
        CountingTable.scans += 1
        return super().items()


@pytest.mark.parametrize("counterparties", [2, 50, 400])
def test_a_deleveraging_costs_three_scans_however_many_it_touches(counterparties: int) -> None:
    venue = Venue(mutable=True)
    venue.does(Deposit, A, 39_000)
    shorts = [AccountId(f"s{place}") for place in range(counterparties)]
    for short in shorts:
        venue.does(Deposit, short, 40_000)
        venue.does(Fill, A, short, BTC, 400 // counterparties, 1_000)
    venue.does(MarkPrice, BTC, 890)
    table = CountingTable(Account(Atoms(0), Positions()))
    for id, account in venue.state.accounts.items():
        table.put(id, account)
    CountingTable.scans = 0
    resolution = resolve(evolve(venue.state, accounts=table))

    assert get_kinds(resolution.events).count(Deleverage) == counterparties
    assert CountingTable.scans == 3


# Gates: shares, cooldowns and dust


def make_gated(share: int = 1_000_000, minimum: int = 1, mark: int = 935, **rulebook: Any) -> Venue:
    """As ``make_venue``, in a market of this share and minimum size; ``d`` and the vault have money."""
    venue = Venue(evolve(RULEBOOK, **rulebook))
    rules = evolve(RULES, liquidation_share=Rate(share), minimum_size=Lots(minimum))
    market = venue.state.markets.get(BTC)
    assert market is not None
    venue.state = evolve(venue.state, markets=venue.state.markets.put(BTC, evolve(market, rules=rules)))
    venue.does(Deposit, D, 10**6)
    venue.does(Deposit, VAULT, 10**6)
    venue.does(Fill, A, B, BTC, 60, 1_000)
    venue.does(Fill, A, C, BTC, 40, 1_000)
    venue.does(MarkPrice, BTC, mark)
    return venue


def get_sizes(events: tuple[Event, ...]) -> list[int]:
    return [event.size for event in events if isinstance(event, LiquidationFill)]


def test_a_position_is_sold_by_shares() -> None:
    # a fifth of 100, of 80, of 64 is 12.8, of 51 is 10.2
    resolution = resolve(make_gated(200_000, mark=905).state, bid((D, 905, 100)), partial=False)

    assert get_sizes(resolution.events)[:4] == [20, 16, 13, 11]
    assert resolution.unresolved == ()


def test_a_share_first_then_all() -> None:
    venue = make_gated(200_000, mark=905, liquidation_window=30_000)

    assert get_sizes(resolve(venue.state, bid((D, 905, 100)), partial=False).events) == [20, 80]


def test_an_account_that_waits_goes_to_no_later_stage() -> None:
    venue = make_gated(200_000, mark=905, liquidation_cooldown=30_000, vault_position_limit=Atoms(10**9))
    offers = bid((D, 905, 100))
    first = resolve(venue.state, offers, partial=False)
    early, late = (Time(first.state.timestamp + wait) for wait in (29_999, 30_000))

    assert get_kinds(first.events) == [LiquidationFill]
    assert get_sizes(first.events) == [20]
    assert resolve(first.state, offers, timestamp=early).events == ()
    assert first.unresolved == resolve(first.state, offers, timestamp=early).unresolved == (A,)
    assert get_sizes(resolve(first.state, offers, timestamp=late, partial=False).events) == [16]


def test_a_trigger_of_the_vault_does_not_wait() -> None:
    limits: dict[str, Any] = {"vault_position_limit": Atoms(10**9), "takeover_rate": Rate(666_667)}
    venue = make_gated(200_000, mark=905, liquidation_cooldown=30_000, **limits)
    resolution = resolve(venue.state, bid((D, 905, 100)), partial=False)

    assert get_kinds(resolution.events) == [LiquidationFill, Takeover]
    assert resolution.unresolved == ()


def test_an_offer_that_would_leave_its_maker_with_dust_is_passed_over() -> None:
    # 4 lots are too few for d, who has none; 98 of the second would leave a with 2
    resolution = resolve(make_gated(minimum=5, mark=905).state, bid((D, 906, 4), (D, 905, 98)), partial=False)

    assert get_sizes(resolution.events)[0] == 95
    assert resolution.liquidity.bids[BTC][0] == Offer(D, Price(906), Lots(4))


def test_no_more_is_sold_than_is_needed_but_for_dust() -> None:
    # d must take five; b, who is short 60, may take as few as will do
    venue = make_gated(minimum=5, mark=936)
    few, five = resolve(venue.state, bid((B, 936, 50))).events, resolve(venue.state, bid((D, 936, 50))).events

    assert sum(get_sizes(few)) < 5
    assert get_sizes(five) == [5]


#: The rules that bound a fill's size, whatever its price and whoever its maker.
GATES = (
    Rule.LIQUIDATION_SHARE,
    Rule.LIQUIDATION_TARGET,
    Rule.LIQUIDATION_STEP,
    Rule.LIQUIDATION_BLOCK,
    Rule.DUST,
)


@given(states(with_cooldown=True), st.integers(1, 70))
def test_the_sizes_of_a_fill_are_those_that_the_gates_allow(state: State, lots: int) -> None:
    makers, header = (AccountId("rich"), VAULT, A, B), (EventId("t"), 1, Time(0))

    def is_gated(id: AccountId, maker: AccountId, market: MarketId, size: int) -> bool:
        mark = state.markets.get(market)
        assert mark is not None
        event = LiquidationFill(*header, id, maker, market, Lots(size), mark.mark_price)
        return step(state, event).rejected in GATES

    for _, id in find_below_maintenance(state):
        for market_id, position in state.accounts.get(id).positions.items():
            for maker in makers:
                if maker == id:
                    continue
                ranges = compute_fill_sizes(state, id, maker, market_id, Lots(lots), Time(0))
                sizes = range(1, min(lots, abs(position.size)) + 1)
                allowed = [size for size in sizes if not is_gated(id, maker, market_id, size)]

                assert allowed == [size for first, last in reversed(ranges) for size in range(first, last + 1)]
