"""``riskcore import --rules``: whose margin rates the log has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from riskcore.cli import main

EXAMPLES = Path(__file__).parent.parent / "examples"
TABLE = (
    "import",
    "csv",
    str(EXAMPLES / "import" / "fills.csv"),
    "--mapping",
    str(EXAMPLES / "import" / "mapping.toml"),
)


def invoke(*words: str) -> Result:
    return CliRunner().invoke(main, [*TABLE, *words])


@pytest.mark.parametrize(
    ("name", "rates", "tiers"),
    [("hyperliquid", (25_000, 12_500), True), ("dydx", (50_000, 30_000), False), (None, (100_000, 50_000), False)],
)
def test_a_log_has_the_rates_and_brackets_of_a_preset(
    name: str | None, rates: tuple[int, int], tiers: bool, tmp_path: Path
) -> None:
    log = tmp_path / "log.jsonl"
    result = invoke("--out", str(log), *(() if name is None else ("--rules", name)))
    replayed = CliRunner().invoke(main, ["replay", str(log)])
    header, listing = map(json.loads, log.read_text().splitlines()[:2])
    rules = listing["rules"]

    assert (0, 0) == (result.exit_code, replayed.exit_code), result.output
    assert (f"brackets of {name}" in result.output) == (name is not None)
    assert rates == (rules["initial_margin_rate"], rules["maintenance_margin_rate"])
    assert (0, 0) == (rules["taker_fee_rate"], rules["maker_fee_rate"])
    if tiers:
        # a bracket starts where it does in quote currency, in the atoms of this log
        assert rules["tiers"][0]["floor"] * float(header["units"]["cash"]) == 150_000_000
    else:
        assert "tiers" not in rules


def test_a_file_of_one_s_own_is_taken(tmp_path: Path) -> None:
    result = invoke("--out", str(tmp_path / "log.jsonl"), "--rules", str(EXAMPLES / "scenarios" / "venue.json"))

    assert 0 == result.exit_code
    assert 25_000 == json.loads((tmp_path / "log.jsonl").read_text().splitlines()[1])["rules"]["initial_margin_rate"]


def test_what_has_no_such_market_or_no_units_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bare.json").write_text(
        json.dumps({**json.loads((EXAMPLES / "scenarios" / "venue.json").read_text()), "units": None})
    )
    log = tmp_path / "log.jsonl"
    for words, said in (
        (("--rules", "okx", "--out", str(log)), "--rules okx: market: expected one of ETH, ADA, ETC, or a rulebook"),
        (("--rules", "hyperlikwid", "--out", str(log)), 'did you mean "hyperliquid"?'),
        (("--rules", str(tmp_path / "bare.json"), "--out", str(log)), "units"),
        (("--rules", "okx"), "--rules goes with --out"),
    ):
        result = invoke(*words)

        assert 2 == result.exit_code
        assert said in result.output
    assert not log.exists()


def test_liquidations_are_counted_where_the_file_says_so(tmp_path: Path) -> None:
    rows = (EXAMPLES / "import" / "fills.csv").read_text().splitlines()
    forced = [row.replace(",FILL,", ",LIQ,") if row.startswith("t2,") else row for row in rows]
    mapping = (EXAMPLES / "import" / "mapping.toml").read_text()
    (tmp_path / "fills.csv").write_text("\n".join(forced) + "\n")
    (tmp_path / "map.toml").write_text(mapping.replace('trade = ["FILL"]', 'trade = ["FILL"]\nliquidation = ["LIQ"]'))
    files = (str(tmp_path / "fills.csv"), "--mapping", str(tmp_path / "map.toml"))
    result = CliRunner().invoke(main, ["import", "csv", *files, "--out", str(tmp_path / "log.jsonl")])

    assert 0 == result.exit_code
    assert (
        "assumed: 2 fills by force, as the venue calls them (liquidated, deleveraged), are plain fills" in result.output
    )
    assert "by force" not in invoke("--out", str(tmp_path / "other.jsonl")).output
