"""What a contract may look at: one event, the state before it and after it, its effects.

``Snapshot`` shows accounts by id, the one market that the event is about, the reserves,
and the sums over all accounts that the laws speak of. The prover fills it with symbols,
the monitor with the integers of a replay.
"""

from __future__ import annotations

from typing import Any, Protocol

from riskcore.journal import Line
from riskcore.rules import Rule


class AccountView(Protocol):
    """An account, and its position in the market that the event is about."""

    @property
    def balance(self) -> Any: ...

    @property
    def size(self) -> Any: ...

    @property
    def cost(self) -> Any: ...

    @property
    def entry_index(self) -> Any: ...

    @property
    def opened(self) -> Any:
        """The sequence number of the last event before the position opened or changed sides."""

    @property
    def liquidated(self) -> Any:
        """When a liquidation fill last closed lots of it; below zero where none did, or where it is not remembered."""

    @property
    def leverage(self) -> Any:
        """What it has chosen in that market; zero where nothing."""

    @property
    def sold(self) -> Any:
        """Atoms of notional at mark that liquidation fills closed then."""

    @property
    def equity(self) -> Any:
        """Balance, and all positions at mark less the funding they owe."""

    @property
    def initial(self) -> Any:
        """Initial requirement of its positions and open orders, at the open interest that there is."""

    @property
    def maintenance(self) -> Any: ...

    @property
    def bids(self) -> Any:
        """Lots that its orders in that market buy, but for those that may only reduce."""

    @property
    def asks(self) -> Any:
        """Lots that they sell, likewise."""

    @property
    def orders(self) -> Any:
        """How many it has in that market."""

    @property
    def has_no_orders(self) -> Any:
        """Whether it has none in any market."""

    def marks_are_fresh(self, time: Any) -> Any:
        """Whether no position of it is measured at a mark price that is stale at the event's ``time``."""

    @property
    def rest_maintenance(self) -> Any:
        """The maintenance requirement of its other markets."""


class OrderView(Protocol):
    """An order, or the place of one: what is said of it means something only where it rests."""

    @property
    def rests(self) -> Any: ...

    @property
    def account(self) -> Any: ...

    @property
    def market(self) -> Any: ...

    @property
    def size(self) -> Any: ...

    @property
    def price(self) -> Any: ...

    @property
    def sequence(self) -> Any: ...

    @property
    def reserved(self) -> Any: ...

    @property
    def ahead(self) -> Any: ...

    @property
    def behind(self) -> Any: ...


class DrawsView(Protocol):
    """Atoms that the insurance fund has paid out, since the time at which their window began."""

    @property
    def drawn(self) -> Any: ...

    @property
    def since(self) -> Any: ...


class StakeView(Protocol):
    """An account's part in the vault, and what of it waits."""

    @property
    def shares(self) -> Any: ...

    @property
    def deposit(self) -> Any: ...

    @property
    def deposit_time(self) -> Any: ...

    @property
    def redemption(self) -> Any: ...

    @property
    def redemption_time(self) -> Any: ...


class Ledger(Protocol):
    """A state's totals, and the market that the event is about."""

    @property
    def market(self) -> Any:
        """The event's market, or None where it is not listed or there is none."""

    @property
    def reserves(self) -> Any: ...

    @property
    def timestamp(self) -> Any: ...

    @property
    def sum_balances(self) -> Any:
        """Over all accounts."""

    @property
    def sum_sizes(self) -> Any:
        """Over all positions in the event's market."""

    @property
    def sum_longs(self) -> Any:
        """Over the positions above zero in the event's market."""

    @property
    def sum_entries(self) -> Any:
        """Of size * entry_index over all positions of all markets."""

    @property
    def draws(self) -> DrawsView: ...

    @property
    def outflow(self) -> DrawsView:
        """What withdrawals took out, likewise."""

    @property
    def vault_shares(self) -> Any: ...

    @property
    def sum_shares(self) -> Any:
        """Over all stakes."""

    @property
    def sum_deposits(self) -> Any:
        """Of what waits in escrow, over all stakes."""

    @property
    def separate_insurance(self) -> Any: ...

    @property
    def sum_insurance(self) -> Any:
        """Of their own parts of the insurance fund, over all markets."""


class Snapshot(Ledger, Protocol):
    """The state before the event, or after it."""

    @property
    def deleveraging(self) -> Any: ...

    @property
    def sharing(self) -> Any: ...

    @property
    def sequence(self) -> Any: ...

    def account(self, id: Any) -> AccountView: ...

    def stake(self, id: Any) -> StakeView: ...

    def order(self, id: Any) -> OrderView: ...

    def seen(self, id: Any) -> Any: ...


class Case(Protocol):
    """One event, applied once."""

    @property
    def rulebook(self) -> Any: ...

    @property
    def event(self) -> Any: ...

    @property
    def before(self) -> Snapshot: ...

    @property
    def after(self) -> Snapshot: ...

    @property
    def effects(self) -> tuple[Line, ...]: ...

    @property
    def rejected(self) -> Rule | None: ...

    @property
    def touched(self) -> tuple[Any, ...]:
        """The ids of the accounts that were written."""

    @property
    def holders(self) -> tuple[Any, ...]:
        """The ids of the accounts whose stakes were written."""

    @property
    def touched_orders(self) -> tuple[Any, ...]:
        """The ids of the orders that were written."""

    def orders_to_check(self) -> tuple[Any, ...]:
        """Orders that the book is checked at: for the prover, any two, and those that the event names."""

    def accounts_to_check(self) -> tuple[Any, ...]:
        """Accounts whose part of the book is checked: for the prover, any one."""

    @property
    def is_ranked(self) -> Any:
        """Whether the queue of a ``BeginDeleveraging`` is every eligible account in rank order."""

    @property
    def remainder(self) -> Any:
        """What the level of a ``BeginDeleveraging`` leaves over of the lots; below zero where it is not exact."""

    @property
    def head(self) -> Any:
        """The account at the head of the open queue."""

    def is_ahead(self, first: Any, second: Any) -> Any:
        """Whether one account ranks before another in the open queue's market."""

    def others(self) -> tuple[Any, ...]:
        """Accounts that the open queue's order is checked against: for the prover, any one."""

    def had_its_turn(self, id: Any) -> Any:
        """Whether the open queue has come by an account."""

    def allotment_ties(self) -> Any:
        """Whether what is closed, and what those still to come are allotted, is all that can be closed."""

    def end_is_at_maintenance(self) -> Any:
        """Whether an episode that closes a part leaves its account at maintenance, once all its lots are closed."""

    def certificate_holds(self) -> Any:
        """Whether the queue that is open afterwards is all eligible accounts in rank order."""

    @property
    def total_weight(self) -> Any:
        """The weight of the members of a ``BeginLossSharing``; zero where they are not everyone who has any."""

    @property
    def member(self) -> Any:
        """The next member of the open sharing."""

    def members_are_certified(self) -> Any:
        """Whether the sharing that is open afterwards is everyone who has weight, and weighs what is left to pay."""
