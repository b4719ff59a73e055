"""One path of one event, as the contracts look at it (``specs.case.Case``)."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import attrs
import z3

from riskcore import events
from riskcore.choices import LossSharing, MarketStatus
from riskcore.events import Header
from riskcore.journal import Journal, Line
from riskcore.orders import Resting
from riskcore.prover.book import (
    ORDER_INTS,
    POSITION_INTS,
    RESTING_INTS,
    STAKE_FIELDS,
    AccountSymbols,
    OrderSymbols,
    Rest,
    SymChoice,
    SymLeverages,
    SymMembers,
    SymPositions,
    SymQueue,
    SymResting,
    SymTable,
    World,
    new_rules,
)
from riskcore.prover.kernel import on_symbols
from riskcore.prover.symbols import SymBool, SymInt, get_run, new_bool, new_int, to_bool, to_int
from riskcore.prover.tracer import Tracer
from riskcore.quantities import Lots
from riskcore.rules import Rejected, Rule
from riskcore.state import NO_POSITION, Account, Deleveraging, Market, Position, Sharing, Stake, State
from riskcore.step import DELEVERAGING_STEPS, SHARING_STEPS, apply
from specs.allocation import is_queue, part_in
from specs.arithmetic import either, every, implies, larger, smaller
from specs.close_out import fewest_are_enough
from specs.deleveraging import eligible, lots_asked, share_to_pay
from specs.invariant import ends_at_maintenance
from specs.order_book import book_is_sorted
from specs.sharing import covered_first, weight


def new_event(kind: type[Header]) -> Any:
    """An event of this kind with any field values."""
    values: dict[str, Any] = {}
    for field in attrs.fields(kind):
        if field.name == "rules":
            values["rules"] = new_rules("event.rules")
        elif field.name == "queue":
            values["queue"] = SymQueue("queue")
        elif field.name == "reduce_only":
            values[field.name] = new_bool("event.reduce_only")
        elif field.name == "members":
            values["members"] = SymMembers("members")
        elif field.name == "status":
            values["status"] = SymChoice("event.status", MarketStatus)
        elif field.default is None and not new_bool(f"event.{field.name}_is_named"):
            values[field.name] = None
        else:
            values[field.name] = new_int(f"event.{field.name}")
    return kind(**values)


def get_account(world: World, values: list[Account], id: Any) -> Account:
    """The account at ``id`` without a fork: the one taken out that it equals, else any account.

    ``values`` are the accounts taken out by the event, as they were or as they are.
    """
    keys = world.accounts.keys
    for key, account in zip(keys, values, strict=True):
        if key.term.eq(id.term):
            return account
    result = world.imagine(id)
    for known, account in world.imagined:
        if known is not id and not known.term.eq(id.term):
            result = choose_account(known == id, account, result, world.focus)
        else:
            break
    for key, account in zip(keys, values, strict=True):
        result = choose_account(key == id, account, result, world.focus)
    return result


def choose_account(condition: SymBool, first: Account, second: Account, focus: Any) -> Account:
    one: Any = first.positions
    two: Any = second.positions
    rest = Rest.__new__(Rest)
    for name in ("value", "initial", "maintenance"):
        setattr(rest, name, either(condition, getattr(one.rest, name), getattr(two.rest, name)))
    for name in ("is_fresh", "has_no_orders"):
        setattr(rest, name, (condition & getattr(one.rest, name)) | (~condition & getattr(two.rest, name)))
    position = None
    if one.position is not None:
        position = Position(
            *(either(condition, getattr(one.position, name), getattr(two.position, name)) for name in POSITION_INTS)
        )
    positions: Any = SymPositions(rest, focus, position)
    liquidated: Any = either(condition, first.liquidated, second.liquidated)
    chosen: Any = SymLeverages(
        object(), focus, either(condition, _get_leverage(first), _get_leverage(second)) if focus is not None else 0
    )
    sold: Any = either(condition, first.sold, second.sold)
    resting: Any = SymResting(rest, focus, _choose_resting(condition, first, second) if focus is not None else None)
    return Account(either(condition, first.balance, second.balance), positions, liquidated, chosen, sold, resting)


def _choose_resting(condition: SymBool, first: Account, second: Account) -> Any:
    one: Any = first.resting
    two: Any = second.resting
    return Resting(*(either(condition, getattr(one.resting, n), getattr(two.resting, n)) for n in RESTING_INTS))


def _get_leverage(account: Account) -> Any:
    leverages: Any = account.leverages
    return leverages.leverage


def get_stake(world: World, values: list[Any], id: Any) -> Any:
    """The stake at ``id``, likewise."""
    keys = world.stakes.keys
    for key, stake in zip(keys, values, strict=True):
        if key.term.eq(id.term):
            return stake
    result = world.imagine_stake(id)
    for known, stake in world.imagined_stakes:
        if known.term.eq(id.term):
            break
        result = choose_stake(known == id, stake, result)
    for key, stake in zip(keys, values, strict=True):
        result = choose_stake(key == id, stake, result)
    return result


def choose_stake(condition: SymBool, first: Any, second: Any) -> Any:
    fields: Any = (either(condition, getattr(first, name), getattr(second, name)) for name in STAKE_FIELDS)
    return Stake(*fields)


def _view_order(order: Any, rests: Any) -> OrderSymbols:
    return OrderSymbols(rests, *(getattr(order, name) for name in ORDER_INTS))


def choose_order(condition: Any, order: Any, other: OrderSymbols) -> OrderSymbols:
    """A place that is an order's, or empty, where the condition holds."""
    run = get_run()
    if run.is_known(z3.Not(condition.term)):
        return other
    if order is None:
        return attrs.evolve(other, rests=~condition & other.rests)
    if run.is_known(condition.term):
        return _view_order(order, SymBool(z3.BoolVal(True)))
    fields = (SymInt(z3.If(condition.term, to_int(getattr(order, n)), to_int(getattr(other, n)))) for n in ORDER_INTS)
    return OrderSymbols(condition | other.rests, *fields)


class SymSnapshot:
    """The state before the event, or after it."""

    def __init__(self, world: World, after: State | None) -> None:
        self._world = world
        self._after = after
        self.market: Any = world.market
        self.reserves: Any = world.reserves
        self.deleveraging: Any = world.deleveraging
        self.sharing: Any = world.sharing
        self.sequence: Any = world.sequence
        self.timestamp: Any = world.timestamp
        self.vault_shares: Any = world.vault_shares
        self.draws: Any = world.draws
        self.outflow: Any = world.outflow
        self._separate_insurance: Any = world.separate_insurance
        if after is not None:
            self.market = world.markets.last[0] if world.focus is not None else None
            self.reserves = after.reserves
            self.deleveraging = after.deleveraging
            self.sharing = after.sharing
            self.sequence, self.timestamp = after.sequence, after.timestamp
            self.vault_shares = after.vault_shares
            self.draws = after.draws
            self.outflow = after.outflow
            self._separate_insurance = after.separate_insurance

    def account(self, id: Any) -> AccountSymbols:
        table = self._world.accounts
        values = table.first if self._after is None else table.last
        return AccountSymbols(self._world, get_account(self._world, values, id), self.market)

    def stake(self, id: Any) -> Any:
        table = self._world.stakes
        return get_stake(self._world, table.first if self._after is None else table.last, id)

    def seen(self, id: Any) -> Any:
        """Without a fork: whoever was accepted before, and now the event."""
        world = self._world
        seen = world.was_seen(id)
        if self._after is not None:
            for index in dict.fromkeys(world.seen.written):
                is_asked = world.seen.keys[index] == id
                seen = (is_asked & world.seen.last[index]) | (~is_asked & seen)
        return seen

    def order(self, id: Any) -> Any:
        """The place of an order without a fork, likewise."""
        world = self._world
        view = _view_order(world.symbolic_orders.get_order(id), world.symbolic_orders.rests(id))
        if self._after is None:
            return view
        for index in dict.fromkeys(world.orders.written):
            view = choose_order(world.orders.keys[index] == id, world.orders.last[index], view)
        return view

    def _sum(self, ghost: Any, part: Any, table: SymTable | None = None) -> Any:
        """A sum over all accounts: what it was, and what the written accounts changed of it."""
        if self._after is None:
            return ghost
        table = self._world.accounts if table is None else table
        for index in sorted(set(table.written)):
            ghost = ghost + part(table.last[index]) - part(table.first[index])
        return ghost

    @property
    def sum_balances(self) -> Any:
        return self._sum(self._world.sum_balances, lambda account: account.balance)

    @property
    def sum_sizes(self) -> Any:
        return self._sum(self._world.sum_sizes, lambda account: _position(account).size)

    @property
    def sum_longs(self) -> Any:
        return self._sum(self._world.sum_longs, lambda account: larger(_position(account).size, 0))

    @property
    def sum_shares(self) -> Any:
        return self._sum(self._world.sum_shares, lambda stake: stake.shares, self._world.stakes)

    @property
    def sum_deposits(self) -> Any:
        return self._sum(self._world.sum_deposits, lambda stake: stake.deposit, self._world.stakes)

    @property
    def separate_insurance(self) -> Any:
        """Whoever asks for it may assume what is known of the fund's parts before the event."""
        self._world.assume(self._world.get_part_facts())
        return self._separate_insurance

    @property
    def sum_insurance(self) -> Any:
        """Over all markets: that of the event's is the only one that may change."""
        return self._sum(self._world.sum_insurance, _get_part, self._world.markets)

    @property
    def sum_entries(self) -> Any:
        return self._sum(
            self._world.sum_entries, lambda account: _position(account).size * _position(account).entry_index
        )


_NO_POSITION: Any = NO_POSITION


def _get_part(market: Market | None) -> Any:
    return 0 if market is None else market.insurance


def _position(account: Account) -> Any:
    positions: Any = account.positions
    return _NO_POSITION if positions.position is None else positions.position


class SymCase:
    """One path of one event."""

    def __init__(
        self, world: World, event: Any, journal: Journal | None, after: State | None, rule: Rule | None
    ) -> None:
        self.world = world
        self.rulebook = world.rulebook
        self.event = event
        self.journal = journal
        self.rejected = rule
        self.effects: tuple[Line, ...] = () if journal is None else tuple(journal.lines)
        table = world.accounts
        world.certify_book = self.assume_book
        self.touched = tuple(table.keys[index] for index in dict.fromkeys(table.written))
        self.holders = tuple(world.stakes.keys[index] for index in dict.fromkeys(world.stakes.written))
        self.before = SymSnapshot(world, None)
        self.after_state = after
        self.touched_orders = tuple(world.orders.keys[index] for index in dict.fromkeys(world.orders.written))
        self.after = SymSnapshot(world, after) if after is not None else self.before

    @property
    def is_same_venue(self) -> bool:
        """Whether the state afterwards has the rulebook and the tables of the state before."""
        state, world = self.after_state, self.world
        return (
            state is not None
            and state.rulebook is world.rulebook
            and (state.accounts, state.markets, state.seen, state.stakes, state.orders)
            == (world.accounts, world.markets, world.seen, world.stakes, world.orders)
        )

    @property
    def is_ranked(self) -> Any:
        episode = self._get_proposed()
        return self.world.is_ranked(self.before.account(episode.account).size, episode)

    @property
    def remainder(self) -> Any:
        episode = self._get_proposed()
        return self.world.get_remainder(self.before.account(episode.account).size, episode)

    def _get_proposed(self) -> Any:
        """The episode that the event should open."""
        event: Any = self.event
        account = self.before.account(event.account)
        lots = lots_asked(self, account)
        return Deleveraging(
            account=event.account,
            market=event.market,
            lots=lots,
            share=share_to_pay(self, account, lots),
            done=Lots(0),
            queue=event.queue,
            head=0,
            level_lots=event.level_lots,
            level_weight=event.level_weight,
        )

    @property
    def head(self) -> Any:
        episode: Any = self.world.deleveraging
        return episode.queue[episode.head]

    def is_ahead(self, first: Any, second: Any) -> Any:
        return SymBool(self.world.queue_ahead(to_int(first), to_int(second)))

    def others(self) -> tuple[Any, ...]:
        other = new_int("other")
        self.assume_certificate((other, self.head))
        return (other,)

    def assume_certificate(self, ids: tuple[Any, ...], places: tuple[Any, ...] = ()) -> None:
        """What the open queue's certificate says of these accounts and places (the induction hypothesis).

        Where the event opens the queue, that is what ``certify`` says of it and its level.
        """
        is_open = self.world.deleveraging is not None
        episode = self.world.deleveraging if is_open else attrs.evolve(self._get_proposed(), remainder=self.remainder)
        holds = True if is_open else self.is_ranked & (self.remainder >= 0)
        facts = self._certificate(self.before, episode, ids, places) & self._allotment(self.before, episode, places)
        self.world.assume(implies(holds, facts))

    def _certificate(self, snapshot: SymSnapshot, episode: Any, ids: tuple[Any, ...], places: tuple[Any, ...]) -> Any:
        """Every eligible account is queued, everyone still to come is eligible, once; and their order is their rank.

        Said of any ids and any places of the queue. Who had its turn is eligible no more, unless lots are parted.
        """
        queue, head = episode.queue, episode.head
        first = either(is_queue(self), head, 0)
        against = self.before.account(episode.account).size

        def can(id: Any) -> Any:
            return eligible(self, snapshot.account(id), against, episode.share, episode.lots)

        def is_at(place: Any, id: Any) -> Any:
            return (place < queue.length) & (queue[place] == id)

        def stands_before(id: Any, other: Any) -> Any:
            return every(can(id), can(other), queue.place(id) >= head, queue.place(id) < queue.place(other))

        queued = [implies(can(id), (queue.place(id) >= first) & is_at(queue.place(id), id)) for id in ids]
        able = [
            implies((place >= head) & (place < queue.length), (queue.place(queue[place]) == place) & can(queue[place]))
            for place in places
        ]
        ordered = [implies(stands_before(one, two), self.is_ahead(one, two)) for one, two in permutations(ids, 2)]
        return every(*queued, *able, *ordered)

    def _allotment(self, snapshot: SymSnapshot, episode: Any, places: tuple[Any, ...]) -> Any:
        """What those still to come are allotted, and what is left over, ties with what is done and can be."""
        queue, head, left = episode.queue, episode.head, episode.lots - episode.done

        def stands(place: Any) -> Any:
            least, most = part_in(self, episode, snapshot.account(queue[place]))
            after, more_after = queue.allotted_from(place + 1), queue.more_from(place + 1)
            return every(
                queue.allotted_from(place) == least + after,
                queue.more_from(place) == most - least + more_after,
                after >= 0,
                more_after >= 0,
            )

        allotted = queue.allotted_from(head) + episode.remainder
        return every(
            *(implies((place >= head) & (place < queue.length), stands(place)) for place in places),
            queue.allotted_from(queue.length) == 0,
            queue.more_from(queue.length) == 0,
            episode.remainder <= queue.more_from(head),
            # each had a lot at least
            queue.capacity >= queue.length,
            episode.done + smaller(left, allotted) == smaller(episode.lots, queue.capacity),
            is_queue(self) | (allotted <= left),
            implies(is_queue(self), episode.remainder == 0),
        )

    def had_its_turn(self, id: Any) -> Any:
        episode: Any = self.world.deleveraging
        place = episode.queue.place(id)
        return every(place >= 0, place < episode.head, episode.queue[place] == id)

    def allotment_ties(self) -> Any:
        """Afterwards, for any place of the queue; of an episode that is over, that all was closed that can be."""
        world, after = self.world, self.after.deleveraging
        any_place = new_int("any_place")
        consumed = () if world.deleveraging is None else (world.deleveraging.head,)
        self.assume_certificate((), (any_place, *consumed))
        if after is not None:
            return self._allotment(self.after, after, (any_place,))
        episode: Any = world.deleveraging
        is_end = isinstance(self.event, events.EndDeleveraging)
        done = episode.done if is_end else episode.lots
        return done == smaller(episode.lots, episode.queue.capacity)

    def end_is_at_maintenance(self) -> Any:
        """Afterwards; of the episode before it is assumed, or of the lots that open one what their name stands for."""
        before, after = self.world.deleveraging, self.after.deleveraging
        id = self.event.account if before is None else before.account
        account = self.before.account(id)
        if before is None:
            figures = account.size, lots_asked(self, account), account.equity, account.maintenance
            self.world.assume(fewest_are_enough(self.rulebook, self.before.market, *figures))
        else:
            self.world.assume(ends_at_maintenance(before, self.before.market, account))
        account = self.after.account(id)
        if after is None:
            return implies(account.size != 0, account.equity >= account.maintenance)
        return ends_at_maintenance(after, self.after.market, account)

    def certificate_holds(self) -> Any:
        """The certificate afterwards, for any two accounts and any place of the queue."""
        episode: Any = self.after.deleveraging
        if episode is None:
            return True
        any_two, any_place = (new_int("any_account"), new_int("any_other")), new_int("any_place")
        consumed = () if self.world.deleveraging is None else (self.head,)
        self.assume_certificate((*any_two, *consumed), (any_place,))
        return self._certificate(self.after, episode, any_two, (any_place,))

    def assume_book(self, ids: tuple[Any, ...]) -> None:
        """What is known of these orders and of the first ones before the event (the induction hypothesis)."""
        if self.world.focus is not None:
            self.world.assume(book_is_sorted(self.before, self.world.focus, ids))

    def orders_to_check(self) -> tuple[Any, ...]:
        """Any two orders; what is known of them and of those that the event touched may be used."""
        any_two = (new_int("any_order"), new_int("other_order"))
        self.assume_book((*any_two, *self.touched_orders))
        return any_two

    def accounts_to_check(self) -> tuple[Any, ...]:
        ids = (*self.touched, new_int("any_account"))
        self.assume_book(self.touched_orders)
        return ids

    @property
    def total_weight(self) -> Any:
        return self.world.total_weight

    @property
    def member(self) -> Any:
        sharing: Any = self.world.sharing
        return sharing.members[sharing.head]

    def assume_members(self, ids: tuple[Any, ...], places: tuple[Any, ...]) -> None:
        """What is known of the members of the open sharing, or of the one that the event opens, likewise."""
        if self.world.sharing is not None:
            self.world.assume(self._membership(self.before, self.world.sharing, ids, places))
            return
        event: Any = self.event
        rest = -self.before.reserves.uncovered - covered_first(self)
        proposed = Sharing(event.market, rest, self.world.total_weight, 0, event.members, 0)
        self.world.assume(implies(self.total_weight > 0, self._membership(self.before, proposed, ids, places)))

    def _membership(self, snapshot: SymSnapshot, sharing: Any, ids: tuple[Any, ...], places: tuple[Any, ...]) -> Any:
        """Everyone with weight stands at its place; whoever is still to come stands there once, and has weight.

        Those still to come weigh what is not done; ids rise from place to place.
        """
        members, head = sharing.members, sharing.head

        def is_listed(id: Any) -> Any:
            place = members.place(id)
            return every(place >= 0, place < members.length, members[place] == id)

        def stands(place: Any) -> Any:
            id = members[place]
            rest, own = members.weight_from(place + 1), weight(self, snapshot.account(id))
            is_next = (place + 1 < members.length) & (id < members[place + 1])
            return every(
                members.place(id) == place,
                own > 0,
                members.weight_from(place) == own + rest,
                rest >= 0,
                is_next | (place + 1 == members.length),
            )

        return every(
            *(implies(weight(self, snapshot.account(id)) > 0, is_listed(id)) for id in ids),
            *(implies((place >= head) & (place < members.length), stands(place)) for place in places),
            members.weight_from(head) == sharing.weight - sharing.done,
            members.weight_from(members.length) == 0,
        )

    def members_are_certified(self) -> Any:
        """The membership afterwards, for any account and any place."""
        sharing: Any = self.after.sharing
        if sharing is None:
            return True
        any_one, any_place = new_int("any_account"), new_int("any_place")
        consumed = () if self.world.sharing is None else (self.world.sharing.head,)
        self.assume_members((any_one,), (any_place, *consumed))
        return self._membership(self.after, sharing, (any_one,), (any_place,))


#: What may be open when an event comes: nothing, or one episode, which all else waits for.
EPISODES = (None, "deleveraging", "sharing")


def get_focus(event: Any) -> Any:
    """The one market that the event is about, if there is one."""
    if isinstance(event, SHARING_STEPS):
        return new_int("sharing.market")
    if isinstance(event, DELEVERAGING_STEPS):
        return new_int("episode.market")
    return getattr(event, "market", None)


def run_event(tracer: Tracer, kind: type[Header], *, episode: str | None) -> SymCase:
    """Run the kernel on any state in which ``episode`` is open and any event of this kind, along one path.

    Raises whatever the kernel raises besides ``Rejected``.
    """
    event = new_event(kind)
    deleveraging, sharing = episode == "deleveraging", episode == "sharing"
    is_step = isinstance(event, SHARING_STEPS if sharing else DELEVERAGING_STEPS)
    open: dict[str, bool] = {"deleveraging": deleveraging, "is_step": is_step, "sharing": sharing}
    world = World(tracer, get_focus(event), **open, looks_at_pending=isinstance(event, events.ApplyRules))
    if isinstance(event, events.SetMarketStatus):
        status: Any = event.status
        world.assume(status.is_one)
    SymCase(world, event, None, None, None)
    world.assume(*(getattr(event, name) >= 0 for name in ("id", "order", "ahead") if is_named(event, name)))
    if isinstance(event, events.BeginLossSharing | events.ShareLoss):
        choose_sharing(world)
    if isinstance(event, events.BeginLossSharing):
        world.members = event.members
        world.assume(world.members.length >= 0, world.total_weight >= 0)
    if isinstance(event, SHARING_STEPS):
        assume_member(world)
    if isinstance(event, events.BeginDeleveraging):
        world.queue = event.queue
        world.assume(world.queue.length >= 0)
    if deleveraging and isinstance(event, DELEVERAGING_STEPS):
        assume_head(world)
    with on_symbols(world):
        try:
            journal = apply(world.get_state(), event)
        except Rejected as rejection:
            case = SymCase(world, event, None, None, rejection.rule)
            if rejection.rule is Rule.NOTHING_TO_BOOK:
                # a model of this path must not hold anybody who would be queued
                case.assume_certificate(tuple(world.accounts.keys))
            return case
        assume_part_of_whole(world)
        after = journal.post(event)
    return SymCase(world, event, journal, after, None)


def is_named(event: Any, name: str) -> bool:
    """Whether an event has a field of this name with an id in it, which is not that of nothing."""
    return getattr(event, name, None) is not None


def assume_head(world: World) -> None:
    """The certificate of the queue's first place."""
    episode: Any = world.deleveraging
    SymCase(world, None, None, None, None).assume_certificate((), (episode.head,))


def assume_member(world: World) -> None:
    """What is known of the next member of the open sharing, if there is one."""
    sharing: Any = world.sharing
    if sharing is not None:
        SymCase(world, None, None, None, None).assume_members((), (sharing.head,))


def choose_sharing(world: World) -> None:
    """Try every word of the rulebook's ``loss_sharing``: what an event of a sharing does depends on it.

    Where a sharing is open, the rulebook has one.
    """
    policies = list(LossSharing) if world.sharing is None else [LossSharing.PROFIT, LossSharing.CONTRACTS]
    for policy in policies[:-1]:
        if new_bool(f"rulebook.shares_by_{policy.value}"):
            break
    else:
        policy = policies[-1]
    world.rulebook = attrs.evolve(world.rulebook, loss_sharing=policy)


def assume_part_of_whole(world: World) -> None:
    """The longs of the accounts taken out are part of all longs (and of the shorts likewise)."""
    if world.market is None:
        return
    longs: Any = 0
    shorts: Any = 0
    for account in world.accounts.first:
        size = _position(account).size
        longs, shorts = longs + larger(size, 0), shorts + larger(-size, 0)
    world.assume(longs <= world.sum_longs, shorts <= world.sum_longs)


def term(value: Any) -> Any:
    """A claim as a z3 term."""
    return to_bool(value)


__all__ = ["SymCase", "SymInt", "SymSnapshot", "new_event", "run_event", "term"]
