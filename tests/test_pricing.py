"""``riskcore price``: one position by a preset's rules, against published figures and the kernel."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from riskcore import Account, AccountId, Market, MarketId, Position, Positions, genesis, queries
from riskcore.bad_input import Fault
from riskcore.choices import RankPolicy
from riskcore.cli import main
from riskcore.quantities import Atoms, Lots, Price, Time
from riskcore.venues import bybit, okx, ranks
from riskcore.venues.exact import exact
from riskcore.venues.presets import load_preset
from riskcore.venues.pricing import compute_quote, get_adl_score, make_position
from tests.vectors.play import Case, load


def get_price(name: str, market: str, side: str, *numbers: Any) -> Fraction | None:
    position = make_position(side, *numbers)
    return compute_quote(load_preset(name), market, position).liquidation_price


PRICES = {case.id: case for case in load("liquidation_price")}


def check(case: Case, price: Fraction | None) -> None:
    expected, tolerance = exact(case.expected["liquidation_price"]), exact(case.tolerance)

    assert price is not None
    assert abs(expected - price) <= tolerance


@pytest.mark.parametrize("id", [id for id, case in PRICES.items() if case.inputs.get("coin") == "SOL"])
def test_hyperliquids_own_prices_follow_from_its_preset(id: str) -> None:
    held = PRICES[id].inputs
    check(
        PRICES[id], get_price("hyperliquid", "SOL", held["side"], held["size"], held["entry"], held["isolated_margin"])
    )


@pytest.mark.parametrize(("id", "market"), [("binance-lp-1", "ETH"), ("binance-lp-2", "BTC")])
def test_binances_own_prices_follow_from_its_brackets(id: str, market: str) -> None:
    held = PRICES[id].inputs["position"]
    check(
        PRICES[id], get_price("binance", market, "long", held["pos"], held["ep"], PRICES[id].inputs["wallet_balance"])
    )


def test_okx_takes_the_fee_of_closing_into_account() -> None:
    expected = okx.get_liquidation_price(-2, 3000, 600, "0.004", "0.0005")

    assert expected == get_price("okx", "ETH", "short", 2, 3000, 600)


def test_bybit_takes_the_notional_at_entry() -> None:
    assert bybit.get_liquidation_price(1, 50_000, 10, "0.005") == get_price("bybit", "BTC", "long", 1, 50_000, 5_000)
    # 60 BTC are in level 2: 3,000,000 at 0.63 % less 3,020
    assert 50_000 - Fraction(300_000 - 15_880, 60) == get_price("bybit", "BTC", "long", 60, 50_000, 300_000)


@pytest.mark.parametrize(
    ("name", "market", "entry", "size"),
    [
        ("hyperliquid", "BTC", 50_000, 1),
        ("hyperliquid", "BTC", 50_000, 4_000),
        ("binance", "BTC", 50_000, 100),
        ("binance", "ALT", 10, 2_000_000),
        ("starkex", "SYNTHETIC", 100, 19),
        ("starkex", "SYNTHETIC", 100, 12),
        ("lighter", "ETH", 3_000, 10),
    ],
)
@pytest.mark.parametrize("side", [1, -1])
def test_the_price_is_the_kernels_to_an_atom_of_a_lot(name: str, market: str, entry: int, size: int, side: int) -> None:
    preset, id = load_preset(name), MarketId(market)
    assert preset.units is not None
    atom, lot = Fraction(preset.units.cash), Fraction(preset.units.lots[market])
    margin, lots, mark = size * entry * 2 // 5, int(size / lot) * side, int(entry * lot / atom)
    balance = Atoms(int(margin / atom) - lots * mark)
    account = Account(balance, Positions({id: Position(Lots(lots), Atoms(lots * mark), Atoms(0))}))
    state = genesis(preset.rulebook)
    listed = Market(preset.markets[id], Price(mark), Atoms(0), 0, Time(0), Lots(abs(lots)))
    accounts, markets = state.accounts.put(AccountId("a"), account), state.markets.put(id, listed)
    state = type(state)(**{**_fields(state), "accounts": accounts, "markets": markets})
    found = queries.liquidation_price(state, AccountId("a"), id)
    price = get_price(name, market, "long" if side > 0 else "short", size, entry, margin)

    assert found is not None and price is not None
    assert abs(found * atom / lot - price) <= 2 * atom / lot


def _fields(state: Any) -> dict[str, Any]:
    return {name: getattr(state, name) for name in type(state).__annotations__}


def test_a_long_that_no_price_liquidates_has_none() -> None:
    assert get_price("hyperliquid", "BTC", "long", 1, 50_000, 60_000) is None


def test_a_long_of_slabs_falls_to_the_first_price_on_the_way_down() -> None:
    # too low between 105.3 and 120 as well, but that is above the mark
    assert Fraction(2000, 33) == get_price("starkex", "SYNTHETIC", "long", 19, 100, 760)
    # too low at the mark, at which it needs half, and at 3000 of notional all
    assert get_price("starkex", "SYNTHETIC", "long", 26, 100, 1_040) is None


def test_a_long_that_is_too_low_already_recovers_at_its_price() -> None:
    assert 125 == get_price("starkex", "SYNTHETIC", "long", 18, "125", "1125", "112")


def test_a_slab_that_starts_at_a_price_liquidates_there() -> None:
    # at 0.01 the short could lose to 115; from 2000 of notional on, at 100.0, it needs half
    assert 100 == get_price("starkex", "SYNTHETIC", "short", 20, 99, 320)


@pytest.mark.parametrize(
    ("policy", "score"),
    [
        (RankPolicy.PROFIT_TIMES_LEVERAGE, ranks.get_profit_times_leverage),
        (RankPolicy.PRICE_RATIO_TIMES_LEVERAGE, ranks.get_mark_times_leverage),
        (RankPolicy.SIGNED_PROFIT_TIMES_LEVERAGE, ranks.get_profit_or_loss_by_leverage),
    ],
)
@pytest.mark.parametrize("mark", ["90", "115.5"])
def test_the_score_is_that_of_the_venues_formula(policy: RankPolicy, score: Any, mark: str) -> None:
    position = make_position("long", "0.7", 100, "20.1", mark)
    equity = position.margin + position.size * (position.mark - position.entry)
    expected = score(ranks.make_ranked(position.size, position.entry, equity), position.mark)

    assert expected == get_adl_score(policy, position, equity)


def test_scores_that_are_amounts_are_in_quote_units_and_chance_has_none() -> None:
    position = make_position("short", "0.5", 100, 20, 80)

    assert Fraction(10, 30) == get_adl_score(RankPolicy.PROFIT_TO_EQUITY, position, Fraction(30))
    assert 40 == get_adl_score(RankPolicy.SIZE, position, Fraction(30))
    assert Fraction(400, 30) == get_adl_score(RankPolicy.PROFIT_TIMES_NOTIONAL_TO_EQUITY, position, Fraction(30))
    assert get_adl_score(RankPolicy.FIFO, position, Fraction(30)) is None


@pytest.mark.parametrize(
    ("numbers", "field"),
    [((0, 1, 1), "size"), ((1, "-1", 1), "entry"), ((1, 1, "x"), "margin"), ((1, 1, 1, 0), "mark")],
)
def test_a_number_that_is_none_is_named(numbers: tuple[Any, ...], field: str) -> None:
    with pytest.raises(Fault) as caught:
        make_position("long", *numbers)
    assert field == caught.value.field


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["price", *words])


POSITION = ["--venue", "hyperliquid", "--market", "BTC", "--side", "long", "--size", "0.5", "--entry", "100000"]


def test_the_page_has_the_terms_of_the_formula() -> None:
    text = run(*POSITION, "--margin", "5000").stdout

    assert text.startswith("hyperliquid (VERIFIED), BTC: long 0.5 from 100000, margin 5000, mark 100000\n")
    assert "liquidation price   91139.24050632...       (size * entry - margin - deduction)" in text
    assert "rate 0.0125, deduction 0, size +0.5" in text
    assert "bankruptcy price    90000 " in text
    assert "below what" not in text


def test_a_file_asks_the_same(tmp_path: Path) -> None:
    path = tmp_path / "position.json"
    asked = {"venue": "hyperliquid", "market": "BTC", "side": "long", "size": "0.5", "entry": 100000, "margin": 5000}
    path.write_text(json.dumps({**asked, "mark": "90100"}))
    found = json.loads(run("--file", str(path), "--format", "json").stdout)

    assert "7200000/79" == found["liquidation_price"]
    assert ("90000", "50", "563.125", True) == tuple(
        found[name] for name in ("bankruptcy_price", "equity", "maintenance_margin", "is_liquidatable")
    )
    assert "901" == found["leverage"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (POSITION, "--margin: expected this field in a position, got none"),
        ([*POSITION, "--margin", "1e3"], '--margin: expected a decimal string like 12.5, got "1e3"'),
        ([*POSITION, "--margin", "-1"], "--margin: expected a decimal zero or more, got -1"),
        ([*POSITION, "--margin", "1", "--market", "DOGE"], "--market: expected one of BTC, ETH, SOL, OTHER, got DOGE"),
        ([*POSITION, "--margin", "1", "--venue", "hyper"], "hyper: expected a file, or one of binance"),
    ],
)
def test_a_bad_question_is_one_clear_sentence(words: list[str], expected: str) -> None:
    result = run(*words)

    assert 2 == result.exit_code
    assert result.stderr.startswith(f"Error: {expected}") and result.stderr.count("\n") == 1
    assert "" == result.stdout


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"venue": "okx"}', ": market: expected this field in a position, got none"),
        ("[]", ": expected one JSON object"),
        ('{"venue": 1, "market": "", "side": "", "size": 1, "entry": 1, "margin": 1}', ": venue: expected a name"),
    ],
)
def test_a_bad_file_is_one_clear_sentence(content: str, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "position.json"
    path.write_text(content)
    result = run("--file", str(path))

    assert 2 == result.exit_code
    assert result.stderr.startswith(f"Error: {path}{expected}"), result.stderr
    assert 2 == run("--file", str(path), "--size", "1").exit_code
    assert 2 == run("--file", str(tmp_path / "none")).exit_code
