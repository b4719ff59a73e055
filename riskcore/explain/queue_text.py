"""The queue around its head, as a table, and what puts each place before the next."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group
from rich.text import Text

from riskcore.bad_input import printable
from riskcore.choices import Allocation
from riskcore.explain.queue import Queue
from riskcore.explain.tables import Scale, add_row, join_comparisons, make_table
from riskcore.units import format_decimal


def list_queue(queue: Queue, scale: Scale) -> Group:
    """The places, their scores with terms, ties, and who has no place."""
    table = make_table(["", "place", "account"], ["lots", "part", "cost", "notional", "profit", "equity", "score"])
    for one in queue.places:
        amounts = (scale.amount(value) for value in (one.cost, one.notional, one.profit, one.equity))
        mark = ">" if one.place == queue.head else ""
        score = f"{one.score.numerator}/{one.score.denominator}"
        add_row(
            table,
            mark,
            f"{one.place:,}",
            printable(one.account),
            f"{one.size:+,}",
            format_decimal(one.part),
            *amounts,
            score,
        )
    return Group(Text("\n".join(_list_heading(queue, scale))), table, Text("\n".join(_list_reasons(queue))))


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
    yield f"{queue.of:,} in the queue, {queue.ineligible:,} on that side are not eligible"
    for other in queue.left_out:
        failed = join_comparisons(part for part in other.absorbs if not part.holds)
        yield f"{printable(other.account)}, {other.size:+,} lots, is not eligible: {printable(failed)}"
