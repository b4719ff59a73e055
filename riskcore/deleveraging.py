"""The last stage: opposite positions are closed against the one that nobody else takes.

The queue is a certificate. Whoever plans may sort it as it likes; the kernel checks
it once, when it opens, and then consumes heads, all of each or of each its part (``allocation.py``). While it is
open nothing else is accepted, so no mark, deposit or trade can make it stale.

The counterparties together pay exactly ``share``, and the insurance fund gets exactly ``excess`` of it
(``close_out.py``): each step pays the difference of two rounded-down parts, which telescopes. What a queue
cannot pay of the rest falls on insurance, then on uncovered.
"""

from __future__ import annotations

from attrs import evolve

from riskcore.allocation import Part, get_lots_more, get_part, get_step_lots
from riskcore.close_out import are_lots_to_close, get_lots, get_terms, is_price_fresh, make_episode
from riskcore.events import BeginDeleveraging, Deleverage, EndDeleveraging
from riskcore.gates import must_wait
from riskcore.insurance import get_available
from riskcore.journal import Journal, Reason, Reserve, Stage
from riskcore.limits import is_block_open
from riskcore.liquidation import can_take_a_lot, give, require_liquidatable
from riskcore.margin import get_margin
from riskcore.markets import get_market, get_trading_market, require_fresh
from riskcore.quantities import AccountId, Lots, divide_down
from riskcore.ranking import certify
from riskcore.rules import Rejected, Rule, require
from riskcore.state import Deleveraging, Market, State
from riskcore.vault import can_take_over


def get_paid(episode: Deleveraging, done: int) -> int:
    """Atoms that counterparties have paid once ``done`` lots are closed, rounded down."""
    return divide_down(episode.share * done, episode.lots)


def get_passed_on(episode: Deleveraging, done: int) -> int:
    """Atoms of that which have gone to the insurance fund, rounded down."""
    return divide_down(episode.excess * done, episode.lots)


def get_open(state: State) -> Deleveraging:
    """The open deleveraging; ``Rejected`` where there is none."""
    if state.deleveraging is None:
        raise Rejected(Rule.DELEVERAGING_NOT_OPEN)
    return state.deleveraging


def process_begin_deleveraging(state: State, event: BeginDeleveraging) -> Journal:
    # Guard
    market = get_trading_market(state, event.market)
    rulebook = state.rulebook
    account = state.accounts.get(event.account)
    size = account.positions.get(event.market).size
    require_fresh(state, account.positions, event.timestamp)
    margin = get_margin(account, state.markets)
    lots = get_lots(size, event.size)
    require_liquidatable(margin, size, lots)
    require(account.resting.is_empty, Rule.ORDERS_REST)
    require(not must_wait(rulebook, margin, account.liquidated, event.timestamp), Rule.LIQUIDATION_COOLDOWN)
    is_open = is_block_open(rulebook, market, account, 0, event.timestamp)
    require((margin.equity < 0) | is_open, Rule.LIQUIDATION_BLOCK)
    is_taken = can_take_a_lot(state, market, margin, size, event.timestamp)
    require(not (rulebook.has_book & is_open & is_taken), Rule.BOOK_NOT_EXHAUSTED)
    require(rulebook.adl_solvent | (margin.equity <= 0), Rule.ADL_SOLVENT)
    if event.account != rulebook.vault:
        vault = state.accounts.get(rulebook.vault)
        has_room = can_take_over(state, event.market, market, margin, size, 1, vault)
        require(not has_room, Rule.VAULT_NOT_EXHAUSTED)
    insurance_is_next = rulebook.insurance_before_adl & (margin.equity < 0)
    require((not insurance_is_next) | (get_available(state, event.timestamp) == 0), Rule.INSURANCE_NOT_EXHAUSTED)
    require(is_price_fresh(rulebook, market, event.timestamp), Rule.INDEX_STALE)
    require(are_lots_to_close(rulebook, market, margin, size, lots), Rule.NOT_THE_LOTS_TO_CLOSE)
    terms = get_terms(rulebook, market, margin, size, lots)
    opened = event.account, event.market, lots, terms, event.queue, event.level_lots, event.level_weight
    episode = make_episode(state, *opened)
    certificate = certify(state, market, size, episode)
    require(certificate.is_ranked, Rule.QUEUE_NOT_RANKED)
    require(certificate.remainder >= 0, Rule.LEVEL_NOT_EXACT)
    require((episode.share > episode.excess) | (len(event.queue) > 0), Rule.NOTHING_TO_BOOK)
    # Effect
    journal = Journal(state)
    journal.deleveraging = make_episode(state, *opened, certificate.remainder)
    return journal


def get_head_part(state: State, market: Market, episode: Deleveraging, head: AccountId) -> Part:
    """The part of the queue's head, which nothing has touched since the queue was certified."""
    account = state.accounts.get(head)
    position = account.positions.get(episode.market)
    equity = get_margin(account, state.markets).equity
    figures = position.size, position.cost, market.mark_price, equity
    return get_part(state.rulebook.adl_allocation, *figures, episode.level_lots, episode.level_weight)


def close(journal: Journal, market: Market, episode: Deleveraging, head: AccountId, done: int) -> None:
    """Close the account against the queue's head until ``done`` of the episode's lots are."""
    account, counterparty = journal.account(episode.account), journal.account(head)
    size, lots = account.positions.get(episode.market).size, done - episode.done
    payment = get_paid(episode, done) - get_paid(episode, episode.done)
    worth = lots * market.mark_price
    amount = worth + payment if size > 0 else worth - payment
    give(journal, account, counterparty, size, lots, amount, Reason.CLOSE_OUT, Stage.DELEVERAGING)
    passed_on = get_passed_on(episode, done) - get_passed_on(episode, episode.done)
    journal.pay(account, journal.reserve(Reserve.INSURANCE), passed_on, Reason.OVERSHOOT, Stage.DELEVERAGING)


def process_deleverage(state: State, event: Deleverage) -> Journal:
    # Guard
    episode = get_open(state)
    require(episode.head < len(episode.queue), Rule.QUEUE_EXHAUSTED)
    # Effect
    market = get_market(state, episode.market)
    journal = Journal(state, episode.market, market)
    head = episode.queue[episode.head]
    part = get_head_part(state, market, episode, head)
    lots = get_step_lots(episode, part)
    done = episode.done + lots
    if lots > 0:
        close(journal, market, episode, head, done)
    journal.deleveraging = None
    if done < episode.lots:
        left = Lots(episode.remainder - get_lots_more(episode, part))
        journal.deleveraging = evolve(episode, done=Lots(done), head=episode.head + 1, remainder=left)
    return journal


def process_end_deleveraging(state: State, event: EndDeleveraging) -> Journal:
    # Guard
    episode = get_open(state)
    require(episode.head == len(episode.queue), Rule.QUEUE_NOT_EXHAUSTED)
    # Effect
    journal = Journal(state, episode.market, get_market(state, episode.market))
    account, uncovered = journal.account(episode.account), journal.reserve(Reserve.UNCOVERED)
    paid = get_paid(episode, episode.done) - get_passed_on(episode, episode.done)
    unpaid = max(episode.share - episode.excess - paid, 0)
    covered = min(unpaid, get_available(state, event.timestamp, journal.market))
    journal.cover(account, covered, Stage.INSURANCE, event.timestamp)
    journal.pay(uncovered, account, unpaid - covered, Reason.WRITE_OFF, Stage.UNCOVERED)
    journal.deleveraging = None
    return journal
