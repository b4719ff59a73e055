"""Plays a scenario: the index moves, makers quote, marks follow, who is below maintenance is liquidated, others trade.

A tool, not the kernel: all that happens is an event that ``step`` has accepted. The log is a function of scenario and
seed alone: of integers, and of whole numbers drawn from one generator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from riskcore.events import ApplyFunding, Deposit, Event, FundInsurance, IndexPrice, ListMarket, MarkPrice
from riskcore.oracle import get_average_premium, get_funding_rate, get_median_mark, get_premium
from riskcore.quantities import RATE_ONE, MarketId, Time
from riskcore.simulation.agents import Maker, Trader, VaultTrader, make_agents
from riskcore.simulation.feeds import Feed
from riskcore.simulation.scenario import Scenario
from riskcore.simulation.session import Session
from riskcore.state import Market

#: Rates per interval: funding is drawn toward the first, by the second at most.
INTEREST, CLAMP = 100, 500
#: Events after which a simulation ends, where no other number is asked for.
MOST_EVENTS: Final = 1_000_000


def simulate(
    scenario: Scenario,
    seed: int | None = None,
    most: int = MOST_EVENTS,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Event]:
    """The events of a scenario, in order. ``seed``: by default the scenario's own.

    The run ends after the scenario's steps, or after the first with which there are ``most`` events.
    ``progress`` is told how many steps are done, of how many.
    """
    session = Session(scenario, scenario.seed if seed is None else seed)
    agents, vault = make_agents(scenario, session), VaultTrader(scenario)
    makers = [agent for agent in agents if isinstance(agent, Maker)]
    others = [agent for agent in agents if not isinstance(agent, Maker)]
    open_venue(session)
    count = 0
    for number in range(scenario.steps):
        session.step, session.time = number, Time(scenario.start + number * scenario.step)
        play_step(session, makers, others, vault)
        events = session.take_events()
        yield from events
        if progress is not None:
            progress(number + 1, scenario.steps)
        count += len(events)
        if count >= most:
            return


def open_venue(session: Session) -> None:
    """The markets, and the money of fund and vault."""
    scenario = session.scenario
    for course in scenario.courses:
        session.does(ListMarket, course.market, course.rules, course.price)
    if scenario.insurance:
        session.does(FundInsurance, scenario.insurance)
    if scenario.vault.cash:
        session.does(Deposit, scenario.rulebook.vault, scenario.vault.cash)


def play_step(session: Session, makers: Sequence[Maker], others: Sequence[Trader], vault: VaultTrader) -> None:
    """One round. Marks see the makers' new quotes, liquidations meet them, and what is left is for the others."""
    for market_id, feed in session.feeds.items():
        if session.step:
            feed.move(session.random)
        session.does(IndexPrice, market_id, feed.index)
    for maker in makers:
        maker.clear(session)
    for agent in _rotate(session, makers):
        agent.act(session)
    for market_id, feed in session.feeds.items():
        set_mark(session, market_id, feed)
        apply_funding(session, market_id, feed)
    session.resolve()
    vault.act(session)
    for agent in _rotate(session, others):
        agent.act(session)


def _rotate(session: Session, agents: Sequence[Trader]) -> list[Trader]:
    """The agents from another one on at each step, so that none is always first."""
    first = session.random.randrange(len(agents)) if agents else 0
    return [*agents[first:], *agents[:first]]


def set_mark(session: Session, market_id: MarketId, feed: Feed) -> None:
    """The median of index, middle of the book and last trade, as near to it as the market's rules let a mark come."""
    market = session.get_market(market_id)
    mark: int = get_median_mark(feed.index, get_book_middle(market, feed.index), feed.last)
    mark = _clamp(mark, feed.index, market.rules.mark_index_band)
    mark = _clamp(mark, market.mark_price, market.rules.mark_move_limit)
    session.does(MarkPrice, market_id, mark)


def _clamp(price: int, around: int, rate: int) -> int:
    """The nearest price within a rate of another; a rate of zero bounds nothing."""
    reach = around * rate // RATE_ONE
    return max(around - reach, min(price, around + reach)) if rate else price


def get_book_middle(market: Market, price: int) -> int:
    """Between best bid and best ask; of a book that lacks one of them, the price."""
    return (market.bid_price + market.ask_price) // 2 if market.bid_price and market.ask_price else price


def apply_funding(session: Session, market_id: MarketId, feed: Feed) -> None:
    """Note the premium of the best quotes, and charge its mean at the end of an interval."""
    market, every = session.get_market(market_id), feed.course.funding_every
    if market.bid_price and market.ask_price:
        feed.premiums.append(get_premium(feed.index, market.bid_price, market.ask_price))
    if every and session.step and session.step % every == 0:
        premium = get_average_premium(feed.premiums) if feed.premiums else 0
        rate = get_funding_rate(premium, INTEREST, CLAMP, session.scenario.rulebook.funding_rate_cap)
        session.does(ApplyFunding, market_id, rate)
        feed.premiums.clear()
