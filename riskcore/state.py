"""What a venue knows: accounts, markets, reserves, what is open, and the rulebook that it keeps to.

All values are frozen. The only mutable thing there can be is the table that a
state was made on (``tables.py``); which one is chosen in ``genesis``.
"""

from __future__ import annotations

import attrs
from attrs import field, frozen

from riskcore.choices import MarketStatus
from riskcore.leverages import NO_LEVERAGES, Leverages
from riskcore.orders import NO_ORDER, NO_RESTING_ORDERS, Order, RestingOrders
from riskcore.per_market import PerMarket
from riskcore.quantities import NEVER, AccountId, Atoms, EventId, Lots, MarketId, Price, Shares, Time
from riskcore.rulebook import MarketRules, Rulebook, is_admissible_rulebook
from riskcore.tables import DictTable, PersistentTable, Table

_START = Time(0)
_NOTHING = Atoms(0)
_NO_LOTS = Lots(0)
_NO_PRICE = Price(0)


_NO_SUCH_ORDER: Order | None = None


def _get_mark(market: Market) -> Price:
    return market.mark_price


def _get_mark_time(market: Market) -> Time:
    return market.mark_time


@frozen
class Market:
    """A listed market.

    ``funding_index``: atoms that one long lot has paid, in sum, since listing.
    ``funding_remainder``: what the index's divisions left over, carried to the next.
    ``open_interest``: lots held long, which are as many as are held short.
    ``status``: how far the market is in its life.
    ``mark_time``: when the mark price was set.
    ``insurance_used``: atoms that the insurance fund has paid for liquidation fills and deleveragings here.
    ``sold``: atoms of notional at mark that liquidation fills closed at ``sold_time``, where the market limits it.
    ``previous_mark_price``: the mark before the last ``MarkPrice``.
    ``index_price``, ``index_time``: the price of what the market is about, and when it was set. Until they
    are, all three are those of the mark.
    ``insurance``: atoms of the insurance fund that are this market's own (``domains.py``).
    ``best_bid``, ``best_ask``: the first orders of its book, and ``bid_price``, ``ask_price``, their prices; of an
    empty side there is no order and a price of zero.
    ``pending``: rules that are announced, and take effect from ``pending_time`` on, once they are applied.
    """

    rules: MarketRules
    mark_price: Price
    funding_index: Atoms
    funding_remainder: int
    funding_time: Time
    open_interest: Lots
    status: MarketStatus = MarketStatus.OPEN
    mark_time: Time = _START
    insurance_used: Atoms = _NOTHING
    sold: Atoms = _NOTHING
    sold_time: Time = _START
    previous_mark_price: Price = field(default=attrs.Factory(_get_mark, takes_self=True))
    index_price: Price = field(default=attrs.Factory(_get_mark, takes_self=True))
    index_time: Time = field(default=attrs.Factory(_get_mark_time, takes_self=True))
    insurance: Atoms = _NOTHING
    best_bid: EventId = NO_ORDER
    best_ask: EventId = NO_ORDER
    bid_price: Price = _NO_PRICE
    ask_price: Price = _NO_PRICE
    pending: MarketRules | None = None
    pending_time: Time = _START

    @property
    def settling(self) -> bool:
        """Whether the market ends at its mark price, for good: it is being settled, or is delisted."""
        return (self.status == MarketStatus.SETTLING) | (self.status == MarketStatus.DELISTED)


@frozen
class Position:
    """``cost`` is a memo for entry price, profit and rank; no balance is computed from it.

    ``opened``: the sequence number of the last event before it opened or changed sides; a memo for rank.
    """

    size: Lots
    cost: Atoms
    entry_index: Atoms
    opened: int = 0


NO_POSITION = Position(Lots(0), Atoms(0), Atoms(0))


class Positions(PerMarket[Position]):
    """One account's positions by market; a size of zero leaves no trace, whatever was left of its memos."""

    __slots__ = ()

    ABSENT = NO_POSITION

    @classmethod
    def is_nothing(cls, value: Position) -> bool:
        return value.size == 0


@frozen
class Account:
    """A participant: the vault is one, and so would a market maker be.

    ``liquidated``: when a liquidation fill last closed lots of it, where the rulebook has it remembered.
    ``leverages``: what it has chosen of leverage, by market, whether or not it has a position there.
    ``sold``: atoms of notional at mark that liquidation fills closed then.
    ``resting``: what it has in the order books.
    """

    balance: Atoms
    positions: Positions
    liquidated: Time = NEVER
    leverages: Leverages = NO_LEVERAGES
    sold: Atoms = _NOTHING
    resting: RestingOrders = NO_RESTING_ORDERS


NO_ACCOUNT = Account(Atoms(0), Positions())


@frozen
class Reserves:
    """The owners of cash that are not accounts. With the accounts they sum to zero.

    ``outside``: the world; minus its balance is the pool, the cash that is really there.
    ``transit``: funding that one side has settled and the other has not yet; either sign.
    ``uncovered``: minus the losses that nobody could pay.
    ``escrow``: deposits that wait to become shares of the vault; still their depositors'.
    """

    outside: Atoms
    insurance: Atoms
    fees: Atoms
    transit: Atoms
    uncovered: Atoms
    escrow: Atoms = field(default=Atoms(0))


@frozen
class Draws:
    """What the insurance fund has paid out since the last window began: ``drawn`` atoms since ``since``.

    Kept where the rulebook limits it (``draws.py``); and so what withdrawals took out (``outflow.py``).
    """

    drawn: Atoms = field(default=Atoms(0))
    since: Time = field(default=Time(0))


NO_DRAWS = Draws()


@frozen
class Stake:
    """An account's part in the vault. It is no part of the account's equity: shares are no margin.

    ``deposit``: atoms in escrow that wait to become shares, since ``deposit_time``.
    ``redemption``: shares that wait to be paid out, since ``redemption_time``; until then they
    are shares like all others. Where nothing waits, the time is zero.
    """

    shares: Shares
    deposit: Atoms
    deposit_time: Time
    redemption: Shares
    redemption_time: Time


NO_STAKE = Stake(Shares(0), Atoms(0), Time(0), Shares(0), Time(0))


@frozen
class Deleveraging:
    """An open deleveraging of ``account`` in ``market``; while it is open all else waits.

    ``lots``: lots to close; ``share``: atoms that the counterparties pay for all of them
    (they receive if it is negative); ``done``: lots closed so far.
    ``queue``: every eligible counterparty in rank order; ``head``: how many were consumed.
    ``excess``: atoms of the share that the account does not need, which are the insurance fund's.
    ``sequence``: the sequence number of the last event before it was opened.
    ``level_lots``, ``level_weight``: so many lots are the part of so much weight (``allocation.py``).
    ``remainder``: lots left over by parts that were rounded down, for those whose part has a fraction.
    """

    account: AccountId
    market: MarketId
    lots: Lots
    share: Atoms
    done: Lots
    queue: tuple[AccountId, ...]
    head: int
    excess: Atoms = _NOTHING
    sequence: int = 0
    level_lots: int = 0
    level_weight: int = 1
    remainder: Lots = _NO_LOTS


@frozen
class Sharing:
    """A loss of ``amount`` atoms that is being shared out by positions in ``market``; until then all else waits.

    ``members``: everyone who has weight, in the order of their ids; ``weight``: all of theirs together.
    ``head``: how many have paid; ``done``: their weight.
    """

    market: MarketId
    amount: Atoms
    weight: int
    done: int
    members: tuple[AccountId, ...]
    head: int


@frozen
class State:
    """``vault_shares``: the shares of all stakes together.

    ``separate_insurance``: atoms of the insurance fund that are some market's own, all together.
    ``outflow``: what withdrawals took out in their window.
    """

    rulebook: Rulebook
    accounts: Table[AccountId, Account]
    markets: Table[MarketId, Market | None]
    seen: Table[EventId, bool]
    reserves: Reserves
    deleveraging: Deleveraging | None
    sequence: int
    timestamp: Time
    stakes: Table[AccountId, Stake] = field(factory=lambda: PersistentTable(NO_STAKE))
    vault_shares: Shares = field(default=Shares(0))
    draws: Draws = field(default=NO_DRAWS)
    sharing: Sharing | None = None
    separate_insurance: Atoms = _NOTHING
    orders: Table[EventId, Order | None] = field(factory=lambda: PersistentTable(_NO_SUCH_ORDER))
    outflow: Draws = field(default=NO_DRAWS)


def genesis(rulebook: Rulebook, *, mutable: bool = False) -> State:
    """An empty venue. ``mutable`` keeps it on plain dicts, for speed (see ``DictTable``).

    Raises ``ValueError`` where the rulebook is not admissible.
    """
    if not is_admissible_rulebook(rulebook):
        raise ValueError(f"the rulebook is outside the admissible range: {rulebook}")
    no_market: Market | None = None
    return State(
        rulebook=rulebook,
        accounts=DictTable(NO_ACCOUNT) if mutable else PersistentTable(NO_ACCOUNT),
        markets=DictTable(no_market) if mutable else PersistentTable(no_market),
        seen=DictTable(False) if mutable else PersistentTable(False),
        reserves=Reserves(Atoms(0), Atoms(0), Atoms(0), Atoms(0), Atoms(0)),
        deleveraging=None,
        sequence=0,
        timestamp=Time(0),
        stakes=DictTable(NO_STAKE) if mutable else PersistentTable(NO_STAKE),
        orders=DictTable(_NO_SUCH_ORDER) if mutable else PersistentTable(_NO_SUCH_ORDER),
    )
