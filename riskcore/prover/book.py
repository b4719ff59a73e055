"""The third book: symbols, for any number of accounts and markets.

An account that is asked for is any account: any balance, any position in the event's
market, and the opaque totals of all its other markets. Sums over all accounts are
ghosts: what a sum was, and what the touched accounts changed of it. Only what an
event names is ever looked at, so what is proven holds whatever else there is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any, NoReturn

import z3
from attrs import frozen

from riskcore.choices import AdlSize, Allocation, CloseOut, MarketStatus, RankPolicy
from riskcore.orders import Order, Resting
from riskcore.prover.symbols import SymBool, SymInt, new_bool, new_int, to_bool, to_int
from riskcore.prover.tracer import Tracer
from riskcore.rulebook import MarketRules, Rulebook
from riskcore.state import Account, Deleveraging, Draws, Market, Position, Reserves, Sharing, Stake, State
from specs import invariant
from specs.arithmetic import either, every, implies, named
from specs.markets import admissible_rulebook
from specs.order_book import is_part_of
from specs.status import is_ending
from specs.tiers import exposure, initial_requirement, maintenance_requirement

RULEBOOK_INTS = (
    "vault",
    "vault_position_limit",
    "insurance_floor",
    "insurance_fill_band",
    "funding_interval",
    "funding_rate_cap",
    "takeover_rate",
    "vault_deposit_notice",
    "vault_redemption_notice",
    "vault_request_window",
    "vault_deposit_minimum",
    "insurance_fee_share",
    "insurance_draw_limit",
    "insurance_draw_window",
    "liquidation_window",
    "liquidation_cooldown",
    "liquidation_target",
    "liquidation_block_limit",
    "adl_seed",
    "rules_notice",
    "withdrawal_limit",
    "withdrawal_window",
)
RULEBOOK_FLAGS = (
    "insurance_backs_fills",
    "insurance_before_adl",
    "adl_solvent",
    "adl_requires_profit",
    "withdrawals_wait",
    "withdrawals_are_cut",
    "vault_takes_deficits",
    "funding_on_index",
    "has_book",
)
#: The choices that are words, and of which events depend on every one.
RULEBOOK_CHOICES: dict[str, type[StrEnum]] = {
    "adl_close_out": CloseOut,
    "adl_size": AdlSize,
    "adl_allocation": Allocation,
}
#: The fields of ``MarketRules`` that are integers.
RULES_INTS = (
    "initial_margin_rate",
    "maintenance_margin_rate",
    "taker_fee_rate",
    "maker_fee_rate",
    "liquidation_fee_rate",
    "mark_move_limit",
    "mark_age_limit",
    "fill_price_band",
    "open_interest_floor",
    "open_interest_cap",
    "liquidation_share",
    "liquidation_share_floor",
    "minimum_size",
    "liquidation_block_limit",
    "vault_position_limit",
    "mark_index_band",
    "open_interest_limit",
    "index_age_limit",
    "index_move_limit",
)
#: Those that are true or false.
RULES_FLAGS = ("liquidation_tier_step", "insurance_separate")


#: The fields of ``Market`` that are integers.
MARKET_INTS = (
    "mark_price",
    "funding_index",
    "funding_remainder",
    "funding_time",
    "open_interest",
    "mark_time",
    "insurance_used",
    "sold",
    "sold_time",
    "previous_mark_price",
    "index_price",
    "index_time",
    "insurance",
    "best_bid",
    "best_ask",
    "bid_price",
    "ask_price",
    "pending_time",
)
POSITION_INTS = ("size", "cost", "entry_index", "opened")
EPISODE_INTS = ("lots", "share", "done", "head", "excess", "sequence", "level_lots", "level_weight", "remainder")

RESERVES = ("outside", "insurance", "fees", "transit", "uncovered", "escrow")
DRAWS_FIELDS = ("drawn", "since")
ORDER_INTS = ("account", "market", "size", "price", "sequence", "reserved", "ahead", "behind")
RESTING_INTS = ("bids", "asks", "orders")
STAKE_FIELDS = ("shares", "deposit", "deposit_time", "redemption", "redemption_time")


class Opaque:
    """What a transition may use and not compare: two of them are no more equal than different."""

    # nor are they keys: a table would compare them
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise TypeError(f"a transition compared {type(self).__name__} with {other!r}")


class SymChoice:
    """Any one of an enumeration's words; all that can be asked is whether it is this one."""

    # the answers to == and != are symbols, which no type of object's has; so a choice is no key either
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, name: str, kind: type[StrEnum]) -> None:
        self.choices = tuple(kind)
        self.place = new_int(name)

    def __eq__(self, other: object) -> SymBool:  # type: ignore[override]
        if other not in self.choices:
            raise TypeError(f"a choice was compared with {other!r}")
        is_it: SymBool = self.place == self.choices.index(other)
        return is_it

    def __ne__(self, other: object) -> SymBool:  # type: ignore[override]
        return ~(self == other)

    @property
    def is_one(self) -> Any:
        """That it is one of them."""
        return (self.place >= 0) & (self.place < len(self.choices))


def new_choices() -> dict[str, Any]:
    """Any words for a rulebook's choices; who makes them assumes that they are some."""
    return {name: SymChoice(f"rulebook.{name}", kind) for name, kind in RULEBOOK_CHOICES.items()}


class SymTiers(Opaque):
    """Any number of tiers, of which an event asks only whether they are admissible.

    Whatever else depends on them is a requirement, which events know by its facts alone.
    """

    def __init__(self, name: str) -> None:
        self.are_admissible = new_bool(f"{name}.are_admissible")
        #: than those of the market, if these are an event's
        self.need_no_more = new_bool(f"{name}.need_no_more")

    def __iter__(self) -> NoReturn:
        raise TypeError("a transition looked at a market's tiers")

    __len__ = __bool__ = __iter__


def new_rules(name: str) -> Any:
    """Any market rules: any rates, any tiers."""
    values: dict[str, Any] = {field: new_int(f"{name}.{field}") for field in RULES_INTS}
    values |= {field: new_bool(f"{name}.{field}") for field in RULES_FLAGS}
    tiers: Any = SymTiers(f"{name}.tiers")
    return MarketRules(tiers=tiers, **values)


class Rest(Opaque):
    """The totals of an account's other markets: value, initial and maintenance requirement.

    Pointwise facts, each proven of one position in ``proofs/margin.py`` and summed: 0 <= maintenance <= initial,
    no maintenance means no position, and without orders either there is nothing that needs margin.
    """

    def __init__(self, tracer: Tracer, name: str) -> None:
        self.value = new_int(f"{name}.rest_value")
        self.initial = new_int(f"{name}.rest_initial")
        self.maintenance = new_int(f"{name}.rest_maintenance")
        #: at the event's time
        self.is_fresh = new_bool(f"{name}.rest_is_fresh")
        self.has_no_orders = new_bool(f"{name}.rest_has_no_orders")
        is_empty = self.maintenance == 0
        facts = every(
            self.maintenance >= 0,
            self.maintenance <= self.initial,
            implies(is_empty, (self.value == 0) & self.is_fresh),
            implies(is_empty & self.has_no_orders, self.initial == 0),
        )
        tracer.assume(to_bool(facts))

    def are_marks_fresh(self, time: Any) -> Any:
        if not time.term.eq(new_int("event.timestamp").term):
            raise TypeError("marks were judged by another time than the event's")
        return self.is_fresh


class SymPositions(Opaque):
    """An account's positions: the event's market in the open, all others as ``Rest``."""

    def __init__(self, rest: Rest, focus: Any, position: Position | None) -> None:
        self.rest = rest
        self.focus = focus
        self.position = position

    def _check(self, market: Any) -> None:
        if self.focus is None or not market.term.eq(self.focus.term):
            raise TypeError("a position outside the event's market was touched")

    def get(self, market: Any) -> Position:
        self._check(market)
        assert self.position is not None
        return self.position

    def put(self, market: Any, position: Position) -> SymPositions:
        self._check(market)
        size: Any = position.size
        memo = (getattr(position, name) for name in POSITION_INTS[1:])
        kept = Position(position.size, *(either(size == 0, 0, value) for value in memo))
        return SymPositions(self.rest, self.focus, kept)

    def items(self) -> NoReturn:
        raise TypeError("a transition iterated over an account's positions")


class SymLeverages(Opaque):
    """What an account has chosen of leverage: in the event's market in the open, all others as they are."""

    def __init__(self, rest: object, focus: Any, leverage: Any) -> None:
        self.rest = rest
        self.focus = focus
        self.leverage = leverage

    def _check(self, market: Any) -> None:
        if self.focus is None or not market.term.eq(self.focus.term):
            raise TypeError("a leverage outside the event's market was touched")

    def get(self, market: Any) -> Any:
        self._check(market)
        return self.leverage

    def put(self, market: Any, leverage: Any) -> SymLeverages:
        self._check(market)
        return SymLeverages(self.rest, self.focus, leverage)

    def items(self) -> NoReturn:
        raise TypeError("a transition iterated over an account's leverages")


class SymResting(Opaque):
    """What an account has in the order books: in the event's market in the open, all others as they are."""

    def __init__(self, rest: Rest, focus: Any, resting: Resting | None) -> None:
        self.rest = rest
        self.focus = focus
        self.resting = resting

    def _check(self, market: Any) -> None:
        if self.focus is None or not market.term.eq(self.focus.term):
            raise TypeError("orders outside the event's market were touched")

    def get(self, market: Any) -> Any:
        self._check(market)
        return self.resting

    def put(self, market: Any, resting: Any) -> SymResting:
        self._check(market)
        return SymResting(self.rest, self.focus, resting)

    @property
    def is_empty(self) -> Any:
        nothing: Any = self.rest.has_no_orders
        return nothing if self.resting is None else nothing & (self.resting.orders == 0)

    def items(self) -> NoReturn:
        raise TypeError("a transition iterated over an account's orders")


class SymOrders:
    """Where orders rest before the event, as functions of their ids: each id has one place, whoever asks for it."""

    def __init__(self) -> None:
        self._rests = z3.Function("order.rests", z3.IntSort(), z3.BoolSort())
        self._fields = {name: z3.Function(f"order.{name}", z3.IntSort(), z3.IntSort()) for name in ORDER_INTS}

    def rests(self, id: Any) -> Any:
        return SymBool(self._rests(to_int(id)))

    def get_order(self, id: Any) -> Any:
        """The order of this id, whether or not it rests."""
        fields: Any = (SymInt(self._fields[name](to_int(id))) for name in ORDER_INTS)
        return Order(*fields)


@frozen
class OrderSymbols:
    """The place of an order as the specification sees it (``specs.case.OrderView``)."""

    rests: Any
    account: Any
    market: Any
    size: Any
    price: Any
    sequence: Any
    reserved: Any
    ahead: Any
    behind: Any


class SymTable(Opaque):
    """A total map from any key: entries that were asked for, and what they were at first."""

    def __init__(self, new: Callable[[Any, int], Any]) -> None:
        self._new = new
        self.keys: list[Any] = []
        self.first: list[Any] = []
        self.last: list[Any] = []
        self.written: list[int] = []

    def get(self, key: Any) -> Any:
        return self.last[self.find(key)]

    def find(self, key: Any) -> int:
        """The entry of a key, forking on whether it is one of those asked for before."""
        for index, known in enumerate(self.keys):
            if known.term.eq(key.term):
                return index
        for index, known in enumerate(self.keys):
            if known == key:
                return index
        return self.add(key)

    def add(self, key: Any) -> int:
        """A new entry at a key that is none of the others."""
        value = self._new(key, len(self.keys))
        self.keys.append(key)
        self.first.append(value)
        self.last.append(value)
        return len(self.keys) - 1

    def put(self, key: Any, value: Any) -> SymTable:
        index = self.find(key)
        self.last[index] = value
        self.written.append(index)
        return self

    def items(self) -> Iterator[Any]:
        raise TypeError("a transition iterated over a table")

    def __len__(self) -> int:
        raise TypeError("a transition asked for the size of a table")


class SymQueue(Opaque):
    """A queue of any length; ``at`` gives its entries, ``place`` where an account stands.

    ``allotted_from``: lots of the parts from a place on, rounded down; ``more_from``: how many of these are no whole
    lots. ``capacity``: lots of all in it, when it opened.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.length = new_int(f"{name}.length")
        self._at = z3.Function(f"{name}.at", z3.IntSort(), z3.IntSort())
        self._place = z3.Function(f"{name}.place", z3.IntSort(), z3.IntSort())
        self._allotted_from = z3.Function(f"{name}.allotted_from", z3.IntSort(), z3.IntSort())
        self._more_from = z3.Function(f"{name}.more_from", z3.IntSort(), z3.IntSort())
        self.capacity = new_int(f"{name}.capacity")

    def __getitem__(self, index: Any) -> SymInt:
        return SymInt(self._at(to_int(index)))

    def place(self, id: Any) -> SymInt:
        return SymInt(self._place(to_int(id)))

    def allotted_from(self, place: Any) -> SymInt:
        return SymInt(self._allotted_from(to_int(place)))

    def more_from(self, place: Any) -> SymInt:
        return SymInt(self._more_from(to_int(place)))


class SymMembers(SymQueue):
    """The members of a sharing, likewise; ``weight_from`` is the weight of those at a place and after it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._weight_from = z3.Function(f"{name}.weight_from", z3.IntSort(), z3.IntSort())

    def weight_from(self, place: Any) -> SymInt:
        return SymInt(self._weight_from(to_int(place)))


def symbolic_len(value: Any) -> Any:
    """``len``, for the kernel under trace."""
    return value.length if isinstance(value, SymQueue) else len(value)


def _no_other_market(key: Any, index: int) -> NoReturn:
    raise TypeError("a market other than the event's was asked for")


class World:
    """One run's symbols: the state before the event, and what the laws may ask about it."""

    def __init__(
        self,
        tracer: Tracer,
        focus: Any,
        *,
        deleveraging: bool,
        is_step: bool,
        sharing: bool = False,
        looks_at_pending: bool = False,
    ) -> None:
        self.tracer = tracer
        self.looks_at_pending = looks_at_pending
        self.focus = focus
        self.rulebook = self._new_rulebook()
        self.timestamp = new_int("state.timestamp")
        self.sequence = new_int("state.sequence")
        self.accounts = SymTable(self._new_account)
        self.markets = SymTable(_no_other_market)
        self._seen = z3.Function("seen", z3.IntSort(), z3.BoolSort())
        self.seen = SymTable(lambda key, _: self.was_seen(key))
        self.symbolic_orders = SymOrders()
        self.orders = SymTable(self._new_order)
        self.stakes = SymTable(self._new_stake)
        self.vault_shares = new_int("vault_shares")
        self.draws: Any = Draws(*(new_int(f"draws.{name}") for name in DRAWS_FIELDS))
        self.outflow: Any = Draws(*(new_int(f"outflow.{name}") for name in DRAWS_FIELDS))
        self.reserves: Any = Reserves(*(new_int(f"reserves.{name}") for name in RESERVES))
        self.sum_balances = new_int("sum.balances")
        self.sum_sizes = new_int("sum.sizes")
        self.sum_longs = new_int("sum.longs")
        self.sum_entries = new_int("sum.entries")
        self.sum_shares = new_int("sum.shares")
        self.sum_deposits = new_int("sum.deposits")
        self.separate_insurance = new_int("separate_insurance")
        self.sum_insurance = new_int("sum.insurance")
        #: the queue, or the members, that the event proposes, and what these weigh
        self.queue: Any = None
        self.members: Any = None
        self.total_weight = new_int("total_weight")
        self.queue_ahead = z3.Function("ahead", z3.IntSort(), z3.IntSort(), z3.BoolSort())
        self._is_ranked = z3.Function("is_ranked", *[z3.IntSort()] * 4, z3.BoolSort())
        self._remainder = z3.Function("remainder", *[z3.IntSort()] * 7)
        self.imagined: list[tuple[Any, Account]] = []
        #: assumes what is known of orders: set by the case that looks at this world
        self.certify_book: Callable[[tuple[Any, ...]], None] | None = None
        self.imagined_stakes: list[tuple[Any, Stake]] = []
        self._assume_sums()
        if focus is not None:
            # a market that is being deleveraged is listed
            is_listed = ((deleveraging or sharing) and is_step) or bool(new_bool("market.listed"))
            self._add_market(is_listed)
        self.assume(
            invariant.open_interest_is_held(self), invariant.market_is_possible(self, self.rulebook.funding_interval)
        )
        self.deleveraging = self._new_deleveraging(is_step) if deleveraging else None
        self.sharing = self._new_sharing(is_step) if sharing else None

    def get_state(self) -> State:
        return State(
            rulebook=self.rulebook,
            accounts=self.accounts,
            markets=self.markets,
            seen=self.seen,
            reserves=self.reserves,
            deleveraging=self.deleveraging,
            sequence=self.sequence,
            timestamp=self.timestamp,
            stakes=self.stakes,
            vault_shares=self.vault_shares,
            draws=self.draws,
            sharing=self.sharing,
            separate_insurance=self.separate_insurance,
            orders=self.orders,
            outflow=self.outflow,
        )

    def is_untouched(self, state: State) -> bool:
        """Whether this is the state before the event, nothing written yet."""
        tables = (self.accounts, self.markets, self.seen, self.orders)
        same = (state.accounts, state.markets, state.seen, state.orders) == tables and state.rulebook is self.rulebook
        same = same and state.deleveraging is self.deleveraging and state.sharing is self.sharing
        return same and not any(table.written for table in tables)

    def was_seen(self, id: Any) -> Any:
        """Whether an event of this id was accepted before."""
        return SymBool(self._seen(to_int(id)))

    def _new_order(self, key: Any, index: int) -> Any:
        """The order at a key, or None: with what the book's certificate says of it and of its neighbours."""
        if self.certify_book is not None:
            self.certify_book((key,))
        for id, account in zip(self.accounts.keys, self.accounts.first, strict=True):
            self._assume_part(key, id, account)
        return self.symbolic_orders.get_order(key) if self.symbolic_orders.rests(key) else None

    def _assume_part(self, order_id: Any, id: Any, account: Account) -> None:
        """That an order which rests is part of what its account has in the book."""
        if self.focus is None:
            return
        orders = self.symbolic_orders
        order = orders.get_order(order_id)
        is_own = every(orders.rests(order_id), order.account == id, order.market == self.focus)
        self.assume(implies(is_own, is_part_of(order, account.resting.get(self.focus))))

    def assume(self, *facts: Any) -> None:
        self.tracer.assume(*(to_bool(fact) for fact in facts))

    def _new_rulebook(self) -> Any:
        values: dict[str, Any] = {name: new_int(f"rulebook.{name}") for name in RULEBOOK_INTS}
        values |= {name: new_bool(f"rulebook.{name}") for name in RULEBOOK_FLAGS}
        choices = new_choices()
        self.assume(*(choice.is_one for choice in choices.values()))
        rulebook = Rulebook(adl_rank=RankPolicy.PROFIT_TIMES_LEVERAGE, **values, **choices)
        self.assume(admissible_rulebook(rulebook))
        return rulebook

    def _assume_sums(self) -> None:
        """The laws of conservation, which every reachable state satisfies (induction hypothesis)."""
        self.assume(
            invariant.every_atom_has_one_owner(self),
            invariant.reserves_keep_their_sign(self),
            invariant.longs_equal_shorts(self),
            invariant.shares_and_escrow_add_up(self),
            invariant.draws_are_possible(self),
        )

    def get_part_facts(self) -> Any:
        """What is known of the insurance fund's parts: for those claims that look at them, as most do not."""
        known, market = invariant.parts_are_of_the_fund(self), self.market
        if market is None:
            return every(known, self.sum_insurance >= 0)
        # one of the parts that the sum is of, and none is below zero
        part: Any = market.insurance
        return every(known, invariant.part_is_possible(market), part <= self.sum_insurance)

    def _new_market(self) -> Any:
        figures: dict[str, Any] = {name: new_int(f"market.{name}") for name in MARKET_INTS}
        # that it is one of the words only models need
        status: Any = SymChoice("market.status", MarketStatus)
        market = Market(rules=new_rules("market"), **figures, status=status, pending=self._new_pending())
        return market

    def _new_pending(self) -> Any:
        """Rules that wait: some or none where the event looks at them, and otherwise whatever they are."""
        if not self.looks_at_pending:
            return Opaque()
        return new_rules("pending") if bool(new_bool("market.is_pending")) else None

    def imagine(self, id: Any) -> Account:
        """An account that the event did not take out, for claims about any account."""
        account = self._new_account(id, len(self.accounts.keys) + len(self.imagined))
        if all(account is not known for _, known in self.imagined):
            self.imagined.append((id, account))
        return account

    def imagine_stake(self, id: Any) -> Any:
        """The stake of an account that the event did not take out, likewise."""
        for known, stake in self.imagined_stakes:
            if known.term.eq(id.term):
                return stake
        stake = self._make_stake(len(self.stakes.keys) + len(self.imagined_stakes))
        self.imagined_stakes.append((id, stake))
        return stake

    def is_ranked(self, size: Any, episode: Any) -> SymBool:
        """Whether the event's queue is ranked for an episode against a position of ``size``."""
        figures = (size, episode.market, episode.lots, episode.share)
        return SymBool(self._is_ranked(*map(to_int, figures)))

    def get_remainder(self, size: Any, episode: Any) -> SymInt:
        """The remainder of the event's level, for such an episode; below zero where it is not exact."""
        lots, weight = episode.level_lots, episode.level_weight
        figures = (size, episode.market, episode.lots, episode.share, lots, weight)
        result = SymInt(self._remainder(*map(to_int, figures)))
        is_queue = self.rulebook.adl_allocation == Allocation.QUEUE
        self.assume(implies(result >= 0, (weight > 0) & (lots >= 0)), implies(is_queue, result <= 0))
        return result

    def _add_market(self, is_listed: bool) -> None:
        market = self._new_market() if is_listed else None
        self.markets.keys.append(self.focus)
        self.markets.first.append(market)
        self.markets.last.append(market)

    @property
    def market(self) -> Market | None:
        return self.markets.first[0] if self.focus is not None else None

    def _new_account(self, key: Any, index: int) -> Account:
        for known, account in self.imagined:
            if known.term.eq(key.term):
                return account
        name = f"account{index}"
        position: Any = None
        if self.focus is not None:
            position = Position(*(new_int(f"{name}.{field}") for field in POSITION_INTS))
            self.assume(invariant.position_is_possible(self.market, position))
        positions: Any = SymPositions(Rest(self.tracer, name), self.focus, position)
        leverages: Any = SymLeverages(object(), self.focus, new_int(f"{name}.leverage"))
        own: Any = None
        if self.focus is not None:
            own = Resting(*(new_int(f"{name}.{field}") for field in RESTING_INTS))
            self.assume(invariant.resting_is_possible(self.market, own))
        resting: Any = SymResting(positions.rest, self.focus, own)
        sold = new_int(f"{name}.sold")
        self.assume(invariant.nothing_is_sold_back(sold))
        liquidated = new_int(f"{name}.liquidated")
        account = Account(new_int(f"{name}.balance"), positions, liquidated, leverages, sold, resting)
        for order_id in self.orders.keys:
            self._assume_part(order_id, key, account)
        return account

    def _new_stake(self, key: Any, index: int) -> Any:
        """Any stake; with those taken out before it, part of the sums over all."""
        stake = self._make_stake(index)
        shares: Any = stake.shares
        deposits: Any = stake.deposit
        for other in self.stakes.first:
            shares, deposits = shares + other.shares, deposits + other.deposit
        self.assume(shares <= self.sum_shares, deposits <= self.sum_deposits)
        return stake

    def _make_stake(self, index: int) -> Any:
        stake = Stake(*(new_int(f"stake{index}.{name}") for name in STAKE_FIELDS))
        self.assume(invariant.stake_is_possible(stake))
        return stake

    def _new_deleveraging(self, is_focus: bool) -> Any:
        """An open episode; where the event is a step of it, with the invariants that ADL-2 and ADL-4 carry on."""
        figures: Any = {name: new_int(f"episode.{name}") for name in EPISODE_INTS}
        queue: Any = SymQueue("queue")
        market = self.focus if is_focus else new_int("episode.market")
        episode: Any = Deleveraging(account=new_int("episode.account"), market=market, queue=queue, **figures)
        self.assume(invariant.episode_is_possible(episode, self.rulebook))
        if is_focus:
            account = AccountSymbols(self, self.accounts.get(episode.account))
            self.assume(invariant.episode_fits(episode, self.market, account, self.rulebook))
        return episode

    def _new_sharing(self, is_focus: bool) -> Any:
        """An open sharing of a loss, likewise."""
        amount, weight, done, head = (new_int(f"sharing.{name}") for name in ("amount", "weight", "done", "head"))
        market = self.focus if is_focus else new_int("sharing.market")
        members: Any = SymMembers("members")
        sharing: Any = Sharing(market, amount, weight, done, members, head)
        self.assume(weight > 0)
        self.assume(invariant.sharing_is_possible(sharing, -self.reserves.uncovered, sharing.members.length))
        return sharing


def is_own_mark_fresh(market: Any, time: Any) -> Any:
    """Whether the event's market ends, bounds no age, or was marked within it."""
    limit = market.rules.mark_age_limit
    return is_ending(market) | (limit == 0) | (time - market.mark_time <= limit)


class AccountSymbols:
    """An account as the specification sees it (``specs.case.AccountView``)."""

    def __init__(self, world: World, account: Account, market: Any = None) -> None:
        positions: Any = account.positions
        leverages: Any = account.leverages
        listed = world.market if market is None else market
        self._open_interest: Any = 0 if listed is None else listed.open_interest
        self.leverage: Any = leverages.leverage
        self._world = world
        self._rest = positions.rest
        position = positions.position
        resting: Any = account.resting
        self.has_no_orders: Any = resting.is_empty
        own = Resting() if resting.resting is None else resting.resting
        self.bids: Any = own.bids
        self.asks: Any = own.asks
        self.orders: Any = own.orders
        self.balance: Any = account.balance
        self.liquidated: Any = account.liquidated
        self.sold: Any = account.sold
        self.size: Any = 0 if position is None else position.size
        self.cost: Any = 0 if position is None else position.cost
        self.entry_index: Any = 0 if position is None else position.entry_index
        self.opened: Any = 0 if position is None else position.opened

    @property
    def equity(self) -> Any:
        market = self._world.market
        own = 0 if market is None else self.size * (market.mark_price - market.funding_index + self.entry_index)
        return named("equity", self.balance + own + self._rest.value)

    @property
    def initial(self) -> Any:
        market = self._world.market
        if market is None:
            return named("initial", self._rest.initial)
        open_interest = named("open_interest", self._open_interest)
        own = initial_requirement(market, exposure(self.size, self.bids, self.asks), open_interest, self.leverage)
        return named("initial", own + self._rest.initial)

    @property
    def maintenance(self) -> Any:
        market = self._world.market
        own = 0 if market is None else maintenance_requirement(market, self.size)
        return named("maintenance", own + self._rest.maintenance)

    @property
    def rest_maintenance(self) -> Any:
        return self._rest.maintenance

    def marks_are_fresh(self, time: Any) -> Any:
        market, others = self._world.market, self._rest.are_marks_fresh(time)
        return others if market is None else others & ((self.size == 0) | is_own_mark_fresh(market, time))
