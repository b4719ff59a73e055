"""Rank order is a strict total order, whatever the policy; eligibility is the specification's.

Scores are ratios with a divisor above zero, for each policy. Comparing them
cross-multiplied, then sizes, then ids, is irreflexive, transitive and total.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from riskcore import ranking
from riskcore.allocation import Held, get_remainder
from riskcore.choices import Allocation, RankPolicy
from riskcore.prover.book import AccountSymbols, World
from riskcore.prover.case import SymCase
from riskcore.prover.kernel import get_any_chance, get_any_mix, get_any_score, on_symbols
from riskcore.prover.lemma import Lemma, assume
from riskcore.prover.symbols import new_bool, new_int
from riskcore.prover.tracer import Tracer
from riskcore.quantities import AccountId
from riskcore.ranking import Candidate, Score
from riskcore.state import NO_ACCOUNT
from specs.allocation import weight_of
from specs.arithmetic import both_ways, every, implies, magnitude
from specs.deleveraging import eligible
from specs.ranking import PRIME, score

#: The first 128 binary digits of the golden ratio's fraction, made odd.
GOLDEN = 0x9E3779B97F4A7C15F39CC0605CEDC835


def _any_candidate(tracer: Tracer, name: str) -> Any:
    score = Score(new_int(f"{name}.numerator"), new_int(f"{name}.denominator"))
    assume(tracer, score.denominator > 0)
    return Candidate(score, new_int(f"{name}.size"), new_int(f"{name}.id"))


def _is_ahead(first: Any, second: Any) -> bool:
    """Decided on the path, so that each path knows which of the three comparisons settled it."""
    return bool(ranking.is_ahead(first, second))


def _irreflexive(tracer: Tracer) -> Any:
    one = _any_candidate(tracer, "one")
    return not _is_ahead(one, one)


def _total(tracer: Tracer) -> Any:
    one, two = _any_candidate(tracer, "one"), _any_candidate(tracer, "two")
    assume(tracer, one.id != two.id)
    return _is_ahead(one, two) != _is_ahead(two, one)


def _transitive(tracer: Tracer) -> Any:
    one, two, three = (_any_candidate(tracer, name) for name in ("one", "two", "three"))
    # one and two are over two's divisor, two and three likewise: products that z3 need not find
    (a, b), (c, d), (e, f) = one.score, two.score, three.score
    gap_one, gap_two = new_int("gap_one"), new_int("gap_two")
    assume(tracer, gap_one == a * d - c * b, gap_two == c * f - e * d)
    assume(tracer, (a * f - e * b) * d == gap_one * f + gap_two * b)
    if not (_is_ahead(one, two) and _is_ahead(two, three)):
        return True
    assume(tracer, gap_one >= 0, gap_two >= 0)
    return _is_ahead(one, three)


def _any_figures() -> tuple[Any, ...]:
    names = ("size", "cost", "mark", "equity", "opened", "chance")
    return tuple(new_int(name) for name in names)


def _policy(policy: RankPolicy) -> Callable[[Tracer], Any]:
    def divisor_is_positive(tracer: Tracer) -> Any:
        figures = _any_figures()
        score: Any = ranking.get_score(policy, *figures)
        is_signed = policy in (RankPolicy.SIGNED_PROFIT_TIMES_LEVERAGE, RankPolicy.FIFO, RankPolicy.PSEUDO_RANDOM)
        return every(score.denominator > 0, is_signed | implies(figures[2] > 0, score.numerator >= 0))

    return divisor_is_positive


def _profit_times_leverage_is_its_formula(tracer: Tracer) -> Any:
    size, cost, mark, equity, *_ = figures = _any_figures()
    assume(tracer, mark > 0)
    score: Any = ranking.get_score(RankPolicy.PROFIT_TIMES_LEVERAGE, *figures)
    profit, notional = size * mark - cost, magnitude(size) * mark
    ranks = (profit > 0) & (equity > 0) & (cost != 0)
    exact = (score.numerator == profit * notional) & (score.denominator == magnitude(cost) * equity)
    return every(
        implies(ranks, exact), implies((profit <= 0) | (equity <= 0), (score.numerator == 0) & (score.denominator == 1))
    )


def _leverage_is_its_formula(tracer: Tracer) -> Any:
    size, _, mark, equity, *_ = figures = _any_figures()
    score: Any = ranking.get_score(RankPolicy.LEVERAGE, *figures)
    exact = (score.numerator == magnitude(size) * mark) & (score.denominator == equity)
    return every(implies(equity > 0, exact), implies(equity <= 0, (score.numerator == 0) & (score.denominator == 1)))


def _size_is_its_formula(tracer: Tracer) -> Any:
    size, _, mark, *_ = figures = _any_figures()
    score: Any = ranking.get_score(RankPolicy.SIZE, *figures)
    return (score.numerator == magnitude(size) * mark) & (score.denominator == 1)


def _of_gains(policy: RankPolicy, formula: Callable[[Any, Any, Any, Any], tuple[Any, Any]]) -> Callable[[Tracer], Any]:
    """A formula of notional, profit, entry and equity, where each is a gain; else last."""

    def is_its_formula(tracer: Tracer) -> Any:
        size, cost, mark, equity, *_ = figures = _any_figures()
        assume(tracer, mark > 0, cost != 0)
        score: Any = ranking.get_score(policy, *figures)
        profit = size * mark - cost
        numerator, denominator = formula(magnitude(size) * mark, profit, magnitude(cost), equity)
        needs_profit = policy is not RankPolicy.PRICE_RATIO_TIMES_LEVERAGE
        is_gain = (equity > 0) & (profit > 0) if needs_profit else equity > 0
        exact = (score.numerator == numerator) & (score.denominator == denominator)
        return every(implies(is_gain, exact), implies(~is_gain, (score.numerator == 0) & (score.denominator == 1)))

    return is_its_formula


def _losses_are_divided_by_leverage(tracer: Tracer) -> Any:
    """Profit over entry times leverage where it is a gain, over leverage where it is a loss, which is behind."""
    size, cost, mark, equity, *_ = figures = _any_figures()
    assume(tracer, mark > 0, cost != 0, size != 0, equity > 0)
    score: Any = ranking.get_score(RankPolicy.SIGNED_PROFIT_TIMES_LEVERAGE, *figures)
    profit, notional, entry = size * mark - cost, magnitude(size) * mark, magnitude(cost)
    gain = (score.numerator == profit * notional) & (score.denominator == entry * equity)
    loss = (score.numerator == profit * equity) & (score.denominator == entry * notional)
    return every(implies(profit > 0, gain), implies(profit <= 0, loss), implies(profit < 0, score.numerator < 0))


def _older_is_ahead(tracer: Tracer) -> Any:
    """Whatever else there is about two positions, that which opened before is ahead."""
    one, two = _any_figures(), tuple(new_int(f"other_{number}") for number in range(6))
    assume(tracer, one[4] < two[4])
    first: Any = ranking.get_score(RankPolicy.FIFO, *one)
    second: Any = ranking.get_score(RankPolicy.FIFO, *two)
    scores: Any = enumerate((first, second))
    older, newer = (Candidate(score, new_int(f"size{id}"), id) for id, score in scores)
    return _is_ahead(older, newer)


def _numbers_are_below_the_prime(tracer: Tracer) -> Any:
    state, word = new_int("state"), new_int("word")
    result: Any = ranking.mix(state, word)
    return every(result >= 0, result < PRIME)


def _numbers_are_fifth_powers(tracer: Tracer) -> Any:
    state, word = new_int("state"), new_int("word")
    base: Any = state + word + GOLDEN
    power = base * base * base * base * base
    return ranking.mix(state, word) == power % PRIME


def _numbers_mix_all_they_depend_on(tracer: Tracer) -> Any:
    """Of some id: first and last it, in between seed and sequence; and no other policy draws."""
    seed, sequence, id = new_int("seed"), new_int("sequence"), AccountId("a\u00e9")
    # a one before its bytes, so that no two ids have the same number
    name = ((1 * 256 + 0x61) * 256 + 0xC3) * 256 + 0xA9
    others = [policy for policy in RankPolicy if policy is not RankPolicy.PSEUDO_RANDOM]
    with on_symbols(without=(ranking.get_chance,)):
        result: Any = ranking.get_chance(RankPolicy.PSEUDO_RANDOM, seed, sequence, id)
        zeros = [ranking.get_chance(policy, seed, sequence, id) for policy in others]
    expected = get_any_mix(get_any_mix(get_any_mix(get_any_mix(0, name), seed), sequence), name)
    return every(result == expected, *(number == 0 for number in zeros))


def _same_as_specified(policy: RankPolicy) -> Callable[[Tracer], Any]:
    def is_the_specifications(tracer: Tracer) -> Any:
        figures = _any_figures()
        assume(tracer, figures[2] > 0)
        result: Any = ranking.get_score(policy, *figures)
        expected: Any = score(policy, *figures)
        return every(result.numerator == expected[0], result.denominator == expected[1])

    return is_the_specifications


def _ahead_is_its_definition(tracer: Tracer) -> Any:
    """Higher ratio; then larger size; then smaller id."""
    one, two = _any_candidate(tracer, "one"), _any_candidate(tracer, "two")
    left = one.score.numerator * two.score.denominator
    right = two.score.numerator * one.score.denominator
    same_size = magnitude(one.size) == magnitude(two.size)
    by_size = (left == right) & (magnitude(one.size) > magnitude(two.size))
    by_id = (left == right) & same_size & (one.id < two.id)
    return both_ways((left > right) | by_size | by_id, _is_ahead(one, two))


def _absorbing_is_its_definition(tracer: Tracer) -> Any:
    names = ("held", "cost", "mark", "equity", "share", "lots")
    held, cost, mark, equity, share, lots = (new_int(name) for name in names)
    requires_profit = new_bool("requires_profit")
    result = ranking.can_absorb(requires_profit, held, cost, mark, equity, share, lots)
    burden = share * magnitude(held)
    pays = implies(requires_profit & (share > 0), (held * mark - cost) * lots >= burden)
    return both_ways(every(equity >= 0, equity * lots >= burden, pays), result)


def get_listed(world: World) -> Any:
    """The event's market, of a world in which an episode is open in it."""
    assert world.market is not None
    return world.market


def _candidacy(policy: RankPolicy) -> Callable[[Tracer], Any]:
    """Of any account: it ranks exactly where it is eligible, and then by its own score under the rulebook's policy."""

    def ranks_where_eligible(tracer: Tracer) -> Any:
        world = World(tracer, new_int("market"), deleveraging=True, is_step=True)
        episode: Any = world.deleveraging
        size, id = new_int("position"), new_int("id")
        assume(tracer, magnitude(size) == episode.lots)
        account, market = world.accounts.get(id), get_listed(world)
        rulebook = attrs.evolve(world.rulebook, adl_rank=policy)
        # as it is asked: none is open yet
        state = attrs.evolve(world.get_state(), rulebook=rulebook, deleveraging=None)
        with on_symbols(world):
            result: Any = ranking.get_candidate(state, market, size, episode, id, account)
        view, mark = AccountSymbols(world, account), market.mark_price
        can = eligible(SymCase(world, None, None, None, None), view, size, episode.share, episode.lots)
        if result is None:
            return ~can
        chance = get_any_chance(policy, rulebook.adl_seed, episode.sequence, id)
        expected: Any = get_any_score(policy, view.size, view.cost, mark, view.equity, view.opened, chance)
        return every(
            can,
            result.id == id,
            result.size == view.size,
            result.score.numerator == expected.numerator,
            result.score.denominator == expected.denominator,
            result.weight == weight_of(rulebook.adl_allocation, view.size, view.cost, mark, view.equity),
        )

    return ranks_where_eligible


#: The queue is assembled from two counterparties; the lemma on strict orders does the rest.
BOUNDED = "PROVED-BOUNDED(two counterparties), any positions"


class _TwoAccounts:
    """A table of two counterparties, for the one function that looks at all accounts."""

    def __init__(self, world: World) -> None:
        self._accounts = {name: world.accounts.last[world.accounts.add(new_int(name))] for name in ("a", "b")}

    def get(self, id: str) -> Any:
        return self._accounts.get(id, NO_ACCOUNT)

    def items(self) -> Any:
        return iter(self._accounts.items())


def _get_score(policy: RankPolicy, rulebook: Any, episode: Any, mark: Any, id: str, view: Any) -> Any:
    chance = get_any_chance(policy, rulebook.adl_seed, episode.sequence, id)
    return get_any_score(policy, view.size, view.cost, mark, view.equity, view.opened, chance)


def _new_two(tracer: Tracer, queue: tuple[str, ...], policy: Allocation) -> tuple[World, Any, Any, Any, Any]:
    """A world of two counterparties, its state, an episode with this queue and the size that it is against."""
    world = World(tracer, new_int("market"), deleveraging=True, is_step=True)
    opened: Any = world.deleveraging
    episode: Any = attrs.evolve(opened, queue=queue)
    size = new_int("position")
    assume(tracer, magnitude(size) == episode.lots)
    accounts: Any = _TwoAccounts(world)
    rulebook = attrs.evolve(world.rulebook, adl_allocation=policy)
    state = attrs.evolve(world.get_state(), accounts=accounts, deleveraging=None, rulebook=rulebook)
    return world, state, accounts, episode, size


def _queue(queue: tuple[str, ...]) -> Callable[[Tracer], Any]:
    """``certify`` calls ranked exactly where the queue is all eligible accounts, each ahead of the next."""

    def is_certified(tracer: Tracer) -> Any:
        world, state, accounts, episode, size = _new_two(tracer, queue, Allocation.QUEUE)
        # no level, so that nothing but the queue is judged
        episode = attrs.evolve(episode, level_lots=0, level_weight=1)
        market = get_listed(world)
        case: Any = SymCase(world, None, None, None, None)
        with on_symbols(world, without=(ranking.certify,)):
            result = ranking.certify(state, market, size, episode).is_ranked
        views = {name: AccountSymbols(world, account) for name, account in accounts.items()}
        can = {name: eligible(case, view, size, episode.share, episode.lots) for name, view in views.items()}
        if len(set(queue)) < len(queue):
            return not result
        expected: Any = every(*(can[name] if name in queue else ~can[name] for name in views))
        if len(queue) == 2 and bool(expected):
            policy = world.rulebook.adl_rank
            mark = market.mark_price
            (left, below), (right, beside) = (
                _get_score(policy, world.rulebook, episode, mark, name, views[name]) for name in queue
            )
            one, two = (magnitude(views[name].size) for name in queue)
            tied = (left * beside == right * below) & ((one > two) | ((one == two) & (queue[0] < queue[1])))
            expected = (left * beside > right * below) | tied
        return both_ways(expected, bool(result))

    return is_certified


def _level(policy: Allocation) -> Callable[[Tracer], Any]:
    """``certify`` judges the level by the parts of all who are eligible, whether or not they are queued."""

    def is_of_all_who_are_eligible(tracer: Tracer) -> Any:
        world, state, accounts, episode, size = _new_two(tracer, ("a",), policy)
        market = get_listed(world)
        case: Any = SymCase(world, None, None, None, None)
        with on_symbols(world, without=(ranking.certify,)):
            result: Any = ranking.certify(state, market, size, episode).remainder
        views = [AccountSymbols(world, account) for _, account in accounts.items()]
        able = [view for view in views if bool(eligible(case, view, size, episode.share, episode.lots))]
        weights = [weight_of(policy, one.size, one.cost, market.mark_price, one.equity) for one in able]
        held: Any = [Held(one.size, weight) for one, weight in zip(able, weights, strict=True)]
        with on_symbols(contracts=False):
            expected: Any = get_remainder(policy, episode, held)
        return result == expected

    return is_of_all_who_are_eligible


QUEUES: tuple[tuple[str, ...], ...] = ((), ("a",), ("b",), ("a", "b"), ("b", "a"), ("a", "a"))

#: Of notional, profit, entry and equity.
FORMULAS: tuple[tuple[RankPolicy, str, Callable[[Any, Any, Any, Any], tuple[Any, Any]]], ...] = (
    (RankPolicy.PROFIT_RATIO, "profit / entry", lambda notional, profit, entry, equity: (profit, entry)),
    (RankPolicy.PROFIT_TO_EQUITY, "profit / equity", lambda notional, profit, entry, equity: (profit, equity)),
    (
        RankPolicy.PROFIT_TIMES_NOTIONAL_TO_EQUITY,
        "profit * notional / equity",
        lambda notional, profit, entry, equity: (profit * notional, equity),
    ),
    (
        RankPolicy.PRICE_RATIO_TIMES_LEVERAGE,
        "(notional / entry) * (notional / equity)",
        lambda notional, profit, entry, equity: (notional * notional, entry * equity),
    ),
)

LEMMAS = (
    *(
        Lemma(
            f"queue_{'_'.join(queue) or 'of_none'}",
            "ADL-2",
            "a queue is certified exactly where it is all eligible accounts in rank order",
            _queue(queue),
            BOUNDED,
            contracts=True,
        )
        for queue in QUEUES
    ),
    # one word stands for all: only the functions of parts may tell them apart, as the lemma on the source says
    Lemma(
        "level_is_of_all_candidates",
        "ADL-10",
        "a level is judged by the parts of all who are eligible",
        _level(Allocation.PROFIT),
        BOUNDED,
        contracts=True,
    ),
    *(
        Lemma(
            f"{policy.value}_candidacy",
            "ADL-2",
            "any account ranks exactly where it is eligible, by its own score",
            _candidacy(policy),
            contracts=True,
        )
        for policy in RankPolicy
    ),
    Lemma("irreflexive", "ADL-2", "nobody ranks ahead of itself", _irreflexive),
    Lemma("total", "ADL-2", "of two accounts exactly one ranks ahead", _total),
    Lemma("transitive", "ADL-2", "ahead of who is ahead is ahead", _transitive),
    Lemma(
        "ahead_is_its_definition", "ADL-2", "higher ratio, then larger size, then smaller id", _ahead_is_its_definition
    ),
    *(
        Lemma(f"{policy.value}_as_specified", "ADL-2", "the score is the specification's", _same_as_specified(policy))
        for policy in RankPolicy
    ),
    *(
        Lemma(f"{policy.value}_divides", "ADL-2", "a score is a ratio over a positive divisor", _policy(policy))
        for policy in RankPolicy
    ),
    Lemma(
        "profit_times_leverage_is_its_formula",
        "ADL-2",
        "(profit / cost) * (notional / equity)",
        _profit_times_leverage_is_its_formula,
    ),
    Lemma("leverage_is_its_formula", "ADL-2", "notional / equity", _leverage_is_its_formula),
    Lemma("size_is_its_formula", "ADL-2", "notional", _size_is_its_formula),
    *(
        Lemma(f"{policy.value}_is_its_formula", "ADL-2", words, _of_gains(policy, formula))
        for policy, words, formula in FORMULAS
    ),
    Lemma(
        "signed_profit_times_leverage_is_its_formula",
        "ADL-2",
        "a profit times leverage, a loss over leverage",
        _losses_are_divided_by_leverage,
    ),
    Lemma("fifo_is_by_age", "ADL-2", "of two positions the older one is ahead", _older_is_ahead),
    Lemma(
        "numbers_mix_all_they_depend_on",
        "ADL-2",
        "a number drawn is made of id, seed and sequence",
        _numbers_mix_all_they_depend_on,
        "one id, any seed and sequence; tests compare others",
        contracts=True,
    ),
    Lemma(
        "numbers_are_fifth_powers",
        "ADL-2",
        "a number is the fifth power, modulo the prime, of state, word and the golden ratio's digits together",
        _numbers_are_fifth_powers,
    ),
    Lemma(
        "numbers_are_below_the_prime",
        "ADL-2",
        "a number drawn is at least zero and below the prime",
        _numbers_are_below_the_prime,
    ),
    Lemma(
        "absorbing_is_its_definition",
        "ADL-3",
        "whole burden within equity, and profit where required",
        _absorbing_is_its_definition,
    ),
)
