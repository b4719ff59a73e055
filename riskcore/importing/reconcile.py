"""Fills booked one by one, each held against what the venue says of it: position, closed profit, balance.

Closed profit is (price - average entry) * size closed, before fees unless the venue's convention is otherwise. Where a
figure differs its cause is named, and the venue's figure is what goes on, so that one fault is counted once.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from attrs import define, field, frozen

from riskcore.importing.findings import Cause, Check, Findings
from riskcore.importing.ordering import Pair, order_trades, pair_up
from riskcore.importing.position import Position, Step
from riskcore.importing.records import Convention, Data, Flow, Movement, Place, Snapshot, Trade
from riskcore.units import format_decimal

_NO_ENTRY = "closed profit of a position whose entry is not in the file"
_NO_START = "balance of an account of which none is told before"


@define
class _Account:
    """``wallet``: the balance with all closed profit in it, where the file tells one.

    ``moved``: cash that came in less what went out by trades, fees and flows. ``fills``: since a balance was told.
    ``open``: positions there are; ``held``: whether there were any since then.
    """

    wallet: Fraction | None = None
    moved: Fraction = Fraction(0)
    fills: int = 0
    open: int = 0
    held: bool = False


@frozen
class Reconciliation:
    """What came of it. ``opening``: positions that were there before the first fill; ``alone``: trades of one side."""

    data: Data
    findings: Findings
    trades: list[Trade]
    flows: list[Flow]
    pairs: list[Pair]
    alone: list[Trade]
    opening: dict[tuple[str, str], Fraction]
    positions: dict[tuple[str, str], Position]
    notes: list[str]


@define
class _Books:
    """All accounts under way. ``funded``: those of which the file has funding."""

    convention: Convention
    findings: Findings
    before: Snapshot | None
    funded: frozenset[str]
    accounts: dict[str, _Account] = field(factory=dict)
    positions: dict[tuple[str, str], Position] = field(factory=dict)
    opening: dict[tuple[str, str], Fraction] = field(factory=dict)
    assumed_flat: set[tuple[str, str]] = field(factory=set)

    def get_account(self, id: str) -> _Account:
        return self.accounts.setdefault(id, _Account())

    # A trade

    def book(self, trade: Trade) -> None:
        account, position = self.get_account(trade.account), self._open(trade)
        was_open = position.size != 0
        self._check_before(trade, position)
        held, grain, blur = position.size, self.convention.grain * (position.fills + 1), position.blur
        step = position.book(trade.size, trade.price)
        self._check_direction(trade, held, step)
        profit = self._check_profit(trade, step, position, grain + abs(step.closed) * blur)
        self._check_rest(trade, position)
        account.fills += 1
        account.held = account.held or account.open > 0
        account.open += (position.size != 0) - was_open
        account.moved -= trade.size * trade.price + trade.fee
        if account.wallet is not None:
            account.wallet = None if profit is None else account.wallet + profit - trade.fee
        self._check_balance(trade.place, trade.account, account, trade.balance)

    def _open(self, trade: Trade) -> Position:
        """The position; at its first fill what it was before, as the snapshot or the fill says, and flat otherwise."""
        key = trade.account, trade.market
        known = self.positions.get(key)
        if known is not None:
            return known
        position = self.positions[key] = Position()
        if self.before is not None and trade.account in self.before.cash:
            size, entry = self.before.positions.get(key, (Fraction(0), Fraction(0)))
            position.put(size, entry if size else None, get_blur(entry) if size else Fraction(0))
        elif trade.before is not None:
            position.put(trade.before, None)
        else:
            self.assumed_flat.add(key)
        if position.size != 0:
            self.opening[key] = position.size
            self.get_account(trade.account).open += 1
        return position

    def _check_before(self, trade: Trade, position: Position) -> None:
        if trade.before is None:
            return
        if trade.before == position.size:
            self.findings.agree(Check.POSITION)
            return
        self.findings.differ(Check.POSITION, Cause.GAP, trade.place, name(trade), trade.before, position.size)
        position.put(trade.before, None)

    def _check_direction(self, trade: Trade, held: Fraction, step: Step) -> None:
        words = self.convention.directions
        if words is None or trade.direction is None:
            return
        does = "flip" if step.turned else "close" if step.closed else "open"
        meant = words.get(trade.direction)
        if meant == does:
            self.findings.agree(Check.DIRECTION)
            return
        cause = Cause.DIRECTION if meant is None else Cause.MISDIRECTED
        found = f"{does}, from {format_decimal(held)}"
        self.findings.differ(Check.DIRECTION, cause, trade.place, name(trade), trade.direction, found)

    def _check_profit(self, trade: Trade, step: Step, position: Position, allowed: Fraction) -> Fraction | None:
        """The profit before fees that goes on: what was computed, else what is told."""
        told, is_net = trade.closed_pnl, self.convention.pnl_is_net
        if told is None:
            return step.profit
        gross = told + trade.fee if is_net else told
        if step.profit is None:
            self.findings.unchecked[_NO_ENTRY] += 1
            if not step.turned and position.size != 0:
                position.learn(trade.price - gross / step.closed, self.convention.grain / abs(step.closed))
            return gross
        if gross == step.profit or (step.closed == 0 and told == 0):
            self.findings.agree(Check.CLOSED_PNL)
        else:
            cause = self._explain(trade, step, gross, allowed)
            expected = step.profit - (trade.fee if is_net else 0)
            self.findings.differ(Check.CLOSED_PNL, cause, trade.place, name(trade), told, expected)
        return step.profit

    def _explain(self, trade: Trade, step: Step, gross: Fraction, allowed: Fraction) -> Cause:
        assert step.profit is not None
        if abs(gross - step.profit) <= allowed:
            return Cause.ROUNDING
        fee = -trade.fee if self.convention.pnl_is_net else trade.fee
        if fee != 0 and abs(gross + fee - step.profit) <= allowed:
            return Cause.GROSS if self.convention.pnl_is_net else Cause.NET
        if step.by_first_in is not None and abs(gross - step.by_first_in) <= allowed:
            return Cause.FIRST_IN
        return Cause.FLIP if step.turned else Cause.PROFIT

    def _check_rest(self, trade: Trade, position: Position) -> None:
        if trade.after is not None:
            if trade.after == position.size:
                self.findings.agree(Check.POSITION)
            else:
                self.findings.differ(Check.POSITION, Cause.AFTER, trade.place, name(trade), trade.after, position.size)
                position.put(trade.after, None)
        if trade.told_cost is not None:
            cost = abs(trade.size * trade.price)
            apart = abs(trade.told_cost - cost)
            if apart == 0:
                self.findings.agree(Check.COST)
            else:
                cause = Cause.ROUNDING if apart <= self.convention.grain else Cause.COST
                self.findings.differ(Check.COST, cause, trade.place, name(trade), trade.told_cost, cost)

    # Cash

    def move(self, flow: Flow) -> None:
        account = self.get_account(flow.account)
        account.moved += flow.amount
        account.held = account.held or account.open > 0
        if account.wallet is not None:
            account.wallet += flow.amount
        self._check_balance(flow.place, flow.account, account, flow.balance)

    def _check_balance(self, place: Place, id: str, account: _Account, told: Fraction | None) -> None:
        if told is None:
            return
        if account.wallet is None:
            self.findings.unchecked[_NO_START] += 1
        else:
            self._compare_balance(place, id, account, told, account.wallet)
        account.wallet, account.fills, account.held = told, 0, account.open > 0

    def _compare_balance(self, place: Place, id: str, account: _Account, told: Fraction, found: Fraction) -> None:
        if told == found:
            self.findings.agree(Check.BALANCE)
            return
        cause = Cause.BALANCE
        if abs(told - found) <= self.convention.grain * (account.fills + 1):
            cause = Cause.ROUNDING
        elif account.held and id not in self.funded:
            cause = Cause.FUNDING
        self.findings.differ(Check.BALANCE, cause, place, id, told, found)

    def finish(self, after: Snapshot) -> None:
        """Hold what is left against the snapshot: positions, their entries, and cash where both snapshots have it."""
        for id, cash in after.cash.items():
            mine = {market for owner, market in self.positions if owner == id}
            before = {} if self.before is None else {m for o, m in self.before.positions if o == id}
            theirs = {market for owner, market in after.positions if owner == id}
            for market in sorted({*mine, *before, *theirs}):
                self._check_end(after, id, market)
            start = None if self.before is None else self.before.cash.get(id)
            if cash is not None and start is not None:
                account = self.get_account(id)
                account.held = account.held or account.open > 0 or bool(before)
                self._compare_balance(after.place, id, account, cash, start + account.moved)

    def _check_end(self, after: Snapshot, id: str, market: str) -> None:
        told, entry = after.positions.get((id, market), (Fraction(0), Fraction(0)))
        position = self.positions.get((id, market))
        if position is None:
            position = Position()
            size, at = (0, 0) if self.before is None else self.before.positions.get((id, market), (0, 0))
            position.put(Fraction(size), Fraction(at) if size else None, get_blur(Fraction(at)))
            if self.before is None or id not in self.before.cash:
                self.findings.unchecked["position at the end of a market without fills"] += 1
                return
        what = f"{id}, {market}"
        if told != position.size:
            self.findings.differ(Check.END, Cause.END, after.place, what, told, position.size)
            return
        known = position.entry if told != 0 else None
        apart = Fraction(0) if known is None else abs(known - entry)
        if apart == 0:
            self.findings.agree(Check.END)
        else:
            assert known is not None
            cause = Cause.ROUNDING if apart <= get_blur(entry) + position.blur else Cause.ENTRY
            self.findings.differ(Check.END, cause, after.place, what, entry, known)


def get_blur(entry: Fraction) -> Fraction:
    """What an entry price of a snapshot may be off by: one in its fifth significant digit."""
    if entry <= 0:
        return Fraction(0)
    blur = Fraction(1, 10_000)
    while blur * 10_000 > entry:
        blur /= 10
    while blur * 100_000 <= entry:
        blur *= 10
    return blur


def name(trade: Trade) -> str:
    """What an example says of where it is."""
    return f"{trade.account}, {trade.market}"


def reconcile(data: Data, before: Snapshot | None = None, after: Snapshot | None = None) -> Reconciliation:
    """Book everything in order and hold it against the venue's figures and the snapshots around it."""
    findings, notes = Findings(), list(data.notes)
    trades = order_trades(data.trades, findings, notes)
    flows = sorted(data.flows, key=lambda flow: flow.time)
    funded = frozenset(flow.account for flow in flows if flow.kind is Movement.FUNDING)
    books = _Books(data.convention, findings, before, funded)
    for entry in in_order(trades, flows):
        if isinstance(entry, Trade):
            books.book(entry)
        else:
            books.move(entry)
    if after is not None:
        books.finish(after)
    pairs, alone = pair_up(trades, findings)
    if books.assumed_flat:
        notes.append(f"{len(books.assumed_flat):,} positions are taken to be flat before their first fill")
    if books.opening:
        notes.append(f"{len(books.opening):,} positions were open before the first fill")
    opening, positions = books.opening, books.positions
    return Reconciliation(data, findings, trades, flows, pairs, alone, opening, positions, notes)


def in_order(trades: list[Trade], flows: list[Flow]) -> list[Trade | Flow]:
    """Both by time; at one time as in the file, where one file has all and its trades were in order.

    Otherwise trades come first: what moves at the moment of a trade was charged on the position after it.
    """
    entries: list[Trade | Flow] = [*trades, *flows]
    for sign in (1, -1):
        if len({entry.place.file for entry in entries}) == 1 and _is_sorted(trades, sign):
            return sorted(entries, key=lambda entry: (entry.time, sign * (entry.place.line or 0)))
    return sorted(entries, key=lambda entry: entry.time)


def _is_sorted(trades: list[Trade], sign: int) -> bool:
    keys = [(trade.time, sign * (trade.place.line or 0)) for trade in trades]
    return all(earlier <= later for earlier, later in pairwise(keys))
