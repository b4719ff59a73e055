"""Proofs that say nothing are found out: seeded ones, and that none of the real ones is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import attrs
import pytest
import z3

from riskcore import step
from riskcore.events import Deposit, Header
from riskcore.prover import case as prover_case
from riskcore.prover import kernel
from riskcore.prover.book import World
from riskcore.prover.case import EPISODES, run_event
from riskcore.prover.lemma import Lemma, assume
from riskcore.prover.obligations import ANY_ACCOUNTS, Obligation, get_event_name
from riskcore.prover.solver import Claim, Verdict, is_satisfiable
from riskcore.prover.symbols import new_int
from riskcore.prover.tracer import Tracer, get_paths
from riskcore.rules import Rule
from riskcore.transitions import TRANSITIONS
from riskcore.verify import Selection, collect, prove, verify_unit
from specs.case import Case
from specs.contract import Contract
from specs.contracts import CONTRACTS
from specs.laws import LAWS, Law
from tests.faults.catalogue import FAULTS
from tests.faults.hunting import asked_for, get_full_name, prove_named
from tests.faults.planting import Fault, get_changed, plant

KINDS = list(CONTRACTS)

#: Follows from BAL-1 in the state before the event alone; what an event does to it is BAL-1 afterwards.
WITHOUT_A_FAULT = {"ADL-5"}


def name_of(kind: type[Header]) -> str:
    return kind.__name__


def make_fault(old: str, new: str) -> Fault:
    return Fault("some_fault", "something is wrong", (), "cash", old, new)


def get_verdicts(unit: str) -> dict[str, str]:
    return {result.name.removeprefix(f"{unit}/"): result.verdict for result in verify_unit(unit, Selection())}


# The accepting path is reached


def test_a_transition_that_always_rejects_is_found() -> None:
    head = "def process_deposit(state: State, event: Deposit) -> Journal:\n    # Guard\n"
    with plant(make_fault(head, head + "    require(False, Rule.AMOUNT_NOT_POSITIVE)\n")):
        verdicts = get_verdicts("deposit")

    assert Verdict.VIOLATED == verdicts["REJ-1"]
    # not one law is even asked about
    assert not {law.id for law in LAWS} & set(verdicts)


def test_an_obligation_without_a_path_is_vacuous() -> None:
    nothing = Obligation("deposit/CASH-1", "CASH-1", "deposit", "law", ANY_ACCOUNTS, (), 0)

    assert Verdict.VACUOUS == prove(nothing).verdict


def test_a_lemma_whose_hypotheses_contradict_each_other_is_vacuous() -> None:
    def claim(tracer: Tracer) -> Any:
        number = new_int("number")
        assume(tracer, number > 0, number < 0)
        return number == 5

    assert Verdict.VACUOUS == prove(Lemma("nothing", "ADL-2", "", claim).get_obligation("policies")).verdict


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_every_event_has_an_accepted_path_that_can_be_walked(kind: type[Header]) -> None:
    satisfiable = get_accepted_paths(kind)

    assert satisfiable
    assert {True} == set(satisfiable)


def get_accepted_paths(kind: type[Header]) -> list[bool | None]:
    """For each accepted path whether its condition can be met."""
    return [
        is_satisfiable(path.condition)
        for episode in EPISODES
        for path in get_paths(lambda tracer, open=episode: run_event(tracer, kind, episode=open))  # type: ignore[misc]
        if path.result is not None and path.result.rejected is None
    ]


def test_a_contradiction_in_what_is_assumed_before_is_found() -> None:
    assume_sums = World._assume_sums

    def assume_too_much(world: World) -> None:
        assume_sums(world)
        world.assume(world.reserves.insurance < 0)

    with patch.object(World, "_assume_sums", assume_too_much):
        verdicts = get_verdicts("deposit")

    assert Verdict.VIOLATED == verdicts["REJ-1"]


def test_a_contradiction_in_what_is_assumed_of_accepted_events_is_found() -> None:
    def assume_too_much(world: World) -> None:
        world.assume(world.sum_longs < 0)

    with patch.object(prover_case, "assume_part_of_whole", assume_too_much):
        verdicts = get_verdicts("deposit")
        satisfiable = get_accepted_paths(Deposit)

    # everything follows from a contradiction; that no model of the path exists is what tells
    assert {Verdict.PROVED} == {Verdict(verdict) for name, verdict in verdicts.items() if name != "WITNESS"}
    assert Verdict.UNKNOWN == verdicts["WITNESS"]
    assert {False} == set(satisfiable)


# Each clause of a guard decides something


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_every_clause_of_a_guard_is_met_and_broken(kind: type[Header]) -> None:
    assert set() == get_idle_clauses(kind)


def get_idle_clauses(kind: type[Header]) -> set[Rule]:
    """The clauses that no accepted path meets, or that no rejected path names and can reach."""
    with asked_for(("guard/",)):
        obligations = [one for one in collect(get_event_name(kind)) if one.layer == "guard"]
    idle = set()
    for obligation in obligations:
        rule = Rule[obligation.name.rpartition("/")[2]]
        met = [claim for claim in obligation.claims if claim.where.startswith("accepted")]
        broken = [claim for claim in obligation.claims if claim.where.startswith(f"rejected: {rule.name}")]
        if not (any(map(is_reachable, met)) and any(map(is_reachable, broken))):
            idle.add(rule)
    return idle


def is_reachable(claim: Claim) -> bool:
    return is_satisfiable(claim.premises) is True


def test_a_clause_that_nothing_breaks_is_found() -> None:
    contract = CONTRACTS[Deposit]

    def guard(case: Case) -> dict[Rule, Any]:
        return {**contract.guard(case), Rule.NOT_FLAT: True}

    with patch.dict(CONTRACTS, {Deposit: Contract(Deposit, guard, contract.effect)}):
        verdicts = get_verdicts("deposit")
        idle = get_idle_clauses(Deposit)

    assert Verdict.VACUOUS == verdicts["guard/NOT_FLAT"]
    assert {Rule.NOT_FLAT} == idle


def test_a_rejection_with_the_wrong_reason_is_found() -> None:
    wrong = make_fault(
        "require(leaving <= -outside.balance, Rule.POOL_EXHAUSTED)",
        "require(leaving <= -outside.balance, Rule.BELOW_INITIAL_MARGIN)",
    )
    with plant(wrong):
        verdicts = get_verdicts("withdraw")

    assert Verdict.VIOLATED == verdicts["guard/BELOW_INITIAL_MARGIN"]


# Each law decides something


def kills(fault: Fault, law: Law) -> bool:
    """Whether the fault kills the law on an event that it is about."""
    names = {get_event_name(kind) for kind in law.applies}
    return fault.unit in names and law.id in fault.kills


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.id)
def test_every_law_is_falsified_by_a_fault(law: Law) -> None:
    assert (law.id in WITHOUT_A_FAULT) != any(kills(fault, law) for fault in FAULTS)


@pytest.mark.parametrize("name", ["FRAME-1", "REJ-1", "WITNESS"])
def test_every_other_obligation_is_falsified_by_a_fault(name: str) -> None:
    assert any(name in fault.kills for fault in FAULTS)


# What is proven is what runs


def test_the_function_that_is_proven_is_the_one_that_runs() -> None:
    running = step.__globals__

    assert run_event.__globals__["apply"] is running["apply"]
    assert kernel.MODULES[-1] is sys.modules["riskcore.step"]
    assert set(CONTRACTS) == set(TRANSITIONS) == set(running["TRANSITIONS"])
    homes = {process.__module__ for process in TRANSITIONS.values()}
    assert homes <= {module.__name__ for module in kernel.MODULES}


def test_the_kernel_is_its_own_again_after_a_proof() -> None:
    before = [dict(vars(module)) for module in kernel.MODULES]
    with pytest.raises(RuntimeError), kernel.on_symbols():
        raise RuntimeError

    assert before == [dict(vars(module)) for module in kernel.MODULES]


@pytest.mark.parametrize("function", list(kernel.CONTRACTS), ids=lambda function: function.__name__)
def test_what_a_contract_stands_for_is_proven_too(function: Callable[..., Any]) -> None:
    """A fault in each function that proofs know by its contract is found all the same."""
    home = sys.modules[function.__module__]
    own = [fault for fault in FAULTS if f"riskcore.{fault.module}" == home.__name__ and fault.unit]

    assert any(function is original for fault in own for original, _ in get_changed(home, fault))


def test_both_sides_of_a_comparison_differ_where_the_kernel_is_wrong() -> None:
    """The specification calls nothing of the kernel: what it expects does not change with it."""
    names = ("effect/account.balance", "effect/outside")
    with plant(make_fault("account, event.amount, Reason.DEPOSIT", "account, 2 * event.amount, Reason.DEPOSIT")):
        verdicts = {result.name: result.verdict for result in prove_named("deposit", names)}

    assert {get_full_name("deposit", name): Verdict.VIOLATED for name in names} == verdicts


def test_a_claim_is_decided_from_its_premises() -> None:
    number = z3.Int("number")
    claim = Claim((number > 1,), number > 0, "")
    obligation = Obligation("some/claim", "LEMMA", "some", "lemma", ANY_ACCOUNTS, (claim,), 1)
    unfounded = attrs.evolve(obligation, claims=(attrs.evolve(claim, premises=()),))

    assert (Verdict.PROVED, Verdict.VIOLATED) == (prove(obligation).verdict, prove(unfounded).verdict)
