"""What every state satisfies: a proof assumes it before an event, and laws claim it after.

Both call these functions, so nothing is assumed that is not proven to be left behind.
CASH-1, CASH-2, BAL-1 and BAL-2 claim the first four, SHARE-1 what is said of the vault's shares,
INS-2 what is said of draws, INS-5 of the fund's parts, ADL-7 of where an episode ends, INV-1 the rest.
"""

from __future__ import annotations

from typing import Any

from riskcore.choices import AdlSize, Allocation, CloseOut
from specs.arithmetic import RATE_ONE, both_ways, every, floor_ratio, implies, magnitude, negate
from specs.case import Ledger, StakeView
from specs.domains import has_part
from specs.markets import admissible
from specs.tiers import maintenance_requirement


def every_atom_has_one_owner(ledger: Ledger) -> Any:
    """All balances, those of the reserves and of outside too, sum to zero."""
    reserves = ledger.reserves
    owned = (
        reserves.outside + reserves.insurance + reserves.fees + reserves.transit + reserves.uncovered + reserves.escrow
    )
    return ledger.sum_balances + owned == 0


def reserves_keep_their_sign(ledger: Ledger) -> Any:
    """Fund, fees, escrow and pool are not below zero, uncovered not above; transit is what positions entered at."""
    reserves = ledger.reserves
    return every(
        reserves.insurance >= 0,
        reserves.fees >= 0,
        reserves.escrow >= 0,
        reserves.outside <= 0,
        reserves.uncovered <= 0,
        reserves.transit == ledger.sum_entries,
    )


def shares_and_escrow_add_up(ledger: Ledger) -> Any:
    """The total of the vault's shares is the sum of the stakes, and escrow is the sum of the waiting deposits."""
    return every(ledger.vault_shares == ledger.sum_shares, ledger.reserves.escrow == ledger.sum_deposits)


def parts_are_of_the_fund(ledger: Ledger) -> Any:
    """The total is the sum of the markets' parts, and no more than the fund."""
    return every(
        ledger.separate_insurance == ledger.sum_insurance,
        ledger.separate_insurance >= 0,
        ledger.separate_insurance <= ledger.reserves.insurance,
    )


def part_is_possible(market: Any) -> Any:
    """No part is below zero, and only a separate market that does not end has any."""
    return every(market.insurance >= 0, implies(negate(has_part(market)), market.insurance == 0))


def stake_is_possible(stake: StakeView) -> Any:
    """Nothing is below zero, no more waits to be paid out than is held, and where nothing waits the time is zero."""
    return every(
        stake.shares >= 0,
        stake.deposit >= 0,
        stake.redemption >= 0,
        stake.redemption <= stake.shares,
        implies(stake.deposit == 0, stake.deposit_time == 0),
        implies(stake.redemption == 0, stake.redemption_time == 0),
    )


def draws_are_possible(ledger: Ledger) -> Any:
    """What the insurance fund has drawn is not below zero, and its window has begun."""
    return every(ledger.draws.drawn >= 0, ledger.draws.since <= ledger.timestamp)


def longs_equal_shorts(ledger: Ledger) -> Any:
    """The signed sizes of all positions in a market sum to zero."""
    return ledger.sum_sizes == 0


def open_interest_is_held(ledger: Ledger) -> Any:
    """Nobody holds what is not listed."""
    market = ledger.market
    return ledger.sum_longs == (0 if market is None else market.open_interest)


def position_is_possible(market: Any, position: Any) -> Any:
    """A closed position has every field zero, and there is none where no market is listed."""
    closed = every(position.size == 0, position.cost == 0, position.entry_index == 0, position.opened == 0)
    return closed if market is None else implies(position.size == 0, closed)


def resting_is_possible(market: Any, resting: Any) -> Any:
    """Nothing that rests is below zero; without orders there is nothing, nor where no market is listed."""
    nothing = every(resting.bids == 0, resting.asks == 0, resting.orders == 0)
    if market is None:
        return nothing
    return every(resting.bids >= 0, resting.asks >= 0, resting.orders >= 0, implies(resting.orders == 0, nothing))


def nothing_is_sold_back(sold: Any) -> Any:
    """What fills of a block have closed of an account is not below zero."""
    return sold >= 0


def market_is_possible(ledger: Ledger, funding_interval: Any) -> Any:
    """A listed market's rules are admissible, its prices above zero, its times past, its remainder below an atom."""
    market = ledger.market
    if market is None:
        return True
    return every(
        admissible(market.rules),
        market.mark_price > 0,
        market.funding_remainder >= 0,
        market.funding_remainder < RATE_ONE * funding_interval,
        market.funding_time <= ledger.timestamp,
        market.mark_time <= ledger.timestamp,
        market.sold >= 0,
        market.previous_mark_price > 0,
        market.index_price > 0,
        market.index_time <= ledger.timestamp,
        pending_is_possible(market),
    )


def pending_is_possible(market: Any) -> Any:
    """Rules that wait are admissible, and leave the market its part of the insurance fund; or none wait."""
    rules = market.pending
    if not hasattr(rules, "insurance_separate"):
        return True
    return every(admissible(rules), both_ways(rules.insurance_separate, market.rules.insurance_separate))


def episode_is_possible(episode: Any, rulebook: Any) -> Any:
    """Whoever a queue consumed took a lot at least, and one that nobody is queued for has a loss to book."""
    length = length_of(episode)
    return every(
        implies(rulebook.adl_allocation == Allocation.QUEUE, episode.done >= episode.head),
        episode.done >= 0,
        episode.done < episode.lots,
        episode.level_lots >= 0,
        episode.level_weight > 0,
        episode.remainder >= 0,
        episode.head >= 0,
        episode.head <= length,
        implies(length == 0, episode.share > episode.excess),
    )


def episode_fits(episode: Any, market: Any, account: Any, rulebook: Any) -> Any:
    """The account's position has at least what is left to close, and what it gets or gives is within what it has.

    What it gets in all brings an account no further than to zero, and what it gives leaves it no less. At
    bankruptcy price one that closes all it has ends at zero. At mark nothing is shared.
    """
    kept, left = episode.share - episode.excess, left_to_get(episode)
    is_all = every(magnitude(account.size) == episode.lots - episode.done, account.rest_maintenance == 0)
    return every(
        market is not None,
        magnitude(account.size) >= episode.lots - episode.done,
        implies(rulebook.adl_size == AdlSize.WHOLE, magnitude(account.size) == episode.lots - episode.done),
        episode.excess >= 0,
        implies(episode.excess > 0, kept >= 0),
        implies(rulebook.adl_close_out == CloseOut.MARK, every(episode.share == 0, episode.excess == 0)),
        implies(rulebook.adl_close_out == CloseOut.BANKRUPTCY, episode.excess == 0),
        implies((rulebook.adl_close_out == CloseOut.BANKRUPTCY) & is_all, account.equity + left == 0),
        implies(kept > 0, account.equity + left <= 0),
        implies(kept < 0, account.equity + left >= 0),
        # only of who has equity left a part is closed
        implies(magnitude(account.size) > episode.lots - episode.done, account.equity + left >= 0),
    )


def ends_at_maintenance(episode: Any, market: Any, account: Any) -> Any:
    """An open episode that leaves its account a part of its position leaves it at maintenance, once all is closed.

    What it has still to get, or to give, counts. ADL-7 claims it, and assumes it of the state before a step.
    """
    left = magnitude(account.size) - (episode.lots - episode.done)
    maintenance = account.rest_maintenance + maintenance_requirement(market, left)
    return implies(left > 0, account.equity + left_to_get(episode) >= maintenance)


def left_to_get(episode: Any) -> Any:
    """Atoms against mark that the account of an episode has still to get; below zero, to give."""
    paid = floor_ratio(episode.share * episode.done, episode.lots)
    passed_on = floor_ratio(episode.excess * episode.done, episode.lots)
    return episode.share - episode.excess - (paid - passed_on)


def sharing_is_possible(sharing: Any, loss: Any, length: Any) -> Any:
    """Somebody's turn it is, and what is due of those who come is uncovered."""
    return every(
        sharing.amount > 0,
        sharing.weight > 0,
        sharing.done >= 0,
        sharing.done <= sharing.weight,
        sharing.head >= 0,
        sharing.head < length,
        sharing.amount - floor_ratio(sharing.amount * sharing.done, sharing.weight) <= loss,
    )


def length_of(episode: Any) -> Any:
    """How many the queue of an episode, or of an event that opens one, has."""
    queue = episode.queue
    return len(queue) if type(queue) is tuple else queue.length
