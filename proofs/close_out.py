"""What events know by contract of a close-out's terms and size: the kernel's functions are the specification's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from proofs.ranking import get_listed
from riskcore import close_out
from riskcore.choices import AdlSize, CloseOut
from riskcore.margin import Margin
from riskcore.prover.book import World
from riskcore.prover.kernel import on_symbols
from riskcore.prover.lemma import Lemma, assume
from riskcore.prover.symbols import new_int
from riskcore.prover.tracer import Tracer
from specs.arithmetic import both_ways, every, floor_ratio, implies, larger, magnitude, smaller
from specs.close_out import excess_of, is_fewest, lots_or_all, price_worth, share_of
from specs.tiers import maintenance_requirement

#: Kernel functions that run here as they are.
OWN = (close_out.get_terms, close_out.are_lots_to_close, close_out.get_lots)


def _world(tracer: Tracer, choice: CloseOut, **rules: Any) -> tuple[Any, Any, Any, Any, Any, Any]:
    """A rulebook of this choice and any market, size, lots of it and margin, with what the lots have lost."""
    world = World(tracer, new_int("market"), deleveraging=True, is_step=True)
    rulebook: Any = attrs.evolve(world.rulebook, adl_close_out=choice, **rules)
    market, (size, lots) = get_listed(world), (new_int(name) for name in ("size", "lots"))
    margin = Margin(*(new_int(name) for name in ("equity", "initial", "maintenance")))
    requirement = maintenance_requirement(market, size)
    assume(tracer, size != 0, lots >= 1, lots <= magnitude(size))
    assume(tracer, margin.maintenance > 0, margin.maintenance >= requirement)
    rest = maintenance_requirement(market, magnitude(size) - lots)
    lost = -floor_ratio(margin.equity * (requirement - rest), margin.maintenance)
    return rulebook, market, size, lots, margin, lost


def _terms(choice: CloseOut) -> Callable[[Tracer], Any]:
    def are_as_specified(tracer: Tracer) -> Any:
        rulebook, market, size, lots, margin, lost = _world(tracer, choice)
        with on_symbols(without=OWN):
            terms: Any = close_out.get_terms(rulebook, market, margin, size, lots)
        return every(
            terms.share == share_of(rulebook, market, size, lots, lost),
            terms.excess == excess_of(rulebook, market, size, lots, lost),
        )

    return are_as_specified


def _price(choice: CloseOut) -> Callable[[Tracer], Any]:
    """Each choice's price, and that what the account keeps lies between mark and bankruptcy price."""

    def is_between(tracer: Tracer) -> Any:
        rulebook, market, size, lots, margin, lost = _world(tracer, choice)
        with on_symbols(without=OWN):
            terms: Any = close_out.get_terms(rulebook, market, margin, size, lots)
        price = {
            CloseOut.MARK: market.mark_price,
            CloseOut.PREVIOUS_MARK: market.previous_mark_price,
            CloseOut.INDEX: market.index_price,
        }
        kept = terms.share - terms.excess
        bounded = every(smaller(lost, 0) <= kept, kept <= larger(lost, 0), terms.excess >= 0)
        if choice not in price:
            return every(bounded, kept == lost, terms.excess == 0)
        # longs are worth more at a higher price, shorts less
        worth = (price[choice] - market.mark_price) * lots
        is_long, is_within = size > 0, every(smaller(lost, 0) <= terms.share)
        exact = implies(is_long & (worth >= smaller(lost, 0)), terms.share == worth)
        return every(bounded, is_within, exact, implies(~is_long & (-worth >= smaller(lost, 0)), terms.share == -worth))

    return is_between


def _lots(choice: CloseOut, size_rule: AdlSize) -> Callable[[Tracer], Any]:
    def are_as_specified(tracer: Tracer) -> Any:
        rulebook, market, size, lots, margin, _ = _world(tracer, choice, adl_size=size_rule)
        with on_symbols(without=OWN):
            result = close_out.are_lots_to_close(rulebook, market, margin, size, lots)
        if size_rule is AdlSize.WHOLE or bool(margin.equity <= 0):
            return both_ways(lots == magnitude(size), result)
        return both_ways(is_fewest(rulebook, market, size, lots, margin.equity, margin.maintenance), result)

    return are_as_specified


def _asked(tracer: Tracer) -> Any:
    size, asked = new_int("size"), new_int("asked")
    with on_symbols(without=OWN):
        result: Any = close_out.get_lots(size, asked)
    return every(
        result == lots_or_all(size, asked),
        implies(asked != 0, result == asked),
        implies((asked == 0) & (size != 0), result == magnitude(size)),
    )


def _worth_is_signed(tracer: Tracer) -> Any:
    """At a better price the owner gets more, whichever side he is on."""
    rulebook, market, size, lots, _, _ = _world(tracer, CloseOut.INDEX)
    worth = price_worth(rulebook, market, size, lots)
    is_better = ((size > 0) & (market.index_price > market.mark_price)) | (
        (size < 0) & (market.index_price < market.mark_price)
    )
    return both_ways(is_better, worth > 0)


LEMMAS = (
    *(
        Lemma(
            f"terms_at_{choice.value}",
            "ADL-4",
            "the counterparties' share and the fund's part of it are the specification's",
            _terms(choice),
            contracts=True,
        )
        for choice in CloseOut
    ),
    *(
        Lemma(
            f"price_of_{choice.value}",
            "ADL-8",
            "the share is at the rulebook's price, and the account keeps what lies between mark and bankruptcy price",
            _price(choice),
            contracts=True,
        )
        for choice in CloseOut
    ),
    *(
        Lemma(
            f"lots_{size_rule.value}_at_{choice.value}",
            "ADL-7",
            "the lots to close are all, or of an account with equity left the fewest that are enough",
            _lots(choice, size_rule),
            contracts=True,
        )
        for size_rule in AdlSize
        for choice in CloseOut
    ),
    Lemma("lots_asked", "ADL-7", "where no lots are asked for, all are", _asked, contracts=True),
    Lemma(
        "worth_is_signed",
        "ADL-8",
        "a price above mark is better for longs and worse for shorts",
        _worth_is_signed,
        contracts=True,
    ),
)
