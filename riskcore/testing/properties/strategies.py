"""Hypothesis strategies: rulebooks, rules, markets and events of any size and sign."""

from __future__ import annotations

from random import Random

import attrs
from hypothesis import strategies as st

from riskcore import events
from riskcore.choices import AdlSize, Allocation, CloseOut, LossSharing, MarketStatus, RankPolicy, TierRule
from riskcore.events import Event
from riskcore.quantities import RATE_ONE, AccountId, Atoms, Lots, Price, Rate, Time
from riskcore.rulebook import MarketRules, Rulebook, is_admissible_market, is_admissible_rulebook
from riskcore.state import Market
from riskcore.testing.rulebooks import STRANGER, VAULT, make_rules

# and a failing run still shrinks to few events.
randoms = st.integers(0, 2**32).map(Random)


@st.composite
def rulebooks(draw: st.DrawFn) -> Rulebook:
    """Any admissible rulebook."""
    window = draw(st.just(0) | st.integers(0, 10**12))
    before_adl = draw(st.booleans())
    rulebook = Rulebook(
        vault=AccountId(VAULT),
        vault_position_limit=Atoms(draw(st.integers(0, 10**30))),
        insurance_floor=Atoms(draw(st.integers(0, 10**30))),
        insurance_backs_fills=draw(st.booleans()),
        insurance_fill_band=Rate(draw(st.sampled_from((0, 20_000, 1_000_000)))),
        insurance_before_adl=before_adl,
        adl_solvent=draw(st.booleans()),
        adl_requires_profit=draw(st.booleans()),
        adl_rank=draw(st.sampled_from(RankPolicy)),
        funding_interval=Time(draw(st.integers(1, 10**12))),
        funding_rate_cap=Rate(draw(st.integers(0, 10**9))),
        takeover_rate=Rate(draw(st.integers(0, RATE_ONE))),
        loss_sharing=draw(st.sampled_from(LossSharing)),
        adl_close_out=draw(st.sampled_from(CloseOut)),
        withdrawals_wait=draw(st.booleans()),
        withdrawals_are_cut=draw(st.booleans()),
        vault_deposit_notice=Time(draw(st.integers(0, 10**12))),
        vault_redemption_notice=Time(draw(st.integers(0, 10**12))),
        vault_request_window=Time(draw(st.integers(0, 10**12))),
        vault_deposit_minimum=Atoms(draw(st.integers(1, 10**30))),
        insurance_fee_share=Rate(draw(st.integers(0, RATE_ONE))),
        insurance_draw_limit=Atoms(draw(st.just(0) | st.integers(0, 10**30))),
        insurance_draw_window=Time(draw(st.integers(1, 10**12))),
        liquidation_window=Time(window),
        liquidation_cooldown=Time(draw(st.integers(0, window or 10**12))),
        liquidation_target=Rate(draw(st.just(0) | st.integers(RATE_ONE, 10**9))),
        liquidation_block_limit=Atoms(draw(st.just(0) | st.integers(0, 10**30))),
        vault_takes_deficits=not before_adl and draw(st.booleans()),
        adl_size=draw(st.sampled_from(AdlSize)),
        adl_seed=draw(st.integers(-(10**30), 10**30)),
        funding_on_index=draw(st.booleans()),
        adl_allocation=draw(st.sampled_from(Allocation)),
        has_book=draw(st.booleans()),
        rules_notice=Time(draw(st.integers(0, 10**12))),
        withdrawal_limit=Atoms(draw(st.just(0) | st.integers(0, 10**30))),
        withdrawal_window=Time(draw(st.integers(1, 10**12))),
    )
    assert is_admissible_rulebook(rulebook)
    return rulebook


@st.composite
def market_rules(draw: st.DrawFn) -> MarketRules:
    """Any admissible market rules."""
    initial = draw(st.integers(1, RATE_ONE))
    maintenance = draw(st.integers(1, initial))
    taker = draw(st.integers(0, RATE_ONE))
    tiers: list[tuple[int, int, int]] = []
    floor, one, other = 0, initial, maintenance
    for _ in range(draw(st.integers(0, 3))):
        floor += draw(st.integers(1, 1000) | st.integers(1, 10**25))
        one = draw(st.integers(one, RATE_ONE))
        other = draw(st.integers(other, one))
        tiers.append((floor, one, other))
    low = draw(st.integers(0, 10**25))
    rules = make_rules(
        initial,
        maintenance,
        taker,
        draw(st.integers(-taker, RATE_ONE)),
        draw(st.integers(0, RATE_ONE)),
        tuple(tiers),
        draw(st.sampled_from(TierRule)),
        draw(st.sampled_from(((0, 0), (low, low + draw(st.integers(1, 10**25)))))),
        (draw(st.integers(1, RATE_ONE)), draw(st.integers(0, 10**25)), draw(st.integers(1, 100))),
    )
    bounded = attrs.evolve(
        rules,
        mark_move_limit=Rate(draw(st.sampled_from((0, 1, 10**5)) | st.integers(0, 10**9))),
        mark_age_limit=Time(draw(st.sampled_from((0, 1, 1000)) | st.integers(0, 10**12))),
        fill_price_band=Rate(draw(st.sampled_from((0, 1, 10**5)) | st.integers(0, 10**9))),
        liquidation_tier_step=draw(st.booleans()),
        liquidation_block_limit=Atoms(draw(st.just(0) | st.integers(0, 10**25))),
        vault_position_limit=Atoms(draw(st.just(0) | st.integers(0, 10**25))),
        insurance_separate=draw(st.booleans()),
        open_interest_limit=Atoms(draw(st.just(0) | st.integers(0, 10**25))),
        index_age_limit=Time(draw(st.sampled_from((0, 1, 1000)) | st.integers(0, 10**12))),
        index_move_limit=Rate(draw(st.sampled_from((0, 1, 10**5)) | st.integers(0, 10**9))),
    )
    assert is_admissible_market(bounded)
    return bounded


def markets(rules: st.SearchStrategy[MarketRules] | None = None) -> st.SearchStrategy[Market]:
    """Listed markets at any mark, without funding."""
    return st.builds(
        lambda rules, mark: Market(rules, Price(mark), Atoms(0), 0, Time(0), Lots(0)),
        market_rules() if rules is None else rules,
        st.integers(1, 10**20),
    )


amounts = st.one_of(st.integers(-3, 100), st.integers(-(10**6), 10**6), st.integers(-(10**60), 10**60))


names = st.sampled_from(("amber", "birch", "cedar", VAULT, STRANGER))


def any_events() -> st.SearchStrategy[Event]:
    """Any well-typed event, sensible or not: every integer of any size and sign."""
    market, id = st.sampled_from(("BTC", "ETH", "NONE")), st.sampled_from([f"e{n}" for n in range(40)])
    tiers = st.lists(st.tuples(amounts, amounts, amounts), max_size=3).map(tuple)
    figures, rule = (amounts for _ in range(5)), st.sampled_from(TierRule)
    pairs, gates = st.tuples(amounts, amounts), st.tuples(amounts, amounts, amounts)
    rules = st.one_of(market_rules(), st.builds(make_rules, *figures, tiers, rule, pairs, gates))
    head = (id, amounts, amounts)
    return st.one_of(
        st.builds(events.ListMarket, *head, market, rules, amounts),
        st.builds(events.Deposit, *head, names, amounts),
        st.builds(events.Withdraw, *head, names, amounts),
        st.builds(events.Transfer, *head, names, names, amounts),
        st.builds(events.FundInsurance, *head, amounts, st.none() | market),
        st.builds(events.RepayLoss, *head, amounts),
        st.builds(events.AdvanceTime, *head),
        st.builds(events.MarkPrice, *head, market, amounts),
        st.builds(events.IndexPrice, *head, market, amounts),
        st.builds(events.ApplyFunding, *head, market, amounts),
        st.builds(events.Fill, *head, names, names, market, amounts, amounts, st.none() | id),
        st.builds(events.LiquidationFill, *head, names, names, market, amounts, amounts, st.none() | id),
        st.builds(events.Takeover, *head, names, market, amounts),
        st.builds(events.CoverDeficit, *head, names),
        st.builds(
            events.BeginDeleveraging,
            *head,
            names,
            market,
            st.lists(names, max_size=4).map(tuple),
            amounts,
            *(2 * [amounts]),
        ),
        st.builds(events.Deleverage, *head),
        st.builds(events.EndDeleveraging, *head),
        st.builds(events.WriteOff, *head, names),
        st.builds(events.BeginLossSharing, *head, market, st.lists(names, max_size=4).map(tuple)),
        st.builds(events.ShareLoss, *head),
        st.builds(events.SettleMarket, *head, market, amounts),
        st.builds(events.SettlePair, *head, market, names, names),
        st.builds(events.RequestVaultDeposit, *head, names, amounts),
        st.builds(events.ExecuteVaultDeposit, *head, names),
        st.builds(events.CancelVaultDeposit, *head, names),
        st.builds(events.RequestVaultRedemption, *head, names, amounts),
        st.builds(events.ExecuteVaultRedemption, *head, names),
        st.builds(events.SetLeverage, *head, names, market, amounts),
        st.builds(events.PlaceOrder, *head, names, market, amounts, amounts, st.booleans(), st.none() | id),
        st.builds(events.CancelOrder, *head, market, id),
        st.builds(events.SetMarketStatus, *head, market, st.sampled_from(MarketStatus)),
        st.builds(events.DelistMarket, *head, market),
        st.builds(events.ChangeRules, *head, market, rules),
        st.builds(events.ApplyRules, *head, market),
    )
