"""Two rulebooks side by side: the fields that differ, and what each makes of one state.

Amounts are compared in quote currency, whatever atoms either counts in. On a state, both are carried over
to its atoms, and its vault stays the one that it has.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, TypeVar, cast, get_type_hints

import attrs
from attrs import evolve, frozen
from rich.console import Console
from rich.table import Table

from riskcore import queries
from riskcore.bad_input import LogError, printable
from riskcore.events import BeginDeleveraging, Deleverage, LiquidationFill, Takeover
from riskcore.journal import Stage, Trade
from riskcore.planner import find_below_maintenance, resolve
from riskcore.quantities import RATE_ONE, AccountId, Atoms, Lots, MarketId, Rate
from riskcore.rulebook import MarketRules, Rulebook, Tier, is_admissible_market, is_admissible_rulebook
from riskcore.rulebook_file import RulebookFile
from riskcore.state import State
from riskcore.units import Units, format_decimal

T = TypeVar("T", Rulebook, MarketRules, Tier)


@frozen
class Difference:
    """A field of which the two say different things; None where one has no such market."""

    path: str
    first: str | None
    second: str | None


@frozen
class Closed:
    """Lots of ``account`` that went to ``counterparty`` in a stage, at ``price`` atoms per lot."""

    stage: Stage
    account: AccountId
    counterparty: AccountId
    market: MarketId
    lots: Lots
    price: Fraction


@frozen
class Fate:
    """What a rulebook makes of a state.

    ``prices``: of each account below maintenance and each of its markets, the mark from which on it is, atoms per
    lot. ``closed``: who was closed against whom. ``uncovered``: atoms lost that nobody paid. ``unresolved``:
    who is still below maintenance.
    """

    prices: dict[tuple[AccountId, MarketId], int | None]
    closed: tuple[Closed, ...]
    insurance: Atoms
    uncovered: Atoms
    unresolved: tuple[AccountId, ...]


def get_differences(first: RulebookFile, second: RulebookFile) -> list[Difference]:
    """Every field that differs, of the rulebooks and of the markets by name; defaults count as said."""
    left, right = _flatten(first), _flatten(second)
    paths = [*left, *(path for path in right if path not in left)]
    found = [Difference(path, left.get(path), right.get(path)) for path in paths]
    return [difference for difference in found if difference.first != difference.second]


def _flatten(file: RulebookFile) -> dict[str, str]:
    texts = {"equity_against": file.equity_against}
    texts |= {f"rulebook.{name}": text for name, text in _to_texts(file.rulebook, file.units, None).items()}
    for market, rules in file.markets.items():
        texts |= {f"markets.{market}.{name}": text for name, text in _to_texts(rules, file.units, market).items()}
    return texts


def _to_texts(value: Any, units: Units | None, market: str | None) -> dict[str, str]:
    hints = get_type_hints(type(value))
    members = attrs.asdict(value, recurse=False)
    return {name: _to_text(hints[name], member, units, market) for name, member in members.items()}


def _to_text(hint: object, value: Any, units: Units | None, market: str | None) -> str:
    if isinstance(value, tuple):
        brackets = [_to_texts(tier, units, market) for tier in value]
        return "; ".join(" ".join(bracket.values()) for bracket in brackets) or "none"
    if hint is Rate:
        return format_decimal(Fraction(value, RATE_ONE))
    if hint is Atoms and value == 1:
        # the least that there is, whatever it is worth
        return "an atom"
    if hint is Atoms and units is not None:
        return format_decimal(value * Fraction(units.cash))
    if hint is Lots and units is not None and market is not None and market in units.lots:
        return format_decimal(value * Fraction(units.lots[market]))
    return str(value).lower() if isinstance(value, bool) else str(value)


def carry_over(file: RulebookFile, name: str, atom: Fraction) -> RulebookFile:
    """The same choices counted in atoms of ``atom`` quote units. ``LogError`` where one is no whole number.

    A file that says no units is taken as it is.
    """
    if file.units is None:
        return file
    factor = Fraction(file.units.cash) / atom
    try:
        rulebook = _scale(file.rulebook, factor)
        markets = {
            market: _scale(evolve(rules, tiers=tuple(_scale(tier, factor) for tier in rules.tiers)), factor)
            for market, rules in file.markets.items()
        }
    except ValueError as error:
        raise LogError(name, None, None, f"amounts in whole atoms of {format_decimal(atom)}", str(error)) from None
    return evolve(file, rulebook=rulebook, markets=markets)


def _scale(value: T, factor: Fraction) -> T:
    changes: dict[str, Atoms] = {}
    for name, hint in get_type_hints(type(value)).items():
        if hint is Atoms:
            scaled = getattr(value, name) * factor
            # the least deposit that there is stays the least
            if scaled.denominator != 1 and name != "vault_deposit_minimum":
                raise ValueError(f"{name} of {format_decimal(scaled)}")
            changes[name] = Atoms(-(-scaled.numerator // scaled.denominator))
    carried: T = evolve(cast(Any, value), **changes)
    return carried


def put_under(state: State, file: RulebookFile, name: str) -> State:
    """The state as if it had the file's rules: its markets of the same names, its own vault.

    ``LogError`` where no market has the same name, or a deleveraging or sharing is open, which has rules of its own.
    """
    if state.deleveraging is not None or state.sharing is not None:
        raise LogError("--state", None, None, "a state without an open deleveraging or sharing", "one with it")
    markets, shared = state.markets, 0
    for id, market in state.markets.items():
        if market is not None and id in file.markets:
            markets, shared = markets.put(id, evolve(market, rules=file.markets[id])), shared + 1
    if not shared:
        known = ", ".join(sorted(id for id, _ in state.markets.items()))
        raise LogError(name, None, "markets", f"one of the state's ({known})", ", ".join(file.markets))
    rulebook = evolve(file.rulebook, vault=state.rulebook.vault)
    assert is_admissible_rulebook(rulebook) and all(map(is_admissible_market, file.markets.values()))
    return evolve(state, rulebook=rulebook, markets=markets)


def get_fate(state: State) -> Fate:
    """What ``resolve`` does, without an order book."""
    prices: dict[tuple[AccountId, MarketId], int | None] = {}
    for _, id in find_below_maintenance(state):
        for market, _ in state.accounts.get(id).positions.items():
            prices[id, market] = queries.liquidation_price(state, id, market)
    resolution = resolve(state, prefix="diff")
    closed: list[Closed] = []
    account = AccountId("")
    for event, lines in zip(resolution.events, resolution.effects, strict=True):
        if isinstance(event, LiquidationFill | Takeover | BeginDeleveraging):
            account = event.account
        if isinstance(event, LiquidationFill | Takeover | Deleverage):
            closed += [_get_closed(line, account) for line in lines if isinstance(line, Trade)]
    reserves = resolution.state.reserves
    return Fate(prices, tuple(closed), reserves.insurance, Atoms(-reserves.uncovered), resolution.unresolved)


def _get_closed(line: Trade, account: AccountId) -> Closed:
    other = line.seller if line.buyer == account else line.buyer
    return Closed(line.stage, account, other, line.market, line.lots, Fraction(line.amount, line.lots))


def to_json(
    names: tuple[str, str], differences: list[Difference], fates: tuple[Fate, Fate] | None, statuses: tuple[str, str]
) -> dict[str, object]:
    """The object that ``rulebook diff --format json`` prints; atoms and lots as in the state."""
    return {
        "rulebooks": [{"name": name, "status": status} for name, status in zip(names, statuses, strict=True)],
        "differences": [{"path": found.path, "first": found.first, "second": found.second} for found in differences],
        "fates": None if fates is None else [_fate_to_json(fate) for fate in fates],
    }


def _fate_to_json(fate: Fate) -> dict[str, object]:
    return {
        "liquidated": [
            {"account": account, "market": market, "liquidation_price": price}
            for (account, market), price in fate.prices.items()
        ],
        "closed": [
            {
                "stage": closed.stage.value,
                "account": closed.account,
                "counterparty": closed.counterparty,
                "market": closed.market,
                "lots": closed.lots,
                "price": str(closed.price),
            }
            for closed in fate.closed
        ],
        "insurance": fate.insurance,
        "uncovered": fate.uncovered,
        "unresolved": list(fate.unresolved),
    }


def print_diff(
    names: tuple[str, str],
    differences: list[Difference],
    fates: tuple[Fate, Fate] | None,
    statuses: tuple[str, str],
    console: Console,
) -> None:
    """The page of both."""
    shown = [f"{printable(name)} ({status})" for name, status in zip(names, statuses, strict=True)]
    if not differences:
        console.print(f"{shown[0]} and {shown[1]} say the same.", soft_wrap=True, markup=False)
    else:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for title in ("figure", *shown):
            table.add_column(title)
        for found in differences:
            values = ["-" if text is None else printable(text) for text in (found.first, found.second)]
            table.add_row(printable(found.path), *values)
        console.print(table, markup=False)
    for name, fate in zip(shown, fates or (), strict=False):
        console.print(f"\nUnder {name}:", soft_wrap=True, markup=False)
        _print_fate(fate, console)


def _print_fate(fate: Fate, console: Console) -> None:
    if not fate.prices:
        console.print("  nobody is below maintenance")
    for (account, market), price in fate.prices.items():
        since = "at every price" if price is None else f"from {price} atoms per lot on"
        console.print(f"  {printable(account)} is below maintenance in {printable(market)} {since}", markup=False)
    for closed in fate.closed:
        who = f"{printable(closed.account)}: {closed.lots} lots of {printable(closed.market)}"
        paid = format_decimal(closed.price)
        line = f"  {closed.stage.value}: {who} to {printable(closed.counterparty)} at {paid}"
        console.print(line, soft_wrap=True, markup=False)
    console.print(f"  uncovered {fate.uncovered}, insurance {fate.insurance} atoms")
    if fate.unresolved:
        console.print("  unresolved: " + ", ".join(map(printable, fate.unresolved)), soft_wrap=True, markup=False)
