"""What keeps a liquidation from emptying the book: a share at a time, a pause between two fills, no dust."""

from __future__ import annotations

from typing import Any

from riskcore.rules import Rule
from specs.arithmetic import RATE_ONE, every, implies, magnitude, negate, some
from specs.case import AccountView, Case
from specs.contract import toward_zero


def liquidated_within(case: Case, account: AccountView, span: Any) -> Any:
    """Whether the last liquidation fill of the account lies no more than ``span`` milliseconds back."""
    return every(account.liquidated >= 0, case.event.timestamp <= account.liquidated + span)


def just_liquidated(case: Case, account: AccountView) -> Any:
    """Whether the rulebook's window, where there is one, still runs for the account."""
    window = case.rulebook.liquidation_window
    return every(window != 0, liquidated_within(case, account, window))


def within_share(case: Case, size: Any, lots: Any) -> Any:
    """Whether ``lots`` are fewer than the market's share of a position and one more, or there is no share of it.

    There is none of a small position, nor where less than the minimum size would be left.
    """
    rules, held = case.before.market.rules, magnitude(size)
    is_large = held * case.before.market.mark_price > rules.liquidation_share_floor
    leaves_enough = held * (RATE_ONE - rules.liquidation_share) >= rules.minimum_size * RATE_ONE
    return implies(is_large & leaves_enough, lots * RATE_ONE < held * rules.liquidation_share + RATE_ONE)


def cooled_down(case: Case, account: AccountView) -> Any:
    """Whether the account has not to wait for the rulebook's cooldown: it is over, or the account is bankrupt."""
    return (account.equity < 0) | negate(liquidated_within(case, account, case.rulebook.liquidation_cooldown - 1))


def no_dust(case: Case, before: Any, after: Any) -> Any:
    """Whether a position of ``before`` lots may be left at ``after`` by a fill."""
    minimum = case.before.market.rules.minimum_size
    is_dust = every(after != 0, magnitude(after) < minimum)
    return implies(is_dust, every(magnitude(before) < minimum, toward_zero(before, after)))


def gates_guard(case: Case, account: AccountView, lots: Any) -> dict[Rule, Any]:
    """What lets a liquidation fill of ``lots`` through, beside its price and its maker."""
    return {
        Rule.LIQUIDATION_COOLDOWN: cooled_down(case, account),
        Rule.LIQUIDATION_SHARE: just_liquidated(case, account) | within_share(case, account.size, lots),
    }


def remembers(case: Case) -> Any:
    """Whether the rulebook has an account remember when it was liquidated: for a window, a cooldown or a block."""
    rulebook = case.rulebook
    return some(
        rulebook.liquidation_window > 0, rulebook.liquidation_cooldown > 0, rulebook.liquidation_block_limit > 0
    )
