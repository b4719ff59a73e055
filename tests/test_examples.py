"""The examples do what they say: the crash reaches every stage, the study uses every row it can."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest
from attrs import define, field

from examples import crash, oct10_study
from riskcore import (
    AdvanceTime,
    ApplyRules,
    BeginLossSharing,
    CancelOrder,
    CancelVaultDeposit,
    ChangeRules,
    CoverDeficit,
    Deleverage,
    DelistMarket,
    EndDeleveraging,
    Event,
    ExecuteVaultRedemption,
    LiquidationFill,
    MarkPrice,
    Pay,
    PlaceOrder,
    RankPolicy,
    Reason,
    RepayLoss,
    SetMarketStatus,
    ShareLoss,
    Stage,
    State,
    Takeover,
    Trade,
    WriteOff,
    genesis,
    step,
)
from riskcore.insurance import get_available
from riskcore.log import write_log
from riskcore.margin import get_margin
from riskcore.owners import get_owner
from riskcore.planner import find_below_maintenance
from riskcore.quantities import AccountId, MarketId
from riskcore.transitions import TRANSITIONS


@define
class Tally:
    """What was closed on liquidated accounts: in lots, and in atoms of notional at mark."""

    lots: int = 0
    notional: int = 0

    def add(self, lots: int, mark: int) -> None:
        self.lots += lots
        self.notional += lots * mark


@define
class Story:
    """The crash, read from its events and effects.

    ``insured``: what the fund paid for, whichever stage closed it: fills towards which it
    paid, and closes of an account whose deficit it covered at the same marks.
    """

    state: State
    stages: dict[Stage, Tally] = field(factory=lambda: {stage: Tally() for stage in Stage})
    whole: Tally = field(factory=Tally)
    insured: Tally = field(factory=Tally)
    markets: set[MarketId] = field(factory=set)
    deleveraged: set[AccountId] = field(factory=set)
    insurance_paid: int = 0
    covered: set[AccountId] = field(factory=set)
    first: dict[type[Event], Event] = field(factory=dict)
    is_fund_exhausted: bool = False

    def tell(self, event: Event) -> None:
        episode = self.state.deleveraging
        closed_account = episode.account if episode is not None else getattr(event, "account", None)
        outcome = step(self.state, event)
        assert outcome.rejected is None, (event, outcome.rejected)
        self.state = outcome.state
        self.first.setdefault(type(event), event)
        if isinstance(event, MarkPrice):
            self.covered.clear()
        elif isinstance(event, CoverDeficit):
            self.covered.add(event.account)
            self.is_fund_exhausted |= get_available(self.state, self.state.timestamp) == 0
        paid = sum(line.amount for line in outcome.effects if isinstance(line, Pay) and line.reason is Reason.COVER)
        self.insurance_paid += paid
        for line in outcome.effects:
            if isinstance(line, Trade) and line.stage not in (Stage.ORDINARY, Stage.SETTLEMENT):
                self._close(line, closed_account, paid > 0)

    def _close(self, line: Trade, closed_account: AccountId | None, is_paid: bool) -> None:
        market = self.state.markets.get(line.market)
        assert market is not None and closed_account in (line.buyer, line.seller)
        tallies = [self.stages[line.stage], self.whole]
        if is_paid or closed_account in self.covered:
            tallies.append(self.insured)
        for tally in tallies:
            tally.add(line.lots, market.mark_price)
        self.markets.add(line.market)
        if line.stage is Stage.DELEVERAGING:
            self.deleveraged.add(line.buyer if line.seller == closed_account else line.seller)


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return crash.make_events()


@pytest.fixture(scope="module")
def story(events: list[Event]) -> Story:
    told = Story(genesis(crash.RULEBOOK, mutable=True))
    for event in events:
        told.tell(event)
    return told


def test_the_committed_log_is_what_the_seed_gives(events: list[Event], tmp_path: Path) -> None:
    write_log(tmp_path / "crash.jsonl", crash.RULEBOOK, crash.UNITS, events)
    # not compared as a whole by assert: its explanation would be megabytes
    is_same = (tmp_path / "crash.jsonl").read_bytes() == crash.PATH.read_bytes()

    assert is_same, "run python examples/crash.py"
    assert crash.PATH.stat().st_size < 8_000_000


def test_another_seed_is_another_crash() -> None:
    first = crash.split_lots(1_000, 10, Random(1))
    second = crash.split_lots(1_000, 10, Random(2))

    assert first != second
    assert sum(first) == sum(second) == 1_000


@pytest.mark.parametrize("stage", [Stage.BOOK, Stage.VAULT, Stage.DELEVERAGING])
def test_every_stage_closes_a_twentieth_of_what_is_liquidated(story: Story, stage: Stage) -> None:
    assert story.stages[stage].lots * 20 >= story.whole.lots
    assert story.stages[stage].notional * 20 >= story.whole.notional


def test_insurance_pays_for_a_twentieth_of_what_is_liquidated_and_runs_out(story: Story) -> None:
    assert story.insured.lots * 20 >= story.whole.lots
    assert story.insured.notional * 20 >= story.whole.notional
    # more than its limit leaves it in any one minute
    assert story.insurance_paid > crash.RULEBOOK.insurance_draw_limit
    assert story.is_fund_exhausted


def test_the_crash_is_large(story: Story, events: list[Event]) -> None:
    assert len(story.deleveraged) >= 20
    assert story.markets == set(crash.LISTINGS)
    assert len(story.state.accounts) >= 2_000
    assert min(event.timestamp for event in events if isinstance(event, LiquidationFill)) > crash.CRASH
    assert max(event.timestamp for event in events if isinstance(event, Deleverage)) <= crash.CLOSE
    assert events[-1].timestamp == crash.CLOSE + crash.WEEK


def test_the_stages_come_one_after_the_other(story: Story) -> None:
    stages = (LiquidationFill, Takeover, CoverDeficit, Deleverage)
    sequences = [story.first[stage].sequence for stage in stages]

    assert sorted(sequences) == sequences


#: What else a venue may need; the crash has no order book, no loss that nobody paid, every deposit of its vault is
#: carried out, and its markets stay open under the same rules until they are settled.
UNUSED = {
    AdvanceTime,
    ApplyRules,
    BeginLossSharing,
    CancelOrder,
    CancelVaultDeposit,
    ChangeRules,
    DelistMarket,
    PlaceOrder,
    RepayLoss,
    SetMarketStatus,
    ShareLoss,
    WriteOff,
}


def test_the_crash_uses_the_parts(story: Story) -> None:
    assert set(TRANSITIONS) - UNUSED - {EndDeleveraging} <= set(story.first)
    assert crash.CRASH < story.first[ExecuteVaultRedemption].timestamp <= crash.CLOSE


def test_an_isolated_loss_stays_in_the_sub_account(story: Story) -> None:
    """Who isolated a position still has what he kept beside it, and takes it home where the market ends."""
    isolated = {id for id, _ in story.state.accounts.items() if get_owner(id) != id}
    accounts = {id: story.state.accounts.get(id) for id in isolated}
    emptied = {id for id, account in accounts.items() if account.balance == 0 and not len(account.positions)}
    kept = [story.state.accounts.get(get_owner(id)).balance for id in emptied]

    assert 20 < len(emptied) < len(isolated)
    assert all(balance > 0 for balance, id in zip(kept, emptied, strict=True) if not id.startswith("HYPE"))


def test_large_positions_are_sold_by_shares(events: list[Event]) -> None:
    state, shares = genesis(crash.RULEBOOK, mutable=True), 0
    for event in events:
        if isinstance(event, LiquidationFill):
            shares += abs(state.accounts.get(event.account).positions.get(event.market).size) != event.size
        state = step(state, event).state

    assert shares >= 20


def test_the_crash_ends_with_nobody_below_maintenance(story: Story) -> None:
    assert find_below_maintenance(story.state) == []


ROWS = """account,adl_notional_usd,closed_pnl_usd,account_value_usd,adl_fills,negative_equity
a,5000.9,1000.5,9000.25,3,False
b,3000,600,1000,1,False
c,2000,-100,5000,1,False
dust,0.99,0.1,5,1,False
impossible,10,-10,100,1,False
worthless,10,5,0,1,False
indebted,10,5,-3.5,1,True
"""


def test_rows_become_shorts_and_the_impossible_ones_are_counted() -> None:
    winners = oct10_study.read_winners(ROWS.splitlines())

    assert winners.rows == [
        # 1,000.5 of profit on 5,000.9 of notional is 1,000.319942 on 5,000
        ("a", 5_000, 1_000_319_942, 9_000_250_000),
        ("b", 3_000, 600_000_000, 1_000_000_000),
        ("c", 2_000, -100_000_000, 5_000_000_000),
    ]
    assert winners.excluded == {oct10_study.NO_LOT: 1, oct10_study.NO_ENTRY: 1, oct10_study.NO_VALUE: 2}


@pytest.mark.parametrize(
    ("policy", "touched"), [(RankPolicy.PROFIT_TIMES_LEVERAGE, 2), (RankPolicy.LEVERAGE, 2), (RankPolicy.SIZE, 1)]
)
def test_the_bankrupt_position_is_closed_and_its_deficit_paid(policy: RankPolicy, touched: int) -> None:
    winners = oct10_study.read_winners(ROWS.splitlines())
    state = oct10_study.make_state(winners.rows, 500_000, policy)
    result = oct10_study.deleverage(state)

    # half of 10,000 lots at 1 dollar; 2 % of it is owed. b (leverage 3) comes before a (0.56) and c
    assert result.lots == result.closed == 5_000
    assert result.forgone == 100_000_000
    assert result.unpaid == 0
    assert result.touched == touched
    assert result.top10 == 1


def check_laws(state: State) -> None:
    """Cash and lots sum to zero, and equities, reserves and losses are the pool."""
    reserves = state.reserves
    accounts = [account for _, account in state.accounts.items()]
    sizes = [account.positions.get(oct10_study.MARKET).size for account in accounts]
    market = state.markets.get(oct10_study.MARKET)
    equities = sum(get_margin(account, state.markets).equity for account in accounts)

    assert sum(account.balance for account in accounts) + reserves.outside == 0
    assert sum(sizes) == 0
    assert market is not None and market.open_interest == sum(size for size in sizes if size > 0)
    assert equities == -reserves.outside >= 0


def test_the_state_of_the_study_obeys_the_laws() -> None:
    winners = oct10_study.read_winners(ROWS.splitlines())

    check_laws(oct10_study.make_state(winners.rows, 100_000, RankPolicy.SIZE))


def test_concentration_is_the_share_of_the_largest() -> None:
    closed = Counter({AccountId(f"a{lots}"): lots for lots in range(1, 21)})

    assert oct10_study.get_concentration(closed, 10) == Fraction(155, 210)
    assert oct10_study.get_concentration(closed, 100) == 1
    assert oct10_study.get_concentration(Counter(), 10) == 0


@pytest.fixture(scope="module")
def real_winners() -> oct10_study.Winners:
    path = oct10_study.find_data(None)
    if path is None:
        pytest.skip(f"{oct10_study.FILE} is not here: name its folder in {oct10_study.VARIABLE}")
    with path.open(encoding="utf-8", newline="") as lines:
        return oct10_study.read_winners(lines)


def test_every_real_row_is_loaded_or_counted(real_winners: oct10_study.Winners) -> None:
    assert len(real_winners.rows) + sum(real_winners.excluded.values()) == 19_337
    assert len(real_winners.rows) > 19_000

    check_laws(oct10_study.make_state(real_winners.rows, 250_000, RankPolicy.SIZE))


def test_the_rankings_close_the_same_lots_on_different_accounts(
    real_winners: oct10_study.Winners, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oct10_study, "SHARES_PPM", (250_000,))
    results = list(oct10_study.study(real_winners.rows, tmp_path))
    lots = sum(winner.lots for winner in real_winners.rows) // 4
    paid = lots * oct10_study.MARK // 50

    assert [result.policy for result in results] == list(oct10_study.POLICIES)
    assert {(result.lots, result.closed, result.forgone, result.unpaid) for result in results} == {
        (lots, lots, paid, 0)
    }
    assert len({result.state_hash for result in results}) == 3
    # size takes the fewest accounts that there can be
    largest = sorted((winner.lots for winner in real_winners.rows), reverse=True)
    fewest = next(count for count in range(len(largest)) if sum(largest[:count]) >= lots)
    assert results[2].touched == fewest
    assert min(results[0].touched, results[1].touched) > fewest
