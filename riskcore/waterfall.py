"""What a run of events did, read off their effects alone.

Per stage of the waterfall: lots closed, how far from mark, who paid. And the
solvency statement: what the pool holds against what it owes.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final, NamedTuple

from attrs import Factory, define

from riskcore.events import Event
from riskcore.journal import Line, Pay, Reason, Reserve, Stage, Trade
from riskcore.margin import get_margin
from riskcore.quantities import AccountId, MarketId
from riskcore.state import State
from riskcore.step import Outcome

#: The stages that close lots, in the waterfall's order.
CLOSING_STAGES: Final = (Stage.BOOK, Stage.VAULT, Stage.DELEVERAGING, Stage.SETTLEMENT)


@define
class Closed:
    """Lots of one market closed in one stage.

    ``notional``: atoms, at the marks of the time. ``gained`` and ``forgone``: atoms by
    which those who took the lots did better than mark, and worse.
    """

    steps: int = 0
    lots: int = 0
    notional: int = 0
    gained: int = 0
    forgone: int = 0


@define
class Waterfall:
    """The tallies. ``takers`` are makers, the vault or deleveraged counterparties; amounts are atoms.

    In a settlement both sides are closed, at mark: it has no takers.
    ``gainers`` and ``forgoers``: the takers who in some step did better than mark, and worse.
    ``insurance_paid``: by stage; ``liquidation_fees``: what it received; ``written_off``: booked to uncovered;
    ``haircuts``: what withdrawals left behind of it; ``repaid``: what came in for it from outside;
    ``shared``: what members of a sharing paid of it, and ``sharers`` are they.
    ``insurance_received``: by reason, what the fund got otherwise; ``insurance_repaid``: what it paid of losses that
    were written off before, which ``insurance_paid`` has too.
    """

    closed: dict[Stage, dict[MarketId, Closed]] = Factory(lambda: defaultdict(lambda: defaultdict(Closed)))
    takers: dict[Stage, set[AccountId]] = Factory(lambda: defaultdict(set))
    gainers: dict[Stage, set[AccountId]] = Factory(lambda: defaultdict(set))
    forgoers: dict[Stage, set[AccountId]] = Factory(lambda: defaultdict(set))
    insurance_paid: dict[Stage, int] = Factory(lambda: defaultdict(int))
    liquidation_fees: int = 0
    written_off: int = 0
    haircuts: int = 0
    repaid: int = 0
    shared: int = 0
    sharers: set[AccountId] = Factory(set)
    insurance_received: dict[Reason, int] = Factory(lambda: defaultdict(int))
    insurance_repaid: int = 0

    def record(self, before: State, event: Event, outcome: Outcome) -> None:
        """Add what one step did; ``before`` is the state that it was applied to."""
        for line in outcome.effects:
            if line.stage is Stage.ORDINARY:
                self._record_ordinary(line)
            elif isinstance(line, Trade) and line.stage is Stage.SETTLEMENT:
                self._add_close(line, outcome.state, 0)
            elif isinstance(line, Trade):
                episode = before.deleveraging
                closed_account = episode.account if episode is not None else getattr(event, "account", None)
                self._record_close(line, outcome.state, line.seller == closed_account)
            else:
                self._record_payment(line)

    def _record_close(self, line: Trade, state: State, is_long: bool) -> None:
        better = line.lots * _get_mark(state, line) - line.amount
        gain = better if is_long else -better
        self._add_close(line, state, gain)
        taker = line.buyer if is_long else line.seller
        self.takers[line.stage].add(taker)
        if gain:
            (self.gainers if gain > 0 else self.forgoers)[line.stage].add(taker)

    def _add_close(self, line: Trade, state: State, gain: int) -> None:
        closed = self.closed[line.stage][line.market]
        closed.steps += 1
        closed.lots += line.lots
        closed.notional += line.lots * _get_mark(state, line)
        closed.gained += max(gain, 0)
        closed.forgone += max(-gain, 0)

    def _record_ordinary(self, line: Line) -> None:
        if isinstance(line, Trade):
            return
        if line.payee is Reserve.INSURANCE:
            self.insurance_received[line.reason] += line.amount
        elif line.reason is Reason.HAIRCUT:
            self.haircuts += line.amount
        elif line.reason is Reason.REPAYMENT:
            self.repaid += line.amount

    def _record_payment(self, line: Pay) -> None:
        if line.reason is Reason.COVER:
            self.insurance_paid[line.stage] += line.amount
            if line.payee is Reserve.UNCOVERED:
                self.insurance_repaid += line.amount
        elif line.reason is Reason.LOSS_SHARE:
            self.shared += line.amount
            if not isinstance(line.payer, Reserve):
                self.sharers.add(line.payer)
        elif line.reason is Reason.OVERSHOOT:
            self.insurance_received[line.reason] += line.amount
        elif line.reason is Reason.LIQUIDATION_FEE:
            self.liquidation_fees += line.amount
        elif line.payer is Reserve.UNCOVERED:
            self.written_off += line.amount

    def get_total(self, stage: Stage) -> Closed:
        """The stage's markets added up; its lots are of different markets and mean little."""
        parts = self.closed[stage].values()
        return Closed(
            steps=sum(part.steps for part in parts),
            lots=sum(part.lots for part in parts),
            notional=sum(part.notional for part in parts),
            gained=sum(part.gained for part in parts),
            forgone=sum(part.forgone for part in parts),
        )

    def get_notional(self) -> int:
        """Atoms of notional closed in all stages."""
        return sum(self.get_total(stage).notional for stage in CLOSING_STAGES)


def _get_mark(state: State, line: Trade) -> int:
    market = state.markets.get(line.market)
    assert market is not None
    return market.mark_price


class Solvency(NamedTuple):
    """Atoms. ``pool``: the cash that is really there; ``uncovered``: minus the losses that nobody could pay;
    ``escrow``: what waits to be deposited in the vault; ``separate``: what of the insurance is some market's own.

    Every claim on the pool is met but for what is uncovered: ``claims + uncovered == pool``.
    """

    pool: int
    equities: int
    insurance: int
    fees: int
    uncovered: int
    escrow: int = 0
    separate: int = 0

    @property
    def claims(self) -> int:
        return self.equities + self.insurance + self.fees + self.escrow

    @property
    def ties(self) -> bool:
        return self.claims + self.uncovered == self.pool


def get_solvency(state: State) -> Solvency:
    """The statement at the marks of the state; one scan of the accounts."""
    equities = sum(get_margin(account, state.markets).equity for _, account in state.accounts.items())
    reserves = state.reserves
    return Solvency(
        -reserves.outside,
        equities,
        reserves.insurance,
        reserves.fees,
        reserves.uncovered,
        reserves.escrow,
        state.separate_insurance,
    )
