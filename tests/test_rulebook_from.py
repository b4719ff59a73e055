"""``riskcore rulebook from`` and ``riskcore price --positions``: market data in, rulebooks and prices out."""

from __future__ import annotations

import json
from copy import deepcopy
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from riskcore.bad_input import Fault, Malformed
from riskcore.cli import main
from riskcore.quantities import MarketId
from riskcore.rulebook import MarketRules
from riskcore.rulebook_file import RulebookFile, read_rulebook_file
from riskcore.venues.accounts import find_market, quote_accounts
from riskcore.venues.answers import parse, read_data
from riskcore.venues.exact import exact
from riskcore.venues.loading import Accounts, Loaded, load_ccxt
from riskcore.venues.presets import load_preset
from riskcore.venues.scene import Listing, hold, make_scene

DATA = Path(__file__).parent.parent / "examples" / "data"
FEES = ("--taker", "0.00045", "--maker", "0.00015")
SHAPES = {
    "hyperliquid": (["hyperliquid_meta"], FEES),
    "ccxt": (["ccxt_tiers", "ccxt_markets"], ("--like", "binance")),
    "binance": (["binance_brackets", "binance_exchange_info"], FEES),
}


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def make(shape: str, out: Path, *options: object, files: list[Path] | None = None) -> Result:
    names, usual = SHAPES[shape]
    paths = files or [DATA / f"{name}.json" for name in names]
    return run("rulebook", "from", shape, *paths, "--out", out, *(options or usual))


def load(shape: str, folder: Path) -> RulebookFile:
    result = make(shape, folder / "rules.json")
    assert 0 == result.exit_code, result.stderr
    return read_rulebook_file(folder / "rules.json")


def test_ccxts_tiers_make_the_rules_that_are_loaded(tmp_path: Path) -> None:
    made = load("ccxt", tmp_path)
    tiers, markets = (read_data(DATA / f"ccxt_{name}.json") for name in ("tiers", "markets"))
    loaded: dict[MarketId, Loaded] = load_ccxt(tiers, markets, "0.000001")

    assert {id: market.rules for id, market in loaded.items()} == made.markets
    assert load_preset("binance").rulebook == made.rulebook
    assert made.units is not None and "0.001" == made.units.lots["BTC/USDT:USDT"]
    assert "ccxt: ccxt_tiers.json, ccxt_markets.json" == made.get_source("markets.BTC/USDT:USDT.tiers")


def test_hyperliquids_meta_makes_the_tiers_of_its_preset(tmp_path: Path) -> None:
    made, preset = load("hyperliquid", tmp_path), load_preset("hyperliquid")

    assert preset.rulebook == made.rulebook
    assert preset.markets[MarketId("BTC")].tiers == made.markets[MarketId("BTC")].tiers


def test_binances_information_has_lots_and_fees_of_liquidation(tmp_path: Path) -> None:
    made = load("binance", tmp_path)

    assert 10_000 == made.markets[MarketId("BTCUSDT")].liquidation_fee_rate
    assert made.units is not None and {"BTCUSDT": "0.001"} == made.units.lots
    alone = make("binance", tmp_path / "b.json", *FEES, files=[DATA / "binance_brackets.json"])
    assert 0 == alone.exit_code
    assert 0 == read_rulebook_file(tmp_path / "b.json").markets[MarketId("BTCUSDT")].liquidation_fee_rate


def test_what_is_made_can_be_asked(tmp_path: Path) -> None:
    path = tmp_path / "rules.json"
    make("hyperliquid", path)
    position = ("--market", "BTC", "--side", "long", "--size", "0.5", "--entry", "100000", "--margin", "5000")

    assert "91139.24050632..." in run("price", "--venue", path, *position).stdout
    assert 0 == run("rulebook", "show", path).exit_code
    # the data says nothing of shares and windows: those of markets are as the kernel has them
    text = run("rulebook", "diff", path, "hyperliquid").stdout
    assert "markets.BTC.liquidation_share" in text and "rulebook." not in text


def test_what_a_price_holds_equity_against_is_kept(tmp_path: Path) -> None:
    make("ccxt", tmp_path / "rules.json", "--like", "okx", "--atom", "0.00000001")

    assert (
        "price_and_fee"
        == read_rulebook_file(tmp_path / "rules.json").equity_against
        == load_preset("okx").equity_against
    )


@pytest.mark.parametrize(
    ("shape", "options", "expected"),
    [
        ("ccxt", ("--atom", "0.01"), "--like: expected a preset or a rulebook, as ccxt says nothing of it, got none"),
        ("ccxt", ("--like", "okex"), "okex: expected a file, or one of binance"),
        ("hyperliquid", ("--taker", "0.1"), "--maker: expected a rate, as the data says no fees, got none"),
        ("binance", (*FEES, "--atom", "7"), "expected"),
        (
            "hyperliquid",
            (*FEES, "--like", "okx", "--atom", "7"),
            "universe[0][1]: expected a floor in whole atoms of 7",
        ),
    ],
)
def test_what_is_missing_is_one_clear_sentence(
    shape: str, options: tuple[str, ...], expected: str, tmp_path: Path
) -> None:
    out = tmp_path / "rules.json"
    out.write_text("as it was")
    result = make(shape, out, *options)

    assert 2 == result.exit_code
    assert expected in result.stderr and 1 == result.stderr.count("\n"), result.stderr
    assert "as it was" == out.read_text()


@pytest.mark.parametrize("words", [("--taker", "45"), ("--maker", "1e-4"), ("--atom", "0"), ("--atom", "x")])
def test_a_rate_or_an_atom_that_is_none_is_usage(words: tuple[str, str], tmp_path: Path) -> None:
    result = make("hyperliquid", tmp_path / "rules.json", *FEES, *words)

    assert 2 == result.exit_code and words[0] in result.stderr
    assert [] == list(tmp_path.iterdir())


def change(value: Any, *path: Any) -> Any:
    """A copy with the last of ``path`` at the rest of it; ``...`` takes it away."""
    copied = deepcopy(value)
    *way, name, new = path
    place = copied
    for step in way:
        place = place[step]
    if new is ...:
        del place[name]
    else:
        place[name] = new
    return copied


BTC = "BTC/USDT:USDT"


@pytest.mark.parametrize(
    ("shape", "file", "path", "expected"),
    [
        ("ccxt", 0, (BTC, 1, "maintenanceMarginRate", ...), f"{BTC}[1].maintenanceMarginRate: expected this field"),
        ("ccxt", 0, (BTC, 1, "minNotional", -5), f"{BTC}[1]: expected a floor that follows the bracket below"),
        ("ccxt", 1, (BTC, "taker", None), f"{BTC}.taker: expected this field, got none"),
        ("ccxt", 1, (BTC, "precision", "amount", "1/3"), f"units.lots.{BTC}: expected a decimal string"),
        ("binance", 0, (0, "brackets", 0, "cum", "many"), '[0].brackets[0].cum: expected a decimal, got "many"'),
        (
            "binance",
            1,
            ("symbols", 0, "filters", 1, "stepSize", 0),
            "symbols[0].filters[1].stepSize: expected a number",
        ),
        ("hyperliquid", 0, ("universe", 0, "szDecimals", 1.5), "universe[0].szDecimals: expected an integer from 0"),
        ("hyperliquid", 0, ("universe", 0, "name", 7), "universe[0].name: expected a string that is not empty, got 7"),
        ("hyperliquid", 0, ("universe", []), "expected at least one market, got none"),
        ("hyperliquid", 0, ("universe", 0, "maxLeverage", "9" * 100), "expected"),
    ],
)
def test_bad_data_is_named_by_its_place(
    shape: str, file: int, path: tuple[Any, ...], expected: str, tmp_path: Path
) -> None:
    files = [DATA / f"{name}.json" for name in SHAPES[shape][0]]
    if shape == "hyperliquid" and path[2:3] == ("maxLeverage",):
        # an asset without a table of its own has its leverage
        path = ("universe", 1, *path[2:])
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps(change(json.loads(files[file].read_text()), *path)))
    files[file] = bad
    result = make(shape, tmp_path / "rules.json", *SHAPES[shape][1], files=files)

    assert 2 == result.exit_code
    assert expected in result.stderr and 1 == result.stderr.count("\n"), result.stderr
    assert not (tmp_path / "rules.json").exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("{", ":1: expected JSON"), ('{"a": 1, "a": 2}', ": a: expected each key once"), ("[" * 100_000, "expected JSON")],
)
def test_what_is_no_data_is_refused(text: str, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text)
    result = make("hyperliquid", tmp_path / "rules.json", *FEES, files=[path])

    assert 2 == result.exit_code and expected in result.stderr and 1 == result.stderr.count("\n")
    with pytest.raises((Fault, Malformed)):
        parse(text)


def ask(*words: object) -> Any:
    result = run("price", "--positions", *words, "--format", "json")
    assert 0 == result.exit_code, result.stderr
    return json.loads(result.stdout)


def test_hyperliquids_account_is_told_its_own_prices(tmp_path: Path) -> None:
    make("hyperliquid", tmp_path / "rules.json")
    alone, cross = ask(DATA / "hyperliquid_account.json", "--venue", tmp_path / "rules.json")["accounts"]

    assert ("account/MAV", "1.5", True) != ("account/MAV", alone["equity"], alone["is_liquidatable"])
    for account in (alone, cross):
        (position,) = account["positions"]
        assert abs(exact(position["liquidation_price"]) - exact(position["told"])) < exact("0.01")
    assert ("2500", "593.75", "90000") == (
        cross["equity"], cross["maintenance_margin"], cross["positions"][0]["bankruptcy_price"]
    )  # fmt: skip


def test_cross_positions_share_a_wallet(tmp_path: Path) -> None:
    """2,000 and 500 below cost leave 2,500; 98,000 need 440, 30,500 need 183.25."""
    make("ccxt", tmp_path / "rules.json")
    (account,) = ask(DATA / "ccxt_positions.json", "--venue", tmp_path / "rules.json", "--wallet", "5000")["accounts"]
    long, short = account["positions"]

    assert ("2500", "623.25") == (account["equity"], account["maintenance_margin"])
    # 2500 - 183.25 + 2 p - 98000 = 0.005 * 2 p - 50
    assert (98_000 + exact("183.25") - 2_500 - 50) / (2 - exact("0.01")) == exact(long["liquidation_price"])
    assert exact(47_750) == exact(long["bankruptcy_price"])
    assert 3_050 + Fraction(2_500, 10) == exact(short["bankruptcy_price"])
    # a client's symbol finds the preset's market
    assert account == ask(DATA / "ccxt_positions.json", "--venue", "binance", "--wallet", "5000")["accounts"][0]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("ccxt_positions", "--venue", "binance"), "[0].wallet: expected a wallet, which cross positions share"),
        (("ccxt_positions", "--venue", "hyperliquit", "--wallet", "1"), 'did you mean "hyperliquid"?'),
        (("ccxt_positions", "--wallet", "1"), "--positions needs --venue"),
        (("ccxt_positions", "--venue", "binance", "--size", "1"), "--size is one too many"),
        (("ccxt_positions", "--venue", "binance", "--wallet", "1e3"), "--wallet 1e3: expected a decimal string"),
        (("hyperliquid_account", "--venue", "dydx"), "dydx: account/MAV.market: expected one of BTC, SMALL-CAP"),
        (("ccxt_tiers", "--venue", "binance"), "expected an array of ccxt's positions, or Hyperliquid's"),
        (("none", "--venue", "binance"), "got no such file"),
    ],
)
def test_a_bad_question_of_positions_is_clear(words: tuple[str, ...], expected: str) -> None:
    result = run("price", "--positions", DATA / f"{words[0]}.json", *words[1:])

    assert 2 == result.exit_code and expected in result.stderr, result.stderr
    assert "" == result.stdout


def test_a_wallet_is_of_positions_alone() -> None:
    result = run("price", "--venue", "binance", "--wallet", "1")

    assert 2 == result.exit_code and "--wallet goes with --positions" in result.stderr


def test_many_markets_are_not_all_listed() -> None:
    preset = load_preset("binance")
    (rules,) = {preset.markets[MarketId("BTC")]}
    many = evolve(preset, markets={MarketId(f"M{number}"): rules for number in range(40)})

    with pytest.raises(Fault, match="M11 and 28 more"):
        find_market(many, "DOGE")


def get_rules(file: RulebookFile, name: str) -> MarketRules:
    return file.markets[MarketId(name)]


@given(
    first=st.integers(-30, 30).filter(bool),
    second=st.integers(-300, 300).filter(bool),
    marks=st.tuples(st.integers(9_000, 11_000), st.integers(900, 1_100)),
    cash=st.integers(0, 100_000),
)
@settings(max_examples=60, deadline=None)
def test_a_price_in_a_cross_account_is_the_kernels(first: int, second: int, marks: tuple[int, int], cash: int) -> None:
    """To an atom of a lot, with brackets of parts; the kernel's state is made of the same figures."""
    file = load_preset("binance")
    held = {"BTC": (first, 10_000), "ETH": (second, 1_000)}
    listings = {
        name: Listing(
            Fraction(mark),
            Fraction(get_rules(file, name).initial_margin_rate, 10**6),
            Fraction(get_rules(file, name).maintenance_margin_rate, 10**6),
            tiers=tuple(
                (
                    Fraction(tier.floor, 10**6),
                    Fraction(tier.initial_margin_rate, 10**6),
                    Fraction(tier.maintenance_margin_rate, 10**6),
                )
                for tier in get_rules(file, name).tiers
            ),
        )
        for name, mark in zip(held, marks, strict=True)
    }
    holding = hold(cash, **held)
    scene = make_scene(listings, {"a": holding}, grain=10**6)
    (account,) = quote_accounts(file, Accounts({"a": holding}, dict(zip(held, map(Fraction, marks), strict=True)), {}))

    assert scene.get_equity("a") == account.equity
    assert abs(scene.get_maintenance_margin("a") - account.maintenance_margin) <= 2 * scene.atom
    for position in account.positions:
        price, found = position.liquidation_price, scene.get_liquidation_price("a", position.market)
        if price is None or found is None:
            assert (price or 0) <= 2 * scene.atom and (found or 0) <= 2 * scene.atom
        else:
            assert abs(price - found) <= 3 * scene.atom
