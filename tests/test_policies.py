"""The laboratory of policies: what its table says is so, and what it cannot see it does not claim."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from attrs import evolve
from click.testing import CliRunner

from proofs.lemmas import LEMMAS
from riskcore.bad_input import LogError
from riskcore.cli import main
from riskcore.policies.cases import Case, Round, Winner, draw_case, is_playable, shrink
from riskcore.policies.catalogue import Policy, list_policies, load_policy
from riskcore.policies.evidence import get_evidence
from riskcore.policies.examples import part
from riskcore.policies.known import Recorded, read_record
from riskcore.policies.matrix import WHAT_IFS, Finding, get_law_verdicts, make_cell
from riskcore.policies.playing import PolicyFault, ask
from riskcore.policies.report import write_logs
from riskcore.policies.rules import Standing, Task
from riskcore.policies.search import find_trial
from riskcore.policies.trials import iter_trials
from specs.policies import PROPERTIES, Closing, Part
from tests.policy_table import PAGE, get_table

POLICIES = {policy.name: policy for policy in list_policies()}
NAMES = {one.name: one for one in PROPERTIES}
RECORD = read_record()


def name_cell(one: Recorded) -> str:
    return f"{one.policy}-{one.property}".replace(" ", "_")


# Rules and kernel


@pytest.mark.parametrize(
    "policy", [one for one in POLICIES.values() if one.kernel and not one.draws], ids=lambda one: one.name
)
def test_a_rule_closes_what_the_kernel_does(policy: Policy) -> None:
    random, played = Random(7), 0
    while played < 25:
        case = draw_case(random)
        twice = evolve(case, rounds=(*case.rounds, Round(1, random.choice((0, 1)))))
        if is_playable(twice):
            assert policy.play(twice) == policy.play(twice, in_kernel=True)
            played += 1


def test_who_is_hedged_has_the_equity_of_the_case_and_its_offset() -> None:
    case = Case(10, (Winner("amber", ((3, 12),), 9, is_hedged=True), Winner("birch", ((2, 15),), 4)), (Round(4, 1),))
    (closing,) = POLICIES["queue_leverage"].play(case, in_kernel=True)

    assert [(3, 2, 9, 2), (2, 2, 4, 2)] == [(one.held, one.closed, one.equity, one.forgone) for one in closing.parts]
    assert closing == POLICIES["queue_leverage"].play(case)[0]


# The table


def test_the_page_shows_what_is_recorded() -> None:
    rows: dict[str, list[str]] = {}
    for one in RECORD:
        rows.setdefault(one.policy, []).append(one.finding)
    table = [line.split(" | ") for line in get_table(PAGE.read_text(encoding="utf-8")).strip().splitlines()[2:]]
    shown = {row[0].strip("| `"): [cell.strip("*| ") for cell in row[1:]] for row in table}

    assert rows == {name: [cell.replace("bounded", "PROVED-BOUNDED") for cell in row] for name, row in shown.items()}
    assert list(POLICIES) == list(rows)
    assert list(NAMES) == [one.property for one in RECORD[: len(NAMES)]]
    assert Finding.OPEN not in {one.finding for one in RECORD}


@pytest.mark.parametrize("one", [one for one in RECORD if one.finding == Finding.REFUTED], ids=name_cell)
def test_what_is_refuted_is_so_in_the_kernel(one: Recorded) -> None:
    policy, property = POLICIES[one.policy], NAMES[one.property]
    in_kernel = not (policy.draws and property.name in WHAT_IFS)

    assert one.base is not None
    trial = find_trial(property, one.base, lambda case: policy.play(case, in_kernel=in_kernel))
    assert trial is not None


@pytest.mark.parametrize("one", [one for one in RECORD if one.finding == Finding.PROVED], ids=name_cell)
def test_what_is_proven_rests_on_laws_and_lemmas_that_are_there(one: Recorded) -> None:
    evidence = get_evidence(POLICIES[one.policy], NAMES[one.property])
    lemmas = {f"{module}/{lemma.name}" for module, known in LEMMAS.items() for lemma in known}

    assert evidence is not None
    assert evidence.laws or evidence.lemmas
    assert set(evidence.lemmas) <= lemmas
    assert {"PROVED"} >= {get_law_verdicts()[law] for law in evidence.laws}


@pytest.mark.parametrize("one", [one for one in RECORD if one.finding != Finding.REFUTED], ids=name_cell)
def test_what_is_not_refuted_holds_in_cases_drawn_anew(one: Recorded) -> None:
    policy, property, random = POLICIES[one.policy], NAMES[one.property], Random(11)
    cases = [case for case in (draw_case(random) for _ in range(80)) if is_playable(case)]

    assert [] == [case for case in cases if find_trial(property, case, policy.play) is not None]


def test_every_lemma_of_the_table_is_used() -> None:
    used = {
        name
        for policy in POLICIES.values()
        for property in PROPERTIES
        if (evidence := get_evidence(policy, property)) is not None
        for name in evidence.lemmas
    }

    assert {f"policies/{lemma.name}" for lemma in LEMMAS["policies"]} <= used


def test_a_lemma_that_fails_leaves_the_cell_open() -> None:
    cell = make_cell(POLICIES["queue_fifo"], NAMES["path independence"], {"policies/turns_add_up": "UNKNOWN"}, seed=0)

    assert (Finding.OPEN, "not proved: policies/turns_add_up") == (cell.finding, cell.reason)


# Each property can fail


def make_part(closed: int, held: int = 5, entry: int = 60, equity: int = 20, forgone: int = 0) -> Part:
    return Part(held, closed, entry, held * 10, entry - held * 10, equity, forgone)


def make_closing(*parts: Part, lots: int = 5, deficit: int = 5) -> Closing:
    return Closing(lots, deficit, parts)


@pytest.mark.parametrize(
    ("name", "closing"),
    [
        ("conservation", make_closing(make_part(6), lots=6)),
        ("conservation", make_closing(make_part(-1), make_part(5))),
        ("conservation", make_closing(make_part(3), make_part(3))),
        ("conservation", make_closing(make_part(4))),
        ("minimality", make_closing(make_part(5, forgone=6))),
        ("principal protection", make_closing(make_part(5, entry=53, forgone=4))),
        ("principal protection", make_closing(make_part(5, entry=40, forgone=1))),
        ("capacity feasibility", make_closing(make_part(5, equity=4, forgone=5))),
        ("rank faithfulness", make_closing(make_part(0, 5, 65, 10), make_part(2, 4, 44, 40))),
    ],
)
def test_a_closing_that_breaks_it_is_seen(name: str, closing: Closing) -> None:
    assert not all(judge(closing) for judge in NAMES[name].judges)


def test_a_closing_that_keeps_them_passes() -> None:
    closing = make_closing(make_part(3, forgone=3), make_part(2, 4, 44, 40, forgone=2))

    assert all(judge(closing) for one in PROPERTIES[:5] for judge in one.judges)


#: Rules that break one property each, by what they do.
def first_come(task: Task) -> list[int]:
    closed, left = [], task.lots
    for one in task.winners:
        closed.append(min(left, abs(one.size)))
        left -= closed[-1]
    return closed


def larger_only_when_few(task: Task) -> list[int]:
    """Of many lots the last come first."""
    closed = first_come(evolve(task, winners=task.winners if task.lots % 2 else task.winners[::-1]))
    return closed if task.lots % 2 else closed[::-1]


def absolute(task: Task) -> list[int]:
    """Everybody keeps up to two lots, then none."""
    above = [max(abs(one.size) - 2, 0) for one in task.winners]
    closed = part(min(task.lots, sum(above)), above, above)
    rest = [abs(one.size) - lots for one, lots in zip(task.winners, closed, strict=True)]
    return [one + other for one, other in zip(closed, part(task.lots - sum(closed), rest, rest), strict=True)]


def smaller_first(task: Task) -> list[int]:
    order = sorted(range(len(task.winners)), key=lambda place: abs(task.winners[place].size))
    closed = first_come(evolve(task, winners=tuple(task.winners[place] for place in order)))
    return [closed[order.index(place)] for place in range(len(order))]


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("symmetry", first_come),
        ("monotonicity", larger_only_when_few),
        ("scale invariance", absolute),
        ("split resistance", absolute),
        ("merge resistance", smaller_first),
        ("path independence", larger_only_when_few),
        ("early reduction", smaller_first),
        ("hedge awareness", first_come),
    ],
)
def test_a_rule_that_breaks_it_is_refuted(name: str, rule: object) -> None:
    assert callable(rule)
    cell = make_cell(Policy("own", "", rule), NAMES[name], {}, seed=0, draws=400)

    assert Finding.REFUTED is cell.finding
    assert cell.base is not None
    assert cell.cases


def test_a_refutation_is_as_small_as_can_be() -> None:
    policy, property = POLICIES["queue_size"], NAMES["symmetry"]
    case = Case(20, (Winner("amber", ((9, 25),), 80), Winner("birch", ((6, 30),), 70)), (Round(8, 1),))
    smallest = shrink(case, lambda one: find_trial(property, one, policy.play) is not None)

    assert [(1, ((2, 1),), 1)] == [(len(smallest.winners), one.sales, one.equity) for one in smallest.winners]
    assert (1, (Round(2),)) == (smallest.mark, smallest.rounds)


def test_what_cannot_bear_its_part_is_no_case() -> None:
    case = Case(10, (Winner("amber", ((3, 12),), 3),), (Round(3, 1),))

    assert not is_playable(case)
    assert is_playable(evolve(case, winners=(evolve(case.winners[0], equity=4),)))
    assert [] == list(iter_trials(NAMES["conservation"], case))


# A user's own


OWN = '''"""A policy of one's own."""


def oldest(task):
    """The oldest close all first."""
    closed, left = [0] * len(task.winners), task.lots
    for place in sorted(range(len(closed)), key=lambda place: task.winners[place].opened):
        closed[place] = min(left, abs(task.winners[place].size))
        left -= closed[place]
    return closed


def halves(task):
    return [task.lots / 2] * len(task.winners)


def fails(task):
    return task.missing


def leaves(task):
    raise SystemExit(0)


number = 5
'''


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "my_policy.py"
    path.write_text(OWN, encoding="utf-8")
    return path


def test_a_users_policy_gets_the_same_table(own: Path) -> None:
    answer = CliRunner().invoke(
        main, ["policies", "--policy", f"{own}:oldest", "--draws", "60", "--jobs", "1", "--format", "json"]
    )
    (policy,) = json.loads(answer.stdout)["policies"]
    findings = {cell["property"]: cell["finding"] for cell in policy["cells"]}

    assert answer.exit_code == 0, answer.output
    assert "The oldest close all first." == policy["words"]
    assert set(NAMES) == set(findings)
    assert "PROVED-BOUNDED" == findings["conservation"]
    assert "REFUTED" == findings["symmetry"]
    assert "PROVED" == findings["waterfall faithfulness"]


@pytest.mark.parametrize(
    ("name", "said"),
    [("halves", "and it gave "), ("fails", "it raised AttributeError"), ("leaves", "it raised SystemExit")],
)
def test_what_gives_no_answer_is_refuted_with_what_it_gave(own: Path, name: str, said: str) -> None:
    cell = make_cell(load_policy(f"{own}:{name}"), NAMES["conservation"], {}, seed=0, draws=50)

    assert Finding.REFUTED is cell.finding
    assert said in cell.reason


@pytest.mark.parametrize(
    ("answer", "said"),
    [([1], "2 whole numbers was expected"), (None, "gave None"), ([True, 1], r"gave \[True, 1\]"), ("ab", "gave 'ab'")],
)
def test_only_whole_numbers_one_for_each_are_an_answer(answer: object, said: str) -> None:
    winners = tuple(Standing(name, -2, -24, 4, 20, 10) for name in ("amber", "birch"))

    with pytest.raises(PolicyFault, match=said):
        ask(lambda task: answer, Task(10, 2, 0, winners))  # type: ignore[arg-type,return-value]  # it is what is tested


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("my_policy", "expected MODULE:NAME or FILE.py:NAME"),
        (":oldest", "expected MODULE:NAME"),
        ("no_such_module:oldest", "a module that loads"),
        ("no_such_file.py:oldest", "expected a file, got none there"),
        ("{own}:number", "a function number"),
        ("{own}:youngest", "a function youngest, got none of that name"),
    ],
)
def test_a_policy_that_is_not_there_is_said_in_a_sentence(own: Path, name: str, said: str) -> None:
    answer = CliRunner().invoke(main, ["policies", "--policy", name.format(own=own)])

    assert answer.exit_code == 2
    assert said in answer.stderr
    assert "Traceback" not in answer.output


def test_a_refutation_is_written_as_logs_that_replay(tmp_path: Path) -> None:
    policy = POLICIES["queue_size"]
    row = [make_cell(policy, NAMES["path independence"], {}, seed=0)]
    written = write_logs(tmp_path / "logs", (policy,), [row])

    assert 2 == written
    for path in sorted((tmp_path / "logs").iterdir()):
        answer = CliRunner().invoke(main, ["replay", str(path), "--format", "json"])
        assert answer.exit_code == 0, answer.output
    with pytest.raises(LogError, match="a place for a log"):
        write_logs(tmp_path / "logs" / f"{policy.name}-path-independence-1.jsonl", (policy,), [row])
