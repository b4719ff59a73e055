"""A model as a state of plain integers, with fillers for all that the proof left opaque.

Other markets become filler positions with the totals that the model chose; all other
accounts become fillers that make every sum tie. So the state is one that every law allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import attrs
import z3
from attrs import frozen

from riskcore.capacity import Opening, compute_members, compute_opening
from riskcore.choices import Allocation
from riskcore.events import BeginDeleveraging, BeginLossSharing
from riskcore.journal import Trade
from riskcore.leverages import Leverages
from riskcore.margin import get_margin
from riskcore.markets import get_market
from riskcore.orders import NO_ORDER, Order, Resting, RestingOrders
from riskcore.prover.book import EPISODE_INTS, ORDER_INTS, SymChoice, SymTiers
from riskcore.prover.case import SymCase
from riskcore.prover.symbols import NO_ID, SymBool, SymInt
from riskcore.prover.tracer import BRACKET_FLOOR
from riskcore.quantities import RATE_ONE, AccountId, Atoms, Lots, Rate, Shares, Time, divide_up
from riskcore.rulebook import MarketRules, Rulebook, Tier
from riskcore.rules import Rule
from riskcore.state import (
    Account,
    Deleveraging,
    Draws,
    Market,
    Position,
    Positions,
    Reserves,
    Sharing,
    Stake,
    State,
    genesis,
)
from riskcore.step import Outcome, step
from specs.allocation import part

#: The fields of events that are ids.
EVENT_IDS = ("id", "account", "market", "taker", "maker", "payer", "payee", "long", "short", "order", "ahead")

#: More atoms than any filler's position is worth.
AMPLE = 10**30


@frozen
class Witness:
    """A path made concrete. ``mismatches`` is empty where CPython did what the path says."""

    path: str
    state: State
    event: Any
    outcome: Outcome
    mismatches: tuple[str, ...]


class Realisation:
    """One model, as a state and an event of plain integers and strings."""

    def __init__(self, model: z3.ModelRef, case: SymCase) -> None:
        self._model = model
        self._case = case
        self._fillers = 0

    def value(self, symbol: Any) -> Any:
        """The model's value of a symbol; plain values stand for themselves."""
        if isinstance(symbol, SymInt):
            return self._model.eval(symbol.term, model_completion=True).as_long()
        if isinstance(symbol, SymBool):
            return z3.is_true(self._model.eval(symbol.term, model_completion=True))
        if isinstance(symbol, SymChoice):
            return symbol.choices[self.value(symbol.place)]
        if isinstance(symbol, SymTiers):
            # one that may not be, as its floor is no higher than that of the base rates
            return () if self.value(symbol.are_admissible) else (Tier(Atoms(0), Rate(1), Rate(1)),)
        return symbol

    def id(self, symbol: Any) -> Any:
        number = self.value(symbol)
        return NO_ORDER if number in (NO_ID, NO_ORDER) else f"id{number}"

    def check(self) -> Witness:
        """Run the event on the state, on both kinds of tables, and compare with what the path says."""
        case = self._case
        mismatches: list[str] = []
        for mutable in (True, False):
            state = self.get_state(mutable=mutable)
            event = self.get_event(state)
            expected = self.get_expected(state, event)
            outcome = step(state, event)
            mismatches += self._compare(state, expected, outcome)
        name = "accepted" if case.rejected is None else case.rejected.name
        return Witness(name, state, event, outcome, tuple(mismatches))

    def get_rulebook(self) -> Rulebook:
        rulebook = self._case.rulebook
        values = {field.name: self.value(getattr(rulebook, field.name)) for field in attrs.fields(Rulebook)}
        return Rulebook(**{**values, "vault": self.id(rulebook.vault)})

    def get_state(self, *, mutable: bool = False) -> State:
        self._fillers = 0
        world = self._case.world
        state = genesis(self.get_rulebook(), mutable=mutable)
        accounts: Any = state.accounts
        markets: Any = state.markets
        seen: Any = state.seen
        market = self.get_market(world.market)
        if market is not None:
            markets = markets.put(self.id(world.focus), market)
        realised = [
            (self.id(key), account) for key, account in zip(world.accounts.keys, world.accounts.first, strict=True)
        ]
        balances = entries = longs = shorts = 0
        for id, account in realised:
            positions: dict[Any, Position] = {}
            own = self.get_position(account)
            if own is not None and own.size:
                positions[self.id(world.focus)] = own
                longs, shorts = longs + max(own.size, 0), shorts + max(-own.size, 0)
            for filler, filler_market, position in self.get_rest(account):
                positions[filler] = position
                markets = markets.put(filler, filler_market)
                other = new_account(0, {filler: new_position(-position.size)})
                accounts = accounts.put(f"filler-{filler}", other)
            balance = self.value(account.balance)
            if not self.value(account.positions.rest.has_no_orders):
                quoted = attrs.evolve(self._get_filler_market(1, RATE_ONE, 1), open_interest=Lots(0))
                markets = markets.put("filler-orders", quoted)
            accounts = accounts.put(id, Account(Atoms(balance), Positions(positions), *self._get_past(account)))
            balances += balance
            entries += sum(position.size * position.entry_index for position in positions.values())
        reserves = Reserves(*(self.value(value) for value in attrs.astuple(world.reserves, recurse=False)))
        accounts = self._put_longs_and_shorts(accounts, market, longs, shorts)
        markets = self._put_parts(markets, market)
        filled = 0 if market is None else 2 * self._cushion
        accounts, markets = self._put_balance(accounts, markets, balances + filled, entries, reserves)
        for key, is_seen in zip(world.seen.keys, world.seen.first, strict=True):
            if self.value(is_seen):
                seen = seen.put(self.id(key), True)
        return State(
            state.rulebook,
            accounts,
            markets,
            seen,
            reserves,
            self.get_deleveraging(),
            self.value(world.sequence),
            self.value(world.timestamp),
            self._get_stakes(state.stakes),
            self.value(world.vault_shares),
            self.get_draws(world.draws),
            self.get_sharing(),
            self.value(world.separate_insurance),
            self._get_orders(state.orders),
            self.get_draws(world.outflow),
        )

    def get_draws(self, draws: Any) -> Draws:
        return Draws(self.value(draws.drawn), self.value(draws.since))

    def get_stake(self, stake: Any) -> Stake:
        return Stake(*map(self.value, attrs.astuple(stake, recurse=False)))

    def _get_stakes(self, stakes: Any) -> Any:
        """The stakes that the event may take out, and a holder of all other shares and waiting deposits."""
        world = self._case.world
        shares, deposits = self.value(world.sum_shares), self.value(world.sum_deposits)
        for key, symbols in zip(world.stakes.keys, world.stakes.first, strict=True):
            stake = self.get_stake(symbols)
            stakes = stakes.put(self.id(key), stake)
            shares, deposits = shares - stake.shares, deposits - stake.deposit
        return stakes.put("filler-holder", Stake(shares, deposits, Time(0), Shares(0), Time(0)))

    def _put_parts(self, markets: Any, market: Market | None) -> Any:
        """A separate market that has all other parts of the insurance fund."""
        left = self.value(self._case.world.sum_insurance) - (0 if market is None else market.insurance)
        filler = self._get_filler_market(1, RATE_ONE, 1)
        rules = attrs.evolve(filler.rules, insurance_separate=True)
        return markets.put("filler-fund", attrs.evolve(filler, rules=rules, open_interest=0, insurance=left))

    def _put_longs_and_shorts(self, accounts: Any, market: Market | None, longs: int, shorts: int) -> Any:
        """Two accounts that hold the open interest which the event's accounts do not."""
        if market is None:
            return accounts
        focus = self.id(self._case.world.focus)
        for id, size in (
            ("filler-long", market.open_interest - longs),
            ("filler-short", shorts - market.open_interest),
        ):
            accounts = accounts.put(id, new_account(self._cushion, {focus: new_position(size)}))
        return accounts

    @property
    def _cushion(self) -> int:
        """Cash of the fillers: whether somebody can be deleveraged is the path's choice."""
        return -AMPLE if self._case.rejected is Rule.NOTHING_TO_BOOK else AMPLE

    def _put_balance(self, accounts: Any, markets: Any, balances: int, entries: int, reserves: Reserves) -> Any:
        """An account that holds all other cash, and two positions whose entries make transit tie."""
        total = sum(attrs.astuple(reserves))
        left = reserves.transit - entries
        markets = markets.put("filler-entries", self._get_filler_market(1, RATE_ONE, 1))
        long, short = {"filler-entries": new_position(1, left)}, {"filler-entries": new_position(-1)}
        accounts = accounts.put("filler-cash", new_account(-balances - total, long))
        return accounts.put("filler-entries", new_account(0, short)), markets

    def get_market(self, market: Any) -> Market | None:
        if market is None:
            return None
        rules = self.get_rules(market.rules)
        rules = attrs.evolve(rules, tiers=(*rules.tiers, *self._get_bracket(rules)))
        values = {field.name: self.value(getattr(market, field.name)) for field in attrs.fields(Market)}
        firsts = {name: self.id(getattr(market, name)) for name in ("best_bid", "best_ask")}
        pending = self.get_rules(market.pending) if isinstance(market.pending, MarketRules) else None
        return Market(**{**values, **firsts, "rules": rules, "pending": pending})

    def get_rules(self, rules: Any) -> MarketRules:
        return MarketRules(*(self.value(figure) for figure in attrs.astuple(rules, recurse=False)))

    def _get_bracket(self, rules: MarketRules) -> Iterator[Tier]:
        """The bracket whose floor the path knows by contract, at the base rates: requirements are as without it."""
        rates = rules.initial_margin_rate, rules.maintenance_margin_rate
        for name, _, value in self._case.world.tracer.calls:
            floor = self.value(SymInt(value))
            if name == BRACKET_FLOOR and floor > 0:
                yield Tier(Atoms(floor), *rates)

    def get_position(self, account: Any) -> Any:
        position = account.positions.position
        if position is None:
            return None
        return Position(*(self.value(getattr(position, field.name)) for field in attrs.fields(Position)))

    def get_leverages(self, account: Any) -> Leverages:
        """What is chosen in the event's market; nothing elsewhere."""
        focus = self._case.world.focus
        return Leverages() if focus is None else Leverages({self.id(focus): self.value(account.leverages.leverage)})

    def _get_past(self, account: Any) -> tuple[Any, ...]:
        """What else there is of an account: with one order in another market where it has any."""
        resting = {} if self.value(account.positions.rest.has_no_orders) else {"filler-orders": Resting(orders=1)}
        focus, own = self._case.world.focus, account.resting.resting
        if focus is not None:
            resting[self.id(focus)] = Resting(*map(self.value, own))
        orders: Any = resting
        past = self.value(account.liquidated), self.get_leverages(account), self.value(account.sold)
        return *past, RestingOrders(orders)

    def get_order(self, order: Any) -> Any:
        """An order of ids and plain integers; None where there is none."""
        if order is None:
            return None
        ids = ("account", "market", "ahead", "behind")
        return Order(**{name: (self.id if name in ids else self.value)(getattr(order, name)) for name in ORDER_INTS})

    def _get_orders(self, orders: Any) -> Any:
        """The orders that the event asked for."""
        world = self._case.world
        for key, order in zip(world.orders.keys, world.orders.first, strict=True):
            orders = orders.put(self.id(key), self.get_order(order))
        return orders

    def get_rest(self, account: Any) -> Iterable[tuple[str, Market, Any]]:
        """One or two positions of one lot with the model's totals of value, initial and maintenance."""
        rest = account.positions.rest
        value, initial, maintenance = (self.value(one) for one in (rest.value, rest.initial, rest.maintenance))
        if maintenance == 0:
            return
        # one market at full margin, one at nearly none for what initial exceeds maintenance by
        # which is least where it less its own maintenance is that much; a model's numbers may be of any size
        loose = divide_up((initial - maintenance) * RATE_ONE, RATE_ONE - 1)
        tight = maintenance - divide_up(loose, RATE_ONE)
        left = value
        for notional, rate in ((tight, RATE_ONE), (loose, 1)):
            if notional <= 0:
                continue
            self._fillers += 1
            is_last = rate == 1 or loose <= 0
            worth = left if is_last else 0
            left -= worth
            market = self._get_filler_market(notional, RATE_ONE, rate)
            if not self.value(rest.is_fresh):
                rules = attrs.evolve(market.rules, mark_age_limit=1)
                latest = min(self.value(self._case.world.timestamp), self.value(self._case.event.timestamp))
                market = attrs.evolve(market, rules=rules, mark_time=latest - 2)
            yield f"filler{self._fillers}", market, new_position(1, worth - notional)

    def _get_filler_market(self, mark: int, initial: int, maintenance: int) -> Any:
        """A filler's market that was listed no later than the state's time."""
        time = min(0, self.value(self._case.world.timestamp))
        market = get_filler_market(mark, initial, maintenance)
        return attrs.evolve(market, funding_time=time, mark_time=time, index_time=time)

    def get_deleveraging(self) -> Any:
        episode: Any = self._case.world.deleveraging
        if episode is None:
            return None
        length, head = self.value(episode.queue.length), self.value(episode.head)
        queue: list[Any] = [f"filler-{number}" for number in range(length)]
        if head < length:
            queue[head] = self.id(episode.queue[episode.head])
        return Deleveraging(
            self.id(episode.account),
            self.id(episode.market),
            self.value(episode.lots),
            self.value(episode.share),
            self.value(episode.done),
            tuple(queue),
            head,
            self.value(episode.excess),
            self.value(episode.sequence),
            self.value(episode.level_lots),
            self.value(episode.level_weight),
            self.value(episode.remainder),
        )

    def get_sharing(self) -> Any:
        sharing: Any = self._case.world.sharing
        if sharing is None:
            return None
        length, head = self.value(sharing.members.length), self.value(sharing.head)
        members: list[Any] = [f"filler-{number}" for number in range(length)]
        members[head] = self.id(sharing.members[sharing.head])
        figures = {name: self.value(getattr(sharing, name)) for name in ("amount", "weight", "done", "head")}
        return Sharing(market=self.id(sharing.market), members=tuple(members), **figures)

    def get_event(self, state: State) -> Any:
        event = self._case.event
        values: dict[str, Any] = {}
        for field in attrs.fields(type(event)):
            value = getattr(event, field.name)
            if field.name == "rules":
                values["rules"] = self.get_rules(value)
            elif value is None:
                values[field.name] = None
            elif field.name in (
                "id",
                "account",
                "market",
                "taker",
                "maker",
                "payer",
                "payee",
                "long",
                "short",
                "order",
                "ahead",
            ):
                values[field.name] = self.id(value)
            elif field.name not in ("queue", "members"):
                values[field.name] = self.value(value)
        if isinstance(event, BeginDeleveraging):
            values |= self._get_opening(state, values["account"], values["market"], values["size"])._asdict()
        if isinstance(event, BeginLossSharing):
            is_right = self._case.rejected is None
            values["members"] = compute_members(state, values["market"]) if is_right else ("nobody",)
        return type(event)(**values)

    def _get_opening(self, state: State, account: Any, market: Any, lots: int) -> Opening:
        """The queue and the level of the realised state where the path wants the right ones, else wrong ones."""
        if self._case.rejected in (None, Rule.NOTHING_TO_BOOK, Rule.LEVEL_NOT_EXACT):
            size = abs(state.accounts.get(account).positions.get(market).size)
            opening = compute_opening(state, account, market, lots or size)
            return opening if self._case.rejected is not Rule.LEVEL_NOT_EXACT else opening._replace(level_lots=-1)
        return Opening((AccountId("nobody"),))

    def get_expected(self, state: State, event: Any) -> dict[str, Any]:
        """The whole state that the path says there is afterwards, from the one before."""
        case, expected = self._case, get_fields(state)
        if case.rejected is not None:
            return expected
        world = case.world
        for index in world.accounts.written:
            id, account = self.id(world.accounts.keys[index]), world.accounts.last[index]
            positions = state.accounts.get(id).positions
            if world.focus is not None:
                positions = positions.put(self.id(world.focus), self.get_position(account))
            expected["accounts"][id] = Account(self.value(account.balance), positions, *self._get_past(account))
        for _ in world.markets.written:
            expected["markets"][self.id(world.focus)] = self.get_market(case.after.market)
        for index in world.stakes.written:
            expected["stakes"][self.id(world.stakes.keys[index])] = self.get_stake(world.stakes.last[index])
        for index in world.orders.written:
            self._put_order(expected["orders"], self.id(world.orders.keys[index]), world.orders.last[index])
        expected["vault_shares"] = self.value(case.after.vault_shares)
        expected["separate_insurance"] = self.value(case.after.separate_insurance)
        expected["outflow"] = self.get_draws(case.after.outflow)
        expected["draws"] = self.get_draws(case.after.draws)
        expected["seen"][event.id] = True
        expected["reserves"] = Reserves(*map(self.value, attrs.astuple(case.after.reserves, recurse=False)))
        expected["deleveraging"] = self._get_episode_after(state, event)
        expected["sharing"] = self._get_sharing_after(state, event)
        return {**expected, "sequence": event.sequence, "timestamp": event.timestamp}

    def _put_order(self, orders: dict[str, Any], id: str, order: Any) -> None:
        """As a table puts it: none leaves no trace."""
        if order is None:
            orders.pop(id, None)
        else:
            orders[id] = self.get_order(order)

    def _get_episode_after(self, state: State, event: Any) -> Deleveraging | None:
        episode: Any = self._case.after.deleveraging
        if episode is None:
            return None
        queue = event.queue if state.deleveraging is None else state.deleveraging.queue
        figures = {name: self.value(getattr(episode, name)) for name in EPISODE_INTS}
        if state.deleveraging is None:
            # the path knows them by the certificate
            figures |= {"level_lots": event.level_lots, "level_weight": event.level_weight}
            figures["remainder"] = get_remainder(state, event, figures["lots"])
        return Deleveraging(account=self.id(episode.account), market=self.id(episode.market), queue=queue, **figures)

    def _get_sharing_after(self, state: State, event: Any) -> Sharing | None:
        sharing: Any = self._case.after.sharing
        if sharing is None:
            return None
        members = event.members if state.sharing is None else state.sharing.members
        figures = {name: self.value(getattr(sharing, name)) for name in ("amount", "weight", "done", "head")}
        return Sharing(market=self.id(sharing.market), members=members, **figures)

    def _compare(self, state: State, expected: dict[str, Any], outcome: Outcome) -> Iterator[str]:
        """Every difference between what the path says and what CPython did."""
        case = self._case
        if outcome.rejected is not case.rejected:
            yield f"rejected: {outcome.rejected!r}, and not {case.rejected!r}"
            return
        if case.rejected is not None and outcome.state is not state:
            yield "a rejected event gave another state"
        for name, value in get_fields(outcome.state).items():
            if value != expected[name]:
                yield f"{name}: {value}, and not {expected[name]}"
        lines = [self._get_line(line) for line in case.effects]
        expected_lines = tuple(line for line in lines if line.amount != 0 or isinstance(line, Trade))
        if outcome.effects != expected_lines:
            yield f"effects: {outcome.effects}, and not {expected_lines}"

    def _get_line(self, line: Any) -> Any:
        """An effects line with the model's owners and amounts."""
        names = ("payer", "payee", "buyer", "seller", "market")
        values = {
            name: self.id(value) if name in names and isinstance(value, SymInt) else self.value(value)
            for name, value in line._asdict().items()
        }
        return type(line)(**values)


def get_fields(state: State) -> dict[str, Any]:
    """A state's fields, its tables as dicts of their own."""
    tables = {name: dict(getattr(state, name).items()) for name in ("accounts", "markets", "seen", "stakes", "orders")}
    return {field.name: getattr(state, field.name) for field in attrs.fields(State)} | tables


def get_remainder(state: State, event: BeginDeleveraging, lots: int) -> int:
    """What the parts of the event's queue leave over of the lots, by the specification."""
    if state.rulebook.adl_allocation is Allocation.QUEUE:
        return 0
    mark = get_market(state, event.market).mark_price
    sizes = allotted = 0
    for id in event.queue:
        account = state.accounts.get(id)
        position, equity = account.positions.get(event.market), get_margin(account, state.markets).equity
        figures = position.size, position.cost, mark, equity, event.level_lots, event.level_weight
        sizes, allotted = sizes + abs(position.size), allotted + part(state.rulebook.adl_allocation, *figures)[0]
    return min(lots, sizes) - allotted


def new_position(size: int, entry_index: int = 0) -> Any:
    """A position without a cost."""
    return Position(Lots(size), Atoms(0), Atoms(entry_index))


def new_account(balance: int, positions: dict[Any, Any]) -> Any:
    return Account(Atoms(balance), Positions(positions))


def get_filler_market(mark: int, initial: int, maintenance: int) -> Any:
    """A market at a mark, with an initial rate and a maintenance rate, and one lot of open interest."""
    values: Any = ((initial, maintenance, 0, 0, 0), (mark, 0, 0, 0, 1))
    return Market(MarketRules(*values[0]), *values[1])
