"""How much of a position each stage of the waterfall can take: the vault's lots, the queue, who shares a loss.

A tool for whoever plans: the kernel judges what is proposed, and computes none of this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, pairwise
from math import gcd
from typing import NamedTuple

from riskcore.allocation import Held
from riskcore.choices import AdlSize, Allocation, MarketStatus
from riskcore.close_out import get_spare, get_terms, make_episode
from riskcore.gates import get_share_lots, is_just_liquidated, is_within_share, leaves_no_dust
from riskcore.limits import get_lots_before_last, is_above_step, is_block_open, is_short_of_target
from riskcore.liquidation import get_equity_share
from riskcore.margin import Margin, get_exposure, get_initial_requirement, get_margin, get_margin_after, get_stance
from riskcore.margin import is_below_maintenance as is_below
from riskcore.markets import get_market
from riskcore.quantities import AccountId, MarketId, divide_up
from riskcore.ranking import get_candidates
from riskcore.sharing import get_weights
from riskcore.state import Market, State
from riskcore.tiers import get_open_interest_after
from riskcore.vault import can_take_over, takes_equity

#: Atoms that rounding may hide of spare margin.
SLACK = 6

#: Sizes that are tried one by one where rounding decides what the vault can take.
TAKEOVER_PROBES = 256


class Opening(NamedTuple):
    """What opens a deleveraging: the queue, and the level at which its lots are parted."""

    queue: tuple[AccountId, ...]
    level_lots: int = 0
    level_weight: int = 1


def can_close(market: Market) -> bool:
    """Whether positions in a market can be closed by force: it does not end, and is not paused."""
    return not market.settling and market.status is not MarketStatus.PAUSED


def compute_queue(state: State, id: AccountId, market_id: MarketId, lots: int | None = None) -> tuple[AccountId, ...]:
    """The queue of ``compute_opening``."""
    return compute_opening(state, id, market_id, lots).queue


def compute_opening(state: State, id: AccountId, market_id: MarketId, lots: int | None = None) -> Opening:
    """The queue that the kernel accepts for a deleveraging of ``id`` in ``market_id``.

    ``lots`` are those to close, by default as many as ``compute_close_out_size`` says.
    Every account that can absorb its part, in rank order, and the level (``ranking.certify`` certifies both).
    One scan, in which only opposite positions are valued, and one sort. Empty where the
    account has no position there, or the market ends or is paused. Raises ``Rejected`` where the market is not listed.
    """
    market = get_market(state, market_id)
    account = state.accounts.get(id)
    size = account.positions.get(market_id).size
    if size == 0 or not can_close(market):
        return Opening(())
    margin = get_margin(account, state.markets)
    if lots is None:
        lots = compute_close_out_size(state, id, market_id)
    terms = get_terms(state.rulebook, market, margin, size, lots)
    episode = make_episode(state, id, market_id, lots, terms, ())
    candidates = get_candidates(state, market, size, episode).values()
    # Distinct ratios differ by 1 / (d * d) or more, so scaled by more than d * d their floors
    # are distinct, in the same order: sorting plain integers is exact and fast.
    scale = 2 * max((score.denominator.bit_length() for score, *_ in candidates), default=0) + 1
    ranks = (
        (-((score.numerator << scale) // score.denominator), -abs(held), counterparty)
        for score, held, counterparty, _ in candidates
    )
    queue = tuple(counterparty for _, _, counterparty in sorted(ranks))
    held = [Held(abs(candidate.size), candidate.weight) for candidate in candidates]
    return Opening(queue, *compute_level(state.rulebook.adl_allocation, held, lots))


def compute_level(policy: Allocation, held: list[Held], lots: int) -> tuple[int, int]:
    """The level, lots for weight, at which the parts of positions sum to ``lots``, or to all that they have.

    One sort. Where parts are what is kept, it is the level at which those sum to the rest.
    """
    if policy is Allocation.QUEUE or not held:
        return 0, 1
    left = min(lots, sum(size for size, _ in held))
    if policy is Allocation.LEVERAGE:
        left = sum(size for size, _ in held) - left
    weight = sum(own for _, own in held)
    # whoever has fewest lots for its weight is the first to have no more
    scale = 2 * max(own.bit_length() for _, own in held) + 1
    for size, own in sorted(held, key=lambda one: (one.size << scale) // one.weight):
        if size * weight >= left * own:
            break
        left, weight = left - size, weight - own
    divisor = gcd(left, weight)
    return left // divisor, weight // divisor


def compute_members(state: State, market_id: MarketId) -> tuple[AccountId, ...]:
    """Everyone who has weight where a loss is shared out by positions in ``market_id``, as the kernel wants them.

    One scan. Raises ``Rejected`` where the market is not listed.
    """
    return tuple(sorted(get_weights(state, market_id, get_market(state, market_id))))


def compute_close_out_size(state: State, id: AccountId, market_id: MarketId) -> int:
    """Lots of the account's position that a deleveraging closes: all, or the fewest that are enough; 0 if it has none.

    Where brackets of rates make more lots not always better, there may be more than one such size; it is one of them.
    Raises ``Rejected`` where the market is not listed.
    """
    market, rulebook = get_market(state, market_id), state.rulebook
    account = state.accounts.get(id)
    size = account.positions.get(market_id).size
    margin = get_margin(account, state.markets)
    if size == 0 or rulebook.adl_size is AdlSize.WHOLE or margin.equity <= 0 or not is_below(margin):
        return abs(size)
    return find_boundary(lambda lots: get_spare(rulebook, market, margin, size, lots) < 0, 0, abs(size)) + 1


def compute_takeover_size(state: State, id: AccountId, market_id: MarketId) -> int:
    """The most lots of the account's position that the vault can take over; 0 if none, or if nothing moves there.

    What the vault can take is not monotone in the lots: up to its own opposite position it
    sheds risk, beyond that it needs initial margin, brackets of rates end and start on both
    sides, and each requirement is rounded. So the sizes are parted where a bracket ends; within a
    part spare margin is a straight line but for rounding, its crossing is bisected, and the few
    sizes that rounding decides are tried. (Where they are more than ``TAKEOVER_PROBES``, or the
    vault's own equity is negative, the size may fall short of the most; it is then a size that is
    accepted, and never 0 where one lot is.) Raises ``Rejected`` where the market is not listed.
    """
    market, account = get_market(state, market_id), state.accounts.get(id)
    size = account.positions.get(market_id).size
    margin = get_margin(account, state.markets)
    if id == state.rulebook.vault or size == 0 or not can_close(market) or not is_below(margin):
        return 0
    if not takes_equity(state.rulebook, margin):
        return 0
    owner = state.accounts.get(state.rulebook.vault)
    held, resting = owner.positions.get(market_id).size, owner.resting.get(market_id)
    vault, chosen = get_margin(owner, state.markets), owner.leverages.get(market_id)

    def accepts(lots: int) -> bool:
        return can_take_over(state, market_id, market, margin, size, lots, owner)

    def get_result(lots: int) -> Margin:
        """The vault's margin once it has taken so many lots."""
        moved = lots if size > 0 else -lots
        share, left = get_equity_share(margin, market, size, lots), get_open_interest_after(market, held, size, moved)
        before, after = get_stance(held, resting), get_stance(held + moved, resting)
        return get_margin_after(vault, market, before, after, share, left, chosen)

    def get_spare(lots: int) -> int:
        result = get_result(lots)
        return result.equity - result.initial

    def get_relief(lots: int) -> int:
        """Equity above what keeps equity per maintenance as it is; the vault has a position."""
        result = get_result(lots)
        return result.equity - divide_up(vault.equity * result.maintenance, vault.maintenance)

    def is_at_leverage(lots: int) -> bool:
        """Whether it is the vault's own choice that says what it needs."""
        moved = lots if size > 0 else -lots
        exposure, left = get_exposure(held + moved, resting), get_open_interest_after(market, held, size, moved)
        needed = get_initial_requirement(market, exposure, left, chosen)
        return needed > get_initial_requirement(market, exposure, left, 0)

    def iter_straight(first: int, last: int) -> Iterator[tuple[int, int]]:
        """A part, in two where the requirement of the rules and that of the leverage cross in it: largest first."""
        if chosen == 0 or is_at_leverage(first) == is_at_leverage(last):
            yield first, last
            return
        low = is_at_leverage(first)
        turn = find_boundary(lambda lots: is_at_leverage(lots) == low, first, last)
        yield turn + 1, last
        yield first, turn

    sheds = min(abs(held), abs(size)) if held * size < 0 else 0
    limit = state.rulebook.vault_position_limit
    limit = min(limit, market.rules.vault_position_limit or limit)
    with_it, against = (resting.bids, resting.asks) if size > 0 else (resting.asks, resting.bids)
    parts = _iter_parts(limit, market, abs(size), held if size > 0 else -held, sheds, with_it, against)
    lines = chain.from_iterable(iter_straight(*part) for part in parts)
    beyond = chain.from_iterable(_iter_crossing(get_spare, *line) for line in lines)
    # where the lots bring a deficit, shedding them pays up to some size only
    within = {*iter_halves(sheds), 1}
    if sheds:
        within |= {*_iter_crossing(get_spare, 1, sheds), *_iter_crossing(get_relief, 1, sheds)}
    sizes = chain(beyond, sorted(within, reverse=True))
    return next((lots for lots in sizes if accepts(lots)), 0)


def _iter_parts(
    limit: int, market: Market, size: int, held: int, sheds: int, with_it: int, against: int
) -> Iterator[tuple[int, int]]:
    """First and last lots of each part of the sizes above ``sheds`` and within the limit, the largest first.

    Within a part neither what the account keeps of ``size`` nor what the vault then has is in
    another bracket, with its open orders or without; ``held`` is its position, positive where the lots add to it,
    ``with_it`` and ``against`` the lots that its orders would add and take away.
    """
    last = min(limit // market.mark_price - held, size)
    floors = [tier.floor // market.mark_price for tier in market.rules.tiers]
    turns = {(against - with_it) // 2 - held}
    for floor in floors:
        turns |= {floor - held, size - floor - 1, floor - held - with_it, against - held - floor - 1}
    ends = {end for end in turns if sheds < end < last}
    for first, end in pairwise(sorted({*ends, last, sheds}, reverse=True) if last > sheds else ()):
        yield end + 1, first


def _iter_crossing(get_spare: Callable[[int], int], first: int, last: int) -> Iterator[int]:
    """The sizes of a part that may be the most with spare margin, largest first.

    Spare margin is a straight line, moved by -3 to +1 atoms by the three roundings on the way, and by one more of
    either sign beside a leverage's: beyond a size where it is below -6 no other is accepted, on the side
    where it falls.
    """
    if get_spare(last) >= -SLACK:
        top = last
    elif get_spare(first) >= -SLACK:
        top = find_boundary(lambda lots: get_spare(lots) >= -SLACK, first, last)
    else:
        return
    bottom = 0
    if get_spare(top) >= 0:
        bottom = top
    elif get_spare(first) >= 0:
        bottom = find_boundary(lambda lots: get_spare(lots) >= 0, first, top)
    yield from range(top, max(bottom, first, top - TAKEOVER_PROBES) - 1, -1)
    yield bottom or first


def find_boundary(holds: Callable[[int], bool], inside: int, outside: int) -> int:
    """The size next to where ``holds`` ends, by bisection: it holds inside and not outside."""
    while abs(outside - inside) > 1:
        middle = (inside + outside) // 2
        inside, outside = (middle, outside) if holds(middle) else (inside, middle)
    return inside


def iter_halves(lots: int, least: int = 1) -> Iterator[int]:
    """``lots``, half of what it is above ``least`` and one more, and so on down to ``least``."""
    rest = lots - least + 1
    while rest > 0:
        yield least - 1 + rest
        rest //= 2


def compute_fill_sizes(
    state: State, id: AccountId, maker: AccountId, market_id: MarketId, lots: int, time: int
) -> list[tuple[int, int]]:
    """First and last of each range of sizes up to ``lots`` that a liquidation fill's gates allow, the largest first.

    They are the market's share, what else limits a fill, and that neither the account nor the maker is left with
    dust; all sizes where all of it is off. Raises ``Rejected`` where the market is not listed.
    """
    market, account = get_market(state, market_id), state.accounts.get(id)
    size = account.positions.get(market_id).size
    against = state.accounts.get(maker).positions.get(market_id).size
    most = min(lots, abs(size))
    is_free = is_just_liquidated(state.rulebook, account.liquidated, time)
    if not is_free and not is_within_share(market, size, most):
        most = get_share_lots(market, size)
    margin = get_margin(account, state.markets)

    def is_within(lots: int) -> bool:
        left = get_lots_before_last(market, size, lots)
        return (
            is_short_of_target(state.rulebook, margin, market, size, left)
            and is_above_step(market, size, left)
            and is_block_open(state.rulebook, market, account, abs(size) - left, time)
        )

    if most > 0 and not is_within(most):
        # what is within the limits is, with one lot less, within them too
        most = find_boundary(is_within, 0, most)
    sign = 1 if size > 0 else -1

    def is_clean(lots: int) -> bool:
        own, other = size - sign * lots, against + sign * lots
        return leaves_no_dust(market.rules, size, own) and leaves_no_dust(market.rules, against, other)

    minimum, held = market.rules.minimum_size, -sign * against
    # beyond each of these a position is none, dust, or enough
    turns = {place + step for place in (abs(size), held) for step in (-minimum, -1, 0, minimum - 1)}
    ends = sorted({0, most, *(turn for turn in turns if 0 < turn < most)})
    ranges: list[tuple[int, int]] = []
    for below, last in pairwise(ends):
        if not is_clean(last):
            continue
        if ranges and ranges[-1][1] == below:
            ranges[-1] = ranges[-1][0], last
        else:
            ranges.append((below + 1, last))
    return ranges[::-1]
