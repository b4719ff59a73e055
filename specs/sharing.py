"""The very last stage: what is uncovered is shared out among those who hold positions in a market."""

from __future__ import annotations

from typing import Any

from riskcore import events
from riskcore.choices import LossSharing
from riskcore.journal import Reason, Reserve, Stage
from riskcore.rules import Rule
from specs.arithmetic import either, every, floor_ratio, larger, magnitude, smaller
from specs.case import AccountView, Case
from specs.contract import Contract, Effect, available, drawn, header_guard, pay
from specs.markets import fresh, known_market
from specs.status import is_ending


def weight_of(policy: LossSharing, size: Any, cost: Any, mark: Any, equity: Any) -> Any:
    """Profit at mark, or lots of either side; nothing where there is no equity to pay from."""
    counted: Any = 0
    if policy is LossSharing.PROFIT:
        counted = larger(size * mark - cost, 0)
    elif policy is LossSharing.CONTRACTS:
        counted = magnitude(size)
    return either(equity > 0, either(size == 0, 0, counted), 0)


def weight(case: Case, account: AccountView) -> Any:
    """An account's weight in the event's market."""
    mark = case.before.market.mark_price
    return weight_of(case.rulebook.loss_sharing, account.size, account.cost, mark, account.equity)


def due(sharing: Any, done: Any) -> Any:
    """Atoms due of members who have ``done`` of the weight."""
    return floor_ratio(sharing.amount * done, sharing.weight)


def covered_first(case: Case) -> Any:
    """Atoms of the loss that the fund can pay now."""
    return smaller(-case.before.reserves.uncovered, available(case))


def _begin_guard(case: Case) -> dict[Rule, Any]:
    before = case.before
    rules = {**header_guard(case), **known_market(case)}
    if before.market is None:
        return rules
    return {
        **rules,
        Rule.LOSS_NOT_SHARED: case.rulebook.loss_sharing is not LossSharing.NONE,
        Rule.MARK_STALE: is_ending(before.market) | fresh(case),
        Rule.NOTHING_UNCOVERED: before.reserves.uncovered < 0,
        Rule.MEMBERS_NOT_ALL: case.total_weight > 0,
    }


def _begin_effect(case: Case) -> Effect:
    before, sharing = case.before, case.after.sharing
    covered = covered_first(case)
    rest = -before.reserves.uncovered - covered
    opened: Any = rest == 0
    if sharing is not None:
        opened = every(
            rest > 0,
            sharing.market == case.event.market,
            sharing.amount == rest,
            sharing.weight == case.total_weight,
            sharing.done == 0,
            sharing.members is case.event.members,
            sharing.head == 0,
        )
    return Effect(
        reserves={
            "insurance": before.reserves.insurance - covered,
            "uncovered": before.reserves.uncovered + covered,
        },
        draws=drawn(case, covered),
        sharing=opened,
        lines=(pay(Reserve.INSURANCE, Reserve.UNCOVERED, covered, Reason.COVER, Stage.INSURANCE),),
    )


def _share_guard(case: Case) -> dict[Rule, Any]:
    return {**header_guard(case, while_sharing=True), Rule.SHARING_NOT_OPEN: case.before.sharing is not None}


def part(case: Case) -> Any:
    """Atoms that the next member owes: the difference of two rounded-down shares."""
    sharing = case.before.sharing
    return due(sharing, sharing.done + weight(case, case.before.account(case.member))) - due(sharing, sharing.done)


def part_paid(case: Case) -> Any:
    """Atoms that it pays: its part, as far as its equity goes."""
    return smaller(part(case), larger(case.before.account(case.member).equity, 0))


def _share_effect(case: Case) -> Effect:
    before, paid = case.before, part_paid(case)
    return Effect(
        accounts=((case.member, {"balance": before.account(case.member).balance - paid}),),
        reserves={"uncovered": before.reserves.uncovered + paid},
        sharing=_advanced(case),
        lines=(pay(case.member, Reserve.UNCOVERED, paid, Reason.LOSS_SHARE, Stage.SHARING),),
    )


def members_of(sharing: Any) -> Any:
    """How many members a sharing has."""
    members = sharing.members
    return len(members) if type(members) is tuple else members.length


def _advanced(case: Case) -> Any:
    """Moved on by one member, or over with the last."""
    sharing, after = case.before.sharing, case.after.sharing
    if after is None:
        return sharing.head + 1 == members_of(sharing)
    return every(
        sharing.head + 1 < members_of(sharing),
        after.market == sharing.market,
        after.amount == sharing.amount,
        after.weight == sharing.weight,
        after.done == sharing.done + weight(case, case.before.account(case.member)),
        after.members is sharing.members,
        after.head == sharing.head + 1,
    )


CONTRACTS = (
    Contract(event=events.BeginLossSharing, guard=_begin_guard, effect=_begin_effect),
    Contract(event=events.ShareLoss, guard=_share_guard, effect=_share_effect),
)
