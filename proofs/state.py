"""The induction's base, and that the kernel's hypothesis is the specification's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from proofs.tiers import any_rules
from riskcore import rulebook as hypothesis
from riskcore import state
from riskcore.choices import RankPolicy
from riskcore.leverages import Leverages
from riskcore.orders import Resting, RestingOrders
from riskcore.prover.book import POSITION_INTS, RESTING_INTS, RULEBOOK_FLAGS, RULEBOOK_INTS, new_choices
from riskcore.prover.lemma import Lemma, assume
from riskcore.prover.symbols import new_bool, new_int
from riskcore.prover.tracer import Tracer
from riskcore.quantities import AccountId, Atoms, EventId, Leverage, Lots, MarketId
from riskcore.rulebook import Rulebook
from riskcore.state import Draws, Position, Positions, Stake
from riskcore.tables import DictTable, PersistentTable
from specs.arithmetic import both_ways, every, implies, negate
from specs.markets import admissible, admissible_rulebook


def _any_rulebook() -> Any:
    values: dict[str, Any] = {name: new_int(name) for name in RULEBOOK_INTS}
    values |= {name: new_bool(name) for name in RULEBOOK_FLAGS}
    return Rulebook(adl_rank=RankPolicy.SIZE, **values, **new_choices())


def _rulebook_hypothesis(tracer: Tracer) -> Any:
    rulebook = _any_rulebook()
    return both_ways(hypothesis.is_admissible_rulebook(rulebook), admissible_rulebook(rulebook))


def _market_hypothesis(tracer: Tracer) -> Any:
    rules = any_rules()
    return both_ways(hypothesis.is_admissible_market(rules), admissible(rules))


def _genesis(*, mutable: bool) -> Callable[[Tracer], Any]:
    def is_an_empty_venue(tracer: Tracer) -> Any:
        rulebook = _any_rulebook()
        kind = DictTable if mutable else PersistentTable
        try:
            first = state.genesis(rulebook, mutable=mutable)
        except ValueError:
            return negate(admissible_rulebook(rulebook))
        reserves, account = first.reserves, first.accounts.get(AccountId("anybody"))
        balances = attrs.astuple(reserves)
        zeros: Any = (0,) * 5
        return every(
            admissible_rulebook(rulebook),
            first.rulebook is rulebook,
            *(len(table) == 0 and not list(table.items()) for table in (first.accounts, first.markets, first.seen)),
            *(isinstance(table, kind) for table in (first.accounts, first.markets, first.seen)),
            account.balance == 0 and len(account.positions) == 0 and account.liquidated < 0,
            len(account.leverages) == 0 and not list(account.leverages.items()),
            first.markets.get(MarketId("any market")) is None,
            first.seen.get(EventId("any event")) is False,
            *(balance == 0 for balance in balances),
            first.deleveraging is None,
            len(first.stakes) == 0 and not list(first.stakes.items()),
            isinstance(first.stakes, kind),
            first.stakes.get(AccountId("anybody")) == Stake(*zeros),
            first.vault_shares == 0,
            first.draws == Draws(*zeros[:2]),
            first.outflow == Draws(*zeros[:2]),
            first.sharing is None,
            first.separate_insurance == 0,
            len(first.orders) == 0 and not list(first.orders.items()),
            isinstance(first.orders, kind),
            first.orders.get(EventId("any order")) is None,
            account.resting.is_empty and not list(account.resting.items()),
            first.sequence == 0,
            first.timestamp == 0,
        )

    return is_an_empty_venue


#: Written out here, so that the kernel's own is compared with something.
NOTHING = Position(Lots(0), Atoms(0), Atoms(0), 0)


def _new_position(name: str) -> Any:
    fields: Any = (new_int(f"{name}.{field}") for field in POSITION_INTS)
    return Position(*fields)


def _is_same(one: Position, two: Position) -> Any:
    return every(*(getattr(one, name) == getattr(two, name) for name in POSITION_INTS))


def _positions_are_a_total_map(tracer: Tracer) -> Any:
    """What was put is what one gets, a size of zero leaves no trace, and nothing else moves."""
    one, other, new = (_new_position(name) for name in ("one", "other", "new"))
    assume(tracer, one.size != 0, other.size != 0)
    before = Positions({MarketId("one"): one, MarketId("other"): other})
    after = before.put(MarketId("one"), new)
    fresh = before.put(MarketId("third"), new)
    return every(
        _is_same(after.get(MarketId("one")), new if new.size != 0 else NOTHING),
        _is_same(fresh.get(MarketId("third")), new if new.size != 0 else NOTHING),
        _is_same(after.get(MarketId("other")), other),
        _is_same(fresh.get(MarketId("one")), one),
        _is_same(before.get(MarketId("one")), one),
        _is_same(before.get(MarketId("third")), NOTHING),
        len(after) == (2 if new.size != 0 else 1),
        [market for market, _ in before.items()] == [MarketId("one"), MarketId("other")],
        sorted(market for market, _ in after.items()) == [MarketId("one"), MarketId("other")][bool(new.size == 0) :],
        len(fresh) == (3 if new.size != 0 else 2),
    )


def _maps_are_equal_by_their_entries(tracer: Tracer) -> Any:
    """As they are made, in whatever order; of nothing there is no entry, and a map of other things is another."""
    first, second, other = (new_int(name) for name in ("first", "second", "other"))
    one, two = MarketId("one"), MarketId("two")
    made, same = Leverages({one: first, two: second}), Leverages({two: other, one: first})
    figures = Leverages({one: Leverage(3), two: Leverage(5)}), Leverages({two: Leverage(5), one: Leverage(3)})
    return every(
        made.get(one) == first,
        made.get(two) == second,
        both_ways(made == same, second == other),
        len(made) == sum(1 for value in (first, second) if value != 0),
        all(value != 0 for _, value in made.items()),
        Leverages() == Leverages({one: Leverage(0)}),
        negate(Leverages() == RestingOrders()),
        negate(RestingOrders() == Leverages()),
        negate(Leverages() == {}),
        hash(figures[0]) == hash(figures[1]),
    )


def _leverages_are_a_total_map(tracer: Tracer) -> Any:
    """What was put is what one gets, zero leaves no trace, and nothing else moves."""
    one, other, new = (new_int(name) for name in ("one", "other", "new"))
    assume(tracer, one != 0, other != 0)
    before = Leverages({MarketId("one"): one, MarketId("other"): other})
    after, fresh = before.put(MarketId("one"), new), before.put(MarketId("third"), new)
    return every(
        after.get(MarketId("one")) == new,
        fresh.get(MarketId("third")) == new,
        after.get(MarketId("other")) == other,
        fresh.get(MarketId("one")) == one,
        before.get(MarketId("one")) == one,
        before.get(MarketId("third")) == 0,
        len(after) == (2 if new != 0 else 1),
        len(fresh) == (3 if new != 0 else 2),
    )


def _resting_orders_are_a_total_map(tracer: Tracer) -> Any:
    """Likewise of what an account has in the books; who has no order in any market has none, and nobody else."""
    one, other, new = (Resting(*(new_int(f"{name}.{field}") for field in RESTING_INTS)) for name in ("a", "b", "new"))
    # an order that may only reduce reserves nothing, and is one all the same
    assume(tracer, one.orders > 0, other.orders > 0, new.orders >= 0)
    assume(tracer, implies(new.orders == 0, (new.bids == 0) & (new.asks == 0)))
    empty = RestingOrders()
    single = empty.put(MarketId("one"), one)
    before = single.put(MarketId("other"), other)
    after, fresh = single.put(MarketId("one"), new), empty.put(MarketId("one"), new)
    made = RestingOrders({MarketId("one"): new})
    return every(
        *(_are_alike(result.get(MarketId("one")), new) for result in (after, fresh, made)),
        _are_alike(before.put(MarketId("one"), new).get(MarketId("other")), other),
        _are_alike(after.get(MarketId("third")), Resting(0, 0, 0)),
        empty.is_empty,
        not single.is_empty and not before.is_empty,
        *(both_ways(result.is_empty, new.orders == 0) for result in (after, fresh, made)),
    )


def _are_alike(resting: Resting, expected: Resting) -> Any:
    return every(*(getattr(resting, name) == getattr(expected, name) for name in RESTING_INTS))


LEMMAS = (
    Lemma(
        "rulebook_hypothesis", "LEMMA", "the kernel admits exactly the rulebooks of the theorems", _rulebook_hypothesis
    ),
    Lemma(
        "market_hypothesis",
        "LEMMA",
        "the kernel admits exactly the market rules of the theorems",
        _market_hypothesis,
        "PROVED-BOUNDED(three brackets), any figures; that a bracket may follow another is proven of any two",
    ),
    Lemma(
        "positions_are_a_total_map",
        "BAL-2",
        "a position is what was put, a closed one leaves no trace, others stay",
        _positions_are_a_total_map,
        "PROVED-BOUNDED(three markets), any positions",
    ),
    Lemma(
        "leverages_are_a_total_map",
        "MARG-5",
        "a leverage is what was put, zero leaves no trace, others stay",
        _leverages_are_a_total_map,
        "PROVED-BOUNDED(three markets), any leverages",
    ),
    Lemma(
        "maps_are_equal_by_their_entries",
        "LEMMA",
        "what is kept by market is equal where all its entries are, and as many as are something",
        _maps_are_equal_by_their_entries,
        "PROVED-BOUNDED(two markets), any leverages",
    ),
    Lemma(
        "resting_orders_are_a_total_map",
        "BOOK-6",
        "what an account has in a market's book is what was put; without an order in any market it has none, and "
        "only then",
        _resting_orders_are_a_total_map,
        "PROVED-BOUNDED(two markets), any orders",
    ),
    Lemma(
        "genesis", "LEMMA", "a new venue is empty, so every law holds: nobody holds anything", _genesis(mutable=False)
    ),
    Lemma("genesis_in_place", "LEMMA", "so is one on tables written in place", _genesis(mutable=True)),
)
