"""Where a walk starts: a rulebook, markets and money, drawn by a seeded ``Random``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, NamedTuple

import attrs

from riskcore import events
from riskcore.choices import AdlSize, Allocation, CloseOut, LossSharing, RankPolicy, TierRule
from riskcore.quantities import RATE_ONE, AccountId, Atoms, MarketId, Rate, Time
from riskcore.rulebook import MarketRules, Rulebook
from riskcore.testing.desk import Desk
from riskcore.testing.rulebooks import HOUR, TRADERS, VAULT, make_rules


class Scenario(NamedTuple):
    """Where a walk starts."""

    rulebook: Rulebook
    markets: dict[str, tuple[MarketRules, int]]
    deposits: dict[str, int]
    insurance: int
    debts: dict[str, int]


def draw_rate(random: Random, *usual: int) -> int:
    return random.choice(usual) if random.random() < 0.85 else random.randint(0, RATE_ONE)


def draw_rules(random: Random, wealth: int = 10**6) -> MarketRules:
    """Admissible rules: mostly usual rates, now and then any; none to three tiers that ``wealth`` atoms reach."""
    initial = max(1, draw_rate(random, 20_000, 50_000, 100_000, 200_000, 500_000))
    maintenance = max(1, initial * random.choice((1, 3, 5, 9, 10)) // 10)
    taker = draw_rate(random, 0, 350, 500, 1000)
    maker = random.choice((0, -taker, -taker // 3, taker // 2, min(taker * 3, RATE_ONE)))
    liquidation = draw_rate(random, 0, 5000, 12_500, 100_000)
    tiers = []
    floor, one, other = 0, initial, maintenance
    for _ in range(random.choice((0, 0, 0, 1, 2, 3))):
        floor += random.randint(1, 3 * wealth)
        one = random.choice((one, min(one * 2, RATE_ONE), random.randint(one, RATE_ONE)))
        other = random.choice((other, min(other * 2, one), random.randint(other, one)))
        tiers.append((floor, one, other))
    low = random.choice((0, random.randint(1, 5 * wealth)))
    scaling = random.choice((*[(0, 0)] * 4, (low, low + random.randint(1, 30 * wealth))))
    rule = random.choice(tuple(TierRule))
    share = random.choice((RATE_ONE, RATE_ONE, 200_000, random.randint(1, RATE_ONE)))
    gates = (
        share,
        random.choice((0, 0, random.randint(0, wealth))),
        random.choice((1, 1, 1, 1, 2, random.randint(1, 9))),
    )
    plain = make_rules(initial, maintenance, taker, maker, liquidation, tuple(tiers), rule, scaling, gates)
    return attrs.evolve(
        plain,
        mark_move_limit=Rate(random.choice((0, 0, 0, 0, 0, 200_000))),
        mark_age_limit=Time(random.choice((0, 0, 0, 0, 1500, 9 * HOUR))),
        fill_price_band=Rate(random.choice((0, 0, 0, 0, 0, 20_000))),
        liquidation_tier_step=random.random() < 0.8,
        liquidation_block_limit=Atoms(random.choice((0, 0, 0, 0, 0, random.randint(1, 2 * wealth)))),
        vault_position_limit=Atoms(random.choice((0, 0, 0, random.randint(1, wealth)))),
        mark_index_band=Rate(random.choice((0, 0, 0, 0, 0, 150_000))),
        # nothing is drawn for it, so that walks are as they were
        insurance_separate=(initial + taker + liquidation) % 3 == 0,
        open_interest_limit=Atoms((maintenance % 7 + 1) * wealth if (maintenance // 100 + taker) % 7 == 3 else 0),
        index_age_limit=Time((0, 0, 0, 2500, 9 * HOUR)[(initial // 100 + liquidation) % 5]),
        index_move_limit=Rate((0, 0, 0, 0, 50_000)[(maintenance + liquidation) % 5]),
    )


def draw_scenario(random: Random) -> Scenario:
    """An admissible venue with some money in it; units from a lot worth an atom to 1e15 atoms."""
    scale = 10 ** random.choice((0, 1, 2, 4, 8, 13))
    wealth = 10 ** random.choice((1, 2, 3, 5)) * scale
    markets = {
        name: (draw_rules(random, wealth), random.randint(1, 99) * max(1, scale // random.choice((1, 10, 100))))
        for name in ("BTC", "ETH", "DOGE")[: random.choice((1, 2, 2, 3))]
    }
    rulebook = Rulebook(
        vault=AccountId(VAULT),
        vault_position_limit=Atoms(random.choice((0, wealth // 3, wealth * 2, wealth * 10**6))),
        insurance_floor=Atoms(random.choice((0, 0, wealth // 50))),
        insurance_backs_fills=random.random() < 0.5,
        insurance_fill_band=Rate(random.choice((0, 5_000, 50_000, 1_000_000))),
        insurance_before_adl=(before_adl := random.random() < 0.5),
        adl_solvent=random.random() < 0.8,
        adl_requires_profit=random.random() < 0.65,
        adl_rank=random.choice(tuple(RankPolicy)),
        funding_interval=Time(random.choice((1, 7, 1000, 8 * HOUR))),
        funding_rate_cap=Rate(random.choice((0, 100, 10_000, 40_000))),
        takeover_rate=Rate(random.choice((RATE_ONE, RATE_ONE, 666_667, 666_667, 0))),
        adl_close_out=random.choice((*[CloseOut.BANKRUPTCY] * 5, *CloseOut)),
        withdrawals_wait=random.random() < 0.2,
        withdrawals_are_cut=random.random() < 0.6,
        vault_deposit_notice=Time(random.choice((0, 0, 1, 2000))),
        vault_redemption_notice=Time(random.choice((0, 0, 1, 2000))),
        vault_request_window=Time(random.choice((0, 1000, 20 * HOUR, 20 * HOUR))),
        vault_deposit_minimum=Atoms(random.choice((1, 1, max(1, wealth // 1000)))),
        insurance_fee_share=Rate(random.choice((0, 0, 333_333, 1_000_000))),
        insurance_draw_limit=Atoms(random.choice((0, 0, max(1, wealth // 50), max(1, wealth // 5)))),
        insurance_draw_window=Time(random.choice((1, 2000, 2000, HOUR))),
        liquidation_window=Time(window := random.choice((0, 0, 1, 5000))),
        liquidation_cooldown=Time(random.choice((0, 1, min(window or 900, 900)))),
        loss_sharing=random.choice(tuple(LossSharing)),
        liquidation_target=Rate(random.choice((0, 0, 0, RATE_ONE, 1_250_000))),
        liquidation_block_limit=Atoms(random.choice((0, 0, 0, 0, random.randint(1, 2 * wealth)))),
        vault_takes_deficits=not before_adl and random.random() < 0.15,
        adl_size=random.choice((AdlSize.WHOLE, AdlSize.NEEDED, AdlSize.NEEDED)),
        adl_seed=(seed := random.randint(-(2**70), 2**70)),
        funding_on_index=random.random() < 0.3,
        # a draw of its own would change all that are drawn after it
        adl_allocation=(*[Allocation.QUEUE] * 4, *Allocation)[seed % 9],
        # nothing is drawn for it either
        has_book=(seed // 9) % 3 == 0,
        rules_notice=Time(random.choice((0, 1, 5000, 5000, 5000))),
        withdrawal_limit=Atoms(random.choice((0, 0, 0, max(1, wealth // 20)))),
        withdrawal_window=Time(9000),
    )
    deposits = {trader: random.randint(1, 100) * wealth // 20 for trader in TRADERS}
    if random.random() < 0.6:
        deposits[VAULT] = random.randint(1, 100) * wealth // 100
    debts = {f"debtor{n}": random.randint(1, wealth) for n in range(random.choice((0, 1, 2)))}
    return Scenario(rulebook, markets, deposits, random.choice((0, wealth // 20, wealth)), debts)


def draw_scenario_under(random: Random, rulebook: Rulebook, markets: Mapping[MarketId, MarketRules]) -> Scenario:
    """A venue of a given rulebook, its vault renamed, on up to three of its markets: as rich as tiers reach."""
    drawn = draw_scenario(random)
    names = random.sample(sorted(markets), min(len(markets), random.choice((1, 2, 2, 3))))
    floors = [tier.floor for name in names for tier in markets[name].tiers]
    # so that positions at initial margin end in any bracket
    wealth = random.choice(floors) // random.choice((1, 5, 20)) + 1 if floors and random.random() < 0.8 else 10**9
    listed = {str(name): (markets[name], max(1, wealth // 10 ** random.randint(2, 5))) for name in names}
    deposits = {trader: random.randint(1, 100) * wealth // 20 + 1 for trader in TRADERS}
    if random.random() < 0.6:
        deposits[VAULT] = random.randint(1, 100) * wealth // 100 + 1
    own = attrs.evolve(rulebook, vault=AccountId(VAULT))
    return Scenario(own, listed, deposits, random.choice((0, wealth // 20, wealth)), drawn.debts)


def list_opening(scenario: Scenario) -> Iterator[tuple[Any, ...]]:
    """The kind and the fields of each event that opens a venue: markets listed, then deposits."""
    for name, (rules, mark) in scenario.markets.items():
        yield events.ListMarket, name, rules, mark
    for account, amount in scenario.deposits.items():
        if amount > 0:
            yield events.Deposit, account, amount
    if scenario.insurance > 0:
        yield events.FundInsurance, scenario.insurance


def open_desk(scenario: Scenario) -> Desk:
    """A desk on which the scenario's markets are listed and its deposits made."""
    desk = Desk(scenario.rulebook, scenario.debts)
    for kind, *fields in list_opening(scenario):
        desk.must(kind, *fields)
    return desk
