"""One event, one step: the header's rules, what rejection is, and that nothing else happens."""

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any, get_args

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskcore import events
from riskcore.choices import MarketStatus
from riskcore.events import AdvanceTime, Deposit, Event, Fill, ListMarket, MarkPrice
from riskcore.quantities import AccountId, Atoms, EventId, Time
from riskcore.rules import Rejected, Rule, require
from riskcore.state import genesis
from riskcore.step import apply, step
from riskcore.testing.desk import Desk
from riskcore.testing.observation import observe
from riskcore.testing.properties.strategies import any_events
from riskcore.testing.rulebooks import make_rulebook, make_rules
from riskcore.testing.walks import walk
from riskcore.transitions import TRANSITIONS

ROOT = Path(__file__).parent.parent


def make_deposit(id: str, sequence: int, timestamp: int, amount: int = 1) -> Deposit:
    return Deposit(EventId(id), sequence, Time(timestamp), AccountId("amber"), Atoms(amount))


def with_deposit() -> Desk:
    desk = Desk()
    desk.step(make_deposit("first", 5, 1000))
    return desk


# The header


def test_an_accepted_event_sets_the_clock() -> None:
    desk = with_deposit()

    assert (5, 1000, True) == (
        desk.state.sequence,
        desk.state.timestamp,
        desk.state.seen.get(EventId("first")),
    )


def test_an_id_is_accepted_once() -> None:
    assert Rule.DUPLICATE_ID == with_deposit().step(make_deposit("first", 6, 1001)).rejected


@pytest.mark.parametrize(("sequence", "rejected"), [(4, True), (5, True), (6, False), (10**30, False), (-1, True)])
def test_the_sequence_rises(sequence: int, rejected: bool) -> None:
    outcome = with_deposit().step(make_deposit("second", sequence, 1000))

    assert (Rule.SEQUENCE_NOT_AHEAD if rejected else None) == outcome.rejected


@pytest.mark.parametrize(("timestamp", "rejected"), [(999, True), (1000, False), (10**30, False), (-1, True)])
def test_time_does_not_go_backwards(timestamp: int, rejected: bool) -> None:
    outcome = with_deposit().step(make_deposit("second", 6, timestamp))

    assert (Rule.TIME_BACKWARDS if rejected else None) == outcome.rejected


@pytest.mark.parametrize(("sequence", "timestamp"), [(0, 0), (-1, 0), (1, -1)])
def test_nothing_comes_before_genesis(sequence: int, timestamp: int) -> None:
    assert Desk().step(make_deposit("first", sequence, timestamp)).rejected is not None


def test_a_rejected_event_uses_up_neither_its_id_nor_its_sequence() -> None:
    desk = with_deposit()

    assert Rule.AMOUNT_NOT_POSITIVE == desk.step(make_deposit("second", 10**9, 10**9, amount=0)).rejected
    assert desk.step(make_deposit("second", 6, 1000)).rejected is None


@pytest.mark.parametrize("kind", TRANSITIONS)
def test_every_event_answers_for_its_header(kind: type[Any]) -> None:
    samples = {
        "amount": 1,
        "market": "BTC",
        "mark_price": 1,
        "price": 1,
        "rate": 0,
        "size": 1,
        "shares": 1,
        "leverage": 1,
        "rules": make_rules(),
        "queue": (),
        "members": (),
        "reduce_only": False,
        "level_lots": 0,
        "level_weight": 0,
        "status": MarketStatus.PAUSED,
    }
    names = [attribute.name for attribute in attrs.fields(kind)][3:]
    body = [samples.get(name, name) for name in names]

    assert Rule.DUPLICATE_ID == with_deposit().step(kind("first", 6, 1000, *body)).rejected
    assert Rule.SEQUENCE_NOT_AHEAD == with_deposit().step(kind("second", 5, 1000, *body)).rejected
    assert Rule.TIME_BACKWARDS == with_deposit().step(kind("second", 6, 999, *body)).rejected


# Rejection


def test_a_rejected_event_gives_the_state_that_went_in() -> None:
    state = with_deposit().state
    outcome = step(state, make_deposit("second", 6, 1000, amount=-1))

    assert state is outcome.state
    assert (Rule.AMOUNT_NOT_POSITIVE, ()) == (outcome.rejected, outcome.effects)


def test_apply_raises_what_step_reports() -> None:
    with pytest.raises(Rejected) as rejection:
        apply(with_deposit().state, make_deposit("second", 6, 1000, amount=-1))

    assert Rule.AMOUNT_NOT_POSITIVE is rejection.value.rule
    assert Rule.AMOUNT_NOT_POSITIVE.value == str(rejection.value)


def test_require_names_its_rule() -> None:
    require(True, Rule.NOT_FLAT)
    with pytest.raises(Rejected) as rejection:
        require(False, Rule.NOT_FLAT)

    assert Rule.NOT_FLAT is rejection.value.rule


@given(st.integers(0, 7), st.lists(st.tuples(any_events(), st.booleans()), max_size=12))
def test_no_exception_escapes_whatever_the_numbers(seed: int, drawn: list[tuple[Event, bool]]) -> None:
    # from a venue in the midst of things; half of the events get a header that lets them through
    desk = walk(seed, 40)
    for event, follows in drawn:
        if follows:
            sequence = desk.state.sequence + 1
            event = attrs.evolve(event, id=EventId(f"x{sequence}"), sequence=sequence, timestamp=desk.state.timestamp)
        before = observe(desk.state)
        outcome = desk.step(event)
        if outcome.rejected is not None:
            assert before == observe(outcome.state)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("kind", TRANSITIONS)
def test_numbers_of_ten_thousand_digits_are_numbers(kind: type[Any], sign: int) -> None:
    number = sign * 10**10_000
    desk = walk(3, 40)
    header = ("huge", desk.state.sequence + 1, desk.state.timestamp)
    body: list[Any] = []
    for attribute in attrs.fields(kind)[3:]:
        words: dict[str, Any] = {
            "market": "BTC",
            "rules": make_rules(),
            "queue": (),
            "members": (),
            "reduce_only": False,
        }
        words["status"] = MarketStatus.PAUSED
        is_name = attribute.name in ("account", "maker", "taker", "payer", "payee", "long", "short", "order", "ahead")
        body.append(attribute.name if is_name else words.get(attribute.name, number))
    outcome = step(desk.state, kind(*header, *body))

    assert outcome.rejected is None or desk.state is outcome.state


# Determinism


def get_digest(seed: int) -> str:
    """A hash of everything a walk did and came to."""
    desk = walk(seed, 150)
    told = [repr((passage.event, passage.rejected, passage.effects)) for passage in desk.passages]
    view = desk.view
    told += [repr(sorted(view.accounts.items())), repr(sorted(view.markets.items())), repr(view.reserves)]
    return sha256("\n".join(told).encode()).hexdigest()


def test_the_same_log_gives_the_same_state_under_any_hash_seed() -> None:
    digests = set()
    for hash_seed in ("0", "1", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
        command = "from tests.test_step import get_digest; print(get_digest(11), get_digest(12))"
        run = subprocess.run(
            [sys.executable, "-c", command], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
        )
        digests.add(run.stdout)

    assert {f"{get_digest(11)} {get_digest(12)}\n"} == digests


# What an event is


def test_every_event_has_a_transition() -> None:
    assert set(get_args(Event)) == set(TRANSITIONS)
    assert 34 == len(TRANSITIONS)


@pytest.mark.parametrize("wrong", [True, 1.0, "1", None])
def test_a_number_is_an_int(wrong: Any) -> None:
    for build in (
        lambda: Deposit(EventId("e"), 1, Time(0), AccountId("amber"), wrong),
        lambda: AdvanceTime(EventId("e"), wrong, Time(0)),
        lambda: AdvanceTime(EventId("e"), 1, wrong),
    ):
        with pytest.raises(TypeError):
            build()


@pytest.mark.parametrize("wrong", ["", 1, None, b"e"])
def test_a_name_is_a_text_that_is_not_empty(wrong: Any) -> None:
    for build in (
        lambda: AdvanceTime(wrong, 1, Time(0)),
        lambda: Deposit(EventId("e"), 1, Time(0), wrong, Atoms(1)),
        lambda: MarkPrice(EventId("e"), 1, Time(0), wrong, 1),  # type: ignore[arg-type]
    ):
        with pytest.raises(TypeError):
            build()


@pytest.mark.parametrize("wrong", ["", 1, b"e"])
def test_a_name_that_may_be_left_out_is_a_text_or_none(wrong: Any) -> None:
    assert events.FundInsurance(EventId("e"), 1, Time(0), Atoms(1), None).market is None
    with pytest.raises(TypeError):
        events.FundInsurance(EventId("e"), 1, Time(0), Atoms(1), wrong)


@pytest.mark.parametrize("wrong", [["amber"], "amber", (1,), ("amber", 1), None])
def test_a_queue_is_a_tuple_of_text(wrong: Any) -> None:
    with pytest.raises(TypeError):
        events.BeginDeleveraging("e", 1, 0, "amber", "BTC", wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [(1, 1, 1, 1, 1), None])
def test_rules_are_rules(wrong: Any) -> None:
    with pytest.raises(TypeError):
        ListMarket("e", 1, 0, "BTC", wrong, 1)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [{"initial": True}, {"maker": 1.5}, {"taker": None}])
def test_rules_are_rules_of_ints(wrong: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        make_rules(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"adl_rank": "size"},
        {"insurance_floor": 0.5},
        {"insurance_before_adl": None},
        {"adl_solvent": 1},
        {"vault": ""},
        {"vault": None},
        {"funding_rate_cap": True},
    ],
)
def test_a_rulebook_has_the_types_it_says(wrong: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        make_rulebook(**wrong)


class Gift(Deposit):
    """No event of riskcore."""


@pytest.mark.parametrize("wrong", [None, object(), "deposit", Gift("e", 1, 0, "amber", 1)])  # type: ignore[arg-type]
def test_what_is_no_event_is_no_rejection(wrong: Any) -> None:
    with pytest.raises(TypeError):
        step(Desk().state, wrong)


def test_an_event_is_a_value() -> None:
    event = make_deposit("e", 1, 0)

    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        event.amount = Atoms(2)  # type: ignore[misc]
    assert make_deposit("e", 1, 0) == event


# Genesis


@pytest.mark.parametrize(
    "changes",
    [
        {"vault_position_limit": -1},
        {"insurance_floor": -1},
        {"insurance_fill_band": -1},
        {"insurance_fill_band": 1_000_001},
        {"funding_interval": 0},
        {"funding_interval": -1},
        {"funding_rate_cap": -1},
    ],
)
def test_no_venue_starts_with_an_inadmissible_rulebook(changes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="admissible"):
        genesis(make_rulebook(**changes))


def test_an_empty_venue_owns_nothing() -> None:
    state = genesis(make_rulebook())

    assert (0, 0, 0, 0, 0, 0) == attrs.astuple(state.reserves)
    assert (0, 0, None) == (state.sequence, state.timestamp, state.deleveraging)


def test_the_ends_of_the_rulebooks_range_are_admissible() -> None:
    rulebook = make_rulebook(vault_position_limit=0, insurance_floor=0, funding_interval=1, funding_rate_cap=0)

    assert rulebook == genesis(rulebook).rulebook


def test_a_fill_needs_everything_said() -> None:
    with pytest.raises(TypeError):
        Fill(EventId("e"), 1, Time(0), AccountId("amber"))  # type: ignore[call-arg]
