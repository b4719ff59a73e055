"""Lemmas: claims about single functions of the kernel, run as they are, without contracts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import z3
from attrs import frozen

from riskcore.prover.kernel import on_symbols
from riskcore.prover.obligations import ANY_ACCOUNTS, Obligation
from riskcore.prover.solver import Claim
from riskcore.prover.symbols import to_bool
from riskcore.prover.tracer import Tracer, get_paths


@frozen
class Lemma:
    """``claim`` makes its symbols, runs the kernel's function on them and says what must hold."""

    name: str
    law: str
    sentence: str
    claim: Callable[[Tracer], Any]
    scope: str = ANY_ACCOUNTS
    contracts: bool = False
    """Whether ``claim`` enters ``on_symbols`` itself, to run on some contracts."""

    def get_claims(self) -> Iterator[Claim]:
        """What has to be decided, path by path."""

        def run(tracer: Tracer) -> z3.BoolRef:
            if self.contracts:
                return to_bool(self.claim(tracer))
            with on_symbols(contracts=False):
                return to_bool(self.claim(tracer))

        for path in get_paths(run):
            conclusion = z3.BoolVal(False) if path.result is None else path.result
            where = self.sentence if path.error is None else f"raised {path.error!r}"
            yield Claim(path.condition, conclusion, where)

    def get_obligation(self, module: str) -> Obligation:
        claims = tuple(self.get_claims())
        name = f"{module}/{self.name}"
        return Obligation(name, self.law, module, "lemma", self.scope, claims, len(claims))


def assume(tracer: Tracer, *facts: Any) -> None:
    """State a lemma's hypotheses."""
    tracer.assume(*(to_bool(fact) for fact in facts))
