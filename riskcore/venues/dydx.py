"""dYdX v4: requirements, bankruptcy and fillable price, the insurance fund's part, deleveraging, limits per block.

Cash is in quote quantums (a millionth of a dollar), sizes in base quantums, prices in quote quantums per base
quantum, rates in parts per million unless a rate is said. Requirements and bankruptcy
prices are rounded up, worths toward zero. Source: dydxprotocol/v4-chain, protocol/x/{perpetuals,subaccounts,clob}.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from fractions import Fraction

from attrs import evolve, field, frozen

from riskcore.quantities import RATE_ONE
from riskcore.venues.exact import Number, exact, exact_price, round_down, round_toward_zero, round_up, within

#: Quote quantums of a dollar.
DOLLAR = 1_000_000
#: Seconds that a funding rate is quoted for.
FUNDING_PERIOD = 28_800


class Invalid(ValueError):
    """dYdX refuses it; the text is the reason."""


INVALID_DELTA = "invalid position size delta"
INVALID_UPDATE = "failed to update subaccounts"
BLOCK_LIMIT = "the limit of the block is exceeded"


@frozen
class Perpetual:
    """A market: ``price`` in quote quantums per base quantum, margin rates of notional (not parts per million)."""

    price: Fraction = field(converter=exact_price)
    initial: Fraction = field(converter=exact)
    maintenance: Fraction = field(converter=exact)


@frozen
class Subaccount:
    """Quote quantums of cash, and base quantums of each perpetual, signed."""

    cash: int
    sizes: Mapping[str, int] = field(factory=dict)


@frozen
class Risk:
    """Net collateral, initial and maintenance requirement in quote quantums."""

    net_collateral: int
    initial: int
    maintenance: int


# Requirements


def get_notional_in_quote_quantums(base_quantums: int, price: int, exponent: int, atomic_resolution: int) -> Fraction:
    """Absolute worth at a price of ``price * 10**exponent`` dollars, a base quantum being ``10**resolution``."""
    return abs(base_quantums) * price * DOLLAR * Fraction(10) ** (exponent + atomic_resolution)


def get_maintenance_margin_ppm(initial_margin_ppm: int, maintenance_fraction_ppm: int) -> int:
    """The maintenance rate, rounded down."""
    return initial_margin_ppm * maintenance_fraction_ppm // RATE_ONE


def get_adjusted_initial_margin_ppm(initial_margin_ppm: int, open_notional: Number, lower: int, upper: int) -> int:
    """The initial rate at an open interest, rounded down: its own up to ``lower``, rising to one at ``upper``.

    Its own where both are zero. ``ValueError`` where ``lower`` is not below ``upper`` otherwise.
    """
    if lower == upper == 0:
        return initial_margin_ppm
    if not 0 <= lower < upper:
        raise ValueError(f"a lower cap below the upper one is expected, not {lower} and {upper}")
    part = within((exact(open_notional) - lower) / (upper - lower), 0, 1)
    return min(initial_margin_ppm + round_down(part * (RATE_ONE - initial_margin_ppm)), RATE_ONE)


def get_initial_margin(
    notional: Number, initial_margin_ppm: int, open_notional: Number = 0, lower: int = 0, upper: int = 0
) -> int:
    """Quote quantums that a notional needs, rounded up, at the rate that open interest scales."""
    ppm = get_adjusted_initial_margin_ppm(initial_margin_ppm, open_notional, lower, upper)
    return round_up(exact(notional) * ppm / RATE_ONE)


def get_maintenance_margin(notional: Number, initial_margin_ppm: int, maintenance_fraction_ppm: int) -> int:
    """A fraction of the initial requirement before open interest scales it; each of the two is rounded up."""
    base = round_up(exact(notional) * initial_margin_ppm / RATE_ONE)
    return round_up(Fraction(base * maintenance_fraction_ppm, RATE_ONE))


def get_net_notional(perpetual: Perpetual, size: int) -> int:
    """Quote quantums of a position, signed, rounded toward zero."""
    return round_toward_zero(size * perpetual.price)


def get_requirements(perpetual: Perpetual, size: int) -> tuple[int, int]:
    """Initial and maintenance requirement of a position, each rounded up."""
    notional = abs(size) * perpetual.price
    return round_up(notional * perpetual.initial), round_up(notional * perpetual.maintenance)


def get_risk(perpetuals: Mapping[str, Perpetual], account: Subaccount) -> Risk:
    """The sums over a cross-margined account."""
    worth, initial, maintenance = account.cash, 0, 0
    for id, size in account.sizes.items():
        needs = get_requirements(perpetuals[id], size)
        worth += get_net_notional(perpetuals[id], size)
        initial, maintenance = initial + needs[0], maintenance + needs[1]
    return Risk(worth, initial, maintenance)


def is_liquidatable(risk: Risk) -> bool:
    """Below its requirement, at which it is not, and with something to liquidate."""
    return risk.maintenance > 0 and risk.net_collateral < risk.maintenance


def is_valid_update(before: Risk, after: Risk) -> bool:
    """At initial margin; or with no higher requirement, a position left, and no less collateral per requirement.

    Without a position before and after, less of a deficit.
    """
    if after.net_collateral >= after.initial:
        return True
    if before.maintenance == after.maintenance == 0:
        return after.net_collateral > before.net_collateral
    return (
        0 < after.maintenance <= before.maintenance
        and after.net_collateral * before.maintenance >= before.net_collateral * after.maintenance
    )


# Funding


def get_funding_index_delta(rate_ppm: int, seconds: int, price: int, exponent: int, atomic_resolution: int) -> int:
    """Growth of the index in parts per million of a quote quantum per base quantum, rounded toward zero.

    ``rate_ppm`` is for eight hours.
    """
    worth = price * DOLLAR * Fraction(10) ** (exponent + atomic_resolution)
    return round_toward_zero(Fraction(rate_ppm * seconds, FUNDING_PERIOD) * worth)


def get_funding_settlement_ppm(size: int, entry_index: int, index: int) -> int:
    """Millionths of a quote quantum that the position receives; longs pay where the index has risen."""
    return -size * (index - entry_index)


def get_max_funding_rate_ppm(clamp_factor_ppm: int, initial_margin_ppm: int, maintenance_fraction_ppm: int) -> int:
    """The clamp of funding rates: a factor of what initial is above maintenance, rounded down (maintenance too)."""
    spread = initial_margin_ppm - get_maintenance_margin_ppm(initial_margin_ppm, maintenance_fraction_ppm)
    return clamp_factor_ppm * spread // RATE_ONE


# Prices of a liquidation


def get_bankruptcy_quote(perpetuals: Mapping[str, Perpetual], account: Subaccount, id: str, delta: int) -> int:
    """Quote quantums that the account receives for closing ``delta`` at bankruptcy price, rounded up; paid below zero.

    The part of net collateral that the closed lots' requirement is of all. ``Invalid`` where delta is zero,
    goes the position's way, or beyond it.
    """
    size = account.sizes.get(id, 0)
    if delta * size >= 0 or abs(delta) > abs(size):
        raise Invalid(INVALID_DELTA)
    perpetual, risk = perpetuals[id], get_risk(perpetuals, account)
    notional = get_net_notional(perpetual, size + delta) - get_net_notional(perpetual, size)
    released = get_requirements(perpetual, size)[1] - get_requirements(perpetual, size + delta)[1]
    share = round_down(Fraction(risk.net_collateral * released, risk.maintenance)) if risk.maintenance else 0
    return -notional - share


def get_bankruptcy_price(perpetuals: Mapping[str, Perpetual], account: Subaccount, id: str) -> Fraction:
    """Quote quantums per base quantum at which the whole position is closed at bankruptcy; may be below zero."""
    size = account.sizes.get(id, 0)
    return Fraction(get_bankruptcy_quote(perpetuals, account, id, -size), size)


def get_fillable_price(
    perpetuals: Mapping[str, Perpetual], account: Subaccount, id: str, adjustment_ppm: int, spread_ppm: int
) -> Fraction:
    """The worst price that a liquidation order asks for, in quote quantums per base quantum, exact.

    Away from the oracle by ``spread`` of the requirement, the more of it the nearer the account is to
    bankruptcy. ``Invalid`` without a position.
    """
    size = account.sizes.get(id, 0)
    if size == 0:
        raise Invalid(INVALID_DELTA)
    risk = get_risk(perpetuals, account)
    health = Fraction(risk.net_collateral, risk.maintenance) if risk.maintenance else Fraction(0)
    rating = within(Fraction(adjustment_ppm, RATE_ONE) * (1 - health), 0, 1)
    needed = get_requirements(perpetuals[id], size)[1]
    spread = rating * spread_ppm / RATE_ONE * needed
    return (get_net_notional(perpetuals[id], size) - spread) / size


def get_insurance_delta(fill_quote: int, bankruptcy_quote: int, max_fee_ppm: int) -> int:
    """Quote quantums that the fund gains by a fill: its fee out of what is above bankruptcy; it pays below zero.

    The fee is at most a rate of the fill's absolute worth, rounded down.
    """
    surplus = fill_quote - bankruptcy_quote
    return min(abs(fill_quote) * max_fee_ppm // RATE_ONE, surplus) if surplus > 0 else surplus


def is_valid_insurance_delta(balance: int, delta: int) -> bool:
    """Whether the fund can bear it."""
    return delta >= 0 or balance + delta >= 0


# Limits


def get_liquidatable_notional(notional: int, minimum: int, portion_ppm: int) -> tuple[int, int]:
    """Least and most quote quantums of a position that one liquidation closes; the portion is rounded down."""
    least = min(minimum, notional)
    return least, max(notional * portion_ppm // RATE_ONE, least)


def get_notional_left(limit: int, used: int) -> int:
    """What a block still lets an account lose of notional; ``Invalid`` where more than the limit is used."""
    if used > limit:
        raise Invalid(BLOCK_LIMIT)
    return limit - used


def get_insurance_left(limit: int, delta: int) -> int:
    """What a block still lets the fund lose, ``delta`` being its change so far; ``Invalid`` beyond the limit."""
    return get_notional_left(limit, max(-delta, 0))


# Deleveraging


class CloseOut(StrEnum):
    """At which price an account is deleveraged."""

    BANKRUPTCY = "bankruptcy"
    ORACLE = "oracle"
    NONE = "none"


def get_close_out(perpetuals: Mapping[str, Perpetual], account: Subaccount, final_settlement: bool = False) -> CloseOut:
    """Below zero at its bankruptcy price; otherwise only in a market that ends, at the oracle's."""
    if get_risk(perpetuals, account).net_collateral < 0:
        return CloseOut.BANKRUPTCY
    return CloseOut.ORACLE if final_settlement else CloseOut.NONE


def get_quote(
    perpetuals: Mapping[str, Perpetual], account: Subaccount, id: str, delta: int, close_out: CloseOut
) -> int:
    """Quote quantums that the account receives for ``delta`` at a close-out price; oracle worth is cut toward zero."""
    if close_out is CloseOut.ORACLE:
        return -get_net_notional(perpetuals[id], delta)
    return get_bankruptcy_quote(perpetuals, account, id, delta)


def deleverage(
    perpetuals: Mapping[str, Perpetual],
    account: Subaccount,
    offsetting: Subaccount,
    id: str,
    delta: int,
    close_out: CloseOut = CloseOut.BANKRUPTCY,
) -> tuple[Subaccount, Subaccount]:
    """Both accounts after ``delta`` of the first's position is closed against the second's.

    ``Invalid`` where delta shrinks one of the two not, or more than it has, or leaves one in a state worse than before.
    """
    for held, change in ((account.sizes.get(id, 0), delta), (offsetting.sizes.get(id, 0), -delta)):
        if change * held >= 0 or abs(change) > abs(held):
            raise Invalid(INVALID_DELTA)
    quote = get_quote(perpetuals, account, id, delta, close_out)
    after = move(account, id, delta, quote), move(offsetting, id, -delta, -quote)
    for old, new in zip((account, offsetting), after, strict=True):
        if not is_valid_update(get_risk(perpetuals, old), get_risk(perpetuals, new)):
            raise Invalid(INVALID_UPDATE)
    return after


def move(account: Subaccount, id: str, delta: int, quote: int) -> Subaccount:
    """The account with so many base and quote quantums more; an empty position leaves no trace."""
    sizes = {**account.sizes, id: account.sizes.get(id, 0) + delta}
    return Subaccount(account.cash + quote, {market: size for market, size in sizes.items() if size})


@frozen
class Offset:
    """What a deleveraging did: the accounts after, each fill by counterparty, and base quantums that nobody took."""

    account: Subaccount
    others: Mapping[str, Subaccount]
    fills: tuple[tuple[str, int], ...]
    remaining: int


def offset(
    perpetuals: Mapping[str, Perpetual],
    account: Subaccount,
    candidates: Sequence[tuple[str, Subaccount]],
    id: str,
    delta: int,
    close_out: CloseOut = CloseOut.BANKRUPTCY,
) -> Offset:
    """Close ``delta`` against candidates in the order given, as much of each as there is; who cannot is skipped."""
    result = Offset(account, dict(candidates), (), abs(delta))
    sign = 1 if delta > 0 else -1
    for name, candidate in candidates:
        lots = min(result.remaining, abs(candidate.sizes.get(id, 0)))
        if lots == 0:
            continue
        try:
            after = deleverage(perpetuals, result.account, candidate, id, sign * lots, close_out)
        except Invalid:
            continue
        fills = (*result.fills, (name, lots))
        result = Offset(after[0], {**result.others, name: after[1]}, fills, result.remaining - lots)
    return result


# The whole waterfall


@frozen
class Limits:
    """How a liquidation is run: fee and prices in parts per million, sizes and losses in quote quantums.

    None where a block sets no limit.
    """

    max_fee_ppm: int
    adjustment_ppm: int
    spread_ppm: int
    min_notional: int
    portion_ppm: int
    notional_per_block: int | None = None
    insurance_per_block: int | None = None


@frozen
class Order:
    """A resting order: who has it, quote quantums per base quantum, base quantums."""

    owner: str
    price: Fraction = field(converter=exact_price)
    quantums: int


@frozen
class Book:
    """Everybody in a liquidation, and the fund."""

    account: Subaccount
    others: Mapping[str, Subaccount]
    insurance: int


def liquidate(
    perpetuals: Mapping[str, Perpetual],
    book: Book,
    id: str,
    orders: Sequence[Order],
    limits: Limits,
    final_settlement: bool = False,
) -> Book:
    """One block: an order at the fillable price walks the resting ones; if none fills, deleveraging.

    A market that ends has no book. The account is deleveraged where it is bankrupt or the market ends.
    """
    after = book
    if not final_settlement and is_liquidatable(get_risk(perpetuals, book.account)):
        after = _walk(perpetuals, book, id, orders, limits)
    close_out = get_close_out(perpetuals, after.account, final_settlement)
    if after is not book or close_out is CloseOut.NONE:
        return after
    size = book.account.sizes.get(id, 0)
    result = offset(perpetuals, book.account, tuple(book.others.items()), id, -size, close_out)
    return Book(result.account, result.others, book.insurance)


def get_order_size(perpetual: Perpetual, size: int, limits: Limits) -> int:
    """Base quantums that a liquidation order is for, rounded down; all of a position that the limits allow whole."""
    notional = abs(get_net_notional(perpetual, size))
    most = get_liquidatable_notional(notional, limits.min_notional, limits.portion_ppm)[1]
    if limits.notional_per_block is not None:
        most = min(most, limits.notional_per_block)
    return abs(size) if most >= notional else min(round_down(most / perpetual.price), abs(size))


def _walk(perpetuals: Mapping[str, Perpetual], book: Book, id: str, orders: Sequence[Order], limits: Limits) -> Book:
    size = book.account.sizes.get(id, 0)
    if size == 0:
        return book
    sign, lost, result = 1 if size > 0 else -1, 0, book
    worst = get_fillable_price(perpetuals, book.account, id, limits.adjustment_ppm, limits.spread_ppm)
    left = get_order_size(perpetuals[id], size, limits)
    for order in orders:
        lots = min(left, order.quantums)
        if lots == 0 or sign * order.price < sign * worst:
            break
        try:
            filled = _fill(perpetuals, result, id, order, -sign * lots, limits, lost)
        except Invalid as invalid:
            # a maker without margin is passed over; what the fund cannot bear ends the walk
            if str(invalid) == INVALID_UPDATE:
                continue
            break
        lost += max(result.insurance - filled.insurance, 0)
        result, left = filled, left - lots
    return result


def _fill(
    perpetuals: Mapping[str, Perpetual], book: Book, id: str, order: Order, delta: int, limits: Limits, lost: int
) -> Book:
    """The book after a fill; ``Invalid`` where fund, limit or the maker's margin forbid it."""
    quote = round_toward_zero(-delta * order.price)
    bankruptcy = get_bankruptcy_quote(perpetuals, book.account, id, delta)
    fee = get_insurance_delta(quote, bankruptcy, limits.max_fee_ppm)
    limit = limits.insurance_per_block
    if not is_valid_insurance_delta(book.insurance, fee) or (limit is not None and lost - fee > limit and fee < 0):
        raise Invalid(BLOCK_LIMIT)
    account, maker = move(book.account, id, delta, quote - fee), book.others[order.owner]
    made = move(maker, id, -delta, -quote)
    if not is_valid_update(get_risk(perpetuals, maker), get_risk(perpetuals, made)):
        raise Invalid(INVALID_UPDATE)
    return evolve(book, account=account, others={**book.others, order.owner: made}, insurance=book.insurance + fee)
