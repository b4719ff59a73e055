"""What can happen. Each event is one micro-step that touches a handful of owners.

Sizes are lots, prices atoms per lot, amounts atoms, rates parts per million,
timestamps milliseconds. A field that is no exact ``int`` (a ``bool`` is not one)
or no ``str`` raises ``TypeError`` when the event is made; whether its value can be
accepted is for ``step`` to say.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import attrs
from attrs import field, frozen
from attrs.validators import instance_of

from riskcore.choices import MarketStatus
from riskcore.quantities import (
    AccountId,
    Atoms,
    EventId,
    Leverage,
    Lots,
    MarketId,
    Price,
    Rate,
    Shares,
    Time,
    exact_bool,
    exact_int,
    some_text,
)
from riskcore.rulebook import MarketRules


def _queue(event: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if type(value) is not tuple or any(type(entry) is not str or not entry for entry in value):
        raise TypeError(f"{type(event).__name__}.{attribute.name} must be a tuple of non-empty str, not {value!r}")


def _text_or_none(event: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None:
        some_text(event, attribute, value)


@frozen
class Header:
    """What every event carries: a unique id, a rising sequence number, a time."""

    id: EventId = field(validator=some_text)
    sequence: int = field(validator=exact_int)
    timestamp: Time = field(validator=exact_int)


@frozen
class ListMarket(Header):
    """A market opens at a mark price."""

    market: MarketId = field(validator=some_text)
    rules: MarketRules = field(validator=instance_of(MarketRules))
    mark_price: Price = field(validator=exact_int)


@frozen
class Deposit(Header):
    """Cash comes in for an account."""

    account: AccountId = field(validator=some_text)
    amount: Atoms = field(validator=exact_int)


@frozen
class Withdraw(Header):
    """Cash leaves an account, as far as its initial margin and the pool allow."""

    account: AccountId = field(validator=some_text)
    amount: Atoms = field(validator=exact_int)


@frozen
class Transfer(Header):
    """Cash goes from one account to another, such as a sub-account that isolates a position."""

    payer: AccountId = field(validator=some_text)
    payee: AccountId = field(validator=some_text)
    amount: Atoms = field(validator=exact_int)


@frozen
class FundInsurance(Header):
    """Cash comes in for the insurance fund: for its shared part, or for that of a separate ``market``."""

    amount: Atoms = field(validator=exact_int)
    market: MarketId | None = field(default=None, validator=_text_or_none)


@frozen
class RepayLoss(Header):
    """Cash comes in that pays back an uncovered loss, or a part of it."""

    amount: Atoms = field(validator=exact_int)


@frozen
class AdvanceTime(Header):
    """Nothing but the time passes."""


@frozen
class MarkPrice(Header):
    """A market's mark price is set."""

    market: MarketId = field(validator=some_text)
    price: Price = field(validator=exact_int)


@frozen
class IndexPrice(Header):
    """A market's index price is set."""

    market: MarketId = field(validator=some_text)
    price: Price = field(validator=exact_int)


@frozen
class ApplyFunding(Header):
    """A market's funding index moves by ``rate`` per interval for the time since it last did.

    Longs pay shorts where the rate is above zero.
    """

    market: MarketId = field(validator=some_text)
    rate: Rate = field(validator=exact_int)


@frozen
class Fill(Header):
    """Two accounts trade; ``size`` is the taker's change of position, + buys, - sells.

    ``order``: the maker's resting order that it takes from, where the rulebook has an order book.
    """

    taker: AccountId = field(validator=some_text)
    maker: AccountId = field(validator=some_text)
    market: MarketId = field(validator=some_text)
    size: Lots = field(validator=exact_int)
    price: Price = field(validator=exact_int)
    order: EventId | None = field(default=None, validator=_text_or_none)


@frozen
class LiquidationFill(Header):
    """The order book's stage: ``size`` lots of an account below maintenance go to a maker.

    ``order``: as for a fill.
    """

    account: AccountId = field(validator=some_text)
    maker: AccountId = field(validator=some_text)
    market: MarketId = field(validator=some_text)
    size: Lots = field(validator=exact_int)
    price: Price = field(validator=exact_int)
    order: EventId | None = field(default=None, validator=_text_or_none)


@frozen
class Takeover(Header):
    """The vault's stage: it takes ``size`` lots with their share of the account's equity."""

    account: AccountId = field(validator=some_text)
    market: MarketId = field(validator=some_text)
    size: Lots = field(validator=exact_int)


@frozen
class CoverDeficit(Header):
    """The insurance fund's stage: it pays what it can of an account's negative equity."""

    account: AccountId = field(validator=some_text)


@frozen
class BeginDeleveraging(Header):
    """The last stage opens: ``queue`` is every eligible counterparty, in rank order.

    ``size``: lots to close; zero: all of the position.
    ``level_lots``, ``level_weight``: under a rulebook that parts the lots, so many are the part of so much weight.
    """

    account: AccountId = field(validator=some_text)
    market: MarketId = field(validator=some_text)
    queue: tuple[AccountId, ...] = field(validator=_queue)
    size: Lots = field(default=Lots(0), validator=exact_int)
    level_lots: int = field(default=0, validator=exact_int)
    level_weight: int = field(default=1, validator=exact_int)


@frozen
class Deleverage(Header):
    """The head of the open queue closes its lots: all, or its part, which may be none."""


@frozen
class EndDeleveraging(Header):
    """The open queue is exhausted: what it could not pay falls on insurance, then on uncovered."""


@frozen
class WriteOff(Header):
    """The debt of a flat account, which nobody is left to pay, is booked to uncovered."""

    account: AccountId = field(validator=some_text)


@frozen
class BeginLossSharing(Header):
    """All that is uncovered is to be shared out: ``members`` are who has weight in the market, by their ids."""

    market: MarketId = field(validator=some_text)
    members: tuple[AccountId, ...] = field(validator=_queue)


@frozen
class ShareLoss(Header):
    """The next member of the open sharing pays its part."""


@frozen
class SettleMarket(Header):
    """A market ends: from now on its positions are only closed, at ``price``."""

    market: MarketId = field(validator=some_text)
    price: Price = field(validator=exact_int)


@frozen
class SettlePair(Header):
    """In a market that ends, the smaller of a long and a short position is closed against the other."""

    market: MarketId = field(validator=some_text)
    long: AccountId = field(validator=some_text)
    short: AccountId = field(validator=some_text)


@frozen
class RequestVaultDeposit(Header):
    """Cash of an account goes into escrow, to become shares of the vault after its notice."""

    account: AccountId = field(validator=some_text)
    amount: Atoms = field(validator=exact_int)


@frozen
class ExecuteVaultDeposit(Header):
    """An account's waiting deposit becomes shares, at the vault's equity of the moment."""

    account: AccountId = field(validator=some_text)


@frozen
class CancelVaultDeposit(Header):
    """An account's waiting deposit, which has lapsed, goes back to it."""

    account: AccountId = field(validator=some_text)


@frozen
class RequestVaultRedemption(Header):
    """Shares of the vault are to be paid out after their notice."""

    account: AccountId = field(validator=some_text)
    shares: Shares = field(validator=exact_int)


@frozen
class ExecuteVaultRedemption(Header):
    """An account's waiting shares are paid out, at the vault's equity of the moment."""

    account: AccountId = field(validator=some_text)


@frozen
class SetLeverage(Header):
    """An account chooses the most leverage that it takes in a market; 0 takes the choice back.

    A position then needs initial margin of its notional over the leverage, rounded up, where the market's
    rules do not need more.
    """

    account: AccountId = field(validator=some_text)
    market: MarketId = field(validator=some_text)
    leverage: Leverage = field(validator=exact_int)


@frozen
class PlaceOrder(Header):
    """A limit order rests in the book, for ``size`` lots, + buys, - sells, at ``price`` or better.

    It is known by the event's id.
    ``ahead``: the order that it goes behind; None where it is the best of its side.
    ``reduce_only``: it only brings a position toward zero.
    """

    account: AccountId = field(validator=some_text)
    market: MarketId = field(validator=some_text)
    size: Lots = field(validator=exact_int)
    price: Price = field(validator=exact_int)
    reduce_only: bool = field(default=False, validator=exact_bool)
    ahead: EventId | None = field(default=None, validator=_text_or_none)


@frozen
class CancelOrder(Header):
    """A resting order is taken out of its market's book."""

    market: MarketId = field(validator=some_text)
    order: EventId = field(validator=some_text)


@frozen
class SetMarketStatus(Header):
    """A market becomes close-only, is paused, or is open again. ``SettleMarket`` and ``DelistMarket`` end it."""

    market: MarketId = field(validator=some_text)
    status: MarketStatus = field(validator=instance_of(MarketStatus))


@frozen
class DelistMarket(Header):
    """A settled market in which nobody has a position any more is gone for good; its name stays taken."""

    market: MarketId = field(validator=some_text)


@frozen
class ChangeRules(Header):
    """A market gets other rules: at once where nobody needs more maintenance for it, else after the notice for them."""

    market: MarketId = field(validator=some_text)
    rules: MarketRules = field(validator=instance_of(MarketRules))


@frozen
class ApplyRules(Header):
    """The rules that a market was to get take effect: their notice is over."""

    market: MarketId = field(validator=some_text)


CashEvent: TypeAlias = Deposit | Withdraw | Transfer | FundInsurance | RepayLoss
MarketEvent: TypeAlias = ListMarket | AdvanceTime | MarkPrice | IndexPrice | ApplyFunding | SettleMarket | SettlePair
LifeEvent: TypeAlias = SetMarketStatus | DelistMarket | ChangeRules | ApplyRules
TradeEvent: TypeAlias = Fill | SetLeverage | PlaceOrder | CancelOrder
WaterfallEvent: TypeAlias = LiquidationFill | Takeover | CoverDeficit | BeginDeleveraging | Deleverage | EndDeleveraging
LossEvent: TypeAlias = WriteOff | BeginLossSharing | ShareLoss
DepositorEvent: TypeAlias = RequestVaultDeposit | ExecuteVaultDeposit | CancelVaultDeposit
RedeemerEvent: TypeAlias = RequestVaultRedemption | ExecuteVaultRedemption
VaultEvent: TypeAlias = DepositorEvent | RedeemerEvent
Event: TypeAlias = CashEvent | MarketEvent | LifeEvent | TradeEvent | WaterfallEvent | LossEvent | VaultEvent
