"""Facts about products and quotients that a solver need not find by itself.

Each is true of all integers: a product of what is not below zero is not below zero, an inequality may be multiplied
by what is above zero, and a quotient grows with what is divided. With them most claims about
polynomials are linear in their products.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import permutations

import z3

from riskcore.prover.tracer import Tracer

#: More of them than this slow a solver down instead.
MOST_PRODUCTS, MOST_QUOTIENTS = 80, 8


def get_hints(tracer: Tracer, conclusion: z3.BoolRef) -> tuple[z3.BoolRef, ...]:
    """What is true of the products and quotients in a path's facts and in the claim about it."""
    quotients = [*_compare_quotients(tracer.quotients)]
    facts = [z3.simplify(fact, som=True) for fact in (*tracer.assumptions, *tracer.decisions, *quotients, conclusion)]
    signs = _Signs(tracer)
    factors = {factor.get_id(): factor for product in _get_products(facts) for factor in product.children()}
    above = [one for one in factors.values() if _is_symbol(one) and signs.is_above_zero(one)]
    asked = [z3.simplify(one, som=True) for one in (*tracer.decisions, z3.Not(conclusion))]
    multiplied = [*_multiply(asked, above)]
    products = _get_products([*facts, *(z3.simplify(one, som=True) for one in multiplied)])
    return (*quotients, *multiplied, *(fact for one in products for fact in signs.get_facts(one)))


class _Signs:
    """What a path settles of the signs of its symbols."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def is_above_zero(self, symbol: z3.ArithRef) -> bool:
        return self._tracer.is_known(symbol > 0)

    def is_not_below_zero(self, symbol: z3.ArithRef) -> bool:
        return self._tracer.is_known(symbol >= 0)

    def get_facts(self, product: z3.ArithRef) -> Iterator[z3.BoolRef]:
        counts: dict[int, tuple[z3.ArithRef, int]] = {}
        for factor in product.children():
            if not z3.is_int_value(factor):
                counts[factor.get_id()] = factor, counts.get(factor.get_id(), (factor, 0))[1] + 1
        plain = z3.Product(*(factor for factor, count in counts.values() for _ in range(count)))
        odd = [factor for factor, count in counts.values() if count % 2]
        if all(_is_symbol(factor) and self.is_not_below_zero(factor) for factor in odd):
            is_above = all(_is_symbol(one) and self.is_above_zero(one) for one, _ in counts.values())
            yield plain > 0 if is_above else plain >= 0


def _is_symbol(term: z3.ExprRef) -> bool:
    return bool(z3.is_const(term) and term.decl().kind() == z3.Z3_OP_UNINTERPRETED)


def _get_products(facts: Iterable[z3.ExprRef]) -> list[z3.ArithRef]:
    """Every product of two factors or more that are no numbers, once."""
    found: dict[int, z3.ArithRef] = {}
    seen: dict[int, z3.ExprRef] = {}
    waiting: list[z3.ExprRef] = [*facts]
    while waiting:
        term = waiting.pop()
        if term.get_id() in seen:
            continue
        seen[term.get_id()] = term
        children = term.children()
        if z3.is_mul(term) and sum(not z3.is_int_value(child) for child in children) > 1:
            found[term.get_id()] = term
        waiting += children
    return [*found.values()]


def _compare_quotients(
    quotients: tuple[tuple[z3.ArithRef, z3.ArithRef, z3.ArithRef], ...],
) -> Iterator[z3.BoolRef]:
    """Of each two: more divided by less gives no less, where that is not below zero; the reverse where it is."""
    if len(quotients) > MOST_QUOTIENTS:
        return
    for (one, top, bottom), (two, other_top, other_bottom) in permutations(quotients, 2):
        is_no_more = top <= other_top
        yield z3.Implies(z3.And(is_no_more, bottom >= other_bottom, other_top >= 0), one <= two)
        yield z3.Implies(z3.And(is_no_more, bottom <= other_bottom, top <= 0), one <= two)


_COMPARISONS = (z3.is_le, z3.is_lt, z3.is_ge, z3.is_gt, z3.is_eq)


def _multiply(asked: list[z3.BoolRef], factors: list[z3.ArithRef]) -> Iterator[z3.BoolRef]:
    """Each comparison times each factor above zero, where it holds."""
    comparisons = [one for one in asked if _get_comparison(one) is not None]
    if len(comparisons) * len(factors) > MOST_PRODUCTS:
        return
    for one in comparisons:
        inner = _get_comparison(one)
        assert inner is not None
        left, right = inner.children()
        for factor in factors:
            compared = inner.decl()(left * factor, right * factor)
            yield z3.Implies(one, z3.Not(compared) if z3.is_not(one) else compared)


def _get_comparison(fact: z3.BoolRef) -> z3.BoolRef | None:
    """The comparison of integers that a fact is, or is the negation of."""
    inner = fact.arg(0) if z3.is_not(fact) else fact
    if any(is_one(inner) for is_one in _COMPARISONS) and z3.is_int(inner.arg(0)):
        return inner
    return None
