"""What events know of an account's marks by contract: none of them is stale."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from proofs.margin import any_market
from riskcore import markets
from riskcore.prover.book import POSITION_INTS
from riskcore.prover.lemma import Lemma, assume
from riskcore.prover.symbols import new_int
from riskcore.prover.tracer import Tracer
from riskcore.quantities import MarketId
from riskcore.state import Market, Position, Positions
from riskcore.tables import DictTable
from specs.arithmetic import both_ways, every


def _every_mark_is_looked_at(count: int) -> Callable[[Tracer], Any]:
    def fresh_where_all_are(tracer: Tracer) -> Any:
        no_market: Market | None = None
        table: DictTable[MarketId, Market | None] = DictTable(no_market)
        time, expected = new_int("time"), []
        held: dict[MarketId, Position] = {}
        for number in range(count):
            id = MarketId(f"market{number}")
            market, size = any_market(tracer, id), new_int(f"{id}.size")
            assume(tracer, size != 0)
            limit = market.rules.mark_age_limit
            expected.append(market.settling | (limit == 0) | (time - market.mark_time <= limit))
            table = table.put(id, market)
            held[id] = Position(size, *(new_int(f"{id}.{field}") for field in POSITION_INTS[1:]))
        return both_ways(every(*expected), bool(markets.are_marks_fresh(Positions(held), table, time)))

    return fresh_where_all_are


LEMMAS = tuple(
    Lemma(
        f"marks_of_{count}_positions",
        "MARK-2",
        "an account's marks are fresh where each of its markets ends, bounds no age, or was marked within it",
        _every_mark_is_looked_at(count),
        "PROVED-BOUNDED(three positions), any markets and times",
    )
    for count in range(4)
)
