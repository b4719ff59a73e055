"""Random venues for tests of what stands around the kernel, as a Hypothesis strategy.

They are built directly, without margin checks, so that they reach what no orderly
history would: accounts deep under water on both sides, a bankrupt vault, unsettled funding.
Every law of conservation holds in them.
"""

from __future__ import annotations

from attrs import evolve
from hypothesis import strategies as st

from riskcore import (
    Account,
    Allocation,
    Leverages,
    LossSharing,
    Market,
    MarketRules,
    Position,
    Positions,
    RankPolicy,
    Reserves,
    Rulebook,
    State,
    Tier,
    TierRule,
    genesis,
)
from riskcore.quantities import RATE_ONE, AccountId, Atoms, Leverage, Lots, MarketId, Price, Rate, Time

VAULT = AccountId("vault")
RATES = [(1, 1), (20_000, 10_000), (100_000, 50_000), (100_000, 100_000), (1_000_000, 1_000_000), (500_000, 30_000)]


@st.composite
def rulebooks(draw: st.DrawFn, adl_solvent: bool | None = None, with_cooldown: bool = False) -> Rulebook:
    """Any admissible rulebook, without a cooldown unless asked for."""
    return Rulebook(
        vault=VAULT,
        vault_position_limit=Atoms(draw(st.sampled_from([0, 100, 5_000, 10**9]))),
        insurance_floor=Atoms(draw(st.sampled_from([0, 50]))),
        insurance_backs_fills=draw(st.booleans()),
        insurance_fill_band=Rate(draw(st.sampled_from((0, 20_000, 1_000_000)))),
        insurance_before_adl=(before_adl := draw(st.booleans())),
        adl_solvent=draw(st.booleans()) if adl_solvent is None else adl_solvent,
        adl_requires_profit=draw(st.booleans()),
        adl_rank=draw(st.sampled_from(RankPolicy)),
        funding_interval=Time(1_000),
        funding_rate_cap=Rate(10_000),
        insurance_draw_limit=Atoms(draw(st.sampled_from([0, 0, 70]))),
        insurance_draw_window=Time(1_000),
        liquidation_window=Time(window := draw(st.sampled_from((0, 0, 5)))),
        liquidation_cooldown=Time(draw(st.sampled_from((0, window or 5)))) if with_cooldown else Time(0),
        loss_sharing=draw(st.sampled_from(LossSharing)),
        liquidation_target=Rate(draw(st.sampled_from((0, 0, RATE_ONE, 1_300_000)))),
        liquidation_block_limit=Atoms(draw(st.sampled_from((0, 300, 5_000)))) if with_cooldown else Atoms(0),
        vault_takes_deficits=not before_adl and draw(st.booleans()),
        adl_allocation=draw(st.sampled_from(Allocation)),
    )


@st.composite
def markets(draw: st.DrawFn) -> Market:
    initial, maintenance = draw(st.sampled_from(RATES))
    tiers: list[Tier] = []
    floor, higher, other = 0, initial, maintenance
    for _ in range(draw(st.sampled_from((0, 0, 1, 2, 3)))):
        floor += draw(st.integers(1, 50) | st.integers(51, 20_000))
        higher = draw(st.sampled_from((higher, min(2 * higher, RATE_ONE), RATE_ONE)))
        other = draw(st.sampled_from((other, min(2 * other, higher), higher)))
        tiers.append(Tier(Atoms(floor), Rate(higher), Rate(other)))
    scaling = draw(st.sampled_from(((0, 0), (0, 0), (100, 40_000))))
    rules = MarketRules(
        Rate(initial),
        Rate(maintenance),
        Rate(500),
        Rate(-100),
        Rate(draw(st.sampled_from([0, 5_000, 40_000]))),
        tiers=tuple(tiers),
        tier_rule=draw(st.sampled_from(TierRule)),
        open_interest_floor=Atoms(scaling[0]),
        open_interest_cap=Atoms(scaling[1]),
        liquidation_share=Rate(draw(st.sampled_from((RATE_ONE, RATE_ONE, 200_000, 1)))),
        liquidation_share_floor=Atoms(draw(st.sampled_from((0, 0, 500, 20_000)))),
        minimum_size=Lots(draw(st.sampled_from((1, 1, 1, 2, 7, 30)))),
        liquidation_tier_step=draw(st.booleans()),
        vault_position_limit=Atoms(draw(st.sampled_from((0, 0, 0, 2_000)))),
    )
    mark = draw(st.integers(1, 30) | st.integers(31, 2_000))
    return Market(rules, Price(mark), Atoms(draw(st.integers(-3, 3))), 0, Time(0), Lots(0))


@st.composite
def states(draw: st.DrawFn, adl_solvent: bool | None = None, with_cooldown: bool = False) -> State:
    """A venue of a vault, two to six accounts and one to three markets."""
    listed = {MarketId(name): draw(markets()) for name in "XYZ"[: draw(st.integers(1, 3))]}
    ids = [VAULT, *(AccountId(name) for name in "abcdef"[: draw(st.integers(2, 6))])]
    book: dict[AccountId, dict[MarketId, Position]] = {id: {} for id in ids}
    for market_id, market in listed.items():
        sizes = [draw(st.just(0) | st.integers(-60, 60)) for _ in ids[1:]]
        for id, size in zip(ids, [-sum(sizes), *sizes], strict=True):
            entry = max(1, market.mark_price * draw(st.integers(50, 150)) // 100)
            index = Atoms(market.funding_index - draw(st.integers(-1, 1)))
            book[id][market_id] = Position(Lots(size), Atoms(size * entry), index)
    accounts = {id: _make_account(draw, book[id], listed) for id in ids}
    for id in ids[:2]:
        chosen = {market_id: Leverage(draw(st.sampled_from((0, 0, 0, 1, 2, 3, 7)))) for market_id in listed}
        accounts[id] = evolve(accounts[id], leverages=Leverages(chosen))
    return _assemble(draw(rulebooks(adl_solvent, with_cooldown)), accounts, listed, draw(st.integers(0, 400)))


def _make_account(draw: st.DrawFn, held: dict[MarketId, Position], listed: dict[MarketId, Market]) -> Account:
    """An account whose equity is somewhere around what its positions require."""
    notional = sum(abs(position.size) * listed[market_id].mark_price for market_id, position in held.items())
    worth = sum(position.size * listed[market_id].mark_price for market_id, position in held.items())
    equity = notional * draw(st.integers(-20, 40)) // 100 + draw(st.integers(-5, 5) | st.integers(-300, 2_000))
    return Account(Atoms(equity - worth), Positions(held))


def _assemble(
    rulebook: Rulebook, accounts: dict[AccountId, Account], listed: dict[MarketId, Market], insurance: int
) -> State:
    state = genesis(rulebook)
    table, market_table = state.accounts, state.markets
    transit = 0
    owed = sum(account.balance for account in accounts.values()) + insurance
    # somebody flat and rich, so that the pool is not below zero
    accounts = {**accounts, AccountId("rich"): Account(Atoms(max(-owed, 0) + 10_000), Positions())}
    for id, account in accounts.items():
        table = table.put(id, account)
        transit += sum(position.size * position.entry_index for _, position in account.positions.items())
    for market_id, market in listed.items():
        held = sum(max(account.positions.get(market_id).size, 0) for account in accounts.values())
        market_table = market_table.put(
            market_id, Market(market.rules, market.mark_price, market.funding_index, 0, Time(0), Lots(held))
        )
    cash = sum(account.balance for account in accounts.values())
    reserves = Reserves(Atoms(-cash - insurance - transit), Atoms(insurance), Atoms(0), Atoms(transit), Atoms(0))
    return State(rulebook, table, market_table, state.seen, reserves, None, 0, Time(0))
