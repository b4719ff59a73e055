"""Vectors: written whole, the same twice, read back, and shown where they are not what this kernel gives."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from riskcore.bad_input import Fault, LogError
from riskcore.cli import main
from riskcore.conformance import suites
from riskcore.conformance.cases import MANIFEST, case_to_text, list_cases, load_case, make_case
from riskcore.conformance.families import get_families
from riskcore.conformance.suites import PATHS, make_vectors, walk_cases
from riskcore.conformance.vectors import get_kernel
from riskcore.conformance.walks import Walk, walk_on
from riskcore.conformance.wire import event_from_wire, event_to_wire, from_wire, state_from_wire, state_to_wire, to_wire
from riskcore.snapshot import get_state_hash
from riskcore.transitions import TRANSITIONS
from tests.faults.catalogue import FAULTS
from tests.faults.planting import plant
from tests.faults.vectors import find_cases, shows
from tests.test_architecture import KERNEL, ROOT


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The paths of one event, as the command writes them."""
    target = tmp_path_factory.mktemp("vectors") / "written"
    result = invoke("vectors", str(target), "--event", "advance_time", "--suite", "paths", "--jobs", "1")
    assert 0 == result.exit_code, result.output
    return target


def test_each_path_of_an_event_has_a_case(folder: Path) -> None:
    names = {path.stem for path in list_cases(folder)}

    assert {"accepted_001", "duplicate_id_001", "sequence_not_ahead_001", "time_backwards_001"} <= names
    assert {"any/step/advance_time/paths"} == {str(path.parent.relative_to(folder)) for path in list_cases(folder)}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": "2"}, 'vectors.json: format: expected the format "1", got "2"'),
        ({"files": None}, "vectors.json: files: expected an array of the cases' paths, got null"),
        ({"files": ["a", 7]}, "vectors.json: files[1]: expected a path, got 7"),
        ({"cases": "7"}, "vectors.json: cases: expected "),
        ({"files": [], "cases": "0"}, "paths/accepted_001.json: expected no file that vectors.json does not list"),
    ],
)
def test_an_index_that_is_none_is_refused(change: dict[str, object], said: str, folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    index = json.loads((copy / MANIFEST).read_text())
    (copy / MANIFEST).write_text(json.dumps({**index, **change}))
    result = invoke("conform", "--vectors", str(copy), "--", "true")

    assert 2 == result.exit_code
    assert said in result.output


def test_a_case_that_is_missing_or_not_listed_is_named(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    moved = list_cases(copy)[1]
    moved.rename(copy / "other.json")

    with pytest.raises(LogError, match=f"files: .*{moved.stem}.json: expected a file that is there, got none"):
        list_cases(copy)

    moved.touch()
    with pytest.raises(LogError, match=r"other.json: expected no file that vectors.json does not list"):
        list_cases(copy)

    (copy / MANIFEST).write_bytes(b"\xff\x00{")
    with pytest.raises(LogError, match=r"vectors.json:1: expected one JSON object, got invalid UTF-8 at byte 1"):
        list_cases(copy)


def test_cases_are_written_the_same_twice(folder: Path) -> None:
    # as the command does, in a process of its own: models depend on what was traced before
    (made,) = make_vectors(["advance_time"], [PATHS], get_kernel(), 1, None)

    assert {text.path: text.text for text in made.texts} == {
        str(path.relative_to(folder)): path.read_text() for path in list_cases(folder)
    }


def test_a_case_reads_back_as_it_was(folder: Path) -> None:
    for path in list_cases(folder):
        assert path.read_text() == case_to_text(load_case(path), get_kernel())


def test_every_integer_is_a_string(folder: Path) -> None:
    def refuse(text: str) -> None:
        raise AssertionError(f"a bare number: {text}")

    for path in list_cases(folder):
        json.loads(path.read_text(), parse_int=refuse, parse_float=refuse)


def test_a_case_that_says_something_else_is_bad_input(folder: Path, tmp_path: Path) -> None:
    copied = tmp_path / "copied"
    shutil.copytree(folder, copied)
    first = list_cases(copied)[0]
    first.write_text(first.read_text().replace('"rejected": null', '"rejected": "DUST"'))
    result = invoke("conform", "--vectors", str(copied), "--", sys.executable, "-m", "riskcore.conformance.engine")

    assert 2 == result.exit_code
    assert "outcomes" in result.output


@pytest.mark.parametrize("text", ["", "[]", '{"meta": {}}', "{"])
def test_a_file_that_is_no_case_is_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "case.json"
    path.write_text(text)

    with pytest.raises(LogError, match=r"case\.json"):
        load_case(path)


def test_a_place_that_cannot_be_written_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suites, "make_vectors", lambda *arguments: pytest.fail("vectors were made"))
    (tmp_path / "file").touch()
    for target in (tmp_path / "file" / "vectors", Path("/proc/vectors")):
        result = invoke("vectors", str(target))

        assert 2 == result.exit_code
        assert f"Error: {target}: expected a directory" in result.output


def test_vectors_replace_vectors_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "letter.txt").write_text("dear")
    result = invoke("vectors", str(other), "--event", "advance_time", "--suite", "paths")

    assert 2 == result.exit_code
    assert ["letter.txt"] == [path.name for path in other.iterdir()]
    assert (folder / MANIFEST).is_file()


def test_walks_reach_each_event_and_many_rules() -> None:
    reached: dict[str, set[str | None]] = {}
    for family in get_families():
        for case in walk_cases(family):
            reached.setdefault(case.handler, set()).update(case.outcomes)

    # all but ends of a wait that a short walk hardly sees out
    assert len(reached) >= len(TRANSITIONS) - 1
    assert sum(None in outcomes for outcomes in reached.values()) >= len(TRANSITIONS) - 3
    assert sum(map(len, reached.values())) >= 150


def test_states_and_events_of_walks_survive_the_wire() -> None:
    for family in get_families():
        walk = Walk(family, 1)
        for event in walk.set_up():
            walk.play(event)
        for before, event, _ in walk_on(walk, 60):
            assert event == event_from_wire(event_to_wire(event))
            assert get_state_hash(before) == get_state_hash(state_from_wire(state_to_wire(before)))


def test_an_id_may_look_like_a_field_or_a_number() -> None:
    value = {
        "accounts": {"account": {"balance": 5, "leverages": {"market": 2, "7": 3}, "positions": {}}},
        "seen": ["12"],
    }

    assert value == from_wire(to_wire(value))


@pytest.mark.parametrize("text", ["", "1.0", "1e3", "+1", "01", "-", "x", "1" * 500])
def test_a_string_that_is_no_integer_is_refused(text: str) -> None:
    with pytest.raises(Fault, match="decimal digits"):
        from_wire({"sequence": text})


def test_the_kernels_version_covers_the_kernel() -> None:
    from riskcore.conformance.vectors import _read_sources

    assert set(KERNEL) == set(_read_sources())


def test_a_case_of_many_events_has_an_outcome_for_each() -> None:
    walk = Walk(get_families()[0], 5)
    events = list(walk.set_up_and_play())
    case = make_case(("plain", "sequence", "deposit", "found", "one"), "the setup", walk.start, events)

    assert [None] * len(events) == list(case.outcomes)
    assert get_state_hash(walk.state) == get_state_hash(case.post)


# The page


PAGE = (ROOT / "CONFORMANCE.md").read_text()


def get_blocks(mark: str) -> list[str]:
    """The fenced blocks of the page behind a mark."""
    return [part.split("```")[1].partition("\n")[2] for part in PAGE.split(f"<!-- {mark} -->")[1:]]


def test_the_pages_dialogue_is_that_of_its_engine(tmp_path: Path) -> None:
    lines = "".join(get_blocks("dialogue")).splitlines()
    asked = [line.removeprefix("> ") for line in lines if line.startswith("> ")]
    answered = [json.loads(line.removeprefix("< ")) for line in lines if line.startswith("< ")]
    engine = tmp_path / "engine.py"
    (code,) = get_blocks("engine")
    engine.write_text(code)
    told = subprocess.run(
        [sys.executable, str(engine)], input="\n".join(asked) + "\n", capture_output=True, text=True, check=True
    )

    assert len(asked) == len(answered) == 5
    assert answered == [json.loads(line) for line in told.stdout.splitlines()]


def test_the_pages_engine_conforms(tmp_path: Path) -> None:
    engine = tmp_path / "engine.py"
    engine.write_text(get_blocks("engine")[0])
    result = invoke("conform", "--fuzz", "150", "--", sys.executable, str(engine))

    assert 0 == result.exit_code, result.output


def test_a_planted_fault_gets_the_case_that_shows_it() -> None:
    by_name = {fault.name: fault for fault in FAULTS}
    faults = [by_name[name] for name in ("deposit_pays_a_third", "time_runs_backwards")]
    cases = [case for family in get_families()[:1] for case in walk_cases(family)]
    found = {fault.name: case for fault, case in find_cases(cases, faults)}

    assert 2 == len(found)
    for name, case in found.items():
        assert case is not None
        with plant(by_name[name]):
            assert shows(case, get_state_hash(case.post))
        assert not shows(case, get_state_hash(case.post))
