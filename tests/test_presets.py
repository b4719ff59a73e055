"""Presets: every figure has a source, and where cases are named they have the figure and are reproduced."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from riskcore.bad_input import LogError
from riskcore.codec import Source, read_text
from riskcore.prover.solver import Verdict
from riskcore.rulebook import is_admissible_market, is_admissible_rulebook
from riskcore.rulebook_check import judge
from riskcore.rulebook_file import RulebookFile, read_rulebook_file
from riskcore.venues import binance
from riskcore.venues.exact import exact
from riskcore.venues.presets import (
    UNVERIFIED,
    VERIFIED,
    get_preset_names,
    get_status,
    load_preset,
)
from specs.laws.choices import CHOICES
from tests.vectors.play import Case, Runners, load, play
from tests.vectors.table import SUBJECTS

NAMES = get_preset_names()
#: Venues in depth, of which an auditor expects figures.
IN_DEPTH = {"hyperliquid", "hyperliquid_documented", "dydx", "binance", "bybit", "starkex", "bluefin"}

#: Figures that are words, and the kinds of cases that are played by that rule.
WORDS = {
    ("rulebook.adl_rank", "profit_times_leverage"): ("rank-",),
    ("rulebook.adl_rank", "price_ratio_times_leverage"): ("rank-trap-hl",),
    ("rulebook.adl_rank", "profit_times_notional_to_equity"): ("rank-common-book", "flox-adl-10"),
    ("rulebook.adl_rank", "signed_profit_times_leverage"): ("rank-common-book", "bitmex-queue"),
    ("rulebook.adl_close_out", "bankruptcy"): ("dydx-bankr", "bybit-bk", "starknet-delev", "adltrades"),
    ("rulebook.insurance_before_adl", True): ("dydx-e2e",),
    ("rulebook.loss_sharing", "contracts"): ("drift-resolve",),
    ("rulebook.withdrawals_are_cut", True): ("paradex-slf",),
}


def run_bracket(case: dict[str, Any]) -> dict[str, Any]:
    terms = case["bracket_floor"], case["rate"], case["previous_rate"], case["previous_deduction"]
    return {"maintenance_amount": binance.get_deduction(*terms)}


def load_cases() -> dict[str, tuple[Runners, Case]]:
    found = {case.id: (runners, case) for subject, runners in SUBJECTS.items() for case in load(subject)}
    own: Runners = {"bybit-BTCUSDT": run_bracket}
    return found | {case.id: (own, case) for case in load("bybit_brackets", Path(__file__).parent / "vectors")}


CASES = load_cases()


def get_numbers(value: object) -> Iterator[Fraction]:
    """Every number in a case, and in its texts that are one."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for entry in value:
            yield from get_numbers(entry)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield Fraction(value)
    elif isinstance(value, str):
        try:
            yield exact(value)
        except ValueError:
            return


def round_to_rate(number: Fraction) -> Fraction:
    """Up to a part per million, as presets round."""
    return Fraction(math.ceil(number * 10**6), 10**6)


def has_figure(case: Case, figure: Fraction) -> bool:
    """Whether a number of the case is the figure: itself, in millionths, or as a leverage is one over it."""
    for number in get_numbers([case.inputs, case.expected]):
        forms = [number, number / 10**6] + ([1 / number] if number else [])
        if figure in forms or figure in map(round_to_rate, forms):
            return True
    return False


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_is_admissible_and_says_where_each_figure_is_from(name: str) -> None:
    preset = load_preset(name)

    assert is_admissible_rulebook(preset.rulebook)
    assert preset.markets and all(is_admissible_market(rules) for rules in preset.markets.values())
    assert preset.venue and preset.date and preset.units is not None
    assert [] == [path for path in [*preset.figures, "units"] if preset.get_source(path) is None]
    assert set(preset.units.lots) == set(preset.markets)


@pytest.mark.parametrize("name", NAMES)
def test_the_cases_of_a_figure_have_it_and_are_reproduced(name: str) -> None:
    preset = load_preset(name)
    for path, ids in preset.cases.items():
        figure = preset.figures[path]
        for id in ids:
            runners, case = CASES[id]
            _, differences = play(runners, case)
            kinds = WORDS.get((path, figure))
            assert [] == differences, id
            if kinds is None:
                assert isinstance(figure, str), path
                assert has_figure(case, exact(figure)), (path, id)
            else:
                assert id.startswith(kinds), (path, id)


def test_all_in_depth_but_bitmex_are_verified() -> None:
    verified = {name for name in NAMES if get_status(load_preset(name)) == VERIFIED}

    assert IN_DEPTH == verified
    assert UNVERIFIED == get_status(load_preset("bitmex"))


def test_a_figure_that_was_chosen_here_does_not_verify() -> None:
    preset = load_preset("bluefin")
    chosen = RulebookFile(
        preset.rulebook, preset.markets, sources=dict.fromkeys(preset.cases, "chosen here"), cases=preset.cases
    )

    assert UNVERIFIED == get_status(chosen)


def test_the_brackets_of_bybit_are_those_of_its_table() -> None:
    tiers = load_preset("bybit").markets
    (rules,) = tiers.values()
    for tier, case in zip(rules.tiers, load("bybit_brackets", Path(__file__).parent / "vectors"), strict=True):
        assert tier.floor == case.inputs["bracket_floor"] * 10**6
        assert tier.maintenance_margin_rate == exact(case.inputs["rate"]) * 10**6


def test_both_indices_of_hyperliquid_exist_by_name() -> None:
    engine, documented = load_preset("hyperliquid"), load_preset("hyperliquid_documented")

    assert engine.rulebook.adl_rank != documented.rulebook.adl_rank
    assert engine.markets == documented.markets


@pytest.mark.parametrize("choice", ["IF-4", "IF-5"])
def test_a_choice_of_a_preset_is_judged(choice: str) -> None:
    assert choice in {known.id for known in CHOICES}
    assert judge(choice, load_preset("dydx")).verdict == Verdict.PROVED


def test_an_unknown_preset_is_named_with_the_known_ones() -> None:
    with pytest.raises(KeyError, match="did you mean"):
        load_preset("hyperliquit")


RULEBOOK = (
    '"rulebook": {"vault": "v", "vault_position_limit": 0, "insurance_floor": 0, "insurance_backs_fills": true, '
    '"insurance_fill_band": 0, "insurance_before_adl": true, "adl_solvent": true, "adl_requires_profit": true, '
    '"adl_rank": "size", "funding_interval": 1, "funding_rate_cap": 0}'
)
MARKET = (
    '"markets": {"BTC": {"initial_margin_rate": 2, "maintenance_margin_rate": 1, "taker_fee_rate": 0, '
    '"maker_fee_rate": 0, "liquidation_fee_rate": 0}}'
)


def test_sources_and_cases_are_read(tmp_path: Path) -> None:
    path = tmp_path / "rules.json"
    told = '"sources": {"markets.BTC": "a document"}, "cases": {"rulebook.vault": ["one"]}'
    path.write_text(f'{{"riskcore_rulebook": 1, {RULEBOOK}, {MARKET}, {told}}}')
    read = read_rulebook_file(path)

    assert "a document" == read.get_source("markets.BTC.taker_fee_rate")
    assert read.get_source("rulebook.vault") is None
    assert {"rulebook.vault": ("one",)} == read.cases


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ('"sources": {"rulebook.vaul": "a"}', "sources.rulebook.vaul: expected the path of a figure"),
        ('"sources": {"rulebook.vault": 1}', "sources.rulebook.vault: expected a string"),
        ('"sources": []', "sources: expected an object"),
        ('"cases": {"rulebook.vault": []}', "cases.rulebook.vault: expected an array with at least one id"),
        ('"venue": ""', "venue: expected a string that is not empty"),
        ('"venu": "a"', "an unknown field"),
    ],
)
def test_what_is_told_wrongly_is_refused(tmp_path: Path, told: str, expected: str) -> None:
    path = tmp_path / "rules.json"
    path.write_text(f'{{"riskcore_rulebook": 1, {RULEBOOK}, {MARKET}, {told}}}')

    with pytest.raises(LogError) as caught:
        read_rulebook_file(path)
    assert expected in str(caught.value)
    assert "a" == read_text("a", Source(None, 9))
