"""The order of trades: oldest first, and within a millisecond as their positions follow each other; none twice."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from fractions import Fraction
from itertools import groupby, pairwise

from attrs import frozen

from riskcore.importing.findings import Cause, Check, Findings
from riskcore.importing.records import Trade
from riskcore.units import format_decimal


@frozen
class Pair:
    """Both sides of a trade."""

    taker: Trade
    maker: Trade


def order_trades(trades: list[Trade], findings: Findings, notes: list[str]) -> list[Trade]:
    """The trades in order, those that stand twice once. What was done to them is in ``notes``."""
    kept = _drop_twice(trades, findings)
    falls = sum(later.time < earlier.time for earlier, later in pairwise(kept))
    if falls and not any(later.time > earlier.time for earlier, later in pairwise(kept)):
        kept.reverse()
        notes.append("the file has its newest fill first; read from its end")
    elif falls:
        notes.append(f"{falls:,} fills are older than the one before them; sorted by time")
    kept.sort(key=lambda trade: trade.time)
    _chain(kept)
    return kept


def _drop_twice(trades: Iterable[Trade], findings: Findings) -> list[Trade]:
    kept: list[Trade] = []
    seen: dict[tuple[str, str, str, bool], Trade] = {}
    for trade in trades:
        if trade.id is not None:
            first = seen.setdefault((trade.account, trade.market, trade.id, trade.size > 0), trade)
            if first is not trade:
                is_same = first.content == trade.content
                cause, found = (Cause.TWICE, "the same") if is_same else (Cause.REUSED, "another fill")
                what = f"id {trade.id}"
                findings.note(cause, trade.place, what, f"{found} at {first.place}", "one fill an id")
                if is_same:
                    continue
        kept.append(trade)
    return kept


def _chain(trades: list[Trade]) -> None:
    """Put each position's fills of one millisecond into the order in which one leads to the next."""
    places: dict[tuple[str, str], list[int]] = {}
    for index, trade in enumerate(trades):
        if trade.before is not None:
            places.setdefault((trade.account, trade.market), []).append(index)
    for indices in places.values():
        held: Fraction | None = None
        for _, group in groupby(indices, lambda index: trades[index].time):
            slots = list(group)
            ordered = _follow([trades[slot] for slot in slots], held) if len(slots) > 1 else [trades[slots[0]]]
            for slot, trade in zip(slots, ordered, strict=True):
                trades[slot] = trade
            held = _get_end(ordered[-1])


def _get_end(trade: Trade) -> Fraction | None:
    return None if trade.before is None else trade.before + trade.size


def _follow(group: list[Trade], held: Fraction | None) -> list[Trade]:
    """Each fill after the one that leads to it; where none does, the next in the file."""
    waiting: dict[Fraction | None, deque[int]] = {}
    for number, trade in enumerate(group):
        waiting.setdefault(trade.before, deque()).append(number)
    if held not in waiting:
        ends = {_get_end(trade) for trade in group}
        held = next((trade.before for trade in group if trade.before not in ends), group[0].before)
    done: list[int] = []
    taken = [False] * len(group)
    first_left = 0
    while len(done) < len(group):
        queue = waiting.get(held)
        if queue:
            number = queue.popleft()
        else:
            while taken[first_left]:
                first_left += 1
            number = first_left
            waiting[group[number].before].popleft()
        taken[number] = True
        done.append(number)
        held = _get_end(group[number])
    return [group[number] for number in done]


def pair_up(trades: list[Trade], findings: Findings) -> tuple[list[Pair], list[Trade]]:
    """Trades of which both sides are there, in order, and the sides that are alone or do not fit."""
    sides: dict[tuple[str, str], list[Trade]] = {}
    alone: list[Trade] = []
    for trade in trades:
        if trade.id is None:
            alone.append(trade)
        else:
            sides.setdefault((trade.market, trade.id), []).append(trade)
    pairs = []
    for group in sides.values():
        pair = _pair(group, findings) if len(group) == 2 else None
        if pair is None:
            alone.extend(group)
        else:
            pairs.append(pair)
    return pairs, alone


def _pair(group: list[Trade], findings: Findings) -> Pair | None:
    one, two = group
    if (one.size > 0) == (two.size > 0):
        return None
    fits = one.size == -two.size and one.price == two.price and one.time == two.time and one.account != two.account
    if not fits:
        shown = [f"{format_decimal(side.size)} at {format_decimal(side.price)}" for side in group]
        what = f"id {two.id} of {two.market}"
        findings.differ(Check.SIDES, Cause.SIDES, two.place, what, shown[1], f"{shown[0]} at {one.place}")
        return None
    findings.agree(Check.SIDES)
    return Pair(two, one) if two.is_taker and not one.is_taker else Pair(one, two)
