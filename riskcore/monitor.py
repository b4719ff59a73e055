"""Checks the laws while events happen: on what an event touched, and in full when asked.

The laws are those that are proven (``specs/laws.py``), on a replay's integers. Sums
over all accounts are kept by what the written accounts change of them; a checkpoint
counts everything anew, so that a change behind the monitor's back shows.
"""

from __future__ import annotations

import builtins
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, TypeAlias

from attrs import define, frozen

from riskcore.bad_input import Fault
from riskcore.book_check import check_book
from riskcore.choices import Allocation
from riskcore.events import BeginDeleveraging, BeginLossSharing, EndDeleveraging, Event, Header
from riskcore.journal import Line
from riskcore.orders import NO_ORDER, Order
from riskcore.quantities import AccountId, EventId, MarketId
from riskcore.rules import Rejected, Rule
from riskcore.state import Account, Market, Stake, State
from riskcore.step import DELEVERAGING_STEPS, SHARING_STEPS, Outcome, apply, get_effects
from specs.allocation import exact_part_of, part
from specs.contracts import CONTRACTS
from specs.deleveraging import eligible, lots_asked, share_to_pay
from specs.invariant import draws_are_possible, ends_at_maintenance, parts_are_of_the_fund, stake_is_possible
from specs.laws import BY_ID, LAWS, Law
from specs.ranking import ahead, chance, score
from specs.sharing import weight
from specs.tiers import exposure, initial_requirement, maintenance_requirement

#: Laws that have no formula over one event of their own.
OTHER_LAWS = {
    "REJ-1": "rejected if and only if the guard fails; rejected means state identical",
    "FRAME-1": "nothing outside the event's declared footprint changes",
}


@define
class Tally:
    """How often a law was checked, and how often it was broken."""

    checked: int = 0
    violations: int = 0


@frozen
class Violation:
    """A broken law, with what was touched before and after."""

    law: str
    sentence: str
    event: Event | None
    clause: str
    before: str
    after: str


@define
class Sums:
    """The sums over all accounts that the laws speak of; ``sizes`` and ``longs`` by market.

    ``shares`` of the vault, and ``deposits`` that wait to be some. ``insurance``: the fund's parts, over all markets.
    """

    balances: int
    entries: int
    sizes: Counter[MarketId]
    longs: Counter[MarketId]
    shares: int = 0
    deposits: int = 0
    insurance: int = 0

    def add_stake(self, stake: Stake, sign: int) -> None:
        """Count a stake in, or out with a ``sign`` of -1."""
        self.shares += sign * stake.shares
        self.deposits += sign * stake.deposit

    def add(self, account: Account, sign: int) -> None:
        """Count an account in, or out with a ``sign`` of -1."""
        self.balances += sign * account.balance
        for market, position in account.positions.items():
            self.entries += sign * position.size * position.entry_index
            self.sizes[market] += sign * position.size
            if position.size > 0:
                self.longs[market] += sign * position.size


def count_sums(accounts: Iterable[Account], stakes: Iterable[Stake] = ()) -> Sums:
    """The sums, counted anew."""
    sums = Sums(0, 0, Counter(), Counter())
    for account in accounts:
        sums.add(account, 1)
    for stake in stakes:
        sums.add_stake(stake, 1)
    return sums


def _count_state(state: State) -> Sums:
    sums = count_sums((account for _, account in state.accounts.items()), (stake for _, stake in state.stakes.items()))
    sums.insurance = sum(_get_part(market) for _, market in state.markets.items())
    return sums


def _get_part(market: Market | None) -> int:
    return 0 if market is None else market.insurance


#: What positions need, initial and maintenance, by the market's identity, size, exposure, and leverage chosen; with the
#: market, which is kept so that its identity stays its own.
Needs: TypeAlias = dict[tuple[int, int, int, int], tuple[int, int, Market]]


class _Marks:
    """The markets as they were or are: the event's own as given, all others as the table has them.

    ``needs`` keeps what was computed, as the same positions are asked about before and after a step.
    """

    __slots__ = ("_table", "focus", "market", "needs")

    def __init__(self, state: State, focus: MarketId | None, needs: Needs) -> None:
        self._table = state.markets
        self.needs = needs
        self.focus = focus
        self.market: Any = None if focus is None else state.markets.get(focus)

    def get(self, id: MarketId) -> Any:
        market = self.market if id == self.focus else self._table.get(id)
        assert market is not None, "a position is open in a market that is not listed"
        return market


class _AccountView:
    """``specs.case.AccountView`` on integers; what costs a scan of positions is kept."""

    __slots__ = (
        "_account",
        "_equity",
        "_marks",
        "_needs",
        "asks",
        "balance",
        "bids",
        "cost",
        "entry_index",
        "has_no_orders",
        "leverage",
        "liquidated",
        "opened",
        "orders",
        "size",
        "sold",
    )

    def __init__(self, marks: _Marks, account: Account) -> None:
        self._marks = marks
        self._account = account
        self._equity: int | None = None
        self._needs: tuple[int, int] | None = None
        self.balance, self.liquidated, self.sold = account.balance, account.liquidated, account.sold
        self.has_no_orders = account.resting.is_empty
        focus = marks.focus
        if focus is None:
            self.size = self.cost = self.entry_index = self.opened = self.leverage = 0
            self.bids = self.asks = self.orders = 0
        else:
            self.bids, self.asks, self.orders = account.resting.get(focus)
            self.leverage = account.leverages.get(focus)
            position = account.positions.get(focus)
            self.size, self.cost = position.size, position.cost
            self.entry_index, self.opened = position.entry_index, position.opened

    @property
    def equity(self) -> int:
        if self._equity is None:
            equity: int = self.balance
            for id, position in self._account.positions.items():
                market = self._marks.get(id)
                size = position.size
                equity += size * market.mark_price - size * (market.funding_index - position.entry_index)
            self._equity = equity
        return self._equity

    def _get_needs(self) -> tuple[int, int]:
        if self._needs is None:
            initial = maintenance = 0
            account = self._account
            for id, position in account.positions.items():
                needs = self._get_need(id, position.size)
                initial, maintenance = initial + needs[0], maintenance + needs[1]
            for id, _ in account.resting.items():
                if account.positions.get(id).size == 0:
                    initial += self._get_need(id, 0)[0]
            self._needs = initial, maintenance
        return self._needs

    def _get_need(self, id: MarketId, size: int) -> tuple[int, int, Market]:
        market, account = self._marks.get(id), self._account
        resting, leverage = account.resting.get(id), account.leverages.get(id)
        exposed: int = exposure(size, resting.bids, resting.asks)
        of = builtins.id(market), size, exposed, leverage
        known = self._marks.needs.get(of)
        if known is None:
            required: int = initial_requirement(market, exposed, market.open_interest, leverage)
            known = self._marks.needs[of] = required, maintenance_requirement(market, size), market
        return known

    @property
    def initial(self) -> int:
        return self._get_needs()[0]

    @property
    def maintenance(self) -> int:
        return self._get_needs()[1]

    def marks_are_fresh(self, time: int) -> bool:
        held = [self._marks.get(id) for id, _ in self._account.positions.items()]
        limits = [(market.rules.mark_age_limit, time - market.mark_time) for market in held if not market.settling]
        return all(limit == 0 or age <= limit for limit, age in limits)

    @property
    def rest_maintenance(self) -> int:
        market = self._marks.market
        own = 0 if market is None else maintenance_requirement(market, self.size)
        return self.maintenance - own


class _OrderView:
    """``specs.case.OrderView``: an order, or an empty place."""

    __slots__ = ("account", "ahead", "behind", "market", "price", "reserved", "rests", "sequence", "size")

    def __init__(self, order: Order | None) -> None:
        self.rests = order is not None
        self.account, self.market = ("", "") if order is None else (order.account, order.market)
        self.size, self.price, self.sequence, self.reserved = (
            (0, 0, 0, 0) if order is None else (order.size, order.price, order.sequence, order.reserved)
        )
        self.ahead, self.behind = (NO_ORDER, NO_ORDER) if order is None else (order.ahead, order.behind)


class _Snapshot:
    """``specs.case.Snapshot`` of a state; accounts that are about to be written are kept as they were."""

    def __init__(
        self,
        state: State,
        focus: MarketId | None,
        kept: dict[AccountId, Account],
        sums: Sums,
        kept_stakes: dict[AccountId, Stake] | None = None,
        kept_orders: dict[EventId, Order | None] | None = None,
        needs: Needs | None = None,
    ) -> None:
        self._state = state
        self._kept_orders = kept_orders or {}
        self._kept_stakes = kept_stakes or {}
        self._views: dict[AccountId, _AccountView] = {}
        self._kept = kept
        self.marks = _Marks(state, focus, {} if needs is None else needs)
        self.market = self.marks.market
        self.reserves = state.reserves
        self.deleveraging: Any = state.deleveraging
        self.sharing: Any = state.sharing
        self.sequence, self.timestamp = state.sequence, state.timestamp
        self.sum_balances, self.sum_entries = sums.balances, sums.entries
        self.sum_sizes = 0 if focus is None else sums.sizes[focus]
        self.sum_longs = 0 if focus is None else sums.longs[focus]
        self.vault_shares = state.vault_shares
        self.sum_shares, self.sum_deposits = sums.shares, sums.deposits
        self.draws, self.outflow = state.draws, state.outflow
        self.separate_insurance, self.sum_insurance = state.separate_insurance, sums.insurance

    def account(self, id: Any) -> _AccountView:
        view = self._views.get(id)
        if view is None:
            account = self._kept.get(id) or self._state.accounts.get(id)
            view = self._views[id] = _AccountView(self.marks, account)
        return view

    def stake(self, id: Any) -> Stake:
        return self._kept_stakes.get(id) or self._state.stakes.get(id)

    def order(self, id: Any) -> _OrderView:
        return _OrderView(self._kept_orders[id] if id in self._kept_orders else self._state.orders.get(id))

    def seen(self, id: Any) -> bool:
        return self._state.seen.get(id)

    def holders(self) -> Iterator[AccountId]:
        """The accounts with a position in the event's market."""
        focus = self.marks.focus
        assert focus is not None
        return (id for id, account in self._state.accounts.items() if account.positions.get(focus).size)

    def opposites(self, against: int) -> Iterator[AccountId]:
        """The accounts on the other side of a position in the event's market."""
        focus = self.marks.focus
        assert focus is not None
        for id, account in self._state.accounts.items():
            if account.positions.get(focus).size * against < 0:
                yield id


class _Case:
    """``specs.case.Case`` of one step."""

    def __init__(self, state: State, event: Any, focus: MarketId | None) -> None:
        self.rulebook = state.rulebook
        self.event: Any = event
        self.focus = focus
        self.rejected: Rule | None = None
        self.effects: tuple[Line, ...] = ()
        self.touched: tuple[AccountId, ...] = ()
        self.holders: tuple[AccountId, ...] = ()
        self.touched_orders: tuple[EventId, ...] = ()
        self.before: Any = None
        self.after: Any = None

    def orders_to_check(self) -> tuple[EventId, ...]:
        """Those that were touched, and the first of each side, before and after."""
        markets = (self.before.market, self.after.market)
        firsts = (id for market in markets if market is not None for id in (market.best_bid, market.best_ask))
        return tuple(dict.fromkeys(id for id in (*self.touched_orders, *firsts) if id != NO_ORDER))

    def accounts_to_check(self) -> tuple[AccountId, ...]:
        return self.touched

    @property
    def head(self) -> AccountId:
        episode = self.before.deleveraging
        id: AccountId = episode.queue[episode.head]
        return id

    def others(self) -> tuple[AccountId, ...]:
        """The next in the queue: the certificate that it opened with ordered all the rest."""
        episode = self.before.deleveraging
        return tuple(episode.queue[episode.head + 1 : episode.head + 2])

    def is_ahead(self, first: AccountId, second: AccountId) -> bool:
        return self._is_ahead(self.before, first, second)

    def _is_ahead(self, snapshot: _Snapshot, first: AccountId, second: AccountId) -> bool:
        one, two = snapshot.account(first), snapshot.account(second)
        rank, other = self._score(snapshot, one, first), self._score(snapshot, two, second)
        return ahead(rank, one.size, first, other, two.size, second)

    def _score(self, snapshot: _Snapshot, account: _AccountView, id: AccountId) -> tuple[int, int]:
        mark, rulebook = snapshot.market.mark_price, self.rulebook
        number = chance(rulebook.adl_rank, rulebook.adl_seed, self._opened_after, id)
        return score(rulebook.adl_rank, account.size, account.cost, mark, account.equity, account.opened, number)

    @property
    def _opened_after(self) -> int:
        """The sequence number of the last event before the episode was opened."""
        episode = self.before.deleveraging
        sequence: int = self.before.sequence if episode is None else episode.sequence
        return sequence

    @property
    def is_ranked(self) -> bool:
        """Whether the event's queue is what sorting all eligible accounts gives."""
        this: Any = self
        account = self.before.account(self.event.account)
        lots = lots_asked(this, account)
        share = share_to_pay(this, account, lots)
        return self.is_certified(self.before, self.event.queue, account.size, share, lots)

    @property
    def remainder(self) -> int:
        """What the event's level leaves over of the lots, by the parts of all eligible accounts."""
        this: Any = self
        event, account, policy = self.event, self.before.account(self.event.account), self.rulebook.adl_allocation
        level = event.level_lots, event.level_weight
        if policy is Allocation.QUEUE:
            return 0 if level == (0, 1) else -1
        if event.level_lots < 0 or event.level_weight <= 0:
            return -1
        lots = lots_asked(this, account)
        share, mark = share_to_pay(this, account, lots), self.before.market.mark_price
        seen = (self.before.account(id) for id in self.before.opposites(account.size))
        able = [view for view in seen if eligible(this, view, account.size, share, lots)]
        exact = sum(exact_part_of(policy, one.size, one.cost, mark, one.equity, *level) for one in able)
        least = sum(part(policy, one.size, one.cost, mark, one.equity, *level)[0] for one in able)
        target: int = min(lots, sum(abs(one.size) for one in able))
        return target - least if exact == target * event.level_weight else -1

    def had_its_turn(self, id: AccountId) -> bool:
        episode = self.before.deleveraging
        return id in episode.queue[: episode.head]

    def allotment_ties(self) -> bool:
        """When it opens, by everyone's part; when it ends, that nobody is left with anything; else by what is left."""
        before, after = self.before.deleveraging, self.after.deleveraging
        if after is None:
            is_end = isinstance(self.event, EndDeleveraging)
            return not is_end or all(self.after.account(id).size == 0 for id in before.queue)
        if isinstance(self.event, BeginDeleveraging):
            return self.are_parts_of_the_rest(self.after, after)
        left: int = min(after.lots - after.done, len(after.queue) - after.head)
        remainder: int = after.remainder
        return 0 <= remainder <= left

    def are_parts_of_the_rest(self, snapshot: _Snapshot, episode: Any) -> bool:
        """Whether those still to come are allotted all that is left to close, or all that they have."""
        policy = self.rulebook.adl_allocation
        if policy is Allocation.QUEUE or snapshot.market is None:
            return policy is Allocation.QUEUE
        mark = snapshot.market.mark_price
        level = episode.level_lots, episode.level_weight
        views = [snapshot.account(id) for id in episode.queue[episode.head :]]
        parts = [part(policy, view.size, view.cost, mark, view.equity, *level)[0] for view in views]
        left = min(episode.lots - episode.done, sum(abs(view.size) for view in views))
        return bool(sum(parts) + episode.remainder == left)

    def is_certified(
        self,
        snapshot: _Snapshot,
        queue: tuple[AccountId, ...],
        against: int,
        share: int,
        lots: int,
        gone: tuple[AccountId, ...] = (),
    ) -> bool:
        """Whether a queue is all accounts that are eligible, but for those ``gone``, each ahead of the next."""
        this: Any = self
        opposites = snapshot.opposites(against)
        able = {id for id in opposites if eligible(this, snapshot.account(id), against, share, lots)}
        if self.rulebook.adl_allocation is not Allocation.QUEUE:
            able -= {*gone}
        in_order = all(self._is_ahead(snapshot, one, two) for one, two in pairwise(queue) if {one, two} <= able)
        return len(queue) == len(able) and set(queue) == able and in_order

    def end_is_at_maintenance(self) -> bool:
        """Of an open episode once all its lots are closed; of one that is over now."""
        episode = self.after.deleveraging
        if episode is None:
            account = self.after.account(self.before.deleveraging.account)
            return bool(account.size == 0 or account.equity >= account.maintenance)
        return bool(ends_at_maintenance(episode, self.after.market, self.after.account(episode.account)))

    def certificate_holds(self) -> bool:
        """When it opens, the whole queue; after a step, that the next is eligible and in order."""
        episode = self.after.deleveraging
        if episode is None:
            return True
        this: Any = self
        against = self.before.account(episode.account).size
        if isinstance(self.event, BeginDeleveraging):
            return self.is_certified(self.after, episode.queue, against, episode.share, episode.lots)
        return all(
            eligible(this, self.after.account(id), against, episode.share, episode.lots)
            for id in episode.queue[episode.head : episode.head + 1]
        )

    @property
    def member(self) -> AccountId:
        sharing = self.before.sharing
        id: AccountId = sharing.members[sharing.head]
        return id

    def _weigh(self, snapshot: _Snapshot, id: AccountId) -> int:
        this: Any = self
        result: int = weight(this, snapshot.account(id))
        return result

    @property
    def total_weight(self) -> int:
        """What all weigh together, where they are the event's members in the order of their ids."""
        weights = {id: self._weigh(self.before, id) for id in self.before.holders()}
        listed = sorted(id for id, own in weights.items() if own > 0)
        return sum(weights.values()) if list(self.event.members) == listed else 0

    def members_are_certified(self) -> bool:
        """When it opens, all members; after a step, that the next has weight, and no more than is left."""
        sharing = self.after.sharing
        if sharing is None:
            return True
        if isinstance(self.event, BeginLossSharing):
            return self.is_all_members(self.after, sharing)
        left: int = sharing.weight - sharing.done
        return 0 < self._weigh(self.after, sharing.members[sharing.head]) <= left

    def is_all_members(self, snapshot: _Snapshot, sharing: Any) -> bool:
        """Whether those who are left are all with weight but those who have paid, and weigh what is not done."""
        weights = {id: self._weigh(snapshot, id) for id in snapshot.holders()}
        left, gone = sharing.members[sharing.head :], set(sharing.members[: sharing.head])
        able = sorted(id for id, own in weights.items() if own > 0 and id not in gone)
        is_sum: bool = sum(weights[id] for id in able) == sharing.weight - sharing.done
        return list(left) == able and is_sum


class Monitor:
    """Steps the kernel and checks each law; ``tallies`` and ``violations`` are what it found."""

    def __init__(self, state: State, laws: tuple[Law, ...] = LAWS) -> None:
        self._sums = _count_state(state)
        self._sentences = {law.id: law.sentence for law in laws} | OTHER_LAWS
        self.tallies: dict[str, Tally] = {id: Tally() for id in self._sentences}
        self._laws = {
            kind: tuple((law, self.tallies[law.id]) for law in laws if kind in law.applies) for kind in CONTRACTS
        }
        self.violations: list[Violation] = []

    def step(self, state: State, event: Event) -> Outcome:
        """What ``riskcore.step`` gives, with every law of this event checked."""
        case = _Case(state, event, _get_focus(state, event))
        try:
            journal = apply(state, event)
        except Rejected as rejection:
            case.before = case.after = _Snapshot(state, case.focus, {}, self._sums)
            self._check_rejection(case, rejection.rule)
            return Outcome(state, (), rejection.rule)
        case.touched = journal.parties
        case.holders, case.touched_orders = journal.holders, journal.orders
        kept = {id: state.accounts.get(id) for id in _get_watched(state, case)}
        stakes = {id: state.stakes.get(id) for id in (*case.holders, state.rulebook.vault)}
        orders = {id: state.orders.get(id) for id in case.touched_orders}
        needs: Needs = {}
        case.before = _Snapshot(state, case.focus, kept, self._sums, stakes, orders, needs)
        was_seen = state.seen.get(event.id)
        after = journal.post(event)
        for id in case.touched:
            self._sums.add(kept[id], -1)
            self._sums.add(after.accounts.get(id), 1)
        for id in case.holders:
            self._sums.add_stake(stakes[id], -1)
            self._sums.add_stake(after.stakes.get(id), 1)
        if case.focus is not None:
            self._sums.insurance += _get_part(after.markets.get(case.focus)) - _get_part(case.before.market)
        case.after = _Snapshot(after, case.focus, {}, self._sums, needs=needs)
        case.effects = get_effects(journal)
        self._check_laws(case, was_seen)
        return Outcome(after, case.effects, None)

    def _check_laws(self, case: _Case, was_seen: bool) -> None:
        this: Any = case
        for law, tally in self._laws[type(case.event)]:
            tally.checked += 1
            if not law.holds(this):
                self._report(tally, law.id, case, law.sentence)
        self._count("REJ-1", not was_seen, case, "an accepted event was not accepted before")

    def _check_rejection(self, case: _Case, rule: Rule) -> None:
        case.rejected = rule
        this: Any = case
        clause = CONTRACTS[type(case.event)].guard(this)[rule]
        self._count("REJ-1", not clause, case, f"rejected for {rule.name}, which its guard allows")

    def _count(self, law: str, holds: bool, case: _Case | None, clause: str) -> None:
        tally = self.tallies[law]
        tally.checked += 1
        if not holds:
            self._report(tally, law, case, clause)

    def _report(self, tally: Tally, law: str, case: _Case | None, clause: str) -> None:
        tally.violations += 1
        before = "" if case is None else _show(case, case.before)
        after = "" if case is None else _show(case, case.after)
        event = None if case is None else case.event
        self.violations.append(Violation(law, self._sentences[law], event, clause, before, after))

    def checkpoint(self, state: State) -> None:
        """Count everything anew, and check the laws on the whole state."""
        sums = _count_state(state)
        reserves = state.reserves
        total = reserves.outside + reserves.insurance + reserves.fees + reserves.transit + reserves.uncovered
        total += reserves.escrow
        kept_sums, counted = _get_figures(self._sums), _get_figures(sums)
        listed = {id: market for id, market in state.markets.items() if market is not None}
        claims = reserves.insurance + reserves.fees + reserves.escrow + reserves.uncovered
        signs = min(reserves.insurance, reserves.fees, reserves.escrow, -reserves.outside, -reserves.uncovered) >= 0
        ledger: Any = state
        shares_tie = (sums.shares, sums.deposits) == (state.vault_shares, reserves.escrow)
        possible = all(stake_is_possible(stake) for _, stake in state.stakes.items())
        for law, holds, clause in (
            ("FRAME-1", kept_sums == counted, "sums counted anew are those of the written accounts"),
            ("CASH-1", sums.balances + total == 0, "all balances sum to zero"),
            ("CASH-2", signs and reserves.transit == sums.entries, "reserves keep their signs; transit ties"),
            ("BAL-1", not any(sums.sizes.values()), "sizes sum to zero in every market"),
            ("BAL-2", all(sums.longs[id] == one.open_interest for id, one in listed.items()), "open interest ties"),
            ("SHARE-1", shares_tie and possible, "shares and waiting deposits add up, and none is negative"),
            ("INS-2", draws_are_possible(ledger), "what was drawn is not negative, and its window has begun"),
            (
                "INS-5",
                _are_parts_possible(state, sums),
                "separate markets' parts add up, and are no more than the fund",
            ),
            ("ZERO-1", _sum_equities(state) + claims == -reserves.outside, "claims equal the pool"),
        ):
            self._count(law, holds, None, clause)
        self._check_figures(state, listed)
        try:
            check_book(state)
        except Fault as fault:
            self._count("BOOK-5", False, None, f"the books are lists in their order, and counted: {fault}")
        else:
            self._count("BOOK-5", True, None, "the books are lists in their order, and counted")

    def _check_figures(self, state: State, listed: Iterable[MarketId]) -> None:
        """Each market's figures, and an open queue with its order, as any event would have left them."""
        for id in listed:
            holds: Any = BY_ID["INV-1"].holds(_get_still(state, id, self._sums))
            self._count("INV-1", holds, None, f"the figures of {id}, and of what is open in it, are possible")
        episode = state.deleveraging
        if episode is not None:
            case = _get_still(state, episode.market, self._sums)
            against = case.after.account(episode.account).size
            left = episode.queue[episode.head :]
            gone = episode.queue[: episode.head]
            holds = case.is_certified(case.after, left, against, episode.share, episode.lots, gone)
            self._count("ADL-2", holds, None, "the open queue is every eligible account in rank order")
            ties = case.are_parts_of_the_rest(case.after, episode)
            self._count("ADL-10", ties, None, "those to come are allotted all that is left, or all that they have")
        sharing = state.sharing
        if sharing is not None:
            case = _get_still(state, sharing.market, self._sums)
            holds = case.is_all_members(case.after, sharing)
            self._count("LOSS-4", holds, None, "the open sharing is everyone with weight, by their ids")


def _get_figures(sums: Sums) -> tuple[object, ...]:
    """Sums that can be compared: a market in which nothing is left counts as none."""
    return sums.balances, sums.entries, +sums.sizes, +sums.longs, sums.shares, sums.deposits, sums.insurance


def _are_parts_possible(state: State, sums: Sums) -> bool:
    ledger: Any = _Snapshot(state, None, {}, sums)
    return bool(parts_are_of_the_fund(ledger))


def _get_still(state: State, focus: MarketId, sums: Sums) -> _Case:
    """A state on its own, as a case in which nothing happened."""
    case = _Case(state, None, focus)
    case.before = case.after = _Snapshot(state, focus, {}, sums)
    episode = state.deleveraging
    if episode is not None and episode.market != focus:
        case.after.deleveraging = None
    if state.sharing is not None and state.sharing.market != focus:
        case.after.sharing = None
    return case


def _get_focus(state: State, event: Header) -> MarketId | None:
    """The market that an event is about."""
    if isinstance(event, DELEVERAGING_STEPS):
        return None if state.deleveraging is None else state.deleveraging.market
    if isinstance(event, SHARING_STEPS):
        return None if state.sharing is None else state.sharing.market
    market: MarketId | None = getattr(event, "market", None)
    return market


def _get_watched(state: State, case: _Case) -> set[AccountId]:
    """The accounts that the laws may ask for: written ones, the vault, the queue's next two."""
    watched = {*case.touched, state.rulebook.vault}
    episode = state.deleveraging
    if episode is not None:
        watched |= {episode.account, *episode.queue[episode.head : episode.head + 2]}
    if state.sharing is not None:
        watched |= {*state.sharing.members[state.sharing.head : state.sharing.head + 2]}
    return watched


def _sum_equities(state: State) -> int:
    marks = _Marks(state, None, {})
    return sum(_AccountView(marks, account).equity for _, account in state.accounts.items())


def _show(case: _Case, snapshot: _Snapshot) -> str:
    """What an event touched, a line each."""
    lines = [f"{id}: {_show_account(snapshot.account(id))}" for id in case.touched]
    if snapshot.market is not None:
        lines.append(f"{case.focus}: {snapshot.market}")
    lines += [f"{id}: {snapshot.stake(id)}" for id in case.holders]
    lines += [f"{id}: {_show_order(snapshot.order(id))}" for id in case.touched_orders]
    figures = [str(snapshot.reserves), str(snapshot.draws), f"deleveraging: {snapshot.deleveraging}"]
    if snapshot.sharing is not None:
        figures.append(str(snapshot.sharing))
    return "\n".join([*lines, *figures])


def _show_order(order: _OrderView) -> str:
    if not order.rests:
        return "no order"
    return (
        f"{order.size} lots at {order.price} of {order.account} in {order.market}, reserved {order.reserved}, "
        f"behind {order.ahead or 'nobody'}, ahead of {order.behind or 'nobody'}"
    )


def _show_account(account: _AccountView) -> str:
    return (
        f"balance {account.balance}, size {account.size}, cost {account.cost}, equity {account.equity}, "
        f"initial {account.initial}, maintenance {account.maintenance}, leverage {account.leverage}, "
        f"liquidated {account.liquidated}, sold {account.sold}, "
        f"bids {account.bids}, asks {account.asks}, orders {account.orders}"
    )
