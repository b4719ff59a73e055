"""Who is deleveraged first: the scores that venues publish, and what follows from an order.

A score is an exact number; the highest is first, then the larger size, then the smaller id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from attrs import frozen

from riskcore.venues.exact import Number, exact, round_up
from riskcore.venues.formulas import get_notional, get_pnl


@frozen
class Ranked:
    """A position in a queue: signed size and entry in base and quote units, equity with its profit."""

    size: Fraction
    entry: Fraction
    equity: Fraction


def make_ranked(size: Number, entry: Number, equity: Number) -> Ranked:
    """The same from numbers of any kind."""
    return Ranked(exact(size), exact(entry), exact(equity))


def get_profit_times_leverage(position: Ranked, mark: Number) -> Fraction:
    """(profit / entry notional) * (notional / equity); zero where profit or equity is not above zero."""
    profit, cost = get_pnl(position.size, position.entry, mark), get_notional(position.size, position.entry)
    if profit <= 0 or position.equity <= 0 or cost == 0:
        return Fraction(0)
    return profit / cost * get_notional(position.size, mark) / position.equity


def get_profit_or_loss_by_leverage(position: Ranked, mark: Number) -> Fraction:
    """The same with losers parted too: a loss is divided by the leverage, so that the largest leverage is last."""
    profit, cost = get_pnl(position.size, position.entry, mark), get_notional(position.size, position.entry)
    notional = get_notional(position.size, mark)
    if profit > 0 or position.equity <= 0 or cost == 0 or notional == 0:
        return get_profit_times_leverage(position, mark)
    return profit / cost * position.equity / notional


def get_mark_times_leverage(position: Ranked, mark: Number) -> Fraction:
    """(mark / entry) * (notional / equity), as written in documents; it points the wrong way for shorts.

    Zero where entry or equity is not above zero.
    """
    if position.equity <= 0 or position.entry == 0:
        return Fraction(0)
    return exact(mark) / position.entry * get_notional(position.size, mark) / position.equity


def get_profit_times_margin_ratio(position: Ranked, mark: Number, rate: Number) -> Fraction:
    """profit * (maintenance / equity), maintenance being ``rate`` of the notional; zero where profit is not above zero.

    An account of no equity with a profit has no finite score and is refused: ``ValueError``.
    """
    profit = max(get_pnl(position.size, position.entry, mark), Fraction(0))
    if profit == 0:
        return Fraction(0)
    if position.equity <= 0:
        raise ValueError("a position in profit in an account of no equity has no score")
    return profit * get_notional(position.size, mark) * exact(rate) / position.equity


def get_profit_per_equity(position: Ranked, mark: Number) -> Fraction:
    """profit / equity; zero where equity is not above zero."""
    return get_pnl(position.size, position.entry, mark) / position.equity if position.equity > 0 else Fraction(0)


def sort_by_score(scores: Mapping[str, Number], sizes: Mapping[str, Number]) -> list[str]:
    """Ids from the first to the last: score, then larger size, then smaller id (numbers as numbers)."""

    def place(id: str) -> tuple[Fraction, Fraction, int, str]:
        return -exact(scores[id]), -abs(exact(sizes[id])), int(id) if id.isdigit() else 0, id

    return sorted(scores, key=place)


def get_percentiles(order: Sequence[str], sizes: Mapping[str, Number], step: int = 20) -> dict[str, int]:
    """Each one's part of all contracts from the head of the queue on, in percent, rounded up to a multiple of ``step``.

    The lights of an ADL indicator. ``ValueError`` where there are no contracts.
    """
    total = sum((abs(exact(sizes[id])) for id in order), Fraction(0))
    if total == 0:
        raise ValueError("there are no contracts")
    reached, lights = Fraction(0), {}
    for id in order:
        reached += abs(exact(sizes[id]))
        lights[id] = step * round_up(reached * 100 / total / step)
    return lights


def consume(order: Sequence[str], sizes: Mapping[str, Number], amount: Number) -> dict[str, Fraction]:
    """What each closes of an amount, from the head on; who closes nothing is left out."""
    left, closed = abs(exact(amount)), {}
    for id in order:
        part = min(abs(exact(sizes[id])), left)
        if part > 0:
            closed[id] = part
            left -= part
    return closed
