"""How much of a position each stage of the waterfall can take: the vault's lots, and the queue.

A tool for whoever plans: the kernel judges what is proposed, and computes none of this.
"""

from __future__ import annotations

from collections.abc import Iterator

from riskcore.deleveraging import get_share
from riskcore.margin import Margin, get_initial_requirement, get_margin
from riskcore.margin import is_below_maintenance as is_below
from riskcore.markets import get_market
from riskcore.quantities import RATE_ONE, AccountId, Atoms, Lots, MarketId
from riskcore.ranking import get_candidates
from riskcore.state import Deleveraging, Market, State
from riskcore.vault import can_take_over

#: Sizes that are tried one by one where rounding decides what the vault can take.
TAKEOVER_PROBES = 256


def compute_queue(state: State, id: AccountId, market_id: MarketId) -> tuple[AccountId, ...]:
    """The queue that the kernel accepts for a deleveraging of ``id`` in ``market_id``.

    Every account that can absorb its part, in rank order (``ranking.is_ranked`` certifies it).
    One scan, in which only opposite positions are valued, and one sort. Empty where the
    account has no position there, or the market ends. Raises ``Rejected`` where the market is not listed.
    """
    market = get_market(state, market_id)
    account = state.accounts.get(id)
    size = account.positions.get(market_id).size
    if size == 0 or market.settling:
        return ()
    margin = get_margin(account.balance, account.positions, state.markets)
    share = get_share(state, market, margin, size)
    episode = Deleveraging(id, market_id, Lots(abs(size)), Atoms(share), Lots(0), (), 0)
    candidates = get_candidates(state, market, size, episode).values()
    # Distinct ratios differ by 1 / (d * d) or more, so scaled by more than d * d their floors
    # are distinct, in the same order: sorting plain integers is exact and fast.
    scale = 2 * max((score.denominator.bit_length() for score, _, _ in candidates), default=0) + 1
    ranks = (
        (-((score.numerator << scale) // score.denominator), -abs(held), counterparty)
        for score, held, counterparty in candidates
    )
    return tuple(counterparty for _, _, counterparty in sorted(ranks))


def compute_takeover_size(state: State, id: AccountId, market_id: MarketId) -> int:
    """The most lots of the account's position that the vault can take over; 0 if not even one, or the market ends.

    What the vault can take is not monotone in the lots: up to its own opposite position it
    sheds risk, beyond that it needs initial margin, and each requirement is rounded. So the
    crossing is computed without rounding, and the few sizes that rounding decides are tried.
    (Where they are more than ``TAKEOVER_PROBES``, or the vault's own equity is negative, the
    size may fall short of the most; it is then a size that is accepted, and never 0 where one lot
    is.) Raises ``Rejected`` where the market is not listed.
    """
    market, account = get_market(state, market_id), state.accounts.get(id)
    size = account.positions.get(market_id).size
    margin = get_margin(account.balance, account.positions, state.markets)
    if id == state.rulebook.vault or size == 0 or market.settling or margin.equity < 0 or not is_below(margin):
        return 0
    vault_account = state.accounts.get(state.rulebook.vault)
    held = vault_account.positions.get(market_id).size
    vault = get_margin(vault_account.balance, vault_account.positions, state.markets)

    def accepts(lots: int) -> bool:
        return can_take_over(state, market, margin, size, lots, vault, held)

    sheds = min(abs(held), abs(size)) if held * size < 0 else 0
    surely, perhaps = _get_crossing(state, market, margin, vault, held if size > 0 else -held)
    low = max(min(surely, abs(size)), sheds)
    high = min(perhaps, abs(size), low + TAKEOVER_PROBES)
    return next((lots for lots in [*range(high, low, -1), *iter_halves(low)] if accepts(lots)), 0)


def _get_crossing(state: State, market: Market, margin: Margin, vault: Margin, held: int) -> tuple[int, int]:
    """Lots up to which the vault surely, and up to which it perhaps, is within limit and initial margin.

    Beyond what it sheds; ``held`` is its position, positive where the lots add to it. A lot
    costs ``slope`` of spare margin; the three roundings on the way are worth -3 to +1 atoms.
    """
    rules, mark = market.rules, market.mark_price
    spare = vault.equity - vault.initial + get_initial_requirement(market, held)
    slope = mark * (rules.initial_margin_rate * margin.maintenance - rules.maintenance_margin_rate * margin.equity)
    used = held * mark * rules.initial_margin_rate
    limit = state.rulebook.vault_position_limit // mark - held
    surely = ((spare - 3) * RATE_ONE - used) * margin.maintenance // slope
    perhaps = ((spare + 1) * RATE_ONE - used) * margin.maintenance // slope
    return min(surely, limit), min(perhaps, limit)


def iter_halves(lots: int) -> Iterator[int]:
    """``lots``, its half, and so on down to one."""
    while lots > 0:
        yield lots
        lots //= 2
