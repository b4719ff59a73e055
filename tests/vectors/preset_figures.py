"""Figures that venues publish of what their rulebooks say, computed by the presets."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from riskcore.gates import get_share_lots, is_within_share
from riskcore.quantities import RATE_ONE, Atoms, Lots, MarketId, Price, Time
from riskcore.rulebook import MarketRules
from riskcore.rulebook_file import RulebookFile
from riskcore.state import Market
from riskcore.venues.exact import exact
from riskcore.venues.presets import load_preset
from riskcore.venues.pricing import Position, Quote, compute_quote, get_bracket_below, get_brackets
from tests.vectors.play import Runners


def _load(inputs: dict[str, Any]) -> tuple[RulebookFile, MarketRules]:
    file = load_preset(inputs["preset"])
    return file, file.markets[MarketId(inputs["market"])]


def _rate(rate: int) -> Fraction:
    return Fraction(rate, RATE_ONE)


def _quote(inputs: dict[str, Any], size: object, entry: object, margin: object) -> Quote:
    file, _ = _load(inputs)
    position = Position(exact(str(size)), exact(str(entry)), exact(str(margin)), exact(str(entry)))
    return compute_quote(file, inputs["market"], position)


def run_requirement(inputs: dict[str, Any]) -> dict[str, Any]:
    """What a notional needs, and the bracket that it is in."""
    file, rules = _load(inputs)
    notional = exact(inputs["notional"])
    quote = _quote(inputs, notional, 1, notional)
    assert file.units is not None
    initial_rates = (rules.initial_margin_rate, *(tier.initial_margin_rate for tier in rules.tiers))
    bracket = get_bracket_below(get_brackets(rules, initial_rates, Fraction(file.units.cash)), notional)
    return {
        "floor": bracket.floor,
        "initial_rate": bracket.rate,
        "maintenance_rate": quote.rate,
        "initial_margin": quote.initial_margin,
        "maintenance_margin": quote.maintenance_margin,
        "max_leverage": 1 / bracket.rate,
    }


def run_fee(inputs: dict[str, Any]) -> dict[str, Any]:
    """What a trade of a notional costs both sides."""
    _, rules = _load(inputs)
    taker, maker, notional = _rate(rules.taker_fee_rate), _rate(rules.maker_fee_rate), exact(inputs["notional"])
    return {"taker_rate": taker, "maker_rate": maker, "taker_fee": taker * notional, "maker_fee": maker * notional}


def run_funding(inputs: dict[str, Any]) -> dict[str, Any]:
    """Interval and cap, and what a share of the market's rates would make the cap."""
    rulebook = load_preset(inputs["preset"]).rulebook
    found: dict[str, Any] = {"interval": rulebook.funding_interval, "cap": _rate(rulebook.funding_rate_cap)}
    if "share" in inputs:
        _, rules = _load(inputs)
        share, initial, maintenance = exact(inputs["share"]), rules.initial_margin_rate, rules.maintenance_margin_rate
        found["cap_of_spread"] = share * _rate(initial - maintenance)
        found["cap_of_maintenance"] = share * _rate(maintenance)
    return found


def run_close_out(inputs: dict[str, Any]) -> dict[str, Any]:
    """Below which rate of notional the vault takes an account over."""
    file, rules = _load(inputs)
    takeover = _rate(file.rulebook.takeover_rate)
    return {"takeover_rate": takeover, "close_out_rate": takeover * _rate(rules.maintenance_margin_rate)}


def run_band(inputs: dict[str, Any]) -> dict[str, Any]:
    """The prices between which a fill may lie."""
    _, rules = _load(inputs)
    band, mark = _rate(rules.fill_price_band), exact(inputs["mark"])
    return {"band": band, "limit_down": mark * (1 - band), "limit_up": mark * (1 + band)}


def run_penalty(inputs: dict[str, Any]) -> dict[str, Any]:
    """The fee of a liquidation, and what part of the requirement it is."""
    _, rules = _load(inputs)
    return {
        "rate": _rate(rules.liquidation_fee_rate),
        "of_maintenance": Fraction(rules.liquidation_fee_rate, rules.maintenance_margin_rate),
    }


def run_price(inputs: dict[str, Any]) -> dict[str, Any]:
    """Where a position is liquidated that was opened at the highest leverage."""
    size, entry = exact(inputs["size"]), exact(inputs["entry"])
    margin = _quote(inputs, size, entry, 0).initial_margin
    quote = _quote(inputs, size if inputs["side"] == "long" else -size, entry, margin)
    return {"liquidation_price": quote.liquidation_price, "bankruptcy_price": quote.bankruptcy_price}


def run_size(inputs: dict[str, Any]) -> dict[str, Any]:
    """How much of a position the first liquidation fill closes, as the kernel has it."""
    file, rules = _load(inputs)
    assert file.units is not None
    atom = Fraction(file.units.cash)
    held = int(exact(inputs["notional"]) / atom)
    market = Market(rules, Price(1), Atoms(0), 0, Time(0), Lots(held))
    first = held if is_within_share(market, held, held) else get_share_lots(market, held)
    share, floor = _rate(rules.liquidation_share), rules.liquidation_share_floor * atom
    return {"first": first * atom, "share": share, "above": floor}


def run_limit(inputs: dict[str, Any]) -> dict[str, Any]:
    """What is sold of an account in a block, and how long after a fill it may be closed whole."""
    file = load_preset(inputs["preset"])
    assert file.units is not None
    limit = file.rulebook.liquidation_block_limit * Fraction(file.units.cash)
    return {"in_a_block": limit, "window": file.rulebook.liquidation_window}


RUNNERS: Runners = {
    "size-": run_size,
    "limit-": run_limit,
    "requirement-": run_requirement,
    "fee-": run_fee,
    "funding-": run_funding,
    "closeout-": run_close_out,
    "band-": run_band,
    "penalty-": run_penalty,
    "price-": run_price,
}
