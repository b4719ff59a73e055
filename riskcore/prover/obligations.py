"""From contracts and laws to claims: what has to be proven of one event.

Three layers for each event: the laws, or that they are outside its footprint; the
exact new value of every field; and that it is rejected if and only if its guard fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from typing import Any, TypeAlias

import attrs
import z3
from attrs import frozen

from riskcore.events import BeginDeleveraging, BeginLossSharing, Header
from riskcore.journal import Line, Reserve
from riskcore.prover.book import DRAWS_FIELDS, ORDER_INTS, POSITION_INTS, RESTING_INTS, STAKE_FIELDS, Opaque
from riskcore.prover.case import EPISODES, SymCase, run_event
from riskcore.prover.solver import Claim
from riskcore.prover.symbols import SymInt, to_bool
from riskcore.prover.tracer import Path, Tracer, get_paths
from riskcore.rulebook import MarketRules
from riskcore.rules import Rule
from riskcore.state import Market
from specs.arithmetic import both_ways, every, some
from specs.contract import Contract, Effect
from specs.contracts import CONTRACTS
from specs.laws import LAWS

ANY_ACCOUNTS = "any accounts, any markets, all integers, all admissible rulebooks"
CERTIFIED = (
    "any accounts, by what is_ranked says: each account's candidacy is proven of any account, the queue's order and "
    "completeness PROVED-BOUNDED(two counterparties)"
)
WEIGHED = (
    "any accounts, by what get_total_weight says: each account's weight is proven of any account, their sum, order and "
    "completeness PROVED-BOUNDED(two accounts)"
)
OUTSIDE = "outside the footprint, which is checked; any accounts"


@frozen
class Obligation:
    """One cell of the matrix: a claim for every path of an event that it speaks of.

    ``is_idle``: it is the clause of a guard that no path breaks, and so says nothing even where it holds.
    """

    name: str
    law: str
    event: str
    layer: str
    scope: str
    claims: tuple[Claim, ...]
    paths: int
    is_idle: bool = False


def get_event_name(kind: type[Header]) -> str:
    """The event's name in logs: snake case."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in kind.__name__).lstrip("_")


#: Layer, law, name within the event, scope.
Key: TypeAlias = tuple[str, str, str, str]


class Collector:
    """The claims of one event, by obligation, from all its paths."""

    def __init__(self, kind: type[Header]) -> None:
        self.kind = kind
        self.event = get_event_name(kind)
        self.claims: dict[Key, list[tuple[Tracer, list[Any], z3.BoolRef, str]]] = {}
        self.accepted: list[Path[SymCase]] = []
        self.paths: list[Path[SymCase]] = []

    def add(self, case: SymCase, get_claims: Callable[[], dict[Key, Any]]) -> None:
        """Evaluate claims on the path that is being traced, with their definitions kept to themselves."""
        tracer, imagined = case.world.tracer, case.world.imagined
        with tracer.scope() as facts:
            conclusions = {key: to_bool(claim) for key, claim in get_claims().items()}
        imagined.clear()
        case.world.imagined_stakes.clear()
        for key, conclusion in conclusions.items():
            self.claims.setdefault(key, []).append((tracer, facts, conclusion, describe(case)))


def describe(case: SymCase) -> str:
    """Which path a claim is about."""
    outcome = "accepted" if case.rejected is None else f"rejected: {case.rejected.name}"
    episode = ", a deleveraging open" if case.world.deleveraging is not None else ""
    episode += ", a sharing open" if case.world.sharing is not None else ""
    return f"{outcome}{episode}"


def get_obligations(kind: type[Header]) -> list[Obligation]:
    """Every obligation of an event, with its claims, in a stable order."""
    collector = Collector(kind)
    for _ in trace(collector):
        pass
    return make_obligations(collector, collector.paths)


def trace(collector: Collector) -> Iterator[Path[SymCase]]:
    """Every path of the collector's event, once its claims are collected."""
    kind = collector.kind
    contract = CONTRACTS[kind]

    def run(tracer: Tracer, episode: str | None) -> SymCase:
        case = run_event(tracer, kind, episode=episode)
        collect_guard(collector, contract, case)
        if case.rejected is None:
            collect_effect(collector, contract, case)
            collect_laws(collector, case)
        return case

    for episode in EPISODES:
        for path in get_paths(lambda tracer, open=episode: run(tracer, open)):  # type: ignore[misc]
            collector.paths.append(path)
            yield path


def make_obligations(collector: Collector, paths: Sequence[Path[SymCase]]) -> list[Obligation]:
    """The obligations of an event, with what was collected of these paths."""
    done = {id(path.result.world.tracer) for path in paths if path.result is not None}
    obligations = [get_rejection_obligation(collector)]
    # what a path that breaks off would have done is not known, so no law holds on it
    raised = tuple(get_failure(path) for path in paths if path.result is None)
    for (layer, law, name, scope), entries in collector.claims.items():
        claims = tuple(
            Claim((*tracer.assumptions, *tracer.decisions, *facts), conclusion, where)
            for tracer, facts, conclusion, where in entries
            if id(tracer) in done
        )
        is_idle = layer == "guard" and all(claim.where.startswith("accepted") for claim in claims)
        claims += raised
        full_name = f"{collector.event}/{name}"
        obligations.append(Obligation(full_name, law, collector.event, layer, scope, claims, len(claims), is_idle))
    return obligations


def get_rejection_obligation(collector: Collector) -> Obligation:
    """REJ-1: only ``Rejected`` escapes, a rejected event wrote nothing, and some event is accepted."""
    claims = []
    accepted = 0
    for path in collector.paths:
        if path.result is None:
            claims.append(get_failure(path))
            continue
        case = path.result
        wrote = case.rejected is not None and any(
            table.written for table in (case.world.accounts, case.world.markets, case.world.seen, case.world.stakes)
        )
        accepted += case.rejected is None
        claims.append(Claim(path.condition, z3.BoolVal(not wrote), describe(case)))
    if not accepted:
        claims.append(Claim((), z3.BoolVal(False), "no path is accepted"))
    name = f"{collector.event}/REJ-1"
    return Obligation(name, "REJ-1", collector.event, "law", ANY_ACCOUNTS, tuple(claims), len(collector.paths))


def get_failure(path: Path[SymCase]) -> Claim:
    """The claim that a path which raised cannot be walked."""
    return Claim(path.condition, z3.BoolVal(False), f"raised {path.error!r}")


def collect_guard(collector: Collector, contract: Contract, case: SymCase) -> None:
    """Accepted: every clause holds. Rejected: the clause of the rule that was named does not."""

    def get_claims() -> dict[Key, Any]:
        clauses = contract.guard(case)
        if case.rejected is None:
            return {get_guard_key(case, rule): clause for rule, clause in clauses.items()}
        return {get_guard_key(case, case.rejected): negated(clauses[case.rejected])}

    collector.add(case, get_claims)


def get_guard_key(case: SymCase, rule: Rule) -> Key:
    return ("guard", "REJ-1", f"guard/{rule.name}", get_scope(case, rule.name))


def get_scope(case: SymCase, name: str) -> str:
    """What a verdict covers: that a queue is ranked when it opens is known by the contract of ``is_ranked``."""
    if isinstance(case.event, BeginLossSharing) and name in ("LOSS-4", Rule.MEMBERS_NOT_ALL.name):
        return WEIGHED
    is_opening = isinstance(case.event, BeginDeleveraging) and name in ("ADL-2", Rule.QUEUE_NOT_RANKED.name)
    return CERTIFIED if is_opening else ANY_ACCOUNTS


def negated(value: Any) -> Any:
    return (not value) if type(value) is bool else ~value


def collect_effect(collector: Collector, contract: Contract, case: SymCase) -> None:
    """Every field has the value that the contract gives it; what the contract leaves out is unchanged."""

    def get_claims() -> dict[Key, Any]:
        effect = contract.effect(case)
        claims: dict[str, Any] = {"header": is_header_written(case), "lines": are_lines(case.effects, effect.lines)}
        for id, fields in effect.accounts:
            after = case.after.account(id)
            claims |= {f"{get_role(case, id)}.{name}": getattr(after, name) == value for name, value in fields.items()}
        for id, fields in effect.stakes:
            stake = case.after.stake(id)
            claims |= {f"{get_role(case, id)}.{name}": getattr(stake, name) == value for name, value in fields.items()}
        claims |= get_order_claims(case, effect)
        if effect.vault_shares is not None:
            claims["vault_shares"] = case.after.vault_shares == effect.vault_shares
        claims |= {name: getattr(case.after.reserves, name) == value for name, value in effect.reserves.items()}
        claims |= {
            f"outflow.{name}": getattr(case.after.outflow, name) == value for name, value in effect.outflow.items()
        }
        claims |= {f"draws.{name}": getattr(case.after.draws, name) == value for name, value in effect.draws.items()}
        if effect.separate_insurance is not None:
            claims["separate_insurance"] = case.after.separate_insurance == effect.separate_insurance
        for name, value in effect.market.items():
            claims[f"market.{name}"] = is_same(getattr(case.after.market, name), value)
        if effect.deleveraging is not None:
            claims["deleveraging"] = effect.deleveraging
        if effect.sharing is not None:
            claims["sharing"] = effect.sharing
        keyed: dict[Key, Any] = {
            ("effect", "EFFECT", f"effect/{name}", ANY_ACCOUNTS): claim for name, claim in claims.items()
        }
        return {**keyed, ("law", "FRAME-1", "FRAME-1", ANY_ACCOUNTS): is_frame_kept(case, effect)}

    collector.add(case, get_claims)


def get_order_claims(case: SymCase, effect: Effect) -> dict[str, Any]:
    """Every order's new fields, by its number among those that the contract names."""
    claims: dict[str, Any] = {}
    for number, (id, fields) in enumerate(effect.orders):
        after = case.after.order(id)
        for name, value in fields.items():
            actual = getattr(after, name)
            claims[f"orders[{number}].{name}"] = both_ways(actual, value) if name == "rests" else actual == value
    return claims


def are_lines(written: tuple[Line, ...], expected: tuple[Line, ...]) -> Any:
    """Whether the journal's lines are these, field by field and in this order."""
    if [type(line) for line in written] != [type(line) for line in expected]:
        return False
    return every(
        *(is_same(one, two) for pair in zip(written, expected, strict=True) for one, two in zip(*pair, strict=True))
    )


def get_role(case: SymCase, id: Any) -> str:
    """What an account is to the event: the field that names it, or vault, head, bankrupt."""
    for field in attrs.fields(type(case.event)):
        value = getattr(case.event, field.name)
        if isinstance(value, SymInt) and value.term.eq(id.term):
            return str(field.name)
    if id.term.eq(case.rulebook.vault.term):
        return "vault"
    episode: Any = case.world.deleveraging
    if episode is None:
        return "member"
    return "account" if id.term.eq(episode.account.term) else "head"


def is_same(value: Any, expected: Any) -> Any:
    """Equality of integers, or of the values made of them."""
    if isinstance(value, MarketRules) and isinstance(expected, MarketRules):
        return every(*(is_same(getattr(value, f.name), getattr(expected, f.name)) for f in attrs.fields(MarketRules)))
    if value is expected:
        return True
    if isinstance(value, Enum | Opaque) or isinstance(expected, Enum | Opaque):
        return False
    return value == expected


def is_header_written(case: SymCase) -> Any:
    after, event = case.after, case.event
    return every(
        is_same(after.sequence, event.sequence), is_same(after.timestamp, event.timestamp), after.seen(event.id)
    )


ACCOUNT_FIELDS = ("balance", *POSITION_INTS, "liquidated", "leverage", "sold", *RESTING_INTS)


def is_field_kept(case: SymCase, id: Any, field: str) -> Any:
    return getattr(case.after.account(id), field) == getattr(case.before.account(id), field)


def is_frame_kept(case: SymCase, effect: Effect) -> Any:
    """Nothing outside the declared footprint changed.

    Every account written is a declared one, and its other markets are as they were;
    declared accounts keep the fields, and reserves and market the values, that are not
    named. An account that is none of these was never written, so it is unchanged.
    """
    world = case.world
    declared = dict(enumerate(effect.accounts))
    claims: list[Any] = [case.is_same_venue]
    for id in case.touched:
        is_declared = some(*(is_same(id, known) for known, _ in effect.accounts))
        claims.append(is_declared | every(*(is_field_kept(case, id, field) for field in ACCOUNT_FIELDS)))
    for index in set(world.accounts.written):
        first: Any = world.accounts.first[index].positions
        last: Any = world.accounts.last[index].positions
        claims.append(first.rest is last.rest)
        chosen: Any = world.accounts.first[index].leverages
        kept: Any = world.accounts.last[index].leverages
        claims.append(chosen.rest is kept.rest)
        resting: Any = world.accounts.first[index].resting
        still: Any = world.accounts.last[index].resting
        claims.append(resting.rest is still.rest)
    for id, fields in declared.values():
        for field in ACCOUNT_FIELDS:
            if field not in fields:
                claims.append(is_field_kept(case, id, field))
    claims += get_stake_frame(case, effect)
    claims += get_order_frame(case, effect)
    for name in DRAWS_FIELDS:
        if name not in effect.draws:
            claims.append(is_same(getattr(case.after.draws, name), getattr(case.before.draws, name)))
        if name not in effect.outflow:
            claims.append(is_same(getattr(case.after.outflow, name), getattr(case.before.outflow, name)))
    for reserve in Reserve:
        if reserve.value not in effect.reserves:
            claims.append(
                is_same(getattr(case.after.reserves, reserve.value), getattr(case.before.reserves, reserve.value))
            )
    if case.before.market is not None:
        for market_field in attrs.fields(Market):
            if market_field.name not in effect.market:
                name = market_field.name
                claims.append(is_same(getattr(case.after.market, name), getattr(case.before.market, name)))
    if effect.separate_insurance is None:
        claims.append(is_same(case.after.separate_insurance, case.before.separate_insurance))
    if effect.deleveraging is None:
        claims.append(case.after.deleveraging is case.before.deleveraging)
    if effect.sharing is None:
        claims.append(case.after.sharing is case.before.sharing)
    claims.append(len(world.markets.keys) <= 1 and len(set(world.seen.written)) == 1)
    return every(*claims)


def get_stake_frame(case: SymCase, effect: Effect) -> list[Any]:
    """Every stake written is a declared one, which keeps the fields that are not named; so the total."""

    def is_kept(id: Any, fields: Iterable[str]) -> Any:
        before, after = case.before.stake(id), case.after.stake(id)
        return every(*(getattr(after, name) == getattr(before, name) for name in fields))

    claims = [
        some(*(is_same(id, known) for known, _ in effect.stakes)) | is_kept(id, STAKE_FIELDS) for id in case.holders
    ]
    claims += [is_kept(id, [name for name in STAKE_FIELDS if name not in fields]) for id, fields in effect.stakes]
    if effect.vault_shares is None:
        claims.append(is_same(case.after.vault_shares, case.before.vault_shares))
    return claims


def get_order_frame(case: SymCase, effect: Effect) -> list[Any]:
    """Every order written is a declared one, which keeps the fields that are not named; a new one has them all."""

    def is_kept(id: Any, fields: Iterable[str]) -> Any:
        before, after = case.before.order(id), case.after.order(id)
        same = [getattr(after, name) == getattr(before, name) for name in fields if name != "rests"]
        return every(*same, both_ways(before.rests, after.rests) if "rests" in fields else True)

    names = ("rests", *ORDER_INTS)
    declared = [id for id, _ in effect.orders]
    claims = [some(*(id == known for known in declared)) | is_kept(id, names) for id in case.touched_orders]
    return claims + [is_kept(id, [name for name in names if name not in fields]) for id, fields in effect.orders]


def collect_laws(collector: Collector, case: SymCase) -> None:
    for law in LAWS:
        applies = collector.kind in law.applies
        holds, scope = (law.holds, get_scope(case, law.id)) if applies else (law.outside, OUTSIDE)
        if holds is None:
            continue
        key = ("law", law.id, law.id, scope)
        collector.add(case, lambda key=key, holds=holds: {key: holds(case)})  # type: ignore[misc]
