"""Claims as SMT-LIB 2 text that any solver reads, the same to the byte for the same claims.

What commutes is written in one order, whatever z3's own; what occurs twice gets a name, by its first place.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Any

import z3
from attrs import frozen

from riskcore.prover.solver import Claim

#: No quantifiers; functions of which nothing is known, integers and their products.
LOGIC = "QF_UFNIA"

#: z3's kinds of operators, as the standard writes them.
OPERATORS: dict[int, str] = {
    z3.Z3_OP_TRUE: "true",
    z3.Z3_OP_FALSE: "false",
    z3.Z3_OP_EQ: "=",
    z3.Z3_OP_DISTINCT: "distinct",
    z3.Z3_OP_ITE: "ite",
    z3.Z3_OP_AND: "and",
    z3.Z3_OP_OR: "or",
    z3.Z3_OP_NOT: "not",
    z3.Z3_OP_IMPLIES: "=>",
    z3.Z3_OP_XOR: "xor",
    z3.Z3_OP_LE: "<=",
    z3.Z3_OP_GE: ">=",
    z3.Z3_OP_LT: "<",
    z3.Z3_OP_GT: ">",
    z3.Z3_OP_ADD: "+",
    z3.Z3_OP_SUB: "-",
    z3.Z3_OP_UMINUS: "-",
    z3.Z3_OP_MUL: "*",
    z3.Z3_OP_IDIV: "div",
    z3.Z3_OP_MOD: "mod",
}
COMMUTING = frozenset({"=", "distinct", "and", "or", "xor", "+", "*"})

_SIMPLE = re.compile(r"[A-Za-z~!%^&*_\-+=<>?/][A-Za-z0-9~!@$%^&*_\-+=<>.?/]*")
#: A key longer than this is a hash of it.
_KEY_LENGTH = 64


class UnknownOperator(Exception):
    """A term has an operator that is not written here."""


@frozen(eq=False)
class Term:
    """An operator and what it is of. ``key`` is the same for equal terms, in whichever order they were built."""

    head: str
    parts: tuple[Term, ...]
    sort: str
    key: str
    declared: str | None = None
    """How a symbol is declared; None for the standard's own."""


class Reader:
    """Reads z3's terms of one context, each once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, Term]] = {}
        self._by_key: dict[str, Term] = {}

    def negate(self, expression: Any) -> Term:
        return self._share("not", (self.read(expression),), "Bool")

    def read(self, expression: Any) -> Term:
        stack = [expression]
        while stack:
            top = stack[-1]
            if top.get_id() in self._known:
                stack.pop()
                continue
            missing = [child for child in top.children() if child.get_id() not in self._known]
            if missing:
                stack.extend(missing)
                continue
            # the expression is kept alive with its id, which z3 would otherwise reuse
            self._known[top.get_id()] = top, self._make(top)
            stack.pop()
        return self._known[expression.get_id()][1]

    def _make(self, expression: Any) -> Term:
        if z3.is_int_value(expression):
            value = expression.as_long()
            return self._share(str(value) if value >= 0 else f"(- {-value})", (), "Int")
        declaration = expression.decl()
        parts = [self._known[child.get_id()][1] for child in expression.children()]
        kind, sort = declaration.kind(), str(declaration.range())
        if kind == z3.Z3_OP_UNINTERPRETED:
            return self._share(quote(declaration.name()), parts, sort, declare(declaration))
        if kind not in OPERATORS:
            raise UnknownOperator(f"{declaration.name()} in {expression}")
        head = OPERATORS[kind]
        return self._share(head, sorted(parts, key=lambda one: one.key) if head in COMMUTING else parts, sort)

    def _share(self, head: str, parts: Sequence[Term], sort: str, declared: str | None = None) -> Term:
        text = f"({head} {' '.join(one.key for one in parts)})" if parts else head
        key = text if len(text) <= _KEY_LENGTH else f"#{sha256(text.encode()).hexdigest()}"
        return self._by_key.setdefault(key, Term(head, tuple(parts), sort, key, declared))


def quote(name: str) -> str:
    return name if _SIMPLE.fullmatch(name) else f"|{name}|"


def declare(declaration: Any) -> str:
    sorts = " ".join(str(declaration.domain(place)) for place in range(declaration.arity()))
    return f"(declare-fun {quote(declaration.name())} ({sorts}) {declaration.range()})"


@frozen
class Check:
    """One question: all of these together, which should be a contradiction. ``note`` says what it is about."""

    facts: tuple[Term, ...]
    note: str


def get_checks(claims: Iterable[Claim], reader: Reader) -> Iterator[Check]:
    """A check for each claim; a conclusion that holds whatever the premises is asked without them."""
    for number, claim in enumerate(claims, start=1):
        is_settled = z3.is_true(z3.simplify(claim.conclusion))
        read = () if is_settled else (reader.read(premise) for premise in claim.premises)
        premises = dict.fromkeys(premise for premise in read if premise.head != "true")
        note = f"path {number}: {claim.where}" + ("; by itself, whatever was assumed" if is_settled else "")
        yield Check((*premises, reader.negate(claim.conclusion)), " ".join(note.split()))


def write_script(checks: Sequence[Check], title: Sequence[str] = (), *, is_expecting: bool = True) -> str:
    """A text that declares what the checks speak of and asks each on its own; every answer should be ``unsat``.

    What occurs more than once is defined by a name, numbered in the order of the text. ``is_expecting``: it says
    which answer is expected, so that a solver complains of another one in place of giving it.
    """
    facts = [fact for check in checks for fact in check.facts]
    terms = list(walk(facts))
    uses = Counter(part for term in terms for part in term.parts) + Counter(facts)
    texts: dict[Term, str] = {}
    definitions: list[str] = []
    for term in terms:
        text = f"({term.head} {' '.join(texts[part] for part in term.parts)})" if term.parts else term.head
        if term.parts and uses[term] > 1:
            name = f"${len(definitions) + 1}"
            definitions.append(f"(define-fun {name} () {term.sort} {text})")
            text = name
        texts[term] = text
    lines = [
        *(f"; {line}" for line in title),
        f"(set-logic {LOGIC})",
        *sorted({term.declared for term in terms if term.declared is not None}),
        *definitions,
    ]
    for check in checks:
        asserted = (f"(assert {texts[fact]})" for fact in check.facts)
        question = [*asserted, *(["(set-info :status unsat)"] if is_expecting else []), "(check-sat)"]
        lines += [f"; {check.note}", *(["(push 1)", *question, "(pop 1)"] if len(checks) > 1 else question)]
    return "\n".join(lines) + "\n"


def walk(roots: Iterable[Term]) -> Iterator[Term]:
    """Every term that the roots are made of, once, its parts before it."""
    done: set[Term] = set()
    for root in roots:
        stack = [root]
        while stack:
            top = stack[-1]
            missing = [] if top in done else [part for part in reversed(top.parts) if part not in done]
            if missing:
                stack.extend(missing)
                continue
            stack.pop()
            if top not in done:
                done.add(top)
                yield top
