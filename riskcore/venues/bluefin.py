"""Bluefin: isolated margin with a leverage of each position, kept as size, open notional and margin; a whole ledger.

Cash and prices in dollars, exact: the contracts keep nine decimals and round down. Margin ratios are taken at
the oracle's price, which is the mark. Source: the contracts of Bluefin's exchange on Sui (bluefin_foundation: position,
isolated_trading, isolated_liquidation, isolated_adl, margin_math), whose error numbers are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from fractions import Fraction

from attrs import evolve, field, frozen

from riskcore.venues.exact import Number, exact, exact_price


class Code(IntEnum):
    """Why something is refused. Where maker and taker have a code each, it is the maker's, and one more the taker's."""

    LOSS_EXCEEDS_MARGIN = 46
    CANNOT_OPEN_OR_FLIP = 400
    RATIO_MUST_IMPROVE = 402
    CAN_ONLY_REDUCE = 404
    BELOW_ZERO = 406
    AMOUNT_NOT_POSITIVE = 500
    TOO_MUCH_TO_REMOVE = 503
    LEVERAGE_SET_TO_ZERO = 504
    BANK_TOO_LOW = 603
    INVALID_LEVERAGE = 40
    LEVERAGE_NOT_POSITIVE = 42
    NO_POSITION = 510
    BANK_OF_TRADER_TOO_LOW = 600
    INVALID_LIQUIDATOR_LEVERAGE = 702
    ABOVE_MAINTENANCE = 703
    NOT_BANKRUPT = 800
    BANKRUPT = 801
    SAME_SIDE = 802


#: Added to a code of maker and taker where it is neither's, but the owner's own doing.
OWNER = 2


class Refused(ValueError):
    """The ledger stays as it was; ``code`` is the contracts' number (``Code``)."""

    def __init__(self, code: int) -> None:
        super().__init__(f"refused with code {code}")
        self.code = code


def require(condition: bool, code: int) -> None:
    """Refuse with a code unless ``condition``."""
    if not condition:
        raise Refused(code)


@frozen
class Rules:
    """Margin ratios, fees of notional, and the insurance pool's part of a liquidation's premium."""

    initial: Fraction = field(converter=exact)
    maintenance: Fraction = field(converter=exact)
    maker_fee: Fraction = field(converter=exact)
    taker_fee: Fraction = field(converter=exact)
    insurance_share: Fraction = field(default=Fraction(0), converter=exact)


@frozen
class Position:
    """Signed size, absolute notional at entry, margin, and the initial rate that its leverage stands for."""

    size: Fraction = Fraction(0)
    open_notional: Fraction = Fraction(0)
    margin: Fraction = Fraction(0)
    rate: Fraction = Fraction(0)

    @property
    def entry(self) -> Fraction:
        """Average entry price; zero without a position."""
        return self.open_notional / abs(self.size) if self.size else Fraction(0)


FLAT = Position()


@frozen
class Ledger:
    """Everybody's bank balance and position; fees, insurance, and what the market itself holds.

    The market holds margins and what losers have left in it. All together never changes.
    """

    rules: Rules
    oracle: Fraction = Fraction(0)
    banks: Mapping[str, Fraction] = field(factory=dict)
    positions: Mapping[str, Position] = field(factory=dict)
    fees: Fraction = Fraction(0)
    insurance: Fraction = Fraction(0)
    market: Fraction = Fraction(0)

    def get_position(self, id: str) -> Position:
        """An empty one for who has none."""
        return self.positions.get(id, FLAT)

    def get_bank(self, id: str) -> Fraction:
        """Cash that is in no position; zero for who is not known."""
        return self.banks.get(id, Fraction(0))


@frozen
class Flow:
    """A position after a trade, what its owner pays into the market (receives, below zero), fee and realised profit."""

    position: Position
    paid: Fraction
    fee: Fraction
    pnl: Fraction


# Figures of a position


def get_margin_ratio(position: Position, price: Number) -> Fraction:
    """Equity per notional at a price; one without a position or at a price of zero."""
    worth = abs(position.size) * exact_price(price)
    if worth == 0:
        return Fraction(1)
    if position.size > 0:
        return 1 - (position.open_notional - position.margin) / worth
    return (position.open_notional + position.margin) / worth - 1


def get_bankruptcy_price(position: Position) -> Fraction:
    """The price at which nothing is left of the margin."""
    require(position.size != 0, Code.NO_POSITION)
    return position.entry - position.margin / position.size


def get_liquidation_price(position: Position, rate: Number) -> Fraction:
    """The price at which the margin ratio is ``rate``; below it the position is liquidated."""
    require(position.size != 0, Code.NO_POSITION)
    side = 1 if position.size > 0 else -1
    return get_bankruptcy_price(position) / (1 - side * exact(rate))


def get_pnl(position: Position, price: Number) -> Fraction:
    """What the position has gained since its entry."""
    return position.size * (exact_price(price) - position.entry)


def get_rate(leverage: Number) -> Fraction:
    """The initial rate that a leverage stands for."""
    require(exact(leverage) > 0, Code.LEVERAGE_NOT_POSITIVE)
    return 1 / exact(leverage)


def get_target_margin(position: Position, leverage: Number, price: Number) -> Fraction:
    """The margin at which the position has a leverage at a price; not below zero."""
    worth = abs(position.size) * exact_price(price)
    loss = position.open_notional - worth if position.size > 0 else worth - position.open_notional
    return max(worth * get_rate(leverage) + loss, Fraction(0))


def get_max_removable(position: Position, price: Number) -> Fraction:
    """How much margin may go such that the ratio stays at the position's own initial rate."""
    worth = abs(position.size) * exact_price(price)
    if position.size > 0:
        spare = position.margin - position.open_notional + worth * (1 - position.rate)
    else:
        spare = position.margin + position.open_notional - worth * (1 + position.rate)
    return max(min(position.margin, spare), Fraction(0))


# What happens to a ledger


def set_oracle(ledger: Ledger, price: Number) -> Ledger:
    """The price that margin ratios are taken at, and liquidators buy at."""
    return evolve(ledger, oracle=exact_price(price))


def deposit(ledger: Ledger, id: str, amount: Number) -> Ledger:
    """Cash from outside; the only thing here that changes what there is in all."""
    return evolve(ledger, banks={**ledger.banks, id: ledger.get_bank(id) + exact(amount)})


def trade(ledger: Ledger, maker: str, taker: str, size: Number, price: Number, leverage: Number) -> Ledger:
    """The maker gains ``size`` contracts of the taker's, both at a leverage, and both pay their fees."""
    lots, rules, rate = exact(size), ledger.rules, get_rate(leverage)
    for place, id in enumerate((maker, taker)):
        held = ledger.get_position(id)
        require(held.size == 0 or held.rate == rate, Code.INVALID_LEVERAGE + place)
    made = apply(ledger.get_position(maker), lots, price, rate, rules.maker_fee, 0)
    taken = apply(ledger.get_position(taker), -lots, price, rate, rules.taker_fee, 1)
    require_collateral(ledger, ledger.get_position(maker), made.position, 0)
    require_collateral(ledger, ledger.get_position(taker), taken.position, 1)
    after = settle(ledger, maker, made, 0)
    return settle(after, taker, taken, 1)


def apply(held: Position, lots: Fraction, price: Number, rate: Fraction, fee_rate: Fraction, place: int) -> Flow:
    """A position after ``lots`` more at a price: opened or added to, reduced, or flipped.

    The fee of a closed part is at most what is left of it after its loss, which its margin must bear.
    """
    cost = exact_price(price)
    if held.size * lots >= 0:
        return _open(held, lots, cost, rate, fee_rate)
    closed = min(abs(lots), abs(held.size))
    pnl = closed * (1 if held.size > 0 else -1) * (cost - held.entry)
    margin = held.margin * closed / abs(held.size)
    require(margin + pnl >= 0, Code.LOSS_EXCEEDS_MARGIN + place)
    fee = min(closed * cost * fee_rate, margin + pnl)
    rest = _reduce(held, closed)
    beyond = abs(lots) - closed
    if beyond == 0:
        return Flow(rest, fee - pnl - margin, fee, pnl)
    opened = _open(FLAT, beyond if lots > 0 else -beyond, cost, rate, fee_rate)
    return Flow(opened.position, opened.paid + fee - pnl - margin, opened.fee + fee, pnl)


def liquidate(
    ledger: Ledger, liquidator: str, account: str, lots: Number, leverage: Number
) -> tuple[Ledger, Mapping[str, Fraction]]:
    """The liquidator takes so many contracts of an account below maintenance, and opens them at the oracle's price.

    What that price is above bankruptcy is shared with the insurance pool; what it is below, the liquidator pays.
    Gives both's realised profit too. At most the whole position is taken.
    """
    held, own = ledger.get_position(account), ledger.get_position(liquidator)
    require(held.size != 0, Code.NO_POSITION)
    require(get_margin_ratio(held, ledger.oracle) < ledger.rules.maintenance, Code.ABOVE_MAINTENANCE)
    rate = get_rate(leverage)
    require(own.size == 0 or own.rate == rate, Code.INVALID_LIQUIDATOR_LEVERAGE)
    amount, side = min(abs(exact(lots)), abs(held.size)), 1 if held.size > 0 else -1
    bankruptcy = get_bankruptcy_price(held)
    given = Flow(_reduce(held, amount), Fraction(0), Fraction(0), side * amount * (bankruptcy - held.entry))
    taken = apply(own, side * amount, ledger.oracle, rate, Fraction(0), 1)
    require_collateral(ledger, held, given.position, 0, is_forced=True)
    require_collateral(ledger, own, taken.position, 1, is_forced=True)
    premium = side * amount * (ledger.oracle - bankruptcy)
    pool = max(premium, Fraction(0)) * ledger.rules.insurance_share
    earned = premium - pool
    paid = evolve(taken, paid=taken.paid - earned, pnl=taken.pnl + earned)
    after = settle(settle(ledger, account, given, 0), liquidator, paid, 1)
    after = evolve(after, insurance=after.insurance + pool, market=after.market - pool)
    return after, {account: given.pnl, liquidator: paid.pnl}


def deleverage(ledger: Ledger, account: str, winner: str, lots: Number) -> tuple[Ledger, Mapping[str, Fraction]]:
    """Close an account of no equity against one with some, at the first's bankruptcy price and without fees.

    Gives both's realised profit too. At most what both have is closed.
    """
    held, other = ledger.get_position(account), ledger.get_position(winner)
    require(held.size != 0, Code.NO_POSITION)
    require(other.size != 0, Code.NO_POSITION + 1)
    require(get_margin_ratio(held, ledger.oracle) <= 0, Code.NOT_BANKRUPT)
    require(get_margin_ratio(other, ledger.oracle) > 0, Code.BANKRUPT)
    require(held.size * other.size < 0, Code.SAME_SIDE)
    price = get_bankruptcy_price(held)
    amount = min(abs(exact(lots)), abs(held.size), abs(other.size))
    signed = -amount if held.size > 0 else amount
    given = apply(held, signed, price, held.rate, Fraction(0), 0)
    taken = apply(other, -signed, price, other.rate, Fraction(0), 1)
    require_collateral(ledger, held, given.position, 0, is_forced=True)
    require_collateral(ledger, other, taken.position, 1, is_forced=True)
    after = settle(settle(ledger, account, given, 0), winner, taken, 1)
    return after, {account: given.pnl, winner: taken.pnl}


def add_margin(ledger: Ledger, id: str, amount: Number) -> Ledger:
    """From the bank into the position."""
    return _move_margin(ledger, id, exact(amount), is_added=True)


def remove_margin(ledger: Ledger, id: str, amount: Number) -> Ledger:
    """From the position into the bank, as far as its own leverage allows."""
    return _move_margin(ledger, id, exact(amount), is_added=False)


def adjust_leverage(ledger: Ledger, id: str, leverage: Number) -> Ledger:
    """Margin in or out until the position has a leverage at the oracle's price."""
    held = ledger.get_position(id)
    require(exact(leverage) > 0, Code.LEVERAGE_SET_TO_ZERO)
    require(held.size != 0, Code.NO_POSITION + OWNER)
    target = get_target_margin(held, leverage, ledger.oracle)
    after = evolve(held, margin=target, rate=get_rate(leverage))
    return _settle_margin(ledger, id, held, after)


def require_collateral(
    ledger: Ledger, before: Position, after: Position, place: int, *, is_forced: bool = False
) -> None:
    """What a margin ratio below the initial one still allows: no flip, no worse ratio, no growth below maintenance.

    ``place``: 0 of the maker, 1 of the taker. Only what is forced may leave a ratio below zero.
    """
    ratio = get_margin_ratio(after, ledger.oracle)
    if ratio >= ledger.rules.initial:
        return
    # an empty position counts as short, as in the contracts
    keeps_side = (before.size > 0) == (after.size > 0)
    require(keeps_side and before.size != 0, Code.CANNOT_OPEN_OR_FLIP + place)
    require(ratio >= get_margin_ratio(before, ledger.oracle), Code.RATIO_MUST_IMPROVE + place)
    require(ratio > ledger.rules.maintenance or abs(after.size) <= abs(before.size), Code.CAN_ONLY_REDUCE + place)
    require(ratio >= 0 or is_forced, Code.BELOW_ZERO + place)


def settle(ledger: Ledger, id: str, flow: Flow, place: int) -> Ledger:
    """Book a flow: bank, market and fees."""
    bank = ledger.get_bank(id) - flow.paid
    require(flow.paid <= 0 or bank >= 0, Code.BANK_OF_TRADER_TOO_LOW + place)
    return evolve(
        ledger,
        banks={**ledger.banks, id: bank},
        positions={**ledger.positions, id: flow.position},
        market=ledger.market + flow.paid - flow.fee,
        fees=ledger.fees + flow.fee,
    )


def _open(held: Position, lots: Fraction, price: Fraction, rate: Fraction, fee_rate: Fraction) -> Flow:
    worth = abs(lots) * price
    margin, fee = worth * rate, worth * fee_rate
    grown = Position(held.size + lots, held.open_notional + worth, held.margin + margin, rate)
    return Flow(grown if grown.size else FLAT, margin + fee, fee, Fraction(0))


def _reduce(held: Position, closed: Fraction) -> Position:
    """What is left once so many contracts are closed: notional and margin in proportion."""
    left = abs(held.size) - closed
    if left == 0:
        return FLAT
    part = left / abs(held.size)
    return Position(held.size * part, held.open_notional * part, held.margin * part, held.rate)


def _move_margin(ledger: Ledger, id: str, amount: Fraction, *, is_added: bool) -> Ledger:
    held = ledger.get_position(id)
    require(amount > 0, Code.AMOUNT_NOT_POSITIVE)
    require(held.size != 0, Code.NO_POSITION + OWNER)
    require(is_added or amount <= get_max_removable(held, ledger.oracle), Code.TOO_MUCH_TO_REMOVE)
    after = evolve(held, margin=held.margin + (amount if is_added else -amount))
    return _settle_margin(ledger, id, held, after)


def _settle_margin(ledger: Ledger, id: str, before: Position, after: Position) -> Ledger:
    """Book what a position's margin has changed by, if the bank has it and the position may stand so."""
    change = after.margin - before.margin
    require(change <= ledger.get_bank(id), Code.BANK_TOO_LOW)
    require_collateral(ledger, before, after, 0)
    return settle(ledger, id, Flow(after, change, Fraction(0), Fraction(0)), 0)
