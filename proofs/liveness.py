"""LIVE-1: whoever is in need, some next event is accepted. One state, several events tried on it by the kernel itself.

A trial writes nothing: a transition leaves the state as it is until its journal is posted. With the
law of the same id, by which each such event lowers what is left to do, a resolution comes to an end at
fixed marks. Its measure is (deficits and what is uncovered, open interest, lots of accounts below
maintenance, deficits not booked), compared in this order; an episode from its beginning to its end is one step of
it, and finite, since its head moves on, also where a part is no lot; it closes a lot at least where it has
somebody (ADL-10). Orders that are in the way are cancelled, each a step that leaves the rest of it as it is and one
order less. That no step raises an earlier figure is LIQ-3, MARG-3, ADL-3, ADL-4,
SETTLE-1 and LOSS-2 for the deficits, BAL-2's open interest and the effects for the lots.

That the whole measure falls is said here and not in one lemma, for three reasons.

* Not every event of an episode lowers it. What opens one lowers none of the four figures, and a step in which the head
  closes nothing lowers none either; it is the episode as a whole that does, which is a claim about a sequence of
  events, while a claim here is about one. The parts are laws: what an episode closes is all that it can (ADL-10), so a
  lot at least where somebody was queued; with nobody queued its share is above its excess (INV-1), and its end covers
  that or books it (ADL-4). A sharing is likewise: its members have equity each (LOSS-4), their dues sum to its amount,
  which is above zero, and who has an atom due pays one at least; but the first of them may have nothing due.
* Nor does each figure stay or fall at each event. A counterparty that keeps a part of its position may come below
  maintenance by what it pays, and then more lots are of accounts below maintenance: allowed, since open interest has
  fallen, but only because that comes before. Likewise a maker or the vault, where it reduces, is held to no more than
  its equity per maintenance; where open interest does not fall it has grown, and so is at initial margin.
* The lots of accounts below maintenance are a sum over all accounts and markets. A proof sees an account's lots in the
  event's market, and of its others totals of value and requirements without lots. What an event does to the accounts
  that it touches could be claimed; that the sum over all falls would be an inference from the footprint (FRAME-1).

What needs other accounts is a hypothesis, and named: that the queue is the ranked one and its level exact, that it
has somebody or there is a loss to book, that the members are all. A ranked queue exists: rank is a strict
total order (``ranking.py``), and accounts are finitely many. So does an exact level: parts go from nothing to all,
without a leap, as it grows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from riskcore import events
from riskcore.choices import CloseOut, LossSharing, MarketStatus
from riskcore.prover.book import AccountSymbols, SymMembers, SymQueue, World
from riskcore.prover.case import SymCase, assume_head, choose_sharing
from riskcore.prover.kernel import on_symbols
from riskcore.prover.lemma import Lemma, assume
from riskcore.prover.symbols import new_bool, new_int
from riskcore.prover.tracer import Tracer
from riskcore.rules import Rejected
from riskcore.step import apply
from specs.arithmetic import RATE_ONE, either, every, implies, magnitude, negate
from specs.deleveraging import excess_to_pass, lots_asked, lots_to_close, share_to_pay
from specs.gates import cooled_down
from specs.limits import block_has_room
from specs.liquidation import could_take_a_lot
from specs.markets import fresh, index_fresh
from specs.vault import could_take_over


class _Try:
    """Any state, in which events are tried that come next and at one time."""

    def __init__(self, tracer: Tracer, market: Any = None, **open: bool) -> None:
        if market is not None:
            assume(tracer, new_bool("market.listed"))
        self.tracer = tracer
        self.world = World(tracer, market, **{"deleveraging": False, "is_step": False, **open})
        self._header = {name: new_int(f"event.{name}") for name in ("id", "sequence", "timestamp")}
        self.time = self._header["timestamp"]
        assume(tracer, self._header["sequence"] > self.world.sequence, self.time >= self.world.timestamp)
        assume(tracer, negate(self.world.seen.get(self._header["id"])))

    def make(self, kind: type[events.Header], **fields: Any) -> Any:
        return kind(**self._header, **fields)

    def get_case(self, event: Any) -> Any:
        """The state as the specification sees it when the event comes."""
        return SymCase(self.world, event, None, None, None)

    def get_account(self, id: Any) -> AccountSymbols:
        return AccountSymbols(self.world, self.world.accounts.get(id))

    def accepts(self, event: Any) -> bool:
        with on_symbols(self.world):
            try:
                apply(self.world.get_state(), event)
            except Rejected:
                return False
        return True


# A market's end


def _an_open_market_can_end(tracer: Tracer) -> Any:
    attempt, price = _Try(tracer, new_int("market")), new_int("price")
    market: Any = attempt.world.market
    assume(tracer, negate(market.settling), price > 0)
    return attempt.accepts(attempt.make(events.SettleMarket, market=attempt.world.focus, price=price))


def _what_ends_can_be_paired(tracer: Tracer) -> Any:
    """Who is long is not alone: the others' sizes sum to less than nothing, so somebody is short. With any such."""
    attempt = _Try(tracer, new_int("market"))
    world, long, short = attempt.world, new_int("long"), new_int("short")
    market: Any = world.market
    one, other = attempt.get_account(long), attempt.get_account(short)
    bought, sold = one.size, other.size
    assume(tracer, market.settling, bought > 0, one.orders == 0, other.orders == 0)
    if not bool(sold < 0):
        return world.sum_sizes - bought < 0
    return attempt.accepts(attempt.make(events.SettlePair, market=world.focus, long=long, short=short))


def _what_rests_can_be_cancelled(tracer: Tracer) -> Any:
    """Whatever else there is: also in a market that ends, also the orders of who is below maintenance."""
    attempt, id = _Try(tracer, new_int("market")), new_int("order")
    event = attempt.make(events.CancelOrder, market=attempt.world.focus, order=id)
    order = attempt.get_case(event).before.order(id)
    assume(tracer, order.rests, order.market == attempt.world.focus)
    return attempt.accepts(event)


def _a_flat_debt_can_be_booked(tracer: Tracer) -> Any:
    attempt, id = _Try(tracer), new_int("account")
    account = attempt.get_account(id)
    assume(tracer, account.maintenance == 0, account.equity < 0)
    return _accepts_any(
        attempt, attempt.make(events.CoverDeficit, account=id), attempt.make(events.WriteOff, account=id)
    )


# An account below maintenance


def _accepts_any(attempt: _Try, *tried: Any) -> bool:
    return any(attempt.accepts(event) for event in tried)


class _Need:
    """An account below maintenance with a position in a market that is open and not paused, its marks fresh.

    It has no orders, and the book takes none of its lots: what takes one is a fill, or an order that can be cancelled.

    No cooldown runs, and no block that is used up; neither holds up an account in debt. And the queue that is
    ranked against it, for the lots that the rulebook wants closed.
    """

    def __init__(self, tracer: Tracer) -> None:
        self.attempt, self._id = _Try(tracer, new_int("market")), new_int("account")
        self.world = self.attempt.world
        market: Any = self.world.market
        self.account = account = self.attempt.get_account(self._id)
        assume(tracer, negate(market.settling), market.status != MarketStatus.PAUSED, account.size != 0)
        # on either side the same terms as the kernel's
        bool(account.size > 0)
        self.queue: Any = SymQueue("queue")
        self.world.queue = self.queue
        fields = {"account": self._id, "market": self.world.focus}
        level = {name: new_int(f"event.{name}") for name in ("level_lots", "level_weight")}
        self._begin = self.attempt.make(
            events.BeginDeleveraging, **fields, queue=self.queue, size=new_int("event.size"), **level
        )
        self._cover = self.attempt.make(events.CoverDeficit, account=self._id)
        self._takeover = self.attempt.make(events.Takeover, **fields, size=1)
        self.case = case = self.attempt.get_case(self._begin)
        assume(tracer, account.equity < account.maintenance, account.marks_are_fresh(self.attempt.time))
        assume(tracer, (account.equity < 0) | block_has_room(case, account, 0))
        assume(tracer, implies(self.world.rulebook.adl_close_out == CloseOut.INDEX, index_fresh(case)))
        lots = lots_asked(case, account)
        assume(tracer, lots > 0, lots <= magnitude(account.size), lots_to_close(case, account, lots))
        assume(tracer, account.has_no_orders, negate(self._is_taken()))
        assume(tracer, cooled_down(case, account), self.queue.length >= 0, case.is_ranked)
        assume(tracer, case.remainder >= 0)

    def _is_taken(self) -> Any:
        """Whether the best order of the other side would take a lot, and the block has room for it."""
        market: Any = self.world.market
        best = either(self.account.size > 0, market.bid_price, market.ask_price)
        has_room = self.world.rulebook.has_book & block_has_room(self.case, self.account, 0)
        return has_room & could_take_a_lot(self.case, self.account, best)

    def is_helped(self) -> bool:
        return _accepts_any(self.attempt, self._takeover, self._cover, self._begin)


def _in_need(is_in_need: Callable[[_Try, Any, Any], Any]) -> Callable[[Tracer], Any]:
    """Of an account in need of which ``is_in_need`` holds too."""

    def somebody_helps(tracer: Tracer) -> Any:
        need = _Need(tracer)
        assume(tracer, is_in_need(need.attempt, need.case, need.account))
        return need.is_helped()

    return somebody_helps


def _owes_more_than_it_has(attempt: _Try, case: Any, account: Any) -> Any:
    """At bankruptcy price there is always a loss to book, whoever is eligible."""
    return every(account.equity < 0, attempt.world.rulebook.adl_close_out == CloseOut.BANKRUPTCY)


def _has_somebody(case: Any, account: Any) -> Any:
    """Somebody is eligible, or there is a loss to book."""
    lots = lots_asked(case, account)
    return (case.event.queue.length > 0) | (share_to_pay(case, account, lots) > excess_to_pass(case, account, lots))


def _has_nothing_left(attempt: _Try, case: Any, account: Any) -> Any:
    return every(account.equity <= 0, _has_somebody(case, account))


def _may_be_closed_solvent(attempt: _Try, case: Any, account: Any) -> Any:
    """Where the vault has room, its trigger has come."""
    rulebook = attempt.world.rulebook
    is_due = account.equity * RATE_ONE <= rulebook.takeover_rate * account.maintenance
    is_vaults = is_due | negate(could_take_over(case, account, 1))
    return every(rulebook.adl_solvent, is_vaults, _has_somebody(case, account))


def _nobody_is_left(tracer: Tracer) -> Any:
    """The one state of an account with no equity, in which none of these is accepted; then its market can end."""
    need, price = _Need(tracer), new_int("price")
    account, world = need.account, need.world
    assume(tracer, account.equity <= 0, price > 0)
    if need.is_helped():
        return True
    is_at_price = world.rulebook.adl_close_out != CloseOut.BANKRUPTCY
    is_alone = (need.queue.length == 0) & ((account.equity == 0) | is_at_price)
    end = need.attempt.make(events.SettleMarket, market=world.focus, price=price)
    return is_alone & need.attempt.accepts(end)


# What is open


def _an_open_queue_goes_on(tracer: Tracer) -> Any:
    attempt = _Try(tracer, new_int("episode.market"), deleveraging=True, is_step=True)
    assume_head(attempt.world)
    return _accepts_any(attempt, attempt.make(events.Deleverage), attempt.make(events.EndDeleveraging))


def _an_open_sharing_goes_on(tracer: Tracer) -> Any:
    attempt = _Try(tracer, new_int("sharing.market"), sharing=True, is_step=True)
    choose_sharing(attempt.world)
    return attempt.accepts(attempt.make(events.ShareLoss))


def _a_loss_can_be_shared(tracer: Tracer) -> Any:
    attempt = _Try(tracer, new_int("market"))
    world = attempt.world
    choose_sharing(world)
    members: Any = SymMembers("members")
    world.members = members
    event = attempt.make(events.BeginLossSharing, market=world.focus, members=members)
    assume(tracer, world.reserves.uncovered < 0, world.total_weight > 0)
    market: Any = world.market
    assume(tracer, market.settling | fresh(attempt.get_case(event)))
    return (world.rulebook.loss_sharing is LossSharing.NONE) != attempt.accepts(event)


LEMMAS = (
    Lemma(
        "an_open_market_can_end",
        "LIVE-1",
        "a market that is open can be ended at any price above zero",
        _an_open_market_can_end,
        contracts=True,
    ),
    Lemma(
        "what_ends_can_be_paired",
        "LIVE-1",
        "in a market that ends, who is long has somebody short to be settled with, once their orders are cancelled",
        _what_ends_can_be_paired,
        contracts=True,
    ),
    Lemma(
        "what_rests_can_be_cancelled",
        "LIVE-1",
        "an order that rests can be cancelled, whatever else there is",
        _what_rests_can_be_cancelled,
        contracts=True,
    ),
    Lemma(
        "a_flat_debt_can_be_booked",
        "LIVE-1",
        "the debt of a flat account is covered or written off",
        _a_flat_debt_can_be_booked,
        contracts=True,
    ),
    Lemma(
        "who_owes_is_closed",
        "LIVE-1",
        "where close-outs are at bankruptcy price, who is in deficit is covered or deleveraged, whoever is eligible",
        _in_need(_owes_more_than_it_has),
        contracts=True,
    ),
    Lemma(
        "who_has_nothing_left_is_closed",
        "LIVE-1",
        "who has no equity left is taken over, covered or deleveraged, if somebody is eligible or a loss to book",
        _in_need(_has_nothing_left),
        contracts=True,
    ),
    Lemma(
        "who_is_below_maintenance_is_closed",
        "LIVE-1",
        "with adl_solvent, so is any below maintenance, if the vault's trigger has come where the vault has room",
        _in_need(_may_be_closed_solvent),
        contracts=True,
    ),
    Lemma(
        "who_is_not_closed_is_alone",
        "LIVE-1",
        "who has no equity left and is not helped owes nothing to book and has nobody eligible; its market can end",
        _nobody_is_left,
        contracts=True,
    ),
    Lemma(
        "an_open_queue_goes_on",
        "LIVE-1",
        "while a deleveraging is open, its next step or its end is accepted",
        _an_open_queue_goes_on,
        contracts=True,
    ),
    Lemma(
        "an_open_sharing_goes_on",
        "LIVE-1",
        "while a sharing is open, its next step is accepted",
        _an_open_sharing_goes_on,
        contracts=True,
    ),
    Lemma(
        "a_loss_can_be_shared",
        "LIVE-1",
        "what is uncovered can be shared out where the rulebook does, somebody has weight and the mark is fresh",
        _a_loss_can_be_shared,
        contracts=True,
    ),
)
