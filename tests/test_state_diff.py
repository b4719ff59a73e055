"""The difference of two states: nothing where the hashes are equal, and each field where they are not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import pytest
from click.testing import CliRunner, Result

from riskcore import cli
from riskcore.quantities import AccountId, Atoms
from riskcore.snapshot import get_state_hash, load_state, save_state
from riskcore.state import NO_ACCOUNT, Account, Positions, State, genesis
from riskcore.state_diff import Difference, compare_states
from riskcore.step import step
from tests.log_cases import RULEBOOK, make_waterfall_events, write_waterfall_log


def run_events(count: int) -> State:
    state = genesis(RULEBOOK)
    for event in make_waterfall_events()[:count]:
        state = step(state, event).state
    return state


def diff(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli.main, ["diff", *map(str, arguments)])


def diff_json(first: Path, second: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(diff(first, second, "--format", "json").stdout)
    return report


def write_states(folder: Path, *states: State) -> list[Path]:
    paths = [folder / f"{number}.json" for number, _ in enumerate(states)]
    for path, state in zip(paths, states, strict=True):
        save_state(state, path)
    return paths


def test_a_deposit_changes_its_account_the_pool_and_the_clock() -> None:
    differences = compare_states(run_events(2), run_events(3)).differences
    expected = [
        Difference(("accounts", "long", "balance"), None, 11_600),
        Difference(("accounts", "long", "positions"), None, {}),
        Difference(("reserves", "outside"), 0, -11_600),
        Difference(("sequence",), 2, 3),
        Difference(("timestamp",), 1_760_000_000_002, 1_760_000_000_003),
    ]

    assert expected == list(differences)


def test_states_differ_where_their_hashes_do() -> None:
    states = [run_events(count) for count in range(len(make_waterfall_events()) + 1)]
    for first in states:
        for second in states[::5]:
            is_same = get_state_hash(first) == get_state_hash(second)

            assert is_same == (not compare_states(first, second).differences)


def test_every_part_of_a_state_is_compared() -> None:
    """Each field of a state, changed alone, shows."""
    before = run_events(21)
    changes: list[dict[str, Any]] = [{"deleveraging": None}, {"sequence": 0}, {"timestamp": 0}, {"vault_shares": 7}]
    for change in changes:
        (name,), changed = change, attrs.evolve(before, **change)

        assert {name} == {one.path[0] for one in compare_states(before, changed).differences}
    assert {"rulebook"} == {
        one.path[0]
        for one in compare_states(
            before, attrs.evolve(before, rulebook=attrs.evolve(RULEBOOK, insurance_floor=Atoms(1)))
        ).differences
    }


def test_an_account_with_nothing_in_it_is_none() -> None:
    before = run_events(3)
    empty = before.accounts.put(AccountId("x"), Account(Atoms(0), Positions()))

    assert NO_ACCOUNT == empty.get(AccountId("x"))
    assert not compare_states(before, attrs.evolve(before, accounts=empty)).differences


def test_the_command_names_accounts_markets_and_fields(tmp_path: Path) -> None:
    first, second = write_states(tmp_path, run_events(8), run_events(9))
    report = diff_json(first, second)
    result = diff(first, second)

    # the fill of event 9
    assert (["long", "short"], ["BTC"], False) == (report["accounts"], report["markets"], report["same"])
    assert {"path": ["markets", "BTC", "open_interest"], "first": 0, "second": 100} in report["differences"]
    assert 1 == result.exit_code
    assert "markets.BTC.open_interest" in result.stdout
    assert "verdict     DIFFERENT: fields" in result.stdout


def test_a_log_stands_for_the_state_that_it_leads_to(tmp_path: Path) -> None:
    log = write_waterfall_log(tmp_path)
    (state,) = write_states(tmp_path, run_events(25))
    result = diff(log, state)

    assert (0, True) == (result.exit_code, diff_json(log, state)["same"])
    assert f"state hash  {get_state_hash(run_events(25))}  {log}" in result.stdout


def test_a_replay_saves_its_last_state(tmp_path: Path) -> None:
    log, target = write_waterfall_log(tmp_path), tmp_path / "last.json"

    result = CliRunner().invoke(cli.main, ["replay", str(log), "--no-laws", "--save-state", str(target)])

    assert 3 == result.exit_code
    assert get_state_hash(run_events(25)) == get_state_hash(load_state(target))


def test_a_replay_saves_its_state_over_nothing_else(tmp_path: Path) -> None:
    log = write_waterfall_log(tmp_path)
    before = log.read_bytes()

    result = CliRunner().invoke(cli.main, ["replay", str(log), "--no-laws", "--save-state", str(log)])

    assert (2, before) == (result.exit_code, log.read_bytes())
    assert f"Error: {log}: expected a new file, or an earlier snapshot, got another file\n" == result.stderr


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "expected a readable snapshot, got no such file"),
        ("", ":1: expected one JSON object, got an empty line"),
        ("{}", "riskcore_snapshot: expected this field, with the schema version 1, got none"),
        ("\x00\xff", "expected one JSON object, got malformed JSON at column 1"),
    ],
)
def test_what_is_no_state_is_refused(tmp_path: Path, text: str | None, sentence: str) -> None:
    good, bad = write_waterfall_log(tmp_path), tmp_path / "bad"
    if text is not None:
        bad.write_text(text)

    result = diff(good, bad)

    assert (2, "") == (result.exit_code, result.stdout)
    assert f"Error: {bad}" in result.stderr
    assert sentence in result.stderr
