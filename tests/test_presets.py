"""Presets: every figure has a source, and where cases are named they have the figure and are reproduced."""

from __future__ import annotations

import math
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
    CHOSEN,
    UNVERIFIED,
    VERIFIED,
    get_preset_names,
    get_status,
    load_preset,
    split_reference,
)
from tests.vectors import preset_figures
from tests.vectors.play import Case, Runners, get_at, load, play, replace_at
from tests.vectors.table import SUBJECTS

NAMES = get_preset_names()
#: Figures that are words, and what in a case is played by that rule.
WORDS = {
    ("equity_against", "entry"): (
        "price-bitmex-100#expected.liquidation_price",
        "cex-isolated-18#expected.liquidation_price",
    ),
    ("equity_against", "price_and_fee"): ("cex-isolated-13#expected.liquidation_price",),
    ("rulebook.adl_rank", "profit_times_leverage"): (
        "rank-common-book#expected.hl_score",
        "rank-trap-hl#expected.decompiled_order",
    ),
    ("rulebook.adl_rank", "price_ratio_times_leverage"): ("rank-trap-hl#expected.documented_order",),
    ("rulebook.adl_rank", "profit_times_notional_to_equity"): (
        "rank-common-book#expected.binance",
        "flox-adl-10#expected.closed",
    ),
    ("rulebook.adl_rank", "signed_profit_times_leverage"): (
        "rank-common-book#expected.bitmex",
        "bitmex-queue#expected.order",
    ),
    ("rulebook.adl_close_out", "bankruptcy"): (
        "dydx-bankr-07#expected.bankruptcy_quote_quantums",
        "dydx-bankr-08#expected.bankruptcy_quote_quantums",
        "bybit-bk-abc#expected.bankruptcy_price",
        "bitmex-close20#expected.price",
        "starknet-delev-1#expected.all_fair",
        "starknet-delev-2#expected.all_fair",
        "adltrades-001#expected.steps[2].expectCat.pnl",
    ),
    ("rulebook.adl_solvent", False): (
        "dydx-candelev-1#expected.at_bankruptcy_price",
        "dydx-candelev-3#expected.at_bankruptcy_price",
        "starknet-tvtr-01#expected.state",
        "starknet-tvtr-02#expected.state",
    ),
    ("rulebook.insurance_backs_fills", True): ("dydx-e2e-08#expected.liquidated_usdc",),
    ("rulebook.insurance_before_adl", True): ("dydx-e2e-11#expected.others",),
    ("rulebook.loss_sharing", "contracts"): (
        "drift-resolve-1#expected.per_base_charge",
        "drift-resolve-2#expected.per_base_charge",
    ),
    ("rulebook.withdrawals_are_cut", True): ("paradex-slf#expected.withdrawn",),
}
VECTORS = Path(__file__).parent / "vectors"


def run_bracket(case: dict[str, Any]) -> dict[str, Any]:
    terms = case["bracket_floor"], case["rate"], case["previous_rate"], case["previous_deduction"]
    return {"maintenance_amount": binance.get_deduction(*terms)}


def load_cases() -> dict[str, tuple[Runners, Case]]:
    found = {case.id: (runners, case) for subject, runners in SUBJECTS.items() for case in load(subject)}
    own: Runners = {"bybit-BTCUSDT": run_bracket}
    found |= {case.id: (own, case) for case in load("bybit_brackets", VECTORS)}
    return found | {case.id: (preset_figures.RUNNERS, case) for case in load("preset_figures", VECTORS)}


CASES = load_cases()


def round_to_rate(number: Fraction) -> Fraction:
    """Up to a part per million, as presets round."""
    return Fraction(math.ceil(number * 10**6), 10**6)


def has_figure(value: Any, figure: Fraction) -> bool:
    """Whether a case's value is the figure: itself, in millionths, or as a leverage is one over it."""
    number = exact(value)
    forms = [number, number / 10**6] + ([1 / number] if number else [])
    return figure in forms or figure in map(round_to_rate, forms)


REFERENCES = [
    (name, path, *split_reference(reference))
    for name in NAMES
    for path, references in load_preset(name).cases.items()
    for reference in references
]


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_is_admissible_and_says_where_each_figure_is_from(name: str) -> None:
    preset = load_preset(name)

    assert is_admissible_rulebook(preset.rulebook)
    assert preset.markets and all(is_admissible_market(rules) for rules in preset.markets.values())
    assert preset.venue and preset.date and preset.units is not None
    assert [] == [path for path in [*preset.figures, "units"] if preset.get_source(path) is None]
    assert set(preset.units.lots) == set(preset.markets)


@pytest.mark.parametrize("id", sorted({id for _, _, id, _ in REFERENCES}))
def test_the_cases_of_figures_are_reproduced(id: str) -> None:
    runners, case = CASES[id]
    _, differences = play(runners, case)

    assert [] == differences


@pytest.mark.parametrize("name", NAMES)
def test_a_case_has_the_figure_at_the_place_that_is_named(name: str) -> None:
    preset = load_preset(name)
    for path, id, place in [reference[1:] for reference in REFERENCES if reference[0] == name]:
        figure, value = preset.figures[path], get_at(CASES[id][1], place)
        kinds = WORDS.get((path, figure))
        if kinds is not None:
            assert f"{id}#{place}" in kinds, path
            continue
        assert isinstance(figure, str | int), path
        assert has_figure(value, exact(figure)), (path, id, place)
        # and another figure is not there
        assert not has_figure(value, exact(figure) + Fraction(1, 10**6)), (path, id, place)


@pytest.mark.parametrize(
    ("id", "place"), sorted({(id, place) for _, _, id, place in REFERENCES if place.startswith("inputs")})
)
def test_a_case_depends_on_the_figure_that_it_checks(id: str, place: str) -> None:
    runners, case = CASES[id]
    value = get_at(case, place)
    changed = 0
    for factor in (2, Fraction(1, 2), 10, Fraction(11, 10)):
        number = exact(value) * factor
        other = int(number) if isinstance(value, int) and number.denominator == 1 else str(number)
        try:
            _, differences = play(runners, replace_at(case, place, other))
            changed += bool(differences)
        except (ValueError, AssertionError):  # refused, or a table goes another way
            changed += 1

    assert changed


@pytest.mark.parametrize("case", load("preset_figures", VECTORS), ids=lambda case: case.id)
def test_a_preset_gives_its_venues_figures(case: Case) -> None:
    _, differences = play(preset_figures.RUNNERS, case)

    assert [] == differences
    # each is said of some figure
    assert case.id in {id for _, _, id, _ in REFERENCES}


def test_all_are_verified() -> None:
    assert {VERIFIED} == {get_status(load_preset(name)) for name in NAMES}


def test_nothing_is_left_to_be_looked_up() -> None:
    for name in NAMES:
        assert [] == [source for source in load_preset(name).sources.values() if "not looked up" in source]


def test_what_was_chosen_here_says_why() -> None:
    for name in NAMES:
        for path, source in load_preset(name).sources.items():
            assert not source.startswith(CHOSEN) or source.removeprefix(CHOSEN).startswith(": "), (name, path)


def test_a_reference_without_a_place_is_refused() -> None:
    assert ("hl-tier-ETH", "expected.table[0]") == split_reference("hl-tier-ETH#expected.table[0]")
    for text in ("hl-tier-ETH", "hl-tier-ETH#"):
        with pytest.raises(ValueError, match="a place in the case"):
            split_reference(text)


def test_a_figure_that_was_chosen_here_does_not_verify() -> None:
    preset = load_preset("bluefin")
    chosen = RulebookFile(
        preset.rulebook, preset.markets, sources=dict.fromkeys(preset.cases, "chosen here"), cases=preset.cases
    )

    assert UNVERIFIED == get_status(chosen)


def test_the_brackets_of_bybit_are_those_of_its_table() -> None:
    tiers = load_preset("bybit").markets
    (rules,) = tiers.values()
    for tier, case in zip(rules.tiers, load("bybit_brackets", VECTORS), strict=True):
        assert tier.floor == case.inputs["bracket_floor"] * 10**6
        assert tier.maintenance_margin_rate == exact(case.inputs["rate"]) * 10**6


def test_both_indices_of_hyperliquid_exist_by_name() -> None:
    engine, documented = load_preset("hyperliquid"), load_preset("hyperliquid_documented")

    assert engine.rulebook.adl_rank != documented.rulebook.adl_rank
    assert engine.markets == documented.markets


def test_a_choice_of_a_preset_is_judged() -> None:
    """All of them are by ``python -m tests.promises``."""
    assert judge("IF-4", load_preset("dydx")).verdict == Verdict.PROVED


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
        ('"equity_against": "mark"', "equity_against: expected one of price, price_and_fee, entry"),
        ('"equity_against": []', "equity_against: expected one of price, price_and_fee, entry"),
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
