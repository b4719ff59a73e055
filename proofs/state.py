"""The induction's base, and that the kernel's hypothesis is the specification's."""

from __future__ import annotations

from typing import Any

from riskcore import state
from riskcore.prover.book import RULEBOOK_FLAGS, RULEBOOK_INTS
from riskcore.prover.lemma import Lemma
from riskcore.prover.symbols import new_bool, new_int
from riskcore.prover.tracer import Tracer
from riskcore.state import MarketRules, RankPolicy, Rulebook
from specs.arithmetic import both_ways, every
from specs.markets import admissible, admissible_rulebook


def _any_rulebook() -> Any:
    values: dict[str, Any] = {name: new_int(name) for name in RULEBOOK_INTS}
    values |= {name: new_bool(name) for name in RULEBOOK_FLAGS}
    return Rulebook(adl_rank=RankPolicy.SIZE, **values)


def _rulebook_hypothesis(tracer: Tracer) -> Any:
    rulebook = _any_rulebook()
    return both_ways(state.is_admissible_rulebook(rulebook), admissible_rulebook(rulebook))


def _market_hypothesis(tracer: Tracer) -> Any:
    rules: Any = MarketRules(*(new_int(f"rate{number}") for number in range(5)))  # type: ignore[arg-type]
    return both_ways(state.is_admissible_market(rules), admissible(rules))


def _genesis(tracer: Tracer) -> Any:
    rulebook = Rulebook("vault", 0, 0, True, True, True, True, RankPolicy.SIZE, 1, 0)  # type: ignore[arg-type]
    first = state.genesis(rulebook)
    reserves = first.reserves
    balances = (reserves.outside, reserves.insurance, reserves.fees, reserves.transit, reserves.uncovered)
    empty = len(list(first.accounts.items())) == 0 and len(list(first.markets.items())) == 0
    return every(empty, *(balance == 0 for balance in balances), first.deleveraging is None)


LEMMAS = (
    Lemma(
        "rulebook_hypothesis", "LEMMA", "the kernel admits exactly the rulebooks of the theorems", _rulebook_hypothesis
    ),
    Lemma(
        "market_hypothesis", "LEMMA", "the kernel admits exactly the market rules of the theorems", _market_hypothesis
    ),
    Lemma("genesis", "LEMMA", "an empty venue satisfies every law: nobody holds anything", _genesis),
)
