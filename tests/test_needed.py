"""What finds out which assumptions are needed: one that is, one that is not, and names that do for every account."""

from __future__ import annotations

from functools import partial

import pytest
import z3

from riskcore.events import CancelOrder, Header, ShareLoss, Withdraw
from riskcore.prover.case import EPISODES, run_event
from riskcore.prover.obligations import get_event_name
from riskcore.prover.solver import Claim
from riskcore.prover.tracer import Tracer, get_paths
from specs.contracts import CONTRACTS
from tests.needed import REASONS, Assumptions, Tally, get_name, get_parts, leaving_out, look_at_claim, read_record

A, B = z3.Ints("a b")


def tally_of(conclusion: z3.BoolRef) -> tuple[set[str], set[str]]:
    """What was met and what is needed, where a is positive and b is too."""
    assumptions, tracer, tally = Assumptions(), Tracer([]), Tally()

    def positive(*terms: z3.ArithRef) -> None:
        tracer.assume(z3.And(*(term > 0 for term in terms)))

    with assumptions.watching():
        positive(A, B)
    look_at_claim(Claim(tuple(tracer.assumptions), conclusion, ""), "some/claim", assumptions, tally)
    return set(tally.met), set(tally.needed)


def test_an_assumption_is_needed_where_a_claim_fails_without_it() -> None:
    met, needed = tally_of(A >= 1)

    assert {"positive: (> a 0)", "positive: (> b 0)"} == met
    assert {"positive: (> a 0)"} == needed


def test_what_holds_anyway_needs_nothing() -> None:
    met, needed = tally_of(z3.Implies(z3.And(A < B, B < 7), A < 6))

    assert (2, set()) == (len(met), needed)


def test_every_event_is_looked_at_and_what_is_idle_has_its_reason() -> None:
    record = read_record()

    assert sorted(map(get_event_name, CONTRACTS)) == record.units
    assert not set(record.needed) & set(record.idle)
    assert set(REASONS) == {name.partition(":")[0] for name in record.idle}


@pytest.mark.parametrize("kind", [Withdraw, CancelOrder, ShareLoss], ids=get_event_name)
def test_without_the_idle_an_event_has_the_paths_that_it_has(kind: type[Header]) -> None:
    def trace() -> list[int]:
        paths = [path for episode in EPISODES for path in get_paths(partial(run_event, kind=kind, episode=episode))]
        assert not any(path.error for path in paths)
        return sorted(len(path.decisions) for path in paths)

    paths = trace()
    with leaving_out(read_record().idle):
        assert paths == trace()
    with leaving_out([*read_record().idle, *read_record().needed]), pytest.raises(AssertionError):
        assert paths == trace()


def test_what_closes_a_path_is_needed() -> None:
    assumptions, tracer, tally = Assumptions(), Tracer([]), Tally()
    with assumptions.watching():
        tracer.assume(z3.And(A > 0, B > 0))
        assert not tracer.decide(A < 0)
    for claim in assumptions.closed:
        look_at_claim(claim, "some path", assumptions, tally)

    assert (2, 1) == (len(tally.met), len(tally.needed))


def test_of_two_that_say_the_same_one_is_needed() -> None:
    assumptions, tracer, tally = Assumptions(), Tracer([]), Tally()
    with assumptions.watching():
        tracer.assume(z3.And(A > 0, A >= 1))
    look_at_claim(Claim(tuple(tracer.assumptions), A > -1, ""), "some/claim", assumptions, tally)

    assert (2, 1) == (len(tally.met), len(tally.needed))


def test_what_is_assumed_of_whatever_is_asked_is_one_name() -> None:
    size = z3.Function("size", z3.IntSort(), z3.IntSort())
    first, second = z3.Implies(size(A) > 3, size(A + B) >= A), z3.Implies(size(B) > 0, size(z3.IntVal(2)) >= A * 2)

    assert "call: (=> (> size(_) _) (>= size(_) _))" == get_name("call", first) == get_name("call", second)
    assert "someone: (=> (> size(_) 3) (>= size(_) a))" == get_name("someone", first)


def test_a_conclusion_has_its_condition_part_by_part() -> None:
    parts = list(get_parts(z3.Implies(A > 0, z3.And(B > 1, z3.Or(B > 2, z3.BoolVal(False))))))

    assert ["x: (or (not (> a 0)) (> b 1))", "x: (or (not (> a 0)) (> b 2))"] == [get_name("x", one) for one in parts]


def test_a_name_is_the_same_of_every_account() -> None:
    first, second = (z3.Int(f"account{number}.sold") >= 0 for number in (0, 12))

    assert "someone: (>= account.sold 0)" == get_name("someone", first) == get_name("someone", second)
