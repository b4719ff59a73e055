"""One event explained: what it met, what the kernel asked, what it did, and what the laws say of it."""

from __future__ import annotations

from typing import Any, Final

import attrs
from attrs import frozen

from riskcore.bad_input import LogError, get_hint, quote
from riskcore.capacity import compute_close_out_size, compute_opening
from riskcore.close_out import get_terms, make_episode
from riskcore.codec import encode
from riskcore.events import (
    BeginDeleveraging,
    CoverDeficit,
    Event,
    Fill,
    LiquidationFill,
    ShareLoss,
    Takeover,
    Transfer,
    WriteOff,
)
from riskcore.explain.accounts import AccountMargin, Figures, get_account_margin, get_figures
from riskcore.explain.clauses import Clause
from riskcore.explain.moment import Moment
from riskcore.explain.queue import Queue, get_queue
from riskcore.explain.roundings import Roundings, get_roundings
from riskcore.explain.stages import Close, StageLeft, get_choice, get_closed_account, get_closes, get_stages
from riskcore.explain.under import Under, get_under
from riskcore.explain.watch import Watched, watch
from riskcore.journal import Journal, Line
from riskcore.margin import get_margin, is_below_maintenance
from riskcore.markets import get_market
from riskcore.monitor import OTHER_LAWS, Monitor
from riskcore.quantities import AccountId, Lots, MarketId
from riskcore.rules import Rule
from riskcore.state import Deleveraging, State
from riskcore.step import DELEVERAGING_STEPS, apply
from specs.laws import LAWS

#: What takes an account of its position or its debt: stages of the waterfall, each judged when it happens.
FORCED: Final = (LiquidationFill, Takeover, CoverDeficit, BeginDeleveraging, WriteOff)
_SENTENCES: Final = {law.id: law.sentence for law in LAWS} | OTHER_LAWS


@frozen
class Change:
    """An account that the event touched, or was asked about, in short: before it and after."""

    account: AccountId
    before: Figures
    after: Figures


@frozen
class FieldChange:
    """A figure of the event's market, or of the venue, that the event changed, as snapshots write it."""

    name: str
    before: Any
    after: Any


@frozen
class LawVerdict:
    """What a law says of this event: ``REPLAYED(1)``, or ``VIOLATED`` with the clause that fails."""

    law: str
    sentence: str
    verdict: str


@frozen
class Explanation:
    """``margin``: the account just before the event; None where the event is about none and none was asked for.

    ``rejected``: the rule that it broke, whose clause is then the last of ``clauses``, all that the kernel asked.
    ``chosen``: why who trades with the account does; of a deleveraging, ``queue`` says it.
    ``stages``: what was left in each, where lots are closed by force; ``opened``: of a step in a deleveraging, the
    event that opened it, at which they were judged.
    """

    moment: Moment
    account: AccountId | None
    margin: AccountMargin | None
    rejected: Rule | None
    clauses: tuple[Clause, ...]
    chosen: str | None
    stages: tuple[StageLeft, ...]
    opened: int | None
    queue: Queue | None
    lines: tuple[Line, ...]
    closes: tuple[Close, ...]
    roundings: Roundings
    changes: tuple[Change, ...]
    fields: tuple[FieldChange, ...]
    laws: tuple[LawVerdict, ...]
    under: Under | None

    @property
    def is_lawful(self) -> bool:
        """Whether no law is violated."""
        return not any(law.verdict.startswith("VIOLATED") for law in self.laws)


def explain(moment: Moment, account: str | None = None, rulebook: str | None = None) -> Explanation:
    """The event, for the account that it is about or another one; under another rulebook too, where one is named.

    Raises ``LogError`` where the account or the rulebook is unknown.
    """
    before, event = moment.before, moment.event
    watched = watch(lambda: apply(before, event))
    monitor = Monitor(before)
    outcome = monitor.step(before, event)
    after = outcome.state
    subject = get_subject(before, event) if account is None else _find_account(moment, after, account)
    if rulebook is not None and subject is None:
        raise LogError(moment.file, moment.line, "--under", "an --account, as the event is about none", "none")
    return Explanation(
        moment=moment,
        account=subject,
        margin=None if subject is None else get_account_margin(before, subject),
        rejected=watched.rejected,
        clauses=watched.clauses,
        chosen=get_choice(before, event),
        stages=_get_stages(before, event),
        opened=moment.opened if isinstance(event, DELEVERAGING_STEPS) else None,
        queue=_get_queue(before, event, watched),
        lines=outcome.effects,
        closes=get_closes(before, event, outcome.effects),
        roundings=get_roundings(watched.divisions),
        changes=_get_changes(before, after, watched.result, subject),
        fields=_get_field_changes(before, after, event),
        laws=_get_laws(monitor, before),
        under=None if rulebook is None or subject is None else get_under(moment, subject, rulebook),
    )


def get_subject(before: State, event: Event) -> AccountId | None:
    """The account that an event is about: of a trade the taker, of a transfer the payer; None where there is none."""
    if isinstance(event, ShareLoss):
        sharing = before.sharing
        return None if sharing is None else sharing.members[sharing.head]
    if isinstance(event, Fill):
        return event.taker
    return event.payer if isinstance(event, Transfer) else get_closed_account(before, event)


def _find_account(moment: Moment, after: State, name: str) -> AccountId:
    known = {id for id, _ in after.accounts.items()} | {after.rulebook.vault}
    if name not in known:
        expected = f"an account that event {moment.number} or one before it names"
        raise LogError(moment.file, moment.line, "--account", expected, quote(name) + get_hint(name, known))
    return AccountId(name)


def _get_stages(before: State, event: Event) -> tuple[StageLeft, ...]:
    """Of the event's market, or of all that the account has a position in; a step in a queue has none to choose."""
    if not isinstance(event, FORCED):
        return ()
    own = getattr(event, "market", None)
    positions = before.accounts.get(event.account).positions
    markets = [own] if own is not None else [market for market, _ in positions.items()]
    found = (get_stages(before, event.account, market, event.timestamp) for market in markets)
    return tuple(stage for stages in found for stage in stages)


def _get_queue(before: State, event: Event, watched: Watched[Journal]) -> Queue | None:
    """The queue that is open, or that the event opens; where it was refused, the one that would have been right."""
    if isinstance(event, DELEVERAGING_STEPS) and before.deleveraging is not None:
        return get_queue(before, before.deleveraging)
    if not isinstance(event, BeginDeleveraging):
        return None
    episode = watched.result.deleveraging if watched.result is not None else _plan_episode(before, event)
    return None if episode is None else get_queue(before, episode)


def _plan_episode(before: State, event: BeginDeleveraging) -> Deleveraging | None:
    """The episode that the kernel would open; None where the account is not below maintenance, or has no lot there."""
    account = before.accounts.get(event.account)
    size, margin = account.positions.get(event.market).size, get_margin(account, before.markets)
    if size == 0 or before.deleveraging is not None or not is_below_maintenance(margin):
        return None
    lots = compute_close_out_size(before, event.account, event.market)
    terms = get_terms(before.rulebook, get_market(before, event.market), margin, size, lots)
    opening = compute_opening(before, event.account, event.market)
    return make_episode(before, event.account, event.market, Lots(lots), terms, *opening)


def _get_changes(before: State, after: State, journal: Journal | None, subject: AccountId | None) -> tuple[Change, ...]:
    touched = () if journal is None else (*journal.parties, *journal.holders)
    ids = dict.fromkeys((*([subject] if subject is not None else []), *touched))
    return tuple(Change(id, get_figures(before, id), get_figures(after, id)) for id in ids)


def _get_field_changes(before: State, after: State, event: Event) -> tuple[FieldChange, ...]:
    market: MarketId | None = getattr(event, "market", None)
    episode = before.deleveraging
    if market is None and episode is not None:
        market = episode.market
    pairs: list[tuple[str, Any, Any]] = [("", before.reserves, after.reserves)]
    if market is not None:
        pairs.append((f"{market}.", before.markets.get(market), after.markets.get(market)))
    for name in ("deleveraging", "sharing", "draws", "outflow"):
        pairs.append((f"{name}.", getattr(before, name), getattr(after, name)))
    found: list[FieldChange] = []
    for prefix, old, new in pairs:
        was, now = _list_fields(old), _list_fields(new)
        names = [*was, *(name for name in now if name not in was)]
        found += [
            FieldChange(prefix + name, was.get(name), now.get(name)) for name in names if was.get(name) != now.get(name)
        ]
    return tuple(found)


def _list_fields(value: Any) -> dict[str, Any]:
    """The fields as snapshots write them; a queue by its length, for it has a place of its own."""
    if value is None:
        return {}
    members = {field.name: getattr(value, field.name) for field in attrs.fields(type(value))}
    long = ("queue", "members")
    return {name: len(entry) if name in long else encode(entry, None) for name, entry in members.items()}


def _get_laws(monitor: Monitor, before: State) -> tuple[LawVerdict, ...]:
    broken = {violation.law: violation for violation in monitor.violations}
    found: list[LawVerdict] = []
    for law, tally in sorted(monitor.tallies.items()):
        if tally.checked:
            verdict = "VIOLATED" if law in broken else "REPLAYED(1)"
            if law == "WFALL-1" and not before.rulebook.has_book:
                verdict += ", the book ASSUMED(log)"
            found.append(LawVerdict(law, _SENTENCES[law], verdict))
    return tuple(found)
