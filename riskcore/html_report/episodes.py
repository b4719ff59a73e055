"""Deleveragings, one by one: the queue before and after, how concentrated it is, what was needed and what was taken."""

from __future__ import annotations

import heapq
from fractions import Fraction
from typing import Final

from attrs import define, field, frozen

from riskcore.journal import Pay, Reason, Stage, Trade
from riskcore.liquidation import get_equity_share
from riskcore.margin import get_margin
from riskcore.markets import get_market
from riskcore.quantities import AccountId, MarketId
from riskcore.state import Deleveraging, State
from riskcore.step import Outcome

#: Deleveragings of which the queue is shown, and how many of its places.
QUEUES: Final = 300
PLACES: Final = 40
#: The largest holders whose share of a queue's lots is told.
LARGEST: Final = 10


@frozen
class Concentration:
    """Of ``lots`` that ``holders`` have: the parts of the largest one and of the largest ``LARGEST``.

    ``herfindahl``: the sum of all parts' squares, 1 where one holds all.
    """

    holders: int
    lots: int
    largest: Fraction
    top: Fraction
    herfindahl: Fraction


def get_concentration(sizes: list[int]) -> Concentration:
    """Of positions of these sizes, of one side; those of nothing do not count."""
    lots = sorted((abs(size) for size in sizes if size), reverse=True)
    whole = sum(lots)
    if not whole:
        return Concentration(0, 0, Fraction(0), Fraction(0), Fraction(0))
    squares = Fraction(sum(own * own for own in lots), whole * whole)
    return Concentration(len(lots), whole, Fraction(lots[0], whole), Fraction(sum(lots[:LARGEST]), whole), squares)


@frozen
class Place:
    """Who stands in a queue with so many lots before, and after; sizes are signed."""

    account: AccountId
    before: int
    after: int


@define
class Episode:
    """A deleveraging, opened by the log's event ``number``, of ``lots`` of a position of ``size``.

    Atoms: ``needed`` is what the lots have lost beyond the account's equity, at mark; ``taken`` what counterparties
    got less than mark for theirs, ``given`` what they got more; ``overshoot`` what of the taken went to the insurance
    fund, ``insured`` and ``written_off`` what the queue left to the fund and to nobody.
    """

    number: int
    time: int
    account: AccountId
    market: MarketId
    size: int
    lots: int
    needed: int
    closed: int = 0
    taken: int = 0
    given: int = 0
    overshoot: int = 0
    insured: int = 0
    written_off: int = 0
    steps: int = 0
    before: Concentration | None = None
    after: Concentration | None = None
    places: tuple[Place, ...] = ()
    of: int = 0


@define
class Episodes:
    """All of a replay. One that the log begins with, or does not end, has no queue to compare."""

    all: list[Episode] = field(factory=list)
    _open: Episode | None = None
    _queue: list[tuple[AccountId, int]] = field(factory=list)
    _kept: list[tuple[int, int]] = field(factory=list)

    def take(self, number: int, before: State, outcome: Outcome) -> None:
        """Look at the log's event of that number. Tables of ``before`` are not looked at."""
        was, now = before.deleveraging, outcome.state.deleveraging
        if was is None and now is not None:
            self._begin(number, outcome.state, now)
        elif was is not None and self._open is not None:
            _add_effects(self._open, outcome)
            if now is None:
                self._end(outcome.state)

    def _begin(self, number: int, state: State, opened: Deleveraging) -> None:
        account, market = state.accounts.get(opened.account), get_market(state, opened.market)
        size = account.positions.get(opened.market).size
        lost = -get_equity_share(get_margin(account, state.markets), market, size, opened.lots)
        told = opened.account, opened.market, size, opened.lots, max(lost, 0)
        self._queue = [(id, _get_size(state, id, opened.market)) for id in opened.queue]
        self._open = Episode(number, state.timestamp, *told, of=len(opened.queue))
        self._open.before = get_concentration([size for _, size in self._queue])
        self.all.append(self._open)

    def _end(self, state: State) -> None:
        episode = self._open
        assert episode is not None
        places = [Place(id, size, _get_size(state, id, episode.market)) for id, size in self._queue]
        episode.after = get_concentration([place.after for place in places])
        episode.places = tuple(places[:PLACES])
        self._open, self._queue = None, []
        self._forget(episode)

    def _forget(self, episode: Episode) -> None:
        """Keep the places of the deleveragings that took most, and of equals of the first."""
        heapq.heappush(self._kept, (episode.taken, -(len(self.all) - 1)))
        if len(self._kept) > QUEUES:
            _, least = heapq.heappop(self._kept)
            self.all[-least].places = ()


def _get_size(state: State, id: AccountId, market: MarketId) -> int:
    return state.accounts.get(id).positions.get(market).size


def _add_effects(episode: Episode, outcome: Outcome) -> None:
    for line in outcome.effects:
        if isinstance(line, Trade):
            if line.stage is Stage.DELEVERAGING:
                _add_close(episode, line, outcome.state)
        elif line.stage is Stage.DELEVERAGING and line.reason is Reason.OVERSHOOT:
            episode.overshoot += line.amount
        else:
            _add_rest(episode, line)


def _add_close(episode: Episode, line: Trade, state: State) -> None:
    """A close-out: what the counterparty got less than mark for it, or more."""
    dearer = line.amount - line.lots * get_market(state, line.market).mark_price
    forgone = dearer if line.seller == episode.account else -dearer
    episode.taken += max(forgone, 0)
    episode.given += max(-forgone, 0)
    episode.closed += line.lots
    episode.steps += 1


def _add_rest(episode: Episode, line: Pay) -> None:
    """What an exhausted queue leaves over."""
    if line.reason is Reason.COVER:
        episode.insured += line.amount
    elif line.reason is Reason.WRITE_OFF:
        episode.written_off += line.amount
