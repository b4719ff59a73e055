"""Drift v2: insurance fund shares and their rebase, liquidation size and fees, who bears a bankruptcy.

Quote amounts and fees are integers of 1e-6, base amounts of 1e-9, prices of 1e-6, margin ratios of 1e-4; each division
rounds down. Source: drift-labs/protocol-v2, programs/drift/src/math/{liquidation,insurance}.rs.
"""

from __future__ import annotations

from fractions import Fraction

from attrs import frozen

from riskcore.venues.exact import Number, exact, exact_price

PRICE_ONE = FEE_ONE = QUOTE_ONE = 1_000_000
BASE_ONE = 1_000_000_000
#: Fee units of a margin ratio's unit.
RATIO_IN_FEES = 100
#: Below this shortage a position is liquidated at once.
SMALL_SHORTAGE = 50 * QUOTE_ONE
PCT_ONE = 10_000


# Shares of the insurance fund


def get_rebase(total_shares: int, balance: int) -> tuple[int, int]:
    """Exponent and divisor of ten by which shares are divided once they are many more than the fund's balance.

    ``ValueError`` where the balance is not above zero or the shares are below.
    """
    if balance <= 0 or total_shares < 0:
        raise ValueError(
            f"shares of zero or more of a balance above zero are expected, not {total_shares} of {balance}"
        )
    exponent = len(str(total_shares // 10 // balance)) - 1
    return exponent, 10**exponent


def get_shares(amount: int, total_shares: int, balance: int) -> int:
    """Shares for an amount, rounded down; as many as the amount where the fund is empty and has none.

    ``ValueError`` where it is empty and has some.
    """
    if balance > 0:
        return amount * total_shares // balance
    if total_shares != 0:
        raise ValueError("an empty fund has no shares")
    return amount


def get_amount(shares: int, total_shares: int, balance: int) -> int:
    """What shares are worth, rounded down; ``ValueError`` where they are more than all."""
    if shares > total_shares:
        raise ValueError(f"{shares} shares of {total_shares}")
    return balance * shares // total_shares if total_shares else 0


def get_shares_lost(shares: int, value: int, total_shares: int, balance: int) -> int:
    """Shares given up by whoever asks for ``value`` of its ``shares``, worth more by now, and calls that off."""
    if get_amount(shares, total_shares, balance) <= value:
        return 0
    return shares - get_shares(value, total_shares - shares, balance - value)


# Liquidation


def get_price(oracle: int, quote_oracle: int) -> int:
    """The oracle's price in quote units at the quote's own price, rounded down."""
    return oracle * quote_oracle // PRICE_ONE


def get_insurance_fee(
    shortage: int, base: int, margin_ratio: int, liquidator_fee: int, oracle: int, quote_oracle: int, max_fee: int
) -> int:
    """The fund's fee: 95 % of what margin ratio is left after liquidator and shortage, at most ``max_fee``."""
    ratio = margin_ratio * RATIO_IN_FEES
    price = get_price(oracle, quote_oracle)
    if price == 0 or base == 0 or ratio <= liquidator_fee:
        return 0
    missing = shortage * BASE_ONE // abs(base) * PRICE_ONE // price
    return min(max_fee, max(ratio - liquidator_fee - missing, 0) * 19 // 20)


def get_liquidation_size(
    shortage: int, margin_ratio: int, liquidator_fee: int, insurance_fee: int, oracle: int, quote_oracle: int
) -> int | None:
    """Base units whose closing covers a shortage; None where none does: the whole position goes."""
    ratio = margin_ratio * RATIO_IN_FEES
    price = get_price(oracle, quote_oracle)
    if price == 0 or ratio <= liquidator_fee:
        return None
    freed = price * (ratio - liquidator_fee) // FEE_ONE - price * insurance_fee // FEE_ONE
    return shortage * BASE_ONE // freed if freed > 0 else None


def get_liquidator_fee(fee: int, max_fee: int, slots: int, grace: int = 1500, per_slot: int = 1) -> int:
    """The fee ``slots`` after an account was last active: its own within the grace, then rising with each slot."""
    return fee if slots < grace else min(fee + slots * per_slot, max_fee)


def get_max_pct(
    shortage: int, freed: int = 0, slots: int = 0, initial_pct: int = PCT_ONE // 10, duration: int = 150
) -> int:
    """The part of a shortage, in 1e-4, that may be liquidated by now; all of a small one."""
    if shortage < SMALL_SHORTAGE:
        return PCT_ONE
    pct = min(slots * PCT_ONE // duration + initial_pct, PCT_ONE)
    return max((shortage + freed) * pct // PCT_ONE - freed, 0) * PCT_ONE // shortage


@frozen
class Account:
    """Base and quote units of a perpetual position, as the venue keeps them: quote is what entering it gave."""

    base: Fraction
    quote: Fraction


def take_over(base: Number, quote: Number, oracle: Number, liquidator_fee: Number) -> tuple[Account, Account]:
    """Account and liquidator after a position went over whole, the fee's rate worse than the oracle's price."""
    size = exact(base)
    side = 1 if size > 0 else -1
    price = exact_price(oracle) * (1 - side * exact(liquidator_fee))
    return Account(Fraction(0), exact(quote) + size * price), Account(size, -size * price)


# Bankruptcy


@frozen
class Bankruptcy:
    """Who pays a loss: the fund, the market's fee pool, and all positions by their size."""

    insurance: Fraction
    fee_pool: Fraction
    socialized: Fraction
    charge: Fraction


def resolve_bankruptcy(
    loss: Number, insurance: Number, fee_pool: Number, base_long: Number, base_short: Number
) -> Bankruptcy:
    """First the fund, then the fee pool, then each base unit held, long or short, the same ``charge``.

    ``ValueError`` where something is left and nobody holds anything.
    """
    left = abs(exact(loss))
    by_fund = min(left, exact(insurance))
    by_pool = min(left - by_fund, exact(fee_pool))
    left -= by_fund + by_pool
    held = abs(exact(base_long)) + abs(exact(base_short))
    if left and not held:
        raise ValueError("nobody holds a position")
    return Bankruptcy(by_fund, by_pool, left, left / held if held else Fraction(0))
