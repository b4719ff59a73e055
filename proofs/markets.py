"""What events know of an account's marks by contract, that none of them is stale; and which market ends."""

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
from specs.status import is_ending


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
            expected.append(is_ending(market) | (limit == 0) | (time - market.mark_time <= limit))
            table = table.put(id, market)
            held[id] = Position(size, *(new_int(f"{id}.{field}") for field in POSITION_INTS[1:]))
        return both_ways(every(*expected), bool(markets.are_marks_fresh(Positions(held), table, time)))

    return fresh_where_all_are


def _settling_is_ending(tracer: Tracer) -> Any:
    market = any_market(tracer)
    return both_ways(market.settling, is_ending(market))


LEMMAS = (
    Lemma(
        "settling_is_ending",
        "SETTLE-2",
        "a market settles for good from when it ends on, and no other does",
        _settling_is_ending,
    ),
    *(
        Lemma(
            f"marks_of_{count}_positions",
            "MARK-2",
            "an account's marks are fresh where each of its markets ends, bounds no age, or was marked within it",
            _every_mark_is_looked_at(count),
            "PROVED-BOUNDED(three positions), any markets and times",
        )
        for count in range(4)
    ),
)
