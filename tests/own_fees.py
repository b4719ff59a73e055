"""Proves ``fill`` and ``liquidation_fill`` with fees that are known by the clauses of CASH-2 alone.

Run by hand, ``python -m tests.own_fees``, for it takes minutes: it is why ``verify --rules`` may speak of all laws
where a file has a fee of its own. Models are not replayed: an unknown fee has no formula that CPython could run.
"""

from __future__ import annotations

import sys
from typing import Any
from unittest.mock import patch

import z3

from riskcore import quantities
from riskcore.prover import kernel
from riskcore.prover.symbols import SymInt, get_run, to_int
from riskcore.verify import collect, prove
from specs import liquidation, trading

EVENTS = ("fill", "liquidation_fill")
_FEE = z3.Function("fee", z3.IntSort(), z3.IntSort(), z3.IntSort())


class Fees:
    """Some fee for each notional and rate: not below zero, and no less than a rebate of no higher a rate."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, list[tuple[Any, Any, Any]]]] = {}

    def get_fee(self, amount: Any, rate: Any) -> Any:
        run: Any = get_run()
        notional, of = (z3.simplify(to_int(one), som=True) for one in (amount, rate))
        value = _FEE(notional, of)
        # the run is kept with what it knows: its id is then its own
        _, known = self._known.setdefault(id(run), (run, []))
        if all(not value.eq(other) for *_, other in known):
            run.assume(z3.Implies(z3.And(notional >= 0, of >= 0), value >= 0))
            for other_notional, other_rate, other in known:
                is_paid = z3.And(notional == other_notional, notional >= 0, of + other_rate >= 0)
                run.assume(z3.Implies(is_paid, value + other >= 0))
            known.append((notional, of, value))
        return SymInt(value)


def main() -> int:
    fees = Fees()
    with (
        patch.dict(kernel.CONTRACTS, {quantities.apply_rate: fees.get_fee}),
        patch.object(trading, "rate_of", fees.get_fee),
        patch.object(liquidation, "rate_of", fees.get_fee),
    ):
        results = [prove(one) for event in EVENTS for one in collect(event)]
    for result in results:
        print(result.verdict, result.name)
    return int({result.verdict for result in results} != {"PROVED"})


if __name__ == "__main__":
    sys.exit(main())
