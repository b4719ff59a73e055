"""Which assumptions about the state before an event its proofs need: ``python -m tests.needed [UNIT ...]``.

It takes a quarter of an hour or more. What is found is recorded after each event (``proofs/needed.json``), and a later
run goes on from there.

Each conjunct that the prover assumes is a name: who assumes it, and what it says, whatever it says it of.
A claim is asked of those that are known to be needed; where they are not enough, a core says which others to look at,
and each of these is needed without which the claim no longer follows, or leaves z3 at a loss. That a path is closed
which no state takes is a claim too. So every claim follows of the needed ones alone, and all others could go at once.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import z3
from attrs import asdict, field, frozen

import proofs
from riskcore.prover.solver import Claim
from riskcore.prover.tracer import Tracer
from riskcore.verify import collect, get_unit_names

#: z3's effort for a core, and then for each assumption left out of it.
CORE_RLIMIT, WITHOUT_RLIMIT = 20_000_000, 2_000_000

#: What defines a name or settles a claim's own condition says nothing of the state before.
DEFINING = ("_define", "_settle")

_ORDERS = "said of every two orders at hand, and of an order when it is read and again when a claim looks at it"
_CLAUSE = "a clause of INV-1, or of a certificate, that follows from others or that no claim turns on"

#: Why those are assumed that no claim needs, by who assumes them.
REASONS = {
    "__init__": _CLAUSE,
    "_assume_part": _ORDERS,
    "_make_stake": _CLAUSE,
    "_new_account": _CLAUSE,
    "_new_order": _ORDERS,
    "_new_rulebook": "what the theorems say of admissible rulebooks: with less they would speak of more",
    "_new_sharing": _CLAUSE,
    "_new_stake": _CLAUSE,
    "accounts_to_check": _ORDERS,
    "assume_certificate": "what a ranked queue says of any account, said of each at hand",
    "assume_members": _CLAUSE,
    "assume_part_of_whole": "an account's lots are no more than all: said of each that the event writes",
    "call": "a fact of a function known by contract, and so a lemma: nothing is assumed by it",
    "orders_to_check": _ORDERS,
    "run_event": "ids, lengths and totals are not below zero, so that CPython can run a path's model",
    "separate_insurance": _CLAUSE,
}

RECORD = Path(proofs.__file__).with_name("needed.json")

#: Who assumes something of whatever it is asked about: figures that a contract is called with, orders, parts.
ABOUT_ANY = {
    "_assume_part",
    "_new_order",
    "accounts_to_check",
    "assume_part_of_whole",
    "call",
    "get_remainder",
    "orders_to_check",
}

_NUMBERS = re.compile(r"(?<=[a-z_])\d+")


@frozen
class Tally:
    """Every assumption that was met, and those that some claim needs, with the claim."""

    met: dict[str, None] = field(factory=dict)
    needed: dict[str, str] = field(factory=dict)


class Assumptions:
    """Who assumed a fact, as it was traced."""

    def __init__(self) -> None:
        self._by_id: dict[int, tuple[z3.BoolRef, str]] = {}
        #: that a path is closed which was not gone on with
        self.closed: list[Claim] = []

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Note down what the block assumes, and which paths that closes."""
        assume, is_possible = Tracer.assume, Tracer._is_possible

        def note(tracer: Tracer, *facts: z3.BoolRef) -> None:
            who = get_caller()
            if who not in DEFINING:
                self._by_id |= {fact.get_id(): (fact, who) for fact in facts}
            assume(tracer, *facts)

        def ask(tracer: Tracer, condition: z3.BoolRef) -> bool:
            is_open = is_possible(tracer, condition)
            if not is_open:
                self.closed.append(Claim((*tracer.assumptions, *tracer.decisions), z3.Not(condition), ""))
            return is_open

        with patch.object(Tracer, "assume", note), patch.object(Tracer, "_is_possible", ask):
            yield

    def split(self, premise: z3.BoolRef) -> Iterator[tuple[str | None, z3.BoolRef]]:
        """The premise's parts, each with its name; a premise that is no assumption has none."""
        _, who = self._by_id.get(premise.get_id(), (None, None))
        if who is None:
            yield None, premise
            return
        for part in get_parts(premise):
            yield get_name(who, part), part


def get_caller() -> str:
    """The function that assumes, beyond those which only pass it on."""
    frame: Any = sys._getframe(2)
    while frame.f_code.co_name in ("assume", "assume_book", "certify_book") and frame.f_back is not None:
        frame = frame.f_back
    return str(frame.f_code.co_name)


def get_parts(fact: z3.BoolRef) -> Iterator[z3.BoolRef]:
    """What the fact says, one by one; under a condition each with the condition."""
    if z3.is_and(fact):
        for child in fact.children():
            yield from get_parts(child)
    elif (z3.is_or(fact) or z3.is_implies(fact)) and z3.is_and(fact.children()[-1]):
        *conditions, conclusion = fact.children()
        conditions = [z3.Not(conditions[0])] if z3.is_implies(fact) else conditions
        yield from (z3.Or(*conditions, part) for part in get_parts(conclusion))
    elif not z3.is_true(fact):
        yield fact


def get_name(who: str, fact: z3.BoolRef) -> str:
    return f"{who}: {get_shape(fact, is_of_any=who in ABOUT_ANY)}"


def get_shape(term: z3.ExprRef, is_of_any: bool) -> str:
    """The term in words that are the same for every account, order and call: what is asked about is left out.

    Where it is ``is_of_any``, names and numbers are such too.
    """
    if z3.is_bool(term) and term.num_args() and not is_applied(term):
        return _get_shape_of_truth(term, is_of_any)
    if is_applied(term):
        return f"{term.decl().name()}(_)"
    if not term.num_args():
        said = term.sexpr()
        return "_" if is_of_any and z3.is_int(term) else said if z3.is_int_value(term) else _NUMBERS.sub("", said)
    if is_of_any or z3.is_app_of(term, z3.Z3_OP_ITE):
        return "_"
    return _bracket(term.decl().name(), [get_shape(child, is_of_any) for child in term.children()])


def _get_shape_of_truth(term: z3.ExprRef, is_of_any: bool) -> str:
    parts = [get_shape(child, is_of_any) for child in term.children()]
    if z3.is_not(term):
        if z3.is_not(term.arg(0)):
            return get_shape(term.arg(0).arg(0), is_of_any)
        return {"true": "false", "false": "true"}.get(parts[0], _bracket("not", parts))
    if not (z3.is_and(term) or z3.is_or(term)):
        return _bracket(term.decl().name(), parts)
    name, idle, strong = ("and", "true", "false") if z3.is_and(term) else ("or", "false", "true")
    left = list(dict.fromkeys(part for part in parts if part != idle))
    if strong in left:
        return strong
    return _bracket(name, left) if len(left) > 1 else (left or [idle])[0]


def _bracket(name: str, parts: list[str]) -> str:
    return f"({' '.join((name, *parts))})"


def is_applied(term: z3.ExprRef) -> bool:
    """Whether it is what a function of the prover's gives for some arguments."""
    return bool(term.num_args() > 0 and term.decl().kind() == z3.Z3_OP_UNINTERPRETED)


@contextmanager
def leaving_out(names: Iterable[str]) -> Iterator[None]:
    """Run the block without these assumptions."""
    assume, gone = Tracer.assume, set(names)

    def keep(tracer: Tracer, *facts: z3.BoolRef) -> None:
        who = get_caller()
        parts = [part for fact in facts for part in get_parts(fact)]
        assume(tracer, *(part for part in parts if who in DEFINING or get_name(who, part) not in gone))

    with patch.object(Tracer, "assume", keep):
        yield


def look(unit: str, tally: Tally) -> None:
    """Add what a unit's claims need to the tally."""
    assumptions = Assumptions()
    with assumptions.watching():
        obligations = collect(unit)
    for obligation in obligations:
        for claim in obligation.claims:
            look_at_claim(claim, obligation.name, assumptions, tally)
    for claim in assumptions.closed:
        look_at_claim(claim, f"{unit}, a path that is closed", assumptions, tally)


def look_at_claim(claim: Claim, name: str, assumptions: Assumptions, tally: Tally) -> None:
    if z3.is_true(z3.simplify(claim.conclusion)):
        return
    parts = [pair for premise in claim.premises for pair in assumptions.split(premise)]
    tally.met.update((who, None) for who, _ in parts if who is not None)
    unknown = {who for who, _ in parts if who is not None and who not in tally.needed}
    left = set[str]()
    if not unknown or follows(parts, unknown, claim):
        return
    core = get_core(parts, claim, unknown)
    for candidate in core:
        if follows(parts, unknown - set(core) | left | {candidate}, claim):
            left.add(candidate)
        else:
            tally.needed[candidate] = name


def get_core(parts: list[tuple[str | None, z3.BoolRef]], claim: Claim, unknown: set[str]) -> list[str]:
    """The unknown assumptions among those that z3 contradicts the claim's negation with."""
    context = claim.conclusion.ctx
    solver = z3.Solver(ctx=context)
    solver.set("rlimit", CORE_RLIMIT)
    labels = {who: z3.Bool(f"assumed{number}", context) for number, who in enumerate(sorted(unknown))}
    for who, part in parts:
        solver.add(part if who not in labels else z3.Implies(labels[who], part))
    solver.add(z3.Not(claim.conclusion))
    if solver.check(*labels.values()) != z3.unsat:
        return sorted(unknown)
    core = {label.decl().name() for label in solver.unsat_core()}
    return [who for who, label in labels.items() if label.decl().name() in core]


def follows(parts: Iterable[tuple[str | None, z3.BoolRef]], left_out: set[str], claim: Claim) -> bool:
    """Whether the claim does of the others."""
    solver = z3.Solver(ctx=claim.conclusion.ctx)
    solver.set("rlimit", WITHOUT_RLIMIT)
    solver.add(*(part for who, part in parts if who not in left_out), z3.Not(claim.conclusion))
    return bool(solver.check() == z3.unsat)


@frozen
class Record:
    """``units``: those that were looked at. ``needed``: each assumption that is, with a claim; ``idle``: the others."""

    units: list[str]
    needed: dict[str, str]
    idle: list[str]


def read_record(path: Path = RECORD) -> Record:
    if not path.exists():
        return Record([], {}, [])
    return Record(**json.loads(path.read_text(encoding="utf-8")))


def write_record(units: list[str], tally: Tally, path: Path = RECORD) -> None:
    idle = sorted(set(tally.met) - set(tally.needed))
    record = Record(sorted(units), dict(sorted(tally.needed.items())), idle)
    path.write_text(json.dumps(asdict(record), indent=1) + "\n", encoding="utf-8")


def main(units: list[str]) -> None:
    record = read_record()
    tally = Tally(dict.fromkeys((*record.needed, *record.idle)), dict(record.needed))
    done = list(record.units)
    for unit in units or [name for name in get_unit_names() if not name.startswith("lemma:")]:
        if unit in done:
            continue
        look(unit, tally)
        done.append(unit)
        write_record(done, tally)
        print(f"{unit}: {len(tally.needed)} of {len(tally.met)} assumptions needed", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
