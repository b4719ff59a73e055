"""Market data as people have it: ccxt's markets, tiers and positions, Binance's brackets, Hyperliquid's answers.

Everything is exact: decimals stay text (``answers``), and a float that a client has made of one is read as its shortest
decimal. What is missing or contradicts itself raises ``Fault``, which names the place. Amounts are counted in atoms
of a given worth; initial rates are one over a leverage, rounded up to a part per million.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import pairwise

from attrs import evolve, frozen

from riskcore.bad_input import Fault, printable, within
from riskcore.choices import TierRule
from riskcore.quantities import RATE_ONE, Atoms, MarketId, Rate
from riskcore.rulebook import MarketRules, Rulebook, Tier
from riskcore.snapshot import check_rules
from riskcore.strict_json import describe
from riskcore.units import format_decimal
from riskcore.venues.answers import (
    find,
    get,
    get_above_zero,
    get_entries,
    get_number,
    get_text,
    get_whole,
    to_number,
)
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
    for place, tier in enumerate(get_entries(tiers)):
        with within(f"[{place}]"):
            info, deduction = find(tier, "info"), None
            if isinstance(info, Mapping) and info.get("cum") is not None:
                with within("info"):
                    deduction = get_number(info, "cum")
            cap = get_number(tier, "maxNotional") if find(tier, "maxNotional") is not None else None
            rate, leverage = get_number(tier, "maintenanceMarginRate"), get_above_zero(tier, "maxLeverage")
            levels.append(Level(get_number(tier, "minNotional"), cap, rate, leverage, deduction))
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
            market = get(markets, symbol)
            with within(symbol):
                fees = get_number(market, "taker"), get_number(market, "maker")
                if find(market, "linear") is False:
                    raise Fault("a linear market", "false", "linear")
                size = get_above_zero(market, "contractSize")
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
    precision = get(market, "precision")
    with within("precision"):
        return get_above_zero(precision, "amount")


def read_binance_levels(brackets: object) -> list[Level]:
    """The ``brackets`` of one symbol as ``leverageBracket`` gives them."""
    levels = []
    for place, bracket in enumerate(get_entries(brackets)):
        with within(f"[{place}]"):
            floor, cap = get_number(bracket, "notionalFloor"), get_number(bracket, "notionalCap")
            rate, leverage = get_number(bracket, "maintMarginRatio"), get_above_zero(bracket, "initialLeverage")
            levels.append(Level(floor, cap, rate, leverage, get_number(bracket, "cum")))
    return levels


@frozen
class Symbol:
    """What ``exchangeInfo`` says of a symbol: base units of the smallest trade, rate of a liquidation's fee."""

    lot: Fraction
    liquidation_fee: Fraction


def read_binance_symbols(answer: object) -> dict[MarketId, Symbol]:
    """The symbols of ``exchangeInfo``, from their filters of lot size."""
    found: dict[MarketId, Symbol] = {}
    for place, entry in enumerate(get_entries(get(answer, "symbols"))):
        with within(f"[{place}]"):
            for number, rule in enumerate(get_entries(get(entry, "filters"))):
                if find(rule, "filterType") == "LOT_SIZE":
                    with within(f"filters[{number}]"):
                        lot = get_above_zero(rule, "stepSize")
                    found[MarketId(get_text(entry, "symbol"))] = Symbol(lot, get_number(entry, "liquidationFee"))
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
    for place, entry in enumerate([answer] if isinstance(answer, Mapping) else get_entries(answer)):
        with within(f"[{place}]"):
            symbol = get_text(entry, "symbol")
            if find(entry, "notionalCoef") is not None and get_number(entry, "notionalCoef") != 1:
                raise Fault("1, or none", describe(entry["notionalCoef"]), "notionalCoef")
            brackets = get(entry, "brackets")
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
    for place, pair in enumerate(get_entries(get(meta, "marginTables"))):
        with within(f"marginTables[{place}]"):
            entries = get_entries(pair)
            if len(entries) != 2:
                raise Fault("an id and a table", f"{len(entries)} entries")
            tables[_to_id(entries[0])] = get(entries[1], "marginTiers")
    loaded: dict[MarketId, Loaded] = {}
    for place, asset in enumerate(get_entries(get(meta, "universe"))):
        with within(f"universe[{place}]"):
            if not find(asset, "isDelisted"):
                levels = _read_margin_table(asset, tables)
                lot = Fraction(1, 10 ** get_whole(asset, "szDecimals", _MOST_DECIMALS))
                rules = make_rules(levels, atom, taker_fee=taker_fee, maker_fee=maker_fee, tier_rule=TierRule.MARGINAL)
                loaded[MarketId(get_text(asset, "name"))] = Loaded(rules, exact(atom), lot)
    return loaded


def _to_id(value: object) -> int:
    number = to_number(value)
    if number.denominator != 1 or number < 0:
        raise Fault("an integer of zero or more", format_decimal(number))
    return int(number)


def _read_margin_table(asset: object, tables: Mapping[int, object]) -> list[Level]:
    with within("marginTableId"):
        id = _to_id(get(asset, "marginTableId"))
    if id in tables:
        with within(f"marginTable {id}"):
            return [_make_hyperliquid_level(tier) for tier in get_entries(tables[id])]
    if id >= TABLES:
        raise Fault("the id of one of marginTables", str(id), "marginTableId")
    return [_make_hyperliquid_level({"lowerBound": 0, "maxLeverage": get_above_zero(asset, "maxLeverage")})]


def _make_hyperliquid_level(tier: object) -> Level:
    floor, leverage = get_number(tier, "lowerBound"), get_above_zero(tier, "maxLeverage")
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
    for place, entry in enumerate(get_entries(get(answer, "assetPositions"))):
        with within(f"assetPositions[{place}].position"):
            position = get(entry, "position")
            coin, held, mark = _read_hyperliquid_position(position)
            _note_mark(data.marks, coin, mark)
            leverage = get(position, "leverage")
            with within("leverage"):
                is_isolated = get_text(leverage, "type") == "isolated"
                owner = f"{id}/{coin}" if is_isolated else id
                if is_isolated:
                    data.holdings[owner] = Holding(get_number(leverage, "rawUsd"), {coin: held})
                elif coin in cross:
                    raise Fault("one cross position of a coin", f"a second one of {printable(coin)}")
                else:
                    cross[coin] = held
            _note_told(data, owner, coin, position, "liquidationPx")
    with within("crossMarginSummary"):
        summary = get(answer, "crossMarginSummary")
        cash, value = get_number(summary, "totalRawUsd"), get_number(summary, "accountValue")
        worth = cash + sum((held.size * data.marks[coin] for coin, held in cross.items()), Fraction(0))
        if worth != value:
            expected = f"cash and positions ({format_decimal(worth)})"
            raise Fault(expected, format_decimal(value), "accountValue")
    data.holdings[id] = Holding(cash, cross)


def _note_told(data: Accounts, owner: str, market: str, position: object, name: str) -> None:
    if find(position, name) is not None:
        data.told[owner, market] = get_number(position, name)


def _read_hyperliquid_position(position: object) -> tuple[str, Held, Fraction]:
    size, entry = get_number(position, "szi"), get_above_zero(position, "entryPx")
    if size == 0:
        raise Fault("a size that is not zero", "0", "szi")
    mark = get_above_zero(position, "positionValue") / abs(size)
    return get_text(position, "coin"), Held(size, size * entry), mark


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
    for place, position in enumerate(get_entries(positions)):
        with within(f"[{place}]"):
            symbol = get_text(position, "symbol")
            if get_number(position, "contracts") == 0:
                continue
            size = _get_ccxt_size(position, sizes.get(symbol))
            mark = get_above_zero(position, "markPrice")
            held = Held(size, size * get_above_zero(position, "entryPrice"))
            _note_mark(data.marks, symbol, mark)
            mode = get_text(position, "marginMode")
            if mode not in ("cross", "isolated"):
                raise Fault("cross or isolated", describe(mode), "marginMode")
            owner = account if mode == "cross" else f"{account}/{symbol}"
            if mode == "isolated":
                if owner in data.holdings:
                    raise Fault("one position of a symbol", f"a second one of {printable(symbol)}", "symbol")
                cash = get_number(position, "collateral") - size * mark
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
    side = get(position, "side")
    if side not in ("long", "short"):
        raise Fault("long or short", printable(str(side)), "side")
    known = find(position, "contractSize") is not None
    size = get_above_zero(position, "contractSize") if known or contract is None else exact(contract)
    return get_above_zero(position, "contracts") * size * (1 if side == "long" else -1)


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
