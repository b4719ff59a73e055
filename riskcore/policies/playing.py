"""A case played: by a rule alone, or by the kernel, as a log of events that anybody can replay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from attrs import field, frozen

from riskcore.bad_input import printable
from riskcore.capacity import compute_opening
from riskcore.choices import Allocation, RankPolicy
from riskcore.events import (
    BeginDeleveraging,
    Deleverage,
    Deposit,
    EndDeleveraging,
    Event,
    Fill,
    ListMarket,
    MarkPrice,
    Withdraw,
)
from riskcore.journal import Trade, get_cost
from riskcore.margin import get_margin
from riskcore.policies.cases import Case, Round, Winner
from riskcore.policies.rules import Rule, Standing, Task
from riskcore.quantities import AccountId, Atoms, EventId, Lots, MarketId, Price, Rate, Time
from riskcore.rulebook import MarketRules, Rulebook
from riskcore.state import State, genesis
from riskcore.step import step
from specs.policies import Closing, Part

MARKET, OTHER = MarketId("SHORT"), MarketId("OFFSET")
HOLDER = AccountId("holder")
#: What everybody pays in first, and takes out again; far beyond what any case needs.
PLENTY = 10**12
#: Atoms a lot that a long has left before the fall that ruins it.
SPARE = 2


class PolicyFault(Exception):
    """A policy gave what is no answer; the message says what."""


class Unplayable(Exception):
    """The kernel refuses an event of the case; the message says which and why."""


# By a rule alone


def play_by_rule(case: Case, rule: Rule) -> tuple[Closing, ...]:
    """What the rule closes in each round. Raises ``PolicyFault``."""
    ages = get_ages(case.winners)
    winners = [make_standing(one, case.mark, ages[one.name]) for one in case.winners]
    closings = []
    for one in case.rounds:
        task = Task(case.mark, one.lots, one.lots * one.shortfall, tuple(winners))
        closed = ask(rule, task)
        forgone = [lots * one.shortfall for lots in closed]
        closings.append(make_closing(task, closed, forgone))
        winners = [
            reduce(standing, lots, paid, case.mark)
            for standing, lots, paid in zip(winners, closed, forgone, strict=True)
        ]
    return tuple(closings)


def get_ages(winners: tuple[Winner, ...]) -> dict[str, int]:
    """Everyone's place in the order in which they opened, which is that of the trades."""
    order = sorted(range(len(winners)), key=lambda place: (winners[place].opened, place))
    return {winners[place].name: age for age, place in enumerate(order)}


def make_standing(winner: Winner, mark: int, opened: int) -> Standing:
    return Standing(
        winner.name,
        -winner.held,
        -winner.entry,
        winner.entry - winner.held * mark,
        winner.held * mark,
        winner.equity,
        opened,
        winner.held if winner.is_hedged else 0,
    )


def reduce(one: Standing, lots: int, paid: int, mark: int) -> Standing:
    """A short that has closed so many lots, and for that has so many atoms less than at mark."""
    left = one.size + lots
    cost = get_cost(one.size, one.cost, lots, lots * mark) if left else 0
    return Standing(
        one.account,
        left,
        cost,
        left * mark - cost,
        abs(left) * mark,
        one.equity - paid,
        one.opened,
        min(one.offset, abs(left)),
    )


def ask(rule: Rule, task: Task) -> list[int]:
    """The lots that a rule answers with. Raises ``PolicyFault`` where they are no whole numbers, one for each."""
    try:
        told: object = rule(task)
        answer = list(told) if isinstance(told, Sequence) else None
        shown = _show(told)
    except (Exception, SystemExit) as error:  # whatever a user's function does, or its answer
        raise PolicyFault(f"it raised {type(error).__name__}") from None
    if answer is None or len(answer) != len(task.winners):
        raise PolicyFault(f"a sequence of {len(task.winners)} whole numbers was expected, and it gave {shown}")
    wrong = next((lots for lots in answer if type(lots) is not int), None)
    if wrong is not None:
        raise PolicyFault(f"lots are whole numbers, and it gave {shown}")
    return answer


def _show(answer: object) -> str:
    return printable(repr(answer))[:80]


def make_closing(task: Task, closed: Sequence[int], forgone: Sequence[int]) -> Closing:
    parts = (
        Part(abs(one.size), lots, abs(one.cost), one.notional, one.profit, one.equity, paid)
        for one, lots, paid in zip(task.winners, closed, forgone, strict=True)
    )
    return Closing(task.lots, task.deficit, tuple(parts))


# By the kernel


def make_rulebook(rank: RankPolicy, allocation: Allocation) -> Rulebook:
    """Nothing but deleveraging at bankruptcy price: no vault, no fund, and whoever has the equity pays."""
    return Rulebook(
        vault=AccountId("vault"),
        vault_position_limit=Atoms(0),
        insurance_floor=Atoms(0),
        insurance_backs_fills=False,
        insurance_fill_band=Rate(0),
        insurance_before_adl=False,
        adl_solvent=False,
        adl_requires_profit=False,
        adl_rank=rank,
        funding_interval=Time(28_800_000),
        funding_rate_cap=Rate(0),
        adl_allocation=allocation,
    )


@frozen
class Script:
    """Events on their way: the state that they lead to, and all that were accepted."""

    state: State
    events: list[Event] = field(factory=list)

    def do(self, kind: Callable[..., Event], *fields: Any) -> Script:
        """With one event more. Raises ``Unplayable``."""
        event = self.make(kind, *fields)
        outcome = step(self.state, event)
        if outcome.rejected is not None:
            raise Unplayable(f"{type(event).__name__}: {outcome.rejected.value}")
        return Script(outcome.state, [*self.events, event])

    def make(self, kind: Callable[..., Event], *fields: Any) -> Event:
        sequence = self.state.sequence + 1
        return kind(EventId(f"e{sequence}"), sequence, Time(sequence * 1000), *fields)

    def withdraw_down_to(self, account: str, equity: int) -> Script:
        known = self.state.accounts.get(AccountId(account))
        return self.do(Withdraw, account, get_margin(known, self.state.markets).equity - equity)


@frozen
class Played:
    """``closings``: of each round. ``events``: everything that happened, from the first deposit on."""

    closings: tuple[Closing, ...]
    events: tuple[Event, ...]
    rulebook: Rulebook


def play_by_kernel(case: Case, rank: RankPolicy, allocation: Allocation) -> Played:
    """The case as a venue's history. Raises ``Unplayable`` where the kernel refuses it."""
    rulebook = make_rulebook(rank, allocation)
    script = _open(Script(genesis(rulebook)), case)
    closings = []
    for place, one in enumerate(case.rounds):
        script = script.do(MarkPrice, MARKET, Price(case.mark + one.shortfall + SPARE))
        script = script.withdraw_down_to(f"long{place}", one.lots * SPARE)
        script = script.do(MarkPrice, MARKET, case.mark)
        if place == 0:
            for winner in case.winners:
                script = script.withdraw_down_to(winner.name, winner.equity)
        script, closing = _close(script, place, one, case)
        closings.append(closing)
    return Played(tuple(closings), tuple(script.events), rulebook)


def _open(script: Script, case: Case) -> Script:
    """Everybody comes, with plenty of cash, and trades: longs buy what they are to hold, the holder the rest."""
    rules = MarketRules(Rate(1), Rate(1), Rate(0), Rate(0), Rate(0))
    script = script.do(ListMarket, MARKET, rules, Price(case.mark))
    if any(winner.is_hedged for winner in case.winners):
        script = script.do(ListMarket, OTHER, rules, Price(case.mark))
    longs = [f"long{place}" for place in range(len(case.rounds))]
    for account in (HOLDER, *longs, *(winner.name for winner in case.winners)):
        script = script.do(Deposit, account, PLENTY)
    for buyer, seller, lots, price in _iter_trades(case):
        if script.state.markets.get(MARKET).mark_price != price:  # type: ignore[union-attr]  # it was listed above
            script = script.do(MarkPrice, MARKET, price)
        script = script.do(Fill, buyer, seller, MARKET, Lots(lots), Price(price))
    for winner in case.winners:
        if winner.is_hedged:
            script = script.do(Fill, winner.name, HOLDER, OTHER, Lots(winner.held), Price(case.mark))
    return script


def _iter_trades(case: Case) -> Iterator[tuple[str, str, int, int]]:
    """Buyer, seller, lots and price of each trade; who opened earlier sells earlier."""
    wanted = [(f"long{place}", one.lots) for place, one in enumerate(case.rounds)]
    held = sum(winner.held for winner in case.winners)
    wanted.append((str(HOLDER), held - case.lots))
    ages = get_ages(case.winners)
    for winner in sorted(case.winners, key=lambda one: ages[one.name]):
        for lots, price in winner.sales:
            left = lots
            while left:
                buyer, room = wanted[0]
                if room == 0:
                    wanted.pop(0)
                    continue
                taken = min(left, room)
                wanted[0] = buyer, room - taken
                left -= taken
                yield buyer, winner.name, taken, price


def _close(script: Script, place: int, one: Round, case: Case) -> tuple[Script, Closing]:
    """Deleverage the long of a round, head by head, and note what each winner closed and paid."""
    account = AccountId(f"long{place}")
    task = Task(case.mark, one.lots, one.lots * one.shortfall, _observe(script.state, case))
    opening = compute_opening(script.state, account, MARKET)
    script = script.do(BeginDeleveraging, account, MARKET, opening.queue, Lots(0), *opening[1:])
    closed: Counter[str] = Counter()
    paid: Counter[str] = Counter()
    while (episode := script.state.deleveraging) is not None:
        kind = Deleverage if episode.head < len(episode.queue) else EndDeleveraging
        outcome = step(script.state, script.make(kind))
        for line in outcome.effects:
            if isinstance(line, Trade):
                closed[line.buyer] += line.lots
                paid[line.buyer] += line.amount - line.lots * case.mark
        script = script.do(kind)
    names = [winner.name for winner in case.winners]
    return script, make_closing(task, [closed[name] for name in names], [paid[name] for name in names])


def _observe(state: State, case: Case) -> tuple[Standing, ...]:
    """The winners' figures as the kernel has them."""
    found = []
    for winner in case.winners:
        account = state.accounts.get(AccountId(winner.name))
        position = account.positions.get(MARKET)
        size, cost = position.size, position.cost
        equity = get_margin(account, state.markets).equity
        offset = account.positions.get(OTHER).size
        profit = size * case.mark - cost
        found.append(Standing(winner.name, size, cost, profit, -size * case.mark, equity, position.opened, offset))
    return tuple(found)
