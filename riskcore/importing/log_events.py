"""A log of reconciled fills: markets, deposits, marks, fills, and fees and funding as transfers, exact to the atom.

A log needs both sides of every trade. What the file does not say is assumed, and named: margin rates, marks (each at
the price of the fill that follows), what accounts deposit, and at what price positions were opened before. The kernel
steps through every event before anything is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Final, TypeAlias

from attrs import define, field, frozen

from riskcore.bad_input import printable
from riskcore.events import Deposit, Event, Fill, ListMarket, MarkPrice, Transfer, Withdraw
from riskcore.importing.findings import Cause
from riskcore.importing.ordering import Pair
from riskcore.importing.reconcile import Reconciliation
from riskcore.importing.records import Flow, Movement
from riskcore.importing.rules import Margins, get_initial
from riskcore.quantities import AccountId, Atoms, EventId, Lots, MarketId, Price, Time
from riskcore.rulebook import MarketRules, Rulebook
from riskcore.state import genesis
from riskcore.step import step
from riskcore.units import Units, format_decimal
from riskcore.venues.scene import make_rulebook

#: Accounts of the log that are not the file's: who gets fees, who pays and gets funding, who had the other side of
#: positions that were open before.
FEES: Final = "riskcore-fees"
FUNDING: Final = "riskcore-funding"
OPENING: Final = "riskcore-opening"
VAULT: Final = "riskcore-vault"
#: What stands in the way of a log: positions of the file that do not follow from its fills.
_BROKEN: Final = (Cause.GAP, Cause.AFTER, Cause.REUSED, Cause.SIDES)

Item: TypeAlias = Pair | Flow
_Made: TypeAlias = tuple[Callable[..., Event], int, tuple[object, ...]]


class NoLog(Exception):
    """Why there is no log; ``str()`` is one sentence."""


@frozen
class MadeLog:
    """``assumed``: what is in it that the file does not say. ``deposits``: quote currency, by account."""

    rulebook: Rulebook
    units: Units
    events: list[Event]
    assumed: list[str]
    deposits: dict[str, Fraction]


@define
class _Wallet:
    """What an account has besides its first deposit, and the least of it. Atoms and lots."""

    cash: int = 0
    least: int = 0
    lots: dict[str, int] = field(factory=dict)


@define
class _Writer:
    """Events in native units, and what each account needs so that every one of them is accepted."""

    atom: Fraction
    lots: dict[str, Fraction]
    rules: dict[str, MarketRules]
    highs: dict[str, int] = field(factory=dict)
    lows: dict[str, int] = field(factory=dict)
    marks: dict[str, int] = field(factory=dict)
    wallets: dict[str, _Wallet] = field(factory=dict)
    made: list[_Made] = field(factory=list)

    def to_price(self, market: str, price: Fraction) -> int:
        return _to_whole(price * self.lots[market] / self.atom)

    def add(self, kind: Callable[..., Event], time: int, *fields: object) -> None:
        self.made.append((kind, time, fields))

    def note_price(self, market: str, price: int) -> None:
        self.highs[market] = max(price, self.highs.get(market, price))
        self.lows[market] = min(price, self.lows.get(market, price))

    def mark(self, market: str, time: int, price: int) -> None:
        if self.marks.get(market) != price:
            self.marks[market] = price
            self.add(MarkPrice, time, MarketId(market), Price(price))

    def fill(self, time: int, taker: str, maker: str, market: str, size: int, price: int) -> None:
        self.mark(market, time, price)
        self.add(Fill, time, AccountId(taker), AccountId(maker), MarketId(market), Lots(size), Price(price))
        for account, change in ((taker, size), (maker, -size)):
            wallet = self.wallets.setdefault(account, _Wallet())
            wallet.cash -= change * price
            left = wallet.lots.get(market, 0) + change
            if left:
                wallet.lots[market] = left
            else:
                wallet.lots.pop(market, None)
            self._require(wallet)

    def pay(self, time: int, payer: str, payee: str, amount: int) -> None:
        """A transfer, the other way round where the amount is below zero."""
        if amount < 0:
            payer, payee, amount = payee, payer, -amount
        if amount:
            self.add(Transfer, time, AccountId(payer), AccountId(payee), Atoms(amount))
            self.change(payer, -amount)
            self.change(payee, amount)

    def change(self, account: str, amount: int) -> None:
        wallet = self.wallets.setdefault(account, _Wallet())
        wallet.cash += amount
        self._require(wallet)

    def _require(self, wallet: _Wallet) -> None:
        """An account is at initial margin at whatever price the file has of its markets."""
        spare = wallet.cash
        for market, size in wallet.lots.items():
            spare += size * (self.lows[market] if size > 0 else self.highs[market])
            spare -= get_initial(self.rules[market], size, self.highs[market])
        wallet.least = min(wallet.least, spare)


def make_log(result: Reconciliation, margins: Margins) -> MadeLog:
    """The log of all that was booked. ``NoLog`` says what is in the way; ``LogError``: a market without margins."""
    require_whole(result)
    items = _order(result)
    writer = _make_writer(result, margins)
    prices: dict[str, Fraction] = {}
    for pair in result.pairs:
        prices.setdefault(pair.taker.market, pair.taker.price)
        writer.note_price(pair.taker.market, writer.to_price(pair.taker.market, pair.taker.price))
    start = items[0].time if isinstance(items[0], Flow) else items[0].taker.time
    for market, first in prices.items():
        writer.marks[market] = writer.to_price(market, first)
    for (account, market), size in result.opening.items():
        writer.fill(start, account, OPENING, market, _to_whole(size / writer.lots[market]), writer.marks[market])
    for item in items:
        _write(item, writer)
    deposits = {id: max(1, -wallet.least) for id, wallet in writer.wallets.items()}
    made: list[_Made] = [
        *(
            (ListMarket, start, (MarketId(id), writer.rules[id], Price(writer.to_price(id, at))))
            for id, at in prices.items()
        ),
        *((Deposit, start, (AccountId(id), Atoms(amount))) for id, amount in deposits.items()),
        *writer.made,
    ]
    events = [kind(EventId(f"e{n}"), n, Time(time), *fields) for n, (kind, time, fields) in enumerate(made, start=1)]
    rulebook = make_rulebook(vault=AccountId(VAULT))
    _try(rulebook, events)
    units = Units(format_decimal(writer.atom), {id: format_decimal(lot) for id, lot in writer.lots.items()})
    worth = {id: amount * writer.atom for id, amount in deposits.items()}
    return MadeLog(rulebook, units, events, _name_assumed(result, worth, margins), worth)


def require_whole(result: Reconciliation) -> None:
    """``NoLog`` where the fills are not enough for a log."""
    if result.alone:
        first, all_sides = result.alone[0], len(result.trades)
        why = "has no id" if first.id is None else f"id {printable(first.id)}, has no fitting other side"
        raise NoLog(
            f"{len(result.alone):,} of {all_sides:,} fills have one side only, and a log needs both; "
            f"the first, at {first.place}, {why}"
        )
    if not result.pairs:
        raise NoLog("there are no trades")
    broken = next((cause for cause in _BROKEN if result.findings.counts[cause]), None)
    if broken is not None:
        raise NoLog(f"fills do not lead from position to position ({broken.value})")
    taken = {FEES, FUNDING, OPENING, VAULT} & {trade.account for trade in result.trades}
    if taken:
        raise NoLog(f"an account is called {taken.pop()}, as one of the log's own")


def _order(result: Reconciliation) -> list[Item]:
    """By time; at one time trades come first, each where the first of its sides stands."""
    place = {id(trade): number for number, trade in enumerate(result.trades)}
    pairs = sorted(result.pairs, key=lambda pair: min(place[id(pair.taker)], place[id(pair.maker)]))
    keyed: list[tuple[int, int, Item]] = [(pair.taker.time, 0, pair) for pair in pairs]
    keyed += [(flow.time, 1, flow) for flow in result.flows]
    return [item for _, _, item in sorted(keyed, key=lambda entry: entry[:2])]


def _make_writer(result: Reconciliation, margins: Margins) -> _Writer:
    """Lots as fine as the sizes, and atoms as fine as prices of lots, fees, flows and brackets; powers of ten."""
    sizes: dict[str, int] = {}
    prices: dict[str, int] = {}
    for trade in result.trades:
        sizes[trade.market] = max(sizes.get(trade.market, 0), _count_decimals(trade.size))
        prices[trade.market] = max(prices.get(trade.market, 0), _count_decimals(trade.price))
    for (_, market), size in result.opening.items():
        sizes[market] = max(sizes[market], _count_decimals(size))
    amounts = [trade.fee for trade in result.trades] + [flow.amount for flow in result.flows]
    finest = [_count_decimals(amount) for amount in amounts] + [sizes[market] + prices[market] for market in sizes]
    atom = Fraction(1, 10 ** max(*finest, _count_decimals(margins.cash)))
    lots = {id: Fraction(1, 10**decimals) for id, decimals in sizes.items()}
    return _Writer(atom, lots, margins.make_rules(lots, atom))


def _count_decimals(number: Fraction) -> int:
    decimals, denominator = 0, number.denominator
    while 10**decimals % denominator:
        decimals += 1
    return decimals


def _to_whole(number: Fraction) -> int:
    assert number.denominator == 1, number
    return number.numerator


def _write(item: Item, writer: _Writer) -> None:
    if isinstance(item, Flow):
        amount = _to_whole(item.amount / writer.atom)
        if item.kind is Movement.FUNDING:
            writer.pay(item.time, FUNDING, item.account, amount)
        elif amount:
            writer.add(Deposit if amount > 0 else Withdraw, item.time, AccountId(item.account), Atoms(abs(amount)))
            writer.change(item.account, amount)
        return
    taker, maker = item.taker, item.maker
    size, price = _to_whole(taker.size / writer.lots[taker.market]), writer.to_price(taker.market, taker.price)
    writer.fill(taker.time, taker.account, maker.account, taker.market, size, price)
    for trade in (taker, maker):
        writer.pay(trade.time, trade.account, FEES, _to_whole(trade.fee / writer.atom))


def _name_assumed(result: Reconciliation, deposits: dict[str, Fraction], margins: Margins) -> list[str]:
    total = sum(deposits.values(), Fraction(0))
    lines = [
        f"deposits of {len(deposits):,} accounts, {format_decimal(total)} in all: each the least with which it has "
        "initial margin throughout, its longs at the lowest price of the file and its shorts at the highest",
        margins.words,
        "marks: each the price of the fill after it",
        f"fees are transfers to {FEES}, as the file has each and not a rate",
    ]
    if any(flow.kind is Movement.FUNDING for flow in result.flows):
        lines.append(f"funding is transfers with {FUNDING}")
    if forced := sum(trade.is_forced for trade in result.trades):
        lines.append(f"{forced:,} fills by force, as the venue calls them (liquidated, deleveraged), are plain fills")
    if result.opening:
        lines.append(f"{len(result.opening):,} positions opened against {OPENING} at the first price of their market")
    return lines


def _try(rulebook: Rulebook, events: Iterable[Event]) -> None:
    state = genesis(rulebook, mutable=True)
    for event in events:
        outcome = step(state, event)
        if outcome.rejected is not None:
            raise NoLog(f"the kernel rejects {event.id} ({type(event).__name__}): {outcome.rejected.value}")
        state = outcome.state
