"""The page of venues is what its command writes; what presets promise is judged, and the refutations refute."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from riskcore.log import LogReader
from riskcore.monitor import Monitor
from riskcore.rulebook_file import read_rulebook_file
from riskcore.venues.presets import get_preset_names, load_preset
from specs.laws.choices import CHOICES, Choice
from specs.laws.law import Law
from tests.promises.verdicts import get_log, read_verdicts
from tests.venue_table import PAGE, PRESETS, ROOT, Lines, find_case_lines, get_page

VERDICTS = read_verdicts()
REFUTED = [(name, law) for name, lines in VERDICTS.items() for law, line in lines.items() if line.verdict == "REFUTED"]


def test_the_page_is_current() -> None:
    assert get_page() == PAGE.read_text(), "python -m tests.venue_table writes it"


@pytest.mark.parametrize("name", get_preset_names())
def test_a_path_stands_on_its_line(name: str) -> None:
    file, text = load_preset(name), (PRESETS / f"{name}.json").read_text().splitlines()
    lines = Lines(PRESETS / f"{name}.json").by_path
    for path, value in file.figures.items():
        assert json.dumps(value) in text[lines[path] - 1], path


def test_a_case_stands_on_its_line() -> None:
    for id, (file, line) in find_case_lines().items():
        assert f'"id": "{id}"' in file.read_text().splitlines()[line - 1]


def test_links_of_the_page_lead_somewhere() -> None:
    for part in PAGE.read_text().split("](")[1:]:
        target = part.split(")", 1)[0].split("#")[0]

        assert (PAGE.parent / target).exists(), target


def test_every_law_of_every_preset_is_judged() -> None:
    """`python -m tests.promises` judges what is missing."""
    assert {name: {choice.id for choice in CHOICES} for name in get_preset_names()} == {
        name: set(lines) for name, lines in VERDICTS.items()
    }
    assert {"PROVED", "REFUTED"} == {line.verdict for lines in VERDICTS.values() for line in lines.values()}


@pytest.mark.parametrize("name", get_preset_names())
@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: choice.id)
def test_a_verdict_is_of_what_the_preset_chooses(name: str, choice: Choice) -> None:
    """The law is proven under its condition: it holds where all markets meet that, and else is refuted for one."""
    file, line = load_preset(name), VERDICTS[name][choice.id]
    without = sorted(market for market, rules in file.markets.items() if not choice.is_made(file.rulebook, rules))

    assert ("REFUTED" if without else "PROVED", without[0] if without else None) == (line.verdict, line.market)
    assert get_log(name, choice.id).exists() == bool(without)


@pytest.mark.parametrize(("name", "law"), REFUTED)
def test_a_refutation_refutes(name: str, law: str) -> None:
    choice = next(choice for choice in CHOICES if choice.id == law)
    with LogReader(get_log(name, law)) as log:
        monitor = Monitor(log.state, (Law(law, choice.sentence, choice.applies, choice.holds, None),))
        state, events = log.state, list(log)
        outcome = monitor.step(state, events[0])

    assert load_preset(name).rulebook == state.rulebook
    assert 1 == len(events) and outcome.rejected is None
    assert {law} == {violation.law for violation in monitor.violations}


def test_no_log_is_left_over() -> None:
    found = {path.relative_to(ROOT) for path in (ROOT / "tests" / "promises").glob("*/*.jsonl")}
    logs = [get_log(name, law) for name, law in REFUTED]

    assert {path.relative_to(ROOT) for log in logs for path in (log, log.with_suffix(".state.jsonl"))} == found


def test_a_log_is_a_rulebooks_file_too() -> None:
    name, law = REFUTED[0]

    assert load_preset(name).rulebook == read_rulebook_file(Path(get_log(name, law))).rulebook
