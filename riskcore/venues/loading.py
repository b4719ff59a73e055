"""Market data as people have it: ccxt's markets, tiers and positions, Binance's brackets, Hyperliquid's answers.

Everything is exact: ``parse`` keeps decimals as text, and a float that a client has made of one is read as its shortest
decimal. What is missing or contradicts itself raises ``Fault``, which names the place. Amounts are counted in atoms
of a given worth; initial rates are one over a leverage, rounded up to a part per million.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from riskcore.bad_input import Fault, LogError, Malformed, get_cause, printable, within
from riskcore.choices import TierRule
from riskcore.files import get_length
from riskcore.quantities import RATE_ONE, Atoms, MarketId, Rate
from riskcore.rulebook import MarketRules, Rulebook, Tier
from riskcore.snapshot import check_rules
from riskcore.strict_json import LOG_DIGITS, describe
from riskcore.units import format_decimal
from riskcore.venues.exact import Number, exact, round_up
from riskcore.venues.hyperliquid import get_maintenance_rate
from riskcore.venues.scene import Held, Holding, Listing, Scene, make_scene

#: Of a size, more than any market has.
_MOST_DECIMALS = 30
#: Of Hyperliquid's margin tables, those below have one tier, whose leverage is the id.
TABLES = 50


@frozen
class Level:
    """A bracket as a venue gives it. ``cap`` and ``deduction``: None where it does not say."""

    floor: Fraction
    cap: Fraction | None
    maintenance: Fraction
    leverage: Fraction
    deduction: Fraction | None


@frozen
class Loaded:
    """A market's rules, what an atom is worth in quote currency, and a lot in base units."""

    rules: MarketRules
    atom: Fraction
    lot: Fraction


#: Longer than any answer of a venue.
_MOST = 64_000_000


def parse(text: str | bytes) -> Any:
    """JSON with its decimals as text. ``Malformed`` for what is none, ``Fault`` for a key that stands twice."""
    try:
        return json.loads(
            text, parse_float=str, parse_int=_read_integer, parse_constant=str, object_pairs_hook=_read_pairs
        )
    except Fault:
        raise
    except json.JSONDecodeError as error:
        raise Malformed(f"none: {error.msg.lower()}", error.lineno, "JSON") from None
    except RecursionError:
        raise Malformed("deeper nesting than that", expected="JSON of some levels") from None
    except ValueError as error:
        raise Malformed(printable(str(error)), expected="JSON") from None


def _read_integer(text: str) -> int | str:
    """A number that is too long stays text, and is refused where it is used."""
    return int(text) if len(text) <= LOG_DIGITS else text


def _read_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise Fault("each key once", "the key twice", printable(twice))
    return members


def read_data(path: Path) -> Any:
    """What a file of market data holds. ``LogError`` where it is no JSON, or cannot be read."""
    file = str(path)
    length = get_length(path, "a readable file")
    if length > _MOST:
        raise LogError(file, None, None, f"at most {_MOST:,} bytes", f"{length:,}")
    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise LogError(file, None, None, "a readable file", get_cause(error)) from None
    except Malformed as fault:
        raise LogError(file, fault.row, None, fault.expected, fault.got) from None
    except Fault as fault:
        raise LogError(file, None, fault.field, fault.expected, fault.got) from None


# What is in an answer


def _find(value: object, name: str) -> Any:
    if not isinstance(value, Mapping):
        raise Fault("an object", describe(value))
    return value.get(name)


def _get(value: object, name: str) -> Any:
    found = _find(value, name)
    if found is None:
        raise Fault("this field", "none", name)
    return found


def _to_number(value: object) -> Fraction:
    """The number as it is written: of what a client has made a binary number of, its shortest decimal."""
    if isinstance(value, str) and len(value) > LOG_DIGITS:
        raise Fault(f"a decimal of at most {LOG_DIGITS} digits", f"one of {len(value):,}")
    if isinstance(value, bool | dict | list) or value is None:
        raise Fault("a decimal", describe(value))
    try:
        return exact(value if isinstance(value, int | str | Fraction) else str(value))
    except ValueError:
        raise Fault("a decimal", describe(value)) from None


def _get_number(value: object, name: str) -> Fraction:
    found = _get(value, name)
    with within(name):
        return _to_number(found)


def _get_above_zero(value: object, name: str) -> Fraction:
    number = _get_number(value, name)
    if number <= 0:
        raise Fault("a number above zero", format_decimal(number), name)
    return number


def _get_whole(value: object, name: str, most: int) -> int:
    number = _get_number(value, name)
    if number.denominator != 1 or not 0 <= number <= most:
        raise Fault(f"an integer from 0 to {most:,}", format_decimal(number), name)
    return int(number)


def _get_text(value: object, name: str) -> str:
    text = _get(value, name)
    if not isinstance(text, str) or not text:
        raise Fault("a string that is not empty", describe(text), name)
    return text


def _get_entries(value: object) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise Fault("an array", describe(value))
    return list(value)


# Rules


def make_rules(
    levels: Iterable[Level],
    atom: Number,
    *,
    taker_fee: Number,
    maker_fee: Number,
    liquidation_fee: Number = 0,
    tier_rule: TierRule | None = None,
) -> MarketRules:
    """A market's rules. Where ``tier_rule`` is not given the deductions say it.

    ``Fault`` where brackets leave a gap, deductions are missing or are not those of either rule, a floor is no whole
    number of atoms, or the rates are not admissible.
    """
    brackets = list(levels)
    _check_floors(brackets)
    rule = _find_rule(brackets) if tier_rule is None else tier_rule
    unit = exact(atom)
    tiers = []
    for place, level in enumerate(brackets[1:], start=1):
        with within(f"[{place}]"):
            floor = _to_whole(level.floor / unit, f"a floor in whole atoms of {format_decimal(unit)}", level.floor)
            tiers.append(Tier(Atoms(floor), _get_initial_rate(level), _to_rate(level.maintenance)))
    base = brackets[0]
    rules = MarketRules(
        _get_initial_rate(base),
        _to_rate(base.maintenance),
        _to_rate(exact(taker_fee)),
        _to_rate(exact(maker_fee)),
        _to_rate(exact(liquidation_fee)),
        tiers=tuple(tiers),
        tier_rule=rule,
    )
    check_rules(rules)
    return rules


def _check_floors(levels: list[Level]) -> None:
    if not levels or levels[0].floor != 0:
        raise Fault("brackets that start at zero", format_decimal(levels[0].floor) if levels else "none")
    for place, (below, level) in enumerate(pairwise(levels), start=1):
        if level.floor <= below.floor or (below.cap is not None and below.cap != level.floor):
            end = below.cap if below.cap is not None and below.cap != level.floor else below.floor
            expected = f"a floor that follows the bracket below ({format_decimal(end)})"
            raise Fault(expected, format_decimal(level.floor), f"[{place}]")


def _find_rule(levels: list[Level]) -> TierRule:
    """Continuous deductions mean that each part of a notional has its own rate, none that the whole has one."""
    if len(levels) == 1:
        return TierRule.MARGINAL
    deductions = []
    for place, level in enumerate(levels):
        if level.deduction is None:
            raise Fault("the deduction (cum) of each bracket, or a tier_rule", "none", f"[{place}]")
        deductions.append(level.deduction)
    if not any(deductions):
        return TierRule.SLAB
    deduction, below = Fraction(0), levels[0].maintenance
    for place, (level, given) in enumerate(zip(levels, deductions, strict=True)):
        deduction += level.floor * (level.maintenance - below)
        below = level.maintenance
        if given != deduction:
            raise Fault(f"a deduction of {format_decimal(deduction)}", format_decimal(given), f"[{place}]")
    return TierRule.MARGINAL


def _get_initial_rate(level: Level) -> Rate:
    return Rate(round_up(RATE_ONE / level.leverage))


def _to_rate(rate: Fraction) -> Rate:
    return Rate(_to_whole(rate * RATE_ONE, "a rate in whole parts per million", rate))


def _to_whole(number: Fraction, expected: str, shown: Fraction) -> int:
    if number.denominator != 1:
        raise Fault(expected, format_decimal(shown))
    return number.numerator


def read_ccxt_levels(tiers: object) -> list[Level]:
    """The tiers of one symbol as ``fetch_leverage_tiers`` gives them; ``info.cum`` is the deduction."""
    levels = []
    for place, tier in enumerate(_get_entries(tiers)):
        with within(f"[{place}]"):
            info, deduction = _find(tier, "info"), None
            if isinstance(info, Mapping) and info.get("cum") is not None:
                with within("info"):
                    deduction = _get_number(info, "cum")
            cap = _get_number(tier, "maxNotional") if _find(tier, "maxNotional") is not None else None
            rate, leverage = _get_number(tier, "maintenanceMarginRate"), _get_above_zero(tier, "maxLeverage")
            levels.append(Level(_get_number(tier, "minNotional"), cap, rate, leverage, deduction))
    return levels


def load_ccxt(
    tiers: object,
    markets: object,
    atom: Number,
    *,
    liquidation_fee: Number = 0,
    tier_rule: TierRule | None = None,
) -> dict[MarketId, Loaded]:
    """The rules of every symbol of ``fetch_leverage_tiers``, with fees and contract size of ``markets``, by symbol too.

    ``Fault`` for an inverse market, whose margin is not in quote currency.
    """
    if not isinstance(tiers, Mapping):
        raise Fault("an object of tiers by symbol", type(tiers).__name__, "tiers")
    loaded: dict[MarketId, Loaded] = {}
    for symbol, entries in tiers.items():
        with within("markets"):
            market = _get(markets, symbol)
            with within(symbol):
                fees = _get_number(market, "taker"), _get_number(market, "maker")
                if _find(market, "linear") is False:
                    raise Fault("a linear market", "false", "linear")
                size = _get_above_zero(market, "contractSize")
                lot = size * _get_step(market)
        with within("tiers"), within(symbol):
            rules = make_rules(
                read_ccxt_levels(entries),
                atom,
                taker_fee=fees[0],
                maker_fee=fees[1],
                liquidation_fee=liquidation_fee,
                tier_rule=tier_rule,
            )
        loaded[MarketId(symbol)] = Loaded(rules, exact(atom), lot)
    return loaded


def _get_step(market: object) -> Fraction:
    """Contracts of the smallest trade: ``precision.amount`` where ccxt gives it as a step, its mode ``TICK_SIZE``."""
    precision = _get(market, "precision")
    with within("precision"):
        return _get_above_zero(precision, "amount")


def read_binance_levels(brackets: object) -> list[Level]:
    """The ``brackets`` of one symbol as ``leverageBracket`` gives them."""
    levels = []
    for place, bracket in enumerate(_get_entries(brackets)):
        with within(f"[{place}]"):
            floor, cap = _get_number(bracket, "notionalFloor"), _get_number(bracket, "notionalCap")
            rate, leverage = _get_number(bracket, "maintMarginRatio"), _get_above_zero(bracket, "initialLeverage")
            levels.append(Level(floor, cap, rate, leverage, _get_number(bracket, "cum")))
    return levels


@frozen
class Symbol:
    """What ``exchangeInfo`` says of a symbol: base units of the smallest trade, rate of a liquidation's fee."""

    lot: Fraction
    liquidation_fee: Fraction


def read_binance_symbols(answer: object) -> dict[MarketId, Symbol]:
    """The symbols of ``exchangeInfo``, from their filters of lot size."""
    found: dict[MarketId, Symbol] = {}
    for place, entry in enumerate(_get_entries(_get(answer, "symbols"))):
        with within(f"[{place}]"):
            for number, rule in enumerate(_get_entries(_get(entry, "filters"))):
                if _find(rule, "filterType") == "LOT_SIZE":
                    with within(f"filters[{number}]"):
                        lot = _get_above_zero(rule, "stepSize")
                    found[MarketId(_get_text(entry, "symbol"))] = Symbol(lot, _get_number(entry, "liquidationFee"))
    return found


def load_binance_brackets(
    answer: object,
    atom: Number,
    *,
    taker_fee: Number,
    maker_fee: Number,
    liquidation_fee: Number = 0,
    symbols: Mapping[MarketId, Symbol] | None = None,
) -> dict[MarketId, MarketRules]:
    """The rules of each symbol of ``leverageBracket``, one or an array; ``symbols`` have their own liquidation fees.

    ``Fault`` for a ``notionalCoef`` other than one: the API does not say whether its brackets have it in them.
    """
    loaded: dict[MarketId, MarketRules] = {}
    for place, entry in enumerate([answer] if isinstance(answer, Mapping) else _get_entries(answer)):
        with within(f"[{place}]"):
            symbol = _get_text(entry, "symbol")
            if _find(entry, "notionalCoef") is not None and _get_number(entry, "notionalCoef") != 1:
                raise Fault("1, or none", describe(entry["notionalCoef"]), "notionalCoef")
            brackets = _get(entry, "brackets")
            with within("brackets"):
                levels = read_binance_levels(brackets)
                known = (symbols or {}).get(MarketId(symbol))
                fee = liquidation_fee if known is None else known.liquidation_fee
                loaded[MarketId(symbol)] = make_rules(
                    levels, atom, taker_fee=taker_fee, maker_fee=maker_fee, liquidation_fee=fee
                )
    return loaded


def load_hyperliquid_meta(
    meta: object, atom: Number, *, taker_fee: Number, maker_fee: Number
) -> dict[MarketId, Loaded]:
    """The rules of each asset of ``meta`` that is not delisted; its tiers are those of its margin table.

    Maintenance is half the initial rate; where that is no whole number of parts per million it is rounded up.
    """
    tables = {}
    for place, pair in enumerate(_get_entries(_get(meta, "marginTables"))):
        with within(f"marginTables[{place}]"):
            entries = _get_entries(pair)
            if len(entries) != 2:
                raise Fault("an id and a table", f"{len(entries)} entries")
            tables[_to_id(entries[0])] = _get(entries[1], "marginTiers")
    loaded: dict[MarketId, Loaded] = {}
    for place, asset in enumerate(_get_entries(_get(meta, "universe"))):
        with within(f"universe[{place}]"):
            if not _find(asset, "isDelisted"):
                levels = _read_margin_table(asset, tables)
                lot = Fraction(1, 10 ** _get_whole(asset, "szDecimals", _MOST_DECIMALS))
                rules = make_rules(levels, atom, taker_fee=taker_fee, maker_fee=maker_fee, tier_rule=TierRule.MARGINAL)
                loaded[MarketId(_get_text(asset, "name"))] = Loaded(rules, exact(atom), lot)
    return loaded


def _to_id(value: object) -> int:
    number = _to_number(value)
    if number.denominator != 1 or number < 0:
        raise Fault("an integer of zero or more", format_decimal(number))
    return int(number)


def _read_margin_table(asset: object, tables: Mapping[int, object]) -> list[Level]:
    with within("marginTableId"):
        id = _to_id(_get(asset, "marginTableId"))
    if id in tables:
        with within(f"marginTable {id}"):
            return [_make_hyperliquid_level(tier) for tier in _get_entries(tables[id])]
    if id >= TABLES:
        raise Fault("the id of one of marginTables", str(id), "marginTableId")
    return [_make_hyperliquid_level({"lowerBound": 0, "maxLeverage": _get_above_zero(asset, "maxLeverage")})]


def _make_hyperliquid_level(tier: object) -> Level:
    floor, leverage = _get_number(tier, "lowerBound"), _get_above_zero(tier, "maxLeverage")
    maintenance = Fraction(round_up(get_maintenance_rate(leverage) * RATE_ONE), RATE_ONE)
    return Level(floor, None, maintenance, leverage, None)


# States


def load_hyperliquid_state(
    accounts: Mapping[str, object], markets: Mapping[MarketId, Loaded], rulebook: Rulebook | None = None
) -> Scene:
    """A state of ``clearinghouseState`` answers by account; marks are those that their position values have.

    An isolated position is an account of its own, named ``account/coin``. One more account takes the other side of
    all. ``Fault`` where an account's value is not its cash and positions, or two have different marks.
    """
    data = Accounts({}, {}, {})
    for id, answer in accounts.items():
        with within(printable(id)):
            read_hyperliquid_account(answer, id, data)
    return _make_state(data.holdings, data.marks, markets, rulebook)


@frozen
class Accounts:
    """Accounts with their positions, marks by market, and the liquidation prices that the venue gives of positions."""

    holdings: dict[str, Holding]
    marks: dict[str, Fraction]
    told: dict[tuple[str, str], Fraction]


def read_hyperliquid_account(answer: object, id: str, data: Accounts) -> None:
    """Add what a ``clearinghouseState`` answer has to the data."""
    cross: dict[str, Held] = {}
    for place, entry in enumerate(_get_entries(_get(answer, "assetPositions"))):
        with within(f"assetPositions[{place}].position"):
            position = _get(entry, "position")
            coin, held, mark = _read_hyperliquid_position(position)
            _note_mark(data.marks, coin, mark)
            leverage = _get(position, "leverage")
            with within("leverage"):
                is_isolated = _get_text(leverage, "type") == "isolated"
                owner = f"{id}/{coin}" if is_isolated else id
                if is_isolated:
                    data.holdings[owner] = Holding(_get_number(leverage, "rawUsd"), {coin: held})
                elif coin in cross:
                    raise Fault("one cross position of a coin", f"a second one of {printable(coin)}")
                else:
                    cross[coin] = held
            _note_told(data, owner, coin, position, "liquidationPx")
    with within("crossMarginSummary"):
        summary = _get(answer, "crossMarginSummary")
        cash, value = _get_number(summary, "totalRawUsd"), _get_number(summary, "accountValue")
        worth = cash + sum((held.size * data.marks[coin] for coin, held in cross.items()), Fraction(0))
        if worth != value:
            expected = f"cash and positions ({format_decimal(worth)})"
            raise Fault(expected, format_decimal(value), "accountValue")
    data.holdings[id] = Holding(cash, cross)


def _note_told(data: Accounts, owner: str, market: str, position: object, name: str) -> None:
    if _find(position, name) is not None:
        data.told[owner, market] = _get_number(position, name)


def _read_hyperliquid_position(position: object) -> tuple[str, Held, Fraction]:
    size, entry = _get_number(position, "szi"), _get_above_zero(position, "entryPx")
    if size == 0:
        raise Fault("a size that is not zero", "0", "szi")
    mark = _get_above_zero(position, "positionValue") / abs(size)
    return _get_text(position, "coin"), Held(size, size * entry), mark


def load_ccxt_positions(
    positions: object,
    markets: Mapping[MarketId, Loaded],
    sizes: Mapping[str, Number],
    *,
    wallet: Number | None = None,
    account: str = "account",
    rulebook: Rulebook | None = None,
) -> Scene:
    """A state of one account's ``fetch_positions``; ``sizes``: base units of a contract by symbol, where it says none.

    Positions of no contracts are left out. Cross positions share ``wallet``, the balance without open profit; an
    isolated one is an account of its own, ``account/symbol``, worth its ``collateral``.
    """
    data = read_ccxt_account(positions, sizes, wallet, account)
    return _make_state(data.holdings, data.marks, markets, rulebook)


def read_ccxt_account(
    positions: object, sizes: Mapping[str, Number], wallet: Number | None, account: str = "account"
) -> Accounts:
    """What ``fetch_positions`` has of one account (``load_ccxt_positions``)."""
    data, cross = Accounts({}, {}, {}), dict[str, Held]()
    for place, position in enumerate(_get_entries(positions)):
        with within(f"[{place}]"):
            symbol = _get_text(position, "symbol")
            if _get_number(position, "contracts") == 0:
                continue
            size = _get_ccxt_size(position, sizes.get(symbol))
            mark = _get_above_zero(position, "markPrice")
            held = Held(size, size * _get_above_zero(position, "entryPrice"))
            _note_mark(data.marks, symbol, mark)
            mode = _get_text(position, "marginMode")
            if mode not in ("cross", "isolated"):
                raise Fault("cross or isolated", describe(mode), "marginMode")
            owner = account if mode == "cross" else f"{account}/{symbol}"
            if mode == "isolated":
                if owner in data.holdings:
                    raise Fault("one position of a symbol", f"a second one of {printable(symbol)}", "symbol")
                cash = _get_number(position, "collateral") - size * mark
                data.holdings[owner] = Holding(cash, {symbol: held})
            elif wallet is None:
                raise Fault("a wallet, which cross positions share", "none", "wallet")
            elif symbol in cross:
                raise Fault("one position of a symbol", f"a second one of {printable(symbol)}", "symbol")
            else:
                cross[symbol] = held
            _note_told(data, owner, symbol, position, "liquidationPrice")
    if wallet is not None:
        costs = sum((held.cost or Fraction(0) for held in cross.values()), Fraction(0))
        data.holdings[account] = Holding(exact(wallet) - costs, cross)
    return data


def _get_ccxt_size(position: object, contract: Number | None) -> Fraction:
    side = _get(position, "side")
    if side not in ("long", "short"):
        raise Fault("long or short", printable(str(side)), "side")
    known = _find(position, "contractSize") is not None
    size = _get_above_zero(position, "contractSize") if known or contract is None else exact(contract)
    return _get_above_zero(position, "contracts") * size * (1 if side == "long" else -1)


def _note_mark(marks: dict[str, Fraction], market: str, mark: Fraction) -> None:
    if marks.setdefault(market, mark) != mark:
        raise Fault(f"the mark of other positions ({format_decimal(marks[market])})", format_decimal(mark))


def _make_state(
    holdings: Mapping[str, Holding],
    marks: Mapping[str, Fraction],
    markets: Mapping[MarketId, Loaded],
    rulebook: Rulebook | None,
) -> Scene:
    listings, rules = {}, {}
    atom = next((loaded.atom for loaded in markets.values()), None)
    for name, mark in marks.items():
        market = MarketId(name)
        if market not in markets:
            raise Fault("a market whose rules are given", printable(name))
        base = markets[market].rules
        initial, maintenance = Fraction(base.initial_margin_rate, RATE_ONE), Fraction(1, RATE_ONE)
        listings[name] = Listing(mark, initial, maintenance, markets[market].lot)
        rules[market] = base
    try:
        scene = make_scene(listings, holdings, rulebook, atom=atom)
    except ValueError as error:
        raise Fault("figures in whole atoms and lots", str(error)) from None
    table = scene.state.markets
    for market, own in rules.items():
        listed = table.get(market)
        assert listed is not None
        table = table.put(market, evolve(listed, rules=own))
    return evolve(scene, state=evolve(scene.state, markets=table))
