"""What another rulebook would have made of the same account at the same moment."""

from __future__ import annotations

from fractions import Fraction

from attrs import frozen

from riskcore.bad_input import LogError
from riskcore.explain.accounts import AccountMargin, get_account_margin
from riskcore.explain.moment import Moment
from riskcore.quantities import AccountId, MarketId
from riskcore.queries import adl_queue
from riskcore.rulebook_diff import carry_over, put_under
from riskcore.rulebook_show import find_rulebook, get_shown_status
from riskcore.rules import Rule
from riskcore.step import step


@frozen
class Queued:
    """Who would be first of ``eligible`` to be deleveraged against the account's position in a market."""

    market: MarketId
    eligible: int
    first: AccountId | None


@frozen
class Under:
    """The account under the rulebook called ``name``, whose ``status`` says whether its figures are verified.

    ``markets``: those of the account whose rules are the rulebook's; the others keep theirs. ``margin`` says whether
    it is liquidated at this moment, and from which mark on. ``rejected``: the rule that the event itself breaks
    there, if it does.
    """

    name: str
    status: str
    markets: tuple[MarketId, ...]
    margin: AccountMargin
    queues: tuple[Queued, ...]
    rejected: Rule | None


def get_under(moment: Moment, account: AccountId, name: str) -> Under:
    """The account just before the event, under a preset or a rulebook's file.

    Raises ``LogError`` where there is no such rulebook, it shares no market with the state, or its amounts are no whole
    atoms of the log's; and within an open deleveraging or sharing, which has rules of its own.
    """
    file = find_rulebook(name)
    if moment.before.deleveraging is not None or moment.before.sharing is not None:
        since = "" if moment.opened is None else f", which event {moment.opened} opened"
        raise LogError(
            moment.file, moment.line, "--under", "an event before a deleveraging or sharing", f"one within{since}"
        )
    carried = carry_over(file, name, Fraction(moment.units.cash))
    state = put_under(moment.before, carried, name)
    margin = get_account_margin(state, account)
    held = [position.market for position in margin.positions if position.size]
    queues = []
    for market in held:
        queue = adl_queue(state, account, market)
        queues.append(Queued(market, len(queue), queue[0] if queue else None))
    return Under(
        name,
        get_shown_status(file, name),
        tuple(market for market in held if market in carried.markets),
        margin,
        tuple(queues),
        step(state, moment.event).rejected,
    )
