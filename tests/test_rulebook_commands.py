"""``riskcore rulebook list | show | diff | check``, of presets and of files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from click.testing import CliRunner, Result

from riskcore import cli
from riskcore.quantities import Atoms
from riskcore.rulebook_diff import carry_over, get_differences, put_under
from riskcore.rulebook_show import find_rulebook
from riskcore.snapshot import save_state
from riskcore.state import State
from riskcore.venues.exact import exact
from riskcore.venues.presets import get_preset_names, load_preset
from riskcore.venues.scene import Listing, Scene, hold, make_scene


def run(*words: str) -> Result:
    return CliRunner().invoke(cli.main, ["rulebook", *words])


def read(*words: str) -> Any:
    result = run(*words, "--format", "json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def make_state() -> Scene:
    """A long of one BTC from 50,000 with 1,200 of margin, of which a mark of 49,600 leaves 800."""
    listing = Listing(exact(49_600), exact("0.025"), exact("0.0125"), exact("0.001"))
    holding = hold(1_200, BTC=(1, 50_000))
    return make_scene({"BTC": listing}, {"alice": holding}, atom="0.01")


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    path = tmp_path / "state.json"
    save_state(make_state().state, path)
    return path


def test_the_list_has_every_preset_with_its_status() -> None:
    presets = read("list")["presets"]

    assert list(get_preset_names()) == [preset["name"] for preset in presets]
    assert {"VERIFIED"} == {preset["status"] for preset in presets}
    text = run("list").stdout
    assert all(name in text for name in get_preset_names())


def test_a_preset_is_shown_with_the_source_of_each_figure() -> None:
    shown = read("show", "hyperliquid")
    by_path = {figure["path"]: figure for figure in shown["figures"]}

    assert "VERIFIED" == shown["status"]
    assert "0.666667" == by_path["rulebook.takeover_rate"]["value"]
    assert by_path["rulebook.takeover_rate"]["source"].startswith("Hyperliquid documentation")
    assert ["hl-tier-ETH#expected.table[1].lower_bound"] == by_path["markets.ETH.tiers[0].floor"]["cases"]
    assert "okx: OKX, as of 2021. VERIFIED" in run("show", "okx").stdout


def test_a_file_is_shown_and_verified_by_nobody(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_bytes((Path(cli.__file__).parent / "venues" / "presets" / "hyperliquid.json").read_bytes())

    assert "UNVERIFIED" == read("show", str(path))["status"]
    assert [] == get_differences(find_rulebook(str(path)), load_preset("hyperliquid"))


@pytest.mark.parametrize("command", [["show"], ["check"], ["diff", "okx"]])
def test_what_is_neither_a_preset_nor_a_file_is_one_clear_sentence(command: list[str]) -> None:
    result = run(*command, "hyperliquit")

    assert 2 == result.exit_code
    assert result.stderr.startswith("Error: hyperliquit: expected a file, or one of binance")
    assert 'did you mean "hyperliquid"?' in result.stderr and result.stderr.count("\n") == 1
    assert "" == result.stdout


def test_the_two_indices_of_hyperliquid_differ_in_the_rank_alone() -> None:
    found = read("diff", "hyperliquid", "hyperliquid_documented")

    expected = {
        "path": "rulebook.adl_rank",
        "first": "profit_times_leverage",
        "second": "price_ratio_times_leverage",
    }
    assert [expected] == found["differences"]
    assert found["fates"] is None
    assert "hyperliquid (VERIFIED) and hyperliquid (VERIFIED) say the same." in run("diff", *["hyperliquid"] * 2).stdout


def test_what_a_price_is_held_against_is_a_difference() -> None:
    found = {entry["path"]: entry for entry in read("diff", "binance", "bybit")["differences"]}

    assert ("price", "entry") == (found["equity_against"]["first"], found["equity_against"]["second"])


def test_amounts_are_compared_in_quote_currency() -> None:
    first = load_preset("hyperliquid")
    other = carry_over(first, "hyperliquid", exact("0.0001"))
    assert first.units is not None
    other = evolve(other, units=evolve(first.units, cash="0.0001"))

    assert first.rulebook.vault_position_limit == 100 * other.rulebook.vault_position_limit
    assert [] == get_differences(first, other)


def test_one_state_under_two_rulebooks(snapshot: Path) -> None:
    """800 of equity: above 620 of Hyperliquid, below 1,488 of dYdX, which deleverages nobody with equity left."""
    found = read("diff", "hyperliquid", "dydx", "--state", str(snapshot))
    hyperliquid, dydx = found["fates"]

    assert [] == hyperliquid["liquidated"] and [] == hyperliquid["closed"]
    assert [("alice", "BTC")] == [(entry["account"], entry["market"]) for entry in dydx["liquidated"]]
    assert ["alice"] == dydx["unresolved"]
    text = run("diff", "hyperliquid", "dydx", "--state", str(snapshot)).stdout
    assert "nobody is below maintenance" in text and "alice is below maintenance in BTC from" in text


def test_who_is_deleveraged_is_said(tmp_path: Path) -> None:
    listing = Listing(exact(48_000), exact("0.025"), exact("0.0125"), exact("0.001"))
    scene = make_scene({"BTC": listing}, {"alice": hold(1_200, BTC=(1, 50_000))}, atom="0.01")
    path = tmp_path / "state.json"
    save_state(scene.state, path)
    (closed,) = read("diff", "dydx", "bybit", "--state", str(path))["fates"][1]["closed"]

    assert ("deleveraging", "alice", "rest", 1_000) == tuple(
        closed[name] for name in ("stage", "account", "counterparty", "lots")
    )
    # bankruptcy price: 48,800 dollars of a BTC, in cents of a thousandth
    assert "4880" == closed["price"]
    assert (
        "deleveraging: alice: 1000 lots of BTC to rest at 4880"
        in run("diff", "dydx", "bybit", "--state", str(path)).stdout
    )


def test_a_state_with_no_market_of_that_name_is_refused(snapshot: Path) -> None:
    result = run("diff", "hyperliquid", "okx", "--state", str(snapshot))

    assert 2 == result.exit_code
    assert "Error: okx: markets: expected one of the state's (BTC), got ETH, ADA, ETC\n" == result.stderr


@pytest.mark.parametrize("atom", ["0", "-1", "a", "1e3"])
def test_an_atom_is_a_decimal_above_zero(snapshot: Path, atom: str) -> None:
    result = run("diff", "hyperliquid", "dydx", "--state", str(snapshot), f"--atom={atom}")

    assert 2 == result.exit_code and "--atom" in result.stderr


def test_amounts_that_are_no_whole_atoms_are_refused(snapshot: Path) -> None:
    result = run("diff", "hyperliquid", "dydx", "--state", str(snapshot), "--atom", "7")

    assert 2 == result.exit_code
    assert "expected amounts in whole atoms of 7" in result.stderr


def test_a_snapshot_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    result = run("diff", "hyperliquid", "dydx", "--state", str(tmp_path / "none"))

    assert 2 == result.exit_code and result.stderr.startswith("Error: ")


def test_the_state_keeps_its_own_vault() -> None:
    state: State = make_state().state
    under = put_under(state, load_preset("hyperliquid"), "hyperliquid")

    assert state.rulebook.vault == under.rulebook.vault
    assert Atoms(0) < under.rulebook.vault_position_limit


@pytest.mark.parametrize("name", get_preset_names())
def test_check_accepts_every_preset(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("riskcore.rulebook_check.check_rulebook", lambda *_: [])
    result = run("check", name)

    assert 0 == result.exit_code
    assert f"Rulebook of {name}: admissible" in result.stdout


def test_check_says_whether_a_rulebook_is_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("riskcore.rulebook_check.check_rulebook", lambda *_: [])
    result = run("check", str(Path(cli.__file__).parent / "venues" / "presets" / "lighter.json"))

    assert 0 == result.exit_code
    assert "Its figures against published cases: UNVERIFIED." in result.stdout
    assert "VERIFIED" == read("check", "dydx")["status"]
