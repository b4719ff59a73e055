"""The queue from its head on, as a table, and what puts each place before the next."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from rich.console import Group
from rich.text import Text

from riskcore.bad_input import printable
from riskcore.choices import Allocation
from riskcore.columns import add_row, make_table
from riskcore.explain.queue import Queue
from riskcore.explain.tables import Scale, join_comparisons
from riskcore.units import format_decimal, place_point


def list_queue(queue: Queue, scale: Scale) -> Group:
    """The places, their scores with terms, ties, and who has no place."""
    table = make_table(["", "place", "account"], ["lots", "part", "cost", "notional", "profit", "equity", "score"])
    for one in queue.places:
        amounts = (scale.amount(value) for value in (one.cost, one.notional, one.profit, one.equity))
        mark = ">" if one.place == queue.head else ""
        figures = f"{one.size:+,}", cut(one.part)
        add_row(table, mark, f"{one.place:,}", printable(one.account), *figures, *amounts, cut(one.score))
    return Group(Text("\n".join(_list_heading(queue, scale))), table, Text("\n".join(_list_reasons(queue))))


def cut(number: Fraction) -> str:
    """The number in decimals; of more than six the first six, which dots say."""
    shown = format_decimal(number)
    whole = place_point(int(number * 10**6), 6)
    return shown if len(shown) <= len(whole) else f"{whole}..."


def _list_heading(queue: Queue, scale: Scale) -> Iterator[str]:
    parted = "all of each in turn" if queue.allocation is Allocation.QUEUE else f"parted by {queue.allocation}"
    yield (
        f"{queue.lots:,} lots of {printable(queue.account)} in {printable(queue.market)}, {parted}, ranked by "
        f"{queue.policy}; the counterparties pay {scale.amount(queue.share)} against mark for all of them"
    )


def _list_reasons(queue: Queue) -> Iterator[str]:
    for one in queue.places:
        if one.place == queue.head:
            yield f"{printable(one.account)} is eligible: {join_comparisons(one.absorbs)}"
    for one, after in zip(queue.places, queue.places[1:], strict=False):
        reason = printable(join_comparisons(one.ahead))
        yield f"{printable(one.account)} is ahead of {printable(after.account)}: {reason}"
    if queue.head > 1:
        yield f"who came before place {queue.head:,} had a turn"
    yield f"{queue.of:,} in the queue, {queue.ineligible:,} on that side are not eligible"
    for other in queue.left_out:
        failed = join_comparisons(part for part in other.absorbs if not part.holds)
        yield f"{printable(other.account)}, {other.size:+,} lots, is not eligible: {printable(failed)}"
